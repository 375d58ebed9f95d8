/* worker.c - an actor that runs processors behind one DEALER: its connection and its thread. */

#include "actors/worker_self.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "actors/clock.h"
#include "actors/endpoint.h"
#include "actors/option.h"

#define ASKED_NS       10000000 /* how often, at work, it looks whether somebody asks what it is at */
#define SILENCE_MS_MAX 3600000u /* that TCP is asked to notice */
#define SILENCES       10       /* of an idle slot, before it is sure that nothing comes any more */

void dw_worker_give_up (dw_worker_t *self) {
    self->stopping = self->is_gone = true;
}

/* ---- Its socket ------------------------------------------------------------------------------- */

/* Takes a message that is there, without waiting. Errors: as dw_message_receive. */
static int s_receive (dw_worker_t *self, dw_message_t *message) {
    int err = dw_message_receive (message, self->socket);
    if (err == DW_OK && self->options.silence_ms) {
        self->heard_ns = dw_clock_ns ();
        self->asked_ns = 0;
    }
    return err;
}

/* Takes in what has come while a message is being worked on: what is about the tasks under way at
 * once, the rest waits. */
static void s_look (dw_worker_t *self) {
    while (!self->is_gone) {
        dw_message_t message = {0};
        int err = s_receive (self, &message);
        if (err) {
            dw_message_free (&message);
            if (err == DW_ECLOSED)
                dw_worker_give_up (self);
            return;
        }
        dw_wire_reader_t reader = dw_wire_reader (zmq_msg_data (&message.frames[0]),
                                                  zmq_msg_size (&message.frames[0]));
        uint32_t type = dw_read_uint_max (&reader, DW_WIRE_TYPES);
        if (type == DW_WIRE_CANCEL && !reader.is_damaged)
            dw_worker_on_cancel (self, &reader);
        else if (type == DW_WIRE_STOP && !reader.is_damaged)
            self->stopping = true;
        else {
            dw_worker_waiting_t *waiting = malloc (sizeof *waiting);
            if (waiting) {
                *waiting = (dw_worker_waiting_t){.message = message};
                *self->waiting_end = waiting;
                self->waiting_end = &waiting->next;
                continue;
            }
            self->stopping = true; /* tasks must not be lost: gone is better than silent */
        }
        dw_message_free (&message);
    }
}

/* Says what it is at to who asks. */
static void s_say_where (dw_worker_t *self, dw_wire_at_t at) {
    dw_wire_slot_t slot = {.number = self->options.number,
                           .at = at,
                           .ticket = at == DW_WIRE_AT_TASK ? self->ticket : self->unsent_ticket};
    char ask;
    while (self->tether && zmq_recv (self->tether, &ask, sizeof ask, ZMQ_DONTWAIT) >= 0)
        zmq_send (self->tether, &slot, sizeof slot, ZMQ_DONTWAIT);
}

/* The same while it is at work, now and then. */
static void s_say_where_at_work (dw_worker_t *self) {
    int64_t now_ns = self->tether ? dw_clock_ns () : 0;
    if (!self->tether || now_ns - self->said_ns < ASKED_NS)
        return;
    self->said_ns = now_ns;
    s_say_where (self, DW_WIRE_AT_TASK);
}

void dw_worker_look_up (dw_worker_t *self) {
    s_look (self);
    s_say_where_at_work (self);
}

/* Whether a connection to another process, which may be cut, is there. It is not made again
 * (RECONNECT_IVL), so that what the coordinator has lost never goes on unseen. */
static bool s_is_connected (dw_worker_t *self) {
    int events = 0;
    size_t size = sizeof events;
    return self->options.silence_ms == 0 ||
           (zmq_getsockopt (self->socket, ZMQ_EVENTS, &events, &size) == 0 &&
            (events & ZMQ_POLLOUT));
}

static bool s_is_cancelled (void *arg) {
    dw_worker_t *self = arg;
    dw_worker_look_up (self);
    if (!s_is_connected (self)) /* nobody waits for its answer */
        dw_worker_give_up (self);
    return self->is_gone || dw_worker_is_step_cancelled (self);
}

/* ---- The actor -------------------------------------------------------------------------------- */

