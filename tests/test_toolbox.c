/* test_toolbox.c - tasks and the programs that run them, without a coordinator: programs of all
 * kinds of bad manners. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "actors/clock.h"
#include "actors/toolbox.h"
#include "tests/support/process.h"

#define ANSWERS_MAX 700
#define ENOUGH_MS   10000 /* for what has to come on a busy machine */

typedef struct answer_t {
    dw_toolbox_answer_t told; /* but for its bytes */
    char text[10000];
    size_t size;
} answer_t;

typedef struct fixture_t {
    dw_toolbox_t *toolbox;
    const char *commands[2];
    uint64_t ticket; /* of the last task */
    answer_t *answers;
    size_t count;
    char noticed[10000];
    char file[64]; /* that programs write to */
    char command[600];
    uint8_t *large;
    size_t large_size;
} fixture_t;

static int s_set_up (void **state) {
    fixture_t *f = calloc (1, sizeof *f);
    assert_non_null (f);
    *state = f;
    f->answers = calloc (ANSWERS_MAX, sizeof *f->answers);
    assert_non_null (f->answers);
    snprintf (f->file, sizeof f->file, "/tmp/dagwood-test-XXXXXX");
    int fd = mkstemp (f->file);
    assert_true (fd >= 0);
    close (fd);
    return 0;
}

static int s_tear_down (void **state) {
    fixture_t *f = *state;
    dw_toolbox_destroy (&f->toolbox);
    unlink (f->file);
    free (f->answers);
    free (f->large);
    free (f);
    return 0;
}

static void s_note (void *arg, const char *text) {
    fixture_t *f = arg;
    snprintf (f->noticed, sizeof f->noticed, "%s", text);
}

static void s_write_text (dw_writer_t *writer, const char *text) {
    dw_write_str (writer, text, strlen (text));
}

/* A toolbox of one node "one" with this command, and where there is another, "two" with that. */
static void s_open_two (fixture_t *f, dw_framing_t framing, int timeout_ms, const char *one,
                        const char *two) {
    static const char *const names[] = {"first", "second"}, *const ids[] = {"one", "two"};
    dw_writer_t nodes = {0};
    dw_toolbox_t *toolbox = NULL;
    f->commands[0] = one;
    f->commands[1] = two;
    dw_toolbox_options_t options = {.framing = framing,
                                    .names = names,
                                    .commands = f->commands,
                                    .count = two ? 2 : 1,
                                    .timeout_ns = (int64_t) timeout_ms * 1000000,
                                    .max_payload_bytes = 2000000,
                                    .notice = s_note,
                                    .notice_arg = f};
    dw_write_array (&nodes, (uint32_t) options.count);
    for (uint32_t i = 0; i < options.count; i++) {
        dw_write_array (&nodes, 5);
        dw_write_uint (&nodes, i);
        s_write_text (&nodes, ids[i]);
        s_write_text (&nodes, names[i]);
        dw_write_byte (&nodes, 0x80); /* no options */
        dw_write_nil (&nodes);
    }
    assert_int_equal (dw_toolbox_new (&toolbox, &options, nodes.bytes, nodes.count), DW_OK);
    dw_writer_free (&nodes);
    f->toolbox = toolbox;
}

static void s_open (fixture_t *f, int timeout_ms, const char *command) {
    s_open_two (f, DW_FRAMING_NDJSON, timeout_ms, command, NULL);
}

/* A command with %s, which becomes the file's name. */
static const char *s_with_file (fixture_t *f, const char *command) {
    char *to = f->command, *end = f->command + sizeof f->command - 1;
    for (const char *from = command; *from && to < end;)
        if (strncmp (from, "%s", 2) == 0) {
            to += snprintf (to, (size_t) (end - to), "%s", f->file);
            from += 2;
        } else
            *to++ = *from++;
    *to = '\0';
    return f->command;
}

static uint64_t s_push_to (fixture_t *f, uint32_t node, const char *text) {
    dw_writer_t payload = {0};
    s_write_text (&payload, text);
    assert_int_equal (
        dw_toolbox_push (f->toolbox, ++f->ticket, node, 1, payload.bytes, payload.count), DW_OK);
    dw_writer_free (&payload);
    return f->ticket;
}

static uint64_t s_push (fixture_t *f, const char *text) {
    return s_push_to (f, 0, text);
}

