/* shelf.h - payloads that a slot of a worker process was told to keep, by place.
 *
 * What several tasks read travels to a slot once. Which place holds what, and when a place is put
 * to another use, is decided by the coordinator alone (ledger.h); a slot does as it is told, within
 * limits of its own. */

#ifndef DW_SHELF_H
#define DW_SHELF_H

#include <stdbool.h>
#include <stdint.h>
#include <zmq.h>

#include "runtime/wire.h"

typedef struct dw_shelf_t {
    struct dw_shelf_item_t {
        zmq_msg_t frame;
        bool is_there;
        uint64_t task; /* that reads it */
    } * items;         /* by place; NULL: none yet */
    size_t bytes;
    uint64_t task; /* the one that is being read */
} dw_shelf_t;

/* The next task is read: what the one before reads may be put to another use. */
static inline void dw_shelf_next_task (dw_shelf_t *self) {
    self->task++;
}
/* Keeps another reference to frame in place of what is there. Its bytes stay where they are until
 * the next task is read. NULL: the task reads what is there, it would be more than a slot keeps, or
 * there is no memory. */
zmq_msg_t *dw_shelf_put (dw_shelf_t *self, uint32_t place, zmq_msg_t *frame);
/* What is there; NULL: nothing. */
zmq_msg_t *dw_shelf_get (dw_shelf_t *self, uint32_t place);
/* Between two tasks. */
void dw_shelf_drop (dw_shelf_t *self, uint32_t place);
void dw_shelf_free (dw_shelf_t *self);

#endif
