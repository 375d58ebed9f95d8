/* test_cli_lines.c - dagwood run --lines: a run of every record, bounded, in order, each alone in
 * what befalls it. */

#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/support/command.h"
#include "tests/support/process.h"

#define CHAIN                                              \
    "processors:\n"                                        \
    "  - {id: upper, processor: change_text_case_upper}\n" \
    "  - {id: mark, processor: prefix_suffix_adder, depends_on: [upper]}\n"
/* A record may have 1,000 bytes with its header, which takes 3. */
#define SMALL   "executor_options: {max_payload_bytes: 1000}\n" CHAIN
#define SLEEPER "processors:\n  - {id: nap, processor: sleep, options: {ms: 60000}}\n"
/* A record that is not UTF-8 takes long: it is tried again after a while. */
#define SLOW_WHEN_BAD \
    "executor_options: {retry_attempts: 1, retry_backoff: {initial_ms: 500, jitter: 0}}\n" CHAIN

#define LINES_MANY    20000
#define READ_AHEAD    4096u /* records at most */
#define PIPE_BYTES    65536u
#define MEMORY_KB_MAX 16384 /* that a longer stream may take beside a shorter one */
#define STREAM_BYTES  (64u << 20)
/* Of short lines; a sanitizer takes its time for each, and says nothing of memory. */
#define LINES_BYTES ((sizeof DAGWOOD_SANITIZE > 1 ? 2u : 16u) << 20)

/* ---- Pipes -------------------------------------------------------------------------------- */

/* The ends of pipes that the command gets as its standard streams; -1: those of command.h. */
static int s_in_fd = -1, s_out_fd = -1;

static void s_take_pipes (void) {
    if (s_in_fd >= 0)
        dup2 (s_in_fd, STDIN_FILENO);
    if (s_out_fd >= 0)
        dup2 (s_out_fd, STDOUT_FILENO);
}

/* A pipe whose end for the command is *own_p; returns the test's end. */
static int s_pipe (int *own_p, bool is_input) {
    int fds[2];
    assert_int_equal (pipe2 (fds, O_CLOEXEC), 0);
    *own_p = fds[is_input ? 0 : 1];
    return fds[is_input ? 1 : 0];
}

/* Starts the command with pipes for what is not NULL. */
static void s_start (command_t *c, int *in_p, int *out_p, const char *const *words) {
    c->prepare = s_take_pipes;
    if (in_p)
        *in_p = s_pipe (&s_in_fd, true);
    if (out_p)
        *out_p = s_pipe (&s_out_fd, false);
    command_start (c, words);
    if (in_p)
        close (s_in_fd);
    if (out_p)
        close (s_out_fd);
    s_in_fd = s_out_fd = -1;
}
#define START_PIPED(c, in_p, out_p, ...) \
    s_start (c, in_p, out_p, (const char *const[]){__VA_ARGS__, NULL})

static void s_write (int fd, const char *text) {
    assert_int_equal (write (fd, text, strlen (text)), strlen (text));
}

/* Waits until the other side has read everything. */
static void s_await_read (int fd) {
    int left = 1;
    for (int looks = 0; looks < 2000 && left > 0; looks++) {
        assert_int_equal (ioctl (fd, FIONREAD, &left), 0);
        usleep (5000);
    }
    assert_int_equal (left, 0);
}

/* ---- What was printed --------------------------------------------------------------------- */

static json_int_t s_run (const json_t *json) {
    return json_integer_value (json_object_get (json, "run"));
}

static const char *s_status (const json_t *json) {
    return json_string_value (json_object_get (json, "status"));
}

static const json_t *s_payload (const json_t *json, const char *node) {
    return json_object_get (json_object_get (json_object_get (json, "results"), node), "payload");
}

/* The next line is run, is ok, and its node mark has given text of size bytes. */
static void s_expect_bytes (const char **text_p, int run, const char *text, size_t size) {
    json_t *json = command_next_json (text_p);
    const json_t *payload = s_payload (json, "mark");
    assert_int_equal (s_run (json), run);
    assert_string_equal (s_status (json), "ok");
    assert_int_equal (json_string_length (payload), size);
    assert_memory_equal (json_string_value (payload), text, size);
    json_decref (json);
}

