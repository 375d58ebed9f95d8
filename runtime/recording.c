/* recording.c - reads a recording. */

#include <endian.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/core/error.h"
#include "runtime/recording_format.h"

#define TIME_MAX (INT64_MAX / 4) /* of a recording, so that no sum of times overflows */
#define ALIKE_PER_BYTE \
    1024u /* events that are only counted, of all bytes; a worker takes 4,096 tasks at a time */
#define SCAN_BYTES_MAX \
    (64u << 20) /* that are checked to see whether anything whole follows damage */

/* Bytes of the stream from `from` on lie in the file from `offset` on. */
typedef struct s_piece_t {
    uint64_t from, offset;
} s_piece_t;

struct dw_recording_t {
    const char *file;
    const uint8_t *stream, *end;
    s_piece_t *pieces;
    size_t pieces_count, pieces_size;
    uint64_t torn_offset, torn_size;
    bool is_closed, is_cut; /* an END was read; or the last record is not whole */
    uint64_t salt;

    dw_recording_header_t header;
    char *dagwood, *name;
    char **kinds;
    dw_trait_t *traits;

    const uint8_t *first; /* record */
    dw_wire_reader_t reader;
    dw_recording_past_t past;
    int64_t time_ns;
    bool is_over;
    uint64_t lap_ns;     /* of the record's laps and gaps together */
    uint64_t alike_left; /* events that may still be told of by a count */
    dw_record_t record;
    size_t events_size, laps_size, odds_size;
    uint32_t *numbers; /* of the lists of a record's events */
    size_t numbers_count, numbers_size;
};

static uint32_t s_u32 (const uint8_t *at) {
    uint32_t value;
    memcpy (&value, at, sizeof value);
    return le32toh (value);
}

static uint64_t s_u64 (const uint8_t *at) {
    uint64_t value;
    memcpy (&value, at, sizeof value);
    return le64toh (value);
}

static dw_place_t s_place (const dw_recording_t *self) {
    return (dw_place_t){.file = self->file};
}

/* ---- Frames ----------------------------------------------------------------------------------- */

/* Whether a whole frame begins at offset; *size_p its bytes. */
static bool s_is_frame (const dw_recording_t *self, const uint8_t *bytes, size_t size,
                        size_t offset, uint32_t *size_p) {
    if (size - offset < DW_FRAME_HEAD_SIZE || s_u32 (bytes + offset) != DW_FRAME_MARKER)
        return false;
    *size_p = s_u32 (bytes + offset + 4);
    if (*size_p > DW_FRAME_BYTES_MAX || *size_p > size - offset - DW_FRAME_HEAD_SIZE)
        return false;
    uint64_t seed = dw_recording_seed (self->salt, offset, *size_p);
    return dw_recording_check (seed, bytes + offset + DW_FRAME_HEAD_SIZE, *size_p) ==
           s_u64 (bytes + offset + 8);
}

/* Whether anything whole follows what is not. The search is given up where bytes look so much like
 * frames that nobody can have written them by accident: then something follows, too. */
static bool s_is_followed (const dw_recording_t *self, const uint8_t *bytes, size_t size,
                           size_t offset) {
    uint64_t checked = 0;
    for (size_t at = offset + 1; at + DW_FRAME_HEAD_SIZE <= size; at++) {
        uint32_t frame_size;
        if (s_u32 (bytes + at) != DW_FRAME_MARKER)
            continue;
        if (s_is_frame (self, bytes, size, at, &frame_size) || checked > SCAN_BYTES_MAX)
            return true;
        checked += DW_FRAME_BYTES_MAX;
    }
    return false;
}

static bool s_add_piece (dw_recording_t *self, uint64_t from, uint64_t offset) {
    if (self->pieces_count == self->pieces_size) {
        size_t size = self->pieces_size ? 2 * self->pieces_size : 16;
        s_piece_t *pieces = realloc (self->pieces, size * sizeof *pieces);
        if (!pieces)
            return false;
        self->pieces = pieces;
        self->pieces_size = size;
    }
    self->pieces[self->pieces_count++] = (s_piece_t){.from = from, .offset = offset};
    return true;
}

