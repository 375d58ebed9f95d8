/* fleet.c - what many workers cost that are at work: tasks a second, and the coordinator's CPU,
 * memory and bytes on the wire.
 *
 * A coordinator in this process with its client, and worker processes of many slots, each with a
 * connection of its own over TCP on this machine. The tasks sleep, so that there can be more slots
 * than CPUs; what is measured of the coordinator is its whole process, client and ZeroMQ's thread
 * included. Workers share the CPUs with it, so how many tasks a second there are says more of this
 * machine than of the coordinator, and what each of them costs it says more. The hash is of the
 * outputs. */

#include <linux/tcp.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "actors/clock.h"
#include "bench/lib/figures.h"
#include "bench/lib/resident.h"
#include "bench/lib/rig.h"
#include "bench/lib/workers.h"
#include "runtime/core/error.h"

enum { SLOTS, PROCESSES, TASK_MS, TASKS, PAYLOAD };

static dw_parameter_t s_parameters[] = {
    {"slots", "Slots of each worker process, each with a connection", 500, 10, 1, 1024, false},
    {"processes", "Worker processes", 2, 2, 1, DW_WORKERS_MAX, false},
    {"task-ms", "For how long a task sleeps; 0: it does not", 100, 1, 0, 60000, false},
    {"tasks", "Tasks in all, rounded up to hundreds", 50000, 1000, 1, 100000000, false},
    {"payload", "Bytes of the payload that each task reads and writes", 100, 100, 1, 1 << 20,
     false},
    {NULL, NULL, 0, 0, 0, 0, false},
};

#define NODES      100u /* tasks of a run, none of which depends on another */
#define TIMEOUT_MS 60000

/* ---- What is looked at ------------------------------------------------------------------------ */

/* What this process has used and sent so far. */
typedef struct s_look_t {
    double own_s, workers_s;
    uint64_t sent_bytes, received_bytes; /* over its connections, without the heads of TCP */
    int64_t at_ns;
} s_look_t;

static s_look_t s_look (const dw_workers_t *workers) {
    s_look_t look = {.own_s = dw_workers_own_cpu_s (),
                     .workers_s = dw_workers_cpu_s (workers),
                     .at_ns = dw_clock_ns ()};
    long fds = sysconf (_SC_OPEN_MAX);
    for (int fd = 0; fd < fds && fd < 1 << 17; fd++) {
        struct tcp_info info = {0};
        socklen_t size = sizeof info;
        if (getsockopt (fd, IPPROTO_TCP, TCP_INFO, &info, &size))
            continue;
        look.sent_bytes += info.tcpi_bytes_acked;
        look.received_bytes += info.tcpi_bytes_received;
    }
    return look;
}

static void s_report (dw_figures_t *figures, const s_look_t *before, const s_look_t *after,
                      double tasks) {
    double passed_ns = (double) (after->at_ns - before->at_ns);
    double own_ns = (after->own_s - before->own_s) * 1e9,
           workers_ns = (after->workers_s - before->workers_s) * 1e9;
    double slots = (double) (s_parameters[SLOTS].value * s_parameters[PROCESSES].value);
    dw_figures_number (figures, "tasks_per_second", tasks * 1e9 / passed_ns);
    dw_figures_number (figures, "slots_busy_percent",
                       100 * tasks * (double) s_parameters[TASK_MS].value * 1e6 / passed_ns /
                           slots);
    dw_figures_number (figures, "coordinator_us_per_task", own_ns / tasks / 1e3);
    dw_figures_number (figures, "coordinator_core_percent", 100 * own_ns / passed_ns);
    dw_figures_number (figures, "workers_core_percent", 100 * workers_ns / passed_ns);
    dw_figures_number (figures, "sent_bytes_per_task",
                       (double) (after->sent_bytes - before->sent_bytes) / tasks);
    dw_figures_number (figures, "received_bytes_per_task",
                       (double) (after->received_bytes - before->received_bytes) / tasks);
}

/* ---- Runs ------------------------------------------------------------------------------------- */

