/* test_config.c - graph files: every key, and what is refused in which words. */

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "runtime/core/plan.h"
#include "tests/support/config_fixture.h"

/* -- Helpers -------------------------------------------------------------------------------- */

/* One line that is wrong, at the place of `@`, in a file whose rest is right. */
static void s_expect_line (const char *before, const char *line, const char *after,
                           const char *message) {
    char text[2048], messages[2048];
    const char *mark = strchr (line, '@');
    assert_non_null (mark);
    snprintf (text, sizeof (text), "%s%.*s%s\n%s", before, (int) (mark - line), line, mark + 1,
              after);
    unsigned lines = 1;
    for (const char *at = before; *at; at++)
        lines += *at == '\n';
    snprintf (messages, sizeof (messages), "g:%u:%u: error: %s\n", lines,
              (unsigned) (mark - line) + 1, message);
    config_expect (text, messages);
}

static void s_expect_top (const char *line, const char *message) {
    s_expect_line ("", line, "processors: []\n", message);
}

static void s_expect_executor (const char *line, const char *message) {
    s_expect_line ("executor_options:\n", line, "processors: []\n", message);
}

static void s_expect_node (const char *line, const char *message) {
    s_expect_line ("processors:\n- id: a\n  processor: p\n", line, "", message);
}

/* -- What is read --------------------------------------------------------------------------- */

static void every_key_is_read (void **state) {
    (void) state;
    dw_graph_t *graph = config_read (
        "strategy: level\n"
        "failure_strategy: best_effort\n"
        "executor_options:\n"
        "  max_concurrency: 4\n"
        "  timeout_seconds: 1.5\n"
        "  retry_attempts: 2\n"
        "  retry_backoff: {initial_ms: 0.5, factor: 3, max_ms: 20, jitter: .25}\n"
        "  batch_size: 0x10\n"
        "  actors: pool:3\n"
        "  priority: critical_path\n"
        "  max_payload_bytes: 4294967295\n"
        "processors:\n"
        "  - id: a\n"
        "    processor: p\n"
        "  - id: b\n"
        "    type: local\n"
        "    processor: p\n"
        "    depends_on: [a, a]\n"
        "    input: a\n"
        "    options: {t: x, i: 5, n: 0.5, b: on, e: , q: \"5\"}\n"
        "    timeout_seconds: 1e-9\n"
        "    retry_attempts: 1\n"
        "    retry_backoff: {max_ms: 5}\n"
        "    cost_us: 7\n"
        "    intent: analyze\n"
        "    idempotent: no\n"
        "    join: any_ok\n");
    const dw_graph_options_t *options = &graph->options;
    assert_int_equal (options->strategy, DW_LEVEL);
    assert_int_equal (options->failure_strategy, DW_BEST_EFFORT);
    assert_int_equal (options->max_concurrency, 4);
    assert_int_equal (options->timeout_us, 1500000);
    assert_int_equal (options->retry_attempts, 2);
    assert_int_equal (options->backoff.initial_us, 500);
    assert_int_equal (options->backoff.max_us, 20000);
    assert_true (options->backoff.factor == 3 && options->backoff.jitter == 0.25);
    assert_int_equal (options->batch_size, 16);
    assert_int_equal (options->actors, DW_ACTORS_POOL);
    assert_int_equal (options->pool_size, 3);
    assert_int_equal (options->priority, DW_CRITICAL_PATH);
    assert_int_equal (options->max_payload_bytes, 4294967295);

    assert_int_equal (graph->nodes_count, 2);
    assert_null (graph->nodes[0].options);
    const dw_node_t *node = &graph->nodes[1];
    assert_string_equal (node->id, "b");
    assert_int_equal (node->line, 15);
    assert_int_equal (node->column, 9);
    assert_string_equal (node->processor, "p");
    assert_int_equal (node->processor_line, 17);
    assert_int_equal (node->dependencies_count, 2);
    assert_string_equal (node->dependencies[1].id, "a");
    assert_int_equal (node->dependencies[1].line, 18);
    assert_int_equal (node->dependencies[1].column, 21);
    assert_string_equal (node->input, "a");
    assert_int_equal (node->input_line, 19);
    assert_int_equal (node->options->timeout_us, 1);
    assert_int_equal (node->options->retry_attempts, 1);
    assert_true (node->options->has_backoff);
    assert_int_equal (node->options->backoff.initial_us, 100000); /* the default, not the graph's */
    assert_int_equal (node->options->backoff.max_us, 5000);
    assert_int_equal (node->options->cost_us, 7);
    assert_int_equal (node->options->intent, DW_ANALYZE);
    assert_true (node->options->not_idempotent);
    assert_int_equal (node->options->join, DW_JOIN_ANY_OK);

    static const dw_value_type_t types[] = {DW_VALUE_TEXT,    DW_VALUE_INTEGER, DW_VALUE_NUMBER,
                                            DW_VALUE_BOOLEAN, DW_VALUE_NULL,    DW_VALUE_TEXT};
    const dw_setting_t *setting = node->settings;
    for (size_t i = 0; i < 6; i++, setting = setting->next) {
        assert_int_equal (setting->type, types[i]);
        assert_int_equal (setting->line, 20);
    }
    assert_null (setting);
    assert_string_equal (node->settings->value.text, "x");
    assert_string_equal (node->settings_last->value.text, "5");
    dw_graph_destroy (&graph);
}

