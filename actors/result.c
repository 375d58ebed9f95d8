/* result.c - what a client got of a run. */

#include "actors/result.h"

#include <stdlib.h>
#include <string.h>

#include "actors/slot.h"
#include "runtime/core/graph.h"
#include "runtime/payload.h"

#define EXTRAS_MAX 2u /* records of one node: what it came to, and its first causes */

/* What a node has besides its slot. */
typedef struct s_extra_t {
    dw_wire_extra_t record;
    char *message; /* ended by NUL; NULL: none */
    uint32_t *causes;
    uint32_t causes_count;
    char *pairs;          /* metadata: key NUL value NUL ..., made when asked for */
    const char **pair_at; /* key, value, key, ... */
    size_t pairs_count;
} s_extra_t;

struct dw_result_t {
    dw_result_t *next;
    dw_roster_t *names;
    dw_delivered_t *delivered;
    uint64_t run, duration_us;
    dw_run_status_t status;
    const uint8_t *table; /* dw_slot_t, not aligned */
    const uint8_t *blob;
    size_t blob_size;
    s_extra_t *extras;
    uint32_t extras_count;
    uint32_t *extra_of; /* by node: into extras, DW_NONE; NULL: there is none at all */
    int *failures;
    size_t failures_count;
    uint32_t *outputs; /* NULL: the sinks */
    uint32_t outputs_count;
};

/* ---- Names ------------------------------------------------------------------------------------ */

static int s_read_names (dw_roster_t *self, dw_wire_reader_t *reader) {
    self->count = dw_read_array (reader);
    if (self->count > INT32_MAX)
        return DW_EPROTOCOL;
    char *copy = malloc ((size_t) (reader->end - reader->at) + self->count + 1u);
    self->ids = calloc (self->count + 1u, sizeof *self->ids);
    if (!copy || !self->ids ||
        !dw_names_init (&self->nodes, self->count, (const char *const *) self->ids,
                        sizeof (char *))) {
        free (copy);
        return DW_ENOMEM;
    }
    self->ids[0] = copy; /* owns it; every other id lies behind */
    for (uint32_t node = 0; node < self->count; node++) {
        size_t size;
        const char *id = dw_read_str (reader, SIZE_MAX, &size);
        if (!id)
            return DW_EPROTOCOL;
        memcpy (copy, id, size);
        copy[size] = '\0';
        self->ids[node] = copy;
        copy += size + 1;
        if (dw_names_add (&self->nodes, self->ids[node], node) == DW_NONE)
            return DW_ENOMEM;
    }
    self->sinks_count = dw_read_array (reader);
    self->sinks = calloc (self->sinks_count + 1u, sizeof *self->sinks);
    for (uint32_t i = 0; self->sinks && i < self->sinks_count; i++)
        if ((self->sinks[i] = dw_read_uint_max (reader, UINT32_MAX)) >= self->count)
            return DW_EPROTOCOL;
    if (!self->sinks)
        return DW_ENOMEM;
    return reader->is_damaged ? DW_EPROTOCOL : DW_OK;
}

int dw_roster_new (dw_roster_t **self_p, const void *graph, size_t size) {
    dw_wire_reader_t reader = dw_wire_reader (graph, size);
    dw_roster_t *self = calloc (1, sizeof *self);
    if (!self)
        return DW_ENOMEM;
    self->references = 1;
    int err = s_read_names (self, &reader);
    if (err)
        dw_roster_release (&self);
    else
        *self_p = self;
    return err;
}

int dw_roster_find (const dw_roster_t *self, const char *id) {
    uint32_t node = dw_names_find (&self->nodes, id);
    return node == DW_NONE ? -1 : (int) node;
}

void dw_roster_release (dw_roster_t **self_p) {
    dw_roster_t *self = *self_p;
    *self_p = NULL;
    if (!self || --self->references > 0)
        return;
    if (self->ids)
        free (self->ids[0]);
    free (self->ids);
    dw_names_free (&self->nodes);
    free (self->sinks);
    free (self);
}

