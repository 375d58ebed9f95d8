/* evaluator.c - what a run gives, found by running the nodes one after another. */

#include "tests/support/evaluator.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

/* -- What the graph alone fixes ------------------------------------------------------------- */

static bool *s_ancestors (const evaluator_t *self, uint32_t node) {
    return &self->ancestors[(size_t) node * self->graph->nodes_count];
}

/* Until nothing changes: a node is a level above each dependency, and has its ancestors. */
static bool s_settle (evaluator_t *self, uint32_t node) {
    const random_node_t *it = &self->graph->nodes[node];
    bool *mine = s_ancestors (self, node), changed = false;
    for (uint32_t d = 0; d < it->dependencies_count; d++) {
        uint32_t dependency = it->dependencies[d];
        const bool *theirs = s_ancestors (self, dependency);
        if (self->level[node] <= self->level[dependency]) {
            self->level[node] = self->level[dependency] + 1;
            changed = true;
        }
        for (uint32_t other = 0; other < self->graph->nodes_count; other++)
            if ((theirs[other] || other == dependency) && !mine[other])
                mine[other] = changed = true;
    }
    return changed;
}

static bool s_comes_before (const evaluator_t *self, uint32_t a, uint32_t b) {
    return self->level[a] != self->level[b] ? self->level[a] < self->level[b] : a < b;
}

evaluator_t *evaluator_new (const random_graph_t *graph) {
    evaluator_t *self = calloc (1, sizeof *self);
    uint32_t count = graph->nodes_count;
    bool changed = true;
    assert (self);
    self->graph = graph;
    self->level = calloc (count, sizeof (uint32_t));
    self->rank = calloc (count, sizeof (uint32_t));
    self->by_rank = calloc (count, sizeof (uint32_t));
    self->ancestors = calloc ((size_t) count * count, sizeof (bool));
    assert (self->level && self->rank && self->by_rank && self->ancestors);
    while (changed) {
        changed = false;
        for (uint32_t node = 0; node < count; node++)
            changed |= s_settle (self, node);
    }
    for (uint32_t node = 0; node < count; node++) {
        for (uint32_t other = 0; other < count; other++)
            self->rank[node] += s_comes_before (self, other, node);
        self->by_rank[self->rank[node]] = node;
    }
    return self;
}

void evaluator_destroy (evaluator_t **self_p) {
    evaluator_t *self = *self_p;
    if (!self)
        return;
    free (self->level);
    free (self->rank);
    free (self->by_rank);
    free (self->ancestors);
    free (self);
    *self_p = NULL;
}

bool evaluator_goes_before (const evaluator_t *self, uint32_t a, uint32_t b) {
    uint32_t level_a = self->level[self->by_rank[a]], level_b = self->level[self->by_rank[b]];
    bool transforms_a = random_graph_transforms (self->graph, self->by_rank[a]);
    bool transforms_b = random_graph_transforms (self->graph, self->by_rank[b]);
    if (level_a != level_b)
        return level_a < level_b;
    return transforms_a != transforms_b ? transforms_a : a < b;
}

bool evaluator_is_ancestor (const evaluator_t *self, uint32_t node, uint32_t other) {
    return s_ancestors (self, node)[other];
}

/* The greatest-ranked ancestor transform that succeeded. */
static uint32_t s_by_rule (const evaluator_t *self, uint32_t node, const bool *done) {
    for (uint32_t rank = self->rank[node]; rank-- > 0;) {
        uint32_t other = self->by_rank[rank];
        if (done[other] && evaluator_is_ancestor (self, node, other) &&
            random_graph_transforms (self->graph, other))
            return other;
    }
    return RANDOM_INPUT_RUN;
}

uint32_t evaluator_source (const evaluator_t *self, uint32_t node, const bool *done) {
    uint32_t input = self->graph->nodes[node].input;
    if (input == RANDOM_INPUT_RULE)
        return s_by_rule (self, node, done);
    if (input == RANDOM_INPUT_RUN || done[input])
        return input;
    return s_by_rule (self, input, done); /* it is passed over: best effort */
}

/* -- A run ---------------------------------------------------------------------------------- */

typedef struct s_run_t {
    evaluation_t *evaluation;
    const evaluator_run_t *run;
    bool *done;
    bool *blames; /* [node * nodes_count + other]: node did not run because of other */
} s_run_t;

static bool s_is_needed (const evaluator_t *self, const evaluator_run_t *run, uint32_t node) {
    for (uint32_t i = 0; i < run->outputs_count; i++)
        if (run->outputs[i] == node || evaluator_is_ancestor (self, run->outputs[i], node))
            return true;
    return run->outputs_count == 0;
}

static bool s_is_requested (const evaluator_run_t *run, uint32_t node) {
    for (uint32_t i = 0; i < run->outputs_count; i++)
        if (run->outputs[i] == node)
            return true;
    return run->outputs_count == 0;
}

/* Whether a node failed, or does not run because one did. */
static bool s_is_failed (const evaluated_node_t *it) {
    return it->status == DW_NODE_FAILED || (it->status == DW_NODE_SKIPPED && !it->left_out);
}

