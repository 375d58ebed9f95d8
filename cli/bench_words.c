/* bench_words.c - the words of benchmarks. */

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/bench.h"
#include "cli/command.h"

#define THREADS_MAX 1024u

enum {
    KEY_SHAPE = 256, /* beyond the characters: none has a short form */
    KEY_GRAPH,
    KEY_NODES,
    KEY_WIDTH,
    KEY_RADIUS,
    KEY_THREADS,
    KEY_PAYLOAD,
    KEY_KERNEL,
    KEY_SEED,
    KEY_NS_PER_ROUND,
    KEY_TASK_NS,
    KEY_TIME_SCALE,
    KEY_ACTORS,
    KEY_PRIORITY,
    KEY_RUNS,
    KEY_IN_FLIGHT,
    KEY_PAUSE,
    KEY_EFFICIENCY,
    KEY_RECORD,
    KEY_REPEAT,
    KEY_FORMAT,
};

typedef struct word_t {
    uint32_t needs; /* 0: every benchmark takes it */
    struct argp_option option;
} word_t;

#define WORD(needs, name, key, arg, doc) \
    {                                    \
        needs, {                         \
            name, key, arg, 0, doc, 0    \
        }                                \
    }

static const word_t s_words[] = {
    WORD (DW_BENCH_SHAPE, "shape", KEY_SHAPE, "NAME",
          "chain; fan (one, all others, one); tree (binary, outwards); wave (a square, each node "
          "after its left and upper neighbour); random (each node after 1 to 4 of the step "
          "before); of Task Bench: fft; stencil (three neighbours); all_to_all; none (no "
          "dependency); spread; nearest (all within the radius)"),
    WORD (DW_BENCH_GRAPH, "graph", KEY_GRAPH, "FILE",
          "The edges of a graph file, or a workflow in WfFormat 1.5 (FILE.json)"),
    WORD (DW_BENCH_NODES, "nodes", KEY_NODES, "N", "Nodes of the graph; some shapes round it"),
    WORD (DW_BENCH_WIDTH, "width", KEY_WIDTH, "N",
          "Tasks of a step, from random on [16, of random 100]"),
    WORD (DW_BENCH_WIDTH, "radius", KEY_RADIUS, "N",
          "How far nearest reaches; spread has 2 N + 1 predecessors [2]"),
    WORD (DW_BENCH_THREADS, "threads", KEY_THREADS, "N", "Threads that run tasks [2]"),
    WORD (DW_BENCH_PAYLOAD, "payload", KEY_PAYLOAD, "BYTES",
          "Of each output; 64KiB and 1MiB are understood [16]"),
    WORD (DW_BENCH_KERNEL, "kernel", KEY_KERNEL, "NAME",
          "What takes a task's time: empty; compute; uneven (times drawn, exponential); memory (a "
          "stream through more than the caches hold); block (sleeps) [compute if there is a time, "
          "else empty]"),
    WORD (DW_BENCH_KERNEL, "seed", KEY_SEED, "N", "Of what is drawn [0]"),
    WORD (DW_BENCH_TASK_NS, "ns-per-round", KEY_NS_PER_ROUND, "NS",
          "Length of the kernel's round, as an earlier bench printed it [measured]"),
    WORD (DW_BENCH_TASK_NS, "task-ns", KEY_TASK_NS, "N",
          "Work in each task, of a workflow the mean; 10us and 1ms are understood [0]"),
    WORD (DW_BENCH_TIME_SCALE, "time-scale", KEY_TIME_SCALE, "X",
          "Factor of a workflow's times, over 0 [1]"),
    WORD (DW_BENCH_ACTORS, "actors", KEY_ACTORS, "pool|thread",
          "A pool of as many actors as threads, or an actor for each node [pool]"),
    WORD (DW_BENCH_PRIORITY, "priority", KEY_PRIORITY, "NAME",
          "rank or critical_path [critical_path]"),
    WORD (DW_BENCH_RUNS, "runs", KEY_RUNS, "N", "Runs of a repetition"),
    WORD (DW_BENCH_IN_FLIGHT, "in-flight", KEY_IN_FLIGHT, "N", "Runs at one time [1024]"),
    WORD (DW_BENCH_PAUSE, "pause-us", KEY_PAUSE, "N",
          "Before each run, so that actors sleep [1000]"),
    WORD (DW_BENCH_EFFICIENCY, "efficiency", KEY_EFFICIENCY, "X",
          "Share of the peak, over 0 and below 1; may be given again [0.5 and 0.75]"),
    WORD (DW_BENCH_RECORD, "record", KEY_RECORD, "FILE",
          "Record what decides (docs/RECORDING.md), which is what is measured then [nothing is "
          "recorded]"),
    WORD (0, "repeat", KEY_REPEAT, "N", "How often each figure is measured [5]"),
    WORD (0, "format", KEY_FORMAT, "text|json|csv", "How to print [text]"),
};
#define WORDS_COUNT (sizeof s_words / sizeof *s_words)

