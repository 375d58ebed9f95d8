/* coordinator_clients.c - the coordinator's clients: welcomed, lost and back again.
 *
 * A client elsewhere that says in its HELLO who it is has a session:
 *
 *                 HELLO of an unknown uuid                 it cannot be reached
 *     (nobody) ------------------------------> (here) -----------------------------> (away)
 *         ^                                     | ^  <-----------------------------     |
 *         +--- BYE, its key was taken off ------+ |     HELLO of this uuid and key,     |
 *         |                                       |     of a later incarnation          |
 *         |            a later incarnation (here) +                                     |
 *         +--- lost_client_ms have passed, or more clients are away than there may be --+
 *
 * Its runs go on while it is away. When it is back it is sent what it is not known to have got,
 * then WELCOME, and only then sends again what it has no result of: of these the coordinator has
 * each that it was sent before. */

#include <stdlib.h>
#include <sys/random.h>

#include "actors/clock.h"
#include "actors/coordinator_self.h"
#include "actors/delivery.h"

#define PROBE_NS \
    1000000000 /* between two looks whether a client is still there: asked for its place, */
#define PROBE_LIVE_NS 5000000000 /* and while it has something to get */
#define KEPT_SPARE    1024u      /* messages kept besides one for each run in flight */

/* ---- Sessions --------------------------------------------------------------------------------- */

dw_session_t *dw_coordinator_session (const dw_coordinator_t *self, uint32_t client) {
    const dw_peer_t *peer = &self->peers.items[client];
    bool has_one = peer->role == DW_WIRE_CLIENT && peer->number != DW_PEER_NONE;
    return has_one ? self->sessions[peer->number] : NULL;
}

uint32_t dw_coordinator_client_of (const dw_coordinator_t *self, const dw_live_run_t *run) {
    return run->session == DW_NONE ? run->client : self->sessions[run->session]->peer;
}

void dw_coordinator_keep (dw_coordinator_t *self, dw_session_t *session, dw_packet_t *packet) {
    dw_parcel_t *parcel = dw_parcel_new (packet);
    if (parcel)
        dw_kept_add (&session->kept, parcel);
    else
        dw_coordinator_notice (self, "out of memory: the result of a client that is away is lost");
}

/* The session of this uuid; DW_NONE: there is none. */
static uint32_t s_find (const dw_coordinator_t *self, const uint8_t *uuid) {
    for (uint32_t i = 0; i < self->sessions_count; i++)
        if (self->sessions[i] && memcmp (self->sessions[i]->uuid, uuid, DW_WIRE_UUID_SIZE) == 0)
            return i;
    return DW_NONE;
}

/* A free place among the sessions; DW_NONE: no memory. */
static uint32_t s_place (dw_coordinator_t *self) {
    for (uint32_t i = 0; i < self->sessions_count; i++)
        if (!self->sessions[i])
            return i;
    if (self->sessions_count == self->sessions_size) {
        uint32_t size = self->sessions_size ? 2 * self->sessions_size : 8;
        dw_session_t **sessions = realloc (self->sessions, size * sizeof *sessions);
        if (!sessions)
            return DW_NONE;
        self->sessions = sessions;
        self->sessions_size = size;
    }
    self->sessions[self->sessions_count] = NULL;
    return self->sessions_count++;
}

/* DW_NONE: no memory, or no random bytes. */
static uint32_t s_session_new (dw_coordinator_t *self, const uint8_t *uuid, const uint8_t *key) {
    uint32_t index = s_place (self);
    dw_session_t *session = index == DW_NONE ? NULL : calloc (1, sizeof *session);
    if (!session ||
        getrandom (session->id, sizeof session->id, 0) != (ssize_t) sizeof session->id) {
        free (session);
        return DW_NONE;
    }
    memcpy (session->uuid, uuid, sizeof session->uuid);
    memcpy (session->key, key, sizeof session->key);
    session->peer = DW_PEER_NONE;
    session->kept = (dw_kept_t){.bytes_max = self->options.keep_bytes,
                                .count_max = self->options.runs_max + KEPT_SPARE};
    self->sessions[index] = session;
    return index;
}

