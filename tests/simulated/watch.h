/* watch.h - looks at the coordinator of a simulated world after everything that it does.
 *
 * The linker has the coordinator's calls of its scheduler come by here (-Wl,--wrap). Each step is
 * held against the model of tests/support/checker; then what the coordinator keeps is compared with
 * what it was commanded to. Where nodes become graphs there is no model (the scheduler alone is
 * tried with such by tests/support/growth.h): what the scheduler says of a run that has ended is
 * taken as it is, and graphs are counted that a process keeps. */

#ifndef TESTS_WATCH_H
#define TESTS_WATCH_H

#include "runtime/core/scheduler.h"
#include "tests/simulated/plot.h"

/* How a run ended, as the scheduler decided. */
typedef struct ended_t {
    bool has_begun, has_ended, was_cancelled, ran_out;
    /* a node of what was added failed by itself, so nobody knows what that comes to */
    bool is_tainted;
    int64_t begun_ns;
    dw_run_status_t status;
    dw_node_state_t states[PLOT_NODES_MAX]; /* by rank */
    uint32_t attempts[PLOT_NODES_MAX];
    bool cut[PLOT_NODES_MAX]; /* cancelled while the rest of the run went on */
} ended_t;

void watch_begin (const plot_t *plot);
void watch_end (void);
/* By client and its run, from 0. */
const ended_t *watch_ended (uint32_t client, uint32_t run);
/* Whether all runs that were accepted have ended. */
bool watch_is_idle (void);
/* How many places for workers the coordinator has: those of its actors, its own thread's, and those
 * of slots elsewhere. */
uint32_t watch_places_count (void);
/* How many graphs that were added to runs the coordinator has a place for. */
uint32_t watch_added_count (void);
/* Every run that was accepted ended in one way. */
void watch_check_counts (void);

#endif