/* Where in the file a place of the stream is. */
static uint64_t s_offset (const dw_recording_t *self, const uint8_t *at) {
    uint64_t from = (uint64_t) (at - self->stream);
    size_t low = 0, high = self->pieces_count;
    while (high - low > 1) {
        size_t middle = low + (high - low) / 2;
        if (self->pieces[middle].from <= from)
            low = middle;
        else
            high = middle;
    }
    return self->pieces[low].offset + (from - self->pieces[low].from);
}

static int s_damaged (const dw_recording_t *self, uint64_t offset, const char *what,
                      dw_error_t *error) {
    return dw_error_add (error, DW_EPROTOCOL, s_place (self),
                         "the recording is damaged at byte %" PRIu64 ": %s", offset, what);
}

static int s_read_preamble (dw_recording_t *self, const uint8_t *bytes, size_t size,
                            dw_error_t *error) {
    if (size < DW_RECORDING_MAGIC_SIZE ||
        memcmp (bytes, DW_RECORDING_MAGIC, DW_RECORDING_MAGIC_SIZE) != 0)
        return dw_error_add (error, DW_EPROTOCOL, s_place (self),
                             "this is no recording of dagwood: it does not begin as one (byte 0)");
    if (size < DW_RECORDING_PREAMBLE_SIZE)
        return s_damaged (self, size, "it ends within its first 32 bytes", error);
    if (dw_recording_check (0, bytes, 24) != s_u64 (bytes + 24))
        return s_damaged (self, 0, "its first 32 bytes are not as they were written", error);
    uint32_t version = s_u32 (bytes + 8);
    if (version == 0 || version > DW_RECORDING_VERSION)
        return dw_error_add (error, DW_EPROTOCOL, s_place (self),
                             "the recording has version %" PRIu32
                             " (byte 8), and this dagwood reads versions up to %u: "
                             "use the dagwood that wrote it, or a later one",
                             version, DW_RECORDING_VERSION);
    self->salt = s_u64 (bytes + 16);
    return DW_OK;
}

/* Moves the bytes of all frames together, which are then the stream. */
static int s_read_frames (dw_recording_t *self, uint8_t *bytes, size_t size, dw_error_t *error) {
    size_t offset = DW_RECORDING_PREAMBLE_SIZE, count = DW_RECORDING_PREAMBLE_SIZE;
    uint32_t frame_size;
    self->stream = bytes + count;
    while (offset < size && s_is_frame (self, bytes, size, offset, &frame_size)) {
        if (!s_add_piece (self, count - DW_RECORDING_PREAMBLE_SIZE, offset + DW_FRAME_HEAD_SIZE))
            return dw_error_add (error, DW_ENOMEM, s_place (self), "out of memory");
        memmove (bytes + count, bytes + offset + DW_FRAME_HEAD_SIZE, frame_size);
        count += frame_size;
        offset += DW_FRAME_HEAD_SIZE + (size_t) frame_size;
    }
    self->end = bytes + count;
    if (offset == size)
        return DW_OK;
    if (s_is_followed (self, bytes, size, offset))
        return s_damaged (self, offset, "what is there was not written so, and more follows it",
                          error);
    self->torn_offset = offset;
    self->torn_size = size - offset;
    return DW_OK;
}

/* ---- Header ----------------------------------------------------------------------------------- */

static char *s_read_text (dw_wire_reader_t *reader) {
    size_t size;
    const char *text = dw_read_str (reader, DW_RECORDING_TEXT_MAX, &size);
    if (text && !memchr (text, 0, size))
        return strndup (text, size);
    reader->is_damaged = true;
    return NULL;
}

