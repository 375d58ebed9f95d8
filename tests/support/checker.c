/* checker.c - holds a scheduler's commands and answers against the model. */

#include "tests/support/checker_self.h"

#include <stdlib.h>
#include <string.h>

static const char *s_run_name (unsigned status) {
    static const char *const names[] = {"ok", "partial", "failed", "cancelled"};
    return names[status];
}

/* -- Commands ------------------------------------------------------------------------------- */

static bool s_same (const dw_command_t *a, const dw_command_t *b) {
    return a->type == b->type && a->status == b->status && a->run == b->run && a->node == b->node &&
           a->worker == b->worker && a->steps == b->steps && a->handle == b->handle &&
           a->code == b->code && a->of_run == b->of_run && a->is_unserved == b->is_unserved &&
           a->ticket == b->ticket;
}

/* Ticks off what was owed. */
static bool s_tick_off (model_t *self, const dw_command_t *command) {
    for (size_t i = 0; i < self->owed_count; i++)
        if (s_same (&self->owed[i], command)) {
            self->owed[i] = self->owed[--self->owed_count];
            return true;
        }
    return false;
}

static bool s_check_keep_output (model_t *self, const dw_command_t *command) {
    uint32_t node = command->node;
    if (command->attempt != self->runs[command->run].nodes[node].attempts)
        return model_is_wrong (self, "run %u: the output of node %u is said to be of attempt %u",
                               command->run, node, command->attempt);
    if (!s_tick_off (self, command))
        return model_is_wrong (self,
                               "run %u: the output of node %u (%u steps, handle %u) is kept "
                               "for no reason",
                               command->run, node, command->steps, command->handle);
    for (uint32_t step = 0; step < command->steps; step++, node = self->plan->chain_next[node]) {
        model_node_t *it = &self->runs[command->run].nodes[node];
        if (it->kept)
            return model_is_wrong (self, "run %u: node %u's output is kept twice", command->run,
                                   node);
        it->kept = true;
    }
    return true;
}

static bool s_check_drop (model_t *self, const dw_command_t *command) {
    model_run_t *run = &self->runs[command->run];
    model_node_t *it = &run->nodes[command->node];
    if (run->life == MODEL_FREE || !it->kept || it->dropped)
        return model_is_wrong (self, "run %u: node %u's output is dropped but not there",
                               command->run, command->node);
    if (it->requested)
        return model_is_wrong (self, "run %u: node %u's output is dropped but was asked for",
                               command->run, command->node);
    if (run->life == MODEL_LIVE && model_has_readers (self, run, command->node))
        return model_is_wrong (self, "run %u: node %u's output is dropped before its last reader",
                               command->run, command->node);
    it->dropped = true;
    return true;
}

static bool s_check_finish (model_t *self, const dw_command_t *command) {
    if (!s_tick_off (self, command))
        return model_is_wrong (self, "run %u finishes as %s for no reason", command->run,
                               s_run_name (command->status));
    for (size_t i = 0; i < self->owed_count; i++)
        if (self->owed[i].run == command->run &&
            (self->owed[i].type == DW_KEEP_OUTPUT || self->owed[i].type == DW_KEEP_ERROR ||
             self->owed[i].type == DW_KEEP_DEATH))
            return model_is_wrong (self, "run %u finishes before all of it was kept", command->run);
    return true;
}

static bool s_is_suspect (const model_t *self, const dw_command_t *command) {
    return self->runs[command->run].nodes[command->node].suspect;
}

static bool s_is_alone (const model_t *self, const dw_command_t *command) {
    return model_is_once (self, command->node) || s_is_suspect (self, command);
}

