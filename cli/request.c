/* request.c */

#include "cli/request.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/output.h"
#include "cli/report.h"
#include "cli/stream.h"

/* ---- Its words ---------------------------------------------------------------------------- */

enum {
    KEY_INPUT = 256, /* beyond the characters: none has a short form */
    KEY_INPUT_FILE,
    KEY_FORMAT,
    KEY_OUTPUT,
    KEY_DEADLINE,
    KEY_LINES,
    KEY_NULL,
    KEY_UNORDERED,
};

static const struct argp_option s_options[] = {
    {.name = "input", .key = KEY_INPUT, .arg = "TEXT", .doc = "The run's input [empty]"},
    {.name = "input-file", .key = KEY_INPUT_FILE, .arg = "FILE", .doc = "The file with the input"},
    {.name = "format", .key = KEY_FORMAT, .arg = "text|json", .doc = "How to print [text]"},
    {.name = "output",
     .key = KEY_OUTPUT,
     .arg = "NODE",
     .doc = "Run only what this node needs and keep only its output; may be repeated [every node "
            "runs, the outputs are those on which no other depends]"},
    {.name = "deadline",
     .key = KEY_DEADLINE,
     .arg = "SECONDS",
     .doc = "How long the whole run may take: what it is at then has failed, and the rest is "
            "skipped [as long as it takes]"},
    {.name = "lines",
     .key = KEY_LINES,
     .arg = "FILE",
     .doc =
         "Make a run of every line of the file (- for standard input), thousands at a time, and print each "
         "result as a line of JSON, in the order of the lines"},
    {.name = "null", .key = KEY_NULL, .doc = "With --lines: NUL ends a record, not newline"},
    {.name = "unordered", .key = KEY_UNORDERED, .doc = "With --lines: print results as they come"},
    {0},
};

static void s_check (const dw_request_t *self, const struct argp_state *state) {
    int inputs = (self->input ? 1 : 0) + (self->input_file ? 1 : 0) + (self->input_stdin ? 1 : 0);
    if (inputs > 1)
        argp_error (state, "a run has one input: --input, --input-file or -, not several");
    if (self->lines && (inputs > 0 || self->counted)) {
        argp_error (state,
                    "with --lines every line is the input of one run: --input, --input-file, "
                    "- and --repeat make no sense there");
    }
    if ((self->is_null || self->is_unordered) && !self->lines)
        argp_error (state, "--null and --unordered are of no use without --lines");
    if (self->lines && self->has_format && self->format == DW_FORMAT_TEXT)
        argp_error (state, "--format text is of no use with --lines, which prints JSON");
}

/* One that is said twice is one. */
static void s_add_output (dw_request_t *self, const char *id) {
    for (size_t i = 0; i < self->outputs_count; i++)
        if (strcmp (self->outputs[i], id) == 0)
            return;
    self->outputs[self->outputs_count++] = id;
}

static error_t s_parse (int key, char *arg, struct argp_state *state) {
    dw_request_t *self = state->input;
    switch (key) {
        case KEY_INPUT: self->input = arg; return 0;
        case KEY_INPUT_FILE: self->input_file = arg; return 0;
        case KEY_FORMAT:
            self->format = dw_command_format (state, arg);
            self->has_format = true;
            return 0;
        case KEY_OUTPUT: s_add_output (self, arg); return 0;
        case KEY_DEADLINE:
            self->deadline_ms = (uint32_t) dw_command_seconds (state, "--deadline", arg, 1);
            return 0;
        case KEY_LINES: self->lines = arg; return 0;
        case KEY_NULL: self->is_null = true; return 0;
        case KEY_UNORDERED: self->is_unordered = true; return 0;
        case ARGP_KEY_ARG:
            if (strcmp (arg, "-") != 0)
                return ARGP_ERR_UNKNOWN;
            self->input_stdin = true;
            return 0;
        case ARGP_KEY_END: s_check (self, state); return 0;
        default: return ARGP_ERR_UNKNOWN;
    }
}

const struct argp dw_request_argp = {.options = s_options, .parser = s_parse};

