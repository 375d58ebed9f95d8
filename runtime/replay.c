/* replay.c - feeds a recording to a fresh scheduler. */

#include "runtime/replay.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/core/error.h"
#include "runtime/pack.h"

#define PLACES_BESIDES \
    65537u /* for workers, beside the plan's own: slots elsewhere, and the shell's thread */

/* What a worker holds, by ticket, from first on. */
typedef struct s_held_t {
    bool is_present;
    dw_sent_t *tasks; /* a ring */
    uint32_t size;    /* a power of two */
    uint64_t first, next;
} s_held_t;

struct dw_replay_t {
    dw_recording_t *recording;
    dw_plan_t *plan;
    dw_scheduler_t *scheduler;
    dw_commands_t commands;
    uint64_t digest;
    s_held_t *workers;
    uint32_t workers_max;
    uint32_t local; /* worker; DW_NONE: none */
    uint64_t *runs; /* by place: the number of the run that is there, 0: none */
    uint32_t places_count, places_size;
    uint64_t runs_count;
    const dw_watch_t *watch;
    dw_moment_t moment;
    int64_t clock_ns;   /* when the recording began, by the scheduler's clock */
    uint32_t lap_steps; /* of own work, that were not timed yet */
    int failed;         /* error of a record before: nothing goes on after it */
};

/* ---- Made ------------------------------------------------------------------------------------- */

typedef struct s_kind_t {
    const char *name;
    dw_trait_t trait;
} s_kind_t;

typedef struct s_kinds_t {
    s_kind_t *items;
    uint32_t count;
} s_kinds_t;

static int s_compare (const void *a, const void *b) {
    const s_kind_t *x = a, *y = b;
    return strcmp (x->name, y->name);
}

static bool s_trait (void *arg, const char *processor, dw_trait_t *trait_p) {
    const s_kinds_t *kinds = arg;
    s_kind_t key = {.name = processor};
    const s_kind_t *kind = kinds->count ? bsearch (&key, kinds->items, kinds->count,
                                                   sizeof *kinds->items, s_compare)
                                        : NULL;
    if (kind)
        *trait_p = kind->trait;
    return kind != NULL;
}

static const char *s_nearest (void *arg, const char *processor) {
    (void) arg;
    (void) processor;
    return NULL;
}

/* What is wrong with the graph is told as a message of the recording. */
static int s_make_plan (dw_replay_t *self, const dw_recording_header_t *header,
                        const dw_graph_t *graph, dw_error_t *error) {
    s_kinds_t kinds = {.items = calloc (header->kinds_count + 1u, sizeof *kinds.items),
                       .count = header->kinds_count};
    if (!kinds.items)
        return dw_error_add (error, DW_ENOMEM, DW_NOWHERE, "out of memory");
    for (uint32_t i = 0; i < kinds.count; i++)
        kinds.items[i] = (s_kind_t){.name = header->kinds[i], .trait = header->traits[i]};
    qsort (kinds.items, kinds.count, sizeof *kinds.items, s_compare);
    dw_plan_lookup_t lookup = {.trait = s_trait,
                               .nearest = s_nearest,
                               .arg = &kinds,
                               .cpus_count = header->cpus_count ? header->cpus_count : 1};
    dw_error_t *problems = dw_error_new ();
    int err = dw_plan_new (&self->plan, graph, &lookup, problems);
    free (kinds.items);
    if (err == DW_ENOMEM)
        dw_error_add (error, DW_ENOMEM, DW_NOWHERE, "out of memory");
    else if (err)
        err = dw_error_add (error, DW_EPROTOCOL, DW_NOWHERE,
                            "the recording's graph is wrong, so nothing can be replayed (%s)",
                            dw_error_count (problems) ? dw_error_message (problems, 0) : "");
    dw_error_destroy (&problems);
    return err;
}

