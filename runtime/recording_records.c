/* recording_records.c - records out of a recording's stream. */

#include <stdlib.h>
#include <string.h>

#include "runtime/recording_self.h"

#define CODE_BIN_8 0xc4
#define CODE_STR_8 0xd9

/* Reads a number. A stream that ends within one is another thing than one that has none there. */
static dw_recording_read_t s_number (dw_wire_reader_t *reader, uint64_t max, uint64_t *value_p) {
    size_t left = (size_t) (reader->end - reader->at);
    *value_p = 0;
    if (left == 0)
        return DW_READ_CUT;
    uint8_t code = *reader->at;
    if (code >= 0xcc && code <= 0xcf && left < 1 + (size_t) (1u << (code - 0xcc)))
        return DW_READ_CUT;
    *value_p = dw_read_uint (reader);
    return reader->is_damaged || *value_p > max ? DW_READ_WRONG : DW_READ_WHOLE;
}

/* The same for a text or bytes of at most max bytes, of which nothing is read yet; their codes with
 * a length of 1, 2 or 4 bytes are code and the two that follow. */
static dw_recording_read_t s_look_at_bytes (const dw_wire_reader_t *reader, uint8_t code,
                                            size_t max) {
    size_t left = (size_t) (reader->end - reader->at), head = 1, size = 0;
    if (left == 0)
        return DW_READ_CUT;
    uint8_t first = *reader->at;
    if (code == CODE_STR_8 && (first & 0xe0) == 0xa0)
        size = first & 0x1f;
    else if (first >= code && first <= code + 2)
        head += (size_t) 1 << (first - code);
    else
        return DW_READ_WRONG;
    if (left < head)
        return DW_READ_CUT;
    for (size_t i = 1; i < head; i++)
        size = size << 8 | reader->at[i];
    if (size > max)
        return DW_READ_WRONG;
    return left - head < size ? DW_READ_CUT : DW_READ_WHOLE;
}

static dw_recording_read_t s_u32_number (dw_wire_reader_t *reader, uint32_t *value_p) {
    uint64_t value = 0;
    dw_recording_read_t read = s_number (reader, UINT32_MAX, &value);
    *value_p = (uint32_t) value;
    return read;
}

/* Moves on in time. */
static dw_recording_read_t s_time (dw_recording_t *self, uint64_t *ns_p) {
    dw_recording_read_t read = s_number (&self->reader, DW_RECORDING_TIME_MAX, ns_p);
    if (read)
        return read;
    self->time_ns += (int64_t) *ns_p;
    return self->time_ns > DW_RECORDING_TIME_MAX ? DW_READ_WRONG : DW_READ_WHOLE;
}

/* Room for one more item in a growing array. */
static bool s_grow (void **items_p, size_t *size_p, size_t count, size_t item_size) {
    if (count < *size_p)
        return true;
    size_t size = *size_p ? 2 * *size_p : 64;
    void *items = realloc (*items_p, size * item_size);
    if (!items)
        return false;
    *items_p = items;
    *size_p = size;
    return true;
}

/* A new event of the record, zeros. */
static dw_event_t *s_new_event (dw_recording_t *self) {
    dw_record_t *record = &self->record;
    if (!s_grow ((void **) &record->events, &self->events_size, record->events_count,
                 sizeof *record->events))
        return NULL;
    return memset (&record->events[record->events_count++], 0, sizeof *record->events);
}

/* Where numbers end up is known when all are read: s_place_lists. */
static dw_recording_read_t s_read_list (dw_recording_t *self, dw_event_t *event,
                                        dw_recording_field_t field) {
    uint64_t count, number = 0;
    dw_recording_read_t read = s_number (&self->reader, UINT32_MAX, &count);
    for (uint64_t i = 0; i < count && !read; i++) {
        read = s_number (&self->reader, UINT32_MAX, &number);
        if (!s_grow ((void **) &self->numbers, &self->numbers_size, self->numbers_count,
                     sizeof *self->numbers))
            return DW_READ_MEMORY;
        self->numbers[self->numbers_count++] = (uint32_t) number;
    }
    uint32_t told = (uint32_t) (read ? 0 : count);
    memcpy ((char *) event + field.count_offset, &told, sizeof told);
    return read;
}

static void s_place_lists (dw_recording_t *self) {
    const uint32_t *at = self->numbers;
    for (size_t i = 0; i < self->record.events_count; i++) {
        dw_event_t *event = &self->record.events[i];
        for (int k = 0; k < DW_EVENT_FIELDS_MAX; k++) {
            dw_recording_field_t field = dw_recording_fields[event->type][k];
            uint32_t count;
            if (field.form != DW_FIELD_LIST)
                continue;
            memcpy (&count, (char *) event + field.count_offset, sizeof count);
            memcpy ((char *) event + field.offset, &at, sizeof at);
            if (count) /* where no event has any there are no numbers at all */
                at += count;
        }
    }
}

