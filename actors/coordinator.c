/* coordinator.c - the shell around the scheduler.
 *
 * In reading order: its parts, runs, what comes in, what the scheduler commands, its own work, the
 * loop, closing, how it is made. */

#include "actors/coordinator.h"

#include <assert.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "actors/clock.h"
#include "actors/delivery.h"
#include "actors/peers.h"
#include "runtime/payload.h"

#define STRETCH_NS        10000      /* how long it works before it looks at its sockets */
#define SPIN_NS           50000      /* how long it and its workers look before they sleep */
#define MESSAGES_MAX      64         /* taken in before the scheduler is asked */
#define CREDIT            4096u      /* tasks a worker takes at one time */
#define STUCK_MAX         64u        /* actors left behind in a processor; beyond, tasks fail */
#define STACK_BYTES       (1u << 20) /* of a worker's thread; */
#define MANY_WORKERS      256u       /* beyond so many, */
#define SMALL_STACK_BYTES (256u << 10)
#define ROOM_BYTES        (16 << 20) /* of a message from a network besides its payloads */
#define CLOSING_MS_MAX    3600000u

/* A run that a client waits for. Its index is the scheduler's. */
typedef struct s_run_t {
    bool is_live;
    bool has_extras;
    uint32_t client; /* its peer; DW_PEER_NONE: it is gone */
    uint64_t client_run;
    uint64_t number; /* of all runs of this system */
    int64_t submitted_ns;
    dw_slot_t *slots;  /* by node, and behind them the run's input */
    uint32_t *outputs; /* NULL: all */
    uint32_t outputs_count;
} s_run_t;

/* One of the scheduler's workers. */
typedef struct s_worker_t {
    dw_worker_t *actor;
    uint32_t peer;        /* DW_PEER_NONE: it has not said HELLO */
    uint64_t steps_count; /* that it has answered for as done */
    bool
        is_refusing; /* nobody could be put in the place of a stuck one: what is sent to it fails */
} s_worker_t;

/* An actor that did not come back from a processor. */
typedef struct s_stuck_t {
    dw_worker_t *actor;
    uint32_t peer;
    uint32_t number;
    uint32_t node;
} s_stuck_t;

struct dw_coordinator_t {
    dw_coordinator_options_t options;
    const dw_plan_t *plan;
    dw_actor_t actor;
    char inproc[48];
    char endpoint[256];
    dw_peers_t peers;
    dw_scheduler_t *scheduler;
    dw_commands_t commands;
    dw_outcomes_t outcomes; /* events for the next step, and what came with them */
    dw_packet_t reply;

    s_run_t *runs;
    uint32_t *free_runs;
    uint32_t free_runs_count;
    uint32_t runs_max, runs_size,
        runs_used; /* places that may be, that there are; those that were ever used */
    uint64_t runs_number;

    s_worker_t *workers;
    uint32_t workers_count; /* actors; the local worker's index in a pool */
    s_stuck_t *stuck;
    uint32_t stuck_count;

    /* The coordinator's own work: tasks in their order, from mailbox_at on. */
    dw_host_t *host; /* NULL: it has none */
    dw_command_t *mailbox;
    size_t mailbox_at, mailbox_count, mailbox_size;
    uint64_t host_ticket; /* of the task under way */
    dw_given_t *given;
    uint32_t given_size;
    int64_t worked_ns; /* when it last did */

    zmq_msg_t graph; /* what WELCOME tells clients */
    bool has_graph;
    uint32_t owner; /* its peer */
    bool is_closing;
    int64_t close_by_ns;
    bool is_over;
};

static void s_notice (dw_coordinator_t *self, const char *format, ...) DW_PRINTF (2, 3);

static void s_notice (dw_coordinator_t *self, const char *format, ...) {
    char line[512];
    va_list arguments;
    if (!self->options.notice)
        return;
    va_start (arguments, format);
    vsnprintf (line, sizeof line, format, arguments);
    va_end (arguments);
    self->options.notice (self->options.notice_arg, line);
}

/* The node that a worker hosts; DW_NONE: all. */
static uint32_t s_hosted_node (const dw_coordinator_t *self, uint32_t worker) {
    return self->plan->pool ? DW_NONE : self->plan->by_position[worker];
}

/* A new event, all zeros, for the next step. NULL: no memory. */
static dw_event_t *s_event (dw_coordinator_t *self, dw_event_type_t type) {
    if (!dw_outcomes_reserve (&self->outcomes, 1)) {
        self->is_over = true;
        return NULL;
    }
    dw_event_t *event = &self->outcomes.events[self->outcomes.events_count++];
    memset (event, 0, sizeof *event);
    event->type = (uint8_t) type;
    return event;
}

/* A new empty slot for what came with the event made last. */
static dw_slot_t *s_slot (dw_coordinator_t *self) {
    if (!dw_outcomes_reserve (&self->outcomes, 1)) {
        self->is_over = true;
        return NULL;
    }
    dw_slot_t *slot = &self->outcomes.slots[self->outcomes.slots_count++];
    memset (slot, 0, sizeof *slot);
    return slot;
}

/* ---- Runs ------------------------------------------------------------------------------------- */

static void s_run_free (dw_coordinator_t *self, uint32_t index) {
    s_run_t *run = &self->runs[index];
    if (run->slots && run->has_extras)
        for (uint32_t i = 0; i <= self->plan->nodes_count; i++)
            dw_slot_clear (&run->slots[i]);
    free (run->slots);
    free (run->outputs);
    memset (run, 0, sizeof *run);
    self->free_runs[self->free_runs_count++] = index;
}

/* Makes more places for runs: most systems use few of those that they may use. */
static bool s_grow_runs (dw_coordinator_t *self) {
    uint32_t size = self->runs_size ? 2 * self->runs_size : 16;
    s_run_t *runs = realloc (self->runs, size * sizeof *runs);
    if (runs)
        self->runs = runs;
    uint32_t *free_runs = runs ? realloc (self->free_runs, size * sizeof *free_runs) : NULL;
    if (!free_runs)
        return false;
    self->free_runs = free_runs;
    self->runs_size = size;
    return true;
}

/* A place for a run, with empty slots; DW_NONE: no memory, or no place. */
static uint32_t s_run_new (dw_coordinator_t *self) {
    size_t slots_count = self->plan->nodes_count + 1u;
    uint32_t index;
    if (self->free_runs_count > 0)
        index = self->free_runs[--self->free_runs_count];
    else if (self->runs_used < self->runs_max &&
             (self->runs_used < self->runs_size || s_grow_runs (self)))
        index = self->runs_used++;
    else
        return DW_NONE;
    s_run_t *run = &self->runs[index];
    memset (run, 0, sizeof *run);
    run->slots = calloc (slots_count, sizeof *run->slots);
    if (run->slots)
        return index;
    s_run_free (self, index);
    return DW_NONE;
}

