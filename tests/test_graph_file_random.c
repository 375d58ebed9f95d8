/* test_graph_file_random.c - any graph is the same from YAML, from JSON and from C. */

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistr.h>

#include <cmocka.h>

#include "tests/support/config_fixture.h"
#include "tests/support/random.h"

/* -- The same graph in YAML, in JSON and in C ----------------------------------------------- */

#define NODES_MAX   12
#define OPTIONS_MAX 5
#define TEXT_SIZE   64

typedef struct sample_option_t {
    char name[TEXT_SIZE];
    dw_value_type_t type;
    char text[TEXT_SIZE];
    int64_t integer;
    double number;
} sample_option_t;

typedef struct sample_node_t {
    char id[TEXT_SIZE], processor[TEXT_SIZE];
    size_t dependencies[NODES_MAX], dependencies_count;
    size_t input; /* NODES_MAX: not said; NODES_MAX + 1: run */
    sample_option_t options[OPTIONS_MAX];
    size_t options_count;
    bool has_cost, has_timeout, has_backoff, is_analyze;
    int cost_us, timeout_ms, factor;
} sample_node_t;

typedef struct sample_t {
    size_t nodes_count;
    sample_node_t nodes[NODES_MAX];
    int strategy, failure_strategy, actors, priority, pool_size, max_concurrency, timeout_ms,
        jitter_percent;
} sample_t;

static random_t s_random;

static size_t s_below (size_t limit) {
    return (size_t) (random_next (&s_random) % limit);
}

static size_t s_put_utf8 (char *at, uint32_t code) {
    return (size_t) u8_uctomb ((uint8_t *) at, code, 4);
}

static uint32_t s_code_point (void) {
    static const uint32_t special[] = {
        ' ',    '"',    '\'',   '\\',   '\n',   '\r',   '\t',    ':',     '#',
        '-',    '[',    '{',    ',',    '&',    '*',    '!',     '%',     '@',
        '/',    1,      0x1b,   0x7f,   0x80,   0x85,   0xa0,    0x2028,  0x2029,
        0xd7ff, 0xe000, 0xfeff, 0xfffd, 0xfffe, 0xffff, 0x10000, 0x1f600, 0x10ffff};
    if (s_below (2))
        return (uint32_t) ('a' + s_below (26));
    if (s_below (2))
        return special[s_below (sizeof (special) / sizeof (special[0]))];
    uint32_t code = (uint32_t) s_below (0x110000);
    return code == 0 || (code >= 0xd800 && code <= 0xdfff) ? 'x' : code;
}

static void s_random_text (char *text, size_t least) {
    size_t used = 0;
    for (size_t left = least + s_below (10); left > 0; left--)
        used += s_put_utf8 (text + used, s_code_point ());
    text[used] = '\0';
}

/* Any text, or one that is something else without quotes; unlike any other by its number. */
static void s_random_id (char *id, size_t number) {
    static const char *const words[] = {"on",   "5",   "null", "~",    "1e3", "0x10",
                                        "true", "a b", "- x",  "a: b", ".nan"};
    size_t word = s_below (20);
    if (word < 11)
        snprintf (id, TEXT_SIZE, "%s%.*s", words[word], (int) number, "            ");
    else {
        s_random_text (id, 1);
        snprintf (id + strlen (id), 8, "%zu", number);
    }
}

static void s_random_option (sample_option_t *option, size_t number) {
    s_random_id (option->name, number);
    option->type = (dw_value_type_t) s_below (5);
    s_random_text (option->text, 0);
    option->integer = (int64_t) s_below (SIZE_MAX) >> s_below (63);
    option->number = (double) option->integer / 8 + 0.0625;
}

static void s_random_node (sample_t *sample, size_t index) {
    sample_node_t *node = &sample->nodes[index];
    s_random_id (node->id, index);
    s_random_id (node->processor, 0);
    for (size_t i = 0; i < index; i++)
        if (s_below (3) == 0)
            node->dependencies[node->dependencies_count++] = i;
    node->input = s_below (2)                ? NODES_MAX + s_below (2)
                  : node->dependencies_count ? node->dependencies[0]
                                             : NODES_MAX + 1;
    node->options_count = s_below (OPTIONS_MAX + 1);
    for (size_t i = 0; i < node->options_count; i++)
        s_random_option (&node->options[i], i);
    node->has_cost = s_below (2);
    node->has_timeout = s_below (2);
    node->has_backoff = s_below (2);
    node->is_analyze = s_below (2);
    node->cost_us = (int) s_below (1000);
    node->timeout_ms = 1 + (int) s_below (10000);
    node->factor = 1 + (int) s_below (10);
}

