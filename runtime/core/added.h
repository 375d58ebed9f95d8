/* added.h - a graph that a node adds to its run, compiled.
 *
 * It is a graph as any other, but for this: it is run as the graph is that it is added to
 * (strategy, failures, what a node says nothing of), all of its nodes where the node may be run
 * that adds it, and it has one output. Its processors are among those that this node allows, so
 * everybody who may run the node may run them. Immutable, as a plan. */

#ifndef DW_ADDED_H
#define DW_ADDED_H

#include "runtime/core/plan.h"

typedef struct dw_added_t {
    dw_plan_t *plan;
    /* by kind of plan: that of the plan of the run itself, to which all was added */
    uint32_t *kinds;
    uint32_t output; /* whose output is that of the node that adds it */
    /* what it was made of (runtime/pack.h), for who records it: the owner's */
    const uint8_t *bytes;
    size_t bytes_size;
} dw_added_t;

/* Compiles what node adds: a node of root, or of what was added itself (within); DW_NONE: that it may is known. graph is borrowed, and changed: it gets
 * the options of root. lookup says what is known of the processors, as for root.
 *
 * Errors: DW_EGRAPH     all that dw_plan_new says; no node, or none of the name output; a processor that the node does
 *                       not allow; a demand on workers
 *         DW_ETOOLARGE  it has more nodes than a run of root may be added in all
 *         DW_ENOMEM     nothing was allocated */
int dw_added_new (dw_added_t **self_p, dw_graph_t *graph, const char *output, const dw_plan_t *root,
                  const dw_added_t *within, uint32_t node, const dw_plan_lookup_t *lookup,
                  dw_error_t *error);
void dw_added_destroy (dw_added_t **self_p);

/* How many nodes each node of a run's plan may add in all, when that may be added budget: as many
 * as any other, so that it is no matter which of them is first. */
static inline uint32_t dw_added_share (const dw_plan_t *plan, uint32_t budget) {
    return plan->adders_count ? budget / plan->adders_count : 0;
}

#endif
