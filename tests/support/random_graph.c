/* random_graph.c - graphs drawn from a seed. */

#include "tests/support/random_graph.h"

#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/payload.h"

/* -- Drawing -------------------------------------------------------------------------------- */

typedef enum s_shape_t {
    S_SPARSE,  /* a few dependencies on anything before */
    S_CHAINS,  /* mostly on the node just before */
    S_LAYERED, /* on the nodes of the layer before */
    S_FAN,     /* one, many, one */
    S_TREE,
    S_SHAPES
} s_shape_t;

typedef struct s_draw_t {
    random_t random;
    random_graph_t *graph;
    uint32_t *order; /* place in a topological order -> index of declaration */
    s_shape_t shape;
    uint32_t width; /* of a layer */
} s_draw_t;

static void s_depend (s_draw_t *draw, uint32_t place, uint32_t on) {
    random_node_t *node = &draw->graph->nodes[draw->order[place]];
    assert (on < place);
    for (uint32_t i = 0; i < node->dependencies_count; i++)
        if (node->dependencies[i] == draw->order[on])
            return;
    node->dependencies[node->dependencies_count++] = draw->order[on];
}

static void s_draw_dependencies (s_draw_t *draw, uint32_t place) {
    random_t *random = &draw->random;
    uint32_t first = place / draw->width * draw->width;
    if (place == 0)
        return;
    switch (draw->shape) {
        case S_SPARSE:
            for (uint32_t count = random_below (random, 4); count > 0; count--)
                s_depend (draw, place, random_below (random, place));
            break;
        case S_CHAINS:
            if (!random_one_in (random, 6))
                s_depend (draw, place, place - 1);
            if (random_one_in (random, 6))
                s_depend (draw, place, random_below (random, place));
            break;
        case S_LAYERED:
            for (uint32_t count = 1 + random_below (random, 3); first > 0 && count > 0; count--)
                s_depend (draw, place, first - 1 - random_below (random, draw->width));
            break;
        case S_FAN:
            if (place + 1 < draw->graph->nodes_count)
                s_depend (draw, place, 0);
            else
                for (uint32_t on = place > 1; on < place; on++)
                    s_depend (draw, place, on);
            break;
        case S_TREE: s_depend (draw, place, (place - 1) / 2); break;
        case S_SHAPES: break;
    }
}

/* An ancestor that is reached by walking up; the run's input now and then. */
static uint32_t s_draw_input (s_draw_t *draw, uint32_t index) {
    const random_node_t *node = &draw->graph->nodes[index];
    uint32_t found = RANDOM_INPUT_RUN;
    if (!random_one_in (&draw->random, 5))
        return RANDOM_INPUT_RULE;
    while (node->dependencies_count > 0 && !random_one_in (&draw->random, 3)) {
        uint32_t up = node->dependencies[random_below (&draw->random, node->dependencies_count)];
        node = &draw->graph->nodes[up];
        found = up;
    }
    return found;
}

static void s_draw_node (s_draw_t *draw, uint32_t place) {
    random_t *random = &draw->random;
    uint32_t index = draw->order[place];
    random_node_t *node = &draw->graph->nodes[index];
    static const char *const strange[] = {"n %u", "n\"%u'", "\xc3\xa9t\xc3\xa9 %u", "%u",
                                          "on:%u\n"};

    snprintf (node->id, sizeof node->id, "n%" PRIu32, index);
    if (random_one_in (random, 8)) {
        const char *format = strange[random_below (random, 5)], *mark = strstr (format, "%u");
        snprintf (node->id, sizeof node->id, "%.*s%" PRIu32 "%s", (int) (mark - format), format,
                  index, mark + 2);
    }
    node->processor = (random_processor_t) random_below (random, RANDOM_PICK);
    s_draw_dependencies (draw, place);
    node->input = s_draw_input (draw, index);
    /* An analyzer that may set no output is left one: a transform has to. */
    if (random_one_in (random, 8))
        node->intent = node->processor != RANDOM_MEASURE && random_one_in (random, 2) ? DW_TRANSFORM
                                                                                      : DW_ANALYZE;
    node->retry_attempts = random_one_in (random, 3) ? random_below (random, 4) : DW_UNSET;
    node->timeout_us = DW_UNSET;
    node->cost_us = random_one_in (random, 3) ? random_below (random, 100) : DW_UNSET;
    node->code = 1 + (int) random_below (random, 999);
    node->not_idempotent = random_one_in (random, 10);
    if (random_one_in (random, 5))
        node->failures = random_one_in (random, 4) ? RANDOM_FAILS_ALWAYS : random_below (random, 5);
}

