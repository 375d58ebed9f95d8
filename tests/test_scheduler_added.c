/* test_scheduler_added.c - in which order nodes are taken that were added to a run, as
 * transcripts. */

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "tests/support/scheduler_steps.h"

/* Two workers, of one task at a time. Ranks: slow 0, quick 1, early 2, grow 3, late 4. */
static void s_open (scheduler_fixture_t *f) {
    scheduler_fixture_add (f, "slow", "work", "");
    scheduler_fixture_add (f, "quick", "work", "");
    scheduler_fixture_add (f, "early", "work", "slow")->cost_us = 50;
    scheduler_fixture_add (f, "grow", "grow", "quick")->cost_us = 20;
    scheduler_fixture_add (f, "late", "work", "quick slow");
    scheduler_fixture_open (f);
    JOIN_CREDIT (0, 1), JOIN_CREDIT (1, 1);
}

static void what_a_node_adds_counts_at_the_place_of_that_node (void **state) {
    scheduler_fixture_t *f = *state;
    s_open (f);
    SUBMIT (0), DONE (0, 0);
    EXPECT ("run 0: send node 0 to worker 1\n"
            "run 0: send node 1 to worker 0\n"
            "run 0: keep node 1\n"
            "run 0: send node 3 to worker 0\n");
    BECOME (0, 1, 1, "xyz");
    EXPECT ("run 0: node 3 is a graph, run in place 1\n"
            "run 1: send node 0 to worker 0\n");
    DONE (1, 0);
    EXPECT ("run 0: keep node 0\n"
            "run 0: send node 2 to worker 1\n"); /* early comes before y and z, */
    DONE (1, 1), DONE (1, 2), DONE (1, 3);
    EXPECT ("run 0: keep node 2\n"
            "run 1: send node 1 to worker 1\n"
            "run 1: keep node 1\n"
            "run 1: send node 2 to worker 1\n"
            "run 1: keep node 2\n"
            "run 0: send node 4 to worker 1\n"); /* and late behind them */
}

static void the_critical_path_decides_where_it_is_to (void **state) {
    scheduler_fixture_t *f = *state;
    f->options->priority = DW_CRITICAL_PATH;
    s_open (f);
    SUBMIT (0), DONE (0, 0), BECOME (0, 1, 1, "xy"), DONE (1, 0), DONE (1, 1), DONE (1, 2);
    EXPECT ("run 0: send node 0 to worker 1\n"
            "run 0: send node 1 to worker 0\n"
            "run 0: keep node 1\n"
            "run 0: send node 3 to worker 0\n"
            "run 0: node 3 is a graph, run in place 1\n"
            "run 1: send node 0 to worker 0\n"
            "run 0: keep node 0\n"
            "run 0: send node 2 to worker 1\n"
            "run 0: keep node 2\n"
            "run 1: send node 1 to worker 1\n"
            "run 1: keep node 1\n"
            "run 0: send node 4 to worker 1\n");
}

static void s_open_two (scheduler_fixture_t *f) {
    scheduler_fixture_add (f, "one", "grow", "");
    scheduler_fixture_add (f, "other", "grow", "");
    scheduler_fixture_open (f);
    JOIN_CREDIT (0, 1), JOIN_CREDIT (1, 1);
}

/* Both become graphs, of which the first has both workers. */
static void s_grow_two (scheduler_fixture_t *f, const char *first, const char *second) {
    s_open_two (f);
    SUBMIT (0), BECOME (1, 0, 1, first), BECOME (0, 0, 2, second);
    EXPECT ("run 0: send node 0 to worker 1\n"
            "run 0: send node 1 to worker 0\n"
            "run 0: node 0 is a graph, run in place 1\n"
            "run 1: send node 0 to worker 1\n"
            "run 0: node 1 is a graph, run in place 2\n"
            "run 1: send node 1 to worker 0\n");
}

static void of_two_graphs_that_of_the_more_urgent_node_comes_first (void **state) {
    scheduler_fixture_t *f = *state;
    s_grow_two (f, "xy", "xy");
    DONE (0, 1), DONE (1, 1);
    EXPECT ("run 1: keep node 1\n"
            "run 2: send node 0 to worker 0\n" /* as the last of the first waits for x */
            "run 1: keep node 0\n"
            "run 1: send node 2 to worker 1\n");
}

static void what_is_within_a_graph_counts_at_the_place_of_its_node_there (void **state) {
    scheduler_fixture_t *f = *state;
    s_grow_two (f, "wXYz", "uv");
    BECOME (0, 1, 3, "pq"), RETURNED (1, 1);
    EXPECT ("run 1: node 1 is a graph, run in place 3\n"
            "run 3: send node 0 to worker 0\n"
            "run 1: send node 0 to worker 1\n"); /* w, before q; */
    DONE (1, 2), DONE (1, 3), DONE (1, 4), DONE (1, 5);
    EXPECT ("run 1: keep node 0\n"
            "run 3: send node 1 to worker 1\n" /* then q, */
            "run 3: keep node 1\n"
            "run 1: send node 2 to worker 1\n" /* Y, z, */
            "run 1: keep node 2\n"
            "run 1: send node 3 to worker 1\n"
            "run 1: keep node 3\n"
            "run 2: send node 0 to worker 1\n"); /* and what the less urgent node added */
}

