/* test_processor_set.c - the set of processors, and what validation says of graphs that name
 * them. */

#include "actors/processors.h"

#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static const char *const s_names[] = {"change_text_case_lower",
                                      "change_text_case_proper",
                                      "change_text_case_title",
                                      "change_text_case_upper",
                                      "concat",
                                      "fail",
                                      "for_each_line",
                                      "identity",
                                      "pick_lines",
                                      "prefix_suffix_adder",
                                      "repeat_until",
                                      "reverse_text",
                                      "skip_unless",
                                      "sleep",
                                      "spin",
                                      "token_counter",
                                      "word_frequency_analyzer"};
#define NAMES_COUNT (sizeof s_names / sizeof s_names[0])

static int s_process (dw_call_t *call, void *arg) {
    (void) call;
    return *(int *) arg;
}

/* ---- The set ------------------------------------------------------------------------------ */

static void a_new_set_has_the_stock_processors_in_alphabetical_order (void **state) {
    (void) state;
    dw_processors_t *set = dw_processors_new ();
    assert_non_null (set);
    assert_int_equal (dw_processors_count (set), NAMES_COUNT);
    for (size_t i = 0; i < NAMES_COUNT; i++) {
        const dw_processor_t *processor = dw_processors_at (set, i);
        assert_string_equal (processor->name, s_names[i]);
        assert_ptr_equal (dw_processors_find (set, s_names[i]), processor);
    }
    assert_null (dw_processors_at (set, NAMES_COUNT));
    assert_null (dw_processors_find (set, "reverse"));
    assert_null (dw_processors_find (set, ""));
    assert_null (dw_processors_find (set, "zzz"));
    assert_null (dw_processors_find (set, NULL));
    dw_processors_destroy (&set);
    assert_null (set);
    dw_processors_destroy (&set);
}

static void an_empty_set_takes_some_of_the_stock_processors (void **state) {
    (void) state;
    dw_processors_t *stock = dw_processors_new ();
    dw_processors_t *set = dw_processors_new_empty ();
    assert_non_null (set);
    assert_int_equal (dw_processors_count (set), 0);
    assert_null (dw_processors_find (set, "identity"));
    assert_int_equal (dw_processors_add (set, dw_processors_find (stock, "spin")), DW_OK);
    assert_int_equal (dw_processors_add (set, dw_processors_find (stock, "concat")), DW_OK);
    dw_processors_destroy (&stock); /* its tables were copied, what they point to is constant */
    assert_int_equal (dw_processors_count (set), 2);
    assert_string_equal (dw_processors_at (set, 0)->name, "concat");
    assert_string_equal (dw_processors_at (set, 1)->name, "spin");
    dw_processors_destroy (&set);
}

static bool s_is_one_of (const char *name, const char *names) {
    return strstr (names, name) != NULL;
}

static void stock_processors_say_what_they_are (void **state) {
    (void) state;
    dw_processors_t *set = dw_processors_new ();
    for (size_t i = 0; i < dw_processors_count (set); i++) {
        const dw_processor_t *processor = dw_processors_at (set, i);
        const char *name = processor->name;
        assert_int_equal (processor->intent,
                          s_is_one_of (name, "token_counter word_frequency_analyzer")
                              ? DW_ANALYZE
                              : DW_TRANSFORM);
        assert_int_equal (processor->brief,
                          !s_is_one_of (name, "sleep spin for_each_line repeat_until"));
        assert_int_equal (processor->may_add, s_is_one_of (name, "for_each_line repeat_until"));
        assert_int_equal (processor->payload_only, !s_is_one_of (name, "concat"));
        assert_int_equal (processor->may_skip, s_is_one_of (name, "skip_unless"));
        assert_true (processor->help && processor->help[0] && !strchr (processor->help, '\n'));
        for (const dw_option_t *option = processor->options; option && option->name; option++) {
            assert_true (option->help && option->help[0] && !strchr (option->help, '\n'));
            assert_non_null (option->fallback);
        }
    }
    dw_processors_destroy (&set);
}

