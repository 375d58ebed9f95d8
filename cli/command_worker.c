/* command_worker.c - dagwood worker: a process that runs nodes for a coordinator. */

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "actors/processors.h"
#include "cli/connection.h"
#include "cli/exec.h"
#include "cli/slurm.h"
#include "runtime/core/graph.h"

#define SLOTS_MAX    1024
#define TAGS_MAX     64
#define RECONNECT_MS 30000

/* ---- Its words ---------------------------------------------------------------------------- */

typedef struct options_t {
    dw_connection_t connection;
    char *processors; /* names, separated by commas; NULL: all */
    dw_worker_tag_t tags[TAGS_MAX];
    size_t tags_count;
    uint32_t slots;
    int reconnect_ms, grace_ms;
    dw_isolation_t isolation;
    const char *name; /* NULL: none */
    uint32_t incarnation;
    bool has_incarnation; /* it was said */
    bool is_of_slurm;
    dw_slurm_t slurm;
    dw_execs_t execs;
    dw_framing_t exec_format;
    int exec_timeout_ms;
} options_t;

enum {
    KEY_SLOTS = 256,
    KEY_PROCESSORS,
    KEY_TAG,
    KEY_RECONNECT,
    KEY_GRACE,
    KEY_ISOLATION,
    KEY_NAME,
    KEY_INCARNATION,
    KEY_SLURM,
    KEY_EXEC,
    KEY_EXEC_FORMAT,
    KEY_EXEC_TIMEOUT,
};

static const struct argp_option s_options[] = {
    {.name = "slots",
     .key = KEY_SLOTS,
     .arg = "N",
     .doc = "How many tasks of each graph it runs at one time [as many as there are CPUs]"},
    {.name = "processors",
     .key = KEY_PROCESSORS,
     .arg = "NAME,...",
     .doc = "Offer only these [every stock processor]"},
    {.name = "tag",
     .key = KEY_TAG,
     .arg = "NAME=VALUE",
     .doc =
         "Say that this worker is such a one, for nodes that ask for it (workers: {NAME: VALUE}); may be repeated"},
    {.name = "reconnect",
     .key = KEY_RECONNECT,
     .arg = "SECONDS",
     .doc = "How long to look for a coordinator that was lost: 0 not at all, or `forever' [30]"},
    {.name = "grace-seconds",
     .key = KEY_GRACE,
     .arg = "SECONDS",
     .doc = "How long tasks that are begun may take after SIGTERM; then they are given back [30]"},
    {.name = "isolation",
     .key = KEY_ISOLATION,
     .arg = "none|process",
     .doc = "Run each slot in a process of its own, so that a crash takes one slot and not the "
            "others [none]"},
    {.name = "name",
     .key = KEY_NAME,
     .arg = "NAME",
     .doc = "What it is called, in messages and by whoever starts it again: of those with one name "
            "and key the latest incarnation is let in, and puts the one before out [no name]"},
    {.name = "incarnation",
     .key = KEY_INCARNATION,
     .arg = "N",
     .doc = "How often a worker of this name was started before [0]"},
    {.name = "slurm",
     .key = KEY_SLURM,
     .doc =
         "It is a task of a job of Slurm's, which says its name, its incarnation and its slots (as many as it has CPUs), "
         "where they are not given"},
    {.name = "exec",
     .key = KEY_EXEC,
     .arg = "NAME=COMMAND",
     .doc =
         "Offer a processor NAME that is a program, which reads payloads as records from its "
         "standard input and writes an output for each; may be repeated, and then nothing else is offered"},
    {.name = "exec-format",
     .key = KEY_EXEC_FORMAT,
     .arg = "msgpack|ndjson|text",
     .doc =
         "What records are: four bytes of length and a msgpack value, JSON on a line, or text that is ended by NUL [text]"},
    {.name = "exec-timeout",
     .key = KEY_EXEC_TIMEOUT,
     .arg = "SECONDS",
     .doc =
         "How long a program may take for a record, before it is killed and its task fails [as long as it takes]"},
    {0},
};

