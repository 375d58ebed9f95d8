/* scheduler_own.c - the shell's own work: tasks that its thread runs between two steps.
 *
 * This is the shortest way that a task can go: no command is stored, no answer queued, its output
 * is already where it stays. Most runs are plain (run.h); for them one loop holds what it needs in
 * registers and brings the counts up to date when it ends. */

#include "runtime/core/scheduler_self.h"

#include <assert.h>

#define AHEAD_PLACES 4u /* a cache miss takes about as long as so many brief tasks */

static dw_lane_t *s_lane (const dw_scheduler_t *self) {
    return &self->lanes[self->workers[self->local_worker].lane];
}

bool dw_scheduler_has_own (const dw_scheduler_t *self) {
    if (self->local_worker == DW_NONE || self->active_count >= self->concurrency_max)
        return false;
    uint32_t lane = self->workers[self->local_worker].lane;
    if (self->lanes[lane].ready_count == 0)
        return false;
    const dw_run_t *run = &self->runs[dw_scheduler_lane_first (self, &self->lanes[lane])];
    if (run->added) /* it has no instances of what was added */
        return false;
    uint32_t node = dw_ready_first (&run->ready, lane);
    return dw_scheduler_is_own (self, node) && !dw_run_is_suspect (run, node);
}

/* How many of steps nodes along a chain may be run: up to the first whose processor is slow. */
static uint32_t s_own_steps (const dw_scheduler_t *self, uint32_t node, uint32_t steps) {
    uint32_t count = 0;
    for (; count < steps && dw_scheduler_is_own (self, node); count++)
        node = self->plan->chain_next[node];
    return count;
}

/* The task of node, which was ready. */
static inline void s_begin (dw_scheduler_t *self, dw_run_t *run, uint32_t node,
                            dw_own_task_t *task) {
    dw_worker_state_t *worker = &self->workers[self->local_worker];
    worker->first++; /* the next ticket, as it holds none */
    self->own_node = task->node = node;
    self->own_noted = 0;
    task->is_skipped = false;
    task->steps = run->keeps_all ? self->plan->chain_length[node] : dw_run_steps (run, node);
    if (task->steps > 1 && self->has_slow_kinds)
        task->steps = s_own_steps (self, node, task->steps);
    task->source = run->rule ? dw_run_source (run, node) : self->plan->source[node];
    task->attempt = ++run->nodes[node].attempts;
    run->nodes[node].state = DW_STATE_SENT;
}

/* Notes that the next steps of the task under way ran since the shell looked at the clock. */
static inline void s_note_steps (dw_scheduler_t *self, uint32_t steps) {
    uint32_t node = self->own_node;
    self->own_untimed += steps;
    self->own_noted += steps;
    if (self->plan->kinds_count == 1 && steps > 1)
        steps = 1;
    for (; steps > 0; steps--, node = self->plan->chain_next[node]) {
        dw_kind_t *kind = dw_scheduler_kind (self, node);
        if (kind->is_timed)
            continue;
        kind->is_timed = true;
        self->timed_kinds[self->timed_count++] = (uint32_t) (kind - self->kinds);
    }
    self->own_node = node;
}

/* A task was run; what a look at the clock has noted of it meanwhile is noted already. */
static inline void s_note_task (dw_scheduler_t *self, const dw_own_task_t *task) {
    uint32_t ran = task->done + (task->code > 0 || task->is_skipped);
    assert (ran <= task->steps && ran >= self->own_noted); /* both are the shell's word */
    s_note_steps (self, ran - self->own_noted);
}

/* What came of a task, whatever that is. */
static void s_end (dw_scheduler_t *self, const dw_own_task_t *task) {
    dw_run_t *run = &self->runs[task->run];
    uint32_t next = task->node;
    if (task->done > 0)
        next = dw_scheduler_steps_done (self, task->run, task->node, task->done);
    if (task->code || task->is_skipped) {
        if (run->nodes[next].state == DW_STATE_WAITING)
            run->nodes[next].attempts++; /* a later step of a chain */
        if (task->code)
            dw_scheduler_attempt_failed (self, task->run, next, task->code, task->handle);
        else
            dw_scheduler_node_left_out (self, task->run, next);
        return;
    }
    if (task->done == 0) {
        self->counts.returned++;
        dw_scheduler_put_back (self, task->run, task->node);
    } else if (next != DW_NONE && (run->nodes[next].wanted & DW_WANTED))
        dw_scheduler_make_ready (self, task->run, next);
    dw_scheduler_finish_if_over (self, task->run);
}

