/* test_cli_net.c - one graph across processes, as a user starts them: coordinator, workers, submit,
 * status, and what each ends with. */

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/support/deployment.h"

#define LICENCE "/usr/share/common-licenses/GPL-3"

#define SLEEPS                                            \
    "executor_options: {max_concurrency: 64}\n"           \
    "processors:\n"                                       \
    "  - {id: a, processor: sleep, options: {ms: 100}}\n" \
    "  - {id: b, processor: sleep, options: {ms: 100}}\n" \
    "  - {id: c, processor: sleep, options: {ms: 100}}\n" \
    "  - {id: d, processor: sleep, options: {ms: 100}}\n" \
    "  - {id: e, processor: sleep, options: {ms: 100}}\n" \
    "  - {id: f, processor: sleep, options: {ms: 100}}\n"
#define SLEEPS_COUNT 6

#define ONE_SLEEP(ms) "processors:\n  - {id: nap, processor: sleep, options: {ms: " #ms "}}\n"

/* ---- Steps -------------------------------------------------------------------------------- */

/* Starts a worker and waits until it has been welcomed. */
static void s_work (deployment_t *f, command_t *worker, const char *slots) {
    START (worker, "worker", "--connect", f->endpoint, "--slots", slots);
    command_await_error (worker, "working for ");
}

static json_t *s_status (const deployment_t *f) {
    command_t c = {0};
    COMMAND (&c, "status", "--connect", f->endpoint, "--format", "json");
    command_expect (&c, 0);
    json_t *json = command_json (&c);
    command_free (&c);
    return json;
}

static json_int_t s_integer (const json_t *json, const char *key) {
    const json_t *value = json_object_get (json, key);
    assert_true (json_is_integer (value));
    return json_integer_value (value);
}

/* Waits until so many tasks are with workers. */
static void s_await_tasks_sent (const deployment_t *f, json_int_t count) {
    for (int looks = 0; looks < 200; looks++) {
        json_t *json = s_status (f);
        json_int_t sent = s_integer (json, "tasks_sent");
        json_decref (json);
        if (sent == count)
            return;
        usleep (10000);
    }
    fail_msg ("%d tasks were not sent", (int) count);
}

/* Takes out of a printed result what may differ between two runs: the numbers of "run" and of
 * "duration_us". */
static void s_mask (char *json) {
    static const char *const keys[] = {"\"run\": ", "\"duration_us\": "};
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        for (char *at = json; (at = strstr (at, keys[i]));) {
            at += strlen (keys[i]);
            size_t digits = strspn (at, "0123456789");
            memmove (at, at + digits, strlen (at + digits) + 1);
        }
    }
}

/* ---- Results ------------------------------------------------------------------------------ */

typedef struct example_t {
    const char *graph, *name, *input;
    int status;
} example_t;

static void s_expect_same_result (const deployment_t *f, const example_t *example) {
    command_t here = {0}, there = {0};
    COMMAND (&here, "run", example->graph, "--input-file", example->input, "--format", "json");
    COMMAND (&there, "submit", "--connect", f->endpoint, "--graph", example->name, "--input-file",
             example->input, "--format", "json");
    command_expect (&here, example->status);
    command_expect (&there, example->status);
    s_mask (here.out);
    s_mask (there.out);
    assert_string_equal (there.out, here.out);
    command_free (&here);
    command_free (&there);
}

static void a_run_elsewhere_prints_what_a_run_here_prints (void **state) {
    deployment_t *f = *state;
    char ipc[256];
    snprintf (ipc, sizeof ipc, "ipc://%s", command_path ("same.sock"));
    const char *const endpoints[] = {LOOPBACK, ipc};
    static const example_t examples[] = {
        {"examples/text_pipeline.yaml", "text_pipeline", LICENCE, 0},
        {"examples/levels.yaml", "levels", LICENCE, 0},
        {"examples/failures.yaml", "failures", "README.md", 1},
    };
    for (size_t i = 0; i < 2 * sizeof examples / sizeof *examples; i++) {
        const example_t *example = &examples[i / 2];
        COORDINATE (example->graph, "--listen", endpoints[i % 2]);
        s_work (f, &f->workers[0], "2");
        s_expect_same_result (f, example);
        s_expect_same_result (f, example);
        command_signal (&f->coordinator, SIGTERM);
        deployment_expect_end (&f->coordinator, 0);
        deployment_expect_end (&f->workers[0], 0);
    }
}

