/* coordinator.c - the shell around the scheduler: the loop, its own work, closing, making. */

#include <assert.h>
#include <errno.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "actors/clock.h"
#include "actors/coordinator_self.h"
#include "actors/endpoint.h"

#define MESSAGES_MAX    64         /* taken in before the scheduler is asked */
#define STACK_BYTES     (1u << 20) /* of its thread */
#define ROOM_BYTES      (16 << 20) /* of a message from a network besides its payloads */
#define CLOSING_MS_MAX  3600000u
#define HANDSHAKE_MS    1000
#define KEEPALIVE_S     5
#define KEEPALIVE_TIMES 3
#define WAITING_MAX \
    (3 * DW_WORKER_CREDIT) /* messages for a peer elsewhere, besides one for each run */

void dw_coordinator_notice (dw_coordinator_t *self, const char *format, ...) {
    char line[512];
    va_list arguments;
    if (!self->options.notice)
        return;
    va_start (arguments, format);
    vsnprintf (line, sizeof line, format, arguments);
    va_end (arguments);
    self->options.notice (self->options.notice_arg, line);
}

dw_event_t *dw_coordinator_event (dw_coordinator_t *self, dw_event_type_t type) {
    if (!dw_outcomes_reserve (&self->outcomes, 1)) {
        self->is_over = true;
        return NULL;
    }
    dw_event_t *event = &self->outcomes.events[self->outcomes.events_count++];
    memset (event, 0, sizeof *event);
    event->type = (uint8_t) type;
    return event;
}

dw_slot_t *dw_coordinator_slot (dw_coordinator_t *self) {
    if (!dw_outcomes_reserve (&self->outcomes, 1)) {
        self->is_over = true;
        return NULL;
    }
    dw_slot_t *slot = &self->outcomes.slots[self->outcomes.slots_count++];
    memset (slot, 0, sizeof *slot);
    return slot;
}

/* ---- What comes in: all ----------------------------------------------------------------------- */

static void s_on_hello (dw_coordinator_t *self, uint32_t router, dw_wire_reader_t *reader) {
    char text[96];
    dw_wire_hello_t hello;
    if (!dw_read_hello (reader, &hello)) {
        dw_coordinator_refuse (self, router, 400,
                               "this is a dagwood coordinator, and that was no HELLO");
        return;
    }
    if (hello.version != DW_WIRE_VERSION) {
        snprintf (text, sizeof text, "protocol version %u is spoken here, not %u", DW_WIRE_VERSION,
                  (unsigned) hello.version);
        dw_coordinator_refuse (self, router, 400, text);
        return;
    }
    uint8_t key[DW_KEY_SIZE] = {0};
    bool is_elsewhere = router == self->listen_router;
    if (is_elsewhere && !dw_coordinator_may_enter (self, hello.role, key)) {
        dw_coordinator_refuse (
            self, router, 403,
            "this key is not listed in that role: a worker's needs a line \"worker\" in "
            "the list of allowed keys, a client's one \"client\" or \"monitor\"");
        return;
    }
    if (!is_elsewhere &&
        memcmp (hello.token, self->options.program->token, DW_WIRE_TOKEN_SIZE) != 0) {
        dw_coordinator_refuse (self, router, 403, "the token is not that of this system");
        return;
    }
    if (dw_peers_has_sender (&self->peers, router))
        dw_coordinator_refuse (self, router, 400, "this connection has said HELLO already");
    else if (hello.role == DW_WIRE_WORKER)
        dw_coordinator_welcome_worker (self, router, key, &hello);
    else if (hello.role == DW_WIRE_CLIENT)
        dw_coordinator_welcome_client (self, router, key);
    else if (hello.role == DW_WIRE_AGENT)
        dw_coordinator_welcome_agent (self, router, key, reader);
    else if (hello.role == DW_WIRE_OWNER && router == 0 && self->owner == DW_PEER_NONE) {
        dw_peer_t *peer = dw_peers_add (&self->peers, router, DW_WIRE_OWNER);
        if (peer)
            self->owner = dw_peers_index (&self->peers, peer);
    } else
        dw_coordinator_refuse (self, router, 403, "this role is not to be had");
}

