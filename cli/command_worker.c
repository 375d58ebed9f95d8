/* command_worker.c - dagwood worker: a process that runs nodes for a coordinator. */

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "cli/connection.h"
#include "cli/signals.h"

#define SLOTS_MAX        1024
#define RECONNECT_MS     30000
#define LOOK_INTERVAL_MS 100 /* for signals, while the agent works */

/* ---- Its words ---------------------------------------------------------------------------- */

typedef struct options_t {
    dw_connection_t connection;
    char *processors; /* names, separated by commas; NULL: all */
    uint32_t slots;
    int reconnect_ms;
} options_t;

enum { KEY_SLOTS = 256, KEY_PROCESSORS, KEY_RECONNECT };

static const struct argp_option s_options[] = {
    {.name = "slots",
     .key = KEY_SLOTS,
     .arg = "N",
     .doc = "How many tasks of each graph it runs at one time [as many as there are CPUs]"},
    {.name = "processors",
     .key = KEY_PROCESSORS,
     .arg = "NAME,...",
     .doc = "Offer only these [every stock processor]"},
    {.name = "reconnect",
     .key = KEY_RECONNECT,
     .arg = "SECONDS",
     .doc = "How long to look for a coordinator that was lost: 0 not at all, or `forever' [30]"},
    {0},
};

static error_t s_parse (int key, char *arg, struct argp_state *state) {
    options_t *self = state->input;
    switch (key) {
        case ARGP_KEY_INIT: state->child_inputs[0] = &self->connection; return 0;
        case KEY_SLOTS:
            self->slots = (uint32_t) dw_command_number (state, "--slots", arg, 1, SLOTS_MAX);
            return 0;
        case KEY_PROCESSORS: self->processors = arg; return 0;
        case KEY_RECONNECT: self->reconnect_ms = dw_command_reconnect (state, arg); return 0;
        default: return ARGP_ERR_UNKNOWN;
    }
}

static const struct argp_child s_children[] = {{.argp = &dw_connection_argp}, {0}};

static const struct argp s_argp = {
    .options = s_options,
    .parser = s_parse,
    .children = s_children,
    .doc =
        "Runs nodes for a coordinator until that ends. A coordinator that is lost is looked for, and "
        "what was begun for it is given to others."
        "\v"
        "SIGTERM finishes the tasks that are begun, gives the others back and ends it; a second "
        "SIGTERM gives everything back at once, and so does SIGINT.\n\n"
        "Exit status: 0 the coordinator ended, or it was ended by SIGTERM; 64 usage; 65 the "
        "rendezvous file has no endpoint; 66 it cannot be read; 69 nobody answers, or there is no "
        "rendezvous file; 71 the system refuses threads, memory or descriptors; 75 the coordinator "
        "was lost; 76 the coordinator refused; 77 a key is missing or refused; 78 the "
        "coordinator's graph is not one that it can run; 130 ended by SIGINT.",
};

/* ---- Its processors ----------------------------------------------------------------------- */

/* Adds the one with this name to chosen. */
static int s_choose (dw_processors_t *chosen, const dw_processors_t *stock, const char *name) {
    const struct dw_processor_t *processor = dw_processors_find (stock, name);
    if (!processor) {
        return dw_command_no_processor (stock, name);
    }
    if (dw_processors_find (chosen, name)) {
        return DW_EXIT_OK; /* It was said twice. */
    }
    int err = dw_processors_add (chosen, processor);
    return err ? dw_command_fail (err, NULL, name) : DW_EXIT_OK;
}

/* The set that words names, which are cut up; stock is borrowed for it. */
static int s_choose_all (dw_processors_t *chosen, const dw_processors_t *stock, char *words) {
    int status = DW_EXIT_OK;
    for (char *rest = words, *name; !status && (name = strsep (&rest, ","));) {
        status = s_choose (chosen, stock, name);
    }
    return status;
}

/* ---- Working ------------------------------------------------------------------------------ */

static const int s_signals[] = {SIGINT, SIGTERM, 0};

/* An agent for each graph of the coordinator. */
typedef struct team_t {
    dw_agent_t **agents;
    size_t count;
    int *ended; /* what each has ended with; DW_ETIMEDOUT: it works */
} team_t;

/* Waits until all have ended, for some time. DW_ETIMEDOUT: one works; else the first error, if any. */
static int s_wait (team_t *self) {
    int first = DW_OK;
    for (size_t i = 0; i < self->count; i++) {
        if (self->ended[i] == DW_ETIMEDOUT) {
            self->ended[i] = dw_agent_wait (self->agents[i], LOOK_INTERVAL_MS);
        }
        if (self->ended[i] == DW_ETIMEDOUT) {
            return DW_ETIMEDOUT;
        }
        first = first ? first : self->ended[i];
    }
    return first;
}

