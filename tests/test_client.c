/* test_client.c - submitting runs, waiting for them, cancelling them: at every place. */

#include "tests/support/system_fixture.h"

#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LARGE_BYTES (1u << 20)

/* ---- Waiting ---------------------------------------------------------------------------------- */

static void a_result_is_given_once (void **state) {
    system_fixture_t *f = *state;
    dw_result_t *result = NULL;
    system_fixture_add (f, "same", "identity", "");
    system_fixture_open (f);
    uint64_t run = system_fixture_submit (f, "text");
    assert_int_equal (run, 1);
    assert_int_equal (dw_client_wait (f->client, run + 1, 0, &result), DW_ENOENT);
    assert_int_equal (dw_client_wait (f->client, 0, 0, &result), DW_ENOENT);
    result = system_fixture_wait (f, run);
    dw_result_destroy (&result);
    assert_int_equal (dw_client_wait (f->client, run, -1, &result), DW_ENOENT);
    assert_int_equal (dw_client_wait_any (f->client, NULL, 0, -1, &result), DW_ENOENT);
    assert_int_equal (dw_client_wait_all (f->client, -1), DW_OK);
    assert_null (dw_client_next (f->client));
    assert_null (result);
}

static void waiting_ends_when_its_time_has_passed (void **state) {
    system_fixture_t *f = *state;
    dw_result_t *result = NULL;
    gate_t *gate = system_fixture_add_gate (f, "gate", gate_deaf);
    system_fixture_add (f, "gate", "gate", "");
    system_fixture_open (f);
    uint64_t run = system_fixture_submit (f, "text");
    int64_t begin_ms = now_ms ();
    assert_int_equal (dw_client_wait (f->client, run, 30, &result), DW_ETIMEDOUT);
    assert_int_equal (dw_client_wait_any (f->client, &run, 1, 30, &result), DW_ETIMEDOUT);
    assert_int_equal (dw_client_wait_any (f->client, NULL, 0, 30, &result), DW_ETIMEDOUT);
    assert_int_equal (dw_client_wait_all (f->client, 30), DW_ETIMEDOUT);
    assert_in_range (now_ms () - begin_ms, 119, 2000);
    assert_int_equal (dw_client_wait (f->client, run, 0, &result), DW_ETIMEDOUT);
    assert_null (dw_client_next (f->client));
    assert_int_equal (dw_client_in_flight (f->client), 1);
    gate_let (gate, 1);
    result = system_fixture_wait (f, run);
    expect_text (result, "gate", "text");
    dw_result_destroy (&result);
    assert_int_equal (dw_client_in_flight (f->client), 0);
}

static void waiting_for_any_gives_one_that_was_named (void **state) {
    system_fixture_t *f = *state;
    system_fixture_add (f, "same", "identity", "");
    system_fixture_open (f);
    uint64_t runs[20];
    char text[24];
    for (int i = 0; i < 20; i++) {
        snprintf (text, sizeof text, "text %d", i);
        runs[i] = system_fixture_submit (f, text);
    }
    /* Backwards, two at a time, each once. */
    for (int left = 20; left > 0; left -= 2)
        for (int i = 0; i < 2; i++) {
            dw_result_t *result = NULL;
            assert_int_equal (dw_client_wait_any (f->client, &runs[left - 2], 2, 20000, &result),
                              DW_OK);
            uint64_t run = dw_result_run (result);
            assert_true (run == runs[left - 2] || run == runs[left - 1]);
            snprintf (text, sizeof text, "text %d", (int) run - 1);
            expect_text (result, "same", text);
            dw_result_destroy (&result);
        }
    dw_result_t *none = NULL;
    assert_int_equal (dw_client_wait_any (f->client, runs, 20, -1, &none), DW_ENOENT);
}

static void waiting_for_all_leaves_the_results_to_be_taken (void **state) {
    system_fixture_t *f = *state;
    system_fixture_add (f, "same", "identity", "");
    system_fixture_open (f);
    for (int i = 0; i < 100; i++)
        system_fixture_submit (f, "text");
    assert_int_equal (dw_client_wait_all (f->client, 20000), DW_OK);
    assert_int_equal (dw_client_in_flight (f->client), 0);
    int taken = 0;
    for (dw_result_t *result; (result = dw_client_next (f->client)); taken++)
        dw_result_destroy (&result);
    assert_int_equal (taken, 100);
}

