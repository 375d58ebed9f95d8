/* test_scheduler_faults.c - what runs next when something goes wrong, as transcripts: failures,
 * retries, timeouts, lost and stuck workers, answers that make no sense. */

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "tests/support/scheduler_steps.h"

/* -- Lost workers --------------------------------------------------------------------------- */

static void lost_worker_has_its_tasks_sent_elsewhere (void **state) {
    scheduler_fixture_t *f = *state;
    scheduler_fixture_add (f, "a", "work", "");
    scheduler_fixture_open (f);
    JOIN (0), SUBMIT (0), JOIN (1);
    EXPECT ("run 0: send node 0 to worker 0\n");
    LOSE (0);
    EXPECT ("run 0: send node 0 to worker 1, attempt 2\n");
    LOSE (0); /* it is gone already */
    EXPECT ("");
    DONE (1, 0);
    EXPECT ("run 0: keep node 0\n"
            "run 0: finished ok\n");
}

static void what_a_lost_worker_had_not_begun_does_not_count (void **state) {
    scheduler_fixture_t *f = *state;
    scheduler_fixture_add (f, "a", "work", "");
    scheduler_fixture_add (f, "b", "work", "");
    scheduler_fixture_add (f, "c", "work", "");
    scheduler_fixture_open (f);
    JOIN (0), SUBMIT (0), DONE (0, 0);
    EXPECT ("run 0: send node 0 to worker 0\n"
            "run 0: keep node 0\n"
            "run 0: send node 1 to worker 0\n"
            "run 0: send node 2 to worker 0\n");
    LOSE (0), JOIN (1);
    EXPECT (
        "run 0: send node 1 to worker 1, attempt 2\n"); /* alone, as a worker went down with it */
    DONE (1, 0);
    EXPECT ("run 0: keep node 1\n"
            "run 0: send node 2 to worker 1\n");
}

static void chain_of_a_lost_worker_goes_on_from_what_was_answered_for (void **state) {
    scheduler_fixture_t *f = *state;
    f->tells_sources = true;
    f->options->failure_strategy = DW_BEST_EFFORT;
    scheduler_fixture_add (f, "a", "work", "");
    scheduler_fixture_add (f, "b", "work", "a");
    scheduler_fixture_add (f, "c", "work", "b");
    scheduler_fixture_open (f);
    JOIN (0), SUBMIT (0), PART (0, 0, 1), LOSE (0), JOIN (0);
    EXPECT ("run 0: send node 0 to worker 0, 3 steps, reading the input\n"
            "run 0: keep node 0\n"
            "run 0: send node 1 to worker 0, attempt 2, reading node 0\n");
    DONE (0, 1); /* that alone was in doubt */
    EXPECT ("run 0: keep node 1\n"
            "run 0: send node 2 to worker 0, reading node 1\n");
}

static void late_answer_is_ignored (void **state) {
    scheduler_fixture_t *f = *state;
    scheduler_fixture_add (f, "a", "work", "");
    scheduler_fixture_open (f);
    JOIN (0), SUBMIT (0), LOSE (0), JOIN (0);
    EXPECT ("run 0: send node 0 to worker 0\n"
            "run 0: send node 0 to worker 0, attempt 2\n");
    DONE (0, 0); /* from before it was lost */
    EXPECT ("");
    DONE (0, 1), DONE (0, 1); /* and one that comes twice */
    EXPECT ("run 0: keep node 0\n"
            "run 0: finished ok\n");
    assert_int_equal (dw_scheduler_counts (f->scheduler).answers_ignored, 2);
}

static void answer_for_a_ticket_of_nobodys_is_ignored (void **state) {
    scheduler_fixture_t *f = *state;
    scheduler_fixture_add (f, "a", "work", "");
    scheduler_fixture_open (f);
    JOIN (0), SUBMIT (0);
    EXPECT ("run 0: send node 0 to worker 0\n");
    DONE (0, 1), DONE (1, 0), FAIL (0, UINT64_MAX, 500), RETURNED (7, 0);
    EXPECT ("");
    assert_int_equal (dw_scheduler_counts (f->scheduler).answers_ignored, 4);
}

