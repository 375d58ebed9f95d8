/* elsewhere.c - what a worker process costs: tasks, a round trip and large payloads over TCP,
 * beside ZeroMQ alone.
 *
 * A coordinator in this process, one worker process, loopback. In the same sitting another process
 * gives back what it is sent by a ROUTER and a DEALER and nothing else, with the same keys or none:
 * what there is to be had. Both are measured in turns, and a ratio is the median of those of the
 * rounds. The hash is of the outputs. */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "actors/clock.h"
#include "actors/keys.h"
#include "bench/lib/child.h"
#include "bench/lib/raw.h"
#include "bench/lib/figures.h"
#include "bench/lib/rig.h"
#include "runtime/core/error.h"

enum { TASKS, PAYLOAD, LARGE, LARGE_RUNS, SLOTS, KEYS, REPEAT };

static dw_parameter_t s_parameters[] = {
    {"tasks", "Tasks of a run, none of which depends on another", 100000, 2000, 1, 1000000, false},
    {"payload", "Bytes of the payload that each task reads and writes", 100, 100, 1, 1 << 20,
     false},
    {"large", "Bytes of a large payload, of runs of one task", 1 << 20, 1 << 16, 1, 8 << 20, false},
    {"large-runs", "Runs with a large payload that are measured together", 300, 20, 1, 1000000,
     false},
    {"slots", "Slots of the worker process", 1, 1, 1, 64, false},
    {"keys", "1: with CURVE", 0, 0, 0, 1, false},
    {"repeat", "How often each figure is measured", 5, 2, 1, 1000, false},
    {NULL, NULL, 0, 0, 0, 0, false},
};

#define TRIPS      1000u
#define TURNS      20u
#define IN_FLIGHT  8u
#define TIMEOUT_MS 20000

/* ---- Keys ------------------------------------------------------------------------------------- */

/* A folder of keys that both processes know; "" without. */
typedef struct s_folder_t {
    char name[64];
    char worker[96], server[96]; /* files */
} s_folder_t;

static int s_make_keys (s_folder_t *self, dw_error_t *error) {
    char file[96], text[DW_KEY_TEXT_SIZE];
    dw_keys_t keys;
    snprintf (self->name, sizeof self->name, "/tmp/dagwood-bench-XXXXXX");
    if (!mkdtemp (self->name))
        return dw_error_add (error, DW_EFILE, DW_NOWHERE, "no folder for keys: %s",
                             strerror (errno));
    snprintf (file, sizeof file, "%s/coordinator.key", self->name);
    snprintf (self->server, sizeof self->server, "%s/coordinator.key.pub", self->name);
    snprintf (self->worker, sizeof self->worker, "%s/worker.key", self->name);
    int err = dw_keys_generate (&keys, error);
    if (!err)
        err = dw_keys_write (&keys, file, error);
    if (!err)
        err = dw_keys_generate (&keys, error);
    if (!err)
        err = dw_keys_write (&keys, self->worker, error);
    snprintf (file, sizeof file, "%s/allowed", self->name);
    FILE *list = err ? NULL : fopen (file, "w");
    if (!err && !list)
        return dw_error_add (error, DW_EFILE, DW_NOWHERE, "%s: %s", file, strerror (errno));
    dw_key_text (text, keys.public_key);
    if (list) {
        fprintf (list, "worker %s bench\n", text);
        fclose (list);
    }
    return err;
}

static void s_remove_keys (const s_folder_t *self) {
    static const char *const files[] = {"coordinator.key", "coordinator.key.pub", "worker.key",
                                        "worker.key.pub", "allowed"};
    char file[96];
    for (size_t i = 0; self->name[0] && i < sizeof files / sizeof *files; i++) {
        snprintf (file, sizeof file, "%s/%s", self->name, files[i]);
        unlink (file);
    }
    if (self->name[0])
        rmdir (self->name);
}

/* ---- The worker process ----------------------------------------------------------------------- */

static int s_work (const char *endpoint, const s_folder_t *keys) {
    dw_agent_t *agent = NULL;
    dw_error_t *error = dw_error_new ();
    dw_agent_options_t options = {.coordinator = {.endpoint = endpoint},
                                  .slots = (uint32_t) s_parameters[SLOTS].value};
    if (keys->name[0]) {
        options.coordinator.key = keys->worker;
        options.coordinator.server_key = keys->server;
    }
    int err = dw_agent_open (&agent, &options, error);
    if (!err)
        err = dw_agent_wait (agent, -1);
    fputs (dw_error_text (error), stderr);
    dw_agent_close (&agent, -1, NULL);
    dw_error_destroy (&error);
    return err;
}