static void adding_keeps_the_order_and_copies_the_table (void **state) {
    (void) state;
    int code = 3;
    dw_processors_t *set = dw_processors_new ();
    const dw_processor_t *concat = dw_processors_find (set, "concat");
    dw_processor_t mine = {.name = "compress", .process = s_process, .arg = &code, .brief = true};
    assert_int_equal (dw_processors_add (set, &mine), DW_OK);
    mine = (dw_processor_t){.name = "changed"};
    assert_int_equal (dw_processors_add_function (set, "zip", s_process, &code), DW_OK);
    assert_int_equal (dw_processors_add_function (set, "Zip", s_process, &code), DW_OK);
    assert_int_equal (dw_processors_count (set), NAMES_COUNT + 3);
    for (size_t i = 1; i < dw_processors_count (set); i++) {
        assert_true (strcmp (dw_processors_at (set, i - 1)->name, dw_processors_at (set, i)->name) <
                     0);
    }
    const dw_processor_t *found = dw_processors_find (set, "compress");
    assert_string_equal (found->name, "compress");
    assert_true (found->brief);
    assert_ptr_equal (dw_processors_find (set, "concat"), concat);
    dw_processors_destroy (&set);
}

static void a_function_is_a_transform_whose_instance_is_its_argument (void **state) {
    (void) state;
    int code = 42;
    dw_processors_t *set = dw_processors_new ();
    assert_int_equal (dw_processors_add_function (set, "f", s_process, &code), DW_OK);
    const dw_processor_t *f = dw_processors_find (set, "f");
    assert_int_equal (f->intent, DW_TRANSFORM);
    assert_false (f->brief);
    assert_false (f->payload_only);
    assert_null (f->start);
    assert_null (f->stop);
    assert_null (f->options);
    assert_int_equal (f->process (NULL, f->arg), 42);
    dw_processors_destroy (&set);
}

static void hundreds_may_be_added_and_stay_where_they_are (void **state) {
    (void) state;
    static char names[500][8];
    int code = 0;
    dw_processors_t *set = dw_processors_new ();
    const dw_processor_t *places[500];
    for (unsigned i = 0; i < 500; i++) {
        snprintf (names[i], sizeof names[i], "p%u", i * 7919 % 500);
        assert_int_equal (dw_processors_add_function (set, names[i], s_process, &code), DW_OK);
        places[i] = dw_processors_find (set, names[i]);
    }
    for (unsigned i = 0; i < 500; i++) {
        assert_ptr_equal (dw_processors_find (set, names[i]), places[i]);
        assert_string_equal (places[i]->name, names[i]);
    }
    dw_processors_destroy (&set);
}

static void adding_refuses_what_is_no_processor_or_has_a_name_that_is_taken (void **state) {
    (void) state;
    int code = 0;
    dw_processors_t *set = dw_processors_new ();
    assert_int_equal (dw_processors_add (set, NULL), DW_EINVAL);
    assert_int_equal (dw_processors_add (NULL, dw_processors_at (set, 0)), DW_EINVAL);
    assert_int_equal (dw_processors_add (set, &(dw_processor_t){.process = s_process}), DW_EINVAL);
    assert_int_equal (dw_processors_add (set, &(dw_processor_t){.name = "x"}), DW_EINVAL);
    assert_int_equal (dw_processors_add_function (set, NULL, s_process, &code), DW_EINVAL);
    assert_int_equal (dw_processors_add_function (set, "", s_process, &code), DW_EINVAL);
    assert_int_equal (dw_processors_add_function (set, "x", NULL, &code), DW_EINVAL);
    assert_int_equal (dw_processors_add_function (set, "concat", s_process, &code), DW_EINVAL);
    assert_int_equal (dw_processors_count (set), NAMES_COUNT);
    dw_processors_destroy (&set);
}

static void two_sets_stay_two (void **state) {
    (void) state;
    int one_code = 1;
    int two_code = 2;
    dw_processors_t *one = dw_processors_new ();
    dw_processors_t *two = dw_processors_new ();
    assert_int_equal (dw_processors_add_function (one, "mine", s_process, &one_code), DW_OK);
    assert_null (dw_processors_find (two, "mine"));
    assert_int_equal (dw_processors_add_function (two, "mine", s_process, &two_code), DW_OK);
    dw_processors_destroy (&one);
    const dw_processor_t *mine = dw_processors_find (two, "mine");
    assert_int_equal (mine->process (NULL, mine->arg), 2);
    dw_processors_destroy (&two);
}

static void the_nearest_name_is_found_when_it_is_near (void **state) {
    (void) state;
    dw_processors_t *set = dw_processors_new ();
    assert_string_equal (dw_processors_nearest (set, "revers_text"), "reverse_text");
    assert_string_equal (dw_processors_nearest (set, "reverse-text"), "reverse_text");
    assert_string_equal (dw_processors_nearest (set, "change_text_case_uper"),
                         "change_text_case_upper");
    assert_string_equal (dw_processors_nearest (set, "identiy"), "identity");
    assert_null (dw_processors_nearest (set, "something else"));
    assert_null (dw_processors_nearest (set, ""));
    dw_processors_destroy (&set);
}

