/* coordinator_status.c - what the coordinator tells of what it is at. */

#include <stdio.h>

#include "actors/clock.h"
#include "actors/coordinator_self.h"

static void s_write_worker (dw_coordinator_t *self, const dw_status_worker_t *worker) {
    dw_writer_t *head = &self->reply.head;
    dw_write_str (head, worker->host, strlen (worker->host));
    dw_write_uint (head, worker->pid);
    dw_write_uint (head, worker->slots);
    dw_write_uint (head, worker->busy);
    dw_write_uint (head, worker->held);
    dw_write_uint (head, worker->credit);
    dw_write_uint (head, worker->steps_done);
    dw_write_uint (head, worker->silent_ms);
    dw_write_uint (head, worker->lanes);
}

/* Adds what one of a worker's places is at. */
static void s_add_place (const dw_coordinator_t *self, uint32_t number,
                         dw_status_worker_t *worker) {
    const dw_crew_t *place = &self->workers[number];
    uint32_t held = dw_scheduler_unanswered_count (self->scheduler, number);
    worker->busy += held > 0;
    worker->held += held;
    if (place->peer != DW_PEER_NONE)
        worker->credit += dw_scheduler_worker_credit (self->scheduler, number);
    worker->steps_done += place->steps_count;
}

/* Where every node has an actor of its own lanes are of no interest: then all of them are shown as
 * one. */
static void s_write_lanes (dw_coordinator_t *self) {
    const dw_plan_t *plan = self->plan;
    char shown[DW_DEMAND_SHOWN];
    uint32_t lanes_count = plan->pool ? plan->lanes_count : 0;
    dw_writer_t *head = &self->reply.head;
    dw_write_array (head, lanes_count);
    for (uint32_t lane = 0; lane < lanes_count; lane++) {
        dw_plan_show_demand (plan, lane, shown);
        dw_write_str (head, shown, strlen (shown));
        dw_write_uint (head, plan->lane_at[lane + 1] - plan->lane_at[lane]);
        dw_write_uint (head, dw_scheduler_lane_workers_count (self->scheduler, lane));
        dw_write_uint (head, dw_scheduler_lane_ready_count (self->scheduler, lane));
    }
}

static void s_write_agents (dw_coordinator_t *self) {
    int64_t now_ns = dw_clock_ns ();
    for (uint32_t i = 0; i < self->agents_count; i++) {
        const dw_remote_agent_t *agent = &self->agents[i];
        if (!agent->is_there)
            continue;
        dw_status_worker_t at = {.host = agent->host,
                                 .pid = agent->pid,
                                 .slots = agent->slots,
                                 .silent_ms = (uint64_t) (now_ns - agent->heard_ns) / 1000000,
                                 .lanes = agent->lanes};
        for (uint32_t w = agent->first; w != DW_NONE; w = self->workers[w].next)
            s_add_place (self, w, &at);
        s_write_worker (self, &at);
    }
}

static void s_write_own (dw_coordinator_t *self) {
    dw_status_worker_t own = {
        .host = "", .slots = self->workers_count + (self->host != NULL), .lanes = 1};
    for (uint32_t w = 0; w <= self->workers_count; w++)
        s_add_place (self, w, &own);
    if (own.slots > 0)
        s_write_worker (self, &own);
}

/* ---- Clients and runs: of each so many rows as fit into an answer ----------------------------- */

#define ROWS_MAX 64u

/* Not all of it: who knows that could come as that client where there are no keys. */
static void s_write_name (dw_coordinator_t *self, const uint8_t *uuid) {
    char name[9] = "";
    if (uuid)
        snprintf (name, sizeof name, "%02x%02x%02x%02x", uuid[0], uuid[1], uuid[2], uuid[3]);
    dw_write_str (&self->reply.head, name, strlen (name));
}

static uint64_t s_since_ms (int64_t at_ns, int64_t now_ns) {
    return now_ns > at_ns ? (uint64_t) (now_ns - at_ns) / 1000000 : 0;
}

static uint32_t s_runs_of (const dw_coordinator_t *self, uint32_t client) {
    uint32_t count = 0;
    for (uint32_t i = 0; i < self->runs_used; i++)
        count += self->runs[i].is_live && self->runs[i].client == client;
    return count;
}

static void s_write_here (dw_coordinator_t *self, uint32_t client) {
    const dw_session_t *session = dw_coordinator_session (self, client);
    s_write_name (self, session ? session->uuid : NULL);
    dw_write_uint (&self->reply.head, session ? session->live.count : s_runs_of (self, client));
    dw_write_uint (&self->reply.head, session ? session->kept.count : 0);
    dw_write_uint (&self->reply.head, 0);
}

