/* test_deadlines.c - runs that may not take longer than they are given, and processors that wait
 * and hear at once that nobody waits for them: at every place. */

#include "tests/support/system_fixture.h"

#include <stdlib.h>
#include <string.h>

static uint64_t s_submit (system_fixture_t *f, const char *text, uint32_t deadline_ms) {
    uint64_t run = 0;
    dw_submission_t submission = {.payload = text,
                                  .size = strlen (text),
                                  .is_text = true,
                                  .deadline_ms = deadline_ms,
                                  .wait_ms = -1};
    assert_int_equal (dw_client_submit (f->client, &submission, &run, f->error), DW_OK);
    return run;
}

static void s_add_sleep (system_fixture_t *f, const char *id, const char *depends_on, int64_t ms) {
    int node = system_fixture_add (f, id, "sleep", depends_on);
    assert_int_equal (dw_graph_set_integer (f->graph, node, "ms", ms), DW_OK);
}

/* ---- The deadline of a run -------------------------------------------------------------------- */

static void s_expect_cut_short (system_fixture_t *f, dw_failure_strategy_t strategy) {
    system_fixture_options (f)->failure_strategy = strategy;
    system_fixture_add (f, "before", "identity", "");
    s_add_sleep (f, "long", "before", 60000);
    system_fixture_add (f, "after", "identity", "long");
    system_fixture_add (f, "beside", "identity", "before");
    system_fixture_open (f);
    int64_t begin_ms = now_ms ();
    dw_result_t *result = system_fixture_wait (f, s_submit (f, "text", 200));
    assert_in_range (now_ms () - begin_ms, 199, 10000);
    assert_int_equal (dw_result_status (result), DW_RUN_FAILED);
    expect_text (result, "before", "text");
    expect_text (result, "beside", "text");
    expect_failure (result, "long", 408, "deadline_ms (200 ms)");
    expect_status (result, "after", DW_NODE_SKIPPED);
    expect_because_of (result, "after", "long");
    assert_int_equal (dw_result_failures_count (result), 1);
    assert_int_equal (dw_result_attempts (result, dw_result_find (result, "long")), 1);
    dw_result_destroy (&result);
    expect_no_notice (f); /* it was told, and has stopped */
}

static void a_run_that_takes_too_long_fails_at_what_it_is_at (void **state) {
    s_expect_cut_short (*state, DW_FAIL_FAST);
}

static void a_deadline_ends_a_run_under_continue_on_error_too (void **state) {
    s_expect_cut_short (*state, DW_CONTINUE_ON_ERROR);
}

static void a_deadline_ends_a_run_under_best_effort_too (void **state) {
    s_expect_cut_short (*state, DW_BEST_EFFORT);
}

static void a_run_that_waits_for_its_turn_fails_at_the_node_that_would_be_next (void **state) {
    system_fixture_t *f = *state;
    gate_t *gate = system_fixture_add_gate (f, "gate", gate_polite);
    system_fixture_options (f)->max_concurrency = 1;
    system_fixture_add (f, "gate", "gate", "");
    system_fixture_add (f, "after", "identity", "gate");
    system_fixture_open (f);
    uint64_t first = system_fixture_submit (f, "first");
    assert_true (gate_wait_entered (gate, 1));
    dw_result_t *result = system_fixture_wait (f, s_submit (f, "second", 50));
    assert_int_equal (dw_result_status (result), DW_RUN_FAILED);
    expect_failure (result, "gate", 408, "deadline_ms (50 ms)");
    expect_because_of (result, "after", "gate");
    dw_result_destroy (&result);
    gate_open (gate);
    result = system_fixture_wait (f, first);
    assert_int_equal (dw_result_status (result), DW_RUN_OK);
    expect_text (result, "after", "first");
    dw_result_destroy (&result);
}

static int s_fail (dw_call_t *call, void *arg) {
    (void) arg;
    return dw_call_fail (call, 500, "once more");
}