static void every_choice_is_read (void **state) {
    (void) state;
    static const char *const strategies[] = {"hybrid", "work_queue", "level", "reactive"};
    static const char *const failures[] = {"fail_fast", "continue_on_error", "best_effort"};
    static const char *const actors[] = {"auto", "thread", "pool"};
    static const char *const priorities[] = {"rank", "critical_path"};
    static const char *const intents[] = {"transform", "analyze"};
    for (unsigned i = 0; i < 12; i++) {
        char text[512];
        snprintf (text, sizeof (text),
                  "strategy: %s\nfailure_strategy: '%s'\n"
                  "executor_options: {actors: %s, priority: %s}\n"
                  "processors: [{id: a, processor: p, intent: %s}]\n",
                  strategies[i % 4], failures[i % 3], actors[i % 3], priorities[i % 2],
                  intents[i % 2]);
        dw_graph_t *graph = config_read (text);
        assert_int_equal (graph->options.strategy, i % 4);
        assert_int_equal (graph->options.failure_strategy, i % 3);
        assert_int_equal (graph->options.actors, i % 3);
        assert_int_equal (graph->options.priority, i % 2);
        assert_true (graph->options.pool_size == DW_UNSET);
        assert_int_equal (graph->nodes[0].options->intent, i % 2 ? DW_ANALYZE : DW_TRANSFORM);
        dw_graph_destroy (&graph);
    }
}

static void an_empty_list_is_a_graph_without_nodes (void **state) {
    (void) state;
    static const char *const texts[] = {"processors: []\n", "\xef\xbb\xbfprocessors: []",
                                        "--- {processors: []}\n...\n",
                                        "%YAML 1.1\n---\nprocessors: []\n", "{\"processors\": []}"};
    for (size_t i = 0; i < sizeof (texts) / sizeof (texts[0]); i++) {
        dw_graph_t *graph = config_read (texts[i]);
        assert_int_equal (dw_graph_nodes_count (graph), 0);
        dw_graph_destroy (&graph);
    }
    dw_graph_t *graph = config_parse ("\xef\xbb\xbf {\"processors\"\n:\t[ ]}\r\n", 24, true);
    assert_non_null (graph);
    dw_graph_destroy (&graph);
}

static void what_is_left_empty_means_none (void **state) {
    (void) state;
    dw_graph_t *graph = config_read (
        "executor_options:\n"
        "processors:\n"
        "- id: a\n"
        "  processor: p\n"
        "  depends_on:\n"
        "  options:\n"
        "  retry_backoff:\n"
        "- {id: b, processor: p, depends_on: [], options: {}, retry_backoff: ~}\n");
    for (size_t i = 0; i < 2; i++) {
        assert_int_equal (graph->nodes[i].dependencies_count, 0);
        assert_null (graph->nodes[i].settings);
        assert_false (graph->nodes[i].options->has_backoff);
    }
    dw_graph_destroy (&graph);
}

