/* coordinator_crew.c - the coordinator's worker actors: welcomed, heard, replaced. */

#include <stdio.h>

#include "actors/coordinator_self.h"
#include "runtime/payload.h"

#define SMALL_STACK_BYTES (256u << 10) /* of a worker's thread, when there are more than */
#define MANY_WORKERS      256u

/* ---- What comes in: workers ------------------------------------------------------------------- */

void dw_coordinator_seat_worker (dw_coordinator_t *self, dw_peer_t *peer, uint32_t number,
                                 uint32_t credit) {
    dw_crew_t *worker = &self->workers[number];
    dw_coordinator_empty_shelf (self, number);
    dw_coordinator_forget_told (self, number);
    peer->number = number;
    worker->peer = dw_peers_index (&self->peers, peer);
    worker->has_joined = true;
    worker->waits = worker->is_long = false;
    dw_deaths_settle (&self->deaths, number);
    dw_event_t *event = dw_coordinator_event (self, DW_EVENT_WORKER_JOINED);
    if (!event)
        return;
    event->worker = number;
    event->lane = self->plan->pool ? 0 : number;
    if (self->plan->demands && worker->agent != DW_NONE)
        event->lanes = self->agents[worker->agent].lanes;
    event->credit = credit;
    if (worker->agent != DW_NONE)
        dw_coordinator_record_place (self, number, &self->agents[worker->agent]);
}

void dw_coordinator_welcome_worker (dw_coordinator_t *self, uint32_t router, const uint8_t *key,
                                    const dw_wire_hello_t *hello) {
    dw_peer_t *peer = NULL;
    dw_coordinator_fence_slot (self, router, key, hello);
    if (dw_coordinator_expects (self, router, key, hello))
        peer = dw_peers_add (&self->peers, router, DW_WIRE_WORKER);
    if (!peer) {
        dw_coordinator_refuse (self, router, 400, "no worker of this number is expected");
        return;
    }
    dw_coordinator_let_in (self, peer);
    dw_coordinator_seat_worker (self, peer, hello->number, hello->credit);
    dw_write_uint (&self->reply.head, DW_WIRE_WELCOME);
    dw_write_uint (&self->reply.head, dw_peers_index (&self->peers, peer));
    dw_peers_reply (&self->peers, router, &self->reply);
}

void dw_coordinator_fail_event (dw_coordinator_t *self, dw_event_t *event, uint16_t code,
                                const char *message, size_t size) {
    event->type = DW_EVENT_TASK_FAILED;
    event->code = code;
    event->handle = (uint32_t) self->outcomes.slots_count;
    dw_slot_t *slot = dw_coordinator_slot (self);
    if (slot)
        dw_slot_set_error (slot, code, message, size);
}

static const char s_no_memory[] = "out of memory";

/* What an answer is to its reader. */
typedef enum s_sense_t {
    SENSE_GOOD,
    SENSE_TOO_MUCH,  /* it brings more than max_payload_bytes, */
    SENSE_NO_MEMORY, /* or than there is memory for here: both are read to their end */
    SENSE_NONE
} s_sense_t;

/* Reads one output of an answer. is_trusted: it comes from this process. */
static s_sense_t s_read_slot (dw_coordinator_t *self, dw_wire_reader_t *reader, bool is_trusted) {
    size_t size = 0, metadata_size = 0;
    zmq_msg_t *frame, *metadata_frame;
    const uint8_t *metadata_bytes = NULL;
    dw_slot_t *slot = dw_coordinator_slot (self);
    dw_ref_t payload = dw_read_ref (reader), metadata = dw_read_ref (reader);
    if (reader->is_damaged)
        return SENSE_NONE;
    const uint8_t *bytes = dw_message_resolve (&self->peers.message, DW_PEERS_HEAD, &payload,
                                               reader, &size, &frame);
    if (!bytes)
        return SENSE_NONE;
    if (!dw_ref_is_nil (&metadata)) {
        metadata_bytes = dw_message_resolve (&self->peers.message, DW_PEERS_HEAD, &metadata, reader,
                                             &metadata_size, &metadata_frame);
        if (!metadata_bytes ||
            (!is_trusted && dw_payload_map_check (metadata_bytes, metadata_size)))
            return SENSE_NONE;
    }
    if (size > self->plan->max_payload_bytes)
        return SENSE_TOO_MUCH;
    if (!is_trusted && dw_payload_check (bytes, size))
        return SENSE_NONE;
    /* The metadata first: then there is a place for any payload. */
    if (!slot || (metadata_bytes && !dw_slot_set_metadata (slot, metadata_bytes, metadata_size)) ||
        !dw_coordinator_slot_set (slot, bytes, size, frame))
        return SENSE_NO_MEMORY;
    return SENSE_GOOD;
}