static void s_session_free (dw_coordinator_t *self, uint32_t index) {
    dw_session_t *session = self->sessions[index];
    dw_flights_free (&session->live);
    dw_kept_free (&session->kept);
    free (session);
    self->sessions[index] = NULL;
}

void dw_coordinator_free_sessions (dw_coordinator_t *self) {
    for (uint32_t i = 0; i < self->sessions_count; i++)
        if (self->sessions[i])
            s_session_free (self, i);
    free (self->sessions);
    self->sessions = NULL;
    self->sessions_count = 0;
}

void dw_coordinator_forget_session (dw_coordinator_t *self, uint32_t index) {
    for (uint32_t i = 0; i < self->runs_used; i++)
        if (self->runs[i].is_live && self->runs[i].session == index) {
            self->runs[i].session = DW_NONE;
            self->runs[i].client = DW_PEER_NONE;
            dw_coordinator_abort_run (self, i);
        }
    dw_coordinator_forget_claims (self, index);
    s_session_free (self, index);
}

/* ---- Gone ------------------------------------------------------------------------------------- */

void dw_coordinator_on_client_bye (dw_coordinator_t *self, uint32_t client) {
    uint32_t session = self->peers.items[client].number;
    for (uint32_t i = 0; i < self->runs_used; i++)
        if (self->runs[i].is_live && self->runs[i].session == DW_NONE &&
            self->runs[i].client == client) {
            self->runs[i].client = DW_PEER_NONE;
            dw_coordinator_abort_run (self, i);
        }
    dw_peers_remove (&self->peers, &self->peers.items[client]);
    if (session != DW_PEER_NONE)
        dw_coordinator_forget_session (self, session);
}

/* One more client is away: of more than there may be the one that is so for the longest time is
 * forgotten. */
static void s_limit_away (dw_coordinator_t *self) {
    uint32_t count = 0, oldest = DW_NONE;
    for (uint32_t i = 0; i < self->sessions_count; i++) {
        const dw_session_t *session = self->sessions[i];
        if (!session || session->peer != DW_PEER_NONE)
            continue;
        count++;
        if (oldest == DW_NONE || session->away_ns < self->sessions[oldest]->away_ns)
            oldest = i;
    }
    if (count > self->options.clients_max)
        dw_coordinator_forget_session (self, oldest);
}

void dw_coordinator_on_client_lost (dw_coordinator_t *self, uint32_t client) {
    dw_session_t *session = dw_coordinator_session (self, client);
    if (!session) {
        dw_coordinator_on_client_bye (self, client);
        return;
    }
    dw_peer_t *peer = &self->peers.items[client];
    if (peer->packet && peer->packet->records > 0) /* results that are being put together */
        dw_coordinator_keep (self, session, peer->packet);
    dw_peers_remove (&self->peers, peer);
    session->peer = DW_PEER_NONE;
    session->away_ns = dw_clock_ns ();
    s_limit_away (self);
}

/* ---- Welcome ---------------------------------------------------------------------------------- */

static bool s_make_graph (dw_coordinator_t *self) {
    if (self->has_graph)
        return true;
    dw_writer_t writer = {0};
    dw_delivery_write_graph (self->plan, &writer);
    bool ok = !writer.no_memory && zmq_msg_init_size (&self->graph, writer.count) == 0;
    if (ok)
        memcpy (zmq_msg_data (&self->graph), writer.bytes, writer.count);
    dw_writer_free (&writer);
    self->has_graph = ok;
    return ok;
}

/* Frees the places of clients whose connection is gone, which nobody tells: it is seen when they
 * are sent something. Not more often than once in a while, because they keep what they are sent
 * until they look. */