static void s_random_sample (sample_t *sample) {
    *sample = (sample_t){.nodes_count = s_below (NODES_MAX + 1)};
    for (size_t i = 0; i < sample->nodes_count; i++)
        s_random_node (sample, i);
    sample->strategy = (int) s_below (4);
    sample->failure_strategy = (int) s_below (3);
    sample->actors = (int) s_below (3);
    sample->priority = (int) s_below (2);
    sample->pool_size = 1 + (int) s_below (1024);
    sample->max_concurrency = 1 + (int) s_below (1000);
    sample->timeout_ms = 1 + (int) s_below (100000);
    sample->jitter_percent = (int) s_below (101);
}

/* -- Printing a sample ---------------------------------------------------------------------- */

static char s_text[1 << 18];
static size_t s_used;

DW_PRINTF (1, 2)
static void s_print (const char *format, ...) {
    va_list arguments;
    va_start (arguments, format);
    s_used += (size_t) vsnprintf (s_text + s_used, sizeof (s_text) - s_used, format, arguments);
    va_end (arguments);
    assert_true (s_used < sizeof (s_text));
}

static uint32_t s_take_utf8 (const char **text_p) {
    const unsigned char *at = (const unsigned char *) *text_p;
    size_t size = *at < 0x80 ? 1 : *at < 0xe0 ? 2 : *at < 0xf0 ? 3 : 4;
    uint32_t code = size == 1 ? *at : *at & (0xffu >> (size + 1));
    for (size_t i = 1; i < size; i++)
        code = code << 6 | (at[i] & 0x3f);
    *text_p += size;
    return code;
}

/* In double quotes, with escapes where they must be and sometimes where they may. */
static void s_print_quoted (const char *text, bool json) {
    s_print ("\"");
    while (*text) {
        uint32_t code = s_take_utf8 (&text);
        char raw[5] = "";
        bool must = code < 0x20 || code == '"' || code == '\\';
        if (!json)
            must = must || (code >= 0x7f && code < 0xa0) || code == 0x2028 || code == 0x2029 ||
                   code == 0xfeff || code == 0xfffe || code == 0xffff;
        if (!must && s_below (4)) {
            s_put_utf8 (raw, code);
            s_print ("%s", raw);
        } else if (code < 0x10000)
            s_print ("\\u%04x", code);
        else if (json)
            s_print ("\\u%04x\\u%04x", 0xd800 + ((code - 0x10000) >> 10), 0xdc00 + (code & 0x3ff));
        else
            s_print ("\\U%08x", code);
    }
    s_print ("\"");
}

static void s_print_option (const sample_option_t *option, bool json) {
    s_print_quoted (option->name, json);
    s_print (": ");
    switch (option->type) {
        case DW_VALUE_NULL: s_print ("%s", json ? "null" : "~"); break;
        case DW_VALUE_TEXT: s_print_quoted (option->text, json); break;
        case DW_VALUE_INTEGER: s_print ("%lld", (long long) option->integer); break;
        case DW_VALUE_NUMBER: s_print ("%.17e", option->number); break;
        case DW_VALUE_BOOLEAN:
            s_print ("%s", json ? (option->integer % 2 ? "true" : "false")
                                : (option->integer % 2 ? "on" : "No"));
            break;
    }
}

/* What may stand between two keys: in YAML a node is a block, in JSON it has commas. */
static void s_print_key (const char *key, bool json) {
    if (json)
        s_print (",\n\t\"%s\" : ", key);
    else
        s_print ("\n    %s: ", key);
}

static void s_print_node_settings (const sample_node_t *node, bool json) {
    if (node->has_cost) {
        s_print_key ("cost_us", json);
        s_print ("%d", node->cost_us);
    }
    if (node->has_timeout) {
        s_print_key ("timeout_seconds", json);
        s_print ("%d.%03d", node->timeout_ms / 1000, node->timeout_ms % 1000);
    }
    if (node->has_backoff) {
        s_print_key ("retry_backoff", json);
        s_print ("{\"factor\": %d}", node->factor);
    }
    s_print_key ("intent", json);
    s_print (node->is_analyze ? "\"analyze\"" : "\"transform\"");
}

static void s_print_node (const sample_t *sample, const sample_node_t *node, bool json) {
    s_print (json ? "{ \"id\": " : "\n  - id: ");
    s_print_quoted (node->id, json);
    s_print_key ("processor", json);
    s_print_quoted (node->processor, json);
    s_print_key ("depends_on", json);
    s_print ("[");
    for (size_t i = 0; i < node->dependencies_count; i++) {
        s_print (i ? ", " : "");
        s_print_quoted (sample->nodes[node->dependencies[i]].id, json);
    }
    s_print ("]");
    if (node->input != NODES_MAX) {
        s_print_key ("input", json);
        s_print_quoted (node->input > NODES_MAX ? "run" : sample->nodes[node->input].id, json);
    }
    s_print_key ("options", json);
    s_print ("{");
    for (size_t i = 0; i < node->options_count; i++) {
        s_print (i ? ", " : "");
        s_print_option (&node->options[i], json);
    }
    s_print ("}");
    s_print_node_settings (node, json);
    s_print (json ? "}" : "");
}

