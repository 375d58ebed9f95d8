/* remote.h - what a client of a system in another process has besides: its connection, and how that
 * is made again.
 *
 *                        +------ WELCOME ---------------------------------------+
 *                        v                                                      |
 *     (new) -- WELCOME -> tied -- cut, or silent --> away -- backoff, HELLO --> greeting
 *                                                     ^ |                       |
 *                                                     | +- reconnect_ms: lost   |
 *                                                     +---- cut, no answer -----+
 *
 * Nothing here waits: dw_remote_look does what is due, and says when to look again. One thread. */

#ifndef DW_REMOTE_H
#define DW_REMOTE_H

#include "actors/link.h"
#include "actors/message.h"
#include "actors/status.h"

typedef enum dw_remote_state_t {
    DW_REMOTE_NEW, /* its first connection has a deadline of its own */
    DW_REMOTE_TIED,
    DW_REMOTE_AWAY,
    DW_REMOTE_GREETING,
} dw_remote_state_t;

typedef struct dw_remote_t {
    void *context;
    char *endpoint;
    dw_link_keys_t keys;
    int timeout_ms, reconnect_ms;
    dw_link_stop_t stop; /* of its first connection, and while heeds_stop is set */
    bool heeds_stop;
    uint8_t uuid[DW_WIRE_UUID_SIZE]; /* which client it is; known to it and its coordinator alone */
    uint64_t incarnation;
    uint8_t session[DW_WIRE_UUID_SIZE]; /* as WELCOME said: another one knows nothing of its runs */
    dw_link_t link;                     /* without a socket while it is away */
    dw_remote_state_t state;
    bool is_cut;        /* seen: what had come before is taken in first */
    bool has_news;      /* the monitor has */
    int64_t monitor_ns; /* when to look at it though it has not */
    int64_t due_ns;     /* away: when to try; greeting: until when to wait */
    int64_t give_up_ns; /* when it is lost */
    int64_t backoff_ns;

    int64_t heartbeat_ns, silence_ns;
    int64_t heard_ns; /* when something came last */
    /* when the coordinator was asked whether it is there; 0: it has said something since */
    int64_t asked_ns;
    int64_t look_ns; /* when to look next */

    uint64_t taken,
        told; /* messages with results that came by this connection; of which it was told */
    uint64_t taken_bytes; /* since then */

    char name[256];      /* of its graph */
    dw_status_t *status; /* that came, and nobody has taken */
    bool wants_status;
} dw_remote_t;

/* Makes it and finds its graph. Errors: DW_EKEY, DW_EINVAL, DW_ELIMIT, DW_ENOMEM, DW_ECLOSED; it
 * can be freed all the same. */
int dw_remote_open (dw_remote_t *self, const dw_connect_options_t *options, dw_error_t *error);
/* Says HELLO as a later incarnation. Errors: as dw_packet_send. */
int dw_remote_say_hello (dw_remote_t *self, dw_packet_t *packet);
/* Its HELLO was answered by the system that it knows, or by the first one. */
void dw_remote_tie (dw_remote_t *self);
/* It was told to try again later. */
void dw_remote_retry (dw_remote_t *self, int64_t now_ns);
void dw_remote_note_heard (dw_remote_t *self);
/* Nothing has come that was not taken in: looks whether the coordinator is there, for which it is
 * asked (by packet, as peer), and connects anew when it is not. *until_ns becomes earlier when
 * something is to be done before.
 * Errors: DW_ELOST. */
int dw_remote_look (dw_remote_t *self, dw_packet_t *packet, uint32_t peer, int64_t now_ns,
                    int64_t *until_ns);
/* Waits for a message, or for the connection to be cut, until then (INT64_MAX: for ever). False: it
 * heeds stop, and was. */
bool dw_remote_wait (dw_remote_t *self, int64_t now_ns, int64_t until_ns);
/* A message with results was taken in: tells now and then, so that they need not be kept. */
void dw_remote_count (dw_remote_t *self, const dw_message_t *message, dw_packet_t *packet,
                      uint32_t peer);
void dw_remote_destroy (dw_remote_t **self_p);

#endif