static bool s_read_kinds (dw_recording_t *self, dw_wire_reader_t *reader) {
    uint32_t count = dw_read_array (reader);
    self->kinds = calloc (count + 1u, sizeof *self->kinds);
    self->traits = calloc (count + 1u, sizeof *self->traits);
    if (!self->kinds || !self->traits)
        return false;
    for (; self->header.kinds_count < count && !reader->is_damaged; self->header.kinds_count++) {
        dw_trait_t *trait = &self->traits[self->header.kinds_count];
        self->kinds[self->header.kinds_count] = s_read_text (reader);
        trait->intent = dw_read_uint_max (reader, DW_ANALYZE) == DW_ANALYZE ? DW_ANALYZE
                                                                            : DW_TRANSFORM;
        trait->brief = dw_read_uint_max (reader, 1);
        trait->payload_only = dw_read_uint_max (reader, 1);
    }
    return true;
}

static int s_read_header (dw_recording_t *self, dw_error_t *error) {
    dw_wire_reader_t *reader = &self->reader;
    dw_recording_header_t *header = &self->header;
    *reader = dw_wire_reader (self->stream, (size_t) (self->end - self->stream));
    self->dagwood = s_read_text (reader);
    self->name = s_read_text (reader);
    header->started_us = (int64_t) (dw_read_uint (reader) & INT64_MAX);
    header->clock_ns = (int64_t) (dw_read_uint (reader) & INT64_MAX);
    header->plan_digest = dw_read_uint (reader);
    header->options.runs_max = dw_read_uint_max (reader, 1u << 24);
    header->options.workers_max = dw_read_uint_max (reader, 1u << 24);
    header->options.is_open = dw_read_uint_max (reader, 1);
    header->options.grace_ns = (int64_t) dw_read_uint (reader);
    header->options.seed = dw_read_uint (reader);
    header->cpus_count = dw_read_uint_max (reader, UINT32_MAX);
    if (!s_read_kinds (self, reader))
        return dw_error_add (error, DW_ENOMEM, s_place (self), "out of memory");
    header->graph = dw_read_bin (reader, SIZE_MAX / 2, &header->graph_size);
    if (reader->is_damaged || !header->graph || header->options.grace_ns < 0 ||
        header->options.grace_ns > TIME_MAX || header->clock_ns > TIME_MAX)
        return s_damaged (self, DW_RECORDING_PREAMBLE_SIZE,
                          "its header is not whole, so nothing of it can be replayed", error);
    header->dagwood = self->dagwood;
    header->name = self->name;
    header->kinds = (const char *const *) self->kinds;
    header->traits = self->traits;
    self->first = reader->at;
    return DW_OK;
}

/* ---- Records ---------------------------------------------------------------------------------- */

/* What became of reading one thing. */
typedef enum s_read_t {
    S_WHOLE,
    S_CUT,    /* the stream ends within it */
    S_WRONG,  /* no recorder writes this */
    S_MEMORY, /* there is none */
} s_read_t;

/* Reads a number. A stream that ends within one is another thing than one that has none there. */
static s_read_t s_number (dw_wire_reader_t *reader, uint64_t max, uint64_t *value_p) {
    size_t left = (size_t) (reader->end - reader->at);
    if (left == 0)
        return S_CUT;
    uint8_t code = *reader->at;
    if (code >= 0xcc && code <= 0xcf && left < 1 + (size_t) (1u << (code - 0xcc)))
        return S_CUT;
    *value_p = dw_read_uint (reader);
    return reader->is_damaged || *value_p > max ? S_WRONG : S_WHOLE;
}

static s_read_t s_u32_number (dw_wire_reader_t *reader, uint32_t *value_p) {
    uint64_t value = 0;
    s_read_t read = s_number (reader, UINT32_MAX, &value);
    *value_p = (uint32_t) value;
    return read;
}

