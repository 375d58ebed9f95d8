/* replay.h - feeds a recording to a fresh scheduler, and tells of all that goes in and comes out.
 *
 * The scheduler of the recording's plan is given what the recorder's was given, at the same times,
 * and must give the same commands: after every step the digest of all of them is compared with the
 * recorded one. So a recording is proof of what was decided, and whoever watches can say why.
 *
 * Runs are numbered by their submissions, from 1. A recording's numbers are checked before the
 * scheduler gets them: what its shell promises it is promised here. One thread at a time. */

#ifndef DW_REPLAY_H
#define DW_REPLAY_H

#include "runtime/recording.h"

#define DW_REPLAY_STATES_MAX (1u << 26) /* nodes times places for runs, that memory is taken for */

typedef struct dw_replay_t dw_replay_t;

/* A task that a worker was sent and has not answered for to its end. */
typedef struct dw_sent_t {
    uint64_t run; /* its number; 0: there is no such task */
    uint32_t place, node, steps, attempt;
    uint32_t cut;  /* so many more it was sent, which were cancelled */
    uint32_t done; /* steps answered for, all before node */
    int64_t sent_ns;
} dw_sent_t;

/* When and where in the file something happened. */
typedef struct dw_moment_t {
    int64_t time_ns; /* since the recording began */
    uint64_t record; /* from 1 */
    uint64_t offset; /* of that record */
} dw_moment_t;

/* Told of everything in its order; any of them may be NULL. run is a run's number, 0 where there is
 * none. Nodes are those of what is in the place (dw_sent_t.place, dw_command_t.run), which may have
 * been added to the run: dw_replay_part. */
typedef struct dw_watch_t {
    /* sent: the task that an answer is for, with run 0 when it is for none (late, repeated,
     * forged). It is as it was before the answer. */
    void (*event) (void *arg, const dw_moment_t *moment, const dw_event_t *event, uint64_t run,
                   const dw_sent_t *sent);
    /* sent: of CANCEL_TASK, the task */
    void (*command) (void *arg, const dw_moment_t *moment, const dw_command_t *command,
                     uint64_t run, const dw_sent_t *sent);
    /* A task that the coordinator's own thread ran: from moment->time_ns to end_ns. */
    void (*own) (void *arg, const dw_moment_t *moment, const dw_own_task_t *task, uint64_t run,
                 int64_t end_ns);
    void (*place) (void *arg, const dw_moment_t *moment, uint32_t worker, const char *text,
                   size_t size);
    /* A record is over, and what it says was found true. */
    void (*over) (void *arg, const dw_moment_t *moment, const dw_record_t *record);
    void *arg;
} dw_watch_t;

/* recording is borrowed for self's life.
 * Errors: DW_EPROTOCOL  its graph is damaged or wrong, or is not planned here as it was there
 *         DW_ENOMEM                                                                          */
int dw_replay_new (dw_replay_t **self_p, dw_recording_t *recording, dw_error_t *error);
void dw_replay_destroy (dw_replay_t **self_p);

const dw_plan_t *dw_replay_plan (const dw_replay_t *self);

/* What is in a place: a run, or a graph that was added to one. */
typedef struct dw_part_t {
    const dw_plan_t *plan;
    uint32_t node; /* of the run's plan, that the graph is part of; DW_NONE: it is a run */
} dw_part_t;

dw_part_t dw_replay_part (const dw_replay_t *self, uint32_t place);
const dw_recording_header_t *dw_replay_header (const dw_replay_t *self);
const dw_scheduler_t *dw_replay_scheduler (const dw_replay_t *self);
/* When and where the record replayed last was. */
dw_moment_t dw_replay_moment (const dw_replay_t *self);
/* How many runs were submitted so far. */
uint64_t dw_replay_runs_count (const dw_replay_t *self);

/* Replays the next record and tells watch.
 * Errors: DW_ENOENT     there is none
 *         DW_EREFUSED   the scheduler decides otherwise, or what was recorded cannot have happened: the message
 *                       has the offset. Nothing can be replayed after that.
 *         DW_ENOMEM                                                                                */
int dw_replay_next (dw_replay_t *self, const dw_watch_t *watch, dw_error_t *error);

#endif