static void s_on_close (dw_coordinator_t *self, dw_wire_reader_t *reader) {
    uint32_t timeout_ms = dw_read_uint_max (reader, CLOSING_MS_MAX);
    self->is_closing = true;
    self->close_by_ns = dw_clock_ns () + (int64_t) timeout_ms * 1000000;
    for (uint32_t i = 0; i < self->runs_used; i++)
        if (self->runs[i].is_live)
            dw_coordinator_abort_run (self, i);
}

static void s_on_count (dw_coordinator_t *self, uint32_t router) {
    dw_writer_t *head = &self->reply.head;
    dw_write_uint (head, DW_WIRE_COUNTS);
    dw_write_uint (head, self->peers.messages_count);
    dw_write_uint (head, self->workers[self->workers_count].steps_count);
    for (uint32_t i = 0; i < self->workers_count; i++)
        dw_write_uint (head, self->workers[i].steps_count);
    dw_peers_reply (&self->peers, router, &self->reply);
}

static void s_on_message (dw_coordinator_t *self, uint32_t router, uint32_t type,
                          dw_wire_reader_t *reader) {
    if (type == DW_WIRE_HELLO) {
        s_on_hello (self, router, reader);
        return;
    }
    if (type == DW_WIRE_CLOSE || type == DW_WIRE_COUNT ||
        type == DW_WIRE_RELOAD) { /* the owner's, who is told no number */
        if (self->owner == DW_PEER_NONE || !dw_peers_is_from (&self->peers, router, self->owner))
            self->peers.unknown_count++;
        else if (type == DW_WIRE_CLOSE)
            s_on_close (self, reader);
        else if (type == DW_WIRE_RELOAD)
            dw_coordinator_reload (self);
        else
            s_on_count (self, router);
        return;
    }
    dw_peer_t *peer = dw_peers_sender (&self->peers, router, reader);
    if (!peer)
        return;
    uint32_t index = dw_peers_index (&self->peers, peer);
    bool is_client = peer->role == DW_WIRE_CLIENT, is_worker = peer->role == DW_WIRE_WORKER;
    bool is_agent = peer->role == DW_WIRE_AGENT;
    if (type == DW_WIRE_ANSWERS && is_worker)
        dw_coordinator_on_answers (self, peer, reader);
    else if (type == DW_WIRE_SUBMIT && is_client)
        dw_coordinator_on_submit (self, router, index, reader);
    else if (type == DW_WIRE_ABORT && is_client)
        dw_coordinator_on_abort (self, index, reader);
    else if (type == DW_WIRE_BYE && is_client)
        dw_coordinator_on_client_gone (self, index);
    else if (type == DW_WIRE_BYE && is_worker)
        dw_coordinator_on_worker_bye (self, peer);
    else if (type == DW_WIRE_BYE && is_agent)
        dw_coordinator_release_agent (self, peer->number);
    else if (type == DW_WIRE_DRAIN && is_agent)
        dw_coordinator_on_drain (self, peer->number);
    else if (type == DW_WIRE_BEAT &&
             (is_agent || is_client || (is_worker && router == self->listen_router)))
        dw_coordinator_on_beat (self, peer);
    else if (type == DW_WIRE_STATUS && is_client)
        dw_coordinator_on_status (self, router);
    else
        self->peers.unknown_count++;
}

/* Takes in what has arrived, but not without end. */
static bool s_take_in (dw_coordinator_t *self) {
    uint32_t router, type;
    dw_wire_reader_t reader;
    bool any = false;
    for (int i = 0; i < MESSAGES_MAX && !self->is_over; i++) {
        int err = dw_peers_receive (&self->peers, &router, &reader, &type);
        if (err == DW_EAGAIN)
            break;
        if (err) {
            self->is_over = true;
            break;
        }
        any = true;
        s_on_message (self, router, type, &reader);
    }
    return any;
}

