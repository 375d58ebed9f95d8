/* command_status.c - dagwood status: what a coordinator is at. */

#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "cli/connection.h"
#include "cli/output.h"
#include "cli/report.h"

#define HOST_WIDTH_MIN 6
#define ANSWER_MS      3000

typedef struct options_t {
    dw_connection_t connection;
    dw_format_t format;
} options_t;

enum { KEY_FORMAT = 256 };

static const struct argp_option s_options[] = {
    {.name = "format", .key = KEY_FORMAT, .arg = "text|json", .doc = "How to print [text]"},
    {0},
};

static error_t s_parse (int key, char *arg, struct argp_state *state) {
    options_t *self = state->input;
    switch (key) {
        case ARGP_KEY_INIT: state->child_inputs[0] = &self->connection; return 0;
        case KEY_FORMAT: self->format = dw_command_format (state, arg); return 0;
        default: return ARGP_ERR_UNKNOWN;
    }
}

static const struct argp_child s_children[] = {{.argp = &dw_connection_argp}, {0}};

static const struct argp s_argp = {
    .options = s_options,
    .parser = s_parse,
    .children = s_children,
    .doc =
        "Says what a coordinator is at: its graphs, their runs and tasks since it started, and its "
        "workers. A worker that is named - is the coordinator itself."
        "\v"
        "Exit status: 0; " DW_HELP_64
        "65 the rendezvous file has no endpoint; 66 it cannot be read; 69 nobody answers, or there is no rendezvous file; " DW_HELP_71
        "74 the output cannot be written; 75 the coordinator was lost; 76 the coordinator refused; 77 a key is missing or refused.",
};

/* ---- Text --------------------------------------------------------------------------------- */

static const char *s_host (const dw_status_worker_t *worker) {
    return worker->host[0] ? worker->host : "-";
}

/* The lanes of a worker, as the numbers of the list before. */
static void s_print_lanes_of (const dw_status_worker_t *worker) {
    const char *separator = "";
    for (uint64_t lanes = worker->lanes; lanes; lanes &= lanes - 1) {
        dw_output_print ("%s%d", separator, __builtin_ctzll (lanes));
        separator = ",";
    }
    dw_output_text ("\n");
}

static void s_print_workers (const dw_status_t *status) {
    int width = HOST_WIDTH_MIN;
    for (size_t i = 0; i < status->workers_count; i++) {
        int size = (int) strlen (s_host (&status->workers[i]));
        width = size > width ? size : width;
    }
    dw_output_print ("\n%-*s  %10s  %5s  %5s  %8s  %8s  %10s  %9s  %s\n", width, "WORKER", "PID",
                     "SLOTS", "BUSY", "HELD", "CREDIT", "STEPS", "SILENT", "LANES");
    for (size_t i = 0; i < status->workers_count; i++) {
        const dw_status_worker_t *worker = &status->workers[i];
        dw_output_print ("%-*s  %10" PRIu64 "  %5u  %5u  %8" PRIu64 "  %8" PRIu64 "  %10" PRIu64
                         "  %6" PRIu64 " ms  ",
                         width, s_host (worker), worker->pid, worker->slots, worker->busy,
                         worker->held, worker->credit, worker->steps_done, worker->silent_ms);
        s_print_lanes_of (worker);
    }
}

static void s_print_lanes (const dw_status_t *status) {
    dw_output_print ("\n%4s  %7s  %5s  %8s  %s\n", "LANE", "NODES", "SLOTS", "READY", "DEMAND");
    for (size_t i = 0; i < status->lanes_count; i++) {
        const dw_status_lane_t *lane = &status->lanes[i];
        dw_output_print ("%4zu  %7u  %5u  %8u  %s%s\n", i, lane->nodes_count, lane->slots,
                         lane->ready, lane->demand, lane->slots == 0 ? " (nobody serves it)" : "");
    }
}

