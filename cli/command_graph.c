/* command_graph.c - dagwood graph: a graph drawn, as a text for dot or mermaid. */

#include "cli/command.h"
#include "cli/output.h"
#include "runtime/core/error.h"
#include "runtime/core/plan.h"

typedef enum format_t { FORMAT_DOT, FORMAT_MERMAID } format_t;
static const char *const s_formats[] = {"dot", "mermaid", NULL};

typedef struct options_t {
    const char *file;
    format_t format;
} options_t;

enum { KEY_FORMAT = 256 }; /* beyond the characters: it has no short form */

static error_t s_parse (int key, char *arg, struct argp_state *state) {
    options_t *self = state->input;
    switch (key) {
        case KEY_FORMAT:
            self->format = (format_t) dw_command_choose (state, "--format", s_formats, arg);
            return 0;
        case ARGP_KEY_ARG:
            if (self->file)
                argp_error (state, "one graph at a time, and \"%s\" is a second", arg);
            self->file = arg;
            return 0;
        case ARGP_KEY_NO_ARGS: argp_error (state, "which graph file?"); return 0;
        default: return ARGP_ERR_UNKNOWN;
    }
}

static const struct argp_option s_options[] = {
    {.name = "format", .key = KEY_FORMAT, .arg = "dot|mermaid", .doc = "How to draw it [dot]"},
    {0},
};

static const struct argp s_argp = {
    .options = s_options,
    .parser = s_parse,
    .args_doc = "GRAPH",
    .doc =
        "Draws a graph. Transforms are boxes, analyzers are rounded; what nodes demand of the workers "
        "that run them is below their processors."
        "\v"
        "For a picture: dagwood graph g.yaml | dot -Tsvg >g.svg\n\n"
        "Exit status: 0; " DW_HELP_64 "66 the file cannot be read; " DW_HELP_71
        "74 the output cannot be written; 78 the graph is wrong.",
};

/* A language that graphs are drawn in: what it says instead of a byte, NULL where that stays; and
 * what the escape of a control character, such as \x1b, begins with. */
typedef struct language_t {
    const char *(*instead) (char byte);
    const char *backslash;
} language_t;

/* Writes an escape as messages have it, each backslash as the language says. */
static void s_write_control (const char *text, size_t control, const language_t *language) {
    char escaped[2 * DW_ESCAPED_MAX + 1];
    dw_error_escape (escaped, text, control);
    for (const char *at = escaped; *at; at++)
        if (*at == '\\')
            dw_output_text (language->backslash);
        else
            dw_output_write (at, 1);
}

static void s_write_escaped (const char *text, const language_t *language) {
    const char *from = text;
    while (*text) {
        const char *escape = language->instead (*text);
        size_t control = dw_error_control (text);
        if (!escape && control == 0) {
            text++;
            continue;
        }
        dw_output_write (from, (size_t) (text - from));
        if (escape)
            dw_output_text (escape);
        else
            s_write_control (text, control, language);
        text += escape ? 1 : control;
        from = text;
    }
    dw_output_text (from);
}

/* What a node demands of who runs it, behind line; nothing when it demands nothing. */
static void s_write_demand (const dw_plan_t *plan, uint32_t n, const char *line,
                            const language_t *language) {
    char shown[DW_DEMAND_SHOWN];
    if (!dw_plan_lane_is_free (plan, plan->lane[n])) {
        dw_output_text (line);
        s_write_escaped (dw_plan_show_demand (plan, plan->lane[n], shown), language);
    }
}

/* ---- dot ---------------------------------------------------------------------------------- */

/* A name is any quoted text, in which a backslash escapes nothing but a quote. One of the graph's is
 * doubled, so that no name is taken for another's escaped control character. */
static const char *s_instead_in_dot_name (char byte) {
    switch (byte) {
        case '"': return "\\\"";
        case '\\': return "\\\\";
        default: return NULL;
    }
}

/* A label is read once more: for escapes, for entities, and by lines. */
static const char *s_instead_in_dot_label (char byte) {
    switch (byte) {
        case '&': return "&amp;";
        case '\n': return "\\n";
        case '\r': return "\\r";
        default: return s_instead_in_dot_name (byte);
    }
}

