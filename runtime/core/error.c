/* error.c - the list of what went wrong, and the texts of the codes. */

#include "runtime/core/error.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MESSAGE_MAX 4096 /* bytes of one message before escaping; what is longer is cut short */
#define NEAREST_MAX 64   /* bytes of the names among which the nearest is looked for */

#define LOST "error: out of memory: further messages are lost"

/* A message: where it lies, and which place it tells of. */
typedef struct s_entry_t {
    size_t at; /* its offset */
    uint32_t line, column;
} s_entry_t;

/* The messages one after another, twice with the same offsets: each ended by a NUL byte, for who
 * reads one, and each ended by a newline, for who reads all. Behind the latter there always is room
 * for LOST, so that its end can say so when memory has run out. */
struct dw_error_t {
    int code;
    bool lost;
    size_t count, entries_size;
    s_entry_t *entries; /* by message */
    char *messages;
    char *text;
    size_t used, size; /* bytes of messages, and of text without its last NUL byte */
};

const char *dw_err_text (int err) {
    switch ((dw_err_t) err) {
#define X(name, value, text) \
    case name: return text;
        DW_ERRORS (X)
#undef X
    }
    return "an unknown error";
}

/* Room for one message more, of size bytes with its end. A call that fails changes nothing. */
static bool s_reserve (dw_error_t *self, size_t size) {
    if (self->count == self->entries_size) {
        size_t entries_size = self->entries_size * 2 + 8;
        s_entry_t *entries = realloc (self->entries, entries_size * sizeof (*entries));
        if (!entries)
            return false;
        self->entries = entries;
        self->entries_size = entries_size;
    }
    size_t needed = self->used + size;
    if (needed <= self->size)
        return true;
    needed += needed / 2 + 256;
    char *messages = realloc (self->messages, needed);
    if (!messages)
        return false;
    self->messages = messages;
    char *text = realloc (self->text, needed + sizeof (LOST "\n"));
    if (!text)
        return false;
    self->text = text;
    self->size = needed;
    return true;
}

dw_error_t *dw_error_new (void) {
    dw_error_t *self = calloc (1, sizeof (*self));
    if (self && !s_reserve (self, 1))
        dw_error_destroy (&self);
    if (self)
        self->text[0] = '\0';
    return self;
}

void dw_error_destroy (dw_error_t **self_p) {
    assert (self_p);
    dw_error_t *self = *self_p;
    if (!self)
        return;
    free (self->entries);
    free (self->messages);
    free (self->text);
    free (self);
    *self_p = NULL;
}

int dw_error_code (const dw_error_t *self) {
    return self ? self->code : DW_OK;
}

size_t dw_error_count (const dw_error_t *self) {
    return self ? self->count + self->lost : 0;
}

const char *dw_error_message (const dw_error_t *self, size_t index) {
    if (index >= dw_error_count (self))
        return "";
    return index < self->count ? self->messages + self->entries[index].at : LOST;
}

const char *dw_error_text (const dw_error_t *self) {
    return self ? self->text : "";
}

/* Appends a message, which is one line already. */
static void s_append (dw_error_t *self, dw_place_t place, const char *message, size_t length) {
    if (!self->lost && s_reserve (self, length + 1)) {
        memcpy (self->messages + self->used, message, length);
        memcpy (self->text + self->used, message, length);
        self->messages[self->used + length] = '\0';
        self->text[self->used + length] = '\n';
        self->entries[self->count++] = (s_entry_t){self->used, place.line, place.column};
        self->used += length + 1;
        self->text[self->used] = '\0';
    } else if (!self->lost) {
        memcpy (self->text + self->used, LOST "\n", sizeof (LOST "\n"));
        self->lost = true;
    }
}

size_t dw_error_control (const char *text) {
    unsigned char first = (unsigned char) text[0];
    unsigned char second = first ? (unsigned char) text[1] : 0;
    if ((first && first < 0x20) || first == 0x7f)
        return 1;
    return first == 0xc2 && second >= 0x80 && second <= 0x9f ? 2 : 0;
}

void dw_error_tame (char *text) {
    char *to = text;
    while (*text) {
        size_t control = dw_error_control (text);
        *to++ = control ? '?' : *text;
        text += control ? control : 1;
    }
    *to = '\0';
}

static size_t s_escape_byte (char *escaped, unsigned char byte) {
    const char *digits = "0123456789abcdef";
    escaped[0] = '\\';
    escaped[1] = 'x';
    escaped[2] = digits[byte >> 4];
    escaped[3] = digits[byte & 15];
    return DW_ESCAPED_MAX;
}

size_t dw_error_escape (char *escaped, const char *text, size_t size) {
    const char *end = text + size;
    size_t length = 0;
    while (text < end) {
        size_t control = dw_error_control (text);
        if (control == 0) {
            escaped[length++] = *text++;
        } else if (*text == '\n' || *text == '\t' || *text == '\r') {
            escaped[length++] = '\\';
            escaped[length++] = *text == '\n' ? 'n' : *text == '\t' ? 't' : 'r';
            text++;
        } else {
            for (; control > 0; control--, text++)
                length += s_escape_byte (escaped + length, (unsigned char) *text);
        }
    }
    escaped[length] = '\0';
    return length;
}

/* Ends what did not fit with "...", not within a code point. */
static void s_cut (char *text, size_t size) {
    size_t end = size - sizeof ("...");
    while (end > 0 && ((unsigned char) text[end] & 0xc0u) == 0x80u)
        end--;
    memcpy (text + end, "...", sizeof ("..."));
}

