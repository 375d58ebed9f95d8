/* worker_leaving.c - cases of a worker under test: stopped, replaced, put out, drained. */

#include <signal.h>
#include <string.h>

#include "cli/conformance/crew.h"

#define STOP     "Messages, STOP"
#define LEAVE_MS 6000
#define QUIET_MS 300

static dw_verdict_t s_stop (void *stage, char *seen) {
    UP (self, stage, seen);
    uint32_t end = self->slots[0].end, bad = self->bad_byes;
    self->replaces_none = true;
    dw_stage_say (&self->stage, end, DW_WIRE_STOP);
    dw_crew_spend (self);
    if (!dw_crew_await_slot_gone (self, 0, LEAVE_MS))
        return dw_case_fail (seen, "it did not leave");
    if (!self->stage.ends[end].has_left || self->bad_byes > bad) {
        return dw_case_fail (seen, "%s",
                             self->bad_byes > bad ? "its BYE is in the name of somebody else"
                                                  : "it left without BYE");
    }
    uint32_t count = self->stage.ends[end].messages_count;
    dw_crew_watch (self, QUIET_MS);
    return self->stage.ends[end].messages_count > count
               ? dw_case_fail (seen, "it went on talking after BYE")
               : dw_case_pass (seen, "BYE");
}

static dw_verdict_t s_stop_at_work (void *stage, char *seen) {
    UP (self, stage, seen);
    if (!self->has_slow)
        return dw_case_skip (seen, "it does not offer sleep");
    uint64_t first = self->slots[0].next_ticket;
    uint32_t end = self->slots[0].end;
    self->replaces_none = true;
    dw_crew_begin (self, 0);
    for (int i = 0; i < 8; i++)
        dw_crew_add (self, 0, self->slow, 1, "Slow");
    dw_crew_send (self, 0);
    dw_crew_watch (self, 100);
    dw_stage_say (&self->stage, end, DW_WIRE_STOP);
    dw_crew_spend (self);
    if (!dw_crew_await_slot_gone (self, 0, LEAVE_MS) || !self->stage.ends[end].has_left) {
        return dw_case_fail (seen, "it did not say BYE; %u answers",
                             (unsigned) self->answers_count);
    }
    for (uint32_t i = 0; i < self->answers_count; i++) {
        if (self->answers[i].ticket != first + i) {
            return dw_case_fail (seen, "it answered ticket %llu, not %llu",
                                 (unsigned long long) self->answers[i].ticket,
                                 (unsigned long long) first + i);
        }
    }
    return self->answers_count
               ? dw_case_pass (seen, "%u of 8 answered, then BYE", (unsigned) self->answers_count)
               : dw_case_fail (seen, "what it was at was not answered before BYE");
}

static dw_verdict_t s_replace (void *stage, char *seen) {
    UP (self, stage, seen);
    if (self->is_solo)
        return dw_case_skip (seen, "a solo is its own slot: its BYE is its end");
    uint32_t comings = self->slots[0].comings;
    dw_stage_say (&self->stage, self->slots[0].end, DW_WIRE_STOP); /* BYE is answered by REPLACE */
    int64_t deadline_ns = dw_stage_in (LEAVE_MS);
    while (self->slots[0].comings == comings && dw_crew_take (self, deadline_ns)) {
    }
    if (self->slots[0].comings == comings)
        return dw_case_fail (seen, "no other slot came");
    return dw_crew_serves (self, seen) ? dw_case_pass (seen, "another slot serves")
                                       : DW_VERDICT_FAILED;
}

/* It is forgotten. */
static dw_verdict_t s_replace_solo (dw_crew_t *self, char *seen) {
    uint64_t incarnation = self->incarnation;
    dw_write_uint (&self->stage.out.head, DW_WIRE_REPLACE);
    dw_write_uint (&self->stage.out.head, self->slots[0].number);
    dw_stage_send (&self->stage, self->agent);
    dw_crew_spend (self);
    int64_t deadline_ns = dw_stage_in (LEAVE_MS);
    while (self->again == DW_STAGE_NONE && dw_crew_take (self, deadline_ns)) {
    }
    dw_wire_agent_t agent;
    dw_wire_reader_t reader;
    if (self->again == DW_STAGE_NONE || !dw_crew_read_agent (self, &agent, &reader))
        return dw_case_fail (seen, "it did not come again");
    bool is_later = memcmp (agent.uuid, self->uuid, sizeof self->uuid) == 0 &&
                    agent.incarnation > incarnation;
    return is_later ? dw_case_pass (seen, "it came again")
                    : dw_case_fail (seen, "it came again, and not as a later incarnation");
}

/* A slot that is there, and whose place another is to take: the former is nobody from then on. */
static dw_verdict_t s_replace_present (void *stage, char *seen) {
    UP (self, stage, seen);
    if (self->is_solo)
        return s_replace_solo (self, seen);
    uint32_t comings = self->slots[0].comings;
    dw_write_uint (&self->stage.out.head, DW_WIRE_REPLACE);
    dw_write_uint (&self->stage.out.head, self->slots[0].number);
    self->replaces_none = true;
    dw_stage_send (&self->stage, self->agent);
    int64_t deadline_ns = dw_stage_in (LEAVE_MS);
    while (self->slots[0].comings == comings && dw_crew_take (self, deadline_ns)) {
    }
    bool has_come = self->slots[0].comings > comings;
    bool serves = has_come && dw_crew_serves (self, seen);
    dw_crew_spend (self);
    if (!has_come)
        return dw_case_fail (seen, "no other slot came");
    return serves ? dw_case_pass (seen, "another slot serves") : DW_VERDICT_FAILED;
}

