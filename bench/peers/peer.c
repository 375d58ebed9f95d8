/* peer.c - the main of every peer: reads the options, measures the runs, checks them, prints. */

#include "bench/peers/peer.h"

#include <argp.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "actors/clock.h"
#include "bench/lib/figures.h"
#include "bench/lib/resident.h"
#include "bench/lib/switches.h"
#include "runtime/core/error.h"

#define STATUS_USAGE 64 /* as dagwood's own */

/* ---- The command line ---------------------------------------------------------------------- */

typedef struct s_options_t {
    dw_work_options_t work;
    uint32_t threads, repeat;
    bool has_kernel, is_json;
} s_options_t;

enum {
    KEY_SHAPE = 256, /* beyond the characters: none has a short form */
    KEY_NODES,
    KEY_WIDTH,
    KEY_RADIUS,
    KEY_GRAPH,
    KEY_TIME_SCALE,
    KEY_SEED,
    KEY_PAYLOAD,
    KEY_KERNEL,
    KEY_TASK_NS,
    KEY_NS_PER_ROUND,
    KEY_THREADS,
    KEY_REPEAT,
    KEY_FORMAT,
};

/* The shapes and kernels are described by `dagwood bench overhead --help`. */
static const struct argp_option s_argp_options[] = {
    {.name = "shape", .key = KEY_SHAPE, .arg = "NAME", .doc = "As of dagwood bench [chain]"},
    {.name = "nodes", .key = KEY_NODES, .arg = "N", .doc = "Nodes of the graph [100000]"},
    {.name = "width", .key = KEY_WIDTH, .arg = "N", .doc = "Tasks of a step [the shape's]"},
    {.name = "radius", .key = KEY_RADIUS, .arg = "N", .doc = "Of spread and nearest [2]"},
    {.name = "graph", .key = KEY_GRAPH, .arg = "FILE", .doc = "A graph file, or a workflow"},
    {.name = "time-scale", .key = KEY_TIME_SCALE, .arg = "X", .doc = "Of a workflow's times [1]"},
    {.name = "seed", .key = KEY_SEED, .arg = "N", .doc = "Of what is drawn [0]"},
    {.name = "payload", .key = KEY_PAYLOAD, .arg = "BYTES", .doc = "Of each output [16]"},
    {.name = "kernel",
     .key = KEY_KERNEL,
     .arg = "NAME",
     .doc = "What takes time in a task [empty; with --task-ns or --time-scale compute]"},
    {.name = "task-ns", .key = KEY_TASK_NS, .arg = "N", .doc = "Work in each task [0]"},
    {.name = "ns-per-round",
     .key = KEY_NS_PER_ROUND,
     .arg = "X",
     .doc = "Of the kernel, as measured before [measured now]"},
    {.name = "threads", .key = KEY_THREADS, .arg = "N", .doc = "Threads that run tasks [2]"},
    {.name = "repeat", .key = KEY_REPEAT, .arg = "N", .doc = "Runs that are measured [5]"},
    {.name = "format", .key = KEY_FORMAT, .arg = "text|json", .doc = "How to print [json]"},
    {0},
};

/* These end the program when the word makes no sense. */
static uint64_t s_whole (const struct argp_state *state, const char *option, const char *word,
                         uint64_t min, uint64_t max) {
    char *end;
    long long value = strtoll (word, &end, 10);
    if (end == word || *end || value < (long long) min || (uint64_t) value > max)
        argp_error (state, "%s must be a whole number from %" PRIu64 " to %" PRIu64 ", not \"%s\"",
                    option, min, max, word);
    return (uint64_t) value;
}

static double s_number (const struct argp_state *state, const char *option, const char *word) {
    char *end;
    double value = strtod (word, &end);
    if (end == word || *end || !(value > 0 && value <= 1e12))
        argp_error (state, "%s must be a number above 0, at most 1e12, not \"%s\"", option, word);
    return value;
}

static int s_choose (const struct argp_state *state, const char *option, const char *const *names,
                     const char *word) {
    char all[256] = "";
    for (int i = 0; names[i]; i++) {
        if (strcmp (names[i], word) == 0)
            return i;
        size_t length = strlen (all);
        snprintf (all + length, sizeof all - length, "%s%s", i ? ", " : "", names[i]);
    }
    argp_error (state, "%s: \"%s\" is none of %s", option, word, all);
    return 0;
}

