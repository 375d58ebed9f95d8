/* dagwood_sim.c - runs simulated worlds: dagwood-sim [--level scheduler|system] [--seeds A..B] [--verbose] [--all] [--off BITS]
 *             [--no-transcript]
 *
 * The level scheduler is the scheduler alone, with a shell, workers and a network that are the tests' own
 * (tests/support/simulator.h). The level system is the whole of it: coordinator, agents, workers and clients as they are,
 * on simulated threads, sockets and time (tests/simulated/play.h). Without --level both are run.
 *
 * Prints what the worlds came to. When something does not hold in a world, prints its transcript and its seed and exits 1;
 * a world of the system is made smaller first, and --off says by what. With --all, prints a line and goes on, to see how
 * often what happens; with --no-transcript, no more than a line of the first. */

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#include "tests/simulated/shrink.h"
#include "tests/simulated/verdict.h"
#include "tests/support/simulator_level.h"

typedef struct s_options_t {
    uint64_t from, to, off;
    bool verbose, all, is_short, scheduler, system;
} s_options_t;

static double s_seconds (void) {
    struct timespec now;
    clock_gettime (CLOCK_MONOTONIC, &now);
    return (double) now.tv_sec + (double) now.tv_nsec / 1e9;
}

/* Of a core, by the worlds' processes; whatever else the machine does is no matter. */
static double s_core_seconds (void) {
    struct rusage usage;
    getrusage (RUSAGE_CHILDREN, &usage);
    return (double) (usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
           (double) (usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

/* ---- The system ------------------------------------------------------------------------------- */

/* What happened, and whether all did that is to happen. */
static int s_print_verdict (double seconds) {
    int status = 0;
    printf ("system: %" PRIu64 " worlds in %.1f s, %.1f s of a core: %.0f worlds/s a core\n",
            verdict->worlds, seconds, s_core_seconds (),
            (double) verdict->worlds / s_core_seconds ());
    const struct {
        const char *name;
        uint64_t count;
    } counts[] = {
#define X(name) {#name, verdict->name},
        VERDICT_COUNTS (X)
#undef X
    };
    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++) {
        printf ("%s%" PRIu64 " %s", i > 0 ? ", " : "", counts[i].count, counts[i].name);
        status |= verdict->worlds >= 1000 && counts[i].count == 0;
    }
    printf ("\n");
    if (status)
        printf ("some fault never happened\n");
    return status;
}

static void s_show (uint64_t seed, uint64_t off) {
    off = shrink (seed, off);
    shrink_play (seed, seed, off, true);
    printf ("seed %" PRIu64 ": %s\nto see it again: --level system --seeds %" PRIu64 "..%" PRIu64
            " --off %#" PRIx64 " --verbose\n",
            seed, verdict->wrong, seed, seed, off);
}

static int s_run_system (const s_options_t *options) {
    double start = s_seconds ();
    uint64_t wrong_count = 0;
    for (uint64_t from = options->from; from <= options->to; from = verdict->seed + 1) {
        if (shrink_play (from, options->to, options->off, options->verbose))
            break;
        wrong_count++;
        printf ("seed %" PRIu64 ": %s\n", verdict->seed, verdict->wrong);
        if (options->all)
            continue;
        if (!options->verbose && !options->is_short)
            s_show (verdict->seed, options->off);
        return 1;
    }
    int status = s_print_verdict (s_seconds () - start);
    return wrong_count > 0 || status;
}

/* ---- The command ------------------------------------------------------------------------------ */

/* False: there is no such option, or its value is none. */
static bool s_read_valued (s_options_t *self, const char *name, const char *value) {
    if (strcmp (name, "--seeds") == 0)
        return sscanf (value, "%" SCNu64 "..%" SCNu64, &self->from, &self->to) == 2;
    if (strcmp (name, "--off") == 0)
        return sscanf (value, "%" SCNx64, &self->off) == 1;
    if (strcmp (name, "--level") != 0)
        return false;
    self->scheduler = strcmp (value, "scheduler") == 0;
    self->system = strcmp (value, "system") == 0;
    return self->scheduler || self->system;
}

static bool s_read_options (int argc, char **argv, s_options_t *self) {
    *self = (s_options_t){.from = 1, .to = 1000, .scheduler = true, .system = true};
    for (int i = 1; i < argc; i++) {
        if (strcmp (argv[i], "--verbose") == 0)
            self->verbose = true;
        else if (strcmp (argv[i], "--all") == 0)
            self->all = true;
        else if (strcmp (argv[i], "--no-transcript") == 0)
            self->is_short = true;
        else if (i + 1 == argc || !s_read_valued (self, argv[i], argv[i + 1]))
            return false;
        else
            i++;
    }
    return true;
}

int main (int argc, char **argv) {
    s_options_t options;
    if (!s_read_options (argc, argv, &options)) {
        fprintf (stderr, "usage: dagwood-sim [--level scheduler|system] [--seeds A..B] [--verbose] "
                         "[--all] [--off BITS] [--no-transcript]\n");
        return 64;
    }
    verdict_share ();
    int status = options.scheduler
                     ? simulator_level (options.from, options.to, options.verbose, options.all)
                     : 0;
    if (options.system && (status == 0 || options.all))
        status |= s_run_system (&options);
    return status;
}
