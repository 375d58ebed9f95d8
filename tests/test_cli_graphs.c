/* test_cli_graphs.c - dagwood validate, graph and plan: what is said of graph files, good and
 * bad. */

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/support/command.h"

#define STRANGE_IDS                                                                  \
    "processors:\n"                                                                  \
    "  - {id: \"a b\", processor: identity}\n"                                       \
    "  - {id: \"say \\\"hi\\\" & <bye> #1 `x` \\\\n\", processor: token_counter,\n"  \
    "     depends_on: [\"a b\"]}\n"                                                  \
    "  - {id: \"two\\nlines\", processor: identity, depends_on: [\"a b\"]}\n"        \
    "  - {id: \"\xe4\xb8\xad\xe6\x96\x87 \xf0\x9f\x8c\xb2\", processor: identity,\n" \
    "     depends_on: [\"two\\nlines\"]}\n"

/* What a graph of somebody else's can have in its names to do something to the terminal of who looks
 * at it; the first and the last differ in that alone. */
#define WILD_IDS                                                                       \
    "processors:\n"                                                                    \
    "  - {id: \"a\\e[31m\", processor: identity}\n"                                    \
    "  - {id: \"b\\tc\\x7f\", processor: token_counter, depends_on: [\"a\\e[31m\"]}\n" \
    "  - {id: \"a\\x9b[31m\", processor: identity, depends_on: [\"a\\e[31m\"]}\n"

/* ---- validate ----------------------------------------------------------------------------- */

static void valid_graphs_are_ok_with_their_size (void **state) {
    (void) state;
    const char *zero = command_file ("zero.yaml", "processors: []\n");
    const char *one = command_file ("one.json", "{\"processors\":[{\"id\":\"a\","
                                                "\"processor\":\"identity\"}]}");
    const char *twice = command_file ("twice.yaml", "processors:\n"
                                                    "  - {id: a, processor: identity}\n"
                                                    "  - {id: b, processor: identity,\n"
                                                    "     depends_on: [a, a]}\n");
    command_t c = {0};
    COMMAND (&c, "validate", zero, one, twice);
    command_expect (&c, 0);
    command_expect_output (&c, "zero.yaml: ok, 0 nodes, 0 edges\n");
    command_expect_output (&c, "one.json: ok, 1 node, 0 edges\n");
    command_expect_output (&c, "twice.yaml: ok, 2 nodes, 1 edge\n");
    assert_string_equal (c.err, "");
    command_free (&c);
}

static void every_example_is_valid_without_a_warning (void **state) {
    (void) state;
    command_t c = {0};
    COMMAND (&c, "validate", "examples/text_pipeline.yaml", "examples/failures.yaml",
             "examples/retries.yaml", "examples/levels.yaml", "examples/pool.yaml");
    command_expect (&c, 0);
    assert_string_equal (c.err, "");
    command_free (&c);
}

static void all_errors_of_all_files_are_told_with_their_places (void **state) {
    (void) state;
    const char *wrong = command_file ("wrong.yaml", "processors:\n"
                                                    "  - {id: a, processor: reverse_txt}\n"
                                                    "  - {id: a, processor: identity}\n"
                                                    "  - {id: b, processor: identity,\n"
                                                    "     depends_on: [c, nope]}\n"
                                                    "  - {id: c, processor: identity,\n"
                                                    "     depends_on: [b]}\n"
                                                    "  - {id: d, processor: sleep,\n"
                                                    "     options: {ms: -4}, depends_on: [d]}\n"
                                                    "  - {id: '', processor: identity}\n");
    const char *keys = command_file ("keys.yaml",
                                     "strategy: levle\n"
                                     "executor_options: {max_concurrency: 0,\n"
                                     "  timeout_seconds: .nan, retry_attempts: -1}\n"
                                     "processors:\n"
                                     "  - {id: a, processor: identity, colour: red}\n");
    command_t c = {0};
    COMMAND (&c, "validate", wrong, "examples/pool.yaml", keys);
    command_expect (&c, 78);
    static const char *const messages[] = {
        "wrong.yaml:2:24: error: ",
        "did you mean \"reverse_text\"?",
        "wrong.yaml:3:10: error: ",
        "wrong.yaml:5:22: error: ",
        "\"nope\"",
        "b -> c -> b",
        "d -> d",
        "wrong.yaml:9:20: error: ",
        "wrong.yaml:10:10: error: ",
        "keys.yaml:1:11: error: ",
        "did you mean level?",
        "keys.yaml:2:37: error: max_concurrency must be",
        "keys.yaml:3:20: error: timeout_seconds must be",
        "keys.yaml:3:42: error: retry_attempts must be",
        "keys.yaml:5:34: error: unknown key \"colour\"",
    };
    for (size_t i = 0; i < sizeof messages / sizeof *messages; i++)
        command_expect_error (&c, messages[i]);
    assert_string_equal (c.out, "examples/pool.yaml: ok, 5 nodes, 4 edges\n");
    command_free (&c);
}

