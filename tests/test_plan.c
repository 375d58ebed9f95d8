/* test_plan.c - a graph compiled for execution. */

#include "runtime/core/plan.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support/graph_fixture.h"

static int s_add (graph_fixture_t *f, const char *id, const char *processor,
                  const char *dependencies) {
    return graph_fixture_add (f, id, processor, dependencies);
}

static dw_plan_t *s_plan (graph_fixture_t *f) {
    dw_plan_destroy (&f->plan);
    int err = dw_plan_new (&f->plan, f->graph, &graph_fixture_lookup, f->error);
    if (err)
        print_message ("%s", dw_error_text (f->error));
    assert_int_equal (err, DW_OK);
    return f->plan;
}

static dw_plan_t *s_pool_plan (graph_fixture_t *f) {
    dw_graph_options (f->graph)->actors = DW_ACTORS_POOL;
    return s_plan (f);
}

/* Expects that planning fails with these messages and changes nothing. */
static void s_refuse (graph_fixture_t *f, const char *text) {
    dw_plan_t *plan = NULL;
    dw_error_t *error = dw_error_new ();
    assert_int_equal (dw_plan_new (&plan, f->graph, &graph_fixture_lookup, error), DW_EGRAPH);
    assert_null (plan);
    assert_string_equal (dw_error_text (error), text);
    dw_error_destroy (&error);
}

static const char *s_source (const dw_plan_t *plan, const char *id) {
    uint32_t source = plan->source[dw_plan_find (plan, id)];
    return source == DW_RUN_INPUT ? "(run)" : plan->ids[source];
}

/* ---- Settings ------------------------------------------------------------------------------- */

static void an_empty_graph_has_an_empty_plan (void **state) {
    dw_plan_t *plan = s_plan (*state);
    assert_int_equal (plan->nodes_count + plan->edges_count + plan->levels_count, 0);
    assert_int_equal (plan->lanes_count + plan->chains_count + plan->sinks_count, 0);
    assert_int_equal (plan->critical_path_count, 0);
    assert_int_equal (plan->critical_path_us, 0);
    assert_int_equal (plan->policies_count, 1);
    assert_int_equal (plan->level_at[0], 0);
    assert_int_equal (dw_plan_find (plan, "a"), DW_NONE);
    plan = s_pool_plan (*state);
    assert_int_equal (plan->lanes_count, 1);
    assert_int_equal (plan->lane_at[1], 0);
}

static void what_the_graph_does_not_say_has_its_default (void **state) {
    graph_fixture_t *f = *state;
    s_add (f, "a", "t", "");
    dw_plan_t *plan = s_plan (f);
    assert_int_equal (plan->strategy, DW_HYBRID);
    assert_int_equal (plan->failure_strategy, DW_FAIL_FAST);
    assert_int_equal (plan->priority, DW_RANK);
    assert_false (plan->pool);
    assert_int_equal (plan->workers_count, 1);
    assert_int_equal (plan->max_concurrency, 6);
    assert_int_equal (plan->batch_size, 0);
    assert_int_equal (plan->max_payload_bytes, 268435456);
    assert_int_equal (plan->policies[0].timeout_us, 0);
    assert_int_equal (plan->policies[0].retry_attempts, 0);
    assert_int_equal (plan->policies[0].backoff.initial_us, 100000);
    assert_true (plan->size_bytes > sizeof (*plan));
    assert_int_equal (s_pool_plan (f)->workers_count, 6);
}