static dw_recording_read_t s_read_event (dw_recording_t *self, dw_event_type_t type) {
    const dw_recording_field_t *fields = dw_recording_fields[type];
    uint64_t mask, difference = 0;
    dw_event_t *event = s_new_event (self);
    dw_recording_read_t read = s_number (&self->reader, (1u << DW_EVENT_FIELDS_MAX) - 1, &mask);
    if (!event)
        return DW_READ_MEMORY;
    *event = dw_recording_foretell (&self->past, type);
    for (int k = 0; !read && mask >> k; k++) {
        if (!(mask >> k & 1))
            continue;
        if (fields[k].form == DW_FIELD_NONE)
            return DW_READ_WRONG; /* a field that is not known here */
        if (fields[k].form == DW_FIELD_LIST) {
            read = s_read_list (self, event, fields[k]);
            continue;
        }
        read = s_number (&self->reader, UINT64_MAX, &difference);
        uint64_t value = dw_recording_get (event, fields[k]) +
                         (difference >> 1 ^ (0 - (difference & 1)));
        if (!read && !dw_recording_set (event, fields[k], value))
            return DW_READ_WRONG;
    }
    if (!read)
        dw_recording_learn (&self->past, event);
    return read;
}

/* More answers, each as foretold. */
static dw_recording_read_t s_read_repeat (dw_recording_t *self) {
    uint64_t count;
    uint64_t left = DW_RECORDING_EVENTS_MAX - self->record.events_count;
    dw_recording_read_t read = s_number (&self->reader,
                                         left < self->alike_left ? left : self->alike_left, &count);
    if (!read && self->record.events_count == 0)
        return DW_READ_WRONG;
    self->alike_left -= read ? 0 : count;
    for (uint64_t i = 0; i < count && !read; i++) {
        dw_event_t *event = s_new_event (self);
        if (!event)
            return DW_READ_MEMORY;
        *event = dw_recording_foretell (&self->past, DW_EVENT_TASK_DONE);
        dw_recording_learn (&self->past, event);
    }
    return read;
}

static dw_recording_read_t s_read_step (dw_recording_t *self) {
    dw_record_t *record = &self->record;
    uint64_t code, ns;
    dw_recording_read_t read = s_time (self, &ns);
    record->time_ns = self->time_ns;
    dw_recording_begin_step (&self->past);
    while (!read && !(read = s_number (&self->reader, UINT8_MAX, &code)) && code != DW_EVENTS_END)
        if (code == DW_EVENTS_REPEAT)
            read = s_read_repeat (self);
        else if (code > DW_EVENT_TYPES || record->events_count == DW_RECORDING_EVENTS_MAX)
            read = DW_READ_WRONG;
        else
            read = s_read_event (self, (dw_event_type_t) (code - 1));
    s_place_lists (self);
    return read ? read : s_u32_number (&self->reader, &record->digest);
}

/* Time that passes within own work. */
static dw_recording_read_t s_lap_time (dw_recording_t *self, uint64_t *ns_p) {
    dw_recording_read_t read = s_number (&self->reader, DW_RECORDING_TIME_MAX, ns_p);
    if (read)
        return read;
    self->lap_ns += *ns_p;
    return self->lap_ns > DW_RECORDING_TIME_MAX ? DW_READ_WRONG : DW_READ_WHOLE;
}

static dw_recording_read_t s_read_lap (dw_recording_t *self, bool has_steps, uint64_t gap_ns) {
    dw_record_t *record = &self->record;
    dw_record_lap_t lap = {.gap_ns = gap_ns,
                           .steps = record->laps_count ? record->laps[record->laps_count - 1].steps
                                                       : 0};
    dw_recording_read_t read = has_steps ? s_u32_number (&self->reader, &lap.steps) : DW_READ_WHOLE;
    if (!read)
        read = s_lap_time (self, &lap.ns);
    if (!read && lap.steps == 0)
        return DW_READ_WRONG;
    if (!s_grow ((void **) &record->laps, &self->laps_size, record->laps_count,
                 sizeof *record->laps))
        return DW_READ_MEMORY;
    record->laps[record->laps_count++] = lap;
    return read;
}