static bool s_are_slots_gone (dw_crew_t *self) {
    for (uint32_t i = 0; i < self->slots_count; i++)
        if (!dw_crew_await_slot_gone (self, i, LEAVE_MS))
            return false;
    return true;
}

static dw_verdict_t s_end (dw_crew_t *self, char *seen) {
    dw_crew_spend (self);
    self->replaces_none = true;
    if (!dw_crew_await_agent_gone (self, LEAVE_MS))
        return dw_case_fail (seen, "the agent is still there");
    return s_are_slots_gone (self) ? dw_case_pass (seen, "the agent and its slots are gone")
                                   : dw_case_fail (seen, "a slot is still there");
}

static dw_verdict_t s_stop_agent (void *stage, char *seen) {
    UP (self, stage, seen);
    for (uint32_t i = 0; i < self->slots_count; i++)
        dw_stage_say (&self->stage, self->slots[i].end, DW_WIRE_STOP);
    self->replaces_none = true;
    if (!s_are_slots_gone (self))
        return dw_case_fail (seen, "a slot is still there");
    dw_stage_say (&self->stage, self->agent, DW_WIRE_STOP);
    return s_end (self, seen);
}

static dw_verdict_t s_put_out (void *stage, char *seen) {
    UP (self, stage, seen);
    dw_stage_refuse (&self->stage, self->agent, 403, 0);
    return s_end (self, seen);
}

/* Awaits DRAIN after SIGTERM, and plays the coordinator's part in it. */
static dw_verdict_t s_drain (dw_crew_t *self, uint32_t tasks, char *seen) {
    dw_subject_t *subject = &self->stage.subject;
    uint64_t first = self->slots[0].next_ticket;
    uint32_t end = self->slots[0].end;
    if (tasks) {
        dw_crew_begin (self, 0);
        for (uint32_t i = 0; i < tasks; i++)
            dw_crew_add (self, 0, self->slow, 1, "Slow");
        dw_crew_send (self, 0);
        dw_crew_watch (self, 100);
    }
    dw_crew_spend (self);
    self->replaces_none = true;
    dw_subject_signal (subject, SIGTERM);
    int64_t deadline_ns = dw_stage_in (LEAVE_MS);
    while (self->drains == 0 && dw_crew_take (self, deadline_ns)) {
    }
    if (self->drains == 0)
        return dw_case_fail (seen, "no DRAIN came after SIGTERM");
    for (uint32_t i = 0; i < self->slots_count; i++)
        dw_stage_say (&self->stage, self->slots[i].end, DW_WIRE_STOP);
    if (!s_are_slots_gone (self))
        return dw_case_fail (seen, "a slot that was told STOP is still there");
    if (self->byes < self->slots_count || !self->stage.ends[end].has_left) {
        return dw_case_fail (seen, "%u of %u slots said BYE", (unsigned) self->byes,
                             (unsigned) self->slots_count);
    }
    if (tasks && (self->answers_count == 0 || self->answers[0].ticket != first))
        return dw_case_fail (seen, "what the slot was at was not answered before BYE");
    if (!self->is_solo && dw_stage_is_gone (&self->stage, self->agent))
        return dw_case_fail (seen, "the agent did not wait for STOP");
    dw_stage_say (&self->stage, self->agent, DW_WIRE_STOP);
    if (!dw_crew_await_agent_gone (self, LEAVE_MS))
        return dw_case_fail (seen, "the agent is still there");
    return dw_case_pass (seen, "DRAIN, %u BYE, and it ended", (unsigned) self->byes);
}

static dw_verdict_t s_drain_idle (void *stage, char *seen) {
    UP (self, stage, seen);
    return self->stage.subject.words
               ? s_drain (self, 0, seen)
               : dw_case_skip (seen, "its command was not given, so it cannot be sent SIGTERM");
}

static dw_verdict_t s_drain_at_work (void *stage, char *seen) {
    UP (self, stage, seen);
    if (!self->stage.subject.words)
        return dw_case_skip (seen, "its command was not given, so it cannot be sent SIGTERM");
    return self->has_slow ? s_drain (self, 6, seen)
                          : dw_case_skip (seen, "it does not offer sleep");
}

static const dw_case_t s_cases[] = {
    {"stop", STOP, "A slot that is told STOP says BYE in its own name, and nothing behind it.",
     s_stop},
    {"stop-at-work", STOP, "It answers for what its processor is in before it says BYE.",
     s_stop_at_work},
    {"replace", "Messages, REPLACE",
     "After BYE and REPLACE another slot takes the place, and serves.", s_replace},
    {"replace-present", "Messages, REPLACE",
     "After REPLACE of a slot that is there another serves; a solo comes again as a later incarnation.",
     s_replace_present},
    {"put-out", "Who is there, A key that is taken off the list",
     "An agent that is REFUSED 403 ends with its slots.", s_put_out},
    {"drain", "Who is there, To drain",
     "To drain it says DRAIN, its slots are told STOP and say BYE, and it ends when it is told.",
     s_drain_idle},
    {"drain-at-work", "Who is there, To drain",
     "A slot that is drained answers for what it is at before it says BYE.", s_drain_at_work},
    {"stop-agent", STOP, "An agent that is told STOP ends.", s_stop_agent},
};

const dw_cases_t dw_cases_worker_leaving = {s_cases, sizeof s_cases / sizeof *s_cases};