static void submit_takes_input_outputs_and_text_as_run_does (void **state) {
    deployment_t *f = *state;
    COORDINATE ("examples/pool.yaml", "--listen", LOOPBACK);
    s_work (f, &f->workers[0], "1");
    command_t c = {.input = "from standard input"};
    COMMAND (&c, "submit", "--connect", f->endpoint, "-");
    command_expect (&c, 0);
    command_expect_output (&c, "NODE ");
    command_expect_output (&c, "run 1: ok in ");
    command_free (&c);
    COMMAND (&c, "submit", "--connect", f->endpoint, "--output", "nowhere");
    command_expect (&c, 64);
    command_expect_error (&c, "nowhere");
    command_free (&c);
}

static void submit_refuses_what_is_too_large_before_it_is_sent (void **state) {
    deployment_t *f = *state;
    const char *large = command_file ("large.txt", "");
    assert_int_equal (truncate (large, 16 << 20), 0);
    COORDINATE (command_file ("usual.yaml", "processors: [{id: a, processor: identity}]\n"),
                "--listen", LOOPBACK);
    command_t c = {0};
    COMMAND (&c, "submit", "--connect", f->endpoint, "--input-file", large);
    command_expect (&c, 66);
    command_expect_error (&c, "16777221 bytes, which is more than max_payload_bytes (16777216)");
    command_expect_error (&c, "executor_options");
    command_free (&c);
    command_signal (&f->coordinator, SIGTERM);
    deployment_expect_end (&f->coordinator, 0);
    COORDINATE (command_file ("tiny.yaml", "executor_options: {max_payload_bytes: 20}\n"
                                           "processors: [{id: a, processor: identity}]\n"),
                "--listen", LOOPBACK, "--actors-here");
    COMMAND (&c, "submit", "--connect", f->endpoint, "--input", "twenty-one characters");
    command_expect (&c, 66);
    command_expect_error (&c, "21 bytes, which is more than max_payload_bytes (20)");
    command_free (&c);
    COMMAND (&c, "submit", "--connect", f->endpoint, "--input", "nineteen characters");
    command_expect (&c, 0);
    command_free (&c);
}

static void the_coordinator_runs_nodes_itself_when_asked_to (void **state) {
    deployment_t *f = *state;
    COORDINATE ("examples/pool.yaml", "--listen", LOOPBACK, "--actors-here");
    command_t c = {0};
    COMMAND (&c, "submit", "--connect", f->endpoint, "--input", "x");
    command_expect (&c, 0);
    command_free (&c);
}

static void two_workers_share_a_run (void **state) {
    deployment_t *f = *state;
    COORDINATE (command_file ("sleeps.yaml", SLEEPS), "--listen", LOOPBACK);
    s_work (f, &f->workers[0], "3");
    s_work (f, &f->workers[1], "3");
    command_t c = {0};
    COMMAND (&c, "submit", "--connect", f->endpoint);
    command_expect (&c, 0);
    command_free (&c);
    json_t *json = s_status (f);
    json_t *workers = json_object_get (json, "workers");
    assert_int_equal (json_array_size (workers), 2);
    json_int_t first = s_integer (json_array_get (workers, 0), "steps_done");
    json_int_t second = s_integer (json_array_get (workers, 1), "steps_done");
    assert_true (first > 0 && second > 0);
    assert_int_equal (first + second, SLEEPS_COUNT);
    json_decref (json);
}

