/* link.c - a DEALER to a coordinator in another process. */

#include "actors/link.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <zmq.h>

#include "actors/clock.h"
#include "actors/endpoint.h"
#include "actors/option.h"
#include "runtime/core/error.h"

#define LINGER_MS 100
/* How long an answer that is on its way is waited for by who is told to stop. */
#define LAST_WORD_NS 250000000
/* For a host to answer, after which it is asked anew: TCP alone waits longer each time. */
#define KNOCK_MS 1500
#define MONITOR_EVENTS                                                       \
    (ZMQ_EVENT_HANDSHAKE_SUCCEEDED | ZMQ_EVENT_HANDSHAKE_FAILED_NO_DETAIL |  \
     ZMQ_EVENT_HANDSHAKE_FAILED_PROTOCOL | ZMQ_EVENT_HANDSHAKE_FAILED_AUTH | \
     ZMQ_EVENT_DISCONNECTED)

int dw_link_keys_read (dw_link_keys_t *self, const dw_connect_options_t *options,
                       dw_error_t *error) {
    *self = (dw_link_keys_t){0};
    if (!options->key && !options->server_key)
        return DW_OK;
    if (!options->key || !options->server_key)
        return dw_error_add (
            error, DW_EKEY, DW_NOWHERE,
            "keys come in twos: the own key pair, and the public key of the coordinator; the "
            "%s is missing",
            options->key ? "latter" : "former");
    int err = dw_keys_read (&self->own, options->key, error);
    int server_err = dw_keys_read_public (self->server_key, options->server_key, error);
    self->has_keys = !err && !server_err;
    if (!self->has_keys)
        dw_link_keys_wipe (self);
    return err ? err : server_err;
}

void dw_link_keys_wipe (dw_link_keys_t *self) {
    dw_keys_wipe (&self->own);
    self->has_keys = false;
}

static int s_refuse (const char *what, dw_error_t *error) {
    return dw_error_add (error, DW_ELIMIT, DW_NOWHERE,
                         "%s (%s): raise the limit of open files (ulimit -n)", what,
                         zmq_strerror (errno));
}

/* ZeroMQ tells of a socket by a pair of sockets within the process. */
static int s_watch (dw_link_t *self, void *context, dw_error_t *error) {
    char name[64];
    snprintf (name, sizeof name, "inproc://link-%p", self->socket);
    if (zmq_socket_monitor (self->socket, name, MONITOR_EVENTS))
        return s_refuse ("a connection cannot be watched", error);
    self->monitor = zmq_socket (context, ZMQ_PAIR);
    /* ZeroMQ stands still when its monitor's messages find no room, and a client may not look for
     * hours. */
    if (!self->monitor || !dw_option_set_int (self->monitor, ZMQ_LINGER, 0) ||
        !dw_option_set_int (self->monitor, ZMQ_RCVHWM, 0))
        return s_refuse ("no socket to watch a connection", error);
    return zmq_connect (self->monitor, name) ? s_refuse ("a connection cannot be watched", error)
                                             : DW_OK;
}

/* Why an endpoint is none to connect to; NULL: it is one. ZeroMQ knows other transports, of which
 * none leads to a coordinator, and takes ports that are none for 0. */
static const char *s_why_not (const char *endpoint) {
    bool is_tcp = strncmp (endpoint, "tcp://", 6) == 0;
    const char *port = strrchr (endpoint, ':');
    if (!is_tcp && strncmp (endpoint, "ipc://", 6) != 0)
        return dw_endpoint_has_transport (endpoint) ? "its transport is not allowed"
                                                    : "it names no transport";
    if (dw_endpoint_reach (endpoint) == DW_REACH_NONE ||
        (is_tcp && (strcmp (port, ":*") == 0 || strcmp (port, ":0") == 0)))
        return "it is not written like one";
    return NULL;
}

static int s_connect (void *socket, const char *endpoint, dw_error_t *error) {
    const char *why_not = s_why_not (endpoint);
    if (!why_not && zmq_connect (socket, endpoint) == 0)
        return DW_OK;
    return dw_error_add (error, DW_EINVAL, DW_NOWHERE,
                         "\"%s\" is no endpoint to connect to (%s): tcp://HOST:PORT, or ipc://FILE",
                         endpoint, why_not ? why_not : zmq_strerror (errno));
}

int dw_link_open (dw_link_t *self, void *context, const char *endpoint, const dw_link_keys_t *keys,
                  dw_error_t *error) {
    static const dw_socket_option_t settings[] = {DW_SOCKET_OPTION (ZMQ_LINGER, LINGER_MS),
                                                  DW_SOCKET_OPTION (ZMQ_SNDHWM, 0),
                                                  DW_SOCKET_OPTION (ZMQ_CONNECT_TIMEOUT, KNOCK_MS)};
    *self = (dw_link_t){.socket = zmq_socket (context, ZMQ_DEALER)};
    if (!self->socket)
        return s_refuse ("no socket for a connection", error);
    int err = dw_socket_options_set (self->socket, settings, sizeof settings / sizeof *settings,
                                     error);
    if (!err)
        err = s_watch (self, context, error);
    if (!err && keys->has_keys)
        err = dw_keys_use (&keys->own, self->socket, keys->server_key, error);
    if (!err)
        err = dw_endpoint_prepare (self->socket, endpoint, error);
    if (!err)
        err = s_connect (self->socket, endpoint, error);
    if (err)
        dw_link_close (self);
    return err;
}

static void s_watch_no_more (dw_link_t *self) {
    if (!self->monitor)
        return;
    zmq_socket_monitor (self->socket, NULL, 0);
    zmq_close (self->monitor);
    self->monitor = NULL;
}