static bool s_check_worker (model_t *self, const dw_command_t *command) {
    model_worker_t *worker = &self->workers[command->worker];
    bool measured = self->kinds[self->plan->kind[command->node]].measured;
    uint32_t w = command->worker;
    if (w >= self->options.workers_max || !worker->present)
        return model_is_wrong (self, "a task is sent to worker %u, which is absent", w);
    if (!model_serves (worker, self->plan->lane[command->node]))
        return model_is_wrong (self, "node %u is sent to worker %u, which does not serve its lane",
                               command->node, w);
    if (worker->suspect)
        return model_is_wrong (self, "a task is sent to worker %u, which is suspect", w);
    if (model_unanswered (worker) >= worker->credit)
        return model_is_wrong (self, "worker %u is sent more than its credit", w);
    if (command->ticket != worker->next)
        return model_is_wrong (self, "worker %u's ticket is not one more than its last", w);
    if (model_unanswered (worker) == 0 && model_active_count (self) >= model_active_max (self))
        return model_is_wrong (self, "more than %u workers are busy", model_active_max (self));
    if (!worker->local && self->plan->batch_size > 0 &&
        worker->sent_in_step >= self->plan->batch_size)
        return model_is_wrong (self, "worker %u is sent more than batch_size at a time", w);
    for (uint64_t ticket = worker->first; ticket < worker->next; ticket++)
        if (!measured || model_task (worker, ticket)->unmeasured)
            return model_is_wrong (self, "node %u is sent with another, one of them unmeasured",
                                   command->node);
        else if (s_is_alone (self, command) || model_task (worker, ticket)->alone)
            return model_is_wrong (self, "node %u is sent with another, one of them to be alone",
                                   command->node);
    return true;
}

static uint32_t s_dependencies_count (const model_t *self, uint32_t node) {
    const evaluator_t *evaluator = self->evaluator;
    return evaluator->graph->nodes[evaluator->by_rank[node]].dependencies_count;
}

/* What a node needs that is to run now, or right after another in its chain. */
static bool s_check_node (model_t *self, const dw_command_t *command, uint32_t node) {
    const model_run_t *run = &self->runs[command->run];
    const model_node_t *it = &run->nodes[node];
    if (it->held || model_is_final (it) || it->state == DW_STATE_SENT)
        return model_is_wrong (self, "run %u: node %u is sent again", command->run, node);
    if (it->state == DW_STATE_BACKOFF && self->now_ns < it->retry_from_ns)
        return model_is_wrong (self, "run %u: node %u is retried too early", command->run, node);
    if (self->workers[command->worker].local && !model_is_brief (self, node))
        return model_is_wrong (self, "node %u is not brief and given to the shell's thread", node);
    if (command->steps > 1 && (model_is_timed (self, node) || model_is_once (self, node) ||
                               self->plan->strategy == DW_LEVEL))
        return model_is_wrong (self, "node %u may not be part of a chain", node);
    return true;
}

static bool s_check_chain (model_t *self, const dw_command_t *command) {
    uint32_t node = command->node;
    if (s_is_suspect (self, command) &&
        (command->steps > 1 || self->workers[command->worker].local))
        return model_is_wrong (self, "node %u may have taken a worker down and is not sent alone",
                               node);
    if (command->steps < 1 || command->steps > self->plan->chain_length[node])
        return model_is_wrong (self, "node %u is sent with %u steps", node, command->steps);
    for (uint32_t step = 0; step < command->steps; step++) {
        if (!s_check_node (self, command, node))
            return false;
        if (step + 1 == command->steps)
            break;
        uint32_t next = self->plan->chain_next[node];
        if (model_may_skip (self, node))
            return model_is_wrong (self, "node %u may skip and its chain goes on behind it", node);
        if (next == DW_NONE || s_dependencies_count (self, next) != 1 ||
            !model_depends_on (self, next, node) ||
            self->plan->lane[next] != self->plan->lane[node])
            return model_is_wrong (self, "node %u does not follow node %u in a chain", next, node);
        node = next;
    }
    return true;
}

static bool s_is_there (const model_run_t *run, uint32_t node) {
    return run->nodes[node].kept && !run->nodes[node].dropped;
}

