/* call.c - one attempt to run one node. */

#include "actors/call.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistr.h>

#include "runtime/pack.h"
#include "runtime/payload.h"

#define MESSAGE_MAX 4096
#define EMPTY_TEXT  0xa0 /* a str of no bytes */

/* ---- What it gives ---------------------------------------------------------------------------- */

static const dw_slot_t *s_payload_slot (const dw_call_t *self) {
    return &self->slots[self->source == DW_RUN_INPUT ? self->input : self->source];
}

static dw_view_t s_slot_view (const dw_slot_t *slot) {
    dw_view_t view;
    view.bytes = dw_slot_payload (slot, &view.size);
    return view;
}

static dw_view_t s_payload (const dw_call_t *self) {
    return self->slots ? s_slot_view (s_payload_slot (self)) : self->payload;
}

static zmq_msg_t *s_payload_frame (const dw_call_t *self) {
    return self->slots ? dw_slot_frame (s_payload_slot (self)) : self->payload_frame;
}

/* The text of a short str or bin inside of its slot, which most small payloads are; NULL: it is no
 * such thing. */
static inline const char *s_short_text (const dw_slot_t *slot, size_t *size_p) {
    size_t size = slot->bytes[1];
    if (slot->form != DW_SLOT_BYTES_INSIDE || slot->size != size + 2 ||
        (slot->bytes[0] != DW_PAYLOAD_BIN_8 && slot->bytes[0] != DW_PAYLOAD_STR_8))
        return NULL;
    if (size_p)
        *size_p = size;
    return (const char *) slot->bytes + 2;
}

static const char *s_text (dw_view_t view, size_t *size_p) {
    size_t size = 0;
    const char *text = view.bytes ? dw_payload_text (view.bytes, view.size, &size) : NULL;
    if (size_p)
        *size_p = size;
    return text;
}

static const void *s_bytes (dw_view_t view, size_t *size_p) {
    if (size_p)
        *size_p = view.size;
    return view.bytes;
}

static const msgpack_object *s_value (dw_call_t *self, dw_view_t view) {
    if (!view.bytes || dw_payload_check (view.bytes, view.size))
        return NULL;
    self->did |= DW_CALL_MORE;
    if (!self->zone && !(self->zone = msgpack_zone_new (MSGPACK_ZONE_CHUNK_SIZE)))
        return NULL;
    msgpack_object *object = msgpack_zone_malloc (self->zone, sizeof *object);
    if (!object || msgpack_unpack ((const char *) view.bytes, view.size, NULL, self->zone,
                                   object) != MSGPACK_UNPACK_SUCCESS)
        return NULL;
    return object;
}

const void *dw_call_payload (dw_call_t *self, size_t *size_p) {
    return s_bytes (s_payload (self), size_p);
}

const char *dw_call_text (dw_call_t *self, size_t *size_p) {
    const char *text = self->slots ? s_short_text (s_payload_slot (self), size_p) : NULL;
    if (text)
        return text;
    return s_text (s_payload (self), size_p);
}

const msgpack_object *dw_call_value (dw_call_t *self) {
    return s_value (self, s_payload (self));
}

size_t dw_call_dependencies_count (const dw_call_t *self) {
    return self->plan->dependencies_count[self->node];
}

const char *dw_call_dependency_id (const dw_call_t *self, size_t index) {
    if (index >= dw_call_dependencies_count (self))
        return NULL;
    return self->plan
        ->ids[self->plan->dependencies[self->plan->dependencies_at[self->node] + index]];
}

int dw_call_dependency_find (const dw_call_t *self, const char *id) {
    for (size_t i = 0; i < dw_call_dependencies_count (self); i++)
        if (strcmp (dw_call_dependency_id (self, i), id) == 0)
            return (int) i;
    return -1;
}

static dw_view_t s_given (const dw_call_t *self, size_t index) {
    if (index >= self->given_count)
        return (dw_view_t){NULL, 0};
    return self->slots ? s_slot_view (&self->slots[self->dependencies[index]])
                       : self->given[index].payload;
}

static dw_view_t s_given_metadata (const dw_call_t *self, size_t index) {
    if (index >= self->given_count)
        return (dw_view_t){NULL, 0};
    if (!self->slots)
        return self->given[index].metadata;
    const dw_extra_t *extra = dw_slot_extra (&self->slots[self->dependencies[index]]);
    return extra ? (dw_view_t){extra->metadata, extra->metadata_size} : (dw_view_t){NULL, 0};
}

const void *dw_call_dependency_payload (dw_call_t *self, size_t index, size_t *size_p) {
    return s_bytes (s_given (self, index), size_p);
}