static void s_expect (const char **text_p, int run, const char *text) {
    s_expect_bytes (text_p, run, text, strlen (text));
}

/* The next line is a run of that status. */
static void s_expect_status (const char **text_p, int run, const char *status) {
    json_t *json = command_next_json (text_p);
    assert_int_equal (s_run (json), run);
    assert_string_equal (s_status (json), status);
    json_decref (json);
}

/* "line 1\n" to "line COUNT\n"; freed by the caller. */
static char *s_numbered (int count) {
    size_t room = (size_t) count * 16 + 1, size = 0;
    char *text = malloc (room);
    assert_non_null (text);
    for (int i = 1; i <= count; i++)
        size += (size_t) snprintf (text + size, room - size, "line %d\n", i);
    return text;
}

/* ---- Records ------------------------------------------------------------------------------ */

static void every_line_is_a_run_and_the_results_are_in_their_order (void **state) {
    (void) state;
    char *lines = s_numbered (LINES_MANY), expected[32];
    const char *places[] = {"auto", "pool", "pool:1"};
    const char *file = command_file ("chain.yaml", CHAIN);
    for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
        command_t c = {.input = lines};
        COMMAND (&c, "run", file, "--lines", "-", "--actors", places[i]);
        command_expect (&c, 0);
        const char *out = c.out;
        for (int run = 1; run <= LINES_MANY; run++) {
            snprintf (expected, sizeof expected, "[LINE %d]", run);
            s_expect (&out, run, expected);
        }
        assert_string_equal (out, "");
        command_expect_error (&c, "dagwood: 20000 records in ");
        command_expect_error (&c, " a second): 20000 ok, 0 partial, 0 failed, 0 cancelled\n");
        command_free (&c);
    }
    free (lines);
}

static void unordered_each_comes_once (void **state) {
    (void) state;
    char *lines = s_numbered (LINES_MANY), *has = calloc (LINES_MANY + 1, 1), expected[32];
    command_t c = {.input = lines};
    COMMAND (&c, "run", command_file ("any.yaml", CHAIN), "--lines", "-", "--unordered");
    command_expect (&c, 0);
    const char *out = c.out;
    for (int i = 1; i <= LINES_MANY; i++) {
        json_t *json = command_next_json (&out);
        json_int_t run = s_run (json);
        assert_in_range (run, 1, LINES_MANY);
        assert_false (has[run]);
        has[run] = 1;
        snprintf (expected, sizeof expected, "[LINE %d]", (int) run);
        assert_string_equal (json_string_value (s_payload (json, "mark")), expected);
        json_decref (json);
    }
    assert_string_equal (out, "");
    command_free (&c);
    free (has);
    free (lines);
}

static void a_result_that_takes_long_holds_up_the_others_only_in_order (void **state) {
    (void) state;
    const char *file = command_file ("slow.yaml", SLOW_WHEN_BAD);
    command_t c = {.input = "\xff\nb\nc\n"};
    COMMAND (&c, "run", file, "--lines", "-");
    command_expect (&c, 1);
    const char *out = c.out;
    s_expect_status (&out, 1, "failed");
    s_expect (&out, 2, "[B]");
    s_expect (&out, 3, "[C]");
    command_free (&c);
    c.input = "\xff\nb\n";
    COMMAND (&c, "run", file, "--lines", "-", "--unordered");
    command_expect (&c, 1);
    out = c.out;
    s_expect (&out, 2, "[B]");
    s_expect_status (&out, 1, "failed");
    command_free (&c);
}

