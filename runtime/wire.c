/* wire.c - integers and byte strings in msgpack, bounded. (The format: the MessagePack
 * specification, github.com/msgpack/msgpack/blob/master/spec.md) */

#include "runtime/wire.h"

#include "runtime/payload.h"

#include <endian.h>
#include <stdlib.h>
#include <string.h>

const char *dw_wire_type_text (uint32_t type) {
    static const char *const names[DW_WIRE_TYPES] = {
        "HELLO",  "WELCOME", "REFUSED", "TASKS",  "ANSWERS", "CANCEL", "STOP",    "SUBMIT",
        "ABORT",  "RESULTS", "BYE",     "CLOSE",  "CLOSED",  "COUNT",  "COUNTS",  "BEAT",
        "DRAIN",  "REPLACE", "STATUS",  "RELOAD", "DROP",    "ENDED",  "STALLED", "TAKEN",
        "DETACH", "CLAIM",   "WHERE",   "MOVED",  "REFER",   "GRAPH"};
    return type < DW_WIRE_TYPES ? names[type] : NULL;
}

/* ---- Writing ---------------------------------------------------------------------------------- */

static uint8_t *s_resize (dw_writer_t *self, size_t size, size_t more) {
    uint8_t *bytes = size - self->count < more ? NULL : realloc (self->bytes, size);
    if (!bytes) {
        self->no_memory = true;
        return NULL;
    }
    self->bytes = bytes;
    self->size = size;
    return self->bytes + self->count;
}

uint8_t *dw_writer_grow (dw_writer_t *self, size_t more) {
    size_t size = self->size ? self->size : 256;
    while (size - self->count < more && size < SIZE_MAX / 2)
        size *= 2;
    return s_resize (self, size, more);
}

void dw_writer_reserve (dw_writer_t *self, size_t more) {
    if (self->size - self->count < more && more <= SIZE_MAX - self->count)
        s_resize (self, self->count + more, more);
}

void dw_writer_free (dw_writer_t *self) {
    free (self->bytes);
    memset (self, 0, sizeof *self);
}

/* A code byte and the value's low bytes, big-endian. Copies eight bytes at any size: the caller
 * made room for them. */
static size_t s_put (uint8_t *at, uint8_t code, uint64_t value, unsigned size) {
    uint64_t big_endian = htobe64 (value << (64 - 8 * size));
    at[0] = code;
    memcpy (at + 1, &big_endian, sizeof big_endian);
    return 1 + size;
}

void dw_write_raw (dw_writer_t *self, const void *bytes, size_t size) {
    uint8_t *at = size ? dw_writer_room (self, size) : NULL;
    if (!at)
        return;
    memcpy (at, bytes, size);
    self->count += size;
}

void dw_write_long_uint (dw_writer_t *self, uint64_t value) {
    uint8_t *at = dw_writer_room (self, 9);
    if (!at)
        return;
    if (value <= UINT8_MAX)
        self->count += s_put (at, 0xcc, value, 1);
    else if (value <= UINT16_MAX)
        self->count += s_put (at, 0xcd, value, 2);
    else if (value <= UINT32_MAX)
        self->count += s_put (at, 0xce, value, 4);
    else
        self->count += s_put (at, 0xcf, value, 8);
}

void dw_write_array (dw_writer_t *self, uint32_t count) {
    uint8_t *at = dw_writer_room (self, 9);
    if (!at)
        return;
    if (count < 16) {
        *at = (uint8_t) (0x90 | count);
        self->count++;
    } else if (count <= UINT16_MAX)
        self->count += s_put (at, 0xdc, count, 2);
    else
        self->count += s_put (at, 0xdd, count, 4);
}

static void s_write_bytes (dw_writer_t *self, const uint8_t *head, size_t head_size,
                           const void *bytes, size_t size) {
    uint8_t *at = dw_writer_room (self, head_size + size);
    if (!at)
        return;
    memcpy (at, head, head_size);
    if (size)
        memcpy (at + head_size, bytes, size);
    self->count += head_size + size;
}

void dw_write_bin (dw_writer_t *self, const void *bytes, size_t size) {
    uint8_t *at = size > 0 && size <= UINT8_MAX ? dw_writer_room (self, 2 + size) : NULL;
    if (at) { /* what most payloads are */
        at[0] = DW_PAYLOAD_BIN_8;
        at[1] = (uint8_t) size;
        memcpy (at + 2, bytes, size);
        self->count += 2 + size;
        return;
    }
    uint8_t head[DW_PAYLOAD_HEAD_MAX];
    s_write_bytes (self, head, dw_payload_bytes_head (head, size), bytes, size);
}

