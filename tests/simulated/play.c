/* play.c - a simulated world from its beginning to its end. */

#include "tests/simulated/play.h"

#include <stdlib.h>
#include <string.h>

#include "runtime/core/error.h"
#include "tests/simulated/audit.h"
#include "tests/simulated/lies.h"
#include "tests/simulated/pretender.h"
#include "tests/simulated/processors.h"
#include "tests/simulated/solo.h"
#include "tests/simulated/stranger.h"
#include "tests/simulated/transcript.h"
#include "tests/support/verdict.h"
#include "tests/simulated/watch.h"

#define ENDPOINT      "tcp://127.0.0.1:7000"
#define MS            INT64_C (1000000)
#define LOOK_NS       (20 * MS)
#define WORLD_NS_MAX  INT64_C (200000000000) /* what has not ended by then will not */
#define PROCESSES_MAX 64u
#define LOST_MS       20000 /* for how long clients that were cut off are waited for */
#define AGAIN_NS_MAX  (100 * MS)
#define DROPPED_NS    (5000 * MS) /* within that time who can be reached has dropped what has ended */
#define STUCK_NS      (1000 * MS) /* the rudest processor returns within that time */

/* Somebody of the plot, in a process that may be another one later. */
typedef struct s_actor_t {
    process_t *process; /* NULL: none now */
    dw_agent_t *agent;
    bool is_drained; /* told to */
    bool is_done;    /* a client: all its runs have come to their end, or it was killed */
    uint32_t number;
} s_actor_t;

static struct {
    const plot_t *plot;
    process_t processes[PROCESSES_MAX];
    uint32_t processes_count;
    process_t *hub;
    dw_system_t *system;
    s_actor_t agents[PLOT_AGENTS_MAX], clients[PLOT_CLIENTS_MAX];
    bool is_closing, is_over; /* the coordinator closes, or has */
} s;

static void s_agent_comes (void *arg);

/* ---- Processes -------------------------------------------------------------------------------- */

/* Whoever has ended has freed all, and closed all. */
static void s_on_ended (process_t *process) {
    transcript_tell ("%s has ended", process->name);
    process->is_over = true;
    if (process->heap.blocks > 0)
        verdict_fail ("%s has ended and left %u pieces of memory, of %zu bytes", process->name,
                      (unsigned) process->heap.blocks, (size_t) process->heap.bytes);
    if (network_open_count (process) > 0)
        verdict_fail ("%s has ended and left %u sockets or contexts open", process->name,
                      (unsigned) network_open_count (process));
}

static process_t *s_process_new (const char *what, uint32_t number) {
    if (s.processes_count == PROCESSES_MAX)
        verdict_fail ("too many processes");
    process_t *process = &s.processes[s.processes_count++];
    memset (process, 0, sizeof *process);
    process->number = s.processes_count;
    snprintf (process->name, sizeof process->name, "%s-%u", what, (unsigned) number);
    process->ended = s_on_ended;
    return process;
}

static void s_kill (process_t *process) {
    transcript_tell ("%s is killed", process->name);
    network_process_gone (process);
    process_kill (process);
}

/* ---- Agents ----------------------------------------------------------------------------------- */

static void s_notice (void *arg, const char *line) {
    (void) arg;
    transcript_tell ("%s: %s", fibers_process ()->name, line);
}

/* By itself; when it was told to, another comes. */
static void s_agent_left (s_actor_t *self) {
    self->process = NULL;
    if (self->is_drained)
        fibers_at (fibers_now_ns () + random_between (fibers_random (), 0, AGAIN_NS_MAX),
                   s_agent_comes, self);
    self->is_drained = false;
}

