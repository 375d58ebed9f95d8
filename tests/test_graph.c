/* test_graph.c - the graph as described, and everything that can be wrong with its shape. */

#include "runtime/core/graph.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support/graph_fixture.h"

static int s_add (graph_fixture_t *f, const char *id, const char *dependencies) {
    return graph_fixture_add (f, id, "identity", dependencies);
}

/* Resolves and expects exactly these messages; "" is a graph without errors. */
static void s_expect (graph_fixture_t *f, const char *text) {
    bool wrong = strstr (text, "error:") != NULL;
    dw_error_t *error = dw_error_new ();
    dw_resolved_t resolved = {0};
    assert_int_equal (dw_graph_resolve (f->graph, &resolved, error), wrong ? DW_EGRAPH : DW_OK);
    assert_string_equal (dw_error_text (error), text);
    assert_int_equal (dw_error_code (error), wrong ? DW_EGRAPH : DW_OK);
    assert_true ((resolved.dependencies_at == NULL) == wrong);
    dw_resolved_free (&resolved);
    assert_int_equal (dw_graph_resolve (f->graph, NULL, NULL), wrong ? DW_EGRAPH : DW_OK);
    dw_error_destroy (&error);
}

/* ---- Growing -------------------------------------------------------------------------------- */

static void an_empty_graph_is_right (void **state) {
    graph_fixture_t *f = *state;
    dw_resolved_t resolved;
    assert_int_equal (dw_graph_resolve (f->graph, &resolved, f->error), DW_OK);
    assert_int_equal (resolved.levels_count, 0);
    assert_int_equal (resolved.dependencies_at[0], 0);
    dw_resolved_free (&resolved);
    assert_int_equal (dw_graph_nodes_count (f->graph), 0);
    assert_int_equal (dw_graph_nodes_count (NULL), 0);
}

static void nothing_and_a_half_built_graph_can_be_destroyed (void **state) {
    dw_graph_t *graph = NULL;
    (void) state;
    dw_graph_destroy (&graph);
    graph = dw_graph_new ();
    dw_graph_add (graph, "a", "identity");
    dw_graph_depend (graph, 0, "b");
    dw_graph_set_text (graph, 0, "prefix", "<");
    dw_graph_destroy (&graph);
    assert_null (graph);
}

static void a_new_graph_has_its_defaults (void **state) {
    graph_fixture_t *f = *state;
    dw_graph_options_t *options = dw_graph_options (f->graph);
    assert_int_equal (options->strategy, DW_HYBRID);
    assert_int_equal (options->failure_strategy, DW_FAIL_FAST);
    assert_int_equal (options->actors, DW_ACTORS_AUTO);
    assert_int_equal (options->priority, DW_RANK);
    assert_true (options->pool_size == DW_UNSET && options->max_concurrency == DW_UNSET);
    assert_true (options->timeout_us == DW_UNSET && options->retry_attempts == DW_UNSET);
    assert_true (options->batch_size == DW_UNSET && options->max_payload_bytes == DW_UNSET);
    assert_int_equal (options->backoff.initial_us, 100000);
    assert_int_equal (options->backoff.max_us, 10000000);
    assert_true (options->backoff.factor == 2.0 && options->backoff.jitter == 0.1);
    assert_null (dw_graph_options (NULL));
}

static void node_options_are_made_when_first_asked_for (void **state) {
    graph_fixture_t *f = *state;
    s_add (f, "a", "");
    assert_null (f->graph->nodes[0].options);
    dw_node_options_t *options = dw_graph_node_options (f->graph, 0);
    assert_ptr_equal (options, dw_graph_node_options (f->graph, 0));
    assert_int_equal (options->intent, DW_INTENT_DEFAULT);
    assert_true (options->timeout_us == DW_UNSET && options->retry_attempts == DW_UNSET);
    assert_true (options->cost_us == DW_UNSET && !options->has_backoff);
    assert_null (dw_graph_node_options (f->graph, 1));
    assert_null (dw_graph_node_options (f->graph, -1));
}

