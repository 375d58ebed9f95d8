/* play.c */

#include "cli/conformance/play.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "actors/clock.h"
#include "cli/command.h"
#include "cli/output.h"

static bool s_is_meant (const char *const *only, const char *name) {
    size_t i = 0;
    while (only[i] && strcmp (only[i], name) != 0)
        i++;
    return only[i] || !only[0];
}

/* The cases that are meant, in their order; the caller's. */
static const dw_case_t **s_choose (const dw_play_t *self, size_t *count_p) {
    size_t count = 0;
    for (size_t part = 0; self->parts[part]; part++)
        count += self->parts[part]->count;
    const dw_case_t **cases = calloc (count + 1, sizeof *cases);
    *count_p = 0;
    for (size_t part = 0; cases && self->parts[part]; part++) {
        for (size_t i = 0; i < self->parts[part]->count; i++) {
            const dw_case_t *item = &self->parts[part]->cases[i];
            if (s_is_meant (self->only, item->name))
                cases[(*count_p)++] = item;
        }
    }
    return cases;
}

/* The first name that is none; NULL: each is one. */
static const char *s_unknown (const dw_play_t *self) {
    for (size_t i = 0; self->only[i]; i++) {
        const char *const one[] = {self->only[i], NULL};
        bool is_known = false;
        for (size_t part = 0; self->parts[part]; part++)
            for (size_t k = 0; k < self->parts[part]->count; k++)
                is_known |= s_is_meant (one, self->parts[part]->cases[k].name);
        if (!is_known)
            return self->only[i];
    }
    return NULL;
}

static int s_no_such (const dw_play_t *self, const char *name) {
    dw_nearest_t nearest = dw_command_nearest (name);
    for (size_t part = 0; self->parts[part]; part++)
        for (size_t i = 0; i < self->parts[part]->count; i++)
            dw_command_candidate (&nearest, self->parts[part]->cases[i].name);
    dw_command_say ("there is no case \"%s\" of a %s%s%s%s", name, self->role,
                    nearest.best ? "; did you mean " : "", nearest.best ? nearest.best : "",
                    nearest.best ? "?" : "");
    return DW_EXIT_USAGE;
}

static int s_status (const dw_outcome_t *outcomes, size_t count) {
    size_t passed = 0;
    for (size_t i = 0; i < count; i++) {
        if (outcomes[i].verdict == DW_VERDICT_FAILED)
            return DW_EXIT_NOT_OK;
        passed += outcomes[i].verdict == DW_VERDICT_PASSED;
    }
    return passed ? DW_EXIT_OK : DW_EXIT_NOT_OK;
}

int dw_play (const dw_play_t *self) {
    const char *unknown = s_unknown (self);
    if (unknown)
        return s_no_such (self, unknown);
    size_t count = 0;
    const dw_case_t **cases = s_choose (self, &count);
    dw_outcome_t *outcomes = cases ? calloc (count + 1, sizeof *outcomes) : NULL;
    if (!outcomes) {
        free (cases);
        return dw_command_fail (DW_ENOMEM, NULL, "the cases");
    }
    dw_report_begin (self->format, self->role, count);
    bool goes_on = true;
    for (size_t i = 0; i < count; i++) {
        dw_outcome_t *outcome = &outcomes[i];
        int64_t begin_ns = dw_clock_ns ();
        if (goes_on) {
            outcome->verdict = cases[i]->play (self->stage, outcome->seen);
            outcome->seconds = (double) (dw_clock_ns () - begin_ns) / 1e9;
            goes_on = self->after (self->stage, outcome) && !dw_output_failed ();
        } else {
            outcome->verdict = dw_case_skip (outcome->seen, "it was not come to");
        }
        dw_report_case (self->format, i + 1, cases[i], outcome);
    }
    dw_report_end (self->format, self->role, cases, outcomes, count);
    int status = s_status (outcomes, count);
    free (cases);
    free (outcomes);
    return status;
}