/* ---- What it makes of a graph ------------------------------------------------------------- */

static void the_lookup_counts_the_cpus_that_this_process_may_use (void **state) {
    (void) state;
    dw_processors_t *set = dw_processors_new ();
    cpu_set_t all;
    assert_int_equal (sched_getaffinity (0, sizeof all, &all), 0);
    assert_int_equal (dw_processors_lookup (set).cpus_count, CPU_COUNT (&all));
    size_t first = 0;
    while (!CPU_ISSET (first, &all))
        first++;
    cpu_set_t one;
    CPU_ZERO (&one);
    CPU_SET (first, &one);
    assert_int_equal (sched_setaffinity (0, sizeof one, &one), 0);
    assert_int_equal (dw_processors_lookup (set).cpus_count, 1);
    assert_int_equal (sched_setaffinity (0, sizeof all, &all), 0);
    dw_processors_destroy (&set);
}

static void the_lookup_tells_what_the_plan_needs_of_a_processor (void **state) {
    (void) state;
    int code = 0;
    dw_processors_t *set = dw_processors_new ();
    assert_int_equal (dw_processors_add_function (set, "mine", s_process, &code), DW_OK);
    dw_plan_lookup_t lookup = dw_processors_lookup (set);
    dw_trait_t trait = {0};
    assert_true (lookup.trait (lookup.arg, "token_counter", &trait));
    assert_int_equal (trait.intent, DW_ANALYZE);
    assert_true (trait.brief && trait.payload_only);
    assert_true (lookup.trait (lookup.arg, "mine", &trait));
    assert_int_equal (trait.intent, DW_TRANSFORM);
    assert_false (trait.brief || trait.payload_only);
    assert_false (lookup.trait (lookup.arg, "token_count", &trait));
    assert_string_equal (lookup.nearest (lookup.arg, "token_count"), "token_counter");
    dw_processors_destroy (&set);
}

static void a_graph_without_faults_is_valid_by_the_stock_processors (void **state) {
    (void) state;
    dw_error_t *error = dw_error_new ();
    dw_graph_t *graph = dw_graph_new ();
    assert_int_equal (dw_graph_validate (graph, NULL, error), DW_OK);
    dw_graph_add (graph, "up", "change_text_case_upper");
    int add = dw_graph_add (graph, "add", "prefix_suffix_adder");
    dw_graph_depend (graph, add, "up");
    dw_graph_set_text (graph, add, "prefix", "<");
    assert_int_equal (dw_graph_validate (graph, NULL, error), DW_OK);
    assert_string_equal (dw_error_text (error), "");
    dw_graph_destroy (&graph);
    dw_error_destroy (&error);
}

static void a_processor_is_known_to_the_set_that_it_was_added_to (void **state) {
    (void) state;
    int code = 0;
    dw_processors_t *set = dw_processors_new ();
    dw_processors_add_function (set, "shout", s_process, &code);
    dw_graph_t *graph = dw_graph_new ();
    dw_graph_add (graph, "a", "shout");
    assert_int_equal (dw_graph_validate (graph, set, NULL), DW_OK);
    dw_error_t *error = dw_error_new ();
    assert_int_equal (dw_graph_validate (graph, NULL, error), DW_EGRAPH);
    assert_string_equal (dw_error_message (error, 0),
                         "error: node \"a\" names the processor \"shout\", which is unknown");
    dw_error_destroy (&error);
    dw_graph_destroy (&graph);
    dw_processors_destroy (&set);
}

static bool s_is_said (const dw_error_t *error, const char *first, const char *second) {
    for (size_t i = 0; i < dw_error_count (error); i++) {
        const char *message = dw_error_message (error, i);
        if (strstr (message, first) && strstr (message, second))
            return true;
    }
    return false;
}