static int s_make_scheduler (dw_replay_t *self, const dw_recording_header_t *header,
                             dw_error_t *error) {
    if (dw_plan_digest (self->plan) != header->plan_digest)
        return dw_error_add (
            error, DW_EPROTOCOL, DW_NOWHERE,
            "the recording was written by dagwood %s, which plans its graph in another way than this "
            "one (%s): replay it with that version",
            header->dagwood, dw_version ());
    self->workers_max = header->options.workers_max;
    if (self->workers_max > self->plan->workers_count + PLACES_BESIDES)
        return dw_error_add (error, DW_EPROTOCOL, DW_NOWHERE,
                             "the recording's header speaks of %" PRIu32
                             " workers, which no system has",
                             self->workers_max);
    self->workers = calloc (self->workers_max + 1u, sizeof *self->workers);
    if (!self->workers ||
        dw_scheduler_new (&self->scheduler, self->plan, &header->options) != DW_OK)
        return dw_error_add (error, DW_ENOMEM, DW_NOWHERE, "out of memory");
    return DW_OK;
}

int dw_replay_new (dw_replay_t **self_p, dw_recording_t *recording, dw_error_t *error) {
    const dw_recording_header_t *header = dw_recording_header (recording);
    dw_graph_t *graph = NULL;
    dw_replay_t *self = calloc (1, sizeof *self);
    if (!self)
        return dw_error_add (error, DW_ENOMEM, DW_NOWHERE, "out of memory");
    self->recording = recording;
    self->local = DW_NONE;
    self->clock_ns = header->clock_ns;
    int err = dw_unpack_graph (&graph, header->graph, header->graph_size, error);
    if (!err)
        err = s_make_plan (self, header, graph, error);
    if (!err)
        err = s_make_scheduler (self, header, error);
    dw_graph_destroy (&graph);
    dw_recording_rewind (recording);
    if (err)
        dw_replay_destroy (&self);
    else
        *self_p = self;
    return err;
}

void dw_replay_destroy (dw_replay_t **self_p) {
    dw_replay_t *self = *self_p;
    if (!self)
        return;
    for (uint32_t w = 0; self->workers && w < self->workers_max; w++)
        free (self->workers[w].tasks);
    free (self->workers);
    free (self->runs);
    free (self->commands.items);
    dw_scheduler_destroy (&self->scheduler);
    dw_plan_destroy (&self->plan);
    free (self);
    *self_p = NULL;
}

const dw_plan_t *dw_replay_plan (const dw_replay_t *self) {
    return self->plan;
}

const dw_scheduler_t *dw_replay_scheduler (const dw_replay_t *self) {
    return self->scheduler;
}

const dw_recording_header_t *dw_replay_header (const dw_replay_t *self) {
    return dw_recording_header (self->recording);
}

dw_moment_t dw_replay_moment (const dw_replay_t *self) {
    return self->moment;
}

uint64_t dw_replay_runs_count (const dw_replay_t *self) {
    return self->runs_count;
}

/* ---- Differences ------------------------------------------------------------------------------ */

static int s_differs (const dw_replay_t *self, const char *what, dw_error_t *error) {
    return dw_error_add (
        error, DW_EREFUSED, DW_NOWHERE, "record %" PRIu64 ", at byte %" PRIu64 " and %.3f ms: %s",
        self->moment.record, self->moment.offset, (double) self->moment.time_ns / 1e6, what);
}

/* ---- What workers hold ------------------------------------------------------------------------ */

static bool s_hold (dw_replay_t *self, const dw_command_t *command) {
    s_held_t *held = &self->workers[command->worker];
    if (held->first == held->next)
        held->first = held->next = command->ticket;
    if (held->next - held->first == held->size) {
        uint32_t size = held->size ? 2 * held->size : 4;
        dw_sent_t *tasks = malloc (size * sizeof *tasks);
        if (!tasks)
            return false;
        for (uint64_t t = held->first; t < held->next; t++)
            tasks[t & (size - 1)] = held->tasks[t & (held->size - 1)];
        free (held->tasks);
        held->tasks = tasks;
        held->size = size;
    }
    held->tasks[held->next++ & (held->size - 1)] = (dw_sent_t){
        .run = self->runs[command->run],
        .place = command->run,
        .node = command->node,
        .steps = command->steps,
        .attempt = command->attempt,
        .sent_ns = self->moment.time_ns,
    };
    return true;
}

