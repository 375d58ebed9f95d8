/* coordinator_watch.c - what does not go on: runs that nobody serves, slots that are long at a
 * task, tasks that were lost on their way.
 *
 * Where the coordinator listens it looks every half heartbeat. What it knows is what the scheduler
 * holds: what is ready, and which task a worker has not answered for since when. What a slot is at
 * comes with the heartbeats of its agent. */

#include <stdio.h>

#include "actors/clock.h"
#include "actors/coordinator_self.h"

#define LINE_BYTES    256
#define DOUBLINGS_MAX 6 /* of the time after which an idle slot is taken to have lost its task */
#define MS_NS         INT64_C (1000000)
#define FAR_NS        (INT32_MAX * MS_NS) /* 24 days */
#define ID_SHOWN      "%.100s"

static int64_t s_stalled_ns (const dw_coordinator_t *self) {
    return self->options.stalled_ms * MS_NS;
}

/* ---- Slots that do not come again ------------------------------------------------------------- */

#define NO_TICKET UINT32_MAX /* a slot that is nobody here waits for none */

/* Of times that are less apart than FAR_NS. */
static uint32_t s_ms (int64_t now_ns) {
    return (uint32_t) (now_ns / MS_NS);
}

static int64_t s_not_far_ns (int64_t ns) {
    return ns < FAR_NS ? ns : FAR_NS;
}

/* Whether a slot has waited for a ticket for too long: each time twice as long. */
static bool s_has_waited (const dw_coordinator_t *self, dw_crew_t *worker, uint32_t ticket,
                          int64_t now_ns) {
    if (!worker->waits || worker->waits_ticket != ticket) {
        worker->waits = true;
        worker->waits_ms = s_ms (now_ns);
        worker->waits_ticket = ticket;
        return false;
    }
    int64_t for_ns = s_not_far_ns (s_stalled_ns (self) << worker->waits_count);
    if ((s_ms (now_ns) - worker->waits_ms) * MS_NS < for_ns)
        return false;
    worker->waits = false;
    if (worker->waits_count < DOUBLINGS_MAX)
        worker->waits_count++;
    return true;
}

/* A slot was here, was given up because it could not be reached, and no other came, though its
 * agent is there: its good-bye was lost, and to its agent it had left by itself. So its agent is
 * asked for another, as it would have been. */
static void s_look_for_absent (dw_coordinator_t *self, uint32_t number, int64_t now_ns) {
    char line[DW_NAME_LINE];
    dw_crew_t *worker = &self->workers[number];
    const dw_remote_agent_t *agent = &self->agents[worker->agent];
    if (!worker->has_joined || worker->is_down || agent->is_leaving) {
        worker->waits = false;
        return;
    }
    if (!s_has_waited (self, worker, NO_TICKET, now_ns))
        return;
    dw_coordinator_name (self, number, line);
    dw_coordinator_notice (self, "%s does not come again: another is asked for", line);
    dw_coordinator_replace_slot (self, number);
}

/* ---- Tasks that were lost on their way -------------------------------------------------------- */

/* A slot says that it idles while the scheduler has it at a task. Mostly one of the two is on its
 * way; when that does not change for long the task, or its answer, was lost. Where what travels is
 * large and the line is slow this may be wrong, so each time it takes twice as long. */
void dw_coordinator_on_slot (dw_coordinator_t *self, uint32_t index, const dw_wire_slot_t *slot) {
    char line[DW_NAME_LINE];
    int64_t now_ns = dw_clock_ns ();
    if (slot->number <= self->workers_count || slot->number >= self->places_count ||
        self->workers[slot->number].agent != index)
        return;
    dw_crew_t *worker = &self->workers[slot->number];
    if (worker->peer == DW_PEER_NONE) {
        s_look_for_absent (self, slot->number, now_ns);
        return;
    }
    if (slot->at != DW_WIRE_AT_IDLE ||
        dw_scheduler_unanswered_count (self->scheduler, slot->number) == 0) {
        worker->waits = false;
        return;
    }
    uint32_t first = (uint32_t) dw_scheduler_worker_ticket (self->scheduler, slot->number);
    if (!s_has_waited (self, worker, first, now_ns))
        return;
    dw_coordinator_name (self, slot->number, line);
    dw_coordinator_notice (
        self, "%s idles, and what it was sent was lost on its way: that is sent again", line);
    dw_coordinator_tell_left (self, slot->number); /* it may have come just now */
    dw_coordinator_replace_slot (self, slot->number);
}

/* ---- Slots that are long at a task ------------------------------------------------------------ */

/* For how long a worker has been at one step; 0: it is at nothing. */
static int64_t s_at_it_ns (const dw_coordinator_t *self, uint32_t number, int64_t now_ns) {
    return dw_scheduler_unanswered_count (self->scheduler, number) == 0
               ? 0
               : now_ns - dw_scheduler_worker_since_ns (self->scheduler, number);
}

static void s_write_long (const dw_coordinator_t *self, uint32_t number, int64_t at_it_ns,
                          char *line) {
    uint32_t run, node = dw_scheduler_worker_node (self->scheduler, number, &run);
    dw_coordinator_name (self, number, line);
    size_t size = strlen (line);
    snprintf (line + size, LINE_BYTES - size,
              " has been at node \"" ID_SHOWN "\" for %lld s without an answer",
              self->plan->ids[node], (long long) (at_it_ns / 1000000000));
}

