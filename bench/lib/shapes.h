/* shapes.h - graphs of a given shape, and the processor that their nodes run.
 *
 * Nodes are declared level by level, so a node's index is its rank. A task reads the payload of
 * every direct predecessor, mixes them with its node's index, and writes a bin of the payload's
 * bytes; so a graph's outputs tell whether every task ran once and after all that it reads. */

#ifndef DW_SHAPES_H
#define DW_SHAPES_H

#include "dagwood_processor.h"

typedef enum dw_shape_t {
    DW_SHAPE_CHAIN,  /* each node after the one before */
    DW_SHAPE_FAN,    /* one, then all others but one, then one */
    DW_SHAPE_TREE,   /* a binary out-tree */
    DW_SHAPE_WAVE,   /* a square, each node after its left and upper neighbour */
    DW_SHAPE_RANDOM, /* layers of 100, each node after 1 to 4 distinct nodes of the layer before */
    DW_SHAPES
} dw_shape_t;

/* By dw_shape_t; ended by NULL. */
extern const char *const dw_shape_names[];

/* The edges of a shape: node's direct predecessors into dependencies (room for nodes_count), in the
 * order in which it reads them; returns how many. */
uint32_t dw_shape_dependencies (dw_shape_t shape, uint32_t nodes_count, uint32_t node,
                                uint32_t *dependencies);
/* How many nodes the shape really has when so many are asked for: a square is rounded down. */
uint32_t dw_shape_nodes_count (dw_shape_t shape, uint32_t nodes_asked);
/* The graph, of nodes that run "mix"; NULL: no memory. */
dw_graph_t *dw_shape_graph (dw_shape_t shape, uint32_t nodes_count);

/* What "mix" does: for the argument of its processor. */
typedef struct dw_mix_t {
    uint32_t payload_bytes;
    uint64_t rounds; /* of calibrated work; 0: none */
} dw_mix_t;

/* Adds "mix" to a set; mix is borrowed. brief: what it says of itself. */
int dw_mix_add (dw_processors_t *processors, const dw_mix_t *mix, bool brief);
/* How many rounds of work take ns on this machine, now. */
uint64_t dw_mix_rounds (uint64_t ns);

/* The mixing itself, for whoever computes the same without a runtime: starts with a node's index,
 * takes in each predecessor's payload bytes, and gives the output's. */
static inline uint64_t dw_mix_start (uint64_t index) {
    return (index + 1) * UINT64_C (0x9e3779b97f4a7c15);
}
uint64_t dw_mix_in (uint64_t hash, const void *bytes, size_t size);
void dw_mix_out (uint64_t hash, void *bytes, size_t size);
/* Work that takes time and nothing else; the result depends on every round. */
uint64_t dw_mix_work (uint64_t hash, uint64_t rounds);

#endif