void dw_write_str (dw_writer_t *self, const char *text, size_t size) {
    uint8_t head[DW_PAYLOAD_HEAD_MAX];
    s_write_bytes (self, head, dw_payload_text_head (head, size), text, size);
}

/* ---- Reading ---------------------------------------------------------------------------------- */

static inline size_t s_left (const dw_wire_reader_t *self) {
    return (size_t) (self->end - self->at);
}

/* A big-endian number of size bytes behind a code byte, both taken. */
static uint64_t s_take (dw_wire_reader_t *self, unsigned size) {
    uint64_t value = 0;
    if (s_left (self) < 1 + (size_t) size) {
        dw_wire_damage (self);
        return 0;
    }
    for (unsigned i = 1; i <= size; i++)
        value = value << 8 | self->at[i];
    self->at += 1 + size;
    return value;
}

uint64_t dw_read_long_uint (dw_wire_reader_t *self) {
    if (s_left (self) > 0 && *self->at >= 0xcc && *self->at <= 0xcf)
        return s_take (self, 1u << (*self->at - 0xcc));
    dw_wire_damage (self);
    return 0;
}

uint32_t dw_read_uint_max (dw_wire_reader_t *self, uint32_t max) {
    uint64_t value = dw_read_uint (self);
    if (value <= max)
        return (uint32_t) value;
    dw_wire_damage (self);
    return 0;
}

uint32_t dw_read_array (dw_wire_reader_t *self) {
    uint64_t count;
    if (s_left (self) > 0 && (*self->at & 0xf0) == 0x90)
        count = *self->at++ & 0x0f;
    else if (s_left (self) > 0 && (*self->at == 0xdc || *self->at == 0xdd))
        count = s_take (self, *self->at == 0xdc ? 2 : 4);
    else {
        dw_wire_damage (self);
        return 0;
    }
    if (count <= s_left (self))
        return (uint32_t) count;
    dw_wire_damage (self);
    return 0;
}

/* The content of size bytes, at most max. */
static const uint8_t *s_content (dw_wire_reader_t *self, uint64_t size, size_t max,
                                 size_t *size_p) {
    if (self->is_damaged || size > max || size > s_left (self)) {
        dw_wire_damage (self);
        *size_p = 0;
        return NULL;
    }
    const uint8_t *content = self->at;
    self->at += size;
    *size_p = (size_t) size;
    return content;
}

const uint8_t *dw_read_bin (dw_wire_reader_t *self, size_t max, size_t *size_p) {
    uint64_t size = 0;
    if (s_left (self) > 0 && *self->at >= 0xc4 && *self->at <= 0xc6)
        size = s_take (self, 1u << (*self->at - 0xc4));
    else
        dw_wire_damage (self);
    return s_content (self, size, max, size_p);
}

const char *dw_read_str (dw_wire_reader_t *self, size_t max, size_t *size_p) {
    uint64_t size = 0;
    if (s_left (self) > 0 && (*self->at & 0xe0) == 0xa0)
        size = *self->at++ & 0x1f;
    else if (s_left (self) > 0 && *self->at >= 0xd9 && *self->at <= 0xdb)
        size = s_take (self, 1u << (*self->at - 0xd9));
    else
        dw_wire_damage (self);
    return (const char *) s_content (self, size, max, size_p);
}

dw_ref_t dw_read_ref (dw_wire_reader_t *self) {
    dw_ref_t ref = {0};
    if (s_left (self) >= 2 && self->at[0] == DW_PAYLOAD_BIN_8 && self->at[1] <= s_left (self) - 2) {
        ref.size = self->at[1]; /* what most payloads are */
        ref.bytes = self->at + 2;
        self->at += 2 + ref.size;
        return ref;
    }
    if (dw_read_nil (self))
        return ref;
    if (s_left (self) > 0 && *self->at >= 0xc4 && *self->at <= 0xc6) {
        ref.bytes = dw_read_bin (self, SIZE_MAX, &ref.size);
        return ref;
    }
    ref.frame = dw_read_uint_max (self, DW_WIRE_FRAMES_MAX);
    if (ref.frame == 0)
        dw_wire_damage (self);
    return ref;
}

