/* command_bench.c - dagwood bench: measures what a task costs beside its work. */

#include <inttypes.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "bench/lib/overhead.h"
#include "cli/command.h"
#include "cli/output.h"

/* ---- Its words ---------------------------------------------------------------------------- */

typedef enum format_t { FORMAT_TEXT, FORMAT_JSON } format_t;
static const char *const s_formats[] = {"text", "json", NULL};
static const char *const s_benches[] = {"overhead", NULL};

typedef struct options_t {
    const char *bench;
    int shape; /* DW_SHAPES: one after another */
    uint32_t nodes, threads, payload_bytes, repeat;
    uint64_t task_ns;
    format_t format;
} options_t;

enum {
    KEY_SHAPE = 256, /* beyond the characters: none has a short form */
    KEY_NODES,
    KEY_THREADS,
    KEY_PAYLOAD,
    KEY_TASK_NS,
    KEY_REPEAT,
    KEY_FORMAT,
};

static const struct argp_option s_options[] = {
    {.name = "shape",
     .key = KEY_SHAPE,
     .arg = "NAME",
     .doc = "chain; fan (one, all others, one); tree (binary, outwards); wave (a square, each node "
            "after its left and upper neighbour); random (layers of 100, each node after 1 to 4 of "
            "the layer before) [each of them]"},
    {.name = "nodes", .key = KEY_NODES, .arg = "N", .doc = "Nodes of the graph [100000]"},
    {.name = "threads", .key = KEY_THREADS, .arg = "N", .doc = "Threads that run tasks [2]"},
    {.name = "payload", .key = KEY_PAYLOAD, .arg = "BYTES", .doc = "Of each output [16]"},
    {.name = "task-ns", .key = KEY_TASK_NS, .arg = "N", .doc = "Work in each task [0]"},
    {.name = "repeat", .key = KEY_REPEAT, .arg = "N", .doc = "Runs that are measured [5]"},
    {.name = "format", .key = KEY_FORMAT, .arg = "text|json", .doc = "How to print [text]"},
    {0},
};

/* Ends the program when word is no whole number from min to max. */
static uint64_t s_parse_number (const struct argp_state *state, const char *option,
                                const char *word, uint64_t min, uint64_t max) {
    char *end;
    long long value = strtoll (word, &end, 10);
    if (end == word || *end || value < (long long) min || (uint64_t) value > max) {
        argp_error (state, "%s must be a whole number from %" PRIu64 " to %" PRIu64 ", not \"%s\"",
                    option, min, max, word);
    }
    return (uint64_t) value;
}

static error_t s_parse (int key, char *arg, struct argp_state *state) {
    options_t *self = state->input;
    switch (key) {
        case KEY_SHAPE:
            self->shape = dw_command_choose (state, "--shape", dw_shape_names, arg);
            return 0;
        case KEY_NODES:
            self->nodes = (uint32_t) s_parse_number (state, "--nodes", arg, 1, 10000000);
            return 0;
        case KEY_THREADS:
            self->threads = (uint32_t) s_parse_number (state, "--threads", arg, 1, 1024);
            return 0;
        case KEY_PAYLOAD:
            self->payload_bytes = (uint32_t) s_parse_number (state, "--payload", arg, 0, 1 << 30);
            return 0;
        case KEY_TASK_NS:
            self->task_ns = s_parse_number (state, "--task-ns", arg, 0, 1000000000);
            return 0;
        case KEY_REPEAT:
            self->repeat = (uint32_t) s_parse_number (state, "--repeat", arg, 1, 1000000);
            return 0;
        case KEY_FORMAT:
            self->format = (format_t) dw_command_choose (state, "--format", s_formats, arg);
            return 0;
        case ARGP_KEY_ARG:
            dw_command_choose (state, "the benchmark", s_benches, arg);
            if (self->bench) {
                argp_error (state, "one benchmark at a time, and \"%s\" is a second", arg);
            }
            self->bench = arg;
            return 0;
        case ARGP_KEY_NO_ARGS: argp_error (state, "which benchmark? There is: overhead"); return 0;
        default: return ARGP_ERR_UNKNOWN;
    }
}

static const struct argp s_argp = {
    .options = s_options,
    .parser = s_parse,
    .args_doc = "overhead",
    .doc =
        "Measures what a task costs: a graph of a shape is run again and again by a pool on an "
        "open system, each run timed from its submission to its result. A task reads the payload "
        "of every direct predecessor, mixes them with its index, and writes as many bytes."
        "\v"
        "Figures are nanoseconds a task: the median, the least and the most. Compare only what "
        "was measured on one machine in one sitting. As JSON, one object on a line for each "
        "shape; the hash is of all outputs, and the same for any number of threads.\n\n"
        "Exit status: 0; 71 the system refuses threads, memory or descriptors; 74 the output "
        "cannot be written.",
};

