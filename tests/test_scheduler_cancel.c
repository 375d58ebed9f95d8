/* test_scheduler_cancel.c - a node that is cancelled, with all that depends on it, while the rest
 * of its run goes on, as transcripts. */

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "tests/support/scheduler_steps.h"

static void s_expect_state (scheduler_fixture_t *f, uint32_t node, dw_node_state_t expected) {
    assert_int_equal (dw_scheduler_node_state (f->scheduler, 0, node), expected);
}

/* a, then b and behind it c; and d beside them. */
static void s_open_fork (scheduler_fixture_t *f) {
    scheduler_fixture_add (f, "a", "work", "");
    scheduler_fixture_add (f, "b", "work", "a");
    scheduler_fixture_add (f, "d", "work", "a");
    scheduler_fixture_add (f, "c", "work", "b");
    scheduler_fixture_open (f);
}

/* a, b and c, one behind the other. */
static void s_open_chain (scheduler_fixture_t *f) {
    scheduler_fixture_add (f, "a", "work", "");
    scheduler_fixture_add (f, "b", "work", "a");
    scheduler_fixture_add (f, "c", "work", "b");
    scheduler_fixture_open (f);
}

static void the_rest_of_the_run_goes_on (void **state) {
    scheduler_fixture_t *f = *state;
    s_open_fork (f);
    JOIN (0), SUBMIT (0), CANCEL_NODE (0, 1);
    EXPECT ("run 0: send node 0 to worker 0\n");
    s_expect_state (f, 1, DW_STATE_CANCELLED);
    s_expect_state (f, 3, DW_STATE_CANCELLED); /* c, all the way down */
    DONE (0, 0), DONE (0, 1);
    EXPECT ("run 0: keep node 0\n"
            "run 0: send node 2 to worker 0\n"
            "run 0: keep node 2\n"
            "run 0: finished partial\n");
}

/* A join takes what is left of what came to an end by itself. */
static void a_join_is_no_way_around_it (void **state) {
    scheduler_fixture_t *f = *state;
    scheduler_fixture_add (f, "a", "work", "");
    scheduler_fixture_add (f, "b", "work", "");
    scheduler_fixture_add (f, "any", "work", "a b")->join = DW_JOIN_ANY_OK;
    scheduler_fixture_add (f, "all", "work", "a b")->join = DW_JOIN_ALL_DONE;
    scheduler_fixture_open (f);
    JOIN (0), SUBMIT (0), DONE (0, 0), CANCEL_NODE (0, 1);
    EXPECT ("run 0: send node 0 to worker 0\n"
            "run 0: keep node 0\n"
            "run 0: send node 1 to worker 0\n"
            "worker 0: cancel ticket 1\n"
            "run 0: finished partial\n");
    s_expect_state (f, 0, DW_STATE_DONE);
    s_expect_state (f, 2, DW_STATE_CANCELLED);
    s_expect_state (f, 3, DW_STATE_CANCELLED);
}

static void what_runs_is_told (void **state) {
    scheduler_fixture_t *f = *state;
    s_open_fork (f);
    JOIN (0), SUBMIT (0), CANCEL_NODE (0, 0), CANCEL_NODE (0, 0);
    EXPECT ("run 0: send node 0 to worker 0\n"
            "worker 0: cancel ticket 0\n"
            "run 0: finished partial\n");
    DONE (0, 0); /* the answer comes too late */
    EXPECT ("");
    assert_int_equal (dw_scheduler_counts (f->scheduler).answers_ignored, 1);
    s_expect_state (f, 0, DW_STATE_CANCELLED);
}

static void what_waits_for_its_turn_does_not_begin (void **state) {
    scheduler_fixture_t *f = *state;
    f->options->strategy = DW_REACTIVE; /* in order of arrival */
    scheduler_fixture_add (f, "a", "work", "");
    scheduler_fixture_add (f, "b", "work", "");
    scheduler_fixture_add (f, "c", "work", "");
    scheduler_fixture_open (f);
    JOIN_CREDIT (0, 1), SUBMIT (0), CANCEL_NODE (0, 1), DONE (0, 0), DONE (0, 1);
    EXPECT ("run 0: send node 0 to worker 0\n"
            "run 0: keep node 0\n"
            "run 0: send node 2 to worker 0\n"
            "run 0: keep node 2\n"
            "run 0: finished partial\n");
}

static void a_chain_goes_on_up_to_what_was_cancelled (void **state) {
    scheduler_fixture_t *f = *state;
    s_open_chain (f);
    JOIN (0), SUBMIT (0), CANCEL_NODE (0, 2);
    EXPECT ("run 0: send node 0 to worker 0, 3 steps\n"
            "worker 0: cancel ticket 0 behind 2 steps\n");
    CANCEL_NODE (0, 1), DONE_STEPS (0, 0, 1);
    EXPECT ("worker 0: cancel ticket 0 behind 1 steps\n"
            "run 0: keep node 0\n"
            "run 0: finished partial\n");
}

