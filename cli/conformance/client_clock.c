/* client_clock.c - cases of a client under test whose wall clock jumps: an hour forward, then two
 * hours back, while it waits to be let in and while it waits for a result. */

#include <stdio.h>

#include "actors/clock.h"
#include "cli/conformance/guest.h"

#define PRESENCE "Who is there, Clocks"

#define HEARTBEAT_MS     100
#define SILENCE_MS       3000 /* generous: only who fails lasts so long */
#define NO_BEAT_MS       2500
#define SHORT_SILENCE_MS 1600
#define BEATS            2u /* after each jump */
#define LOOK_NS          INT64_C (20000000)
#define LEAVE_MS         6000
#define BEATS_MORE       20u /* than four a heartbeat: nobody is to make up for an hour */

static const int s_offsets[] = {3600, -3600};
#define OFFSETS (sizeof s_offsets / sizeof *s_offsets)

static const dw_guest_welcome_t s_welcome = {
    .heartbeat_ms = HEARTBEAT_MS, .silence_ms = SILENCE_MS, .runs_max = 64};
static const dw_guest_welcome_t s_brief = {
    .heartbeat_ms = HEARTBEAT_MS, .silence_ms = SHORT_SILENCE_MS, .runs_max = 64};

/* It is not asked whether it is there: that would be a word of the coordinator, after which no
 * silence is long. */
static bool s_has_left (dw_guest_t *self) {
    return self->again != DW_STAGE_NONE || self->byes > 0 ||
           dw_subject_has_ended (&self->stage.subject);
}

static bool s_set (dw_guest_t *self, size_t offset, char *seen) {
    bool ok = dw_wall_clock_set (&self->stage.wall_clock, s_offsets[offset]);
    if (!ok)
        dw_case_fail (seen, "its clock could not be set");
    return ok;
}

/* Takes in until so many BEAT more have come. False: it has left, or was silent. */
static bool s_expect_beats (dw_guest_t *self, uint32_t count, const char *when, char *seen) {
    uint32_t until = self->beats + count;
    int64_t heard_ns = dw_clock_ns ();
    while (self->beats < until && !self->stage.interrupted) {
        uint32_t before = self->beats;
        dw_guest_take (self, dw_clock_ns () + LOOK_NS);
        int64_t now_ns = dw_clock_ns ();
        if (self->beats > before)
            heard_ns = now_ns;
        if (s_has_left (self)) {
            dw_case_fail (seen, "%s it left", when);
            return false;
        }
        if (now_ns - heard_ns > (int64_t) NO_BEAT_MS * 1000000) {
            dw_case_fail (seen, "%s it said no BEAT for %d ms", when, NO_BEAT_MS);
            return false;
        }
    }
    return true;
}

static bool s_jump (dw_guest_t *self, size_t offset, const char *where, char *seen) {
    char when[64];
    snprintf (when, sizeof when, "after its clock went %s %s", offset ? "back" : "forward", where);
    return s_set (self, offset, seen) && s_expect_beats (self, BEATS, when, seen);
}

/* Before it is let in, when it waits as long as it likes, which is longer than this. */
static bool s_jumps_at_the_door (dw_guest_t *self, char *seen) {
    for (size_t i = 0; i < OFFSETS; i++) {
        if (!s_set (self, i, seen))
            return false;
        dw_guest_watch (self, 2 * HEARTBEAT_MS);
        if (s_has_left (self)) {
            dw_case_fail (seen, "after its clock went %s it did not wait for WELCOME",
                          i ? "back" : "forward");
            return false;
        }
    }
    return true;
}

/* Between two BEAT, right behind one, and right before the next is due. */
static bool s_jumps_waiting (dw_guest_t *self, char *seen) {
    bool ok = true;
    for (size_t i = 0; ok && i < OFFSETS; i++) {
        dw_guest_watch (self, HEARTBEAT_MS / 2);
        ok = s_jump (self, i, "while it waited", seen);
    }
    ok = ok && s_expect_beats (self, 1, "between two jumps", seen) &&
         s_jump (self, 0, "right behind BEAT", seen) &&
         s_expect_beats (self, 1, "between two jumps", seen);
    if (!ok)
        return false;
    dw_guest_watch (self, HEARTBEAT_MS * 9 / 10);
    return s_jump (self, 1, "right before BEAT", seen);
}

static bool s_is_at_ease (const dw_guest_t *self, int64_t begin_ns, char *seen) {
    int64_t passed_ms = (dw_clock_ns () - begin_ns) / 1000000;
    bool is = self->beats <= 4 * passed_ms / HEARTBEAT_MS + BEATS_MORE;
    if (!is) {
        dw_case_fail (seen, "%u BEAT in %lld ms of a heartbeat of %d", (unsigned) self->beats,
                      (long long) passed_ms, HEARTBEAT_MS);
    }
    return is;
}

static dw_verdict_t s_jumps (dw_guest_t *self, char *seen) {
    if (!s_jumps_at_the_door (self, seen))
        return DW_VERDICT_FAILED;
    if (!dw_guest_let_in (self, &s_welcome, seen))
        return DW_VERDICT_SKIPPED; /* which another case says */
    int64_t begin_ns = dw_clock_ns ();
    if (!s_expect_beats (self, 1, "before its clock jumped again", seen))
        return DW_VERDICT_SKIPPED;
    if (!s_jumps_waiting (self, seen) || !s_is_at_ease (self, begin_ns, seen) ||
        !s_set (self, 0, seen))
        return DW_VERDICT_FAILED;
    uint32_t beats = self->beats;
    dw_verdict_t verdict = dw_guest_expect_end (self, LEAVE_MS, seen);
    return verdict == DW_VERDICT_PASSED
               ? dw_case_pass (seen, "%u BEAT in 6 jumps, and it took its result", (unsigned) beats)
               : verdict;
}

/* Takes in until it has left, for at most so long. */
static bool s_leaves (dw_guest_t *self, int64_t begin_ns, int64_t ms) {
    int64_t until_ns = begin_ns + ms * 1000000;
    while (!s_has_left (self) && dw_clock_ns () < until_ns && !self->stage.interrupted)
        dw_guest_take (self, dw_clock_ns () + LOOK_NS);
    return s_has_left (self);
}

static dw_verdict_t s_falls_silent (dw_guest_t *self, char *seen) {
    if (!dw_guest_let_in (self, &s_brief, seen) ||
        !s_expect_beats (self, 1, "before its clock jumped", seen))
        return DW_VERDICT_SKIPPED;
    self->is_mute = true;
    int64_t begin_ns = dw_clock_ns ();
    bool ok = true;
    for (size_t i = 0; ok && i < OFFSETS; i++)
        ok = !s_leaves (self, begin_ns, SHORT_SILENCE_MS / 4 * (int64_t) (i + 1)) &&
             s_set (self, i, seen);
    bool is_early = !ok || s_leaves (self, begin_ns, SHORT_SILENCE_MS * 3 / 4);
    bool has_left = s_leaves (self, begin_ns, 5 * SHORT_SILENCE_MS);
    int after_ms = (int) ((dw_clock_ns () - begin_ns) / 1000000);
    return has_left && !is_early
               ? dw_case_pass (seen, "it left, or came again, after %d ms", after_ms)
               : dw_case_fail (seen, "it %s after %d ms of %d",
                               has_left ? "left" : "was still there", after_ms, SHORT_SILENCE_MS);
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
