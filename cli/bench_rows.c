/* bench_rows.c - the rows that benchmarks print. */

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/bench.h"
#include "cli/command.h"
#include "cli/output.h"
#include "runtime/core/graph.h"

#define NAME_BYTES 64
#define COLUMN     12

/* ---- Filled in ---------------------------------------------------------------------------- */

/* jansson refuses NULL for the object or the value, so lack of memory shows as a figure that is
 * missing. The key "" then says so: it needs the least memory, and none when it is there. */
void dw_bench_set (json_t *row, const char *name, json_t *value) {
    if (json_object_set_new (row, name, value))
        json_object_set_new (row, "", json_true ());
}

void dw_bench_text (json_t *row, const char *name, const char *value) {
    dw_bench_set (row, name, value ? json_string (value) : json_null ());
}

void dw_bench_count (json_t *row, const char *name, uint64_t value) {
    dw_bench_set (row, name, json_integer ((json_int_t) value));
}

void dw_bench_number (json_t *row, const char *name, double value) {
    dw_bench_set (row, name, isfinite (value) ? json_real (value) : json_null ());
}

void dw_bench_spread (json_t *row, const char *name, dw_spread_t value) {
    char key[NAME_BYTES];
    dw_bench_number (row, name, value.median);
    snprintf (key, sizeof key, "%s_min", name);
    dw_bench_number (row, key, value.min);
    snprintf (key, sizeof key, "%s_max", name);
    dw_bench_number (row, key, value.max);
}

void dw_bench_ns_per_task (json_t *row, dw_spread_t value) {
    dw_bench_number (row, "ns_per_task", value.median);
    dw_bench_number (row, "ns_min", value.min);
    dw_bench_number (row, "ns_max", value.max);
}

void dw_bench_makespan (json_t *row, const dw_overhead_t *measured) {
    dw_bench_spread (row, "makespan_ns", measured->makespan_ns);
    dw_bench_number (row, "critical_path_ns", measured->critical_path_ns);
    dw_bench_number (row, "lower_bound_ns", measured->lower_bound_ns);
    dw_bench_number (row, "makespan_to_bound",
                     measured->makespan_ns.median / measured->lower_bound_ns);
}

json_t *dw_bench_row (const dw_bench_t *self, const dw_work_options_t *options,
                      uint32_t edges_count) {
    json_t *row = json_object ();
    dw_bench_text (row, "bench", self->name);
    dw_bench_text (row, "shape", dw_shape_names[options->shape]);
    dw_bench_text (row, "file", options->file);
    dw_bench_count (row, "nodes", options->nodes_count);
    dw_bench_count (row, "edges", edges_count);
    dw_bench_count (row, "width", options->width);
    dw_bench_count (row, "radius", options->radius);
    dw_bench_count (row, "threads", self->rig.threads);
    dw_bench_text (row, "actors", dw_actors_words[self->rig.actors]);
    dw_bench_text (row, "priority", dw_priority_words[self->rig.priority]);
    dw_bench_count (row, "payload", options->payload_bytes);
    dw_bench_text (row, "kernel", dw_kernel_names[options->kernel]);
    dw_bench_count (row, "task_ns", options->task_ns);
    dw_bench_number (row, "time_scale", options->time_scale);
    dw_bench_number (row, "ns_per_round", options->ns_per_round);
    dw_bench_count (row, "seed", options->seed);
    dw_bench_count (row, "repeat", self->repeat);
    return row;
}

static void s_finish (json_t *row, const dw_machine_t *machine, uint64_t hash) {
    char text[20];
    snprintf (text, sizeof text, "%016" PRIx64, hash);
    dw_bench_set (row, "machine",
                  json_pack ("{s:s, s:I, s:s}", "cpu", machine->cpu, "cores",
                             (json_int_t) machine->cores, "kernel", machine->kernel));
    dw_bench_set (row, "versions",
                  json_pack ("{s:s, s:s, s:s}", "dagwood", machine->dagwood, "libzmq",
                             machine->libzmq, "compiler", machine->compiler));
    dw_bench_text (row, "hash", text);
}

/* ---- CSV (RFC 4180, lines ended by \n) ---------------------------------------------------- */

static void s_print_cell (const char *text) {
    if (!strpbrk (text, ",\"\n")) {
        dw_output_text (text);
        return;
    }
    dw_output_text ("\"");
    for (; *text; text++) {
        dw_output_write (text, 1);
        if (*text == '"')
            dw_output_text ("\"");
    }
    dw_output_text ("\"");
}

