/* coordinator_work.c - the coordinator's own work: brief tasks that its thread runs itself. */

#include "actors/clock.h"
#include "actors/coordinator_self.h"

void dw_coordinator_join_as_worker (dw_coordinator_t *self) {
    dw_event_t *event = self->host ? dw_coordinator_event (self, DW_EVENT_WORKER_JOINED) : NULL;
    if (!event)
        return;
    event->worker = self->workers_count;
    event->credit = 1;
    event->local = true;
    self->own.lap.steps_max = 1;
    self->own.chain.input = self->plan->nodes_count;
}

bool dw_coordinator_has_own_work (const dw_coordinator_t *self) {
    return self->host && dw_scheduler_has_own (self->scheduler);
}

/* Ends the lap, if anything ran in it. */
static void s_look (dw_coordinator_t *self) {
    dw_own_work_t *own = &self->own;
    uint32_t steps = own->lap.steps;
    if (steps == 0)
        return;
    int64_t since_ns = own->lap.since_ns;
    uint32_t step_us = dw_clock_us (dw_lap_end (&own->lap));
    uint64_t lap_ns = (uint64_t) (own->lap.since_ns - since_ns);
    dw_scheduler_timed (self->scheduler, steps, lap_ns);
    if (self->record)
        dw_recorder_lap (&self->record->recorder, steps, since_ns, lap_ns);
    for (uint32_t i = 0; step_us && i < steps; i++)
        own->ran[i]->duration_us = step_us;
}

/* The step of task that wrote to slot has failed: what slot tells of that goes the way that an
 * answer's error goes. */
static void s_fail (dw_coordinator_t *self, dw_own_task_t *task, dw_slot_t *slot) {
    s_look (self); /* the slot is about to move */
    task->handle = (uint32_t) self->outcomes.slots_count;
    dw_slot_t *kept = dw_coordinator_slot (self);
    if (!kept)
        return;
    *kept = *slot; /* KEEP_ERROR brings it back */
    memset (slot, 0, sizeof *slot);
}

/* Runs a task, or as many steps of it as there is time for: as many at a time as are timed
 * together. */
static bool s_run_task (void *arg, dw_own_task_t *task) {
    dw_coordinator_t *self = arg;
    dw_own_work_t *own = &self->own;
    dw_live_run_t *run = &self->runs[task->run];
    dw_chain_t *chain = &own->chain;
    uint32_t left = task->steps;
    chain->run = run->number;
    chain->table = &run->table;
    chain->node = task->node;
    chain->source = task->source;
    chain->attempt = task->attempt;
    if (task->ahead != DW_NONE)
        __builtin_prefetch (&run->table.slots[task->ahead], 1);
    if (own->is_away) {
        own->is_away = false;
        own->lap.since_ns = dw_clock_ns ();
    }
    for (;;) {
        uint32_t room = own->lap.steps_max - own->lap.steps;
        int code = dw_host_run_chain (self->host, chain, left < room ? left : room,
                                      &own->ran[own->lap.steps]);
        task->is_skipped = code == DW_CALL_SKIPPED;
        task->code = (uint16_t) (task->is_skipped ? 0 : code);
        own->lap.steps += chain->done + (code > 0);
        left -= chain->done;
        if (own->lap.steps >= own->lap.steps_max)
            s_look (self);
        if (left == 0 || code || own->lap.since_ns >= own->until_ns)
            break;
    }
    task->done = task->steps - left;
    self->workers[self->workers_count].steps_count += task->done;
    run->has_extras |= chain->has_extras;
    chain->has_extras = false;
    if (task->code)
        s_fail (self, task, &run->table.slots[chain->node]);
    /* What the scheduler does for many dependents takes longer than their tasks: it is not to be
     * taken for the time of one. */
    const uint32_t *successors_at = &self->plan->successors_at[chain->last];
    if (successors_at[1] - successors_at[0] > DW_LAP_STEPS_MAX) {
        s_look (self);
        own->is_away = true;
    }
    if (self->record)
        dw_recorder_own_task (&self->record->recorder, task);
    return own->lap.since_ns < own->until_ns;
}

void dw_coordinator_work (dw_coordinator_t *self) {
    dw_own_work_t *own = &self->own;
    own->lap.since_ns = dw_clock_ns ();
    own->until_ns = own->lap.since_ns + dw_scheduler_stretch_ns (self->scheduler);
    own->is_away = false;
    size_t first = self->commands.count;
    if (self->record)
        dw_recorder_work_begin (&self->record->recorder, own->lap.since_ns);
    if (dw_scheduler_work (self->scheduler, s_run_task, self, &self->commands))
        self->is_over = true;
    bool is_by_time = own->lap.since_ns >= own->until_ns;
    s_look (self);
    if (self->record)
        dw_recorder_work_end (&self->record->recorder, is_by_time, &self->commands, first);
}
