/* submitted.c - what a client asked for in one run, as it is sent. */

#include "actors/submitted.h"

#include <stdlib.h>

void dw_submitted_begin (const dw_submitted_t *self, dw_packet_t *packet, uint32_t peer,
                         uint64_t run) {
    static const uint32_t types[] = {DW_WIRE_SUBMIT, DW_WIRE_DETACH, DW_WIRE_CLAIM};
    if (packet->records == 0) {
        dw_write_uint (&packet->head, types[self->kind]);
        dw_write_uint (&packet->head, peer);
    }
    dw_write_uint (&packet->head, run);
}

void dw_submitted_end (const dw_submitted_t *self, dw_packet_t *packet) {
    dw_writer_t *head = &packet->head;
    dw_write_uint (head, self->deadline_ms);
    if (self->outputs_count == 0) {
        dw_write_nil (head);
        return;
    }
    dw_write_array (head, self->outputs_count);
    for (uint32_t i = 0; i < self->outputs_count; i++)
        dw_write_uint (head, self->outputs[i]);
}

void dw_submitted_write (dw_submitted_t *self, dw_packet_t *packet, uint32_t peer, uint64_t run) {
    dw_submitted_begin (self, packet, peer, run);
    packet->records++;
    if (self->kind == DW_SUBMITTED_CLAIM) {
        dw_write_bin (&packet->head, self->uuid, sizeof self->uuid);
        dw_write_uint (&packet->head, self->number);
        return;
    }
    dw_packet_add (packet, zmq_msg_data (&self->payload), zmq_msg_size (&self->payload),
                   &self->payload);
    dw_submitted_end (self, packet);
}

int dw_submitted_abort (dw_packet_t *packet, void *socket, uint32_t peer, uint64_t run,
                        uint32_t node) {
    dw_write_uint (&packet->head, DW_WIRE_ABORT);
    dw_write_uint (&packet->head, peer);
    dw_write_uint (&packet->head, run);
    if (node != DW_EVERY_NODE)
        dw_write_uint (&packet->head, node);
    return dw_packet_send (packet, socket, NULL, 0);
}

int dw_submitted_cancel (const dw_submitted_t *self, dw_packet_t *packet, void *socket,
                         uint32_t peer, uint64_t run) {
    int err = DW_OK;
    if (self->is_cancelled)
        return dw_submitted_abort (packet, socket, peer, run, DW_EVERY_NODE);
    for (uint32_t i = 0; i < self->cancelled_count && !err; i++)
        err = dw_submitted_abort (packet, socket, peer, run, self->cancelled[i]);
    return err;
}

bool dw_submitted_note_cancelled (dw_submitted_t *self, uint32_t node) {
    for (uint32_t i = 0; i < self->cancelled_count; i++)
        if (self->cancelled[i] == node)
            return true;
    uint32_t *nodes = realloc (self->cancelled, (self->cancelled_count + 1u) * sizeof *nodes);
    if (!nodes)
        return false;
    nodes[self->cancelled_count++] = node;
    self->cancelled = nodes;
    return true;
}

dw_submitted_t *dw_submitted_keep (dw_submitted_t *self) {
    dw_submitted_t *kept = malloc (sizeof *kept);
    if (!kept)
        return NULL;
    *kept = *self;
    zmq_msg_init (&kept->payload);
    zmq_msg_move (&kept->payload, &self->payload);
    self->outputs = NULL;
    return kept;
}

void dw_submitted_clear (dw_submitted_t *self) {
    zmq_msg_close (&self->payload);
    free (self->outputs);
    free (self->cancelled);
    self->outputs = self->cancelled = NULL;
    self->cancelled_count = 0;
}

void dw_submitted_destroy (dw_submitted_t **self_p) {
    dw_submitted_t *self = *self_p;
    if (!self)
        return;
    dw_submitted_clear (self);
    free (self);
    *self_p = NULL;
}
