/* test_added.c - graphs that nodes add to their runs: at every place. */

#include "tests/support/system_fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* ---- Processors that add ---------------------------------------------------------------------- */

typedef struct s_recipe_t {
    const char *name, *output;
    void (*build) (dw_graph_t *graph);
    const char *input; /* NULL: what the node gets */
} s_recipe_t;

static int s_add (dw_graph_t *graph, const char *id, const char *processor, const char *on) {
    int node = dw_graph_add (graph, id, processor);
    if (node >= 0 && on)
        dw_graph_depend (graph, node, on);
    return node;
}

static int s_become (dw_call_t *call, void *arg) {
    const s_recipe_t *recipe = arg;
    dw_graph_t *graph = dw_graph_new ();
    recipe->build (graph);
    if (recipe->input)
        dw_call_set_text (call, recipe->input, strlen (recipe->input));
    dw_call_set_metadata (call, "key", "is dropped");
    int err = dw_call_add_graph (call, graph, recipe->output);
    dw_graph_destroy (&graph);
    return err;
}

static void s_diamond (dw_graph_t *graph) {
    s_add (graph, "upper", "change_text_case_upper", NULL);
    s_add (graph, "reverse", "reverse_text", NULL);
    int both = s_add (graph, "both", "concat", "upper");
    dw_graph_depend (graph, both, "reverse");
    dw_graph_set_text (graph, both, "separator", "-");
    s_add (graph, "unneeded", "fail", "both");
}

static void s_failing (dw_graph_t *graph) {
    s_add (graph, "good", "identity", NULL);
    int bad = s_add (graph, "bad", "fail", "good");
    dw_graph_set_text (graph, bad, "message", "it was to");
    dw_graph_set_integer (graph, bad, "code", 418);
    s_add (graph, "last", "identity", "bad");
}

static void s_join_of_a_failure (dw_graph_t *graph) {
    s_failing (graph);
    int left = dw_graph_add (graph, "left", "concat");
    dw_graph_depend (graph, left, "good");
    dw_graph_depend (graph, left, "last");
    dw_graph_node_options (graph, left)->join = DW_JOIN_ANY_OK;
}

static void s_gate (dw_graph_t *graph) {
    int gate = s_add (graph, "gate", "skip_unless", NULL);
    dw_graph_set_text (graph, gate, "contains", "yes");
    s_add (graph, "last", "identity", "gate");
}

static void s_measure (dw_graph_t *graph) {
    s_add (graph, "count", "token_counter", NULL);
}

static void s_flaky (dw_graph_t *graph) {
    int flaky = s_add (graph, "flaky", "fail", NULL);
    dw_graph_set_integer (graph, flaky, "times", 2);
    dw_graph_node_options (graph, flaky)->retry_attempts = 2;
    dw_graph_node_options (graph, flaky)->has_backoff = true;
    dw_graph_node_options (graph, flaky)->backoff = (dw_backoff_t){.factor = 1};
}

static void s_slow (dw_graph_t *graph) {
    int slow = s_add (graph, "slow", "sleep", NULL);
    dw_graph_set_integer (graph, slow, "ms", 20000);
    s_add (graph, "last", "identity", "slow");
}

static void s_slow_in_time (dw_graph_t *graph) {
    s_slow (graph);
    dw_graph_node_options (graph, 0)->timeout_us = 20000;
}

static void s_large (dw_graph_t *graph) {
    s_add (graph, "a", "identity", NULL);
    s_add (graph, "b", "reverse_text", "a");
    s_add (graph, "c", "reverse_text", "a");
    int last = s_add (graph, "last", "concat", "b");
    dw_graph_depend (graph, last, "c");
}

