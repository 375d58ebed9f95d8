/* scheduler.c - what runs next: events in, commands out; the step. */

#include "runtime/core/scheduler_self.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/core/prefetch.h"

#define GRACE_NS 100000000 /* default of dw_scheduler_options_t */

/* Room for more commands; false: the step fails as a whole. */
bool dw_scheduler_grow_commands (dw_scheduler_t *self) {
    dw_commands_t *commands = self->commands;
    size_t size = commands->size ? 2 * commands->size : 256;
    dw_command_t *items = realloc (commands->items, size * sizeof *items);
    if (!items) {
        self->no_memory = true;
        return false;
    }
    commands->items = items;
    commands->size = size;
    return true;
}

void dw_scheduler_pending_add (dw_scheduler_t *self, uint32_t lane) {
    if (self->lanes[lane].is_pending)
        return;
    self->lanes[lane].is_pending = true;
    if (!self->pending_ring) {
        dw_bits_add (&self->pending, lane);
        return;
    }
    uint32_t at = self->pending_head + self->pending_count++;
    self->pending_ring[at < self->plan->lanes_count ? at : at - self->plan->lanes_count] = lane;
}

static void s_on_event (dw_scheduler_t *self, const dw_event_t *event) {
    switch ((dw_event_type_t) event->type) {
        case DW_EVENT_RUN_SUBMITTED: dw_scheduler_on_run_submitted (self, event); break;
        case DW_EVENT_RUN_CANCELLED: dw_scheduler_on_run_cancelled (self, event); break;
        case DW_EVENT_WORKER_JOINED: dw_scheduler_on_worker_joined (self, event); break;
        case DW_EVENT_WORKER_LOST: dw_scheduler_on_worker_lost (self, event); break;
        case DW_EVENT_TASK_DONE: dw_scheduler_on_task_done (self, event); break;
        case DW_EVENT_TASK_FAILED: dw_scheduler_on_task_failed (self, event); break;
        case DW_EVENT_TASK_RETURNED: dw_scheduler_on_task_returned (self, event); break;
        case DW_EVENT_LANES_UNSERVED: self->unserved = event->lanes; break;
        case DW_EVENT_BACKLOG: dw_scheduler_on_backlog (self); break;
        case DW_EVENT_TASK_SKIPPED: dw_scheduler_on_task_skipped (self, event); break;
        case DW_EVENT_NODE_CANCELLED: dw_scheduler_on_node_cancelled (self, event); break;
        case DW_EVENT_TASK_ADDED: dw_scheduler_on_task_added (self, event); break;
    }
}

int dw_scheduler_step (dw_scheduler_t *self, int64_t now_ns, const dw_event_t *events,
                       size_t events_count, dw_commands_t *commands) {
    assert (now_ns >= self->now_ns);
    self->now_ns = now_ns;
    self->steps_count++;
    self->answered_count = 0;
    self->commands = commands;
    for (size_t i = 0; i < events_count && !self->no_memory; i++)
        s_on_event (self, &events[i]);
    while (!self->no_memory && dw_timers_next_ns (&self->timers) <= now_ns) {
        dw_timer_t timer = dw_timers_take (&self->timers);
        dw_scheduler_on_timer (self, &timer);
    }
    if (!self->no_memory && self->ready_count > 0)
        dw_scheduler_dispatch (self);
    self->commands = NULL;
    return self->no_memory ? DW_ENOMEM : DW_OK;
}

int64_t dw_scheduler_deadline_ns (const dw_scheduler_t *self) {
    return dw_timers_next_ns (&self->timers);
}

static void s_make_template (dw_scheduler_t *self) {
    const dw_plan_t *plan = self->plan;
    dw_run_make_template (plan, self->template);
    for (uint32_t p = 0; p < plan->policies_count; p++)
        self->has_retries |= plan->policies[p].retry_attempts > 0;
}

static bool s_allocate (dw_scheduler_t *self) {
    const dw_plan_t *plan = self->plan;
    size_t lanes_size = plan->lanes_count * sizeof *self->lanes;
    self->workers = calloc (self->options.workers_max + 1u, sizeof *self->workers);
    self->template = calloc (plan->nodes_count + 1u, sizeof *self->template);
    self->lanes = calloc (1, lanes_size + sizeof *self->lanes);
    self->kinds = calloc (plan->kinds_count + 1u, sizeof *self->kinds);
    self->timed_kinds = calloc (plan->kinds_count + 1u, sizeof *self->timed_kinds);
    bool in_order = plan->strategy == DW_REACTIVE;
    self->pending_memory = calloc (
        1,
        (in_order ? plan->lanes_count * sizeof (uint32_t) : dw_bits_size (plan->lanes_count)) + 8);
    if (!self->workers || !self->template || !self->lanes || !self->kinds || !self->timed_kinds ||
        !self->pending_memory)
        return false;
    if (in_order)
        self->pending_ring = self->pending_memory;
    else
        dw_bits_init (&self->pending, plan->lanes_count, self->pending_memory);
    return true;
}

