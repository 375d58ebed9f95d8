/* test_cli_limits.c - the command where something is missing: an output that takes nothing, a
 * signal, an input that is too large, a system that gives no threads or descriptors. */

#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/support/command.h"

#define GIB ((size_t) 1 << 30)

static void s_sleep_ms (long ms) {
    struct timespec time = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000};
    nanosleep (&time, NULL);
}

/* ---- Standard output ---------------------------------------------------------------------- */

static void s_output_full (void) {
    dup2 (open ("/dev/full", O_WRONLY), STDOUT_FILENO);
}

static void s_output_closed (void) {
    close (STDOUT_FILENO);
}

static void s_all_closed (void) {
    close (STDIN_FILENO);
    close (STDOUT_FILENO);
    close (STDERR_FILENO);
}

static void s_output_without_reader (void) {
    int fds[2];
    if (pipe (fds) == 0) {
        dup2 (fds[1], STDOUT_FILENO);
        close (fds[0]);
        close (fds[1]);
    }
}

/* Every command, once for each way in which standard output takes nothing. */
static const char *const s_commands[][6] = {
    {"run", "examples/pool.yaml", NULL},
    {"run", "examples/pool.yaml", "--format", "json", NULL},
    {"validate", "examples/pool.yaml", NULL},
    {"graph", "examples/pool.yaml", NULL},
    {"graph", "examples/pool.yaml", "--format", "mermaid", NULL},
    {"plan", "examples/pool.yaml", NULL},
    {"processors", NULL},
    {"processors", "fail", NULL},
    {"run", "--help", NULL},
    {"--version", NULL},
};
#define COMMANDS_COUNT (sizeof s_commands / sizeof *s_commands)

static void a_full_output_is_status_74_with_the_reason (void **state) {
    (void) state;
    for (size_t i = 0; i < COMMANDS_COUNT; i++) {
        command_t c = {.prepare = s_output_full};
        command_run (&c, s_commands[i]);
        command_expect (&c, 74);
        command_expect_error (&c, "standard output cannot be written: No space left on device");
        command_free (&c);
    }
}

static void a_closed_output_is_status_74_with_the_reason (void **state) {
    (void) state;
    for (size_t i = 0; i < COMMANDS_COUNT; i++) {
        command_t c = {.prepare = s_output_closed};
        command_run (&c, s_commands[i]);
        command_expect (&c, 74);
        command_expect_error (&c, "standard output cannot be written: Bad file descriptor");
        command_free (&c);
    }
    command_t c = {.prepare = s_all_closed};
    command_run (&c, s_commands[0]);
    command_expect (&c, 74);
    command_free (&c);
}

static void a_reader_that_went_away_is_status_74_without_a_word (void **state) {
    (void) state;
    for (size_t i = 0; i < COMMANDS_COUNT; i++) {
        command_t c = {.prepare = s_output_without_reader};
        command_run (&c, s_commands[i]);
        command_expect (&c, 74);
        assert_string_equal (c.err, "");
        command_free (&c);
    }
}

static void a_wrong_graph_needs_no_output (void **state) {
    (void) state;
    command_t c = {.prepare = s_output_full};
    COMMAND (&c, "validate", command_file ("wrong.yaml", "processors: 5\n"));
    command_expect (&c, 78);
    command_free (&c);
}

/* ---- Signals ------------------------------------------------------------------------------ */

#define SLEEPER                              \
    "processors:\n"                          \
    "  - {id: quick, processor: identity}\n" \
    "  - {id: slow, processor: sleep, depends_on: [quick], options: {ms: 80000}}\n"

/* Waits until text stands in what the command has written to fd so far. */
static void s_await (int fd, const char *text) {
    char so_far[4096];
    for (int i = 0; i < 6000; i++) {
        ssize_t size = pread (fd, so_far, sizeof so_far - 1, 0);
        so_far[size > 0 ? size : 0] = '\0';
        if (strstr (so_far, text))
            return;
        s_sleep_ms (10);
    }
    fail_msg ("there is still no \"%s\"", text);
}

/* Starts a run that takes over a minute and waits until it is under way, which its bar shows. */
static void s_start_sleeper (command_t *self, const char *file) {
    command_start (self, (const char *const[]){"run", file, "--input", "x", "--format", "json",
                                               "--progress", "always", NULL});
    s_await (self->err_fd, "0 of 1 runs");
    s_sleep_ms (100); /* for the quick node */
}

