/* scheduler_runs.c - runs and their nodes: how a node gets ready, what an attempt comes to, how a
 * run ends. */

#include "runtime/core/scheduler_self.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

void dw_scheduler_make_ready (dw_scheduler_t *self, uint32_t run_index, uint32_t node) {
    dw_run_t *run = &self->runs[run_index];
    uint32_t lane_index = dw_run_lane (run, node);
    dw_lane_t *lane = &self->lanes[lane_index];
    run->nodes[node].state = DW_STATE_READY;
    dw_ready_push (&run->ready, node);
    if (dw_run_ready_count (run, lane_index) == 1)
        dw_scheduler_enter_lane (self, lane, run_index);
    else if (self->runs[run->root].added_count > 0 && dw_run_ready_first (run, lane_index) == node)
        dw_scheduler_settle_in_lane (self, lane, run_index);
    lane->ready_count++;
    self->ready_count++;
    dw_scheduler_pending_add (self, lane_index);
}

void dw_scheduler_take_ready (dw_scheduler_t *self, uint32_t run_index, uint32_t node) {
    dw_run_t *run = &self->runs[run_index];
    uint32_t lane_index = self->plan->lane[node];
    dw_lane_t *lane = &self->lanes[lane_index];
    dw_ready_remove (&run->ready, node);
    if (dw_ready_count (&run->ready, lane_index) == 0)
        dw_scheduler_leave_lane (self, lane, run_index);
    else if (run->added_count > 0)
        dw_scheduler_settle_in_lane (self, lane, run_index);
    lane->ready_count--;
    self->ready_count--;
}

/* Conditional plans: whether node, whose dependencies are final, does not run and so is final,
 * too. */
static bool s_is_out (dw_scheduler_t *self, uint32_t run_index, uint32_t node) {
    dw_run_t *run = &self->runs[run_index];
    dw_node_state_t state = dw_run_join (run, node);
    if (state == DW_STATE_READY)
        return false;
    run->nodes[node].state = (uint8_t) state;
    run->left_out_count += state == DW_STATE_LEFT_OUT;
    dw_scheduler_count_out (self, run_index, node);
    return true;
}

/* All dependencies of node are final. Whether it is, too, because it does not run. Under the level
 * strategy it may have to wait all the same. */
static bool s_dependencies_met (dw_scheduler_t *self, uint32_t run_index, uint32_t node) {
    dw_run_t *run = &self->runs[run_index];
    if (run->nodes[node].state != DW_STATE_WAITING)
        return false;
    if (run->rule) {
        dw_run_set_rule (run, node);
        if (run->plan->is_conditional && s_is_out (self, run_index, node))
            return true;
    }
    if (self->plan->strategy != DW_LEVEL || node < run->plan->level_at[run->level + 1])
        dw_scheduler_make_ready (self, run_index, node);
    return false;
}

/* Level strategy: while the open level has no unfinished node, opens the next. */
void dw_scheduler_open_levels (dw_scheduler_t *self, uint32_t run_index) {
    dw_run_t *run = &self->runs[run_index];
    const dw_plan_t *plan = run->plan;
    while (run->level_unfinished_count == 0 && run->level + 1 < plan->levels_count) {
        run->level++;
        uint32_t begin = plan->level_at[run->level], end = plan->level_at[run->level + 1];
        for (uint32_t node = begin; node < end; node++)
            run->level_unfinished_count += !dw_run_is_final (&run->nodes[node]);
        for (uint32_t node = begin; node < end; node++)
            s_dependencies_met (self, run_index, node);
    }
}

/* Drops an output that is there and that nobody will read any more. */
static void s_drop_if_unread (dw_scheduler_t *self, uint32_t run_index, uint32_t node) {
    const dw_run_t *run = &self->runs[run_index];
    if (run->readers[node] || (run->nodes[node].wanted & DW_REQUESTED) ||
        run->nodes[node].state != DW_STATE_DONE)
        return;
    dw_command_t *command = dw_scheduler_command (self, DW_DROP_OUTPUT);
    if (!command)
        return;
    command->run = run_index;
    command->node = node;
}

