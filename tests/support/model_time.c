/* model_time.c - what a scheduler owes for time that has passed, and for its shell's own work. */

#include "tests/support/model_self.h"

#define SLOW_NS 200000u /* dagwood_processor.h: a call that takes longer is not brief */

/* -- Own work ------------------------------------------------------------------------------- */

uint32_t model_local_worker (const model_t *self) {
    for (uint32_t w = 0; w < self->options.workers_max; w++)
        if (self->workers[w].present && self->workers[w].local)
            return w;
    return DW_NONE;
}

void model_own (model_t *self, const dw_own_task_t *task) {
    dw_event_t event = {.worker = model_local_worker (self),
                        .last = task->code == 0 && !task->is_skipped};
    event.ticket = self->workers[event.worker].first;
    if (task->done > 0) {
        event.type = DW_EVENT_TASK_DONE;
        event.steps = task->done;
        model_event (self, &event);
    }
    if (task->code) {
        event.type = DW_EVENT_TASK_FAILED;
        event.step = task->done;
        event.code = task->code;
        event.handle = task->handle;
        model_event (self, &event);
    } else if (task->is_skipped) {
        event.type = DW_EVENT_TASK_SKIPPED;
        event.step = task->done;
        model_event (self, &event);
    } else if (task->done == 0) {
        event.type = DW_EVENT_TASK_RETURNED;
        model_event (self, &event);
    }
}

void model_own_ran (model_t *self, uint32_t node) {
    self->kinds[self->plan->kind[node]].ran = true;
}

void model_timed (model_t *self, uint32_t steps, uint64_t ns) {
    for (uint32_t k = 0; k < self->plan->kinds_count; k++) {
        model_kind_t *kind = &self->kinds[k];
        if (!kind->ran)
            continue;
        bool was_slow = kind->last_ns > SLOW_NS;
        kind->ran = false;
        kind->measured = true;
        kind->last_ns = ns / steps;
        kind->is_slow = kind->is_slow || (was_slow && kind->last_ns > SLOW_NS);
    }
}

/* -- Time ----------------------------------------------------------------------------------- */

/* When the first task itself has used up its time, or the worker its grace. */
static int64_t s_first_deadline_ns (const model_t *self, model_worker_t *worker) {
    const model_task_t *task = model_task (worker, worker->first);
    if (!worker->present || worker->first == worker->next)
        return INT64_MAX;
    if (!task->live)
        return worker->since_ns + self->options.grace_ns;
    int64_t timeout_us = self->plan->policies[self->plan->policy[task->node]].timeout_us;
    return timeout_us > 0 ? worker->since_ns + timeout_us * 1000 : INT64_MAX;
}

/* When what waits behind the first task is late. It stays where nobody else could take it. */
static int64_t s_late_deadline_ns (const model_t *self, model_worker_t *worker) {
    uint32_t sharers_count = 0, live_count = 0;
    if (!worker->present)
        return INT64_MAX;
    for (uint32_t w = 0; w < self->options.workers_max; w++) {
        bool shares = false;
        for (uint32_t lane = 0; lane < self->plan->lanes_count; lane++)
            shares = shares ||
                     (model_serves (worker, lane) && model_serves (&self->workers[w], lane));
        sharers_count += shares;
    }
    for (uint64_t ticket = worker->first + 1; ticket < worker->next; ticket++)
        live_count += model_task (worker, ticket)->live;
    if (sharers_count < 2 || live_count == 0)
        return INT64_MAX;
    int64_t again_ns = self->backlog_ns + self->backlog_lasted_ns,
            most_ns = worker->since_ns + MODEL_LATE_NS_MAX;
    if (worker->since_ns > self->backlog_ns)
        return worker->since_ns + worker->late_ns;
    return (again_ns < most_ns ? again_ns : most_ns) + worker->late_ns;
}

