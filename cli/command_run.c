/* command_run.c - dagwood run: runs a graph and prints every node's result. */

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "actors/processors.h"
#include "cli/isolated.h"
#include "cli/request.h"
#include "cli/serve.h"
#include "runtime/core/plan.h"

#define RUNS_MAX           1024
#define REPEAT_MAX         1000000000000u
#define SLOTS_MAX          1024
#define PAYLOAD_MAX        (256 << 20) /* of a graph that says nothing, also where it is run elsewhere */
#define IN_FLIGHT_SIZE_MAX (256u << 20) /* bytes of input that all runs in flight hold together */

/* ---- Its words ---------------------------------------------------------------------------- */

typedef enum progress_t { PROGRESS_AUTO, PROGRESS_ALWAYS, PROGRESS_NEVER } progress_t;

static const char *const s_progresses[] = {"auto", "always", "never", NULL};

typedef struct options_t {
    dw_request_t request;
    const char *graph;
    int strategy, failure_strategy, actors; /* -1: as the graph says */
    int64_t pool_size, max_concurrency;     /* DW_UNSET: as the graph says */
    uint64_t runs;                          /* 0: one, and nothing said of repeating */
    progress_t progress;
    const char *listen, *keys, *record;
    uint64_t record_bytes_max;
    int no_workers; /* -1: nothing was said; 1: fail */
    dw_isolation_t isolation;
    uint32_t stalled_ms;
} options_t;

enum {
    KEY_STRATEGY = 256, /* beyond the characters: none has a short form */
    KEY_FAILURE_STRATEGY,
    KEY_ACTORS,
    KEY_MAX_CONCURRENCY,
    KEY_REPEAT,
    KEY_PROGRESS,
    KEY_LISTEN,
    KEY_KEYS,
    KEY_RECORD,
    KEY_RECORD_BYTES_MAX,
    KEY_NO_WORKERS,
    KEY_ISOLATION,
    KEY_STALLED,
};

static const struct argp_option s_options[] = {
    {.name = "strategy",
     .key = KEY_STRATEGY,
     .arg = "NAME",
     .doc = "work_queue, level, reactive or hybrid [as the graph says]"},
    {.name = "failure-strategy",
     .key = KEY_FAILURE_STRATEGY,
     .arg = "NAME",
     .doc = "fail_fast, continue_on_error or best_effort [as the graph says]"},
    {.name = "actors",
     .key = KEY_ACTORS,
     .arg = "NAME",
     .doc = "auto, thread, pool or pool:N [as the graph says]"},
    {.name = "max-concurrency",
     .key = KEY_MAX_CONCURRENCY,
     .arg = "N",
     .doc = "Most tasks at one time [as the graph says]"},
    {.name = "repeat",
     .key = KEY_REPEAT,
     .arg = "N",
     .doc = "Make N runs, as many at a time as are taken, and print the last one's result and how "
            "all of them ended"},
    {.name = "progress",
     .key = KEY_PROGRESS,
     .arg = "WHEN",
     .doc = "auto, always or never: show a bar while repeating [auto: on a terminal]"},
    {.name = "listen",
     .key = KEY_LISTEN,
     .arg = "ENDPOINT",
     .doc =
         "Let workers elsewhere run nodes too, and find this run at tcp://ADDRESS:PORT (* for any "
         "port) or ipc://FILE [nobody may]"},
    {.name = "keys", .key = KEY_KEYS, .arg = "DIR", .doc = DW_SERVE_KEYS_HELP},
    {.name = "record", .key = KEY_RECORD, .arg = "FILE", .doc = DW_SERVE_RECORD_HELP},
    {.name = "record-bytes-max",
     .key = KEY_RECORD_BYTES_MAX,
     .arg = "N",
     .doc = DW_SERVE_RECORD_BYTES_HELP},
    {.name = "no-workers",
     .key = KEY_NO_WORKERS,
     .arg = "wait|fail",
     .doc = "With --listen: what a run does whose nodes nobody who is there may run [wait]"},
    {.name = "stalled-seconds",
     .key = KEY_STALLED,
     .arg = "SECONDS",
     .doc = "With --listen or --isolation: for how long a worker may be at one task before that is "
            "said [60]"},
    {.name = "isolation",
     .key = KEY_ISOLATION,
     .arg = "none|process",
     .doc = "Run nodes in processes of their own, max_concurrency of them, so that a crash fails a "
            "node and not this command [none]"},
    {0},
};

