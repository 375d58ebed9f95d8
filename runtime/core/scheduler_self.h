/* scheduler_self.h - the scheduler from the inside: its state, and what its files give each other.
 *
 *     scheduler.c            the step; made and asked
 *     scheduler_runs.c       how a node gets ready, what an attempt comes to, how a run ends
 *     scheduler_cancel.c     how a part of a run is cancelled
 *     scheduler_workers.c    what workers hold, what their answers do, what time does
 *     scheduler_added.c      graphs that nodes add to their runs
 *     scheduler_lanes.c      who serves a lane
 *     scheduler_entries.c    which runs have something ready in a lane, and in which order that is taken
 *     scheduler_dispatch.c   how ready tasks are given to workers
 *     scheduler_own.c        the shell's own work */

#ifndef DW_SCHEDULER_SELF_H
#define DW_SCHEDULER_SELF_H

#include <assert.h>

#include "runtime/core/run.h"
#include "runtime/core/timers.h"

/* How much work, by measured time, travels at a time when there is little (scheduler_dispatch.c
 * says how much when there is more). A wake-up costs some 50 us on the machines that this was
 * measured on, so a message is worth as much. docs/DECISIONS.md has the measurements. */
#define DW_MESSAGE_NS 50000u
/* What waits behind a task for longer is late and goes to somebody else; for each time that this
 * was in vain, the worker is given twice as long, up to the maximum. */
#define DW_LATE_NS     1000000u
#define DW_LATE_NS_MAX 1000000000u
/* Two looks in a row that find longer calls end a processor's being brief. */
#define DW_BRIEF_NS_MAX 200000u

/* A task that a worker holds: steps nodes along a chain from node on. */
typedef struct dw_held_task_t {
    uint32_t run; /* DW_NONE: nobody waits for its answer any more */
    uint32_t node;
    uint32_t shown; /* the same, or of what was added the node of the plan that it is part of */
    uint32_t steps;
    uint32_t cut;  /* so many more it was sent, which were cancelled */
    uint32_t done; /* steps that were answered for, before node */
    bool was_late; /* it was taken back: somebody else has it */
    bool is_alone; /* nothing is put behind it (scheduler_dispatch.c says what) */
    uint32_t estimate_ns;
} dw_held_task_t;

/* The lanes of a worker that serves several. */
typedef struct dw_several_t {
    uint64_t lanes;    /* a bit each */
    uint32_t places[]; /* in the list of each */
} dw_several_t;

/* There may be very many of them, so what few need lies elsewhere. */
typedef struct dw_worker_state_t {
    bool present : 1, local : 1;
    /* its first task was given up, or is late: nothing new until it has answered */
    bool suspect : 1;
    bool emptied : 1;      /* all behind its first task was given up, too */
    uint8_t tasks_bits;    /* of the size of tasks, which is a power of two */
    uint32_t late_ns;      /* what waits behind its first task for longer is late */
    uint32_t lane;         /* the first that it serves */
    uint32_t place;        /* in the list of its lane, if that is all */
    dw_several_t *several; /* NULL: that is all */
    int64_t timer_ns;      /* its timer in the heap that counts; INT64_MAX: none */
    dw_held_task_t *tasks; /* a ring, by ticket: */
    dw_held_task_t task;   /* this one while it has held no more at a time */
    uint64_t first;        /* ticket that is unanswered, */
    uint32_t held;         /* and how many are */
    uint32_t credit;       /* at most */
    uint32_t filled;       /* the step in which it was last given tasks, */
    uint32_t answered;     /* and in which it answered, and goes on with the next: lower halves */
    uint64_t estimate_ns;  /* of all that it holds */
    int64_t since_ns;      /* when the first unanswered task became that, or was given up */
} dw_worker_state_t;

/* A run with ready nodes in a lane. The serial tells whether it is still that run. */
typedef struct dw_lane_entry_t {
    uint32_t run, serial;
} dw_lane_entry_t;

typedef struct dw_lane_t {
    dw_lane_entry_t *entries; /* a ring of runs (scheduler_entries.c says in which order) */
    uint32_t entries_size, entries_head, entries_count;
    uint32_t ready_count; /* tasks, of all runs */
    /* Who serves it. Asked from the last one on: first those that serve fewest lanes, so that the
     * others are left for what these cannot do, and of these who came last. DW_NONE: a hole
     * (scheduler_lanes.c). */
    uint32_t *workers;
    uint32_t workers_count; /* without the holes, */
    uint32_t end, size;     /* with them; places that there are */
    dw_bits_t idle;         /* those that hold no task: size - 1 - place */
    void *idle_memory;
    uint64_t mean_ns;  /* moving mean of a task's time; 0: none measured */
    uint64_t share_ns; /* a worker's share of its work, */
    uint64_t shared;   /* as it was in this step */
    uint64_t held_ns;  /* what those who share it have before them, */
    uint32_t sharers;
    uint64_t looked;   /* as it was in this step, */
    int64_t looked_ns; /* and at this time */
    bool is_pending;
} dw_lane_t;

