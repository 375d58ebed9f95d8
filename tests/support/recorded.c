/* recorded.c - recordings made for tests. */

#include "tests/support/recorded.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dagwood.h"
#include "runtime/pack.h"
#include "runtime/recording_format.h"
#include "tests/support/simulator.h"

/* ---- A world ---------------------------------------------------------------------------------- */

typedef struct tape_t {
    dw_recorder_t recorder;
    dw_writer_t out;
    const recorded_change_t *change;
} tape_t;

static void s_begin (void *arg, const random_graph_t *graph, const dw_plan_t *plan,
                     const dw_scheduler_options_t *options) {
    tape_t *self = arg;
    dw_writer_t packed = {0};
    dw_graph_t *described = random_graph_build (graph);
    dw_trait_t traits[RANDOM_PROCESSORS];
    for (uint32_t kind = 0; kind < plan->kinds_count; kind++) {
        bool is_known = random_graph_trait (NULL, plan->kinds[kind], &traits[kind]);
        assert (is_known);
    }
    dw_pack_graph (described, &packed);
    dw_recording_header_t header = {.dagwood = dw_version (),
                                    .name = "world",
                                    .started_us = 1,
                                    .plan_digest = dw_plan_digest (plan),
                                    .options = *options,
                                    .cpus_count = 2,
                                    .kinds = plan->kinds,
                                    .traits = traits,
                                    .kinds_count = plan->kinds_count,
                                    .graph = packed.bytes,
                                    .graph_size = packed.count};
    dw_recorder_begin (&self->recorder, &header, 7, &self->out);
    dw_writer_free (&packed);
    dw_graph_destroy (&described);
}

static void s_step (void *arg, int64_t now_ns, const dw_event_t *events, size_t events_count,
                    const dw_commands_t *commands) {
    tape_t *self = arg;
    const recorded_change_t *change = self->change;
    dw_event_t *copy = calloc (events_count + 1, sizeof *copy);
    size_t count = 0;
    assert (copy);
    for (size_t i = 0; i < events_count; i++) {
        copy[count] = events[i];
        count += !change || !change->event || change->event (change->arg, &copy[count]);
    }
    now_ns = change && change->time ? change->time (change->arg, now_ns) : now_ns;
    dw_recorder_step (&self->recorder, now_ns, copy, count, commands, 0);
    free (copy);
    if (dw_recorder_waiting (&self->recorder) > 200) /* many small frames */
        dw_recorder_take (&self->recorder, &self->out);
}

static void s_work_begin (void *arg, int64_t now_ns) {
    tape_t *self = arg;
    const recorded_change_t *change = self->change;
    dw_recorder_work_begin (&self->recorder,
                            change && change->time ? change->time (change->arg, now_ns) : now_ns);
}

static void s_own (void *arg, const dw_own_task_t *task) {
    tape_t *self = arg;
    dw_recorder_own_task (&self->recorder, task);
}

static void s_timed (void *arg, uint32_t steps, uint64_t ns) {
    tape_t *self = arg;
    dw_recorder_lap (&self->recorder, steps, self->recorder.lap_ns, ns);
}

static void s_work_end (void *arg, bool is_by_time, const dw_commands_t *commands) {
    tape_t *self = arg;
    dw_recorder_work_end (&self->recorder, is_by_time, commands, 0);
}

uint8_t *recorded_world (uint64_t seed, const recorded_change_t *change, size_t *size_p) {
    tape_t self = {.change = change};
    simulator_counts_t counts = {0};
    char wrong[256];
    simulator_tap_t tap = {.arg = &self,
                           .begin = s_begin,
                           .step = s_step,
                           .work_begin = s_work_begin,
                           .own = s_own,
                           .timed = s_timed,
                           .work_end = s_work_end};
    bool held = simulator_run_tapped (seed, &counts, &tap, wrong, sizeof wrong);
    assert (held);
    dw_recorder_end (&self.recorder, DW_RECORD_CLOSED);
    dw_recorder_take (&self.recorder, &self.out);
    dw_recorder_free (&self.recorder);
    assert (!self.out.no_memory);
    *size_p = self.out.count;
    return self.out.bytes;
}

/* ---- A replay --------------------------------------------------------------------------------- */

typedef struct ear_t {
    uint64_t hash;
    const dw_watch_t *watch;
} ear_t;

