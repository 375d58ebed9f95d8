/* sockets.c - ZeroMQ's sockets as actors use them: DEALER, ROUTER and PAIR. */

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/simulated/message.h"
#include "tests/simulated/monitor.h"
#include "tests/simulated/network.h"
#include "tests/support/verdict.h"

#define MAGIC   0x50c4e7u
#define HWM     1000 /* ZeroMQ's own */
#define BACKLOG 100

static socket_t *s_of (void *socket) {
    socket_t *self = socket;
    assert (self && self->magic == MAGIC && !self->is_closed);
    assert (self->process == fibers_process ());
    return self;
}

static int s_fail (int err) {
    errno = err;
    return -1;
}

/* ---- Contexts --------------------------------------------------------------------------------- */

void *zmq_ctx_new (void) {
    return network_context_new ();
}

int zmq_ctx_set (void *context, int option, int value) {
    context_t *self = context;
    *(option == ZMQ_MAX_SOCKETS ? &self->sockets_max : &self->io_threads) = value;
    return 0;
}

int zmq_ctx_get (void *context, int option) {
    const context_t *self = context;
    return option == ZMQ_MAX_SOCKETS ? self->sockets_max : self->io_threads;
}

static void s_wake (socket_t *socket) {
    if (socket->waiter)
        fibers_wake (socket->waiter);
}

int zmq_ctx_shutdown (void *context) {
    context_t *self = context;
    self->is_shut = true;
    network_each (self, s_wake);
    return 0;
}

int zmq_ctx_term (void *context) {
    context_t *self = context;
    assert (!self->is_over);
    zmq_ctx_shutdown (self);
    self->waiter = fibers_current ();
    while (self->open > 0)
        fibers_wait_until (INT64_MAX);
    self->is_over = true;
    return 0;
}

/* ---- Made and closed -------------------------------------------------------------------------- */

void *zmq_socket (void *context, int type) {
    context_t *owner = context;
    if (owner->is_shut) {
        errno = ETERM;
        return NULL;
    }
    assert (type == ZMQ_DEALER || type == ZMQ_ROUTER || type == ZMQ_PAIR);
    socket_t *self = network_socket_new (owner, type);
    self->magic = MAGIC;
    self->options[ZMQ_SNDHWM] = self->options[ZMQ_RCVHWM] = HWM;
    self->options[ZMQ_LINGER] = -1;
    self->options[ZMQ_RECONNECT_IVL] = 100;
    self->options[ZMQ_BACKLOG] = BACKLOG;
    owner->open++;
    return self;
}

static void s_close (socket_t *self) {
    if (self->in)
        packet_free (self->in);
    if (self->out)
        packet_free (self->out);
    self->in = self->out = NULL;
    network_close (self);
    context_t *context = self->context;
    if (--context->open == 0 && context->waiter)
        fibers_wake (context->waiter);
}

int zmq_close (void *socket) {
    socket_t *self = s_of (socket);
    if (self->monitor)
        s_close (self->monitor);
    self->monitor = NULL;
    s_close (self);
    return 0;
}

int zmq_bind (void *socket, const char *endpoint) {
    socket_t *self = s_of (socket);
    if (network_find (endpoint, self->context))
        return s_fail (EADDRINUSE);
    snprintf (self->bound, sizeof self->bound, "%s", endpoint);
    return 0;
}

int zmq_unbind (void *socket, const char *endpoint) {
    (void) endpoint;
    s_of (socket)->bound[0] = '\0';
    return 0;
}

int zmq_connect (void *socket, const char *endpoint) {
    socket_t *self = s_of (socket);
    if (self->context->is_shut)
        return s_fail (ETERM);
    snprintf (self->to, sizeof self->to, "%s", endpoint);
    if (strncmp (endpoint, "inproc:", 7) != 0) {
        network_connect (self);
        return 0;
    }
    socket_t *listener = network_find (endpoint, self->context);
    if (!listener)
        return s_fail (ECONNREFUSED);
    network_join (network_pipe_new (self, false), network_pipe_new (listener, false));
    return 0;
}