/* Bad ones. */
static void s_nothing (dw_graph_t *graph) {
    (void) graph;
}
static void s_cycle (dw_graph_t *graph) {
    s_add (graph, "last", "identity", "other");
    s_add (graph, "other", "identity", "last");
}
static void s_twice (dw_graph_t *graph) {
    s_add (graph, "last", "identity", NULL);
    s_add (graph, "last", "identity", NULL);
}
static void s_nobody (dw_graph_t *graph) {
    s_add (graph, "last", "identity", "nobody");
}
static void s_unknown (dw_graph_t *graph) {
    s_add (graph, "last", "identiti", NULL);
}
static void s_not_allowed (dw_graph_t *graph) {
    s_add (graph, "last", "spin", NULL);
}
static void s_wrong_option (dw_graph_t *graph) {
    dw_graph_set_text (graph, s_add (graph, "last", "concat", NULL), "separatr", "");
}
static void s_wrong_value (dw_graph_t *graph) {
    dw_graph_set_integer (graph, s_add (graph, "last", "sleep", NULL), "ms", -1);
}
static void s_elsewhere (dw_graph_t *graph) {
    dw_graph_set_remote (graph, s_add (graph, "last", "identity", NULL));
}
static void s_wrong_input (dw_graph_t *graph) {
    s_add (graph, "other", "identity", NULL);
    dw_graph_set_input (graph, s_add (graph, "last", "identity", NULL), "other");
}
static void s_wrong_policy (dw_graph_t *graph) {
    s_add (graph, "last", "identity", NULL);
    dw_graph_node_options (graph, 0)->retry_attempts = -7;
}
static void s_many (dw_graph_t *graph) {
    char id[16];
    for (int i = 0; i < 101; i++) {
        snprintf (id, sizeof id, "n%d", i);
        s_add (graph, id, "identity", NULL);
    }
}

static const s_recipe_t s_recipes[] = {
    {"diamond", "both", s_diamond, NULL},
    {"diamond_of_word", "both", s_diamond, "Word"},
    {"failing", "last", s_failing, NULL},
    {"not_failing", "good", s_failing, NULL},
    {"join_of_a_failure", "left", s_join_of_a_failure, NULL},
    {"gate", "last", s_gate, NULL},
    {"measure", "count", s_measure, NULL},
    {"flaky", "flaky", s_flaky, NULL},
    {"slow", "last", s_slow, NULL},
    {"slow_in_time", "last", s_slow_in_time, NULL},
    {"large", "last", s_large, NULL},
    {"many", "n0", s_many, NULL},
};

static const struct {
    s_recipe_t recipe;
    int code;
    const char *reason;
} s_bad[] = {
    {{"bad_nothing", "last", s_nothing, NULL}, 400, "no nodes"},
    {{"bad_cycle", "last", s_cycle, NULL}, 400, "cycle"},
    {{"bad_twice", "last", s_twice, NULL}, 400, "\"last\""},
    {{"bad_nobody", "last", s_nobody, NULL}, 400, "\"nobody\""},
    {{"bad_unknown", "last", s_unknown, NULL},
     400,
     "\"identiti\", which is unknown here: \"adds\" has to name it"},
    {{"bad_output", "first", s_diamond, NULL}, 400, "no node \"first\""},
    {{"bad_not_allowed", "last", s_not_allowed, NULL}, 400, "\"spin\""},
    {{"bad_option", "last", s_wrong_option, NULL}, 400, "separatr"},
    {{"bad_value", "last", s_wrong_value, NULL}, 400, "ms"},
    {{"bad_demand", "last", s_elsewhere, NULL}, 400, "workers of their own"},
    {{"bad_input", "last", s_wrong_input, NULL}, 400, "\"other\""},
    {{"bad_policy", "last", s_wrong_policy, NULL}, 400, "retry_attempts"},
};
#define COUNT(items) (sizeof (items) / sizeof *(items))

static void s_add_processor (system_fixture_t *f, const s_recipe_t *recipe) {
    const dw_processor_t processor = {.name = recipe->name,
                                      .process = s_become,
                                      .arg = (void *) (uintptr_t) recipe,
                                      .may_add = true};
    assert_int_equal (dw_processors_add (f->processors, &processor), DW_OK);
}