/* Works on one ready task. */
static bool s_work_once (dw_scheduler_t *self, dw_own_task_t *task, dw_own_run_fn *run_task,
                         void *arg) {
    dw_lane_t *lane = s_lane (self);
    dw_run_t *run = &self->runs[task->run];
    uint32_t node = dw_ready_first (&run->ready, (uint32_t) (lane - self->lanes));
    dw_scheduler_unready (self, lane, run, node);
    s_begin (self, run, node, task);
    task->ahead = DW_NONE;
    self->counts.tasks_sent++;
    bool goes_on = run_task (arg, task);
    s_note_task (self, task);
    s_end (self, task);
    return goes_on;
}

/* What a loop over a plain run's tasks counts only at its end. */
typedef struct s_before_t {
    uint32_t ready_count, unfinished_count;
    uint64_t ticket;
} s_before_t;

static s_before_t s_before (const dw_scheduler_t *self, const dw_run_t *run) {
    return (s_before_t){.ready_count = dw_ready_count (&run->ready, 0),
                        .unfinished_count = run->unfinished_count,
                        .ticket = dw_scheduler_next (&self->workers[self->local_worker])};
}

static void s_count (dw_scheduler_t *self, dw_run_t *run, const s_before_t *before) {
    dw_lane_t *lane = &self->lanes[0];
    uint32_t ready_count = dw_ready_count (&run->ready, 0);
    uint32_t done = before->unfinished_count - run->unfinished_count;
    run->not_done_count -= done;
    self->counts.steps_done += done;
    self->counts.tasks_sent += dw_scheduler_next (&self->workers[self->local_worker]) -
                               before->ticket;
    self->ready_count += ready_count - before->ready_count; /* modulo 2^32, so this may be less */
    lane->ready_count += ready_count - before->ready_count;
    if (ready_count == 0)
        dw_scheduler_lane_drop_first (lane);
    else
        dw_scheduler_pending_add (self, 0);
}

/* Works on ready tasks of a plain run, which is the first in its lane, while it has some. */
static bool s_work_plain (dw_scheduler_t *self, dw_own_task_t *task, dw_own_run_fn *run_task,
                          void *arg) {
    const dw_plan_t *plan = self->plan;
    dw_run_t *run = &self->runs[task->run];
    s_before_t before = s_before (self, run);
    bool goes_on = true;
    while (goes_on && dw_ready_count (&run->ready, 0) > 0) {
        uint32_t node = dw_ready_first (&run->ready, 0);
        if (!dw_scheduler_is_own (self, node) || dw_run_is_suspect (run, node))
            break;
        dw_ready_take (&run->ready, 0, node);
        task->ahead = dw_ready_ahead (&run->ready, 0, AHEAD_PLACES);
        s_begin (self, run, node, task);
        goes_on = run_task (arg, task);
        s_note_task (self, task);
        if (task->done == plan->chain_length[node])
            dw_run_steps_done (run, node, task->done);
        else {
            s_count (self, run, &before);
            s_end (self, task);
            return goes_on;
        }
    }
    s_count (self, run, &before);
    dw_scheduler_finish_if_over (self, task->run);
    return goes_on;
}

int dw_scheduler_work (dw_scheduler_t *self, dw_own_run_fn *run_task, void *arg,
                       dw_commands_t *commands) {
    dw_own_task_t task;
    bool goes_on = true;
    self->commands = commands;
    while (goes_on && !self->no_memory && dw_scheduler_has_own (self)) {
        task.run = dw_scheduler_lane_first (self, s_lane (self));
        goes_on = self->runs[task.run].is_plain ? s_work_plain (self, &task, run_task, arg)
                                                : s_work_once (self, &task, run_task, arg);
    }
    self->commands = NULL;
    return self->no_memory ? DW_ENOMEM : DW_OK;
}

void dw_scheduler_timed (dw_scheduler_t *self, uint32_t steps, uint64_t ns) {
    uint64_t step_ns = ns / (steps ? steps : 1);
    if (steps > self->own_untimed)
        s_note_steps (self, steps - self->own_untimed); /* of the task under way */
    self->own_untimed = 0;
    for (uint32_t i = 0; i < self->timed_count; i++) {
        dw_kind_t *kind = &self->kinds[self->timed_kinds[i]];
        bool was_slow = kind->last_ns > DW_BRIEF_NS_MAX;
        kind->is_timed = false;
        dw_scheduler_learn (kind, step_ns);
        kind->is_slow |= was_slow && step_ns > DW_BRIEF_NS_MAX;
        self->has_slow_kinds |= kind->is_slow;
    }
    self->timed_count = 0;
    uint64_t ticket = dw_scheduler_next (&self->workers[self->local_worker]);
    uint64_t tasks = ticket - self->own_timed;
    self->own_timed = ticket;
    s_lane (self)->mean_ns = dw_scheduler_moved (s_lane (self)->mean_ns, ns / (tasks ? tasks : 1));
}
