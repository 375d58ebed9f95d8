/* worker_greeting.c - cases of a worker under test: how it comes in, what it makes of WELCOME, and
 * that it is there. */

#include <string.h>

#include "actors/clock.h"
#include "cli/conformance/crew.h"

#define HELLO    "Messages, HELLO"
#define WELCOME  "Messages, WELCOME"
#define REFUSED  "Messages, REFUSED"
#define PRESENCE "Who is there"
#define COUNTED  "What is counted and ignored"

#define LEAVE_MS 6000 /* for a peer to leave that has to */
#define QUIET_MS 400

#define BRIEF_HEARTBEAT_MS 100
#define BRIEF_SILENCE_MS   700

static dw_crew_t *s_crew (void *stage) {
    return stage;
}

/* ---- HELLO ------------------------------------------------------------------------------------ */

/* The first end that has said a HELLO of another kind than that which is waited for; NULL: none. */
static const dw_end_t *s_other_greeting (const dw_crew_t *self, bool is_hello) {
    for (uint32_t i = 0; i < self->stage.ends_count; i++) {
        const dw_end_t *end = &self->stage.ends[i];
        if (end->has_greeted && end->is_hello == is_hello &&
            (!is_hello || (end->hello.role != DW_WIRE_AGENT && end->hello.role != DW_WIRE_SOLO)))
            return end;
    }
    return NULL;
}

/* Whether an agent has said HELLO, whatever it asks for: this time, or before another case. */
static bool s_has_agent (dw_crew_t *self, char *seen) {
    return self->agent != DW_STAGE_NONE || dw_crew_greeted (self, seen) ||
           self->agent != DW_STAGE_NONE;
}

static dw_verdict_t s_hello (void *stage, char *seen) {
    dw_crew_t *self = s_crew (stage);
    self->agent = DW_STAGE_NONE;
    if (s_has_agent (self, seen) || s_other_greeting (self, true))
        return dw_case_pass (seen, "HELLO");
    if (s_other_greeting (self, false))
        return dw_case_fail (seen, "a HELLO that cannot be read, or without the word dagwood");
    char text[40];
    return self->stage.ends_count
               ? dw_case_fail (seen, "%s came first", dw_case_type (self->stage.type, text))
               : DW_VERDICT_FAILED;
}

static dw_verdict_t s_hello_versions (void *stage, char *seen) {
    dw_crew_t *self = s_crew (stage);
    const dw_end_t *end = NULL;
    if (s_has_agent (self, seen))
        end = &self->stage.ends[self->agent];
    else if (!(end = s_other_greeting (self, true)))
        return DW_VERDICT_SKIPPED;
    return dw_case_versions (&end->hello, seen);
}

static dw_verdict_t s_hello_role (void *stage, char *seen) {
    dw_crew_t *self = s_crew (stage);
    if (s_has_agent (self, seen))
        return dw_case_pass (seen, self->is_solo ? "role 5" : "role 4");
    const dw_end_t *end = s_other_greeting (self, true);
    if (!end || dw_wire_common_version (&end->hello) == 0)
        return DW_VERDICT_SKIPPED;
    return dw_case_fail (seen, "role %u", (unsigned) end->hello.role);
}

static dw_verdict_t s_hello_zeros (void *stage, char *seen) {
    dw_crew_t *self = s_crew (stage);
    if (!s_has_agent (self, seen))
        return DW_VERDICT_SKIPPED;
    const dw_wire_hello_t *hello = &self->stage.ends[self->agent].hello;
    bool is_right = hello->number == 0 && (hello->credit > 0) == self->is_solo;
    return is_right ? dw_case_pass (seen, "number 0, credit %u", (unsigned) hello->credit)
                    : dw_case_fail (seen, "number %u, credit %u", (unsigned) hello->number,
                                    (unsigned) hello->credit);
}