/* Waits for the connection. */
static void s_wait_connected (dw_worker_t *self) {
    zmq_pollitem_t item = {.socket = self->socket, .events = ZMQ_POLLOUT};
    if (self->options.silence_ms && zmq_poll (&item, 1, (long) self->options.silence_ms) <= 0)
        dw_worker_give_up (self);
}

static void s_say_hello (dw_worker_t *self) {
    dw_wire_hello_t hello = {.version = DW_WIRE_VERSION,
                             .oldest = DW_WIRE_OLDEST,
                             .role = DW_WIRE_WORKER,
                             .token = self->options.token ? self->options.token
                                                          : self->options.program->token,
                             .number = self->options.number,
                             .credit = self->options.credit};
    dw_write_hello (&self->packet.head, &hello);
    if (dw_packet_send (&self->packet, self->socket, NULL, 0))
        dw_worker_give_up (self);
    self->heard_ns = dw_clock_ns ();
}

static void s_on_message (dw_worker_t *self) {
    zmq_msg_t *head = &self->message.frames[0];
    dw_wire_reader_t reader = dw_wire_reader (zmq_msg_data (head), zmq_msg_size (head));
    uint32_t type = dw_read_uint_max (&reader, DW_WIRE_TYPES);
    if (reader.is_damaged)
        return;
    switch ((dw_wire_type_t) type) {
        case DW_WIRE_WELCOME: self->peer = dw_read_uint_max (&reader, UINT32_MAX); return;
        case DW_WIRE_TASKS: dw_worker_on_tasks (self, &reader); return;
        case DW_WIRE_DROP: dw_worker_on_drop (self, &reader); return;
        case DW_WIRE_CANCEL: return; /* its answer has been sent */
        case DW_WIRE_STOP:
        case DW_WIRE_REFUSED: self->stopping = true; return;
        case DW_WIRE_HELLO:
        case DW_WIRE_ANSWERS:
        case DW_WIRE_SUBMIT:
        case DW_WIRE_ABORT:
        case DW_WIRE_RESULTS:
        case DW_WIRE_BYE:
        case DW_WIRE_CLOSE:
        case DW_WIRE_CLOSED:
        case DW_WIRE_COUNT:
        case DW_WIRE_COUNTS:
        case DW_WIRE_BEAT:
        case DW_WIRE_DRAIN:
        case DW_WIRE_REPLACE:
        case DW_WIRE_STATUS:
        case DW_WIRE_RELOAD:
        case DW_WIRE_ENDED:
        case DW_WIRE_STALLED:
        case DW_WIRE_TAKEN:
        case DW_WIRE_DETACH:
        case DW_WIRE_CLAIM:
        case DW_WIRE_WHERE:
        case DW_WIRE_MOVED:
        case DW_WIRE_REFER:
        case DW_WIRE_TYPES: return; /* not for a worker */
        case DW_WIRE_GRAPH: dw_worker_on_graph (self, &reader); return;
    }
}

/* Nothing comes by a connection that is not cut: what is sent may be lost on the way all the same.
 * So an idle slot asks, and when nothing comes for much longer than a large message takes, which
 * hides the answer until it is there whole, its agent makes another. */
static void s_look_for_silence (dw_worker_t *self, int64_t now_ns) {
    int64_t silence_ns = (int64_t) self->options.silence_ms * 1000000;
    if (self->asked_ns) {
        if (now_ns - self->asked_ns >= SILENCES * silence_ns)
            dw_worker_give_up (self);
    } else if (now_ns - self->heard_ns >= silence_ns) {
        self->asked_ns = now_ns;
        dw_write_uint (&self->packet.head, DW_WIRE_BEAT);
        dw_write_uint (&self->packet.head, self->peer);
        if (dw_packet_send (&self->packet, self->socket, NULL, 0))
            dw_worker_give_up (self);
    }
}

