/* test_cli_record.c - dagwood run and coordinator --record, replay, why: as a user has them, and
 * what they say of recordings that are not whole. */

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/support/command.h"
#include "tests/support/process.h"
#include "tests/support/random.h"

#define HALF_WRONG                                                                \
    "failure_strategy: continue_on_error\n"                                       \
    "processors:\n"                                                               \
    "  - {id: bad, processor: fail, options: {code: 422, message: not signed}}\n" \
    "  - {id: after, processor: identity, depends_on: [bad]}\n"                   \
    "  - {id: upper, processor: change_text_case_upper, input: run}\n"            \
    "  - {id: count, processor: token_counter, depends_on: [upper]}\n"

#define SLOW                                                                                           \
    "executor_options: {max_concurrency: 4}\n"                                                         \
    "failure_strategy: continue_on_error\n"                                                            \
    "processors:\n"                                                                                    \
    "  - {id: late, processor: sleep, options: {ms: 400}, timeout_seconds: 0.05, retry_attempts: 1,\n" \
    "     retry_backoff: {initial_ms: 20, jitter: 0}}\n"                                               \
    "  - {id: nap, processor: sleep, options: {ms: 30}}\n"                                             \
    "  - {id: last, processor: identity, depends_on: [nap]}\n"

#define GROWING                                                                               \
    "failure_strategy: continue_on_error\n"                                                   \
    "executor_options: {added: {depth_max: 5}}\n"                                             \
    "processors:\n"                                                                           \
    "  - {id: each, processor: for_each_line, options: {processor: reverse_text},\n"          \
    "     adds: [pick_lines, concat, reverse_text]}\n"                                        \
    "  - {id: loop, processor: repeat_until, depends_on: [each],\n"                           \
    "     options: {processor: identity, min_bytes: 1000}, adds: [repeat_until, identity]}\n" \
    "  - {id: after, processor: identity, depends_on: [loop]}\n"

/* Names that do something to a terminal, of nodes and of those which one of them adds. */
#define WILD                                                                        \
    "processors:\n"                                                                 \
    "  - {id: \"a\\e[31m\", processor: identity}\n"                                 \
    "  - {id: \"b\\x9b[2J\", processor: for_each_line, depends_on: [\"a\\e[31m\"]," \
    "\n     adds: [pick_lines, concat, identity]}\n"                                \
    "  - {id: c, processor: fail, depends_on: [\"b\\x9b[2J\"],\n"                   \
    "     options: {message: \"no\\e[31m\"}}\n"

static const char *s_actors[] = {"thread", "pool:2"};
#define ACTORS_COUNT 2

/* Records a run of a graph, whatever comes of it, and gives the recording's path. */
static const char *s_record (const char *name, const char *graph, const char *actors,
                             const char *repeat) {
    command_t c = {0};
    const char *file = command_file ("graph.yaml", graph), *path = command_path (name);
    COMMAND (&c, "run", file, "--input", "a b", "--actors", actors, "--repeat", repeat, "--record",
             path, "--progress", "never");
    assert_true (c.status == 0 || c.status == 1);
    assert_string_equal (c.err, "");
    command_free (&c);
    return path;
}

static uint64_t s_size (const char *path) {
    struct stat status;
    assert_int_equal (stat (path, &status), 0);
    return (uint64_t) status.st_size;
}

/* ---- Replay ------------------------------------------------------------------------------- */

static void what_was_recorded_is_replayed_to_the_same_commands (void **state) {
    static const char *const graphs[] = {HALF_WRONG, SLOW, GROWING};
    (void) state;
    for (int i = 0; i < 3 * ACTORS_COUNT; i++) {
        command_t c = {0};
        const char *path = s_record ("whole.rec", graphs[i / ACTORS_COUNT],
                                     s_actors[i % ACTORS_COUNT], "20");
        COMMAND (&c, "replay", path);
        command_expect (&c, 0);
        command_expect_output (&c, "the same commands");
        command_expect_output (&c, "runs: 20 submitted");
        command_expect_output (&c, "< run 1: is submitted");
        command_expect_output (&c, "> run 20: ends partial");
        assert_string_equal (c.err, "");
        command_free (&c);
    }
}