static void s_add_processors (system_fixture_t *f) {
    for (size_t i = 0; i < COUNT (s_recipes); i++)
        s_add_processor (f, &s_recipes[i]);
    for (size_t i = 0; i < COUNT (s_bad); i++)
        s_add_processor (f, &s_bad[i].recipe);
}

/* A node that may add all of the stock processors of these tests. */
static int s_add_adder (system_fixture_t *f, const char *id, const char *processor,
                        const char *depends_on) {
    static const char *const allowed[] = {"change_text_case_upper",
                                          "reverse_text",
                                          "concat",
                                          "identity",
                                          "fail",
                                          "sleep",
                                          "skip_unless",
                                          "token_counter"};
    int node = system_fixture_add (f, id, processor, depends_on);
    for (size_t i = 0; i < COUNT (allowed); i++)
        assert_int_equal (dw_graph_allow (f->graph, node, allowed[i]), DW_OK);
    return node;
}

static void s_expect_added (const dw_result_t *result, const char *id, unsigned nodes,
                            unsigned depth) {
    int node = dw_result_find (result, id);
    assert_int_equal (dw_result_added_nodes (result, node), nodes);
    assert_int_equal (dw_result_added_depth (result, node), depth);
}

/* ---- What a node becomes ---------------------------------------------------------------------- */

static void dependents_wait_for_the_graph_and_read_its_output (void **state) {
    system_fixture_t *f = *state;
    s_add_processors (f);
    s_add_adder (f, "grows", "diamond", "");
    s_add_adder (f, "of_word", "diamond_of_word", "");
    system_fixture_add (f, "below", "prefix_suffix_adder", "grows");
    system_fixture_open (f);
    for (int round = 0; round < 20; round++) {
        dw_result_t *result = system_fixture_run_text (f, "abc");
        assert_int_equal (dw_result_status (result), DW_RUN_OK);
        expect_text (result, "grows", "ABC-cba");
        expect_text (result, "below", "[ABC-cba]");
        expect_text (result, "of_word", "WORD-droW");
        s_expect_added (result, "grows", 4, 1);
        s_expect_added (result, "below", 0, 0);
        assert_int_equal (dw_result_attempts (result, dw_result_find (result, "grows")), 1);
        assert_int_equal (dw_result_metadata_count (result, dw_result_find (result, "grows")), 0);
        dw_result_destroy (&result);
    }
}

static void metadata_is_that_of_the_output (void **state) {
    system_fixture_t *f = *state;
    const char *key, *value;
    s_add_processors (f);
    s_add_adder (f, "grows", "measure", "");
    system_fixture_open (f);
    dw_result_t *result = system_fixture_run_text (f, "three short words");
    int node = dw_result_find (result, "grows");
    assert_true (dw_result_metadata_count (result, node) > 0);
    assert_int_equal (dw_result_metadata_at (result, node, 0, &key, &value), DW_OK);
    assert_string_not_equal (key, "key");
    dw_result_destroy (&result);
}

static void large_texts_go_through_a_graph (void **state) {
    system_fixture_t *f = *state;
    static char text[300001];
    s_add_processors (f);
    s_add_adder (f, "grows", "large", "");
    system_fixture_add (f, "below", "identity", "grows");
    system_fixture_open (f);
    memset (text, 'a', sizeof text - 1);
    text[0] = 'b';
    for (int round = 0; round < 3; round++) {
        size_t size;
        dw_result_t *result = system_fixture_run_text (f, text);
        const char *both = dw_result_text (result, dw_result_find (result, "below"), &size);
        assert_int_equal (size, 600000);
        assert_true (both[299999] == 'b' && both[599999] == 'b' && both[300000] == 'a');
        dw_result_destroy (&result);
    }
}

