/* test_bench.c - every bench runs, small, and its outputs are those of a loop; nothing here is
 * about time. */

#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include <cmocka.h>
#include <jansson.h>

#include "bench/lib/mix.h"
#include "bench/lib/overhead.h"
#include "runtime/core/graph.h"

#define BENCH DAGWOOD_BUILD_DIR "/bench/"

/* Runs a bench with these words; returns its exit status, with the JSON that it printed. */
static int s_bench (const char *bench, const char *words, json_t **json_p) {
    char command[512];
    snprintf (command, sizeof command, "timeout 100 %s%s %s", BENCH, bench, words);
    FILE *output = popen (command, "r");
    assert_non_null (output);
    json_t *json = json_loadf (output, 0, NULL);
    int status = pclose (output);
    if (json_p)
        *json_p = json;
    else
        json_decref (json);
    return WIFEXITED (status) ? WEXITSTATUS (status) : -1;
}

static json_t *s_quick (const char *bench, const char *words) {
    char all[256];
    json_t *json = NULL;
    snprintf (all, sizeof all, "--quick --format json %s", words);
    assert_int_equal (s_bench (bench, all, &json), 0);
    assert_non_null (json);
    assert_string_equal (json_string_value (json_object_get (json, "bench")), bench);
    return json;
}

static uint64_t s_count (const json_t *json, const char *name) {
    const json_t *value = json_object_get (json, name);
    if (!json_is_integer (value))
        fail_msg ("no count %s", name);
    return (uint64_t) json_integer_value (value);
}

/* A figure that is a time is above zero. */
static void s_expect_time (const json_t *json, const char *name) {
    if (!(json_real_value (json_object_get (json, name)) > 0))
        fail_msg ("%s is not above zero", name);
}

static void s_expect_hash (const json_t *json, uint64_t hash) {
    char text[20];
    snprintf (text, sizeof text, "%016" PRIx64, hash);
    assert_string_equal (json_string_value (json_object_get (json, "hash")), text);
}

/* ---- dagwood bench overhead ------------------------------------------------------------------- */

static void s_expect_loop (dw_work_options_t wanted, uint32_t threads) {
    dw_overhead_t *measured = calloc (1, sizeof *measured);
    dw_rig_options_t rig = {.actors = DW_ACTORS_POOL, .threads = threads};
    dw_work_t *work = NULL;
    uint64_t expected = 0, tasks = 0;
    assert_non_null (measured);
    assert_int_equal (dw_work_new (&work, &wanted, NULL), DW_OK);
    assert_true (dw_work_expected (work, &expected));
    assert_int_equal (dw_overhead_measure (measured, work, &rig, 2, NULL), DW_OK);
    for (uint32_t i = 0; i < measured->workers_count; i++)
        tasks += measured->tasks_by_worker[i];
    if (measured->hash != expected)
        fail_msg ("%s of %u nodes, %u bytes, %u threads: %016" PRIx64 " is not %016" PRIx64,
                  dw_shape_names[wanted.shape], (unsigned) work->nodes_count,
                  (unsigned) wanted.payload_bytes, (unsigned) threads, measured->hash, expected);
    /* The last system's first run counts too; a task that was taken back may be run twice. */
    assert_true (tasks >= 3u * work->nodes_count);
    assert_true (measured->peak_rss_bytes > 0 && measured->messages > 0);
    dw_work_destroy (&work);
    free (measured);
}

static void every_shape_gives_the_outputs_of_a_loop_for_any_payload_and_threads (void **state) {
    (void) state;
    static const uint32_t sizes[] = {0, 1, 16, 20, 21, 600};
    for (int shape = 0; shape < DW_SHAPE_FILE; shape++)
        for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
            dw_work_options_t wanted = {
                .shape = (dw_shape_t) shape, .nodes_count = 350, .payload_bytes = sizes[i]};
            s_expect_loop (wanted, 1 + (uint32_t) i % 3);
        }
}

static void shapes_of_few_nodes_give_the_outputs_of_a_loop (void **state) {
    (void) state;
    for (int shape = 0; shape < DW_SHAPE_FILE; shape++)
        for (uint32_t nodes = 1; nodes <= 5; nodes++) {
            dw_work_options_t wanted = {
                .shape = (dw_shape_t) shape, .nodes_count = nodes, .payload_bytes = 16};
            s_expect_loop (wanted, 2);
        }
}