static void arguments_that_make_no_sense_change_nothing (void **state) {
    dw_graph_t *graph = ((graph_fixture_t *) *state)->graph;
    assert_int_equal (dw_graph_add (graph, NULL, "identity"), DW_EINVAL);
    assert_int_equal (dw_graph_add (graph, "a", NULL), DW_EINVAL);
    assert_int_equal (dw_graph_add (NULL, "a", "identity"), DW_EINVAL);
    assert_int_equal (dw_graph_add (graph, "a", "identity"), 0);
    assert_int_equal (dw_graph_depend (graph, 1, "a"), DW_EINVAL);
    assert_int_equal (dw_graph_depend (graph, -1, "a"), DW_EINVAL);
    assert_int_equal (dw_graph_depend (graph, 0, NULL), DW_EINVAL);
    assert_int_equal (dw_graph_set_input (graph, 0, NULL), DW_EINVAL);
    assert_int_equal (dw_graph_set_input (graph, 1, "run"), DW_EINVAL);
    assert_int_equal (dw_graph_set_text (graph, 0, "prefix", NULL), DW_EINVAL);
    assert_int_equal (dw_graph_set_text (graph, 0, NULL, "<"), DW_EINVAL);
    assert_int_equal (dw_graph_set_integer (graph, 1, "ms", 1), DW_EINVAL);
    assert_int_equal (dw_graph_nodes_count (graph), 1);
    assert_null (graph->nodes[0].settings);
    assert_int_equal (graph->nodes[0].dependencies_count, 0);
}

static void settings_keep_their_order_and_the_later_value (void **state) {
    dw_graph_t *graph = ((graph_fixture_t *) *state)->graph;
    char name[] = "prefix", value[] = "<";
    dw_graph_add (graph, "a", "p");
    assert_int_equal (dw_graph_set_text (graph, 0, name, value), DW_OK);
    name[0] = value[0] = 'X'; /* Strings are copied. */
    assert_int_equal (dw_graph_set_integer (graph, 0, "count", -7), DW_OK);
    assert_int_equal (dw_graph_set_number (graph, 0, "share", 0.5), DW_OK);
    assert_int_equal (dw_graph_set_boolean (graph, 0, "on", true), DW_OK);
    assert_int_equal (dw_graph_set_integer (graph, 0, "share", 2), DW_OK);
    const dw_setting_t *setting = graph->nodes[0].settings;
    assert_string_equal (setting->name, "prefix");
    assert_int_equal (setting->type, DW_VALUE_TEXT);
    assert_string_equal (setting->value.text, "<");
    setting = setting->next;
    assert_string_equal (setting->name, "count");
    assert_int_equal (setting->type, DW_VALUE_INTEGER);
    assert_int_equal (setting->value.integer, -7);
    setting = setting->next;
    assert_string_equal (setting->name, "share");
    assert_int_equal (setting->type, DW_VALUE_INTEGER);
    assert_int_equal (setting->value.integer, 2);
    setting = setting->next;
    assert_string_equal (setting->name, "on");
    assert_int_equal (setting->type, DW_VALUE_BOOLEAN);
    assert_true (setting->value.boolean);
    assert_null (setting->next);
    assert_ptr_equal (setting, graph->nodes[0].settings_last);
}

static void dependencies_may_be_told_in_any_order_of_nodes (void **state) {
    graph_fixture_t *f = *state;
    char name[16];
    for (int node = 0; node < 3; node++)
        s_add (f, (const char *[]){"a", "b", "c"}[node], "");
    for (int round = 0; round < 100; round++)
        for (int node = 0; node < 3; node++) {
            snprintf (name, sizeof (name), "%d.%d", node, round);
            assert_int_equal (dw_graph_depend (f->graph, node, name), DW_OK);
        }
    for (int node = 0; node < 3; node++) {
        assert_int_equal (f->graph->nodes[node].dependencies_count, 100);
        for (int round = 0; round < 100; round++) {
            snprintf (name, sizeof (name), "%d.%d", node, round);
            assert_string_equal (f->graph->nodes[node].dependencies[round].id, name);
        }
    }
}

