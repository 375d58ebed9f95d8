/* coordinator_workers.c - cases of a coordinator under test: agents and their slots, who is there,
 * and who leaves. */

#include <string.h>

#include "actors/clock.h"
#include "cli/conformance/caller.h"

#define WELCOME  "Messages, WELCOME"
#define PRESENCE "Who is there"
#define FENCING  "Who is there, Fencing"
#define DRAIN    "Who is there, To drain"

#define SILENCE_MS_MAX 10000 /* that is waited for */

#define AGENT(self, crowd, count, stage, seen)            \
    dw_caller_t *self = stage;                            \
    dw_crowd_t crowd;                                     \
    if (!dw_caller_agent (self, &(crowd), count, seen)) { \
        return DW_VERDICT_SKIPPED;                        \
    }

#define CROWD(self, crowd, count, stage, seen)            \
    dw_caller_t *self = stage;                            \
    dw_crowd_t crowd;                                     \
    if (!dw_caller_crowd (self, &(crowd), count, seen)) { \
        return DW_VERDICT_SKIPPED;                        \
    }

static dw_verdict_t s_agent (void *stage, char *seen) {
    dw_caller_t *self = stage;
    dw_crowd_t crowd;
    if (dw_caller_agent (self, &crowd, 2, seen)) {
        return dw_wire_is_pulse (crowd.heartbeat_ms, crowd.silence_ms)
                   ? dw_case_pass (seen, "numbers %u and %u, %u ms, %u ms",
                                   (unsigned) crowd.numbers[0], (unsigned) crowd.numbers[1],
                                   (unsigned) crowd.heartbeat_ms, (unsigned) crowd.silence_ms)
                   : dw_case_fail (seen, "a heartbeat of %u ms, a silence of %u ms",
                                   (unsigned) crowd.heartbeat_ms, (unsigned) crowd.silence_ms);
    }
    /* It could run nothing of this graph: then there are no cases of agents. */
    return strncmp (seen, "REFUSED 404", 11) == 0 || strncmp (seen, "REFUSED 403", 11) == 0
               ? DW_VERDICT_SKIPPED
               : DW_VERDICT_FAILED;
}

static dw_verdict_t s_agent_beat (void *stage, char *seen) {
    AGENT (self, crowd, 1, stage, seen);
    dw_line_say (crowd.agent, DW_WIRE_BEAT);
    return dw_line_receive (crowd.agent, DW_CALLER_ANSWER) && crowd.agent->type == DW_WIRE_BEAT
               ? dw_case_pass (seen, "BEAT")
               : dw_case_fail (seen, "no BEAT");
}

static dw_verdict_t s_beat_slots (void *stage, char *seen) {
    AGENT (self, crowd, 1, stage, seen);
    dw_writer_t *head = &crowd.agent->out.head;
    dw_write_uint (head, DW_WIRE_BEAT);
    dw_write_uint (head, crowd.agent->peer);
    static const uint32_t numbers[] = {0, 65535, UINT32_MAX};
    for (size_t i = 0; i < 3; i++) {
        dw_write_slot (head,
                       &(dw_wire_slot_t){.number = numbers[i], .at = DW_WIRE_AT_TASK, .ticket = 7});
    }
    dw_write_uint (head, crowd.numbers[0]); /* and one that is cut */
    dw_line_send (crowd.agent);
    return dw_line_receive (crowd.agent, DW_CALLER_ANSWER) && crowd.agent->type == DW_WIRE_BEAT
               ? dw_case_pass (seen, "BEAT")
               : dw_case_fail (seen, "no BEAT");
}

static dw_verdict_t s_agent_twice (void *stage, char *seen) {
    AGENT (self, crowd, 1, stage, seen);
    dw_line_say_hello (crowd.agent, DW_WIRE_AGENT);
    return dw_line_is_refused (crowd.agent, 400, 0, seen) ? DW_VERDICT_PASSED : DW_VERDICT_FAILED;
}

