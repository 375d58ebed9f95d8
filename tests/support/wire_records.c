/* wire_records.c - the records of the protocol for the tests. */

#include "tests/support/wire_records.h"

#include <msgpack.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "actors/result.h"
#include "actors/status.h"
#include "actors/traits.h"
#include "runtime/briefing.h"
#include "runtime/payload.h"

/* ---- Writing ---------------------------------------------------------------------------------- */

void wire_write_ref (dw_writer_t *self, const dw_ref_t *ref) {
    if (ref->place)
        dw_write_array (self, ref->frame ? 2 : 1);
    if (ref->frame)
        dw_write_uint (self, ref->frame);
    else if (ref->bytes)
        dw_write_bin (self, ref->bytes, ref->size);
    else if (!ref->place)
        dw_write_nil (self);
    if (ref->place)
        dw_write_uint (self, ref->place - 1);
}

static void s_write_refs (dw_writer_t *self, const dw_ref_t *refs, uint32_t count) {
    for (uint32_t i = 0; i < count; i++)
        wire_write_ref (self, &refs[i]);
}

static void s_write_nodes (dw_writer_t *self, const uint32_t *nodes, uint32_t count) {
    dw_write_array (self, count);
    for (uint32_t i = 0; i < count; i++)
        dw_write_uint (self, nodes[i]);
}

void wire_write_task (dw_writer_t *self, const dw_wire_task_t *task, const dw_ref_t *refs) {
    dw_write_uint (self, task->run);
    dw_write_uint (self, task->node);
    dw_write_uint (self, task->steps);
    dw_write_uint (self, task->attempt);
    wire_write_ref (self, &task->payload);
    if (task->dependencies_count)
        dw_write_array (self, task->dependencies_count);
    else
        dw_write_nil (self);
    s_write_refs (self, refs, 2 * task->dependencies_count);
}

void wire_write_answer (dw_writer_t *self, const dw_wire_answer_record_t *answer,
                        const dw_ref_t *refs) {
    dw_write_uint (self, answer->ticket);
    dw_write_uint (self, answer->step);
    dw_write_uint (self, answer->answer);
    dw_write_uint (self, answer->duration_ns);
    switch (answer->answer) {
        case DW_WIRE_MORE:
        case DW_WIRE_DONE:
            dw_write_uint (self, answer->steps);
            s_write_refs (self, refs, 2 * answer->steps);
            return;
        case DW_WIRE_FAILED:
            dw_write_uint (self, answer->code);
            dw_write_str (self, answer->message, answer->message_size);
            return;
        case DW_WIRE_RETURNED:
        case DW_WIRE_SKIPPED: return;
        case DW_WIRE_ADDED: s_write_refs (self, refs, 3); return;
    }
}

void wire_write_submission (dw_writer_t *self, const dw_wire_submission_t *submission,
                            const uint32_t *outputs) {
    dw_write_uint (self, submission->run);
    wire_write_ref (self, &submission->payload);
    dw_write_uint (self, submission->deadline_ms);
    if (submission->outputs_count)
        s_write_nodes (self, outputs, submission->outputs_count);
    else
        dw_write_nil (self);
}

void wire_write_result (dw_writer_t *self, const dw_wire_result_t *result,
                        const uint32_t *outputs) {
    dw_write_uint (self, result->run);
    dw_write_uint (self, result->status);
    dw_write_uint (self, result->duration_us);
    wire_write_ref (self, &result->table);
    wire_write_ref (self, &result->blob);
    wire_write_ref (self, &result->extras);
    if (result->outputs_are_sinks)
        dw_write_nil (self);
    else
        s_write_nodes (self, outputs, result->outputs_count);
}

void wire_write_extra (dw_writer_t *self, const dw_wire_extra_t *extra, const uint32_t *causes) {
    dw_write_uint (self, extra->node);
    if (extra->metadata)
        dw_write_bin (self, extra->metadata, extra->metadata_size);
    else
        dw_write_nil (self);
    dw_write_uint (self, extra->code);
    if (extra->message)
        dw_write_str (self, extra->message, extra->message_size);
    else
        dw_write_nil (self);
    dw_write_uint (self, extra->added_nodes);
    dw_write_uint (self, extra->added_depth);
    if (extra->causes_count)
        s_write_nodes (self, causes, extra->causes_count);
    else
        dw_write_nil (self);
}

/* ---- Reading any bytes ------------------------------------------------------------------------ */

