/* host.c - runs processors. */

#include "actors/host.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

#include "actors/clock.h"

#define CHUNK_STEPS 512u /* steps of a chain that one event tells of, at most */
#define LONG_STEPS  16u  /* a chain that is timed by itself */

struct dw_hosted_t {
    const dw_program_t *program;
    void **instances;  /* by node, */
    bool *are_started; /* of those that are */
};

struct dw_host_t {
    const dw_program_t *program;
    uint32_t node;    /* whose instance it hosts; DW_NONE: every node's */
    void **instances; /* by node, or one */
    uint32_t instances_count;
    dw_call_t call;

    /* The task under way. */
    dw_task_t task; /* its node, steps and attempt are those that come next */
    bool is_busy;
    uint32_t ran;  /* steps of it that were run, */
    uint32_t told; /* and that events have told of */
    uint32_t worker;
    dw_given_t given; /* of a step that is not the first: the step before */
    /* Where the payload lies that a step of the task gave: in a slot of the outcomes, or in one of
     * the two below. NULL: where the task said. */
    const dw_slot_t *payload_slot;
    dw_slot_t carried;         /* own copy of the last step's output, over a pause */
    dw_slot_t carried_payload; /* own copy of the payload when that is an earlier step's */

    dw_lap_t lap;
    size_t lap_event, lap_slot; /* its first */
};

/* ---- Outcomes --------------------------------------------------------------------------------- */

bool dw_outcomes_reserve (dw_outcomes_t *self, size_t slots) {
    if (self->events_size - self->events_count < 2) {
        size_t size = self->events_size ? 2 * self->events_size : 64;
        dw_event_t *events = realloc (self->events, size * sizeof *events);
        if (!events)
            return false;
        self->events = events;
        self->events_size = size;
    }
    if (self->slots_size - self->slots_count < slots) {
        size_t size = self->slots_size ? 2 * self->slots_size : 64;
        while (size - self->slots_count < slots)
            size *= 2;
        dw_slot_t *grown = realloc (self->slots, size * sizeof *grown);
        if (!grown)
            return false;
        self->slots = grown;
        self->slots_size = size;
    }
    return true;
}

void dw_outcomes_clear (dw_outcomes_t *self) {
    for (size_t i = 0; i < self->slots_count; i++)
        if (dw_slot_owns (&self->slots[i]))
            dw_slot_clear (&self->slots[i]);
    self->slots_count = self->events_count = 0;
}

void dw_outcomes_free (dw_outcomes_t *self) {
    dw_outcomes_clear (self);
    free (self->events);
    free (self->slots);
    memset (self, 0, sizeof *self);
}

/* ---- Instances -------------------------------------------------------------------------------- */

static const dw_processor_t *s_processor (const dw_host_t *self, uint32_t node) {
    return self->program->processors[self->program->plan->kind[node]];
}

static void **s_instance (const dw_host_t *self, uint32_t node) {
    return &self->instances[self->node == DW_NONE ? node : 0];
}

static int s_start (dw_host_t *self, uint32_t node, dw_error_t *error) {
    char why[256] = "";
    const dw_processor_t *processor = s_processor (self, node);
    void **instance = s_instance (self, node);
    *instance = processor->arg;
    if (processor->start && processor->start (instance, self->program->settings[node],
                                              processor->arg, why, sizeof why)) {
        why[sizeof why - 1] = '\0';
        return dw_error_add (
            error, DW_EPROCESSOR, DW_NOWHERE, "node \"%s\": its processor %s cannot start: %s",
            self->program->plan->ids[node], processor->name, *why ? why : "it gave no reason");
    }
    self->instances_count++;
    return DW_OK;
}