static bool s_check_readings (model_t *self, const dw_command_t *command) {
    const model_run_t *run = &self->runs[command->run];
    uint32_t source = model_source (self, run, command->node);
    if (command->source != source)
        return model_is_wrong (self, "run %u: node %u is to read the output of node %d, not of %d",
                               command->run, command->node, (int) command->source, (int) source);
    if (source != DW_RUN_INPUT && !s_is_there (run, source))
        return model_is_wrong (self, "run %u: node %u reads node %u's output, which is not there",
                               command->run, command->node, source);
    for (uint32_t other = 0; other < command->node; other++)
        if (model_depends_on (self, command->node, other) &&
            run->nodes[other].state == DW_STATE_DONE && !s_is_there (run, other))
            return model_is_wrong (self, "run %u: node %u depends on node %u, whose output is gone",
                                   command->run, command->node, other);
    return true;
}

/* Whether node is ready, or may be again by now: the model does not know the jitter of a
 * backoff. */
static bool s_may_be_ready (const model_t *self, const model_run_t *run, uint32_t node) {
    const model_node_t *it = &run->nodes[node];
    return model_is_ready (self, run, node) ||
           (run->life == MODEL_LIVE && it->state == DW_STATE_BACKOFF &&
            self->now_ns >= it->retry_from_ns);
}

/* Whether something of another run is ready in a lane, which may come before all of this one's
 * there; or what is ready there may be left to the shell's thread. */
static bool s_is_mixed (const model_t *self, uint32_t lane, uint32_t run) {
    uint32_t local = model_local_worker (self);
    if (local != DW_NONE && model_serves (&self->workers[local], lane))
        return true;
    for (uint32_t other = 0; other < self->options.runs_max; other++)
        for (uint32_t node = 0; other != run && node < self->plan->nodes_count; node++)
            if (self->plan->lane[node] == lane && s_may_be_ready (self, &self->runs[other], node))
                return true;
    return false;
}

/* Whether a worker that is sent node could have been sent other. */
static bool s_is_choice (const model_t *self, const dw_command_t *command, uint32_t other) {
    uint32_t lane = self->plan->lane[command->node], other_lane = self->plan->lane[other];
    return other != command->node &&
           (lane == other_lane || (model_serves (&self->workers[command->worker], other_lane) &&
                                   !s_is_mixed (self, other_lane, command->run)));
}

static bool s_check_order (model_t *self, const dw_command_t *command) {
    const model_run_t *run = &self->runs[command->run];
    bool by_rank = self->plan->priority == DW_RANK &&
                   (self->plan->strategy == DW_WORK_QUEUE || self->plan->strategy == DW_LEVEL);
    for (uint32_t other = 0; by_rank && other < self->plan->nodes_count; other++)
        if (s_is_choice (self, command, other) &&
            evaluator_goes_before (self->evaluator, other, command->node) &&
            model_is_ready (self, run, other))
            return model_is_wrong (self, "run %u: node %u is sent before node %u", command->run,
                                   command->node, other);
    return true;
}

static bool s_check_send (model_t *self, const dw_command_t *command) {
    model_run_t *run = &self->runs[command->run];
    model_worker_t *worker = &self->workers[command->worker];
    uint32_t node = command->node;
    if (run->life != MODEL_LIVE)
        return model_is_wrong (self, "run %u: a task is sent though it is over", command->run);
    if (!s_check_worker (self, command) || !s_check_chain (self, command) ||
        !s_check_order (self, command))
        return false;
    if (!model_may_run (self, run, node))
        return model_is_wrong (self,
                               "run %u: node %u is sent before all that it waits for is final",
                               command->run, node);
    if (!s_check_readings (self, command))
        return false;
    if (command->attempt != ++run->nodes[node].attempts)
        return model_is_wrong (self, "run %u: node %u is at attempt %u, not %u", command->run, node,
                               run->nodes[node].attempts, command->attempt);
    run->nodes[node].state = DW_STATE_SENT;
    for (uint32_t step = 0, at = node; step < command->steps; step++) {
        run->nodes[at].held = true;
        at = self->plan->chain_next[at];
    }
    if (model_unanswered (worker) == 0)
        worker->since_ns = self->now_ns;
    worker->sent_in_step++;
    self->counts.tasks_sent++;
    *model_task (worker, worker->next++) = (model_task_t){
        .live = true,
        .unmeasured = !self->kinds[self->plan->kind[node]].measured,
        .alone = s_is_alone (self, command),
        .run = command->run,
        .node = node,
        .steps = command->steps,
        .source = command->source};
    return true;
}