static dw_verdict_t s_slot (void *stage, char *seen) {
    AGENT (self, crowd, 2, stage, seen);
    return dw_caller_slot (self, &crowd, 0, seen) && dw_caller_slot (self, &crowd, 1, seen)
               ? dw_case_pass (seen, "WELCOME to both")
               : DW_VERDICT_FAILED;
}

static dw_verdict_t s_expect_slot_refused (dw_caller_t *self, const uint8_t *token, uint32_t number,
                                           char *seen) {
    dw_line_t *line = dw_caller_line (self);
    if (!line)
        return dw_case_skip (seen, "no socket for a slot");
    dw_line_write_hello (line, 3, 3, DW_WIRE_WORKER, token, number, 8);
    dw_line_send (line);
    return dw_line_is_refused (line, 400, 0, seen) ? DW_VERDICT_PASSED : DW_VERDICT_FAILED;
}

static dw_verdict_t s_slot_token (void *stage, char *seen) {
    AGENT (self, crowd, 1, stage, seen);
    crowd.token[7] ^= 1;
    return s_expect_slot_refused (self, crowd.token, crowd.numbers[0], seen);
}

static dw_verdict_t s_slot_number (void *stage, char *seen) {
    AGENT (self, crowd, 1, stage, seen);
    dw_verdict_t verdict = s_expect_slot_refused (self, crowd.token, crowd.numbers[0] + 1, seen);
    return verdict == DW_VERDICT_PASSED
               ? s_expect_slot_refused (self, crowd.token, UINT32_MAX, seen)
               : verdict;
}

static dw_verdict_t s_slot_beat (void *stage, char *seen) {
    CROWD (self, crowd, 1, stage, seen);
    dw_line_say (crowd.slots[0], DW_WIRE_BEAT);
    return dw_line_await (crowd.slots[0], DW_WIRE_BEAT, DW_CALLER_ANSWER)
               ? dw_case_pass (seen, "BEAT")
               : dw_case_fail (seen, "no BEAT");
}

static dw_verdict_t s_slot_again (void *stage, char *seen) {
    CROWD (self, crowd, 1, stage, seen);
    dw_line_t *former = crowd.slots[0];
    if (!dw_caller_slot (self, &crowd, 0, seen))
        return DW_VERDICT_FAILED;
    if (!dw_line_await (former, DW_WIRE_STOP, DW_CALLER_ANSWER))
        return dw_case_fail (seen, "the former was not told STOP");
    dw_line_say (former, DW_WIRE_BEAT);
    bool is_quiet = dw_line_is_quiet (former, seen);
    former->peer = UINT32_MAX;
    return is_quiet ? dw_case_pass (seen, "STOP, and it is nobody") : DW_VERDICT_FAILED;
}

static dw_verdict_t s_slot_bye (void *stage, char *seen) {
    CROWD (self, crowd, 1, stage, seen);
    dw_line_say (crowd.slots[0], DW_WIRE_BYE);
    crowd.slots[0]->peer = UINT32_MAX;
    if (!dw_line_await (crowd.agent, DW_WIRE_REPLACE, DW_CALLER_ANSWER))
        return dw_case_fail (seen, "no REPLACE");
    uint64_t number = dw_read_uint (&crowd.agent->reader);
    if (number != crowd.numbers[0]) {
        return dw_case_fail (seen, "REPLACE %llu, of %u", (unsigned long long) number,
                             (unsigned) crowd.numbers[0]);
    }
    return dw_caller_slot (self, &crowd, 0, seen)
               ? dw_case_pass (seen, "REPLACE, and WELCOME to another")
               : DW_VERDICT_FAILED;
}

static dw_verdict_t s_ended (void *stage, char *seen) {
    CROWD (self, crowd, 1, stage, seen);
    static const uint8_t tail[] = "it went down";
    dw_writer_t *head = &crowd.agent->out.head;
    dw_write_uint (head, DW_WIRE_ENDED);
    dw_write_uint (head, crowd.agent->peer);
    dw_write_ended (head, &(dw_wire_ended_t){.number = crowd.numbers[0],
                                             .pid = 4711,
                                             .how = DW_WIRE_SIGNALLED,
                                             .value = 11,
                                             .tail = tail,
                                             .tail_size = sizeof tail - 1});
    dw_line_send (crowd.agent);
    return dw_line_await (crowd.agent, DW_WIRE_REPLACE, DW_CALLER_ANSWER) &&
                   dw_read_uint (&crowd.agent->reader) == crowd.numbers[0]
               ? dw_case_pass (seen, "REPLACE")
               : dw_case_fail (seen, "no REPLACE of this slot");
}

