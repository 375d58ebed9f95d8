/* guest.c */

#include "cli/conformance/guest.h"

#include <stdio.h>
#include <string.h>

#include "actors/clock.h"
#include "runtime/payload.h"

#define PEER           70001u
#define SUBMIT_MS      6000
#define LOOK_NS        INT64_C (20000000)
#define SESSION        0x5a
#define LAST_WORDS_MAX 1000 /* messages */
#define ENDS_MS        2000 /* for a process to end behind its BYE */
#define TABLE_BYTES    (DW_GUEST_NODES * 32)

/* ---- Coming in -------------------------------------------------------------------------------- */

static void s_reset (dw_guest_t *self) {
    self->end = self->again = DW_STAGE_NONE;
    self->has_identity = self->is_mute = false;
    self->session = SESSION;
    self->messages = self->together_max = self->runs_count = self->answered = 0;
    self->beats = self->byes = self->aborts = self->foreign = 0;
    self->nonsense[0] = '\0';
}

/* Whether the HELLO that came last has a uuid and an incarnation. */
static void s_read_identity (dw_guest_t *self) {
    dw_wire_hello_t hello;
    dw_wire_identity_t identity;
    dw_wire_reader_t reader = dw_wire_reader (self->stage.greeting.bytes,
                                              self->stage.greeting.count);
    self->has_identity = dw_read_uint (&reader) == DW_WIRE_HELLO &&
                         dw_read_hello (&reader, &hello) && dw_wire_reader_has_more (&reader) &&
                         dw_read_identity (&reader, &identity);
    if (self->has_identity) {
        memcpy (self->uuid, identity.uuid, sizeof self->uuid);
        self->incarnation = identity.incarnation;
    }
}

bool dw_guest_greeted (dw_guest_t *self, char *why) {
    dw_stage_t *stage = &self->stage;
    s_reset (self);
    if (!dw_stage_prepare (stage, "client", why))
        return false;
    int64_t deadline_ns = dw_stage_in (stage->wait_ms);
    while (dw_stage_await (stage, deadline_ns)) {
        const dw_end_t *end = &stage->ends[stage->from];
        if (end->is_hello && end->hello.role == DW_WIRE_CLIENT && end->messages_count == 0) {
            self->end = stage->from;
            s_read_identity (self);
            return true;
        }
    }
    if (stage->subject.words && dw_subject_has_ended (&stage->subject)) {
        snprintf (why, DW_SEEN_BYTES, "the command ended with %d before it said HELLO",
                  stage->subject.status);
    } else {
        snprintf (why, DW_SEEN_BYTES, "no client said HELLO within %d ms", stage->wait_ms);
    }
    stage->is_idle = true;
    return false;
}

static void s_write (dw_writer_t *head, bool is_long, uint64_t value) {
    if (is_long)
        dw_stage_write_long (head, value);
    else
        dw_write_uint (head, value);
}

static void s_write_ids (dw_writer_t *head, bool counts_beyond) {
    dw_writer_t ids = {0};
    dw_write_array (&ids, counts_beyond ? UINT32_MAX : DW_GUEST_NODES);
    dw_write_str (&ids, "first", 5);
    dw_write_str (&ids, "last", 4);
    dw_write_array (&ids, 1);
    dw_write_uint (&ids, 1);
    dw_write_bin (head, ids.bytes, ids.count);
    dw_writer_free (&ids);
}

void dw_guest_welcome (dw_guest_t *self, const dw_guest_welcome_t *welcome) {
    static const char name[] = "conformance";
    uint8_t session[DW_WIRE_UUID_SIZE];
    dw_writer_t *head = &self->stage.out.head;
    memset (session, self->session, sizeof session);
    self->peer = PEER + self->stage.ends_count;
    s_write (head, welcome->is_long, DW_WIRE_WELCOME);
    s_write (head, welcome->is_long, self->peer);
    s_write (head, welcome->is_long, welcome->runs_max);
    s_write (head, welcome->is_long, DW_GUEST_PAYLOAD);
    s_write_ids (head, welcome->counts_beyond);
    s_write (head, welcome->is_long, welcome->heartbeat_ms);
    s_write (head, welcome->is_long, welcome->silence_ms);
    dw_write_str (head, name, strlen (name));
    if (self->has_identity)
        dw_write_bin (head, session, sizeof session);
    if (welcome->has_more) {
        dw_write_uint (head, 4711);
        dw_write_str (head, "more", 4);
    }
    head->count -= welcome->cut_bytes < head->count ? welcome->cut_bytes : 0;
    dw_stage_send (&self->stage, self->end);
}