static void what_its_output_does_not_need_is_not_run (void **state) {
    system_fixture_t *f = *state;
    s_add_processors (f);
    s_add_adder (f, "grows", "not_failing", "");
    system_fixture_open (f);
    dw_result_t *result = system_fixture_run_text (f, "text");
    assert_int_equal (dw_result_status (result), DW_RUN_OK);
    expect_text (result, "grows", "text");
    dw_result_destroy (&result);
}

static void its_first_failure_is_the_node_s_and_says_where (void **state) {
    static const dw_failure_strategy_t strategies[] = {DW_FAIL_FAST, DW_CONTINUE_ON_ERROR,
                                                       DW_BEST_EFFORT};
    system_fixture_t *f = *state;
    dw_failure_strategy_t strategy = strategies[f->place->is_elsewhere + !f->place->transport];
    s_add_processors (f);
    system_fixture_options (f)->failure_strategy = strategy;
    s_add_adder (f, "grows", "failing", "");
    system_fixture_add (f, "below", "identity", "grows");
    system_fixture_open (f);
    for (int round = 0; round < 3; round++) {
        dw_result_t *result = system_fixture_run_text (f, "text");
        assert_int_equal (dw_result_status (result),
                          strategy == DW_FAIL_FAST ? DW_RUN_FAILED : DW_RUN_PARTIAL);
        expect_failure (result, "grows", 418, "grows/bad: it was to");
        s_expect_added (result, "grows", 3, 1);
        if (strategy == DW_BEST_EFFORT)
            expect_text (result, "below", "text");
        else {
            expect_status (result, "below", DW_NODE_SKIPPED);
            expect_because_of (result, "below", "grows");
        }
        dw_result_destroy (&result);
    }
}

static void a_failure_that_its_output_does_without_is_none (void **state) {
    system_fixture_t *f = *state;
    s_add_processors (f);
    system_fixture_options (f)->failure_strategy = DW_CONTINUE_ON_ERROR;
    s_add_adder (f, "grows", "join_of_a_failure", "");
    system_fixture_open (f);
    dw_result_t *result = system_fixture_run_text (f, "text");
    assert_int_equal (dw_result_status (result), DW_RUN_OK);
    assert_int_equal (dw_result_failures_count (result), 0);
    expect_text (result, "grows", "text");
    dw_result_destroy (&result);
}

static void a_graph_whose_branch_ends_ends_the_node_s (void **state) {
    system_fixture_t *f = *state;
    s_add_processors (f);
    s_add_adder (f, "grows", "gate", "");
    system_fixture_add (f, "below", "identity", "grows");
    system_fixture_add (f, "beside", "identity", "");
    int join = system_fixture_add (f, "join", "concat", "below beside");
    dw_graph_node_options (f->graph, join)->join = DW_JOIN_ANY_OK;
    system_fixture_open (f);
    for (int round = 0; round < 3; round++) {
        dw_result_t *result = system_fixture_run_text (f, "no");
        assert_int_equal (dw_result_status (result), DW_RUN_OK);
        expect_status (result, "grows", DW_NODE_SKIPPED);
        expect_because_of (result, "grows", "grows");
        expect_because_of (result, "below", "grows");
        expect_text (result, "join", "no");
        dw_result_destroy (&result);
        system_fixture_expect_run (f, "yes", "below", "yes");
    }
}

static void nodes_of_a_graph_are_retried_and_timed (void **state) {
    system_fixture_t *f = *state;
    s_add_processors (f);
    system_fixture_options (f)->failure_strategy = DW_CONTINUE_ON_ERROR;
    s_add_adder (f, "flaky", "flaky", "");
    s_add_adder (f, "late", "slow_in_time", "");
    system_fixture_open (f);
    dw_result_t *result = system_fixture_run_text (f, "text");
    expect_text (result, "flaky", "text");
    expect_failure (result, "late", 408, "late/slow: the attempt took longer");
    dw_result_destroy (&result);
}

