/* test_failures.c - what becomes of a run whose processors fail, take too long, or never return: at
 * every place. */

#include "tests/support/system_fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- One path for every failure --------------------------------------------------------------- */

/* Fails in the way its node is called. */
static int s_fail_as_named (dw_call_t *call, void *arg) {
    (void) arg;
    const char *node = dw_call_node (call);
    if (strcmp (node, "with_message") == 0)
        return dw_call_fail (call, 418, "of %s", "a kind");
    if (strcmp (node, "with_code") == 0)
        return 77;
    if (strcmp (node, "negative") == 0)
        return -5;
    if (strcmp (node, "too_high") == 0)
        return 1000;
    if (strcmp (node, "code_too_high") == 0)
        return dw_call_fail (call, 70000, "out of range");
    if (strcmp (node, "said_and_forgotten") == 0) {
        dw_call_fail (call, 400, "not returned");
        return dw_call_set_payload (call);
    }
    if (strcmp (node, "output_and_failure") == 0) {
        dw_call_set_text (call, "output", 6);
        dw_call_set_metadata (call, "key", "value");
        return dw_call_fail (call, 400, "after its output");
    }
    return 0; /* without an output */
}

static void every_way_to_fail_says_its_code_and_why (void **state) {
    system_fixture_t *f = *state;
    static const struct {
        const char *id, *message;
        int code;
    } nodes[] = {{"with_message", "of a kind", 418},
                 {"with_code", "77", 77},
                 {"negative", "-5", 500},
                 {"too_high", "1000", 500},
                 {"code_too_high", "out of range", 500},
                 {"output_and_failure", "after its output", 400},
                 {"missing", "set no output", 500}};
    size_t count = sizeof nodes / sizeof *nodes;
    system_fixture_options (f)->failure_strategy = DW_CONTINUE_ON_ERROR;
    system_fixture_add_function (f, "fail_as_named", s_fail_as_named, NULL);
    for (size_t i = 0; i < count; i++)
        system_fixture_add (f, nodes[i].id, "fail_as_named", "");
    system_fixture_add (f, "said_and_forgotten", "fail_as_named", "");
    system_fixture_open (f);
    for (int round = 0; round < 3; round++) {
        dw_result_t *result = system_fixture_run_text (f, "text");
        assert_int_equal (dw_result_status (result), DW_RUN_PARTIAL);
        assert_int_equal (dw_result_failures_count (result), count);
        for (size_t i = 0; i < count; i++) {
            int node = dw_result_find (result, nodes[i].id);
            expect_failure (result, nodes[i].id, nodes[i].code, nodes[i].message);
            assert_int_equal (dw_result_failure_at (result, i), node);
            assert_int_equal (dw_result_attempts (result, node), 1);
            assert_int_equal (dw_result_metadata_count (result, node), 0);
        }
        expect_text (result, "said_and_forgotten", "text");
        dw_result_destroy (&result);
    }
}

static int s_fail_at_length (dw_call_t *call, void *arg) {
    (void) arg;
    char text[6001];
    memset (text, 'm', sizeof text - 1);
    text[6000] = '\0';
    return dw_call_fail (call, 400, "%s", text);
}

static void a_long_message_is_cut_at_four_kib (void **state) {
    system_fixture_t *f = *state;
    system_fixture_add_function (f, "fail_at_length", s_fail_at_length, NULL);
    system_fixture_add (f, "a", "fail_at_length", "");
    system_fixture_open (f);
    dw_result_t *result = system_fixture_run_text (f, "text");
    size_t size = strlen (dw_result_error_message (result, 0));
    assert_in_range (size, 4000, 4096);
    dw_result_destroy (&result);
}

static int s_output (dw_call_t *call, void *arg) {
    (void) arg;
    size_t size;
    long bytes = strtol (dw_call_text (call, &size), NULL, 10);
    char *at = dw_call_reserve_text (call, (size_t) bytes);
    if (!at)
        return 500;
    memset (at, 'o', (size_t) bytes);
    return 0;
}

