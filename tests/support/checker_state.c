/* checker_state.c - holds what a scheduler says of itself against the model. */

#include "tests/support/checker_self.h"

const char *checker_state_name (dw_node_state_t state) {
    static const char *const names[] = {"waiting",       "ready",   "sent",    "backing off",
                                        "done",          "failed",  "skipped", "cancelled",
                                        "not requested", "left out"};
    return names[state];
}

/* -- After the commands --------------------------------------------------------------------- */

static bool s_check_state (model_t *self, const dw_scheduler_t *scheduler, uint32_t run_index,
                           uint32_t node) {
    model_run_t *run = &self->runs[run_index];
    model_node_t *it = &run->nodes[node];
    dw_node_state_t state = dw_scheduler_node_state (scheduler, run_index, node);
    dw_node_state_t expected = it->state;
    if (it->state == DW_STATE_BACKOFF && state == DW_STATE_READY &&
        self->now_ns >= it->retry_from_ns)
        it->state = DW_STATE_WAITING;
    if (it->state == DW_STATE_BACKOFF && self->now_ns > it->retry_to_ns)
        return model_is_wrong (self, "run %u: node %u is retried too late", run_index, node);
    if (it->state == DW_STATE_WAITING)
        expected = model_is_ready (self, run, node) ? DW_STATE_READY : DW_STATE_WAITING;
    if (state != expected)
        return model_is_wrong (self, "run %u: node %u is %s, not %s", run_index, node,
                               checker_state_name (state), checker_state_name (expected));
    if (dw_scheduler_node_attempts (scheduler, run_index, node) != it->attempts)
        return model_is_wrong (self, "run %u: node %u had %u attempts, not %u", run_index, node,
                               it->attempts,
                               dw_scheduler_node_attempts (scheduler, run_index, node));
    if (it->requested != dw_scheduler_node_requested (scheduler, run_index, node))
        return model_is_wrong (self, "run %u: node %u was asked for, or not", run_index, node);
    return true;
}

/* An output that nobody reads any more is dropped at once, where outputs were named. */
static bool s_check_dropped (model_t *self, uint32_t run_index, uint32_t node) {
    const model_run_t *run = &self->runs[run_index];
    const model_node_t *it = &run->nodes[node];
    bool ended_early = run->life == MODEL_ENDED &&
                       (run->status == DW_RUN_FAILED || run->status == DW_RUN_CANCELLED);
    if (!it->kept || it->dropped || it->requested || ended_early ||
        self->plan->failure_strategy == DW_BEST_EFFORT || self->is_conditional ||
        model_has_readers (self, run, node))
        return true;
    return model_is_wrong (self, "run %u: nobody reads node %u's output and it is not dropped",
                           run_index, node);
}

static bool s_check_runs (model_t *self, const dw_scheduler_t *scheduler) {
    uint32_t ready_count = 0;
    for (uint32_t run = 0; run < self->options.runs_max; run++) {
        uint32_t not_done_count = 0;
        if (self->runs[run].life == MODEL_FREE)
            continue;
        for (uint32_t node = 0; node < self->plan->nodes_count; node++) {
            if (!s_check_state (self, scheduler, run, node) || !s_check_dropped (self, run, node))
                return false;
            ready_count += model_is_ready (self, &self->runs[run], node);
            not_done_count += self->runs[run].nodes[node].state != DW_STATE_DONE;
        }
        const model_run_t *it = &self->runs[run];
        if (it->life == MODEL_LIVE && it->deadline_ns &&
            (it->deadline_ns <= self->now_ns ||
             it->deadline_ns < dw_scheduler_deadline_ns (scheduler)))
            return model_is_wrong (self, "run %u: nobody looks at its deadline", run);
        if (dw_scheduler_all_done (scheduler, run) && not_done_count > 0)
            return model_is_wrong (self, "run %u: nodes are not done and nobody says so", run);
    }
    if (dw_scheduler_ready_count (scheduler) != ready_count)
        return model_is_wrong (self, "%u nodes are ready, not %u", ready_count,
                               dw_scheduler_ready_count (scheduler));
    return true;
}

static bool s_check_workers (model_t *self, const dw_scheduler_t *scheduler) {
    int64_t deadline_ns = dw_scheduler_deadline_ns (scheduler);
    for (uint32_t w = 0; w < self->options.workers_max; w++) {
        model_worker_t *worker = &self->workers[w];
        const model_task_t *task = model_task (worker, worker->first);
        bool is_on = worker->first != worker->next;
        uint32_t run = DW_NONE;
        uint32_t node = dw_scheduler_worker_node (scheduler, w, &run);
        if (dw_scheduler_unanswered_count (scheduler, w) != model_unanswered (worker))
            return model_is_wrong (self, "worker %u holds %u tasks, not %u", w,
                                   model_unanswered (worker),
                                   dw_scheduler_unanswered_count (scheduler, w));
        if (is_on ? node != task->node || run != (task->live ? task->run : DW_NONE)
                  : node != DW_NONE)
            return model_is_wrong (self, "worker %u is not on node %d", w, (int) node);
        if (model_deadline_ns (self, w) <= self->now_ns)
            return model_is_wrong (self, "worker %u's first task is overdue and nothing is done",
                                   w);
        if (model_deadline_ns (self, w) < deadline_ns)
            return model_is_wrong (self, "the scheduler will look at worker %u too late", w);
    }
    return true;
}