static const char *const s_strategies[] = {"hybrid", "work_queue", "level", "reactive"};
static const char *const s_failures[] = {"fail_fast", "continue_on_error", "best_effort"};

static void s_print_sample (const sample_t *sample, bool json) {
    char actors[16] = "auto";
    if (sample->actors == DW_ACTORS_POOL)
        snprintf (actors, sizeof (actors), "pool:%d", sample->pool_size);
    else if (sample->actors == DW_ACTORS_THREAD)
        snprintf (actors, sizeof (actors), "thread");
    s_used = 0;
    s_print (json ? "{\"strategy\":\"%s\"\n,\"failure_strategy\":\"%s\","
                  : "strategy: %s\nfailure_strategy: %s\n",
             s_strategies[sample->strategy], s_failures[sample->failure_strategy]);
    s_print (json ? "\"executor_options\": " : "executor_options: ");
    s_print (
        "{\"max_concurrency\": %d, \"timeout_seconds\": %d.%03d, \"actors\": \"%s\", \"priority\": \"%s\", "
        "\"retry_backoff\": {\"jitter\": %d.%02d}}",
        sample->max_concurrency, sample->timeout_ms / 1000, sample->timeout_ms % 1000, actors,
        sample->priority ? "critical_path" : "rank", sample->jitter_percent / 100,
        sample->jitter_percent % 100);
    s_print (json ? ",\"processors\":[" : "\nprocessors:%s", sample->nodes_count ? "" : " []");
    for (size_t i = 0; i < sample->nodes_count; i++) {
        s_print (json && i ? ",\n" : "");
        s_print_node (sample, &sample->nodes[i], json);
    }
    s_print (json ? "]}" : "\n");
}

/* -- Building and comparing ----------------------------------------------------------------- */

static void s_build_option (dw_graph_t *graph, int index, const sample_option_t *option) {
    switch (option->type) {
        case DW_VALUE_NULL:
            assert_non_null (dw_graph_add_setting (graph, (uint32_t) index, option->name));
            break;
        case DW_VALUE_TEXT:
            assert_int_equal (dw_graph_set_text (graph, index, option->name, option->text), DW_OK);
            break;
        case DW_VALUE_INTEGER:
            assert_int_equal (dw_graph_set_integer (graph, index, option->name, option->integer),
                              DW_OK);
            break;
        case DW_VALUE_NUMBER:
            assert_int_equal (dw_graph_set_number (graph, index, option->name, option->number),
                              DW_OK);
            break;
        case DW_VALUE_BOOLEAN:
            assert_int_equal (
                dw_graph_set_boolean (graph, index, option->name, option->integer % 2), DW_OK);
            break;
    }
}

static void s_build_node (dw_graph_t *graph, const sample_t *sample, const sample_node_t *node) {
    int index = dw_graph_add (graph, node->id, node->processor);
    assert_true (index >= 0);
    for (size_t i = 0; i < node->dependencies_count; i++)
        assert_int_equal (dw_graph_depend (graph, index, sample->nodes[node->dependencies[i]].id),
                          DW_OK);
    if (node->input != NODES_MAX)
        dw_graph_set_input (graph, index,
                            node->input > NODES_MAX ? "run" : sample->nodes[node->input].id);
    for (size_t i = 0; i < node->options_count; i++)
        s_build_option (graph, index, &node->options[i]);
    dw_node_options_t *options = dw_graph_node_options (graph, index);
    options->intent = node->is_analyze ? DW_ANALYZE : DW_TRANSFORM;
    if (node->has_cost)
        options->cost_us = node->cost_us;
    if (node->has_timeout)
        options->timeout_us = node->timeout_ms * 1000;
    if (node->has_backoff) {
        options->has_backoff = true;
        options->backoff = (dw_backoff_t){100000, 10000000, node->factor, 0.1};
    }
}