static void a_text_larger_than_any_chunk_is_copied (void **state) {
    graph_fixture_t *f = *state;
    size_t size = 5 * 1024 * 1024;
    char *text = malloc (size + 1);
    memset (text, 'x', size);
    text[size] = '\0';
    s_add (f, "a", "");
    dw_graph_set_text (f->graph, 0, "prefix", text);
    s_add (f, "b", "a");
    assert_string_equal (f->graph->nodes[0].settings->value.text, text);
    assert_string_equal (f->graph->nodes[0].id, "a");
    assert_string_equal (dw_graph_copy (f->graph, "ab\0cd", 5), "ab");
    free (text);
}

/* ---- What is wrong -------------------------------------------------------------------------- */

static void an_empty_id_is_an_error (void **state) {
    s_add (*state, "a", "");
    s_add (*state, "", "a");
    s_expect (*state, "error: the id of node 1 is empty; give it one\n");
}

static void a_duplicate_id_is_an_error (void **state) {
    graph_fixture_t *f = *state;
    s_add (f, "a", "");
    s_add (f, "b", "");
    s_add (f, "a", "");
    s_expect (f, "error: the id \"a\" of node 2 is taken by node 0; give each node its own\n");
    dw_graph_set_file (f->graph, "g.yaml");
    f->graph->nodes[0].line = 2;
    f->graph->nodes[2].line = 6;
    f->graph->nodes[2].column = 9;
    s_expect (
        f,
        "g.yaml:6:9: error: the id \"a\" is taken by the node in line 2; give each node its own\n");
}

static void a_missing_dependency_is_an_error_with_the_nearest_id (void **state) {
    graph_fixture_t *f = *state;
    s_add (f, "upper", "");
    s_add (f, "x", "uper nowhere");
    s_add (f, "y", "");
    dw_graph_depend (f->graph, 2, "");
    s_expect (f, "error: node \"x\" depends on \"uper\", which is not in the graph; did you mean "
                 "\"upper\"?\n"
                 "error: node \"x\" depends on \"nowhere\", which is not in the graph\n"
                 "error: node \"y\" depends on \"\", which is not in the graph\n");
}

static void a_dependency_is_reported_where_it_was_said (void **state) {
    graph_fixture_t *f = *state;
    dw_graph_set_file (f->graph, "g.yaml");
    s_add (f, "x", "");
    dw_graph_depend_at (f->graph, 0, "gone", (dw_place_t){.line = 7, .column = 11});
    s_expect (f, "g.yaml:7:11: error: node \"x\" depends on \"gone\", which is not in the graph\n");
}

static void a_node_that_depends_on_itself_is_a_cycle (void **state) {
    s_add (*state, "a", "a");
    s_expect (*state, "error: cycle: a -> a (the node depends on itself)\n");
}

static void a_cycle_is_shown_from_its_first_node_to_what_depends_on_it (void **state) {
    s_add (*state, "start", "");
    s_add (*state, "c", "b start");
    s_add (*state, "b", "a");
    s_add (*state, "a", "c");
    s_add (*state, "end", "a");
    s_expect (*state, "error: cycle: c -> a -> b -> c\n");
}

static void every_cycle_is_named (void **state) {
    s_add (*state, "a", "b");
    s_add (*state, "b", "a");
    s_add (*state, "self", "self");
    s_add (*state, "p", "r self");
    s_add (*state, "q", "p");
    s_add (*state, "r", "q p");
    s_expect (*state, "error: cycle: a -> b -> a\n"
                      "error: cycle: self -> self (the node depends on itself)\n"
                      "error: cycle: p -> q -> r -> p\n"
                      "error: cycle: p -> r -> p\n");
}

