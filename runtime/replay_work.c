/* replay_work.c - the coordinator's own work, replayed: the scheduler says again which tasks there
 * were, the recording what came of them and when the clock was looked at. */

#include "runtime/core/error.h"
#include "runtime/recording_format.h"
#include "runtime/replay_self.h"

typedef struct s_work_t {
    dw_replay_t *self;
    const dw_record_t *record;
    uint64_t task;
    size_t odd, lap;
    uint32_t lap_steps; /* that ran in this lap */
    int64_t lap_begin_ns;
    const char *wrong; /* what cannot have happened; NULL: nothing */
} s_work_t;

static int64_t s_now_ns (const s_work_t *work) {
    if (work->lap == work->record->laps_count)
        return work->lap_begin_ns;
    const dw_record_lap_t *lap = &work->record->laps[work->lap];
    double share = (double) work->lap_steps / lap->steps;
    return work->lap_begin_ns + (int64_t) (share * (double) lap->ns);
}

static void s_begin_lap (s_work_t *work) {
    if (work->lap < work->record->laps_count)
        work->lap_begin_ns += (int64_t) work->record->laps[work->lap].gap_ns;
    work->lap_steps = 0;
}

/* The scheduler hears of a lap that is over. */
static void s_end_lap (s_work_t *work) {
    const dw_record_lap_t *lap = &work->record->laps[work->lap++];
    dw_scheduler_timed (work->self->scheduler, lap->steps, lap->ns);
    work->lap_begin_ns += (int64_t) lap->ns;
    s_begin_lap (work);
}

/* So many steps of a task ran. */
static void s_run_steps (s_work_t *work, uint32_t steps) {
    size_t laps_count = work->record->laps_count - work->record->is_lap_behind;
    while (work->lap < laps_count &&
           work->record->laps[work->lap].steps - work->lap_steps <= steps) {
        steps -= work->record->laps[work->lap].steps - work->lap_steps;
        s_end_lap (work);
    }
    work->lap_steps += steps;
    if (work->lap < work->record->laps_count &&
        work->lap_steps > work->record->laps[work->lap].steps)
        work->wrong = "more steps ran than were timed";
}

/* What came of the task under way. */
static void s_set_outcome (s_work_t *work, dw_own_task_t *task) {
    const dw_record_t *record = work->record;
    task->done = task->steps;
    task->code = 0;
    task->handle = 0;
    if (work->odd == record->odds_count || record->odds[work->odd].task != work->task)
        return;
    const dw_record_odd_t *odd = &record->odds[work->odd++];
    if (odd->done > task->steps || (odd->code && odd->done == task->steps)) {
        work->wrong = "more steps of a task were done than it has";
        return;
    }
    task->done = odd->done;
    task->is_skipped = odd->code == DW_WORK_SKIPPED;
    task->code = task->is_skipped ? 0 : odd->code;
    task->handle = odd->handle;
}

static bool s_run_task (void *arg, dw_own_task_t *task) {
    s_work_t *work = arg;
    dw_replay_t *self = work->self;
    if (work->task == work->record->tasks)
        work->wrong = "the scheduler gives its own thread more tasks than were recorded";
    if (!work->wrong)
        s_set_outcome (work, task);
    if (work->wrong) {
        task->done = task->code = 0;
        task->handle = 0;
        return false;
    }
    self->digest = dw_recording_own (self->digest, task);
    self->moment.time_ns = s_now_ns (work);
    s_run_steps (work, task->done + (task->code > 0 || task->is_skipped));
    if (self->watch->own && !work->wrong)
        self->watch->own (self->watch->arg, &self->moment, task, self->runs[task->run],
                          s_now_ns (work));
    work->task++;
    bool is_last = work->task == work->record->tasks;
    return !work->wrong && (!is_last || !work->record->is_by_time);
}

int dw_replay_work (dw_replay_t *self, const dw_record_t *record, dw_error_t *error) {
    s_work_t work = {.self = self, .record = record, .lap_begin_ns = record->time_ns};
    if (self->local == DW_NONE)
        return dw_replay_differs (self, "the coordinator's thread works, and is no worker", error);
    s_begin_lap (&work);
    work.lap_steps = self->lap_steps; /* of a lap that began in earlier work */
    if (dw_scheduler_work (self->scheduler, s_run_task, &work, &self->commands))
        return dw_error_add (error, DW_ENOMEM, DW_NOWHERE, "out of memory");
    if (!work.wrong && work.task < record->tasks)
        work.wrong = "the scheduler gives its own thread fewer tasks than were recorded";
    if (!work.wrong && record->is_lap_behind && work.lap + 1 == record->laps_count &&
        work.lap_steps == record->laps[work.lap].steps)
        s_end_lap (&work);
    if (!work.wrong && (work.lap < record->laps_count || work.odd < record->odds_count))
        work.wrong = "more was timed than ran";
    if (work.wrong)
        return dw_replay_differs (self, work.wrong, error);
    self->lap_steps = work.lap_steps;
    self->moment.time_ns = work.lap_begin_ns;
    return dw_replay_conclude (self, record, error);
}
