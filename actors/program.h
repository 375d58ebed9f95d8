/* program.h - what all actors of a system read: the plan, and for each node its processor and its
 * settings. Immutable; any number of threads may read it. */

#ifndef DW_PROGRAM_H
#define DW_PROGRAM_H

#include "actors/traits.h"
#include "dagwood_processor.h"
#include "runtime/core/plan.h"
#include "runtime/wire.h"

typedef struct dw_program_t {
    dw_plan_t *plan;
    const dw_processor_t **
        /* by kind; no node is run here of one that is not here: NULL in a worker process, else one
         * that fails */
        processors;
    dw_settings_t **settings; /* by node; NULL for a processor without options */
    uint64_t lanes; /* where nodes make demands: those whose nodes are run here, a bit each */
    uint8_t token[DW_WIRE_TOKEN_SIZE]; /* random: names this system for ever */
} dw_program_t;

/* processors is borrowed for the program's life. Errors: DW_EGRAPH all that is wrong; DW_ENOMEM. */
int dw_program_new (dw_program_t **self_p, const dw_graph_t *graph,
                    const dw_processors_t *processors, dw_error_t *error);
/* In a worker process, whose coordinator says which lanes it is to run, and by foreign what the
 * processors are that it lacks. Errors: also DW_EGRAPH when it lacks one of such a lane. */
int dw_program_new_elsewhere (dw_program_t **self_p, const dw_graph_t *graph,
                              const dw_processors_t *processors, const dw_traits_t *foreign,
                              uint64_t lanes, dw_error_t *error);
void dw_program_destroy (dw_program_t **self_p);

/* Whether node is run in this process. */
static inline bool dw_program_hosts (const dw_program_t *self, uint32_t node) {
    return !self->plan->demands || (self->lanes >> self->plan->lane[node] & 1);
}

#endif
