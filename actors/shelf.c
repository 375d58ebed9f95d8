/* shelf.c - payloads that a slot of a worker process was told to keep. */

#include "actors/shelf.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

zmq_msg_t *dw_shelf_put (dw_shelf_t *self, uint32_t place, zmq_msg_t *frame) {
    size_t size = zmq_msg_size (frame);
    assert (place < DW_WIRE_PLACES);
    if (!self->items)
        self->items = calloc (DW_WIRE_PLACES, sizeof *self->items);
    struct dw_shelf_item_t *item = self->items ? &self->items[place] : NULL;
    if (!item || (item->is_there && item->task == self->task))
        return NULL;
    dw_shelf_drop (self, place);
    if (size > DW_WIRE_KEPT_MAX - self->bytes)
        return NULL;
    zmq_msg_init (&item->frame);
    if (zmq_msg_copy (&item->frame, frame))
        return NULL;
    item->is_there = true;
    item->task = self->task;
    self->bytes += size;
    return &item->frame;
}

zmq_msg_t *dw_shelf_get (dw_shelf_t *self, uint32_t place) {
    assert (place < DW_WIRE_PLACES);
    if (!self->items || !self->items[place].is_there)
        return NULL;
    self->items[place].task = self->task;
    return &self->items[place].frame;
}

void dw_shelf_drop (dw_shelf_t *self, uint32_t place) {
    assert (place < DW_WIRE_PLACES);
    if (!self->items || !self->items[place].is_there)
        return;
    self->bytes -= zmq_msg_size (&self->items[place].frame);
    zmq_msg_close (&self->items[place].frame);
    self->items[place].is_there = false;
}

void dw_shelf_free (dw_shelf_t *self) {
    for (uint32_t place = 0; self->items && place < DW_WIRE_PLACES; place++)
        dw_shelf_drop (self, place);
    free (self->items);
    memset (self, 0, sizeof *self);
}
