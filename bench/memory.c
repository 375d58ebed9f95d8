/* memory.c - what a run leaves behind, and what it takes while it is there.
 *
 * First a long stream of runs goes through a small chain: the memory of the process is looked at
 * ten times, at equal distances, and must not grow (growth_bytes is from the second look to the
 * last: before the first one ZeroMQ and malloc take what they keep). Then a few runs of a large
 * graph are in flight at one time, and their results are kept until all have come: the peak above
 * what the open system takes, for each run and node. The hash is of all outputs of both. */

#include <stdlib.h>

#include "bench/lib/mixer.h"
#include "bench/lib/figures.h"
#include "bench/lib/resident.h"
#include "bench/lib/rig.h"
#include "runtime/core/error.h"

#define LOOKS         10u
#define PAYLOAD_BYTES 16u

enum { NODES, RUNS, IN_FLIGHT, LARGE_NODES, LARGE_RUNS };

static dw_parameter_t s_parameters[] = {
    {"nodes", "Nodes of the small graph, a chain", 3, 3, 1, 1000, false},
    {"runs", "Its runs", 1000000, 1000, LOOKS, 1000000000, false},
    {"in-flight", "Its runs in flight at one time", 1024, 64, 1, 1000000, false},
    {"large-nodes", "Nodes of the large graph, of random edges", 100000, 1000, 1, 10000000, false},
    {"large-runs", "Its runs, all in flight at one time", 16, 2, 1, 1024, false},
    {NULL, NULL, 0, 0, 0, 0, false},
};

typedef struct s_memory_t {
    dw_figures_t *figures;
    uint64_t hash;
} s_memory_t;

static int s_use (s_memory_t *self, dw_result_t *result) {
    self->hash += dw_rig_hash (result);
    return dw_rig_check (result, self->figures->error);
}

/* What is open at one time. */
typedef struct s_opened_t {
    dw_work_t *work;
    dw_processors_t *processors;
    dw_system_t *system;
    dw_client_t *client;
} s_opened_t;

/* With all options as they are by default, unlike a rig. */
static int s_open (s_memory_t *self, dw_shape_t shape, uint32_t nodes_count, uint64_t runs_max,
                   s_opened_t *opened) {
    dw_error_t *error = self->figures->error;
    dw_work_options_t wanted = {
        .shape = shape, .nodes_count = nodes_count, .payload_bytes = PAYLOAD_BYTES};
    int err = dw_work_new (&opened->work, &wanted, error);
    if (err)
        return err;
    opened->processors = dw_processors_new ();
    dw_graph_t *graph = dw_mixer_graph (opened->work);
    dw_system_options_t options = {
        .processors = opened->processors, .runs_max = (uint32_t) runs_max, .clients_max = 1};
    err = graph && opened->processors ? dw_mixer_add (opened->processors, opened->work) : DW_ENOMEM;
    if (!err)
        err = dw_system_open (&opened->system, graph, &options, error);
    dw_graph_destroy (&graph);
    return err ? err : dw_client_new (&opened->client, opened->system, error);
}

static void s_close (s_memory_t *self, s_opened_t *opened) {
    dw_client_destroy (&opened->client);
    dw_system_close (&opened->system, -1, self->figures->error);
    dw_processors_destroy (&opened->processors);
    dw_work_destroy (&opened->work);
}

/* ---- A long stream of small runs -------------------------------------------------------------- */

/* Takes every result that is there, and waits for one first. */
static int s_take (s_memory_t *self, dw_client_t *client, uint64_t *ended) {
    dw_result_t *result = NULL;
    int err = dw_client_wait_any (client, NULL, 0, -1, &result);
    while (!err && result) {
        err = s_use (self, result);
        (*ended)++;
        dw_result_destroy (&result);
        result = dw_client_next (client);
    }
    dw_result_destroy (&result);
    return err;
}

static int s_stream (s_memory_t *self, dw_client_t *client, uint64_t runs) {
    dw_submission_t submission = {.is_text = true, .wait_ms = -1};
    uint64_t submitted = 0, ended = 0;
    int err = DW_OK;
    while (!err && ended < runs) {
        for (; !err && submitted < runs && submitted - ended < s_parameters[IN_FLIGHT].value;
             submitted++)
            err = dw_client_submit (client, &submission, NULL, self->figures->error);
        if (!err)
            err = s_take (self, client, &ended);
    }
    return err;
}

static int s_measure_stream (s_memory_t *self) {
    s_opened_t opened = {0};
    int err = s_open (self, DW_SHAPE_CHAIN, (uint32_t) s_parameters[NODES].value,
                      s_parameters[IN_FLIGHT].value, &opened);
    uint64_t first = 0, last = 0, runs = s_parameters[RUNS].value;
    for (uint64_t look = 0; look < LOOKS && !err; look++) {
        err = s_stream (self, opened.client, runs * (look + 1) / LOOKS - runs * look / LOOKS);
        last = dw_resident_bytes ();
        first = look == 1 ? last : first;
        dw_figures_append (self->figures, "resident_bytes", last);
    }
    dw_figures_number (self->figures, "growth_bytes", (double) last - (double) first);
    s_close (self, &opened);
    return err;
}

/* ---- A few large runs ------------------------------------------------------------------------- */

static int s_run_all (s_memory_t *self, dw_client_t *client, uint64_t runs) {
    dw_submission_t submission = {.is_text = true, .wait_ms = -1};
    dw_result_t *result;
    int err = DW_OK;
    for (uint64_t i = 0; i < runs && !err; i++)
        err = dw_client_submit (client, &submission, NULL, self->figures->error);
    if (!err)
        err = dw_client_wait_all (client, -1);
    uint64_t peak = dw_resident_peak_bytes ();
    dw_figures_count (self->figures, "large_peak_bytes", peak);
    while (!err && (result = dw_client_next (client))) {
        err = s_use (self, result);
        dw_result_destroy (&result);
    }
    return err;
}

static int s_measure_large (s_memory_t *self) {
    uint64_t runs = s_parameters[LARGE_RUNS].value, nodes = s_parameters[LARGE_NODES].value;
    uint64_t before = dw_resident_bytes (), while_open = 0, peak = 0;
    s_opened_t opened = {0};
    int err = s_open (self, DW_SHAPE_RANDOM, (uint32_t) nodes, runs, &opened);
    if (!err) {
        while_open = dw_resident_bytes ();
        dw_resident_reset ();
        err = s_run_all (self, opened.client, runs);
        peak = dw_resident_peak_bytes ();
    }
    s_close (self, &opened);
    dw_figures_number (self->figures, "open_bytes_per_node",
                       ((double) while_open - (double) before) / (double) nodes);
    dw_figures_number (self->figures, "run_bytes_per_node",
                       ((double) peak - (double) while_open) / (double) (nodes * runs));
    return err;
}

int main (int argc, char **argv) {
    dw_figures_t figures = {
        .bench = "memory",
        .help = "Measures the memory that runs leave behind, and the memory that "
                "they take while they are there.",
        .parameters = s_parameters};
    dw_figures_start (&figures, argc, argv);
    s_memory_t self = {.figures = &figures};
    int err = s_measure_stream (&self);
    if (!err)
        err = s_measure_large (&self);
    return dw_figures_end (&figures, self.hash, err);
}
