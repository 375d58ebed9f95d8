/* worker.c - an actor that runs processors behind one DEALER. */

#include "actors/worker.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "actors/clock.h"
#include "actors/endpoint.h"
#include "actors/grown.h"
#include "actors/message.h"
#include "actors/option.h"
#include "actors/shelf.h"

#define ANSWER_NS      200000 /* an answer older than this is sent before the next task is started */
#define LOOK_NS        20000  /* how often the socket is looked at between tasks */
#define ASKED_NS       10000000 /* and whether somebody asks what it is at */
#define ANSWER_SLOTS   4096u
#define SILENCE_MS_MAX 3600000u /* that TCP is asked to notice */
#define SILENCES       10       /* of an idle slot, before it is sure that nothing comes any more */

/* A message that came while another was being worked on. */
typedef struct s_waiting_t {
    dw_message_t message;
    struct s_waiting_t *next;
} s_waiting_t;

/* Nobody waits for what is behind so many steps of a task. */
typedef struct s_cancelled_t {
    uint64_t ticket;
    uint32_t steps;
} s_cancelled_t;

struct dw_worker_t {
    dw_worker_options_t options;
    dw_actor_t actor;
    dw_host_t *host;
    void *socket; /* made by dw_worker_new, then the thread's, */
    void *tether; /* and so is this; NULL: nobody asks */

    /* The thread's own. */
    uint32_t peer; /* what WELCOME said that it is */
    bool stopping; /* told to: it ends after the task that it is at; */
    bool is_gone;  /* or nobody can hear it any more: it ends at once */
    dw_message_t message;
    s_waiting_t *waiting, **waiting_end;
    uint64_t ticket;          /* of the task under way */
    s_cancelled_t *cancelled; /* not yet come to, or under way */
    uint32_t cancelled_count, cancelled_size;
    uint64_t unsent_ticket; /* the first that it has not been sent */
    int64_t answered_ns, looked_ns, said_ns;
    int64_t heard_ns; /* when the coordinator elsewhere was heard of last, */
    int64_t asked_ns; /* and asked whether it is there; 0: it need not be */
    dw_outcomes_t outcomes;
    size_t weighed, weight; /* slots of outcomes, and their payloads' bytes */
    dw_packet_t packet;
    dw_shelf_t shelf;
    dw_given_t *given; /* of the task under way */
    uint32_t given_size;
    dw_grown_t *grown; /* graphs that were added to runs, of which tasks may come */
};

/* Nobody can hear it any more. */
static void s_give_up (dw_worker_t *self) {
    self->stopping = self->is_gone = true;
}

/* ---- Its socket ------------------------------------------------------------------------------- */

/* Takes a message that is there, without waiting. Errors: as dw_message_receive. */
static int s_receive (dw_worker_t *self, dw_message_t *message) {
    int err = dw_message_receive (message, self->socket);
    if (err == DW_OK && self->options.silence_ms) {
        self->heard_ns = dw_clock_ns ();
        self->asked_ns = 0;
    }
    return err;
}

static void s_on_cancel (dw_worker_t *self, dw_wire_reader_t *reader) {
    s_cancelled_t cancelled = {.ticket = dw_read_uint (reader)};
    if (dw_wire_reader_has_more (reader))
        cancelled.steps = dw_read_uint_max (reader, UINT32_MAX);
    if (reader->is_damaged)
        return;
    if (self->cancelled_count == self->cancelled_size) {
        uint32_t size = self->cancelled_size ? 2 * self->cancelled_size : 16;
        s_cancelled_t *grown = realloc (self->cancelled, size * sizeof *grown);
        if (!grown)
            return; /* then it is run in vain, and its answer ignored */
        self->cancelled = grown;
        self->cancelled_size = size;
    }
    self->cancelled[self->cancelled_count++] = cancelled;
}

/* Takes in what has come while a message is being worked on: what is about the tasks under way at
 * once, the rest waits. */
