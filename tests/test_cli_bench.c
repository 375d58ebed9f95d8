/* test_cli_bench.c - dagwood bench, small: the figures of every benchmark have the promised shape,
 * and its outputs are those of a loop over the nodes. Nothing here is about time. */

#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "bench/lib/mix.h"
#include "bench/lib/work.h"
#include "tests/support/command.h"

#define WORKFLOW                                                                           \
    "{\"schemaVersion\": \"1.5\", \"workflow\": {\"specification\": {\"tasks\": ["         \
    "{\"id\": \"a\", \"parents\": []}, {\"id\": \"b\", \"parents\": [\"a\"]}, "            \
    "{\"id\": \"c\", \"parents\": [\"a\"]}]}, \"execution\": {\"tasks\": ["                \
    "{\"id\": \"a\", \"runtimeInSeconds\": 1}, {\"id\": \"b\", \"runtimeInSeconds\": 2}, " \
    "{\"id\": \"c\", \"runtimeInSeconds\": 6}]}}}"

/* The hash of a work's outputs, as it is printed. */
static const char *s_expected (dw_work_options_t wanted, char text[20]) {
    dw_work_t *work = NULL;
    uint64_t hash = 0;
    assert_int_equal (dw_work_new (&work, &wanted, NULL), DW_OK);
    assert_true (dw_work_expected (work, &hash));
    snprintf (text, 20, "%016" PRIx64, hash);
    dw_work_destroy (&work);
    return text;
}

static const char *s_text (const json_t *row, const char *key) {
    const char *text = json_string_value (json_object_get (row, key));
    if (!text)
        fail_msg ("no text %s", key);
    return text;
}

static int64_t s_count (const json_t *row, const char *key) {
    if (!json_is_integer (json_object_get (row, key)))
        fail_msg ("no count %s", key);
    return json_integer_value (json_object_get (row, key));
}

static double s_number (const json_t *row, const char *key) {
    if (!json_is_number (json_object_get (row, key)))
        fail_msg ("no number %s", key);
    return json_number_value (json_object_get (row, key));
}

/* A figure with its spread, above zero. */
static void s_expect_spread (const json_t *row, const char *key) {
    char min[64], max[64];
    snprintf (min, sizeof min, "%s_min", key);
    snprintf (max, sizeof max, "%s_max", key);
    assert_true (s_number (row, key) > 0);
    assert_true (s_number (row, min) <= s_number (row, key));
    assert_true (s_number (row, max) >= s_number (row, key));
}

/* What every row ends with. */
static void s_expect_origin (const json_t *row, const char *bench) {
    const json_t *machine = json_object_get (row, "machine");
    const json_t *versions = json_object_get (row, "versions");
    assert_string_equal (s_text (row, "bench"), bench);
    assert_true (s_count (machine, "cores") > 0);
    assert_true (*s_text (machine, "cpu") && *s_text (machine, "kernel"));
    assert_string_equal (s_text (versions, "dagwood"), dw_version ());
    assert_true (*s_text (versions, "libzmq") && *s_text (versions, "compiler"));
    assert_int_equal (strlen (s_text (row, "hash")), 16);
}

/* The next line of the output as JSON; NULL at its end. */
static json_t *s_row (const command_t *c, size_t *at) {
    const char *line = c->out + *at, *end = strchr (line, '\n');
    if (!end)
        return NULL;
    json_t *row = json_loadb (line, (size_t) (end - line), 0, NULL);
    assert_non_null (row);
    *at += (size_t) (end - line) + 1;
    return row;
}

/* ---- overhead --------------------------------------------------------------------------------- */

