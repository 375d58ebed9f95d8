/* framing.h - payloads as records of a program's standard input and output, in one of three forms.
 *
 *     msgpack   four bytes of length, the most significant first, and so many bytes: one msgpack value
 *     ndjson    one JSON value on a line
 *     text      the bytes of a text, ended by NUL
 *
 * What a program writes comes from outside: nothing here reads beyond it, recurses beyond its depth, or asserts. Any thread. */

#ifndef DW_FRAMING_H
#define DW_FRAMING_H

#include "runtime/wire.h"

typedef enum dw_framing_t {
    DW_FRAMING_MSGPACK,
    DW_FRAMING_NDJSON,
    DW_FRAMING_TEXT,
    DW_FRAMINGS
} dw_framing_t;

/* The name that a user gives; DW_FRAMINGS: there is no such. */
dw_framing_t dw_framing_of (const char *name);

/* Appends a payload, which is one well-formed msgpack value, as a record. NULL, or why it cannot be
 * one; then nothing was appended. (No memory: the writer's no_memory.) */
const char *dw_framing_write (dw_framing_t self, const uint8_t *payload, size_t size,
                              dw_writer_t *writer);

/* How many bytes the record takes that bytes begin with; 0: it is not all there. from: so many
 * bytes were looked at before, and no end was in them. */
size_t dw_framing_measure (dw_framing_t self, const uint8_t *bytes, size_t size, size_t from);
/* The largest size that the record can still have, by what there is of it: to be compared with a
 * limit. */
size_t dw_framing_announced (dw_framing_t self, const uint8_t *bytes, size_t size);
/* Appends the record of size bytes as a payload. NULL, or why it is none. (No memory: the writer's
 * no_memory.) */
const char *dw_framing_read (dw_framing_t self, const uint8_t *bytes, size_t size,
                             dw_writer_t *writer);

#endif
