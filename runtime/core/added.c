/* added.c - a graph that a node adds to its run, compiled. */

#include "runtime/core/added.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

/* What a run may be added is run as the run is: what its nodes say nothing of is what root said. */
static void s_take_options (dw_graph_t *graph, const dw_plan_t *root) {
    const dw_policy_t *policy = &root->policies[0]; /* the graph's own */
    dw_graph_options_t *options = &graph->options;
    options->strategy = root->strategy;
    options->failure_strategy = root->failure_strategy;
    options->priority = root->priority;
    options->actors = DW_ACTORS_POOL;
    options->pool_size = 1;
    options->max_concurrency = root->max_concurrency;
    options->timeout_us = policy->timeout_us > 0 ? policy->timeout_us : DW_UNSET;
    options->retry_attempts = policy->retry_attempts;
    options->backoff = policy->backoff;
    options->batch_size = root->batch_size > 0 ? root->batch_size : DW_UNSET;
    options->max_payload_bytes = (int64_t) root->max_payload_bytes;
    options->added_nodes_max = root->added_nodes_max;
    options->added_depth_max = root->added_depth_max;
}

/* Whether the kind of root is among those that node allows. */
static bool s_is_allowed (const dw_plan_t *root, const dw_added_t *within, uint32_t node,
                          uint32_t kind) {
    const dw_plan_t *plan = within ? within->plan : root;
    for (uint32_t at = plan->adds_at[node]; at < plan->adds_at[node + 1]; at++)
        if ((within ? within->kinds[plan->adds[at]] : plan->adds[at]) == kind)
            return true;
    return false;
}

static uint32_t s_find_kind (const dw_plan_t *root, const char *name) {
    uint32_t kind = 0;
    while (kind < root->kinds_count && strcmp (root->kinds[kind], name) != 0)
        kind++;
    return kind;
}

static int s_find_kinds (dw_added_t *self, const dw_plan_t *root, const dw_added_t *within,
                         uint32_t node, dw_error_t *error) {
    const char *adder = node == DW_NONE ? "" : within ? within->plan->ids[node] : root->ids[node];
    self->kinds = malloc ((self->plan->kinds_count + 1u) * sizeof *self->kinds);
    if (!self->kinds)
        return dw_error_add (error, DW_ENOMEM, DW_NOWHERE, "out of memory");
    for (uint32_t kind = 0; kind < self->plan->kinds_count; kind++) {
        self->kinds[kind] = s_find_kind (root, self->plan->kinds[kind]);
        if (self->kinds[kind] == root->kinds_count ||
            (node != DW_NONE && !s_is_allowed (root, within, node, self->kinds[kind])))
            return dw_error_add (error, DW_EGRAPH, DW_NOWHERE,
                                 "the processor \"%s\" is not among those that node \"%s\" adds; "
                                 "name it there (adds)",
                                 self->plan->kinds[kind], adder);
    }
    return DW_OK;
}

static int s_check (const dw_graph_t *graph, const dw_plan_t *root, dw_error_t *error) {
    if (graph->nodes_count == 0)
        return dw_error_add (error, DW_EGRAPH, DW_NOWHERE, "the added graph has no nodes");
    if (graph->demands_count > 0)
        return dw_error_add (error, DW_EGRAPH, DW_NOWHERE,
                             "nodes of the added graph ask for workers of their own (type, "
                             "workers); they run where the node does that adds them");
    if (graph->nodes_count > root->added_nodes_max)
        return dw_error_add (error, DW_ETOOLARGE, DW_NOWHERE,
                             "the added graph has %u nodes, and a run may be added %u "
                             "(executor_options.added.nodes_max)",
                             graph->nodes_count, root->added_nodes_max);
    return DW_OK;
}

int dw_added_new (dw_added_t **self_p, dw_graph_t *graph, const char *output, const dw_plan_t *root,
                  const dw_added_t *within, uint32_t node, const dw_plan_lookup_t *lookup,
                  dw_error_t *error) {
    assert (node == DW_NONE || dw_plan_may_add (within ? within->plan : root, node));
    int err = s_check (graph, root, error);
    if (err)
        return err;
    dw_added_t *self = calloc (1, sizeof *self);
    if (!self)
        return dw_error_add (error, DW_ENOMEM, DW_NOWHERE, "out of memory");
    s_take_options (graph, root);
    err = dw_plan_new (&self->plan, graph, lookup, error);
    if (!err)
        err = s_find_kinds (self, root, within, node, error);
    if (!err && (self->output = dw_plan_find (self->plan, output)) == DW_NONE)
        err = dw_error_add (error, DW_EGRAPH, DW_NOWHERE,
                            "the added graph has no node \"%s\", which is to be its output",
                            output);
    if (err)
        dw_added_destroy (&self);
    else
        *self_p = self;
    return err;
}

void dw_added_destroy (dw_added_t **self_p) {
    dw_added_t *self = *self_p;
    if (!self)
        return;
    dw_plan_destroy (&self->plan);
    free (self->kinds);
    free (self);
    *self_p = NULL;
}
