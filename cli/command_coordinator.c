/* command_coordinator.c - dagwood coordinator: a graph whose nodes are run by worker processes, for
 * clients in other processes. */

#include "actors/locate.h"
#include "cli/graphs.h"
#include "cli/output.h"
#include "cli/rendezvous.h"
#include "cli/serve.h"
#include "cli/signals.h"
#include "runtime/core/graph.h"

#define MS_MAX          3600000
#define SLOTS_MAX       DW_CONCURRENCY_MAX
#define RUNS_MAX        1048576
#define CLIENTS_MAX     65536
#define CONNECTIONS_MAX 1048576
#define KEEP_RUNS_MAX   16384
#define KEEP_BYTES_MAX  (UINT64_C (1) << 40)

/* ---- Its words ---------------------------------------------------------------------------- */

typedef struct options_t {
    const char *rendezvous;
    const char *graphs[DW_GRAPHS_MAX]; /* words: FILE, or NAME=FILE */
    size_t graphs_count;
    dw_system_options_t system;
} options_t;

enum {
    KEY_LISTEN = 256, /* beyond the characters: none has a short form */
    KEY_KEYS,
    KEY_RENDEZVOUS,
    KEY_ACTORS_HERE,
    KEY_HEARTBEAT_MS,
    KEY_SILENCE_MS,
    KEY_STALLED,
    KEY_LEASE,
    KEY_SLOTS_MAX,
    KEY_RUNS_MAX,
    KEY_CLIENTS_MAX,
    KEY_CONNECTIONS_MAX,
    KEY_RECORD,
    KEY_RECORD_BYTES_MAX,
    KEY_NO_WORKERS,
    KEY_LOST_CLIENT_MS,
    KEY_KEEP_SECONDS,
    KEY_KEEP_RUNS,
    KEY_KEEP_BYTES,
};

static const struct argp_option s_options[] = {
    {.name = "listen",
     .key = KEY_LISTEN,
     .arg = "ENDPOINT",
     .doc =
         "Where others find it: tcp://ADDRESS:PORT (* or 0 for any port) or ipc://FILE; what it got is "
         "printed"},
    {.name = "keys", .key = KEY_KEYS, .arg = "DIR", .doc = DW_SERVE_KEYS_HELP},
    {.name = "rendezvous",
     .key = KEY_RENDEZVOUS,
     .arg = "FILE",
     .doc = "Write where it listens into this file too, for the --rendezvous of the others"},
    {.name = "actors-here",
     .key = KEY_ACTORS_HERE,
     .doc = "Run nodes in this process too [only workers run them]"},
    {.name = "heartbeat-ms",
     .key = KEY_HEARTBEAT_MS,
     .arg = "N",
     .doc = "How often both sides say that they are there [1000]"},
    {.name = "silence-ms",
     .key = KEY_SILENCE_MS,
     .arg = "N",
     .doc = "After how long a silent one is lost [3000]"},
    {.name = "stalled-seconds",
     .key = KEY_STALLED,
     .arg = "SECONDS",
     .doc = "For how long a run may wait for a worker, and a worker be at one task, before that is "
            "said [60]"},
    {.name = "lease-seconds",
     .key = KEY_LEASE,
     .arg = "SECONDS",
     .doc = "After how long at one task a worker is given up as if it had gone down [never]"},
    {.name = "slots-max",
     .key = KEY_SLOTS_MAX,
     .arg = "N",
     .doc = "Most slots of all workers together [1024]"},
    {.name = "runs-max",
     .key = KEY_RUNS_MAX,
     .arg = "N",
     .doc = "Most runs in flight of a client [1024]"},
    {.name = "no-workers",
     .key = KEY_NO_WORKERS,
     .arg = "wait|fail",
     .doc = "What runs do whose nodes no worker that is there may run [wait]"},
    {.name = "clients-max", .key = KEY_CLIENTS_MAX, .arg = "N", .doc = "Most clients [64]"},
    {.name = "connections-max",
     .key = KEY_CONNECTIONS_MAX,
     .arg = "N",
     .doc =
         "Most connections at one time, before they are let in too; who comes then waits [one for "
         "each client, two for each slot, and 32]"},
    {.name = "record", .key = KEY_RECORD, .arg = "FILE", .doc = DW_SERVE_RECORD_HELP},
    {.name = "record-bytes-max",
     .key = KEY_RECORD_BYTES_MAX,
     .arg = "N",
     .doc = DW_SERVE_RECORD_BYTES_HELP},
    {.name = "lost-client-ms",
     .key = KEY_LOST_CLIENT_MS,
     .arg = "N",
     .doc = "How long a client whose connection was cut may come back, and its runs go on [60000]"},
    {.name = "keep-seconds",
     .key = KEY_KEEP_SECONDS,
     .arg = "SECONDS",
     .doc = "How long the result of a detached run is kept [3600]"},
    {.name = "keep-runs",
     .key = KEY_KEEP_RUNS,
     .arg = "N",
     .doc = "Most detached runs, under way or kept: the oldest results are dropped [1024]"},
    {.name = "keep-bytes",
     .key = KEY_KEEP_BYTES,
     .arg = "N",
     .doc = "Most bytes of their results, and of those kept for a client that is away [67108864]"},
    {0},
};

