/* metg.h - the minimum effective task granularity, as Task Bench defines it.
 *
 * A graph is run with shorter and shorter tasks. Its efficiency is the task time of all tasks,
 * divided by wall time x threads, relative to the peak: what the threads reach without any runtime.
 * Its granularity is wall time x threads / tasks, so overhead and idling are in it. METG(e) is the
 * smallest granularity at which the efficiency is at least e, linearly interpolated between that
 * point of the sweep and the next. (Slaughter et al., SC20, section III; the paper's own scripts
 * interpolate the same way.) */

#ifndef DW_METG_H
#define DW_METG_H

#include "bench/lib/rig.h"
#include "bench/lib/spread.h"

typedef struct dw_metg_point_t {
    dw_work_options_t work; /* as it was settled */
    uint32_t edges_count;
    dw_spread_t granularity_ns;
    double efficiency; /* relative to the peak, of the median */
    uint64_t hash;
} dw_metg_point_t;

#define DW_METG_POINTS_MAX 64u

typedef struct dw_metg_t {
    double peak; /* task time / (wall time x threads) of threads that only compute */
    dw_metg_point_t points[DW_METG_POINTS_MAX]; /* from the longest tasks to the shortest */
    uint32_t points_count;
} dw_metg_t;

/* Sweeps task times down from work->task_ns by half, until the efficiency is below efficiency_min
 * twice in a row, or tasks take 1 ns. A point is measured repeat times after one that is not; long
 * tasks are fewer, at least 50 steps of them, and short ones work->nodes_count. The kernel is
 * compute. Errors: as dw_work_new and dw_rig_run. */
int dw_metg_measure (dw_metg_t *self, const dw_work_options_t *work,
                     const dw_rig_options_t *options, double efficiency_min, uint32_t repeat,
                     dw_error_t *error);

/* METG(efficiency) of what was measured, and how long a task worked there; false: the efficiency is
 * never reached, or every point has it. */
bool dw_metg_find (const dw_metg_t *self, double efficiency, double *granularity_ns_p,
                   double *task_ns_p);

#endif