/* ---- Bounds and loops ------------------------------------------------------------------------- */

static void a_loop_is_a_bounded_chain_of_graphs (void **state) {
    system_fixture_t *f = *state;
    system_fixture_options (f)->failure_strategy = DW_CONTINUE_ON_ERROR;
    system_fixture_options (f)->added_depth_max = 10;
    int node = system_fixture_add (f, "loop", "repeat_until", "");
    assert_int_equal (dw_graph_allow (f->graph, node, "repeat_until"), DW_OK);
    assert_int_equal (dw_graph_allow (f->graph, node, "prefix_suffix_adder"), DW_OK);
    dw_graph_set_text (f->graph, node, "processor", "prefix_suffix_adder");
    dw_graph_set_integer (f->graph, node, "min_bytes", 21);
    system_fixture_open (f);
    dw_result_t *result = system_fixture_run_text (f, "x");
    expect_text (result, "loop", "[[[[[[[[[[x]]]]]]]]]]");
    s_expect_added (result, "loop", 20, 10);
    dw_result_destroy (&result);
    result = system_fixture_run_text (f, "a text that is long enough");
    expect_text (result, "loop", "a text that is long enough");
    s_expect_added (result, "loop", 0, 0);
    dw_result_destroy (&result);
    result = system_fixture_run_text (f, "");
    expect_failure (result, "loop", 413, "too deep: depth_max is 10");
    expect_failure (result, "loop", 413, "loop/again/again/");
    s_expect_added (result, "loop", 20, 10);
    dw_result_destroy (&result);
}

static void no_run_is_added_more_than_nodes_max_and_all_adders_share_it (void **state) {
    system_fixture_t *f = *state;
    s_add_processors (f);
    system_fixture_options (f)->failure_strategy = DW_CONTINUE_ON_ERROR;
    system_fixture_options (f)->added_nodes_max = 100;
    s_add_adder (f, "large", "many", "");
    system_fixture_add (f, "below", "identity", "large");
    int lines = system_fixture_add (f, "lines", "for_each_line", "");
    assert_int_equal (dw_graph_allow (f->graph, lines, "pick_lines"), DW_OK);
    assert_int_equal (dw_graph_allow (f->graph, lines, "concat"), DW_OK);
    assert_int_equal (dw_graph_allow (f->graph, lines, "identity"), DW_OK);
    system_fixture_open (f);
    char text[64] = "";
    for (size_t i = 0; i < 24; i++)
        memcpy (text + 2 * i, "a\n", sizeof "a\n");
    dw_result_t *result = system_fixture_run_text (f, text); /* 49 of the half of 100 */
    s_expect_added (result, "lines", 49, 1);
    expect_failure (result, "large", 413, "nodes_max");
    expect_because_of (result, "below", "large");
    dw_result_destroy (&result);
    memcpy (text + strlen (text), "a\n", sizeof "a\n");
    result = system_fixture_run_text (f, text);
    expect_failure (result, "lines", 413, "its share of nodes_max (100) is less");
    expect_failure (result, "large", 413, "the graph that it adds: the added graph has ");
    dw_result_destroy (&result);
}

static void lines_that_are_too_many_are_refused_before_their_graph_is_made (void **state) {
    system_fixture_t *f = *state;
    enum { LINES = 1000000 };
    int node = system_fixture_add (f, "lines", "for_each_line", "");
    dw_graph_set_integer (f->graph, node, "lines", 3);
    assert_int_equal (dw_graph_allow (f->graph, node, "pick_lines"), DW_OK);
    system_fixture_open (f);
    char *text = malloc (LINES + 1);
    assert_non_null (text);
    memset (text, '\n', LINES);
    text[LINES] = '\0';
    dw_result_t *result = system_fixture_run_text (f, text);
    expect_failure (result, "lines", 413,
                    "the graph for 1000000 lines would have 666669 nodes, and a run may be added "
                    "10000 (executor_options.added.nodes_max)");
    dw_result_destroy (&result);
    free (text);
}

