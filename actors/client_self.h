/* client_self.h - a client from the inside: its state, and what its files give each other.
 *
 *     client.c         made, connected, asked for results, gone
 *     client_inbox.c   what comes in, and the waiting for it
 *     client_submit.c  what is asked for: runs, detached ones, and their end
 *     remote.c         the connection to a system in another process
 *
 * One thread. */

#ifndef DW_CLIENT_SELF_H
#define DW_CLIENT_SELF_H

#include "actors/flights.h"
#include "actors/remote.h"
#include "actors/result.h"
#include "actors/submitted.h"

#define DW_CLIENT_LATE_MAX \
    8u /* messages taken in when time is over, besides one for each run in flight */

struct dw_client_t {
    void *socket; /* NULL: it is of a system elsewhere, and away */
    uint32_t peer;
    dw_remote_t *remote; /* of a system in another process; NULL: it is in this one */
    uint32_t runs_max;
    uint64_t max_payload_bytes;
    dw_roster_t *names;
    uint64_t run;         /* the number given last */
    dw_flights_t flights; /* runs in flight; of a system elsewhere each with what was asked for */
    dw_result_t *first, **last; /* results that nobody has taken */
    dw_packet_t packet;
    dw_packet_t gathered; /* SUBMIT being put together; records: submissions in it */
    bool is_trusted;      /* its coordinator is in this process */
    int gone; /* the system is: DW_ECLOSED, or DW_ELOST; its key was taken off: DW_EKEY; submissions
                 were lost: DW_ENOMEM */
    void (*notice) (void *arg, const char *line); /* or NULL */
    void *notice_arg;
    /* a message was refused, or lost, which the next call that waits says, whoever took it in; 0:
     * none was */
    int unsaid;
};

/* How long a call waits. When its time is over what is there is still taken in, but not what a
 * coordinator goes on sending that ends no run. */
typedef struct dw_client_patience_t {
    int64_t deadline_ns; /* INT64_MAX: for ever */
    size_t late_left;
} dw_client_patience_t;

/* Whether it can be sent anything: a system elsewhere may be away. */
static inline bool dw_client_is_tied (const dw_client_t *self) {
    return !self->remote || self->remote->state == DW_REMOTE_TIED;
}

/* Sends the submissions that wait for others. Where that fails their runs are lost, and nobody can
 * be told which: so is the client. A system elsewhere that is away is sent them when it is there
 * again. */
int dw_client_send_gathered (dw_client_t *self);
/* A run is not in flight any more. */
void dw_client_land (dw_client_t *self, uint64_t run);
/* Takes in one message, if one is there; what is wrong with it is unsaid. Errors: DW_EAGAIN none is
 * there; the client is gone, as that says. */
int dw_client_take_in (dw_client_t *self, dw_error_t *error);
dw_client_patience_t dw_client_patience (const dw_client_t *self, int timeout_ms);
/* Nothing has come: looks whether a coordinator elsewhere is there, and connects anew when it is
 * not. *until_ns becomes when to look again. Errors: DW_ELOST. */
int dw_client_look_after (dw_client_t *self, int64_t now_ns, int64_t *until_ns);
/* Takes in at least one message, or waits for one until its time is over, then DW_ETIMEDOUT; or
 * until it is told to stop, which its remote may heed, then DW_ECLOSED. */
int dw_client_await (dw_client_t *self, dw_client_patience_t *patience, dw_error_t *error);
void dw_client_ask_for_status (dw_client_t *self);

#endif