static dw_sent_t *s_task (dw_replay_t *self, uint32_t worker, uint64_t ticket) {
    s_held_t *held = &self->workers[worker];
    if (ticket < held->first || ticket >= held->next)
        return NULL;
    return &held->tasks[ticket & (held->size - 1)];
}

/* The task that an answer is for, by the scheduler's own rule: the first of its worker, from the step that
 * is next. NULL: none. */
static dw_sent_t *s_answered (dw_replay_t *self, const dw_event_t *event) {
    dw_sent_t *task = event->ticket == self->workers[event->worker].first
                          ? s_task (self, event->worker, event->ticket)
                          : NULL;
    return task && task->done == event->step ? task : NULL;
}

/* An answer was told: what it leaves of its task. */
static void s_answer (dw_replay_t *self, const dw_event_t *event, dw_sent_t *task) {
    bool is_part = event->type == DW_EVENT_TASK_DONE && !event->last && event->steps >= 1 &&
                   event->steps < task->steps;
    /* A part of a task that nobody waits for any more does not end it, however many steps it tells of. */
    if (event->type == DW_EVENT_TASK_DONE && !event->last && task->run == 0)
        is_part = true;
    if (!is_part) {
        self->workers[event->worker].first++;
        return;
    }
    task->done += event->steps;
    for (uint32_t i = 0; task->run && i < event->steps; i++)
        task->node = self->plan->chain_next[task->node];
    task->steps -= task->run ? event->steps : 0;
}

/* Where answers and cancellations crossed within a step the scheduler has the last word. */
static void s_settle_workers (dw_replay_t *self, const dw_record_t *record) {
    for (size_t i = 0; i < record->events_count; i++) {
        const dw_event_t *event = &record->events[i];
        if (event->type < DW_EVENT_TASK_DONE)
            continue;
        s_held_t *held = &self->workers[event->worker];
        held->first = held->next - dw_scheduler_unanswered_count (self->scheduler, event->worker);
    }
}

static void s_forget_worker (dw_replay_t *self, uint32_t worker) {
    s_held_t *held = &self->workers[worker];
    held->is_present = false;
    held->first = held->next;
}

/* ---- What goes in ----------------------------------------------------------------------------- */

static bool s_grow_places (dw_replay_t *self) {
    uint32_t size = self->places_size ? 2 * self->places_size : 16;
    uint64_t *runs = realloc (self->runs, size * sizeof *runs);
    if (!runs)
        return false;
    memset (runs + self->places_size, 0, (size - self->places_size) * sizeof *runs);
    self->runs = runs;
    self->places_size = size;
    return true;
}

static int s_take_submitted (dw_replay_t *self, const dw_event_t *event, dw_error_t *error) {
    if (event->run > self->places_count ||
        event->run >= dw_recording_header (self->recording)->options.runs_max ||
        (event->run < self->places_count && self->runs[event->run]))
        return s_differs (self, "a run is submitted to a place that it cannot have", error);
    for (uint32_t i = 0; i < event->outputs_count; i++)
        if (event->outputs[i] >= self->plan->nodes_count)
            return s_differs (self, "a run asks for a node that there is not", error);
    if (event->run == self->places_count) {
        if ((self->places_count + UINT64_C (1)) * self->plan->nodes_count > DW_REPLAY_STATES_MAX)
            return dw_error_add (error, DW_ENOMEM, DW_NOWHERE,
                                 "record %" PRIu64 ": too many runs in flight of too many nodes to "
                                 "be replayed (%" PRIu32 " and %" PRIu32 ")",
                                 self->moment.record, self->places_count + 1,
                                 self->plan->nodes_count);
        if (self->places_count == self->places_size && !s_grow_places (self))
            return dw_error_add (error, DW_ENOMEM, DW_NOWHERE, "out of memory");
        self->places_count++;
    }
    self->runs[event->run] = ++self->runs_count;
    return DW_OK;
}

