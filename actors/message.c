/* message.c - messages as they come from and go to a socket. */

#include "actors/message.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define FRAMES_KEPT 1024u /* room for so many stays; that for a message of more is given back */
#define RECENT      4u    /* frames that a packet looks through for the same one */

/* ---- In --------------------------------------------------------------------------------------- */

/* The place for one more frame, initialised; NULL: no memory. */
static zmq_msg_t *s_frames_push (zmq_msg_t **frames, uint32_t *count, uint32_t *size) {
    if (*count == *size) {
        uint32_t more = *size ? 2 * *size : 8;
        zmq_msg_t *grown = realloc (*frames, more * sizeof *grown);
        if (!grown)
            return NULL;
        *frames = grown;
        *size = more;
    }
    zmq_msg_t *frame = &(*frames)[(*count)++];
    zmq_msg_init (frame);
    return frame;
}

/* Receives what is left of a message and drops it. */
static void s_drain (void *socket) {
    zmq_msg_t part;
    int more = 1;
    while (more) {
        zmq_msg_init (&part);
        more = zmq_msg_recv (&part, socket, ZMQ_DONTWAIT) < 0 ? 0 : zmq_msg_more (&part);
        zmq_msg_close (&part);
    }
}

int dw_message_receive (dw_message_t *self, void *socket) {
    dw_message_clear (self);
    for (;;) {
        zmq_msg_t *frame = s_frames_push (&self->frames, &self->count, &self->size);
        if (!frame) {
            if (self->count)
                s_drain (socket);
            dw_message_clear (self);
            return DW_ENOMEM;
        }
        while (zmq_msg_recv (frame, socket, ZMQ_DONTWAIT) < 0) {
            if (errno == EINTR)
                continue;
            int err = errno;
            dw_message_clear (self);
            return err == EAGAIN ? DW_EAGAIN : DW_ECLOSED;
        }
        if (!zmq_msg_more (frame))
            return DW_OK;
        if (self->count == DW_WIRE_FRAMES_MAX) {
            s_drain (socket);
            return DW_OK;
        }
    }
}

static void s_free_array (dw_message_t *self) {
    free (self->frames);
    *self = (dw_message_t){0};
}

void dw_message_clear (dw_message_t *self) {
    for (uint32_t i = 0; i < self->count; i++)
        zmq_msg_close (&self->frames[i]);
    self->count = 0;
    if (self->size > FRAMES_KEPT)
        s_free_array (self);
}

void dw_message_free (dw_message_t *self) {
    dw_message_clear (self);
    s_free_array (self);
}

const uint8_t *dw_message_resolve (dw_message_t *self, uint32_t head, const dw_ref_t *ref,
                                   dw_wire_reader_t *reader, size_t *size_p, zmq_msg_t **frame_p) {
    *frame_p = NULL;
    *size_p = ref->size;
    if (!ref->frame)
        return ref->bytes;
    if (head + ref->frame >= self->count) {
        *size_p = 0;
        return dw_wire_damage (reader);
    }
    *frame_p = &self->frames[head + ref->frame];
    *size_p = zmq_msg_size (*frame_p);
    return zmq_msg_data (*frame_p);
}

/* ---- Out -------------------------------------------------------------------------------------- */

void dw_packet_add (dw_packet_t *self, const void *bytes, size_t size, zmq_msg_t *frame) {
    if (!frame || size <= DW_WIRE_INLINE_MAX || dw_packet_frames_left (self) == 0) {
        dw_write_bin (&self->head, bytes, size);
        return;
    }
    /* What the next records read is often what those before did: it travels once. */
    for (uint32_t i = self->count; i > 0 && i + RECENT > self->count; i--)
        if (zmq_msg_data (&self->frames[i - 1]) == bytes &&
            zmq_msg_size (&self->frames[i - 1]) == size) {
            dw_write_uint (&self->head, i);
            return;
        }
    zmq_msg_t *copy = s_frames_push (&self->frames, &self->count, &self->size);
    if (!copy || zmq_msg_copy (copy, frame)) {
        self->head.no_memory = true;
        return;
    }
    self->bytes += size;
    dw_write_uint (&self->head, self->count);
}

