/* test_cli_run.c - dagwood run: what is printed, and what each option does. */

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/support/command.h"

/* One branch fails, one does not. */
#define HALF_WRONG                                                                \
    "processors:\n"                                                               \
    "  - {id: bad, processor: fail, options: {code: 422, message: not signed}}\n" \
    "  - {id: after, processor: identity, depends_on: [bad]}\n"                   \
    "  - {id: last, processor: identity, depends_on: [after]}\n"                  \
    "  - {id: upper, processor: change_text_case_upper}\n"                        \
    "  - {id: count, processor: token_counter, depends_on: [upper]}\n"

#define UPPER_REVERSED                                                  \
    "processors:\n"                                                     \
    "  - {id: upper, processor: change_text_case_upper}\n"              \
    "  - {id: reverse, processor: reverse_text, depends_on: [upper]}\n" \
    "  - {id: count, processor: token_counter, depends_on: [upper]}\n"

static json_t *s_entry (const json_t *json, const char *node) {
    json_t *entry = json_object_get (json_object_get (json, "results"), node);
    assert_non_null (entry);
    return entry;
}

static const char *s_text (const json_t *object, const char *key) {
    const char *text = json_string_value (json_object_get (object, key));
    assert_non_null (text);
    return text;
}

static const char *s_payload (const json_t *json, const char *node) {
    return s_text (s_entry (json, node), "payload");
}

static const char *s_status (const json_t *json, const char *node) {
    return s_text (s_entry (json, node), "status");
}

/* An object's keys in the order they were printed, each followed by a blank. */
static const char *s_keys (json_t *object, char keys[256]) {
    const char *key;
    json_t *value;
    keys[0] = '\0';
    json_object_foreach (object, key, value) {
        size_t used = strlen (keys);
        snprintf (keys + used, 256 - used, "%s ", key);
    }
    return keys;
}

/* ---- JSON --------------------------------------------------------------------------------- */

static void json_has_the_promised_shape_in_the_order_of_ranks (void **state) {
    (void) state;
    const char *file = command_file ("shape.yaml", UPPER_REVERSED);
    command_t c = {0};
    char keys[256];
    COMMAND (&c, "run", file, "--input", "abc d", "--format", "json");
    command_expect (&c, 0);
    json_t *json = command_json (&c);
    assert_string_equal (s_keys (json, keys), "run status duration_us outputs failures results ");
    assert_int_equal (json_integer_value (json_object_get (json, "run")), 1);
    assert_string_equal (s_text (json, "status"), "ok");
    assert_true (json_is_integer (json_object_get (json, "duration_us")));
    assert_int_equal (json_array_size (json_object_get (json, "failures")), 0);
    json_t *results = json_object_get (json, "results");
    assert_string_equal (s_keys (results, keys), "upper reverse count ");
    json_t *entry = s_entry (json, "reverse");
    assert_string_equal (s_keys (entry, keys), "status payload attempts duration_us metadata ");
    assert_string_equal (s_payload (json, "upper"), "ABC D");
    assert_string_equal (s_payload (json, "reverse"), "D CBA");
    assert_int_equal (json_integer_value (json_object_get (entry, "attempts")), 1);
    json_t *metadata = json_object_get (s_entry (json, "count"), "metadata");
    assert_string_equal (s_text (metadata, "char_count"), "5");
    assert_string_equal (s_text (metadata, "word_count"), "2");
    assert_string_equal (s_payload (json, "count"), "");
    json_t *outputs = json_object_get (json, "outputs");
    assert_int_equal (json_array_size (outputs), 2);
    assert_string_equal (json_string_value (json_array_get (outputs, 0)), "reverse");
    assert_string_equal (json_string_value (json_array_get (outputs, 1)), "count");
    json_decref (json);
    assert_ptr_equal (strchr (c.out, '\n'), c.out + c.out_size - 1); /* one line */
    assert_string_equal (c.err, "");
    command_free (&c);
}