static void *s_agent_main (void *arg) {
    s_actor_t *self = arg;
    const plot_agent_t *plot = &s.plot->agents[self->number];
    const dw_worker_tag_t tag = {"lane", "2"};
    dw_processors_t *processors = processors_new ();
    dw_agent_options_t options = {.coordinator = {.endpoint = ENDPOINT, .timeout_ms = 300},
                                  .processors = processors,
                                  .tags = &tag,
                                  .tags_count = plot->has_tag,
                                  .slots = plot->slots,
                                  .reconnect_ms = -1,
                                  .grace_ms = 300,
                                  .notice = s_notice};
    dw_error_t *error = dw_error_new ();
    while (!s.is_over && !self->agent && dw_agent_open (&self->agent, &options, error)) {
        transcript_tell ("%s: %s", fibers_process ()->name, dw_error_text (error));
        bool is_futile = dw_error_code (error) == DW_EGRAPH; /* nothing here that it may do */
        dw_error_destroy (&error);
        error = dw_error_new ();
        if (is_futile)
            break;
        fibers_sleep (LOOK_NS);
    }
    int err = DW_ETIMEDOUT;
    while (self->agent && !s.is_over && err == DW_ETIMEDOUT)
        err = dw_agent_wait (self->agent, LOOK_NS / MS);
    bool may_end = err == DW_OK || (err == DW_EREFUSED && s.is_closing) ||
                   (err == DW_ELOST && self->is_drained); /* while it looked for its coordinator */
    if (self->agent && !s.is_over && err != DW_ETIMEDOUT && !may_end)
        verdict_fail ("%s has ended with %s", fibers_process ()->name, dw_err_text (err));
    if (self->agent)
        dw_agent_close (&self->agent, -1, NULL); /* a rude processor may be left behind */
    dw_error_destroy (&error);
    dw_processors_destroy (&processors);
    s_agent_left (self);
    return NULL;
}

static void *s_solo_main (void *arg) {
    s_actor_t *self = arg;
    const plot_agent_t *plot = &s.plot->agents[self->number];
    solo_t options = {.plot = s.plot,
                      .endpoint = ENDPOINT,
                      .has_tag = plot->has_tag,
                      .lies = plot->lies,
                      .is_drained = &self->is_drained,
                      .is_over = &s.is_over};
    solo_main (&options);
    s_agent_left (self);
    return NULL;
}

static void s_agent_comes (void *arg) {
    s_actor_t *self = arg;
    if (s.is_over || self->process)
        return;
    self->agent = NULL;
    self->is_drained = false;
    bool is_solo = s.plot->agents[self->number].is_solo;
    self->process = s_process_new (is_solo ? "solo" : "agent", self->number);
    self->process->lies = s.plot->agents[self->number].lies;
    self->process->loses = !is_solo; /* what is lost without a cut, an agent's heartbeats tell of */
    self->process->room = s.plot->agents[self->number].room;
    fibers_leave (fibers_start (self->process, "main", is_solo ? s_solo_main : s_agent_main, self));
}

static void *s_drain (void *arg) {
    s_actor_t *self = arg;
    if (self->agent && self->process == fibers_process ())
        dw_agent_drain (self->agent);
    return NULL;
}

/* Another comes in its place. */
static void s_agent_killed (s_actor_t *self) {
    process_t *process = self->process;
    self->process = NULL;
    self->agent = NULL;
    fibers_at (fibers_now_ns () + random_between (fibers_random (), 0, AGAIN_NS_MAX), s_agent_comes,
               self);
    s_kill (process);
}

static s_actor_t *s_agent_of (const process_t *process) {
    for (uint32_t i = 0; i < PLOT_AGENTS_MAX; i++)
        if (process && s.agents[i].process == process)
            return &s.agents[i];
    return NULL;
}

static bool s_can_crash (void) {
    return s_agent_of (fibers_process ());
}

static void s_crash (void) {
    s_agent_killed (s_agent_of (fibers_process ()));
}

/* ---- Clients ---------------------------------------------------------------------------------- */

