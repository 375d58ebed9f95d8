/* input.h - the input of a run: a text, a file, or what standard input gives.
 *
 * Nothing is read beyond one byte more than the input may have, so that a file or a stream that is
 * too large, or endless, is refused at once and costs no memory. */

#ifndef DW_INPUT_H
#define DW_INPUT_H

#include <stddef.h>
#include <stdint.h>

#include "cli/records.h"

typedef struct dw_input_t {
    const char *text;     /* not ended by NUL */
    size_t size;          /* bytes */
    char *memory;         /* what was read; NULL when text is somebody else's */
    dw_records_t records; /* of a stream, which has as many inputs in place of one; else empty */
} dw_input_t;

/* All of these return an exit status and leave self empty when it is not DW_EXIT_OK. size_max: what
 * max_payload_bytes allows. The text is borrowed. */
int dw_input_take (dw_input_t *self, const char *text, uint64_t size_max);
int dw_input_read_file (dw_input_t *self, const char *file, uint64_t size_max);
int dw_input_read_stdin (dw_input_t *self, uint64_t size_max);

void dw_input_free (dw_input_t *self);

#endif
