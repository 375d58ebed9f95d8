/* test_work.c - what benches run: the edges of every shape against a plain definition of them, the
 * kernels, and the files that graphs are read from. Nothing here is about time. */

#include <inttypes.h>
#include <assert.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "bench/lib/edges.h"
#include "bench/lib/mix.h"
#include "bench/lib/work.h"
#include "runtime/core/graph.h"
#include "tests/support/command.h"
#include "tests/support/random.h"

static dw_work_t *s_work (dw_work_options_t options) {
    dw_work_t *work = NULL;
    dw_error_t *error = dw_error_new ();
    if (dw_work_new (&work, &options, error))
        fail_msg ("%s", dw_error_text (error));
    dw_error_destroy (&error);
    return work;
}

/* ---- Edges ------------------------------------------------------------------------------------ */

/* Coordinates in a square, diagonal by diagonal, found by walking along all of them. */
static void s_walk (uint32_t side, uint32_t node, uint32_t *row, uint32_t *column) {
    for (uint32_t diagonal = 0, at = 0; diagonal < 2 * side - 1; diagonal++)
        for (uint32_t c = 0; c < side; c++)
            if (diagonal >= c && diagonal - c < side && at++ == node) {
                *row = diagonal - c;
                *column = c;
                return;
            }
    fail_msg ("node %u is not in the square", (unsigned) node);
}

static bool s_is_wave_edge (uint32_t nodes, uint32_t from, uint32_t to) {
    uint32_t side = 0, row[2] = {0}, column[2] = {0};
    while (side * side < nodes)
        side++;
    s_walk (side, from, &row[0], &column[0]);
    s_walk (side, to, &row[1], &column[1]);
    return (row[0] == row[1] && column[0] + 1 == column[1]) ||
           (column[0] == column[1] && row[0] + 1 == row[1]);
}

static bool s_is_spread_edge (int64_t width, int64_t radius, int64_t step, int64_t from,
                              int64_t to) {
    for (int64_t k = 0; k <= 2 * radius; k++) {
        int64_t shift = k == 0 ? 0 : step % 3;
        if ((from - to - k * width / (2 * radius + 1) - shift) % width == 0)
            return true;
    }
    return false;
}

/* Steps apart by one, from task i to task j. */
static bool s_is_step_edge (const dw_work_t *work, int64_t step, int64_t i, int64_t j) {
    int64_t width = work->options.width, radius = work->options.radius, sets = 1, apart = 1;
    switch (work->options.shape) {
        case DW_SHAPE_STENCIL: return llabs (i - j) <= 1;
        case DW_SHAPE_NEAREST: return llabs (i - j) <= radius;
        case DW_SHAPE_ALL_TO_ALL: return true;
        case DW_SHAPE_SPREAD: return s_is_spread_edge (width, radius, step, i, j);
        case DW_SHAPE_FFT:
            for (int64_t reach = 2; reach < width; reach *= 2)
                sets++;
            for (int64_t d = (step - 1) % sets; d > 0; d--)
                apart *= 2;
            return i == j || llabs (i - j) == apart;
        default: return false;
    }
}

static bool s_is_edge (const dw_work_t *work, uint32_t from, uint32_t to) {
    uint32_t last = work->nodes_count - 1, width = work->options.width;
    switch (work->options.shape) {
        case DW_SHAPE_CHAIN: return from + 1 == to;
        case DW_SHAPE_FAN:
            return from != to && (last == 1 || from + to < last + 1 || from > 0) &&
                   (to == last ? from > 0 || last == 1 : from == 0);
        case DW_SHAPE_TREE: return to == 2 * from + 1 || to == 2 * from + 2;
        case DW_SHAPE_WAVE: return s_is_wave_edge (work->nodes_count, from, to);
        default:
            return to / width == from / width + 1 &&
                   s_is_step_edge (work, to / width, from % width, to % width);
    }
}

