/* addition.h - a graph that a node adds to its run: as bytes, and what is made of them.
 *
 * The same bytes go from the actor that ran the node to the coordinator, into a recording, and to
 * the actors that run the graph's nodes; each makes the same of them. Immutable; any number of
 * threads may read it. */

#ifndef DW_ADDITION_H
#define DW_ADDITION_H

#include "actors/program.h"
#include "runtime/core/added.h"

typedef struct dw_addition_t {
    dw_added_t *added;
    uint8_t *bytes; /* that it was made of, a copy */
    size_t bytes_size;
    dw_program_t program; /* its plan is added's */
} dw_addition_t;

/* Makes what bytes (dw_pack_addition) stand for, which node adds: one of root's plan, or of within.
 * node DW_NONE: that it may has been checked. Memory and time are linear in the bytes.
 * Errors: DW_EPROTOCOL the bytes are damaged; as dw_added_new; DW_EGRAPH also an option that its
 * processor does not take. */
int dw_addition_new (dw_addition_t **self_p, const uint8_t *bytes, size_t size,
                     const dw_program_t *root, const dw_added_t *within, uint32_t node,
                     dw_error_t *error);
void dw_addition_destroy (dw_addition_t **self_p);

#endif