static void s_take (fixture_t *f) {
    dw_toolbox_answer_t told;
    while (dw_toolbox_next (f->toolbox, &told)) {
        assert_in_range (f->count, 0, ANSWERS_MAX - 1);
        answer_t *answer = &f->answers[f->count++];
        answer->told = told;
        answer->size = told.size;
        snprintf (answer->text, sizeof answer->text, "%.*s", (int) told.size,
                  (const char *) told.bytes);
        if (told.size > sizeof answer->text) {
            free (f->large);
            f->large = malloc (told.size);
            assert_non_null (f->large);
            memcpy (f->large, told.bytes, f->large_size = told.size);
        }
    }
}

/* Works until there are so many answers in all, or for so long. */
static void s_work (fixture_t *f, size_t count, int64_t for_ms) {
    struct pollfd items[6];
    int64_t end_ms = now_ms () + for_ms;
    assert_in_range (dw_toolbox_watched (f->toolbox), 0, 6);
    for (;;) {
        dw_toolbox_work (f->toolbox, dw_clock_ns ());
        s_take (f);
        if (f->count >= count || now_ms () >= end_ms)
            return;
        int64_t deadline_ns = dw_clock_ns () + 10000000;
        size_t watched = dw_toolbox_watch (f->toolbox, items, &deadline_ns);
        int64_t left_ms = (deadline_ns - dw_clock_ns () + 999999) / 1000000;
        poll (items, watched, left_ms > 0 ? (int) left_ms : 0);
    }
}

/* The next answer is of the next ticket, and this: of a failure its code and a part of what it
 * says. */
static answer_t *s_expect (fixture_t *f, size_t index, dw_toolbox_end_t end, uint32_t code,
                           const char *part) {
    if (f->count <= index)
        s_work (f, index + 1, ENOUGH_MS);
    if (f->count <= index)
        fail_msg ("answer %zu does not come; noticed: %s", index, f->noticed);
    answer_t *answer = &f->answers[index];
    if (answer->told.end != end || answer->told.code != code || !strstr (answer->text, part))
        fail_msg ("answer %zu: %d, %u, %s; not %d, %u, %s", index, (int) answer->told.end,
                  (unsigned) answer->told.code, answer->text, (int) end, (unsigned) code, part);
    assert_int_equal (answer->told.ticket, index + 1);
    return answer;
}

static void s_await_notice (fixture_t *f, const char *part) {
    for (int64_t end_ms = now_ms () + ENOUGH_MS; !f->noticed[0] && now_ms () < end_ms;)
        s_work (f, SIZE_MAX, 20);
    if (!strstr (f->noticed, part))
        fail_msg ("noticed: %s", f->noticed);
}

static size_t s_lines_in_file (const fixture_t *f) {
    size_t count = 0;
    FILE *file = fopen (f->file, "r");
    assert_non_null (file);
    for (int c; (c = getc (file)) != EOF;)
        count += c == '\n';
    fclose (file);
    return count;
}

/* ---- Started again ---------------------------------------------------------------------------- */

static void a_program_that_ends_is_started_again_later_and_later (void **state) {
    fixture_t *f = *state;
    s_open (f, 0, "echo tired >&2; exit 3");
    int64_t begin_ms = now_ms ();
    for (size_t i = 0; i < 4; i++) {
        s_push (f, "x");
        s_expect (f, i, DW_TOOLBOX_FAILED, 500,
                  "the program of node \"one\" ended with status 3; it wrote last:\ntired");
    }
    assert_in_range (now_ms () - begin_ms, 100 + 200 + 400, ENOUGH_MS);
}

static void one_that_has_answered_is_started_again_as_soon_as_the_first_time (void **state) {
    fixture_t *f = *state;
    s_open (f, 0, "read -r line; echo \"$line\"; exit 0");
    int64_t begin_ms = now_ms ();
    for (size_t i = 0; i < 7; i++) {
        f->noticed[0] = '\0';
        s_push (f, "x");
        s_expect (f, i, DW_TOOLBOX_DONE, 0, "x");
        s_await_notice (f, "ended with status 0");
    }
    assert_in_range (now_ms () - begin_ms, 500, 100 + 200 + 400 + 800 + 1600);
}

static void what_a_program_was_given_ahead_is_given_back_when_it_ends (void **state) {
    fixture_t *f = *state;
    s_open (f, 0, "read -r line; echo \"$line\"; read -r line; read -r line; exit 1");
    for (int i = 0; i < 5; i++)
        s_push (f, "x");
    s_expect (f, 0, DW_TOOLBOX_DONE, 0, "x");
    s_expect (f, 1, DW_TOOLBOX_FAILED, 500, "ended with status 1");
    for (size_t i = 2; i < 5; i++)
        s_expect (f, i, DW_TOOLBOX_RETURNED, 0, "");
    assert_false (dw_toolbox_is_busy (f->toolbox));
}

