/* plan_print.c - a plan as text for people. */

#include "runtime/core/plan.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define NODES_SHOWN  1000u /* a line each; of a larger graph a line for each level */
#define LEVELS_SHOWN 1000u
#define CHAINS_SHOWN 100u
#define PATH_SHOWN   20u /* nodes of a chain or of the critical path */
#define WIDTH_MAX    32u /* of a column */

typedef struct printer_t {
    const dw_plan_t *plan;
    bool (*write) (void *arg, const char *text, size_t size);
    void *arg;
    bool stopped; /* write has returned false, and is not called any more */
} printer_t;

static void s_write (printer_t *self, const char *text, size_t size) {
    if (!self->stopped && size > 0 && !self->write (self->arg, text, size))
        self->stopped = true;
}

static void s_print (printer_t *self, const char *format, ...) DW_PRINTF (2, 3);

/* For what is short: numbers and words of our own. */
static void s_print (printer_t *self, const char *format, ...) {
    char text[256];
    va_list arguments;
    va_start (arguments, format);
    int written = vsnprintf (text, sizeof (text), format, arguments);
    va_end (arguments);
    assert (written >= 0 && (size_t) written < sizeof (text));
    s_write (self, text, (size_t) written);
}

static size_t s_length (const char *name) {
    size_t length = 0;
    for (; *name; name++)
        length += ((unsigned char) *name & 0xc0u) != 0x80u;
    return length;
}

/* Prints a name from outside, control characters as '?', padded to width code points. */
static void s_print_name (printer_t *self, const char *name, size_t width) {
    const char *from = name;
    size_t length = s_length (name);
    for (const char *at = name; *at; at++) {
        size_t control = dw_error_control (at);
        if (control) {
            s_write (self, from, (size_t) (at - from));
            s_write (self, "?", 1);
            at += control - 1;
            from = at + 1;
        }
    }
    s_write (self, from, strlen (from));
    for (; length < width; length++)
        s_write (self, " ", 1);
}

static void s_widen (size_t *width_p, const char *name) {
    size_t length = s_length (name);
    if (length > WIDTH_MAX)
        length = WIDTH_MAX;
    if (length > *width_p)
        *width_p = length;
}

static const char *s_plural (uint64_t count) {
    return count == 1 ? "" : "s";
}

static void s_print_totals (printer_t *self) {
    const dw_plan_t *plan = self->plan;
    s_print (self, "nodes              %u\n", plan->nodes_count);
    s_print (self, "edges              %u\n", plan->edges_count);
    s_print (self, "levels             %u\n", plan->levels_count);
    s_print (self, "processors         %u\n", plan->kinds_count);
    s_print (self, "sinks              %u\n", plan->sinks_count);
    s_print (self, "strategy           %s\n", dw_strategy_words[plan->strategy]);
    s_print (self, "failure_strategy   %s\n", dw_failure_strategy_words[plan->failure_strategy]);
    s_print (self, "priority           %s\n", dw_priority_words[plan->priority]);
    s_print (self, "max_concurrency    %u\n", plan->max_concurrency);
    if (plan->batch_size > 0)
        s_print (self, "batch_size         %u\n", plan->batch_size);
    else
        s_print (self, "batch_size         automatic\n");
    s_print (self, "max_payload_bytes  %llu\n", (unsigned long long) plan->max_payload_bytes);
    s_print (self, "memory             %llu bytes\n", (unsigned long long) plan->size_bytes);
}

static void s_print_lanes (printer_t *self) {
    const dw_plan_t *plan = self->plan;
    char shown[DW_DEMAND_SHOWN];
    if (plan->demands) {
        s_print (self, "lanes              %u: one for each demand on workers\n",
                 plan->lanes_count);
        for (uint32_t lane = 0; lane < plan->lanes_count; lane++) {
            uint32_t count = plan->lane_at[lane + 1] - plan->lane_at[lane];
            s_print (self, "  lane %-11u  %u node%s, demand: %s\n", lane, count, s_plural (count),
                     dw_plan_show_demand (plan, lane, shown));
        }
    } else if (plan->pool)
        s_print (self, "lanes              1: a pool of %u worker%s that host every node\n",
                 plan->workers_count, s_plural (plan->workers_count));
    else
        s_print (self, "lanes              %u: an actor thread for each node\n", plan->lanes_count);
}

/* A chain or the critical path, in the middle of which some may be left out. next gives what comes
 * after a node. */
static void s_print_path (printer_t *self, uint32_t node, uint32_t length,
                          uint32_t (*next) (const dw_plan_t *plan, uint32_t node, uint32_t at)) {
    uint32_t left_out = length > PATH_SHOWN ? length - PATH_SHOWN : 0;
    for (uint32_t at = 0; at < length; at++) {
        if (left_out == 0 || at < PATH_SHOWN / 2 || at >= PATH_SHOWN / 2 + left_out) {
            s_print (self, at > 0 ? " -> " : "  ");
            s_print_name (self, self->plan->ids[node], 0);
        } else if (at == PATH_SHOWN / 2) {
            s_print (self, " -> (%u more)", left_out);
        }
        if (at + 1 < length)
            node = next (self->plan, node, at);
    }
    s_print (self, "\n");
}

static uint32_t s_next_of_chain (const dw_plan_t *plan, uint32_t node, uint32_t at) {
    (void) at;
    return plan->chain_next[node];
}