static bool s_depends (const dw_work_t *work, uint32_t to, uint32_t from) {
    uint32_t times = 0;
    for (uint32_t i = work->dependencies_at[to]; i < work->dependencies_at[to + 1]; i++)
        times += work->dependencies[i] == from;
    assert_true (times <= 1);
    return times == 1;
}

static bool s_is_followed (const dw_work_t *work, uint32_t from, uint32_t to) {
    uint32_t times = 0;
    for (uint32_t i = work->successors_at[from]; i < work->successors_at[from + 1]; i++)
        times += work->successors[i] == to;
    assert_true (times <= 1);
    return times == 1;
}

/* Every pair of nodes, both ways. */
static void s_expect_edges (dw_shape_t shape, uint32_t nodes, uint32_t width, uint32_t radius) {
    dw_work_t *work = s_work ((dw_work_options_t){
        .shape = shape, .nodes_count = nodes, .width = width, .radius = radius});
    uint32_t edges = 0;
    for (uint32_t to = 0; to < work->nodes_count; to++)
        for (uint32_t from = 0; from < work->nodes_count; from++) {
            bool expected = from < to && s_is_edge (work, from, to);
            if (s_depends (work, to, from) != expected)
                fail_msg ("%s of %u nodes, width %u, radius %u: %u -> %u should%s be an edge",
                          dw_shape_names[shape], (unsigned) nodes, (unsigned) width,
                          (unsigned) radius, (unsigned) from, (unsigned) to,
                          expected ? "" : " not");
            assert_int_equal (s_is_followed (work, from, to), expected);
            edges += expected;
        }
    assert_int_equal (edges, work->edges_count);
    dw_work_destroy (&work);
}

static void shapes_without_steps_have_the_edges_of_their_definition (void **state) {
    (void) state;
    static const uint32_t nodes[] = {1, 2, 3, 4, 5, 8, 9, 15, 16, 17, 48, 49, 63, 64, 100, 121};
    for (int shape = 0; shape <= DW_SHAPE_WAVE; shape++)
        for (size_t i = 0; i < sizeof nodes / sizeof *nodes; i++)
            s_expect_edges ((dw_shape_t) shape, nodes[i], 0, 0);
}

static void shapes_with_steps_have_the_edges_of_their_definition (void **state) {
    (void) state;
    static const uint32_t widths[] = {1, 2, 3, 4, 5, 7, 8, 9, 16, 17};
    for (int shape = DW_SHAPE_FFT; shape <= DW_SHAPE_NEAREST; shape++)
        for (size_t i = 0; i < sizeof widths / sizeof *widths; i++) {
            bool has_radius = shape == DW_SHAPE_SPREAD || shape == DW_SHAPE_NEAREST;
            for (uint32_t radius = has_radius; radius <= (has_radius ? 20 : 0); radius += 4)
                s_expect_edges ((dw_shape_t) shape, 9 * widths[i] + 3, widths[i], radius);
        }
}

static void random_has_one_to_four_predecessors_of_the_step_before (void **state) {
    (void) state;
    uint32_t seen[5] = {0};
    for (uint32_t seed = 0; seed < 5; seed++) {
        dw_work_t *work = s_work ((dw_work_options_t){
            .shape = DW_SHAPE_RANDOM, .nodes_count = 2345, .width = seed * 10, .seed = seed});
        uint32_t width = work->options.width;
        assert_int_equal (work->nodes_count, 2345);
        assert_int_equal (width, seed ? seed * 10 : 100);
        assert (width > 0);
        for (uint32_t node = 0; node < work->nodes_count; node++) {
            uint32_t count = work->dependencies_at[node + 1] - work->dependencies_at[node];
            assert_true (node < width ? count == 0 : count >= 1 && count <= 4);
            seen[count]++;
            for (uint32_t i = work->dependencies_at[node]; i < work->dependencies_at[node + 1]; i++)
                assert_true (s_depends (work, node, work->dependencies[i]) &&
                             work->dependencies[i] / width + 1 == node / width);
        }
        dw_work_destroy (&work);
    }
    for (uint32_t count = 1; count <= 4; count++)
        assert_true (seen[count] > 1500);
}

