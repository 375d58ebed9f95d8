/* plan.h - a graph compiled for execution: dense, topologically ordered, immutable, printable.
 *
 * A node's index in the plan is its rank: nodes are sorted by topological level (the longest path
 * from a source), then by declaration. So an index decides the payload rule, every dependency has a
 * smaller index than its dependents, and a level is a range of indices. Any number of threads may
 * read a plan; it holds copies of all that it needs and outlives the graph. */

#ifndef DW_PLAN_H
#define DW_PLAN_H

#include "runtime/core/graph.h"

/* How failing attempts at a node are timed and retried; shared by all nodes that say the same. */
typedef struct dw_policy_t {
    int64_t timeout_us; /* 0: none */
    uint32_t retry_attempts;
    dw_backoff_t backoff;
} dw_policy_t;

#define DW_NODE_ANALYZE      0x01u /* its output is nobody's payload by rule */
#define DW_NODE_BRIEF        0x02u /* its processor says so and it has no timeout */
#define DW_NODE_PAYLOAD_ONLY 0x04u /* it reads no dependency */
#define DW_NODE_TIMED        0x08u /* its policy has a timeout */
#define DW_NODE_INPUT        0x10u /* source was said by `input`, not by the rule */
#define DW_NODE_PASSED_ON    0x20u /* its output is the payload of the next node of its chain */
#define DW_NODE_ONCE \
    0x40u /* not idempotent: never sent again when it may have begun; it travels alone */
#define DW_NODE_MAY_SKIP 0x80u /* it may end its branch: it is the last of its chain */

typedef struct dw_plan_t {
    uint32_t nodes_count, edges_count, levels_count, lanes_count, chains_count, kinds_count;
    dw_strategy_t strategy;
    dw_failure_strategy_t failure_strategy;
    dw_priority_t priority;
    /* a lane's nodes are many and its workers host all of them: one lane for all nodes, or one for
     * each demand that nodes make (then whatever the graph says of actors) */
    bool pool;
    uint32_t workers_count; /* actors to start: pool size, or nodes_count in thread mode */
    /* a node may skip, or says how it joins: which nodes run is known when they are through */
    bool is_conditional;
    uint32_t adders_count;                     /* nodes that may add graphs to their run */
    uint32_t added_nodes_max, added_depth_max; /* nodes that a run may be added, and how deep */
    uint32_t max_concurrency;
    uint32_t batch_size; /* 0: automatic */
    uint64_t max_payload_bytes;

    /* By node. */
    const char **ids;
    uint32_t *declared;   /* index in the graph */
    uint8_t *flags;       /* DW_NODE_... */
    uint32_t *lane;       /* in thread mode the node's place in the priority order of all nodes, so
                                 that lanes are numbered by priority; in a pool 0 */
    uint32_t *kind;       /* nodes with the same processor: what measured times are kept by */
    uint16_t *policy;     /* index into policies */
    uint32_t *source;     /* whose output is the payload: a node, or DW_RUN_INPUT */
    uint32_t *rule;       /* the same by the rule alone, whatever `input` says */
    uint32_t *chain_next; /* the node that a worker runs right after it, or DW_NONE */
    uint32_t *chain_length;       /* nodes from here to the end of its chain, itself included */
    uint32_t *dependencies_count; /* the in-degree, ready to be copied by a run */
    /* how many nodes read its output: dependents, and nodes whose source it is */
    uint32_t *readers_count;
    uint8_t *join; /* dw_join_t; NULL: no node says any */
    uint32_t *adds_at,
        *adds; /* the kinds that node n may add: [adds_at[n], adds_at[n + 1]); NULL: no node adds */
    uint32_t *position; /* in the lane's priority order, from 0 */
    /* in the priority order of all nodes, from 0; NULL: no node makes a demand */
    uint32_t *urgency;
    /* By position: the node; lanes one after another in lane order, each from lane_at[lane]. */
    uint32_t *by_position;
    uint32_t *lane_at; /* lanes_count + 1 */
    /* By lane: what its workers must be. NULL: nobody makes a demand. The lane of the nodes that
     * make none, where there are such, is the first; the others come as their first nodes were
     * declared. */
    dw_demand_t *demands;

    /* Compressed sparse rows: edges of node n are [at[n], at[n + 1]). */
    uint32_t *dependencies_at, *dependencies; /* in the order of depends_on */
    uint32_t *successors_at, *successors;     /* by index */

    uint32_t *level_at; /* levels_count + 1: nodes of level l are [level_at[l], level_at[l + 1]) */
    const char **kinds; /* kinds_count names of processors */
    dw_policy_t *policies;
    uint32_t policies_count;
    uint32_t *sinks; /* nodes without dependents, by index */
    uint32_t sinks_count;
    uint64_t critical_path_us; /* by cost_us */
    uint32_t *critical_path;   /* its nodes, from a source on */
    uint32_t critical_path_count;
    uint64_t size_bytes; /* of the plan */
    void *memory;        /* what all of the above live in */
} dw_plan_t;

