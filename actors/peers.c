/* peers.c - who talks to the coordinator, and its sockets. */

#include "actors/peers.h"

#include <stdlib.h>
#include <string.h>

int dw_peers_receive (dw_peers_t *self, uint32_t *router_p, dw_wire_reader_t *reader_p,
                      uint32_t *type_p) {
    for (uint32_t i = 0; i < self->routers_count; i++) {
        uint32_t router = (self->first_router + i) % self->routers_count;
        int err = dw_message_receive (&self->message, self->routers[router]);
        if (err == DW_EAGAIN)
            continue;
        if (err == DW_ECLOSED)
            return err;
        self->first_router = router + 1;
        /* What makes no sense is given too, as nobody's: who sends nothing else must not keep the
         * caller from what else it has to do. */
        *router_p = router;
        *type_p = DW_WIRE_TYPES;
        *reader_p = (dw_wire_reader_t){.is_damaged = true};
        if (err || self->message.count <= DW_PEERS_HEAD)
            return DW_OK;
        zmq_msg_t *head = &self->message.frames[DW_PEERS_HEAD];
        *reader_p = dw_wire_reader (zmq_msg_data (head), zmq_msg_size (head));
        *type_p = dw_read_uint_max (reader_p, DW_WIRE_TYPES);
        if (reader_p->is_damaged)
            *type_p = DW_WIRE_TYPES;
        else
            self->messages_count++;
        return DW_OK;
    }
    return DW_EAGAIN;
}

bool dw_peers_is_from (const dw_peers_t *self, uint32_t router, uint32_t number) {
    zmq_msg_t *id = &self->message.frames[0];
    const dw_peer_t *peer = number < self->count ? &self->items[number] : NULL;
    return peer && peer->role && peer->router == router && peer->id_size == zmq_msg_size (id) &&
           memcmp (peer->id, zmq_msg_data (id), peer->id_size) == 0;
}

bool dw_peers_has_sender (const dw_peers_t *self, uint32_t router) {
    for (uint32_t i = 0; i < self->count; i++)
        if (dw_peers_is_from (self, router, i))
            return true;
    return false;
}

dw_peer_t *dw_peers_sender (dw_peers_t *self, uint32_t router, dw_wire_reader_t *reader) {
    uint32_t number = dw_read_uint_max (reader, UINT32_MAX);
    if (!reader->is_damaged && dw_peers_is_from (self, router, number))
        return &self->items[number];
    self->unknown_count++;
    return NULL;
}

/* A free place: one that was left, else a new one. */
static dw_peer_t *s_place (dw_peers_t *self) {
    for (uint32_t i = 0; self->free_count > 0 && i < self->count; i++)
        if (!self->items[i].role) {
            self->free_count--;
            return &self->items[i];
        }
    if (self->count == self->size) {
        uint32_t size = self->size ? 2 * self->size : 8;
        dw_peer_t *items = realloc (self->items, size * sizeof *items);
        if (!items)
            return NULL;
        self->items = items;
        self->size = size;
    }
    dw_peer_t *peer = &self->items[self->count++];
    memset (peer, 0, sizeof *peer);
    return peer;
}

dw_peer_t *dw_peers_add (dw_peers_t *self, uint32_t router, dw_wire_role_t role) {
    zmq_msg_t *id = &self->message.frames[0];
    if (zmq_msg_size (id) > sizeof ((dw_peer_t *) 0)->id)
        return NULL;
    dw_peer_t *peer = s_place (self);
    if (!peer)
        return NULL;
    dw_packet_t packet = peer->packet;
    *peer = (dw_peer_t){.id_size = (uint8_t) zmq_msg_size (id),
                        .router = (uint8_t) router,
                        .role = (uint8_t) role,
                        .number = DW_PEER_NONE,
                        .packet = packet};
    memcpy (peer->id, zmq_msg_data (id), peer->id_size);
    self->clients_count += role == DW_WIRE_CLIENT;
    return peer;
}

void dw_peers_remove (dw_peers_t *self, dw_peer_t *peer) {
    self->clients_count -= peer->role == DW_WIRE_CLIENT;
    self->free_count++;
    peer->role = 0;
    dw_packet_clear (&peer->packet); /* its place in dirty, if any, is passed over */
}

dw_packet_t *dw_peers_packet (dw_peers_t *self, dw_peer_t *peer, dw_wire_type_t type) {
    if (!peer->is_dirty) {
        if (self->dirty_count == self->dirty_size) {
            uint32_t size = self->dirty_size ? 2 * self->dirty_size : 16;
            uint32_t *dirty = realloc (self->dirty, size * sizeof *dirty);
            if (!dirty)
                return NULL;
            self->dirty = dirty;
            self->dirty_size = size;
        }
        self->dirty[self->dirty_count++] = dw_peers_index (self, peer);
        peer->is_dirty = true;
    }
    if (peer->packet.head.count == 0)
        dw_write_uint (&peer->packet.head, type);
    peer->packet.records++;
    return &peer->packet;
}

/* Sends a peer's packet and keeps it, which is how it is sent again when nobody got it. */
static int s_send_and_keep (dw_peers_t *self, dw_peer_t *peer) {
    dw_parcel_t *parcel = dw_parcel_new (&peer->packet);
    if (!parcel)
        return DW_ENOMEM;
    dw_kept_add (peer->kept, parcel);
    return dw_parcel_send (parcel, self->routers[peer->router], peer->id, peer->id_size);
}

int dw_peers_send (dw_peers_t *self, dw_peer_t *peer) {
    uint32_t records = peer->packet.records;
    self->full_count += peer->packet.bytes >= DW_PACKET_FULL;
    int err = peer->kept && records > 0
                  ? s_send_and_keep (self, peer)
                  : dw_packet_send (&peer->packet, self->routers[peer->router], peer->id,
                                    peer->id_size);
    self->messages_count++;
    if (err && records > 0) { /* else it was a probe, of which its caller judges */
        peer->is_unreachable = true;
        peer->unsent += records;
    }
    return err;
}

bool dw_peers_probe (dw_peers_t *self, dw_peer_t *peer) {
    if (peer->packet.head.count == 0)
        dw_write_uint (&peer->packet.head, DW_WIRE_RESULTS);
    return dw_peers_send (self, peer) != DW_ENOENT;
}

void dw_peers_flush (dw_peers_t *self, void (*failed) (void *arg, dw_peer_t *peer), void *arg) {
    for (uint32_t i = 0; i < self->dirty_count; i++) {
        dw_peer_t *peer = &self->items[self->dirty[i]];
        peer->is_dirty = false;
        if (peer->role && peer->packet.head.count)
            dw_peers_send (self, peer);
        if (peer->role && peer->is_unreachable)
            failed (arg, peer);
    }
    self->dirty_count = 0;
}

void dw_peers_reply (dw_peers_t *self, uint32_t router, dw_packet_t *packet) {
    zmq_msg_t *id = &self->message.frames[0];
    /* A peer that is gone meanwhile has nobody to be told. */
    dw_packet_send (packet, self->routers[router], zmq_msg_data (id), zmq_msg_size (id));
}

void dw_peers_free (dw_peers_t *self) {
    for (uint32_t i = 0; i < self->count; i++)
        dw_packet_free (&self->items[i].packet);
    for (uint32_t i = 0; i < self->routers_count; i++)
        zmq_close (self->routers[i]);
    dw_message_free (&self->message);
    free (self->items);
    free (self->dirty);
    memset (self, 0, sizeof *self);
}