static void what_is_between_two_newlines_is_the_input_whatever_it_is (void **state) {
    (void) state;
    static const char bytes[] = "\n\r\na\0b\r\n\"\\\n\xc3\xa4 \nlast";
    const char *lines = command_file_of ("between.txt", bytes, sizeof bytes - 1);
    command_t c = {0};
    COMMAND (&c, "run", command_file ("between.yaml", CHAIN), "--lines", lines);
    command_expect (&c, 0);
    const char *out = c.out;
    s_expect (&out, 1, "[]");
    s_expect (&out, 2, "[\r]");
    s_expect_bytes (&out, 3, "[A\0B\r]", 6);
    s_expect (&out, 4, "[\"\\]");
    s_expect (&out, 5, "[\xc3\x84 ]");
    s_expect (&out, 6, "[LAST]");
    assert_string_equal (out, "");
    command_free (&c);
}

static void with_null_a_newline_is_data (void **state) {
    (void) state;
    static const char bytes[] = "a\nb\0\0c";
    const char *records = command_file_of ("null.bin", bytes, sizeof bytes - 1);
    command_t c = {0};
    COMMAND (&c, "run", command_file ("null.yaml", CHAIN), "--lines", records, "--null");
    command_expect (&c, 0);
    const char *out = c.out;
    s_expect (&out, 1, "[A\nB]");
    s_expect (&out, 2, "[]");
    s_expect (&out, 3, "[C]");
    assert_string_equal (out, "");
    command_free (&c);
}

static void nothing_is_no_run_and_all_of_it_is_ok (void **state) {
    (void) state;
    command_t c = {0};
    COMMAND (&c, "run", command_file ("nothing.yaml", CHAIN), "--lines", "-");
    command_expect (&c, 0);
    assert_string_equal (c.out, "");
    command_expect_error (&c, " a second): 0 ok, 0 partial");
    command_free (&c);
}

static void only_the_nodes_that_are_asked_for_run (void **state) {
    (void) state;
    command_t c = {.input = "a\nb\n"};
    COMMAND (&c, "run", command_file ("some.yaml", CHAIN), "--lines", "-", "--output", "upper");
    command_expect (&c, 0);
    const char *out = c.out;
    for (int run = 1; run <= 2; run++) {
        json_t *json = command_next_json (&out);
        json_t *outputs = json_object_get (json, "outputs");
        const json_t *mark = json_object_get (json_object_get (json, "results"), "mark");
        assert_int_equal (json_array_size (outputs), 1);
        assert_string_equal (json_string_value (json_array_get (outputs, 0)), "upper");
        assert_string_equal (s_status (mark), "not_requested");
        assert_string_equal (json_string_value (s_payload (json, "upper")), run == 1 ? "A" : "B");
        json_decref (json);
    }
    command_free (&c);
}

/* ---- Bad records -------------------------------------------------------------------------- */

static void a_record_that_is_not_utf_8_fails_alone (void **state) {
    (void) state;
    command_t c = {.input = "a\nb \xff\nc\n"};
    COMMAND (&c, "run", command_file ("utf8.yaml", CHAIN), "--lines", "-");
    command_expect (&c, 1);
    const char *out = c.out;
    s_expect (&out, 1, "[A]");
    json_t *json = command_next_json (&out);
    const json_t *failure = json_array_get (json_object_get (json, "failures"), 0);
    assert_int_equal (s_run (json), 2);
    assert_string_equal (s_status (json), "failed");
    assert_string_equal (json_string_value (json_object_get (failure, "node")), "upper");
    assert_int_equal (json_integer_value (json_object_get (failure, "code")), 400);
    assert_non_null (strstr (json_string_value (json_object_get (failure, "message")),
                             "is not UTF-8: the byte 0xFF at offset 2"));
    json_decref (json);
    s_expect (&out, 3, "[C]");
    assert_string_equal (out, "");
    command_expect_error (&c, "): 2 ok, 0 partial, 1 failed, 0 cancelled\n");
    command_free (&c);
}

/* Records of some sizes around the limit: what is too large says so in its place, in either
 * order. */