/* So many runs, enough in flight at one time for all slots and as much again. */
static int s_run (dw_client_t *client, uint64_t runs, const char *text, uint64_t *hash,
                  dw_error_t *error) {
    uint64_t slots = s_parameters[SLOTS].value * s_parameters[PROCESSES].value,
             in_flight_max = 2 * slots / NODES + 2;
    dw_submission_t submission = {
        .payload = text, .size = strlen (text), .is_text = true, .wait_ms = -1};
    int err = DW_OK;
    for (uint64_t sent = 0, got = 0; got < runs && !err; got++) {
        for (; sent < runs && sent - got < in_flight_max && !err; sent++)
            err = dw_client_submit (client, &submission, NULL, error);
        dw_result_t *result = NULL;
        if (!err)
            err = dw_client_wait_any (client, NULL, 0, TIMEOUT_MS, &result);
        if (!err)
            err = dw_rig_check (result, error);
        if (!err)
            *hash += dw_rig_hash (result);
        dw_result_destroy (&result);
    }
    return err;
}

static int s_measure (dw_figures_t *figures, dw_system_t *system, const dw_workers_t *workers,
                      uint64_t *hash) {
    uint64_t runs = (s_parameters[TASKS].value + NODES - 1) / NODES, ignored = 0;
    dw_client_t *client = NULL;
    char *text = malloc (s_parameters[PAYLOAD].value + 1);
    int err = text ? dw_client_new (&client, system, figures->error) : DW_ENOMEM;
    if (!err) {
        memset (text, 'x', s_parameters[PAYLOAD].value);
        text[s_parameters[PAYLOAD].value] = '\0';
        err = s_run (client, runs / 10 + 1, text, &ignored, figures->error);
    }
    s_look_t before = s_look (workers);
    if (!err)
        err = s_run (client, runs, text, hash, figures->error);
    s_look_t after = s_look (workers);
    if (!err)
        s_report (figures, &before, &after, (double) (runs * NODES));
    dw_client_destroy (&client);
    free (text);
    return err;
}

/* ---- Made ------------------------------------------------------------------------------------- */

static int s_make_graph (dw_graph_t *graph) {
    char id[16];
    int err = graph ? DW_OK : DW_ENOMEM;
    for (unsigned i = 0; i < NODES && !err; i++) {
        snprintf (id, sizeof id, "n%u", i);
        int node = dw_graph_add (graph, id, s_parameters[TASK_MS].value ? "sleep" : "identity");
        err = node < 0 ? node : DW_OK;
        if (!err && s_parameters[TASK_MS].value)
            err = dw_graph_set_integer (graph, node, "ms", (int64_t) s_parameters[TASK_MS].value);
    }
    return err;
}

int main (int argc, char **argv) {
    dw_figures_t figures = {
        .bench = "fleet",
        .help =
            "Measures a coordinator with many worker connections over TCP on this machine, all "
            "of them at work: what a task costs it in CPU time and bytes, and a slot in memory.",
        .parameters = s_parameters};
    dw_figures_start (&figures, argc, argv);
    uint32_t each = (uint32_t) s_parameters[SLOTS].value,
             processes = (uint32_t) s_parameters[PROCESSES].value;
    uint64_t hash = 0, alone_bytes = 0;
    dw_workers_t workers = {0};
    dw_system_t *system = NULL;
    dw_graph_t *graph = dw_graph_new ();
    dw_system_options_t options = {.listen = "tcp://127.0.0.1:*",
                                   .no_actors = true,
                                   .slots_max = each * processes,
                                   .clients_max = 1};
    int err = dw_workers_start (&workers, processes, each, figures.error);
    if (!err)
        err = s_make_graph (graph);
    if (!err)
        err = dw_system_open (&system, graph, &options, figures.error);
    alone_bytes = dw_resident_bytes ();
    if (!err)
        err = dw_workers_join (&workers, dw_system_listening (system), figures.error);
    if (!err)
        dw_figures_number (&figures, "coordinator_bytes_per_slot",
                           (double) (dw_resident_bytes () - alone_bytes) / each / processes);
    if (!err)
        err = s_measure (&figures, system, &workers, &hash);
    dw_system_close (&system, -1, NULL);
    dw_graph_destroy (&graph);
    int workers_err = dw_workers_end (&workers, figures.error);
    return dw_figures_end (&figures, hash, err ? err : workers_err);
}
