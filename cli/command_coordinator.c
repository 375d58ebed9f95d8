/* command_coordinator.c - dagwood coordinator: a graph whose nodes are run by worker processes, for
 * clients in other processes. */

#include "cli/output.h"
#include "cli/rendezvous.h"
#include "cli/serve.h"
#include "cli/signals.h"
#include "runtime/core/plan.h"

#define MS_MAX         3600000
#define SLOTS_MAX      65536
#define RUNS_MAX       1048576
#define CLIENTS_MAX    65536
#define KEEP_RUNS_MAX  16384
#define KEEP_BYTES_MAX (UINT64_C (1) << 40)

/* ---- Its words ---------------------------------------------------------------------------- */

typedef struct options_t {
    const char *graph, *rendezvous;
    dw_system_options_t system;
} options_t;

enum {
    KEY_LISTEN = 256, /* beyond the characters: none has a short form */
    KEY_KEYS,
    KEY_RENDEZVOUS,
    KEY_ACTORS_HERE,
    KEY_HEARTBEAT_MS,
    KEY_SILENCE_MS,
    KEY_SLOTS_MAX,
    KEY_RUNS_MAX,
    KEY_CLIENTS_MAX,
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
         "Where others find it: tcp://ADDRESS:PORT (* for any port) or ipc://FILE; what it got is "
         "printed"},
    {.name = "keys",
     .key = KEY_KEYS,
     .arg = "DIR",
     .doc = "The folder of coordinator.key and allowed, without which none but this machine can be "
            "let in [no keys]"},
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
    {.name = "slots-max",
     .key = KEY_SLOTS_MAX,
     .arg = "N",
     .doc = "Most slots of all workers together [1024]"},
    {.name = "runs-max",
     .key = KEY_RUNS_MAX,
     .arg = "N",
     .doc = "Most runs in flight of a client [1024]"},
    {.name = "clients-max", .key = KEY_CLIENTS_MAX, .arg = "N", .doc = "Most clients [64]"},
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
    if (!self->graph) {
        argp_error (state, "which graph file?");
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
        default: return s_parse_keep (key, arg, state);
    }
}

static error_t s_parse (int key, char *arg, struct argp_state *state) {
    options_t *self = state->input;
    switch (key) {
        case KEY_LISTEN: self->system.listen = arg; return 0;
        case KEY_KEYS: self->system.keys = arg; return 0;
        case KEY_RENDEZVOUS: self->rendezvous = arg; return 0;
        case KEY_ACTORS_HERE: self->system.no_actors = false; return 0;
        case ARGP_KEY_ARG:
            if (self->graph) {
                argp_error (state,
                            "a coordinator has one graph in this version, and \"%s\" is a second: "
                            "start another for it",
                            arg);
            }
            self->graph = arg;
            return 0;
        case ARGP_KEY_END: s_check (self, state); return 0;
        default: return s_parse_limit (key, arg, state);
    }
}

static const struct argp s_argp = {
    .options = s_options,
    .parser = s_parse,
    .args_doc = "GRAPH",
    .doc =
        "Opens a graph for other processes: workers run its nodes (dagwood worker), clients have "
        "runs made of it (dagwood submit). Prints where it listens, then serves until it is ended "
        "by a signal. The graph's name is that of its file, without folders and suffix."
        "\v"
        "SIGTERM and SIGINT cancel the runs in flight, tell everybody and end it; a second one ends "
        "it at once. With keys, SIGHUP has it read its list of allowed keys anew: who is no longer "
        "on it is out.\n\n"
        "Exit status: 0 ended by SIGTERM; 64 usage; 66 the file cannot be read; 71 the system "
        "refuses threads, memory or descriptors; 74 the output or the rendezvous file cannot be "
        "written; 77 a key is missing or refused; 78 the graph is wrong; 130 ended by SIGINT.",
};

/* ---- Serving ------------------------------------------------------------------------------ */

static const int s_signals[] = {SIGINT, SIGTERM, 0};
static const int s_signals_with_keys[] = {SIGINT, SIGTERM, SIGHUP, 0};

static int s_announce (const options_t *self, const dw_serve_t *serve,
                       dw_rendezvous_t *rendezvous) {
    const char *endpoint = dw_system_listening (serve->system);
    if (self->rendezvous) {
        int status = dw_rendezvous_write (rendezvous, self->rendezvous, endpoint);
        if (status) {
            return status;
        }
    }
    dw_output_print ("listening at %s\n", endpoint);
    return dw_output_close (DW_EXIT_OK); /* Written out now: somebody waits for it. */
}

/* Until a signal ends it. Returns the exit status. */
static int s_wait (const dw_serve_t *serve, const dw_signals_t *signals) {
    int number;
    while ((number = dw_signals_wait (signals)) == SIGHUP) {
        dw_system_reload_keys (serve->system); /* which tells what came of it */
    }
    return number == SIGTERM ? DW_EXIT_OK : DW_EXIT_SIGNAL + number;
}

static int s_serve (const options_t *self, const dw_graph_t *graph) {
    dw_signals_t signals;
    int status = dw_signals_catch (&signals, self->system.keys ? s_signals_with_keys : s_signals);
    if (status) {
        return status;
    }
    dw_serve_t serve = {0};
    dw_rendezvous_t rendezvous = {0};
    status = dw_serve_open (&serve, graph, self->graph, self->system);
    if (!status) {
        status = s_announce (self, &serve, &rendezvous);
    }
    if (!status) {
        status = s_wait (&serve, &signals);
    }
    dw_rendezvous_remove (&rendezvous);
    dw_signals_release (&signals);
    dw_serve_close (&serve, status);
    return status;
}

int dw_command_coordinator (int argc, char **argv) {
    options_t options = {.system = {.no_actors = true}};
    int status = DW_EXIT_OK;
    if (!dw_command_parse (&s_argp, argc, argv, &options, &status)) {
        return status;
    }
    dw_graph_t *graph = NULL;
    dw_plan_t *plan = NULL;
    status = dw_command_load (&graph, &plan, options.graph);
    dw_plan_destroy (&plan);
    if (!status) {
        status = s_serve (&options, graph);
    }
    dw_graph_destroy (&graph);
    return status;
}
