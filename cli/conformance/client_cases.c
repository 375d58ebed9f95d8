/* client_cases.c - cases of a client under test: how it comes in, submits, waits, and comes
 * again. */

#include <string.h>

#include "actors/clock.h"
#include "cli/conformance/guest.h"

#define HELLO    "Messages, HELLO"
#define WELCOME  "Messages, WELCOME"
#define REFUSED  "Messages, REFUSED"
#define SUBMIT   "Messages, SUBMIT"
#define RESULTS  "Messages, RESULTS"
#define PRESENCE "Who is there, A client"
#define AGAIN    "Who is there, A client that comes again"

#define LEAVE_MS 6000
#define QUIET_MS 400

/* ---- HELLO ------------------------------------------------------------------------------------ */

static const dw_end_t *s_other_greeting (const dw_guest_t *self, bool is_hello) {
    for (uint32_t i = 0; i < self->stage.ends_count; i++) {
        const dw_end_t *end = &self->stage.ends[i];
        if (end->has_greeted && end->is_hello == is_hello &&
            (!is_hello || end->hello.role != DW_WIRE_CLIENT))
            return end;
    }
    return NULL;
}

static dw_verdict_t s_hello (void *stage, char *seen) {
    dw_guest_t *self = stage;
    if (dw_guest_greeted (self, seen) || s_other_greeting (self, true))
        return dw_case_pass (seen, "HELLO");
    if (s_other_greeting (self, false))
        return dw_case_fail (seen, "a HELLO that cannot be read, or without the word dagwood");
    char text[40];
    return self->stage.ends_count
               ? dw_case_fail (seen, "%s came first", dw_case_type (self->stage.type, text))
               : DW_VERDICT_FAILED;
}

/* The connection of the case before, which has said nothing but HELLO, or a new one. */
static bool s_is_greeted (dw_guest_t *self, char *seen) {
    return (self->end != DW_STAGE_NONE && self->runs_count == 0) || dw_guest_greeted (self, seen);
}

static dw_verdict_t s_hello_versions (void *stage, char *seen) {
    dw_guest_t *self = stage;
    const dw_end_t *end = NULL;
    if (s_is_greeted (self, seen))
        end = &self->stage.ends[self->end];
    else if (!(end = s_other_greeting (self, true)))
        return DW_VERDICT_SKIPPED;
    return dw_case_versions (&end->hello, seen);
}

static dw_verdict_t s_hello_role (void *stage, char *seen) {
    dw_guest_t *self = stage;
    if (s_is_greeted (self, seen))
        return dw_case_pass (seen, "role 2");
    const dw_end_t *end = s_other_greeting (self, true);
    if (!end || dw_wire_common_version (&end->hello) == 0)
        return DW_VERDICT_SKIPPED;
    return dw_case_fail (seen, "role %u", (unsigned) end->hello.role);
}

static dw_verdict_t s_hello_zeros (void *stage, char *seen) {
    dw_guest_t *self = stage;
    if (!s_is_greeted (self, seen))
        return DW_VERDICT_SKIPPED;
    const dw_wire_hello_t *hello = &self->stage.ends[self->end].hello;
    return hello->number == 0 && hello->credit == 0
               ? dw_case_pass (seen, "number 0, credit 0")
               : dw_case_fail (seen, "number %u, credit %u", (unsigned) hello->number,
                               (unsigned) hello->credit);
}

static dw_verdict_t s_hello_identity (void *stage, char *seen) {
    dw_guest_t *self = stage;
    dw_wire_hello_t hello;
    dw_wire_identity_t identity;
    if (!s_is_greeted (self, seen))
        return DW_VERDICT_SKIPPED;
    dw_wire_reader_t reader = dw_wire_reader (self->stage.greeting.bytes,
                                              self->stage.greeting.count);
    (void) dw_read_uint (&reader);
    (void) dw_read_hello (&reader, &hello);
    if (!dw_wire_reader_has_more (&reader))
        return dw_case_pass (seen, "none: it wants no session");
    return dw_read_identity (&reader, &identity)
               ? dw_case_pass (seen, "incarnation %llu", (unsigned long long) identity.incarnation)
               : dw_case_fail (seen, "it cannot be read");
}