dw_delivered_t *dw_delivered_new (dw_message_t *message, bool is_trusted) {
    dw_delivered_t *self = calloc (1, sizeof *self);
    if (!self)
        return NULL;
    self->references = 1;
    self->is_trusted = is_trusted;
    for (uint32_t i = 0; i < message->count; i++)
        self->bytes_left += zmq_msg_size (&message->frames[i]);
    self->message = *message;
    *message = (dw_message_t){0};
    return self;
}

void dw_delivered_release (dw_delivered_t **self_p) {
    dw_delivered_t *self = *self_p;
    *self_p = NULL;
    if (!self || --self->references > 0)
        return;
    dw_message_free (&self->message);
    free (self);
}

static bool s_is_node (const dw_result_t *self, int node) {
    return node >= 0 && (uint32_t) node < self->names->count;
}

/* A copy of the node's slot; an empty one for a node that there is not. */
static dw_slot_t s_slot (const dw_result_t *self, int node) {
    dw_slot_t slot = {.status = DW_NODE_NOT_REQUESTED};
    if (s_is_node (self, node))
        memcpy (&slot, self->table + (size_t) node * sizeof slot, sizeof slot);
    return slot;
}

/* ---- Reading a record ------------------------------------------------------------------------- */

static int s_read_causes (s_extra_t *extra, dw_wire_reader_t *reader, uint32_t nodes_count) {
    extra->causes_count = extra->record.causes_count;
    if (extra->causes_count == 0)
        return DW_OK;
    extra->causes = malloc (extra->causes_count * sizeof *extra->causes);
    for (uint32_t i = 0; extra->causes && i < extra->causes_count; i++)
        if ((extra->causes[i] = dw_read_uint_max (reader, UINT32_MAX)) >= nodes_count)
            return DW_EPROTOCOL;
    return extra->causes ? DW_OK : DW_ENOMEM;
}

static int s_read_extra (dw_result_t *self, dw_wire_reader_t *reader) {
    if (self->extras_count >= EXTRAS_MAX * (uint64_t) self->names->count)
        return DW_EPROTOCOL;
    if ((self->extras_count & (self->extras_count - 1)) == 0) { /* a power of two: it is full */
        size_t size = self->extras_count ? 2 * (size_t) self->extras_count : 1;
        s_extra_t *grown = realloc (self->extras, size * sizeof *grown);
        if (!grown)
            return DW_ENOMEM;
        self->extras = grown;
    }
    s_extra_t *extra = &self->extras[self->extras_count++];
    memset (extra, 0, sizeof *extra);
    if (!dw_read_extra (reader, &extra->record) || extra->record.node >= self->names->count)
        return DW_EPROTOCOL;
    const dw_wire_extra_t *record = &extra->record;
    if (record->metadata && dw_payload_map_check (record->metadata, record->metadata_size))
        return DW_EPROTOCOL;
    if (record->message) {
        extra->message = malloc (record->message_size + 1);
        if (!extra->message)
            return DW_ENOMEM;
        memcpy (extra->message, record->message, record->message_size);
        extra->message[record->message_size] = '\0';
    }
    self->failures_count += record->code > 0;
    return s_read_causes (extra, reader, self->names->count);
}

static int s_read_extras (dw_result_t *self, const uint8_t *bytes, size_t size) {
    dw_wire_reader_t reader = dw_wire_reader (bytes, size);
    uint32_t count = self->names->count;
    self->extra_of = malloc ((count + 1u) * sizeof *self->extra_of);
    if (!self->extra_of)
        return DW_ENOMEM;
    memset (self->extra_of, 0xff, (count + 1u) * sizeof *self->extra_of);
    while (dw_wire_reader_has_more (&reader)) {
        int err = s_read_extra (self, &reader);
        if (err)
            return err;
        self->extra_of[self->extras[self->extras_count - 1].record.node] = self->extras_count - 1;
    }
    self->failures = malloc ((self->failures_count + 1) * sizeof *self->failures);
    if (!self->failures)
        return DW_ENOMEM;
    size_t failures_count = 0;
    for (uint32_t i = 0; i < self->extras_count; i++)
        if (self->extras[i].record.code > 0)
            self->failures[failures_count++] = (int) self->extras[i].record.node;
    return reader.is_damaged ? DW_EPROTOCOL : DW_OK;
}

