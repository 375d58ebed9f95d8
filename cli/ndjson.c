/* ndjson.c */

#include "cli/ndjson.h"

#include <stdlib.h>
#include <string.h>
#include <unistr.h>

#include "cli/report.h"
#include "runtime/payload.h"

/* ---- Bytes -------------------------------------------------------------------------------- */

static void s_put (dw_writer_t *out, const char *bytes, size_t size) {
    uint8_t *at = dw_writer_room (out, size);
    if (at) {
        memcpy (at, bytes, size);
        out->count += size;
    }
}

#define PUT(out, literal) s_put (out, literal, sizeof (literal) - 1)

static void s_put_text (dw_writer_t *out, const char *text) {
    s_put (out, text, strlen (text));
}

static void s_put_digits (dw_writer_t *out, uint64_t value) {
    char digits[20];
    size_t at = sizeof digits;
    do {
        digits[--at] = (char) ('0' + value % 10);
        value /= 10;
    } while (value > 0);
    s_put (out, digits + at, sizeof digits - at);
}

/* As the library has it: what is beyond its integers is a string. */
static void s_put_unsigned (dw_writer_t *out, uint64_t value) {
    if (value > INT64_MAX)
        PUT (out, "\"");
    s_put_digits (out, value);
    if (value > INT64_MAX)
        PUT (out, "\"");
}

/* ---- Strings ------------------------------------------------------------------------------ */

#define EVERY_BYTE(byte) ((byte) *UINT64_C (0x0101010101010101))

/* Whether one of the eight bytes is 0; exact up to the first that is (Mycroft 1987). */
static bool s_has_zero (uint64_t word) {
    return (word - EVERY_BYTE (0x01)) & ~word & EVERY_BYTE (0x80);
}

/* Whether one of the eight bytes is a control character, a quote or a backslash. */
static bool s_has_special (uint64_t word) {
    return ((word - EVERY_BYTE (0x20)) & ~word & EVERY_BYTE (0x80)) ||
           s_has_zero (word ^ EVERY_BYTE ('"')) || s_has_zero (word ^ EVERY_BYTE ('\\'));
}

/* How many bytes there are before the first that has to be escaped. */
static size_t s_plain (const char *text, size_t size) {
    size_t at = 0;
    for (uint64_t word; size - at >= sizeof word; at += sizeof word) {
        memcpy (&word, text + at, sizeof word);
        if (s_has_special (word))
            break;
    }
    while (at < size && (uint8_t) text[at] >= 0x20 && text[at] != '"' && text[at] != '\\')
        at++;
    return at;
}

static void s_put_escape (dw_writer_t *out, char character) {
    static const char digits[] = "0123456789ABCDEF";
    char hexadecimal[] = "\\u0000";
    switch (character) {
        case '"': PUT (out, "\\\""); return;
        case '\\': PUT (out, "\\\\"); return;
        case '\b': PUT (out, "\\b"); return;
        case '\f': PUT (out, "\\f"); return;
        case '\n': PUT (out, "\\n"); return;
        case '\r': PUT (out, "\\r"); return;
        case '\t': PUT (out, "\\t"); return;
        default: break;
    }
    hexadecimal[4] = digits[(uint8_t) character >> 4];
    hexadecimal[5] = digits[(uint8_t) character & 15];
    s_put (out, hexadecimal, sizeof hexadecimal - 1);
}

/* Text that is UTF-8, in quotes. */
static void s_put_string (dw_writer_t *out, const char *text, size_t size) {
    PUT (out, "\"");
    for (;;) {
        size_t plain = s_plain (text, size);
        s_put (out, text, plain);
        if (plain == size)
            break;
        s_put_escape (out, text[plain]);
        text += plain + 1;
        size -= plain + 1;
    }
    PUT (out, "\"");
}

/* ASCII is looked at by words, which most texts are; the rest is the library's to judge. */
static bool s_is_utf8 (const char *text, size_t size) {
    size_t ascii = 0;
    for (uint64_t word; size - ascii >= sizeof word; ascii += sizeof word) {
        memcpy (&word, text + ascii, sizeof word);
        if (word & EVERY_BYTE (0x80))
            break;
    }
    return ascii == size || u8_check ((const uint8_t *) text + ascii, size - ascii) == NULL;
}

static bool s_is_text (const char *text) {
    return !text || s_is_utf8 (text, strlen (text));
}

/* ---- What is left to the library ---------------------------------------------------------- */

