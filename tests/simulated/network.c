/* network.c - what sockets are connected by. */

#include "tests/simulated/network.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "tests/simulated/lies.h"
#include "tests/simulated/message.h"
#include "tests/simulated/monitor.h"
#include "tests/simulated/transcript.h"
#include "tests/support/verdict.h"

#define NEAR_NS  15000                /* what a message within a process takes at most */
#define RETRY_NS INT64_C (100000000)  /* ZMQ_RECONNECT_IVL */
#define KNOCK_NS INT64_C (1500000000) /* until who does not answer is asked anew */
#define KEEPALIVE_NS \
    INT64_C (4000000000) /* until TCP finds a host out that is gone, if it looks, */
#define TIMEOUT_NS INT64_C (900000000000) /* if it does not, */
#define DEAF_NS    INT64_C (6200000000)   /* until a few repetitions were in vain, */
#define NOTICE_NS  INT64_C (20000000) /* and until who is told that a connection is gone knows */

static struct {
    network_t network;
    uint32_t cuts_left;
    socket_t *sockets;
    context_t *contexts;
    uint64_t connections;
    pipe_t **listening; /* by connection: the end of whoever was connected to */
    size_t listening_size;
    void **kept; /* everything that is freed at the end */
    size_t kept_count, kept_size;
} s;

static void *s_keep (size_t size) {
    heap_t *before = heap_enter (NULL);
    if (s.kept_count == s.kept_size) {
        s.kept_size = s.kept_size ? 2 * s.kept_size : 256;
        s.kept = realloc (s.kept, s.kept_size * sizeof *s.kept);
        assert (s.kept);
    }
    void *memory = calloc (1, size);
    heap_enter (before);
    assert (memory);
    s.kept[s.kept_count++] = memory;
    return memory;
}

void network_begin (const network_t *network) {
    s.network = *network;
    s.cuts_left = network->cuts_max;
    s.sockets = NULL;
    s.contexts = NULL;
    s.connections = 0;
    s.listening_size = 0;
    s.listening = NULL;
}

uint32_t network_open_count (const process_t *process) {
    uint32_t count = 0;
    for (const socket_t *socket = s.sockets; socket; socket = socket->next)
        count += socket->process == process && !socket->is_closed;
    for (const context_t *context = s.contexts; context; context = context->next)
        count += context->process == process && !context->is_over;
    return count;
}

/* ---- Packets ---------------------------------------------------------------------------------- */

packet_t *packet_new (void) {
    heap_t *before = heap_enter (NULL);
    packet_t *self = calloc (1, sizeof *self);
    heap_enter (before);
    assert (self);
    return self;
}

zmq_msg_t *packet_push (packet_t *self) {
    if (self->count == self->size) {
        heap_t *before = heap_enter (NULL);
        self->size = self->size ? 2 * self->size : 4;
        self->frames = realloc (self->frames, self->size * sizeof *self->frames);
        heap_enter (before);
        assert (self->frames);
    }
    return &self->frames[self->count++];
}

/* Of one whose frames are somebody else's, or gone. */
static void s_forget (packet_t *self) {
    free (self->frames);
    free (self);
}

void packet_free (packet_t *self) {
    for (uint32_t i = 0; i < self->count; i++)
        zmq_msg_close (&self->frames[i]);
    s_forget (self);
}

static void s_append (packets_t *self, packet_t *packet) {
    packet->next = NULL;
    if (!self->first)
        self->last = &self->first;
    *self->last = packet;
    self->last = &packet->next;
    self->count++;
}

packet_t *packets_pop (packets_t *self) {
    packet_t *packet = self->first;
    if (!packet)
        return NULL;
    self->first = packet->next;
    self->count--;
    return packet;
}

/* Forgets all but the first; are_gone: so is the memory of their frames. Returns how many. */
static uint32_t s_drop (packets_t *self, uint32_t but, bool are_gone) {
    packets_t kept = {0};
    uint32_t dropped = 0;
    for (packet_t *packet; (packet = packets_pop (self));)
        if (but > 0) {
            but--;
            s_append (&kept, packet);
        } else {
            dropped += !packet->is_end;
            if (are_gone)
                s_forget (packet);
            else
                packet_free (packet);
        }
    *self = kept;
    if (self->first)
        for (self->last = &self->first; *self->last;)
            self->last = &(*self->last)->next;
    return dropped;
}

