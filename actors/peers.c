/* peers.c - who talks to the coordinator, and its sockets. */

#include "actors/peers.h"

#include <stdlib.h>
#include <string.h>

#include "runtime/core/prefetch.h"

#define DIRTY_KEPT 4096u /* room for so many peers that have something to be sent stays */

/* The next message of any router. What makes no sense is one, too, as nobody's: who sends nothing
 * else must not keep the caller from what else it has to do. */
static int s_receive_one (dw_peers_t *self, dw_arrival_t *arrival) {
    for (uint32_t i = 0; i < self->routers_count; i++) {
        uint32_t router = (self->first_router + i) % self->routers_count;
        int err = dw_message_receive (&arrival->message, self->routers[router]);
        if (err == DW_EAGAIN)
            continue;
        if (err == DW_ECLOSED)
            return err;
        self->first_router = router + 1;
        arrival->router = router;
        return DW_OK;
    }
    return DW_EAGAIN;
}

/* Begins to read the head of a message: its type, which is DW_WIRE_TYPES when it makes no sense.
 * The reader is not given back as a value: copied right after it was written, it would have to wait
 * until all that was written before has left for the cache. */
static uint32_t s_read_head (dw_message_t *message, dw_wire_reader_t *reader) {
    zmq_msg_t *head = message->count > DW_PEERS_HEAD ? &message->frames[DW_PEERS_HEAD] : NULL;
    reader->at = head ? zmq_msg_data (head) : NULL;
    reader->end = head ? reader->at + zmq_msg_size (head) : NULL;
    reader->is_damaged = !head;
    uint32_t type = dw_read_uint_max (reader, DW_WIRE_TYPES);
    return reader->is_damaged ? DW_WIRE_TYPES : type;
}

/* Where very many take turns, each of them is in no cache: all that have sent something are fetched
 * at once. */
static void s_prefetch_senders (dw_peers_t *self) {
    for (uint32_t i = 0; i < self->arrivals_count; i++) {
        dw_arrival_t *arrival = &self->arrivals[i];
        dw_wire_reader_t reader;
        s_read_head (&arrival->message, &reader);
        uint32_t number = dw_read_uint_max (&reader, UINT32_MAX);
        arrival->sender = reader.is_damaged || number >= self->count ? DW_PEER_NONE : number;
        if (arrival->sender != DW_PEER_NONE)
            dw_prefetch (&self->items[number], sizeof self->items[number]);
    }
}

int dw_peers_gather (dw_peers_t *self, uint32_t max) {
    int err = DW_OK;
    self->arrivals_first = self->arrivals_count = 0;
    while (!err && self->arrivals_count < max) {
        err = s_receive_one (self, &self->arrivals[self->arrivals_count]);
        self->arrivals_count += !err;
    }
    if (self->arrivals_count > 1)
        s_prefetch_senders (self);
    return self->arrivals_count > 0 ? DW_OK : err;
}

bool dw_peers_next (dw_peers_t *self, uint32_t *router_p, dw_wire_reader_t *reader_p,
                    uint32_t *type_p) {
    dw_message_clear (&self->message);
    if (self->arrivals_first == self->arrivals_count)
        return false;
    dw_arrival_t *arrival = &self->arrivals[self->arrivals_first++];
    dw_message_t emptied = self->message;
    self->message = arrival->message;
    arrival->message = emptied;
    *router_p = arrival->router;
    *type_p = s_read_head (&self->message, reader_p);
    self->messages_count += *type_p != DW_WIRE_TYPES;
    return true;
}

int dw_peers_receive (dw_peers_t *self, uint32_t *router_p, dw_wire_reader_t *reader_p,
                      uint32_t *type_p) {
    int err = self->arrivals_first < self->arrivals_count ? DW_OK
                                                          : dw_peers_gather (self, DW_ARRIVALS_MAX);
    if (!err)
        dw_peers_next (self, router_p, reader_p, type_p);
    return err;
}

bool dw_peers_is_from (const dw_peers_t *self, uint32_t router, uint32_t number) {
    zmq_msg_t *id = &self->message.frames[0];
    const dw_peer_t *peer = number < self->count ? &self->items[number] : NULL;
    return peer && peer->role && peer->router == router && peer->id_size == zmq_msg_size (id) &&
           memcmp (peer->id, zmq_msg_data (id), peer->id_size) == 0;
}