dw_ref_t dw_read_kept_ref (dw_wire_reader_t *self) {
    bool is_kept = self->at != self->end && (*self->at == 0x91 || *self->at == 0x92);
    if (!is_kept)
        return dw_read_ref (self);
    dw_ref_t ref = {0};
    if (*self->at++ == 0x92) {
        ref.frame = dw_read_uint_max (self, DW_WIRE_FRAMES_MAX);
        if (ref.frame == 0)
            dw_wire_damage (self);
    }
    ref.place = dw_read_uint_max (self, DW_WIRE_PLACES - 1) + 1;
    return ref;
}

/* ---- Records ---------------------------------------------------------------------------------- */

void dw_write_hello (dw_writer_t *self, const dw_wire_hello_t *hello) {
    dw_write_uint (self, DW_WIRE_HELLO);
    dw_write_str (self, DW_WIRE_MAGIC, strlen (DW_WIRE_MAGIC));
    dw_write_uint (self, hello->version);
    dw_write_uint (self, hello->oldest);
    dw_write_uint (self, hello->role);
    dw_write_bin (self, hello->token, DW_WIRE_TOKEN_SIZE);
    dw_write_uint (self, hello->number);
    dw_write_uint (self, hello->credit);
}

uint32_t dw_wire_common_version (const dw_wire_hello_t *hello) {
    uint32_t highest = hello->version < DW_WIRE_VERSION ? hello->version : DW_WIRE_VERSION;
    return highest >= DW_WIRE_OLDEST && highest >= hello->oldest ? highest : 0;
}

/* The first version whose HELLO says what else its peer speaks; those before it are spoken
 * alone. */
#define FIRST_WITH_OLDEST 3u

bool dw_read_hello (dw_wire_reader_t *self, dw_wire_hello_t *hello) {
    size_t size;
    memset (hello, 0, sizeof *hello);
    const char *magic = dw_read_str (self, 16, &size);
    if (!magic || size != strlen (DW_WIRE_MAGIC) || memcmp (magic, DW_WIRE_MAGIC, size) != 0)
        return false;
    hello->version = dw_read_uint_max (self, UINT32_MAX);
    hello->oldest = hello->version < FIRST_WITH_OLDEST ? hello->version
                                                       : dw_read_uint_max (self, hello->version);
    if (self->is_damaged || dw_wire_common_version (hello) == 0)
        return !self->is_damaged;
    hello->role = dw_read_uint_max (self, DW_WIRE_SOLO);
    hello->token = dw_read_bin (self, DW_WIRE_TOKEN_SIZE, &size);
    hello->number = dw_read_uint_max (self, UINT32_MAX);
    hello->credit = dw_read_uint_max (self, UINT32_MAX);
    return !self->is_damaged && size == DW_WIRE_TOKEN_SIZE;
}

void dw_write_identity (dw_writer_t *self, const dw_wire_identity_t *identity) {
    dw_write_bin (self, identity->uuid, DW_WIRE_UUID_SIZE);
    dw_write_uint (self, identity->incarnation);
}

bool dw_read_identity (dw_wire_reader_t *self, dw_wire_identity_t *identity) {
    size_t size;
    memset (identity, 0, sizeof *identity);
    identity->uuid = dw_read_bin (self, DW_WIRE_UUID_SIZE, &size);
    identity->incarnation = dw_read_uint (self);
    return !self->is_damaged && size == DW_WIRE_UUID_SIZE;
}

void dw_write_agent (dw_writer_t *self, const dw_wire_agent_t *agent) {
    dw_write_bin (self, agent->uuid, DW_WIRE_UUID_SIZE);
    dw_write_uint (self, agent->incarnation);
    dw_write_uint (self, agent->slots);
    dw_write_uint (self, agent->pid);
    dw_write_str (self, agent->host, agent->host_size);
    dw_write_array (self, agent->processors_count);
}

bool dw_read_agent (dw_wire_reader_t *self, dw_wire_agent_t *agent) {
    size_t size;
    memset (agent, 0, sizeof *agent);
    agent->uuid = dw_read_bin (self, DW_WIRE_UUID_SIZE, &size);
    agent->incarnation = dw_read_uint (self);
    agent->slots = dw_read_uint_max (self, UINT32_MAX);
    agent->pid = dw_read_uint (self);
    agent->host = dw_read_str (self, 255, &agent->host_size);
    agent->processors_count = dw_read_array (self);
    if (agent->processors_count > DW_WIRE_OFFERED_MAX)
        dw_wire_damage (self);
    return !self->is_damaged && size == DW_WIRE_UUID_SIZE;
}