static void node_that_took_three_workers_down_fails (void **state) {
    scheduler_fixture_t *f = *state;
    f->options->retry_attempts = 5; /* which a death is none of */
    scheduler_fixture_add (f, "a", "work", "");
    scheduler_fixture_open (f);
    SUBMIT (0);
    JOIN (0), LOSE (0), JOIN (0), LOSE (0), JOIN (0);
    EXPECT ("run 0: send node 0 to worker 0\n"
            "run 0: send node 0 to worker 0, attempt 2\n"
            "run 0: send node 0 to worker 0, attempt 3\n");
    LOSE (0);
    EXPECT ("run 0: node 0 failed with 503\n"
            "run 0: finished partial\n");
}

static void repeated_part_of_a_chain_changes_nothing (void **state) {
    scheduler_fixture_t *f = *state;
    scheduler_fixture_add (f, "a", "work", "");
    scheduler_fixture_add (f, "b", "work", "a");
    scheduler_fixture_add (f, "c", "work", "b");
    scheduler_fixture_open (f);
    JOIN (0), SUBMIT (0), PART (0, 0, 1);
    EXPECT ("run 0: send node 0 to worker 0, 3 steps\n"
            "run 0: keep node 0\n");
    PART (0, 0, 1), DONE_STEPS (0, 0, 3), FAIL (0, 0, 500), RETURNED (0, 0);
    EXPECT ("");
    DONE_AFTER (2, 0, 0, 1); /* what came before it has not arrived */
    EXPECT ("");
    assert_int_equal (dw_scheduler_counts (f->scheduler).answers_ignored, 5);
    assert_int_equal (dw_scheduler_unanswered_count (f->scheduler, 0), 1);
    PART_AFTER (1, 0, 0, 1), PART_AFTER (1, 0, 0, 1), DONE_AFTER (2, 0, 0, 1);
    EXPECT ("run 0: keep node 1\n"
            "run 0: keep node 2\n"
            "run 0: finished ok\n");
    assert_int_equal (dw_scheduler_counts (f->scheduler).answers_ignored, 6);
}

static void parts_of_a_cancelled_chain_are_counted_on (void **state) {
    scheduler_fixture_t *f = *state;
    scheduler_fixture_add (f, "a", "work", "");
    scheduler_fixture_add (f, "b", "work", "a");
    scheduler_fixture_add (f, "c", "work", "b");
    scheduler_fixture_open (f);
    JOIN (0), SUBMIT (0), CANCEL (0), SUBMIT (1);
    EXPECT ("run 0: send node 0 to worker 0, 3 steps\n"
            "worker 0: cancel ticket 0\n"
            "run 0: finished cancelled\n");
    PART (0, 0, 1), RETURNED (0, 0);
    EXPECT (""); /* a return from before the part is none */
    RETURNED_AFTER (1, 0, 0);
    EXPECT ("run 1: send node 0 to worker 0, 3 steps\n");
}

/* -- Retries -------------------------------------------------------------------------------- */

static void s_open_with_retries (scheduler_fixture_t *f, double jitter) {
    f->options->retry_attempts = 4;
    f->options->backoff = (dw_backoff_t){
        .initial_us = 1000, .max_us = 3000, .factor = 2, .jitter = jitter};
    scheduler_fixture_add (f, "a", "work", "");
    scheduler_fixture_open (f);
    JOIN (0), SUBMIT (0);
}

/* Fails the attempt with that ticket; returns how long it is until the next one. */
static int64_t s_fail_and_wait (scheduler_fixture_t *f, uint64_t ticket) {
    int64_t failed_ns = f->now_ns;
    FAIL (0, ticket, 500);
    assert_true (scheduler_fixture_wait (f));
    f->said[0] = '\0';
    assert_int_equal (dw_scheduler_unanswered_count (f->scheduler, 0), 1);
    return f->now_ns - failed_ns;
}

static void backoff_doubles_up_to_its_maximum (void **state) {
    scheduler_fixture_t *f = *state;
    s_open_with_retries (f, 0);
    assert_int_equal (s_fail_and_wait (f, 0), 1 * MS);
    assert_int_equal (s_fail_and_wait (f, 1), 2 * MS);
    assert_int_equal (s_fail_and_wait (f, 2), 3 * MS);
    assert_int_equal (s_fail_and_wait (f, 3), 3 * MS);
    FAIL (0, 4, 404); /* the fifth attempt was the last */
    EXPECT ("run 0: node 0 failed with 404\n"
            "run 0: finished partial\n");
    assert_int_equal (dw_scheduler_node_attempts (f->scheduler, 0, 0), 5);
}