/* In some graphs nodes end their branches and say how they join. Drawn apart, so that the others
 * are what they were. */
static void s_draw_conditions (random_graph_t *self) {
    random_t random = random_from (self->seed ^ UINT64_C (0x6a6f696e));
    uint32_t skips_in = 1 + random_below (&random, 6), joins_in = 1 + random_below (&random, 4);
    if (!random_one_in (&random, 3))
        return;
    for (uint32_t i = 0; i < self->nodes_count; i++) {
        random_node_t *node = &self->nodes[i];
        if (random_one_in (&random, skips_in)) {
            node->processor = random_one_in (&random, 2) ? RANDOM_PICK : RANDOM_PICK_BRIEF;
            node->skips = !random_one_in (&random, 3);
        }
        if (random_one_in (&random, joins_in))
            node->join = (dw_join_t) random_below (&random, DW_JOIN_ANY_OK + 1);
    }
}

static uint64_t s_inner_seed (const random_graph_t *self, uint32_t node) {
    random_t random = random_from (self->seed ^ UINT64_C (0x67726f77) ^ (uint64_t) node << 40);
    return random_next (&random) >> 2; /* an option's integer has a sign */
}

void random_graph_grow (random_graph_t *self, uint32_t depth) {
    random_t random = random_from (~self->seed);
    uint32_t one_in = 1 + random_below (&random, 4);
    for (uint32_t i = 0; depth > 0 && i < self->nodes_count; i++) {
        random_node_t *node = &self->nodes[i];
        if (!random_one_in (&random, one_in))
            continue;
        node->processor = random_one_in (&random, 2) ? RANDOM_GROW : RANDOM_GROW_BRIEF;
        node->skips = false;
        node->intent = DW_INTENT_DEFAULT;
        node->inner = random_graph_new (s_inner_seed (self, i), RANDOM_INNER_MAX);
        node->inner->options = self->options;
        node->inner->is_inner = true;
        node->inner_output = random_below (&random, node->inner->nodes_count);
        random_graph_grow (node->inner, depth - 1);
    }
}

uint32_t random_graph_growing_count (const random_graph_t *self) {
    uint32_t count = 0;
    for (uint32_t i = 0; i < self->nodes_count; i++)
        count += self->nodes[i].inner != NULL;
    return count;
}

static uint32_t s_depth (const random_graph_t *self) {
    uint32_t deepest = 0;
    for (uint32_t i = 0; self && i < self->nodes_count; i++) {
        uint32_t depth = s_depth (self->nodes[i].inner) + (self->nodes[i].inner != NULL);
        deepest = depth > deepest ? depth : deepest;
    }
    return deepest;
}

bool random_graph_is_conditional (const random_graph_t *self) {
    for (uint32_t i = 0; i < self->nodes_count; i++)
        if (self->nodes[i].join != DW_JOIN_DEFAULT ||
            random_processor_trait (self->nodes[i].processor).may_skip)
            return true;
    return false;
}

random_graph_t *random_graph_new (uint64_t seed, uint32_t nodes_max) {
    s_draw_t draw = {.random = random_from (seed)};
    random_graph_t *self = calloc (1, sizeof *self);
    dw_graph_t *defaults = dw_graph_new ();
    assert (self && defaults);
    self->seed = seed;
    self->options = *dw_graph_options (defaults);
    dw_graph_destroy (&defaults);
    self->nodes_count = 1 + random_below (&draw.random, nodes_max);
    self->nodes = calloc (self->nodes_count, sizeof *self->nodes);
    draw.order = calloc (self->nodes_count, sizeof *draw.order);
    draw.graph = self;
    draw.shape = (s_shape_t) random_below (&draw.random, S_SHAPES);
    draw.width = 1 + random_below (&draw.random, 6);
    assert (self->nodes && draw.order);
    for (uint32_t i = 0; i < self->nodes_count; i++) { /* Fisher and Yates, inside out */
        uint32_t other = random_below (&draw.random, i + 1);
        draw.order[i] = draw.order[other];
        draw.order[other] = i;
        self->nodes[i].dependencies = calloc (self->nodes_count, sizeof (uint32_t));
        assert (self->nodes[i].dependencies);
    }
    for (uint32_t place = 0; place < self->nodes_count; place++)
        s_draw_node (&draw, place);
    s_draw_conditions (self);
    free (draw.order);
    return self;
}