int dw_request_begin (dw_request_t *self, int argc) {
    *self = (dw_request_t){
        .outputs = calloc ((size_t) argc, sizeof *self->outputs), /* more than can be said */
    };
    return self->outputs ? DW_EXIT_OK
                         : dw_command_fail (DW_ENOMEM, NULL, "the options cannot be read");
}

void dw_request_end (dw_request_t *self) {
    free (self->outputs);
    *self = (dw_request_t){0};
}

/* ---- The runs ----------------------------------------------------------------------------- */

int dw_request_read (const dw_request_t *self, uint64_t size_max, dw_input_t *input) {
    if (self->lines)
        return dw_records_open (&input->records, self->lines, self->is_null ? '\0' : '\n');
    if (self->input_file)
        return dw_input_read_file (input, self->input_file, size_max);
    if (self->input_stdin)
        return dw_input_read_stdin (input, size_max);
    return dw_input_take (input, self->input ? self->input : "", size_max);
}

uint32_t dw_request_runs_max (const dw_request_t *self, uint32_t otherwise) {
    return self->lines ? DW_STREAM_RUNS_MAX : otherwise;
}

static int s_stream (const dw_request_t *self, dw_client_t *client, dw_input_t *input,
                     const dw_signals_t *signals, dw_flight_t *flight) {
    dw_lines_options_t options = {
        .outputs = self->outputs,
        .outputs_count = self->outputs_count,
        .deadline_ms = self->deadline_ms,
        .is_unordered = self->is_unordered,
    };
    return dw_stream_run (&options, client, &input->records, signals, flight);
}

/* What was submitted may be made, or be refused: it has no result in any case. */
static int s_fail (const dw_flight_t *flight, int err, const dw_error_t *error) {
    uint64_t in_flight = flight->submitted - flight->ended;
    char doing[64] = "the run cannot be made";
    if (in_flight == 1)
        snprintf (doing, sizeof doing, "the run has no result");
    else if (in_flight > 1)
        snprintf (doing, sizeof doing, "%llu runs have no result", (unsigned long long) in_flight);
    return dw_command_fail (err, error, doing);
}

static int s_repeat (const dw_request_t *self, dw_client_t *client, const dw_input_t *input,
                     const dw_signals_t *signals, bool bar, dw_flight_t *flight) {
    dw_submission_t submission = {
        .payload = input->text,
        .size = input->size,
        .is_text = true,
        .outputs = self->outputs,
        .outputs_count = self->outputs_count,
        .deadline_ms = self->deadline_ms,
        .wait_ms = 0,
    };
    dw_error_t *error = dw_error_new ();
    int err = dw_flight_run (flight, client, &submission, signals, bar, error);
    int status = err ? s_fail (flight, err, error) : DW_EXIT_OK;
    dw_error_destroy (&error);
    return status;
}

int dw_request_fly (const dw_request_t *self, dw_client_t *client, dw_input_t *input,
                    const dw_signals_t *signals, bool bar, dw_flight_t *flight) {
    return self->lines ? s_stream (self, client, input, signals, flight)
                       : s_repeat (self, client, input, signals, bar, flight);
}

static int s_print (const dw_request_t *self, const dw_flight_t *flight) {
    switch (self->format) {
        case DW_FORMAT_TEXT: return dw_report_text_print (flight, self->counted);
        case DW_FORMAT_JSON: return dw_report_json_print (flight, self->counted);
    }
    return DW_OK;
}

int dw_request_report (const dw_request_t *self, const dw_flight_t *flight) {
    int err = self->lines ? DW_OK : s_print (self, flight);
    int status = DW_EXIT_OK;
    if (err)
        status = dw_command_fail (err, NULL, "the result cannot be printed");
    else if (flight->signal)
        status = DW_EXIT_SIGNAL + flight->signal;
    else if (flight->ended_as[DW_RUN_OK] < flight->ended)
        status = DW_EXIT_NOT_OK;
    return dw_output_close (status); /* Written out before a stuck actor is waited for. */
}
