/* coordinator_runs.c - the coordinator's runs, as clients ask for them. */

#include <stdlib.h>

#include "actors/clock.h"
#include "actors/coordinator_self.h"
#include "runtime/payload.h"

/* ---- Runs ------------------------------------------------------------------------------------- */

void dw_coordinator_run_free (dw_coordinator_t *self, uint32_t index) {
    dw_live_run_t *run = &self->runs[index];
    dw_coordinator_forget_kept (self, run, DW_NONE);
    for (uint32_t i = 0; run->table.slots && run->has_extras && i < run->table.slots_count; i++)
        dw_slot_clear (dw_table_slot (&run->table, i));
    dw_table_free (&run->table);
    free (run->outputs);
    dw_addition_destroy (&run->addition);
    free (run->told);
    memset (run, 0, sizeof *run);
    self->free_runs[self->free_runs_count++] = index;
}

/* Makes more places for runs: most systems use few of those that they may use. */
static bool s_grow_runs (dw_coordinator_t *self) {
    uint32_t size = self->runs_size ? 2 * self->runs_size : 16;
    dw_live_run_t *runs = realloc (self->runs, size * sizeof *runs);
    if (runs)
        self->runs = runs;
    uint32_t *free_runs = runs ? realloc (self->free_runs, size * sizeof *free_runs) : NULL;
    if (!free_runs)
        return false;
    self->free_runs = free_runs;
    self->runs_size = size;
    return true;
}

uint32_t dw_coordinator_place_new (dw_coordinator_t *self, uint32_t slots_count) {
    uint32_t index;
    if (self->free_runs_count > 0)
        index = self->free_runs[--self->free_runs_count];
    else if (self->runs_used < self->runs_max + self->added_max &&
             (self->runs_used < self->runs_size || s_grow_runs (self)))
        index = self->runs_used++;
    else
        return DW_NONE;
    dw_live_run_t *run = &self->runs[index];
    memset (run, 0, sizeof *run);
    if (dw_table_init (&run->table, slots_count))
        return index;
    dw_coordinator_run_free (self, index);
    return DW_NONE;
}

/* A place for a run; DW_NONE: no memory, or no place. */
static uint32_t s_run_new (dw_coordinator_t *self) {
    uint32_t runs_count = self->runs_used - self->free_runs_count - self->added_count;
    return runs_count < self->runs_max
               ? dw_coordinator_place_new (self, self->plan->nodes_count + 1u)
               : DW_NONE;
}

bool dw_coordinator_slot_set (dw_slot_t *slot, const uint8_t *bytes, size_t size,
                              zmq_msg_t *frame) {
    if (frame && size > DW_SLOT_OUTSIDE_MAX)
        return dw_slot_share (slot, frame);
    uint8_t *at = dw_slot_reserve (slot, size);
    if (!at)
        return false;
    memcpy (at, bytes, size);
    return true;
}

/* ---- What comes in: clients ------------------------------------------------------------------- */

/* Refuses a client's run (0: what it said has no run, and too much of it is not answered). */
void dw_coordinator_refuse_run (dw_coordinator_t *self, uint32_t router, uint16_t code,
                                const char *text, uint64_t run) {
    self->peers.unknown_count += code != 410; /* else it was asked for again by who was cut off */
    if (run == 0 && !dw_coordinator_has_patience (self, router))
        return;
    dw_write_uint (&self->reply.head, DW_WIRE_REFUSED);
    dw_write_uint (&self->reply.head, code);
    dw_write_str (&self->reply.head, text, strlen (text));
    dw_write_uint (&self->reply.head, run);
    dw_peers_reply (&self->peers, router, &self->reply);
}

void dw_coordinator_refuse (dw_coordinator_t *self, uint32_t router, uint16_t code,
                            const char *text) {
    dw_coordinator_refuse_run (self, router, code, text, 0);
}

/* Reads the requested nodes of a submission; false: damaged, one is no node, or no memory. */
static bool s_read_outputs (dw_coordinator_t *self, dw_live_run_t *run, dw_wire_reader_t *reader,
                            uint32_t count) {
    if (count == 0)
        return true;
    run->outputs = malloc (count * sizeof *run->outputs);
    run->outputs_count = count;
    bool ok = run->outputs != NULL;
    for (uint32_t i = 0; i < count; i++) {
        uint32_t node = dw_read_uint_max (reader, UINT32_MAX);
        ok = ok && node < self->plan->nodes_count;
        if (ok)
            run->outputs[i] = node;
    }
    return ok && !reader->is_damaged;
}

