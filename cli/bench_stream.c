/* bench_stream.c - dagwood bench stream: what a hop costs when many runs are in flight. */

#include "bench/lib/stream.h"
#include "cli/bench.h"
#include "cli/command.h"

static const char s_doc[] =
    "Measures runs per second: a stream of runs goes through a chain of actors, an actor for each "
    "node, as many runs in flight as are allowed. A hop is a task's way through one node."
    "\v"
    "The hash is of every run's output. Exit status: as `dagwood bench overhead'.";

static const char *const s_columns[] = {"nodes",
                                        "runs",
                                        "in_flight",
                                        "ns_per_hop",
                                        "ns_per_hop_min",
                                        "ns_per_hop_max",
                                        "runs_per_second",
                                        "hops_per_second",
                                        "hash",
                                        NULL};

static int s_print (dw_bench_t *self, const dw_stream_t *stream, const dw_work_t *work) {
    json_t *row = dw_bench_row (self, &work->options, work->edges_count);
    dw_bench_count (row, "runs", self->runs);
    dw_bench_count (row, "in_flight", self->in_flight);
    dw_bench_spread (row, "ns_per_hop", stream->ns_per_hop);
    dw_bench_spread (row, "hops_per_second", dw_spread_inverse (stream->ns_per_hop, 1e9));
    dw_bench_spread (row, "runs_per_second", stream->runs_per_second);
    dw_bench_number (row, "messages_per_hop", stream->messages_per_hop);
    dw_bench_number (row, "context_switches_per_hop", stream->context_switches_per_hop);
    return dw_bench_print (self, row, stream->hash);
}

static int s_run (dw_bench_t *self) {
    dw_stream_t stream = {0};
    dw_error_t *error = dw_error_new ();
    dw_work_options_t chain = dw_bench_work (self, DW_SHAPE_CHAIN);
    dw_work_t *work = NULL;
    dw_stream_options_t options = {.nodes = chain.nodes_count,
                                   .runs = self->runs,
                                   .in_flight = self->in_flight,
                                   .payload_bytes = chain.payload_bytes,
                                   .concurrency = self->rig.threads,
                                   .repeat = self->repeat};
    options.pool = self->rig.actors == DW_ACTORS_POOL ? self->rig.threads : 0;
    int err = dw_work_new (&work, &chain, error);
    if (!err)
        err = dw_stream_measure (&stream, &options, error);
    int status = err ? dw_bench_fail (err, error) : s_print (self, &stream, work);
    dw_work_destroy (&work);
    dw_error_destroy (&error);
    return status;
}

const dw_bench_t dw_bench_stream = {
    .name = "stream",
    .doc = s_doc,
    .run = s_run,
    .words = DW_BENCH_NODES | DW_BENCH_THREADS | DW_BENCH_PAYLOAD | DW_BENCH_ACTORS |
             DW_BENCH_RUNS | DW_BENCH_IN_FLIGHT,
    .columns = s_columns,
    .shape = DW_SHAPE_CHAIN,
    .work = {.nodes_count = 10, .payload_bytes = 16},
    .rig = {.actors = DW_ACTORS_THREAD, .threads = 2},
    .repeat = 5,
    .runs = 100000,
    .in_flight = 1024,
};
