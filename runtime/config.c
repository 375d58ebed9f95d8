/* config.c - see config.h. */

#include "runtime/config.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/reader.h"
#include "runtime/scalar.h"

/* What the functions below read into. */
typedef struct config_t {
    dw_graph_t *graph;
    const dw_config_check_t *check; /* run when the file has errors but could be read */
    dw_backoff_t backoff;           /* the default */
    uint32_t node;                  /* the index of the node that is being read */
    unsigned options_count;         /* of that, so far */
    bool has_nodes;                 /* the key `processors` was there */
    bool lacks_id;                  /* of a node; who depends on what is then not known */
} config_t;

static dw_node_t *s_node (const config_t *config) {
    return &config->graph->nodes[config->node];
}

/* -- Options of the graph ------------------------------------------------------------------- */

/* A whole number or a time, as an integer. */
#define INTEGER(key, type, member, limited, times)                                 \
    {                                                                              \
        .name = key, .read = dw_reader_integer, .offset = offsetof (type, member), \
        .limit = limited, .unit = times                                            \
    }
#define FRACTION(key, type, member, limited) \
    { .name = key, .read = dw_reader_fraction, .offset = offsetof (type, member), .limit = limited }
#define CHOICE(key, type, member, names) \
    { .name = key, .read = dw_reader_choice, .offset = offsetof (type, member), .choices = names }

static const dw_spec_t s_backoff_specs[] = {
    INTEGER ("initial_ms", dw_backoff_t, initial_us, DW_LIMIT_INITIAL_MS, 1e3),
    INTEGER ("max_ms", dw_backoff_t, max_us, DW_LIMIT_MAX_MS, 1e3),
    FRACTION ("factor", dw_backoff_t, factor, DW_LIMIT_FACTOR),
    FRACTION ("jitter", dw_backoff_t, jitter, DW_LIMIT_JITTER),
    {0},
};

static void s_read_backoff (dw_reader_t *reader, const dw_spec_t *spec, void *target) {
    if (dw_reader_is_map (reader, spec->name))
        dw_reader_map (reader, s_backoff_specs, (char *) target + spec->offset);
}

static const dw_spec_t s_added_specs[] = {
    INTEGER ("nodes_max", dw_graph_options_t, added_nodes_max, DW_LIMIT_ADDED_NODES, 1),
    INTEGER ("depth_max", dw_graph_options_t, added_depth_max, DW_LIMIT_ADDED_DEPTH, 1),
    {0},
};

static void s_read_added (dw_reader_t *reader, const dw_spec_t *spec, void *target) {
    if (dw_reader_is_map (reader, spec->name))
        dw_reader_map (reader, s_added_specs, target);
}

/* pool:N; the other choices have no number. */
static void s_read_actors (dw_reader_t *reader, const dw_spec_t *spec, void *target) {
    const dw_item_t *item = &reader->item;
    dw_graph_options_t *options = target;
    if (item->type != DW_ITEM_SCALAR || strncmp (item->text, "pool:", 5) != 0) {
        dw_reader_choice (reader, spec, target);
        return;
    }
    const char *digits = item->text + 5;
    size_t digits_count = strspn (digits, "0123456789");
    if (digits_count == 0 || digits_count > 18 || digits[digits_count] != '\0') {
        dw_reader_refuse (reader, spec->name, "pool:N with a whole number N", "write pool:4");
        return;
    }
    int64_t size = strtoll (digits, NULL, 10);
    if (dw_reader_within (reader, DW_LIMIT_POOL, (double) size)) {
        options->actors = DW_ACTORS_POOL;
        options->pool_size = size;
    }
}

