/* test_scheduler_own.c - what the shell's thread is given to run between two steps, as
 * transcripts. */

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "tests/support/scheduler_steps.h"

#define HAS_OWN(expected) assert_int_equal (dw_scheduler_has_own (f->scheduler), (expected))

/* -- What is given -------------------------------------------------------------------------- */

static void only_brief_nodes_without_a_timeout_are_own_work (void **state) {
    scheduler_fixture_t *f = *state;
    scheduler_fixture_add (f, "brief", "brief", "");
    scheduler_fixture_add (f, "timed", "brief", "")->timeout_us = 1000000;
    scheduler_fixture_add (f, "work", "work", "");
    scheduler_fixture_open (f);
    JOIN_LOCAL (2), SUBMIT (0), PASS (0);
    EXPECT (""); /* no step sends that thread anything */
    HAS_OWN (true);
    WORK_ALL ();
    EXPECT ("run 0: own node 0\n"); /* there is nobody else for the other two */
    HAS_OWN (false);
    JOIN (0);
    EXPECT ("run 0: send node 1 to worker 0\n");
}

static void own_output_stays_where_it_is_and_the_run_finishes_at_once (void **state) {
    scheduler_fixture_t *f = *state;
    f->tells_sources = true;
    scheduler_fixture_add (f, "a", "brief", "");
    scheduler_fixture_add (f, "b", "brief", "");
    scheduler_fixture_add (f, "both", "quick", "a b");
    scheduler_fixture_open (f);
    JOIN_LOCAL (2), SUBMIT (0), SUBMIT (1), WORK_ALL ();
    EXPECT ("run 0: own node 0, reading the input\n"
            "run 0: own node 1, reading the input\n"
            "run 0: own node 2, reading node 1\n"
            "run 0: finished ok\n"
            "run 1: own node 0, reading the input\n"
            "run 1: own node 1, reading the input\n"
            "run 1: own node 2, reading node 1\n"
            "run 1: finished ok\n");
    assert_true (dw_scheduler_all_done (f->scheduler, 0));
    assert_int_equal (dw_scheduler_counts (f->scheduler).tasks_sent, 6);
    assert_int_equal (dw_scheduler_counts (f->scheduler).steps_done, 6);
}

static void own_work_stops_when_it_is_told_to_and_goes_on_later (void **state) {
    scheduler_fixture_t *f = *state;
    scheduler_fixture_add (f, "a", "brief", "");
    scheduler_fixture_add (f, "b", "brief", "");
    scheduler_fixture_open (f);
    JOIN_LOCAL (2), SUBMIT (0), WORK (.tasks = 1);
    EXPECT ("run 0: own node 0\n");
    HAS_OWN (true);
    assert_int_equal (dw_scheduler_ready_count (f->scheduler), 1);
    WORK (.tasks = 1);
    EXPECT ("run 0: own node 1\n"
            "run 0: finished ok\n");
    HAS_OWN (false);
}

static void outputs_that_nobody_reads_any_more_are_dropped_within_own_work (void **state) {
    scheduler_fixture_t *f = *state;
    const uint32_t outputs[] = {2};
    scheduler_fixture_add (f, "a", "brief", "");
    scheduler_fixture_add (f, "b", "brief", "");
    scheduler_fixture_add (f, "both", "brief", "a b");
    scheduler_fixture_add (f, "after", "brief", "both");
    scheduler_fixture_open (f);
    JOIN_LOCAL (2), SUBMIT_OUTPUTS (0, outputs, 1), WORK_ALL ();
    EXPECT ("run 0: own node 0\n"
            "run 0: own node 1\n"
            "run 0: own node 2\n"
            "run 0: drop node 0\n"
            "run 0: drop node 1\n"
            "run 0: finished ok\n");
}

/* -- Chains --------------------------------------------------------------------------------- */

static void s_open_chain (scheduler_fixture_t *f) {
    scheduler_fixture_add (f, "a", "brief", "");
    scheduler_fixture_add (f, "b", "quick", "a");
    scheduler_fixture_add (f, "c", "brief", "b");
    scheduler_fixture_open (f);
    JOIN_LOCAL (2), SUBMIT (0);
}

static void own_chain_that_is_cut_short_goes_on_from_there (void **state) {
    scheduler_fixture_t *f = *state;
    f->tells_sources = true;
    s_open_chain (f);
    WORK (.tasks = 1, .is_cut = true, .steps = 1);
    EXPECT ("run 0: own node 0, 3 steps, reading the input\n");
    WORK_ALL ();
    EXPECT ("run 0: own node 1, 2 steps, reading node 0\n"
            "run 0: finished ok\n");
    for (uint32_t node = 0; node < 3; node++)
        assert_int_equal (dw_scheduler_node_attempts (f->scheduler, 0, node), 1);
}