static void plain_scalars_are_ids_as_written (void **state) {
    (void) state;
    dw_graph_t *graph = config_read ("processors:\n"
                                     "- {id: on, processor: 1.0}\n"
                                     "- {id: 5, processor: no, depends_on: [on]}\n"
                                     "- {id: 0x10, processor: p, depends_on: [on, 5], input: 5}\n"
                                     "- {id: null, processor: p}\n");
    static const char *const ids[] = {"on", "5", "0x10", "null"};
    for (size_t i = 0; i < 4; i++)
        assert_string_equal (graph->nodes[i].id, ids[i]);
    assert_string_equal (graph->nodes[0].processor, "1.0");
    assert_string_equal (graph->nodes[2].dependencies[0].id, "on");
    assert_string_equal (graph->nodes[2].input, "5");
    dw_graph_destroy (&graph);
}

static void ids_may_hold_any_text (void **state) {
    (void) state;
    dw_graph_t *graph = config_read (
        "processors:\n"
        "- {id: \"a b\\n\\\"c\\\" \\u00e4 \\U0001F600 \\x07\", processor: p}\n"
        "- {id: 'it''s', processor: p}\n"
        "- {id: größe 5, processor: p}\n");
    assert_string_equal (graph->nodes[0].id, "a b\n\"c\" ä 😀 \a");
    assert_string_equal (graph->nodes[1].id, "it's");
    assert_string_equal (graph->nodes[2].id, "größe 5");
    dw_graph_destroy (&graph);
}

/* -- Wrong keys and values ------------------------------------------------------------------ */

static void unknown_keys_are_refused_with_the_nearest_name (void **state) {
    (void) state;
    s_expect_top ("@stratgey: level", "unknown key \"stratgey\"; did you mean \"strategy\"?");
    s_expect_top ("@zzz: {a: [b, {c: d}]}",
                  "unknown key \"zzz\"; the keys here are strategy, failure_strategy, "
                  "executor_options, processors");
    s_expect_executor ("  @max_concurency: 1",
                       "unknown key \"max_concurency\"; did you mean \"max_concurrency\"?");
    s_expect_executor ("  retry_backoff: {@intial_ms: 1}",
                       "unknown key \"intial_ms\"; did you mean \"initial_ms\"?");
    s_expect_node ("  @depend_on: []", "unknown key \"depend_on\"; did you mean \"depends_on\"?");
    s_expect_node (
        "  @zzzzzzzzzzzzzz: 1",
        "unknown key \"zzzzzzzzzzzzzz\"; the keys here are id, type, workers, processor, "
        "depends_on, input, options, timeout_seconds, retry_attempts, "
        "retry_backoff, cost_us, intent, idempotent, join, adds");
}

static void repeated_keys_are_refused (void **state) {
    (void) state;
    s_expect_line ("strategy: level\n", "@strategy: level", "processors: []\n",
                   "the key \"strategy\" is repeated; it is in line 1 already");
    s_expect_node ("  @id: b", "the key \"id\" is repeated; it is in line 2 already");
    s_expect_node ("  options: {x: 1, @x: 2}",
                   "the option \"x\" is repeated; it is in line 4 already");
}

static void keys_that_are_no_names_are_refused (void **state) {
    (void) state;
    s_expect_top ("? @[a, b]\n: c", "a key must be a name, not a list or a mapping");
    s_expect_node ("  options: {? @{a: b} : c}", "a key must be a name, not a list or a mapping");
    s_expect_top ("@<<: {strategy: level}",
                  "merge keys (<<) are not supported; write out what is meant");
    s_expect_node ("  options: {@<<: {a: b}}",
                   "merge keys (<<) are not supported; write out what is meant");
    dw_graph_t *graph = config_read ("processors: [{id: a, processor: p, options: {\"<<\": 1}}]");
    assert_string_equal (graph->nodes[0].settings->name, "<<");
    dw_graph_destroy (&graph);
}