static const dw_spec_t s_executor_specs[] = {
    INTEGER ("max_concurrency", dw_graph_options_t, max_concurrency, DW_LIMIT_MAX_CONCURRENCY, 1),
    INTEGER ("timeout_seconds", dw_graph_options_t, timeout_us, DW_LIMIT_TIMEOUT_SECONDS, 1e6),
    INTEGER ("retry_attempts", dw_graph_options_t, retry_attempts, DW_LIMIT_RETRY_ATTEMPTS, 1),
    {.name = "retry_backoff",
     .read = s_read_backoff,
     .offset = offsetof (dw_graph_options_t, backoff)},
    INTEGER ("batch_size", dw_graph_options_t, batch_size, DW_LIMIT_BATCH_SIZE, 1),
    {.name = "actors",
     .read = s_read_actors,
     .offset = offsetof (dw_graph_options_t, actors),
     .choices = dw_actors_words},
    CHOICE ("priority", dw_graph_options_t, priority, dw_priority_words),
    INTEGER ("max_payload_bytes", dw_graph_options_t, max_payload_bytes, DW_LIMIT_MAX_PAYLOAD_BYTES,
             1),
    {.name = "added", .read = s_read_added},
    {0},
};

/* -- What a node is called and reads -------------------------------------------------------- */

/* A name as written: any scalar but an empty plain one. */
static bool s_is_name (dw_reader_t *reader, const char *key, const char *wanted) {
    const dw_item_t *item = &reader->item;
    if (item->type == DW_ITEM_SCALAR && (item->size > 0 || !item->plain))
        return true;
    dw_reader_refuse (reader, key, wanted, NULL);
    return false;
}

static const char *s_copy (dw_reader_t *reader, config_t *config) {
    const char *text = reader->item.text;
    const char *copy = dw_graph_copy (config->graph, text, strlen (text));
    dw_reader_check_memory (reader, copy != NULL);
    return copy;
}

static void s_read_id (dw_reader_t *reader, const dw_spec_t *spec, void *target) {
    config_t *config = target;
    dw_node_t *node = s_node (config);
    node->line = reader->item.line;
    node->column = reader->item.column;
    const char *id = s_is_name (reader, spec->name, "a name") ? s_copy (reader, config) : NULL;
    if (id)
        node->id = id;
    else
        config->lacks_id = true;
}

static void s_read_processor (dw_reader_t *reader, const dw_spec_t *spec, void *target) {
    config_t *config = target;
    dw_node_t *node = s_node (config);
    node->processor_line = reader->item.line;
    node->processor_column = reader->item.column;
    if (!s_is_name (reader, spec->name, "the name of a processor"))
        return;
    const char *processor = dw_graph_copy_processor (config->graph, config->node,
                                                     reader->item.text);
    dw_reader_check_memory (reader, processor != NULL);
    if (processor)
        node->processor = processor;
}

static const char *const s_types[] = {"local", "remote", NULL};

static void s_read_type (dw_reader_t *reader, const dw_spec_t *spec, void *target) {
    config_t *config = target;
    if (dw_reader_pick (reader, spec) == 1)
        dw_reader_check_memory (reader, !dw_graph_set_remote (config->graph, (int) config->node));
}

/* -- Tags that its workers must have --------------------------------------------------------- */

/* The tag that key names has the value here. */
static void s_read_tag (dw_reader_t *reader, config_t *config, const dw_item_t *key,
                        const char *name) {
    const dw_item_t *item = &reader->item;
    char shown[DW_READER_SHOWN];
    if (item->type != DW_ITEM_SCALAR || (item->size == 0 && item->plain)) {
        dw_reader_refuse (reader, dw_reader_shown (shown, name), "the value of a tag", NULL);
        return;
    }
    const char *wrong = dw_graph_check_tag (name, item->text);
    if (wrong) {
        dw_reader_say (reader, key, "the tag \"%s\": %s", dw_reader_shown (shown, name), wrong);
        return;
    }
    int err = dw_graph_require_tag (config->graph, (int) config->node, name, item->text);
    if (err == DW_ELIMIT)
        dw_reader_say (reader, key, "a node asks for at most %u tags", DW_TAGS_MAX);
    dw_reader_check_memory (reader, err != DW_ENOMEM);
}

static bool s_has_tag (const config_t *config, const char *name) {
    const dw_demand_t *demand = s_node (config)->demand;
    for (uint32_t i = 0; demand && i < demand->tags_count; i++)
        if (strcmp (demand->tags[i].name, name) == 0)
            return true;
    return false;
}

