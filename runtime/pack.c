/* pack.c - a graph as bytes. Each record is written by one function and read by its twin. */

#include "runtime/pack.h"

#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* The last number of a node's options. */
#define NOT_IDEMPOTENT 1u
#define JOIN_SHIFT     1u
#define HAS_ADDS       8u /* a list of texts follows */

/* The number of `actors`, when the bounds of what is added follow the options of the graph. */
#define HAS_ADDED 4u

/* ---- Writing ---------------------------------------------------------------------------------- */

static void s_write_text (dw_writer_t *writer, const char *text) {
    if (text)
        dw_write_str (writer, text, strlen (text));
    else
        dw_write_nil (writer);
}

static void s_write_integer (dw_writer_t *writer, int64_t integer) {
    dw_write_uint (writer, (uint64_t) integer);
}

static void s_write_number (dw_writer_t *writer, double number) {
    uint64_t bits;
    static_assert (sizeof (bits) == sizeof (number), "a double is 64 bits");
    memcpy (&bits, &number, sizeof (bits));
    dw_write_uint (writer, bits);
}

static void s_write_backoff (dw_writer_t *writer, const dw_backoff_t *backoff) {
    s_write_integer (writer, backoff->initial_us);
    s_write_integer (writer, backoff->max_us);
    s_write_number (writer, backoff->factor);
    s_write_number (writer, backoff->jitter);
}

static void s_write_graph_options (dw_writer_t *writer, const dw_graph_options_t *options) {
    dw_write_uint (writer, options->strategy);
    dw_write_uint (writer, options->failure_strategy);
    bool has_added = options->added_nodes_max != DW_UNSET || options->added_depth_max != DW_UNSET;
    dw_write_uint (writer, options->actors | (has_added ? HAS_ADDED : 0));
    dw_write_uint (writer, options->priority);
    s_write_integer (writer, options->pool_size);
    s_write_integer (writer, options->max_concurrency);
    s_write_integer (writer, options->timeout_us);
    s_write_integer (writer, options->retry_attempts);
    s_write_integer (writer, options->batch_size);
    s_write_integer (writer, options->max_payload_bytes);
    s_write_backoff (writer, &options->backoff);
    if (has_added) {
        s_write_integer (writer, options->added_nodes_max);
        s_write_integer (writer, options->added_depth_max);
    }
}

static void s_write_setting (dw_writer_t *writer, const dw_setting_t *setting) {
    s_write_text (writer, setting->name);
    dw_write_uint (writer, setting->type);
    switch (setting->type) {
        case DW_VALUE_NULL: break;
        case DW_VALUE_TEXT: s_write_text (writer, setting->value.text); break;
        case DW_VALUE_INTEGER: s_write_integer (writer, setting->value.integer); break;
        case DW_VALUE_NUMBER: s_write_number (writer, setting->value.number); break;
        case DW_VALUE_BOOLEAN: dw_write_uint (writer, setting->value.boolean); break;
    }
}

static void s_write_settings (dw_writer_t *writer, const dw_setting_t *settings) {
    uint32_t count = 0;
    for (const dw_setting_t *of = settings; of; of = of->next)
        count++;
    dw_write_array (writer, count);
    for (const dw_setting_t *of = settings; of; of = of->next)
        s_write_setting (writer, of);
}

/* A node without options that adds something is written with the options that say nothing. */
static void s_write_node_options (dw_writer_t *writer, const dw_node_t *node) {
    const dw_node_options_t nothing = {
        .timeout_us = DW_UNSET, .retry_attempts = DW_UNSET, .cost_us = DW_UNSET};
    const dw_node_options_t *options = node->options ? node->options : &nothing;
    if (!node->options && !node->adds) {
        dw_write_nil (writer);
        return;
    }
    dw_write_uint (writer, options->intent);
    s_write_integer (writer, options->timeout_us);
    s_write_integer (writer, options->retry_attempts);
    s_write_integer (writer, options->cost_us);
    if (options->has_backoff)
        s_write_backoff (writer, &options->backoff);
    else
        dw_write_nil (writer);
    dw_write_uint (writer, (options->not_idempotent ? NOT_IDEMPOTENT : 0) |
                               (uint32_t) options->join << JOIN_SHIFT |
                               (node->adds ? HAS_ADDS : 0));
    if (!node->adds)
        return;
    dw_write_array (writer, node->adds->count);
    for (uint32_t i = 0; i < node->adds->count; i++)
        s_write_text (writer, node->adds->names[i]);
}