/* ---- Numbers ------------------------------------------------------------------------------ */

typedef struct unit_t {
    const char *name;
    uint64_t factor;
} unit_t;

static const unit_t s_none[] = {{NULL, 0}};
static const unit_t s_bytes[] = {{"B", 1}, {"KiB", 1 << 10}, {"MiB", 1 << 20}, {NULL, 0}};
static const unit_t s_times[] = {
    {"ns", 1}, {"us", 1000}, {"ms", 1000000}, {"s", 1000000000}, {NULL, 0}};

/* The factor of the unit that a number ends with; a unit that there is not ends the program. */
static uint64_t s_parse_unit (const struct argp_state *state, const char *option, const char *word,
                              const char *unit, const unit_t *units) {
    char all[64] = "";
    for (const unit_t *at = units; at->name; at++) {
        if (strcmp (at->name, unit) == 0)
            return at->factor;
        size_t used = strlen (all);
        snprintf (all + used, sizeof all - used, "%s%s", used ? ", " : "", at->name);
    }
    argp_error (state, "%s: \"%s\" has the unit \"%s\", which is none of %s", option, word, unit,
                all);
    return 1;
}

/* Ends the program when word is no whole number from min to max. */
static uint64_t s_parse_number (const struct argp_state *state, const char *option,
                                const char *word, uint64_t min, uint64_t max, const unit_t *units) {
    char *end;
    errno = 0;
    unsigned long long value = strtoull (word, &end, 10);
    bool is_number = word[0] >= '0' && word[0] <= '9' && errno == 0;
    uint64_t factor = 1;
    if (is_number && *end && units->name)
        factor = s_parse_unit (state, option, word, end, units);
    if (!is_number || (*end && !units->name) || value > max / factor || value * factor < min) {
        argp_error (state, "%s must be a whole number from %" PRIu64 " to %" PRIu64 ", not \"%s\"",
                    option, min, max, word);
    }
    return value * factor;
}

static uint32_t s_parse_count (const struct argp_state *state, const char *option, const char *word,
                               uint32_t min, uint32_t max) {
    return (uint32_t) s_parse_number (state, option, word, min, max, s_none);
}

/* Ends the program when word is no number over 0 and, if so, not below 1. */
static double s_parse_real (const struct argp_state *state, const char *option, const char *word,
                            double max) {
    char *end;
    double value = strtod (word, &end);
    if (end == word || *end || !(value > 0) || !(value < max)) {
        argp_error (state, "%s must be a number over 0 and below %g, not \"%s\"", option, max,
                    word);
    }
    return value;
}

/* ---- Words -------------------------------------------------------------------------------- */

/* A file's shape is asked for by --graph. */
static int s_choose_shape (const struct argp_state *state, const char *word) {
    const char *names[DW_SHAPE_FILE + 1] = {NULL};
    for (int shape = 0; shape < DW_SHAPE_FILE; shape++)
        names[shape] = dw_shape_names[shape];
    return dw_command_choose (state, "--shape", names, word);
}

static void s_parse_efficiency (dw_bench_t *self, const struct argp_state *state,
                                const char *word) {
    if (self->efficiencies_count == DW_BENCH_EFFICIENCIES_MAX)
        argp_error (state, "--efficiency may be given %d times", DW_BENCH_EFFICIENCIES_MAX);
    self->efficiencies[self->efficiencies_count++] = s_parse_real (state, "--efficiency", word, 1);
}

