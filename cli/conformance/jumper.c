/* jumper.c */

#include "cli/conformance/jumper.h"

#include <stdio.h>

#include "actors/clock.h"

#define NO_BEAT_MS 2500
#define BEATS      2u  /* after each jump */
#define BEATS_MORE 20u /* than four a heartbeat */
#define LOOK_NS    INT64_C (20000000)

static const int s_offsets[DW_JUMPS] = {3600, -3600}; /* s */
static const char *const s_ways[DW_JUMPS] = {"forward", "back"};

bool dw_jumper_set (dw_jumper_t *self, dw_jump_t jump, char *seen) {
    bool ok = dw_wall_clock_set (&self->stage->wall_clock, s_offsets[jump]);
    if (!ok)
        dw_case_fail (seen, "its clock could not be set");
    return ok;
}

bool dw_jumper_expect_beats (dw_jumper_t *self, uint32_t count, const char *when, char *seen) {
    uint32_t until = *self->beats + count;
    int64_t heard_ns = dw_clock_ns ();
    while (*self->beats < until && !self->stage->interrupted) {
        uint32_t before = *self->beats;
        self->take (self->peer, dw_clock_ns () + LOOK_NS);
        int64_t now_ns = dw_clock_ns ();
        if (*self->beats > before)
            heard_ns = now_ns;
        if (self->has_left (self->peer)) {
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

bool dw_jumper_jump (dw_jumper_t *self, dw_jump_t jump, const char *where, char *seen) {
    char when[64];
    snprintf (when, sizeof when, "after its clock went %s %s", s_ways[jump], where);
    return dw_jumper_set (self, jump, seen) && dw_jumper_expect_beats (self, BEATS, when, seen);
}

/* Takes in until then, or until it has left. */
static bool s_leaves (dw_jumper_t *self, int64_t until_ns) {
    while (!self->has_left (self->peer) && dw_clock_ns () < until_ns && !self->stage->interrupted)
        self->take (self->peer, dw_clock_ns () + LOOK_NS);
    return self->has_left (self->peer);
}

static void s_watch (dw_jumper_t *self, int64_t ms) {
    int64_t until_ns = dw_clock_ns () + ms * 1000000;
    while (dw_clock_ns () < until_ns && !self->stage->interrupted)
        self->take (self->peer, until_ns);
}

bool dw_jumper_jump_waiting (dw_jumper_t *self, const char *where, char *seen) {
    bool ok = true;
    for (int jump = 0; ok && jump < DW_JUMPS; jump++) {
        s_watch (self, DW_JUMPER_HEARTBEAT_MS / 2);
        ok = dw_jumper_jump (self, (dw_jump_t) jump, where, seen);
    }
    ok = ok && dw_jumper_expect_beats (self, 1, "between two jumps", seen) &&
         dw_jumper_jump (self, DW_JUMP_FORWARD, "right behind BEAT", seen) &&
         dw_jumper_expect_beats (self, 1, "between two jumps", seen);
    if (!ok)
        return false;
    s_watch (self, DW_JUMPER_HEARTBEAT_MS * 9 / 10);
    return dw_jumper_jump (self, DW_JUMP_BACK, "right before BEAT", seen);
}

bool dw_jumper_is_at_ease (const dw_jumper_t *self, int64_t begin_ns, char *seen) {
    int64_t passed_ms = (dw_clock_ns () - begin_ns) / 1000000;
    bool is = *self->beats <= 4 * passed_ms / DW_JUMPER_HEARTBEAT_MS + BEATS_MORE;
    if (!is)
        dw_case_fail (seen, "%u BEAT in %lld ms of a heartbeat of %d", (unsigned) *self->beats,
                      (long long) passed_ms, DW_JUMPER_HEARTBEAT_MS);
    return is;
}

dw_verdict_t dw_jumper_fall_silent (dw_jumper_t *self, char *seen) {
    int64_t begin_ns = dw_clock_ns (), silence_ns = DW_JUMPER_SHORT_SILENCE_MS * INT64_C (1000000);
    bool is_early = false;
    for (int jump = 0; !is_early && jump < DW_JUMPS; jump++) {
        is_early = s_leaves (self, begin_ns + silence_ns / 4 * (jump + 1));
        if (!is_early && !dw_jumper_set (self, (dw_jump_t) jump, seen))
            return DW_VERDICT_FAILED;
    }
    is_early = is_early || s_leaves (self, begin_ns + silence_ns * 3 / 4);
    bool has_left = s_leaves (self, begin_ns + 5 * silence_ns);
    int after_ms = (int) ((dw_clock_ns () - begin_ns) / 1000000);
    return has_left && !is_early
               ? dw_case_pass (seen, "it left, or came again, after %d ms", after_ms)
               : dw_case_fail (seen, "it %s after %d ms of %d",
                               has_left ? "left" : "was still there", after_ms,
                               DW_JUMPER_SHORT_SILENCE_MS);
}
