/* test_cli_exec.c - `worker --exec NAME=COMMAND' as a user meets it: programs that work, and such
 * that die, hang, talk nonsense, flood, or are not there. */

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/support/command.h"
#include "tests/support/process.h"

#define LOOPBACK "tcp://127.0.0.1:*"

/* One node, run by the program `tool', with more keys. */
#define TOOL(more) "processors:\n  - {id: one, type: remote, processor: tool" more "}\n"

typedef struct fixture_t {
    command_t coordinator, worker;
    char endpoint[COMMAND_ENDPOINT_SIZE], word[512];
} fixture_t;

static int s_set_up (void **state) {
    *state = calloc (1, sizeof (fixture_t));
    return *state ? 0 : -1;
}

static int s_tear_down (void **state) {
    fixture_t *f = *state;
    command_forget (&f->worker);
    command_forget (&f->coordinator);
    free (f);
    return 0;
}

/* ---- Steps ------------------------------------------------------------------------------------ */

static void s_coordinate (fixture_t *f, const char *graph) {
    const char *file = command_file ("exec.yaml", graph);
    command_start (&f->coordinator,
                   (const char *const[]){"coordinator", file, "--listen", LOOPBACK, NULL});
    command_await_output (&f->coordinator, "\n");
    command_take_endpoint (&f->coordinator, f->endpoint);
}

/* A worker of one slot with more words. */
#define MORE_MAX 12
static void s_work (fixture_t *f, const char *const *more) {
    const char *words[MORE_MAX + 6] = {"worker", "--connect", f->endpoint, "--slots", "1"};
    for (size_t i = 0; more[i]; i++)
        words[5 + i] = more[i];
    command_start (&f->worker, words);
    command_await_error (&f->worker, "working for ");
}
#define WORK(...) s_work (f, (const char *const[]){__VA_ARGS__, NULL})

/* Runs of these lines, as results are printed. The caller's, to be freed. */
static command_t s_submit (fixture_t *f, const char *lines, int status) {
    command_t c = {.input = lines};
    COMMAND (&c, "submit", "--connect", f->endpoint, "--lines", "-");
    command_expect (&c, status);
    return c;
}

/* One run whose node fails with this code, and says this. */
static void s_expect_failure (fixture_t *f, const char *line, int code, const char *part) {
    char text[64];
    command_t c = s_submit (f, line, 1);
    snprintf (text, sizeof text, "\"code\":%d,", code);
    command_expect_output (&c, text);
    command_expect_output (&c, part);
    command_free (&c);
}

static void s_expect_payload (fixture_t *f, const char *line, const char *payload) {
    command_t c = s_submit (f, line, 0);
    command_expect_output (&c, payload);
    command_free (&c);
}

/* A program in a file, in the folder of the test, as the word of --exec; until the next one. */
static const char *s_program (fixture_t *f, const char *name, const char *lines) {
    snprintf (f->word, sizeof f->word, "tool=exec sh %s", command_file (name, lines));
    return f->word;
}

static void s_end_worker (fixture_t *f, int status) {
    command_signal (&f->worker, SIGTERM);
    command_end (&f->worker);
    command_expect (&f->worker, status);
    command_free (&f->worker);
}

/* How long something took is never the same. */
static void s_mask (char *json) {
    static const char key[] = "\"duration_us\":";
    char *to = json, *from = json;
    while (*from) {
        bool is_key = strncmp (from, key, strlen (key)) == 0;
        size_t size = is_key ? strlen (key) : 1;
        memmove (to, from, size);
        to += size;
        from += size;
        if (is_key)
            from += strspn (from, "0123456789");
    }
    *to = '\0';
}

/* ---- It works --------------------------------------------------------------------------------- */