static void what_was_added_is_replayed_and_explained_with_its_node (void **state) {
    (void) state;
    for (int i = 0; i < ACTORS_COUNT; i++) {
        command_t c = {0};
        const char *path = s_record ("growing.rec", GROWING, s_actors[i], "1");
        COMMAND (&c, "replay", path);
        command_expect (&c, 0);
        command_expect_output (&c, "adds a graph each");
        command_expect_output (&c, "each/pick_1");
        command_expect_output (&c, "end the graph of each, which is done");
        command_expect_output (&c, "adds a graph loop/again");
        command_expect_output (&c, "keep the error of loop/again, code 413");
        command_expect_output (&c, "end the graph of loop, which failed");
        COMMAND (&c, "replay", path, "--node", "each");
        command_expect_output (&c, "each/line_1");
        assert_null (strstr (c.out, "loop"));
        COMMAND (&c, "replay", path, "--node", "each/pick_1"); /* as it is printed */
        command_expect (&c, 0);
        command_expect_output (&c, "each/pick_1");
        assert_null (strstr (c.out, "each/concat"));
        assert_null (strstr (c.out, "loop"));
        COMMAND (&c, "replay", path, "--node", "each/pick_9");
        command_expect (&c, 64);
        command_expect_error (&c, "has no node \"pick_9\" in what \"each\" added");
        COMMAND (&c, "replay", path, "--node", "after/pick_1");
        command_expect (&c, 64);
        command_expect_error (&c, "has no node \"after/pick_1\"");
        COMMAND (&c, "why", path, "each/line_0");
        command_expect (&c, 64);
        command_expect_error (&c, "a node of a graph that \"each\" added");
        COMMAND (&c, "why", path, "each");
        command_expect (&c, 0);
        command_expect_output (&c, "added a graph, which ran for");
        COMMAND (&c, "why", path);
        command_expect_output (&c, "running what it added");
        COMMAND (&c, "why", path, "after");
        command_expect_output (&c, "skipped because of loop, which failed");
        command_free (&c);
    }
}

static void many_runs_in_flight_take_few_bytes_each (void **state) {
    (void) state;
    for (int i = 0; i < ACTORS_COUNT; i++) {
        command_t c = {0};
        const char *path = s_record ("many.rec", HALF_WRONG, s_actors[i], "3000");
        COMMAND (&c, "replay", path, "--quiet", "--format", "json");
        command_expect (&c, 0);
        json_t *json = command_json (&c);
        json_int_t events = json_integer_value (json_object_get (json, "events")) +
                            json_integer_value (json_object_get (json, "own_tasks"));
        assert_int_equal (json_integer_value (json_object_get (json, "runs")), 3000);
        assert_true (json_is_true (json_object_get (json, "same")));
        assert_true (s_size (path) < (uint64_t) events * 24);
        json_decref (json);
        command_free (&c);
    }
}

static void only_the_first_records_or_one_node_are_printed (void **state) {
    (void) state;
    command_t c = {0};
    const char *path = s_record ("part.rec", HALF_WRONG, "thread", "1");
    COMMAND (&c, "replay", path, "--until", "1");
    command_expect (&c, 0);
    command_expect_output (&c, "1 records of");
    assert_null (strstr (c.out, "ends partial"));
    COMMAND (&c, "replay", path, "--node", "upper");
    command_expect (&c, 0);
    command_expect_output (&c, "keep the output of upper");
    assert_null (strstr (c.out, "keep the error of bad"));
    assert_non_null (strstr (c.out, "is submitted"));
    COMMAND (&c, "replay", path, "--node", "uper");
    command_expect (&c, 64);
    command_expect_error (&c, "did you mean \"upper\"?");
    command_free (&c);
}

