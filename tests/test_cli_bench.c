/* test_cli_bench.c - dagwood bench overhead, small: its figures have the promised shape, and its
 * outputs are those of a loop over the nodes. */

#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "bench/lib/overhead.h"
#include "tests/support/command.h"

static void json_has_the_promised_keys (void **state) {
    (void) state;
    static const char *const keys[] = {
        "shape",       "nodes",  "threads",          "payload",    "task_ns",
        "ns_per_task", "ns_min", "ns_max",           "efficiency", "tasks_by_worker",
        "messages",    "hash",   "plan_ns_per_node",
    };
    command_t c = {0};
    COMMAND (&c, "bench", "overhead", "--shape", "tree", "--nodes", "500", "--threads", "2",
             "--payload", "24", "--task-ns", "100", "--repeat", "3", "--format", "json");
    command_expect (&c, 0);
    json_t *json = command_json (&c);
    assert_int_equal (json_object_size (json), sizeof keys / sizeof *keys);
    size_t i = 0;
    const char *key;
    json_t *value;
    json_object_foreach (json, key, value) {
        assert_string_equal (key, keys[i++]);
    }
    assert_string_equal (json_string_value (json_object_get (json, "shape")), "tree");
    assert_int_equal (json_integer_value (json_object_get (json, "nodes")), 500);
    assert_int_equal (json_integer_value (json_object_get (json, "threads")), 2);
    assert_int_equal (json_integer_value (json_object_get (json, "payload")), 24);
    assert_int_equal (json_integer_value (json_object_get (json, "task_ns")), 100);
    double median = json_number_value (json_object_get (json, "ns_per_task"));
    assert_true (median > 0);
    assert_true (json_number_value (json_object_get (json, "ns_min")) <= median);
    assert_true (json_number_value (json_object_get (json, "ns_max")) >= median);
    json_decref (json);
    command_free (&c);
}

static void every_shape_on_any_threads_gives_the_outputs_of_a_loop (void **state) {
    (void) state;
    const char *const threads[] = {"1", "2", "4"};
    for (int shape = 0; shape < DW_SHAPES; shape++) {
        dw_overhead_t loop = {.shape = (dw_shape_t) shape, .payload_bytes = 16};
        loop.nodes = dw_shape_nodes_count (loop.shape, 1000);
        char expected[20];
        snprintf (expected, sizeof expected, "%016" PRIx64, dw_overhead_expected (&loop));
        for (size_t i = 0; i < 3; i++) {
            command_t c = {0};
            COMMAND (&c, "bench", "overhead", "--shape", dw_shape_names[shape], "--nodes", "1000",
                     "--threads", threads[i], "--repeat", "1", "--format", "json");
            command_expect (&c, 0);
            json_t *json = command_json (&c);
            assert_string_equal (json_string_value (json_object_get (json, "hash")), expected);
            json_decref (json);
            command_free (&c);
        }
    }
}

static void text_has_a_line_for_every_shape (void **state) {
    (void) state;
    command_t c = {0};
    COMMAND (&c, "bench", "overhead", "--nodes", "400", "--repeat", "1");
    command_expect (&c, 0);
    for (int shape = 0; shape < DW_SHAPES; shape++) {
        char line[32];
        snprintf (line, sizeof line, "\n%-7s      400 ", dw_shape_names[shape]);
        command_expect_output (&c, line);
    }
    command_free (&c);
}

typedef struct mistake_t {
    const char *words[5];
    const char *message;
} mistake_t;

static void wrong_words_are_usage_errors (void **state) {
    (void) state;
    static const mistake_t mistakes[] = {
        {{"bench", NULL}, "which benchmark?"},
        {{"bench", "overhaed", NULL}, "did you mean overhead?"},
        {{"bench", "overhead", "--shape", "wvae", NULL}, "did you mean wave?"},
        {{"bench", "overhead", "--nodes", "0", NULL}, "--nodes must be a whole number from 1 to"},
        {{"bench", "overhead", "--threads", "x", NULL}, "--threads must be a whole number"},
        {{"bench", "overhead", "--payload", "-1", NULL}, "--payload must be a whole number"},
        {{"bench", "overhead", "--repeat", "0", NULL}, "--repeat must be a whole number"},
    };
    for (size_t i = 0; i < sizeof mistakes / sizeof *mistakes; i++) {
        command_t c = {0};
        command_run (&c, mistakes[i].words);
        command_expect (&c, 64);
        command_expect_error (&c, mistakes[i].message);
        command_free (&c);
    }
}

int main (void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test (json_has_the_promised_keys),
        cmocka_unit_test (every_shape_on_any_threads_gives_the_outputs_of_a_loop),
        cmocka_unit_test (text_has_a_line_for_every_shape),
        cmocka_unit_test (wrong_words_are_usage_errors),
    };
    return !!cmocka_run_group_tests (tests, NULL, NULL);
}
