/* coordinator_kept.c - payloads that slots elsewhere keep, so that each gets one once for all of
 * its tasks that read it.
 *
 * Only what several nodes read is kept, and only what takes longer to travel than to be looked up.
 * What a task reads is given places before the task is written: the first that reads it brings it,
 * those after name its place. When a run is over, or when nobody reads an output any more, its
 * places are stale, and at the end of the step the slots are told. */

#include <stdlib.h>

#include "actors/coordinator_self.h"

/* The book of a slot's shelf, made when the first payload is to be kept there; NULL: no memory, and
 * nothing is kept. */
static dw_ledger_t *s_need_ledger (dw_coordinator_t *self, uint32_t worker) {
    if (!self->ledgers)
        self->ledgers = calloc (self->places_count, sizeof *self->ledgers);
    if (!self->ledgers || self->ledgers[worker])
        return self->ledgers ? self->ledgers[worker] : NULL;
    dw_ledger_t *ledger = self->ledgers[worker] = calloc (1, sizeof *ledger);
    if (ledger)
        dw_ledger_next_task (ledger);
    return ledger;
}

static bool s_is_to_be_kept (const dw_coordinator_t *self, const dw_live_run_t *run,
                             uint32_t source, size_t size) {
    const dw_plan_t *plan = dw_coordinator_plan (self, run);
    bool is_shared = source != DW_RUN_INPUT ? plan->readers_count[source] > 1
                     : run->addition        ? plan->nodes_count > 1
                                            : self->input_is_shared;
    return is_shared && size > DW_WIRE_KEPT_MIN && size <= DW_WIRE_KEPT_MAX;
}

/* Tells a slot to drop what is nobody's, behind all that it was sent. One that cannot be reached
 * has said good-bye, or will be missed by its agent: that it was not told is no loss of what it is
 * at. */
static void s_tell_stale (dw_coordinator_t *self, dw_peer_t *peer, dw_ledger_t *ledger) {
    if (peer->packet)
        dw_peers_send (&self->peers, peer);
    dw_write_uint (&self->reply.head, DW_WIRE_DROP);
    for (uint32_t place; (place = dw_ledger_drop (ledger)) != DW_NONE;)
        dw_write_uint (&self->reply.head, place);
    dw_packet_send (&self->reply, self->peers.routers[peer->router], peer->id, peer->id_size);
}

static void s_shelve (dw_coordinator_t *self, dw_live_run_t *run, uint32_t worker,
                      uint32_t source) {
    size_t size;
    dw_slot_payload (dw_coordinator_source_slot (self, run, source), &size);
    dw_ledger_t *ledger = s_is_to_be_kept (self, run, source, size) ? s_need_ledger (self, worker)
                                                                    : NULL;
    if (ledger && dw_ledger_find (ledger, run->number, source) == DW_NONE &&
        dw_ledger_add (ledger, run->number, source, size) != DW_NONE)
        run->is_kept = true;
}

void dw_coordinator_shelve (dw_coordinator_t *self, const dw_command_t *command, dw_peer_t *peer) {
    dw_live_run_t *run = &self->runs[command->run];
    const dw_plan_t *plan = dw_coordinator_plan (self, run);
    uint32_t worker = command->worker, node = command->node;
    if (self->ledgers && self->ledgers[worker])
        dw_ledger_next_task (self->ledgers[worker]);
    s_shelve (self, run, worker, command->source);
    if (!(plan->flags[node] & DW_NODE_PAYLOAD_ONLY))
        for (uint32_t e = plan->dependencies_at[node]; e < plan->dependencies_at[node + 1]; e++)
            s_shelve (self, run, worker, plan->dependencies[e]);
    dw_ledger_t *ledger = self->ledgers ? self->ledgers[worker] : NULL;
    if (ledger && dw_ledger_is_full (ledger))
        s_tell_stale (self, peer, ledger);
}

void dw_coordinator_write_payload (dw_coordinator_t *self, dw_packet_t *packet, uint32_t worker,
                                   dw_live_run_t *run, uint32_t source) {
    size_t size;
    const dw_slot_t *slot = dw_coordinator_source_slot (self, run, source);
    const uint8_t *payload = dw_slot_payload (slot, &size);
    dw_ledger_t *ledger = self->ledgers ? self->ledgers[worker] : NULL;
    uint32_t place = ledger && payload && s_is_to_be_kept (self, run, source, size)
                         ? dw_ledger_find (ledger, run->number, source)
                         : DW_NONE;
    if (place != DW_NONE && !ledger->items[place].is_sent && dw_packet_frames_left (packet) == 0)
        place = DW_NONE; /* only a frame is kept: the next task that reads it brings it */
    if (!payload)
        dw_write_nil (&packet->head);
    else if (place == DW_NONE)
        dw_packet_add (packet, payload, size, dw_slot_frame (slot));
    else {
        bool is_sent = ledger->items[place].is_sent;
        dw_write_array (&packet->head, is_sent ? 1 : 2);
        if (!is_sent)
            dw_packet_add (packet, payload, size, dw_slot_frame (slot));
        dw_write_uint (&packet->head, place);
        ledger->items[place].is_sent = true;
    }
}

void dw_coordinator_forget_kept (dw_coordinator_t *self, const dw_live_run_t *run,
                                 uint32_t source) {
    if (!run->is_kept)
        return;
    for (uint32_t w = self->workers_count + 1; w < self->places_count; w++)
        if (self->ledgers[w])
            dw_ledger_forget (self->ledgers[w], run->number, source);
    self->has_stale = true;
}

void dw_coordinator_tell_stale (dw_coordinator_t *self) {
    if (!self->has_stale)
        return;
    self->has_stale = false;
    for (uint32_t w = self->workers_count + 1; w < self->places_count; w++) {
        dw_ledger_t *ledger = self->ledgers[w];
        if (ledger && ledger->stale_bytes && self->workers[w].peer != DW_PEER_NONE)
            s_tell_stale (self, &self->peers.items[self->workers[w].peer], ledger);
    }
}

void dw_coordinator_empty_shelf (dw_coordinator_t *self, uint32_t worker) {
    if (self->ledgers && self->ledgers[worker])
        memset (self->ledgers[worker], 0, sizeof *self->ledgers[worker]);
}

void dw_coordinator_free_ledgers (dw_coordinator_t *self) {
    for (uint32_t w = 0; self->ledgers && w < self->places_count; w++)
        free (self->ledgers[w]);
    free (self->ledgers);
}