static void a_signal_cancels_the_run_and_what_is_done_is_printed (void **state) {
    (void) state;
    const char *file = command_file ("sleeper.yaml", SLEEPER);
    const int signals[] = {SIGINT, SIGTERM};
    for (size_t i = 0; i < 2; i++) {
        command_t c = {0};
        s_start_sleeper (&c, file);
        kill (c.pid, signals[i]);
        command_end (&c);
        command_expect (&c, 128 + signals[i]);
        json_t *json = command_json (&c);
        json_t *results = json_object_get (json, "results");
        assert_string_equal (json_string_value (json_object_get (json, "status")), "cancelled");
        json_t *quick = json_object_get (results, "quick");
        json_t *slow = json_object_get (results, "slow");
        assert_string_equal (json_string_value (json_object_get (quick, "status")), "done");
        assert_string_equal (json_string_value (json_object_get (quick, "payload")), "x");
        assert_string_equal (json_string_value (json_object_get (slow, "status")), "cancelled");
        json_decref (json);
        command_free (&c);
    }
}

static void a_second_signal_ends_the_command_at_once (void **state) {
    (void) state;
    command_t c = {0};
    s_start_sleeper (&c, command_file ("sleeper2.yaml", SLEEPER));
    kill (c.pid, SIGSTOP); /* so that both are there when it looks */
    kill (c.pid, SIGINT);
    kill (c.pid, SIGTERM);
    kill (c.pid, SIGCONT);
    command_end (&c);
    command_expect (&c, 143);
    assert_string_equal (c.out, "");
    command_free (&c);
}

static void a_signal_stops_repeating (void **state) {
    (void) state;
    const char *file = command_file ("little.yaml", "processors:\n"
                                                    "  - {id: a, processor: sleep,\n"
                                                    "     options: {ms: 20}}\n");
    command_t c = {0};
    command_start (&c, (const char *const[]){"run", file, "--repeat", "1000000", "--format", "json",
                                             "--progress", "always", NULL});
    s_await (c.err_fd, "of 1000000 runs");
    kill (c.pid, SIGINT);
    command_end (&c);
    command_expect (&c, 130);
    json_t *json = command_json (&c);
    json_t *repeat = json_object_get (json, "repeat");
    assert_in_range (json_integer_value (json_object_get (repeat, "runs")), 1, 999999);
    assert_in_range (json_integer_value (json_object_get (repeat, "cancelled")), 1, 999999);
    json_decref (json);
    command_free (&c);
}

/* A pipe that stays open and in which nothing comes. */
static void s_input_silent (void) {
    int fds[2];
    if (pipe (fds) == 0)
        dup2 (fds[0], STDIN_FILENO);
}

/* Whether the process has a handler for the signal. */
static bool s_catches (pid_t pid, int signal_number) {
    char path[64], line[256];
    unsigned long long caught = 0;
    snprintf (path, sizeof path, "/proc/%d/status", (int) pid);
    FILE *file = fopen (path, "r");
    assert_non_null (file);
    while (fgets (line, sizeof line, file))
        if (strncmp (line, "SigCgt:", 7) == 0)
            caught = strtoull (line + 7, NULL, 16);
    fclose (file);
    return caught >> (signal_number - 1) & 1;
}

static void a_signal_ends_the_wait_for_input (void **state) {
    (void) state;
    const int signals[] = {SIGINT, SIGTERM};
    for (size_t i = 0; i < 2; i++) {
        command_t c = {.prepare = s_input_silent};
        command_start (&c, (const char *const[]){"run", "examples/pool.yaml", "-", NULL});
        while (!s_catches (c.pid, signals[i]))
            s_sleep_ms (5);
        kill (c.pid, signals[i]);
        command_end (&c);
        command_expect (&c, 128 + signals[i]);
        assert_string_equal (c.out, "");
        command_free (&c);
    }
}

/* ---- Inputs ------------------------------------------------------------------------------- */

/* A file of that size that takes no room on the disk. */
static const char *s_sparse_file (const char *name, size_t size) {
    const char *path = command_file (name, "");
    assert_int_equal (truncate (path, (off_t) size), 0);
    return path;
}

