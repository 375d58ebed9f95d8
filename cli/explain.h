/* explain.h - a recorded run in words: where its time went, and why a node ran as it did. */

#ifndef DW_EXPLAIN_H
#define DW_EXPLAIN_H

#include "cli/recording.h"
#include "runtime/why.h"

typedef struct dw_explain_t {
    const dw_why_t *why; /* which has ended */
    uint64_t runs_count; /* of the recording */
    const char *file;
} dw_explain_t;

/* Each prints and returns an exit status. */
int dw_explain_run (const dw_explain_t *self);
int dw_explain_node (const dw_explain_t *self, uint32_t node);
/* Both as one JSON object; node DW_NONE: the run alone. */
int dw_explain_json (const dw_explain_t *self, uint32_t node);

#endif
