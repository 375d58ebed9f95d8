/* overhead.c - what a task costs. */

#include "bench/lib/overhead.h"

#include <stdlib.h>

#include "actors/system.h"
#include "bench/lib/makespan.h"
#include "bench/lib/resident.h"
#include "bench/lib/switches.h"
#include "runtime/core/error.h"

/* What is measured several times. */
typedef struct s_samples_t {
    double *build, *plan, *first, *open_bytes, *run_bytes, *warm; /* by repeat */
} s_samples_t;

/* Every run has the same outputs. */
static int s_run (dw_overhead_t *self, dw_rig_t *rig, bool is_first, double *ns_p,
                  dw_error_t *error) {
    uint64_t hash = 0;
    int err = dw_rig_run (rig, ns_p, &hash, error);
    if (!err && !is_first && hash != self->hash)
        err = dw_error_add (error, DW_EPROCESSOR, DW_NOWHERE,
                            "two runs of the bench have different outputs");
    self->hash = hash;
    return err;
}

/* Opens a system anew and runs it once; the system is the caller's. */
static int s_measure_cold (dw_overhead_t *self, dw_rig_t **rig_p, const dw_work_t *work,
                           const dw_rig_options_t *options, s_samples_t *samples, uint32_t i,
                           dw_error_t *error) {
    double nodes = work->nodes_count;
    double before = (double) dw_resident_bytes ();
    int err = dw_rig_open (rig_p, work, options, error);
    if (err)
        return err;
    double opened = (double) dw_resident_bytes ();
    dw_resident_reset ();
    err = s_run (self, *rig_p, i == 0, &samples->first[i], error);
    uint64_t peak = dw_resident_peak_bytes ();
    samples->build[i] = (*rig_p)->build_ns / nodes;
    samples->plan[i] = (*rig_p)->plan_ns / nodes;
    samples->first[i] /= nodes;
    samples->open_bytes[i] = opened > before ? (opened - before) / nodes : 0;
    samples->run_bytes[i] = (double) peak > opened ? ((double) peak - opened) / nodes : 0;
    self->peak_rss_bytes = peak > self->peak_rss_bytes ? peak : self->peak_rss_bytes;
    return err;
}

static int s_measure_warm (dw_overhead_t *self, dw_rig_t *rig, double *ns, uint32_t repeat,
                           dw_error_t *error) {
    uint64_t before = 0, switches = dw_switches_count ();
    int err = DW_OK;
    dw_system_counts (rig->system, &before, self->tasks_by_worker, 1);
    for (uint32_t i = 0; i < repeat && !err; i++)
        err = s_run (self, rig, false, &ns[i], error);
    if (err)
        return err;
    double tasks = (double) rig->work->nodes_count * repeat;
    self->context_switches_per_task = (double) (dw_switches_count () - switches) / tasks;
    self->workers_count = dw_system_counts (rig->system, &self->messages, self->tasks_by_worker,
                                            DW_OVERHEAD_WORKERS_MAX);
    self->messages_per_task = (double) (self->messages - before) / tasks;
    return DW_OK;
}

static int s_bound (dw_overhead_t *self, const dw_work_t *work, uint32_t threads) {
    uint64_t path_ns = 0;
    if (!dw_makespan_critical_path (work, &path_ns))
        return DW_ENOMEM;
    self->critical_path_ns = (double) path_ns;
    self->lower_bound_ns = (double) work->total_ns / threads;
    if (self->lower_bound_ns < self->critical_path_ns)
        self->lower_bound_ns = self->critical_path_ns;
    return DW_OK;
}

static void s_tell (dw_overhead_t *self, s_samples_t *samples, const dw_work_t *work,
                    uint32_t threads, uint32_t repeat) {
    self->build_ns_per_node = dw_spread_of (samples->build, repeat);
    self->plan_ns_per_node = dw_spread_of (samples->plan, repeat);
    self->first_run_ns_per_task = dw_spread_of (samples->first, repeat);
    self->open_bytes_per_node = dw_spread_of (samples->open_bytes, repeat);
    self->run_bytes_per_node = dw_spread_of (samples->run_bytes, repeat);
    self->makespan_ns = dw_spread_of (samples->warm, repeat);
    self->ns_per_task = dw_spread_scale (self->makespan_ns, 1.0 / work->nodes_count);
    self->efficiency = (double) work->total_ns / (self->makespan_ns.median * threads);
}

static int s_measure (dw_overhead_t *self, const dw_work_t *work, const dw_rig_options_t *options,
                      uint32_t repeat, s_samples_t *samples, dw_error_t *error) {
    dw_rig_t *rig = NULL;
    int err = s_bound (self, work, options->threads);
    for (uint32_t i = 0; i < repeat && !err; i++) {
        dw_rig_close (&rig, error);
        err = s_measure_cold (self, &rig, work, options, samples, i, error);
    }
    if (!err)
        err = s_measure_warm (self, rig, samples->warm, repeat, error);
    uint64_t peak = dw_resident_peak_bytes ();
    self->peak_rss_bytes = peak > self->peak_rss_bytes ? peak : self->peak_rss_bytes;
    if (!err)
        s_tell (self, samples, work, options->threads, repeat);
    dw_rig_close (&rig, error);
    return err;
}

int dw_overhead_measure (dw_overhead_t *self, const dw_work_t *work,
                         const dw_rig_options_t *options, uint32_t repeat, dw_error_t *error) {
    double *all = calloc (6 * (size_t) repeat, sizeof *all);
    if (!all)
        return dw_error_add (error, DW_ENOMEM, DW_NOWHERE, "out of memory");
    s_samples_t samples = {.build = all,
                           .plan = all + repeat,
                           .first = all + 2 * (size_t) repeat,
                           .open_bytes = all + 3 * (size_t) repeat,
                           .run_bytes = all + 4 * (size_t) repeat,
                           .warm = all + 5 * (size_t) repeat};
    *self = (dw_overhead_t){0};
    int err = s_measure (self, work, options, repeat, &samples, error);
    free (all);
    return err;
}