/* ---- What was measured -------------------------------------------------------------------- */

static json_t *s_tasks_by_worker (const dw_overhead_t *measured) {
    json_t *self = json_array ();
    for (uint32_t i = 0; self && i < measured->workers_count; i++) {
        json_array_append_new (self, json_integer ((json_int_t) measured->tasks_by_worker[i]));
    }
    return self;
}

static int s_write (const char *text, size_t size, void *data) {
    (void) data;
    return dw_output_write (text, size) ? 0 : -1;
}

static int s_print_json (const dw_overhead_t *measured) {
    char hash[20];
    snprintf (hash, sizeof hash, "%016" PRIx64, measured->hash);
    json_t *json = json_pack (
        "{s:s, s:I, s:I, s:I, s:I, s:f, s:f, s:f, s:f, s:o, s:I, s:s, s:f}", "shape",
        dw_shape_names[measured->shape], "nodes", (json_int_t) measured->nodes, "threads",
        (json_int_t) measured->threads, "payload", (json_int_t) measured->payload_bytes, "task_ns",
        (json_int_t) measured->task_ns, "ns_per_task", measured->ns_per_task, "ns_min",
        measured->ns_min, "ns_max", measured->ns_max, "efficiency", measured->efficiency,
        "tasks_by_worker", s_tasks_by_worker (measured), "messages",
        (json_int_t) measured->messages, "hash", hash, "plan_ns_per_node",
        measured->plan_ns_per_node);
    if (!json) {
        return dw_command_fail (DW_ENOMEM, NULL, "the figures cannot be printed");
    }
    json_dump_callback (json, s_write, NULL, JSON_REAL_PRECISION (6));
    dw_output_text ("\n");
    json_decref (json);
    return DW_EXIT_OK;
}

static int s_print_text (const dw_overhead_t *measured) {
    dw_output_print (
        "%-7s %8u %8u %8u %8" PRIu64 " %10.1f %10.1f %10.1f %10.2f %9" PRIu64 "  %016" PRIx64 " ",
        dw_shape_names[measured->shape], measured->nodes, measured->threads,
        measured->payload_bytes, measured->task_ns, measured->ns_per_task, measured->ns_min,
        measured->ns_max, measured->efficiency, measured->messages, measured->hash);
    for (uint32_t i = 0; i < measured->workers_count; i++) {
        dw_output_print (" %" PRIu64, measured->tasks_by_worker[i]);
    }
    dw_output_text ("\n");
    return DW_EXIT_OK;
}

static int s_measure (const options_t *self, dw_shape_t shape) {
    dw_overhead_t *measured = calloc (1, sizeof *measured);
    if (!measured) {
        return dw_command_fail (DW_ENOMEM, NULL, "the benchmark cannot be run");
    }
    measured->shape = shape;
    measured->nodes = self->nodes;
    measured->threads = self->threads;
    measured->payload_bytes = self->payload_bytes;
    measured->task_ns = self->task_ns;
    measured->repeat = self->repeat;
    dw_error_t *error = dw_error_new ();
    int err = dw_overhead_measure (measured, error);
    int status = DW_EXIT_OK;
    if (err) {
        status = dw_command_fail (err, error, "the benchmark cannot be run");
    } else {
        switch (self->format) {
            case FORMAT_TEXT: status = s_print_text (measured); break;
            case FORMAT_JSON: status = s_print_json (measured); break;
        }
    }
    dw_error_destroy (&error);
    free (measured);
    return status;
}

int dw_command_bench (int argc, char **argv) {
    options_t options = {
        .shape = DW_SHAPES, .nodes = 100000, .threads = 2, .payload_bytes = 16, .repeat = 5};
    int status = DW_EXIT_OK;
    if (!dw_command_parse (&s_argp, argc, argv, &options, &status)) {
        return status;
    }
    if (options.format == FORMAT_TEXT) {
        dw_output_print ("%-7s %8s %8s %8s %8s %10s %10s %10s %10s %9s  %-16s  %s\n", "shape",
                         "nodes", "threads", "payload", "task_ns", "ns/task", "least", "most",
                         "efficiency", "messages", "hash", "tasks by worker");
    }
    int first = options.shape == DW_SHAPES ? 0 : options.shape;
    int end = options.shape == DW_SHAPES ? DW_SHAPES : options.shape + 1;
    for (int shape = first; shape < end && !status && !dw_output_failed (); shape++) {
        status = s_measure (&options, (dw_shape_t) shape);
    }
    return status;
}
