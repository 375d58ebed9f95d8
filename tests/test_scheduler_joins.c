/* test_scheduler_joins.c - what the scheduler makes of branches that end, as transcripts. */

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "tests/support/scheduler_steps.h"

static void s_expect_state (const scheduler_fixture_t *f, uint32_t node, dw_node_state_t state) {
    assert_int_equal (dw_scheduler_node_state (f->scheduler, 0, node), state);
}

static void an_ended_branch_leaves_out_what_depends_on_it_alone (void **state) {
    scheduler_fixture_t *f = *state;
    scheduler_fixture_add (f, "gate", "pick", "");
    scheduler_fixture_add (f, "other", "work", "");
    scheduler_fixture_add (f, "below", "work", "gate");
    scheduler_fixture_add (f, "join", "work", "below other");
    scheduler_fixture_open (f);
    f->tells_sources = true;
    JOIN (0);
    JOIN (1);
    SUBMIT (0);
    EXPECT ("run 0: send node 0 to worker 1, reading the input\n"
            "run 0: send node 1 to worker 0, reading the input\n");
    SKIPPED (1, 0);
    s_expect_state (f, 0, DW_STATE_LEFT_OUT);
    s_expect_state (f, 2, DW_STATE_LEFT_OUT);
    s_expect_state (f, 3, DW_STATE_WAITING);
    DONE (0, 0);
    EXPECT ("run 0: keep node 1\n"
            "run 0: send node 3 to worker 1, reading node 1\n");
    DONE (1, 1);
    EXPECT ("run 0: keep node 3\n"
            "run 0: finished ok\n");
}

static void which_comes_first_of_a_failure_and_an_ended_branch_is_no_matter (void **state) {
    scheduler_fixture_t *f = *state;
    scheduler_fixture_add (f, "gate", "pick", "");
    scheduler_fixture_add (f, "fails", "work", "");
    scheduler_fixture_add (f, "both", "work", "gate fails");
    scheduler_fixture_add (f, "all", "work", "gate fails")->join = DW_JOIN_ALL_OK;
    scheduler_fixture_add (f, "any", "work", "gate fails")->join = DW_JOIN_ANY_OK;
    scheduler_fixture_open (f);
    JOIN (0);
    JOIN (1);
    SUBMIT (0);
    SKIPPED (1, 0);
    s_expect_state (f, 2, DW_STATE_WAITING); /* nothing is decided before both have ended */
    s_expect_state (f, 3, DW_STATE_WAITING);
    FAIL (0, 0, 500);
    for (uint32_t node = 2; node <= 4; node++)
        s_expect_state (f, node, DW_STATE_SKIPPED);
    SUBMIT (1);
    FAIL (0, 1, 500);
    SKIPPED (1, 1);
    for (uint32_t node = 2; node <= 4; node++)
        assert_int_equal (dw_scheduler_node_state (f->scheduler, 1, node), DW_STATE_SKIPPED);
    EXPECT ("run 0: send node 0 to worker 1\n"
            "run 0: send node 1 to worker 0\n"
            "run 0: node 1 failed with 500\n"
            "run 0: finished partial\n"
            "run 1: send node 0 to worker 1\n"
            "run 1: send node 1 to worker 0\n"
            "run 1: node 1 failed with 500\n"
            "run 1: finished partial\n");
}

static void a_join_of_all_that_is_done_waits_for_what_a_skipped_one_would_have_read (void **state) {
    scheduler_fixture_t *f = *state;
    scheduler_fixture_add (f, "fails", "work", "");
    scheduler_fixture_add (f, "slow", "work", "");
    scheduler_fixture_add (f, "below", "work", "fails slow");
    scheduler_fixture_add (f, "join", "work", "below")->join = DW_JOIN_ALL_DONE;
    scheduler_fixture_open (f);
    f->tells_sources = true;
    JOIN (0);
    JOIN (1);
    SUBMIT (0);
    FAIL (1, 0, 500);
    s_expect_state (f, 3, DW_STATE_WAITING); /* its payload may yet be that of slow */
    DONE (0, 0);
    EXPECT ("run 0: send node 0 to worker 1, reading the input\n"
            "run 0: send node 1 to worker 0, reading the input\n"
            "run 0: node 0 failed with 500\n"
            "run 0: keep node 1\n"
            "run 0: send node 3 to worker 1, reading node 1\n");
}

static void an_answer_that_skips_without_the_promise_is_nonsense (void **state) {
    scheduler_fixture_t *f = *state;
    scheduler_fixture_add (f, "a", "work", "")->retry_attempts = 1;
    scheduler_fixture_open (f);
    JOIN (0);
    SUBMIT (0);
    SKIPPED (0, 0);
    EXPECT ("run 0: send node 0 to worker 0\n"
            "run 0: node 0 failed with 502\n");
    assert_true (scheduler_fixture_wait (f));
    SKIPPED (0, 0); /* once more, and ahead of its time */
    SKIPPED (0, 2);
    SKIPPED_AFTER (1, 0, 1);
    SKIPPED_AFTER (0, 3, 0);
    assert_int_equal (dw_scheduler_counts (f->scheduler).answers_ignored, 4);
    EXPECT ("run 0: send node 0 to worker 0, attempt 2\n");
}