static void what_the_graph_says_is_taken (void **state) {
    graph_fixture_t *f = *state;
    dw_graph_options_t *options = dw_graph_options (f->graph);
    s_add (f, "a", "t", "");
    *options = (dw_graph_options_t){.strategy = DW_REACTIVE,
                                    .failure_strategy = DW_BEST_EFFORT,
                                    .actors = DW_ACTORS_POOL,
                                    .priority = DW_CRITICAL_PATH,
                                    .pool_size = 3,
                                    .max_concurrency = 9,
                                    .timeout_us = 1500000,
                                    .retry_attempts = 4,
                                    .batch_size = 17,
                                    .max_payload_bytes = 4294967295,
                                    .backoff = {1, 2, 3, 0}};
    dw_plan_t *plan = s_plan (f);
    assert_int_equal (plan->strategy, DW_REACTIVE);
    assert_int_equal (plan->failure_strategy, DW_BEST_EFFORT);
    assert_int_equal (plan->priority, DW_CRITICAL_PATH);
    assert_true (plan->pool);
    assert_int_equal (plan->workers_count, 3);
    assert_int_equal (plan->max_concurrency, 9);
    assert_int_equal (plan->batch_size, 17);
    assert_int_equal (plan->max_payload_bytes, 4294967295);
    assert_int_equal (plan->policies[0].timeout_us, 1500000);
    assert_int_equal (plan->policies[0].retry_attempts, 4);
    assert_int_equal (plan->policies[0].backoff.max_us, 2);
    assert_int_equal (plan->flags[0], DW_NODE_TIMED | DW_NODE_PAYLOAD_ONLY);
}

static void auto_is_a_thread_each_for_256_nodes_and_a_pool_beyond (void **state) {
    graph_fixture_t *f = *state;
    char id[16];
    for (int node = 0; node < 256; node++) {
        snprintf (id, sizeof (id), "%d", node);
        s_add (f, id, "t", "");
    }
    assert_false (s_plan (f)->pool);
    assert_int_equal (f->plan->workers_count, 256);
    assert_int_equal (f->plan->lanes_count, 256);
    s_add (f, "one more", "t", "");
    assert_true (s_plan (f)->pool);
    assert_int_equal (f->plan->workers_count, 6);
    assert_int_equal (f->plan->lanes_count, 1);
    dw_graph_options (f->graph)->actors = DW_ACTORS_THREAD;
    assert_false (s_plan (f)->pool);
    assert_int_equal (f->plan->workers_count, 257);
}

static void a_plan_outlives_its_graph (void **state) {
    graph_fixture_t *f = *state;
    s_add (f, "one", "t", "");
    s_add (f, "two", "s", "one");
    s_plan (f);
    dw_graph_destroy (&f->graph);
    assert_int_equal (dw_plan_find (f->plan, "two"), 1);
    assert_string_equal (f->plan->kinds[f->plan->kind[1]], "s");
}

/* ---- Errors --------------------------------------------------------------------------------- */

static void an_unknown_processor_is_an_error_with_the_nearest (void **state) {
    graph_fixture_t *f = *state;
    dw_graph_set_file (f->graph, "g.yaml");
    s_add (f, "one", "tt", "");
    s_add (f, "two", "xyz", "");
    s_add (f, "three", "t", "");
    f->graph->nodes[1].processor_line = 8;
    f->graph->nodes[1].processor_column = 16;
    s_refuse (f,
              "g.yaml: error: node \"one\" names the processor \"tt\", which is unknown; did you "
              "mean \"t\"?\n"
              "g.yaml:8:16: error: node \"two\" names the processor \"xyz\", which is unknown\n");
}

static void errors_of_shape_and_of_processors_come_together (void **state) {
    graph_fixture_t *f = *state;
    s_add (f, "one", "tt", "one");
    s_add (f, "two", "tt", "");
    s_refuse (
        f,
        "error: cycle: one -> one (the node depends on itself)\n"
        "error: node \"one\" names the processor \"tt\", which is unknown; did you mean \"t\"?\n"
        "error: node \"two\" names the processor \"tt\", which is unknown; did you mean \"t\"?\n");
}

