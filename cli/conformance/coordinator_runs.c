/* coordinator_runs.c - cases of a coordinator under test: runs, their tasks, clients that come
 * again, and detached runs. */

#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "actors/clock.h"
#include "cli/conformance/caller.h"

#define SUBMIT  "Messages, SUBMIT"
#define COUNTED "What is counted and ignored"
#define AGAIN   "Who is there, A client that comes again"

#define TASK_MS       DW_CALLER_TASK_MS
#define QUIET_MS      200
#define OVERSIZED_MAX (48u << 20) /* bytes of a payload that is one more than may be */
#define RUN           DW_CALLER_RUN

/* ---- Runs ------------------------------------------------------------------------------------- */

static dw_verdict_t s_run (void *stage, char *seen) {
    DW_CALLER_BEGIN (self, crowd, client, 2, stage, seen);
    return dw_caller_expect_ok (self, &crowd, client, RUN, seen);
}

static dw_verdict_t s_task (void *stage, char *seen) {
    DW_CALLER_BEGIN (self, crowd, client, 1, stage, seen);
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
    if (!dw_caller_agent (self, &crowd, 1, seen))
        return DW_VERDICT_SKIPPED;
    dw_line_t *client = dw_caller_client (self, NULL, 0, seen), *slot = dw_caller_line (self);
    if (!client || !slot)
        return DW_VERDICT_SKIPPED;
    dw_line_write_hello (slot, 3, 3, DW_WIRE_WORKER, crowd.token, crowd.numbers[0], 2);
    dw_line_send (slot);
    if (!dw_line_receive (slot, DW_CALLER_ANSWER) || slot->type != DW_WIRE_WELCOME)
        return dw_case_skip (seen, "a slot with a credit of 2 was not welcomed");
    slot->peer = dw_read_uint_max (&slot->reader, UINT32_MAX);
    crowd.slots[0] = slot;
    for (uint64_t run = 1; run <= 6; run++)
        dw_line_submit (client, run, "Hello", 0);
    dw_caller_work (self, &crowd, NULL, 0, QUIET_MS);
    if (self->asked_count == 0)
        return dw_case_skip (seen, "no task came");
    uint32_t first = self->asked_count;
    if (first > 2)
        return dw_case_fail (seen, "%u tasks at one time, of a credit of 2", (unsigned) first);
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
    if (!client)
        return DW_VERDICT_SKIPPED;
    static const uint8_t payload[] = {0xa5, 'n', 'o'};
    dw_writer_t *head = &client->out.head;
    dw_line_begin_submit (client, RUN, payload, sizeof payload, 0);
    dw_write_nil (head);
    dw_line_send (client);
    return dw_line_is_refused (client, 400, RUN, seen) ? DW_VERDICT_PASSED : DW_VERDICT_FAILED;
}

static dw_verdict_t s_submit_output (void *stage, char *seen) {
    dw_caller_t *self = stage;
    dw_line_t *client = dw_caller_client (self, NULL, 0, seen);
    if (!client)
        return DW_VERDICT_SKIPPED;
    static const uint8_t payload[] = {0xa2, 'o', 'k'};
    dw_writer_t *head = &client->out.head;
    dw_line_begin_submit (client, RUN, payload, sizeof payload, 0);
    dw_write_array (head, 1);
    dw_write_uint (head, self->nodes_count);
    dw_line_send (client);
    return dw_line_is_refused (client, 400, RUN, seen) ? DW_VERDICT_PASSED : DW_VERDICT_FAILED;
}

