/* watch.c - looks at the coordinator of a simulated world. */

#include "tests/simulated/watch.h"

#include <stdlib.h>
#include <string.h>

#include "actors/coordinator_self.h"
#include "runtime/payload.h"
#include "tests/simulated/transcript.h"
#include "tests/support/verdict.h"
#include "tests/support/checker.h"
#include "tests/support/world.h"

#define LATE_NS         50000000 /* a deadline is kept, but for how long the coordinator is held up */
#define FIXED_BYTES_MAX (3u << 20)
#define NODE_BYTES_MAX  (80u << 10) /* twice the longest output, and what belongs to it */

static struct {
    const plot_t *plot;
    uint64_t nodes_count;
    dw_coordinator_t *coordinator;
    process_t *process;
    dw_scheduler_t *scheduler;
    model_t model;
    bool has_model;
    world_t teller; /* which knows how to tell of events and commands */
    ended_t ended[PLOT_CLIENTS_MAX][PLOT_RUNS_MAX];
    struct {
        uint32_t client, run;
    } whose[PLOT_CLIENTS_MAX * 64]; /* by the scheduler's run */
    dw_own_run_fn *run_task;
    void *run_task_arg;
    dw_commands_t *commands; /* being appended to by own work, */
    size_t commands_first;   /* from here on */
} s;

/* Nodes of a graph and of all that they become. */
static uint64_t s_nodes_count (const random_graph_t *graph) {
    uint64_t count = graph->nodes_count;
    for (uint32_t node = 0; node < graph->nodes_count; node++)
        if (graph->nodes[node].inner)
            count += s_nodes_count (graph->nodes[node].inner);
    return count;
}

void watch_begin (const plot_t *plot) {
    memset (&s, 0, sizeof s);
    s.plot = plot;
    s.nodes_count = s_nodes_count (plot->graph);
    s.teller.transcript = transcript_file ();
}

void watch_end (void) {
    if (s.has_model)
        model_clear (&s.model);
    s.has_model = false;
    s.scheduler = NULL;
    s.plot = NULL;
}

const ended_t *watch_ended (uint32_t client, uint32_t run) {
    return &s.ended[client][run];
}

static bool s_is_watched (const dw_scheduler_t *scheduler) {
    return s.has_model && scheduler == s.scheduler;
}

/* It is not, but for the runs that it ends. */
static bool s_is_growing (const dw_scheduler_t *scheduler) {
    return s.plot && s.plot->grows && scheduler == s.scheduler;
}

static void s_check (void) {
    if (s.model.wrong[0])
        verdict_fail ("%s", s.model.wrong);
}

/* ---- Runs ------------------------------------------------------------------------------------- */

/* The first bytes of a run's input say whose it is. */
static void s_on_submitted (const dw_event_t *event) {
    dw_live_run_t *run = &s.coordinator->runs[event->run];
    size_t size, text_size;
    const uint8_t *bytes = dw_slot_payload (
        dw_table_slot (&run->table, s.coordinator->plan->nodes_count), &size);
    const char *text = bytes ? dw_payload_text (bytes, size, &text_size) : NULL;
    if (!text || text_size < 4 || (uint8_t) text[0] >= PLOT_CLIENTS_MAX ||
        (uint8_t) text[1] >= PLOT_RUNS_MAX)
        verdict_fail ("a run was begun that nobody has asked for");
    uint32_t client = (uint8_t) text[0], number = (uint8_t) text[1];
    s.whose[event->run].client = client;
    s.whose[event->run].run = number;
    ended_t *ended = &s.ended[client][number];
    if (ended->has_begun)
        verdict_fail ("run %u of client %u was begun twice", number, client);
    ended->has_begun = true;
    ended->begun_ns = fibers_now_ns ();
    verdict->runs++;
}

static void s_note_end (const dw_command_t *command, ended_t *ended) {
    const model_run_t *run = &s.model.runs[command->run];
    ended->was_cancelled = run->was_cancelled;
    ended->ran_out = run->ran_out;
    for (uint32_t node = 0; node < s.model.plan->nodes_count; node++) {
        ended->states[node] = run->nodes[node].state;
        ended->attempts[node] = run->nodes[node].attempts;
        ended->cut[node] = run->nodes[node].cut;
    }
}

