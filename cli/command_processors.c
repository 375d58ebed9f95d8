/* command_processors.c - dagwood processors: what graphs may name, and the options of each. */

#include <inttypes.h>
#include <string.h>

#include "cli/command.h"
#include "cli/output.h"
#include "dagwood_processor.h"

typedef struct options_t {
    const char *name; /* NULL: all */
} options_t;

static error_t s_parse (int key, char *arg, struct argp_state *state) {
    options_t *self = state->input;
    switch (key) {
        case ARGP_KEY_ARG:
            if (self->name)
                argp_error (state, "one processor at a time, and \"%s\" is a second", arg);
            self->name = arg;
            return 0;
        default: return ARGP_ERR_UNKNOWN;
    }
}

static const struct argp s_argp = {
    .parser = s_parse,
    .args_doc = "[NAME]",
    .doc = "Lists the processors that a graph may name; with a NAME, its options with their types, "
           "defaults and ranges."
           "\v"
           "Exit status: 0; 64 usage, or there is no such processor; " DW_HELP_71
           "74 the output cannot be written.",
};

static const char *s_intent (const dw_processor_t *processor) {
    return processor->intent == DW_ANALYZE ? "analyze" : "transform";
}

static void s_list (const dw_processors_t *processors) {
    int width = 0;
    for (size_t i = 0; i < dw_processors_count (processors); i++) {
        int size = (int) strlen (dw_processors_at (processors, i)->name);
        width = size > width ? size : width;
    }
    for (size_t i = 0; i < dw_processors_count (processors); i++) {
        const dw_processor_t *processor = dw_processors_at (processors, i);
        dw_output_print ("%-*s  %-9s  %s\n", width, processor->name, s_intent (processor),
                         processor->help ? processor->help : "");
    }
}

static const char *s_type (dw_option_type_t type) {
    switch (type) {
        case DW_TEXT: return "text";
        case DW_INTEGER: return "integer";
        case DW_NUMBER: return "number";
        case DW_BOOLEAN: return "true or false";
        case DW_OPTIONS: return "options";
    }
    return "";
}

static void s_explain_option (const dw_option_t *option) {
    dw_output_print ("  %s: %s", option->name, s_type (option->type));
    if (option->min < option->max)
        dw_output_print (" from %.15g to %.15g", option->min, option->max);
    if (option->fallback) {
        const char *quote = option->type == DW_TEXT ? "\"" : "";
        dw_output_print (", default %s", quote);
        dw_output_write_escaped (option->fallback);
        dw_output_text (quote);
    } else {
        dw_output_text (", required");
    }
    dw_output_print ("\n      %s\n", option->help ? option->help : "");
}

static void s_explain (const dw_processor_t *processor) {
    dw_output_print ("%s (%s): %s\n", processor->name, s_intent (processor),
                     processor->help ? processor->help : "");
    if (!processor->options || !processor->options[0].name) {
        dw_output_text ("It takes no options.\n");
        return;
    }
    dw_output_text ("Options:\n");
    for (const dw_option_t *option = processor->options; option->name; option++)
        s_explain_option (option);
}

int dw_command_processors (int argc, char **argv) {
    options_t options = {0};
    int status = DW_EXIT_OK;
    if (!dw_command_parse (&s_argp, argc, argv, &options, &status))
        return status;
    dw_processors_t *processors = dw_processors_new ();
    if (!processors)
        return dw_command_fail (DW_ENOMEM, NULL, "the processors");
    if (!options.name) {
        s_list (processors);
    } else {
        const dw_processor_t *processor = dw_processors_find (processors, options.name);
        if (processor)
            s_explain (processor);
        else
            status = dw_command_no_processor (processors, options.name);
    }
    dw_processors_destroy (&processors);
    return status;
}