static s_sense_t s_read_slots (dw_coordinator_t *self, dw_wire_reader_t *reader, uint32_t steps,
                               bool is_trusted) {
    s_sense_t sense = SENSE_GOOD;
    for (uint32_t i = 0; i < steps && sense != SENSE_NONE; i++) {
        s_sense_t of_one = s_read_slot (self, reader, is_trusted);
        sense = of_one > sense ? of_one : sense;
    }
    return sense;
}

/* Reads what a node becomes: its input, and the graph, which is taken where it may be added. */
static s_sense_t s_read_added (dw_coordinator_t *self, size_t at, dw_wire_reader_t *reader,
                               bool is_trusted, bool may_be_added) {
    size_t size = 0;
    zmq_msg_t *frame;
    s_sense_t sense = s_read_slots (self, reader, 1, is_trusted);
    if (sense == SENSE_NONE)
        return SENSE_NONE;
    dw_ref_t ref = dw_read_ref (reader);
    const uint8_t *bytes = reader->is_damaged
                               ? NULL
                               : dw_message_resolve (&self->peers.message, DW_PEERS_HEAD, &ref,
                                                     reader, &size, &frame);
    if (!bytes)
        return SENSE_NONE;
    if (sense == SENSE_NO_MEMORY)
        return SENSE_NO_MEMORY;
    if (sense == SENSE_TOO_MUCH || size > self->plan->max_payload_bytes)
        return SENSE_TOO_MUCH;
    if (may_be_added)
        dw_coordinator_take_graph (self, &self->outcomes.events[at], bytes, size);
    return SENSE_GOOD;
}

/* What a task does not allow its answer to be, as people read it; NULL: it does, or nobody waits
 * for it. */
static const char *s_forbidden (const dw_coordinator_t *self, uint32_t worker,
                                const dw_wire_answer_record_t *record) {
    uint32_t place, node;
    uint32_t steps = dw_scheduler_steps_at (self->scheduler, worker, record->ticket, record->step);
    if (steps == 0)
        return NULL;
    if (record->answer == DW_WIRE_MORE || record->answer == DW_WIRE_DONE)
        return record->steps >= 1 && record->steps <= steps
                   ? NULL
                   : "its answer is of no step, or of more than it was sent";
    if ((record->answer != DW_WIRE_SKIPPED && record->answer != DW_WIRE_ADDED) ||
        !dw_scheduler_task_at (self->scheduler, worker, record->ticket, record->step, &place,
                               &node))
        return NULL;
    const dw_plan_t *plan = dw_coordinator_plan (self, &self->runs[place]);
    if (record->answer == DW_WIRE_ADDED)
        return dw_plan_may_add (plan, node) ? NULL : "it added a graph, which its node may not";
    return plan->flags[node] & DW_NODE_MAY_SKIP
               ? NULL
               : "it ended a branch, which its processor does not promise";
}

static void s_fail_senseless (dw_coordinator_t *self, uint32_t worker, size_t at,
                              const char *what) {
    char text[DW_NAME_LINE + 80];
    dw_coordinator_name (self, worker, text);
    size_t size = strlen (text);
    snprintf (text + size, sizeof text - size, ": %s", what);
    dw_coordinator_fail_event (self, &self->outcomes.events[at], 502, text, strlen (text));
}

/* Whether a worker was ever sent the task of a ticket. (Tickets count up, whoever has its
 * place.) */
static bool s_was_sent (const dw_coordinator_t *self, uint32_t worker, uint64_t ticket) {
    return ticket < dw_scheduler_worker_ticket (self->scheduler, worker) +
                        dw_scheduler_unanswered_count (self->scheduler, worker);
}

/* Returns what is wrong with it when it is of no use, as people read it; NULL: it was taken in.
 * Tickets before *open_p have had their last answer in this message: whoever repeats it has it
 * looked at no closer. */
