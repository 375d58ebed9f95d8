/* settings.c - see settings.h. */

#include "runtime/settings.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/reader.h"
#include "runtime/scalar.h"

#define DESCRIBED (DW_READER_SHOWN + 32) /* bytes of a value in a message */

typedef struct checker_t {
    const dw_node_t *node;
    const dw_processor_t *processor;
    const char *file;
    dw_error_t *error;
    int err;
} checker_t;

static const char *s_type_text (dw_option_type_t type) {
    switch (type) {
        case DW_TEXT: return "text";
        case DW_INTEGER: return "an integer";
        case DW_NUMBER: return "a number";
        case DW_BOOLEAN: return "true or false";
        case DW_OPTIONS: return "a mapping of options";
    }
    return "";
}

/* -- What is wrong -------------------------------------------------------------------------- */

/* setting NULL: said of the node. */
static dw_place_t s_place (const checker_t *self, const dw_setting_t *setting) {
    const dw_node_t *node = self->node;
    return (dw_place_t){.file = self->file,
                        .line = setting ? setting->line : node->line,
                        .column = setting ? setting->column : node->column};
}

static void s_say_unknown (checker_t *self, const dw_setting_t *setting) {
    const char *nearest = NULL;
    size_t distance = SIZE_MAX;
    const dw_option_t *option = self->processor->options;
    for (; option && option->name; option++)
        dw_error_nearest (setting->name, option->name, &nearest, &distance);

    const char *before = nearest ? "; did you mean \"" : option ? "" : "; it takes none";
    self->err = dw_error_add (self->error, DW_EGRAPH, s_place (self, setting),
                              "node \"%s\" has the option \"%s\", which its processor \"%s\" does "
                              "not take%s%s%s",
                              self->node->id, setting->name, self->processor->name, before,
                              nearest ? nearest : "", nearest ? "\"?" : "");
}

/* "the integer 5" */
static void s_describe (const dw_setting_t *setting, char *text, size_t size) {
    char shown[DW_READER_SHOWN];
    switch (setting->type) {
        case DW_VALUE_NULL: snprintf (text, size, "nothing"); break;
        case DW_VALUE_TEXT:
            snprintf (text, size, "the text \"%s\"", dw_reader_shown (shown, setting->value.text));
            break;
        case DW_VALUE_INTEGER:
            snprintf (text, size, "the integer %lld", (long long) setting->value.integer);
            break;
        case DW_VALUE_NUMBER: {
            double number = setting->value.number;
            bool is_finite = number - number == 0;
            snprintf (text, size, "%s%s", is_finite ? "the number " : "",
                      dw_graph_show_number (shown, number));
            break;
        }
        case DW_VALUE_BOOLEAN:
            snprintf (text, size, "the boolean %s", setting->value.boolean ? "true" : "false");
            break;
    }
}

static const char *s_remedy (const dw_option_t *option, const dw_setting_t *setting) {
    if (setting->type == DW_VALUE_NULL)
        return option->fallback ? "; leave it out for the default" : "; give it a value";
    if (setting->type == DW_VALUE_TEXT) {
        const char *text = setting->value.text;
        bool was_meant = dw_scalar_read (text, strlen (text)).type != DW_VALUE_TEXT;
        return was_meant ? "; write it without quotes" : "";
    }
    return option->type == DW_TEXT ? "; write it in quotes" : "";
}

static void s_say_type (checker_t *self, const dw_option_t *option, const dw_setting_t *setting) {
    char what[DESCRIBED];
    s_describe (setting, what, sizeof (what));
    self->err = dw_error_add (self->error, DW_EGRAPH, s_place (self, setting),
                              "option \"%s\" of node \"%s\" takes %s, not %s%s", option->name,
                              self->node->id, s_type_text (option->type), what,
                              s_remedy (option, setting));
}

/* Whether the value is within what the option allows; a NaN is nowhere. */
static void s_check_range (checker_t *self, const dw_option_t *option, const dw_setting_t *setting,
                           double value) {
    char what[DESCRIBED];
    bool any = option->min == 0 && option->max == 0;
    if (value == value && (any || (value >= option->min && value <= option->max)))
        return;
    s_describe (setting, what, sizeof (what));
    if (any)
        self->err = dw_error_add (self->error, DW_EGRAPH, s_place (self, setting),
                                  "option \"%s\" of node \"%s\" takes a number, not %s",
                                  option->name, self->node->id, what);
    else
        self->err = dw_error_add (
            self->error, DW_EGRAPH, s_place (self, setting),
            "option \"%s\" of node \"%s\" must be from %.15g to %.15g, not %s", option->name,
            self->node->id, option->min, option->max, what);
}

/* -- One value ------------------------------------------------------------------------------ */