static void each_line_of_json_is_an_object (void **state) {
    (void) state;
    command_t c = {0};
    unsigned lines = 0, sends = 0;
    const char *path = s_record ("json.rec", HALF_WRONG, "thread", "1");
    COMMAND (&c, "replay", path, "--format", "json");
    command_expect (&c, 0);
    for (char *line = strtok (c.out, "\n"); line; line = strtok (NULL, "\n")) {
        json_t *json = json_loads (line, 0, NULL);
        const char *what = json_string_value (json_object_get (json, "what"));
        assert_true (json_is_object (json));
        sends += what && strcmp (what, "send") == 0;
        lines++;
        json_decref (json);
    }
    assert_true (lines > 10);
    assert_int_equal (sends, 3);
    command_free (&c);
}

/* ---- Why ---------------------------------------------------------------------------------- */

static void a_node_says_why (void **state) {
    (void) state;
    for (int i = 0; i < ACTORS_COUNT; i++) {
        command_t c = {0};
        const char *path = s_record ("why.rec", HALF_WRONG, s_actors[i], "2");
        COMMAND (&c, "why", path, "after");
        command_expect (&c, 0);
        command_expect_output (&c, "run 1 of 2: partial");
        command_expect_output (&c, "skipped because of bad, which failed");
        COMMAND (&c, "why", path, "bad", "--run", "2");
        command_expect (&c, 0);
        command_expect_output (&c, "run 2 of 2");
        command_expect_output (&c, "failed with code 422");
        COMMAND (&c, "why", path, "count");
        command_expect (&c, 0);
        command_expect_output (&c, "when upper had been done");
        command_expect_output (&c, "; done\n");
        COMMAND (&c, "why", path, "cuont");
        command_expect (&c, 64);
        command_expect_error (&c, "did you mean \"count\"?");
        COMMAND (&c, "why", path, "--run", "3");
        command_expect (&c, 64);
        command_expect_error (&c, "has no run 3; it has 2");
        command_free (&c);
    }
}

static void a_late_node_says_how_often_and_what_it_was_put_off_for (void **state) {
    (void) state;
    for (int i = 0; i < ACTORS_COUNT; i++) {
        command_t c = {0};
        const char *path = s_record ("late.rec", SLOW, s_actors[i], "1");
        COMMAND (&c, "why", path, "late");
        command_expect (&c, 0);
        command_expect_output (&c, "1. sent at");
        command_expect_output (&c, "2. sent at");
        double ms = 0; /* initial_ms, and what the coordinator was late */
        const char *put_off = strstr (c.out, "put off for ");
        assert_non_null (put_off);
        assert_int_equal (sscanf (put_off, "put off for %lf ms before attempt 2", &ms), 1);
        assert_true (ms >= 20 && ms < 400);
        assert_true (strstr (c.out, "1. sent at") < put_off &&
                     put_off < strstr (c.out, "2. sent at"));
        command_expect_output (&c, "its time was over (408)");
        command_expect_output (&c, "on the critical path: the run ended later because of it");
        COMMAND (&c, "why", path, "last");
        command_expect (&c, 0);
        command_expect_output (&c, "not on the critical path");
        command_free (&c);
    }
}

static void the_parts_of_the_critical_path_add_up_to_the_duration (void **state) {
    (void) state;
    for (int i = 0; i < ACTORS_COUNT; i++) {
        command_t c = {0};
        const char *path = s_record ("parts.rec", SLOW, s_actors[i], "1"), *key;
        json_t *value;
        COMMAND (&c, "why", path, "--format", "json");
        command_expect (&c, 0);
        json_t *json = command_json (&c), *parts = json_object_get (json, "path_parts");
        json_int_t sum = 0, duration = json_integer_value (json_object_get (json, "duration_ns"));
        json_object_foreach (parts, key, value) {
            sum += json_integer_value (value);
        }
        assert_true (sum == duration &&
                     duration > 100000000); /* twice its time, and the wait between */
        assert_true (json_integer_value (json_object_get (parts, "retry_ns")) > 10000000);
        json_decref (json);
        COMMAND (&c, "why", path);
        command_expect (&c, 0);
        command_expect_output (&c, "put off until a retry");
        command_expect_output (&c, "the best possible");
        command_free (&c);
    }
}