/* What was on its way to nobody; the memory of its frames went with whom they were for. */
static void s_forget_packets (void) {
    for (socket_t *socket = s.sockets; socket; socket = socket->next)
        for (pipe_t *pipe = socket->pipes; pipe; pipe = pipe->next) {
            s_drop (&pipe->inbox, 0, true);
            s_drop (&pipe->sent, 0, true);
        }
}

void network_end (void) {
    s_forget_packets ();
    for (size_t i = 0; i < s.kept_count; i++)
        free (s.kept[i]);
    s.kept_count = 0;
    free (s.listening);
}

/* ---- Made ------------------------------------------------------------------------------------- */

context_t *network_context_new (void) {
    context_t *self = s_keep (sizeof *self);
    *self = (context_t){.process = fibers_process (), .next = s.contexts};
    s.contexts = self;
    return self;
}

socket_t *network_socket_new (context_t *context, int type) {
    socket_t *self = s_keep (sizeof *self);
    self->type = type;
    self->context = context;
    self->process = context->process;
    self->next = s.sockets;
    s.sockets = self;
    return self;
}

pipe_t *network_pipe_new (socket_t *socket, bool is_network) {
    pipe_t *self = s_keep (sizeof *self), **link = &socket->pipes;
    self->socket = socket;
    self->is_network = is_network;
    uint32_t id = ++socket->ids_count;
    for (int i = 4; i > 0; i--, id >>= 8)
        self->id[i] = (uint8_t) id;
    while (*link)
        link = &(*link)->next;
    *link = self;
    return self;
}

static void s_tie (pipe_t *a, pipe_t *b) {
    a->peer = b;
    b->peer = a;
    a->connection = b->connection = ++s.connections;
    a->is_gone = b->is_gone = false;
    a->unheard_ns = b->unheard_ns = 0;
    if (s.connections >= s.listening_size) {
        heap_t *before = heap_enter (NULL);
        s.listening_size = 2 * s.listening_size + 64;
        s.listening = realloc (s.listening, s.listening_size * sizeof *s.listening);
        heap_enter (before);
        assert (s.listening);
    }
    s.listening[s.connections] = b;
}

void network_each (const context_t *context, void (*visit) (socket_t *socket)) {
    for (socket_t *socket = s.sockets; socket; socket = socket->next)
        if (socket->context == context && !socket->is_closed)
            visit (socket);
}

socket_t *network_find (const char *endpoint, const context_t *context) {
    for (socket_t *socket = s.sockets; socket; socket = socket->next)
        if (!socket->is_closed && strcmp (socket->bound, endpoint) == 0 &&
            (socket->context == context || strncmp (endpoint, "inproc:", 7) != 0))
            return socket;
    return NULL;
}

static void s_on_cut (void *arg) {
    network_cut ((uint64_t) (uintptr_t) arg);
}

/* ---- On the way ------------------------------------------------------------------------------- */

static int64_t s_draw_delay (const pipe_t *pipe) {
    random_t *random = fibers_random ();
    if (!pipe->is_network)
        return random_between (random, 0, NEAR_NS);
    return random_between (random, 5000,
                           random_one_in (random, 50) ? s.network.slow_ns : s.network.delay_ns);
}

static void s_wake (socket_t *socket) {
    if (socket->waiter && !socket->is_closed)
        fibers_wake (socket->waiter);
}

/* The socket sees that its connection is gone. */
static void s_notice (pipe_t *pipe) {
    socket_t *socket = pipe->socket;
    if (socket->is_closed || pipe->peer || pipe->is_gone)
        return;
    pipe->is_gone = true;
    if (pipe->is_network && socket->type == ZMQ_DEALER) {
        transcript_tell ("%s: connection %u is cut", socket->process->name,
                         (unsigned) pipe->connection);
        monitor_tell (socket, ZMQ_EVENT_DISCONNECTED);
        if (socket->options[ZMQ_RECONNECT_IVL] >= 0)
            network_connect (socket);
    }
    s_wake (socket);
}

