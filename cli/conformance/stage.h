/* stage.h - where a worker or a client under test comes to: a coordinator's socket, behind which a
 * case says what it likes.
 *
 * It knows connections (ends) by their routing ids, answers WHERE, and keeps what each end said in
 * HELLO. What else is said it gives to its caller, one message at a time, within a time. Nothing
 * that comes in is believed: it is read by the readers of runtime/wire.h, a message has at most
 * DW_STAGE_BYTES_MAX, and there are at most DW_STAGE_ENDS ends. */

#ifndef DW_STAGE_H
#define DW_STAGE_H

#include "actors/keyring.h"
#include "actors/message.h"
#include "actors/zap.h"
#include "cli/conformance/subject.h"
#include "cli/signals.h"

#define DW_STAGE_ENDS      256u
#define DW_STAGE_BYTES_MAX ((int64_t) 64 << 20)
#define DW_STAGE_ENDPOINT  256
#define DW_STAGE_NONE      UINT32_MAX

/* A connection by which HELLO was said. */
typedef struct dw_end_t {
    uint8_t id[256]; /* its routing id */
    size_t id_size;
    bool has_greeted;      /* has said HELLO */
    bool is_hello;         /* which was one: */
    dw_wire_hello_t hello; /* its token is below */
    uint8_t token[DW_WIRE_TOKEN_SIZE];
    size_t token_size;
    uint32_t messages_count; /* behind HELLO */
    bool has_left;           /* has said BYE */
} dw_end_t;

typedef struct dw_stage_t {
    void *context, *router;
    dw_zap_t *zap;
    dw_keyring_t keyring;
    const char *keys; /* the folder; NULL: none. Borrowed */
    char endpoint[DW_STAGE_ENDPOINT];
    dw_subject_t subject;
    dw_wall_clock_t wall_clock; /* that the subject may be given */
    dw_signals_t signals;
    int interrupted; /* the number of a signal that came; from then on nothing is waited for */
    int wait_ms;     /* for a peer to come */
    bool is_idle;    /* nobody came within that: it is not waited for again */
    bool is_deaf;    /* it could not listen again when it was renewed */
    int status; /* an exit status: what could not be done anew, so that no case can be played; 0 */
    dw_end_t ends[DW_STAGE_ENDS];
    uint32_t ends_count;
    dw_writer_t greeting; /* the head of the last HELLO of an agent or a client */

    /* The message that came last. */
    dw_message_t in;
    dw_wire_reader_t reader; /* behind its type */
    uint32_t type, from;     /* DW_WIRE_TYPES: no type; which end */
    dw_packet_t out;         /* the next one, empty after it was sent */
} dw_stage_t;

/* Listens; where it does is in endpoint. Returns an exit status, and says what failed. */
int dw_stage_open (dw_stage_t *self, const char *endpoint, const char *keys);
void dw_stage_close (dw_stage_t *self);

/* Cuts every connection, forgets the ends, and listens at the same place anew; a subject that is
 * ours is ended and started. Returns an exit status. */
int dw_stage_renew (dw_stage_t *self);
/* The same for a case in which a peer, a "worker" or a "client", is to come. False: none comes any
 * more, or it failed; why, of DW_SEEN_BYTES, says so. */
bool dw_stage_prepare (dw_stage_t *self, const char *peer, char *why);
/* From now on a subject is started with a wall clock of its own, which a case sets. False: it cannot
 * be; why says why not. */
bool dw_stage_lend_clock (dw_stage_t *self, char *why);
/* Whether the one that has come looks at that clock. */
bool dw_stage_has_clock (const dw_stage_t *self, char *why);
/* Says of the reason why a peer did not come that it had such a clock, which may be the reason. */
void dw_stage_blame_clock (char *why);
/* Ends the subject; the next one looks at the system's clock. */
void dw_stage_take_clock (dw_stage_t *self);
/* As dw_stage_renew, and leaves the subject as it is: as if the coordinator had gone and come again. */
int dw_stage_cut (dw_stage_t *self);

/* Takes in the next message; false: none until deadline_ns, or a signal came. */
bool dw_stage_receive (dw_stage_t *self, int64_t deadline_ns);
/* The same for who waits for a peer to come: where its command has ended, what it said last is
 * taken in, and no more waited for. */
bool dw_stage_await (dw_stage_t *self, int64_t deadline_ns);
/* Sends out to an end. Errors: as dw_packet_send; DW_ENOENT its connection is gone. */
int dw_stage_send (dw_stage_t *self, uint32_t end);
/* The same with the bytes as a message's head. */
int dw_stage_send_bytes (dw_stage_t *self, uint32_t end, const void *bytes, size_t size);
/* Sends a type alone; REFUSED with a code, and run. */
int dw_stage_say (dw_stage_t *self, uint32_t end, dw_wire_type_t type);
int dw_stage_refuse (dw_stage_t *self, uint32_t end, uint32_t code, uint64_t run);
/* Whether the connection of an end is gone, or it has said BYE. It is sent BEAT to know. */
bool dw_stage_is_gone (dw_stage_t *self, uint32_t end);

/* Milliseconds from now, as a deadline. */
int64_t dw_stage_in (int64_t ms);

/* Writes an integer in the longest form there is, which a reader takes too. */
void dw_stage_write_long (dw_writer_t *writer, uint64_t value);

#endif