static void s_read_workers (dw_reader_t *reader, const dw_spec_t *spec, void *target) {
    config_t *config = target;
    char shown[DW_READER_SHOWN];
    if (!dw_reader_is_map (reader, spec->name))
        return;
    while (dw_reader_next_in (reader)) {
        const dw_item_t key = reader->item;
        const char *name = dw_reader_is_key (reader) ? s_copy (reader, config) : NULL;
        if (name && s_has_tag (config, name)) {
            dw_reader_say (reader, &key, "the tag \"%s\" is repeated",
                           dw_reader_shown (shown, name));
            name = NULL;
        }
        if (!dw_reader_next (reader))
            return;
        if (name)
            s_read_tag (reader, config, &key, name);
        else
            dw_reader_skip (reader);
    }
}

static void s_read_input (dw_reader_t *reader, const dw_spec_t *spec, void *target) {
    config_t *config = target;
    if (!s_is_name (reader, spec->name, "the id of an ancestor, or run"))
        return;
    int err = dw_graph_set_input (config->graph, (int) config->node, reader->item.text);
    dw_reader_check_memory (reader, !err);
    s_node (config)->input_line = reader->item.line;
    s_node (config)->input_column = reader->item.column;
}

static void s_read_dependency (dw_reader_t *reader, const dw_spec_t *spec, config_t *config) {
    if (!s_is_name (reader, spec->name, "a list of ids"))
        return;
    dw_place_t place = dw_reader_place (reader, &reader->item);
    int err = dw_graph_depend_at (config->graph, config->node, reader->item.text, place);
    if (err == DW_ELIMIT)
        dw_reader_say (reader, &reader->item, "the node has more dependencies than are supported");
    dw_reader_check_memory (reader, err != DW_ENOMEM);
}

static void s_read_adds (dw_reader_t *reader, const dw_spec_t *spec, void *target) {
    config_t *config = target;
    if (reader->item.type != DW_ITEM_LIST) {
        dw_reader_refuse (reader, spec->name, "a list of names of processors", NULL);
        return;
    }
    while (dw_reader_next_in (reader)) {
        if (!s_is_name (reader, spec->name, "a list of names of processors"))
            continue;
        int err = dw_graph_allow_at (config->graph, config->node, reader->item.text,
                                     dw_reader_place (reader, &reader->item));
        if (err == DW_ELIMIT)
            dw_reader_say (reader, &reader->item, "a node adds at most %u processors", DW_ADDS_MAX);
        dw_reader_check_memory (reader, err != DW_ENOMEM);
    }
}

static void s_read_depends_on (dw_reader_t *reader, const dw_spec_t *spec, void *target) {
    char shown[DW_READER_SHOWN], remedy[DW_READER_SHOWN + 32];
    switch (reader->item.type) {
        case DW_ITEM_LIST:
            while (dw_reader_next_in (reader))
                s_read_dependency (reader, spec, target);
            break;
        case DW_ITEM_SCALAR:
            if (dw_reader_is_nothing (reader))
                break;
            snprintf (remedy, sizeof (remedy), "write depends_on: [%s]",
                      dw_reader_shown (shown, reader->item.text));
            dw_reader_refuse (reader, spec->name, "a list", remedy);
            break;
        case DW_ITEM_MAP:
        case DW_ITEM_END:
        case DW_ITEM_DONE: dw_reader_refuse (reader, spec->name, "a list", NULL); break;
    }
}

/* -- What a node tells its processor -------------------------------------------------------- */

static const char s_others[] = "options"; /* those of a processor that it adds */

/* Whether the item may name a further option of the node. */
static bool s_is_option (dw_reader_t *reader, config_t *config) {
    if (!dw_reader_is_key (reader))
        return false;
    if (config->options_count == DW_CONFIG_OPTIONS_MAX)
        dw_reader_say (reader, &reader->item, "a node takes at most %d options",
                       DW_CONFIG_OPTIONS_MAX);
    return config->options_count++ < DW_CONFIG_OPTIONS_MAX;
}

/* An option's name, behind that of what it is within, as options.prefix; NULL: it is there already.
 * To be freed. */
