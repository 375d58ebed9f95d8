/* model.c - what a scheduler owes for its events. */

#include "tests/support/model_self.h"

#include <assert.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

void model_init (model_t *self, const evaluator_t *evaluator, const dw_plan_t *plan,
                 const dw_scheduler_options_t *options) {
    memset (self, 0, sizeof *self);
    self->evaluator = evaluator;
    self->plan = plan;
    self->options = *options;
    self->runs = calloc (options->runs_max, sizeof *self->runs);
    self->workers = calloc (options->workers_max, sizeof *self->workers);
    self->kinds = calloc (plan->kinds_count + 1u, sizeof *self->kinds);
    self->sources = calloc (plan->nodes_count, sizeof *self->sources);
    assert (self->runs && self->workers && self->kinds && self->sources);
    self->is_conditional = random_graph_is_conditional (evaluator->graph);
    for (uint32_t run = 0; run < options->runs_max; run++) {
        self->runs[run].nodes = calloc (plan->nodes_count, sizeof (model_node_t));
        self->runs[run].done = calloc (plan->nodes_count, sizeof (bool));
        assert (self->runs[run].nodes && self->runs[run].done);
    }
    memset (self->runs[0].done, 1, plan->nodes_count * sizeof (bool));
    for (uint32_t node = 0; node < plan->nodes_count; node++)
        self->sources[node] = model_source (self, &self->runs[0], node);
}

void model_clear (model_t *self) {
    for (uint32_t run = 0; run < self->options.runs_max; run++) {
        free (self->runs[run].nodes);
        free (self->runs[run].done);
    }
    free (self->runs);
    free (self->workers);
    free (self->kinds);
    free (self->sources);
    free (self->owed);
}

bool model_is_wrong (model_t *self, const char *format, ...) {
    va_list arguments;
    if (self->wrong[0])
        return false;
    va_start (arguments, format);
    vsnprintf (self->wrong, sizeof self->wrong, format, arguments);
    va_end (arguments);
    return false;
}

void model_owe (model_t *self, dw_command_t command) {
    if (self->owed_count == self->owed_size) {
        self->owed_size = self->owed_size ? 2 * self->owed_size : 64;
        self->owed = realloc (self->owed, self->owed_size * sizeof *self->owed);
        assert (self->owed);
    }
    self->owed[self->owed_count++] = command;
}

static uint32_t s_declared (const model_t *self, uint32_t node) {
    return self->evaluator->by_rank[node];
}

/* -- Runs ----------------------------------------------------------------------------------- */

static void s_finish (model_t *self, uint32_t run, dw_run_status_t status) {
    self->runs[run].life = MODEL_ENDED;
    self->runs[run].status = status;
    self->counts.runs_ok += status == DW_RUN_OK;
    self->counts.runs_partial += status == DW_RUN_PARTIAL;
    self->counts.runs_failed += status == DW_RUN_FAILED;
    self->counts.runs_cancelled += status == DW_RUN_CANCELLED;
    model_owe (self, (dw_command_t){.type = DW_FINISH_RUN, .run = run, .status = (uint8_t) status});
}

static void s_finish_if_over (model_t *self, uint32_t run_index) {
    model_run_t *run = &self->runs[run_index];
    bool ok = true;
    if (run->life != MODEL_LIVE)
        return;
    for (uint32_t node = 0; node < self->plan->nodes_count; node++) {
        if (!model_is_final (&run->nodes[node]))
            return;
        ok = ok && (!run->nodes[node].requested || run->nodes[node].state == DW_STATE_DONE ||
                    run->nodes[node].state == DW_STATE_LEFT_OUT);
    }
    s_finish (self, run_index, ok ? DW_RUN_OK : DW_RUN_PARTIAL);
}