/* Ends the program when word is no number within the limit. */
static int64_t s_parse_number (const struct argp_state *state, const char *option, const char *word,
                               dw_limit_t limit) {
    char *end;
    double value = strtod (word, &end);
    if (end == word || *end)
        argp_error (state, "%s: \"%s\" is not a number", option, word);
    dw_error_t *error = dw_error_new ();
    if (dw_graph_check_number (limit, value, DW_NOWHERE, error) != DW_OK)
        argp_error (state, "%s: %s", option, dw_error_message (error, 0) + strlen ("error: "));
    dw_error_destroy (&error);
    return (int64_t) value;
}

static void s_parse_actors (options_t *self, const struct argp_state *state, char *word) {
    if (strncmp (word, "pool:", 5) == 0) {
        self->actors = DW_ACTORS_POOL;
        self->pool_size = s_parse_number (state, "--actors", word + 5, DW_LIMIT_POOL);
        return;
    }
    self->actors = dw_command_choose (state, "--actors", dw_actors_words, word);
}

/* False: it is the request's. */
static bool s_parse_argument (options_t *self, const struct argp_state *state, const char *word) {
    if (!self->graph) {
        self->graph = word;
        return true;
    }
    if (strcmp (word, "-") != 0) {
        argp_error (state, "one graph at a time, and \"%s\" is a second; - is standard input",
                    word);
    }
    return false;
}

static void s_check (const options_t *self, const struct argp_state *state) {
    if (!self->graph)
        argp_error (state, "which graph file?");
    if (self->keys && !self->listen)
        argp_error (state, "--keys is of no use without --listen");
    if (self->record_bytes_max && !self->record)
        argp_error (state, "--record-bytes-max is of no use without --record");
    if (self->no_workers >= 0 && !self->listen)
        argp_error (state, "--no-workers is of no use without --listen");
    if (self->stalled_ms && !self->listen && self->isolation == DW_ISOLATION_NONE)
        argp_error (state, "--stalled-seconds is of no use without --listen or --isolation");
    if (self->progress == PROGRESS_ALWAYS && self->request.lines)
        argp_error (state, "--progress is of no use with --lines");
    if (self->isolation == DW_ISOLATION_PROCESS && self->listen) {
        argp_error (state, "--isolation and --listen do not go together: say --isolation process "
                           "to the workers");
    }
}

static error_t s_parse (int key, char *arg, struct argp_state *state) {
    options_t *self = state->input;
    switch (key) {
        case ARGP_KEY_INIT: state->child_inputs[0] = &self->request; return 0;
        case KEY_STRATEGY:
            self->strategy = dw_command_choose (state, "--strategy", dw_strategy_words, arg);
            return 0;
        case KEY_FAILURE_STRATEGY:
            self->failure_strategy = dw_command_choose (state, "--failure-strategy",
                                                        dw_failure_strategy_words, arg);
            return 0;
        case KEY_ACTORS: s_parse_actors (self, state, arg); return 0;
        case KEY_MAX_CONCURRENCY:
            self->max_concurrency = s_parse_number (state, "--max-concurrency", arg,
                                                    DW_LIMIT_MAX_CONCURRENCY);
            return 0;
        case KEY_REPEAT:
            self->runs = dw_command_number (state, "--repeat", arg, 1, REPEAT_MAX);
            self->request.counted = true;
            return 0;
        case KEY_PROGRESS:
            self->progress = (progress_t) dw_command_choose (state, "--progress", s_progresses,
                                                             arg);
            return 0;
        case KEY_LISTEN: self->listen = arg; return 0;
        case KEY_KEYS: self->keys = arg; return 0;
        case KEY_RECORD: self->record = arg; return 0;
        case KEY_RECORD_BYTES_MAX:
            self->record_bytes_max = dw_serve_record_bytes (state, arg);
            return 0;
        case KEY_NO_WORKERS: self->no_workers = dw_serve_no_workers_fail (state, arg); return 0;
        case KEY_STALLED:
            self->stalled_ms = (uint32_t) dw_command_seconds (state, "--stalled-seconds", arg, 1);
            return 0;
        case KEY_ISOLATION: self->isolation = dw_command_isolation (state, arg); return 0;
        case ARGP_KEY_ARG: return s_parse_argument (self, state, arg) ? 0 : ARGP_ERR_UNKNOWN;
        case ARGP_KEY_END: s_check (self, state); return 0;
        default: return ARGP_ERR_UNKNOWN;
    }
}

static const struct argp_child s_children[] = {{.argp = &dw_request_argp}, {0}};

