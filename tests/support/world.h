/* world.h - a world of the simulator: what is in it, and what will happen in it.
 *
 * world.c draws it from its seed, crew.c are its workers, simulator.c is the shell between them and
 * the scheduler. */

#ifndef TESTS_WORLD_H
#define TESTS_WORLD_H

#include "tests/support/checker.h"
#include "tests/support/off.h"
#include "tests/support/simulator.h"

#define WORLD_NODES_MAX   16u
#define WORLD_WORKERS_MAX (WORLD_NODES_MAX + 1)
#define WORLD_RUNS_MAX    4u

/* Nanoseconds. */
#define WORLD_DELAY_MAX_NS 100000 /* of a message, ... */
#define WORLD_FAR_DELAY_MAX_NS \
    INT64_C (3000000000)             /* ... and in a world whose workers are far away */
#define WORLD_AGAIN_MAX_NS    100000 /* until what was lost on its way comes again */
#define WORLD_COALESCE_MAX_NS 50000  /* how long the shell lets events wait */
#define WORLD_WORK_MAX_NS     50000  /* of a step */
#define WORLD_LATE_MAX_NS     200000 /* of the shell, after a deadline */
#define WORLD_OWN_MAX_NS      50000  /* how long the shell's own work keeps it from the next step */
#define WORLD_SLOW_WORK_NS \
    300000 /* a call in the shell's thread that breaks the promise to be brief, as measured there */

/* What becomes of a node that is run: at first it takes workers down, then attempts at it fail,
 * then it succeeds. */
typedef enum outcome_t {
    OUTCOME_OK,
    OUTCOME_FAIL,
    OUTCOME_NONSENSE,
    OUTCOME_HANG,
    OUTCOME_DIE,
    OUTCOME_SKIP
} outcome_t;

typedef struct script_t {
    uint32_t deaths;
    uint32_t failures;
    uint32_t kind; /* how the attempts fail */
} script_t;

/* Something that will happen. */
typedef enum thing_type_t {
    THING_EVENT,  /* the scheduler is told event */
    THING_SEND,   /* a worker gets a task */
    THING_CANCEL, /* a worker hears that nobody waits for ticket, or the rest of it */
    THING_WORK,   /* a worker is through with a step */
    THING_KILL,   /* a worker goes down by itself */
    THING_SUBMIT,
    THING_CANCEL_RUN,
    THING_CANCEL_NODE,
    THING_UNSERVED, /* the shell says which lanes nobody serves */
    THING_FORGE,    /* an answer that nobody gave */
    THING_STRAY,    /* word of a run, a node or a worker that there is not */
} thing_type_t;

typedef struct thing_t {
    int64_t at_ns;
    uint64_t order; /* of two things at one time, the one said first */
    thing_type_t type;
    uint32_t incarnation; /* of the worker; what is sent to an earlier one is lost */
    dw_event_t event;
    dw_command_t command;
} thing_t;

typedef struct held_t {
    dw_command_t task; /* node and steps: from the step at hand on */
    uint32_t told;     /* steps that were answered for */
    bool cancelled;    /* what is behind so many of its steps */
    uint32_t until;
} held_t;

typedef struct member_t {
    bool up;
    bool local;
    uint32_t incarnation;
    uint32_t lane;
    uint64_t lanes;                   /* that it serves whenever it comes; 0: lane alone */
    int64_t link_to_ns, link_from_ns; /* messages do not overtake each other, ... */
    int64_t again_ns; /* ... but before then they arrive without the one that is to come again */
    held_t held[MODEL_TASKS_MAX]; /* first in, first out */
    uint32_t held_at, held_count;
    bool working, hangs;
    outcome_t outcome; /* of the step at hand */
    uint32_t unsaid;   /* steps done and not answered for */
    uint64_t duration_ns;
} member_t;

typedef struct world_t {
    random_t random;
    random_t backlogs;       /* of their own, so that what else happens is as without them */
    uint32_t backlog_one_in; /* steps; 0: the shell takes in all that has arrived */
    uint64_t off;            /* what is switched off (off.h) */
    random_graph_t *graph;
    evaluator_t *evaluator;
    dw_plan_t *plan;
    dw_scheduler_t *scheduler;
    model_t model;
    dw_commands_t commands;
    FILE *transcript;
    const simulator_tap_t *tap; /* NULL: nobody */
    dw_scheduler_options_t scheduler_options;
    simulator_counts_t *counts;
    int64_t now_ns;
    int64_t grace_ns;
    int64_t work_max_ns;
    int64_t delay_max_ns;   /* of a message */
    int64_t timeout_min_ns; /* longer than all that can delay the answer of a node with a timeout */
    uint64_t order;
    thing_t *things;
    size_t things_count, things_size;
    dw_event_t events[256];
    size_t events_count;
    uint32_t workers_count;
    bool faults; /* until the world calms down */
    member_t workers[WORLD_WORKERS_MAX];
    uint32_t runs_left;
    uint32_t outputs[WORLD_RUNS_MAX][WORLD_NODES_MAX];
    script_t scripts[WORLD_RUNS_MAX][WORLD_NODES_MAX];
    bool fails[WORLD_RUNS_MAX][WORLD_NODES_MAX]; /* by index of declaration */
    bool skips[WORLD_RUNS_MAX][WORLD_NODES_MAX]; /* the same */
    bool forgets[WORLD_RUNS_MAX];                /* ended, and not forgotten yet */
    uint32_t handle;
    /* The shell's own work. */
    uint32_t slow_one_in, look_one_in; /* steps */
    bool own_goes_on;                  /* the last task that was run did not say to stop */
    uint32_t own_steps;                /* since it looked at the clock */
    uint64_t own_ns;
    int64_t busy_until_ns;
} world_t;

/* Draws the world that seed stands for; false: model.wrong says what is wrong already. self is all
 * zeros but for off, transcript and counts. */
bool world_start (world_t *self, uint64_t seed);
void world_end (world_t *world);

void world_expect (world_t *world, int64_t at_ns, thing_t thing);
/* The index of what comes next; things_count when nothing does. */
size_t world_next (const world_t *world);
void world_tell_event (world_t *world, const dw_event_t *event);
void world_tell_command (world_t *world, const dw_command_t *c);
void world_tell_own (world_t *world, const dw_own_task_t *task);
void world_tell_timed (world_t *world);

#endif
