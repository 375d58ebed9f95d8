/* worker_tasks.c - the tasks of a worker, and what is kept for them. */

#include "actors/worker_self.h"

#include <assert.h>
#include <stdlib.h>

#include "actors/clock.h"

#define ANSWER_NS    200000 /* an answer older than this is sent before the next task is started */
#define LOOK_NS      20000  /* how often the socket is looked at between tasks */
#define ANSWER_SLOTS 4096u

/* ---- Cancelled -------------------------------------------------------------------------------- */

void dw_worker_on_cancel (dw_worker_t *self, dw_wire_reader_t *reader) {
    dw_worker_cancelled_t cancelled = {.ticket = dw_read_uint (reader)};
    if (dw_wire_reader_has_more (reader))
        cancelled.steps = dw_read_uint_max (reader, UINT32_MAX);
    if (reader->is_damaged)
        return;
    if (self->cancelled_count == self->cancelled_size) {
        uint32_t size = self->cancelled_size ? 2 * self->cancelled_size : 16;
        dw_worker_cancelled_t *grown = realloc (self->cancelled, size * sizeof *grown);
        if (!grown)
            return; /* then it is run in vain, and its answer ignored */
        self->cancelled = grown;
        self->cancelled_size = size;
    }
    self->cancelled[self->cancelled_count++] = cancelled;
}

bool dw_worker_is_step_cancelled (const dw_worker_t *self) {
    for (uint32_t i = 0; i < self->cancelled_count; i++)
        if (self->cancelled[i].ticket == self->ticket &&
            self->cancelled[i].steps <= dw_host_steps_ran (self->host))
            return true;
    return false;
}

/* Whether the next task was cancelled before it began; forgets tickets that are behind. */
static bool s_take_cancelled (dw_worker_t *self, uint64_t ticket) {
    bool was = false;
    uint32_t kept = 0;
    for (uint32_t i = 0; i < self->cancelled_count; i++) {
        was |= self->cancelled[i].ticket == ticket && self->cancelled[i].steps == 0;
        if (self->cancelled[i].ticket >= ticket)
            self->cancelled[kept++] = self->cancelled[i];
    }
    self->cancelled_count = kept;
    return was;
}

/* ---- Answers ---------------------------------------------------------------------------------- */

static void s_write_slot (dw_packet_t *packet, const dw_slot_t *slot) {
    size_t size;
    const dw_extra_t *extra = dw_slot_extra (slot);
    const uint8_t *payload = dw_slot_payload (slot, &size);
    dw_packet_add (packet, payload, size, dw_slot_frame (slot));
    if (extra && extra->metadata)
        dw_packet_add (packet, extra->metadata, extra->metadata_size, NULL);
    else
        dw_write_nil (&packet->head);
}

static void s_write_answer (dw_packet_t *packet, const dw_event_t *event, const dw_slot_t *slots) {
    dw_writer_t *head = &packet->head;
    const dw_extra_t *extra;
    dw_write_uint (head, event->ticket);
    dw_write_uint (head, event->step);
    switch ((dw_event_type_t) event->type) {
        case DW_EVENT_TASK_DONE:
            dw_write_uint (head, event->last ? DW_WIRE_DONE : DW_WIRE_MORE);
            dw_write_uint (head, event->duration_ns);
            dw_write_uint (head, event->steps);
            for (uint32_t i = 0; i < event->steps; i++)
                s_write_slot (packet, &slots[event->handle + i]);
            return;
        case DW_EVENT_TASK_FAILED:
            extra = dw_slot_extra (&slots[event->handle]);
            dw_write_uint (head, DW_WIRE_FAILED);
            dw_write_uint (head, event->duration_ns);
            dw_write_uint (head, event->code);
            dw_write_str (head, extra ? extra->message : "", extra ? extra->message_size : 0);
            return;
        case DW_EVENT_TASK_RETURNED:
            dw_write_uint (head, DW_WIRE_RETURNED);
            dw_write_uint (head, 0);
            return;
        case DW_EVENT_TASK_SKIPPED:
            dw_write_uint (head, DW_WIRE_SKIPPED);
            dw_write_uint (head, event->duration_ns);
            return;
        case DW_EVENT_TASK_ADDED:
            extra = dw_slot_extra (&slots[event->handle]);
            dw_write_uint (head, DW_WIRE_ADDED);
            dw_write_uint (head, event->duration_ns);
            s_write_slot (packet, &slots[event->handle]);
            dw_packet_add (packet, extra ? extra->graph : NULL, extra ? extra->graph_size : 0,
                           NULL);
            return;
        case DW_EVENT_RUN_SUBMITTED:
        case DW_EVENT_RUN_CANCELLED:
        case DW_EVENT_NODE_CANCELLED:
        case DW_EVENT_WORKER_JOINED:
        case DW_EVENT_WORKER_LOST:
        case DW_EVENT_LANES_UNSERVED:
        case DW_EVENT_BACKLOG: break;
    }
    assert (false); /* A worker's outcomes are answers. */
}