static void a_partial_run_is_status_1_and_says_because_of_whom (void **state) {
    (void) state;
    const char *file = command_file ("half.yaml", HALF_WRONG);
    command_t c = {0};
    char keys[256];
    COMMAND (&c, "run", file, "--failure-strategy", "continue_on_error", "--format", "json");
    command_expect (&c, 1);
    json_t *json = command_json (&c);
    assert_string_equal (s_text (json, "status"), "partial");
    json_t *failures = json_object_get (json, "failures");
    assert_int_equal (json_array_size (failures), 1);
    json_t *failure = json_array_get (failures, 0);
    assert_string_equal (s_keys (failure, keys), "node code message ");
    assert_string_equal (s_text (failure, "node"), "bad");
    assert_int_equal (json_integer_value (json_object_get (failure, "code")), 422);
    assert_string_equal (s_text (failure, "message"), "not signed");
    assert_string_equal (s_keys (s_entry (json, "bad"), keys),
                         "status payload attempts duration_us metadata error ");
    assert_true (json_is_null (json_object_get (s_entry (json, "bad"), "payload")));
    json_t *last = s_entry (json, "last");
    assert_string_equal (s_keys (last, keys),
                         "status payload attempts duration_us metadata because_of ");
    assert_string_equal (s_text (last, "status"), "skipped");
    assert_int_equal (json_integer_value (json_object_get (last, "attempts")), 0);
    json_t *because_of = json_object_get (last, "because_of");
    assert_int_equal (json_array_size (because_of), 1);
    assert_string_equal (json_string_value (json_array_get (because_of, 0)), "bad");
    assert_string_equal (s_status (json, "count"), "done");
    json_decref (json);
    command_free (&c);
}

static void fail_fast_is_status_failed (void **state) {
    (void) state;
    const char *file = command_file ("fast.yaml", HALF_WRONG);
    command_t c = {0};
    COMMAND (&c, "run", file, "--format", "json");
    command_expect (&c, 1);
    json_t *json = command_json (&c);
    assert_string_equal (s_text (json, "status"), "failed");
    assert_string_equal (s_status (json, "bad"), "failed");
    assert_string_equal (s_status (json, "last"), "skipped");
    json_decref (json);
    command_free (&c);
}

static void a_run_that_is_not_over_at_its_deadline_has_failed (void **state) {
    (void) state;
    command_t c = {0};
    const char *graph = command_file ("long.yaml",
                                      "failure_strategy: best_effort\n"
                                      "processors:\n"
                                      "  - {id: nap, processor: sleep, options: {ms: 60000}}\n"
                                      "  - {id: after, processor: identity, depends_on: [nap]}\n");
    COMMAND (&c, "run", graph, "--deadline", "0.1", "--format", "json");
    command_expect (&c, 1);
    json_t *json = command_json (&c);
    assert_string_equal (s_text (json, "status"), "failed");
    assert_string_equal (s_status (json, "nap"), "failed");
    assert_string_equal (s_status (json, "after"), "skipped");
    assert_non_null (strstr (s_text (json_object_get (s_entry (json, "nap"), "error"), "message"),
                             "deadline_ms (100 ms)"));
    json_decref (json);
    command_free (&c);
    COMMAND (&c, "run", graph, "--deadline", "0");
    command_expect (&c, 64);
    command_expect_error (&c, "--deadline must be a number of seconds");
    command_free (&c);
}

static void best_effort_passes_over_what_failed (void **state) {
    (void) state;
    const char *file = command_file ("best.yaml", HALF_WRONG);
    command_t c = {0};
    COMMAND (&c, "run", file, "--input", "abc", "--failure-strategy", "best_effort", "--format",
             "json");
    command_expect (&c, 1);
    json_t *json = command_json (&c);
    assert_string_equal (s_text (json, "status"), "partial");
    assert_string_equal (s_payload (json, "last"), "abc");
    json_decref (json);
    command_free (&c);
}

static void a_graph_of_zero_nodes_has_an_empty_result (void **state) {
    (void) state;
    const char *file = command_file ("zero.yaml", "processors: []\n");
    command_t c = {0};
    COMMAND (&c, "run", file, "--format", "json");
    command_expect (&c, 0);
    json_t *json = command_json (&c);
    assert_string_equal (s_text (json, "status"), "ok");
    assert_int_equal (json_object_size (json_object_get (json, "results")), 0);
    assert_int_equal (json_array_size (json_object_get (json, "outputs")), 0);
    json_decref (json);
    command_free (&c);
    COMMAND (&c, "run", file);
    command_expect (&c, 0);
    command_expect_output (&c, "run 1: ok in ");
    command_free (&c);
}

