/* test_plan_digest.c - one number for all of a plan that a worker depends on. */

#include "runtime/core/plan.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support/graph_fixture.h"
#include "tests/support/random_graph.h"

/* in -> wash -> cut -> both, in -> look -> both: a chain, an analyzer, an input, a timeout. */
static void s_build (graph_fixture_t *f) {
    dw_graph_options (f->graph)->actors = DW_ACTORS_POOL;
    graph_fixture_add (f, "in", "t", "");
    graph_fixture_add (f, "wash", "s", "in");
    graph_fixture_add (f, "cut", "s", "wash");
    graph_fixture_add (f, "look-at-it", "a", "in");
    int both = graph_fixture_add (f, "both", "t", "look-at-it cut");
    assert_int_equal (dw_graph_set_input (f->graph, both, "wash"), DW_OK);
    dw_graph_node_options (f->graph, both)->timeout_us = 5000000;
}

static uint64_t s_digest_on (graph_fixture_t *f, uint32_t cpus_count) {
    dw_plan_lookup_t lookup = graph_fixture_lookup;
    lookup.cpus_count = cpus_count;
    dw_plan_destroy (&f->plan);
    assert_int_equal (dw_plan_new (&f->plan, f->graph, &lookup, f->error), DW_OK);
    return dw_plan_digest (f->plan);
}

static uint64_t s_digest (graph_fixture_t *f) {
    return s_digest_on (f, 6);
}

/* ---- What is in it ---------------------------------------------------------------------------- */

/* Another number here means that processes of different versions refuse each other: it may only
 * change together with the protocol. */
static void a_known_plan_has_the_same_digest_on_every_machine (void **state) {
    s_build (*state);
    assert_int_equal (s_digest (*state), UINT64_C (0x233ed10acee85191));
}

