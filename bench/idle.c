/* idle.c - what many workers cost that have nothing to do: the share of a core that a coordinator uses with their
 * connections, and that their process does.
 *
 * A coordinator in this process, one worker process with so many slots, each with a connection of its own over TCP on this
 * machine. After that a run goes through the system, whose outputs the hash is of. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "actors/clock.h"
#include "bench/lib/child.h"
#include "bench/lib/report.h"
#include "bench/lib/rig.h"
#include "runtime/core/error.h"

enum { SLOTS, SECONDS };

static dw_parameter_t s_parameters[] = {
    {"slots", "Slots of the worker process, each with a connection", 1000, 20, 1, 1024, false},
    {"seconds", "For how long they have nothing to do", 10, 1, 1, 3600, false},
    {NULL, NULL, 0, 0, 0, 0, false},
};

#define JOIN_MS_MAX 60000

static int s_be_worker (FILE *in, void *arg) {
    char line[200];
    (void) arg;
    if (!fgets (line, sizeof line, in))
        return DW_OK;
    line[strcspn (line, "\n")] = '\0';
    dw_agent_t *agent = NULL;
    dw_error_t *error = dw_error_new ();
    dw_agent_options_t options = {.coordinator = {.endpoint = line},
                                  .slots = (uint32_t) s_parameters[SLOTS].value};
    int err = dw_agent_open (&agent, &options, error);
    if (!err)
        err = dw_agent_wait (agent, -1);
    fputs (dw_error_text (error), stderr);
    dw_agent_close (&agent, -1, NULL);
    dw_error_destroy (&error);
    return err;
}

static void s_raise_limits (void) {
    struct rlimit limit;
    if (getrlimit (RLIMIT_NOFILE, &limit))
        return;
    limit.rlim_cur = limit.rlim_max;
    setrlimit (RLIMIT_NOFILE, &limit);
}

/* Seconds of CPU time that a process has used so far. */
static double s_cpu_s (pid_t pid) {
    char name[64];
    unsigned long user = 0, system = 0;
    snprintf (name, sizeof name, "/proc/%d/stat", (int) pid);
    FILE *file = fopen (name, "r");
    int got = file ? fscanf (file,
                             "%*d (%*[^)]) %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu",
                             &user, &system)
                   : 0;
    if (file)
        fclose (file);
    return got == 2 ? (double) (user + system) / (double) sysconf (_SC_CLK_TCK) : 0;
}

static unsigned s_connections (void) {
    unsigned count = 0;
    for (int fd = 0; fd < 4096; fd++) {
        struct stat what;
        count += fstat (fd, &what) == 0 && S_ISSOCK (what.st_mode);
    }
    return count;
}

static int s_await_slots (dw_error_t *error) {
    for (int ms = 0; ms < JOIN_MS_MAX; ms += 100) {
        if (s_connections () > s_parameters[SLOTS].value)
            return DW_OK;
        usleep (100000);
    }
    return dw_error_add (error, DW_ETIMEDOUT, DW_NOWHERE, "the slots did not come");
}

static int s_run (dw_report_t *report, dw_system_t *system, uint64_t *hash) {
    dw_client_t *client = NULL;
    dw_result_t *result = NULL;
    int err = dw_client_new (&client, system, report->error);
    if (!err)
        err = dw_client_run_text (client, "still here", &result, report->error);
    if (!err)
        err = dw_rig_check (result, report->error);
    if (!err)
        *hash = dw_rig_hash (result);
    dw_result_destroy (&result);
    dw_client_destroy (&client);
    return err;
}

static void s_measure (dw_report_t *report, const dw_child_t *worker) {
    sleep (2); /* the last of them say HELLO */
    double own_s = s_cpu_s (getpid ()), worker_s = s_cpu_s (worker->pid);
    int64_t begin_ns = dw_clock_ns ();
    sleep ((unsigned) s_parameters[SECONDS].value);
    double passed_s = (double) (dw_clock_ns () - begin_ns) / 1e9;
    dw_report_number (report, "coordinator_core_percent",
                      100 * (s_cpu_s (getpid ()) - own_s) / passed_s);
    dw_report_number (report, "worker_core_percent",
                      100 * (s_cpu_s (worker->pid) - worker_s) / passed_s);
}

int main (int argc, char **argv) {
    dw_report_t report = {
        .bench = "idle",
        .help =
            "Measures what idle worker connections cost their coordinator, and the worker process.",
        .parameters = s_parameters};
    dw_report_start (&report, argc, argv);
    s_raise_limits ();
    uint64_t hash = 0;
    dw_child_t worker = {0};
    dw_system_t *system = NULL;
    dw_graph_t *graph = dw_graph_new ();
    dw_system_options_t options = {.listen = "tcp://127.0.0.1:*", .no_actors = true};
    int err = dw_child_start (&worker, s_be_worker, NULL, report.error);
    if (!err && (!graph || dw_graph_add (graph, "same", "identity") < 0))
        err = DW_ENOMEM;
    if (!err)
        err = dw_system_open (&system, graph, &options, report.error);
    if (!err) {
        dw_child_tell (&worker, dw_system_listening (system));
        err = s_await_slots (report.error);
    }
    if (!err) {
        s_measure (&report, &worker);
        err = s_run (&report, system, &hash);
    }
    dw_system_close (&system, -1, NULL);
    dw_graph_destroy (&graph);
    int worker_err = dw_child_end (&worker, report.error);
    return dw_report_end (&report, hash, err ? err : worker_err);
}