/* Reads a submission into the place of a run; false: it makes no sense, or there is no memory for
 * it. */
static bool s_read_submission (dw_coordinator_t *self, dw_live_run_t *run, uint32_t client,
                               dw_wire_reader_t *reader) {
    dw_wire_submission_t record;
    size_t size;
    zmq_msg_t *frame;
    dw_slot_t *input = dw_table_slot (&run->table, self->plan->nodes_count);
    if (!dw_read_submission (reader, &record))
        return false;
    run->client_run = record.run;
    run->deadline_ms = record.deadline_ms;
    const uint8_t *bytes = dw_message_resolve (&self->peers.message, DW_PEERS_HEAD, &record.payload,
                                               reader, &size, &frame);
    /* All of it is read, also when it is refused, so that the next one can be. */
    bool ok = s_read_outputs (self, run, reader, record.outputs_count) && bytes;
    ok = ok && size <= self->plan->max_payload_bytes &&
         (!self->peers.items[client].router || !dw_payload_check (bytes, size)) &&
         dw_coordinator_slot_set (input, bytes, size, frame);
    run->has_extras = dw_slot_owns (input);
    return ok;
}

/* Takes one submission into a new place; false: it makes no sense, or there is no memory for it. */
static bool s_submit (dw_coordinator_t *self, uint32_t index, uint32_t client,
                      dw_wire_reader_t *reader) {
    dw_live_run_t *run = &self->runs[index];
    if (self->has_other_agents) /* the scheduler is to hear of them before the run */
        dw_coordinator_look_at_lanes (self);
    dw_event_t *event = s_read_submission (self, run, client, reader)
                            ? dw_coordinator_event (self, DW_EVENT_RUN_SUBMITTED)
                            : NULL;
    if (!event) {
        dw_coordinator_run_free (self, index);
        return false;
    }
    if (self->unserved & ~self->unserved_said)
        dw_coordinator_say_unserved (self);
    run->is_live = true;
    run->client = client;
    run->session = self->peers.items[client].number;
    run->detached = DW_NONE;
    run->number = ++self->runs_number;
    run->submitted_ns = dw_clock_ns ();
    event->run = index;
    event->outputs = run->outputs;
    event->outputs_count = run->outputs_count;
    if (run->deadline_ms)
        event->deadline_ns = run->submitted_ns + (int64_t) run->deadline_ms * 1000000;
    return true;
}

/* Passes over a submission. */
static void s_skip (dw_wire_reader_t *reader) {
    dw_wire_submission_t record;
    uint32_t left = dw_read_submission (reader, &record) ? record.outputs_count : 0;
    for (; left > 0 && !reader->is_damaged; left--)
        dw_read_uint (reader);
}

/* A client that is back sends again what it has no result of. What is under way here is passed over
 * (true); what has ended was sent before, so that only what was refused or dropped is asked for
 * again. */
static bool s_is_under_way (const dw_session_t *session, uint64_t run, dw_wire_reader_t *reader) {
    dw_wire_submission_t record;
    if (!session || !dw_flights_has (&session->live, run) || !dw_read_submission (reader, &record))
        return false;
    for (uint32_t i = 0; i < record.outputs_count; i++)
        dw_read_uint (reader);
    return true;
}

const char *dw_coordinator_why_not (dw_coordinator_t *self, uint32_t client, uint64_t run,
                                    uint16_t *code) {
    dw_session_t *session = dw_coordinator_session (self, client);
    *code = 503;
    if (self->is_closing)
        return "the system is closing";
    *code = 403;
    if (!dw_coordinator_may_submit (self, client))
        return "the key is a monitor's, which may not submit";
    *code = 410;
    if (session && run <= session->run_last)
        return "the run was refused before, or its result was not kept for so long";
    *code = 503;
    if (session &&
        (session->live.count >= self->options.runs_max || !dw_flights_reserve (&session->live)))
        return "as many runs of this client are in flight as runs_max allows";
    return NULL;
}

const char *dw_coordinator_begin_run (dw_coordinator_t *self, uint32_t client,
                                      dw_wire_reader_t *reader, uint16_t *code, uint32_t *index_p) {
    uint32_t index = *index_p = s_run_new (self);
    *code = 503;
    if (index == DW_NONE) {
        s_skip (reader);
        return "as many runs are in flight as there are places or memory for";
    }
    *code = 400;
    return s_submit (self, index, client, reader)
               ? NULL
               : "a submission makes no sense, or there is no memory for it";
}

