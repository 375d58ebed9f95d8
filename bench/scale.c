/* scale.c - the scheduler with more workers than this machine could have: what it decides in a
 * second of one core's time, and what it remembers of a worker.
 *
 * The scheduler is the real one; workers, their slots and the network between are simulated. Time
 * is virtual, but goes on by what the scheduler's steps take of the CPU, and by shell-ns for each
 * task beside, so that what arrives meanwhile is taken in together, as a coordinator does
 * (bench/lib/slots.h says what slots do). Every task has to be done once, and the hash is of all of
 * them. bench/crowd drives the whole coordinator with the same slots. */

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/lib/figures.h"
#include "bench/lib/mix.h"
#include "bench/lib/slots.h"
#include "bench/lib/usage.h"
#include "runtime/core/error.h"
#include "runtime/core/graph.h"
#include "runtime/core/scheduler.h"

enum { WORKERS, SLOTS, TASKS, NODES, TASK_US, LATENCY_US, SHELL_NS };

static dw_parameter_t s_parameters[] = {
    {"workers", "Workers elsewhere", 10000, 20, 1, 1000000, false},
    {"slots", "Slots of each", 16, 4, 1, 1024, false},
    {"tasks", "Tasks that are queued at the start", 1000000, 4000, 1, 100000000, false},
    {"nodes", "Nodes of the graph, none of which depends on another: so many tasks are a run", 100,
     100, 1, 1000000, false},
    {"task-us", "How long a task takes", 10000, 100, 0, 1000000000, false},
    {"latency-us", "How long a message travels", 100, 100, 1, 1000000, false},
    {"shell-ns", "What a task costs the coordinator beside the scheduler", 0, 0, 0, 1000000, false},
    {NULL, NULL, 0, 0, 0, 0, false},
};

#define CREDIT     65536u
#define EVENTS_MAX 65536u /* taken in by one step */

/* ---- The world -------------------------------------------------------------------------------- */

typedef struct s_world_t {
    dw_plan_t *plan;
    dw_scheduler_t *scheduler;
    dw_commands_t commands;
    dw_event_t *events;
    size_t events_size;
    uint32_t slots_count, runs_count;
    dw_slots_t slots;
    int64_t now_ns;   /* the coordinator's */
    int64_t step_ns;  /* the CPU time of the last step, */
    int64_t looks_ns; /* without what looking took */
    uint32_t ended_count;
    uint64_t done_count, wrong_count, hash;
} s_world_t;

/* Lets the world go on until there is something for the coordinator, and the coordinator's time
 * comes. False: nothing ever comes. */
static bool s_await (s_world_t *self) {
    for (;;) {
        const dw_item_t *answer = dw_slots_answer (&self->slots);
        int64_t look_ns = answer ? answer->at_ns : INT64_MAX,
                next_ns = dw_slots_next_ns (&self->slots),
                deadline_ns = dw_scheduler_deadline_ns (self->scheduler);
        if (deadline_ns < look_ns)
            look_ns = deadline_ns;
        if (look_ns < self->now_ns)
            look_ns = self->now_ns;
        if (next_ns <= look_ns) {
            if (next_ns == INT64_MAX)
                return false;
            dw_slots_happen (&self->slots);
            continue;
        }
        self->now_ns = look_ns;
        return true;
    }
}

/* ---- The coordinator -------------------------------------------------------------------------- */

static void s_carry_out (s_world_t *self, const dw_command_t *command) {
    switch ((dw_command_type_t) command->type) {
        case DW_SEND_TASK:
        case DW_CANCEL_TASK:
            dw_slots_send (
                &self->slots,
                (dw_item_t){.at_ns = self->now_ns,
                            .slot = command->worker,
                            .ticket = command->ticket,
                            .type = command->type == DW_SEND_TASK ? DW_ITEM_TASK : DW_ITEM_CANCEL});
            return;
        case DW_KEEP_OUTPUT:
            self->done_count += command->steps;
            self->hash += dw_mix_end (dw_mix_word (dw_mix_start (command->run), command->node));
            return;
        case DW_FINISH_RUN:
            self->ended_count++;
            self->wrong_count += command->status != DW_RUN_OK;
            dw_scheduler_forget (self->scheduler, command->run);
            return;
        case DW_DROP_OUTPUT: return;
        case DW_KEEP_ERROR:
        case DW_KEEP_DEATH:
        case DW_BEGIN_ADDED:
        case DW_END_ADDED:
        case DW_REPLACE_WORKER: self->wrong_count++; return;
    }
}

