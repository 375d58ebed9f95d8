/* simulator_level.c - many worlds of the scheduler, and what they came to. */

#include "tests/support/simulator_level.h"

#include <inttypes.h>
#include <time.h>

#include "tests/support/growth.h"
#include "tests/support/simulator.h"

static double s_seconds (void) {
    struct timespec now;
    clock_gettime (CLOCK_MONOTONIC, &now);
    return (double) now.tv_sec + (double) now.tv_nsec / 1e9;
}

static void s_print (const simulator_counts_t *counts, double seconds) {
    printf ("scheduler: %" PRIu64 " worlds, %" PRIu64 " steps, %" PRIu64 " events, %" PRIu64
            " commands in "
            "%.1f s: %.0f worlds/s\n",
            counts->worlds, counts->steps, counts->events, counts->commands, seconds,
            (double) counts->worlds / seconds);
    printf ("%" PRIu64 " runs (%" PRIu64 " cancelled, %" PRIu64 " out of time), %" PRIu64
            " tasks sent (%" PRIu64 " of them own work), %" PRIu64 " attempts failed, %" PRIu64
            " timed out, %" PRIu64 " lost, %" PRIu64 " returned, %" PRIu64
            " answers ignored, %" PRIu64 " workers replaced\n",
            counts->runs, counts->cancelled, counts->deadlines, counts->sent, counts->own,
            counts->failed, counts->timeouts, counts->losses, counts->returned, counts->ignored,
            counts->replaced);
}

static void s_print_growth (const growth_counts_t *counts) {
    printf ("%" PRIu64 " graphs added (%" PRIu64 " of them within such): %" PRIu64 " done, %" PRIu64
            " failed, %" PRIu64 " skipped, %" PRIu64 " cancelled; %" PRIu64 " refused, %" PRIu64
            " that nobody waited for\n",
            counts->begun, counts->nested, counts->done, counts->failed, counts->skipped,
            counts->cancelled, counts->refused, counts->unbegun);
}

static bool s_has_grown (const growth_counts_t *counts) {
    return counts->nested && counts->done && counts->failed && counts->skipped &&
           counts->cancelled && counts->refused && counts->unbegun;
}

/* A fault that never happens tests nothing. */
static int s_check_counts (const simulator_counts_t *counts, const growth_counts_t *growth) {
    if (counts->worlds < 1000 ||
        (counts->cancelled && counts->failed && counts->timeouts && counts->losses &&
         counts->returned && counts->deadlines && counts->ignored && counts->replaced &&
         counts->own && counts->left_out && s_has_grown (growth)))
        return 0;
    printf ("some fault never happened\n");
    return 1;
}

int simulator_level (uint64_t from, uint64_t to, bool verbose, bool all) {
    simulator_counts_t counts = {0}, again = {0};
    growth_counts_t growth = {0}, growth_again = {0};
    uint64_t wrong_count = 0;
    char wrong[256];
    double start = s_seconds ();
    for (uint64_t seed = from; seed <= to; seed++) {
        bool held = simulator_run (seed, verbose ? stdout : NULL, &counts, wrong, sizeof wrong);
        if (!held && !verbose && !all)
            simulator_run (seed, stdout, &again, wrong, sizeof wrong);
        if (held && growth_run (seed, verbose ? stdout : NULL, &growth, wrong, sizeof wrong))
            continue;
        if (held && !verbose && !all)
            growth_run (seed, stdout, &growth_again, wrong, sizeof wrong);
        printf ("seed %" PRIu64 ": %s\n", seed, wrong);
        wrong_count++;
        if (!all)
            return 1;
    }
    s_print (&counts, s_seconds () - start);
    s_print_growth (&growth);
    return wrong_count > 0 || s_check_counts (&counts, &growth);
}
