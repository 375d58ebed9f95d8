/* test_scheduler.c - what runs next, as transcripts: order, chains, batches, limits, outputs, ends
 * of runs. Faults are in test_scheduler_faults.c, the shell's own work is in
 * test_scheduler_own.c. */

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "tests/support/scheduler_steps.h"

/* -- Order ---------------------------------------------------------------------------------- */

static void work_queue_takes_transforms_before_analyzers_then_declaration (void **state) {
    scheduler_fixture_t *f = *state;
    scheduler_fixture_add (f, "count", "look", "");
    scheduler_fixture_add (f, "upper", "work", "");
    scheduler_fixture_add (f, "lower", "work", "");
    scheduler_fixture_open (f);
    JOIN (0), SUBMIT (0);
    EXPECT ("run 0: send node 1 to worker 0\n");
    DONE (0, 0);
    EXPECT ("run 0: keep node 1\n"
            "run 0: send node 2 to worker 0\n");
    DONE (0, 1);
    EXPECT ("run 0: keep node 2\n"
            "run 0: send node 0 to worker 0\n");
}

static void critical_path_takes_the_longest_remaining_path_first (void **state) {
    scheduler_fixture_t *f = *state;
    f->options->priority = DW_CRITICAL_PATH;
    f->options->batch_size = 1;
    scheduler_fixture_add (f, "short", "work", "");
    scheduler_fixture_add (f, "long", "work", "");
    scheduler_fixture_add (f, "end", "work", "long short")->cost_us = 5;
    scheduler_fixture_add (f, "longest", "work", "")->cost_us = 100;
    scheduler_fixture_open (f); /* ranks: short 0, long 1, longest 2, end 3 */
    JOIN (0), SUBMIT (0);
    EXPECT ("run 0: send node 2 to worker 0\n");
    DONE (0, 0);
    EXPECT ("run 0: keep node 2\n"
            "run 0: send node 0 to worker 0\n");
}

static void critical_path_holds_across_actor_threads (void **state) {
    scheduler_fixture_t *f = *state;
    f->options->actors = DW_ACTORS_THREAD;
    f->options->priority = DW_CRITICAL_PATH;
    f->options->max_concurrency = 1;
    scheduler_fixture_add (f, "short", "work", "");
    scheduler_fixture_add (f, "longest", "work", "")->cost_us = 100;
    scheduler_fixture_open (f);
    JOIN_LANE (0, f->plan->lane[0]), JOIN_LANE (1, f->plan->lane[1]), SUBMIT (0);
    EXPECT ("run 0: send node 1 to worker 1\n");
}

static void reactive_takes_nodes_in_the_order_in_which_their_dependencies_were_met (void **state) {
    scheduler_fixture_t *f = *state;
    f->options->strategy = DW_REACTIVE;
    f->options->batch_size = 1;
    scheduler_fixture_add (f, "a", "work", "");
    scheduler_fixture_add (f, "b", "work", "");
    scheduler_fixture_add (f, "after_a", "work", "a");
    scheduler_fixture_add (f, "after_b", "work", "b");
    scheduler_fixture_add (f, "also_after_a", "work", "a");
    scheduler_fixture_add (f, "also_after_b", "work", "b");
    scheduler_fixture_open (f);
    JOIN (0), JOIN (1), SUBMIT (0);
    EXPECT ("run 0: send node 0 to worker 1\n"
            "run 0: send node 1 to worker 0\n");
    DONE_TOOK (0, 0, 400000); /* b first, so what follows b comes before what follows a */
    DONE_TOOK (1, 0, 400000);
    EXPECT ("run 0: keep node 1\n"
            "run 0: send node 3 to worker 0\n"
            "run 0: keep node 0\n"
            "run 0: send node 5 to worker 1\n");
    DONE_TOOK (0, 1, 400000);
    EXPECT ("run 0: keep node 3\n"
            "run 0: send node 2 to worker 0\n");
}

static void level_strategy_waits_for_the_whole_level (void **state) {
    scheduler_fixture_t *f = *state;
    f->options->strategy = DW_LEVEL;
    scheduler_fixture_add (f, "a", "work", "");
    scheduler_fixture_add (f, "b", "work", "");
    scheduler_fixture_add (f, "after_a", "work", "a");
    scheduler_fixture_open (f);
    JOIN (0), JOIN (1), SUBMIT (0);
    EXPECT ("run 0: send node 0 to worker 1\n"
            "run 0: send node 1 to worker 0\n");
    DONE (1, 0);
    EXPECT ("run 0: keep node 0\n"); /* its dependent waits for b, too */
    FAIL (0, 0, 500);
    EXPECT ("run 0: node 1 failed with 500\n"
            "run 0: send node 2 to worker 1\n");
}

