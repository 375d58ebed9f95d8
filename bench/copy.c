/* copy.c - shows that a large payload goes from actor to actor without being copied.
 *
 * A payload is passed down a chain of identity nodes, in `thread` mode and by a pool, once large and
 * once a sixteenth of that. A hop costs what a long chain takes more than a chain of one node, for
 * each node that it has more: what the client copies on the way in is in both, and falls out. Three
 * things show that nothing is copied:
 *
 *   - thread_buffers and pool_buffers: how many different addresses the outputs of all nodes have in
 *     the result. One: they are one buffer, held by reference.
 *   - the figures of both sizes are alike. A copy of 1 MiB takes some 50 us and more.
 *   - counted in instructions, 100 hops more cost the same for any size, whereas one copy a hop would
 *     add at least 98 million for the larger one: 32 runs x 100 hops x 960 KiB, 32 bytes at a time.
 *     callgrind prints the totals as "Collected"; threads that look before they sleep make them vary
 *     by some millions.
 *
 *       for nodes in 2 102; do for bytes in 65536 1048576; do
 *           valgrind --tool=callgrind --callgrind-out-file=/dev/null \
 *               build/bench/copy --nodes $nodes --bytes $bytes --repeat 1 --one-size 1
 *       done; done
 *
 * The hash is of the last nodes' outputs. */

#include <stdio.h>
#include <stdlib.h>

#include "actors/clock.h"
#include "bench/lib/mix.h"
#include "bench/lib/figures.h"
#include "bench/lib/rig.h"
#include "runtime/core/error.h"
#include "runtime/payload.h"

#define SMALLER 16u /* the small payload is so many times smaller than the large one */

enum { NODES, BYTES, ONE_SIZE, RUNS, REPEAT };

static dw_parameter_t s_parameters[] = {
    {"nodes", "Nodes of the chain", 100, 10, 2, 10000, false},
    {"bytes", "Bytes of the large payload; the small one has a sixteenth", 1 << 20, 1 << 16,
     1 << 14, 1 << 28, false},
    {"one-size", "1: only the large payload", 0, 0, 0, 1, false},
    {"runs", "Runs in flight at one time", 8, 2, 1, 1024, false},
    {"repeat", "Times that so many runs are measured, after one that is not", 21, 3, 1, 1000000,
     false},
    {NULL, NULL, 0, 0, 0, 0, false},
};

typedef struct s_passing_t {
    dw_figures_t *figures;
    dw_actors_t actors;
    uint8_t *payload; /* as a msgpack value */
    size_t size;
    uint64_t hash;
    uint32_t buffers_count;
} s_passing_t;

static dw_graph_t *s_graph (uint32_t nodes_count, dw_actors_t actors) {
    char id[16];
    int err = DW_OK;
    dw_graph_t *graph = dw_graph_new ();
    for (uint32_t i = 0; graph && i < nodes_count && !err; i++) {
        snprintf (id, sizeof id, "n%u", (unsigned) i);
        int node = dw_graph_add (graph, id, "identity");
        snprintf (id, sizeof id, "n%u", (unsigned) i - 1);
        err = node < 0 ? node : i ? dw_graph_depend (graph, node, id) : DW_OK;
    }
    if (err)
        dw_graph_destroy (&graph);
    if (graph)
        dw_graph_options (graph)->actors = actors;
    return graph;
}

/* Counts the places at which the outputs lie: those of neighbours are compared. */
static uint32_t s_count_buffers (const dw_result_t *result) {
    const void *last = NULL;
    uint32_t count = 0;
    for (size_t node = 0; node < dw_result_nodes_count (result); node++) {
        size_t size;
        const void *bytes = dw_result_payload (result, (int) node, &size);
        count += bytes != last;
        last = bytes;
    }
    return count;
}

static int s_use (s_passing_t *self, const dw_result_t *result) {
    size_t size;
    int sink = (int) dw_result_nodes_count (result) - 1;
    const char *bytes = dw_result_text (result, sink, &size);
    uint32_t buffers_count = s_count_buffers (result);
    self->hash += dw_mix_in (0, bytes, size);
    if (buffers_count > self->buffers_count)
        self->buffers_count = buffers_count;
    return dw_rig_check (result, self->figures->error);
}

