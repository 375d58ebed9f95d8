/* test_cli.c - the command's words: help, version, mistakes, and `dagwood processors`. */

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "dagwood.h"
#include "dagwood_processor.h"
#include "tests/support/command.h"

static void no_word_at_all_is_a_usage_error (void **state) {
    (void) state;
    command_t c = {0};
    command_run (&c, (const char *const[]){NULL});
    command_expect (&c, 64);
    command_expect_error (&c, "which command?");
    assert_string_equal (c.out, "");
    command_free (&c);
}

static void help_lists_every_command_on_standard_output (void **state) {
    (void) state;
    const char *const commands[] = {"run",    "validate",    "graph",  "plan",       "processors",
                                    "bench",  "coordinator", "worker", "submit",     "status",
                                    "keygen", "replay",      "why",    "conformance"};
    const char *const words[] = {"--help", "-h"};
    for (size_t w = 0; w < 2; w++) {
        command_t c = {0};
        COMMAND (&c, words[w]);
        command_expect (&c, 0);
        for (size_t i = 0; i < sizeof commands / sizeof *commands; i++) {
            char line[32];
            snprintf (line, sizeof line, "\n  %s ", commands[i]);
            command_expect_output (&c, line);
        }
        assert_string_equal (c.err, "");
        command_free (&c);
    }
}

/* What was broken into lines becomes one. */
static void s_join_lines (char *text) {
    char *to = text;
    for (; *text; text++) {
        bool is_blank = *text == ' ' || *text == '\n';
        if (!is_blank || to[-1] != ' ')
            *to++ = is_blank ? ' ' : *text;
    }
    *to = '\0';
}

static void every_command_explains_itself_and_its_exit_statuses (void **state) {
    (void) state;
    const char *const commands[] = {"run",         "validate", "graph",      "plan",   "processors",
                                    "coordinator", "worker",   "submit",     "status", "keygen",
                                    "replay",      "why",      "conformance"};
    for (size_t i = 0; i < sizeof commands / sizeof *commands; i++) {
        command_t c = {0};
        COMMAND (&c, commands[i], "--help");
        command_expect (&c, 0);
        char usage[64];
        snprintf (usage, sizeof usage, "Usage: dagwood %s ", commands[i]);
        command_expect_output (&c, usage);
        command_expect_output (&c, "Exit status: 0");
        s_join_lines (c.out);
        command_expect_output (&c, " 64 ");
        command_expect_output (&c, " 71 the system refuses threads, memory or descriptors");
        command_free (&c);
    }
}

static void help_of_run_names_every_option (void **state) {
    (void) state;
    const char *const options[] = {
        "--input=",           "--input-file=", "--strategy=", "--actors=", "--failure-strategy=",
        "--max-concurrency=", "--format=",     "--output=",   "--repeat=", "--progress=",
        "--listen=",          "--keys=",       "--lines=",    "--null",    "--unordered"};
    command_t c = {0};
    COMMAND (&c, "run", "--help");
    for (size_t i = 0; i < sizeof options / sizeof *options; i++)
        command_expect_output (&c, options[i]);
    command_free (&c);
}

static void version_is_the_library_s_version (void **state) {
    (void) state;
    char expected[64];
    snprintf (expected, sizeof expected, "dagwood %s\n", dw_version ());
    command_t c = {0};
    COMMAND (&c, "--version");
    command_expect (&c, 0);
    assert_string_equal (c.out, expected);
    command_free (&c);
    COMMAND (&c, "run", "--version");
    command_expect (&c, 0);
    assert_string_equal (c.out, expected);
    command_free (&c);
}

static void an_unknown_command_is_refused_with_the_nearest_name (void **state) {
    (void) state;
    command_t c = {0};
    COMMAND (&c, "vaildate", "--whatever");
    command_expect (&c, 64);
    command_expect_error (&c, "there is no command \"vaildate\"; did you mean validate?");
    assert_string_equal (c.out, "");
    command_free (&c);
}