static void a_run_may_have_workers_elsewhere (void **state) {
    deployment_t *f = *state;
    const char *file = command_file ("nap.yaml", ONE_SLEEP (1000));
    START (&f->other, "run", file, "--listen", LOOPBACK);
    command_await_error (&f->other, "dagwood: listening at tcp://127.0.0.1:");
    sscanf (strstr (f->other.err, "tcp:"), "%255s", f->endpoint);
    s_work (f, &f->workers[0], "1");
    deployment_expect_end (&f->other, 0);
    deployment_expect_end (&f->workers[0], 0);
}

/* ---- Status ------------------------------------------------------------------------------- */

static void status_shows_the_workers_and_what_was_done (void **state) {
    deployment_t *f = *state;
    COORDINATE ("examples/pool.yaml", "--listen", LOOPBACK);
    s_work (f, &f->workers[0], "3");
    command_t c = {0};
    COMMAND (&c, "submit", "--connect", f->endpoint, "--input", "x");
    command_expect (&c, 0);
    command_free (&c);
    json_t *json = s_status (f);
    assert_string_equal (json_string_value (json_object_get (json, "graph")), "pool");
    assert_int_equal (s_integer (json, "runs_ok"), 1);
    assert_int_equal (s_integer (json, "runs_in_flight"), 0);
    json_t *worker = json_array_get (json_object_get (json, "workers"), 0);
    assert_int_equal (s_integer (worker, "pid"), f->workers[0].pid);
    assert_int_equal (s_integer (worker, "slots"), 3);
    assert_int_equal (s_integer (worker, "busy"), 0);
    assert_int_equal (s_integer (worker, "held"), 0);
    assert_in_range (s_integer (worker, "credit"), s_integer (worker, "slots"), 1 << 20);
    assert_int_equal (s_integer (worker, "steps_done"), s_integer (json, "steps_done"));
    json_decref (json);
    COMMAND (&c, "status", "--connect", f->endpoint);
    command_expect (&c, 0);
    command_expect_output (&c, "graph pool: ");
    command_expect_output (&c, "runs: 0 in flight, 1 ok, 0 partial, 0 failed, 0 cancelled\n");
    command_expect_output (&c, "\nWORKER ");
    command_free (&c);
}

/* ---- Ends --------------------------------------------------------------------------------- */

static void a_worker_told_to_end_finishes_its_task_with_status_0 (void **state) {
    deployment_t *f = *state;
    COORDINATE (command_file ("nap.yaml", ONE_SLEEP (700)), "--listen", LOOPBACK);
    s_work (f, &f->workers[0], "1");
    START (&f->other, "submit", "--connect", f->endpoint, "--format", "json");
    s_await_tasks_sent (f, 1);
    command_signal (&f->workers[0], SIGTERM);
    deployment_expect_end (&f->workers[0], 0);
    command_end (&f->other);
    command_expect (&f->other, 0);
    command_expect_output (&f->other, "\"attempts\": 1,");
    command_free (&f->other);
}

static void told_a_second_time_a_worker_gives_its_task_to_another (void **state) {
    deployment_t *f = *state;
    COORDINATE (command_file ("nap.yaml", ONE_SLEEP (1500)), "--listen", LOOPBACK);
    s_work (f, &f->workers[0], "1");
    START (&f->other, "submit", "--connect", f->endpoint);
    s_await_tasks_sent (f, 1);
    s_work (f, &f->workers[1], "1");
    command_signal (&f->workers[0], SIGTERM);
    command_await_error (&f->workers[0], "SIGTERM: ");
    command_signal (&f->workers[0], SIGTERM);
    deployment_expect_end (&f->workers[0], 0);
    deployment_expect_end (&f->other, 0);
}

