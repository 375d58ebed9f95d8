/* test_isolation.c - slots in processes of their own: what a crash takes down, what is told of it,
 * and that nothing stays.
 *
 *     test_isolation slot    is the program of such a slot, which the tests have an agent start */

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "dagwood_processor.h"
#include "tests/support/process.h"

#define FOREVER_MS 60000 /* silence: nothing here may be noticed by it */
#define FLOOD      (1u << 20)

/* ---- A processor that does what its payload says ---------------------------------------------- */

static void s_die (int number) {
    signal (number, SIG_DFL); /* a sanitizer has a handler */
    sigset_t set;
    sigemptyset (&set);
    sigaddset (&set, number);
    pthread_sigmask (SIG_UNBLOCK, &set, NULL);
    kill (getpid (), number);
    for (;;)
        pause ();
}

static void s_flood (void) {
    char words[1024];
    memset (words, 'x', sizeof words);
    for (unsigned i = 0; i < FLOOD / sizeof words; i++)
        if (write (STDERR_FILENO, words, sizeof words) < 0)
            return;
}

static bool s_begins (const char *text, size_t size, const char *word) {
    return size >= strlen (word) && memcmp (text, word, strlen (word)) == 0;
}

/* Says which process it is, unless told to do something worse. */
static int s_obey (dw_call_t *call, void *arg) {
    (void) arg;
    size_t size;
    const char *text = dw_call_text (call, &size);
    if (s_begins (text, size, "count ")) { /* a byte in a file for each time that it runs */
        char path[64];
        snprintf (path, sizeof path, "%.*s", (int) (size - 6), text + 6);
        int fd = open (path, O_WRONLY | O_CREAT | O_APPEND, 0600);
        if (write (fd, "x", 1) == 1)
            close (fd);
        s_die (SIGKILL);
    }
    if (s_begins (text, size, "flood"))
        s_flood ();
    if (s_begins (text, size, "late") && dw_call_attempt (call) > 1)
        return dw_call_set_text (call, "done", 4);
    if (s_begins (text, size, "mute "))
        text += 5, size -= 5;
    else
        fprintf (stderr, "last \xc3\xa9 words \x1b[31m\n");
    if (s_begins (text, size, "segv"))
        s_die (SIGSEGV);
    if (s_begins (text, size, "abort"))
        abort ();
    if (s_begins (text, size, "exit 7") || s_begins (text, size, "flood"))
        _exit (7);
    if (s_begins (text, size, "exit 0"))
        _exit (0);
    if (s_begins (text, size, "kill") || s_begins (text, size, "late"))
        s_die (SIGKILL);
    while (s_begins (text, size, "hang"))
        pause ();
    if (s_begins (text, size, "nap"))
        sleep_ms (500);
    if (s_begins (text, size, "read")) {
        char byte;
        ssize_t got = read (STDIN_FILENO, &byte, 1);
        return got == 0 ? dw_call_set_text (call, "0", 1)
                        : dw_call_fail (call, 500, "there is more");
    }
    char number[32];
    int digits = snprintf (number, sizeof number, "%d", (int) getpid ());
    return dw_call_set_text (call, number, (size_t) digits);
}

static dw_processors_t *s_processors (void) {
    dw_processors_t *processors = dw_processors_new ();
    dw_processors_add_function (processors, "obey", s_obey, NULL);
    return processors;
}

static int s_serve_slot (void) {
    dw_processors_t *processors = s_processors ();
    dw_error_t *error = dw_error_new ();
    int err = dw_agent_serve_slot (processors, error);
    fputs (dw_error_text (error), stderr);
    if (err == DW_ESTUCK)
        _exit (1);
    dw_error_destroy (&error);
    dw_processors_destroy (&processors);
    return err != DW_OK;
}

/* ---- The fixture ------------------------------------------------------------------------------ */

typedef struct isolation_t {
    dw_processors_t *processors;
    dw_graph_t *graph;
    dw_error_t *error;
    dw_system_t *system;
    dw_agent_t *agent;
    dw_client_t *client;
    int notices[2]; /* a pipe: lines that the system and its agent told */
    int err_fd;     /* standard error, which is a file meanwhile */
    char path[64];
    const char *words[3]; /* of a slot's program */
} isolation_t;