static void s_on_notice (void *arg) {
    pipe_t *pipe = arg;
    const socket_t *socket = pipe->socket;
    if (socket->process->is_stopped && !socket->is_closed) /* its I/O thread is stopped too */
        fibers_at (fibers_now_ns () + NOTICE_NS, s_on_notice, pipe);
    else
        s_notice (pipe);
}

static bool s_is_held_up (const pipe_t *from) {
    return from->is_network &&
           (from->socket->process->is_mute || from->peer->socket->process->is_deaf);
}

static void s_deliver (pipe_t *from, packet_t *packet) {
    pipe_t *to = from->peer;
    if (packet->is_end) {
        s_forget (packet);
        from->peer = to->peer = NULL;
        s_on_notice (to);
        return;
    }
    if (to->socket->is_closed) {
        packet_free (packet);
        return;
    }
    for (uint32_t i = 0; i < packet->count; i++) {
        message_of (&packet->frames[i])->connection = (uint32_t) to->connection;
        if (to->socket->type !=
            ZMQ_PAIR) /* those are told structures, between whose parts anything may stand */
            fibers_note (zmq_msg_data (&packet->frames[i]), zmq_msg_size (&packet->frames[i]));
    }
    verdict->messages++;
    transcript_tell_message (from, packet);
    s_append (&to->inbox, packet);
    s_wake (to->socket);
}

/* What is due arrives. */
static void s_on_arrival (void *arg) {
    pipe_t *from = arg;
    while (from->peer && from->sent.first && from->sent.first->at_ns <= fibers_now_ns () &&
           !s_is_held_up (from))
        s_deliver (from, packets_pop (&from->sent));
}

/* It is on its way from now on: what travels to another process becomes memory of that one. */
static void s_depart (pipe_t *from, packet_t *packet) {
    heap_t *before = heap_enter (&from->peer->socket->process->heap);
    for (uint32_t i = 0; from->is_network && i < packet->count; i++) {
        zmq_msg_t copy, *frame = &packet->frames[i];
        bool has_more = message_of (frame)->has_more;
        zmq_msg_init_size (&copy, zmq_msg_size (frame));
        memcpy (zmq_msg_data (&copy), zmq_msg_data (frame), zmq_msg_size (frame));
        message_of (&copy)->has_more = has_more;
        zmq_msg_close (frame);
        *frame = copy;
    }
    heap_enter (before);
    int64_t at_ns = fibers_now_ns () + s_draw_delay (from);
    packet->at_ns = from->arrives_ns = at_ns > from->arrives_ns ? at_ns : from->arrives_ns;
    fibers_at (packet->at_ns, s_on_arrival, from);
}

/* What waited for a connection is sent by it. */
static void s_depart_all (pipe_t *from) {
    for (packet_t *packet = from->sent.first; packet; packet = packet->next)
        s_depart (from, packet);
}

/* The line is cut while this message is on its way. */
static void s_cut_perhaps (const pipe_t *pipe) {
    if (!pipe->is_network || !s.network.cut_one_in || s.cuts_left == 0 ||
        !random_one_in (fibers_random (), s.network.cut_one_in))
        return;
    s.cuts_left--;
    fibers_at (fibers_now_ns () + random_between (fibers_random (), 0, s.network.delay_ns),
               s_on_cut, (void *) (uintptr_t) pipe->connection);
}

void network_send (pipe_t *pipe, packet_t *packet) {
    if (!pipe->peer && pipe->is_gone && pipe->socket->type == ZMQ_ROUTER) {
        packet_free (packet);
        return;
    }
    bool is_cut = !pipe->peer && !pipe->is_gone && pipe->connection; /* and nobody has seen it */
    if (is_cut || (pipe->peer && pipe->peer->socket->is_closed)) {
        verdict->lost_messages++;
        if (!pipe->unheard_ns)
            pipe->unheard_ns = fibers_now_ns ();
        packet_free (packet);
        return;
    }
    bool is_changed = pipe->peer && pipe->is_network &&
                      ((pipe->socket->process->lies && lies_tell (pipe, packet)) ||
                       (pipe->peer->socket->process->lies && lies_change (pipe, packet)));
    if (is_changed)
        return;
    s_append (&pipe->sent, packet);
    if (!pipe->peer)
        return;
    s_depart (pipe, packet);
    s_cut_perhaps (pipe);
}

