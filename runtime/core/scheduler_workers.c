/* scheduler_workers.c - what workers hold, what their answers do, what time does. */

#include "runtime/core/scheduler_self.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#define DEATHS_MAX 3      /* workers that one node may take down */
#define TASKS_MAX  65536u /* upper bound of a worker's credit */

/* When the first task of a worker has to be looked at; INT64_MAX: never. */
static int64_t s_worker_deadline_ns (const dw_scheduler_t *self, const dw_worker_state_t *worker) {
    if (!worker->present || worker->held == 0)
        return INT64_MAX;
    const dw_held_task_t *task = dw_scheduler_task (worker, worker->first);
    int64_t after_ns = INT64_MAX;
    if (task->run == DW_NONE)
        after_ns = self->options.grace_ns;
    else if (self->runs[task->run].plan->flags[task->node] & DW_NODE_TIMED)
        after_ns = dw_run_policy (&self->runs[task->run], task->node)->timeout_us * 1000;
    int64_t deadline_ns = after_ns == INT64_MAX ? INT64_MAX : worker->since_ns + after_ns;
    int64_t late_ns = dw_scheduler_late_ns (self, worker);
    if (worker->held > 1 && !worker->emptied && late_ns < deadline_ns &&
        dw_scheduler_has_company (self, worker))
        deadline_ns = late_ns;
    return deadline_ns;
}

/* Sees to it that a worker's deadline is in the heap. A timer that comes too early is put back, so
 * there is no timer a task however fast they go by; one that would come too late is replaced. */
void dw_scheduler_watch (dw_scheduler_t *self, uint32_t worker_index) {
    dw_worker_state_t *worker = &self->workers[worker_index];
    int64_t deadline_ns = s_worker_deadline_ns (self, worker);
    if (deadline_ns >= worker->timer_ns)
        return;
    worker->timer_ns = deadline_ns;
    dw_timer_t timer = {.at_ns = deadline_ns, .worker = worker_index};
    dw_scheduler_add_timer (self, timer);
}

void dw_scheduler_give_up (dw_scheduler_t *self, uint32_t worker_index, uint64_t ticket) {
    dw_worker_state_t *worker = &self->workers[worker_index];
    dw_held_task_t *task = dw_scheduler_task (worker, ticket);
    dw_run_t *run = &self->runs[task->run];
    /* Where the chain has got to is what runs; its state says so to whoever ends the run. */
    if (run->nodes[task->node].state == DW_STATE_WAITING)
        run->nodes[task->node].state = DW_STATE_SENT;
    run->sent_count--;
    task->run = DW_NONE;
    if (!worker->present)
        return; /* nobody is there to be told */
    dw_command_t *command = dw_scheduler_command (self, DW_CANCEL_TASK);
    if (!command)
        return;
    command->worker = worker_index;
    command->ticket = ticket;
    if (ticket == worker->first) {
        worker->suspect = true;
        worker->since_ns = self->now_ns;
        dw_scheduler_watch (self, worker_index);
    }
}

/* The node that a task was at goes back to the queue, as if it had never been sent. */
void dw_scheduler_put_back (dw_scheduler_t *self, uint32_t run_index, uint32_t node) {
    dw_run_t *run = &self->runs[run_index];
    if (run->nodes[node].state == DW_STATE_SENT)
        run->nodes[node].attempts--;
    dw_scheduler_make_ready (self, run_index, node);
}

/* Takes back what a worker has not begun: all that is behind its first task. */
static void s_take_back (dw_scheduler_t *self, uint32_t worker_index) {
    dw_worker_state_t *worker = &self->workers[worker_index];
    for (uint64_t ticket = worker->first + 1; ticket < dw_scheduler_next (worker); ticket++) {
        dw_held_task_t task = *dw_scheduler_task (worker, ticket);
        if (task.run == DW_NONE)
            continue;
        dw_scheduler_give_up (self, worker_index, ticket);
        dw_scheduler_task (worker, ticket)->was_late = true;
        self->counts.returned++;
        dw_scheduler_put_back (self, task.run, task.node);
    }
    worker->suspect = worker->emptied = true;
}

/* A worker has answered in this step, and goes on with its next task. */
static void s_note_answered (dw_scheduler_t *self, uint32_t worker_index) {
    if (self->answered_count == self->answered_size) {
        uint32_t size = self->answered_size ? 2 * self->answered_size : 64;
        uint32_t *answered = realloc (self->answered, size * sizeof *answered);
        if (!answered) {
            self->no_memory = true;
            return;
        }
        self->answered = answered;
        self->answered_size = size;
    }
    self->answered[self->answered_count++] = worker_index;
}

