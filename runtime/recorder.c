/* recorder.c - writes a recording. */

#include "runtime/recorder.h"

#include <endian.h>
#include <string.h>

static uint64_t s_zigzag (uint64_t difference) {
    return difference << 1 ^ (0 - (difference >> 63));
}

/* ---- Frames ----------------------------------------------------------------------------------- */

static void s_put_u32 (uint8_t *at, uint32_t value) {
    value = htole32 (value);
    memcpy (at, &value, sizeof value);
}

static void s_put_u64 (uint8_t *at, uint64_t value) {
    value = htole64 (value);
    memcpy (at, &value, sizeof value);
}

static void s_write_preamble (dw_recorder_t *self, dw_writer_t *out) {
    uint8_t *at = dw_writer_room (out, DW_RECORDING_PREAMBLE_SIZE);
    if (!at)
        return;
    memcpy (at, DW_RECORDING_MAGIC, DW_RECORDING_MAGIC_SIZE);
    s_put_u32 (at + 8, DW_RECORDING_VERSION);
    s_put_u32 (at + 12, 0);
    s_put_u64 (at + 16, self->salt);
    s_put_u64 (at + 24, dw_recording_check (0, at, 24));
    out->count += DW_RECORDING_PREAMBLE_SIZE;
    self->offset = DW_RECORDING_PREAMBLE_SIZE;
}

static void s_write_frame (dw_recorder_t *self, const uint8_t *bytes, uint32_t size,
                           dw_writer_t *out) {
    uint8_t *at = dw_writer_room (out, DW_FRAME_HEAD_SIZE + (size_t) size);
    if (!at)
        return;
    s_put_u32 (at, DW_FRAME_MARKER);
    s_put_u32 (at + 4, size);
    s_put_u64 (at + 8, dw_recording_check (dw_recording_seed (self->salt, self->offset, size),
                                           bytes, size));
    memcpy (at + DW_FRAME_HEAD_SIZE, bytes, size);
    out->count += DW_FRAME_HEAD_SIZE + (size_t) size;
    self->offset += DW_FRAME_HEAD_SIZE + (size_t) size;
}

void dw_recorder_take (dw_recorder_t *self, dw_writer_t *out) {
    for (size_t at = 0; at < self->stream.count && !out->no_memory;) {
        size_t left = self->stream.count - at;
        uint32_t size = left < DW_FRAME_BYTES_MAX ? (uint32_t) left : DW_FRAME_BYTES_MAX;
        s_write_frame (self, self->stream.bytes + at, size, out);
        at += size;
    }
    self->is_over |= self->stream.no_memory;
    dw_writer_clear (&self->stream);
}

/* ---- Header ----------------------------------------------------------------------------------- */

void dw_recorder_begin (dw_recorder_t *self, const dw_recording_header_t *header, uint64_t salt,
                        dw_writer_t *out) {
    *self = (dw_recorder_t){.salt = salt, .time_ns = header->clock_ns};
    dw_writer_t *stream = &self->stream;
    s_write_preamble (self, out);
    dw_write_str (stream, header->dagwood, strlen (header->dagwood));
    dw_write_str (stream, header->name, strlen (header->name));
    dw_write_uint (stream, (uint64_t) header->started_us);
    dw_write_uint (stream, (uint64_t) header->clock_ns);
    dw_write_uint (stream, header->plan_digest);
    dw_write_uint (stream, header->options.runs_max);
    dw_write_uint (stream, header->options.workers_max);
    dw_write_uint (stream, header->options.is_open);
    dw_write_uint (stream, (uint64_t) header->options.grace_ns);
    dw_write_uint (stream, header->options.seed);
    dw_write_uint (stream, header->cpus_count);
    dw_write_array (stream, header->kinds_count);
    for (uint32_t kind = 0; kind < header->kinds_count; kind++) {
        dw_write_str (stream, header->kinds[kind], strlen (header->kinds[kind]));
        dw_write_uint (stream, header->traits[kind].intent);
        dw_write_promises (stream, &header->traits[kind]);
    }
    dw_write_bin (stream, header->graph, header->graph_size);
    dw_recorder_take (self, out);
}