static void a_hundred_unknown_processors_are_reported_and_the_rest_counted (void **state) {
    graph_fixture_t *f = *state;
    char id[16];
    for (int node = 0; node < 130; node++) {
        snprintf (id, sizeof (id), "%d", node);
        s_add (f, id, id, "");
    }
    assert_int_equal (dw_plan_new (&f->plan, f->graph, &graph_fixture_lookup, f->error), DW_EGRAPH);
    assert_int_equal (dw_error_count (f->error), 101);
    assert_string_equal (dw_error_message (f->error, 100),
                         "error: 30 more nodes name unknown processors");
}

static void a_payload_from_either_of_two_transforms_of_one_level_is_a_warning (void **state) {
    graph_fixture_t *f = *state;
    s_add (f, "left", "t", "");
    s_add (f, "right", "t", "");
    s_add (f, "join", "t", "right left");
    s_plan (f);
    assert_string_equal (s_source (f->plan, "join"), "right");
    assert_int_equal (dw_error_code (f->error), DW_OK);
    assert_string_equal (
        dw_error_text (f->error),
        "warning: node \"join\" could get its payload from \"left\" or \"right\", transforms of "
        "one level; "
        "it gets the output of \"right\", the one declared later (say which with input)\n");
}

static void a_payload_through_analyzers_can_be_ambiguous_too (void **state) {
    graph_fixture_t *f = *state;
    s_add (f, "left", "t", "");
    s_add (f, "right", "t", "");
    s_add (f, "count", "a", "left");
    s_add (f, "join", "t", "right count");
    s_plan (f);
    assert_int_equal (dw_error_count (f->error), 1);
    assert_string_equal (s_source (f->plan, "join"), "right");
}

static void no_warning_where_the_payload_is_certain (void **state) {
    graph_fixture_t *f = *state;
    s_add (f, "left", "t", "");
    s_add (f, "right", "t", "");
    s_add (f, "later", "t", "left");
    s_add (f, "count", "a", "left");
    s_add (f, "a said input", "t", "left right");
    s_add (f, "another level", "t", "right later");
    s_add (f, "one source twice", "t", "left count");
    s_add (f, "only analyzers", "t", "count");
    dw_graph_set_input (f->graph, 4, "left");
    s_plan (f);
    assert_string_equal (dw_error_text (f->error), "");
    assert_string_equal (s_source (f->plan, "a said input"), "left");
    assert_string_equal (s_source (f->plan, "another level"), "later");
    assert_string_equal (s_source (f->plan, "one source twice"), "left");
    assert_string_equal (s_source (f->plan, "only analyzers"), "left");
}

static void a_hundred_warnings_are_given_and_the_rest_counted (void **state) {
    graph_fixture_t *f = *state;
    char id[16];
    s_add (f, "left", "t", "");
    s_add (f, "right", "t", "");
    for (int node = 0; node < 150; node++) {
        snprintf (id, sizeof (id), "%d", node);
        s_add (f, id, "t", "right left");
    }
    s_plan (f);
    assert_int_equal (dw_error_count (f->error), 101);
    assert_string_equal (
        dw_error_message (f->error, 100),
        "warning: 50 more nodes could get their payload from several transforms of one level");
}

/* ---- Policies, intents, inputs -------------------------------------------------------------- */

static void nodes_that_say_the_same_share_a_policy (void **state) {
    graph_fixture_t *f = *state;
    dw_graph_options (f->graph)->retry_attempts = 2;
    for (int node = 0; node < 6; node++)
        s_add (f, (char[]){(char) ('a' + node), '\0'}, "t", "");
    dw_graph_node_options (f->graph, 1)->timeout_us = 5;
    dw_graph_node_options (f->graph, 2)->timeout_us = 5;
    dw_graph_node_options (f->graph, 2)->retry_attempts = 2;
    dw_graph_node_options (f->graph, 3)->retry_attempts = 0;
    dw_graph_node_options (f->graph, 4)->cost_us = 9;
    dw_graph_node_options (f->graph, 5)->has_backoff = true;
    dw_graph_node_options (f->graph, 5)->backoff.jitter = 0;
    dw_plan_t *plan = s_plan (f);
    const uint16_t expected[] = {0, 1, 1, 2, 0, 3};
    assert_memory_equal (plan->policy, expected, sizeof (expected));
    assert_int_equal (plan->policies_count, 4);
    assert_int_equal (plan->policies[1].timeout_us, 5);
    assert_int_equal (plan->policies[1].retry_attempts, 2);
    assert_int_equal (plan->policies[2].retry_attempts, 0);
    assert_true (plan->policies[3].backoff.jitter == 0 && plan->policies[3].backoff.factor == 2);
    assert_int_equal (plan->flags[0], DW_NODE_BRIEF | DW_NODE_PAYLOAD_ONLY);
    assert_int_equal (plan->flags[1], DW_NODE_TIMED | DW_NODE_PAYLOAD_ONLY);
}