/* Moves on in time. */
static s_read_t s_time (dw_recording_t *self, uint64_t *ns_p) {
    s_read_t read = s_number (&self->reader, TIME_MAX, ns_p);
    if (read)
        return read;
    self->time_ns += (int64_t) *ns_p;
    return self->time_ns > TIME_MAX ? S_WRONG : S_WHOLE;
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
static s_read_t s_read_list (dw_recording_t *self, dw_event_t *event, dw_recording_field_t field) {
    uint64_t count, number = 0;
    s_read_t read = s_number (&self->reader, UINT32_MAX, &count);
    for (uint64_t i = 0; i < count && !read; i++) {
        read = s_number (&self->reader, UINT32_MAX, &number);
        if (!s_grow ((void **) &self->numbers, &self->numbers_size, self->numbers_count,
                     sizeof *self->numbers))
            return S_MEMORY;
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
            at += count;
        }
    }
}

static s_read_t s_read_event (dw_recording_t *self, dw_event_type_t type) {
    const dw_recording_field_t *fields = dw_recording_fields[type];
    uint64_t mask, difference = 0;
    dw_event_t *event = s_new_event (self);
    s_read_t read = s_number (&self->reader, (1u << DW_EVENT_FIELDS_MAX) - 1, &mask);
    if (!event)
        return S_MEMORY;
    *event = dw_recording_foretell (&self->past, type);
    for (int k = 0; !read && mask >> k; k++) {
        if (!(mask >> k & 1))
            continue;
        if (fields[k].form == DW_FIELD_NONE)
            return S_WRONG; /* a field that is not known here */
        if (fields[k].form == DW_FIELD_LIST) {
            read = s_read_list (self, event, fields[k]);
            continue;
        }
        read = s_number (&self->reader, UINT64_MAX, &difference);
        uint64_t value = dw_recording_get (event, fields[k]) +
                         (difference >> 1 ^ (0 - (difference & 1)));
        if (!read && !dw_recording_set (event, fields[k], value))
            return S_WRONG;
    }
    if (!read)
        dw_recording_learn (&self->past, event);
    return read;
}

/* More answers, each as foretold. */
static s_read_t s_read_repeat (dw_recording_t *self) {
    uint64_t count;
    uint64_t left = DW_RECORDING_EVENTS_MAX - self->record.events_count;
    s_read_t read = s_number (&self->reader, left < self->alike_left ? left : self->alike_left,
                              &count);
    if (!read && self->record.events_count == 0)
        return S_WRONG;
    self->alike_left -= read ? 0 : count;
    for (uint64_t i = 0; i < count && !read; i++) {
        dw_event_t *event = s_new_event (self);
        if (!event)
            return S_MEMORY;
        *event = dw_recording_foretell (&self->past, DW_EVENT_TASK_DONE);
        dw_recording_learn (&self->past, event);
    }
    return read;
}

static s_read_t s_read_step (dw_recording_t *self) {
    dw_record_t *record = &self->record;
    uint64_t code, ns;
    s_read_t read = s_time (self, &ns);
    record->time_ns = self->time_ns;
    dw_recording_begin_step (&self->past);
    while (!read && !(read = s_number (&self->reader, UINT8_MAX, &code)) && code != DW_EVENTS_END) {
        if (code == DW_EVENTS_REPEAT)
            read = s_read_repeat (self);
        else if (code > DW_EVENT_TYPES || record->events_count == DW_RECORDING_EVENTS_MAX)
            read = S_WRONG;
        else
            read = s_read_event (self, (dw_event_type_t) (code - 1));
    }
    s_place_lists (self);
    return read ? read : s_u32_number (&self->reader, &record->digest);
}

/* Time that passes within own work. */
static s_read_t s_lap_time (dw_recording_t *self, uint64_t *ns_p) {
    s_read_t read = s_number (&self->reader, TIME_MAX, ns_p);
    if (read)
        return read;
    self->lap_ns += *ns_p;
    return self->lap_ns > TIME_MAX ? S_WRONG : S_WHOLE;
}