static void runs_come_first_come_first_served (void **state) {
    scheduler_fixture_t *f = *state;
    scheduler_fixture_add (f, "a", "work", "");
    scheduler_fixture_open (f);
    JOIN (0), SUBMIT (0), SUBMIT (2), SUBMIT (1);
    DONE (0, 0);
    EXPECT ("run 0: send node 0 to worker 0\n"
            "run 0: keep node 0\n"
            "run 0: finished ok\n"
            "run 2: send node 0 to worker 0\n"
            "run 1: send node 0 to worker 0\n"); /* now that it is known how long they take */
}

/* -- Messages and limits -------------------------------------------------------------------- */

/* As many sources as wanted, all of them "work". */
static void s_add_sources (scheduler_fixture_t *f, int count) {
    char id[16];
    for (int i = 0; i < count; i++) {
        snprintf (id, sizeof id, "n%d", i);
        scheduler_fixture_add (f, id, "work", "");
    }
}

static void first_task_of_a_processor_travels_alone (void **state) {
    scheduler_fixture_t *f = *state;
    f->options->pool_size = 1;
    s_add_sources (f, 4);
    scheduler_fixture_open (f);
    JOIN (0), SUBMIT (0);
    EXPECT ("run 0: send node 0 to worker 0\n");
    DONE (0, 0); /* a microsecond: 50 of them would make a message */
    EXPECT ("run 0: keep node 0\n"
            "run 0: send node 1 to worker 0\n"
            "run 0: send node 2 to worker 0\n"
            "run 0: send node 3 to worker 0\n");
}

static void message_carries_some_tens_of_microseconds_of_work (void **state) {
    scheduler_fixture_t *f = *state;
    f->options->pool_size = 1;
    s_add_sources (f, 5);
    scheduler_fixture_open (f);
    JOIN (0), SUBMIT (0);
    DONE_TOOK (0, 0, 20000);
    EXPECT ("run 0: send node 0 to worker 0\n"
            "run 0: keep node 0\n"
            "run 0: send node 1 to worker 0\n"
            "run 0: send node 2 to worker 0\n");
    DONE_TOOK (0, 1, 20000); /* less than half a message is left: the next one */
    EXPECT ("run 0: keep node 1\n"
            "run 0: send node 3 to worker 0\n");
}

static void batch_size_bounds_a_message (void **state) {
    scheduler_fixture_t *f = *state;
    f->options->pool_size = 1;
    f->options->batch_size = 2;
    s_add_sources (f, 4);
    scheduler_fixture_open (f);
    JOIN (0), SUBMIT (0);
    DONE (0, 0);
    EXPECT ("run 0: send node 0 to worker 0\n"
            "run 0: keep node 0\n"
            "run 0: send node 1 to worker 0\n"
            "run 0: send node 2 to worker 0\n");
}

static void credit_bounds_what_a_worker_holds (void **state) {
    scheduler_fixture_t *f = *state;
    f->options->pool_size = 1;
    s_add_sources (f, 4);
    scheduler_fixture_open (f);
    JOIN_CREDIT (0, 2), SUBMIT (0);
    DONE (0, 0);
    EXPECT ("run 0: send node 0 to worker 0\n"
            "run 0: keep node 0\n"
            "run 0: send node 1 to worker 0\n"
            "run 0: send node 2 to worker 0\n");
    assert_int_equal (dw_scheduler_unanswered_count (f->scheduler, 0), 2);
    assert_int_equal (dw_scheduler_ready_count (f->scheduler), 1);
}

static void max_concurrency_bounds_how_many_workers_are_busy (void **state) {
    scheduler_fixture_t *f = *state;
    f->options->pool_size = 3;
    f->options->max_concurrency = 2;
    s_add_sources (f, 3);
    scheduler_fixture_open (f);
    JOIN (0), JOIN (1), JOIN (2), SUBMIT (0);
    EXPECT ("run 0: send node 0 to worker 2\n"
            "run 0: send node 1 to worker 1\n");
}

static void idle_workers_come_before_busy_ones (void **state) {
    scheduler_fixture_t *f = *state;
    s_add_sources (f, 1);
    scheduler_fixture_open (f);
    JOIN (0), JOIN (1), SUBMIT (0), DONE (1, 0);
    EXPECT ("run 0: send node 0 to worker 1\n"
            "run 0: keep node 0\n"
            "run 0: finished ok\n");
    SUBMIT (1), SUBMIT (2), SUBMIT (3); /* of a microsecond each: any would fit behind another */
    EXPECT ("run 1: send node 0 to worker 1\n"
            "run 2: send node 0 to worker 0\n"
            "run 3: send node 0 to worker 1\n");
}