/* Nobody waits for the task any more. Its nodes are no longer held. */
static void s_unhold (model_t *self, model_task_t *task) {
    uint32_t node = task->node;
    for (uint32_t step = 0; step < task->steps; step++) {
        self->runs[task->run].nodes[node].held = false;
        node = self->plan->chain_next[node];
    }
    task->live = false;
}

void model_cancel (model_t *self, uint32_t worker, uint64_t ticket) {
    s_unhold (self, model_task (&self->workers[worker], ticket));
    if (ticket == self->workers[worker].first) {
        self->workers[worker].since_ns = self->now_ns;
        self->workers[worker].suspect = true;
    }
    model_owe (self, (dw_command_t){.type = DW_CANCEL_TASK, .worker = worker, .ticket = ticket});
}

void model_break_off (model_t *self, uint32_t run_index, dw_node_state_t waiting_as,
                      dw_run_status_t status) {
    model_run_t *run = &self->runs[run_index];
    for (uint32_t w = 0; w < self->options.workers_max; w++)
        for (uint64_t ticket = self->workers[w].first; ticket < self->workers[w].next; ticket++) {
            const model_task_t *task = model_task (&self->workers[w], ticket);
            if (!task->live || task->run != run_index)
                continue;
            if (run->nodes[task->node].state != DW_STATE_FAILED)
                run->nodes[task->node].state = DW_STATE_CANCELLED;
            model_cancel (self, w, ticket);
        }
    for (uint32_t node = 0; node < self->plan->nodes_count; node++)
        if (!model_is_final (&run->nodes[node]))
            run->nodes[node].state = waiting_as;
    s_finish (self, run_index, status);
}

static bool s_are_dependencies_final (const model_t *self, const model_run_t *run, uint32_t node) {
    for (uint32_t other = 0; other < node; other++)
        if (model_depends_on (self, node, other) && !model_is_final (&run->nodes[other]))
            return false;
    return true;
}

/* Conditional graphs: something has become final, after which some nodes do not run. */
static void s_settle (model_t *self, uint32_t run_index) {
    model_run_t *run = &self->runs[run_index];
    for (uint32_t node = 0; self->is_conditional && node < self->plan->nodes_count; node++)
        if (run->nodes[node].state == DW_STATE_WAITING && !run->nodes[node].held &&
            s_are_dependencies_final (self, run, node))
            run->nodes[node].state = model_join (self, run, node);
}

static void s_node_left_out (model_t *self, uint32_t run, uint32_t node) {
    self->runs[run].nodes[node].state = DW_STATE_LEFT_OUT;
    s_settle (self, run);
    s_finish_if_over (self, run);
}

/* Gives up what a task has of nodes that were cut. */
static void s_cut_task (model_t *self, uint32_t w, uint64_t ticket) {
    model_task_t *task = model_task (&self->workers[w], ticket);
    model_node_t *nodes = self->runs[task->run].nodes;
    uint32_t node = task->node, steps = 0, cut = 0;
    for (uint32_t step = 0; step < task->steps; step++, node = self->plan->chain_next[node])
        if (nodes[node].cut) {
            nodes[node].held = false;
            cut++;
        } else
            steps++;
    if (cut == 0)
        return;
    if (steps == 0) {
        model_cancel (self, w, ticket);
        return;
    }
    task->steps = steps;
    task->cut += cut;
    model_owe (self, (dw_command_t){.type = DW_CANCEL_TASK,
                                    .worker = w,
                                    .ticket = ticket,
                                    .steps = task->told + steps});
}

