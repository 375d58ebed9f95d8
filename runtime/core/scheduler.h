/* scheduler.h - what runs next: the only home of dependency counts, credits, attempts, deadlines.
 *
 * A function of its events: dw_scheduler_step takes the time and what has happened and gives the
 * commands that follow. It holds no payload, socket, clock, thread or random number; memory is
 * taken when it is made, per run, and when a queue outgrows its array, never per task. The same
 * events at the same times give the same commands, for ever.
 *
 *     shell (coordinator, simulator)                     scheduler
 *       RUN_SUBMITTED, RUN_CANCELLED           ->
 *       NODE_CANCELLED                         ->
 *       WORKER_JOINED, WORKER_LOST             ->
 *       LANES_UNSERVED                         ->
 *       TASK_DONE, TASK_FAILED, TASK_RETURNED,
 *       TASK_SKIPPED, TASK_ADDED               ->
 *                                              <-        SEND_TASK, CANCEL_TASK
 *                                              <-        KEEP_OUTPUT, KEEP_ERROR, KEEP_DEATH, DROP_OUTPUT
 *                                              <-        BEGIN_ADDED, END_ADDED
 *                                              <-        FINISH_RUN, REPLACE_WORKER
 *
 * A node of a run:
 *
 *     waiting -> ready -> sent -> done
 *        |        ^  ^-----/ | \
 *        |         \backoff<-/  -> failed
 *        \------------------------> skipped, left out, cancelled
 *
 * A node that adds a graph to its run is added from sent on, and done (or failed, or left out) when the graph's output is. The
 * graph is a run of its own in a place of its own, whose tasks are told of by that place; it never finishes, it ends.
 *
 * Left out is skipped, too, for whoever reads the result: not because of a failure but because its processor ended its
 * branch (from sent), or because all that it depends on was left out.
 *
 * One thread at a time. */

#ifndef DW_SCHEDULER_H
#define DW_SCHEDULER_H

#include "runtime/core/added.h"

typedef struct dw_scheduler_t dw_scheduler_t;

typedef enum dw_event_type_t {
    /* run, outputs, deadline_ns: run is an index that is free (below runs_max) */
    DW_EVENT_RUN_SUBMITTED,
    DW_EVENT_RUN_CANCELLED, /* run: one that has ended already is ignored */
    DW_EVENT_WORKER_JOINED, /* worker (an absent index), lane or lanes, credit, local */
    /* worker, last, idle, handle: it and all that it holds are gone; last: it did not go down, so
     * nothing is put down to what it was at; idle: it is known to have been at nothing */
    DW_EVENT_WORKER_LOST,
    DW_EVENT_TASK_DONE, /* worker, ticket, steps, last, duration_ns, handle */
    /* worker, ticket, code, duration_ns, handle: the step after those done failed */
    DW_EVENT_TASK_FAILED,
    /* worker, ticket: it was not started (or not gone on with) and will not be */
    DW_EVENT_TASK_RETURNED,
    /* lanes: all where nobody is, or is waited for: from now on what gets ready there fails (503),
     * and under fail_fast a run that has such nodes when it is submitted */
    DW_EVENT_LANES_UNSERVED,
    /* worker, ticket, duration_ns: the step after those done ended its branch, and so the task */
    DW_EVENT_TASK_SKIPPED,
    /* run, node: it and all that depends on it, all the way down, is cancelled, but for what is
     * final; the rest of the run goes on. Of a run that has ended it is ignored */
    DW_EVENT_NODE_CANCELLED,
    /* worker, ticket, duration_ns, handle, run, added: the step after those done becomes a graph,
     * and so ends the task. run is a place that is free, for which BEGIN_ADDED then says what it
     * is; if none does, it is still free. What added points to outlives the place's END_ADDED. */
    DW_EVENT_TASK_ADDED,
    /* a backlog: the shell has taken in as much as it does before a step, answers were among it,
     * and there may be more, so nobody is late by what is known now */
    DW_EVENT_BACKLOG,
} dw_event_type_t;