static void s_write_away (dw_coordinator_t *self, const dw_session_t *session, int64_t now_ns) {
    s_write_name (self, session->uuid);
    dw_write_uint (&self->reply.head, session->live.count);
    dw_write_uint (&self->reply.head, session->kept.count);
    dw_write_uint (&self->reply.head, s_since_ms (session->away_ns, now_ns) + 1); /* 0: here */
}

static void s_write_clients (dw_coordinator_t *self, int64_t now_ns) {
    uint32_t left = self->peers.clients_count + dw_coordinator_clients_away (self);
    left = left < ROWS_MAX ? left : ROWS_MAX;
    dw_write_array (&self->reply.head, left);
    for (uint32_t i = 0; i < self->peers.count && left > 0; i++)
        if (self->peers.items[i].role == DW_WIRE_CLIENT) {
            s_write_here (self, i);
            left--;
        }
    for (uint32_t i = 0; i < self->sessions_count && left > 0; i++)
        if (self->sessions[i] && self->sessions[i]->peer == DW_PEER_NONE) {
            s_write_away (self, self->sessions[i], now_ns);
            left--;
        }
}

static void s_write_run (dw_coordinator_t *self, uint32_t index, int64_t now_ns) {
    uint32_t sent;
    const dw_live_run_t *run = &self->runs[index];
    const dw_detached_t *detached = run->detached == DW_NONE ? NULL
                                                             : &self->detached[run->detached];
    const dw_session_t *session = run->session == DW_NONE ? NULL : self->sessions[run->session];
    s_write_name (self, detached ? detached->uuid : session ? session->uuid : NULL);
    dw_writer_t *head = &self->reply.head;
    dw_write_uint (head, detached ? detached->number : session ? run->client_run : run->number);
    dw_write_uint (head, s_since_ms (run->submitted_ns, now_ns));
    dw_write_uint (head, dw_scheduler_unfinished_count (self->scheduler, index, &sent));
    dw_write_uint (head, sent);
    dw_write_uint (head, detached != NULL);
}

static void s_write_runs (dw_coordinator_t *self, uint64_t live, int64_t now_ns) {
    uint32_t left = live < ROWS_MAX ? (uint32_t) live : ROWS_MAX;
    dw_write_array (&self->reply.head, left);
    for (uint32_t i = 0; i < self->runs_used && left > 0; i++)
        if (self->runs[i].is_live) {
            s_write_run (self, i, now_ns);
            left--;
        }
}

/* ---- All of it -------------------------------------------------------------------------------- */

static uint64_t s_live_count (const dw_coordinator_t *self) {
    uint64_t live = 0;
    for (uint32_t i = 0; i < self->runs_used; i++)
        live += self->runs[i].is_live;
    return live;
}

/* In the order in which they are read (status.c). */
static void s_write_numbers (dw_coordinator_t *self, uint64_t live, const dw_troubles_t *troubles) {
    dw_scheduler_counts_t counts = dw_scheduler_counts (self->scheduler);
    const uint64_t numbers[] = {self->plan->nodes_count,
                                self->peers.clients_count,
                                live,
                                counts.runs_ok,
                                counts.runs_partial,
                                counts.runs_failed,
                                counts.runs_cancelled,
                                dw_scheduler_ready_count (self->scheduler),
                                counts.tasks_sent,
                                counts.steps_done,
                                counts.attempts_failed,
                                counts.retries,
                                counts.timeouts,
                                counts.losses,
                                counts.answers_ignored,
                                self->peers.unknown_count,
                                troubles->runs_stalled,
                                troubles->slots_down,
                                troubles->slots_long,
                                dw_coordinator_clients_away (self),
                                dw_coordinator_detached_kept (self)};
    dw_write_array (&self->reply.head, sizeof numbers / sizeof *numbers);
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
        dw_write_uint (&self->reply.head, numbers[i]);
}

void dw_coordinator_on_status (dw_coordinator_t *self, uint32_t router) {
    /* What came before the question is part of the answer: a peer that has just been put out may be
     * told so before the scheduler has heard of it. */
    if (self->outcomes.events_count)
        dw_coordinator_step (self, dw_clock_ns ());
    dw_writer_t texts = {0};
    dw_troubles_t troubles;
    uint32_t troubles_count = dw_coordinator_write_troubles (self, dw_clock_ns (), &texts,
                                                             &troubles);
    uint64_t live = s_live_count (self);
    dw_writer_t *head = &self->reply.head;
    dw_write_uint (head, DW_WIRE_STATUS);
    dw_write_str (head, self->options.name, strlen (self->options.name));
    s_write_numbers (self, live, &troubles);
    s_write_lanes (self);
    dw_write_array (head, troubles_count);
    dw_write_raw (head, texts.bytes, texts.count);
    dw_writer_free (&texts);
    s_write_clients (self, dw_clock_ns ());
    s_write_runs (self, live, dw_clock_ns ());
    s_write_own (self);
    s_write_agents (self);
    dw_peers_reply (&self->peers, router, &self->reply);
}