static void a_graph_in_place_of_a_command_is_told_the_command_to_write (void **state) {
    (void) state;
    static const char *const words[] = {"examples/pool.yaml", "no/such.yml", "graph.json",
                                        "README.md"};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        char expected[64];
        command_t c = {0};
        COMMAND (&c, words[i], "--input", "x");
        command_expect (&c, 64);
        snprintf (expected, sizeof expected, "to run that graph: dagwood run %s\n", words[i]);
        command_expect_error (&c, expected);
        assert_string_equal (c.out, "");
        command_free (&c);
    }
}

static void an_unknown_option_is_a_usage_error_of_every_command (void **state) {
    (void) state;
    const char *const commands[] = {"run",         "validate", "graph",      "plan",   "processors",
                                    "coordinator", "worker",   "submit",     "status", "keygen",
                                    "replay",      "why",      "conformance"};
    for (size_t i = 0; i < sizeof commands / sizeof *commands; i++) {
        command_t c = {0};
        COMMAND (&c, commands[i], "--nonsense", "examples/text_pipeline.yaml");
        command_expect (&c, 64);
        command_expect_error (&c, "--nonsense");
        command_free (&c);
    }
}

static void a_missing_graph_is_a_usage_error (void **state) {
    (void) state;
    const char *const commands[] = {"run", "validate", "graph", "plan", "coordinator"};
    for (size_t i = 0; i < sizeof commands / sizeof *commands; i++) {
        command_t c = {0};
        COMMAND (&c, commands[i]);
        command_expect (&c, 64);
        command_expect_error (&c, "which graph file?");
        command_free (&c);
    }
}

static void a_second_graph_is_a_usage_error_where_one_is_taken (void **state) {
    (void) state;
    const char *const commands[] = {"run", "graph", "plan"};
    for (size_t i = 0; i < sizeof commands / sizeof *commands; i++) {
        command_t c = {0};
        COMMAND (&c, commands[i], "examples/pool.yaml", "examples/levels.yaml");
        command_expect (&c, 64);
        command_expect_error (&c, "\"examples/levels.yaml\" is a second");
        command_free (&c);
    }
}

typedef struct mistake_t {
    const char *option, *word, *message;
} mistake_t;

static void a_wrong_word_of_an_option_is_refused_with_what_is_right (void **state) {
    (void) state;
    static const mistake_t mistakes[] = {
        {"--strategy", "levle", "did you mean level?"},
        {"--strategy", "xyzzy", "none of hybrid, work_queue, level, reactive"},
        {"--failure-strategy", "fail_fats", "did you mean fail_fast?"},
        {"--actors", "thraed", "did you mean thread?"},
        {"--actors", "pool:0", "pool must be a whole number from 1 to 1024, not 0"},
        {"--actors", "pool:x", "\"x\" is not a number"},
        {"--actors", "pool:", "\"\" is not a number"},
        {"--max-concurrency", "0",
         "max_concurrency must be a whole number from 1 to 262144, not 0"},
        {"--max-concurrency", "-3", "not -3"},
        {"--max-concurrency", "nan", "max_concurrency must be"},
        {"--max-concurrency", "2.5", "not 2.5"},
        {"--max-concurrency", "4x", "\"4x\" is not a number"},
        {"--format", "jsno", "did you mean json?"},
        {"--repeat", "0", "--repeat must be a whole number from 1"},
        {"--repeat", "-1", "not \"-1\""},
        {"--repeat", "many", "not \"many\""},
        {"--repeat", "99999999999999999999", "--repeat must be"},
        {"--progress", "alway", "did you mean always?"},
    };
    for (size_t i = 0; i < sizeof mistakes / sizeof *mistakes; i++) {
        command_t c = {0};
        COMMAND (&c, "run", "examples/pool.yaml", mistakes[i].option, mistakes[i].word);
        command_expect (&c, 64);
        command_expect_error (&c, mistakes[i].option);
        command_expect_error (&c, mistakes[i].message);
        command_free (&c);
    }
}