static void what_a_worker_ran_of_it_before_it_heard_is_not_kept (void **state) {
    scheduler_fixture_t *f = *state;
    s_open_chain (f);
    JOIN (0), SUBMIT (0), CANCEL_NODE (0, 2), DONE_STEPS (0, 0, 3);
    EXPECT ("run 0: send node 0 to worker 0, 3 steps\n"
            "worker 0: cancel ticket 0 behind 2 steps\n"
            "run 0: keep nodes 0 and 1 more\n"
            "run 0: finished partial\n");
    s_expect_state (f, 2, DW_STATE_CANCELLED);
    SUBMIT (1); /* the worker is there for the next one */
    EXPECT ("run 1: send node 0 to worker 0, 3 steps\n");
}

static void a_worker_that_does_not_leave_what_was_cancelled_is_replaced (void **state) {
    scheduler_fixture_t *f = *state;
    s_open_chain (f);
    JOIN (0), SUBMIT (0), CANCEL_NODE (0, 2), PART (0, 0, 2);
    EXPECT ("run 0: send node 0 to worker 0, 3 steps\n"
            "worker 0: cancel ticket 0 behind 2 steps\n"
            "run 0: keep nodes 0 and 1 more\n"
            "worker 0: cancel ticket 0\n"
            "run 0: finished partial\n");
    PASS (100 * MS);
    EXPECT ("replace worker 0, stuck in node 2\n");
}

static void an_answer_for_more_than_was_ever_sent_makes_no_sense (void **state) {
    scheduler_fixture_t *f = *state;
    s_open_chain (f);
    JOIN (0), SUBMIT (0), CANCEL_NODE (0, 2), DONE_STEPS (0, 0, 4);
    EXPECT ("run 0: send node 0 to worker 0, 3 steps\n"
            "worker 0: cancel ticket 0 behind 2 steps\n"
            "run 0: node 0 failed with 502\n"
            "run 0: finished partial\n");
    s_expect_state (f, 1, DW_STATE_SKIPPED);
    s_expect_state (f, 2, DW_STATE_CANCELLED);
}

static void a_lost_worker_s_chain_is_sent_again_without_what_was_cancelled (void **state) {
    scheduler_fixture_t *f = *state;
    s_open_chain (f);
    JOIN (0), SUBMIT (0), CANCEL_NODE (0, 2), LOSE (0), JOIN (1), DONE (1, 0), DONE (1, 1);
    EXPECT ("run 0: send node 0 to worker 0, 3 steps\n"
            "worker 0: cancel ticket 0 behind 2 steps\n"
            "run 0: send node 0 to worker 1, attempt 2\n"
            "run 0: keep node 0\n"
            "run 0: send node 1 to worker 1\n"
            "run 0: keep node 1\n"
            "run 0: finished partial\n");
}

static void what_was_put_off_is_not_tried_again (void **state) {
    scheduler_fixture_t *f = *state;
    f->options->retry_attempts = 1;
    f->options->backoff.initial_us = 1000;
    scheduler_fixture_add (f, "a", "work", "");
    scheduler_fixture_add (f, "b", "work", "");
    scheduler_fixture_open (f);
    JOIN_CREDIT (0, 1), SUBMIT (0), FAIL (0, 0, 500), CANCEL_NODE (0, 0);
    PASS (10 * MS);
    DONE (0, 1);
    EXPECT ("run 0: send node 0 to worker 0\n"
            "run 0: node 0 failed with 500\n"
            "run 0: send node 1 to worker 0\n"
            "run 0: keep node 1\n"
            "run 0: finished partial\n");
}

static void what_is_done_stays_and_what_depends_on_it_is_cancelled (void **state) {
    scheduler_fixture_t *f = *state;
    s_open_fork (f);
    JOIN (0), SUBMIT (0), DONE (0, 0), CANCEL_NODE (0, 0);
    EXPECT ("run 0: send node 0 to worker 0\n"
            "run 0: keep node 0\n"
            "run 0: send node 1 to worker 0, 2 steps\n"
            "run 0: send node 2 to worker 0\n"
            "worker 0: cancel ticket 1\n"
            "worker 0: cancel ticket 2\n"
            "run 0: finished partial\n");
    s_expect_state (f, 0, DW_STATE_DONE);
}