bool dw_guest_submitted (dw_guest_t *self, const dw_guest_welcome_t *welcome, char *why) {
    return dw_guest_greeted (self, why) && dw_guest_let_in (self, welcome, why);
}

bool dw_guest_let_in (dw_guest_t *self, const dw_guest_welcome_t *welcome, char *why) {
    dw_guest_welcome (self, welcome);
    int64_t deadline_ns = dw_stage_in (SUBMIT_MS);
    while (self->runs_count == 0 && dw_guest_take (self, deadline_ns)) {
    }
    if (self->runs_count == 0) {
        snprintf (why, DW_SEEN_BYTES, "%s",
                  self->nonsense[0] ? self->nonsense : "it submitted no run");
    }
    return self->runs_count > 0;
}

/* ---- What comes in ---------------------------------------------------------------------------- */

static void s_note (dw_guest_t *self, const char *what) {
    if (!self->nonsense[0])
        snprintf (self->nonsense, sizeof self->nonsense, "%s", what);
}

/* Whether the number that a message begins with is its own. */
static void s_read_own (dw_guest_t *self) {
    if (dw_read_uint (&self->stage.reader) != self->peer)
        self->foreign++;
}

static bool s_read_submission (dw_guest_t *self) {
    dw_stage_t *stage = &self->stage;
    dw_wire_submission_t record;
    zmq_msg_t *frame;
    size_t size;
    if (!dw_read_submission (&stage->reader, &record)) {
        s_note (self, "a submission that cannot be read");
        return false;
    }
    const uint8_t *bytes = dw_message_resolve (&stage->in, 1, &record.payload, &stage->reader,
                                               &size, &frame);
    if (!bytes || dw_payload_check (bytes, size))
        s_note (self, "a submission whose payload is not one msgpack value");
    for (uint32_t i = 0; i < record.outputs_count; i++)
        if (dw_read_uint_max (&stage->reader, UINT32_MAX) >= DW_GUEST_NODES)
            s_note (self, "a submission that asks for a node that is none");
    if (stage->reader.is_damaged) {
        s_note (self, "a submission that ends too early");
        return false;
    }
    if (record.run == 0 || (self->runs_count && record.run <= self->runs[self->runs_count - 1]))
        s_note (self, "runs whose numbers do not ascend from 1");
    if (self->runs_count < DW_GUEST_RUNS)
        self->runs[self->runs_count++] = record.run;
    return true;
}

static void s_on_submit (dw_guest_t *self) {
    uint32_t count = 0;
    s_read_own (self);
    while (dw_wire_reader_has_more (&self->stage.reader) && s_read_submission (self))
        count++;
    self->messages++;
    self->together_max = count > self->together_max ? count : self->together_max;
}

static void s_on_message (dw_guest_t *self) {
    char text[40], said[96];
    switch (self->stage.type) {
        case DW_WIRE_SUBMIT: s_on_submit (self); break;
        case DW_WIRE_BEAT:
            s_read_own (self);
            self->beats++;
            if (!self->is_mute)
                dw_stage_say (&self->stage, self->stage.from, DW_WIRE_BEAT);
            break;
        case DW_WIRE_BYE:
            s_read_own (self);
            self->byes++;
            break;
        case DW_WIRE_ABORT:
            s_read_own (self);
            self->aborts++;
            break;
        case DW_WIRE_TAKEN:
        case DW_WIRE_STATUS:
        case DW_WIRE_DETACH:
        case DW_WIRE_CLAIM: s_read_own (self); break;
        default:
            snprintf (said, sizeof said, "%s from a client", dw_case_type (self->stage.type, text));
            s_note (self, said);
            break;
    }
}

bool dw_guest_take (dw_guest_t *self, int64_t deadline_ns) {
    dw_stage_t *stage = &self->stage;
    if (!dw_stage_receive (stage, deadline_ns))
        return false;
    const dw_end_t *end = &stage->ends[stage->from];
    if (stage->from == self->end)
        s_on_message (self);
    else if (stage->type == DW_WIRE_HELLO && end->is_hello && end->messages_count == 0 &&
             end->hello.role == DW_WIRE_CLIENT)
        self->again = stage->from;
    return true;
}

void dw_guest_watch (dw_guest_t *self, int64_t ms) {
    int64_t deadline_ns = dw_stage_in (ms);
    while (dw_clock_ns () < deadline_ns && dw_guest_take (self, deadline_ns)) {
    }
}

/* Until a process that is ours has ended, so that how it ended is known; and what came by its
 * connection last, such as BYE, is taken in, which may be there when the connection is gone
 * already. */