static void s_set (checker_t *self, const dw_option_t *option, const dw_setting_t *setting,
                   dw_settings_value_t *value) {
    switch (option->type) {
        case DW_TEXT:
            if (setting->type == DW_VALUE_TEXT) {
                value->text = setting->value.text;
                return;
            }
            break;
        case DW_INTEGER:
            if (setting->type == DW_VALUE_INTEGER) {
                value->integer = setting->value.integer;
                s_check_range (self, option, setting, (double) value->integer);
                return;
            }
            break;
        case DW_NUMBER:
            if (setting->type == DW_VALUE_INTEGER || setting->type == DW_VALUE_NUMBER) {
                value->number = setting->type == DW_VALUE_INTEGER ? (double) setting->value.integer
                                                                  : setting->value.number;
                s_check_range (self, option, setting, value->number);
                return;
            }
            break;
        case DW_BOOLEAN:
            if (setting->type == DW_VALUE_BOOLEAN) {
                value->boolean = setting->value.boolean;
                return;
            }
            break;
        case DW_OPTIONS: break; /* each has a name of its own */
    }
    s_say_type (self, option, setting);
}

/* The default. One that is not of the option's type is a mistake of the processor. */
static void s_set_fallback (const dw_option_t *option, dw_settings_value_t *value) {
    if (option->type == DW_TEXT) {
        value->text = option->fallback;
        return;
    }
    if (option->type == DW_OPTIONS)
        return; /* none */
    dw_scalar_t scalar = dw_scalar_read (option->fallback, strlen (option->fallback));
    if (option->type == DW_BOOLEAN) {
        assert (scalar.type == DW_VALUE_BOOLEAN);
        value->boolean = scalar.value.boolean;
    } else if (option->type == DW_INTEGER) {
        assert (scalar.type == DW_VALUE_INTEGER);
        value->integer = scalar.value.integer;
    } else {
        assert (scalar.type == DW_VALUE_INTEGER || scalar.type == DW_VALUE_NUMBER);
        value->number = scalar.type == DW_VALUE_INTEGER ? (double) scalar.value.integer
                                                        : scalar.value.number;
    }
}

/* -- Options of another processor ------------------------------------------------------------ */

/* What such an option is called where it is in a mapping, as prefix of options.prefix; NULL: it is
 * not in that. */
static const char *s_name_within (const dw_option_t *option, const char *name) {
    size_t size = strlen (option->name);
    bool is_within = option->type == DW_OPTIONS && strncmp (name, option->name, size) == 0 &&
                     name[size] == '.';
    return is_within ? name + size + 1 : NULL;
}

/* Takes what is in such a mapping; whether anything is. */
static bool s_gather (checker_t *self, const dw_option_t *option, dw_settings_value_t *value) {
    int err = DW_OK;
    for (const dw_setting_t *of = self->node->settings; of && !err; of = of->next) {
        const char *name = s_name_within (option, of->name);
        if (!name)
            continue;
        if (!value->given && (!(value->given = dw_graph_new ()) ||
                              dw_graph_add (value->given, self->node->id, "") < 0))
            err = DW_ENOMEM;
        else
            err = dw_graph_set_as (value->given, 0, name, of);
    }
    if (err)
        self->err = dw_error_add (self->error, err, s_place (self, NULL), "out of memory");
    return err || (option->type == DW_OPTIONS && value->given);
}

/* -- All of them ---------------------------------------------------------------------------- */

/* The node's setting of an option; NULL when there is none. A further one is an error. */
static const dw_setting_t *s_find (checker_t *self, const dw_option_t *option) {
    const dw_setting_t *found = NULL;
    for (const dw_setting_t *of = self->node->settings; of; of = of->next) {
        if (strcmp (of->name, option->name) != 0)
            continue;
        if (found)
            self->err = dw_error_add (self->error, DW_EGRAPH, s_place (self, of),
                                      "option \"%s\" of node \"%s\" is given twice; leave one out",
                                      option->name, self->node->id);
        else
            found = of;
    }
    return found;
}

static void s_check_option (checker_t *self, const dw_option_t *option,
                            dw_settings_value_t *value) {
    const dw_setting_t *setting = s_find (self, option);
    if (setting)
        s_set (self, option, setting, value);
    else if (s_gather (self, option, value))
        return;
    else if (option->fallback)
        s_set_fallback (option, value);
    else
        self->err = dw_error_add (self->error, DW_EGRAPH, s_place (self, NULL),
                                  "node \"%s\" lacks the option \"%s\" (%s), which its processor "
                                  "\"%s\" needs",
                                  self->node->id, option->name, s_type_text (option->type),
                                  self->processor->name);
}

static void s_check_names (checker_t *self) {
    for (const dw_setting_t *of = self->node->settings; of; of = of->next) {
        const dw_option_t *option = self->processor->options;
        while (option && option->name && strcmp (option->name, of->name) != 0 &&
               !s_name_within (option, of->name))
            option++;
        if (!option || !option->name)
            s_say_unknown (self, of);
    }
}

