/* client_nonsense.c - cases of a client under test: what makes no sense, and is not believed. */

#include <stdlib.h>
#include <string.h>

#include "cli/conformance/guest.h"

#define WELCOME  "Messages, WELCOME"
#define BELIEVED "Limits, What a client believes"
#define COUNTED  "What is counted and ignored"

#define LEAVE_MS 6000
#define QUIET_MS 100

static const dw_guest_welcome_t s_good = DW_GUEST_WELCOME;

/* ---- WELCOME ---------------------------------------------------------------------------------- */

static dw_verdict_t s_expect_disbelieved (dw_guest_t *self, const dw_guest_welcome_t *welcome,
                                          char *seen) {
    if (!dw_guest_greeted (self, seen))
        return DW_VERDICT_SKIPPED;
    dw_guest_welcome (self, welcome);
    bool is_gone = dw_guest_await_gone (self, LEAVE_MS);
    if (dw_subject_has_ended (&self->stage.subject) && dw_subject_went_down (&self->stage.subject))
        return dw_case_fail (seen, "it went down by signal %d", -self->stage.subject.status);
    if (self->runs_count)
        return dw_case_fail (seen, "it submitted all the same");
    return is_gone ? dw_case_pass (seen, "it left")
                   : dw_case_fail (seen, "it was still there after %d ms", LEAVE_MS);
}

static dw_verdict_t s_welcome_cut (void *stage, char *seen) {
    dw_guest_welcome_t welcome = s_good;
    welcome.cut_bytes = 40;
    return s_expect_disbelieved (stage, &welcome, seen);
}

static dw_verdict_t s_welcome_no_heartbeat (void *stage, char *seen) {
    dw_guest_welcome_t welcome = s_good;
    welcome.heartbeat_ms = 0;
    return s_expect_disbelieved (stage, &welcome, seen);
}

static dw_verdict_t s_welcome_short_silence (void *stage, char *seen) {
    dw_guest_welcome_t welcome = s_good;
    welcome.heartbeat_ms = 1000;
    welcome.silence_ms = 1999;
    return s_expect_disbelieved (stage, &welcome, seen);
}

static dw_verdict_t s_welcome_counts (void *stage, char *seen) {
    dw_guest_welcome_t welcome = s_good;
    welcome.counts_beyond = true;
    return s_expect_disbelieved (stage, &welcome, seen);
}

/* ---- Not for it ------------------------------------------------------------------------------- */

/* It goes on waiting, and has its result in the end; or it says that this is no coordinator, and
 * leaves. It does neither go down nor hang. */
static dw_verdict_t s_expect_end (dw_guest_t *self, char *seen) {
    dw_guest_watch (self, QUIET_MS);
    return dw_guest_expect_end (self, LEAVE_MS, seen);
}

static dw_verdict_t s_unknown_type (void *stage, char *seen) {
    dw_guest_t *self = stage;
    if (!dw_guest_submitted (self, &s_good, seen))
        return DW_VERDICT_SKIPPED;
    static const uint8_t heads[][3] = {{99, 1, 2}, {0xcc, 200, 0}};
    for (size_t i = 0; i < sizeof heads / sizeof *heads; i++)
        dw_stage_send_bytes (&self->stage, self->end, heads[i], sizeof heads[i]);
    return s_expect_end (self, seen);
}

static dw_verdict_t s_no_type (void *stage, char *seen) {
    dw_guest_t *self = stage;
    if (!dw_guest_submitted (self, &s_good, seen))
        return DW_VERDICT_SKIPPED;
    static const uint8_t heads[][2] = {{0xc1, 0}, {0xa1, 'x'}, {0xff, 1}};
    dw_stage_send_bytes (&self->stage, self->end, "", 0);
    for (size_t i = 0; i < sizeof heads / sizeof *heads; i++)
        dw_stage_send_bytes (&self->stage, self->end, heads[i], sizeof heads[i]);
    return s_expect_end (self, seen);
}

static dw_verdict_t s_foreign_types (void *stage, char *seen) {
    dw_guest_t *self = stage;
    if (!dw_guest_submitted (self, &s_good, seen))
        return DW_VERDICT_SKIPPED;
    static const uint8_t types[] = {DW_WIRE_HELLO,   DW_WIRE_TASKS,  DW_WIRE_ANSWERS,
                                    DW_WIRE_CANCEL,  DW_WIRE_DROP,   DW_WIRE_CLOSED,
                                    DW_WIRE_REPLACE, DW_WIRE_COUNTS, DW_WIRE_GRAPH};
    for (size_t i = 0; i < sizeof types; i++) {
        const uint8_t head[] = {types[i], 1, 0};
        dw_stage_send_bytes (&self->stage, self->end, head, sizeof head);
    }
    return s_expect_end (self, seen);
}

/* ---- Results ---------------------------------------------------------------------------------- */

/* A result that makes no sense is sent, and then a good one. */
#define NONSENSE(name, ...)                                         \
    static dw_verdict_t name (void *stage, char *seen) {            \
        dw_guest_t *self = stage;                                   \
        if (!dw_guest_submitted (self, &s_good, seen))              \
            return DW_VERDICT_SKIPPED;                              \
        dw_guest_result_t result = dw_guest_result (self->runs[0]); \
        __VA_ARGS__                                                 \
        dw_guest_send_result (self, &result);                       \
        return s_expect_end (self, seen);                           \
    }

static const uint8_t s_text[] = {0xa4, 'D', 'o', 'n', 'e'};

