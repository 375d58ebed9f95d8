/* report.h - the result of a run on standard output, as JSON for programs and as text for
 * people. */

#ifndef DW_REPORT_H
#define DW_REPORT_H

#include <jansson.h>

#include "cli/flight.h"

/* Prints flight's last result as one JSON object on one line, a node at a time, so that no more
 * than one payload is held twice. With repeat, how all runs ended is added.
 * Errors: DW_ENOMEM; what cannot be written is output.h's to tell. */
int dw_report_json_print (const dw_flight_t *flight, bool repeat);
/* The same for people: the outputs whole, a table of the nodes, the failures and a summary. */
int dw_report_text_print (const dw_flight_t *flight, bool repeat);

/* A payload, which is one msgpack value, as JSON: a str as a string, a map as an object, ... What
 * JSON does not have is shown as {"base64": ...} for a bin or a str that is not UTF-8, as {"ext":
 * TYPE, "base64": ...}, as null for NaN and infinity, as a string for an integer beyond 2^63, and a
 * key that is no string as its JSON text. Bytes that are no msgpack value are shown as a bin. NULL:
 * no memory. */
json_t *dw_report_json_value (const void *payload, size_t size);
/* A string of what should be UTF-8; a byte that is not is shown as U+FFFD. NULL: no memory. */
json_t *dw_report_json_string (const char *text, size_t size);
/* A node's entry in "results". NULL: no memory. */
json_t *dw_report_json_entry (const dw_result_t *result, int node);
/* Prints json and releases it. False: json is NULL, there is no memory, or the output is gone,
 * which output.h knows. */
bool dw_report_json_dump (json_t *json);

#endif