static int s_take_joined (dw_replay_t *self, const dw_event_t *event, dw_error_t *error) {
    if (self->workers[event->worker].is_present || event->lane >= self->plan->lanes_count ||
        (event->local && self->local != DW_NONE))
        return s_differs (self, "a worker joins that cannot", error);
    self->workers[event->worker].is_present = true;
    if (event->local)
        self->local = event->worker;
    return DW_OK;
}

/* Checks what the scheduler is promised of an event, and notes what it changes. */
static int s_take (dw_replay_t *self, const dw_event_t *event, dw_error_t *error) {
    switch ((dw_event_type_t) event->type) {
        case DW_EVENT_RUN_SUBMITTED: return s_take_submitted (self, event, error);
        case DW_EVENT_RUN_CANCELLED: return DW_OK; /* of any place; one without a run is ignored */
        case DW_EVENT_WORKER_JOINED:
        case DW_EVENT_WORKER_LOST:
        case DW_EVENT_TASK_DONE:
        case DW_EVENT_TASK_FAILED:
        case DW_EVENT_TASK_RETURNED: break;
    }
    if (event->worker >= self->workers_max)
        return s_differs (self, "there is no such worker", error);
    if (event->type == DW_EVENT_WORKER_JOINED)
        return s_take_joined (self, event, error);
    if (event->type == DW_EVENT_WORKER_LOST && event->worker == self->local)
        return s_differs (self, "the coordinator's own thread does not leave", error);
    return DW_OK;
}

static uint64_t s_run_of_event (const dw_replay_t *self, const dw_event_t *event,
                                const dw_sent_t *task) {
    if (event->type == DW_EVENT_RUN_SUBMITTED || event->type == DW_EVENT_RUN_CANCELLED)
        return event->run < self->places_count ? self->runs[event->run] : 0;
    return task ? task->run : 0;
}

static int s_take_events (dw_replay_t *self, const dw_record_t *record, dw_error_t *error) {
    const dw_watch_t *watch = self->watch;
    static const dw_sent_t none = {0};
    for (size_t i = 0; i < record->events_count; i++) {
        const dw_event_t *event = &record->events[i];
        int err = s_take (self, event, error);
        if (err)
            return err;
        bool is_answer = event->type >= DW_EVENT_TASK_DONE;
        dw_sent_t *task = is_answer ? s_answered (self, event) : NULL;
        if (watch->event)
            watch->event (watch->arg, &self->moment, event, s_run_of_event (self, event, task),
                          task ? task : &none);
        if (task)
            s_answer (self, event, task);
        else if (event->type == DW_EVENT_WORKER_LOST)
            s_forget_worker (self, event->worker);
    }
    return DW_OK;
}

/* ---- What comes out --------------------------------------------------------------------------- */

static bool s_has_run (const dw_command_t *command) {
    return command->type != DW_CANCEL_TASK && command->type != DW_REPLACE_WORKER;
}

static bool s_note_command (dw_replay_t *self, const dw_command_t *command) {
    switch ((dw_command_type_t) command->type) {
        case DW_SEND_TASK: return s_hold (self, command);
        case DW_CANCEL_TASK: {
            dw_sent_t *task = s_task (self, command->worker, command->ticket);
            if (task)
                task->run = 0;
            return true;
        }
        case DW_REPLACE_WORKER: s_forget_worker (self, command->worker); return true;
        case DW_FINISH_RUN:
            dw_scheduler_forget (self->scheduler, command->run);
            self->runs[command->run] = 0;
            return true;
        case DW_KEEP_OUTPUT:
        case DW_KEEP_ERROR:
        case DW_DROP_OUTPUT: return true;
    }
    return true;
}

