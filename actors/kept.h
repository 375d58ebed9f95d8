/* kept.h - messages that were sent to a client elsewhere, or are to be, until it has said that it
 * has them.
 *
 * A connection may be cut with messages on their way that nobody tells of, so each is kept by
 * reference, which copies nothing but its head, and sent again by the next connection. The client
 * says how many it has taken in since it connected. One thread. */

#ifndef DW_KEPT_H
#define DW_KEPT_H

#include "actors/message.h"

/* A message that can be sent again and again. */
typedef struct dw_parcel_t {
    struct dw_parcel_t *next;
    size_t bytes;
    uint32_t frames_count;
    zmq_msg_t frames[]; /* the head, and what is behind it */
} dw_parcel_t;

typedef struct dw_kept_t {
    dw_parcel_t *first, *last;
    uint64_t bytes, bytes_max;
    uint32_t count, count_max;
    uint64_t taken; /* since the connection was made: the client has them, or they were dropped */
} dw_kept_t;

/* Makes a message of packet, which is empty afterwards, whatever comes of it. NULL: no memory. */
dw_parcel_t *dw_parcel_new (dw_packet_t *packet);
void dw_parcel_destroy (dw_parcel_t **self_p);
/* Errors: as dw_packet_send. */
int dw_parcel_send (dw_parcel_t *self, void *socket, const void *id, size_t id_size);

/* Keeps a message, which is given away; the oldest are dropped for it beyond bytes_max and
 * count_max, but not itself. */
void dw_kept_add (dw_kept_t *self, dw_parcel_t *parcel);
/* The client has taken in so many since it connected: nonsense at most drops what it was sent. */
void dw_kept_take (dw_kept_t *self, uint64_t taken);
/* Sends all that is kept by a new connection, whose count begins. Errors: as dw_packet_send. */
int dw_kept_send (dw_kept_t *self, void *socket, const void *id, size_t id_size);
void dw_kept_free (dw_kept_t *self);

#endif
