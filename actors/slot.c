/* slot.c - what one node of one run has come to. */

#include "actors/slot.h"

#include <stdlib.h>

dw_extra_t *dw_slot_need_extra (dw_slot_t *self) {
    dw_extra_t *extra = dw_slot_extra (self);
    if (extra)
        return extra;
    extra = calloc (1, sizeof *extra);
    if (!extra)
        return NULL;
    size_t size;
    const uint8_t *payload = dw_slot_payload (self, &size);
    if (payload) {
        if (zmq_msg_init_size (&extra->payload, size)) {
            free (extra);
            return NULL;
        }
        memcpy (zmq_msg_data (&extra->payload), payload, size);
        extra->has_payload = true;
        free (dw_slot_outside (self));
    } else
        zmq_msg_init (&extra->payload);
    self->form = DW_SLOT_EXTRA;
    memcpy (self->bytes, &extra, sizeof extra);
    return extra;
}

void dw_slot_clear (dw_slot_t *self) {
    dw_extra_t *extra = dw_slot_extra (self);
    free (dw_slot_outside (self));
    if (extra) {
        zmq_msg_close (&extra->payload);
        free (extra->metadata);
        free (extra->message);
        free (extra->graph);
        free (extra);
    }
    memset (self, 0, sizeof *self); /* it travels whole: nothing stays of what was in it */
}

void dw_slot_drop_payload (dw_slot_t *self) {
    dw_extra_t *extra = dw_slot_extra (self);
    self->size = 0;
    if (!extra) {
        if (self->form == DW_SLOT_BYTES_OUTSIDE) { /* no pointer travels behind a smaller payload */
            free (dw_slot_outside (self));
            memset (self->bytes, 0, sizeof self->bytes);
        }
        self->form = DW_SLOT_NONE;
        return;
    }
    zmq_msg_close (&extra->payload);
    zmq_msg_init (&extra->payload);
    extra->has_payload = false;
}

const uint8_t *dw_slot_payload (const dw_slot_t *self, size_t *size_p) {
    dw_extra_t *extra = dw_slot_extra (self);
    *size_p = self->size;
    if (extra && extra->has_payload)
        return zmq_msg_data (&extra->payload);
    if (self->form == DW_SLOT_BYTES_INSIDE)
        return self->bytes;
    if (self->form == DW_SLOT_BYTES_OUTSIDE)
        return dw_slot_outside (self);
    *size_p = 0;
    return NULL;
}

zmq_msg_t *dw_slot_frame (const dw_slot_t *self) {
    dw_extra_t *extra = dw_slot_extra (self);
    return extra && extra->has_payload ? &extra->payload : NULL;
}

static uint8_t *s_reserve_bytes (dw_slot_t *self, size_t size) {
    uint8_t *bytes = malloc (size);
    if (!bytes)
        return NULL;
    self->form = DW_SLOT_BYTES_OUTSIDE;
    self->size = (uint32_t) size;
    memcpy (self->bytes, &bytes, sizeof bytes);
    return bytes;
}

uint8_t *dw_slot_reserve_outside (dw_slot_t *self, size_t size) {
    if (size > UINT32_MAX)
        return NULL;
    dw_slot_drop_payload (self);
    if (self->form == DW_SLOT_NONE && size <= DW_SLOT_BYTES)
        return dw_slot_reserve (self, size);
    if (self->form == DW_SLOT_NONE && size <= DW_SLOT_OUTSIDE_MAX)
        return s_reserve_bytes (self, size);
    dw_extra_t *extra = dw_slot_need_extra (self);
    if (!extra)
        return NULL;
    if (zmq_msg_init_size (&extra->payload, size)) {
        zmq_msg_init (&extra->payload);
        return NULL;
    }
    extra->has_payload = true;
    self->size = (uint32_t) size;
    return zmq_msg_data (&extra->payload);
}

bool dw_slot_share (dw_slot_t *self, zmq_msg_t *message) {
    if (zmq_msg_size (message) > UINT32_MAX)
        return false;
    dw_slot_drop_payload (self);
    dw_extra_t *extra = dw_slot_need_extra (self);
    if (!extra || zmq_msg_copy (&extra->payload, message))
        return false;
    extra->has_payload = true;
    self->size = (uint32_t) zmq_msg_size (message);
    return true;
}

bool dw_slot_set_error (dw_slot_t *self, uint16_t code, const char *message, size_t size) {
    dw_extra_t *extra = dw_slot_need_extra (self);
    char *copy = extra ? malloc (size + 1) : NULL;
    if (!copy)
        return false;
    memcpy (copy, message, size);
    copy[size] = '\0';
    free (extra->message);
    extra->message = copy;
    extra->message_size = size;
    extra->code = code;
    return true;
}

bool dw_slot_give_graph (dw_slot_t *self, uint8_t *graph, size_t size) {
    dw_extra_t *extra = dw_slot_need_extra (self);
    if (!extra)
        return false;
    free (extra->graph);
    extra->graph = graph;
    extra->graph_size = size;
    return true;
}

bool dw_slot_set_metadata (dw_slot_t *self, const void *metadata, size_t size) {
    dw_extra_t *extra = dw_slot_need_extra (self);
    uint8_t *copy = extra ? malloc (size ? size : 1) : NULL;
    if (!copy)
        return false;
    memcpy (copy, metadata, size);
    free (extra->metadata);
    extra->metadata = copy;
    extra->metadata_size = size;
    return true;
}