static void s_write_demand (dw_writer_t *writer, const dw_demand_t *demand) {
    if (!demand) {
        dw_write_nil (writer);
        return;
    }
    dw_write_array (writer, demand->tags_count);
    for (uint32_t i = 0; i < demand->tags_count; i++) {
        s_write_text (writer, demand->tags[i].name);
        s_write_text (writer, demand->tags[i].value);
    }
}

static void s_write_node (dw_writer_t *writer, const dw_node_t *node) {
    s_write_text (writer, node->id);
    s_write_text (writer, node->processor);
    s_write_text (writer, node->input);
    dw_write_array (writer, node->dependencies_count);
    for (uint32_t i = 0; i < node->dependencies_count; i++)
        s_write_text (writer, node->dependencies[i].id);
    s_write_settings (writer, node->settings);
    s_write_node_options (writer, node);
    s_write_demand (writer, node->demand);
}

void dw_pack_graph (const dw_graph_t *graph, dw_writer_t *writer) {
    assert (graph && writer);
    dw_write_uint (writer, DW_PACK_VERSION);
    s_write_text (writer, graph->file);
    s_write_graph_options (writer, &graph->options);
    dw_write_array (writer, graph->nodes_count);
    for (uint32_t node = 0; node < graph->nodes_count; node++)
        s_write_node (writer, &graph->nodes[node]);
}

void dw_pack_addition (const dw_graph_t *graph, const char *output, dw_writer_t *writer) {
    s_write_text (writer, output);
    dw_pack_graph (graph, writer);
}

/* ---- Reading ---------------------------------------------------------------------------------- */

/* Once something is wrong every read gives zeros, and nothing is added to the graph any more. */
typedef struct unpacker_t {
    dw_wire_reader_t reader;
    dw_graph_t *graph;
    dw_writer_t id, text; /* a text each, ended by NUL; used again for the next one */
    uint32_t nodes_count; /* that there are said to be */
    int err;              /* of the graph: DW_ENOMEM, DW_ELIMIT */
} unpacker_t;

static bool s_is_fine (const unpacker_t *self) {
    return !self->err && !self->reader.is_damaged;
}

/* Notes what the graph said: an index or DW_OK, or an error. */
static void s_note (unpacker_t *self, int result) {
    if (result < 0 && !self->err)
        self->err = result;
}

/* A text where it lies, not ended by NUL; NULL when it is none. */
static const char *s_read_slice (unpacker_t *self, size_t *size_p) {
    const char *slice = dw_read_str (&self->reader, SIZE_MAX, size_p);
    if (slice && *size_p > 0 && memchr (slice, '\0', *size_p)) {
        dw_wire_damage (&self->reader);
        return NULL;
    }
    return slice;
}

/* A text in a buffer, until that is used again; NULL when something is wrong. */
static const char *s_read_text (unpacker_t *self, dw_writer_t *buffer) {
    size_t size;
    const char *slice = s_read_slice (self, &size);
    if (!slice)
        return NULL;
    dw_writer_clear (buffer);
    char *text = (char *) dw_writer_room (buffer, size + 1);
    if (!text) {
        s_note (self, DW_ENOMEM);
        return NULL;
    }
    memcpy (text, slice, size);
    text[size] = '\0';
    return text;
}

static int64_t s_read_integer (unpacker_t *self) {
    return (int64_t) dw_read_uint (&self->reader);
}

static double s_read_number (unpacker_t *self) {
    uint64_t bits = dw_read_uint (&self->reader);
    double number;
    memcpy (&number, &bits, sizeof (number));
    return number;
}

static void s_read_backoff (unpacker_t *self, dw_backoff_t *backoff) {
    backoff->initial_us = s_read_integer (self);
    backoff->max_us = s_read_integer (self);
    backoff->factor = s_read_number (self);
    backoff->jitter = s_read_number (self);
}

static void s_read_graph_options (unpacker_t *self, dw_graph_options_t *options) {
    dw_wire_reader_t *reader = &self->reader;
    options->strategy = (dw_strategy_t) dw_read_uint_max (reader, DW_REACTIVE);
    options->failure_strategy = (dw_failure_strategy_t) dw_read_uint_max (reader, DW_BEST_EFFORT);
    uint32_t actors = dw_read_uint_max (reader, HAS_ADDED | DW_ACTORS_POOL);
    options->actors = (dw_actors_t) (actors & ~HAS_ADDED);
    if (options->actors > DW_ACTORS_POOL)
        dw_wire_damage (&self->reader);
    options->priority = (dw_priority_t) dw_read_uint_max (reader, DW_CRITICAL_PATH);
    options->pool_size = s_read_integer (self);
    options->max_concurrency = s_read_integer (self);
    options->timeout_us = s_read_integer (self);
    options->retry_attempts = s_read_integer (self);
    options->batch_size = s_read_integer (self);
    options->max_payload_bytes = s_read_integer (self);
    s_read_backoff (self, &options->backoff);
    if (actors & HAS_ADDED) {
        options->added_nodes_max = s_read_integer (self);
        options->added_depth_max = s_read_integer (self);
    }
}