/* Works until it has ended, or a signal says to end it at once. Returns the exit status. */
static int s_work (team_t *self, const dw_signals_t *signals, const char *endpoint) {
    bool draining = false;
    int err;
    while ((err = s_wait (self)) == DW_ETIMEDOUT) {
        int number = dw_signals_next (signals);
        if (number == SIGINT) {
            return DW_EXIT_SIGNAL + SIGINT;
        }
        if (number == SIGTERM && draining) {
            return DW_EXIT_OK;
        }
        if (number == SIGTERM) {
            dw_command_say ("SIGTERM: what is begun is finished; a second one gives it back");
            for (size_t i = 0; i < self->count; i++) {
                dw_agent_drain (self->agents[i]);
            }
            draining = true;
        }
    }
    return err ? dw_command_fail (err, NULL, endpoint) : DW_EXIT_OK;
}

static void s_close (team_t *self, int status) {
    dw_error_t *error = dw_error_new ();
    int stuck = DW_OK;
    for (size_t i = 0; i < self->count; i++) {
        int err = dw_agent_close (&self->agents[i], -1, error);
        stuck = stuck ? stuck : err;
    }
    dw_command_closed (stuck, error, status);
    dw_error_destroy (&error);
    free (self->agents);
    free (self->ended);
}

static int s_open_one (dw_agent_t **agent_p, const dw_agent_options_t *options) {
    dw_error_t *error = dw_error_new ();
    int err = dw_agent_open (agent_p, options, error);
    int status = err ? dw_connection_fail (err, error, &options->coordinator) : DW_EXIT_OK;
    dw_error_destroy (&error);
    return status;
}

static int s_open (team_t *self, dw_agent_options_t options, char *const *names, size_t count) {
    self->agents = calloc (count, sizeof (dw_agent_t *));
    self->ended = calloc (count, sizeof *self->ended);
    int status = self->agents && self->ended ? DW_EXIT_OK
                                             : dw_command_fail (DW_ENOMEM, NULL, "the agents");
    for (size_t i = 0; i < count && !status; i++) {
        if (count > 1) { /* the only one may be another when the coordinator is started again */
            options.coordinator.graph = names[i];
        }
        status = s_open_one (&self->agents[i], &options);
        self->ended[i] = DW_ETIMEDOUT;
        self->count += status ? 0 : 1;
    }
    if (!status) {
        dw_command_say ("working for %s", options.coordinator.endpoint);
    }
    for (size_t i = 0; i < count && !status && count > 1; i++) {
        dw_command_say ("graph %s: its own slots", names[i]);
    }
    return status;
}

static int s_run (options_t *self, const dw_processors_t *processors) {
    dw_agent_options_t options = {
        .processors = processors,
        .slots = self->slots,
        .reconnect_ms = self->reconnect_ms,
        .notice = dw_command_notice,
    };
    dw_signals_t signals;
    team_t team = {0};
    char **names = NULL;
    size_t count = 0;
    int status = dw_connection_find (&self->connection, &options.coordinator);
    if (!status) {
        status = dw_signals_catch (&signals, s_signals);
    }
    if (!status) {
        status = dw_connection_graphs (&options.coordinator, &names, &count);
    }
    if (!status) {
        status = s_open (&team, options, names, count);
    }
    if (!status) {
        status = s_work (&team, &signals, options.coordinator.endpoint);
    }
    s_close (&team, status);
    dw_graph_names_free (&names, count);
    return status; /* Its signals stay blocked: a SIGTERM that comes now changes nothing. */
}

int dw_command_worker (int argc, char **argv) {
    options_t options = {.reconnect_ms = RECONNECT_MS};
    int status = DW_EXIT_OK;
    if (!dw_command_parse (&s_argp, argc, argv, &options, &status)) {
        return status;
    }
    dw_processors_t *stock = dw_processors_new ();
    dw_processors_t *chosen = options.processors ? dw_processors_new_empty () : NULL;
    if (!stock || (options.processors && !chosen)) {
        status = dw_command_fail (DW_ENOMEM, NULL, "the processors");
    } else if (chosen) {
        status = s_choose_all (chosen, stock, options.processors);
    }
    if (!status) {
        status = s_run (&options, chosen ? chosen : stock);
    }
    dw_processors_destroy (&chosen);
    dw_processors_destroy (&stock);
    return status;
}