/* One reader less of an output. */
static void s_unread (dw_scheduler_t *self, uint32_t run_index, uint32_t node) {
    self->runs[run_index].readers[node]--;
    s_drop_if_unread (self, run_index, node);
}

/* node has become final: what counts unfinished nodes counts it out. */
void dw_scheduler_count_out (dw_scheduler_t *self, uint32_t run_index, uint32_t node) {
    dw_run_t *run = &self->runs[run_index];
    const dw_plan_t *plan = run->plan;
    run->unfinished_count--;
    if (plan->strategy == DW_LEVEL && node < plan->level_at[run->level + 1])
        run->level_unfinished_count--;
    if (!run->readers)
        return;
    s_drop_if_unread (self, run_index, node); /* its readers may all have been skipped */
    for (uint32_t e = plan->dependencies_at[node]; e < plan->dependencies_at[node + 1]; e++)
        s_unread (self, run_index, plan->dependencies[e]);
    if (plan->source[node] != DW_RUN_INPUT)
        s_unread (self, run_index, plan->source[node]);
}

/* Tells the dependents of a node that it is final, and theirs of those that do not run for it,
 * depth first: who is final waits for nothing any more, so its count is the link of the stack. */
static void s_release_dependents (dw_scheduler_t *self, uint32_t run_index, uint32_t node) {
    const dw_plan_t *plan = self->runs[run_index].plan;
    dw_run_node_t *nodes = self->runs[run_index].nodes;
    uint32_t top = DW_NONE;
    for (;;) {
        for (uint32_t e = plan->successors_at[node]; e < plan->successors_at[node + 1]; e++) {
            uint32_t dependent = plan->successors[e];
            if (--nodes[dependent].waits_for > 0 ||
                !s_dependencies_met (self, run_index, dependent))
                continue;
            nodes[dependent].waits_for = top;
            top = dependent;
        }
        if (top == DW_NONE)
            return;
        node = top;
        top = nodes[node].waits_for;
    }
}

void dw_scheduler_recall_run (dw_scheduler_t *self, uint32_t run_index) {
    dw_run_t *run = &self->runs[run_index];
    for (uint32_t w = 0; w < self->options.workers_max && run->sent_count > 0; w++) {
        dw_worker_state_t *worker = &self->workers[w];
        for (uint64_t t = worker->first; t < dw_scheduler_next (worker) && run->sent_count > 0; t++)
            if (dw_scheduler_task (worker, t)->run == run_index)
                dw_scheduler_give_up (self, w, t);
    }
    uint32_t begin = run->added ? run->lane : 0, end = begin + run->plan->lanes_count;
    for (uint32_t lane = begin; lane < end; lane++) {
        self->lanes[lane].ready_count -= dw_run_ready_count (run, lane);
        self->ready_count -= dw_run_ready_count (run, lane);
    }
}

static void s_finish (dw_scheduler_t *self, uint32_t run_index, dw_run_status_t status) {
    dw_run_t *run = &self->runs[run_index];
    assert (run->sent_count == 0);
    run->life = DW_RUN_ENDED;
    run->is_cut_short = status == DW_RUN_FAILED;
    switch (status) {
        case DW_RUN_OK: self->counts.runs_ok++; break;
        case DW_RUN_PARTIAL: self->counts.runs_partial++; break;
        case DW_RUN_FAILED: self->counts.runs_failed++; break;
        case DW_RUN_CANCELLED: self->counts.runs_cancelled++; break;
    }
    dw_command_t *command = dw_scheduler_command (self, DW_FINISH_RUN);
    if (!command)
        return;
    command->run = run_index;
    command->status = (uint8_t) status;
}