static int s_set_up (void **state) {
    isolation_t *self = calloc (1, sizeof *self);
    *state = self;
    if (!self || pipe2 (self->notices, O_NONBLOCK | O_CLOEXEC))
        return -1;
    self->words[0] = "/proc/self/exe";
    self->words[1] = "slot";
    self->processors = s_processors ();
    self->graph = dw_graph_new ();
    self->error = dw_error_new ();
    dw_graph_add (self->graph, "obey", "obey");
    snprintf (self->path, sizeof self->path, "/tmp/dagwood-isolation-%d", (int) getpid ());
    int fd = open ("/dev/null", O_WRONLY);
    self->err_fd = dup (STDERR_FILENO); /* children's words are passed on */
    return fd < 0 || dup2 (fd, STDERR_FILENO) < 0 || close (fd) ? -1 : 0;
}

static int s_tear_down (void **state) {
    isolation_t *self = *state;
    dw_client_destroy (&self->client);
    dw_agent_close (&self->agent, -1, NULL);
    dw_system_close (&self->system, -1, NULL);
    dw_graph_destroy (&self->graph);
    dw_processors_destroy (&self->processors);
    dw_error_destroy (&self->error);
    dup2 (self->err_fd, STDERR_FILENO);
    close (self->err_fd);
    close (self->notices[0]);
    close (self->notices[1]);
    unlink (self->path);
    free (self);
    return 0;
}

static void s_note (void *arg, const char *line) {
    const isolation_t *self = arg;
    char text[600];
    int size = snprintf (text, sizeof text, "%s\n", line);
    if (write (self->notices[1], text, (size_t) size) < 0)
        return; /* the pipe is full: nobody waits for this one */
}

static void s_expect_notice (isolation_t *self, const char *part) {
    static char text[65536];
    size_t count = 0;
    for (int i = 0; i < 1000; i++) {
        ssize_t got = read (self->notices[0], text + count, sizeof text - 1 - count);
        count += got > 0 ? (size_t) got : 0;
        text[count] = '\0';
        if (strstr (text, part))
            return;
        sleep_ms (10);
    }
    fail_msg ("not told \"%s\", only: %s", part, text);
}

static void s_open_agent (isolation_t *self, uint32_t slots) {
    dw_agent_options_t options = {.coordinator = {.endpoint = dw_system_listening (self->system)},
                                  .processors = self->processors,
                                  .slots = slots,
                                  .slot_command = self->words,
                                  .notice = s_note,
                                  .notice_arg = self};
    if (dw_agent_open (&self->agent, &options, self->error))
        fail_msg ("%s", dw_error_text (self->error));
}

static void s_open (isolation_t *self, uint32_t slots) {
    dw_system_options_t options = {.processors = self->processors,
                                   .listen = "tcp://127.0.0.1:*",
                                   .no_actors = true,
                                   .heartbeat_ms = 100,
                                   .silence_ms = FOREVER_MS,
                                   .notice = s_note,
                                   .notice_arg = self};
    if (dw_system_open (&self->system, self->graph, &options, self->error) ||
        dw_client_new (&self->client, self->system, self->error))
        fail_msg ("%s", dw_error_text (self->error));
    s_open_agent (self, slots);
}

static uint64_t s_submit (isolation_t *self, const char *text) {
    uint64_t run;
    dw_submission_t submission = {.payload = text, .size = strlen (text), .is_text = true};
    if (dw_client_submit (self->client, &submission, &run, self->error))
        fail_msg ("%s", dw_error_text (self->error));
    return run;
}

static dw_result_t *s_wait (isolation_t *self, uint64_t run) {
    dw_result_t *result = NULL;
    int err = dw_client_wait (self->client, run, 20000, &result);
    if (err)
        fail_msg ("no result: %s", dw_err_text (err));
    return result;
}

static dw_result_t *s_run (isolation_t *self, const char *text) {
    return s_wait (self, s_submit (self, text));
}

