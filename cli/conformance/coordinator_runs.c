/* coordinator_runs.c - cases of a coordinator under test: runs, their tasks, and answers that are late, repeated, foreign or
 * make no sense. */

#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "actors/clock.h"
#include "cli/conformance/caller.h"

#define SUBMIT  "Messages, SUBMIT"
#define ANSWERS "Messages, ANSWERS"
#define COUNTED "What is counted and ignored"
#define GOODBYE "Who is there, Good-bye and loss"
#define AGAIN   "Who is there, A client that comes again"

#define TASK_MS       4000
#define QUIET_MS      200
#define SETTLE_MS     100
#define OVERSIZED_MAX (48u << 20) /* bytes of a payload that is one more than may be */
#define RUN           5u          /* the client's number of its run */

/* Begins a case: a crowd and a client. */
#define OPEN(self, crowd, client, count, stage, seen)           \
    dw_caller_t *self = stage;                                  \
    dw_crowd_t crowd;                                           \
    if (!dw_caller_crowd (self, &(crowd), count, seen)) {       \
        return DW_VERDICT_SKIPPED;                              \
    }                                                           \
    dw_line_t *client = dw_caller_client (self, NULL, 0, seen); \
    if (!client) {                                              \
        return DW_VERDICT_SKIPPED;                              \
    }

/* Submits a run, and waits for the first of its tasks. */
static bool s_begin (dw_caller_t *self, dw_crowd_t *crowd, dw_line_t *client, char *seen) {
    dw_line_submit (client, RUN, "Hello", 0);
    bool has_come = dw_caller_work (self, crowd, client, 1, TASK_MS);
    if (self->asked_count > 0) {
        dw_caller_work (self, crowd, NULL, 0, SETTLE_MS); /* others may follow it */
        return true;
    }
    dw_case_skip (seen, has_come ? "the run was served by other workers"
                                 : "no task came: is there another worker that takes them?");
    return false;
}
#define BEGIN(self, crowd, client, count, stage, seen) \
    OPEN (self, crowd, client, count, stage, seen)     \
    if (!s_begin (self, &(crowd), client, seen)) {     \
        return DW_VERDICT_SKIPPED;                     \
    }

/* Has the run answered for to its end: it is ok. */
static dw_verdict_t s_expect_ok (dw_caller_t *self, dw_crowd_t *crowd, dw_line_t *client,
                                 uint64_t run, char *seen) {
    uint32_t status = 0;
    if (!dw_caller_serve (self, crowd, client, run, dw_line_answer, &status, seen)) {
        return DW_VERDICT_FAILED;
    }
    if (self->bad_tasks) {
        return dw_case_fail (seen, "TASKS that cannot be read");
    }
    return status == DW_RUN_OK
               ? dw_case_pass (seen, "ok, of %u tasks", (unsigned) self->asked_count)
               : dw_case_fail (seen, "the run ended with status %u", (unsigned) status);
}

/* ---- Runs ------------------------------------------------------------------------------------- */

static dw_verdict_t s_run (void *stage, char *seen) {
    BEGIN (self, crowd, client, 2, stage, seen);
    return s_expect_ok (self, &crowd, client, RUN, seen);
}

static dw_verdict_t s_task (void *stage, char *seen) {
    BEGIN (self, crowd, client, 1, stage, seen);
    for (uint32_t i = 0; i < self->asked_count; i++) {
        const dw_asked_t *asked = &self->asked[i];
        if (asked->node >= self->nodes_count || asked->steps < 1 ||
            asked->steps > self->nodes_count || asked->attempt != 1) {
            return dw_case_fail (seen, "node %u, %u steps, attempt %u", (unsigned) asked->node,
                                 (unsigned) asked->steps, (unsigned) asked->attempt);
        }
    }
    return self->bad_tasks
               ? dw_case_fail (seen, "TASKS that cannot be read")
               : dw_case_pass (seen, "node %u, %u steps", (unsigned) self->asked[0].node,
                               (unsigned) self->asked[0].steps);
}