static void every_line_has_a_branch_of_its_own (void **state) {
    system_fixture_t *f = *state;
    static char text[16 * 1000], expected[16 * 1000];
    int node = system_fixture_add (f, "lines", "for_each_line", "");
    assert_int_equal (dw_graph_allow (f->graph, node, "pick_lines"), DW_OK);
    assert_int_equal (dw_graph_allow (f->graph, node, "concat"), DW_OK);
    assert_int_equal (dw_graph_allow (f->graph, node, "prefix_suffix_adder"), DW_OK);
    dw_graph_set_text (f->graph, node, "processor", "prefix_suffix_adder");
    system_fixture_open (f);
    size_t size = 0, expected_size = 0;
    for (int i = 0; i < 1000; i++) {
        size += (size_t) snprintf (text + size, sizeof text - size, "%d\n", i);
        expected_size += (size_t) snprintf (
            expected + expected_size, sizeof expected - expected_size, "%s[%d]", i ? "\n" : "", i);
    }
    dw_result_t *result = system_fixture_run_text (f, text);
    expect_text (result, "lines", expected);
    s_expect_added (result, "lines", 2001, 1);
    dw_result_destroy (&result);
    system_fixture_expect_run (f, "", "lines", "");
}

/* What is named by `processor` takes what is said by `options`, in each branch and each round. */
static void the_options_of_the_processor_are_passed_on_to_it (void **state) {
    system_fixture_t *f = *state;
    static const char *const each[] = {"pick_lines", "concat", "prefix_suffix_adder"};
    static const char *const loop[] = {"repeat_until", "prefix_suffix_adder"};
    int lines = system_fixture_add (f, "lines", "for_each_line", "");
    for (size_t i = 0; i < COUNT (each); i++)
        assert_int_equal (dw_graph_allow (f->graph, lines, each[i]), DW_OK);
    dw_graph_set_text (f->graph, lines, "processor", "prefix_suffix_adder");
    dw_graph_set_text (f->graph, lines, "options.prefix", "- ");
    dw_graph_set_text (f->graph, lines, "options.suffix", ";");
    int longer = system_fixture_add (f, "longer", "repeat_until", "lines");
    for (size_t i = 0; i < COUNT (loop); i++)
        assert_int_equal (dw_graph_allow (f->graph, longer, loop[i]), DW_OK);
    dw_graph_set_text (f->graph, longer, "processor", "prefix_suffix_adder");
    dw_graph_set_integer (f->graph, longer, "min_bytes", 15);
    dw_graph_set_text (f->graph, longer, "options.prefix", "<");
    dw_graph_set_text (f->graph, longer, "options.suffix", ">");
    system_fixture_open (f);
    dw_result_t *result = system_fixture_run_text (f, "a\nb");
    expect_text (result, "lines", "- a;\n- b;");
    expect_text (result, "longer", "<<<- a;\n- b;>>>");
    s_expect_added (result, "longer", 6, 3);
    dw_result_destroy (&result);
}

/* ---- What cannot be --------------------------------------------------------------------------- */

static void a_bad_graph_fails_its_node_with_the_reason_and_the_run_goes_on (void **state) {
    system_fixture_t *f = *state;
    s_add_processors (f);
    system_fixture_options (f)->failure_strategy = DW_CONTINUE_ON_ERROR;
    for (size_t i = 0; i < COUNT (s_bad); i++)
        s_add_adder (f, s_bad[i].recipe.name, s_bad[i].recipe.name, "");
    s_add_adder (f, "good", "diamond", "");
    system_fixture_open (f);
    for (int round = 0; round < 2; round++) {
        dw_result_t *result = system_fixture_run_text (f, "ab");
        assert_int_equal (dw_result_status (result), DW_RUN_PARTIAL);
        for (size_t i = 0; i < COUNT (s_bad); i++) {
            expect_failure (result, s_bad[i].recipe.name, s_bad[i].code, s_bad[i].reason);
            s_expect_added (result, s_bad[i].recipe.name, 0, 0);
        }
        expect_text (result, "good", "AB-ba");
        dw_result_destroy (&result);
    }
}

