/* stream.c - what a hop costs: a stream of runs through a chain of actors (bench/lib/stream.h).
 *
 * The same as `dagwood bench stream`, for the tests' words and for profiling alone. */

#include "bench/lib/figures.h"
#include "bench/lib/stream.h"

enum { NODES, RUNS, IN_FLIGHT, PAYLOAD, POOL, CONCURRENCY, REPEAT };

static dw_parameter_t s_parameters[] = {
    {"nodes", "Nodes of the chain", 10, 5, 1, 1000, false},
    {"runs", "Runs of a stream", 100000, 500, 1, 100000000, false},
    {"in-flight", "Runs in flight at one time", 1024, 64, 1, 1000000, false},
    {"payload", "Bytes of each output", 16, 16, 8, DW_STREAM_PAYLOAD_BYTES_MAX, false},
    {"pool", "Worker actors of a pool; 0: an actor for each node", 0, 0, 0, 1024, false},
    {"concurrency", "Actors that work at one time; 0: one for each CPU", 0, 0, 0, 1024, false},
    {"repeat", "Streams that are measured, after one that is not", 5, 2, 1, 1000, false},
    {NULL, NULL, 0, 0, 0, 0, false},
};

int main (int argc, char **argv) {
    dw_figures_t figures = {
        .bench = "stream",
        .help = "Measures what a hop costs: a stream of runs goes through a chain "
                "of actors, as many in flight as are allowed.",
        .parameters = s_parameters};
    dw_figures_start (&figures, argc, argv);
    dw_stream_t stream = {0};
    dw_stream_options_t options = {.nodes = (uint32_t) s_parameters[NODES].value,
                                   .runs = s_parameters[RUNS].value,
                                   .in_flight = s_parameters[IN_FLIGHT].value,
                                   .payload_bytes = (uint32_t) s_parameters[PAYLOAD].value,
                                   .pool = (uint32_t) s_parameters[POOL].value,
                                   .concurrency = (uint32_t) s_parameters[CONCURRENCY].value,
                                   .repeat = (uint32_t) s_parameters[REPEAT].value};
    int err = dw_stream_measure (&stream, &options, figures.error);
    if (!err) {
        dw_figures_spread (&figures, "ns_per_hop", stream.ns_per_hop);
        dw_figures_number (&figures, "messages_per_hop", stream.messages_per_hop);
    }
    return dw_figures_end (&figures, stream.hash, err);
}
