/* test_plan_demands.c - nodes that demand something of who runs them: the lanes that come of it. */

#include "tests/support/graph_fixture.h"

#include <stdio.h>
#include <string.h>

static dw_plan_t *s_plan (graph_fixture_t *f) {
    dw_plan_destroy (&f->plan);
    if (dw_plan_new (&f->plan, f->graph, &graph_fixture_lookup, f->error))
        fail_msg ("%s", dw_error_text (f->error));
    return f->plan;
}

static void s_require (graph_fixture_t *f, int node, const char *tag, const char *value) {
    assert_int_equal (dw_graph_require_tag (f->graph, node, tag, value), DW_OK);
}

static void s_expect_lanes (const dw_plan_t *plan, const char *const *demands, uint32_t count) {
    char shown[DW_DEMAND_SHOWN];
    assert_int_equal (plan->lanes_count, count);
    for (uint32_t lane = 0; lane < count; lane++)
        assert_string_equal (dw_plan_show_demand (plan, lane, shown), demands[lane]);
}
#define EXPECT_LANES(plan, ...)                               \
    s_expect_lanes (plan, (const char *const[]){__VA_ARGS__}, \
                    (uint32_t) (sizeof ((const char *[]){__VA_ARGS__}) / sizeof (char *)))

static void nodes_that_demand_nothing_have_one_lane_and_no_demands (void **state) {
    graph_fixture_t *f = *state;
    graph_fixture_add (f, "a", "t", "");
    dw_graph_options (f->graph)->actors = DW_ACTORS_POOL;
    dw_plan_t *plan = s_plan (f);
    assert_int_equal (plan->lanes_count, 1);
    assert_null (plan->demands);
    assert_null (plan->urgency);
    assert_true (dw_plan_lane_is_free (plan, 0));
}

static void there_is_a_lane_for_each_different_demand (void **state) {
    graph_fixture_t *f = *state;
    int far = graph_fixture_add (f, "far", "t", "");
    int gpu = graph_fixture_add (f, "gpu", "t", "");
    int both = graph_fixture_add (f, "both", "t", "");
    graph_fixture_add (f, "near", "t", "");
    int again = graph_fixture_add (f, "again", "t", "");
    assert_int_equal (dw_graph_set_remote (f->graph, far), DW_OK);
    s_require (f, gpu, "gpu", "yes");
    s_require (f, both, "zone", "a");
    s_require (f, both, "gpu", "yes");
    s_require (f, again, "gpu", "no");
    s_require (f, again, "gpu", "yes"); /* the later value */
    dw_graph_options (f->graph)->actors = DW_ACTORS_THREAD;
    dw_plan_t *plan = s_plan (f);
    assert_true (plan->pool);
    EXPECT_LANES (plan, "none", "remote", "gpu=yes", "gpu=yes, zone=a");
    static const uint32_t lanes[] = {1, 2, 3, 0, 2};
    for (uint32_t node = 0; node < 5; node++)
        assert_int_equal (plan->lane[node], lanes[node]);
    for (uint32_t lane = 0; lane < 4; lane++)
        assert_int_equal (dw_plan_lane_is_free (plan, lane), lane == 0);
}

static void where_every_node_makes_a_demand_there_is_no_free_lane (void **state) {
    graph_fixture_t *f = *state;
    s_require (f, graph_fixture_add (f, "a", "t", ""), "gpu", "yes");
    assert_int_equal (dw_graph_set_remote (f->graph, graph_fixture_add (f, "b", "t", "")), DW_OK);
    dw_plan_t *plan = s_plan (f);
    EXPECT_LANES (plan, "gpu=yes", "remote");
    assert_false (dw_plan_lane_is_free (plan, 0));
}

static void a_tag_implies_that_the_type_is_remote (void **state) {
    graph_fixture_t *f = *state;
    int both = graph_fixture_add (f, "a", "t", "");
    s_require (f, both, "gpu", "yes");
    assert_int_equal (dw_graph_set_remote (f->graph, both), DW_OK);
    s_require (f, graph_fixture_add (f, "b", "t", ""), "gpu", "yes");
    EXPECT_LANES (s_plan (f), "gpu=yes");
}