static void a_long_cycle_is_shortened_in_the_middle (void **state) {
    char id[16], on[16];
    for (int node = 0; node < 30; node++) {
        snprintf (id, sizeof (id), "n%d", node);
        snprintf (on, sizeof (on), "n%d", (node + 29) % 30);
        s_add (*state, id, on);
    }
    s_expect (
        *state,
        "error: cycle: n0 -> n1 -> n2 -> n3 -> n4 -> n5 -> n6 -> n7 -> n8 -> n9 -> (10 more) -> "
        "n20 -> n21 -> n22 -> n23 -> n24 -> n25 -> n26 -> n27 -> n28 -> n29 -> n0\n");
}

static void a_cycle_of_long_ids_is_one_message_of_bounded_length (void **state) {
    graph_fixture_t *f = *state;
    char ids[25][512];
    for (int node = 0; node < 25; node++) {
        memset (ids[node], 'a' + node, sizeof (ids[node]) - 1);
        ids[node][sizeof (ids[node]) - 1] = '\0';
    }
    for (int node = 0; node < 25; node++) {
        dw_graph_add (f->graph, ids[node], "identity");
        dw_graph_depend (f->graph, node, ids[(node + 24) % 25]);
    }
    assert_int_equal (dw_graph_resolve (f->graph, NULL, f->error), DW_EGRAPH);
    assert_int_equal (dw_error_count (f->error), 1);
    assert_in_range (strlen (dw_error_message (f->error, 0)), 1300, 1600);
    assert_non_null (strstr (dw_error_message (f->error, 0), "jjj... -> (5 more) -> ppp"));
}

static void an_id_is_escaped_in_messages (void **state) {
    graph_fixture_t *f = *state;
    s_add (f, "two\nlines \xc3\xa9", "");
    dw_graph_depend (f->graph, 0, "a\tb");
    s_expect (
        f,
        "error: node \"two\\nlines \xc3\xa9\" depends on \"a\\tb\", which is not in the graph\n");
}

static void an_input_that_is_no_ancestor_is_an_error (void **state) {
    graph_fixture_t *f = *state;
    s_add (f, "top", "");
    s_add (f, "beside", "");
    s_add (f, "middle", "top");
    s_add (f, "end", "middle");
    dw_graph_set_input (f->graph, 3, "top");
    s_expect (f, "");
    dw_graph_set_input (f->graph, 3, "beside");
    dw_graph_set_input (f->graph, 2, "end");
    dw_graph_set_input (f->graph, 1, "beside");
    s_expect (f, "error: node \"beside\" has the input \"beside\", which is not among its "
                 "ancestors; depend on it, or name another\n"
                 "error: node \"middle\" has the input \"end\", which is not among its ancestors; "
                 "depend on it, or name another\n"
                 "error: node \"end\" has the input \"beside\", which is not among its ancestors; "
                 "depend on it, or name another\n");
}

static void an_input_that_is_not_in_the_graph_is_an_error (void **state) {
    graph_fixture_t *f = *state;
    s_add (f, "top", "");
    s_add (f, "end", "top");
    dw_graph_set_input (f->graph, 1, "tops");
    s_expect (f, "error: node \"end\" has the input \"tops\", which is not in the graph; did you "
                 "mean \"top\"?\n");
}

static void the_input_run_is_the_runs_input (void **state) {
    graph_fixture_t *f = *state;
    dw_resolved_t resolved;
    s_add (f, "top", "");
    s_add (f, "end", "top");
    dw_graph_set_input (f->graph, 1, "run");
    assert_int_equal (dw_graph_resolve (f->graph, &resolved, f->error), DW_OK);
    assert_int_equal (resolved.input[0], DW_NONE);
    assert_int_equal (resolved.input[1], DW_RUN_INPUT);
    dw_resolved_free (&resolved);
    s_add (f, "run", "");
    s_expect (f, "warning: node \"end\" has the input \"run\", which is the run's input and not "
                 "the output of the node \"run\"\n");
}