static dw_verdict_t s_hello_waits (void *stage, char *seen) {
    dw_guest_t *self = stage;
    if (!s_is_greeted (self, seen))
        return DW_VERDICT_SKIPPED;
    self->is_mute = true;
    dw_guest_watch (self, QUIET_MS);
    uint32_t count = self->stage.ends[self->end].messages_count;
    self->end = DW_STAGE_NONE;
    return count ? dw_case_fail (seen, "%u messages before an answer", (unsigned) count)
                 : dw_case_pass (seen, "nothing for %d ms", QUIET_MS);
}

/* ---- Refused ---------------------------------------------------------------------------------- */

static dw_verdict_t s_expect_refused (dw_guest_t *self, uint32_t code, char *seen) {
    if (!dw_guest_greeted (self, seen))
        return DW_VERDICT_SKIPPED;
    dw_stage_refuse (&self->stage, self->end, code, 0);
    bool is_gone = dw_guest_await_gone (self, LEAVE_MS);
    if (self->runs_count)
        return dw_case_fail (seen, "it submitted all the same");
    return is_gone ? dw_case_pass (seen, "it left")
                   : dw_case_fail (seen, "it was still there after %d ms", LEAVE_MS);
}

static dw_verdict_t s_refused_version (void *stage, char *seen) {
    return s_expect_refused (stage, 400, seen);
}

static dw_verdict_t s_refused_key (void *stage, char *seen) {
    return s_expect_refused (stage, 403, seen);
}

static dw_verdict_t s_refused_busy (void *stage, char *seen) {
    return s_expect_refused (stage, 503, seen);
}

/* ---- Runs ------------------------------------------------------------------------------------- */

static const dw_guest_welcome_t s_welcome = DW_GUEST_WELCOME;
/* The same, with short silences. */
static const dw_guest_welcome_t s_brief = {.heartbeat_ms = 100, .silence_ms = 800, .runs_max = 64};

static dw_verdict_t s_submit (void *stage, char *seen) {
    dw_guest_t *self = stage;
    if (dw_guest_submitted (self, &s_welcome, seen))
        return dw_case_pass (seen, "run %llu", (unsigned long long) self->runs[0]);
    return self->end == DW_STAGE_NONE ? DW_VERDICT_SKIPPED : DW_VERDICT_FAILED;
}

static dw_verdict_t s_submission (void *stage, char *seen) {
    dw_guest_t *self = stage;
    if (!dw_guest_submitted (self, &s_welcome, seen) && !self->nonsense[0])
        return DW_VERDICT_SKIPPED;
    dw_guest_watch (self, QUIET_MS);
    return self->nonsense[0] ? dw_case_fail (seen, "%s", self->nonsense)
                             : dw_case_pass (seen, "%u runs", (unsigned) self->runs_count);
}

static dw_verdict_t s_own_number (void *stage, char *seen) {
    dw_guest_t *self = stage;
    if (!dw_guest_submitted (self, &s_welcome, seen))
        return DW_VERDICT_SKIPPED;
    dw_guest_finish (self, LEAVE_MS);
    return self->foreign ? dw_case_fail (seen, "%u messages in the name of somebody else",
                                         (unsigned) self->foreign)
                         : dw_case_pass (seen, "all in its own name");
}

static dw_verdict_t s_together (void *stage, char *seen) {
    dw_guest_t *self = stage;
    if (!dw_guest_submitted (self, &s_welcome, seen))
        return DW_VERDICT_SKIPPED;
    dw_guest_finish (self, LEAVE_MS);
    return self->together_max <= DW_WIRE_TOGETHER_MAX
               ? dw_case_pass (seen, "at most %u", (unsigned) self->together_max)
               : dw_case_fail (seen, "%u in one message", (unsigned) self->together_max);
}

