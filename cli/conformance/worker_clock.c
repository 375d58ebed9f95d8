/* worker_clock.c - cases of a worker under test whose wall clock jumps: an hour forward, then two
 * hours back. In clock-jumps:
 *
 *     its wall clock    +1 h      ______           ______           ______
 *                         0  ____|      |         |      |         |      |
 *                       -1 h            |_________|      |_________|      |____
 *                            while it is idle     around BEAT      at work
 *
 * Whatever it measures by that clock is over at once after a jump forward, and lasts for two hours
 * after one back: what it waits for would show. */

#include "actors/clock.h"
#include "cli/conformance/crew.h"
#include "cli/conformance/jumper.h"

#define PRESENCE "Who is there, Clocks"

#define ANSWER_MS  8000
#define AT_WORK_MS 100 /* of the 300 that sleep takes */
#define SLEPT_MS   250 /* what is no sleep takes less */

static bool s_take (void *crew, int64_t deadline_ns) {
    return dw_crew_take (crew, deadline_ns);
}

static bool s_has_left (void *crew) {
    dw_crew_t *self = crew;
    return self->again != DW_STAGE_NONE || self->byes > 0 ||
           self->stage.ends[self->agent].has_left || dw_subject_has_ended (&self->stage.subject);
}

static dw_jumper_t s_jumper (dw_crew_t *self) {
    return (dw_jumper_t){.peer = self,
                         .stage = &self->stage,
                         .beats = &self->beats,
                         .take = s_take,
                         .has_left = s_has_left};
}

/* ---- At work ---------------------------------------------------------------------------------- */

/* Sends each slot a task that is to last, where it offers one, and one whose answer is known. */
static uint32_t s_send_work (dw_crew_t *self, uint64_t *firsts) {
    uint32_t count = 0;
    for (uint32_t slot = 0; slot < self->slots_count; slot++) {
        firsts[slot] = self->slots[slot].next_ticket;
        dw_crew_begin (self, slot);
        if (self->has_slow)
            dw_crew_add (self, slot, self->slow, 1, "zzz");
        dw_crew_add (self, slot, self->first, 1, "Clock");
        dw_crew_send (self, slot);
        count += self->has_slow ? 2 : 1;
    }
    return count;
}

/* Each is right, and took no longer than passed here since it was sent. */
static bool s_are_right (dw_crew_t *self, const uint64_t *firsts, int64_t begin_ns, char *seen) {
    uint64_t passed_ns = (uint64_t) (dw_clock_ns () - begin_ns);
    for (uint32_t i = 0; i < self->answers_count; i++) {
        const dw_told_t *told = &self->answers[i];
        bool is_slow = self->has_slow && told->ticket == firsts[told->slot];
        if (!is_slow && !dw_crew_is_right (self, told, "Clock", seen))
            return false;
        if (is_slow && told->kind != DW_WIRE_DONE) {
            dw_case_fail (seen, "sleep was answered by kind %u", (unsigned) told->kind);
            return false;
        }
        if (told->duration_ns > passed_ns) {
            dw_case_fail (seen, "a task took %llu ms, as it says, in %llu ms that passed",
                          (unsigned long long) told->duration_ns / 1000000,
                          (unsigned long long) passed_ns / 1000000);
            return false;
        }
    }
    return true;
}

/* *caught_p counts the jumps in which something was under way. */
static bool s_jumps_at_work (dw_crew_t *self, dw_jumper_t *jumper, uint32_t *caught_p, char *seen) {
    uint64_t firsts[DW_CREW_SLOTS];
    bool ok = true;
    for (int jump = 0; ok && jump < DW_JUMPS; jump++) {
        dw_crew_forget (self);
        int64_t begin_ns = dw_clock_ns ();
        uint32_t count = s_send_work (self, firsts);
        dw_crew_watch (self, AT_WORK_MS);
        *caught_p += self->answers_count < count;
        ok = dw_jumper_jump (jumper, (dw_jump_t) jump, "while it was at work", seen);
        if (ok && !dw_crew_await (self, count, ANSWER_MS)) {
            ok = false;
            dw_case_fail (seen, "%u answers of %u tasks in which its clock jumped",
                          (unsigned) self->answers_count, (unsigned) count);
        }
        ok = ok && s_are_right (self, firsts, begin_ns, seen);
    }
    return ok;
}

/* Before the first jump: that it answers, and whether its sleep lasts. libfaketime 0.9.10 spoils a
 * sleep until a time of the clock that never jumps, such as that of Python 3.11: it is no sleep
 * then, and fails. */