/* The next message: one that waited, else one from the socket. */
static void s_next_message (dw_worker_t *self) {
    dw_worker_waiting_t *waiting = self->waiting;
    if (waiting) {
        dw_message_free (&self->message);
        self->message = waiting->message;
        self->waiting = waiting->next;
        if (!self->waiting)
            self->waiting_end = &self->waiting;
        free (waiting);
        s_on_message (self);
        return;
    }
    int err = s_receive (self, &self->message);
    if (err == DW_OK)
        s_on_message (self);
    else if (err == DW_EAGAIN && s_is_connected (self)) {
        int64_t now_ns = dw_clock_ns (), look_ns = (int64_t) self->options.heartbeat_ms * 1000000;
        void *sockets[] = {self->socket, self->tether};
        s_say_where (self, DW_WIRE_AT_IDLE);
        if (self->options.silence_ms)
            s_look_for_silence (self, now_ns);
        if (!dw_actor_wait (sockets, self->tether ? 2 : 1, now_ns + self->options.spin_ns,
                            look_ns ? now_ns + look_ns : INT64_MAX))
            dw_worker_give_up (self);
    } else
        dw_worker_give_up (self);
}

static void s_close (dw_worker_t *self) {
    if (self->socket)
        zmq_close (self->socket);
    if (self->tether)
        zmq_close (self->tether);
    self->socket = self->tether = NULL;
}

static void *s_worker_actor (void *args) {
    dw_worker_t *self = args;
    s_wait_connected (self);
    s_say_hello (self);
    while (!self->stopping)
        s_next_message (self);
    /* From elsewhere BYE says that nothing was begun, which who could not answer does not know. */
    if (!self->is_gone || self->options.silence_ms == 0) {
        dw_write_uint (&self->packet.head, DW_WIRE_BYE);
        dw_write_uint (&self->packet.head, self->peer);
        dw_packet_send (&self->packet, self->socket, NULL, 0);
    }
    dw_message_clear (&self->message);
    while (self->waiting) {
        dw_worker_waiting_t *waiting = self->waiting;
        self->waiting = waiting->next;
        dw_message_free (&waiting->message);
        free (waiting);
    }
    while (self->grown) /* whoever takes its place may be there long before it is joined */
        dw_grown_drop_first (&self->grown);
    s_close (self);
    if (self->options.ended)
        self->options.ended (self->options.ended_arg);
    return NULL;
}

/* ---- Made, joined, destroyed ------------------------------------------------------------------ */

/* Says that the machine refuses an actor what it needs, which limit is to be raised, and for which
 * node the actor would have been. */
static int s_refuse (const dw_worker_t *self, const char *what, const char *limit,
                     dw_error_t *error) {
    const dw_worker_options_t *options = &self->options;
    if (options->node == DW_NONE)
        return dw_error_add (
            error, DW_ELIMIT, DW_NOWHERE,
            "no %s for actor %u of the pool: raise the limit of %s, or use a smaller "
            "pool",
            what, (unsigned) options->number, limit);
    return dw_error_add (
        error, DW_ELIMIT, DW_NOWHERE,
        "no %s for the actor of node \"%s\": raise the limit of %s, or use actors: "
        "pool",
        what, options->program->plan->ids[options->node], limit);
}

static int s_set_options (const dw_worker_t *self, dw_error_t *error) {
    static const dw_socket_option_t of_all[] = {
        DW_SOCKET_OPTION (ZMQ_LINGER, 100),
        DW_SOCKET_OPTION (ZMQ_SNDHWM, 0),
        DW_SOCKET_OPTION (ZMQ_RCVHWM, 0),
    };
    uint32_t silence_ms = self->options.silence_ms < SILENCE_MS_MAX ? self->options.silence_ms
                                                                    : SILENCE_MS_MAX;
    uint32_t every_s = silence_ms / 120000 + 1; /* so that 120 probes are enough: Linux takes 127 */
    /* A host or a line that is gone is found by TCP; not by heartbeats of ZeroMQ, which end the
     * program when the socket lingers and the peer goes (libzmq 4.3.4, an assertion; see
     * coordinator_sockets.c, s_listen_elsewhere). */
    const dw_socket_option_t of_one_elsewhere[] = {
        DW_SOCKET_OPTION (ZMQ_IMMEDIATE, 1),
        DW_SOCKET_OPTION (ZMQ_RECONNECT_IVL, -1), /* never */
        DW_SOCKET_OPTION (ZMQ_TCP_KEEPALIVE, 1),
        DW_SOCKET_OPTION (ZMQ_TCP_KEEPALIVE_IDLE, every_s),
        DW_SOCKET_OPTION (ZMQ_TCP_KEEPALIVE_INTVL, every_s),
        DW_SOCKET_OPTION (ZMQ_TCP_KEEPALIVE_CNT, silence_ms / 1000 / every_s + 1),
        DW_SOCKET_OPTION (ZMQ_TCP_MAXRT, silence_ms),
    };
    int err = dw_socket_options_set (self->socket, of_all, sizeof of_all / sizeof *of_all, error);
    if (!err && silence_ms)
        err = dw_socket_options_set (self->socket, of_one_elsewhere,
                                     sizeof of_one_elsewhere / sizeof *of_one_elsewhere, error);
    return err;
}