/* Ends a run before its time: what a worker holds is cancelled, what waits becomes waiting_as. */
static void s_break_off (dw_scheduler_t *self, uint32_t run_index, dw_node_state_t waiting_as,
                         dw_run_status_t status) {
    dw_run_t *run = &self->runs[run_index];
    dw_scheduler_recall_run (self, run_index);
    if (run->added_count > 0)
        dw_scheduler_drop_added (self, run_index);
    for (uint32_t node = 0; node < self->plan->nodes_count; node++) {
        dw_run_node_t *state = &run->nodes[node];
        if (dw_run_is_final (state))
            continue;
        bool is_under_way = state->state == DW_STATE_SENT || state->state == DW_STATE_ADDED;
        state->state = (uint8_t) (is_under_way ? DW_STATE_CANCELLED : waiting_as);
        run->unfinished_count--;
    }
    assert (run->unfinished_count == 0);
    s_finish (self, run_index, status);
}

/* A run that has no unfinished node has come to its end. */
void dw_scheduler_finish_if_over (dw_scheduler_t *self, uint32_t run_index) {
    dw_run_t *run = &self->runs[run_index];
    if (run->life != DW_RUN_LIVE || run->unfinished_count > 0)
        return;
    if (run->added) {
        dw_scheduler_end_added (self, run_index);
        return;
    }
    bool is_ok = run->not_done_count == run->left_out_count;
    if (!is_ok && !run->keeps_all) { /* a node that nobody asked for may fail */
        is_ok = true;
        for (uint32_t node = 0; is_ok && node < self->plan->nodes_count; node++)
            is_ok = !(run->nodes[node].wanted & DW_REQUESTED) ||
                    run->nodes[node].state == DW_STATE_DONE ||
                    run->nodes[node].state == DW_STATE_LEFT_OUT;
    }
    s_finish (self, run_index, is_ok ? DW_RUN_OK : DW_RUN_PARTIAL);
}

typedef struct s_skip_t {
    dw_scheduler_t *self;
    uint32_t run;
} s_skip_t;

static void s_on_skipped (void *arg, uint32_t node) {
    const s_skip_t *skip = arg;
    dw_scheduler_count_out (skip->self, skip->run, node);
}

/* What dw_scheduler_steps_done does, for a plain run. */
static uint32_t s_steps_done_plain (dw_scheduler_t *self, uint32_t run_index, uint32_t node,
                                    uint32_t steps) {
    dw_run_t *run = &self->runs[run_index];
    uint32_t before = dw_ready_count (&run->ready, 0);
    uint32_t next = dw_run_steps_done (run, node, steps);
    uint32_t made = dw_ready_count (&run->ready, 0) - before;
    if (made > 0) {
        if (before == 0)
            dw_scheduler_enter_lane (self, &self->lanes[0], run_index);
        self->lanes[0].ready_count += made;
        self->ready_count += made;
        dw_scheduler_pending_add (self, 0);
    }
    return next;
}

uint32_t dw_scheduler_steps_done (dw_scheduler_t *self, uint32_t run_index, uint32_t node,
                                  uint32_t steps) {
    dw_run_t *run = &self->runs[run_index];
    const dw_plan_t *plan = run->plan;
    self->counts.steps_done += steps;
    run->not_done_count -= steps;
    if (run->is_plain)
        return s_steps_done_plain (self, run_index, node, steps);
    for (;;) {
        if (run->nodes[node].state == DW_STATE_WAITING)
            run->nodes[node].attempts++; /* a later step of a chain */
        run->nodes[node].state = DW_STATE_DONE;
        dw_scheduler_count_out (self, run_index, node);
        if (--steps == 0)
            break;
        node = plan->chain_next[node];
        run->nodes[node].waits_for = 0;
        if (run->rule)
            dw_run_set_rule (run, node);
    }
    uint32_t next = plan->chain_next[node];
    if (next == DW_NONE)
        s_release_dependents (self, run_index, node);
    else { /* goes on in the same task, or its caller makes it ready */
        run->nodes[next].waits_for = 0;
        if (run->rule)
            dw_run_set_rule (run, next);
    }
    if (plan->strategy == DW_LEVEL)
        dw_scheduler_open_levels (self, run_index);
    return next;
}