static dw_verdict_t s_runs_max (void *stage, char *seen) {
    dw_guest_t *self = stage;
    dw_guest_welcome_t welcome = s_welcome;
    welcome.runs_max = 1;
    if (!dw_guest_submitted (self, &welcome, seen))
        return DW_VERDICT_SKIPPED;
    dw_guest_watch (self, QUIET_MS);
    return self->runs_count == 1 ? dw_case_pass (seen, "1 in flight")
                                 : dw_case_fail (seen, "%u in flight", (unsigned) self->runs_count);
}

static dw_verdict_t s_result (void *stage, char *seen) {
    dw_guest_t *self = stage;
    return dw_guest_submitted (self, &s_welcome, seen) ? dw_guest_expect_end (self, LEAVE_MS, seen)
                                                       : DW_VERDICT_SKIPPED;
}

static dw_verdict_t s_bye (void *stage, char *seen) {
    dw_guest_t *self = stage;
    if (!dw_guest_submitted (self, &s_welcome, seen))
        return DW_VERDICT_SKIPPED;
    if (!dw_guest_finish (self, LEAVE_MS))
        return dw_case_skip (seen, "it does not leave");
    return self->byes ? dw_case_pass (seen, "BYE") : dw_case_fail (seen, "it left without BYE");
}

static dw_verdict_t s_result_frames (void *stage, char *seen) {
    dw_guest_t *self = stage;
    static const uint8_t blob[] = {0xa4, 'D', 'o', 'n', 'e'};
    if (!dw_guest_submitted (self, &s_welcome, seen))
        return DW_VERDICT_SKIPPED;
    dw_guest_result_t result = dw_guest_result (self->runs[0]);
    result.in_frames = true;
    result.blob = blob;
    result.blob_size = sizeof blob;
    result.table[1] = 3; /* an offset in the blob */
    memset (result.table + 12, 0, 20);
    self->answered = 1;
    dw_guest_send_result (self, &result);
    return dw_guest_expect_end (self, LEAVE_MS, seen);
}

static dw_verdict_t s_result_long (void *stage, char *seen) {
    dw_guest_t *self = stage;
    dw_guest_welcome_t welcome = s_welcome;
    welcome.is_long = welcome.has_more = true;
    if (!dw_guest_submitted (self, &welcome, seen))
        return self->end == DW_STAGE_NONE ? DW_VERDICT_SKIPPED : DW_VERDICT_FAILED;
    dw_guest_result_t result = dw_guest_result (self->runs[0]);
    result.is_long = true;
    self->answered = 1;
    dw_guest_send_result (self, &result);
    return dw_guest_expect_end (self, LEAVE_MS, seen);
}

static dw_verdict_t s_result_failed (void *stage, char *seen) {
    dw_guest_t *self = stage;
    if (!dw_guest_submitted (self, &s_welcome, seen))
        return DW_VERDICT_SKIPPED;
    /* Of the first node an error, of the other its cause: node, metadata, code, text, added, depth,
     * causes. */
    static const uint8_t extras[] = {0, 0xc0, 0xcd, 1,    0xf4, 0xa3, 'b', 'a', 'd',  0,
                                     0, 0xc0, 1,    0xc0, 0,    0xc0, 0,   0,   0x91, 0};
    dw_guest_result_t result = dw_guest_result (self->runs[0]);
    result.status = DW_RUN_FAILED;
    memset (result.table, 0, sizeof result.table);
    result.table[0] = DW_NODE_FAILED;
    result.table[2] = 1;
    result.table[32] = DW_NODE_SKIPPED;
    result.extras = extras;
    result.extras_size = sizeof extras;
    self->answered = 1;
    dw_guest_send_result (self, &result);
    return dw_guest_expect_end (self, LEAVE_MS, seen);
}

static dw_verdict_t s_result_repeated (void *stage, char *seen) {
    dw_guest_t *self = stage;
    if (!dw_guest_submitted (self, &s_welcome, seen))
        return DW_VERDICT_SKIPPED;
    dw_guest_result_t result = dw_guest_result (self->runs[0]);
    dw_guest_send_result (self, &result);
    return dw_guest_expect_end (self, LEAVE_MS, seen); /* which sends it once more */
}