const char *dw_call_dependency_text (dw_call_t *self, size_t index, size_t *size_p) {
    const char *text = self->slots && index < self->given_count
                           ? s_short_text (&self->slots[self->dependencies[index]], size_p)
                           : NULL;
    if (text)
        return text;
    return s_text (s_given (self, index), size_p);
}

const msgpack_object *dw_call_dependency_value (dw_call_t *self, size_t index) {
    return s_value (self, s_given (self, index));
}

const char *dw_call_dependency_metadata (dw_call_t *self, size_t index, const char *key,
                                         size_t *size_p) {
    dw_view_t map = s_given_metadata (self, index);
    size_t size = 0;
    const char *value = map.bytes
                            ? dw_payload_map_find (map.bytes, map.size, key, strlen (key), &size)
                            : NULL;
    if (size_p)
        *size_p = size;
    return value;
}

const char *dw_call_node (const dw_call_t *self) {
    return self->plan->ids[self->node];
}

int dw_call_node_number (const dw_call_t *self) {
    return (int) self->node;
}

const dw_settings_t *dw_call_settings (const dw_call_t *self) {
    return self->settings[self->node];
}

const char *dw_call_key (dw_call_t *self) {
    char *at = self->key;
    for (unsigned i = 0; i < DW_WIRE_TOKEN_SIZE; i++, at += 2)
        snprintf (at, 3, "%02x", self->token[i]);
    snprintf (at, sizeof self->key - 2 * DW_WIRE_TOKEN_SIZE, "-%llu-%lu",
              (unsigned long long) self->run, (unsigned long) self->node);
    return self->key;
}

unsigned dw_call_attempt (const dw_call_t *self) {
    return self->attempt;
}

bool dw_call_cancelled (dw_call_t *self) {
    return self->is_cancelled && self->is_cancelled (self->is_cancelled_arg);
}

int dw_call_fd (dw_call_t *self) {
    return self->is_cancelled ? self->cancelled_fd : -1;
}

/* ---- What it sets ----------------------------------------------------------------------------- */

/* An output was set that is not just inside of its slot, or there was no memory for it. */
static void s_note_output (dw_call_t *self, bool ok) {
    self->did = (self->did & (DW_CALL_SKIP | DW_CALL_ADD)) | DW_CALL_MORE |
                (ok ? DW_CALL_OUTPUT : 0);
}

/* Room for the output: a header and size bytes, of which the latter are returned. */
static inline uint8_t *s_reserve (dw_call_t *self, size_t size, bool is_text) {
    uint8_t head[DW_PAYLOAD_HEAD_MAX];
    dw_slot_t *slot = self->slot;
    if (!is_text && size <= DW_SLOT_BYTES - 2 && !dw_slot_owns (slot)) { /* the short way */
        slot->form = DW_SLOT_BYTES_INSIDE;
        slot->size = (uint32_t) size + 2;
        slot->bytes[0] = DW_PAYLOAD_BIN_8;
        slot->bytes[1] = (uint8_t) size;
        self->did |= DW_CALL_OUTPUT;
        return slot->bytes + 2;
    }
    if (size > UINT32_MAX - sizeof head)
        return NULL;
    size_t head_size = is_text ? dw_payload_text_head (head, size)
                               : dw_payload_bytes_head (head, size);
    uint8_t *at = dw_slot_reserve (slot, head_size + size);
    s_note_output (self, at);
    if (!at)
        return NULL;
    memcpy (at, head, head_size);
    return at + head_size;
}

char *dw_call_reserve_text (dw_call_t *self, size_t size) {
    return (char *) s_reserve (self, size, true);
}

void *dw_call_reserve_bytes (dw_call_t *self, size_t size) {
    return s_reserve (self, size, false);
}

int dw_call_set_text (dw_call_t *self, const char *text, size_t size) {
    if (size && u8_check ((const uint8_t *) text, size))
        return DW_EINVAL;
    char *at = dw_call_reserve_text (self, size);
    if (!at)
        return DW_ENOMEM;
    if (size)
        memcpy (at, text, size);
    return DW_OK;
}

int dw_call_set_bytes (dw_call_t *self, const void *bytes, size_t size) {
    void *at = dw_call_reserve_bytes (self, size);
    if (!at)
        return DW_ENOMEM;
    if (size)
        memcpy (at, bytes, size);
    return DW_OK;
}

int dw_call_set_value (dw_call_t *self, const void *value, size_t size) {
    if (dw_payload_check (value, size))
        return DW_EPROTOCOL;
    uint8_t *at = dw_slot_reserve (self->slot, size);
    s_note_output (self, at);
    if (!at)
        return DW_ENOMEM;
    memcpy (at, value, size);
    return DW_OK;
}