void dw_link_close (dw_link_t *self) {
    s_watch_no_more (self);
    if (self->socket)
        zmq_close (self->socket);
    *self = (dw_link_t){0};
}

/* Takes in what the monitor has seen: a frame with the event, and one with the endpoint. */
static void s_look (dw_link_t *self) {
    uint8_t bytes[64];
    while (self->monitor && zmq_recv (self->monitor, bytes, sizeof bytes, ZMQ_DONTWAIT) >= 2) {
        uint16_t event;
        memcpy (&event, bytes, sizeof event);
        self->was_connected |= event == ZMQ_EVENT_HANDSHAKE_SUCCEEDED;
        self->was_cut |= event == ZMQ_EVENT_DISCONNECTED && self->was_connected;
        self->was_refused |= event == ZMQ_EVENT_HANDSHAKE_FAILED_AUTH ||
                             event == ZMQ_EVENT_HANDSHAKE_FAILED_PROTOCOL;
        self->dropped_count += event == ZMQ_EVENT_HANDSHAKE_FAILED_NO_DETAIL;
        zmq_recv (self->monitor, bytes, sizeof bytes, ZMQ_DONTWAIT);
    }
}

/* A coordinator that cannot read what a peer's HELLO of CURVE says hangs up without a word, every
 * time, ten times a second. One that ends in the middle of a handshake does so once. */
#define DROPS_MIN 2u  /* so that it may be the key */
#define DROPS_MAX 14u /* so that more of them would say nothing new: some 2 s */

bool dw_link_is_cut (dw_link_t *self) {
    s_look (self);
    return self->was_cut;
}

int dw_link_wait (dw_link_t *self, int64_t deadline_ns, const dw_link_stop_t *stop) {
    bool can_stop = stop->socket || stop->fd > 0;
    self->was_stopped = false;
    for (;;) {
        int64_t left_ns = deadline_ns - dw_clock_ns ();
        zmq_pollitem_t items[3] = {{.socket = self->socket, .events = ZMQ_POLLIN},
                                   {.socket = self->monitor, .events = ZMQ_POLLIN},
                                   {.socket = stop->socket, .fd = stop->fd, .events = ZMQ_POLLIN}};
        int ready = zmq_poll (items, can_stop && !self->was_stopped ? 3 : 2,
                              left_ns > 0 ? (long) ((left_ns + 999999) / 1000000) : 0);
        if (ready < 0 && errno == ETERM)
            return DW_ECLOSED;
        if (ready > 0 && (items[0].revents & ZMQ_POLLIN))
            return DW_OK;
        s_look (self);
        if (ready > 0 && items[2].revents) { /* who may have been welcomed leaves with a word */
            self->was_stopped = true;
            deadline_ns = dw_clock_ns () + (self->was_connected ? LAST_WORD_NS : 0);
            continue;
        }
        if (self->was_refused || self->dropped_count >= DROPS_MAX)
            return DW_EKEY; /* of the former ZeroMQ does not try again */
        if (self->was_cut)
            return DW_ELOST; /* it does, but what was said is lost */
        if (left_ns <= 0)
            return self->was_stopped ? DW_ECLOSED : DW_ETIMEDOUT;
    }
}

int dw_link_blame (const dw_link_t *self, const char *endpoint, bool has_keys, dw_error_t *error) {
    if (self->was_stopped)
        return DW_ECLOSED;
    if (self->was_refused || self->dropped_count >= DROPS_MIN)
        return dw_error_add (
            error, DW_EKEY, DW_NOWHERE,
            has_keys
                ? "%s does not let this key in: have the public key added to the coordinator's list "
                  "of allowed keys, and check that the server key is that of the coordinator "
                  "(which may also have no keys at all)"
                : "%s wants a key and none was given: make one with dagwood keygen, have it added to "
                  "the coordinator's list, and name both key files (or no coordinator of "
                  "dagwood listens there)",
            endpoint);
    return dw_error_add (error, DW_ENOBODY, DW_NOWHERE,
                         self->was_connected
                             ? "%s does not answer: something listens there, but it is no "
                               "coordinator of dagwood, or it is held up"
                             : "nobody answers at %s: is the coordinator running there?",
                         endpoint);
}

int dw_link_greet (dw_link_t *self, const dw_link_greeting_t *greeting, dw_error_t *error) {
    const dw_link_keys_t *keys = greeting->keys;
    int waited;
    do {
        dw_link_close (self);
        int err = dw_link_open (self, greeting->context, greeting->endpoint, keys, error);
        if (err)
            return err;
        if (greeting->say_hello (greeting->arg) == DW_ENOMEM)
            return dw_error_add (error, DW_ENOMEM, DW_NOWHERE, "out of memory");
        /* What else kept it from being sent, such as a key that is refused, is seen by waiting. */
        waited = dw_link_wait (self, greeting->deadline_ns, greeting->stop);
    } while (waited == DW_ELOST && dw_clock_ns () < greeting->deadline_ns);
    return waited ? dw_link_blame (self, greeting->endpoint, keys->has_keys, error) : DW_OK;
}

int dw_link_on_refused (dw_wire_reader_t *reader, dw_error_t *error) {
    size_t size;
    uint32_t code = dw_read_uint_max (reader, 999);
    const char *text = dw_read_str (reader, 4096, &size);
    return dw_error_add (error,
                         code == 403   ? DW_EKEY
                         : code == 404 ? DW_EGRAPH
                                       : DW_EREFUSED,
                         DW_NOWHERE, "the coordinator refused: %.*s (%u)", text ? (int) size : 0,
                         text ? text : "", (unsigned) code);
}