/* The same without a model. */
static void s_note_grown_end (const dw_command_t *command, ended_t *ended, const plot_run_t *run) {
    const evaluator_t *evaluator = s.plot->evaluator;
    ended->was_cancelled = command->status == DW_RUN_CANCELLED;
    for (uint32_t node = 0; node < s.coordinator->plan->nodes_count; node++) {
        uint32_t declared = evaluator->by_rank[node];
        bool is_below = declared == run->cut_node ||
                        evaluator_is_ancestor (evaluator, declared, run->cut_node);
        ended->states[node] = dw_scheduler_node_state (s.scheduler, command->run, node);
        ended->attempts[node] = dw_scheduler_node_attempts (s.scheduler, command->run, node);
        ended->cut[node] = run->cut_ns && is_below && !ended->was_cancelled &&
                           ended->states[node] == DW_STATE_CANCELLED;
    }
}

static void s_on_finished (const dw_command_t *command) {
    uint32_t client = s.whose[command->run].client, number = s.whose[command->run].run;
    ended_t *ended = &s.ended[client][number];
    int64_t took_ns = fibers_now_ns () - ended->begun_ns;
    uint32_t deadline_ms = s.plot->clients[client].runs[number].deadline_ms;
    if (deadline_ms && took_ns > (int64_t) deadline_ms * 1000000 + LATE_NS)
        verdict_fail ("run %u of client %u went on for %.3f ms, and its deadline is after %u ms",
                      number, client, (double) took_ns / 1e6, deadline_ms);
    ended->has_ended = true;
    ended->status = (dw_run_status_t) command->status;
    if (s.has_model)
        s_note_end (command, ended);
    else
        s_note_grown_end (command, ended, &s.plot->clients[client].runs[number]);
    for (uint32_t node = 0; node < s.coordinator->plan->nodes_count; node++)
        verdict->nodes_cancelled += ended->cut[node];
    verdict->cancelled += ended->was_cancelled;
    verdict->deadlines += ended->ran_out;
}

/* What a run that grows comes to besides what its graph says: its time is over, or an attempt at a
 * node of what was added is lost, takes too long or makes no sense. */
static void s_on_error (const dw_command_t *command) {
    uint32_t node, run = dw_scheduler_root (s.scheduler, command->run, &node);
    ended_t *ended = &s.ended[s.whose[run].client][s.whose[run].run];
    ended->ran_out |= command->of_run;
    bool is_own = command->handle == DW_NONE && command->code != 413;
    bool is_nonsense = command->code == 502 || command->code == 400;
    if (run != command->run && (is_own || is_nonsense || command->code == 499))
        ended->is_tainted = true;
}

uint32_t watch_places_count (void) {
    return s.coordinator->places_count;
}

uint32_t watch_added_count (void) {
    return s.coordinator->added_count;
}

bool watch_is_idle (void) {
    for (uint32_t i = 0; i < s.coordinator->runs_used; i++)
        if (s.coordinator->runs[i].is_live)
            return false;
    return true;
}

void watch_check_counts (void) {
    dw_scheduler_counts_t counts = dw_scheduler_counts (s.scheduler);
    uint64_t ended = counts.runs_ok + counts.runs_partial + counts.runs_failed +
                     counts.runs_cancelled;
    if (counts.runs_submitted != ended)
        verdict_fail ("%u runs were accepted and %u have ended", (unsigned) counts.runs_submitted,
                      (unsigned) ended);
    verdict->timeouts += counts.timeouts;
    verdict->losses += counts.losses;
    verdict->ignored += counts.answers_ignored;
    verdict->replaced += counts.workers_replaced;
}

/* ---- What is kept ----------------------------------------------------------------------------- */

/* A payload is there as long as somebody may read it, and no longer. */
static void s_check_payloads (uint32_t index) {
    dw_live_run_t *run = &s.coordinator->runs[index];
    const model_run_t *model = &s.model.runs[index];
    size_t size;
    for (uint32_t node = 0; node < s.model.plan->nodes_count; node++) {
        const model_node_t *it = &model->nodes[node];
        const uint8_t *payload = dw_slot_payload (dw_table_slot (&run->table, node), &size);
        bool is_due = it->state == DW_STATE_DONE && it->kept && !it->dropped;
        if (is_due != (payload != NULL))
            verdict_fail ("run %u: the output of node %u is %s", index, node,
                          is_due ? "gone though it may be read"
                                 : "kept though nobody will read it");
    }
}

