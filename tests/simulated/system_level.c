/* system_level.c - worlds of the whole system. */

#include "tests/simulated/system_level.h"

#include <inttypes.h>

#include "tests/simulated/play.h"
#include "tests/support/verdict.h"

#define TWICE_EVERY 16u /* so many worlds one is played twice, and must come to the same */

static uint64_t s_play_once (uint64_t seed, uint64_t off, FILE *transcript) {
    plot_t *plot = plot_new (seed, off);
    if (transcript)
        plot_print (plot, transcript);
    uint64_t hash = play (plot, transcript);
    plot_destroy (&plot);
    return hash;
}

static void s_play (uint64_t seed, uint64_t off, FILE *transcript) {
    uint64_t hash = s_play_once (seed, off, transcript);
    if (seed % TWICE_EVERY != 0 || transcript)
        return;
    verdict->worlds++;
    if (s_play_once (seed, off, NULL) != hash)
        verdict_fail ("the same seed gave another world");
}

static int s_print (void) {
    int status = 0;
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
    return status;
}

const level_t system_level = {
    .name = "system", .off_count = PLOT_OFF_COUNT, .play = s_play, .print = s_print};