static dw_recording_read_t s_read_odd (dw_recording_t *self) {
    dw_record_t *record = &self->record;
    dw_record_odd_t odd = {0};
    uint64_t since = 0, code = 0;
    uint64_t before = record->odds_count ? record->odds[record->odds_count - 1].task : 0;
    dw_recording_read_t read = s_number (&self->reader, UINT32_MAX, &since);
    if (!read)
        read = s_u32_number (&self->reader, &odd.done);
    if (!read)
        read = s_number (&self->reader, UINT16_MAX, &code);
    if (!read)
        read = s_u32_number (&self->reader, &odd.handle);
    if (read)
        return read;
    odd.task = before + since;
    odd.code = (uint16_t) code;
    if (record->odds_count && since == 0)
        return DW_READ_WRONG;
    if (!s_grow ((void **) &record->odds, &self->odds_size, record->odds_count,
                 sizeof *record->odds))
        return DW_READ_MEMORY;
    record->odds[record->odds_count++] = odd;
    return DW_READ_WHOLE;
}

static dw_recording_read_t s_read_work_end (dw_recording_t *self) {
    dw_record_t *record = &self->record;
    uint64_t flags = 0;
    dw_recording_read_t read = s_number (&self->reader, UINT64_MAX, &record->tasks);
    if (!read)
        read = s_number (&self->reader, DW_WORK_BY_TIME | DW_WORK_LAP_BEHIND, &flags);
    record->is_by_time = flags & DW_WORK_BY_TIME;
    record->is_lap_behind = flags & DW_WORK_LAP_BEHIND;
    if (!read && record->is_lap_behind && record->laps_count == 0)
        return DW_READ_WRONG;
    return read ? read : s_u32_number (&self->reader, &record->digest);
}

static dw_recording_read_t s_read_work (dw_recording_t *self) {
    uint64_t part, ns, gap_ns = 0;
    dw_recording_read_t read = s_time (self, &ns);
    self->record.time_ns = self->time_ns;
    self->lap_ns = 0;
    while (!read) {
        read = s_number (&self->reader, UINT8_MAX, &part);
        if (read)
            return read;
        switch ((dw_recording_work_t) part) {
            case DW_WORK_END: return s_read_work_end (self);
            case DW_WORK_LAP:
            case DW_WORK_LAPS:
                read = s_read_lap (self, part == DW_WORK_LAPS, gap_ns);
                gap_ns = 0;
                continue;
            case DW_WORK_GAP: read = s_lap_time (self, &gap_ns); continue;
            case DW_WORK_ODD: read = s_read_odd (self); continue;
        }
        return DW_READ_WRONG;
    }
    return read;
}

static dw_recording_read_t s_read_place (dw_recording_t *self) {
    dw_wire_reader_t *reader = &self->reader;
    dw_recording_read_t read = s_u32_number (reader, &self->record.worker);
    if (!read)
        read = s_look_at_bytes (reader, CODE_STR_8, DW_RECORDING_TEXT_MAX);
    if (!read)
        self->record.text = dw_read_str (reader, DW_RECORDING_TEXT_MAX, &self->record.text_size);
    return read;
}

static dw_recording_read_t s_read_added (dw_recording_t *self) {
    dw_wire_reader_t *reader = &self->reader;
    dw_recording_read_t read = s_look_at_bytes (reader, CODE_BIN_8, SIZE_MAX / 2);
    if (!read)
        self->record.bytes = dw_read_bin (reader, SIZE_MAX / 2, &self->record.bytes_size);
    return read;
}

static dw_recording_read_t s_read_end (dw_recording_t *self) {
    uint64_t reason = 0;
    dw_recording_read_t read = s_number (&self->reader, DW_RECORD_UNFIT, &reason);
    self->record.reason = (dw_record_end_t) reason;
    if (!read && dw_wire_reader_has_more (&self->reader))
        return DW_READ_WRONG;
    return read;
}

dw_recording_read_t dw_recording_read (dw_recording_t *self) {
    dw_record_t *record = &self->record;
    uint64_t tag;
    record->offset = dw_recording_offset (self, self->reader.at);
    record->events_count = record->laps_count = record->odds_count = self->numbers_count = 0;
    dw_recording_read_t read = s_number (&self->reader, UINT8_MAX, &tag);
    if (read)
        return read;
    switch ((dw_recording_tag_t) tag) {
        case DW_TAG_STEP: record->type = DW_RECORD_STEP; return s_read_step (self);
        case DW_TAG_WORK: record->type = DW_RECORD_WORK; return s_read_work (self);
        case DW_TAG_PLACE: record->type = DW_RECORD_PLACE; return s_read_place (self);
        case DW_TAG_END: record->type = DW_RECORD_END; return s_read_end (self);
        case DW_TAG_ADDED: record->type = DW_RECORD_ADDED; return s_read_added (self);
    }
    return DW_READ_WRONG;
}