static int s_much_metadata (dw_call_t *call, void *arg) {
    (void) arg;
    char text[101];
    memset (text, 'v', sizeof text - 1);
    text[100] = '\0';
    dw_call_set_metadata (call, "key", text);
    return dw_call_set_text (call, "x", 1);
}

static void an_output_that_is_too_large_is_a_failure_413 (void **state) {
    system_fixture_t *f = *state;
    system_fixture_options (f)->max_payload_bytes = 100;
    system_fixture_options (f)->failure_strategy = DW_CONTINUE_ON_ERROR;
    system_fixture_add_function (f, "output", s_output, NULL);
    system_fixture_add_function (f, "metadata", s_much_metadata, NULL);
    system_fixture_add (f, "output", "output", "");
    system_fixture_add (f, "metadata", "metadata", "");
    system_fixture_open (f);
    static const char *const sizes[] = {"98 ", "99 ", "100000 "};
    for (int i = 0; i < 3; i++) {
        dw_result_t *result = system_fixture_run_text (f, sizes[i]);
        if (i == 0)
            expect_status (result, "output", DW_NODE_DONE);
        else
            expect_failure (result, "output", 413, "max_payload_bytes");
        expect_failure (result, "metadata", 413, "max_payload_bytes");
        dw_result_destroy (&result);
    }
}

/* ---- Retries ---------------------------------------------------------------------------------- */

typedef struct s_attempts_t {
    unsigned fail_first;
    char keys[64][80]; /* of every call, in order; one node at a time writes */
    unsigned attempts[64];
    atomic_uint count;
} s_attempts_t;

static int s_note_attempt (dw_call_t *call, void *arg) {
    s_attempts_t *self = arg;
    unsigned index = atomic_fetch_add (&self->count, 1);
    if (index < 64) {
        snprintf (self->keys[index], sizeof self->keys[index], "%s", dw_call_key (call));
        self->attempts[index] = dw_call_attempt (call);
    }
    if (dw_call_attempt (call) <= self->fail_first)
        return dw_call_fail (call, 503, "attempt %u", dw_call_attempt (call));
    return dw_call_set_payload (call);
}

static void s_retry (system_fixture_t *f, int64_t retries) {
    dw_graph_options_t *options = system_fixture_options (f);
    options->retry_attempts = retries;
    options->backoff = (dw_backoff_t){.initial_us = 1000, .max_us = 2000, .factor = 2};
}

static void retries_are_counted_and_each_attempt_has_the_same_key (void **state) {
    system_fixture_t *f = *state;
    s_attempts_t attempts = {.fail_first = 2};
    s_retry (f, 3);
    system_fixture_add_function (f, "note", s_note_attempt, &attempts);
    system_fixture_add (f, "before", "identity", "");
    system_fixture_add (f, "note", "note", "before");
    system_fixture_add (f, "after", "change_text_case_upper", "note");
    system_fixture_open (f);
    for (unsigned round = 0; round < 5; round++) {
        dw_result_t *result = system_fixture_run_text (f, "text");
        assert_int_equal (dw_result_status (result), DW_RUN_OK);
        expect_text (result, "after", "TEXT");
        assert_int_equal (dw_result_attempts (result, dw_result_find (result, "note")), 3);
        assert_int_equal (dw_result_attempts (result, dw_result_find (result, "before")), 1);
        assert_int_equal (dw_result_attempts (result, dw_result_find (result, "after")), 1);
        assert_int_equal (dw_result_failures_count (result), 0);
        assert_int_equal (dw_result_error_code (result, dw_result_find (result, "note")), 0);
        dw_result_destroy (&result);
        assert_int_equal (atomic_load (&attempts.count), 3 * round + 3);
        for (unsigned i = 0; i < 3; i++) {
            assert_int_equal (attempts.attempts[3 * round + i], i + 1);
            assert_string_equal (attempts.keys[3 * round + i], attempts.keys[3 * round]);
        }
        for (unsigned other = 0; other < round; other++)
            assert_string_not_equal (attempts.keys[3 * other], attempts.keys[3 * round]);
    }
}