static dw_verdict_t s_credit (void *stage, char *seen) {
    dw_caller_t *self = stage;
    dw_crowd_t crowd;
    if (!dw_caller_agent (self, &crowd, 1, seen)) {
        return DW_VERDICT_SKIPPED;
    }
    dw_line_t *client = dw_caller_client (self, NULL, 0, seen), *slot = dw_caller_line (self);
    if (!client || !slot) {
        return DW_VERDICT_SKIPPED;
    }
    dw_line_write_hello (slot, 3, 3, DW_WIRE_WORKER, crowd.token, crowd.numbers[0], 2);
    dw_line_send (slot);
    if (!dw_line_receive (slot, DW_CALLER_ANSWER) || slot->type != DW_WIRE_WELCOME) {
        return dw_case_skip (seen, "a slot with a credit of 2 was not welcomed");
    }
    slot->peer = dw_read_uint_max (&slot->reader, UINT32_MAX);
    crowd.slots[0] = slot;
    for (uint64_t run = 1; run <= 6; run++) {
        dw_line_submit (client, run, "Hello", 0);
    }
    dw_caller_work (self, &crowd, NULL, 0, QUIET_MS);
    if (self->asked_count == 0) {
        return dw_case_skip (seen, "no task came");
    }
    uint32_t first = self->asked_count;
    if (first > 2) {
        return dw_case_fail (seen, "%u tasks at one time, of a credit of 2", (unsigned) first);
    }
    dw_line_answer (slot, &self->asked[0]);
    dw_caller_work (self, &crowd, NULL, 0, QUIET_MS);
    return self->asked_count <= 3
               ? dw_case_pass (seen, "%u, and %u more after an answer", (unsigned) first,
                               (unsigned) (self->asked_count - first))
               : dw_case_fail (seen, "%u tasks after one answer, of a credit of 2",
                               (unsigned) self->asked_count);
}

static dw_verdict_t s_submit_nonsense (void *stage, char *seen) {
    dw_caller_t *self = stage;
    dw_line_t *client = dw_caller_client (self, NULL, 0, seen);
    if (!client) {
        return DW_VERDICT_SKIPPED;
    }
    static const uint8_t payload[] = {0xa5, 'n', 'o'};
    dw_writer_t *head = &client->out.head;
    dw_write_uint (head, DW_WIRE_SUBMIT);
    dw_write_uint (head, client->peer);
    dw_write_uint (head, RUN);
    dw_write_bin (head, payload, sizeof payload);
    dw_write_uint (head, 0);
    dw_write_nil (head);
    dw_line_send (client);
    return dw_line_is_refused (client, 400, RUN, seen) ? DW_VERDICT_PASSED : DW_VERDICT_FAILED;
}

static dw_verdict_t s_submit_output (void *stage, char *seen) {
    dw_caller_t *self = stage;
    dw_line_t *client = dw_caller_client (self, NULL, 0, seen);
    if (!client) {
        return DW_VERDICT_SKIPPED;
    }
    static const uint8_t payload[] = {0xa2, 'o', 'k'};
    dw_writer_t *head = &client->out.head;
    dw_write_uint (head, DW_WIRE_SUBMIT);
    dw_write_uint (head, client->peer);
    dw_write_uint (head, RUN);
    dw_write_bin (head, payload, sizeof payload);
    dw_write_uint (head, 0);
    dw_write_array (head, 1);
    dw_write_uint (head, self->nodes_count);
    dw_line_send (client);
    return dw_line_is_refused (client, 400, RUN, seen) ? DW_VERDICT_PASSED : DW_VERDICT_FAILED;
}

static dw_verdict_t s_submit_deep (void *stage, char *seen) {
    dw_caller_t *self = stage;
    dw_line_t *client = dw_caller_client (self, NULL, 0, seen);
    if (!client) {
        return DW_VERDICT_SKIPPED;
    }
    enum { DEPTH = 50000 };
    static uint8_t payload[DEPTH + 1];
    memset (payload, 0x91, DEPTH);
    payload[DEPTH] = 0xc0;
    dw_writer_t *head = &client->out.head;
    dw_write_uint (head, DW_WIRE_SUBMIT);
    dw_write_uint (head, client->peer);
    dw_write_uint (head, RUN);
    dw_write_bin (head, payload, sizeof payload);
    dw_write_uint (head, 0);
    dw_write_nil (head);
    dw_line_send (client);
    dw_line_say (client, DW_WIRE_BEAT);
    return dw_line_await (client, DW_WIRE_BEAT, DW_CALLER_ANSWER)
               ? dw_case_pass (seen, "BEAT")
               : dw_case_fail (seen, "BEAT is not answered any more");
}

/* A text that is one byte longer than payloads may be. */
static dw_verdict_t s_submit_oversized (void *stage, char *seen) {
    dw_caller_t *self = stage;
    dw_line_t *client = dw_caller_client (self, NULL, 0, seen);
    if (!client) {
        return DW_VERDICT_SKIPPED;
    }
    if (self->payload_max > OVERSIZED_MAX) {
        return dw_case_skip (seen, "it takes payloads of %llu bytes, more than are sent here",
                             (unsigned long long) self->payload_max);
    }
    size_t size = (size_t) self->payload_max + 1;
    uint8_t *payload = malloc (size + 5);
    if (!payload) {
        return dw_case_skip (seen, "no memory");
    }
    uint32_t text_size = (uint32_t) size;
    const uint8_t text[] = {0xdb, (uint8_t) (text_size >> 24), (uint8_t) (text_size >> 16),
                            (uint8_t) (text_size >> 8), (uint8_t) text_size};
    memcpy (payload, text, sizeof text);
    memset (payload + sizeof text, 'x', size);
    dw_writer_t *head = &client->out.head;
    dw_write_uint (head, DW_WIRE_SUBMIT);
    dw_write_uint (head, client->peer);
    dw_write_uint (head, RUN);
    dw_write_bin (head, payload, size + sizeof text);
    dw_write_uint (head, 0);
    dw_write_nil (head);
    free (payload);
    dw_line_send (client);
    return dw_line_is_refused (client, 400, RUN, seen) ? DW_VERDICT_PASSED : DW_VERDICT_FAILED;
}

