/* test_scheduler_once.c - what may run but once, and what the scheduler says of workers that were
 * lost. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "tests/support/scheduler_steps.h"

/* It did not go down, though nobody knows what it has begun; or it is known to be at nothing. */
#define LEAVE(who) TELL (.type = DW_EVENT_WORKER_LOST, .worker = (who), .last = true)
#define IDLE(who)  TELL (.type = DW_EVENT_WORKER_LOST, .worker = (who), .last = true, .idle = true)

static void task_that_may_have_begun_is_not_sent_again (void **state) {
    scheduler_fixture_t *f = *state;
    f->options->retry_attempts = 5; /* which a loss is none of */
    scheduler_fixture_add (f, "a", "work", "")->not_idempotent = true;
    scheduler_fixture_open (f);
    JOIN (0), JOIN (1), SUBMIT (0), LOSE (0), LOSE (1);
    EXPECT ("run 0: send node 0 to worker 1\n"
            "run 0: node 0 failed with 503\n"
            "run 0: finished partial\n");
}

static void task_that_may_have_begun_though_its_worker_lives_is_not_sent_again (void **state) {
    scheduler_fixture_t *f = *state;
    scheduler_fixture_add (f, "a", "work", "")->not_idempotent = true;
    scheduler_fixture_open (f);
    JOIN (0), SUBMIT (0), LEAVE (0), JOIN (1);
    EXPECT ("run 0: send node 0 to worker 0\n"
            "run 0: node 0 failed with 503\n"
            "run 0: finished partial\n");
}

static void task_that_never_began_is_sent_again (void **state) {
    scheduler_fixture_t *f = *state;
    scheduler_fixture_add (f, "a", "work", "")->not_idempotent = true;
    scheduler_fixture_open (f);
    JOIN (0), SUBMIT (0), IDLE (0), JOIN (0);
    EXPECT ("run 0: send node 0 to worker 0\n"
            "run 0: send node 0 to worker 0\n");
    RETURNED (0, 1), DONE (0, 2);
    EXPECT ("run 0: send node 0 to worker 0\n"
            "run 0: keep node 0\n"
            "run 0: finished ok\n");
}

static void idempotent_task_of_a_worker_that_left_is_sent_again (void **state) {
    scheduler_fixture_t *f = *state;
    scheduler_fixture_add (f, "a", "work", "");
    scheduler_fixture_open (f);
    JOIN (0), SUBMIT (0);
    for (int i = 0; i < 5; i++) /* however often: that is no death */
        LEAVE (0), JOIN (0);
    DONE (0, 5);
    EXPECT ("run 0: send node 0 to worker 0\n"
            "run 0: send node 0 to worker 0\n"
            "run 0: send node 0 to worker 0\n"
            "run 0: send node 0 to worker 0\n"
            "run 0: send node 0 to worker 0\n"
            "run 0: send node 0 to worker 0\n"
            "run 0: keep node 0\n"
            "run 0: finished ok\n");
}

static void failed_attempt_is_repeated_as_the_graph_says (void **state) {
    scheduler_fixture_t *f = *state;
    f->options->retry_attempts = 1;
    f->options->backoff.initial_us = 0;
    scheduler_fixture_add (f, "a", "work", "")->not_idempotent = true;
    scheduler_fixture_open (f);
    JOIN (0), SUBMIT (0), FAIL (0, 0, 500), PASS (MS), DONE (0, 1);
    EXPECT ("run 0: send node 0 to worker 0\n"
            "run 0: node 0 failed with 500\n"
            "run 0: send node 0 to worker 0, attempt 2\n"
            "run 0: keep node 0\n"
            "run 0: finished ok\n");
}