static dw_verdict_t s_hello_agent (void *stage, char *seen) {
    dw_crew_t *self = s_crew (stage);
    if (!s_has_agent (self, seen))
        return DW_VERDICT_SKIPPED;
    dw_wire_agent_t agent;
    dw_wire_reader_t reader;
    if (!dw_crew_read_agent (self, &agent, &reader))
        return dw_case_fail (seen, "what follows the credit cannot be read");
    uint32_t tags = 0;
    size_t size;
    for (uint32_t i = 0; i < agent.processors_count; i++) {
        if (!dw_read_name (&reader, &size)) {
            return dw_case_fail (seen, "name %u of %u cannot be read", (unsigned) i + 1,
                                 (unsigned) agent.processors_count);
        }
    }
    tags = dw_read_tags (&reader);
    for (uint32_t i = 0; i < 2 * tags; i++)
        (void) dw_read_name (&reader, &size);
    if (reader.is_damaged || agent.slots == 0)
        return dw_case_fail (seen, "%s", agent.slots ? "its tags cannot be read" : "no slots");
    if (self->is_solo && agent.slots != 1)
        return dw_case_fail (seen, "a solo with %u slots", (unsigned) agent.slots);
    return dw_case_pass (seen, "%u slots, %u processors, %u tags", (unsigned) agent.slots,
                         (unsigned) agent.processors_count, (unsigned) tags);
}

static dw_verdict_t s_hello_waits (void *stage, char *seen) {
    dw_crew_t *self = s_crew (stage);
    if (!dw_crew_greeted (self, seen))
        return DW_VERDICT_SKIPPED;
    self->is_mute = true;
    dw_crew_watch (self, QUIET_MS);
    uint32_t count = self->stage.ends[self->agent].messages_count;
    return count ? dw_case_fail (seen, "%u messages before an answer", (unsigned) count)
                 : dw_case_pass (seen, "nothing for %d ms", QUIET_MS);
}

/* ---- WELCOME ---------------------------------------------------------------------------------- */

static dw_verdict_t s_slots_come (void *stage, char *seen) {
    dw_crew_t *self = s_crew (stage);
    if (dw_crew_up (self, seen) && self->is_solo)
        return dw_case_skip (seen, "a solo is its own slot");
    if (self->is_up)
        return dw_case_pass (seen, "%u slots", (unsigned) self->slots_count);
    return self->slots_count > 0 && self->plan ? DW_VERDICT_FAILED : DW_VERDICT_SKIPPED;
}

static dw_verdict_t s_slot_hello (void *stage, char *seen) {
    dw_crew_t *self = s_crew (stage);
    if (!dw_crew_up (self, seen))
        return DW_VERDICT_SKIPPED;
    if (self->is_solo)
        return dw_case_skip (seen, "a solo is its own slot");
    for (uint32_t i = 0; i < self->slots_count; i++) {
        const dw_wire_hello_t *hello = &self->stage.ends[self->slots[i].end].hello;
        if (hello->credit < 1 || self->slots[i].comings != 1) {
            return dw_case_fail (seen, "slot %u: credit %u, came %u times",
                                 (unsigned) hello->number, (unsigned) hello->credit,
                                 (unsigned) self->slots[i].comings);
        }
    }
    if (self->foreign_hellos > 0)
        return dw_case_fail (seen, "a slot came with a number or a token that nobody was told");
    return dw_case_pass (seen, "each number once, credit %u",
                         (unsigned) self->stage.ends[self->slots[0].end].hello.credit);
}