/* ---- Fencing ---------------------------------------------------------------------------------- */

static void s_say_agent (dw_caller_t *self, dw_line_t *line, const dw_crowd_t *crowd,
                         uint64_t incarnation) {
    dw_line_write_hello (line, 3, 3, DW_WIRE_AGENT, dw_line_no_token, 0, 0);
    dw_caller_write_agent (self, line, crowd->uuid, incarnation, crowd->slots_count);
    dw_line_send (line);
}

static dw_verdict_t s_same_incarnation (void *stage, char *seen) {
    AGENT (self, crowd, 1, stage, seen);
    dw_line_t *line = dw_caller_line (self);
    if (!line)
        return dw_case_skip (seen, "no socket for an agent");
    s_say_agent (self, line, &crowd, self->incarnation);
    if (!dw_line_is_refused (line, 503, 0, seen))
        return DW_VERDICT_FAILED;
    s_say_agent (self, line, &crowd, self->incarnation - 1);
    if (!dw_line_is_refused (line, 503, 0, seen))
        return DW_VERDICT_FAILED;
    dw_line_say (crowd.agent, DW_WIRE_BEAT);
    return dw_line_receive (crowd.agent, DW_CALLER_ANSWER) && crowd.agent->type == DW_WIRE_BEAT
               ? dw_case_pass (seen, "REFUSED 503, and the one that is there is answered")
               : dw_case_fail (seen, "the one that was there is not answered any more");
}

static dw_verdict_t s_later_incarnation (void *stage, char *seen) {
    CROWD (self, crowd, 1, stage, seen);
    dw_crowd_t later = crowd;
    later.agent = dw_caller_line (self);
    if (!later.agent)
        return dw_case_skip (seen, "no socket for an agent");
    s_say_agent (self, later.agent, &crowd, ++self->incarnation);
    if (!dw_line_receive (later.agent, DW_CALLER_ANSWER) || later.agent->type != DW_WIRE_WELCOME)
        return dw_case_fail (seen, "it was not welcomed");
    if (!dw_line_read_agent_welcome (later.agent, &later, seen))
        return DW_VERDICT_FAILED;
    if (memcmp (later.token, crowd.token, sizeof later.token) == 0)
        return dw_case_fail (seen, "its slots are told the same token");
    if (!dw_line_is_refused (crowd.agent, 503, 0, seen)) /* it is told so */
        return DW_VERDICT_FAILED;
    dw_line_say (crowd.agent, DW_WIRE_BEAT);
    if (!dw_line_is_quiet (crowd.agent, seen))
        return DW_VERDICT_FAILED;
    crowd.agent->peer = crowd.slots[0]->peer = UINT32_MAX;
    dw_verdict_t verdict = s_expect_slot_refused (self, crowd.token, crowd.numbers[0], seen);
    return verdict == DW_VERDICT_PASSED
               ? dw_case_pass (seen, "WELCOME, and the earlier one is nobody")
               : verdict;
}

static dw_verdict_t s_silence (void *stage, char *seen) {
    AGENT (self, crowd, 1, stage, seen);
    if (crowd.silence_ms > SILENCE_MS_MAX)
        return dw_case_skip (seen, "the silence is %u ms", (unsigned) crowd.silence_ms);
    int64_t begin_ns = dw_clock_ns ();
    int64_t end_ns = begin_ns +
                     ((int64_t) crowd.silence_ms + 2 * (int64_t) crowd.heartbeat_ms + 1000) *
                         1000000;
    while (dw_clock_ns () < end_ns)
        (void) dw_line_receive (crowd.agent, 100);
    dw_line_say (crowd.agent, DW_WIRE_BEAT);
    bool is_quiet = dw_line_is_quiet (crowd.agent, seen);
    crowd.agent->peer = UINT32_MAX;
    return is_quiet ? dw_case_pass (seen, "after %lld ms it is nobody",
                                    (long long) (dw_clock_ns () - begin_ns) / 1000000)
                    : DW_VERDICT_FAILED;
}