/* ---- What it writes --------------------------------------------------------------------------- */

static void garbage_fails_the_task_that_it_should_answer_and_no_other (void **state) {
    fixture_t *f = *state;
    s_open (f, 0,
            "read -r line; echo \"$line\"; read -r line; echo here it comes >&2; echo '{nonsense'; "
            "sleep 60");
    for (int i = 0; i < 3; i++)
        s_push (f, "x");
    s_expect (f, 0, DW_TOOLBOX_DONE, 0, "x");
    s_expect (f, 1, DW_TOOLBOX_FAILED, 502, "wrote no JSON on a line of its own");
    s_expect (f, 2, DW_TOOLBOX_RETURNED, 0, "");
}

static void bytes_that_are_no_value_fail_their_task (void **state) {
    fixture_t *f = *state;
    s_open_two (f, DW_FRAMING_MSGPACK, 0, "head -c 6 >&2; printf '\\0\\0\\0\\1\\301'; sleep 60",
                NULL);
    s_push (f, "x");
    s_expect (f, 0, DW_TOOLBOX_FAILED, 502, "wrote what is not one msgpack value; it wrote last:");
    dw_toolbox_destroy (&f->toolbox);
    f->ticket = f->count = 0;
    s_open_two (f, DW_FRAMING_MSGPACK, 0, "printf '\\0\\40\\0\\0'; sleep 60", NULL);
    s_push (f, "x");
    s_expect (f, 0, DW_TOOLBOX_FAILED, 413, "wrote a record of more than max_payload_bytes");
}

static void a_record_that_nobody_asked_for_ends_the_program (void **state) {
    fixture_t *f = *state;
    s_open (f, 0, "read -r line; echo \"$line\"; echo '\"more\"'; sleep 60");
    s_push (f, "x");
    s_expect (f, 0, DW_TOOLBOX_DONE, 0, "x");
    s_await_notice (f, "wrote a record that nobody had asked for");
    s_push (f, "y");
    s_expect (f, 1, DW_TOOLBOX_DONE, 0, "y");
}

static void a_large_record_comes_in_pieces (void **state) {
    fixture_t *f = *state;
    size_t size = 1500000;
    char *text = calloc (1, size + 1);
    assert_non_null (text);
    for (size_t i = 0; i < size; i++)
        text[i] = (char) ('a' + i % 23);
    s_open_two (f, DW_FRAMING_TEXT, 0, "cat", NULL);
    s_push (f, text);
    s_push (f, "small");
    s_expect (f, 0, DW_TOOLBOX_DONE, 0, ""); /* its size has a NUL */
    s_expect (f, 1, DW_TOOLBOX_DONE, 0, "small");
    assert_int_equal (f->large_size, size + 5);
    assert_memory_equal (f->large + 5, text, size);
    free (text);
}

static void the_end_of_a_record_may_come_by_itself (void **state) {
    fixture_t *f = *state;
    s_open_two (f, DW_FRAMING_TEXT, 0, "printf abc; sleep 0.3; printf '\\0'; sleep 1000", NULL);
    s_push (f, "x");
    s_expect (f, 0, DW_TOOLBOX_DONE, 0, "abc");
}

/* ---- What it says ----------------------------------------------------------------------------- */

static void one_that_floods_its_standard_error_fails_its_task_with_the_last_of_it (void **state) {
    fixture_t *f = *state;
    s_open (f, 0, "read -r line; yes 'a flood' >&2");
    s_push (f, "x");
    answer_t *answer = s_expect (f, 0, DW_TOOLBOX_FAILED, 500,
                                 "flooded its standard error, with 16 MiB for one task");
    assert_non_null (strstr (answer->text, "a flood\na flood"));
    assert_in_range (answer->size, 4000, 8192);
}

static void what_it_says_is_counted_for_each_task_alone (void **state) {
    fixture_t *f = *state;
    s_open (
        f, 0,
        "while read -r line; do head -c 7000000 /dev/zero >&2; sleep 0.1; echo \"$line\"; done");
    for (size_t i = 0; i < 4; i++) {
        s_push (f, "x");
        s_expect (f, i, DW_TOOLBOX_DONE, 0, "x");
    }
}

/* ---- How long it takes ------------------------------------------------------------------------ */

