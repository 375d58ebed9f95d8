/* traits.h - what a coordinator says of the processors of its graph, for a worker process that
 * lacks some of them.
 *
 * A worker compiles the graph of its coordinator also where it is to run a part of it only. What
 * its plan depends on of a processor that it does not have is what the coordinator's says of
 * itself. Read once, then immutable. */

#ifndef DW_TRAITS_H
#define DW_TRAITS_H

#include "dagwood_processor.h"
#include "runtime/core/plan.h"
#include "runtime/wire.h"

typedef struct dw_traits_t dw_traits_t;

/* Appends a list of what a plan's processors, by kind, say of themselves. */
void dw_traits_write (const dw_plan_t *plan, const dw_processor_t *const *processors,
                      dw_writer_t *writer);
/* The same of what was read, for whoever has it from here; NULL: an empty list. */
void dw_traits_pass_on (const dw_traits_t *self, dw_writer_t *writer);
/* Reads such a list. Memory is linear in its bytes. Errors: DW_EPROTOCOL it is damaged;
 * DW_ENOMEM. */
int dw_traits_read (dw_traits_t **self_p, dw_wire_reader_t *reader);
void dw_traits_destroy (dw_traits_t **self_p);

/* What is said of the processor of this name; false: nothing. self may be NULL. */
bool dw_traits_find (const dw_traits_t *self, const char *name, dw_trait_t *trait_p);

#endif