static void errors_of_a_file_are_told_from_its_top_to_its_end (void **state) {
    (void) state;
    const char *file = command_file (
        "top.yaml", "executor_options: {retry_attempts: -.inf}\n"
                    "processors:\n"
                    "  - {id: a, processor: sleep, options: {ms: -1}}\n"
                    "  - {id: b, processor: reverse_txt, timeout_seconds: -2,\n"
                    "     depends_on: [c]}\n"
                    "  - {id: c, processor: identity, colour: red, depends_on: [b]}\n"
                    "  - {id: d, processor: sleep, options: {ms: x}}\n"
                    "  - {id: a, processor: identity, depends_on: [nope]}\n");
    command_t c = {0};
    COMMAND (&c, "validate", file);
    command_expect (&c, 78);
    unsigned count = 0, line, column, last_line = 0, last_column = 0;
    for (const char *at = c.err; *at; at = strchr (at, '\n') + 1, count++) {
        assert_memory_equal (at, file, strlen (file));
        assert_int_equal (sscanf (at + strlen (file), ":%u:%u: error: ", &line, &column), 2);
        assert_true (line > last_line || (line == last_line && column >= last_column));
        last_line = line;
        last_column = column;
    }
    assert_int_equal (count, 9);
    command_expect_error (&c, "not -.inf, which is infinite");
    command_free (&c);
}

static void a_wrong_name_of_what_a_node_adds_is_told_where_it_stands (void **state) {
    (void) state;
    const char *file = command_file ("adds.yaml", "processors:\n"
                                                  "  - {id: loop, processor: repeat_until,\n"
                                                  "     options: {processor: identity},\n"
                                                  "     adds: [repeat_until, identiti]}\n");
    command_t c = {0};
    COMMAND (&c, "validate", file);
    command_expect (&c, 78);
    command_expect_error (&c,
                          "adds.yaml:4:27: error: node \"loop\" names the processor \"identiti\"");
    command_free (&c);
}

static void a_node_without_a_processor_is_told_once (void **state) {
    (void) state;
    const char *file = command_file ("lacks.yaml", "processors:\n"
                                                   "  - id: a\n"
                                                   "  - {id: b, processor: ''}\n"
                                                   "  - {id: c, processor: }\n"
                                                   "  - {id: d, processor: [identity]}\n"
                                                   "  - {id: e, type: remote}\n"
                                                   "  - {id: f, adds: [identity]}\n"
                                                   "  - {id: g, options: {ms: 1}}\n"
                                                   "  - {id: h, processor: identiti}\n");
    command_t c = {0};
    char expected[2048];
    COMMAND (&c, "validate", file);
    command_expect (&c, 78);
    snprintf (expected, sizeof expected,
              "%1$s:2:5: error: node \"a\" has no \"processor\"; name one\n"
              "%1$s:3:24: error: node \"b\" names the processor \"\", which is unknown\n"
              "%1$s:4:24: error: \"processor\" takes the name of a processor, not nothing\n"
              "%1$s:5:24: error: \"processor\" takes the name of a processor, not a list\n"
              "%1$s:6:5: error: node \"e\" has no \"processor\"; name one\n"
              "%1$s:7:5: error: node \"f\" has no \"processor\"; name one\n"
              "%1$s:8:5: error: node \"g\" has no \"processor\"; name one\n"
              "%1$s:9:24: error: node \"h\" names the processor \"identiti\", which is unknown; "
              "did you mean \"identity\"?\n",
              file);
    assert_string_equal (c.err, expected);
    command_free (&c);
}