static void one_that_hangs_is_killed_with_all_that_it_has_started (void **state) {
    fixture_t *f = *state;
    s_open (f, 300,
            s_with_file (f, "echo waiting >&2; sleep 1000 & echo $! > %s; wait; sleep 1000"));
    s_push (f, "x");
    s_expect (f, 0, DW_TOOLBOX_FAILED, 408,
              "took longer than --exec-timeout; it wrote last:\nwaiting");
    FILE *file = fopen (f->file, "r");
    int pid = 0, status = 0;
    pid_t found = 0;
    assert_non_null (file);
    assert_int_equal (fscanf (file, "%d", &pid), 1);
    fclose (file);
    for (int64_t end_ms = now_ms () + ENOUGH_MS; !found && now_ms () < end_ms;)
        found = waitpid (pid, &status, WNOHANG); /* who is left behind is this process's child */
    if (found != pid)
        kill (pid, SIGKILL);
    assert_int_equal (found, pid);
    assert_true (WIFSIGNALED (status));
}

static void a_programs_time_begins_with_its_last_answer (void **state) {
    fixture_t *f = *state;
    s_open (f, 1500, "while read -r line; do sleep 0.6; echo \"$line\"; done");
    for (int i = 0; i < 4; i++)
        s_push (f, "x");
    for (size_t i = 0; i < 4; i++)
        s_expect (f, i, DW_TOOLBOX_DONE, 0, "x");
}

static void what_comes_in_one_piece_has_shared_the_time (void **state) {
    fixture_t *f = *state;
    uint64_t sum_ns = 0;
    s_open (f, 0, s_with_file (f, "head -n 50 > %s; sleep 0.3; cat %s"));
    int64_t begin_ms = now_ms ();
    for (int i = 0; i < 50; i++)
        s_push (f, "x");
    for (size_t i = 0; i < 50; i++)
        sum_ns += s_expect (f, i, DW_TOOLBOX_DONE, 0, "x")->told.duration_ns;
    assert_in_range (sum_ns / 1000000, 250, now_ms () - begin_ms + 1);
}

/* ---- What it is given ------------------------------------------------------------------------- */

static void a_program_is_given_so_many_records_ahead_and_no_more (void **state) {
    fixture_t *f = *state;
    s_open (f, 0, s_with_file (f, "exec tee %s > /dev/null"));
    for (int i = 0; i < 2000; i++)
        s_push (f, "x");
    for (int64_t end_ms = now_ms () + ENOUGH_MS; s_lines_in_file (f) < 512 && now_ms () < end_ms;)
        s_work (f, 1, 20);
    s_work (f, 1, 300);
    assert_int_equal (s_lines_in_file (f), 512);
}

static void an_answer_is_of_the_program_that_gave_it (void **state) {
    fixture_t *f = *state;
    s_open_two (f, DW_FRAMING_NDJSON, 0, "while read -r line; do sleep 0.3; echo \"$line\"; done",
                "while read -r line; do echo \"$line\"; done");
    s_push_to (f, 0, "slow");
    s_push_to (f, 1, "fast");
    s_push_to (f, 0, "slower");
    s_push_to (f, 1, "faster");
    s_expect (f, 0, DW_TOOLBOX_DONE, 0, "slow");
    s_expect (f, 1, DW_TOOLBOX_DONE, 0, "fast");
    s_expect (f, 2, DW_TOOLBOX_DONE, 0, "slower");
    s_expect (f, 3, DW_TOOLBOX_DONE, 0, "faster");
}

static void a_program_has_three_descriptors_and_its_own_nodes_name (void **state) {
    fixture_t *f = *state;
    int leak = open ("/dev/null", O_RDONLY); /* which is not closed when a program is started */
    assert_true (leak >= 0);
    assert_int_equal (setenv ("DAGWOOD_NODE", "outside", 1), 0);
    s_open (f, 0,
            "read -r line; echo \"\\\"$(ls /proc/self/fd | wc -l) $DAGWOOD_NODE "
            "$(env | grep -c ^DAGWOOD_NODE=)\\\"\"");
    unsetenv ("DAGWOOD_NODE");
    s_push (f, "x");
    s_expect (f, 0, DW_TOOLBOX_DONE, 0, "4 one 1"); /* ls has the folder open besides */
    close (leak);
}

/* ---- Cancelled, stopped ----------------------------------------------------------------------- */