static void results_outlive_their_client_and_their_system (void **state) {
    system_fixture_t *f = *state;
    system_fixture_add (f, "count", "token_counter", "");
    system_fixture_add (f, "same", "identity", "count");
    system_fixture_open (f);
    dw_result_t *small = system_fixture_run_text (f, "text");
    char *text = calloc (1, LARGE_BYTES + 1);
    assert_non_null (text);
    memset (text, 'y', LARGE_BYTES);
    dw_result_t *large = system_fixture_run_text (f, text);
    system_fixture_close (f);
    expect_text (small, "same", "text");
    expect_text (large, "same", text);
    assert_int_equal (dw_result_metadata_count (large, 0), 3);
    dw_result_destroy (&small);
    dw_result_destroy (&large);
    free (text);
}

static void a_client_outlives_its_system_and_says_that_it_is_closed (void **state) {
    system_fixture_t *f = *state;
    system_fixture_add (f, "same", "identity", "");
    system_fixture_open (f);
    dw_result_t *result = NULL;
    uint64_t done = system_fixture_submit (f, "text");
    assert_int_equal (dw_client_wait_all (f->client, 20000), DW_OK);
    int64_t begin_ms = now_ms ();
    assert_int_equal (dw_system_close (&f->system, -1, f->error), DW_OK);
    assert_in_range (now_ms () - begin_ms, 0, 2000); /* it does not wait for clients to go */
    dw_submission_t submission = {.payload = "\xa1x", .size = 2, .wait_ms = -1};
    int err = dw_client_submit (f->client, &submission, NULL, f->error);
    for (int i = 0; f->place->is_elsewhere && !err && i < 500; i++) { /* word of it is on its way */
        sleep_ms (10);
        err = dw_client_submit (f->client, &submission, NULL, f->error);
    }
    assert_int_equal (err, DW_ECLOSED);
    assert_int_equal (dw_client_wait (f->client, done, 0, &result), DW_OK); /* it was there */
    expect_text (result, "same", "text");
    dw_result_destroy (&result);
    assert_null (dw_client_next (f->client));
    assert_int_equal (dw_client_cancel (f->client, done), DW_ENOENT);
    dw_client_destroy (&f->client);
}

static void closing_tells_a_client_that_waits (void **state) {
    system_fixture_t *f = *state;
    gate_t *gate = system_fixture_add_gate (f, "gate", gate_polite);
    system_fixture_add (f, "gate", "gate", "");
    system_fixture_open (f);
    uint64_t run = system_fixture_submit (f, "text");
    assert_true (gate_wait_entered (gate, 1));
    assert_int_equal (dw_system_close (&f->system, -1, f->error), DW_OK);
    assert_true (gate_wait_left (gate, 1)); /* elsewhere it is told, and not waited for */
    assert_int_equal (atomic_load (&gate->cancelled), 1);
    /* Its run was cancelled; the result may have come before the end, or not. */
    dw_result_t *result = NULL;
    int err = dw_client_wait (f->client, run, -1, &result);
    assert_true (err == DW_ECLOSED ||
                 (err == DW_OK && dw_result_status (result) == DW_RUN_CANCELLED));
    dw_result_destroy (&result);
    dw_client_destroy (&f->client);
}

/* ---- Many runs -------------------------------------------------------------------------------- */

static void a_run_beyond_runs_max_is_refused_at_once_or_waits (void **state) {
    system_fixture_t *f = *state;
    f->options.runs_max = 3;
    gate_t *gate = system_fixture_add_gate (f, "gate", gate_deaf);
    system_fixture_add (f, "gate", "gate", "");
    system_fixture_open (f);
    dw_submission_t submission = {.payload = "\xa1x", .size = 2};
    for (int i = 0; i < 3; i++)
        assert_int_equal (dw_client_submit (f->client, &submission, NULL, f->error), DW_OK);
    assert_int_equal (dw_client_submit (f->client, &submission, NULL, f->error), DW_EAGAIN);
    expect_message (f->error, "runs_max");
    submission.wait_ms = 40;
    int64_t begin_ms = now_ms ();
    assert_int_equal (dw_client_submit (f->client, &submission, NULL, f->error), DW_EAGAIN);
    assert_in_range (now_ms () - begin_ms, 39, 2000);
    assert_int_equal (dw_client_in_flight (f->client), 3);
    gate_let (gate, 1);
    submission.wait_ms = -1;
    uint64_t run = 0;
    assert_int_equal (dw_client_submit (f->client, &submission, &run, f->error), DW_OK);
    assert_int_equal (run, 4);
    gate_open (gate);
    assert_int_equal (dw_client_wait_all (f->client, 20000), DW_OK);
    submission.wait_ms = 0;
    assert_int_equal (dw_client_submit (f->client, &submission, &run, f->error), DW_OK);
    dw_result_t *result = system_fixture_wait (f, run);
    expect_text (result, "gate", "x");
    dw_result_destroy (&result);
}