static void lines_go_through_programs_in_every_format_and_come_back_as_they_were (void **state) {
    fixture_t *f = *state;
    static const char *const formats[] = {"text", "ndjson", "msgpack"};
    char *lines = calloc (1, 200000);
    assert_non_null (lines);
    for (size_t at = 0, i = 0; i < 3000; i++)
        at += (size_t) snprintf (lines + at, 200000 - at, "line %zu \"ä\" \\ %.*s\n", i,
                                 (int) (i % 40), "........................................");
    const char *graph = command_file ("local.yaml",
                                      "processors:\n"
                                      "  - {id: one, processor: identity}\n"
                                      "  - {id: two, processor: identity, depends_on: [one]}\n");
    command_t local = {.input = lines};
    COMMAND (&local, "run", graph, "--lines", "-");
    command_expect (&local, 0);
    s_mask (local.out);
    s_coordinate (f, "processors:\n"
                     "  - {id: one, type: remote, processor: tool}\n"
                     "  - {id: two, type: remote, processor: tool, depends_on: [one]}\n");
    for (size_t i = 0; i < 3; i++) {
        WORK ("--exec", "tool=cat", "--exec-format", formats[i]);
        command_t c = s_submit (f, lines, 0);
        s_mask (c.out);
        assert_string_equal (c.out, local.out);
        command_free (&c);
        s_end_worker (f, 0);
    }
    free (lines);
    command_free (&local);
}

static void a_program_is_kept_from_task_to_task_and_told_of_its_node (void **state) {
    fixture_t *f = *state;
    s_coordinate (f, TOOL (", options: {top: 3, word: \"a b\"}"));
    WORK ("--exec-format", "ndjson", "--exec",
          s_program (f, "count",
                     "n=0\nwhile read -r line; do n=$((n + 1)); "
                     "echo \"[$n, \\\"$DAGWOOD_NODE $DAGWOOD_PROCESSOR\\\", "
                     "$DAGWOOD_OPTIONS]\"; done\n"));
    s_expect_payload (f, "x", "\"payload\":[1,\"one tool\",{\"top\":3,\"word\":\"a b\"}]");
    s_expect_payload (f, "y", "\"payload\":[2,\"one tool\",{\"top\":3,\"word\":\"a b\"}]");
    s_end_worker (f, 0);
}

static void what_a_format_cannot_hold_fails_alone (void **state) {
    fixture_t *f = *state;
    s_coordinate (f, TOOL (""));
    WORK ("--exec", "tool=cat", "--exec-format", "ndjson");
    command_t c = s_submit (f, "fine\nbad \377\nfine again\n", 1);
    command_expect_output (&c, "\"payload\":\"fine\"");
    command_expect_output (&c, "\"payload\":\"fine again\"");
    command_expect_output (&c,
                           "\"code\":400,\"message\":\"the payload has bytes, which are no JSON");
    command_free (&c);
    s_end_worker (f, 0);
}

static void workers_with_programs_and_tags_share_a_graph (void **state) {
    fixture_t *f = *state;
    s_coordinate (f, "processors:\n"
                     "  - {id: one, workers: {tools: yes}, processor: tool}\n"
                     "  - {id: two, processor: reverse_text, depends_on: [one]}\n");
    command_t other = {0};
    command_start (&other,
                   (const char *const[]){"worker", "--connect", f->endpoint, "--slots", "1", NULL});
    command_await_error (&other, "working for ");
    WORK ("--exec", "tool=sed -u 's/a/b/g'", "--exec-format", "ndjson", "--tag", "tools=yes");
    s_expect_payload (f, "banana", "\"payload\":\"bbnbnb\"");
    s_end_worker (f, 0);
    command_forget (&other);
}

/* ---- It does not ------------------------------------------------------------------------------ */