void network_join (pipe_t *a, pipe_t *b) {
    s_tie (a, b);
}

/* ---- Connecting ------------------------------------------------------------------------------- */

static void s_on_try (void *arg);

static bool s_is_reached (const socket_t *socket, const socket_t *listener) {
    const process_t *near = socket->process, *far = listener->process;
    return !near->is_deaf && !near->is_mute && !far->is_stopped && !far->is_deaf && !far->is_mute;
}

static void s_try_later (socket_t *socket, int64_t ns) {
    if (socket->options[ZMQ_RECONNECT_IVL] >= 0)
        fibers_at (fibers_now_ns () + ns + random_between (fibers_random (), 0, ns / 4), s_on_try,
                   socket);
}

/* The end of a connection that a socket makes: there from the beginning, unless messages are to
 * wait for no connection. */
static pipe_t *s_own_pipe (socket_t *socket) {
    for (pipe_t *pipe = socket->pipes; pipe; pipe = pipe->next)
        if (pipe->is_network && !pipe->peer && !socket->options[ZMQ_IMMEDIATE])
            return pipe;
    return network_pipe_new (socket, true);
}

static void s_on_try (void *arg) {
    socket_t *socket = arg, *listener = network_find (socket->to, NULL);
    if (socket->is_closed || socket->context->is_shut)
        return;
    if (socket->process->is_stopped || !listener) {
        s_try_later (socket, RETRY_NS);
        return;
    }
    if (!s_is_reached (socket, listener)) {
        s_try_later (socket, KNOCK_NS);
        return;
    }
    pipe_t *own = s_own_pipe (socket), *theirs = network_pipe_new (listener, true);
    s_tie (own, theirs);
    transcript_tell ("%s: connection %u to %s", socket->process->name, (unsigned) own->connection,
                     listener->process->name);
    monitor_tell (socket, ZMQ_EVENT_HANDSHAKE_SUCCEEDED);
    s_depart_all (own);
    s_wake (socket);
}

void network_connect (socket_t *socket) {
    bool has_been = socket->pipes && socket->pipes->connection;
    if (!socket->pipes && !socket->options[ZMQ_IMMEDIATE])
        network_pipe_new (socket, true);
    int64_t delay_ns = random_between (fibers_random (), 20000, 2 * s.network.delay_ns);
    fibers_at (fibers_now_ns () + (has_been ? RETRY_NS : 0) + delay_ns, s_on_try, socket);
}

/* ---- Closing ---------------------------------------------------------------------------------- */

static void s_send_end (pipe_t *pipe) {
    packet_t *end = packet_new ();
    end->is_end = true;
    s_append (&pipe->sent, end);
    s_depart (pipe, end);
}

void network_close (socket_t *socket) {
    socket->is_closed = true;
    for (pipe_t *pipe = socket->pipes; pipe; pipe = pipe->next) {
        s_drop (&pipe->inbox, 0, false);
        if (!pipe->peer) {
            s_drop (&pipe->sent, 0, false);
            continue;
        }
        s_drop (&pipe->peer->sent, 0, false); /* nobody will read it */
        if (pipe->is_network && socket->options[ZMQ_LINGER] == 0)
            verdict->lost_messages += s_drop (
                &pipe->sent, random_below (fibers_random (), pipe->sent.count + 1), false);
        s_send_end (pipe);
    }
}

