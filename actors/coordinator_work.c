/* coordinator_work.c - the coordinator's own work: brief tasks that its thread runs itself. */

#include "actors/clock.h"
#include "actors/coordinator_self.h"

#define STRETCH_NS 10000 /* how long it works before it looks at its sockets */
#define GROUP_NS   2000  /* tasks are timed in groups of about this */

void dw_coordinator_join_as_worker (dw_coordinator_t *self) {
    dw_event_t *event = self->host ? dw_coordinator_event (self, DW_EVENT_WORKER_JOINED) : NULL;
    if (!event)
        return;
    event->worker = self->workers_count;
    event->credit = 1;
    event->local = true;
    self->own.group_max = 1;
}

bool dw_coordinator_has_own_work (const dw_coordinator_t *self) {
    return self->host && dw_scheduler_has_own (self->scheduler);
}

/* Looks at the clock: the steps since it did so last took that time together. */
static void s_look (dw_coordinator_t *self) {
    dw_own_work_t *own = &self->own;
    if (own->group_count == 0)
        return;
    int64_t now_ns = dw_clock_ns ();
    uint64_t ns = (uint64_t) (now_ns - own->now_ns), step_ns = ns / own->group_count;
    dw_scheduler_timed (self->scheduler, own->group_count, ns);
    uint64_t step_us = (step_ns + 500) / 1000;
    for (uint32_t i = 0; step_us && i < own->group_count; i++)
        own->group[i]->duration_us = (uint32_t) (step_us < UINT32_MAX ? step_us : UINT32_MAX);
    uint64_t steps = GROUP_NS / (step_ns + 1);
    own->group_max = steps < 1 ? 1 : (uint32_t) (steps < DW_GROUP_MAX ? steps : DW_GROUP_MAX);
    own->group_count = 0;
    own->now_ns = now_ns;
}

/* The step of task that wrote to slot has failed: what slot tells of that goes the way that an answer's
 * error goes. */
static void s_fail (dw_coordinator_t *self, dw_own_task_t *task, dw_slot_t *slot, int code) {
    s_look (self); /* the slot is about to move */
    task->code = (uint16_t) code;
    task->handle = (uint32_t) self->outcomes.slots_count;
    dw_slot_t *kept = dw_coordinator_slot (self);
    if (!kept)
        return;
    *kept = *slot; /* KEEP_ERROR brings it back */
    memset (slot, 0, sizeof *slot);
}

/* What the scheduler does for many dependents takes longer than their tasks: it is not to be taken for
 * the time of one. */
static void s_look_away (dw_coordinator_t *self, uint32_t node) {
    const dw_plan_t *plan = self->plan;
    if (plan->successors_at[node + 1] - plan->successors_at[node] <= DW_GROUP_MAX)
        return;
    s_look (self);
    self->own.is_away = true;
}

/* Runs a task, or as many steps of it as there is time for: as many at a time as are timed together. */
static bool s_run_task (void *arg, dw_own_task_t *task) {
    dw_coordinator_t *self = arg;
    dw_own_work_t *own = &self->own;
    dw_live_run_t *run = &self->runs[task->run];
    dw_chain_t chain = {.run = run->number,
                        .slots = run->slots,
                        .input = self->plan->nodes_count,
                        .node = task->node,
                        .source = task->source,
                        .attempt = task->attempt};
    uint32_t left = task->steps;
    int code = 0;
    if (task->ahead != DW_NONE)
        __builtin_prefetch (&run->slots[task->ahead], 1);
    if (own->is_away) {
        own->is_away = false;
        own->now_ns = dw_clock_ns ();
    }
    do {
        uint32_t before = own->group_count, room = own->group_max - before;
        code = dw_host_run_chain (self->host, &chain, left < room ? left : room, own->group,
                                  &own->group_count);
        left -= own->group_count - before - (code != 0);
        if (own->group_count == own->group_max)
            s_look (self);
    } while (left > 0 && !code && own->now_ns < own->until_ns);
    run->has_extras |= chain.has_extras;
    task->code = 0;
    task->done = task->steps - left;
    own->steps_count += task->done;
    if (code)
        s_fail (self, task, &run->slots[chain.node], code);
    else if (left == 0)
        s_look_away (self, chain.last);
    return own->now_ns < own->until_ns;
}

void dw_coordinator_work (dw_coordinator_t *self) {
    dw_own_work_t *own = &self->own;
    own->now_ns = dw_clock_ns ();
    own->until_ns = own->now_ns + STRETCH_NS;
    own->is_away = false;
    if (dw_scheduler_work (self->scheduler, s_run_task, self, &self->commands))
        self->is_over = true;
    s_look (self);
    self->worked_ns = own->now_ns;
    self->workers[self->workers_count].steps_count = own->steps_count;
}