/* ---- Closing ---------------------------------------------------------------------------------- */

/* Tells every worker to stop and waits for their goodbyes, until it is too late. */
static void s_stop_workers (dw_coordinator_t *self) {
    uint32_t router, type, left = 0;
    dw_wire_reader_t reader;
    for (uint32_t i = 0; i < self->workers_count; i++)
        if (self->workers[i].peer != DW_PEER_NONE) {
            dw_coordinator_stop_worker (self, self->workers[i].peer);
            left++;
        }
    for (uint32_t i = 0; i < self->peers.count;
         i++) { /* those elsewhere are told, and not waited for */
        const dw_peer_t *peer = &self->peers.items[i];
        if (peer->role && peer->router == self->listen_router)
            dw_coordinator_stop_worker (self, i);
    }
    left += self->stuck_count;
    /* When it is too late what is there is still taken in, but not what others go on sending. */
    for (uint32_t late = 0; left > 0 && late < left + MESSAGES_MAX;) {
        late += dw_clock_ns () >= self->close_by_ns;
        int err = dw_peers_receive (&self->peers, &router, &reader, &type);
        if (err == DW_EAGAIN) {
            if (dw_clock_ns () >= self->close_by_ns ||
                !dw_actor_wait (self->peers.routers, self->peers.routers_count, 0,
                                self->close_by_ns))
                return;
            continue;
        }
        if (err)
            return;
        if (type == DW_WIRE_BYE) {
            dw_peer_t *peer = dw_peers_sender (&self->peers, router, &reader);
            if (!peer)
                continue;
            if (peer->router == self->listen_router)
                continue;
            left -= peer->role == DW_WIRE_WORKER;
            if (peer->role == DW_WIRE_WORKER)
                dw_coordinator_on_worker_bye (self, peer);
            else
                dw_peers_remove (&self->peers, peer);
        } else if (type == DW_WIRE_HELLO) /* it came too late */
            dw_coordinator_refuse (self, router, 503, "the system is closing");
    }
}

static void s_name_stuck (dw_coordinator_t *self, uint32_t number, uint32_t node) {
    char text[256];
    if (node == DW_NONE)
        snprintf (text, sizeof text, "actor %u", (unsigned) number);
    else
        snprintf (text, sizeof text, "actor %u, in node \"%.200s\"", (unsigned) number,
                  self->plan->ids[node]);
    dw_write_str (&self->reply.head, text, strlen (text));
}

static void s_close (dw_coordinator_t *self) {
    s_stop_workers (self);
    dw_write_uint (&self->reply.head, DW_WIRE_CLOSED);
    for (uint32_t i = 0; i < self->workers_count; i++)
        if (self->workers[i].peer != DW_PEER_NONE) {
            uint32_t run;
            s_name_stuck (self, i, dw_scheduler_worker_node (self->scheduler, i, &run));
        }
    for (uint32_t i = 0; i < self->stuck_count; i++)
        s_name_stuck (self, self->stuck[i].number, self->stuck[i].node);
    if (self->owner != DW_PEER_NONE) {
        const dw_peer_t *owner = &self->peers.items[self->owner];
        dw_packet_send (&self->reply, self->peers.routers[owner->router], owner->id,
                        owner->id_size);
    }
}

/* ---- The actor -------------------------------------------------------------------------------- */

/* While all actors have enough to do, what they answer is taken in now and then; false: not now. */
static bool s_nap (const dw_coordinator_t *self, int64_t now_ns, int64_t deadline_ns) {
    int64_t calm_ns = dw_scheduler_calm_ns (self->scheduler);
    if (self->is_closing || calm_ns == 0 || deadline_ns - now_ns < calm_ns)
        return false;
    struct timespec time = {.tv_nsec = calm_ns};
    nanosleep (&time, NULL);
    return true;
}

