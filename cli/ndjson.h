/* ndjson.h - results as lines of compact JSON, put together in memory until they are written.
 *
 * Written here and not by the library because a stream has hundreds of thousands of results a
 * second (docs/DECISIONS.md has the figures). The bytes are those that the library would print for
 * the object of `--format json' without its spaces; whatever is not plain (a payload that is no
 * UTF-8 text, a string that is not UTF-8) is left to the library. One graph's results, one
 * thread. */

#ifndef DW_NDJSON_H
#define DW_NDJSON_H

#include "dagwood.h"
#include "runtime/wire.h"

typedef struct dw_ndjson_t {
    dw_writer_t lines; /* the caller's to write and to clear */
    char **ids;        /* by node, as JSON with a colon behind; made from the first result */
    size_t *id_sizes;
    size_t nodes_count;
} dw_ndjson_t;

/* Appends result as the run with this number. False: no memory, and nothing was appended. */
bool dw_ndjson_add (dw_ndjson_t *self, uint64_t run, const dw_result_t *result);
/* Appends a run that never was: its input was refused. */
bool dw_ndjson_add_refused (dw_ndjson_t *self, uint64_t run, int code, const char *message);
void dw_ndjson_free (dw_ndjson_t *self);

#endif
