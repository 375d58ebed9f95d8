/* graph.c - the graph as described: growing it. */

#include "runtime/core/graph.h"
#include "runtime/core/arena.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

dw_graph_t *dw_graph_new (void) {
    dw_graph_t *self = calloc (1, sizeof (*self));
    if (!self)
        return NULL;
    self->arena = dw_arena_new ();
    if (!self->arena)
        dw_graph_destroy (&self);
    else
        self->options = (dw_graph_options_t){
            .pool_size = DW_UNSET,
            .max_concurrency = DW_UNSET,
            .timeout_us = DW_UNSET,
            .retry_attempts = DW_UNSET,
            .batch_size = DW_UNSET,
            .max_payload_bytes = DW_UNSET,
            .added_nodes_max = DW_UNSET,
            .added_depth_max = DW_UNSET,
            .backoff = {.initial_us = 100000, .max_us = 10000000, .factor = 2, .jitter = 0.1},
        };
    return self;
}

void dw_graph_destroy (dw_graph_t **self_p) {
    assert (self_p);
    dw_graph_t *self = *self_p;
    if (!self)
        return;
    dw_arena_destroy (&self->arena);
    free (self->nodes);
    free (self);
    *self_p = NULL;
}

char *dw_graph_copy (dw_graph_t *self, const char *bytes, size_t size) {
    assert (self);
    return dw_arena_copy (self->arena, bytes, size);
}

static char *s_copy (dw_graph_t *self, const char *text) {
    return dw_arena_copy (self->arena, text, strlen (text));
}

int dw_graph_set_file (dw_graph_t *self, const char *file) {
    assert (self && file);
    const char *copy = s_copy (self, file);
    if (!copy)
        return DW_ENOMEM;
    self->file = copy;
    return DW_OK;
}

static bool s_reserve_node (dw_graph_t *self) {
    if (self->nodes_count < self->nodes_size)
        return true;
    uint32_t size = self->nodes_size < 8 ? 8 : self->nodes_size * 2;
    dw_node_t *nodes = realloc (self->nodes, size * sizeof (*nodes));
    if (!nodes)
        return false;
    self->nodes = nodes;
    self->nodes_size = size;
    return true;
}

const char dw_graph_no_processor[] = "";

const char *dw_graph_copy_processor (dw_graph_t *self, uint32_t node, const char *processor) {
    const char *last = node > 0 ? self->nodes[node - 1].processor : dw_graph_no_processor;
    bool is_shared = last != dw_graph_no_processor && strcmp (last, processor) == 0;
    return is_shared ? last : s_copy (self, processor);
}

int dw_graph_add (dw_graph_t *self, const char *id, const char *processor) {
    if (!self || !id || !processor)
        return DW_EINVAL;
    if (self->nodes_count == DW_NODES_MAX)
        return DW_ELIMIT;
    if (!s_reserve_node (self))
        return DW_ENOMEM;
    const char *id_copy = s_copy (self, id);
    const char *processor_copy = id_copy
                                     ? dw_graph_copy_processor (self, self->nodes_count, processor)
                                     : NULL;
    if (!processor_copy)
        return DW_ENOMEM;
    uint32_t node = self->nodes_count++;
    self->nodes[node] = (dw_node_t){.id = id_copy, .processor = processor_copy};
    return (int) node;
}

static dw_node_t *s_node (dw_graph_t *self, int node) {
    if (!self || node < 0 || (uint32_t) node >= self->nodes_count)
        return NULL;
    return &self->nodes[node];
}

/* Dependencies mostly are told of the node just added, whose list lies last and grows in place. */
static bool s_reserve_dependency (dw_graph_t *self, dw_node_t *node) {
    size_t each = sizeof (dw_dependency_t);
    if (node->dependencies_count < node->dependencies_size)
        return true;
    if (dw_arena_extend (self->arena, node->dependencies, node->dependencies_size * each, each)) {
        node->dependencies_size++;
        return true;
    }
    uint32_t size = node->dependencies_size * 2 + 1;
    dw_dependency_t *dependencies = dw_arena_take (self->arena, size, each);
    if (!dependencies)
        return false;
    if (node->dependencies)
        memcpy (dependencies, node->dependencies, node->dependencies_count * each);
    node->dependencies = dependencies;
    node->dependencies_size = size;
    return true;
}