/* A copy with its texts behind its values; NULL: no memory. */
static dw_settings_t *s_copy (const dw_option_t *options, size_t options_count,
                              const dw_settings_value_t *values) {
    size_t size = sizeof (dw_settings_t) + options_count * sizeof (*values);
    size_t text_at = size;
    for (size_t i = 0; i < options_count; i++)
        if (options[i].type == DW_TEXT) {
            assert (values[i].text); /* The setting's or the default, else it was refused. */
            size += strlen (values[i].text) + 1;
        }
    dw_settings_t *self = malloc (size);
    if (!self)
        return NULL;
    self->options = options;
    self->options_count = options_count;
    for (size_t i = 0; i < options_count; i++) {
        self->values[i] = values[i];
        if (options[i].type == DW_TEXT) {
            size_t text_size = strlen (values[i].text) + 1;
            self->values[i].text = memcpy ((char *) self + text_at, values[i].text, text_size);
            text_at += text_size;
        }
    }
    return self;
}

static void s_free_given (const dw_option_t *options, size_t options_count,
                          dw_settings_value_t *values) {
    for (size_t i = 0; i < options_count; i++)
        if (options[i].type == DW_OPTIONS)
            dw_graph_destroy (&values[i].given);
}

int dw_settings_new (dw_settings_t **self_p, const dw_node_t *node, const char *file,
                     const dw_processor_t *processor, dw_error_t *error) {
    assert (self_p && node && processor);
    checker_t checker = {.node = node, .processor = processor, .file = file, .error = error};
    size_t options_count = 0;
    while (processor->options && processor->options[options_count].name)
        options_count++;
    dw_settings_value_t *values = calloc (options_count + 1, sizeof (*values));
    if (!values)
        return dw_error_add (error, DW_ENOMEM, s_place (&checker, NULL), "out of memory");

    s_check_names (&checker);
    for (size_t i = 0; i < options_count; i++)
        s_check_option (&checker, &processor->options[i], &values[i]);
    if (!checker.err) {
        dw_settings_t *self = s_copy (processor->options, options_count, values);
        if (self)
            *self_p = self;
        else
            checker.err = dw_error_add (error, DW_ENOMEM, s_place (&checker, NULL),
                                        "out of memory");
    }
    if (checker.err)
        s_free_given (processor->options, options_count, values);
    free (values);
    return checker.err;
}

void dw_settings_destroy (dw_settings_t **self_p) {
    assert (self_p);
    dw_settings_t *self = *self_p;
    if (!self)
        return;
    s_free_given (self->options, self->options_count, self->values);
    free (self);
    *self_p = NULL;
}

/* -- Reading -------------------------------------------------------------------------------- */

static size_t s_index (const dw_settings_t *self, const char *option) {
    assert (self && option);
    size_t index = 0;
    while (index < self->options_count && strcmp (self->options[index].name, option) != 0)
        index++;
    assert (index < self->options_count); /* The processor declares what it asks for. */
    return index;
}

const char *dw_settings_text (const dw_settings_t *self, const char *option) {
    size_t index = s_index (self, option);
    assert (self->options[index].type == DW_TEXT);
    return self->values[index].text;
}

int64_t dw_settings_integer (const dw_settings_t *self, const char *option) {
    size_t index = s_index (self, option);
    assert (self->options[index].type == DW_INTEGER);
    return self->values[index].integer;
}

double dw_settings_number (const dw_settings_t *self, const char *option) {
    size_t index = s_index (self, option);
    assert (self->options[index].type == DW_NUMBER);
    return self->values[index].number;
}

bool dw_settings_boolean (const dw_settings_t *self, const char *option) {
    size_t index = s_index (self, option);
    assert (self->options[index].type == DW_BOOLEAN);
    return self->values[index].boolean;
}

const dw_node_t *dw_settings_given (const dw_settings_t *self) {
    size_t index = s_index (self, "options");
    assert (self->options[index].type == DW_OPTIONS);
    const dw_graph_t *given = self->values[index].given;
    return given ? &given->nodes[0] : NULL;
}

/* As options of a node, whose names are those here behind within. */
static int s_give (const dw_settings_t *self, dw_graph_t *graph, int node, const char *within) {
    const dw_node_t *given = dw_settings_given (self);
    int err = graph ? DW_OK : DW_EINVAL;
    for (const dw_setting_t *of = given ? given->settings : NULL; of && !err; of = of->next) {
        size_t size = strlen (within) + strlen (of->name) + 1;
        char *name = malloc (size);
        if (!name)
            return DW_ENOMEM;
        snprintf (name, size, "%s%s", within, of->name);
        err = dw_graph_set_as (graph, node, name, of);
        free (name);
    }
    return err;
}

int dw_settings_give (const dw_settings_t *self, dw_graph_t *graph, int node) {
    return s_give (self, graph, node, "");
}

int dw_settings_give_on (const dw_settings_t *self, dw_graph_t *graph, int node) {
    return s_give (self, graph, node, "options.");
}
