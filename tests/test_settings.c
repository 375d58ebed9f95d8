/* test_settings.c - a node's options against its processor's; what plain scalars mean. */

#include <locale.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "runtime/config.h"
#include "runtime/scalar.h"
#include "runtime/settings.h"

static const dw_option_t s_options[] = {
    {.name = "prefix", .type = DW_TEXT, .fallback = "["},
    {.name = "code", .type = DW_INTEGER, .fallback = "500", .min = 1, .max = 999},
    {.name = "share", .type = DW_NUMBER, .fallback = "0.5", .min = 0, .max = 1},
    {.name = "any", .type = DW_NUMBER, .fallback = "-.inf"},
    {.name = "loud", .type = DW_BOOLEAN, .fallback = "true"},
    {0},
};
static const dw_option_t s_needed[] = {
    {.name = "must", .type = DW_TEXT},
    {.name = "count", .type = DW_INTEGER},
    {0},
};
static const dw_processor_t s_processor = {.name = "adder", .options = s_options};
static const dw_processor_t s_demanding = {.name = "demanding", .options = s_needed};
static const dw_processor_t s_without = {.name = "plain"};

/* The settings of the first node of a graph whose options are given in YAML; NULL and the messages
 * in s_messages when they are refused. */
static char s_messages[4096];

static dw_settings_t *s_check (const dw_processor_t *processor, const char *options) {
    char text[1024];
    dw_error_t *error = dw_error_new ();
    assert_non_null (error);
    int size = snprintf (text, sizeof (text),
                         "processors:\n"
                         "- id: a\n"
                         "  processor: p\n"
                         "  options: %s\n",
                         options);
    dw_graph_t *graph = NULL;
    assert_int_equal (dw_config_parse (&graph, text, (size_t) size, "g.yaml", false, error), DW_OK);
    dw_settings_t *settings = NULL;
    int err = dw_settings_new (&settings, &graph->nodes[0], graph->file, processor, error);
    assert_int_equal (err, settings ? DW_OK : DW_EGRAPH);
    assert_int_equal (dw_error_code (error), err);
    snprintf (s_messages, sizeof (s_messages), "%s", dw_error_text (error));
    dw_graph_destroy (&graph);
    dw_error_destroy (&error);
    return settings;
}

static void s_expect_refused (const dw_processor_t *processor, const char *options,
                              const char *messages) {
    assert_null (s_check (processor, options));
    assert_string_equal (s_messages, messages);
}

/* -- What is right -------------------------------------------------------------------------- */

static void options_left_out_have_their_defaults (void **state) {
    (void) state;
    dw_settings_t *settings = s_check (&s_processor, "");
    assert_non_null (settings);
    assert_string_equal (dw_settings_text (settings, "prefix"), "[");
    assert_int_equal (dw_settings_integer (settings, "code"), 500);
    assert_true (dw_settings_number (settings, "share") == 0.5);
    assert_true (isinf (dw_settings_number (settings, "any")));
    assert_true (dw_settings_boolean (settings, "loud"));
    dw_settings_destroy (&settings);
    assert_null (settings);
    dw_settings_destroy (&settings);
}

static void options_given_are_kept_though_the_graph_is_gone (void **state) {
    (void) state;
    dw_settings_t *settings = s_check (
        &s_processor, "{prefix: \"5\", code: 999, share: 0.25, any: -1e300, loud: no}");
    assert_non_null (settings);
    assert_string_equal (dw_settings_text (settings, "prefix"), "5");
    assert_int_equal (dw_settings_integer (settings, "code"), 999);
    assert_true (dw_settings_number (settings, "share") == 0.25);
    assert_true (dw_settings_number (settings, "any") == -1e300);
    assert_false (dw_settings_boolean (settings, "loud"));
    dw_settings_destroy (&settings);
}

static const dw_option_t s_giving[] = {
    {.name = "processor", .type = DW_TEXT, .fallback = "adder"},
    {.name = "options", .type = DW_OPTIONS, .fallback = "{}"},
    {0},
};
static const dw_processor_t s_giver = {.name = "giver", .options = s_giving};