static void a_program_that_dies_fails_its_task_with_what_it_said_and_is_started_again (
    void **state) {
    fixture_t *f = *state;
    s_coordinate (f, "failure_strategy: continue_on_error\n" TOOL (""));
    WORK ("--exec-format", "ndjson", "--exec",
          s_program (f, "mortal",
                     "while read -r line; do case $line in *die*) echo 'I am \033[1mdone' >&2; "
                     "exit 3;; *crash*) kill -SEGV $$;; esac; echo \"$line\"; done\n"));
    s_expect_failure (
        f, "die", 500,
        "the program of node \\\"one\\\" ended with status 3; it wrote last:\\nI am ?[1mdone");
    s_expect_failure (f, "crash", 500, "was killed by SIGSEGV");
    command_t c = s_submit (f, "good 1\ngood 2\ndie\ngood 3\ngood 4\n", 1);
    for (int i = 1; i <= 4; i++) {
        char text[32];
        snprintf (text, sizeof text, "\"payload\":\"good %d\"", i);
        command_expect_output (&c, text);
    }
    command_free (&c);
    s_end_worker (f, 0);
}

static void a_program_that_talks_nonsense_fails_its_task (void **state) {
    fixture_t *f = *state;
    s_coordinate (f, "executor_options: {max_payload_bytes: 1000}\n" TOOL (""));
    WORK ("--exec", "tool=sed -u s/^.*$/{nonsense/", "--exec-format", "ndjson");
    s_expect_failure (f, "x", 502, "wrote no JSON on a line of its own");
    s_end_worker (f, 0);
    WORK ("--exec", "tool=sed -u s/^.*$/[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]/", "--exec-format",
          "ndjson");
    s_expect_payload (f, "x", "[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]"); /* 16 */
    s_end_worker (f, 0);
    WORK ("--exec", "tool=sed -u s/^.*$/[[[[[[[[[[[[[[[[{}]]]]]]]]]]]]]]]]/", "--exec-format",
          "ndjson");
    s_expect_failure (f, "x", 502, "wrote JSON that is nested too deeply");
    s_end_worker (f, 0);
    WORK ("--exec", "tool=cat /dev/zero", "--exec-format", "text");
    s_expect_payload (f, "x", "\"payload\":\"\""); /* the first of its records is an answer */
    command_await_error (&f->worker, "wrote a record that nobody had asked for");
    s_end_worker (f, 0);
    WORK ("--exec", "tool=tr '\\0' x < /dev/zero", "--exec-format", "text");
    s_expect_failure (f, "x", 413, "wrote a record of more than max_payload_bytes");
    s_end_worker (f, 0);
    WORK ("--exec", "tool=printf '\\377\\377\\377\\377'; sleep 60", "--exec-format", "msgpack");
    s_expect_failure (f, "x", 413, "wrote a record of more than max_payload_bytes");
    s_end_worker (f, 0);
    WORK ("--exec", "tool=printf '\\0\\0\\0\\1\\301'; sleep 60", "--exec-format", "msgpack");
    s_expect_failure (f, "x", 502, "wrote what is not one msgpack value");
    s_end_worker (f, 0);
}

static void a_program_that_hangs_is_killed_by_its_own_time_or_the_nodes (void **state) {
    fixture_t *f = *state;
    s_coordinate (f, TOOL (""));
    WORK ("--exec-timeout", "1.5", "--exec", "tool=echo 'I wait for it' >&2; sleep 1000");
    s_expect_failure (f, "x", 408,
                      "took longer than --exec-timeout; it wrote last:\\nI wait for it");
    s_end_worker (f, 0);
    command_forget (&f->coordinator);
    s_coordinate (f, TOOL (", timeout_seconds: 0.3"));
    WORK ("--exec", "tool=echo 'I wait for ever' >&2; sleep 1000");
    int64_t begin_ms = now_ms ();
    s_expect_failure (f, "x", 408, "the attempt took longer than timeout_seconds");
    command_await_error (&f->worker,
                         "was killed, because nobody waits any more for what it was at; "
                         "it wrote last:\nI wait for ever");
    s_expect_failure (f, "x", 408, "the attempt took longer than timeout_seconds");
    assert_in_range (now_ms () - begin_ms, 600, 10000);
    s_end_worker (f, 0);
}

