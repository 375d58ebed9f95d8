/* guest.h - the stage of a client under test: a coordinator of a graph of two nodes that lets it
 * in, takes what it submits, and answers what a case says. Every case begins with a new
 * connection. */

#ifndef DW_GUEST_H
#define DW_GUEST_H

#include "cli/conformance/case.h"
#include "cli/conformance/stage.h"

#define DW_GUEST_NODES   2u
#define DW_GUEST_RUNS    4096u
#define DW_GUEST_PAYLOAD (1u << 24) /* max_payload_bytes, as it is told */

typedef struct dw_guest_t {
    dw_stage_t stage;
    uint32_t end, again; /* its connection; another one by which a client said HELLO */
    uint32_t peer;
    bool has_identity;
    uint8_t uuid[DW_WIRE_UUID_SIZE];
    uint64_t incarnation;
    uint8_t session;                 /* the byte that its session is made of */
    bool is_mute;                    /* no BEAT is answered */
    uint32_t messages, together_max; /* with submissions; most of them in one */
    uint64_t runs[DW_GUEST_RUNS];    /* submitted, in their order */
    uint32_t runs_count, answered;
    uint32_t beats, byes, aborts, foreign; /* foreign: messages in the name of somebody else */
    char nonsense[96]; /* what was said that cannot be read or is not allowed; "": nothing */
} dw_guest_t;

/* How WELCOME is said. */
typedef struct dw_guest_welcome_t {
    uint32_t heartbeat_ms, silence_ms, runs_max;
    bool is_long, has_more;
    bool counts_beyond; /* more ids are announced than there are bytes */
    size_t cut_bytes;
} dw_guest_welcome_t;
#define DW_GUEST_WELCOME \
    { .heartbeat_ms = 200, .silence_ms = 2000, .runs_max = 64 }

/* A client that has said HELLO and waits for the answer. False: why says why not. */
bool dw_guest_greeted (dw_guest_t *self, char *why);
void dw_guest_welcome (dw_guest_t *self, const dw_guest_welcome_t *welcome);
/* The same for the one that has said HELLO, until it has submitted. False: why says why not. */
bool dw_guest_let_in (dw_guest_t *self, const dw_guest_welcome_t *welcome, char *why);
/* A client that was welcomed and has submitted. */
bool dw_guest_submitted (dw_guest_t *self, const dw_guest_welcome_t *welcome, char *why);

/* Takes in until deadline; false: nothing came. */
bool dw_guest_take (dw_guest_t *self, int64_t deadline_ns);
void dw_guest_watch (dw_guest_t *self, int64_t ms);
/* Answers every run that is submitted by a good result, until it has said BYE or is gone. False: it
 * is still there. */
bool dw_guest_finish (dw_guest_t *self, int64_t ms);
/* The same, judged: the client has what it waited for, and says so by leaving. */
dw_verdict_t dw_guest_expect_end (dw_guest_t *self, int64_t ms, char *seen);
/* As dw_guest_finish, without answers. */
bool dw_guest_await_gone (dw_guest_t *self, int64_t ms);

/* A RESULTS message, as it is put together. */
typedef struct dw_guest_result_t {
    uint64_t run;
    uint32_t status;
    uint8_t table[DW_GUEST_NODES * 32];
    size_t table_size;
    bool is_long, in_frames;
    const uint8_t *blob, *extras; /* NULL: nil */
    size_t blob_size, extras_size;
    uint32_t outputs_count; /* UINT32_MAX: nil */
    uint32_t outputs[4];
    size_t cut_bytes;
} dw_guest_result_t;
/* A good one of a run: both nodes are done, with a short text each. */
dw_guest_result_t dw_guest_result (uint64_t run);
void dw_guest_send_result (dw_guest_t *self, const dw_guest_result_t *result);

#endif
