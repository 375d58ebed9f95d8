/* report_json.c - a result as JSON. */

#include <inttypes.h>
#include <math.h>
#include <msgpack.h>
#include <stdlib.h>
#include <string.h>
#include <unistr.h>

#include "cli/output.h"
#include "cli/report.h"
#include "runtime/payload.h"

/* ---- Strings ------------------------------------------------------------------------------ */

static bool s_is_utf8 (const char *text, size_t size) {
    return u8_check ((const uint8_t *) text, size) == NULL;
}

json_t *dw_report_json_string (const char *text, size_t size) {
    if (s_is_utf8 (text, size))
        return json_stringn_nocheck (text, size);
    char *repaired = size < SIZE_MAX / 3 ? malloc (3 * size + 1) : NULL;
    if (!repaired)
        return NULL;
    size_t used = 0;
    const char *end = text + size;
    while (text < end) {
        const uint8_t *bad = u8_check ((const uint8_t *) text, (size_t) (end - text));
        size_t good = bad ? (size_t) ((const char *) bad - text) : (size_t) (end - text);
        memcpy (repaired + used, text, good);
        used += good;
        text += good;
        if (text < end) {
            memcpy (repaired + used, "\xef\xbf\xbd", 3);
            used += 3;
            text++;
        }
    }
    json_t *string = json_stringn (repaired, used);
    free (repaired);
    return string;
}

/* RFC 4648, section 4. */
static json_t *s_base64 (const char *content, size_t size) {
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const uint8_t *bytes = (const uint8_t *) content;
    size_t length = (size + 2) / 3 * 4;
    char *text = malloc (length + 1);
    if (!text)
        return NULL;
    char *out = text;
    for (size_t i = 0; i < size; i += 3) {
        size_t left = size - i;
        uint32_t group = (uint32_t) bytes[i] << 16;
        group |= left > 1 ? (uint32_t) bytes[i + 1] << 8 : 0;
        group |= left > 2 ? (uint32_t) bytes[i + 2] : 0;
        *out++ = digits[group >> 18];
        *out++ = digits[group >> 12 & 63];
        *out++ = left > 1 ? digits[group >> 6 & 63] : '=';
        *out++ = left > 2 ? digits[group & 63] : '=';
    }
    json_t *string = json_stringn_nocheck (text, length);
    free (text);
    return string;
}

/* ---- msgpack values ----------------------------------------------------------------------- */

/* Both take the value over and release it when anything fails, as jansson's own do. */
static json_t *s_with (json_t *object, const char *key, json_t *value) {
    if (json_object_set_new_nocheck (object, key, value) == 0)
        return object;
    json_decref (object);
    return NULL;
}

static json_t *s_bytes (const char *content, size_t size) {
    return s_with (json_object (), "base64", s_base64 (content, size));
}

static json_t *s_text (const char *content, size_t size) {
    return s_is_utf8 (content, size) ? json_stringn_nocheck (content, size)
                                     : s_bytes (content, size);
}

static json_t *s_unsigned (uint64_t value) {
    if (value <= INT64_MAX)
        return json_integer ((json_int_t) value);
    char text[24];
    snprintf (text, sizeof text, "%" PRIu64, value);
    return json_string (text);
}

static json_t *s_value (const msgpack_object *value);

static json_t *s_array (const msgpack_object_array *array) {
    json_t *self = json_array ();
    for (uint32_t i = 0; self && i < array->size; i++) {
        if (json_array_append_new (self, s_value (&array->ptr[i])) != 0) {
            json_decref (self);
            self = NULL;
        }
    }
    return self;
}

/* Adds one pair; false: no memory. */
static bool s_add_pair (json_t *object, const msgpack_object_kv *pair) {
    json_t *value = s_value (&pair->val);
    if (pair->key.type == MSGPACK_OBJECT_STR &&
        s_is_utf8 (pair->key.via.str.ptr, pair->key.via.str.size)) {
        return json_object_setn_new_nocheck (object, pair->key.via.str.ptr, pair->key.via.str.size,
                                             value) == 0;
    }
    json_t *key = s_value (&pair->key);
    char *text = key ? json_dumps (key, JSON_ENCODE_ANY) : NULL;
    json_decref (key);
    if (!text) {
        json_decref (value);
        return false;
    }
    bool added = json_object_set_new_nocheck (object, text, value) == 0;
    free (text);
    return added;
}

