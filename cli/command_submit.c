/* command_submit.c - dagwood submit: has a coordinator make a run, and prints every node's
 * result. */

#include "cli/connection.h"
#include "cli/detached.h"
#include "cli/output.h"

#define INPUT_SIZE_MAX UINT32_MAX /* the most that any graph's max_payload_bytes can be */
#define RECONNECT_MS   30000

typedef struct options_t {
    dw_connection_t connection;
    dw_request_t request;
    int reconnect_ms;
    bool detach;
    const char *wait, *cancel; /* the name of a detached run */
    const char *node;          /* of which this node is to be cancelled; NULL: all of it */
} options_t;

enum { KEY_RECONNECT = 256, KEY_DETACH, KEY_WAIT, KEY_CANCEL, KEY_NODE };

static const struct argp_option s_options[] = {
    {.name = "reconnect",
     .key = KEY_RECONNECT,
     .arg = "SECONDS",
     .doc = "How long to look for a coordinator that was lost, which goes on with the run "
            "meanwhile: 0 not at all, or `forever' [30]"},
    {.name = "detach",
     .key = KEY_DETACH,
     .doc = "Print a name of the run and end when the coordinator has it, which keeps its result"},
    {.name = "wait",
     .key = KEY_WAIT,
     .arg = "RUN",
     .doc = "Wait for the run of this name instead of making one, and print its result"},
    {.name = "cancel",
     .key = KEY_CANCEL,
     .arg = "RUN",
     .doc = "Cancel the run of this name, and print how it ended (as JSON with its result)"},
    {.name = "node",
     .key = KEY_NODE,
     .arg = "NODE",
     .doc = "With --cancel: cancel only this node and all that depends on it, wait for the rest of "
            "the run, and print its result"},
    {0},
};

static void s_check (const options_t *self, const struct argp_state *state) {
    const dw_request_t *request = &self->request;
    bool has_input = request->input || request->input_file || request->input_stdin ||
                     request->outputs_count > 0 || request->deadline_ms > 0;
    if ((self->detach ? 1 : 0) + (self->wait ? 1 : 0) + (self->cancel ? 1 : 0) > 1)
        argp_error (state, "one of them: --detach, --wait or --cancel");
    if (request->lines && (self->detach || self->wait || self->cancel)) {
        argp_error (state,
                    "--lines makes many runs, and waits for them: it goes with none of --detach, "
                    "--wait and --cancel");
    }
    if ((self->wait || self->cancel) && has_input) {
        argp_error (state, "--wait and --cancel are of a run that has its input, outputs and "
                           "deadline");
    }
}

static void s_check_node (const options_t *self, const struct argp_state *state) {
    if (self->node && !self->cancel)
        argp_error (state, "--node is of the run that --cancel names");
}

static error_t s_parse (int key, char *arg, struct argp_state *state) {
    options_t *self = state->input;
    switch (key) {
        case ARGP_KEY_INIT:
            state->child_inputs[0] = &self->connection;
            state->child_inputs[1] = &self->request;
            return 0;
        case KEY_RECONNECT: self->reconnect_ms = dw_command_reconnect (state, arg); return 0;
        case KEY_DETACH: self->detach = true; return 0;
        case KEY_WAIT: self->wait = arg; return 0;
        case KEY_CANCEL: self->cancel = arg; return 0;
        case KEY_NODE: self->node = arg; return 0;
        case ARGP_KEY_END:
            s_check (self, state);
            s_check_node (self, state);
            return 0;
        default: return ARGP_ERR_UNKNOWN;
    }
}

static const struct argp_child s_children[] = {
    {.argp = &dw_connection_argp},
    {.argp = &dw_request_argp},
    {0},
};