static void s_hear (ear_t *self, uint64_t word) {
    self->hash = (self->hash ^ word) * UINT64_C (0x100000001b3);
    self->hash ^= self->hash >> 31;
}

static void s_on_event (void *arg, const dw_moment_t *moment, const dw_event_t *event, uint64_t run,
                        const dw_sent_t *sent) {
    ear_t *self = arg;
    s_hear (self, event->type | (uint64_t) moment->time_ns << 8);
    s_hear (self, run ^ event->ticket);
    if (self->watch && self->watch->event)
        self->watch->event (self->watch->arg, moment, event, run, sent);
}

static void s_on_command (void *arg, const dw_moment_t *moment, const dw_command_t *command,
                          uint64_t run, const dw_sent_t *sent) {
    ear_t *self = arg;
    s_hear (self, command->type | (uint64_t) command->node << 8);
    s_hear (self, run ^ command->ticket ^ (uint64_t) command->worker << 32);
    if (self->watch && self->watch->command)
        self->watch->command (self->watch->arg, moment, command, run, sent);
}

static void s_on_own (void *arg, const dw_moment_t *moment, const dw_own_task_t *task, uint64_t run,
                      int64_t end_ns) {
    ear_t *self = arg;
    s_hear (self, task->node | (uint64_t) task->done << 32);
    s_hear (self, run ^ (uint64_t) end_ns);
    if (self->watch && self->watch->own)
        self->watch->own (self->watch->arg, moment, task, run, end_ns);
}

static void s_on_over (void *arg, const dw_moment_t *moment, const dw_record_t *record) {
    const ear_t *self = arg;
    if (self->watch && self->watch->over)
        self->watch->over (self->watch->arg, moment, record);
}

replayed_t replayed_with (const uint8_t *bytes, size_t size,
                          void (*begin) (void *arg, dw_replay_t *replay), const dw_watch_t *watch,
                          void (*end) (void *arg, dw_replay_t *replay), void *arg) {
    replayed_t self = {0};
    ear_t ear = {.watch = watch};
    dw_watch_t listen = {.event = s_on_event,
                         .command = s_on_command,
                         .own = s_on_own,
                         .over = s_on_over,
                         .arg = &ear};
    uint8_t *copy = malloc (size + 1);
    dw_error_t *error = dw_error_new ();
    dw_recording_t *recording = NULL;
    dw_replay_t *replay = NULL;
    assert (copy && error);
    memcpy (copy, bytes, size);
    self.open_err = dw_recording_open (&recording, copy, size, "r", error);
    if (!self.open_err)
        self.open_err = dw_replay_new (&replay, recording, error);
    if (!self.open_err) {
        self.torn_size = dw_recording_torn (recording, &self.torn_offset);
        self.is_closed = dw_recording_is_closed (recording);
        if (begin)
            begin (arg, replay);
        while ((self.err = dw_replay_next (replay, &listen, error)) == DW_OK)
            self.records++;
        self.runs = dw_replay_runs_count (replay);
        if (end)
            end (arg, replay);
    }
    self.hash = ear.hash;
    if (dw_error_count (error))
        strncpy (self.message, dw_error_message (error, 0), sizeof self.message - 1);
    dw_replay_destroy (&replay);
    dw_recording_close (&recording);
    dw_error_destroy (&error);
    free (copy);
    return self;
}

replayed_t replayed (const uint8_t *bytes, size_t size) {
    return replayed_with (bytes, size, NULL, NULL, NULL, NULL);
}

uint8_t *recorded_file (const char *path, size_t *size_p) {
    FILE *file = fopen (path, "rb");
    uint8_t *bytes = malloc (1 << 20);
    assert (bytes);
    *size_p = file ? fread (bytes, 1, 1 << 20, file) : 0;
    if (file) {
        fclose (file);
        return bytes;
    }
    free (bytes);
    return NULL;
}

bool recorded_write (const char *path, const uint8_t *bytes, size_t size) {
    FILE *file = fopen (path, "wb");
    bool is_whole = file && fwrite (bytes, 1, size, file) == size;
    return file && !fclose (file) && is_whole;
}

void recorded_set_version (uint8_t *bytes, uint8_t version) {
    bytes[8] = version;
    uint64_t check = dw_recording_check (0, bytes, 24);
    memcpy (bytes + 24, &check, sizeof check);
}
