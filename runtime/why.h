/* why.h - one run of a recording, explained: when each node was ready, sent, run and heard of, and
 * what for.
 *
 * Follows a replay (replay.h) and keeps of one run what happened to each of its nodes. Nothing of
 * that is recorded as such: it follows from the events, the commands and the plan. What a worker
 * does between a task's coming and its answer is not seen from the coordinator; it is told how long
 * the task ran, and a worker's tasks run one after another, so: a task begins when it was sent, or
 * when the one before it on that worker was through, and what is left of its time until its answer
 * was heard is put down to messages (the way there, the wake-up, the way back, and answers that
 * waited for others).
 *
 * For every node that ran the parts add up to the time from the run's submission to its end, and
 * along the critical path to the duration of the run. One thread at a time. */

#ifndef DW_WHY_H
#define DW_WHY_H

#include "runtime/replay.h"

typedef enum dw_why_part_t {
    /* something that it depends on had not ended (or, level by level, its level not begun) */
    DW_WHY_DEPENDENCIES,
    DW_WHY_WORKER, /* ready, and nobody free to run it; or behind another task of its worker */
    DW_WHY_RUNNING,
    DW_WHY_RETRY,    /* its next attempt was put off */
    DW_WHY_MESSAGES, /* tasks and answers on their way */
    DW_WHY_ADDED,    /* running what it added */
    DW_WHY_END,      /* from what ended last until the run did: it was cancelled, say */
    DW_WHY_PARTS
} dw_why_part_t;

typedef enum dw_outcome_t {
    DW_OUTCOME_OPEN, /* the recording ends before it does */
    DW_OUTCOME_DONE,
    DW_OUTCOME_FAILED, /* code */
    DW_OUTCOME_TIMED_OUT,
    DW_OUTCOME_LOST, /* its worker went down */
    DW_OUTCOME_BACK, /* it was taken or given back before it had begun, and counts as no attempt */
    DW_OUTCOME_CANCELLED, /* nobody waited for it any more */
    DW_OUTCOME_SKIPPED,   /* it ended its branch */
    DW_OUTCOME_ADDED,     /* it became a graph, that ran until heard_ns */
} dw_outcome_t;

/* Times are those of the recording, in ns. */
typedef struct dw_attempt_t {
    uint32_t node, next; /* of the same node; DW_NONE: none */
    uint32_t worker;
    /* the first node of the task that it was a step of: itself when it was sent for itself */
    uint32_t head;
    bool is_own; /* the coordinator's own thread ran it */
    dw_outcome_t outcome;
    uint16_t code;
    int64_t ready_ns, sent_ns, begun_ns, ended_ns, heard_ns; /* in this order */
    bool is_graph;    /* ADDED: the scheduler has taken the graph */
    int64_t added_ns; /* of heard_ns: for how long what it added ran */
} dw_attempt_t;

typedef struct dw_why_node_t {
    dw_node_state_t state;
    bool was_ready;
    bool is_unserved;     /* it failed because nobody who was there could run it */
    bool is_out_of_time;  /* it failed because the run's time was over */
    bool is_put_off;      /* its next attempt waits for its time, */
    int64_t again_ns;     /* or has been ready since this one; -1: there is none */
    uint32_t first, last; /* attempts; DW_NONE: none */
    /* the dependency (or level by level, any node) that it waited for longest; DW_NONE: none */
    uint32_t released_by;
    int64_t ready_ns;                 /* the first time */
    int64_t final_ns;                 /* when it was heard of for the last time; -1: it never ran */
    uint32_t causes_at, causes_count; /* of one skipped or cancelled: into causes */
    /* of one cancelled while its run went on: the node that somebody asked to cancel; DW_NONE */
    uint32_t cut_with;
    uint32_t cut_mark; /* the last such node that it is or depends on */
} dw_why_node_t;

typedef struct dw_why_t {
    const dw_plan_t *plan;
    const dw_scheduler_t *scheduler;
    uint64_t run; /* which one is followed */
    uint32_t place;
    bool was_submitted, has_ended;
    bool has_begun;     /* the scheduler has it: the record that it was submitted with is over */
    bool was_cancelled; /* somebody asked for that */
    dw_run_status_t status;
    int64_t submitted_ns, ended_ns;
    int64_t now_ns; /* the greatest time told so far: none is taken to go back */
    dw_why_node_t *nodes;
    dw_attempt_t *attempts;
    uint32_t attempts_count, attempts_size;
    uint32_t *causes;
    uint32_t causes_count, causes_size;
    uint32_t present, present_max; /* workers, the coordinator's thread among them */
    uint32_t threads_max;          /* that may run tasks at one time, whoever is there */
    int64_t *free_ns;              /* by worker: when what it was at was through */
    uint32_t free_size;
    char **places; /* by worker: where it is, in words; NULL: here */
    uint32_t places_size;
    uint32_t *level_last; /* by level: the node that ended last so far; DW_NONE: none */
    uint32_t *touched;    /* nodes whose state is to be looked at when the record is over */
    uint32_t touched_count, touched_size;
    bool no_memory;
} dw_why_t;

/* Follows run (from 1) of a replay that has not begun, which is borrowed. Errors: DW_ENOMEM. */
int dw_why_begin (dw_why_t *self, const dw_replay_t *replay, uint64_t run);
void dw_why_free (dw_why_t *self);
/* To be given to dw_replay_next. When no_memory is set afterwards, nothing of self is to be
 * believed. */
dw_watch_t dw_why_watch (dw_why_t *self);

/* The replay is over: where the run is not, it is looked at as it then was. */
void dw_why_end (dw_why_t *self, int64_t now_ns);

/* ---- When it has ended ------------------------------------------------------------------------ */

/* Adds a node's parts to parts, DW_WHY_PARTS of them, in ns: together the time from the run's
 * submission to its end. A node that never ran has none. */
void dw_why_parts (const dw_why_t *self, uint32_t index, int64_t *parts);
/* The node that ended last of those that ran; DW_NONE: none ran. Then released_by, from each to the
 * one that it waited for, is the critical path. */
uint32_t dw_why_last (const dw_why_t *self);
/* Adds what the critical path's time went into: together the run's duration. A node's part of it
 * begins when it was released. */
void dw_why_path_parts (const dw_why_t *self, int64_t *parts);
/* The same for one node: all of its parts but DW_WHY_DEPENDENCIES. */
void dw_why_own_parts (const dw_why_t *self, uint32_t index, int64_t *parts);
/* Whether node is on the critical path. */
bool dw_why_is_critical (const dw_why_t *self, uint32_t node);

/* How fast it could have been, by how long its nodes ran. */
typedef struct dw_why_best_t {
    int64_t path_ns; /* the longest path of running times */
    int64_t work_ns; /* all running time */
    uint32_t threads;
    int64_t bound_ns; /* the greater of path_ns and work_ns / threads */
} dw_why_best_t;

/* Errors: DW_ENOMEM. */
int dw_why_best (const dw_why_t *self, dw_why_best_t *best);

#endif