static const dw_setting_t *s_find_setting (const dw_graph_t *graph, const char *name) {
    const dw_setting_t *of = graph->nodes[0].settings;
    while (of && strcmp (of->name, name) != 0)
        of = of->next;
    assert_non_null (of);
    return of;
}

static void options_of_another_processor_are_given_to_it (void **state) {
    (void) state;
    dw_graph_t *graph = dw_graph_new (), *again = dw_graph_new ();
    dw_settings_t *settings = s_check (
        &s_giver, "{options: {prefix: \"<\", code: 5, share: 0.5, loud: no, options: {any: 1}}}");
    assert_non_null (settings);
    assert_int_equal (dw_graph_add (graph, "a", "adder"), 0);
    assert_int_equal (dw_settings_give (settings, graph, 0), DW_OK);
    assert_int_equal (dw_graph_add (again, "a", "giver"), 0);
    assert_int_equal (dw_settings_give_on (settings, again, 0), DW_OK);
    assert_int_equal (dw_settings_give (settings, graph, 1), DW_EINVAL);
    dw_settings_destroy (&settings);

    assert_string_equal (s_find_setting (graph, "prefix")->value.text, "<");
    assert_int_equal (s_find_setting (graph, "code")->value.integer, 5);
    assert_true (s_find_setting (graph, "share")->value.number == 0.5);
    assert_false (s_find_setting (graph, "loud")->value.boolean);
    assert_int_equal (s_find_setting (graph, "options.any")->value.integer, 1);
    assert_string_equal (s_find_setting (again, "options.prefix")->value.text, "<");
    assert_int_equal (s_find_setting (again, "options.options.any")->value.integer, 1);
    dw_graph_destroy (&graph);
    dw_graph_destroy (&again);
}

static void options_of_another_processor_may_be_none (void **state) {
    (void) state;
    static const char *const none[] = {"", "{}", "{options: }", "{options: {}}"};
    dw_graph_t *graph = dw_graph_new ();
    assert_int_equal (dw_graph_add (graph, "a", "adder"), 0);
    for (size_t i = 0; i < 4; i++) {
        dw_settings_t *settings = s_check (&s_giver, none[i]);
        assert_non_null (settings);
        assert_int_equal (dw_settings_give (settings, graph, 0), DW_OK);
        assert_null (graph->nodes[0].settings);
        dw_settings_destroy (&settings);
    }
    dw_graph_destroy (&graph);
    s_expect_refused (&s_giver, "{options: 5}",
                      "g.yaml:4:22: error: option \"options\" of node \"a\" takes a mapping of "
                      "options, not the integer 5\n");
    s_expect_refused (&s_processor, "{options: {x: 5}}",
                      "g.yaml:4:26: error: node \"a\" has the option \"options.x\", which its "
                      "processor \"adder\" does not take\n");
}

static void an_integer_is_a_number_too (void **state) {
    (void) state;
    dw_settings_t *settings = s_check (&s_processor, "{share: 1, any: 0x10}");
    assert_non_null (settings);
    assert_true (dw_settings_number (settings, "share") == 1);
    assert_true (dw_settings_number (settings, "any") == 16);
    dw_settings_destroy (&settings);
}

static void a_processor_without_options_takes_none (void **state) {
    (void) state;
    dw_settings_t *settings = s_check (&s_without, "{}");
    assert_non_null (settings);
    dw_settings_destroy (&settings);
    s_expect_refused (&s_without, "{x: 1}",
                      "g.yaml:4:16: error: node \"a\" has the option \"x\", which its processor "
                      "\"plain\" does not take; it takes none\n");
}

