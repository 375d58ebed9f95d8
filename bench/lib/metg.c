/* metg.c - the minimum effective task granularity. */

#include "bench/lib/metg.h"

#include <pthread.h>
#include <stdlib.h>

#include "actors/clock.h"
#include "runtime/core/error.h"

#define POINT_NS   50000000u /* a point's tasks take so long on each thread, if there are enough */
#define STEPS_MIN  50u
#define PEAK_NS    10000000u /* each thread computes so long, so many times */
#define PEAK_TRIES 5
#define BELOW_MAX  2 /* points in a row that end the sweep: one may be a disturbance */

/* ---- The peak ----------------------------------------------------------------------------- */

static void *s_compute (void *arg) {
    dw_kernel_run (DW_KERNEL_COMPUTE, *(const uint64_t *) arg, NULL, 0);
    return NULL;
}

/* Wall time of so many threads that do nothing but rounds; below 0: a thread cannot be started. */
static double s_compute_together (pthread_t *others, uint32_t threads, uint64_t rounds) {
    uint32_t started = 1;
    int64_t begin_ns = dw_clock_ns ();
    while (started < threads && !pthread_create (&others[started], NULL, s_compute, &rounds))
        started++;
    s_compute (&rounds);
    for (uint32_t i = 1; i < started; i++)
        pthread_join (others[i], NULL);
    return started == threads ? (double) (dw_clock_ns () - begin_ns) : -1;
}

static int s_measure_peak (dw_metg_t *self, uint32_t threads, double ns_per_round,
                           dw_error_t *error) {
    uint64_t rounds = (uint64_t) (PEAK_NS / ns_per_round);
    pthread_t *others = calloc (threads, sizeof *others);
    double best_ns = others ? s_compute_together (others, threads, rounds) : -1;
    for (int try = 1; others && try < PEAK_TRIES && best_ns > 0; try++) {
        double ns = s_compute_together (others, threads, rounds);
        best_ns = ns > 0 && ns < best_ns ? ns : best_ns;
    }
    free (others);
    if (best_ns <= 0)
        return dw_error_add (error, DW_ELIMIT, DW_NOWHERE,
                             "%u threads cannot be started: ask for fewer", (unsigned) threads);
    self->peak = (double) rounds * ns_per_round / best_ns;
    return DW_OK;
}

/* ---- Points ------------------------------------------------------------------------------- */

/* The default depends on the nodes, which become more from point to point. */
static void s_settle_width (dw_work_options_t *work) {
    dw_shape_size_t size = {.nodes_count = work->nodes_count};
    if (work->width || !dw_shape_has_steps (work->shape) || !work->nodes_count)
        return;
    dw_shape_settle (work->shape, &size);
    work->width = size.width;
}

static int s_run_point (dw_metg_point_t *point, dw_rig_t *rig, double *ns, uint32_t repeat,
                        dw_error_t *error) {
    int err = dw_rig_run (rig, &ns[0], &point->hash, error);
    for (uint32_t i = 0; i < repeat && !err; i++)
        err = dw_rig_run (rig, &ns[i], &point->hash, error);
    return err;
}

static uint32_t s_nodes (const dw_work_options_t *work, uint32_t threads) {
    uint64_t wanted = (uint64_t) POINT_NS * threads / (work->task_ns ? work->task_ns : 1);
    uint64_t least = (uint64_t) STEPS_MIN * (work->width ? work->width : 1);
    if (wanted < least)
        wanted = least;
    return wanted < work->nodes_count ? (uint32_t) wanted : work->nodes_count;
}

static int s_measure_point (dw_metg_t *self, dw_work_options_t wanted,
                            const dw_rig_options_t *options, double *ns, uint32_t repeat,
                            dw_error_t *error) {
    dw_metg_point_t *point = &self->points[self->points_count];
    dw_work_t *work = NULL;
    dw_rig_t *rig = NULL;
    wanted.nodes_count = s_nodes (&wanted, options->threads);
    int err = dw_work_new (&work, &wanted, error);
    if (!err)
        err = dw_rig_open (&rig, work, options, error);
    if (!err)
        err = s_run_point (point, rig, ns, repeat, error);
    if (!err) {
        double share = (double) options->threads / work->nodes_count;
        point->granularity_ns = dw_spread_scale (dw_spread_of (ns, repeat), share);
        point->work = work->options;
        point->edges_count = work->edges_count;
        point->efficiency = (double) work->total_ns /
                            (point->granularity_ns.median * work->nodes_count * self->peak);
        self->points_count++;
    }
    dw_rig_close (&rig, error);
    dw_work_destroy (&work);
    return err;
}

int dw_metg_measure (dw_metg_t *self, const dw_work_options_t *work,
                     const dw_rig_options_t *options, double efficiency_min, uint32_t repeat,
                     dw_error_t *error) {
    dw_work_options_t wanted = *work;
    double *ns = calloc ((size_t) repeat + 1, sizeof *ns);
    if (!ns)
        return dw_error_add (error, DW_ENOMEM, DW_NOWHERE, "out of memory");
    *self = (dw_metg_t){0};
    s_settle_width (&wanted);
    wanted.kernel = DW_KERNEL_COMPUTE;
    if (wanted.ns_per_round <= 0)
        wanted.ns_per_round = dw_kernel_ns_per_round (DW_KERNEL_COMPUTE, NULL);
    int err = s_measure_peak (self, options->threads, wanted.ns_per_round, error);
    for (uint32_t below = 0; !err && below < BELOW_MAX; wanted.task_ns /= 2) {
        err = s_measure_point (self, wanted, options, ns, repeat, error);
        bool is_below = !err && self->points[self->points_count - 1].efficiency < efficiency_min;
        below = is_below ? below + 1 : 0;
        if (wanted.task_ns < 2 || self->points_count == DW_METG_POINTS_MAX)
            break;
    }
    free (ns);
    return err;
}

/* ---- The figure --------------------------------------------------------------------------- */

bool dw_metg_find (const dw_metg_t *self, double efficiency, double *granularity_ns_p,
                   double *task_ns_p) {
    uint32_t best = self->points_count;
    for (uint32_t i = 0; i < self->points_count; i++)
        if (self->points[i].efficiency >= efficiency &&
            (best == self->points_count ||
             self->points[i].granularity_ns.median < self->points[best].granularity_ns.median))
            best = i;
    if (best + 1 >= self->points_count)
        return false;
    const dw_metg_point_t *above = &self->points[best], *below = above + 1;
    double ns = above->granularity_ns.median, gained = ns - below->granularity_ns.median;
    if (gained > 0 && below->efficiency < efficiency)
        ns -= gained * (above->efficiency - efficiency) / (above->efficiency - below->efficiency);
    *granularity_ns_p = ns;
    *task_ns_p = ns * efficiency * self->peak;
    return true;
}