static void a_record_that_is_too_large_is_refused_alone (void **state) {
    (void) state;
    static const size_t sizes[] = {1, 995, 998, 1000, 1001, 5000, 300000, 2};
    static const bool good[] = {true, true, false, false, false, false, false, true};
    enum { COUNT = sizeof sizes / sizeof *sizes };
    char *text = malloc (400000), *at = text, part[64];
    for (int i = 0; i < COUNT; i++) {
        memset (at, 'x', sizes[i]);
        at[sizes[i]] = '\n';
        at += sizes[i] + 1;
    }
    *at = '\0';
    command_t c = {.input = text};
    const char *file = command_file ("small.yaml", SMALL);
    COMMAND (&c, "run", file, "--lines", "-", "--output", "upper");
    command_expect (&c, 1);
    const char *out = c.out;
    for (int i = 0; i < COUNT; i++) {
        json_t *json = command_next_json (&out);
        const json_t *error = json_object_get (json, "error");
        assert_int_equal (s_run (json), i + 1);
        assert_string_equal (s_status (json), good[i] ? "ok" : "failed");
        assert_int_equal (json_integer_value (json_object_get (error, "code")), good[i] ? 0 : 413);
        snprintf (part, sizeof part, "record %d has more bytes than max_payload_bytes (1000)",
                  i + 1);
        assert_true (good[i] ||
                     strstr (json_string_value (json_object_get (error, "message")), part));
        json_decref (json);
    }
    assert_string_equal (out, "");
    command_expect_error (&c, "): 3 ok, 0 partial, 5 failed, 0 cancelled\n");
    command_free (&c);
    c.input = text;
    COMMAND (&c, "run", file, "--lines", "-", "--output", "upper", "--unordered");
    command_expect (&c, 1);
    command_expect_output (&c, "record 7 has more bytes");
    command_free (&c);
    free (text);
}

/* ---- Memory and time ---------------------------------------------------------------------- */

/* The most memory that it has had, KiB. */
static long s_memory_kb (const command_t *c) {
    char path[64], line[128];
    long kb = 0;
    snprintf (path, sizeof path, "/proc/%d/status", (int) c->pid);
    FILE *file = fopen (path, "r");
    assert_non_null (file);
    while (fgets (line, sizeof line, file))
        sscanf (line, "VmHWM: %ld", &kb);
    fclose (file);
    assert_true (kb > 0);
    return kb;
}

/* Writes so many bytes of a pattern that repeats. */
static void s_pour (int fd, const char *pattern, size_t size) {
    static char block[65536];
    size_t length = strlen (pattern);
    for (size_t i = 0; i < sizeof block; i++)
        block[i] = pattern[i % length];
    size_t whole = sizeof block / length * length;
    for (size_t written = 0; written < size; written += whole)
        assert_int_equal (write (fd, block, whole), whole);
}

static void a_record_without_end_costs_no_more_memory (void **state) {
    (void) state;
    command_t c = {0};
    int in;
    START_PIPED (&c, &in, NULL, "run", command_file ("endless.yaml", SMALL), "--lines", "-");
    s_pour (in, "x", 1u << 20);
    command_await_output (&c, "record 1 has more bytes"); /* before it has ended */
    long before_kb = s_memory_kb (&c);
    s_pour (in, "x", STREAM_BYTES);
    s_await_read (in);
    assert_in_range (s_memory_kb (&c) - before_kb, 0, MEMORY_KB_MAX);
    s_write (in, "\nback\n");
    close (in);
    command_end (&c);
    command_expect (&c, 1);
    const char *out = c.out;
    s_expect_status (&out, 1, "failed");
    s_expect (&out, 2, "[BACK]");
    command_free (&c);
}

static void an_endless_stream_costs_no_more_memory (void **state) {
    (void) state;
    command_t c = {0};
    int in;
    s_out_fd = open ("/dev/null", O_WRONLY | O_CLOEXEC);
    START_PIPED (&c, &in, NULL, "run", command_file ("flat.yaml", CHAIN), "--lines", "-",
                 "--actors", "pool");
    s_pour (in, "0123456789012345678901234567890123456789012345678901234567890\n", LINES_BYTES / 4);
    long before_kb = s_memory_kb (&c);
    s_pour (in, "0123456789012345678901234567890123456789012345678901234567890\n", LINES_BYTES);
    /* A sanitizer keeps what was freed for a while. */
    assert_true (s_memory_kb (&c) - before_kb < MEMORY_KB_MAX || sizeof DAGWOOD_SANITIZE > 1);
    close (in);
    command_end (&c);
    command_expect (&c, 0);
    command_free (&c);
}