static void strange_ids_are_ids_like_any_other (void **state) {
    (void) state;
    const char *file = command_file (
        "strange.yaml", "processors:\n"
                        "  - {id: \"a b\", processor: identity}\n"
                        "  - {id: \"say \\\"hi\\\" \\\\\", processor: identity,\n"
                        "     depends_on: [\"a b\"]}\n"
                        "  - {id: \"two\\nlines\", processor: identity, depends_on: [\"a b\"]}\n"
                        "  - {id: \"\xe4\xb8\xad\xe6\x96\x87\", processor: identity,\n"
                        "     depends_on: [\"two\\nlines\"]}\n"
                        "  - {id: on, processor: identity}\n"
                        "  - {id: 5, processor: identity, depends_on: [on]}\n");
    command_t c = {0};
    COMMAND (&c, "run", file, "--input", "x", "--format", "json");
    command_expect (&c, 0);
    json_t *json = command_json (&c);
    const char *const ids[] = {
        "a b", "say \"hi\" \\", "two\nlines", "\xe4\xb8\xad\xe6\x96\x87", "on", "5"};
    assert_int_equal (json_object_size (json_object_get (json, "results")), 6);
    for (size_t i = 0; i < 6; i++)
        assert_string_equal (s_payload (json, ids[i]), "x");
    json_decref (json);
    command_free (&c);
    COMMAND (&c, "run", file, "--input", "x", "--output", "two\nlines");
    command_expect (&c, 0);
    command_expect_output (&c, "\ntwo?lines "); /* a table has one line a node */
    command_free (&c);
}

/* ---- Inputs ------------------------------------------------------------------------------- */

/* The payload of `same` (identity) in a JSON run with these further words. */
static void s_expect_same (const char *expected, const char *input, const char *word1,
                           const char *word2) {
    static const char *file;
    file = file ? file
                : command_file ("same.yaml", "processors:\n"
                                             "  - {id: same, processor: identity}\n");
    command_t c = {.input = input};
    COMMAND (&c, "run", file, "--format", "json", word1, word2);
    command_expect (&c, 0);
    json_t *json = command_json (&c);
    assert_string_equal (s_payload (json, "same"), expected);
    json_decref (json);
    command_free (&c);
}

static void the_input_is_a_text_a_file_standard_input_or_empty (void **state) {
    (void) state;
    s_expect_same ("given", NULL, "--input", "given");
    s_expect_same ("from a file\n", NULL, "--input-file",
                   command_file ("input.txt", "from a file\n"));
    s_expect_same ("from a stream", "from a stream", "-", NULL);
    s_expect_same ("", NULL, "-", NULL);
    s_expect_same ("", "not asked for", NULL, NULL);
    s_expect_same ("", NULL, "--input-file", "/dev/null");
}

static void input_that_is_not_utf8_is_a_bin (void **state) {
    (void) state;
    const char *file = command_file ("bin.yaml",
                                     "processors:\n"
                                     "  - {id: same, processor: identity}\n"
                                     "  - {id: upper, processor: change_text_case_upper}\n");
    const char *bytes = command_file_of ("bytes", "a\xff\0z", 4);
    command_t c = {0};
    COMMAND (&c, "run", file, "--input-file", bytes, "--format", "json", "--failure-strategy",
             "continue_on_error");
    command_expect (&c, 1);
    json_t *json = command_json (&c);
    assert_string_equal (s_text (s_entry (json, "same"), "payload_base64"), "Yf8Aeg==");
    assert_null (json_object_get (s_entry (json, "same"), "payload"));
    json_t *error = json_object_get (s_entry (json, "upper"), "error");
    assert_int_equal (json_integer_value (json_object_get (error, "code")), 400);
    json_decref (json);
    command_free (&c);
    COMMAND (&c, "run", file, "--input-file", bytes, "--output", "same");
    command_expect (&c, 0);
    command_expect_output (&c, "Yf8Aeg==");
    command_free (&c);
}

