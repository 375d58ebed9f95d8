/* dagwood_sim.c - runs simulated worlds: dagwood-sim [--level scheduler|system] [--seeds A..B] [--verbose] [--all] [--off BITS]
 *             [--no-transcript]
 *
 * The level scheduler is the scheduler alone, with a shell, workers and a network that are the tests' own
 * (tests/support/simulator.h). The level system is the whole of it: coordinator, agents, workers and clients as they are,
 * on simulated threads, sockets and time (tests/simulated/play.h). Without --level both are run.
 *
 * Prints what the worlds came to. When something does not hold in a world, makes it smaller, prints its transcript and its seed
 * and exits 1; --off says by what. With --all, prints a line and goes on, to see how
 * often what happens; with --no-transcript, no more than a line of the first. */

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "tests/simulated/system_level.h"
#include "tests/support/simulator_level.h"

static const level_t *const s_levels[] = {&simulator_level, &system_level};
#define LEVELS (sizeof s_levels / sizeof *s_levels)

/* False: there is no such option, or its value is none. level is set when it names one. */
static bool s_read_valued (level_options_t *self, const level_t **level, const char *name,
                           const char *value) {
    if (strcmp (name, "--seeds") == 0)
        return sscanf (value, "%" SCNu64 "..%" SCNu64, &self->from, &self->to) == 2;
    if (strcmp (name, "--off") == 0)
        return sscanf (value, "%" SCNx64, &self->off) == 1;
    for (size_t i = 0; i < LEVELS && strcmp (name, "--level") == 0; i++)
        if (strcmp (value, s_levels[i]->name) == 0) {
            *level = s_levels[i];
            return true;
        }
    return false;
}

static bool s_read_options (int argc, char **argv, level_options_t *self, const level_t **level) {
    *self = (level_options_t){.from = 1, .to = 1000};
    for (int i = 1; i < argc; i++)
        if (strcmp (argv[i], "--verbose") == 0)
            self->verbose = true;
        else if (strcmp (argv[i], "--all") == 0)
            self->all = true;
        else if (strcmp (argv[i], "--no-transcript") == 0)
            self->is_short = true;
        else if (i + 1 == argc || !s_read_valued (self, level, argv[i], argv[i + 1]))
            return false;
        else
            i++;
    return true;
}

int main (int argc, char **argv) {
    level_options_t options;
    const level_t *only = NULL;
    int status = 0;
    if (!s_read_options (argc, argv, &options, &only)) {
        fprintf (stderr, "usage: dagwood-sim [--level scheduler|system] [--seeds A..B] [--verbose] "
                         "[--all] [--off BITS] [--no-transcript]\n");
        return 64;
    }
    for (size_t i = 0; i < LEVELS && (status == 0 || options.all); i++)
        if (!only || only == s_levels[i])
            status |= level_run (s_levels[i], &options);
    return status;
}
