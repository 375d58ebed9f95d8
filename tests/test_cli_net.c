/* test_cli_net.c - one graph across processes, as a user starts them: coordinator, workers, submit,
 * status, and what each ends with. */

#include <netinet/in.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/support/command.h"

#define LICENCE  "/usr/share/common-licenses/GPL-3"
#define LOOPBACK "tcp://127.0.0.1:*"

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

/* What a test starts and ends; what still runs when it fails is killed. */
typedef struct fixture_t {
    command_t coordinator, workers[2], other;
    char endpoint[COMMAND_ENDPOINT_SIZE]; /* where the coordinator listens */
} fixture_t;

static int s_set_up (void **state) {
    *state = calloc (1, sizeof (fixture_t));
    return *state ? 0 : -1;
}

static int s_tear_down (void **state) {
    fixture_t *f = *state;
    command_forget (&f->coordinator);
    command_forget (&f->workers[0]);
    command_forget (&f->workers[1]);
    command_forget (&f->other);
    free (f);
    return 0;
}

/* ---- Steps -------------------------------------------------------------------------------- */

/* Starts the coordinator and takes where it listens from what it prints. */
static void s_coordinate (fixture_t *f, const char *const *words) {
    command_start (&f->coordinator, words);
    command_await_output (&f->coordinator, "\n");
    command_take_endpoint (&f->coordinator, f->endpoint);
}
#define COORDINATE(...) s_coordinate (f, (const char *const[]){"coordinator", __VA_ARGS__, NULL})

/* Starts a worker and waits until it has been welcomed. */
static void s_work (fixture_t *f, command_t *worker, const char *slots) {
    START (worker, "worker", "--connect", f->endpoint, "--slots", slots);
    command_await_error (worker, "working for ");
}

static void s_expect_end (command_t *c, int status) {
    command_end (c);
    command_expect (c, status);
    command_free (c);
}

