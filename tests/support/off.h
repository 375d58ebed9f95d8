/* off.h - what can be switched off in the worlds of the scheduler (level.h), a bit each. */

#ifndef TESTS_OFF_H
#define TESTS_OFF_H

#include <stdbool.h>
#include <stdint.h>

#include "tests/support/random.h"

#define OFF_RUNS 8u

enum {
    OFF_PLAIN,               /* the world of simulator.h, */
    OFF_GROWN,               /* and that of growth.h: a seed has both */
    OFF_NODES,               /* of as many as a graph may have 8 sixteenths; and 4, 2 and 1 */
    OFF_RUN = OFF_NODES + 4, /* one for each run */
    OFF_WORKERS = OFF_RUN + OFF_RUNS, /* of a pool: all but the first */
    OFF_OWN_WORK,
    OFF_LANES,
    OFF_KILLS,
    OFF_FORGERIES,
    OFF_STRAYS,
    OFF_UNSERVED,
    OFF_CANCELS,
    OFF_DEADLINES,
    OFF_TIMEOUTS,
    OFF_OUTPUTS,
    OFF_FAILURES,
    OFF_DEATHS,
    OFF_SKIPS,
    OFF_DELAYS,
    OFF_REPEATS,
    OFF_RETURNS,
    OFF_BACKLOGS,
    OFF_COUNT
};

/* Another draw of what happens, if it is another way (level.h). */
static inline void off_turn (uint64_t off, random_t *random) {
    random->state += (off >> OFF_COUNT) * UINT64_C (0x2545f4914f6cdd1d);
}

static inline bool off_is (uint64_t off, uint32_t what) {
    return off >> what & 1;
}

static inline uint32_t off_nodes_max (uint64_t off, uint32_t nodes_max) {
    uint32_t left = 16;
    for (uint32_t i = 0; i < 4; i++)
        left -= off_is (off, OFF_NODES + i) ? 8u >> i : 0;
    return (nodes_max * left + 15) / 16;
}

#endif