/* Until when it looks for messages before it sleeps: for a while after the last, if the actors leave it a CPU. */
static int64_t s_spin_until_ns (const dw_coordinator_t *self) {
    bool has_room = dw_scheduler_active_count (self->scheduler) < self->options.cpus_count;
    return has_room && self->options.cpus_count > 1 ? self->stirred_ns + SPIN_NS : 0;
}

/* When there is something to do though nothing comes. Where it listens that is a look for silent agents. */
static int64_t s_deadline_ns (dw_coordinator_t *self, int64_t now_ns) {
    int64_t deadline_ns = dw_scheduler_deadline_ns (self->scheduler);
    if (self->listen_router == DW_NONE)
        return deadline_ns;
    if (now_ns >= self->look_ns)
        dw_coordinator_look_for_silent (self, now_ns);
    return self->look_ns < deadline_ns ? self->look_ns : deadline_ns;
}

static void *s_coordinator_actor (void *args) {
    dw_coordinator_t *self = args;
    dw_coordinator_join_as_worker (self);
    bool worked = false;
    while (!self->is_over) {
        s_take_in (self);
        int64_t now_ns = dw_clock_ns ();
        int64_t deadline_ns = s_deadline_ns (self, now_ns);
        bool steps = worked || self->outcomes.events_count ||
                     dw_scheduler_deadline_ns (self->scheduler) <= now_ns;
        if (steps) { /* before its own work, so that actors get theirs while it is at it */
            dw_coordinator_step (self, now_ns);
            self->stirred_ns = now_ns;
        }
        worked = dw_coordinator_has_own_work (self);
        if (worked)
            dw_coordinator_work (self);
        else if (!steps && self->is_closing)
            break;
        else if (!steps && !s_nap (self, now_ns, deadline_ns) &&
                 !dw_actor_wait (self->peers.routers, self->peers.routers_count,
                                 s_spin_until_ns (self), deadline_ns))
            self->is_over = true;
    }
    s_close (self);
    if (!self->is_closing) /* nobody asked for this end: clients must not wait for ever */
        zmq_ctx_shutdown (self->options.context);
    for (uint32_t i = 0; i < self->runs_used; i++)
        if (self->runs[i].is_live)
            dw_coordinator_run_free (self, i);
    dw_peers_free (&self->peers);
    return NULL;
}

/* ---- Made ------------------------------------------------------------------------------------- */

static int64_t s_message_max (const dw_coordinator_t *self) {
    return (int64_t) self->plan->max_payload_bytes + ROOM_BYTES;
}

static int s_make_router (dw_coordinator_t *self, void **router_p, dw_error_t *error) {
    int yes = 1, linger_ms = 100, unlimited = 0, handshake_ms = HANDSHAKE_MS;
    int64_t message_max = s_message_max (self);
    void *router = zmq_socket (self->options.context, ZMQ_ROUTER);
    if (!router)
        return dw_error_add (error, DW_ELIMIT, DW_NOWHERE,
                             "no socket for the coordinator (%s): raise the limit of open files "
                             "(ulimit -n)",
                             zmq_strerror (errno));
    self->peers.routers[self->peers.routers_count++] = router;
    zmq_setsockopt (router, ZMQ_ROUTER_MANDATORY, &yes, sizeof yes);
    zmq_setsockopt (router, ZMQ_LINGER, &linger_ms, sizeof linger_ms);
    zmq_setsockopt (router, ZMQ_SNDHWM, &unlimited, sizeof unlimited); /* credit is the limit */
    if (self->peers.routers_count == 1) /* who is in this process is trusted, who is not waits */
        zmq_setsockopt (router, ZMQ_RCVHWM, &unlimited, sizeof unlimited);
    zmq_setsockopt (router, ZMQ_HANDSHAKE_IVL, &handshake_ms, sizeof handshake_ms);
    zmq_setsockopt (router, ZMQ_MAXMSGSIZE, &message_max, sizeof message_max);
    /* Where a domain is set peers of ZMTP 1 and 2 are turned away: libzmq 4.3.4 ends the program when
     * a socket is closed while it greets one, and any bytes that are not ZeroMQ look like one. */
    zmq_setsockopt (router, ZMQ_ZAP_DOMAIN, "dagwood", strlen ("dagwood"));
    *router_p = router;
    return DW_OK;
}

