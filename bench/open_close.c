/* open_close.c - what it costs to open a system and to close it.
 *
 * Opening ends when every actor's thread is there, closing when they are joined. In between one run
 * goes through the system, so that each of its actors has really come to work; it is timed by
 * itself. The hash is of the last run's outputs. */

#include <stdlib.h>

#include "actors/clock.h"
#include "bench/lib/mixer.h"
#include "bench/lib/figures.h"
#include "bench/lib/rig.h"
#include "runtime/core/error.h"

#define PAYLOAD_BYTES 16u

enum { NODES, POOL, REPEAT };

static dw_parameter_t s_parameters[] = {
    {"nodes", "Nodes of the graph, a chain", 10, 10, 1, 100000, false},
    {"pool", "Worker actors of a pool; 0: an actor for each node", 0, 0, 0, 1024, false},
    {"repeat", "Systems that are opened and closed", 200, 5, 1, 1000000, false},
    {NULL, NULL, 0, 0, 0, 0, false},
};

/* By system. */
typedef struct s_times_t {
    double *both_ms, *open_ms, *run_ms, *close_ms;
    size_t count;
} s_times_t;

static double s_ms (int64_t from_ns, int64_t to_ns) {
    return (double) (to_ns - from_ns) / 1e6;
}

static int s_measure (dw_figures_t *figures, const dw_graph_t *graph,
                      const dw_system_options_t *options, s_times_t *times, uint64_t *hash) {
    dw_system_t *system = NULL;
    int64_t begin_ns = dw_clock_ns ();
    int err = dw_system_open (&system, graph, options, figures->error);
    int64_t opened_ns = dw_clock_ns ();
    if (err)
        return err;
    err = dw_rig_run_once (system, "", hash, figures->error);
    int64_t ran_ns = dw_clock_ns ();
    int close_err = dw_system_close (&system, -1, figures->error);
    int64_t closed_ns = dw_clock_ns ();
    size_t i = times->count++;
    times->open_ms[i] = s_ms (begin_ns, opened_ns);
    times->run_ms[i] = s_ms (opened_ns, ran_ns);
    times->close_ms[i] = s_ms (ran_ns, closed_ns);
    times->both_ms[i] = times->open_ms[i] + times->close_ms[i];
    return err ? err : close_err;
}

static void s_tell (dw_figures_t *figures, s_times_t *times) {
    dw_figures_spread (figures, "open_close_ms", dw_spread_of (times->both_ms, times->count));
    dw_figures_number (figures, "open_ms", dw_spread_of (times->open_ms, times->count).median);
    dw_figures_number (figures, "first_run_ms", dw_spread_of (times->run_ms, times->count).median);
    dw_figures_number (figures, "close_ms", dw_spread_of (times->close_ms, times->count).median);
}

int main (int argc, char **argv) {
    dw_figures_t figures = {
        .bench = "open_close",
        .help = "Measures how long it takes to open a system of actors and to close it.",
        .parameters = s_parameters};
    dw_figures_start (&figures, argc, argv);
    uint64_t hash = 0;
    size_t repeat = s_parameters[REPEAT].value;
    dw_work_options_t chain = {.shape = DW_SHAPE_CHAIN,
                               .nodes_count = (uint32_t) s_parameters[NODES].value,
                               .payload_bytes = PAYLOAD_BYTES};
    dw_work_t *work = NULL;
    int err = dw_work_new (&work, &chain, figures.error);
    dw_processors_t *processors = dw_processors_new ();
    dw_graph_t *graph = err ? NULL : dw_mixer_graph (work);
    double *ms = calloc (4 * repeat, sizeof *ms);
    if (!err)
        err = processors && graph && ms ? dw_mixer_add (processors, work) : DW_ENOMEM;
    if (!err) {
        dw_graph_options_t *options = dw_graph_options (graph);
        options->actors = s_parameters[POOL].value ? DW_ACTORS_POOL : DW_ACTORS_THREAD;
        if (s_parameters[POOL].value)
            options->pool_size = (int64_t) s_parameters[POOL].value;
    }
    s_times_t times = {.both_ms = ms,
                       .open_ms = ms + repeat,
                       .run_ms = ms + 2 * repeat,
                       .close_ms = ms + 3 * repeat};
    dw_system_options_t options = {.processors = processors};
    for (size_t i = 0; i < repeat && !err; i++)
        err = s_measure (&figures, graph, &options, &times, &hash);
    if (!err)
        s_tell (&figures, &times);
    free (ms);
    dw_graph_destroy (&graph);
    dw_processors_destroy (&processors);
    dw_work_destroy (&work);
    return dw_figures_end (&figures, hash, err);
}