/* What node's dependencies, all at their end, leave it: to run (true), or to be skipped, and
 * why. */
static bool s_runs (s_run_t *s, uint32_t node) {
    const random_graph_t *graph = s->evaluation->evaluator->graph;
    const random_node_t *described = &graph->nodes[node];
    uint32_t done = 0, failed = 0, left_out = 0, all = described->dependencies_count;
    for (uint32_t d = 0; d < all; d++) {
        const evaluated_node_t *on = &s->evaluation->nodes[described->dependencies[d]];
        done += on->status == DW_NODE_DONE;
        failed += s_is_failed (on);
        left_out += on->status == DW_NODE_SKIPPED && on->left_out;
    }
    s->evaluation->nodes[node].left_out = failed == 0;
    if (all == 0 || described->join == DW_JOIN_ALL_DONE)
        return true;
    if (described->join == DW_JOIN_ALL_OK)
        return done == all;
    if (described->join == DW_JOIN_ANY_OK)
        return done > 0;
    if (s->evaluation->failure_strategy == DW_BEST_EFFORT) {
        s->evaluation->nodes[node].left_out = true;
        return left_out < all;
    }
    return failed == 0 && done > 0;
}

/* Those to blame are a dependency that failed, or ended its branch, or whom that blames; one that
 * failed is not to blame for a branch that was ended, nor the other way round. */
static void s_blame (s_run_t *s, uint32_t node) {
    const evaluator_t *evaluator = s->evaluation->evaluator;
    const random_node_t *described = &evaluator->graph->nodes[node];
    uint32_t count = evaluator->graph->nodes_count;
    evaluated_node_t *it = &s->evaluation->nodes[node];
    bool *mine = &s->blames[(size_t) node * count];
    for (uint32_t d = 0; d < described->dependencies_count; d++) {
        uint32_t on = described->dependencies[d];
        const evaluated_node_t *dependency = &s->evaluation->nodes[on];
        if (dependency->status == DW_NODE_DONE || s_is_failed (dependency) == it->left_out)
            continue;
        mine[on] |= dependency->status == DW_NODE_FAILED;
        for (uint32_t other = 0; other < count; other++)
            mine[other] |= s->blames[(size_t) on * count + other];
    }
    for (uint32_t rank = 0; rank < count; rank++)
        if (mine[evaluator->by_rank[rank]] && it->because_of_count < 16)
            it->because_of[it->because_of_count++] = evaluator->by_rank[rank];
}

/* What the node becomes, as a run of its own: its output is the node's, or its first failure. */
static void s_become (s_run_t *s, uint32_t node, random_value_t input) {
    const random_graph_t *graph = s->evaluation->evaluator->graph;
    const random_graph_t *inner = graph->nodes[node].inner;
    evaluated_node_t *it = &s->evaluation->nodes[node];
    uint32_t share = s->run->budget / random_graph_growing_count (graph);
    if (s->run->depth >= s->run->added_depth_max || inner->nodes_count > share) {
        it->code = 413;
        return;
    }
    evaluator_t *evaluator = evaluator_new (inner);
    bool fails[RANDOM_INNER_MAX], skips[RANDOM_INNER_MAX];
    for (uint32_t i = 0; i < inner->nodes_count; i++) {
        fails[i] = random_graph_fails (inner, i);
        skips[i] = inner->nodes[i].skips;
    }
    evaluator_run_t run = *s->run;
    run.fails = fails;
    run.skips = skips;
    run.cut = NULL;
    run.outputs = &graph->nodes[node].inner_output;
    run.outputs_count = 1;
    run.input = input.bytes;
    run.input_size = input.size;
    run.budget = share - inner->nodes_count;
    run.depth++;
    evaluation_t *evaluation = evaluation_new (evaluator, &run);
    evaluated_node_t *output = &evaluation->nodes[*run.outputs];
    it->added_nodes = inner->nodes_count;
    it->added_depth = 1;
    for (uint32_t i = 0; i < inner->nodes_count; i++) {
        const evaluated_node_t *within = &evaluation->nodes[i];
        it->added_nodes += within->added_nodes;
        if (it->added_depth < within->added_depth + 1)
            it->added_depth = within->added_depth + 1;
    }
    bool is_cut = run.failure_strategy == DW_FAIL_FAST && evaluation->failures_count > 0;
    if (output->status == DW_NODE_DONE && !is_cut) {
        it->output = output->output;
        it->metadata = output->metadata;
        output->output.bytes = NULL;
    } else if (output->left_out && !is_cut)
        it->left_out = true;
    else
        for (uint32_t rank = 0; it->code == 0; rank++)
            if (evaluation->nodes[evaluator->by_rank[rank]].status == DW_NODE_FAILED) {
                uint32_t first = evaluator->by_rank[rank];
                it->code = evaluation->nodes[first].code;
                if (it->code == 0)
                    it->code = inner->nodes[first].code;
            }
    evaluation_destroy (&evaluation);
    evaluator_destroy (&evaluator);
}

