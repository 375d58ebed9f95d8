/* play.h - plays the cases of a role, one after another, and tells what came of them. */

#ifndef DW_PLAY_H
#define DW_PLAY_H

#include "cli/conformance/report.h"

typedef struct dw_play_t {
    dw_report_format_t format;
    const char *role;
    const char *const
        *only; /* the names of the cases that are meant, ended by NULL; none: all. Borrowed */
    const dw_cases_t *const *parts; /* ended by NULL */
    void *stage;
    /* Looks at the stage after each case: false: there is no point in going on. */
    bool (*after) (void *stage, const dw_outcome_t *outcome);
} dw_play_t;

/* Returns DW_EXIT_OK when none failed and at least one passed, DW_EXIT_NOT_OK, or another exit
 * status; what was played is told in any case. */
int dw_play (const dw_play_t *self);

#endif