static void an_option_without_its_word_is_a_usage_error (void **state) {
    (void) state;
    command_t c = {0};
    COMMAND (&c, "run", "examples/pool.yaml", "--input");
    command_expect (&c, 64);
    command_expect_error (&c, "'--input' requires an argument");
    command_free (&c);
}

static void two_inputs_are_a_usage_error (void **state) {
    (void) state;
    command_t c = {0};
    COMMAND (&c, "run", "examples/pool.yaml", "--input", "a", "-");
    command_expect (&c, 64);
    command_expect_error (&c, "a run has one input");
    command_free (&c);
    COMMAND (&c, "run", "examples/pool.yaml", "--input", "a", "--input-file", "/dev/null");
    command_expect (&c, 64);
    command_free (&c);
}

/* ---- dagwood processors ------------------------------------------------------------------- */

static void processors_lists_every_stock_processor_with_its_help (void **state) {
    (void) state;
    command_t c = {0};
    COMMAND (&c, "processors");
    command_expect (&c, 0);
    dw_processors_t *processors = dw_processors_new ();
    assert_true (dw_processors_count (processors) >= 13);
    for (size_t i = 0; i < dw_processors_count (processors); i++) {
        command_expect_output (&c, dw_processors_at (processors, i)->name);
        command_expect_output (&c, dw_processors_at (processors, i)->help);
    }
    dw_processors_destroy (&processors);
    command_free (&c);
}

static void a_processor_is_explained_with_types_defaults_and_ranges (void **state) {
    (void) state;
    command_t c = {0};
    COMMAND (&c, "processors", "fail");
    command_expect (&c, 0);
    command_expect_output (&c, "code: integer from 1 to 999, default 500");
    command_expect_output (&c, "message: text, default \"");
    command_free (&c);
    COMMAND (&c, "processors", "prefix_suffix_adder");
    command_expect_output (&c, "prefix: text, default \"[\"");
    command_free (&c);
    COMMAND (&c, "processors", "identity");
    command_expect (&c, 0);
    command_expect_output (&c, "It takes no options.");
    command_free (&c);
}

static void an_unknown_processor_is_refused_with_the_nearest_name (void **state) {
    (void) state;
    command_t c = {0};
    COMMAND (&c, "processors", "reverse_txt");
    command_expect (&c, 64);
    command_expect_error (&c, "there is no processor \"reverse_txt\"; did you mean reverse_text?");
    assert_string_equal (c.out, "");
    command_free (&c);
}

int main (void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test (no_word_at_all_is_a_usage_error),
        cmocka_unit_test (help_lists_every_command_on_standard_output),
        cmocka_unit_test (every_command_explains_itself_and_its_exit_statuses),
        cmocka_unit_test (help_of_run_names_every_option),
        cmocka_unit_test (version_is_the_library_s_version),
        cmocka_unit_test (an_unknown_command_is_refused_with_the_nearest_name),
        cmocka_unit_test (a_graph_in_place_of_a_command_is_told_the_command_to_write),
        cmocka_unit_test (an_unknown_option_is_a_usage_error_of_every_command),
        cmocka_unit_test (a_missing_graph_is_a_usage_error),
        cmocka_unit_test (a_second_graph_is_a_usage_error_where_one_is_taken),
        cmocka_unit_test (a_wrong_word_of_an_option_is_refused_with_what_is_right),
        cmocka_unit_test (an_option_without_its_word_is_a_usage_error),
        cmocka_unit_test (two_inputs_are_a_usage_error),
        cmocka_unit_test (processors_lists_every_stock_processor_with_its_help),
        cmocka_unit_test (a_processor_is_explained_with_types_defaults_and_ranges),
        cmocka_unit_test (an_unknown_processor_is_refused_with_the_nearest_name),
    };
    return !!cmocka_run_group_tests (tests, NULL, NULL);
}