static int s_on_dumped (const char *bytes, size_t size, void *out) {
    s_put (out, bytes, size);
    return 0;
}

/* Appends json and releases it. */
static void s_put_json (dw_writer_t *out, json_t *json) {
    if (!json || json_dump_callback (json, s_on_dumped, out, JSON_ENCODE_ANY | JSON_COMPACT) != 0)
        out->no_memory = true;
    json_decref (json);
}

/* ---- A result ----------------------------------------------------------------------------- */

static void s_put_error (dw_writer_t *out, const dw_result_t *result, int node) {
    const char *message = dw_result_error_message (result, node);
    message = message ? message : "";
    PUT (out, "\"code\":");
    s_put_digits (out, (uint64_t) dw_result_error_code (result, node));
    PUT (out, ",\"message\":");
    if (s_is_text (message))
        s_put_string (out, message, strlen (message));
    else
        s_put_json (out, dw_report_json_string (message, strlen (message)));
}

/* Whether all that an entry has can be written here: two keys that are not UTF-8 may be one in the
 * end, and a payload that is no text has a form of its own. */
static bool s_is_plain_entry (const dw_result_t *result, int node) {
    size_t size, text_size, count = dw_result_metadata_count (result, node);
    const void *payload = dw_result_payload (result, node, &size);
    const char *text = payload ? dw_payload_text (payload, size, &text_size) : NULL;
    if (payload && !(text && dw_payload_is_text (payload, size) && s_is_utf8 (text, text_size)))
        return false;
    for (size_t i = 0; i < count; i++) {
        const char *key, *value;
        if (dw_result_metadata_at (result, node, i, &key, &value) != DW_OK || !s_is_text (key) ||
            !s_is_text (value))
            return false;
    }
    return true;
}

static void s_put_metadata (dw_writer_t *out, const dw_result_t *result, int node) {
    size_t count = dw_result_metadata_count (result, node);
    for (size_t i = 0; i < count; i++) {
        const char *key = "", *value = "";
        (void) dw_result_metadata_at (result, node, i, &key, &value);
        s_put (out, ",", i > 0);
        s_put_string (out, key, strlen (key));
        PUT (out, ":");
        s_put_string (out, value, strlen (value));
    }
}

static void s_put_id (dw_ndjson_t *self, int node) {
    s_put (&self->lines, self->ids[node], self->id_sizes[node] - 1);
}

static void s_put_because_of (dw_ndjson_t *self, const dw_result_t *result, int node) {
    size_t count = dw_result_because_of_count (result, node);
    PUT (&self->lines, ",\"because_of\":[");
    for (size_t i = 0; i < count; i++) {
        s_put (&self->lines, ",", i > 0);
        s_put_id (self, dw_result_because_of_at (result, node, i));
    }
    PUT (&self->lines, "]");
}

static void s_put_payload (dw_writer_t *out, const dw_result_t *result, int node) {
    size_t size;
    const char *text = dw_result_text (result, node, &size);
    PUT (out, "\",\"payload\":");
    if (text)
        s_put_string (out, text, size);
    else
        PUT (out, "null");
}

static void s_put_entry (dw_ndjson_t *self, const dw_result_t *result, int node) {
    dw_writer_t *out = &self->lines;
    if (!s_is_plain_entry (result, node)) {
        s_put_json (out, dw_report_json_entry (result, node));
        return;
    }
    PUT (out, "{\"status\":\"");
    s_put_text (out, dw_node_status_text (dw_result_node_status (result, node)));
    s_put_payload (out, result, node);
    PUT (out, ",\"attempts\":");
    s_put_digits (out, dw_result_attempts (result, node));
    PUT (out, ",\"duration_us\":");
    s_put_unsigned (out, dw_result_node_duration_us (result, node));
    PUT (out, ",\"metadata\":{");
    s_put_metadata (out, result, node);
    PUT (out, "}");
    if (dw_result_error_code (result, node) != 0) {
        PUT (out, ",\"error\":{");
        s_put_error (out, result, node);
        PUT (out, "}");
    }
    if (dw_result_added_nodes (result, node) > 0) {
        PUT (out, ",\"added\":{\"nodes\":");
        s_put_digits (out, dw_result_added_nodes (result, node));
        PUT (out, ",\"depth\":");
        s_put_digits (out, dw_result_added_depth (result, node));
        PUT (out, "}");
    }
    if (dw_result_because_of_count (result, node) > 0)
        s_put_because_of (self, result, node);
    PUT (out, "}");
}

