/* test_exec_worker.c - a slot whose processors are programs, in this process, and a true
 * coordinator: what becomes of its tasks when it drains, when a part is cancelled, when the line is
 * silent. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "actors/exec_worker.h"
#include "tests/support/cable.h"
#include "tests/support/process.h"

#define WAIT_MS    10000 /* for what has to come on a busy machine */
#define SILENCE_MS 1000

typedef struct fixture_t {
    dw_system_t *system;
    dw_client_t *client;
    cable_t *cable;
    dw_error_t *error;
    dw_exec_worker_t *worker;
    const char *command;
    char file[64]; /* that programs write to */
    char words[600];
    int notices[2]; /* a pipe: what workers tell */
} fixture_t;

static int s_set_up (void **state) {
    fixture_t *f = calloc (1, sizeof *f);
    dw_graph_t *graph = dw_graph_new ();
    assert_non_null (f);
    assert_non_null (graph);
    *state = f;
    f->error = dw_error_new ();
    snprintf (f->file, sizeof f->file, "/tmp/dagwood-test-XXXXXX");
    int fd = mkstemp (f->file);
    assert_true (fd >= 0);
    close (fd);
    assert_int_equal (pipe (f->notices), 0);
    assert_int_equal (dw_graph_add (graph, "one", "tool"), 0);
    assert_int_equal (dw_graph_add (graph, "two", "tool"), 1);
    assert_int_equal (dw_graph_depend (graph, 1, "one"), DW_OK);
    assert_int_equal (dw_graph_set_remote (graph, 0), DW_OK);
    assert_int_equal (dw_graph_set_remote (graph, 1), DW_OK);
    dw_graph_options (graph)->failure_strategy = DW_CONTINUE_ON_ERROR;
    dw_system_options_t options = {.listen = "tcp://127.0.0.1:*",
                                   .no_actors = true,
                                   .heartbeat_ms = 50,
                                   .silence_ms = SILENCE_MS};
    if (dw_system_open (&f->system, graph, &options, f->error) ||
        dw_client_new (&f->client, f->system, f->error))
        fail_msg ("%s", dw_error_text (f->error));
    dw_graph_destroy (&graph);
    f->cable = cable_new (dw_system_listening (f->system));
    return 0;
}

static int s_tear_down (void **state) {
    fixture_t *f = *state;
    dw_client_destroy (&f->client);
    dw_exec_worker_close (&f->worker);
    cable_destroy (&f->cable);
    assert_int_equal (dw_system_close (&f->system, -1, NULL), DW_OK);
    dw_error_destroy (&f->error);
    close (f->notices[0]);
    close (f->notices[1]);
    unlink (f->file);
    free (f);
    return 0;
}

static void s_note (void *arg, const char *text) {
    fixture_t *f = arg;
    if (write (f->notices[1], text, strlen (text)) < 0 || write (f->notices[1], "\n", 1) < 0)
        perror ("a notice");
}

static void s_await_notice (fixture_t *f, const char *part) {
    char text[4096] = "";
    size_t size = 0;
    struct pollfd item = {.fd = f->notices[0], .events = POLLIN};
    for (int64_t end_ms = now_ms () + WAIT_MS; !strstr (text, part);) {
        if (now_ms () >= end_ms)
            fail_msg ("not told: %s; but %s", part, text);
        if (poll (&item, 1, 100) > 0 && size < sizeof text - 1) {
            ssize_t got = read (f->notices[0], text + size, sizeof text - 1 - size);
            size += got > 0 ? (size_t) got : 0;
            text[size] = '\0';
        }
    }
}

/* A worker with this program, which reads and writes JSON. */
static dw_exec_worker_t *s_worker (fixture_t *f, const char *command, int grace_ms) {
    static const char *const name = "tool";
    dw_exec_worker_t *worker = NULL;
    f->command = command;
    dw_exec_options_t options = {.coordinator = {.endpoint = cable_endpoint (f->cable)},
                                 .tools = {.framing = DW_FRAMING_NDJSON,
                                           .names = &name,
                                           .commands = &f->command,
                                           .count = 1,
                                           .notice = s_note,
                                           .notice_arg = f},
                                 .reconnect_ms = WAIT_MS,
                                 .grace_ms = grace_ms};
    if (dw_exec_worker_open (&worker, &options, f->error))
        fail_msg ("%s", dw_error_text (f->error));
    return worker;
}

