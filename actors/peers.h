/* peers.h - who talks to the coordinator, and its sockets.
 *
 * A peer is known from its HELLO on, by the number that WELCOME gave it and that every later
 * message of it begins with; a number that does not fit the routing id it came by is nobody's. */

#ifndef DW_PEERS_H
#define DW_PEERS_H

#include "actors/door.h"
#include "actors/kept.h"
#include "actors/keys.h"
#include "actors/message.h"

#define DW_ROUTERS_MAX  3u
#define DW_PEER_NONE    UINT32_MAX
#define DW_SPARES_MAX   64u /* packets that are kept for the next who needs one */
#define DW_ARRIVALS_MAX 16u /* messages that are received before the first of them is read */

/* What only clients have. */
typedef struct dw_peer_client_t {
    uint8_t key[DW_KEY_SIZE]; /* by which it was let in; zeros: none */
    int64_t probed_ns;        /* when it was last sent a message to see if it is there */
    dw_kept_t *kept;          /* where what is sent with records is kept; NULL: it is not */
} dw_peer_client_t;

/* There are as many as slots, so what is not of all of them is elsewhere. */
typedef struct dw_peer_t {
    uint8_t id[8]; /* the routing id that ZeroMQ chose */
    uint8_t id_size;
    uint8_t router;    /* which of the sockets */
    uint8_t role;      /* dw_wire_role_t; 0: the place is free */
    bool is_dirty : 1; /* packet has records to be sent */
    /* it could not be sent what it should have been: its connection is gone */
    bool is_unreachable : 1;
    bool is_dismissed : 1; /* a worker that was given up; only its BYE is of interest */
    uint32_t unsent;       /* records that it could not be sent */
    /* a worker's; an agent's place; a client's session, DW_PEER_NONE: it has none */
    uint32_t number;
    uint32_t next; /* of those whose routing ids fall together; of the free places */
    int guest_fd;  /* its connection, where it came by a door; as dw_door_guest_t */
    uint32_t guest_inode;
    dw_packet_t *packet;      /* TASKS or RESULTS being put together; NULL: none are */
    dw_peer_client_t *client; /* NULL: it is none */
} dw_peer_t;

/* A message that was received, but not given yet. */
typedef struct dw_arrival_t {
    dw_message_t message;
    uint32_t router;
    uint32_t sender; /* whose number it begins with; DW_PEER_NONE: nobody's */
} dw_arrival_t;

typedef struct dw_peers_t {
    void *routers[DW_ROUTERS_MAX];
    uint32_t routers_count;
    uint32_t first_router; /* where the next message is looked for first: in turns */
    dw_peer_t *items;
    uint32_t count, size;
    uint32_t free_first; /* of the places that somebody left, one more than its index; 0: none */
    uint32_t *by_id;     /* the first peer of those whose routing ids fall together */
    uint32_t by_id_size; /* a power of two, or 0 */
    uint32_t clients_count;
    dw_packet_t *spares[DW_SPARES_MAX];
    uint32_t spares_count;
    uint32_t *dirty; /* peers whose packet has records */
    uint32_t dirty_count, dirty_size;
    dw_message_t message; /* the one received last, as it is called: given by dw_peers_next */
    dw_arrival_t arrivals[DW_ARRIVALS_MAX];
    uint32_t arrivals_first, arrivals_count;
    uint64_t unknown_count;  /* messages from nobody known, or that made no sense */
    uint64_t messages_count; /* in and out, from and to those known */
    uint64_t full_count;     /* sent with DW_PACKET_FULL bytes or more in frames */
} dw_peers_t;

/* Receives messages of any routers, as many as there are, at most max (DW_ARRIVALS_MAX); those before
 * were all given. Errors: DW_EAGAIN none; DW_ECLOSED. */
int dw_peers_gather (dw_peers_t *self, uint32_t max);
/* Gives the next of them: *reader_p is at the head, whose type is in *type_p (DW_WIRE_TYPES: it
 * makes no sense, and the reader is damaged), and *router_p says where it came from. False: all
 * were given. */
bool dw_peers_next (dw_peers_t *self, uint32_t *router_p, dw_wire_reader_t *reader_p,
                    uint32_t *type_p);
/* Both: the next message. Errors: DW_EAGAIN none; DW_ECLOSED. */
int dw_peers_receive (dw_peers_t *self, uint32_t *router_p, dw_wire_reader_t *reader_p,
                      uint32_t *type_p);
/* The head's place among the frames of message. */
#define DW_PEERS_HEAD 1u
/* Reads the number that a message begins with, and gives the peer that it truly comes from; NULL,
 * and counted, when it comes from nobody known. */
dw_peer_t *dw_peers_sender (dw_peers_t *self, uint32_t router, dw_wire_reader_t *reader);
/* Whether the message received last comes from the peer with this number. */
bool dw_peers_is_from (const dw_peers_t *self, uint32_t router, uint32_t number);
/* Whether the message received last comes from anybody who has said HELLO: who has goes on by
 * number, and this is asked only at a HELLO. */
bool dw_peers_has_sender (const dw_peers_t *self, uint32_t router);
static inline dw_door_guest_t dw_peer_guest (const dw_peer_t *peer) {
    return (dw_door_guest_t){.fd = peer->guest_fd, .inode = peer->guest_inode};
}
/* A place for whoever sent the message received last; NULL: no memory. */
dw_peer_t *dw_peers_add (dw_peers_t *self, uint32_t router, dw_wire_role_t role);
void dw_peers_remove (dw_peers_t *self, dw_peer_t *peer);
static inline uint32_t dw_peers_index (const dw_peers_t *self, const dw_peer_t *peer) {
    return (uint32_t) (peer - self->items);
}

/* The peer's packet, to which a record is added; a new one begins with type. It is sent by
 * dw_peers_flush. NULL: no memory. */
dw_packet_t *dw_peers_packet (dw_peers_t *self, dw_peer_t *peer, dw_wire_type_t type);
/* Sends a peer's packet now. What becomes of an error is dw_peers_flush's affair when records were
 * in it. */
int dw_peers_send (dw_peers_t *self, dw_peer_t *peer);
/* Sends a client what is put together for it, or RESULTS without a result, to see whether it is
 * still there: false when its connection is gone. */
bool dw_peers_probe (dw_peers_t *self, dw_peer_t *peer);
/* Sends every packet that has records. failed is told of peers that could not be reached. */
void dw_peers_flush (dw_peers_t *self, void (*failed) (void *arg, dw_peer_t *peer), void *arg);
/* Sends packet as the answer to the message received last. */
void dw_peers_reply (dw_peers_t *self, uint32_t router, dw_packet_t *packet);
void dw_peers_free (dw_peers_t *self);

#endif