static dw_verdict_t s_submit_deep (void *stage, char *seen) {
    dw_caller_t *self = stage;
    dw_line_t *client = dw_caller_client (self, NULL, 0, seen);
    if (!client)
        return DW_VERDICT_SKIPPED;
    enum { DEPTH = 50000 };
    static uint8_t payload[DEPTH + 1];
    memset (payload, 0x91, DEPTH);
    payload[DEPTH] = 0xc0;
    dw_writer_t *head = &client->out.head;
    dw_line_begin_submit (client, RUN, payload, sizeof payload, 0);
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
    if (!client)
        return DW_VERDICT_SKIPPED;
    if (self->payload_max > OVERSIZED_MAX) {
        return dw_case_skip (seen, "it takes payloads of %llu bytes, more than are sent here",
                             (unsigned long long) self->payload_max);
    }
    size_t size = (size_t) self->payload_max + 1;
    uint8_t *payload = malloc (size + 5);
    if (!payload)
        return dw_case_skip (seen, "no memory");
    uint32_t text_size = (uint32_t) size;
    const uint8_t text[] = {0xdb, (uint8_t) (text_size >> 24), (uint8_t) (text_size >> 16),
                            (uint8_t) (text_size >> 8), (uint8_t) text_size};
    memcpy (payload, text, sizeof text);
    memset (payload + sizeof text, 'x', size);
    dw_writer_t *head = &client->out.head;
    dw_line_begin_submit (client, RUN, payload, size + sizeof text, 0);
    dw_write_nil (head);
    free (payload);
    dw_line_send (client);
    return dw_line_is_refused (client, 400, RUN, seen) ? DW_VERDICT_PASSED : DW_VERDICT_FAILED;
}

/* The first is good, the second is cut: the first holds. */
static dw_verdict_t s_submit_cut (void *stage, char *seen) {
    DW_CALLER_OPEN (self, crowd, client, 1, stage, seen);
    static const uint8_t payload[] = {0xa2, 'o', 'k'};
    dw_writer_t *head = &client->out.head;
    dw_line_begin_submit (client, RUN, payload, sizeof payload, 0);
    dw_write_nil (head);
    dw_write_uint (head, RUN + 1);
    dw_write_byte (head, 0xc6);
    dw_line_send (client);
    if (!dw_line_is_refused (client, 400, UINT64_MAX, seen))
        return DW_VERDICT_FAILED;
    return dw_caller_expect_ok (self, &crowd, client, RUN, seen);
}

static dw_verdict_t s_deadline (void *stage, char *seen) {
    DW_CALLER_OPEN (self, crowd, client, 1, stage, seen);
    uint32_t status = 0;
    dw_line_submit (client, RUN, "Hello", 300);
    if (!dw_caller_work (self, &crowd, client, 0, TASK_MS) ||
        !dw_line_read_result (client, RUN, &status))
        return dw_case_fail (seen, "no result");
    if (self->asked_count == 0)
        return dw_case_skip (seen, "no task came");
    return status == DW_RUN_FAILED && dw_line_has_code (client, 408)
               ? dw_case_pass (seen, "failed, with 408")
               : dw_case_fail (seen, "status %u", (unsigned) status);
}

static dw_verdict_t s_abort (void *stage, char *seen) {
    DW_CALLER_BEGIN (self, crowd, client, 1, stage, seen);
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
    if (!has_result)
        return dw_case_fail (seen, "no result");
    if (status != DW_RUN_CANCELLED)
        return dw_case_fail (seen, "status %u", (unsigned) status);
    return self->stops || self->cancels ? dw_case_pass (seen, "cancelled, and CANCEL to the worker")
                                        : dw_case_fail (seen, "no CANCEL to the worker");
}

static dw_verdict_t s_abort_unknown (void *stage, char *seen) {
    dw_caller_t *self = stage;
    dw_line_t *client = dw_caller_client (self, NULL, 0, seen);
    if (!client)
        return DW_VERDICT_SKIPPED;
    dw_write_uint (&client->out.head, DW_WIRE_ABORT);
    dw_write_uint (&client->out.head, client->peer);
    dw_write_uint (&client->out.head, 4711);
    dw_line_send (client);
    return dw_line_is_quiet (client, seen) ? dw_case_pass (seen, "no answer") : DW_VERDICT_FAILED;
}

/* ---- Sessions and detached runs --------------------------------------------------------------- */

static bool s_random (uint8_t *uuid) {
    return getrandom (uuid, DW_WIRE_UUID_SIZE, 0) == (ssize_t) DW_WIRE_UUID_SIZE;
}