/* What is known of the nodes with one processor. */
typedef struct dw_kind_t {
    uint64_t mean_ns; /* of one step; 0: none measured */
    uint64_t last_ns; /* measured last */
    bool is_slow;     /* not to be run by the coordinator's thread again */
    bool is_timed;    /* ran in the shell's thread since that looked at the clock */
} dw_kind_t;

struct dw_scheduler_t {
    const dw_plan_t *plan;
    dw_scheduler_options_t options;
    dw_run_t *runs; /* as many places as were ever needed, doubled */
    uint32_t runs_size;
    dw_run_node_t *template;
    dw_worker_state_t *workers;
    dw_lane_t *lanes;
    dw_kind_t *kinds;
    dw_timers_t timers;
    dw_bits_t pending;      /* lanes with ready tasks, by priority; ... */
    uint32_t *pending_ring; /* ... or in order of arrival (reactive); NULL: by priority */
    uint32_t pending_head, pending_count;
    void *pending_memory;
    bool has_retries;
    bool has_slow_kinds;
    bool no_memory;        /* a queue could not grow */
    uint32_t local_worker; /* DW_NONE: none */
    uint64_t own_timed;    /* its ticket when it was timed last */
    uint32_t own_untimed;  /* steps that are known to have run since then */
    uint32_t own_node;     /* of the task under way, the first step that is not known to have run */
    uint32_t own_noted;    /* how many are */
    uint32_t *timed_kinds; /* that ran since then */
    uint32_t timed_count;
    uint64_t unserved; /* lanes where what gets ready fails, a bit each */
    uint32_t concurrency_max;
    uint32_t active_count; /* workers that hold tasks */
    /* When there was a backlog last, and how long by then, with short pauses. */
    int64_t backlog_ns, backlog_lasted_ns;
    uint32_t *answered; /* those that answered in this step, and go on with their next task */
    uint32_t answered_count, answered_size;
    uint32_t ready_count;
    uint32_t serial;
    int64_t now_ns;
    uint64_t steps_count;
    dw_commands_t *commands; /* of the step under way */
    dw_scheduler_counts_t counts;
};

/* ---- Commands, tasks, kinds ------------------------------------------------------------------- */

/* Room for more commands; false: the step fails as a whole. */
bool dw_scheduler_grow_commands (dw_scheduler_t *self);

/* A new command, all zeros but its type; NULL: no memory. */
static inline dw_command_t *dw_scheduler_command (dw_scheduler_t *self, dw_command_type_t type) {
    dw_commands_t *commands = self->commands;
    if (commands->count == commands->size && !dw_scheduler_grow_commands (self))
        return NULL;
    dw_command_t *command = &commands->items[commands->count++];
    *command = (dw_command_t){.type = (uint8_t) type};
    return command;
}

/* The ticket that a worker's next task gets: behind all that are unanswered. */
static inline uint64_t dw_scheduler_next (const dw_worker_state_t *worker) {
    return worker->first + worker->held;
}

static inline dw_held_task_t *dw_scheduler_task (const dw_worker_state_t *worker, uint64_t ticket) {
    return &worker->tasks[ticket & ((1u << worker->tasks_bits) - 1)];
}

/* What is known of a node of the plan, and of one of a run, which may be what was added. */
static inline dw_kind_t *dw_scheduler_kind (const dw_scheduler_t *self, uint32_t node) {
    return &self->kinds[self->plan->kind[node]];
}

static inline dw_kind_t *dw_scheduler_run_kind (const dw_scheduler_t *self, const dw_run_t *run,
                                                uint32_t node) {
    uint32_t kind = run->plan->kind[node];
    return &self->kinds[run->added ? run->added->kinds[kind] : kind];
}

/* The policy of failing attempts at a node. */
static inline const dw_policy_t *dw_run_policy (const dw_run_t *run, uint32_t node) {
    return &run->plan->policies[run->plan->policy[node]];
}

/* The node of the plan that a run's node is, or is part of. */
static inline uint32_t dw_run_shown (const dw_run_t *run, uint32_t node) {
    return run->added ? run->root_node : node;
}

/* ---- Lanes of a worker ------------------------------------------------------------------------ */

