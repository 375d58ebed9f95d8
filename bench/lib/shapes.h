/* shapes.h - the edges of graphs of a given shape: pure functions of a node's number.
 *
 * Nodes are numbered level by level, so that direct predecessors are smaller and a node's number is
 * its rank. From `random` on a shape goes on in steps of `width` tasks, numbered step by step: task
 * i of step t is node t x width + i and comes after tasks of step t - 1; the first step has no
 * predecessors. These are the parameterised patterns of Task Bench (Slaughter et al., "Task Bench:
 * A Parameterized Benchmark for Evaluating Parallel Runtime Performance", SC20), whose radix is
 * 2 x radius + 1 here and whose period is 3. A predecessor that a formula gives twice counts
 * once. */

#ifndef DW_SHAPES_H
#define DW_SHAPES_H

#include <stdbool.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef enum dw_shape_t {
    DW_SHAPE_CHAIN,      /* each node after the one before */
    DW_SHAPE_FAN,        /* one, then all others but one, then one */
    DW_SHAPE_TREE,       /* a binary out-tree */
    DW_SHAPE_WAVE,       /* a square, each node after its left and upper neighbour */
    DW_SHAPE_RANDOM,     /* each node after 1 to 4 distinct nodes of the layer (step) before */
    DW_SHAPE_FFT,        /* i after i and i -+ 2^d; d goes through 0, 1, ... while 2^d < width */
    DW_SHAPE_STENCIL,    /* i after i - 1, i and i + 1 */
    DW_SHAPE_ALL_TO_ALL, /* i after every task of the step before */
    DW_SHAPE_NONE,       /* no dependency (trivial, in the paper) */
    /* With R = 2 x radius + 1: i after i, and after (i + k x width / R + t mod 3) mod width for k =
     * 1 to R - 1. */
    DW_SHAPE_SPREAD,
    DW_SHAPE_NEAREST, /* i after i - radius to i + radius */
    DW_SHAPE_FILE,    /* of a file: its edges are not here but in work.h */
    DW_SHAPES
} dw_shape_t;

/* By dw_shape_t; ended by NULL. */
extern const char *const dw_shape_names[];

typedef struct dw_shape_size_t {
    uint32_t nodes_count;
    uint32_t width;  /* tasks of a step; 0: the shape has no steps */
    uint32_t radius; /* of spread and nearest */
    uint64_t seed;   /* of random: which graph; 0: the one that all figures so far are of */
} dw_shape_size_t;

/* Whether the shape goes on in steps, so that it has a width. */
bool dw_shape_has_steps (dw_shape_t shape);
/* Fills in what is 0 (width: 16, of random 100, at most all nodes; radius: 2), and rounds
 * nodes_count down to what the shape can have: a square, or full steps, of random any number.
 * nodes_count is at least 1, width at most nodes_count. */
void dw_shape_settle (dw_shape_t shape, dw_shape_size_t *size);
/* At most so many direct predecessors has each node of a settled size, all of them together. */
uint32_t dw_shape_degree_max (dw_shape_t shape, const dw_shape_size_t *size);
uint64_t dw_shape_edges_max (dw_shape_t shape, const dw_shape_size_t *size);
/* The direct predecessors of a node, in the order in which it reads them, into dependencies (room
 * for dw_shape_degree_max); returns how many. Takes time of that order. */
uint32_t dw_shape_dependencies (dw_shape_t shape, const dw_shape_size_t *size, uint32_t node,
                                uint32_t *dependencies);

#ifdef __cplusplus
}
#endif

#endif