/* The first is good, the second is cut: the first holds. */
static dw_verdict_t s_submit_cut (void *stage, char *seen) {
    OPEN (self, crowd, client, 1, stage, seen);
    static const uint8_t payload[] = {0xa2, 'o', 'k'};
    dw_writer_t *head = &client->out.head;
    dw_write_uint (head, DW_WIRE_SUBMIT);
    dw_write_uint (head, client->peer);
    dw_write_uint (head, RUN);
    dw_write_bin (head, payload, sizeof payload);
    dw_write_uint (head, 0);
    dw_write_nil (head);
    dw_write_uint (head, RUN + 1);
    dw_write_byte (head, 0xc6);
    dw_line_send (client);
    if (!dw_line_is_refused (client, 400, UINT64_MAX, seen)) {
        return DW_VERDICT_FAILED;
    }
    return s_expect_ok (self, &crowd, client, RUN, seen);
}

static dw_verdict_t s_deadline (void *stage, char *seen) {
    OPEN (self, crowd, client, 1, stage, seen);
    uint32_t status = 0;
    dw_line_submit (client, RUN, "Hello", 300);
    if (!dw_caller_work (self, &crowd, client, 0, TASK_MS) ||
        !dw_line_read_result (client, RUN, &status)) {
        return dw_case_fail (seen, "no result");
    }
    if (self->asked_count == 0) {
        return dw_case_skip (seen, "no task came");
    }
    return status == DW_RUN_FAILED && dw_line_has_code (client, 408)
               ? dw_case_pass (seen, "failed, with 408")
               : dw_case_fail (seen, "status %u", (unsigned) status);
}

static dw_verdict_t s_abort (void *stage, char *seen) {
    BEGIN (self, crowd, client, 1, stage, seen);
    uint32_t status = 0;
    dw_asked_t asked = self->asked[0];
    dw_write_uint (&client->out.head, DW_WIRE_ABORT);
    dw_write_uint (&client->out.head, client->peer);
    dw_write_uint (&client->out.head, RUN);
    dw_line_send (client);
    int64_t deadline_ns = dw_clock_ns () + (int64_t) TASK_MS * 1000000;
    bool has_result = false;
    while (!has_result && dw_clock_ns () < deadline_ns) {
        has_result = dw_caller_work (self, &crowd, client, 0, 50) &&
                     dw_line_read_result (client, RUN, &status);
        if (self->cancels) { /* which it waits for, or does not */
            dw_line_begin_answer (asked.slot, asked.ticket, 0, DW_WIRE_RETURNED);
            dw_line_send (asked.slot);
            self->cancels = 0;
            self->stops = 1; /* remembered: it was told */
        }
    }
    dw_caller_work (self, &crowd, NULL, 0, 50);
    if (!has_result) {
        return dw_case_fail (seen, "no result");
    }
    if (status != DW_RUN_CANCELLED) {
        return dw_case_fail (seen, "status %u", (unsigned) status);
    }
    return self->stops || self->cancels ? dw_case_pass (seen, "cancelled, and CANCEL to the worker")
                                        : dw_case_fail (seen, "no CANCEL to the worker");
}

static dw_verdict_t s_abort_unknown (void *stage, char *seen) {
    dw_caller_t *self = stage;
    dw_line_t *client = dw_caller_client (self, NULL, 0, seen);
    if (!client) {
        return DW_VERDICT_SKIPPED;
    }
    dw_write_uint (&client->out.head, DW_WIRE_ABORT);
    dw_write_uint (&client->out.head, client->peer);
    dw_write_uint (&client->out.head, 4711);
    dw_line_send (client);
    return dw_line_is_quiet (client, seen) ? dw_case_pass (seen, "no answer") : DW_VERDICT_FAILED;
}

/* ---- Answers ---------------------------------------------------------------------------------- */

/* Nothing came of what was said: no result, no other task. Then the run goes to its end. */
static dw_verdict_t s_expect_ignored (dw_caller_t *self, dw_crowd_t *crowd, dw_line_t *client,
                                      char *seen) {
    uint32_t status, before = self->asked_count;
    if (dw_caller_work (self, crowd, client, 0, QUIET_MS) &&
        dw_line_read_result (client, RUN, &status)) {
        return dw_case_fail (seen, "the run ended with status %u", (unsigned) status);
    }
    if (self->asked_count > before) {
        return dw_case_fail (seen, "it was taken for an answer: another task came");
    }
    return s_expect_ok (self, crowd, client, RUN, seen);
}