/* ZeroMQ counts routing ids upwards, so the numbers that they are have places of their own. */
static uint32_t *s_by_id (const dw_peers_t *self, uint32_t router, const uint8_t *id, size_t size) {
    uint32_t number = router;
    for (size_t i = 0; i < size; i++)
        number = 31 * (number >> 24) + (number << 8) + id[i];
    return &self->by_id[number & (self->by_id_size - 1)];
}

bool dw_peers_has_sender (const dw_peers_t *self, uint32_t router) {
    zmq_msg_t *id = &self->message.frames[0];
    if (self->by_id_size == 0)
        return false;
    uint32_t at = *s_by_id (self, router, zmq_msg_data (id), zmq_msg_size (id));
    while (at != DW_PEER_NONE && !dw_peers_is_from (self, router, at))
        at = self->items[at].next;
    return at != DW_PEER_NONE;
}

dw_peer_t *dw_peers_sender (dw_peers_t *self, uint32_t router, dw_wire_reader_t *reader) {
    uint32_t number = dw_read_uint_max (reader, UINT32_MAX);
    if (!reader->is_damaged && dw_peers_is_from (self, router, number))
        return &self->items[number];
    self->unknown_count++;
    return NULL;
}

static void s_enter (dw_peers_t *self, dw_peer_t *peer) {
    uint32_t *first = s_by_id (self, peer->router, peer->id, peer->id_size);
    peer->next = *first;
    *first = dw_peers_index (self, peer);
}

/* Room for the ids of twice as many peers as there are places: two of a place are found as soon. */
static bool s_grow_by_id (dw_peers_t *self) {
    uint32_t size = self->by_id_size ? 2 * self->by_id_size : 8;
    uint32_t *by_id = realloc (self->by_id, size * sizeof *by_id);
    if (!by_id)
        return false;
    self->by_id = by_id;
    self->by_id_size = size;
    memset (by_id, 0xff, size * sizeof *by_id); /* DW_PEER_NONE */
    for (uint32_t i = 0; i < self->count; i++)
        if (self->items[i].role)
            s_enter (self, &self->items[i]);
    return true;
}

/* A free place: one that was left, else a new one. They grow by an eighth: of very many, half would
 * be much to leave unused. */
static dw_peer_t *s_place (dw_peers_t *self) {
    if (self->free_first > 0) {
        dw_peer_t *peer = &self->items[self->free_first - 1];
        self->free_first = peer->next;
        return peer;
    }
    if (self->count == 2 * self->by_id_size && !s_grow_by_id (self))
        return NULL;
    if (self->count == self->size) {
        uint32_t size = self->size + self->size / 8 + 8;
        dw_peer_t *items = realloc (self->items, size * sizeof *items);
        if (!items)
            return NULL;
        self->items = items;
        self->size = size;
    }
    return &self->items[self->count++];
}

dw_peer_t *dw_peers_add (dw_peers_t *self, uint32_t router, dw_wire_role_t role) {
    zmq_msg_t *id = &self->message.frames[0];
    if (zmq_msg_size (id) > sizeof ((dw_peer_t *) 0)->id)
        return NULL;
    bool is_client = role == DW_WIRE_CLIENT;
    dw_peer_client_t *client = is_client ? calloc (1, sizeof *client) : NULL;
    dw_peer_t *peer = !is_client || client ? s_place (self) : NULL;
    if (!peer) {
        free (client);
        return NULL;
    }
    *peer = (dw_peer_t){.id_size = (uint8_t) zmq_msg_size (id),
                        .router = (uint8_t) router,
                        .role = (uint8_t) role,
                        .number = DW_PEER_NONE,
                        .guest_fd = -1,
                        .client = client};
    memcpy (peer->id, zmq_msg_data (id), peer->id_size);
    s_enter (self, peer);
    self->clients_count += is_client;
    return peer;
}

/* A peer has nothing to be sent any more: its packet is the next one's, or, as few are needed at
 * one time mostly, nobody's. */
static void s_drop_packet (dw_peers_t *self, dw_peer_t *peer) {
    dw_packet_t *packet = peer->packet;
    peer->packet = NULL;
    if (!packet)
        return;
    dw_packet_clear (packet);
    if (self->spares_count < DW_SPARES_MAX) {
        self->spares[self->spares_count++] = packet;
        return;
    }
    dw_packet_free (packet);
    free (packet);
}