static void s_free_client_places (dw_coordinator_t *self) {
    int64_t now_ns = dw_clock_ns ();
    for (uint32_t i = 0; i < self->peers.count; i++) {
        dw_peer_t *peer = &self->peers.items[i];
        if (peer->role != DW_WIRE_CLIENT ||
            (peer->client->probed_ns && now_ns - peer->client->probed_ns < PROBE_NS))
            continue;
        peer->client->probed_ns = now_ns;
        if (!dw_peers_probe (&self->peers, peer))
            dw_coordinator_on_client_lost (self, i);
    }
}

static void s_write_welcome (dw_coordinator_t *self, const dw_peer_t *peer,
                             const dw_session_t *session) {
    dw_writer_t *head = &self->reply.head;
    dw_write_uint (head, DW_WIRE_WELCOME);
    dw_write_uint (head, dw_peers_index (&self->peers, peer));
    dw_write_uint (head, self->options.runs_max);
    dw_write_uint (head, self->plan->max_payload_bytes);
    dw_packet_add (&self->reply, zmq_msg_data (&self->graph), zmq_msg_size (&self->graph),
                   &self->graph);
    dw_write_uint (head, self->options.heartbeat_ms);
    dw_write_uint (head, self->options.silence_ms);
    dw_write_str (head, self->options.name, strlen (self->options.name));
    if (session)
        dw_write_bin (head, session->id, sizeof session->id);
}

/* A place for a client whose HELLO came last; NULL: there is none. */
static dw_peer_t *s_seat (dw_coordinator_t *self, uint32_t router, const uint8_t *key) {
    if (self->peers.clients_count >= self->options.clients_max)
        s_free_client_places (self);
    if (self->peers.clients_count >= self->options.clients_max || !s_make_graph (self))
        return NULL;
    dw_peer_t *peer = dw_peers_add (&self->peers, router, DW_WIRE_CLIENT);
    if (!peer)
        return NULL;
    dw_coordinator_let_in (self, peer);
    memcpy (peer->client->key, key, sizeof peer->client->key);
    return peer;
}

static const char s_full[] = "as many clients as clients_max allows are there already";

/* The client is here by this connection. */
static void s_arrive (dw_coordinator_t *self, dw_peer_t *peer, uint32_t index,
                      uint64_t incarnation) {
    dw_session_t *session = self->sessions[index];
    peer->number = index;
    peer->client->kept = &session->kept;
    session->incarnation = incarnation;
    session->peer = dw_peers_index (&self->peers, peer);
    /* What cannot be sent is found when the next thing cannot be. */
    dw_kept_send (&session->kept, self->peers.routers[peer->router], peer->id, peer->id_size);
    s_write_welcome (self, peer, session);
    dw_peers_reply (&self->peers, peer->router, &self->reply);
}

/* Whether a session that is there is that of whoever comes, who is told else. What came by an
 * earlier connection is nobody's from then on. */
static bool s_may_arrive (dw_coordinator_t *self, uint32_t router, const uint8_t *key,
                          const dw_wire_identity_t *identity, dw_session_t *session) {
    if (memcmp (session->key, key, DW_KEY_SIZE) != 0) {
        dw_coordinator_refuse (self, router, 403, "this client came with another key before");
        return false;
    }
    if (session->incarnation >= identity->incarnation) {
        dw_coordinator_refuse (self, router, 503,
                               "a later connection of this client is here already");
        return false;
    }
    session->away_ns =
        dw_clock_ns (); /* the last one to be forgotten while a place is looked for */
    if (session->peer != DW_PEER_NONE)
        dw_coordinator_on_client_lost (self, session->peer);
    return true;
}

static void s_welcome_known (dw_coordinator_t *self, uint32_t router, const uint8_t *key,
                             const dw_wire_identity_t *identity) {
    uint32_t index = s_find (self, identity->uuid);
    if (index != DW_NONE && !s_may_arrive (self, router, key, identity, self->sessions[index]))
        return;
    dw_peer_t *peer = s_seat (self, router, key);
    if (!peer) {
        dw_coordinator_refuse (self, router, 503, s_full);
        return;
    }
    index = s_find (self, identity->uuid); /* looking for a place forgets those who are away */
    if (index == DW_NONE)
        index = s_session_new (self, identity->uuid, key);
    if (index == DW_NONE) {
        dw_peers_remove (&self->peers, peer);
        dw_coordinator_refuse (self, router, 503, "the coordinator is out of memory");
        return;
    }
    s_arrive (self, peer, index, identity->incarnation);
}