/* The payload and, unless the processor reads its payload alone, all that its dependencies gave. */
static void s_compute (s_run_t *s, uint32_t node) {
    const random_node_t *described = &s->evaluation->evaluator->graph->nodes[node];
    evaluated_node_t *it = &s->evaluation->nodes[node];
    random_value_t payload = {(uint8_t *) (uintptr_t) s->run->input, s->run->input_size};
    uint64_t hash = random_hash_start (node);
    if (it->source != RANDOM_INPUT_RUN)
        payload = s->evaluation->nodes[it->source].output;
    hash = random_hash (hash, payload.bytes, payload.size);
    if (!random_processor_trait (described->processor).payload_only)
        for (uint32_t d = 0; d < described->dependencies_count; d++) {
            const evaluated_node_t *dependency = &s->evaluation->nodes[described->dependencies[d]];
            const char *sum = random_metadata_find (&dependency->metadata, "sum");
            hash = random_hash (hash, dependency->output.bytes, dependency->output.size);
            hash = random_hash (hash, sum, sum ? strlen (sum) : 0);
        }
    if (described->inner && !(s->run->cut && s->run->cut[node])) {
        random_value_t input = random_processor_output (RANDOM_MIX, hash, NULL, 0);
        s_become (s, node, hash % 2 ? input : payload);
        free (input.bytes);
        return;
    }
    it->output = random_processor_output (described->processor, hash, payload.bytes, payload.size);
    if (!it->output.bytes) { /* an analyzer's output is the empty text unless it sets another */
        it->output = (random_value_t){malloc (1), 1};
        assert (it->output.bytes);
        it->output.bytes[0] = 0xa0;
    }
    it->metadata = random_processor_metadata (described->processor, hash);
}

/* It has ended its branch. */
static void s_leave_out (s_run_t *s, uint32_t node) {
    evaluated_node_t *it = &s->evaluation->nodes[node];
    it->status = DW_NODE_SKIPPED;
    it->left_out = true;
    s->done[node] = false;
    s->blames[(size_t) node * s->evaluation->evaluator->graph->nodes_count + node] = true;
    it->because_of[it->because_of_count++] = node;
}

static void s_run_node (s_run_t *s, uint32_t node) {
    evaluation_t *self = s->evaluation;
    evaluated_node_t *it = &self->nodes[node];
    it->requested = s_is_requested (s->run, node);
    if (!s_is_needed (self->evaluator, s->run, node)) {
        it->status = DW_NODE_NOT_REQUESTED;
        return;
    }
    if (!s_runs (s, node)) {
        it->status = DW_NODE_SKIPPED;
        s_blame (s, node);
        return;
    }
    it->left_out = false;
    it->source = evaluator_source (self->evaluator, node, s->done);
    self->failures_count += s->run->fails[node];
    if (!s->run->fails[node] && s->run->skips && s->run->skips[node]) {
        s_leave_out (s, node);
        return;
    }
    it->status = s->run->fails[node] ? DW_NODE_FAILED : DW_NODE_DONE;
    s->done[node] = !s->run->fails[node];
    if (s->run->input && s->done[node])
        s_compute (s, node);
    if (it->code) {
        it->status = DW_NODE_FAILED;
        s->done[node] = false;
        self->failures_count++;
    } else if (it->left_out)
        s_leave_out (s, node);
}

evaluation_t *evaluation_new (const evaluator_t *evaluator, const evaluator_run_t *run) {
    evaluation_t *self = calloc (1, sizeof *self);
    s_run_t s = {self, run, NULL, NULL};
    uint32_t count = evaluator->graph->nodes_count;
    assert (self);
    self->evaluator = evaluator;
    self->failure_strategy = run->failure_strategy;
    self->nodes = calloc (count, sizeof *self->nodes);
    s.done = calloc (count, sizeof (bool));
    s.blames = calloc ((size_t) count * count, sizeof (bool));
    assert (self->nodes && s.done && s.blames);
    for (uint32_t rank = 0; rank < count; rank++)
        s_run_node (&s, evaluator->by_rank[rank]);
    self->status = DW_RUN_OK;
    for (uint32_t node = 0; node < count; node++)
        if (self->nodes[node].requested && self->nodes[node].status != DW_NODE_DONE &&
            !self->nodes[node].left_out)
            self->status = DW_RUN_PARTIAL;
    if (self->failure_strategy == DW_FAIL_FAST && self->failures_count > 0)
        self->status = DW_RUN_FAILED;
    free (s.done);
    free (s.blames);
    return self;
}

void evaluation_destroy (evaluation_t **self_p) {
    evaluation_t *self = *self_p;
    if (!self)
        return;
    for (uint32_t node = 0; node < self->evaluator->graph->nodes_count; node++)
        free (self->nodes[node].output.bytes);
    free (self->nodes);
    free (self);
    *self_p = NULL;
}

bool evaluation_allows (const evaluation_t *self, uint32_t node, dw_node_status_t status) {
    dw_node_status_t here = self->nodes[node].status;
    if (status == here)
        return true;
    return self->status == DW_RUN_FAILED && here != DW_NODE_NOT_REQUESTED &&
           (status == DW_NODE_SKIPPED || status == DW_NODE_CANCELLED);
}