/* Its slot is nobody any more: the agent is to make another, which has the run go to its end. */
static dw_verdict_t s_expect_put_out (dw_caller_t *self, dw_crowd_t *crowd, dw_line_t *client,
                                      char *seen) {
    if (!dw_line_await (crowd->agent, DW_WIRE_REPLACE, DW_CALLER_ANSWER)) {
        return dw_case_fail (seen, "no REPLACE to the slot's agent");
    }
    uint64_t number = dw_read_uint (&crowd->agent->reader);
    if (number != crowd->numbers[0]) {
        return dw_case_fail (seen, "REPLACE of slot %llu", (unsigned long long) number);
    }
    dw_caller_forget (self);
    if (!dw_caller_slot (self, crowd, 0, seen)) {
        return DW_VERDICT_FAILED;
    }
    return s_expect_ok (self, crowd, client, RUN, seen);
}

static void s_answer_as (const dw_asked_t *asked, uint64_t ticket, uint32_t told) {
    static const uint8_t payload[] = {0xa5, 'w', 'r', 'o', 'n', 'g'};
    dw_writer_t *head = &asked->slot->out.head;
    dw_line_begin_answer (asked->slot, ticket, told, DW_WIRE_DONE);
    dw_write_uint (head, 1);
    dw_write_bin (head, payload, sizeof payload);
    dw_write_nil (head);
    dw_line_send (asked->slot);
}

static dw_verdict_t s_foreign_ticket (void *stage, char *seen) {
    BEGIN (self, crowd, client, 1, stage, seen);
    dw_asked_t asked = self->asked[0];
    s_answer_as (&asked, asked.ticket + 1000, 0);
    s_answer_as (&asked, UINT64_MAX, 0);
    return s_expect_put_out (self, &crowd, client, seen);
}

static dw_verdict_t s_foreign_name (void *stage, char *seen) {
    BEGIN (self, crowd, client, 2, stage, seen);
    dw_asked_t asked = self->asked[0];
    dw_line_t *other = asked.slot == crowd.slots[0] ? crowd.slots[1] : crowd.slots[0];
    uint32_t own = other->peer;
    other->peer = asked.slot->peer; /* by another connection */
    dw_asked_t forged = asked;
    forged.slot = other;
    s_answer_as (&forged, asked.ticket, 0);
    other->peer = own;
    return s_expect_ignored (self, &crowd, client, seen);
}

static dw_verdict_t s_told_ahead (void *stage, char *seen) {
    BEGIN (self, crowd, client, 1, stage, seen);
    dw_asked_t asked = self->asked[0];
    s_answer_as (&asked, asked.ticket, 3);
    return s_expect_ignored (self, &crowd, client, seen);
}

static dw_verdict_t s_answer_cut (void *stage, char *seen) {
    BEGIN (self, crowd, client, 1, stage, seen);
    dw_asked_t asked = self->asked[0];
    dw_line_begin_answer (asked.slot, asked.ticket, 0, DW_WIRE_DONE);
    dw_line_send (asked.slot);
    return s_expect_put_out (self, &crowd, client, seen);
}

static dw_verdict_t s_answer_count (void *stage, char *seen) {
    BEGIN (self, crowd, client, 1, stage, seen);
    dw_asked_t asked = self->asked[0];
    dw_line_begin_answer (asked.slot, asked.ticket, 0, DW_WIRE_DONE);
    dw_write_uint (&asked.slot->out.head, UINT32_MAX);
    dw_line_send (asked.slot);
    return s_expect_put_out (self, &crowd, client, seen);
}

static dw_verdict_t s_answer_kind (void *stage, char *seen) {
    BEGIN (self, crowd, client, 1, stage, seen);
    dw_asked_t asked = self->asked[0];
    dw_line_begin_answer (asked.slot, asked.ticket, 0, 9);
    dw_line_send (asked.slot);
    return s_expect_put_out (self, &crowd, client, seen);
}

static void s_answer_twice (dw_line_t *slot, const dw_asked_t *asked) {
    dw_line_answer (slot, asked);
    dw_line_answer (slot, asked);
}

static dw_verdict_t s_repeated (void *stage, char *seen) {
    BEGIN (self, crowd, client, 1, stage, seen);
    uint32_t status = 0;
    if (!dw_caller_serve (self, &crowd, client, RUN, s_answer_twice, &status, seen)) {
        return DW_VERDICT_FAILED;
    }
    if (status != DW_RUN_OK) {
        return dw_case_fail (seen, "status %u", (unsigned) status);
    }
    if (dw_caller_work (self, &crowd, client, 0, QUIET_MS) &&
        dw_line_read_result (client, RUN, &status)) {
        return dw_case_fail (seen, "the result came twice");
    }
    return dw_case_pass (seen, "one result");
}