static void who_may_not_add_fails_and_is_told (void **state) {
    system_fixture_t *f = *state;
    s_add_processors (f);
    system_fixture_options (f)->failure_strategy = DW_CONTINUE_ON_ERROR;
    system_fixture_add (f, "says_nothing", "diamond", "");
    system_fixture_open (f);
    dw_result_t *result = system_fixture_run_text (f, "text");
    expect_failure (result, "says_nothing", 500, "names no processors that may be added");
    dw_result_destroy (&result);
}

static void options_that_the_processor_does_not_take_are_known_before_anything_starts (
    void **state) {
    system_fixture_t *f = *state;
    dw_error_t *error = dw_error_new ();
    int node = system_fixture_add (f, "lines", "for_each_line", "");
    dw_graph_set_text (f->graph, node, "processor", "prefix_suffix_adder");
    dw_graph_set_text (f->graph, node, "options.prefx", "");
    assert_int_equal (dw_graph_validate (f->graph, f->processors, error), DW_EGRAPH);
    expect_message (error, "node \"lines\" has the option \"prefx\", which its processor "
                           "\"prefix_suffix_adder\" does not take; did you mean \"prefix\"?");
    dw_error_destroy (&error);
}

static void adds_is_for_processors_that_add_and_names_those_that_there_are (void **state) {
    system_fixture_t *f = *state;
    dw_error_t *error = dw_error_new ();
    int node = system_fixture_add (f, "node", "identity", "");
    assert_int_equal (dw_graph_allow (f->graph, node, "concat"), DW_OK);
    assert_int_equal (dw_graph_validate (f->graph, f->processors, error), DW_EGRAPH);
    expect_message (error, "its processor \"identity\" adds nothing");
    dw_error_destroy (&error);
    error = dw_error_new ();
    node = system_fixture_add (f, "loop", "repeat_until", "");
    assert_int_equal (dw_graph_allow (f->graph, node, "identiti"), DW_OK);
    assert_int_equal (dw_graph_validate (f->graph, f->processors, error), DW_EGRAPH);
    expect_message (error, "\"identiti\", which is unknown; did you mean \"identity\"?");
    dw_error_destroy (&error);
    for (int i = 0; i < 63; i++) {
        char name[16];
        snprintf (name, sizeof name, "p%d", i);
        assert_int_equal (dw_graph_allow (f->graph, node, name), DW_OK);
    }
    assert_int_equal (dw_graph_allow (f->graph, node, "one too many"), DW_ELIMIT);
    assert_int_equal (dw_graph_allow (f->graph, node, "p0"), DW_OK);
    assert_int_equal (dw_graph_allow (f->graph, 99, "p0"), DW_EINVAL);
}

/* ---- An end before its end -------------------------------------------------------------------- */

static void a_run_that_is_cancelled_takes_its_graphs_with_it (void **state) {
    system_fixture_t *f = *state;
    s_add_processors (f);
    s_add_adder (f, "slow", "slow", "");
    s_add_adder (f, "grows", "diamond", "");
    system_fixture_open (f);
    uint64_t run = system_fixture_submit (f, "text");
    const struct timespec moment = {.tv_nsec = 20000000};
    nanosleep (&moment, NULL);
    assert_int_equal (dw_client_cancel (f->client, run), DW_OK);
    dw_result_t *result = system_fixture_wait (f, run);
    assert_int_equal (dw_result_status (result), DW_RUN_CANCELLED);
    expect_status (result, "slow", DW_NODE_CANCELLED);
    dw_result_destroy (&result);
    const char *grows = "grows";
    result = system_fixture_run_outputs (f, "ab", &grows, 1);
    expect_text (result, "grows", "AB-ba");
    dw_result_destroy (&result);
}

