/* pack_seeds.c - see pack_seeds.h. */

#include "tests/support/pack_seeds.h"

#include <assert.h>
#include <stdbool.h>

static int s_add (dw_graph_t *graph, const char *id, const char *on) {
    int node = dw_graph_add (graph, id, "identity");
    assert (node >= 0);
    if (on) {
        bool depends = dw_graph_depend (graph, node, on) == DW_OK;
        assert (depends);
    }
    return node;
}

static void s_build_chain (dw_graph_t *graph) {
    s_add (graph, "a", NULL);
    s_add (graph, "b", "a");
    s_add (graph, "c", "b");
}

static void s_set_options (dw_graph_t *graph) {
    *dw_graph_options (graph) = (dw_graph_options_t){
        .strategy = DW_LEVEL,
        .failure_strategy = DW_BEST_EFFORT,
        .actors = DW_ACTORS_POOL,
        .priority = DW_CRITICAL_PATH,
        .pool_size = 4,
        .max_concurrency = 3,
        .timeout_us = 1500000,
        .retry_attempts = 2,
        .batch_size = 16,
        .max_payload_bytes = 1 << 20,
        .backoff = {.initial_us = 1000, .max_us = 5000, .factor = 1.5, .jitter = 0.25},
        .added_nodes_max = 100,
        .added_depth_max = DW_UNSET,
    };
}

/* Whatever a graph can say, once. */
static void s_build_everything (dw_graph_t *graph) {
    int wrong = dw_graph_set_file (graph, "g.yaml");
    s_set_options (graph);
    s_add (graph, "", NULL);
    int node = s_add (graph, "a longer id, \xc3\xa9t\xc3\xa9, of more than 31 bytes", "");
    wrong |= dw_graph_depend (graph, node, "nobody");
    wrong |= dw_graph_set_input (graph, node, "run");
    wrong |= dw_graph_set_text (graph, node, "text", "\xff\x01");
    wrong |= dw_graph_set_integer (graph, node, "integer", -1);
    wrong |= dw_graph_set_number (graph, node, "number", 0.1);
    wrong |= dw_graph_set_boolean (graph, node, "boolean", true);
    wrong |= dw_graph_allow (graph, 0, "identity");
    wrong |= dw_graph_allow (graph, node, "concat");
    wrong |= dw_graph_allow (graph, node, "identity");
    wrong |= dw_graph_set_remote (graph, 0);
    wrong |= dw_graph_require_tag (graph, node, "zone", "a/b");
    wrong |= dw_graph_require_tag (graph, node, "gpu", "yes");
    bool added = dw_graph_add_setting (graph, (uint32_t) node, "null");
    *dw_graph_node_options (graph, node) = (dw_node_options_t){
        .intent = DW_ANALYZE,
        .timeout_us = DW_UNSET,
        .retry_attempts = 1,
        .cost_us = 20,
        .has_backoff = true,
        .backoff = {.initial_us = 1, .max_us = 2, .factor = 3, .jitter = 1},
        .not_idempotent = true,
        .join = DW_JOIN_ANY_OK,
    };
    dw_graph_node_options (graph, 0)->timeout_us = 7;
    assert (!wrong && added);
}

const char *pack_seed (size_t index, dw_graph_t **graph_p) {
    static const struct {
        const char *name;
        void (*build) (dw_graph_t *graph);
    } seeds[] = {{"empty", NULL}, {"chain", s_build_chain}, {"everything", s_build_everything}};
    if (index >= sizeof (seeds) / sizeof (seeds[0]))
        return NULL;
    *graph_p = dw_graph_new ();
    assert (*graph_p);
    if (seeds[index].build)
        seeds[index].build (*graph_p);
    return seeds[index].name;
}
