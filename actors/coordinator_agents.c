/* coordinator_agents.c - worker processes elsewhere: let in, heard, lost, drained.
 *
 * A worker process has one agent, which runs no processor and says every heartbeat that it is
 * there, and slots, which are workers like any other. A slot is known by a number that the agent
 * was given and a token that only this incarnation of it was told: what an earlier one goes on
 * saying is nobody's. */

#include <stdlib.h>
#include <sys/random.h>

#include "actors/clock.h"
#include "actors/coordinator_self.h"

/* ---- An agent comes --------------------------------------------------------------------------- */

/* A free place among the agents; DW_NONE: no memory. */
static uint32_t s_place (dw_coordinator_t *self) {
    for (uint32_t i = 0; i < self->agents_count; i++)
        if (!self->agents[i].is_there)
            return i;
    if (self->agents_count == self->agents_size) {
        uint32_t size = self->agents_size ? 2 * self->agents_size : 8;
        dw_remote_agent_t *agents = realloc (self->agents, size * sizeof *agents);
        if (!agents)
            return DW_NONE;
        self->agents = agents;
        self->agents_size = size;
    }
    return self->agents_count++;
}

/* The same process, of before, is lost when this incarnation is a later one. Returns why it is not,
 * or NULL. A name can be guessed, so it has to come with the same key. */
static const char *s_fence (dw_coordinator_t *self, const dw_wire_agent_t *record,
                            const uint8_t *key) {
    static const char later[] = "a later incarnation of this process is here";
    for (uint32_t i = 0; i < self->agents_count; i++) {
        dw_remote_agent_t *agent = &self->agents[i];
        if (!agent->is_there || memcmp (agent->uuid, record->uuid, sizeof agent->uuid) != 0)
            continue;
        const dw_peer_t *peer = &self->peers.items[agent->peer];
        if (memcmp (agent->key, key, DW_KEY_SIZE) != 0)
            return "a worker of this name is here with another key";
        if (agent->incarnation >= record->incarnation)
            return later;
        dw_coordinator_put_out (self, peer, 503,
                                later);         /* which it hears if it is another process */
        dw_coordinator_release_agent (self, i); /* it did not go down: it is there */
    }
    return NULL;
}

/* People are told it, so it has printable characters of ASCII and nothing else. NULL: no memory. */
static char *s_new_host (const char *said, size_t size) {
    char *host = malloc (size + 1);
    for (size_t i = 0; host && i < size; i++)
        host[i] = said[i] > ' ' && said[i] < 0x7f ? said[i] : '?';
    if (host)
        host[size] = '\0';
    return host;
}

static void s_write_welcome (dw_coordinator_t *self, uint32_t index) {
    const dw_remote_agent_t *agent = &self->agents[index];
    dw_writer_t *head = &self->reply.head;
    dw_write_uint (head, DW_WIRE_WELCOME);
    dw_write_uint (head, agent->peer);
    dw_write_uint (head, self->options.heartbeat_ms);
    dw_write_uint (head, self->options.silence_ms);
    dw_write_bin (head, self->options.program->token, DW_WIRE_TOKEN_SIZE);
    dw_write_bin (head, agent->token, DW_WIRE_TOKEN_SIZE);
    dw_write_uint (head, self->options.digest);
    dw_packet_add (&self->reply, zmq_msg_data (self->options.packed),
                   zmq_msg_size (self->options.packed), self->options.packed);
    dw_write_array (head, agent->slots);
    for (uint32_t w = agent->first; w != DW_NONE; w = self->workers[w].next)
        dw_write_uint (head, w);
    dw_write_uint (head, self->plan->demands ? agent->lanes : 0);
    dw_traits_write (self->plan, self->options.program->processors, head);
}

/* Gives an agent its places, the first ones that are free, and a token that nobody else knows. */
static bool s_take_places (dw_coordinator_t *self, uint32_t index) {
    dw_remote_agent_t *agent = &self->agents[index];
    uint32_t *link = &agent->first;
    *link = DW_NONE;
    /* (No slot ever comes with the token of a solo, which nobody is told.) */
    if (getrandom (agent->token, sizeof agent->token, 0) != (ssize_t) sizeof agent->token)
        return false;
    for (uint32_t slot = 1; slot <= agent->slots; slot++) {
        while (self->workers[self->free_place].agent != DW_NONE)
            self->free_place++;
        dw_crew_t *place = &self->workers[self->free_place];
        *place = (dw_crew_t){.peer = DW_PEER_NONE, .agent = index, .slot = slot, .next = DW_NONE};
        *link = self->free_place++;
        link = &place->next;
    }
    self->free_places_count -= agent->slots;
    return true;
}