static void status_shows_clients_and_the_runs_that_are_in_flight (void **state) {
    deployment_t *f = *state;
    command_t status = {0};
    COORDINATE (command_file ("nap.yaml", ONE_SLEEP (1500)), "--listen", LOOPBACK);
    s_work (f, &f->workers[0], "1");
    START (&f->other, "submit", "--connect", f->endpoint);
    s_await_tasks_sent (f, 1);
    json_t *json = s_status (f);
    const json_t *run = json_array_get (json_object_get (json, "runs"), 0);
    assert_int_equal (json_array_size (json_object_get (json, "runs")), 1);
    assert_int_equal (s_integer (run, "number"), 1);
    assert_int_equal (s_integer (run, "unfinished"), 1);
    assert_int_equal (s_integer (run, "sent"), 1);
    const char *name = json_string_value (json_object_get (run, "client"));
    assert_int_equal (strlen (name), 8);
    const json_t *clients = json_object_get (json, "clients");
    assert_int_equal (json_array_size (clients), s_integer (json, "clients_count"));
    bool is_shown = false;
    for (size_t i = 0; i < json_array_size (clients); i++) {
        const json_t *client = json_array_get (clients, i);
        bool is_it = strcmp (json_string_value (json_object_get (client, "name")), name) == 0;
        assert_int_equal (s_integer (client, "runs_in_flight"), is_it);
        assert_int_equal (s_integer (client, "away_ms"), 0);
        is_shown |= is_it;
    }
    assert_true (is_shown);
    json_decref (json);
    COMMAND (&status, "status", "--connect", f->endpoint);
    command_expect_output (&status, "\nCLIENT           RUN         AGE     NODES      SENT\n");
    command_expect_output (&status, "\nCLIENT        RUNS      KEPT  AWAY\n");
    command_free (&status);
    deployment_expect_end (&f->other, 0);
}

static void the_task_of_a_killed_worker_goes_to_another (void **state) {
    deployment_t *f = *state;
    COORDINATE (command_file ("nap.yaml", ONE_SLEEP (500)), "--listen", LOOPBACK, "--heartbeat-ms",
                "50", "--silence-ms", "400");
    s_work (f, &f->workers[0], "1");
    START (&f->other, "submit", "--connect", f->endpoint, "--format", "json");
    s_await_tasks_sent (f, 1);
    command_signal (&f->workers[0], SIGKILL);
    deployment_expect_end (&f->workers[0], -SIGKILL);
    s_work (f, &f->workers[1], "1");
    command_end (&f->other);
    command_expect (&f->other, 0);
    command_expect_output (&f->other, "\"attempts\": 2,");
    command_free (&f->other);
    json_t *json = s_status (f);
    assert_int_equal (s_integer (json, "lost"), 1);
    json_decref (json);
}

static void port_0_is_any_port_and_the_one_it_got_is_printed (void **state) {
    deployment_t *f = *state;
    COORDINATE ("examples/pool.yaml", "--listen", "tcp://127.0.0.1:0");
    assert_non_null (strrchr (f->endpoint, ':'));
    assert_int_not_equal (atoi (strrchr (f->endpoint, ':') + 1), 0);
    s_work (f, &f->workers[0], "1");
    command_t c = {0};
    COMMAND (&c, "submit", "--connect", f->endpoint, "--input", "x");
    command_expect (&c, 0);
    command_free (&c);
}

/* How often the first thread of a process has gone to sleep. */
static long s_sleeps (pid_t pid) {
    char path[64], line[256];
    long count = -1;
    snprintf (path, sizeof path, "/proc/%d/task/%d/status", (int) pid, (int) pid);
    FILE *file = fopen (path, "r");
    assert_non_null (file);
    while (fgets (line, sizeof line, file))
        (void) sscanf (line, "voluntary_ctxt_switches: %ld", &count);
    fclose (file);
    assert_true (count >= 0);
    return count;
}

static void a_worker_that_waits_sleeps_until_a_signal_or_its_end (void **state) {
    deployment_t *f = *state;
    COORDINATE ("examples/pool.yaml", "--listen", LOOPBACK);
    s_work (f, &f->workers[0], "1");
    usleep (100000);
    long before = s_sleeps (f->workers[0].pid);
    usleep (500000);
    assert_int_equal (s_sleeps (f->workers[0].pid), before);
    command_signal (&f->workers[0], SIGTERM);
    deployment_expect_end (&f->workers[0], 0);
}