static void rest_of_an_own_chain_may_go_to_an_actor (void **state) {
    scheduler_fixture_t *f = *state;
    s_open_chain (f);
    WORK (.tasks = 1, .is_cut = true, .steps = 2);
    EXPECT ("run 0: own node 0, 3 steps\n");
    LOSE (2), JOIN (0);
    EXPECT ("run 0: send node 2 to worker 0\n");
}

static void own_task_that_is_given_back_was_not_attempted (void **state) {
    scheduler_fixture_t *f = *state;
    s_open_chain (f);
    WORK (.tasks = 1, .is_cut = true), WORK_ALL ();
    EXPECT ("run 0: own node 0, 3 steps\n"
            "run 0: own node 0, 3 steps\n"
            "run 0: finished ok\n");
    assert_int_equal (dw_scheduler_counts (f->scheduler).returned, 1);
    assert_int_equal (dw_scheduler_node_attempts (f->scheduler, 0, 0), 1);
}

/* -- Failures ------------------------------------------------------------------------------- */

static void failed_own_step_is_retried_from_that_step (void **state) {
    scheduler_fixture_t *f = *state;
    f->options->retry_attempts = 1;
    f->options->backoff.initial_us = 1000;
    f->options->backoff.jitter = 0;
    s_open_chain (f);
    WORK (.tasks = 1, .is_cut = true, .steps = 1, .code = 500);
    EXPECT ("run 0: own node 0, 3 steps\n"
            "run 0: node 1 failed with 500\n");
    HAS_OWN (false);
    assert_true (scheduler_fixture_wait (f));
    assert_int_equal (f->now_ns, 1 * MS);
    WORK (.tasks = 1, .is_cut = true, .code = 501);
    EXPECT ("run 0: own node 1, 2 steps, attempt 2\n"
            "run 0: node 1 failed with 501\n"
            "run 0: finished partial\n");
    assert_int_equal (dw_scheduler_node_state (f->scheduler, 0, 2), DW_STATE_SKIPPED);
}

static void own_failure_under_fail_fast_cancels_what_actors_run (void **state) {
    scheduler_fixture_t *f = *state;
    f->options->failure_strategy = DW_FAIL_FAST;
    f->options->priority = DW_CRITICAL_PATH;
    scheduler_fixture_add (f, "work", "work", "")->cost_us = 100;
    scheduler_fixture_add (f, "a", "brief", "");
    scheduler_fixture_add (f, "b", "brief", "");
    scheduler_fixture_open (f);
    JOIN (0), JOIN_LOCAL (2), SUBMIT (0);
    EXPECT ("run 0: send node 0 to worker 0\n");
    WORK (.tasks = 1, .is_cut = true, .code = 418);
    EXPECT ("run 0: own node 1\n"
            "run 0: node 1 failed with 418\n"
            "worker 0: cancel ticket 0\n"
            "run 0: finished failed\n");
    assert_int_equal (dw_scheduler_node_state (f->scheduler, 0, 0), DW_STATE_CANCELLED);
    assert_int_equal (dw_scheduler_node_state (f->scheduler, 0, 2), DW_STATE_SKIPPED);
    assert_int_equal (dw_scheduler_ready_count (f->scheduler), 0);
}

/* A skipped node is not counted down by what else it depends on, down to where it would be
 * ready. */
static void own_work_leaves_skipped_nodes_alone (void **state) {
    scheduler_fixture_t *f = *state;
    scheduler_fixture_add (f, "bad", "brief", "");
    scheduler_fixture_add (f, "good", "brief", "");
    scheduler_fixture_add (f, "after_bad", "brief", "bad");
    scheduler_fixture_add (f, "after_good", "brief", "good");
    scheduler_fixture_add (f, "after_all", "brief", "bad good after_good");
    scheduler_fixture_open (f);
    JOIN_LOCAL (2), SUBMIT (0), WORK (.tasks = 1, .is_cut = true, .code = 500), WORK_ALL ();
    EXPECT ("run 0: own node 0\n"
            "run 0: node 0 failed with 500\n"
            "run 0: own node 1\n"
            "run 0: own node 3\n"
            "run 0: finished partial\n");
    assert_int_equal (dw_scheduler_node_state (f->scheduler, 0, 4), DW_STATE_SKIPPED);
}