static void all_errors_are_reported_at_once (void **state) {
    graph_fixture_t *f = *state;
    s_add (f, "a", "b");
    s_add (f, "b", "a");
    s_add (f, "b", "");
    s_add (f, "", "self");
    s_add (f, "self", "self ab");
    dw_graph_set_input (f->graph, 2, "gone");
    dw_graph_options (f->graph)->max_concurrency = 0;
    dw_graph_node_options (f->graph, 1)->retry_attempts = -1;
    s_expect (f,
              "error: the id \"b\" of node 2 is taken by node 1; give each node its own\n"
              "error: the id of node 3 is empty; give it one\n"
              "error: node \"self\" depends on \"ab\", which is not in the graph\n"
              "error: cycle: a -> b -> a\n"
              "error: cycle: self -> self (the node depends on itself)\n"
              "error: node \"b\" has the input \"gone\", which is not in the graph\n"
              "error: max_concurrency must be a whole number from 1 to 65536, not 0\n"
              "error: node \"b\": retry_attempts must be a whole number from 0 to 1000, not -1\n");
}

static void a_hundred_of_a_kind_are_reported_and_the_rest_counted (void **state) {
    graph_fixture_t *f = *state;
    for (int node = 0; node < 250; node++) {
        char id[16];
        snprintf (id, sizeof (id), "%d", node);
        s_add (f, id, id);
        s_add (f, "", "gone");
        dw_graph_node_options (f->graph, node)->cost_us = -1;
    }
    assert_int_equal (dw_graph_resolve (f->graph, NULL, f->error), DW_EGRAPH);
    const char *text = dw_error_text (f->error);
    assert_int_equal (dw_error_count (f->error), 404);
    assert_non_null (strstr (text, "\nerror: 150 more nodes have an empty id\n"));
    assert_non_null (strstr (text, "\nerror: 150 more dependencies are not in the graph\n"));
    assert_non_null (strstr (text, "\nerror: 150 more cycles\n"));
    assert_non_null (strstr (text, "\nerror: 150 more settings are out of range\n"));
}

/* ---- Numbers -------------------------------------------------------------------------------- */

static void each_number_is_right_within_its_range_and_wrong_beyond (void **state) {
    static const struct {
        dw_limit_t limit;
        const char *key;
        double least, most, below, above;
    } rows[] = {
        {DW_LIMIT_MAX_CONCURRENCY, "max_concurrency", 1, 65536, 0, 65537},
        {DW_LIMIT_TIMEOUT_SECONDS, "timeout_seconds", 1e-6, 1e9, 0, 1e9 + 1},
        {DW_LIMIT_RETRY_ATTEMPTS, "retry_attempts", 0, 1000, -1, 1001},
        {DW_LIMIT_INITIAL_MS, "initial_ms", 0, 86400000, -0.5, 86400000.5},
        {DW_LIMIT_MAX_MS, "max_ms", 0, 86400000, -1, 1e300},
        {DW_LIMIT_FACTOR, "factor", 1, 1000, 0.99, 1000.01},
        {DW_LIMIT_JITTER, "jitter", 0, 1, -0.01, 1.01},
        {DW_LIMIT_BATCH_SIZE, "batch_size", 1, 65536, 0, 65537},
        {DW_LIMIT_POOL, "pool", 1, 1024, 0, 1025},
        {DW_LIMIT_MAX_PAYLOAD_BYTES, "max_payload_bytes", 1, 4294967295.0, 0, 4294967296.0},
        {DW_LIMIT_COST_US, "cost_us", 0, 1e15, -1, 1.1e15},
        {DW_LIMIT_ADDED_NODES, "nodes_max", 0, 16000000, -1, 16000001},
        {DW_LIMIT_ADDED_DEPTH, "depth_max", 0, 256, -1, 257},
    };
    graph_fixture_t *f = *state;
    assert_int_equal (sizeof (rows) / sizeof (*rows), DW_LIMITS);
    for (size_t row = 0; row < DW_LIMITS; row++) {
        dw_limit_t limit = rows[row].limit;
        assert_int_equal (dw_graph_check_number (limit, rows[row].least, DW_NOWHERE, f->error),
                          DW_OK);
        assert_int_equal (dw_graph_check_number (limit, rows[row].most, DW_NOWHERE, f->error),
                          DW_OK);
        assert_int_equal (dw_error_count (f->error), 3 * row);
        assert_int_equal (dw_graph_check_number (limit, rows[row].below, DW_NOWHERE, f->error),
                          DW_EGRAPH);
        assert_int_equal (dw_graph_check_number (limit, rows[row].above, DW_NOWHERE, f->error),
                          DW_EGRAPH);
        assert_int_equal (dw_graph_check_number (limit, strtod ("nan", NULL), DW_NOWHERE, f->error),
                          DW_EGRAPH);
        assert_int_equal (dw_graph_check_number (limit, strtod ("-inf", NULL), DW_NOWHERE, NULL),
                          DW_EGRAPH);
        const char *message = dw_error_message (f->error, 3 * row);
        assert_int_equal (
            strncmp (message + strlen ("error: "), rows[row].key, strlen (rows[row].key)), 0);
    }
}