/* ---- What is not whole -------------------------------------------------------------------- */

static void a_process_killed_while_it_records_leaves_what_can_be_replayed (void **state) {
    (void) state;
    for (int i = 0; i < ACTORS_COUNT; i++) {
        command_t c = {0}, replay = {0};
        const char *file = command_file ("graph.yaml", HALF_WRONG),
                   *path = command_path ("killed.rec");
        command_start (&c, (const char *const[]){"run", file, "--repeat", "100000000", "--actors",
                                                 s_actors[i], "--record", path, "--progress",
                                                 "never", NULL});
        for (int tries = 0; tries < 1000 && (access (path, R_OK) || s_size (path) < 200000);
             tries++)
            sleep_ms (10);
        command_signal (&c, SIGKILL);
        command_end (&c);
        command_free (&c);
        COMMAND (&replay, "replay", path, "--quiet");
        command_expect (&replay, 0);
        command_expect_output (&replay, "the same commands");
        assert_true (strstr (replay.err, "was not closed") || strstr (replay.err, "torn off"));
        command_free (&replay);
    }
}

static void a_torn_tail_is_told_and_the_rest_replayed (void **state) {
    (void) state;
    command_t c = {0};
    const char *path = s_record ("torn.rec", HALF_WRONG, "pool:2", "5000"); /* of some ms */
    assert_int_equal (truncate (path, (off_t) s_size (path) - 7), 0);
    COMMAND (&c, "replay", path);
    command_expect (&c, 0);
    command_expect_error (&c, "are torn off");
    command_expect_output (&c, "the same commands");
    COMMAND (&c, "why", path);
    command_expect (&c, 0);
    command_expect_error (&c, "are torn off");
    command_free (&c);
}

static void s_flip (const char *path, long offset) {
    FILE *file = fopen (path, "r+b");
    assert_non_null (file);
    fseek (file, offset, SEEK_SET);
    int byte = getc (file);
    fseek (file, offset, SEEK_SET);
    putc (byte ^ 0x10, file);
    assert_int_equal (fclose (file), 0);
}

static void damage_a_foreign_file_and_none_are_refused (void **state) {
    (void) state;
    command_t c = {0};
    const char *path = s_record ("damaged.rec", HALF_WRONG, "pool:2", "50");
    s_flip (path, 100);
    for (int i = 0; i < 2; i++) {
        COMMAND (&c, i ? "why" : "replay", path);
        command_expect (&c, 65);
        command_expect_error (&c, "is damaged at byte 32");
        assert_string_equal (c.out, "");
    }
    COMMAND (&c, "replay", command_file ("foreign.rec", "processors: []\n"));
    command_expect (&c, 65);
    command_expect_error (&c, "is no recording of dagwood");
    COMMAND (&c, "replay", command_path ("nowhere.rec"));
    command_expect (&c, 66);
    COMMAND (&c, "replay", "/");
    command_expect (&c, 66);
    COMMAND (&c, "replay");
    command_expect (&c, 64);
    COMMAND (&c, "why", path, "a", "b");
    command_expect (&c, 64);
    command_free (&c);
}

/* Whatever is changed: exit status 65 with the place, before anything is printed, or a torn tail
 * that is told. */
static void a_changed_byte_is_status_65_or_a_torn_tail (void **state) {
    (void) state;
    random_t random = random_from (random_seed ());
    int damaged = 0, torn = 0;
    const char *paths[] = {s_record ("one.rec", HALF_WRONG, "thread", "2"),
                           s_record ("two.rec", HALF_WRONG, "pool:2", "2"),
                           s_record ("many.rec", HALF_WRONG, "thread", "300")};
    for (int i = 0; i < 60; i++) {
        command_t c = {0};
        const char *path = paths[i % 3];
        long size = (long) s_size (path);
        long at = i % 4 ? (long) random_below (&random, (uint32_t) size) : size - 1 - i % 9;
        s_flip (path, at);
        COMMAND (&c, i % 2 ? "why" : "replay", path);
        s_flip (path, at); /* back again */
        if (c.status == 65) {
            damaged++;
            assert_string_equal (c.out, "");
            assert_true (strstr (c.err, "at byte ") || strstr (c.err, "(byte ") ||
                         strstr (c.err, "is no recording of dagwood"));
        } else {
            torn++;
            command_expect_error (&c, "are torn off");
            if (i % 2 == 0) { /* of which why may say that there is no run */
                command_expect (&c, 0);
                command_expect_output (&c, "the same commands");
            }
        }
        command_free (&c);
    }
    assert_true (damaged > 10 && torn > 10);
}