static json_t *s_map (const msgpack_object_map *map) {
    json_t *self = json_object ();
    for (uint32_t i = 0; self && i < map->size; i++) {
        if (!s_add_pair (self, &map->ptr[i])) {
            json_decref (self);
            self = NULL;
        }
    }
    return self;
}

static json_t *s_ext (const msgpack_object_ext *ext) {
    return s_with (s_with (json_object (), "ext", json_integer (ext->type)), "base64",
                   s_base64 (ext->ptr, ext->size));
}

/* Recurses as deep as dw_payload_check allows. */
static json_t *s_value (const msgpack_object *value) {
    switch (value->type) {
        case MSGPACK_OBJECT_NIL: return json_null ();
        case MSGPACK_OBJECT_BOOLEAN: return json_boolean (value->via.boolean);
        case MSGPACK_OBJECT_POSITIVE_INTEGER: return s_unsigned (value->via.u64);
        case MSGPACK_OBJECT_NEGATIVE_INTEGER: return json_integer (value->via.i64);
        case MSGPACK_OBJECT_FLOAT32:
        case MSGPACK_OBJECT_FLOAT64:
            return isfinite (value->via.f64) ? json_real (value->via.f64) : json_null ();
        case MSGPACK_OBJECT_STR: return s_text (value->via.str.ptr, value->via.str.size);
        case MSGPACK_OBJECT_BIN: return s_bytes (value->via.bin.ptr, value->via.bin.size);
        case MSGPACK_OBJECT_ARRAY: return s_array (&value->via.array);
        case MSGPACK_OBJECT_MAP: return s_map (&value->via.map);
        case MSGPACK_OBJECT_EXT: return s_ext (&value->via.ext);
    }
    return json_null ();
}

json_t *dw_report_json_value (const void *payload, size_t size) {
    if (dw_payload_check (payload, size) != DW_OK)
        return s_bytes (payload, size);
    size_t text_size;
    const char *text = dw_payload_text (payload, size, &text_size);
    if (text) {
        return dw_payload_is_text (payload, size) ? s_text (text, text_size)
                                                  : s_bytes (text, text_size);
    }
    msgpack_unpacked unpacked;
    msgpack_unpacked_init (&unpacked);
    json_t *json = NULL;
    if (msgpack_unpack_next (&unpacked, payload, size, NULL) == MSGPACK_UNPACK_SUCCESS)
        json = s_value (&unpacked.data);
    msgpack_unpacked_destroy (&unpacked);
    return json;
}

/* ---- The parts of a result ---------------------------------------------------------------- */

static json_t *s_id (const dw_result_t *result, int node) {
    const char *id = dw_result_id (result, node);
    return dw_report_json_string (id, strlen (id));
}

static json_t *s_error (const dw_result_t *result, int node) {
    const char *message = dw_result_error_message (result, node);
    message = message ? message : "";
    json_t *self = s_with (json_object (), "code",
                           json_integer (dw_result_error_code (result, node)));
    return s_with (self, "message", dw_report_json_string (message, strlen (message)));
}

static json_t *s_failure (const dw_result_t *result, int node) {
    json_t *self = s_with (json_object (), "node", s_id (result, node));
    json_t *error = s_error (result, node);
    if (!self || !error || json_object_update (self, error) != 0) {
        json_decref (self);
        self = NULL;
    }
    json_decref (error);
    return self;
}

static json_t *s_metadata (const dw_result_t *result, int node) {
    json_t *self = json_object ();
    size_t count = dw_result_metadata_count (result, node);
    for (size_t i = 0; self && i < count; i++) {
        const char *key, *value;
        if (dw_result_metadata_at (result, node, i, &key, &value) != DW_OK)
            continue;
        json_t *name = dw_report_json_string (key, strlen (key));
        json_t *string = dw_report_json_string (value, strlen (value));
        self = s_with (self, name ? json_string_value (name) : NULL, string);
        json_decref (name);
    }
    return self;
}

static json_t *s_because_of (const dw_result_t *result, int node) {
    json_t *self = json_array ();
    size_t count = dw_result_because_of_count (result, node);
    for (size_t i = 0; self && i < count; i++) {
        if (json_array_append_new (self,
                                   s_id (result, dw_result_because_of_at (result, node, i)))) {
            json_decref (self);
            self = NULL;
        }
    }
    return self;
}