static void s_worker_init (dw_worker_state_t *worker) {
    worker->timer_ns = INT64_MAX;
    worker->tasks = &worker->task;
}

int dw_scheduler_new (dw_scheduler_t **self_p, const dw_plan_t *plan,
                      const dw_scheduler_options_t *options) {
    dw_scheduler_t *self = calloc (1, sizeof *self);
    if (!self)
        return DW_ENOMEM;
    self->plan = plan;
    self->options = *options;
    self->local_worker = DW_NONE;
    if (self->options.grace_ns == 0)
        self->options.grace_ns = GRACE_NS;
    if (!s_allocate (self)) {
        dw_scheduler_destroy (&self);
        return DW_ENOMEM;
    }
    self->concurrency_max = plan->max_concurrency;
    if (plan->pool && !options->is_open && plan->workers_count < self->concurrency_max)
        self->concurrency_max = plan->workers_count;
    for (uint32_t w = 0; w < options->workers_max; w++)
        s_worker_init (&self->workers[w]);
    s_make_template (self);
    *self_p = self;
    return DW_OK;
}

void dw_scheduler_destroy (dw_scheduler_t **self_p) {
    dw_scheduler_t *self = *self_p;
    if (!self)
        return;
    for (uint32_t run = 0; run < self->runs_size; run++)
        dw_run_destroy (&self->runs[run]);
    for (uint32_t w = 0; self->workers && w < self->options.workers_max; w++) {
        if (self->workers[w].tasks != &self->workers[w].task)
            free (self->workers[w].tasks);
        free (self->workers[w].several);
    }
    for (uint32_t lane = 0; self->lanes && lane < self->plan->lanes_count; lane++) {
        free (self->lanes[lane].entries);
        free (self->lanes[lane].workers);
        free (self->lanes[lane].idle_memory);
    }
    free (self->runs);
    free (self->workers);
    free (self->answered);
    free (self->template);
    free (self->lanes);
    free (self->kinds);
    free (self->timed_kinds);
    free (self->timers.items);
    free (self->pending_memory);
    free (self);
    *self_p = NULL;
}

dw_node_state_t dw_scheduler_node_state (const dw_scheduler_t *self, uint32_t run, uint32_t node) {
    const dw_run_t *state = &self->runs[run];
    return state->nodes ? (dw_node_state_t) state->nodes[node].state : DW_STATE_CANCELLED;
}

unsigned dw_scheduler_node_attempts (const dw_scheduler_t *self, uint32_t run, uint32_t node) {
    return self->runs[run].nodes ? self->runs[run].nodes[node].attempts : 0;
}

bool dw_scheduler_node_requested (const dw_scheduler_t *self, uint32_t run, uint32_t node) {
    const dw_run_t *state = &self->runs[run];
    return !state->nodes || (state->nodes[node].wanted & DW_REQUESTED);
}

uint32_t dw_scheduler_unfinished_count (const dw_scheduler_t *self, uint32_t run,
                                        uint32_t *sent_p) {
    bool is_live = run < self->runs_size && self->runs[run].life == DW_RUN_LIVE;
    *sent_p = is_live ? self->runs[run].sent_count : 0;
    return is_live ? self->runs[run].unfinished_count : 0;
}

bool dw_scheduler_all_done (const dw_scheduler_t *self, uint32_t run) {
    return self->runs[run].keeps_all && self->runs[run].not_done_count == 0;
}

int dw_scheduler_causes (const dw_scheduler_t *self, uint32_t run,
                         void (*tell) (void *arg, uint32_t node, const uint32_t *causes,
                                       uint32_t causes_count),
                         void *arg) {
    return dw_run_causes (&self->runs[run], tell, arg);
}

void dw_scheduler_forget (dw_scheduler_t *self, uint32_t run) {
    assert (self->runs[run].life == DW_RUN_ENDED);
    dw_run_forget (&self->runs[run]);
}

dw_scheduler_counts_t dw_scheduler_counts (const dw_scheduler_t *self) {
    return self->counts;
}

uint32_t dw_scheduler_unanswered_count (const dw_scheduler_t *self, uint32_t worker) {
    return self->workers[worker].held;
}

uint32_t dw_scheduler_ready_count (const dw_scheduler_t *self) {
    return self->ready_count;
}

uint32_t dw_scheduler_lane_workers_count (const dw_scheduler_t *self, uint32_t lane) {
    return self->lanes[lane].workers_count;
}