static void when_retries_are_used_up_the_last_error_stays (void **state) {
    system_fixture_t *f = *state;
    s_attempts_t attempts = {.fail_first = 100};
    s_retry (f, 2);
    system_fixture_add_function (f, "note", s_note_attempt, &attempts);
    system_fixture_add (f, "note", "note", "");
    system_fixture_open (f);
    dw_result_t *result = system_fixture_run_text (f, "text");
    assert_int_equal (dw_result_status (result), DW_RUN_FAILED);
    expect_failure (result, "note", 503, "attempt 3");
    assert_int_equal (dw_result_attempts (result, 0), 3);
    assert_int_equal (atomic_load (&attempts.count), 3);
    dw_result_destroy (&result);
}

static void a_node_says_for_itself_how_often_it_is_retried (void **state) {
    system_fixture_t *f = *state;
    s_attempts_t attempts = {.fail_first = 100};
    s_retry (f, 4);
    system_fixture_add_function (f, "note", s_note_attempt, &attempts);
    int node = system_fixture_add (f, "note", "note", "");
    dw_graph_node_options (f->graph, node)->retry_attempts = 0;
    system_fixture_open (f);
    dw_result_t *result = system_fixture_run_text (f, "text");
    expect_failure (result, "note", 503, "attempt 1");
    assert_int_equal (atomic_load (&attempts.count), 1);
    dw_result_destroy (&result);
}

static void a_retry_waits_for_its_backoff (void **state) {
    system_fixture_t *f = *state;
    s_attempts_t attempts = {.fail_first = 2};
    s_retry (f, 2);
    system_fixture_options (f)->backoff = (dw_backoff_t){
        .initial_us = 40000, .max_us = 60000, .factor = 2};
    system_fixture_add_function (f, "note", s_note_attempt, &attempts);
    system_fixture_add (f, "note", "note", "");
    system_fixture_open (f);
    int64_t begin_ms = now_ms ();
    system_fixture_expect_run (f, "text", "note", "text");
    assert_in_range (now_ms () - begin_ms, 99, 3000);
}

/* ---- The three policies ----------------------------------------------------------------------- */

/*     bad -> behind -> far      good -> both (also behind)      alone */
static void s_add_failing_graph (system_fixture_t *f, dw_failure_strategy_t strategy) {
    system_fixture_options (f)->failure_strategy = strategy;
    int bad = system_fixture_add (f, "bad", "fail", "");
    dw_graph_set_integer (f->graph, bad, "code", 422);
    dw_graph_set_text (f->graph, bad, "message", "bad indeed");
    system_fixture_add (f, "good", "change_text_case_upper", "");
    system_fixture_add (f, "behind", "identity", "bad");
    system_fixture_add (f, "far", "identity", "behind");
    system_fixture_add (f, "both", "identity", "good behind");
    system_fixture_add (f, "alone", "reverse_text", "good");
    system_fixture_open (f);
}

static void under_fail_fast_a_failure_ends_the_run (void **state) {
    system_fixture_t *f = *state;
    s_add_failing_graph (f, DW_FAIL_FAST);
    for (int i = 0; i < 20; i++) {
        dw_result_t *result = system_fixture_run_text (f, "abc");
        assert_int_equal (dw_result_status (result), DW_RUN_FAILED);
        expect_failure (result, "bad", 422, "bad indeed");
        assert_int_equal (dw_result_failures_count (result), 1);
        static const char *const behind[] = {"behind", "far", "both"};
        for (int k = 0; k < 3; k++) {
            int node = dw_result_find (result, behind[k]);
            assert_in_range (dw_result_node_status (result, node), DW_NODE_SKIPPED,
                             DW_NODE_CANCELLED);
            expect_because_of (result, behind[k], "bad");
        }
        /* What ended before is there, and is right. */
        int good = dw_result_find (result, "good"), alone = dw_result_find (result, "alone");
        if (dw_result_node_status (result, good) == DW_NODE_DONE)
            expect_text (result, "good", "ABC");
        if (dw_result_node_status (result, alone) == DW_NODE_DONE)
            expect_text (result, "alone", "CBA");
        else
            expect_because_of (result, "alone", "bad");
        dw_result_destroy (&result);
    }
}