static void a_chain_stays_within_its_lane (void **state) {
    graph_fixture_t *f = *state;
    graph_fixture_add (f, "a", "t", "");
    graph_fixture_add (f, "b", "t", "a");
    s_require (f, graph_fixture_add (f, "c", "t", "b"), "gpu", "yes");
    s_require (f, graph_fixture_add (f, "d", "t", "c"), "gpu", "yes");
    graph_fixture_add (f, "e", "t", "d");
    dw_plan_t *plan = s_plan (f);
    static const uint32_t lengths[] = {2, 1, 2, 1, 1};
    for (uint32_t node = 0; node < 5; node++)
        assert_int_equal (plan->chain_length[node], lengths[node]);
    assert_int_equal (plan->chains_count, 2);
}

static void urgency_is_the_order_of_all_nodes_and_positions_that_of_a_lanes (void **state) {
    graph_fixture_t *f = *state;
    graph_fixture_add (f, "a", "t", "");
    s_require (f, graph_fixture_add (f, "b", "a", ""), "gpu", "yes");
    s_require (f, graph_fixture_add (f, "c", "t", ""), "gpu", "yes");
    graph_fixture_add (f, "d", "t", "a");
    dw_plan_t *plan = s_plan (f);
    static const uint32_t urgencies[] = {0, 2, 1, 3}, positions[] = {0, 1, 0, 1};
    for (uint32_t node = 0; node < 4; node++) {
        assert_int_equal (plan->urgency[node], urgencies[node]);
        assert_int_equal (plan->position[node], positions[node]);
        assert_int_equal (plan->by_position[plan->lane_at[plan->lane[node]] + positions[node]],
                          node);
    }
    assert_int_equal (plan->lane_at[1], 2);
    assert_int_equal (plan->lane_at[2], 4);
}

static void sixty_four_different_demands_are_taken_and_no_more (void **state) {
    graph_fixture_t *f = *state;
    char id[16];
    for (int node = 0; node < 64; node++) {
        snprintf (id, sizeof id, "n%d", node);
        s_require (f, graph_fixture_add (f, id, "t", ""), "nr", id);
    }
    assert_int_equal (s_plan (f)->lanes_count, 64);
    graph_fixture_add (f, "free", "t", "");
    assert_int_equal (dw_plan_new (&f->plan, f->graph, &graph_fixture_lookup, f->error), DW_EGRAPH);
    assert_non_null (strstr (dw_error_text (f->error), "node \"n63\" is the first beyond 64"));
}

static void a_node_asks_for_sixteen_tags_and_no_more (void **state) {
    graph_fixture_t *f = *state;
    char name[16];
    int node = graph_fixture_add (f, "a", "t", "");
    for (int tag = 0; tag < 16; tag++) {
        snprintf (name, sizeof name, "tag%d", tag);
        s_require (f, node, name, "yes");
    }
    assert_int_equal (dw_graph_require_tag (f->graph, node, "more", "yes"), DW_ELIMIT);
    s_require (f, node, "tag7", "no"); /* it is there */
    assert_int_equal (s_plan (f)->demands[0].tags_count, 16);
}

