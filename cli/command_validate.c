/* command_validate.c - dagwood validate: everything that is wrong with graph files. */

#include "cli/command.h"
#include "cli/output.h"
#include "runtime/core/plan.h"

typedef struct options_t {
    char **files;
    int files_count;
} options_t;

static error_t s_parse (int key, char *arg, struct argp_state *state) {
    options_t *self = state->input;
    (void) arg;
    switch (key) {
        case ARGP_KEY_ARGS:
            self->files = state->argv + state->next;
            self->files_count = state->argc - state->next;
            return 0;
        case ARGP_KEY_NO_ARGS: argp_error (state, "which graph file?"); return 0;
        default: return ARGP_ERR_UNKNOWN;
    }
}

static const struct argp s_argp = {
    .parser = s_parse,
    .args_doc = "GRAPH...",
    .doc = "Says everything that is wrong with graph files, as FILE:LINE:COLUMN: error: ..., on "
           "standard error; of each that is right, how many nodes and edges it has."
           "\v"
           "Exit status: 0 every file is right; " DW_HELP_64 "66 one cannot be read; " DW_HELP_71
           "74 the output cannot be written; 78 one is wrong.",
};

static int s_validate (const char *file) {
    dw_plan_t *plan = NULL;
    int status = dw_command_load (NULL, &plan, file);
    if (status)
        return status;
    dw_output_write_escaped (file);
    dw_output_print (": ok, %u node%s, %u edge%s\n", plan->nodes_count,
                     plan->nodes_count == 1 ? "" : "s", plan->edges_count,
                     plan->edges_count == 1 ? "" : "s");
    dw_plan_destroy (&plan);
    return DW_EXIT_OK;
}

int dw_command_validate (int argc, char **argv) {
    options_t options = {0};
    int status = DW_EXIT_OK;
    if (!dw_command_parse (&s_argp, argc, argv, &options, &status))
        return status;
    for (int i = 0; i < options.files_count; i++) {
        int one = s_validate (options.files[i]);
        status = one > status ? one : status; /* 78 is told rather than 66. */
    }
    return status;
}