static void an_interrupted_worker_is_status_130 (void **state) {
    deployment_t *f = *state;
    COORDINATE ("examples/pool.yaml", "--listen", LOOPBACK);
    s_work (f, &f->workers[0], "1");
    command_signal (&f->workers[0], SIGINT);
    deployment_expect_end (&f->workers[0], 130);
    command_signal (&f->coordinator, SIGINT);
    deployment_expect_end (&f->coordinator, 130);
}

static void a_worker_whose_coordinator_was_killed_is_status_75 (void **state) {
    deployment_t *f = *state;
    COORDINATE ("examples/pool.yaml", "--listen", LOOPBACK, "--heartbeat-ms", "50", "--silence-ms",
                "400");
    START (&f->workers[0], "worker", "--connect", f->endpoint, "--reconnect", "0");
    command_await_error (&f->workers[0], "working for ");
    command_signal (&f->coordinator, SIGKILL);
    deployment_expect_end (&f->coordinator, -SIGKILL);
    deployment_expect_end (&f->workers[0], 75);
}

static void a_submit_whose_coordinator_was_killed_is_status_75 (void **state) {
    deployment_t *f = *state;
    COORDINATE (command_file ("nap.yaml", ONE_SLEEP (60000)), "--listen", LOOPBACK,
                "--heartbeat-ms", "50", "--silence-ms", "400");
    s_work (f, &f->workers[0], "1");
    START (&f->other, "submit", "--connect", f->endpoint, "--reconnect", "1");
    s_await_tasks_sent (f, 1);
    command_signal (&f->coordinator, SIGKILL);
    deployment_expect_end (&f->coordinator, -SIGKILL);
    command_end (&f->other);
    command_expect (&f->other, 75);
    command_expect_error (&f->other, "the run has no result: the coordinator was lost");
    command_free (&f->other);
}

static void a_submit_that_is_told_to_end_is_cancelled (void **state) {
    deployment_t *f = *state;
    COORDINATE (command_file ("nap.yaml", ONE_SLEEP (2000)), "--listen", LOOPBACK);
    s_work (f, &f->workers[0], "1");
    START (&f->other, "submit", "--connect", f->endpoint, "--format", "json");
    s_await_tasks_sent (f, 1);
    command_signal (&f->other, SIGTERM);
    command_end (&f->other);
    command_expect (&f->other, 143);
    command_expect_output (&f->other, "\"status\": \"cancelled\"");
    command_free (&f->other);
}

#define TEST(name) cmocka_unit_test_setup_teardown (name, deployment_set_up, deployment_tear_down)

int main (void) {
    const struct CMUnitTest tests[] = {
        TEST (a_run_elsewhere_prints_what_a_run_here_prints),
        TEST (submit_takes_input_outputs_and_text_as_run_does),
        TEST (submit_refuses_what_is_too_large_before_it_is_sent),
        TEST (the_coordinator_runs_nodes_itself_when_asked_to),
        TEST (two_workers_share_a_run),
        TEST (a_run_may_have_workers_elsewhere),
        TEST (status_shows_the_workers_and_what_was_done),
        TEST (a_worker_told_to_end_finishes_its_task_with_status_0),
        TEST (told_a_second_time_a_worker_gives_its_task_to_another),
        TEST (status_shows_clients_and_the_runs_that_are_in_flight),
        TEST (the_task_of_a_killed_worker_goes_to_another),
        TEST (port_0_is_any_port_and_the_one_it_got_is_printed),
        TEST (a_worker_that_waits_sleeps_until_a_signal_or_its_end),
        TEST (an_interrupted_worker_is_status_130),
        TEST (a_worker_whose_coordinator_was_killed_is_status_75),
        TEST (a_submit_whose_coordinator_was_killed_is_status_75),
        TEST (a_submit_that_is_told_to_end_is_cancelled),
    };
    return !!cmocka_run_group_tests_name ("several processes", tests, command_folder_set_up,
                                          command_folder_tear_down);
}