/* The graphs of the first five shapes, and what their tasks do, are those of all earlier
 * figures. */
static void hashes_of_earlier_versions_stay (void **state) {
    (void) state;
    static const uint64_t hashes[] = {UINT64_C (0x7f8943e4b5e17ba2), UINT64_C (0xb5f12f470c717dc4),
                                      UINT64_C (0xe7e0ce4817e14486), UINT64_C (0x9ac339fecac04831),
                                      UINT64_C (0xc8088f7535395086)};
    for (int shape = 0; shape <= DW_SHAPE_RANDOM; shape++) {
        uint64_t hash = 0;
        dw_work_t *work = s_work ((dw_work_options_t){
            .shape = (dw_shape_t) shape, .nodes_count = 1000, .payload_bytes = 16});
        assert_true (dw_work_expected (work, &hash));
        assert_true (hash == hashes[shape]);
        dw_work_destroy (&work);
    }
}

/* ---- Tasks ------------------------------------------------------------------------------------ */

/* All tasks in order, their inputs handed over one by one. */
static uint64_t s_run_apart (const dw_work_t *work) {
    size_t size = work->options.payload_bytes;
    uint8_t *payloads = malloc (work->nodes_count * size + 1);
    assert_non_null (payloads);
    for (uint32_t node = 0; node < work->nodes_count; node++) {
        const void *inputs[64];
        uint32_t count = 0;
        for (uint32_t i = work->dependencies_at[node]; i < work->dependencies_at[node + 1]; i++)
            inputs[count++] = payloads + work->dependencies[i] * size;
        dw_work_task (work, node, inputs, payloads + node * size);
    }
    uint64_t hash = dw_work_hash (work, payloads);
    free (payloads);
    return hash;
}

static uint64_t s_run_together (const dw_work_t *work) {
    uint8_t *payloads = malloc (work->nodes_count * (size_t) work->options.payload_bytes + 1);
    assert_non_null (payloads);
    for (uint32_t node = 0; node < work->nodes_count; node++)
        dw_work_task_at (work, node, payloads);
    uint64_t hash = dw_work_hash (work, payloads);
    free (payloads);
    return hash;
}

static void no_kernel_changes_the_outputs (void **state) {
    (void) state;
    static const uint32_t sizes[] = {16, 0, 1, 21, 600};
    for (int kernel = 0; kernel < DW_KERNELS; kernel++)
        for (size_t i = 0; i < (kernel == DW_KERNEL_EMPTY ? 5 : 1); i++) {
            uint64_t expected = 0;
            dw_work_t *work = s_work ((dw_work_options_t){.shape = DW_SHAPE_SPREAD,
                                                          .nodes_count = 64,
                                                          .payload_bytes = sizes[i],
                                                          .kernel = (dw_kernel_t) kernel,
                                                          .task_ns = kernel ? 500 : 0});
            assert_true (dw_work_expected (work, &expected));
            assert_true (s_run_apart (work) == expected);
            assert_true (s_run_together (work) == expected);
            assert_int_equal (work->rounds_all > 0, kernel != DW_KERNEL_EMPTY);
            dw_work_destroy (&work);
        }
}

static void a_task_left_out_or_done_too_early_changes_the_hash (void **state) {
    (void) state;
    uint64_t expected = 0;
    uint8_t payloads[9 * 16] = {0};
    dw_work_t *work = s_work (
        (dw_work_options_t){.shape = DW_SHAPE_WAVE, .nodes_count = 9, .payload_bytes = 16});
    assert_true (dw_work_expected (work, &expected));
    for (uint32_t node = 0; node < 9; node++)
        if (node != 4)
            dw_work_task_at (work, node, payloads);
    assert_true (dw_work_hash (work, payloads) != expected);
    dw_work_task_at (work, 4, payloads); /* too late for those that read it */
    assert_true (dw_work_hash (work, payloads) != expected);
    dw_work_destroy (&work);
}