/* Takes the first task of a worker out of its ring. */
static void s_pop_task (dw_scheduler_t *self, uint32_t worker_index) {
    dw_worker_state_t *worker = &self->workers[worker_index];
    worker->estimate_ns -= dw_scheduler_task (worker, worker->first)->estimate_ns;
    worker->first++;
    worker->held--;
    worker->since_ns = self->now_ns;
    if (worker->held == 0) {
        worker->suspect = worker->emptied = false;
        worker->estimate_ns = 0;
        self->active_count--;
        dw_scheduler_mark_idle (self, worker_index, true);
    } else {
        if (worker->answered != (uint32_t) self->steps_count)
            s_note_answered (self, worker_index);
        worker->answered = (uint32_t) self->steps_count;
        dw_scheduler_watch (self, worker_index);
    }
    for (uint32_t lane = worker->lane; lane != DW_NONE;
         lane = dw_scheduler_lane_behind (worker, lane))
        if (self->lanes[lane].ready_count)
            dw_scheduler_pending_add (self, lane);
}

/* Empties a worker that is gone. */
static void s_forget_worker (dw_scheduler_t *self, uint32_t worker_index) {
    dw_worker_state_t *worker = &self->workers[worker_index];
    if (worker->held > 0)
        self->active_count--;
    worker->first = dw_scheduler_next (worker);
    worker->held = 0;
    worker->estimate_ns = 0;
    worker->present = worker->suspect = worker->emptied = false;
    dw_scheduler_leave_lanes (self, worker_index);
    if (self->local_worker == worker_index)
        self->local_worker = DW_NONE;
}

/* What is kept of the lanes of a worker that serves several; NULL: no memory. */
static dw_several_t *s_several_new (uint64_t lanes) {
    dw_several_t *self = malloc (sizeof *self +
                                 dw_scheduler_lanes_count (lanes) * sizeof self->places[0]);
    if (self)
        self->lanes = lanes;
    return self;
}

void dw_scheduler_on_worker_joined (dw_scheduler_t *self, const dw_event_t *event) {
    dw_worker_state_t *worker = &self->workers[event->worker];
    uint64_t lanes = event->lanes;
    bool is_one = (lanes & (lanes - 1)) == 0; /* or none at all */
    assert (!worker->present);
    assert (event->lane < self->plan->lanes_count);
    assert (lanes == 0 || self->plan->demands);
    assert (lanes == 0 || 63u - (uint32_t) __builtin_clzll (lanes) < self->plan->lanes_count);
    if (!is_one && !(worker->several = s_several_new (lanes))) {
        self->no_memory = true;
        return;
    }
    worker->present = true;
    worker->local = event->local;
    worker->suspect = false;
    worker->late_ns = DW_LATE_NS;
    worker->lane = lanes ? (uint32_t) __builtin_ctzll (lanes) : event->lane;
    worker->credit = event->credit < 1 ? 1 : event->credit > TASKS_MAX ? TASKS_MAX : event->credit;
    if (event->local)
        self->local_worker = event->worker;
    dw_scheduler_join_lanes (self, event->worker);
}

static void s_keep_death (dw_scheduler_t *self, const dw_held_task_t *task,
                          const dw_event_t *event) {
    dw_command_t *command = dw_scheduler_command (self, DW_KEEP_DEATH);
    if (!command)
        return;
    command->run = task->run;
    command->node = task->node;
    command->attempt = self->runs[task->run].nodes[task->node].attempts;
    command->worker = event->worker;
    command->handle = event->handle;
}

/* Any of the tasks that a worker held may be what took it down: answers lag. */
static void s_suspect_all (dw_scheduler_t *self, const dw_worker_state_t *worker) {
    for (uint64_t ticket = worker->first; ticket < dw_scheduler_next (worker); ticket++) {
        const dw_held_task_t *task = dw_scheduler_task (worker, ticket);
        if (task->run == DW_NONE)
            continue;
        dw_run_t *run = &self->runs[task->run];
        if (!run->deaths && !(run->deaths = calloc (run->plan->nodes_count, 1))) {
            self->no_memory = true;
            return;
        }
        uint32_t node = task->node;
        for (uint32_t step = 0; step < task->steps; step++, node = run->plan->chain_next[node])
            run->deaths[node] |= DW_SUSPECT;
    }
}

/* The task that a worker was at is gone with it. It is sent again, unless it has taken too many
 * workers down; or may run but once, and may have begun. */
