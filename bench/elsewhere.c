/* elsewhere.c - what a worker process costs: tasks, a round trip and large payloads over TCP, beside ZeroMQ alone.
 *
 * A coordinator in this process, one worker process, loopback. In the same sitting the same two processes exchange
 * messages by a DEALER and a ROUTER and nothing else: what there is to be had. The hash is of the outputs. */

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>
#include <zmq.h>

#include "actors/clock.h"
#include "actors/endpoint.h"
#include "actors/keys.h"
#include "bench/lib/report.h"
#include "bench/lib/rig.h"
#include "runtime/core/error.h"

enum { TASKS, PAYLOAD, LARGE, SLOTS, KEYS, REPEAT };

static dw_parameter_t s_parameters[] = {
    {"tasks", "Tasks of a run, none of which depends on another", 100000, 2000, 1, 1000000, false},
    {"payload", "Bytes of the payload that each task reads and writes", 100, 100, 1, 1 << 20,
     false},
    {"large", "Bytes of a large payload, of runs of one task", 1 << 20, 1 << 16, 1, 8 << 20, false},
    {"slots", "Slots of the worker process", 1, 1, 1, 64, false},
    {"keys", "1: with CURVE", 0, 0, 0, 1, false},
    {"repeat", "How often each figure is measured", 5, 2, 1, 1000, false},
    {NULL, NULL, 0, 0, 0, 0, false},
};

#define TRIPS      2000u
#define LARGE_RUNS 100u
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

/* What the other process is told: where to go, one line each. */
typedef struct s_child_t {
    pid_t pid;
    int pipe; /* to it */
} s_child_t;

static void s_echo (const char *endpoint) {
    void *context = zmq_ctx_new (), *dealer = zmq_socket (context, ZMQ_DEALER);
    zmq_msg_t message;
    zmq_msg_init (&message);
    zmq_connect (dealer, endpoint);
    zmq_send (dealer, "", 0, 0);
    while (zmq_msg_recv (&message, dealer, 0) > 0) /* an empty one is the last */
        zmq_msg_send (&message, dealer, 0);
    zmq_close (dealer);
    zmq_ctx_term (context);
}

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

/* Reads a line for an echo, then lines for agents, one after another, and does what they say. */
static void s_be_child (int pipe, const s_folder_t *keys) {
    char line[300];
    FILE *in = fdopen (pipe, "r");
    prctl (PR_SET_PDEATHSIG, SIGKILL);
    int err = DW_OK;
    for (bool first = true; in && !err && fgets (line, sizeof line, in); first = false) {
        line[strcspn (line, "\n")] = '\0';
        if (first)
            s_echo (line);
        else
            err = s_work (line, keys);
    }
    _exit (err ? 1 : 0);
}

/* To be called before there is any thread. */
static int s_start_child (s_child_t *self, const s_folder_t *keys, dw_error_t *error) {
    int ends[2];
    if (pipe (ends))
        return dw_error_add (error, DW_ELIMIT, DW_NOWHERE, "no pipe: %s", strerror (errno));
    self->pid = fork ();
    if (self->pid == 0) {
        close (ends[1]);
        s_be_child (ends[0], keys);
    }
    close (ends[0]);
    self->pipe = ends[1];
    return self->pid > 0
               ? DW_OK
               : dw_error_add (error, DW_ELIMIT, DW_NOWHERE, "no process: %s", strerror (errno));
}

static void s_tell_child (const s_child_t *self, const char *endpoint) {
    dprintf (self->pipe, "%s\n", endpoint);
}

static int s_end_child (s_child_t *self, dw_error_t *error) {
    int status = 0;
    if (self->pid <= 0)
        return DW_OK;
    close (self->pipe);
    waitpid (self->pid, &status, 0);
    return status == 0
               ? DW_OK
               : dw_error_add (error, DW_EPROCESSOR, DW_NOWHERE, "the worker process failed");
}

/* ---- ZeroMQ alone ----------------------------------------------------------------------------- */

typedef struct s_raw_t {
    double trip_ns;          /* a round trip of PAYLOAD bytes */
    double large_per_second; /* bytes of LARGE that went there and back */
} s_raw_t;

/* count messages of size bytes there and back, window at one time; ns. */
static double s_trips (void *router, zmq_msg_t *id, size_t size, unsigned count, unsigned window) {
    char *bytes = calloc (1, size);
    zmq_msg_t message, from;
    zmq_msg_init (&message);
    zmq_msg_init (&from);
    int64_t begin_ns = dw_clock_ns ();
    for (unsigned sent = 0, got = 0; bytes && got < count;) {
        for (; sent < count && sent - got < window; sent++) {
            zmq_send (router, zmq_msg_data (id), zmq_msg_size (id), ZMQ_SNDMORE);
            zmq_send (router, bytes, size, 0);
        }
        if (zmq_msg_recv (&from, router, 0) < 0 || zmq_msg_recv (&message, router, 0) < 0)
            break;
        got++;
    }
    double took_ns = (double) (dw_clock_ns () - begin_ns);
    zmq_msg_close (&from);
    zmq_msg_close (&message);
    free (bytes);
    return took_ns;
}