static void a_node_that_is_cancelled_takes_its_graph_with_it_and_the_rest_goes_on (void **state) {
    system_fixture_t *f = *state;
    s_add_processors (f);
    s_add_adder (f, "slow", "slow", "");
    system_fixture_add (f, "below", "identity", "slow");
    s_add_adder (f, "grows", "diamond", "");
    system_fixture_open (f);
    uint64_t run = system_fixture_submit (f, "ab");
    const struct timespec moment = {.tv_nsec = 20000000};
    nanosleep (&moment, NULL);
    assert_int_equal (dw_client_cancel_node (f->client, run, "slow", f->error), DW_OK);
    dw_result_t *result = system_fixture_wait (f, run);
    assert_int_equal (dw_result_status (result), DW_RUN_PARTIAL);
    expect_status (result, "slow", DW_NODE_CANCELLED);
    expect_status (result, "below", DW_NODE_CANCELLED);
    expect_text (result, "grows", "AB-ba");
    dw_result_destroy (&result);
}

static void a_run_whose_time_is_over_fails_at_the_node_that_grew (void **state) {
    system_fixture_t *f = *state;
    s_add_processors (f);
    s_add_adder (f, "slow", "slow", "");
    system_fixture_open (f);
    dw_submission_t submission = {
        .payload = "text", .size = 4, .is_text = true, .wait_ms = -1, .deadline_ms = 60};
    uint64_t run = 0;
    assert_int_equal (dw_client_submit (f->client, &submission, &run, f->error), DW_OK);
    dw_result_t *result = system_fixture_wait (f, run);
    assert_int_equal (dw_result_status (result), DW_RUN_FAILED);
    expect_failure (result, "slow", 408, "deadline_ms (60 ms)");
    dw_result_destroy (&result);
}

int main (void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test (dependents_wait_for_the_graph_and_read_its_output),
        cmocka_unit_test (metadata_is_that_of_the_output),
        cmocka_unit_test (large_texts_go_through_a_graph),
        cmocka_unit_test (what_its_output_does_not_need_is_not_run),
        cmocka_unit_test (its_first_failure_is_the_node_s_and_says_where),
        cmocka_unit_test (a_failure_that_its_output_does_without_is_none),
        cmocka_unit_test (a_graph_whose_branch_ends_ends_the_node_s),
        cmocka_unit_test (nodes_of_a_graph_are_retried_and_timed),
        cmocka_unit_test (a_loop_is_a_bounded_chain_of_graphs),
        cmocka_unit_test (lines_that_are_too_many_are_refused_before_their_graph_is_made),
        cmocka_unit_test (no_run_is_added_more_than_nodes_max_and_all_adders_share_it),
        cmocka_unit_test (every_line_has_a_branch_of_its_own),
        cmocka_unit_test (the_options_of_the_processor_are_passed_on_to_it),
        cmocka_unit_test (a_bad_graph_fails_its_node_with_the_reason_and_the_run_goes_on),
        cmocka_unit_test (who_may_not_add_fails_and_is_told),
        cmocka_unit_test (
            options_that_the_processor_does_not_take_are_known_before_anything_starts),
        cmocka_unit_test (adds_is_for_processors_that_add_and_names_those_that_there_are),
        cmocka_unit_test (a_run_that_is_cancelled_takes_its_graphs_with_it),
        cmocka_unit_test (a_node_that_is_cancelled_takes_its_graph_with_it_and_the_rest_goes_on),
        cmocka_unit_test (a_run_whose_time_is_over_fails_at_the_node_that_grew),
    };
    return system_fixture_run_everywhere ("added", tests);
}
