/* load.c - how long a large graph file takes to become a plan.
 *
 * The file is made first: every node depends on the one before and on another before that, so the
 * graph is as deep as it has nodes. Bytes are what the process has more, resident, for each node;
 * the peak is that of loading. The hash is of the plan: every node's id, dependencies and source,
 * by rank. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "actors/clock.h"
#include "actors/processors.h"
#include "bench/lib/figures.h"
#include "bench/lib/resident.h"
#include "bench/lib/mix.h"
#include "runtime/core/error.h"

enum { NODES };

static dw_parameter_t s_parameters[] = {
    {"nodes", "Nodes of the graph, with twice as many edges", 1000000, 1000, 1, 10000000, false},
    {NULL, NULL, 0, 0, 0, 0, false},
};

/* A node before the one before; any will do, the same ones each time. */
static uint32_t s_other (uint32_t node) {
    return (uint32_t) (dw_mix_start (node) >> 20) % (node - 1);
}

/* Writes the graph into a new file, whose name is made from that in path. */
static int s_write_file (dw_figures_t *figures, char *path) {
    int fd = mkstemps (path, 5);
    FILE *file = fd < 0 ? NULL : fdopen (fd, "w");
    if (!file)
        return dw_error_add (figures->error, DW_EFILE, DW_NOWHERE, "no file can be made in /tmp");
    fputs ("processors:\n", file);
    for (uint32_t node = 0; node < s_parameters[NODES].value; node++) {
        fprintf (file, "- id: n%u\n  processor: identity\n", (unsigned) node);
        if (node > 1)
            fprintf (file, "  depends_on: [n%u, n%u]\n", (unsigned) node - 1,
                     (unsigned) s_other (node));
        else if (node == 1)
            fputs ("  depends_on: [n0]\n", file);
    }
    bool failed = ferror (file);
    if (fclose (file) || failed)
        return dw_error_add (figures->error, DW_EFILE, DW_NOWHERE, "%s cannot be written", path);
    return DW_OK;
}

static uint64_t s_hash (const dw_plan_t *plan) {
    uint64_t hash = dw_mix_start (plan->nodes_count);
    for (uint32_t node = 0; node < plan->nodes_count; node++) {
        uint32_t begin = plan->dependencies_at[node], end = plan->dependencies_at[node + 1];
        hash = dw_mix_in (hash, plan->ids[node], strlen (plan->ids[node]));
        hash = dw_mix_in (hash, plan->dependencies + begin,
                          (end - begin) * sizeof *plan->dependencies);
        hash = dw_mix_in (hash, &plan->source[node], sizeof plan->source[node]);
    }
    return hash;
}

static double s_seconds (int64_t *since_ns) {
    int64_t begin_ns = *since_ns;
    *since_ns = dw_clock_ns ();
    return (double) (*since_ns - begin_ns) / 1e9;
}

static double s_per_node (uint64_t from_bytes, uint64_t to_bytes) {
    return ((double) to_bytes - (double) from_bytes) / (double) s_parameters[NODES].value;
}

/* Loads, validates and plans; tells of each. */
static int s_measure (dw_figures_t *figures, const dw_processors_t *processors, const char *path,
                      uint64_t *hash) {
    dw_graph_t *graph = NULL;
    dw_plan_t *plan = NULL;
    uint64_t empty = dw_resident_bytes (), loaded = 0;
    dw_resident_reset ();
    int64_t clock_ns = dw_clock_ns ();
    int err = dw_graph_load (&graph, path, figures->error);
    if (!err) {
        dw_figures_number (figures, "load_s", s_seconds (&clock_ns));
        dw_figures_number (figures, "load_peak_bytes_per_node",
                           s_per_node (empty, dw_resident_peak_bytes ()));
        loaded = dw_resident_bytes ();
        dw_figures_number (figures, "graph_bytes_per_node", s_per_node (empty, loaded));
        s_seconds (&clock_ns);
        err = dw_graph_validate (graph, processors, figures->error);
    }
    if (!err) {
        dw_figures_number (figures, "validate_s", s_seconds (&clock_ns));
        err = dw_processors_plan (processors, graph, &plan, figures->error);
    }
    if (!err) {
        dw_figures_number (figures, "plan_s", s_seconds (&clock_ns));
        dw_figures_number (figures, "plan_bytes_per_node",
                           s_per_node (loaded, dw_resident_bytes ()));
        dw_figures_number (figures, "peak_bytes_per_node",
                           s_per_node (empty, dw_resident_peak_bytes ()));
        dw_figures_count (figures, "edges", plan->edges_count);
        dw_figures_count (figures, "levels", plan->levels_count);
        *hash = s_hash (plan);
    }
    dw_plan_destroy (&plan);
    dw_graph_destroy (&graph);
    return err;
}

int main (int argc, char **argv) {
    dw_figures_t figures = {
        .bench = "load",
        .help = "Measures how long a large graph file takes to load, to validate and to plan.",
        .parameters = s_parameters};
    dw_figures_start (&figures, argc, argv);
    char path[] = "/tmp/dagwood-bench-XXXXXX.yaml";
    uint64_t hash = 0;
    dw_processors_t *processors = dw_processors_new ();
    int err = processors ? s_write_file (&figures, path) : DW_ENOMEM;
    if (!err)
        err = s_measure (&figures, processors, path, &hash);
    unlink (path);
    dw_processors_destroy (&processors);
    return dw_figures_end (&figures, hash, err);
}