static void every_kernel_gives_the_outputs_of_a_loop (void **state) {
    (void) state;
    for (int kernel = 1; kernel < DW_KERNELS; kernel++) {
        dw_work_options_t wanted = {.shape = DW_SHAPE_STENCIL,
                                    .nodes_count = 64,
                                    .payload_bytes = 16,
                                    .kernel = (dw_kernel_t) kernel,
                                    .task_ns = 20000};
        s_expect_loop (wanted, 2);
    }
}

static void a_large_payload_gives_the_outputs_of_a_loop (void **state) {
    (void) state;
    dw_work_options_t wanted = {
        .shape = DW_SHAPE_FAN, .nodes_count = 4, .payload_bytes = DW_WORK_PAYLOAD_BYTES_MAX};
    s_expect_loop (wanted, 2);
}

/* The hash of a shape's outputs. */
static uint64_t s_expected (dw_shape_t shape, uint64_t nodes) {
    dw_work_options_t wanted = {
        .shape = shape, .nodes_count = (uint32_t) nodes, .payload_bytes = 16};
    dw_work_t *work = NULL;
    uint64_t hash = 0;
    assert_int_equal (dw_work_new (&work, &wanted, NULL), DW_OK);
    assert_true (dw_work_expected (work, &hash));
    dw_work_destroy (&work);
    return hash;
}

/* ---- The programs ----------------------------------------------------------------------------- */

/* What a stream's runs give, its first one (which is not measured) included. */
static uint64_t s_expected_stream (const json_t *json) {
    uint8_t bytes[64];
    uint64_t hash = 0, run = 1;
    size_t size = s_count (json, "payload");
    assert_true (size <= sizeof bytes);
    for (uint64_t i = 0; i <= s_count (json, "repeat"); i++)
        for (uint64_t number = 0; number < s_count (json, "runs"); number++) {
            dw_mix_out (dw_mix_start (number), bytes, size);
            for (uint64_t node = 0; node < s_count (json, "nodes"); node++)
                dw_mix_out (dw_mix_in (dw_mix_start (node), bytes, size), bytes, size);
            hash += dw_mix_in (run++, bytes, size);
        }
    return hash;
}

static void stream_gives_every_run_its_own_output (void **state) {
    (void) state;
    static const char *const words[] = {"", "--pool 2 --payload 21", "--nodes 1 --in-flight 1",
                                        "--concurrency 4 --payload 33"};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        json_t *json = s_quick ("stream", words[i]);
        s_expect_time (json, "ns_per_hop");
        s_expect_time (json, "messages_per_hop");
        s_expect_hash (json, s_expected_stream (json));
        json_decref (json);
    }
}

static void open_close_runs_a_graph_in_between (void **state) {
    (void) state;
    static const char *const words[] = {"", "--pool 2"};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        json_t *json = s_quick ("open_close", words[i]);
        s_expect_time (json, "open_close_ms");
        s_expect_time (json, "open_ms");
        s_expect_time (json, "close_ms");
        s_expect_hash (json, s_expected (DW_SHAPE_CHAIN, s_count (json, "nodes")));
        json_decref (json);
    }
}

static void a_client_elsewhere_gets_the_output_of_each_of_its_runs (void **state) {
    (void) state;
    json_t *json = s_quick ("clients", "--in-flight 7");
    s_expect_time (json, "ns_per_run");
    s_expect_time (json, "round_trip_us");
    uint64_t hash = UINT64_C (0xcbf29ce484222325);
    for (uint64_t i = 0; i < s_count (json, "payload"); i++)
        hash = (hash ^ 'x') * UINT64_C (0x100000001b3);
    uint64_t results = 7 + s_count (json, "repeat") *
                               (s_count (json, "runs") + s_count (json, "trips"));
    s_expect_hash (json, hash ^ results);
    json_decref (json);
}

/* The hash of a payload of copy's, once. */
static uint64_t s_expected_copy (size_t size) {
    uint8_t *bytes = malloc (size + 1);
    assert_non_null (bytes);
    dw_mix_out (dw_mix_start (size), bytes, size);
    uint64_t hash = dw_mix_in (0, bytes, size);
    free (bytes);
    return hash;
}

