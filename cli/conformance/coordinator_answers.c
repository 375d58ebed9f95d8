/* coordinator_answers.c - cases of a coordinator under test: answers that are late, repeated,
 * foreign or make no sense, and tasks whose workers leave. */

#include <string.h>

#include "actors/clock.h"
#include "cli/conformance/caller.h"

#define ANSWERS "Messages, ANSWERS"
#define COUNTED "What is counted and ignored"
#define GOODBYE "Who is there, Good-bye and loss"

#define TASK_MS  DW_CALLER_TASK_MS
#define QUIET_MS 200
#define RUN      DW_CALLER_RUN

/* ---- Answers ---------------------------------------------------------------------------------- */

/* Nothing came of what was said: no result, no other task. Then the run goes to its end. */
static dw_verdict_t s_expect_ignored (dw_caller_t *self, dw_crowd_t *crowd, dw_line_t *client,
                                      char *seen) {
    uint32_t status, before = self->asked_count;
    if (dw_caller_work (self, crowd, client, 0, QUIET_MS) &&
        dw_line_read_result (client, RUN, &status))
        return dw_case_fail (seen, "the run ended with status %u", (unsigned) status);
    if (self->asked_count > before)
        return dw_case_fail (seen, "it was taken for an answer: another task came");
    return dw_caller_expect_ok (self, crowd, client, RUN, seen);
}

/* Its slot is nobody any more: the agent is to make another, which has the run go to its end. */
static dw_verdict_t s_expect_put_out (dw_caller_t *self, dw_crowd_t *crowd, dw_line_t *client,
                                      char *seen) {
    if (!dw_line_await (crowd->agent, DW_WIRE_REPLACE, DW_CALLER_ANSWER))
        return dw_case_fail (seen, "no REPLACE to the slot's agent");
    uint64_t number = dw_read_uint (&crowd->agent->reader);
    if (number != crowd->numbers[0])
        return dw_case_fail (seen, "REPLACE of slot %llu", (unsigned long long) number);
    dw_caller_forget (self);
    if (!dw_caller_slot (self, crowd, 0, seen))
        return DW_VERDICT_FAILED;
    return dw_caller_expect_ok (self, crowd, client, RUN, seen);
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
    DW_CALLER_BEGIN (self, crowd, client, 1, stage, seen);
    dw_asked_t asked = self->asked[0];
    s_answer_as (&asked, asked.ticket + 1000, 0);
    s_answer_as (&asked, UINT64_MAX, 0);
    return s_expect_put_out (self, &crowd, client, seen);
}

static dw_verdict_t s_foreign_name (void *stage, char *seen) {
    DW_CALLER_BEGIN (self, crowd, client, 2, stage, seen);
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
    DW_CALLER_BEGIN (self, crowd, client, 1, stage, seen);
    dw_asked_t asked = self->asked[0];
    s_answer_as (&asked, asked.ticket, 3);
    return s_expect_ignored (self, &crowd, client, seen);
}

static dw_verdict_t s_answer_cut (void *stage, char *seen) {
    DW_CALLER_BEGIN (self, crowd, client, 1, stage, seen);
    dw_asked_t asked = self->asked[0];
    dw_line_begin_answer (asked.slot, asked.ticket, 0, DW_WIRE_DONE);
    dw_line_send (asked.slot);
    return s_expect_put_out (self, &crowd, client, seen);
}

static dw_verdict_t s_answer_count (void *stage, char *seen) {
    DW_CALLER_BEGIN (self, crowd, client, 1, stage, seen);
    dw_asked_t asked = self->asked[0];
    dw_line_begin_answer (asked.slot, asked.ticket, 0, DW_WIRE_DONE);
    dw_write_uint (&asked.slot->out.head, UINT32_MAX);
    dw_line_send (asked.slot);
    return s_expect_put_out (self, &crowd, client, seen);
}

