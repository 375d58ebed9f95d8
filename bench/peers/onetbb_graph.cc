/* onetbb_graph.cc - oneTBB's flow graph: a continue_node for each task, an edge for what it reads.
 *
 * As in the guide's "Dependency Flow Graph Example": the graph is set up once and run again and
 * again by a message to a broadcast_node in front of all tasks that wait for none. All nodes are
 * made before all edges, each by a new of its own: laid out like this in memory a chain of 100,000
 * runs twice as fast as with each node's edges beside it. */

#include "bench/peers/peer.h"

#include <exception>
#include <memory>
#include <new>
#include <vector>

#include <oneapi/tbb/flow_graph.h>
#include <oneapi/tbb/global_control.h>
#include <oneapi/tbb/task_arena.h>
#include <oneapi/tbb/version.h>

using message = tbb::flow::continue_msg;

const char *const dw_peer_name = "onetbb_graph";

namespace {

struct graph_t {
    graph_t (const dw_work_t *work, uint8_t *payloads);

    tbb::flow::graph graph;
    tbb::flow::broadcast_node<message> start;
    std::vector<std::unique_ptr<tbb::flow::continue_node<message>>> nodes;
};

graph_t::graph_t (const dw_work_t *work, uint8_t *payloads) : start (graph) {
    for (uint32_t node = 0; node < work->nodes_count; node++)
        nodes.emplace_back (new tbb::flow::continue_node<message> (
            graph, [=] (const message &) { dw_work_task_at (work, node, payloads); }));
    for (uint32_t node = 0; node < work->nodes_count; node++) {
        if (dw_peer_dependencies_count (work, node) == 0)
            tbb::flow::make_edge (start, *nodes[node]);
        for (uint32_t i = work->dependencies_at[node]; i < work->dependencies_at[node + 1]; i++)
            tbb::flow::make_edge (*nodes[work->dependencies[i]], *nodes[node]);
    }
}

} // namespace

/* The thread that waits works too, so that there are as many as were asked for. A graph runs in the
 * arena in which it was made. */
// cppcheck-suppress ctuOneDefinitionRuleViolation
struct dw_peer_t {
    explicit dw_peer_t (uint32_t threads)
        : control (tbb::global_control::max_allowed_parallelism, threads),
          arena (static_cast<int> (threads)) {
    }

    tbb::global_control control;
    tbb::task_arena arena;
    std::unique_ptr<graph_t> graph;
};

const char *dw_peer_version (void) {
    return TBB_runtime_version ();
}

int dw_peer_open (dw_peer_t **self_p, const dw_work_t *work, uint8_t *payloads, uint32_t threads,
                  dw_error_t *error) {
    int err = dw_peer_check_memory (work, 320, 40, error);
    if (err)
        return err;
    try {
        auto self = std::make_unique<dw_peer_t> (threads);
        self->arena.execute ([&] { self->graph = std::make_unique<graph_t> (work, payloads); });
        *self_p = self.release ();
        return DW_OK;
    } catch (const std::bad_alloc &) {
        return dw_peer_no_memory (error);
    } catch (const std::exception &exception) {
        return dw_peer_refuse (error, "oneTBB: %s", exception.what ());
    }
}

void dw_peer_run (dw_peer_t *self) {
    self->arena.execute ([self] {
        self->graph->start.try_put (message ());
        self->graph->graph.wait_for_all ();
    });
}

void dw_peer_close (dw_peer_t **self_p) {
    delete *self_p;
    *self_p = nullptr;
}
