/* edges.c - the edges of a file. */

#include "bench/lib/edges.h"

#include <stdlib.h>
#include <string.h>

#include "bench/lib/wfformat.h"
#include "runtime/core/plan.h"

/* Any name is a processor, and none gives a payload: there is nothing that a plan could warn of. */
static bool s_trait (void *arg, const char *processor, dw_trait_t *trait_p) {
    (void) arg;
    (void) processor;
    *trait_p = (dw_trait_t){.intent = DW_ANALYZE};
    return true;
}

/* A copy of count items; NULL: no memory. */
static void *s_copy (const void *items, size_t count, size_t size) {
    void *copy = malloc ((count + 1) * size);
    if (copy && count)
        memcpy (copy, items, count * size);
    return copy;
}

static int s_fill (dw_edges_t *self, const dw_plan_t *plan, const double *seconds) {
    self->nodes_count = plan->nodes_count;
    self->dependencies_at = s_copy (plan->dependencies_at, plan->nodes_count + 1u,
                                    sizeof (uint32_t));
    self->dependencies = s_copy (plan->dependencies, plan->edges_count, sizeof (uint32_t));
    self->seconds = seconds ? s_copy (seconds, plan->nodes_count, sizeof (double)) : NULL;
    if (!self->dependencies_at || !self->dependencies || !seconds != !self->seconds)
        return DW_ENOMEM;
    for (uint32_t node = 0; seconds && node < plan->nodes_count; node++)
        self->seconds[node] = seconds[plan->declared[node]];
    return DW_OK;
}

static bool s_is_json (const char *file) {
    size_t length = strlen (file);
    return length >= 5 && strcmp (file + length - 5, ".json") == 0;
}

int dw_edges_load (dw_edges_t *self, const char *file, dw_error_t *error) {
    dw_graph_t *graph = NULL;
    dw_plan_t *plan = NULL;
    dw_plan_lookup_t lookup = {.trait = s_trait, .cpus_count = 1};
    dw_edges_t loaded = {0};
    double *seconds = NULL;
    int err = s_is_json (file) ? dw_wfformat_load (&graph, &seconds, file, error) : DW_ENOENT;
    if (err == DW_ENOENT)
        err = dw_graph_load (&graph, file, error);
    if (!err && dw_graph_nodes_count (graph) == 0)
        err = dw_error_add (error, DW_EGRAPH, (dw_place_t){.file = file},
                            "the graph has no node: there is nothing to run");
    if (!err)
        err = dw_plan_new (&plan, graph, &lookup, error);
    if (!err)
        err = s_fill (&loaded, plan, seconds);
    free (seconds);
    dw_plan_destroy (&plan);
    dw_graph_destroy (&graph);
    if (err) {
        free (loaded.dependencies_at);
        free (loaded.dependencies);
        free (loaded.seconds);
    } else
        *self = loaded;
    return err;
}
