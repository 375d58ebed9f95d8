/* coordinator_sockets.c - the coordinator's sockets: made, guarded, bound, with a door where others
 * may knock. */

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>

#include "actors/coordinator_self.h"
#include "actors/endpoint.h"
#include "actors/option.h"
#include "runtime/core/error.h"

#define ROOM_BYTES      (16 << 20) /* of a message from a network besides its payloads */
#define HANDSHAKE_MS    1000
#define KEEPALIVE_S     5
#define KEEPALIVE_TIMES 3
#define WAITING_MAX \
    (3 * DW_WORKER_CREDIT) /* messages for a peer elsewhere, besides one for each run */
#define TOLD_AGAIN_NS INT64_C (10000000000)
#define SEE_OFF_NS    INT64_C (200000000) /* for a refusal to arrive before its connection is cut */

static int64_t s_message_max (const dw_coordinator_t *self) {
    return (int64_t) self->plan->max_payload_bytes + ROOM_BYTES;
}

static int s_make_router (dw_coordinator_t *self, void **router_p, dw_error_t *error) {
    const dw_socket_option_t options[] = {
        DW_SOCKET_OPTION (ZMQ_LINGER, 100),
        DW_SOCKET_OPTION (ZMQ_SNDHWM, 0), /* credit is the limit */
        DW_SOCKET_OPTION (ZMQ_HANDSHAKE_IVL, HANDSHAKE_MS),
        DW_SOCKET_OPTION (ZMQ_MAXMSGSIZE, s_message_max (self)),
        DW_SOCKET_OPTION (ZMQ_RCVHWM, 0), /* the last one: of the first socket alone */
    };
    size_t count = sizeof options / sizeof *options;
    void *router = zmq_socket (self->options.context, ZMQ_ROUTER);
    if (!router)
        return dw_error_add (error, DW_ELIMIT, DW_NOWHERE,
                             "no socket for the coordinator (%s): raise the limit of open files "
                             "(ulimit -n)",
                             zmq_strerror (errno));
    self->peers.routers[self->peers.routers_count++] = router;
    *router_p = router;
    int err = dw_option_set_mandatory (router, error);
    if (!err) /* who is in this process is trusted, who is not waits */
        err = dw_socket_options_set (router, options, count - (self->peers.routers_count > 1),
                                     error);
    /* Where a domain is set peers of ZMTP 1 and 2 are turned away: libzmq 4.3.4 ends the program
     * when a socket is closed while it greets one, and any bytes that are not ZeroMQ look like
     * one. */
    if (!err && !dw_option_set_text (router, ZMQ_ZAP_DOMAIN, DW_ZAP_DOMAIN))
        err = dw_error_add (error, DW_ELIMIT, DW_NOWHERE, "ZeroMQ does not take ZMQ_ZAP_DOMAIN");
    return err;
}