/* Puts bytes that came in a message into a slot: large ones by reference. */
static bool s_slot_set (dw_slot_t *slot, const uint8_t *bytes, size_t size, zmq_msg_t *frame) {
    if (frame && size > DW_SLOT_BYTES)
        return dw_slot_share (slot, frame);
    uint8_t *at = dw_slot_reserve (slot, size);
    if (!at)
        return false;
    memcpy (at, bytes, size);
    return true;
}

/* ---- What comes in: clients ------------------------------------------------------------------- */

/* Refuses a client's run (0: what it said has no run). */
static void s_refuse_run (dw_coordinator_t *self, uint32_t router, uint16_t code, const char *text,
                          uint64_t run) {
    self->peers.unknown_count++;
    dw_write_uint (&self->reply.head, DW_WIRE_REFUSED);
    dw_write_uint (&self->reply.head, code);
    dw_write_str (&self->reply.head, text, strlen (text));
    dw_write_uint (&self->reply.head, run);
    dw_peers_reply (&self->peers, router, &self->reply);
}

static void s_refuse (dw_coordinator_t *self, uint32_t router, uint16_t code, const char *text) {
    s_refuse_run (self, router, code, text, 0);
}

static bool s_make_graph (dw_coordinator_t *self) {
    if (self->has_graph)
        return true;
    dw_writer_t writer = {0};
    dw_delivery_write_graph (self->plan, &writer);
    bool ok = !writer.no_memory && zmq_msg_init_size (&self->graph, writer.count) == 0;
    if (ok)
        memcpy (zmq_msg_data (&self->graph), writer.bytes, writer.count);
    dw_writer_free (&writer);
    self->has_graph = ok;
    return ok;
}

static void s_welcome_client (dw_coordinator_t *self, uint32_t router) {
    dw_peer_t *peer = NULL;
    if (self->peers.clients_count < self->options.clients_max && s_make_graph (self))
        peer = dw_peers_add (&self->peers, router, DW_WIRE_CLIENT);
    if (!peer) {
        s_refuse (self, router, 503, "as many clients as clients_max allows are there already");
        return;
    }
    dw_writer_t *head = &self->reply.head;
    dw_write_uint (head, DW_WIRE_WELCOME);
    dw_write_uint (head, dw_peers_index (&self->peers, peer));
    dw_write_uint (head, self->options.runs_max);
    dw_write_uint (head, self->plan->max_payload_bytes);
    dw_packet_add (&self->reply, zmq_msg_data (&self->graph), zmq_msg_size (&self->graph),
                   &self->graph);
    dw_peers_reply (&self->peers, router, &self->reply);
}

/* Reads the requested nodes of a submission; false: damaged, or no memory. */
static bool s_read_outputs (dw_coordinator_t *self, s_run_t *run, dw_wire_reader_t *reader,
                            uint32_t count) {
    if (count == 0)
        return true;
    run->outputs = malloc (count * sizeof *run->outputs);
    run->outputs_count = count;
    for (uint32_t i = 0; run->outputs && i < count; i++) {
        run->outputs[i] = dw_read_uint_max (reader, UINT32_MAX);
        if (run->outputs[i] >= self->plan->nodes_count)
            reader->is_damaged = true;
    }
    return run->outputs && !reader->is_damaged;
}

static bool s_submit (dw_coordinator_t *self, uint32_t client, dw_wire_reader_t *reader) {
    dw_wire_submission_t record;
    size_t size;
    zmq_msg_t *frame;
    uint32_t index = s_run_new (self);
    if (index == DW_NONE)
        return false;
    s_run_t *run = &self->runs[index];
    dw_slot_t *input = &run->slots[self->plan->nodes_count];
    bool ok = dw_read_submission (reader, &record);
    if (ok) {
        const uint8_t *bytes = dw_message_resolve (&self->peers.message, DW_PEERS_HEAD,
                                                   &record.payload, reader, &size, &frame);
        ok = bytes && size <= self->plan->max_payload_bytes &&
             (!self->peers.items[client].router || !dw_payload_check (bytes, size)) &&
             s_slot_set (input, bytes, size, frame) &&
             s_read_outputs (self, run, reader, record.outputs_count);
        run->has_extras = input->form == DW_SLOT_EXTRA;
    }
    dw_event_t *event = ok ? s_event (self, DW_EVENT_RUN_SUBMITTED) : NULL;
    if (!event) {
        s_run_free (self, index);
        return false;
    }
    run->is_live = true;
    run->client = client;
    run->client_run = record.run;
    run->number = ++self->runs_number;
    run->submitted_ns = dw_clock_ns ();
    event->run = index;
    event->outputs = run->outputs;
    event->outputs_count = run->outputs_count;
    return true;
}

static void s_on_submit (dw_coordinator_t *self, uint32_t router, uint32_t client,
                         dw_wire_reader_t *reader) {
    while (dw_wire_reader_has_more (reader)) {
        dw_wire_reader_t ahead = *reader;
        uint64_t run = dw_read_uint (&ahead);
        if (self->is_closing) {
            s_refuse_run (self, router, 503, "the system is closing", run);
            return;
        }
        if (!s_submit (self, client, reader)) {
            s_refuse_run (self, router, 400,
                          "a submission makes no sense, or there is no memory for it", run);
            return;
        }
    }
}

static void s_abort_run (dw_coordinator_t *self, uint32_t index) {
    dw_event_t *event = s_event (self, DW_EVENT_RUN_CANCELLED);
    if (event)
        event->run = index;
}

static void s_on_abort (dw_coordinator_t *self, uint32_t client, dw_wire_reader_t *reader) {
    uint64_t client_run = dw_read_uint (reader);
    for (uint32_t i = 0; i < self->runs_used && !reader->is_damaged; i++)
        if (self->runs[i].is_live && self->runs[i].client == client &&
            self->runs[i].client_run == client_run)
            s_abort_run (self, i);
}

/* A client has left: nobody waits for its runs. */
static void s_on_client_gone (dw_coordinator_t *self, uint32_t client) {
    for (uint32_t i = 0; i < self->runs_used; i++)
        if (self->runs[i].is_live && self->runs[i].client == client) {
            self->runs[i].client = DW_PEER_NONE;
            s_abort_run (self, i);
        }
    dw_peers_remove (&self->peers, &self->peers.items[client]);
}

/* ---- What comes in: workers ------------------------------------------------------------------- */