static void under_continue_on_error_dependents_are_skipped_and_the_rest_runs (void **state) {
    system_fixture_t *f = *state;
    s_add_failing_graph (f, DW_CONTINUE_ON_ERROR);
    for (int i = 0; i < 20; i++) {
        dw_result_t *result = system_fixture_run_text (f, "abc");
        assert_int_equal (dw_result_status (result), DW_RUN_PARTIAL);
        expect_failure (result, "bad", 422, "bad indeed");
        static const char *const behind[] = {"behind", "far", "both"};
        for (int k = 0; k < 3; k++) {
            expect_status (result, behind[k], DW_NODE_SKIPPED);
            expect_because_of (result, behind[k], "bad");
            assert_int_equal (dw_result_attempts (result, dw_result_find (result, behind[k])), 0);
        }
        expect_text (result, "good", "ABC");
        expect_text (result, "alone", "CBA");
        expect_because_of (result, "alone", "");
        dw_result_destroy (&result);
    }
}

static void under_best_effort_a_failed_transform_is_passed_over (void **state) {
    system_fixture_t *f = *state;
    s_add_failing_graph (f, DW_BEST_EFFORT);
    for (int i = 0; i < 20; i++) {
        dw_result_t *result = system_fixture_run_text (f, "abc");
        assert_int_equal (dw_result_status (result), DW_RUN_PARTIAL);
        expect_failure (result, "bad", 422, "bad indeed");
        expect_text (result, "behind", "abc");
        expect_text (result, "far", "abc");
        expect_text (result, "both", "abc");
        expect_text (result, "alone", "CBA");
        dw_result_destroy (&result);
    }
}

static int s_tell_dependencies (dw_call_t *call, void *arg) {
    (void) arg;
    char text[64] = "";
    size_t size;
    for (size_t i = 0; i < dw_call_dependencies_count (call); i++) {
        const char *output = dw_call_dependency_text (call, i, &size);
        if (!output && (size || dw_call_dependency_payload (call, i, NULL)))
            return dw_call_fail (call, 500, "a size without bytes");
        snprintf (text + strlen (text), sizeof text - strlen (text), "%s=%.*s;",
                  dw_call_dependency_id (call, i), output ? (int) size : 4,
                  output ? output : "none");
    }
    return dw_call_set_text (call, text, strlen (text));
}

static void under_best_effort_a_failed_dependency_gives_nothing (void **state) {
    system_fixture_t *f = *state;
    system_fixture_options (f)->failure_strategy = DW_BEST_EFFORT;
    system_fixture_add_function (f, "tell", s_tell_dependencies, NULL);
    system_fixture_add (f, "good", "identity", "");
    system_fixture_add (f, "bad", "fail", "");
    system_fixture_add (f, "tell", "tell", "bad good");
    system_fixture_open (f);
    dw_result_t *result = system_fixture_run_text (f, "x");
    expect_text (result, "tell", "bad=none;good=x;");
    dw_result_destroy (&result);
}

static void first_causes_are_named_by_rank (void **state) {
    system_fixture_t *f = *state;
    system_fixture_options (f)->failure_strategy = DW_CONTINUE_ON_ERROR;
    system_fixture_add (f, "start", "identity", "");
    system_fixture_add (f, "late", "fail", "start");
    system_fixture_add (f, "second", "fail", "");
    system_fixture_add (f, "first", "fail", "");
    system_fixture_add (f, "middle", "identity", "first");
    system_fixture_add (f, "end", "identity", "late middle second");
    system_fixture_open (f);
    dw_result_t *result = system_fixture_run_text (f, "x");
    expect_because_of (result, "middle", "first");
    expect_because_of (result, "end", "second first late");
    assert_int_equal (dw_result_failures_count (result), 3);
    assert_string_equal (dw_result_id (result, dw_result_failure_at (result, 0)), "second");
    assert_string_equal (dw_result_id (result, dw_result_failure_at (result, 1)), "first");
    assert_string_equal (dw_result_id (result, dw_result_failure_at (result, 2)), "late");
    dw_result_destroy (&result);
}