static void s_tell_command (dw_replay_t *self, const dw_command_t *command) {
    const dw_watch_t *watch = self->watch;
    static const dw_sent_t none = {0};
    const dw_sent_t *task = command->type == DW_CANCEL_TASK
                                ? s_task (self, command->worker, command->ticket)
                                : NULL;
    uint64_t run = s_has_run (command) ? self->runs[command->run] : task ? task->run : 0;
    if (watch->command)
        watch->command (watch->arg, &self->moment, command, run, task ? task : &none);
}

/* What the scheduler has decided is compared, told and carried out. */
static int s_conclude (dw_replay_t *self, const dw_record_t *record, dw_error_t *error) {
    for (size_t i = 0; i < self->commands.count; i++)
        self->digest = dw_recording_command (self->digest, &self->commands.items[i]);
    if (dw_recording_told (self->digest) != record->digest)
        return s_differs (self, "the scheduler decides otherwise than was recorded", error);
    for (size_t i = 0; i < self->commands.count; i++)
        s_tell_command (self, &self->commands.items[i]);
    bool has_memory = true;
    for (size_t i = 0; i < self->commands.count; i++)
        has_memory &= s_note_command (self, &self->commands.items[i]);
    self->commands.count = 0;
    return has_memory ? DW_OK : dw_error_add (error, DW_ENOMEM, DW_NOWHERE, "out of memory");
}

static int s_step (dw_replay_t *self, const dw_record_t *record, dw_error_t *error) {
    int err = s_take_events (self, record, error);
    if (!err && dw_scheduler_step (self->scheduler, self->clock_ns + record->time_ns,
                                   record->events, record->events_count, &self->commands))
        err = dw_error_add (error, DW_ENOMEM, DW_NOWHERE, "out of memory");
    if (!err)
        err = s_conclude (self, record, error);
    if (!err)
        s_settle_workers (self, record);
    return err;
}

/* ---- Own work --------------------------------------------------------------------------------- */

typedef struct s_work_t {
    dw_replay_t *self;
    const dw_record_t *record;
    uint64_t task;
    size_t odd, lap;
    uint32_t lap_steps; /* that ran in this lap */
    int64_t lap_begin_ns;
    const char *wrong; /* what cannot have happened; NULL: nothing */
} s_work_t;

static int64_t s_now_ns (const s_work_t *work) {
    if (work->lap == work->record->laps_count)
        return work->lap_begin_ns;
    const dw_record_lap_t *lap = &work->record->laps[work->lap];
    double share = (double) work->lap_steps / lap->steps;
    return work->lap_begin_ns + (int64_t) (share * (double) lap->ns);
}

static void s_begin_lap (s_work_t *work) {
    if (work->lap < work->record->laps_count)
        work->lap_begin_ns += (int64_t) work->record->laps[work->lap].gap_ns;
    work->lap_steps = 0;
}

/* The scheduler hears of a lap that is over. */
static void s_end_lap (s_work_t *work) {
    const dw_record_lap_t *lap = &work->record->laps[work->lap++];
    dw_scheduler_timed (work->self->scheduler, lap->steps, lap->ns);
    work->lap_begin_ns += (int64_t) lap->ns;
    s_begin_lap (work);
}

/* So many steps of a task ran. */
static void s_run_steps (s_work_t *work, uint32_t steps) {
    size_t laps_count = work->record->laps_count - work->record->is_lap_behind;
    while (work->lap < laps_count &&
           work->record->laps[work->lap].steps - work->lap_steps <= steps) {
        steps -= work->record->laps[work->lap].steps - work->lap_steps;
        s_end_lap (work);
    }
    work->lap_steps += steps;
    if (work->lap < work->record->laps_count &&
        work->lap_steps > work->record->laps[work->lap].steps)
        work->wrong = "more steps ran than were timed";
}