void dw_peers_remove (dw_peers_t *self, dw_peer_t *peer) {
    uint32_t index = dw_peers_index (self, peer);
    uint32_t *link = s_by_id (self, peer->router, peer->id, peer->id_size);
    while (*link != index)
        link = &self->items[*link].next;
    *link = peer->next;
    self->clients_count -= peer->role == DW_WIRE_CLIENT;
    peer->role = 0;
    free (peer->client);
    peer->client = NULL;
    peer->next = self->free_first;
    self->free_first = index + 1;
    s_drop_packet (self, peer); /* its place in dirty, if any, is passed over */
}

/* A packet for a peer that has none, which begins with type. */
static bool s_need_packet (dw_peers_t *self, dw_peer_t *peer, dw_wire_type_t type) {
    if (peer->packet)
        return true;
    peer->packet = self->spares_count > 0 ? self->spares[--self->spares_count]
                                          : calloc (1, sizeof *peer->packet);
    if (!peer->packet)
        return false;
    dw_write_uint (&peer->packet->head, type);
    return true;
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
    if (!s_need_packet (self, peer, type))
        return NULL;
    peer->packet->records++;
    return peer->packet;
}

/* Sends a peer's packet and keeps it, which is how it is sent again when nobody got it. */
static int s_send_and_keep (dw_peers_t *self, dw_peer_t *peer) {
    dw_parcel_t *parcel = dw_parcel_new (peer->packet);
    if (!parcel)
        return DW_ENOMEM;
    dw_kept_add (peer->client->kept, parcel);
    return dw_parcel_send (parcel, self->routers[peer->router], peer->id, peer->id_size);
}

int dw_peers_send (dw_peers_t *self, dw_peer_t *peer) {
    uint32_t records = peer->packet->records;
    self->full_count += peer->packet->bytes >= DW_PACKET_FULL;
    bool is_kept = peer->client && peer->client->kept;
    int err = is_kept && records > 0 ? s_send_and_keep (self, peer)
                                     : dw_packet_send (peer->packet, self->routers[peer->router],
                                                       peer->id, peer->id_size);
    s_drop_packet (self, peer);
    self->messages_count++;
    if (err && records > 0) { /* else it was a probe, of which its caller judges */
        peer->is_unreachable = true;
        peer->unsent += records;
    }
    return err;
}

bool dw_peers_probe (dw_peers_t *self, dw_peer_t *peer) {
    return !s_need_packet (self, peer, DW_WIRE_RESULTS) || dw_peers_send (self, peer) != DW_ENOENT;
}

void dw_peers_flush (dw_peers_t *self, void (*failed) (void *arg, dw_peer_t *peer), void *arg) {
    for (uint32_t i = 0; i < self->dirty_count; i++) {
        dw_peer_t *peer = &self->items[self->dirty[i]];
        peer->is_dirty = false;
        if (peer->role && peer->packet)
            dw_peers_send (self, peer);
        if (peer->role && peer->is_unreachable)
            failed (arg, peer);
    }
    self->dirty_count = 0;
    if (self->dirty_size <= DIRTY_KEPT)
        return;
    free (self->dirty); /* as many hardly ever have something again */
    self->dirty = NULL;
    self->dirty_size = 0;
}

void dw_peers_reply (dw_peers_t *self, uint32_t router, dw_packet_t *packet) {
    zmq_msg_t *id = &self->message.frames[0];
    /* A peer that is gone meanwhile has nobody to be told. */
    dw_packet_send (packet, self->routers[router], zmq_msg_data (id), zmq_msg_size (id));
}

void dw_peers_free (dw_peers_t *self) {
    for (uint32_t i = 0; i < self->count; i++)
        if (self->items[i].role) {
            s_drop_packet (self, &self->items[i]);
            free (self->items[i].client);
        }
    while (self->spares_count > 0) {
        dw_packet_t *spare = self->spares[--self->spares_count];
        dw_packet_free (spare);
        free (spare);
    }
    for (uint32_t i = 0; i < self->routers_count; i++)
        zmq_close (self->routers[i]);
    dw_message_free (&self->message);
    for (uint32_t i = 0; i < DW_ARRIVALS_MAX; i++)
        dw_message_free (&self->arrivals[i].message);
    free (self->items);
    free (self->by_id);
    free (self->dirty);
    memset (self, 0, sizeof *self);
}