static void overhead_has_the_promised_keys (void **state) {
    (void) state;
    static const char *const keys[] = {
        "messages_per_task", "context_switches_per_task", "makespan_ns",       "critical_path_ns",
        "lower_bound_ns",    "open_bytes_per_node",       "run_bytes_per_node"};
    command_t c = {0};
    COMMAND (&c, "bench", "overhead", "--shape", "tree", "--nodes", "500", "--threads", "2",
             "--payload", "24", "--task-ns", "100", "--repeat", "3", "--format", "json", "--seed",
             "9");
    command_expect (&c, 0);
    json_t *row = command_json (&c);
    s_expect_origin (row, "overhead");
    assert_string_equal (s_text (row, "shape"), "tree");
    assert_string_equal (s_text (row, "kernel"), "compute");
    assert_int_equal (s_count (row, "nodes"), 500);
    assert_int_equal (s_count (row, "edges"), 499);
    assert_int_equal (s_count (row, "threads"), 2);
    assert_int_equal (s_count (row, "payload"), 24);
    assert_int_equal (s_count (row, "task_ns"), 100);
    assert_int_equal (s_count (row, "seed"), 9);
    assert_int_equal (s_count (row, "repeat"), 3);
    assert_true (s_number (row, "ns_per_task") > 0);
    assert_true (s_number (row, "ns_min") <= s_number (row, "ns_per_task"));
    assert_true (s_number (row, "ns_max") >= s_number (row, "ns_per_task"));
    assert_true (s_number (row, "efficiency") > 0);
    assert_true (s_count (row, "messages") > 0 && s_count (row, "peak_rss_bytes") > 0);
    assert_true (json_array_size (json_object_get (row, "tasks_by_worker")) >= 2);
    s_expect_spread (row, "plan_ns_per_node");
    s_expect_spread (row, "build_ns_per_node");
    s_expect_spread (row, "first_run_ns_per_task");
    s_expect_spread (row, "tasks_per_second");
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
        assert_true (s_number (row, keys[i]) >= 0);
    assert_true (s_number (row, "critical_path_ns") == 900); /* 9 levels */
    assert_true (s_number (row, "lower_bound_ns") == 25000); /* 500 tasks, two threads */
    assert_true (s_number (row, "makespan_to_bound") > 1);
    json_decref (row);
    command_free (&c);
}

static void every_shape_on_any_threads_gives_the_outputs_of_a_loop (void **state) {
    (void) state;
    const char *const threads[] = {"1", "2", "4"};
    for (int shape = 0; shape < DW_SHAPE_FILE; shape++) {
        char expected[20];
        s_expected ((dw_work_options_t){.shape = (dw_shape_t) shape,
                                        .nodes_count = 1000,
                                        .payload_bytes = 16},
                    expected);
        for (size_t i = 0; i < 3; i++) {
            command_t c = {0};
            COMMAND (&c, "bench", "overhead", "--shape", dw_shape_names[shape], "--nodes", "1000",
                     "--threads", threads[i], "--repeat", "1", "--format", "json");
            command_expect (&c, 0);
            json_t *row = command_json (&c);
            assert_string_equal (s_text (row, "hash"), expected);
            json_decref (row);
            command_free (&c);
        }
    }
}

static void text_has_a_line_for_every_shape (void **state) {
    (void) state;
    command_t c = {0};
    COMMAND (&c, "bench", "overhead", "--nodes", "400", "--repeat", "1", "--width", "8");
    command_expect (&c, 0);
    for (int shape = 0; shape < DW_SHAPE_FILE; shape++) {
        char line[32];
        snprintf (line, sizeof line, "\n%-12s          400 ", dw_shape_names[shape]);
        command_expect_output (&c, line);
    }
    command_free (&c);
}

static void a_recording_that_cannot_be_written_is_74_and_a_graph_that_cannot_be_read_66 (
    void **state) {
    (void) state;
    command_t c = {0};
    COMMAND (&c, "bench", "overhead", "--shape", "chain", "--nodes", "10", "--repeat", "1",
             "--record", "/");
    command_expect (&c, 74);
    command_expect_error (&c, "/: error: ");
    command_free (&c);
    COMMAND (&c, "bench", "overhead", "--graph", "/no/such", "--repeat", "1", "--record", "/");
    command_expect (&c, 66);
    command_free (&c);
}

static uint32_t s_count_columns (const char *line) {
    uint32_t count = 1;
    bool quoted = false;
    for (; *line && *line != '\n'; line++) {
        quoted ^= *line == '"';
        count += *line == ',' && !quoted;
    }
    return count;
}

static void csv_has_one_line_of_names_and_a_value_for_each (void **state) {
    (void) state;
    command_t c = {0};
    const char *file = command_file ("a \"comma\", quoted.json", WORKFLOW);
    COMMAND (&c, "bench", "overhead", "--graph", file, "--format", "csv", "--repeat", "1");
    command_expect (&c, 0);
    command_expect_output (&c, "bench,shape,file,nodes,edges,");
    command_expect_output (&c, ",machine_cpu,machine_cores,machine_kernel,versions_dagwood,"
                               "versions_libzmq,versions_compiler,hash\n");
    command_expect_output (&c, "a \"\"comma\"\", quoted.json\",3,2,");
    const char *values = strchr (c.out, '\n') + 1;
    assert_int_equal (s_count_columns (c.out), s_count_columns (values));
    assert_ptr_equal (strchr (values, '\n') + 1, c.out + c.out_size);
    command_free (&c);
    COMMAND (&c, "bench", "scaling", "--nodes", "2000", "--format", "csv", "--repeat", "1");
    command_expect (&c, 0);
    uint32_t lines = 0, columns = s_count_columns (c.out);
    for (const char *line = c.out; *line; line = strchr (line, '\n') + 1, lines++)
        assert_int_equal (s_count_columns (line), columns);
    assert_int_equal (lines, 5);
    command_free (&c);
}