void dw_recorder_free (dw_recorder_t *self) {
    dw_writer_free (&self->stream);
}

/* ---- Steps ------------------------------------------------------------------------------------ */

static void s_write_time (dw_recorder_t *self, int64_t now_ns) {
    dw_write_uint (&self->stream, (uint64_t) (now_ns - self->time_ns));
    self->time_ns = now_ns;
}

static void s_write_list (dw_writer_t *stream, const dw_event_t *event,
                          dw_recording_field_t field) {
    const uint32_t *numbers;
    uint32_t count;
    memcpy (&numbers, (const char *) event + field.offset, sizeof numbers);
    memcpy (&count, (const char *) event + field.count_offset, sizeof count);
    dw_write_uint (stream, count);
    for (uint32_t i = 0; i < count; i++)
        dw_write_uint (stream, numbers[i]);
}

static bool s_has_list (const dw_event_t *event, dw_recording_field_t field) {
    uint32_t count;
    memcpy (&count, (const char *) event + field.count_offset, sizeof count);
    return count > 0;
}

static void s_write_event (dw_recorder_t *self, const dw_event_t *event) {
    const dw_recording_field_t *fields = dw_recording_fields[event->type];
    dw_event_t foretold = dw_recording_foretell (&self->past, (dw_event_type_t) event->type);
    uint32_t mask = 0;
    for (int k = 0; k < DW_EVENT_FIELDS_MAX && fields[k].form; k++) {
        bool differs = fields[k].form == DW_FIELD_LIST
                           ? s_has_list (event, fields[k])
                           : dw_recording_get (event, fields[k]) !=
                                 dw_recording_get (&foretold, fields[k]);
        mask |= (uint32_t) differs << k;
    }
    dw_write_uint (&self->stream, 1u + event->type);
    dw_write_uint (&self->stream, mask);
    for (int k = 0; mask >> k; k++) {
        if (!(mask >> k & 1))
            continue;
        if (fields[k].form == DW_FIELD_LIST)
            s_write_list (&self->stream, event, fields[k]);
        else
            dw_write_uint (&self->stream, s_zigzag (dw_recording_get (event, fields[k]) -
                                                    dw_recording_get (&foretold, fields[k])));
    }
    dw_recording_learn (&self->past, event);
}

static bool s_is_same (const void *a, const void *b, size_t size) {
    return memcmp (a, b, size) == 0;
}

/* How many of the events are as foretold by the one before: answers for whole tasks that a worker
 * ran one after another, timed together. Most are. Bytes that no field covers are zeros in all of
 * them, and where they were not, nothing would be lost but the saving. */
static size_t s_count_alike (dw_recorder_t *self, const dw_event_t *events, size_t count) {
    dw_event_t next = events[-1];
    size_t alike = 0;
    if (next.type != DW_EVENT_TASK_DONE || !next.last || next.step != 0)
        return 0;
    for (; alike < count; alike++) {
        next.ticket++;
        next.handle += next.steps;
        if (!s_is_same (&next, &events[alike], sizeof next))
            break;
    }
    if (alike)
        dw_recording_learn (&self->past, &events[alike - 1]);
    return alike;
}

static void s_write_digest (dw_recorder_t *self, const dw_commands_t *commands, size_t first) {
    uint64_t digest = self->digest;
    for (size_t i = first; i < commands->count; i++)
        digest = dw_recording_command (digest, &commands->items[i]);
    self->digest = digest;
    dw_write_uint (&self->stream, dw_recording_told (digest));
}

/* The graphs that a step's events add. */
static void s_write_added (dw_writer_t *stream, const dw_event_t *events, size_t events_count) {
    for (size_t i = 0; i < events_count; i++) {
        if (events[i].type != DW_EVENT_TASK_ADDED)
            continue;
        dw_write_uint (stream, DW_TAG_ADDED);
        dw_write_bin (stream, events[i].added->bytes, events[i].added->bytes_size);
    }
}

