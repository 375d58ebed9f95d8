/* test_bench_figures.c - how benches compute: percentiles against sorting, list scheduling against
 * hand-made cases, METG against curves whose answer is known. */

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "bench/lib/histogram.h"
#include "bench/lib/makespan.h"
#include "bench/lib/metg.h"
#include "bench/lib/spread.h"
#include "tests/support/random.h"

/* ---- Percentiles ------------------------------------------------------------------------------ */

static void every_number_is_in_a_bucket_that_is_narrow_and_ends_at_or_above_it (void **state) {
    (void) state;
    random_t random = random_from (random_seed ());
    for (uint64_t value = 0; value < 100000; value++) {
        uint64_t number = value < 5000 ? value : random_integer (&random);
        size_t bucket = dw_histogram_bucket (number);
        uint64_t end = dw_histogram_bucket_end (bucket);
        assert_true (bucket < DW_HISTOGRAM_BUCKETS);
        assert_true (end >= number && end - number <= number / 128);
        assert_true (bucket == 0 || dw_histogram_bucket_end (bucket - 1) < number);
    }
    assert_int_equal (dw_histogram_bucket (UINT64_MAX), DW_HISTOGRAM_BUCKETS - 1);
    assert_true (dw_histogram_bucket_end (DW_HISTOGRAM_BUCKETS - 1) == UINT64_MAX);
}

static int s_compare (const void *a, const void *b) {
    uint64_t x = *(const uint64_t *) a, y = *(const uint64_t *) b;
    return x < y ? -1 : x > y;
}

/* The same by sorting: the smallest number that at least so many are not above. */
static uint64_t s_sorted_percentile (const uint64_t *sorted, uint32_t count, double percent) {
    uint32_t i = 0;
    while (100.0 * (i + 1) < percent * count)
        i++;
    return sorted[i];
}

static void percentiles_are_those_of_sorting (void **state) {
    (void) state;
    static const double percents[] = {0, 1, 25, 50, 75, 90, 99, 99.9, 100};
    static uint64_t numbers[5000];
    random_t random = random_from (random_seed ());
    for (uint32_t count = 1; count <= 5000; count = count * 3 + 1) {
        dw_histogram_t *histogram = calloc (1, sizeof *histogram);
        dw_histogram_t *half = calloc (1, sizeof *half);
        assert_true (histogram && half);
        for (uint32_t i = 0; i < count; i++) {
            numbers[i] = random_next (&random) >> random_below (&random, 60);
            dw_histogram_add (i % 2 ? half : histogram, numbers[i]);
        }
        dw_histogram_merge (histogram, half);
        qsort (numbers, count, sizeof *numbers, s_compare);
        assert_int_equal (histogram->count, count);
        assert_true (histogram->min == numbers[0] && histogram->max == numbers[count - 1]);
        for (size_t i = 0; i < sizeof percents / sizeof *percents; i++) {
            uint64_t exact = s_sorted_percentile (numbers, count, percents[i]);
            uint64_t found = dw_histogram_percentile (histogram, percents[i]);
            assert_true (found >= exact && found - exact <= exact / 128);
        }
        free (histogram);
        free (half);
    }
}

static void the_median_of_an_even_number_is_between_the_two (void **state) {
    (void) state;
    double values[] = {4, 1, 3, 10}, one[] = {7};
    dw_spread_t spread = dw_spread_of (values, 4), rate = dw_spread_inverse (spread, 60);
    assert_true (spread.median == 3.5 && spread.min == 1 && spread.max == 10);
    assert_true (rate.min == 6 && rate.max == 60 && rate.median == 60 / 3.5);
    assert_true (dw_spread_of (one, 1).median == 7 && dw_spread_of (one, 1).max == 7);
}

/* ---- List scheduling -------------------------------------------------------------------------- */

/* A work of hand-made tasks: edges are pairs from, to, in the order of to. */
typedef struct graph_t {
    uint32_t nodes_count, edges_count;
    uint64_t times[16];
    uint32_t edges[32][2];
} graph_t;

