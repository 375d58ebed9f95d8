/* evaluator.h - what a run gives, found by running the nodes one after another.
 *
 * docs/ARCHITECTURE.md's "one answer, whatever the schedule", written down as plainly as possible
 * and without a line of dagwood's: the tests hold plan, scheduler and actors against it. It takes
 * time and memory of nodes * nodes and more, which is of no matter here. */

#ifndef TESTS_EVALUATOR_H
#define TESTS_EVALUATOR_H

#include "tests/support/random_graph.h"

/* What the graph alone fixes. Everything is by index of declaration. */
typedef struct evaluator_t {
    const random_graph_t *graph;
    uint32_t *level;   /* the longest path from a source */
    uint32_t *rank;    /* by (level, index of declaration) */
    uint32_t *by_rank; /* the other way round */
    bool *ancestors;   /* [node * nodes_count + other]: other is an ancestor of node */
} evaluator_t;

/* graph is borrowed for the evaluator's life. */
evaluator_t *evaluator_new (const random_graph_t *graph);
void evaluator_destroy (evaluator_t **self_p);
/* Whether the node of rank a is to be taken before that of rank b where the order is by priority:
 * by level, transforms first, then by declaration. */
bool evaluator_goes_before (const evaluator_t *self, uint32_t a, uint32_t b);
bool evaluator_is_ancestor (const evaluator_t *self, uint32_t node, uint32_t other);
/* Whose output is node's payload once all its ancestors have come to their end, done saying of each
 * node whether it succeeded: a node, or RANDOM_INPUT_RUN. */
uint32_t evaluator_source (const evaluator_t *self, uint32_t node, const bool *done);

typedef struct evaluator_run_t {
    dw_failure_strategy_t failure_strategy;
    const bool *fails; /* by node: whether it fails in the end when it is run */
    /* by node: whether it ends its branch when it is run and does not fail; NULL: none */
    const bool *skips;
    const uint32_t *outputs; /* the requested nodes */
    uint32_t outputs_count;  /* 0: every node */
    const void *input;       /* one msgpack value; NULL: outputs are not computed */
    size_t input_size;
    /* Of what nodes add: how many in all, how deep, and how deep this is already. */
    uint32_t added_nodes_max, added_depth_max, budget, depth;
    const bool *cut; /* by node: whether it was cancelled, so that it becomes nothing; NULL: none */
} evaluator_run_t;

typedef struct evaluated_node_t {
    bool requested;
    /* never DW_NODE_CANCELLED, which depends on time: see evaluation_allows */
    dw_node_status_t status;
    uint32_t source; /* of a node that ran: a node, or RANDOM_INPUT_RUN */
    bool left_out; /* of a skipped one: because a branch was ended, and not because of a failure */
    /* of a skipped one: those that failed, or ended their branches, by rank */
    uint32_t because_of[16];
    uint32_t because_of_count;
    int code; /* of one that failed though it was not told to: of what it became, or might not */
    uint32_t added_nodes, added_depth;
    random_value_t output; /* of a done one */
    random_metadata_t metadata;
} evaluated_node_t;

typedef struct evaluation_t {
    const evaluator_t *evaluator;
    dw_failure_strategy_t failure_strategy;
    dw_run_status_t status;
    uint32_t failures_count;
    evaluated_node_t *nodes; /* under fail_fast with a failure: as if the others had gone on */
} evaluation_t;

evaluation_t *evaluation_new (const evaluator_t *evaluator, const evaluator_run_t *run);
void evaluation_destroy (evaluation_t **self_p);
/* Whether node may end so: under fail_fast with a failure, what is done or failed is as here, and
 * any node may have been skipped or cancelled; else exactly as here. */
bool evaluation_allows (const evaluation_t *self, uint32_t node, dw_node_status_t status);

#endif