/* ---- The others ------------------------------------------------------------------------------- */

static void latency_tells_hops_and_runs (void **state) {
    (void) state;
    command_t c = {0};
    COMMAND (&c, "bench", "latency", "--nodes", "4", "--runs", "20", "--pause-us", "10", "--repeat",
             "2", "--format", "json");
    command_expect (&c, 0);
    json_t *row = command_json (&c);
    uint64_t before = 0, all = 0, hops = 0, runs = 0;
    s_expect_origin (row, "latency");
    s_expect_spread (row, "hop_ns_p50");
    s_expect_spread (row, "hop_ns_p99_9");
    s_expect_spread (row, "run_ns_most");
    s_expect_spread (row, "wakeup_ns");
    assert_true (s_number (row, "hop_ns_p50") <= s_number (row, "hop_ns_p99"));
    assert_true (s_number (row, "run_ns_p50") > s_number (row, "hop_ns_p50"));
    for (size_t i = 0; i < json_array_size (json_object_get (row, "hop_counts")); i++)
        hops += (uint64_t) json_integer_value (
            json_array_get (json_object_get (row, "hop_counts"), i));
    for (size_t i = 0; i < json_array_size (json_object_get (row, "run_counts")); i++)
        runs += (uint64_t) json_integer_value (
            json_array_get (json_object_get (row, "run_counts"), i));
    assert_int_equal (runs, 2 * 20);
    assert_int_equal (hops, 2 * 20 * 3);
    for (int run = 0; run < 3 * 20; run++) { /* those that are not measured too */
        before = 0;
        for (uint64_t node = 0; node < 4; node++)
            all = dw_mix_word (all, before = dw_mix_word (dw_mix_start (node), before));
    }
    char expected[20];
    snprintf (expected, sizeof expected, "%016" PRIx64, all);
    assert_string_equal (s_text (row, "hash"), expected);
    json_decref (row);
    command_free (&c);
}

/* test_bench.c looks at the stream's hash. */
static void stream_tells_runs_and_hops (void **state) {
    (void) state;
    static const char *const actors[] = {"thread", "pool"};
    char first[20] = "";
    for (int i = 0; i < 2; i++) {
        command_t c = {0};
        COMMAND (&c, "bench", "stream", "--nodes", "5", "--runs", "300", "--in-flight", "32",
                 "--repeat", "2", "--actors", actors[i], "--format", "json");
        command_expect (&c, 0);
        json_t *row = command_json (&c);
        s_expect_origin (row, "stream");
        assert_string_equal (s_text (row, "actors"), actors[i]);
        s_expect_spread (row, "ns_per_hop");
        s_expect_spread (row, "runs_per_second");
        s_expect_spread (row, "hops_per_second");
        assert_true (s_number (row, "messages_per_hop") > 0);
        if (i == 1)
            assert_string_equal (s_text (row, "hash"), first);
        snprintf (first, sizeof first, "%s", s_text (row, "hash"));
        json_decref (row);
        command_free (&c);
    }
}

static void metg_sweeps_down_and_then_tells_its_figures (void **state) {
    (void) state;
    command_t c = {0};
    COMMAND (&c, "bench", "metg", "--nodes", "60", "--width", "2", "--task-ns", "2us",
             "--efficiency", "0.01", "--repeat", "1", "--format", "json");
    command_expect (&c, 0);
    size_t at = 0, points = 0, figures = 0;
    int64_t task_ns = 2000;
    char expected[20];
    s_expected (
        (dw_work_options_t){
            .shape = DW_SHAPE_STENCIL, .nodes_count = 60, .width = 2, .payload_bytes = 16},
        expected);
    for (json_t *row; (row = s_row (&c, &at)); json_decref (row)) {
        s_expect_origin (row, "metg");
        assert_string_equal (s_text (row, "hash"), expected);
        assert_true (s_number (row, "peak_efficiency") > 0);
        if (strcmp (s_text (row, "kind"), "point") != 0) {
            figures++;
            assert_true (s_number (row, "efficiency") == 0.01);
            continue;
        }
        points++;
        assert_int_equal (figures, 0);
        assert_int_equal (s_count (row, "task_ns"), task_ns);
        task_ns /= 2;
        s_expect_spread (row, "granularity_ns");
        assert_true (s_number (row, "efficiency") > 0);
    }
    assert_true (points >= 2);
    assert_int_equal (figures, 1);
    command_free (&c);
}