/* A hash of three numbers to 0..1 (the finaliser of splitmix64; Steele, Lea, Flood 2014). */
static double s_hash (uint64_t seed, uint64_t a, uint64_t b) {
    uint64_t x = seed ^ (a * UINT64_C (0x9e3779b97f4a7c15)) ^ (b * UINT64_C (0xd1b54a32d192ed03));
    x = (x ^ (x >> 30)) * UINT64_C (0xbf58476d1ce4e5b9);
    x = (x ^ (x >> 27)) * UINT64_C (0x94d049bb133111eb);
    x ^= x >> 31;
    return (double) (x >> 11) / 9007199254740992.0;
}

/* How long to wait before a retry: exponential backoff, each wait varied by the jitter. */
static int64_t s_backoff_ns (const dw_scheduler_t *self, const dw_run_t *run, uint32_t node) {
    const dw_backoff_t *backoff = &dw_run_policy (run, node)->backoff;
    double wait_us = (double) backoff->initial_us;
    for (unsigned i = 1; i < run->retries[node] && wait_us < (double) backoff->max_us; i++)
        wait_us *= backoff->factor;
    if (wait_us > (double) backoff->max_us)
        wait_us = (double) backoff->max_us;
    double unit = s_hash (self->options.seed, run->serial,
                          ((uint64_t) node << 16) | run->nodes[node].attempts);
    wait_us *= 1 + backoff->jitter * (2 * unit - 1);
    return (int64_t) (wait_us * 1000);
}

dw_command_t *dw_scheduler_keep_error (dw_scheduler_t *self, uint32_t run, uint32_t node,
                                       uint16_t code, uint32_t handle) {
    dw_command_t *command = dw_scheduler_command (self, DW_KEEP_ERROR);
    if (!command)
        return NULL;
    command->run = run;
    command->node = node;
    command->code = code;
    command->handle = handle;
    return command;
}

/* What follows from what has just become final. */
static void s_go_on (dw_scheduler_t *self, uint32_t run_index) {
    if (self->plan->strategy == DW_LEVEL)
        dw_scheduler_open_levels (self, run_index);
    dw_scheduler_finish_if_over (self, run_index);
}

void dw_scheduler_node_done (dw_scheduler_t *self, uint32_t run_index, uint32_t node) {
    dw_run_t *run = &self->runs[run_index];
    self->counts.steps_done++;
    run->not_done_count--;
    run->nodes[node].state = DW_STATE_DONE;
    dw_scheduler_count_out (self, run_index, node);
    s_release_dependents (self, run_index, node);
    s_go_on (self, run_index);
}

void dw_scheduler_node_left_out (dw_scheduler_t *self, uint32_t run_index, uint32_t node) {
    dw_run_t *run = &self->runs[run_index];
    run->nodes[node].state = DW_STATE_LEFT_OUT;
    run->left_out_count++;
    dw_scheduler_count_out (self, run_index, node);
    s_release_dependents (self, run_index, node);
    s_go_on (self, run_index);
}

/* node has failed for good: the failure policy. In a conditional plan its dependents are skipped
 * when all that they depend on has ended: what joins them looks at whatever came before them. */