static error_t s_parse_system (dw_bench_t *self, int key, char *arg, struct argp_state *state) {
    static const char *const actors[] = {"thread", "pool", NULL};
    static const char *const priorities[] = {"rank", "critical_path", NULL};
    static const char *const formats[] = {"text", "json", "csv", NULL};
    switch (key) {
        case KEY_THREADS:
            self->rig.threads = s_parse_count (state, "--threads", arg, 1, THREADS_MAX);
            return 0;
        case KEY_ACTORS:
            self->rig.actors = dw_command_choose (state, "--actors", actors, arg)
                                   ? DW_ACTORS_POOL
                                   : DW_ACTORS_THREAD;
            return 0;
        case KEY_PRIORITY:
            self->rig.priority = dw_command_choose (state, "--priority", priorities, arg)
                                     ? DW_CRITICAL_PATH
                                     : DW_RANK;
            return 0;
        case KEY_RUNS: self->runs = s_parse_count (state, "--runs", arg, 1, 100000000); return 0;
        case KEY_IN_FLIGHT:
            self->in_flight = s_parse_count (state, "--in-flight", arg, 1, 1000000);
            return 0;
        case KEY_PAUSE:
            self->pause_us = s_parse_count (state, "--pause-us", arg, 0, 10000000);
            return 0;
        case KEY_RECORD: self->rig.record = arg; return 0;
        case KEY_EFFICIENCY: s_parse_efficiency (self, state, arg); return 0;
        case KEY_REPEAT:
            self->repeat = s_parse_count (state, "--repeat", arg, 1, 1000000);
            return 0;
        case KEY_FORMAT:
            self->format = (dw_bench_format_t) dw_command_choose (state, "--format", formats, arg);
            return 0;
        default: return ARGP_ERR_UNKNOWN;
    }
}

static error_t s_parse (int key, char *arg, struct argp_state *state) {
    dw_bench_t *self = state->input;
    dw_work_options_t *work = &self->work;
    switch (key) {
        case KEY_SHAPE: self->shape = s_choose_shape (state, arg); return 0;
        case KEY_GRAPH: work->file = arg; return 0;
        case KEY_NODES:
            work->nodes_count = s_parse_count (state, "--nodes", arg, 1, DW_WORK_NODES_MAX);
            self->is_nodes_given = true;
            return 0;
        case KEY_WIDTH:
            work->width = s_parse_count (state, "--width", arg, 1, DW_WORK_NODES_MAX);
            return 0;
        case KEY_RADIUS:
            work->radius = s_parse_count (state, "--radius", arg, 1, DW_WORK_RADIUS_MAX);
            return 0;
        case KEY_PAYLOAD:
            work->payload_bytes = (uint32_t) s_parse_number (state, "--payload", arg, 0,
                                                             DW_WORK_PAYLOAD_BYTES_MAX, s_bytes);
            return 0;
        case KEY_KERNEL:
            work->kernel = (dw_kernel_t) dw_command_choose (state, "--kernel", dw_kernel_names,
                                                            arg);
            self->is_kernel_given = true;
            return 0;
        case KEY_SEED:
            work->seed = s_parse_number (state, "--seed", arg, 0, INT64_MAX, s_none);
            return 0;
        case KEY_TASK_NS:
            work->task_ns = s_parse_number (state, "--task-ns", arg, 0, DW_WORK_TASK_NS_MAX,
                                            s_times);
            return 0;
        case KEY_TIME_SCALE:
            work->time_scale = s_parse_real (state, "--time-scale", arg, 1e6);
            return 0;
        case KEY_NS_PER_ROUND:
            work->ns_per_round = s_parse_real (state, "--ns-per-round", arg, 1e6);
            return 0;
        case ARGP_KEY_END:
            if (work->file && self->shape != DW_SHAPES)
                argp_error (state, "--shape and --graph: a graph has one of both");
            else if (work->file && self->is_nodes_given)
                argp_error (state, "--nodes and --graph: a file's graph has the nodes that it has");
            return 0;
        default: return s_parse_system (self, key, arg, state);
    }
}

bool dw_bench_parse (dw_bench_t *self, int argc, char **argv, int *status_p) {
    struct argp_option options[WORDS_COUNT + 1] = {{0}};
    size_t count = 0;
    for (size_t i = 0; i < WORDS_COUNT; i++)
        if (s_words[i].needs == 0 || self->words & s_words[i].needs)
            options[count++] = s_words[i].option;
    const struct argp argp = {.options = options, .parser = s_parse, .doc = self->doc};
    dw_machine_look (&self->machine);
    return dw_command_parse (&argp, argc, argv, self, status_p);
}

dw_work_options_t dw_bench_work (const dw_bench_t *self, dw_shape_t shape) {
    dw_work_options_t work = self->work;
    bool is_one = self->shape != DW_SHAPES; /* then what does not fit is told, else left out */
    work.shape = shape;
    if (!is_one && !dw_shape_has_steps (shape))
        work.width = 0;
    if (!is_one && shape != DW_SHAPE_SPREAD && shape != DW_SHAPE_NEAREST)
        work.radius = 0;
    if (!self->is_kernel_given && (work.task_ns || work.time_scale > 0))
        work.kernel = DW_KERNEL_COMPUTE;
    return work;
}

int dw_bench_fail (int err, const dw_error_t *error) {
    int status = dw_command_fail (err, error, "the benchmark cannot be run");
    return err == DW_EINVAL ? DW_EXIT_USAGE : status;
}