/* Lets in only whom its keys' list names. */
static int s_guard (dw_coordinator_t *self, void *router, dw_error_t *error) {
    dw_zap_limits_t limits = {.message_bytes_max = s_message_max (self),
                              .handshake_ms = HANDSHAKE_MS};
    int err = dw_keyring_open (&self->keyring, self->options.keys, error);
    if (!err)
        err = dw_zap_new (&self->zap, self->options.context, self->keyring.allowed, error);
    if (!err)
        err = dw_zap_guard (self->zap, router, &self->keyring.keys, &limits, error);
    self->has_keys = !err;
    return err;
}

/* Where processes elsewhere come. A host that is gone is found by TCP's own looks, not by heartbeats of ZeroMQ: when a
 * peer goes whose messages wait for room, the next heartbeat ends the program (libzmq 4.3.4, an assertion). */
static int s_listen_elsewhere (dw_coordinator_t *self, dw_error_t *error) {
    void *router = NULL;
    int yes = 1, idle_s = KEEPALIVE_S, times = KEEPALIVE_TIMES;
    int err = s_make_router (self, &router, error);
    if (err)
        return err;
    self->listen_router = self->peers.routers_count - 1;
    /* Who asks and does not read must not have its answers pile up; a client reads of its runs when it
     * likes, and a slot may be sent a message for each task, and another when it is cancelled. */
    uint64_t waiting_max = (uint64_t) self->options.runs_max + WAITING_MAX;
    int waiting = waiting_max < INT_MAX ? (int) waiting_max : INT_MAX;
    zmq_setsockopt (router, ZMQ_SNDHWM, &waiting, sizeof waiting);
    zmq_setsockopt (router, ZMQ_TCP_KEEPALIVE, &yes, sizeof yes);
    zmq_setsockopt (router, ZMQ_TCP_KEEPALIVE_IDLE, &idle_s, sizeof idle_s);
    zmq_setsockopt (router, ZMQ_TCP_KEEPALIVE_INTVL, &idle_s, sizeof idle_s);
    zmq_setsockopt (router, ZMQ_TCP_KEEPALIVE_CNT, &times, sizeof times);
    if (self->options.keys)
        err = s_guard (self, router, error);
    return err ? err
               : dw_endpoint_bind (router, self->options.listen, self->listening,
                                   sizeof self->listening, error);
}

static int s_listen (dw_coordinator_t *self, dw_error_t *error) {
    const char *endpoint = self->options.endpoint;
    void *router = NULL;
    snprintf (self->inproc, sizeof self->inproc, "inproc://coordinator");
    snprintf (self->endpoint, sizeof self->endpoint, "%s", self->inproc);
    int err = s_make_router (self, &router, error);
    if (!err)
        err = dw_endpoint_bind_inproc (router, self->inproc, error);
    if (!err && endpoint)
        err = s_make_router (self, &router, error);
    if (!err && endpoint)
        err = dw_endpoint_bind (router, endpoint, self->endpoint, sizeof self->endpoint, error);
    return !err && self->options.listen ? s_listen_elsewhere (self, error) : err;
}