static void uneven_times_are_exponential_around_their_mean (void **state) {
    (void) state;
    const uint32_t count = 100000;
    dw_work_options_t options = {.shape = DW_SHAPE_NONE,
                                 .nodes_count = count,
                                 .kernel = DW_KERNEL_UNEVEN,
                                 .task_ns = 1000000,
                                 .seed = 7,
                                 .ns_per_round = 1};
    dw_work_t *work = s_work (options), *again = s_work (options);
    options.seed = 8;
    dw_work_t *other = s_work (options);
    uint32_t above = 0, differ = 0;
    for (uint32_t node = 0; node < count; node++) {
        above += work->task_ns[node] > 2000000;
        differ += work->task_ns[node] != other->task_ns[node];
        assert_true (work->task_ns[node] == again->task_ns[node]);
        assert_true (work->task_ns[node] == work->rounds[node]);
    }
    double mean = (double) work->total_ns / count;
    assert_true (mean > 990000 && mean < 1010000);
    assert_true (above > 13000 && above < 14100); /* e^-2 of them */
    assert_true (differ > count - 100);
    assert_true (work->longest_ns > 8000000);
    dw_work_destroy (&work);
    dw_work_destroy (&again);
    dw_work_destroy (&other);
}

/* ---- What makes no sense ---------------------------------------------------------------------- */

static void s_expect_refused (dw_work_options_t options, int code, const char *message) {
    dw_work_t *work = NULL;
    dw_error_t *error = dw_error_new ();
    assert_int_equal (dw_work_new (&work, &options, error), code);
    assert_null (work);
    if (!strstr (dw_error_text (error), message))
        fail_msg ("\"%s\" is not in: %s", message, dw_error_text (error));
    dw_error_destroy (&error);
}

static void options_that_make_no_sense_are_refused (void **state) {
    (void) state;
#define REFUSED(message, ...) \
    s_expect_refused ((dw_work_options_t){__VA_ARGS__}, DW_EINVAL, message)
    REFUSED ("number of nodes must be from 1 to 10000000, not 0", .nodes_count = 0);
    REFUSED ("not 10000001", .nodes_count = 10000001);
    REFUSED ("the shape chain has no width", .nodes_count = 5, .width = 2);
    REFUSED ("a width of 6 is more than the 5 nodes", .shape = DW_SHAPE_FFT, .nodes_count = 5,
             .width = 6);
    REFUSED ("the shape fft has no radius", .shape = DW_SHAPE_FFT, .nodes_count = 5, .radius = 2);
    REFUSED ("at most 1000", .shape = DW_SHAPE_NEAREST, .nodes_count = 5, .radius = 1001);
    REFUSED ("16 MiB", .nodes_count = 5, .payload_bytes = (16 << 20) + 1);
    REFUSED ("empty takes no time", .nodes_count = 5, .task_ns = 1);
    REFUSED ("a task's time", .nodes_count = 5, .kernel = DW_KERNEL_COMPUTE, .task_ns = UINT64_MAX);
    REFUSED ("scale of times", .nodes_count = 5, .time_scale = 2);
    REFUSED ("scale of times must be over 0", .nodes_count = 5, .time_scale = -1);
    REFUSED ("time of a round", .nodes_count = 5, .ns_per_round = -1);
    REFUSED ("needs a file", .shape = DW_SHAPE_FILE);
    REFUSED ("for the shape file alone", .nodes_count = 5, .file = "g.yaml");
    REFUSED ("a dw_shape_t", .shape = DW_SHAPES, .nodes_count = 5);
    REFUSED ("a dw_kernel_t", .kernel = DW_KERNELS, .nodes_count = 5);
}