/* Whether all slots come after such a WELCOME. */
static dw_verdict_t s_expect_believed (dw_crew_t *self, dw_crew_welcome_t welcome, char *seen) {
    if (!dw_crew_greeted (self, seen) || !dw_crew_prepare (self, seen))
        return DW_VERDICT_SKIPPED;
    dw_crew_begin_slots (self);
    welcome.heartbeat_ms = self->heartbeat_ms;
    welcome.silence_ms = self->silence_ms;
    welcome.numbers_count = self->slots_count;
    dw_crew_welcome (self, &welcome);
    int64_t deadline_ns = dw_stage_in (LEAVE_MS);
    if (self->is_solo) {
        while (self->beats == 0 && dw_crew_take (self, deadline_ns)) {
        }
        return self->beats ? dw_case_pass (seen, "BEAT") : dw_case_fail (seen, "no BEAT came");
    }
    uint32_t here = 0;
    while (here < self->slots_count && dw_crew_take (self, deadline_ns)) {
        here = 0;
        for (uint32_t i = 0; i < self->slots_count; i++)
            here += self->slots[i].end != DW_STAGE_NONE;
    }
    return here == self->slots_count ? dw_case_pass (seen, "%u slots", (unsigned) here)
                                     : dw_case_fail (seen, "%u of %u slots came", (unsigned) here,
                                                     (unsigned) self->slots_count);
}

static dw_verdict_t s_welcome_long (void *stage, char *seen) {
    return s_expect_believed (stage, (dw_crew_welcome_t){.is_long = true}, seen);
}

static dw_verdict_t s_welcome_more (void *stage, char *seen) {
    return s_expect_believed (stage, (dw_crew_welcome_t){.has_more = true}, seen);
}

/* What was sent to an agent that waits for WELCOME has it leave, and no slot of it comes. */
static dw_verdict_t s_expect_left (dw_crew_t *self, char *seen) {
    bool is_gone = dw_crew_await_agent_gone (self, LEAVE_MS);
    if (dw_subject_has_ended (&self->stage.subject) && dw_subject_went_down (&self->stage.subject))
        return dw_case_fail (seen, "it went down by signal %d", -self->stage.subject.status);
    if (self->foreign_hellos > 0)
        return dw_case_fail (seen, "its slots came all the same");
    return is_gone ? dw_case_pass (seen, "it left")
                   : dw_case_fail (seen, "it was still there after %d ms", LEAVE_MS);
}

static dw_verdict_t s_expect_refused (dw_crew_t *self, uint32_t code, char *seen) {
    if (!dw_crew_greeted (self, seen))
        return DW_VERDICT_SKIPPED;
    dw_stage_refuse (&self->stage, self->agent, code, 0);
    return s_expect_left (self, seen);
}

static dw_verdict_t s_refused_version (void *stage, char *seen) {
    return s_expect_refused (stage, 400, seen);
}

static dw_verdict_t s_refused_role (void *stage, char *seen) {
    return s_expect_refused (stage, 403, seen);
}

static dw_verdict_t s_refused_busy (void *stage, char *seen) {
    return s_expect_refused (stage, 503, seen);
}

/* Such a WELCOME makes no sense. count is beside the number of slots that was asked for. */
static dw_verdict_t s_expect_disbelieved (dw_crew_t *self, dw_crew_welcome_t welcome, int more,
                                          char *seen) {
    if (!dw_crew_greeted (self, seen) || !dw_crew_prepare (self, seen))
        return DW_VERDICT_SKIPPED;
    welcome.numbers_count = (uint32_t) ((int64_t) self->slots_count + more);
    self->slots_count = 0; /* whoever comes is not expected */
    dw_crew_welcome (self, &welcome);
    return s_expect_left (self, seen);
}

static dw_verdict_t s_welcome_cut (void *stage, char *seen) {
    dw_crew_t *self = s_crew (stage);
    return s_expect_disbelieved (
        self,
        (dw_crew_welcome_t){.heartbeat_ms = self->heartbeat_ms,
                            .silence_ms = self->silence_ms,
                            .cut_bytes = (self->is_solo ? 12 : self->packed.count / 2 + 60)},
        0, seen);
}

static dw_verdict_t s_welcome_no_heartbeat (void *stage, char *seen) {
    return s_expect_disbelieved (stage, (dw_crew_welcome_t){.silence_ms = 1000}, 0, seen);
}

