/* recorder.h - writes a recording: what goes into a scheduler, to bytes.
 *
 * The shell tells it of each call of the scheduler, right after it; takes the bytes, frame by
 * frame, and puts them into a file (actors/record.h). A few bytes an event, and where many answers
 * are alike (a message of tasks that were timed together) or the shell's own tasks are simply done,
 * a few for all of them. It never fails: without memory it stops, as where a recording cannot hold
 * what has come (is_over). One thread at a time. */

#ifndef DW_RECORDER_H
#define DW_RECORDER_H

#include "runtime/recording_format.h"

typedef struct dw_recorder_t {
    dw_writer_t stream; /* records that are in no frame yet */
    dw_recording_past_t past;
    uint64_t salt, offset; /* of the file; of the next frame in it */
    int64_t time_ns;       /* of the last record */
    int64_t lap_ns;        /* when the last lap of the work under way ended */
    uint64_t digest;
    uint64_t own_tasks, own_odd; /* of the work under way, and its last odd one */
    uint64_t lap_task; /* how many there were when the last lap was told; UINT64_MAX: none was */
    uint32_t lap_steps;
    bool is_over;
} dw_recorder_t;

/* Begins: the preamble, and the header. salt is any number that other recordings do not have. */
void dw_recorder_begin (dw_recorder_t *self, const dw_recording_header_t *header, uint64_t salt,
                        dw_writer_t *out);
void dw_recorder_free (dw_recorder_t *self);

/* A dw_scheduler_step was made; its commands are those from the first-th on. */
void dw_recorder_step (dw_recorder_t *self, int64_t now_ns, const dw_event_t *events,
                       size_t events_count, const dw_commands_t *commands, size_t first);

/* A dw_scheduler_work begins; run_task was given a task and has set what came of it;
 * dw_scheduler_timed was called of steps that ran from since_ns on; the work is over: is_by_time:
 * run_task has said so; commands are as with a step. */
void dw_recorder_work_begin (dw_recorder_t *self, int64_t now_ns);
void dw_recorder_odd_task (dw_recorder_t *self, const dw_own_task_t *task);
static inline void dw_recorder_own_task (dw_recorder_t *self, const dw_own_task_t *task) {
    self->digest = dw_recording_own (self->digest, task);
    if (task->done != task->steps || task->code || task->is_skipped)
        dw_recorder_odd_task (self, task);
    self->own_tasks++;
}
void dw_recorder_lap (dw_recorder_t *self, uint32_t steps, int64_t since_ns, uint64_t ns);
void dw_recorder_work_end (dw_recorder_t *self, bool is_by_time, const dw_commands_t *commands,
                           size_t first);

/* Says in words where a worker is. */
void dw_recorder_place (dw_recorder_t *self, uint32_t worker, const char *text);
/* The last record. */
void dw_recorder_end (dw_recorder_t *self, dw_record_end_t reason);

/* Appends all that there is to out, in frames. */
void dw_recorder_take (dw_recorder_t *self, dw_writer_t *out);
/* Bytes that wait to be taken. */
static inline size_t dw_recorder_waiting (const dw_recorder_t *self) {
    return self->stream.count;
}

#endif