static void an_input_file_that_cannot_be_read_is_status_66 (void **state) {
    (void) state;
    command_t c = {0};
    COMMAND (&c, "run", "examples/pool.yaml", "--input-file", "/nonexistent");
    command_expect (&c, 66);
    command_expect_error (&c, "/nonexistent cannot be read: No such file or directory");
    command_free (&c);
    COMMAND (&c, "run", "examples/pool.yaml", "--input-file", "/tmp");
    command_expect (&c, 66);
    command_expect_error (&c, "/tmp cannot be read: Is a directory");
    command_free (&c);
}

/* ---- Options ------------------------------------------------------------------------------ */

static void output_keeps_only_what_was_asked_for (void **state) {
    (void) state;
    const char *file = command_file ("output.yaml", UPPER_REVERSED);
    command_t c = {0};
    COMMAND (&c, "run", file, "--input", "ab", "--output", "upper", "--format", "json");
    command_expect (&c, 0);
    json_t *json = command_json (&c);
    assert_int_equal (json_array_size (json_object_get (json, "outputs")), 1);
    assert_string_equal (s_payload (json, "upper"), "AB");
    assert_string_equal (s_status (json, "reverse"), "not_requested");
    assert_string_equal (s_status (json, "count"), "not_requested");
    json_decref (json);
    command_free (&c);
    COMMAND (&c, "run", file, "--input", "ab", "--output", "reverse", "--output", "count",
             "--format", "json");
    json = command_json (&c);
    assert_int_equal (json_array_size (json_object_get (json, "outputs")), 2);
    assert_string_equal (s_payload (json, "reverse"), "BA");
    assert_true (json_is_null (json_object_get (s_entry (json, "upper"), "payload")));
    json_decref (json);
    command_free (&c);
}

static void an_output_that_is_asked_for_twice_is_given_once (void **state) {
    (void) state;
    const char *file = command_file ("twice.yaml", UPPER_REVERSED);
    command_t c = {0};
    COMMAND (&c, "run", file, "--input", "ab", "--output", "upper", "--output", "count", "--output",
             "upper", "--format", "json");
    command_expect (&c, 0);
    json_t *json = command_json (&c), *outputs = json_object_get (json, "outputs");
    assert_int_equal (json_array_size (outputs), 2);
    assert_string_equal (json_string_value (json_array_get (outputs, 0)), "upper");
    assert_string_equal (json_string_value (json_array_get (outputs, 1)), "count");
    json_decref (json);
    command_free (&c);
}

static void an_unknown_output_is_refused_with_the_nearest_node (void **state) {
    (void) state;
    const char *file = command_file ("nearest.yaml", UPPER_REVERSED);
    command_t c = {0};
    COMMAND (&c, "run", file, "--output", "revrese");
    command_expect (&c, 64);
    command_expect_error (&c, "has no node \"revrese\"; did you mean \"reverse\"?");
    assert_string_equal (c.out, "");
    command_free (&c);
    COMMAND (&c, "run", file, "--output", "something else");
    command_expect (&c, 64);
    command_expect_error (&c, "has no node \"something else\"\n");
    command_free (&c);
}

static void every_strategy_and_placement_gives_the_same_result (void **state) {
    (void) state;
    const char *const strategies[] = {"work_queue", "level", "reactive", "hybrid"};
    const char *const actors[] = {"auto", "thread", "pool", "pool:1", "pool:3"};
    const char *const concurrencies[] = {"1", "4"};
    const char *licence = "/usr/share/common-licenses/GPL-3";
    char *first = NULL;
    for (size_t i = 0; i < 4 * 5 * 2; i++) {
        command_t c = {0};
        COMMAND (&c, "run", "examples/text_pipeline.yaml", "--input-file", licence, "--strategy",
                 strategies[i % 4], "--actors", actors[i / 4 % 5], "--max-concurrency",
                 concurrencies[i / 20], "--format", "json");
        command_expect (&c, 0);
        json_t *json = command_json (&c);
        json_object_del (json, "duration_us");
        const char *id;
        json_t *entry;
        json_object_foreach (json_object_get (json, "results"), id, entry) {
            json_object_del (entry, "duration_us");
        }
        char *all = json_dumps (json, 0);
        if (first) {
            assert_string_equal (all, first);
            free (all);
        } else {
            first = all;
        }
        json_decref (json);
        command_free (&c);
    }
    free (first);
}