static void more_policies_than_65535_are_an_error (void **state) {
    graph_fixture_t *f = *state;
    char id[16];
    for (int node = 0; node < 65535; node++) {
        snprintf (id, sizeof (id), "%d", node);
        s_add (f, id, "t", "");
        if (node == 0)
            continue;
        dw_graph_node_options (f->graph, node)->timeout_us = 1 + node / 1000;
        dw_graph_node_options (f->graph, node)->retry_attempts = node % 1000;
    }
    dw_plan_t *plan = s_plan (f);
    assert_int_equal (plan->policies_count, 65535);
    for (uint32_t node = 1; node < 65535; node++) {
        const dw_policy_t *policy = &plan->policies[plan->policy[node]];
        assert_int_equal (policy->timeout_us, 1 + node / 1000);
        assert_int_equal (policy->retry_attempts, node % 1000);
    }
    s_add (f, "one more", "t", "");
    dw_graph_node_options (f->graph, 65535)->timeout_us = 65535;
    s_refuse (
        f,
        "error: the nodes have more than 65535 different settings of timeout, retries and backoff; "
        "give more of them the same\n");
}

static void the_graph_may_say_another_intent_than_the_processor (void **state) {
    graph_fixture_t *f = *state;
    s_add (f, "one", "t", "");
    s_add (f, "two", "a", "one");
    s_add (f, "three", "t", "two");
    assert_string_equal (s_source (s_plan (f), "three"), "one");
    dw_graph_node_options (f->graph, 0)->intent = DW_ANALYZE;
    dw_graph_node_options (f->graph, 1)->intent = DW_TRANSFORM;
    assert_string_equal (s_source (s_plan (f), "two"), "(run)");
    assert_string_equal (s_source (f->plan, "three"), "two");
}

static void an_input_is_said_beside_the_rule (void **state) {
    graph_fixture_t *f = *state;
    s_add (f, "one", "a", "");
    s_add (f, "two", "t", "one");
    s_add (f, "three", "t", "two");
    s_add (f, "four", "t", "two");
    dw_graph_set_input (f->graph, 2, "one");
    dw_graph_set_input (f->graph, 3, "run");
    dw_plan_t *plan = s_plan (f);
    assert_string_equal (s_source (plan, "three"), "one"); /* Even an analyzer's output. */
    assert_string_equal (s_source (plan, "four"), "(run)");
    assert_int_equal (plan->rule[2], 1);
    assert_int_equal (plan->rule[3], 1);
    assert_int_equal (plan->readers_count[0], 2);
    assert_int_equal (plan->readers_count[1], 2);
    assert_true (plan->flags[2] & DW_NODE_INPUT && plan->flags[3] & DW_NODE_INPUT);
    assert_false (plan->flags[1] & DW_NODE_INPUT);
}

/* ---- Chains and priorities ------------------------------------------------------------------ */

static void s_build_line (graph_fixture_t *f) {
    s_add (f, "a", "t", "");
    s_add (f, "b", "a", "a");
    s_add (f, "c", "t", "b");
    s_add (f, "d", "t", "c");
}

