/* model.h - what a scheduler owes for its events: a second account of the rules, kept plainly.
 *
 * The simulator tells the model every event before it looks at the scheduler's commands. The model
 * moves its own picture of runs, nodes and workers on, and notes what the scheduler now owes:
 * outputs and errors to keep, tasks to cancel, runs to finish. checker.h holds the commands against
 * it. Nothing here is shared with the scheduler; whatever is found is found by looking through
 * everything, every time. */

#ifndef TESTS_MODEL_H
#define TESTS_MODEL_H

#include "runtime/core/scheduler.h"
#include "tests/support/evaluator.h"

#define MODEL_TASKS_MAX  64u /* of one worker; above any credit that is given */
#define MODEL_DEATHS_MAX 3
/* What waits behind a task for longer goes to somebody else; twice as long for each time that this
 * was in vain, while that is below the maximum. */
#define MODEL_LATE_NS     1000000
#define MODEL_LATE_NS_MAX 1000000000

typedef struct model_node_t {
    dw_node_state_t state; /* WAITING is ready, too; SENT where the first step of a task was not yet
                              answered for */
    bool held;             /* it is part of a task that somebody waits for */
    bool kept, dropped;    /* its output */
    bool wanted, requested;
    bool unserved; /* it has failed because nobody served its lane */
    bool cut;      /* it was cancelled, by request, while the rest of its run went on */
    uint32_t attempts, failures, deaths;
    bool suspect;                       /* a worker went down that held it */
    int64_t retry_from_ns, retry_to_ns; /* BACKOFF: it gets ready in between */
} model_node_t;

typedef enum model_life_t { MODEL_FREE, MODEL_LIVE, MODEL_ENDED } model_life_t;

typedef struct model_run_t {
    model_life_t life;
    bool keeps_all;
    bool was_cancelled;
    bool ran_out;        /* of time */
    int64_t deadline_ns; /* 0: none */
    dw_run_status_t status;
    model_node_t *nodes; /* by the plan's index, as everything here */
    bool *done;          /* by index of declaration, for the evaluator */
} model_run_t;

typedef struct model_task_t {
    bool live;                 /* somebody waits for its answer */
    bool begun;                /* a step of it was answered for */
    bool unmeasured;           /* its first node's processor was, when it was sent */
    bool alone;                /* it may run but once, or a worker went down with it */
    bool was_late;             /* it was taken back */
    uint32_t told;             /* how many steps answers told of */
    uint32_t run, node, steps; /* from the first step that was not answered for on */
    uint32_t cut;              /* steps behind these that it was sent, and that were cancelled */
    uint32_t source;           /* whose output that step's payload is */
} model_task_t;

typedef struct model_worker_t {
    bool present, local;
    /* its first task was given up or is late, and it has not answered for all since */
    bool suspect;
    uint32_t lane, credit;
    uint64_t lanes;                      /* a bit each; 0: lane alone */
    uint64_t first, next;                /* tickets */
    int64_t since_ns;                    /* the clock of its first task */
    int64_t late_ns;                     /* how long what is behind that waits */
    model_task_t tasks[MODEL_TASKS_MAX]; /* by ticket */
    uint32_t sent_in_step;
} model_worker_t;

typedef struct model_kind_t {
    bool measured;
    bool is_slow;     /* a look at the clock found it slow, as the measurement before had */
    bool ran;         /* in the shell's thread since that looked at the clock */
    uint64_t last_ns; /* its last call's time */
} model_kind_t;

typedef struct model_t {
    const evaluator_t *evaluator;
    const dw_plan_t *plan;
    dw_scheduler_options_t options;
    model_run_t *runs;
    model_worker_t *workers;
    model_kind_t *kinds;
    uint32_t *sources;   /* by node: whose output is its payload when nothing fails */
    bool is_conditional; /* nodes may skip, or say how they join */
    dw_scheduler_counts_t counts;
    dw_command_t *owed;
    size_t owed_count, owed_size;
    uint64_t unserved;                     /* lanes, as told last */
    int64_t backlog_ns, backlog_lasted_ns; /* when there was one last, and how long by then */
    size_t commands_seen; /* by the checker, of the step or the own work under way */
    int64_t now_ns;
    char wrong[256]; /* the first thing found wrong; "" */
} model_t;

