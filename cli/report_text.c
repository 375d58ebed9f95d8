/* report_text.c - a result for people: the requested outputs whole, then a line for every node,
 * then what failed and a summary, so that what matters most is what a terminal shows last. */

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistr.h>
#include <uniwidth.h>

#include "cli/output.h"
#include "cli/report.h"
#include "runtime/payload.h"

#define ID_WIDTH_MAX     32    /* wider ids push their line to the right */
#define EXCERPT_HEAD     40    /* bytes of a shortened payload before the dots, */
#define EXCERPT_TAIL     20    /* and behind them */
#define METADATA_MAX     8     /* keys shown of a node */
#define EXCERPT_SIZE_MAX 65536 /* of a structure that is converted only to be shortened */

/* ---- Pieces of text ----------------------------------------------------------------------- */

static bool s_is_blank (char byte) {
    return byte == ' ' || (byte >= '\t' && byte <= '\r');
}

/* Writes text as one line: white space as one blank, what is not visible as '?'. */
static void s_print_line (const char *text, size_t size) {
    bool blank = false;
    for (size_t i = 0; i < size;) {
        uint32_t point;
        uint8_t bytes[6];
        if (s_is_blank (text[i])) {
            blank = true;
            i++;
            continue;
        }
        if (blank) {
            dw_output_text (" ");
            blank = false;
        }
        i += dw_output_visible (&point, text + i, size - i);
        int length = u8_uctomb (bytes, point, sizeof bytes);
        dw_output_write (bytes, (size_t) length);
    }
    if (blank)
        dw_output_text (" ");
}

/* The same, shortened in the middle. */
static void s_print_excerpt (const char *text, size_t size) {
    if (size <= EXCERPT_HEAD + EXCERPT_TAIL) {
        s_print_line (text, size);
        return;
    }
    size_t head = EXCERPT_HEAD;
    size_t tail = size - EXCERPT_TAIL;
    while (head > 0 && ((uint8_t) text[head] & 0xc0) == 0x80) /* not within a code point */
        head--;
    while (tail < size && ((uint8_t) text[tail] & 0xc0) == 0x80)
        tail++;
    s_print_line (text, head);
    dw_output_text (" ... ");
    s_print_line (text + tail, size - tail);
}

static const char *s_plural (uint64_t count) {
    return count == 1 ? "" : "s";
}

typedef struct duration_t {
    char text[32];
} duration_t;

static duration_t s_duration (uint64_t us) {
    duration_t self;
    if (us < 1000)
        snprintf (self.text, sizeof self.text, "%" PRIu64 " us", us);
    else if (us < 1000000)
        snprintf (self.text, sizeof self.text, "%.1f ms", (double) us / 1e3);
    else
        snprintf (self.text, sizeof self.text, "%.2f s", (double) us / 1e6);
    return self;
}

/* An id may hold anything; it is shown as one line. Returns how wide it is. */
static int s_id_width (const char *id) {
    int width = 0;
    size_t size = strlen (id);
    for (size_t i = 0; i < size;) {
        uint32_t point;
        i += dw_output_visible (&point, id + i, size - i);
        int one = uc_width (point, "UTF-8");
        width += one > 0 ? one : 0;
    }
    return width;
}

static void s_print_id (const dw_result_t *result, int node) {
    const char *id = dw_result_id (result, node);
    dw_output_write_visible (id, strlen (id));
}

/* ---- Outputs ------------------------------------------------------------------------------ */

/* Text goes out as it is, anything else as JSON. Returns false when there is no memory. */
static bool s_print_whole (const void *payload, size_t size) {
    size_t text_size;
    const char *text = dw_payload_text (payload, size, &text_size);
    if (text && dw_payload_is_text (payload, size)) {
        dw_output_write (text, text_size);
        if (text_size > 0 && text[text_size - 1] != '\n')
            dw_output_text ("\n");
        return true;
    }
    json_t *json = dw_report_json_value (payload, size);
    char *dump = json ? json_dumps (json, JSON_ENCODE_ANY | JSON_INDENT (2)) : NULL;
    json_decref (json);
    if (dump) {
        dw_output_text (dump);
        dw_output_text ("\n");
    }
    bool printed = dump != NULL;
    free (dump);
    return printed;
}

