/* submitted.h - what a client asked for in one run, as it is sent: again, when its connection was
 * cut. */

#ifndef DW_SUBMITTED_H
#define DW_SUBMITTED_H

#include "actors/message.h"

#define DW_EVERY_NODE UINT32_MAX /* of a run that is cancelled: all of it */

/* What is asked for by a message of its own. */
typedef enum dw_submitted_kind_t {
    DW_SUBMITTED_RUN,
    DW_SUBMITTED_DETACHED,
    DW_SUBMITTED_CLAIM
} dw_submitted_kind_t;

typedef struct dw_submitted_t {
    dw_submitted_kind_t kind;
    uint8_t uuid[DW_WIRE_UUID_SIZE]; /* of a claim: the name of the run */
    uint64_t number;
    bool is_accepted; /* the coordinator has said so of a claim */
    zmq_msg_t payload;
    uint32_t deadline_ms; /* 0: none */
    uint32_t *outputs;    /* ranks; NULL: every node */
    uint32_t outputs_count;
    bool is_cancelled; /* its client has asked for that, */
    /* or for the end of these nodes and of all that depends on them, each once */
    uint32_t *cancelled;
    uint32_t cancelled_count;
} dw_submitted_t;

/* Appends to packet, whose records are all of its kind, that peer asks for it as this run. The
 * first begins a message. */
void dw_submitted_write (dw_submitted_t *self, dw_packet_t *packet, uint32_t peer, uint64_t run);
/* The same in two parts, between which the caller adds the payload. */
void dw_submitted_begin (const dw_submitted_t *self, dw_packet_t *packet, uint32_t peer,
                         uint64_t run);
void dw_submitted_end (const dw_submitted_t *self, dw_packet_t *packet);
/* Asks for the end of what its client has asked to cancel, in messages of their own. Errors: of
 * dw_packet_send. */
int dw_submitted_cancel (const dw_submitted_t *self, dw_packet_t *packet, void *socket,
                         uint32_t peer, uint64_t run);
/* ABORT of one run, or of one of its nodes (DW_EVERY_NODE: of the run). */
int dw_submitted_abort (dw_packet_t *packet, void *socket, uint32_t peer, uint64_t run,
                        uint32_t node);
/* Notes that node is cancelled. False: no memory. */
bool dw_submitted_note_cancelled (dw_submitted_t *self, uint32_t node);
/* A copy by reference that owns all that self had; NULL: no memory, and self is as it was. */
dw_submitted_t *dw_submitted_keep (dw_submitted_t *self);
/* Frees what is in it. */
void dw_submitted_clear (dw_submitted_t *self);
void dw_submitted_destroy (dw_submitted_t **self_p);

#endif
