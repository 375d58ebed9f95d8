/* pack.h - a graph as bytes: written by the process that has it, read in another one.
 *
 * A worker elsewhere is sent the coordinator's graph and compiles it again. All that decides the
 * plan and the settings of processors travels, in the order in which it was said, so that the same
 * graph gives the same plan (dw_plan_digest tells); places in a file do not, and messages about
 * such a graph name its file and nodes without lines. The bytes are a sequence of msgpack values
 * (runtime/wire.h):
 *
 *     version, file, strategy, failure_strategy, actors, priority, pool_size, max_concurrency,
 *     timeout_us, retry_attempts, batch_size, max_payload_bytes, backoff,
 *     [added_nodes_max, added_depth_max,] array of nodes
 *
 *     backoff     initial_us, max_us, factor, jitter
 *     node        id, processor, input, array of dependencies, array of settings, options, demand
 *     dependency  id
 *     setting     name, type, and unless it is DW_VALUE_NULL its value
 *     options     nil, or intent, timeout_us, retry_attempts, cost_us, nil or a backoff, flags,
 *                 [array of the processors that it may add]
 *     demand      nil, or an array of tags: the type is remote
 *     tag         name, value
 *
 * actors has 4 added where the two numbers of what is added follow the backoff. flags are 1: not
 * idempotent, 2 times the join, and 8: the array of texts follows; a node that only adds has
 * options of which nothing was said.
 *
 *     addition    output, and a graph as above: what a node adds to its run
 *
 * An array's elements are records and follow one another. A text is a str without NUL, or nil where
 * nothing was said. A signed integer, DW_UNSET too, is a uint of the same 64 bits, and so is a
 * number (IEEE 754); a boolean is 0 or 1.
 *
 * All functions may be called by any thread. */

#ifndef DW_PACK_H
#define DW_PACK_H

#include "runtime/core/graph.h"
#include "runtime/wire.h"

#define DW_PACK_VERSION 2u

/* Appends the graph, valid or not, to what writer holds; graph is borrowed. No text of it may have
 * 4 GiB. Errors: the writer's no_memory. */
void dw_pack_graph (const dw_graph_t *graph, dw_writer_t *writer);

/* Makes the graph that size bytes are, all of them. bytes are borrowed and not kept (NULL when size
 * is 0); the caller owns the graph. It is as unchecked as one that was built in C: ids may be
 * missing or doubled, numbers out of range, and a text is any bytes without NUL (only the reader of
 * graph files asks for UTF-8). dw_graph_resolve, and dw_plan_new with it, says what is wrong with
 * it; refused here is what no graph can be made of. Time and memory are linear in size, whatever
 * counts the bytes claim.
 *
 * Errors: DW_EPROTOCOL  damaged, of another version, or followed by more
 *         DW_ENOMEM     nothing was allocated */
int dw_unpack_graph (dw_graph_t **graph_p, const uint8_t *bytes, size_t size, dw_error_t *error);

/* The same of a graph that a node adds to its run, with the name of the node that is its output. */
void dw_pack_addition (const dw_graph_t *graph, const char *output, dw_writer_t *writer);
/* *output_p is of malloc. Errors: as dw_unpack_graph. */
int dw_unpack_addition (dw_graph_t **graph_p, char **output_p, const uint8_t *bytes, size_t size,
                        dw_error_t *error);

#endif