/* What was sent together is answered last one first: only those that are due count, so the others are said again. */
static dw_verdict_t s_reordered (void *stage, char *seen) {
    OPEN (self, crowd, client, 1, stage, seen);
    for (uint64_t run = 1; run <= 4; run++) {
        dw_line_submit (client, run, "Hello", 0);
    }
    dw_caller_work (self, &crowd, NULL, 0, QUIET_MS);
    if (self->asked_count < 2) {
        return dw_case_skip (seen, "no two tasks came together");
    }
    uint32_t status;
    dw_asked_t last = self->asked[self->asked_count - 1];
    s_answer_as (&last, last.ticket, 0);
    if (dw_caller_work (self, &crowd, client, 0, QUIET_MS) && client->type == DW_WIRE_RESULTS) {
        return dw_case_fail (seen, "an answer before its turn was taken");
    }
    return dw_caller_serve (self, &crowd, client, 1, dw_line_answer, &status, seen) &&
                   status == DW_RUN_OK
               ? dw_case_pass (seen, "ignored, and the run is ok")
               : DW_VERDICT_FAILED;
}

static void s_answer_failed (dw_line_t *slot, const dw_asked_t *asked) {
    dw_line_begin_answer (slot, asked->ticket, 0, DW_WIRE_FAILED);
    dw_write_uint (&slot->out.head, 477);
    dw_write_str (&slot->out.head, "it is a test", 12);
    dw_line_send (slot);
}

static void s_answer_nonsense (dw_line_t *slot, const dw_asked_t *asked) {
    static const uint8_t payload[] = {0xa9, 'n', 'o'};
    dw_line_begin_answer (slot, asked->ticket, 0, DW_WIRE_DONE);
    dw_write_uint (&slot->out.head, asked->steps);
    for (uint32_t i = 0; i < asked->steps; i++) {
        dw_write_bin (&slot->out.head, payload, sizeof payload);
        dw_write_nil (&slot->out.head);
    }
    dw_line_send (slot);
}

static void s_answer_too_much (dw_line_t *slot, const dw_asked_t *asked) {
    static const uint8_t payload[] = {0xa2, 'n', 'o'};
    dw_line_begin_answer (slot, asked->ticket, 0, DW_WIRE_DONE);
    dw_write_uint (&slot->out.head, asked->steps + 3);
    for (uint32_t i = 0; i < asked->steps + 3; i++) {
        dw_write_bin (&slot->out.head, payload, sizeof payload);
        dw_write_nil (&slot->out.head);
    }
    dw_line_send (slot);
}

/* A run whose tasks are all answered so fails, with this code. */
static dw_verdict_t s_expect_code (void *stage, dw_answer_t *answer, uint32_t code, char *seen) {
    BEGIN (self, crowd, client, 1, stage, seen);
    uint32_t status = 0;
    if (!dw_caller_serve (self, &crowd, client, RUN, answer, &status, seen)) {
        return DW_VERDICT_FAILED;
    }
    return status != DW_RUN_OK && dw_line_has_code (client, code)
               ? dw_case_pass (seen, "status %u, with %u", (unsigned) status, (unsigned) code)
               : dw_case_fail (seen, "status %u, without %u", (unsigned) status, (unsigned) code);
}

static dw_verdict_t s_failed (void *stage, char *seen) {
    return s_expect_code (stage, s_answer_failed, 477, seen);
}

static dw_verdict_t s_nonsense (void *stage, char *seen) {
    BEGIN (self, crowd, client, 1, stage, seen);
    dw_asked_t asked = self->asked[0];
    s_answer_nonsense (asked.slot, &asked);
    return s_expect_put_out (self, &crowd, client, seen);
}

static dw_verdict_t s_too_many_steps (void *stage, char *seen) {
    return s_expect_code (stage, s_answer_too_much, 502, seen);
}

static dw_verdict_t s_late (void *stage, char *seen) {
    OPEN (self, crowd, client, 1, stage, seen);
    uint32_t status = 0;
    dw_line_submit (client, RUN, "Hello", 200);
    if (!dw_caller_work (self, &crowd, client, 0, TASK_MS) || self->asked_count == 0) {
        return dw_case_skip (seen, "no task, or no result");
    }
    for (uint32_t i = 0; i < self->asked_count; i++) {
        dw_line_answer (self->asked[i].slot, &self->asked[i]); /* its run is over */
    }
    if (dw_caller_work (self, &crowd, client, 0, QUIET_MS) &&
        dw_line_read_result (client, RUN, &status)) {
        return dw_case_fail (seen, "a second result came");
    }
    dw_caller_forget (self);
    dw_line_submit (client, RUN + 1, "Hello", 0);
    return s_expect_ok (self, &crowd, client, RUN + 1, seen);
}

/* ---- Lost, and sent again --------------------------------------------------------------------- */

