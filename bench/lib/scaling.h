/* scaling.h - how the cost of a task grows with the graph, and the speed with the threads. */

#ifndef DW_SCALING_H
#define DW_SCALING_H

#include "bench/lib/rig.h"
#include "bench/lib/spread.h"

/* A size of the graph or a number of threads. The sequential loop goes over the same graph in the
 * same order and does the same tasks; both take turns, and a ratio is of two neighbours. */
typedef struct dw_scaling_point_t {
    dw_work_options_t work; /* as it was settled */
    uint32_t edges_count, threads;
    dw_spread_t ns_per_task, loop_ns_per_task;
    dw_spread_t ratio; /* ours to the loop's */
    uint64_t hash;     /* of both; that they differ is an error */
} dw_scaling_point_t;

/* Errors: as dw_work_new and dw_rig_run; DW_EPROCESSOR a result differs from the loop's, a
 * defect. */
int dw_scaling_measure (dw_scaling_point_t *self, const dw_work_options_t *wanted,
                        const dw_rig_options_t *options, uint32_t repeat, dw_error_t *error);

#endif