/* What came of the task under way. */
static void s_set_outcome (s_work_t *work, dw_own_task_t *task) {
    const dw_record_t *record = work->record;
    task->done = task->steps;
    task->code = 0;
    task->handle = 0;
    if (work->odd == record->odds_count || record->odds[work->odd].task != work->task)
        return;
    const dw_record_odd_t *odd = &record->odds[work->odd++];
    if (odd->done > task->steps || (odd->code && odd->done == task->steps)) {
        work->wrong = "more steps of a task were done than it has";
        return;
    }
    task->done = odd->done;
    task->code = odd->code;
    task->handle = odd->handle;
}

static bool s_run_task (void *arg, dw_own_task_t *task) {
    s_work_t *work = arg;
    dw_replay_t *self = work->self;
    if (work->task == work->record->tasks)
        work->wrong = "the scheduler gives its own thread more tasks than were recorded";
    if (!work->wrong)
        s_set_outcome (work, task);
    if (work->wrong) {
        task->done = task->code = 0;
        task->handle = 0;
        return false;
    }
    self->digest = dw_recording_own (self->digest, task);
    self->moment.time_ns = s_now_ns (work);
    s_run_steps (work, task->done + (task->code > 0));
    if (self->watch->own && !work->wrong)
        self->watch->own (self->watch->arg, &self->moment, task, self->runs[task->run],
                          s_now_ns (work));
    work->task++;
    bool is_last = work->task == work->record->tasks;
    return !work->wrong && (!is_last || !work->record->is_by_time);
}

static int s_work (dw_replay_t *self, const dw_record_t *record, dw_error_t *error) {
    s_work_t work = {.self = self, .record = record, .lap_begin_ns = record->time_ns};
    if (self->local == DW_NONE)
        return s_differs (self, "the coordinator's thread works, and is no worker", error);
    s_begin_lap (&work);
    work.lap_steps = self->lap_steps; /* of a lap that began in earlier work */
    if (dw_scheduler_work (self->scheduler, s_run_task, &work, &self->commands))
        return dw_error_add (error, DW_ENOMEM, DW_NOWHERE, "out of memory");
    if (!work.wrong && work.task < record->tasks)
        work.wrong = "the scheduler gives its own thread fewer tasks than were recorded";
    if (!work.wrong && record->is_lap_behind && work.lap + 1 == record->laps_count &&
        work.lap_steps == record->laps[work.lap].steps)
        s_end_lap (&work);
    if (!work.wrong && (work.lap < record->laps_count || work.odd < record->odds_count))
        work.wrong = "more was timed than ran";
    if (work.wrong)
        return s_differs (self, work.wrong, error);
    self->lap_steps = work.lap_steps;
    self->moment.time_ns = work.lap_begin_ns;
    return s_conclude (self, record, error);
}

/* ---- A record --------------------------------------------------------------------------------- */

static int s_replay (dw_replay_t *self, const dw_record_t *record, dw_error_t *error) {
    switch (record->type) {
        case DW_RECORD_STEP: return s_step (self, record, error);
        case DW_RECORD_WORK: return s_work (self, record, error);
        case DW_RECORD_PLACE:
            if (record->worker >= self->workers_max)
                return s_differs (self, "there is no such worker", error);
            if (self->watch->place)
                self->watch->place (self->watch->arg, &self->moment, record->worker, record->text,
                                    record->text_size);
            return DW_OK;
        case DW_RECORD_END: return DW_OK;
    }
    return DW_OK;
}

int dw_replay_next (dw_replay_t *self, const dw_watch_t *watch, dw_error_t *error) {
    dw_record_t *record;
    if (self->failed)
        return self->failed;
    int err = dw_recording_next (self->recording, &record);
    if (err == DW_ENOMEM)
        dw_error_add (error, DW_ENOMEM, DW_NOWHERE, "out of memory");
    if (err)
        return err;
    self->watch = watch;
    self->moment.record++;
    self->moment.offset = record->offset;
    if (record->type == DW_RECORD_STEP || record->type == DW_RECORD_WORK)
        self->moment.time_ns = record->time_ns;
    self->failed = s_replay (self, record, error);
    if (!self->failed && watch->over)
        watch->over (watch->arg, &self->moment, record);
    return self->failed;
}
