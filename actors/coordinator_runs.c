/* coordinator_runs.c - the coordinator's runs, and the clients that wait for them. */

#include <stdlib.h>

#include "actors/clock.h"
#include "actors/coordinator_self.h"
#include "actors/delivery.h"
#include "runtime/payload.h"

#define PROBE_NS 1000000000 /* between two looks whether a client is still there */

/* ---- Runs ------------------------------------------------------------------------------------- */

void dw_coordinator_run_free (dw_coordinator_t *self, uint32_t index) {
    dw_live_run_t *run = &self->runs[index];
    dw_coordinator_forget_kept (self, run, DW_NONE);
    for (uint32_t i = 0; run->table.slots && run->has_extras && i <= self->plan->nodes_count; i++)
        dw_slot_clear (dw_table_slot (&run->table, i));
    dw_table_free (&run->table);
    free (run->outputs);
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

/* A place for a run, with empty slots; DW_NONE: no memory, or no place. */
static uint32_t s_run_new (dw_coordinator_t *self) {
    uint32_t index;
    if (self->free_runs_count > 0)
        index = self->free_runs[--self->free_runs_count];
    else if (self->runs_used < self->runs_max &&
             (self->runs_used < self->runs_size || s_grow_runs (self)))
        index = self->runs_used++;
    else
        return DW_NONE;
    dw_live_run_t *run = &self->runs[index];
    memset (run, 0, sizeof *run);
    if (dw_table_init (&run->table, self->plan->nodes_count + 1u))
        return index;
    dw_coordinator_run_free (self, index);
    return DW_NONE;
}

bool dw_coordinator_slot_set (dw_slot_t *slot, const uint8_t *bytes, size_t size,
                              zmq_msg_t *frame) {
    if (frame && size > DW_SLOT_BYTES)
        return dw_slot_share (slot, frame);
    uint8_t *at = dw_slot_reserve (slot, size);
    if (!at)
        return false;
    memcpy (at, bytes, size);
    return true;
}

/* ---- What comes in: clients ------------------------------------------------------------------- */

/* Refuses a client's run (0: what it said has no run, and too much of it is not answered). */
static void s_refuse_run (dw_coordinator_t *self, uint32_t router, uint16_t code, const char *text,
                          uint64_t run) {
    self->peers.unknown_count++;
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

/* Frees the places of clients whose connection is gone, which nobody tells: it is seen when they are
 * sent something. Not more often than once in a while, because they keep what they are sent until they
 * look. */
static void s_free_client_places (dw_coordinator_t *self) {
    int64_t now_ns = dw_clock_ns ();
    for (uint32_t i = 0; i < self->peers.count; i++) {
        dw_peer_t *peer = &self->peers.items[i];
        if (peer->role != DW_WIRE_CLIENT ||
            (peer->probed_ns && now_ns - peer->probed_ns < PROBE_NS))
            continue;
        peer->probed_ns = now_ns;
        if (!dw_peers_probe (&self->peers, peer))
            dw_coordinator_on_client_gone (self, i);
    }
}

void dw_coordinator_welcome_client (dw_coordinator_t *self, uint32_t router, const uint8_t *key) {
    dw_peer_t *peer = NULL;
    if (self->peers.clients_count >= self->options.clients_max)
        s_free_client_places (self);
    if (self->peers.clients_count < self->options.clients_max && s_make_graph (self))
        peer = dw_peers_add (&self->peers, router, DW_WIRE_CLIENT);
    if (!peer) {
        dw_coordinator_refuse (self, router, 503,
                               "as many clients as clients_max allows are there already");
        return;
    }
    dw_coordinator_let_in (self, router);
    memcpy (peer->key, key, sizeof peer->key);
    dw_writer_t *head = &self->reply.head;
    dw_write_uint (head, DW_WIRE_WELCOME);
    dw_write_uint (head, dw_peers_index (&self->peers, peer));
    dw_write_uint (head, self->options.runs_max);
    dw_write_uint (head, self->plan->max_payload_bytes);
    dw_packet_add (&self->reply, zmq_msg_data (&self->graph), zmq_msg_size (&self->graph),
                   &self->graph);
    dw_write_uint (head, self->options.heartbeat_ms);
    dw_write_uint (head, self->options.silence_ms);
    dw_write_str (head, self->options.name, strlen (self->options.name));
    dw_peers_reply (&self->peers, router, &self->reply);
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

/* Reads a submission into the place of a run; false: it makes no sense, or there is no memory for it. */
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
    run->has_extras = input->form == DW_SLOT_EXTRA;
    return ok;
}

/* Takes one submission into a new place. Returns 0, or the code by which it is refused. */
static uint16_t s_submit (dw_coordinator_t *self, uint32_t client, dw_wire_reader_t *reader) {
    uint32_t index = s_run_new (self);
    if (index == DW_NONE)
        return 503;
    dw_live_run_t *run = &self->runs[index];
    dw_event_t *event = s_read_submission (self, run, client, reader)
                            ? dw_coordinator_event (self, DW_EVENT_RUN_SUBMITTED)
                            : NULL;
    if (!event) {
        dw_coordinator_run_free (self, index);
        return 400;
    }
    if (self->unserved & ~self->unserved_said)
        dw_coordinator_say_unserved (self);
    run->is_live = true;
    run->client = client;
    run->number = ++self->runs_number;
    run->submitted_ns = dw_clock_ns ();
    event->run = index;
    event->outputs = run->outputs;
    event->outputs_count = run->outputs_count;
    if (run->deadline_ms)
        event->deadline_ns = run->submitted_ns + (int64_t) run->deadline_ms * 1000000;
    return 0;
}

/* Passes over a submission. */
static void s_skip (dw_wire_reader_t *reader) {
    dw_wire_submission_t record;
    uint32_t left = dw_read_submission (reader, &record) ? record.outputs_count : 0;
    for (; left > 0 && !reader->is_damaged; left--)
        dw_read_uint (reader);
}

/* Why nothing is submitted now at all; NULL: it is. */
static const char *s_closed (const dw_coordinator_t *self, uint32_t client, uint16_t *code_p) {
    *code_p = self->is_closing ? 503 : 403;
    if (self->is_closing)
        return "the system is closing";
    return dw_coordinator_may_submit (self, client)
               ? NULL
               : "the key is a monitor's, which may not submit";
}

/* Several come in one message. One that is refused is refused alone, unless it cannot be read: then nobody
 * knows where the next one begins. So many refusals are more than an honest message can have, and each costs
 * an answer. */
void dw_coordinator_on_submit (dw_coordinator_t *self, uint32_t router, uint32_t client,
                               dw_wire_reader_t *reader) {
    uint16_t code;
    uint32_t refused = 0;
    const char *closed = s_closed (self, client, &code);
    while (dw_wire_reader_has_more (reader) && refused < DW_WIRE_TOGETHER_MAX) {
        dw_wire_reader_t ahead = *reader;
        uint64_t run = dw_read_uint (&ahead);
        if (closed) {
            s_refuse_run (self, router, code, closed, run);
            s_skip (reader);
            refused++;
            continue;
        }
        code = s_submit (self, client, reader);
        refused += code > 0;
        if (code == 503) {
            s_refuse_run (self, router, code,
                          "as many runs are in flight as there are places or memory for", run);
            s_skip (reader);
        } else if (code)
            s_refuse_run (self, router, code,
                          "a submission makes no sense, or there is no memory for it", run);
    }
}

void dw_coordinator_abort_run (dw_coordinator_t *self, uint32_t index) {
    dw_event_t *event = dw_coordinator_event (self, DW_EVENT_RUN_CANCELLED);
    if (event)
        event->run = index;
}

void dw_coordinator_on_abort (dw_coordinator_t *self, uint32_t client, dw_wire_reader_t *reader) {
    uint64_t client_run = dw_read_uint (reader);
    bool is_every = client_run == DW_EVERY_RUN;
    for (uint32_t i = 0; i < self->runs_used && !reader->is_damaged; i++)
        if (self->runs[i].is_live && self->runs[i].client == client &&
            (is_every || self->runs[i].client_run == client_run))
            dw_coordinator_abort_run (self, i);
}

void dw_coordinator_on_client_gone (dw_coordinator_t *self, uint32_t client) {
    for (uint32_t i = 0; i < self->runs_used; i++)
        if (self->runs[i].is_live && self->runs[i].client == client) {
            self->runs[i].client = DW_PEER_NONE;
            dw_coordinator_abort_run (self, i);
        }
    dw_peers_remove (&self->peers, &self->peers.items[client]);
}