static void in_order_of_arrival_graphs_come_before_the_rest_the_elder_first (void **state) {
    scheduler_fixture_t *f = *state;
    f->options->strategy = DW_REACTIVE;
    s_open (f);
    SUBMIT (0), DONE (0, 0), BECOME (0, 1, 1, "xyz"), DONE (1, 0);
    EXPECT ("run 0: send node 0 to worker 1\n"
            "run 0: send node 1 to worker 0\n"
            "run 0: keep node 1\n"
            "run 0: send node 3 to worker 0\n"
            "run 0: node 3 is a graph, run in place 1\n"
            "run 1: send node 0 to worker 0\n"
            "run 0: keep node 0\n"
            "run 1: send node 1 to worker 1\n"); /* early has come after grow */
}

static void in_order_of_arrival_the_elder_of_two_graphs_comes_first (void **state) {
    scheduler_fixture_t *f = *state;
    f->options->strategy = DW_REACTIVE;
    s_open_two (f);
    SUBMIT (0), BECOME (0, 0, 1, "xyz"), BECOME (1, 0, 2, "xy"), DONE (1, 1), DONE (1, 2);
    EXPECT ("run 0: send node 0 to worker 1\n"
            "run 0: send node 1 to worker 0\n"
            "run 0: node 1 is a graph, run in place 1\n"
            "run 1: send node 0 to worker 0\n"
            "run 0: node 0 is a graph, run in place 2\n"
            "run 1: send node 1 to worker 1\n"
            "run 1: keep node 1\n"
            "run 1: send node 2 to worker 1\n"
            "run 1: keep node 2\n"
            "run 2: send node 0 to worker 1\n");
}

static void a_run_that_has_grown_keeps_its_turn_among_others (void **state) {
    scheduler_fixture_t *f = *state;
    s_open (f);
    SUBMIT (0), DONE (0, 0), BECOME (0, 1, 2, "xyz"), SUBMIT (1), DONE (1, 0), DONE (1, 1);
    EXPECT ("run 0: send node 0 to worker 1\n"
            "run 0: send node 1 to worker 0\n"
            "run 0: keep node 1\n"
            "run 0: send node 3 to worker 0\n"
            "run 0: node 3 is a graph, run in place 2\n"
            "run 2: send node 0 to worker 0\n"
            "run 0: keep node 0\n"
            "run 0: send node 2 to worker 1\n" /* though run 1 was there before */
            "run 0: keep node 2\n"
            "run 2: send node 1 to worker 1\n");
    DONE (1, 2), DONE (1, 3), DONE (1, 4);
    EXPECT ("run 2: keep node 1\n"
            "run 2: send node 2 to worker 1\n"
            "run 2: keep node 2\n"
            "run 0: send node 4 to worker 1\n"
            "run 0: keep node 4\n"
            "run 1: send node 0 to worker 1\n");
}

static void a_run_gives_way_to_a_graph_when_its_first_node_is_cancelled (void **state) {
    scheduler_fixture_t *f = *state;
    s_open (f);
    SUBMIT (0), DONE (0, 0), BECOME (0, 1, 1, "xyz"), LOSE (0), DONE (1, 0), LOSE (1);
    EXPECT ("run 0: send node 0 to worker 1\n"
            "run 0: send node 1 to worker 0\n"
            "run 0: keep node 1\n"
            "run 0: send node 3 to worker 0\n"
            "run 0: node 3 is a graph, run in place 1\n"
            "run 1: send node 0 to worker 0\n"
            "run 0: keep node 0\n"
            "run 0: send node 2 to worker 1\n");
    CANCEL_NODE (0, 2), JOIN_CREDIT (2, 1);
    EXPECT ("run 1: send node 0 to worker 2, attempt 2\n"); /* and not late */
}

static void recordings_of_version_1_have_what_was_added_first (void **state) {
    scheduler_fixture_t *f = *state;
    f->scheduler_options.added_first = true;
    s_open (f);
    SUBMIT (0), DONE (0, 0), BECOME (0, 1, 1, "xyz"), DONE (1, 0);
    EXPECT ("run 0: send node 0 to worker 1\n"
            "run 0: send node 1 to worker 0\n"
            "run 0: keep node 1\n"
            "run 0: send node 3 to worker 0\n"
            "run 0: node 3 is a graph, run in place 1\n"
            "run 1: send node 0 to worker 0\n"
            "run 0: keep node 0\n"
            "run 1: send node 1 to worker 1\n");
}

int main (void) {
    const struct CMUnitTest tests[] = {
        TRANSCRIPT (what_a_node_adds_counts_at_the_place_of_that_node),
        TRANSCRIPT (the_critical_path_decides_where_it_is_to),
        TRANSCRIPT (of_two_graphs_that_of_the_more_urgent_node_comes_first),
        TRANSCRIPT (what_is_within_a_graph_counts_at_the_place_of_its_node_there),
        TRANSCRIPT (in_order_of_arrival_graphs_come_before_the_rest_the_elder_first),
        TRANSCRIPT (in_order_of_arrival_the_elder_of_two_graphs_comes_first),
        TRANSCRIPT (a_run_that_has_grown_keeps_its_turn_among_others),
        TRANSCRIPT (a_run_gives_way_to_a_graph_when_its_first_node_is_cancelled),
        TRANSCRIPT (recordings_of_version_1_have_what_was_added_first),
    };
    return !!cmocka_run_group_tests_name ("scheduler, added", tests, NULL, NULL);
}