static void s_lose_task (dw_scheduler_t *self, const dw_held_task_t *task,
                         const dw_event_t *event) {
    dw_run_t *run = &self->runs[task->run];
    bool is_once = run->plan->flags[task->node] & DW_NODE_ONCE;
    if (event->idle || (event->last && !is_once)) {
        self->counts.returned++;
        dw_scheduler_put_back (self, task->run, task->node);
        return;
    }
    self->counts.losses++;
    if (run->nodes[task->node].state == DW_STATE_WAITING)
        run->nodes[task->node].attempts++; /* a later step of a chain had begun */
    s_keep_death (self, task, event);
    if (!is_once && (++run->deaths[task->node] & ~DW_SUSPECT) < DEATHS_MAX) {
        dw_scheduler_make_ready (self, task->run, task->node);
        return;
    }
    dw_scheduler_keep_error (self, task->run, task->node, 503, DW_NONE);
    dw_scheduler_node_failed (self, task->run, task->node);
}

/* A death is counted against the node that the worker was on, unless it did not go down; what was
 * behind it never began. */
void dw_scheduler_on_worker_lost (dw_scheduler_t *self, const dw_event_t *event) {
    dw_worker_state_t *worker = &self->workers[event->worker];
    if (!worker->present)
        return;
    dw_held_task_t first = {.run = DW_NONE};
    if (!event->last)
        s_suspect_all (self, worker);
    if (self->no_memory)
        return;
    worker->present = false;
    if (worker->held > 0) {
        s_take_back (self, event->worker);
        first = *dw_scheduler_task (worker, worker->first);
    }
    s_forget_worker (self, event->worker);
    if (first.run == DW_NONE)
        return;
    self->runs[first.run].sent_count--;
    s_lose_task (self, &first, event);
}

/* The task that an answer is for: the first that its worker holds. NULL: a late, repeated or forged
 * answer, which is counted. */
static dw_worker_state_t *s_answered (dw_scheduler_t *self, const dw_event_t *event) {
    dw_worker_state_t *worker = &self->workers[event->worker];
    if (worker->present && worker->held > 0 && event->ticket == worker->first &&
        event->step == dw_scheduler_task (worker, worker->first)->done)
        return worker;
    self->counts.answers_ignored++;
    return NULL;
}

uint64_t dw_scheduler_moved (uint64_t mean_ns, uint64_t new_ns) {
    if (mean_ns == 0)
        return new_ns > 0 ? new_ns : 1;
    if (new_ns > 4 * mean_ns)
        new_ns = 4 * mean_ns;
    mean_ns = mean_ns - mean_ns / 8 + new_ns / 8;
    return mean_ns > 0 ? mean_ns : 1;
}

/* Learns from a measured time. Tasks that were timed together have one duration, which is one
 * measurement. */
static void s_learn (dw_scheduler_t *self, const dw_worker_state_t *worker, uint32_t run_index,
                     uint32_t node, uint32_t steps, uint64_t duration_ns) {
    const dw_run_t *run = &self->runs[run_index];
    dw_kind_t *kind = dw_scheduler_run_kind (self, run, node);
    dw_lane_t *lane = dw_scheduler_lane_of (self, worker, run, node);
    if (duration_ns == kind->last_ns && kind->mean_ns > 0)
        return;
    dw_scheduler_learn (kind, duration_ns);
    lane->mean_ns = dw_scheduler_moved (lane->mean_ns, duration_ns * steps);
}

/* Nobody waits for what was done, but the worker is through with it. The work may be in vain
 * because the task had been taken back: where answers are long on their way that is no accident, so
 * the worker is given more time. */
static void s_done_in_vain (dw_scheduler_t *self, dw_held_task_t *task, const dw_event_t *event) {
    dw_worker_state_t *worker = &self->workers[event->worker];
    self->counts.answers_ignored++;
    task->done += event->steps;
    if (task->was_late && worker->late_ns < DW_LATE_NS_MAX)
        worker->late_ns *= 2;
    task->was_late = false;
    if (event->last)
        s_pop_task (self, event->worker);
}

/* An answer that makes no sense: for no step, or for more than there are. */
static void s_done_nonsense (dw_scheduler_t *self, uint32_t run_index, uint32_t node,
                             uint32_t worker) {
    dw_run_t *run = &self->runs[run_index];
    run->sent_count--;
    s_pop_task (self, worker);
    if (run->nodes[node].state == DW_STATE_WAITING)
        run->nodes[node].attempts++;
    dw_scheduler_attempt_failed (self, run_index, node, 502, DW_NONE);
}