/* Of runs in flight, those whose results are not taken yet included: a client has so many at one
 * time. */
static void s_check_memory (void) {
    uint64_t runs = (uint64_t) s.plot->runs_max * PLOT_CLIENTS_MAX;
    uint64_t bytes_max = FIXED_BYTES_MAX + 2 * runs * s.nodes_count * NODE_BYTES_MAX;
    if (s.process->heap.bytes > bytes_max)
        verdict_fail ("the coordinator's process has %zu bytes, more than %zu",
                      (size_t) s.process->heap.bytes, (size_t) bytes_max);
}

void __real_dw_coordinator_step (dw_coordinator_t *self, int64_t now_ns);
void __wrap_dw_coordinator_step (dw_coordinator_t *self, int64_t now_ns);
void __wrap_dw_coordinator_step (dw_coordinator_t *self, int64_t now_ns) {
    __real_dw_coordinator_step (self, now_ns);
    if (self != s.coordinator || self->is_over)
        return;
    for (uint32_t i = 0; s.has_model && i < self->runs_used; i++)
        if (self->runs[i].is_live && s.model.runs[i].life == MODEL_LIVE)
            s_check_payloads (i);
    s_check_memory ();
}

/* ---- The scheduler ---------------------------------------------------------------------------- */

int __real_dw_scheduler_new (dw_scheduler_t **self_p, const dw_plan_t *plan,
                             const dw_scheduler_options_t *options);
int __wrap_dw_scheduler_new (dw_scheduler_t **self_p, const dw_plan_t *plan,
                             const dw_scheduler_options_t *options);
int __wrap_dw_scheduler_new (dw_scheduler_t **self_p, const dw_plan_t *plan,
                             const dw_scheduler_options_t *options) {
    int err = __real_dw_scheduler_new (self_p, plan, options);
    if (err || !s.plot)
        return err;
    s.scheduler = *self_p;
    if (s.plot->grows)
        return err;
    heap_t *before = heap_enter (NULL);
    model_init (&s.model, s.plot->evaluator, plan, options);
    heap_enter (before);
    s.has_model = true;
    return err;
}

int __real_dw_coordinator_new (dw_coordinator_t **self_p, const dw_coordinator_options_t *options,
                               dw_error_t *error);
int __wrap_dw_coordinator_new (dw_coordinator_t **self_p, const dw_coordinator_options_t *options,
                               dw_error_t *error);
int __wrap_dw_coordinator_new (dw_coordinator_t **self_p, const dw_coordinator_options_t *options,
                               dw_error_t *error) {
    int err = __real_dw_coordinator_new (self_p, options, error);
    if (!err) {
        s.coordinator = *self_p;
        s.process = fibers_process ();
    }
    return err;
}

/* Those that were appended from first on. */
static dw_commands_t s_since (const dw_commands_t *commands, size_t first) {
    return (dw_commands_t){.items = commands->items + first, .count = commands->count - first};
}

static void s_tell_commands (const dw_commands_t *commands, int64_t now_ns) {
    s.teller.now_ns = now_ns;
    for (size_t i = 0; i < commands->count; i++)
        world_tell_command (&s.teller, &commands->items[i]);
}

static void s_look_at_finished (const dw_commands_t *commands) {
    for (size_t i = 0; !s.has_model && i < commands->count; i++)
        if (commands->items[i].type == DW_KEEP_ERROR)
            s_on_error (&commands->items[i]);
    for (size_t i = 0; i < commands->count; i++)
        if (commands->items[i].type == DW_FINISH_RUN)
            s_on_finished (&commands->items[i]);
}

static void s_check_room (const dw_commands_t *commands) {
    for (size_t i = 0; i < commands->count; i++)
        if (commands->items[i].type == DW_SEND_TASK &&
            commands->items[i].ticket - s.model.workers[commands->items[i].worker].first >=
                MODEL_TASKS_MAX)
            verdict_fail ("worker %u holds more tasks than the model has room for",
                          commands->items[i].worker);
}