/* The process that a good run was made by. */
static pid_t s_pid_of (dw_result_t *result) {
    size_t size;
    char number[32] = "";
    const char *text = dw_result_text (result, 0, &size);
    if (text)
        memcpy (number, text, size < sizeof number ? size : 0);
    else
        fail_msg ("%s", dw_result_error_message (result, 0));
    dw_result_destroy (&result);
    return (pid_t) atoi (number);
}

static bool s_is_gone (pid_t pid) {
    for (int i = 0; i < 500; i++) {
        if (kill (pid, 0))
            return true;
        sleep_ms (10);
    }
    return false;
}

/* A run that takes three workers down, each time as how says. */
static void s_expect_quarantine (isolation_t *self, const char *text, const char *how) {
    char host[256] = "", part[320];
    gethostname (host, sizeof host - 1);
    dw_result_t *result = s_run (self, text);
    const char *message = dw_result_error_message (result, 0);
    assert_int_equal (dw_result_status (result), DW_RUN_FAILED);
    assert_int_equal (dw_result_error_code (result, 0), 503);
    assert_int_equal (dw_result_attempts (result, 0), 3);
    for (int attempt = 1; attempt <= 3; attempt++) {
        snprintf (part, sizeof part, "\n  attempt %d: slot ", attempt);
        assert_non_null (strstr (message, part));
    }
    snprintf (part, sizeof part, "of process %d at %s, in process ", (int) getpid (), host);
    assert_non_null (strstr (message, part));
    if (!strstr (message, how))
        fail_msg ("not \"%s\" but %s", how, message);
    dw_result_destroy (&result);
}

/* ---- Crashes ---------------------------------------------------------------------------------- */

static void each_slot_is_a_process_of_its_own (void **state) {
    isolation_t *self = *state;
    s_open (self, 2);
    uint64_t one = s_submit (self, "nap"), other = s_submit (self, "nap");
    pid_t first = s_pid_of (s_wait (self, one)), second = s_pid_of (s_wait (self, other));
    assert_true (first != getpid () && second != getpid () && first != second);
}

static void a_processor_finds_standard_input_empty (void **state) {
    isolation_t *self = *state;
    s_open (self, 1);
    for (int i = 0; i < 3; i++)
        assert_int_equal (s_pid_of (s_run (self, "read")), 0);
}

static void a_task_that_takes_three_workers_down_tells_how (void **state) {
    isolation_t *self = *state;
    s_open (self, 4);
    s_expect_quarantine (self, "segv",
                         ", killed by SIGSEGV; it wrote last:\n    last \xc3\xa9 words ?[31m");
    s_expect_notice (self, ", killed by SIGSEGV, in node \"obey\"");
    s_expect_quarantine (self, "abort", ", killed by SIGABRT; it wrote last:");
}

static void ends_that_are_no_signals_are_told_too (void **state) {
    isolation_t *self = *state;
    s_open (self, 4);
    s_expect_quarantine (self, "exit 7", ", ended with status 7; it wrote last:");
    s_expect_quarantine (self, "exit 0 though nobody said so", ", ended with status 0");
}

static void whoever_says_nothing_and_is_killed_has_no_last_words (void **state) {
    isolation_t *self = *state;
    s_open (self, 3);
    dw_result_t *result = s_run (self, "mute kill");
    assert_non_null (strstr (dw_result_error_message (result, 0), ", killed by SIGKILL"));
    assert_null (strstr (dw_result_error_message (result, 0), "wrote last"));
    dw_result_destroy (&result);
}

static void a_flood_of_words_is_bounded_to_its_end (void **state) {
    isolation_t *self = *state;
    s_open (self, 3);
    dw_result_t *result = s_run (self, "flood");
    const char *message = dw_result_error_message (result, 0);
    assert_in_range (strlen (message), 3 * 8000, 3 * 8192 + 2048);
    assert_non_null (strstr (message, "xxx"));
    assert_string_equal (message + strlen (message) - strlen ("words ?[31m"), "words ?[31m");
    dw_result_destroy (&result);
}