void dw_scheduler_node_failed (dw_scheduler_t *self, uint32_t run_index, uint32_t node) {
    dw_run_t *run = &self->runs[run_index];
    run->nodes[node].state = DW_STATE_FAILED;
    run->failed_count++;
    dw_scheduler_count_out (self, run_index, node);
    switch (self->plan->failure_strategy) {
        case DW_FAIL_FAST:
            if (run->added)
                dw_scheduler_fail_outwards (self, run_index, node);
            else
                s_break_off (self, run_index, DW_STATE_SKIPPED, DW_RUN_FAILED);
            return;
        case DW_CONTINUE_ON_ERROR: {
            if (run->plan->is_conditional) {
                s_release_dependents (self, run_index, node);
                break;
            }
            s_skip_t skip = {.self = self, .run = run_index};
            dw_run_skip_dependents (run, node, s_on_skipped, &skip);
            break;
        }
        case DW_BEST_EFFORT: s_release_dependents (self, run_index, node); break;
    }
    s_go_on (self, run_index);
}

void dw_scheduler_node_unserved (dw_scheduler_t *self, uint32_t run_index, uint32_t node) {
    dw_command_t *command = dw_scheduler_keep_error (self, run_index, node, 503, DW_NONE);
    if (!command)
        return;
    command->is_unserved = true;
    dw_scheduler_node_failed (self, run_index, node);
}

/* One attempt has failed: it is retried, or the node has failed. */
void dw_scheduler_attempt_failed (dw_scheduler_t *self, uint32_t run_index, uint32_t node,
                                  uint16_t code, uint32_t handle) {
    dw_run_t *run = &self->runs[run_index];
    self->counts.attempts_failed++;
    dw_scheduler_keep_error (self, run_index, node, code, handle);
    const dw_policy_t *policy = dw_run_policy (run, node);
    if (!run->retries || run->retries[node] >= policy->retry_attempts) {
        dw_scheduler_node_failed (self, run_index, node);
        return;
    }
    self->counts.retries++;
    run->retries[node]++;
    run->nodes[node].state = DW_STATE_BACKOFF;
    dw_timer_t timer = {.at_ns = self->now_ns + s_backoff_ns (self, run, node),
                        .worker = DW_NONE,
                        .run = run_index,
                        .serial = run->serial,
                        .node = node};
    dw_scheduler_add_timer (self, timer);
}

/* Whether a run's ready nodes are taken in order of arrival. Hybrid decides by measured times: for
 * a lane of long tasks the order decides when the run ends, for a lane of short ones it only
 * scatters memory accesses. */
bool dw_scheduler_is_in_order (const dw_scheduler_t *self) {
    switch (self->plan->strategy) {
        case DW_REACTIVE: return true;
        case DW_WORK_QUEUE:
        case DW_LEVEL: return false;
        case DW_HYBRID: break;
    }
    return self->plan->priority == DW_RANK && self->lanes[0].mean_ns < DW_MESSAGE_NS;
}

/* Most systems use few of the places that they may use. */
bool dw_scheduler_grow_runs (dw_scheduler_t *self, uint32_t run) {
    if (run < self->runs_size)
        return true;
    uint32_t size = self->runs_size ? self->runs_size : 16;
    while (size <= run)
        size *= 2;
    dw_run_t *runs = realloc (self->runs, size * sizeof *runs);
    if (!runs)
        return false;
    memset (runs + self->runs_size, 0, (size - self->runs_size) * sizeof *runs);
    self->runs = runs;
    self->runs_size = size;
    return true;
}

/* A run that can only fail does so at once: one of its nodes is in a lane that nobody serves, and
 * cannot be left out. */
static void s_fail_if_unserved (dw_scheduler_t *self, uint32_t run_index) {
    const dw_plan_t *plan = self->plan;
    const dw_run_t *run = &self->runs[run_index];
    for (uint32_t node = 0; node < plan->nodes_count; node++)
        if ((run->nodes[node].wanted & DW_WANTED) &&
            dw_scheduler_is_unserved (self, plan->lane[node])) {
            dw_scheduler_node_unserved (self, run_index, node);
            return;
        }
}