int dw_call_set_payload (dw_call_t *self) {
    dw_view_t payload = s_payload (self);
    zmq_msg_t *frame = s_payload_frame (self);
    if (!frame || payload.size <= DW_SLOT_BYTES)
        return dw_call_set_value (self, payload.bytes, payload.size);
    bool ok = dw_slot_share (self->slot, frame);
    s_note_output (self, ok);
    return ok ? DW_OK : DW_ENOMEM;
}

int dw_call_set_metadata (dw_call_t *self, const char *key, const char *value) {
    size_t key_size = key ? strlen (key) : 0, value_size = value ? strlen (value) : 0;
    if (!key || !value || u8_check ((const uint8_t *) key, key_size) ||
        u8_check ((const uint8_t *) value, value_size))
        return DW_EINVAL;
    self->did |= DW_CALL_MORE;
    if (self->metadata_count == 0)
        dw_writer_clear (&self->metadata);
    dw_write_str (&self->metadata, key, key_size);
    dw_write_str (&self->metadata, value, value_size);
    self->metadata_count++;
    return self->metadata.no_memory ? DW_ENOMEM : DW_OK;
}

int dw_call_skip (dw_call_t *self) {
    self->did |= DW_CALL_SKIP;
    return 0;
}

int dw_call_add_graph (dw_call_t *self, const dw_graph_t *graph, const char *output) {
    if (!graph || !output)
        return DW_EINVAL;
    dw_writer_clear (&self->graph);
    dw_pack_addition (graph, output, &self->graph);
    self->did |= DW_CALL_ADD;
    return self->graph.no_memory ? DW_ENOMEM : 0;
}

int dw_call_fail (dw_call_t *self, int code, const char *format, ...) {
    va_list arguments;
    self->did |= DW_CALL_MORE;
    self->fail_code = code < 1 || code > 999 ? 500 : code;
    if (!self->fail_message && !(self->fail_message = malloc (MESSAGE_MAX)))
        return self->fail_code;
    va_start (arguments, format);
    int size = vsnprintf (self->fail_message, MESSAGE_MAX, format, arguments);
    va_end (arguments);
    if (size < 0)
        self->fail_message[0] = '\0';
    /* A message that was cut may end within a character: cut that too. */
    const uint8_t *bad = u8_check ((uint8_t *) self->fail_message, strlen (self->fail_message));
    if (bad && size >= MESSAGE_MAX && strlen ((const char *) bad) < 4)
        self->fail_message[bad - (uint8_t *) self->fail_message] = '\0';
    return self->fail_code;
}

/* ---- Its end ---------------------------------------------------------------------------------- */

typedef struct s_pair_t {
    const uint8_t *at; /* of both strs */
    const char *key;
    size_t key_size, size;
    uint32_t index;
} s_pair_t;

static int s_compare_pairs (const void *a, const void *b) {
    const s_pair_t *x = a, *y = b;
    size_t size = x->key_size < y->key_size ? x->key_size : y->key_size;
    int order = size ? memcmp (x->key, y->key, size) : 0;
    if (order)
        return order;
    if (x->key_size != y->key_size)
        return x->key_size < y->key_size ? -1 : 1;
    return x->index < y->index ? -1 : x->index > y->index;
}

static void s_read_pairs (dw_call_t *self, s_pair_t *pairs) {
    dw_wire_reader_t reader = dw_wire_reader (self->metadata.bytes, self->metadata.count);
    for (uint32_t i = 0; i < self->metadata_count; i++) {
        size_t value_size;
        pairs[i].at = reader.at;
        pairs[i].index = i;
        pairs[i].key = dw_read_str (&reader, SIZE_MAX, &pairs[i].key_size);
        dw_read_str (&reader, SIZE_MAX, &value_size);
        pairs[i].size = (size_t) (reader.at - pairs[i].at);
    }
}

/* Makes a map of the metadata that was set: sorted by key, of each key the last value. */
static bool s_end_metadata (dw_call_t *self) {
    s_pair_t *pairs = malloc (self->metadata_count * sizeof *pairs);
    uint8_t *map = malloc (self->metadata.count + 5);
    bool ok = pairs && map;
    if (ok) {
        s_read_pairs (self, pairs);
        qsort (pairs, self->metadata_count, sizeof *pairs, s_compare_pairs);
        uint32_t count = 0;
        size_t size = 5;
        for (uint32_t i = 0; i < self->metadata_count; i++) {
            if (i + 1 < self->metadata_count && pairs[i].key_size == pairs[i + 1].key_size &&
                memcmp (pairs[i].key, pairs[i + 1].key, pairs[i].key_size) == 0)
                continue;
            memcpy (map + size, pairs[i].at, pairs[i].size);
            size += pairs[i].size;
            count++;
        }
        uint8_t head[5] = {0xdf, (uint8_t) (count >> 24), (uint8_t) (count >> 16),
                           (uint8_t) (count >> 8), (uint8_t) count};
        memcpy (map, head, sizeof head);
        ok = dw_slot_set_metadata (self->slot, map, size);
    }
    free (pairs);
    free (map);
    return ok;
}