static void s_on_node_cancelled (model_t *self, const dw_event_t *event) {
    model_run_t *run = &self->runs[event->run];
    if (run->life != MODEL_LIVE || event->node >= self->plan->nodes_count)
        return;
    for (uint32_t node = 0; node < self->plan->nodes_count; node++)
        if (!model_is_final (&run->nodes[node]) &&
            (node == event->node || evaluator_is_ancestor (self->evaluator, s_declared (self, node),
                                                           s_declared (self, event->node)))) {
            run->nodes[node].state = DW_STATE_CANCELLED;
            run->nodes[node].cut = true;
        }
    for (uint32_t w = 0; w < self->options.workers_max; w++)
        for (uint64_t ticket = self->workers[w].first; ticket < self->workers[w].next; ticket++)
            if (model_task (&self->workers[w], ticket)->live &&
                model_task (&self->workers[w], ticket)->run == event->run)
                s_cut_task (self, w, ticket);
    s_finish_if_over (self, event->run);
}

static void s_node_failed (model_t *self, uint32_t run_index, uint32_t node) {
    model_run_t *run = &self->runs[run_index];
    run->nodes[node].state = DW_STATE_FAILED;
    switch (self->plan->failure_strategy) {
        case DW_FAIL_FAST:
            model_break_off (self, run_index, DW_STATE_SKIPPED, DW_RUN_FAILED);
            return;
        case DW_CONTINUE_ON_ERROR:
            for (uint32_t other = 0; !self->is_conditional && other < self->plan->nodes_count;
                 other++)
                if (run->nodes[other].wanted && !model_is_final (&run->nodes[other]) &&
                    evaluator_is_ancestor (self->evaluator, s_declared (self, other),
                                           s_declared (self, node)))
                    run->nodes[other].state = DW_STATE_SKIPPED;
            break;
        case DW_BEST_EFFORT: break;
    }
    s_settle (self, run_index);
    s_finish_if_over (self, run_index);
}

static void s_backoff (model_t *self, const model_run_t *run, uint32_t node) {
    const dw_backoff_t *backoff = &self->plan->policies[self->plan->policy[node]].backoff;
    model_node_t *it = &run->nodes[node];
    double wait_us = (double) backoff->initial_us;
    for (uint32_t i = 1; i < it->failures; i++)
        wait_us *= backoff->factor;
    if (wait_us > (double) backoff->max_us)
        wait_us = (double) backoff->max_us;
    it->state = DW_STATE_BACKOFF;
    it->retry_from_ns = self->now_ns + (int64_t) (wait_us * (1 - backoff->jitter) * 1000) - 1;
    it->retry_to_ns = self->now_ns + (int64_t) (wait_us * (1 + backoff->jitter) * 1000) + 1;
}

void model_attempt_failed (model_t *self, uint32_t run_index, uint32_t node, uint16_t code,
                           uint32_t handle) {
    model_run_t *run = &self->runs[run_index];
    self->counts.attempts_failed++;
    model_owe (
        self,
        (dw_command_t){
            .type = DW_KEEP_ERROR, .run = run_index, .node = node, .code = code, .handle = handle});
    if (run->nodes[node].failures++ <
        random_graph_retries (self->evaluator->graph, s_declared (self, node))) {
        self->counts.retries++;
        s_backoff (self, run, node);
    } else
        s_node_failed (self, run_index, node);
}

/* -- Workers and what they hold ------------------------------------------------------------- */

static void s_pop (model_t *self, model_worker_t *worker) {
    worker->first++;
    worker->since_ns = self->now_ns;
    if (worker->first == worker->next)
        worker->suspect = false;
}

/* The task was not begun, or not gone on with: its next step can run elsewhere. */
static void s_release (model_t *self, model_task_t *task) {
    model_node_t *node = &self->runs[task->run].nodes[task->node];
    node->attempts -= !task->begun;
    node->state = DW_STATE_WAITING;
    self->counts.returned++;
    s_unhold (self, task);
}

/* What is behind a worker's first task. */
void model_take_back (model_t *self, uint32_t worker_index, bool is_told) {
    model_worker_t *worker = &self->workers[worker_index];
    for (uint64_t ticket = worker->first + 1; ticket < worker->next; ticket++) {
        model_task_t *task = model_task (worker, ticket);
        if (!task->live)
            continue;
        s_release (self, task);
        task->was_late = true;
        if (is_told)
            model_cancel (self, worker_index, ticket);
    }
}