static void s_parse_exec (options_t *self, const struct argp_state *state, char *word) {
    char *command = strchr (word, '=');
    dw_execs_t *execs = &self->execs;
    if (!command || command == word || !command[1]) {
        argp_error (state, "--exec: \"%s\" is no NAME=COMMAND", word);
    } else if (execs->count == DW_EXECS_MAX) {
        argp_error (state, "--exec: a worker has at most %d programs", DW_EXECS_MAX);
    } else {
        *command++ = '\0';
        for (size_t i = 0; i < execs->count; i++)
            if (strcmp (execs->names[i], word) == 0)
                argp_error (state, "--exec: \"%s\" was named before", word);
        if (strlen (word) > DW_WIRE_NAME_MAX)
            argp_error (state, "--exec: a name has at most %u bytes", DW_WIRE_NAME_MAX);
        execs->names[execs->count] = word;
        execs->commands[execs->count++] = command;
    }
}

static void s_check_exec (const options_t *self, const struct argp_state *state) {
    bool has_options = self->exec_format != DW_FRAMING_TEXT || self->exec_timeout_ms;
    if (self->execs.count && (self->processors || self->isolation != DW_ISOLATION_NONE)) {
        argp_error (state, "--exec offers programs alone, each in a process of its own: it goes "
                           "without --processors and --isolation");
    }
    if (!self->execs.count && has_options)
        argp_error (state, "--exec-format and --exec-timeout are of --exec");
}

/* The name ends where the = was. */
static void s_parse_tag (options_t *self, const struct argp_state *state, char *word) {
    char *value = strchr (word, '=');
    if (!value) {
        argp_error (state, "--tag: \"%s\" is no NAME=VALUE", word);
    } else if (self->tags_count == TAGS_MAX) {
        argp_error (state, "--tag: a worker has at most %d tags", TAGS_MAX);
    } else {
        *value++ = '\0';
        const char *wrong = dw_graph_check_tag (word, value);
        if (wrong)
            argp_error (state, "--tag: \"%s=%s\": %s", word, value, wrong);
        self->tags[self->tags_count++] = (dw_worker_tag_t){word, value};
    }
}

static error_t s_parse (int key, char *arg, struct argp_state *state) {
    options_t *self = state->input;
    switch (key) {
        case ARGP_KEY_INIT: state->child_inputs[0] = &self->connection; return 0;
        case KEY_SLOTS:
            self->slots = (uint32_t) dw_command_number (state, "--slots", arg, 1, SLOTS_MAX);
            return 0;
        case KEY_PROCESSORS: self->processors = arg; return 0;
        case KEY_TAG: s_parse_tag (self, state, arg); return 0;
        case KEY_GRACE:
            self->grace_ms = dw_command_seconds (state, "--grace-seconds", arg, 1);
            return 0;
        case KEY_RECONNECT: self->reconnect_ms = dw_command_reconnect (state, arg); return 0;
        case KEY_ISOLATION: self->isolation = dw_command_isolation (state, arg); return 0;
        case KEY_NAME: self->name = arg; return 0;
        case KEY_INCARNATION:
            self->incarnation = (uint32_t) dw_command_number (state, "--incarnation", arg, 0,
                                                              UINT32_MAX);
            self->has_incarnation = true;
            return 0;
        case KEY_SLURM: self->is_of_slurm = true; return 0;
        case KEY_EXEC: s_parse_exec (self, state, arg); return 0;
        case KEY_EXEC_FORMAT:
            self->exec_format = dw_framing_of (arg);
            if (self->exec_format == DW_FRAMINGS)
                argp_error (state, "--exec-format is msgpack, ndjson or text, not \"%s\"", arg);
            return 0;
        case KEY_EXEC_TIMEOUT:
            self->exec_timeout_ms = dw_command_seconds (state, "--exec-timeout", arg, 1);
            return 0;
        case ARGP_KEY_END:
            s_check_exec (self, state);
            if (self->has_incarnation && !self->name && !self->is_of_slurm)
                argp_error (state, "--incarnation is of no use without --name or --slurm");
            return 0;
        default: return ARGP_ERR_UNKNOWN;
    }
}