static void a_deadline_does_not_wait_for_a_retry (void **state) {
    system_fixture_t *f = *state;
    system_fixture_options (f)->retry_attempts = 5;
    system_fixture_options (f)->backoff.initial_us = 50000000;
    system_fixture_options (f)->backoff.max_us = 50000000;
    system_fixture_add_function (f, "always", s_fail, NULL);
    system_fixture_add (f, "always", "always", "");
    system_fixture_open (f);
    dw_result_t *result = system_fixture_wait (f, s_submit (f, "text", 100));
    assert_int_equal (dw_result_status (result), DW_RUN_FAILED);
    expect_failure (result, "always", 408, "deadline_ms (100 ms)");
    assert_int_equal (dw_result_attempts (result, dw_result_find (result, "always")), 1);
    dw_result_destroy (&result);
}

static void runs_that_end_in_their_time_do_not_hear_of_it (void **state) {
    system_fixture_t *f = *state;
    system_fixture_add (f, "upper", "change_text_case_upper", "");
    system_fixture_open (f);
    for (int round = 0; round < 200; round++) {
        dw_result_t *result = system_fixture_wait (f,
                                                   s_submit (f, "text", round % 2 ? 1000 : 50000));
        assert_int_equal (dw_result_status (result), DW_RUN_OK);
        expect_text (result, "upper", "TEXT");
        dw_result_destroy (&result);
    }
}

/* ---- Waiting processors ----------------------------------------------------------------------- */

static int s_compare (const void *a, const void *b) {
    const int64_t *x = a, *y = b;
    return *x < *y ? -1 : *x > *y;
}

static void a_processor_that_waits_at_its_descriptor_hears_at_once_that_its_run_is_cancelled (
    void **state) {
    enum { ROUNDS = 15 };
    system_fixture_t *f = *state;
    gate_t *gate = system_fixture_add_gate (f, "waits", gate_attentive);
    int64_t took_ms[ROUNDS];
    system_fixture_add (f, "waits", "waits", "");
    system_fixture_open (f);
    for (unsigned i = 0; i < ROUNDS; i++) {
        uint64_t run = system_fixture_submit (f, "text");
        assert_true (gate_wait_entered (gate, i + 1));
        int64_t begin_ms = now_ms ();
        assert_int_equal (dw_client_cancel (f->client, run), DW_OK);
        dw_result_t *result = system_fixture_wait (f, run);
        assert_int_equal (dw_result_status (result), DW_RUN_CANCELLED);
        dw_result_destroy (&result);
        assert_true (gate_wait_left (gate, i + 1));
        took_ms[i] = now_ms () - begin_ms;
    }
    qsort (took_ms, ROUNDS, sizeof *took_ms, s_compare);
    print_message ("           it has stopped after %d ms (median), %d at most\n",
                   (int) took_ms[ROUNDS / 2], (int) took_ms[ROUNDS - 1]);
    assert_in_range (took_ms[ROUNDS / 2], 0, 100); /* 0 or 1 where the machine is at nothing else */
    expect_no_notice (f);
}

static void a_sleeper_sleeps_as_long_as_it_was_told (void **state) {
    system_fixture_t *f = *state;
    s_add_sleep (f, "short", "", 30);
    system_fixture_open (f);
    int64_t begin_ms = now_ms ();
    dw_result_t *result = system_fixture_run_text (f, "text");
    assert_in_range (now_ms () - begin_ms, 30, 5000);
    expect_text (result, "short", "text");
    dw_result_destroy (&result);
}

int main (void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test (a_run_that_takes_too_long_fails_at_what_it_is_at),
        cmocka_unit_test (a_deadline_ends_a_run_under_continue_on_error_too),
        cmocka_unit_test (a_deadline_ends_a_run_under_best_effort_too),
        cmocka_unit_test (a_run_that_waits_for_its_turn_fails_at_the_node_that_would_be_next),
        cmocka_unit_test (a_deadline_does_not_wait_for_a_retry),
        cmocka_unit_test (runs_that_end_in_their_time_do_not_hear_of_it),
        cmocka_unit_test (
            a_processor_that_waits_at_its_descriptor_hears_at_once_that_its_run_is_cancelled),
        cmocka_unit_test (a_sleeper_sleeps_as_long_as_it_was_told),
    };
    return system_fixture_run_everywhere ("deadlines", tests);
}