static uint32_t s_next_of_critical_path (const dw_plan_t *plan, uint32_t node, uint32_t at) {
    (void) node;
    return plan->critical_path[at + 1];
}

static bool s_begins_chain (const dw_plan_t *plan, uint32_t node) {
    if (plan->chain_next[node] == DW_NONE)
        return false;
    return plan->dependencies_count[node] != 1 ||
           plan->chain_next[plan->dependencies[plan->dependencies_at[node]]] != node;
}

static void s_print_chains (printer_t *self) {
    const dw_plan_t *plan = self->plan;
    uint32_t shown = 0;
    s_print (self, "\nchains (run by one worker without asking in between): %u\n",
             plan->chains_count);
    for (uint32_t node = 0; node < plan->nodes_count && shown < CHAINS_SHOWN; node++) {
        if (!s_begins_chain (plan, node))
            continue;
        s_print_path (self, node, plan->chain_length[node], s_next_of_chain);
        shown++;
    }
    if (shown < plan->chains_count)
        s_print (self, "  (%u more chains)\n", plan->chains_count - shown);
}

static void s_print_critical_path (printer_t *self) {
    const dw_plan_t *plan = self->plan;
    s_print (self, "\ncritical path: %u node%s, %llu us by cost_us\n", plan->critical_path_count,
             s_plural (plan->critical_path_count), (unsigned long long) plan->critical_path_us);
    if (plan->critical_path_count > 0)
        s_print_path (self, plan->critical_path[0], plan->critical_path_count,
                      s_next_of_critical_path);
}

static void s_print_level (printer_t *self, uint32_t level) {
    const dw_plan_t *plan = self->plan;
    uint32_t analyze = 0, from = plan->level_at[level], to = plan->level_at[level + 1];
    for (uint32_t node = from; node < to; node++)
        analyze += plan->flags[node] & DW_NODE_ANALYZE;
    s_print (self, "  level %-6u ranks %u to %u: %u node%s, %u transform, %u analyze\n", level,
             from, to - 1, to - from, s_plural (to - from), to - from - analyze, analyze);
}

static void s_print_levels (printer_t *self) {
    const dw_plan_t *plan = self->plan;
    uint32_t shown = plan->levels_count < LEVELS_SHOWN ? plan->levels_count : LEVELS_SHOWN;
    s_print (self, "\nlevels (%u nodes are left out: more than %u)\n", plan->nodes_count,
             NODES_SHOWN);
    for (uint32_t level = 0; level < shown; level++)
        s_print_level (self, level);
    if (shown < plan->levels_count)
        s_print (self, "  (%u more levels)\n", plan->levels_count - shown);
}

/* Whose output is the payload, and what else decides whether and how often the node runs. */
static void s_print_source (printer_t *self, uint32_t node) {
    const dw_plan_t *plan = self->plan;
    uint32_t source = plan->source[node];
    dw_join_t join = plan->join ? plan->join[node] : DW_JOIN_DEFAULT;
    if (source == DW_RUN_INPUT)
        s_print (self, "the run's input");
    else
        s_print_name (self, plan->ids[source], 0);
    s_print (self, "%s%s%s%s%s\n", plan->flags[node] & DW_NODE_INPUT ? " (said by input)" : "",
             plan->flags[node] & DW_NODE_ONCE ? ", not idempotent" : "",
             plan->flags[node] & DW_NODE_MAY_SKIP ? ", may skip" : "",
             join == DW_JOIN_DEFAULT ? "" : ", joins ", dw_join_words[join]);
}

static void s_print_nodes (printer_t *self) {
    const dw_plan_t *plan = self->plan;
    size_t id_width = 2, kind_width = strlen ("processor");
    for (uint32_t node = 0; node < plan->nodes_count; node++) {
        s_widen (&id_width, plan->ids[node]);
        s_widen (&kind_width, plan->kinds[plan->kind[node]]);
    }
    s_print (self, "\nlevel  rank  place  ");
    s_print_name (self, "id", id_width);
    s_print (self, "  intent     ");
    s_print_name (self, "processor", kind_width);
    s_print (self, "  payload from\n");
    for (uint32_t level = 0; level < plan->levels_count; level++)
        for (uint32_t node = plan->level_at[level]; node < plan->level_at[level + 1]; node++) {
            s_print (self, "%5u  %4u  %5u  ", level, node, plan->position[node]);
            s_print_name (self, plan->ids[node], id_width);
            s_print (self, plan->flags[node] & DW_NODE_ANALYZE ? "  analyze    " : "  transform  ");
            s_print_name (self, plan->kinds[plan->kind[node]], kind_width);
            s_print (self, "  ");
            s_print_source (self, node);
        }
}

bool dw_plan_print (const dw_plan_t *self, bool (*write) (void *arg, const char *text, size_t size),
                    void *arg) {
    assert (self && write);
    printer_t printer = {.plan = self, .write = write, .arg = arg};
    s_print_totals (&printer);
    s_print_lanes (&printer);
    if (self->nodes_count > NODES_SHOWN)
        s_print_levels (&printer);
    else if (self->nodes_count > 0)
        s_print_nodes (&printer);
    s_print_chains (&printer);
    s_print_critical_path (&printer);
    return !printer.stopped;
}