static char *s_name_option (dw_reader_t *reader, const config_t *config, const char *within) {
    const char *key = reader->item.text;
    char shown[DW_READER_SHOWN];
    size_t size = strlen (within) + strlen (key) + 2;
    char *name = malloc (size);
    dw_reader_check_memory (reader, name != NULL);
    if (!name)
        return NULL;
    size = (size_t) snprintf (name, size, "%s%s%s", within, *within ? "." : "", key);
    for (const dw_setting_t *of = s_node (config)->settings; of; of = of->next)
        if (strncmp (of->name, name, size) == 0 &&
            (of->name[size] == '\0' || (of->name[size] == '.' && strcmp (key, s_others) == 0))) {
            dw_reader_say (reader, &reader->item,
                           "the option \"%s\" is repeated; it is in line %u already",
                           dw_reader_shown (shown, name), of->line);
            free (name);
            return NULL;
        }
    return name;
}

static void s_read_setting (dw_reader_t *reader, config_t *config, dw_setting_t *setting) {
    const dw_item_t *item = &reader->item;
    dw_scalar_t scalar = {.type = DW_VALUE_TEXT};
    char shown[DW_READER_SHOWN];
    setting->line = item->line;
    setting->column = item->column;
    if (item->type != DW_ITEM_SCALAR) {
        dw_reader_refuse (reader, dw_reader_shown (shown, setting->name), "a single value", NULL);
        return;
    }
    if (item->plain)
        scalar = dw_scalar_read (item->text, item->size);
    setting->type = scalar.type;
    switch (scalar.type) {
        case DW_VALUE_NULL: break;
        case DW_VALUE_TEXT: setting->value.text = s_copy (reader, config); break;
        case DW_VALUE_INTEGER: setting->value.integer = scalar.value.integer; break;
        case DW_VALUE_NUMBER: setting->value.number = scalar.value.number; break;
        case DW_VALUE_BOOLEAN: setting->value.boolean = scalar.value.boolean; break;
    }
}

/* The options of a mapping, which may itself be within others, whose name then comes before theirs.
 * It is no deeper than a document may be. */
static void s_read_options_within (dw_reader_t *reader, config_t *config, const char *within) {
    while (dw_reader_next_in (reader)) {
        char *name = s_is_option (reader, config) ? s_name_option (reader, config, within) : NULL;
        bool is_others = name && strcmp (reader->item.text, s_others) == 0;
        if (!dw_reader_next (reader)) {
            free (name);
            return;
        }
        if (is_others && reader->item.type == DW_ITEM_MAP)
            s_read_options_within (reader, config, name);
        else if (name && !(is_others && dw_reader_is_nothing (reader))) {
            dw_setting_t *setting = dw_graph_add_setting (config->graph, config->node, name);
            dw_reader_check_memory (reader, setting != NULL);
            if (setting)
                s_read_setting (reader, config, setting);
        } else if (!name)
            dw_reader_skip (reader);
        free (name);
    }
}

static void s_read_options (dw_reader_t *reader, const dw_spec_t *spec, void *target) {
    config_t *config = target;
    config->options_count = 0;
    if (dw_reader_is_map (reader, spec->name))
        s_read_options_within (reader, config, "");
}

/* -- What a node says otherwise than the graph ---------------------------------------------- */

static dw_node_options_t *s_node_options (dw_reader_t *reader, config_t *config) {
    dw_node_options_t *options = dw_graph_node_options (config->graph, (int) config->node);
    dw_reader_check_memory (reader, options != NULL);
    return options;
}

static void s_read_node_integer (dw_reader_t *reader, const dw_spec_t *spec, void *target) {
    dw_node_options_t *options = s_node_options (reader, target);
    if (options)
        dw_reader_integer (reader, spec, options);
}

static void s_read_node_backoff (dw_reader_t *reader, const dw_spec_t *spec, void *target) {
    config_t *config = target;
    dw_node_options_t *options = s_node_options (reader, config);
    if (!options || !dw_reader_is_map (reader, spec->name))
        return;
    options->has_backoff = true;
    options->backoff = config->backoff;
    dw_reader_map (reader, s_backoff_specs, &options->backoff);
}

static void s_read_intent (dw_reader_t *reader, const dw_spec_t *spec, void *target) {
    dw_node_options_t *options = s_node_options (reader, target);
    int choice = dw_reader_pick (reader, spec);
    if (options && choice >= 0)
        options->intent = choice == 0 ? DW_TRANSFORM : DW_ANALYZE;
}