void network_process_gone (process_t *process) {
    for (socket_t *socket = s.sockets; socket; socket = socket->next) {
        if (socket->process != process || socket->is_closed)
            continue;
        socket->is_closed = true;
        for (pipe_t *pipe = socket->pipes; pipe; pipe = pipe->next) {
            pipe_t *peer = pipe->peer;
            s_drop (&pipe->inbox, 0, true);
            if (!peer || peer->socket->process == process) {
                s_drop (&pipe->sent, 0, true);
                continue;
            }
            s_drop (&peer->sent, 0, true);
            verdict->lost_messages += s_drop (
                &pipe->sent, random_below (fibers_random (), pipe->sent.count + 1), false);
            s_send_end (pipe);
        }
        if (socket->in)
            s_forget (socket->in);
        if (socket->out)
            s_forget (socket->out);
        socket->in = socket->out = NULL;
    }
    for (context_t *context = s.contexts; context; context = context->next)
        context->is_over |= context->process == process;
}

/* ---- Faults ----------------------------------------------------------------------------------- */

/* What is on its way is lost, but for the first, which arrive now. */
static void s_lose (pipe_t *from) {
    uint32_t but = random_below (fibers_random (), from->sent.count + 1);
    for (; but > 0 && from->peer && from->sent.first && !from->sent.first->is_end &&
           !s_is_held_up (from);
         but--)
        s_deliver (from, packets_pop (&from->sent));
    uint32_t lost = s_drop (&from->sent, 0, false);
    verdict->lost_messages += lost;
    if (lost > 0)
        from->unheard_ns = fibers_now_ns ();
}

/* How long it takes a socket to see that its connection is gone; is_late: nobody tells it. */
static int64_t s_draw_notice (const pipe_t *pipe, bool is_late) {
    bool looks = pipe->socket->options[ZMQ_TCP_KEEPALIVE] == 1;
    return random_between (fibers_random (), 0,
                           !is_late ? NOTICE_NS
                           : looks  ? KEEPALIVE_NS
                                    : TIMEOUT_NS);
}

static void s_cut (pipe_t *a, bool is_half_open) {
    pipe_t *b = a->peer;
    random_t *random = fibers_random ();
    s_lose (a);
    s_lose (b);
    a->peer = b->peer = NULL;
    pipe_t *late = is_half_open ? random_one_in (random, 2) ? a : b : NULL;
    fibers_at (fibers_now_ns () + s_draw_notice (a, a == late), s_on_notice, a);
    fibers_at (fibers_now_ns () + s_draw_notice (b, b == late), s_on_notice, b);
    verdict->cuts++;
    verdict->half_open += is_half_open;
}

/* NULL: it is none between processes. */
static pipe_t *s_listening (uint64_t connection) {
    pipe_t *pipe = connection > 0 && connection <= s.connections ? s.listening[connection] : NULL;
    return pipe && pipe->is_network ? pipe : NULL;
}

void network_cut (uint64_t connection) {
    pipe_t *pipe = s_listening (connection);
    if (pipe && pipe->peer)
        s_cut (pipe, false);
}

bool network_is_cut_off (uint64_t connection) {
    const pipe_t *pipe = s_listening (connection);
    if (!pipe || pipe->peer)
        return false;
    return pipe->is_gone || (pipe->unheard_ns && fibers_now_ns () - pipe->unheard_ns > DEAF_NS);
}

bool network_cut_some (process_t *process, uint32_t which, bool is_half_open) {
    pipe_t *found[32];
    uint32_t count = 0;
    for (socket_t *socket = s.sockets; socket; socket = socket->next)
        for (pipe_t *pipe = socket->pipes; pipe && socket->process == process && !socket->is_closed;
             pipe = pipe->next)
            if (pipe->is_network && pipe->peer && count < 32)
                found[count++] = pipe;
    if (count == 0)
        return false;
    s_cut (found[which % count], is_half_open);
    return true;
}

void network_look_at (process_t *process) {
    for (socket_t *socket = s.sockets; socket; socket = socket->next)
        for (pipe_t *pipe = socket->pipes; pipe; pipe = pipe->next)
            if (pipe->is_network && pipe->peer &&
                (socket->process == process || pipe->peer->socket->process == process))
                fibers_at (fibers_now_ns () + s_draw_delay (pipe), s_on_arrival, pipe);
}
