/* scaling.c - how the cost of a task grows with the graph, and the speed with the threads. */

#include "bench/lib/scaling.h"

#include <stdlib.h>
#include <string.h>

#include "actors/clock.h"
#include "runtime/core/error.h"

/* The floor: every task in order, all payloads in one array. */
static double s_loop (const dw_work_t *work, uint8_t *payloads) {
    int64_t begin_ns = dw_clock_ns ();
    for (uint32_t node = 0; node < work->nodes_count; node++)
        dw_work_task_at (work, node, payloads);
    return (double) (dw_clock_ns () - begin_ns);
}

static int s_run_both (dw_scaling_point_t *self, dw_rig_t *rig, uint8_t *payloads, double *ours_p,
                       double *loop_p, dw_error_t *error) {
    const dw_work_t *work = rig->work;
    *loop_p = s_loop (work, payloads) / work->nodes_count;
    int err = dw_rig_run (rig, ours_p, &self->hash, error);
    *ours_p /= work->nodes_count;
    if (!err && self->hash != dw_work_hash (work, payloads))
        err = dw_error_add (error, DW_EPROCESSOR, DW_NOWHERE,
                            "a run of the bench has not the outputs of a loop");
    return err;
}

/* By repetition: ours, the loop's, the ratio. The first one is not counted. */
static int s_repeat (dw_scaling_point_t *self, dw_rig_t *rig, uint8_t *payloads, double *all,
                     uint32_t repeat, dw_error_t *error) {
    double *ours = all, *loop = all + repeat, *ratio = all + 2 * (size_t) repeat;
    int err = s_run_both (self, rig, payloads, &ours[0], &loop[0], error);
    for (uint32_t i = 0; i < repeat && !err; i++) {
        err = s_run_both (self, rig, payloads, &ours[i], &loop[i], error);
        ratio[i] = ours[i] / loop[i];
    }
    if (err)
        return err;
    self->ns_per_task = dw_spread_of (ours, repeat);
    self->loop_ns_per_task = dw_spread_of (loop, repeat);
    self->ratio = dw_spread_of (ratio, repeat);
    return DW_OK;
}

int dw_scaling_measure (dw_scaling_point_t *self, const dw_work_options_t *wanted,
                        const dw_rig_options_t *options, uint32_t repeat, dw_error_t *error) {
    dw_work_t *work = NULL;
    dw_rig_t *rig = NULL;
    uint8_t *payloads = NULL;
    double *all = calloc (3 * (size_t) repeat, sizeof *all);
    *self = (dw_scaling_point_t){.threads = options->threads};
    int err = all ? dw_work_new (&work, wanted, error) : DW_ENOMEM;
    if (!err)
        err = dw_rig_open (&rig, work, options, error);
    if (!err) {
        size_t size = (size_t) work->nodes_count * work->options.payload_bytes;
        payloads = malloc (size + 1);
        if (payloads)
            memset (payloads, 0, size); /* Else the first loop would pay for the pages. */
        self->work = work->options;
        self->edges_count = work->edges_count;
        err = payloads ? s_repeat (self, rig, payloads, all, repeat, error) : DW_ENOMEM;
    }
    dw_rig_close (&rig, error);
    dw_work_destroy (&work);
    free (payloads);
    free (all);
    return err;
}
