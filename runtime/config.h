/* config.h - a graph file turned into a graph.
 *
 * The keys are those of docs/GRAPHS.md. A text is read in one pass straight into the
 * graph; nothing else grows with it. Every problem is reported at once with FILE:LINE:COLUMN, up to
 * DW_READER_ERRORS_MAX of them: unknown and repeated keys with the nearest right name, wrong types,
 * numbers out of range, and, where the rest could be read, what is wrong with the graph's shape. A
 * graph that was read without a problem may still be wrong in shape: dw_graph_validate says.
 *
 * Deliberate limits: aliases, tags, merge keys (<<) and further documents are refused; so are a NUL
 * character in a text, more than DW_CONFIG_OPTIONS_MAX options of one node (which are compared with
 * each other) and a file of more than DW_CONFIG_BYTES_MAX bytes.
 *
 * Values that are names (id, type, processor, depends_on, input, strategies) are taken as written:
 * `id: on` is "on", `id: 5` is "5". Values of options are what scalar.h makes of them; in quotes
 * they are text. Keys that a node's retry_backoff leaves out have the defaults, whatever the graph
 * says.
 *
 * dw_graph_load of include/dagwood.h, in load.c, is dw_config_load. */

#ifndef DW_CONFIG_H
#define DW_CONFIG_H

#include "runtime/core/graph.h"

#define DW_CONFIG_BYTES_MAX   (1u << 30) /* of a graph file */
#define DW_CONFIG_OPTIONS_MAX 64         /* of one node */

/* Reads a text in YAML or JSON. file names it in messages and may be NULL. text may be NULL when
 * size is 0.
 * Errors: DW_EGRAPH with every problem; DW_ENOMEM. */
int dw_config_parse (dw_graph_t **self_p, const char *text, size_t size, const char *file,
                     bool json, dw_error_t *error);

/* What else is to be said of a graph whose file has errors, when all of it could be read. */
typedef struct dw_config_check_t {
    int (*check) (void *arg, const dw_graph_t *graph, dw_error_t *error);
    void *arg;
} dw_config_check_t;

/* As dw_graph_load; check NULL: what is wrong with its shape. */
int dw_config_load (dw_graph_t **self_p, const char *file, const dw_config_check_t *check,
                    dw_error_t *error);
/* As dw_config_parse, with a check. */
int dw_config_parse_checked (dw_graph_t **self_p, const char *text, size_t size, const char *file,
                             bool json, const dw_config_check_t *check, dw_error_t *error);

#endif
