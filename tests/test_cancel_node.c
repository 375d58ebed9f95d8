/* test_cancel_node.c - a node of a run that is cancelled, with all that depends on it, while the
 * rest of the run goes on: at every place. */

#include <unistd.h>

#include "tests/support/system_fixture.h"

static void s_cancel (system_fixture_t *f, uint64_t run, const char *id) {
    assert_int_equal (dw_client_cancel_node (f->client, run, id, f->error), DW_OK);
}

/* before, then stays (a gate) and after; and beside. */
static gate_t *s_open_fork (system_fixture_t *f, int (*process) (dw_call_t *call, void *gate)) {
    gate_t *gate = system_fixture_add_gate (f, "gate", process);
    system_fixture_add (f, "before", "identity", "");
    system_fixture_add (f, "stays", "gate", "before");
    system_fixture_add (f, "beside", "change_text_case_upper", "before");
    system_fixture_add (f, "after", "identity", "stays");
    system_fixture_open (f);
    return gate;
}

static void s_expect_the_rest (dw_result_t *result) {
    assert_int_equal (dw_result_status (result), DW_RUN_PARTIAL);
    expect_text (result, "before", "text");
    expect_text (result, "beside", "TEXT");
    expect_status (result, "stays", DW_NODE_CANCELLED);
    expect_status (result, "after", DW_NODE_CANCELLED);
    expect_because_of (result, "after", "");
    assert_int_equal (dw_result_failures_count (result), 0);
}

static void a_node_that_asks_stops_and_the_rest_is_done (void **state) {
    system_fixture_t *f = *state;
    gate_t *gate = s_open_fork (f, gate_attentive);
    uint64_t run = system_fixture_submit (f, "text");
    assert_true (gate_wait_entered (gate, 1));
    s_cancel (f, run, "stays");
    dw_result_t *result = system_fixture_wait (f, run);
    s_expect_the_rest (result);
    dw_result_destroy (&result);
    assert_true (gate_wait_left (gate, 1));
    assert_int_equal (gate->cancelled, 1);
    expect_no_notice (f);
    gate_open (gate);
    system_fixture_expect_run (f, "again", "after", "again");
}

static void a_node_that_does_not_ask_is_left_behind_by_name (void **state) {
    system_fixture_t *f = *state;
    gate_t *gate = s_open_fork (f, gate_deaf);
    uint64_t run = system_fixture_submit (f, "text");
    assert_true (gate_wait_entered (gate, 1));
    int64_t begin_ms = now_ms ();
    s_cancel (f, run, "stays");
    dw_result_t *result = system_fixture_wait (f, run);
    assert_in_range (now_ms () - begin_ms, 0, 2000);
    s_expect_the_rest (result);
    dw_result_destroy (&result);
    expect_notice (f, "stuck in node \"stays\"");
    gate_open (gate);
    system_fixture_expect_run (f, "again", "after", "again");
}

/* In a pool both are one task. */
static void what_comes_behind_what_runs_does_not_begin (void **state) {
    system_fixture_t *f = *state;
    gate_t *first = system_fixture_add_gate (f, "first", gate_polite);
    gate_t *second = system_fixture_add_gate (f, "second", gate_polite);
    system_fixture_add (f, "first", "first", "");
    system_fixture_add (f, "second", "second", "first");
    system_fixture_add (f, "third", "identity", "second");
    system_fixture_open (f);
    uint64_t run = system_fixture_submit (f, "text");
    assert_true (gate_wait_entered (first, 1));
    s_cancel (f, run, "second");
    assert_int_equal (dw_client_wait (f->client, run, 100, &(dw_result_t *){NULL}), DW_ETIMEDOUT);
    gate_open (first); /* which nobody has cancelled */
    dw_result_t *result = system_fixture_wait (f, run);
    assert_int_equal (dw_result_status (result), DW_RUN_PARTIAL);
    expect_text (result, "first", "text");
    expect_status (result, "second", DW_NODE_CANCELLED);
    expect_status (result, "third", DW_NODE_CANCELLED);
    dw_result_destroy (&result);
    assert_int_equal (first->cancelled, 0);
    assert_int_equal (second->entered, 0);
    expect_no_notice (f);
    gate_open (second);
    system_fixture_expect_run (f, "again", "third", "again");
}