/* Sends what is done. */
static void s_answer (dw_worker_t *self) {
    self->answered_ns = dw_host_settle (self->host, &self->outcomes);
    size_t count = self->outcomes.events_count;
    if (count == 0)
        return;
    dw_write_uint (&self->packet.head, DW_WIRE_ANSWERS);
    dw_write_uint (&self->packet.head, self->peer);
    for (size_t i = 0; i < count; i++)
        s_write_answer (&self->packet, &self->outcomes.events[i], self->outcomes.slots);
    /* The queue has no limit of its own, credit bounds it; so a refusal is the end of the context
     * or of memory, and a worker that cannot answer is of no use. */
    if (dw_packet_send (&self->packet, self->socket, NULL, 0))
        dw_worker_give_up (self);
    dw_outcomes_clear (&self->outcomes);
    self->weighed = self->weight = 0;
    dw_host_settle (self->host, &self->outcomes); /* the next group begins in empty outcomes */
}

static void s_give_back (dw_worker_t *self, uint64_t ticket, uint32_t step) {
    if (!dw_outcomes_reserve (&self->outcomes, 0)) {
        self->stopping = true;
        return;
    }
    self->outcomes.events[self->outcomes.events_count++] = (dw_event_t){
        .type = DW_EVENT_TASK_RETURNED,
        .worker = self->options.number,
        .step = step,
        .ticket = ticket};
}

/* ---- Tasks ------------------------------------------------------------------------------------ */

/* What a task reads: in its message, or on the shelf. */
static const uint8_t *s_resolve (dw_worker_t *self, const dw_ref_t *ref, dw_wire_reader_t *reader,
                                 size_t *size_p, zmq_msg_t **frame_p) {
    const uint8_t *bytes = NULL;
    *frame_p = NULL;
    if (ref->frame || !ref->place)
        bytes = dw_message_resolve (&self->message, 0, ref, reader, size_p, frame_p);
    if (!ref->place || reader->is_damaged)
        return bytes;
    *frame_p = ref->frame ? dw_shelf_put (&self->shelf, ref->place - 1, *frame_p)
                          : dw_shelf_get (&self->shelf, ref->place - 1);
    *size_p = *frame_p ? zmq_msg_size (*frame_p) : 0;
    return *frame_p ? zmq_msg_data (*frame_p) : dw_wire_damage (reader);
}

static bool s_read_given (dw_worker_t *self, dw_wire_reader_t *reader, uint32_t count) {
    zmq_msg_t *frame;
    if (count > self->given_size) {
        dw_given_t *given = realloc (self->given, count * sizeof *given);
        if (!given)
            return false;
        self->given = given;
        self->given_size = count;
    }
    for (uint32_t i = 0; i < count; i++) {
        dw_given_t *given = &self->given[i];
        dw_ref_t ref = dw_read_kept_ref (reader);
        given->payload.bytes = s_resolve (self, &ref, reader, &given->payload.size, &frame);
        ref = dw_read_ref (reader);
        given->metadata.bytes = dw_message_resolve (&self->message, 0, &ref, reader,
                                                    &given->metadata.size, &frame);
    }
    return !reader->is_damaged;
}

/* Whether a task is one of those that come here: of a node that is hosted, or of what was added and
 * is known. */
static bool s_is_ours (dw_worker_t *self, const dw_wire_task_t *record, const dw_plan_t **plan_p,
                       dw_hosted_t **hosted_p) {
    const dw_plan_t *plan = self->options.program->plan;
    *hosted_p = NULL;
    if (record->run & DW_WIRE_ADDED_RUN) {
        const dw_grown_t *grown = dw_grown_find (&self->grown, record->run);
        if (!grown)
            return false;
        plan = grown->addition->added->plan;
        *hosted_p = grown->hosted;
    }
    *plan_p = plan;
    return record->node < plan->nodes_count && record->steps >= 1 &&
           record->steps <= plan->chain_length[record->node] &&
           (*hosted_p || ((self->options.node == DW_NONE || record->node == self->options.node) &&
                          dw_program_hosts (self->options.program, record->node)));
}

