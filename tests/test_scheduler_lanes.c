/* test_scheduler_lanes.c - workers that serve several lanes, and lanes that nobody serves. */

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "tests/support/scheduler_steps.h"

#define LANE(lane) (UINT64_C (1) << (lane))
#define SERVE(who, which) \
    TELL (.type = DW_EVENT_WORKER_JOINED, .worker = (who), .lanes = (which), .credit = 16)
#define UNSERVED(which) TELL (.type = DW_EVENT_LANES_UNSERVED, .lanes = (which))

/* A node with the tag nr=VALUE, or without one. */
static void s_add (scheduler_fixture_t *f, const char *id, const char *on, const char *value) {
    scheduler_fixture_add (f, id, "work", on);
    int node = (int) dw_graph_nodes_count (f->graph) - 1;
    if (value && dw_graph_require_tag (f->graph, node, "nr", value))
        abort ();
}

/* Two lanes: 0 is free, 1 has the tag. Far more may be busy than there are workers. */
static void s_open (scheduler_fixture_t *f) {
    f->options->max_concurrency = 8;
    f->scheduler_options.is_open = true;
    scheduler_fixture_open (f);
}

static void a_task_goes_to_a_worker_that_serves_its_lane (void **state) {
    scheduler_fixture_t *f = *state;
    s_add (f, "free", "", NULL);
    s_add (f, "tagged", "", "1");
    s_open (f);
    SERVE (0, LANE (0)), SUBMIT (0);
    EXPECT ("run 0: send node 0 to worker 0\n");
    DONE (0, 0);
    EXPECT ("run 0: keep node 0\n");
    SERVE (1, LANE (1));
    EXPECT ("run 0: send node 1 to worker 1\n");
}

static void a_worker_of_two_lanes_does_the_work_of_both (void **state) {
    scheduler_fixture_t *f = *state;
    s_add (f, "free", "", NULL);
    s_add (f, "tagged", "", "1");
    s_open (f);
    SERVE (0, LANE (0) | LANE (1)), SUBMIT (0);
    EXPECT ("run 0: send node 0 to worker 0\n");
    DONE (0, 0);
    EXPECT ("run 0: keep node 0\n"
            "run 0: send node 1 to worker 0\n");
    DONE (0, 1);
    EXPECT ("run 0: keep node 1\n"
            "run 0: finished ok\n");
}

static void the_most_urgent_of_its_lanes_comes_first (void **state) {
    scheduler_fixture_t *f = *state;
    f->options->batch_size = 1;
    s_add (f, "x", "", NULL);
    s_add (f, "late", "x", NULL);
    s_add (f, "early", "", "1");
    s_add (f, "no_chain", "x", "1");
    s_open (f);
    SERVE (0, LANE (0)), SUBMIT (0), DONE (0, 0), LOSE (0);
    EXPECT ("run 0: send node 0 to worker 0\n"
            "run 0: keep node 0\n"
            "run 0: send node 2 to worker 0\n");
    SERVE (1, LANE (0) | LANE (1));
    EXPECT ("run 0: send node 1 to worker 1\n");
    DONE (1, 0);
    EXPECT ("run 0: keep node 1\n"
            "run 0: send node 2 to worker 1, attempt 2\n");
}

static void the_older_run_comes_first (void **state) {
    scheduler_fixture_t *f = *state;
    f->options->batch_size = 1;
    s_add (f, "free", "", NULL);
    s_add (f, "tagged", "", "1");
    s_open (f);
    SUBMIT (0), SUBMIT (1);
    SERVE (0, LANE (0)), DONE (0, 0), LOSE (0);
    EXPECT ("run 0: send node 0 to worker 0\n"
            "run 0: keep node 0\n"
            "run 1: send node 0 to worker 0\n");
    SERVE (1, LANE (0) | LANE (1));
    EXPECT ("run 0: send node 1 to worker 1\n"); /* though that is less urgent in its run */
}

static void who_serves_fewer_lanes_is_asked_first (void **state) {
    scheduler_fixture_t *f = *state;
    s_add (f, "free", "", NULL);
    s_add (f, "tagged", "", "1");
    s_open (f);
    SERVE (0, LANE (0)), SERVE (1, LANE (0) | LANE (1)), SUBMIT (0);
    EXPECT ("run 0: send node 0 to worker 0\n"
            "run 0: send node 1 to worker 1\n");
}

static void what_is_late_in_one_lane_goes_to_who_serves_it_too (void **state) {
    scheduler_fixture_t *f = *state;
    s_add (f, "a", "", NULL);
    s_add (f, "b", "", "1");
    s_add (f, "c", "", "1");
    s_open (f);
    SERVE (0, LANE (0) | LANE (1)), SUBMIT (0);
    DONE_TOOK (0, 0, 1000);
    EXPECT ("run 0: send node 0 to worker 0\n"
            "run 0: keep node 0\n"
            "run 0: send node 1 to worker 0\n"
            "run 0: send node 2 to worker 0\n");
    SERVE (1, LANE (1));
    PASS (MS);
    EXPECT ("worker 0: cancel ticket 2\n"
            "run 0: send node 2 to worker 1\n");
}

static void a_lost_workers_tasks_go_to_who_serves_their_lanes (void **state) {
    scheduler_fixture_t *f = *state;
    s_add (f, "a", "", NULL);
    s_add (f, "b", "", "1");
    s_open (f);
    SERVE (0, LANE (0) | LANE (1)), SUBMIT (0), DONE (0, 0), SERVE (1, LANE (0)), LOSE (0);
    EXPECT ("run 0: send node 0 to worker 0\n"
            "run 0: keep node 0\n"
            "run 0: send node 1 to worker 0\n");
    SERVE (2, LANE (1));
    EXPECT ("run 0: send node 1 to worker 2, attempt 2\n");
}