static int s_place (char *text, size_t size, dw_place_t place) {
    if (place.file && place.line > 0)
        return snprintf (text, size, "%s:%u:%u: ", place.file, place.line, place.column);
    if (place.file)
        return snprintf (text, size, "%s: ", place.file);
    if (place.line > 0)
        return snprintf (text, size, "%u:%u: ", place.line, place.column);
    return snprintf (text, size, "%s", "");
}

static void s_add (dw_error_t *self, dw_place_t place, const char *severity, const char *format,
                   va_list arguments) {
    char text[MESSAGE_MAX];
    char escaped[MESSAGE_MAX * DW_ESCAPED_MAX];
    size_t length = 0;
    int written = s_place (text, sizeof (text), place);
    if (written > 0 && (size_t) written < sizeof (text) / 2)
        length = (size_t) written; /* A place of a name beyond all measure is left out. */
    length += (size_t) snprintf (text + length, sizeof (text) - length, "%s: ", severity);
    written = vsnprintf (text + length, sizeof (text) - length, format, arguments);
    if (written < 0)
        text[length] = '\0';
    else if ((size_t) written >= sizeof (text) - length)
        s_cut (text, sizeof (text));
    s_append (self, place, escaped, dw_error_escape (escaped, text, strlen (text)));
}

int dw_error_add (dw_error_t *self, int code, dw_place_t place, const char *format, ...) {
    assert (code != DW_OK);
    if (!self)
        return code;
    if (self->code == DW_OK)
        self->code = code;
    va_list arguments;
    va_start (arguments, format);
    s_add (self, place, "error", format, arguments);
    va_end (arguments);
    return code;
}

void dw_error_warn (dw_error_t *self, dw_place_t place, const char *format, ...) {
    if (!self)
        return;
    va_list arguments;
    va_start (arguments, format);
    s_add (self, place, "warning", format, arguments);
    va_end (arguments);
}

static int s_compare (const void *a_entry, const void *b_entry) {
    const s_entry_t *a = a_entry, *b = b_entry;
    if (a->line != b->line) /* no line is the greatest */
        return a->line - 1 < b->line - 1 ? -1 : 1;
    if (a->column != b->column)
        return a->column < b->column ? -1 : 1;
    return a->at < b->at ? -1 : a->at > b->at;
}

void dw_error_sort (dw_error_t *self, size_t first) {
    if (!self || first >= self->count)
        return;
    size_t begin = self->entries[first].at, length = self->used - begin;
    char *sorted = malloc (length);
    if (!sorted)
        return;
    qsort (self->entries + first, self->count - first, sizeof (*self->entries), s_compare);
    size_t used = 0;
    for (size_t index = first; index < self->count; index++) {
        s_entry_t *entry = &self->entries[index];
        size_t size = strlen (self->messages + entry->at) + 1;
        memcpy (sorted + used, self->messages + entry->at, size);
        entry->at = begin + used;
        used += size;
    }
    memcpy (self->messages + begin, sorted, length);
    for (size_t i = 0; i < length; i++)
        self->text[begin + i] = sorted[i] ? sorted[i] : '\n';
    free (sorted);
}

/* The edit distance of a and b where it is at most limit, else anything greater. Row by row, as
 * Wagner and Fischer (1974), with transpositions of neighbours as Lowrance and Wagner (1975). */
static size_t s_distance (const char *a, size_t a_size, const char *b, size_t b_size,
                          size_t limit) {
    unsigned char rows[3][NEAREST_MAX + 1];
    unsigned char *before = rows[0], *above = rows[1], *row = rows[2];
    for (size_t j = 0; j <= b_size; j++)
        above[j] = (unsigned char) j;
    for (size_t i = 1; i <= a_size; i++) {
        size_t least = i;
        row[0] = (unsigned char) i;
        for (size_t j = 1; j <= b_size; j++) {
            size_t best = above[j - 1] + (size_t) (a[i - 1] != b[j - 1]);
            if (above[j] + 1u < best)
                best = above[j] + 1u;
            if (row[j - 1] + 1u < best)
                best = row[j - 1] + 1u;
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] &&
                before[j - 2] + 1u < best)
                best = before[j - 2] + 1u;
            row[j] = (unsigned char) best;
            least = best < least ? best : least;
        }
        if (least > limit)
            return least; /* No later row has less. */
        unsigned char *last = before;
        before = above;
        above = row;
        row = last;
    }
    return above[b_size];
}

void dw_error_nearest (const char *word, const char *candidate, const char **best_p,
                       size_t *distance_p) {
    assert (word && candidate);
    assert (best_p && distance_p);
    size_t word_size = strnlen (word, NEAREST_MAX + 1);
    size_t candidate_size = strnlen (candidate, NEAREST_MAX + 1);
    if (word_size > NEAREST_MAX || candidate_size > NEAREST_MAX || *distance_p == 0)
        return;
    size_t longer = word_size > candidate_size ? word_size : candidate_size;
    size_t shorter = word_size + candidate_size - longer;
    size_t limit = longer / 3 < *distance_p - 1 ? longer / 3 : *distance_p - 1;
    if (longer - shorter > limit)
        return;
    size_t distance = s_distance (word, word_size, candidate, candidate_size, limit);
    if (distance <= limit) {
        *best_p = candidate;
        *distance_p = distance;
    }
}