/* A step with so many of the events; time goes on by what it took. */
static int s_step (s_world_t *self, size_t events_count) {
    self->commands.count = 0;
    int64_t begin_ns = dw_usage_cpu_ns ();
    int err = dw_scheduler_step (self->scheduler, self->now_ns, self->events, events_count,
                                 &self->commands);
    self->step_ns = dw_usage_cpu_ns () - begin_ns - self->looks_ns;
    if (self->step_ns < 0)
        self->step_ns = 0;
    self->now_ns += self->step_ns + (int64_t) (events_count * s_parameters[SHELL_NS].value);
    for (size_t i = 0; i < self->commands.count && !err; i++)
        s_carry_out (self, &self->commands.items[i]);
    return err ? err : self->slots.no_memory ? DW_ENOMEM : DW_OK;
}

/* Takes in what has arrived. */
static size_t s_take_in (s_world_t *self) {
    size_t count = 0;
    const dw_item_t *answer;
    for (; count < EVENTS_MAX && (answer = dw_slots_answer (&self->slots)) &&
           answer->at_ns <= self->now_ns;
         dw_slots_take (&self->slots)) {
        bool is_done = answer->type == DW_ITEM_DONE;
        self->events[count++] = (dw_event_t){.type = is_done ? DW_EVENT_TASK_DONE
                                                             : DW_EVENT_TASK_RETURNED,
                                             .worker = answer->slot,
                                             .ticket = answer->ticket,
                                             .duration_ns = is_done ? answer->duration_ns : 0,
                                             .steps = is_done,
                                             .last = true};
    }
    return count;
}

/* ---- What is measured ------------------------------------------------------------------------- */

static int s_all_slots (s_world_t *self, dw_event_type_t type) {
    for (uint32_t slot = 0; slot < self->slots_count; slot++) {
        dw_event_t *event = &self->events[slot];
        *event = (dw_event_t){.type = (uint8_t) type, .worker = slot};
        if (type == DW_EVENT_WORKER_JOINED)
            event->credit = CREDIT;
        else
            event->last = true;
    }
    return s_step (self, self->slots_count);
}

static int s_all_runs (s_world_t *self, dw_event_type_t type) {
    for (uint32_t run = 0; run < self->runs_count; run++)
        self->events[run] = (dw_event_t){.type = (uint8_t) type, .run = run};
    return s_step (self, self->runs_count);
}

/* How much of the time since begin_ns slots were at a task, in percent. */
static double s_busy_percent (const s_world_t *self, int64_t begin_ns) {
    double busy_ns = self->slots.busy_ns - dw_slots_left_ns (&self->slots, self->now_ns);
    return 100 * busy_ns / (double) (self->now_ns - begin_ns) / self->slots_count;
}

/* Until all runs have ended. Slots count as long as there is something for them; the tasks that
 * were sent when the runs came are not counted, as what sending them took is not. */
static int s_work (s_world_t *self, dw_figures_t *figures) {
    uint64_t steps = 0, events = 0;
    uint64_t sent = dw_scheduler_counts (self->scheduler).tasks_sent;
    double cpu_ns = 0, busy_percent = -1;
    int64_t begin_ns = self->now_ns;
    int err = DW_OK;
    while (self->ended_count < self->runs_count && !err) {
        if (!s_await (self))
            return dw_error_add (figures->error, DW_EPROCESSOR, DW_NOWHERE,
                                 "the scheduler waits for what never comes");
        size_t count = s_take_in (self);
        err = s_step (self, count);
        steps++;
        events += count;
        cpu_ns += (double) self->step_ns;
        if (busy_percent < 0 && dw_scheduler_ready_count (self->scheduler) == 0)
            busy_percent = s_busy_percent (self, begin_ns);
    }
    double passed_ns = (double) (self->now_ns - begin_ns), done = (double) self->done_count;
    double tasks = done - (double) sent;
    if (tasks < 1 && !err)
        return dw_error_add (figures->error, DW_EPROCESSOR, DW_NOWHERE,
                             "nothing was queued: ask for more tasks than there are slots");
    dw_figures_number (figures, "completions_per_second_of_core", tasks * 1e9 / cpu_ns);
    dw_figures_number (figures, "scheduler_ns_per_task", cpu_ns / tasks);
    dw_figures_number (figures, "scheduler_core_percent", 100 * cpu_ns / passed_ns);
    dw_figures_number (figures, "tasks_per_second", done * 1e9 / passed_ns);
    dw_figures_number (figures, "slots_busy_percent", busy_percent);
    dw_figures_count (figures, "steps", steps);
    dw_figures_number (figures, "answers_per_step", (double) events / (double) steps);
    return err;
}

/* Frees what the world grew, so that only the scheduler has more memory than before. */
static void s_forget (s_world_t *self) {
    dw_slots_shrink (&self->slots);
    free (self->commands.items);
    self->commands = (dw_commands_t){0};
}