static void many_first_causes_are_cut_at_sixteen (void **state) {
    system_fixture_t *f = *state;
    char id[16], all[256] = "";
    system_fixture_options (f)->failure_strategy = DW_CONTINUE_ON_ERROR;
    for (int i = 0, size = 0; i < 30; i++) {
        snprintf (id, sizeof id, "n%d", i);
        size += snprintf (all + size, sizeof all - (size_t) size, "%s ", id);
        system_fixture_add (f, id, "fail", "");
    }
    system_fixture_add (f, "end", "identity", all);
    system_fixture_open (f);
    dw_result_t *result = system_fixture_run_text (f, "x");
    int end = dw_result_find (result, "end");
    assert_int_equal (dw_result_because_of_count (result, end), 16);
    for (int i = 0; i < 16; i++)
        assert_int_equal (dw_result_because_of_at (result, end, (size_t) i), i);
    assert_int_equal (dw_result_failures_count (result), 30);
    dw_result_destroy (&result);
}

static void a_failure_under_fail_fast_stops_what_runs_elsewhere (void **state) {
    system_fixture_t *f = *state;
    gate_t *slow = system_fixture_add_gate (f, "slow", gate_polite);
    gate_t *bad = system_fixture_add_gate (f, "wait", gate_polite);
    system_fixture_add (f, "slow", "slow", "");
    system_fixture_add (f, "wait", "wait", "");
    system_fixture_add (f, "bad", "fail", "wait");
    system_fixture_open (f);
    uint64_t run = system_fixture_submit (f, "text");
    assert_true (gate_wait_entered (slow, 1) && gate_wait_entered (bad, 1));
    gate_open (bad);
    dw_result_t *result = system_fixture_wait (f, run);
    assert_int_equal (dw_result_status (result), DW_RUN_FAILED);
    expect_status (result, "slow", DW_NODE_CANCELLED);
    expect_because_of (result, "slow", "bad");
    assert_true (gate_wait_left (slow, 1));
    assert_int_equal (atomic_load (&slow->cancelled), 1);
    dw_result_destroy (&result);
    expect_no_notice (f);
}

static void a_run_that_failed_keeps_the_payloads_of_requested_nodes_only (void **state) {
    system_fixture_t *f = *state;
    static const char *const wanted[] = {"kept", "bad", "slow"};
    gate_t *gate = system_fixture_add_gate (f, "gate", gate_polite);
    system_fixture_add (f, "kept", "identity", "");
    system_fixture_add (f, "source", "identity", "kept");
    system_fixture_add (f, "slow", "gate", "source"); /* reads it until the end */
    system_fixture_add (f, "wait", "sleep", "source");
    system_fixture_add (f, "bad", "fail", "wait");
    system_fixture_open (f);
    dw_result_t *result = system_fixture_run_outputs (f, "text", wanted, 3);
    assert_int_equal (dw_result_status (result), DW_RUN_FAILED);
    expect_text (result, "kept", "text");
    expect_status (result, "source", DW_NODE_DONE);
    assert_null (dw_result_payload (result, dw_result_find (result, "source"), NULL));
    expect_failure (result, "bad", 500, "failed as asked");
    if (atomic_load (&gate->entered))
        expect_status (result, "slow", DW_NODE_CANCELLED);
    dw_result_destroy (&result);
}

/* ---- Timeouts --------------------------------------------------------------------------------- */