const char *dw_read_name (dw_wire_reader_t *self, size_t *size_p) {
    const char *name = dw_read_str (self, DW_WIRE_NAME_MAX, size_p);
    return self->is_damaged ? NULL : name;
}

uint32_t dw_read_tags (dw_wire_reader_t *self) {
    uint32_t count = dw_read_array (self);
    if (count > DW_WIRE_TAGS_MAX || count > s_left (self) / 2)
        dw_wire_damage (self);
    return self->is_damaged ? 0 : count;
}

void dw_write_slot (dw_writer_t *self, const dw_wire_slot_t *slot) {
    dw_write_uint (self, slot->number);
    dw_write_uint (self, slot->at);
    dw_write_uint (self, slot->ticket);
}

bool dw_read_slot (dw_wire_reader_t *self, dw_wire_slot_t *slot) {
    slot->number = dw_read_uint_max (self, UINT32_MAX);
    slot->at = (dw_wire_at_t) dw_read_uint_max (self, DW_WIRE_AT_SILENT);
    slot->ticket = dw_read_uint (self);
    return !self->is_damaged;
}

void dw_write_ended (dw_writer_t *self, const dw_wire_ended_t *ended) {
    dw_write_uint (self, ended->number);
    dw_write_uint (self, ended->replaced);
    dw_write_uint (self, ended->pid);
    dw_write_uint (self, ended->how);
    dw_write_uint (self, ended->value);
    dw_write_bin (self, ended->tail, ended->tail_size);
}

bool dw_read_ended (dw_wire_reader_t *self, dw_wire_ended_t *ended) {
    memset (ended, 0, sizeof *ended);
    ended->number = dw_read_uint_max (self, UINT32_MAX);
    ended->replaced = dw_read_uint_max (self, UINT32_MAX);
    ended->pid = dw_read_uint (self);
    ended->how = (dw_wire_how_t) dw_read_uint_max (self, DW_WIRE_DOWN);
    ended->value = dw_read_uint_max (self, UINT32_MAX);
    ended->tail = dw_read_bin (self, DW_WIRE_TAIL_MAX, &ended->tail_size);
    return !self->is_damaged;
}

bool dw_read_welcome (dw_wire_reader_t *self, dw_wire_welcome_t *welcome) {
    size_t size, token_size;
    memset (welcome, 0, sizeof *welcome);
    welcome->peer = dw_read_uint_max (self, UINT32_MAX);
    welcome->heartbeat_ms = dw_read_uint_max (self, UINT32_MAX);
    welcome->silence_ms = dw_read_uint_max (self, UINT32_MAX);
    welcome->system = dw_read_bin (self, DW_WIRE_TOKEN_SIZE, &size);
    welcome->token = dw_read_bin (self, DW_WIRE_TOKEN_SIZE, &token_size);
    welcome->digest = dw_read_uint (self);
    welcome->graph = dw_read_ref (self);
    welcome->workers_count = dw_read_array (self);
    return !self->is_damaged && size == DW_WIRE_TOKEN_SIZE && token_size == DW_WIRE_TOKEN_SIZE &&
           dw_wire_is_pulse (welcome->heartbeat_ms, welcome->silence_ms);
}

bool dw_read_solo (dw_wire_reader_t *self, dw_wire_solo_t *solo) {
    memset (solo, 0, sizeof *solo);
    solo->peer = dw_read_uint_max (self, UINT32_MAX);
    solo->heartbeat_ms = dw_read_uint_max (self, UINT32_MAX);
    solo->silence_ms = dw_read_uint_max (self, UINT32_MAX);
    solo->max_payload_bytes = dw_read_uint (self);
    solo->nodes = dw_read_ref (self);
    return !self->is_damaged && !dw_ref_is_nil (&solo->nodes) &&
           dw_wire_is_pulse (solo->heartbeat_ms, solo->silence_ms);
}

/* What a processor promises, a bit each. */
#define PAYLOAD_ONLY 1u
#define MAY_SKIP     2u
#define MAY_ADD      4u

void dw_write_promises (dw_writer_t *self, const dw_trait_t *trait) {
    dw_write_uint (self, trait->brief);
    dw_write_uint (self, (trait->payload_only ? PAYLOAD_ONLY : 0) |
                             (trait->may_skip ? MAY_SKIP : 0) | (trait->may_add ? MAY_ADD : 0));
}