static const struct argp s_argp = {
    .options = s_options,
    .parser = s_parse,
    .children = s_children,
    .args_doc = "GRAPH [-]",
    .doc =
        "Runs a graph and prints every node's result. The input is a text, a file, or standard "
        "input when - follows the graph; what is not UTF-8 is passed on as bytes."
        "\v"
        "As text, the outputs come first and whole (text as it is, anything else as JSON), then "
        "one line for every node with its payload shortened, then what failed and a summary. As "
        "JSON, everything is whole. With --lines each record's result is an object of that JSON on a "
        "line of its own, and how all of them ended is said on standard error.\n\n"
        "SIGINT or SIGTERM cancels the run and prints what it got done; a second one ends the "
        "command at once.\n\n"
        "Exit status: 0 the run is ok; 1 it is not; " DW_HELP_64
        "66 a file cannot be read or the input is too large; " DW_HELP_71
        "74 the output cannot be written; 77 a key is missing or refused; 78 the graph is wrong; 130 and 143 ended by SIGINT and SIGTERM.",
};

/* ---- The graph and the input -------------------------------------------------------------- */

static void s_override (const options_t *self, dw_graph_t *graph) {
    dw_graph_options_t *options = dw_graph_options (graph);
    if (self->strategy >= 0)
        options->strategy = (dw_strategy_t) self->strategy;
    if (self->failure_strategy >= 0)
        options->failure_strategy = (dw_failure_strategy_t) self->failure_strategy;
    if (self->actors >= 0)
        options->actors = (dw_actors_t) self->actors;
    if (self->pool_size != DW_UNSET)
        options->pool_size = self->pool_size;
    if (self->max_concurrency != DW_UNSET)
        options->max_concurrency = self->max_concurrency;
}

static int s_check_outputs (const options_t *self, const dw_plan_t *plan) {
    for (size_t i = 0; i < self->request.outputs_count; i++) {
        const char *id = self->request.outputs[i];
        if (dw_command_node (plan, "--output: ", self->graph, id) == DW_NONE)
            return DW_EXIT_USAGE;
    }
    return DW_EXIT_OK;
}

/* The processes of --isolation have no tags, and nobody else can come. */
static int s_check_isolated (const options_t *self, const dw_plan_t *plan) {
    char shown[DW_DEMAND_SHOWN];
    uint32_t lanes = self->isolation == DW_ISOLATION_PROCESS && plan->demands ? plan->lanes_count
                                                                              : 0;
    for (uint32_t lane = 0; lane < lanes; lane++) {
        if (plan->demands[lane].tags_count > 0) {
            dw_command_say ("%s: node \"%s\" can only be run by a worker with tags (%s), which the "
                            "processes of --isolation have not: run it with --listen, and say "
                            "--isolation process to the workers",
                            self->graph, plan->ids[plan->by_position[plan->lane_at[lane]]],
                            dw_plan_show_demand (plan, lane, shown));
            return DW_EXIT_GRAPH;
        }
    }
    return DW_EXIT_OK;
}

/* Loads the graph and reads the input: all that can be wrong before an actor starts. */
static int s_prepare (const options_t *self, dw_graph_t **graph_p, dw_input_t *input) {
    dw_plan_t *plan = NULL;
    int status = dw_command_load (graph_p, &plan, self->graph);
    if (status)
        return status;
    s_override (self, *graph_p);
    status = s_check_outputs (self, plan);
    if (!status)
        status = s_check_isolated (self, plan);
    if (!status)
        status = dw_request_read (&self->request, plan->max_payload_bytes, input);
    dw_plan_destroy (&plan);
    return status;
}

/* ---- The runs ----------------------------------------------------------------------------- */

/* How many runs are in flight together, each with a copy of the input. */
static uint32_t s_in_flight_max (const options_t *self, const dw_input_t *input) {
    uint64_t count = input->size > 0 ? IN_FLIGHT_SIZE_MAX / input->size : RUNS_MAX;
    count = count > RUNS_MAX ? RUNS_MAX : count;
    count = count > self->runs ? self->runs : count;
    return count > 0 ? (uint32_t) count : 1;
}

static int s_open (const options_t *self, const dw_graph_t *graph, uint32_t runs_max,
                   dw_serve_t *serve) {
    dw_system_options_t options = {
        .runs_max = runs_max,
        .clients_max = self->listen ? 0 : 1,
        .listen = self->listen,
        .keys = self->keys,
        .record = self->record,
        .record_bytes_max = self->record_bytes_max,
        .no_workers_fail = self->no_workers == 1,
        .stalled_ms = self->stalled_ms,
    };
    int status = dw_serve_open (serve, graph, self->graph, options);
    if (!status && self->listen)
        dw_command_say ("listening at %s", dw_system_listening (serve->system));
    return status;
}