static void what_does_not_fit_into_memory_is_refused_with_how_much_there_is (void **state) {
    (void) state;
    dw_work_options_t payloads = {.nodes_count = 10000000, .payload_bytes = 16 << 20};
    s_expect_refused (payloads, DW_ELIMIT, "take some 16000");
    dw_work_options_t edges = {
        .shape = DW_SHAPE_ALL_TO_ALL, .nodes_count = 10000000, .width = 5000000};
    s_expect_refused (edges, DW_ELIMIT, "edges (at most 4294967294)");
}

/* ---- Files ------------------------------------------------------------------------------------ */

/* Declared in an order that is not that of ranks: d waits for b and c, which wait for a. */
#define TASKS(d, b)                                                                \
    "{\"schemaVersion\": \"1.5\", \"workflow\": {\"specification\": {\"tasks\": [" \
    "{\"id\": \"d\", \"parents\": [\"c\", \"b\"]" d "}, {\"id\": \"b\"" b          \
    ", \"parents\": [\"a\"]}, {\"id\": \"a\", \"parents\": []}, "                  \
    "{\"id\": \"c\", \"parents\": [\"a\"]}]}, \"execution\": {\"tasks\": ["
#define TIMES                                                                                \
    "{\"id\": \"a\", \"runtimeInSeconds\": 0.5}, {\"id\": \"b\", \"runtimeInSeconds\": 2}, " \
    "{\"id\": \"c\", \"runtimeInSeconds\": 1}, {\"id\": \"d\", \"runtimeInSeconds\": 4.5}]}}}"

static void a_workflow_has_its_edges_and_times_by_rank (void **state) {
    (void) state;
    const char *file = command_file ("w.json", TASKS ("", "") TIMES);
    dw_work_t *work = s_work ((dw_work_options_t){
        .shape = DW_SHAPE_FILE, .kernel = DW_KERNEL_COMPUTE, .file = file, .time_scale = 0.001});
    static const uint32_t dependencies[] = {0, 0, 2, 1}; /* a; b, c after a; d after c, b */
    static const uint64_t times[] = {500000, 2000000, 1000000, 4500000};
    assert_int_equal (work->nodes_count, 4);
    assert_int_equal (work->edges_count, 4);
    assert_memory_equal (work->dependencies, dependencies, sizeof dependencies);
    assert_memory_equal (work->task_ns, times, sizeof times);
    assert_int_equal (work->total_ns, 8000000);
    assert_int_equal (work->longest_ns, 4500000);
    dw_work_destroy (&work);
}

static void a_workflow_can_be_scaled_to_a_mean_or_run_empty (void **state) {
    (void) state;
    const char *file = command_file ("w.json", TASKS ("", "") TIMES);
    dw_work_t *work = s_work ((dw_work_options_t){
        .shape = DW_SHAPE_FILE, .kernel = DW_KERNEL_BLOCK, .file = file, .task_ns = 2000});
    static const uint64_t times[] = {500, 2000, 1000, 4500};
    assert_memory_equal (work->task_ns, times, sizeof times);
    dw_work_destroy (&work);
    work = s_work ((dw_work_options_t){.shape = DW_SHAPE_FILE, .file = file});
    assert_null (work->task_ns);
    assert_int_equal (work->total_ns, 0);
    dw_work_destroy (&work);
    s_expect_refused ((dw_work_options_t){.shape = DW_SHAPE_FILE,
                                          .kernel = DW_KERNEL_COMPUTE,
                                          .file = file,
                                          .task_ns = 2000,
                                          .time_scale = 2},
                      DW_EINVAL, "ask for one of both");
}