static void repeat_tells_how_all_runs_ended (void **state) {
    (void) state;
    command_t c = {0};
    char keys[256];
    COMMAND (&c, "run", "examples/pool.yaml", "--input", "ab", "--repeat", "3000", "--format",
             "json");
    command_expect (&c, 0);
    json_t *json = command_json (&c);
    assert_int_equal (json_integer_value (json_object_get (json, "run")), 3000);
    json_t *repeat = json_object_get (json, "repeat");
    assert_string_equal (s_keys (repeat, keys), "runs ok partial failed cancelled duration_us ");
    assert_int_equal (json_integer_value (json_object_get (repeat, "runs")), 3000);
    assert_int_equal (json_integer_value (json_object_get (repeat, "ok")), 3000);
    json_decref (json);
    assert_string_equal (c.err, ""); /* no bar: this is no terminal */
    command_free (&c);
    COMMAND (&c, "run", "examples/failures.yaml", "--repeat", "20");
    command_expect (&c, 1);
    command_expect_output (&c, "\n20 runs in ");
    command_expect_output (&c, ", 20 partial\n");
    command_free (&c);
}

static void the_bar_can_be_asked_for (void **state) {
    (void) state;
    command_t c = {0};
    COMMAND (&c, "run", "examples/pool.yaml", "--repeat", "50", "--progress", "always");
    command_expect (&c, 0);
    command_expect_error (&c, "[==============================] 100%  50 of 50 runs");
    command_free (&c);
    COMMAND (&c, "run", "examples/pool.yaml", "--repeat", "50", "--progress", "never");
    assert_string_equal (c.err, "");
    command_free (&c);
}

/* ---- Text --------------------------------------------------------------------------------- */

static void text_shows_outputs_whole_then_every_node_then_a_summary (void **state) {
    (void) state;
    const char *file = command_file ("text.yaml", UPPER_REVERSED);
    char input[202];
    memset (input, 'a', sizeof input);
    memcpy (input + 90, "middle", 6);
    input[200] = 'z';
    input[201] = '\0';
    command_t c = {0};
    COMMAND (&c, "run", file, "--input", input);
    command_expect (&c, 0);
    char *heading = strstr (c.out, "== reverse (201 bytes)\nZAAAAA");
    char *table = strstr (c.out, "NODE ");
    assert_non_null (heading);
    assert_non_null (table);
    assert_true (heading < table);
    char *whole = strstr (heading, "ELDDIM");
    assert_true (whole && whole < table);
    assert_null (strstr (table, "MIDDLE")); /* shortened in the middle */
    command_expect_output (&c, " ... ");
    command_expect_output (&c, "char_count: 201");
    assert_null (strstr (c.out, "== count")); /* its output is empty */
    command_expect_output (&c, "run 1: ok in ");
    assert_non_null (strstr (c.out, "; 3 nodes, 3 done\n"));
    command_free (&c);
}

static void text_shows_failures_with_their_reasons_and_attempts (void **state) {
    (void) state;
    command_t c = {0};
    COMMAND (&c, "run", "examples/retries.yaml", "--input", "try again");
    command_expect (&c, 1);
    command_expect_output (&c, "3 attempts");
    command_expect_output (&c, "First causes:\n");
    command_expect_output (&c, "  slow failed after 2 attempts with 408: ");
    command_expect_output (&c, "  broken failed after 4 attempts with 500: never works\n");
    command_expect_output (&c, "== last (9 bytes)\nTry Again\n");
    command_expect_output (&c, "run 1: partial in ");
    command_free (&c);
    COMMAND (&c, "run", "examples/failures.yaml");
    command_expect (&c, 1);
    command_expect_output (&c, "because of check");
    command_expect_output (&c, "422: the document is not signed\n");
    command_free (&c);
}