static bool s_wants_bar (const options_t *self) {
    switch (self->progress) {
        case PROGRESS_AUTO: return self->runs > 0 && isatty (STDERR_FILENO);
        case PROGRESS_ALWAYS: return true;
        case PROGRESS_NEVER: return false;
    }
    return false;
}

/* As many slots as there can be tasks at one time. What a graph that says nothing gets is the same
 * as without isolation. */
static uint32_t s_settle_isolated (dw_graph_t *graph, uint32_t runs_max) {
    dw_graph_options_t *options = dw_graph_options (graph);
    int64_t slots = options->max_concurrency;
    int64_t tasks = (int64_t) dw_graph_nodes_count (graph) * runs_max;
    if (slots == DW_UNSET) {
        dw_processors_t *processors = dw_processors_new ();
        slots = processors ? dw_processors_lookup (processors).cpus_count : 1;
        dw_processors_destroy (&processors);
    }
    if (options->max_payload_bytes == DW_UNSET)
        options->max_payload_bytes = PAYLOAD_MAX;
    slots = slots < tasks ? slots : tasks;
    return slots < 1 ? 1 : slots < SLOTS_MAX ? (uint32_t) slots : SLOTS_MAX;
}

/* Opens a system whose nodes run in processes of their own. */
static int s_open_isolated (const options_t *self, dw_graph_t *graph, uint32_t runs_max,
                            dw_serve_t *serve, dw_isolated_t *isolated) {
    dw_system_options_t options = {.runs_max = runs_max,
                                   .record = self->record,
                                   .record_bytes_max = self->record_bytes_max,
                                   .stalled_ms = self->stalled_ms};
    uint32_t slots = s_settle_isolated (graph, runs_max);
    int status = dw_isolated_prepare (isolated, slots, &options);
    if (!status)
        status = dw_serve_open (serve, graph, self->graph, options);
    return status ? status : dw_isolated_open (isolated, slots);
}

static int s_fly (const options_t *self, dw_system_t *system, dw_input_t *input,
                  const dw_signals_t *signals, dw_flight_t *flight) {
    dw_error_t *error = dw_error_new ();
    dw_client_t *client = NULL;
    int err = dw_client_new (&client, system, error);
    int status = err ? dw_command_fail (err, error, "the run cannot be made")
                     : dw_request_fly (&self->request, client, input, signals, s_wants_bar (self),
                                       flight);
    dw_client_destroy (&client);
    dw_error_destroy (&error);
    return status;
}

static int s_run (const options_t *self, dw_graph_t *graph, dw_input_t *input) {
    dw_signals_t signals;
    int status = dw_signals_catch (&signals, dw_flight_signals);
    if (status)
        return status;
    dw_serve_t serve = {0};
    dw_isolated_t isolated = {0};
    uint32_t in_flight_max = dw_request_runs_max (&self->request, s_in_flight_max (self, input));
    dw_flight_t flight = {.runs = self->runs > 0 ? self->runs : 1, .in_flight_max = in_flight_max};
    status = self->isolation == DW_ISOLATION_PROCESS
                 ? s_open_isolated (self, graph, in_flight_max, &serve, &isolated)
                 : s_open (self, graph, in_flight_max, &serve);
    flight.agent = isolated.agent;
    if (!status)
        status = s_fly (self, serve.system, input, &signals, &flight);
    dw_signals_release (&signals);
    if (!status)
        status = dw_request_report (&self->request, &flight);
    dw_result_destroy (&flight.last);
    dw_isolated_end (&isolated);
    dw_serve_close (&serve, status);
    dw_isolated_remove (&isolated);
    return status;
}

int dw_command_run (int argc, char **argv) {
    options_t options = {
        .strategy = -1,
        .failure_strategy = -1,
        .actors = -1,
        .pool_size = DW_UNSET,
        .max_concurrency = DW_UNSET,
        .no_workers = -1,
    };
    dw_graph_t *graph = NULL;
    dw_input_t input = {0};
    int status = dw_request_begin (&options.request, argc);
    if (!status && dw_command_parse (&s_argp, argc, argv, &options, &status)) {
        status = s_prepare (&options, &graph, &input);
        if (!status)
            status = s_run (&options, graph, &input);
    }
    dw_input_free (&input);
    dw_graph_destroy (&graph);
    dw_request_end (&options.request);
    return status;
}