static void an_attempt_that_takes_too_long_fails_with_408 (void **state) {
    system_fixture_t *f = *state;
    s_retry (f, 1);
    gate_t *gate = system_fixture_add_gate (f, "gate", gate_polite);
    int node = system_fixture_add (f, "gate", "gate", "");
    dw_graph_node_options (f->graph, node)->timeout_us = 40000;
    system_fixture_add (f, "after", "identity", "gate");
    system_fixture_open (f);
    int64_t begin_ms = now_ms ();
    dw_result_t *result = system_fixture_run_text (f, "text");
    assert_in_range (now_ms () - begin_ms, 79, 5000);
    assert_int_equal (dw_result_status (result), DW_RUN_FAILED);
    expect_failure (result, "gate", 408, "0.04");
    assert_int_equal (dw_result_attempts (result, 0), 2);
    expect_because_of (result, "after", "gate");
    dw_result_destroy (&result);
    assert_true (gate_wait_left (gate, 2));
    assert_int_equal (atomic_load (&gate->cancelled), 2);
    assert_int_equal (atomic_load (&gate->attempts[1]), 1);
    assert_int_equal (atomic_load (&gate->attempts[2]), 1);
    expect_no_notice (f); /* it left when it was asked to */
    gate_open (gate);
    system_fixture_expect_run (f, "then", "after", "then");
}

static void a_processor_that_never_returns_is_named_and_replaced (void **state) {
    system_fixture_t *f = *state;
    system_fixture_options (f)->failure_strategy = DW_CONTINUE_ON_ERROR;
    gate_t *gate = system_fixture_add_gate (f, "gate", gate_deaf);
    int node = system_fixture_add (f, "stuck\033node", "gate", "");
    dw_graph_node_options (f->graph, node)->timeout_us = 100000; /* the last run is to end in it */
    system_fixture_add (f, "other", "change_text_case_upper", "");
    system_fixture_open (f);
    unsigned threads = threads_count ();
    for (unsigned i = 1; i <= 3; i++) { /* more than the pool has actors */
        dw_result_t *result = system_fixture_run_text (f, "text");
        assert_int_equal (dw_result_status (result), DW_RUN_PARTIAL);
        expect_failure (result, "stuck\033node", 408, "0.1");
        expect_text (result, "other", "TEXT");
        dw_result_destroy (&result);
        expect_notice (f, "stuck in node \"stuck?node\"");
        assert_int_equal (atomic_load (&gate->entered), i);
    }
    assert_in_range (threads_count (), threads + 2, threads + 3); /* the last may be starting */
    gate_let (gate, 1);
    assert_true (gate_wait_left (gate, 1));
    gate_open (gate); /* now all of them return, and the node works */
    system_fixture_expect_run (f, "text", "stuck\033node", "text");
    system_fixture_close (f); /* nobody is stuck any more */
}

static void closing_names_the_node_that_never_returns_and_does_not_wait_for_it (void **state) {
    system_fixture_t *f = *state;
    gate_t *gate = system_fixture_add_gate (f, "gate", gate_deaf);
    int node = system_fixture_add (f, "stuck node", "gate", "");
    dw_graph_node_options (f->graph, node)->timeout_us = 30000;
    system_fixture_add (f, "other", "gate", "");
    system_fixture_open (f);
    dw_result_t *result = system_fixture_run_text (f, "text");
    expect_failure (result, "stuck node", 408, "0.03");
    dw_result_destroy (&result);
    expect_notice (f, "stuck in node \"stuck node\"");
    int64_t begin_ms = now_ms ();
    assert_int_equal (system_fixture_try_close (f, 50), DW_ESTUCK);
    assert_in_range (now_ms () - begin_ms, 0, 2000);
    expect_message (f->error, f->place->is_elsewhere ? "slot" : "\"stuck node\"");
    expect_message (f->error, f->place->is_elsewhere ? "slot" : "\"other\"");
    assert_null (f->system);
    assert_int_equal (atomic_load (&gate->left), 0);
}

static void closing_names_a_node_that_is_in_its_processor_for_the_first_time (void **state) {
    system_fixture_t *f = *state;
    gate_t *gate = system_fixture_add_gate (f, "gate", gate_deaf);
    system_fixture_add (f, "busy node", "gate", "");
    system_fixture_open (f);
    system_fixture_submit (f, "text");
    assert_true (gate_wait_entered (gate, 1));
    int64_t begin_ms = now_ms ();
    assert_int_equal (system_fixture_try_close (f, 0), DW_ESTUCK);
    assert_in_range (now_ms () - begin_ms, 0, 2000);
    expect_message (f->error, f->place->is_elsewhere ? "slot" : "\"busy node\"");
}

