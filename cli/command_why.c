/* command_why.c - dagwood why: a recorded run explained, or one node of it. */

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "cli/explain.h"
#include "cli/output.h"

typedef struct options_t {
    const char *file, *node;
    uint64_t run;
    dw_format_t format;
} options_t;

enum { KEY_RUN = 256, KEY_FORMAT };

static const struct argp_option s_options[] = {
    {.name = "run", .key = KEY_RUN, .arg = "N", .doc = "Which run, from 1, as submitted [1]"},
    {.name = "format", .key = KEY_FORMAT, .arg = "text|json", .doc = "How to print [text]"},
    {0},
};

static error_t s_parse (int key, char *arg, struct argp_state *state) {
    options_t *self = state->input;
    switch (key) {
        case KEY_RUN: self->run = dw_command_number (state, "--run", arg, 1, UINT64_MAX); return 0;
        case KEY_FORMAT: self->format = dw_command_format (state, arg); return 0;
        case ARGP_KEY_ARG:
            if (!self->file)
                self->file = arg;
            else if (!self->node)
                self->node = arg;
            else
                argp_error (state, "one node at a time, and \"%s\" is a second", arg);
            return 0;
        case ARGP_KEY_NO_ARGS: argp_error (state, "which recording?"); return 0;
        default: return ARGP_ERR_UNKNOWN;
    }
}

static const struct argp s_argp = {
    .options = s_options,
    .parser = s_parse,
    .args_doc = "FILE [NODE]",
    .doc =
        "Says where the time of a recorded run went (dagwood run --record FILE), what its critical path was, and how "
        "far from the best possible it was; or of one node when it ran, where and how often, what "
        "it waited for, or why it did not."
        "\v"
        "Times that pass in a worker are known by what it measured; what is left of a task's time is put down "
        "to messages.\n\n"
        "Exit status: 0; 1 the recording cannot be replayed to its end, which is said; 64 usage, no such node or run; 65 the recording is damaged, or none, or of a later version; 66 it cannot be read; " DW_HELP_71
        "74 the output cannot be written.",
};

static int s_explain (const options_t *self, const dw_open_recording_t *open, dw_why_t *why) {
    dw_explain_t explain = {
        .why = why, .runs_count = dw_replay_runs_count (open->replay), .file = self->file};
    if (why->no_memory)
        return dw_command_fail (DW_ENOMEM, NULL, self->file);
    if (!why->was_submitted) {
        dw_command_say ("%s has no run %" PRIu64 "; it has %" PRIu64, self->file, why->run,
                        explain.runs_count);
        return DW_EXIT_USAGE;
    }
    if (self->format == DW_FORMAT_JSON) {
        return dw_explain_json (&explain,
                                self->node ? dw_plan_find (open->plan, self->node) : DW_NONE);
    }
    return self->node ? dw_explain_node (&explain, dw_plan_find (open->plan, self->node))
                      : dw_explain_run (&explain);
}

static int s_why (const options_t *self, dw_open_recording_t *open) {
    dw_why_t why;
    const char *inner = NULL;
    uint32_t outer = DW_NONE;
    if (self->node && dw_plan_find (open->plan, self->node) == DW_NONE)
        outer = dw_recording_outer (open, self->node, &inner);
    if (outer != DW_NONE) {
        dw_command_say (
            "\"%s\" is for a node of a graph that \"%s\" added, which is explained as a whole: "
            "ask why of \"%s\", or dagwood replay --node %s",
            self->node, open->plan->ids[outer], open->plan->ids[outer], self->node);
        return DW_EXIT_USAGE;
    }
    if (self->node && dw_command_node (open->plan, "", self->file, self->node) == DW_NONE)
        return DW_EXIT_USAGE;
    if (dw_why_begin (&why, open->replay, self->run ? self->run : 1))
        return dw_command_fail (DW_ENOMEM, NULL, self->file);
    dw_watch_t watch = dw_why_watch (&why);
    int status = dw_recording_replay (open, &watch, 0);
    dw_why_end (&why, dw_replay_moment (open->replay).time_ns);
    int explained = s_explain (self, open, &why);
    dw_why_free (&why);
    return status ? status : explained;
}

int dw_command_why (int argc, char **argv) {
    options_t options = {0};
    dw_open_recording_t open;
    int status = DW_EXIT_OK;
    if (!dw_command_parse (&s_argp, argc, argv, &options, &status))
        return status;
    status = dw_recording_load (&open, options.file);
    if (!status)
        status = s_why (&options, &open);
    dw_recording_unload (&open);
    return status;
}
