/* message.h - messages as they come from and go to a socket: a head and its frames.
 *
 * Both ends of a message live as long as their actor and are used again and again; a message that
 * comes in is cleared by the next one. */

#ifndef DW_MESSAGE_H
#define DW_MESSAGE_H

#include <zmq.h>

#include "dagwood.h"
#include "runtime/wire.h"

/* A message that came in: frames[0] is the head (for a ROUTER: the routing id, and 1 the head). */
typedef struct dw_message_t {
    zmq_msg_t *frames;
    uint32_t count, size;
} dw_message_t;

/* Receives all parts of one message, without waiting. Parts beyond DW_WIRE_FRAMES_MAX are dropped.
 * Errors: DW_EAGAIN none there; DW_ECLOSED the context is shutting down; DW_ENOMEM message lost. */
int dw_message_receive (dw_message_t *self, void *socket);
/* Keeps the array for the next one, unless it is a large one. */
void dw_message_clear (dw_message_t *self);
/* Frees the array too. */
void dw_message_free (dw_message_t *self);

/* The bytes of a reference, in the head or in a frame behind frames[head]; size in *size_p and,
 * when it is in a frame, that frame in *frame_p (else NULL). NULL: nil, or there is no such frame,
 * which damages the reader. */
const uint8_t *dw_message_resolve (dw_message_t *self, uint32_t head, const dw_ref_t *ref,
                                   dw_wire_reader_t *reader, size_t *size_p, zmq_msg_t **frame_p);

/* So many bytes in frames are enough for one message to another process. */
#define DW_PACKET_FULL (64u << 10)

/* A message on its way out. */
typedef struct dw_packet_t {
    dw_writer_t head;
    zmq_msg_t *frames; /* own references */
    uint32_t count, size;
    size_t bytes;     /* of the frames */
    uint32_t records; /* the caller's count of what it has put in */
} dw_packet_t;

/* Appends a byte string: inside of the head when it is small, or nobody can share it, or there are
 * as many frames as a reader takes; else as a frame of its own, by reference to the message that
 * holds it, or as one of the last frames that has the same bytes in the same memory. */
void dw_packet_add (dw_packet_t *self, const void *bytes, size_t size, zmq_msg_t *frame);
/* Gives message away as a frame of the packet and appends its number to the head. */
void dw_packet_give (dw_packet_t *self, zmq_msg_t *message);
/* Appends bytes to the head as they are, and a frame by reference of which the head says what it
 * will. */
void dw_packet_append (dw_packet_t *self, const void *bytes, size_t size);
void dw_packet_lend (dw_packet_t *self, zmq_msg_t *message);
/* How many more frames may be added: a reader counts the head, too, and a ROUTER the routing id. */
static inline uint32_t dw_packet_frames_left (const dw_packet_t *self) {
    return self->count < DW_WIRE_FRAMES_MAX - 2 ? DW_WIRE_FRAMES_MAX - 2 - self->count : 0;
}
/* Sends it, to the routing id (id_size 0: none), and empties it whatever comes of it.
 * Errors: DW_ECLOSED; DW_ENOENT the peer is gone; DW_EAGAIN its queue is full; DW_ENOMEM. */
int dw_packet_send (dw_packet_t *self, void *socket, const void *id, size_t id_size);
/* The same of frames, of which copies by reference are sent: they stay the caller's. */
int dw_message_send_copies (zmq_msg_t *frames, uint32_t count, void *socket, const void *id,
                            size_t id_size);
void dw_packet_clear (dw_packet_t *self);
/* Takes back what was added since the head had head_count bytes and there were count frames, also
 * that there was no memory for it. */
void dw_packet_rewind (dw_packet_t *self, size_t head_count, uint32_t count);
void dw_packet_free (dw_packet_t *self);

#endif