static void jitter_is_the_same_for_the_same_seed (void **state) {
    int64_t waits[3][4];
    (void) state;
    for (int i = 0; i < 3; i++) {
        scheduler_fixture_t fixture, *f = &fixture;
        scheduler_fixture_init (f);
        f->scheduler_options.seed = i < 2 ? 7 : 8;
        s_open_with_retries (f, 0.5);
        for (uint64_t ticket = 0; ticket < 4; ticket++)
            waits[i][ticket] = s_fail_and_wait (f, ticket);
        assert_in_range (waits[i][0], 500000, 1500000);
        assert_in_range (waits[i][3], 1500000, 4500000);
        scheduler_fixture_clear (f);
    }
    assert_memory_equal (waits[0], waits[1], sizeof waits[0]);
    assert_memory_not_equal (waits[0], waits[2], sizeof waits[0]);
}

static void answer_that_claims_more_than_was_sent_is_a_failure_502 (void **state) {
    scheduler_fixture_t *f = *state;
    scheduler_fixture_add (f, "a", "work", "");
    scheduler_fixture_add (f, "b", "work", "a");
    scheduler_fixture_open (f);
    JOIN (0), SUBMIT (0), SUBMIT (1);
    DONE_STEPS (0, 0, 3);
    EXPECT ("run 0: send node 0 to worker 0, 2 steps\n"
            "run 0: node 0 failed with 502\n"
            "run 0: finished partial\n"
            "run 1: send node 0 to worker 0, 2 steps\n");
    DONE_STEPS (0, 1, 0); /* and so is one for nothing */
    EXPECT ("run 1: node 0 failed with 502\n"
            "run 1: finished partial\n");
}

/* -- Time ----------------------------------------------------------------------------------- */

static void timed_out_task_is_retried_and_those_behind_it_go_elsewhere (void **state) {
    scheduler_fixture_t *f = *state;
    f->options->timeout_us = 500;
    f->options->retry_attempts = 1;
    f->options->backoff.initial_us = 0;
    f->options->pool_size = 2;
    scheduler_fixture_add (f, "a", "work", "");
    scheduler_fixture_add (f, "b", "work", "");
    scheduler_fixture_add (f, "c", "work", "");
    scheduler_fixture_open (f);
    JOIN (0), SUBMIT (0), DONE (0, 0);
    EXPECT ("run 0: send node 0 to worker 0\n"
            "run 0: keep node 0\n"
            "run 0: send node 1 to worker 0\n"
            "run 0: send node 2 to worker 0\n");
    JOIN (1);
    PASS (499999);
    EXPECT ("");
    PASS (1);
    EXPECT ("worker 0: cancel ticket 2\n"
            "worker 0: cancel ticket 1\n"
            "run 0: node 1 failed with 408\n"
            "run 0: send node 1 to worker 1, attempt 2\n"
            "run 0: send node 2 to worker 1\n"); /* its first attempt: it was never begun */
    DONE (0, 1); /* an answer for the ticket of before keeps nothing */
    EXPECT ("");
    DONE (1, 0), DONE (1, 1);
    EXPECT ("run 0: keep node 1\n"
            "run 0: keep node 2\n"
            "run 0: finished ok\n");
}

static void clock_of_a_task_starts_with_the_answer_before_it (void **state) {
    scheduler_fixture_t *f = *state;
    f->options->timeout_us = 500;
    scheduler_fixture_add (f, "a", "work", "");
    scheduler_fixture_add (f, "b", "work", "");
    scheduler_fixture_add (f, "c", "work", "");
    scheduler_fixture_open (f);
    JOIN (0), SUBMIT (0), DONE (0, 0), PASS (400000), DONE (0, 1), PASS (400000);
    EXPECT ("run 0: send node 0 to worker 0\n"
            "run 0: keep node 0\n"
            "run 0: send node 1 to worker 0\n"
            "run 0: send node 2 to worker 0\n"
            "run 0: keep node 1\n");
    PASS (100000);
    EXPECT ("worker 0: cancel ticket 2\n"
            "run 0: node 2 failed with 408\n"
            "run 0: finished partial\n");
}

