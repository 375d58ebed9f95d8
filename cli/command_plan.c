/* command_plan.c - dagwood plan: what a graph is compiled to. */

#include "cli/command.h"
#include "cli/output.h"
#include "runtime/core/plan.h"

typedef struct options_t {
    const char *file;
} options_t;

static error_t s_parse (int key, char *arg, struct argp_state *state) {
    options_t *self = state->input;
    switch (key) {
        case ARGP_KEY_ARG:
            if (self->file)
                argp_error (state, "one graph at a time, and \"%s\" is a second", arg);
            self->file = arg;
            return 0;
        case ARGP_KEY_NO_ARGS: argp_error (state, "which graph file?"); return 0;
        default: return ARGP_ERR_UNKNOWN;
    }
}

static const struct argp s_argp = {
    .parser = s_parse,
    .args_doc = "GRAPH",
    .doc = "Prints what a graph is compiled to: lanes (nodes that the same actors run), levels, "
           "chains (nodes that run as one task), ranks with the source of each payload, and the "
           "critical path."
           "\v"
           "Exit status: 0; " DW_HELP_64 "66 the file cannot be read; " DW_HELP_71
           "74 the output cannot be written; 78 the graph is wrong.",
};

static bool s_write (void *arg, const char *text, size_t size) {
    (void) arg;
    return dw_output_write (text, size);
}

int dw_command_plan (int argc, char **argv) {
    options_t options = {0};
    int status = DW_EXIT_OK;
    if (!dw_command_parse (&s_argp, argc, argv, &options, &status))
        return status;
    dw_plan_t *plan = NULL;
    status = dw_command_load (NULL, &plan, options.file);
    if (status)
        return status;
    dw_plan_print (plan, s_write, NULL);
    dw_plan_destroy (&plan);
    return DW_EXIT_OK;
}
