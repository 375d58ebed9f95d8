/* clock.h - the time, for whoever is allowed to know it: floors 3 and 4. */

#ifndef DW_CLOCK_H
#define DW_CLOCK_H

#include <stdint.h>
#include <time.h>

/* Nanoseconds of a clock that never goes back. */
static inline int64_t dw_clock_ns (void) {
    struct timespec now;
    clock_gettime (CLOCK_MONOTONIC, &now);
    return (int64_t) now.tv_sec * 1000000000 + now.tv_nsec;
}

/* Whole microseconds, as results tell them. */
static inline uint32_t dw_clock_us (uint64_t ns) {
    return (uint32_t) (ns < UINT64_C (1000) * UINT32_MAX ? (ns + 500) / 1000 : UINT32_MAX);
}

/* Steps that are much shorter than a look at the clock are timed together, in laps of some 2 us. */
#define DW_LAP_NS        2000u
#define DW_LAP_STEPS_MAX 128u

typedef struct dw_lap_t {
    int64_t since_ns;   /* when the clock was last looked at */
    uint32_t steps;     /* that ran since then */
    uint32_t steps_max; /* when to look again */
} dw_lap_t;

/* Ends a lap of at least one step; returns what a step took in the mean. The next lap has begun. */
static inline uint64_t dw_lap_end (dw_lap_t *self) {
    int64_t now_ns = dw_clock_ns ();
    uint64_t step_ns = (uint64_t) (now_ns - self->since_ns) / self->steps;
    uint64_t steps = DW_LAP_NS / (step_ns + 1);
    self->steps_max = (uint32_t) (steps < 1                  ? 1
                                  : steps < DW_LAP_STEPS_MAX ? steps
                                                             : DW_LAP_STEPS_MAX);
    self->steps = 0;
    self->since_ns = now_ns;
    return step_ns;
}

#endif
