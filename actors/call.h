/* call.h - one attempt to run one node: what dagwood_processor.h shows of it, from the inside.
 *
 * A call belongs to the host that makes it and is used for one task after another. */

#ifndef DW_CALL_H
#define DW_CALL_H

#include <msgpack.h>

#include "actors/slot.h"
#include "dagwood_processor.h"
#include "runtime/core/plan.h"
#include "runtime/wire.h"

typedef struct dw_view_t {
    const uint8_t *bytes; /* NULL: none */
    size_t size;
} dw_view_t;

/* What a direct dependency gives. */
typedef struct dw_given_t {
    dw_view_t payload;
    dw_view_t metadata; /* a msgpack map of str to str */
} dw_given_t;

struct dw_call_t {
    /* For the host's life. */
    const dw_plan_t *plan;
    const uint8_t *token;             /* DW_WIRE_TOKEN_SIZE bytes: which system this is */
    bool (*is_cancelled) (void *arg); /* NULL: nobody can say */
    void *is_cancelled_arg;

    /* For one attempt. */
    const dw_settings_t *settings;
    uint64_t run;
    uint32_t node;
    unsigned attempt;
    dw_view_t payload;
    zmq_msg_t *payload_frame; /* the message that payload lies in, for passing it on; or NULL */
    const dw_given_t *given;  /* one for each direct dependency; NULL: not sent */
    uint32_t given_count;
    dw_slot_t *slot; /* where output, metadata and error go */
    bool has_output;

    /* Made when they are asked for. */
    dw_writer_t metadata; /* str, str, ... in the order set */
    uint32_t metadata_count;
    msgpack_zone *zone;
    int fail_code; /* 0: dw_call_fail was not called */
    char *fail_message;
    char key[2 * DW_WIRE_TOKEN_SIZE + 40];
};

/* Gets ready for another attempt; slot must be empty. The fields for one attempt are the caller's
 * to fill in afterwards. */
static inline void dw_call_begin (dw_call_t *self, dw_slot_t *slot) {
    self->slot = slot;
    self->has_output = false;
    self->metadata_count = 0;
    self->fail_code = 0;
}

/* Ends an attempt for which process returned code: the slot then has the output and the metadata, or
 * the error, whose code is returned (0: done). */
int dw_call_end (dw_call_t *self, int code);
/* Frees what a call has made for itself. */
void dw_call_free (dw_call_t *self);

#endif