/* Its lines are the endpoints of coordinators, one after another. */
static int s_be_worker (FILE *in, void *keys) {
    char line[300];
    int err = DW_OK;
    while (!err && fgets (line, sizeof line, in)) {
        line[strcspn (line, "\n")] = '\0';
        err = s_work (line, keys);
    }
    return err;
}

/* ---- dagwood ---------------------------------------------------------------------------------- */

/* A text of so many bytes, the header of its str included. */
static char *s_text (size_t payload) {
    size_t head = payload < 32 ? 1 : payload < 256 + 2 ? 2 : payload < 65536 + 3 ? 3 : 5;
    size_t size = payload > head ? payload - head : 1;
    char *text = malloc (size + 1);
    if (text) {
        memset (text, 'x', size);
        text[size] = '\0';
    }
    return text;
}

static int s_measure_tasks (dw_figures_t *figures, dw_client_t *client, uint64_t *hash) {
    uint32_t repeat = (uint32_t) s_parameters[REPEAT].value;
    double *ns = calloc (repeat, sizeof *ns);
    char *text = s_text (s_parameters[PAYLOAD].value);
    int err = ns && text ? dw_rig_run_text (client, text, hash, figures->error) : DW_ENOMEM;
    for (uint32_t i = 0; i < repeat && !err; i++) {
        int64_t begin_ns = dw_clock_ns ();
        err = dw_rig_run_text (client, text, hash, figures->error);
        ns[i] = (double) (dw_clock_ns () - begin_ns) / (double) s_parameters[TASKS].value;
    }
    if (!err)
        dw_figures_spread (figures, "tasks_per_second",
                           dw_spread_inverse (dw_spread_of (ns, repeat), 1e9));
    free (text);
    free (ns);
    return err;
}

/* Runs of one task, window at one time. ns. */
static int s_stream (dw_client_t *client, const char *text, unsigned count, unsigned window,
                     double *ns_p, dw_error_t *error) {
    dw_submission_t submission = {
        .payload = text, .size = strlen (text), .is_text = true, .wait_ms = -1};
    int64_t begin_ns = dw_clock_ns ();
    int err = DW_OK;
    for (unsigned sent = 0, got = 0; got < count && !err;) {
        for (; sent < count && sent - got < window && !err; sent++)
            err = dw_client_submit (client, &submission, NULL, error);
        dw_result_t *result = NULL;
        if (!err)
            err = dw_client_wait_any (client, NULL, 0, TIMEOUT_MS, &result);
        if (!err)
            err = dw_rig_check (result, error);
        dw_result_destroy (&result);
        got++;
    }
    *ns_p = (double) (dw_clock_ns () - begin_ns);
    return err;
}

/* What is measured in each round. */
typedef struct s_series_t {
    const char *name;
    double *ours, *raw, *ratio; /* of REPEAT rounds */
} s_series_t;

static bool s_series_new (s_series_t *self, const char *name) {
    size_t repeat = s_parameters[REPEAT].value;
    double *values = calloc (3 * repeat, sizeof *values);
    *self = (s_series_t){.name = name, .ours = values};
    if (values) {
        self->raw = values + repeat;
        self->ratio = values + 2 * repeat;
    }
    return values;
}

static void s_series_set (s_series_t *self, size_t round, double ours, double raw) {
    self->ours[round] = ours;
    self->raw[round] = raw;
    self->ratio[round] = ours / raw;
}

/* ours and raw are in ns, and told as times, or as rates of amount. */
static void s_series_report (s_series_t *self, dw_figures_t *figures, double amount) {
    static const char *const forms[][3] = {
        {"%s_ns", "raw_%s_ns", "%s_to_raw"},
        {"%s_mb_per_second", "raw_%s_mb_per_second", "%s_to_raw"}};
    double *values[] = {self->ours, self->raw, self->ratio};
    for (size_t i = 0; i < 3; i++) {
        char name[64];
        dw_spread_t spread = dw_spread_of (values[i], s_parameters[REPEAT].value);
        if (amount > 0)
            spread = dw_spread_inverse (spread, i == 2 ? 1 : amount);
        snprintf (name, sizeof name, forms[amount > 0][i], self->name);
        dw_figures_spread (figures, name, spread);
    }
}

/* Runs of one task, alone and with a large payload, and as many round trips of ZeroMQ alone, in
 * turns. */
