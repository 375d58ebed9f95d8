/* kept.c - messages that were sent to a client elsewhere, until it has said that it has them. */

#include "actors/kept.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

dw_parcel_t *dw_parcel_new (dw_packet_t *packet) {
    size_t size = packet->head.count;
    dw_parcel_t *self = packet->head.no_memory
                            ? NULL
                            : malloc (sizeof *self +
                                      (1u + (size_t) packet->count) * sizeof *self->frames);
    if (self && zmq_msg_init_size (&self->frames[0], size)) {
        free (self);
        self = NULL;
    }
    if (self) {
        memcpy (zmq_msg_data (&self->frames[0]), packet->head.bytes, size);
        self->next = NULL;
        self->bytes = size;
        self->frames_count = 1 + packet->count;
        for (uint32_t i = 0; i < packet->count; i++) {
            self->bytes += zmq_msg_size (&packet->frames[i]);
            zmq_msg_init (&self->frames[1 + i]);
            zmq_msg_move (&self->frames[1 + i], &packet->frames[i]);
        }
    }
    dw_packet_clear (packet);
    return self;
}

void dw_parcel_destroy (dw_parcel_t **self_p) {
    dw_parcel_t *self = *self_p;
    if (!self)
        return;
    for (uint32_t i = 0; i < self->frames_count; i++)
        zmq_msg_close (&self->frames[i]);
    free (self);
    *self_p = NULL;
}

int dw_parcel_send (dw_parcel_t *self, void *socket, const void *id, size_t id_size) {
    return dw_message_send_copies (self->frames, self->frames_count, socket, id, id_size);
}

static void s_drop_first (dw_kept_t *self) {
    dw_parcel_t *parcel = self->first;
    self->first = parcel->next;
    if (!self->first)
        self->last = NULL;
    self->bytes -= parcel->bytes;
    self->count--;
    self->taken++;
    dw_parcel_destroy (&parcel);
}

void dw_kept_add (dw_kept_t *self, dw_parcel_t *parcel) {
    if (self->last)
        self->last->next = parcel;
    else
        self->first = parcel;
    self->last = parcel;
    self->bytes += parcel->bytes;
    self->count++;
    while (self->count > 1 && (self->bytes > self->bytes_max || self->count > self->count_max))
        s_drop_first (self);
}

void dw_kept_take (dw_kept_t *self, uint64_t taken) {
    while (self->count > 0 && self->taken < taken)
        s_drop_first (self);
}

int dw_kept_send (dw_kept_t *self, void *socket, const void *id, size_t id_size) {
    int err = DW_OK;
    self->taken = 0;
    for (dw_parcel_t *parcel = self->first; parcel && !err; parcel = parcel->next)
        err = dw_parcel_send (parcel, socket, id, id_size);
    return err;
}

void dw_kept_free (dw_kept_t *self) {
    while (self->count > 0)
        s_drop_first (self);
    assert (self->bytes == 0); /* every message was counted in and out */
}
