/* edges.h - the edges of a file: of a graph file, or of a workflow in WfFormat. */

#ifndef DW_EDGES_H
#define DW_EDGES_H

#include "dagwood.h"

/* Nodes are numbered by rank: by level (the longest path from a source), then as declared. */
typedef struct dw_edges_t {
    uint32_t nodes_count;
    uint32_t *dependencies_at, *dependencies; /* compressed sparse rows; the caller's to free */
    double *seconds; /* by node: how long its task took; NULL: a graph file; the caller's to free */
} dw_edges_t;

/* Reads a file: as WfFormat (wfformat.h) when its name ends in .json and it has no "processors",
 * else as a graph file, of which the edges alone are taken.
 * Errors: DW_EFILE it cannot be read; DW_EGRAPH with every problem, or it has no node;
 * DW_ENOMEM. */
int dw_edges_load (dw_edges_t *self, const char *file, dw_error_t *error);

#endif