int dw_graph_depend_at (dw_graph_t *self, uint32_t node, const char *on, dw_place_t place) {
    assert (self && on);
    assert (node < self->nodes_count);
    dw_node_t *of = &self->nodes[node];
    if (of->dependencies_count >= UINT32_MAX / 4)
        return DW_ELIMIT;
    if (!s_reserve_dependency (self, of))
        return DW_ENOMEM;
    const char *id = s_copy (self, on);
    if (!id)
        return DW_ENOMEM;
    of->dependencies[of->dependencies_count++] = (dw_dependency_t){
        .id = id, .line = place.line, .column = place.column};
    self->edges_count++;
    return DW_OK;
}

int dw_graph_depend (dw_graph_t *self, int node, const char *on) {
    if (!s_node (self, node) || !on)
        return DW_EINVAL;
    return dw_graph_depend_at (self, (uint32_t) node, on, DW_NOWHERE);
}

int dw_graph_set_input (dw_graph_t *self, int node, const char *ancestor) {
    dw_node_t *of = s_node (self, node);
    if (!of || !ancestor)
        return DW_EINVAL;
    const char *input = s_copy (self, ancestor);
    if (!input)
        return DW_ENOMEM;
    if (!of->input)
        self->inputs_count++;
    of->input = input;
    return DW_OK;
}

dw_setting_t *dw_graph_add_setting (dw_graph_t *self, uint32_t node, const char *name) {
    assert (self && name);
    assert (node < self->nodes_count);
    dw_node_t *of = &self->nodes[node];
    const char *copy = s_copy (self, name);
    dw_setting_t *setting = copy ? dw_arena_take (self->arena, 1, sizeof (*setting)) : NULL;
    if (!setting)
        return NULL;
    *setting = (dw_setting_t){.name = copy, .type = DW_VALUE_NULL};
    if (of->settings_last) {
        of->settings_last->next = setting;
    } else {
        of->settings = setting;
        self->settings_count++;
    }
    of->settings_last = setting;
    return setting;
}

/* Sets an option from C: one that is set already gets the later value. */
static int s_set (dw_graph_t *self, int node, const char *option, dw_setting_t value) {
    dw_node_t *of = s_node (self, node);
    if (!of || !option)
        return DW_EINVAL;
    dw_setting_t *setting = of->settings;
    while (setting && strcmp (setting->name, option) != 0)
        setting = setting->next;
    if (!setting)
        setting = dw_graph_add_setting (self, (uint32_t) node, option);
    if (!setting)
        return DW_ENOMEM;
    setting->type = value.type;
    setting->value = value.value;
    setting->line = value.line;
    setting->column = value.column;
    return DW_OK;
}

int dw_graph_set_as (dw_graph_t *self, int node, const char *option, const dw_setting_t *setting) {
    dw_setting_t value = *setting;
    if (value.type == DW_VALUE_TEXT && !(value.value.text = s_copy (self, value.value.text)))
        return DW_ENOMEM;
    return s_set (self, node, option, value);
}

int dw_graph_set_text (dw_graph_t *self, int node, const char *option, const char *value) {
    if (!self || !value)
        return DW_EINVAL;
    const char *copy = s_copy (self, value);
    if (!copy)
        return DW_ENOMEM;
    return s_set (self, node, option, (dw_setting_t){.type = DW_VALUE_TEXT, .value.text = copy});
}

int dw_graph_set_integer (dw_graph_t *self, int node, const char *option, int64_t value) {
    dw_setting_t setting = {.type = DW_VALUE_INTEGER, .value.integer = value};
    return s_set (self, node, option, setting);
}

int dw_graph_set_number (dw_graph_t *self, int node, const char *option, double value) {
    dw_setting_t setting = {.type = DW_VALUE_NUMBER, .value.number = value};
    return s_set (self, node, option, setting);
}

int dw_graph_set_boolean (dw_graph_t *self, int node, const char *option, bool value) {
    dw_setting_t setting = {.type = DW_VALUE_BOOLEAN, .value.boolean = value};
    return s_set (self, node, option, setting);
}

/* The node's demand, or a new one, which is not the node's before s_make_demand. */
static dw_demand_t *s_demand (dw_graph_t *self, const dw_node_t *of) {
    return of->demand ? of->demand : dw_arena_take (self->arena, 1, sizeof (dw_demand_t));
}

/* Only who is elsewhere has tags. */
static void s_make_demand (dw_graph_t *self, dw_node_t *of, dw_demand_t *demand) {
    self->demands_count += !of->demand;
    of->demand = demand;
    demand->remote = true;
}

int dw_graph_set_remote (dw_graph_t *self, int node) {
    dw_node_t *of = s_node (self, node);
    if (!of)
        return DW_EINVAL;
    dw_demand_t *demand = s_demand (self, of);
    if (!demand)
        return DW_ENOMEM;
    s_make_demand (self, of, demand);
    return DW_OK;
}