static int s_measure_raw (s_raw_t *self, const s_child_t *child, dw_error_t *error) {
    void *context = zmq_ctx_new (), *router = zmq_socket (context, ZMQ_ROUTER);
    char endpoint[128] = "";
    zmq_msg_t id, empty;
    zmq_msg_init (&id);
    zmq_msg_init (&empty);
    int err = dw_endpoint_bind (router, "tcp://127.0.0.1:*", endpoint, sizeof endpoint, error);
    if (!err) {
        s_tell_child (child, endpoint);
        zmq_msg_recv (&id, router, 0);
        zmq_msg_recv (&empty, router, 0);
        size_t payload = s_parameters[PAYLOAD].value, large = s_parameters[LARGE].value;
        s_trips (router, &id, payload, TRIPS / 10, 1);
        self->trip_ns = s_trips (router, &id, payload, TRIPS, 1) / TRIPS;
        s_trips (router, &id, large, IN_FLIGHT, IN_FLIGHT);
        double ns = s_trips (router, &id, large, LARGE_RUNS, IN_FLIGHT);
        self->large_per_second = (double) large * LARGE_RUNS / ns * 1e9;
        zmq_send (router, zmq_msg_data (&id), zmq_msg_size (&id), ZMQ_SNDMORE);
        zmq_send (router, "", 0, 0);
    }
    zmq_msg_close (&id);
    zmq_msg_close (&empty);
    zmq_close (router);
    zmq_ctx_term (context);
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

static int s_run (dw_client_t *client, const char *text, uint64_t *hash, dw_error_t *error) {
    dw_result_t *result = NULL;
    int err = dw_client_run_text (client, text, &result, error);
    if (!err)
        err = dw_rig_check (result, error);
    if (!err)
        *hash = dw_rig_hash (result);
    dw_result_destroy (&result);
    return err;
}

static int s_measure_tasks (dw_report_t *report, dw_client_t *client, uint64_t *hash) {
    uint32_t repeat = (uint32_t) s_parameters[REPEAT].value;
    double *ns = calloc (repeat, sizeof *ns);
    char *text = s_text (s_parameters[PAYLOAD].value);
    int err = ns && text ? s_run (client, text, hash, report->error) : DW_ENOMEM;
    for (uint32_t i = 0; i < repeat && !err; i++) {
        int64_t begin_ns = dw_clock_ns ();
        err = s_run (client, text, hash, report->error);
        ns[i] = (double) (dw_clock_ns () - begin_ns) / (double) s_parameters[TASKS].value;
    }
    if (!err)
        dw_report_spread (report, "tasks_per_second",
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

static int s_measure_runs (dw_report_t *report, dw_client_t *client, const s_raw_t *raw) {
    char *small = s_text (s_parameters[PAYLOAD].value), *large = s_text (s_parameters[LARGE].value);
    double ns = 0;
    int err = small && large ? s_stream (client, small, TRIPS / 10, 1, &ns, report->error)
                             : DW_ENOMEM;
    if (!err)
        err = s_stream (client, small, TRIPS, 1, &ns, report->error);
    if (!err) {
        dw_report_number (report, "run_ns", ns / TRIPS);
        dw_report_number (report, "raw_trip_ns", raw->trip_ns);
        dw_report_number (report, "run_to_raw_trip", ns / TRIPS / raw->trip_ns);
        err = s_stream (client, large, IN_FLIGHT, IN_FLIGHT, &ns, report->error);
    }
    if (!err)
        err = s_stream (client, large, LARGE_RUNS, IN_FLIGHT, &ns, report->error);
    if (!err) {
        double per_second = (double) s_parameters[LARGE].value * LARGE_RUNS / ns * 1e9;
        dw_report_number (report, "large_mb_per_second", per_second / 1e6);
        dw_report_number (report, "raw_large_mb_per_second", raw->large_per_second / 1e6);
        dw_report_number (report, "large_to_raw", per_second / raw->large_per_second);
    }
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

/* A system of count nodes with the worker process, and a client of it: measured by one of the two. */
static int s_with_system (dw_report_t *report, const s_child_t *child, const s_folder_t *keys,
                          uint64_t count, const s_raw_t *raw, uint64_t *hash) {
    dw_system_t *system = NULL;
    dw_client_t *client = NULL;
    dw_graph_t *graph = dw_graph_new ();
    dw_system_options_t options = {.listen = "tcp://127.0.0.1:*",
                                   .no_actors = true,
                                   .keys = keys->name[0] ? keys->name : NULL,
                                   .clients_max = 1};
    int err = graph ? s_add_nodes (graph, count) : DW_ENOMEM;
    if (!err)
        err = dw_system_open (&system, graph, &options, report->error);
    if (!err) {
        s_tell_child (child, dw_system_listening (system));
        err = dw_client_new (&client, system, report->error);
    }
    if (!err)
        err = raw ? s_measure_runs (report, client, raw) : s_measure_tasks (report, client, hash);
    dw_client_destroy (&client);
    dw_system_close (&system, -1, NULL);
    dw_graph_destroy (&graph);
    return err;
}

static int s_measure (dw_report_t *report, const s_child_t *child, const s_folder_t *keys,
                      uint64_t *hash) {
    s_raw_t raw = {0};
    int err = s_measure_raw (&raw, child, report->error);
    if (!err)
        err = s_with_system (report, child, keys, s_parameters[TASKS].value, NULL, hash);
    return err ? err : s_with_system (report, child, keys, 1, &raw, hash);
}

int main (int argc, char **argv) {
    dw_report_t report = {
        .bench = "elsewhere",
        .help =
            "Measures a coordinator with one worker process over TCP on this machine: empty tasks a second, a run of "
            "one task alone and with a large payload, beside ZeroMQ alone.",
        .parameters = s_parameters};
    dw_report_start (&report, argc, argv);
    s_folder_t keys = {0};
    s_child_t child = {0};
    uint64_t hash = 0;
    int err = s_parameters[KEYS].value ? s_make_keys (&keys, report.error) : DW_OK;
    if (!err)
        err = s_start_child (&child, &keys, report.error);
    if (!err)
        err = s_measure (&report, &child, &keys, &hash);
    int child_err = s_end_child (&child, report.error);
    s_remove_keys (&keys);
    return dw_report_end (&report, hash, err ? err : child_err);
}