void model_forget_worker (model_worker_t *worker) {
    worker->first = worker->next;
    worker->present = worker->suspect = false;
}

/* The step at hand had begun, though only a task's first step was counted when it was sent. */
void model_count_begun (model_t *self, const model_task_t *task) {
    self->runs[task->run].nodes[task->node].attempts += task->begun;
}

/* The time of an answer. The shell's own tasks are timed by looks at the clock (model_timed). */
static void s_learn (model_t *self, const model_worker_t *worker, uint32_t node,
                     uint64_t duration_ns) {
    model_kind_t *kind = &self->kinds[self->plan->kind[node]];
    if (worker->local)
        return;
    kind->measured = true;
    kind->last_ns = duration_ns;
}

/* The output of a worker's steps is owed a command; what the shell's thread has run is where it
 * stays. */
static void s_owe_outputs (model_t *self, const model_worker_t *worker, const model_task_t *task,
                           uint32_t steps, const dw_event_t *event) {
    uint32_t node = task->node;
    if (!worker->local) {
        model_owe (self, (dw_command_t){.type = DW_KEEP_OUTPUT,
                                        .run = task->run,
                                        .node = node,
                                        .steps = steps,
                                        .handle = event->handle});
        return;
    }
    for (uint32_t step = 0; step < steps; step++, node = self->plan->chain_next[node])
        self->runs[task->run].nodes[node].kept = true;
}

/* Steps of a chain are done; each must have been given the payload that it was to have. */
static void s_steps_done (model_t *self, model_task_t *task, uint32_t steps) {
    model_run_t *run = &self->runs[task->run];
    self->counts.steps_done += steps;
    for (uint32_t step = 0; step < steps; step++) {
        uint32_t node = task->node, next = self->plan->chain_next[node];
        if (task->source != model_source (self, run, node))
            model_is_wrong (self,
                            "run %u: node %u was given the output of node %d along its chain, "
                            "not of node %d",
                            task->run, node, (int) task->source,
                            (int) model_source (self, run, node));
        model_count_begun (self, task);
        run->nodes[node].state = DW_STATE_DONE;
        run->nodes[node].held = false;
        run->done[s_declared (self, node)] = true;
        task->begun = true;
        task->steps--;
        if (next != DW_NONE && self->sources[next] == node)
            task->source = node;
        task->node = next;
    }
}

static void s_on_done (model_t *self, model_worker_t *worker, const dw_event_t *event) {
    model_task_t *task = model_task (worker, worker->first);
    uint32_t run = task->run, node = task->node;
    task->told += event->steps;
    if (!task->live) {
        self->counts.answers_ignored++;
        if (task->was_late && worker->late_ns < MODEL_LATE_NS_MAX)
            worker->late_ns *= 2;
        task->was_late = false; /* it counts once */
        if (event->last)
            s_pop (self, worker);
        return;
    }
    if (event->steps < 1 || event->steps > task->steps + task->cut) {
        model_count_begun (self, task);
        s_unhold (self, task);
        s_pop (self, worker);
        model_attempt_failed (self, run, node, 502, DW_NONE);
        return;
    }
    s_learn (self, worker, node, event->duration_ns);
    uint32_t steps = event->steps < task->steps ? event->steps : task->steps;
    s_owe_outputs (self, worker, task, steps, event);
    s_steps_done (self, task, steps);
    task->cut -= event->steps - steps;
    worker->since_ns = self->now_ns;
    if (event->last || task->steps + task->cut == 0) {
        s_unhold (self, task);
        s_pop (self, worker);
    } else if (task->steps == 0) /* it may be at what was cancelled */
        model_cancel (self, event->worker, event->ticket);
    s_settle (self, run);
    s_finish_if_over (self, run);
}