static dw_verdict_t s_result_foreign (void *stage, char *seen) {
    dw_guest_t *self = stage;
    if (!dw_guest_submitted (self, &s_welcome, seen))
        return DW_VERDICT_SKIPPED;
    static const uint64_t runs[] = {0, UINT64_MAX, 4711};
    for (size_t i = 0; i < sizeof runs / sizeof *runs; i++) {
        dw_guest_result_t result = dw_guest_result (runs[i]);
        dw_guest_send_result (self, &result);
    }
    dw_guest_watch (self, QUIET_MS);
    if (self->byes || dw_stage_is_gone (&self->stage, self->end))
        return dw_case_fail (seen, "it left before the result of its run came");
    return dw_guest_expect_end (self, LEAVE_MS, seen);
}

static dw_verdict_t s_results_empty (void *stage, char *seen) {
    dw_guest_t *self = stage;
    if (!dw_guest_submitted (self, &s_welcome, seen))
        return DW_VERDICT_SKIPPED;
    dw_stage_say (&self->stage, self->end, DW_WIRE_RESULTS);
    dw_guest_watch (self, QUIET_MS);
    if (self->byes || dw_stage_is_gone (&self->stage, self->end))
        return dw_case_fail (seen, "it left");
    return dw_guest_expect_end (self, LEAVE_MS, seen);
}

static dw_verdict_t s_run_refused (void *stage, char *seen) {
    dw_guest_t *self = stage;
    if (!dw_guest_submitted (self, &s_welcome, seen))
        return DW_VERDICT_SKIPPED;
    dw_stage_refuse (&self->stage, self->end, 400, self->runs[0]);
    self->answered = 1;
    return dw_guest_expect_end (self, LEAVE_MS, seen);
}

static dw_verdict_t s_stalled (void *stage, char *seen) {
    dw_guest_t *self = stage;
    if (!dw_guest_submitted (self, &s_welcome, seen))
        return DW_VERDICT_SKIPPED;
    dw_writer_t *head = &self->stage.out.head;
    dw_write_uint (head, DW_WIRE_STALLED);
    dw_write_uint (head, self->runs[0]);
    dw_write_uint (head, 1);
    dw_write_uint (head, 60000);
    dw_stage_send (&self->stage, self->end);
    dw_guest_watch (self, QUIET_MS);
    if (self->byes || dw_stage_is_gone (&self->stage, self->end))
        return dw_case_fail (seen, "it left");
    return dw_guest_expect_end (self, LEAVE_MS, seen);
}

/* ---- Who is there ----------------------------------------------------------------------------- */

static dw_verdict_t s_beats (void *stage, char *seen) {
    dw_guest_t *self = stage;
    if (!dw_guest_submitted (self, &s_brief, seen))
        return DW_VERDICT_SKIPPED;
    dw_guest_watch (self, 6 * (int64_t) s_brief.heartbeat_ms);
    uint32_t count = self->beats;
    return count ? dw_case_pass (seen, "%u in 6 heartbeats", (unsigned) count)
                 : dw_case_fail (seen, "none in 6 heartbeats");
}

static dw_verdict_t s_late (void *stage, char *seen) {
    dw_guest_t *self = stage;
    if (!dw_guest_submitted (self, &s_brief, seen))
        return DW_VERDICT_SKIPPED;
    dw_guest_watch (self, (int64_t) s_brief.silence_ms * 3 / 2);
    if (self->byes || dw_stage_is_gone (&self->stage, self->end))
        return dw_case_fail (seen, "it left though each of its BEAT was answered");
    return dw_guest_expect_end (self, LEAVE_MS, seen);
}

static dw_verdict_t s_pause (void *stage, char *seen) {
    dw_guest_t *self = stage;
    if (!dw_guest_submitted (self, &s_brief, seen))
        return DW_VERDICT_SKIPPED;
    self->is_mute = true;
    dw_guest_watch (self, (int64_t) s_brief.silence_ms / 2);
    self->is_mute = false;
    dw_stage_say (&self->stage, self->end, DW_WIRE_BEAT);
    return dw_guest_expect_end (self, LEAVE_MS, seen);
}

