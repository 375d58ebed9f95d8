/* overhead.c - what a task costs. */

#include "bench/lib/overhead.h"

#include <stdlib.h>
#include <string.h>

#include "actors/clock.h"
#include "actors/processors.h"
#include "actors/system.h"
#include "runtime/core/error.h"

#define BRIEF_NS 100000u /* longer tasks do not call themselves brief */

static int s_compare (const void *a, const void *b) {
    double x = *(const double *) a, y = *(const double *) b;
    return x < y ? -1 : x > y;
}

static uint64_t s_hash_result (const dw_result_t *result) {
    uint64_t hash = 0;
    for (size_t node = 0; node < dw_result_nodes_count (result); node++) {
        size_t size;
        const char *bytes = dw_result_text (result, (int) node, &size);
        hash = dw_mix_in (hash, bytes, size);
    }
    return hash;
}

static int s_run (dw_overhead_t *self, dw_client_t *client, double *ns_p, dw_error_t *error) {
    dw_result_t *result = NULL;
    int64_t begin_ns = dw_clock_ns ();
    int err = dw_client_run_text (client, "", &result, error);
    if (err)
        return err;
    *ns_p = (double) (dw_clock_ns () - begin_ns) / (self->nodes ? self->nodes : 1);
    if (dw_result_status (result) != DW_RUN_OK)
        err = dw_error_add (error, DW_EPROCESSOR, DW_NOWHERE, "a run of the bench was %s",
                            dw_run_status_text (dw_result_status (result)));
    self->hash = s_hash_result (result);
    dw_result_destroy (&result);
    return err;
}

static int s_measure_runs (dw_overhead_t *self, dw_system_t *system, dw_error_t *error) {
    dw_client_t *client = NULL;
    double *ns = malloc ((self->repeat + 1u) * sizeof *ns);
    if (!ns)
        return dw_error_add (error, DW_ENOMEM, DW_NOWHERE, "out of memory");
    int err = dw_client_new (&client, system, error);
    if (!err)
        err = s_run (self, client, &ns[0], error); /* finds out how long a task takes */
    for (uint32_t i = 0; i < self->repeat && !err; i++)
        err = s_run (self, client, &ns[i], error);
    if (!err) {
        qsort (ns, self->repeat, sizeof *ns, s_compare);
        self->ns_min = ns[0];
        self->ns_max = ns[self->repeat - 1];
        self->ns_per_task = self->repeat % 2
                                ? ns[self->repeat / 2]
                                : (ns[self->repeat / 2 - 1] + ns[self->repeat / 2]) / 2;
        self->efficiency = (double) self->task_ns / (self->ns_per_task * self->threads);
        self->workers_count = dw_system_counts (system, &self->messages, self->tasks_by_worker,
                                                DW_OVERHEAD_WORKERS_MAX);
    }
    dw_client_destroy (&client);
    free (ns);
    return err;
}

static int s_measure_plan (dw_overhead_t *self, const dw_graph_t *graph,
                           const dw_processors_t *processors, dw_error_t *error) {
    dw_plan_t *plan = NULL;
    int64_t begin_ns = dw_clock_ns ();
    int err = dw_processors_plan (processors, graph, &plan, error);
    self->plan_ns_per_node = (double) (dw_clock_ns () - begin_ns) / (self->nodes ? self->nodes : 1);
    dw_plan_destroy (&plan);
    return err;
}

int dw_overhead_measure (dw_overhead_t *self, dw_error_t *error) {
    self->nodes = dw_shape_nodes_count (self->shape, self->nodes);
    dw_mix_t mix = {.payload_bytes = self->payload_bytes, .rounds = dw_mix_rounds (self->task_ns)};
    dw_graph_t *graph = dw_shape_graph (self->shape, self->nodes);
    dw_processors_t *processors = dw_processors_new ();
    dw_system_t *system = NULL;
    int err = DW_OK;
    if (!graph || !processors || dw_mix_add (processors, &mix, self->task_ns <= BRIEF_NS))
        err = dw_error_add (error, DW_ENOMEM, DW_NOWHERE, "out of memory");
    if (!err) {
        dw_graph_options_t *options = dw_graph_options (graph);
        options->actors = DW_ACTORS_POOL;
        options->pool_size = options->max_concurrency = self->threads;
        err = s_measure_plan (self, graph, processors, error);
    }
    dw_system_options_t options = {.processors = processors};
    if (!err)
        err = dw_system_open (&system, graph, &options, error);
    dw_graph_destroy (&graph);
    if (!err)
        err = s_measure_runs (self, system, error);
    dw_system_close (&system, -1, error);
    dw_processors_destroy (&processors);
    return err;
}

uint64_t dw_overhead_expected (const dw_overhead_t *self) {
    size_t size = self->payload_bytes;
    uint64_t all = 0, rounds = dw_mix_rounds (0);
    uint8_t *outputs = malloc (self->nodes * size + 1);
    uint32_t *dependencies = malloc (((size_t) self->nodes + 4) * sizeof *dependencies);
    for (uint32_t node = 0; outputs && dependencies && node < self->nodes; node++) {
        uint32_t count = dw_shape_dependencies (self->shape, self->nodes, node, dependencies);
        uint64_t hash = dw_mix_start (node);
        for (uint32_t i = 0; i < count; i++)
            hash = dw_mix_in (hash, outputs + dependencies[i] * size, size);
        hash = dw_mix_work (hash, rounds);
        dw_mix_out (hash, outputs + node * size, size);
        all = dw_mix_in (all, outputs + node * size, size);
    }
    free (outputs);
    free (dependencies);
    return all;
}