static void sooner_timeout_is_seen_though_a_later_one_was_waited_for (void **state) {
    scheduler_fixture_t *f = *state;
    scheduler_fixture_add (f, "long", "work", "")->timeout_us = 10000000;
    scheduler_fixture_add (f, "short", "work", "")->timeout_us = 1000;
    scheduler_fixture_open (f);
    JOIN (0), SUBMIT (0), DONE (0, 0);
    EXPECT ("run 0: send node 0 to worker 0\n"
            "run 0: keep node 0\n"
            "run 0: send node 1 to worker 0\n");
    assert_true (dw_scheduler_deadline_ns (f->scheduler) <= f->now_ns + 1 * MS);
    PASS (1 * MS);
    EXPECT ("worker 0: cancel ticket 1\n"
            "run 0: node 1 failed with 408\n"
            "run 0: finished partial\n");
}

static void stuck_worker_is_replaced_after_its_grace (void **state) {
    scheduler_fixture_t *f = *state;
    scheduler_fixture_add (f, "a", "work", "")->timeout_us = 1000;
    scheduler_fixture_open (f);
    JOIN (0), SUBMIT (0), PASS (1 * MS);
    EXPECT ("run 0: send node 0 to worker 0\n"
            "worker 0: cancel ticket 0\n"
            "run 0: node 0 failed with 408\n"
            "run 0: finished partial\n");
    SUBMIT (1); /* which a suspect does not get */
    PASS (FIXTURE_GRACE_MS * MS - 1);
    EXPECT ("");
    PASS (1);
    EXPECT ("replace worker 0, stuck in node 0\n");
    JOIN (0);
    EXPECT ("run 1: send node 0 to worker 0\n"); /* with the next ticket, so that ... */
    DONE (0, 0);
    EXPECT (""); /* ... the old one's answer is none */
    DONE (0, 1);
    EXPECT ("run 1: keep node 0\n"
            "run 1: finished ok\n");
}

static void suspect_that_answers_within_its_grace_goes_on (void **state) {
    scheduler_fixture_t *f = *state;
    scheduler_fixture_add (f, "a", "work", "");
    scheduler_fixture_open (f);
    JOIN (0), SUBMIT (0), CANCEL (0), SUBMIT (1);
    EXPECT ("run 0: send node 0 to worker 0\n"
            "worker 0: cancel ticket 0\n"
            "run 0: finished cancelled\n");
    PASS (FIXTURE_GRACE_MS * MS - 1), RETURNED (0, 0);
    EXPECT ("run 1: send node 0 to worker 0\n");
    assert_int_equal (dw_scheduler_counts (f->scheduler).workers_replaced, 0);
}

static void what_waits_behind_a_late_task_goes_to_another_worker (void **state) {
    scheduler_fixture_t *f = *state;
    scheduler_fixture_add (f, "a", "work", "");
    scheduler_fixture_add (f, "b", "work", "");
    scheduler_fixture_add (f, "c", "work", "");
    scheduler_fixture_open (f);
    JOIN (0), SUBMIT (0), DONE (0, 0);
    EXPECT ("run 0: send node 0 to worker 0\n"
            "run 0: keep node 0\n"
            "run 0: send node 1 to worker 0\n"
            "run 0: send node 2 to worker 0\n");
    JOIN (1); /* nothing is left for it, but b takes its time */
    EXPECT ("");
    assert_true (scheduler_fixture_wait (f));
    assert_int_equal (f->now_ns, 1 * MS);
    EXPECT ("worker 0: cancel ticket 2\n"
            "run 0: send node 2 to worker 1\n");
    DONE (1, 0), DONE (0, 1), RETURNED (0, 2);
    EXPECT ("run 0: keep node 2\n"
            "run 0: keep node 1\n"
            "run 0: finished ok\n");
}

/* Its answer may be among what was not taken in. Then it is given as long again as that has
 * lasted. */
static void nobody_is_late_while_more_has_arrived_than_is_taken_in (void **state) {
    scheduler_fixture_t *f = *state;
    scheduler_fixture_add (f, "a", "work", "");
    scheduler_fixture_add (f, "b", "work", "");
    scheduler_fixture_add (f, "c", "work", "");
    scheduler_fixture_open (f);
    PASS (10 * MS), JOIN (0), SUBMIT (0), DONE (0, 0), JOIN (1);
    f->said[0] = '\0';
    for (int i = 0; i < 5; i++) /* for 3.6 ms */
        PASS (MS * 9 / 10), TELL (.type = DW_EVENT_BACKLOG);
    EXPECT ("");
    int64_t last_ns = f->now_ns;
    while (dw_scheduler_unanswered_count (f->scheduler, 1) == 0)
        assert_true (scheduler_fixture_wait (f));
    assert_int_equal (f->now_ns - last_ns, MS * 36 / 10 + 1 * MS);
    EXPECT ("worker 0: cancel ticket 2\n"
            "run 0: send node 2 to worker 1\n");
}

