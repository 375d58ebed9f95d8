/* call_fixture.c - runs one stock processor on one call after another, without an actor.
 *
 * For each call a graph is built, with a node for the processor and one for each dependency, and
 * from it the plan and the settings that a host would have. */

#include "tests/support/call_fixture.h"

#include "actors/call.h"
#include "actors/processors.h"
#include "runtime/payload.h"
#include "runtime/settings.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define OPTIONS_MAX      8
#define DEPENDENCIES_MAX 8

typedef struct option_t {
    const char *name;
    char *text; /* NULL: it is an integer, or */
    bool is_boolean;
    int64_t integer;
} option_t;

struct call_fixture_t {
    const char *name;
    dw_processors_t *set;
    option_t options[OPTIONS_MAX];
    size_t options_count;
    uint8_t *payload;
    size_t payload_size;
    const char *ids[DEPENDENCIES_MAX];
    dw_given_t given[DEPENDENCIES_MAX];
    uint32_t given_count;
    unsigned attempt;
    bool is_cancelled;

    dw_plan_t *plan;
    dw_settings_t *settings;
    uint32_t node; /* of the processor, in the plan */

    dw_slot_t slot;
    char *metadata;
};

/* ---- Its life ----------------------------------------------------------------------------- */

call_fixture_t *call_fixture_new (const char *processor) {
    call_fixture_t *self = calloc (1, sizeof *self);
    assert (self);
    self->name = processor;
    self->set = dw_processors_new ();
    assert (self->set && dw_processors_find (self->set, processor));
    self->attempt = 1;
    self->metadata = strdup ("");
    call_fixture_give_text (self, "", 0);
    return self;
}

static void s_forget_plan (call_fixture_t *self) {
    dw_settings_destroy (&self->settings);
    dw_plan_destroy (&self->plan);
}

void call_fixture_destroy (call_fixture_t **self_p) {
    call_fixture_t *self = *self_p;
    s_forget_plan (self);
    dw_slot_clear (&self->slot);
    for (size_t i = 0; i < self->options_count; i++)
        free (self->options[i].text);
    for (size_t i = 0; i < self->given_count; i++)
        free ((void *) self->given[i].payload.bytes);
    dw_processors_destroy (&self->set);
    free (self->payload);
    free (self->metadata);
    free (self);
    *self_p = NULL;
}

/* ---- What is given ------------------------------------------------------------------------ */

static option_t *s_option (call_fixture_t *self, const char *name) {
    for (size_t i = 0; i < self->options_count; i++)
        if (strcmp (self->options[i].name, name) == 0)
            return &self->options[i];
    assert (self->options_count < OPTIONS_MAX);
    self->options[self->options_count].name = name;
    return &self->options[self->options_count++];
}

void call_fixture_set_text (call_fixture_t *self, const char *option, const char *value) {
    option_t *set = s_option (self, option);
    free (set->text);
    set->text = strdup (value);
}

void call_fixture_set_integer (call_fixture_t *self, const char *option, int64_t value) {
    s_option (self, option)->integer = value;
}

void call_fixture_set_boolean (call_fixture_t *self, const char *option, bool value) {
    s_option (self, option)->integer = value;
    s_option (self, option)->is_boolean = true;
}

static uint8_t *s_copy (const void *bytes, size_t size) {
    uint8_t *copy = malloc (size + 1);
    assert (copy);
    return size > 0 ? memcpy (copy, bytes, size) : copy;
}

/* text as a str. */
static uint8_t *s_encode (const char *text, size_t text_size, size_t *size_p) {
    uint8_t head[DW_PAYLOAD_HEAD_MAX];
    size_t head_size = dw_payload_text_head (head, text_size);
    uint8_t *value = malloc (head_size + text_size);
    assert (value);
    memcpy (value, head, head_size);
    if (text_size > 0)
        memcpy (value + head_size, text, text_size);
    *size_p = head_size + text_size;
    return value;
}

void call_fixture_give_text (call_fixture_t *self, const char *text, size_t size) {
    free (self->payload);
    self->payload = s_encode (text, size, &self->payload_size);
}

void call_fixture_give_value (call_fixture_t *self, const void *value, size_t size) {
    free (self->payload);
    self->payload = s_copy (value, size);
    self->payload_size = size;
}

static dw_view_t *s_depend (call_fixture_t *self, const char *id) {
    assert (self->given_count < DEPENDENCIES_MAX);
    self->ids[self->given_count] = id;
    return &self->given[self->given_count++].payload;
}

void call_fixture_depend_text (call_fixture_t *self, const char *id, const char *text,
                               size_t size) {
    dw_view_t *output = s_depend (self, id);
    output->bytes = s_encode (text, size, &output->size);
}

void call_fixture_depend_value (call_fixture_t *self, const char *id, const void *value,
                                size_t size) {
    *s_depend (self, id) = (dw_view_t){s_copy (value, size), size};
}

void call_fixture_depend_nothing (call_fixture_t *self, const char *id) {
    s_depend (self, id);
}

void call_fixture_attempt (call_fixture_t *self, unsigned attempt) {
    self->attempt = attempt;
}

