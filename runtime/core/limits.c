/* limits.c - what a graph may set: the words of its choices; its numbers, their ranges, and
 * checking them. */

#include "runtime/core/graph.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

const char *const dw_strategy_words[] = {[DW_HYBRID] = "hybrid",
                                         [DW_WORK_QUEUE] = "work_queue",
                                         [DW_LEVEL] = "level",
                                         [DW_REACTIVE] = "reactive",
                                         NULL};
const char *const dw_failure_strategy_words[] = {[DW_FAIL_FAST] = "fail_fast",
                                                 [DW_CONTINUE_ON_ERROR] = "continue_on_error",
                                                 [DW_BEST_EFFORT] = "best_effort",
                                                 NULL};
const char *const dw_actors_words[] = {[DW_ACTORS_AUTO] = "auto",
                                       [DW_ACTORS_THREAD] = "thread",
                                       [DW_ACTORS_POOL] = "pool",
                                       "pool:N",
                                       NULL};
const char *const dw_priority_words[] = {
    [DW_RANK] = "rank", [DW_CRITICAL_PATH] = "critical_path", NULL};
const char *const dw_join_words[] = {[DW_JOIN_DEFAULT] = "",
                                     [DW_JOIN_ALL_DONE] = "all_done",
                                     [DW_JOIN_ALL_OK] = "all_ok",
                                     [DW_JOIN_ANY_OK] = "any_ok",
                                     NULL};

#define REPORTED_MAX 100u
#define DESCRIBED    224 /* bytes of the text on one number */

typedef struct limit_t {
    const char *key;
    double min, max;
    bool over;  /* min itself is too little */
    bool whole; /* without a fraction */
} limit_t;

static const limit_t s_limits[DW_LIMITS] = {
    [DW_LIMIT_MAX_CONCURRENCY] = {"max_concurrency", 1, DW_CONCURRENCY_MAX, false, true},
    [DW_LIMIT_TIMEOUT_SECONDS] = {"timeout_seconds", 0, 1e9, true, false},
    [DW_LIMIT_RETRY_ATTEMPTS] = {"retry_attempts", 0, 1000, false, true},
    [DW_LIMIT_INITIAL_MS] = {"initial_ms", 0, 86400000, false, false},
    [DW_LIMIT_MAX_MS] = {"max_ms", 0, 86400000, false, false},
    [DW_LIMIT_FACTOR] = {"factor", 1, 1000, false, false},
    [DW_LIMIT_JITTER] = {"jitter", 0, 1, false, false},
    [DW_LIMIT_BATCH_SIZE] = {"batch_size", 1, 65536, false, true},
    [DW_LIMIT_POOL] = {"pool", 1, 1024, false, true},
    [DW_LIMIT_MAX_PAYLOAD_BYTES] = {"max_payload_bytes", 1, 4294967295, false, true},
    [DW_LIMIT_COST_US] = {"cost_us", 0, 1e15, false, true},
    [DW_LIMIT_ADDED_NODES] = {"nodes_max", 0, DW_NODES_MAX, false, true},
    [DW_LIMIT_ADDED_DEPTH] = {"depth_max", 0, 256, false, true},
};

/* A NaN is nowhere. The ranges lie within int64_t, so that the cast is defined. */
static bool s_within (const limit_t *limit, double value) {
    if (!(value >= limit->min && value <= limit->max))
        return false;
    if (limit->over && value <= limit->min)
        return false;
    return !limit->whole || (double) (int64_t) value == value;
}

const char *dw_graph_show_number (char shown[DW_NUMBER_SHOWN], double value) {
    if (value != value)
        return ".nan, which is no number";
    if (value - value != 0) /* of infinity that is no number */
        return value > 0 ? ".inf, which is infinite" : "-.inf, which is infinite";
    snprintf (shown, DW_NUMBER_SHOWN, "%.15g", value);
    return shown;
}

static void s_describe (const limit_t *limit, double value, char *text, size_t size) {
    char number[DW_NUMBER_SHOWN];
    snprintf (text, size, "%s must be a %snumber %s %.16g %s %.16g, not %s%s", limit->key,
              limit->whole ? "whole " : "", limit->over ? "over" : "from", limit->min,
              limit->over ? "and at most" : "to", limit->max, dw_graph_show_number (number, value),
              limit == &s_limits[DW_LIMIT_TIMEOUT_SECONDS] ? "; leave it out for no timeout" : "");
}

int dw_graph_check_number (dw_limit_t limit, double value, dw_place_t place, dw_error_t *error) {
    assert (limit < DW_LIMITS);
    if (s_within (&s_limits[limit], value))
        return DW_OK;
    char text[DESCRIBED];
    s_describe (&s_limits[limit], value, text, sizeof (text));
    return dw_error_add (error, DW_EGRAPH, place, "%s", text);
}

static bool s_is_tag_character (char it) {
    return (it >= 'a' && it <= 'z') || (it >= 'A' && it <= 'Z') || (it >= '0' && it <= '9') ||
           it == '.' || it == '_' || it == '-' || it == '/';
}

const char *dw_graph_check_tag (const char *name, const char *value) {
    size_t name_size = strnlen (name, DW_TAG_NAME_MAX + 1);
    size_t value_size = strnlen (value, DW_TAG_VALUE_MAX + 1);
    for (size_t i = 0; i < name_size; i++)
        if (!s_is_tag_character (name[i]))
            return "the name of a tag has letters, digits and any of ._-/";
    if (name_size == 0 || name_size > DW_TAG_NAME_MAX)
        return "the name of a tag has 1 to 63 bytes";
    for (size_t i = 0; i < value_size; i++)
        if (value[i] < ' ' || value[i] > '~')
            return "the value of a tag has printable characters of ASCII";
    if (value_size == 0 || value_size > DW_TAG_VALUE_MAX)
        return "the value of a tag has 1 to 255 bytes";
    return NULL;
}