void dw_scheduler_start_run (dw_scheduler_t *self, uint32_t run_index) {
    dw_run_t *run = &self->runs[run_index];
    uint32_t sources_end = run->plan->level_at[1];
    for (uint32_t node = 0; node < sources_end; node++) {
        run->level_unfinished_count += !dw_run_is_final (&run->nodes[node]);
        s_dependencies_met (self, run_index, node);
    }
    if (run->plan->strategy == DW_LEVEL)
        dw_scheduler_open_levels (self, run_index);
}

void dw_scheduler_on_run_submitted (dw_scheduler_t *self, const dw_event_t *event) {
    const dw_plan_t *plan = self->plan;
    assert (event->run < self->options.runs_max);
    if (!dw_scheduler_grow_runs (self, event->run)) {
        self->no_memory = true;
        return;
    }
    dw_run_t *run = &self->runs[event->run];
    assert (run->life == DW_RUN_FREE);
    self->counts.runs_submitted++;
    run->serial = ++self->serial;
    run->root = event->run;
    if (plan->nodes_count == 0 ||
        dw_run_begin (run, plan, self->template, self->has_retries, dw_scheduler_is_in_order (self),
                      event->outputs, event->outputs_count)) {
        dw_run_begin_empty (run, plan);
        s_finish (self, event->run, plan->nodes_count == 0 ? DW_RUN_OK : DW_RUN_FAILED);
        return;
    }
    if (event->deadline_ns)
        dw_scheduler_add_timer (self, (dw_timer_t){.at_ns = event->deadline_ns,
                                                   .worker = DW_NONE,
                                                   .run = event->run,
                                                   .serial = run->serial,
                                                   .node = DW_NONE});
    run->budget = plan->added_nodes_max;
    run->is_plain = plan->pool && plan->lanes_count == 1 && run->keeps_all && !run->rule &&
                    plan->strategy != DW_LEVEL && plan->adders_count == 0;
    dw_scheduler_start_run (self, event->run);
    if (self->unserved && plan->failure_strategy == DW_FAIL_FAST && !plan->is_conditional)
        s_fail_if_unserved (self, event->run);
}

void dw_scheduler_on_run_cancelled (dw_scheduler_t *self, const dw_event_t *event) {
    if (event->run < self->runs_size && self->runs[event->run].life == DW_RUN_LIVE &&
        !self->runs[event->run].added)
        s_break_off (self, event->run, DW_STATE_CANCELLED, DW_RUN_CANCELLED);
}

/* A node at which a run was when its time was over. */
static void s_out_of_time (dw_scheduler_t *self, uint32_t run_index, uint32_t node) {
    dw_run_t *run = &self->runs[run_index];
    dw_command_t *command = dw_scheduler_keep_error (self, run_index, node, 408, DW_NONE);
    if (command)
        command->of_run = true;
    if (run->nodes[node].state == DW_STATE_WAITING)
        run->nodes[node].attempts++; /* a later step of a chain */
    run->nodes[node].state = DW_STATE_FAILED;
    run->failed_count++;
    dw_scheduler_count_out (self, run_index, node);
}

void dw_scheduler_on_run_deadline (dw_scheduler_t *self, uint32_t run_index) {
    dw_run_t *run = &self->runs[run_index];
    uint32_t failed_before = run->failed_count, node = 0;
    self->counts.deadlines++;
    for (uint32_t w = 0; w < self->options.workers_max; w++) {
        const dw_worker_state_t *worker = &self->workers[w];
        if (worker->held == 0)
            continue;
        const dw_held_task_t *task = dw_scheduler_task (worker, worker->first);
        if (task->run != DW_NONE && self->runs[task->run].root == run_index &&
            !dw_run_is_final (&run->nodes[task->shown]))
            s_out_of_time (self, run_index, task->shown);
    }
    if (run->failed_count == failed_before) { /* nobody was at it: the first that would have come */
        while (dw_run_is_final (&run->nodes[node]))
            node++;
        s_out_of_time (self, run_index, node);
    }
    s_break_off (self, run_index, DW_STATE_SKIPPED, DW_RUN_FAILED);
}
