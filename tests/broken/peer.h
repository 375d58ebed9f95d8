/* peer.h - what the broken peers share: a socket, a message out, a message in. They are honest but
 * for one defect, whose name is their first word; the second one is the endpoint. */

#ifndef TESTS_BROKEN_PEER_H
#define TESTS_BROKEN_PEER_H

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zmq.h>

#include "actors/clock.h"
#include "actors/message.h"

typedef struct peer_t {
    void *socket;
    uint32_t number; /* that WELCOME gave it */
    dw_packet_t out;
    dw_message_t in;
    dw_wire_reader_t reader; /* behind the type */
    uint32_t type;
} peer_t;

static const char *defect;

static inline bool has (const char *name) {
    return strcmp (defect, name) == 0;
}

/* The time by the clock that never jumps, or by the wall clock, which does. */
static inline int64_t peer_clock_ns (bool by_wall) {
    struct timespec now;
    clock_gettime (by_wall ? CLOCK_REALTIME : CLOCK_MONOTONIC, &now);
    return (int64_t) now.tv_sec * 1000000000 + now.tv_nsec;
}

static inline peer_t peer_connect (void *context, const char *endpoint) {
    peer_t self = {.socket = zmq_socket (context, ZMQ_DEALER)};
    int linger_ms = 100, unlimited = 0;
    zmq_setsockopt (self.socket, ZMQ_LINGER, &linger_ms, sizeof linger_ms);
    zmq_setsockopt (self.socket, ZMQ_SNDHWM, &unlimited, sizeof unlimited);
    if (zmq_connect (self.socket, endpoint)) {
        perror (endpoint);
        exit (1);
    }
    return self;
}

static inline void peer_close (peer_t *self) {
    if (self->socket)
        zmq_close (self->socket);
    self->socket = NULL;
    dw_packet_free (&self->out);
    dw_message_free (&self->in);
}

static inline void peer_send (peer_t *self) {
    dw_packet_send (&self->out, self->socket, NULL, 0);
}

/* A type and the peer's number. */
static inline void peer_begin (peer_t *self, dw_wire_type_t type) {
    dw_write_uint (&self->out.head, type);
    dw_write_uint (&self->out.head, self->number);
}

static inline void peer_say (peer_t *self, dw_wire_type_t type) {
    peer_begin (self, type);
    peer_send (self);
}

/* False: none is there. */
static inline bool peer_take (peer_t *self) {
    if (!self->socket || dw_message_receive (&self->in, self->socket))
        return false;
    self->reader = dw_wire_reader (zmq_msg_data (&self->in.frames[0]),
                                   zmq_msg_size (&self->in.frames[0]));
    self->type = dw_read_uint_max (&self->reader, UINT32_MAX);
    if (self->reader.is_damaged)
        self->type = DW_WIRE_TYPES;
    return true;
}

static inline void peer_hello (peer_t *self, uint32_t role, const uint8_t *token, uint32_t number,
                               uint32_t credit) {
    uint32_t version = has ("another-version") ? 4 : DW_WIRE_VERSION;
    dw_write_hello (&self->out.head, &(dw_wire_hello_t){.version = version,
                                                        .oldest = version,
                                                        .role = role,
                                                        .token = token,
                                                        .number = number,
                                                        .credit = credit});
}

#endif
