/* slot.h - what one node of one run has come to: 32 bytes, with small payloads inside.
 *
 * The table of a run's slots is what its client gets as the result, without a copy. In memory a
 * slot whose payload is larger than DW_SLOT_BYTES owns memory for it, up to DW_SLOT_OUTSIDE_MAX that
 * alone; one with a larger payload, metadata or an error owns a dw_extra_t. Before the table
 * travels every such slot is turned into one that says where in the message its payload is: no
 * pointer ever travels. */

#ifndef DW_SLOT_H
#define DW_SLOT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <zmq.h>

#if __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "slots travel as they lie in memory, little-endian: this machine needs a conversion"
#endif

#define DW_SLOT_BYTES       20u
#define DW_SLOT_OUTSIDE_MAX 512u /* more is shared by reference, so that it is a message */

typedef enum dw_slot_form_t {
    DW_SLOT_NONE, /* no payload */
    DW_SLOT_BYTES_INSIDE,
    DW_SLOT_EXTRA,         /* bytes hold a pointer to a dw_extra_t; never travels */
    DW_SLOT_BLOB,          /* place is an offset in the message's blob */
    DW_SLOT_FRAME,         /* place is a frame of the message, from 1 */
    DW_SLOT_BYTES_OUTSIDE, /* bytes hold a pointer to the payload, of malloc; never travels */
} dw_slot_form_t;

/* As it travels, numbers little-endian: status u8, form u8, attempts u16, duration u32, size u32,
 * then the payload or its place as u32. */
typedef struct dw_slot_t {
    uint8_t status; /* dw_node_status_t */
    uint8_t form;   /* dw_slot_form_t */
    uint16_t attempts;
    uint32_t duration_us;
    uint32_t size; /* of the payload, bytes */
    uint8_t bytes[DW_SLOT_BYTES];
} dw_slot_t;

_Static_assert(sizeof (dw_slot_t) == 32, "a slot travels as 32 bytes");

typedef struct dw_extra_t {
    zmq_msg_t payload; /* always initialised; large payloads are shared by reference */
    bool has_payload;
    uint8_t *metadata; /* a msgpack map of str to str; NULL: none */
    size_t metadata_size;
    uint16_t code; /* of an error; 0: none */
    char *message;
    size_t message_size;
    uint8_t *graph; /* that it adds (runtime/pack.h); NULL: none */
    size_t graph_size;
    uint32_t added_nodes, added_depth; /* of a node that added some, what came of it */
} dw_extra_t;

static inline dw_extra_t *dw_slot_extra (const dw_slot_t *self) {
    dw_extra_t *extra = NULL;
    if (self->form == DW_SLOT_EXTRA)
        memcpy (&extra, self->bytes, sizeof extra);
    return extra;
}

static inline uint8_t *dw_slot_outside (const dw_slot_t *self) {
    uint8_t *bytes = NULL;
    if (self->form == DW_SLOT_BYTES_OUTSIDE)
        memcpy (&bytes, self->bytes, sizeof bytes);
    return bytes;
}
/* Whether it owns anything: then it is to be cleared, and has one owner. */
static inline bool dw_slot_owns (const dw_slot_t *self) {
    return self->form == DW_SLOT_EXTRA || self->form == DW_SLOT_BYTES_OUTSIDE;
}

/* The slot's extra, made when it has none; NULL when there is no memory. A payload without a
 * message is moved into one. */
dw_extra_t *dw_slot_need_extra (dw_slot_t *self);
/* Frees what the slot owns; it is then all zeros. */
void dw_slot_clear (dw_slot_t *self);
/* Drops the payload, keeps metadata and error. */
void dw_slot_drop_payload (dw_slot_t *self);
/* The payload where it lies; NULL when there is none. */
const uint8_t *dw_slot_payload (const dw_slot_t *self, size_t *size_p);
/* The message that holds the payload, to be shared by reference; NULL when there is none. */
zmq_msg_t *dw_slot_frame (const dw_slot_t *self);
/* Makes room for a payload of size bytes in place of the one there is; NULL: no memory. */
uint8_t *dw_slot_reserve_outside (dw_slot_t *self, size_t size);
static inline uint8_t *dw_slot_reserve (dw_slot_t *self, size_t size) {
    if (size > DW_SLOT_BYTES || dw_slot_owns (self))
        return dw_slot_reserve_outside (self, size);
    self->form = DW_SLOT_BYTES_INSIDE;
    self->size = (uint32_t) size;
    return self->bytes;
}
/* Takes another reference to a message as the payload. False: no memory, or it has 4 GiB or
 * more. */
bool dw_slot_share (dw_slot_t *self, zmq_msg_t *message);
/* Sets the error, whose text is copied. False: no memory; the code is lost too. */
bool dw_slot_set_error (dw_slot_t *self, uint16_t code, const char *message, size_t size);
/* Sets the graph that is added, which is the slot's from now on, of malloc. False: no memory. */
bool dw_slot_give_graph (dw_slot_t *self, uint8_t *graph, size_t size);
/* Sets the metadata, copied. */
bool dw_slot_set_metadata (dw_slot_t *self, const void *metadata, size_t size);

#endif