static void scaling_tells_ratios_and_speed_up (void **state) {
    (void) state;
    static const int64_t nodes[] = {1000, 2000, 2000, 2000};
    static const int64_t threads[] = {2, 2, 1, 2};
    command_t c = {0};
    COMMAND (&c, "bench", "scaling", "--shape", "none", "--nodes", "2000", "--repeat", "2",
             "--format", "json");
    command_expect (&c, 0);
    size_t at = 0, rows = 0;
    for (json_t *row; (row = s_row (&c, &at)); json_decref (row), rows++) {
        char expected[20];
        bool is_by_threads = rows >= 2;
        assert_true (rows < 4);
        s_expect_origin (row, "scaling");
        assert_string_equal (s_text (row, "kind"), is_by_threads ? "threads" : "nodes");
        /* 1000 is not a multiple of the width. */
        assert_int_equal (s_count (row, "nodes"), nodes[rows] - nodes[rows] % 16);
        assert_int_equal (s_count (row, "threads"), threads[rows]);
        s_expect_spread (row, "loop_ns_per_task");
        s_expect_spread (row, "ratio");
        assert_int_equal (json_is_real (json_object_get (row, "speed_up")), is_by_threads);
        s_expected ((dw_work_options_t){.shape = DW_SHAPE_NONE,
                                        .nodes_count = (uint32_t) nodes[rows],
                                        .payload_bytes = 16},
                    expected);
        assert_string_equal (s_text (row, "hash"), expected);
    }
    assert_int_equal (rows, 4);
    command_free (&c);
}

static void workflow_compares_with_a_schedule_on_paper (void **state) {
    (void) state;
    static const char *const actors[] = {"thread", "pool"};
    const char *file = command_file ("w.json", WORKFLOW);
    char expected[20];
    s_expected ((dw_work_options_t){.shape = DW_SHAPE_FILE, .file = file, .payload_bytes = 16},
                expected);
    for (int i = 0; i < 2; i++) {
        command_t c = {0};
        COMMAND (&c, "bench", "workflow", "--graph", file, "--time-scale", "0.0001", "--actors",
                 actors[i], "--repeat", "2", "--format", "json");
        command_expect (&c, 0);
        json_t *row = command_json (&c);
        s_expect_origin (row, "workflow");
        assert_string_equal (s_text (row, "file"), file);
        assert_string_equal (s_text (row, "kernel"), "compute");
        assert_string_equal (s_text (row, "priority"), "critical_path");
        assert_int_equal (s_count (row, "total_ns"), 900000);
        assert_int_equal (s_count (row, "list_ns"), 700000);
        assert_true (s_number (row, "critical_path_ns") == 700000);
        s_expect_spread (row, "makespan_to_list");
        assert_string_equal (s_text (row, "hash"), expected);
        json_decref (row);
        command_free (&c);
    }
}

/* ---- Mistakes --------------------------------------------------------------------------------- */

typedef struct mistake_t {
    const char *words[9];
    int status;
    const char *message;
} mistake_t;