/* Two nodes, which take a microsecond each; worker 0 is sent both of the next run. */
static void s_open_measured (scheduler_fixture_t *f) {
    scheduler_fixture_add (f, "a", "work", "");
    scheduler_fixture_add (f, "b", "work", "");
    scheduler_fixture_open (f);
    JOIN (0), SUBMIT (0), DONE (0, 0), DONE (0, 1);
    dw_scheduler_forget (f->scheduler, 0);
}

/* Submits its run; returns for how long the second task stays with worker 0 beside an idle one. */
static int64_t s_stay (scheduler_fixture_t *f) {
    int64_t sent_ns = f->now_ns;
    SUBMIT (0), JOIN (1);
    assert_int_equal (dw_scheduler_unanswered_count (f->scheduler, 0), 2);
    while (dw_scheduler_unanswered_count (f->scheduler, 1) == 0)
        assert_true (scheduler_fixture_wait (f));
    f->said[0] = '\0';
    return f->now_ns - sent_ns;
}

/* Has a backlog of 1 ms, and another one after a pause; returns for how long a task that is sent
 * then stays where it is. */
static int64_t s_stay_after_pause (scheduler_fixture_t *f, int64_t pause_ns) {
    s_open_measured (f);
    PASS (10 * MS), TELL (.type = DW_EVENT_BACKLOG);
    PASS (1 * MS), TELL (.type = DW_EVENT_BACKLOG);
    PASS (pause_ns), TELL (.type = DW_EVENT_BACKLOG);
    return s_stay (f);
}

static void a_backlog_after_a_short_pause_goes_on (void **state) {
    assert_int_equal (s_stay_after_pause (*state, 2 * MS), (1 + 2 + 1) * MS);
}

static void a_backlog_after_a_long_pause_is_another (void **state) {
    assert_int_equal (s_stay_after_pause (*state, 2 * MS + 1), 1 * MS);
}

static void after_the_longest_backlog_a_second_is_given (void **state) {
    scheduler_fixture_t *f = *state;
    s_open_measured (f);
    for (int i = 0; i < 2000; i++)
        PASS (1 * MS), TELL (.type = DW_EVENT_BACKLOG);
    assert_int_equal (s_stay (f), 1000 * MS + 1 * MS);
}

static void who_keeps_a_backlog_up_holds_nothing_up_for_more_than_a_second (void **state) {
    scheduler_fixture_t *f = *state;
    s_open_measured (f);
    SUBMIT (0), JOIN (1);
    int64_t sent_ns = f->now_ns;
    while (dw_scheduler_unanswered_count (f->scheduler, 1) == 0) {
        assert_in_range (f->now_ns - sent_ns, 0, 2000 * MS);
        PASS (1 * MS / 2), TELL (.type = DW_EVENT_BACKLOG);
    }
    assert_int_equal (f->now_ns - sent_ns, 1000 * MS + 1 * MS);
    f->said[0] = '\0';
}

/* Who answers for a part of a chain behind a long backlog is looked at again as if there had been
 * none. */
static void what_was_given_for_a_backlog_ends_with_an_answer (void **state) {
    scheduler_fixture_t *f = *state;
    scheduler_fixture_add (f, "a", "work", "");
    scheduler_fixture_add (f, "b", "work", "a");
    scheduler_fixture_add (f, "c", "work", "");
    scheduler_fixture_open (f);
    JOIN (0), SUBMIT (0), DONE_STEPS (0, 0, 2), DONE (0, 1);
    dw_scheduler_forget (f->scheduler, 0);
    for (int i = 0; i < 2000; i++)
        PASS (1 * MS), TELL (.type = DW_EVENT_BACKLOG);
    SUBMIT (0), JOIN (1);
    assert_int_equal (dw_scheduler_unanswered_count (f->scheduler, 0), 2);
    PASS (2 * MS), PART (0, 2, 1);
    int64_t answered_ns = f->now_ns;
    while (dw_scheduler_unanswered_count (f->scheduler, 1) == 0)
        assert_true (scheduler_fixture_wait (f));
    assert_int_equal (f->now_ns - answered_ns, 1 * MS);
    f->said[0] = '\0';
}