static void s_welcome_worker (dw_coordinator_t *self, uint32_t router,
                              const dw_wire_hello_t *hello) {
    s_worker_t *worker = hello->number < self->workers_count ? &self->workers[hello->number] : NULL;
    dw_peer_t *peer = NULL;
    if (worker && worker->peer == DW_PEER_NONE && !worker->is_refusing && !self->is_closing)
        peer = dw_peers_add (&self->peers, router, DW_WIRE_WORKER);
    if (!peer) {
        s_refuse (self, router, 400, "no worker of this number is expected");
        return;
    }
    peer->number = hello->number;
    worker->peer = dw_peers_index (&self->peers, peer);
    dw_write_uint (&self->reply.head, DW_WIRE_WELCOME);
    dw_write_uint (&self->reply.head, worker->peer);
    dw_peers_reply (&self->peers, router, &self->reply);
    dw_event_t *event = s_event (self, DW_EVENT_WORKER_JOINED);
    if (!event)
        return;
    event->worker = hello->number;
    event->lane = self->plan->pool ? 0 : hello->number;
    event->credit = hello->credit;
}

static void s_fail_event (dw_coordinator_t *self, dw_event_t *event, uint16_t code,
                          const char *message, size_t size) {
    event->type = DW_EVENT_TASK_FAILED;
    event->code = code;
    event->handle = (uint32_t) self->outcomes.slots_count;
    dw_slot_t *slot = s_slot (self);
    if (slot)
        dw_slot_set_error (slot, code, message, size);
}

/* Reads the outputs of an answer; false: it makes no sense. trusted: it comes from this process. */
static bool s_read_slots (dw_coordinator_t *self, dw_wire_reader_t *reader, uint32_t steps,
                          bool is_trusted) {
    size_t size;
    zmq_msg_t *frame;
    for (uint32_t i = 0; i < steps; i++) {
        dw_slot_t *slot = s_slot (self);
        dw_ref_t payload = dw_read_ref (reader), metadata = dw_read_ref (reader);
        if (!slot || reader->is_damaged)
            return false;
        const uint8_t *bytes = dw_message_resolve (&self->peers.message, DW_PEERS_HEAD, &payload,
                                                   reader, &size, &frame);
        if (!bytes || size > self->plan->max_payload_bytes ||
            (!is_trusted && dw_payload_check (bytes, size)) ||
            !s_slot_set (slot, bytes, size, frame))
            return false;
        if (dw_ref_is_nil (&metadata))
            continue;
        bytes = dw_message_resolve (&self->peers.message, DW_PEERS_HEAD, &metadata, reader, &size,
                                    &frame);
        if (!bytes || (!is_trusted && dw_payload_map_check (bytes, size)) ||
            !dw_slot_set_metadata (slot, bytes, size))
            return false;
    }
    return true;
}

static bool s_on_answer (dw_coordinator_t *self, uint32_t worker, dw_wire_reader_t *reader,
                         bool is_trusted) {
    dw_wire_answer_record_t record;
    static const char nonsense[] = "the worker's answer makes no sense";
    if (!dw_read_answer (reader, &record))
        return false;
    dw_event_t *event = s_event (self, DW_EVENT_TASK_DONE);
    if (!event)
        return false;
    size_t at = self->outcomes.events_count - 1, first_slot = self->outcomes.slots_count;
    event->worker = worker;
    event->ticket = record.ticket;
    event->duration_ns = record.duration_ns;
    event->handle = (uint32_t) first_slot;
    switch (record.answer) {
        case DW_WIRE_MORE:
        case DW_WIRE_DONE:
            event->last = record.answer == DW_WIRE_DONE;
            event->steps = record.steps;
            self->workers[worker].steps_count += record.steps;
            if (s_read_slots (self, reader, record.steps, is_trusted))
                break;
            event = &self->outcomes.events[at];
            s_fail_event (self, event, 502, nonsense, strlen (nonsense));
            break;
        case DW_WIRE_FAILED:
            s_fail_event (self, event, record.code ? record.code : 500, record.message,
                          record.message_size);
            break;
        case DW_WIRE_RETURNED: event->type = DW_EVENT_TASK_RETURNED; break;
    }
    uint32_t duration_us = (uint32_t) (record.duration_ns / 1000 < UINT32_MAX
                                           ? (record.duration_ns + 500) / 1000
                                           : UINT32_MAX);
    for (size_t i = first_slot; duration_us && i < self->outcomes.slots_count; i++)
        self->outcomes.slots[i].duration_us = duration_us;
    return !reader->is_damaged;
}

static void s_on_answers (dw_coordinator_t *self, const dw_peer_t *peer, dw_wire_reader_t *reader) {
    if (peer->is_dismissed)
        return;
    while (dw_wire_reader_has_more (reader))
        if (!s_on_answer (self, peer->number, reader, peer->router == 0)) {
            self->peers.unknown_count++;
            return;
        }
}

static int s_start_worker (dw_coordinator_t *self, uint32_t number, dw_error_t *error);

static void s_stop_worker (dw_coordinator_t *self, uint32_t peer_index) {
    const dw_peer_t *peer = &self->peers.items[peer_index];
    dw_write_uint (&self->reply.head, DW_WIRE_STOP);
    dw_packet_send (&self->reply, self->peers.routers[peer->router], peer->id, peer->id_size);
}

/* Puts an actor aside that nobody can make return; its place is empty. */
static void s_leave_behind (dw_coordinator_t *self, uint32_t number, uint32_t node) {
    s_worker_t *worker = &self->workers[number];
    if (worker->peer != DW_PEER_NONE)
        self->peers.items[worker->peer].is_dismissed = true;
    self->stuck[self->stuck_count++] = (s_stuck_t){
        .actor = worker->actor, .peer = worker->peer, .number = number, .node = node};
    *worker = (s_worker_t){.peer = DW_PEER_NONE, .steps_count = worker->steps_count};
}

/* Whether another actor than this one may run what it could have run. */
static bool s_has_substitute (const dw_coordinator_t *self, uint32_t number) {
    for (uint32_t i = 0; self->plan->pool && i < self->workers_count; i++)
        if (i != number && self->workers[i].actor)
            return true;
    return false;
}

/* Starts an actor in an empty place. When there can be none, and nobody else could run its tasks,
 * what is sent there fails, so that no run waits for ever. */
static void s_start_again (dw_coordinator_t *self, uint32_t number) {
    dw_error_t *error = dw_error_new ();
    bool too_many = self->stuck_count >= STUCK_MAX;
    if (too_many || s_start_worker (self, number, error) != DW_OK) {
        bool has_substitute = s_has_substitute (self, number);
        s_notice (self, "actor %u cannot be replaced (%s)%s", (unsigned) number,
                  too_many ? "too many are stuck" : dw_error_text (error),
                  has_substitute ? "" : ": its tasks fail from now on");
        dw_event_t *event = has_substitute ? NULL : s_event (self, DW_EVENT_WORKER_JOINED);
        if (event) {
            self->workers[number].is_refusing = true;
            event->worker = number;
            event->lane = self->plan->pool ? 0 : number;
            event->credit = 1;
        }
    }
    dw_error_destroy (&error);
}