/* -- Chains --------------------------------------------------------------------------------- */

static void s_add_chain (scheduler_fixture_t *f, const char *processor) {
    scheduler_fixture_add (f, "a", processor, "");
    scheduler_fixture_add (f, "b", processor, "a");
    scheduler_fixture_add (f, "c", processor, "b");
}

static void chain_travels_as_one_task_and_is_answered_in_parts (void **state) {
    scheduler_fixture_t *f = *state;
    s_add_chain (f, "work");
    scheduler_fixture_open (f);
    JOIN (0), SUBMIT (0);
    EXPECT ("run 0: send node 0 to worker 0, 3 steps\n");
    PART (0, 0, 1);
    EXPECT ("run 0: keep node 0\n");
    DONE_AFTER (1, 0, 0, 2);
    EXPECT ("run 0: keep nodes 1 and 1 more\n"
            "run 0: finished ok\n");
    for (uint32_t node = 0; node < 3; node++)
        assert_int_equal (dw_scheduler_node_attempts (f->scheduler, 0, node), 1);
}

static void chain_that_is_given_back_goes_on_from_there (void **state) {
    scheduler_fixture_t *f = *state;
    s_add_chain (f, "work");
    scheduler_fixture_open (f);
    JOIN (0), SUBMIT (0);
    DONE_STEPS (0, 0, 1);
    EXPECT ("run 0: send node 0 to worker 0, 3 steps\n"
            "run 0: keep node 0\n"
            "run 0: send node 1 to worker 0, 2 steps\n");
    PART (0, 1, 1), RETURNED_AFTER (1, 0, 1);
    EXPECT ("run 0: keep node 1\n"
            "run 0: send node 2 to worker 0\n");
}

static void failed_step_of_a_chain_is_retried_from_that_step (void **state) {
    scheduler_fixture_t *f = *state;
    f->options->retry_attempts = 1;
    f->options->backoff.initial_us = 1000;
    f->options->backoff.jitter = 0;
    s_add_chain (f, "work");
    scheduler_fixture_open (f);
    JOIN (0), SUBMIT (0);
    PART (0, 0, 1), FAIL_AFTER (1, 0, 0, 500);
    EXPECT ("run 0: send node 0 to worker 0, 3 steps\n"
            "run 0: keep node 0\n"
            "run 0: node 1 failed with 500\n");
    assert_true (scheduler_fixture_wait (f));
    EXPECT ("run 0: send node 1 to worker 0, 2 steps, attempt 2\n");
}

static void level_strategy_and_timed_nodes_make_no_chains (void **state) {
    scheduler_fixture_t *f = *state;
    scheduler_fixture_add (f, "a", "work", "");
    scheduler_fixture_add (f, "b", "work", "a")->timeout_us = 1000;
    scheduler_fixture_add (f, "c", "work", "b");
    scheduler_fixture_open (f);
    JOIN (0), SUBMIT (0);
    EXPECT ("run 0: send node 0 to worker 0\n");
    DONE (0, 0), DONE (0, 1);
    EXPECT ("run 0: keep node 0\n"
            "run 0: send node 1 to worker 0\n"
            "run 0: keep node 1\n"
            "run 0: send node 2 to worker 0\n");
}

/* -- Outputs -------------------------------------------------------------------------------- */

static void requested_outputs_run_only_what_they_need_and_keep_only_themselves (void **state) {
    scheduler_fixture_t *f = *state;
    const uint32_t outputs[] = {3};
    scheduler_fixture_add (f, "a", "work", "");
    scheduler_fixture_add (f, "aside", "work", "");
    scheduler_fixture_add (f, "b", "work", "a");
    scheduler_fixture_add (f, "c", "work", "b a");
    scheduler_fixture_add (f, "after_c", "work", "c");
    scheduler_fixture_open (f);
    JOIN (0), SUBMIT_OUTPUTS (0, outputs, 1);
    EXPECT ("run 0: send node 0 to worker 0\n");
    DONE (0, 0), DONE (0, 1);
    EXPECT ("run 0: keep node 0\n"
            "run 0: send node 2 to worker 0\n"
            "run 0: keep node 2\n"
            "run 0: send node 3 to worker 0\n"); /* a is still read: nothing is dropped */
    DONE (0, 2);
    EXPECT ("run 0: keep node 3\n"
            "run 0: drop node 0\n"
            "run 0: drop node 2\n"
            "run 0: finished ok\n");
    assert_int_equal (dw_scheduler_node_state (f->scheduler, 0, 1), DW_STATE_NOT_REQUESTED);
    assert_int_equal (dw_scheduler_node_state (f->scheduler, 0, 4), DW_STATE_NOT_REQUESTED);
    assert_true (dw_scheduler_node_requested (f->scheduler, 0, 3));
    assert_false (dw_scheduler_node_requested (f->scheduler, 0, 0));
}