static void a_line_of_nodes_is_one_chain_in_a_pool (void **state) {
    s_build_line (*state);
    dw_plan_t *plan = s_pool_plan (*state);
    const uint32_t next[] = {1, 2, 3, DW_NONE}, length[] = {4, 3, 2, 1};
    assert_memory_equal (plan->chain_next, next, sizeof (next));
    assert_memory_equal (plan->chain_length, length, sizeof (length));
    assert_int_equal (plan->chains_count, 1);
}

static void no_chain_in_thread_mode_or_under_the_level_strategy (void **state) {
    graph_fixture_t *f = *state;
    s_build_line (f);
    assert_int_equal (s_plan (f)->chains_count, 0);
    assert_int_equal (f->plan->chain_next[0], DW_NONE);
    dw_graph_options (f->graph)->strategy = DW_LEVEL;
    assert_int_equal (s_pool_plan (f)->chains_count, 0);
    assert_int_equal (f->plan->chain_length[0], 1);
}

static void a_timed_node_is_in_no_chain (void **state) {
    graph_fixture_t *f = *state;
    s_build_line (f);
    dw_graph_node_options (f->graph, 1)->timeout_us = 1;
    dw_plan_t *plan = s_pool_plan (f);
    const uint32_t next[] = {DW_NONE, DW_NONE, 3, DW_NONE};
    assert_memory_equal (plan->chain_next, next, sizeof (next));
    assert_int_equal (plan->chains_count, 1);
}

static void a_chain_ends_where_the_payload_comes_from_elsewhere (void **state) {
    graph_fixture_t *f = *state;
    s_build_line (f);
    dw_graph_set_input (f->graph, 3, "a");
    /* c's payload is a's output as well, but if a fails under best effort, what stands in for it
     * need not be the same for a node that goes by the rule and one that says `input`. */
    assert_int_equal (s_pool_plan (f)->chain_next[2], DW_NONE);
    dw_graph_set_input (f->graph, 3, "run");
    assert_int_equal (s_pool_plan (f)->chain_next[2], DW_NONE);
}

static void the_critical_path_is_the_longest_by_cost (void **state) {
    graph_fixture_t *f = *state;
    s_add (f, "a", "t", "");
    s_add (f, "b", "t", "");
    s_add (f, "c", "t", "a");
    s_add (f, "d", "t", "c");
    s_add (f, "e", "t", "b");
    dw_plan_t *plan = s_plan (f);
    assert_int_equal (plan->critical_path_us, 3);
    assert_int_equal (plan->critical_path_count, 3);
    dw_graph_node_options (f->graph, 4)->cost_us = 500;
    plan = s_plan (f);
    assert_int_equal (plan->critical_path_us, 501);
    assert_int_equal (plan->critical_path_count, 2);
    assert_string_equal (plan->ids[plan->critical_path[0]], "b");
    assert_string_equal (plan->ids[plan->critical_path[1]], "e");
}

static void s_expect_positions (const dw_plan_t *plan, const char *ids) {
    for (uint32_t position = 0; position < plan->nodes_count; position++) {
        uint32_t node = plan->by_position[position];
        assert_int_equal (plan->ids[node][0], ids[position]);
        assert_int_equal (plan->position[node], position);
    }
}

static void priorities_order_a_lane_by_rank_or_by_critical_path (void **state) {
    graph_fixture_t *f = *state;
    s_add (f, "a", "a", "");
    s_add (f, "b", "t", "");
    s_add (f, "c", "a", "a");
    s_add (f, "d", "t", "b");
    s_add (f, "e", "t", "");
    s_add (f, "f", "t", "c");
    dw_plan_t *plan = s_pool_plan (f);
    s_expect_positions (plan, "beadcf");
    dw_graph_options (f->graph)->priority = DW_CRITICAL_PATH;
    s_expect_positions (s_pool_plan (f), "abcedf");
    dw_graph_node_options (f->graph, 4)->cost_us = 99;
    s_expect_positions (s_pool_plan (f), "eabcdf");
}