static void s_look (dw_worker_t *self) {
    while (!self->is_gone) {
        dw_message_t message = {0};
        int err = s_receive (self, &message);
        if (err) {
            dw_message_free (&message);
            if (err == DW_ECLOSED)
                s_give_up (self);
            return;
        }
        dw_wire_reader_t reader = dw_wire_reader (zmq_msg_data (&message.frames[0]),
                                                  zmq_msg_size (&message.frames[0]));
        uint32_t type = dw_read_uint_max (&reader, DW_WIRE_TYPES);
        if (type == DW_WIRE_CANCEL && !reader.is_damaged)
            s_on_cancel (self, &reader);
        else if (type == DW_WIRE_STOP && !reader.is_damaged)
            self->stopping = true;
        else {
            s_waiting_t *waiting = malloc (sizeof *waiting);
            if (waiting) {
                *waiting = (s_waiting_t){.message = message};
                *self->waiting_end = waiting;
                self->waiting_end = &waiting->next;
                continue;
            }
            self->stopping = true; /* tasks must not be lost: gone is better than silent */
        }
        dw_message_free (&message);
    }
}

/* Says what it is at to who asks. */
static void s_say_where (dw_worker_t *self, dw_wire_at_t at) {
    dw_wire_slot_t slot = {.number = self->options.number,
                           .at = at,
                           .ticket = at == DW_WIRE_AT_TASK ? self->ticket : self->unsent_ticket};
    char ask;
    while (self->tether && zmq_recv (self->tether, &ask, sizeof ask, ZMQ_DONTWAIT) >= 0)
        zmq_send (self->tether, &slot, sizeof slot, ZMQ_DONTWAIT);
}

/* The same while it is at work, now and then. */
static void s_say_where_at_work (dw_worker_t *self) {
    int64_t now_ns = self->tether ? dw_clock_ns () : 0;
    if (!self->tether || now_ns - self->said_ns < ASKED_NS)
        return;
    self->said_ns = now_ns;
    s_say_where (self, DW_WIRE_AT_TASK);
}

/* Whether a connection to another process, which may be cut, is there. It is not made again
 * (RECONNECT_IVL), so that what the coordinator has lost never goes on unseen. */
static bool s_is_connected (dw_worker_t *self) {
    int events = 0;
    size_t size = sizeof events;
    return self->options.silence_ms == 0 ||
           (zmq_getsockopt (self->socket, ZMQ_EVENTS, &events, &size) == 0 &&
            (events & ZMQ_POLLOUT));
}

/* Whether nobody waits any more for the step that is under way, or comes next. */
static bool s_is_step_cancelled (const dw_worker_t *self) {
    for (uint32_t i = 0; i < self->cancelled_count; i++)
        if (self->cancelled[i].ticket == self->ticket &&
            self->cancelled[i].steps <= dw_host_steps_ran (self->host))
            return true;
    return false;
}

static bool s_is_cancelled (void *arg) {
    dw_worker_t *self = arg;
    s_look (self);
    s_say_where_at_work (self);
    if (!s_is_connected (self)) /* nobody waits for its answer */
        s_give_up (self);
    return self->is_gone || s_is_step_cancelled (self);
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
        case DW_EVENT_LANES_UNSERVED: break;
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
        s_give_up (self);
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
            s_look (self);
            s_say_where_at_work (self);
        }
        if (self->stopping)
            dw_host_abandon (self->host);
        else if (dw_host_is_busy (self->host) && s_is_step_cancelled (self)) {
            dw_host_abandon (self->host);
            s_give_back (self, task->ticket, dw_host_steps_told (self->host));
        }
    }
}