/* An analyzer's output is mostly the empty text, for which a heading would be noise. */
static bool s_print_output (const dw_result_t *result, int node) {
    size_t size, text_size;
    const void *payload = dw_result_payload (result, node, &size);
    const char *text = payload ? dw_payload_text (payload, size, &text_size) : NULL;
    if (!payload || (text && text_size == 0))
        return true;
    dw_output_text ("== ");
    s_print_id (result, node);
    if (text)
        dw_output_print (" (%zu byte%s)", text_size, s_plural (text_size));
    dw_output_text ("\n");
    return s_print_whole (payload, size) && dw_output_text ("\n");
}

/* ---- The table ---------------------------------------------------------------------------- */

static void s_print_payload (const void *payload, size_t size) {
    size_t text_size;
    const char *text = dw_payload_text (payload, size, &text_size);
    if (text && dw_payload_is_text (payload, size)) {
        dw_output_text ("\"");
        s_print_excerpt (text, text_size);
        dw_output_print ("\" (%zu byte%s)", text_size, s_plural (text_size));
        return;
    }
    if (text) {
        dw_output_print ("binary (%zu byte%s)", text_size, s_plural (text_size));
        return;
    }
    json_t *json = size <= EXCERPT_SIZE_MAX ? dw_report_json_value (payload, size) : NULL;
    char *dump = json ? json_dumps (json, JSON_ENCODE_ANY) : NULL;
    json_decref (json);
    if (dump)
        s_print_excerpt (dump, strlen (dump));
    else
        dw_output_print ("a structure (%zu bytes)", size);
    free (dump);
}

static void s_print_metadata (const dw_result_t *result, int node) {
    size_t count = dw_result_metadata_count (result, node);
    for (size_t i = 0; i < count && i < METADATA_MAX; i++) {
        const char *key, *value;
        if (dw_result_metadata_at (result, node, i, &key, &value) == DW_OK) {
            dw_output_text (i > 0 ? ", " : "");
            s_print_excerpt (key, strlen (key));
            dw_output_text (": ");
            s_print_excerpt (value, strlen (value));
        }
    }
    if (count > METADATA_MAX)
        dw_output_print (", ... %zu more (--format json has all)", count - METADATA_MAX);
}

/* An error's message may be the story of several workers, a line each. */
static void s_print_first_line (const char *message) {
    size_t size = message ? strcspn (message, "\n") : 0;
    s_print_line (message ? message : "", size);
    dw_output_text (message && message[size] ? " ..." : "");
}

/* What became of a node, in one line: "; " stands between the parts. */
static void s_print_story (const dw_result_t *result, int node) {
    const char *separator = "";
    if (dw_result_error_code (result, node) != 0) {
        const char *message = dw_result_error_message (result, node);
        dw_output_print ("%d ", dw_result_error_code (result, node));
        s_print_first_line (message);
        separator = "; ";
    }
    for (size_t i = 0; i < dw_result_because_of_count (result, node); i++) {
        dw_output_text (i > 0 ? ", " : "because of ");
        s_print_id (result, dw_result_because_of_at (result, node, i));
        separator = "; ";
    }
    size_t size;
    const void *payload = dw_result_payload (result, node, &size);
    size_t metadata_count = dw_result_metadata_count (result, node);
    size_t text_size = 0;
    const char *text = payload ? dw_payload_text (payload, size, &text_size) : NULL;
    if (payload && !(text && text_size == 0 && metadata_count > 0)) {
        dw_output_text (separator);
        s_print_payload (payload, size);
        separator = "; ";
    }
    if (metadata_count > 0) {
        dw_output_text (separator);
        s_print_metadata (result, node);
        separator = "; ";
    }
    if (dw_result_attempts (result, node) > 1) {
        dw_output_print ("%s%u attempts", separator, dw_result_attempts (result, node));
        separator = "; ";
    }
    if (dw_result_added_nodes (result, node) > 0)
        dw_output_print ("%sadded %u nodes", separator, dw_result_added_nodes (result, node));
}

static void s_pad (int width) {
    dw_output_print ("%*s", width > 0 ? width : 0, "");
}

