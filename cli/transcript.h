/* transcript.h - a replay told line by line: what went into the scheduler, and what it decided. */

#ifndef DW_TRANSCRIPT_H
#define DW_TRANSCRIPT_H

#include "runtime/replay.h"

typedef struct dw_transcript_t {
    const dw_replay_t *replay;
    const dw_plan_t *plan;
    uint32_t node;     /* only what is about it is printed; DW_NONE: all */
    const char *inner; /* and of that only this node of a graph that it added; NULL: all */
    bool was_found;    /* something was about it */
    bool is_json, is_quiet;
    /* Counted, whatever is printed. */
    uint64_t records, events, commands, own_tasks;
    int64_t time_ns;
} dw_transcript_t;

/* What prints it while a recording is replayed; self is borrowed. */
dw_watch_t dw_transcript_watch (dw_transcript_t *self);

#endif