typedef struct s_client_t {
    s_actor_t *actor;
    const plot_client_t *plot;
    dw_client_t *client;
    uint32_t next;                    /* the run that is submitted next */
    uint64_t numbers[PLOT_RUNS_MAX];  /* 0: not submitted; as the client calls them */
    int64_t cancel_ns[PLOT_RUNS_MAX]; /* when it is to be cancelled; 0: not */
    int64_t cut_ns[PLOT_RUNS_MAX];    /* and one of its nodes */
    bool has_result[PLOT_RUNS_MAX];
    int64_t due_ns; /* when it submits the next one */
} s_client_t;

static void s_connect (s_client_t *self) {
    dw_connect_options_t options = {.endpoint = ENDPOINT, .timeout_ms = 300, .reconnect_ms = -1};
    int err = DW_ENOBODY;
    while (err) {
        dw_error_t *error = dw_error_new ();
        err = self->plot->is_elsewhere ? dw_client_connect (&self->client, &options, error)
                                       : dw_client_new (&self->client, s.system, error);
        if (err && err != DW_ENOBODY && err != DW_ETIMEDOUT && err != DW_ELOST && err != DW_EAGAIN)
            verdict_fail ("%s cannot connect: %s", fibers_process ()->name, dw_error_text (error));
        dw_error_destroy (&error);
        if (err)
            fibers_sleep (LOOK_NS);
    }
}

static void s_submit (s_client_t *self) {
    const plot_run_t *run = &self->plot->runs[self->next];
    const char *ids[PLOT_NODES_MAX];
    for (uint32_t i = 0; i < run->outputs_count; i++)
        ids[i] = s.plot->graph->nodes[run->outputs[i]].id;
    dw_submission_t submission = {.payload = run->input,
                                  .size = run->input_size,
                                  .outputs = ids,
                                  .outputs_count = run->outputs_count,
                                  .deadline_ms = run->deadline_ms,
                                  .wait_ms = -1,
                                  .more = run->more};
    dw_error_t *error = dw_error_new ();
    char name[DW_RUN_NAME_SIZE];
    int err = run->is_detached
                  ? dw_client_detach (self->client, &submission, -1, name, error)
                  : dw_client_submit (self->client, &submission, &self->numbers[self->next], error);
    if (!err && run->is_detached) {
        verdict->detached++;
        err = dw_client_take_up (self->client, name, -1, &self->numbers[self->next], error);
    }
    if (err)
        verdict_fail ("%s cannot submit: %s (%s)", fibers_process ()->name, dw_error_text (error),
                      dw_err_text (err));
    dw_error_destroy (&error);
    if (run->cancel_ns)
        self->cancel_ns[self->next] = fibers_now_ns () + run->cancel_ns;
    if (run->cut_ns)
        self->cut_ns[self->next] = fibers_now_ns () + run->cut_ns;
}

/* Whether something is due; if not, it may be the next. */
static bool s_is_due (int64_t *at_ns, int64_t now_ns, int64_t *next_ns) {
    if (*at_ns == 0)
        return false;
    if (now_ns >= *at_ns) {
        *at_ns = 0;
        return true;
    }
    if (*at_ns < *next_ns)
        *next_ns = *at_ns;
    return false;
}

static void s_cancel_node (s_client_t *self, uint32_t run) {
    dw_error_t *error = dw_error_new ();
    const char *id = s.plot->graph->nodes[self->plot->runs[run].cut_node].id;
    int err = dw_client_cancel_node (self->client, self->numbers[run], id, error);
    if (err && err != DW_ENOENT)
        verdict_fail ("%s cannot cancel a node: %s", fibers_process ()->name,
                      dw_error_text (error));
    dw_error_destroy (&error);
}