/* The task that was sent first comes again, to whoever is there, and its run is ok. What others hold is answered. */
static dw_verdict_t s_expect_again (dw_caller_t *self, dw_crowd_t *crowd, dw_line_t *client,
                                    char *seen) {
    uint32_t node = self->asked[0].node;
    for (uint32_t i = 0; i < self->asked_count; i++) {
        if (self->asked[i].slot != self->asked[0].slot) {
            dw_line_answer (self->asked[i].slot, &self->asked[i]);
        }
    }
    dw_caller_forget (self);
    dw_caller_work (self, crowd, client, 1, TASK_MS);
    bool has_come = false;
    for (uint32_t i = 0; i < self->asked_count; i++) {
        has_come |= self->asked[i].node == node;
    }
    if (!has_come) {
        return dw_case_fail (seen, "its task was not sent again");
    }
    return s_expect_ok (self, crowd, client, RUN, seen);
}

static uint32_t s_index (const dw_crowd_t *crowd, const dw_line_t *slot) {
    return slot == crowd->slots[0] ? 0 : 1;
}

static dw_verdict_t s_returned (void *stage, char *seen) {
    BEGIN (self, crowd, client, 1, stage, seen);
    for (uint32_t i = 0; i < self->asked_count; i++) {
        dw_line_begin_answer (self->asked[i].slot, self->asked[i].ticket, 0, DW_WIRE_RETURNED);
        dw_line_send (self->asked[i].slot);
    }
    return s_expect_again (self, &crowd, client, seen);
}

static dw_verdict_t s_slot_bye (void *stage, char *seen) {
    BEGIN (self, crowd, client, 2, stage, seen);
    dw_line_t *slot = self->asked[0].slot;
    dw_line_say (slot, DW_WIRE_BYE);
    slot->peer = UINT32_MAX;
    crowd.slots[s_index (&crowd, slot)] = NULL;
    return s_expect_again (self, &crowd, client, seen);
}

static dw_verdict_t s_slot_cut (void *stage, char *seen) {
    BEGIN (self, crowd, client, 2, stage, seen);
    dw_line_t *slot = self->asked[0].slot;
    uint32_t index = s_index (&crowd, slot);
    dw_line_cut (slot);
    crowd.slots[index] = NULL;
    /* Which the coordinator need not see: its agent makes the slot again. */
    return dw_caller_slot (self, &crowd, index, seen) ? s_expect_again (self, &crowd, client, seen)
                                                      : DW_VERDICT_FAILED;
}

static dw_verdict_t s_agent_bye (void *stage, char *seen) {
    BEGIN (self, crowd, client, 1, stage, seen);
    dw_crowd_t other;
    dw_line_say (crowd.agent, DW_WIRE_BYE);
    crowd.agent->peer = crowd.slots[0]->peer = UINT32_MAX;
    return dw_caller_crowd (self, &other, 1, seen) ? s_expect_again (self, &other, client, seen)
                                                   : DW_VERDICT_FAILED;
}

static dw_verdict_t s_fenced_answer (void *stage, char *seen) {
    BEGIN (self, crowd, client, 1, stage, seen);
    dw_asked_t former = self->asked[0];
    if (!dw_caller_slot (self, &crowd, 0, seen)) {
        return DW_VERDICT_FAILED;
    }
    s_answer_as (&former, former.ticket, 0); /* it is nobody */
    former.slot->peer = UINT32_MAX;
    return s_expect_again (self, &crowd, client, seen);
}

static dw_verdict_t s_drain (void *stage, char *seen) {
    BEGIN (self, crowd, client, 1, stage, seen);
    dw_crowd_t other;
    dw_asked_t asked = self->asked[0];
    dw_line_say (crowd.agent, DW_WIRE_DRAIN);
    dw_caller_work (self, &crowd, NULL, 0, QUIET_MS);
    if (self->stops == 0) {
        return dw_case_fail (seen, "its slot was not told STOP");
    }
    dw_line_answer (asked.slot, &asked); /* what it was at is done */
    dw_line_say (asked.slot, DW_WIRE_BYE);
    crowd.slots[0]->peer = crowd.agent->peer = UINT32_MAX;
    if (!dw_caller_crowd (self, &other, 1, seen)) {
        return DW_VERDICT_FAILED;
    }
    dw_caller_forget (self);
    dw_verdict_t verdict = s_expect_ok (self, &other, client, RUN, seen);
    for (uint32_t i = 0; i < self->asked_count; i++) {
        if (self->asked[i].node == asked.node) {
            return dw_case_fail (seen, "what was answered before BYE was sent again");
        }
    }
    return verdict;
}

/* ---- Sessions and detached runs --------------------------------------------------------------- */

static bool s_random (uint8_t *uuid) {
    return getrandom (uuid, DW_WIRE_UUID_SIZE, 0) == (ssize_t) DW_WIRE_UUID_SIZE;
}

