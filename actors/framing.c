/* framing.c - payloads as records of a program's standard input and output. */

#include "actors/framing.h"

#include <jansson.h>
#include <msgpack.h>
#include <stdlib.h>
#include <string.h>
#include <unistr.h>

#include "runtime/payload.h"

#define LENGTH_BYTES 4u
#define NO_TEXT \
    "the payload is no text, and the program wants one: use --exec-format msgpack or ndjson"
#define NO_MEMORY "out of memory"

static const char *const s_names[] = {"msgpack", "ndjson", "text"};

dw_framing_t dw_framing_of (const char *name) {
    unsigned i = 0;
    while (i < DW_FRAMINGS && strcmp (name, s_names[i]) != 0)
        i++;
    return (dw_framing_t) i;
}

/* ---- To JSON ---------------------------------------------------------------------------------- */

static json_t *s_to_json (const msgpack_object *object, const char **why);

static json_t *s_string (const msgpack_object_str *str, const char **why) {
    json_t *json = json_stringn (str->ptr, str->size);
    if (!json)
        *why = "the payload has a text that is not UTF-8, which is no JSON";
    return json;
}

static json_t *s_array (const msgpack_object_array *array, const char **why) {
    json_t *json = json_array ();
    for (uint32_t i = 0; json && !*why && i < array->size; i++)
        if (json_array_append_new (json, s_to_json (&array->ptr[i], why)) && !*why)
            *why = NO_MEMORY;
    return json;
}

static json_t *s_object (const msgpack_object_map *map, const char **why) {
    json_t *json = json_object ();
    for (uint32_t i = 0; json && !*why && i < map->size; i++) {
        const msgpack_object *key = &map->ptr[i].key;
        if (key->type != MSGPACK_OBJECT_STR || memchr (key->via.str.ptr, 0, key->via.str.size)) {
            *why = "the payload has a key that is no text, which is no JSON";
            break;
        }
        char *name = strndup (key->via.str.ptr, key->via.str.size);
        if ((!name || json_object_set_new (json, name, s_to_json (&map->ptr[i].val, why))) && !*why)
            *why = "the payload has a key that is not UTF-8, which is no JSON";
        free (name);
    }
    return json;
}

/* As deep as the value is, which was checked. */
static json_t *s_to_json (const msgpack_object *object, const char **why) {
    switch (object->type) {
        case MSGPACK_OBJECT_NIL: return json_null ();
        case MSGPACK_OBJECT_BOOLEAN: return json_boolean (object->via.boolean);
        case MSGPACK_OBJECT_NEGATIVE_INTEGER: return json_integer (object->via.i64);
        case MSGPACK_OBJECT_POSITIVE_INTEGER:
            if (object->via.u64 > INT64_MAX)
                break;
            return json_integer ((json_int_t) object->via.u64);
        case MSGPACK_OBJECT_FLOAT32:
        case MSGPACK_OBJECT_FLOAT64: {
            json_t *json = json_real (object->via.f64);
            if (!json)
                *why = "the payload has a number that is infinite or none, which is no JSON";
            return json;
        }
        case MSGPACK_OBJECT_STR: return s_string (&object->via.str, why);
        case MSGPACK_OBJECT_ARRAY: return s_array (&object->via.array, why);
        case MSGPACK_OBJECT_MAP: return s_object (&object->via.map, why);
        case MSGPACK_OBJECT_BIN:
        case MSGPACK_OBJECT_EXT: break;
    }
    *why = object->type == MSGPACK_OBJECT_POSITIVE_INTEGER
               ? "the payload has an integer above 2^63 - 1, which is no JSON here"
               : "the payload has bytes, which are no JSON: use --exec-format msgpack or text";
    return NULL;
}

static int s_on_dumped (const char *bytes, size_t size, void *writer) {
    dw_write_raw (writer, bytes, size);
    return 0;
}

static const char *s_write_json (const uint8_t *payload, size_t size, dw_writer_t *writer) {
    msgpack_unpacked unpacked;
    const char *why = NULL;
    size_t at = 0;
    msgpack_unpacked_init (&unpacked);
    json_t *json = NULL;
    if (msgpack_unpack_next (&unpacked, (const char *) payload, size, &at) !=
        MSGPACK_UNPACK_SUCCESS)
        why = NO_MEMORY;
    else
        json = s_to_json (&unpacked.data, &why);
    if (!why && json_dump_callback (json, s_on_dumped, writer, JSON_ENCODE_ANY | JSON_COMPACT))
        why = NO_MEMORY;
    if (!why)
        dw_write_raw (writer, "\n", 1);
    json_decref (json);
    msgpack_unpacked_destroy (&unpacked);
    return why;
}

/* ---- From JSON -------------------------------------------------------------------------------- */

static int s_pack_bytes (void *writer, const char *bytes, size_t size) {
    dw_write_raw (writer, bytes, size);
    return 0;
}

