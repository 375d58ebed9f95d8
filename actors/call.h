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

#define DW_CALL_OUTPUT 1u /* an output was set, inside of the slot; nothing else has to be done */
#define DW_CALL_MORE   2u /* something was done that dw_call_end has to look at */
#define DW_CALL_SKIP   4u /* the branch was ended */
#define DW_CALL_ADD    8u /* a graph was added */

#define DW_CALL_SKIPPED \
    1000 /* what an attempt came to that ended its branch; codes of errors are below */
#define DW_CALL_ADDED 1001 /* ... or that added a graph: the slot has it, and its input */

struct dw_call_t {
    /* For the host's life. */
    const dw_plan_t *plan;
    dw_settings_t *const *settings;   /* by node */
    const uint8_t *token;             /* DW_WIRE_TOKEN_SIZE bytes: which system this is */
    bool (*is_cancelled) (void *arg); /* NULL: nobody can say */
    void *is_cancelled_arg;
    int cancelled_fd; /* readable when it is worth while to ask; -1: none */

    /* For one attempt. */
    uint64_t run;
    uint32_t node;
    unsigned attempt;
    uint32_t given_count; /* direct dependencies whose outputs are there */
    /* What it reads lies in slots, by node ... */
    const dw_slot_t *slots; /* NULL: it does not */
    const uint32_t *dependencies;
    uint32_t input;  /* the slot of the run's input */
    uint32_t source; /* the node whose output is the payload, or DW_RUN_INPUT */
    /* ... or here and there. */
    dw_view_t payload;
    zmq_msg_t *payload_frame; /* the message that payload lies in, for passing it on; or NULL */
    const dw_given_t *given;
    dw_slot_t *slot; /* where output, metadata and error go */
    unsigned did;    /* DW_CALL_... */

    /* Made when they are asked for. */
    dw_writer_t metadata; /* str, str, ... in the order set */
    uint32_t metadata_count;
    msgpack_zone *zone;
    dw_writer_t graph; /* that is added */
    int fail_code;     /* 0: dw_call_fail was not called */
    char *fail_message;
    char key[2 * DW_WIRE_TOKEN_SIZE + 40];
};

/* Gets ready for another attempt; slot must be empty. The fields for one attempt are the caller's
 * to fill in afterwards. */
static inline void dw_call_begin (dw_call_t *self, dw_slot_t *slot) {
    self->slot = slot;
    self->did = 0;
}

/* Whether an attempt for which process returned code has left nothing to do for dw_call_end, which
 * is what most small tasks come to. */
static inline bool dw_call_is_over (const dw_call_t *self, int code) {
    return code == 0 && self->did == DW_CALL_OUTPUT;
}
/* Ends an attempt for which process returned code: the slot then has the output and the metadata,
 * or the error, whose code is returned (0: done), or nothing (DW_CALL_SKIPPED). */
int dw_call_end (dw_call_t *self, int code);
/* How many nodes the graph may have at most that it adds. */
static inline uint32_t dw_call_added_nodes_max (const dw_call_t *self) {
    return self->plan->added_nodes_max;
}
/* Frees what a call has made for itself. */
void dw_call_free (dw_call_t *self);

#endif