/* The scheduler hears that a worker is gone. */
static void s_tell_lost (dw_coordinator_t *self, uint32_t number) {
    dw_event_t *event = s_event (self, DW_EVENT_WORKER_LOST);
    if (event)
        event->worker = number;
}

/* A stuck actor came back after all, and has only to end. */
static void s_on_stuck_bye (dw_coordinator_t *self, uint32_t peer_index) {
    for (uint32_t i = 0; i < self->stuck_count; i++)
        if (self->stuck[i].peer == peer_index) {
            dw_worker_join (self->stuck[i].actor, INT64_MAX);
            dw_worker_destroy (&self->stuck[i].actor);
            self->stuck[i] = self->stuck[--self->stuck_count];
            return;
        }
}

/* A worker that was told to stop, or could not go on: then another takes its place. */
static void s_on_worker_bye (dw_coordinator_t *self, dw_peer_t *peer) {
    s_worker_t *worker = &self->workers[peer->number];
    if (peer->is_dismissed)
        s_on_stuck_bye (self, dw_peers_index (&self->peers, peer));
    else
        worker->peer = DW_PEER_NONE;
    if (!peer->is_dismissed && !self->is_closing) {
        s_notice (self,
                  "actor %u has left: it ran out of memory or got a message that makes no sense",
                  (unsigned) peer->number);
        s_tell_lost (self, peer->number);
        dw_worker_join (worker->actor, INT64_MAX);
        dw_worker_destroy (&worker->actor);
        s_start_again (self, peer->number);
    }
    dw_peers_remove (&self->peers, peer);
}

/* ---- What comes in: all ----------------------------------------------------------------------- */

static void s_on_hello (dw_coordinator_t *self, uint32_t router, dw_wire_reader_t *reader) {
    char text[96];
    dw_wire_hello_t hello;
    if (!dw_read_hello (reader, &hello)) {
        s_refuse (self, router, 400, "this is a dagwood coordinator, and that was no HELLO");
        return;
    }
    if (hello.version != DW_WIRE_VERSION) {
        snprintf (text, sizeof text, "protocol version %u is spoken here, not %u", DW_WIRE_VERSION,
                  (unsigned) hello.version);
        s_refuse (self, router, 400, text);
        return;
    }
    if (memcmp (hello.token, self->options.program->token, DW_WIRE_TOKEN_SIZE) != 0) {
        s_refuse (self, router, 403, "the token is not that of this system");
        return;
    }
    if (hello.role == DW_WIRE_WORKER)
        s_welcome_worker (self, router, &hello);
    else if (hello.role == DW_WIRE_CLIENT)
        s_welcome_client (self, router);
    else if (hello.role == DW_WIRE_OWNER && router == 0 && self->owner == DW_PEER_NONE) {
        dw_peer_t *peer = dw_peers_add (&self->peers, router, DW_WIRE_OWNER);
        if (peer)
            self->owner = dw_peers_index (&self->peers, peer);
    } else
        s_refuse (self, router, 403, "this role is not to be had");
}

static void s_on_close (dw_coordinator_t *self, dw_wire_reader_t *reader) {
    uint32_t timeout_ms = dw_read_uint_max (reader, CLOSING_MS_MAX);
    self->is_closing = true;
    self->close_by_ns = dw_clock_ns () + (int64_t) timeout_ms * 1000000;
    for (uint32_t i = 0; i < self->runs_used; i++)
        if (self->runs[i].is_live)
            s_abort_run (self, i);
}

static void s_on_count (dw_coordinator_t *self, uint32_t router) {
    dw_writer_t *head = &self->reply.head;
    dw_write_uint (head, DW_WIRE_COUNTS);
    dw_write_uint (head, self->peers.messages_count);
    dw_write_uint (head, self->workers[self->workers_count].steps_count);
    for (uint32_t i = 0; i < self->workers_count; i++)
        dw_write_uint (head, self->workers[i].steps_count);
    dw_peers_reply (&self->peers, router, &self->reply);
}

static void s_on_message (dw_coordinator_t *self, uint32_t router, uint32_t type,
                          dw_wire_reader_t *reader) {
    if (type == DW_WIRE_HELLO) {
        s_on_hello (self, router, reader);
        return;
    }
    if (type == DW_WIRE_CLOSE || type == DW_WIRE_COUNT) { /* only the owner's, who has no number */
        if (router == 0 && type == DW_WIRE_CLOSE)
            s_on_close (self, reader);
        else if (router == 0)
            s_on_count (self, router);
        return;
    }
    dw_peer_t *peer = dw_peers_sender (&self->peers, router, reader);
    if (!peer)
        return;
    uint32_t index = dw_peers_index (&self->peers, peer);
    bool is_client = peer->role == DW_WIRE_CLIENT, is_worker = peer->role == DW_WIRE_WORKER;
    if (type == DW_WIRE_ANSWERS && is_worker)
        s_on_answers (self, peer, reader);
    else if (type == DW_WIRE_SUBMIT && is_client)
        s_on_submit (self, router, index, reader);
    else if (type == DW_WIRE_ABORT && is_client)
        s_on_abort (self, index, reader);
    else if (type == DW_WIRE_BYE && is_client)
        s_on_client_gone (self, index);
    else if (type == DW_WIRE_BYE && is_worker)
        s_on_worker_bye (self, peer);
    else
        self->peers.unknown_count++;
}

/* Takes in what has arrived, but not without end. */
static bool s_take_in (dw_coordinator_t *self) {
    uint32_t router, type;
    dw_wire_reader_t reader;
    bool any = false;
    for (int i = 0; i < MESSAGES_MAX && !self->is_over; i++) {
        int err = dw_peers_receive (&self->peers, &router, &reader, &type);
        if (err == DW_EAGAIN)
            break;
        if (err) {
            self->is_over = true;
            break;
        }
        any = true;
        s_on_message (self, router, type, &reader);
    }
    return any;
}

/* ---- What the scheduler commands -------------------------------------------------------------- */

static const dw_slot_t *s_source_slot (const dw_coordinator_t *self, const s_run_t *run,
                                       uint32_t source) {
    return &run->slots[source == DW_RUN_INPUT ? self->plan->nodes_count : source];
}

