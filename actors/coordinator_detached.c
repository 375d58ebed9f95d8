/* coordinator_detached.c - runs that nobody waits for: kept with their results for whoever knows their names.
 *
 *                 DETACH                  it ends                    keep_ms, or more than keep_runs or keep_bytes
 *     (no name) ---------> live ------------------------> ended ---------------------------------------> dropped
 *                           ^                               ^                                               |
 *                           +-- CLAIM: waits for its end    +-- CLAIM: is sent the result         CLAIM: 410 +
 *
 * There are at most keep_runs that are live or have ended, and as many names of those that were dropped. All of it is
 * looked through in order: names are asked for seldom. */

#include <stdlib.h>

#include "actors/clock.h"
#include "actors/coordinator_self.h"

#define CLAIMS_MAX 4096u

/* ---- Their places ----------------------------------------------------------------------------- */

static bool s_is_name (const dw_detached_t *entry, const uint8_t *uuid, uint64_t number) {
    return entry->state != DW_DETACHED_FREE && entry->number == number &&
           memcmp (entry->uuid, uuid, DW_WIRE_UUID_SIZE) == 0;
}

/* DW_NONE: there is none of this name. */
static uint32_t s_find (const dw_coordinator_t *self, const uint8_t *uuid, uint64_t number) {
    for (uint32_t i = 0; i < self->detached_count; i++)
        if (s_is_name (&self->detached[i], uuid, number))
            return i;
    return DW_NONE;
}

static uint32_t s_count (const dw_coordinator_t *self, dw_detached_state_t state) {
    uint32_t count = 0;
    for (uint32_t i = 0; i < self->detached_count; i++)
        count += self->detached[i].state == state;
    return count;
}

uint32_t dw_coordinator_detached_kept (const dw_coordinator_t *self) {
    return s_count (self, DW_DETACHED_ENDED);
}

/* The one that has been in a state for the longest time, but not except; DW_NONE: none is. */
static uint32_t s_oldest (const dw_coordinator_t *self, dw_detached_state_t state,
                          uint32_t except) {
    uint32_t oldest = DW_NONE;
    for (uint32_t i = 0; i < self->detached_count; i++)
        if (self->detached[i].state == state && i != except &&
            (oldest == DW_NONE || self->detached[i].ended_ns < self->detached[oldest].ended_ns))
            oldest = i;
    return oldest;
}

static void s_drop (dw_coordinator_t *self, uint32_t index) {
    dw_detached_t *entry = &self->detached[index];
    if (entry->result)
        self->detached_bytes -= entry->result->bytes;
    dw_parcel_destroy (&entry->result);
    entry->state = DW_DETACHED_DROPPED;
}

static bool s_grow (dw_coordinator_t *self) {
    uint32_t size = self->detached_size ? 2 * self->detached_size : 16;
    dw_detached_t *entries = realloc (self->detached, size * sizeof *entries);
    if (!entries)
        return false;
    self->detached = entries;
    self->detached_size = size;
    return true;
}

static bool s_is_full (const dw_coordinator_t *self) {
    return s_count (self, DW_DETACHED_LIVE) + s_count (self, DW_DETACHED_ENDED) >=
           self->options.keep_runs;
}

/* A place for one more; DW_NONE: all are under way, or no memory. Nothing is dropped for it before
 * it is taken. */
static uint32_t s_place (dw_coordinator_t *self) {
    if (s_is_full (self) && s_oldest (self, DW_DETACHED_ENDED, DW_NONE) == DW_NONE)
        return DW_NONE;
    for (uint32_t i = 0; i < self->detached_count; i++)
        if (self->detached[i].state == DW_DETACHED_FREE)
            return i;
    if (self->detached_count >= 2 * self->options.keep_runs)
        return s_oldest (self, DW_DETACHED_DROPPED, DW_NONE);
    if (self->detached_count == self->detached_size && !s_grow (self))
        return DW_NONE;
    self->detached[self->detached_count] = (dw_detached_t){0};
    return self->detached_count++;
}

/* ---- Begun ------------------------------------------------------------------------------------ */

static void s_accept (dw_coordinator_t *self, uint32_t router, dw_wire_type_t type, uint64_t run) {
    dw_write_uint (&self->reply.head, type);
    dw_write_uint (&self->reply.head, run);
    dw_peers_reply (&self->peers, router, &self->reply);
}