typedef struct dw_event_t {
    uint8_t type;
    bool
        /* TASK_DONE: the task's end; else more answers for this ticket follow. WORKER_LOST: see
         * there */
        last;
    bool local;    /* WORKER_JOINED: it is the shell's own thread, which takes its tasks */
    bool idle;     /* WORKER_LOST */
    uint16_t code; /* TASK_FAILED */
    uint32_t run;
    uint32_t worker;
    uint32_t step; /* TASK_...: how many steps of its task earlier answers told of */
    uint64_t ticket;
    union {
        struct {                  /* TASK_DONE, TASK_FAILED, TASK_SKIPPED; WORKER_LOST: handle */
            uint64_t duration_ns; /* of one step, the mean when steps is over 1 */
            uint32_t steps;       /* how many steps of the chain, at least 1 */
            uint32_t handle; /* the shell's mark for what came with the answer, back in KEEP_... */
            const dw_added_t *added; /* TASK_ADDED */
        };
        struct {                     /* RUN_SUBMITTED */
            const uint32_t *outputs; /* requested nodes; borrowed during the step */
            uint32_t outputs_count;  /* 0: all nodes run and all outputs are kept */
            /* when it fails if it has not ended, by the clock of the steps; 0: never */
            int64_t deadline_ns;
        };
        struct { /* WORKER_JOINED, LANES_UNSERVED */
            uint32_t lane;
            uint32_t credit; /* how many tasks it takes at one time, at least 1 */
            /* A bit for each of the first 64. WORKER_JOINED: where nodes make demands all that it
             * serves; 0: lane alone. LANES_UNSERVED: see there. */
            uint64_t lanes;
        };
        uint32_t node; /* NODE_CANCELLED */
    };
} dw_event_t;

typedef enum dw_command_type_t {
    DW_SEND_TASK, /* worker, ticket, run, node, steps, source, attempt */
    /* worker, ticket, steps: nobody waits for what is behind so many of its steps, counted from the
     * first that it was sent (0: for any of it) */
    DW_CANCEL_TASK,
    /* run, node, steps, attempt, handle: the outputs of steps nodes along the chain; handle's are
     * the shell's to drop when no KEEP_ comes in the step that was told of it */
    DW_KEEP_OUTPUT,
    /* run, node, code, handle (DW_NONE: the scheduler's own: a timeout, a loss), of_run */
    DW_KEEP_ERROR,
    /* run, node, attempt, worker, handle: a worker was lost with it, of which handle is the shell's
     * mark */
    DW_KEEP_DEATH,
    DW_DROP_OUTPUT, /* run, node: nobody will read its output any more */
    DW_FINISH_RUN,  /* run, status: read its nodes, then call dw_scheduler_forget */
    /* worker, node: it is stuck in there; it is absent until another WORKER_JOINED */
    DW_REPLACE_WORKER,
    /* run, node, place, handle, attempt: node of run is a graph now, which is run in place;
     * handle's is its input, the shell's to keep as long as it is */
    DW_BEGIN_ADDED,
    /* run, node, place, source, status: the graph in place has ended, and with it node of run; as
     * dw_node_status_t says: done, source's output is node's; failed, source's error is; skipped;
     * or cancelled with the run. Place is free. */
    DW_END_ADDED,
} dw_command_type_t;

typedef struct dw_command_t {
    uint8_t type;
    uint8_t status;   /* FINISH_RUN: dw_run_status_t; END_ADDED: dw_node_status_t */
    uint16_t attempt; /* from 1 */
    uint32_t run, node, worker;
    union {
        uint32_t steps;
        uint32_t place; /* BEGIN_ADDED, END_ADDED: of the graph that was added */
    };
    uint32_t source; /* whose output is the payload: a node, or DW_RUN_INPUT */
    uint32_t handle;
    uint16_t code;    /* KEEP_ERROR */
    bool is_unserved; /* KEEP_ERROR: nobody serves the node's lane, and is not to be waited for */
    bool of_run;      /* KEEP_ERROR: the time that is over was the run's, not the node's own */
    /* KEEP_ERROR with 413: a graph is added to what was added too often; else it is too large */
    bool is_too_deep;
    uint64_t ticket; /* SEND_TASK: greater by 1 than that worker index's ticket before it */
} dw_command_t;

typedef struct dw_commands_t {
    dw_command_t *items;
    size_t count, size;
} dw_commands_t;

typedef struct dw_scheduler_options_t {
    uint32_t runs_max;
    uint32_t workers_max;
    /* workers beyond the plan's may join: max_concurrency alone says how many may be busy */
    bool is_open;
    /* how long a worker whose task timed out or was cancelled has to answer before it is stuck; 0:
     * 100 ms, which is what recordings mean by it */
    int64_t grace_ns;
    uint64_t seed; /* of the jitter */
    /* as recordings of version 1 have it: what was added comes before all else of its run, whatever
     * the rank of its node is, and of that what got ready last */
    bool added_first;
} dw_scheduler_options_t;

/* What the scheduler counts since it was made. */
typedef struct dw_scheduler_counts_t {
    uint64_t runs_submitted, runs_ok, runs_partial, runs_failed, runs_cancelled;
    uint64_t tasks_sent, steps_done, attempts_failed, retries, timeouts, losses, returned;
    uint64_t deadlines; /* runs that were not over at theirs */
    /* late, repeated, forged: not with the ticket expected, or nobody waits any more */
    uint64_t answers_ignored;
    uint64_t workers_replaced;
} dw_scheduler_counts_t;