static void what_was_read_is_answered_though_the_input_goes_on (void **state) {
    (void) state;
    command_t c = {0};
    char line[32], expected[32];
    int in;
    START_PIPED (&c, &in, NULL, "run", command_file ("prompt.yaml", CHAIN), "--lines", "-");
    for (int i = 1; i <= 5; i++) {
        snprintf (line, sizeof line, "line %d\nthe be", i); /* and the beginning of another one */
        snprintf (expected, sizeof expected, "LINE %d]", i);
        s_write (in, line);
        int64_t begin_ms = now_ms ();
        command_await_output (&c, expected);
        assert_in_range (now_ms () - begin_ms, 0, 8000);
    }
    close (in);
    command_end (&c);
    command_expect (&c, 0);
    command_free (&c);
}

/* Writes lines for as long as they are taken; returns how many bytes were. */
static size_t s_pour_until_full (int fd, size_t size_max) {
    size_t written = 0;
    assert_int_equal (fcntl (fd, F_SETFL, O_NONBLOCK), 0);
    for (int64_t taken_ms = now_ms (), patience_ms = 20000;
         written < size_max && now_ms () - taken_ms < patience_ms;) {
        static const char line[] = "0123456789012345678901234567890123456789012345678\n";
        ssize_t count = write (fd, line + written % 50, 50 - written % 50);
        if (count > 0) {
            written += (size_t) count;
            taken_ms = now_ms ();
            patience_ms = written > PIPE_BYTES ? 1000 : patience_ms; /* it has begun */
        } else {
            usleep (1000);
        }
    }
    assert_int_equal (fcntl (fd, F_SETFL, 0), 0);
    return written;
}

static void whoever_reads_the_results_slowly_slows_the_reading (void **state) {
    (void) state;
    command_t c = {0};
    int in, out;
    START_PIPED (&c, &in, &out, "run", command_file ("back.yaml", CHAIN), "--lines", "-");
    size_t size = s_pour_until_full (in, 64u << 20);
    /* Two pipes, what is in flight, a block that was read, and lines that were put together. (Less,
     * where results are ready sooner than lines are written, and fill their pipe.) */
    assert_in_range (size, PIPE_BYTES, READ_AHEAD * 50 + (1u << 20));
    close (in);
    size_t lines = 0;
    char block[65536];
    for (ssize_t count; (count = read (out, block, sizeof block)) > 0;)
        for (ssize_t i = 0; i < count; i++)
            lines += block[i] == '\n';
    assert_int_equal (lines, (size + 49) / 50);
    close (out);
    command_end (&c);
    command_expect (&c, 0);
    command_free (&c);
}

/* ---- Ends --------------------------------------------------------------------------------- */

static void one_signal_cancels_what_is_in_flight_and_prints_it (void **state) {
    (void) state;
    command_t c = {0};
    int in;
    START_PIPED (&c, &in, NULL, "run", command_file ("sleeper.yaml", SLEEPER), "--lines", "-");
    s_write (in, "a\nb\nc\n");
    s_await_read (in);
    command_signal (&c, SIGINT); /* the input is still open */
    command_end (&c);
    command_expect (&c, 128 + SIGINT);
    const char *out = c.out;
    for (int run = 1; run <= 3; run++)
        s_expect_status (&out, run, "cancelled");
    assert_string_equal (out, "");
    command_expect_error (&c, "): 0 ok, 0 partial, 0 failed, 3 cancelled\n");
    close (in);
    command_free (&c);
}

