/* lines.h - a text as lines of words, each word with its place: for small files of one fact a line.
 *
 * Words are separated by blanks (space, tab, carriage return). Lines without a word, and lines
 * whose first word begins with #, are passed over. Nothing is copied and nothing allocated: words
 * point into the text, which is from outside and may hold any byte. One thread at a time. */

#ifndef DW_LINES_H
#define DW_LINES_H

#include "runtime/core/error.h"

typedef struct dw_word_t {
    const char *text; /* not ended by NUL */
    size_t size;      /* 0: there is none, and place is the line's end */
    dw_place_t place; /* a column counts bytes */
} dw_word_t;

typedef struct dw_lines_t {
    dw_place_t place; /* of the line, which is 0 before the first one */
    const char *begin, *at, *line_end, *end;
} dw_lines_t;

/* Text and file are borrowed as long as self and its words are used. file may be NULL. */
dw_lines_t dw_lines (const char *text, size_t size, const char *file);
/* Goes to the next line that says something; false: there is none. */
bool dw_lines_next (dw_lines_t *self);
/* The next word of the line. */
dw_word_t dw_lines_word (dw_lines_t *self);
/* Whether a word is this text. */
bool dw_word_is (const dw_word_t *self, const char *text);

#endif