static void s_check (const options_t *self, const struct argp_state *state) {
    if (self->graphs_count == 0)
        argp_error (state, "which graph file?");
    if (self->system.record_bytes_max && !self->system.record)
        argp_error (state, "--record-bytes-max is of no use without --record");
    if (self->system.record && self->graphs_count > 1) {
        argp_error (state, "--record is of one graph: start a coordinator for each that is to be "
                           "recorded");
    }
    if (!self->system.listen) {
        argp_error (state, "where shall it listen? --listen ENDPOINT, for example "
                           "tcp://127.0.0.1:* or ipc://dagwood.sock");
    }
}

static error_t s_parse_keep (int key, const char *arg, const struct argp_state *state) {
    options_t *self = state->input;
    dw_system_options_t *system = &self->system;
    switch (key) {
        case KEY_LOST_CLIENT_MS:
            system->lost_client_ms = (uint32_t) dw_command_number (state, "--lost-client-ms", arg,
                                                                   1, MS_MAX);
            return 0;
        case KEY_KEEP_SECONDS:
            system->keep_ms = (uint32_t) dw_command_seconds (state, "--keep-seconds", arg, 1);
            return 0;
        case KEY_KEEP_RUNS:
            system->keep_runs = (uint32_t) dw_command_number (state, "--keep-runs", arg, 1,
                                                              KEEP_RUNS_MAX);
            return 0;
        case KEY_KEEP_BYTES:
            system->keep_bytes = dw_command_number (state, "--keep-bytes", arg, 1, KEEP_BYTES_MAX);
            return 0;
        default: return ARGP_ERR_UNKNOWN;
    }
}

static error_t s_parse_limit (int key, const char *arg, const struct argp_state *state) {
    options_t *self = state->input;
    dw_system_options_t *system = &self->system;
    switch (key) {
        case KEY_HEARTBEAT_MS:
            system->heartbeat_ms = (uint32_t) dw_command_number (state, "--heartbeat-ms", arg, 1,
                                                                 MS_MAX);
            return 0;
        case KEY_SILENCE_MS:
            system->silence_ms = (uint32_t) dw_command_number (state, "--silence-ms", arg, 1,
                                                               MS_MAX);
            return 0;
        case KEY_STALLED:
            system->stalled_ms = (uint32_t) dw_command_seconds (state, "--stalled-seconds", arg, 1);
            return 0;
        case KEY_LEASE:
            system->lease_ms = (uint32_t) dw_command_seconds (state, "--lease-seconds", arg, 1);
            return 0;
        case KEY_SLOTS_MAX:
            system->slots_max = (uint32_t) dw_command_number (state, "--slots-max", arg, 1,
                                                              SLOTS_MAX);
            return 0;
        case KEY_RUNS_MAX:
            system->runs_max = (uint32_t) dw_command_number (state, "--runs-max", arg, 1, RUNS_MAX);
            return 0;
        case KEY_CLIENTS_MAX:
            system->clients_max = (uint32_t) dw_command_number (state, "--clients-max", arg, 1,
                                                                CLIENTS_MAX);
            return 0;
        case KEY_CONNECTIONS_MAX:
            system->connections_max = (uint32_t) dw_command_number (state, "--connections-max", arg,
                                                                    1, CONNECTIONS_MAX);
            return 0;
        case KEY_RECORD_BYTES_MAX:
            system->record_bytes_max = dw_serve_record_bytes (state, arg);
            return 0;
        default: return s_parse_keep (key, arg, state);
    }
}

static error_t s_parse (int key, char *arg, struct argp_state *state) {
    options_t *self = state->input;
    switch (key) {
        case KEY_LISTEN: self->system.listen = arg; return 0;
        case KEY_KEYS: self->system.keys = arg; return 0;
        case KEY_RECORD: self->system.record = arg; return 0;
        case KEY_RENDEZVOUS: self->rendezvous = arg; return 0;
        case KEY_ACTORS_HERE: self->system.no_actors = false; return 0;
        case KEY_NO_WORKERS:
            self->system.no_workers_fail = dw_serve_no_workers_fail (state, arg);
            return 0;
        case ARGP_KEY_ARG:
            if (self->graphs_count == DW_GRAPHS_MAX)
                argp_error (state, "a coordinator has at most %u graphs", DW_GRAPHS_MAX);
            self->graphs[self->graphs_count++] = arg;
            return 0;
        case ARGP_KEY_END: s_check (self, state); return 0;
        default: return s_parse_limit (key, arg, state);
    }
}