/* Of more than are shown the header has the count. */
static void s_print_clients (const dw_status_t *status) {
    dw_output_print ("\n%-8s  %8s  %8s  %s\n", "CLIENT", "RUNS", "KEPT", "AWAY");
    for (size_t i = 0; i < status->clients_shown; i++) {
        const dw_status_client_t *client = &status->clients[i];
        dw_output_print ("%-8s  %8" PRIu64 "  %8" PRIu64 "  ", client->name[0] ? client->name : "-",
                         client->runs_in_flight, client->results_kept);
        if (client->away_ms > 0)
            dw_output_print ("%" PRIu64 " ms\n", client->away_ms);
        else
            dw_output_text ("no\n");
    }
}

static void s_print_runs (const dw_status_t *status) {
    dw_output_print ("\n%-8s  %10s  %10s  %8s  %8s\n", "CLIENT", "RUN", "AGE", "NODES", "SENT");
    for (size_t i = 0; i < status->runs_shown; i++) {
        const dw_status_run_t *run = &status->runs[i];
        dw_output_print ("%-8s  %10" PRIu64 "  %7" PRIu64 " ms  %8u  %8u%s\n",
                         run->client[0] ? run->client : "-", run->number, run->age_ms,
                         run->unfinished, run->sent, run->is_detached ? "  detached" : "");
    }
}

static void s_print_text (const dw_status_t *status) {
    assert (status);
    dw_output_print ("graph %s: %u node%s, %u client%s, %zu worker%s\n", status->graph,
                     status->nodes_count, status->nodes_count == 1 ? "" : "s",
                     status->clients_count, status->clients_count == 1 ? "" : "s",
                     status->workers_count, status->workers_count == 1 ? "" : "s");
    dw_output_print ("runs: %" PRIu64 " in flight, %" PRIu64 " ok, %" PRIu64 " partial, %" PRIu64
                     " failed, %" PRIu64 " cancelled\n",
                     status->runs_in_flight, status->runs_ok, status->runs_partial,
                     status->runs_failed, status->runs_cancelled);
    dw_output_print ("tasks: %" PRIu64 " ready, %" PRIu64 " sent, %" PRIu64 " steps done, %" PRIu64
                     " attempts failed, %" PRIu64 " retries, %" PRIu64 " timeouts, %" PRIu64
                     " lost\n",
                     status->tasks_ready, status->tasks_sent, status->steps_done,
                     status->attempts_failed, status->retries, status->timeouts, status->lost);
    if (status->clients_away > 0 || status->results_kept > 0) {
        dw_output_print ("kept: %" PRIu64 " result%s of detached runs, %" PRIu64 " client%s away\n",
                         status->results_kept, status->results_kept == 1 ? "" : "s",
                         status->clients_away, status->clients_away == 1 ? "" : "s");
    }
    dw_output_print ("ignored: %" PRIu64 " answers, %" PRIu64 " messages\n",
                     status->answers_ignored, status->messages_ignored);
    if (status->lanes_count > 0)
        s_print_lanes (status);
    if (status->clients_shown > 0)
        s_print_clients (status);
    if (status->runs_shown > 0)
        s_print_runs (status);
    for (size_t i = 0; i < status->troubles_count; i++)
        dw_output_print ("trouble: %s\n", status->troubles[i]);
    if (status->workers_count > 0)
        s_print_workers (status);
}

/* ---- JSON --------------------------------------------------------------------------------- */

/* Keys are the names of dw_status_t. NULL, here and below: no memory. */
static json_t *s_lanes_of (const dw_status_worker_t *worker) {
    json_t *self = json_array ();
    for (uint64_t lanes = worker->lanes; self && lanes; lanes &= lanes - 1) {
        if (json_array_append_new (self, json_integer (__builtin_ctzll (lanes)))) {
            json_decref (self);
            self = NULL;
        }
    }
    return self;
}

static json_t *s_worker (const dw_status_worker_t *worker) {
    return json_pack ("{s:s, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:o}", /* */
                      "host", worker->host, "pid", (json_int_t) worker->pid, "slots",
                      (json_int_t) worker->slots, "busy", (json_int_t) worker->busy, "held",
                      (json_int_t) worker->held, "credit", (json_int_t) worker->credit,
                      "steps_done", (json_int_t) worker->steps_done, "silent_ms",
                      (json_int_t) worker->silent_ms, "lanes", s_lanes_of (worker));
}