static void choices_that_are_none_are_refused (void **state) {
    (void) state;
    s_expect_top ("strategy: @levle",
                  "\"strategy\" takes hybrid, work_queue, level or reactive, not the text "
                  "\"levle\"; did you mean level?");
    s_expect_top ("strategy: @[level]",
                  "\"strategy\" takes hybrid, work_queue, level or reactive, not a list");
    s_expect_top ("strategy: @5",
                  "\"strategy\" takes hybrid, work_queue, level or reactive, not the number 5");
    s_expect_top ("failure_strategy: @''",
                  "\"failure_strategy\" takes fail_fast, continue_on_error or best_effort, "
                  "not the text \"\"");
    s_expect_executor ("  priority: @on",
                       "\"priority\" takes rank or critical_path, not the boolean on");
    s_expect_executor ("  actors: @threads",
                       "\"actors\" takes auto, thread, pool or pool:N, not the text \"threads\"; "
                       "did you mean thread?");
    s_expect_executor ("  actors: @{pool: 4}",
                       "\"actors\" takes auto, thread, pool or pool:N, not a mapping");
    s_expect_executor ("  actors: @'pool:'",
                       "\"actors\" takes pool:N with a whole number N, not the text \"pool:\"; "
                       "write pool:4");
    s_expect_executor ("  actors: @pool:-1",
                       "\"actors\" takes pool:N with a whole number N, not the text \"pool:-1\"; "
                       "write pool:4");
    s_expect_executor ("  actors: @pool:0", "pool must be a whole number from 1 to 1024, not 0");
    s_expect_executor ("  actors: @pool:1025",
                       "pool must be a whole number from 1 to 1024, not 1025");
    s_expect_node ("  idempotent: @maybe",
                   "\"idempotent\" takes true or false, not the text \"maybe\"");
    s_expect_node ("  idempotent: @'false'",
                   "\"idempotent\" takes true or false, not the text \"false\"");
    s_expect_node ("  join: @all_don", "\"join\" takes all_done, all_ok or any_ok, not the text "
                                       "\"all_don\"; did you mean all_done?");
    s_expect_node ("  join: @[all_ok]", "\"join\" takes all_done, all_ok or any_ok, not a list");
    s_expect_node ("  idempotent: @[]", "\"idempotent\" takes true or false, not a list");
    s_expect_node ("  intent: @both",
                   "\"intent\" takes transform or analyze, not the text \"both\"");
    s_expect_node ("  type: @exec", "\"type\" takes local or remote, not the text \"exec\"");
    s_expect_node ("  type: @remot",
                   "\"type\" takes local or remote, not the text \"remot\"; did you mean remote?");
    s_expect_node ("  type:@", "\"type\" takes local or remote, not nothing");
    s_expect_node ("  workers: @gpu", "\"workers\" takes a mapping, not the text \"gpu\"");
    s_expect_node ("  workers: {gpu: @[yes]}", "\"gpu\" takes the value of a tag, not a list");
    s_expect_node ("  workers: {@a b: yes}",
                   "the tag \"a b\": the name of a tag has letters, digits and any of ._-/");
    s_expect_node ("  workers: {gpu: yes, @gpu: no}", "the tag \"gpu\" is repeated");
    s_expect_node ("  workers: {@gpu: \"\"}",
                   "the tag \"gpu\": the value of a tag has 1 to 255 bytes");
}

static void numbers_that_are_none_are_refused (void **state) {
    (void) state;
    s_expect_executor ("  max_concurrency: @four",
                       "\"max_concurrency\" takes a number, not the text \"four\"");
    s_expect_executor ("  max_concurrency: @\"4\"",
                       "\"max_concurrency\" takes a number, not the text \"4\"; write it "
                       "without quotes");
    s_expect_executor ("  max_concurrency: @yes",
                       "\"max_concurrency\" takes a number, not the boolean yes");
    s_expect_executor ("  max_concurrency: @~",
                       "\"max_concurrency\" takes a number, not nothing; leave the key out for "
                       "the default");
    s_expect_executor ("  max_concurrency: @{}",
                       "\"max_concurrency\" takes a number, not a mapping");
    s_expect_node ("  cost_us: @[1, [2]]", "\"cost_us\" takes a number, not a list");
}