static const struct argp s_argp = {
    .options = s_options,
    .parser = s_parse,
    .children = s_children,
    .args_doc = "[-]",
    .doc =
        "Has a coordinator run its graph, and prints every node's result as `dagwood run' does. The "
        "input is a text, a file, or standard input for -."
        "\v"
        "SIGINT or SIGTERM cancels the run and prints what it got done; a second one ends the "
        "command at once. A run that was detached goes on when --wait is ended so.\n\n"
        "The name of a detached run is all that is needed to get its result, by the same key where "
        "there are keys. It is kept for a time and number that the coordinator was given "
        "(--keep-seconds, --keep-runs), and may be waited for again.\n\n"
        "Exit status: 0 the run is ok; 1 it is not; " DW_HELP_64
        "65 the rendezvous file has no endpoint; 66 a file cannot be read or the input is too large; 69 nobody answers, or there is no rendezvous file; " DW_HELP_71
        "74 the output cannot be written; 75 the coordinator was lost; 76 the coordinator refused, or has no run of this name any more; 77 a key is missing or refused; 130 and 143 ended by SIGINT and SIGTERM.",
};

static int s_connect (dw_client_t **client_p, const dw_connect_options_t *options) {
    dw_error_t *error = dw_error_new ();
    int err = dw_client_connect (client_p, options, error);
    int status = err ? dw_connection_fail (err, error, options) : DW_EXIT_OK;
    dw_error_destroy (&error);
    return status;
}

/* Has the run made, or taken up; all that is waited for ends when a signal comes. */
static int s_fly (const options_t *self, const dw_connect_options_t *options, dw_input_t *input,
                  const dw_signals_t *signals, dw_flight_t *flight) {
    dw_client_t *client = NULL;
    int status = s_connect (&client, options);
    if (!status)
        dw_client_set_notice (client, dw_command_notice, NULL);
    if (!status && self->detach) {
        status = dw_detached_begin (client, &self->request, input, signals);
    } else if (!status && (self->wait || self->cancel)) {
        status = dw_detached_wait (client, self->wait ? self->wait : self->cancel,
                                   self->cancel != NULL, self->node, signals, flight);
    } else if (!status) {
        status = dw_request_fly (&self->request, client, input, signals, false, flight);
    }
    dw_client_destroy (&client);
    return status;
}

/* Finds the coordinator, for which it waits, and has it make the run. */
static int s_find_and_fly (options_t *self, dw_input_t *input, dw_flight_t *flight) {
    dw_signals_t signals;
    dw_connect_options_t options;
    int status = dw_signals_catch (&signals, dw_flight_signals);
    if (status)
        return status;
    self->connection.stop_fd = signals.fd;
    status = dw_connection_find (&self->connection, &options);
    if (!status) {
        options.reconnect_ms = self->reconnect_ms;
        status = s_fly (self, &options, input, &signals, flight);
    }
    dw_signals_release (&signals);
    return status;
}

static int s_report (const options_t *self, const dw_flight_t *flight) {
    if (flight->signal && !flight->last)
        return DW_EXIT_SIGNAL + flight->signal;   /* It was waited for, and goes on. */
    bool is_wanted = self->cancel && !self->node; /* that it is not ok */
    if (is_wanted && self->request.format == DW_FORMAT_TEXT) {
        dw_output_print ("%s: %s\n", self->cancel,
                         dw_run_status_text (dw_result_status (flight->last)));
        return dw_output_close (DW_EXIT_OK);
    }
    int status = dw_request_report (&self->request, flight);
    return is_wanted && status == DW_EXIT_NOT_OK ? DW_EXIT_OK : status;
}

/* The input is read first, which may take as long as somebody writes: a signal ends that by
 * itself. */
static int s_submit (options_t *self) {
    dw_input_t input = {0};
    dw_flight_t flight = {.runs = 1, .in_flight_max = 1};
    int status = dw_request_read (&self->request, INPUT_SIZE_MAX, &input);
    if (!status)
        status = s_find_and_fly (self, &input, &flight);
    if (!status && !self->detach)
        status = s_report (self, &flight);
    dw_result_destroy (&flight.last);
    dw_input_free (&input);
    return dw_connection_end (&self->connection, status);
}

int dw_command_submit (int argc, char **argv) {
    options_t options = {.reconnect_ms = RECONNECT_MS};
    int status = dw_request_begin (&options.request, argc);
    if (!status && dw_command_parse (&s_argp, argc, argv, &options, &status))
        status = s_submit (&options);
    dw_request_end (&options.request);
    return status;
}
