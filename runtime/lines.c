/* lines.c - a text as lines of words. */

#include "runtime/lines.h"

#include <string.h>

static bool s_is_blank (char c) {
    return c == ' ' || c == '\t' || c == '\r';
}

dw_lines_t dw_lines (const char *text, size_t size, const char *file) {
    const char *begin = size ? text : ""; /* an empty text may be NULL */
    return (dw_lines_t){.place = {.file = file},
                        .begin = begin,
                        .at = begin,
                        .line_end = NULL,
                        .end = begin + size};
}

static void s_skip_blanks (dw_lines_t *self) {
    while (self->at < self->line_end && s_is_blank (*self->at))
        self->at++;
}

bool dw_lines_next (dw_lines_t *self) {
    for (;;) {
        if (self->line_end)
            self->begin = self->line_end < self->end ? self->line_end + 1 : self->end;
        if (self->begin == self->end)
            return false;
        const char *newline = memchr (self->begin, '\n', (size_t) (self->end - self->begin));
        self->line_end = newline ? newline : self->end;
        self->at = self->begin;
        self->place.line++;
        s_skip_blanks (self);
        if (self->at < self->line_end && *self->at != '#')
            return true;
    }
}

dw_word_t dw_lines_word (dw_lines_t *self) {
    s_skip_blanks (self);
    dw_word_t word = {.text = self->at, .place = self->place};
    word.place.column = (uint32_t) (self->at - self->begin) + 1;
    while (self->at < self->line_end && !s_is_blank (*self->at))
        self->at++;
    word.size = (size_t) (self->at - word.text);
    return word;
}

bool dw_word_is (const dw_word_t *self, const char *text) {
    return self->size == strlen (text) && memcmp (self->text, text, self->size) == 0;
}