static void two_possible_payloads_are_a_warning_and_the_graph_is_ok (void **state) {
    (void) state;
    const char *file = command_file ("ambiguous.yaml", "processors:\n"
                                                       "  - {id: a, processor: identity}\n"
                                                       "  - {id: b, processor: identity}\n"
                                                       "  - {id: c, processor: identity,\n"
                                                       "     depends_on: [a, b]}\n");
    command_t c = {0};
    COMMAND (&c, "validate", file);
    command_expect (&c, 0);
    command_expect_error (&c, "ambiguous.yaml:4:10: warning: ");
    command_expect_output (&c, ": ok, 3 nodes, 2 edges\n");
    command_free (&c);
    COMMAND (&c, "run", file, "--input", "x"); /* A warning is told once and stops nothing. */
    command_expect (&c, 0);
    char *warning = strstr (c.err, "warning: ");
    assert_non_null (warning);
    assert_null (strstr (warning + 1, "warning: "));
    command_free (&c);
}

static void files_that_cannot_be_read_are_status_66 (void **state) {
    (void) state;
    const char *const commands[] = {"validate", "graph", "plan", "run"};
    for (size_t i = 0; i < sizeof commands / sizeof *commands; i++) {
        command_t c = {0};
        COMMAND (&c, commands[i], "/nonexistent/g.yaml");
        command_expect (&c, 66);
        command_expect_error (&c, "/nonexistent/g.yaml");
        command_expect_error (&c, "No such file or directory");
        command_free (&c);
        COMMAND (&c, commands[i], "/tmp");
        command_expect (&c, 66);
        command_expect_error (&c, "/tmp");
        command_expect_error (&c, "directory");
        command_free (&c);
    }
}

static void a_wrong_graph_is_told_rather_than_an_unreadable_one (void **state) {
    (void) state;
    const char *empty = command_file ("empty.yaml", "");
    command_t c = {0};
    COMMAND (&c, "validate", empty, "/nonexistent/g.yaml");
    command_expect (&c, 78);
    command_expect_error (&c, "empty.yaml:1:1: error: ");
    command_expect_error (&c, "/nonexistent/g.yaml");
    command_free (&c);
}

static void a_wrong_graph_is_status_78_of_every_command (void **state) {
    (void) state;
    const char *file = command_file ("cycle.yaml", "processors:\n"
                                                   "  - {id: a, processor: identity,\n"
                                                   "     depends_on: [b]}\n"
                                                   "  - {id: b, processor: identity,\n"
                                                   "     depends_on: [a]}\n");
    const char *const commands[] = {"validate", "graph", "plan", "run"};
    for (size_t i = 0; i < sizeof commands / sizeof *commands; i++) {
        command_t c = {0};
        COMMAND (&c, commands[i], file);
        command_expect (&c, 78);
        command_expect_error (&c, "cycle.yaml:");
        command_expect_error (&c, "a -> b -> a");
        assert_string_equal (c.out, "");
        command_free (&c);
    }
}

/* A file of what nobody would write as a graph: refused, soon and without much memory. */
static void s_refused (const char *name, const char *bytes, size_t size) {
    command_t c = {0};
    COMMAND (&c, "validate", command_file_of (name, bytes, size));
    command_expect (&c, 78);
    command_expect_error (&c, name);
    command_expect_error (&c, "error: ");
    command_free (&c);
}

static void garbage_is_refused (void **state) {
    (void) state;
    static char brackets[1000000];
    memset (brackets, '[', sizeof brackets);
    static const char binary[] = "\x7f\x45\x4c\x46\x02\x01\x01\x00\x00\xff\xfe\x80";
    static const char aliases[] = "a: &a [x, x, x, x, x, x, x, x, x]\n"
                                  "b: &b [*a, *a, *a, *a, *a, *a, *a, *a, *a]\n"
                                  "c: &c [*b, *b, *b, *b, *b, *b, *b, *b, *b]\n"
                                  "d: &d [*c, *c, *c, *c, *c, *c, *c, *c, *c]\n"
                                  "e: &e [*d, *d, *d, *d, *d, *d, *d, *d, *d]\n"
                                  "processors: *e\n";
    s_refused ("brackets.yaml", brackets, sizeof brackets);
    s_refused ("brackets.json", brackets, sizeof brackets);
    s_refused ("binary.yaml", binary, sizeof binary);
    s_refused ("aliases.yaml", aliases, sizeof aliases - 1);
    s_refused ("scalar.yaml", "hello\n", 6);
    s_refused ("nothing.json", "", 0);
}

/* ---- graph -------------------------------------------------------------------------------- */

