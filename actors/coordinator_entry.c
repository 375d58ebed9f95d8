/* coordinator_entry.c - who may come in from elsewhere, as whom, and who is put out again. */

#include "actors/coordinator_self.h"

/* The roles of a key in a list, and of everybody where there are no keys. */
static unsigned s_roles (const dw_coordinator_t *self, const uint8_t *key) {
    const char *name;
    return self->has_keys ? dw_allowed_find (self->keyring.allowed, key, &name) : UINT32_MAX;
}

static unsigned s_role_of (uint32_t wire_role) {
    return wire_role == DW_WIRE_CLIENT ? DW_ROLE_CLIENT | DW_ROLE_MONITOR : DW_ROLE_WORKER;
}

bool dw_coordinator_may_enter (dw_coordinator_t *self, uint32_t role, uint8_t *key) {
    memset (key, 0, DW_KEY_SIZE);
    if (!self->has_keys)
        return true;
    return dw_zap_user (&self->peers.message.frames[DW_PEERS_HEAD], key) &&
           (s_roles (self, key) & s_role_of (role));
}

bool dw_coordinator_is_listed (dw_coordinator_t *self) {
    uint8_t key[DW_KEY_SIZE];
    return !self->has_keys ||
           (dw_zap_user (&self->peers.message.frames[DW_PEERS_HEAD], key) && s_roles (self, key));
}

bool dw_coordinator_may_submit (const dw_coordinator_t *self, uint32_t client) {
    const dw_peer_t *peer = &self->peers.items[client];
    return peer->router != self->listen_router ||
           (s_roles (self, peer->client->key) & DW_ROLE_CLIENT);
}

void dw_coordinator_put_out (dw_coordinator_t *self, const dw_peer_t *peer, uint32_t code,
                             const char *text) {
    dw_writer_t *head = &self->reply.head;
    dw_write_uint (head, DW_WIRE_REFUSED);
    dw_write_uint (head, code);
    dw_write_str (head, text, strlen (text));
    dw_write_uint (head, 0);
    dw_packet_send (&self->reply, self->peers.routers[peer->router], peer->id, peer->id_size);
}

static void s_say_key_is_off (dw_coordinator_t *self, const dw_peer_t *peer) {
    dw_coordinator_put_out (self, peer, 403, "the key was taken off the list of allowed keys");
}

/* By which a peer from elsewhere was let in: a slot by its agent's. */
static const uint8_t *s_key_of (const dw_coordinator_t *self, const dw_peer_t *peer) {
    if (peer->role == DW_WIRE_CLIENT)
        return peer->client->key;
    bool is_agent = peer->role == DW_WIRE_AGENT;
    uint32_t agent = is_agent ? peer->number : self->workers[peer->number].agent;
    return self->agents[agent].key;
}

static bool s_is_out (const dw_coordinator_t *self, const dw_peer_t *peer) {
    return peer->role && peer->router == self->listen_router &&
           !(s_roles (self, s_key_of (self, peer)) & s_role_of (peer->role));
}

/* Whoever lost its role has left, whatever it goes on saying, and its connections, those of slots
 * too, are cut. */
static void s_recheck_peers (dw_coordinator_t *self) {
    for (uint32_t i = 0; i < self->peers.count; i++)
        if (s_is_out (self, &self->peers.items[i]))
            dw_coordinator_see_off (self, &self->peers.items[i]);
    for (uint32_t i = 0; i < self->peers.count; i++) {
        dw_peer_t *peer = &self->peers.items[i];
        if (!s_is_out (self, peer))
            continue;
        if (peer->role == DW_WIRE_CLIENT) {
            dw_coordinator_notice (self, "the key of a client was taken off the list: it is out");
            s_say_key_is_off (self, peer);
            dw_coordinator_on_client_bye (self, i);
            continue;
        }
        uint32_t index = dw_coordinator_agent_of (self, peer);
        if (index == DW_NONE)
            continue; /* a slot goes with its agent */
        dw_coordinator_notice (
            self, "the key of %s (process %llu) was taken off the list: it is out",
            self->agents[index].host, (unsigned long long) self->agents[index].pid);
        s_say_key_is_off (self, peer);
        dw_coordinator_lose_agent (self, index);
    }
}

/* The same for clients that are away, and for detached runs that are under way. */
static void s_recheck_absent (dw_coordinator_t *self) {
    for (uint32_t i = 0; i < self->sessions_count; i++) {
        const dw_session_t *session = self->sessions[i];
        if (session && session->peer == DW_PEER_NONE &&
            !(s_roles (self, session->key) & s_role_of (DW_WIRE_CLIENT)))
            dw_coordinator_forget_session (self, i);
    }
    for (uint32_t i = 0; i < self->detached_count; i++) {
        const dw_detached_t *entry = &self->detached[i];
        if (entry->state == DW_DETACHED_LIVE && !(s_roles (self, entry->key) & DW_ROLE_CLIENT))
            dw_coordinator_abort_run (self, entry->run);
    }
}

void dw_coordinator_reload (dw_coordinator_t *self) {
    dw_allowed_t *fresh = NULL, *old = self->keyring.allowed;
    dw_error_t *error = dw_error_new ();
    if (!self->has_keys)
        dw_coordinator_notice (self, "there is no allow-list to be read: the system has no keys");
    else if (dw_keyring_reread (&fresh, self->options.keys, error))
        for (size_t i = 0; i < dw_error_count (error); i++)
            dw_coordinator_notice (self, "the allow-list stays as it was: %s",
                                   dw_error_message (error, i));
    else if (dw_zap_replace (self->zap, fresh) == DW_OK) {
        self->keyring.allowed = fresh;
        s_recheck_peers (self);
        s_recheck_absent (self);
        dw_allowed_destroy (&old);
        dw_coordinator_notice (self, "the allow-list was read: %zu entries",
                               dw_allowed_count (fresh));
    }
    dw_error_destroy (&error);
}