/* Submits and cancels what is due; returns when the next thing is. */
static int64_t s_act (s_client_t *self) {
    int64_t now_ns = fibers_now_ns (), next_ns = INT64_MAX;
    while (self->next < self->plot->runs_count && self->plot->runs[self->next].is_off)
        self->next++;
    if (self->next < self->plot->runs_count && now_ns >= self->due_ns) {
        s_submit (self);
        self->next++;
        if (self->next < self->plot->runs_count)
            self->due_ns = fibers_now_ns () + self->plot->runs[self->next].gap_ns;
    }
    for (uint32_t i = 0; i < self->next; i++) {
        if (s_is_due (&self->cut_ns[i], now_ns, &next_ns))
            s_cancel_node (self, i);
        if (s_is_due (&self->cancel_ns[i], now_ns, &next_ns)) {
            int err = dw_client_cancel (self->client, self->numbers[i]);
            if (err && err != DW_ENOENT)
                verdict_fail ("%s cannot cancel: %s", fibers_process ()->name, dw_err_text (err));
        }
    }
    return self->next < self->plot->runs_count && self->due_ns < next_ns ? self->due_ns : next_ns;
}

static void s_take (s_client_t *self, dw_result_t *result) {
    uint32_t run = 0;
    while (run < PLOT_RUNS_MAX && self->numbers[run] != dw_result_run (result))
        run++;
    if (run == PLOT_RUNS_MAX || self->has_result[run])
        verdict_fail ("%s got a result twice, or of no run of its", fibers_process ()->name);
    self->has_result[run] = true;
    audit_result (s.plot, self->actor->number, run, result);
    dw_result_destroy (&result);
}

/* Waits for a result, at most until until_ns. */
static void s_wait (s_client_t *self, int64_t until_ns) {
    int64_t left_ms = until_ns == INT64_MAX ? -1 : (until_ns - fibers_now_ns () + MS - 1) / MS;
    dw_result_t *result = NULL;
    if (left_ms < 0 && until_ns != INT64_MAX)
        left_ms = 0;
    if (dw_client_in_flight (self->client) == 0) {
        result = dw_client_next (self->client);
        if (!result && left_ms > 0)
            fibers_sleep (left_ms * MS);
    } else {
        int err = dw_client_wait_any (self->client, NULL, 0, (int) left_ms, &result);
        if (err && err != DW_ETIMEDOUT)
            verdict_fail ("%s waits in vain: %s", fibers_process ()->name, dw_err_text (err));
    }
    if (result)
        s_take (self, result);
}

static bool s_has_all (const s_client_t *self) {
    for (uint32_t i = 0; i < self->plot->runs_count; i++)
        if (!self->plot->runs[i].is_off && !self->has_result[i])
            return false;
    return true;
}

static void *s_client_main (void *arg) {
    s_actor_t *actor = arg;
    s_client_t self = {.actor = actor, .plot = &s.plot->clients[actor->number]};
    s_connect (&self);
    while (!s_has_all (&self)) {
        int64_t next_ns = s_act (&self);
        if (!s_has_all (&self))
            s_wait (&self, next_ns);
    }
    dw_client_destroy (&self.client);
    actor->is_done = true;
    actor->process = NULL;
    return NULL;
}

static void s_client_comes (void *arg) {
    s_actor_t *self = arg;
    const plot_client_t *plot = &s.plot->clients[self->number];
    self->process = plot->is_elsewhere ? s_process_new ("client", self->number) : s.hub;
    self->process->lies |= plot->is_elsewhere && plot->lies;
    fibers_leave (fibers_start (self->process, "client", s_client_main, self));
}

/* ---- Faults ----------------------------------------------------------------------------------- */

static process_t *s_victim (const fault_t *fault) {
    s_actor_t *actor = fault->is_client ? &s.clients[fault->whom] : &s.agents[fault->whom];
    return actor->process == s.hub ? NULL : actor->process;
}

static void s_on_fault_over (void *arg) {
    process_t *process = arg;
    if (process->is_over)
        return;
    transcript_tell ("%s is as it was", process->name);
    process->is_deaf = process->is_mute = false;
    if (process->is_stopped)
        process_continue (process);
    network_look_at (process);
}

