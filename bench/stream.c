/* stream.c - what a hop costs: a stream of runs through a chain of actors.
 *
 * An actor thread for each node, as many runs in flight as --in-flight allows. A hop is a task's way
 * through one node: from the coordinator to the actor, through its processor, and back. The hash is
 * of every run's output, whatever the order in which the runs ended. */

#include <stdlib.h>

#include "actors/clock.h"
#include "actors/system.h"
#include "bench/lib/report.h"
#include "bench/lib/shapes.h"
#include "runtime/core/error.h"
#include "runtime/payload.h"

#define PAYLOAD_BYTES_MAX 65536u

enum { NODES, RUNS, IN_FLIGHT, PAYLOAD, POOL, CONCURRENCY, REPEAT };

static dw_parameter_t s_parameters[] = {
    {"nodes", "Nodes of the chain", 10, 5, 1, 1000, false},
    {"runs", "Runs of a stream", 100000, 500, 1, 100000000, false},
    {"in-flight", "Runs in flight at one time", 1024, 64, 1, 1000000, false},
    {"payload", "Bytes of each output", 16, 16, 8, PAYLOAD_BYTES_MAX, false},
    {"pool", "Worker actors of a pool; 0: an actor for each node", 0, 0, 0, 1024, false},
    {"concurrency", "Actors that work at one time; 0: one for each CPU", 0, 0, 0, 1024, false},
    {"repeat", "Streams that are measured, after one that is not", 5, 2, 1, 1000, false},
    {NULL, NULL, 0, 0, 0, 0, false},
};

typedef struct s_stream_t {
    dw_report_t *report;
    dw_client_t *client;
    uint64_t hash;
} s_stream_t;

/* Mixes what it reads with its own place, so that a step left out or done twice shows. */
static int s_process (dw_call_t *call, void *arg) {
    size_t size;
    const char *bytes = dw_call_text (call, &size);
    uint64_t hash = dw_mix_start ((uint64_t) dw_call_node_number (call));
    void *output = dw_call_reserve_bytes (call, size);
    (void) arg;
    if (!bytes || !output)
        return dw_call_fail (call, 500, "no payload, or no memory");
    dw_mix_out (dw_mix_in (hash, bytes, size), output, size);
    return 0;
}

static dw_graph_t *s_graph (void) {
    dw_graph_t *graph = dw_shape_graph (DW_SHAPE_CHAIN, (uint32_t) s_parameters[NODES].value);
    if (!graph)
        return NULL;
    dw_graph_options_t *options = dw_graph_options (graph);
    options->actors = s_parameters[POOL].value ? DW_ACTORS_POOL : DW_ACTORS_THREAD;
    if (s_parameters[POOL].value)
        options->pool_size = (int64_t) s_parameters[POOL].value;
    if (s_parameters[CONCURRENCY].value)
        options->max_concurrency = (int64_t) s_parameters[CONCURRENCY].value;
    return graph;
}

/* A run's input is a bin that depends on the run's number. */
static int s_submit (s_stream_t *self, uint64_t number) {
    uint8_t payload[DW_PAYLOAD_HEAD_MAX + PAYLOAD_BYTES_MAX];
    size_t size = s_parameters[PAYLOAD].value, head = dw_payload_bytes_head (payload, size);
    dw_mix_out (dw_mix_start (number), payload + head, size);
    dw_submission_t submission = {.payload = payload, .size = head + size, .wait_ms = -1};
    return dw_client_submit (self->client, &submission, NULL, self->report->error);
}

/* Takes every result that is there, and waits for one first. */
static int s_take (s_stream_t *self, uint64_t *ended) {
    dw_result_t *result = NULL;
    int err = dw_client_wait_any (self->client, NULL, 0, -1, &result);
    while (!err && result) {
        size_t size;
        err = dw_report_check (self->report, result);
        int sink = (int) dw_result_nodes_count (result) - 1;
        const char *bytes = dw_result_text (result, sink, &size);
        self->hash += dw_mix_in (dw_result_run (result), bytes, size);
        (*ended)++;
        dw_result_destroy (&result);
        result = dw_client_next (self->client);
    }
    dw_result_destroy (&result);
    return err;
}

static int s_stream (s_stream_t *self, double *ns_p) {
    uint64_t runs = s_parameters[RUNS].value, submitted = 0, ended = 0;
    int err = DW_OK;
    int64_t begin_ns = dw_clock_ns ();
    while (!err && ended < runs) {
        while (!err && submitted < runs && submitted - ended < s_parameters[IN_FLIGHT].value)
            err = s_submit (self, submitted++);
        if (!err)
            err = s_take (self, &ended);
    }
    double hops = (double) runs * (double) s_parameters[NODES].value;
    *ns_p = (double) (dw_clock_ns () - begin_ns) / hops;
    return err;
}

static int s_measure (s_stream_t *self, dw_system_t *system) {
    uint64_t steps[1], before = 0, after = 0;
    size_t repeat = s_parameters[REPEAT].value;
    double *ns = malloc ((repeat + 1) * sizeof *ns);
    int err = ns ? s_stream (self, &ns[0]) : DW_ENOMEM;
    dw_system_counts (system, &before, steps, 1);
    for (size_t i = 0; i < repeat && !err; i++)
        err = s_stream (self, &ns[i]);
    dw_system_counts (system, &after, steps, 1);
    if (!err) {
        dw_report_spread (self->report, "ns_per_hop", ns, repeat);
        double hops = (double) (repeat * s_parameters[RUNS].value * s_parameters[NODES].value);
        dw_report_number (self->report, "messages_per_hop", (double) (after - before) / hops);
    }
    free (ns);
    return err;
}

int main (int argc, char **argv) {
    dw_report_t report = {
        .bench = "stream",
        .help = "Measures what a hop costs: a stream of runs goes through a chain "
                "of actors, as many in flight as are allowed.",
        .parameters = s_parameters};
    dw_report_start (&report, argc, argv);
    dw_processor_t processor = {
        .name = "mix", .brief = true, .payload_only = true, .process = s_process};
    dw_processors_t *processors = dw_processors_new ();
    dw_graph_t *graph = s_graph ();
    dw_system_t *system = NULL;
    s_stream_t self = {.report = &report};
    dw_system_options_t options = {.processors = processors,
                                   .runs_max = (uint32_t) s_parameters[IN_FLIGHT].value,
                                   .clients_max = 1};
    int err = processors && graph ? dw_processors_add (processors, &processor) : DW_ENOMEM;
    if (!err)
        err = dw_system_open (&system, graph, &options, report.error);
    if (!err)
        err = dw_client_new (&self.client, system, report.error);
    if (!err)
        err = s_measure (&self, system);
    dw_client_destroy (&self.client);
    dw_system_close (&system, -1, report.error);
    dw_graph_destroy (&graph);
    dw_processors_destroy (&processors);
    return dw_report_end (&report, self.hash, err);
}
