/* level.c - a level of the simulation. */

#include "tests/support/level.h"

#include <assert.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "tests/support/verdict.h"

#define WORLD_S  30 /* of real time: one that takes longer goes round in circles */
#define SHRINK_S 10 /* of a core: so long it is tried to make it smaller */

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

/* ---- Played ----------------------------------------------------------------------------------- */

static void s_play_all (const level_t *level, const level_options_t *options, FILE *transcript) {
    for (uint64_t seed = options->from; seed <= options->to; seed++) {
        verdict->seed = seed;
        alarm (WORLD_S);
        level->play (seed, options->off, transcript);
        verdict->worlds++;
    }
}

/* False: a world does not hold, and verdict says which and why. transcript NULL: nothing is
 * told. */
static bool s_play (const level_t *level, const level_options_t *options, FILE *transcript) {
    int status;
    verdict->wrong[0] = '\0';
    fflush (stdout);
    pid_t child = fork ();
    assert (child >= 0);
    if (child == 0) {
        s_play_all (level, options, transcript);
        exit (0); /* where a sanitizer looks for what was left */
    }
    while (waitpid (child, &status, 0) != child)
        ;
    if (WIFSIGNALED (status))
        snprintf (verdict->wrong, sizeof verdict->wrong, "signal %d (%s)", WTERMSIG (status),
                  strsignal (WTERMSIG (status)));
    else if (WEXITSTATUS (status) && !verdict->wrong[0])
        snprintf (verdict->wrong, sizeof verdict->wrong, "exit status %d", WEXITSTATUS (status));
    return !verdict->wrong[0];
}

/* ---- Made smaller ----------------------------------------------------------------------------- */

/* Where what it says goes meanwhile: it does not hold, which is known. Gives what was there. */
static int s_silence (void) {
    int own = dup (STDERR_FILENO), none = open ("/dev/null", O_WRONLY);
    dup2 (none, STDERR_FILENO);
    close (none);
    return own;
}

/* The bytes of a world's transcript up to where it does not hold; SIZE_MAX: it does. paper is a
 * file for that. */
static size_t s_measure (const level_t *level, uint64_t seed, uint64_t off, FILE *paper) {
    level_options_t options = {.from = seed, .to = seed, .off = off};
    struct stat told;
    bool is_empty = ftruncate (fileno (paper), 0) == 0;
    rewind (paper);
    if (s_play (level, &options, paper))
        return SIZE_MAX;
    return is_empty && fstat (fileno (paper), &told) == 0 ? (size_t) told.st_size : SIZE_MAX;
}

/* Leaves out one thing more, in the way that is shortest. False: no way is short enough. */
static bool s_leave_out (const level_t *level, uint64_t seed, uint32_t what, uint64_t *off_p,
                         size_t *size_p, FILE *paper) {
    uint64_t parts = *off_p & ((UINT64_C (1) << level->off_count) - 1);
    uint64_t less = parts | UINT64_C (1) << what, off = *off_p;
    for (uint64_t way = 0; way < LEVEL_WAYS && less != parts; way++) {
        uint64_t at = less | way << level->off_count;
        size_t size = s_measure (level, seed, at, paper);
        if (size > *size_p || (size == *size_p && off != *off_p))
            continue;
        *size_p = size;
        off = at;
    }
    bool is_smaller = off != *off_p;
    *off_p = off;
    return is_smaller;
}

uint64_t level_shrink (const level_t *level, uint64_t seed, uint64_t off) {
    FILE *paper = tmpfile ();
    assert (paper);
    setvbuf (paper, NULL, _IOLBF, BUFSIZ); /* all is there, however it ends */
    verdict_t before = *verdict;
    double until = s_core_seconds () + SHRINK_S;
    int own = s_silence ();
    size_t size = s_measure (level, seed, off, paper);
    for (bool is_smaller = true; is_smaller;) {
        is_smaller = false;
        for (uint32_t what = 0; what < level->off_count && s_core_seconds () < until; what++)
            is_smaller |= s_leave_out (level, seed, what, &off, &size, paper);
    }
    dup2 (own, STDERR_FILENO);
    close (own);
    *verdict = before;
    fclose (paper);
    return off;
}

static void s_show (const level_t *level, uint64_t seed, uint64_t off) {
    level_options_t options = {.from = seed, .to = seed, .off = level_shrink (level, seed, off)};
    s_play (level, &options, stdout);
    printf ("seed %" PRIu64 ": %s\nto see it again: --level %s --seeds %" PRIu64 "..%" PRIu64
            " --off %#" PRIx64 " --verbose\n",
            seed, verdict->wrong, level->name, seed, seed, options.off);
}

/* ---- All of them ------------------------------------------------------------------------------ */

static int s_print (const level_t *level, double seconds, double core_seconds) {
    printf ("%s: %" PRIu64 " worlds in %.1f s, %.1f s of a core: %.0f worlds/s a core\n",
            level->name, verdict->worlds, seconds, core_seconds,
            (double) verdict->worlds / core_seconds);
    int status = level->print ();
    if (status)
        printf ("some fault never happened\n");
    return status;
}

int level_run (const level_t *level, const level_options_t *options) {
    double start = s_seconds (), core_start = s_core_seconds ();
    level_options_t left = *options;
    uint64_t wrong_count = 0;
    setvbuf (stdout, NULL, _IOLBF, BUFSIZ); /* as of paper */
    verdict_share ();
    if (level->begin)
        level->begin ();
    for (; left.from <= left.to && !s_play (level, &left, options->verbose ? stdout : NULL);
         left.from = verdict->seed + 1) {
        wrong_count++;
        printf ("seed %" PRIu64 ": %s\n", verdict->seed, verdict->wrong);
        if (options->all)
            continue;
        if (!options->verbose && !options->is_short)
            s_show (level, verdict->seed, options->off);
        return 1;
    }
    int status = s_print (level, s_seconds () - start, s_core_seconds () - core_start);
    return wrong_count > 0 || status;
}