/* A str is a string, a bin is base64 under another key, a structure is a structure. */
static json_t *s_with_payload (json_t *self, const dw_result_t *result, int node) {
    size_t size, text_size;
    const void *payload = dw_result_payload (result, node, &size);
    if (!payload)
        return s_with (self, "payload", json_null ());
    const char *text = dw_payload_text (payload, size, &text_size);
    if (text && !(dw_payload_is_text (payload, size) && s_is_utf8 (text, text_size)))
        return s_with (self, "payload_base64", s_base64 (text, text_size));
    return s_with (self, "payload", dw_report_json_value (payload, size));
}

json_t *dw_report_json_entry (const dw_result_t *result, int node) {
    const char *status = dw_node_status_text (dw_result_node_status (result, node));
    json_t *self = s_with (json_object (), "status", json_string (status));
    self = s_with_payload (self, result, node);
    self = s_with (self, "attempts", json_integer (dw_result_attempts (result, node)));
    self = s_with (self, "duration_us", s_unsigned (dw_result_node_duration_us (result, node)));
    self = s_with (self, "metadata", s_metadata (result, node));
    if (dw_result_error_code (result, node) != 0)
        self = s_with (self, "error", s_error (result, node));
    if (dw_result_added_nodes (result, node) > 0) {
        self = s_with (self, "added",
                       json_pack ("{s:I, s:I}", "nodes",
                                  (json_int_t) dw_result_added_nodes (result, node), "depth",
                                  (json_int_t) dw_result_added_depth (result, node)));
    }
    if (dw_result_because_of_count (result, node) > 0)
        self = s_with (self, "because_of", s_because_of (result, node));
    return self;
}

/* ---- Printing ----------------------------------------------------------------------------- */

static int s_write (const char *text, size_t size, void *data) {
    (void) data;
    return dw_output_write (text, size) ? 0 : -1;
}

bool dw_report_json_dump (json_t *json) {
    bool printed = json && json_dump_callback (json, s_write, NULL, JSON_ENCODE_ANY) == 0;
    json_decref (json);
    return printed;
}

/* "," before all but the first. */
static bool s_print_separator (size_t index) {
    return index == 0 || dw_output_text (", ");
}

static bool s_print_outputs (const dw_result_t *result) {
    bool printed = dw_output_text (", \"outputs\": [");
    for (size_t i = 0; printed && i < dw_result_outputs_count (result); i++) {
        printed = s_print_separator (i) &&
                  dw_report_json_dump (s_id (result, dw_result_output_at (result, i)));
    }
    return printed && dw_output_text ("]");
}

static bool s_print_failures (const dw_result_t *result) {
    bool printed = dw_output_text (", \"failures\": [");
    for (size_t i = 0; printed && i < dw_result_failures_count (result); i++) {
        printed = s_print_separator (i) &&
                  dw_report_json_dump (s_failure (result, dw_result_failure_at (result, i)));
    }
    return printed && dw_output_text ("]");
}

static bool s_print_results (const dw_result_t *result) {
    bool printed = dw_output_text (", \"results\": {");
    int count = (int) dw_result_nodes_count (result);
    for (int node = 0; printed && node < count; node++) {
        printed = s_print_separator ((size_t) node) && dw_report_json_dump (s_id (result, node)) &&
                  dw_output_text (": ") &&
                  dw_report_json_dump (dw_report_json_entry (result, node));
    }
    return printed && dw_output_text ("}");
}

static bool s_print_repeat (const dw_flight_t *flight) {
    return dw_output_print (
        ", \"repeat\": {\"runs\": %" PRIu64 ", \"ok\": %" PRIu64 ", \"partial\": %" PRIu64
        ", \"failed\": %" PRIu64 ", \"cancelled\": %" PRIu64 ", \"duration_us\": %" PRIu64 "}",
        flight->ended, flight->ended_as[DW_RUN_OK], flight->ended_as[DW_RUN_PARTIAL],
        flight->ended_as[DW_RUN_FAILED], flight->ended_as[DW_RUN_CANCELLED], flight->duration_us);
}

int dw_report_json_print (const dw_flight_t *flight, bool repeat) {
    const dw_result_t *result = flight->last;
    bool printed = dw_output_print (
                       "{\"run\": %" PRIu64 ", \"status\": \"%s\", \"duration_us\": %" PRIu64,
                       dw_result_run (result), dw_run_status_text (dw_result_status (result)),
                       dw_result_duration_us (result)) &&
                   s_print_outputs (result) && s_print_failures (result) &&
                   s_print_results (result) && (!repeat || s_print_repeat (flight)) &&
                   dw_output_text ("}\n");
    return printed || dw_output_failed () ? DW_OK : DW_ENOMEM;
}
