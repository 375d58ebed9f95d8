/* program.h - what all actors of a system read: the plan, and for each node its processor and its
 * settings. Immutable; any number of threads may read it. */

#ifndef DW_PROGRAM_H
#define DW_PROGRAM_H

#include "dagwood_processor.h"
#include "runtime/core/plan.h"
#include "runtime/wire.h"

typedef struct dw_program_t {
    dw_plan_t *plan;
    const dw_processor_t **processors; /* by kind */
    dw_settings_t **settings;          /* by node; NULL for a processor without options */
    uint8_t token[DW_WIRE_TOKEN_SIZE]; /* random: names this system for ever */
} dw_program_t;

/* processors is borrowed for the program's life. Errors: DW_EGRAPH all that is wrong; DW_ENOMEM. */
int dw_program_new (dw_program_t **self_p, const dw_graph_t *graph,
                    const dw_processors_t *processors, dw_error_t *error);
void dw_program_destroy (dw_program_t **self_p);

#endif
