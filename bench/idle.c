/* idle.c - what many workers cost that have nothing to do: the share of a core that a coordinator
 * uses with their connections, and that their process does.
 *
 * A coordinator in this process, one worker process with so many slots, each with a connection of
 * its own over TCP on this machine. After that a run goes through the system, whose outputs the
 * hash is of. */

#include <unistd.h>

#include "actors/clock.h"
#include "bench/lib/figures.h"
#include "bench/lib/rig.h"
#include "bench/lib/workers.h"
#include "runtime/core/error.h"

enum { SLOTS, SECONDS };

static dw_parameter_t s_parameters[] = {
    {"slots", "Slots of the worker process, each with a connection", 1000, 20, 1, 1024, false},
    {"seconds", "For how long they have nothing to do", 10, 1, 1, 3600, false},
    {NULL, NULL, 0, 0, 0, 0, false},
};

static void s_measure (dw_figures_t *figures, const dw_workers_t *workers) {
    sleep (2); /* the last of them say HELLO */
    double own_s = dw_workers_own_cpu_s (), worker_s = dw_workers_cpu_s (workers);
    int64_t begin_ns = dw_clock_ns ();
    sleep ((unsigned) s_parameters[SECONDS].value);
    double passed_s = (double) (dw_clock_ns () - begin_ns) / 1e9;
    dw_figures_number (figures, "coordinator_core_percent",
                       100 * (dw_workers_own_cpu_s () - own_s) / passed_s);
    dw_figures_number (figures, "worker_core_percent",
                       100 * (dw_workers_cpu_s (workers) - worker_s) / passed_s);
}

int main (int argc, char **argv) {
    dw_figures_t figures = {
        .bench = "idle",
        .help =
            "Measures what idle worker connections cost their coordinator, and the worker process.",
        .parameters = s_parameters};
    dw_figures_start (&figures, argc, argv);
    uint64_t hash = 0;
    dw_workers_t workers = {0};
    dw_system_t *system = NULL;
    dw_graph_t *graph = dw_graph_new ();
    dw_system_options_t options = {.listen = "tcp://127.0.0.1:*", .no_actors = true};
    int err = dw_workers_start (&workers, 1, (uint32_t) s_parameters[SLOTS].value, figures.error);
    if (!err && (!graph || dw_graph_add (graph, "same", "identity") < 0))
        err = DW_ENOMEM;
    if (!err)
        err = dw_system_open (&system, graph, &options, figures.error);
    if (!err)
        err = dw_workers_join (&workers, dw_system_listening (system), figures.error);
    if (!err) {
        s_measure (&figures, &workers);
        err = dw_rig_run_once (system, "still here", &hash, figures.error);
    }
    dw_system_close (&system, -1, NULL);
    dw_graph_destroy (&graph);
    int worker_err = dw_workers_end (&workers, figures.error);
    return dw_figures_end (&figures, hash, err ? err : worker_err);
}
