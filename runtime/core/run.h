/* run.h - the state of one run: where each of its nodes stands. Inside of the scheduler. */

#ifndef DW_RUN_H
#define DW_RUN_H

#include "runtime/core/ready.h"
#include "runtime/core/scheduler.h"

#define DW_WANTED \
    1u /* the node, or one that needs it, was asked for, and it was not cancelled since */
#define DW_REQUESTED 2u /* the node was asked for: its output stays */
#define DW_BELOW \
    4u /* scheduler_cancel.c: the node is, or depends on, one that is being cancelled */

typedef struct dw_run_node_t {
    /* dependencies that are not final yet; then the link of a list, while what depends on it is
     * looked at */
    uint32_t waits_for;
    uint16_t attempts; /* dispatches */
    uint8_t state;     /* dw_node_state_t */
    uint8_t wanted;    /* DW_WANTED | DW_REQUESTED | DW_BELOW */
} dw_run_node_t;

typedef enum dw_run_life_t { DW_RUN_FREE, DW_RUN_LIVE, DW_RUN_ENDED } dw_run_life_t;

typedef struct dw_run_t {
    const dw_plan_t *plan;
    dw_run_life_t life;
    bool keeps_all; /* no outputs were named, and no node was cancelled: every node's is kept */
    bool is_plain;  /* nothing but counts has to be kept of it: one lane, every node asked for, no
                        levels, no rule; which is what most runs come to */
    bool is_cut_short; /* it failed before its end: by fail_fast, or its deadline */
    /* What was added to a run is one, too. */
    const dw_added_t *added;      /* NULL: it is a run itself */
    uint32_t parent, parent_node; /* which node of what it is; DW_NONE: it is a run itself */
    uint32_t root,
        root_node;        /* the run that all was added to, and which node of that it is part of */
    uint32_t lane;        /* of all of its nodes, when it was added */
    uint32_t depth;       /* of a run itself 0 */
    uint32_t budget;      /* nodes that its own may add in all */
    uint32_t added_count; /* of a run itself: what was added and has not ended */
    uint32_t serial;      /* tells this run from others in the same place, and seeds its jitter */
    uint32_t unfinished_count; /* wanted nodes that are not final */
    uint32_t not_done_count;   /* wanted nodes that are not done, */
    uint32_t left_out_count;   /* of which so many were left out */
    uint32_t failed_count;
    uint32_t sent_count; /* tasks that workers hold */
    uint32_t level;      /* level strategy: nodes of later levels wait */
    uint32_t level_unfinished_count;
    dw_run_node_t *nodes;
    dw_ready_t ready;
    /* best effort, or a conditional plan: whose output a node gets by rule, as things stand; else
     * NULL */
    uint32_t *rule;
    uint32_t *readers; /* readers to come, when outputs were named; else NULL */
    uint16_t *retries; /* retries used; NULL when no node may be retried */
    uint8_t *deaths;   /* workers that went down with it, and DW_SUSPECT; NULL until one does */
    void *memory;
    size_t memory_size;
} dw_run_t;

/* Every node of plan as it is at a start, for a run that wants all. */
void dw_run_make_template (const dw_plan_t *plan, dw_run_node_t *template);
/* Starts a run: every wanted node is waiting. outputs are valid nodes; template has every node as
 * it is at a start, for a run that wants all; NULL: it is worked out. Errors: DW_ENOMEM self is
 * free as before. */
int dw_run_begin (dw_run_t *self, const dw_plan_t *plan, const dw_run_node_t *template,
                  bool retries, bool in_order_of_arrival, const uint32_t *outputs,
                  uint32_t outputs_count);
/* Starts a run that is to be ended at once: of a plan without nodes, or for whose nodes there is no
 * memory. None is done. */
void dw_run_begin_empty (dw_run_t *self, const dw_plan_t *plan);
/* Frees the place; keeps its memory for the next run when it is little. */
void dw_run_forget (dw_run_t *self);
void dw_run_destroy (dw_run_t *self);

/* A worker went down that held the node: it, or what was beside it, may be what took it down. */
#define DW_SUSPECT 0x80u
/* Whether that was so: then it is run alone, so that the next one's end is put down to nothing
 * else. */
static inline bool dw_run_is_suspect (const dw_run_t *self, uint32_t node) {
    return self->deaths && self->deaths[node] > 0;
}

static inline bool dw_run_is_final (const dw_run_node_t *node) {
    return node->state >= DW_STATE_DONE;
}

/* Whether node was cancelled, by request, while the rest of its run went on. */
static inline bool dw_run_was_cut_off (const dw_run_t *self, uint32_t node) {
    return self->nodes[node].state == DW_STATE_CANCELLED && !(self->nodes[node].wanted & DW_WANTED);
}

/* Whose output a node that may run gets as its payload, as things stand: the rule of
 * docs/ARCHITECTURE.md, or what `input` said. A transform that is not done is passed over: it
 * failed (best effort, join), or was left out. */
uint32_t dw_run_source (const dw_run_t *self, uint32_t node);
/* Works out rule[node], all of whose dependencies are final, where there is a rule. */
void dw_run_set_rule (dw_run_t *self, uint32_t node);
/* A conditional plan: what becomes of a node, all of whose dependencies are final: READY, it runs;
 * LEFT_OUT, as its branch was ended; SKIPPED, because of a failure, which comes first of the two.
 * So it does not matter which of them came first. */
dw_node_state_t dw_run_join (const dw_run_t *self, uint32_t node);
/* Plain runs: steps nodes of a chain are done; returns the next of the chain, or else readies the
 * last one's dependents and returns DW_NONE. Here for speed, as in bits.h. */
static inline uint32_t dw_run_steps_done (dw_run_t *self, uint32_t node, uint32_t steps) {
    const dw_plan_t *plan = self->plan;
    self->unfinished_count -= steps;
    for (;;) {
        dw_run_node_t *it = &self->nodes[node];
        it->waits_for = 0;
        it->attempts = (uint16_t) (it->attempts +
                                   (it->state == DW_STATE_WAITING)); /* a later step */
        it->state = DW_STATE_DONE;
        if (--steps == 0)
            break;
        node = plan->chain_next[node];
    }
    uint32_t next = plan->chain_next[node], end = plan->successors_at[node + 1];
    if (next != DW_NONE) {
        self->nodes[next].waits_for = 0;
        return next;
    }
    for (uint32_t e = plan->successors_at[node]; e < end; e++) {
        uint32_t index = plan->successors[e];
        dw_run_node_t *successor = &self->nodes[index];
        if (--successor->waits_for == 0 && successor->state == DW_STATE_WAITING) {
            successor->state = DW_STATE_READY;
            dw_ready_push (&self->ready, index);
        }
    }
    return DW_NONE;
}
/* How many nodes from node on along its chain are wanted: the steps of its task. */
uint32_t dw_run_steps (const dw_run_t *self, uint32_t node);
/* Makes every wanted node below a failed one skipped, and tells of each. */
void dw_run_skip_dependents (dw_run_t *self, uint32_t node,
                             void (*skipped) (void *arg, uint32_t node), void *arg);

int dw_run_causes (const dw_run_t *self,
                   void (*tell) (void *arg, uint32_t node, const uint32_t *causes,
                                 uint32_t causes_count),
                   void *arg);

#endif
