/* slots.h - the slots of workers that are simulated, and the messages to and from them on their
 * way.
 *
 * A slot runs its tasks one after another, each with a time of its own (a tenth more or less than
 * the mean), and tells of those that are done when it has no more, or when its last answer is 50 us
 * old. Every message travels as long. Time is the caller's: nothing happens but what he lets
 * happen. */

#ifndef DW_SLOTS_H
#define DW_SLOTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What a message that is under way brings. */
typedef enum dw_item_type_t {
    DW_ITEM_TASK,     /* to a slot: a task, */
    DW_ITEM_CANCEL,   /* or that one is nobody's any more */
    DW_ITEM_DONE,     /* from a slot: it is done, */
    DW_ITEM_RETURNED, /* or not begun, and not going to be */
} dw_item_type_t;

typedef struct dw_item_t {
    int64_t at_ns; /* when it arrives; of a slot's task when it is done */
    uint64_t ticket;
    uint32_t slot;
    uint32_t duration_ns; /* of what is done */
    uint32_t mark;        /* the caller's, of a task, and of its answer */
    uint8_t type;         /* dw_item_type_t */
} dw_item_t;

/* Items in the order of their times: as every message travels as long, in that of their sending. */
typedef struct dw_line_t {
    dw_item_t *items; /* a ring */
    size_t first, next, size;
} dw_line_t;

typedef struct dw_simulated_slot_t {
    /* what it was sent and has not begun; a cancellation when that was taken back */
    dw_line_t waiting;
    dw_line_t untold; /* answers that it has not sent */
    bool is_busy;
    dw_item_t task; /* that it is at */
    int64_t told_ns;
} dw_simulated_slot_t;

typedef struct dw_slots_t {
    dw_simulated_slot_t *items;
    uint32_t count;
    uint64_t task_us; /* in the mean */
    int64_t latency_ns;
    dw_item_t *busy; /* a heap: what slots are at, the first to be done in front */
    size_t busy_count;
    dw_line_t to_slots, from_slots;
    double busy_ns; /* of all slots, with what they are at to its end */
    bool no_memory;
} dw_slots_t;

/* Errors: DW_ENOMEM. */
int dw_slots_init (dw_slots_t *self, uint32_t count, uint64_t task_us, int64_t latency_ns);
/* Frees what it grew, but not the slots themselves: nothing may be on its way. */
void dw_slots_shrink (dw_slots_t *self);
void dw_slots_free (dw_slots_t *self);

/* Sends an item, whose at_ns is the time of its sending. */
void dw_slots_send (dw_slots_t *self, dw_item_t item);
/* When something happens to a slot next; INT64_MAX: nothing does. */
int64_t dw_slots_next_ns (const dw_slots_t *self);
/* Lets the next thing happen. */
void dw_slots_happen (dw_slots_t *self);
/* The next answer that arrives, with the time at which it does, which dw_slots_take takes; NULL:
 * none is on its way. */
const dw_item_t *dw_slots_answer (const dw_slots_t *self);
void dw_slots_take (dw_slots_t *self);
/* What of busy_ns is still to come at a time. */
double dw_slots_left_ns (const dw_slots_t *self, int64_t now_ns);

#endif