static void numbers_out_of_range_are_refused_with_the_range (void **state) {
    (void) state;
    s_expect_executor ("  max_concurrency: @0",
                       "max_concurrency must be a whole number from 1 to 262144, not 0");
    s_expect_executor ("  max_concurrency: @-3",
                       "max_concurrency must be a whole number from 1 to 262144, not -3");
    s_expect_executor ("  max_concurrency: @1.5",
                       "max_concurrency must be a whole number from 1 to 262144, not 1.5");
    s_expect_executor ("  max_concurrency: @99999999999999999999",
                       "max_concurrency must be a whole number from 1 to 262144, not 1e+20");
    s_expect_executor ("  timeout_seconds: @-1",
                       "timeout_seconds must be a number over 0 and at most 1000000000, not -1; "
                       "leave it out for no timeout");
    s_expect_executor ("  timeout_seconds: @.nan",
                       "timeout_seconds must be a number over 0 and at most 1000000000, not .nan, "
                       "which is no number; leave it out for no timeout");
    s_expect_executor ("  timeout_seconds: @.inf",
                       "timeout_seconds must be a number over 0 and at most 1000000000, not .inf, "
                       "which is infinite; leave it out for no timeout");
    s_expect_executor ("  timeout_seconds: @0",
                       "timeout_seconds must be a number over 0 and at most 1000000000, not 0; "
                       "leave it out for no timeout");
    s_expect_executor ("  retry_attempts: @1001",
                       "retry_attempts must be a whole number from 0 to 1000, not 1001");
    s_expect_executor ("  batch_size: @0",
                       "batch_size must be a whole number from 1 to 65536, not 0");
    s_expect_executor (
        "  max_payload_bytes: @4294967296",
        "max_payload_bytes must be a whole number from 1 to 4294967295, not 4294967296");
    s_expect_executor ("  retry_backoff: {factor: @0.5}",
                       "factor must be a number from 1 to 1000, not 0.5");
    s_expect_executor ("  retry_backoff: {jitter: @1.1}",
                       "jitter must be a number from 0 to 1, not 1.1");
    s_expect_executor ("  retry_backoff: {initial_ms: @-1}",
                       "initial_ms must be a number from 0 to 86400000, not -1");
    s_expect_executor ("  retry_backoff: {max_ms: @1e9}",
                       "max_ms must be a number from 0 to 86400000, not 1000000000");
    s_expect_node ("  timeout_seconds: @-0.5",
                   "timeout_seconds must be a number over 0 and at most 1000000000, not -0.5; "
                   "leave it out for no timeout");
    s_expect_node ("  cost_us: @-1",
                   "cost_us must be a whole number from 0 to 1000000000000000, not -1");
    s_expect_node (
        "  retry_attempts: @.NaN",
        "retry_attempts must be a whole number from 0 to 1000, not .nan, which is no number");
}

static void values_of_the_wrong_shape_are_refused (void **state) {
    (void) state;
    s_expect_top ("executor_options: @[]", "\"executor_options\" takes a mapping, not a list");
    s_expect_executor ("  retry_backoff: @5",
                       "\"retry_backoff\" takes a mapping, not the number 5");
    s_expect_node ("  depends_on: @b",
                   "\"depends_on\" takes a list, not the text \"b\"; write depends_on: [b]");
    s_expect_node ("  depends_on: @{b: c}", "\"depends_on\" takes a list, not a mapping");
    s_expect_node ("  depends_on: [@[b]]", "\"depends_on\" takes a list of ids, not a list");
    config_expect ("processors:\n- id: a\n  processor: p\n  depends_on:\n  -\n",
                   "g:5:4: error: \"depends_on\" takes a list of ids, not nothing\n");
}

