/* test_ndjson.c - cli/ndjson.h: its lines are, byte by byte, what the JSON library prints for the
 * same results, whatever is in these. */

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "cli/ndjson.h"
#include "cli/report.h"
#include "dagwood_processor.h"
#include "tests/support/random.h"

#define RUNS       1000
#define BYTES_MAX  64u
#define VALUES_MAX 3

/* ---- A processor that gives anything ------------------------------------------------------ */

/* Characters of every kind: control, quotes, letters, of two, three and four bytes; and what is no
 * character. */
static size_t s_draw_text (random_t *random, char *text, bool is_utf8) {
    static const char *const pieces[] = {
        "a",
        "b c",
        "\"",
        "\\",
        "/",
        "\n",
        "\r",
        "\t",
        "\b",
        "\f",
        "\x01",
        "\x1f",
        "\x7f",
        "\xc3\xa4",
        "\xc2\x80",
        "\xef\xbf\xbf",
        "\xf0\x9f\x98\x80",
        "eight...",
        "{},:[]",
        "\xff",
        "\xed\xa0\x80",
        "\xc3",
        "\xf4\x90\x80\x80",
    };
    size_t size = 0, kinds = sizeof pieces / sizeof *pieces - (is_utf8 ? 4 : 0);
    for (uint32_t left = random_below (random, 12); left > 0; left--) {
        const char *piece = pieces[random_below (random, (uint32_t) kinds)];
        memcpy (text + size, piece, strlen (piece));
        size += strlen (piece);
    }
    text[size] = '\0';
    return size;
}

/* Most texts are good. */
static size_t s_draw (random_t *random, char *text) {
    return s_draw_text (random, text, random_below (random, 8) > 0);
}

static int s_draw_value (random_t *random, dw_call_t *call) {
    static const struct {
        const char *bytes;
        size_t size;
    } values[] = {
        {"\xc0", 1},
        {"\xc3", 1},
        {"\xff", 1},
        {"\xcf\xff\xff\xff\xff\xff\xff\xff\xff", 9},
        {"\xcb\x40\x09\x21\xfb\x54\x44\x2d\x18", 9},
        {"\x93\xa1"
         "a\xc4\x01"
         "b\x82\xa1k\x01\x02\x90",
         11},
        {"\xd4\x07x", 3},
        {"\xa4"
         "a\0\"b",
         5},
    };
    size_t i = random_below (random, sizeof values / sizeof *values);
    return dw_call_set_value (call, values[i].bytes, values[i].size);
}

static int s_give_anything (dw_call_t *call, void *arg) {
    char text[BYTES_MAX + 1], value[BYTES_MAX + 1];
    size_t size;
    uint64_t seed = (uint64_t) dw_call_node_number (call);
    (void) arg;
    const char *payload = dw_call_payload (call, &size);
    for (size_t i = 0; i < size; i++)
        seed = seed * 31 + (uint8_t) payload[i];
    random_t random = random_from (seed);
    for (uint32_t left = random_below (&random, VALUES_MAX); left > 0; left--) {
        s_draw (&random, text);
        s_draw (&random, value);
        dw_call_set_metadata (call, text, value);
    }
    size = s_draw (&random, text);
    switch (random_below (&random, 8)) {
        case 0: return dw_call_fail (call, 400 + (int) random_below (&random, 200), "%s", text);
        case 1: return dw_call_set_bytes (call, text, size);
        case 2: return s_draw_value (&random, call);
        case 3: return dw_call_set_payload (call);
        case 4: return 0;
        default: return dw_call_set_text (call, text, size);
    }
}

/* ---- What the library prints -------------------------------------------------------------- */

static json_t *s_id (const dw_result_t *result, int node) {
    const char *id = dw_result_id (result, node);
    return dw_report_json_string (id, strlen (id));
}

static json_t *s_failure (const dw_result_t *result, int node) {
    json_t *entry = dw_report_json_entry (result, node), *failure = json_object ();
    json_object_set_new (failure, "node", s_id (result, node));
    assert_int_equal (json_object_update (failure, json_object_get (entry, "error")), 0);
    json_decref (entry);
    return failure;
}

static char *s_print (uint64_t run, const dw_result_t *result) {
    json_t *json = json_object (), *outputs = json_array (), *failures = json_array ();
    json_t *results = json_object ();
    for (size_t i = 0; i < dw_result_outputs_count (result); i++)
        json_array_append_new (outputs, s_id (result, dw_result_output_at (result, i)));
    for (size_t i = 0; i < dw_result_failures_count (result); i++)
        json_array_append_new (failures, s_failure (result, dw_result_failure_at (result, i)));
    for (int node = 0; node < (int) dw_result_nodes_count (result); node++) {
        json_t *id = s_id (result, node);
        json_object_set_new (results, json_string_value (id), dw_report_json_entry (result, node));
        json_decref (id);
    }
    json_object_set_new (json, "run", json_integer ((json_int_t) run));
    json_object_set_new (json, "status",
                         json_string (dw_run_status_text (dw_result_status (result))));
    json_object_set_new (json, "duration_us",
                         json_integer ((json_int_t) dw_result_duration_us (result)));
    json_object_set_new (json, "outputs", outputs);
    json_object_set_new (json, "failures", failures);
    json_object_set_new (json, "results", results);
    char *text = json_dumps (json, JSON_COMPACT);
    assert_non_null (text);
    json_decref (json);
    return text;
}