int64_t model_deadline_ns (const model_t *self, uint32_t worker) {
    int64_t first_ns = s_first_deadline_ns (self, &self->workers[worker]);
    int64_t late_ns = s_late_deadline_ns (self, &self->workers[worker]);
    return first_ns < late_ns ? first_ns : late_ns;
}

bool model_timeout (model_t *self, uint32_t worker_index) {
    model_worker_t *worker = &self->workers[worker_index];
    model_task_t task = *model_task (worker, worker->first);
    if (s_first_deadline_ns (self, worker) > self->now_ns)
        return model_is_wrong (self, "run %u: node %u is said to have timed out too early",
                               task.run, task.node);
    self->counts.timeouts++;
    model_take_back (self, worker_index, true);
    model_cancel (self, worker_index, worker->first);
    model_attempt_failed (self, task.run, task.node, 408, DW_NONE);
    return true;
}

/* A node at which a run was, or would have been next, when its time was over. */
static void s_out_of_time (model_t *self, uint32_t run_index, uint32_t node) {
    self->runs[run_index].nodes[node].state = DW_STATE_FAILED;
    model_owe (self, (dw_command_t){.type = DW_KEEP_ERROR,
                                    .run = run_index,
                                    .node = node,
                                    .code = 408,
                                    .of_run = true,
                                    .handle = DW_NONE});
}

bool model_deadline (model_t *self, uint32_t run_index) {
    model_run_t *run = &self->runs[run_index];
    bool any = false;
    if (run->life != MODEL_LIVE || run->deadline_ns == 0 || run->deadline_ns > self->now_ns)
        return model_is_wrong (self, "run %u is said to be out of time too early", run_index);
    run->ran_out = true;
    self->counts.deadlines++;
    for (uint32_t w = 0; w < self->options.workers_max; w++) {
        model_worker_t *worker = &self->workers[w];
        const model_task_t *task = model_task (worker, worker->first);
        if (worker->first == worker->next || !task->live || task->run != run_index)
            continue;
        model_count_begun (self, task);
        s_out_of_time (self, run_index, task->node);
        any = true;
    }
    for (uint32_t node = 0; !any; node++)
        if (!model_is_final (&run->nodes[node])) {
            s_out_of_time (self, run_index, node);
            any = true;
        }
    model_break_off (self, run_index, DW_STATE_SKIPPED, DW_RUN_FAILED);
    return true;
}

bool model_replace (model_t *self, uint32_t worker_index, uint32_t node) {
    model_worker_t *worker = &self->workers[worker_index];
    const model_task_t *task = model_task (worker, worker->first);
    if (worker->first == worker->next || task->live || task->node != node ||
        s_first_deadline_ns (self, worker) > self->now_ns)
        return model_is_wrong (self, "worker %u is replaced but not stuck", worker_index);
    self->counts.workers_replaced++;
    model_take_back (self, worker_index, true);
    model_forget_worker (worker);
    return true;
}

bool model_unserved (model_t *self, uint32_t run_index, uint32_t node) {
    model_run_t *run = &self->runs[run_index];
    model_node_t *it = &run->nodes[node];
    if (it->state == DW_STATE_BACKOFF && self->now_ns >= it->retry_from_ns)
        it->state = DW_STATE_WAITING;
    if (!model_is_unserved (self, self->plan->lane[node]))
        return model_is_wrong (self, "run %u: node %u fails though its lane is served", run_index,
                               node);
    if (!model_is_ready (self, run, node))
        return model_is_wrong (self, "run %u: node %u fails before it is ready", run_index, node);
    model_fail_unserved (self, run_index, node);
    return true;
}

bool model_late (model_t *self, uint32_t worker_index) {
    model_worker_t *worker = &self->workers[worker_index];
    if (s_late_deadline_ns (self, worker) > self->now_ns)
        return model_is_wrong (self, "worker %u is not late and a task is taken back",
                               worker_index);
    model_take_back (self, worker_index, true);
    worker->suspect = true;
    return true;
}