typedef struct made_t {
    dw_work_t work;
    uint32_t dependencies_at[17], dependencies[32], successors_at[17], successors[32];
    uint64_t times[16];
} made_t;

static void s_make (made_t *made, const graph_t *graph) {
    uint32_t in = 0, out = 0;
    memset (made, 0, sizeof *made);
    for (uint32_t node = 0; node < graph->nodes_count; node++) {
        for (uint32_t i = 0; i < graph->edges_count; i++) {
            if (graph->edges[i][1] == node)
                made->dependencies[in++] = graph->edges[i][0];
            if (graph->edges[i][0] == node)
                made->successors[out++] = graph->edges[i][1];
        }
        made->dependencies_at[node + 1] = in;
        made->successors_at[node + 1] = out;
        made->times[node] = graph->times[node];
    }
    made->work = (dw_work_t){.nodes_count = graph->nodes_count,
                             .edges_count = graph->edges_count,
                             .dependencies_at = made->dependencies_at,
                             .dependencies = made->dependencies,
                             .successors_at = made->successors_at,
                             .successors = made->successors,
                             .task_ns = made->times};
}

static void s_expect_makespan (const graph_t *graph, uint32_t workers, uint64_t path,
                               uint64_t list) {
    made_t made;
    uint64_t ns = 0;
    s_make (&made, graph);
    assert_true (dw_makespan_critical_path (&made.work, &ns));
    assert_int_equal (ns, path);
    assert_true (dw_makespan_list (&made.work, workers, &ns));
    assert_int_equal (ns, list);
}

static void independent_tasks_go_longest_first (void **state) {
    (void) state;
    /* Two workers: 5 | 4, then 3 on the second (7), 3 on the first (8), 3 on the second (10). The
     * best schedule takes 9: list scheduling is not always the best. */
    static const graph_t graph = {.nodes_count = 5, .times = {3, 3, 5, 3, 4}};
    s_expect_makespan (&graph, 1, 5, 18);
    s_expect_makespan (&graph, 2, 5, 10);
    s_expect_makespan (&graph, 5, 5, 5);
    s_expect_makespan (&graph, 100, 5, 5);
}

static void the_longest_path_goes_first_and_a_worker_waits_for_nothing (void **state) {
    (void) state;
    /* 0 -> 3 -> 4 is the long path; 1 and 2 fill in. One worker less fills in behind. */
    static const graph_t graph = {
        .nodes_count = 5, .edges_count = 2, .times = {2, 3, 3, 4, 4}, .edges = {{0, 3}, {3, 4}}};
    s_expect_makespan (&graph, 2, 10, 10);
    s_expect_makespan (&graph, 1, 10, 16);
    s_expect_makespan (&graph, 3, 10, 10);
}

/* The example of Graham's anomalies (1969): nine tasks on three workers take 12 in the order 1 to
 * 9. With each of them 1 shorter that order takes 13; the longest path first takes 10. */
static void grahams_tasks_take_twelve_and_less_when_they_are_shorter (void **state) {
    (void) state;
    graph_t graph = {.nodes_count = 9,
                     .edges_count = 5,
                     .times = {3, 2, 2, 2, 4, 4, 4, 4, 9},
                     .edges = {{3, 4}, {3, 5}, {3, 6}, {3, 7}, {0, 8}}};
    s_expect_makespan (&graph, 3, 12, 12);
    for (uint32_t node = 0; node < 9; node++)
        graph.times[node]--;
    s_expect_makespan (&graph, 3, 10, 10);
}

static void a_diamond_waits_for_its_slower_side (void **state) {
    (void) state;
    static const graph_t graph = {.nodes_count = 4,
                                  .edges_count = 4,
                                  .times = {1, 5, 2, 1},
                                  .edges = {{0, 1}, {0, 2}, {1, 3}, {2, 3}}};
    s_expect_makespan (&graph, 1, 7, 9);
    s_expect_makespan (&graph, 2, 7, 7);
}