static bool s_print_row (const dw_result_t *result, int node, int id_width, int status_width) {
    /* Only what is done surely has a time: an attempt that was given up has none, which is no 0. */
    bool has_time = dw_result_node_status (result, node) == DW_NODE_DONE ||
                    dw_result_node_duration_us (result, node) > 0;
    s_print_id (result, node);
    s_pad (id_width - s_id_width (dw_result_id (result, node)));
    dw_output_print ("  %-*s  %8s  ", status_width,
                     dw_node_status_text (dw_result_node_status (result, node)),
                     has_time ? s_duration (dw_result_node_duration_us (result, node)).text : "-");
    s_print_story (result, node);
    return dw_output_text ("\n");
}

static void s_print_table (const dw_result_t *result) {
    int id_width = 4;
    int status_width = 6;
    int count = (int) dw_result_nodes_count (result);
    for (int node = 0; node < count; node++) {
        int width = s_id_width (dw_result_id (result, node));
        id_width = width > id_width && width <= ID_WIDTH_MAX ? width : id_width;
        width = (int) strlen (dw_node_status_text (dw_result_node_status (result, node)));
        status_width = width > status_width ? width : status_width;
    }
    dw_output_print ("%-*s  %-*s  %8s  %s\n", id_width, "NODE", status_width, "STATUS", "TIME",
                     "RESULT");
    for (int node = 0; node < count; node++)
        if (!s_print_row (result, node, id_width, status_width))
            return;
}

/* ---- What it comes to --------------------------------------------------------------------- */

/* Each line of a message but the first behind so much room. */
static void s_print_lines (const char *message) {
    for (const char *at = message;; at++) {
        size_t size = strcspn (at, "\n");
        dw_output_text (at == message ? "" : "    ");
        s_print_line (at, size);
        dw_output_text ("\n");
        at += size;
        if (!*at)
            return;
    }
}

static void s_print_failures (const dw_result_t *result) {
    size_t count = dw_result_failures_count (result);
    dw_output_text (count > 0 ? "\nFirst causes:\n" : "");
    for (size_t i = 0; i < count; i++) {
        int node = dw_result_failure_at (result, i);
        const char *message = dw_result_error_message (result, node);
        unsigned attempts = dw_result_attempts (result, node);
        dw_output_text ("  ");
        s_print_id (result, node);
        dw_output_print (" failed after %u attempt%s with %d: ", attempts, s_plural (attempts),
                         dw_result_error_code (result, node));
        s_print_lines (message ? message : "");
    }
}

static void s_print_summary (const dw_result_t *result) {
    size_t by_status[DW_NODE_NOT_REQUESTED + 1] = {0};
    int count = (int) dw_result_nodes_count (result);
    for (int node = 0; node < count; node++)
        by_status[dw_result_node_status (result, node)]++;
    dw_output_print ("\nrun %" PRIu64 ": %s in %s; %d node%s", dw_result_run (result),
                     dw_run_status_text (dw_result_status (result)),
                     s_duration (dw_result_duration_us (result)).text, count,
                     s_plural ((uint64_t) count));
    for (int status = 0; status <= DW_NODE_NOT_REQUESTED; status++) {
        if (by_status[status] > 0) {
            dw_output_print (", %zu %s", by_status[status],
                             dw_node_status_text ((dw_node_status_t) status));
        }
    }
    dw_output_text ("\n");
}

static void s_print_repeat (const dw_flight_t *flight) {
    double seconds = (double) flight->duration_us / 1e6;
    dw_output_print ("%" PRIu64 " run%s in %s (%.0f a second)", flight->ended,
                     s_plural (flight->ended), s_duration (flight->duration_us).text,
                     seconds > 0 ? (double) flight->ended / seconds : 0.0);
    for (int status = 0; status <= DW_RUN_CANCELLED; status++) {
        if (flight->ended_as[status] > 0) {
            dw_output_print (", %" PRIu64 " %s", flight->ended_as[status],
                             dw_run_status_text ((dw_run_status_t) status));
        }
    }
    dw_output_text ("\n");
}

int dw_report_text_print (const dw_flight_t *flight, bool repeat) {
    const dw_result_t *result = flight->last;
    for (size_t i = 0; i < dw_result_outputs_count (result); i++)
        if (!s_print_output (result, dw_result_output_at (result, i)))
            return dw_output_failed () ? DW_OK : DW_ENOMEM;
    s_print_table (result);
    s_print_failures (result);
    s_print_summary (result);
    if (repeat)
        s_print_repeat (flight);
    return DW_OK;
}