static s_read_t s_read_lap (dw_recording_t *self, bool has_steps, uint64_t gap_ns) {
    dw_record_t *record = &self->record;
    dw_record_lap_t lap = {.gap_ns = gap_ns,
                           .steps = record->laps_count ? record->laps[record->laps_count - 1].steps
                                                       : 0};
    s_read_t read = has_steps ? s_u32_number (&self->reader, &lap.steps) : S_WHOLE;
    if (!read)
        read = s_lap_time (self, &lap.ns);
    if (!read && lap.steps == 0)
        return S_WRONG;
    if (!s_grow ((void **) &record->laps, &self->laps_size, record->laps_count,
                 sizeof *record->laps))
        return S_MEMORY;
    record->laps[record->laps_count++] = lap;
    return read;
}

static s_read_t s_read_odd (dw_recording_t *self) {
    dw_record_t *record = &self->record;
    dw_record_odd_t odd = {0};
    uint64_t since = 0, code = 0;
    uint64_t before = record->odds_count ? record->odds[record->odds_count - 1].task : 0;
    s_read_t read = s_number (&self->reader, UINT32_MAX, &since);
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
        return S_WRONG;
    if (!s_grow ((void **) &record->odds, &self->odds_size, record->odds_count,
                 sizeof *record->odds))
        return S_MEMORY;
    record->odds[record->odds_count++] = odd;
    return S_WHOLE;
}

static s_read_t s_read_work_end (dw_recording_t *self) {
    dw_record_t *record = &self->record;
    uint64_t flags = 0;
    s_read_t read = s_number (&self->reader, UINT64_MAX, &record->tasks);
    if (!read)
        read = s_number (&self->reader, DW_WORK_BY_TIME | DW_WORK_LAP_BEHIND, &flags);
    record->is_by_time = flags & DW_WORK_BY_TIME;
    record->is_lap_behind = flags & DW_WORK_LAP_BEHIND;
    if (!read && record->is_lap_behind && record->laps_count == 0)
        return S_WRONG;
    return read ? read : s_u32_number (&self->reader, &record->digest);
}

static s_read_t s_read_work (dw_recording_t *self) {
    uint64_t part, ns, gap_ns = 0;
    s_read_t read = s_time (self, &ns);
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
        return S_WRONG;
    }
    return read;
}

static s_read_t s_read_place (dw_recording_t *self) {
    dw_wire_reader_t *reader = &self->reader;
    s_read_t read = s_u32_number (reader, &self->record.worker);
    if (read)
        return read;
    self->record.text = dw_read_str (reader, DW_RECORDING_TEXT_MAX, &self->record.text_size);
    return reader->is_damaged ? S_CUT : S_WHOLE;
}

static s_read_t s_read_end (dw_recording_t *self) {
    uint64_t reason = 0;
    s_read_t read = s_number (&self->reader, DW_RECORD_UNFIT, &reason);
    self->record.reason = (dw_record_end_t) reason;
    if (!read && dw_wire_reader_has_more (&self->reader))
        return S_WRONG;
    return read;
}

static s_read_t s_read_record (dw_recording_t *self) {
    dw_record_t *record = &self->record;
    uint64_t tag;
    record->offset = s_offset (self, self->reader.at);
    record->events_count = record->laps_count = record->odds_count = self->numbers_count = 0;
    s_read_t read = s_number (&self->reader, UINT8_MAX, &tag);
    if (read)
        return read;
    switch ((dw_recording_tag_t) tag) {
        case DW_TAG_STEP: record->type = DW_RECORD_STEP; return s_read_step (self);
        case DW_TAG_WORK: record->type = DW_RECORD_WORK; return s_read_work (self);
        case DW_TAG_PLACE: record->type = DW_RECORD_PLACE; return s_read_place (self);
        case DW_TAG_END: record->type = DW_RECORD_END; return s_read_end (self);
    }
    return S_WRONG;
}