/* ---- Where it is written ------------------------------------------------------------------ */

static void a_file_that_is_no_recording_is_left_as_it_is (void **state) {
    (void) state;
    command_t c = {0};
    const char *file = command_file ("graph.yaml", HALF_WRONG);
    COMMAND (&c, "run", file, "--record", file);
    command_expect (&c, 74);
    command_expect_error (&c, "that is no recording, and it is left as it is");
    assert_int_equal (s_size (file), strlen (HALF_WRONG));
    const char *path = s_record ("twice.rec", HALF_WRONG, "thread", "200");
    uint64_t before = s_size (path);
    s_record ("twice.rec", HALF_WRONG, "thread", "1"); /* a recording is overwritten */
    assert_true (s_size (path) < before);
    COMMAND (&c, "run", file, "--record", "/nowhere/x.rec");
    command_expect (&c, 74);
    COMMAND (&c, "run", file, "--record-bytes-max", "10000");
    command_expect (&c, 64);
    command_free (&c);
}

/* A file may have 20,000 bytes, as on a disk that is then full. */
static void s_little_room (void) {
    struct rlimit limit = {.rlim_cur = 20000, .rlim_max = 20000};
    signal (SIGXFSZ, SIG_IGN);
    setrlimit (RLIMIT_FSIZE, &limit);
}

static void a_full_disk_is_told_and_the_run_goes_on (void **state) {
    (void) state;
    command_t c = {.prepare = s_little_room}, replay = {0};
    const char *file = command_file ("graph.yaml", HALF_WRONG), *path = command_path ("disk.rec");
    COMMAND (&c, "run", file, "--repeat", "20000", "--record", path, "--progress", "never");
    command_expect (&c, 1);
    command_expect_error (&c, "the recording cannot be written (File too large); what was recorded "
                              "until now stays, and the runs go on");
    command_expect_output (&c, "20000 runs");
    COMMAND (&replay, "replay", path, "--quiet");
    command_expect (&replay, 0);
    command_expect_output (&replay, "the same commands");
    command_free (&replay);
    c.prepare = NULL;
    COMMAND (&c, "run", file, "--record", "/dev/full"); /* not even a beginning */
    command_expect (&c, 74);
    command_expect_error (&c, "No space left on device");
    assert_null (strstr (c.err, "the runs go on")); /* for there are none */
    command_free (&c);
}

static void a_recording_that_is_full_is_told_and_replayed_up_to_there (void **state) {
    (void) state;
    command_t c = {0};
    const char *file = command_file ("graph.yaml", HALF_WRONG), *path = command_path ("full.rec");
    COMMAND (&c, "run", file, "--repeat", "20000", "--record", path, "--record-bytes-max", "20000",
             "--progress", "never");
    command_expect (&c, 1);
    command_expect_error (&c, "may not become larger than 20000");
    command_expect_output (&c, "20000 runs");
    assert_true (s_size (path) <= 20000);
    COMMAND (&c, "replay", path);
    command_expect (&c, 0);
    command_expect_output (&c, "the recording ends here: it was as large as it was to become");
    assert_string_equal (c.err, "");
    command_free (&c);
}

static void a_recording_is_the_owners_alone (void **state) {
    (void) state;
    struct stat status;
    const char *path = s_record ("mode.rec", HALF_WRONG, "thread", "1");
    assert_int_equal (stat (path, &status), 0);
    assert_int_equal (status.st_mode & 077, 0);
}