static void two_signals_end_it_though_nobody_reads (void **state) {
    (void) state;
    command_t c = {0};
    int in, out;
    START_PIPED (&c, &in, &out, "run", command_file ("twice.yaml", CHAIN), "--lines", "-");
    s_pour_until_full (in, 64u << 20);
    command_signal (&c, SIGTERM);
    sleep_ms (300);
    assert_int_equal (waitpid (c.pid, NULL, WNOHANG), 0); /* one waits for the output */
    int64_t begin_ms = now_ms ();
    command_signal (&c, SIGTERM);
    command_end (&c);
    assert_in_range (now_ms () - begin_ms, 0, 8000);
    command_expect (&c, 128 + SIGTERM);
    close (in);
    close (out);
    command_free (&c);
}

static void a_closed_output_ends_it_with_74 (void **state) {
    (void) state;
    command_t c = {0};
    int in, out;
    START_PIPED (&c, &in, &out, "run", command_file ("closed.yaml", CHAIN), "--lines", "-");
    close (out);
    s_write (in, "a\nb\n"); /* and more would follow */
    command_end (&c);
    command_expect (&c, 74);
    close (in);
    command_free (&c);
}

static void a_file_that_cannot_be_read_is_66 (void **state) {
    (void) state;
    const char *graph = command_file ("file.yaml", CHAIN);
    command_t c = {0};
    COMMAND (&c, "run", graph, "--lines", "/nowhere/at all");
    command_expect (&c, 66);
    command_expect_error (&c, "/nowhere/at all cannot be read: No such file");
    command_free (&c);
    COMMAND (&c, "run", graph, "--lines", "/tmp");
    command_expect (&c, 66);
    command_expect_error (&c, "/tmp cannot be read: Is a directory");
    command_free (&c);
}

static void words_that_contradict_each_other_are_64 (void **state) {
    (void) state;
    const char *graph = command_file ("words.yaml", CHAIN);
    const char *const words[][6] = {
        {"run", graph, "--lines", "-", "--input", "a"},
        {"run", graph, "--lines", "-", "-"},
        {"run", graph, "--lines", "-", "--repeat", "2"},
        {"run", graph, "--null"},
        {"run", graph, "--unordered"},
    };
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        command_t c = {0};
        const char *ended[7] = {0};
        memcpy (ended, words[i], sizeof words[i]);
        command_run (&c, ended);
        command_expect (&c, 64);
        command_expect_error (&c, "--lines");
        command_free (&c);
    }
    command_t c = {0};
    COMMAND (&c, "run", graph, "--lines", "-", "--output", "upper", "--output", "nobody");
    command_expect (&c, 64);
    command_expect_error (&c, "has no node \"nobody\"");
    command_free (&c);
}

/* ---- Elsewhere ---------------------------------------------------------------------------- */

static void a_coordinator_elsewhere_gives_the_same_lines (void **state) {
    (void) state;
    const char *graph = command_file ("elsewhere.yaml", SMALL);
    char *lines = s_numbered (LINES_MANY), expected[32], endpoint[COMMAND_ENDPOINT_SIZE];
    command_t coordinator = {0}, worker = {0}, c = {.input = lines};
    command_start (&coordinator, (const char *const[]){"coordinator", graph, "--listen",
                                                       "tcp://127.0.0.1:*", NULL});
    command_await_output (&coordinator, "\n");
    command_take_endpoint (&coordinator, endpoint);
    command_start (&worker, (const char *const[]){"worker", "--connect", endpoint, NULL});
    COMMAND (&c, "submit", "--connect", endpoint, "--lines", "-");
    command_expect (&c, 0);
    const char *out = c.out;
    for (int run = 1; run <= LINES_MANY; run++) {
        snprintf (expected, sizeof expected, "[LINE %d]", run);
        s_expect (&out, run, expected);
    }
    assert_string_equal (out, "");
    command_expect_error (&c, "): 20000 ok, ");
    command_free (&c);

    memset (lines, 'x', 2000);
    lines[2000] = '\0';
    c.input = lines;
    COMMAND (&c, "submit", "--connect", endpoint, "--lines", "-", "--unordered");
    command_expect (&c, 1);
    command_expect_output (&c, "record 1 has more bytes than max_payload_bytes (1000) allows");
    command_free (&c);
    command_signal (&coordinator, SIGTERM);
    command_end (&coordinator);
    command_end (&worker);
    command_free (&coordinator);
    command_free (&worker);
    free (lines);
}

