/* report.c */

#include "cli/conformance/report.h"

#include <string.h>

#include "cli/output.h"

#define NAME_WIDTH 30

static const char *const s_verdicts[] = {"ok", "FAILED", "skipped"};

/* ---- What a peer said ----------------------------------------------------------------------- */

/* Printable ASCII as it is, everything else as "?": a peer may say what it likes, and a terminal
 * believes it. */
static void s_plain (char *text, const char *said) {
    size_t size = 0;
    for (; said[size] && size + 1 < DW_SEEN_BYTES; size++)
        text[size] = said[size] >= ' ' && said[size] < 0x7f ? said[size] : '?';
    text[size] = '\0';
}

/* The same within an attribute of XML. */
static void s_print_xml (const char *said) {
    char plain[DW_SEEN_BYTES];
    s_plain (plain, said);
    for (const char *at = plain; *at; at++) {
        switch (*at) {
            case '&': dw_output_text ("&amp;"); break;
            case '<': dw_output_text ("&lt;"); break;
            case '>': dw_output_text ("&gt;"); break;
            case '"': dw_output_text ("&quot;"); break;
            default: dw_output_write (at, 1); break;
        }
    }
}

/* ---- Line by line ----------------------------------------------------------------------------- */

void dw_report_begin (dw_report_format_t format, const char *role, size_t count) {
    switch (format) {
        case DW_REPORT_TABLE:
            dw_output_print ("%-*s  %-8s %s\n", NAME_WIDTH, "CASE", "VERDICT", "SEEN");
            break;
        case DW_REPORT_TAP:
            dw_output_print ("TAP version 13\n1..%zu\n# %s, against docs/PROTOCOL.md\n", count,
                             role);
            break;
        case DW_REPORT_JUNIT: break;
    }
}

static void s_report_row (const dw_case_t *item, const dw_outcome_t *outcome) {
    char seen[DW_SEEN_BYTES];
    s_plain (seen, outcome->seen);
    dw_output_print ("%-*s  %-8s %s\n", NAME_WIDTH, item->name, s_verdicts[outcome->verdict], seen);
    dw_output_print ("%*s  expected: %s (%s)\n", 4, "", item->expected, item->section);
}

/* A line may not have a "#" that begins no directive. */
static void s_report_tap (size_t number, const dw_case_t *item, const dw_outcome_t *outcome) {
    char seen[DW_SEEN_BYTES];
    s_plain (seen, outcome->seen);
    for (char *at = seen; (at = strchr (at, '#'));)
        *at = '.';
    bool has_failed = outcome->verdict == DW_VERDICT_FAILED;
    dw_output_print ("%s %zu - %s", has_failed ? "not ok" : "ok", number, item->name);
    if (outcome->verdict == DW_VERDICT_SKIPPED)
        dw_output_print (" # SKIP %s", seen);
    dw_output_print ("\n# expected: %s (%s)\n# seen: %s\n", item->expected, item->section, seen);
}

void dw_report_case (dw_report_format_t format, size_t number, const dw_case_t *item,
                     const dw_outcome_t *outcome) {
    switch (format) {
        case DW_REPORT_TABLE: s_report_row (item, outcome); break;
        case DW_REPORT_TAP: s_report_tap (number, item, outcome); break;
        case DW_REPORT_JUNIT: break;
    }
}

/* ---- At the end ------------------------------------------------------------------------------- */

static void s_report_junit (const char *role, const dw_case_t *item, const dw_outcome_t *outcome) {
    dw_output_print (
        "  <testcase classname=\"dagwood.conformance.%s\" name=\"%s\" time=\"%.3f\">\n", role,
        item->name, outcome->seconds);
    if (outcome->verdict == DW_VERDICT_SKIPPED) {
        dw_output_text ("    <skipped message=\"");
        s_print_xml (outcome->seen);
        dw_output_text ("\"/>\n");
    } else if (outcome->verdict == DW_VERDICT_FAILED) {
        dw_output_text ("    <failure message=\"");
        s_print_xml (outcome->seen);
        dw_output_text ("\">expected: ");
        s_print_xml (item->expected);
        dw_output_print (" (%s)</failure>\n", item->section);
    }
    dw_output_text ("  </testcase>\n");
}

void dw_report_end (dw_report_format_t format, const char *role, const dw_case_t *const *cases,
                    const dw_outcome_t *outcomes, size_t count) {
    size_t counts[3] = {0};
    double seconds = 0;
    for (size_t i = 0; i < count; i++) {
        counts[outcomes[i].verdict]++;
        seconds += outcomes[i].seconds;
    }
    switch (format) {
        case DW_REPORT_TABLE:
            dw_output_print ("\n%s: %zu cases in %.1f s: %zu ok, %zu failed, %zu skipped\n", role,
                             count, seconds, counts[0], counts[1], counts[2]);
            break;
        case DW_REPORT_TAP: break;
        case DW_REPORT_JUNIT:
            dw_output_print ("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuite "
                             "name=\"dagwood.conformance.%s\" tests=\"%zu\" failures=\"%zu\" "
                             "skipped=\"%zu\" errors=\"0\" time=\"%.3f\">\n",
                             role, count, counts[1], counts[2], seconds);
            for (size_t i = 0; i < count; i++)
                s_report_junit (role, cases[i], &outcomes[i]);
            dw_output_text ("</testsuite>\n");
            break;
    }
}