/* The lease of a task is over: whoever has it is given up, as if it had gone down. */
static void s_end_lease (dw_coordinator_t *self, uint32_t number) {
    uint32_t run, node = dw_scheduler_worker_node (self->scheduler, number, &run);
    dw_coordinator_notice (self, "its lease of %u ms is over: another takes its place",
                           (unsigned) self->options.lease_ms);
    dw_coordinator_tell_overdue (self, number);
    if (self->workers[number].agent != DW_NONE)
        dw_coordinator_replace_slot (self, number);
    else {
        dw_coordinator_leave_behind (self, number, node);
        dw_coordinator_start_again (self, number);
    }
}

static void s_look_at_worker (dw_coordinator_t *self, uint32_t number, int64_t now_ns) {
    char line[LINE_BYTES];
    dw_crew_t *worker = &self->workers[number];
    int64_t at_it_ns = s_at_it_ns (self, number, now_ns);
    int64_t lease_ns = self->options.lease_ms * MS_NS;
    bool is_over = lease_ns > 0 && at_it_ns >= lease_ns;
    if (worker->peer == DW_PEER_NONE || (at_it_ns < s_stalled_ns (self) && !is_over)) {
        worker->is_long = false;
        return;
    }
    uint32_t ticket = (uint32_t) dw_scheduler_worker_ticket (self->scheduler, number);
    if (is_over || !worker->is_long || worker->long_ticket != ticket ||
        (int32_t) (s_ms (now_ns) - worker->long_ms) >= 0) {
        worker->is_long = true;
        worker->long_ticket = ticket;
        worker->long_ms = s_ms (now_ns + s_not_far_ns (at_it_ns)); /* when it is twice as long */
        s_write_long (self, number, at_it_ns, line);
        dw_coordinator_notice (self, "%s", line);
    }
    if (is_over)
        s_end_lease (self, number);
}

/* ---- Runs that nobody serves ------------------------------------------------------------------ */

static void s_tell_client (dw_coordinator_t *self, const dw_live_run_t *run, uint32_t node,
                           int64_t for_ns) {
    uint32_t client = dw_coordinator_client_of (self, run);
    if (client == DW_PEER_NONE)
        return;
    const dw_peer_t *peer = &self->peers.items[client];
    dw_write_uint (&self->reply.head, DW_WIRE_STALLED);
    dw_write_uint (&self->reply.head, run->client_run);
    dw_write_uint (&self->reply.head, node);
    dw_write_uint (&self->reply.head, (uint64_t) (for_ns / MS_NS));
    dw_packet_send (&self->reply, self->peers.routers[peer->router], peer->id, peer->id_size);
}

/* Returns whether it is stalled. */
static bool s_look_at_run (dw_coordinator_t *self, uint32_t index, int64_t now_ns) {
    dw_live_run_t *run = &self->runs[index];
    uint32_t node = dw_scheduler_unserved_node (self->scheduler, index);
    if (node == DW_NONE) {
        run->unserved_ns = 0;
        run->is_stall_told = false;
        return false;
    }
    if (run->unserved_ns == 0)
        run->unserved_ns = now_ns;
    int64_t for_ns = now_ns - run->unserved_ns;
    if (for_ns < s_stalled_ns (self))
        return false;
    if (!run->is_stall_told)
        s_tell_client (self, run, node, for_ns);
    if (!run->is_stall_told && !self->is_stall_told)
        dw_coordinator_notice (self, "stalled: no worker serves node \"" ID_SHOWN "\" for %lld s",
                               self->plan->ids[node], (long long) (for_ns / 1000000000));
    run->is_stall_told = self->is_stall_told = true;
    return true;
}

void dw_coordinator_look_for_standstill (dw_coordinator_t *self, int64_t now_ns) {
    bool any = false;
    for (uint32_t w = 0; w < self->places_count && !self->is_closing; w++)
        if (w != self->workers_count) /* the thread that looks */
            s_look_at_worker (self, w, now_ns);
    for (uint32_t i = 0; i < self->runs_used; i++)
        if (self->runs[i].is_live)
            any |= s_look_at_run (self, i, now_ns);
    self->is_stall_told &= any;
}

/* ---- As a status tells it --------------------------------------------------------------------- */

static void s_write_trouble (dw_writer_t *texts, uint32_t *count, const char *line) {
    if (*count == DW_TROUBLES_MAX)
        return;
    dw_write_str (texts, line, strlen (line));
    ++*count;
}

uint32_t dw_coordinator_write_troubles (const dw_coordinator_t *self, int64_t now_ns,
                                        dw_writer_t *texts, dw_troubles_t *troubles) {
    char line[LINE_BYTES];
    uint32_t count = 0;
    *troubles = (dw_troubles_t){0};
    for (uint32_t i = 0; i < self->runs_used; i++) {
        const dw_live_run_t *run = &self->runs[i];
        uint32_t node = run->is_live && run->is_stall_told
                            ? dw_scheduler_unserved_node (self->scheduler, i)
                            : DW_NONE;
        if (node == DW_NONE)
            continue;
        troubles->runs_stalled++;
        snprintf (line, sizeof line,
                  "a run is stalled: no worker serves node \"" ID_SHOWN "\" for %lld s",
                  self->plan->ids[node], (long long) ((now_ns - run->unserved_ns) / 1000000000));
        s_write_trouble (texts, &count, line);
    }
    for (uint32_t w = 0; w < self->places_count; w++) {
        const dw_crew_t *worker = &self->workers[w];
        if (worker->is_down) {
            troubles->slots_down++;
            dw_coordinator_name (self, w, line);
            size_t size = strlen (line);
            snprintf (line + size, sizeof line - size, " is down");
            s_write_trouble (texts, &count, line);
        } else if (worker->is_long && s_at_it_ns (self, w, now_ns) > 0) {
            troubles->slots_long++;
            s_write_long (self, w, s_at_it_ns (self, w, now_ns), line);
            s_write_trouble (texts, &count, line);
        }
    }
    return count;
}
