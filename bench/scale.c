/* scale.c - the scheduler with more workers than this machine could have: what it decides in a second of one core's time, and
 * what it remembers of a worker.
 *
 * The scheduler is the real one; workers, their slots and the network between are simulated. Time is virtual, but goes on by
 * what the scheduler's steps take of the CPU, and by shell-ns for each task beside, so that what arrives meanwhile is taken in
 * together, as a coordinator does. A slot runs its tasks one after another, each with a time of its own (a tenth more or less
 * than task-us), and tells of those that are done when it has no more, or when its last answer is 50 us old. Every task has to be
 * done once, and the hash is of all of them. */

#include <inttypes.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "bench/lib/mix.h"
#include "bench/lib/figures.h"
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
#define ANSWER_NS  50000  /* a slot's last answer is old */
#define EVENTS_MAX 65536u /* taken in by one step */

/* ---- Time and memory -------------------------------------------------------------------------- */

/* CPU time of this thread. */
static int64_t s_cpu_ns (void) {
    struct timespec now;
    clock_gettime (CLOCK_THREAD_CPUTIME_ID, &now);
    return (int64_t) now.tv_sec * 1000000000 + now.tv_nsec;
}

/* What two looks at it take by themselves: the least of many. */
static int64_t s_looks_ns (void) {
    int64_t least_ns = INT64_MAX;
    for (unsigned i = 0; i < 1000; i++) {
        int64_t begin_ns = s_cpu_ns (), ns = s_cpu_ns () - begin_ns;
        if (ns < least_ns)
            least_ns = ns;
    }
    return least_ns;
}

static double s_allocated_bytes (void) {
    struct mallinfo2 info = mallinfo2 ();
    return (double) info.uordblks + (double) info.hblkhd;
}

/* ---- Queues ----------------------------------------------------------------------------------- */

/* A message under way, or the time at which a slot is through with a task. */
typedef struct s_item_t {
    int64_t at_ns;
    uint64_t ticket;
    uint32_t slot;
    uint32_t duration_ns;
    uint8_t type; /* of its event, or command */
} s_item_t;

/* Items in the order of their times: as every message travels as long, in that of their sending. */
typedef struct s_line_t {
    s_item_t *items; /* a ring */
    size_t first, next, size;
} s_line_t;

static bool s_line_add (s_line_t *self, s_item_t item) {
    if (self->next - self->first == self->size) {
        size_t size = self->size ? 2 * self->size : 4;
        s_item_t *items = malloc (size * sizeof *items);
        if (!items)
            return false;
        for (size_t i = self->first; i < self->next; i++)
            items[i & (size - 1)] = self->items[i & (self->size - 1)];
        free (self->items);
        self->items = items;
        self->size = size;
    }
    self->items[self->next++ & (self->size - 1)] = item;
    return true;
}

static const s_item_t *s_line_first (const s_line_t *self) {
    return self->first == self->next ? NULL : &self->items[self->first & (self->size - 1)];
}

/* Slots that are at a task, the first to be through with it in front: a binary heap, one place for each slot. */
typedef struct s_heap_t {
    s_item_t *items;
    size_t count;
} s_heap_t;

static void s_heap_add (s_heap_t *self, s_item_t item) {
    size_t at = self->count++;
    for (; at > 0 && self->items[(at - 1) / 2].at_ns > item.at_ns; at = (at - 1) / 2)
        self->items[at] = self->items[(at - 1) / 2];
    self->items[at] = item;
}

static s_item_t s_heap_take (s_heap_t *self) {
    s_item_t first = self->items[0], last = self->items[--self->count];
    size_t at = 0;
    for (;;) {
        size_t child = 2 * at + 1;
        if (child + 1 < self->count && self->items[child + 1].at_ns < self->items[child].at_ns)
            child++;
        if (child >= self->count || self->items[child].at_ns >= last.at_ns)
            break;
        self->items[at] = self->items[child];
        at = child;
    }
    self->items[at] = last;
    return first;
}

/* ---- The world -------------------------------------------------------------------------------- */

typedef struct s_slot_t {
    s_line_t
        waiting; /* what it was sent and has not begun; type is DW_CANCEL_TASK when that was taken back */
    s_line_t untold; /* answers that it has not sent */
    bool is_busy;
    uint64_t ticket; /* that it is at */
    uint32_t duration_ns;
    int64_t told_ns;
} s_slot_t;

typedef struct s_world_t {
    dw_plan_t *plan;
    dw_scheduler_t *scheduler;
    dw_commands_t commands;
    dw_event_t *events;
    size_t events_size;
    uint32_t slots_count, runs_count;
    int64_t latency_ns;
    s_slot_t *slots;
    s_heap_t busy;
    s_line_t to_slots, from_slots;
    int64_t now_ns;   /* the coordinator's */
    int64_t step_ns;  /* the CPU time of the last step, */
    int64_t looks_ns; /* without what looking took */
    uint32_t ended_count;
    uint64_t done_count, wrong_count, hash;
    double busy_ns; /* of all slots */
    bool no_memory;
} s_world_t;

