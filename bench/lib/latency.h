/* latency.h - how long one run alone takes through a chain of actors, and each of its hops.
 *
 * Every node has an actor thread, which sleeps when its turn comes: runs go one at a time with a
 * pause before each. A hop is from the end of a node's work to the beginning of the next one's, by
 * the clock of whoever works: the answer to the coordinator, its decision, the task to the next
 * actor. A run is from its submission to its result. */

#ifndef DW_LATENCY_H
#define DW_LATENCY_H

#include "bench/lib/histogram.h"
#include "bench/lib/spread.h"
#include "dagwood.h"

#define DW_LATENCY_PERCENTS 5 /* 50, 90, 99, 99.9, 100 */

typedef struct dw_latency_options_t {
    uint32_t nodes;    /* at least 2 */
    uint32_t runs;     /* of a repetition */
    uint32_t pause_us; /* before each run */
    uint32_t repeat;   /* repetitions that are measured, after one that is not */
} dw_latency_options_t;

typedef struct dw_latency_t {
    /* the percentile of each repetition, then their spread */
    dw_spread_t hop_ns[DW_LATENCY_PERCENTS];
    dw_spread_t run_ns[DW_LATENCY_PERCENTS];
    dw_spread_t wakeup_ns;      /* see wakeup.h, in the same sitting */
    dw_spread_t run_ns_per_hop; /* the median run, in hops: nodes + 1 of them */
    dw_histogram_t hops, runs;  /* of all repetitions */
    uint64_t hash;              /* of all outputs without their times */
} dw_latency_t;

/* Errors: as dw_system_open; DW_EPROCESSOR a run was not ok, a defect. */
int dw_latency_measure (dw_latency_t *self, const dw_latency_options_t *options, dw_error_t *error);

#endif
