/* report.h - what came of the cases, for people (a table), for TAP (version 13) and as JUnit's
 * XML. */

#ifndef DW_CONFORMANCE_REPORT_H
#define DW_CONFORMANCE_REPORT_H

#include "cli/conformance/case.h"

typedef enum dw_report_format_t {
    DW_REPORT_TABLE,
    DW_REPORT_TAP,
    DW_REPORT_JUNIT
} dw_report_format_t;

/* Begins with count cases of a role ("worker"). */
void dw_report_begin (dw_report_format_t format, const char *role, size_t count);
/* What came of the case with this number, from 1. Table and TAP say it at once. */
void dw_report_case (dw_report_format_t format, size_t number, const dw_case_t *item,
                     const dw_outcome_t *outcome);
/* All of them, in their order. */
void dw_report_end (dw_report_format_t format, const char *role, const dw_case_t *const *cases,
                    const dw_outcome_t *outcomes, size_t count);

#endif
