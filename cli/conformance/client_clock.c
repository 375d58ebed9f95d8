/* client_clock.c - cases of a client under test whose wall clock jumps: an hour forward, then two
 * hours back, while it waits to be let in and while it waits for a result. */

#include "actors/clock.h"
#include "cli/conformance/guest.h"
#include "cli/conformance/jumper.h"

#define PRESENCE "Who is there, Clocks"

#define LEAVE_MS 6000

static const dw_guest_welcome_t s_welcome = {
    .heartbeat_ms = DW_JUMPER_HEARTBEAT_MS, .silence_ms = DW_JUMPER_SILENCE_MS, .runs_max = 64};
static const dw_guest_welcome_t s_brief = {.heartbeat_ms = DW_JUMPER_HEARTBEAT_MS,
                                           .silence_ms = DW_JUMPER_SHORT_SILENCE_MS,
                                           .runs_max = 64};

static bool s_take (void *guest, int64_t deadline_ns) {
    return dw_guest_take (guest, deadline_ns);
}

static bool s_has_left (void *guest) {
    dw_guest_t *self = guest;
    return self->again != DW_STAGE_NONE || self->byes > 0 ||
           dw_subject_has_ended (&self->stage.subject);
}

static dw_jumper_t s_jumper (dw_guest_t *self) {
    return (dw_jumper_t){.peer = self,
                         .stage = &self->stage,
                         .beats = &self->beats,
                         .take = s_take,
                         .has_left = s_has_left};
}

/* Before it is let in, when it waits as long as it likes, which is longer than this. */
static bool s_jumps_at_the_door (dw_guest_t *self, dw_jumper_t *jumper, char *seen) {
    for (int jump = 0; jump < DW_JUMPS; jump++) {
        if (!dw_jumper_set (jumper, (dw_jump_t) jump, seen))
            return false;
        dw_guest_watch (self, 2 * DW_JUMPER_HEARTBEAT_MS);
        if (s_has_left (self)) {
            dw_case_fail (seen, "after its clock went %s it did not wait for WELCOME",
                          jump == DW_JUMP_BACK ? "back" : "forward");
            return false;
        }
    }
    return true;
}

static dw_verdict_t s_jumps (dw_guest_t *self, char *seen) {
    dw_jumper_t jumper = s_jumper (self);
    if (!s_jumps_at_the_door (self, &jumper, seen))
        return DW_VERDICT_FAILED;
    if (!dw_guest_let_in (self, &s_welcome, seen))
        return DW_VERDICT_SKIPPED; /* which another case says */
    int64_t begin_ns = dw_clock_ns ();
    if (!dw_jumper_expect_beats (&jumper, 1, "before its clock jumped again", seen))
        return DW_VERDICT_SKIPPED;
    if (!dw_jumper_jump_waiting (&jumper, "while it waited", seen) ||
        !dw_jumper_is_at_ease (&jumper, begin_ns, seen))
        return DW_VERDICT_FAILED;
    if (!dw_wall_clock_set (&self->stage.wall_clock, 0))
        return dw_case_fail (seen, "its clock could not be set");
    uint32_t beats = self->beats;
    dw_verdict_t verdict = dw_guest_expect_end (self, LEAVE_MS, seen);
    return verdict == DW_VERDICT_PASSED
               ? dw_case_pass (seen, "%u BEAT in 6 jumps, and it took its result", (unsigned) beats)
               : verdict;
}

static dw_verdict_t s_falls_silent (dw_guest_t *self, char *seen) {
    dw_jumper_t jumper = s_jumper (self);
    if (!dw_guest_let_in (self, &s_brief, seen) ||
        !dw_jumper_expect_beats (&jumper, 1, "before its clock jumped", seen))
        return DW_VERDICT_SKIPPED;
    self->is_mute = true;
    return dw_jumper_fall_silent (&jumper, seen);
}

/* Plays with a client of its own, which has such a clock and has said HELLO. */
static dw_verdict_t s_with_clock (dw_guest_t *self,
                                  dw_verdict_t (*play) (dw_guest_t *self, char *seen), char *seen) {
    bool is_idle = self->stage.is_idle;
    if (is_idle)
        return dw_case_skip (seen, "there was no client any more");
    if (!dw_stage_lend_clock (&self->stage, seen))
        return DW_VERDICT_SKIPPED;
    dw_verdict_t verdict = DW_VERDICT_SKIPPED;
    if (!dw_guest_greeted (self, seen))
        dw_stage_blame_clock (seen);
    else if (dw_stage_has_clock (&self->stage, seen))
        verdict = play (self, seen);
    dw_stage_take_clock (&self->stage);
    self->end = DW_STAGE_NONE;
    self->stage.is_idle = is_idle; /* who does not come with the library may come without */
    return verdict;
}

static dw_verdict_t s_clock_jumps (void *stage, char *seen) {
    return s_with_clock (stage, s_jumps, seen);
}

static dw_verdict_t s_clock_jumps_silence (void *stage, char *seen) {
    return s_with_clock (stage, s_falls_silent, seen);
}

static const dw_case_t s_cases[] = {
    {"clock-jumps", PRESENCE,
     "When its wall clock jumps it waits for WELCOME and for its results, says BEAT, and leaves with them.",
     s_clock_jumps},
    {"clock-jumps-silence", PRESENCE,
     "A coordinator that answers no BEAT is lost after the silence, neither sooner nor later when the wall clock jumps.",
     s_clock_jumps_silence},
};

const dw_cases_t dw_cases_client_clock = {s_cases, sizeof s_cases / sizeof *s_cases};