static int s_allocate (dw_coordinator_t *self, dw_error_t *error) {
    const dw_plan_t *plan = self->plan;
    uint64_t runs_max = (uint64_t) self->options.runs_max * self->options.clients_max;
    self->runs_max = runs_max < 1u << 20 ? (uint32_t) runs_max : 1u << 20;
    self->workers_count = plan->nodes_count && !self->options.no_actors ? plan->workers_count : 0;
    self->places_count = self->workers_count + 1 +
                         (self->options.listen ? self->options.slots_max : 0);
    self->owner = DW_PEER_NONE;
    self->listen_router = DW_NONE;
    self->workers = calloc (self->places_count, sizeof *self->workers);
    /* Every worker may get stuck once more when no other takes its place any more. */
    self->stuck = calloc (DW_WORKERS_STUCK_MAX + self->workers_count, sizeof *self->stuck);
    dw_scheduler_options_t options = {.runs_max = self->runs_max,
                                      .workers_max = self->places_count,
                                      .is_open = self->options.listen != NULL};
    if (!self->workers || !self->stuck || dw_scheduler_new (&self->scheduler, plan, &options))
        return dw_error_add (error, DW_ENOMEM, DW_NOWHERE, "out of memory");
    for (uint32_t w = 0; w < self->places_count; w++)
        self->workers[w] = (dw_crew_t){.peer = DW_PEER_NONE, .agent = DW_NONE};
    if (plan->pool && plan->nodes_count && !self->options.no_actors)
        return dw_host_new (&self->host, self->options.program, DW_NONE, error);
    return DW_OK;
}

int dw_coordinator_new (dw_coordinator_t **self_p, const dw_coordinator_options_t *options,
                        dw_error_t *error) {
    dw_coordinator_t *self = calloc (1, sizeof *self);
    if (!self)
        return dw_error_add (error, DW_ENOMEM, DW_NOWHERE, "out of memory");
    self->options = *options;
    self->plan = options->program->plan;
    int err = s_allocate (self, error);
    if (!err)
        err = s_listen (self, error);
    for (uint32_t i = 0; i < self->workers_count && !err; i++)
        err = dw_coordinator_start_worker (self, i, error);
    if (!err &&
        dw_actor_start (&self->actor, "dw-coordinator", STACK_BYTES, s_coordinator_actor, self))
        err = dw_error_add (error, DW_ELIMIT, DW_NOWHERE,
                            "no thread for the coordinator: raise the limit of threads "
                            "(RLIMIT_NPROC, ulimit -u) or of memory");
    if (err) {
        zmq_ctx_shutdown (options->context); /* the workers that did start leave */
        dw_peers_free (&self->peers);
        dw_coordinator_join (self, INT64_MAX);
        dw_coordinator_destroy (&self);
    } else
        *self_p = self;
    return err;
}

const char *dw_coordinator_inproc (const dw_coordinator_t *self) {
    return self->inproc;
}

const char *dw_coordinator_endpoint (const dw_coordinator_t *self) {
    return self->endpoint;
}

const char *dw_coordinator_listening (const dw_coordinator_t *self) {
    return self->listening;
}

bool dw_coordinator_join (dw_coordinator_t *self, int64_t deadline_ns) {
    if (!dw_actor_join (&self->actor, deadline_ns))
        return false;
    bool all = true;
    for (uint32_t i = 0; i < self->workers_count; i++)
        all &= !self->workers[i].actor || dw_worker_join (self->workers[i].actor, deadline_ns);
    for (uint32_t i = 0; i < self->stuck_count; i++)
        all &= dw_worker_join (self->stuck[i].actor, deadline_ns);
    return all;
}

void dw_coordinator_destroy (dw_coordinator_t **self_p) {
    dw_coordinator_t *self = *self_p;
    if (!self)
        return;
    for (uint32_t i = 0; self->workers && i < self->workers_count; i++)
        dw_worker_destroy (&self->workers[i].actor);
    for (uint32_t i = 0; i < self->stuck_count; i++)
        dw_worker_destroy (&self->stuck[i].actor);
    if (self->has_graph)
        zmq_msg_close (&self->graph);
    dw_zap_destroy (&self->zap);
    dw_keyring_close (&self->keyring);
    dw_scheduler_destroy (&self->scheduler);
    dw_host_destroy (&self->host);
    dw_outcomes_free (&self->outcomes);
    dw_packet_free (&self->reply);
    free (self->commands.items);
    free (self->runs);
    free (self->free_runs);
    free (self->workers);
    free (self->agents);
    free (self->stuck);
    free (self);
    *self_p = NULL;
}
