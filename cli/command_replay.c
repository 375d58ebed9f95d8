/* command_replay.c - dagwood replay: a recording's decisions made again, compared, and printed. */

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "cli/output.h"
#include "cli/recording.h"
#include "cli/transcript.h"

typedef struct options_t {
    const char *file, *node;
    uint64_t until;
    dw_format_t format;
    bool is_quiet;
} options_t;

enum { KEY_UNTIL = 256, KEY_NODE, KEY_FORMAT, KEY_QUIET };

static const struct argp_option s_options[] = {
    {.name = "until", .key = KEY_UNTIL, .arg = "N", .doc = "Only its first N records [all]"},
    {.name = "node",
     .key = KEY_NODE,
     .arg = "ID",
     .doc = "Print only what is about this node (OUTER/INNER: of what OUTER added), and runs "
            "that begin and end [all]"},
    {.name = "format",
     .key = KEY_FORMAT,
     .arg = "text|json",
     .doc = "How to print; json is an object on a line [text]"},
    {.name = "quiet", .key = KEY_QUIET, .doc = "Print the summary alone"},
    {0},
};

static error_t s_parse (int key, char *arg, struct argp_state *state) {
    options_t *self = state->input;
    switch (key) {
        case KEY_UNTIL:
            self->until = dw_command_number (state, "--until", arg, 1, UINT64_MAX);
            return 0;
        case KEY_NODE: self->node = arg; return 0;
        case KEY_FORMAT: self->format = dw_command_format (state, arg); return 0;
        case KEY_QUIET: self->is_quiet = true; return 0;
        case ARGP_KEY_ARG:
            if (self->file)
                argp_error (state, "one recording at a time, and \"%s\" is a second", arg);
            self->file = arg;
            return 0;
        case ARGP_KEY_NO_ARGS: argp_error (state, "which recording?"); return 0;
        default: return ARGP_ERR_UNKNOWN;
    }
}

static const struct argp s_argp = {
    .options = s_options,
    .parser = s_parse,
    .args_doc = "FILE",
    .doc =
        "Feeds a recording (dagwood run --record FILE) to the scheduler again, which must decide as it did, and "
        "prints what went in (<), what it decided (>), and what the coordinator's own thread ran (=)."
        "\v"
        "A recording whose process was ended has a torn tail, which is told; the rest is replayed.\n\n"
        "Exit status: 0; 1 the scheduler decides otherwise than was recorded, which is said with the place; " DW_HELP_64
        "65 the recording is damaged, or none, or of a later version; 66 it cannot be read; " DW_HELP_71
        "74 the output cannot be written.",
};

/* Messages of the whole, for people: what was replayed, and that it came out the same. */
static void s_print_summary (const dw_open_recording_t *open, const options_t *self,
                             const dw_transcript_t *transcript) {
    dw_scheduler_counts_t counts = dw_scheduler_counts (dw_replay_scheduler (open->replay));
    if (self->format == DW_FORMAT_JSON) {
        dw_output_print ("{\"records\": %" PRIu64 ", \"events\": %" PRIu64
                         ", \"commands\": %" PRIu64 ", \"own_tasks\": %" PRIu64
                         ", \"runs\": %" PRIu64 ", \"steps_done\": %" PRIu64 ", \"same\": true}\n",
                         transcript->records, transcript->events, transcript->commands,
                         transcript->own_tasks, counts.runs_submitted, counts.steps_done);
        return;
    }
    char text[32];
    dw_output_print ("%" PRIu64 " records of %s, %" PRIu64 " events, %" PRIu64 " commands, %" PRIu64
                     " tasks of the coordinator's thread: the same commands\n",
                     transcript->records, dw_recording_ns (text, (double) transcript->time_ns),
                     transcript->events, transcript->commands, transcript->own_tasks);
    dw_output_print ("runs: %" PRIu64 " submitted, %" PRIu64 " ok, %" PRIu64 " partial, %" PRIu64
                     " failed, %" PRIu64 " cancelled; nodes done: %" PRIu64
                     ", attempts failed: %" PRIu64 ", retries: %" PRIu64 ", timeouts: %" PRIu64
                     ", workers lost: %" PRIu64 "\n",
                     counts.runs_submitted, counts.runs_ok, counts.runs_partial, counts.runs_failed,
                     counts.runs_cancelled, counts.steps_done, counts.attempts_failed,
                     counts.retries, counts.timeouts, counts.losses);
}

static int s_replay (const options_t *self, dw_open_recording_t *open) {
    dw_transcript_t transcript = {.replay = open->replay,
                                  .plan = open->plan,
                                  .node = DW_NONE,
                                  .is_json = self->format == DW_FORMAT_JSON,
                                  .is_quiet = self->is_quiet};
    if (self->node) {
        transcript.node = dw_plan_find (open->plan, self->node);
        if (transcript.node == DW_NONE)
            transcript.node = dw_recording_outer (open, self->node, &transcript.inner);
        if (transcript.node == DW_NONE) {
            dw_command_node (open->plan, "", self->file, self->node); /* which says so */
            return DW_EXIT_USAGE;
        }
    }
    dw_watch_t watch = dw_transcript_watch (&transcript);
    int status = dw_recording_replay (open, &watch, self->until);
    if (!status && transcript.inner && !transcript.was_found) {
        dw_command_say ("%s has no node \"%s\" in what \"%s\" added", self->file, transcript.inner,
                        open->plan->ids[transcript.node]);
        return DW_EXIT_USAGE;
    }
    if (!status)
        s_print_summary (open, self, &transcript);
    return status;
}

int dw_command_replay (int argc, char **argv) {
    options_t options = {0};
    dw_open_recording_t open;
    int status = DW_EXIT_OK;
    if (!dw_command_parse (&s_argp, argc, argv, &options, &status))
        return status;
    status = dw_recording_load (&open, options.file);
    if (!status)
        status = s_replay (&options, &open);
    dw_recording_unload (&open);
    return status;
}