/* A step of a run that grows, without a model. */
static void s_look_at_growing (const dw_event_t *events, size_t events_count,
                               const dw_commands_t *commands) {
    s.teller.now_ns = fibers_now_ns ();
    for (size_t i = 0; i < events_count; i++) {
        world_tell_event (&s.teller, &events[i]);
        if (events[i].type == DW_EVENT_RUN_SUBMITTED)
            s_on_submitted (&events[i]);
    }
    s_tell_commands (commands, fibers_now_ns ());
    s_look_at_finished (commands);
    verdict->steps++;
}

/* Nodes that a client names are there, or it is refused. */
static void s_check_names (const dw_event_t *events, size_t events_count) {
    uint32_t count = s.coordinator->plan->nodes_count;
    for (size_t i = 0; i < events_count; i++) {
        bool is_known = events[i].type != DW_EVENT_NODE_CANCELLED || events[i].node < count;
        for (uint32_t at = 0;
             events[i].type == DW_EVENT_RUN_SUBMITTED && at < events[i].outputs_count; at++)
            is_known &= events[i].outputs[at] < count;
        if (!is_known)
            verdict_fail ("the scheduler is told of a node that there is not");
    }
}

/* The shell promises that a worker that joins is absent. */
static void s_check_joining (const dw_event_t *events, size_t events_count) {
    for (size_t i = 0; i < events_count; i++) {
        bool is_there = s.model.workers[events[i].worker].present;
        if (events[i].type != DW_EVENT_WORKER_JOINED)
            continue;
        for (size_t before = 0; before < i; before++)
            if (events[before].worker == events[i].worker) {
                is_there |= events[before].type == DW_EVENT_WORKER_JOINED;
                is_there &= events[before].type != DW_EVENT_WORKER_LOST;
            }
        if (is_there)
            verdict_fail ("worker %u joins, and is there", events[i].worker);
    }
}

int __real_dw_scheduler_step (dw_scheduler_t *self, int64_t now_ns, const dw_event_t *events,
                              size_t events_count, dw_commands_t *commands);
int __wrap_dw_scheduler_step (dw_scheduler_t *self, int64_t now_ns, const dw_event_t *events,
                              size_t events_count, dw_commands_t *commands);
int __wrap_dw_scheduler_step (dw_scheduler_t *self, int64_t now_ns, const dw_event_t *events,
                              size_t events_count, dw_commands_t *commands) {
    size_t first = commands->count;
    int err = __real_dw_scheduler_step (self, now_ns, events, events_count, commands);
    if (err || (!s_is_watched (self) && !s_is_growing (self)))
        return err;
    heap_t *before = heap_enter (NULL);
    s_check_names (events, events_count);
    if (!s.has_model) {
        dw_commands_t growing = s_since (commands, first);
        s_look_at_growing (events, events_count, &growing);
        heap_enter (before);
        return err;
    }
    s.teller.now_ns = fibers_now_ns ();
    for (size_t i = 0; i < events_count; i++) {
        world_tell_event (&s.teller, &events[i]);
        if (events[i].type == DW_EVENT_RUN_SUBMITTED)
            s_on_submitted (&events[i]);
    }
    s_check_joining (events, events_count);
    dw_commands_t since = s_since (commands, first);
    s_tell_commands (&since, fibers_now_ns ());
    s_check_room (&since);
    checker_step (&s.model, self, now_ns, events, events_count, &since);
    s_check ();
    s_look_at_finished (&since);
    verdict->steps++;
    heap_enter (before);
    return err;
}

void __real_dw_scheduler_forget (dw_scheduler_t *self, uint32_t run);
void __wrap_dw_scheduler_forget (dw_scheduler_t *self, uint32_t run);
void __wrap_dw_scheduler_forget (dw_scheduler_t *self, uint32_t run) {
    __real_dw_scheduler_forget (self, run);
    if (s_is_watched (self))
        s.model.runs[run].life = MODEL_FREE;
}

/* ---- Own work --------------------------------------------------------------------------------- */

int __real_dw_host_run_chain (dw_host_t *self, dw_chain_t *chain, uint32_t steps, dw_slot_t **ran);
int __wrap_dw_host_run_chain (dw_host_t *self, dw_chain_t *chain, uint32_t steps, dw_slot_t **ran);
int __wrap_dw_host_run_chain (dw_host_t *self, dw_chain_t *chain, uint32_t steps, dw_slot_t **ran) {
    uint32_t node = chain->node;
    int code = __real_dw_host_run_chain (self, chain, steps, ran);
    for (uint32_t i = 0; s.has_model && i < chain->done + (code > 0); i++) {
        model_own_ran (&s.model, node);
        node = s.model.plan->chain_next[node];
    }
    return code;
}

