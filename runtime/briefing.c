/* briefing.c - what a worker that compiles no graph is told of the nodes that it serves. */

#include "runtime/briefing.h"

#include <msgpack.h>
#include <string.h>

#include "runtime/payload.h"

#define FIELDS 5u

/* ---- Written ---------------------------------------------------------------------------------- */

static int s_append (void *arg, const char *bytes, size_t size) {
    dw_writer_t *writer = arg;
    dw_write_raw (writer, bytes, size);
    return writer->no_memory ? -1 : 0;
}

static void s_write_text (dw_writer_t *writer, const char *text) {
    dw_write_str (writer, text, strlen (text));
}

static void s_write_option (msgpack_packer *packer, const dw_setting_t *setting) {
    switch (setting->type) {
        case DW_VALUE_NULL: msgpack_pack_nil (packer); return;
        case DW_VALUE_TEXT: s_write_text (packer->data, setting->value.text); return;
        case DW_VALUE_INTEGER: msgpack_pack_int64 (packer, setting->value.integer); return;
        case DW_VALUE_NUMBER: msgpack_pack_double (packer, setting->value.number); return;
        case DW_VALUE_BOOLEAN:
            if (setting->value.boolean)
                msgpack_pack_true (packer);
            else
                msgpack_pack_false (packer);
            return;
    }
}

static void s_write_options (dw_writer_t *writer, const dw_node_t *node) {
    msgpack_packer packer;
    uint32_t count = 0;
    for (const dw_setting_t *setting = node->settings; setting; setting = setting->next)
        count++;
    msgpack_packer_init (&packer, writer, s_append);
    msgpack_pack_map (&packer, count);
    for (const dw_setting_t *setting = node->settings; setting; setting = setting->next) {
        s_write_text (writer, setting->name);
        s_write_option (&packer, setting);
    }
}

static void s_write_dependencies (dw_writer_t *writer, const dw_plan_t *plan, uint32_t node) {
    uint32_t begin = plan->dependencies_at[node], end = plan->dependencies_at[node + 1];
    if (plan->flags[node] & DW_NODE_PAYLOAD_ONLY) {
        dw_write_nil (writer);
        return;
    }
    dw_write_array (writer, end - begin);
    for (uint32_t e = begin; e < end; e++)
        s_write_text (writer, plan->ids[plan->dependencies[e]]);
}

static bool s_is_in (const dw_plan_t *plan, uint32_t node, uint64_t lanes) {
    return lanes >> plan->lane[node] & 1;
}

void dw_write_briefing (const dw_plan_t *plan, const dw_graph_t *graph, uint64_t lanes,
                        dw_writer_t *writer) {
    uint32_t count = 0;
    for (uint32_t node = 0; node < plan->nodes_count; node++)
        count += s_is_in (plan, node, lanes);
    dw_write_array (writer, count);
    for (uint32_t node = 0; node < plan->nodes_count; node++) {
        if (!s_is_in (plan, node, lanes))
            continue;
        dw_write_array (writer, FIELDS);
        dw_write_uint (writer, node);
        s_write_text (writer, plan->ids[node]);
        s_write_text (writer, plan->kinds[plan->kind[node]]);
        s_write_options (writer, &graph->nodes[plan->declared[node]]);
        s_write_dependencies (writer, plan, node);
    }
}

/* ---- Read ------------------------------------------------------------------------------------- */

uint32_t dw_read_briefing (dw_wire_reader_t *self) {
    return dw_read_array (self);
}

/* A value of whatever kind, in place. */
static const uint8_t *s_read_value (dw_wire_reader_t *self, size_t *size_p) {
    const uint8_t *value = self->at;
    *size_p = dw_payload_measure (value, (size_t) (self->end - self->at));
    if (*size_p == 0)
        return dw_wire_damage (self);
    self->at += *size_p;
    return value;
}

static bool s_is_map (uint8_t code) {
    return (code & 0xf0) == 0x80 || code == 0xde || code == 0xdf;
}

bool dw_read_briefed (dw_wire_reader_t *self, dw_briefed_t *briefed) {
    size_t size;
    memset (briefed, 0, sizeof *briefed);
    uint32_t fields = dw_read_array (self);
    briefed->node = dw_read_uint_max (self, DW_NODES_MAX);
    briefed->id = dw_read_str (self, DW_BRIEFING_TEXT_MAX, &briefed->id_size);
    briefed->processor = dw_read_str (self, DW_BRIEFING_TEXT_MAX, &briefed->processor_size);
    briefed->options = s_read_value (self, &briefed->options_size);
    if (fields < FIELDS || self->is_damaged || !s_is_map (briefed->options[0]))
        return dw_wire_damage (self);
    if (!dw_read_nil (self)) {
        briefed->dependencies_count = dw_read_array (self);
        for (uint32_t i = 0; i < briefed->dependencies_count && !self->is_damaged; i++)
            dw_read_str (self, DW_BRIEFING_TEXT_MAX, &size);
    }
    for (uint32_t i = FIELDS; i < fields && !self->is_damaged; i++)
        s_read_value (self, &size);
    return !self->is_damaged;
}