/* Begins a run in a place of its own. */
static const char *s_begin (dw_coordinator_t *self, uint32_t client, uint64_t number,
                            dw_wire_reader_t *reader, uint16_t *code) {
    const dw_session_t *session = dw_coordinator_session (self, client);
    uint32_t place = s_place (self), index;
    *code = 503;
    if (place == DW_NONE)
        return "as many detached runs are under way as keep_runs allows";
    const char *why = dw_coordinator_begin_run (self, client, reader, code, &index);
    if (why)
        return why;
    if (s_is_full (self))
        s_drop (self, s_oldest (self, DW_DETACHED_ENDED, DW_NONE));
    dw_live_run_t *run = &self->runs[index];
    run->client = DW_PEER_NONE;
    run->session = DW_NONE;
    run->client_run = 0;
    run->detached = place;
    dw_detached_t *entry = &self->detached[place];
    *entry = (dw_detached_t){
        .state = DW_DETACHED_LIVE, .number = number, .run = index, .ended_ns = dw_clock_ns ()};
    memcpy (entry->uuid, session->uuid, sizeof entry->uuid);
    memcpy (entry->key, session->key, sizeof entry->key);
    return NULL;
}

void dw_coordinator_on_detach (dw_coordinator_t *self, uint32_t router, uint32_t client,
                               dw_wire_reader_t *reader) {
    dw_session_t *session = dw_coordinator_session (self, client);
    dw_wire_reader_t ahead = *reader;
    uint64_t number = dw_read_uint (&ahead);
    uint16_t code;
    if (!session) { /* who says not who it is leaves nothing behind */
        self->peers.unknown_count++;
        return;
    }
    if (s_find (self, session->uuid, number) !=
        DW_NONE) { /* it asks again, because its connection was cut before it heard */
        s_accept (self, router, DW_WIRE_DETACH, number);
        return;
    }
    const char *why = dw_coordinator_why_not (self, client, number, &code);
    if (!why) {
        session->run_last = number;
        why = s_begin (self, client, number, reader, &code);
    }
    if (why)
        dw_coordinator_refuse_run (self, router, code, why, number);
    else
        s_accept (self, router, DW_WIRE_DETACH, number);
}

/* ---- Claimed ---------------------------------------------------------------------------------- */

/* Puts a result into a message of its own, because its frames are numbered. */
static void s_write (dw_packet_t *packet, const dw_detached_t *entry, uint64_t client_run) {
    dw_parcel_t *parcel = entry->result;
    dw_write_uint (&packet->head, client_run);
    dw_packet_append (packet, (uint8_t *) zmq_msg_data (&parcel->frames[0]) + 1,
                      zmq_msg_size (&parcel->frames[0]) - 1);
    for (uint32_t i = 1; i < parcel->frames_count; i++)
        dw_packet_lend (packet, &parcel->frames[i]);
}

static void s_give (dw_coordinator_t *self, const dw_detached_t *entry, dw_session_t *session,
                    uint64_t client_run) {
    dw_flights_remove (&session->live, client_run);
    if (session->peer == DW_PEER_NONE) {
        dw_packet_clear (&self->away);
        dw_write_uint (&self->away.head, DW_WIRE_RESULTS);
        s_write (&self->away, entry, client_run);
        dw_coordinator_keep (self, session, &self->away);
        return;
    }
    dw_peer_t *peer = &self->peers.items[session->peer];
    if (peer->packet)
        dw_peers_send (&self->peers, peer);
    dw_packet_t *packet = dw_peers_packet (&self->peers, peer, DW_WIRE_RESULTS);
    if (!packet) {
        self->is_over = true;
        return;
    }
    s_write (packet, entry, client_run);
    dw_peers_send (&self->peers, peer);
}

/* Claims a run that is under way. */
static const char *s_wait_for (dw_coordinator_t *self, uint32_t detached, uint32_t session,
                               uint64_t client_run) {
    if (self->claims_count == CLAIMS_MAX)
        return "too many clients wait for detached runs";
    if (self->claims_count == self->claims_size) {
        uint32_t size = self->claims_size ? 2 * self->claims_size : 16;
        dw_claim_t *claims = realloc (self->claims, size * sizeof *claims);
        if (!claims)
            return "the coordinator is out of memory";
        self->claims = claims;
        self->claims_size = size;
    }
    self->claims[self->claims_count++] = (dw_claim_t){
        .detached = detached, .session = session, .client_run = client_run};
    dw_flights_add (&self->sessions[session]->live,
                    client_run); /* there is room: it was asked for */
    return NULL;
}