static void names_must_be_there (void **state) {
    (void) state;
    config_expect ("processors: [{processor: p}]",
                   "g:1:14: error: a node has no \"id\"; give it one\n");
    config_expect ("processors: [{id: a}]",
                   "g:1:14: error: node \"a\" has no \"processor\"; name one\n");
    config_expect ("processors: [{}]", "g:1:14: error: a node has no \"id\"; give it one\n"
                                       "g:1:14: error: a node has no \"processor\"; name one\n");
    config_expect ("processors:\n- id:\n  processor: p\n",
                   "g:2:6: error: \"id\" takes a name, not nothing\n");
    config_expect ("processors:\n- id: a\n  processor: []\n",
                   "g:3:14: error: \"processor\" takes the name of a processor, not a list\n");
    s_expect_node ("  input: @{}", "\"input\" takes the id of an ancestor, or run, not a mapping");
    config_expect (
        "processors: [a]",
        "g:1:14: error: \"processors\" takes mappings such as {id: a, processor: identity}, "
        "not the text \"a\"\n");
    config_expect (
        "processors: {a: b}",
        "g:1:13: error: \"processors\" takes a list, not a mapping; an empty one is []\n");
    config_expect ("processors:",
                   "g:1:12: error: \"processors\" takes a list, not nothing; an empty one is []\n");
    config_expect ("strategy: level",
                   "g:1:1: error: the key \"processors\" is missing; an empty graph says "
                   "processors: []\n");
}

/* What a node passes on to a processor that it adds, and what that does. */
static void options_within_options_have_names_behind_one_another (void **state) {
    (void) state;
    dw_graph_t *graph = config_read (
        "processors:\n"
        "- id: a\n"
        "  processor: p\n"
        "  options: {x: 1, options: {x: yes, options: {y: deep}, z: }, options.w: 2}\n"
        "- {id: b, processor: p, options: {options: , x: 1}}\n"
        "- {id: c, processor: p, options: {options: {}}}\n"
        "- {id: d, processor: p, options: {options: 5}}\n");
    static const char *const names[] = {"x", "options.x", "options.options.y", "options.z",
                                        "options.w"};
    const dw_setting_t *setting = graph->nodes[0].settings;
    for (size_t i = 0; i < 5; i++, setting = setting->next) {
        assert_string_equal (setting->name, names[i]);
        assert_int_equal (setting->line, 4);
    }
    assert_null (setting);
    assert_true (graph->nodes[0].settings->next->value.boolean);
    assert_string_equal (graph->nodes[0].settings->next->next->value.text, "deep");
    assert_string_equal (graph->nodes[1].settings->name, "x");
    assert_null (graph->nodes[1].settings->next);
    assert_null (graph->nodes[2].settings);
    assert_string_equal (graph->nodes[3].settings->name, "options");
    assert_int_equal (graph->nodes[3].settings->value.integer, 5);
    dw_graph_destroy (&graph);
    s_expect_node ("  options: {options: {x: 1, @x: 2}}",
                   "the option \"options.x\" is repeated; it is in line 4 already");
    s_expect_node ("  options: {options: {x: 1}, @options: {y: 2}}",
                   "the option \"options\" is repeated; it is in line 4 already");
    s_expect_node ("  options: {options: @[]}", "\"options\" takes a single value, not a list");
}