static void s_print_value (const json_t *value) {
    switch (json_typeof (value)) {
        case JSON_STRING: s_print_cell (json_string_value (value)); break;
        case JSON_INTEGER:
            dw_output_print ("%" JSON_INTEGER_FORMAT, json_integer_value (value));
            break;
        case JSON_REAL: dw_output_print ("%.6g", json_real_value (value)); break;
        case JSON_ARRAY:
            for (size_t i = 0; i < json_array_size (value); i++) {
                dw_output_text (i ? " " : "");
                s_print_value (json_array_get (value, i));
            }
            break;
        case JSON_OBJECT:
        case JSON_TRUE:
        case JSON_FALSE:
        case JSON_NULL: break;
    }
}

/* Of an object within a row each value is a column, machine_cpu and the like. */
static void s_print_csv_name (const char *prefix, const json_t *row, bool *is_first) {
    const char *name;
    json_t *value;
    json_object_foreach ((json_t *) (uintptr_t) row, name, value) {
        if (json_is_object (value)) {
            s_print_csv_name (name, value, is_first);
            continue;
        }
        dw_output_print ("%s%s%s%s", *is_first ? "" : ",", prefix, *prefix ? "_" : "", name);
        *is_first = false;
    }
}

static void s_print_csv_values (const json_t *row, bool *is_first) {
    const char *name;
    json_t *value;
    json_object_foreach ((json_t *) (uintptr_t) row, name, value) {
        if (json_is_object (value)) {
            s_print_csv_values (value, is_first);
            continue;
        }
        dw_output_text (*is_first ? "" : ",");
        s_print_value (value);
        *is_first = false;
    }
}

static void s_print_csv (const json_t *row, bool with_names) {
    bool is_first = true;
    if (with_names) {
        s_print_csv_name ("", row, &is_first);
        dw_output_text ("\n");
    }
    is_first = true;
    s_print_csv_values (row, &is_first);
    dw_output_text ("\n");
}

/* ---- Text and JSON ------------------------------------------------------------------------ */

static int s_width (const char *column) {
    int length = (int) strlen (column);
    return length < COLUMN ? COLUMN : length;
}

static void s_print_column (const json_t *row, const char *column) {
    const json_t *value = json_object_get (row, column);
    int width = s_width (column);
    if (json_is_string (value)) {
        dw_output_print ("%-*s ", width, json_string_value (value));
    } else if (json_is_integer (value)) {
        dw_output_print ("%*" JSON_INTEGER_FORMAT " ", width, json_integer_value (value));
    } else if (json_is_real (value)) {
        double number = json_real_value (value);
        dw_output_print (fabs (number) < 1000 ? "%*.4g " : "%*.0f ", width, number);
    } else if (json_is_array (value)) {
        s_print_value (value);
    } else {
        dw_output_print ("%*s ", width, "-");
    }
}

static void s_print_text (const dw_bench_t *self, const json_t *row) {
    if (self->rows_count == 0) {
        for (size_t i = 0; self->columns[i]; i++) {
            const json_t *value = json_object_get (row, self->columns[i]);
            int width = s_width (self->columns[i]);
            dw_output_print (json_is_string (value) ? "%-*s " : "%*s ", width, self->columns[i]);
        }
        dw_output_text ("\n");
    }
    for (size_t i = 0; self->columns[i]; i++)
        s_print_column (row, self->columns[i]);
    dw_output_text ("\n");
}

static int s_write (const char *text, size_t size, void *data) {
    (void) data;
    return dw_output_write (text, size) ? 0 : -1;
}

int dw_bench_print (dw_bench_t *self, json_t *row, uint64_t hash) {
    s_finish (row, &self->machine, hash);
    if (!json_object_get (row, "hash") || json_object_get (row, "")) {
        json_decref (row);
        return dw_command_fail (DW_ENOMEM, NULL, "the figures cannot be printed");
    }
    switch (self->format) {
        case DW_BENCH_TEXT: s_print_text (self, row); break;
        case DW_BENCH_JSON:
            json_dump_callback (row, s_write, NULL, JSON_REAL_PRECISION (6));
            dw_output_text ("\n");
            break;
        case DW_BENCH_CSV: s_print_csv (row, self->rows_count == 0); break;
    }
    self->rows_count++;
    json_decref (row);
    return DW_EXIT_OK;
}
