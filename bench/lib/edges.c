/* edges.c - the edges of a file. */

#include "bench/lib/edges.h"

#include <stdlib.h>
#include <string.h>

#include "bench/lib/wfformat.h"
#include "runtime/core/graph.h"

/* The rank of each declared node: a stable counting sort by level. */
static uint32_t *s_ranks (const dw_resolved_t *resolved, uint32_t nodes_count) {
    uint32_t *at = calloc ((size_t) resolved->levels_count + 1, sizeof *at);
    uint32_t *ranks = malloc (((size_t) nodes_count + 1) * sizeof *ranks);
    if (!at || !ranks) {
        free (at);
        free (ranks);
        return NULL;
    }
    for (uint32_t node = 0; node < nodes_count; node++)
        at[resolved->level[node] + 1]++;
    for (uint32_t level = 0; level < resolved->levels_count; level++)
        at[level + 1] += at[level];
    for (uint32_t node = 0; node < nodes_count; node++)
        ranks[node] = at[resolved->level[node]]++;
    free (at);
    return ranks;
}

/* Fills in the rows: first how long each is, then what is in it. */
static void s_fill (dw_edges_t *self, const dw_resolved_t *resolved, const uint32_t *ranks) {
    self->dependencies_at[0] = 0;
    for (uint32_t node = 0; node < self->nodes_count; node++)
        self->dependencies_at[ranks[node] + 1] = resolved->dependencies_at[node + 1] -
                                                 resolved->dependencies_at[node];
    for (uint32_t rank = 0; rank < self->nodes_count; rank++)
        self->dependencies_at[rank + 1] += self->dependencies_at[rank];
    for (uint32_t node = 0; node < self->nodes_count; node++) {
        uint32_t to = self->dependencies_at[ranks[node]];
        for (uint32_t i = resolved->dependencies_at[node]; i < resolved->dependencies_at[node + 1];
             i++)
            self->dependencies[to++] = ranks[resolved->dependencies[i]];
    }
}

static int s_number (dw_edges_t *self, const dw_resolved_t *resolved, const double *seconds) {
    uint32_t edges_count = resolved->dependencies_at[self->nodes_count];
    uint32_t *ranks = s_ranks (resolved, self->nodes_count);
    self->dependencies_at = malloc (((size_t) self->nodes_count + 1) * sizeof (uint32_t));
    self->dependencies = malloc (((size_t) edges_count + 1) * sizeof (uint32_t));
    self->seconds = seconds ? malloc (self->nodes_count * sizeof (double)) : NULL;
    int err = DW_ENOMEM;
    if (ranks && self->dependencies_at && self->dependencies && !seconds == !self->seconds) {
        s_fill (self, resolved, ranks);
        for (uint32_t node = 0; seconds && node < self->nodes_count; node++)
            self->seconds[ranks[node]] = seconds[node];
        err = DW_OK;
    }
    free (ranks);
    return err;
}

static bool s_is_json (const char *file) {
    size_t length = strlen (file);
    return length >= 5 && strcmp (file + length - 5, ".json") == 0;
}

int dw_edges_load (dw_edges_t *self, const char *file, dw_error_t *error) {
    dw_graph_t *graph = NULL;
    dw_resolved_t resolved = {0};
    dw_edges_t loaded = {0};
    double *seconds = NULL;
    int err = s_is_json (file) ? dw_wfformat_load (&graph, &seconds, file, error) : DW_ENOENT;
    if (err == DW_ENOENT)
        err = dw_graph_load (&graph, file, error);
    if (!err && dw_graph_nodes_count (graph) == 0)
        err = dw_error_add (error, DW_EGRAPH, (dw_place_t){.file = file},
                            "the graph has no node: there is nothing to run");
    if (!err)
        err = dw_graph_resolve (graph, &resolved, error);
    if (!err) {
        loaded.nodes_count = (uint32_t) dw_graph_nodes_count (graph);
        err = s_number (&loaded, &resolved, seconds);
        dw_resolved_free (&resolved);
    }
    free (seconds);
    dw_graph_destroy (&graph);
    if (err) {
        free (loaded.dependencies_at);
        free (loaded.dependencies);
        free (loaded.seconds);
    } else
        *self = loaded;
    return err;
}