static int s_connect (dw_worker_t *self, dw_error_t *error) {
    self->socket = zmq_socket (self->options.context, ZMQ_DEALER);
    if (!self->socket)
        return s_refuse (self, "socket", "open files (RLIMIT_NOFILE, ulimit -n)", error);
    int err = s_set_options (self, error);
    if (err)
        return err;
    const dw_link_keys_t *keys = self->options.keys;
    if (keys && keys->has_keys) {
        err = dw_keys_use (&keys->own, self->socket, keys->server_key, error);
        if (err)
            return err;
    }
    err = dw_endpoint_prepare (self->socket, self->options.endpoint, error);
    if (err)
        return err;
    if (zmq_connect (self->socket, self->options.endpoint))
        return dw_error_add (error, DW_EINVAL, DW_NOWHERE, "cannot connect to %s: %s",
                             self->options.endpoint, zmq_strerror (errno));
    return DW_OK;
}

static int s_connect_tether (dw_worker_t *self, dw_error_t *error) {
    static const dw_socket_option_t options[] = {DW_SOCKET_OPTION (ZMQ_LINGER, 0)};
    if (!self->options.tether)
        return DW_OK;
    self->tether = zmq_socket (self->options.context, ZMQ_PAIR);
    if (!self->tether || zmq_connect (self->tether, self->options.tether))
        return s_refuse (self, "socket", "open files (RLIMIT_NOFILE, ulimit -n)", error);
    return dw_socket_options_set (self->tether, options, 1, error);
}

static int s_fd (const dw_worker_t *self) {
    int fd = -1;
    size_t size = sizeof fd;
    return zmq_getsockopt (self->socket, ZMQ_FD, &fd, &size) ? -1 : fd;
}

static int s_start_thread (dw_worker_t *self, dw_error_t *error) {
    char name[16];
    snprintf (name, sizeof name, "dw-worker-%u", (unsigned) (self->options.number % 100000u));
    if (dw_actor_start (&self->actor, name, self->options.stack_bytes, s_worker_actor, self))
        return s_refuse (self, "thread", "threads (RLIMIT_NPROC, ulimit -u) or of memory", error);
    return DW_OK;
}

int dw_worker_new (dw_worker_t **self_p, const dw_worker_options_t *options, dw_error_t *error) {
    dw_worker_t *self = calloc (1, sizeof *self);
    if (!self)
        return dw_error_add (error, DW_ENOMEM, DW_NOWHERE, "out of memory");
    self->options = *options;
    self->waiting_end = &self->waiting;
    int err = dw_host_new (&self->host, options->program, options->node, error);
    if (!err)
        err = s_connect (self, error);
    if (!err)
        err = s_connect_tether (self, error);
    if (!err)
        dw_host_set_cancelled (self->host, s_is_cancelled, self, s_fd (self));
    if (!err)
        err = s_start_thread (self, error);
    if (err)
        dw_worker_destroy (&self);
    else
        *self_p = self;
    return err;
}

bool dw_worker_join (dw_worker_t *self, int64_t deadline_ns) {
    return dw_actor_join (&self->actor, deadline_ns);
}

bool dw_worker_was_cut (const dw_worker_t *self) {
    assert (!self->actor.is_running);
    return self->is_gone;
}

void dw_worker_destroy (dw_worker_t **self_p) {
    dw_worker_t *self = *self_p;
    if (!self)
        return;
    assert (!self->actor.is_running);
    s_close (self);
    dw_host_destroy (&self->host);
    dw_message_free (&self->message);
    dw_packet_free (&self->packet);
    dw_worker_free_tasks (self);
    free (self);
    *self_p = NULL;
}