static dw_verdict_t s_pause (void *stage, char *seen) {
    AGENT (self, crowd, 1, stage, seen);
    if (crowd.silence_ms > SILENCE_MS_MAX)
        return dw_case_skip (seen, "the silence is %u ms", (unsigned) crowd.silence_ms);
    int64_t end_ns = dw_clock_ns () + (int64_t) crowd.silence_ms * 600000;
    while (dw_clock_ns () < end_ns)
        (void) dw_line_receive (crowd.agent, 50);
    dw_line_say (crowd.agent, DW_WIRE_BEAT);
    return dw_line_await (crowd.agent, DW_WIRE_BEAT, DW_CALLER_ANSWER)
               ? dw_case_pass (seen, "BEAT")
               : dw_case_fail (seen, "it was lost before the silence was over");
}

/* ---- To drain --------------------------------------------------------------------------------- */

static dw_verdict_t s_drain (void *stage, char *seen) {
    CROWD (self, crowd, 2, stage, seen);
    dw_line_say (crowd.agent, DW_WIRE_DRAIN);
    for (uint32_t i = 0; i < 2; i++)
        if (!dw_line_await (crowd.slots[i], DW_WIRE_STOP, DW_CALLER_ANSWER))
            return dw_case_fail (seen, "slot %u was not told STOP", (unsigned) i + 1);
    dw_line_say (crowd.slots[0], DW_WIRE_BYE);
    crowd.slots[0]->peer = UINT32_MAX;
    if (dw_line_await (crowd.agent, DW_WIRE_STOP, 200))
        return dw_case_fail (seen, "the agent was told STOP before its last slot had left");
    dw_line_say (crowd.slots[1], DW_WIRE_BYE);
    crowd.slots[1]->peer = UINT32_MAX;
    bool is_told = dw_line_await (crowd.agent, DW_WIRE_STOP, DW_CALLER_ANSWER);
    crowd.agent->peer = UINT32_MAX;
    return is_told ? dw_case_pass (seen, "STOP to both, and behind their BYE to the agent")
                   : dw_case_fail (seen, "the agent was not told STOP");
}

static dw_verdict_t s_drain_twice (void *stage, char *seen) {
    CROWD (self, crowd, 1, stage, seen);
    dw_line_say (crowd.agent, DW_WIRE_DRAIN);
    dw_line_say (crowd.agent, DW_WIRE_DRAIN);
    if (!dw_line_await (crowd.slots[0], DW_WIRE_STOP, DW_CALLER_ANSWER))
        return dw_case_fail (seen, "the slot was not told STOP");
    return dw_line_await (crowd.slots[0], DW_WIRE_STOP, 200)
               ? dw_case_fail (seen, "the slot was told STOP twice")
               : dw_case_pass (seen, "STOP once");
}

static dw_verdict_t s_drain_closed (void *stage, char *seen) {
    CROWD (self, crowd, 1, stage, seen);
    dw_line_say (crowd.agent, DW_WIRE_DRAIN);
    if (!dw_line_await (crowd.slots[0], DW_WIRE_STOP, DW_CALLER_ANSWER))
        return dw_case_fail (seen, "the slot was not told STOP");
    return s_expect_slot_refused (self, crowd.token, crowd.numbers[0], seen);
}

static dw_verdict_t s_drain_empty (void *stage, char *seen) {
    AGENT (self, crowd, 1, stage, seen);
    dw_line_say (crowd.agent, DW_WIRE_DRAIN);
    bool is_told = dw_line_await (crowd.agent, DW_WIRE_STOP, DW_CALLER_ANSWER);
    crowd.agent->peer = UINT32_MAX;
    return is_told ? dw_case_pass (seen, "STOP") : dw_case_fail (seen, "no STOP");
}