void call_fixture_cancel (call_fixture_t *self) {
    self->is_cancelled = true;
}

/* ---- A call ------------------------------------------------------------------------------- */

/* The node comes first: it must not lie where its dependencies are in the order of the graph. */
static dw_graph_t *s_graph (const call_fixture_t *self) {
    dw_graph_t *graph = dw_graph_new ();
    int node = dw_graph_add (graph, "node", self->name);
    assert (node == 0);
    for (uint32_t i = 0; i < self->given_count; i++) {
        dw_graph_add (graph, self->ids[i], "identity");
        dw_graph_depend (graph, node, self->ids[i]);
    }
    for (size_t i = 0; i < self->options_count; i++) {
        const option_t *option = &self->options[i];
        int err = option->text ? dw_graph_set_text (graph, node, option->name, option->text)
                  : option->is_boolean
                      ? dw_graph_set_boolean (graph, node, option->name, option->integer != 0)
                      : dw_graph_set_integer (graph, node, option->name, option->integer);
        assert (err == DW_OK);
    }
    return graph;
}

static const dw_processor_t *s_prepare (call_fixture_t *self) {
    s_forget_plan (self);
    const dw_processor_t *processor = dw_processors_find (self->set, self->name);
    dw_graph_t *graph = s_graph (self);
    int err = dw_processors_plan (self->set, graph, &self->plan, NULL);
    assert (err == DW_OK);
    err = dw_settings_new (&self->settings, &graph->nodes[0], NULL, processor, NULL);
    assert (err == DW_OK);
    dw_graph_destroy (&graph);
    self->node = dw_plan_find (self->plan, "node");
    assert (self->node != DW_NONE);
    return processor;
}

int call_fixture_start (call_fixture_t *self, char *why, size_t why_size) {
    const dw_processor_t *processor = s_prepare (self);
    void *instance = processor->arg;
    int err = processor->start
                  ? processor->start (&instance, self->settings, processor->arg, why, why_size)
                  : 0;
    if (!err && processor->stop)
        processor->stop (instance);
    return err;
}

static bool s_is_cancelled (void *arg) {
    return *(const bool *) arg;
}

static void s_write_metadata (call_fixture_t *self) {
    const dw_extra_t *extra = dw_slot_extra (&self->slot);
    dw_payload_map_t map;
    dw_payload_pair_t pair;
    size_t size = 1;
    free (self->metadata);
    self->metadata = calloc (1, size);
    assert (self->metadata);
    dw_payload_map_start (&map, extra ? extra->metadata : NULL, extra ? extra->metadata_size : 0);
    while (dw_payload_map_next (&map, &pair)) {
        self->metadata = realloc (self->metadata, size + pair.key_size + pair.value_size + 2);
        assert (self->metadata);
        size += (size_t) snprintf (self->metadata + size - 1, pair.key_size + pair.value_size + 3,
                                   "%.*s=%.*s\n", (int) pair.key_size, pair.key,
                                   (int) pair.value_size, pair.value);
    }
}

int call_fixture_run (call_fixture_t *self) {
    static const uint8_t token[DW_WIRE_TOKEN_SIZE] = {0};
    const dw_processor_t *processor = s_prepare (self);
    void *instance = processor->arg;
    char why[100] = "";
    if (processor->start) {
        int err = processor->start (&instance, self->settings, processor->arg, why, sizeof why);
        assert (err == 0);
    }
    dw_slot_clear (&self->slot);
    dw_call_t call = {
        .plan = self->plan,
        .token = token,
        .is_cancelled = s_is_cancelled,
        .is_cancelled_arg = &self->is_cancelled,
        .cancelled_fd = -1,
    };
    dw_call_begin (&call, &self->slot);
    dw_settings_t *settings[DEPENDENCIES_MAX + 1] = {0}; /* by node */
    assert (self->node <= DEPENDENCIES_MAX);
    settings[self->node] = self->settings;
    call.settings = settings;
    call.run = 1;
    call.node = self->node;
    call.attempt = self->attempt;
    call.payload = (dw_view_t){self->payload, self->payload_size};
    call.given = self->given;
    call.given_count = self->given_count;
    int code = dw_call_end (&call, processor->process (&call, instance));
    dw_call_free (&call);
    if (processor->stop)
        processor->stop (instance);
    s_write_metadata (self);
    return code;
}

/* ---- What it set -------------------------------------------------------------------------- */

const void *call_fixture_value (call_fixture_t *self, size_t *size_p) {
    return dw_slot_payload (&self->slot, size_p);
}

const char *call_fixture_text (call_fixture_t *self, size_t *size_p) {
    size_t size = 0;
    const void *value = call_fixture_value (self, &size);
    return value && dw_payload_is_text (value, size) ? dw_payload_text (value, size, size_p) : NULL;
}

const char *call_fixture_metadata (call_fixture_t *self) {
    return self->metadata;
}

const char *call_fixture_message (call_fixture_t *self) {
    const dw_extra_t *extra = dw_slot_extra (&self->slot);
    return extra && extra->message ? extra->message : "";
}