static void task_that_may_run_but_once_travels_alone (void **state) {
    scheduler_fixture_t *f = *state;
    f->options->pool_size = f->options->max_concurrency = 1;
    scheduler_fixture_add (f, "measured", "work", "");
    scheduler_fixture_add (f, "before", "work", "measured");
    scheduler_fixture_add (f, "once", "work", "measured")->not_idempotent = true;
    scheduler_fixture_add (f, "behind", "work", "measured");
    scheduler_fixture_open (f);
    JOIN (0), SUBMIT (0), DONE (0, 0);
    EXPECT ("run 0: send node 0 to worker 0\n"
            "run 0: keep node 0\n"
            "run 0: send node 1 to worker 0\n");
    DONE (0, 1);
    EXPECT ("run 0: keep node 1\n"
            "run 0: send node 2 to worker 0\n");
    DONE (0, 2), DONE (0, 3);
    EXPECT ("run 0: keep node 2\n"
            "run 0: send node 3 to worker 0\n"
            "run 0: keep node 3\n"
            "run 0: finished ok\n");
}

static void node_that_may_run_but_once_is_in_no_chain (void **state) {
    scheduler_fixture_t *f = *state;
    scheduler_fixture_add (f, "a", "work", "");
    scheduler_fixture_add (f, "b", "work", "a");
    scheduler_fixture_add (f, "once", "work", "b")->not_idempotent = true;
    scheduler_fixture_add (f, "c", "work", "once");
    scheduler_fixture_add (f, "d", "work", "c");
    scheduler_fixture_open (f);
    JOIN (0), SUBMIT (0), DONE_STEPS (0, 0, 2), DONE (0, 1);
    EXPECT ("run 0: send node 0 to worker 0, 2 steps\n"
            "run 0: keep nodes 0 and 1 more\n"
            "run 0: send node 2 to worker 0\n"
            "run 0: keep node 2\n"
            "run 0: send node 3 to worker 0, 2 steps\n");
    LOSE (0), JOIN (1); /* what follows may run again */
    EXPECT ("run 0: send node 3 to worker 1, attempt 2\n");
}

/* ---- Who is to blame --------------------------------------------------------------------------- */

static void only_who_takes_workers_down_alone_is_quarantined (void **state) {
    scheduler_fixture_t *f = *state;
    f->options->pool_size = f->options->max_concurrency = 1;
    scheduler_fixture_add (f, "measured", "work", "");
    scheduler_fixture_add (f, "innocent", "work", "measured");
    scheduler_fixture_add (f, "guilty", "work", "measured");
    scheduler_fixture_open (f);
    JOIN (0), SUBMIT (0), DONE (0, 0);
    LOSE (0), JOIN (0); /* by node 2, of which nobody knows: node 1 was not answered for */
    DONE (0, 3);
    for (int i = 0; i < 3; i++)
        LOSE (0), JOIN (0);
    EXPECT ("run 0: send node 0 to worker 0\n"
            "run 0: keep node 0\n"
            "run 0: send node 1 to worker 0\n"
            "run 0: send node 2 to worker 0\n"
            "run 0: send node 1 to worker 0, attempt 2\n"
            "run 0: keep node 1\n"
            "run 0: send node 2 to worker 0\n"
            "run 0: send node 2 to worker 0, attempt 2\n"
            "run 0: send node 2 to worker 0, attempt 3\n"
            "run 0: node 2 failed with 503\n"
            "run 0: finished partial\n");
}

static void steps_of_a_chain_that_a_worker_went_down_with_go_alone (void **state) {
    scheduler_fixture_t *f = *state;
    scheduler_fixture_add (f, "a", "work", "");
    scheduler_fixture_add (f, "b", "work", "a");
    scheduler_fixture_add (f, "c", "work", "b");
    scheduler_fixture_open (f);
    JOIN (0), SUBMIT (0), LOSE (0), JOIN (0), DONE (0, 1), LOSE (0), JOIN (0), DONE (0, 3);
    EXPECT ("run 0: send node 0 to worker 0, 3 steps\n"
            "run 0: send node 0 to worker 0, attempt 2\n"
            "run 0: keep node 0\n"
            "run 0: send node 1 to worker 0\n"
            "run 0: send node 1 to worker 0, attempt 2\n"
            "run 0: keep node 1\n"
            "run 0: send node 2 to worker 0\n");
}