static void options_set_from_c_are_checked_too (void **state) {
    (void) state;
    dw_graph_t *graph = dw_graph_new ();
    dw_error_t *error = dw_error_new ();
    assert_int_equal (dw_graph_add (graph, "a", "adder"), 0);
    assert_int_equal (dw_graph_set_text (graph, 0, "prefix", "<"), DW_OK);
    assert_int_equal (dw_graph_set_integer (graph, 0, "code", 7), DW_OK);
    assert_int_equal (dw_graph_set_number (graph, 0, "share", 0.125), DW_OK);
    assert_int_equal (dw_graph_set_boolean (graph, 0, "loud", false), DW_OK);
    dw_settings_t *settings = NULL;
    assert_int_equal (dw_settings_new (&settings, &graph->nodes[0], NULL, &s_processor, error),
                      DW_OK);
    assert_string_equal (dw_settings_text (settings, "prefix"), "<");
    assert_int_equal (dw_settings_integer (settings, "code"), 7);
    assert_true (dw_settings_number (settings, "share") == 0.125);
    assert_false (dw_settings_boolean (settings, "loud"));
    dw_settings_destroy (&settings);

    assert_int_equal (dw_graph_set_integer (graph, 0, "cod", 7), DW_OK);
    assert_int_equal (dw_settings_new (&settings, &graph->nodes[0], NULL, &s_processor, error),
                      DW_EGRAPH);
    assert_null (settings);
    assert_string_equal (
        dw_error_text (error),
        "error: node \"a\" has the option \"cod\", which its processor \"adder\" does "
        "not take; did you mean \"code\"?\n");
    dw_error_destroy (&error);
    dw_graph_destroy (&graph);
}

/* -- What is wrong -------------------------------------------------------------------------- */

static void an_unknown_option_is_refused_with_the_nearest_name (void **state) {
    (void) state;
    s_expect_refused (
        &s_processor, "{perfix: x}",
        "g.yaml:4:21: error: node \"a\" has the option \"perfix\", which its processor "
        "\"adder\" does not take; did you mean \"prefix\"?\n");
    s_expect_refused (
        &s_processor, "{zzzzzz: x}",
        "g.yaml:4:21: error: node \"a\" has the option \"zzzzzz\", which its processor "
        "\"adder\" does not take\n");
}

static void an_option_of_the_wrong_type_is_refused_with_the_remedy (void **state) {
    (void) state;
    static const char *const cases[][2] = {
        {"{prefix: 5}", "takes text, not the integer 5; write it in quotes"},
        {"{prefix: 1.5}", "takes text, not the number 1.5; write it in quotes"},
        {"{prefix: on}", "takes text, not the boolean true; write it in quotes"},
        {"{prefix: }", "takes text, not nothing; leave it out for the default"},
        {"{code: \"5\"}", "takes an integer, not the text \"5\"; write it without quotes"},
        {"{code: five}", "takes an integer, not the text \"five\""},
        {"{code: 5.5}", "takes an integer, not the number 5.5"},
        {"{code: 99999999999999999999}", "takes an integer, not the number 1e+20"},
        {"{code: yes}", "takes an integer, not the boolean true"},
        {"{share: half}", "takes a number, not the text \"half\""},
        {"{any: no}", "takes a number, not the boolean false"},
        {"{loud: 1}", "takes true or false, not the integer 1"},
        {"{loud: \"yes\"}", "takes true or false, not the text \"yes\"; write it without quotes"},
    };
    for (size_t i = 0; i < sizeof (cases) / sizeof (cases[0]); i++) {
        assert_null (s_check (&s_processor, cases[i][0]));
        if (!strstr (s_messages, cases[i][1]))
            fail_msg ("%s: %s", cases[i][0], s_messages);
    }
}

static void a_number_out_of_range_is_refused (void **state) {
    (void) state;
    s_expect_refused (
        &s_processor, "{code: 1000}",
        "g.yaml:4:19: error: option \"code\" of node \"a\" must be from 1 to 999, not the "
        "integer 1000\n");
    s_expect_refused (
        &s_processor, "{share: -0.5}",
        "g.yaml:4:20: error: option \"share\" of node \"a\" must be from 0 to 1, not the "
        "number -0.5\n");
    s_expect_refused (&s_processor, "{share: .nan}",
                      "g.yaml:4:20: error: option \"share\" of node \"a\" must be from 0 to 1, not "
                      ".nan, which is no number\n");
    s_expect_refused (
        &s_processor, "{any: .nan}",
        "g.yaml:4:18: error: option \"any\" of node \"a\" takes a number, not .nan, which "
        "is no number\n");
}

static void a_long_text_is_shortened_in_messages (void **state) {
    (void) state;
    assert_null (s_check (&s_processor,
                          "{code: "
                          "ääääääääääääääääääääääääääääääääääääääääääääääääääääääääääääääääääää}"));
    assert_non_null (strstr (s_messages, "ää...\"\n"));
    assert_true (strlen (s_messages) < 200);
}