static int s_measure (s_world_t *self, dw_figures_t *figures) {
    double slots = self->slots_count, before = dw_usage_allocated_bytes ();
    dw_scheduler_options_t options = {
        .runs_max = self->runs_count, .workers_max = self->slots_count, .is_open = true};
    int err = dw_scheduler_new (&self->scheduler, self->plan, &options);
    double bytes = dw_usage_allocated_bytes () - before;
    /* What queues keep is there before the workers come, whose memory is told apart. */
    if (!err)
        err = s_all_runs (self, DW_EVENT_RUN_SUBMITTED);
    if (!err)
        err = s_all_runs (self, DW_EVENT_RUN_CANCELLED);
    self->ended_count = 0;
    self->wrong_count = 0;
    s_forget (self);
    before = dw_usage_allocated_bytes ();
    if (!err)
        err = s_all_slots (self, DW_EVENT_WORKER_JOINED);
    dw_figures_number (figures, "join_ns_per_slot", (double) self->step_ns / slots);
    if (!err)
        err = s_all_runs (self, DW_EVENT_RUN_SUBMITTED);
    if (!err)
        err = s_work (self, figures);
    s_forget (self);
    bytes += dw_usage_allocated_bytes () - before;
    dw_figures_number (figures, "bytes_per_worker", bytes / (double) s_parameters[WORKERS].value);
    if (!err)
        err = s_all_slots (self, DW_EVENT_WORKER_LOST);
    dw_figures_number (figures, "leave_ns_per_slot", (double) self->step_ns / slots);
    uint64_t tasks = (uint64_t) self->runs_count * self->plan->nodes_count;
    if (!err && (self->done_count != tasks || self->wrong_count))
        return dw_error_add (figures->error, DW_EPROCESSOR, DW_NOWHERE,
                             "of %" PRIu64 " tasks %" PRIu64 " were done, and %" PRIu64
                             " things went wrong",
                             tasks, self->done_count, self->wrong_count);
    return err;
}

/* ---- Made ------------------------------------------------------------------------------------- */

static bool s_trait (void *arg, const char *processor, dw_trait_t *trait_p) {
    (void) arg;
    (void) processor;
    *trait_p = (dw_trait_t){.intent = DW_TRANSFORM};
    return true;
}

static int s_make_plan (s_world_t *self, dw_error_t *error) {
    char id[24];
    dw_graph_t *graph = dw_graph_new ();
    if (!graph)
        return DW_ENOMEM;
    int node = 0;
    for (uint64_t i = 0; i < s_parameters[NODES].value && node >= 0; i++) {
        snprintf (id, sizeof id, "n%" PRIu64, i);
        node = dw_graph_add (graph, id, "work");
    }
    dw_graph_options (graph)->strategy = DW_WORK_QUEUE;
    dw_graph_options (graph)->actors = DW_ACTORS_POOL;
    dw_plan_lookup_t lookup = {.trait = s_trait, .cpus_count = 1};
    int err = node < 0 ? node : dw_plan_new (&self->plan, graph, &lookup, error);
    dw_graph_destroy (&graph);
    if (!err)
        self->plan->max_concurrency = self->slots_count; /* more than a graph may say */
    return err;
}

static int s_make (s_world_t *self, dw_error_t *error) {
    self->slots_count = (uint32_t) (s_parameters[WORKERS].value * s_parameters[SLOTS].value);
    self->runs_count = (uint32_t) ((s_parameters[TASKS].value + s_parameters[NODES].value - 1) /
                                   s_parameters[NODES].value);
    self->looks_ns = dw_usage_looks_ns ();
    self->events_size = self->slots_count > self->runs_count ? self->slots_count : self->runs_count;
    if (self->events_size < EVENTS_MAX)
        self->events_size = EVENTS_MAX;
    self->events = calloc (self->events_size, sizeof *self->events);
    int err = dw_slots_init (&self->slots, self->slots_count, s_parameters[TASK_US].value,
                             (int64_t) s_parameters[LATENCY_US].value * 1000);
    return err || !self->events ? DW_ENOMEM : s_make_plan (self, error);
}

static void s_free (s_world_t *self) {
    s_forget (self);
    dw_scheduler_destroy (&self->scheduler);
    dw_plan_destroy (&self->plan);
    free (self->events);
    dw_slots_free (&self->slots);
}

int main (int argc, char **argv) {
    dw_figures_t figures = {
        .bench = "scale",
        .help = "Simulates one coordinator with very many workers: what its scheduler decides in a "
                "second of one core's time, how much it remembers of a worker, and how busy it "
                "keeps them.",
        .parameters = s_parameters};
    dw_figures_start (&figures, argc, argv);
    s_world_t world = {0};
    int err = s_make (&world, figures.error);
    if (!err)
        err = s_measure (&world, &figures);
    s_free (&world);
    return dw_figures_end (&figures, world.hash, err);
}