static void s_on_fault (void *arg) {
    const fault_t *fault = arg;
    process_t *process = s_victim (fault);
    if (!process || s.is_over)
        return;
    transcript_tell ("%s: fault %u, for %.3f ms", process->name, (unsigned) fault->type,
                     (double) fault->for_ns / 1e6);
    bool lasts = false;
    switch (fault->type) {
        case FAULT_CUT: network_cut_some (process, fault->which, false); break;
        case FAULT_HALF_OPEN: network_cut_some (process, fault->which, true); break;
        case FAULT_DEAF: lasts = process->is_deaf = true; break;
        case FAULT_MUTE: lasts = process->is_mute = true; break;
        case FAULT_PARTITION: lasts = process->is_deaf = process->is_mute = true; break;
        case FAULT_STOP:
            lasts = true;
            process_stop (process);
            verdict->stops++;
            break;
        case FAULT_KILL:
            verdict->kills++;
            if (fault->is_client) {
                verdict->clients_killed++;
                s.clients[fault->whom].process = NULL;
                s.clients[fault->whom].is_done = true;
                s_kill (process);
            } else
                s_agent_killed (&s.agents[fault->whom]);
            break;
        case FAULT_DRAIN:
            if (!s.agents[fault->whom].is_drained &&
                (s.agents[fault->whom].agent || s.plot->agents[fault->whom].is_solo)) {
                verdict->drains++;
                s.agents[fault->whom].is_drained = true; /* which a solo sees */
                fibers_leave (fibers_start (process, "drain", s_drain, &s.agents[fault->whom]));
            }
            break;
        case FAULT_TYPES: break;
    }
    verdict->partitions += fault->type == FAULT_DEAF || fault->type == FAULT_MUTE ||
                           fault->type == FAULT_PARTITION;
    if (lasts)
        fibers_at (fibers_now_ns () + fault->for_ns, s_on_fault_over, process);
}

/* ---- The coordinator's process ---------------------------------------------------------------- */

static void s_open (dw_processors_t *processors) {
    const plot_t *plot = s.plot;
    dw_system_options_t options = {.processors = processors,
                                   .runs_max = plot->runs_max,
                                   .clients_max = PLOT_CLIENTS_MAX + 3,
                                   .listen = plot->listens ? ENDPOINT : NULL,
                                   .no_actors = !plot->has_actors,
                                   .slots_max = 3 * PLOT_AGENTS_MAX + 4,
                                   .heartbeat_ms = plot->heartbeat_ms,
                                   .silence_ms = plot->silence_ms,
                                   .stalled_ms = plot->stalled_ms,
                                   .lease_ms = plot->lease_ms,
                                   .lost_client_ms = LOST_MS,
                                   .notice = s_notice};
    dw_graph_t *graph = random_graph_build (plot->graph);
    dw_error_t *error = dw_error_new ();
    if (dw_system_open (&s.system, graph, &options, error))
        verdict_fail ("the system does not open: %s", dw_error_text (error));
    dw_error_destroy (&error);
    dw_graph_destroy (&graph);
}

static void *s_pretender_main (void *arg) {
    pretender_t options = {.endpoint = ENDPOINT,
                           .nodes_count = s.plot->graph->nodes_count,
                           .is_closing = &s.is_closing};
    (void) arg;
    pretender_main (&options);
    return NULL;
}

static void s_expect_all (void) {
    for (uint32_t i = 0; i < PLOT_AGENTS_MAX; i++) {
        s.agents[i].number = i;
        if (s.plot->agents[i].is_there)
            fibers_at (fibers_now_ns () + s.plot->agents[i].comes_ns, s_agent_comes, &s.agents[i]);
    }
    for (uint32_t i = 0; i < PLOT_CLIENTS_MAX; i++) {
        s.clients[i].number = i;
        s.clients[i].is_done = !s.plot->clients[i].is_there;
        if (s.plot->clients[i].is_there)
            fibers_at (fibers_now_ns () + s.plot->clients[i].comes_ns, s_client_comes,
                       &s.clients[i]);
    }
    for (uint32_t i = 0; i < s.plot->faults_count; i++)
        if (!plot_is_off (s.plot, PLOT_OFF_FAULT + i))
            fibers_at (fibers_now_ns () + s.plot->faults[i].at_ns, s_on_fault,
                       (void *) (uintptr_t) &s.plot->faults[i]);
    if (s.plot->has_stranger)
        fibers_leave (
            fibers_start (s_process_new ("stranger", 0), "main", stranger_main, ENDPOINT));
    if (s.plot->has_pretender)
        fibers_leave (
            fibers_start (s_process_new ("pretender", 0), "main", s_pretender_main, NULL));
}