static void a_number_out_of_range_is_named_with_its_range_and_place (void **state) {
    graph_fixture_t *f = *state;
    dw_place_t place = {"g.yaml", 4, 3};
    dw_graph_check_number (DW_LIMIT_TIMEOUT_SECONDS, -0.5, place, f->error);
    dw_graph_check_number (DW_LIMIT_POOL, 2.5, place, f->error);
    dw_graph_check_number (DW_LIMIT_JITTER, strtod ("nan", NULL), place, f->error);
    dw_graph_check_number (DW_LIMIT_COST_US, 1e16, place, f->error);
    assert_string_equal (
        dw_error_text (f->error),
        "g.yaml:4:3: error: timeout_seconds must be a number over 0 and at most "
        "1000000000, not -0.5; leave it out for no timeout\n"
        "g.yaml:4:3: error: pool must be a whole number from 1 to 1024, not 2.5\n"
        "g.yaml:4:3: error: jitter must be a number from 0 to 1, not .nan, which is no number\n"
        "g.yaml:4:3: error: cost_us must be a whole number from 0 to "
        "1000000000000000, not 1e+16\n");
}

static void every_number_of_the_options_is_checked_in_its_own_unit (void **state) {
    graph_fixture_t *f = *state;
    dw_graph_options_t *options = dw_graph_options (f->graph);
    s_add (f, "a", "");
    dw_node_options_t *node = dw_graph_node_options (f->graph, 0);
    options->pool_size = 4096;
    options->max_concurrency = 0;
    options->timeout_us = -1500000;
    options->retry_attempts = 1001;
    options->batch_size = 0;
    options->max_payload_bytes = 0;
    options->backoff = (dw_backoff_t){-1500, 86400001000, 0.5, 2};
    node->timeout_us = 0;
    node->retry_attempts = -1;
    node->cost_us = -3;
    node->backoff = (dw_backoff_t){-1, -1, -1, -1};
    s_expect (
        f,
        "error: pool must be a whole number from 1 to 1024, not 4096\n"
        "error: max_concurrency must be a whole number from 1 to 65536, not 0\n"
        "error: timeout_seconds must be a number over 0 and at most 1000000000, not -1.5; "
        "leave it out for no timeout\n"
        "error: retry_attempts must be a whole number from 0 to 1000, not 1001\n"
        "error: batch_size must be a whole number from 1 to 65536, not 0\n"
        "error: max_payload_bytes must be a whole number from 1 to 4294967295, not 0\n"
        "error: initial_ms must be a number from 0 to 86400000, not -1.5\n"
        "error: factor must be a number from 1 to 1000, not 0.5\n"
        "error: max_ms must be a number from 0 to 86400000, not 86400001\n"
        "error: jitter must be a number from 0 to 1, not 2\n"
        "error: node \"a\": timeout_seconds must be a number over 0 and at most 1000000000, not 0; "
        "leave it out for no timeout\n"
        "error: node \"a\": retry_attempts must be a whole number from 0 to 1000, not -1\n"
        "error: node \"a\": cost_us must be a whole number from 0 to 1000000000000000, not -3\n");
    node->has_backoff = true;
    assert_int_equal (dw_graph_resolve (f->graph, NULL, f->error), DW_EGRAPH);
    assert_int_equal (dw_error_count (f->error), 17);
}

