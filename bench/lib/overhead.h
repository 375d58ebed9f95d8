/* overhead.h - what a task costs: a graph of a shape, run again and again on an open system. */

#ifndef DW_OVERHEAD_H
#define DW_OVERHEAD_H

#include "bench/lib/shapes.h"

#define DW_OVERHEAD_WORKERS_MAX 1025u

typedef struct dw_overhead_t {
    /* Asked for. */
    dw_shape_t shape;
    uint32_t nodes;
    uint32_t threads;
    uint32_t payload_bytes;
    uint64_t task_ns;
    uint32_t repeat;
    /* Measured, from submit to result on an open system, after one run that is not counted. */
    double ns_per_task; /* median */
    double ns_min, ns_max;
    double efficiency; /* task time / (wall time x threads) */
    uint64_t
        tasks_by_worker[DW_OVERHEAD_WORKERS_MAX]; /* the coordinator's thread first; all runs */
    uint32_t workers_count;
    uint64_t messages; /* of all runs */
    uint64_t hash;     /* of all outputs of the last run, by rank */
    double plan_ns_per_node;
} dw_overhead_t;

/* Errors: as dw_system_open; DW_EPROCESSOR a run was not ok, which is a defect. */
int dw_overhead_measure (dw_overhead_t *self, dw_error_t *error);
/* The hash that a loop over the nodes gives; 0: no memory. */
uint64_t dw_overhead_expected (const dw_overhead_t *self);

#endif
