/* stream.c - what a hop costs. */

#include "bench/lib/stream.h"

#include <stdlib.h>

#include "actors/clock.h"
#include "actors/system.h"
#include "bench/lib/mix.h"
#include "bench/lib/mixer.h"
#include "bench/lib/rig.h"
#include "bench/lib/switches.h"
#include "runtime/core/error.h"
#include "runtime/payload.h"

typedef struct s_flow_t {
    const dw_stream_options_t *options;
    dw_system_t *system;
    dw_client_t *client;
    uint8_t *payload; /* of a run's input, as a msgpack value */
    uint64_t hash;
    dw_error_t *error;
} s_flow_t;

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

/* A run's input is a bin that depends on the run's number. */
static int s_submit (s_flow_t *self, uint64_t number) {
    size_t size = self->options->payload_bytes, head = dw_payload_bytes_head (self->payload, size);
    dw_mix_out (dw_mix_start (number), self->payload + head, size);
    dw_submission_t submission = {
        .payload = self->payload, .size = head + size, .wait_ms = -1, .more = true};
    return dw_client_submit (self->client, &submission, NULL, self->error);
}

/* Takes every result that is there, and waits for one first. */
static int s_take (s_flow_t *self, uint64_t *ended) {
    dw_result_t *result = NULL;
    int err = dw_client_wait_any (self->client, NULL, 0, -1, &result);
    while (!err && result) {
        size_t size;
        err = dw_rig_check (result, self->error);
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

static int s_stream (s_flow_t *self, double *ns_p) {
    uint64_t runs = self->options->runs, submitted = 0, ended = 0;
    int err = DW_OK;
    int64_t begin_ns = dw_clock_ns ();
    while (!err && ended < runs) {
        while (!err && submitted < runs && submitted - ended < self->options->in_flight)
            err = s_submit (self, submitted++);
        if (!err)
            err = s_take (self, &ended);
    }
    *ns_p = (double) (dw_clock_ns () - begin_ns) / ((double) runs * self->options->nodes);
    return err;
}

static int s_measure (s_flow_t *self, dw_stream_t *stream) {
    uint64_t steps[1], before = 0, after = 0;
    uint32_t repeat = self->options->repeat;
    double *ns = calloc ((size_t) repeat + 1, sizeof *ns);
    int err = ns ? s_stream (self, &ns[0]) : DW_ENOMEM;
    dw_system_counts (self->system, &before, steps, 1);
    uint64_t switches = dw_switches_count ();
    for (uint32_t i = 0; i < repeat && !err; i++)
        err = s_stream (self, &ns[i]);
    switches = dw_switches_count () - switches;
    dw_system_counts (self->system, &after, steps, 1);
    if (!err) {
        double hops = (double) repeat * (double) self->options->runs * self->options->nodes;
        stream->ns_per_hop = dw_spread_of (ns, repeat);
        stream->runs_per_second = dw_spread_inverse (stream->ns_per_hop,
                                                     1e9 / self->options->nodes);
        stream->messages_per_hop = (double) (after - before) / hops;
        stream->context_switches_per_hop = (double) switches / hops;
        stream->hash = self->hash;
    }
    free (ns);
    return err;
}

/* The chain's graph; its nodes run this file's own "mix", which reads the payload alone. */
static dw_graph_t *s_graph (const dw_stream_options_t *options) {
    dw_work_t *work = NULL;
    dw_work_options_t chain = {.shape = DW_SHAPE_CHAIN, .nodes_count = options->nodes};
    dw_graph_t *graph = dw_work_new (&work, &chain, NULL) == DW_OK ? dw_mixer_graph (work) : NULL;
    dw_work_destroy (&work);
    if (!graph)
        return NULL;
    dw_graph_options_t *settings = dw_graph_options (graph);
    settings->actors = options->pool ? DW_ACTORS_POOL : DW_ACTORS_THREAD;
    if (options->pool)
        settings->pool_size = options->pool;
    if (options->concurrency)
        settings->max_concurrency = options->concurrency;
    return graph;
}

int dw_stream_measure (dw_stream_t *self, const dw_stream_options_t *options, dw_error_t *error) {
    dw_processor_t processor = {
        .name = "mix", .brief = true, .payload_only = true, .process = s_process};
    dw_processors_t *processors = dw_processors_new ();
    dw_graph_t *graph = s_graph (options);
    s_flow_t flow = {.options = options, .error = error};
    dw_system_options_t settings = {
        .processors = processors, .runs_max = (uint32_t) options->in_flight, .clients_max = 1};
    flow.payload = malloc ((size_t) options->payload_bytes + DW_PAYLOAD_HEAD_MAX);
    int err = processors && graph && flow.payload ? dw_processors_add (processors, &processor)
                                                  : DW_ENOMEM;
    if (!err)
        err = dw_system_open (&flow.system, graph, &settings, error);
    if (!err)
        err = dw_client_new (&flow.client, flow.system, error);
    if (!err)
        err = s_measure (&flow, self);
    dw_client_destroy (&flow.client);
    dw_system_close (&flow.system, -1, error);
    dw_graph_destroy (&graph);
    dw_processors_destroy (&processors);
    free (flow.payload);
    return err;
}