static void a_choice_beyond_its_enum_is_an_error (void **state) {
    graph_fixture_t *f = *state;
    int wild = 77;
    s_add (f, "a", "");
    memcpy (&dw_graph_options (f->graph)->strategy, &wild, sizeof (wild));
    memcpy (&dw_graph_node_options (f->graph, 0)->intent, &wild, sizeof (wild));
    s_expect (f, "error: strategy must be one of the values of its enum, not 77\n"
                 "error: node \"a\": intent must be one of the values of its enum, not 77\n");
}

/* ---- Size ----------------------------------------------------------------------------------- */

#define MILLION 1000000

/* A chain: node n depends on the one before; first: what node 0 depends on, or NULL. */
static void s_build_chain (graph_fixture_t *f, int count, const char *first) {
    char id[16], on[16];
    for (int node = 0; node < count; node++) {
        snprintf (id, sizeof (id), "%d", node);
        snprintf (on, sizeof (on), "%d", node - 1);
        dw_graph_add (f->graph, id, "identity");
        if (node > 0 || first)
            dw_graph_depend (f->graph, node, node > 0 ? on : first);
    }
}

static void a_chain_of_a_million_nodes_resolves_without_recursion (void **state) {
    graph_fixture_t *f = *state;
    dw_resolved_t resolved;
    s_build_chain (f, MILLION, NULL);
    dw_graph_set_input (f->graph, MILLION - 1, "0");
    assert_int_equal (dw_graph_resolve (f->graph, &resolved, f->error), DW_OK);
    assert_int_equal (resolved.levels_count, MILLION);
    assert_int_equal (resolved.level[MILLION - 1], MILLION - 1);
    assert_int_equal (resolved.input[MILLION - 1], 0);
    dw_resolved_free (&resolved);
}

static void a_chain_declared_backwards_resolves_as_well (void **state) {
    graph_fixture_t *f = *state;
    dw_resolved_t resolved;
    char id[16], on[16];
    for (int node = MILLION; node-- > 0;) {
        snprintf (id, sizeof (id), "%d", node);
        snprintf (on, sizeof (on), "%d", node - 1);
        int index = dw_graph_add (f->graph, id, "identity");
        if (node > 0)
            dw_graph_depend (f->graph, index, on);
    }
    assert_int_equal (dw_graph_resolve (f->graph, &resolved, f->error), DW_OK);
    assert_int_equal (resolved.level[0], MILLION - 1);
    dw_resolved_free (&resolved);
}

static void a_cycle_of_a_million_nodes_is_named_in_one_line (void **state) {
    graph_fixture_t *f = *state;
    s_build_chain (f, MILLION, "999999");
    assert_int_equal (dw_graph_resolve (f->graph, NULL, f->error), DW_EGRAPH);
    assert_int_equal (dw_error_count (f->error), 1);
    assert_non_null (strstr (dw_error_message (f->error, 0), "9 -> (999980 more) -> 999990"));
}

static void very_many_missing_dependencies_are_reported_in_bounded_time (void **state) {
    graph_fixture_t *f = *state;
    char id[64], on[64];
    for (int node = 0; node < MILLION / 4; node++) {
        snprintf (id, sizeof (id), "a rather long name of a node, so that distances cost %08d",
                  node);
        snprintf (on, sizeof (on), "another long name of a node, so that distances cost %08d",
                  node);
        dw_graph_add (f->graph, id, "identity");
        dw_graph_depend (f->graph, node, on);
    }
    assert_int_equal (dw_graph_resolve (f->graph, NULL, f->error), DW_EGRAPH);
    assert_int_equal (dw_error_count (f->error), 101);
    assert_non_null (strstr (dw_error_text (f->error),
                             "\nerror: 249900 more dependencies are not in the graph\n"));
}