/* Those that it serves, a bit each; 0: its one lane is all. */
static inline uint64_t dw_scheduler_several (const dw_worker_state_t *worker) {
    return worker->several ? worker->several->lanes : 0;
}

/* The lane that comes next behind lane among those that a worker serves; DW_NONE: none does. */
static inline uint32_t dw_scheduler_lane_behind (const dw_worker_state_t *worker, uint32_t lane) {
    uint64_t lanes = dw_scheduler_several (worker), behind = lane < 63 ? lanes >> (lane + 1) : 0;
    return behind ? lane + 1 + (uint32_t) __builtin_ctzll (behind) : DW_NONE;
}

/* How many lanes are in a set; 1: none are, where one alone is no set. */
static inline uint32_t dw_scheduler_lanes_count (uint64_t lanes) {
    uint32_t count = 1;
    for (uint64_t more = lanes; more & (more - 1); more &= more - 1)
        count++;
    return count;
}

static inline bool dw_scheduler_serves (const dw_worker_state_t *worker, uint32_t lane) {
    return worker->present &&
           (worker->several ? worker->several->lanes >> lane & 1 : worker->lane == lane);
}

/* All that was added is in the lane of the node that added it, whatever its own plan says. */
static inline uint32_t dw_run_lane (const dw_run_t *run, uint32_t node) {
    return run->added ? run->lane : run->plan->lane[node];
}

static inline uint32_t dw_run_ready_lane (const dw_run_t *run, uint32_t lane) {
    return run->added ? 0 : lane;
}

static inline uint32_t dw_run_ready_count (const dw_run_t *run, uint32_t lane) {
    return run->added && run->lane != lane
               ? 0
               : dw_ready_count (&run->ready, dw_run_ready_lane (run, lane));
}

static inline uint32_t dw_run_ready_first (const dw_run_t *run, uint32_t lane) {
    return dw_ready_first (&run->ready, dw_run_ready_lane (run, lane));
}

/* The lane of a run's node that a worker has run. */
static inline dw_lane_t *dw_scheduler_lane_of (const dw_scheduler_t *self,
                                               const dw_worker_state_t *worker, const dw_run_t *run,
                                               uint32_t node) {
    return &self->lanes[worker->several ? dw_run_lane (run, node) : worker->lane];
}

/* When what waits behind a worker's first task is late. In a backlog its answer may be among what was
 * not taken in; then as much time is given again as that has lasted, so that each worker is looked
 * at a few times in it and not all the time. But whoever can keep a backlog up holds nothing up for
 * longer than DW_LATE_NS_MAX. */
static inline int64_t dw_scheduler_late_ns (const dw_scheduler_t *self,
                                            const dw_worker_state_t *worker) {
    int64_t from_ns = worker->since_ns;
    if (from_ns <= self->backlog_ns) {
        from_ns = self->backlog_ns + self->backlog_lasted_ns;
        if (from_ns > worker->since_ns + DW_LATE_NS_MAX)
            from_ns = worker->since_ns + DW_LATE_NS_MAX;
    }
    return from_ns + worker->late_ns;
}

/* Whether somebody else serves a lane of a worker: who could take what waits there. */
static inline bool dw_scheduler_has_company (const dw_scheduler_t *self,
                                             const dw_worker_state_t *worker) {
    for (uint32_t lane = worker->lane; lane != DW_NONE;
         lane = dw_scheduler_lane_behind (worker, lane))
        if (self->lanes[lane].workers_count > 1)
            return true;
    return false;
}

/* ---- Runs ------------------------------------------------------------------------------------- */

/* Whether an entry's run has not ended. */
static inline bool dw_scheduler_is_live (const dw_scheduler_t *self, dw_lane_entry_t entry) {
    const dw_run_t *run = &self->runs[entry.run];
    return run->life == DW_RUN_LIVE && run->serial == entry.serial;
}

static inline void dw_scheduler_lane_drop_first (dw_lane_t *lane) {
    lane->entries_head = (lane->entries_head + 1) & (lane->entries_size - 1);
    lane->entries_count--;
}

/* The first run in a lane that has ready tasks; entries of runs that have ended are dropped. */
static inline uint32_t dw_scheduler_lane_first (const dw_scheduler_t *self, dw_lane_t *lane) {
    for (;;) {
        assert (lane->entries_count > 0); /* ready_count said that there is one */
        dw_lane_entry_t entry = lane->entries[lane->entries_head];
        if (dw_scheduler_is_live (self, entry))
            return entry.run;
        dw_scheduler_lane_drop_first (lane);
    }
}