static void s_on_failed (model_t *self, model_worker_t *worker, const dw_event_t *event) {
    model_task_t *task = model_task (worker, worker->first);
    s_pop (self, worker);
    if (!task->live) {
        self->counts.answers_ignored++;
        return;
    }
    s_learn (self, worker, task->node, event->duration_ns);
    model_count_begun (self, task);
    s_unhold (self, task);
    model_attempt_failed (self, task->run, task->node, event->code, event->handle);
}

static void s_on_skipped (model_t *self, model_worker_t *worker, const dw_event_t *event) {
    model_task_t *task = model_task (worker, worker->first);
    s_pop (self, worker);
    if (!task->live) {
        self->counts.answers_ignored++;
        return;
    }
    model_count_begun (self, task);
    s_unhold (self, task);
    if (!model_may_skip (self, task->node)) {
        model_attempt_failed (self, task->run, task->node, 502, DW_NONE);
        return;
    }
    s_learn (self, worker, task->node, event->duration_ns);
    s_node_left_out (self, task->run, task->node);
}

static void s_on_returned (model_t *self, model_worker_t *worker) {
    model_task_t *task = model_task (worker, worker->first);
    s_pop (self, worker);
    if (task->live)
        s_release (self, task);
}

/* It, or another step of it, may be what took its worker down. */
static void s_suspect (model_t *self, const model_task_t *task) {
    uint32_t node = task->node;
    for (uint32_t step = 0; task->live && step < task->steps; step++) {
        self->runs[task->run].nodes[node].suspect = true;
        node = self->plan->chain_next[node];
    }
}

static void s_on_lost (model_t *self, const dw_event_t *event) {
    uint32_t worker_index = event->worker;
    model_worker_t *worker = &self->workers[worker_index];
    model_task_t *task = model_task (worker, worker->first);
    bool was_busy = worker->first != worker->next;
    if (!worker->present)
        return;
    for (uint64_t ticket = worker->first; !event->last && ticket < worker->next; ticket++)
        s_suspect (self, model_task (worker, ticket));
    model_take_back (self, worker_index, false);
    model_forget_worker (worker);
    if (!was_busy || !task->live)
        return;
    bool is_once = model_is_once (self, task->node);
    if (event->idle || (event->last && !is_once)) { /* it was at nothing, or did not go down */
        s_release (self, task);
        return;
    }
    model_node_t *node = &self->runs[task->run].nodes[task->node];
    self->counts.losses++;
    model_count_begun (self, task);
    s_unhold (self, task);
    node->state = DW_STATE_WAITING;
    model_owe (self, (dw_command_t){.type = DW_KEEP_DEATH,
                                    .run = task->run,
                                    .node = task->node,
                                    .worker = worker_index,
                                    .handle = event->handle});
    node->deaths++;
    if (!is_once && node->deaths < MODEL_DEATHS_MAX)
        return;
    model_owe (self, (dw_command_t){.type = DW_KEEP_ERROR,
                                    .run = task->run,
                                    .node = task->node,
                                    .code = 503,
                                    .handle = DW_NONE});
    s_node_failed (self, task->run, task->node);
}

/* node failed because nobody serves its lane. */
void model_fail_unserved (model_t *self, uint32_t run, uint32_t node) {
    self->runs[run].nodes[node].unserved = true;
    model_owe (self, (dw_command_t){.type = DW_KEEP_ERROR,
                                    .run = run,
                                    .node = node,
                                    .code = 503,
                                    .handle = DW_NONE,
                                    .is_unserved = true});
    s_node_failed (self, run, node);
}