static void many_nodes_with_one_far_input_cost_little (void **state) {
    graph_fixture_t *f = *state;
    s_build_chain (f, MILLION, NULL);
    for (int node = 1; node < MILLION; node++)
        dw_graph_set_input (f->graph, node, "0");
    assert_int_equal (dw_graph_resolve (f->graph, NULL, f->error), DW_OK);
}

static void more_far_inputs_than_can_be_checked_are_refused (void **state) {
    graph_fixture_t *f = *state;
    char id[16];
    s_build_chain (f, MILLION / 10, NULL);
    for (int node = 4; node < MILLION / 10; node++) {
        snprintf (id, sizeof (id), "%d", node / 2);
        dw_graph_set_input (f->graph, node, id);
    }
    assert_int_equal (dw_graph_resolve (f->graph, NULL, f->error), DW_EGRAPH);
    assert_int_equal (dw_error_count (f->error), 101);
    assert_non_null (
        strstr (dw_error_message (f->error, 0),
                "and there are too many inputs so far from their nodes to check them all; "
                "depend on it directly"));
    assert_non_null (strstr (dw_error_message (f->error, 100), "more inputs were not checked"));
}

#define TEST(name) \
    cmocka_unit_test_setup_teardown (name, graph_fixture_setup, graph_fixture_teardown)

int main (void) {
    const struct CMUnitTest tests[] = {
        TEST (an_empty_graph_is_right),
        TEST (nothing_and_a_half_built_graph_can_be_destroyed),
        TEST (a_new_graph_has_its_defaults),
        TEST (node_options_are_made_when_first_asked_for),
        TEST (arguments_that_make_no_sense_change_nothing),
        TEST (settings_keep_their_order_and_the_later_value),
        TEST (dependencies_may_be_told_in_any_order_of_nodes),
        TEST (a_text_larger_than_any_chunk_is_copied),
        TEST (an_empty_id_is_an_error),
        TEST (a_duplicate_id_is_an_error),
        TEST (a_missing_dependency_is_an_error_with_the_nearest_id),
        TEST (a_dependency_is_reported_where_it_was_said),
        TEST (a_node_that_depends_on_itself_is_a_cycle),
        TEST (a_cycle_is_shown_from_its_first_node_to_what_depends_on_it),
        TEST (every_cycle_is_named),
        TEST (a_long_cycle_is_shortened_in_the_middle),
        TEST (a_cycle_of_long_ids_is_one_message_of_bounded_length),
        TEST (an_id_is_escaped_in_messages),
        TEST (an_input_that_is_no_ancestor_is_an_error),
        TEST (an_input_that_is_not_in_the_graph_is_an_error),
        TEST (the_input_run_is_the_runs_input),
        TEST (all_errors_are_reported_at_once),
        TEST (a_hundred_of_a_kind_are_reported_and_the_rest_counted),
        TEST (each_number_is_right_within_its_range_and_wrong_beyond),
        TEST (a_number_out_of_range_is_named_with_its_range_and_place),
        TEST (every_number_of_the_options_is_checked_in_its_own_unit),
        TEST (a_choice_beyond_its_enum_is_an_error),
        TEST (a_chain_of_a_million_nodes_resolves_without_recursion),
        TEST (a_chain_declared_backwards_resolves_as_well),
        TEST (a_cycle_of_a_million_nodes_is_named_in_one_line),
        TEST (very_many_missing_dependencies_are_reported_in_bounded_time),
        TEST (many_nodes_with_one_far_input_cost_little),
        TEST (more_far_inputs_than_can_be_checked_are_refused),
    };
    return !!cmocka_run_group_tests (tests, NULL, NULL);
}