static dw_verdict_t s_session_kept (void *stage, char *seen) {
    dw_caller_t *self = stage;
    dw_crowd_t crowd;
    uint8_t uuid[DW_WIRE_UUID_SIZE];
    if (!s_random (uuid) || !dw_caller_crowd (self, &crowd, 1, seen)) {
        return DW_VERDICT_SKIPPED;
    }
    dw_line_t *client = dw_caller_client (self, uuid, ++self->incarnation, seen);
    if (!client) {
        return DW_VERDICT_SKIPPED;
    }
    if (!s_begin (self, &crowd, client, seen)) {
        return DW_VERDICT_SKIPPED;
    }
    dw_line_cut (client);
    for (uint32_t i = 0; i < self->asked_count; i++) {
        dw_line_answer (self->asked[i].slot, &self->asked[i]);
    }
    uint32_t answered = self->asked_count, status;
    int64_t deadline_ns = dw_clock_ns () + (int64_t) 1000 * 1000000;
    while (dw_clock_ns () < deadline_ns) {
        dw_caller_work (self, &crowd, NULL, answered + 1, 200);
        for (; answered < self->asked_count; answered++) {
            dw_line_answer (self->asked[answered].slot, &self->asked[answered]);
        }
    }
    dw_line_t *again = dw_caller_line (self);
    if (!again) {
        return dw_case_skip (seen, "no socket for a client");
    }
    dw_line_write_hello (again, 3, 3, DW_WIRE_CLIENT, dw_line_no_token, 0, 0);
    dw_write_identity (&again->out.head,
                       &(dw_wire_identity_t){.uuid = uuid, .incarnation = ++self->incarnation});
    dw_line_send (again);
    bool has_result = false;
    while (dw_line_receive (again, DW_CALLER_ANSWER) && again->type != DW_WIRE_WELCOME) {
        has_result |= dw_line_read_result (again, RUN, &status);
    }
    if (again->type != DW_WIRE_WELCOME) {
        return dw_case_fail (seen, "no WELCOME");
    }
    again->peer = dw_read_uint_max (&again->reader, UINT32_MAX);
    return has_result ? dw_case_pass (seen, "the result, then WELCOME")
                      : dw_case_fail (seen, "the result of its run did not come before WELCOME");
}

static dw_verdict_t s_session_resubmits (void *stage, char *seen) {
    dw_caller_t *self = stage;
    dw_crowd_t crowd;
    uint8_t uuid[DW_WIRE_UUID_SIZE];
    if (!s_random (uuid) || !dw_caller_crowd (self, &crowd, 1, seen)) {
        return DW_VERDICT_SKIPPED;
    }
    dw_line_t *client = dw_caller_client (self, uuid, ++self->incarnation, seen);
    if (!client || !s_begin (self, &crowd, client, seen)) {
        return DW_VERDICT_SKIPPED;
    }
    dw_line_cut (client);
    dw_line_t *again = dw_caller_client (self, uuid, ++self->incarnation, seen);
    if (!again) {
        return DW_VERDICT_FAILED;
    }
    dw_line_submit (again, RUN, "Hello", 0); /* it is under way */
    uint32_t before = self->asked_count;
    dw_caller_work (self, &crowd, NULL, 0, QUIET_MS);
    for (uint32_t i = before; i < self->asked_count; i++) {
        if (self->asked[i].run != self->asked[0].run) {
            return dw_case_fail (seen, "the run that came again was made twice");
        }
    }
    return s_expect_ok (self, &crowd, again, RUN, seen);
}

static dw_verdict_t s_claim_unknown (void *stage, char *seen) {
    dw_caller_t *self = stage;
    uint8_t uuid[DW_WIRE_UUID_SIZE];
    dw_line_t *client = s_random (uuid) ? dw_caller_client (self, uuid, ++self->incarnation, seen)
                                        : NULL;
    if (!client) {
        return DW_VERDICT_SKIPPED;
    }
    dw_writer_t *head = &client->out.head;
    dw_write_uint (head, DW_WIRE_CLAIM);
    dw_write_uint (head, client->peer);
    dw_write_uint (head, RUN);
    dw_write_bin (head, uuid, sizeof uuid);
    dw_write_uint (head, 4711);
    dw_line_send (client);
    return dw_line_is_refused (client, 404, RUN, seen) ? DW_VERDICT_PASSED : DW_VERDICT_FAILED;
}

