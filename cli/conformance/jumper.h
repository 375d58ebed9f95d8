/* jumper.h - a worker or a client under test whose wall clock jumps, an hour forward or two hours
 * back: what both are to do then is asked here. What comes from it is taken in by whoever plays with
 * it, a crew or a guest. */

#ifndef DW_JUMPER_H
#define DW_JUMPER_H

#include "cli/conformance/case.h"
#include "cli/conformance/stage.h"

#define DW_JUMPER_HEARTBEAT_MS     100
#define DW_JUMPER_SILENCE_MS       3000 /* generous: only who fails lasts so long */
#define DW_JUMPER_SHORT_SILENCE_MS 1600

typedef enum dw_jump_t { DW_JUMP_FORWARD, DW_JUMP_BACK, DW_JUMPS } dw_jump_t;

typedef struct dw_jumper_t {
    void *peer; /* what the functions are given */
    dw_stage_t *stage;
    const uint32_t *beats; /* that it has said, of this session */
    /* Takes in until deadline; false: nothing came. */
    bool (*take) (void *peer, int64_t deadline_ns);
    /* Without a word to it: after one no silence is long. */
    bool (*has_left) (void *peer);
} dw_jumper_t;

/* What returns false has said in seen what failed. */

bool dw_jumper_set (dw_jumper_t *self, dw_jump_t jump, char *seen);
/* Takes in until so many BEAT more have come. False: it has left, or was silent. */
bool dw_jumper_expect_beats (dw_jumper_t *self, uint32_t count, const char *when, char *seen);
/* Sets its clock, and awaits what comes of it. */
bool dw_jumper_jump (dw_jumper_t *self, dw_jump_t jump, const char *where, char *seen);
/* Half a heartbeat into what it is at; then right behind a BEAT, when the next one is to be counted
 * from, and right before it is due. */
bool dw_jumper_jump_waiting (dw_jumper_t *self, const char *where, char *seen);
/* Whether it has said no more BEAT than in that time: nobody is to make up for an hour. */
bool dw_jumper_is_at_ease (const dw_jumper_t *self, int64_t begin_ns, char *seen);
/* Of a coordinator that answers no BEAT any more: it leaves, neither sooner nor later than after the
 * short silence. */
dw_verdict_t dw_jumper_fall_silent (dw_jumper_t *self, char *seen);

#endif
