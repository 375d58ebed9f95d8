/* test_cli_lines_random.c - dagwood run --lines says of each record of any graph what a run of that
 * record alone says. */

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/support/command.h"
#include "tests/support/random.h"

#define GRAPHS      6
#define NODES_MAX   6
#define RECORDS_MAX 4

#define GRAPH_BYTES 4096u

/* A graph of stock processors: nodes depend on some of those before them, and now and then one
 * fails. */
static const char *s_draw_graph (random_t *random, const char *strategy, char text[GRAPH_BYTES]) {
    static const char *const processors[] = {
        "change_text_case_upper",  "reverse_text", "prefix_suffix_adder",    "token_counter",
        "word_frequency_analyzer", "identity",     "change_text_case_title", "concat",
    };
    size_t count = sizeof processors / sizeof *processors;
    int used = snprintf (
        text, GRAPH_BYTES,
        "failure_strategy: %s\nexecutor_options: {max_payload_bytes: 300}\nprocessors:\n",
        strategy);
    uint32_t nodes = 1 + random_below (random, NODES_MAX);
    for (uint32_t node = 0; node < nodes; node++) {
        const char *processor = random_one_in (random, 8)
                                    ? "fail"
                                    : processors[random_below (random, (uint32_t) count)];
        used += snprintf (text + used, GRAPH_BYTES - (size_t) used,
                          "  - {id: n%u, processor: %s, depends_on: [", node, processor);
        const char *comma = "";
        for (uint32_t on = 0; on < node; on++) {
            if (random_one_in (random, 2)) {
                used += snprintf (text + used, GRAPH_BYTES - (size_t) used, "%sn%u", comma, on);
                comma = ", ";
            }
        }
        used += snprintf (text + used, GRAPH_BYTES - (size_t) used, "]}\n");
        assert_true (used < (int) GRAPH_BYTES);
    }
    return text;
}

static size_t s_draw_record (random_t *random, char *text) {
    static const char *const pieces[] = {"word", " ",  "a",  "\xc3\x9f",         "\"",
                                         "\\",   "\t", "\r", "\xf0\x9f\x98\x80", "The end of it"};
    size_t size = 0;
    for (uint32_t left = random_below (random, 12); left > 0; left--) {
        const char *piece = pieces[random_below (random, 10)];
        memcpy (text + size, piece, strlen (piece));
        size += strlen (piece);
    }
    if (random_one_in (random, 8))
        text[size++] = '\xff';
    return size;
}

/* Takes out what differs from run to run: its number, and times. Under fail_fast what runs beside
 * the node that fails may be cancelled or not, so that only the outcome is left of such a run. */
static void s_mask (json_t *json, bool is_fail_fast) {
    const char *node;
    json_t *entry, *results = json_object_get (json, "results");
    json_object_set_new (json, "run", json_integer (0));
    json_object_set_new (json, "duration_us", json_integer (0));
    json_object_foreach (results, node, entry) {
        json_object_set_new (entry, "duration_us", json_integer (0));
    }
    if (is_fail_fast && strcmp (json_string_value (json_object_get (json, "status")), "ok") != 0) {
        json_object_del (json, "results");
        json_object_del (json, "failures");
    }
}

static void s_expect_same (json_t *one, json_t *other, bool is_fail_fast) {
    s_mask (one, is_fail_fast);
    s_mask (other, is_fail_fast);
    char *text = json_dumps (one, JSON_COMPACT), *expected = json_dumps (other, JSON_COMPACT);
    assert_string_equal (text, expected); /* with the order of all that is in them */
    free (text);
    free (expected);
}

/* A line is written as the library would have. */
static void s_expect_as_library (const char *line, const json_t *json) {
    char *text = json_dumps (json, JSON_COMPACT);
    assert_memory_equal (line, text, strlen (text));
    assert_int_equal (line[strlen (text)], '\n');
    free (text);
}

static void s_try (random_t *random, const char *strategy, const char *actors) {
    static char graph[GRAPH_BYTES], bytes[4096];
    char names[2][64];
    static int tried;
    size_t sizes[RECORDS_MAX], used = 0, records = 1 + random_below (random, RECORDS_MAX);
    snprintf (names[0], sizeof names[0], "random-%d.yaml", tried);
    snprintf (names[1], sizeof names[1], "random-%d.txt", tried++);
    const char *file = command_file (names[0], s_draw_graph (random, strategy, graph));
    for (size_t i = 0; i < records; i++) {
        sizes[i] = s_draw_record (random, bytes + used);
        used += sizes[i];
        bytes[used++] = '\n';
    }
    const char *input = command_file_of (names[1], bytes, used);
    command_t lines = {0};
    COMMAND (&lines, "run", file, "--actors", actors, "--lines", input);
    const char *out = lines.out;
    used = 0;
    for (size_t i = 0; i < records; i++) {
        const char *line = out;
        command_t single = {0};
        FILE *one = fopen (input, "w");
        assert_non_null (one);
        assert_int_equal (fwrite (bytes + used, 1, sizes[i], one), sizes[i]);
        assert_int_equal (fclose (one), 0);
        used += sizes[i] + 1;
        COMMAND (&single, "run", file, "--actors", actors, "--input-file", input, "--format",
                 "json");
        json_t *json = command_next_json (&out), *expected = command_json (&single);
        s_expect_as_library (line, json);
        assert_int_equal (json_integer_value (json_object_get (json, "run")), i + 1);
        s_expect_same (json, expected, strcmp (strategy, "fail_fast") == 0);
        json_decref (json);
        json_decref (expected);
        command_free (&single);
    }
    assert_string_equal (out, "");
    command_free (&lines);
}

static void the_objects_are_those_of_single_runs (void **state) {
    (void) state;
    static const char *const strategies[] = {"fail_fast", "continue_on_error", "best_effort"};
    static const char *const actors[] = {"thread", "pool:2"};
    random_t random = random_from (random_seed ());
    for (int i = 0; i < GRAPHS; i++)
        s_try (&random, strategies[i % 3], actors[i / 3 % 2]);
}

int main (void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test (the_objects_are_those_of_single_runs),
    };
    return !!cmocka_run_group_tests_name ("cli_lines_random", tests, command_folder_set_up,
                                          command_folder_tear_down);
}