static void a_client_more_than_clients_max_is_refused (void **state) {
    system_fixture_t *f = *state;
    f->options.clients_max = 2;
    system_fixture_add (f, "same", "identity", "");
    system_fixture_open (f);
    dw_client_t *second = system_fixture_client (f), *third = NULL;
    assert_int_equal (dw_client_new (&third, f->system, f->error), DW_EAGAIN);
    expect_message (f->error, "clients_max");
    assert_null (third);
    dw_client_destroy (&second);
    /* Its place is free as soon as its goodbye has come. */
    int err = DW_EAGAIN;
    for (int64_t end_ms = now_ms () + 20000; err == DW_EAGAIN && now_ms () < end_ms;)
        err = dw_client_new (&third, f->system, NULL);
    assert_int_equal (err, DW_OK);
    dw_client_destroy (&third);
    system_fixture_expect_run (f, "text", "same", "text");
}

/* A client of its own, so many runs in flight at once, each with its own right answer. */
typedef struct s_caller_t {
    pthread_t thread;
    dw_system_t *system;
    int number, runs;
    const char *failed; /* what went wrong; NULL: nothing */
} s_caller_t;

static const char *s_check_answer (const dw_result_t *result, int number) {
    char expected[64];
    size_t size;
    snprintf (expected, sizeof expected, "<CALLER %d RUN %llu>", number,
              (unsigned long long) dw_result_run (result));
    const char *text = dw_result_text (result, dw_result_find (result, "last"), &size);
    if (dw_result_status (result) != DW_RUN_OK || !text)
        return "a run is not ok";
    return size == strlen (expected) && !memcmp (text, expected, size) ? NULL : "a wrong answer";
}

static void *s_call (void *args) {
    s_caller_t *self = args;
    dw_client_t *client = NULL;
    char text[64];
    if (dw_client_new (&client, self->system, NULL))
        self->failed = "no client";
    for (int i = 1; i <= self->runs && !self->failed; i++) {
        snprintf (text, sizeof text, "caller %d run %d", self->number, i);
        dw_submission_t submission = {
            .payload = text, .size = strlen (text), .is_text = true, .wait_ms = 0};
        uint64_t run;
        if (dw_client_submit (client, &submission, &run, NULL) || run != (uint64_t) i)
            self->failed = "not submitted";
    }
    if (!self->failed && dw_client_wait_all (client, 60000))
        self->failed = "not all runs ended";
    int taken = 0;
    for (dw_result_t *result; !self->failed && (result = dw_client_next (client)); taken++) {
        self->failed = s_check_answer (result, self->number);
        dw_result_destroy (&result);
    }
    if (!self->failed && taken != self->runs)
        self->failed = "not every run has a result";
    dw_client_destroy (&client);
    return NULL;
}

static void thousands_of_runs_of_four_clients_in_flight_each_get_their_answer (void **state) {
    system_fixture_t *f = *state;
    s_caller_t callers[4];
    f->options.runs_max = 1250;
    system_fixture_add (f, "upper", "change_text_case_upper", "");
    int last = system_fixture_add (f, "last", "prefix_suffix_adder", "upper");
    dw_graph_set_text (f->graph, last, "prefix", "<");
    dw_graph_set_text (f->graph, last, "suffix", ">");
    system_fixture_open (f);
    for (int i = 0; i < 4; i++) {
        callers[i] = (s_caller_t){.system = f->system, .number = i, .runs = 1250};
        assert_int_equal (pthread_create (&callers[i].thread, NULL, s_call, &callers[i]), 0);
    }
    for (int i = 0; i < 4; i++)
        pthread_join (callers[i].thread, NULL);
    for (int i = 0; i < 4; i++)
        if (callers[i].failed)
            fail_msg ("caller %d: %s", i, callers[i].failed);
}