static json_t *s_status (const fixture_t *f) {
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
static void s_await_tasks_sent (const fixture_t *f, json_int_t count) {
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

/* A port of this machine at which nobody listens, for as long as the socket is open. */
static int s_dead_port (char endpoint[64]) {
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_addr.s_addr = htonl (INADDR_LOOPBACK)};
    socklen_t size = sizeof address;
    int fd = socket (AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true (fd >= 0);
    assert_int_equal (bind (fd, (struct sockaddr *) &address, size), 0);
    assert_int_equal (getsockname (fd, (struct sockaddr *) &address, &size), 0);
    snprintf (endpoint, 64, "tcp://127.0.0.1:%u", ntohs (address.sin_port));
    return fd;
}

/* ---- Results ------------------------------------------------------------------------------ */

typedef struct example_t {
    const char *graph, *name, *input;
    int status;
} example_t;

static void s_expect_same_result (const fixture_t *f, const example_t *example) {
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
    fixture_t *f = *state;
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
        s_expect_end (&f->coordinator, 0);
        s_expect_end (&f->workers[0], 0);
    }
}

static void submit_takes_input_outputs_and_text_as_run_does (void **state) {
    fixture_t *f = *state;
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
    fixture_t *f = *state;
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
    s_expect_end (&f->coordinator, 0);
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
    fixture_t *f = *state;
    COORDINATE ("examples/pool.yaml", "--listen", LOOPBACK, "--actors-here");
    command_t c = {0};
    COMMAND (&c, "submit", "--connect", f->endpoint, "--input", "x");
    command_expect (&c, 0);
    command_free (&c);
}

static void two_workers_share_a_run (void **state) {
    fixture_t *f = *state;
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
    fixture_t *f = *state;
    const char *file = command_file ("nap.yaml", ONE_SLEEP (1000));
    START (&f->other, "run", file, "--listen", LOOPBACK);
    command_await_error (&f->other, "dagwood: listening at tcp://127.0.0.1:");
    sscanf (strstr (f->other.err, "tcp:"), "%255s", f->endpoint);
    s_work (f, &f->workers[0], "1");
    s_expect_end (&f->other, 0);
    s_expect_end (&f->workers[0], 0);
}

/* ---- Status ------------------------------------------------------------------------------- */

static void status_shows_the_workers_and_what_was_done (void **state) {
    fixture_t *f = *state;
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
    fixture_t *f = *state;
    COORDINATE (command_file ("nap.yaml", ONE_SLEEP (700)), "--listen", LOOPBACK);
    s_work (f, &f->workers[0], "1");
    START (&f->other, "submit", "--connect", f->endpoint, "--format", "json");
    s_await_tasks_sent (f, 1);
    command_signal (&f->workers[0], SIGTERM);
    s_expect_end (&f->workers[0], 0);
    command_end (&f->other);
    command_expect (&f->other, 0);
    command_expect_output (&f->other, "\"attempts\": 1,");
    command_free (&f->other);
}

static void told_a_second_time_a_worker_gives_its_task_to_another (void **state) {
    fixture_t *f = *state;
    COORDINATE (command_file ("nap.yaml", ONE_SLEEP (1500)), "--listen", LOOPBACK);
    s_work (f, &f->workers[0], "1");
    START (&f->other, "submit", "--connect", f->endpoint);
    s_await_tasks_sent (f, 1);
    s_work (f, &f->workers[1], "1");
    command_signal (&f->workers[0], SIGTERM);
    command_await_error (&f->workers[0], "SIGTERM: ");
    command_signal (&f->workers[0], SIGTERM);
    s_expect_end (&f->workers[0], 0);
    s_expect_end (&f->other, 0);
}

static void status_shows_clients_and_the_runs_that_are_in_flight (void **state) {
    fixture_t *f = *state;
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
    s_expect_end (&f->other, 0);
}

static void the_task_of_a_killed_worker_goes_to_another (void **state) {
    fixture_t *f = *state;
    COORDINATE (command_file ("nap.yaml", ONE_SLEEP (500)), "--listen", LOOPBACK, "--heartbeat-ms",
                "50", "--silence-ms", "400");
    s_work (f, &f->workers[0], "1");
    START (&f->other, "submit", "--connect", f->endpoint, "--format", "json");
    s_await_tasks_sent (f, 1);
    command_signal (&f->workers[0], SIGKILL);
    s_expect_end (&f->workers[0], -SIGKILL);
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
    fixture_t *f = *state;
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
    fixture_t *f = *state;
    COORDINATE ("examples/pool.yaml", "--listen", LOOPBACK);
    s_work (f, &f->workers[0], "1");
    usleep (100000);
    long before = s_sleeps (f->workers[0].pid);
    usleep (500000);
    assert_int_equal (s_sleeps (f->workers[0].pid), before);
    command_signal (&f->workers[0], SIGTERM);
    s_expect_end (&f->workers[0], 0);
}

static void an_interrupted_worker_is_status_130 (void **state) {
    fixture_t *f = *state;
    COORDINATE ("examples/pool.yaml", "--listen", LOOPBACK);
    s_work (f, &f->workers[0], "1");
    command_signal (&f->workers[0], SIGINT);
    s_expect_end (&f->workers[0], 130);
    command_signal (&f->coordinator, SIGINT);
    s_expect_end (&f->coordinator, 130);
}

static void a_worker_whose_coordinator_was_killed_is_status_75 (void **state) {
    fixture_t *f = *state;
    COORDINATE ("examples/pool.yaml", "--listen", LOOPBACK, "--heartbeat-ms", "50", "--silence-ms",
                "400");
    START (&f->workers[0], "worker", "--connect", f->endpoint, "--reconnect", "0");
    command_await_error (&f->workers[0], "working for ");
    command_signal (&f->coordinator, SIGKILL);
    s_expect_end (&f->coordinator, -SIGKILL);
    s_expect_end (&f->workers[0], 75);
}

static void a_submit_whose_coordinator_was_killed_is_status_75 (void **state) {
    fixture_t *f = *state;
    COORDINATE (command_file ("nap.yaml", ONE_SLEEP (60000)), "--listen", LOOPBACK,
                "--heartbeat-ms", "50", "--silence-ms", "400");
    s_work (f, &f->workers[0], "1");
    START (&f->other, "submit", "--connect", f->endpoint, "--reconnect", "1");
    s_await_tasks_sent (f, 1);
    command_signal (&f->coordinator, SIGKILL);
    s_expect_end (&f->coordinator, -SIGKILL);
    command_end (&f->other);
    command_expect (&f->other, 75);
    command_expect_error (&f->other, "the run has no result: the coordinator was lost");
    command_free (&f->other);
}

static void a_submit_that_is_told_to_end_is_cancelled (void **state) {
    fixture_t *f = *state;
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

/* ---- Nobody there, and the wrong one ------------------------------------------------------ */

static void nobody_at_the_endpoint_is_status_69 (void **state) {
    (void) state;
    static const char *const commands[] = {"worker", "submit", "status"};
    char endpoint[64];
    int fd = s_dead_port (endpoint);
    for (size_t i = 0; i < sizeof commands / sizeof *commands; i++) {
        command_t c = {0};
        COMMAND (&c, commands[i], "--connect", endpoint, "--timeout", "0.3");
        command_expect (&c, 69);
        command_expect_error (&c, endpoint);
        assert_string_equal (c.out, "");
        command_free (&c);
    }
    close (fd);
}

static void what_is_no_endpoint_is_a_usage_error (void **state) {
    (void) state;
    static const char *const endpoints[] = {"nonsense", "tcp://127.0.0.1", "udp://127.0.0.1:1",
                                            "inproc://x"};
    for (size_t i = 0; i < sizeof endpoints / sizeof *endpoints; i++) {
        command_t c = {0};
        COMMAND (&c, "submit", "--connect", endpoints[i]);
        command_expect (&c, 64);
        command_free (&c);
        COMMAND (&c, "coordinator", "examples/pool.yaml", "--listen", endpoints[i]);
        command_expect (&c, 64);
        assert_string_equal (c.out, "");
        command_free (&c);
    }
}

static void listening_for_other_machines_without_keys_is_status_77 (void **state) {
    (void) state;
    command_t c = {0};
    COMMAND (&c, "coordinator", "examples/pool.yaml", "--listen", "tcp://*:*");
    command_expect (&c, 77);
    assert_string_equal (c.out, "");
    command_free (&c);
}

static void a_port_in_use_is_said (void **state) {
    fixture_t *f = *state;
    COORDINATE ("examples/pool.yaml", "--listen", LOOPBACK);
    command_t c = {0};
    COMMAND (&c, "coordinator", "examples/pool.yaml", "--listen", f->endpoint);
    command_expect (&c, 64);
    command_expect_error (&c, "in use");
    command_free (&c);
}

static void a_graph_of_another_name_is_status_76 (void **state) {
    fixture_t *f = *state;
    COORDINATE ("examples/pool.yaml", "--listen", LOOPBACK);
    command_t c = {0};
    COMMAND (&c, "submit", "--connect", f->endpoint, "--graph", "levels");
    command_expect (&c, 76);
    command_expect_error (&c, "levels");
    command_free (&c);
}

static void a_worker_that_lacks_a_processor_is_status_78 (void **state) {
    fixture_t *f = *state;
    COORDINATE ("examples/text_pipeline.yaml", "--listen", LOOPBACK);
    command_t c = {0};
    COMMAND (&c, "worker", "--connect", f->endpoint, "--processors", "identity,reverse_text");
    command_expect (&c, 78);
    command_expect_error (&c, "change_text_case_upper");
    command_free (&c);
}

static void the_environment_says_where_and_options_win (void **state) {
    fixture_t *f = *state;
    COORDINATE ("examples/pool.yaml", "--listen", LOOPBACK);
    setenv ("DAGWOOD_CONNECT", f->endpoint, 1);
    command_t c = {0};
    COMMAND (&c, "status");
    command_expect (&c, 0);
    command_free (&c);
    COMMAND (&c, "status", "--connect", "nonsense");
    command_expect (&c, 64);
    command_free (&c);
    unsetenv ("DAGWOOD_CONNECT");
}

/* ---- The rendezvous file ------------------------------------------------------------------ */

static void a_rendezvous_file_is_waited_for_and_goes_with_its_coordinator (void **state) {
    fixture_t *f = *state;
    const char *file = command_path ("meet");
    START (&f->workers[0], "worker", "--rendezvous", file, "--slots", "1");
    command_await_error (&f->workers[0], "waiting for "); /* after two seconds */
    COORDINATE ("examples/pool.yaml", "--listen", LOOPBACK, "--rendezvous", file);
    struct stat about;
    assert_int_equal (stat (file, &about), 0);
    assert_int_equal (about.st_mode & 07777u, 0600);
    command_await_error (&f->workers[0], "working for ");
    command_t c = {0};
    COMMAND (&c, "submit", "--rendezvous", file, "--input", "x");
    command_expect (&c, 0);
    command_free (&c);
    command_signal (&f->coordinator, SIGTERM);
    s_expect_end (&f->coordinator, 0);
    s_expect_end (&f->workers[0], 0);
    assert_int_equal (access (file, F_OK), -1);
}

static void a_rendezvous_file_of_another_coordinator_stays (void **state) {
    fixture_t *f = *state;
    const char *file = command_path ("meet");
    COORDINATE ("examples/pool.yaml", "--listen", LOOPBACK, "--rendezvous", file);
    START (&f->other, "coordinator", "examples/levels.yaml", "--listen", LOOPBACK, "--rendezvous",
           file);
    command_await_output (&f->other, "\n");
    command_signal (&f->coordinator, SIGTERM);
    s_expect_end (&f->coordinator, 0);
    command_t c = {0};
    COMMAND (&c, "status", "--rendezvous", file);
    command_expect (&c, 0);
    command_expect_output (&c, "graph levels: ");
    command_free (&c);
}

static void a_rendezvous_file_that_cannot_be_written_is_status_74 (void **state) {
    (void) state;
    command_t c = {0};
    COMMAND (&c, "coordinator", "examples/pool.yaml", "--listen", LOOPBACK, "--rendezvous",
             "/no/such/folder/meet");
    command_expect (&c, 74);
    command_expect_error (&c, "/no/such/folder/meet cannot be written");
    assert_string_equal (c.out, "");
    command_free (&c);
}

static void a_stale_rendezvous_file_is_status_69 (void **state) {
    (void) state;
    char endpoint[64], text[72];
    int fd = s_dead_port (endpoint);
    snprintf (text, sizeof text, "%s\n", endpoint);
    const char *file = command_file ("stale", text);
    command_t c = {0};
    COMMAND (&c, "submit", "--rendezvous", file, "--timeout", "0.3");
    command_expect (&c, 69);
    command_free (&c);
    close (fd);
}

static void a_worker_finds_a_coordinator_that_was_started_again_elsewhere (void **state) {
    static const char *const workers[][4] = {{"--slots", "1"}, {"--slots", "1", "--exec", "a=cat"}};
    fixture_t *f = *state;
    const char *file = command_path ("moved");
    const char *graph = command_file ("a.yaml",
                                      "processors:\n  - {id: a, processor: a, type: remote}\n");
    for (size_t i = 0; i < 2; i++) {
        const char *which = i ? graph : "examples/pool.yaml";
        COORDINATE (which, "--listen", LOOPBACK, "--rendezvous", file, "--silence-ms", "600",
                    "--heartbeat-ms", "100");
        START (&f->workers[0], "worker", "--rendezvous", file, workers[i][0], workers[i][1],
               workers[i][2], workers[i][3]);
        command_await_error (&f->workers[0], "working for ");
        command_signal (&f->coordinator, SIGKILL);
        s_expect_end (&f->coordinator, -SIGKILL);
        char before[COMMAND_ENDPOINT_SIZE];
        snprintf (before, sizeof before, "%s", f->endpoint);
        COORDINATE (which, "--listen", LOOPBACK, "--rendezvous", file);
        assert_string_not_equal (f->endpoint, before);
        command_await_error (&f->workers[0], "the coordinator is there again");
        command_t c = {0};
        COMMAND (&c, "submit", "--rendezvous", file, "--input", "x");
        command_expect (&c, 0);
        command_free (&c);
        command_signal (&f->coordinator, SIGTERM);
        s_expect_end (&f->coordinator, 0);
        s_expect_end (&f->workers[0], 0);
    }
}

/* ---- Keys --------------------------------------------------------------------------------- */

/* Makes a pair and returns the file; line gets what the allow-list takes. */
static const char *s_keygen (const char *name, const char *role, char line[128]) {
    char public_name[64], key[64];
    const char *file = command_path (name);
    snprintf (public_name, sizeof public_name, "%s.pub", name);
    (void) command_path (public_name); /* removed in the end */
    command_t c = {0};
    COMMAND (&c, "keygen", file);
    command_expect (&c, 0);
    assert_int_equal (sscanf (strstr (c.out, "    worker "), " worker %63s", key), 1);
    snprintf (line, 128, "%s %s %s\n", role, key, role);
    command_free (&c);
    return file;
}

static void with_keys_only_those_on_the_list_are_let_in (void **state) {
    fixture_t *f = *state;
    char worker_line[128], client_line[128], other_line[128], list[512], server[256], folder[256];
    const char *coordinator = s_keygen ("coordinator.key", "monitor", other_line);
    const char *worker = s_keygen ("worker.key", "worker", worker_line);
    const char *client = s_keygen ("client.key", "client", client_line);
    const char *stranger = s_keygen ("stranger.key", "client", other_line);
    snprintf (list, sizeof list, "%s%s", worker_line, client_line);
    (void) command_file ("allowed", list);
    snprintf (server, sizeof server, "%s.pub", coordinator);
    snprintf (folder, sizeof folder, "%.*s", (int) (strrchr (coordinator, '/') - coordinator),
              coordinator);
    COORDINATE ("examples/pool.yaml", "--listen", LOOPBACK, "--keys", folder);
    START (&f->workers[0], "worker", "--connect", f->endpoint, "--key", worker, "--server-key",
           server);
    command_await_error (&f->workers[0], "working for ");
    command_t c = {0};
    COMMAND (&c, "submit", "--connect", f->endpoint, "--key", client, "--server-key", server,
             "--input", "x");
    command_expect (&c, 0);
    command_free (&c);
    COMMAND (&c, "submit", "--connect", f->endpoint, "--key", stranger, "--server-key", server,
             "--input", "x");
    command_expect (&c, 77);
    command_free (&c);
    COMMAND (&c, "submit", "--connect", f->endpoint, "--key", "/no/such/key", "--server-key",
             server);
    command_expect (&c, 77);
    command_free (&c);
    COMMAND (&c, "submit", "--connect", f->endpoint, "--timeout", "1");
    assert_true (c.status == 69 || c.status == 77); /* it says nothing that is understood */
    command_free (&c);
    (void) command_file ("allowed", client_line);
    command_signal (&f->coordinator, SIGHUP);
    command_await_error (&f->coordinator, "was taken off the list");
    s_expect_end (&f->workers[0], 77);
    COMMAND (&c, "status", "--connect", f->endpoint, "--key", client, "--server-key", server);
    command_expect (&c, 0);
    command_free (&c);
    command_signal (&f->coordinator, SIGTERM);
    s_expect_end (&f->coordinator, 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown (name, s_set_up, s_tear_down)

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
        TEST (nobody_at_the_endpoint_is_status_69),
        TEST (what_is_no_endpoint_is_a_usage_error),
        TEST (listening_for_other_machines_without_keys_is_status_77),
        TEST (a_port_in_use_is_said),
        TEST (a_graph_of_another_name_is_status_76),
        TEST (a_worker_that_lacks_a_processor_is_status_78),
        TEST (the_environment_says_where_and_options_win),
        TEST (a_rendezvous_file_is_waited_for_and_goes_with_its_coordinator),
        TEST (a_rendezvous_file_of_another_coordinator_stays),
        TEST (a_rendezvous_file_that_cannot_be_written_is_status_74),
        TEST (a_worker_finds_a_coordinator_that_was_started_again_elsewhere),
        TEST (a_stale_rendezvous_file_is_status_69),
        TEST (with_keys_only_those_on_the_list_are_let_in),
    };
    return !!cmocka_run_group_tests_name ("several processes", tests, command_folder_set_up,
                                          command_folder_tear_down);
}