static dw_verdict_t s_session_kept (void *stage, char *seen) {
    dw_caller_t *self = stage;
    dw_crowd_t crowd;
    uint8_t uuid[DW_WIRE_UUID_SIZE];
    if (!s_random (uuid) || !dw_caller_crowd (self, &crowd, 1, seen))
        return DW_VERDICT_SKIPPED;
    dw_line_t *client = dw_caller_client (self, uuid, ++self->incarnation, seen);
    if (!client)
        return DW_VERDICT_SKIPPED;
    if (!dw_caller_begin (self, &crowd, client, seen))
        return DW_VERDICT_SKIPPED;
    dw_line_cut (client);
    for (uint32_t i = 0; i < self->asked_count; i++)
        dw_line_answer (self->asked[i].slot, &self->asked[i]);
    uint32_t answered = self->asked_count, status;
    int64_t deadline_ns = dw_clock_ns () + (int64_t) 1000 * 1000000;
    while (dw_clock_ns () < deadline_ns) {
        dw_caller_work (self, &crowd, NULL, answered + 1, 200);
        for (; answered < self->asked_count; answered++)
            dw_line_answer (self->asked[answered].slot, &self->asked[answered]);
    }
    dw_line_t *again = dw_caller_line (self);
    if (!again)
        return dw_case_skip (seen, "no socket for a client");
    dw_line_write_hello (again, 3, 3, DW_WIRE_CLIENT, dw_line_no_token, 0, 0);
    dw_write_identity (&again->out.head,
                       &(dw_wire_identity_t){.uuid = uuid, .incarnation = ++self->incarnation});
    dw_line_send (again);
    bool has_result = false;
    while (dw_line_receive (again, DW_CALLER_ANSWER) && again->type != DW_WIRE_WELCOME)
        has_result |= dw_line_read_result (again, RUN, &status);
    if (again->type != DW_WIRE_WELCOME)
        return dw_case_fail (seen, "no WELCOME");
    again->peer = dw_read_uint_max (&again->reader, UINT32_MAX);
    return has_result ? dw_case_pass (seen, "the result, then WELCOME")
                      : dw_case_fail (seen, "the result of its run did not come before WELCOME");
}

static dw_verdict_t s_session_resubmits (void *stage, char *seen) {
    dw_caller_t *self = stage;
    dw_crowd_t crowd;
    uint8_t uuid[DW_WIRE_UUID_SIZE];
    if (!s_random (uuid) || !dw_caller_crowd (self, &crowd, 1, seen))
        return DW_VERDICT_SKIPPED;
    dw_line_t *client = dw_caller_client (self, uuid, ++self->incarnation, seen);
    if (!client || !dw_caller_begin (self, &crowd, client, seen))
        return DW_VERDICT_SKIPPED;
    dw_line_cut (client);
    dw_line_t *again = dw_caller_client (self, uuid, ++self->incarnation, seen);
    if (!again)
        return DW_VERDICT_FAILED;
    dw_line_submit (again, RUN, "Hello", 0); /* it is under way */
    uint32_t before = self->asked_count;
    dw_caller_work (self, &crowd, NULL, 0, QUIET_MS);
    for (uint32_t i = before; i < self->asked_count; i++)
        if (self->asked[i].run != self->asked[0].run)
            return dw_case_fail (seen, "the run that came again was made twice");
    return dw_caller_expect_ok (self, &crowd, again, RUN, seen);
}

static dw_verdict_t s_claim_unknown (void *stage, char *seen) {
    dw_caller_t *self = stage;
    uint8_t uuid[DW_WIRE_UUID_SIZE];
    dw_line_t *client = s_random (uuid) ? dw_caller_client (self, uuid, ++self->incarnation, seen)
                                        : NULL;
    if (!client)
        return DW_VERDICT_SKIPPED;
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
    if (!s_random (uuid) || !dw_caller_crowd (self, &crowd, 1, seen))
        return DW_VERDICT_SKIPPED;
    dw_line_t *client = dw_caller_client (self, uuid, ++self->incarnation, seen);
    if (!client)
        return DW_VERDICT_SKIPPED;
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
        dw_read_uint (&client->reader) != RUN)
        return dw_case_fail (seen, "no DETACH of this run");
    dw_write_uint (head, DW_WIRE_CLAIM);
    dw_write_uint (head, client->peer);
    dw_write_uint (head, RUN + 1);
    dw_write_bin (head, uuid, sizeof uuid);
    dw_write_uint (head, RUN);
    dw_line_send (client);
    return dw_caller_expect_ok (self, &crowd, client, RUN + 1, seen);
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