static int s_end_failed (dw_call_t *self, int code, const char *message) {
    dw_slot_clear (self->slot);
    dw_slot_set_error (self->slot, (uint16_t) code, message, strlen (message));
    return code;
}

/* Too large is also what cannot be: metadata beyond the limit of a payload. */
static int s_check_size (dw_call_t *self) {
    char message[512];
    size_t size = self->slot->size;
    if (self->metadata_count && self->metadata.count > size)
        size = self->metadata.count;
    if (size <= self->plan->max_payload_bytes)
        return 0;
    snprintf (
        message, sizeof message,
        "the output of node \"%.200s\" has %zu bytes, which is more than max_payload_bytes (%llu): "
        "raise it in the graph's executor_options",
        self->plan->ids[self->node], size, (unsigned long long) self->plan->max_payload_bytes);
    return s_end_failed (self, 413, message);
}

static int s_end_skipped (dw_call_t *self) {
    if (!(self->plan->flags[self->node] & DW_NODE_MAY_SKIP))
        return s_end_failed (self, 500,
                             "the processor ended its branch, and does not promise may_skip");
    dw_slot_clear (self->slot);
    return DW_CALL_SKIPPED;
}

/* Before the output and the metadata are looked at: an added graph's input is the payload where no
 * output was set. 0, or the code of a failure. */
static int s_check_added (dw_call_t *self) {
    char message[256];
    if (!dw_plan_may_add (self->plan, self->node)) {
        snprintf (message, sizeof message,
                  "the processor adds a graph, which node \"%.100s\" does not allow: it names no "
                  "processors that may be added (adds)",
                  self->plan->ids[self->node]);
        return s_end_failed (self, 500, message);
    }
    if (self->graph.no_memory || (!(self->did & DW_CALL_OUTPUT) && dw_call_set_payload (self)))
        return s_end_failed (self, 500, "out of memory");
    if (self->graph.count <= self->plan->max_payload_bytes)
        return 0;
    snprintf (
        message, sizeof message,
        "the graph that is added takes %zu bytes, which is more than max_payload_bytes (%llu)",
        self->graph.count, (unsigned long long) self->plan->max_payload_bytes);
    return s_end_failed (self, 413, message);
}

static int s_end_added (dw_call_t *self) {
    uint8_t *graph = malloc (self->graph.count);
    if (!graph || !dw_slot_give_graph (self->slot, graph, self->graph.count)) {
        free (graph);
        return s_end_failed (self, 500, "out of memory");
    }
    memcpy (graph, self->graph.bytes, self->graph.count);
    return DW_CALL_ADDED;
}

static int s_end (dw_call_t *self, int code) {
    if (self->zone) {
        msgpack_zone_free (self->zone);
        self->zone = NULL;
    }
    if (code == 0) {
        if (self->did & DW_CALL_SKIP)
            return s_end_skipped (self);
        int refused = self->did & DW_CALL_ADD ? s_check_added (self) : 0;
        if (refused)
            return refused;
        if (!(self->did & DW_CALL_OUTPUT)) {
            if (!(self->plan->flags[self->node] & DW_NODE_ANALYZE))
                return s_end_failed (self, 500, "the processor set no output");
            dw_slot_drop_payload (self->slot);
            uint8_t *at = dw_slot_reserve (self->slot, 1);
            if (!at)
                return s_end_failed (self, 500, "out of memory");
            *at = EMPTY_TEXT;
        }
        if (self->slot->size > self->plan->max_payload_bytes || self->metadata_count) {
            int err = s_check_size (self);
            if (err)
                return err;
        }
        if (self->metadata_count && !s_end_metadata (self))
            return s_end_failed (self, 500, "out of memory");
        return self->did & DW_CALL_ADD ? s_end_added (self) : 0;
    }
    if (self->fail_code && self->fail_message)
        return s_end_failed (self, self->fail_code, self->fail_message);
    char message[80];
    snprintf (message, sizeof message, "the processor returned %d", code);
    return s_end_failed (self, code < 1 || code > 999 ? 500 : code, message);
}

int dw_call_end (dw_call_t *self, int code) {
    code = s_end (self, code);
    self->metadata_count = 0;
    self->fail_code = 0;
    return code;
}

void dw_call_free (dw_call_t *self) {
    dw_writer_free (&self->metadata);
    dw_writer_free (&self->graph);
    if (self->zone)
        msgpack_zone_free (self->zone);
    free (self->fail_message);
}