/* The node that is next in a lane that has ready ones. */
static inline uint32_t dw_scheduler_first_ready (const dw_scheduler_t *self, uint32_t lane_index) {
    uint32_t run = dw_scheduler_lane_first (self, &self->lanes[lane_index]);
    return dw_run_ready_first (&self->runs[run], lane_index);
}

/* A run has something ready in a lane, where it had nothing, and nothing any more. */
void dw_scheduler_enter_lane (dw_scheduler_t *self, dw_lane_t *lane, uint32_t run_index);
void dw_scheduler_leave_lane (dw_scheduler_t *self, dw_lane_t *lane, uint32_t run_index);
/* It has another first ready node there, which matters where it, or what it was added to, has
 * grown. */
void dw_scheduler_settle_in_lane (dw_scheduler_t *self, dw_lane_t *lane, uint32_t run_index);

/* Takes node out of what is ready: the first of the first run of lane. */
static inline void dw_scheduler_unready (dw_scheduler_t *self, dw_lane_t *lane, dw_run_t *run,
                                         uint32_t node) {
    uint32_t lane_index = (uint32_t) (lane - self->lanes);
    dw_ready_take (&run->ready, dw_run_ready_lane (run, lane_index), node);
    if (dw_run_ready_count (run, lane_index) == 0)
        dw_scheduler_lane_drop_first (lane);
    else if (self->runs[run->root].added_count > 0)
        dw_scheduler_settle_in_lane (self, lane, (uint32_t) (run - self->runs));
    lane->ready_count--;
    self->ready_count--;
}

void dw_scheduler_make_ready (dw_scheduler_t *self, uint32_t run_index, uint32_t node);
/* Takes any node out of what is ready. Takes O(what is ready). */
void dw_scheduler_take_ready (dw_scheduler_t *self, uint32_t run_index, uint32_t node);
/* node has become final: what counts unfinished nodes counts it out. */
void dw_scheduler_count_out (dw_scheduler_t *self, uint32_t run_index, uint32_t node);
/* Level strategy: while the open level has no unfinished node, opens the next. */
void dw_scheduler_open_levels (dw_scheduler_t *self, uint32_t run_index);
/* A run that has no unfinished node has come to its end. */
void dw_scheduler_finish_if_over (dw_scheduler_t *self, uint32_t run_index);
/* steps nodes of a chain are done; returns the next node of the chain, or DW_NONE. Only the last
 * one can have dependents outside of the chain. */
uint32_t dw_scheduler_steps_done (dw_scheduler_t *self, uint32_t run_index, uint32_t node,
                                  uint32_t steps);
/* The command, of which the caller may say more; NULL: no memory. */
dw_command_t *dw_scheduler_keep_error (dw_scheduler_t *self, uint32_t run, uint32_t node,
                                       uint16_t code, uint32_t handle);
/* node has failed for good: the failure policy. */
void dw_scheduler_node_failed (dw_scheduler_t *self, uint32_t run_index, uint32_t node);
/* Its processor has ended the branch of node. */
void dw_scheduler_node_left_out (dw_scheduler_t *self, uint32_t run_index, uint32_t node);
/* One attempt has failed: it is retried, or the node has failed. */
void dw_scheduler_attempt_failed (dw_scheduler_t *self, uint32_t run_index, uint32_t node,
                                  uint16_t code, uint32_t handle);
static inline bool dw_scheduler_is_unserved (const dw_scheduler_t *self, uint32_t lane) {
    return lane < 64 && (self->unserved >> lane & 1);
}
/* Nobody serves the lane of node, which has failed. */
void dw_scheduler_node_unserved (dw_scheduler_t *self, uint32_t run_index, uint32_t node);
/* Makes the place of a run exist; false: no memory. */
bool dw_scheduler_grow_runs (dw_scheduler_t *self, uint32_t run);
/* What can run of a run that has begun gets ready. */
void dw_scheduler_start_run (dw_scheduler_t *self, uint32_t run_index);
/* Whether the ready nodes of a run that begins are taken in order of arrival. */
bool dw_scheduler_is_in_order (const dw_scheduler_t *self);
/* What workers hold of a run is given up, and nothing of it is ready any more. */
void dw_scheduler_recall_run (dw_scheduler_t *self, uint32_t run_index);
/* node, whose graph has come to its output, is done. */
void dw_scheduler_node_done (dw_scheduler_t *self, uint32_t run_index, uint32_t node);
void dw_scheduler_on_run_submitted (dw_scheduler_t *self, const dw_event_t *event);
void dw_scheduler_on_run_cancelled (dw_scheduler_t *self, const dw_event_t *event);
void dw_scheduler_on_node_cancelled (dw_scheduler_t *self, const dw_event_t *event);
/* A run has not ended in its time. */
void dw_scheduler_on_run_deadline (dw_scheduler_t *self, uint32_t run_index);

