/* connection.c */

#include "cli/connection.h"

#include <stdlib.h>
#include <string.h>

#include "cli/signals.h"

#define VARIABLE          "DAGWOOD_CONNECT"
#define RENDEZVOUS_MAX_MS 30000

enum {
    KEY_CONNECT = 256, /* beyond the characters: none has a short form */
    KEY_RENDEZVOUS,
    KEY_KEY,
    KEY_SERVER_KEY,
    KEY_TIMEOUT,
    KEY_GRAPH,
};

static const struct argp_option s_options[] = {
    {.name = "connect",
     .key = KEY_CONNECT,
     .arg = "ENDPOINT",
     .doc = "Where the coordinator listens: tcp://ADDRESS:PORT or ipc://FILE [what " VARIABLE
            " says in the environment]"},
    {.name = "rendezvous",
     .key = KEY_RENDEZVOUS,
     .arg = "FILE",
     .doc =
         "The file in which the coordinator says it, which is waited for, and which a worker that lost its coordinator reads again"},
    {.name = "key",
     .key = KEY_KEY,
     .arg = "FILE",
     .doc = "The own key pair, of `dagwood keygen', for a coordinator with keys [no keys]"},
    {.name = "server-key",
     .key = KEY_SERVER_KEY,
     .arg = "FILE",
     .doc = "The coordinator's public key, which goes with --key"},
    {.name = "timeout",
     .key = KEY_TIMEOUT,
     .arg = "SECONDS",
     .doc = "How long to wait for the rendezvous file [30] and for the first answer [3]"},
    {.name = "graph",
     .key = KEY_GRAPH,
     .arg = "NAME",
     .doc = "Which of the coordinator's graphs [submit: the first; worker, status: all of them]"},
    {0},
};

static void s_check (dw_connection_t *self, const struct argp_state *state) {
    if (self->connect && self->rendezvous)
        argp_error (state, "one coordinator: --connect or --rendezvous, not both");
    if (!self->connect && !self->rendezvous)
        self->connect = getenv (VARIABLE);
    if (!self->rendezvous && (!self->connect || !self->connect[0])) {
        argp_error (state, "which coordinator? --connect ENDPOINT, --rendezvous FILE, or " VARIABLE
                           " in the environment");
    }
    if (!self->key != !self->server_key) {
        argp_error (state,
                    "--key and --server-key go together: the own pair, and the public key of "
                    "the coordinator");
    }
}

static error_t s_parse (int key, char *arg, struct argp_state *state) {
    dw_connection_t *self = state->input;
    switch (key) {
        case KEY_CONNECT: self->connect = arg; return 0;
        case KEY_RENDEZVOUS: self->rendezvous = arg; return 0;
        case KEY_KEY: self->key = arg; return 0;
        case KEY_SERVER_KEY: self->server_key = arg; return 0;
        case KEY_TIMEOUT:
            self->timeout_ms = dw_command_seconds (state, "--timeout", arg, 1);
            return 0;
        case KEY_GRAPH: self->graph = arg; return 0;
        case ARGP_KEY_END: s_check (self, state); return 0;
        default: return ARGP_ERR_UNKNOWN;
    }
}

const struct argp dw_connection_argp = {.options = s_options, .parser = s_parse};

/* What the rendezvous file says by now, if it says anything. */
static char *s_where (void *arg) {
    const dw_connection_t *self = arg;
    char endpoint[DW_RENDEZVOUS_SIZE];
    return dw_rendezvous_look (endpoint, self->rendezvous, NULL) ? NULL : strdup (endpoint);
}

int dw_connection_find (dw_connection_t *self, dw_connect_options_t *options) {
    if (self->rendezvous) {
        int timeout_ms = self->timeout_ms > 0 ? self->timeout_ms : RENDEZVOUS_MAX_MS;
        int status = dw_rendezvous_read (self->endpoint, self->rendezvous, timeout_ms,
                                         self->stop_fd);
        if (status)
            return status;
    }
    *options = (dw_connect_options_t){
        .endpoint = self->rendezvous ? self->endpoint : self->connect,
        .key = self->key,
        .server_key = self->server_key,
        .timeout_ms = self->timeout_ms,
        .graph = self->graph,
        .stop_fd = self->stop_fd,
        .where = self->rendezvous ? s_where : NULL,
        .where_arg = self,
    };
    return DW_EXIT_OK;
}

int dw_connection_fail (int err, const dw_error_t *error, const dw_connect_options_t *options) {
    if (err == DW_ECLOSED && options->stop_fd)
        return DW_EXIT_SIGNAL + dw_signals_next (&(dw_signals_t){.fd = options->stop_fd});
    int status = dw_command_fail (err, error, options->endpoint);
    return err == DW_EINVAL ? DW_EXIT_USAGE : status;
}

int dw_connection_end (const dw_connection_t *self, int status) {
    if (status == DW_EXIT_NO_COORDINATOR && self->endpoint[0]) {
        dw_command_say (
            "%s says that it is there: a coordinator that was killed leaves its file behind, "
            "until the next one writes it",
            self->rendezvous);
    }
    return status;
}

static int s_one_name (const char *name, char ***names_p, size_t *count_p) {
    char **names = calloc (1, sizeof *names);
    if (names)
        *names = strdup (name);
    if (!names || !*names) {
        free (names);
        return dw_command_fail (DW_ENOMEM, NULL, name);
    }
    *names_p = names;
    *count_p = 1;
    return DW_EXIT_OK;
}

int dw_connection_graphs (const dw_connect_options_t *options, char ***names_p, size_t *count_p) {
    if (options->graph)
        return s_one_name (options->graph, names_p, count_p);
    dw_error_t *error = dw_error_new ();
    int err = dw_graph_names (options, names_p, count_p, error);
    int status = err ? dw_connection_fail (err, error, options) : DW_EXIT_OK;
    dw_error_destroy (&error);
    return status;
}