/* Reads who comes and which lanes it serves. Errors: DW_EREFUSED it has been refused: that makes no
 * sense, or nothing is there for it to do; DW_ENOMEM. */
static int s_read_agent (dw_coordinator_t *self, uint32_t router, dw_wire_reader_t *reader,
                         dw_wire_role_t role, dw_wire_agent_t *record, uint64_t *lanes_p) {
    char lacking[DW_LANES_WHY];
    int err = DW_EPROTOCOL;
    if (router == self->listen_router && dw_read_agent (reader, record) && record->slots > 0 &&
        (role == DW_WIRE_AGENT || record->slots == 1))
        err = dw_lanes_match (self->lanes, record, reader, role == DW_WIRE_AGENT, lanes_p, lacking);
    if (err == DW_EPROTOCOL)
        dw_coordinator_refuse (self, router, 400, "a worker's HELLO makes no sense");
    else if (!err && *lanes_p == 0)
        dw_coordinator_refuse (self, router, 404, lacking);
    else
        return err;
    return DW_EREFUSED;
}

/* Why there is no place for it now; NULL: there is, and its earlier incarnation is gone. */
static const char *s_why_not (dw_coordinator_t *self, const dw_wire_agent_t *record,
                              const uint8_t *key) {
    if (self->is_closing)
        return "the coordinator is closing";
    const char *why = s_fence (self, record, key);
    if (!why && record->slots > self->free_places_count)
        why = "there are no places left for so many slots: raise the coordinator's slots_max";
    return why;
}

uint32_t dw_coordinator_admit_agent (dw_coordinator_t *self, uint32_t router, const uint8_t *key,
                                     dw_wire_reader_t *reader, dw_wire_role_t role) {
    dw_wire_agent_t record;
    uint64_t lanes = 0;
    int err = s_read_agent (self, router, reader, role, &record, &lanes);
    if (err == DW_EREFUSED)
        return DW_NONE;
    const char *why = s_why_not (self, &record, key);
    uint32_t index = why || err ? DW_NONE : s_place (self);
    char *host = index == DW_NONE ? NULL : s_new_host (record.host, record.host_size);
    dw_peer_t *peer = host ? dw_peers_add (&self->peers, router, role) : NULL;
    if (!peer) {
        free (host);
        dw_coordinator_refuse (self, router, 503, why ? why : "the coordinator is out of memory");
        return DW_NONE;
    }
    dw_coordinator_let_in (self, peer);
    peer->number = index;
    dw_remote_agent_t *agent = &self->agents[index];
    *agent = (dw_remote_agent_t){.is_there = true,
                                 .peer = dw_peers_index (&self->peers, peer),
                                 .incarnation = record.incarnation,
                                 .host = host,
                                 .pid = record.pid,
                                 .slots = record.slots,
                                 .lanes = lanes,
                                 .heard_ns = dw_clock_ns ()};
    memcpy (agent->uuid, record.uuid, sizeof agent->uuid);
    memcpy (agent->key, key, sizeof agent->key);
    if (!s_take_places (self, index)) {
        dw_coordinator_lose_agent (self, index);
        if (role != DW_WIRE_AGENT) /* it has no slot by which its peer would be found */
            dw_peers_remove (&self->peers, peer);
        dw_coordinator_refuse (self, router, 503, "the coordinator's system gives no random bytes");
        return DW_NONE;
    }
    self->has_other_agents = true;
    return index;
}

void dw_coordinator_welcome_agent (dw_coordinator_t *self, uint32_t router, const uint8_t *key,
                                   dw_wire_reader_t *reader) {
    uint32_t index = dw_coordinator_admit_agent (self, router, key, reader, DW_WIRE_AGENT);
    if (index == DW_NONE)
        return;
    s_write_welcome (self, index);
    dw_peers_reply (&self->peers, router, &self->reply);
}

/* Whether a HELLO is that of a slot of an agent that is here. */
static bool s_is_slot (const dw_coordinator_t *self, uint32_t router, const uint8_t *key,
                       const dw_wire_hello_t *hello) {
    if (router != self->listen_router || hello->number <= self->workers_count ||
        hello->number >= self->places_count)
        return false;
    uint32_t index = self->workers[hello->number].agent;
    if (index == DW_NONE)
        return false;
    const dw_remote_agent_t *agent = &self->agents[index];
    return memcmp (hello->token, agent->token, DW_WIRE_TOKEN_SIZE) == 0 &&
           memcmp (key, agent->key, DW_KEY_SIZE) == 0;
}