static void s_put_outputs (dw_ndjson_t *self, const dw_result_t *result) {
    size_t count = dw_result_outputs_count (result);
    PUT (&self->lines, ",\"outputs\":[");
    for (size_t i = 0; i < count; i++) {
        s_put (&self->lines, ",", i > 0);
        s_put_id (self, dw_result_output_at (result, i));
    }
    PUT (&self->lines, "]");
}

static void s_put_failures (dw_ndjson_t *self, const dw_result_t *result) {
    size_t count = dw_result_failures_count (result);
    PUT (&self->lines, ",\"failures\":[");
    for (size_t i = 0; i < count; i++) {
        int node = dw_result_failure_at (result, i);
        s_put (&self->lines, ",", i > 0);
        PUT (&self->lines, "{\"node\":");
        s_put_id (self, node);
        PUT (&self->lines, ",");
        s_put_error (&self->lines, result, node);
        PUT (&self->lines, "}");
    }
    PUT (&self->lines, "]");
}

static void s_put_results (dw_ndjson_t *self, const dw_result_t *result) {
    PUT (&self->lines, ",\"results\":{");
    for (size_t node = 0; node < self->nodes_count; node++) {
        s_put (&self->lines, ",", node > 0);
        s_put (&self->lines, self->ids[node], self->id_sizes[node]);
        s_put_entry (self, result, (int) node);
    }
    PUT (&self->lines, "}");
}

/* ---- Lines -------------------------------------------------------------------------------- */

/* Writes every node's id once for all results. */
static bool s_make_ids (dw_ndjson_t *self, const dw_result_t *result) {
    size_t count = dw_result_nodes_count (result);
    self->ids = calloc (count + 1, sizeof *self->ids);
    self->id_sizes = calloc (count + 1, sizeof *self->id_sizes);
    if (!self->ids || !self->id_sizes)
        return false;
    for (; self->nodes_count < count; self->nodes_count++) {
        const char *id = dw_result_id (result, (int) self->nodes_count);
        dw_writer_t out = {0};
        s_put_json (&out, dw_report_json_string (id, strlen (id)));
        PUT (&out, ":");
        self->ids[self->nodes_count] = (char *) out.bytes;
        self->id_sizes[self->nodes_count] = out.count;
        if (out.no_memory) {
            self->nodes_count++;
            return false;
        }
    }
    return true;
}

static void s_put_head (dw_writer_t *out, uint64_t run, dw_run_status_t status,
                        uint64_t duration_us) {
    PUT (out, "{\"run\":");
    s_put_unsigned (out, run);
    PUT (out, ",\"status\":\"");
    s_put_text (out, dw_run_status_text (status));
    PUT (out, "\",\"duration_us\":");
    s_put_unsigned (out, duration_us);
}

/* A line is whole, or nothing of it is there. */
static bool s_end (dw_writer_t *out, size_t before) {
    PUT (out, "}\n");
    bool is_whole = !out->no_memory;
    if (!is_whole) {
        out->count = before;
        out->no_memory = false;
    }
    return is_whole;
}

bool dw_ndjson_add (dw_ndjson_t *self, uint64_t run, const dw_result_t *result) {
    size_t before = self->lines.count;
    if (!self->ids && !s_make_ids (self, result))
        return false;
    s_put_head (&self->lines, run, dw_result_status (result), dw_result_duration_us (result));
    s_put_outputs (self, result);
    s_put_failures (self, result);
    s_put_results (self, result);
    return s_end (&self->lines, before);
}

bool dw_ndjson_add_refused (dw_ndjson_t *self, uint64_t run, int code, const char *message) {
    size_t before = self->lines.count;
    s_put_head (&self->lines, run, DW_RUN_FAILED, 0);
    PUT (&self->lines, ",\"outputs\":[],\"failures\":[],\"results\":{},\"error\":{\"code\":");
    s_put_digits (&self->lines, (uint64_t) code);
    PUT (&self->lines, ",\"message\":");
    s_put_string (&self->lines, message, strlen (message));
    PUT (&self->lines, "}");
    return s_end (&self->lines, before);
}

void dw_ndjson_free (dw_ndjson_t *self) {
    for (size_t node = 0; node < self->nodes_count; node++)
        free (self->ids[node]);
    free (self->ids);
    free (self->id_sizes);
    dw_writer_free (&self->lines);
    *self = (dw_ndjson_t){0};
}
