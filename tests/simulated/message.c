/* message.c - ZeroMQ's messages: short ones inside, longer ones shared by reference count. */

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "tests/simulated/message.h"

_Static_assert(sizeof (message_t) <= sizeof (zmq_msg_t), "a message has its place");

#define KIND_INSIDE 0x51u
#define KIND_SHARED 0x52u
#define KIND_CLOSED 0x53u

struct content_t {
    uint32_t references;
    size_t size;
    void *data;
    zmq_free_fn *free;
    void *hint;
};

static message_t *s_of (const zmq_msg_t *message) {
    return (message_t *) (uintptr_t) message;
}

message_t *message_of (zmq_msg_t *message) {
    return s_of (message);
}

int zmq_msg_init (zmq_msg_t *message) {
    *s_of (message) = (message_t){.kind = KIND_INSIDE};
    return 0;
}

int zmq_msg_init_size (zmq_msg_t *message, size_t size) {
    message_t *self = s_of (message);
    *self = (message_t){.kind = KIND_INSIDE, .size = (uint8_t) size};
    if (size <= MESSAGE_INSIDE_MAX)
        return 0;
    content_t *content = malloc (sizeof *content + size);
    if (!content) {
        errno = ENOMEM;
        return -1;
    }
    *content = (content_t){.references = 1, .size = size, .data = content + 1};
    *self = (message_t){.kind = KIND_SHARED, .content = content};
    return 0;
}

int zmq_msg_init_data (zmq_msg_t *message, void *data, size_t size, zmq_free_fn *free_data,
                       void *hint) {
    content_t *content = malloc (sizeof *content);
    if (!content) {
        errno = ENOMEM;
        return -1;
    }
    *content = (content_t){1, size, data, free_data, hint};
    *s_of (message) = (message_t){.kind = KIND_SHARED, .content = content};
    return 0;
}

int zmq_msg_close (zmq_msg_t *message) {
    message_t *self = s_of (message);
    assert (self->kind == KIND_INSIDE || self->kind == KIND_SHARED); /* else it is closed twice */
    content_t *content = self->kind == KIND_SHARED ? self->content : NULL;
    self->kind = KIND_CLOSED;
    if (!content || --content->references > 0)
        return 0;
    if (content->free)
        content->free (content->data, content->hint);
    free (content);
    return 0;
}

int zmq_msg_move (zmq_msg_t *to, zmq_msg_t *from) {
    zmq_msg_close (to);
    *s_of (to) = *s_of (from);
    return zmq_msg_init (from);
}

int zmq_msg_copy (zmq_msg_t *to, zmq_msg_t *from) {
    message_t *source = s_of (from);
    assert (source->kind == KIND_INSIDE || source->kind == KIND_SHARED);
    zmq_msg_close (to);
    *s_of (to) = *source;
    if (source->kind == KIND_SHARED)
        source->content->references++;
    return 0;
}

void *zmq_msg_data (zmq_msg_t *message) {
    message_t *self = s_of (message);
    assert (self->kind == KIND_INSIDE || self->kind == KIND_SHARED);
    return self->kind == KIND_SHARED ? self->content->data : self->bytes;
}

size_t zmq_msg_size (const zmq_msg_t *message) {
    const message_t *self = s_of (message);
    assert (self->kind == KIND_INSIDE || self->kind == KIND_SHARED);
    return self->kind == KIND_SHARED ? self->content->size : self->size;
}

int zmq_msg_more (const zmq_msg_t *message) {
    return s_of (message)->has_more;
}

/* Of those that are asked for: doors know connections by their numbers here. */
int zmq_msg_get (const zmq_msg_t *message, int property) {
    return property == ZMQ_SRCFD ? (int) s_of (message)->connection : -1;
}

const char *zmq_msg_gets (const zmq_msg_t *message, const char *property) {
    (void) message;
    (void) property;
    errno = EINVAL;
    return NULL;
}