void model_init (model_t *self, const evaluator_t *evaluator, const dw_plan_t *plan,
                 const dw_scheduler_options_t *options);
void model_clear (model_t *self);

/* Notes that something is wrong and returns false. */
bool model_is_wrong (model_t *self, const char *format, ...) DW_PRINTF (2, 3);

void model_event (model_t *self, const dw_event_t *event);
/* The scheduler says that worker's first task has timed out; it must have. */
bool model_timeout (model_t *self, uint32_t worker);
/* The scheduler says that a run has not ended in its time; it must have been over. */
bool model_deadline (model_t *self, uint32_t run);
/* The scheduler says that worker is stuck in node; it must be. */
bool model_replace (model_t *self, uint32_t worker, uint32_t node);
/* The scheduler takes back what is behind worker's first task; that must be late. */
bool model_late (model_t *self, uint32_t worker);
/* The scheduler says that node failed because nobody serves its lane; it must be ready, and its
 * lane be told so. */
bool model_unserved (model_t *self, uint32_t run, uint32_t node);
/* When worker's first task times out, or it is stuck on it, or what waits behind that goes to
 * somebody else; INT64_MAX: nothing of it. */
int64_t model_deadline_ns (const model_t *self, uint32_t worker);

/* The shell's thread as a worker; DW_NONE: it is none. */
uint32_t model_local_worker (const model_t *self);
/* That thread has run a node, done or failed. */
void model_own_ran (model_t *self, uint32_t node);
/* It is through with its task: what came of it is as if it had answered. */
void model_own (model_t *self, const dw_own_task_t *task);
/* It has looked at the clock: the steps since it did so last took that time. */
void model_timed (model_t *self, uint32_t steps, uint64_t ns);

static inline uint32_t model_unanswered (const model_worker_t *worker) {
    return (uint32_t) (worker->next - worker->first);
}

static inline model_task_t *model_task (model_worker_t *worker, uint64_t ticket) {
    return &worker->tasks[ticket % MODEL_TASKS_MAX];
}

static inline bool model_is_final (const model_node_t *node) {
    return node->state >= DW_STATE_DONE;
}

/* ---- Questions: model_questions.c -------------------------------------------------------------- */

/* Whose output node is to be given, as things stand: an index of the plan, or DW_RUN_INPUT. */
uint32_t model_source (const model_t *self, const model_run_t *run, uint32_t node);
/* Whether every node that has to be final before node may run is. */
bool model_may_run (const model_t *self, const model_run_t *run, uint32_t node);
bool model_is_ready (const model_t *self, const model_run_t *run, uint32_t node);
bool model_is_timed (const model_t *self, uint32_t node);
bool model_is_once (const model_t *self, uint32_t node);
/* Whether the shell's own thread may run node. */
bool model_is_brief (const model_t *self, uint32_t node);
/* Whether node may end its branch. */
bool model_may_skip (const model_t *self, uint32_t node);
/* What becomes of a node whose dependencies are all final: WAITING, it may run; or SKIPPED, or
 * LEFT_OUT. */
dw_node_state_t model_join (const model_t *self, const model_run_t *run, uint32_t node);
bool model_depends_on (const model_t *self, uint32_t node, uint32_t on);
/* Whether a wanted node that is not final reads node's output, or may turn out to. */
bool model_has_readers (const model_t *self, const model_run_t *run, uint32_t node);
bool model_serves (const model_worker_t *worker, uint32_t lane);
bool model_is_unserved (const model_t *self, uint32_t lane);
/* How many workers hold tasks, and how many may. */
uint32_t model_active_count (const model_t *self);
uint32_t model_active_max (const model_t *self);

#endif