/* Compiles graph into a plan; graph is borrowed and not kept.
 *
 * trait says what is known of a processor by name; it returns false for one that is unknown, after
 * which nearest (may give NULL) is asked for the name to suggest. cpus_count is the default of
 * max_concurrency and of the pool.
 *
 * Chains: longest paths in which each node has one successor and the next has one dependency, in
 * one lane, both brief or both not, each next node's payload being this node's output or this
 * node's own payload; none under the level strategy, none with a timed node or one that is not
 * idempotent, and none goes on behind a node that may skip. (Operator chaining, as in Flink.)
 *
 * Time and memory are linear in nodes and edges, but for one sort when the priority is the critical
 * path. A node that says no `input` where two transforms of one level could both give the payload
 * is a warning that says whose output it gets (not where it joins any_ok).
 *
 * A node that demands a worker elsewhere may name a processor that is unknown here: a transform, if
 * the node does not say otherwise, that reads its dependencies. When a known name is near, there is
 * a warning.
 *
 * Errors: DW_EGRAPH  all that dw_graph_resolve says, and unknown processors of other nodes
 *         DW_ENOMEM  nothing was allocated */
typedef struct dw_plan_lookup_t {
    bool (*trait) (void *arg, const char *processor, dw_trait_t *trait_p);
    const char *(*nearest) (void *arg, const char *processor);
    void *arg;
    uint32_t cpus_count;
    /* What is said of a processor that is not found; NULL: "unknown". */
    const char *unknown;
} dw_plan_lookup_t;

#define DW_DEMANDS_MAX 64u /* lanes of a graph whose nodes make demands: a set of them is a word */

int dw_plan_new (dw_plan_t **self_p, const dw_graph_t *graph, const dw_plan_lookup_t *lookup,
                 dw_error_t *error);
void dw_plan_destroy (dw_plan_t **self_p);

/* Whether node may add graphs to its run. */
static inline bool dw_plan_may_add (const dw_plan_t *self, uint32_t node) {
    return self->adds_at && self->adds_at[node + 1] > self->adds_at[node];
}

/* Whether anybody may serve a lane, in this process too. */
static inline bool dw_plan_lane_is_free (const dw_plan_t *self, uint32_t lane) {
    return !self->demands || !self->demands[lane].remote;
}
/* A lane's demand for people, such as "gpu=yes, zone=a", "remote" or "none"; cut where it is
 * longer. */
#define DW_DEMAND_SHOWN 160 /* bytes */
const char *dw_plan_show_demand (const dw_plan_t *self, uint32_t lane, char shown[DW_DEMAND_SHOWN]);

/* The node with this id, or DW_NONE. Takes O(nodes_count). */
uint32_t dw_plan_find (const dw_plan_t *self, const char *id);

/* One number for all that a worker's behaviour depends on: of every node its id, processor, flags,
 * lane, policy, sources, chain and dependencies in their order; what lanes demand; the failure
 * strategy and max_payload_bytes. Two processes that have compiled one graph compare it before they
 * work together.
 *
 * It is the same on every machine, so nothing goes in that depends on the machine (workers_count,
 * max_concurrency), and nothing that only the scheduler asks (strategy, costs, priority beyond
 * lanes). The settings of nodes are not part of a plan. It finds mistakes, and is no signature: who
 * wants to can make two plans with one digest. Takes time linear in nodes, edges and their
 * texts. */
uint64_t dw_plan_digest (const dw_plan_t *self);

/* Prints the plan for people: totals, lanes, levels, chains, ranks with their sources, the
 * critical path. write is given pieces of text and returns false to stop (then so does this). */
bool dw_plan_print (const dw_plan_t *self, bool (*write) (void *arg, const char *text, size_t size),
                    void *arg);

#endif