static void s_on_tasks (dw_worker_t *self, dw_wire_reader_t *reader) {
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

static void s_on_drop (dw_worker_t *self, dw_wire_reader_t *reader) {
    while (dw_wire_reader_has_more (reader)) {
        uint32_t place = dw_read_uint_max (reader, DW_WIRE_PLACES - 1);
        if (!reader->is_damaged)
            dw_shelf_drop (&self->shelf, place);
    }
}

/* ---- What was added --------------------------------------------------------------------------- */

/* A graph whose tasks will come, or will not any more. One that makes no sense is as a task that
 * makes none: who cannot run what it is sent is gone rather than silent. */
static void s_on_graph (dw_worker_t *self, dw_wire_reader_t *reader) {
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

/* ---- The actor -------------------------------------------------------------------------------- */

/* Waits for the connection. */
static void s_wait_connected (dw_worker_t *self) {
    zmq_pollitem_t item = {.socket = self->socket, .events = ZMQ_POLLOUT};
    if (self->options.silence_ms && zmq_poll (&item, 1, (long) self->options.silence_ms) <= 0)
        s_give_up (self);
}

static void s_say_hello (dw_worker_t *self) {
    dw_wire_hello_t hello = {.version = DW_WIRE_VERSION,
                             .oldest = DW_WIRE_OLDEST,
                             .role = DW_WIRE_WORKER,
                             .token = self->options.token ? self->options.token
                                                          : self->options.program->token,
                             .number = self->options.number,
                             .credit = self->options.credit};
    dw_write_hello (&self->packet.head, &hello);
    if (dw_packet_send (&self->packet, self->socket, NULL, 0))
        s_give_up (self);
    self->heard_ns = dw_clock_ns ();
}

static void s_on_message (dw_worker_t *self) {
    zmq_msg_t *head = &self->message.frames[0];
    dw_wire_reader_t reader = dw_wire_reader (zmq_msg_data (head), zmq_msg_size (head));
    uint32_t type = dw_read_uint_max (&reader, DW_WIRE_TYPES);
    if (reader.is_damaged)
        return;
    switch ((dw_wire_type_t) type) {
        case DW_WIRE_WELCOME: self->peer = dw_read_uint_max (&reader, UINT32_MAX); return;
        case DW_WIRE_TASKS: s_on_tasks (self, &reader); return;
        case DW_WIRE_DROP: s_on_drop (self, &reader); return;
        case DW_WIRE_CANCEL: return; /* its answer has been sent */
        case DW_WIRE_STOP:
        case DW_WIRE_REFUSED: self->stopping = true; return;
        case DW_WIRE_HELLO:
        case DW_WIRE_ANSWERS:
        case DW_WIRE_SUBMIT:
        case DW_WIRE_ABORT:
        case DW_WIRE_RESULTS:
        case DW_WIRE_BYE:
        case DW_WIRE_CLOSE:
        case DW_WIRE_CLOSED:
        case DW_WIRE_COUNT:
        case DW_WIRE_COUNTS:
        case DW_WIRE_BEAT:
        case DW_WIRE_DRAIN:
        case DW_WIRE_REPLACE:
        case DW_WIRE_STATUS:
        case DW_WIRE_RELOAD:
        case DW_WIRE_ENDED:
        case DW_WIRE_STALLED:
        case DW_WIRE_TAKEN:
        case DW_WIRE_DETACH:
        case DW_WIRE_CLAIM:
        case DW_WIRE_WHERE:
        case DW_WIRE_MOVED:
        case DW_WIRE_REFER:
        case DW_WIRE_TYPES: return; /* not for a worker */
        case DW_WIRE_GRAPH: s_on_graph (self, &reader); return;
    }
}

/* Nothing comes by a connection that is not cut: what is sent may be lost on the way all the same.
 * So an idle slot asks, and when nothing comes for much longer than a large message takes, which
 * hides the answer until it is there whole, its agent makes another. */
static void s_look_for_silence (dw_worker_t *self, int64_t now_ns) {
    int64_t silence_ns = (int64_t) self->options.silence_ms * 1000000;
    if (self->asked_ns) {
        if (now_ns - self->asked_ns >= SILENCES * silence_ns)
            s_give_up (self);
    } else if (now_ns - self->heard_ns >= silence_ns) {
        self->asked_ns = now_ns;
        dw_write_uint (&self->packet.head, DW_WIRE_BEAT);
        dw_write_uint (&self->packet.head, self->peer);
        if (dw_packet_send (&self->packet, self->socket, NULL, 0))
            s_give_up (self);
    }
}

/* The next message: one that waited, else one from the socket. */
static void s_next_message (dw_worker_t *self) {
    s_waiting_t *waiting = self->waiting;
    if (waiting) {
        dw_message_free (&self->message);
        self->message = waiting->message;
        self->waiting = waiting->next;
        if (!self->waiting)
            self->waiting_end = &self->waiting;
        free (waiting);
        s_on_message (self);
        return;
    }
    int err = s_receive (self, &self->message);
    if (err == DW_OK)
        s_on_message (self);
    else if (err == DW_EAGAIN && s_is_connected (self)) {
        int64_t now_ns = dw_clock_ns (), look_ns = (int64_t) self->options.heartbeat_ms * 1000000;
        void *sockets[] = {self->socket, self->tether};
        s_say_where (self, DW_WIRE_AT_IDLE);
        if (self->options.silence_ms)
            s_look_for_silence (self, now_ns);
        if (!dw_actor_wait (sockets, self->tether ? 2 : 1, now_ns + self->options.spin_ns,
                            look_ns ? now_ns + look_ns : INT64_MAX))
            s_give_up (self);
    } else
        s_give_up (self);
}

static void s_close (dw_worker_t *self) {
    if (self->socket)
        zmq_close (self->socket);
    if (self->tether)
        zmq_close (self->tether);
    self->socket = self->tether = NULL;
}

static void *s_worker_actor (void *args) {
    dw_worker_t *self = args;
    s_wait_connected (self);
    s_say_hello (self);
    while (!self->stopping)
        s_next_message (self);
    /* From elsewhere BYE says that nothing was begun, which who could not answer does not know. */
    if (!self->is_gone || self->options.silence_ms == 0) {
        dw_write_uint (&self->packet.head, DW_WIRE_BYE);
        dw_write_uint (&self->packet.head, self->peer);
        dw_packet_send (&self->packet, self->socket, NULL, 0);
    }
    dw_message_clear (&self->message);
    while (self->waiting) {
        s_waiting_t *waiting = self->waiting;
        self->waiting = waiting->next;
        dw_message_free (&waiting->message);
        free (waiting);
    }
    while (self->grown) /* whoever takes its place may be there long before it is joined */
        dw_grown_drop_first (&self->grown);
    s_close (self);
    if (self->options.ended)
        self->options.ended (self->options.ended_arg);
    return NULL;
}

/* ---- Made, joined, destroyed ------------------------------------------------------------------ */

/* Says that the machine refuses an actor what it needs, which limit is to be raised, and for which
 * node the actor would have been. */
static int s_refuse (const dw_worker_t *self, const char *what, const char *limit,
                     dw_error_t *error) {
    const dw_worker_options_t *options = &self->options;
    if (options->node == DW_NONE)
        return dw_error_add (
            error, DW_ELIMIT, DW_NOWHERE,
            "no %s for actor %u of the pool: raise the limit of %s, or use a smaller "
            "pool",
            what, (unsigned) options->number, limit);
    return dw_error_add (
        error, DW_ELIMIT, DW_NOWHERE,
        "no %s for the actor of node \"%s\": raise the limit of %s, or use actors: "
        "pool",
        what, options->program->plan->ids[options->node], limit);
}

static int s_set_options (const dw_worker_t *self, dw_error_t *error) {
    static const dw_socket_option_t of_all[] = {
        DW_SOCKET_OPTION (ZMQ_LINGER, 100),
        DW_SOCKET_OPTION (ZMQ_SNDHWM, 0),
        DW_SOCKET_OPTION (ZMQ_RCVHWM, 0),
    };
    uint32_t silence_ms = self->options.silence_ms < SILENCE_MS_MAX ? self->options.silence_ms
                                                                    : SILENCE_MS_MAX;
    uint32_t every_s = silence_ms / 120000 + 1; /* so that 120 probes are enough: Linux takes 127 */
    /* A host or a line that is gone is found by TCP; not by heartbeats of ZeroMQ, which end the
     * program when the socket lingers and the peer goes (libzmq 4.3.4, an assertion; see
     * coordinator_sockets.c, s_listen_elsewhere). */
    const dw_socket_option_t of_one_elsewhere[] = {
        DW_SOCKET_OPTION (ZMQ_IMMEDIATE, 1),
        DW_SOCKET_OPTION (ZMQ_RECONNECT_IVL, -1), /* never */
        DW_SOCKET_OPTION (ZMQ_TCP_KEEPALIVE, 1),
        DW_SOCKET_OPTION (ZMQ_TCP_KEEPALIVE_IDLE, every_s),
        DW_SOCKET_OPTION (ZMQ_TCP_KEEPALIVE_INTVL, every_s),
        DW_SOCKET_OPTION (ZMQ_TCP_KEEPALIVE_CNT, silence_ms / 1000 / every_s + 1),
        DW_SOCKET_OPTION (ZMQ_TCP_MAXRT, silence_ms),
    };
    int err = dw_socket_options_set (self->socket, of_all, sizeof of_all / sizeof *of_all, error);
    if (!err && silence_ms)
        err = dw_socket_options_set (self->socket, of_one_elsewhere,
                                     sizeof of_one_elsewhere / sizeof *of_one_elsewhere, error);
    return err;
}

static int s_connect (dw_worker_t *self, dw_error_t *error) {
    self->socket = zmq_socket (self->options.context, ZMQ_DEALER);
    if (!self->socket)
        return s_refuse (self, "socket", "open files (RLIMIT_NOFILE, ulimit -n)", error);
    int err = s_set_options (self, error);
    if (err)
        return err;
    const dw_link_keys_t *keys = self->options.keys;
    if (keys && keys->has_keys) {
        err = dw_keys_use (&keys->own, self->socket, keys->server_key, error);
        if (err)
            return err;
    }
    err = dw_endpoint_prepare (self->socket, self->options.endpoint, error);
    if (err)
        return err;
    if (zmq_connect (self->socket, self->options.endpoint))
        return dw_error_add (error, DW_EINVAL, DW_NOWHERE, "cannot connect to %s: %s",
                             self->options.endpoint, zmq_strerror (errno));
    return DW_OK;
}

static int s_connect_tether (dw_worker_t *self, dw_error_t *error) {
    static const dw_socket_option_t options[] = {DW_SOCKET_OPTION (ZMQ_LINGER, 0)};
    if (!self->options.tether)
        return DW_OK;
    self->tether = zmq_socket (self->options.context, ZMQ_PAIR);
    if (!self->tether || zmq_connect (self->tether, self->options.tether))
        return s_refuse (self, "socket", "open files (RLIMIT_NOFILE, ulimit -n)", error);
    return dw_socket_options_set (self->tether, options, 1, error);
}

static int s_fd (const dw_worker_t *self) {
    int fd = -1;
    size_t size = sizeof fd;
    return zmq_getsockopt (self->socket, ZMQ_FD, &fd, &size) ? -1 : fd;
}

static int s_start_thread (dw_worker_t *self, dw_error_t *error) {
    char name[16];
    snprintf (name, sizeof name, "dw-worker-%u", (unsigned) (self->options.number % 100000u));
    if (dw_actor_start (&self->actor, name, self->options.stack_bytes, s_worker_actor, self))
        return s_refuse (self, "thread", "threads (RLIMIT_NPROC, ulimit -u) or of memory", error);
    return DW_OK;
}

int dw_worker_new (dw_worker_t **self_p, const dw_worker_options_t *options, dw_error_t *error) {
    dw_worker_t *self = calloc (1, sizeof *self);
    if (!self)
        return dw_error_add (error, DW_ENOMEM, DW_NOWHERE, "out of memory");
    self->options = *options;
    self->waiting_end = &self->waiting;
    int err = dw_host_new (&self->host, options->program, options->node, error);
    if (!err)
        err = s_connect (self, error);
    if (!err)
        err = s_connect_tether (self, error);
    if (!err)
        dw_host_set_cancelled (self->host, s_is_cancelled, self, s_fd (self));
    if (!err)
        err = s_start_thread (self, error);
    if (err)
        dw_worker_destroy (&self);
    else
        *self_p = self;
    return err;
}

bool dw_worker_join (dw_worker_t *self, int64_t deadline_ns) {
    return dw_actor_join (&self->actor, deadline_ns);
}

bool dw_worker_was_cut (const dw_worker_t *self) {
    assert (!self->actor.is_running);
    return self->is_gone;
}

void dw_worker_destroy (dw_worker_t **self_p) {
    dw_worker_t *self = *self_p;
    if (!self)
        return;
    assert (!self->actor.is_running);
    s_close (self);
    dw_host_destroy (&self->host);
    dw_message_free (&self->message);
    dw_packet_free (&self->packet);
    dw_outcomes_free (&self->outcomes);
    dw_shelf_free (&self->shelf);
    free (self->cancelled);
    free (self->given);
    free (self);
    *self_p = NULL;
}