static void a_graph_file_gives_its_edges_alone (void **state) {
    (void) state;
    static const char *const texts[] = {
        "processors:\n"
        "  - {id: z, processor: concat, depends_on: [y, x]}\n"
        "  - {id: x, processor: identity}\n"
        "  - {id: y, processor: identity, depends_on: [x]}\n",
        "{\"processors\": [{\"id\": \"z\", \"processor\": \"concat\", \"depends_on\": [\"y\", "
        "\"x\"]}, {\"id\": \"x\", \"processor\": \"identity\"}, {\"id\": \"y\", \"processor\": "
        "\"identity\", \"depends_on\": [\"x\"]}]}"};
    static const char *const names[] = {"g.yaml", "g.json"};
    static const uint32_t dependencies[] = {0, 1, 0}; /* x; y after x; z after y, x */
    for (int i = 0; i < 2; i++) {
        const char *file = command_file (names[i], texts[i]);
        dw_work_t *work = s_work ((dw_work_options_t){
            .shape = DW_SHAPE_FILE, .kernel = DW_KERNEL_COMPUTE, .file = file, .task_ns = 1000});
        assert_int_equal (work->nodes_count, 3);
        assert_int_equal (work->edges_count, 3);
        assert_memory_equal (work->dependencies, dependencies, sizeof dependencies);
        assert_int_equal (work->total_ns, 3000);
        dw_work_destroy (&work);
        s_expect_refused (
            (dw_work_options_t){.shape = DW_SHAPE_FILE, .file = file, .time_scale = 2}, DW_EINVAL,
            "has no times to scale");
    }
}

typedef struct mistake_t {
    const char *text, *message;
} mistake_t;

static void a_workflow_that_lacks_something_says_which_field_of_which_task (void **state) {
    (void) state;
    static const mistake_t mistakes[] = {
        {"{", "w.json:1:1: error: not JSON"},
        {"{}", "\"workflow\" is missing, as WfFormat has it, and \"processors\""},
        {"[]", "\"workflow\" is missing"},
        {"{\"workflow\": {}}", "\"workflow.specification.tasks\" is missing or no list"},
        {"{\"workflow\": {\"specification\": {\"tasks\": []}}}", "\"workflow.execution.tasks\""},
        {"{\"schemaVersion\": \"1.3\", \"workflow\": {\"specification\": {\"tasks\": []}, "
         "\"execution\": {\"tasks\": []}}}",
         "\"schemaVersion\" must be \"1.5\", not \"1.3\""},
        {"{\"schemaVersion\": \"1.5\", \"workflow\": {\"specification\": {\"tasks\": []}, "
         "\"execution\": {\"tasks\": []}}}",
         "the graph has no node"},
        {TASKS ("", "") "]}}}",
         "workflow.specification.tasks[0] (\"d\"): \"runtimeInSeconds\" is missing"},
        {TASKS ("", "") "{\"runtimeInSeconds\": 1}]}}}",
         "workflow.execution.tasks[0]: \"id\" is missing"},
        {TASKS ("", "") "{\"id\": \"a\"}]}}}",
         "workflow.execution.tasks[0] (\"a\"): \"runtimeInSeconds\" is missing or no number"},
        {TASKS ("", "") "{\"id\": \"a\", \"runtimeInSeconds\": -1}]}}}", "is below 0"},
        {"{\"schemaVersion\": \"1.5\", \"workflow\": {\"specification\": {\"tasks\": [{\"id\": "
         "\"a\"}, {\"parents\": []}, {\"id\": \"b\", \"parents\": [1]}]}, \"execution\": "
         "{\"tasks\": []}}}",
         "tasks[0] (\"a\"): \"parents\" is missing or no list"},
        {"{\"schemaVersion\": \"1.5\", \"workflow\": {\"specification\": {\"tasks\": [{\"id\": "
         "\"a\", \"parents\": []}, {\"parents\": []}, {\"id\": \"b\", \"parents\": [1]}]}, "
         "\"execution\": {\"tasks\": []}}}",
         "tasks[1]: \"id\" is missing or no string"},
        {"{\"schemaVersion\": \"1.5\", \"workflow\": {\"specification\": {\"tasks\": [{\"id\": "
         "\"b\", \"parents\": [1]}]}, \"execution\": {\"tasks\": []}}}",
         "tasks[0] (\"b\"): \"parents\" has an item that is no string"},
        {"{\"schemaVersion\": \"1.5\", \"workflow\": {\"specification\": {\"tasks\": [{\"id\": "
         "\"alpha\", \"parents\": [\"alfa\"]}]}, \"execution\": {\"tasks\": [{\"id\": \"alpha\", "
         "\"runtimeInSeconds\": 1}]}}}",
         "node \"alpha\" depends on \"alfa\", which is not in the graph"},
        {"{\"schemaVersion\": \"1.5\", \"workflow\": {\"specification\": {\"tasks\": [{\"id\": "
         "\"a\", \"parents\": [\"a\"]}]}, \"execution\": {\"tasks\": [{\"id\": \"a\", "
         "\"runtimeInSeconds\": 1}]}}}",
         "cycle: a -> a"},
    };
    for (size_t i = 0; i < sizeof mistakes / sizeof *mistakes; i++) {
        const char *file = command_file ("w.json", mistakes[i].text);
        s_expect_refused ((dw_work_options_t){.shape = DW_SHAPE_FILE, .file = file}, DW_EGRAPH,
                          mistakes[i].message);
    }
    s_expect_refused ((dw_work_options_t){.shape = DW_SHAPE_FILE, .file = "/nowhere/w.json"},
                      DW_EFILE, "cannot be read");
}