static dw_verdict_t s_agent_bye (void *stage, char *seen) {
    CROWD (self, crowd, 1, stage, seen);
    dw_line_say (crowd.agent, DW_WIRE_BYE);
    dw_line_say (crowd.agent, DW_WIRE_BEAT);
    bool is_quiet = dw_line_is_quiet (crowd.agent, seen);
    crowd.agent->peer = UINT32_MAX;
    if (!is_quiet)
        return DW_VERDICT_FAILED;
    dw_line_say (crowd.slots[0], DW_WIRE_BEAT);
    is_quiet = dw_line_is_quiet (crowd.slots[0], seen);
    crowd.slots[0]->peer = UINT32_MAX;
    return is_quiet ? dw_case_pass (seen, "it and its slot are nobody") : DW_VERDICT_FAILED;
}

static dw_verdict_t s_foreign_drain (void *stage, char *seen) {
    AGENT (self, crowd, 1, stage, seen);
    dw_line_t *line = dw_caller_client (self, NULL, 0, seen);
    if (!line)
        return DW_VERDICT_SKIPPED;
    uint32_t own = line->peer;
    line->peer = crowd.agent->peer;
    dw_line_say (line, DW_WIRE_DRAIN);
    line->peer = own;
    if (!dw_line_is_quiet (line, seen))
        return DW_VERDICT_FAILED;
    return dw_line_await (crowd.agent, DW_WIRE_STOP, 200)
               ? dw_case_fail (seen, "the agent was drained by somebody else")
               : dw_case_pass (seen, "nothing came of it");
}

static const dw_case_t s_cases[] = {
    {"agent", WELCOME,
     "An agent is told its number, a pulse, tokens, the graph, and a number for each slot, ascending.",
     s_agent},
    {"agent-beat", PRESENCE, "BEAT of an agent is answered by BEAT.", s_agent_beat},
    {"beat-slots", "Messages, BEAT", "What BEAT says of slots that are not its own is passed over.",
     s_beat_slots},
    {"agent-twice", "Messages, REFUSED", "A second HELLO of an agent's connection is REFUSED 400.",
     s_agent_twice},
    {"slot", WELCOME, "A slot with its number and token is welcome.", s_slot},
    {"slot-token", FENCING, "A slot with another token is REFUSED 400.", s_slot_token},
    {"slot-number", FENCING, "A slot with another number is REFUSED 400.", s_slot_number},
    {"slot-beat", PRESENCE, "BEAT of a slot is answered by BEAT.", s_slot_beat},
    {"slot-again", FENCING,
     "A slot takes the place of whoever has its number, who is told STOP and is nobody from then on.",
     s_slot_again},
    {"slot-bye", "Messages, REPLACE", "After BYE of a slot its agent is told REPLACE.", s_slot_bye},
    {"slot-ended", "Messages, ENDED", "ENDED is answered with REPLACE.", s_ended},
    {"same-incarnation", FENCING, "The same or an earlier incarnation is REFUSED 503.",
     s_same_incarnation},
    {"later-incarnation", FENCING,
     "A later incarnation takes the place of an earlier, which is REFUSED 503, and its token is worth "
     "nothing.",
     s_later_incarnation},
    {"pause", PRESENCE, "An agent that pauses for less than the silence is not lost.", s_pause},
    {"silence", PRESENCE, "An agent that says nothing for the silence is lost: it is nobody.",
     s_silence},
    {"drain", DRAIN, "After DRAIN the slots are told STOP, and behind their last BYE the agent.",
     s_drain},
    {"drain-twice", DRAIN, "A second DRAIN is nothing new.", s_drain_twice},
    {"drain-closed", DRAIN, "From DRAIN on no slot is welcome.", s_drain_closed},
    {"drain-empty", DRAIN, "An agent that has no slots here is told STOP at once.", s_drain_empty},
    {"agent-bye", "Messages, BYE", "After BYE of an agent it and all its slots are nobody.",
     s_agent_bye},
    {"foreign-drain", "Peers", "DRAIN in the name of somebody else is nobody's.", s_foreign_drain},
};

const dw_cases_t dw_cases_coordinator_workers = {s_cases, sizeof s_cases / sizeof *s_cases};