static int s_measure_runs (dw_figures_t *figures, dw_client_t *client, dw_raw_t *raw) {
    size_t payload = s_parameters[PAYLOAD].value, large_size = s_parameters[LARGE].value;
    unsigned large_runs = (unsigned) s_parameters[LARGE_RUNS].value;
    char *small = s_text (payload), *large = s_text (large_size);
    s_series_t run, large_run;
    bool has_memory = s_series_new (&run, "run");
    has_memory &= s_series_new (&large_run, "large");
    double ns = 0;
    int err = small && large && has_memory ? DW_OK : DW_ENOMEM;
    if (!err)
        err = s_stream (client, small, TRIPS / 10, 1, &ns, figures->error);
    if (!err)
        err = s_stream (client, large, 2 * IN_FLIGHT, IN_FLIGHT, &ns, figures->error);
    dw_raw_trips (raw, payload, TRIPS / 10, 1);
    dw_raw_trips (raw, large_size, 2 * IN_FLIGHT, IN_FLIGHT);
    for (size_t round = 0; round < s_parameters[REPEAT].value && !err; round++) {
        double run_ns = 0,
               raw_ns =
                   /* in short turns: where threads sleep makes more of a difference than who wakes
                 * them */
               0;
        for (unsigned i = 0; i < TURNS && !err; i++) {
            err = s_stream (client, small, TRIPS / TURNS, 1, &ns, figures->error);
            run_ns += ns;
            raw_ns += dw_raw_trips (raw, payload, TRIPS / TURNS, 1);
        }
        s_series_set (&run, round, run_ns / TRIPS, raw_ns / TRIPS);
        if (!err)
            err = s_stream (client, large, large_runs, IN_FLIGHT, &ns, figures->error);
        s_series_set (&large_run, round, ns / large_runs,
                      dw_raw_trips (raw, large_size, large_runs, IN_FLIGHT) / large_runs);
    }
    if (!err) {
        s_series_report (&run, figures, 0);
        s_series_report (&large_run, figures, (double) large_size * 1e3);
    }
    free (run.ours);
    free (large_run.ours);
    free (small);
    free (large);
    return err;
}

static int s_add_nodes (dw_graph_t *graph, uint64_t count) {
    char id[32];
    int node = 0;
    for (uint64_t i = 0; i < count && node >= 0; i++) {
        snprintf (id, sizeof id, "n%llu", (unsigned long long) i);
        node = dw_graph_add (graph, id, "identity");
    }
    return node < 0 ? node : DW_OK;
}

/* A system of count nodes with the worker process, and a client of it: measured by one of the
 * two. */
static int s_with_system (dw_figures_t *figures, const dw_child_t *worker, const s_folder_t *keys,
                          uint64_t count, dw_raw_t *raw, uint64_t *hash) {
    dw_system_t *system = NULL;
    dw_client_t *client = NULL;
    dw_graph_t *graph = dw_graph_new ();
    dw_system_options_t options = {.listen = "tcp://127.0.0.1:*",
                                   .no_actors = true,
                                   .keys = keys->name[0] ? keys->name : NULL,
                                   .clients_max = 1};
    int err = graph ? s_add_nodes (graph, count) : DW_ENOMEM;
    if (!err)
        err = dw_system_open (&system, graph, &options, figures->error);
    if (!err) {
        dw_child_tell (worker, dw_system_listening (system));
        err = dw_client_new (&client, system, figures->error);
    }
    if (!err)
        err = raw ? s_measure_runs (figures, client, raw) : s_measure_tasks (figures, client, hash);
    dw_client_destroy (&client);
    dw_system_close (&system, -1, NULL);
    dw_graph_destroy (&graph);
    return err;
}

static int s_measure (dw_figures_t *figures, const dw_child_t *worker, const s_folder_t *keys,
                      dw_raw_t *raw, uint64_t *hash) {
    int err = dw_raw_connect (raw, s_parameters[KEYS].value, figures->error);
    if (!err)
        err = s_with_system (figures, worker, keys, s_parameters[TASKS].value, NULL, hash);
    return err ? err : s_with_system (figures, worker, keys, 1, raw, hash);
}

int main (int argc, char **argv) {
    dw_figures_t figures = {
        .bench = "elsewhere",
        .help =
            "Measures a coordinator with one worker process over TCP on this machine: empty tasks a second, a run of "
            "one task alone and with a large payload, beside ZeroMQ alone.",
        .parameters = s_parameters};
    dw_figures_start (&figures, argc, argv);
    s_folder_t keys = {0};
    dw_child_t worker = {0};
    dw_raw_t raw = {0};
    uint64_t hash = 0;
    int err = s_parameters[KEYS].value ? s_make_keys (&keys, figures.error) : DW_OK;
    if (!err)
        err = dw_child_start (&worker, s_be_worker, &keys, figures.error);
    if (!err)
        err = dw_raw_start (&raw, figures.error);
    if (!err)
        err = s_measure (&figures, &worker, &keys, &raw, &hash);
    int raw_err = dw_raw_end (&raw, figures.error),
        worker_err = dw_child_end (&worker, figures.error);
    s_remove_keys (&keys);
    return dw_figures_end (&figures, hash, err ? err : worker_err ? worker_err : raw_err);
}