typedef struct checker_t {
    const dw_graph_t *graph;
    const dw_node_t *node; /* NULL: the graph's own options */
    dw_error_t *error;
    uint32_t wrong_count;
} checker_t;

/* Adds what is wrong with the graph or node being checked. */
static void s_wrong (checker_t *self, const char *text) {
    const dw_node_t *node = self->node;
    dw_place_t place = {.file = self->graph->file,
                        .line = node ? node->line : 0,
                        .column = node ? node->column : 0};
    if (self->wrong_count++ >= REPORTED_MAX)
        return;
    if (node)
        dw_error_add (self->error, DW_EGRAPH, place, "node \"%s\": %s", node->id, text);
    else
        dw_error_add (self->error, DW_EGRAPH, place, "%s", text);
}

static void s_check (checker_t *self, dw_limit_t limit, double value) {
    char text[DESCRIBED];
    if (s_within (&s_limits[limit], value))
        return;
    s_describe (&s_limits[limit], value, text, sizeof (text));
    s_wrong (self, text);
}

/* unit: how many of what is held make one of the key's. */
static void s_check_integer (checker_t *self, dw_limit_t limit, int64_t value, double unit) {
    if (value != DW_UNSET)
        s_check (self, limit, (double) value / unit);
}

static void s_check_backoff (checker_t *self, const dw_backoff_t *backoff) {
    s_check_integer (self, DW_LIMIT_INITIAL_MS, backoff->initial_us, 1e3);
    s_check (self, DW_LIMIT_FACTOR, backoff->factor);
    s_check_integer (self, DW_LIMIT_MAX_MS, backoff->max_us, 1e3);
    s_check (self, DW_LIMIT_JITTER, backoff->jitter);
}

/* A program in C can put any number into an enum. */
static void s_check_choice (checker_t *self, const char *key, unsigned choice, unsigned last) {
    char text[80];
    if (choice <= last)
        return;
    snprintf (text, sizeof (text), "%s must be one of the values of its enum, not %u", key, choice);
    s_wrong (self, text);
}

static void s_check_graph (checker_t *self) {
    const dw_graph_options_t *options = &self->graph->options;
    self->node = NULL;
    s_check_choice (self, "strategy", options->strategy, DW_REACTIVE);
    s_check_choice (self, "failure_strategy", options->failure_strategy, DW_BEST_EFFORT);
    s_check_choice (self, "actors", options->actors, DW_ACTORS_POOL);
    s_check_choice (self, "priority", options->priority, DW_CRITICAL_PATH);
    s_check_integer (self, DW_LIMIT_POOL, options->pool_size, 1);
    s_check_integer (self, DW_LIMIT_MAX_CONCURRENCY, options->max_concurrency, 1);
    s_check_integer (self, DW_LIMIT_TIMEOUT_SECONDS, options->timeout_us, 1e6);
    s_check_integer (self, DW_LIMIT_RETRY_ATTEMPTS, options->retry_attempts, 1);
    s_check_integer (self, DW_LIMIT_BATCH_SIZE, options->batch_size, 1);
    s_check_integer (self, DW_LIMIT_MAX_PAYLOAD_BYTES, options->max_payload_bytes, 1);
    s_check_integer (self, DW_LIMIT_ADDED_NODES, options->added_nodes_max, 1);
    s_check_integer (self, DW_LIMIT_ADDED_DEPTH, options->added_depth_max, 1);
    s_check_backoff (self, &options->backoff);
}

static void s_check_node (checker_t *self, const dw_node_t *node) {
    const dw_node_options_t *options = node->options;
    self->node = node;
    s_check_choice (self, "intent", options->intent, DW_ANALYZE);
    s_check_choice (self, "join", options->join, DW_JOIN_ANY_OK);
    s_check_integer (self, DW_LIMIT_TIMEOUT_SECONDS, options->timeout_us, 1e6);
    s_check_integer (self, DW_LIMIT_RETRY_ATTEMPTS, options->retry_attempts, 1);
    s_check_integer (self, DW_LIMIT_COST_US, options->cost_us, 1);
    if (options->has_backoff)
        s_check_backoff (self, &options->backoff);
}

/* From a graph file they are right; a program in C can ask for any. */
static void s_check_tags (checker_t *self, const dw_node_t *node) {
    self->node = node;
    for (uint32_t i = 0; i < node->demand->tags_count; i++) {
        const char *wrong = dw_graph_check_tag (node->demand->tags[i].name,
                                                node->demand->tags[i].value);
        if (wrong)
            s_wrong (self, wrong);
    }
}

int dw_graph_check_options (const dw_graph_t *self, dw_error_t *error) {
    assert (self);
    checker_t checker = {.graph = self, .error = error};
    s_check_graph (&checker);
    for (uint32_t node = 0; self->options_count > 0 && node < self->nodes_count; node++)
        if (self->nodes[node].options)
            s_check_node (&checker, &self->nodes[node]);
    for (uint32_t node = 0; self->demands_count > 0 && node < self->nodes_count; node++)
        if (self->nodes[node].demand)
            s_check_tags (&checker, &self->nodes[node]);
    if (checker.wrong_count > REPORTED_MAX)
        dw_error_add (error, DW_EGRAPH, (dw_place_t){.file = self->file},
                      "%u more settings are out of range", checker.wrong_count - REPORTED_MAX);
    return checker.wrong_count > 0 ? DW_EGRAPH : DW_OK;
}