static dw_verdict_t s_detach (void *stage, char *seen) {
    dw_caller_t *self = stage;
    dw_crowd_t crowd;
    uint8_t uuid[DW_WIRE_UUID_SIZE];
    if (!s_random (uuid) || !dw_caller_crowd (self, &crowd, 1, seen)) {
        return DW_VERDICT_SKIPPED;
    }
    dw_line_t *client = dw_caller_client (self, uuid, ++self->incarnation, seen);
    if (!client) {
        return DW_VERDICT_SKIPPED;
    }
    static const uint8_t payload[] = {0xa2, 'o', 'k'};
    dw_writer_t *head = &client->out.head;
    dw_write_uint (head, DW_WIRE_DETACH);
    dw_write_uint (head, client->peer);
    dw_write_uint (head, RUN);
    dw_write_bin (head, payload, sizeof payload);
    dw_write_uint (head, 0);
    dw_write_nil (head);
    dw_line_send (client);
    if (!dw_line_await (client, DW_WIRE_DETACH, DW_CALLER_ANSWER) ||
        dw_read_uint (&client->reader) != RUN) {
        return dw_case_fail (seen, "no DETACH of this run");
    }
    dw_write_uint (head, DW_WIRE_CLAIM);
    dw_write_uint (head, client->peer);
    dw_write_uint (head, RUN + 1);
    dw_write_bin (head, uuid, sizeof uuid);
    dw_write_uint (head, RUN);
    dw_line_send (client);
    return s_expect_ok (self, &crowd, client, RUN + 1, seen);
}

static const dw_case_t s_cases[] = {
    {"run", SUBMIT, "A run whose tasks are answered ends, and its result is ok.", s_run},
    {"task", "Messages, TASKS", "A task has a node, at least one step, and attempt 1.", s_task},
    {"credit", "Limits", "A slot is not sent more tasks than its credit.", s_credit},
    {"submit-nonsense", SUBMIT,
     "A payload that is not one value is REFUSED 400, by the run's number.", s_submit_nonsense},
    {"submit-output", SUBMIT, "An output that is no node is REFUSED 400, by the run's number.",
     s_submit_output},
    {"submit-deep", SUBMIT, "A payload that is nested 50,000 times holds nobody up.",
     s_submit_deep},
    {"submit-oversized", "Limits",
     "A payload above max_payload_bytes is REFUSED 400, by the run's number.", s_submit_oversized},
    {"submit-cut", COUNTED, "Submissions before one that is cut hold.", s_submit_cut},
    {"deadline", SUBMIT, "A run whose deadline passes has failed, with 408.", s_deadline},
    {"abort", "Messages, ABORT", "A run that is cancelled ends so, and its worker is told CANCEL.",
     s_abort},
    {"abort-unknown", "Messages, ABORT", "ABORT of a run that is none is not answered.",
     s_abort_unknown},
    {"answer-foreign-ticket", COUNTED,
     "A slot that answers for a ticket that it was never sent is put out.", s_foreign_ticket},
    {"answer-foreign-name", "Peers", "An answer in the name of another slot is ignored.",
     s_foreign_name},
    {"answer-told-ahead", COUNTED,
     "An answer that does not go on where the one before ended is ignored.", s_told_ahead},
    {"answer-cut", COUNTED, "A slot whose answer is cut is put out.", s_answer_cut},
    {"answer-count-beyond", COUNTED,
     "A slot that answers with more steps than there are bytes is put out.", s_answer_count},
    {"answer-kind", COUNTED, "A slot whose answer is of a kind that is none is put out.",
     s_answer_kind},
    {"answer-repeated", ANSWERS, "An answer that comes twice counts once, and so does its run.",
     s_repeated},
    {"answer-reordered", ANSWERS, "An answer before its turn is ignored.", s_reordered},
    {"answer-late", COUNTED, "An answer for a run that is over is ignored.", s_late},
    {"answer-failed", ANSWERS, "A task that failed fails its run, with the code of the answer.",
     s_failed},
    {"answer-nonsense", COUNTED, "A slot whose output is not one value is put out.", s_nonsense},
    {"answer-too-many-steps", COUNTED, "An answer of more steps than were sent fails with 502.",
     s_too_many_steps},
    {"returned", ANSWERS, "A task that is given back is sent again.", s_returned},
    {"lost-by-bye", GOODBYE, "What a slot held that says BYE is sent again.", s_slot_bye},
    {"lost-by-cut", GOODBYE,
     "What a slot held that was cut, and whose place another takes, is sent again.", s_slot_cut},
    {"lost-by-agent", GOODBYE, "What slots held whose agent says BYE is sent again.", s_agent_bye},
    {"answer-fenced", "Who is there, Fencing",
     "An answer of a slot whose place another has taken is ignored.", s_fenced_answer},
    {"drain-at-work", "Who is there, To drain", "What a drained slot answers before BYE counts.",
     s_drain},
    {"session-kept", AGAIN, "A result that a client missed is sent before WELCOME.",
     s_session_kept},
    {"session-resubmits", AGAIN,
     "A run that is submitted again while it is under way is made once.", s_session_resubmits},
    {"claim-unknown", "Messages, CLAIM", "A run that nobody knows is REFUSED 404.",
     s_claim_unknown},
    {"detach", "Messages, DETACH", "A run that is detached is confirmed, and can be claimed.",
     s_detach},
};

const dw_cases_t dw_cases_coordinator_runs = {s_cases, sizeof s_cases / sizeof *s_cases};