static error_t s_parse_work (int key, const char *arg, const struct argp_state *state,
                             dw_work_options_t *self) {
    switch (key) {
        case KEY_SHAPE:
            self->shape = (dw_shape_t) s_choose (state, "--shape", dw_shape_names, arg);
            return 0;
        case KEY_NODES:
            self->nodes_count = (uint32_t) s_whole (state, "--nodes", arg, 1, DW_WORK_NODES_MAX);
            return 0;
        case KEY_WIDTH:
            self->width = (uint32_t) s_whole (state, "--width", arg, 1, DW_WORK_NODES_MAX);
            return 0;
        case KEY_RADIUS:
            self->radius = (uint32_t) s_whole (state, "--radius", arg, 1, DW_WORK_RADIUS_MAX);
            return 0;
        case KEY_GRAPH:
            self->shape = DW_SHAPE_FILE;
            self->file = arg;
            return 0;
        case KEY_TIME_SCALE: self->time_scale = s_number (state, "--time-scale", arg); return 0;
        case KEY_SEED: self->seed = s_whole (state, "--seed", arg, 0, INT64_MAX); return 0;
        case KEY_PAYLOAD:
            self->payload_bytes = (uint32_t) s_whole (state, "--payload", arg, 0,
                                                      DW_WORK_PAYLOAD_BYTES_MAX);
            return 0;
        case KEY_TASK_NS:
            self->task_ns = s_whole (state, "--task-ns", arg, 0, DW_WORK_TASK_NS_MAX);
            return 0;
        case KEY_NS_PER_ROUND:
            self->ns_per_round = s_number (state, "--ns-per-round", arg);
            return 0;
        default: return ARGP_ERR_UNKNOWN;
    }
}

static error_t s_parse (int key, char *arg, struct argp_state *state) {
    static const char *const formats[] = {"text", "json", NULL};
    s_options_t *self = state->input;
    switch (key) {
        case KEY_KERNEL:
            self->work.kernel = (dw_kernel_t) s_choose (state, "--kernel", dw_kernel_names, arg);
            self->has_kernel = true;
            return 0;
        case KEY_THREADS:
            self->threads = (uint32_t) s_whole (state, "--threads", arg, 1, 1024);
            return 0;
        case KEY_REPEAT:
            self->repeat = (uint32_t) s_whole (state, "--repeat", arg, 1, 1000000);
            return 0;
        case KEY_FORMAT: self->is_json = s_choose (state, "--format", formats, arg) == 1; return 0;
        case ARGP_KEY_END:
            if (!self->has_kernel && (self->work.task_ns || self->work.time_scale > 0))
                self->work.kernel = DW_KERNEL_COMPUTE;
            return 0;
        default: return s_parse_work (key, arg, state, &self->work);
    }
}

static void s_options_parse (s_options_t *self, int argc, char **argv) {
    static const struct argp argp = {
        .options = s_argp_options,
        .parser = s_parse,
        .doc = "Runs the work of dagwood bench overhead in another way, and measures what a task "
               "costs. Compare only what was measured on one machine in one sitting.",
    };
    *self = (s_options_t){.work = {.nodes_count = 100000, .payload_bytes = 16},
                          .threads = 2,
                          .repeat = 5,
                          .is_json = true};
    argp_err_exit_status = STATUS_USAGE;
    argp_parse (&argp, argc, argv, 0, NULL, self);
}

/* ---- Measured ------------------------------------------------------------------------------ */

typedef struct s_bench_t {
    const s_options_t *options;
    dw_error_t *error;
    dw_work_t *work;
    uint8_t *payloads;
    size_t payloads_bytes;
    dw_peer_t *peer;
    uint64_t hash;               /* as a loop over the nodes gives it */
    double build_ns, first_ns;   /* a node */
    double *ns;                  /* a node, of each run */
    double open_bytes, switches; /* a node */
} s_bench_t;

int dw_peer_refuse (dw_error_t *error, const char *format, ...) {
    char text[512];
    va_list arguments;
    va_start (arguments, format);
    vsnprintf (text, sizeof text, format, arguments);
    va_end (arguments);
    return dw_error_add (error, DW_ELIMIT, DW_NOWHERE, "%s", text);
}

int dw_peer_no_memory (dw_error_t *error) {
    return dw_error_add (error, DW_ENOMEM, DW_NOWHERE, "out of memory");
}

int dw_peer_check_memory (const dw_work_t *work, uint32_t node_bytes, uint32_t edge_bytes,
                          dw_error_t *error) {
    uint64_t wanted = (uint64_t) work->nodes_count * node_bytes +
                      (uint64_t) work->edges_count * edge_bytes;
    uint64_t available = dw_resident_available_bytes (); /* 0: unknown */
    if (!available || wanted <= available)
        return DW_OK;
    return dw_peer_refuse (error,
                           "this machine is too small: %s takes some %" PRIu64
                           " MiB for this graph, and %" PRIu64 " MiB are there",
                           dw_peer_name, wanted >> 20, available >> 20);
}