static void whoever_polls_the_descriptor_misses_no_result (void **state) {
    system_fixture_t *f = *state;
    system_fixture_add (f, "same", "identity", "");
    system_fixture_open (f);
    struct pollfd item = {.fd = dw_client_fd (f->client), .events = POLLIN};
    assert_true (item.fd >= 0);
    int submitted = 0, ended = 0;
    while (ended < 3000) {
        /* A few at a time, then as many as there are, then none: every way to be asleep. */
        for (int i = 0; submitted < 3000 && submitted - ended < 1 + ended % 7; i++, submitted++)
            system_fixture_submit (f, "text");
        dw_result_t *result;
        while ((result = dw_client_next (f->client))) {
            assert_int_equal (dw_result_status (result), DW_RUN_OK);
            dw_result_destroy (&result);
            ended++;
        }
        if (ended < submitted && poll (&item, 1, 20000) != 1)
            fail_msg ("asleep with %d of %d runs ended", ended, submitted);
    }
    assert_int_equal (dw_client_in_flight (f->client), 0);
}

/* ---- Cancelling ------------------------------------------------------------------------------- */

static void a_run_is_cancelled_before_it_starts (void **state) {
    system_fixture_t *f = *state;
    system_fixture_options (f)->max_concurrency = 1;
    gate_t *gate = system_fixture_add_gate (f, "gate", gate_deaf);
    system_fixture_add (f, "gate", "gate", "");
    system_fixture_add (f, "after", "identity", "gate");
    system_fixture_open (f);
    uint64_t first = system_fixture_submit (f, "first");
    assert_true (gate_wait_entered (gate, 1));
    uint64_t second = system_fixture_submit (f, "second");
    assert_int_equal (dw_client_cancel (f->client, second), DW_OK);
    dw_result_t *result = system_fixture_wait (f, second);
    assert_int_equal (dw_result_status (result), DW_RUN_CANCELLED);
    expect_status (result, "gate", DW_NODE_CANCELLED);
    expect_status (result, "after", DW_NODE_CANCELLED);
    assert_int_equal (dw_result_failures_count (result), 0);
    dw_result_destroy (&result);
    assert_int_equal (atomic_load (&gate->entered), 1);
    gate_open (gate);
    result = system_fixture_wait (f, first);
    assert_int_equal (dw_result_status (result), DW_RUN_OK);
    expect_text (result, "after", "first");
    dw_result_destroy (&result);
    system_fixture_expect_run (f, "third", "after", "third");
}

static void a_processor_that_asks_stops_soon_after_its_run_is_cancelled (void **state) {
    system_fixture_t *f = *state;
    gate_t *gate = system_fixture_add_gate (f, "gate", gate_polite);
    system_fixture_add (f, "before", "identity", "");
    system_fixture_add (f, "gate", "gate", "before");
    system_fixture_add (f, "after", "identity", "gate");
    system_fixture_open (f);
    unsigned soon = 0;
    for (unsigned i = 1; i <= 20; i++) {
        uint64_t run = system_fixture_submit (f, "text");
        assert_true (gate_wait_entered (gate, i));
        int64_t begin_ms = now_ms ();
        assert_int_equal (dw_client_cancel (f->client, run), DW_OK);
        dw_result_t *result = system_fixture_wait (f, run);
        assert_int_equal (dw_result_status (result), DW_RUN_CANCELLED);
        expect_status (result, "before", DW_NODE_DONE);
        expect_text (result, "before", "text");
        expect_status (result, "gate", DW_NODE_CANCELLED);
        expect_status (result, "after", DW_NODE_CANCELLED);
        dw_result_destroy (&result);
        assert_true (gate_wait_left (gate, i));
        assert_in_range (now_ms () - begin_ms, 0, 1000);
        soon += now_ms () - begin_ms <= 10;
        assert_int_equal (atomic_load (&gate->cancelled), i);
    }
    assert_true (soon >= 5); /* within 10 ms, but for what others do on the machine */
    gate_open (gate);
    system_fixture_expect_run (f, "then", "after", "then");
    expect_no_notice (f);
}