int dw_host_new (dw_host_t **self_p, const dw_program_t *program, uint32_t node,
                 dw_error_t *error) {
    const dw_plan_t *plan = program->plan;
    uint32_t count = node == DW_NONE ? plan->nodes_count : 1;
    dw_host_t *self = calloc (1, sizeof *self);
    if (self)
        self->instances = calloc (count + 1u, sizeof *self->instances);
    if (!self || !self->instances) {
        free (self);
        return dw_error_add (error, DW_ENOMEM, DW_NOWHERE, "out of memory");
    }
    self->program = program;
    self->node = node;
    self->call.plan = plan;
    self->call.token = program->token;
    self->call.settings = program->settings;
    self->lap.steps_max = 1;
    int err = DW_OK;
    for (uint32_t i = 0; i < count && !err; i++)
        if (node == DW_NONE && !dw_program_hosts (program, i))
            self->instances_count++; /* its place stays empty */
        else
            err = s_start (self, node == DW_NONE ? i : node, error);
    if (err)
        dw_host_destroy (&self);
    else
        *self_p = self;
    return err;
}

void dw_host_destroy (dw_host_t **self_p) {
    dw_host_t *self = *self_p;
    if (!self)
        return;
    dw_host_abandon (self);
    while (self->instances_count > 0) {
        uint32_t node = self->node == DW_NONE ? --self->instances_count : self->node;
        if (!dw_program_hosts (self->program, node))
            continue;
        const dw_processor_t *processor = s_processor (self, node);
        if (processor->stop)
            processor->stop (*s_instance (self, node));
        if (self->node != DW_NONE)
            break;
    }
    dw_call_free (&self->call);
    free (self->instances);
    free (self);
    *self_p = NULL;
}

int dw_hosted_new (dw_hosted_t **self_p, const dw_program_t *program) {
    uint32_t count = program->plan->nodes_count;
    dw_hosted_t *self = calloc (1, sizeof *self);
    if (!self)
        return DW_ENOMEM;
    self->program = program;
    self->instances = calloc (count + 1u, sizeof *self->instances);
    self->are_started = calloc (count + 1u, sizeof *self->are_started);
    if (!self->instances || !self->are_started) {
        dw_hosted_destroy (&self);
        return DW_ENOMEM;
    }
    *self_p = self;
    return DW_OK;
}

void dw_hosted_destroy (dw_hosted_t **self_p) {
    dw_hosted_t *self = *self_p;
    if (!self)
        return;
    const dw_plan_t *plan = self->program->plan;
    for (uint32_t node = 0; self->are_started && node < plan->nodes_count; node++) {
        const dw_processor_t *processor = self->program->processors[plan->kind[node]];
        if (self->are_started[node] && processor->stop)
            processor->stop (self->instances[node]);
    }
    free (self->instances);
    free (self->are_started);
    free (self);
    *self_p = NULL;
}

/* Whether the instance of an added node is there; else the slot says why not. */
static bool s_is_started (dw_hosted_t *self, uint32_t node, dw_slot_t *slot) {
    char why[256] = "", text[512];
    const dw_plan_t *plan = self->program->plan;
    const dw_processor_t *processor = self->program->processors[plan->kind[node]];
    void **instance = &self->instances[node];
    if (self->are_started[node])
        return true;
    *instance = processor->arg;
    if (!processor->start || processor->start (instance, self->program->settings[node],
                                               processor->arg, why, sizeof why) == 0)
        return self->are_started[node] = true;
    why[sizeof why - 1] = '\0';
    int size = snprintf (text, sizeof text, "its processor %.100s cannot start: %s",
                         processor->name, *why ? why : "it gave no reason");
    dw_slot_set_error (slot, 500, text, (size_t) size);
    return false;
}

void dw_host_set_cancelled (dw_host_t *self, bool (*is_cancelled) (void *arg), void *arg, int fd) {
    self->call.is_cancelled = is_cancelled;
    self->call.is_cancelled_arg = arg;
    self->call.cancelled_fd = fd;
}

/* ---- Time ------------------------------------------------------------------------------------- */