static void dot_draws_transforms_as_boxes_and_analyzers_round (void **state) {
    (void) state;
    command_t c = {0};
    COMMAND (&c, "graph", "examples/text_pipeline.yaml");
    command_expect (&c, 0);
    assert_true (strncmp (c.out, "digraph dagwood {\n", 18) == 0);
    command_expect_output (&c,
                           "\"upper\" [label=\"upper\\nchange_text_case_upper\", shape=box];\n");
    command_expect_output (&c, "\"size\" [label=\"size\\ntoken_counter\", shape=ellipse];\n");
    command_expect_output (&c, "\"upper\" -> \"reversed\";\n");
    assert_string_equal (c.out + c.out_size - 2, "}\n");
    command_free (&c);
}

static void an_intent_said_by_the_graph_decides_the_shape (void **state) {
    (void) state;
    const char *file = command_file ("intent.yaml", "processors:\n"
                                                    "  - {id: a, processor: identity,\n"
                                                    "     intent: analyze}\n");
    command_t c = {0};
    COMMAND (&c, "graph", file, "--format", "dot");
    command_expect_output (&c, "shape=ellipse");
    command_free (&c);
}

static void dot_escapes_ids (void **state) {
    (void) state;
    const char *file = command_file ("strange.yaml", STRANGE_IDS);
    command_t c = {0};
    COMMAND (&c, "graph", file);
    command_expect (&c, 0);
    command_expect_output (&c, "\"say \\\"hi\\\" & <bye> #1 `x` \\\\n\" [label=\""
                               "say \\\"hi\\\" &amp; <bye> #1 `x` \\\\n\\ntoken_counter\"");
    command_expect_output (&c, "\"two\\nlines\" [label=\"two\\nlines\\nidentity\"");
    command_expect_output (&c,
                           "\"two\\nlines\" -> \"\xe4\xb8\xad\xe6\x96\x87 \xf0\x9f\x8c\xb2\";\n");
    command_free (&c);
}

/* In a name of dot's only a quote is escaped: a backslash before anything else is part of it, so
 * that these differ from names which say "\x1b" themselves, whose backslash is doubled. */
static void dot_shows_control_characters_escaped (void **state) {
    (void) state;
    const char *file = command_file ("wild.yaml", WILD_IDS);
    command_t c = {0};
    COMMAND (&c, "graph", file);
    command_expect (&c, 0);
    command_expect_tame (&c);
    assert_string_equal (c.out,
                         "digraph dagwood {\n"
                         "    rankdir=LR;\n"
                         "    \"a\\x1b[31m\" [label=\"a\\\\x1b[31m\\nidentity\", shape=box];\n"
                         "    \"b\\tc\\x7f\" [label=\"b\\\\tc\\\\x7f\\ntoken_counter\", "
                         "shape=ellipse];\n"
                         "    \"a\\xc2\\x9b[31m\" [label=\"a\\\\xc2\\\\x9b[31m\\nidentity\", "
                         "shape=box];\n"
                         "    \"a\\x1b[31m\" -> \"b\\tc\\x7f\";\n"
                         "    \"a\\x1b[31m\" -> \"a\\xc2\\x9b[31m\";\n"
                         "}\n");
    command_free (&c);
}

static void mermaid_shows_control_characters_escaped (void **state) {
    (void) state;
    const char *file = command_file ("wild2.yaml", WILD_IDS);
    command_t c = {0};
    COMMAND (&c, "graph", file, "--format", "mermaid");
    command_expect (&c, 0);
    command_expect_tame (&c);
    command_expect_output (&c, "n0[\"a#92;x1b[31m<br/>identity\"]\n");
    command_expect_output (&c, "n1([\"b#92;tc#92;x7f<br/>token_counter\"])\n");
    command_expect_output (&c, "n2[\"a#92;xc2#92;x9b[31m<br/>identity\"]\n");
    command_free (&c);
}

static void no_name_of_a_graph_or_file_reaches_the_terminal_as_it_is (void **state) {
    (void) state;
    const char *file = command_file ("a\033[31m.yaml", WILD_IDS);
    const char *const commands[][5] = {
        {"validate", file},
        {"validate", "no\033[31m.yaml"},
        {"plan", file},
        {"run", file, "--input", "x"},
        {"run", file, "--output", "a\033[31"}, /* did you mean the first? */
        {"processors", "for_each_line"},
        {"processors", "revers\033_text"},
    };
    for (size_t i = 0; i < sizeof commands / sizeof *commands; i++) {
        command_t c = {0};
        command_run (&c, commands[i]);
        command_expect_tame (&c);
        command_free (&c);
    }
    command_t c = {0};
    COMMAND (&c, "run", file, "--output", "a\033[31");
    command_expect (&c, 64);
    command_expect_error (&c, "a\\x1b[31m.yaml has no node \"a\\x1b[31\"; did you mean "
                              "\"a\\x1b[31m\"?");
    command_free (&c);
}