static void s_expect (bool is_so, const char *what) {
    if (is_so)
        return;
    fprintf (stderr, "a reader breaks its promise: %s\n", what);
    abort ();
}

/* Bytes that a reader gave lie within what it reads. */
static void s_expect_inside (const dw_wire_reader_t *reader, const uint8_t *begin,
                             const void *given, size_t size) {
    const uint8_t *at = given;
    if (!at) {
        s_expect (size == 0, "nothing has no size");
        return;
    }
    s_expect (at >= begin && at <= reader->end && size <= (size_t) (reader->end - at),
              "what it gives lies within its bytes");
    volatile uint8_t last = size ? at[size - 1] : 0;
    (void) last;
}

static void s_expect_sound (const dw_wire_reader_t *reader, const uint8_t *begin) {
    s_expect (reader->at >= begin && reader->at <= reader->end, "it stays within its bytes");
    s_expect (!reader->is_damaged || reader->at == reader->end, "nothing is left when damaged");
    if (!reader->is_damaged)
        return;
    dw_wire_reader_t again = *reader;
    size_t size = 1;
    s_expect (dw_read_uint (&again) == 0 && dw_read_array (&again) == 0 && !dw_read_nil (&again) &&
                  !dw_read_str (&again, SIZE_MAX, &size) && size == 0 && again.is_damaged &&
                  again.at == again.end,
              "once damaged it gives zeros");
}

static void s_expect_ref (const dw_wire_reader_t *reader, const uint8_t *begin,
                          const dw_ref_t *ref) {
    s_expect_inside (reader, begin, ref->bytes, ref->size);
    s_expect (ref->frame <= DW_WIRE_FRAMES_MAX, "frames are bounded");
    s_expect (ref->place <= DW_WIRE_PLACES, "places are bounded");
    s_expect (!ref->bytes || (!ref->frame && !ref->place), "a byte string is in one place");
}

static void s_read_ref (dw_wire_reader_t *reader, const uint8_t *begin) {
    dw_ref_t ref = dw_read_ref (reader);
    s_expect_ref (reader, begin, &ref);
    s_expect (ref.place == 0, "only what a task reads is kept");
}

/* A count that a record announced: each element takes a byte at the least. */
static void s_expect_count (const dw_wire_reader_t *reader, uint64_t count) {
    s_expect (count <= (uint64_t) (reader->end - reader->at), "a count is bounded by what is left");
}

static void s_read_refs (dw_wire_reader_t *reader, const uint8_t *begin, uint64_t count) {
    for (uint64_t i = 0; i < count && !reader->is_damaged; i++)
        s_read_ref (reader, begin);
}

static void s_read_nodes (dw_wire_reader_t *reader, uint32_t count) {
    s_expect_count (reader, count);
    for (uint32_t i = 0; i < count && !reader->is_damaged; i++)
        dw_read_uint_max (reader, UINT32_MAX);
}

static bool s_read_hello (dw_wire_reader_t *reader, const uint8_t *begin) {
    dw_wire_hello_t hello;
    bool ok = dw_read_hello (reader, &hello);
    s_expect (!ok || hello.oldest <= hello.version, "a range of versions has its ends in order");
    if (ok && dw_wire_common_version (&hello)) {
        s_expect (hello.role <= DW_WIRE_SOLO, "a role is one of those there are");
        s_expect_inside (reader, begin, hello.token, DW_WIRE_TOKEN_SIZE);
    }
    reader->at = reader->end; /* nothing follows a HELLO; what does is not looked at */
    return ok;
}

/* What an agent offers. */
static void s_read_offer (dw_wire_reader_t *reader, const uint8_t *begin, uint32_t count) {
    size_t size;
    s_expect (count <= DW_WIRE_OFFERED_MAX, "processors are bounded");
    for (; count > 0 && !reader->is_damaged; count--)
        if (dw_read_name (reader, &size))
            s_expect (size <= DW_WIRE_NAME_MAX, "a name is bounded");
    uint32_t tags = dw_read_tags (reader);
    s_expect (tags <= DW_WIRE_TAGS_MAX, "tags are bounded");
    for (uint32_t i = 0; i < 2 * tags && !reader->is_damaged; i++) {
        const char *name = dw_read_name (reader, &size);
        s_expect_inside (reader, begin, (const uint8_t *) name, name ? size : 0);
    }
}