static void wrong_words_are_refused (void **state) {
    (void) state;
    static const mistake_t mistakes[] = {
        {{"bench", NULL}, 64, "which benchmark?"},
        {{"bench", "overhaed", NULL}, 64, "did you mean overhead?"},
        {{"bench", "overhead", "metg", NULL}, 64, "nothing else is taken here"},
        {{"bench", "overhead", "--shape", "wvae", NULL}, 64, "did you mean wave?"},
        {{"bench", "overhead", "--shape", "file", NULL}, 64, "is none of chain, fan"},
        {{"bench", "overhead", "--kernel", "emty", NULL}, 64, "did you mean empty?"},
        {{"bench", "overhead", "--nodes", "0", NULL}, 64, "must be a whole number from 1 to"},
        {{"bench", "overhead", "--threads", "x", NULL}, 64, "--threads must be a whole number"},
        {{"bench", "overhead", "--payload", "-1", NULL}, 64, "--payload must be a whole number"},
        {{"bench", "overhead", "--payload", "17MiB", NULL},
         64,
         "from 0 to 16777216, not \"17MiB\""},
        {{"bench", "overhead", "--payload", "1GB", NULL}, 64, "\"GB\", which is none of B, KiB"},
        {{"bench", "overhead", "--task-ns", "1min", NULL}, 64, "none of ns, us, ms, s"},
        {{"bench", "overhead", "--task-ns", "99999999999999999s", NULL}, 64, "--task-ns must be"},
        {{"bench", "overhead", "--repeat", "0", NULL}, 64, "--repeat must be a whole number"},
        {{"bench", "overhead", "--time-scale", "0", NULL},
         64,
         "--time-scale must be a number over"},
        {{"bench", "overhead", "--time-scale", "2", NULL},
         64,
         "for the times of a workflow's file"},
        {{"bench", "overhead", "--shape", "chain", "--width", "8", NULL}, 64, "has no width"},
        {{"bench", "overhead", "--shape", "fft", "--nodes", "5", "--width", "8", NULL},
         64,
         "a width of 8 is more than the 5 nodes"},
        {{"bench", "overhead", "--graph", "g.yaml", "--shape", "fft", NULL}, 64, "one of both"},
        {{"bench", "overhead", "--graph", "g.yaml", "--nodes", "5", NULL}, 64, "the nodes that it"},
        {{"bench", "overhead", "--graph", "/nowhere.json", NULL}, 66, "cannot be read"},
        {{"bench", "overhead", "--payload", "16MiB", "--nodes", "10000000", NULL},
         71,
         "this machine is too small"},
        {{"bench", "overhead", "--efficiency", "0.5", NULL}, 64, "--efficiency"},
        {{"bench", "metg", "--efficiency", "1", NULL}, 64, "over 0 and below 1"},
        {{"bench", "metg", "--task-ns", "0", NULL}, 64, "must take some time"},
        {{"bench", "latency", "--nodes", "1", NULL}, 64, "between two nodes"},
        {{"bench", "workflow", NULL}, 64, "which workflow?"},
        {{"bench", "stream", "--actors", "poll", NULL}, 64, "did you mean pool?"},
    };
    for (size_t i = 0; i < sizeof mistakes / sizeof *mistakes; i++) {
        command_t c = {0};
        command_run (&c, mistakes[i].words);
        command_expect (&c, mistakes[i].status);
        command_expect_error (&c, mistakes[i].message);
        command_free (&c);
    }
    const char *file = command_file ("wrong.json", "{\"workflow\": {}}");
    command_t c = {0};
    COMMAND (&c, "bench", "workflow", "--graph", file);
    command_expect (&c, 78);
    command_expect_error (&c, "\"workflow.specification.tasks\" is missing");
    command_free (&c);
}

static void every_benchmark_explains_itself (void **state) {
    (void) state;
    static const char *const benches[] = {"overhead", "latency", "stream",
                                          "metg",     "scaling", "workflow"};
    for (size_t i = 0; i < sizeof benches / sizeof *benches; i++) {
        char usage[64];
        command_t c = {0};
        COMMAND (&c, "bench", benches[i], "--help");
        command_expect (&c, 0);
        snprintf (usage, sizeof usage, "Usage: dagwood bench %s [OPTION...]", benches[i]);
        command_expect_output (&c, usage);
        command_free (&c);
        COMMAND (&c, "bench", "--help");
        command_expect_output (&c, benches[i]);
        command_free (&c);
    }
}

int main (void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test (overhead_has_the_promised_keys),
        cmocka_unit_test (every_shape_on_any_threads_gives_the_outputs_of_a_loop),
        cmocka_unit_test (text_has_a_line_for_every_shape),
        cmocka_unit_test (
            a_recording_that_cannot_be_written_is_74_and_a_graph_that_cannot_be_read_66),
        cmocka_unit_test (csv_has_one_line_of_names_and_a_value_for_each),
        cmocka_unit_test (latency_tells_hops_and_runs),
        cmocka_unit_test (stream_tells_runs_and_hops),
        cmocka_unit_test (metg_sweeps_down_and_then_tells_its_figures),
        cmocka_unit_test (scaling_tells_ratios_and_speed_up),
        cmocka_unit_test (workflow_compares_with_a_schedule_on_paper),
        cmocka_unit_test (wrong_words_are_refused),
        cmocka_unit_test (every_benchmark_explains_itself),
    };
    return !!cmocka_run_group_tests (tests, command_folder_set_up, command_folder_tear_down);
}
