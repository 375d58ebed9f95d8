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

/* Reads the requested nodes of a submission; false: damaged, or no memory. */
static bool s_read_outputs (dw_coordinator_t *self, dw_live_run_t *run, dw_wire_reader_t *reader,
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

/* Reads a submission into a new place; false: it makes no sense, or there is no memory for it. */
static bool s_submit (dw_coordinator_t *self, uint32_t index, uint32_t client,
                      dw_wire_reader_t *reader) {
    dw_wire_submission_t record;
    size_t size;
    zmq_msg_t *frame;
    dw_live_run_t *run = &self->runs[index];
    dw_slot_t *input = dw_table_slot (&run->table, self->plan->nodes_count);
    bool ok = dw_read_submission (reader, &record);
    if (ok) {
        const uint8_t *bytes = dw_message_resolve (&self->peers.message, DW_PEERS_HEAD,
                                                   &record.payload, reader, &size, &frame);
        ok = bytes && size <= self->plan->max_payload_bytes &&
             (!self->peers.items[client].router || !dw_payload_check (bytes, size)) &&
             dw_coordinator_slot_set (input, bytes, size, frame) &&
             s_read_outputs (self, run, reader, record.outputs_count);
        run->has_extras = input->form == DW_SLOT_EXTRA;
    }
    dw_event_t *event = ok ? dw_coordinator_event (self, DW_EVENT_RUN_SUBMITTED) : NULL;
    if (!event) {
        dw_coordinator_run_free (self, index);
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
    if (record.deadline_ms)
        event->deadline_ns = run->submitted_ns + (int64_t) record.deadline_ms * 1000000;
    run->deadline_ms = record.deadline_ms;
    return true;
}

void dw_coordinator_on_submit (dw_coordinator_t *self, uint32_t router, uint32_t client,
                               dw_wire_reader_t *reader) {
    while (dw_wire_reader_has_more (reader)) {
        dw_wire_reader_t ahead = *reader;
        uint64_t run = dw_read_uint (&ahead);
        if (self->is_closing) {
            s_refuse_run (self, router, 503, "the system is closing", run);
            return;
        }
        if (!dw_coordinator_may_submit (self, client)) {
            s_refuse_run (self, router, 403, "the key is a monitor's, which may not submit", run);
            return;
        }
        uint32_t index = s_run_new (self);
        if (index == DW_NONE) {
            s_refuse_run (self, router, 503,
                          "as many runs are in flight as there are places or memory for", run);
            return;
        }
        if (!s_submit (self, index, client, reader)) {
            s_refuse_run (self, router, 400,
                          "a submission makes no sense, or there is no memory for it", run);
            return;
        }
    }
}

void dw_coordinator_abort_run (dw_coordinator_t *self, uint32_t index) {
    dw_event_t *event = dw_coordinator_event (self, DW_EVENT_RUN_CANCELLED);
    if (event)
        event->run = index;
}

void dw_coordinator_on_abort (dw_coordinator_t *self, uint32_t client, dw_wire_reader_t *reader) {
    uint64_t client_run = dw_read_uint (reader);
    for (uint32_t i = 0; i < self->runs_used && !reader->is_damaged; i++)
        if (self->runs[i].is_live && self->runs[i].client == client &&
            self->runs[i].client_run == client_run)
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