static const char *s_on_answer (dw_coordinator_t *self, uint32_t worker, dw_wire_reader_t *reader,
                                bool is_trusted, uint64_t *open_p) {
    static const char damaged[] = "an answer that cannot be read";
    dw_wire_answer_record_t record;
    if (!dw_read_answer (reader, &record))
        return damaged;
    if (!s_was_sent (self, worker, record.ticket))
        return "an answer for a task that it was never sent";
    dw_event_t *event = dw_coordinator_event (self, DW_EVENT_TASK_DONE);
    if (!event)
        return s_no_memory;
    size_t at = self->outcomes.events_count - 1, first_slot = self->outcomes.slots_count;
    s_sense_t sense = SENSE_GOOD;
    const char *forbidden = is_trusted                ? NULL
                            : record.ticket < *open_p ? "its answer comes again"
                                                      : s_forbidden (self, worker, &record);
    if (record.answer != DW_WIRE_MORE && record.ticket >= *open_p)
        *open_p = record.ticket + 1;
    event->worker = worker;
    event->ticket = record.ticket;
    event->step = record.step;
    event->duration_ns = record.duration_ns;
    event->handle = (uint32_t) first_slot;
    switch (record.answer) {
        case DW_WIRE_MORE:
        case DW_WIRE_DONE:
            event->last = record.answer == DW_WIRE_DONE;
            event->steps = record.steps;
            self->workers[worker].steps_count += record.steps;
            sense = s_read_slots (self, reader, record.steps, is_trusted);
            break;
        case DW_WIRE_FAILED:
            dw_coordinator_fail_event (self, event, record.code ? record.code : 500, record.message,
                                       record.message_size);
            break;
        case DW_WIRE_RETURNED: event->type = DW_EVENT_TASK_RETURNED; break;
        case DW_WIRE_SKIPPED: event->type = DW_EVENT_TASK_SKIPPED; break;
        case DW_WIRE_ADDED: sense = s_read_added (self, at, reader, is_trusted, !forbidden); break;
    }
    if (sense == SENSE_NONE && !is_trusted) {
        self->outcomes.events_count = at; /* its worker is put out, and the task goes elsewhere */
        return reader->is_damaged ? damaged : "an output that is no value of msgpack";
    }
    if (sense == SENSE_NO_MEMORY) {
        dw_coordinator_fail_event (self, &self->outcomes.events[at], 500, s_no_memory,
                                   strlen (s_no_memory));
        sense = SENSE_GOOD; /* of the answer nothing is wrong */
    }
    if (sense != SENSE_GOOD)
        forbidden = sense == SENSE_TOO_MUCH ? "its answer is of more than max_payload_bytes"
                                            : "the worker's answer makes no sense";
    if (forbidden)
        s_fail_senseless (self, worker, at, forbidden);
    uint32_t duration_us = dw_clock_us (record.duration_ns);
    for (size_t i = first_slot; duration_us && i < self->outcomes.slots_count; i++)
        self->outcomes.slots[i].duration_us = duration_us;
    return reader->is_damaged ? damaged : NULL;
}

/* What a worker elsewhere answered makes no sense, so nobody knows what becomes of what it has:
 * that is sent elsewhere, as if it had gone down, so that a task that has this done to three of
 * them is not sent again. A solo is told why, and need not come again; of a slot its agent makes
 * another. */
static void s_put_out (dw_coordinator_t *self, uint32_t number, const char *what) {
    dw_crew_t *worker = &self->workers[number];
    dw_peer_t *peer = &self->peers.items[worker->peer];
    dw_coordinator_tell_senseless (self, number, what);
    if (self->agents[worker->agent].is_solo) {
        dw_coordinator_put_out (self, peer, 400, "what this worker answers makes no sense");
        dw_coordinator_see_off (self, peer);
    }
    dw_peers_remove (&self->peers, peer);
    worker->peer = DW_PEER_NONE;
    dw_coordinator_replace_slot (self, number);
}

void dw_coordinator_on_answers (dw_coordinator_t *self, const dw_peer_t *peer,
                                dw_wire_reader_t *reader) {
    bool is_elsewhere = peer->router == self->listen_router;
    uint32_t number = peer->number;
    const char *wrong = NULL;
    uint64_t open = 0;
    if (peer->is_dismissed) { /* it was left behind, and is late */
        self->peers.unknown_count++;
        return;
    }
    while (!wrong && dw_wire_reader_has_more (reader))
        wrong = s_on_answer (self, number, reader, peer->router == 0, &open);
    if (!wrong)
        return;
    self->peers.unknown_count++;
    if (is_elsewhere)
        s_put_out (self, number, wrong);
}

int dw_coordinator_start_worker (dw_coordinator_t *self, uint32_t number, dw_error_t *error) {
    bool spins = self->plan->pool && self->workers_count <= self->options.cpus_count &&
                 self->options.cpus_count > 1;
    dw_worker_options_t options = {.context = self->options.context,
                                   .endpoint = self->endpoint,
                                   .program = self->options.program,
                                   .number = number,
                                   .node = dw_coordinator_hosted_node (self, number),
                                   .credit = DW_WORKER_CREDIT,
                                   .spin_ns = spins ? SPIN_NS : 0,
                                   .stack_bytes = self->workers_count > MANY_WORKERS
                                                      ? SMALL_STACK_BYTES
                                                      : DW_WORKER_STACK_BYTES};
    self->workers[number].peer = DW_PEER_NONE;
    return dw_worker_new (&self->actors[number], &options, error);
}