static dw_verdict_t s_welcome_short_silence (void *stage, char *seen) {
    return s_expect_disbelieved (
        stage, (dw_crew_welcome_t){.heartbeat_ms = 1000, .silence_ms = 1999}, 0, seen);
}

static dw_verdict_t s_welcome_count (void *stage, char *seen) {
    dw_crew_t *self = s_crew (stage);
    if (!dw_crew_greeted (self, seen))
        return DW_VERDICT_SKIPPED;
    if (self->is_solo)
        return dw_case_skip (seen, "a solo is told no numbers of slots");
    return s_expect_disbelieved (
        self,
        (dw_crew_welcome_t){.heartbeat_ms = self->heartbeat_ms, .silence_ms = self->silence_ms}, 1,
        seen);
}

static dw_verdict_t s_welcome_numbers (void *stage, char *seen) {
    static const uint32_t same[DW_CREW_SLOTS + 1] = {9, 9, 9, 9};
    dw_crew_t *self = s_crew (stage);
    if (!dw_crew_greeted (self, seen))
        return DW_VERDICT_SKIPPED;
    if (self->slots_count < 2)
        return dw_case_skip (seen, "it has one slot: this takes 2");
    if (!dw_crew_prepare (self, seen))
        return DW_VERDICT_SKIPPED;
    dw_crew_welcome_t welcome = {.heartbeat_ms = self->heartbeat_ms,
                                 .silence_ms = self->silence_ms,
                                 .numbers_count = self->slots_count,
                                 .numbers = same};
    self->slots_count = 0;
    dw_crew_welcome (self, &welcome);
    return s_expect_left (self, seen);
}

static dw_verdict_t s_not_welcome (void *stage, char *seen) {
    dw_crew_t *self = s_crew (stage);
    if (!dw_crew_greeted (self, seen))
        return DW_VERDICT_SKIPPED;
    self->slots_count = 0;
    dw_write_uint (&self->stage.out.head, DW_WIRE_REPLACE);
    dw_write_uint (&self->stage.out.head, 301);
    dw_stage_send (&self->stage, self->agent);
    return s_expect_left (self, seen);
}

/* ---- Who is there ----------------------------------------------------------------------------- */

static dw_verdict_t s_beats (void *stage, char *seen) {
    dw_crew_t *self = s_crew (stage);
    if (!dw_crew_up (self, seen))
        return DW_VERDICT_SKIPPED;
    uint32_t before = self->beats;
    self->longest_ns = 0;
    self->beat_ns = dw_clock_ns ();
    dw_crew_watch (self, 8 * (int64_t) self->heartbeat_ms);
    uint32_t count = self->beats - before;
    int64_t rest_ns = dw_clock_ns () - self->beat_ns;
    int64_t longest_ms = (rest_ns > self->longest_ns ? rest_ns : self->longest_ns) / 1000000;
    return count >= 4 && longest_ms < (int64_t) self->silence_ms
               ? dw_case_pass (seen, "%u in 8 heartbeats", (unsigned) count)
               : dw_case_fail (seen, "%u in 8 heartbeats of %u ms, once none for %lld ms",
                               (unsigned) count, (unsigned) self->heartbeat_ms,
                               (long long) longest_ms);
}

static dw_verdict_t s_beat_slots (void *stage, char *seen) {
    dw_crew_t *self = s_crew (stage);
    if (!dw_crew_up (self, seen))
        return DW_VERDICT_SKIPPED;
    dw_crew_watch (self, 3 * (int64_t) self->heartbeat_ms);
    if (self->beats == 0)
        return dw_case_skip (seen, "it says no BEAT");
    return self->bad_beats
               ? dw_case_fail (seen, "%u of %u have another number, or slots that it has not",
                               (unsigned) self->bad_beats, (unsigned) self->beats)
               : dw_case_pass (seen, "%u were in order", (unsigned) self->beats);
}