/* plan is borrowed for the scheduler's life. Errors: DW_ENOMEM. */
int dw_scheduler_new (dw_scheduler_t **self_p, const dw_plan_t *plan,
                      const dw_scheduler_options_t *options);
void dw_scheduler_destroy (dw_scheduler_t **self_p);

/* Takes in what happened up to now_ns (any clock that never goes back) and appends the commands
 * that follow, in the order in which they are to be carried out. Without events it only looks at
 * what time has done.
 *
 * Events are facts from outside and may be wrong in every way but these, which the shell knows for
 * itself: run and worker indices are below their maximum, a submitted run is free, a joining worker
 * is absent. Every answer is checked: one for a ticket that is not the first unanswered of its
 * worker, or for a step of it that is not the next, is counted and ignored; one that claims more
 * steps than were sent is a failure 502.
 *
 * Errors: DW_ENOMEM a queue could not grow: the scheduler is no longer usable. (A run that cannot
 * be held is not that: it finishes at once as failed, its nodes cancelled.) */
int dw_scheduler_step (dw_scheduler_t *self, int64_t now_ns, const dw_event_t *events,
                       size_t events_count, dw_commands_t *commands);

/* Own work. In a pool the shell's thread may be a worker, too (WORKER_JOINED with local). No step
 * sends it a task; instead dw_scheduler_work calls run_task for one ready task after another that
 * this thread may run, until there is none or run_task returns false. It is as if a step had sent
 * each task and the next one had heard its answer, but that an output is already where it stays: no
 * KEEP_OUTPUT tells of it. Appends the commands that follow; the time is that of the last step. */
typedef struct dw_own_task_t {
    uint32_t run, node, steps, source; /* as in SEND_TASK */
    uint16_t attempt;
    uint32_t ahead; /* a node that comes soon, or DW_NONE: to fetch ahead what belongs to it */
    /* To be set by run_task. */
    uint16_t code;   /* of the step after those done, which failed; 0: none did */
    uint32_t done;   /* steps; fewer than there are and no code: the others are given back */
    uint32_t handle; /* of the error */
    /* the step after those done ended its branch (false when run_task is called) */
    bool is_skipped;
} dw_own_task_t;

typedef bool (dw_own_run_fn) (void *arg, dw_own_task_t *task);

/* How long the shell goes on before it looks at its sockets: 10 us, or up to 50 us while nobody
 * waits for it, because actors have enough to do or tasks are too small for them. */
int64_t dw_scheduler_stretch_ns (const dw_scheduler_t *self);

/* Errors: as dw_scheduler_step. */
int dw_scheduler_work (dw_scheduler_t *self, dw_own_run_fn *run_task, void *arg,
                       dw_commands_t *commands);
/* Whether there is a task for it. */
bool dw_scheduler_has_own (const dw_scheduler_t *self);
/* How long the steps took that ran since this was last called: steps much shorter than a look at
 * the clock are timed together. To be called by run_task, or after dw_scheduler_work. */
void dw_scheduler_timed (dw_scheduler_t *self, uint32_t steps, uint64_t ns);

/* When to step again though nothing happens; INT64_MAX: no need. */
int64_t dw_scheduler_deadline_ns (const dw_scheduler_t *self);

/* For how long from the last step on nothing that happens has to be taken in at once, as all actors
 * of a pool have work before them that takes longer; 0: it has to. What comes meanwhile is taken in
 * together, which saves waking the shell's thread for every answer, on a CPU that an actor is
 * using. */
int64_t dw_scheduler_calm_ns (const dw_scheduler_t *self);

/* The nodes of a run, from RUN_SUBMITTED until dw_scheduler_forget. */
typedef enum dw_node_state_t {
    DW_STATE_WAITING,
    DW_STATE_READY,
    DW_STATE_SENT,
    DW_STATE_BACKOFF,
    DW_STATE_ADDED, /* it is a graph that was added */
    DW_STATE_DONE,
    DW_STATE_FAILED,
    DW_STATE_SKIPPED,
    DW_STATE_CANCELLED,
    DW_STATE_NOT_REQUESTED,
    DW_STATE_LEFT_OUT,
} dw_node_state_t;
dw_node_state_t dw_scheduler_node_state (const dw_scheduler_t *self, uint32_t run, uint32_t node);
unsigned dw_scheduler_node_attempts (const dw_scheduler_t *self, uint32_t run, uint32_t node);
/* Whether node was asked for by the run's outputs (or, when it names none, every node). */
bool dw_scheduler_node_requested (const dw_scheduler_t *self, uint32_t run, uint32_t node);
/* Whether every node is done, so that a reader need not look; false also where nobody has counted:
 * when outputs were named, or a node was cancelled. */