/* -- Times ---------------------------------------------------------------------------------- */

static void two_slow_looks_end_a_processors_being_brief (void **state) {
    scheduler_fixture_t *f = *state;
    scheduler_fixture_add (f, "a", "brief", "");
    scheduler_fixture_open (f);
    JOIN_LOCAL (2);
    SUBMIT (0), WORK (.took_ns = 300000), SUBMIT (1), WORK (.took_ns = 1000);
    SUBMIT (2), WORK (.took_ns = 300000), SUBMIT (3), WORK (.took_ns = 300000);
    EXPECT ("run 0: own node 0\n"
            "run 0: finished ok\n"
            "run 1: own node 0\n"
            "run 1: finished ok\n"
            "run 2: own node 0\n"
            "run 2: finished ok\n"
            "run 3: own node 0\n"
            "run 3: finished ok\n");
    dw_scheduler_forget (f->scheduler, 0);
    SUBMIT (0);
    HAS_OWN (false);
    JOIN (0);
    EXPECT ("run 0: send node 0 to worker 0\n");
}

static void time_told_by_a_task_is_that_of_its_own_processor (void **state) {
    scheduler_fixture_t *f = *state;
    scheduler_fixture_add (f, "slow", "brief", "");
    scheduler_fixture_add (f, "fast", "quick", "");
    scheduler_fixture_open (f);
    JOIN_LOCAL (2);
    SUBMIT (0), WORK (.tasks = 1, .took_ns = 300000), WORK (.tasks = 1);
    SUBMIT (1), WORK (.tasks = 1, .took_ns = 300000);
    EXPECT ("run 0: own node 0\n"
            "run 0: own node 1\n"
            "run 0: finished ok\n"
            "run 1: own node 0\n");
    HAS_OWN (true);
    WORK (.tasks = 1);
    EXPECT ("run 1: own node 1\n"
            "run 1: finished ok\n");
    SUBMIT (2);
    HAS_OWN (false); /* the slow one is next */
    JOIN (0);
    EXPECT ("run 2: send node 0 to worker 0\n");
    HAS_OWN (true); /* and the fast one is still brief */
}

static void steps_of_a_chain_are_timed_one_by_one (void **state) {
    scheduler_fixture_t *f = *state;
    s_open_chain (f);
    WORK (.tasks = 1, .is_cut = true, .steps = 1);
    WORK (.tasks = 1, .is_cut = true, .steps = 1, .took_ns = 300000);
    WORK (.tasks = 1);
    SUBMIT (1), WORK (.tasks = 1, .is_cut = true, .steps = 1);
    WORK (.tasks = 1, .is_cut = true, .steps = 1, .took_ns = 300000);
    WORK (.tasks = 1), SUBMIT (2);
    EXPECT ("run 0: own node 0, 3 steps\n"
            "run 0: own node 1, 2 steps\n"
            "run 0: own node 2\n"
            "run 0: finished ok\n"
            "run 1: own node 0, 3 steps\n"
            "run 1: own node 1, 2 steps\n"
            "run 1: own node 2\n"
            "run 1: finished ok\n");
    WORK_ALL (); /* b alone is slow: a chain ends before it */
    EXPECT ("run 2: own node 0\n");
    JOIN (0);
    EXPECT ("run 2: send node 1 to worker 0, 2 steps\n");
}

static void steps_that_are_timed_together_are_all_slow (void **state) {
    scheduler_fixture_t *f = *state;
    s_open_chain (f);
    WORK (.took_ns = 300000, .looks_once = true), SUBMIT (1);
    WORK (.took_ns = 300000, .looks_once = true), SUBMIT (2);
    EXPECT ("run 0: own node 0, 3 steps\n"
            "run 0: finished ok\n"
            "run 1: own node 0, 3 steps\n"
            "run 1: finished ok\n");
    HAS_OWN (false);
}

/* -- Beside actors -------------------------------------------------------------------------- */

static void work_that_is_not_own_wakes_an_actor_at_once (void **state) {
    scheduler_fixture_t *f = *state;
    scheduler_fixture_add (f, "work", "work", "");
    scheduler_fixture_add (f, "brief", "brief", "");
    scheduler_fixture_open (f);
    JOIN (0), JOIN_LOCAL (2), SUBMIT (0);
    EXPECT ("run 0: send node 0 to worker 0\n");
    WORK_ALL ();
    EXPECT ("run 0: own node 1\n");
}

