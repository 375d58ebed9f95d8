/* bench_workflow.c - dagwood bench workflow: a real graph with its times. */

#include "bench/lib/makespan.h"
#include "cli/bench.h"
#include "cli/command.h"

static const char s_doc[] =
    "Measures a workflow: its tasks take their own times, scaled by --time-scale or so that their "
    "mean is --task-ns, and its makespan is compared with what list scheduling by the same "
    "priorities gives on paper for the same number of workers, with no cost at all."
    "\v"
    "list_ns is the makespan on paper, lower_bound_ns the larger one of the critical path and all "
    "work / threads. Exit status: as `dagwood bench overhead'.";

static const char *const s_columns[] = {"file",
                                        "nodes",
                                        "threads",
                                        "actors",
                                        "priority",
                                        "makespan_ns",
                                        "makespan_ns_min",
                                        "makespan_ns_max",
                                        "lower_bound_ns",
                                        "list_ns",
                                        "makespan_to_list",
                                        "hash",
                                        NULL};

static int s_print (dw_bench_t *self, const dw_overhead_t *measured, const dw_work_t *work) {
    uint64_t list_ns = 0;
    if (!dw_makespan_list (work, self->rig.threads, &list_ns))
        return dw_bench_fail (DW_ENOMEM, NULL);
    json_t *row = dw_bench_row (self, &work->options, work->edges_count);
    dw_spread_t ratio = dw_spread_scale (measured->makespan_ns, 1.0 / (double) list_ns);
    dw_bench_count (row, "total_ns", work->total_ns);
    dw_bench_makespan (row, measured);
    dw_bench_count (row, "list_ns", list_ns);
    dw_bench_spread (row, "makespan_to_list", ratio);
    dw_bench_number (row, "efficiency", measured->efficiency);
    dw_bench_number (row, "messages_per_task", measured->messages_per_task);
    dw_bench_number (row, "context_switches_per_task", measured->context_switches_per_task);
    return dw_bench_print (self, row, measured->hash);
}

static int s_run (dw_bench_t *self) {
    if (!self->work.file) {
        dw_command_say ("which workflow? --graph FILE names it");
        return DW_EXIT_USAGE;
    }
    return dw_bench_measure (self, DW_SHAPE_FILE, s_print);
}

const dw_bench_t dw_bench_workflow = {
    .name = "workflow",
    .doc = s_doc,
    .run = s_run,
    .words = DW_BENCH_GRAPH | DW_BENCH_THREADS | DW_BENCH_PAYLOAD | DW_BENCH_KERNEL |
             DW_BENCH_TASK_NS | DW_BENCH_TIME_SCALE | DW_BENCH_ACTORS | DW_BENCH_PRIORITY,
    .columns = s_columns,
    .shape = DW_SHAPES,
    .work = {.kernel = DW_KERNEL_COMPUTE, .payload_bytes = 16},
    .rig = {.actors = DW_ACTORS_POOL, .threads = 2, .priority = DW_CRITICAL_PATH},
    .repeat = 5,
};