/* ---- Options ---------------------------------------------------------------------------------- */

int zmq_setsockopt (void *socket, int option, const void *value, size_t size) {
    socket_t *self = s_of (socket);
    if (option == ZMQ_ZAP_DOMAIN) {
        snprintf (self->domain, sizeof self->domain, "%.*s", (int) size, (const char *) value);
        return 0;
    }
    assert (option >= 0 && option < OPTIONS_MAX);
    if (size == sizeof (int64_t))
        memcpy (&self->options[option], value, size);
    else {
        int is;
        assert (size == sizeof is);
        memcpy (&is, value, size);
        self->options[option] = is;
    }
    return 0;
}

/* Whether more may be sent by a pipe: the queues of both ends have their limits, or none. */
static bool s_has_room (const socket_t *self, const pipe_t *pipe) {
    int64_t own = self->options[ZMQ_SNDHWM];
    int64_t theirs = pipe->peer ? pipe->peer->socket->options[ZMQ_RCVHWM] : HWM;
    uint32_t waiting = pipe->sent.count + (pipe->peer ? pipe->peer->inbox.count : 0);
    uint32_t room = pipe->is_network && pipe->peer ? pipe->peer->socket->process->room : 0;
    if (own > 0 && room > 0)
        return waiting < room;
    return own == 0 || theirs == 0 || waiting < own + theirs;
}

/* By which a DEALER or a PAIR sends; NULL: by none. */
static pipe_t *s_way_out (const socket_t *self) {
    for (pipe_t *pipe = self->pipes; pipe; pipe = pipe->next)
        if (!pipe->is_gone || !self->options[ZMQ_IMMEDIATE])
            if (pipe->is_network || pipe->peer)
                return pipe;
    return NULL;
}

static bool s_has_in (const socket_t *self) {
    bool has = self->in;
    for (const pipe_t *pipe = self->pipes; pipe && !has; pipe = pipe->next)
        has = pipe->inbox.first;
    return has;
}

static short s_events (const socket_t *self) {
    const pipe_t *pipe = s_way_out (self);
    bool has_out = self->type == ZMQ_ROUTER || (pipe && s_has_room (self, pipe));
    return (short) ((s_has_in (self) ? ZMQ_POLLIN : 0) | (has_out ? ZMQ_POLLOUT : 0));
}

static int s_give_text (const char *text, void *value, size_t *size) {
    size_t needed = strlen (text) + 1;
    if (*size < needed)
        return s_fail (EINVAL);
    memcpy (value, text, needed);
    *size = needed;
    return 0;
}

int zmq_getsockopt (void *socket, int option, void *value, size_t *size) {
    socket_t *self = s_of (socket);
    if (option == ZMQ_EVENTS && self->context->is_shut)
        return s_fail (ETERM);
    if (option == ZMQ_EVENTS)
        fibers_may_pause ();
    int64_t is = option == ZMQ_EVENTS ? s_events (self) : 0;
    switch (option) {
        case ZMQ_ZAP_DOMAIN: return s_give_text (self->domain, value, size);
        case ZMQ_LAST_ENDPOINT: return s_give_text (self->bound, value, size);
        case ZMQ_FD: return s_fail (EINVAL); /* there is none that the system knows */
        case ZMQ_EVENTS: break;
        default: assert (option >= 0 && option < OPTIONS_MAX); is = self->options[option];
    }
    if (*size == sizeof is)
        memcpy (value, &is, sizeof is);
    else
        memcpy (value, &(int){(int) is}, *size = sizeof (int));
    return 0;
}

/* ---- Sent ------------------------------------------------------------------------------------- */

/* Whom a message is for that a ROUTER begins; NULL: errno says why not. */
static pipe_t *s_find (const socket_t *self, zmq_msg_t *id) {
    for (pipe_t *pipe = self->pipes; pipe; pipe = pipe->next)
        if (!pipe->is_gone && zmq_msg_size (id) == sizeof pipe->id &&
            memcmp (zmq_msg_data (id), pipe->id, sizeof pipe->id) == 0) {
            if (s_has_room (self, pipe))
                return pipe;
            verdict->full++;
            errno = EAGAIN;
            return NULL;
        }
    errno = EHOSTUNREACH;
    return NULL;
}