int64_t dw_host_now_ns (const dw_host_t *self) {
    return self->lap.since_ns;
}

int64_t dw_host_settle (dw_host_t *self, dw_outcomes_t *outcomes) {
    if (self->lap.steps > 0) {
        uint64_t step_ns = dw_lap_end (&self->lap);
        uint32_t step_us = dw_clock_us (step_ns);
        for (size_t i = self->lap_event; i < outcomes->events_count; i++)
            outcomes->events[i].duration_ns = step_ns;
        for (size_t i = self->lap_slot; step_us && i < outcomes->slots_count; i++)
            outcomes->slots[i].duration_us = step_us;
    }
    self->lap_event = outcomes->events_count;
    self->lap_slot = outcomes->slots_count;
    return self->lap.since_ns;
}

void dw_host_wake (dw_host_t *self, int64_t now_ns) {
    assert (self->lap.steps == 0); /* else what was run would be timed too short */
    self->lap.since_ns = now_ns;
}

/* ---- A task ----------------------------------------------------------------------------------- */

/* Of the task under way. */
static const dw_program_t *s_program (const dw_host_t *self) {
    return self->task.hosted ? self->task.hosted->program : self->program;
}

void dw_host_begin (dw_host_t *self, uint32_t worker, const dw_task_t *task) {
    assert (!self->is_busy);
    self->task = *task;
    self->worker = worker;
    self->payload_slot = NULL;
    self->ran = self->told = 0;
    self->is_busy = true;
    const dw_program_t *program = s_program (self);
    self->call.plan = program->plan;
    self->call.settings = program->settings;
}

uint32_t dw_host_steps_told (const dw_host_t *self) {
    return self->told;
}

uint32_t dw_host_steps_ran (const dw_host_t *self) {
    return self->ran;
}

bool dw_host_is_busy (const dw_host_t *self) {
    return self->is_busy;
}

void dw_host_abandon (dw_host_t *self) {
    self->is_busy = false;
    dw_slot_clear (&self->carried);
    dw_slot_clear (&self->carried_payload);
}

/* Runs the next step into slot; returns 0, or the error's code. */
static int s_step (dw_host_t *self, dw_slot_t *slot) {
    dw_call_t *call = &self->call;
    const dw_task_t *task = &self->task;
    call->run = task->run;
    call->node = task->node;
    call->attempt = task->attempt;
    call->payload = task->payload;
    call->payload_frame = task->payload_frame;
    call->given = task->given;
    call->given_count = task->given_count;
    memset (slot, 0, sizeof *slot);
    dw_call_begin (call, slot);
    dw_hosted_t *hosted = task->hosted;
    if (hosted && !s_is_started (hosted, task->node, slot))
        return 500;
    const dw_program_t *program = s_program (self);
    void *instance = hosted ? hosted->instances[task->node] : *s_instance (self, task->node);
    int code = program->processors[program->plan->kind[task->node]]->process (call, instance);
    return dw_call_is_over (call, code) ? 0 : dw_call_end (call, code);
}

/* Every instruction in this loop is one of each small task: what never changes is looked up before
 * it, and what a small task does not come to is behind dw_call_is_over. */