static bool s_reserve_adds (dw_graph_t *self, dw_adds_t *adds) {
    if (adds->count < adds->size)
        return true;
    uint32_t size = adds->size * 2 + 1;
    const char **names = dw_arena_take (self->arena, size, sizeof (*names));
    dw_place_t *places = dw_arena_take (self->arena, size, sizeof (*places));
    if (!names || !places)
        return false;
    if (adds->count) {
        memcpy (names, adds->names, adds->count * sizeof (*names));
        memcpy (places, adds->places, adds->count * sizeof (*places));
    }
    adds->names = names;
    adds->places = places;
    adds->size = size;
    return true;
}

int dw_graph_allow_at (dw_graph_t *self, uint32_t node, const char *processor, dw_place_t place) {
    assert (self && processor);
    assert (node < self->nodes_count);
    dw_node_t *of = &self->nodes[node];
    for (uint32_t i = 0; of->adds && i < of->adds->count; i++)
        if (strcmp (of->adds->names[i], processor) == 0)
            return DW_OK;
    if (of->adds && of->adds->count == DW_ADDS_MAX)
        return DW_ELIMIT;
    dw_adds_t *adds = of->adds ? of->adds : dw_arena_take (self->arena, 1, sizeof (*adds));
    const char *name = adds && s_reserve_adds (self, adds) ? s_copy (self, processor) : NULL;
    if (!name)
        return DW_ENOMEM;
    self->adders_count += !of->adds;
    of->adds = adds;
    adds->places[adds->count] = place;
    adds->names[adds->count++] = name;
    return DW_OK;
}

int dw_graph_allow (dw_graph_t *self, int node, const char *processor) {
    if (!s_node (self, node) || !processor)
        return DW_EINVAL;
    return dw_graph_allow_at (self, (uint32_t) node, processor, DW_NOWHERE);
}

static bool s_reserve_tag (dw_graph_t *self, dw_demand_t *demand) {
    if (demand->tags_count < demand->tags_size)
        return true;
    uint32_t size = demand->tags_size * 2 + 1;
    dw_tag_t *tags = dw_arena_take (self->arena, size, sizeof (*tags));
    if (!tags)
        return false;
    if (demand->tags)
        memcpy (tags, demand->tags, demand->tags_count * sizeof (*tags));
    demand->tags = tags;
    demand->tags_size = size;
    return true;
}

int dw_graph_require_tag (dw_graph_t *self, int node, const char *tag, const char *value) {
    dw_node_t *of = s_node (self, node);
    if (!of || !tag || !value)
        return DW_EINVAL;
    uint32_t tags_count = of->demand ? of->demand->tags_count : 0, at = 0;
    while (at < tags_count && strcmp (of->demand->tags[at].name, tag) < 0)
        at++;
    bool is_there = at < tags_count && strcmp (of->demand->tags[at].name, tag) == 0;
    if (!is_there && tags_count == DW_TAGS_MAX)
        return DW_ELIMIT;
    const char *value_copy = s_copy (self, value);
    const char *name_copy = value_copy ? s_copy (self, tag) : NULL;
    dw_demand_t *demand = name_copy ? s_demand (self, of) : NULL;
    if (!demand || (!is_there && !s_reserve_tag (self, demand)))
        return DW_ENOMEM;
    s_make_demand (self, of, demand);
    if (!is_there) {
        memmove (demand->tags + at + 1, demand->tags + at,
                 (tags_count - at) * sizeof (*demand->tags));
        demand->tags_count++;
    }
    demand->tags[at] = (dw_tag_t){.name = name_copy, .value = value_copy};
    return DW_OK;
}

dw_graph_options_t *dw_graph_options (dw_graph_t *self) {
    return self ? &self->options : NULL;
}

dw_node_options_t *dw_graph_node_options (dw_graph_t *self, int node) {
    dw_node_t *of = s_node (self, node);
    if (!of)
        return NULL;
    if (!of->options) {
        of->options = dw_arena_take (self->arena, 1, sizeof (*of->options));
        if (!of->options)
            return NULL;
        self->options_count++;
        *of->options = (dw_node_options_t){
            .intent = DW_INTENT_DEFAULT,
            .timeout_us = DW_UNSET,
            .retry_attempts = DW_UNSET,
            .cost_us = DW_UNSET,
            .backoff = self->options.backoff,
        };
    }
    return of->options;
}

size_t dw_graph_nodes_count (const dw_graph_t *self) {
    return self ? self->nodes_count : 0;
}
