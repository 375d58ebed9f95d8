/* run.c - the state of one run: where each of its nodes stands. */

#include "runtime/core/run.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#define KEPT_BYTES_MAX 65536u /* memory that a free place keeps for its next run */

static size_t s_round (size_t size) {
    return (size + 7) & ~(size_t) 7;
}

/* Hands out the next part of one piece of memory. */
static void *s_take (uint8_t **at, size_t size) {
    void *part = *at;
    *at += s_round (size);
    return part;
}

static int s_layout (dw_run_t *self, const dw_plan_t *plan, bool rule, bool readers, bool retries,
                     bool in_order_of_arrival) {
    size_t n = plan->nodes_count;
    size_t ready_size = dw_ready_size (plan, in_order_of_arrival);
    size_t need = s_round (n * sizeof *self->nodes) + s_round (ready_size) +
                  (rule ? s_round (n * sizeof *self->rule) : 0) +
                  (readers ? s_round (n * sizeof *self->readers) : 0) +
                  (retries ? s_round (n * sizeof *self->retries) : 0) + 8;
    if (need > self->memory_size) {
        void *memory = malloc (need);
        if (!memory)
            return DW_ENOMEM;
        free (self->memory);
        self->memory = memory;
        self->memory_size = need;
    }
    uint8_t *at = self->memory;
    self->nodes = s_take (&at, n * sizeof *self->nodes);
    dw_ready_init (&self->ready, plan, in_order_of_arrival, s_take (&at, ready_size));
    self->rule = rule ? s_take (&at, n * sizeof *self->rule) : NULL;
    self->readers = readers ? s_take (&at, n * sizeof *self->readers) : NULL;
    self->retries = retries ? s_take (&at, n * sizeof *self->retries) : NULL;
    return DW_OK;
}

/* Marks the outputs and all that they need; the rest is not requested. Dependencies have smaller
 * indices, so one pass from the last node down sees every reader before what it reads. */
static void s_want (dw_run_t *self, const uint32_t *outputs, uint32_t outputs_count) {
    const dw_plan_t *plan = self->plan;
    self->unfinished_count = 0;
    for (uint32_t node = 0; node < plan->nodes_count; node++)
        self->nodes[node].wanted = 0;
    for (uint32_t i = 0; i < outputs_count; i++)
        self->nodes[outputs[i]].wanted = DW_WANTED | DW_REQUESTED;
    for (uint32_t node = plan->nodes_count; node-- > 0;) {
        if (!self->nodes[node].wanted) {
            self->nodes[node].state = DW_STATE_NOT_REQUESTED;
            continue;
        }
        self->unfinished_count++;
        for (uint32_t e = plan->dependencies_at[node]; e < plan->dependencies_at[node + 1]; e++)
            self->nodes[plan->dependencies[e]].wanted |= DW_WANTED;
    }
}

/* Counts for each node the wanted nodes that will read its output. */
static void s_count_readers (dw_run_t *self) {
    const dw_plan_t *plan = self->plan;
    memset (self->readers, 0, plan->nodes_count * sizeof *self->readers);
    for (uint32_t node = 0; node < plan->nodes_count; node++) {
        if (!self->nodes[node].wanted)
            continue;
        for (uint32_t e = plan->dependencies_at[node]; e < plan->dependencies_at[node + 1]; e++)
            self->readers[plan->dependencies[e]]++;
        if (plan->source[node] != DW_RUN_INPUT)
            self->readers[plan->source[node]]++;
    }
}

void dw_run_make_template (const dw_plan_t *plan, dw_run_node_t *template) {
    for (uint32_t node = 0; node < plan->nodes_count; node++)
        template[node] = (dw_run_node_t){
            .waits_for = plan->dependencies_count[node],
            .state = DW_STATE_WAITING,
            .wanted = DW_WANTED | DW_REQUESTED,
        };
}