static void an_input_of_1_gib_is_refused_by_name_and_costs_no_memory (void **state) {
    (void) state;
    command_t c = {0};
    COMMAND (&c, "run", "examples/pool.yaml", "--input-file", s_sparse_file ("huge", GIB));
    command_expect (&c, 66);
    command_expect_error (&c, "huge has 1073741824 bytes, more than max_payload_bytes (268435456)");
    assert_string_equal (c.out, "");
    command_free (&c);
    struct rusage usage;
    assert_int_equal (getrusage (RUSAGE_CHILDREN, &usage), 0);
    assert_in_range (usage.ru_maxrss, 0, 200 * 1024);
}

static void an_endless_input_is_refused (void **state) {
    (void) state;
    const char *file = command_file ("small.yaml", "executor_options: {max_payload_bytes: 100000}\n"
                                                   "processors:\n"
                                                   "  - {id: a, processor: identity}\n");
    command_t c = {0};
    COMMAND (&c, "run", file, "--input-file", "/dev/zero");
    command_expect (&c, 66);
    command_expect_error (&c, "/dev/zero has more bytes than max_payload_bytes (100000) allows");
    command_free (&c);
}

static void an_input_just_too_large_is_refused_however_it_comes (void **state) {
    (void) state;
    const char *file = command_file ("tiny.yaml", "executor_options: {max_payload_bytes: 16}\n"
                                                  "processors:\n"
                                                  "  - {id: a, processor: identity}\n");
    const char *large = "12345678901234567";
    const char *large_file = command_file ("large.txt", large);
    command_t c = {.input = large};
    COMMAND (&c, "run", file, "-");
    command_expect (&c, 66);
    command_expect_error (&c, "standard input has more bytes than max_payload_bytes (16) allows");
    command_free (&c);
    COMMAND (&c, "run", file, "--input", large);
    command_expect (&c, 66);
    command_expect_error (&c, "--input has 17 bytes, more than max_payload_bytes (16) allows");
    command_free (&c);
    COMMAND (&c, "run", file, "--input-file", large_file);
    command_expect (&c, 66);
    command_expect_error (&c, "large.txt has 17 bytes, more than max_payload_bytes (16) allows");
    command_free (&c);
    COMMAND (&c, "run", file, "--input", "123456789012345");
    command_expect (&c, 0);
    command_free (&c);
}

static size_t s_available_bytes (void) {
    char line[256];
    unsigned long long kib = 0;
    FILE *file = fopen ("/proc/meminfo", "r");
    while (file && fgets (line, sizeof line, file))
        if (sscanf (line, "MemAvailable: %llu kB", &kib) == 1)
            break;
    if (file)
        fclose (file);
    return (size_t) kib * 1024;
}

static void s_output_nowhere (void) {
    dup2 (open ("/dev/null", O_WRONLY), STDOUT_FILENO);
}

static void an_input_of_1_gib_is_run_where_the_graph_allows_it (void **state) {
    (void) state;
    if (s_available_bytes () < 6 * GIB || sizeof DAGWOOD_SANITIZE > 1) {
        print_message ("skipped: takes some GiB of memory, and no sanitizer\n");
        skip ();
    }
    const char *file = command_file ("large.yaml", "executor_options:\n"
                                                   "  max_payload_bytes: 2000000000\n"
                                                   "processors:\n"
                                                   "  - {id: a, processor: identity}\n");
    command_t c = {.prepare = s_output_nowhere};
    COMMAND (&c, "run", file, "--input-file", s_sparse_file ("huge2", GIB));
    command_expect (&c, 0);
    assert_string_equal (c.err, "");
    command_free (&c);
}

/* ---- What the system refuses -------------------------------------------------------------- */

static const char *s_wide_graph (const char *name) {
    char text[8192] = "executor_options: {actors: thread}\nprocessors:\n";
    for (int i = 0; i < 100; i++) {
        size_t used = strlen (text);
        snprintf (text + used, sizeof text - used, "  - {id: n%d, processor: identity}\n", i);
    }
    return command_file (name, text);
}

static void s_limit (int resource, rlim_t soft, rlim_t hard) {
    struct rlimit limit = {.rlim_cur = soft, .rlim_max = hard};
    if (setrlimit ((__rlimit_resource_t) resource, &limit) != 0)
        _exit (126);
}

static void s_few_descriptors (void) {
    s_limit (RLIMIT_NOFILE, 30, 30);
}