static void s_read_idempotent (dw_reader_t *reader, const dw_spec_t *spec, void *target) {
    const dw_item_t *item = &reader->item;
    dw_node_options_t *options = s_node_options (reader, target);
    dw_scalar_t scalar = {.type = DW_VALUE_TEXT};
    if (item->type == DW_ITEM_SCALAR && item->plain)
        scalar = dw_scalar_read (item->text, item->size);
    if (scalar.type != DW_VALUE_BOOLEAN)
        dw_reader_refuse (reader, spec->name, "true or false", NULL);
    else if (options)
        options->not_idempotent = !scalar.value.boolean;
}

static void s_read_join (dw_reader_t *reader, const dw_spec_t *spec, void *target) {
    dw_node_options_t *options = s_node_options (reader, target);
    int choice = dw_reader_pick (reader, spec);
    if (options && choice >= 0)
        options->join = (dw_join_t) (DW_JOIN_ALL_DONE + choice);
}

/* -- Nodes ---------------------------------------------------------------------------------- */

#define NODE_INTEGER(key, member, limited, times)                                                 \
    {                                                                                             \
        .name = key, .read = s_read_node_integer, .offset = offsetof (dw_node_options_t, member), \
        .limit = limited, .unit = times                                                           \
    }

static const char *const s_intents[] = {"transform", "analyze", NULL};

static const dw_spec_t s_node_specs[] = {
    {.name = "id", .read = s_read_id},
    {.name = "type", .read = s_read_type, .choices = s_types},
    {.name = "workers", .read = s_read_workers},
    {.name = "processor", .read = s_read_processor},
    {.name = "depends_on", .read = s_read_depends_on},
    {.name = "input", .read = s_read_input},
    {.name = "options", .read = s_read_options},
    NODE_INTEGER ("timeout_seconds", timeout_us, DW_LIMIT_TIMEOUT_SECONDS, 1e6),
    NODE_INTEGER ("retry_attempts", retry_attempts, DW_LIMIT_RETRY_ATTEMPTS, 1),
    {.name = "retry_backoff", .read = s_read_node_backoff},
    NODE_INTEGER ("cost_us", cost_us, DW_LIMIT_COST_US, 1),
    {.name = "intent", .read = s_read_intent, .choices = s_intents},
    {.name = "idempotent", .read = s_read_idempotent},
    {.name = "join", .read = s_read_join, .choices = dw_join_words + DW_JOIN_ALL_DONE},
    {.name = "adds", .read = s_read_adds},
    {0},
};

/* Says what the node lacks, at the place where it begins. */
static void s_check_node (dw_reader_t *reader, config_t *config, const dw_item_t *begin) {
    const dw_node_t *node = s_node (config);
    char shown[DW_READER_SHOWN];
    if (node->line == 0) {
        dw_reader_say (reader, begin, "a node has no \"id\"; give it one");
        config->lacks_id = true;
    }
    if (node->processor_line == 0 && node->id[0])
        dw_reader_say (reader, begin, "node \"%s\" has no \"processor\"; name one",
                       dw_reader_shown (shown, node->id));
    else if (node->processor_line == 0)
        dw_reader_say (reader, begin, "a node has no \"processor\"; name one");
}

static void s_read_node (dw_reader_t *reader, const dw_spec_t *spec, config_t *config) {
    const dw_item_t begin = reader->item;
    if (begin.type != DW_ITEM_MAP) {
        dw_reader_refuse (reader, spec->name, "mappings such as {id: a, processor: identity}",
                          NULL);
        config->lacks_id = true;
        return;
    }
    int node = dw_graph_add (config->graph, "", "");
    if (node == DW_ELIMIT) {
        dw_reader_say (reader, &begin, "the graph has more than %u nodes", DW_NODES_MAX);
        reader->stopped = true;
        return;
    }
    dw_reader_check_memory (reader, node >= 0);
    if (node < 0)
        return;
    config->node = (uint32_t) node;
    s_node (config)->processor = dw_graph_no_processor;
    dw_reader_map (reader, s_node_specs, config);
    if (!reader->stopped)
        s_check_node (reader, config, &begin);
}