static void whoever_was_beside_a_task_that_crashes_is_done (void **state) {
    isolation_t *self = *state;
    uint64_t runs[60], crashing = 0;
    s_open (self, 1);
    for (int i = 0; i < 3; i++)
        s_pid_of (s_run (self, "mute hello")); /* measured: from now on they travel together */
    for (int i = 0; i < 60; i++) {
        runs[i] = s_submit (self, "mute hello");
        if (i == 40)
            crashing = s_submit (self, "mute kill");
    }
    for (int i = 0; i < 60; i++)
        assert_true (s_pid_of (s_wait (self, runs[i])) > 0);
    dw_result_t *result = s_wait (self, crashing);
    assert_int_equal (dw_result_error_code (result, 0), 503);
    dw_result_destroy (&result);
    assert_int_equal (dw_agent_wait (self->agent, 0), DW_ETIMEDOUT); /* its slot is not down */
}

static void a_crash_takes_one_slot_not_the_others (void **state) {
    isolation_t *self = *state;
    s_open (self, 2);
    uint64_t one = s_submit (self, "nap"), other = s_submit (self, "nap");
    pid_t before[2] = {s_pid_of (s_wait (self, one)), s_pid_of (s_wait (self, other))};
    uint64_t napping = s_submit (self, "nap"), crashing = s_submit (self, "late");
    dw_result_t *result = s_wait (self, crashing);
    assert_int_equal (dw_result_status (result), DW_RUN_OK);
    assert_int_equal (dw_result_attempts (result, 0), 2);
    dw_result_destroy (&result);
    pid_t napper = s_pid_of (s_wait (self, napping));
    assert_true (napper == before[0] || napper == before[1]);
    assert_true (s_is_gone (napper == before[0] ? before[1] : before[0]));
    assert_int_equal (kill (napper, 0), 0);
}

static void a_crash_is_noticed_in_milliseconds (void **state) {
    isolation_t *self = *state;
    s_open (self, 2);
    s_pid_of (s_run (self, "hello"));
    int64_t begin_ms = now_ms ();
    dw_result_t *result = s_run (self, "late");
    int64_t took_ms = now_ms () - begin_ms;
    assert_int_equal (dw_result_attempts (result, 0), 2);
    dw_result_destroy (&result);
    assert_in_range (took_ms, 0, 2000); /* silence would be a minute */
}

static void a_slot_killed_from_outside_is_started_again (void **state) {
    isolation_t *self = *state;
    s_open (self, 1);
    pid_t before = s_pid_of (s_run (self, "hello"));
    kill (before, SIGKILL);
    assert_true (s_is_gone (before));
    pid_t after = s_pid_of (s_run (self, "hello"));
    assert_true (after != before);
    s_expect_notice (self, ", killed by SIGKILL");
}

/* ---- Limits ----------------------------------------------------------------------------------- */

static void a_slot_that_goes_down_too_often_stays_down (void **state) {
    isolation_t *self = *state;
    s_open (self, 1);
    int64_t begin_ms = now_ms ();
    s_expect_quarantine (self, "kill", "");
    uint64_t run = s_submit (self, "kill");
    assert_int_equal (dw_agent_wait (self->agent, 20000), DW_EPROCESSOR);
    assert_true (now_ms () - begin_ms < 10000);
    s_expect_notice (self, "has gone down 6 times within 10 s: it stays down");
    dw_client_cancel (self->client, run);
    dw_result_t *result = s_wait (self, run);
    dw_result_destroy (&result);
}

static void a_stuck_slot_is_killed_and_another_takes_its_place (void **state) {
    isolation_t *self = *state;
    dw_graph_node_options (self->graph, 0)->timeout_us = 300000;
    s_open (self, 1);
    pid_t before = s_pid_of (s_run (self, "hello"));
    for (int i = 0; i < 3; i++) {
        dw_result_t *result = s_run (self, "hang");
        assert_int_equal (dw_result_error_code (result, 0), 408);
        dw_result_destroy (&result);
        assert_true (s_is_gone (before));
        pid_t after = s_pid_of (s_run (self, "hello"));
        assert_true (after != before);
        before = after;
    }
}

