/* settings.h - a node's options, checked against what its processor declares, with the defaults.
 *
 * Made once for a node, before its processor is started; immutable, so any number of threads may
 * read it. The public functions that read it are in include/dagwood_processor.h: asking them for an
 * option that the processor does not declare, or for another type than it declares, is a mistake in
 * the processor and ends the program. */

#ifndef DW_SETTINGS_H
#define DW_SETTINGS_H

#include "dagwood_processor.h"
#include "runtime/core/graph.h"

typedef union dw_settings_value_t {
    const char *text; /* lives behind the values */
    int64_t integer;
    double number;
    bool boolean;
    dw_graph_t *given; /* DW_OPTIONS: one node that has them; NULL: there are none */
} dw_settings_value_t;

struct dw_settings_t {
    const dw_option_t *options; /* the processor's, borrowed for self's life */
    size_t options_count;
    dw_settings_value_t values[]; /* by option */
};

/* Checks the node's settings and keeps a copy of what is needed. node is borrowed for the call;
 * file says where it comes from and may be NULL. Says all that is wrong, warns of nothing.
 * Errors: DW_EGRAPH an option that the processor has not, or that is there twice, of a wrong type,
 *                   out of range, or missing
 *         DW_ENOMEM */
int dw_settings_new (dw_settings_t **self_p, const dw_node_t *node, const char *file,
                     const dw_processor_t *processor, dw_error_t *error);
void dw_settings_destroy (dw_settings_t **self_p);
/* A node that has what is in the option of type DW_OPTIONS, which there must be; NULL: nothing
 * is. */
const dw_node_t *dw_settings_given (const dw_settings_t *self);

#endif