static void max_concurrency_counts_own_work_while_there_is_some (void **state) {
    scheduler_fixture_t *f = *state;
    f->options->max_concurrency = 1;
    scheduler_fixture_add (f, "brief", "brief", "");
    scheduler_fixture_add (f, "work", "work", "");
    scheduler_fixture_open (f);
    JOIN (0), JOIN (1), JOIN_LOCAL (2), SUBMIT (0);
    EXPECT (""); /* the one is the shell's thread, */
    WORK_ALL (), PASS (0);
    EXPECT ("run 0: own node 0\n"
            "run 0: send node 1 to worker 1\n"); /* and now an actor, */
    SUBMIT (1);
    HAS_OWN (false);
    WORK_ALL ();
    EXPECT ("");
    DONE (1, 0); /* and now again the other */
    EXPECT ("run 0: keep node 1\n"
            "run 0: finished ok\n");
    HAS_OWN (true);
}

static void actor_is_woken_when_another_got_what_was_to_be_own_work (void **state) {
    scheduler_fixture_t *f = *state;
    scheduler_fixture_add (f, "brief", "brief", "");
    scheduler_fixture_add (f, "work", "work", "");
    scheduler_fixture_open (f);
    JOIN (0), SUBMIT (0), DONE_TOOK (0, 0, 20000), DONE_TOOK (0, 1, 20000), SUBMIT (1);
    EXPECT ("run 0: send node 0 to worker 0\n"
            "run 0: keep node 0\n"
            "run 0: send node 1 to worker 0\n"
            "run 0: keep node 1\n"
            "run 0: finished ok\n"
            "run 1: send node 0 to worker 0\n"
            "run 1: send node 1 to worker 0\n");
    DONE_TOOK (0, 2, 20000), JOIN (1), JOIN_LOCAL (2), SUBMIT (2);
    EXPECT ("run 1: keep node 0\n"
            "run 2: send node 0 to worker 0\n"
            "run 2: send node 1 to worker 1\n");
}

static void little_work_that_is_its_own_wakes_nobody (void **state) {
    scheduler_fixture_t *f = *state;
    f->options->pool_size = 2;
    scheduler_fixture_add (f, "a", "brief", "");
    scheduler_fixture_add (f, "b", "brief", "");
    scheduler_fixture_open (f);
    JOIN (0), SUBMIT (0), DONE_TOOK (0, 0, 20000), DONE_TOOK (0, 1, 20000);
    EXPECT ("run 0: send node 0 to worker 0\n"
            "run 0: keep node 0\n"
            "run 0: send node 1 to worker 0\n"
            "run 0: keep node 1\n"
            "run 0: finished ok\n");
    JOIN_LOCAL (1), SUBMIT (1);
    EXPECT ("run 1: send node 0 to worker 0\n"); /* the last one is left to the shell's thread */
    HAS_OWN (true);
}

int main (void) {
    const struct CMUnitTest tests[] = {
        TRANSCRIPT (only_brief_nodes_without_a_timeout_are_own_work),
        TRANSCRIPT (own_output_stays_where_it_is_and_the_run_finishes_at_once),
        TRANSCRIPT (own_work_stops_when_it_is_told_to_and_goes_on_later),
        TRANSCRIPT (outputs_that_nobody_reads_any_more_are_dropped_within_own_work),
        TRANSCRIPT (own_chain_that_is_cut_short_goes_on_from_there),
        TRANSCRIPT (rest_of_an_own_chain_may_go_to_an_actor),
        TRANSCRIPT (own_task_that_is_given_back_was_not_attempted),
        TRANSCRIPT (failed_own_step_is_retried_from_that_step),
        TRANSCRIPT (own_failure_under_fail_fast_cancels_what_actors_run),
        TRANSCRIPT (own_work_leaves_skipped_nodes_alone),
        TRANSCRIPT (two_slow_looks_end_a_processors_being_brief),
        TRANSCRIPT (time_told_by_a_task_is_that_of_its_own_processor),
        TRANSCRIPT (steps_of_a_chain_are_timed_one_by_one),
        TRANSCRIPT (steps_that_are_timed_together_are_all_slow),
        TRANSCRIPT (work_that_is_not_own_wakes_an_actor_at_once),
        TRANSCRIPT (max_concurrency_counts_own_work_while_there_is_some),
        TRANSCRIPT (actor_is_woken_when_another_got_what_was_to_be_own_work),
        TRANSCRIPT (little_work_that_is_its_own_wakes_nobody),
    };
    return !!cmocka_run_group_tests (tests, NULL, NULL);
}