static bool s_read_identity (dw_wire_reader_t *reader, const uint8_t *begin) {
    dw_wire_hello_t hello;
    dw_wire_identity_t identity;
    bool ok = dw_read_hello (reader, &hello);
    if (ok) {
        ok = dw_read_identity (reader, &identity);
        s_expect_inside (reader, begin, identity.uuid, ok ? DW_WIRE_UUID_SIZE : 0);
    }
    return ok;
}

static bool s_read_agent (dw_wire_reader_t *reader, const uint8_t *begin) {
    dw_wire_hello_t hello;
    dw_wire_agent_t agent;
    bool ok = dw_read_hello (reader, &hello);
    s_expect (!ok || hello.oldest <= hello.version, "a range of versions has its ends in order");
    if (ok && dw_wire_common_version (&hello)) {
        ok = dw_read_agent (reader, &agent);
        s_expect (!ok || agent.host_size <= 255, "a host's name is bounded");
        s_expect_inside (reader, begin, agent.host, agent.host_size);
        s_expect_inside (reader, begin, agent.uuid, ok ? DW_WIRE_UUID_SIZE : 0);
        if (ok)
            s_read_offer (reader, begin, agent.processors_count);
        ok = ok && !reader->is_damaged;
    }
    reader->at = reader->end;
    return ok;
}

static void s_read_briefing (const uint8_t *bytes, size_t size) {
    dw_wire_reader_t reader = dw_wire_reader (bytes, size);
    dw_briefed_t briefed;
    uint32_t count = dw_read_briefing (&reader);
    s_expect_count (&reader, count);
    for (; count > 0 && dw_read_briefed (&reader, &briefed); count--) {
        s_expect_inside (&reader, bytes, briefed.id, briefed.id_size);
        s_expect_inside (&reader, bytes, briefed.processor, briefed.processor_size);
        s_expect_inside (&reader, bytes, briefed.options, briefed.options_size);
        s_expect (dw_payload_check (briefed.options, briefed.options_size) == DW_OK,
                  "options are one value");
        s_expect (briefed.dependencies_count < size, "dependencies are bounded by the bytes");
    }
    s_expect_sound (&reader, bytes);
}

static bool s_read_solo (dw_wire_reader_t *reader, const uint8_t *begin) {
    dw_wire_solo_t solo;
    if (!dw_read_solo (reader, &solo))
        return false;
    s_expect (dw_wire_is_pulse (solo.heartbeat_ms, solo.silence_ms), "a pulse makes sense");
    s_expect_ref (reader, begin, &solo.nodes);
    if (solo.nodes.bytes)
        s_read_briefing (solo.nodes.bytes, solo.nodes.size);
    return true;
}

static bool s_read_welcome (dw_wire_reader_t *reader, const uint8_t *begin) {
    dw_wire_welcome_t welcome;
    if (!dw_read_welcome (reader, &welcome))
        return false;
    s_expect (dw_wire_is_pulse (welcome.heartbeat_ms, welcome.silence_ms), "a pulse makes sense");
    s_expect_inside (reader, begin, welcome.system, DW_WIRE_TOKEN_SIZE);
    s_expect_inside (reader, begin, welcome.token, DW_WIRE_TOKEN_SIZE);
    s_expect_inside (reader, begin, welcome.graph.bytes, welcome.graph.size);
    s_read_nodes (reader, welcome.workers_count);
    dw_read_uint (reader);
    dw_traits_t *traits = NULL;
    dw_trait_t trait;
    if (dw_traits_read (&traits, reader) == DW_OK)
        dw_traits_find (traits, "identity", &trait);
    dw_traits_destroy (&traits);
    return !reader->is_damaged;
}

/* How many records a status has: itself, and one for each worker; -1: it is damaged. */
static int s_read_status (dw_wire_reader_t *reader) {
    dw_status_t *status = NULL;
    size_t sum = 0;
    if (dw_status_new (&status, reader) != DW_OK) {
        s_expect (status == NULL, "a status that is damaged is none");
        return -1;
    }
    sum += strlen (status->graph);
    for (size_t i = 0; i < status->lanes_count; i++)
        sum += strlen (status->lanes[i].demand) + status->lanes[i].slots;
    for (size_t i = 0; i < status->workers_count; i++)
        sum += strlen (status->workers[i].host) + status->workers[i].slots;
    for (size_t i = 0; i < status->troubles_count; i++)
        sum += strlen (status->troubles[i]);
    s_expect (status->clients_shown <= 64 && status->runs_shown <= 64, "rows are bounded");
    for (size_t i = 0; i < status->clients_shown; i++)
        sum += strlen (status->clients[i].name) + status->clients[i].runs_in_flight;
    for (size_t i = 0; i < status->runs_shown; i++)
        sum += strlen (status->runs[i].client) + status->runs[i].sent;
    volatile size_t seen = sum; /* so that the reading is not left out */
    (void) seen;
    int records = (int) status->workers_count + 1;
    dw_status_destroy (&status);
    return records;
}