static void a_program_is_killed_whose_task_nobody_waits_for (void **state) {
    fixture_t *f = *state;
    s_open (f, 0, s_with_file (f, "read -r line; echo begun > %s; sleep 1000"));
    for (int i = 0; i < 3; i++)
        s_push (f, "x");
    for (int64_t end_ms = now_ms () + ENOUGH_MS; s_lines_in_file (f) == 0 && now_ms () < end_ms;)
        s_work (f, 1, 20);
    dw_toolbox_cancel (f->toolbox, 1);
    for (size_t i = 0; i < 3; i++)
        s_expect (f, i, DW_TOOLBOX_RETURNED, 0, "");
    assert_non_null (
        strstr (f->noticed, "was killed, because nobody waits any more for what it was at"));
}

static void the_record_of_a_later_task_that_was_cancelled_is_passed_over (void **state) {
    fixture_t *f = *state;
    s_open (f, 0, "while read -r line; do sleep 0.3; echo \"$line\"; done");
    s_push (f, "a");
    s_push (f, "b");
    s_push (f, "c");
    s_work (f, 1, 20);
    dw_toolbox_cancel (f->toolbox, 2);
    dw_toolbox_cancel (f->toolbox, 17); /* there is none */
    s_expect (f, 0, DW_TOOLBOX_DONE, 0, "a");
    s_expect (f, 1, DW_TOOLBOX_RETURNED, 0, "");
    s_expect (f, 2, DW_TOOLBOX_DONE, 0, "c");
}

static void what_waits_when_it_stops_is_dropped_and_what_is_begun_is_finished (void **state) {
    fixture_t *f = *state;
    s_open (f, 0, "while read -r line; do sleep 0.3; echo \"$line\"; done");
    s_push (f, "begun");
    s_work (f, 1, 20);
    s_push (f, "waits");
    dw_toolbox_stop (f->toolbox);
    s_push (f, "comes too late");
    assert_true (dw_toolbox_is_busy (f->toolbox));
    s_expect (f, 0, DW_TOOLBOX_DONE, 0, "begun");
    assert_false (dw_toolbox_is_busy (f->toolbox));
    s_work (f, 2, 500);
    assert_int_equal (f->count, 1);
}

static void tasks_that_make_no_sense_are_refused (void **state) {
    fixture_t *f = *state;
    static const uint8_t nil[] = {0xc0};
    s_open (f, 0, "cat");
    s_push (f, "x");
    assert_int_equal (dw_toolbox_push (f->toolbox, 1, 0, 1, nil, 1), DW_EPROTOCOL);
    assert_int_equal (dw_toolbox_push (f->toolbox, 2, 1, 1, nil, 1), DW_EPROTOCOL);
    s_expect (f, 0, DW_TOOLBOX_DONE, 0, "x");
}

/* The name of a test as a word: that one alone. */
int main (int argc, char **argv) {
#define TEST(name) cmocka_unit_test_setup_teardown (name, s_set_up, s_tear_down)
    const struct CMUnitTest tests[] = {
        TEST (a_program_that_ends_is_started_again_later_and_later),
        TEST (one_that_has_answered_is_started_again_as_soon_as_the_first_time),
        TEST (what_a_program_was_given_ahead_is_given_back_when_it_ends),
        TEST (garbage_fails_the_task_that_it_should_answer_and_no_other),
        TEST (bytes_that_are_no_value_fail_their_task),
        TEST (a_record_that_nobody_asked_for_ends_the_program),
        TEST (a_large_record_comes_in_pieces),
        TEST (the_end_of_a_record_may_come_by_itself),
        TEST (one_that_floods_its_standard_error_fails_its_task_with_the_last_of_it),
        TEST (what_it_says_is_counted_for_each_task_alone),
        TEST (one_that_hangs_is_killed_with_all_that_it_has_started),
        TEST (a_programs_time_begins_with_its_last_answer),
        TEST (what_comes_in_one_piece_has_shared_the_time),
        TEST (a_program_is_given_so_many_records_ahead_and_no_more),
        TEST (an_answer_is_of_the_program_that_gave_it),
        TEST (a_program_has_three_descriptors_and_its_own_nodes_name),
        TEST (a_program_is_killed_whose_task_nobody_waits_for),
        TEST (the_record_of_a_later_task_that_was_cancelled_is_passed_over),
        TEST (what_waits_when_it_stops_is_dropped_and_what_is_begun_is_finished),
        TEST (tasks_that_make_no_sense_are_refused),
    };
    if (argc > 1)
        cmocka_set_test_filter (argv[1]);
    signal (SIGPIPE, SIG_IGN);
    prctl (PR_SET_CHILD_SUBREAPER, 1);
    return !!cmocka_run_group_tests_name ("toolbox", tests, NULL, NULL);
}
