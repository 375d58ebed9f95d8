/* simulator_level.c - worlds of the scheduler. */

#include "tests/support/simulator_level.h"

#include <inttypes.h>

#include "tests/support/growth.h"
#include "tests/support/off.h"
#include "tests/support/simulator.h"
#include "tests/support/verdict.h"

/* What happened; shared with whoever started the process that plays. */
typedef struct s_counts_t {
    simulator_counts_t plain;
    growth_counts_t grown;
} s_counts_t;

static s_counts_t *s_counts;

static void s_begin (void) {
    s_counts = verdict_memory (sizeof *s_counts);
}

static void s_play (uint64_t seed, uint64_t off, FILE *transcript) {
    char wrong[256];
    bool holds = off_is (off, OFF_PLAIN) ||
                 simulator_run (seed, off, transcript, &s_counts->plain, wrong, sizeof wrong);
    holds = holds && (off_is (off, OFF_GROWN) ||
                      growth_run (seed, off, transcript, &s_counts->grown, wrong, sizeof wrong));
    if (!holds)
        verdict_fail ("%s", wrong);
}

static bool s_has_grown (const growth_counts_t *counts) {
    return counts->nested && counts->done && counts->failed && counts->skipped &&
           counts->cancelled && counts->refused && counts->unbegun && counts->strays;
}

static bool s_has_happened (const simulator_counts_t *counts) {
    return counts->cancelled && counts->failed && counts->timeouts && counts->losses &&
           counts->returned && counts->deadlines && counts->ignored && counts->replaced &&
           counts->own && counts->left_out && counts->strays;
}

static int s_print (void) {
    const simulator_counts_t *plain = &s_counts->plain;
    const growth_counts_t *grown = &s_counts->grown;
    printf (
        "%" PRIu64 " steps, %" PRIu64 " events, %" PRIu64 " commands; %" PRIu64 " runs (%" PRIu64
        " cancelled, %" PRIu64 " out of time), %" PRIu64 " tasks sent (%" PRIu64
        " of them own work), %" PRIu64 " attempts failed, %" PRIu64 " timed out, %" PRIu64
        " lost, %" PRIu64 " returned, %" PRIu64 " answers ignored, %" PRIu64
        " workers replaced, %" PRIu64 " names of what there is not\n",
        plain->steps, plain->events, plain->commands, plain->runs, plain->cancelled,
        plain->deadlines, plain->sent, plain->own, plain->failed, plain->timeouts, plain->losses,
        plain->returned, plain->ignored, plain->replaced, plain->strays + grown->strays);
    printf ("%" PRIu64 " graphs added (%" PRIu64 " of them within such): %" PRIu64 " done, %" PRIu64
            " failed, %" PRIu64 " skipped, %" PRIu64 " cancelled; %" PRIu64 " refused, %" PRIu64
            " that nobody waited for\n",
            grown->begun, grown->nested, grown->done, grown->failed, grown->skipped,
            grown->cancelled, grown->refused, grown->unbegun);
    return plain->worlds >= 1000 && !(s_has_happened (plain) && s_has_grown (grown));
}

const level_t simulator_level = {.name = "scheduler",
                                 .off_count = OFF_COUNT,
                                 .begin = s_begin,
                                 .play = s_play,
                                 .print = s_print};