/* Answers no BEAT any more, until it leaves or says HELLO again, or many silences are over. False:
 * it is still there. */
static bool s_be_silent (dw_guest_t *self, char *seen) {
    self->is_mute = true;
    int64_t begin_ns = dw_clock_ns (), limit_ns = 5 * (int64_t) s_brief.silence_ms * 1000000;
    while (self->again == DW_STAGE_NONE && !self->byes && dw_clock_ns () < begin_ns + limit_ns &&
           !self->stage.interrupted &&
           !(self->stage.subject.words && dw_subject_has_ended (&self->stage.subject)))
        (void) dw_guest_take (self, dw_clock_ns () + 20000000);
    long long after_ms = (dw_clock_ns () - begin_ns) / 1000000;
    if (self->again != DW_STAGE_NONE) {
        dw_case_pass (seen, "it came again after %lld ms", after_ms);
        return true;
    }
    if (self->byes || dw_stage_is_gone (&self->stage, self->end)) {
        dw_case_pass (seen, "it left within %lld ms", after_ms);
        return true;
    }
    dw_case_fail (seen, "it was still there after %lld ms", after_ms);
    return false;
}

static dw_verdict_t s_silence (void *stage, char *seen) {
    dw_guest_t *self = stage;
    if (!dw_guest_submitted (self, &s_brief, seen))
        return DW_VERDICT_SKIPPED;
    return s_be_silent (self, seen) ? DW_VERDICT_PASSED : DW_VERDICT_FAILED;
}

/* Nobody knows its connection any more, and it is not cut: by the next one it is let in, and then
 * something comes by the first one after all. */
static dw_verdict_t s_half_open (void *stage, char *seen) {
    dw_guest_t *self = stage;
    if (!dw_guest_submitted (self, &s_brief, seen))
        return DW_VERDICT_SKIPPED;
    uint32_t forgotten = self->end;
    uint64_t run = self->runs[0];
    if (!s_be_silent (self, seen))
        return DW_VERDICT_FAILED;
    if (self->again == DW_STAGE_NONE)
        return DW_VERDICT_PASSED; /* without a session its runs are lost */
    self->end = self->again;
    self->again = DW_STAGE_NONE;
    self->is_mute = false;
    self->runs_count = 0;
    dw_guest_welcome (self, &s_welcome);
    int64_t deadline_ns = dw_stage_in (LEAVE_MS);
    while (self->runs_count == 0 && dw_guest_take (self, deadline_ns)) {
    }
    if (self->runs_count == 0 || self->runs[0] != run)
        return dw_case_fail (seen, "by the next connection it did not submit its run again");
    dw_stage_say (&self->stage, forgotten, DW_WIRE_STOP);
    dw_guest_watch (self, QUIET_MS);
    if (self->byes || dw_stage_is_gone (&self->stage, self->end))
        return dw_case_fail (seen, "it left by what came by a connection that is forgotten");
    return dw_guest_expect_end (self, LEAVE_MS, seen);
}

static dw_verdict_t s_stop (void *stage, char *seen) {
    dw_guest_t *self = stage;
    if (!dw_guest_submitted (self, &s_welcome, seen))
        return DW_VERDICT_SKIPPED;
    dw_stage_say (&self->stage, self->end, DW_WIRE_STOP);
    return dw_guest_await_gone (self, LEAVE_MS)
               ? dw_case_pass (seen, "it left")
               : dw_case_fail (seen, "it was still there after %d ms", LEAVE_MS);
}

/* ---- It comes again --------------------------------------------------------------------------- */