static bool s_are_clients_done (void) {
    for (uint32_t i = 0; i < PLOT_CLIENTS_MAX; i++)
        if (!s.clients[i].is_done)
            return false;
    return true;
}

/* Whether a process has room for all that it is sent, and is told the truth: what is lost is not
 * sent again. */
static bool s_hears_all (const process_t *process) {
    return !process->is_over && !process->lies && process->room == 0;
}

/* Graphs that were added to runs, which have ended, and are still kept. */
static uint32_t s_kept_count (void) {
    uint32_t count = watch_added_count ();
    for (uint32_t i = 0; i < s.processes_count; i++)
        if (s_hears_all (&s.processes[i]))
            count += s.processes[i].additions;
    return count;
}

static void s_expect_dropped (void) {
    int64_t until_ns = fibers_now_ns () + DROPPED_NS;
    while (s_kept_count () > 0 && fibers_now_ns () < until_ns)
        fibers_sleep (LOOK_NS);
    if (s_kept_count () > 0)
        verdict_fail ("%u graphs that were added to runs are kept, and those have ended",
                      s_kept_count ());
}

static void *s_hub_main (void *arg) {
    dw_processors_t *processors = processors_new ();
    dw_error_t *error = dw_error_new ();
    (void) arg;
    s_open (processors);
    s_expect_all ();
    while (!s_are_clients_done () || !watch_is_idle ()) /* also of those that were killed */
        fibers_sleep (LOOK_NS);
    watch_check_counts ();
    s_expect_dropped ();
    transcript_tell ("all clients are done");
    s.is_closing = true;
    int err = dw_system_close (&s.system, -1, error);
    if (err && !(err == DW_ESTUCK && s.plot->hangs))
        verdict_fail ("the system does not close: %s", dw_error_text (error));
    s.is_over = true;
    if (err) /* what was left behind uses them */
        fibers_sleep (STUCK_NS);
    dw_error_destroy (&error);
    dw_processors_destroy (&processors);
    return NULL;
}

/* ---- All of it -------------------------------------------------------------------------------- */

/* What is due later is of no matter to those who have all ended. */
static void s_check_end (void) {
    if (!s.is_over)
        verdict_fail ("a run has not ended after %.0f s", (double) WORLD_NS_MAX / 1e9);
    for (uint32_t i = 0; i < s.processes_count; i++)
        if (!s.processes[i].is_over)
            verdict_fail ("%s has not ended after %.0f s", s.processes[i].name,
                          (double) WORLD_NS_MAX / 1e9);
}

uint64_t play (const plot_t *plot, FILE *transcript) {
    memset (&s, 0, sizeof s);
    s.plot = plot;
    transcript_begin (transcript);
    fibers_begin (plot->seed + plot_way (plot) * UINT64_C (0x2545f4914f6cdd1d));
    fibers_set_preempted (!plot_is_off (plot, PLOT_OFF_PAUSES));
    network_begin (&plot->network);
    lies_begin (plot);
    watch_begin (plot);
    processors_begin (plot, s_can_crash, s_crash);
    s.hub = s_process_new ("hub", 0);
    fibers_leave (fibers_start (s.hub, "main", s_hub_main, NULL));
    fibers_run (WORLD_NS_MAX);
    s_check_end ();
    lies_end ();
    watch_end ();
    network_end ();
    fibers_end ();
    return fibers_hash ();
}