NONSENSE (s_cut, result.cut_bytes = 12;)
NONSENSE (s_status, result.status = 9;)
NONSENSE (s_table_short, result.table_size = 40;)
NONSENSE (s_table_empty, result.table_size = 0;)
NONSENSE (s_node_status, result.table[0] = 200;)
NONSENSE (s_form, result.table[1] = 2; memset (result.table + 12, 0x41, 20);)
NONSENSE (s_slot_size, result.table[8] = 0xff; result.table[9] = 0xff;)
NONSENSE (s_offset, result.blob = s_text; result.blob_size = sizeof s_text; result.table[1] = 3;
          memset (result.table + 12, 0xff, 4);)
NONSENSE (s_frame, result.table[1] = 4; result.table[12] = 99; result.table[13] = 0;)
NONSENSE (s_payload, result.table[8] = 3;)
NONSENSE (s_outputs, result.outputs_count = 4; result.outputs[2] = 77;)
NONSENSE (s_outputs_beyond, result.outputs_count = 1u << 30;)
NONSENSE (s_extras, static const uint8_t extras[] = {0xce, 0xff, 0xff, 0xff, 0xff, 0xc6};
          result.extras = extras; result.extras_size = sizeof extras;)

/* A result with a payload in the blob, which is taken. */
static dw_verdict_t s_expect_end_with (dw_guest_t *self, uint8_t *blob, uint32_t size, char *seen) {
    dw_guest_result_t result = dw_guest_result (self->runs[0]);
    result.blob = blob;
    result.blob_size = size;
    result.table[33] = 3;
    memcpy (result.table + 40, &size, sizeof size); /* little-endian, as actors/slot.h sees to */
    memset (result.table + 44, 0, 20);
    dw_guest_send_result (self, &result);
    free (blob);
    return s_expect_end (self, seen);
}

static dw_verdict_t s_deep (void *stage, char *seen) {
    dw_guest_t *self = stage;
    if (!dw_guest_submitted (self, &s_good, seen))
        return DW_VERDICT_SKIPPED;
    enum { DEPTH = 50000 };
    uint8_t *blob = malloc (DEPTH + 1);
    if (!blob)
        return dw_case_skip (seen, "no memory");
    memset (blob, 0x91, DEPTH);
    blob[DEPTH] = 0xc0;
    return s_expect_end_with (self, blob, DEPTH + 1, seen);
}

static dw_verdict_t s_oversized (void *stage, char *seen) {
    dw_guest_t *self = stage;
    if (!dw_guest_submitted (self, &s_good, seen))
        return DW_VERDICT_SKIPPED;
    const uint8_t head[] = {0xdb, DW_GUEST_PAYLOAD >> 24, 0, 0, 0};
    uint8_t *blob = malloc (DW_GUEST_PAYLOAD + sizeof head);
    if (!blob)
        return dw_case_skip (seen, "no memory");
    memcpy (blob, head, sizeof head);
    memset (blob + sizeof head, 'x', DW_GUEST_PAYLOAD);
    return s_expect_end_with (self, blob, DW_GUEST_PAYLOAD + sizeof head, seen);
}

#define RESULT(name, what, play)                                                               \
    {                                                                                          \
        name, BELIEVED,                                                                        \
            what " is not believed, and neither ends the client by a signal nor holds it up.", \
            play                                                                               \
    }

static const dw_case_t s_cases[] = {
    {"welcome-cut", WELCOME, "Who is told a WELCOME that is cut leaves, and submits nothing.",
     s_welcome_cut},
    {"welcome-no-heartbeat", WELCOME, "Who is told a heartbeat of 0 ms leaves.",
     s_welcome_no_heartbeat},
    {"welcome-short-silence", WELCOME, "Who is told a silence of less than two heartbeats leaves.",
     s_welcome_short_silence},
    {"welcome-counts-beyond", WELCOME, "Who is told of more ids than there are bytes leaves.",
     s_welcome_counts},
    {"unknown-type", COUNTED,
     "After a message of a type that is unknown it waits on, or says that it makes no sense, and leaves.",
     s_unknown_type},
    {"no-type", COUNTED,
     "After a message without a head, or whose type is no integer, it waits on, or leaves.",
     s_no_type},
    {"foreign-types", "Peers", "After what is not sent to a client it waits on, or leaves.",
     s_foreign_types},
    RESULT ("result-cut", "A result that is cut", s_cut),
    RESULT ("result-status", "A status of a run that is none", s_status),
    RESULT ("result-table-short", "A table of one slot and a half", s_table_short),
    RESULT ("result-table-empty", "A table of no slots", s_table_empty),
    RESULT ("result-node-status", "A status of a node that is none", s_node_status),
    RESULT ("result-form", "A form that never travels", s_form),
    RESULT ("result-slot-size", "A payload that is larger than its slot", s_slot_size),
    RESULT ("result-offset", "An offset beyond the blob", s_offset),
    RESULT ("result-frame", "A frame that is not there", s_frame),
    RESULT ("result-payload", "A payload that is not one whole value", s_payload),
    RESULT ("result-outputs", "An output that is no node", s_outputs),
    RESULT ("result-outputs-beyond", "A count of outputs beyond the bytes", s_outputs_beyond),
    RESULT ("result-extras", "A count in what some nodes have besides beyond the bytes", s_extras),
    RESULT ("result-deep", "A payload that is nested 50,000 times", s_deep),
    {"result-oversized", "Limits",
     "A payload above max_payload_bytes is taken or not, and neither ends the client by a signal nor holds it up.",
     s_oversized},
};

const dw_cases_t dw_cases_client_nonsense = {s_cases, sizeof s_cases / sizeof *s_cases};