/* ---- What was added --------------------------------------------------------------------------- */

/* node of a run has become a graph. */
void dw_scheduler_node_added (dw_scheduler_t *self, uint32_t run_index, uint32_t node,
                              const dw_event_t *event);
/* What was added has no unfinished node: it has ended, and the node that it is. */
void dw_scheduler_end_added (dw_scheduler_t *self, uint32_t place);
/* fail_fast: a node of what was added has failed for good, and with it all that this is part of. */
void dw_scheduler_fail_outwards (dw_scheduler_t *self, uint32_t place, uint32_t node);
/* What was added in place ends before its time, whatever its node does. */
void dw_scheduler_drop_added_at (dw_scheduler_t *self, uint32_t place);
/* A run ends, and so does all that was added to it. */
void dw_scheduler_drop_added (dw_scheduler_t *self, uint32_t run_index);

/* ---- Who serves a lane ------------------------------------------------------------------------ */

/* A worker comes to the lanes that it serves, and goes. */
void dw_scheduler_join_lanes (dw_scheduler_t *self, uint32_t worker_index);
void dw_scheduler_leave_lanes (dw_scheduler_t *self, uint32_t worker_index);
/* It holds nothing any more, or does again. */
void dw_scheduler_mark_idle (dw_scheduler_t *self, uint32_t worker_index, bool is_idle);
/* The next of those that hold nothing, DW_NONE: there is none behind *at_p, which is 0 at first. */
static inline uint32_t dw_scheduler_next_idle (const dw_lane_t *lane, uint32_t *at_p) {
    uint32_t at = dw_bits_next (&lane->idle, *at_p);
    if (at == UINT32_MAX)
        return DW_NONE;
    *at_p = at + 1;
    return lane->workers[lane->size - 1 - at];
}

/* ---- Workers ---------------------------------------------------------------------------------- */

/* Sees to it that a worker's deadline is in the heap. A timer that comes too early is put back, so
 * there is no timer a task however fast they go by; one that would come too late is replaced. */
void dw_scheduler_watch (dw_scheduler_t *self, uint32_t worker_index);
/* More has arrived than the events of this step tell of. */
void dw_scheduler_on_backlog (dw_scheduler_t *self);
void dw_scheduler_give_up (dw_scheduler_t *self, uint32_t worker_index, uint64_t ticket);
void dw_scheduler_on_worker_joined (dw_scheduler_t *self, const dw_event_t *event);
/* A death is counted against the node that the worker was on, unless it left with a good-bye. */
void dw_scheduler_on_worker_lost (dw_scheduler_t *self, const dw_event_t *event);
void dw_scheduler_on_task_done (dw_scheduler_t *self, const dw_event_t *event);
void dw_scheduler_on_task_failed (dw_scheduler_t *self, const dw_event_t *event);
void dw_scheduler_on_task_returned (dw_scheduler_t *self, const dw_event_t *event);
void dw_scheduler_on_task_skipped (dw_scheduler_t *self, const dw_event_t *event);
void dw_scheduler_on_task_added (dw_scheduler_t *self, const dw_event_t *event);
void dw_scheduler_add_timer (dw_scheduler_t *self, dw_timer_t timer);
void dw_scheduler_on_timer (dw_scheduler_t *self, const dw_timer_t *timer);

/* The node that a task was at goes back to the queue, as if it had never been sent. */
void dw_scheduler_put_back (dw_scheduler_t *self, uint32_t run_index, uint32_t node);
/* Moves a mean an eighth of the way to a new value. What is far above it is mostly a thread that
 * lost its CPU for a while: it counts for four times the mean at most. */
uint64_t dw_scheduler_moved (uint64_t mean_ns, uint64_t new_ns);
static inline void dw_scheduler_learn (dw_kind_t *kind, uint64_t step_ns) {
    kind->last_ns = step_ns;
    kind->mean_ns = dw_scheduler_moved (kind->mean_ns, step_ns);
}

/* ---- Own work --------------------------------------------------------------------------------- */

/* Whether the shell's thread may run node, if no worker went down with it. */
static inline bool dw_scheduler_is_own (const dw_scheduler_t *self, uint32_t node) {
    return (self->plan->flags[node] & DW_NODE_BRIEF) && !dw_scheduler_kind (self, node)->is_slow;
}

/* ---- Dispatch --------------------------------------------------------------------------------- */

void dw_scheduler_pending_add (dw_scheduler_t *self, uint32_t lane);
void dw_scheduler_dispatch (dw_scheduler_t *self);

#endif