/* What has become of the run of this name; NULL: it is claimed. */
static const char *s_claim (dw_coordinator_t *self, uint32_t router, uint32_t client,
                            uint64_t client_run, const uint8_t *uuid, uint64_t number,
                            uint16_t *code) {
    dw_session_t *session = dw_coordinator_session (self, client);
    uint32_t index = s_find (self, uuid, number);
    *code = 404;
    if (index == DW_NONE)
        return "there is no run of this name here: it never was, or it was dropped long ago";
    const dw_detached_t *entry = &self->detached[index];
    *code = 403;
    if (memcmp (entry->key, session->key, DW_KEY_SIZE) != 0)
        return "the run of this name was submitted with another key";
    *code = 410;
    if (entry->state == DW_DETACHED_DROPPED)
        return "its result was dropped: it was kept for its time, or others came after it";
    if (entry->state == DW_DETACHED_ENDED) {
        s_give (self, entry, session, client_run);
        return NULL;
    }
    *code = 503;
    const char *why = s_wait_for (self, index, self->peers.items[client].number, client_run);
    if (!why)
        s_accept (self, router, DW_WIRE_CLAIM, client_run);
    return why;
}

void dw_coordinator_on_claim (dw_coordinator_t *self, uint32_t router, uint32_t client,
                              dw_wire_reader_t *reader) {
    dw_session_t *session = dw_coordinator_session (self, client);
    size_t size;
    uint64_t client_run = dw_read_uint (reader);
    const uint8_t *uuid = dw_read_bin (reader, DW_WIRE_UUID_SIZE, &size);
    uint64_t number = dw_read_uint (reader);
    uint16_t code;
    if (!session || reader->is_damaged || size != DW_WIRE_UUID_SIZE) {
        self->peers.unknown_count++;
        return;
    }
    if (dw_flights_has (&session->live, client_run)) { /* it asks again */
        s_accept (self, router, DW_WIRE_CLAIM, client_run);
        return;
    }
    const char *why = dw_coordinator_why_not (self, client, client_run, &code);
    if (!why) {
        session->run_last = client_run;
        why = s_claim (self, router, client, client_run, uuid, number, &code);
    }
    if (why)
        dw_coordinator_refuse_run (self, router, code, why, client_run);
}

void dw_coordinator_abort_claimed (dw_coordinator_t *self, uint32_t session, uint64_t client_run,
                                   uint32_t node) {
    for (uint32_t i = 0; i < self->claims_count; i++) {
        const dw_claim_t *claim = &self->claims[i];
        if (claim->session == session &&
            (client_run == DW_EVERY_RUN || claim->client_run == client_run))
            dw_coordinator_abort_part (self, self->detached[claim->detached].run, node);
    }
}

void dw_coordinator_forget_claims (dw_coordinator_t *self, uint32_t session) {
    uint32_t count = 0;
    for (uint32_t i = 0; i < self->claims_count; i++)
        if (self->claims[i].session != session)
            self->claims[count++] = self->claims[i];
    self->claims_count = count;
}

/* ---- Ended, dropped --------------------------------------------------------------------------- */

static void s_give_to_all (dw_coordinator_t *self, uint32_t detached) {
    uint32_t count = 0;
    for (uint32_t i = 0; i < self->claims_count; i++) {
        dw_claim_t claim = self->claims[i];
        if (claim.detached == detached)
            s_give (self, &self->detached[detached], self->sessions[claim.session],
                    claim.client_run);
        else
            self->claims[count++] = claim;
    }
    self->claims_count = count;
}

void dw_coordinator_keep_detached (dw_coordinator_t *self, uint32_t detached) {
    dw_detached_t *entry = &self->detached[detached];
    entry->result = dw_parcel_new (&self->away);
    if (!entry->result) {
        self->is_over = true;
        return;
    }
    entry->state = DW_DETACHED_ENDED;
    entry->ended_ns = dw_clock_ns ();
    self->detached_bytes += entry->result->bytes;
    s_give_to_all (self, detached);
    while (self->detached_bytes > self->options.keep_bytes) {
        uint32_t oldest = s_oldest (self, DW_DETACHED_ENDED, detached);
        if (oldest == DW_NONE)
            break;
        s_drop (self, oldest);
    }
}

void dw_coordinator_look_after_detached (dw_coordinator_t *self, int64_t now_ns) {
    int64_t keep_ns = (int64_t) self->options.keep_ms * 1000000;
    for (uint32_t i = 0; i < self->detached_count; i++)
        if (self->detached[i].state == DW_DETACHED_ENDED &&
            now_ns - self->detached[i].ended_ns >= keep_ns)
            s_drop (self, i);
}

void dw_coordinator_free_detached (dw_coordinator_t *self) {
    for (uint32_t i = 0; i < self->detached_count; i++)
        dw_parcel_destroy (&self->detached[i].result);
    free (self->detached);
    free (self->claims);
    self->detached = NULL;
    self->claims = NULL;
    self->detached_count = self->claims_count = 0;
}