static void a_coordinator_records_which_host_ran_what (void **state) {
    (void) state;
    command_t coordinator = {0}, worker = {0}, c = {0};
    const char *file = command_file ("graph.yaml", HALF_WRONG), *path = command_path ("net.rec");
    char endpoint[256];
    snprintf (endpoint, sizeof endpoint, "ipc://%s", command_path ("net.sock"));
    command_start (&coordinator, (const char *const[]){"coordinator", file, "--listen", endpoint,
                                                       "--record", path, NULL});
    command_await_output (&coordinator, "ipc://");
    command_start (&worker,
                   (const char *const[]){"worker", "--connect", endpoint, "--slots", "2", NULL});
    COMMAND (&c, "submit", "--connect", endpoint, "--input", "a b");
    command_expect (&c, 1);
    command_signal (&coordinator, SIGTERM);
    command_end (&coordinator);
    command_signal (&worker, SIGTERM);
    command_end (&worker);
    COMMAND (&c, "replay", path);
    command_expect (&c, 0);
    command_expect_output (&c, ", process ");
    command_expect_output (&c, "ends partial");
    COMMAND (&c, "why", path, "upper");
    command_expect (&c, 0);
    command_expect_output (&c, ", process ");
    command_free (&coordinator);
    command_free (&worker);
    command_free (&c);
}

/* ---- Names of others ---------------------------------------------------------------------- */

static void no_name_of_a_recording_reaches_the_terminal_as_it_is (void **state) {
    (void) state;
    const char *path = s_record ("wild.rec", WILD, "pool:2", "2");
    const char *const commands[][5] = {
        {"replay", path},
        {"replay", path, "--node", "a\033[31m"},
        {"replay", path, "--node", "a\033[31"}, /* did you mean the first? */
        {"replay", path, "--node", "b\xc2\x9b[2J/none"},
        {"why", path},
        {"why", path, "a\033[31m"},
        {"why", path, "b\xc2\x9b[2J"},
        {"why", path, "b\xc2\x9b[2J/none"},
        {"why", path, "c"},
        {"why", path, "a\033[31"},
    };
    for (size_t i = 0; i < sizeof commands / sizeof *commands; i++) {
        command_t c = {0};
        command_run (&c, commands[i]);
        assert_true (c.status == 0 || c.status == 64);
        command_expect_tame (&c);
        command_free (&c);
    }
}

int main (void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test (what_was_recorded_is_replayed_to_the_same_commands),
        cmocka_unit_test (what_was_added_is_replayed_and_explained_with_its_node),
        cmocka_unit_test (many_runs_in_flight_take_few_bytes_each),
        cmocka_unit_test (only_the_first_records_or_one_node_are_printed),
        cmocka_unit_test (each_line_of_json_is_an_object),
        cmocka_unit_test (a_node_says_why),
        cmocka_unit_test (a_late_node_says_how_often_and_what_it_was_put_off_for),
        cmocka_unit_test (the_parts_of_the_critical_path_add_up_to_the_duration),
        cmocka_unit_test (a_process_killed_while_it_records_leaves_what_can_be_replayed),
        cmocka_unit_test (a_torn_tail_is_told_and_the_rest_replayed),
        cmocka_unit_test (damage_a_foreign_file_and_none_are_refused),
        cmocka_unit_test (a_changed_byte_is_status_65_or_a_torn_tail),
        cmocka_unit_test (a_file_that_is_no_recording_is_left_as_it_is),
        cmocka_unit_test (a_full_disk_is_told_and_the_run_goes_on),
        cmocka_unit_test (a_recording_that_is_full_is_told_and_replayed_up_to_there),
        cmocka_unit_test (a_recording_is_the_owners_alone),
        cmocka_unit_test (a_coordinator_records_which_host_ran_what),
        cmocka_unit_test (no_name_of_a_recording_reaches_the_terminal_as_it_is),
    };
    return !!cmocka_run_group_tests_name ("record, replay, why", tests, command_folder_set_up,
                                          command_folder_tear_down);
}
