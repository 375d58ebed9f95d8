/* wire_seeds.h - the seeds of the wire's fuzz target: an input for each kind of head. */

#ifndef TESTS_WIRE_SEEDS_H
#define TESTS_WIRE_SEEDS_H

#include "runtime/wire.h"

/* A name and an input for each index: the byte of its wire_kind_t, then a head. NULL behind the
 * last. */
const char *wire_seed (size_t index, dw_writer_t *input);

#endif