/* Appends the outputs and metadata of a node's direct dependencies. */
static void s_write_given (const dw_coordinator_t *self, dw_packet_t *packet, const s_run_t *run,
                           uint32_t node) {
    const dw_plan_t *plan = self->plan;
    uint32_t begin = plan->dependencies_at[node], end = plan->dependencies_at[node + 1];
    if ((plan->flags[node] & DW_NODE_PAYLOAD_ONLY) || begin == end) {
        dw_write_nil (&packet->head);
        return;
    }
    dw_write_array (&packet->head, end - begin);
    for (uint32_t e = begin; e < end; e++) {
        size_t size;
        const dw_slot_t *slot = &run->slots[plan->dependencies[e]];
        const dw_extra_t *extra = dw_slot_extra (slot);
        const uint8_t *payload = dw_slot_payload (slot, &size);
        if (payload)
            dw_packet_add (packet, payload, size, dw_slot_frame (slot));
        else
            dw_write_nil (&packet->head);
        if (extra && extra->metadata)
            dw_packet_add (packet, extra->metadata, extra->metadata_size, NULL);
        else
            dw_write_nil (&packet->head);
    }
}

static void s_refuse_task (dw_coordinator_t *self, const dw_command_t *command) {
    static const char text[] = "every actor that could run it is stuck in a processor";
    dw_event_t *event = s_event (self, DW_EVENT_TASK_FAILED);
    if (!event)
        return;
    event->worker = command->worker;
    event->ticket = command->ticket;
    s_fail_event (self, event, 503, text, strlen (text));
}

static void s_keep_for_self (dw_coordinator_t *self, const dw_command_t *command) {
    if (self->mailbox_count == self->mailbox_size) {
        size_t size = self->mailbox_size ? 2 * self->mailbox_size : 64;
        dw_command_t *mailbox = realloc (self->mailbox, size * sizeof *mailbox);
        if (!mailbox) {
            self->is_over = true;
            return;
        }
        self->mailbox = mailbox;
        self->mailbox_size = size;
    }
    self->mailbox[self->mailbox_count++] = *command;
}

static void s_send_task (dw_coordinator_t *self, const dw_command_t *command) {
    const s_worker_t *worker = &self->workers[command->worker];
    const s_run_t *run = &self->runs[command->run];
    size_t size;
    if (command->worker == self->workers_count) {
        s_keep_for_self (self, command);
        return;
    }
    if (worker->is_refusing || worker->peer == DW_PEER_NONE) {
        s_refuse_task (self, command);
        return;
    }
    dw_peer_t *peer = &self->peers.items[worker->peer];
    if (dw_packet_frames_left (&peer->packet) < 2 + self->plan->dependencies_count[command->node])
        dw_peers_send (&self->peers, peer);
    dw_packet_t *packet = dw_peers_packet (&self->peers, peer, DW_WIRE_TASKS);
    if (!packet) {
        self->is_over = true;
        return;
    }
    const dw_slot_t *slot = s_source_slot (self, run, command->source);
    const uint8_t *payload = dw_slot_payload (slot, &size);
    if (packet->records == 1)
        dw_write_uint (&packet->head, command->ticket);
    dw_write_uint (&packet->head, run->number);
    dw_write_uint (&packet->head, command->node);
    dw_write_uint (&packet->head, command->steps);
    dw_write_uint (&packet->head, command->attempt);
    assert (payload); /* the scheduler sends what reads a kept output */
    dw_packet_add (packet, payload, size, dw_slot_frame (slot));
    s_write_given (self, packet, run, command->node);
}

static void s_cancel_task (dw_coordinator_t *self, const dw_command_t *command) {
    const s_worker_t *worker = &self->workers[command->worker];
    if (command->worker != self->workers_count) {
        if (worker->is_refusing || worker->peer == DW_PEER_NONE)
            return;
        dw_peer_t *peer = &self->peers.items[worker->peer];
        if (peer->packet.head.count) /* the tasks themselves come first */
            dw_peers_send (&self->peers, peer);
        dw_write_uint (&self->reply.head, DW_WIRE_CANCEL);
        dw_write_uint (&self->reply.head, command->ticket);
        dw_packet_send (&self->reply, self->peers.routers[peer->router], peer->id, peer->id_size);
        return;
    }
    /* Its own: the slots that the task reads are about to go, so it is dropped on the spot. */
    if (dw_host_is_busy (self->host) && self->host_ticket == command->ticket) {
        dw_host_abandon (self->host);
        dw_event_t *event = s_event (self, DW_EVENT_TASK_RETURNED);
        if (event) {
            event->worker = command->worker;
            event->ticket = command->ticket;
        }
    }
    for (size_t i = self->mailbox_at; i < self->mailbox_count; i++)
        if (self->mailbox[i].ticket == command->ticket)
            self->mailbox[i].type = DW_CANCEL_TASK;
}

static void s_keep_output (dw_coordinator_t *self, const dw_command_t *command) {
    s_run_t *run = &self->runs[command->run];
    uint32_t node = command->node;
    for (uint32_t i = 0; i < command->steps; i++, node = self->plan->chain_next[node]) {
        dw_slot_t *from = &self->outcomes.slots[command->handle + i], *to = &run->slots[node];
        if (to->form == DW_SLOT_EXTRA)
            dw_slot_clear (to);
        *to = *from;
        to->status = DW_NODE_DONE;
        to->attempts = i == 0 ? command->attempt : 1;
        if (from->form == DW_SLOT_EXTRA) {
            from->form = DW_SLOT_NONE; /* it has a new owner */
            run->has_extras = true;
        }
    }
}

static void s_keep_error (dw_coordinator_t *self, const dw_command_t *command) {
    s_run_t *run = &self->runs[command->run];
    dw_slot_t *to = &run->slots[command->node];
    char text[160];
    dw_slot_clear (to);
    run->has_extras = true;
    if (command->handle != DW_NONE) {
        dw_slot_t *from = &self->outcomes.slots[command->handle];
        *to = *from;
        from->form = DW_SLOT_NONE;
        return;
    }
    const dw_policy_t *policy = &self->plan->policies[self->plan->policy[command->node]];
    if (command->code == 408)
        snprintf (text, sizeof text, "the attempt took longer than timeout_seconds (%g s)",
                  (double) policy->timeout_us / 1e6);
    else if (command->code == 503)
        snprintf (text, sizeof text, "three workers went down while they ran it");
    else
        snprintf (text, sizeof text, "the worker answered for steps that it was not sent");
    dw_slot_set_error (to, command->code, text, strlen (text));
}