/* A death comes before the error that it is part of the story of. */
static bool s_check_death (model_t *self, const dw_command_t *command) {
    if (command->attempt != self->runs[command->run].nodes[command->node].attempts)
        return model_is_wrong (self, "run %u: a worker was lost with attempt %u of node %u",
                               command->run, command->attempt, command->node);
    return s_tick_off (self, command) ||
           model_is_wrong (self, "run %u: a worker is said to be lost with node %u for no reason",
                           command->run, command->node);
}

static bool s_check_command (model_t *self, const dw_command_t *command) {
    switch ((dw_command_type_t) command->type) {
        case DW_SEND_TASK:
            if (self->workers[command->worker].local)
                return model_is_wrong (self, "a task is sent to the shell's thread");
            return s_check_send (self, command);
        case DW_CANCEL_TASK:
            return s_tick_off (self, command) ||
                   model_is_wrong (self, "worker %u's ticket %u is cancelled for no reason",
                                   command->worker, (unsigned) command->ticket);
        case DW_KEEP_OUTPUT: return s_check_keep_output (self, command);
        case DW_KEEP_ERROR:
            return s_tick_off (self, command) ||
                   model_is_wrong (self, "run %u: node %u's error %u is kept for no reason",
                                   command->run, command->node, command->code);
        case DW_KEEP_DEATH: return s_check_death (self, command);
        case DW_DROP_OUTPUT: return s_check_drop (self, command);
        case DW_BEGIN_ADDED: /* these worlds do not grow: test_added_worlds.c */
        case DW_END_ADDED: return model_is_wrong (self, "run %u: a graph is added", command->run);
        case DW_FINISH_RUN: return s_check_finish (self, command);
        case DW_REPLACE_WORKER: return true; /* the model was asked before */
    }
    return model_is_wrong (self, "command %u does not exist", command->type);
}

/* The worker whose first task is node of run; DW_NONE when there is none. */
static uint32_t s_worker_on (const model_t *self, uint32_t run, uint32_t node) {
    for (uint32_t w = 0; w < self->options.workers_max; w++) {
        model_worker_t *worker = &self->workers[w];
        const model_task_t *task = model_task (worker, worker->first);
        if (worker->first != worker->next && task->live && task->run == run && task->node == node)
            return w;
    }
    return DW_NONE;
}

/* Whether command says that a task has timed out. */
static bool s_is_timeout (const dw_command_t *command) {
    return command->type == DW_KEEP_ERROR && command->code == 408 && !command->of_run &&
           command->handle == DW_NONE;
}

static bool s_is_owed (const model_t *self, const dw_command_t *command) {
    for (size_t i = 0; i < self->owed_count; i++)
        if (s_same (&self->owed[i], command))
            return true;
    return false;
}

/* A cancellation that no event asks for: worker's first task has timed out, or the worker is stuck,
 * which a later command says, or it is late. */
static bool s_check_worker_time (model_t *self, const dw_commands_t *commands, size_t at) {
    uint32_t w = commands->items[at].worker;
    for (size_t i = at + 1; i < commands->count; i++) {
        const dw_command_t *later = &commands->items[i];
        if (later->type == DW_REPLACE_WORKER && later->worker == w)
            return model_replace (self, w, later->node);
        if (s_is_timeout (later) && s_worker_on (self, later->run, later->node) == w)
            return model_timeout (self, w);
    }
    return model_late (self, w);
}