static void in_thread_mode_each_lane_has_one_node (void **state) {
    s_build_line (*state);
    dw_plan_t *plan = s_plan (*state);
    for (uint32_t node = 0; node < 4; node++) {
        assert_int_equal (plan->lane[node], node);
        assert_int_equal (plan->lane_at[node], node);
        assert_int_equal (plan->by_position[node], node);
        assert_int_equal (plan->position[node], 0);
    }
    assert_int_equal (plan->lane_at[4], 4);
}

/* ---- Size ----------------------------------------------------------------------------------- */

#define MILLION 1000000

static void a_chain_of_a_million_nodes_is_planned_without_recursion (void **state) {
    graph_fixture_t *f = *state;
    char id[16], on[16];
    for (int node = 0; node < MILLION; node++) {
        snprintf (id, sizeof (id), "%d", node);
        snprintf (on, sizeof (on), "%d", node - 1);
        dw_graph_add (f->graph, id, "t");
        if (node > 0)
            dw_graph_depend (f->graph, node, on);
    }
    dw_plan_t *plan = s_plan (f);
    assert_int_equal (plan->levels_count, MILLION);
    assert_int_equal (plan->chains_count, 1);
    assert_int_equal (plan->chain_length[0], MILLION);
    assert_int_equal (plan->critical_path_count, MILLION);
    assert_int_equal (plan->source[MILLION - 1], MILLION - 2);
}

static void a_million_nodes_and_two_million_edges_are_planned (void **state) {
    graph_fixture_t *f = *state;
    char id[16], on[16];
    dw_graph_options (f->graph)->priority = DW_CRITICAL_PATH;
    srand (1);
    for (int node = 0; node < MILLION; node++) {
        snprintf (id, sizeof (id), "%d", node);
        dw_graph_add (f->graph, id, "t");
        for (int edge = 0; edge < 2 && node > 1; edge++) {
            snprintf (on, sizeof (on), "%d", rand () % (node / 2) * 2 + edge);
            dw_graph_depend (f->graph, node, on);
        }
    }
    dw_plan_t *plan = s_plan (f);
    assert_int_equal (plan->nodes_count, MILLION);
    assert_int_equal (plan->edges_count, 2 * (MILLION - 2));
    assert_in_range (plan->size_bytes / MILLION, 80, 110); /* bytes a node */
    uint32_t level = 0;
    for (uint32_t node = 0; node < MILLION; node++) {
        uint32_t least = 0;
        level += node == plan->level_at[level + 1];
        for (uint32_t edge = plan->dependencies_at[node]; edge < plan->dependencies_at[node + 1];
             edge++) {
            assert_true (plan->dependencies[edge] < plan->level_at[level]);
            least = plan->dependencies[edge] > least ? plan->dependencies[edge] : least;
        }
        /* The last dependency by index is of the level before. */
        assert_true (level == 0 || least >= plan->level_at[level - 1]);
    }
    assert_int_equal (level + 1, plan->levels_count);
}

/* ---- Printing ------------------------------------------------------------------------------- */

typedef struct text_t {
    char *bytes;
    size_t size;
    int calls_left; /* after which writing fails */
} text_t;

static bool s_write (void *arg, const char *bytes, size_t size) {
    text_t *text = arg;
    if (text->calls_left-- == 0)
        return false;
    text->bytes = realloc (text->bytes, text->size + size + 1);
    memcpy (text->bytes + text->size, bytes, size);
    text->size += size;
    text->bytes[text->size] = '\0';
    return true;
}

static void s_expect_print (const dw_plan_t *plan, const char *expected) {
    text_t text = {.calls_left = -1};
    assert_true (dw_plan_print (plan, s_write, &text));
    if (!strstr (text.bytes, expected))
        print_message ("%s", text.bytes);
    assert_non_null (strstr (text.bytes, expected));
    free (text.bytes);
}