static void a_chain_ends_with_who_may_skip (void **state) {
    scheduler_fixture_t *f = *state;
    scheduler_fixture_add (f, "a", "work", "");
    scheduler_fixture_add (f, "b", "work", "a");
    scheduler_fixture_add (f, "gate", "pick", "b");
    scheduler_fixture_add (f, "c", "work", "gate");
    scheduler_fixture_add (f, "d", "work", "c");
    scheduler_fixture_open (f);
    JOIN (0);
    SUBMIT (0);
    EXPECT ("run 0: send node 0 to worker 0, 3 steps\n");
    PART (0, 0, 2);
    SKIPPED_AFTER (2, 0, 0);
    EXPECT ("run 0: keep nodes 0 and 1 more\n"
            "run 0: finished ok\n");
    s_expect_state (f, 2, DW_STATE_LEFT_OUT);
    assert_int_equal (dw_scheduler_node_attempts (f->scheduler, 0, 2), 1);
    s_expect_state (f, 4, DW_STATE_LEFT_OUT);
    assert_int_equal (dw_scheduler_node_attempts (f->scheduler, 0, 4), 0);
}

static void own_work_ends_branches_too (void **state) {
    scheduler_fixture_t *f = *state;
    scheduler_fixture_add (f, "a", "brief", "");
    scheduler_fixture_add (f, "gate", "pick_brief", "a");
    scheduler_fixture_add (f, "below", "brief", "gate");
    scheduler_fixture_add (f, "join", "brief", "below")->join = DW_JOIN_ALL_DONE;
    scheduler_fixture_open (f);
    f->tells_sources = true;
    JOIN_LOCAL (0);
    SUBMIT (0);
    WORK (.tasks = 1, .is_cut = true, .steps = 1, .is_skipped = true);
    EXPECT ("run 0: own node 0, 2 steps, reading the input\n");
    s_expect_state (f, 1, DW_STATE_LEFT_OUT);
    s_expect_state (f, 2, DW_STATE_LEFT_OUT);
    WORK_ALL ();
    EXPECT ("run 0: own node 3, reading node 0\n"
            "run 0: finished ok\n");
}

static void level_by_level_an_ended_branch_holds_no_level_up (void **state) {
    scheduler_fixture_t *f = *state;
    f->options->strategy = DW_LEVEL;
    scheduler_fixture_add (f, "gate", "pick", "");
    scheduler_fixture_add (f, "slow", "work", "");
    scheduler_fixture_add (f, "below", "work", "gate");
    scheduler_fixture_add (f, "last", "work", "slow below")->join = DW_JOIN_ALL_DONE;
    scheduler_fixture_open (f);
    JOIN (0);
    JOIN (1);
    SUBMIT (0);
    SKIPPED (1, 0);
    s_expect_state (f, 2, DW_STATE_LEFT_OUT);
    EXPECT ("run 0: send node 0 to worker 1\n"
            "run 0: send node 1 to worker 0\n");
    DONE (0, 0);
    EXPECT ("run 0: keep node 1\n"
            "run 0: send node 3 to worker 1\n");
}

static void nothing_is_dropped_that_a_join_may_turn_out_to_read (void **state) {
    scheduler_fixture_t *f = *state;
    uint32_t last = 3;
    scheduler_fixture_add (f, "a", "work", "");
    scheduler_fixture_add (f, "gate", "pick", "a");
    scheduler_fixture_add (f, "below", "work", "gate");
    scheduler_fixture_add (f, "last", "work", "below")->join = DW_JOIN_ALL_DONE;
    scheduler_fixture_open (f);
    f->tells_sources = true;
    JOIN (0);
    SUBMIT_OUTPUTS (0, &last, 1);
    PART (0, 0, 1);
    SKIPPED_AFTER (1, 0, 0);
    EXPECT ("run 0: send node 0 to worker 0, 2 steps, reading the input\n"
            "run 0: keep node 0\n"
            "run 0: send node 3 to worker 0, reading node 0\n");
}

static void a_run_that_may_leave_out_what_nobody_serves_is_begun (void **state) {
    scheduler_fixture_t *f = *state;
    f->options->failure_strategy = DW_FAIL_FAST;
    scheduler_fixture_add (f, "gate", "pick", "");
    scheduler_fixture_add (f, "below", "work", "gate");
    assert_int_equal (dw_graph_set_remote (f->graph, 1), DW_OK);
    scheduler_fixture_open (f);
    JOIN (0);
    TELL (.type = DW_EVENT_LANES_UNSERVED, .lanes = 2);
    SUBMIT (0);
    EXPECT ("run 0: send node 0 to worker 0\n");
    SKIPPED (0, 0);
    EXPECT ("run 0: finished ok\n");
    SUBMIT (1);
    DONE (0, 1);
    EXPECT ("run 1: send node 0 to worker 0\n"
            "run 1: keep node 0\n"
            "run 1: node 1 failed with 503\n"
            "run 1: finished failed\n");
}

int main (void) {
    const struct CMUnitTest tests[] = {
        TRANSCRIPT (an_ended_branch_leaves_out_what_depends_on_it_alone),
        TRANSCRIPT (which_comes_first_of_a_failure_and_an_ended_branch_is_no_matter),
        TRANSCRIPT (a_join_of_all_that_is_done_waits_for_what_a_skipped_one_would_have_read),
        TRANSCRIPT (an_answer_that_skips_without_the_promise_is_nonsense),
        TRANSCRIPT (a_chain_ends_with_who_may_skip),
        TRANSCRIPT (own_work_ends_branches_too),
        TRANSCRIPT (level_by_level_an_ended_branch_holds_no_level_up),
        TRANSCRIPT (nothing_is_dropped_that_a_join_may_turn_out_to_read),
        TRANSCRIPT (a_run_that_may_leave_out_what_nobody_serves_is_begun),
    };
    return !!cmocka_run_group_tests (tests, NULL, NULL);
}
