/* recording.h - what the commands that read a recording share: the file, the replay, names
 * printed. */

#ifndef DW_CLI_RECORDING_H
#define DW_CLI_RECORDING_H

#include "cli/command.h"
#include "runtime/replay.h"

/* A recording that was read and checked, and a scheduler to replay it. */
typedef struct dw_open_recording_t {
    uint8_t *bytes;
    dw_recording_t *recording;
    dw_replay_t *replay;
    const dw_plan_t *plan;
} dw_open_recording_t;

/* Reads a file; says what is wrong with it, and of what is torn off its end. Returns an exit
 * status. */
int dw_recording_load (dw_open_recording_t *self, const char *file);
void dw_recording_unload (dw_open_recording_t *self);

/* Replays the whole of it, or (until not 0) its first records. A difference is said, and the status
 * is 1. */
int dw_recording_replay (dw_open_recording_t *self, const dw_watch_t *watch, uint64_t until);

/* Of "OUTER/INNER", as replay prints nodes of graphs that were added: the node OUTER, and *inner_p
 * INNER; DW_NONE: id is no such name, or OUTER adds nothing. */
uint32_t dw_recording_outer (const dw_open_recording_t *self, const char *id, const char **inner_p);
/* An id as it can be shown. */
void dw_recording_print_id (const dw_plan_t *plan, uint32_t node);
/* A time with a fitting unit, into text (32 bytes), which is returned. */
const char *dw_recording_ns (char *text, double ns);

#endif
