/* replay.c - feeds a recording to a fresh scheduler. */

#include "runtime/replay_self.h"

#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/core/error.h"
#include "runtime/pack.h"
#include "runtime/recording_format.h"

#define PLACES_BESIDES \
    65537u /* for workers, beside the plan's own: slots elsewhere, and the shell's thread */

/* ---- Made ------------------------------------------------------------------------------------- */

static int s_compare (const void *a, const void *b) {
    const dw_replay_kind_t *x = a, *y = b;
    return strcmp (x->name, y->name);
}

static bool s_trait (void *arg, const char *processor, dw_trait_t *trait_p) {
    const dw_replay_t *self = arg;
    dw_replay_kind_t key = {.name = processor};
    const dw_replay_kind_t *kind = self->kinds_count
                                       ? bsearch (&key, self->kinds, self->kinds_count,
                                                  sizeof *self->kinds, s_compare)
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

dw_plan_lookup_t dw_replay_lookup (dw_replay_t *self) {
    uint32_t cpus_count = dw_recording_header (self->recording)->cpus_count;
    return (dw_plan_lookup_t){.trait = s_trait,
                              .nearest = s_nearest,
                              .arg = self,
                              .cpus_count = cpus_count ? cpus_count : 1};
}

/* What is wrong with the graph is told as a message of the recording. */
static int s_make_plan (dw_replay_t *self, const dw_recording_header_t *header,
                        const dw_graph_t *graph, dw_error_t *error) {
    self->kinds = calloc (header->kinds_count + 1u, sizeof *self->kinds);
    if (!self->kinds)
        return dw_error_add (error, DW_ENOMEM, DW_NOWHERE, "out of memory");
    self->kinds_count = header->kinds_count;
    for (uint32_t i = 0; i < self->kinds_count; i++)
        self->kinds[i] = (dw_replay_kind_t){.name = header->kinds[i], .trait = header->traits[i]};
    qsort (self->kinds, self->kinds_count, sizeof *self->kinds, s_compare);
    dw_plan_lookup_t lookup = dw_replay_lookup (self);
    dw_error_t *problems = dw_error_new ();
    int err = dw_plan_new (&self->plan, graph, &lookup, problems);
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
    assert (self->plan); /* s_make_plan has made it, or has failed */
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
    dw_replay_free_added (self);
    free (self->kinds);
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

int dw_replay_differs (const dw_replay_t *self, const char *what, dw_error_t *error) {
    return dw_error_add (
        error, DW_EREFUSED, DW_NOWHERE, "record %" PRIu64 ", at byte %" PRIu64 " and %.3f ms: %s",
        self->moment.record, self->moment.offset, (double) self->moment.time_ns / 1e6, what);
}

/* ---- What workers hold ------------------------------------------------------------------------ */

static bool s_hold (dw_replay_t *self, const dw_command_t *command) {
    dw_replay_held_t *held = &self->workers[command->worker];
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
    dw_replay_held_t *held = &self->workers[worker];
    if (ticket < held->first || ticket >= held->next)
        return NULL;
    return &held->tasks[ticket & (held->size - 1)];
}

/* The task that an answer is for, by the scheduler's own rule: the first of its worker, from the
 * step that is next. NULL: none. */
static dw_sent_t *s_answered (dw_replay_t *self, const dw_event_t *event) {
    dw_sent_t *task = event->ticket == self->workers[event->worker].first
                          ? s_task (self, event->worker, event->ticket)
                          : NULL;
    return task && task->done == event->step ? task : NULL;
}

/* An answer was told: what it leaves of its task. */
static void s_answer (dw_replay_t *self, const dw_event_t *event, dw_sent_t *task) {
    bool is_part = event->type == DW_EVENT_TASK_DONE && !event->last && event->steps >= 1 &&
                   event->steps < task->steps + task->cut;
    /* A part of a task that nobody waits for any more does not end it, however many steps it tells
     * of. */
    if (event->type == DW_EVENT_TASK_DONE && !event->last && task->run == 0)
        is_part = true;
    if (!is_part) {
        self->workers[event->worker].first++;
        return;
    }
    task->done += event->steps;
    if (task->run == 0)
        return;
    uint32_t steps = event->steps < task->steps ? event->steps : task->steps;
    const dw_plan_t *plan = dw_replay_part (self, task->place).plan;
    for (uint32_t i = 0; i < steps; i++)
        task->node = plan->chain_next[task->node];
    task->steps -= steps;
    task->cut -= event->steps - steps;
}

/* Where answers and cancellations crossed within a step the scheduler has the last word. */
static void s_settle_workers (dw_replay_t *self, const dw_record_t *record) {
    for (size_t i = 0; i < record->events_count; i++) {
        const dw_event_t *event = &record->events[i];
        if (!dw_recording_is_answer ((dw_event_type_t) event->type))
            continue;
        dw_replay_held_t *held = &self->workers[event->worker];
        held->first = held->next - dw_scheduler_unanswered_count (self->scheduler, event->worker);
    }
}

static void s_forget_worker (dw_replay_t *self, uint32_t worker) {
    dw_replay_held_t *held = &self->workers[worker];
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
    dw_added_t **added = realloc (self->added, size * sizeof (dw_added_t *));
    if (!added)
        return false;
    memset (added + self->places_size, 0, (size - self->places_size) * sizeof (dw_added_t *));
    self->added = added;
    self->places_size = size;
    return true;
}

int dw_replay_take_place (dw_replay_t *self, uint32_t place, dw_error_t *error) {
    if (place > self->places_count ||
        place >= dw_recording_header (self->recording)->options.runs_max ||
        (place < self->places_count && (self->runs[place] || self->added[place])))
        return dw_replay_differs (self, "a run is submitted to a place that it cannot have", error);
    if (place < self->places_count)
        return DW_OK;
    if ((self->places_count + UINT64_C (1)) * self->plan->nodes_count > DW_REPLAY_STATES_MAX)
        return dw_error_add (error, DW_ENOMEM, DW_NOWHERE,
                             "record %" PRIu64 ": too many runs in flight of too many nodes to "
                             "be replayed (%" PRIu32 " and %" PRIu32 ")",
                             self->moment.record, self->places_count + 1, self->plan->nodes_count);
    if (self->places_count == self->places_size && !s_grow_places (self))
        return dw_error_add (error, DW_ENOMEM, DW_NOWHERE, "out of memory");
    self->places_count++;
    return DW_OK;
}

static int s_take_submitted (dw_replay_t *self, const dw_event_t *event, dw_error_t *error) {
    for (uint32_t i = 0; i < event->outputs_count; i++)
        if (event->outputs[i] >= self->plan->nodes_count)
            return dw_replay_differs (self, "a run asks for a node that there is not", error);
    int err = dw_replay_take_place (self, event->run, error);
    if (err)
        return err;
    self->runs[event->run] = ++self->runs_count;
    return DW_OK;
}

/* Whether the plan has all lanes of a set, which only a plan with demands has sets of. */
static bool s_has_lanes (const dw_replay_t *self, uint64_t lanes) {
    uint32_t count = self->plan->demands ? self->plan->lanes_count : 0;
    return count >= 64 || lanes >> count == 0;
}

static int s_take_joined (dw_replay_t *self, const dw_event_t *event, dw_error_t *error) {
    if (self->workers[event->worker].is_present || event->lane >= self->plan->lanes_count ||
        !s_has_lanes (self, event->lanes) || (event->local && self->local != DW_NONE))
        return dw_replay_differs (self, "a worker joins that cannot", error);
    self->workers[event->worker].is_present = true;
    if (event->local)
        self->local = event->worker;
    return DW_OK;
}

/* Checks what the scheduler is promised of an event, and notes what it changes. */
static int s_take (dw_replay_t *self, dw_event_t *event, dw_error_t *error) {
    switch ((dw_event_type_t) event->type) {
        case DW_EVENT_RUN_SUBMITTED: return s_take_submitted (self, event, error);
        case DW_EVENT_RUN_CANCELLED:  /* of any place; one without a run is ignored, */
        case DW_EVENT_NODE_CANCELLED: /* and a node that there is not */
        case DW_EVENT_LANES_UNSERVED: /* and any set */
        case DW_EVENT_BACKLOG: return DW_OK;
        case DW_EVENT_WORKER_JOINED:
        case DW_EVENT_WORKER_LOST:
        case DW_EVENT_TASK_DONE:
        case DW_EVENT_TASK_FAILED:
        case DW_EVENT_TASK_RETURNED:
        case DW_EVENT_TASK_SKIPPED:
        case DW_EVENT_TASK_ADDED: break;
    }
    if (event->worker >= self->workers_max)
        return dw_replay_differs (self, "there is no such worker", error);
    if (event->type == DW_EVENT_WORKER_JOINED)
        return s_take_joined (self, event, error);
    if (event->type == DW_EVENT_TASK_ADDED)
        return dw_replay_take_added (self, event, error);
    if (event->type == DW_EVENT_WORKER_LOST && event->worker == self->local)
        return dw_replay_differs (self, "the coordinator's own thread does not leave", error);
    return DW_OK;
}

static uint64_t s_run_of_event (const dw_replay_t *self, const dw_event_t *event,
                                const dw_sent_t *task) {
    if (event->type == DW_EVENT_RUN_SUBMITTED || event->type == DW_EVENT_RUN_CANCELLED ||
        event->type == DW_EVENT_NODE_CANCELLED)
        return event->run < self->places_count ? self->runs[event->run] : 0;
    return task ? task->run : 0;
}

static int s_take_events (dw_replay_t *self, const dw_record_t *record, dw_error_t *error) {
    const dw_watch_t *watch = self->watch;
    static const dw_sent_t none = {0};
    for (size_t i = 0; i < record->events_count; i++) {
        dw_event_t *event = &record->events[i];
        int err = s_take (self, event, error);
        if (err)
            return err;
        bool is_answer = dw_recording_is_answer ((dw_event_type_t) event->type);
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
            if (task && command->steps > task->done && command->steps - task->done < task->steps) {
                task->cut += task->steps - (command->steps - task->done);
                task->steps = command->steps - task->done;
            } else if (task)
                task->run = 0;
            return true;
        }
        case DW_REPLACE_WORKER: s_forget_worker (self, command->worker); return true;
        case DW_FINISH_RUN:
            dw_scheduler_forget (self->scheduler, command->run);
            self->runs[command->run] = 0;
            return true;
        case DW_END_ADDED: dw_replay_drop_added (self, command->place); return true;
        case DW_BEGIN_ADDED: /* which is known since it was told */
        case DW_KEEP_OUTPUT:
        case DW_KEEP_ERROR:
        case DW_KEEP_DEATH:
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
    if (command->type == DW_BEGIN_ADDED)
        self->runs[command->place] = run;
    if (watch->command)
        watch->command (watch->arg, &self->moment, command, run, task ? task : &none);
}

int dw_replay_conclude (dw_replay_t *self, const dw_record_t *record, dw_error_t *error) {
    for (size_t i = 0; i < self->commands.count; i++)
        self->digest = dw_recording_command (self->digest, &self->commands.items[i]);
    if (dw_recording_told (self->digest) != record->digest)
        return dw_replay_differs (self, "the scheduler decides otherwise than was recorded", error);
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
    if (!err && self->to_come_count > 0)
        err = dw_replay_differs (self, "a graph is told of that no task adds", error);
    if (!err && dw_scheduler_step (self->scheduler, self->clock_ns + record->time_ns,
                                   record->events, record->events_count, &self->commands))
        err = dw_error_add (error, DW_ENOMEM, DW_NOWHERE, "out of memory");
    if (!err)
        err = dw_replay_conclude (self, record, error);
    if (!err)
        s_settle_workers (self, record);
    for (size_t i = 0; i < record->events_count && !err; i++) /* whose graph did not begin */
        if (record->events[i].type == DW_EVENT_TASK_ADDED && !self->runs[record->events[i].run])
            dw_replay_drop_added (self, record->events[i].run);
    return err;
}

/* ---- A record --------------------------------------------------------------------------------- */

static int s_replay (dw_replay_t *self, const dw_record_t *record, dw_error_t *error) {
    switch (record->type) {
        case DW_RECORD_STEP: return s_step (self, record, error);
        case DW_RECORD_WORK: return dw_replay_work (self, record, error);
        case DW_RECORD_PLACE:
            if (record->worker >= self->workers_max)
                return dw_replay_differs (self, "there is no such worker", error);
            if (self->watch->place)
                self->watch->place (self->watch->arg, &self->moment, record->worker, record->text,
                                    record->text_size);
            return DW_OK;
        case DW_RECORD_ADDED: return dw_replay_added (self, record, error);
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