/* The first part of a message says where it goes. True: it may. */
static bool s_begin (socket_t *self, zmq_msg_t *message) {
    if (self->type == ZMQ_ROUTER)
        self->out_to = s_find (self, message);
    else {
        self->out_to = s_way_out (self);
        bool has_room = self->out_to && s_has_room (self, self->out_to);
        verdict->full += self->out_to && !has_room;
        if (!has_room) {
            errno = EAGAIN;
            return false;
        }
    }
    if (!self->out_to)
        return false;
    self->out = packet_new ();
    return true;
}

int zmq_msg_send (zmq_msg_t *message, void *socket, int flags) {
    socket_t *self = s_of (socket);
    assert (flags & ZMQ_DONTWAIT);
    if (self->context->is_shut)
        return s_fail (ETERM);
    size_t size = zmq_msg_size (message);
    bool is_first = !self->out;
    if (is_first && !s_begin (self, message))
        return -1;
    if (!is_first || self->type != ZMQ_ROUTER) { /* the routing id does not travel */
        zmq_msg_t *frame = packet_push (self->out);
        zmq_msg_init (frame);
        zmq_msg_move (frame, message);
        message_of (frame)->has_more = flags & ZMQ_SNDMORE;
    } else {
        zmq_msg_close (message);
        zmq_msg_init (message);
    }
    if (flags & ZMQ_SNDMORE)
        return (int) size;
    packet_t *packet = self->out;
    self->out = NULL;
    network_send (self->out_to, packet);
    fibers_may_pause ();
    return (int) size;
}

int zmq_send (void *socket, const void *bytes, size_t size, int flags) {
    zmq_msg_t message;
    if (zmq_msg_init_size (&message, size))
        return -1;
    memcpy (zmq_msg_data (&message), bytes, size);
    int sent = zmq_msg_send (&message, socket, flags | ZMQ_DONTWAIT);
    int err = errno;
    zmq_msg_close (&message);
    errno = err;
    return sent;
}

/* ---- Received --------------------------------------------------------------------------------- */

/* From each connection in turn. */
static bool s_take (socket_t *self) {
    pipe_t *pipe = self->turn ? self->turn : self->pipes;
    uint32_t count = 0;
    for (const pipe_t *each = self->pipes; each; each = each->next)
        count++;
    for (; pipe && count > 0 && !pipe->inbox.first; count--)
        pipe = pipe->next ? pipe->next : self->pipes;
    if (!pipe || count == 0)
        return false;
    self->in = packets_pop (&pipe->inbox);
    self->in_from = pipe;
    self->in_at = 0;
    self->turn = pipe->next;
    if (pipe->peer && self->type != ZMQ_ROUTER && pipe->peer->socket->waiter)
        fibers_wake (pipe->peer->socket->waiter); /* there is room again */
    return true;
}

int zmq_msg_recv (zmq_msg_t *message, void *socket, int flags) {
    socket_t *self = s_of (socket);
    assert (flags & ZMQ_DONTWAIT);
    if (self->context->is_shut)
        return s_fail (ETERM);
    bool is_first = !self->in;
    if (is_first && !s_take (self))
        return s_fail (EAGAIN);
    zmq_msg_close (message);
    if (is_first && self->type == ZMQ_ROUTER) {
        zmq_msg_init_size (message, sizeof self->in_from->id);
        memcpy (zmq_msg_data (message), self->in_from->id, sizeof self->in_from->id);
        message_of (message)->has_more = true;
        return (int) sizeof self->in_from->id;
    }
    memcpy (message, &self->in->frames[self->in_at], sizeof *message);
    zmq_msg_init (&self->in->frames[self->in_at]);
    if (++self->in_at == self->in->count) {
        packet_free (self->in);
        self->in = NULL;
    }
    return (int) zmq_msg_size (message);
}