static void s_on_submitted (model_t *self, const dw_event_t *event) {
    model_run_t *run = &self->runs[event->run];
    const dw_plan_t *plan = self->plan;
    self->counts.runs_submitted++;
    run->life = MODEL_LIVE;
    run->was_cancelled = run->ran_out = false;
    run->deadline_ns = event->deadline_ns;
    run->keeps_all = event->outputs_count == 0;
    memset (run->nodes, 0, plan->nodes_count * sizeof *run->nodes);
    memset (run->done, 0, plan->nodes_count * sizeof *run->done);
    for (uint32_t node = 0; node < plan->nodes_count; node++) {
        model_node_t *it = &run->nodes[node];
        it->wanted = it->requested = run->keeps_all;
        for (uint32_t i = 0; i < event->outputs_count; i++) {
            it->requested = it->requested || event->outputs[i] == node;
            it->wanted = it->wanted || event->outputs[i] == node ||
                         evaluator_is_ancestor (self->evaluator,
                                                s_declared (self, event->outputs[i]),
                                                s_declared (self, node));
        }
        if (!it->wanted)
            it->state = DW_STATE_NOT_REQUESTED;
    }
    bool fails = plan->failure_strategy == DW_FAIL_FAST && !self->is_conditional;
    for (uint32_t node = 0; fails && node < plan->nodes_count; node++)
        if (run->nodes[node].wanted && model_is_unserved (self, plan->lane[node])) {
            model_fail_unserved (self, event->run, node);
            return;
        }
}

static void s_on_joined (model_t *self, const dw_event_t *event) {
    model_worker_t *worker = &self->workers[event->worker];
    worker->present = true;
    worker->local = event->local;
    worker->late_ns = MODEL_LATE_NS;
    worker->lane = event->lane;
    worker->lanes = event->lanes;
    worker->credit = event->credit;
}

/* A backlog goes on unless there was a pause, longer than it and than what is late. */
static void s_on_backlog (model_t *self) {
    int64_t pause_ns = self->now_ns - self->backlog_ns;
    bool goes_on = pause_ns - MODEL_LATE_NS <= self->backlog_lasted_ns;
    self->backlog_lasted_ns = goes_on ? self->backlog_lasted_ns + pause_ns : 0;
    if (self->backlog_lasted_ns > MODEL_LATE_NS_MAX)
        self->backlog_lasted_ns = MODEL_LATE_NS_MAX;
    self->backlog_ns = self->now_ns;
}

void model_event (model_t *self, const dw_event_t *event) {
    model_worker_t *worker = &self->workers[event->worker];
    switch ((dw_event_type_t) event->type) {
        case DW_EVENT_RUN_SUBMITTED: s_on_submitted (self, event); return;
        case DW_EVENT_RUN_CANCELLED:
            if (self->runs[event->run].life == MODEL_LIVE) {
                self->runs[event->run].was_cancelled = true;
                model_break_off (self, event->run, DW_STATE_CANCELLED, DW_RUN_CANCELLED);
            }
            return;
        case DW_EVENT_NODE_CANCELLED: s_on_node_cancelled (self, event); return;
        case DW_EVENT_WORKER_JOINED: s_on_joined (self, event); return;
        case DW_EVENT_WORKER_LOST: s_on_lost (self, event); return;
        case DW_EVENT_LANES_UNSERVED: self->unserved = event->lanes; return;
        case DW_EVENT_BACKLOG: s_on_backlog (self); return;
        case DW_EVENT_TASK_DONE:
        case DW_EVENT_TASK_FAILED:
        case DW_EVENT_TASK_RETURNED:
        case DW_EVENT_TASK_SKIPPED:
        case DW_EVENT_TASK_ADDED: break;
    }
    if (!worker->present || worker->first == worker->next || event->ticket != worker->first ||
        event->step != model_task (worker, worker->first)->told)
        self->counts.answers_ignored++;
    else if (event->type == DW_EVENT_TASK_DONE)
        s_on_done (self, worker, event);
    else if (event->type == DW_EVENT_TASK_FAILED)
        s_on_failed (self, worker, event);
    else if (event->type == DW_EVENT_TASK_SKIPPED)
        s_on_skipped (self, worker, event);
    else
        s_on_returned (self, worker);
}