static bool s_read_slot (dw_wire_reader_t *reader) {
    dw_wire_slot_t slot;
    bool ok = dw_read_slot (reader, &slot);
    s_expect (!ok || slot.at <= DW_WIRE_AT_SILENT, "what a slot is at is one of those there are");
    return ok;
}

static bool s_read_ended (dw_wire_reader_t *reader, const uint8_t *begin) {
    dw_wire_ended_t ended;
    bool ok = dw_read_ended (reader, &ended);
    s_expect (ended.how <= DW_WIRE_DOWN, "how it ended is one of those there are");
    s_expect (ended.tail_size <= DW_WIRE_TAIL_MAX, "last words are bounded");
    s_expect_inside (reader, begin, ended.tail, ended.tail_size);
    return ok;
}

static bool s_read_task (dw_wire_reader_t *reader, const uint8_t *begin) {
    dw_wire_task_t task;
    bool ok = dw_read_task (reader, &task);
    s_expect_ref (reader, begin, &task.payload);
    if (!ok)
        return false;
    s_expect (task.attempt <= UINT16_MAX, "attempts are counted in 16 bits");
    s_expect_count (reader, task.dependencies_count);
    for (uint32_t i = 0; i < task.dependencies_count && !reader->is_damaged; i++) {
        dw_ref_t payload = dw_read_kept_ref (reader);
        s_expect_ref (reader, begin, &payload);
        s_read_ref (reader, begin);
    }
    return !reader->is_damaged;
}

static bool s_read_answer (dw_wire_reader_t *reader, const uint8_t *begin) {
    dw_wire_answer_record_t answer;
    if (!dw_read_answer (reader, &answer))
        return false;
    s_expect (answer.answer <= DW_WIRE_ADDED, "an answer is one of those there are");
    s_expect (answer.code <= 999 && answer.message_size <= 8192, "errors are bounded");
    s_expect_inside (reader, begin, answer.message, answer.message_size);
    uint64_t refs = answer.answer == DW_WIRE_ADDED ? 3 : 2 * (uint64_t) answer.steps;
    s_expect_count (reader, 2 * (uint64_t) answer.steps);
    s_read_refs (reader, begin, refs);
    return !reader->is_damaged;
}

static bool s_read_submission (dw_wire_reader_t *reader, const uint8_t *begin) {
    dw_wire_submission_t submission;
    bool ok = dw_read_submission (reader, &submission);
    s_expect_inside (reader, begin, submission.payload.bytes, submission.payload.size);
    if (ok)
        s_read_nodes (reader, submission.outputs_count);
    return !reader->is_damaged;
}

static bool s_read_result (dw_wire_reader_t *reader, const uint8_t *begin) {
    dw_wire_result_t result;
    bool ok = dw_read_result (reader, &result);
    s_expect (result.status <= DW_RUN_CANCELLED, "a status is one of those there are");
    s_expect_inside (reader, begin, result.table.bytes, result.table.size);
    s_expect_inside (reader, begin, result.blob.bytes, result.blob.size);
    s_expect_inside (reader, begin, result.extras.bytes, result.extras.size);
    if (ok)
        s_read_nodes (reader, result.outputs_count);
    return !reader->is_damaged;
}

static bool s_read_extra (dw_wire_reader_t *reader, const uint8_t *begin) {
    dw_wire_extra_t extra;
    bool ok = dw_read_extra (reader, &extra);
    s_expect_inside (reader, begin, extra.metadata, extra.metadata_size);
    s_expect_inside (reader, begin, extra.message, extra.message_size);
    if (ok)
        s_read_nodes (reader, extra.causes_count);
    return !reader->is_damaged;
}

/* ---- Against msgpack-c ------------------------------------------------------------------------ */

/* The object that bytes begin with, or false; only what dw_payload_measure lets through, since
 * msgpack-c allocates whatever an array's header says. */
