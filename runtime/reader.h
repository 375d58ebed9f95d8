/* reader.h - reads the mappings of a document by tables of their keys, and says what is wrong.
 *
 * A table has one dw_spec_t for each key: how its value is read and where it goes. Unknown keys,
 * repeated keys, values of a wrong type and numbers out of range are reported at their place, and
 * reading goes on behind them; nesting of values that nobody knows is skipped without recursion.
 * After DW_READER_ERRORS_MAX problems reading stops. One thread at a time. */

#ifndef DW_READER_H
#define DW_READER_H

#include "runtime/core/graph.h"
#include "runtime/document.h"

#define DW_READER_ERRORS_MAX 100
#define DW_READER_KEYS_MAX   16 /* of one table */
#define DW_READER_SHOWN      96 /* bytes of a text in a message */

/* A reader that has stopped gives no more items, so that every loop over them ends. */
typedef struct dw_reader_t {
    dw_document_t *document; /* borrowed, like file and error */
    const char *file;
    dw_error_t *error;
    dw_item_t item; /* the one that is being looked at */
    unsigned errors_count;
    int err;      /* the first error's; DW_OK */
    bool has_nul; /* a text had a NUL in it, which was said; it is cut short there */
    bool stopped; /* the rest cannot be read, or is not worth it */
} dw_reader_t;

/* A key of a mapping; a table of them ends with one without a name. read finds the first item of
 * the value in self->item and leaves the last one there. */
typedef struct dw_spec_t {
    const char *name;
    void (*read) (dw_reader_t *self, const struct dw_spec_t *spec, void *target);
    size_t offset;              /* in the target: where the value goes */
    dw_limit_t limit;           /* of a number */
    double unit;                /* how many of what is kept make one of what is written */
    const char *const *choices; /* ended by NULL: the texts for 0, 1, ... of an enum */
} dw_spec_t;

/* Goes to the next item; false when reading has stopped, at the end of the text too. */
bool dw_reader_next (dw_reader_t *self);
/* Goes to the next item of a list or mapping; false at its end. */
bool dw_reader_next_in (dw_reader_t *self);
/* Goes to the last item of the value that begins here. */
void dw_reader_skip (dw_reader_t *self);

/* Reads the mapping that begins here into target. */
void dw_reader_map (dw_reader_t *self, const dw_spec_t *specs, void *target);
/* Whether a mapping begins here. One that is left empty is none; anything else is refused. */
bool dw_reader_is_map (dw_reader_t *self, const char *key);
/* Whether here is the empty value, as in `options:`. */
bool dw_reader_is_nothing (const dw_reader_t *self);
/* Whether here is a key that may be used at all: a scalar, and not <<. Else it is refused. */
bool dw_reader_is_key (dw_reader_t *self);

/* For specs: an int64_t, rounded, where more than 0 stays so; a double; an enum. What is refused
 * leaves the target as it is. */
void dw_reader_integer (dw_reader_t *self, const dw_spec_t *spec, void *target);
void dw_reader_fraction (dw_reader_t *self, const dw_spec_t *spec, void *target);
void dw_reader_choice (dw_reader_t *self, const dw_spec_t *spec, void *target);
/* The index of the value among the spec's choices; -1 after refusing it. */
int dw_reader_pick (dw_reader_t *self, const dw_spec_t *spec);
/* Whether number is within limit; else that is said of the item. */
bool dw_reader_within (dw_reader_t *self, dw_limit_t limit, double number);

/* Says something of the place of item. */
void dw_reader_say (dw_reader_t *self, const dw_item_t *item, const char *format, ...)
    DW_PRINTF (3, 4);
/* Says that key takes something else than the value here, and skips that. remedy may be NULL. */
void dw_reader_refuse (dw_reader_t *self, const char *key, const char *wanted, const char *remedy);
/* Stops when there is no memory. */
void dw_reader_check_memory (dw_reader_t *self, bool there_is);
/* The beginning of text for a message, not ended within a code point. */
const char *dw_reader_shown (char shown[DW_READER_SHOWN], const char *text);
dw_place_t dw_reader_place (const dw_reader_t *self, const dw_item_t *item);

#endif