/* Takes so many bytes of the message for one result. False: they are not there, for others have
 * read them; else a small message could be read without end. */
static bool s_take_bytes (const dw_result_t *self, size_t size) {
    if (size > self->delivered->bytes_left)
        return false;
    self->delivered->bytes_left -= size;
    return true;
}

/* Whether every slot is one that a coordinator writes, and its payload one value. */
static bool s_check_slots (const dw_result_t *self) {
    for (uint32_t node = 0; node < self->names->count; node++) {
        size_t size;
        dw_slot_t slot = s_slot (self, (int) node);
        const void *payload = dw_result_payload (self, (int) node, &size);
        bool is_inside = slot.form == DW_SLOT_BYTES_INSIDE;
        if (slot.status > DW_NODE_NOT_REQUESTED || (slot.form != DW_SLOT_NONE && !payload))
            return false;
        if (payload &&
            ((!is_inside && !s_take_bytes (self, size)) || dw_payload_check (payload, size)))
            return false;
    }
    return true;
}

static int s_read (dw_result_t *self, dw_wire_reader_t *reader) {
    dw_wire_result_t record;
    size_t size;
    zmq_msg_t *frame;
    dw_message_t *message = &self->delivered->message;
    if (!dw_read_result (reader, &record))
        return DW_EPROTOCOL;
    self->run = record.run;
    self->status = (dw_run_status_t) record.status;
    self->duration_us = record.duration_us;
    if (!record.outputs_are_sinks) {
        if (record.outputs_count > self->names->count)
            return DW_EPROTOCOL;
        self->outputs_count = record.outputs_count;
        self->outputs = malloc ((record.outputs_count + 1u) * sizeof *self->outputs);
        if (!self->outputs)
            return DW_ENOMEM;
        for (uint32_t i = 0; i < record.outputs_count; i++)
            if ((self->outputs[i] = dw_read_uint_max (reader, UINT32_MAX)) >= self->names->count)
                return DW_EPROTOCOL;
    }
    self->table = dw_message_resolve (message, 0, &record.table, reader, &size, &frame);
    if (!self->table || size != self->names->count * sizeof (dw_slot_t) ||
        !s_take_bytes (self, size))
        return DW_EPROTOCOL;
    self->blob = dw_message_resolve (message, 0, &record.blob, reader, &self->blob_size, &frame);
    const uint8_t *extras = dw_message_resolve (message, 0, &record.extras, reader, &size, &frame);
    if (reader->is_damaged || (!self->delivered->is_trusted && !s_check_slots (self)))
        return DW_EPROTOCOL;
    if (!extras)
        return DW_OK;
    return s_take_bytes (self, size) ? s_read_extras (self, extras, size) : DW_EPROTOCOL;
}

int dw_result_new (dw_result_t **self_p, dw_wire_reader_t *reader, dw_delivered_t *delivered,
                   dw_roster_t *names) {
    dw_result_t *self = calloc (1, sizeof *self);
    if (!self)
        return DW_ENOMEM;
    self->names = names;
    self->delivered = delivered;
    names->references++;
    delivered->references++;
    int err = s_read (self, reader);
    if (err)
        dw_result_destroy (&self);
    else
        *self_p = self;
    return err;
}