static void a_large_payload_is_one_buffer_all_the_way (void **state) {
    (void) state;
    json_t *json = s_quick ("copy", "");
    assert_int_equal (s_count (json, "thread_buffers"), 1);
    assert_int_equal (s_count (json, "pool_buffers"), 1);
    size_t bytes = s_count (json, "bytes");
    uint64_t runs = 2 * (1 + s_count (json, "repeat")) * s_count (json, "runs"); /* two chains */
    s_expect_hash (json, runs * (s_expected_copy (bytes) + s_expected_copy (bytes / 16)));
    json_decref (json);
}

static void memory_is_looked_at_ten_times (void **state) {
    (void) state;
    json_t *json = s_quick ("memory", "");
    assert_int_equal (json_array_size (json_object_get (json, "resident_bytes")), 10);
    uint64_t small = s_expected (DW_SHAPE_CHAIN, s_count (json, "nodes"));
    uint64_t large = s_expected (DW_SHAPE_RANDOM, s_count (json, "large_nodes"));
    s_expect_hash (json, s_count (json, "runs") * small + s_count (json, "large_runs") * large);
    json_decref (json);
}

/* The plan that load's graph must become: its nodes follow each other, so ranks are declared. */
static uint64_t s_expected_load (uint32_t nodes) {
    uint64_t hash = dw_mix_start (nodes);
    for (uint32_t node = 0; node < nodes; node++) {
        char id[16];
        uint32_t dependencies[2] = {node - 1, 0}, source = node ? node - 1 : DW_RUN_INPUT;
        if (node > 1)
            dependencies[1] = (uint32_t) (dw_mix_start (node) >> 20) % (node - 1);
        snprintf (id, sizeof id, "n%u", (unsigned) node);
        hash = dw_mix_in (hash, id, strlen (id));
        hash = dw_mix_in (hash, dependencies, (node < 2 ? node : 2) * sizeof *dependencies);
        hash = dw_mix_in (hash, &source, sizeof source);
    }
    return hash;
}

static void load_plans_a_graph_as_deep_as_it_has_nodes (void **state) {
    (void) state;
    json_t *json = s_quick ("load", "");
    uint32_t nodes = (uint32_t) s_count (json, "nodes");
    assert_int_equal (s_count (json, "levels"), nodes);
    assert_int_equal (s_count (json, "edges"), 2 * nodes - 3);
    s_expect_time (json, "load_s");
    s_expect_time (json, "plan_s");
    s_expect_hash (json, s_expected_load (nodes));
    json_decref (json);
}

/* The hash is of which tasks were done, whoever did them. */
static uint64_t s_expected_scale (uint64_t runs, uint64_t nodes) {
    uint64_t hash = 0;
    for (uint64_t run = 0; run < runs; run++)
        for (uint64_t node = 0; node < nodes; node++)
            hash += dw_mix_end (dw_mix_word (dw_mix_start (run), node));
    return hash;
}

static void scale_has_every_task_done_by_any_number_of_workers (void **state) {
    (void) state;
    static const char *const words[] = {"", "--workers 1 --slots 1", "--workers 700 --slots 3",
                                        "--task-us 0", "--task-us 5000 --latency-us 3000"};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        json_t *json = s_quick ("scale", words[i]);
        s_expect_time (json, "completions_per_second_of_core");
        if (sizeof DAGWOOD_SANITIZE == 1) /* whose memory malloc does not know of */
            s_expect_time (json, "bytes_per_worker");
        s_expect_hash (json, s_expected_scale (40, 100));
        json_decref (json);
    }
    assert_int_equal (s_bench ("scale", "--quick --tasks 10 --nodes 10 2> /dev/null", NULL), 70);
    /* What is wrong is one line. */
    assert_int_equal (
        s_bench ("scale", "--quick --tasks 10 --nodes 10 2>&1 | grep -c . | grep -qx 1", NULL), 0);
}

/* What slots make of the tasks of runs, behind as many that were cancelled. */
static uint64_t s_expected_crowd (uint64_t runs, uint64_t nodes) {
    uint64_t hash = 0;
    for (uint64_t run = runs + 1; run <= 2 * runs; run++)
        for (uint64_t node = 0; node < nodes; node++)
            hash += dw_mix_end (
                dw_mix_start ((uint32_t) dw_mix_end (dw_mix_word (dw_mix_start (run), node))));
    return hash;
}