/* What stands under TIME in the line of a node. */
static const char *s_time_of (const command_t *c, const char *line, char text[32]) {
    char status[32];
    const char *at = strstr (c->out, line);
    int is_there = at && sscanf (at + strlen (line), "%31s %31s", status, text) == 2;
    if (!is_there)
        fail_msg ("no line of %s in:\n%s", line, c->out);
    return text;
}

static void text_shows_no_time_of_what_did_not_come_to_its_end (void **state) {
    (void) state;
    const char *file = command_file ("times.yaml",
                                     "failure_strategy: fail_fast\n"
                                     "executor_options: {actors: thread, max_concurrency: 4}\n"
                                     "processors:\n"
                                     "  - {id: quick, processor: identity}\n"
                                     "  - {id: slow, processor: sleep, options: {ms: 20000}}\n"
                                     "  - {id: late, processor: sleep, options: {ms: 20000},\n"
                                     "     timeout_seconds: 0.1}\n"
                                     "  - {id: last, processor: identity, depends_on: [late]}\n");
    command_t c = {0};
    char text[32];
    COMMAND (&c, "run", file, "--input", "x");
    command_expect (&c, 1);
    assert_string_not_equal (s_time_of (&c, "\nquick ", text), "-");
    assert_string_equal (s_time_of (&c, "\nslow ", text), "-"); /* cancelled */
    assert_string_equal (s_time_of (&c, "\nlate ", text), "-"); /* failed: it timed out */
    assert_string_equal (s_time_of (&c, "\nlast ", text), "-"); /* skipped */
    command_free (&c);
}

static void the_demo_prints_every_node_of_the_licence (void **state) {
    (void) state;
    command_t c = {0};
    COMMAND (&c, "run", "examples/text_pipeline.yaml", "--input-file",
             "/usr/share/common-licenses/GPL-3");
    command_expect (&c, 0);
    const char *const ids[] = {"size",  "words",  "upper",  "reversed",
                               "title", "framed", "report", "report_size"};
    for (size_t i = 0; i < sizeof ids / sizeof *ids; i++) {
        char line[32];
        snprintf (line, sizeof line, "\n%-11s  done ", ids[i]);
        command_expect_output (&c, line);
    }
    command_expect_output (&c, "char_count: 35149, line_count: 674, word_count: 5644");
    command_expect_output (&c, "; 8 nodes, 8 done\n");
    assert_string_equal (c.err, "");
    command_free (&c);
}

int main (void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test (json_has_the_promised_shape_in_the_order_of_ranks),
        cmocka_unit_test (a_partial_run_is_status_1_and_says_because_of_whom),
        cmocka_unit_test (fail_fast_is_status_failed),
        cmocka_unit_test (a_run_that_is_not_over_at_its_deadline_has_failed),
        cmocka_unit_test (best_effort_passes_over_what_failed),
        cmocka_unit_test (a_graph_of_zero_nodes_has_an_empty_result),
        cmocka_unit_test (strange_ids_are_ids_like_any_other),
        cmocka_unit_test (the_input_is_a_text_a_file_standard_input_or_empty),
        cmocka_unit_test (input_that_is_not_utf8_is_a_bin),
        cmocka_unit_test (an_input_file_that_cannot_be_read_is_status_66),
        cmocka_unit_test (output_keeps_only_what_was_asked_for),
        cmocka_unit_test (an_output_that_is_asked_for_twice_is_given_once),
        cmocka_unit_test (an_unknown_output_is_refused_with_the_nearest_node),
        cmocka_unit_test (every_strategy_and_placement_gives_the_same_result),
        cmocka_unit_test (repeat_tells_how_all_runs_ended),
        cmocka_unit_test (the_bar_can_be_asked_for),
        cmocka_unit_test (text_shows_outputs_whole_then_every_node_then_a_summary),
        cmocka_unit_test (text_shows_failures_with_their_reasons_and_attempts),
        cmocka_unit_test (text_shows_no_time_of_what_did_not_come_to_its_end),
        cmocka_unit_test (the_demo_prints_every_node_of_the_licence),
    };
    return !!cmocka_run_group_tests (tests, command_folder_set_up, command_folder_tear_down);
}
