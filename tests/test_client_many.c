/* test_client_many.c - many submissions: those that travel together, numbers of one's own, and all
 * of them cancelled at once: at every place. */

#include "tests/support/system_fixture.h"

#include <stdio.h>
#include <string.h>

#include "actors/system.h"
#include "tests/support/random.h"

#define RUNS 1000

/* ---- Steps ------------------------------------------------------------------------------------ */

static void s_open (system_fixture_t *f) {
    system_fixture_add (f, "same", "identity", "");
    system_fixture_open (f);
}

static int s_submit (system_fixture_t *f, const char *text, uint64_t number, bool more) {
    dw_submission_t submission = {.payload = text,
                                  .size = strlen (text),
                                  .is_text = true,
                                  .wait_ms = -1,
                                  .number = number,
                                  .more = more};
    return dw_client_submit (f->client, &submission, NULL, NULL);
}

static void s_expect (system_fixture_t *f, uint64_t run, const char *text) {
    dw_result_t *result = system_fixture_wait (f, run);
    assert_int_equal (dw_result_run (result), run);
    expect_text (result, "same", text);
    dw_result_destroy (&result);
}

static uint64_t s_messages (system_fixture_t *f) {
    uint64_t messages = 0, steps;
    assert_true (dw_system_counts (f->system, &messages, &steps, 1) > 0);
    return messages;
}

/* ---- Together --------------------------------------------------------------------------------- */

static void submissions_that_are_followed_by_another_travel_together (void **state) {
    system_fixture_t *f = *state;
    s_open (f);
    s_expect (f, system_fixture_submit (f, "first"), "first");
    uint64_t before = s_messages (f);
    for (int i = 0; i < 63; i++)
        assert_int_equal (s_submit (f, "text", 0, true), DW_OK);
    assert_in_range (s_messages (f) - before, 0, 8); /* perhaps those that look who is there */
    assert_int_equal (dw_client_in_flight (f->client), 63);
    assert_int_equal (s_submit (f, "last", 0, true), DW_OK); /* as many as there may be */
    for (uint64_t run = 2; run <= 64; run++)
        s_expect (f, run, "text");
    s_expect (f, 65, "last");
}

static void a_submission_that_is_followed_by_none_takes_along_those_that_wait (void **state) {
    system_fixture_t *f = *state;
    gate_t *gate = system_fixture_add_gate (f, "gate", gate_deaf);
    system_fixture_add (f, "gate", "gate", "");
    system_fixture_open (f);
    assert_int_equal (s_submit (f, "a", 0, true), DW_OK);
    sleep_ms (30);
    assert_int_equal (atomic_load (&gate->entered), 0);
    assert_int_equal (s_submit (f, "b", 0, false), DW_OK);
    assert_true (gate_wait_entered (gate, 1));
    gate_open (gate);
    dw_result_t *result = system_fixture_wait (f, 1);
    dw_result_destroy (&result);
}

/* Each of the calls by which somebody waits sends first what he waits for. */
static void whoever_waits_sends_what_waits (void **state) {
    system_fixture_t *f = *state;
    dw_result_t *result = NULL;
    s_open (f);
    assert_int_equal (s_submit (f, "a", 0, true), DW_OK);
    s_expect (f, 1, "a");
    assert_int_equal (s_submit (f, "b", 0, true), DW_OK);
    assert_int_equal (dw_client_wait_any (f->client, NULL, 0, 20000, &result), DW_OK);
    dw_result_destroy (&result);
    assert_int_equal (s_submit (f, "c", 0, true), DW_OK);
    assert_int_equal (dw_client_wait_all (f->client, 20000), DW_OK);
    s_expect (f, 3, "c");
    assert_int_equal (s_submit (f, "d", 0, true), DW_OK);
    for (int64_t end_ms = now_ms () + 20000; !result && now_ms () < end_ms;)
        result = dw_client_next (f->client);
    assert_non_null (result);
    dw_result_destroy (&result);
    assert_int_equal (s_submit (f, "e", 0, true), DW_OK);
    assert_int_equal (dw_client_cancel (f->client, 5), DW_OK);
    result = system_fixture_wait (f, 5);
    assert_int_equal (dw_result_run (result), 5);
    dw_result_destroy (&result);
}