int zmq_recv (void *socket, void *bytes, size_t size, int flags) {
    zmq_msg_t message;
    zmq_msg_init (&message);
    int received = zmq_msg_recv (&message, socket, flags | ZMQ_DONTWAIT), err = errno;
    if (received > 0)
        memcpy (bytes, zmq_msg_data (&message),
                (size_t) received < size ? (size_t) received : size);
    zmq_msg_close (&message);
    errno = err;
    return received;
}

/* ---- Waited for ------------------------------------------------------------------------------- */

/* How many of them are ready; -1: a context is shut down. */
static int s_look (zmq_pollitem_t *items, int count) {
    int ready = 0;
    for (int i = 0; i < count; i++) {
        items[i].revents = 0;
        if (!items[i].socket)
            continue;
        socket_t *socket = s_of (items[i].socket);
        if (socket->context->is_shut)
            return s_fail (ETERM);
        items[i].revents = (short) (s_events (socket) & items[i].events);
        ready += items[i].revents != 0;
    }
    return ready;
}

static void s_set_waiter (zmq_pollitem_t *items, int count, fiber_t *waiter) {
    for (int i = 0; i < count; i++)
        if (items[i].socket)
            ((socket_t *) items[i].socket)->waiter = waiter;
}

int zmq_poll (zmq_pollitem_t *items, int count, long timeout_ms) {
    int64_t until_ns = timeout_ms < 0 ? INT64_MAX
                                      : fibers_now_ns () + timeout_ms * INT64_C (1000000);
    fibers_may_pause ();
    int ready = s_look (items, count);
    s_set_waiter (items, count, fibers_current ());
    while (ready == 0 && fibers_now_ns () < until_ns) {
        fibers_wait_until (until_ns);
        ready = s_look (items, count);
    }
    int err = errno;
    s_set_waiter (items, count, NULL);
    errno = err;
    return ready;
}

/* ---- Monitors --------------------------------------------------------------------------------- */

int zmq_socket_monitor (void *socket, const char *endpoint, int events) {
    socket_t *self = s_of (socket);
    if (self->monitor)
        s_close (self->monitor);
    self->monitor = NULL;
    if (!endpoint)
        return 0;
    self->monitor = zmq_socket (self->context, ZMQ_PAIR);
    if (!self->monitor)
        return -1;
    self->monitor_events = events;
    return zmq_bind (self->monitor, endpoint);
}

void monitor_tell (socket_t *socket, uint16_t event) {
    uint8_t bytes[6] = {0};
    pipe_t *pipe = socket->monitor ? socket->monitor->pipes : NULL;
    if (!pipe || !pipe->peer || !(socket->monitor_events & event))
        return;
    heap_t *before = heap_enter (&socket->process->heap);
    packet_t *packet = packet_new ();
    memcpy (bytes, &event, sizeof event);
    zmq_msg_init_size (packet_push (packet), sizeof bytes);
    memcpy (zmq_msg_data (&packet->frames[0]), bytes, sizeof bytes);
    message_of (&packet->frames[0])->has_more = true;
    zmq_msg_init (packet_push (packet));
    network_send (pipe, packet);
    heap_enter (before);
}

/* ---- Not simulated: keys ---------------------------------------------------------------------- */

int zmq_curve_keypair (char *public_key, char *secret_key) {
    (void) public_key;
    (void) secret_key;
    return s_fail (ENOTSUP);
}

int zmq_curve_public (char *public_key, const char *secret_key) {
    (void) public_key;
    (void) secret_key;
    return s_fail (ENOTSUP);
}

char *zmq_z85_encode (char *text, const uint8_t *bytes, size_t size) {
    (void) text;
    (void) bytes;
    (void) size;
    return NULL;
}

uint8_t *zmq_z85_decode (uint8_t *bytes, const char *text) {
    (void) bytes;
    (void) text;
    return NULL;
}

const char *zmq_strerror (int err) {
    return err == ETERM ? "Context was terminated" : strerror (err);
}
