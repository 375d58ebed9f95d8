/* for_each_line.c - runs a processor on every line of its payload, each beside the others, and
 * joins what they give.
 *
 * The graph that it adds has a pick_lines and a node of the processor for so many lines, and a
 * concat of all of them; so a node with it says `adds: [pick_lines, concat, ...]`. */

#include "actors/call.h"
#include "actors/processors/stock.h"
#include "actors/processors/text.h"

#include <stdio.h>

static int64_t s_count_lines (dw_text_t text) {
    int64_t count = text.size > 0 && text.bytes[text.size - 1] != '\n';
    for (size_t i = 0; i < text.size; i++)
        count += text.bytes[i] == '\n';
    return count;
}

/* The nodes of one branch, which the last joins with the others. */
static int s_add_branch (dw_graph_t *graph, int last, int64_t number,
                         const dw_settings_t *settings) {
    char pick[32], line[32];
    int64_t lines = dw_settings_integer (settings, "lines");
    snprintf (pick, sizeof pick, "pick_%lld", (long long) number);
    snprintf (line, sizeof line, "line_%lld", (long long) number);
    int picks = dw_graph_add (graph, pick, "pick_lines");
    int err = picks < 0 ? picks : dw_graph_set_integer (graph, picks, "first", number);
    if (!err)
        err = dw_graph_set_integer (graph, picks, "count", lines);
    int branch = dw_graph_add (graph, line, dw_settings_text (settings, "processor"));
    if (!err)
        err = branch < 0 ? branch : dw_graph_depend (graph, branch, pick);
    if (!err)
        err = dw_settings_give (settings, graph, branch);
    return err ? err : dw_graph_depend (graph, last, line);
}

static int s_add (dw_call_t *call, dw_graph_t *graph, int64_t count) {
    const dw_settings_t *settings = dw_call_settings (call);
    int last = dw_graph_add (graph, "all", "concat");
    int err = last < 0 ? last
                       : dw_graph_set_text (graph, last, "separator",
                                            dw_settings_text (settings, "separator"));
    for (int64_t number = 1; number <= count && !err;
         number += dw_settings_integer (settings, "lines"))
        err = s_add_branch (graph, last, number, settings);
    return err ? err : dw_call_add_graph (call, graph, "all");
}

static int s_process (dw_call_t *call, void *instance) {
    (void) instance;
    dw_text_t text;
    int err = dw_text_payload (call, &text);
    if (err)
        return err;
    int64_t count = s_count_lines (text);
    if (count == 0)
        return dw_call_set_text (call, "", 0) ? dw_text_fail_memory (call) : 0;
    int64_t lines = dw_settings_integer (dw_call_settings (call), "lines");
    int64_t nodes = 2 * ((count + lines - 1) / lines) + 1;
    if (nodes > dw_call_added_nodes_max (call)) /* known before it is made */
        return dw_call_fail (call, 413,
                             "the graph for %lld lines would have %lld nodes, and a run may be "
                             "added %u (executor_options.added.nodes_max)",
                             (long long) count, (long long) nodes,
                             (unsigned) dw_call_added_nodes_max (call));
    dw_graph_t *graph = dw_graph_new ();
    err = graph ? s_add (call, graph, count) : DW_ENOMEM;
    dw_graph_destroy (&graph);
    return err ? dw_call_fail (call, 500, "the graph for %lld lines cannot be made",
                               (long long) count)
               : 0;
}

static const dw_option_t s_options[] = {
    {.name = "processor",
     .type = DW_TEXT,
     .fallback = "identity",
     .help = "what is run on each line; the node's adds names it, and pick_lines and concat"},
    {.name = "options", .type = DW_OPTIONS, .fallback = "{}", .help = "what that processor takes"},
    {.name = "lines",
     .type = DW_INTEGER,
     .fallback = "1",
     .min = 1,
     .max = 4294967295.0,
     .help = "how many lines together"},
    {.name = "separator",
     .type = DW_TEXT,
     .fallback = "\n",
     .help = "what stands between two outputs"},
    {0},
};

const dw_processor_t dw_stock_for_each_line = {
    .name = "for_each_line",
    .help = "runs a processor on every line, each beside the others, and joins what they give",
    .intent = DW_TRANSFORM,
    .payload_only = true,
    .options = s_options,
    .start = dw_text_start,
    .process = s_process,
    .arg = (void *) s_options,
    .may_add = true,
};
