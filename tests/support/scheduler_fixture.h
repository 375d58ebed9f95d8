/* scheduler_fixture.h - a scheduler with virtual time, whose commands are sentences.
 *
 * A test adds nodes, sets options, opens, and then tells what happens, one event a step; what the
 * scheduler says to it is collected until the test expects it:
 *
 *     run 0: send node 0 to worker 1                      ... , 2 steps / , attempt 2
 *     worker 1: cancel ticket 3                           run 0: keep node 0 / nodes 0 and 1 more
 *     run 0: node 0 failed with 408                       run 0: drop node 0
 *     run 0: finished ok                                  replace worker 1, stuck in node 0
 *     run 0: own node 0                                   ... , 2 steps / , attempt 2
 *
 * Nodes are numbered by rank; workers number their tickets from 0. */

#ifndef TESTS_SCHEDULER_FIXTURE_H
#define TESTS_SCHEDULER_FIXTURE_H

#include "runtime/core/scheduler.h"

#define FIXTURE_GRACE_MS  50
#define FIXTURE_ADDED_MAX 8

typedef struct scheduler_fixture_t {
    dw_graph_t *graph;
    dw_graph_options_t *options; /* of the graph: continue_on_error, pool:2, max_concurrency 2 */
    dw_plan_t *plan;
    dw_scheduler_t *scheduler;
    dw_scheduler_options_t scheduler_options;
    dw_commands_t commands;
    dw_added_t *added[FIXTURE_ADDED_MAX];
    uint32_t added_count;
    int64_t now_ns;
    bool tells_sources;   /* sentences about sending say whose output is read */
    bool tells_deaths;    /* which workers were lost with what */
    size_t commands_said; /* of the step or the own work under way */
    char said[8192];
} scheduler_fixture_t;

/* How the shell's thread works. */
typedef struct fixture_work_t {
    uint32_t tasks;   /* before it stops; 0: none tells it to */
    bool is_cut;      /* of the last task only steps are done, ... */
    uint32_t steps;   /* ... which may be none, ... */
    uint16_t code;    /* ... and the next one fails with this; 0: the others are given back */
    bool is_skipped;  /* ... or ends its branch */
    uint64_t took_ns; /* a step; 0: a microsecond */
    bool looks_once;  /* at the clock, when it has stopped; else after every step */
} fixture_work_t;

void scheduler_fixture_init (scheduler_fixture_t *self);
void scheduler_fixture_clear (scheduler_fixture_t *self);

/* Adds a node that depends on those named, separated by spaces. processor: "work", "brief" or
 * "quick" (brief, too), which transform, "pick" and "pick_brief", which transform and may skip,
 * "grow", which may add nodes of "work" and "grow", or "look", which analyzes and is not brief.
 * Returns its options. */
dw_node_options_t *scheduler_fixture_add (scheduler_fixture_t *self, const char *id,
                                          const char *processor, const char *dependencies);
/* Compiles the graph and makes the scheduler. */
void scheduler_fixture_open (scheduler_fixture_t *self);
/* A graph that a node with "grow" becomes, the fixture's: a node for each letter, capitals "grow"
 * and the others "work", and last its output, which depends on all of them. */
const dw_added_t *scheduler_fixture_graph (scheduler_fixture_t *self, const char *letters);

/* Lets time pass, then tells of an event. */
void scheduler_fixture_step (scheduler_fixture_t *self, int64_t passed_ns, const dw_event_t *event);
/* Lets the shell's thread work, without a step. */
void scheduler_fixture_work (scheduler_fixture_t *self, const fixture_work_t *wanted);
/* Lets time pass until the scheduler wants to look; false when it never does. */
bool scheduler_fixture_wait (scheduler_fixture_t *self);
/* What was said since the last call must be this. */
void scheduler_fixture_expect (scheduler_fixture_t *self, const char *expected);

#endif
