/* bench_latency.c - dagwood bench latency: how long one run alone takes through a chain of
 * actors. */

#include <stdio.h>
#include <stdlib.h>

#include "bench/lib/latency.h"
#include "cli/bench.h"
#include "cli/command.h"

static const char s_doc[] =
    "Measures latency: one run at a time goes through a chain of sleeping actors, an actor for each "
    "node. A hop is from the end of a node's work to the beginning of the next one's; a run is from "
    "its submission to its result."
    "\v"
    "wakeup_ns is a futex round trip between two sleeping threads, in the same sitting: a hop goes "
    "through the coordinator and so takes two wake-ups too. Each percentile is the median of the "
    "repetitions' percentiles. The histograms are all values (hop_ns_up_to, hop_counts: how many "
    "in the bucket that ends there). Exit status: as `dagwood bench overhead'.";

static const char *const s_columns[] = {"nodes",      "runs",       "hop_ns_p50",  "hop_ns_p99",
                                        "run_ns_p50", "run_ns_p99", "run_ns_most", "run_ns_per_hop",
                                        "wakeup_ns",  "hash",       NULL};
static const char *const s_names[DW_LATENCY_PERCENTS] = {"p50", "p90", "p99", "p99_9", "most"};

static void s_add_percentiles (json_t *row, const char *what, const dw_spread_t *spreads) {
    char name[32];
    for (size_t i = 0; i < DW_LATENCY_PERCENTS; i++) {
        snprintf (name, sizeof name, "%s_%s", what, s_names[i]);
        dw_bench_spread (row, name, spreads[i]);
    }
}

/* The buckets that are not empty. */
static void s_add_histogram (json_t *row, const char *what, const dw_histogram_t *histogram) {
    char name[32];
    json_t *ends = json_array (), *counts = json_array ();
    for (size_t i = 0; i < DW_HISTOGRAM_BUCKETS; i++) {
        if (histogram->counts[i]) {
            json_array_append_new (ends, json_integer ((json_int_t) dw_histogram_bucket_end (i)));
            json_array_append_new (counts, json_integer ((json_int_t) histogram->counts[i]));
        }
    }
    snprintf (name, sizeof name, "%s_ns_up_to", what);
    dw_bench_set (row, name, ends);
    snprintf (name, sizeof name, "%s_counts", what);
    dw_bench_set (row, name, counts);
}

static int s_print (dw_bench_t *self, const dw_latency_t *latency, const dw_work_t *work) {
    json_t *row = dw_bench_row (self, &work->options, work->edges_count);
    dw_bench_count (row, "runs", self->runs);
    dw_bench_count (row, "pause_us", self->pause_us);
    s_add_percentiles (row, "hop_ns", latency->hop_ns);
    s_add_percentiles (row, "run_ns", latency->run_ns);
    dw_bench_spread (row, "run_ns_per_hop", latency->run_ns_per_hop);
    dw_bench_spread (row, "wakeup_ns", latency->wakeup_ns);
    dw_bench_number (row, "hop_to_wakeup", latency->hop_ns[0].median / latency->wakeup_ns.median);
    s_add_histogram (row, "hop", &latency->hops);
    s_add_histogram (row, "run", &latency->runs);
    return dw_bench_print (self, row, latency->hash);
}

static int s_run (dw_bench_t *self) {
    if (self->work.nodes_count < 2) {
        dw_command_say ("--nodes: a hop is between two nodes, so there must be 2 at least");
        return DW_EXIT_USAGE;
    }
    dw_latency_t *latency = calloc (1, sizeof *latency);
    dw_error_t *error = dw_error_new ();
    dw_work_options_t chain = dw_bench_work (self, DW_SHAPE_CHAIN);
    dw_latency_options_t options = {.nodes = chain.nodes_count,
                                    .runs = self->runs,
                                    .pause_us = self->pause_us,
                                    .repeat = self->repeat};
    dw_work_t *work = NULL;
    int err = latency && error ? dw_work_new (&work, &chain, error) : DW_ENOMEM;
    if (!err)
        err = dw_latency_measure (latency, &options, error);
    int status = err ? dw_bench_fail (err, error) : s_print (self, latency, work);
    dw_work_destroy (&work);
    dw_error_destroy (&error);
    free (latency);
    return status;
}

const dw_bench_t dw_bench_latency = {
    .name = "latency",
    .doc = s_doc,
    .run = s_run,
    .words = DW_BENCH_NODES | DW_BENCH_RUNS | DW_BENCH_PAUSE,
    .columns = s_columns,
    .shape = DW_SHAPE_CHAIN,
    .work = {.nodes_count = 10, .payload_bytes = 24},
    .rig = {.actors = DW_ACTORS_THREAD, .threads = 2},
    .repeat = 5,
    .runs = 500,
    .pause_us = 1000,
};