static void everything_wrong_is_said_at_once (void **state) {
    (void) state;
    s_expect_refused (
        &s_demanding, "{cuont: 5, extra: 1}",
        "g.yaml:4:20: error: node \"a\" has the option \"cuont\", which its processor "
        "\"demanding\" does not take; did you mean \"count\"?\n"
        "g.yaml:4:30: error: node \"a\" has the option \"extra\", which its processor "
        "\"demanding\" does not take\n"
        "g.yaml:2:7: error: node \"a\" lacks the option \"must\" (text), which its processor "
        "\"demanding\" needs\n"
        "g.yaml:2:7: error: node \"a\" lacks the option \"count\" (an integer), which its "
        "processor \"demanding\" needs\n");
    s_expect_refused (
        &s_demanding, "{must: , count: 1}",
        "g.yaml:4:19: error: option \"must\" of node \"a\" takes text, not nothing; give it "
        "a value\n");
}

static void an_option_given_twice_is_refused (void **state) {
    (void) state;
    dw_setting_t second = {.name = "code", .type = DW_VALUE_INTEGER, .line = 8, .column = 3};
    dw_setting_t first = {.name = "code", .type = DW_VALUE_INTEGER, .next = &second};
    first.value.integer = second.value.integer = 5;
    dw_node_t node = {.id = "a", .settings = &first, .settings_last = &second};
    dw_error_t *error = dw_error_new ();
    dw_settings_t *settings = NULL;
    assert_int_equal (dw_settings_new (&settings, &node, "g", &s_processor, error), DW_EGRAPH);
    assert_string_equal (dw_error_text (error),
                         "g:8:3: error: option \"code\" of node \"a\" is given "
                         "twice; leave one out\n");
    dw_error_destroy (&error);
}

static void nobody_need_be_told (void **state) {
    (void) state;
    dw_setting_t setting = {.name = "x", .type = DW_VALUE_NULL};
    dw_node_t node = {.id = "a", .settings = &setting, .settings_last = &setting};
    dw_settings_t *settings = NULL;
    assert_int_equal (dw_settings_new (&settings, &node, NULL, &s_processor, NULL), DW_EGRAPH);
    assert_null (settings);
}

/* -- Plain scalars -------------------------------------------------------------------------- */

static dw_scalar_t s_read (const char *text) {
    return dw_scalar_read (text, strlen (text));
}

static void words_mean_nothing_or_booleans (void **state) {
    (void) state;
    static const char *const nothing[] = {"", "~", "null", "Null", "NULL"};
    static const char *const yes[] = {"true", "True", "TRUE", "yes", "Yes",
                                      "YES",  "on",   "On",   "ON"};
    static const char *const no[] = {"false", "False", "FALSE", "no", "No",
                                     "NO",    "off",   "Off",   "OFF"};
    for (size_t i = 0; i < 5; i++)
        assert_int_equal (s_read (nothing[i]).type, DW_VALUE_NULL);
    for (size_t i = 0; i < 9; i++) {
        assert_int_equal (s_read (yes[i]).type, DW_VALUE_BOOLEAN);
        assert_true (s_read (yes[i]).value.boolean);
        assert_int_equal (s_read (no[i]).type, DW_VALUE_BOOLEAN);
        assert_false (s_read (no[i]).value.boolean);
    }
}

static void integers_are_read_in_every_base (void **state) {
    (void) state;
    static const struct {
        const char *text;
        int64_t integer;
    } cases[] = {
        {"0", 0},
        {"-0", 0},
        {"12", 12},
        {"+12", 12},
        {"-12", -12},
        {"1_000", 1000},
        {"0x1F", 31},
        {"-0xff", -255},
        {"017", 15},
        {"0o17", 15},
        {"0b101", 5},
        {"00", 0},
        {"9223372036854775807", INT64_MAX},
        {"-9223372036854775808", INT64_MIN},
        {"0x7fffffffffffffff", INT64_MAX},
    };
    for (size_t i = 0; i < sizeof (cases) / sizeof (cases[0]); i++) {
        assert_int_equal (s_read (cases[i].text).type, DW_VALUE_INTEGER);
        assert_true (s_read (cases[i].text).value.integer == cases[i].integer);
    }
}