/* A program that says in the file that it has begun with a record. */
static const char *s_begins_and (fixture_t *f, const char *lines) {
    snprintf (f->words, sizeof f->words, "while read -r line; do echo x >> %s; %s done", f->file,
              lines);
    return f->words;
}

static unsigned s_begun (const fixture_t *f) {
    unsigned count = 0;
    FILE *file = fopen (f->file, "r");
    assert_non_null (file);
    for (int c; (c = getc (file)) != EOF;)
        count += c == '\n';
    fclose (file);
    return count;
}

static void s_await_begun (const fixture_t *f) {
    int64_t end_ms = now_ms () + WAIT_MS;
    while (s_begun (f) == 0 && now_ms () < end_ms)
        usleep (5000);
    assert_int_equal (s_begun (f), 1);
}

static uint64_t s_submit (fixture_t *f, const char *text) {
    uint64_t run = 0;
    dw_submission_t submission = {
        .payload = text, .size = strlen (text), .is_text = true, .wait_ms = -1};
    assert_int_equal (dw_client_submit (f->client, &submission, &run, NULL), DW_OK);
    dw_result_t *none = NULL;
    assert_int_equal (dw_client_wait (f->client, run, 0, &none), DW_ETIMEDOUT); /* it is sent */
    return run;
}

static dw_result_t *s_wait (fixture_t *f, uint64_t run) {
    dw_result_t *result = NULL;
    int err = dw_client_wait (f->client, run, WAIT_MS, &result);
    if (err)
        fail_msg ("run %u: %s", (unsigned) run, dw_err_text (err));
    return result;
}

/* What a node has come to, and after how many attempts. */
static void s_expect (const dw_result_t *result, int node, dw_node_status_t status,
                      unsigned attempts, const char *text) {
    size_t size = 0;
    const char *output = dw_result_text (result, node, &size);
    assert_string_equal (dw_node_status_text (dw_result_node_status (result, node)),
                         dw_node_status_text (status));
    if (attempts)
        assert_int_equal (dw_result_attempts (result, node), attempts);
    if (text) {
        assert_non_null (output);
        assert_int_equal (size, strlen (text));
        assert_memory_equal (output, text, size);
    }
}

/* ---- Tests ------------------------------------------------------------------------------------ */

static void every_step_of_a_chain_is_done_in_the_end (void **state) {
    fixture_t *f = *state;
    f->worker = s_worker (f, "while read -r line; do echo \"\\\"a${line#?}\"; done", 0);
    dw_result_t *result = s_wait (f, s_submit (f, "b"));
    s_expect (result, 0, DW_NODE_DONE, 1, "ab");
    s_expect (result, 1, DW_NODE_DONE, 0, "aab");
    dw_result_destroy (&result);
}

static void a_failure_says_its_code_and_what_the_program_said (void **state) {
    fixture_t *f = *state;
    f->worker = s_worker (f, "read -r line; echo sorry >&2; echo nonsense; sleep 60", 0);
    dw_result_t *result = s_wait (f, s_submit (f, "x"));
    s_expect (result, 0, DW_NODE_FAILED, 1, NULL);
    assert_int_equal (dw_result_error_code (result, 0), 502);
    assert_non_null (strstr (dw_result_error_message (result, 0), "no JSON on a line of its own"));
    dw_result_destroy (&result);
}

static void a_program_that_takes_its_time_keeps_nobody_from_saying_that_the_worker_is_there (
    void **state) {
    fixture_t *f = *state;
    f->worker = s_worker (f, "while read -r line; do sleep 1.5; echo \"$line\"; done", 0);
    dw_result_t *result = s_wait (f, s_submit (f, "x"));
    s_expect (result, 0, DW_NODE_DONE, 1, "x");
    s_expect (result, 1, DW_NODE_DONE, 0, "x");
    dw_result_destroy (&result);
}

static void who_drains_finishes_what_its_program_is_at_and_takes_nothing_more (void **state) {
    fixture_t *f = *state;
    f->worker = s_worker (f, s_begins_and (f, "sleep 0.5; echo '\"slowly\"';"), 0);
    uint64_t run = s_submit (f, "x");
    s_await_begun (f);
    dw_exec_worker_drain (f->worker);
    assert_int_equal (dw_exec_worker_wait (f->worker, WAIT_MS), DW_OK);
    dw_exec_worker_t *other = s_worker (f, "cat", 0);
    dw_result_t *result = s_wait (f, run);
    s_expect (result, 0, DW_NODE_DONE, 1, "slowly");
    s_expect (result, 1, DW_NODE_DONE, 0, "slowly");
    dw_result_destroy (&result);
    dw_exec_worker_close (&other);
}