static void a_stuck_slot_that_cannot_be_started_again_is_said_to_be_down (void **state) {
    isolation_t *self = *state;
    dw_graph_node_options (self->graph, 0)->timeout_us = 300000;
    assert_int_equal (symlink ("/proc/self/exe", self->path), 0);
    self->words[0] = self->path;
    s_open (self, 2);
    s_pid_of (s_run (self, "hello"));
    assert_int_equal (unlink (self->path), 0);
    dw_result_t *result = s_run (self, "hang");
    assert_int_equal (dw_result_error_code (result, 0), 408);
    dw_result_destroy (&result);
    s_expect_notice (self, "is down: it could not be started again");
    assert_true (s_pid_of (s_run (self, "hello")) > 0); /* the other one is there */
}

static void nothing_is_left_of_processes_that_crashed_or_hung (void **state) {
    isolation_t *self = *state;
    dw_graph_node_options (self->graph, 0)->timeout_us = 300000;
    unsigned descriptors = descriptors_count (), threads = threads_count ();
    s_open (self, 2);
    pid_t before = s_pid_of (s_run (self, "hello"));
    uint64_t runs[] = {s_submit (self, "kill"), s_submit (self, "hang")};
    for (int i = 0; i < 2; i++) {
        dw_result_t *result = s_wait (self, runs[i]);
        dw_result_destroy (&result);
    }
    uint64_t last = s_submit (self, "hang");
    (void) last; /* it is in there when all is closed */
    sleep_ms (50);
    dw_client_destroy (&self->client);
    assert_int_equal (dw_agent_close (&self->agent, -1, self->error), DW_OK);
    assert_int_equal (dw_system_close (&self->system, -1, self->error), DW_OK);
    assert_true (s_is_gone (before));
    assert_int_equal (descriptors_count (), descriptors);
    assert_true (threads_fall_to (threads));
}

/* ---- Ends that are no crash ------------------------------------------------------------------- */

static void a_drained_agent_finishes_what_its_slots_are_at (void **state) {
    isolation_t *self = *state;
    s_open (self, 2);
    pid_t pid = s_pid_of (s_run (self, "hello"));
    uint64_t run = s_submit (self, "nap");
    sleep_ms (100);
    dw_agent_drain (self->agent);
    assert_true (s_pid_of (s_wait (self, run)) > 0);
    assert_int_equal (dw_agent_wait (self->agent, 10000), DW_OK);
    dw_agent_close (&self->agent, -1, NULL);
    assert_true (s_is_gone (pid));
}

static void what_an_agent_was_at_when_it_closed_is_done_by_another (void **state) {
    isolation_t *self = *state;
    s_open (self, 1);
    pid_t before = s_pid_of (s_run (self, "hello"));
    uint64_t run = s_submit (self, "nap");
    sleep_ms (100);
    assert_int_equal (dw_agent_close (&self->agent, 0, self->error), DW_OK);
    assert_true (s_is_gone (before));
    s_open_agent (self, 1);
    assert_true (s_pid_of (s_wait (self, run)) != before);
}

static void a_program_that_is_none_is_an_error (void **state) {
    isolation_t *self = *state;
    s_open (self, 1);
    const char *const words[] = {"/nowhere/at/all", NULL};
    dw_agent_t *agent = NULL;
    dw_agent_options_t options = {.coordinator = {.endpoint = dw_system_listening (self->system)},
                                  .processors = self->processors,
                                  .slots = 2,
                                  .slot_command = words};
    assert_int_equal (dw_agent_open (&agent, &options, self->error), DW_ELIMIT);
    assert_null (agent);
    assert_non_null (strstr (dw_error_text (self->error), "process cannot be started"));
}