/* ---- Any result --------------------------------------------------------------------------- */

/* Ids of which one needs to be escaped. */
static dw_graph_t *s_graph (dw_failure_strategy_t strategy) {
    dw_graph_t *graph = dw_graph_new ();
    dw_graph_add (graph, "first", "anything");
    dw_graph_depend (graph, dw_graph_add (graph, "a \"b\" \\ \xc3\xa4", "anything"), "first");
    int joint = dw_graph_add (graph, "joint", "anything");
    dw_graph_depend (graph, joint, "first");
    dw_graph_depend (graph, joint, "a \"b\" \\ \xc3\xa4");
    dw_graph_add (graph, "alone", "anything");
    dw_graph_options (graph)->failure_strategy = strategy;
    dw_graph_options (graph)->actors = DW_ACTORS_POOL;
    return graph;
}

static void s_compare (dw_ndjson_t *json, uint64_t run, const dw_result_t *result) {
    assert_true (dw_ndjson_add (json, run, result));
    char *expected = s_print (run, result);
    size_t size = strlen (expected);
    assert_int_equal (json->lines.count, size + 1);
    assert_memory_equal (json->lines.bytes, expected, size);
    assert_int_equal (json->lines.bytes[size], '\n');
    assert_null (memchr (json->lines.bytes, '\n', size));
    dw_writer_clear (&json->lines);
    free (expected);
}

static void s_try (random_t *random, dw_failure_strategy_t strategy) {
    static const char *const outputs[] = {"joint", "alone"};
    dw_processors_t *processors = dw_processors_new ();
    assert_int_equal (dw_processors_add_function (processors, "anything", s_give_anything, NULL),
                      DW_OK);
    dw_system_options_t options = {.processors = processors};
    dw_graph_t *graph = s_graph (strategy);
    dw_system_t *system = NULL;
    dw_client_t *client = NULL;
    dw_ndjson_t json = {0};
    assert_int_equal (dw_system_open (&system, graph, &options, NULL), DW_OK);
    assert_int_equal (dw_client_new (&client, system, NULL), DW_OK);
    for (int i = 0; i < RUNS; i++) {
        char text[BYTES_MAX + 1];
        dw_submission_t submission = {.payload = text,
                                      .size = s_draw (random, text),
                                      .is_text = true,
                                      .outputs = outputs,
                                      .outputs_count = random_below (random, 3),
                                      .wait_ms = -1};
        uint64_t run;
        dw_result_t *result;
        assert_int_equal (dw_client_submit (client, &submission, &run, NULL), DW_OK);
        assert_int_equal (dw_client_wait (client, run, -1, &result), DW_OK);
        s_compare (&json, random_integer (random) >> 1, result);
        dw_result_destroy (&result);
    }
    dw_ndjson_free (&json);
    dw_client_destroy (&client);
    dw_system_close (&system, -1, NULL);
    dw_graph_destroy (&graph);
    dw_processors_destroy (&processors);
}

static void a_line_is_what_the_library_prints (void **state) {
    (void) state;
    random_t random = random_from (random_seed ());
    s_try (&random, DW_FAIL_FAST);
    s_try (&random, DW_CONTINUE_ON_ERROR);
    s_try (&random, DW_BEST_EFFORT);
}

/* ---- A run that never was ----------------------------------------------------------------- */

static void a_refused_record_is_a_failed_run_without_results (void **state) {
    (void) state;
    dw_ndjson_t json = {0};
    assert_true (dw_ndjson_add_refused (&json, 7, 413, "too \"large\""));
    json_t *object = json_loadb ((const char *) json.lines.bytes, json.lines.count, 0, NULL);
    json_t *expected = json_pack ("{s:i, s:s, s:i, s:[], s:[], s:{}, s:{s:i, s:s}}", "run", 7,
                                  "status", "failed", "duration_us", 0, "outputs", "failures",
                                  "results", "error", "code", 413, "message", "too \"large\"");
    assert_non_null (expected);
    assert_true (json_equal (object, expected));
    json_decref (expected);
    json_decref (object);
    dw_ndjson_free (&json);
}

int main (void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test (a_line_is_what_the_library_prints),
        cmocka_unit_test (a_refused_record_is_a_failed_run_without_results),
    };
    return !!cmocka_run_group_tests_name ("ndjson", tests, NULL, NULL);
}