static void a_node_that_may_run_but_once_is_in_no_chain_and_says_so (void **state) {
    graph_fixture_t *f = *state;
    s_add (f, "a", "t", "");
    s_add (f, "b", "t", "a");
    s_add (f, "c", "t", "b");
    dw_plan_t *plan = s_pool_plan (f);
    uint64_t digest = dw_plan_digest (plan);
    assert_int_equal (plan->chain_length[0], 3);
    dw_graph_node_options (f->graph, 1)->not_idempotent = true;
    plan = s_pool_plan (f);
    for (uint32_t node = 0; node < 3; node++)
        assert_int_equal (plan->chain_length[node], 1);
    assert_true (plan->flags[1] & DW_NODE_ONCE);
    assert_false ((plan->flags[0] | plan->flags[2]) & DW_NODE_ONCE);
    assert_true (dw_plan_digest (plan) != digest);
    s_expect_print (plan, "  b   transform  t          a, not idempotent\n");
}

static void a_plan_prints_its_nodes_chains_and_critical_path (void **state) {
    graph_fixture_t *f = *state;
    dw_graph_options (f->graph)->pool_size = 2;
    s_add (f, "upper", "t", "");
    s_add (f, "count", "a", "");
    s_add (f,
           "gr\xc3\xb6\xc3\x9f"
           "e\n",
           "t", "upper");
    s_add (f, "end", "t", "count");
    dw_graph_set_input (f->graph, 3, "count");
    dw_plan_t *plan = s_pool_plan (f);
    s_expect_print (plan, "nodes              4\n"
                          "edges              2\n"
                          "levels             2\n"
                          "processors         2\n"
                          "sinks              2\n"
                          "strategy           hybrid\n"
                          "failure_strategy   fail_fast\n"
                          "priority           rank\n"
                          "max_concurrency    6\n"
                          "batch_size         automatic\n"
                          "max_payload_bytes  268435456\n");
    s_expect_print (plan,
                    "lanes              1: a pool of 2 workers that host every node\n"
                    "\n"
                    "level  rank  place  id      intent     processor  payload from\n"
                    "    0     0      0  upper   transform  t          the run's input\n"
                    "    0     1      1  count   analyze    a          the run's input\n"
                    "    1     2      2  gr\xc3\xb6\xc3\x9f"
                    "e?  transform  t          upper\n"
                    "    1     3      3  end     transform  t          count (said by input)\n"
                    "\n"
                    "chains (run by one worker without asking in between): 2\n"
                    "  upper -> gr\xc3\xb6\xc3\x9f"
                    "e?\n"
                    "  count -> end\n"
                    "\n"
                    "critical path: 2 nodes, 2 us by cost_us\n"
                    "  upper -> gr\xc3\xb6\xc3\x9f"
                    "e?\n");
    dw_graph_options (f->graph)->actors = DW_ACTORS_THREAD;
    s_expect_print (s_plan (f), "lanes              4: an actor thread for each node\n");
}

static void names_that_would_move_the_cursor_are_tamed_in_print (void **state) {
    graph_fixture_t *f = *state;
    s_add (f,
           "a\xc2\x9b"
           "31mb\x1b[0m",
           "t", "");
    s_expect_print (s_pool_plan (f), "  a?31mb?[0m  transform  t  ");
}

static void an_empty_plan_prints_too (void **state) {
    s_expect_print (s_plan (*state), "critical path: 0 nodes, 0 us by cost_us\n");
}