static bool s_try_work (dw_crew_t *self, char *seen) {
    dw_crew_forget (self);
    if (self->has_slow) {
        int64_t begin_ns = dw_clock_ns ();
        dw_crew_begin (self, 0);
        dw_crew_add (self, 0, self->slow, 1, "zzz");
        dw_crew_send (self, 0);
        self->has_slow = dw_crew_await (self, 1, ANSWER_MS) &&
                         self->answers[0].kind == DW_WIRE_DONE &&
                         dw_clock_ns () - begin_ns >= INT64_C (1000000) * SLEPT_MS;
    }
    return dw_crew_serves (self, seen);
}

/* ---- The case --------------------------------------------------------------------------------- */

static bool s_has_stayed (dw_crew_t *self, char *seen) {
    for (uint32_t i = 0; i < self->slots_count; i++) {
        if (self->slots[i].comings != 1) {
            dw_case_fail (seen, "a slot came %u times", (unsigned) self->slots[i].comings);
            return false;
        }
    }
    return dw_crew_serves (self, seen);
}

static dw_verdict_t s_jumps (dw_crew_t *self, char *seen) {
    dw_jumper_t jumper = s_jumper (self);
    int64_t begin_ns = dw_clock_ns ();
    uint32_t caught = 0;
    if (!dw_jumper_expect_beats (&jumper, 1, "before its clock jumped", seen) ||
        !s_try_work (self, seen))
        return DW_VERDICT_SKIPPED; /* which other cases say */
    return dw_jumper_jump_waiting (&jumper, "while it was idle", seen) &&
                   s_jumps_at_work (self, &jumper, &caught, seen) &&
                   dw_jumper_is_at_ease (&jumper, begin_ns, seen) && s_has_stayed (self, seen)
               ? dw_case_pass (seen, "%u BEAT in 6 jumps, in %u of which it was at work",
                               (unsigned) self->beats, (unsigned) caught)
               : DW_VERDICT_FAILED;
}

static dw_verdict_t s_falls_silent (dw_crew_t *self, char *seen) {
    dw_jumper_t jumper = s_jumper (self);
    if (!dw_jumper_expect_beats (&jumper, 1, "before its clock jumped", seen))
        return DW_VERDICT_SKIPPED;
    self->is_mute = true;
    return dw_jumper_fall_silent (&jumper, seen);
}

/* Plays with a worker of its own, which has such a clock and is told such a silence. */
static dw_verdict_t s_with_clock (dw_crew_t *self, uint32_t silence_ms,
                                  dw_verdict_t (*play) (dw_crew_t *self, char *seen), char *seen) {
    uint32_t usual_heartbeat_ms = self->heartbeat_ms, usual_silence_ms = self->silence_ms;
    bool is_idle = self->stage.is_idle;
    if (is_idle)
        return dw_case_skip (seen, "there was no worker any more");
    if (!dw_stage_lend_clock (&self->stage, seen))
        return DW_VERDICT_SKIPPED;
    dw_crew_spend (self);
    self->heartbeat_ms = DW_JUMPER_HEARTBEAT_MS;
    self->silence_ms = silence_ms;
    dw_verdict_t verdict = DW_VERDICT_SKIPPED;
    if (!dw_crew_up (self, seen))
        dw_stage_blame_clock (seen);
    else if (dw_stage_has_clock (&self->stage, seen))
        verdict = play (self, seen);
    self->heartbeat_ms = usual_heartbeat_ms;
    self->silence_ms = usual_silence_ms;
    dw_stage_take_clock (&self->stage);
    dw_crew_spend (self);
    self->stage.is_idle = is_idle; /* who does not come with the library may come without */
    return verdict;
}

static dw_verdict_t s_clock_jumps (void *stage, char *seen) {
    return s_with_clock (stage, DW_JUMPER_SILENCE_MS, s_jumps, seen);
}

static dw_verdict_t s_clock_jumps_silence (void *stage, char *seen) {
    return s_with_clock (stage, DW_JUMPER_SHORT_SILENCE_MS, s_falls_silent, seen);
}

static const dw_case_t s_cases[] = {
    {"clock-jumps", PRESENCE,
     "When its wall clock jumps it goes on saying BEAT, stays, and answers right, in no more time than passed.",
     s_clock_jumps},
    {"clock-jumps-silence", PRESENCE,
     "A coordinator that answers no BEAT is lost after the silence, neither sooner nor later when the wall clock jumps.",
     s_clock_jumps_silence},
};

const dw_cases_t dw_cases_worker_clock = {s_cases, sizeof s_cases / sizeof *s_cases};