void dw_coordinator_welcome_client (dw_coordinator_t *self, uint32_t router, const uint8_t *key,
                                    dw_wire_reader_t *reader) {
    dw_wire_identity_t identity;
    if (router == self->listen_router && dw_wire_reader_has_more (reader)) {
        if (dw_read_identity (reader, &identity) && identity.incarnation > 0)
            s_welcome_known (self, router, key, &identity);
        else
            dw_coordinator_refuse (self, router, 400, "a client's HELLO makes no sense");
        return;
    }
    const dw_peer_t *peer = s_seat (self, router, key);
    if (!peer) {
        dw_coordinator_refuse (self, router, 503, s_full);
        return;
    }
    s_write_welcome (self, peer, NULL);
    dw_peers_reply (&self->peers, router, &self->reply);
}

uint32_t dw_coordinator_clients_away (const dw_coordinator_t *self) {
    uint32_t count = 0;
    for (uint32_t i = 0; i < self->sessions_count; i++)
        count += self->sessions[i] && self->sessions[i]->peer == DW_PEER_NONE;
    return count;
}

/* ---- Here and away ---------------------------------------------------------------------------- */

void dw_coordinator_on_taken (dw_coordinator_t *self, uint32_t client, dw_wire_reader_t *reader) {
    dw_session_t *session = dw_coordinator_session (self, client);
    uint64_t taken = dw_read_uint (reader);
    if (session && !reader->is_damaged)
        dw_kept_take (&session->kept, taken);
    else
        self->peers.unknown_count++;
}

/* Clients whose connection is closed, or whom nothing reaches any more. */
static void s_look_for_lost (dw_coordinator_t *self) {
    for (uint32_t i = 0; i < self->peers.count; i++) {
        const dw_peer_t *peer = &self->peers.items[i];
        if (peer->role != DW_WIRE_CLIENT || !dw_door_is_cut_off (dw_peer_guest (peer)))
            continue;
        dw_door_cut (self->doors[peer->router], dw_peer_guest (peer));
        dw_coordinator_on_client_lost (self, i);
    }
}

/* Whoever has something to get is sent a message that says nothing, so that something is not
 * acknowledged when its host is gone. */
static void s_probe (dw_coordinator_t *self, const dw_session_t *session, int64_t now_ns) {
    dw_peer_t *peer = &self->peers.items[session->peer];
    if ((session->live.count == 0 && session->kept.count == 0) ||
        now_ns - peer->client->probed_ns < PROBE_LIVE_NS)
        return;
    peer->client->probed_ns = now_ns;
    if (!dw_peers_probe (&self->peers, peer))
        dw_coordinator_on_client_lost (self, session->peer);
}

void dw_coordinator_look_after_clients (dw_coordinator_t *self, int64_t now_ns) {
    int64_t lost_ns = (int64_t) self->options.lost_client_ms * 1000000;
    int64_t gap_ns = self->clients_look_ns ? now_ns - self->clients_look_ns : 0;
    /* While this process was paused nobody could come back. */
    int64_t paused_ns = gap_ns > (int64_t) self->options.silence_ms * 1000000 ? gap_ns : 0;
    self->clients_look_ns = now_ns;
    s_look_for_lost (self);
    for (uint32_t i = 0; i < self->sessions_count; i++) {
        dw_session_t *session = self->sessions[i];
        if (session && session->peer != DW_PEER_NONE)
            s_probe (self, session, now_ns);
        else if (session) {
            session->away_ns += paused_ns;
            if (now_ns - session->away_ns >= lost_ns)
                dw_coordinator_forget_session (self, i);
        }
    }
}