/* How many nodes are ready in lane, and how many of them the shell's thread may run. */
static uint32_t s_count_ready (const model_t *self, uint32_t lane, uint32_t *brief_p) {
    uint32_t count = 0;
    *brief_p = 0;
    for (uint32_t run = 0; run < self->options.runs_max; run++)
        for (uint32_t node = 0; node < self->plan->nodes_count; node++) {
            if (self->runs[run].life != MODEL_LIVE || self->plan->lane[node] != lane ||
                !model_is_ready (self, &self->runs[run], node))
                continue;
            count++;
            *brief_p += model_is_brief (self, node) && !self->runs[run].nodes[node].suspect;
        }
    return count;
}

/* Own work is there when what comes next is brief, of which the model knows only so much. */
static bool s_check_own (model_t *self, const dw_scheduler_t *scheduler) {
    uint32_t brief = 0, ready = 0, local = model_local_worker (self);
    bool has_own = dw_scheduler_has_own (scheduler);
    if (local != DW_NONE && model_active_count (self) < model_active_max (self))
        ready = s_count_ready (self, self->workers[local].lane, &brief);
    if (has_own && brief == 0)
        return model_is_wrong (self, "there is said to be own work");
    if (!has_own && ready > 0 && brief == ready)
        return model_is_wrong (self, "there is said to be no own work");
    return true;
}

/* Nobody idles while something is ready that he could do, up to max_concurrency; but what is ready
 * may be left to the shell's thread when that is to go on with it. */
static bool s_check_idle (model_t *self, const dw_scheduler_t *scheduler) {
    uint32_t brief, local = model_local_worker (self);
    bool has_own = dw_scheduler_has_own (scheduler);
    if (model_active_count (self) + has_own >= model_active_max (self))
        return true;
    for (uint32_t w = 0; w < self->options.workers_max; w++) {
        const model_worker_t *worker = &self->workers[w];
        if (worker->local || model_unanswered (worker) > 0)
            continue;
        for (uint32_t lane = 0; lane < self->plan->lanes_count; lane++)
            if (model_serves (worker, lane) && s_count_ready (self, lane, &brief) > 0 &&
                !(has_own && lane == self->workers[local].lane))
                return model_is_wrong (self, "worker %u idles though a node is ready in lane %u", w,
                                       lane);
    }
    return true;
}

/* Where nobody is waited for, nothing is ready that nobody could do. */
static bool s_check_unserved (model_t *self) {
    uint32_t brief;
    for (uint32_t lane = 0; lane < self->plan->lanes_count; lane++)
        if (model_is_unserved (self, lane) && s_count_ready (self, lane, &brief) > 0)
            return model_is_wrong (self, "lane %u is not served and a node waits there", lane);
    return true;
}

static bool s_check_counts (model_t *self, const dw_scheduler_t *scheduler) {
    dw_scheduler_counts_t counts = dw_scheduler_counts (scheduler), mine = self->counts;
#define CHECK(name)                                                                  \
    if (counts.name != mine.name)                                                    \
        return model_is_wrong (self, #name " is %u, not %u", (unsigned) counts.name, \
                               (unsigned) mine.name);
    CHECK (runs_submitted)
    CHECK (runs_ok)
    CHECK (runs_partial)
    CHECK (runs_failed)
    CHECK (runs_cancelled)
    CHECK (tasks_sent)
    CHECK (steps_done)
    CHECK (attempts_failed)
    CHECK (retries)
    CHECK (timeouts)
    CHECK (deadlines)
    CHECK (losses)
    CHECK (returned)
    CHECK (answers_ignored)
    CHECK (workers_replaced)
#undef CHECK
    return true;
}

bool checker_state (model_t *self, const dw_scheduler_t *scheduler) {
    return s_check_runs (self, scheduler) && s_check_workers (self, scheduler) &&
           s_check_own (self, scheduler) && s_check_counts (self, scheduler);
}

bool checker_rest (model_t *self, const dw_scheduler_t *scheduler) {
    if (dw_scheduler_deadline_ns (scheduler) <= self->now_ns)
        return model_is_wrong (self, "the scheduler wants a step at a time that has passed");
    return s_check_unserved (self) && s_check_idle (self, scheduler);
}