/* Takes its time and hears nothing meanwhile. */
static int s_sleep_deaf (dw_call_t *call, void *arg) {
    atomic_uint *state = arg;
    atomic_store (state, 1);
    sleep_ms (150);
    atomic_store (state, 2);
    return dw_call_set_payload (call);
}

static void closing_waits_for_a_processor_that_returns_in_time (void **state) {
    system_fixture_t *f = *state;
    atomic_uint progress = 0;
    system_fixture_add_function (f, "sleep_deaf", s_sleep_deaf, &progress);
    system_fixture_add (f, "a", "sleep_deaf", "");
    system_fixture_open (f);
    system_fixture_submit (f, "text");
    while (atomic_load (&progress) == 0)
        sleep_ms (1);
    assert_int_equal (system_fixture_try_close (f, INT32_MAX), DW_OK); /* weeks, cut to an hour */
    assert_int_equal (atomic_load (&progress), 2);
}

/* Many at once: 70 nodes that are deaf, each in an actor of its own, and two runs through them. */
static gate_t *s_run_many_stuck (system_fixture_t *f) {
    char id[16];
    if (f->place->actors != DW_ACTORS_THREAD || f->place->is_elsewhere)
        skip (); /* so many actors only a thread for each node makes */
    dw_graph_options_t *options = system_fixture_options (f);
    options->max_concurrency = 100;
    options->timeout_us = 50000;
    options->failure_strategy = DW_CONTINUE_ON_ERROR;
    gate_t *gate = system_fixture_add_gate (f, "gate", gate_deaf);
    for (int i = 0; i < 70; i++) {
        snprintf (id, sizeof id, "n%d", i);
        system_fixture_add (f, id, "gate", "");
    }
    system_fixture_open (f);
    dw_result_t *result = system_fixture_run_text (f, "text");
    assert_int_equal (dw_result_status (result), DW_RUN_PARTIAL);
    assert_int_equal (dw_result_failures_count (result), 70);
    for (int i = 0; i < 70; i++)
        assert_int_equal (dw_result_error_code (result, i), 408);
    dw_result_destroy (&result);
    expect_notice (f, "too many are stuck");
    sleep_ms (300); /* the others are found stuck, too */
    result = system_fixture_run_text (f, "text");
    int refused = 0, timed_out = 0;
    for (int i = 0; i < 70; i++) {
        refused += dw_result_error_code (result, i) == 503;
        timed_out += dw_result_error_code (result, i) == 408;
    }
    assert_int_equal (refused + timed_out, 70);
    assert_in_range (refused, 1, 69);
    dw_result_destroy (&result);
    return gate;
}

static void more_stuck_actors_than_may_be_left_behind_fail_their_tasks (void **state) {
    system_fixture_t *f = *state;
    s_run_many_stuck (f);
    assert_int_equal (system_fixture_try_close (f, 10), DW_ESTUCK);
}

static void places_that_were_refused_come_back_when_the_stuck_return (void **state) {
    system_fixture_t *f = *state;
    gate_open (s_run_many_stuck (f));
    dw_run_status_t status = DW_RUN_PARTIAL;
    for (int64_t end_ms = now_ms () + 10000; status != DW_RUN_OK && now_ms () < end_ms;) {
        dw_result_t *result = system_fixture_run_text (f, "text");
        status = dw_result_status (result);
        dw_result_destroy (&result);
    }
    assert_int_equal (status, DW_RUN_OK);
    assert_int_equal (system_fixture_try_close (f, -1), DW_OK);
}