static void all_that_is_wrong_is_said_at_once (void **state) {
    (void) state;
    dw_error_t *error = dw_error_new ();
    dw_graph_t *graph = dw_graph_new ();
    int typo = dw_graph_add (graph, "typo", "revers_text");
    dw_graph_set_text (graph, typo, "whatever", "is not looked at");
    int name = dw_graph_add (graph, "name", "prefix_suffix_adder");
    dw_graph_set_text (graph, name, "prefx", "x");
    int type = dw_graph_add (graph, "type", "sleep");
    dw_graph_set_text (graph, type, "ms", "long");
    int range = dw_graph_add (graph, "range", "fail");
    dw_graph_set_integer (graph, range, "code", 1000);
    int none = dw_graph_add (graph, "none", "identity");
    dw_graph_set_boolean (graph, none, "fast", true);
    dw_graph_depend (graph, none, "none");
    dw_graph_depend (graph, range, "nobody");
    assert_int_equal (dw_graph_validate (graph, NULL, error), DW_EGRAPH);
    assert_true (s_is_said (error, "\"revers_text\"", "did you mean \"reverse_text\"?"));
    assert_true (s_is_said (error, "prefx", "prefix"));
    assert_true (s_is_said (error, "\"type\"", "ms"));
    assert_true (s_is_said (error, "\"range\"", "code"));
    assert_true (s_is_said (error, "\"none\"", "fast"));
    assert_true (s_is_said (error, "cycle", "none -> none"));
    assert_true (s_is_said (error, "\"nobody\"", "not in the graph"));
    assert_false (s_is_said (error, "whatever", ""));
    assert_int_equal (dw_error_count (error), 7);
    dw_graph_destroy (&graph);
    dw_error_destroy (&error);
}

static void of_many_nodes_with_wrong_options_a_hundred_are_told (void **state) {
    (void) state;
    dw_error_t *error = dw_error_new ();
    dw_graph_t *graph = dw_graph_new ();
    for (int i = 0; i < 150; i++) {
        char id[8];
        snprintf (id, sizeof id, "n%d", i);
        assert_int_equal (dw_graph_add (graph, id, "reverse_text"), i);
        dw_graph_set_integer (graph, i, "speed", 3);
    }
    assert_int_equal (dw_graph_validate (graph, NULL, error), DW_EGRAPH);
    assert_int_equal (dw_error_count (error), 101);
    assert_string_equal (dw_error_message (error, 100), "error: 50 more nodes have wrong options");
    dw_graph_destroy (&graph);
    dw_error_destroy (&error);
}

static void a_graph_with_wrong_options_gives_no_plan (void **state) {
    (void) state;
    dw_processors_t *set = dw_processors_new ();
    dw_graph_t *graph = dw_graph_new ();
    int node = dw_graph_add (graph, "a", "spin");
    dw_plan_t *plan = NULL;
    assert_int_equal (dw_processors_plan (set, graph, &plan, NULL), DW_OK);
    assert_int_equal (plan->nodes_count, 1);
    dw_plan_destroy (&plan);
    dw_graph_set_integer (graph, node, "us", -1);
    assert_int_equal (dw_processors_plan (set, graph, &plan, NULL), DW_EGRAPH);
    assert_null (plan);
    dw_graph_destroy (&graph);
    dw_processors_destroy (&set);
}

static void no_graph_is_an_error_and_no_crash (void **state) {
    (void) state;
    dw_error_t *error = dw_error_new ();
    assert_int_equal (dw_graph_validate (NULL, NULL, error), DW_EINVAL);
    assert_int_equal (dw_error_count (error), 1);
    dw_error_destroy (&error);
}

int main (void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test (a_new_set_has_the_stock_processors_in_alphabetical_order),
        cmocka_unit_test (an_empty_set_takes_some_of_the_stock_processors),
        cmocka_unit_test (stock_processors_say_what_they_are),
        cmocka_unit_test (adding_keeps_the_order_and_copies_the_table),
        cmocka_unit_test (a_function_is_a_transform_whose_instance_is_its_argument),
        cmocka_unit_test (hundreds_may_be_added_and_stay_where_they_are),
        cmocka_unit_test (adding_refuses_what_is_no_processor_or_has_a_name_that_is_taken),
        cmocka_unit_test (two_sets_stay_two),
        cmocka_unit_test (the_nearest_name_is_found_when_it_is_near),
        cmocka_unit_test (the_lookup_counts_the_cpus_that_this_process_may_use),
        cmocka_unit_test (the_lookup_tells_what_the_plan_needs_of_a_processor),
        cmocka_unit_test (a_graph_without_faults_is_valid_by_the_stock_processors),
        cmocka_unit_test (a_processor_is_known_to_the_set_that_it_was_added_to),
        cmocka_unit_test (all_that_is_wrong_is_said_at_once),
        cmocka_unit_test (of_many_nodes_with_wrong_options_a_hundred_are_told),
        cmocka_unit_test (a_graph_with_wrong_options_gives_no_plan),
        cmocka_unit_test (no_graph_is_an_error_and_no_crash),
    };
    return !!cmocka_run_group_tests (tests, NULL, NULL);
}