void dw_read_promises (dw_wire_reader_t *self, dw_trait_t *trait) {
    trait->brief = dw_read_uint_max (self, true);
    uint32_t promises = dw_read_uint_max (self, PAYLOAD_ONLY | MAY_SKIP | MAY_ADD);
    trait->payload_only = promises & PAYLOAD_ONLY;
    trait->may_skip = promises & MAY_SKIP;
    trait->may_add = promises & MAY_ADD;
}

void dw_write_trait (dw_writer_t *self, const dw_wire_trait_t *trait) {
    dw_write_str (self, trait->name, trait->name_size);
    dw_write_uint (self, trait->trait.intent == DW_ANALYZE);
    dw_write_promises (self, &trait->trait);
}

bool dw_read_trait (dw_wire_reader_t *self, dw_wire_trait_t *trait) {
    trait->name = dw_read_str (self, SIZE_MAX, &trait->name_size);
    trait->trait.intent = dw_read_uint_max (self, true) ? DW_ANALYZE : DW_TRANSFORM;
    dw_read_promises (self, &trait->trait);
    return !self->is_damaged;
}

bool dw_read_task (dw_wire_reader_t *self, dw_wire_task_t *task) {
    task->run = dw_read_uint (self);
    task->node = dw_read_uint_max (self, UINT32_MAX);
    task->steps = dw_read_uint_max (self, UINT32_MAX);
    task->attempt = dw_read_uint_max (self, UINT16_MAX);
    task->payload = dw_read_kept_ref (self);
    task->dependencies_count = dw_read_nil (self) ? 0 : dw_read_array (self);
    return !self->is_damaged;
}

bool dw_read_answer (dw_wire_reader_t *self, dw_wire_answer_record_t *record) {
    memset (record, 0, sizeof *record);
    record->ticket = dw_read_uint (self);
    record->step = dw_read_uint_max (self, UINT32_MAX);
    record->answer = (dw_wire_answer_t) dw_read_uint_max (self, DW_WIRE_ADDED);
    record->duration_ns = dw_read_uint (self);
    switch (record->answer) {
        case DW_WIRE_MORE:
        case DW_WIRE_DONE:
            /* Two references a step follow, a byte each at the least. */
            record->steps = dw_read_uint_max (
                self, (uint32_t) (s_left (self) < UINT32_MAX ? s_left (self) / 2 : UINT32_MAX));
            if (record->steps > s_left (self) / 2)
                dw_wire_damage (self);
            break;
        case DW_WIRE_FAILED:
            record->code = (uint16_t) dw_read_uint_max (self, 999);
            record->message = dw_read_str (self, 8192, &record->message_size);
            break;
        case DW_WIRE_RETURNED:
        case DW_WIRE_SKIPPED:
        case DW_WIRE_ADDED: break;
    }
    return !self->is_damaged;
}

/* A list of nodes, or nil: how many follow. */
static uint32_t s_read_nodes (dw_wire_reader_t *self) {
    return dw_read_nil (self) ? 0 : dw_read_array (self);
}

bool dw_read_submission (dw_wire_reader_t *self, dw_wire_submission_t *record) {
    record->run = dw_read_uint (self);
    record->payload = dw_read_ref (self);
    record->deadline_ms = dw_read_uint_max (self, UINT32_MAX);
    record->outputs_count = s_read_nodes (self);
    return !self->is_damaged;
}

bool dw_read_result (dw_wire_reader_t *self, dw_wire_result_t *record) {
    record->run = dw_read_uint (self);
    record->status = dw_read_uint_max (self, 3);
    record->duration_us = dw_read_uint (self);
    record->table = dw_read_ref (self);
    record->blob = dw_read_ref (self);
    record->extras = dw_read_ref (self);
    record->outputs_are_sinks = self->at != self->end && *self->at == 0xc0;
    record->outputs_count = s_read_nodes (self);
    return !self->is_damaged;
}

bool dw_read_extra (dw_wire_reader_t *self, dw_wire_extra_t *record) {
    memset (record, 0, sizeof *record);
    record->node = dw_read_uint_max (self, UINT32_MAX);
    if (!dw_read_nil (self))
        record->metadata = dw_read_bin (self, SIZE_MAX, &record->metadata_size);
    record->code = (uint16_t) dw_read_uint_max (self, 999);
    if (!dw_read_nil (self))
        record->message = dw_read_str (self, SIZE_MAX, &record->message_size);
    record->added_nodes = dw_read_uint_max (self, UINT32_MAX);
    record->added_depth = dw_read_uint_max (self, UINT32_MAX);
    record->causes_count = s_read_nodes (self);
    return !self->is_damaged;
}
