/* command_submit.c - dagwood submit: has a coordinator make a run, and prints every node's result. */

#include <string.h>

#include "cli/connection.h"
#include "cli/request.h"

#define INPUT_SIZE_MAX UINT32_MAX /* the most that any graph's max_payload_bytes can be */
#define RECONNECT_MS   30000

typedef struct options_t {
    dw_connection_t connection;
    dw_request_t request;
    const char *graph;
    int reconnect_ms;
} options_t;

enum { KEY_GRAPH = 256, KEY_RECONNECT };

static const struct argp_option s_options[] = {
    {.name = "graph",
     .key = KEY_GRAPH,
     .arg = "NAME",
     .doc = "The name that the coordinator's graph must have [any]"},
    {.name = "reconnect",
     .key = KEY_RECONNECT,
     .arg = "SECONDS",
     .doc = "How long to look for a coordinator that was lost, which goes on with the run "
            "meanwhile: 0 not at all, or `forever' [30]"},
    {0},
};

static error_t s_parse (int key, char *arg, struct argp_state *state) {
    options_t *self = state->input;
    switch (key) {
        case ARGP_KEY_INIT:
            state->child_inputs[0] = &self->connection;
            state->child_inputs[1] = &self->request;
            return 0;
        case KEY_GRAPH: self->graph = arg; return 0;
        case KEY_RECONNECT:
            self->reconnect_ms = dw_command_reconnect (state, arg);
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
        "command at once.\n\n"
        "Exit status: 0 the run is ok; 1 it is not; 64 usage; 65 the rendezvous file has no "
        "endpoint; 66 a file cannot be read or the input is too large; 69 nobody answers, or "
        "there is no rendezvous file; 71 the system refuses threads, memory or descriptors; 74 "
        "the output cannot be written; 75 the coordinator was lost; 76 the coordinator refused; "
        "77 a key is missing or refused; 130 and 143 ended by SIGINT and SIGTERM.",
};

static int s_connect (dw_client_t **client_p, const dw_connect_options_t *options) {
    dw_error_t *error = dw_error_new ();
    int err = dw_client_connect (client_p, options, error);
    int status = err ? dw_connection_fail (err, error, options) : DW_EXIT_OK;
    dw_error_destroy (&error);
    return status;
}

static int s_fly (const options_t *self, const dw_connect_options_t *options,
                  const dw_input_t *input, dw_flight_t *flight) {
    dw_signals_t signals;
    dw_client_t *client = NULL;
    int status = dw_signals_catch (&signals, dw_flight_signals);
    if (status) {
        return status;
    }
    status = s_connect (&client, options);
    if (!status) {
        status = dw_request_fly (&self->request, client, input, &signals, false, flight);
    }
    dw_client_destroy (&client);
    dw_signals_release (&signals);
    return status;
}

static int s_submit (options_t *self) {
    dw_connect_options_t options;
    dw_input_t input = {0};
    dw_flight_t flight = {.runs = 1, .in_flight_max = 1};
    int status = dw_connection_find (&self->connection, &options);
    if (!status) {
        options.graph = self->graph;
        options.reconnect_ms = self->reconnect_ms;
        status = dw_request_read (&self->request, INPUT_SIZE_MAX, &input);
    }
    if (!status) {
        status = s_fly (self, &options, &input, &flight);
    }
    if (!status) {
        status = dw_request_report (&self->request, &flight);
    }
    dw_result_destroy (&flight.last);
    dw_input_free (&input);
    return status;
}

int dw_command_submit (int argc, char **argv) {
    options_t options = {.reconnect_ms = RECONNECT_MS};
    int status = dw_request_begin (&options.request, argc);
    if (!status && dw_command_parse (&s_argp, argc, argv, &options, &status)) {
        status = s_submit (&options);
    }
    dw_request_end (&options.request);
    return status;
}