static dw_verdict_t s_answer_kind (void *stage, char *seen) {
    DW_CALLER_BEGIN (self, crowd, client, 1, stage, seen);
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
    DW_CALLER_BEGIN (self, crowd, client, 1, stage, seen);
    uint32_t status = 0;
    if (!dw_caller_serve (self, &crowd, client, RUN, s_answer_twice, &status, seen))
        return DW_VERDICT_FAILED;
    if (status != DW_RUN_OK)
        return dw_case_fail (seen, "status %u", (unsigned) status);
    if (dw_caller_work (self, &crowd, client, 0, QUIET_MS) &&
        dw_line_read_result (client, RUN, &status))
        return dw_case_fail (seen, "the result came twice");
    return dw_case_pass (seen, "one result");
}

/* What was sent together is answered last one first: only those that are due count, so the others
 * are said again. */
static dw_verdict_t s_reordered (void *stage, char *seen) {
    DW_CALLER_OPEN (self, crowd, client, 1, stage, seen);
    for (uint64_t run = 1; run <= 4; run++)
        dw_line_submit (client, run, "Hello", 0);
    dw_caller_work (self, &crowd, NULL, 0, QUIET_MS);
    if (self->asked_count < 2)
        return dw_case_skip (seen, "no two tasks came together");
    uint32_t status;
    dw_asked_t last = self->asked[self->asked_count - 1];
    s_answer_as (&last, last.ticket, 0);
    if (dw_caller_work (self, &crowd, client, 0, QUIET_MS) && client->type == DW_WIRE_RESULTS)
        return dw_case_fail (seen, "an answer before its turn was taken");
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
    DW_CALLER_BEGIN (self, crowd, client, 1, stage, seen);
    uint32_t status = 0;
    if (!dw_caller_serve (self, &crowd, client, RUN, answer, &status, seen))
        return DW_VERDICT_FAILED;
    return status != DW_RUN_OK && dw_line_has_code (client, code)
               ? dw_case_pass (seen, "status %u, with %u", (unsigned) status, (unsigned) code)
               : dw_case_fail (seen, "status %u, without %u", (unsigned) status, (unsigned) code);
}

static dw_verdict_t s_failed (void *stage, char *seen) {
    return s_expect_code (stage, s_answer_failed, 477, seen);
}

static dw_verdict_t s_nonsense (void *stage, char *seen) {
    DW_CALLER_BEGIN (self, crowd, client, 1, stage, seen);
    dw_asked_t asked = self->asked[0];
    s_answer_nonsense (asked.slot, &asked);
    return s_expect_put_out (self, &crowd, client, seen);
}

static dw_verdict_t s_too_many_steps (void *stage, char *seen) {
    return s_expect_code (stage, s_answer_too_much, 502, seen);
}

static dw_verdict_t s_late (void *stage, char *seen) {
    DW_CALLER_OPEN (self, crowd, client, 1, stage, seen);
    uint32_t status = 0;
    dw_line_submit (client, RUN, "Hello", 200);
    if (!dw_caller_work (self, &crowd, client, 0, TASK_MS) || self->asked_count == 0)
        return dw_case_skip (seen, "no task, or no result");
    for (uint32_t i = 0; i < self->asked_count; i++)
        dw_line_answer (self->asked[i].slot, &self->asked[i]); /* its run is over */
    if (dw_caller_work (self, &crowd, client, 0, QUIET_MS) &&
        dw_line_read_result (client, RUN, &status))
        return dw_case_fail (seen, "a second result came");
    dw_caller_forget (self);
    dw_line_submit (client, RUN + 1, "Hello", 0);
    return dw_caller_expect_ok (self, &crowd, client, RUN + 1, seen);
}

/* ---- Lost, and sent again --------------------------------------------------------------------- */

/* The task that was sent first comes again, to whoever is there, and its run is ok. What others
 * hold is answered. */
static dw_verdict_t s_expect_again (dw_caller_t *self, dw_crowd_t *crowd, dw_line_t *client,
                                    char *seen) {
    uint32_t node = self->asked[0].node;
    for (uint32_t i = 0; i < self->asked_count; i++)
        if (self->asked[i].slot != self->asked[0].slot)
            dw_line_answer (self->asked[i].slot, &self->asked[i]);
    dw_caller_forget (self);
    dw_caller_work (self, crowd, client, 1, TASK_MS);
    bool has_come = false;
    for (uint32_t i = 0; i < self->asked_count; i++)
        has_come |= self->asked[i].node == node;
    if (!has_come)
        return dw_case_fail (seen, "its task was not sent again");
    return dw_caller_expect_ok (self, crowd, client, RUN, seen);
}