/* Reads one task record; false when it makes no sense. */
static bool s_read_task (dw_worker_t *self, dw_wire_reader_t *reader, dw_task_t *task) {
    dw_wire_task_t record;
    const dw_plan_t *plan = NULL;
    if (!dw_read_task (reader, &record) || !s_is_ours (self, &record, &plan, &task->hosted))
        return false;
    task->is_timed = plan->flags[record.node] & DW_NODE_TIMED;
    uint32_t dependencies = plan->dependencies_at[record.node + 1] -
                            plan->dependencies_at[record.node];
    if (record.dependencies_count != 0 && record.dependencies_count != dependencies)
        return false;
    task->run = record.run;
    task->node = record.node;
    task->steps = record.steps;
    task->attempt = record.attempt;
    dw_shelf_next_task (&self->shelf);
    task->payload.bytes = s_resolve (self, &record.payload, reader, &task->payload.size,
                                     &task->payload_frame);
    if (!task->payload.bytes || !s_read_given (self, reader, record.dependencies_count))
        return false;
    task->given = record.dependencies_count ? self->given : NULL;
    task->given_count = record.dependencies_count;
    return true;
}

/* Whether what is done is enough for one message to another process. */
static bool s_is_full (dw_worker_t *self) {
    if (self->options.silence_ms == 0)
        return false;
    for (; self->weighed < self->outcomes.slots_count; self->weighed++)
        self->weight += self->outcomes.slots[self->weighed].size;
    return self->weight >= DW_PACKET_FULL;
}

/* Runs the task under way to its end, answering now and then. */
static void s_run_task (dw_worker_t *self, const dw_task_t *task) {
    self->ticket = task->ticket;
    dw_host_begin (self->host, self->options.number, task);
    while (dw_host_is_busy (self->host)) {
        if (!dw_host_run (self->host, &self->outcomes, dw_host_now_ns (self->host) + ANSWER_NS)) {
            dw_host_abandon (self->host);
            s_give_back (self, task->ticket, dw_host_steps_told (self->host));
        }
        int64_t now_ns = dw_host_now_ns (self->host);
        if (now_ns - self->answered_ns > ANSWER_NS || self->outcomes.slots_count > ANSWER_SLOTS ||
            s_is_full (self))
            s_answer (self);
        if (now_ns - self->looked_ns > LOOK_NS) {
            self->looked_ns = now_ns;
            dw_worker_look_up (self);
        }
        if (self->stopping)
            dw_host_abandon (self->host);
        else if (dw_host_is_busy (self->host) && dw_worker_is_step_cancelled (self)) {
            dw_host_abandon (self->host);
            s_give_back (self, task->ticket, dw_host_steps_told (self->host));
        }
    }
}

void dw_worker_on_tasks (dw_worker_t *self, dw_wire_reader_t *reader) {
    uint64_t ticket = dw_read_uint (reader);
    self->answered_ns = self->looked_ns = dw_clock_ns ();
    dw_host_wake (self->host, self->answered_ns);
    for (; dw_wire_reader_has_more (reader) && !self->stopping; ticket++) {
        dw_task_t task = {.ticket = ticket};
        self->unsent_ticket = ticket + 1;
        if (!s_read_task (self, reader, &task)) {
            /* Only a coordinator of ours sends tasks: there is nobody else to tell. */
            self->stopping = true;
            return;
        }
        if (task.is_timed)
            s_answer (self); /* its clock starts with the answer before it */
        if (self->cancelled_count && s_take_cancelled (self, ticket))
            s_give_back (self, ticket, 0);
        else
            s_run_task (self, &task);
    }
    s_answer (self); /* also when it was told to stop: what is done need not be done again */
}

/* ---- What is kept for them -------------------------------------------------------------------- */

void dw_worker_on_drop (dw_worker_t *self, dw_wire_reader_t *reader) {
    while (dw_wire_reader_has_more (reader)) {
        uint32_t place = dw_read_uint_max (reader, DW_WIRE_PLACES - 1);
        if (!reader->is_damaged)
            dw_shelf_drop (&self->shelf, place);
    }
}

/* One that makes no sense is as a task that makes none: who cannot run what it is sent is gone rather
 * than silent. */
void dw_worker_on_graph (dw_worker_t *self, dw_wire_reader_t *reader) {
    uint64_t run = dw_read_uint (reader), digest = dw_read_uint (reader);
    dw_ref_t ref = dw_read_ref (reader);
    zmq_msg_t *frame;
    size_t size;
    if (reader->is_damaged)
        return;
    if (dw_grown_find (&self->grown, run))
        dw_grown_drop_first (&self->grown);
    if (dw_ref_is_nil (&ref))
        return;
    const uint8_t *bytes = dw_message_resolve (&self->message, 0, &ref, reader, &size, &frame);
    self->stopping |= !bytes ||
                      !dw_grown_add (&self->grown, run, digest, bytes, size, self->options.program);
}

void dw_worker_free_tasks (dw_worker_t *self) {
    dw_outcomes_free (&self->outcomes);
    dw_shelf_free (&self->shelf);
    free (self->cancelled);
    free (self->given);
}