/* A run of plan that has nothing yet. */
static void s_reset (dw_run_t *self, const dw_plan_t *plan) {
    self->plan = plan;
    self->life = DW_RUN_LIVE;
    self->keeps_all = true;
    self->is_plain = self->is_cut_short = false;
    self->unfinished_count = self->not_done_count = plan->nodes_count;
    self->failed_count = self->sent_count = self->left_out_count = 0;
    self->level = self->level_unfinished_count = 0;
    self->deaths = NULL;
    self->added = NULL;
    self->parent = self->parent_node = self->root_node = DW_NONE;
    self->depth = self->added_count = 0;
}

void dw_run_begin_empty (dw_run_t *self, const dw_plan_t *plan) {
    assert (self->life == DW_RUN_FREE);
    s_reset (self, plan);
    self->nodes = NULL;
    self->unfinished_count = 0;
}

int dw_run_begin (dw_run_t *self, const dw_plan_t *plan, const dw_run_node_t *template,
                  bool retries, bool in_order_of_arrival, const uint32_t *outputs,
                  uint32_t outputs_count) {
    assert (self->life == DW_RUN_FREE);
    bool rule = plan->failure_strategy == DW_BEST_EFFORT || plan->is_conditional;
    /* Where transforms may be passed over any earlier output may turn out to be a payload: none is
     * dropped early. */
    bool readers = outputs_count > 0 && !rule;
    int err = s_layout (self, plan, rule, readers, retries, in_order_of_arrival);
    if (err)
        return err;
    s_reset (self, plan);
    self->keeps_all = outputs_count == 0;
    if (template)
        memcpy (self->nodes, template, plan->nodes_count * sizeof *template);
    else
        dw_run_make_template (plan, self->nodes);
    if (retries)
        memset (self->retries, 0, plan->nodes_count * sizeof *self->retries);
    if (!self->keeps_all)
        s_want (self, outputs, outputs_count);
    if (readers)
        s_count_readers (self);
    self->not_done_count = self->unfinished_count;
    return DW_OK;
}

void dw_run_forget (dw_run_t *self) {
    free (self->deaths);
    self->deaths = NULL;
    self->life = DW_RUN_FREE;
    if (self->memory_size > KEPT_BYTES_MAX) {
        free (self->memory);
        self->memory = NULL;
        self->memory_size = 0;
    }
}

void dw_run_destroy (dw_run_t *self) {
    free (self->deaths);
    free (self->memory);
    memset (self, 0, sizeof *self);
}

/* Whose output stands for node's: its own, or when it has none, what it would have been given. */
static uint32_t s_stand_in (const dw_run_t *self, uint32_t node) {
    return self->nodes[node].state == DW_STATE_DONE ? node : self->rule[node];
}

void dw_run_set_rule (dw_run_t *self, uint32_t node) {
    const dw_plan_t *plan = self->plan;
    uint32_t best = DW_RUN_INPUT;
    for (uint32_t e = plan->dependencies_at[node]; e < plan->dependencies_at[node + 1]; e++) {
        uint32_t dependency = plan->dependencies[e];
        uint32_t candidate = plan->flags[dependency] & DW_NODE_ANALYZE
                                 ? self->rule[dependency]
                                 : s_stand_in (self, dependency);
        if (candidate != DW_RUN_INPUT && (best == DW_RUN_INPUT || candidate > best))
            best = candidate;
    }
    self->rule[node] = best;
}