static bool s_pack (msgpack_packer *packer, json_t *json, unsigned depth) {
    const char *key;
    json_t *value;
    size_t index;
    bool ok = depth < DW_PAYLOAD_DEPTH_MAX || !(json_is_array (json) || json_is_object (json));
    switch (json_typeof (json)) {
        case JSON_NULL: msgpack_pack_nil (packer); break;
        case JSON_TRUE: msgpack_pack_true (packer); break;
        case JSON_FALSE: msgpack_pack_false (packer); break;
        case JSON_INTEGER: msgpack_pack_int64 (packer, json_integer_value (json)); break;
        case JSON_REAL: msgpack_pack_double (packer, json_real_value (json)); break;
        case JSON_STRING:
            dw_write_str (packer->data, json_string_value (json), json_string_length (json));
            break;
        case JSON_ARRAY:
            msgpack_pack_array (packer, json_array_size (json));
            json_array_foreach (json, index, value) ok = ok && s_pack (packer, value, depth + 1);
            break;
        case JSON_OBJECT:
            msgpack_pack_map (packer, json_object_size (json));
            json_object_foreach (json, key, value) {
                dw_write_str (packer->data, key, strlen (key));
                ok = ok && s_pack (packer, value, depth + 1);
            }
            break;
    }
    return ok;
}

static const char *s_read_json (const uint8_t *line, size_t size, dw_writer_t *writer) {
    msgpack_packer packer;
    json_error_t error;
    json_t *json = json_loadb ((const char *) line, size, JSON_DECODE_ANY | JSON_ALLOW_NUL, &error);
    if (!json)
        return "no JSON on a line of its own";
    msgpack_packer_init (&packer, writer, s_pack_bytes);
    bool ok = s_pack (&packer, json, 0);
    json_decref (json);
    return ok ? NULL : "JSON that is nested too deeply";
}

/* ---- Records ---------------------------------------------------------------------------------- */

static const char *s_write_text (const uint8_t *payload, size_t size, dw_writer_t *writer) {
    size_t length;
    const char *text = dw_payload_text (payload, size, &length);
    if (!text)
        return NO_TEXT;
    if (memchr (text, '\0', length))
        return "the payload has a NUL, which ends records of --exec-format text";
    dw_write_raw (writer, text, length);
    dw_write_raw (writer, "", 1);
    return NULL;
}

static const char *s_write_msgpack (const uint8_t *payload, size_t size, dw_writer_t *writer) {
    const uint8_t length[LENGTH_BYTES] = {(uint8_t) (size >> 24), (uint8_t) (size >> 16),
                                          (uint8_t) (size >> 8), (uint8_t) size};
    if (size > UINT32_MAX)
        return "the payload has 4 GiB or more";
    dw_write_raw (writer, length, sizeof length);
    dw_write_raw (writer, payload, size);
    return NULL;
}

const char *dw_framing_write (dw_framing_t self, const uint8_t *payload, size_t size,
                              dw_writer_t *writer) {
    size_t count = writer->count;
    const char *why = self == DW_FRAMING_MSGPACK  ? s_write_msgpack (payload, size, writer)
                      : self == DW_FRAMING_NDJSON ? s_write_json (payload, size, writer)
                                                  : s_write_text (payload, size, writer);
    if (why)
        writer->count = count;
    return why;
}

static size_t s_length (const uint8_t *bytes) {
    return (size_t) bytes[0] << 24 | (size_t) bytes[1] << 16 | (size_t) bytes[2] << 8 | bytes[3];
}

size_t dw_framing_measure (dw_framing_t self, const uint8_t *bytes, size_t size, size_t from) {
    if (self == DW_FRAMING_MSGPACK) {
        size_t needed = size < LENGTH_BYTES ? SIZE_MAX : LENGTH_BYTES + s_length (bytes);
        return needed <= size ? needed : 0;
    }
    const uint8_t *end = size > from ? memchr (bytes + from, self == DW_FRAMING_TEXT ? '\0' : '\n',
                                               size - from)
                                     : NULL;
    return end ? (size_t) (end - bytes) + 1 : 0;
}

size_t dw_framing_announced (dw_framing_t self, const uint8_t *bytes, size_t size) {
    return self == DW_FRAMING_MSGPACK ? size < LENGTH_BYTES ? 0 : s_length (bytes) : size;
}

const char *dw_framing_read (dw_framing_t self, const uint8_t *bytes, size_t size,
                             dw_writer_t *writer) {
    if (self == DW_FRAMING_MSGPACK) {
        if (dw_payload_check (bytes + LENGTH_BYTES, size - LENGTH_BYTES))
            return "what is not one msgpack value";
        dw_write_raw (writer, bytes + LENGTH_BYTES, size - LENGTH_BYTES);
    } else if (self == DW_FRAMING_NDJSON)
        return s_read_json (bytes, size - 1, writer);
    else if (u8_check (bytes, size - 1))
        dw_write_bin (writer, bytes, size - 1);
    else
        dw_write_str (writer, (const char *) bytes, size - 1);
    return NULL;
}