static void options_take_single_values_up_to_a_number_of_them (void **state) {
    (void) state;
    s_expect_node ("  options: @5", "\"options\" takes a mapping, not the number 5");
    s_expect_node ("  options: {x: @[1]}", "\"x\" takes a single value, not a list");
    s_expect_node ("  options: {x: @{}}", "\"x\" takes a single value, not a mapping");

    char text[4096] = "processors: [{id: a, processor: p, options: {";
    size_t used = strlen (text);
    for (int i = 0; i < 70; i++)
        used += (size_t) snprintf (text + used, sizeof (text) - used, "o%d: 1, ", i);
    snprintf (text + used, sizeof (text) - used, "}}]");
    assert_null (config_parse (text, strlen (text), false));
    assert_non_null (strstr (config_messages (), "error: a node takes at most 64 options\n"));

    used = (size_t) snprintf (text, sizeof text, "processors: [{id: a, processor: p, options: {");
    for (int i = 0; i < 70; i++) /* within others they count, too */
        used += (size_t) snprintf (text + used, sizeof (text) - used, "%s%d: 1, ",
                                   i == 35 ? "options: {o" : "o", i);
    snprintf (text + used, sizeof (text) - used, "}}}]");
    assert_null (config_parse (text, strlen (text), false));
    assert_non_null (strstr (config_messages (), "error: a node takes at most 64 options\n"));
    assert_ptr_equal (strchr (config_messages (), '\n') + 1,
                      config_messages () + strlen (config_messages ()));
}

static void an_integer_beyond_64_bits_is_a_number_in_yaml_and_json (void **state) {
    const char *text = "{\"processors\": [{\"id\": \"a\", \"processor\": \"p\", "
                       "\"options\": {\"x\": 123456789012345678901234567890, \"y\": 12}}]}";
    (void) state;
    for (int json = 0; json < 2; json++) {
        dw_graph_t *graph = config_parse (text, strlen (text), json);
        assert_string_equal (config_messages (), "");
        assert_non_null (graph);
        const dw_setting_t *setting = graph->nodes[0].settings;
        assert_int_equal (setting->type, DW_VALUE_NUMBER);
        assert_true (setting->value.number > 1.2e29 && setting->value.number < 1.3e29);
        assert_int_equal (setting->next->type, DW_VALUE_INTEGER);
        assert_int_equal (setting->next->value.integer, 12);
        dw_graph_destroy (&graph);
    }
}

static void everything_wrong_is_said_at_once_with_the_graphs_shape (void **state) {
    (void) state;
    config_expect (
        "strategy: x\n"
        "processors:\n"
        "- {id: up, processor: p, depends_on: [dwon]}\n"
        "- {id: down, processor: p, depends_on: [up], cost_us: no}\n"
        "- {id: a, processor: p, depends_on: [b]}\n"
        "- {id: b, processor: p, depends_on: [a]}\n"
        "- {id: a, processor: p}\n",
        "g:1:11: error: \"strategy\" takes hybrid, work_queue, level or reactive, not the text \"x\"\n"
        "g:3:39: error: node \"up\" depends on \"dwon\", which is not in the graph; did you mean \"down\"?\n"
        "g:4:55: error: \"cost_us\" takes a number, not the boolean no\n"
        "g:5:8: error: cycle: a -> b -> a\n"
        "g:7:8: error: the id \"a\" is taken by the node in line 5; give each node its own\n");
}

static void after_a_hundred_errors_reading_stops (void **state) {
    (void) state;
    char text[8192] = "processors:\n";
    size_t used = strlen (text);
    for (int i = 0; i < 200; i++)
        used += (size_t) snprintf (text + used, sizeof (text) - used, "- {id: n%d}\n", i);
    assert_null (config_parse (text, used, false));
    assert_non_null (strstr (config_messages (), "error: node \"n99\" has no \"processor\""));
    assert_null (strstr (config_messages (), "\"n100\""));
    assert_non_null (
        strstr (config_messages (),
                "g:101:11: error: there are 100 errors up to here; the rest of the file was "
                "not read\n"));
}

/* -- Equal plans ---------------------------------------------------------------------------- */

static bool s_trait (void *arg, const char *processor, dw_trait_t *trait) {
    (void) arg;
    *trait = (dw_trait_t){.intent = strcmp (processor, "count") == 0 ? DW_ANALYZE : DW_TRANSFORM,
                          .brief = true};
    return true;
}

static bool s_append (void *arg, const char *text, size_t size) {
    char *all = arg;
    return strlen (all) + size < 8192 && strncat (all, text, size);
}