static uint32_t s_index (const dw_crowd_t *crowd, const dw_line_t *slot) {
    return slot == crowd->slots[0] ? 0 : 1;
}

static dw_verdict_t s_returned (void *stage, char *seen) {
    DW_CALLER_BEGIN (self, crowd, client, 1, stage, seen);
    for (uint32_t i = 0; i < self->asked_count; i++) {
        dw_line_begin_answer (self->asked[i].slot, self->asked[i].ticket, 0, DW_WIRE_RETURNED);
        dw_line_send (self->asked[i].slot);
    }
    return s_expect_again (self, &crowd, client, seen);
}

static dw_verdict_t s_slot_bye (void *stage, char *seen) {
    DW_CALLER_BEGIN (self, crowd, client, 2, stage, seen);
    dw_line_t *slot = self->asked[0].slot;
    dw_line_say (slot, DW_WIRE_BYE);
    slot->peer = UINT32_MAX;
    crowd.slots[s_index (&crowd, slot)] = NULL;
    return s_expect_again (self, &crowd, client, seen);
}

static dw_verdict_t s_slot_cut (void *stage, char *seen) {
    DW_CALLER_BEGIN (self, crowd, client, 2, stage, seen);
    dw_line_t *slot = self->asked[0].slot;
    uint32_t index = s_index (&crowd, slot);
    dw_line_cut (slot);
    crowd.slots[index] = NULL;
    /* Which the coordinator need not see: its agent makes the slot again. */
    return dw_caller_slot (self, &crowd, index, seen) ? s_expect_again (self, &crowd, client, seen)
                                                      : DW_VERDICT_FAILED;
}

static dw_verdict_t s_agent_bye (void *stage, char *seen) {
    DW_CALLER_BEGIN (self, crowd, client, 1, stage, seen);
    dw_crowd_t other;
    dw_line_say (crowd.agent, DW_WIRE_BYE);
    crowd.agent->peer = crowd.slots[0]->peer = UINT32_MAX;
    return dw_caller_crowd (self, &other, 1, seen) ? s_expect_again (self, &other, client, seen)
                                                   : DW_VERDICT_FAILED;
}

static dw_verdict_t s_fenced_answer (void *stage, char *seen) {
    DW_CALLER_BEGIN (self, crowd, client, 1, stage, seen);
    dw_asked_t former = self->asked[0];
    if (!dw_caller_slot (self, &crowd, 0, seen))
        return DW_VERDICT_FAILED;
    s_answer_as (&former, former.ticket, 0); /* it is nobody */
    former.slot->peer = UINT32_MAX;
    return s_expect_again (self, &crowd, client, seen);
}

static dw_verdict_t s_drain (void *stage, char *seen) {
    DW_CALLER_BEGIN (self, crowd, client, 1, stage, seen);
    dw_crowd_t other;
    dw_asked_t asked = self->asked[0];
    dw_line_say (crowd.agent, DW_WIRE_DRAIN);
    dw_caller_work (self, &crowd, NULL, 0, QUIET_MS);
    if (self->stops == 0)
        return dw_case_fail (seen, "its slot was not told STOP");
    dw_line_answer (asked.slot, &asked); /* what it was at is done */
    dw_line_say (asked.slot, DW_WIRE_BYE);
    crowd.slots[0]->peer = crowd.agent->peer = UINT32_MAX;
    if (!dw_caller_crowd (self, &other, 1, seen))
        return DW_VERDICT_FAILED;
    dw_caller_forget (self);
    dw_verdict_t verdict = dw_caller_expect_ok (self, &other, client, RUN, seen);
    for (uint32_t i = 0; i < self->asked_count; i++)
        if (self->asked[i].node == asked.node)
            return dw_case_fail (seen, "what was answered before BYE was sent again");
    return verdict;
}

static const dw_case_t s_cases[] = {
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
};

const dw_cases_t dw_cases_coordinator_answers = {s_cases, sizeof s_cases / sizeof *s_cases};