void dw_packet_give (dw_packet_t *self, zmq_msg_t *message) {
    self->bytes += zmq_msg_size (message);
    zmq_msg_t *own = s_frames_push (&self->frames, &self->count, &self->size);
    if (!own || zmq_msg_move (own, message)) {
        self->head.no_memory = true;
        return;
    }
    dw_write_uint (&self->head, self->count);
}

void dw_packet_append (dw_packet_t *self, const void *bytes, size_t size) {
    dw_write_raw (&self->head, bytes, size);
}

void dw_packet_lend (dw_packet_t *self, zmq_msg_t *message) {
    zmq_msg_t *copy = s_frames_push (&self->frames, &self->count, &self->size);
    if (!copy || zmq_msg_copy (copy, message))
        self->head.no_memory = true;
}

static int s_send_error (int err) {
    switch (err) {
        case EHOSTUNREACH: return DW_ENOENT;
        case EAGAIN: return DW_EAGAIN;
        case ENOMEM: return DW_ENOMEM;
        default: return DW_ECLOSED;
    }
}

static int s_send_bytes (void *socket, const void *bytes, size_t size, int flags) {
    while (zmq_send (socket, bytes, size, flags | ZMQ_DONTWAIT) < 0)
        if (errno != EINTR)
            return s_send_error (errno);
    return DW_OK;
}

static int s_send_frame (void *socket, zmq_msg_t *frame, int flags) {
    while (zmq_msg_send (frame, socket, flags | ZMQ_DONTWAIT) < 0)
        if (errno != EINTR)
            return s_send_error (errno);
    return DW_OK;
}

int dw_packet_send (dw_packet_t *self, void *socket, const void *id, size_t id_size) {
    int err = self->head.no_memory ? DW_ENOMEM : DW_OK;
    if (!err && id_size) /* when this is refused nothing was begun, and nothing else may be sent */
        err = s_send_bytes (socket, id, id_size, ZMQ_SNDMORE);
    if (!err)
        err = s_send_bytes (socket, self->head.bytes, self->head.count,
                            self->count ? ZMQ_SNDMORE : 0);
    for (uint32_t i = 0; !err && i < self->count; i++)
        err = s_send_frame (socket, &self->frames[i], i + 1 < self->count ? ZMQ_SNDMORE : 0);
    dw_packet_clear (self);
    return err;
}

int dw_message_send_copies (zmq_msg_t *frames, uint32_t count, void *socket, const void *id,
                            size_t id_size) {
    int err = id_size ? s_send_bytes (socket, id, id_size, ZMQ_SNDMORE) : DW_OK;
    for (uint32_t i = 0; !err && i < count; i++) {
        zmq_msg_t copy;
        zmq_msg_init (&copy);
        zmq_msg_copy (&copy, &frames[i]);
        err = s_send_frame (socket, &copy, i + 1 < count ? ZMQ_SNDMORE : 0);
        zmq_msg_close (&copy);
    }
    return err;
}

void dw_packet_clear (dw_packet_t *self) {
    for (uint32_t i = 0; i < self->count; i++)
        zmq_msg_close (&self->frames[i]);
    self->count = 0;
    self->bytes = 0;
    self->records = 0;
    dw_writer_clear (&self->head);
}

void dw_packet_rewind (dw_packet_t *self, size_t head_count, uint32_t count) {
    while (self->count > count)
        zmq_msg_close (&self->frames[--self->count]);
    self->head.count = head_count;
    self->head.no_memory = false;
}

void dw_packet_free (dw_packet_t *self) {
    dw_packet_clear (self);
    free (self->frames);
    dw_writer_free (&self->head);
    memset (self, 0, sizeof *self);
}