static bool s_keep_output (dw_scheduler_t *self, const dw_held_task_t *task, uint32_t steps,
                           uint32_t handle) {
    dw_command_t *command = dw_scheduler_command (self, DW_KEEP_OUTPUT);
    if (!command)
        return false;
    const dw_run_node_t *node = &self->runs[task->run].nodes[task->node];
    command->run = task->run;
    command->node = task->node;
    command->steps = steps;
    command->attempt = node->attempts;
    if (node->state == DW_STATE_WAITING)
        command->attempt++; /* a later step of a chain, not counted yet */
    command->handle = handle;
    return true;
}

/* The worker is at the next steps of its task; kept: of those that the event tells of. */
static void s_go_on_with_task (dw_scheduler_t *self, dw_held_task_t *task, const dw_event_t *event,
                               uint32_t kept, uint32_t next) {
    task->node = next;
    task->shown = dw_run_shown (&self->runs[task->run], next);
    task->steps -= kept;
    task->cut -= event->steps - kept;
    task->done += event->steps;
    self->workers[event->worker].since_ns = self->now_ns;
    if (task->steps == 0) /* it is at what was cancelled, or about to hear so */
        dw_scheduler_give_up (self, event->worker, event->ticket);
    else /* what it was given for a backlog is over */
        dw_scheduler_watch (self, event->worker);
}

void dw_scheduler_on_task_done (dw_scheduler_t *self, const dw_event_t *event) {
    dw_worker_state_t *worker = s_answered (self, event);
    if (!worker)
        return;
    dw_held_task_t *task = dw_scheduler_task (worker, worker->first);
    uint32_t run = task->run, node = task->node, steps = event->steps;
    if (run == DW_NONE) {
        s_done_in_vain (self, task, event);
        return;
    }
    if (steps < 1 || steps > task->steps + task->cut) {
        s_done_nonsense (self, run, node, event->worker);
        return;
    }
    s_learn (self, worker, run, node, steps, event->duration_ns);
    bool is_over = event->last || steps == task->steps + task->cut;
    if (steps > task->steps)
        steps = task->steps; /* what is behind them was cancelled, and is not kept */
    if (!s_keep_output (self, task, steps, event->handle))
        return;
    if (is_over) {
        self->runs[run].sent_count--;
        s_pop_task (self, event->worker);
    }
    uint32_t next = dw_scheduler_steps_done (self, run, node, steps);
    if (!is_over)
        s_go_on_with_task (self, task, event, steps, next);
    else if (next != DW_NONE && (self->runs[run].nodes[next].wanted & DW_WANTED))
        dw_scheduler_make_ready (self, run, next); /* the rest of the chain: it was given back */
    dw_scheduler_finish_if_over (self, run);
}

/* Takes out the task that an answer ends, which is an attempt at a later step, too, when the first
 * ones of its chain are done. NULL: nobody waits for that answer, which is counted. */
static dw_run_t *s_take_answered (dw_scheduler_t *self, const dw_event_t *event,
                                  dw_held_task_t *task_p) {
    dw_worker_state_t *worker = s_answered (self, event);
    if (!worker)
        return NULL;
    *task_p = *dw_scheduler_task (worker, worker->first);
    s_pop_task (self, event->worker);
    if (task_p->run == DW_NONE) {
        self->counts.answers_ignored++;
        return NULL;
    }
    dw_run_t *run = &self->runs[task_p->run];
    run->sent_count--;
    if (run->nodes[task_p->node].state == DW_STATE_WAITING)
        run->nodes[task_p->node].attempts++;
    return run;
}

static void s_learn_of (dw_scheduler_t *self, const dw_event_t *event, const dw_held_task_t *task) {
    s_learn (self, &self->workers[event->worker], task->run, task->node, 1, event->duration_ns);
}

void dw_scheduler_on_task_failed (dw_scheduler_t *self, const dw_event_t *event) {
    dw_held_task_t task;
    if (!s_take_answered (self, event, &task))
        return;
    s_learn_of (self, event, &task);
    dw_scheduler_attempt_failed (self, task.run, task.node, event->code, event->handle);
}

void dw_scheduler_on_task_returned (dw_scheduler_t *self, const dw_event_t *event) {
    dw_worker_state_t *worker = s_answered (self, event);
    if (!worker)
        return;
    dw_held_task_t task = *dw_scheduler_task (worker, worker->first);
    s_pop_task (self, event->worker);
    if (task.run == DW_NONE)
        return;
    self->runs[task.run].sent_count--;
    self->counts.returned++;
    dw_scheduler_put_back (self, task.run, task.node);
}

