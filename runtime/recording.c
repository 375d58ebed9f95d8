/* recording.c - reads a recording: the file, its frames and its header. */

#include <endian.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/core/error.h"
#include "runtime/recording_self.h"

#define ALIKE_PER_BYTE \
    1024u /* events that are only counted, of all bytes; a worker takes 4,096 tasks at a time */
#define SCAN_BYTES_MAX \
    (64u << 20) /* that are checked to see whether anything whole follows damage */

#define OFFSETS_MAX \
    (UINT64_C (1) << 40) /* of a frame: what is no frame hardly ever has one below */

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

/* Whether what begins at offset has the form of a frame, all of which is there; *size_p its
 * bytes. */
static bool s_has_form (const uint8_t *bytes, size_t size, size_t offset, uint32_t *size_p) {
    if (size - offset < DW_FRAME_HEAD_SIZE || s_u32 (bytes + offset) != DW_FRAME_MARKER)
        return false;
    *size_p = s_u32 (bytes + offset + 4);
    return *size_p <= DW_FRAME_BYTES_MAX && *size_p <= size - offset - DW_FRAME_HEAD_SIZE;
}

/* Whether a whole frame begins at offset, where it was written. */
static bool s_is_frame (const dw_recording_t *self, const uint8_t *bytes, size_t size,
                        size_t offset, uint32_t *size_p) {
    if (!s_has_form (bytes, size, offset, size_p))
        return false;
    uint64_t seed = dw_recording_seed (self->salt, offset, *size_p);
    return dw_recording_check (seed, bytes + offset + DW_FRAME_HEAD_SIZE, *size_p) ==
           s_u64 (bytes + offset + 8);
}

/* Whether these bytes are a whole frame of this recording, written here or elsewhere in it: then
 * the seed that gives its check has its size, and a place that a file can have. */
static bool s_is_of_this (const dw_recording_t *self, const uint8_t *frame, uint32_t size) {
    uint64_t seed = dw_recording_uncheck (s_u64 (frame + 8), frame + DW_FRAME_HEAD_SIZE, size);
    uint64_t offset = (seed ^ self->salt) >> 20;
    return offset < OFFSETS_MAX && dw_recording_seed (self->salt, offset, size) == seed;
}

/* Whether anything whole follows what is no frame, or is one that was written elsewhere: bytes that
 * were put in or taken out move all that is behind them. The search is given up where bytes look so
 * much like frames that nobody can have written them by accident: then something follows, too. */
static bool s_is_followed (const dw_recording_t *self, const uint8_t *bytes, size_t size,
                           size_t offset) {
    uint64_t checked = 0;
    for (size_t at = offset; at + DW_FRAME_HEAD_SIZE <= size; at++) {
        uint32_t frame_size;
        if (!s_has_form (bytes, size, at, &frame_size))
            continue;
        if (s_is_of_this (self, bytes + at, frame_size) || checked > SCAN_BYTES_MAX)
            return true;
        checked += DW_FRAME_BYTES_MAX;
    }
    return false;
}

static bool s_add_piece (dw_recording_t *self, uint64_t from, uint64_t offset) {
    if (self->pieces_count == self->pieces_size) {
        size_t size = self->pieces_size ? 2 * self->pieces_size : 16;
        dw_recording_piece_t *pieces = realloc (self->pieces, size * sizeof *pieces);
        if (!pieces)
            return false;
        self->pieces = pieces;
        self->pieces_size = size;
    }
    self->pieces[self->pieces_count++] = (dw_recording_piece_t){.from = from, .offset = offset};
    return true;
}

uint64_t dw_recording_offset (const dw_recording_t *self, const uint8_t *at) {
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
    self->header.options.added_first = version < 2;
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

/* NULL when there is no such text, and then the reader is damaged, or no memory. */
static char *s_read_text (dw_wire_reader_t *reader, size_t max) {
    size_t size;
    const char *text = dw_read_str (reader, max, &size);
    if (text && !memchr (text, 0, size))
        return strndup (text, size);
    dw_wire_damage (reader);
    return NULL;
}

/* Returns false when there is no memory. */
static bool s_read_kinds (dw_recording_t *self, dw_wire_reader_t *reader) {
    uint32_t count = dw_read_array (reader);
    self->kinds = calloc (count + 1u, sizeof *self->kinds);
    self->traits = calloc (count + 1u, sizeof *self->traits);
    if (!self->kinds || !self->traits)
        return false;
    for (; self->header.kinds_count < count && !reader->is_damaged; self->header.kinds_count++) {
        dw_trait_t *trait = &self->traits[self->header.kinds_count];
        char *kind = s_read_text (reader, SIZE_MAX / 2);
        if (!kind && !reader->is_damaged)
            return false;
        self->kinds[self->header.kinds_count] = kind;
        trait->intent = dw_read_uint_max (reader, DW_ANALYZE) == DW_ANALYZE ? DW_ANALYZE
                                                                            : DW_TRANSFORM;
        dw_read_promises (reader, trait);
    }
    return true;
}

static int s_read_header (dw_recording_t *self, dw_error_t *error) {
    dw_wire_reader_t *reader = &self->reader;
    dw_recording_header_t *header = &self->header;
    *reader = dw_wire_reader (self->stream, (size_t) (self->end - self->stream));
    self->dagwood = s_read_text (reader, DW_RECORDING_TEXT_MAX);
    self->name = s_read_text (reader, DW_RECORDING_TEXT_MAX);
    bool has_memory = reader->is_damaged || (self->dagwood && self->name);
    header->started_us = (int64_t) (dw_read_uint (reader) & INT64_MAX);
    header->clock_ns = (int64_t) (dw_read_uint (reader) & INT64_MAX);
    header->plan_digest = dw_read_uint (reader);
    header->options.runs_max = dw_read_uint_max (reader, 1u << 24);
    header->options.workers_max = dw_read_uint_max (reader, 1u << 24);
    header->options.is_open = dw_read_uint_max (reader, 1);
    header->options.grace_ns = (int64_t) dw_read_uint (reader);
    header->options.seed = dw_read_uint (reader);
    header->cpus_count = dw_read_uint_max (reader, UINT32_MAX);
    if (!s_read_kinds (self, reader) || !has_memory)
        return dw_error_add (error, DW_ENOMEM, s_place (self), "out of memory");
    header->graph = dw_read_bin (reader, SIZE_MAX / 2, &header->graph_size);
    if (reader->is_damaged || !header->graph || header->options.grace_ns < 0 ||
        header->options.grace_ns > DW_RECORDING_TIME_MAX ||
        header->clock_ns > DW_RECORDING_TIME_MAX)
        return s_damaged (self, DW_RECORDING_PREAMBLE_SIZE,
                          "its header is not whole, so nothing of it can be replayed", error);
    header->dagwood = self->dagwood;
    header->name = self->name;
    header->kinds = (const char *const *) self->kinds;
    header->traits = self->traits;
    self->first = reader->at;
    return DW_OK;
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
    switch (dw_recording_read (self)) {
        case DW_READ_WHOLE: break;
        case DW_READ_MEMORY: return DW_ENOMEM;
        case DW_READ_CUT: self->is_over = true; return DW_ENOENT;
        case DW_READ_WRONG:
            self->is_over = true;
            return DW_EPROTOCOL; /* dw_recording_open says so */
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
        uint64_t offset = dw_recording_offset (self, at);
        if (self->torn_size == 0)
            self->torn_offset = dw_recording_offset (self, self->end - 1) + 1;
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