static dw_verdict_t s_beats_at_work (void *stage, char *seen) {
    dw_crew_t *self = s_crew (stage);
    if (!dw_crew_up (self, seen))
        return DW_VERDICT_SKIPPED;
    if (!self->has_slow)
        return dw_case_skip (seen, "it does not offer sleep");
    uint32_t before = self->beats;
    for (uint32_t slot = 0; slot < self->slots_count; slot++) {
        dw_crew_begin (self, slot);
        for (int i = 0; i < 3; i++)
            dw_crew_add (self, slot, self->slow, 1, "zzz");
        dw_crew_send (self, slot);
    }
    bool all = dw_crew_await (self, 3 * self->slots_count, 8000);
    uint32_t count = self->beats - before;
    return all && count >= 2 ? dw_case_pass (seen, "%u while every slot slept", (unsigned) count)
                             : dw_case_fail (seen, "%u while every slot slept, %u of %u answers",
                                             (unsigned) count, (unsigned) self->answers_count,
                                             3 * (unsigned) self->slots_count);
}

/* A session of its own, in which silences are short. */
static bool s_is_up_briefly (dw_crew_t *self, char *seen) {
    uint32_t heartbeat_ms = self->heartbeat_ms, silence_ms = self->silence_ms;
    dw_crew_spend (self);
    self->heartbeat_ms = BRIEF_HEARTBEAT_MS;
    self->silence_ms = BRIEF_SILENCE_MS;
    bool is_up = dw_crew_up (self, seen);
    self->heartbeat_ms = heartbeat_ms;
    self->silence_ms = silence_ms;
    dw_crew_spend (self);
    return is_up;
}

static dw_verdict_t s_slot_asks (void *stage, char *seen) {
    dw_crew_t *self = s_crew (stage);
    if (!s_is_up_briefly (self, seen))
        return DW_VERDICT_SKIPPED;
    if (self->is_solo)
        return dw_case_skip (seen, "a solo is its own slot");
    int64_t deadline_ns = dw_stage_in (4 * BRIEF_SILENCE_MS);
    while (self->slot_beats == 0 && dw_crew_take (self, deadline_ns)) {
    }
    return self->slot_beats
               ? dw_case_pass (seen, "BEAT by a slot's own connection")
               : dw_case_fail (seen, "no slot said BEAT within %d ms of a silence of %d",
                               4 * BRIEF_SILENCE_MS, BRIEF_SILENCE_MS);
}

static dw_verdict_t s_pause (void *stage, char *seen) {
    dw_crew_t *self = s_crew (stage);
    if (!dw_crew_up (self, seen))
        return DW_VERDICT_SKIPPED;
    self->is_mute = true;
    dw_crew_watch (self, (int64_t) self->silence_ms * 6 / 10);
    self->is_mute = false;
    dw_stage_say (&self->stage, self->agent, DW_WIRE_BEAT);
    dw_crew_watch (self, 2 * (int64_t) self->heartbeat_ms);
    if (dw_stage_is_gone (&self->stage, self->agent))
        return dw_case_fail (seen, "it left");
    return dw_crew_serves (self, seen) ? dw_case_pass (seen, "it serves") : DW_VERDICT_FAILED;
}

