/* repeat_until.c - a loop: runs a processor on its payload until the text is as asked for.
 *
 * Each round is a graph of two nodes, the processor and behind it this one again; so a node with it
 * says `adds: [repeat_until, ...]`, and there are as many rounds at most as what is added may be
 * deep. */

#include "actors/processors/stock.h"
#include "actors/processors/text.h"

#include <string.h>

static const char s_self[] = "repeat_until";

static bool s_holds (const dw_settings_t *settings, dw_text_t text) {
    const char *wanted = dw_settings_text (settings, "contains");
    return (int64_t) text.size >= dw_settings_integer (settings, "min_bytes") &&
           memmem (text.bytes, text.size, wanted, strlen (wanted)) != NULL;
}

/* One more round. */
static int s_add (dw_call_t *call, dw_graph_t *graph) {
    const dw_settings_t *settings = dw_call_settings (call);
    const char *processor = dw_settings_text (settings, "processor");
    int round = dw_graph_add (graph, "round", processor);
    int again = dw_graph_add (graph, "again", s_self);
    int err = round < 0 ? round : again < 0 ? again : dw_graph_depend (graph, again, "round");
    if (!err)
        err = dw_settings_give (settings, graph, round);
    if (!err)
        err = dw_settings_give_on (settings, graph, again);
    if (!err)
        err = dw_graph_allow (graph, again, s_self);
    if (!err)
        err = dw_graph_allow (graph, again, processor);
    if (!err)
        err = dw_graph_set_text (graph, again, "processor", processor);
    if (!err)
        err = dw_graph_set_text (graph, again, "contains", dw_settings_text (settings, "contains"));
    if (!err)
        err = dw_graph_set_integer (graph, again, "min_bytes",
                                    dw_settings_integer (settings, "min_bytes"));
    return err ? err : dw_call_add_graph (call, graph, "again");
}

static int s_process (dw_call_t *call, void *instance) {
    (void) instance;
    dw_text_t text;
    int err = dw_text_payload (call, &text);
    if (err)
        return err;
    if (s_holds (dw_call_settings (call), text))
        return dw_call_set_payload (call) ? dw_text_fail_memory (call) : 0;
    dw_graph_t *graph = dw_graph_new ();
    err = graph ? s_add (call, graph) : DW_ENOMEM;
    dw_graph_destroy (&graph);
    return err ? dw_text_fail_memory (call) : 0;
}

static const dw_option_t s_options[] = {
    {.name = "processor",
     .type = DW_TEXT,
     .fallback = "identity",
     .help = "what is run in each round; the node's adds names it, and repeat_until"},
    {.name = "options", .type = DW_OPTIONS, .fallback = "{}", .help = "what that processor takes"},
    {.name = "contains", .type = DW_TEXT, .fallback = "", .help = "what is somewhere in the text"},
    {.name = "min_bytes",
     .type = DW_INTEGER,
     .fallback = "0",
     .min = 0,
     .max = 4294967295.0,
     .help = "how many bytes the text has at least"},
    {0},
};

const dw_processor_t dw_stock_repeat_until = {
    .name = "repeat_until",
    .help =
        "runs a processor on its payload, and on what that gives, until that is as its options say",
    .intent = DW_TRANSFORM,
    .payload_only = true,
    .options = s_options,
    .start = dw_text_start,
    .process = s_process,
    .arg = (void *) s_options,
    .may_add = true,
};