/* A client that has submitted, was cut off, and has said HELLO again, as who it is. */
static bool s_came_again (dw_guest_t *self, dw_verdict_t *verdict_p, char *seen) {
    *verdict_p = DW_VERDICT_SKIPPED;
    if (!dw_guest_submitted (self, &s_welcome, seen))
        return false;
    if (!self->has_identity) {
        dw_case_skip (seen, "it said no uuid, and wants no session");
        return false;
    }
    uint8_t uuid[DW_WIRE_UUID_SIZE];
    uint64_t incarnation = self->incarnation;
    memcpy (uuid, self->uuid, sizeof uuid);
    self->end = DW_STAGE_NONE;
    if (dw_stage_cut (&self->stage)) {
        dw_case_skip (seen, "the endpoint could not be listened at again");
        return false;
    }
    int64_t deadline_ns = dw_stage_in (LEAVE_MS);
    while (self->again == DW_STAGE_NONE && dw_guest_take (self, deadline_ns)) {
    }
    if (self->again == DW_STAGE_NONE) {
        *verdict_p = self->stage.subject.words && dw_subject_has_ended (&self->stage.subject)
                         ? dw_case_skip (seen,
                                         "it ended with %d: is it to look for a coordinator again?",
                                         self->stage.subject.status)
                         : dw_case_fail (seen, "it did not come again");
        return false;
    }
    self->end = self->again;
    dw_wire_hello_t hello;
    dw_wire_identity_t identity = {0};
    dw_wire_reader_t reader = dw_wire_reader (self->stage.greeting.bytes,
                                              self->stage.greeting.count);
    bool is_known = dw_read_uint (&reader) == DW_WIRE_HELLO && dw_read_hello (&reader, &hello) &&
                    dw_read_identity (&reader, &identity) &&
                    memcmp (identity.uuid, uuid, sizeof uuid) == 0;
    if (!is_known && !self->stage.subject.words) {
        dw_case_skip (seen, "another client came, with another uuid");
        return false;
    }
    if (!is_known || identity.incarnation <= incarnation) {
        *verdict_p = dw_case_fail (seen, is_known ? "it came again without a later incarnation"
                                                  : "it came again with another uuid");
        return false;
    }
    return true;
}

static dw_verdict_t s_comes_again (void *stage, char *seen) {
    dw_guest_t *self = stage;
    dw_verdict_t verdict;
    if (!s_came_again (self, &verdict, seen))
        return verdict;
    uint64_t run = self->runs[0];
    self->runs_count = self->answered = 0;
    dw_guest_welcome (self, &s_welcome);
    int64_t deadline_ns = dw_stage_in (LEAVE_MS);
    while (self->runs_count == 0 && dw_guest_take (self, deadline_ns)) {
    }
    if (self->runs_count == 0 || self->runs[0] != run) {
        return dw_case_fail (seen, "%s",
                             self->runs_count ? "it submitted another run"
                                              : "it did not submit its run again");
    }
    return dw_guest_expect_end (self, LEAVE_MS, seen);
}

static dw_verdict_t s_comes_again_kept (void *stage, char *seen) {
    dw_guest_t *self = stage;
    dw_verdict_t verdict;
    if (!s_came_again (self, &verdict, seen))
        return verdict;
    uint32_t count = self->runs_count;
    for (uint32_t i = 0; i < count; i++) {
        dw_guest_result_t result = dw_guest_result (self->runs[i]);
        dw_guest_send_result (self, &result);
    }
    self->answered = count;
    dw_guest_welcome (self, &s_welcome);
    dw_guest_watch (self, QUIET_MS);
    for (uint32_t i = count; i < self->runs_count; i++) {
        if (self->runs[i] <= self->runs[count - 1]) {
            return dw_case_fail (seen, "it submitted run %llu again, whose result it has",
                                 (unsigned long long) self->runs[i]);
        }
    }
    return dw_guest_expect_end (self, LEAVE_MS, seen);
}

static dw_verdict_t s_comes_again_other (void *stage, char *seen) {
    dw_guest_t *self = stage;
    dw_verdict_t verdict;
    if (!s_came_again (self, &verdict, seen))
        return verdict;
    uint64_t last = self->runs[self->runs_count - 1];
    self->runs_count = 0;
    self->session++;
    dw_guest_welcome (self, &s_welcome);
    bool is_gone = dw_guest_await_gone (self, LEAVE_MS);
    if (self->runs_count && self->runs[0] <= last) {
        return dw_case_fail (seen, "it submitted run %llu again, which is lost",
                             (unsigned long long) self->runs[0]);
    }
    return is_gone ? dw_case_pass (seen, "it left")
                   : dw_case_fail (seen, "it waits for runs that are lost");
}