static void own_thread_does_not_run_what_took_a_worker_down (void **state) {
    scheduler_fixture_t *f = *state;
    scheduler_fixture_add (f, "a", "brief", "");
    scheduler_fixture_open (f);
    JOIN (0), SUBMIT (0);
    JOIN_LOCAL (1);
    LOSE (0);
    assert_false (dw_scheduler_has_own (f->scheduler));
    JOIN (0), DONE (0, 1);
    EXPECT ("run 0: send node 0 to worker 0\n"
            "run 0: send node 0 to worker 0, attempt 2\n"
            "run 0: keep node 0\n"
            "run 0: finished ok\n");
}

/* ---- What is said ----------------------------------------------------------------------------- */

static void each_death_is_told_with_the_mark_of_its_worker (void **state) {
    scheduler_fixture_t *f = *state;
    f->tells_deaths = true;
    scheduler_fixture_add (f, "a", "work", "");
    scheduler_fixture_open (f);
    JOIN (0), SUBMIT (0);
    TELL (.type = DW_EVENT_WORKER_LOST, .worker = 0, .handle = 7);
    JOIN (0);
    TELL (.type = DW_EVENT_WORKER_LOST, .worker = 0, .last = true, .handle = 8);
    JOIN (1);
    TELL (.type = DW_EVENT_WORKER_LOST, .worker = 1, .handle = 9);
    JOIN (0);
    TELL (.type = DW_EVENT_WORKER_LOST, .worker = 0, .handle = 10);
    EXPECT ("run 0: send node 0 to worker 0\n"
            "run 0: worker 0 was lost with node 0, attempt 1, mark 7\n"
            "run 0: send node 0 to worker 0, attempt 2\n"
            "run 0: send node 0 to worker 1, attempt 2\n"
            "run 0: worker 1 was lost with node 0, attempt 2, mark 9\n"
            "run 0: send node 0 to worker 0, attempt 3\n"
            "run 0: worker 0 was lost with node 0, attempt 3, mark 10\n"
            "run 0: node 0 failed with 503\n"
            "run 0: finished partial\n");
}

static void what_no_worker_serves_is_known (void **state) {
    scheduler_fixture_t *f = *state;
    scheduler_fixture_add (f, "a", "work", "");
    scheduler_fixture_add (f, "b", "work", "a");
    scheduler_fixture_open (f);
    assert_int_equal (dw_scheduler_unserved_node (f->scheduler, 0), DW_NONE);
    SUBMIT (0);
    assert_int_equal (dw_scheduler_unserved_node (f->scheduler, 0), 0);
    assert_int_equal (dw_scheduler_unserved_node (f->scheduler, 1), DW_NONE);
    JOIN (0);
    PASS (5 * MS);
    assert_int_equal (dw_scheduler_worker_ticket (f->scheduler, 0), 0);
    assert_int_equal (f->now_ns - dw_scheduler_worker_since_ns (f->scheduler, 0), 5 * MS);
    PART (0, 0, 1), LOSE (0);
    assert_int_equal (dw_scheduler_unserved_node (f->scheduler, 0), 1);
    CANCEL (0);
    assert_int_equal (dw_scheduler_unserved_node (f->scheduler, 0), DW_NONE);
}

int main (void) {
    const struct CMUnitTest tests[] = {
        TRANSCRIPT (task_that_may_have_begun_is_not_sent_again),
        TRANSCRIPT (task_that_may_have_begun_though_its_worker_lives_is_not_sent_again),
        TRANSCRIPT (task_that_never_began_is_sent_again),
        TRANSCRIPT (idempotent_task_of_a_worker_that_left_is_sent_again),
        TRANSCRIPT (failed_attempt_is_repeated_as_the_graph_says),
        TRANSCRIPT (task_that_may_run_but_once_travels_alone),
        TRANSCRIPT (node_that_may_run_but_once_is_in_no_chain),
        TRANSCRIPT (only_who_takes_workers_down_alone_is_quarantined),
        TRANSCRIPT (steps_of_a_chain_that_a_worker_went_down_with_go_alone),
        TRANSCRIPT (own_thread_does_not_run_what_took_a_worker_down),
        TRANSCRIPT (each_death_is_told_with_the_mark_of_its_worker),
        TRANSCRIPT (what_no_worker_serves_is_known),
    };
    return !!cmocka_run_group_tests (tests, NULL, NULL);
}