static void tags_that_cannot_be_are_found_by_validation (void **state) {
    graph_fixture_t *f = *state;
    char longer[300];
    memset (longer, 'x', sizeof longer);
    longer[256] = '\0';
    static const char *const names[] = {"", "a b", "a=b", "\xc3\xa9"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        assert_non_null (dw_graph_check_tag (names[i], "yes"));
    assert_non_null (dw_graph_check_tag ("gpu", ""));
    assert_non_null (dw_graph_check_tag ("gpu", "a\nb"));
    assert_non_null (dw_graph_check_tag ("gpu", longer));
    assert_null (dw_graph_check_tag ("gpu", longer + 1));
    assert_non_null (dw_graph_check_tag (longer + 192, "yes"));
    assert_null (dw_graph_check_tag (longer + 193, "it = anything"));
    s_require (f, graph_fixture_add (f, "bad", "t", ""), "a b", "yes");
    assert_int_equal (dw_plan_new (&f->plan, f->graph, &graph_fixture_lookup, f->error), DW_EGRAPH);
    assert_non_null (strstr (dw_error_text (f->error), "node \"bad\": the name of a tag has"));
}

static void what_is_no_node_or_text_is_refused (void **state) {
    graph_fixture_t *f = *state;
    assert_int_equal (dw_graph_set_remote (f->graph, 0), DW_EINVAL);
    assert_int_equal (dw_graph_set_remote (NULL, 0), DW_EINVAL);
    int node = graph_fixture_add (f, "a", "t", "");
    assert_int_equal (dw_graph_require_tag (f->graph, node, NULL, "yes"), DW_EINVAL);
    assert_int_equal (dw_graph_require_tag (f->graph, node, "gpu", NULL), DW_EINVAL);
    assert_int_equal (dw_graph_require_tag (f->graph, node + 1, "gpu", "yes"), DW_EINVAL);
    assert_null (s_plan (f)->demands);
}

static void the_digest_depends_on_every_demand (void **state) {
    graph_fixture_t *f = *state;
    s_require (f, graph_fixture_add (f, "a", "t", ""), "gpu", "yes");
    dw_plan_t *plan = s_plan (f);
    uint64_t digest = dw_plan_digest (plan);
    plan->demands[0].tags[0].value = "no";
    assert_true (dw_plan_digest (plan) != digest);
    plan->demands[0].tags[0].value = "yes";
    plan->demands[0].tags[0].name = "cpu";
    assert_true (dw_plan_digest (plan) != digest);
    plan->demands[0].tags[0].name = "gpu";
    plan->demands[0].remote = false;
    assert_true (dw_plan_digest (plan) != digest);
    plan->demands[0].remote = true;
    plan->demands[0].tags_count = 0;
    assert_true (dw_plan_digest (plan) != digest);
    plan->demands[0].tags_count = 1;
    assert_true (dw_plan_digest (plan) == digest);
}

static bool s_append (void *arg, const char *text, size_t size) {
    char *printed = arg;
    size_t used = strlen (printed);
    assert_true (used + size < 4096);
    memcpy (printed + used, text, size);
    printed[used + size] = '\0';
    return true;
}

static void a_plan_prints_its_lanes (void **state) {
    graph_fixture_t *f = *state;
    char printed[4096] = "";
    graph_fixture_add (f, "a", "t", "");
    s_require (f, graph_fixture_add (f, "b", "t", ""), "gpu", "yes");
    s_require (f, graph_fixture_add (f, "c", "t", ""), "gpu", "yes");
    assert_true (dw_plan_print (s_plan (f), s_append, printed));
    assert_non_null (strstr (printed, "lanes              2: one for each demand on workers\n"
                                      "  lane 0            1 node, demand: none\n"
                                      "  lane 1            2 nodes, demand: gpu=yes\n"));
}

#define TEST(name) \
    cmocka_unit_test_setup_teardown (name, graph_fixture_setup, graph_fixture_teardown)

static void a_node_for_workers_elsewhere_may_name_what_only_they_have (void **state) {
    graph_fixture_t *f = *state;
    int words = graph_fixture_add (f, "words", "xyz", "");
    int other = graph_fixture_add (f, "other", "tt", "words");
    dw_graph_node_options (f->graph, words)->intent = DW_ANALYZE;
    assert_int_equal (dw_graph_set_remote (f->graph, words), DW_OK);
    s_require (f, other, "gpu", "yes");
    dw_plan_t *plan = s_plan (f);
    assert_int_equal (plan->flags[0],
                      DW_NODE_ANALYZE); /* it reads dependencies, and is not brief */
    assert_int_equal (plan->flags[1], 0);
    assert_string_equal (dw_error_text (f->error),
                         "warning: node \"other\" names the processor \"tt\", which only a worker "
                         "elsewhere can have; did you mean \"t\"?\n");
    graph_fixture_add (f, "near", "xyz", "");
    dw_plan_destroy (&f->plan);
    assert_int_equal (dw_plan_new (&f->plan, f->graph, &graph_fixture_lookup, f->error), DW_EGRAPH);
    assert_non_null (strstr (dw_error_text (f->error),
                             "node \"near\" names the processor \"xyz\", which is unknown"));
}

int main (void) {
    const struct CMUnitTest tests[] = {
        TEST (a_node_for_workers_elsewhere_may_name_what_only_they_have),
        TEST (nodes_that_demand_nothing_have_one_lane_and_no_demands),
        TEST (there_is_a_lane_for_each_different_demand),
        TEST (where_every_node_makes_a_demand_there_is_no_free_lane),
        TEST (a_tag_implies_that_the_type_is_remote),
        TEST (a_chain_stays_within_its_lane),
        TEST (urgency_is_the_order_of_all_nodes_and_positions_that_of_a_lanes),
        TEST (sixty_four_different_demands_are_taken_and_no_more),
        TEST (a_node_asks_for_sixteen_tags_and_no_more),
        TEST (tags_that_cannot_be_are_found_by_validation),
        TEST (what_is_no_node_or_text_is_refused),
        TEST (the_digest_depends_on_every_demand),
        TEST (a_plan_prints_its_lanes),
    };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