/* Several come in one message. One that is refused is refused alone, unless it cannot be read: then
 * nobody knows where the next one begins. So many refusals are more than an honest message can
 * have, and each costs an answer. */
void dw_coordinator_on_submit (dw_coordinator_t *self, uint32_t router, uint32_t client,
                               dw_wire_reader_t *reader) {
    dw_session_t *session = dw_coordinator_session (self, client);
    uint32_t refused = 0;
    while (dw_wire_reader_has_more (reader) && refused < DW_WIRE_TOGETHER_MAX) {
        dw_wire_reader_t ahead = *reader;
        uint64_t run = dw_read_uint (&ahead);
        uint32_t index;
        uint16_t code;
        if (s_is_under_way (session, run, reader))
            continue;
        const char *why = dw_coordinator_why_not (self, client, run, &code);
        if (why)
            s_skip (reader);
        else {
            why = dw_coordinator_begin_run (self, client, reader, &code, &index);
            if (session && run > session->run_last)
                session->run_last = run;
            if (session && !why)
                dw_flights_add (&session->live, run);
        }
        if (why) {
            dw_coordinator_refuse_run (self, router, code, why, run);
            refused++;
        }
    }
}

void dw_coordinator_abort_run (dw_coordinator_t *self, uint32_t index) {
    dw_event_t *event = dw_coordinator_event (self, DW_EVENT_RUN_CANCELLED);
    if (event)
        event->run = index;
}

void dw_coordinator_abort_part (dw_coordinator_t *self, uint32_t index, uint32_t node) {
    if (node == DW_NONE) {
        dw_coordinator_abort_run (self, index);
        return;
    }
    dw_event_t *event = dw_coordinator_event (self, DW_EVENT_NODE_CANCELLED);
    if (!event)
        return;
    event->run = index;
    event->node = node;
}

/* A node of every run would be as much work as there are runs and nodes, for a message of some
 * bytes. */
void dw_coordinator_on_abort (dw_coordinator_t *self, uint32_t client, dw_wire_reader_t *reader) {
    uint64_t client_run = dw_read_uint (reader);
    bool is_every = client_run == DW_EVERY_RUN;
    bool is_part = dw_wire_reader_has_more (reader);
    uint32_t node = is_part ? dw_read_uint_max (reader, UINT32_MAX) : DW_NONE;
    if (reader->is_damaged || (is_part && (is_every || node >= self->plan->nodes_count))) {
        self->peers.unknown_count++;
        return;
    }
    for (uint32_t i = 0; i < self->runs_used; i++)
        if (self->runs[i].is_live && (is_every || self->runs[i].client_run == client_run) &&
            dw_coordinator_client_of (self, &self->runs[i]) == client)
            dw_coordinator_abort_part (self, i, node);
    if (dw_coordinator_session (self, client))
        dw_coordinator_abort_claimed (self, self->peers.items[client].number, client_run, node);
}

/* ---- What goes out: results ------------------------------------------------------------------- */

dw_packet_t *dw_coordinator_result_begin (dw_coordinator_t *self, const dw_live_run_t *run) {
    uint32_t client = dw_coordinator_client_of (self, run);
    if (client != DW_PEER_NONE) {
        dw_peer_t *peer = &self->peers.items[client];
        if (peer->packet &&
            (peer->packet->count > DW_WIRE_FRAMES_MAX / 2 || dw_coordinator_is_full (self, peer)))
            dw_peers_send (&self->peers, peer);
        dw_packet_t *packet = dw_peers_packet (&self->peers, peer, DW_WIRE_RESULTS);
        self->is_over |= !packet; /* nobody waits longer than there is a coordinator */
        return packet;
    }
    if (run->session == DW_NONE && run->detached == DW_NONE)
        return NULL;
    dw_packet_clear (&self->away);
    if (run->detached == DW_NONE)
        dw_write_uint (&self->away.head, DW_WIRE_RESULTS);
    return &self->away;
}

void dw_coordinator_result_end (dw_coordinator_t *self, const dw_live_run_t *run) {
    if (run->detached != DW_NONE)
        dw_coordinator_keep_detached (self, run->detached);
    if (run->session == DW_NONE)
        return;
    dw_session_t *session = self->sessions[run->session];
    dw_flights_remove (&session->live, run->client_run);
    if (session->peer == DW_PEER_NONE)
        dw_coordinator_keep (self, session, &self->away);
}