bool dw_scheduler_all_done (const dw_scheduler_t *self, uint32_t run);
/* Nodes of a run that are wanted and not final, and tasks of it that workers hold; 0 of one that is
 * not live. */
uint32_t dw_scheduler_unfinished_count (const dw_scheduler_t *self, uint32_t run, uint32_t *sent_p);
/* The first causes of a node that was skipped or cancelled: its failed ancestors by rank (under
 * fail_fast, when it has none, all failed nodes), of one that was left out those that ended their
 * branch, at most DW_CAUSES_MAX. For all nodes of a finished run at once: told calls of (node,
 * causes, count) by rank. Takes O(nodes + edges).
 * Errors: DW_ENOMEM. */
#define DW_CAUSES_MAX 16
int dw_scheduler_causes (const dw_scheduler_t *self, uint32_t run,
                         void (*tell) (void *arg, uint32_t node, const uint32_t *causes,
                                       uint32_t causes_count),
                         void *arg);
/* The run and node that an answer is for, of a task that worker holds and of which told steps have
 * been answered for, also in answers that are yet to be taken in; false: there is no such task that
 * somebody waits for. Takes O(told). */
bool dw_scheduler_task_at (const dw_scheduler_t *self, uint32_t worker, uint64_t ticket,
                           uint32_t told, uint32_t *run_p, uint32_t *node_p);
/* How many steps that answer may tell of; 0: there is no such task that somebody waits for. */
uint32_t dw_scheduler_steps_at (const dw_scheduler_t *self, uint32_t worker, uint64_t ticket,
                                uint32_t told);
/* Of what runs in place: the run that it was added to, and the node of that which it is part of. A
 * run itself is in its own place. */
uint32_t dw_scheduler_root (const dw_scheduler_t *self, uint32_t place, uint32_t *node_p);
/* Ends the life of a finished run: its index is free again. */
void dw_scheduler_forget (dw_scheduler_t *self, uint32_t run);

dw_scheduler_counts_t dw_scheduler_counts (const dw_scheduler_t *self);
/* Tasks that a worker holds unanswered, and whether any lane has ready tasks (a simulator's and a
 * shell's questions). */
uint32_t dw_scheduler_unanswered_count (const dw_scheduler_t *self, uint32_t worker);
uint32_t dw_scheduler_ready_count (const dw_scheduler_t *self);
/* How many workers serve a lane. */
uint32_t dw_scheduler_lane_workers_count (const dw_scheduler_t *self, uint32_t lane);
/* How many tasks of a lane are ready, of all runs. */
uint32_t dw_scheduler_lane_ready_count (const dw_scheduler_t *self, uint32_t lane);
/* How many workers hold tasks. */
uint32_t dw_scheduler_active_count (const dw_scheduler_t *self);
/* The first node of a run that is ready and that no worker is there for: a shell's question, when
 * nothing goes on. DW_NONE: there is none. */
uint32_t dw_scheduler_unserved_node (const dw_scheduler_t *self, uint32_t run);
/* How many tasks a worker that has joined may hold. */
uint32_t dw_scheduler_worker_credit (const dw_scheduler_t *self, uint32_t worker);
/* The ticket of the first task that a worker holds unanswered, and when that became the first, or
 * was answered for in part, or given up. When it holds none the ticket is that of the next one that
 * it is sent. */
uint64_t dw_scheduler_worker_ticket (const dw_scheduler_t *self, uint32_t worker);
int64_t dw_scheduler_worker_since_ns (const dw_scheduler_t *self, uint32_t worker);
/* The node that worker is on, DW_NONE when it holds no task; *run_p its run, DW_NONE when nobody
 * waits for its answer any more. Of what was added it is the node of the plan that this is part of,
 * and its run. */
uint32_t dw_scheduler_worker_node (const dw_scheduler_t *self, uint32_t worker, uint32_t *run_p);
/* An event of a worker comes soon: what is known of it is fetched into the cache. When that has come,
 * what is known of the run whose task it is at, which is given: the place, DW_NONE when it is at none.
 * And when that has come its node, which is given, in that place. */
void dw_scheduler_prefetch (const dw_scheduler_t *self, uint32_t worker);
uint32_t dw_scheduler_prefetch_run (const dw_scheduler_t *self, uint32_t worker);
uint32_t dw_scheduler_prefetch_node (const dw_scheduler_t *self, uint32_t worker, uint32_t place);

#endif