/* ---- For callers ------------------------------------------------------------------------------ */

void dw_recording_rewind (dw_recording_t *self) {
    self->reader = dw_wire_reader (self->first, (size_t) (self->end - self->first));
    memset (&self->past, 0, sizeof self->past);
    self->time_ns = 0;
    self->alike_left = ALIKE_PER_BYTE * (uint64_t) (self->end - self->first) +
                       DW_RECORDING_EVENTS_MAX;
    self->is_over = false;
}

int dw_recording_next (dw_recording_t *self, dw_record_t **record_p) {
    if (self->is_over || !dw_wire_reader_has_more (&self->reader))
        return DW_ENOENT;
    switch (s_read_record (self)) {
        case S_WHOLE: break;
        case S_MEMORY: return DW_ENOMEM;
        case S_CUT: self->is_over = true; return DW_ENOENT;
        case S_WRONG: self->is_over = true; return DW_EPROTOCOL; /* dw_recording_open says so */
    }
    self->is_over = self->record.type == DW_RECORD_END;
    *record_p = &self->record;
    return DW_OK;
}

/* Reads everything once: what is wrong in its form is known before anything is done with it. */
static int s_check_records (dw_recording_t *self, dw_error_t *error) {
    dw_record_t *record;
    const uint8_t *at = self->first;
    int err;
    dw_recording_rewind (self);
    while ((err = dw_recording_next (self, &record)) == DW_OK) {
        at = self->reader.at;
        self->is_closed = record->type == DW_RECORD_END;
    }
    if (err == DW_ENOMEM)
        return dw_error_add (error, DW_ENOMEM, s_place (self), "out of memory");
    if (err == DW_EPROTOCOL)
        return s_damaged (self, self->record.offset, "no recorder writes such a record", error);
    if (at < self->end && !self->is_closed) {
        uint64_t offset = s_offset (self, at);
        if (self->torn_size == 0)
            self->torn_offset = s_offset (self, self->end - 1) + 1;
        self->torn_size += self->torn_offset - offset;
        self->torn_offset = offset;
        self->end = at;
    }
    dw_recording_rewind (self);
    return DW_OK;
}

int dw_recording_open (dw_recording_t **self_p, uint8_t *bytes, size_t size, const char *file,
                       dw_error_t *error) {
    dw_recording_t *self = calloc (1, sizeof *self);
    if (!self)
        return dw_error_add (error, DW_ENOMEM, DW_NOWHERE, "out of memory");
    self->file = file;
    int err = s_read_preamble (self, bytes, size, error);
    if (!err)
        err = s_read_frames (self, bytes, size, error);
    if (!err)
        err = s_read_header (self, error);
    if (!err)
        err = s_check_records (self, error);
    if (err)
        dw_recording_close (&self);
    else
        *self_p = self;
    return err;
}

void dw_recording_close (dw_recording_t **self_p) {
    dw_recording_t *self = *self_p;
    if (!self)
        return;
    for (uint32_t kind = 0; self->kinds && kind < self->header.kinds_count; kind++)
        free (self->kinds[kind]);
    free (self->kinds);
    free (self->traits);
    free (self->dagwood);
    free (self->name);
    free (self->pieces);
    free (self->record.events);
    free (self->record.laps);
    free (self->record.odds);
    free (self->numbers);
    free (self);
    *self_p = NULL;
}

const dw_recording_header_t *dw_recording_header (const dw_recording_t *self) {
    return &self->header;
}

uint64_t dw_recording_torn (const dw_recording_t *self, uint64_t *offset_p) {
    *offset_p = self->torn_offset;
    return self->torn_size;
}

bool dw_recording_is_closed (const dw_recording_t *self) {
    return self->is_closed;
}