static void an_output_that_only_it_would_have_read_is_dropped (void **state) {
    scheduler_fixture_t *f = *state;
    static const uint32_t outputs[] = {2, 3};
    s_open_fork (f);
    JOIN (0), SUBMIT_OUTPUTS (0, outputs, 2), DONE (0, 0), DONE (0, 2);
    EXPECT ("run 0: send node 0 to worker 0\n"
            "run 0: keep node 0\n"
            "run 0: send node 1 to worker 0, 2 steps\n"
            "run 0: send node 2 to worker 0\n");
    DONE_STEPS (0, 1, 1); /* b; c was given back, and sent again */
    EXPECT ("run 0: keep node 1\n"
            "run 0: send node 3 to worker 0\n");
    CANCEL_NODE (0, 3);
    EXPECT ("worker 0: cancel ticket 3\n"
            "run 0: drop node 1\n");
    DONE (0, 2);
    EXPECT ("run 0: keep node 2\n"
            "run 0: drop node 0\n"
            "run 0: finished partial\n");
}

static void levels_open_though_one_of_them_was_cancelled (void **state) {
    scheduler_fixture_t *f = *state;
    f->options->strategy = DW_LEVEL;
    s_open_fork (f);
    JOIN (0), SUBMIT (0), DONE (0, 0), DONE (0, 1);
    EXPECT ("run 0: send node 0 to worker 0\n"
            "run 0: keep node 0\n"
            "run 0: send node 1 to worker 0\n"
            "run 0: send node 2 to worker 0\n"
            "run 0: keep node 1\n");
    CANCEL_NODE (0, 2);
    EXPECT ("worker 0: cancel ticket 2\n");
    DONE (0, 2);
    EXPECT ("run 0: send node 3 to worker 0\n");
}

static void s_count_causes (void *arg, uint32_t node, const uint32_t *causes,
                            uint32_t causes_count) {
    uint32_t *told = arg;
    (void) causes;
    told[node] += causes_count;
}

static void it_is_put_down_to_nobody_s_failure (void **state) {
    scheduler_fixture_t *f = *state;
    uint32_t told[4] = {0};
    f->options->failure_strategy = DW_FAIL_FAST;
    s_open_fork (f);
    JOIN (0), SUBMIT (0), CANCEL_NODE (0, 1), FAIL (0, 0, 500);
    EXPECT ("run 0: send node 0 to worker 0\n"
            "run 0: node 0 failed with 500\n"
            "run 0: finished failed\n");
    assert_int_equal (dw_scheduler_causes (f->scheduler, 0, s_count_causes, told), DW_OK);
    assert_int_equal (told[1], 0);
    assert_int_equal (told[2], 1); /* d was skipped */
}

static void a_run_that_has_ended_or_a_node_that_there_is_not_is_ignored (void **state) {
    scheduler_fixture_t *f = *state;
    s_open_chain (f);
    JOIN (0), CANCEL_NODE (0, 0), SUBMIT (0), CANCEL_NODE (0, 3), DONE_STEPS (0, 0, 3);
    CANCEL_NODE (0, 0);
    EXPECT ("run 0: send node 0 to worker 0, 3 steps\n"
            "run 0: keep nodes 0 and 2 more\n"
            "run 0: finished ok\n");
}

static void own_work_goes_on_up_to_what_was_cancelled (void **state) {
    scheduler_fixture_t *f = *state;
    scheduler_fixture_add (f, "a", "brief", "");
    scheduler_fixture_add (f, "b", "brief", "a");
    scheduler_fixture_add (f, "c", "brief", "b");
    scheduler_fixture_open (f);
    JOIN_LOCAL (1), SUBMIT (0), CANCEL_NODE (0, 1);
    WORK_ALL ();
    EXPECT ("run 0: own node 0\n"
            "run 0: finished partial\n");
}

int main (void) {
    const struct CMUnitTest tests[] = {
        TRANSCRIPT (the_rest_of_the_run_goes_on),
        TRANSCRIPT (a_join_is_no_way_around_it),
        TRANSCRIPT (what_runs_is_told),
        TRANSCRIPT (what_waits_for_its_turn_does_not_begin),
        TRANSCRIPT (a_chain_goes_on_up_to_what_was_cancelled),
        TRANSCRIPT (what_a_worker_ran_of_it_before_it_heard_is_not_kept),
        TRANSCRIPT (a_worker_that_does_not_leave_what_was_cancelled_is_replaced),
        TRANSCRIPT (an_answer_for_more_than_was_ever_sent_makes_no_sense),
        TRANSCRIPT (a_lost_worker_s_chain_is_sent_again_without_what_was_cancelled),
        TRANSCRIPT (what_was_put_off_is_not_tried_again),
        TRANSCRIPT (what_is_done_stays_and_what_depends_on_it_is_cancelled),
        TRANSCRIPT (an_output_that_only_it_would_have_read_is_dropped),
        TRANSCRIPT (levels_open_though_one_of_them_was_cancelled),
        TRANSCRIPT (it_is_put_down_to_nobody_s_failure),
        TRANSCRIPT (a_run_that_has_ended_or_a_node_that_there_is_not_is_ignored),
        TRANSCRIPT (own_work_goes_on_up_to_what_was_cancelled),
    };
    return cmocka_run_group_tests_name ("scheduler_cancel", tests, NULL, NULL);
}
