/* reader.c - see reader.h. */

#include "runtime/reader.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "runtime/scalar.h"

/* -- Problems ------------------------------------------------------------------------------- */

dw_place_t dw_reader_place (const dw_reader_t *self, const dw_item_t *item) {
    return (dw_place_t){self->file, item->line, item->column};
}

static void s_stop (dw_reader_t *self, int err) {
    if (!self->err)
        self->err = err;
    self->stopped = true;
}

/* Counts a problem that was reported, and stops when there are too many. */
static void s_count (dw_reader_t *self) {
    if (!self->err)
        self->err = DW_EGRAPH;
    if (++self->errors_count < DW_READER_ERRORS_MAX)
        return;
    dw_error_add (self->error, DW_EGRAPH, dw_reader_place (self, &self->item),
                  "there are %d errors up to here; the rest of the file was not read",
                  DW_READER_ERRORS_MAX);
    self->stopped = true;
}

void dw_reader_say (dw_reader_t *self, const dw_item_t *item, const char *format, ...) {
    char text[1024];
    va_list arguments;
    va_start (arguments, format);
    vsnprintf (text, sizeof (text), format, arguments);
    va_end (arguments);
    dw_error_add (self->error, DW_EGRAPH, dw_reader_place (self, item), "%s", text);
    s_count (self);
}

void dw_reader_check_memory (dw_reader_t *self, bool there_is) {
    if (there_is || self->stopped)
        return;
    s_stop (self, dw_error_add (self->error, DW_ENOMEM, dw_reader_place (self, &self->item),
                                "out of memory while reading the graph"));
}

const char *dw_reader_shown (char shown[DW_READER_SHOWN], const char *text) {
    size_t size = strnlen (text, DW_READER_SHOWN);
    if (size < DW_READER_SHOWN)
        return memcpy (shown, text, size + 1);
    size = DW_READER_SHOWN - sizeof ("...");
    while (size > 0 && ((unsigned char) text[size] & 0xc0) == 0x80)
        size--;
    memcpy (shown, text, size);
    memcpy (shown + size, "...", sizeof ("..."));
    return shown;
}

/* -- Items ---------------------------------------------------------------------------------- */

/* What a scalar means; in quotes it is text. */
static dw_scalar_t s_scalar (const dw_item_t *item) {
    if (item->type == DW_ITEM_SCALAR && item->plain)
        return dw_scalar_read (item->text, item->size);
    return (dw_scalar_t){.type = DW_VALUE_TEXT};
}

bool dw_reader_next (dw_reader_t *self) {
    if (self->stopped || self->item.type == DW_ITEM_DONE)
        return false;
    int err = dw_document_next (self->document, &self->item);
    if (err) {
        s_stop (self, err);
        return false;
    }
    const dw_item_t *item = &self->item;
    if (item->type == DW_ITEM_SCALAR && item->size && memchr (item->text, '\0', item->size)) {
        self->has_nul = true;
        dw_reader_say (self, item, "a text with the character NUL in it is not supported");
    }
    return !self->stopped;
}

bool dw_reader_next_in (dw_reader_t *self) {
    return dw_reader_next (self) && self->item.type != DW_ITEM_END;
}

void dw_reader_skip (dw_reader_t *self) {
    unsigned depth = 0;
    do {
        if (self->item.type == DW_ITEM_LIST || self->item.type == DW_ITEM_MAP)
            depth++;
        else if (self->item.type == DW_ITEM_END)
            depth--;
    } while (depth > 0 && dw_reader_next (self));
}

bool dw_reader_is_nothing (const dw_reader_t *self) {
    return s_scalar (&self->item).type == DW_VALUE_NULL;
}

/* What the item is, for "takes a list, not ...". */
static void s_describe (const dw_item_t *item, char *text, size_t size) {
    char shown[DW_READER_SHOWN];
    if (item->type != DW_ITEM_SCALAR) {
        snprintf (text, size, "%s", item->type == DW_ITEM_LIST ? "a list" : "a mapping");
        return;
    }
    dw_reader_shown (shown, item->text);
    switch (s_scalar (item).type) {
        case DW_VALUE_NULL: snprintf (text, size, "nothing"); break;
        case DW_VALUE_TEXT: snprintf (text, size, "the text \"%s\"", shown); break;
        case DW_VALUE_INTEGER:
        case DW_VALUE_NUMBER: snprintf (text, size, "the number %s", shown); break;
        case DW_VALUE_BOOLEAN: snprintf (text, size, "the boolean %s", shown); break;
    }
}

void dw_reader_refuse (dw_reader_t *self, const char *key, const char *wanted, const char *remedy) {
    char what[DW_READER_SHOWN + 32];
    s_describe (&self->item, what, sizeof (what));
    dw_reader_say (self, &self->item, "\"%s\" takes %s, not %s%s%s", key, wanted, what,
                   remedy ? "; " : "", remedy ? remedy : "");
    dw_reader_skip (self);
}

/* -- Mappings ------------------------------------------------------------------------------- */

bool dw_reader_is_key (dw_reader_t *self) {
    const dw_item_t *key = &self->item;
    if (key->type != DW_ITEM_SCALAR) {
        dw_reader_say (self, key, "a key must be a name, not a list or a mapping");
        dw_reader_skip (self);
        return false;
    }
    if (key->plain && strcmp (key->text, "<<") == 0) {
        dw_reader_say (self, key, "merge keys (<<) are not supported; write out what is meant");
        return false;
    }
    return true;
}