static void payload_is_the_greatest_ranked_transforms_output (void **state) {
    scheduler_fixture_t *f = *state;
    f->tells_sources = true;
    scheduler_fixture_add (f, "a", "work", "");
    scheduler_fixture_add (f, "b", "work", "");
    scheduler_fixture_add (f, "count", "look", "a b");
    scheduler_fixture_add (f, "last", "work", "count a");
    scheduler_fixture_open (f);
    JOIN (0), SUBMIT (0);
    DONE (0, 0), DONE (0, 1), DONE (0, 2);
    EXPECT ("run 0: send node 0 to worker 0, reading the input\n"
            "run 0: keep node 0\n"
            "run 0: send node 1 to worker 0, reading the input\n"
            "run 0: keep node 1\n"
            "run 0: send node 2 to worker 0, reading node 1\n"
            "run 0: keep node 2\n"
            "run 0: send node 3 to worker 0, reading node 1\n");
}

static void best_effort_passes_over_a_failed_transform (void **state) {
    scheduler_fixture_t *f = *state;
    f->tells_sources = true;
    f->options->failure_strategy = DW_BEST_EFFORT;
    scheduler_fixture_add (f, "a", "work", "");
    scheduler_fixture_add (f, "b", "work", "a");
    scheduler_fixture_add (f, "c", "work", "b");
    scheduler_fixture_open (f);
    JOIN (0), SUBMIT (0);
    PART (0, 0, 1), FAIL_AFTER (1, 0, 0, 500);
    EXPECT ("run 0: send node 0 to worker 0, 3 steps, reading the input\n"
            "run 0: keep node 0\n"
            "run 0: node 1 failed with 500\n"
            "run 0: send node 2 to worker 0, reading node 0\n");
    DONE (0, 1);
    EXPECT ("run 0: keep node 2\n"
            "run 0: finished partial\n");
}

/* -- Ends of runs --------------------------------------------------------------------------- */

static void run_of_an_empty_graph_is_ok_at_once (void **state) {
    scheduler_fixture_t *f = *state;
    scheduler_fixture_open (f);
    SUBMIT (0);
    EXPECT ("run 0: finished ok\n");
}

static void fail_fast_ends_the_run_and_cancels_what_runs (void **state) {
    scheduler_fixture_t *f = *state;
    f->options->failure_strategy = DW_FAIL_FAST;
    scheduler_fixture_add (f, "a", "work", "");
    scheduler_fixture_add (f, "b", "work", "");
    scheduler_fixture_add (f, "c", "work", "a");
    scheduler_fixture_open (f);
    JOIN (0), JOIN (1), SUBMIT (0);
    FAIL (1, 0, 418);
    EXPECT ("run 0: send node 0 to worker 1, 2 steps\n"
            "run 0: send node 1 to worker 0\n"
            "run 0: node 0 failed with 418\n"
            "worker 0: cancel ticket 0\n"
            "run 0: finished failed\n");
    assert_int_equal (dw_scheduler_node_state (f->scheduler, 0, 0), DW_STATE_FAILED);
    assert_int_equal (dw_scheduler_node_state (f->scheduler, 0, 1), DW_STATE_CANCELLED);
    assert_int_equal (dw_scheduler_node_state (f->scheduler, 0, 2), DW_STATE_SKIPPED);
}

static void s_expect_causes (void *arg, uint32_t node, const uint32_t *causes, uint32_t count) {
    uint32_t *told = arg;
    told[node] = count;
    for (uint32_t i = 0; i < count; i++)
        told[node] = told[node] * 10 + causes[i];
}

