/* mixer.c - a work as dagwood runs it. */

#include "bench/lib/mixer.h"

#include <stdio.h>

#include "bench/lib/mix.h"

#define BRIEF_NS         200000u /* of one task: see dw_processor_t.brief */
#define BRIEF_AVERAGE_NS 100000u
#define COST_MAX         UINT64_C (1000000000000000) /* see cost_us in runtime/core/graph.h */

static int s_process (dw_call_t *call, void *arg) {
    const dw_work_t *work = arg;
    uint32_t node = (uint32_t) dw_call_node_number (call);
    size_t size, count = dw_call_dependencies_count (call);
    uint64_t hash = dw_mix_start (node);
    for (size_t i = 0; i < count; i++) {
        const char *bytes = dw_call_dependency_text (call, i, &size);
        hash = dw_mix_in (hash, bytes, size);
    }
    if (work->total_ns > 0)
        dw_work_kernel (work, node);
    void *output = dw_call_reserve_bytes (call, work->options.payload_bytes);
    if (!output)
        return dw_call_fail (call, 500, "out of memory");
    dw_mix_out (hash, output, work->options.payload_bytes);
    return 0;
}

/* Whether the tasks are brief enough for the coordinator's own thread: none blocks, and none takes
 * longer than what two in a row would revoke the promise for. */
static bool s_is_brief (const dw_work_t *work) {
    return work->options.kernel != DW_KERNEL_BLOCK && work->longest_ns <= BRIEF_NS &&
           work->total_ns / work->nodes_count <= BRIEF_AVERAGE_NS;
}

int dw_mixer_add (dw_processors_t *processors, const dw_work_t *work) {
    dw_processor_t processor = {.name = "mix",
                                .help = "mixes the payloads of its dependencies",
                                .brief = s_is_brief (work),
                                .process = s_process,
                                .arg = (void *) (uintptr_t) work};
    return dw_processors_add (processors, &processor);
}

static bool s_add_node (dw_graph_t *graph, const dw_work_t *work, uint32_t node) {
    char id[16];
    snprintf (id, sizeof id, "n%u", (unsigned) node);
    bool ok = dw_graph_add (graph, id, "mix") >= 0;
    uint32_t end = work->dependencies_at[node + 1];
    for (uint32_t i = work->dependencies_at[node]; ok && i < end; i++) {
        snprintf (id, sizeof id, "n%u", (unsigned) work->dependencies[i]);
        ok = dw_graph_depend (graph, (int) node, id) == DW_OK;
    }
    if (!ok || !work->task_ns)
        return ok;
    dw_node_options_t *options = dw_graph_node_options (graph, (int) node);
    uint64_t cost = work->task_ns[node];
    if (options)
        options->cost_us = (int64_t) (cost < COST_MAX ? cost : COST_MAX);
    return options;
}

dw_graph_t *dw_mixer_graph (const dw_work_t *work) {
    dw_graph_t *graph = dw_graph_new ();
    bool ok = graph;
    for (uint32_t node = 0; ok && node < work->nodes_count; node++)
        ok = s_add_node (graph, work, node);
    if (!ok)
        dw_graph_destroy (&graph);
    return graph;
}