static dw_graph_t *s_build (const sample_t *sample) {
    dw_graph_t *graph = dw_graph_new ();
    dw_graph_options_t *options = dw_graph_options (graph);
    options->strategy = (dw_strategy_t) sample->strategy;
    options->failure_strategy = (dw_failure_strategy_t) sample->failure_strategy;
    options->actors = (dw_actors_t) sample->actors;
    if (sample->actors == DW_ACTORS_POOL)
        options->pool_size = sample->pool_size;
    options->priority = (dw_priority_t) sample->priority;
    options->max_concurrency = sample->max_concurrency;
    options->timeout_us = sample->timeout_ms * 1000;
    options->backoff.jitter = sample->jitter_percent / 100.0;
    for (size_t i = 0; i < sample->nodes_count; i++)
        s_build_node (graph, sample, &sample->nodes[i]);
    return graph;
}

static void s_expect_equal_backoffs (const dw_backoff_t *a, const dw_backoff_t *b) {
    assert_int_equal (a->initial_us, b->initial_us);
    assert_int_equal (a->max_us, b->max_us);
    assert_true (a->factor == b->factor && a->jitter == b->jitter);
}

static void s_expect_equal_settings (const dw_setting_t *a, const dw_setting_t *b) {
    for (; a && b; a = a->next, b = b->next) {
        assert_string_equal (a->name, b->name);
        assert_int_equal (a->type, b->type);
        if (a->type == DW_VALUE_TEXT)
            assert_string_equal (a->value.text, b->value.text);
        else if (a->type == DW_VALUE_INTEGER)
            assert_true (a->value.integer == b->value.integer);
        else if (a->type == DW_VALUE_NUMBER)
            assert_true (a->value.number == b->value.number);
        else if (a->type == DW_VALUE_BOOLEAN)
            assert_true (a->value.boolean == b->value.boolean);
    }
    assert_true (!a && !b);
}

static void s_expect_equal_nodes (const dw_node_t *a, const dw_node_t *b) {
    assert_string_equal (a->id, b->id);
    assert_string_equal (a->processor, b->processor);
    assert_string_equal (a->input ? a->input : "", b->input ? b->input : "");
    assert_int_equal (a->dependencies_count, b->dependencies_count);
    for (uint32_t i = 0; i < a->dependencies_count; i++)
        assert_string_equal (a->dependencies[i].id, b->dependencies[i].id);
    s_expect_equal_settings (a->settings, b->settings);
    assert_int_equal (a->options->intent, b->options->intent);
    assert_true (a->options->timeout_us == b->options->timeout_us);
    assert_true (a->options->retry_attempts == b->options->retry_attempts);
    assert_true (a->options->cost_us == b->options->cost_us);
    assert_int_equal (a->options->not_idempotent, b->options->not_idempotent);
    assert_int_equal (a->options->join, b->options->join);
    assert_int_equal (a->options->has_backoff, b->options->has_backoff);
    if (a->options->has_backoff)
        s_expect_equal_backoffs (&a->options->backoff, &b->options->backoff);
}

static void s_expect_equal (const dw_graph_t *a, const dw_graph_t *b) {
    const dw_graph_options_t *one = &a->options, *other = &b->options;
    assert_int_equal (one->strategy, other->strategy);
    assert_int_equal (one->failure_strategy, other->failure_strategy);
    assert_int_equal (one->actors, other->actors);
    assert_int_equal (one->priority, other->priority);
    assert_true (one->pool_size == other->pool_size);
    assert_true (one->max_concurrency == other->max_concurrency);
    assert_true (one->timeout_us == other->timeout_us);
    s_expect_equal_backoffs (&one->backoff, &other->backoff);
    assert_int_equal (a->nodes_count, b->nodes_count);
    for (uint32_t i = 0; i < a->nodes_count; i++)
        s_expect_equal_nodes (&a->nodes[i], &b->nodes[i]);
}

static dw_graph_t *s_reparse (const sample_t *sample, bool json) {
    s_print_sample (sample, json);
    dw_graph_t *graph = config_parse (s_text, s_used, json);
    if (!graph)
        fail_msg ("%s\n%s", config_messages (), s_text);
    return graph;
}

static void any_graph_is_the_same_in_yaml_in_json_and_in_c (void **state) {
    (void) state;
    uint64_t seed = random_seed ();
    static sample_t sample;
    for (uint64_t i = 0; i < 1000; i++) {
        s_random = random_from (seed * 1000 + i);
        s_random_sample (&sample);
        dw_graph_t *built = s_build (&sample);
        dw_graph_t *yaml = s_reparse (&sample, false);
        dw_graph_t *json = s_reparse (&sample, true);
        s_expect_equal (built, yaml);
        s_expect_equal (built, json);
        dw_graph_destroy (&built);
        dw_graph_destroy (&yaml);
        dw_graph_destroy (&json);
    }
}

int main (void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test (any_graph_is_the_same_in_yaml_in_json_and_in_c),
    };
    return !!cmocka_run_group_tests (tests, NULL, NULL);
}