static void s_say_unknown (dw_reader_t *self, const dw_item_t *key, const dw_spec_t *specs) {
    char shown[DW_READER_SHOWN], names[256] = "";
    const char *nearest = NULL;
    size_t distance = SIZE_MAX, used = 0;
    for (const dw_spec_t *spec = specs; spec->name; spec++) {
        dw_error_nearest (key->text, spec->name, &nearest, &distance);
        used += (size_t) snprintf (names + used, sizeof (names) - used, "%s%s", used ? ", " : "",
                                   spec->name);
        assert (used < sizeof (names));
    }
    dw_reader_shown (shown, key->text);
    if (nearest)
        dw_reader_say (self, key, "unknown key \"%s\"; did you mean \"%s\"?", shown, nearest);
    else
        dw_reader_say (self, key, "unknown key \"%s\"; the keys here are %s", shown, names);
}

/* The spec of the key here; NULL after saying why its value is not to be read. */
static const dw_spec_t *s_find_spec (dw_reader_t *self, const dw_spec_t *specs, uint32_t *lines) {
    const dw_item_t *key = &self->item;
    if (!dw_reader_is_key (self))
        return NULL;
    for (size_t i = 0; specs[i].name; i++) {
        assert (i < DW_READER_KEYS_MAX);
        if (strcmp (key->text, specs[i].name) != 0)
            continue;
        if (lines[i]) {
            dw_reader_say (self, key, "the key \"%s\" is repeated; it is in line %u already",
                           key->text, lines[i]);
            return NULL;
        }
        lines[i] = key->line;
        return &specs[i];
    }
    s_say_unknown (self, key, specs);
    return NULL;
}

void dw_reader_map (dw_reader_t *self, const dw_spec_t *specs, void *target) {
    uint32_t lines[DW_READER_KEYS_MAX] = {0}; /* by key: where it is; 0: not yet */
    while (dw_reader_next_in (self)) {
        const dw_spec_t *spec = s_find_spec (self, specs, lines);
        if (!dw_reader_next (self))
            return;
        if (spec)
            spec->read (self, spec, target);
        else
            dw_reader_skip (self);
    }
}

bool dw_reader_is_map (dw_reader_t *self, const char *key) {
    if (self->item.type == DW_ITEM_MAP)
        return true;
    if (!dw_reader_is_nothing (self))
        dw_reader_refuse (self, key, "a mapping", NULL);
    return false;
}

/* -- Numbers -------------------------------------------------------------------------------- */

bool dw_reader_within (dw_reader_t *self, dw_limit_t limit, double number) {
    dw_place_t place = dw_reader_place (self, &self->item);
    if (!dw_graph_check_number (limit, number, place, self->error))
        return true;
    s_count (self);
    return false;
}

/* A number within the key's limits, in the unit as written. */
static bool s_number (dw_reader_t *self, const dw_spec_t *spec, double *number_p) {
    const dw_item_t *item = &self->item;
    dw_scalar_t scalar = s_scalar (item);
    const char *remedy = NULL;
    switch (scalar.type) {
        case DW_VALUE_INTEGER:
            *number_p = (double) scalar.value.integer;
            return dw_reader_within (self, spec->limit, *number_p);
        case DW_VALUE_NUMBER:
            *number_p = scalar.value.number;
            return dw_reader_within (self, spec->limit, *number_p);
        case DW_VALUE_NULL: remedy = "leave the key out for the default"; break;
        case DW_VALUE_TEXT:
            if (item->type == DW_ITEM_SCALAR && !item->plain)
                remedy = "write it without quotes";
            break;
        case DW_VALUE_BOOLEAN: break;
    }
    dw_reader_refuse (self, spec->name, "a number", remedy);
    return false;
}

void dw_reader_integer (dw_reader_t *self, const dw_spec_t *spec, void *target) {
    double number;
    if (!s_number (self, spec, &number))
        return;
    int64_t integer = (int64_t) (number * spec->unit + 0.5); /* No limit allows less than 0. */
    if (integer == 0 && number > 0)
        integer = 1;
    memcpy ((char *) target + spec->offset, &integer, sizeof (integer));
}

void dw_reader_fraction (dw_reader_t *self, const dw_spec_t *spec, void *target) {
    double number;
    if (s_number (self, spec, &number))
        memcpy ((char *) target + spec->offset, &number, sizeof (number));
}

/* -- Choices -------------------------------------------------------------------------------- */

/* Writes "a, b or c". */
static void s_list (char *text, size_t size, const char *const *choices) {
    size_t used = 0;
    for (size_t i = 0; choices[i]; i++) {
        const char *before = i == 0 ? "" : choices[i + 1] ? ", " : " or ";
        used += (size_t) snprintf (text + used, size - used, "%s%s", before, choices[i]);
        assert (used < size);
    }
}

int dw_reader_pick (dw_reader_t *self, const dw_spec_t *spec) {
    char list[128], remedy[64];
    const char *nearest = NULL;
    size_t distance = SIZE_MAX;
    bool is_text = self->item.type == DW_ITEM_SCALAR;
    for (int i = 0; is_text && spec->choices[i]; i++) {
        if (strcmp (self->item.text, spec->choices[i]) == 0)
            return i;
        dw_error_nearest (self->item.text, spec->choices[i], &nearest, &distance);
    }
    if (nearest)
        snprintf (remedy, sizeof (remedy), "did you mean %s?", nearest);
    s_list (list, sizeof (list), spec->choices);
    dw_reader_refuse (self, spec->name, list, nearest ? remedy : NULL);
    return -1;
}

void dw_reader_choice (dw_reader_t *self, const dw_spec_t *spec, void *target) {
    int choice = dw_reader_pick (self, spec);
    _Static_assert(sizeof (dw_strategy_t) == sizeof (choice), "an enum is kept like an int");
    if (choice >= 0)
        memcpy ((char *) target + spec->offset, &choice, sizeof (choice));
}