static json_t *s_lanes (const dw_status_t *status) {
    json_t *self = json_array ();
    for (size_t i = 0; self && i < status->lanes_count; i++) {
        const dw_status_lane_t *lane = &status->lanes[i];
        json_t *one = json_pack ("{s:s, s:I, s:I, s:I}", "demand", lane->demand, "nodes_count",
                                 (json_int_t) lane->nodes_count, "slots", (json_int_t) lane->slots,
                                 "ready", (json_int_t) lane->ready);
        if (json_array_append_new (self, one)) {
            json_decref (self);
            self = NULL;
        }
    }
    return self;
}

static json_t *s_workers (const dw_status_t *status) {
    json_t *self = json_array ();
    for (size_t i = 0; self && i < status->workers_count; i++) {
        if (json_array_append_new (self, s_worker (&status->workers[i]))) {
            json_decref (self);
            self = NULL;
        }
    }
    return self;
}

static json_t *s_clients (const dw_status_t *status) {
    json_t *self = json_array ();
    for (size_t i = 0; self && i < status->clients_shown; i++) {
        const dw_status_client_t *client = &status->clients[i];
        json_t *one = json_pack ("{s:s, s:I, s:I, s:I}", "name", client->name, "runs_in_flight",
                                 (json_int_t) client->runs_in_flight, "results_kept",
                                 (json_int_t) client->results_kept, "away_ms",
                                 (json_int_t) client->away_ms);
        if (json_array_append_new (self, one)) {
            json_decref (self);
            self = NULL;
        }
    }
    return self;
}

static json_t *s_runs (const dw_status_t *status) {
    json_t *self = json_array ();
    for (size_t i = 0; self && i < status->runs_shown; i++) {
        const dw_status_run_t *run = &status->runs[i];
        json_t *one = json_pack ("{s:s, s:I, s:I, s:I, s:I, s:b}", "client", run->client, "number",
                                 (json_int_t) run->number, "age_ms", (json_int_t) run->age_ms,
                                 "unfinished", (json_int_t) run->unfinished, "sent",
                                 (json_int_t) run->sent, "is_detached", run->is_detached);
        if (json_array_append_new (self, one)) {
            json_decref (self);
            self = NULL;
        }
    }
    return self;
}

static json_t *s_troubles (const dw_status_t *status) {
    json_t *self = json_array ();
    for (size_t i = 0; self && i < status->troubles_count; i++) {
        if (json_array_append_new (self, json_string (status->troubles[i]))) {
            json_decref (self);
            self = NULL;
        }
    }
    return self;
}

static json_t *s_counts (const dw_status_t *status) {
    assert (status);
    return json_pack (
        "{s:s, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, "
        "s:I, s:I, s:I, s:I}",
        "graph", status->graph, "nodes_count", (json_int_t) status->nodes_count, "clients_count",
        (json_int_t) status->clients_count, "runs_in_flight", (json_int_t) status->runs_in_flight,
        "runs_ok", (json_int_t) status->runs_ok, "runs_partial", (json_int_t) status->runs_partial,
        "runs_failed", (json_int_t) status->runs_failed, "runs_cancelled",
        (json_int_t) status->runs_cancelled, "tasks_ready", (json_int_t) status->tasks_ready,
        "tasks_sent", (json_int_t) status->tasks_sent, "steps_done",
        (json_int_t) status->steps_done, "attempts_failed", (json_int_t) status->attempts_failed,
        "retries", (json_int_t) status->retries, "timeouts", (json_int_t) status->timeouts, "lost",
        (json_int_t) status->lost, "answers_ignored", (json_int_t) status->answers_ignored,
        "messages_ignored", (json_int_t) status->messages_ignored, "runs_stalled",
        (json_int_t) status->runs_stalled, "slots_down", (json_int_t) status->slots_down,
        "slots_long", (json_int_t) status->slots_long, "clients_away",
        (json_int_t) status->clients_away, "results_kept", (json_int_t) status->results_kept);
}