int dw_host_run_chain (dw_host_t *self, dw_chain_t *chain, uint32_t steps, dw_slot_t **ran) {
    const dw_plan_t *plan = self->program->plan;
    const dw_processor_t *const *processors = self->program->processors;
    const uint32_t *kinds = plan->kind, *dependencies_at = plan->dependencies_at;
    void *const *instances = self->instances;
    dw_table_t *table = chain->table;
    dw_call_t *call = &self->call;
    uint32_t node = chain->node, last, done = 0;
    int code = 0;
    assert (self->node == DW_NONE);
    call->run = chain->run;
    call->slots = chain->table->slots;
    call->input = chain->input;
    call->source = chain->source;
    call->attempt = chain->attempt;
    for (;;) {
        dw_slot_t *slot = ran[done] = dw_table_slot (table, node);
        if (dw_slot_owns (slot))
            dw_slot_clear (slot); /* of an attempt before */
        call->dependencies = &plan->dependencies[dependencies_at[node]];
        call->given_count = plan->flags[node] & DW_NODE_PAYLOAD_ONLY
                                ? 0
                                : plan->dependencies_count[node];
        call->node = last = node;
        dw_call_begin (call, slot);
        code = processors[kinds[node]]->process (call, instances[node]);
        if (!dw_call_is_over (call, code)) {
            code = dw_call_end (call, code);
            chain->has_extras |= dw_slot_owns (slot);
            if (code)
                break;
        }
        slot->status = DW_NODE_DONE;
        slot->attempts = (uint16_t) call->attempt;
        node = plan->chain_next[last];
        if (plan->flags[last] & DW_NODE_PASSED_ON)
            call->source = last; /* else the next one reads what this one read */
        call->attempt = 1;
        if (++done == steps)
            break;
    }
    chain->last = last;
    chain->node = node;
    chain->source = call->source;
    chain->attempt = call->attempt;
    chain->done = done;
    return code;
}

/* The step before has left its output in slot: makes the next one the task under way. */
static void s_advance (dw_host_t *self, const dw_slot_t *slot) {
    const dw_plan_t *plan = s_program (self)->plan;
    dw_task_t *task = &self->task;
    uint32_t node = task->node, next = plan->chain_next[node];
    dw_view_t output;
    output.bytes = dw_slot_payload (slot, &output.size);
    if (!(plan->flags[next] & DW_NODE_PAYLOAD_ONLY)) {
        const dw_extra_t *extra = dw_slot_extra (slot);
        self->given.payload = output;
        self->given.metadata = extra ? (dw_view_t){extra->metadata, extra->metadata_size}
                                     : (dw_view_t){NULL, 0};
        task->given = &self->given;
        task->given_count = 1;
    } else
        task->given_count = 0;
    if (plan->flags[node] & DW_NODE_PASSED_ON) {
        self->payload_slot = slot;
        task->payload = output;
        task->payload_frame = dw_slot_frame (slot);
    }
    task->node = next;
    task->attempt = 1;
    task->steps--;
}

/* Takes a copy of what slot holds, which large payloads share. False: no memory. */
static bool s_keep (dw_slot_t *kept, const dw_slot_t *slot) {
    dw_extra_t *extra = dw_slot_extra (slot);
    const uint8_t *outside = dw_slot_outside (slot);
    memset (kept, 0, sizeof *kept);
    if (outside) {
        uint8_t *at = dw_slot_reserve (kept, slot->size);
        if (at)
            memcpy (at, outside, slot->size);
        return at;
    }
    if (!extra) {
        *kept = *slot;
        return true;
    }
    if ((!extra->has_payload || dw_slot_share (kept, &extra->payload)) &&
        (!extra->metadata || dw_slot_set_metadata (kept, extra->metadata, extra->metadata_size)))
        return true;
    dw_slot_clear (kept);
    return false;
}

/* The slots of the outcomes will go their way before the task goes on: what the next step reads of
 * them is kept, the output of the last one and the payload, which may be that of one before. */
static bool s_carry (dw_host_t *self, const dw_slot_t *last) {
    const dw_slot_t *from = self->payload_slot;
    dw_slot_t kept, kept_payload;
    if (!s_keep (&kept, last))
        return false;
    if (from == last)
        self->payload_slot = &self->carried;
    else if (from && from != &self->carried_payload) {
        if (!s_keep (&kept_payload, from)) {
            dw_slot_clear (&kept);
            return false;
        }
        dw_slot_clear (&self->carried_payload);
        self->carried_payload = kept_payload;
        self->payload_slot = &self->carried_payload;
    }
    dw_slot_clear (&self->carried);
    self->carried = kept;
    self->given.payload.bytes = dw_slot_payload (&self->carried, &self->given.payload.size);
    const dw_extra_t *own = dw_slot_extra (&self->carried);
    self->given.metadata = own ? (dw_view_t){own->metadata, own->metadata_size}
                               : (dw_view_t){NULL, 0};
    if (self->payload_slot) {
        self->task.payload.bytes = dw_slot_payload (self->payload_slot, &self->task.payload.size);
        self->task.payload_frame = dw_slot_frame (self->payload_slot);
    }
    return true;
}

