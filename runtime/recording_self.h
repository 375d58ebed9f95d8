/* recording_self.h - a recording that is read, from the inside.
 *
 *     recording.c          the file: frames, header, what is torn off; asked
 *     recording_records.c  records out of the stream */

#ifndef DW_RECORDING_SELF_H
#define DW_RECORDING_SELF_H

#include "runtime/recording_format.h"

#define DW_RECORDING_TIME_MAX \
    (INT64_MAX / 4) /* of a recording, so that no sum of times overflows */

/* Bytes of the stream from `from` on lie in the file from `offset` on. */
typedef struct dw_recording_piece_t {
    uint64_t from, offset;
} dw_recording_piece_t;

struct dw_recording_t {
    const char *file;
    const uint8_t *stream, *end;
    dw_recording_piece_t *pieces;
    size_t pieces_count, pieces_size;
    uint64_t torn_offset, torn_size;
    bool is_closed; /* an END was read */
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

/* What became of reading one thing. */
typedef enum dw_recording_read_t {
    DW_READ_WHOLE,
    DW_READ_CUT,    /* the stream ends within it */
    DW_READ_WRONG,  /* no recorder writes this */
    DW_READ_MEMORY, /* there is none */
} dw_recording_read_t;

/* Where in the file a place of the stream is. */
uint64_t dw_recording_offset (const dw_recording_t *self, const uint8_t *at);
/* Reads the next record into self->record. */
dw_recording_read_t dw_recording_read (dw_recording_t *self);

#endif