void random_graph_destroy (random_graph_t **self_p) {
    random_graph_t *self = *self_p;
    if (!self)
        return;
    for (uint32_t i = 0; i < self->nodes_count; i++) {
        free (self->nodes[i].dependencies);
        random_graph_destroy (&self->nodes[i].inner);
    }
    free (self->nodes);
    free (self);
    *self_p = NULL;
}

bool random_graph_transforms (const random_graph_t *self, uint32_t node) {
    const random_node_t *it = &self->nodes[node];
    if (it->intent == DW_INTENT_DEFAULT)
        return random_processor_trait (it->processor).intent == DW_TRANSFORM;
    return it->intent == DW_TRANSFORM;
}

uint32_t random_graph_retries (const random_graph_t *self, uint32_t node) {
    int64_t own = self->nodes[node].retry_attempts, all = self->options.retry_attempts;
    return (uint32_t) (own != DW_UNSET ? own : all != DW_UNSET ? all : 0);
}

bool random_graph_fails (const random_graph_t *self, uint32_t node) {
    return self->nodes[node].failures > random_graph_retries (self, node);
}

/* -- For dagwood ---------------------------------------------------------------------------- */

dw_graph_t *random_graph_build (const random_graph_t *self) {
    dw_graph_t *graph = dw_graph_new ();
    int wrong = 0;
    assert (graph);
    *dw_graph_options (graph) = self->options;
    for (uint32_t i = 0; i < self->nodes_count; i++) {
        const random_node_t *node = &self->nodes[i];
        int index = dw_graph_add (graph, node->id, random_processor_name (node->processor));
        assert (index == (int) i);
        for (uint32_t d = 0; d < node->dependencies_count; d++)
            wrong |= dw_graph_depend (graph, index, self->nodes[node->dependencies[d]].id);
        if (node->input != RANDOM_INPUT_RULE)
            wrong |= dw_graph_set_input (
                graph, index,
                node->input == RANDOM_INPUT_RUN ? "run" : self->nodes[node->input].id);
        wrong |= dw_graph_set_integer (graph, index, "index", index);
        if (node->failures > 0) {
            int64_t failures = node->failures == RANDOM_FAILS_ALWAYS ? -1
                                                                     : (int64_t) node->failures;
            wrong |= dw_graph_set_integer (graph, index, "failures", failures);
            wrong |= dw_graph_set_integer (graph, index, "code", node->code);
        }
        if (self->is_inner)
            wrong |= dw_graph_set_integer (graph, index, "within", (int64_t) self->seed);
        if (node->skips)
            wrong |= dw_graph_set_boolean (graph, index, "skips", true);
        if (node->inner) {
            wrong |= dw_graph_set_integer (graph, index, "inner", (int64_t) node->inner->seed);
            wrong |= dw_graph_set_integer (graph, index, "depth", s_depth (node->inner));
            wrong |= dw_graph_set_integer (graph, index, "output", node->inner_output);
            for (int p = 0; p < RANDOM_PROCESSORS; p++)
                wrong |= dw_graph_allow (graph, index,
                                         random_processor_name ((random_processor_t) p));
        }
        if (node->demand == 1)
            wrong |= dw_graph_set_remote (graph, index);
        else if (node->demand > 1)
            wrong |= dw_graph_require_tag (graph, index, "lane",
                                           (char[2]){(char) ('0' + node->demand % 10), '\0'});
        dw_node_options_t *options = dw_graph_node_options (graph, index);
        assert (options);
        options->intent = node->intent;
        options->retry_attempts = node->retry_attempts;
        options->timeout_us = node->timeout_us;
        options->cost_us = node->cost_us;
        options->not_idempotent = node->not_idempotent;
        options->join = node->join;
    }
    assert (wrong == 0);
    return graph;
}

static void s_print_text (FILE *file, const char *text) {
    fputc ('"', file);
    for (; *text; text++)
        if (*text == '\n')
            fputs ("\\n", file);
        else
            fprintf (file, *text == '"' ? "\\%c" : "%c", *text);
    fputc ('"', file);
}

static const char *const s_joins[] = {"", "all_done", "all_ok", "any_ok"};