/* Milliseconds of the processors that a process has taken. */
static long s_worked_ms (pid_t pid) {
    char path[64], line[1024];
    unsigned long user, own;
    snprintf (path, sizeof path, "/proc/%d/stat", (int) pid);
    FILE *file = fopen (path, "r");
    assert_non_null (file);
    assert_non_null (fgets (line, sizeof line, file));
    fclose (file);
    assert_int_equal (sscanf (strrchr (line, ')'),
                              ") %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu", &user, &own),
                      2);
    return (long) (user + own) * 1000 / sysconf (_SC_CLK_TCK);
}

static void a_worker_waits_quietly_for_a_program_that_reads_no_more (void **state) {
    fixture_t *f = *state;
    command_t submit = {0};
    s_coordinate (f, TOOL (""));
    const char *begun = command_path ("reads-no-more");
    char program[600];
    snprintf (program, sizeof program, "head -c 1 > %s; exec <&-; sleep 2; echo '\"an answer\"'\n",
              begun);
    WORK ("--exec-format", "ndjson", "--exec", s_program (f, "deaf", program));
    char *line = malloc (500000); /* more than a pipe holds */
    assert_non_null (line);
    memset (line, 'x', 500000);
    memcpy (line + 499998, "\n", 2);
    const char *file = command_file ("long-line", line);
    START (&submit, "submit", "--connect", f->endpoint, "--lines", file);
    for (int i = 0; i < 2000 && access (begun, F_OK); i++)
        sleep_ms (10);
    sleep_ms (200);
    long worked_ms = s_worked_ms (f->worker.pid);
    sleep_ms (1000);
    assert_in_range (s_worked_ms (f->worker.pid) - worked_ms, 0, 100);
    command_end (&submit);
    command_expect (&submit, 0);
    command_expect_output (&submit, "\"payload\":\"an answer\"");
    command_free (&submit);
    free (line);
    s_end_worker (f, 0);
}

static void a_program_that_floods_its_standard_error_fails_its_task (void **state) {
    fixture_t *f = *state;
    s_coordinate (f, TOOL (""));
    WORK ("--exec", "tool=yes 'a flood' >&2");
    s_expect_failure (f, "x", 500, "flooded its standard error");
    s_expect_failure (f, "x", 500, "a flood\\na flood");
    s_end_worker (f, 0);
}

static void a_program_that_is_not_there_says_so_in_every_task (void **state) {
    fixture_t *f = *state;
    s_coordinate (f, TOOL (""));
    WORK ("--exec", "tool=/no/such/program");
    int64_t begin_ms = now_ms ();
    for (int i = 0; i < 3; i++)
        s_expect_failure (f, "x", 500, "ended with status 127; it wrote last:");
    /* It is tried again later and later: 100 ms, 200 ms ... */
    assert_in_range (now_ms () - begin_ms, 300, 10000);
    s_end_worker (f, 0);
}

static void a_worker_that_drains_finishes_what_its_program_is_at (void **state) {
    fixture_t *f = *state;
    s_coordinate (f, TOOL (""));
    char lines[600];
    const char *begun = command_path ("begun");
    snprintf (lines, sizeof lines,
              "while read -r line; do : > %s; sleep 0.5; echo \"$line\"; done\n", begun);
    WORK ("--exec-format", "ndjson", "--exec", s_program (f, "slow", lines));
    command_t submit = {0};
    command_start (&submit, (const char *const[]){"submit", "--connect", f->endpoint, "--input",
                                                  "slowly", NULL});
    for (int i = 0; i < 2000 && access (begun, F_OK); i++)
        sleep_ms (10);
    s_end_worker (f, 0);
    command_end (&submit);
    command_expect (&submit, 0);
    command_expect_output (&submit, "slowly");
    command_free (&submit);
}

/* A worker is told to end while its program is at a task that takes much longer than its grace, and
 * another comes, with which it would be quick. The file gets a line each time that the program
 * begins. */
