/* overhead.h - what a task costs: a work, run again and again by dagwood.
 *
 * Cold figures: the graph is built, planned and opened `repeat` times anew, and each time run once.
 * Warm figures: then the last system runs it `repeat` times more. A run is timed from its
 * submission to its result. */

#ifndef DW_OVERHEAD_H
#define DW_OVERHEAD_H

#include "bench/lib/rig.h"
#include "bench/lib/spread.h"

#define DW_OVERHEAD_WORKERS_MAX 1025u

typedef struct dw_overhead_t {
    /* Cold, a node each. */
    dw_spread_t build_ns_per_node, plan_ns_per_node, first_run_ns_per_task;
    dw_spread_t open_bytes_per_node; /* resident memory of an open system, its plan above all */
    dw_spread_t run_bytes_per_node;  /* the peak of a run and its result, above the open system */
    uint64_t peak_rss_bytes;         /* the most that the process had */
    /* Warm. */
    dw_spread_t ns_per_task;
    dw_spread_t makespan_ns;
    double efficiency; /* task time / (wall time x threads), of the median */
    double messages_per_task, context_switches_per_task;
    double critical_path_ns;
    double lower_bound_ns; /* the larger one of critical path and task time / threads */
    /* By worker of the last system, the coordinator's thread first; all its runs. */
    uint64_t tasks_by_worker[DW_OVERHEAD_WORKERS_MAX];
    uint32_t workers_count;
    uint64_t messages; /* of all its runs */
    uint64_t hash;     /* of all outputs of the last run, by rank; every run's must be the same */
} dw_overhead_t;

/* Errors: as dw_rig_open and dw_rig_run; DW_EPROCESSOR too when two runs differ, a defect. */
int dw_overhead_measure (dw_overhead_t *self, const dw_work_t *work,
                         const dw_rig_options_t *options, uint32_t repeat, dw_error_t *error);

#endif