bool dw_coordinator_expects (const dw_coordinator_t *self, uint32_t router, const uint8_t *key,
                             const dw_wire_hello_t *hello) {
    if (hello->number >= self->places_count || self->is_closing)
        return false;
    const dw_crew_t *worker = &self->workers[hello->number];
    if (worker->peer != DW_PEER_NONE)
        return false;
    if (hello->number < self->workers_count)
        return router != self->listen_router && !worker->is_refusing;
    return s_is_slot (self, router, key, hello) && !self->agents[worker->agent].is_leaving;
}

/* ---- It goes ---------------------------------------------------------------------------------- */

static void s_tell (dw_coordinator_t *self, const dw_remote_agent_t *agent, dw_wire_type_t type,
                    uint32_t worker) {
    const dw_peer_t *peer = &self->peers.items[agent->peer];
    dw_write_uint (&self->reply.head, type);
    if (type == DW_WIRE_REPLACE) {
        dw_write_uint (&self->reply.head, worker);
        self->workers[worker].replaced++;
    }
    /* One that cannot be reached will be silent, too. */
    dw_packet_send (&self->reply, self->peers.routers[peer->router], peer->id, peer->id_size);
}

static void s_forget_slots (dw_coordinator_t *self, uint32_t index,
                            void (*tell) (dw_coordinator_t *self, uint32_t number)) {
    uint32_t next, first = self->agents[index].first;
    for (uint32_t w = first; w != DW_NONE; w = next) {
        next = self->workers[w].next;
        if (self->workers[w].peer != DW_PEER_NONE) {
            tell (self, w);
            dw_peers_remove (&self->peers, &self->peers.items[self->workers[w].peer]);
        }
        self->workers[w] = (dw_crew_t){.peer = DW_PEER_NONE, .agent = DW_NONE};
        self->free_places_count++;
    }
    if (first < self->free_place)
        self->free_place = first;
}

static void s_forget_agent (dw_coordinator_t *self, uint32_t index,
                            void (*tell) (dw_coordinator_t *self, uint32_t number)) {
    dw_remote_agent_t *agent = &self->agents[index];
    s_forget_slots (self, index, tell);
    if (self->peers.items[agent->peer].role == DW_WIRE_AGENT)
        dw_peers_remove (&self->peers, &self->peers.items[agent->peer]);
    free (agent->host);
    agent->host = NULL;
    agent->is_there = false;
    self->has_other_agents = true;
}

void dw_coordinator_lose_agent (dw_coordinator_t *self, uint32_t index) {
    s_forget_agent (self, index, dw_coordinator_tell_lost);
}

void dw_coordinator_release_agent (dw_coordinator_t *self, uint32_t index) {
    s_forget_agent (self, index, dw_coordinator_tell_left);
}

/* Whether an agent has a slot that has not said good-bye. */
static bool s_has_slots (const dw_coordinator_t *self, uint32_t index) {
    uint32_t w = self->agents[index].first;
    while (w != DW_NONE && self->workers[w].peer == DW_PEER_NONE)
        w = self->workers[w].next;
    return w != DW_NONE;
}

/* An agent that leaves may end when its last slot has left. */
static void s_end_leaving (dw_coordinator_t *self, uint32_t index) {
    if (self->agents[index].is_leaving && !s_has_slots (self, index))
        dw_coordinator_on_agent_bye (self, index);
}

void dw_coordinator_on_drain (dw_coordinator_t *self, uint32_t index) {
    dw_remote_agent_t *agent = &self->agents[index];
    if (agent->is_leaving)
        return; /* its slots have been told */
    agent->is_leaving = self->has_other_agents = true;
    for (uint32_t w = agent->first; w != DW_NONE; w = self->workers[w].next)
        if (self->workers[w].peer != DW_PEER_NONE)
            dw_coordinator_stop_worker (self, self->workers[w].peer);
    dw_coordinator_notice (self, "the worker at %s (process %llu) leaves", agent->host,
                           (unsigned long long) agent->pid);
    s_end_leaving (self, index);
}

void dw_coordinator_on_agent_bye (dw_coordinator_t *self, uint32_t index) {
    if (!self->agents[index].is_solo) /* that one was told as a slot */
        s_tell (self, &self->agents[index], DW_WIRE_STOP, 0);
    dw_coordinator_release_agent (self, index);
}

/* A slot has left: when it was told to it is at nothing, and what it held was never begun. */
void dw_coordinator_on_slot_bye (dw_coordinator_t *self, dw_peer_t *peer) {
    uint32_t number = peer->number, index = self->workers[number].agent;
    dw_peers_remove (&self->peers, peer);
    self->workers[number].peer = DW_PEER_NONE;
    dw_coordinator_tell_idle (self, number);
    if (self->agents[index].is_solo)
        dw_coordinator_release_agent (self, index);
    else if (self->agents[index].is_leaving)
        s_end_leaving (self, index);
    else if (!self->is_closing)
        s_tell (self, &self->agents[index], DW_WIRE_REPLACE, number);
}