/* Tasks without time end at once, in any number. */
static void tasks_that_take_no_time_take_none (void **state) {
    (void) state;
    static const graph_t graph = {.nodes_count = 4,
                                  .edges_count = 3,
                                  .times = {0, 0, 7, 0},
                                  .edges = {{0, 1}, {1, 2}, {2, 3}}};
    static const graph_t nothing = {.nodes_count = 3};
    s_expect_makespan (&graph, 2, 7, 7);
    s_expect_makespan (&nothing, 2, 0, 0);
}

/* Graham's bound: no list is worse than 2 - 1/m times the best, which no bound is above. */
static void list_scheduling_stays_within_grahams_bound (void **state) {
    (void) state;
    random_t random = random_from (random_seed ());
    for (uint32_t i = 0; i < 200; i++) {
        dw_work_t *work = NULL;
        dw_work_options_t options = {.shape = (dw_shape_t) random_below (&random, DW_SHAPE_FILE),
                                     .nodes_count = 1 + random_below (&random, 300),
                                     .kernel = DW_KERNEL_UNEVEN,
                                     .task_ns = 1 + random_below (&random, 100000),
                                     .seed = random_next (&random),
                                     .ns_per_round = 1};
        uint32_t workers = 1 + random_below (&random, 6);
        uint64_t path = 0, list = 0;
        assert_int_equal (dw_work_new (&work, &options, NULL), DW_OK);
        assert_true (dw_makespan_critical_path (work, &path));
        assert_true (dw_makespan_list (work, workers, &list));
        assert_true (list >= path && list * workers >= work->total_ns);
        assert_true (list * workers <= work->total_ns + (workers - 1) * path);
        dw_work_destroy (&work);
    }
}

/* ---- METG ------------------------------------------------------------------------------------- */

/* A runtime that takes 3 us for each task, on a perfect machine. */
static void metg_is_interpolated_between_two_points (void **state) {
    (void) state;
    double ns = 0, task_ns = 0;
    dw_metg_t *metg = calloc (1, sizeof *metg);
    assert_non_null (metg);
    metg->peak = 1;
    for (uint64_t task = 64000; task > 500; task /= 2) {
        dw_metg_point_t *point = &metg->points[metg->points_count++];
        point->granularity_ns.median = (double) task + 3000;
        point->efficiency = (double) task / ((double) task + 3000);
    }
    /* 4 us tasks have 4/7, 2 us tasks 2/5: half is 5/12 of the way down from 7 us to 5 us. */
    assert_true (dw_metg_find (metg, 0.5, &ns, &task_ns));
    double share = (4.0 / 7 - 0.5) / (4.0 / 7 - 2.0 / 5);
    assert_true (ns > 7000 - 2000 * share - 0.01 && ns < 7000 - 2000 * share + 0.01);
    assert_true (task_ns > ns / 2 - 0.01 && task_ns < ns / 2 + 0.01);
    assert_false (dw_metg_find (metg, 0.99, &ns, &task_ns)); /* not reached */
    assert_false (dw_metg_find (metg, 0.01, &ns, &task_ns)); /* never left */
    free (metg);
}

int main (void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test (every_number_is_in_a_bucket_that_is_narrow_and_ends_at_or_above_it),
        cmocka_unit_test (percentiles_are_those_of_sorting),
        cmocka_unit_test (the_median_of_an_even_number_is_between_the_two),
        cmocka_unit_test (independent_tasks_go_longest_first),
        cmocka_unit_test (the_longest_path_goes_first_and_a_worker_waits_for_nothing),
        cmocka_unit_test (grahams_tasks_take_twelve_and_less_when_they_are_shorter),
        cmocka_unit_test (a_diamond_waits_for_its_slower_side),
        cmocka_unit_test (tasks_that_take_no_time_take_none),
        cmocka_unit_test (list_scheduling_stays_within_grahams_bound),
        cmocka_unit_test (metg_is_interpolated_between_two_points),
    };
    return !!cmocka_run_group_tests (tests, NULL, NULL);
}