static void s_plan_text (const dw_graph_t *graph, char text[8192]) {
    dw_plan_lookup_t lookup = {.trait = s_trait, .cpus_count = 2};
    dw_plan_t *plan = NULL;
    text[0] = '\0';
    assert_int_equal (dw_plan_new (&plan, graph, &lookup, NULL), DW_OK);
    assert_true (dw_plan_print (plan, s_append, text));
    for (uint32_t i = 0; i < plan->edges_count; i++)
        snprintf (text + strlen (text), 16, "%u ", plan->dependencies[i]);
    dw_plan_destroy (&plan);
}

static void the_same_graph_gives_equal_plans (void **state) {
    (void) state;
    static char plans[3][8192];
    dw_graph_t *built = dw_graph_new ();
    for (int i = 0; i < 4; i++)
        assert_int_equal (
            dw_graph_add (built, (const char *[]){"a", "b", "c", "d"}[i], i == 2 ? "count" : "up"),
            i);
    dw_graph_depend (built, 1, "a");
    dw_graph_depend (built, 2, "b");
    dw_graph_depend (built, 3, "c");
    dw_graph_depend (built, 3, "a");
    dw_graph_set_input (built, 3, "run");
    dw_graph_node_options (built, 1)->cost_us = 5;
    dw_graph_t *yaml = config_read ("processors:\n"
                                    "- {id: a, processor: up}\n"
                                    "- {id: b, processor: up, depends_on: [a], cost_us: 5}\n"
                                    "- {id: c, processor: count, depends_on: [b]}\n"
                                    "- {id: d, processor: up, depends_on: [c, a], input: run}\n");
    const char *text =
        "{\"processors\": [{\"id\": \"a\", \"processor\": \"up\"},"
        "{\"id\": \"b\", \"processor\": \"up\", \"depends_on\": [\"a\"], \"cost_us\": 5},"
        "{\"id\": \"c\", \"processor\": \"count\", \"depends_on\": [\"b\"]},"
        "{\"id\": \"d\", \"processor\": \"up\", \"depends_on\": [\"c\", \"a\"], \"input\": \"run\"}]}";
    dw_graph_t *json = config_parse (text, strlen (text), true);
    assert_non_null (json);
    s_plan_text (built, plans[0]);
    s_plan_text (yaml, plans[1]);
    s_plan_text (json, plans[2]);
    assert_true (strlen (plans[0]) > 50);
    assert_string_equal (plans[0], plans[1]);
    assert_string_equal (plans[0], plans[2]);
    dw_graph_destroy (&built);
    dw_graph_destroy (&yaml);
    dw_graph_destroy (&json);
}

int main (void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test (every_key_is_read),
        cmocka_unit_test (every_choice_is_read),
        cmocka_unit_test (an_empty_list_is_a_graph_without_nodes),
        cmocka_unit_test (what_is_left_empty_means_none),
        cmocka_unit_test (plain_scalars_are_ids_as_written),
        cmocka_unit_test (ids_may_hold_any_text),
        cmocka_unit_test (unknown_keys_are_refused_with_the_nearest_name),
        cmocka_unit_test (repeated_keys_are_refused),
        cmocka_unit_test (keys_that_are_no_names_are_refused),
        cmocka_unit_test (choices_that_are_none_are_refused),
        cmocka_unit_test (numbers_that_are_none_are_refused),
        cmocka_unit_test (numbers_out_of_range_are_refused_with_the_range),
        cmocka_unit_test (values_of_the_wrong_shape_are_refused),
        cmocka_unit_test (names_must_be_there),
        cmocka_unit_test (options_within_options_have_names_behind_one_another),
        cmocka_unit_test (options_take_single_values_up_to_a_number_of_them),
        cmocka_unit_test (an_integer_beyond_64_bits_is_a_number_in_yaml_and_json),
        cmocka_unit_test (everything_wrong_is_said_at_once_with_the_graphs_shape),
        cmocka_unit_test (after_a_hundred_errors_reading_stops),
        cmocka_unit_test (the_same_graph_gives_equal_plans),
    };
    return !!cmocka_run_group_tests (tests, NULL, NULL);
}