static void s_few_descriptors_for_now (void) {
    s_limit (RLIMIT_NOFILE, 30, 1024);
}

/* Root is not held by RLIMIT_NPROC, so root becomes somebody who is nobody else. */
static void s_few_threads (void) {
    s_limit (RLIMIT_NPROC, 20, 20);
    if (getuid () == 0 && (setgid (54321) != 0 || setuid (54321) != 0))
        _exit (126);
}

/* Who is nobody sees not the ZeroMQ in root's home that the thread sanitizer sees through, and is
 * given Debian's, of which it tells races that are none. */
static bool s_is_nobody_misled (void) {
    bool is_misled = strcmp (DAGWOOD_SANITIZE, "thread") == 0 && getuid () == 0;
    if (is_misled)
        print_message ("not as root with the thread sanitizer\n");
    return is_misled;
}

static void too_few_descriptors_are_status_71_with_the_remedy (void **state) {
    (void) state;
    command_t c = {.prepare = s_few_descriptors};
    COMMAND (&c, "run", s_wide_graph ("wide.yaml"), "--input", "x");
    command_expect (&c, 71);
    command_expect_error (&c, "(RLIMIT_NOFILE) is 30: raise it (ulimit -n ");
    command_expect_error (&c, "actors: pool");
    assert_string_equal (c.out, "");
    command_free (&c);
}

static void a_soft_limit_of_descriptors_is_raised (void **state) {
    (void) state;
    command_t c = {.prepare = s_few_descriptors_for_now};
    COMMAND (&c, "run", s_wide_graph ("wide2.yaml"), "--input", "x");
    command_expect (&c, 0);
    command_free (&c);
}

static void too_few_threads_are_status_71_with_the_remedy (void **state) {
    (void) state;
    if (s_is_nobody_misled ())
        skip ();
    command_t c = {.prepare = s_few_threads};
    COMMAND (&c, "run", s_wide_graph ("wide3.yaml"), "--input", "x");
    command_expect (&c, 71);
    command_expect_error (&c, "no thread for the actor of node \"n");
    command_expect_error (&c, "ulimit -u");
    command_expect_error (&c, "actors: pool");
    assert_string_equal (c.out, "");
    command_free (&c);
}

static void too_few_threads_for_a_pool_are_told_of_the_pool (void **state) {
    (void) state;
    if (s_is_nobody_misled ())
        skip ();
    command_t c = {.prepare = s_few_threads};
    const char *file = command_file ("pool.yaml", "executor_options: {actors: \"pool:100\"}\n"
                                                  "processors:\n"
                                                  "  - {id: a, processor: identity}\n");
    COMMAND (&c, "run", file, "--input", "x");
    command_expect (&c, 71);
    command_expect_error (&c, "of the pool: raise the limit of threads");
    command_expect_error (&c, "or use a smaller pool");
    assert_string_equal (c.out, "");
    command_free (&c);
}

int main (void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test (an_input_of_1_gib_is_refused_by_name_and_costs_no_memory), /* first */
        cmocka_unit_test (an_endless_input_is_refused),
        cmocka_unit_test (an_input_just_too_large_is_refused_however_it_comes),
        cmocka_unit_test (an_input_of_1_gib_is_run_where_the_graph_allows_it),
        cmocka_unit_test (a_full_output_is_status_74_with_the_reason),
        cmocka_unit_test (a_closed_output_is_status_74_with_the_reason),
        cmocka_unit_test (a_reader_that_went_away_is_status_74_without_a_word),
        cmocka_unit_test (a_wrong_graph_needs_no_output),
        cmocka_unit_test (a_signal_cancels_the_run_and_what_is_done_is_printed),
        cmocka_unit_test (a_second_signal_ends_the_command_at_once),
        cmocka_unit_test (a_signal_stops_repeating),
        cmocka_unit_test (a_signal_ends_the_wait_for_input),
        cmocka_unit_test (too_few_descriptors_are_status_71_with_the_remedy),
        cmocka_unit_test (a_soft_limit_of_descriptors_is_raised),
        cmocka_unit_test (too_few_threads_are_status_71_with_the_remedy),
        cmocka_unit_test (too_few_threads_for_a_pool_are_told_of_the_pool),
    };
    return !!cmocka_run_group_tests (tests, command_folder_set_up, command_folder_tear_down);
}
