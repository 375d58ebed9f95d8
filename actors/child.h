/* child.h - what a slot's process and its parent say to each other, over the socket that is its
 * standard input.
 *
 * The parent says a head and an order, then a byte for each time that it asks what the slot is at;
 * closing the socket tells the child to end. The child answers, and says so when it leaves of
 * itself. Both are the same program, or built on the same library, on one machine. */

#ifndef DW_CHILD_H
#define DW_CHILD_H

#include "actors/squad.h"

#define DW_CHILD_MAGIC 0x746f6c73u /* "slot" */

/* What a child says. Whoever ends without a word of leaving has crashed. */
typedef enum dw_child_what_t {
    DW_CHILD_AT,   /* what its slot is at */
    DW_CHILD_LEFT, /* it ends: the coordinator told it to leave, or refused it */
    DW_CHILD_CUT,  /* it ends: its connection was cut */
} dw_child_what_t;

typedef struct dw_child_word_t {
    uint32_t what;       /* dw_child_what_t */
    dw_wire_slot_t slot; /* when DW_CHILD_AT */
} dw_child_word_t;

typedef struct dw_child_head_t {
    uint32_t magic;
    uint32_t number; /* of the slot */
    uint64_t size;   /* of the order that follows */
} dw_child_head_t;

/* Writes what all slots of a squad are told; numbers are not part of it. */
void dw_child_write_order (dw_writer_t *self, const dw_squad_options_t *options);
/* Reads it: options and keys point into what is read. False: it makes no sense. */
bool dw_child_read_order (dw_wire_reader_t *self, dw_squad_options_t *options, dw_link_keys_t *keys,
                          dw_traits_t **traits_p);

#endif