static void numbers_are_read_whatever_the_locale (void **state) {
    (void) state;
    static const struct {
        const char *text;
        double number;
    } cases[] = {
        {"1.5", 1.5},
        {"-.5", -0.5},
        {"1.", 1},
        {"1e3", 1000},
        {"1.5E-3", 1.5e-3},
        {"+1_0.2_5", 10.25},
        {"1e+3", 1000},
        {".inf", (double) INFINITY},
        {"-.INF", -(double) INFINITY},
        {"+.Inf", (double) INFINITY},
        {"9223372036854775808", 9223372036854775808.0},
        {"-9223372036854775809", -9223372036854775808.0},
        {"0x10000000000000000", 18446744073709551616.0},
        {"1e999", (double) INFINITY},
        {"1e-999", 0},
    };
    const char *locale = setlocale (LC_ALL, "de_DE.UTF-8"); /* where there is one */
    for (size_t i = 0; i < sizeof (cases) / sizeof (cases[0]); i++) {
        assert_int_equal (s_read (cases[i].text).type, DW_VALUE_NUMBER);
        assert_true (s_read (cases[i].text).value.number == cases[i].number);
    }
    assert_true (isnan (s_read (".nan").value.number) && isnan (s_read (".NaN").value.number));
    if (locale)
        setlocale (LC_ALL, "C");
}

static void everything_else_is_text (void **state) {
    (void) state;
    static const char *const texts[] = {
        "a",         "y",          "n",   "yEs", "nul",   ".",     "-",       "+",
        "+-1",       "--1",        "_1",  "1a",  "0x",    "0xg",   "0b2",     "0o8",
        "08",        "1e",         "1e+", "e3",  ".e3",   "1.2.3", "1 2",     " 1",
        "190:20:30", "2001-01-01", "inf", "nan", "-.nan", "._5",   "0x1.8p3", "1,5",
    };
    for (size_t i = 0; i < sizeof (texts) / sizeof (texts[0]); i++)
        if (s_read (texts[i]).type != DW_VALUE_TEXT)
            fail_msg ("%s is not text", texts[i]);
    assert_int_equal (dw_scalar_read ("1\0", 2).type, DW_VALUE_TEXT);
    assert_int_equal (dw_scalar_read (NULL, 0).type, DW_VALUE_NULL);
    char digits[DW_SCALAR_BYTES_MAX + 1];
    memset (digits, '1', sizeof (digits));
    assert_int_equal (dw_scalar_read (digits, sizeof (digits) - 1).type, DW_VALUE_NUMBER);
    assert_int_equal (dw_scalar_read (digits, sizeof (digits)).type, DW_VALUE_TEXT);
}

int main (void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test (options_left_out_have_their_defaults),
        cmocka_unit_test (options_given_are_kept_though_the_graph_is_gone),
        cmocka_unit_test (options_of_another_processor_are_given_to_it),
        cmocka_unit_test (options_of_another_processor_may_be_none),
        cmocka_unit_test (an_integer_is_a_number_too),
        cmocka_unit_test (a_processor_without_options_takes_none),
        cmocka_unit_test (options_set_from_c_are_checked_too),
        cmocka_unit_test (an_unknown_option_is_refused_with_the_nearest_name),
        cmocka_unit_test (an_option_of_the_wrong_type_is_refused_with_the_remedy),
        cmocka_unit_test (a_number_out_of_range_is_refused),
        cmocka_unit_test (a_long_text_is_shortened_in_messages),
        cmocka_unit_test (everything_wrong_is_said_at_once),
        cmocka_unit_test (an_option_given_twice_is_refused),
        cmocka_unit_test (nobody_need_be_told),
        cmocka_unit_test (words_mean_nothing_or_booleans),
        cmocka_unit_test (integers_are_read_in_every_base),
        cmocka_unit_test (numbers_are_read_whatever_the_locale),
        cmocka_unit_test (everything_else_is_text),
    };
    return !!cmocka_run_group_tests (tests, NULL, NULL);
}