uint32_t dw_scheduler_lane_ready_count (const dw_scheduler_t *self, uint32_t lane) {
    return self->lanes[lane].ready_count;
}

uint32_t dw_scheduler_active_count (const dw_scheduler_t *self) {
    return self->active_count;
}

static bool s_is_unserved (const dw_scheduler_t *self, uint32_t lane) {
    return self->lanes[lane].ready_count > 0 && self->lanes[lane].workers_count == 0;
}

uint32_t dw_scheduler_unserved_node (const dw_scheduler_t *self, uint32_t run) {
    const dw_run_t *state = &self->runs[run];
    if (run >= self->runs_size || state->life != DW_RUN_LIVE || self->plan->nodes_count == 0)
        return DW_NONE;
    for (uint32_t lane = 0; lane < self->plan->lanes_count; lane++)
        if (s_is_unserved (self, lane) && dw_run_ready_count (state, lane) > 0)
            return dw_run_ready_first (state, lane);
    for (uint32_t place = 0; state->added_count > 0 && place < self->runs_size; place++) {
        const dw_run_t *added = &self->runs[place];
        if (added->life == DW_RUN_LIVE && added->added && added->root == run &&
            s_is_unserved (self, added->lane) && dw_run_ready_count (added, added->lane) > 0)
            return added->root_node;
    }
    return DW_NONE;
}

uint64_t dw_scheduler_worker_ticket (const dw_scheduler_t *self, uint32_t worker) {
    return self->workers[worker].first;
}

void dw_scheduler_prefetch (const dw_scheduler_t *self, uint32_t worker) {
    const dw_worker_state_t *state = &self->workers[worker];
    dw_prefetch (state, sizeof *state);
}

uint32_t dw_scheduler_prefetch_run (const dw_scheduler_t *self, uint32_t worker) {
    const dw_worker_state_t *state = &self->workers[worker];
    uint32_t place = state->held > 0 ? dw_scheduler_task (state, state->first)->run : DW_NONE;
    if (place != DW_NONE)
        dw_prefetch (&self->runs[place], sizeof self->runs[place]);
    if (state->present && !state->several)
        __builtin_prefetch (&self->lanes[state->lane].workers[state->place]);
    return place;
}

uint32_t dw_scheduler_prefetch_node (const dw_scheduler_t *self, uint32_t worker, uint32_t place) {
    const dw_worker_state_t *state = &self->workers[worker];
    uint32_t node = dw_scheduler_task (state, state->first)->node;
    __builtin_prefetch (&self->runs[place].nodes[node], 1);
    return node;
}

uint32_t dw_scheduler_worker_credit (const dw_scheduler_t *self, uint32_t worker) {
    return self->workers[worker].credit;
}

int64_t dw_scheduler_worker_since_ns (const dw_scheduler_t *self, uint32_t worker) {
    return self->workers[worker].since_ns;
}

uint32_t dw_scheduler_worker_node (const dw_scheduler_t *self, uint32_t worker, uint32_t *run_p) {
    const dw_worker_state_t *state = &self->workers[worker];
    if (state->held == 0)
        return DW_NONE;
    const dw_held_task_t *task = dw_scheduler_task (state, state->first);
    *run_p = task->run == DW_NONE ? DW_NONE : self->runs[task->run].root;
    return task->shown;
}

uint32_t dw_scheduler_root (const dw_scheduler_t *self, uint32_t place, uint32_t *node_p) {
    *node_p = self->runs[place].root_node;
    return self->runs[place].root;
}

uint32_t dw_scheduler_steps_at (const dw_scheduler_t *self, uint32_t worker, uint64_t ticket,
                                uint32_t told) {
    const dw_worker_state_t *state = &self->workers[worker];
    if (!state->present || ticket < state->first || ticket >= dw_scheduler_next (state))
        return 0;
    const dw_held_task_t *task = dw_scheduler_task (state, ticket);
    if (task->run == DW_NONE || told < task->done || told - task->done >= task->steps)
        return 0;
    return task->steps + task->cut - (told - task->done);
}

bool dw_scheduler_task_at (const dw_scheduler_t *self, uint32_t worker, uint64_t ticket,
                           uint32_t told, uint32_t *run_p, uint32_t *node_p) {
    if (dw_scheduler_steps_at (self, worker, ticket, told) == 0)
        return false;
    const dw_held_task_t *task = dw_scheduler_task (&self->workers[worker], ticket);
    *run_p = task->run;
    *node_p = task->node;
    for (uint32_t step = task->done; step < told; step++)
        *node_p = self->runs[task->run].plan->chain_next[*node_p];
    return true;
}