void __real_dw_scheduler_timed (dw_scheduler_t *self, uint32_t steps, uint64_t ns);
void __wrap_dw_scheduler_timed (dw_scheduler_t *self, uint32_t steps, uint64_t ns);
void __wrap_dw_scheduler_timed (dw_scheduler_t *self, uint32_t steps, uint64_t ns) {
    __real_dw_scheduler_timed (self, steps, ns);
    if (s_is_watched (self))
        model_timed (&s.model, steps, ns);
}

static bool s_run_own (void *arg, dw_own_task_t *task) {
    (void) arg;
    heap_t *before = heap_enter (NULL);
    dw_commands_t since = s_since (s.commands, s.commands_first);
    checker_own_task (&s.model, task, &since);
    s_check ();
    heap_enter (before);
    bool goes_on = s.run_task (s.run_task_arg, task);
    before = heap_enter (NULL);
    s.teller.now_ns = fibers_now_ns ();
    world_tell_own (&s.teller, task);
    model_own (&s.model, task);
    heap_enter (before);
    return goes_on;
}

int __real_dw_scheduler_work (dw_scheduler_t *self, dw_own_run_fn *run_task, void *arg,
                              dw_commands_t *commands);
int __wrap_dw_scheduler_work (dw_scheduler_t *self, dw_own_run_fn *run_task, void *arg,
                              dw_commands_t *commands);

static int s_work_growing (dw_scheduler_t *self, dw_own_run_fn *run_task, void *arg,
                           dw_commands_t *commands) {
    size_t first = commands->count;
    int err = __real_dw_scheduler_work (self, run_task, arg, commands);
    dw_commands_t since = s_since (commands, first);
    heap_t *before = heap_enter (NULL);
    s_tell_commands (&since, fibers_now_ns ());
    s_look_at_finished (&since);
    heap_enter (before);
    return err;
}

int __wrap_dw_scheduler_work (dw_scheduler_t *self, dw_own_run_fn *run_task, void *arg,
                              dw_commands_t *commands) {
    if (s_is_growing (self))
        return s_work_growing (self, run_task, arg, commands);
    if (!s_is_watched (self))
        return __real_dw_scheduler_work (self, run_task, arg, commands);
    s.run_task = run_task;
    s.run_task_arg = arg;
    s.commands = commands;
    s.commands_first = commands->count;
    checker_own_begin (&s.model);
    int err = __real_dw_scheduler_work (self, s_run_own, NULL, commands);
    dw_commands_t since = s_since (commands, s.commands_first);
    heap_t *before = heap_enter (NULL);
    s_tell_commands (&since, fibers_now_ns ());
    checker_own_end (&s.model, self, &since);
    s_check ();
    s_look_at_finished (&since);
    heap_enter (before);
    return err;
}

/* ---- What was added --------------------------------------------------------------------------- */

int __real_dw_addition_new (dw_addition_t **self_p, const uint8_t *bytes, size_t size,
                            const dw_program_t *root, const dw_added_t *within, uint32_t node,
                            dw_error_t *error);
int __wrap_dw_addition_new (dw_addition_t **self_p, const uint8_t *bytes, size_t size,
                            const dw_program_t *root, const dw_added_t *within, uint32_t node,
                            dw_error_t *error);
int __wrap_dw_addition_new (dw_addition_t **self_p, const uint8_t *bytes, size_t size,
                            const dw_program_t *root, const dw_added_t *within, uint32_t node,
                            dw_error_t *error) {
    int err = __real_dw_addition_new (self_p, bytes, size, root, within, node, error);
    fibers_process ()->additions += !err;
    return err;
}

void __real_dw_addition_destroy (dw_addition_t **self_p);
void __wrap_dw_addition_destroy (dw_addition_t **self_p);
void __wrap_dw_addition_destroy (dw_addition_t **self_p) {
    fibers_process ()->additions -= *self_p != NULL;
    __real_dw_addition_destroy (self_p);
}