static dw_verdict_t s_silence (void *stage, char *seen) {
    dw_crew_t *self = s_crew (stage);
    if (!s_is_up_briefly (self, seen))
        return DW_VERDICT_SKIPPED;
    self->is_mute = true;
    uint32_t agent = self->agent;
    int64_t begin_ns = dw_clock_ns ();
    int64_t limit_ms = 5 * BRIEF_SILENCE_MS;
    /* It is not asked whether it is there: that would be a word of the coordinator. */
    while (dw_clock_ns () < begin_ns + limit_ms * 1000000 && self->again == DW_STAGE_NONE &&
           !self->stage.ends[agent].has_left && !self->stage.interrupted)
        dw_crew_take (self, dw_clock_ns () + 20000000);
    int64_t after_ms = (dw_clock_ns () - begin_ns) / 1000000;
    bool has_left = self->again != DW_STAGE_NONE || dw_stage_is_gone (&self->stage, agent);
    if (!has_left)
        return dw_case_fail (seen, "it was still there after %lld ms", (long long) after_ms);
    return after_ms >= BRIEF_SILENCE_MS / 2
               ? dw_case_pass (seen, "it left after %lld ms", (long long) after_ms)
               : dw_case_fail (seen, "it left after %lld ms of %d", (long long) after_ms,
                               BRIEF_SILENCE_MS);
}

/* Awaits that who was here says HELLO again, as the same and later. */
static dw_verdict_t s_await_again (dw_crew_t *self, char *seen) {
    uint8_t uuid[DW_WIRE_UUID_SIZE];
    uint64_t incarnation = self->incarnation;
    memcpy (uuid, self->uuid, sizeof uuid);
    int64_t deadline_ns = dw_stage_in (LEAVE_MS + 3 * (int64_t) self->silence_ms);
    while (self->again == DW_STAGE_NONE && dw_crew_take (self, deadline_ns)) {
    }
    dw_wire_agent_t agent;
    dw_wire_reader_t reader;
    if (self->again == DW_STAGE_NONE || !dw_crew_read_agent (self, &agent, &reader)) {
        return self->stage.subject.words && dw_subject_has_ended (&self->stage.subject)
                   ? dw_case_skip (seen, "it ended with %d: is it to look for a coordinator again?",
                                   self->stage.subject.status)
                   : dw_case_fail (seen, "it did not come again");
    }
    if (memcmp (agent.uuid, uuid, sizeof uuid) != 0) {
        return self->stage.subject.words
                   ? dw_case_fail (seen, "it came with another uuid")
                   : dw_case_skip (seen, "another process came, with another uuid");
    }
    self->slots_count = agent.slots <= DW_CREW_SLOTS ? agent.slots : 0;
    return agent.incarnation > incarnation ? dw_case_pass (seen, "incarnation %llu after %llu",
                                                           (unsigned long long) agent.incarnation,
                                                           (unsigned long long) incarnation)
                                           : dw_case_fail (seen, "incarnation %llu after %llu",
                                                           (unsigned long long) agent.incarnation,
                                                           (unsigned long long) incarnation);
}

static dw_verdict_t s_comes_again (void *stage, char *seen) {
    dw_crew_t *self = s_crew (stage);
    if (!dw_crew_up (self, seen))
        return DW_VERDICT_SKIPPED;
    dw_crew_spend (self);
    self->agent = DW_STAGE_NONE;
    self->slots_count = 0;
    return dw_stage_cut (&self->stage)
               ? dw_case_skip (seen, "the endpoint could not be listened at again")
               : s_await_again (self, seen);
}

/* Nobody knows its connections any more, and they are not cut: whoever hears nothing by one makes
 * another, and is new by that. Then something comes by the first one after all. */
static dw_verdict_t s_half_open (void *stage, char *seen) {
    dw_crew_t *self = s_crew (stage);
    if (!s_is_up_briefly (self, seen))
        return DW_VERDICT_SKIPPED;
    uint32_t forgotten = self->agent;
    self->agent = DW_STAGE_NONE;
    self->slots_count = 0;
    dw_verdict_t verdict = s_await_again (self, seen);
    if (verdict != DW_VERDICT_PASSED)
        return verdict;
    self->agent = self->again;
    self->again = DW_STAGE_NONE;
    if (!dw_crew_let_in (self, seen))
        return DW_VERDICT_FAILED;
    dw_crew_spend (self);
    dw_stage_say (&self->stage, forgotten, DW_WIRE_STOP);
    dw_crew_watch (self, 2 * (int64_t) self->heartbeat_ms);
    if (dw_stage_is_gone (&self->stage, self->agent))
        return dw_case_fail (seen, "it left by what came by a connection that is forgotten");
    return dw_crew_serves (self, seen) ? dw_case_pass (seen, "it serves by another connection")
                                       : DW_VERDICT_FAILED;
}