/* Has worker 0 hold two tasks and be late with the first, so that the second goes to worker 1;
 * returns after how long. Worker 0 then does the second all the same, in vain, or gives it back. */
static int64_t s_be_late (scheduler_fixture_t *f, uint64_t *ticket, uint64_t *other, bool in_vain) {
    SUBMIT (0);
    int64_t sent_ns = f->now_ns;
    assert_int_equal (dw_scheduler_unanswered_count (f->scheduler, 0), 2);
    JOIN (1);
    while (dw_scheduler_unanswered_count (f->scheduler, 1) == 0)
        assert_true (scheduler_fixture_wait (f));
    int64_t stayed_ns = f->now_ns - sent_ns;
    DONE (1, *other), DONE (0, *ticket);
    if (in_vain)
        DONE (0, *ticket + 1);
    else
        RETURNED (0, *ticket + 1);
    *ticket += 2;
    *other += 1;
    LOSE (1);
    dw_scheduler_forget (f->scheduler, 0);
    f->said[0] = '\0';
    return stayed_ns;
}

static void worker_that_does_late_tasks_all_the_same_gets_twice_the_time (void **state) {
    scheduler_fixture_t *f = *state;
    uint64_t ticket = 2, other = 0;
    s_open_measured (f);
    assert_int_equal (s_be_late (f, &ticket, &other, false), 1 * MS);
    for (int64_t late_ms = 1; late_ms <= 1024; late_ms *= 2)
        assert_int_equal (s_be_late (f, &ticket, &other, true), late_ms * MS);
    assert_int_equal (s_be_late (f, &ticket, &other, true), 1024 * MS); /* a second is enough */
    assert_int_equal (s_be_late (f, &ticket, &other, false), 1024 * MS);
    LOSE (0), JOIN (0); /* somebody else */
    assert_int_equal (s_be_late (f, &ticket, &other, true), 1 * MS);
}

int main (void) {
    const struct CMUnitTest tests[] = {
        TRANSCRIPT (lost_worker_has_its_tasks_sent_elsewhere),
        TRANSCRIPT (what_a_lost_worker_had_not_begun_does_not_count),
        TRANSCRIPT (chain_of_a_lost_worker_goes_on_from_what_was_answered_for),
        TRANSCRIPT (late_answer_is_ignored),
        TRANSCRIPT (answer_for_a_ticket_of_nobodys_is_ignored),
        TRANSCRIPT (node_that_took_three_workers_down_fails),
        TRANSCRIPT (repeated_part_of_a_chain_changes_nothing),
        TRANSCRIPT (parts_of_a_cancelled_chain_are_counted_on),
        TRANSCRIPT (backoff_doubles_up_to_its_maximum),
        cmocka_unit_test (jitter_is_the_same_for_the_same_seed),
        TRANSCRIPT (answer_that_claims_more_than_was_sent_is_a_failure_502),
        TRANSCRIPT (timed_out_task_is_retried_and_those_behind_it_go_elsewhere),
        TRANSCRIPT (clock_of_a_task_starts_with_the_answer_before_it),
        TRANSCRIPT (sooner_timeout_is_seen_though_a_later_one_was_waited_for),
        TRANSCRIPT (stuck_worker_is_replaced_after_its_grace),
        TRANSCRIPT (suspect_that_answers_within_its_grace_goes_on),
        TRANSCRIPT (what_waits_behind_a_late_task_goes_to_another_worker),
        TRANSCRIPT (nobody_is_late_while_more_has_arrived_than_is_taken_in),
        TRANSCRIPT (a_backlog_after_a_short_pause_goes_on),
        TRANSCRIPT (a_backlog_after_a_long_pause_is_another),
        TRANSCRIPT (after_the_longest_backlog_a_second_is_given),
        TRANSCRIPT (what_was_given_for_a_backlog_ends_with_an_answer),
        TRANSCRIPT (who_keeps_a_backlog_up_holds_nothing_up_for_more_than_a_second),
        TRANSCRIPT (worker_that_does_late_tasks_all_the_same_gets_twice_the_time),
    };
    return !!cmocka_run_group_tests (tests, NULL, NULL);
}