/* Runs once; payloads are wiped first, so that those of an earlier run do not pass as new. */
static int s_run (s_bench_t *self, double *ns_p) {
    memset (self->payloads, 0xa5, self->payloads_bytes);
    int64_t begin_ns = dw_clock_ns ();
    dw_peer_run (self->peer);
    *ns_p = (double) (dw_clock_ns () - begin_ns) / self->work->nodes_count;
    uint64_t hash = dw_work_hash (self->work, self->payloads);
    if (hash != self->hash)
        return dw_error_add (self->error, DW_EPROCESSOR, DW_NOWHERE,
                             "the hash of a run is %016" PRIx64 ", and that of a loop %016" PRIx64
                             ": a task was left out, or ran too early",
                             hash, self->hash);
    return DW_OK;
}

static int s_open (s_bench_t *self) {
    int err = dw_work_new (&self->work, &self->options->work, self->error);
    if (err)
        return err;
    self->payloads_bytes = (size_t) self->work->nodes_count * self->options->work.payload_bytes;
    self->payloads = malloc (self->payloads_bytes + 1);
    self->ns = malloc (self->options->repeat * sizeof *self->ns);
    if (!self->payloads || !self->ns || !dw_work_expected (self->work, &self->hash))
        return dw_peer_no_memory (self->error);
    memset (self->payloads, 0, self->payloads_bytes + 1);
    return DW_OK;
}

static int s_measure (s_bench_t *self) {
    uint64_t before_bytes = dw_resident_bytes ();
    int64_t begin_ns = dw_clock_ns ();
    int err = dw_peer_open (&self->peer, self->work, self->payloads, self->options->threads,
                            self->error);
    if (err)
        return err;
    self->build_ns = (double) (dw_clock_ns () - begin_ns) / self->work->nodes_count;
    self->open_bytes = ((double) dw_resident_bytes () - (double) before_bytes) /
                       self->work->nodes_count;
    err = s_run (self, &self->first_ns);
    uint64_t switches = dw_switches_count ();
    for (uint32_t i = 0; i < self->options->repeat && !err; i++)
        err = s_run (self, &self->ns[i]);
    self->switches = (double) (dw_switches_count () - switches) / self->options->repeat /
                     self->work->nodes_count;
    return err;
}

static void s_close (s_bench_t *self) {
    if (self->peer)
        dw_peer_close (&self->peer);
    dw_work_destroy (&self->work);
    free (self->payloads);
    free (self->ns);
}

/* ---- Printed ------------------------------------------------------------------------------- */

static void s_text (dw_figures_t *figures, const char *name, const char *text) {
    json_object_set_new (figures->values, name, json_string (text));
}

static void s_report_asked (const s_bench_t *self, dw_figures_t *figures) {
    const dw_work_options_t *options = &self->work->options;
    s_text (figures, "peer", dw_peer_name);
    s_text (figures, "version", dw_peer_version ());
    s_text (figures, "shape", dw_shape_names[options->shape]);
    if (options->file)
        s_text (figures, "file", options->file);
    dw_figures_count (figures, "nodes", self->work->nodes_count);
    dw_figures_count (figures, "edges", self->work->edges_count);
    dw_figures_count (figures, "width", options->width);
    dw_figures_count (figures, "radius", options->radius);
    dw_figures_count (figures, "threads", self->options->threads);
    dw_figures_count (figures, "payload", options->payload_bytes);
    dw_figures_count (figures, "task_ns", options->task_ns);
    s_text (figures, "kernel", dw_kernel_names[options->kernel]);
    dw_figures_number (figures, "ns_per_round", options->ns_per_round);
    dw_figures_count (figures, "seed", options->seed);
    dw_figures_count (figures, "repeat", self->options->repeat);
}

static void s_report_measured (const s_bench_t *self, dw_figures_t *figures) {
    dw_spread_t ns = dw_spread_of (self->ns, self->options->repeat);
    double task_ns = (double) self->work->total_ns / self->work->nodes_count;
    dw_figures_number (figures, "build_ns_per_node", self->build_ns);
    dw_figures_number (figures, "first_run_ns_per_task", self->first_ns);
    dw_figures_number (figures, "ns_per_task", ns.median);
    dw_figures_number (figures, "ns_min", ns.min);
    dw_figures_number (figures, "ns_max", ns.max);
    dw_figures_number (figures, "efficiency", task_ns / (ns.median * self->options->threads));
    dw_figures_number (figures, "open_bytes_per_node", self->open_bytes);
    dw_figures_count (figures, "peak_rss_bytes", dw_resident_peak_bytes ());
    dw_figures_number (figures, "context_switches_per_task", self->switches);
}

int main (int argc, char **argv) {
    s_options_t options;
    s_options_parse (&options, argc, argv);
    dw_figures_t figures = {.bench = dw_peer_name,
                            .error = dw_error_new (),
                            .is_json = options.is_json,
                            .values = json_object ()};
    s_bench_t bench = {.options = &options, .error = figures.error};
    int err = s_open (&bench);
    if (!err)
        err = s_measure (&bench);
    if (!err) {
        s_report_asked (&bench, &figures);
        s_report_measured (&bench, &figures);
    }
    s_close (&bench);
    return dw_figures_end (&figures, bench.hash, err);
}