static void s_read_text_value (unpacker_t *self, dw_setting_t *setting) {
    size_t size;
    const char *slice = s_read_slice (self, &size);
    if (!slice)
        return;
    setting->value.text = dw_graph_copy (self->graph, slice, size);
    if (!setting->value.text)
        s_note (self, DW_ENOMEM);
}

static void s_read_setting (unpacker_t *self, uint32_t node) {
    const char *name = s_read_text (self, &self->text);
    if (!name)
        return;
    dw_setting_t *setting = dw_graph_add_setting (self->graph, node, name);
    if (!setting) {
        s_note (self, DW_ENOMEM);
        return;
    }
    setting->type = (dw_value_type_t) dw_read_uint_max (&self->reader, DW_VALUE_BOOLEAN);
    switch (setting->type) {
        case DW_VALUE_NULL: break;
        case DW_VALUE_TEXT: s_read_text_value (self, setting); break;
        case DW_VALUE_INTEGER: setting->value.integer = s_read_integer (self); break;
        case DW_VALUE_NUMBER: setting->value.number = s_read_number (self); break;
        case DW_VALUE_BOOLEAN:
            setting->value.boolean = dw_read_uint_max (&self->reader, true);
            break;
    }
}

static void s_read_adds (unpacker_t *self, uint32_t node) {
    const char *name = s_read_text (self, &self->text);
    if (name)
        s_note (self, dw_graph_allow (self->graph, (int) node, name));
}

static void s_read_node_options (unpacker_t *self, uint32_t node) {
    if (dw_read_nil (&self->reader) || !s_is_fine (self))
        return;
    dw_node_options_t *options = dw_graph_node_options (self->graph, (int) node);
    if (!options) {
        s_note (self, DW_ENOMEM);
        return;
    }
    options->intent = (dw_intent_t) dw_read_uint_max (&self->reader, DW_ANALYZE);
    options->timeout_us = s_read_integer (self);
    options->retry_attempts = s_read_integer (self);
    options->cost_us = s_read_integer (self);
    options->has_backoff = !dw_read_nil (&self->reader);
    if (options->has_backoff)
        s_read_backoff (self, &options->backoff);
    uint32_t last = dw_read_uint_max (
        &self->reader, NOT_IDEMPOTENT | (uint32_t) DW_JOIN_ANY_OK << JOIN_SHIFT | HAS_ADDS);
    options->not_idempotent = last & NOT_IDEMPOTENT;
    options->join = (dw_join_t) ((last & ~HAS_ADDS) >> JOIN_SHIFT);
    uint32_t adds = last & HAS_ADDS ? dw_read_array (&self->reader) : 0;
    for (; adds > 0 && s_is_fine (self); adds--)
        s_read_adds (self, node);
}

static void s_read_tag (unpacker_t *self, uint32_t node) {
    const char *name = s_read_text (self, &self->id);
    const char *value = name ? s_read_text (self, &self->text) : NULL;
    if (value)
        s_note (self, dw_graph_require_tag (self->graph, (int) node, name, value));
}

static void s_read_demand (unpacker_t *self, uint32_t node) {
    if (dw_read_nil (&self->reader) || !s_is_fine (self))
        return;
    s_note (self, dw_graph_set_remote (self->graph, (int) node));
    for (uint32_t left = dw_read_array (&self->reader); left > 0 && s_is_fine (self); left--)
        s_read_tag (self, node);
}

static void s_read_input (unpacker_t *self, uint32_t node) {
    if (dw_read_nil (&self->reader))
        return;
    const char *input = s_read_text (self, &self->text);
    if (input)
        s_note (self, dw_graph_set_input (self->graph, (int) node, input));
}

static void s_read_dependency (unpacker_t *self, uint32_t node) {
    const char *id = s_read_text (self, &self->text);
    if (id)
        s_note (self, dw_graph_depend (self->graph, (int) node, id));
}