static dw_event_t *s_push_event (dw_host_t *self, dw_outcomes_t *outcomes, dw_event_type_t type) {
    dw_event_t *event = &outcomes->events[outcomes->events_count++];
    memset (event, 0, sizeof *event);
    event->type = (uint8_t) type;
    event->worker = self->worker;
    event->ticket = self->task.ticket;
    event->step = self->told;
    event->handle = (uint32_t) outcomes->slots_count;
    return event;
}

/* The step under way failed with code, which its slot tells of, or ended its branch, or added a
 * graph. */
static void s_break_off (dw_host_t *self, dw_outcomes_t *outcomes, int code, uint32_t steps_done) {
    dw_event_t *event = &outcomes->events[outcomes->events_count - 1];
    bool is_skipped = code == DW_CALL_SKIPPED;
    self->told += steps_done;
    if (steps_done > 0)
        event = s_push_event (self, outcomes, DW_EVENT_TASK_FAILED);
    bool is_added = code == DW_CALL_ADDED;
    event->type = is_skipped ? DW_EVENT_TASK_SKIPPED
                  : is_added ? DW_EVENT_TASK_ADDED
                             : DW_EVENT_TASK_FAILED;
    event->code = (uint16_t) (is_skipped || is_added ? 0 : code);
    event->handle = is_skipped ? 0 : event->handle;
    outcomes->slots_count += !is_skipped;
    dw_host_abandon (self);
}

bool dw_host_run (dw_host_t *self, dw_outcomes_t *outcomes, int64_t until_ns) {
    assert (self->is_busy);
    uint32_t steps_max = self->task.steps < CHUNK_STEPS ? self->task.steps : CHUNK_STEPS;
    if (!dw_outcomes_reserve (outcomes, steps_max))
        return false;
    bool is_long = steps_max > LONG_STEPS;
    int64_t begin_ns = is_long ? dw_host_settle (self, outcomes) : self->lap.since_ns;
    size_t at = outcomes->events_count;
    s_push_event (self, outcomes, DW_EVENT_TASK_DONE);
    uint32_t steps = 0;
    while (steps < steps_max) {
        dw_slot_t *slot = &outcomes->slots[outcomes->slots_count];
        int code = s_step (self, slot);
        self->lap.steps++;
        if (code) {
            s_break_off (self, outcomes, code, steps);
            break;
        }
        outcomes->slots_count++;
        steps++;
        self->ran++;
        if (self->task.steps == 1) {
            outcomes->events[at].last = true;
            dw_host_abandon (self);
            break;
        }
        s_advance (self, slot);
        if (self->lap.steps >= self->lap.steps_max && dw_host_settle (self, outcomes) >= until_ns)
            break;
    }
    outcomes->events[at].steps = steps;
    self->told += self->is_busy ? steps : 0;
    if (self->lap.steps >= self->lap.steps_max || is_long)
        dw_host_settle (self, outcomes);
    if (is_long && steps > 0)
        outcomes->events[at].duration_ns = (uint64_t) (self->lap.since_ns - begin_ns) / steps;
    if (self->is_busy && !s_carry (self, &outcomes->slots[outcomes->slots_count - 1])) {
        /* The chain cannot go on here: it goes back from this step, and is sent again. */
        outcomes->events[at].last = true;
        dw_host_abandon (self);
    }
    return true;
}