static const dw_case_t s_cases[] = {
    {"hello", HELLO, "What it says first is HELLO, with the word dagwood.", s_hello},
    {"hello-versions", "Versions",
     "It speaks version 3, and its oldest is no newer than its newest.", s_hello_versions},
    {"hello-role", HELLO, "A client has role 2.", s_hello_role},
    {"hello-zeros", HELLO, "A client has number 0 and credit 0.", s_hello_zeros},
    {"hello-identity", HELLO,
     "Behind the credit is nothing, or a uuid of 16 bytes and an incarnation.", s_hello_identity},
    {"hello-waits", HELLO, "Behind HELLO it says nothing until it is answered.", s_hello_waits},
    {"refused-version", "Versions",
     "Who is REFUSED 400 for its version leaves, and submits nothing.", s_refused_version},
    {"refused-key", REFUSED, "Who is REFUSED 403 leaves, and submits nothing.", s_refused_key},
    {"refused-busy", REFUSED, "Who is REFUSED 503 leaves, and submits nothing.", s_refused_busy},
    {"submit", SUBMIT, "A client that is welcome submits a run.", s_submit},
    {"submission", SUBMIT,
     "Runs ascend from 1, a payload is one value of msgpack, and outputs are nodes of the graph.",
     s_submission},
    {"own-number", "Peers", "Each message begins with the number that WELCOME gave it.",
     s_own_number},
    {"together", SUBMIT, "At most 64 submissions are in one message.", s_together},
    {"runs-max", WELCOME, "No more runs are in flight than WELCOME allows.", s_runs_max},
    {"result", RESULTS, "A client that has its results leaves.", s_result},
    {"bye", "Messages, BYE", "It says BYE before it leaves.", s_bye},
    {"result-frames", "Encoding", "Table and blob may stand in frames, a payload in the blob.",
     s_result_frames},
    {"result-long", "Encoding",
     "Integers are read in every form, the longest too, and values behind the last are ignored.",
     s_result_long},
    {"result-failed", RESULTS, "A run that failed is a result too, with its error.",
     s_result_failed},
    {"result-repeated", RESULTS, "A result that comes twice is one.", s_result_repeated},
    {"result-foreign", "What is counted and ignored",
     "Results of runs that it does not know are dropped, and its own is waited for.",
     s_result_foreign},
    {"results-empty", RESULTS, "RESULTS without a result is nothing.", s_results_empty},
    {"run-refused", REFUSED, "A run that is REFUSED is not waited for.", s_run_refused},
    {"stalled", "Messages, STALLED", "After STALLED its run is waited for.", s_stalled},
    {"beats", PRESENCE, "Who waits and has heard nothing for a heartbeat says BEAT.", s_beats},
    {"late-result", PRESENCE, "As long as its BEAT is answered it waits, longer than the silence.",
     s_late},
    {"pause", PRESENCE,
     "A coordinator that pauses for less than the silence, and answers late, is not lost.",
     s_pause},
    {"silence", PRESENCE, "A coordinator that answers no BEAT for the silence is lost.", s_silence},
    {"half-open", PRESENCE,
     "Whose connection nobody knows any more, though it is not cut, leaves, or comes again by another, and waits by that alone.",
     s_half_open},
    {"stop", "Messages, STOP", "A client that is told STOP leaves.", s_stop},
    {"comes-again", AGAIN,
     "Who was cut off says HELLO with the same uuid and a later incarnation, and submits what it has no "
     "result of.",
     s_comes_again},
    {"comes-again-kept", AGAIN, "What is sent before WELCOME it does not submit again.",
     s_comes_again_kept},
    {"comes-again-other", AGAIN, "With another session its runs are lost: it submits none again.",
     s_comes_again_other},
};

const dw_cases_t dw_cases_client = {s_cases, sizeof s_cases / sizeof *s_cases};
