/* wfformat.h - a workflow of WfCommons, read from its WfFormat (JSON, schema 1.5).
 *
 * Taken are from workflow.specification.tasks each task's id and parents, and from
 * workflow.execution.tasks, by id, its runtimeInSeconds. (Coleman et al., "WfCommons: A framework
 * for enabling scientific workflow research and development", FGCS 128, 2022;
 * github.com/wfcommons/WfFormat.) */

#ifndef DW_WFFORMAT_H
#define DW_WFFORMAT_H

#include "dagwood.h"

#define DW_WFFORMAT_BYTES_MAX (64u << 20)

/* Reads a workflow: a graph with a node for each task, as specified, and by node how long it took
 * (the caller's to free). What is wrong with the graph's shape is not looked at.
 *
 * Errors: DW_ENOENT the file is a graph file: it has "processors", or is larger than
 *                   DW_WFFORMAT_BYTES_MAX; nothing is said then
 *         DW_EFILE  it cannot be read
 *         DW_EGRAPH which field of which task is missing or wrong, up to 20 of them
 *         DW_ENOMEM */
int dw_wfformat_load (dw_graph_t **graph_p, double **seconds_p, const char *file,
                      dw_error_t *error);

#endif