static const struct argp s_argp = {
    .options = s_options,
    .parser = s_parse,
    .args_doc = "[NAME=]GRAPH...",
    .doc =
        "Opens graphs for other processes: workers run its nodes (dagwood worker), clients have "
        "runs made of it (dagwood submit). Prints where it listens, then serves until it is ended "
        "by a signal. A graph's name is that of its file, without folders and suffix, or what "
        "stands before it as NAME=."
        "\v"
        "When no worker is there that may run some node, that is said; then runs that need it wait "
        "for one, or with --no-workers fail the node fails with 503.\n\n"
        "Each graph has a coordinator of its own, with all of these options, so that the runs of one "
        "do not hold up another. The first listens at ENDPOINT, the others at the ports that follow "
        "it (at any, where that is *), or at FILE.2, FILE.3 and so on; whoever connects to ENDPOINT "
        "and names a graph is sent there.\n\n"
        "SIGTERM and SIGINT cancel the runs in flight, tell everybody and end it; a second one ends "
        "it at once. With keys, SIGHUP has it read its list of allowed keys anew: who is no longer "
        "on it is out.\n\n"
        "Exit status: 0 ended by SIGTERM; " DW_HELP_64 "66 the file cannot be read; " DW_HELP_71
        "74 the output or the rendezvous file cannot be written; 77 a key is missing or refused; 78 the graph is wrong; 130 ended by SIGINT; 143 ended by a second SIGTERM.",
};

/* ---- Serving ------------------------------------------------------------------------------ */

static const int s_signals[] = {SIGINT, SIGTERM, 0};
static const int s_signals_with_keys[] = {SIGINT, SIGTERM, SIGHUP, 0};

/* Where everybody comes first, and then the places of all graphs when there are several. */
static int s_announce (const options_t *self, const dw_serve_t *serves,
                       dw_rendezvous_t *rendezvous) {
    const char *endpoint = dw_system_listening (serves[0].system);
    if (self->rendezvous) {
        int status = dw_rendezvous_write (rendezvous, self->rendezvous, endpoint);
        if (status)
            return status;
    }
    dw_output_print ("listening at %s\n", endpoint);
    for (size_t i = 0; i < self->graphs_count && self->graphs_count > 1; i++) {
        dw_output_text ("graph ");
        dw_output_write_escaped (serves[i].name);
        dw_output_print (" at %s\n", dw_system_listening (serves[i].system));
    }
    return dw_output_close (DW_EXIT_OK); /* Written out now: somebody waits for it. */
}

/* Until a signal ends it. Returns the exit status. */
static int s_wait (const options_t *self, const dw_serve_t *serves, const dw_signals_t *signals) {
    int number;
    while ((number = dw_signals_wait (signals)) == SIGHUP)
        for (size_t i = 0; i < self->graphs_count; i++)
            dw_system_reload_keys (serves[i].system); /* which tells what came of it */
    return number == SIGTERM ? DW_EXIT_OK : DW_EXIT_SIGNAL + number;
}

/* Opens every graph and has the first one know where the others are. It is opened last: whoever
 * finds it may ask. */
static int s_open_all (const options_t *self, const dw_named_graph_t *graphs, dw_serve_t *serves) {
    dw_system_t *others[DW_GRAPHS_MAX];
    char endpoint[DW_RENDEZVOUS_SIZE];
    int status = DW_EXIT_OK;
    for (size_t i = self->graphs_count; i-- > 0 && !status;) {
        dw_system_options_t options = self->system;
        options.name = graphs[i].name;
        options.listen = dw_graphs_endpoint (endpoint, sizeof endpoint, options.listen, i);
        status = dw_serve_open (&serves[i], graphs[i].graph, graphs[i].file, options);
        others[i] = serves[i].system;
        if (status && options.listen == endpoint) {
            dw_command_say ("graph %s is to listen at %s, the place %zu after that of --listen",
                            graphs[i].name, endpoint, i);
        }
    }
    if (status || self->graphs_count == 1)
        return status;
    dw_error_t *error = dw_error_new ();
    int err = dw_system_refer (serves[0].system, others + 1, self->graphs_count - 1, error);
    status = err ? dw_command_fail (err, error, "the graphs") : DW_EXIT_OK;
    dw_error_destroy (&error);
    return status;
}

static int s_serve (const options_t *self, const dw_named_graph_t *graphs) {
    dw_signals_t signals;
    int status = dw_signals_catch (&signals, self->system.keys ? s_signals_with_keys : s_signals);
    if (status)
        return status;
    dw_serve_t serves[DW_GRAPHS_MAX] = {0};
    dw_rendezvous_t rendezvous = {0};
    status = s_open_all (self, graphs, serves);
    if (!status)
        status = s_announce (self, serves, &rendezvous);
    if (!status)
        status = s_wait (self, serves, &signals);
    dw_rendezvous_remove (&rendezvous);
    dw_signals_release (&signals);
    for (size_t i = self->graphs_count; i-- > 0;)
        dw_serve_close (&serves[i], status);
    return status;
}

int dw_command_coordinator (int argc, char **argv) {
    options_t options = {.system = {.no_actors = true}};
    dw_named_graph_t graphs[DW_GRAPHS_MAX] = {0};
    int status = DW_EXIT_OK;
    if (!dw_command_parse (&s_argp, argc, argv, &options, &status))
        return status;
    status = dw_graphs_check_endpoint (options.system.listen, options.graphs_count);
    if (!status)
        status = dw_graphs_load (graphs, options.graphs, options.graphs_count);
    if (!status)
        status = s_serve (&options, graphs);
    dw_graphs_free (graphs, options.graphs_count);
    return status;
}