static void a_stream_for_an_output_that_is_no_node_says_which (void **state) {
    (void) state;
    const char *graph = command_file ("no_node.yaml", CHAIN);
    char endpoint[COMMAND_ENDPOINT_SIZE];
    command_t coordinator = {0}, c = {.input = "a\n"};
    START (&coordinator, "coordinator", graph, "--listen", "tcp://127.0.0.1:*");
    command_await_output (&coordinator, "\n");
    command_take_endpoint (&coordinator, endpoint);
    COMMAND (&c, "submit", "--connect", endpoint, "--lines", "-", "--output", "uper");
    command_expect (&c, 64);
    command_expect_error (
        &c, "the graph has no node \"uper\" to be an output; did you mean \"upper\"?");
    command_free (&c);
    command_signal (&coordinator, SIGTERM);
    command_end (&coordinator);
    command_free (&coordinator);
}

static void what_a_lost_coordinator_had_is_told (void **state) {
    (void) state;
    command_t coordinator = {0}, c = {0};
    char endpoint[COMMAND_ENDPOINT_SIZE];
    int in;
    command_start (&coordinator,
                   (const char *const[]){"coordinator", command_file ("lost.yaml", SLEEPER),
                                         "--listen", "tcp://127.0.0.1:*", "--heartbeat-ms", "100",
                                         "--silence-ms", "500", NULL});
    command_await_output (&coordinator, "\n");
    command_take_endpoint (&coordinator, endpoint);
    START_PIPED (&c, &in, NULL, "submit", "--connect", endpoint, "--lines", "-");
    s_write (in, "a\nb\n");
    s_await_read (in);
    command_signal (&coordinator, SIGKILL);
    command_end (&c); /* though the input is still open */
    command_expect (&c, 75);
    command_expect_error (&c, "the coordinator was lost");
    command_expect_error (&c, "0 cancelled, 2 without a result");
    close (in);
    command_free (&c);
    command_end (&coordinator);
    command_free (&coordinator);
}

int main (void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test (every_line_is_a_run_and_the_results_are_in_their_order),
        cmocka_unit_test (unordered_each_comes_once),
        cmocka_unit_test (a_result_that_takes_long_holds_up_the_others_only_in_order),
        cmocka_unit_test (what_is_between_two_newlines_is_the_input_whatever_it_is),
        cmocka_unit_test (with_null_a_newline_is_data),
        cmocka_unit_test (nothing_is_no_run_and_all_of_it_is_ok),
        cmocka_unit_test (only_the_nodes_that_are_asked_for_run),
        cmocka_unit_test (a_record_that_is_not_utf_8_fails_alone),
        cmocka_unit_test (a_record_that_is_too_large_is_refused_alone),
        cmocka_unit_test (a_record_without_end_costs_no_more_memory),
        cmocka_unit_test (an_endless_stream_costs_no_more_memory),
        cmocka_unit_test (what_was_read_is_answered_though_the_input_goes_on),
        cmocka_unit_test (whoever_reads_the_results_slowly_slows_the_reading),
        cmocka_unit_test (one_signal_cancels_what_is_in_flight_and_prints_it),
        cmocka_unit_test (two_signals_end_it_though_nobody_reads),
        cmocka_unit_test (a_closed_output_ends_it_with_74),
        cmocka_unit_test (a_file_that_cannot_be_read_is_66),
        cmocka_unit_test (words_that_contradict_each_other_are_64),
        cmocka_unit_test (a_coordinator_elsewhere_gives_the_same_lines),
        cmocka_unit_test (a_stream_for_an_output_that_is_no_node_says_which),
        cmocka_unit_test (what_a_lost_coordinator_had_is_told),
    };
    return !!cmocka_run_group_tests_name ("cli_lines", tests, command_folder_set_up,
                                          command_folder_tear_down);
}