static void who_drains_gives_back_what_is_not_done_in_its_grace (void **state) {
    fixture_t *f = *state;
    f->worker = s_worker (f, s_begins_and (f, "sleep 1000;"), 300);
    uint64_t run = s_submit (f, "x");
    s_await_begun (f);
    int64_t begin_ms = now_ms ();
    dw_exec_worker_drain (f->worker);
    assert_int_equal (dw_exec_worker_wait (f->worker, WAIT_MS), DW_OK);
    assert_in_range (now_ms () - begin_ms, 300, WAIT_MS);
    dw_exec_worker_t *other = s_worker (f, "cat", 0);
    dw_result_t *result = s_wait (f, run);
    s_expect (result, 0, DW_NODE_DONE, 0, "x");
    dw_result_destroy (&result);
    dw_exec_worker_close (&other);
}

static void a_later_step_that_is_cancelled_leaves_the_first_alone (void **state) {
    fixture_t *f = *state;
    f->worker = s_worker (f, s_begins_and (f, "sleep 0.5; echo \"$line\";"), 0);
    uint64_t run = s_submit (f, "x");
    s_await_begun (f);
    assert_int_equal (dw_client_cancel_node (f->client, run, "two", NULL), DW_OK);
    dw_result_t *result = s_wait (f, run);
    s_expect (result, 0, DW_NODE_DONE, 1, "x");
    s_expect (result, 1, DW_NODE_CANCELLED, 0, NULL);
    assert_int_equal (s_begun (f), 1); /* it was not begun again */
    dw_result_destroy (&result);
}

static void a_run_that_is_cancelled_has_its_program_killed (void **state) {
    fixture_t *f = *state;
    f->worker = s_worker (f, s_begins_and (f, "sleep 1000;"), 0);
    uint64_t run = s_submit (f, "x");
    s_await_begun (f);
    assert_int_equal (dw_client_cancel (f->client, run), DW_OK);
    dw_result_t *result = s_wait (f, run);
    assert_int_equal (dw_result_status (result), DW_RUN_CANCELLED);
    dw_result_destroy (&result);
    s_await_notice (f, "was killed, because nobody waits any more for what it was at");
}

static void a_coordinator_that_is_silent_is_lost_and_looked_for (void **state) {
    fixture_t *f = *state;
    f->worker = s_worker (f, s_begins_and (f, "sleep 1000;"), 0);
    uint64_t run = s_submit (f, "x");
    s_await_begun (f);
    f->command = "cat"; /* that it will start from then on */
    cable_hold (f->cable);
    s_await_notice (f, "the coordinator was lost: what the programs were at is done elsewhere");
    cable_cut (f->cable);
    cable_let_go (f->cable);
    s_await_notice (f, "the coordinator is there again");
    dw_result_t *result = s_wait (f, run);
    s_expect (result, 0, DW_NODE_DONE, 0, "x");
    dw_result_destroy (&result);
}

/* The name of a test as a word: that one alone. */
int main (int argc, char **argv) {
#define TEST(name) cmocka_unit_test_setup_teardown (name, s_set_up, s_tear_down)
    const struct CMUnitTest tests[] = {
        TEST (every_step_of_a_chain_is_done_in_the_end),
        TEST (a_failure_says_its_code_and_what_the_program_said),
        TEST (a_program_that_takes_its_time_keeps_nobody_from_saying_that_the_worker_is_there),
        TEST (who_drains_finishes_what_its_program_is_at_and_takes_nothing_more),
        TEST (who_drains_gives_back_what_is_not_done_in_its_grace),
        TEST (a_later_step_that_is_cancelled_leaves_the_first_alone),
        TEST (a_run_that_is_cancelled_has_its_program_killed),
        TEST (a_coordinator_that_is_silent_is_lost_and_looked_for),
    };
    if (argc > 1)
        cmocka_set_test_filter (argv[1]);
    signal (SIGPIPE, SIG_IGN);
    return !!cmocka_run_group_tests_name ("exec_worker", tests, NULL, NULL);
}