static void a_lane_that_is_held_back_goes_before_those_behind_it (void **state) {
    scheduler_fixture_t *f = *state;
    s_add (f, "x", "", "1");
    s_add (f, "y", "", "1");
    s_add (f, "urgent", "", NULL);
    s_add (f, "z", "x y", "1");
    f->options->max_concurrency = 1;
    f->options->batch_size = 1;
    f->scheduler_options.is_open = true;
    scheduler_fixture_open (f);
    SERVE (0, LANE (1)), SUBMIT (0), SERVE (1, LANE (0));
    EXPECT ("run 0: send node 0 to worker 0\n");
    DONE (0, 0);
    EXPECT ("run 0: keep node 0\n"
            "run 0: send node 1 to worker 0\n");
    DONE (0, 1);
    EXPECT ("run 0: keep node 1\n"
            "run 0: send node 2 to worker 1\n");
    DONE (1, 0);
    EXPECT ("run 0: keep node 2\n"
            "run 0: send node 3 to worker 0\n");
}

static void where_nobody_serves_a_lane_its_nodes_wait (void **state) {
    scheduler_fixture_t *f = *state;
    s_add (f, "tagged", "", "1");
    s_open (f);
    SUBMIT (0), PASS (1000 * MS);
    EXPECT ("");
    assert_int_equal (dw_scheduler_lane_workers_count (f->scheduler, 0), 0);
    SERVE (0, LANE (0));
    EXPECT ("run 0: send node 0 to worker 0\n");
    assert_int_equal (dw_scheduler_lane_workers_count (f->scheduler, 0), 1);
}

static void where_nobody_is_waited_for_they_fail_when_they_are_ready (void **state) {
    scheduler_fixture_t *f = *state;
    s_add (f, "free", "", NULL);
    s_add (f, "tagged", "free", "1");
    s_add (f, "after", "tagged", NULL);
    s_add (f, "apart", "free", NULL);
    s_open (f);
    UNSERVED (LANE (1)), SERVE (0, LANE (0)), SUBMIT (0);
    EXPECT ("run 0: send node 0 to worker 0\n");
    DONE (0, 0);
    EXPECT ("run 0: keep node 0\n"
            "run 0: node 1 failed with 503\n"
            "run 0: send node 2 to worker 0\n");
    DONE (0, 1);
    EXPECT ("run 0: keep node 2\n"
            "run 0: finished partial\n");
}

static void under_fail_fast_a_run_that_can_only_fail_does_so_at_once (void **state) {
    scheduler_fixture_t *f = *state;
    s_add (f, "free", "", NULL);
    s_add (f, "tagged", "free", "1");
    f->options->failure_strategy = DW_FAIL_FAST;
    s_open (f);
    UNSERVED (LANE (1)), SERVE (0, LANE (0)), SUBMIT (0);
    EXPECT ("run 0: node 1 failed with 503\n"
            "run 0: finished failed\n");
    static const uint32_t outputs[] = {0};
    SUBMIT_OUTPUTS (1, outputs, 1); /* this one needs nothing of it */
    EXPECT ("run 1: send node 0 to worker 0\n");
}

static void when_nobody_is_waited_for_any_more_what_is_ready_fails (void **state) {
    scheduler_fixture_t *f = *state;
    s_add (f, "tagged", "", "1");
    s_open (f);
    SERVE (0, LANE (0)), SUBMIT (0), LOSE (0);
    EXPECT ("run 0: send node 0 to worker 0\n");
    UNSERVED (LANE (0));
    EXPECT ("run 0: node 0 failed with 503\n"
            "run 0: finished partial\n");
    UNSERVED (0), SUBMIT (1);
    EXPECT ("");
}

static void the_shells_thread_serves_the_free_lane_alone (void **state) {
    scheduler_fixture_t *f = *state;
    scheduler_fixture_add (f, "own", "brief", "");
    scheduler_fixture_add (f, "far", "brief", "");
    assert_int_equal (dw_graph_set_remote (f->graph, 1), DW_OK);
    s_open (f);
    JOIN_LOCAL (0), SUBMIT (0);
    EXPECT ("");
    WORK_ALL ();
    EXPECT ("run 0: own node 0\n");
    assert_false (dw_scheduler_has_own (f->scheduler));
    SERVE (1, LANE (1));
    EXPECT ("run 0: send node 1 to worker 1\n");
}

int main (void) {
    const struct CMUnitTest tests[] = {
        TRANSCRIPT (a_task_goes_to_a_worker_that_serves_its_lane),
        TRANSCRIPT (a_worker_of_two_lanes_does_the_work_of_both),
        TRANSCRIPT (the_most_urgent_of_its_lanes_comes_first),
        TRANSCRIPT (the_older_run_comes_first),
        TRANSCRIPT (who_serves_fewer_lanes_is_asked_first),
        TRANSCRIPT (what_is_late_in_one_lane_goes_to_who_serves_it_too),
        TRANSCRIPT (a_lost_workers_tasks_go_to_who_serves_their_lanes),
        TRANSCRIPT (a_lane_that_is_held_back_goes_before_those_behind_it),
        TRANSCRIPT (where_nobody_serves_a_lane_its_nodes_wait),
        TRANSCRIPT (where_nobody_is_waited_for_they_fail_when_they_are_ready),
        TRANSCRIPT (under_fail_fast_a_run_that_can_only_fail_does_so_at_once),
        TRANSCRIPT (when_nobody_is_waited_for_any_more_what_is_ready_fails),
        TRANSCRIPT (the_shells_thread_serves_the_free_lane_alone),
    };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