/* What the scheduler says that time has done; the model says whether it can have. */
static bool s_check_time (model_t *self, const dw_commands_t *commands, size_t at) {
    const dw_command_t *command = &commands->items[at];
    if (command->type == DW_CANCEL_TASK && !s_is_owed (self, command))
        return s_check_worker_time (self, commands, at);
    if (command->type == DW_KEEP_ERROR && command->of_run && !s_is_owed (self, command))
        return model_deadline (self, command->run);
    if (command->type == DW_REPLACE_WORKER && self->workers[command->worker].present)
        return model_replace (self, command->worker, command->node);
    if (command->type == DW_KEEP_ERROR && command->is_unserved && !s_is_owed (self, command))
        return model_unserved (self, command->run, command->node);
    return !s_is_timeout (command) || s_is_owed (self, command) ||
           model_is_wrong (self, "run %u: node %u is said to have timed out but does not run",
                           command->run, command->node);
}

/* -- Steps and own work --------------------------------------------------------------------- */

/* Commands from the first on that was not looked at yet. */
static bool s_check_commands (model_t *self, const dw_commands_t *commands) {
    for (size_t i = self->commands_seen; i < commands->count; i++)
        if (!s_check_time (self, commands, i))
            return false;
    for (; self->commands_seen < commands->count; self->commands_seen++)
        if (!s_check_command (self, &commands->items[self->commands_seen]))
            return false;
    if (self->owed_count > 0)
        return model_is_wrong (self, "command %u (run %u, node %u, worker %u) is owed",
                               self->owed[0].type, self->owed[0].run, self->owed[0].node,
                               self->owed[0].worker);
    return !self->wrong[0];
}

bool checker_step (model_t *self, const dw_scheduler_t *scheduler, int64_t now_ns,
                   const dw_event_t *events, size_t events_count, const dw_commands_t *commands) {
    self->now_ns = now_ns;
    self->commands_seen = 0;
    for (uint32_t w = 0; w < self->options.workers_max; w++)
        self->workers[w].sent_in_step = 0;
    for (size_t i = 0; i < events_count; i++)
        model_event (self, &events[i]);
    return s_check_commands (self, commands) && checker_state (self, scheduler) &&
           checker_rest (self, scheduler);
}

/* No step sends the shell's thread anything, and no own work sends anybody anything. */
static bool s_check_own_commands (model_t *self, const dw_commands_t *commands) {
    for (size_t i = self->commands_seen; i < commands->count; i++)
        if (commands->items[i].type == DW_SEND_TASK)
            return model_is_wrong (self, "a task is sent between two steps");
    return s_check_commands (self, commands);
}

void checker_own_begin (model_t *self) {
    self->commands_seen = 0;
}

bool checker_own_task (model_t *self, const dw_own_task_t *task, const dw_commands_t *commands) {
    dw_command_t command = {.type = DW_SEND_TASK,
                            .worker = model_local_worker (self),
                            .run = task->run,
                            .node = task->node,
                            .steps = task->steps,
                            .source = task->source,
                            .attempt = task->attempt};
    if (command.worker == DW_NONE)
        return model_is_wrong (self, "own work is given though there is nobody for it");
    if (task->ahead != DW_NONE && task->ahead >= self->plan->nodes_count)
        return model_is_wrong (self, "node %u is to be fetched ahead", task->ahead);
    command.ticket = self->workers[command.worker].next;
    return s_check_own_commands (self, commands) && s_check_send (self, &command);
}

bool checker_own_end (model_t *self, const dw_scheduler_t *scheduler,
                      const dw_commands_t *commands) {
    return s_check_own_commands (self, commands) && checker_state (self, scheduler);
}

/* -- Against the evaluator ------------------------------------------------------------------ */

typedef struct s_causes_t {
    model_t *model;
    const evaluation_t *evaluation;
    uint32_t run;
    uint32_t count; /* of nodes that were told of */
} s_causes_t;

static void s_check_causes (void *arg, uint32_t node, const uint32_t *causes,
                            uint32_t causes_count) {
    s_causes_t *s = arg;
    const evaluator_t *evaluator = s->model->evaluator;
    const evaluated_node_t *expected = &s->evaluation->nodes[evaluator->by_rank[node]];
    bool same = causes_count == expected->because_of_count;
    s->count++;
    for (uint32_t i = 0; same && i < causes_count; i++)
        same = evaluator->by_rank[causes[i]] == expected->because_of[i];
    if (!same)
        model_is_wrong (s->model, "run %u: node %u has other first causes", s->run, node);
}