static void a_run_of_which_only_cancelled_nodes_were_asked_for_ends (void **state) {
    system_fixture_t *f = *state;
    gate_t *gate = s_open_fork (f, gate_polite);
    const char *outputs[] = {"after"};
    uint64_t run = 0;
    dw_submission_t submission = {.payload = "text",
                                  .size = 4,
                                  .is_text = true,
                                  .outputs = outputs,
                                  .outputs_count = 1,
                                  .wait_ms = -1};
    assert_int_equal (dw_client_submit (f->client, &submission, &run, f->error), DW_OK);
    assert_true (gate_wait_entered (gate, 1));
    s_cancel (f, run, "before"); /* done already: it stays, what depends on it does not */
    dw_result_t *result = system_fixture_wait (f, run);
    assert_int_equal (dw_result_status (result), DW_RUN_PARTIAL);
    expect_status (result, "before", DW_NODE_DONE);
    expect_status (result, "stays", DW_NODE_CANCELLED);
    expect_status (result, "after", DW_NODE_CANCELLED);
    expect_status (result, "beside", DW_NODE_NOT_REQUESTED);
    dw_result_destroy (&result);
}

static void a_node_that_there_is_not_is_refused_with_the_nearest (void **state) {
    system_fixture_t *f = *state;
    gate_t *gate = s_open_fork (f, gate_polite);
    uint64_t run = system_fixture_submit (f, "text");
    assert_int_equal (dw_client_cancel_node (f->client, run, "stay", f->error), DW_ENOENT);
    expect_message (f->error, "the graph has no node \"stay\" to be cancelled");
    expect_message (f->error, "did you mean \"stays\"?");
    assert_int_equal (dw_client_cancel_node (f->client, run + 1, "stays", f->error), DW_ENOENT);
    assert_int_equal (dw_client_cancel_node (f->client, DW_EVERY_RUN, "stays", f->error),
                      DW_ENOENT);
    gate_open (gate);
    dw_result_t *result = system_fixture_wait (f, run);
    assert_int_equal (dw_result_status (result), DW_RUN_OK);
    dw_result_destroy (&result);
    assert_int_equal (dw_client_cancel_node (f->client, run, "stays", f->error), DW_ENOENT);
}

/* What the coordinator counts of answers that nobody waits for, and of messages of those that it
 * has put out. */
static uint64_t s_ignored (system_fixture_t *f, dw_client_t *client) {
    dw_status_t *status = NULL;
    if (dw_client_status (client, 10000, &status))
        fail_msg ("no status: %s", dw_error_text (f->error));
    uint64_t ignored = status->answers_ignored + status->messages_ignored;
    dw_status_destroy (&status);
    return ignored;
}

/* Once while its actor is waited for, once when another has taken its place. */
static void an_answer_that_comes_late_is_counted_and_changes_nothing (void **state) {
    system_fixture_t *f = *state;
    if (!f->options.listen)
        f->options.listen =
            "tcp://127.0.0.1:*"; /* only who comes from elsewhere is told the status */
    gate_t *gate = s_open_fork (f, gate_deaf);
    dw_client_t *asker = NULL;
    dw_connect_options_t there = {.endpoint = dw_system_listening (f->system)};
    assert_int_equal (dw_client_connect (&asker, &there, f->error), DW_OK);
    for (int is_replaced = 0; is_replaced < 2; is_replaced++) {
        uint64_t run = system_fixture_submit (f, "text"), before = s_ignored (f, asker);
        assert_true (gate_wait_entered (gate, 1 + (unsigned) is_replaced));
        s_cancel (f, run, "stays");
        dw_result_t *result = system_fixture_wait (f, run);
        s_expect_the_rest (result);
        dw_result_destroy (&result);
        if (is_replaced)
            expect_notice (f, "stuck in node \"stays\"");
        gate_let (gate, 1);
        for (int64_t end_ms = now_ms () + 10000;
             s_ignored (f, asker) == before && now_ms () < end_ms;)
            usleep (2000);
        assert_true (s_ignored (f, asker) > before);
    }
    dw_client_destroy (&asker);
    gate_open (gate);
    system_fixture_expect_run (f, "again", "after", "again");
}

int main (void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test (a_node_that_asks_stops_and_the_rest_is_done),
        cmocka_unit_test (a_node_that_does_not_ask_is_left_behind_by_name),
        cmocka_unit_test (an_answer_that_comes_late_is_counted_and_changes_nothing),
        cmocka_unit_test (what_comes_behind_what_runs_does_not_begin),
        cmocka_unit_test (a_run_of_which_only_cancelled_nodes_were_asked_for_ends),
        cmocka_unit_test (a_node_that_there_is_not_is_refused_with_the_nearest),
    };
    return system_fixture_run_everywhere ("cancel_node", tests);
}