static void a_submission_that_fails_leaves_those_before_it_and_takes_no_number (void **state) {
    static const char large[2000];
    static const char *const nobody = "nobody";
    system_fixture_t *f = *state;
    system_fixture_options (f)->max_payload_bytes = 1000;
    s_open (f);
    const dw_submission_t bad[] = {
        {.payload = large, .size = sizeof large, .is_text = true, .more = true},
        {.payload = large,
         .size = 900,
         .is_text = true,
         .more = true,
         .outputs = &nobody,
         .outputs_count = 1},
        {.payload = "\xc1", .size = 1, .more = true},
    };
    static const int errors[] = {DW_ETOOLARGE, DW_ENOENT, DW_EPROTOCOL};
    assert_int_equal (s_submit (f, "before", 0, true), DW_OK);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_int_equal (dw_client_submit (f->client, &bad[i], NULL, NULL), errors[i]);
    assert_int_equal (s_submit (f, "behind", 0, true), DW_OK);
    assert_int_equal (dw_client_in_flight (f->client), 2);
    s_expect (f, 1, "before");
    s_expect (f, 2, "behind");
}

/* Small ones, such as travel in the head, and large ones, in frames; some alone, most with
 * others. */
static void a_thousand_of_any_size_each_get_their_answer (void **state) {
    static char text[5000];
    system_fixture_t *f = *state;
    random_t random = random_from (random_seed ());
    size_t sizes[RUNS];
    s_open (f);
    for (uint64_t i = 0; i < RUNS; i++) {
        sizes[i] = random_below (&random, 4) ? random_below (&random, 300)
                                             : random_below (&random, sizeof text);
        memset (text, 'a' + (int) (i % 26), sizes[i]);
        dw_submission_t submission = {.payload = text,
                                      .size = sizes[i],
                                      .is_text = true,
                                      .wait_ms = -1,
                                      .more = random_below (&random, 20) > 0};
        assert_int_equal (dw_client_submit (f->client, &submission, NULL, NULL), DW_OK);
    }
    for (uint64_t i = 0; i < RUNS; i++) {
        size_t size;
        dw_result_t *result = system_fixture_wait (f, i + 1);
        const char *output = dw_result_text (result, 0, &size);
        memset (text, 'a' + (int) (i % 26), sizes[i]);
        assert_int_equal (size, sizes[i]);
        assert_memory_equal (output, text, size);
        dw_result_destroy (&result);
    }
}

/* ---- Numbers of one's own --------------------------------------------------------------------- */

static void a_run_has_the_number_that_its_submission_says (void **state) {
    system_fixture_t *f = *state;
    uint64_t run = 0;
    s_open (f);
    assert_int_equal (s_submit (f, "seven", 7, true), DW_OK);
    assert_int_equal (s_submit (f, "again", 7, true), DW_EINVAL);
    assert_int_equal (s_submit (f, "less", 6, true), DW_EINVAL);
    dw_submission_t next = {.payload = "eight", .size = 5, .is_text = true, .wait_ms = -1};
    assert_int_equal (dw_client_submit (f->client, &next, &run, NULL), DW_OK);
    assert_int_equal (run, 8);
    assert_int_equal (s_submit (f, "far", UINT64_C (1) << 40, false), DW_OK);
    s_expect (f, UINT64_C (1) << 40, "far");
    s_expect (f, 8, "eight");
    s_expect (f, 7, "seven");
}

/* ---- Cancelled -------------------------------------------------------------------------------- */

static void every_run_in_flight_is_cancelled_at_once (void **state) {
    system_fixture_t *f = *state;
    gate_t *gate = system_fixture_add_gate (f, "gate", gate_polite);
    system_fixture_add (f, "gate", "gate", "");
    system_fixture_open (f);
    assert_int_equal (dw_client_cancel (f->client, DW_EVERY_RUN), DW_ENOENT);
    for (int i = 0; i < 100; i++)
        assert_int_equal (s_submit (f, "text", 0, true), DW_OK);
    assert_int_equal (dw_client_cancel (f->client, DW_EVERY_RUN), DW_OK);
    dw_result_t *result;
    for (uint64_t run = 1; run <= 100; run++) {
        result = system_fixture_wait (f, run);
        assert_int_equal (dw_result_status (result), DW_RUN_CANCELLED);
        dw_result_destroy (&result);
    }
    gate_open (gate);
    result = system_fixture_run_text (f, "served");
    expect_text (result, "gate", "served");
    dw_result_destroy (&result);
}

int main (void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test (submissions_that_are_followed_by_another_travel_together),
        cmocka_unit_test (a_submission_that_is_followed_by_none_takes_along_those_that_wait),
        cmocka_unit_test (whoever_waits_sends_what_waits),
        cmocka_unit_test (a_submission_that_fails_leaves_those_before_it_and_takes_no_number),
        cmocka_unit_test (a_thousand_of_any_size_each_get_their_answer),
        cmocka_unit_test (a_run_has_the_number_that_its_submission_says),
        cmocka_unit_test (every_run_in_flight_is_cancelled_at_once),
    };
    return system_fixture_run_everywhere ("client_many", tests);
}