bool checker_run (model_t *self, const dw_scheduler_t *scheduler, uint32_t run, const bool *fails,
                  const bool *skips) {
    model_run_t *it = &self->runs[run];
    uint32_t *outputs = calloc (self->plan->nodes_count, sizeof *outputs);
    bool *fails_here = calloc (self->plan->nodes_count, sizeof *fails_here);
    bool misses_output = false;
    evaluator_run_t question = {.failure_strategy = self->plan->failure_strategy,
                                .fails = fails_here,
                                .skips = skips,
                                .outputs = outputs};
    for (uint32_t node = 0; fails_here && node < self->plan->nodes_count; node++) {
        uint32_t declared = self->evaluator->by_rank[node];
        fails_here[declared] = fails[declared] && !it->nodes[node].cut;
        misses_output = misses_output || (it->nodes[node].cut && it->nodes[node].requested);
    }
    for (uint32_t node = 0; outputs && node < self->plan->nodes_count; node++)
        if (!it->keeps_all && it->nodes[node].requested)
            outputs[question.outputs_count++] = self->evaluator->by_rank[node];
    evaluation_t *evaluation = evaluation_new (self->evaluator, &question);
    bool is_whole = !it->was_cancelled && !it->ran_out;
    if (it->ran_out && it->status != DW_RUN_FAILED)
        model_is_wrong (self, "run %u has run out of time and is %s", run, s_run_name (it->status));
    dw_run_status_t status_due = evaluation->status == DW_RUN_OK && misses_output
                                     ? DW_RUN_PARTIAL
                                     : evaluation->status;
    if (is_whole && it->status != status_due)
        model_is_wrong (self, "run %u is %s, not %s", run, s_run_name (it->status),
                        s_run_name (status_due));
    for (uint32_t node = 0; node < self->plan->nodes_count; node++) {
        /* The two enumerations list the final states in one order; what was left out is skipped,
         * too. */
        dw_node_state_t state = it->nodes[node].state;
        bool left_out = state == DW_STATE_LEFT_OUT;
        uint32_t declared = self->evaluator->by_rank[node];
        dw_node_status_t status = left_out ? DW_NODE_SKIPPED
                                           : (dw_node_status_t) (state - DW_STATE_DONE);
        bool knows_why = is_whole && it->status != DW_RUN_FAILED && status == DW_NODE_SKIPPED;
        if ((knows_why || left_out) && left_out != evaluation->nodes[declared].left_out)
            model_is_wrong (self, "run %u: node %u cannot be %s", run, node,
                            checker_state_name (state));
        if ((it->was_cancelled && status == DW_NODE_CANCELLED) ||
            (it->ran_out && status != DW_NODE_DONE))
            continue;
        if (it->nodes[node].unserved || /* whatever becomes of those before it */
            (it->nodes[node].cut && status == DW_NODE_CANCELLED))
            continue;
        if (!evaluation_allows (evaluation, declared, status))
            model_is_wrong (self, "run %u: node %u cannot be %s", run, node,
                            checker_state_name (state));
    }
    s_causes_t causes = {self, evaluation, run, 0};
    uint32_t skipped_count = 0;
    for (uint32_t node = 0; node < self->plan->nodes_count; node++)
        skipped_count += it->nodes[node].state == DW_STATE_SKIPPED ||
                         it->nodes[node].state == DW_STATE_LEFT_OUT;
    if (is_whole && it->status != DW_RUN_FAILED) {
        if (dw_scheduler_causes (scheduler, run, s_check_causes, &causes))
            model_is_wrong (self, "run %u: no memory", run);
        if (causes.count != skipped_count)
            model_is_wrong (self, "run %u: of %u skipped nodes causes are told of %u", run,
                            skipped_count, causes.count);
    }
    evaluation_destroy (&evaluation);
    free (outputs);
    free (fails_here);
    return !self->wrong[0];
}