/* So many runs at one time; the time for each of them. */
static int s_run (s_passing_t *self, dw_client_t *client, double *ns_p) {
    dw_submission_t submission = {.payload = self->payload, .size = self->size, .wait_ms = -1};
    dw_result_t *result;
    uint64_t runs = s_parameters[RUNS].value;
    int err = DW_OK;
    int64_t begin_ns = dw_clock_ns ();
    for (uint64_t i = 0; i < runs && !err; i++)
        err = dw_client_submit (client, &submission, NULL, self->figures->error);
    if (!err)
        err = dw_client_wait_all (client, -1);
    *ns_p = (double) (dw_clock_ns () - begin_ns) / (double) runs;
    while (!err && (result = dw_client_next (client))) {
        err = s_use (self, result);
        dw_result_destroy (&result);
    }
    return err;
}

/* The median of a chain's runs. */
static int s_chain (s_passing_t *self, uint32_t nodes_count, double *ns_p) {
    size_t repeat = s_parameters[REPEAT].value;
    double *ns = malloc ((repeat + 1) * sizeof *ns);
    dw_graph_t *graph = s_graph (nodes_count, self->actors);
    dw_system_t *system = NULL;
    dw_client_t *client = NULL;
    int err = ns && graph ? dw_system_open (&system, graph, NULL, self->figures->error) : DW_ENOMEM;
    if (!err)
        err = dw_client_new (&client, system, self->figures->error);
    if (!err)
        err = s_run (self, client, &ns[0]);
    for (size_t i = 0; i < repeat && !err; i++)
        err = s_run (self, client, &ns[i]);
    if (!err)
        *ns_p = dw_spread_of (ns, repeat).median;
    dw_client_destroy (&client);
    dw_system_close (&system, -1, self->figures->error);
    dw_graph_destroy (&graph);
    free (ns);
    return err;
}

/* What a hop costs a payload of so many bytes. */
static int s_hop (s_passing_t *self, size_t bytes_count, const char *name) {
    double long_ns = 0, short_ns = 0;
    uint32_t nodes_count = (uint32_t) s_parameters[NODES].value;
    self->payload = malloc (bytes_count + DW_PAYLOAD_HEAD_MAX);
    if (!self->payload)
        return DW_ENOMEM;
    size_t head = dw_payload_bytes_head (self->payload, bytes_count);
    dw_mix_out (dw_mix_start (bytes_count), self->payload + head, bytes_count);
    self->size = head + bytes_count;
    int err = s_chain (self, 1, &short_ns);
    if (!err)
        err = s_chain (self, nodes_count, &long_ns);
    free (self->payload);
    if (!err)
        dw_figures_number (self->figures, name, (long_ns - short_ns) / (nodes_count - 1));
    return err;
}

int main (int argc, char **argv) {
    dw_figures_t figures = {.bench = "copy",
                            .help = "Shows that a large payload goes from actor to actor without "
                                    "being copied: a hop costs the same for any size.",
                            .parameters = s_parameters};
    dw_figures_start (&figures, argc, argv);
    size_t bytes_count = s_parameters[BYTES].value;
    bool both = !s_parameters[ONE_SIZE].value;
    s_passing_t thread = {.figures = &figures, .actors = DW_ACTORS_THREAD};
    s_passing_t pool = {.figures = &figures, .actors = DW_ACTORS_POOL};
    int err = both ? s_hop (&thread, bytes_count / SMALLER, "thread_small_ns_per_hop") : DW_OK;
    if (!err)
        err = s_hop (&thread, bytes_count, "thread_large_ns_per_hop");
    if (!err && both)
        err = s_hop (&pool, bytes_count / SMALLER, "pool_small_ns_per_hop");
    if (!err)
        err = s_hop (&pool, bytes_count, "pool_large_ns_per_hop");
    dw_figures_count (&figures, "thread_buffers", thread.buffers_count);
    dw_figures_count (&figures, "pool_buffers", pool.buffers_count);
    if (!err && pool.hash != thread.hash)
        err = dw_error_add (figures.error, DW_EPROCESSOR, DW_NOWHERE,
                            "the pool's output is not that of the actors");
    return dw_figures_end (&figures, thread.hash, err);
}