static const dw_case_t s_cases[] = {
    {"hello", HELLO, "What it says first is HELLO, with the word dagwood.", s_hello},
    {"hello-versions", "Versions",
     "It speaks version 3, and its oldest is no newer than its newest.", s_hello_versions},
    {"hello-role", HELLO, "A worker elsewhere is an agent or a solo: role 4 or 5.", s_hello_role},
    {"hello-zeros", HELLO, "Its number is 0, and so is its credit, which of a solo is at least 1.",
     s_hello_zeros},
    {"hello-agent", HELLO,
     "Behind the credit are uuid, incarnation, at least one slot (of a solo one), pid, host, at most 4,096 names and "
     "64 tags.",
     s_hello_agent},
    {"hello-waits", HELLO, "Behind HELLO it says nothing until it is answered.", s_hello_waits},
    {"slots-come", WELCOME, "Each of its slots says HELLO by a connection of its own.",
     s_slots_come},
    {"slot-hello", "Who is there",
     "A slot has the number and the token that its agent was told, and a credit of at least 1.",
     s_slot_hello},
    {"beats", PRESENCE, "A worker says BEAT every heartbeat.", s_beats},
    {"beat-slots", "Messages, BEAT",
     "BEAT begins with the number that WELCOME gave, and tells only of slots that it was given.",
     s_beat_slots},
    {"beats-at-work", PRESENCE, "It says so while every slot is in a processor.", s_beats_at_work},
    {"welcome-long", "Encoding", "Integers are read in every form, the longest too.",
     s_welcome_long},
    {"welcome-more", COUNTED, "Values behind the last that WELCOME has are ignored.",
     s_welcome_more},
    {"refused-version", "Versions", "Who is REFUSED 400 for its version leaves.",
     s_refused_version},
    {"refused-role", REFUSED, "Who is REFUSED 403 leaves.", s_refused_role},
    {"refused-busy", REFUSED, "Who is REFUSED 503 leaves.", s_refused_busy},
    {"welcome-cut", WELCOME, "Who is told a WELCOME that is cut leaves, and no slot of it comes.",
     s_welcome_cut},
    {"welcome-no-heartbeat", WELCOME, "Who is told a heartbeat of 0 ms leaves.",
     s_welcome_no_heartbeat},
    {"welcome-short-silence", WELCOME, "Who is told a silence of less than two heartbeats leaves.",
     s_welcome_short_silence},
    {"welcome-count", WELCOME, "Who is given another number of slots than it asked for leaves.",
     s_welcome_count},
    {"welcome-numbers", WELCOME, "Who is given numbers that do not ascend leaves.",
     s_welcome_numbers},
    {"not-welcome", WELCOME, "Who is told something else than WELCOME first leaves.",
     s_not_welcome},
    {"slot-asks", PRESENCE, "A slot that is idle and has heard nothing for the silence says BEAT.",
     s_slot_asks},
    {"pause", PRESENCE,
     "A coordinator that pauses for less than the silence, and answers late, is not lost.",
     s_pause},
    {"silence", PRESENCE, "A coordinator that answers no BEAT for the silence is lost, and left.",
     s_silence},
    {"comes-again", PRESENCE,
     "Who was cut off comes again by a new connection, with the same uuid and a later incarnation.",
     s_comes_again},
    {"half-open", PRESENCE,
     "Whose connection nobody knows any more, though it is not cut, comes again by another, and serves by that alone.",
     s_half_open},
};

const dw_cases_t dw_cases_worker_greeting = {s_cases, sizeof s_cases / sizeof *s_cases};