void dw_scheduler_on_task_skipped (dw_scheduler_t *self, const dw_event_t *event) {
    dw_held_task_t task;
    const dw_run_t *run = s_take_answered (self, event, &task);
    if (!run)
        return;
    if (!(run->plan->flags[task.node] & DW_NODE_MAY_SKIP)) { /* an answer that makes no sense */
        dw_scheduler_attempt_failed (self, task.run, task.node, 502, DW_NONE);
        return;
    }
    s_learn_of (self, event, &task);
    dw_scheduler_node_left_out (self, task.run, task.node);
}

void dw_scheduler_on_task_added (dw_scheduler_t *self, const dw_event_t *event) {
    dw_held_task_t task;
    const dw_run_t *run = s_take_answered (self, event, &task);
    if (!run)
        return;
    if (!dw_plan_may_add (run->plan, task.node)) { /* an answer that makes no sense */
        dw_scheduler_attempt_failed (self, task.run, task.node, 502, DW_NONE);
        return;
    }
    s_learn_of (self, event, &task);
    dw_scheduler_node_added (self, task.run, task.node, event);
}

/* A worker has not got past a task that was given up: it is stuck. */
static void s_replace_worker (dw_scheduler_t *self, uint32_t worker_index) {
    dw_worker_state_t *worker = &self->workers[worker_index];
    uint32_t node = dw_scheduler_task (worker, worker->first)->shown;
    self->counts.workers_replaced++;
    s_forget_worker (self, worker_index);
    dw_command_t *command = dw_scheduler_command (self, DW_REPLACE_WORKER);
    if (!command)
        return;
    command->worker = worker_index;
    command->node = node;
}

/* The first task of a worker takes its time. What the worker had not begun goes elsewhere at once;
 * when the time was all that the task had, the attempt has failed; when nobody waits for it any
 * more, the worker is stuck. */
static void s_on_worker_deadline (dw_scheduler_t *self, uint32_t worker_index) {
    dw_worker_state_t *worker = &self->workers[worker_index];
    dw_held_task_t task = *dw_scheduler_task (worker, worker->first);
    s_take_back (self, worker_index);
    if (s_worker_deadline_ns (self, worker) > self->now_ns)
        return;
    if (task.run == DW_NONE)
        s_replace_worker (self, worker_index);
    else {
        self->counts.timeouts++;
        dw_scheduler_give_up (self, worker_index, worker->first);
        dw_scheduler_attempt_failed (self, task.run, task.node, 408, DW_NONE);
    }
}

/* It goes on while the time that was given for it has not run out, so that nobody is late earlier
 * than was said before. */
void dw_scheduler_on_backlog (dw_scheduler_t *self) {
    int64_t passed_ns = self->now_ns - self->backlog_ns;
    self->backlog_lasted_ns = passed_ns > self->backlog_lasted_ns + DW_LATE_NS
                                  ? 0
                                  : self->backlog_lasted_ns + passed_ns;
    if (self->backlog_lasted_ns > DW_LATE_NS_MAX)
        self->backlog_lasted_ns = DW_LATE_NS_MAX;
    self->backlog_ns = self->now_ns;
}

static bool s_has_reason (void *arg, const dw_timer_t *timer) {
    const dw_scheduler_t *self = arg;
    if (timer->worker != DW_NONE)
        return timer->at_ns == self->workers[timer->worker].timer_ns;
    const dw_run_t *run = &self->runs[timer->run];
    return run->life == DW_RUN_LIVE && run->serial == timer->serial &&
           (timer->node == DW_NONE || run->nodes[timer->node].state == DW_STATE_BACKOFF);
}

void dw_scheduler_add_timer (dw_scheduler_t *self, dw_timer_t timer) {
    dw_timers_drop (&self->timers, s_has_reason, self);
    self->no_memory |= !dw_timers_add (&self->timers, timer);
}

void dw_scheduler_on_timer (dw_scheduler_t *self, const dw_timer_t *timer) {
    if (timer->worker == DW_NONE) {
        if (!s_has_reason (self, timer))
            return;
        if (timer->node == DW_NONE)
            dw_scheduler_on_run_deadline (self, timer->run);
        else
            dw_scheduler_make_ready (self, timer->run, timer->node);
        return;
    }
    dw_worker_state_t *worker = &self->workers[timer->worker];
    if (!s_has_reason (self, timer))
        return; /* an earlier one took its place */
    worker->timer_ns = INT64_MAX;
    if (s_worker_deadline_ns (self, worker) <= self->now_ns)
        s_on_worker_deadline (self, timer->worker);
    dw_scheduler_watch (self, timer->worker);
}