static void s_print_node (const random_graph_t *self, const random_node_t *node, FILE *file) {
    fputs ("  - id: ", file);
    s_print_text (file, node->id);
    fprintf (file, "\n    processor: %s\n", random_processor_name (node->processor));
    if (node->dependencies_count > 0) {
        fputs ("    depends_on: [", file);
        for (uint32_t d = 0; d < node->dependencies_count; d++) {
            fputs (d > 0 ? ", " : "", file);
            s_print_text (file, self->nodes[node->dependencies[d]].id);
        }
        fputs ("]\n", file);
    }
    if (node->input != RANDOM_INPUT_RULE) {
        fputs ("    input: ", file);
        s_print_text (file, node->input == RANDOM_INPUT_RUN ? "run" : self->nodes[node->input].id);
        fputc ('\n', file);
    }
    if (node->intent != DW_INTENT_DEFAULT)
        fprintf (file, "    intent: %s\n", node->intent == DW_ANALYZE ? "analyze" : "transform");
    if (node->demand == 1)
        fputs ("    type: remote\n", file);
    else if (node->demand > 1)
        fprintf (file, "    workers: {lane: \"%u\"}\n", node->demand);
    if (node->retry_attempts != DW_UNSET)
        fprintf (file, "    retry_attempts: %" PRId64 "\n", node->retry_attempts);
    if (node->timeout_us != DW_UNSET)
        fprintf (file, "    timeout_seconds: %g\n", (double) node->timeout_us / 1e6);
    if (node->not_idempotent)
        fputs ("    idempotent: false\n", file);
    if (node->join != DW_JOIN_DEFAULT)
        fprintf (file, "    join: %s\n", s_joins[node->join]);
    if (node->skips)
        fputs ("    # it skips\n", file);
    if (node->inner)
        fprintf (file, "    # it becomes a graph of %u nodes, seed %" PRIu64 ", output %u\n",
                 node->inner->nodes_count, node->inner->seed, node->inner_output);
    if (node->failures > 0)
        fprintf (file, "    options: {failures: %" PRId64 ", code: %d}\n",
                 node->failures == RANDOM_FAILS_ALWAYS ? -1 : (int64_t) node->failures, node->code);
}

void random_graph_print (const random_graph_t *self, FILE *file) {
    static const char *const strategies[] = {"hybrid", "work_queue", "level", "reactive"};
    static const char *const policies[] = {"fail_fast", "continue_on_error", "best_effort"};
    const dw_graph_options_t *options = &self->options;
    fprintf (file, "# seed %" PRIu64 "\nstrategy: %s\nfailure_strategy: %s\nexecutor_options:\n",
             self->seed, strategies[options->strategy], policies[options->failure_strategy]);
    if (options->actors == DW_ACTORS_POOL)
        fprintf (file, "  actors: pool:%" PRId64 "\n", options->pool_size);
    else
        fprintf (file, "  actors: %s\n", options->actors == DW_ACTORS_THREAD ? "thread" : "auto");
    if (options->priority == DW_CRITICAL_PATH)
        fprintf (file, "  priority: critical_path\n");
    if (options->max_concurrency != DW_UNSET)
        fprintf (file, "  max_concurrency: %" PRId64 "\n", options->max_concurrency);
    if (options->batch_size != DW_UNSET)
        fprintf (file, "  batch_size: %" PRId64 "\n", options->batch_size);
    if (options->retry_attempts != DW_UNSET)
        fprintf (file, "  retry_attempts: %" PRId64 "\n", options->retry_attempts);
    if (options->timeout_us != DW_UNSET)
        fprintf (file, "  timeout_seconds: %g\n", (double) options->timeout_us / 1e6);
    fprintf (file, "  retry_backoff: {initial_ms: %g, factor: %g, max_ms: %g, jitter: %g}\n",
             (double) options->backoff.initial_us / 1e3, options->backoff.factor,
             (double) options->backoff.max_us / 1e3, options->backoff.jitter);
    fputs ("processors:\n", file);
    for (uint32_t i = 0; i < self->nodes_count; i++)
        s_print_node (self, &self->nodes[i], file);
}

/* -- What the processors are and do --------------------------------------------------------- */

