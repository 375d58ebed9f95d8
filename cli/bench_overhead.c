/* bench_overhead.c - dagwood bench overhead: what a task costs beside its work. */

#include <stdlib.h>

#include "bench/lib/overhead.h"
#include "cli/bench.h"
#include "cli/command.h"
#include "cli/output.h"

static const char s_doc[] =
    "Measures what a task costs: a graph is run again and again by a pool on an open system, each "
    "run timed from its submission to its result. A task reads the payload of every direct "
    "predecessor, mixes them with its index, does its kernel's work, and writes as many bytes. "
    "Without --shape or --graph, every shape."
    "\v"
    "Figures are nanoseconds a task: the median, the least and the most. Compare only what was "
    "measured on one machine in one sitting. As JSON, one object on a line for each shape, with "
    "what building, planning and the first run took, memory, messages and context switches, and "
    "how the makespan compares with its lower bound; as CSV the same in columns. The hash is of all "
    "outputs: the same for any kernel, machine and number of threads.\n\n"
    "Exit status: 0; 64 what was asked makes no sense; 66 and 78 the file cannot be read or is "
    "wrong; " DW_HELP_71 "74 the output or the recording cannot be written.";

static const char *const s_columns[] = {
    "shape",  "nodes",      "threads",  "payload", "task_ns",         "ns_per_task", "ns_min",
    "ns_max", "efficiency", "messages", "hash",    "tasks_by_worker", NULL};

static json_t *s_tasks_by_worker (const dw_overhead_t *measured) {
    json_t *self = json_array ();
    for (uint32_t i = 0; self && i < measured->workers_count; i++)
        json_array_append_new (self, json_integer ((json_int_t) measured->tasks_by_worker[i]));
    return self;
}

static int s_print (dw_bench_t *self, const dw_overhead_t *measured, const dw_work_t *work) {
    json_t *row = dw_bench_row (self, &work->options, work->edges_count);
    dw_bench_ns_per_task (row, measured->ns_per_task);
    dw_bench_number (row, "efficiency", measured->efficiency);
    dw_bench_set (row, "tasks_by_worker", s_tasks_by_worker (measured));
    dw_bench_count (row, "messages", measured->messages);
    dw_bench_spread (row, "plan_ns_per_node", measured->plan_ns_per_node);
    dw_bench_spread (row, "build_ns_per_node", measured->build_ns_per_node);
    dw_bench_spread (row, "first_run_ns_per_task", measured->first_run_ns_per_task);
    dw_bench_spread (row, "tasks_per_second", dw_spread_inverse (measured->ns_per_task, 1e9));
    dw_bench_spread (row, "open_bytes_per_node", measured->open_bytes_per_node);
    dw_bench_spread (row, "run_bytes_per_node", measured->run_bytes_per_node);
    dw_bench_count (row, "peak_rss_bytes", measured->peak_rss_bytes);
    dw_bench_number (row, "messages_per_task", measured->messages_per_task);
    dw_bench_number (row, "context_switches_per_task", measured->context_switches_per_task);
    dw_bench_makespan (row, measured);
    return dw_bench_print (self, row, measured->hash);
}

int dw_bench_measure (dw_bench_t *self, dw_shape_t shape, dw_bench_print_t *print) {
    dw_overhead_t *measured = calloc (1, sizeof *measured);
    dw_error_t *error = dw_error_new ();
    dw_work_options_t wanted = dw_bench_work (self, shape);
    dw_work_t *work = NULL;
    int err = measured && error ? dw_work_new (&work, &wanted, error) : DW_ENOMEM;
    if (!err)
        err = dw_overhead_measure (measured, work, &self->rig, self->repeat, error);
    int status = err == DW_EFILE && work ? dw_command_fail_writing (err, error, "the recording")
                 : err                   ? dw_bench_fail (err, error)
                                         : print (self, measured, work);
    dw_work_destroy (&work);
    dw_error_destroy (&error);
    free (measured);
    return status;
}

static int s_run (dw_bench_t *self) {
    if (self->work.file)
        return dw_bench_measure (self, DW_SHAPE_FILE, s_print);
    int first = self->shape == DW_SHAPES ? 0 : self->shape;
    int end = self->shape == DW_SHAPES ? DW_SHAPE_FILE : self->shape + 1;
    int status = DW_EXIT_OK;
    for (int shape = first; shape < end && !status && !dw_output_failed (); shape++)
        status = dw_bench_measure (self, (dw_shape_t) shape, s_print);
    return status;
}

const dw_bench_t dw_bench_overhead = {
    .name = "overhead",
    .doc = s_doc,
    .run = s_run,
    .words = DW_BENCH_SHAPE | DW_BENCH_GRAPH | DW_BENCH_NODES | DW_BENCH_WIDTH | DW_BENCH_THREADS |
             DW_BENCH_PAYLOAD | DW_BENCH_KERNEL | DW_BENCH_TASK_NS | DW_BENCH_TIME_SCALE |
             DW_BENCH_RECORD,
    .columns = s_columns,
    .shape = DW_SHAPES,
    .work = {.nodes_count = 100000, .payload_bytes = 16},
    .rig = {.actors = DW_ACTORS_POOL, .threads = 2},
    .repeat = 5,
};