static const struct argp_child s_children[] = {{.argp = &dw_connection_argp}, {0}};

static const struct argp s_argp = {
    .options = s_options,
    .parser = s_parse,
    .children = s_children,
    .doc =
        "Runs nodes for a coordinator until that ends: those whose demands it meets (type: remote, "
        "workers: {NAME: VALUE}), where it offers all processors of the nodes that make the same "
        "demands. A coordinator that is lost is looked for, and what was begun for it is given to "
        "others."
        "\v"
        "With --isolation process a slot whose process crashes is started again, at most 5 times within 10 s. What it "
        "wrote to standard error is passed on, and the coordinator is told how it ended.\n\n"
        "With --exec each slot has a process for each node, which `sh -c COMMAND' starts when there is a task for it and which is kept; "
        "in its environment are DAGWOOD_NODE, DAGWOOD_PROCESSOR and DAGWOOD_OPTIONS (JSON). It is given several records ahead of its "
        "answers, and must flush what it writes. When it ends, writes what is no record, or takes too long, its task fails with the last "
        "that it wrote to standard error, and it is started again.\n\n"
        "SIGTERM finishes the tasks that are begun, gives the others back and ends it; a second "
        "SIGTERM gives everything back at once, and so does SIGINT. One that has no coordinator yet, or looks for a lost one, "
        "ends at the first.\n\n"
        "Exit status: 0 the coordinator ended, or it was ended by SIGTERM; " DW_HELP_64
        "65 the rendezvous file has no endpoint; 66 it cannot be read; 69 nobody answers, or there is no rendezvous file; " DW_HELP_71
        "75 the coordinator was lost; 76 the coordinator refused; 77 a key is missing or refused; 78 the coordinator's graph has nothing that it can run, or with --isolation process every slot went down more than 5 times within 10 s; 130 ended by SIGINT.",
};

/* ---- Its processors ----------------------------------------------------------------------- */

/* Adds the one with this name to chosen. */
static int s_choose (dw_processors_t *chosen, const dw_processors_t *stock, const char *name) {
    const struct dw_processor_t *processor = dw_processors_find (stock, name);
    if (!processor)
        return dw_command_no_processor (stock, name);
    if (dw_processors_find (chosen, name))
        return DW_EXIT_OK; /* It was said twice. */
    int err = dw_processors_add (chosen, processor);
    return err ? dw_command_fail (err, NULL, name) : DW_EXIT_OK;
}

/* The set that words names, which are cut up; stock is borrowed for it. */
static int s_choose_all (dw_processors_t *chosen, const dw_processors_t *stock, char *words) {
    int status = DW_EXIT_OK;
    for (char *rest = words, *name; !status && (name = strsep (&rest, ","));)
        status = s_choose (chosen, stock, name);
    return status;
}

/* ---- Working ------------------------------------------------------------------------------ */

static const int s_signals[] = {SIGINT, SIGTERM, 0};

static int s_wait (void *agent, int timeout_ms) {
    return dw_agent_wait (agent, timeout_ms);
}

static int s_fd (const void *agent) {
    return dw_agent_fd (agent);
}

static void s_drain (void *agent) {
    dw_agent_drain (agent);
}

static int s_close (void *worker, dw_error_t *error) {
    dw_agent_t *agent = worker;
    return dw_agent_close (&agent, -1, error);
}

/* One agent, with all slots. */
static int s_open (dw_team_t *team, const void *options, const char *graph, dw_error_t *error) {
    dw_agent_options_t own = *(const dw_agent_options_t *) options;
    own.coordinator.graph = graph ? graph : own.coordinator.graph;
    dw_agent_t *agent;
    int err = dw_agent_open (&agent, &own, error);
    if (!err)
        dw_team_add (team, agent);
    return err;
}

static const dw_team_kind_t s_agents = {
    .open = s_open, .wait = s_wait, .fd = s_fd, .drain = s_drain, .close = s_close};