static const struct {
    const char *name;
    dw_trait_t trait;
} s_processors[RANDOM_PROCESSORS] = {
    [RANDOM_MIX] = {"mix", {.intent = DW_TRANSFORM}},
    [RANDOM_MIX_BRIEF] = {"mix_brief", {.intent = DW_TRANSFORM, .brief = true}},
    [RANDOM_MIX_PAYLOAD] = {"mix_payload",
                            {.intent = DW_TRANSFORM, .brief = true, .payload_only = true}},
    [RANDOM_ECHO] = {"echo", {.intent = DW_TRANSFORM, .brief = true, .payload_only = true}},
    [RANDOM_MEASURE] = {"measure", {.intent = DW_ANALYZE}},
    [RANDOM_MEASURE_BRIEF] = {"measure_brief",
                              {.intent = DW_ANALYZE, .brief = true, .payload_only = true}},
    [RANDOM_PICK] = {"pick", {.intent = DW_TRANSFORM, .may_skip = true}},
    [RANDOM_PICK_BRIEF] = {"pick_brief", {.intent = DW_TRANSFORM, .brief = true, .may_skip = true}},
    [RANDOM_GROW] = {"grow", {.intent = DW_TRANSFORM, .may_add = true}},
    [RANDOM_GROW_BRIEF] = {"grow_brief", {.intent = DW_TRANSFORM, .brief = true, .may_add = true}},
};

const char *random_processor_name (random_processor_t processor) {
    return s_processors[processor].name;
}

dw_trait_t random_processor_trait (random_processor_t processor) {
    return s_processors[processor].trait;
}

bool random_graph_trait (void *arg, const char *processor, dw_trait_t *trait_p) {
    (void) arg;
    for (int i = 0; i < RANDOM_PROCESSORS; i++)
        if (strcmp (processor, s_processors[i].name) == 0) {
            *trait_p = s_processors[i].trait;
            return true;
        }
    return false;
}

/* FNV-1a (Fowler, Noll and Vo); what is not there differs from what is empty. */
uint64_t random_hash (uint64_t hash, const void *bytes, size_t size) {
    const uint8_t *byte = bytes;
    const uint64_t prime = UINT64_C (0x100000001b3);
    hash = (hash ^ (bytes ? 1 : 0)) * prime;
    for (size_t i = 0; i < size; i++)
        hash = (hash ^ byte[i]) * prime;
    return (hash ^ size) * prime;
}

uint64_t random_hash_start (uint32_t node) {
    return random_hash (UINT64_C (0xcbf29ce484222325), &node, sizeof node);
}

/* Mostly short; some too long for the head of a message. */
static size_t s_output_length (random_t *random) {
    if (random_one_in (random, 16))
        return 1000 + random_below (random, 30000);
    if (random_one_in (random, 4))
        return 100 + random_below (random, 500);
    return random_below (random, 48);
}

random_value_t random_processor_output (random_processor_t processor, uint64_t hash,
                                        const void *payload, size_t payload_size) {
    random_t random = random_from (hash);
    random_value_t value = {NULL, 0};
    size_t length = s_output_length (&random), at = 0;
    bool text = random_one_in (&random, 2);

    if (processor == RANDOM_MEASURE && random_one_in (&random, 4))
        return value;
    if (processor == RANDOM_ECHO)
        length = payload_size;
    value.bytes = malloc (DW_PAYLOAD_HEAD_MAX + length);
    assert (value.bytes);
    if (processor == RANDOM_ECHO) {
        memcpy (value.bytes, payload, payload_size);
        value.size = payload_size;
        return value;
    }
    if (!text && random_one_in (&random, 3) && length <= 15) { /* an array of small integers */
        value.bytes[at++] = (uint8_t) (0x90 | length);
        text = true;
    } else
        at = text ? dw_payload_text_head (value.bytes, length)
                  : dw_payload_bytes_head (value.bytes, length);
    for (size_t i = 0; i < length; i++) {
        uint8_t byte = (uint8_t) random_below (&random, 256);
        value.bytes[at++] = text ? (uint8_t) ('a' + byte % 26) : byte;
    }
    value.size = at;
    return value;
}

random_metadata_t random_processor_metadata (random_processor_t processor, uint64_t hash) {
    static const char *const keys[RANDOM_METADATA_MAX] = {"sum", "mean value", "a"};
    random_metadata_t metadata = {0};
    random_t random = random_from (~hash);
    if (random_processor_trait (processor).intent != DW_ANALYZE && random_one_in (&random, 2))
        return metadata;
    metadata.count = 1 + random_below (&random, RANDOM_METADATA_MAX);
    for (size_t i = 0; i < metadata.count && i < RANDOM_METADATA_MAX; i++) {
        metadata.keys[i] = keys[i];
        snprintf (metadata.values[i], sizeof metadata.values[i], "%" PRIx64, random_next (&random));
    }
    return metadata;
}

const char *random_metadata_find (const random_metadata_t *self, const char *key) {
    for (size_t i = 0; i < self->count; i++)
        if (strcmp (self->keys[i], key) == 0)
            return self->values[i];
    return NULL;
}