void dw_result_destroy (dw_result_t **self_p) {
    dw_result_t *self = *self_p;
    if (!self)
        return;
    for (uint32_t i = 0; i < self->extras_count; i++) {
        free (self->extras[i].message);
        free (self->extras[i].causes);
        free (self->extras[i].pairs);
        free (self->extras[i].pair_at);
    }
    free (self->extras);
    free (self->extra_of);
    free (self->failures);
    free (self->outputs);
    dw_roster_release (&self->names);
    dw_delivered_release (&self->delivered);
    free (self);
    *self_p = NULL;
}

dw_result_t **dw_result_next (dw_result_t *self) {
    return &self->next;
}

/* ---- Asking ----------------------------------------------------------------------------------- */

const char *dw_run_status_text (dw_run_status_t status) {
    switch (status) {
        case DW_RUN_OK: return "ok";
        case DW_RUN_PARTIAL: return "partial";
        case DW_RUN_FAILED: return "failed";
        case DW_RUN_CANCELLED: return "cancelled";
    }
    return "unknown";
}

const char *dw_node_status_text (dw_node_status_t status) {
    switch (status) {
        case DW_NODE_DONE: return "done";
        case DW_NODE_FAILED: return "failed";
        case DW_NODE_SKIPPED: return "skipped";
        case DW_NODE_CANCELLED: return "cancelled";
        case DW_NODE_NOT_REQUESTED: return "not_requested";
    }
    return "unknown";
}

uint64_t dw_result_run (const dw_result_t *self) {
    return self->run;
}

dw_run_status_t dw_result_status (const dw_result_t *self) {
    return self->status;
}

uint64_t dw_result_duration_us (const dw_result_t *self) {
    return self->duration_us;
}

size_t dw_result_nodes_count (const dw_result_t *self) {
    return self->names->count;
}

int dw_result_find (const dw_result_t *self, const char *id) {
    return dw_roster_find (self->names, id);
}

static s_extra_t *s_extra (const dw_result_t *self, int node) {
    if (!s_is_node (self, node) || !self->extra_of || self->extra_of[node] == DW_NONE)
        return NULL;
    return &self->extras[self->extra_of[node]];
}

const char *dw_result_id (const dw_result_t *self, int node) {
    return s_is_node (self, node) ? self->names->ids[node] : NULL;
}

dw_node_status_t dw_result_node_status (const dw_result_t *self, int node) {
    return (dw_node_status_t) s_slot (self, node).status;
}

unsigned dw_result_attempts (const dw_result_t *self, int node) {
    return s_slot (self, node).attempts;
}

uint64_t dw_result_node_duration_us (const dw_result_t *self, int node) {
    return s_slot (self, node).duration_us;
}

const void *dw_result_payload (const dw_result_t *self, int node, size_t *size_p) {
    const uint8_t *payload = NULL;
    uint32_t place = 0;
    dw_slot_t slot = s_slot (self, node);
    memcpy (&place, slot.bytes, sizeof place);
    switch ((dw_slot_form_t) slot.form) {
        case DW_SLOT_BYTES_INSIDE:
            if (slot.size <= DW_SLOT_BYTES)
                payload = self->table + (size_t) node * sizeof slot + offsetof (dw_slot_t, bytes);
            break;
        case DW_SLOT_BLOB:
            if (self->blob && place <= self->blob_size && slot.size <= self->blob_size - place)
                payload = self->blob + place;
            break;
        case DW_SLOT_FRAME:
            if (place > 0 && place < self->delivered->message.count &&
                zmq_msg_size (&self->delivered->message.frames[place]) == slot.size)
                payload = zmq_msg_data (&self->delivered->message.frames[place]);
            break;
        case DW_SLOT_EXTRA:
        case DW_SLOT_BYTES_OUTSIDE:
        case DW_SLOT_NONE: break;
    }
    if (size_p)
        *size_p = payload ? slot.size : 0;
    return payload;
}