/* What was said in words stands. */
static int s_ask_slurm (options_t *self) {
    int status = dw_slurm_read (&self->slurm, !self->name, self->slots == 0);
    if (!status && !self->name)
        self->name = self->slurm.name;
    if (!status && !self->has_incarnation)
        self->incarnation = self->slurm.incarnation;
    if (!status && self->slots == 0)
        self->slots = self->slurm.slots;
    return status;
}

/* SIGTERM is how it is ended when all is well, whether it has found its coordinator or not. */
static int s_status (const options_t *self, int status) {
    return status == DW_EXIT_SIGNAL + SIGTERM ? DW_EXIT_OK
                                              : dw_connection_end (&self->connection, status);
}

/* Finds the coordinator, which becomes one of the options, and works for its graphs. Signals are
 * heeded from the first on: it may wait long; and they stay blocked: a SIGTERM that comes at the
 * end changes nothing. */
static int s_serve (options_t *self, const dw_team_kind_t *kind, const void *options,
                    dw_connect_options_t *coordinator, size_t workers_each) {
    dw_signals_t signals;
    char **names = NULL;
    size_t count = 0;
    int status = dw_signals_catch (&signals, s_signals);
    if (status)
        return status;
    self->connection.stop_fd = signals.fd;
    status = dw_connection_find (&self->connection, coordinator);
    if (!status)
        status = dw_connection_graphs (coordinator, &names, &count);
    if (!status)
        status = dw_team_serve (kind, options, coordinator, names, count, workers_each, &signals);
    dw_graph_names_free (&names, count);
    return s_status (self, status);
}

static int s_run_execs (options_t *self) {
    dw_exec_team_t team = {
        .each = {.tags = self->tags,
                 .tags_count = self->tags_count,
                 .tools = {.framing = self->exec_format,
                           .names = self->execs.names,
                           .commands = self->execs.commands,
                           .count = self->execs.count,
                           .timeout_ns = self->exec_timeout_ms * INT64_C (1000000),
                           .notice = dw_command_notice},
                 .reconnect_ms = self->reconnect_ms,
                 .grace_ms = self->grace_ms,
                 .name = self->name,
                 .incarnation = self->incarnation},
        .slots = self->slots ? self->slots : dw_processors_lookup (NULL).cpus_count,
    };
    return s_serve (self, &dw_exec_kind, &team, &team.each.coordinator, team.slots);
}

static int s_run (options_t *self, const dw_processors_t *processors) {
    dw_agent_options_t options = {
        .processors = processors,
        .tags = self->tags,
        .tags_count = self->tags_count,
        .slots = self->slots,
        .reconnect_ms = self->reconnect_ms,
        .grace_ms = self->grace_ms,
        .notice = dw_command_notice,
        .slot_command = self->isolation == DW_ISOLATION_PROCESS ? dw_command_slot_words : NULL,
        .name = self->name,
        .incarnation = self->incarnation,
    };
    return s_serve (self, &s_agents, &options, &options.coordinator, 1);
}

int dw_command_worker (int argc, char **argv) {
    options_t options = {.reconnect_ms = RECONNECT_MS, .exec_format = DW_FRAMING_TEXT};
    int status = DW_EXIT_OK;
    if (!dw_command_parse (&s_argp, argc, argv, &options, &status))
        return status;
    if (options.is_of_slurm && (status = s_ask_slurm (&options)) != DW_EXIT_OK)
        return status;
    if (options.execs.count)
        return s_run_execs (&options);
    dw_processors_t *stock = dw_processors_new ();
    dw_processors_t *chosen = options.processors ? dw_processors_new_empty () : NULL;
    if (!stock || (options.processors && !chosen))
        status = dw_command_fail (DW_ENOMEM, NULL, "the processors");
    else if (chosen)
        status = s_choose_all (chosen, stock, options.processors);
    if (!status)
        status = s_run (&options, chosen ? chosen : stock);
    dw_processors_destroy (&chosen);
    dw_processors_destroy (&stock);
    return status;
}