static void a_run_that_has_ended_cannot_be_cancelled (void **state) {
    system_fixture_t *f = *state;
    system_fixture_add (f, "same", "identity", "");
    system_fixture_open (f);
    uint64_t run = system_fixture_submit (f, "text");
    assert_int_equal (dw_client_wait_all (f->client, 20000), DW_OK);
    assert_int_equal (dw_client_cancel (f->client, run), DW_ENOENT);
    assert_int_equal (dw_client_cancel (f->client, run + 1), DW_ENOENT);
    assert_int_equal (dw_client_cancel (f->client, 0), DW_ENOENT);
    dw_result_t *result = system_fixture_wait (f, run);
    assert_int_equal (dw_result_status (result), DW_RUN_OK);
    dw_result_destroy (&result);
    assert_int_equal (dw_client_cancel (f->client, run), DW_ENOENT);
}

static void runs_cancelled_at_any_moment_end_once_and_the_others_are_right (void **state) {
    system_fixture_t *f = *state;
    system_fixture_add (f, "upper", "change_text_case_upper", "");
    system_fixture_add (f, "last", "reverse_text", "upper");
    system_fixture_open (f);
    int ended = 0, cancelled = 0;
    for (int round = 0; round < 20; round++) {
        uint64_t runs[40];
        for (int i = 0; i < 40; i++) {
            runs[i] = system_fixture_submit (f, "abc");
            if (i % 3 == 1)
                dw_client_cancel (f->client, runs[i - round % (i + 1)]);
        }
        assert_int_equal (dw_client_wait_all (f->client, 20000), DW_OK);
        for (dw_result_t *result; (result = dw_client_next (f->client)); ended++) {
            if (dw_result_status (result) == DW_RUN_CANCELLED)
                cancelled++;
            else
                expect_text (result, "last", "CBA");
            dw_result_destroy (&result);
        }
    }
    assert_int_equal (ended, 800);
    assert_in_range (cancelled, 0, 280);
}

static void destroying_a_client_cancels_its_runs (void **state) {
    system_fixture_t *f = *state;
    gate_t *gate = system_fixture_add_gate (f, "gate", gate_polite);
    system_fixture_add (f, "gate", "gate", "");
    system_fixture_open (f);
    dw_client_t *other = system_fixture_client (f);
    dw_submission_t submission = {.payload = "\xa1x", .size = 2};
    assert_int_equal (dw_client_submit (other, &submission, NULL, NULL), DW_OK);
    assert_true (gate_wait_entered (gate, 1));
    dw_client_destroy (&other);
    assert_true (gate_wait_left (gate, 1));
    assert_int_equal (atomic_load (&gate->cancelled), 1);
    gate_open (gate);
    system_fixture_expect_run (f, "text", "gate", "text");
}

int main (void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test (a_result_is_given_once),
        cmocka_unit_test (waiting_ends_when_its_time_has_passed),
        cmocka_unit_test (waiting_for_any_gives_one_that_was_named),
        cmocka_unit_test (waiting_for_all_leaves_the_results_to_be_taken),
        cmocka_unit_test (results_outlive_their_client_and_their_system),
        cmocka_unit_test (a_client_outlives_its_system_and_says_that_it_is_closed),
        cmocka_unit_test (closing_tells_a_client_that_waits),
        cmocka_unit_test (a_run_beyond_runs_max_is_refused_at_once_or_waits),
        cmocka_unit_test (a_client_more_than_clients_max_is_refused),
        cmocka_unit_test (thousands_of_runs_of_four_clients_in_flight_each_get_their_answer),
        cmocka_unit_test (whoever_polls_the_descriptor_misses_no_result),
        cmocka_unit_test (a_run_is_cancelled_before_it_starts),
        cmocka_unit_test (a_processor_that_asks_stops_soon_after_its_run_is_cancelled),
        cmocka_unit_test (a_run_that_has_ended_cannot_be_cancelled),
        cmocka_unit_test (runs_cancelled_at_any_moment_end_once_and_the_others_are_right),
        cmocka_unit_test (destroying_a_client_cancels_its_runs),
    };
    return system_fixture_run_everywhere ("clients", tests);
}