static void s_add (s_world_t *self, s_line_t *line, s_item_t item) {
    self->no_memory |= !s_line_add (line, item);
}

/* A tenth more or less than asked for, the same for a slot's same task. */
static uint32_t s_task_ns (uint32_t slot, uint64_t ticket) {
    uint64_t mean_ns = s_parameters[TASK_US].value * 1000;
    uint64_t drawn = dw_mix_end (dw_mix_word (dw_mix_start (slot), ticket));
    uint64_t ns = mean_ns - mean_ns / 10 + drawn % (mean_ns / 5 + 1);
    return ns < UINT32_MAX ? (uint32_t) ns : UINT32_MAX;
}

/* Sends all that a slot has not told. */
static void s_tell (s_world_t *self, s_slot_t *slot, int64_t now_ns) {
    const s_item_t *answer;
    for (; (answer = s_line_first (&slot->untold)); slot->untold.first++) {
        s_item_t item = *answer;
        item.at_ns = now_ns + self->latency_ns;
        s_add (self, &self->from_slots, item);
    }
    slot->told_ns = now_ns;
}

/* A slot begins the next task, if there is one; what was taken back it gives back. */
static void s_begin (s_world_t *self, uint32_t index, int64_t now_ns) {
    s_slot_t *slot = &self->slots[index];
    const s_item_t *next;
    for (; (next = s_line_first (&slot->waiting)); slot->waiting.first++) {
        if (next->type == DW_CANCEL_TASK) {
            s_add (
                self, &slot->untold,
                (s_item_t){.slot = index, .ticket = next->ticket, .type = DW_EVENT_TASK_RETURNED});
            continue;
        }
        slot->is_busy = true;
        slot->ticket = next->ticket;
        slot->duration_ns = s_task_ns (index, next->ticket);
        slot->waiting.first++;
        self->busy_ns += slot->duration_ns;
        s_heap_add (&self->busy, (s_item_t){.at_ns = now_ns + slot->duration_ns, .slot = index});
        return;
    }
    s_tell (self, slot, now_ns);
}

static void s_end_task (s_world_t *self, uint32_t index, int64_t now_ns) {
    s_slot_t *slot = &self->slots[index];
    slot->is_busy = false;
    s_add (self, &slot->untold,
           (s_item_t){.slot = index,
                      .ticket = slot->ticket,
                      .duration_ns = slot->duration_ns,
                      .type = DW_EVENT_TASK_DONE});
    if (now_ns - slot->told_ns >= ANSWER_NS)
        s_tell (self, slot, now_ns);
    s_begin (self, index, now_ns);
}

/* A slot gets a task, or is told that one is nobody's any more: one that it has begun it goes on with. */
static void s_get (s_world_t *self, const s_item_t *message) {
    s_slot_t *slot = &self->slots[message->slot];
    if (message->type == DW_SEND_TASK) {
        if (!slot->is_busy)
            slot->told_ns = message->at_ns;
        s_add (self, &slot->waiting, *message);
        if (!slot->is_busy)
            s_begin (self, message->slot, message->at_ns);
        return;
    }
    const s_item_t *first = s_line_first (&slot->waiting);
    if (first && message->ticket >= first->ticket)
        slot->waiting
            .items[(slot->waiting.first + message->ticket - first->ticket) &
                   (slot->waiting.size - 1)]
            .type = DW_CANCEL_TASK;
}

/* When something happens to a slot next; INT64_MAX: nothing. */
static int64_t s_next_ns (const s_world_t *self) {
    const s_item_t *message = s_line_first (&self->to_slots);
    int64_t next_ns = message ? message->at_ns : INT64_MAX;
    return self->busy.count && self->busy.items[0].at_ns < next_ns ? self->busy.items[0].at_ns
                                                                   : next_ns;
}

/* The next that happens to a slot. */
static void s_happen (s_world_t *self) {
    const s_item_t *message = s_line_first (&self->to_slots);
    if (message && (!self->busy.count || message->at_ns <= self->busy.items[0].at_ns)) {
        s_item_t item = *message;
        self->to_slots.first++;
        s_get (self, &item);
        return;
    }
    s_item_t end = s_heap_take (&self->busy);
    s_end_task (self, end.slot, end.at_ns);
}

/* Lets the world go on until there is something for the coordinator, and the coordinator's time comes. False: nothing ever
 * comes. */
