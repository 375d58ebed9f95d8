/* figures.c - what a bench was asked for and what it measured. */

#include "bench/lib/figures.h"

#include <argp.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#define PARAMETERS_MAX 8
#define HELP_BYTES     160

enum { KEY_QUICK = 256, KEY_FORMAT, KEY_PARAMETER }; /* beyond the characters: no short forms */

/* As dagwood's own. */
enum {
    STATUS_USAGE = 64,
    STATUS_FILE = 66,
    STATUS_DEFECT = 70,
    STATUS_REFUSED = 71,
    STATUS_OUTPUT = 74,
    STATUS_GRAPH = 78
};

/* ---- The command line ------------------------------------------------------------------------- */

static void s_parse_number (dw_parameter_t *parameter, const char *word,
                            const struct argp_state *state) {
    char *end;
    long long value = strtoll (word, &end, 10);
    if (end == word || *end || value < (long long) parameter->min ||
        (uint64_t) value > parameter->max)
        argp_error (state,
                    "--%s must be a whole number from %" PRIu64 " to %" PRIu64 ", not \"%s\"",
                    parameter->name, parameter->min, parameter->max, word);
    parameter->value = (uint64_t) value;
    parameter->is_given = true;
}

static error_t s_parse (int key, char *arg, struct argp_state *state) {
    dw_figures_t *self = state->input;
    if (key >= KEY_PARAMETER && key < KEY_PARAMETER + PARAMETERS_MAX) {
        s_parse_number (&self->parameters[key - KEY_PARAMETER], arg, state);
        return 0;
    }
    switch (key) {
        case KEY_QUICK:
            for (dw_parameter_t *parameter = self->parameters; parameter->name; parameter++)
                if (!parameter->is_given)
                    parameter->value = parameter->quick;
            return 0;
        case KEY_FORMAT:
            self->is_json = strcmp (arg, "json") == 0;
            if (!self->is_json && strcmp (arg, "text") != 0)
                argp_error (state, "--format: \"%s\" is none of text, json", arg);
            return 0;
        default: return ARGP_ERR_UNKNOWN;
    }
}

/* Its name becomes a figure's: in-flight is in_flight. */
static void s_add_parameter (dw_figures_t *self, const dw_parameter_t *parameter) {
    char name[64];
    snprintf (name, sizeof name, "%s", parameter->name);
    for (char *at = name; (at = strchr (at, '-'));)
        *at = '_';
    dw_figures_count (self, name, parameter->value);
}

void dw_figures_start (dw_figures_t *self, int argc, char **argv) {
    char help[PARAMETERS_MAX][HELP_BYTES];
    struct argp_option options[PARAMETERS_MAX + 3] = {
        {.name = "quick", .key = KEY_QUICK, .doc = "Measure little, as the tests do"},
        {.name = "format", .key = KEY_FORMAT, .arg = "text|json", .doc = "How to print [text]"},
    };
    for (int i = 0; i < PARAMETERS_MAX && self->parameters[i].name; i++) {
        const dw_parameter_t *parameter = &self->parameters[i];
        snprintf (help[i], sizeof help[i], "%s [%" PRIu64 "]", parameter->help, parameter->value);
        options[2 + i] = (struct argp_option){
            .name = parameter->name, .key = KEY_PARAMETER + i, .arg = "N", .doc = help[i]};
    }
    struct argp argp = {.options = options, .parser = s_parse, .doc = self->help};
    argp_err_exit_status = STATUS_USAGE;
    argp_parse (&argp, argc, argv, 0, NULL, self);
    self->error = dw_error_new ();
    self->values = json_object ();
    json_object_set_new (self->values, "bench", json_string (self->bench));
    for (const dw_parameter_t *parameter = self->parameters; parameter->name; parameter++)
        s_add_parameter (self, parameter);
}

/* ---- Figures ---------------------------------------------------------------------------------- */

/* jansson refuses NULL for the object or the value, so lack of memory is found by what is
 * missing. */
void dw_figures_number (dw_figures_t *self, const char *name, double value) {
    json_object_set_new (self->values, name, json_real (value));
}

void dw_figures_count (dw_figures_t *self, const char *name, uint64_t value) {
    json_object_set_new (self->values, name, json_integer ((json_int_t) value));
}

void dw_figures_append (dw_figures_t *self, const char *name, uint64_t value) {
    if (!json_object_get (self->values, name))
        json_object_set_new (self->values, name, json_array ());
    json_array_append_new (json_object_get (self->values, name), json_integer ((json_int_t) value));
}

void dw_figures_spread (dw_figures_t *self, const char *name, dw_spread_t value) {
    char key[64];
    dw_figures_number (self, name, value.median);
    snprintf (key, sizeof key, "%s_min", name);
    dw_figures_number (self, key, value.min);
    snprintf (key, sizeof key, "%s_max", name);
    dw_figures_number (self, key, value.max);
}

/* ---- Printed ---------------------------------------------------------------------------------- */

static void s_print_text (const json_t *values) {
    const char *name;
    json_t *value;
    json_object_foreach ((json_t *) (uintptr_t) values, name, value) {
        printf ("%-28s", name);
        if (json_is_string (value))
            printf (" %s", json_string_value (value));
        else if (json_is_real (value))
            printf (" %.6g", json_real_value (value));
        else if (json_is_integer (value))
            printf (" %" JSON_INTEGER_FORMAT, json_integer_value (value));
        for (size_t i = 0; i < json_array_size (value); i++)
            printf (" %" JSON_INTEGER_FORMAT, json_integer_value (json_array_get (value, i)));
        putchar ('\n');
    }
}

static int s_fail (const dw_figures_t *self, int err) {
    const char *text = dw_error_text (self->error);
    if (text[0])
        fputs (text, stderr);
    else
        fprintf (stderr, "%s: %s\n", self->bench, dw_err_text (err));
    return err == DW_EINVAL                       ? STATUS_USAGE
           : err == DW_EFILE                      ? STATUS_FILE
           : err == DW_EGRAPH                     ? STATUS_GRAPH
           : err == DW_ELIMIT || err == DW_ENOMEM ? STATUS_REFUSED
                                                  : STATUS_DEFECT;
}

int dw_figures_end (dw_figures_t *self, uint64_t hash, int err) {
    char text[20];
    snprintf (text, sizeof text, "%016" PRIx64, hash);
    int status = err ? s_fail (self, err) : 0;
    if (!err && json_object_set_new (self->values, "hash", json_string (text)))
        status = s_fail (self, DW_ENOMEM);
    if (!status && self->is_json) {
        json_dumpf (self->values, stdout, JSON_REAL_PRECISION (6));
        putchar ('\n');
    } else if (!status)
        s_print_text (self->values);
    if (!status && (fflush (stdout) || ferror (stdout)))
        status = STATUS_OUTPUT;
    json_decref (self->values);
    dw_error_destroy (&self->error);
    return status;
}