static void mermaid_draws_the_same_with_numbered_names (void **state) {
    (void) state;
    const char *file = command_file ("strange2.yaml", STRANGE_IDS);
    command_t c = {0};
    COMMAND (&c, "graph", file, "--format", "mermaid");
    command_expect (&c, 0);
    assert_string_equal (c.out,
                         "flowchart LR\n"
                         "    n0[\"a b<br/>identity\"]\n"
                         "    n1([\"say #quot;hi#quot; #amp; #lt;bye#gt; #35;1 #96;x#96; #92;n"
                         "<br/>token_counter\"])\n"
                         "    n2[\"two<br/>lines<br/>identity\"]\n"
                         "    n3[\"\xe4\xb8\xad\xe6\x96\x87 \xf0\x9f\x8c\xb2<br/>identity\"]\n"
                         "    n0 --> n1\n"
                         "    n0 --> n2\n"
                         "    n2 --> n3\n");
    command_free (&c);
}

static void a_graph_of_nothing_is_drawn_as_nothing (void **state) {
    (void) state;
    const char *file = command_file ("nothing.yaml", "processors: []\n");
    command_t c = {0};
    COMMAND (&c, "graph", file);
    command_expect (&c, 0);
    assert_string_equal (c.out, "digraph dagwood {\n    rankdir=LR;\n}\n");
    command_free (&c);
    COMMAND (&c, "graph", file, "--format=mermaid");
    assert_string_equal (c.out, "flowchart LR\n");
    command_free (&c);
}

static void an_unknown_format_is_a_usage_error (void **state) {
    (void) state;
    command_t c = {0};
    COMMAND (&c, "graph", "examples/pool.yaml", "--format", "mermiad");
    command_expect (&c, 64);
    command_expect_error (&c, "did you mean mermaid?");
    command_free (&c);
}

/* ---- plan --------------------------------------------------------------------------------- */

static void plan_shows_levels_ranks_sources_and_the_critical_path (void **state) {
    (void) state;
    command_t c = {0};
    COMMAND (&c, "plan", "examples/pool.yaml");
    command_expect (&c, 0);
    static const char *const words[] = {
        "lane", "level", "rank", "chains", "critical path", "long -> longer -> longest -> all"};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        command_expect_output (&c, words[i]);
    assert_string_equal (c.err, "");
    command_free (&c);
}

int main (void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test (valid_graphs_are_ok_with_their_size),
        cmocka_unit_test (every_example_is_valid_without_a_warning),
        cmocka_unit_test (all_errors_of_all_files_are_told_with_their_places),
        cmocka_unit_test (errors_of_a_file_are_told_from_its_top_to_its_end),
        cmocka_unit_test (a_wrong_name_of_what_a_node_adds_is_told_where_it_stands),
        cmocka_unit_test (a_node_without_a_processor_is_told_once),
        cmocka_unit_test (two_possible_payloads_are_a_warning_and_the_graph_is_ok),
        cmocka_unit_test (files_that_cannot_be_read_are_status_66),
        cmocka_unit_test (a_wrong_graph_is_told_rather_than_an_unreadable_one),
        cmocka_unit_test (a_wrong_graph_is_status_78_of_every_command),
        cmocka_unit_test (garbage_is_refused),
        cmocka_unit_test (dot_draws_transforms_as_boxes_and_analyzers_round),
        cmocka_unit_test (an_intent_said_by_the_graph_decides_the_shape),
        cmocka_unit_test (dot_escapes_ids),
        cmocka_unit_test (dot_shows_control_characters_escaped),
        cmocka_unit_test (mermaid_shows_control_characters_escaped),
        cmocka_unit_test (no_name_of_a_graph_or_file_reaches_the_terminal_as_it_is),
        cmocka_unit_test (mermaid_draws_the_same_with_numbered_names),
        cmocka_unit_test (a_graph_of_nothing_is_drawn_as_nothing),
        cmocka_unit_test (an_unknown_format_is_a_usage_error),
        cmocka_unit_test (plan_shows_levels_ranks_sources_and_the_critical_path),
    };
    return !!cmocka_run_group_tests (tests, command_folder_set_up, command_folder_tear_down);
}
