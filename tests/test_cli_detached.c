/* test_cli_detached.c - dagwood submit --detach, --wait and --cancel, as a user types them. */

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/support/command.h"

typedef struct fixture_t {
    command_t coordinator, other;
    char endpoint[COMMAND_ENDPOINT_SIZE], name[80];
} fixture_t;

static int s_set_up (void **state) {
    *state = calloc (1, sizeof (fixture_t));
    return *state ? 0 : -1;
}

static int s_tear_down (void **state) {
    fixture_t *f = *state;
    command_forget (&f->coordinator);
    command_forget (&f->other);
    free (f);
    return 0;
}

/* A coordinator with actors of its own; ms: how long its graph takes. */
static void s_coordinate (fixture_t *f, int ms, const char *option, const char *value) {
    char text[160], name[24];
    snprintf (text, sizeof text,
              "processors:\n"
              "  - {id: nap, processor: sleep, options: {ms: %d}}\n"
              "  - {id: up, processor: change_text_case_upper, depends_on: [nap]}\n",
              ms);
    snprintf (name, sizeof name, "nap%d.yaml", ms);
    const char *const words[] = {"coordinator",   command_file (name, text),
                                 "--listen",      "tcp://127.0.0.1:*",
                                 "--actors-here", option,
                                 value,           NULL};
    command_start (&f->coordinator, words);
    command_await_output (&f->coordinator, "\n");
    command_take_endpoint (&f->coordinator, f->endpoint);
}

static void s_detach (fixture_t *f, const char *input) {
    command_t c = {0};
    COMMAND (&c, "submit", "--connect", f->endpoint, "--detach", "--input", input);
    command_expect (&c, 0);
    assert_int_equal (sscanf (c.out, "%79s\n", f->name), 1);
    assert_int_equal (strlen (f->name), 34);
    command_free (&c);
}

static void waiting_prints_what_a_plain_submit_would (void **state) {
    fixture_t *f = *state;
    command_t plain = {0}, waited = {0};
    s_coordinate (f, 200, NULL, NULL);
    s_detach (f, "hello");
    COMMAND (&waited, "submit", "--connect", f->endpoint, "--wait", f->name, "--format", "json");
    command_expect (&waited, 0);
    COMMAND (&plain, "submit", "--connect", f->endpoint, "--input", "hello", "--format", "json");
    command_expect (&plain, 0);
    json_t *a = command_json (&plain), *b = command_json (&waited);
    assert_true (json_equal (json_object_get (a, "run"), json_object_get (b, "run")));
    assert_true (json_equal (json_object_get (a, "status"), json_object_get (b, "status")));
    assert_true (json_equal (json_object_get (a, "outputs"), json_object_get (b, "outputs")));
    const json_t *up = json_object_get (json_object_get (b, "results"), "up");
    assert_string_equal (json_string_value (json_object_get (up, "payload")), "HELLO");
    json_decref (a);
    json_decref (b);
    command_free (&plain);
    command_free (&waited);
}

static void a_cancelled_run_is_status_1_for_who_waits (void **state) {
    fixture_t *f = *state;
    command_t c = {0};
    s_coordinate (f, 60000, NULL, NULL);
    s_detach (f, "hello");
    command_start (&f->other, (const char *const[]){"submit", "--connect", f->endpoint, "--wait",
                                                    f->name, NULL});
    usleep (200000);
    COMMAND (&c, "submit", "--connect", f->endpoint, "--cancel", f->name);
    command_expect (&c, 0);
    command_expect_output (&c, ": cancelled\n");
    command_free (&c);
    command_end (&f->other);
    command_expect (&f->other, 1);
    command_expect_output (&f->other, "run 1: cancelled");
}

static void a_cancelled_run_is_json_where_that_is_asked_for (void **state) {
    fixture_t *f = *state;
    command_t c = {0};
    s_coordinate (f, 60000, NULL, NULL);
    s_detach (f, "hello");
    COMMAND (&c, "submit", "--connect", f->endpoint, "--cancel", f->name, "--format", "json");
    command_expect (&c, 0);
    json_t *result = command_json (&c);
    assert_string_equal (json_string_value (json_object_get (result, "status")), "cancelled");
    json_decref (result);
    command_free (&c);
}

