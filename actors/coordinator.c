/* coordinator.c - the shell around the scheduler: the loop, what comes in, closing, making. */

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "actors/clock.h"
#include "actors/coordinator_self.h"
#include "runtime/core/prefetch.h"

#define MESSAGES_MAX   64         /* taken in before the scheduler is asked */
#define STACK_BYTES    (1u << 20) /* of its thread */
#define ADDED_MAX      (1u << 20) /* graphs that are added to runs at one time */
#define CLOSING_MS_MAX 3600000u
#define GRACE_NS       500000000 /* in which a processor that was given up has to return */

void dw_coordinator_notice (dw_coordinator_t *self, const char *format, ...) {
    char line[512];
    va_list arguments;
    if (!self->options.notice)
        return;
    va_start (arguments, format);
    vsnprintf (line, sizeof line, format, arguments);
    va_end (arguments);
    dw_error_tame (line); /* names of a graph's and of workers may be in it */
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

static void s_write_range (char *text, size_t size, uint32_t oldest, uint32_t newest) {
    if (oldest == newest)
        snprintf (text, size, "%u", (unsigned) newest);
    else
        snprintf (text, size, "%u to %u", (unsigned) oldest, (unsigned) newest);
}

/* Says which versions are spoken on both sides, so that people know which of them to bring up to
 * date. */
static void s_refuse_version (dw_coordinator_t *self, uint32_t router,
                              const dw_wire_hello_t *hello) {
    char text[128], here[32], there[32];
    s_write_range (here, sizeof here, DW_WIRE_OLDEST, DW_WIRE_VERSION);
    s_write_range (there, sizeof there, hello->oldest, hello->version);
    snprintf (text, sizeof text, "protocol version %s is spoken here, not %s", here, there);
    dw_coordinator_refuse (self, router, 400, text);
}

static void s_on_hello (dw_coordinator_t *self, uint32_t router, dw_wire_reader_t *reader) {
    dw_wire_hello_t hello;
    if (!dw_read_hello (reader, &hello)) {
        dw_coordinator_refuse (self, router, 400,
                               "this is a dagwood coordinator, and that was no HELLO");
        return;
    }
    /* There is one version to be common. A second one is kept with the peer, and chooses its
     * WELCOME and what else differs. */
    if (dw_wire_common_version (&hello) == 0) {
        s_refuse_version (self, router, &hello);
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
        dw_coordinator_welcome_client (self, router, key, reader);
    else if (hello.role == DW_WIRE_AGENT)
        dw_coordinator_welcome_agent (self, router, key, reader);
    else if (hello.role == DW_WIRE_SOLO)
        dw_coordinator_welcome_solo (self, router, key, &hello, reader);
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

/* The owner is told no number, so what it says is known by its type. */
static bool s_is_owners (uint32_t type) {
    return type == DW_WIRE_CLOSE || type == DW_WIRE_COUNT || type == DW_WIRE_RELOAD ||
           type == DW_WIRE_REFER;
}

static void s_on_owner_message (dw_coordinator_t *self, uint32_t router, uint32_t type,
                                dw_wire_reader_t *reader) {
    if (self->owner == DW_PEER_NONE || !dw_peers_is_from (&self->peers, router, self->owner))
        self->peers.unknown_count++;
    else if (type == DW_WIRE_CLOSE)
        s_on_close (self, reader);
    else if (type == DW_WIRE_RELOAD)
        dw_coordinator_reload (self);
    else if (type == DW_WIRE_REFER)
        dw_coordinator_on_refer (self, router, reader);
    else
        s_on_count (self, router);
}

/* What each role says. False: no message of that type. */

static bool s_on_client_message (dw_coordinator_t *self, uint32_t router, dw_peer_t *peer,
                                 uint32_t type, dw_wire_reader_t *reader) {
    uint32_t index = dw_peers_index (&self->peers, peer);
    if (type == DW_WIRE_SUBMIT)
        dw_coordinator_on_submit (self, router, index, reader);
    else if (type == DW_WIRE_ABORT)
        dw_coordinator_on_abort (self, index, reader);
    else if (type == DW_WIRE_DETACH)
        dw_coordinator_on_detach (self, router, index, reader);
    else if (type == DW_WIRE_CLAIM)
        dw_coordinator_on_claim (self, router, index, reader);
    else if (type == DW_WIRE_TAKEN)
        dw_coordinator_on_taken (self, index, reader);
    else if (type == DW_WIRE_STATUS)
        dw_coordinator_on_status (self, router);
    else if (type == DW_WIRE_BEAT)
        dw_coordinator_on_beat (self, peer, reader);
    else if (type == DW_WIRE_BYE)
        dw_coordinator_on_client_bye (self, index);
    else
        return false;
    return true;
}

/* A solo is a worker that speaks for its process too. */
static bool s_on_worker_message (dw_coordinator_t *self, uint32_t router, dw_peer_t *peer,
                                 uint32_t type, dw_wire_reader_t *reader) {
    if (type == DW_WIRE_ANSWERS)
        dw_coordinator_on_answers (self, peer, reader);
    else if (type == DW_WIRE_BEAT && router == self->listen_router)
        dw_coordinator_on_beat (self, peer, reader);
    else if (type == DW_WIRE_DRAIN && dw_coordinator_agent_of (self, peer) != DW_NONE)
        dw_coordinator_on_drain (self, dw_coordinator_agent_of (self, peer));
    else if (type == DW_WIRE_BYE)
        dw_coordinator_on_worker_bye (self, peer);
    else
        return false;
    return true;
}

static bool s_on_agent_message (dw_coordinator_t *self, dw_peer_t *peer, uint32_t type,
                                dw_wire_reader_t *reader) {
    if (type == DW_WIRE_BEAT)
        dw_coordinator_on_beat (self, peer, reader);
    else if (type == DW_WIRE_ENDED)
        dw_coordinator_on_ended (self, peer->number, reader);
    else if (type == DW_WIRE_DRAIN)
        dw_coordinator_on_drain (self, peer->number);
    else if (type == DW_WIRE_BYE)
        dw_coordinator_release_agent (self, peer->number);
    else
        return false;
    return true;
}

static bool s_on_peer_message (dw_coordinator_t *self, uint32_t router, dw_peer_t *peer,
                               uint32_t type, dw_wire_reader_t *reader) {
    switch ((dw_wire_role_t) peer->role) {
        case DW_WIRE_CLIENT: return s_on_client_message (self, router, peer, type, reader);
        case DW_WIRE_WORKER: return s_on_worker_message (self, router, peer, type, reader);
        case DW_WIRE_AGENT: return s_on_agent_message (self, peer, type, reader);
        case DW_WIRE_OWNER:
        case DW_WIRE_SOLO: break; /* the one says no more, the other is a worker here */
    }
    return false;
}

static void s_on_message (dw_coordinator_t *self, uint32_t router, uint32_t type,
                          dw_wire_reader_t *reader) {
    dw_peer_t *peer;
    if (type == DW_WIRE_HELLO)
        s_on_hello (self, router, reader);
    else if (type == DW_WIRE_WHERE) /* before HELLO, which is said to who has the graph */
        dw_coordinator_on_where (self, router, reader);
    else if (s_is_owners (type))
        s_on_owner_message (self, router, type, reader);
    else if ((peer = dw_peers_sender (&self->peers, router, reader)) &&
             !s_on_peer_message (self, router, peer, type, reader))
        self->peers.unknown_count++;
}

/* What is known of the workers whose answers have come, then of the runs whose tasks they were at, then
 * of the nodes, is fetched for all of them at once: where there are very many it is in no cache, and
 * each is waited for as long as all. */
static void s_prefetch_workers (const dw_coordinator_t *self) {
    const dw_peers_t *peers = &self->peers;
    uint32_t workers[DW_ARRIVALS_MAX], runs[DW_ARRIVALS_MAX], count = 0;
    if (peers->arrivals_count < 2)
        return;
    for (uint32_t i = 0; i < peers->arrivals_count; i++) {
        uint32_t sender = peers->arrivals[i].sender;
        if (sender != DW_PEER_NONE && peers->items[sender].role == DW_WIRE_WORKER)
            workers[count++] = peers->items[sender].number;
    }
    for (uint32_t i = 0; i < count; i++) {
        dw_prefetch (&self->workers[workers[i]], sizeof self->workers[workers[i]]);
        dw_scheduler_prefetch (self->scheduler, workers[i]);
    }
    for (uint32_t i = 0; i < count; i++) {
        runs[i] = dw_scheduler_prefetch_run (self->scheduler, workers[i]);
        if (runs[i] != DW_NONE)
            dw_prefetch (&self->runs[runs[i]], sizeof self->runs[runs[i]]);
    }
    for (uint32_t i = 0; i < count; i++)
        if (runs[i] != DW_NONE) {
            uint32_t node = dw_scheduler_prefetch_node (self->scheduler, workers[i], runs[i]);
            dw_table_prefetch (&self->runs[runs[i]].table, node);
        }
}

/* Takes in what has arrived, but not without end, and says to the scheduler when there may be more of
 * what workers answer. Actors are few, and tell much at a time. */
static void s_take_in (dw_coordinator_t *self) {
    uint32_t router, type, max = self->listen_router == DW_NONE ? 1 : DW_ARRIVALS_MAX, answers = 0;
    dw_wire_reader_t reader;
    for (uint32_t taken = 0; taken < MESSAGES_MAX && !self->is_over;) {
        int err = dw_peers_gather (&self->peers, max);
        if (err == DW_EAGAIN)
            return;
        if (err) {
            self->is_over = true;
            return;
        }
        s_prefetch_workers (self);
        while (!self->is_over && dw_peers_next (&self->peers, &router, &reader, &type)) {
            uint64_t nonsense = self->peers.unknown_count;
            s_on_message (self, router, type, &reader);
            if (self->peers.unknown_count != nonsense)
                dw_coordinator_on_nonsense (self, router);
            else
                answers += type == DW_WIRE_ANSWERS;
            taken++;
        }
    }
    if (answers > 0 && !self->is_closing)
        dw_coordinator_event (self, DW_EVENT_BACKLOG);
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
    dw_coordinator_take_doors_away (self); /* whoever hears this shuts the context down */
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

/* Until when it looks for messages before it sleeps: for a while after the last, if the actors
 * leave it a CPU. */
static int64_t s_spin_until_ns (const dw_coordinator_t *self) {
    bool has_room = dw_scheduler_active_count (self->scheduler) < self->options.cpus_count;
    return has_room && self->options.cpus_count > 1 ? self->stirred_ns + SPIN_NS : 0;
}

/* When there is something to do though nothing comes. Where it listens that is a look for silent
 * agents. */
static int64_t s_deadline_ns (dw_coordinator_t *self, int64_t now_ns) {
    int64_t deadline_ns = dw_scheduler_deadline_ns (self->scheduler);
    if (self->listen_router == DW_NONE)
        return deadline_ns;
    if (now_ns >= self->look_ns) {
        dw_coordinator_look_after_clients (self, now_ns);
        dw_coordinator_look_after_detached (self, now_ns);
        dw_coordinator_look_for_silent (self, now_ns);
        dw_coordinator_look_at_door (self, now_ns);
    }
    if (self->has_other_agents)
        dw_coordinator_look_at_lanes (self);
    return self->look_ns < deadline_ns ? self->look_ns : deadline_ns;
}

/* Before it sleeps on, what was recorded is written, a little later; a nap is no sleep. */
static int64_t s_wake_ns (const dw_coordinator_t *self, int64_t deadline_ns) {
    int64_t record_ns = self->record ? dw_record_deadline_ns (self->record) : INT64_MAX;
    return record_ns < deadline_ns ? record_ns : deadline_ns;
}

static void *s_coordinator_actor (void *args) {
    dw_coordinator_t *self = args;
    dw_coordinator_join_as_worker (self);
    if (self->listen_router != DW_NONE)
        dw_coordinator_begin_lanes (self);
    bool worked = false;
    while (!self->is_over) {
        s_take_in (self);
        int64_t now_ns = dw_clock_ns ();
        int64_t deadline_ns = s_deadline_ns (self, now_ns);
        bool steps = worked || self->outcomes.events_count ||
                     dw_scheduler_deadline_ns (self->scheduler) <= now_ns;
        if (steps) { /* before its own work, so that actors get theirs while it is at it */
            uint64_t full_count = self->peers.full_count;
            dw_coordinator_step (self, now_ns);
            bool is_heavy = self->listen_router != DW_NONE && self->peers.full_count != full_count;
            self->stirred_ns =
                is_heavy ? 0 : now_ns; /* large payloads travel: ZeroMQ's thread needs a CPU */
        }
        dw_coordinator_record_look (self, now_ns);
        worked = dw_coordinator_has_own_work (self);
        if (worked)
            dw_coordinator_work (self);
        else if (!steps && self->is_closing)
            break;
        else if (!steps && !s_nap (self, now_ns, deadline_ns) &&
                 !dw_actor_wait (self->peers.routers, self->peers.routers_count,
                                 s_spin_until_ns (self), s_wake_ns (self, deadline_ns)))
            self->is_over = true;
    }
    dw_coordinator_record_close (self);
    s_close (self);
    if (!self->is_closing) /* nobody asked for this end: clients must not wait for ever */
        zmq_ctx_shutdown (self->options.context);
    for (uint32_t i = 0; i < self->runs_used; i++)
        if (self->runs[i].is_live || self->runs[i].addition)
            dw_coordinator_run_free (self, i);
    dw_coordinator_free_detached (self);
    dw_coordinator_free_sessions (self);
    dw_coordinator_hang_up (self);
    return NULL;
}

/* ---- Made ------------------------------------------------------------------------------------- */

/* Whether several tasks read a run's input. */
static bool s_is_input_shared (const dw_plan_t *plan) {
    uint32_t count = 0;
    for (uint32_t node = 0; node < plan->nodes_count && count < 2; node++)
        count += plan->source[node] == DW_RUN_INPUT;
    return count > 1;
}

static int s_allocate (dw_coordinator_t *self, dw_error_t *error) {
    const dw_plan_t *plan = self->plan;
    uint64_t runs_max = (uint64_t) self->options.runs_max * self->options.clients_max;
    self->runs_max = runs_max < 1u << 20 ? (uint32_t) runs_max : 1u << 20;
    bool has_actors = plan->nodes_count && !self->options.no_actors &&
                      dw_plan_lane_is_free (plan, 0);
    self->workers_count = has_actors ? plan->workers_count : 0;
    self->places_count = self->workers_count + 1 +
                         (self->options.listen ? self->options.slots_max : 0);
    self->owner = DW_PEER_NONE;
    self->listen_router = DW_NONE;
    self->workers = calloc (self->places_count, sizeof *self->workers);
    self->actors = calloc (self->workers_count + 1u, sizeof (dw_worker_t *));
    /* Every worker may get stuck once more when no other takes its place any more. */
    self->stuck = calloc (DW_WORKERS_STUCK_MAX + self->workers_count, sizeof *self->stuck);
    self->added_max = plan->adders_count ? ADDED_MAX : 0;
    dw_scheduler_options_t options = {.runs_max = self->runs_max + self->added_max,
                                      .workers_max = self->places_count,
                                      .grace_ns = GRACE_NS,
                                      .is_open = self->options.listen != NULL};
    if (!self->workers || !self->actors || !self->stuck ||
        dw_scheduler_new (&self->scheduler, plan, &options))
        return dw_error_add (error, DW_ENOMEM, DW_NOWHERE, "out of memory");
    self->input_is_shared = s_is_input_shared (plan);
    int err = dw_coordinator_record_open (self, &options, error);
    if (err)
        return err;
    for (uint32_t w = 0; w < self->places_count; w++)
        self->workers[w] = (dw_crew_t){.peer = DW_PEER_NONE, .agent = DW_NONE};
    self->free_place = self->workers_count + 1;
    self->free_places_count = self->places_count - self->free_place;
    if (self->options.listen && dw_lanes_new (&self->lanes, plan))
        return dw_error_add (error, DW_ENOMEM, DW_NOWHERE, "out of memory");
    if (plan->pool && has_actors)
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
        err = dw_coordinator_listen (self, error);
    for (uint32_t i = 0; i < self->workers_count && !err; i++)
        err = dw_coordinator_start_worker (self, i, error);
    if (!err &&
        dw_actor_start (&self->actor, "dw-coordinator", STACK_BYTES, s_coordinator_actor, self))
        err = dw_error_add (error, DW_ELIMIT, DW_NOWHERE,
                            "no thread for the coordinator: raise the limit of threads "
                            "(RLIMIT_NPROC, ulimit -u) or of memory");
    if (err) {
        dw_coordinator_take_doors_away (self);
        zmq_ctx_shutdown (options->context); /* the workers that did start leave */
        dw_coordinator_hang_up (self);
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
        all &= !self->actors[i] || dw_worker_join (self->actors[i], deadline_ns);
    for (uint32_t i = 0; i < self->stuck_count; i++)
        all &= dw_worker_join (self->stuck[i].actor, deadline_ns);
    return all;
}

void dw_coordinator_destroy (dw_coordinator_t **self_p) {
    dw_coordinator_t *self = *self_p;
    if (!self)
        return;
    for (uint32_t i = 0; self->actors && i < self->workers_count; i++)
        dw_worker_destroy (&self->actors[i]);
    for (uint32_t i = 0; i < self->stuck_count; i++)
        dw_worker_destroy (&self->stuck[i].actor);
    if (self->has_graph)
        zmq_msg_close (&self->graph);
    if (self->briefed)
        zmq_msg_close (&self->briefing);
    dw_record_close (&self->record);
    dw_lanes_destroy (&self->lanes);
    dw_zap_destroy (&self->zap);
    dw_keyring_close (&self->keyring);
    dw_patience_free (&self->patience);
    free (self->leaving);
    dw_scheduler_destroy (&self->scheduler);
    dw_host_destroy (&self->host);
    dw_outcomes_free (&self->outcomes);
    dw_packet_free (&self->reply);
    dw_deaths_free (&self->deaths);
    dw_packet_free (&self->away);
    free (self->commands.items);
    free (self->runs);
    free (self->free_runs);
    free (self->workers);
    free (self->actors);
    for (uint32_t i = 0; i < self->agents_count; i++)
        free (self->agents[i].host);
    free (self->agents);
    dw_coordinator_free_ledgers (self);
    free (self->stuck);
    dw_writer_free (&self->elsewhere);
    free (self);
    *self_p = NULL;
}