dw_node_state_t dw_run_join (const dw_run_t *self, uint32_t node) {
    const dw_plan_t *plan = self->plan;
    dw_join_t join = plan->join ? (dw_join_t) plan->join[node] : DW_JOIN_DEFAULT;
    uint32_t count = plan->dependencies_count[node], done = 0, left_out = 0;
    for (uint32_t e = plan->dependencies_at[node]; e < plan->dependencies_at[node + 1]; e++) {
        uint8_t state = self->nodes[plan->dependencies[e]].state;
        done += state == DW_STATE_DONE;
        left_out += state == DW_STATE_LEFT_OUT;
    }
    bool is_failed = done + left_out < count, runs = count == 0;
    switch (join) {
        case DW_JOIN_DEFAULT:
            if (plan->failure_strategy == DW_BEST_EFFORT) /* a failure is as good as done */
                is_failed = false;
            runs |= left_out < count && !is_failed;
            break;
        case DW_JOIN_ALL_DONE: runs = true; break;
        case DW_JOIN_ALL_OK: runs |= done == count; break;
        case DW_JOIN_ANY_OK: runs |= done > 0; break;
    }
    return runs ? DW_STATE_READY : is_failed ? DW_STATE_SKIPPED : DW_STATE_LEFT_OUT;
}

uint32_t dw_run_source (const dw_run_t *self, uint32_t node) {
    const dw_plan_t *plan = self->plan;
    if (!self->rule)
        return plan->source[node];
    if (!(plan->flags[node] & DW_NODE_INPUT))
        return self->rule[node];
    return plan->source[node] == DW_RUN_INPUT ? DW_RUN_INPUT
                                              : s_stand_in (self, plan->source[node]);
}

uint32_t dw_run_steps (const dw_run_t *self, uint32_t node) {
    if (self->keeps_all)
        return self->plan->chain_length[node];
    /* What a wanted node needs is wanted, so the wanted nodes of a chain are its beginning. */
    uint32_t steps = 1;
    for (node = self->plan->chain_next[node];
         node != DW_NONE && (self->nodes[node].wanted & DW_WANTED);
         node = self->plan->chain_next[node])
        steps++;
    return steps;
}

/* Depth first; a skipped node waits for nothing any more, so its count is the link of the stack. */
void dw_run_skip_dependents (dw_run_t *self, uint32_t node,
                             void (*skipped) (void *arg, uint32_t node), void *arg) {
    const dw_plan_t *plan = self->plan;
    uint32_t top = DW_NONE;
    for (;;) {
        for (uint32_t e = plan->successors_at[node]; e < plan->successors_at[node + 1]; e++) {
            uint32_t dependent = plan->successors[e];
            dw_run_node_t *state = &self->nodes[dependent];
            if (state->state != DW_STATE_WAITING)
                continue; /* not requested, or skipped because of another */
            state->state = DW_STATE_SKIPPED;
            state->waits_for = top;
            top = dependent;
            skipped (arg, dependent);
        }
        if (top == DW_NONE)
            return;
        node = top;
        top = self->nodes[node].waits_for;
    }
}

/* ---- First causes --------------------------------------------------------------------------- */

/* A set of nodes, ascending; sets that are the same to build are one. */
typedef struct s_causes_t {
    uint32_t count;
    uint32_t nodes[DW_CAUSES_MAX];
} s_causes_t;

typedef struct s_sets_t {
    s_causes_t *items;
    uint32_t count, size;
} s_sets_t;

static uint32_t s_set_new (s_sets_t *sets) {
    if (sets->count == sets->size) {
        uint32_t size = sets->size ? 2 * sets->size : 16;
        s_causes_t *items = realloc (sets->items, size * sizeof *items);
        if (!items)
            return DW_NONE;
        sets->items = items;
        sets->size = size;
    }
    sets->items[sets->count].count = 0;
    return sets->count++;
}