static const language_t s_dot_name = {s_instead_in_dot_name, "\\"};
static const language_t s_dot_label = {s_instead_in_dot_label, "\\\\"};

static void s_draw_dot_node (const dw_plan_t *plan, uint32_t n) {
    bool analyzer = plan->flags[n] & DW_NODE_ANALYZE;
    dw_output_text ("    \"");
    s_write_escaped (plan->ids[n], &s_dot_name);
    dw_output_text ("\" [label=\"");
    s_write_escaped (plan->ids[n], &s_dot_label);
    dw_output_text ("\\n");
    s_write_escaped (plan->kinds[plan->kind[n]], &s_dot_label);
    s_write_demand (plan, n, "\\n", &s_dot_label);
    dw_output_text (analyzer ? "\", shape=ellipse];\n" : "\", shape=box];\n");
}

static bool s_draw_dot_edge (const char *from, const char *to) {
    dw_output_text ("    \"");
    s_write_escaped (from, &s_dot_name);
    dw_output_text ("\" -> \"");
    s_write_escaped (to, &s_dot_name);
    return dw_output_text ("\";\n");
}

static void s_draw_dot (const dw_plan_t *plan) {
    dw_output_text ("digraph dagwood {\n    rankdir=LR;\n");
    for (uint32_t n = 0; n < plan->nodes_count; n++)
        s_draw_dot_node (plan, n);
    for (uint32_t n = 0; n < plan->nodes_count; n++) {
        for (uint32_t e = plan->dependencies_at[n]; e < plan->dependencies_at[n + 1]; e++)
            if (!s_draw_dot_edge (plan->ids[plan->dependencies[e]], plan->ids[n]))
                return;
    }
    dw_output_text ("}\n");
}

/* ---- mermaid ------------------------------------------------------------------------------ */

/* Names are words only, so nodes are called n0, n1, ...; labels know entities written with # for
 * &. */
static const char *s_instead_in_mermaid (char byte) {
    switch (byte) {
        case '"': return "#quot;";
        case '#': return "#35;";
        case '&': return "#amp;";
        case '<': return "#lt;";
        case '>': return "#gt;";
        case '`': return "#96;";
        case '\\': return "#92;";
        case '\n': return "<br/>";
        case '\r': return " ";
        default: return NULL;
    }
}

static const language_t s_mermaid = {s_instead_in_mermaid, "#92;"};

static void s_draw_mermaid_node (const dw_plan_t *plan, uint32_t n) {
    bool analyzer = plan->flags[n] & DW_NODE_ANALYZE;
    dw_output_print ("    n%u%s\"", n, analyzer ? "([" : "[");
    s_write_escaped (plan->ids[n], &s_mermaid);
    dw_output_text ("<br/>");
    s_write_escaped (plan->kinds[plan->kind[n]], &s_mermaid);
    s_write_demand (plan, n, "<br/>", &s_mermaid);
    dw_output_text (analyzer ? "\"])\n" : "\"]\n");
}

static void s_draw_mermaid (const dw_plan_t *plan) {
    dw_output_text ("flowchart LR\n");
    for (uint32_t n = 0; n < plan->nodes_count; n++)
        s_draw_mermaid_node (plan, n);
    for (uint32_t n = 0; n < plan->nodes_count; n++) {
        for (uint32_t e = plan->dependencies_at[n]; e < plan->dependencies_at[n + 1]; e++)
            if (!dw_output_print ("    n%u --> n%u\n", plan->dependencies[e], n))
                return;
    }
}

/* ---- The command -------------------------------------------------------------------------- */

int dw_command_graph (int argc, char **argv) {
    options_t options = {0};
    int status = DW_EXIT_OK;
    if (!dw_command_parse (&s_argp, argc, argv, &options, &status))
        return status;
    dw_plan_t *plan = NULL;
    status = dw_command_load (NULL, &plan, options.file);
    if (status)
        return status;
    switch (options.format) {
        case FORMAT_DOT: s_draw_dot (plan); break;
        case FORMAT_MERMAID: s_draw_mermaid (plan); break;
    }
    dw_plan_destroy (&plan);
    return DW_EXIT_OK;
}