void dw_coordinator_stop_worker (dw_coordinator_t *self, uint32_t peer_index) {
    const dw_peer_t *peer = &self->peers.items[peer_index];
    dw_write_uint (&self->reply.head, DW_WIRE_STOP);
    dw_packet_send (&self->reply, self->peers.routers[peer->router], peer->id, peer->id_size);
}

void dw_coordinator_leave_behind (dw_coordinator_t *self, uint32_t number, uint32_t node) {
    dw_crew_t *worker = &self->workers[number];
    if (worker->peer != DW_PEER_NONE)
        self->peers.items[worker->peer].is_dismissed = true;
    self->stuck[self->stuck_count++] = (dw_stuck_t){
        .actor = self->actors[number], .peer = worker->peer, .number = number, .node = node};
    self->actors[number] = NULL;
    *worker = (dw_crew_t){
        .peer = DW_PEER_NONE, .agent = DW_NONE, .steps_count = worker->steps_count};
}

/* Whether another actor than this one may run what it could have run. */
static bool s_has_substitute (const dw_coordinator_t *self, uint32_t number) {
    for (uint32_t i = 0; self->plan->pool && i < self->workers_count; i++)
        if (i != number && self->actors[i])
            return true;
    return false;
}

void dw_coordinator_start_again (dw_coordinator_t *self, uint32_t number) {
    dw_error_t *error = dw_error_new ();
    bool too_many = self->stuck_count >= DW_WORKERS_STUCK_MAX;
    if (too_many || dw_coordinator_start_worker (self, number, error) != DW_OK) {
        bool has_substitute = s_has_substitute (self, number);
        dw_coordinator_notice (self, "actor %u cannot be replaced (%s)%s", (unsigned) number,
                               too_many ? "too many are stuck" : dw_error_message (error, 0),
                               has_substitute ? "" : ": its tasks fail from now on");
        dw_event_t *event = has_substitute ? NULL
                                           : dw_coordinator_event (self, DW_EVENT_WORKER_JOINED);
        if (event) {
            self->workers[number].is_refusing = true;
            event->worker = number;
            event->lane = self->plan->pool ? 0 : number;
            event->credit = 1;
        }
    }
    dw_error_destroy (&error);
}

/* Fills the places that nobody could be put in while too many were stuck. */
static void s_fill_places (dw_coordinator_t *self) {
    for (uint32_t i = 0; i < self->workers_count && self->stuck_count < DW_WORKERS_STUCK_MAX; i++) {
        if (self->actors[i])
            continue;
        if (self->workers[i].is_refusing)
            dw_coordinator_tell_lost (self, i);
        self->workers[i].is_refusing = false;
        dw_coordinator_start_again (self, i);
    }
}

/* A stuck actor came back after all, and has only to end. */
static void s_on_stuck_bye (dw_coordinator_t *self, uint32_t peer_index) {
    for (uint32_t i = 0; i < self->stuck_count; i++)
        if (self->stuck[i].peer == peer_index) {
            dw_worker_join (self->stuck[i].actor, INT64_MAX);
            dw_worker_destroy (&self->stuck[i].actor);
            self->stuck[i] = self->stuck[--self->stuck_count];
            if (!self->is_closing)
                s_fill_places (self);
            return;
        }
}

void dw_coordinator_on_worker_bye (dw_coordinator_t *self, dw_peer_t *peer) {
    dw_crew_t *worker = &self->workers[peer->number];
    if (peer->router == self->listen_router) {
        dw_coordinator_on_slot_bye (self, peer);
        return;
    }
    if (peer->is_dismissed)
        s_on_stuck_bye (self, dw_peers_index (&self->peers, peer));
    else
        worker->peer = DW_PEER_NONE;
    if (!peer->is_dismissed && !self->is_closing) {
        dw_coordinator_notice (
            self, "actor %u has left: it ran out of memory or got a message that makes no sense",
            (unsigned) peer->number);
        dw_coordinator_tell_lost (self, peer->number);
        dw_worker_join (self->actors[peer->number], INT64_MAX);
        dw_worker_destroy (&self->actors[peer->number]);
        dw_coordinator_start_again (self, peer->number);
    }
    dw_peers_remove (&self->peers, peer);
}