/* A death is put down to what the slot was at only if that had reached it. A solo that leaves may
 * have said BYE, which is yet to be read and tells that it is at nothing; if not, its silence will
 * tell. */
void dw_coordinator_cut_slot (dw_coordinator_t *self, dw_peer_t *peer) {
    uint32_t number = peer->number, index = self->workers[number].agent;
    if (self->agents[index].is_solo && self->agents[index].is_leaving)
        return;
    if (dw_scheduler_unanswered_count (self->scheduler, number) > peer->unsent)
        dw_coordinator_tell_lost (self, number);
    else
        dw_coordinator_tell_idle (self, number);
    self->workers[number].peer = DW_PEER_NONE;
    dw_coordinator_see_off (self, peer); /* it may only have read nothing, and is to know */
    dw_peers_remove (&self->peers, peer);
    if (self->agents[index].is_solo) /* there is nobody to make it again but itself */
        dw_coordinator_release_agent (self, index);
    else
        s_end_leaving (self, index);
}

void dw_coordinator_fence_slot (dw_coordinator_t *self, uint32_t router, const uint8_t *key,
                                const dw_wire_hello_t *hello) {
    if (self->is_closing || !s_is_slot (self, router, key, hello))
        return;
    dw_crew_t *place = &self->workers[hello->number];
    uint32_t index = place->agent, former = place->peer;
    if (former == DW_PEER_NONE)
        return;
    dw_coordinator_stop_worker (self, former);
    dw_coordinator_tell_left (self, hello->number); /* its process has not gone down */
    place->peer = DW_PEER_NONE;
    dw_peers_remove (&self->peers, &self->peers.items[former]);
    s_end_leaving (self, index);
}

void dw_coordinator_replace_slot (dw_coordinator_t *self, uint32_t worker) {
    dw_crew_t *place = &self->workers[worker];
    uint32_t index = place->agent;
    if (self->agents[index].is_solo) {
        dw_coordinator_dismiss_solo (self, index);
        return;
    }
    if (place->peer != DW_PEER_NONE) /* what it says from now on is nobody's */
        dw_peers_remove (&self->peers, &self->peers.items[place->peer]);
    place->peer = DW_PEER_NONE;
    if (self->agents[index].is_leaving)
        s_end_leaving (self, index);
    else if (!self->is_closing)
        s_tell (self, &self->agents[index], DW_WIRE_REPLACE, worker);
}

/* ---- Heartbeats ------------------------------------------------------------------------------- */

void dw_coordinator_on_beat (dw_coordinator_t *self, dw_peer_t *peer, dw_wire_reader_t *reader) {
    dw_wire_slot_t slot;
    uint32_t index = dw_coordinator_agent_of (self, peer);
    uint32_t left = self->places_count; /* of records: each slot has one */
    if (index != DW_NONE)
        self->agents[index].heard_ns = dw_clock_ns ();
    while (peer->role == DW_WIRE_AGENT && dw_wire_reader_has_more (reader) && left-- > 0 &&
           dw_read_slot (reader, &slot))
        dw_coordinator_on_slot (self, index, &slot);
    dw_write_uint (&self->reply.head, DW_WIRE_BEAT);
    dw_packet_send (&self->reply, self->peers.routers[peer->router], peer->id, peer->id_size);
}

void dw_coordinator_look_for_silent (dw_coordinator_t *self, int64_t now_ns) {
    int64_t heartbeat_ns = (int64_t) self->options.heartbeat_ms * 1000000;
    int64_t silence_ns = (int64_t) self->options.silence_ms * 1000000;
    /* After a pause of its own it has not listened: what they said meanwhile still waits to be
     * read. */
    bool has_listened = now_ns - self->look_ns < heartbeat_ns;
    self->look_ns = now_ns + heartbeat_ns / 2;
    for (uint32_t i = 0; i < self->agents_count; i++) {
        dw_remote_agent_t *agent = &self->agents[i];
        if (!agent->is_there)
            continue;
        if (!has_listened)
            agent->heard_ns = now_ns;
        if (now_ns - agent->heard_ns < silence_ns)
            continue;
        dw_coordinator_notice (
            self,
            "the worker at %s (process %llu) was not heard of for %.1f s: it is lost, and what it "
            "had goes to others",
            agent->host, (unsigned long long) agent->pid,
            (double) (now_ns - agent->heard_ns) / 1e9);
        dw_coordinator_lose_agent (self, i);
    }
    dw_coordinator_look_for_standstill (self, now_ns);
}
