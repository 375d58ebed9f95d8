/* scalar.h - what a plain scalar of a graph file means: nothing, a number, a boolean or text.
 *
 * Plain is what is written without quotes; quoted scalars are text and do not come here. The rules
 * are those of YAML 1.1 (yaml.org/type), as far as people write them on purpose:
 *
 *     nothing     (empty) ~ null
 *     boolean     true false yes no on off
 *     integer     12 +12 -12 1_000 0x1F 0o17 017 0b101
 *     number      1.5 .5 1. 1e3 1.5E-3 .inf -.inf .nan
 *
 * Words are lower case, Capitalized or UPPER CASE. A 0 before other digits makes them octal, as
 * YAML 1.1 says; 08 is text. Base 60 (190:20:30) is text, and so are y and n. An integer beyond 64
 * bits is a number. A number of JSON means the same by these rules. The process's locale does not
 * matter. */

#ifndef DW_SCALAR_H
#define DW_SCALAR_H

#include "runtime/core/graph.h"

/* A plain scalar of more bytes is text. */
#define DW_SCALAR_BYTES_MAX 400

typedef struct dw_scalar_t {
    dw_value_type_t type;
    union { /* of DW_VALUE_INTEGER, DW_VALUE_NUMBER and DW_VALUE_BOOLEAN */
        int64_t integer;
        double number;
        bool boolean;
    } value;
} dw_scalar_t;

/* Any bytes may be given; bytes need not be ended by NUL. */
dw_scalar_t dw_scalar_read (const char *bytes, size_t size);

#endif