/* Has a run of nap, up behind it and beside, records it, and cancels nap. */
static void s_cancel_nap (fixture_t *f, const char *recording) {
    command_t c = {0};
    const char *file = command_file ("beside.yaml",
                                     "processors:\n"
                                     "  - {id: nap, processor: sleep, options: {ms: 60000}}\n"
                                     "  - {id: up, processor: change_text_case_upper, depends_on: "
                                     "[nap]}\n"
                                     "  - {id: beside, processor: reverse_text}\n");
    command_start (&f->coordinator,
                   (const char *const[]){"coordinator", file, "--listen", "tcp://127.0.0.1:*",
                                         "--actors-here", "--record", recording, NULL});
    command_await_output (&f->coordinator, "\n");
    assert_int_equal (sscanf (f->coordinator.out, "listening at %255s", f->endpoint), 1);
    s_detach (f, "hello");
    usleep (200000);
    COMMAND (&c, "submit", "--connect", f->endpoint, "--cancel", f->name, "--node", "nip");
    command_expect (&c, 64);
    command_expect_error (&c, "no node \"nip\" to be cancelled; did you mean \"nap\"?");
    command_free (&c);
    COMMAND (&c, "submit", "--connect", f->endpoint, "--cancel", f->name, "--node", "nap",
             "--format", "json");
    command_expect (&c, 1);
    json_t *result = command_json (&c), *nodes = json_object_get (result, "results");
    const char *const expected[][2] = {
        {"nap", "cancelled"}, {"up", "cancelled"}, {"beside", "done"}};
    assert_string_equal (json_string_value (json_object_get (result, "status")), "partial");
    for (int i = 0; i < 3; i++) {
        const json_t *node = json_object_get (nodes, expected[i][0]);
        assert_string_equal (json_string_value (json_object_get (node, "status")), expected[i][1]);
    }
    json_decref (result);
    command_free (&c);
    command_signal (&f->coordinator, SIGTERM);
    command_end (&f->coordinator);
    command_expect (&f->coordinator, 0);
}

static void a_node_is_cancelled_while_the_rest_of_its_run_goes_on (void **state) {
    fixture_t *f = *state;
    command_t c = {0};
    char recording[64];
    snprintf (recording, sizeof recording, "/tmp/dagwood-cancelled-%d.rec", (int) getpid ());
    s_cancel_nap (f, recording);
    COMMAND (&c, "replay", recording);
    command_expect (&c, 0);
    command_expect_output (&c, "cancel, with what depends on it, nap");
    command_free (&c);
    COMMAND (&c, "why", recording, "up");
    command_expect (&c, 0);
    command_expect_output (&c, "cancelled because that was asked for of nap, which it depends on");
    command_free (&c);
    COMMAND (&c, "why", recording, "nap");
    command_expect (&c, 0);
    command_expect_output (&c, "cancelled while it ran");
    command_expect_output (&c, "cancelled because that was asked for of nap\n");
    command_free (&c);
    unlink (recording);
}

static void a_signal_ends_the_waiting_and_not_the_run (void **state) {
    fixture_t *f = *state;
    command_t c = {0};
    s_coordinate (f, 1000, NULL, NULL);
    s_detach (f, "hello");
    command_start (&f->other, (const char *const[]){"submit", "--connect", f->endpoint, "--wait",
                                                    f->name, NULL});
    usleep (200000);
    command_signal (&f->other, SIGINT);
    command_end (&f->other);
    command_expect (&f->other, 130);
    COMMAND (&c, "submit", "--connect", f->endpoint, "--wait", f->name);
    command_expect (&c, 0);
    command_expect_output (&c, "HELLO");
    command_free (&c);
}

static void a_name_that_is_not_there_is_status_76_and_one_that_is_none_64 (void **state) {
    fixture_t *f = *state;
    command_t c = {0};
    s_coordinate (f, 1, "--keep-runs", "1");
    COMMAND (&c, "submit", "--connect", f->endpoint, "--wait",
             "0123456789abcdef0123456789abcdef-1");
    command_expect (&c, 76);
    command_expect_error (&c, "no run of this name");
    command_free (&c);
    COMMAND (&c, "submit", "--connect", f->endpoint, "--wait", "yesterday");
    command_expect (&c, 64);
    command_expect_error (&c, "is no name of a run");
    command_free (&c);
    s_detach (f, "first");
    char first[80];
    memcpy (first, f->name, sizeof first);
    COMMAND (&c, "submit", "--connect", f->endpoint, "--wait", first);
    command_expect (&c, 0);
    command_free (&c);
    s_detach (f, "second"); /* takes the only place */
    COMMAND (&c, "submit", "--connect", f->endpoint, "--wait", first);
    command_expect (&c, 76);
    command_expect_error (&c, "was dropped");
    command_free (&c);
}

static void words_that_do_not_go_together_are_a_usage_error (void **state) {
    (void) state;
    command_t c = {0};
    COMMAND (&c, "submit", "--connect", "ipc://x", "--wait", "a-1", "--cancel", "a-1");
    command_expect (&c, 64);
    command_free (&c);
    COMMAND (&c, "submit", "--connect", "ipc://x", "--wait", "a-1", "--node", "b");
    command_expect (&c, 64);
    command_free (&c);
    COMMAND (&c, "submit", "--connect", "ipc://x", "--wait", "a-1", "--input", "hello");
    command_expect (&c, 64);
    command_free (&c);
}

#define TEST(name) cmocka_unit_test_setup_teardown (name, s_set_up, s_tear_down)

int main (void) {
    const struct CMUnitTest tests[] = {
        TEST (waiting_prints_what_a_plain_submit_would),
        TEST (a_cancelled_run_is_status_1_for_who_waits),
        TEST (a_cancelled_run_is_json_where_that_is_asked_for),
        TEST (a_node_is_cancelled_while_the_rest_of_its_run_goes_on),
        TEST (a_signal_ends_the_waiting_and_not_the_run),
        TEST (a_name_that_is_not_there_is_status_76_and_one_that_is_none_64),
        TEST (words_that_do_not_go_together_are_a_usage_error),
    };
    return cmocka_run_group_tests (tests, command_folder_set_up, command_folder_tear_down);
}
