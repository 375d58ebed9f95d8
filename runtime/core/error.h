/* error.h - the list of what went wrong: adding to it.
 *
 * Reading it is public (include/dagwood.h). Every function takes a NULL list and then only forgets
 * the text. When memory runs out the code is kept and the text says so: an error is never lost. */

#ifndef DW_ERROR_H
#define DW_ERROR_H

#include "dagwood.h"

/* A place in a text that people wrote; line 0: no place is known. Lines and columns count from
 * 1. */
typedef struct dw_place_t {
    const char *file; /* NULL: the text has no name */
    uint32_t line;
    uint32_t column;
} dw_place_t;

/* Adds "FILE:LINE:COLUMN: error: text", or "error: text" without a place, and returns code, for:
 * return dw_error_add (error, DW_EGRAPH, place, "...", ...). A newline or another control character
 * in the text is shown escaped, so that a message is one line. */
int dw_error_add (dw_error_t *self, int code, dw_place_t place, const char *format, ...)
    DW_PRINTF (4, 5);
/* The same with "warning: "; changes no code. */
void dw_error_warn (dw_error_t *self, dw_place_t place, const char *format, ...) DW_PRINTF (3, 4);
/* Puts the messages from index first on in the order of their lines, then columns, for who reads a
 * file from its top; those without a line come last, and what is at one place keeps its order.
 * Changes nothing when there is no memory for it. */
void dw_error_sort (dw_error_t *self, size_t first);

#define DW_NOWHERE ((dw_place_t){0})

/* Bytes of the control character that text begins with, 0 when it begins with none: those of ASCII,
 * and U+0080 to U+009F, which some terminals obey too. */
size_t dw_error_control (const char *text);
/* Writes text of size bytes with its control characters escaped, \n, \t, \r, or \x1b for each byte
 * of any other, and a NUL behind it; returns its length. escaped has room for DW_ESCAPED_MAX bytes
 * for each of text, and for the NUL. */
size_t dw_error_escape (char *escaped, const char *text, size_t size);
#define DW_ESCAPED_MAX 4u
/* Puts '?' where text has a control character: for a line that people are shown. */
void dw_error_tame (char *text);

/* The name among candidates that is nearest to word by edit distance (Damerau-Levenshtein,
 * restricted), or NULL when none is near enough to be what was meant (more than a third of the
 * longer one wrong). Asked for one candidate at a time, so that the caller may hold them as it
 * likes: start with *best_p NULL and *distance_p SIZE_MAX. Takes O(length^2) for names of up to 64
 * bytes and looks at no longer ones. */
void dw_error_nearest (const char *word, const char *candidate, const char **best_p,
                       size_t *distance_p);

#endif