static void s_finish_run (dw_coordinator_t *self, const dw_command_t *command) {
    s_run_t *run = &self->runs[command->run];
    dw_peer_t *client = run->client == DW_PEER_NONE ? NULL : &self->peers.items[run->client];
    dw_packet_t *packet = NULL;
    if (client) {
        if (client->packet.count > DW_WIRE_FRAMES_MAX / 2)
            dw_peers_send (&self->peers, client);
        packet = dw_peers_packet (&self->peers, client, DW_WIRE_RESULTS);
    }
    dw_slot_clear (&run->slots[self->plan->nodes_count]);
    if (packet) {
        dw_delivery_t delivery = {.scheduler = self->scheduler,
                                  .plan = self->plan,
                                  .run = command->run,
                                  .client_run = run->client_run,
                                  .status = (dw_run_status_t) command->status,
                                  .duration_us = (uint64_t) (dw_clock_ns () - run->submitted_ns) /
                                                 1000,
                                  .slots = run->slots,
                                  .has_extras = run->has_extras,
                                  .outputs = run->outputs,
                                  .outputs_count = run->outputs_count};
        run->slots = NULL;
        if (dw_delivery_write (&delivery, packet))
            self->is_over = true;
    }
    dw_scheduler_forget (self->scheduler, command->run);
    s_run_free (self, command->run);
}

/* A worker is stuck in a processor: it is left to itself, another takes its place. */
static void s_replace_worker (dw_coordinator_t *self, const dw_command_t *command) {
    const s_worker_t *worker = &self->workers[command->worker];
    dw_peer_t *peer = worker->peer == DW_PEER_NONE ? NULL : &self->peers.items[worker->peer];
    if (peer) {
        dw_peers_send (&self->peers, peer);
        s_stop_worker (self, worker->peer);
    }
    s_notice (self,
              "actor %u is stuck in node \"%s\": its processor did not return after its attempt "
              "was given up; another actor takes its place",
              (unsigned) command->worker, self->plan->ids[command->node]);
    s_leave_behind (self, command->worker, command->node);
    s_start_again (self, command->worker);
}

static void s_carry_out (dw_coordinator_t *self, const dw_command_t *command) {
    switch ((dw_command_type_t) command->type) {
        case DW_SEND_TASK: s_send_task (self, command); return;
        case DW_CANCEL_TASK: s_cancel_task (self, command); return;
        case DW_KEEP_OUTPUT: s_keep_output (self, command); return;
        case DW_KEEP_ERROR: s_keep_error (self, command); return;
        case DW_DROP_OUTPUT:
            dw_slot_drop_payload (&self->runs[command->run].slots[command->node]);
            return;
        case DW_FINISH_RUN: s_finish_run (self, command); return;
        case DW_REPLACE_WORKER: s_replace_worker (self, command); return;
    }
}

/* A peer could not be reached: its queue has no limit, so its connection is gone. */
static void s_on_unreachable (void *arg, dw_peer_t *peer) {
    dw_coordinator_t *self = arg;
    if (peer->role == DW_WIRE_CLIENT)
        s_on_client_gone (self, dw_peers_index (&self->peers, peer));
    else if (peer->role == DW_WIRE_WORKER && !peer->is_dismissed && !self->is_closing) {
        uint32_t run, node = dw_scheduler_worker_node (self->scheduler, peer->number, &run);
        s_notice (self, "actor %u cannot be reached any more; another takes its place",
                  (unsigned) peer->number);
        s_tell_lost (self, peer->number);
        s_leave_behind (self, peer->number, node);
        s_start_again (self, peer->number);
    }
}

/* Gives the scheduler what has happened, and does what it says. Carrying out may make events, which
 * are for the next step: they move to the front. */
static void s_step (dw_coordinator_t *self, int64_t now_ns) {
    dw_outcomes_t *outcomes = &self->outcomes;
    size_t events_count = outcomes->events_count, slots_count = outcomes->slots_count;
    self->commands.count = 0;
    if (dw_scheduler_step (self->scheduler, now_ns, outcomes->events, events_count,
                           &self->commands)) {
        s_notice (self, "out of memory: the system ends");
        self->is_over = true;
        return;
    }
    for (size_t i = 0; i < self->commands.count; i++)
        s_carry_out (self, &self->commands.items[i]);
    dw_peers_flush (&self->peers, s_on_unreachable, self);
    dw_outcomes_t rest = {.slots = outcomes->slots, .slots_count = slots_count};
    dw_outcomes_clear (&rest); /* what no command kept */
    outcomes->events_count -= events_count;
    outcomes->slots_count -= slots_count;
    if (outcomes->events_count) {
        memmove (outcomes->events, outcomes->events + events_count,
                 outcomes->events_count * sizeof *outcomes->events);
        memmove (outcomes->slots, outcomes->slots + slots_count,
                 outcomes->slots_count * sizeof *outcomes->slots);
        for (size_t i = 0; i < outcomes->events_count; i++)
            if (outcomes->events[i].type == DW_EVENT_TASK_FAILED) /* the others bring no slots */
                outcomes->events[i].handle -= (uint32_t) slots_count;
    }
    if (self->host)
        dw_host_settle (self->host, outcomes); /* its next group begins in what is left */
}

/* ---- Its own work ----------------------------------------------------------------------------- */

/* What the direct dependencies of a node give, where it lies. */
static bool s_make_given (dw_coordinator_t *self, const s_run_t *run, dw_task_t *task) {
    const dw_plan_t *plan = self->plan;
    uint32_t begin = plan->dependencies_at[task->node];
    uint32_t count = plan->dependencies_at[task->node + 1] - begin;
    if ((plan->flags[task->node] & DW_NODE_PAYLOAD_ONLY) || count == 0)
        return true;
    if (count > self->given_size) {
        dw_given_t *given = realloc (self->given, count * sizeof *given);
        if (!given)
            return false;
        self->given = given;
        self->given_size = count;
    }
    for (uint32_t i = 0; i < count; i++) {
        const dw_slot_t *slot = &run->slots[plan->dependencies[begin + i]];
        const dw_extra_t *extra = dw_slot_extra (slot);
        dw_given_t *given = &self->given[i];
        given->payload.bytes = dw_slot_payload (slot, &given->payload.size);
        given->metadata = extra ? (dw_view_t){extra->metadata, extra->metadata_size}
                                : (dw_view_t){NULL, 0};
    }
    task->given = self->given;
    task->given_count = count;
    return true;
}

/* Begins the next task of the mailbox; false when there is none. */
static bool s_begin_own (dw_coordinator_t *self) {
    while (self->mailbox_at < self->mailbox_count) {
        const dw_command_t *command = &self->mailbox[self->mailbox_at++];
        const s_run_t *run = &self->runs[command->run];
        dw_task_t task = {.ticket = command->ticket,
                          .run = run->number,
                          .node = command->node,
                          .steps = command->steps,
                          .attempt = command->attempt};
        if (command->type == DW_SEND_TASK && s_make_given (self, run, &task)) {
            const dw_slot_t *slot = s_source_slot (self, run, command->source);
            task.payload.bytes = dw_slot_payload (slot, &task.payload.size);
            task.payload_frame = dw_slot_frame (slot);
            self->host_ticket = command->ticket;
            dw_host_begin (self->host, command->worker, &task);
            return true;
        }
        dw_event_t *event = s_event (self, DW_EVENT_TASK_RETURNED);
        if (!event)
            return false;
        event->worker = command->worker;
        event->ticket = command->ticket;
    }
    self->mailbox_at = self->mailbox_count = 0;
    return false;
}