/* The union of two sets; one of them when it holds the other. */
static uint32_t s_set_union (s_sets_t *sets, uint32_t a, uint32_t b) {
    if (a == b || b == DW_NONE)
        return a;
    if (a == DW_NONE)
        return b;
    s_causes_t all = {0};
    assert (sets->items); /* both are in it */
    const s_causes_t *x = &sets->items[a], *y = &sets->items[b];
    for (uint32_t i = 0, j = 0; all.count < DW_CAUSES_MAX && (i < x->count || j < y->count);) {
        uint32_t next;
        if (j == y->count || (i < x->count && x->nodes[i] <= y->nodes[j])) {
            next = x->nodes[i++];
            j += j < y->count && y->nodes[j] == next;
        } else
            next = y->nodes[j++];
        all.nodes[all.count++] = next;
    }
    if (memcmp (&all, x, sizeof all) == 0)
        return a;
    if (memcmp (&all, y, sizeof all) == 0)
        return b;
    uint32_t set = s_set_new (sets);
    if (set != DW_NONE)
        sets->items[set] = all;
    return set;
}

/* Whether a node is a cause itself: it failed, or ended its branch. (What was left out with it
 * never ran.) */
static bool s_is_cause (const dw_run_node_t *node) {
    return node->state == DW_STATE_FAILED ||
           (node->state == DW_STATE_LEFT_OUT && node->attempts > 0);
}

/* Works out of[node], the causes of every node that was not done, in rank order: of what was left
 * out those that ended their branch, of the others those that failed. */
static int s_find_causes (const dw_run_t *self, s_sets_t *sets, uint32_t *of) {
    const dw_plan_t *plan = self->plan;
    for (uint32_t node = 0; node < plan->nodes_count; node++) {
        of[node] = DW_NONE;
        bool is_left_out = self->nodes[node].state == DW_STATE_LEFT_OUT;
        if (s_is_cause (&self->nodes[node])) {
            if ((of[node] = s_set_new (sets)) == DW_NONE)
                return DW_ENOMEM;
            memset (&sets->items[of[node]], 0, sizeof *sets->items);
            sets->items[of[node]].count = 1;
            sets->items[of[node]].nodes[0] = node;
            continue;
        }
        if (self->nodes[node].state == DW_STATE_DONE)
            continue;
        for (uint32_t e = plan->dependencies_at[node]; e < plan->dependencies_at[node + 1]; e++) {
            uint32_t on = plan->dependencies[e], theirs = of[on];
            if (is_left_out != (self->nodes[on].state == DW_STATE_LEFT_OUT))
                continue;
            uint32_t both = s_set_union (sets, of[node], theirs);
            if (both == DW_NONE && theirs != DW_NONE)
                return DW_ENOMEM;
            of[node] = both;
        }
    }
    return DW_OK;
}

int dw_run_causes (const dw_run_t *self,
                   void (*tell) (void *arg, uint32_t node, const uint32_t *causes,
                                 uint32_t causes_count),
                   void *arg) {
    const dw_plan_t *plan = self->plan;
    if (!self->failed_count && !self->left_out_count)
        return DW_OK;
    s_sets_t sets = {0};
    uint32_t *of = malloc (plan->nodes_count * sizeof *of);
    int err = of ? s_find_causes (self, &sets, of) : DW_ENOMEM;
    /* In a run that was cut short a node can end for one that it does not depend on. */
    s_causes_t any = {0};
    for (uint32_t node = 0; !err && node < plan->nodes_count && any.count < DW_CAUSES_MAX; node++)
        if (self->nodes[node].state == DW_STATE_FAILED)
            any.nodes[any.count++] = node;
    for (uint32_t node = 0; !err && node < plan->nodes_count; node++) {
        uint8_t state = self->nodes[node].state;
        if (state != DW_STATE_SKIPPED && state != DW_STATE_CANCELLED && state != DW_STATE_LEFT_OUT)
            continue;
        if (dw_run_was_cut_off (self, node))
            continue; /* cancelled by request, whatever else befell the run */
        if (of[node] == DW_NONE && !self->is_cut_short)
            continue; /* cancelled by request */
        assert (of[node] == DW_NONE || sets.items);
        const s_causes_t *causes = of[node] == DW_NONE ? &any : &sets.items[of[node]];
        tell (arg, node, causes->nodes, causes->count);
    }
    free (of);
    free (sets.items);
    return err;
}