static json_t *s_status (const dw_status_t *status) {
    json_t *json = s_counts (status);
    if (json && (json_object_set_new (json, "lanes", s_lanes (status)) ||
                 json_object_set_new (json, "clients", s_clients (status)) ||
                 json_object_set_new (json, "runs", s_runs (status)) ||
                 json_object_set_new (json, "troubles", s_troubles (status)) ||
                 json_object_set_new (json, "workers", s_workers (status)))) {
        json_decref (json);
        json = NULL;
    }
    return json;
}

/* One graph is an object; several are an array in one. */
static int s_print_json (dw_status_t *const *statuses, size_t count) {
    assert (statuses);
    json_t *json = NULL, *list = count > 1 ? json_array () : NULL;
    bool ok = true;
    for (size_t i = 0; i < count && list && ok; i++)
        ok = json_array_append_new (list, s_status (statuses[i])) == 0;
    if (list && ok)
        json = json_pack ("{s:O}", "graphs", list);
    else if (count == 1)
        json = s_status (statuses[0]);
    json_decref (list);
    bool printed = dw_report_json_dump (json) && dw_output_text ("\n");
    return printed || dw_output_failed () ? DW_OK : DW_ENOMEM;
}

/* ---- The command -------------------------------------------------------------------------- */

static int s_print (dw_status_t *const *statuses, size_t count, dw_format_t format) {
    assert (statuses); /* each was answered */
    switch (format) {
        case DW_FORMAT_TEXT:
            for (size_t i = 0; i < count; i++) {
                dw_output_text (i > 0 ? "\n" : "");
                s_print_text (statuses[i]);
            }
            return DW_OK;
        case DW_FORMAT_JSON: return s_print_json (statuses, count);
    }
    return DW_OK;
}

static int s_ask (const dw_connect_options_t *options, dw_status_t **status_p) {
    dw_error_t *error = dw_error_new ();
    dw_client_t *client = NULL;
    int err = dw_client_connect (&client, options, error);
    int exit_status = err ? dw_connection_fail (err, error, options) : DW_EXIT_OK;
    if (!err) {
        err = dw_client_status (client, options->timeout_ms > 0 ? options->timeout_ms : ANSWER_MS,
                                status_p);
        exit_status = err ? dw_command_fail (err, NULL, options->endpoint) : DW_EXIT_OK;
    }
    dw_client_destroy (&client);
    dw_error_destroy (&error);
    return exit_status;
}

static int s_ask_all (const options_t *self, const dw_connect_options_t *options,
                      char *const *names, size_t count) {
    dw_status_t **statuses = calloc (count, sizeof (dw_status_t *));
    int status = statuses ? DW_EXIT_OK : dw_command_fail (DW_ENOMEM, NULL, "the status");
    for (size_t i = 0; i < count && !status; i++) {
        dw_connect_options_t one = *options;
        one.graph = names[i];
        status = s_ask (&one, &statuses[i]);
    }
    if (!status) {
        int err = s_print (statuses, count, self->format);
        status = err ? dw_command_fail (err, NULL, "the status") : DW_EXIT_OK;
    }
    for (size_t i = 0; statuses && i < count; i++)
        dw_status_destroy (&statuses[i]);
    free (statuses);
    return status;
}

int dw_command_status (int argc, char **argv) {
    options_t options = {0};
    char **names = NULL;
    size_t count = 0;
    int status = DW_EXIT_OK;
    if (!dw_command_parse (&s_argp, argc, argv, &options, &status))
        return status;
    dw_connect_options_t connect;
    status = dw_connection_find (&options.connection, &connect);
    if (!status)
        status = dw_connection_graphs (&connect, &names, &count);
    if (!status)
        status = s_ask_all (&options, &connect, names, count);
    dw_graph_names_free (&names, count);
    return dw_connection_end (&options.connection, status);
}