static bool s_has_own_work (const dw_coordinator_t *self) {
    return self->host && (self->mailbox_at < self->mailbox_count || dw_host_is_busy (self->host));
}

/* Works for a stretch, as a worker like the others. */
static void s_work (dw_coordinator_t *self) {
    size_t events_count = self->outcomes.events_count;
    int64_t until_ns = dw_clock_ns ();
    dw_host_settle (self->host, &self->outcomes); /* what came in meanwhile is not of its group */
    dw_host_wake (self->host, until_ns);
    until_ns += STRETCH_NS;
    while (dw_host_is_busy (self->host) || s_begin_own (self)) {
        if (!dw_host_run (self->host, &self->outcomes, until_ns)) {
            self->is_over = true;
            return;
        }
        if (dw_host_now_ns (self->host) >= until_ns)
            break;
    }
    self->worked_ns = dw_host_settle (self->host, &self->outcomes);
    for (size_t i = events_count; i < self->outcomes.events_count; i++)
        self->workers[self->workers_count].steps_count += self->outcomes.events[i].steps;
}

/* ---- Closing ---------------------------------------------------------------------------------- */

/* Tells every worker to stop and waits for their goodbyes, until it is too late. */
static void s_stop_workers (dw_coordinator_t *self) {
    uint32_t router, type, left = 0;
    dw_wire_reader_t reader;
    for (uint32_t i = 0; i < self->workers_count; i++)
        if (self->workers[i].peer != DW_PEER_NONE) {
            s_stop_worker (self, self->workers[i].peer);
            left++;
        }
    left += self->stuck_count;
    while (left > 0) {
        int err = dw_peers_receive (&self->peers, &router, &reader, &type);
        if (err == DW_EAGAIN) {
            if (dw_clock_ns () >= self->close_by_ns ||
                !dw_actor_wait (self->peers.routers, self->peers.routers_count, 0,
                                self->close_by_ns))
                return;
            continue;
        }
        if (err)
            return;
        if (type == DW_WIRE_BYE) {
            dw_peer_t *peer = dw_peers_sender (&self->peers, router, &reader);
            if (!peer)
                continue;
            left -= peer->role == DW_WIRE_WORKER;
            if (peer->role == DW_WIRE_WORKER)
                s_on_worker_bye (self, peer);
            else
                dw_peers_remove (&self->peers, peer);
        } else if (type == DW_WIRE_HELLO) /* it came too late */
            s_refuse (self, router, 503, "the system is closing");
    }
}

static void s_name_stuck (dw_coordinator_t *self, uint32_t number, uint32_t node) {
    char text[256];
    if (node == DW_NONE)
        snprintf (text, sizeof text, "actor %u", (unsigned) number);
    else
        snprintf (text, sizeof text, "actor %u, in node \"%.200s\"", (unsigned) number,
                  self->plan->ids[node]);
    dw_write_str (&self->reply.head, text, strlen (text));
}

static void s_close (dw_coordinator_t *self) {
    s_stop_workers (self);
    dw_write_uint (&self->reply.head, DW_WIRE_CLOSED);
    for (uint32_t i = 0; i < self->workers_count; i++)
        if (self->workers[i].peer != DW_PEER_NONE) {
            uint32_t run;
            s_name_stuck (self, i, dw_scheduler_worker_node (self->scheduler, i, &run));
        }
    for (uint32_t i = 0; i < self->stuck_count; i++)
        s_name_stuck (self, self->stuck[i].number, self->stuck[i].node);
    if (self->owner != DW_PEER_NONE) {
        const dw_peer_t *owner = &self->peers.items[self->owner];
        dw_packet_send (&self->reply, self->peers.routers[owner->router], owner->id,
                        owner->id_size);
    }
}

/* ---- The actor -------------------------------------------------------------------------------- */

static void s_join_local_worker (dw_coordinator_t *self) {
    dw_event_t *event = self->host ? s_event (self, DW_EVENT_WORKER_JOINED) : NULL;
    if (!event)
        return;
    event->worker = self->workers_count;
    event->credit = CREDIT;
    event->local = true;
}

static void *s_coordinator_actor (void *args) {
    dw_coordinator_t *self = args;
    s_join_local_worker (self);
    while (!self->is_over) {
        s_take_in (self);
        if (s_has_own_work (self))
            s_work (self);
        int64_t now_ns = dw_clock_ns ();
        int64_t deadline_ns = dw_scheduler_deadline_ns (self->scheduler);
        if (self->outcomes.events_count || deadline_ns <= now_ns)
            s_step (self, now_ns);
        else if (self->is_closing)
            break;
        else if (!s_has_own_work (self) &&
                 !dw_actor_wait (self->peers.routers, self->peers.routers_count,
                                 self->worked_ns + SPIN_NS, deadline_ns))
            self->is_over = true;
    }
    s_close (self);
    if (!self->is_closing) /* nobody asked for this end: clients must not wait for ever */
        zmq_ctx_shutdown (self->options.context);
    for (uint32_t i = 0; i < self->runs_used; i++)
        if (self->runs[i].is_live)
            s_run_free (self, i);
    dw_peers_free (&self->peers);
    return NULL;
}

/* ---- Made ------------------------------------------------------------------------------------- */

static int s_start_worker (dw_coordinator_t *self, uint32_t number, dw_error_t *error) {
    bool spins = self->plan->pool && self->workers_count <= self->options.cpus_count &&
                 self->options.cpus_count > 1;
    dw_worker_options_t options = {
        .context = self->options.context,
        .endpoint = self->endpoint,
        .program = self->options.program,
        .number = number,
        .node = s_hosted_node (self, number),
        .credit = CREDIT,
        .spin_ns = spins ? SPIN_NS : 0,
        .stack_bytes = self->workers_count > MANY_WORKERS ? SMALL_STACK_BYTES : STACK_BYTES};
    self->workers[number].peer = DW_PEER_NONE;
    return dw_worker_new (&self->workers[number].actor, &options, error);
}