static void problems_of_a_workflow_are_told_up_to_a_limit (void **state) {
    (void) state;
    char tasks[50 * 4 + 1] = "", text[sizeof tasks + 200];
    for (size_t i = 0; i < 50; i++)
        snprintf (tasks + 4 * i, sizeof tasks - 4 * i, i < 49 ? "{}, " : "{}");
    snprintf (text, sizeof text,
              "{\"schemaVersion\": \"1.5\", \"workflow\": {\"specification\": {\"tasks\": [%s]}, "
              "\"execution\": {\"tasks\": []}}}",
              tasks);
    s_expect_refused (
        (dw_work_options_t){.shape = DW_SHAPE_FILE, .file = command_file ("w.json", text)},
        DW_EGRAPH, "and 30 problems more");
}

static void times_beyond_all_bounds_are_refused (void **state) {
    (void) state;
    const char *file = command_file (
        "w.json", "{\"schemaVersion\": \"1.5\", \"workflow\": {\"specification\": {\"tasks\": "
                  "[{\"id\": \"a\", \"parents\": []}]}, \"execution\": {\"tasks\": [{\"id\": "
                  "\"a\", \"runtimeInSeconds\": 1e300}]}}}");
    s_expect_refused (
        (dw_work_options_t){.shape = DW_SHAPE_FILE, .kernel = DW_KERNEL_COMPUTE, .file = file},
        DW_EINVAL, "scale their times");
}

int main (void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test (shapes_without_steps_have_the_edges_of_their_definition),
        cmocka_unit_test (shapes_with_steps_have_the_edges_of_their_definition),
        cmocka_unit_test (random_has_one_to_four_predecessors_of_the_step_before),
        cmocka_unit_test (hashes_of_earlier_versions_stay),
        cmocka_unit_test (no_kernel_changes_the_outputs),
        cmocka_unit_test (a_task_left_out_or_done_too_early_changes_the_hash),
        cmocka_unit_test (uneven_times_are_exponential_around_their_mean),
        cmocka_unit_test (options_that_make_no_sense_are_refused),
        cmocka_unit_test (what_does_not_fit_into_memory_is_refused_with_how_much_there_is),
        cmocka_unit_test (a_workflow_has_its_edges_and_times_by_rank),
        cmocka_unit_test (a_workflow_can_be_scaled_to_a_mean_or_run_empty),
        cmocka_unit_test (a_graph_file_gives_its_edges_alone),
        cmocka_unit_test (a_workflow_that_lacks_something_says_which_field_of_which_task),
        cmocka_unit_test (problems_of_a_workflow_are_told_up_to_a_limit),
        cmocka_unit_test (times_beyond_all_bounds_are_refused),
    };
    return !!cmocka_run_group_tests (tests, command_folder_set_up, command_folder_tear_down);
}
