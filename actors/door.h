/* door.h - how many connections a listening socket has at one time, those before their handshake too.
 *
 * ZeroMQ lets in whoever connects, and who says nothing holds a descriptor until the time for its handshake is over.
 * When there are none left its I/O thread does nothing but try to accept one more. So an actor knows the
 * connections by what ZeroMQ tells of the socket, and who of them is in, a peer that was welcomed, by what its owner
 * tells. At the cap somebody has to go for whoever comes: of those who are not in the one that came first of those who have said
 * nothing, else no more than a greeting, else anything (of ipc nobody tells how much). When all are in the door is shut:
 *
 *     tcp   a packet filter on the socket that listens drops what comes for it; who knocks goes on knocking, as at
 *           a host that is busy. Who is in has a socket of its own, and is not touched.
 *     ipc   the file takes no connections (mode 0); who comes finds that it may not, and tries again. Root may all the
 *           same, and a name of Linux's own ("@NAME") has no file: there the cap is not kept.
 *
 * (zmq_unbind would cut all who are in: their sessions belong to the listener.) The door opens when there is room.
 *
 * The count runs behind: until the actor has looked ZeroMQ accepts more, at the least what has queued up
 * (DW_DOOR_BACKLOG). Whoever works out descriptors adds that. */

#ifndef DW_DOOR_H
#define DW_DOOR_H

#include <zmq.h>

#include "dagwood.h"

#define DW_DOOR_BACKLOG 100 /* connections that wait to be accepted, of a socket with a door */
#define DW_DOOR_SOCKETS 4u  /* of ZeroMQ that a door takes */
#define DW_DOOR_FILES   (DW_DOOR_SOCKETS + 1u)

typedef struct dw_door_t dw_door_t;

/* A connection: its descriptor, whose number may be somebody else's later. */
typedef struct dw_door_guest_t {
    int fd;         /* -1: of nobody who has come by a door */
    uint32_t inode; /* the kernel counts those of sockets in 32 bits; 0: none */
} dw_door_guest_t;

/* That of whoever sent the message with this frame (not the one of its routing id). By the thread
 * that received it. */
dw_door_guest_t dw_door_guest (zmq_msg_t *frame);

/* Whether its connection is closed; or of no use, as TCP has sent the same bytes again and again
 * and nothing was acknowledged: its host is gone, or its line is cut. ZeroMQ tells neither, and TCP
 * itself waits for a quarter of an hour (its own looks, keepalive, are at those alone who have
 * nothing to get). Who is only slow, or does not read, acknowledges. By any thread. */
bool dw_door_is_cut_off (dw_door_guest_t guest);

/* A door for a socket that is not bound yet, with a thread of its own. The socket is borrowed, and
 * stays its owner's.
 * Errors: DW_ELIMIT no sockets, or no thread; DW_ENOMEM. */
int dw_door_new (dw_door_t **self_p, void *context, void *socket, uint32_t connections_max,
                 dw_error_t *error);
/* It is in, and is not sent away. By the owner's thread, as all that follows. */
void dw_door_let_in (dw_door_t *self, dw_door_guest_t guest);
/* It has to go, whoever it is; one that has gone already is passed over. */
void dw_door_cut (dw_door_t *self, dw_door_guest_t guest);
/* How often it was full since it was asked last. */
uint32_t dw_door_full_count (dw_door_t *self);
/* Opens it and lets it be; before the socket is closed. */
void dw_door_destroy (dw_door_t **self_p);

#endif
