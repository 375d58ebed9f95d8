/* model_questions.c - what the model is asked: each answer is found by looking through
 * everything. */

#include "tests/support/model.h"

static uint32_t s_declared (const model_t *self, uint32_t node) {
    return self->evaluator->by_rank[node];
}

static const random_node_t *s_described (const model_t *self, uint32_t node) {
    return &self->evaluator->graph->nodes[self->evaluator->by_rank[node]];
}

bool model_is_once (const model_t *self, uint32_t node) {
    const evaluator_t *evaluator = self->evaluator;
    return evaluator->graph->nodes[evaluator->by_rank[node]].not_idempotent;
}

bool model_is_timed (const model_t *self, uint32_t node) {
    return self->plan->policies[self->plan->policy[node]].timeout_us > 0;
}

bool model_is_brief (const model_t *self, uint32_t node) {
    return random_processor_trait (s_described (self, node)->processor).brief &&
           !model_is_timed (self, node) && !self->kinds[self->plan->kind[node]].is_slow;
}

bool model_may_skip (const model_t *self, uint32_t node) {
    return random_processor_trait (s_described (self, node)->processor).may_skip;
}

dw_node_state_t model_join (const model_t *self, const model_run_t *run, uint32_t node) {
    const random_node_t *described = s_described (self, node);
    bool any_done = false, any_failed = false, any_left_out = false;
    bool failures_are_as_good = self->plan->failure_strategy == DW_BEST_EFFORT &&
                                described->join == DW_JOIN_DEFAULT;
    for (uint32_t d = 0; d < described->dependencies_count; d++) {
        uint32_t on = self->evaluator->rank[described->dependencies[d]];
        dw_node_state_t state = run->nodes[on].state;
        bool is_failed = state == DW_STATE_FAILED || state == DW_STATE_SKIPPED;
        any_done |= state == DW_STATE_DONE || (is_failed && failures_are_as_good);
        any_failed |= is_failed && !failures_are_as_good;
        any_left_out |= state == DW_STATE_LEFT_OUT;
    }
    bool runs = described->dependencies_count == 0;
    switch (described->join) {
        case DW_JOIN_DEFAULT: runs |= any_done && !any_failed; break;
        case DW_JOIN_ALL_DONE: runs = true; break;
        case DW_JOIN_ALL_OK: runs |= !any_failed && !any_left_out; break;
        case DW_JOIN_ANY_OK: runs |= any_done; break;
    }
    return runs ? DW_STATE_WAITING : any_failed ? DW_STATE_SKIPPED : DW_STATE_LEFT_OUT;
}

bool model_depends_on (const model_t *self, uint32_t node, uint32_t on) {
    const random_node_t *it = s_described (self, node);
    for (uint32_t d = 0; d < it->dependencies_count; d++)
        if (it->dependencies[d] == self->evaluator->by_rank[on])
            return true;
    return false;
}

bool model_is_ready (const model_t *self, const model_run_t *run, uint32_t node) {
    const model_node_t *it = &run->nodes[node];
    return run->life == MODEL_LIVE && it->state == DW_STATE_WAITING && !it->held &&
           model_may_run (self, run, node);
}

uint32_t model_active_count (const model_t *self) {
    uint32_t count = 0;
    for (uint32_t w = 0; w < self->options.workers_max; w++)
        count += model_unanswered (&self->workers[w]) > 0;
    return count;
}

uint32_t model_active_max (const model_t *self) {
    const dw_plan_t *plan = self->plan;
    bool is_closed = plan->pool && !self->options.is_open;
    return is_closed && plan->workers_count < plan->max_concurrency ? plan->workers_count
                                                                    : plan->max_concurrency;
}

bool model_serves (const model_worker_t *worker, uint32_t lane) {
    return worker->present && (worker->lanes ? worker->lanes >> lane & 1 : worker->lane == lane);
}

bool model_is_unserved (const model_t *self, uint32_t lane) {
    return self->unserved >> lane & 1;
}

bool model_has_readers (const model_t *self, const model_run_t *run, uint32_t node) {
    const uint32_t *by_rank = self->evaluator->by_rank;
    for (uint32_t other = node + 1; other < self->plan->nodes_count; other++) {
        if (model_is_final (&run->nodes[other]))
            continue;
        if (model_depends_on (self, other, node) || self->sources[other] == node)
            return true;
        if ((self->plan->failure_strategy == DW_BEST_EFFORT || self->is_conditional) &&
            evaluator_is_ancestor (self->evaluator, by_rank[other], by_rank[node]))
            return true;
    }
    return false;
}

uint32_t model_source (const model_t *self, const model_run_t *run, uint32_t node) {
    uint32_t source = evaluator_source (self->evaluator, s_declared (self, node), run->done);
    return source == RANDOM_INPUT_RUN ? DW_RUN_INPUT : self->evaluator->rank[source];
}

bool model_may_run (const model_t *self, const model_run_t *run, uint32_t node) {
    const evaluator_t *evaluator = self->evaluator;
    uint32_t declared = s_declared (self, node);
    for (uint32_t other = 0; other < self->plan->nodes_count; other++) {
        const model_node_t *it = &run->nodes[other];
        uint32_t other_declared = s_declared (self, other);
        bool is_before = evaluator_is_ancestor (evaluator, declared, other_declared);
        if (self->plan->strategy == DW_LEVEL)
            is_before = evaluator->level[other_declared] < evaluator->level[declared];
        if (is_before && !model_is_final (it))
            return false;
    }
    return true;
}