void dw_recorder_step (dw_recorder_t *self, int64_t now_ns, const dw_event_t *events,
                       size_t events_count, const dw_commands_t *commands, size_t first) {
    if (self->is_over)
        return;
    if (events_count > DW_RECORDING_EVENTS_MAX) {
        dw_recorder_end (self, DW_RECORD_UNFIT);
        return;
    }
    s_write_added (&self->stream, events, events_count);
    dw_write_uint (&self->stream, DW_TAG_STEP);
    s_write_time (self, now_ns);
    dw_recording_begin_step (&self->past);
    for (size_t i = 0; i < events_count;) {
        s_write_event (self, &events[i++]);
        size_t alike = s_count_alike (self, &events[i], events_count - i);
        if (alike) {
            dw_write_uint (&self->stream, DW_EVENTS_REPEAT);
            dw_write_uint (&self->stream, alike);
            i += alike;
        }
    }
    dw_write_uint (&self->stream, DW_EVENTS_END);
    s_write_digest (self, commands, first);
}

/* ---- Own work --------------------------------------------------------------------------------- */

void dw_recorder_work_begin (dw_recorder_t *self, int64_t now_ns) {
    if (self->is_over)
        return;
    self->own_tasks = self->own_odd = 0;
    self->lap_steps = 0;
    self->lap_ns = now_ns;
    self->lap_task = UINT64_MAX;
    dw_write_uint (&self->stream, DW_TAG_WORK);
    s_write_time (self, now_ns);
}

void dw_recorder_odd_task (dw_recorder_t *self, const dw_own_task_t *task) {
    if (self->is_over)
        return;
    dw_write_uint (&self->stream, DW_WORK_ODD);
    dw_write_uint (&self->stream, self->own_tasks - self->own_odd);
    dw_write_uint (&self->stream, task->done);
    dw_write_uint (&self->stream, task->is_skipped ? DW_WORK_SKIPPED : task->code);
    dw_write_uint (&self->stream, task->is_skipped ? 0 : task->handle);
    self->own_odd = self->own_tasks;
}

void dw_recorder_lap (dw_recorder_t *self, uint32_t steps, int64_t since_ns, uint64_t ns) {
    if (self->is_over)
        return;
    if (since_ns > self->lap_ns) {
        dw_write_uint (&self->stream, DW_WORK_GAP);
        dw_write_uint (&self->stream, (uint64_t) (since_ns - self->lap_ns));
    }
    dw_write_uint (&self->stream, steps == self->lap_steps ? DW_WORK_LAP : DW_WORK_LAPS);
    if (steps != self->lap_steps)
        dw_write_uint (&self->stream, steps);
    dw_write_uint (&self->stream, ns);
    self->lap_steps = steps;
    self->lap_ns = since_ns + (int64_t) ns;
    self->lap_task = self->own_tasks;
}

void dw_recorder_work_end (dw_recorder_t *self, bool is_by_time, const dw_commands_t *commands,
                           size_t first) {
    if (self->is_over)
        return;
    dw_write_uint (&self->stream, DW_WORK_END);
    dw_write_uint (&self->stream, self->own_tasks);
    bool is_lap_behind = self->lap_task ==
                         self->own_tasks; /* else within the last task, or before it */
    dw_write_uint (&self->stream,
                   (is_by_time ? DW_WORK_BY_TIME : 0) | (is_lap_behind ? DW_WORK_LAP_BEHIND : 0));
    s_write_digest (self, commands, first);
}

/* ---- Besides ---------------------------------------------------------------------------------- */

void dw_recorder_place (dw_recorder_t *self, uint32_t worker, const char *text) {
    size_t size = strlen (text);
    if (self->is_over)
        return;
    dw_write_uint (&self->stream, DW_TAG_PLACE);
    dw_write_uint (&self->stream, worker);
    dw_write_str (&self->stream, text, size < DW_RECORDING_TEXT_MAX ? size : DW_RECORDING_TEXT_MAX);
}

void dw_recorder_end (dw_recorder_t *self, dw_record_end_t reason) {
    if (self->is_over)
        return;
    dw_write_uint (&self->stream, DW_TAG_END);
    dw_write_uint (&self->stream, reason);
    self->is_over = true;
}