static command_t s_leave_behind (fixture_t *f, const char *begun, const char *more) {
    char lines[600];
    command_t submit = {0};
    s_coordinate (f, more);
    snprintf (lines, sizeof lines,
              "while read -r line; do [ -e %s ] || naps=60; echo x >> %s; sleep ${naps:-0}; "
              "echo \"$line\"; done\n",
              begun, begun);
    const char *program = s_program (f, "slow", lines);
    WORK ("--exec-format", "ndjson", "--grace-seconds", "1", "--exec", program);
    START (&submit, "submit", "--connect", f->endpoint, "--input", "slowly");
    for (int i = 0; i < 2000 && access (begun, F_OK); i++)
        sleep_ms (10);
    s_end_worker (f, 0);
    WORK ("--exec-format", "ndjson", "--exec", program);
    return submit;
}

static size_t s_begun_bytes (const char *begun) {
    struct stat info;
    assert_int_equal (stat (begun, &info), 0);
    return (size_t) info.st_size;
}

static void what_may_run_but_once_is_not_run_again_when_its_worker_gives_it_up (void **state) {
    fixture_t *f = *state;
    const char *begun = command_path ("once");
    command_t submit = s_leave_behind (f, begun, TOOL (", idempotent: false"));
    command_end (&submit);
    command_expect (&submit, 1);
    command_expect_output (&submit, "its worker was lost while it may have run");
    assert_int_equal (s_begun_bytes (begun), 2);
    command_free (&submit);
    s_end_worker (f, 0);
}

static void what_a_worker_gives_up_is_done_by_another (void **state) {
    fixture_t *f = *state;
    const char *begun = command_path ("again");
    command_t submit = s_leave_behind (f, begun, TOOL (""));
    command_end (&submit);
    command_expect (&submit, 0);
    command_expect_output (&submit, "slowly");
    assert_int_equal (s_begun_bytes (begun), 4);
    command_free (&submit);
    s_end_worker (f, 0);
}

static void a_worker_that_is_killed_takes_its_programs_along (void **state) {
    fixture_t *f = *state;
    s_coordinate (f, TOOL (""));
    WORK ("--exec-format", "ndjson", "--exec",
          s_program (f, "pid", "while read -r line; do echo $$; done\n"));
    command_t c = s_submit (f, "x", 0);
    const char *at = strstr (c.out, "\"payload\":");
    assert_non_null (at);
    int pid = atoi (at + strlen ("\"payload\":"));
    assert_in_range (pid, 2, 1 << 30);
    assert_int_equal (kill (pid, 0), 0);
    command_free (&c);
    command_signal (&f->worker, SIGKILL);
    command_end (&f->worker);
    for (int i = 0; i < 400 && kill (pid, 0) == 0; i++)
        sleep_ms (10);
    assert_int_equal (kill (pid, 0), -1); /* its standard input has ended */
    command_free (&f->worker);
}

static void a_worker_with_programs_comes_again_to_a_coordinator_that_was_killed (void **state) {
    fixture_t *f = *state;
    const char *file = command_file ("exec.yaml", TOOL ("")), *at = command_path ("hub");
    char listen[200];
    snprintf (listen, sizeof listen, "ipc://%s", at);
    const char *const words[] = {"coordinator", file, "--listen", listen, NULL};
    command_start (&f->coordinator, words);
    command_await_output (&f->coordinator, "\n");
    snprintf (f->endpoint, sizeof f->endpoint, "%s", listen);
    WORK ("--exec", "tool=cat", "--exec-format", "ndjson");
    s_expect_payload (f, "x", "\"payload\":\"x\"");
    command_signal (&f->coordinator, SIGKILL);
    command_end (&f->coordinator);
    command_free (&f->coordinator);
    f->coordinator = (command_t){0};
    command_start (&f->coordinator, words);
    command_await_output (&f->coordinator, "\n");
    command_await_error (&f->worker, "the coordinator is there again");
    s_expect_payload (f, "y", "\"payload\":\"y\"");
    command_signal (&f->coordinator, SIGTERM);
    command_end (&f->worker); /* it is told */
    command_expect (&f->worker, 0);
    command_free (&f->worker);
}

