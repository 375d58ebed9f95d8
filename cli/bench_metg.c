/* bench_metg.c - dagwood bench metg: the minimum effective task granularity. */

#include <math.h>
#include <stdlib.h>

#include "bench/lib/metg.h"
#include "cli/bench.h"
#include "cli/command.h"

static const char s_doc[] =
    "Measures the minimum effective task granularity of Task Bench (Slaughter et al., SC20): a graph "
    "is run with shorter and shorter tasks; METG is the smallest granularity, wall time x threads / "
    "tasks, at which the efficiency, task time / (wall time x threads), is at least the given share "
    "of the peak. The peak is what so many threads reach without a runtime."
    "\v"
    "A row for each point of the sweep, from --task-ns down by half, then one for each --efficiency "
    "(kind metg), whose granularity_ns is the figure and whose task_ns is how long a task itself "
    "worked there. An efficiency that is not reached has none. Exit status: as `dagwood bench "
    "overhead'.";

static const char *const s_columns[] = {"kind",  "shape",   "width",          "threads",
                                        "nodes", "task_ns", "granularity_ns", "efficiency",
                                        "hash",  NULL};

/* Rows of both kinds have the same columns. */
static int s_print (dw_bench_t *self, const char *kind, const dw_metg_point_t *point, double peak) {
    json_t *row = dw_bench_row (self, &point->work, point->edges_count);
    dw_bench_text (row, "kind", kind);
    dw_bench_spread (row, "granularity_ns", point->granularity_ns);
    dw_bench_number (row, "efficiency", point->efficiency);
    dw_bench_number (row, "peak_efficiency", peak);
    return dw_bench_print (self, row, point->hash);
}

/* An efficiency that is not reached, or never left, has no figure. */
static int s_print_figures (dw_bench_t *self, const dw_metg_t *metg) {
    int status = DW_EXIT_OK;
    for (uint32_t i = 0; i < self->efficiencies_count && !status; i++) {
        dw_metg_point_t figure = metg->points[metg->points_count - 1];
        double ns = NAN, task_ns = 0;
        figure.efficiency = self->efficiencies[i];
        if (!dw_metg_find (metg, figure.efficiency, &ns, &task_ns)) {
            dw_command_say ("the efficiency %g is not reached, or never left: begin with longer "
                            "tasks (--task-ns), or ask for less",
                            figure.efficiency);
        }
        figure.granularity_ns = (dw_spread_t){ns, ns, ns};
        figure.work.task_ns = (uint64_t) (task_ns + 0.5);
        status = s_print (self, "metg", &figure, metg->peak);
    }
    return status;
}

static int s_print_all (dw_bench_t *self, const dw_metg_t *metg) {
    int status = DW_EXIT_OK;
    for (uint32_t i = 0; i < metg->points_count && !status; i++)
        status = s_print (self, "point", &metg->points[i], metg->peak);
    return status ? status : s_print_figures (self, metg);
}

/* The sweep ends a little below the smallest efficiency that was asked for. */
static double s_efficiency_min (const dw_bench_t *self) {
    double min = 1;
    for (uint32_t i = 0; i < self->efficiencies_count; i++)
        min = self->efficiencies[i] < min ? self->efficiencies[i] : min;
    return min * 0.8;
}

static int s_measure (dw_bench_t *self) {
    dw_metg_t *metg = calloc (1, sizeof *metg);
    dw_error_t *error = dw_error_new ();
    dw_work_options_t wanted = dw_bench_work (self, (dw_shape_t) self->shape);
    int err = metg && error ? dw_metg_measure (metg, &wanted, &self->rig, s_efficiency_min (self),
                                               self->repeat, error)
                            : DW_ENOMEM;
    int status = err ? dw_bench_fail (err, error) : s_print_all (self, metg);
    dw_error_destroy (&error);
    free (metg);
    return status;
}

static int s_run (dw_bench_t *self) {
    if (self->efficiencies_count == 0) {
        self->efficiencies[0] = 0.5;
        self->efficiencies[1] = 0.75;
        self->efficiencies_count = 2;
    }
    if (self->work.task_ns == 0) {
        dw_command_say ("--task-ns: the longest tasks of the sweep must take some time");
        return DW_EXIT_USAGE;
    }
    return s_measure (self);
}

const dw_bench_t dw_bench_metg = {
    .name = "metg",
    .doc = s_doc,
    .run = s_run,
    .words = DW_BENCH_SHAPE | DW_BENCH_NODES | DW_BENCH_WIDTH | DW_BENCH_THREADS |
             DW_BENCH_PAYLOAD | DW_BENCH_TASK_NS | DW_BENCH_EFFICIENCY,
    .columns = s_columns,
    .shape = DW_SHAPE_STENCIL,
    .work = {.nodes_count = 20000, .payload_bytes = 16, .task_ns = 1 << 18},
    .rig = {.actors = DW_ACTORS_POOL, .threads = 2},
    .repeat = 5,
};