/* Changes what is there to see that the digest does, and puts it back. */
#define EXPECT_IN(what, other)                                    \
    do {                                                          \
        __typeof__ (what) kept = (what);                          \
        (what) = (other);                                         \
        if (dw_plan_digest (plan) == digest)                      \
            fail_msg ("the digest does not depend on %s", #what); \
        (what) = kept;                                            \
        assert_int_equal (dw_plan_digest (plan), digest);         \
    } while (0)

static void everything_of_every_node_is_in_it (void **state) {
    s_build (*state);
    uint64_t digest = s_digest (*state);
    dw_plan_t *plan = ((graph_fixture_t *) *state)->plan;
    for (uint32_t node = 0; node < plan->nodes_count; node++) {
        EXPECT_IN (plan->ids[node], "another");
        EXPECT_IN (plan->lane[node], plan->lane[node] + 1);
        EXPECT_IN (plan->kind[node], plan->kind[node] + 1);
        EXPECT_IN (plan->policy[node], (uint16_t) (plan->policy[node] + 1));
        EXPECT_IN (plan->source[node], plan->source[node] + 1);
        EXPECT_IN (plan->rule[node], plan->rule[node] + 1);
        EXPECT_IN (plan->chain_next[node], plan->chain_next[node] - 1);
        EXPECT_IN (plan->chain_length[node], plan->chain_length[node] + 1);
        EXPECT_IN (plan->dependencies_count[node], plan->dependencies_count[node] + 1);
        for (unsigned flag = 0; flag < 6; flag++)
            EXPECT_IN (plan->flags[node], (uint8_t) (plan->flags[node] ^ 1u << flag));
    }
    for (uint32_t edge = 0; edge < plan->edges_count; edge++)
        EXPECT_IN (plan->dependencies[edge], plan->dependencies[edge] + 1);
}

static void what_holds_for_all_nodes_is_in_it (void **state) {
    s_build (*state);
    uint64_t digest = s_digest (*state);
    dw_plan_t *plan = ((graph_fixture_t *) *state)->plan;
    EXPECT_IN (plan->nodes_count, plan->nodes_count - 1);
    EXPECT_IN (plan->failure_strategy, DW_BEST_EFFORT);
    EXPECT_IN (plan->max_payload_bytes, plan->max_payload_bytes + (UINT64_C (1) << 32));
    EXPECT_IN (plan->kinds_count, plan->kinds_count - 1);
    for (uint32_t kind = 0; kind < plan->kinds_count; kind++)
        EXPECT_IN (plan->kinds[kind], "another");
    EXPECT_IN (plan->policies_count, plan->policies_count - 1);
    for (uint32_t i = 0; i < plan->policies_count; i++) {
        dw_policy_t *policy = &plan->policies[i];
        EXPECT_IN (policy->timeout_us, policy->timeout_us + (INT64_C (1) << 40));
        EXPECT_IN (policy->retry_attempts, policy->retry_attempts + 1);
        EXPECT_IN (policy->backoff.initial_us, policy->backoff.initial_us + 1);
        EXPECT_IN (policy->backoff.max_us, policy->backoff.max_us + 1);
        EXPECT_IN (policy->backoff.factor, policy->backoff.factor + 1);
        EXPECT_IN (policy->backoff.jitter, policy->backoff.jitter / 2);
    }
}

/* Texts that run into each other, or that differ at one place only. */
static void every_byte_of_an_id_is_in_it_and_where_it_ends (void **state) {
    s_build (*state);
    uint64_t digest = s_digest (*state);
    dw_plan_t *plan = ((graph_fixture_t *) *state)->plan;
    char text[] = "twenty bytes, or so.";
    EXPECT_IN (plan->ids[0], "in\x01");
    EXPECT_IN (plan->ids[0], "");
    plan->ids[0] = text;
    digest = dw_plan_digest (plan);
    for (size_t at = 0; at < strlen (text); at++)
        for (unsigned bit = 0; bit < 8; bit++)
            EXPECT_IN (text[at], (char) (text[at] ^ (1 << bit)));
    plan->ids[0] = "ab";
    plan->ids[1] = "c";
    digest = dw_plan_digest (plan);
    plan->ids[0] = "a";
    plan->ids[1] = "bc";
    assert_int_not_equal (dw_plan_digest (plan), digest);
}

/* ---- What the graph says ---------------------------------------------------------------------- */

static void the_order_of_dependencies_is_in_it (void **state) {
    graph_fixture_t *f = *state;
    graph_fixture_add (f, "a", "t", "");
    graph_fixture_add (f, "b", "t", "");
    graph_fixture_add (f, "c", "t", "a b");
    uint64_t digest = s_digest (f);
    dw_dependency_t *dependencies = f->graph->nodes[2].dependencies;
    dw_dependency_t first = dependencies[0];
    dependencies[0] = dependencies[1];
    dependencies[1] = first;
    assert_int_not_equal (s_digest (f), digest);
}

static void what_a_graph_says_changes_it (void **state) {
    graph_fixture_t *f = *state;
    s_build (f);
    dw_graph_options_t *options = dw_graph_options (f->graph);
    uint64_t digests[7] = {s_digest (f)};
    options->failure_strategy = DW_CONTINUE_ON_ERROR;
    digests[1] = s_digest (f);
    options->max_payload_bytes = 1000;
    digests[2] = s_digest (f);
    options->timeout_us = 1;
    digests[3] = s_digest (f);
    options->actors = DW_ACTORS_THREAD;
    digests[4] = s_digest (f);
    dw_graph_node_options (f->graph, 1)->intent = DW_ANALYZE;
    digests[5] = s_digest (f);
    graph_fixture_add (f, "more", "t", "");
    digests[6] = s_digest (f);
    for (int i = 0; i < 7; i++)
        for (int j = 0; j < i; j++)
            assert_int_not_equal (digests[i], digests[j]);
}

/* ---- What is not in it ------------------------------------------------------------------------ */

static void the_machine_does_not_change_it (void **state) {
    graph_fixture_t *f = *state;
    s_build (f);
    uint64_t digest = s_digest_on (f, 1);
    uint32_t workers_count = f->plan->workers_count;
    assert_int_equal (s_digest_on (f, 64), digest);
    assert_int_not_equal (f->plan->workers_count, workers_count);
    dw_graph_options (f->graph)->actors = DW_ACTORS_THREAD;
    digest = s_digest_on (f, 1);
    assert_int_equal (s_digest_on (f, 64), digest);
}

static void what_only_the_scheduler_asks_does_not_change_it (void **state) {
    graph_fixture_t *f = *state;
    s_build (f);
    uint64_t digest = s_digest (f);
    dw_graph_options_t *options = dw_graph_options (f->graph);
    options->strategy = DW_REACTIVE;
    options->priority = DW_CRITICAL_PATH;
    options->pool_size = 3;
    options->max_concurrency = 2;
    options->batch_size = 7;
    dw_graph_node_options (f->graph, 1)->cost_us = 900;
    assert_int_equal (s_digest (f), digest);
}

static int s_compare (const void *left, const void *right) {
    const uint64_t *a = left, *b = right;
    return (*a > *b) - (*a < *b);
}

/* Graphs of several nodes that are drawn from different seeds are different graphs. */
static void many_graphs_have_as_many_digests (void **state) {
    enum { GRAPHS = 4000 };
    static uint64_t digests[GRAPHS];
    dw_plan_lookup_t lookup = {.trait = random_graph_trait, .cpus_count = 4};
    uint64_t seed = random_seed ();
    size_t count = 0;
    (void) state;
    for (uint64_t i = 0; i < GRAPHS; i++) {
        random_graph_t *drawn = random_graph_new (seed * GRAPHS + i, 30);
        dw_graph_t *graph = random_graph_build (drawn);
        dw_plan_t *plan = NULL;
        assert_int_equal (dw_plan_new (&plan, graph, &lookup, NULL), DW_OK);
        if (plan->nodes_count >= 8)
            digests[count++] = dw_plan_digest (plan);
        dw_plan_destroy (&plan);
        dw_graph_destroy (&graph);
        random_graph_destroy (&drawn);
    }
    qsort (digests, count, sizeof digests[0], s_compare);
    assert_true (count > GRAPHS / 2);
    for (size_t i = 1; i < count; i++)
        assert_true (digests[i] != digests[i - 1]);
}

#define TEST(name) \
    cmocka_unit_test_setup_teardown (name, graph_fixture_setup, graph_fixture_teardown)

int main (void) {
    const struct CMUnitTest tests[] = {
        TEST (a_known_plan_has_the_same_digest_on_every_machine),
        TEST (everything_of_every_node_is_in_it),
        TEST (what_holds_for_all_nodes_is_in_it),
        TEST (every_byte_of_an_id_is_in_it_and_where_it_ends),
        TEST (the_order_of_dependencies_is_in_it),
        TEST (what_a_graph_says_changes_it),
        TEST (the_machine_does_not_change_it),
        TEST (what_only_the_scheduler_asks_does_not_change_it),
        cmocka_unit_test (many_graphs_have_as_many_digests),
    };
    return !!cmocka_run_group_tests_name ("a plan's digest", tests, NULL, NULL);
}
