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
    self->own.chain.input = self->plan->nodes_count;
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
static void s_fail (dw_coordinator_t *self, dw_own_task_t *task, dw_slot_t *slot) {
    s_look (self); /* the slot is about to move */
    task->handle = (uint32_t) self->outcomes.slots_count;
    dw_slot_t *kept = dw_coordinator_slot (self);
    if (!kept)
        return;
    *kept = *slot; /* KEEP_ERROR brings it back */
    memset (slot, 0, sizeof *slot);
}

/* Runs a task, or as many steps of it as there is time for: as many at a time as are timed together. */
static bool s_run_task (void *arg, dw_own_task_t *task) {
    dw_coordinator_t *self = arg;
    dw_own_work_t *own = &self->own;
    dw_live_run_t *run = &self->runs[task->run];
    dw_chain_t *chain = &own->chain;
    uint32_t left = task->steps;
    chain->run = run->number;
    chain->slots = run->slots;
    chain->node = task->node;
    chain->source = task->source;
    chain->attempt = task->attempt;
    if (task->ahead != DW_NONE)
        __builtin_prefetch (&run->slots[task->ahead], 1);
    if (own->is_away) {
        own->is_away = false;
        own->now_ns = dw_clock_ns ();
    }
    for (;;) {
        uint32_t room = own->group_max - own->group_count;
        task->code = (uint16_t) dw_host_run_chain (self->host, chain, left < room ? left : room,
                                                   &own->group[own->group_count]);
        own->group_count += chain->done + (task->code > 0);
        left -= chain->done;
        if (own->group_count == own->group_max)
            s_look (self);
        if (left == 0 || task->code || own->now_ns >= own->until_ns)
            break;
    }
    task->done = task->steps - left;
    own->steps_count += task->done;
    run->has_extras |= chain->has_extras;
    chain->has_extras = false;
    if (task->code)
        s_fail (self, task, &run->slots[chain->node]);
    /* What the scheduler does for many dependents takes longer than their tasks: it is not to be taken
     * for the time of one. */
    const uint32_t *successors_at = &self->plan->successors_at[chain->last];
    if (successors_at[1] - successors_at[0] > DW_GROUP_MAX) {
        s_look (self);
        own->is_away = true;
    }
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