static bool s_unpack (const uint8_t *bytes, size_t size, msgpack_unpacked *unpacked,
                      size_t *taken_p) {
    size_t measured = dw_payload_measure (bytes, size);
    *taken_p = 0;
    return measured && msgpack_unpack_next (unpacked, (const char *) bytes, measured, taken_p) ==
                           MSGPACK_UNPACK_SUCCESS;
}

/* Whether what was read is what msgpack-c read, which has a copy of its own. */
static bool s_is_same (const void *ours, size_t size, const char *theirs, size_t theirs_size) {
    return ours && size == theirs_size && (size == 0 || memcmp (ours, theirs, size) == 0);
}

static bool s_is_array (uint8_t code) {
    return (code & 0xf0) == 0x90 || code == 0xdc || code == 0xdd;
}

/* Reads one value by its first byte: an integer, nil, a str or a bin as msgpack-c reads it, of an
 * array the head alone; anything else damages. object: NULL when no whole value is there. */
static void s_read_as (dw_wire_reader_t *reader, const uint8_t *begin,
                       const msgpack_object *object) {
    size_t size;
    uint8_t code = *reader->at;
    if (s_is_array (code)) {
        uint32_t count = dw_read_array (reader);
        s_expect (!object || (!reader->is_damaged && count == object->via.array.size), "an array");
    } else if (code == 0xc0) {
        s_expect (dw_read_nil (reader) && object && object->type == MSGPACK_OBJECT_NIL, "nil");
    } else if ((code & 0xe0) == 0xa0 || (code >= 0xd9 && code <= 0xdb)) {
        const char *text = dw_read_str (reader, SIZE_MAX, &size);
        s_expect_inside (reader, begin, text, size);
        s_expect (!text == !object, "a str that is there is read");
        s_expect (!object || s_is_same (text, size, object->via.str.ptr, object->via.str.size),
                  "a str");
    } else if (code >= 0xc4 && code <= 0xc6) {
        const uint8_t *bin = dw_read_bin (reader, SIZE_MAX, &size);
        s_expect_inside (reader, begin, bin, size);
        s_expect (!bin == !object, "a bin that is there is read");
        s_expect (!object || s_is_same (bin, size, object->via.bin.ptr, object->via.bin.size),
                  "a bin");
    } else {
        uint64_t value = dw_read_uint (reader);
        bool is_unsigned = code < 0x80 || (code >= 0xcc && code <= 0xcf);
        s_expect ((is_unsigned && object) == !reader->is_damaged, "unsigned integers are read");
        s_expect (reader->is_damaged || value == object->via.u64, "an integer");
    }
}

static bool s_read_value (dw_wire_reader_t *reader, const uint8_t *begin) {
    const uint8_t *at = reader->at;
    size_t taken;
    msgpack_unpacked unpacked;
    msgpack_unpacked_init (&unpacked);
    bool has = s_unpack (at, (size_t) (reader->end - at), &unpacked, &taken);
    s_read_as (reader, begin, has ? &unpacked.data : NULL);
    if (!reader->is_damaged && !s_is_array (*at))
        s_expect ((size_t) (reader->at - at) == taken, "as many bytes as msgpack-c takes");
    msgpack_unpacked_destroy (&unpacked);
    return !reader->is_damaged;
}

/* ---- A client's reading ----------------------------------------------------------------------- */

void wire_ask (const dw_result_t *result) {
    int count = (int) dw_result_nodes_count (result);
    size_t size, sum = 0;
    const char *key, *value;
    for (int node = -1; node <= count; node++) {
        const uint8_t *payload = dw_result_payload (result, node, &size);
        sum += payload && size ? payload[0] + payload[size - 1] : 0;
        const char *text = dw_result_text (result, node, &size);
        sum += text && size ? (size_t) text[0] + (size_t) text[size - 1] : 0;
        for (size_t i = 0; dw_result_metadata_at (result, node, i, &key, &value) == DW_OK; i++)
            sum += strlen (key) + strlen (value);
        const char *message = dw_result_error_message (result, node);
        sum += message ? strlen (message) : 0;
        s_expect (!message == !dw_result_error_code (result, node), "a code has a message");
        for (size_t i = 0; i < dw_result_because_of_count (result, node); i++)
            s_expect (dw_result_because_of_at (result, node, i) < count, "a cause is a node");
        sum += strlen (dw_node_status_text (dw_result_node_status (result, node)));
    }
    for (size_t i = 0; i < dw_result_failures_count (result); i++)
        s_expect (dw_result_failure_at (result, i) < count, "a failure is a node");
    for (size_t i = 0; i < dw_result_outputs_count (result); i++)
        s_expect (dw_result_output_at (result, i) < count, "an output is a node");
    volatile size_t seen = sum; /* so that the reading is not left out */
    (void) seen;
}