static void crowd_has_every_task_done_through_a_whole_coordinator (void **state) {
    (void) state;
    static const char *const words[] = {"",
                                        "--workers 1 --slots 1",
                                        "--workers 300 --slots 5",
                                        "--payload 257 --task-us 0",
                                        "--payload 20",
                                        "--task-us 5000 --latency-us 3000"};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        json_t *json = s_quick ("crowd", words[i]);
        double sent = json_real_value (json_object_get (json, "sent_bytes_per_task"));
        s_expect_time (json, "completions_per_second_of_core");
        s_expect_time (json, "join_us_per_worker");
        if (sizeof DAGWOOD_SANITIZE == 1) /* whose memory malloc does not know of */
            s_expect_time (json, "bytes_per_worker");
        if (!(sent > 25))
            fail_msg ("sent_bytes_per_task: %f", sent);
        s_expect_hash (json, s_expected_crowd (40, 100));
        json_decref (json);
    }
}

/* A task is sent and answered in some bytes; a payload that several have in a message is there
 * once. */
static void fleet_counts_the_bytes_of_its_tasks (void **state) {
    (void) state;
    json_t *small = s_quick ("fleet", "--task-ms 0 --payload 100");
    json_t *large = s_quick ("fleet", "--task-ms 0 --payload 1100");
    static const char *const ways[] = {"sent_bytes_per_task", "received_bytes_per_task"};
    for (size_t i = 0; i < 2; i++) {
        double less = json_real_value (json_object_get (small, ways[i])),
               more = json_real_value (json_object_get (large, ways[i]));
        if (!(less > 5 && less < 300 && more > less && more < 1300))
            fail_msg ("%s: %f and %f", ways[i], less, more);
    }
    s_expect_time (small, "coordinator_us_per_task");
    s_expect_time (small, "coordinator_bytes_per_slot");
    json_decref (small);
    json_decref (large);
}

static void text_and_wrong_words_have_their_statuses (void **state) {
    (void) state;
    static const char *const benches[] = {"stream", "open_close", "copy", "memory",
                                          "load",   "elsewhere",  "idle", "clients",
                                          "scale",  "fleet",      "crowd"};
    for (size_t i = 0; i < sizeof benches / sizeof *benches; i++) {
        assert_int_equal (s_bench (benches[i], "--help > /dev/null", NULL), 0);
        assert_int_equal (s_bench (benches[i], "--nodes 0 2> /dev/null", NULL), 64);
        assert_int_equal (s_bench (benches[i], "--nodes 5x 2> /dev/null", NULL), 64);
        assert_int_equal (s_bench (benches[i], "--format xml 2> /dev/null", NULL), 64);
        assert_int_equal (
            s_bench (benches[i], "--quick | grep -q '^hash  *[0-9a-f]\\{16\\}$'", NULL), 0);
    }
    assert_int_equal (s_bench ("load", "--quick > /dev/full", NULL), 74);
}

int main (void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test (every_shape_gives_the_outputs_of_a_loop_for_any_payload_and_threads),
        cmocka_unit_test (shapes_of_few_nodes_give_the_outputs_of_a_loop),
        cmocka_unit_test (every_kernel_gives_the_outputs_of_a_loop),
        cmocka_unit_test (a_large_payload_gives_the_outputs_of_a_loop),
        cmocka_unit_test (stream_gives_every_run_its_own_output),
        cmocka_unit_test (open_close_runs_a_graph_in_between),
        cmocka_unit_test (a_client_elsewhere_gets_the_output_of_each_of_its_runs),
        cmocka_unit_test (a_large_payload_is_one_buffer_all_the_way),
        cmocka_unit_test (memory_is_looked_at_ten_times),
        cmocka_unit_test (load_plans_a_graph_as_deep_as_it_has_nodes),
        cmocka_unit_test (scale_has_every_task_done_by_any_number_of_workers),
        cmocka_unit_test (crowd_has_every_task_done_through_a_whole_coordinator),
        cmocka_unit_test (fleet_counts_the_bytes_of_its_tasks),
        cmocka_unit_test (text_and_wrong_words_have_their_statuses),
    };
    return !!cmocka_run_group_tests (tests, NULL, NULL);
}