static void continue_on_error_skips_all_that_depends_and_says_because_of_whom (void **state) {
    scheduler_fixture_t *f = *state;
    uint32_t told[6] = {0};
    scheduler_fixture_add (f, "a", "work", "");
    scheduler_fixture_add (f, "b", "work", "");
    scheduler_fixture_add (f, "fine", "work", "");
    scheduler_fixture_add (f, "after_a", "work", "a");
    scheduler_fixture_add (f, "after_both", "work", "after_a b");
    scheduler_fixture_open (f);
    JOIN (0), SUBMIT (0);
    FAIL (0, 0, 500), FAIL (0, 1, 501), DONE (0, 2);
    EXPECT ("run 0: send node 0 to worker 0, 2 steps\n"
            "run 0: node 0 failed with 500\n"
            "run 0: send node 1 to worker 0\n"
            "run 0: send node 2 to worker 0\n"
            "run 0: node 1 failed with 501\n"
            "run 0: keep node 2\n"
            "run 0: finished partial\n");
    assert_int_equal (dw_scheduler_causes (f->scheduler, 0, s_expect_causes, told), DW_OK);
    assert_int_equal (told[3], 10);  /* one: node 0 */
    assert_int_equal (told[4], 201); /* two: nodes 0 and 1 */
    assert_int_equal (told[2], 0);
}

static void cancelled_run_ends_at_once (void **state) {
    scheduler_fixture_t *f = *state;
    scheduler_fixture_add (f, "a", "work", "");
    scheduler_fixture_add (f, "b", "work", "a");
    scheduler_fixture_open (f);
    JOIN (0), SUBMIT (0);
    CANCEL (0), CANCEL (0); /* one that has ended is ignored */
    EXPECT ("run 0: send node 0 to worker 0, 2 steps\n"
            "worker 0: cancel ticket 0\n"
            "run 0: finished cancelled\n");
    DONE_STEPS (0, 0, 2); /* the answer comes too late */
    EXPECT ("");
    assert_int_equal (dw_scheduler_counts (f->scheduler).answers_ignored, 1);
}

static void place_of_a_run_can_be_taken_again (void **state) {
    scheduler_fixture_t *f = *state;
    f->options->retry_attempts = 1;
    f->options->backoff.initial_us = 1000;
    scheduler_fixture_add (f, "a", "work", "");
    scheduler_fixture_open (f);
    JOIN (0), SUBMIT (0), FAIL (0, 0, 500), CANCEL (0);
    dw_scheduler_forget (f->scheduler, 0);
    SUBMIT (0);
    EXPECT ("run 0: send node 0 to worker 0\n"
            "run 0: node 0 failed with 500\n"
            "run 0: finished cancelled\n"
            "run 0: send node 0 to worker 0\n");
    assert_true (scheduler_fixture_wait (f)); /* the retry of the run that was there before */
    EXPECT ("");
    DONE (0, 1);
    EXPECT ("run 0: keep node 0\n"
            "run 0: finished ok\n");
}

int main (void) {
    const struct CMUnitTest tests[] = {
        TRANSCRIPT (work_queue_takes_transforms_before_analyzers_then_declaration),
        TRANSCRIPT (critical_path_takes_the_longest_remaining_path_first),
        TRANSCRIPT (critical_path_holds_across_actor_threads),
        TRANSCRIPT (reactive_takes_nodes_in_the_order_in_which_their_dependencies_were_met),
        TRANSCRIPT (level_strategy_waits_for_the_whole_level),
        TRANSCRIPT (runs_come_first_come_first_served),
        TRANSCRIPT (first_task_of_a_processor_travels_alone),
        TRANSCRIPT (message_carries_some_tens_of_microseconds_of_work),
        TRANSCRIPT (batch_size_bounds_a_message),
        TRANSCRIPT (credit_bounds_what_a_worker_holds),
        TRANSCRIPT (max_concurrency_bounds_how_many_workers_are_busy),
        TRANSCRIPT (idle_workers_come_before_busy_ones),
        TRANSCRIPT (chain_travels_as_one_task_and_is_answered_in_parts),
        TRANSCRIPT (chain_that_is_given_back_goes_on_from_there),
        TRANSCRIPT (failed_step_of_a_chain_is_retried_from_that_step),
        TRANSCRIPT (level_strategy_and_timed_nodes_make_no_chains),
        TRANSCRIPT (requested_outputs_run_only_what_they_need_and_keep_only_themselves),
        TRANSCRIPT (payload_is_the_greatest_ranked_transforms_output),
        TRANSCRIPT (best_effort_passes_over_a_failed_transform),
        TRANSCRIPT (run_of_an_empty_graph_is_ok_at_once),
        TRANSCRIPT (fail_fast_ends_the_run_and_cancels_what_runs),
        TRANSCRIPT (continue_on_error_skips_all_that_depends_and_says_because_of_whom),
        TRANSCRIPT (cancelled_run_ends_at_once),
        TRANSCRIPT (place_of_a_run_can_be_taken_again),
    };
    return !!cmocka_run_group_tests (tests, NULL, NULL);
}