static int s_make_router (dw_coordinator_t *self, const char *endpoint, dw_error_t *error) {
    int yes = 1, linger_ms = 100, unlimited = 0, handshake_ms = 1000;
    int64_t message_max = (int64_t) self->plan->max_payload_bytes + ROOM_BYTES;
    void *router = zmq_socket (self->options.context, ZMQ_ROUTER);
    if (!router)
        return dw_error_add (error, DW_ELIMIT, DW_NOWHERE,
                             "no socket for the coordinator (%s): raise the limit of open files "
                             "(ulimit -n)",
                             zmq_strerror (errno));
    self->peers.routers[self->peers.routers_count++] = router;
    zmq_setsockopt (router, ZMQ_ROUTER_MANDATORY, &yes, sizeof yes);
    zmq_setsockopt (router, ZMQ_LINGER, &linger_ms, sizeof linger_ms);
    zmq_setsockopt (router, ZMQ_SNDHWM, &unlimited, sizeof unlimited); /* credit is the limit */
    zmq_setsockopt (router, ZMQ_RCVHWM, &unlimited, sizeof unlimited);
    zmq_setsockopt (router, ZMQ_HANDSHAKE_IVL, &handshake_ms, sizeof handshake_ms);
    zmq_setsockopt (router, ZMQ_MAXMSGSIZE, &message_max, sizeof message_max);
    if (zmq_bind (router, endpoint))
        return dw_error_add (error, DW_EINVAL, DW_NOWHERE, "cannot listen on %s: %s", endpoint,
                             zmq_strerror (errno));
    return DW_OK;
}

/* Only this machine: who listens to others needs keys, which this version has not. */
static bool s_is_local_endpoint (const char *endpoint) {
    static const char *const prefixes[] = {"ipc://", "tcp://127.",
                                           "tcp://localhost:", "tcp://[::1]:"};
    for (size_t i = 0; i < sizeof prefixes / sizeof *prefixes; i++)
        if (strncmp (endpoint, prefixes[i], strlen (prefixes[i])) == 0)
            return true;
    return false;
}

static int s_listen (dw_coordinator_t *self, dw_error_t *error) {
    const char *endpoint = self->options.endpoint;
    snprintf (self->inproc, sizeof self->inproc, "inproc://coordinator");
    snprintf (self->endpoint, sizeof self->endpoint, "%s", self->inproc);
    int err = s_make_router (self, self->inproc, error);
    if (err || !endpoint)
        return err;
    if (!s_is_local_endpoint (endpoint))
        return dw_error_add (error, DW_EINVAL, DW_NOWHERE,
                             "\"%s\" is no endpoint on this machine: write ipc://FILE or "
                             "tcp://127.0.0.1:PORT (or :* for any port)",
                             endpoint);
    err = s_make_router (self, endpoint, error);
    size_t size = sizeof self->endpoint;
    if (!err && zmq_getsockopt (self->peers.routers[1], ZMQ_LAST_ENDPOINT, self->endpoint, &size))
        err = dw_error_add (error, DW_EINVAL, DW_NOWHERE, "\"%s\" is too long", endpoint);
    return err;
}

static int s_allocate (dw_coordinator_t *self, dw_error_t *error) {
    const dw_plan_t *plan = self->plan;
    uint64_t runs_max = (uint64_t) self->options.runs_max * self->options.clients_max;
    self->runs_max = runs_max < 1u << 20 ? (uint32_t) runs_max : 1u << 20;
    self->workers_count = plan->nodes_count ? plan->workers_count : 0;
    self->owner = DW_PEER_NONE;
    self->workers = calloc (self->workers_count + 1u, sizeof *self->workers);
    /* Every worker may get stuck once more when no other takes its place any more. */
    self->stuck = calloc (STUCK_MAX + self->workers_count, sizeof *self->stuck);
    dw_scheduler_options_t options = {.runs_max = self->runs_max,
                                      .workers_max = self->workers_count + 1u};
    if (!self->workers || !self->stuck || dw_scheduler_new (&self->scheduler, plan, &options))
        return dw_error_add (error, DW_ENOMEM, DW_NOWHERE, "out of memory");
    if (plan->pool && plan->nodes_count)
        return dw_host_new (&self->host, self->options.program, DW_NONE, error);
    return DW_OK;
}

int dw_coordinator_new (dw_coordinator_t **self_p, const dw_coordinator_options_t *options,
                        dw_error_t *error) {
    dw_coordinator_t *self = calloc (1, sizeof *self);
    if (!self)
        return dw_error_add (error, DW_ENOMEM, DW_NOWHERE, "out of memory");
    self->options = *options;
    self->plan = options->program->plan;
    int err = s_allocate (self, error);
    if (!err)
        err = s_listen (self, error);
    for (uint32_t i = 0; i < self->workers_count && !err; i++)
        err = s_start_worker (self, i, error);
    if (!err &&
        dw_actor_start (&self->actor, "dw-coordinator", STACK_BYTES, s_coordinator_actor, self))
        err = dw_error_add (error, DW_ELIMIT, DW_NOWHERE,
                            "no thread for the coordinator: raise the limit of threads "
                            "(RLIMIT_NPROC, ulimit -u) or of memory");
    if (err) {
        zmq_ctx_shutdown (options->context); /* the workers that did start leave */
        dw_peers_free (&self->peers);
        dw_coordinator_join (self, INT64_MAX);
        dw_coordinator_destroy (&self);
    } else
        *self_p = self;
    return err;
}

const char *dw_coordinator_inproc (const dw_coordinator_t *self) {
    return self->inproc;
}

const char *dw_coordinator_endpoint (const dw_coordinator_t *self) {
    return self->endpoint;
}

bool dw_coordinator_join (dw_coordinator_t *self, int64_t deadline_ns) {
    if (!dw_actor_join (&self->actor, deadline_ns))
        return false;
    bool all = true;
    for (uint32_t i = 0; i < self->workers_count; i++)
        all &= !self->workers[i].actor || dw_worker_join (self->workers[i].actor, deadline_ns);
    for (uint32_t i = 0; i < self->stuck_count; i++)
        all &= dw_worker_join (self->stuck[i].actor, deadline_ns);
    return all;
}

void dw_coordinator_destroy (dw_coordinator_t **self_p) {
    dw_coordinator_t *self = *self_p;
    if (!self)
        return;
    for (uint32_t i = 0; self->workers && i < self->workers_count; i++)
        dw_worker_destroy (&self->workers[i].actor);
    for (uint32_t i = 0; i < self->stuck_count; i++)
        dw_worker_destroy (&self->stuck[i].actor);
    if (self->has_graph)
        zmq_msg_close (&self->graph);
    dw_scheduler_destroy (&self->scheduler);
    dw_host_destroy (&self->host);
    dw_outcomes_free (&self->outcomes);
    dw_packet_free (&self->reply);
    free (self->commands.items);
    free (self->mailbox);
    free (self->given);
    free (self->runs);
    free (self->free_runs);
    free (self->workers);
    free (self->stuck);
    free (self);
    *self_p = NULL;
}