static void s_read_node (unpacker_t *self) {
    const char *id = s_read_text (self, &self->id);
    const char *processor = s_read_text (self, &self->text);
    int added = id && processor ? dw_graph_add (self->graph, id, processor) : DW_OK;
    s_note (self, added);
    if (!s_is_fine (self))
        return;
    uint32_t node = (uint32_t) added;
    s_read_input (self, node);
    for (uint32_t left = dw_read_array (&self->reader); left > 0 && s_is_fine (self); left--)
        s_read_dependency (self, node);
    for (uint32_t left = dw_read_array (&self->reader); left > 0 && s_is_fine (self); left--)
        s_read_setting (self, node);
    s_read_node_options (self, node);
    s_read_demand (self, node);
}

static void s_read_file (unpacker_t *self) {
    if (dw_read_nil (&self->reader))
        return;
    const char *file = s_read_text (self, &self->text);
    if (file)
        s_note (self, dw_graph_set_file (self->graph, file));
}

static void s_read_graph (unpacker_t *self) {
    s_read_file (self);
    s_read_graph_options (self, &self->graph->options);
    self->nodes_count = dw_read_array (&self->reader);
    for (uint32_t left = self->nodes_count; left > 0 && s_is_fine (self); left--)
        s_read_node (self);
}

/* ---- What is wrong ---------------------------------------------------------------------------- */

static int s_no_memory (dw_error_t *error, size_t size) {
    return dw_error_add (error, DW_ENOMEM, DW_NOWHERE,
                         "out of memory: the graph of %zu bytes needs more than there is", size);
}

static int s_check (const unpacker_t *self, size_t size, dw_error_t *error) {
    uint32_t read = self->graph->nodes_count;
    size_t left = (size_t) (self->reader.end - self->reader.at);
    if (self->err == DW_ENOMEM)
        return s_no_memory (error, size);
    if (self->err)
        return dw_error_add (
            error, DW_EPROTOCOL, DW_NOWHERE,
            "the graph of %zu bytes has more nodes, or dependencies or tags of one, than "
            "are supported",
            size);
    if (self->reader.is_damaged && self->nodes_count == 0)
        return dw_error_add (error, DW_EPROTOCOL, DW_NOWHERE,
                             "the graph of %zu bytes is damaged before its first node", size);
    if (self->reader.is_damaged)
        return dw_error_add (error, DW_EPROTOCOL, DW_NOWHERE,
                             "the graph of %zu bytes is damaged after the beginning of %u of its "
                             "%u nodes",
                             size, read, self->nodes_count);
    if (left > 0)
        return dw_error_add (error, DW_EPROTOCOL, DW_NOWHERE,
                             "the graph of %zu bytes is over after %zu of them", size, size - left);
    return DW_OK;
}

/* Another version is no damage, and what follows it is not looked at. */
static int s_read_version (unpacker_t *self, dw_error_t *error) {
    uint64_t version = dw_read_uint (&self->reader);
    if (self->reader.is_damaged || version == DW_PACK_VERSION)
        return DW_OK;
    return dw_error_add (error, DW_EPROTOCOL, DW_NOWHERE,
                         "the graph was packed in version %" PRIu64 ", this dagwood reads %u; use "
                         "the same dagwood on both sides",
                         version, DW_PACK_VERSION);
}

int dw_unpack_graph (dw_graph_t **graph_p, const uint8_t *bytes, size_t size, dw_error_t *error) {
    assert (graph_p);
    assert (bytes || size == 0);
    unpacker_t self = {.reader = dw_wire_reader (bytes ? bytes : (const uint8_t *) "", size),
                       .graph = dw_graph_new ()};
    if (!self.graph)
        return s_no_memory (error, size);
    int err = s_read_version (&self, error);
    if (!err) {
        s_read_graph (&self);
        err = s_check (&self, size, error);
    }
    dw_writer_free (&self.id);
    dw_writer_free (&self.text);
    if (err)
        dw_graph_destroy (&self.graph);
    else
        *graph_p = self.graph;
    return err;
}

int dw_unpack_addition (dw_graph_t **graph_p, char **output_p, const uint8_t *bytes, size_t size,
                        dw_error_t *error) {
    assert (graph_p && output_p);
    dw_wire_reader_t reader = dw_wire_reader (bytes ? bytes : (const uint8_t *) "", size);
    size_t output_size = 0;
    const char *output = dw_read_str (&reader, SIZE_MAX, &output_size);
    if (!output || memchr (output, '\0', output_size))
        return dw_error_add (error, DW_EPROTOCOL, DW_NOWHERE,
                             "the added graph of %zu bytes is damaged at its beginning", size);
    char *copy = strndup (output, output_size);
    if (!copy)
        return s_no_memory (error, size);
    int err = dw_unpack_graph (graph_p, reader.at, (size_t) (reader.end - reader.at), error);
    if (err)
        free (copy);
    else
        *output_p = copy;
    return err;
}