const char *dw_result_text (const dw_result_t *self, int node, size_t *size_p) {
    size_t size, text_size = 0;
    const void *payload = dw_result_payload (self, node, &size);
    const char *text = payload ? dw_payload_text (payload, size, &text_size) : NULL;
    if (size_p)
        *size_p = text_size;
    return text;
}

/* Makes strings of a node's metadata; false: it has none, or there is no memory. */
static bool s_make_pairs (s_extra_t *extra) {
    dw_payload_map_t map;
    dw_payload_pair_t pair;
    if (extra->pair_at || !extra->record.metadata)
        return extra->pair_at != NULL;
    /* Every str has at least a byte of header, which makes room for the NUL byte. */
    extra->pairs = malloc (extra->record.metadata_size + 2);
    size_t count = dw_payload_map_start (&map, extra->record.metadata, extra->record.metadata_size);
    extra->pair_at = malloc ((2 * count + 2) * sizeof *extra->pair_at);
    if (!extra->pairs || !extra->pair_at) {
        free (extra->pair_at);
        free (extra->pairs);
        extra->pair_at = NULL;
        extra->pairs = NULL;
        return false;
    }
    char *at = extra->pairs;
    while (dw_payload_map_next (&map, &pair)) {
        extra->pair_at[2 * extra->pairs_count] = memcpy (at, pair.key, pair.key_size);
        at += pair.key_size;
        *at++ = '\0';
        extra->pair_at[2 * extra->pairs_count + 1] = memcpy (at, pair.value, pair.value_size);
        at += pair.value_size;
        *at++ = '\0';
        extra->pairs_count++;
    }
    return true;
}

size_t dw_result_metadata_count (const dw_result_t *self, int node) {
    s_extra_t *extra = s_extra (self, node);
    return extra && s_make_pairs (extra) ? extra->pairs_count : 0;
}

int dw_result_metadata_at (const dw_result_t *self, int node, size_t index, const char **key_p,
                           const char **value_p) {
    if (index >= dw_result_metadata_count (self, node))
        return DW_ENOENT;
    const s_extra_t *extra = s_extra (self, node);
    *key_p = extra->pair_at[2 * index];
    *value_p = extra->pair_at[2 * index + 1];
    return DW_OK;
}

int dw_result_error_code (const dw_result_t *self, int node) {
    const s_extra_t *extra = s_extra (self, node);
    return extra ? extra->record.code : 0;
}

const char *dw_result_error_message (const dw_result_t *self, int node) {
    const s_extra_t *extra = s_extra (self, node);
    if (!extra || !extra->record.code)
        return NULL;
    return extra->message ? extra->message : "";
}

size_t dw_result_because_of_count (const dw_result_t *self, int node) {
    const s_extra_t *extra = s_extra (self, node);
    return extra ? extra->causes_count : 0;
}

int dw_result_because_of_at (const dw_result_t *self, int node, size_t index) {
    if (index >= dw_result_because_of_count (self, node))
        return DW_ENOENT;
    return (int) s_extra (self, node)->causes[index];
}

unsigned dw_result_added_nodes (const dw_result_t *self, int node) {
    const s_extra_t *extra = s_extra (self, node);
    return extra ? extra->record.added_nodes : 0;
}

unsigned dw_result_added_depth (const dw_result_t *self, int node) {
    const s_extra_t *extra = s_extra (self, node);
    return extra ? extra->record.added_depth : 0;
}

size_t dw_result_failures_count (const dw_result_t *self) {
    return self->failures_count;
}

int dw_result_failure_at (const dw_result_t *self, size_t index) {
    return index < self->failures_count ? self->failures[index] : DW_ENOENT;
}

size_t dw_result_outputs_count (const dw_result_t *self) {
    return self->outputs ? self->outputs_count : self->names->sinks_count;
}

int dw_result_output_at (const dw_result_t *self, size_t index) {
    if (index >= dw_result_outputs_count (self))
        return DW_ENOENT;
    return (int) (self->outputs ? self->outputs[index] : self->names->sinks[index]);
}