static void a_deaf_processor_of_a_cancelled_run_is_found_stuck_too (void **state) {
    system_fixture_t *f = *state;
    gate_t *gate = system_fixture_add_gate (f, "gate", gate_deaf);
    system_fixture_add (f, "gate", "gate", "");
    system_fixture_open (f);
    uint64_t run = system_fixture_submit (f, "text");
    assert_true (gate_wait_entered (gate, 1));
    assert_int_equal (dw_client_cancel (f->client, run), DW_OK);
    int64_t begin_ms = now_ms ();
    dw_result_t *result = system_fixture_wait (f, run);
    assert_in_range (now_ms () - begin_ms, 0, 2000);
    assert_int_equal (dw_result_status (result), DW_RUN_CANCELLED);
    dw_result_destroy (&result);
    expect_notice (f, "stuck in node \"gate\"");
    gate_open (gate);
    system_fixture_expect_run (f, "text", "gate", "text");
}

static void tasks_behind_a_stuck_one_run_elsewhere (void **state) {
    system_fixture_t *f = *state;
    dw_graph_options_t *options = system_fixture_options (f);
    options->max_concurrency = 1;
    gate_t *gate = system_fixture_add_gate (f, "gate", gate_deaf);
    int node = system_fixture_add (f, "gate", "gate", "");
    dw_graph_node_options (f->graph, node)->timeout_us = 100000;
    system_fixture_open (f);
    uint64_t runs[20];
    for (int i = 0; i < 20; i++)
        runs[i] = system_fixture_submit (f, "text");
    assert_true (gate_wait_entered (gate, 1));
    expect_notice (f, "stuck in node \"gate\"");
    gate_open (gate);
    int failed = 0;
    for (int i = 0; i < 20; i++) {
        dw_result_t *result = system_fixture_wait (f, runs[i]);
        if (dw_result_status (result) == DW_RUN_OK)
            expect_text (result, "gate", "text");
        else
            expect_failure (result, "gate", 408, "0.1");
        failed += dw_result_status (result) != DW_RUN_OK;
        dw_result_destroy (&result);
    }
    assert_in_range (failed, 1, 3);
}

int main (void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test (every_way_to_fail_says_its_code_and_why),
        cmocka_unit_test (a_long_message_is_cut_at_four_kib),
        cmocka_unit_test (an_output_that_is_too_large_is_a_failure_413),
        cmocka_unit_test (retries_are_counted_and_each_attempt_has_the_same_key),
        cmocka_unit_test (when_retries_are_used_up_the_last_error_stays),
        cmocka_unit_test (a_node_says_for_itself_how_often_it_is_retried),
        cmocka_unit_test (a_retry_waits_for_its_backoff),
        cmocka_unit_test (under_fail_fast_a_failure_ends_the_run),
        cmocka_unit_test (under_continue_on_error_dependents_are_skipped_and_the_rest_runs),
        cmocka_unit_test (under_best_effort_a_failed_transform_is_passed_over),
        cmocka_unit_test (under_best_effort_a_failed_dependency_gives_nothing),
        cmocka_unit_test (first_causes_are_named_by_rank),
        cmocka_unit_test (many_first_causes_are_cut_at_sixteen),
        cmocka_unit_test (a_failure_under_fail_fast_stops_what_runs_elsewhere),
        cmocka_unit_test (a_run_that_failed_keeps_the_payloads_of_requested_nodes_only),
        cmocka_unit_test (an_attempt_that_takes_too_long_fails_with_408),
        cmocka_unit_test (a_processor_that_never_returns_is_named_and_replaced),
        cmocka_unit_test (closing_names_the_node_that_never_returns_and_does_not_wait_for_it),
        cmocka_unit_test (closing_names_a_node_that_is_in_its_processor_for_the_first_time),
        cmocka_unit_test (closing_waits_for_a_processor_that_returns_in_time),
        cmocka_unit_test (more_stuck_actors_than_may_be_left_behind_fail_their_tasks),
        cmocka_unit_test (places_that_were_refused_come_back_when_the_stuck_return),
        cmocka_unit_test (a_deaf_processor_of_a_cancelled_run_is_found_stuck_too),
        cmocka_unit_test (tasks_behind_a_stuck_one_run_elsewhere),
    };
    return system_fixture_run_everywhere ("failures", tests);
}