static bool s_await (s_world_t *self) {
    for (;;) {
        const s_item_t *answer = s_line_first (&self->from_slots);
        int64_t look_ns = answer ? answer->at_ns : INT64_MAX,
                deadline_ns = dw_scheduler_deadline_ns (self->scheduler);
        if (deadline_ns < look_ns)
            look_ns = deadline_ns;
        if (look_ns < self->now_ns)
            look_ns = self->now_ns;
        if (s_next_ns (self) <= look_ns) {
            if (s_next_ns (self) == INT64_MAX)
                return false;
            s_happen (self);
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
            s_add (self, &self->to_slots,
                   (s_item_t){.at_ns = self->now_ns + self->latency_ns,
                              .slot = command->worker,
                              .ticket = command->ticket,
                              .type = command->type});
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
    int64_t begin_ns = s_cpu_ns ();
    int err = dw_scheduler_step (self->scheduler, self->now_ns, self->events, events_count,
                                 &self->commands);
    self->step_ns = s_cpu_ns () - begin_ns - self->looks_ns;
    if (self->step_ns < 0)
        self->step_ns = 0;
    self->now_ns += self->step_ns + (int64_t) (events_count * s_parameters[SHELL_NS].value);
    for (size_t i = 0; i < self->commands.count && !err; i++)
        s_carry_out (self, &self->commands.items[i]);
    return err ? err : self->no_memory ? DW_ENOMEM : DW_OK;
}

/* Takes in what has arrived. */
static size_t s_take_in (s_world_t *self) {
    size_t count = 0;
    const s_item_t *answer;
    for (; count < EVENTS_MAX && (answer = s_line_first (&self->from_slots)) &&
           answer->at_ns <= self->now_ns;
         self->from_slots.first++) {
        dw_event_t *event = &self->events[count++];
        *event = (dw_event_t){
            .type = answer->type, .worker = answer->slot, .ticket = answer->ticket, .last = true};
        if (answer->type == DW_EVENT_TASK_DONE) {
            event->duration_ns = answer->duration_ns;
            event->steps = 1;
        }
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
    double busy_ns = self->busy_ns;
    for (size_t i = 0; i < self->busy.count; i++)
        if (self->busy.items[i].at_ns > self->now_ns)
            busy_ns -= (double) (self->busy.items[i].at_ns - self->now_ns);
    return 100 * busy_ns / (double) (self->now_ns - begin_ns) / self->slots_count;
}

/* Until all runs have ended. Slots count as long as there is something for them; the tasks that were sent when the runs
 * came are not counted, as what sending them took is not. */
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

static void s_empty (s_line_t *self) {
    free (self->items);
    *self = (s_line_t){0};
}

/* Frees what the world grew, so that only the scheduler has more memory than before. */
static void s_forget (s_world_t *self) {
    for (uint32_t slot = 0; self->slots && slot < self->slots_count; slot++) {
        s_empty (&self->slots[slot].waiting);
        s_empty (&self->slots[slot].untold);
    }
    s_empty (&self->to_slots);
    s_empty (&self->from_slots);
    free (self->commands.items);
    self->commands = (dw_commands_t){0};
}

static int s_measure (s_world_t *self, dw_figures_t *figures) {
    double slots = self->slots_count, before = s_allocated_bytes ();
    dw_scheduler_options_t options = {
        .runs_max = self->runs_count, .workers_max = self->slots_count, .is_open = true};
    int err = dw_scheduler_new (&self->scheduler, self->plan, &options);
    double bytes = s_allocated_bytes () - before;
    /* What queues keep is there before the workers come, whose memory is told apart. */
    if (!err)
        err = s_all_runs (self, DW_EVENT_RUN_SUBMITTED);
    if (!err)
        err = s_all_runs (self, DW_EVENT_RUN_CANCELLED);
    self->ended_count = 0;
    self->wrong_count = 0;
    s_forget (self);
    before = s_allocated_bytes ();
    if (!err)
        err = s_all_slots (self, DW_EVENT_WORKER_JOINED);
    dw_figures_number (figures, "join_ns_per_slot", (double) self->step_ns / slots);
    if (!err)
        err = s_all_runs (self, DW_EVENT_RUN_SUBMITTED);
    if (!err)
        err = s_work (self, figures);
    s_forget (self);
    bytes += s_allocated_bytes () - before;
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
    self->looks_ns = s_looks_ns ();
    self->latency_ns = (int64_t) s_parameters[LATENCY_US].value * 1000;
    self->events_size = self->slots_count > self->runs_count ? self->slots_count : self->runs_count;
    if (self->events_size < EVENTS_MAX)
        self->events_size = EVENTS_MAX;
    self->events = calloc (self->events_size, sizeof *self->events);
    self->slots = calloc (self->slots_count, sizeof *self->slots);
    self->busy.items = calloc (self->slots_count, sizeof *self->busy.items);
    if (!self->events || !self->slots || !self->busy.items)
        return DW_ENOMEM;
    return s_make_plan (self, error);
}

static void s_free (s_world_t *self) {
    s_forget (self);
    dw_scheduler_destroy (&self->scheduler);
    dw_plan_destroy (&self->plan);
    free (self->events);
    free (self->slots);
    free (self->busy.items);
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
