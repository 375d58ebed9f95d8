/* graphs.h - the graphs of one coordinator process: their names, their files, where each
 * listens. */

#ifndef DW_GRAPHS_H
#define DW_GRAPHS_H

#include "cli/command.h"

typedef struct dw_named_graph_t {
    char *name;
    const char *file; /* borrowed */
    dw_graph_t *graph;
} dw_named_graph_t;

/* Loads the graphs of words (FILE, or NAME=FILE) and shows everything that is wrong. Returns an
 * exit status; a name that comes twice is a usage error. self is to be freed whatever comes of
 * it. */
int dw_graphs_load (dw_named_graph_t *self, const char *const *words, size_t count);
void dw_graphs_free (dw_named_graph_t *self, size_t count);
/* Whether so many graphs can listen where the first one is to; says why not. Returns an exit
 * status. */
int dw_graphs_check_endpoint (const char *first, size_t count);
/* Where the graph of this index listens when the first one does at first: written into text where
 * it is another place. */
const char *dw_graphs_endpoint (char *text, size_t size, const char *first, size_t index);

#endif