static void a_program_that_serves_no_slot_is_down_at_last (void **state) {
    isolation_t *self = *state;
    s_open (self, 1);
    const char *const words[] = {"false", NULL};
    dw_agent_t *agent = NULL;
    dw_agent_options_t options = {.coordinator = {.endpoint = dw_system_listening (self->system)},
                                  .processors = self->processors,
                                  .slots = 2,
                                  .slot_command = words};
    assert_int_equal (dw_agent_open (&agent, &options, self->error), DW_OK);
    assert_int_equal (dw_agent_wait (agent, 10000), DW_EPROCESSOR);
    assert_int_equal (dw_agent_close (&agent, -1, NULL), DW_OK);
}

/* ---- What may run but once -------------------------------------------------------------------- */

static void a_task_that_is_not_idempotent_is_not_sent_again (void **state) {
    isolation_t *self = *state;
    char text[96];
    struct stat file;
    dw_graph_node_options (self->graph, 0)->not_idempotent = true;
    s_open (self, 2);
    snprintf (text, sizeof text, "count %s", self->path);
    dw_result_t *result = s_run (self, text);
    assert_int_equal (dw_result_error_code (result, 0), 503);
    assert_int_equal (dw_result_attempts (result, 0), 1);
    assert_non_null (strstr (dw_result_error_message (result, 0), "may have run"));
    assert_non_null (strstr (dw_result_error_message (result, 0), "attempt 1: slot "));
    assert_non_null (strstr (dw_result_error_message (result, 0), "killed by SIGKILL"));
    dw_result_destroy (&result);
    assert_int_equal (stat (self->path, &file), 0);
    assert_int_equal (file.st_size, 1);
    assert_true (s_pid_of (s_run (self, "hello")) > 0);
}

static void a_task_in_a_process_that_is_ended_may_have_run (void **state) {
    isolation_t *self = *state;
    dw_graph_node_options (self->graph, 0)->not_idempotent = true;
    s_open (self, 1);
    s_pid_of (s_run (self, "hello"));
    uint64_t run = s_submit (self, "hang");
    sleep_ms (200);
    assert_int_equal (dw_agent_close (&self->agent, 0, self->error), DW_OK);
    dw_result_t *result = s_wait (self, run);
    assert_int_equal (dw_result_error_code (result, 0), 503);
    dw_result_destroy (&result);
}

static void without_a_parent_there_is_no_slot (void **state) {
    (void) state;
    assert_int_equal (system ("/proc/self/exe slot < /dev/null 2> /dev/null") != 0, 1);
}

#define TEST(name) cmocka_unit_test_setup_teardown (name, s_set_up, s_tear_down)

int main (int argc, char **argv) {
    if (argc == 2 && strcmp (argv[1], "slot") == 0)
        return s_serve_slot ();
    const struct CMUnitTest tests[] = {
        TEST (each_slot_is_a_process_of_its_own),
        TEST (a_processor_finds_standard_input_empty),
        TEST (a_task_that_takes_three_workers_down_tells_how),
        TEST (ends_that_are_no_signals_are_told_too),
        TEST (whoever_says_nothing_and_is_killed_has_no_last_words),
        TEST (a_flood_of_words_is_bounded_to_its_end),
        TEST (whoever_was_beside_a_task_that_crashes_is_done),
        TEST (a_crash_takes_one_slot_not_the_others),
        TEST (a_crash_is_noticed_in_milliseconds),
        TEST (a_slot_killed_from_outside_is_started_again),
        TEST (a_slot_that_goes_down_too_often_stays_down),
        TEST (a_stuck_slot_is_killed_and_another_takes_its_place),
        TEST (a_stuck_slot_that_cannot_be_started_again_is_said_to_be_down),
        TEST (nothing_is_left_of_processes_that_crashed_or_hung),
        TEST (a_drained_agent_finishes_what_its_slots_are_at),
        TEST (what_an_agent_was_at_when_it_closed_is_done_by_another),
        TEST (a_program_that_is_none_is_an_error),
        TEST (a_program_that_serves_no_slot_is_down_at_last),
        TEST (a_task_that_is_not_idempotent_is_not_sent_again),
        TEST (a_task_in_a_process_that_is_ended_may_have_run),
        TEST (without_a_parent_there_is_no_slot),
    };
    return !!cmocka_run_group_tests (tests, NULL, NULL);
}