/* The next piece of an input: its size in two bytes, then so many of them, or as many as there
 * are. */
static const uint8_t *s_take (const uint8_t **bytes, size_t *left, size_t *size_p) {
    size_t size = *left < 2 ? 0 : (size_t) ((*bytes)[0] << 8 | (*bytes)[1]);
    size_t head = *left < 2 ? *left : 2;
    const uint8_t *piece = *bytes + head;
    *size_p = size < *left - head ? size : *left - head;
    *bytes = piece + *size_p;
    *left -= head + *size_p;
    return piece;
}

static void s_fill (zmq_msg_t *frame, const uint8_t *bytes, size_t size) {
    s_expect (zmq_msg_init_size (frame, size) == 0, "memory");
    if (size)
        memcpy (zmq_msg_data (frame), bytes, size);
}

static int s_read_delivery (const uint8_t *bytes, size_t size) {
    dw_roster_t *names = NULL;
    dw_message_t message = {.frames = malloc (3 * sizeof (zmq_msg_t)), .count = 3, .size = 3};
    size_t left = size, graph_size, head_size, frame_size;
    const uint8_t *graph = s_take (&bytes, &left, &graph_size);
    const uint8_t *head = s_take (&bytes, &left, &head_size);
    const uint8_t *frame = s_take (&bytes, &left, &frame_size);
    int records = dw_roster_new (&names, graph, graph_size) ? -1 : 0;
    s_expect (message.frames != NULL, "memory");
    s_fill (&message.frames[0], head, head_size);
    s_fill (&message.frames[1], frame, frame_size);
    s_fill (&message.frames[2], bytes, left);
    dw_delivered_t *delivered = dw_delivered_new (&message, false);
    s_expect (delivered != NULL, "memory");
    dw_wire_reader_t reader = dw_wire_reader (zmq_msg_data (&delivered->message.frames[0]),
                                              head_size);
    while (names && records >= 0 && dw_wire_reader_has_more (&reader)) {
        dw_result_t *result = NULL;
        records = dw_result_new (&result, &reader, delivered, names) ? -1 : records + 1;
        if (result)
            wire_ask (result);
        dw_result_destroy (&result);
    }
    dw_roster_release (&names);
    dw_delivered_release (&delivered);
    return records;
}

uint8_t *wire_copy (const void *bytes, size_t size) {
    uint8_t *copy = malloc (size ? size : 1);
    s_expect (copy != NULL, "memory");
    memcpy (copy, bytes, size);
    return copy;
}

int wire_read (wire_kind_t kind, const uint8_t *bytes, size_t size) {
    dw_wire_reader_t reader = dw_wire_reader (bytes, size);
    int records = 0;
    bool ok = true;
    if (kind == WIRE_DELIVERY)
        return s_read_delivery (bytes, size);
    if (kind == WIRE_STATUS)
        return s_read_status (&reader);
    do {
        switch (kind) {
            case WIRE_HELLO: ok = s_read_hello (&reader, bytes); break;
            case WIRE_TASKS: ok = s_read_task (&reader, bytes); break;
            case WIRE_ANSWERS: ok = s_read_answer (&reader, bytes); break;
            case WIRE_SUBMISSIONS: ok = s_read_submission (&reader, bytes); break;
            case WIRE_RESULTS: ok = s_read_result (&reader, bytes); break;
            case WIRE_EXTRAS: ok = s_read_extra (&reader, bytes); break;
            case WIRE_IDENTITY: ok = s_read_identity (&reader, bytes); break;
            case WIRE_AGENT: ok = s_read_agent (&reader, bytes); break;
            case WIRE_WELCOME: ok = s_read_welcome (&reader, bytes); break;
            case WIRE_SOLO: ok = s_read_solo (&reader, bytes); break;
            case WIRE_SLOTS: ok = s_read_slot (&reader); break;
            case WIRE_ENDED: ok = s_read_ended (&reader, bytes); break;
            case WIRE_VALUES: ok = size == 0 || s_read_value (&reader, bytes); break;
            case WIRE_DELIVERY:
            case WIRE_STATUS:
            case WIRE_KINDS: return -1;
        }
        s_expect_sound (&reader, bytes);
        records++;
    } while (ok && dw_wire_reader_has_more (&reader));
    return ok ? records : -1;
}