static void s_read_nodes (dw_reader_t *reader, const dw_spec_t *spec, void *target) {
    config_t *config = target;
    config->has_nodes = true;
    if (reader->item.type != DW_ITEM_LIST) {
        config->lacks_id = true;
        dw_reader_refuse (reader, spec->name, "a list", "an empty one is []");
        return;
    }
    while (dw_reader_next_in (reader))
        s_read_node (reader, spec, config);
}

/* -- The whole text ------------------------------------------------------------------------- */

static void s_read_strategy (dw_reader_t *reader, const dw_spec_t *spec, void *target) {
    config_t *config = target;
    dw_reader_choice (reader, spec, &config->graph->options);
}

static void s_read_executor (dw_reader_t *reader, const dw_spec_t *spec, void *target) {
    config_t *config = target;
    if (dw_reader_is_map (reader, spec->name))
        dw_reader_map (reader, s_executor_specs, &config->graph->options);
}

static const dw_spec_t s_graph_specs[] = {
    {.name = "strategy",
     .read = s_read_strategy,
     .offset = offsetof (dw_graph_options_t, strategy),
     .choices = dw_strategy_words},
    {.name = "failure_strategy",
     .read = s_read_strategy,
     .offset = offsetof (dw_graph_options_t, failure_strategy),
     .choices = dw_failure_strategy_words},
    {.name = "executor_options", .read = s_read_executor},
    {.name = "processors", .read = s_read_nodes},
    {0},
};

static void s_read_graph (dw_reader_t *reader, config_t *config) {
    if (!dw_reader_next (reader))
        return;
    const dw_item_t begin = reader->item;
    if (begin.type == DW_ITEM_DONE) {
        dw_reader_say (reader, &begin, "the file is empty; the smallest graph is: processors: []");
        return;
    }
    if (begin.type != DW_ITEM_MAP) {
        dw_reader_say (reader, &begin, "a graph is a mapping with the key \"processors\", not a %s",
                       begin.type == DW_ITEM_LIST ? "list" : "single value");
        reader->stopped = true;
        return;
    }
    dw_reader_map (reader, s_graph_specs, config);
    if (!reader->stopped && !config->has_nodes)
        dw_reader_say (reader, &begin,
                       "the key \"processors\" is missing; an empty graph says processors: []");
    dw_reader_next (reader); /* The end, or what should not be there. */
}

static int s_read (config_t *config, const char *text, size_t size, const char *file, bool json,
                   dw_error_t *error) {
    dw_reader_t reader = {.file = file, .error = error};
    if (file && dw_graph_set_file (config->graph, file))
        return dw_error_add (error, DW_ENOMEM, DW_NOWHERE, "out of memory");
    int err = dw_document_new (&reader.document, text, size, file, json, error);
    if (err)
        return err;
    s_read_graph (&reader, config);
    dw_document_destroy (&reader.document);
    /* What else is wrong with the graph is said now too, if all of it is known. */
    bool knows_all = config->has_nodes && !config->lacks_id && !reader.has_nul && !reader.stopped;
    if (reader.err && knows_all)
        config->check->check (config->check->arg, config->graph, error);
    return reader.err;
}

static int s_check_shape (void *arg, const dw_graph_t *graph, dw_error_t *error) {
    (void) arg;
    return dw_graph_resolve (graph, NULL, error);
}

int dw_config_parse (dw_graph_t **self_p, const char *text, size_t size, const char *file,
                     bool json, dw_error_t *error) {
    return dw_config_parse_checked (self_p, text, size, file, json, NULL, error);
}

int dw_config_parse_checked (dw_graph_t **self_p, const char *text, size_t size, const char *file,
                             bool json, const dw_config_check_t *check, dw_error_t *error) {
    static const dw_config_check_t shape = {.check = s_check_shape};
    assert (self_p);
    assert (text || size == 0);
    dw_graph_t *graph = dw_graph_new ();
    if (!graph)
        return dw_error_add (error, DW_ENOMEM, DW_NOWHERE, "out of memory");
    config_t config = {
        .graph = graph, .backoff = graph->options.backoff, .check = check ? check : &shape};
    size_t first = dw_error_count (error);
    int err = s_read (&config, text, size, file, json, error);
    dw_error_sort (error, first);
    if (err)
        dw_graph_destroy (&graph);
    else
        *self_p = graph;
    return err;
}