static void a_large_plan_prints_its_levels_and_what_is_left_out (void **state) {
    graph_fixture_t *f = *state;
    char id[32], on[32];
    for (int node = 0; node < 1500; node++) {
        snprintf (id, sizeof (id), "n%d", node);
        snprintf (on, sizeof (on), "n%d", node - 1);
        s_add (f, id, node % 2 ? "a" : "t", node > 0 ? on : "");
    }
    for (int pair = 0; pair < 300; pair++) {
        snprintf (id, sizeof (id), "p%d", pair);
        snprintf (on, sizeof (on), "q%d", pair);
        s_add (f, id, "t", "");
        s_add (f, on, "t", id);
    }
    dw_plan_t *plan = s_plan (f);
    s_expect_print (plan, "\nlevels (2100 nodes are left out: more than 1000)\n"
                          "  level 0      ranks 0 to 300: 301 nodes, 301 transform, 0 analyze\n"
                          "  level 1      ranks 301 to 601: 301 nodes, 300 transform, 1 analyze\n"
                          "  level 2      ranks 602 to 602: 1 node, 1 transform, 0 analyze\n");
    s_expect_print (plan, "  (500 more levels)\n");
    s_expect_print (
        plan,
        "  n0 -> n1 -> n2 -> n3 -> n4 -> n5 -> n6 -> n7 -> n8 -> n9 -> (1480 more) -> n1490 -> "
        "n1491 -> n1492 -> n1493 -> n1494 -> n1495 -> n1496 -> n1497 -> n1498 -> n1499\n"
        "  p0 -> q0\n");
    s_expect_print (plan, "  (201 more chains)\n");
}

static void printing_stops_when_writing_fails (void **state) {
    graph_fixture_t *f = *state;
    s_build_line (f);
    dw_plan_t *plan = s_pool_plan (f);
    for (int calls = 0; calls < 20; calls++) {
        text_t text = {.calls_left = calls};
        assert_false (dw_plan_print (plan, s_write, &text));
        assert_int_equal (text.calls_left, -1); /* Not called again. */
        free (text.bytes);
    }
}

#define TEST(name) \
    cmocka_unit_test_setup_teardown (name, graph_fixture_setup, graph_fixture_teardown)

int main (void) {
    const struct CMUnitTest tests[] = {
        TEST (an_empty_graph_has_an_empty_plan),
        TEST (what_the_graph_does_not_say_has_its_default),
        TEST (what_the_graph_says_is_taken),
        TEST (auto_is_a_thread_each_for_256_nodes_and_a_pool_beyond),
        TEST (a_plan_outlives_its_graph),
        TEST (an_unknown_processor_is_an_error_with_the_nearest),
        TEST (errors_of_shape_and_of_processors_come_together),
        TEST (a_hundred_unknown_processors_are_reported_and_the_rest_counted),
        TEST (a_payload_from_either_of_two_transforms_of_one_level_is_a_warning),
        TEST (a_payload_through_analyzers_can_be_ambiguous_too),
        TEST (no_warning_where_the_payload_is_certain),
        TEST (a_hundred_warnings_are_given_and_the_rest_counted),
        TEST (nodes_that_say_the_same_share_a_policy),
        TEST (more_policies_than_65535_are_an_error),
        TEST (the_graph_may_say_another_intent_than_the_processor),
        TEST (an_input_is_said_beside_the_rule),
        TEST (a_line_of_nodes_is_one_chain_in_a_pool),
        TEST (no_chain_in_thread_mode_or_under_the_level_strategy),
        TEST (a_timed_node_is_in_no_chain),
        TEST (a_chain_ends_where_the_payload_comes_from_elsewhere),
        TEST (the_critical_path_is_the_longest_by_cost),
        TEST (priorities_order_a_lane_by_rank_or_by_critical_path),
        TEST (in_thread_mode_each_lane_has_one_node),
        TEST (a_chain_of_a_million_nodes_is_planned_without_recursion),
        TEST (a_million_nodes_and_two_million_edges_are_planned),
        TEST (a_node_that_may_run_but_once_is_in_no_chain_and_says_so),
        TEST (a_plan_prints_its_nodes_chains_and_critical_path),
        TEST (names_that_would_move_the_cursor_are_tamed_in_print),
        TEST (an_empty_plan_prints_too),
        TEST (a_large_plan_prints_its_levels_and_what_is_left_out),
        TEST (printing_stops_when_writing_fails),
    };
    return !!cmocka_run_group_tests (tests, NULL, NULL);
}