/* Makes a router with a door. Errors: as dw_coordinator_new. */
static int s_make_router_with_door (dw_coordinator_t *self, void **router_p,
                                    uint32_t connections_max, dw_error_t *error) {
    int err = s_make_router (self, router_p, error);
    return err ? err
               : dw_door_new (&self->doors[self->peers.routers_count - 1], self->options.context,
                              *router_p, connections_max, error);
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

/* Where processes elsewhere come. Who asks and does not read must not have its answers pile up; a
 * client reads of its runs when it likes, and a slot may be sent a message for each task, and
 * another when it is cancelled. A host that is gone is found by TCP's own looks, not by heartbeats
 * of ZeroMQ: when a peer goes whose messages wait for room, the next heartbeat ends the program
 * (libzmq 4.3.4, an assertion). */
static int s_listen_elsewhere (dw_coordinator_t *self, dw_error_t *error) {
    uint64_t waiting = (uint64_t) self->options.runs_max + WAITING_MAX;
    const dw_socket_option_t options[] = {
        DW_SOCKET_OPTION (ZMQ_SNDHWM, (int64_t) (waiting < INT_MAX ? waiting : INT_MAX)),
        DW_SOCKET_OPTION (ZMQ_TCP_KEEPALIVE, 1),
        DW_SOCKET_OPTION (ZMQ_TCP_KEEPALIVE_IDLE, KEEPALIVE_S),
        DW_SOCKET_OPTION (ZMQ_TCP_KEEPALIVE_INTVL, KEEPALIVE_S),
        DW_SOCKET_OPTION (ZMQ_TCP_KEEPALIVE_CNT, KEEPALIVE_TIMES),
    };
    void *router = NULL;
    int err = s_make_router_with_door (self, &router, self->options.connections_max, error);
    if (err)
        return err;
    self->listen_router = self->peers.routers_count - 1;
    dw_patience_init (&self->patience, self->options.connections_max);
    err = dw_socket_options_set (router, options, sizeof options / sizeof *options, error);
    if (!err && self->options.keys)
        err = s_guard (self, router, error);
    return err ? err
               : dw_endpoint_bind (router, self->options.listen, self->listening,
                                   sizeof self->listening, error);
}

/* Where its own actors and clients come: on this machine, but anybody there may knock. */
static int s_listen_near (dw_coordinator_t *self, dw_error_t *error) {
    void *router = NULL;
    int err = s_make_router_with_door (self, &router, self->options.own_connections_max, error);
    return err ? err
               : dw_endpoint_bind (router, self->options.endpoint, self->endpoint,
                                   sizeof self->endpoint, error);
}

int dw_coordinator_listen (dw_coordinator_t *self, dw_error_t *error) {
    void *router = NULL;
    snprintf (self->inproc, sizeof self->inproc, "inproc://coordinator");
    snprintf (self->endpoint, sizeof self->endpoint, "%s", self->inproc);
    int err = s_make_router (self, &router, error);
    if (!err)
        err = dw_endpoint_bind_inproc (router, self->inproc, error);
    if (!err && self->options.endpoint)
        err = s_listen_near (self, error);
    return !err && self->options.listen ? s_listen_elsewhere (self, error) : err;
}

void dw_coordinator_let_in (dw_coordinator_t *self, dw_peer_t *peer) {
    if (!self->doors[peer->router])
        return;
    dw_door_guest_t guest = dw_door_guest (&self->peers.message.frames[DW_PEERS_HEAD]);
    peer->guest_fd = guest.fd;
    peer->guest_inode = guest.inode;
    dw_door_let_in (self->doors[peer->router], guest);
}

void dw_coordinator_see_off (dw_coordinator_t *self, const dw_peer_t *peer) {
    if (self->leaving_count == self->leaving_size) {
        uint32_t size = self->leaving_size ? 2 * self->leaving_size : 8;
        dw_leaving_t *leaving = realloc (self->leaving, size * sizeof *leaving);
        if (!leaving)
            return; /* it is cut when it goes on */
        self->leaving = leaving;
        self->leaving_size = size;
    }
    self->leaving[self->leaving_count++] = (dw_leaving_t){.guest = dw_peer_guest (peer),
                                                          .router = peer->router,
                                                          .at_ns = dw_clock_ns () + SEE_OFF_NS};
}

/* Cuts the connections whose time is over. */
static void s_cut_leaving (dw_coordinator_t *self, int64_t now_ns) {
    uint32_t kept = 0;
    for (uint32_t i = 0; i < self->leaving_count; i++)
        if (self->leaving[i].at_ns > now_ns)
            self->leaving[kept++] = self->leaving[i];
        else if (self->doors[self->leaving[i].router])
            dw_door_cut (self->doors[self->leaving[i].router], self->leaving[i].guest);
    self->leaving_count = kept;
}

bool dw_coordinator_has_patience (dw_coordinator_t *self, uint32_t router) {
    zmq_msg_t *id = &self->peers.message.frames[0];
    return router != self->listen_router || dw_patience_is_left (&self->patience, zmq_msg_data (id),
                                                                 zmq_msg_size (id), dw_clock_ns ());
}

void dw_coordinator_on_nonsense (dw_coordinator_t *self, uint32_t router) {
    dw_message_t *message = &self->peers.message;
    zmq_msg_t *id = &message->frames[0];
    if (router == self->listen_router && message->count > DW_PEERS_HEAD &&
        !dw_patience_spend (&self->patience, zmq_msg_data (id), zmq_msg_size (id), dw_clock_ns ()))
        dw_door_cut (self->doors[router], dw_door_guest (&message->frames[DW_PEERS_HEAD]));
}

void dw_coordinator_look_at_door (dw_coordinator_t *self, int64_t now_ns) {
    s_cut_leaving (self, now_ns);
    if (dw_door_full_count (self->doors[self->listen_router]) == 0 ||
        (self->door_told_ns && now_ns - self->door_told_ns < TOLD_AGAIN_NS))
        return;
    self->door_told_ns = now_ns;
    dw_coordinator_notice (
        self,
        "there are as many connections at %s as there may be (%u, "
        "connections_max): who is silent is cut off, and who comes may have to wait",
        self->listening, (unsigned) self->options.connections_max);
}

void dw_coordinator_take_doors_away (dw_coordinator_t *self) {
    for (unsigned i = 0; i < DW_ROUTERS_MAX; i++)
        dw_door_destroy (&self->doors[i]); /* which looks at a socket that is still there */
}

void dw_coordinator_hang_up (dw_coordinator_t *self) {
    dw_coordinator_take_doors_away (self);
    dw_peers_free (&self->peers);
}