static void slots_with_programs_have_one_name_and_the_next_incarnation_puts_them_out (
    void **state) {
    fixture_t *f = *state;
    s_coordinate (f, TOOL (""));
    command_t other = {0};
    command_start (&other, (const char *const[]){"worker", "--connect", f->endpoint, "--slots", "2",
                                                 "--exec", "tool=cat", "--name", "rank-3", NULL});
    command_await_error (&other, "working for ");
    s_expect_payload (f, "x", "\"payload\":\"x\"");
    WORK ("--exec", "tool=cat", "--name", "rank-3", "--incarnation", "1", "--slots", "2");
    command_await_error (&other, "a later incarnation of this process is here");
    command_end (&other);
    command_expect (&other, 76);
    command_free (&other);
    s_expect_payload (f, "y", "\"payload\":\"y\"");
    s_end_worker (f, 0);
}

/* ---- Words ------------------------------------------------------------------------------------ */

static void what_makes_no_sense_is_a_usage_error (void **state) {
    (void) state;
    static const char *const cases[][4] = {
        {"--exec", "tool", NULL},
        {"--exec", "=cat", NULL},
        {"--exec", "tool=", NULL},
        {"--exec-format", "csv", NULL},
        {"--exec-format", "ndjson", NULL}, /* without --exec */
        {"--exec=a=cat", "--exec=a=tac", NULL},
        {"--exec=a=cat", "--isolation=process", NULL},
        {"--exec=a=cat", "--processors=identity", NULL},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        command_t c = {0};
        COMMAND (&c, "worker", "--connect", "tcp://127.0.0.1:9", cases[i][0], cases[i][1]);
        command_expect (&c, 64);
        command_free (&c);
    }
}

static void a_worker_that_offers_nothing_needed_ends_and_says_what_it_lacks (void **state) {
    fixture_t *f = *state;
    s_coordinate (f, TOOL (""));
    command_t c = {0};
    COMMAND (&c, "worker", "--connect", f->endpoint, "--exec", "other=cat");
    command_expect (&c, 78);
    command_expect_error (&c, "it lacks for node \"one\" the processor \"tool\"");
    command_free (&c);
}

int main (void) {
#define TEST(name) cmocka_unit_test_setup_teardown (name, s_set_up, s_tear_down)
    const struct CMUnitTest tests[] = {
        TEST (lines_go_through_programs_in_every_format_and_come_back_as_they_were),
        TEST (a_program_is_kept_from_task_to_task_and_told_of_its_node),
        TEST (what_a_format_cannot_hold_fails_alone),
        TEST (workers_with_programs_and_tags_share_a_graph),
        TEST (a_program_that_dies_fails_its_task_with_what_it_said_and_is_started_again),
        TEST (a_program_that_talks_nonsense_fails_its_task),
        TEST (a_program_that_hangs_is_killed_by_its_own_time_or_the_nodes),
        TEST (a_worker_waits_quietly_for_a_program_that_reads_no_more),
        TEST (a_program_that_floods_its_standard_error_fails_its_task),
        TEST (a_program_that_is_not_there_says_so_in_every_task),
        TEST (a_worker_that_drains_finishes_what_its_program_is_at),
        TEST (what_may_run_but_once_is_not_run_again_when_its_worker_gives_it_up),
        TEST (what_a_worker_gives_up_is_done_by_another),
        TEST (a_worker_that_is_killed_takes_its_programs_along),
        TEST (slots_with_programs_have_one_name_and_the_next_incarnation_puts_them_out),
        TEST (a_worker_with_programs_comes_again_to_a_coordinator_that_was_killed),
        cmocka_unit_test (what_makes_no_sense_is_a_usage_error),
        TEST (a_worker_that_offers_nothing_needed_ends_and_says_what_it_lacks),
    };
    return !!cmocka_run_group_tests_name ("cli_exec", tests, command_folder_set_up,
                                          command_folder_tear_down);
}
