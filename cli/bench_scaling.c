/* bench_scaling.c - dagwood bench scaling: growing graphs, and more threads. */

#include <math.h>

#include "bench/lib/scaling.h"
#include "cli/bench.h"
#include "cli/command.h"

#define NODES_MIN       1000u
#define THREADS_NODES   10000u
#define THREADS_TASK_NS 10000u

static const char s_doc[] =
    "Measures how the cost of a task grows with the graph, and the speed with the threads. Rows of "
    "kind nodes: graphs of 1000 nodes and ten times as many up to --nodes, as they are asked for, "
    "each as a ratio to a plain loop over the same graph. Rows of kind threads: from 1 thread to "
    "--threads on a graph of up to 10000 nodes with tasks of --task-ns, or 10 us, with the speed-up "
    "over one thread and the efficiency, speed-up / threads."
    "\v"
    "The loop and dagwood take turns; a ratio is of two neighbours. The hash is of all outputs, and "
    "equal to the loop's. Exit status: as `dagwood bench overhead'.";

static const char *const s_columns[] = {
    "kind",  "shape",     "nodes",     "threads",  "task_ns",    "ns_per_task", "loop_ns_per_task",
    "ratio", "ratio_min", "ratio_max", "speed_up", "efficiency", "hash",        NULL};

/* one: what one thread took; NAN where threads are not compared. */
static int s_print (dw_bench_t *self, const char *kind, const dw_scaling_point_t *point,
                    double one) {
    json_t *row = dw_bench_row (self, &point->work, point->edges_count);
    dw_bench_text (row, "kind", kind);
    dw_bench_count (row, "threads", point->threads);
    dw_bench_ns_per_task (row, point->ns_per_task);
    dw_bench_spread (row, "loop_ns_per_task", point->loop_ns_per_task);
    dw_bench_spread (row, "ratio", point->ratio);
    double speed_up = one / point->ns_per_task.median;
    dw_bench_number (row, "speed_up", speed_up);
    dw_bench_number (row, "efficiency", speed_up / point->threads);
    return dw_bench_print (self, row, point->hash);
}

static int s_measure_nodes (dw_bench_t *self, dw_work_options_t wanted, dw_error_t *error) {
    uint32_t last = self->work.nodes_count, nodes = last < NODES_MIN ? last : NODES_MIN;
    int status = DW_EXIT_OK;
    while (!status && nodes <= last) {
        dw_scaling_point_t point;
        wanted.nodes_count = nodes;
        int err = dw_scaling_measure (&point, &wanted, &self->rig, self->repeat, error);
        status = err ? dw_bench_fail (err, error) : s_print (self, "nodes", &point, NAN);
        nodes = nodes < last && nodes > last / 10 ? last : nodes < last ? nodes * 10 : last + 1;
    }
    return status;
}

static int s_measure_threads (dw_bench_t *self, dw_work_options_t wanted, dw_error_t *error) {
    dw_rig_options_t rig = self->rig;
    double one = NAN;
    int status = DW_EXIT_OK;
    if (wanted.nodes_count > THREADS_NODES)
        wanted.nodes_count = THREADS_NODES;
    if (wanted.task_ns == 0) {
        wanted.task_ns = THREADS_TASK_NS;
        wanted.kernel = DW_KERNEL_COMPUTE;
        wanted.ns_per_round = 0;
    }
    for (rig.threads = 1; rig.threads <= self->rig.threads && !status; rig.threads++) {
        dw_scaling_point_t point;
        int err = dw_scaling_measure (&point, &wanted, &rig, self->repeat, error);
        if (!err && rig.threads == 1)
            one = point.ns_per_task.median;
        status = err ? dw_bench_fail (err, error) : s_print (self, "threads", &point, one);
    }
    return status;
}

static int s_run (dw_bench_t *self) {
    dw_error_t *error = dw_error_new ();
    dw_work_options_t wanted = dw_bench_work (self, (dw_shape_t) self->shape);
    int status = s_measure_nodes (self, wanted, error);
    if (!status)
        status = s_measure_threads (self, wanted, error);
    dw_error_destroy (&error);
    return status;
}

const dw_bench_t dw_bench_scaling = {
    .name = "scaling",
    .doc = s_doc,
    .run = s_run,
    .words = DW_BENCH_SHAPE | DW_BENCH_NODES | DW_BENCH_WIDTH | DW_BENCH_THREADS |
             DW_BENCH_PAYLOAD | DW_BENCH_KERNEL | DW_BENCH_TASK_NS,
    .columns = s_columns,
    .shape = DW_SHAPE_RANDOM,
    .work = {.nodes_count = 1000000, .payload_bytes = 16},
    .rig = {.actors = DW_ACTORS_POOL, .threads = 2},
    .repeat = 5,
};