static void s_await_end (dw_guest_t *self) {
    int64_t deadline_ns = dw_stage_in (ENDS_MS);
    for (int left = LAST_WORDS_MAX; left > 0 && dw_guest_take (self, 0); left--) {
    }
    while (self->stage.subject.words && !dw_subject_has_ended (&self->stage.subject) &&
           dw_clock_ns () < deadline_ns && !self->stage.interrupted)
        (void) dw_guest_take (self, dw_clock_ns () + LOOK_NS);
}

bool dw_guest_await_gone (dw_guest_t *self, int64_t ms) {
    int64_t deadline_ns = dw_stage_in (ms);
    while (!dw_stage_is_gone (&self->stage, self->end)) {
        int64_t now_ns = dw_clock_ns ();
        if (now_ns >= deadline_ns || self->stage.interrupted)
            return false;
        (void) dw_guest_take (self, now_ns + LOOK_NS);
    }
    s_await_end (self);
    return true;
}

bool dw_guest_finish (dw_guest_t *self, int64_t ms) {
    int64_t deadline_ns = dw_stage_in (ms);
    while (!self->byes && dw_clock_ns () < deadline_ns && !self->stage.interrupted) {
        for (; self->answered < self->runs_count; self->answered++) {
            dw_guest_result_t result = dw_guest_result (self->runs[self->answered]);
            dw_guest_send_result (self, &result);
        }
        if (!dw_guest_take (self, dw_clock_ns () + LOOK_NS) &&
            dw_stage_is_gone (&self->stage, self->end))
            break;
    }
    bool is_gone = dw_stage_is_gone (&self->stage, self->end);
    if (is_gone)
        s_await_end (self);
    return is_gone;
}

dw_verdict_t dw_guest_expect_end (dw_guest_t *self, int64_t ms, char *seen) {
    bool is_gone = dw_guest_finish (self, ms);
    if (dw_subject_has_ended (&self->stage.subject) && dw_subject_went_down (&self->stage.subject))
        return dw_case_fail (seen, "it went down by signal %d", -self->stage.subject.status);
    if (!is_gone)
        return dw_case_fail (seen, "it still waits after %d ms", (int) ms);
    return dw_case_pass (seen, self->byes ? "BYE" : "it left");
}

/* ---- Results ---------------------------------------------------------------------------------- */

dw_guest_result_t dw_guest_result (uint64_t run) {
    dw_guest_result_t result = {.run = run, .table_size = TABLE_BYTES, .outputs_count = UINT32_MAX};
    static const uint8_t text[] = {0xa4, 'D', 'o', 'n', 'e'};
    for (uint32_t node = 0; node < DW_GUEST_NODES; node++) {
        uint8_t *slot = result.table + (size_t) 32 * node;
        slot[0] = DW_NODE_DONE;
        slot[1] = 1; /* the payload itself */
        slot[2] = 1; /* attempts */
        slot[4] = 7; /* us */
        slot[8] = sizeof text;
        memcpy (slot + 12, text, sizeof text);
    }
    return result;
}

static void s_add (dw_packet_t *packet, const uint8_t *bytes, size_t size, bool in_frames) {
    zmq_msg_t frame;
    if (!bytes) {
        dw_write_nil (&packet->head);
    } else if (!in_frames || zmq_msg_init_size (&frame, size)) {
        dw_write_bin (&packet->head, bytes, size);
    } else {
        memcpy (zmq_msg_data (&frame), bytes, size);
        dw_packet_give (packet, &frame);
    }
}

void dw_guest_send_result (dw_guest_t *self, const dw_guest_result_t *result) {
    dw_packet_t *packet = &self->stage.out;
    dw_writer_t *head = &packet->head;
    dw_write_uint (head, DW_WIRE_RESULTS);
    s_write (head, result->is_long, result->run);
    s_write (head, result->is_long, result->status);
    s_write (head, result->is_long, 86);
    s_add (packet, result->table, result->table_size, result->in_frames);
    s_add (packet, result->blob, result->blob_size, result->in_frames);
    s_add (packet, result->extras, result->extras_size, result->in_frames);
    if (result->outputs_count == UINT32_MAX) {
        dw_write_nil (head);
    } else {
        dw_write_array (head, result->outputs_count);
        for (uint32_t i = 0; i < result->outputs_count && i < 4; i++)
            dw_write_uint (head, result->outputs[i]);
    }
    head->count -= result->cut_bytes < head->count ? result->cut_bytes : 0;
    dw_stage_send (&self->stage, self->end);
}
