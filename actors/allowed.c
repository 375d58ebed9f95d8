/* allowed.c - the allow-list. */

#include "actors/allowed.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "actors/keys.h"
#include "actors/trusted.h"
#include "runtime/lines.h"

#define NAME_BYTES   64u /* with its NUL */
#define PROBLEMS_MAX 100u

typedef struct s_entry_t {
    uint8_t key[DW_KEY_SIZE];
    char name[NAME_BYTES];
    uint32_t line; /* where it is said first */
    uint32_t column;
    unsigned roles; /* one while the file is read, then all of the key */
} s_entry_t;

struct dw_allowed_t {
    s_entry_t *entries; /* by key */
    size_t count, size;
};

/* While a list is being read. */
typedef struct s_reading_t {
    dw_allowed_t *list;
    const char *file;
    dw_error_t *error;
    int err;                 /* the first */
    unsigned problems_count; /* however error may be NULL */
} s_reading_t;

/* ---- Lines ------------------------------------------------------------------------------------ */

static void s_refuse (s_reading_t *self, const dw_place_t *place, const char *text) {
    int err = dw_error_add (self->error, DW_EKEY, *place, "%s", text);
    self->err = self->err ? self->err : err;
    self->problems_count++;
}

static unsigned s_role (const dw_word_t *word) {
    if (dw_word_is (word, "worker"))
        return DW_ROLE_WORKER;
    if (dw_word_is (word, "client"))
        return DW_ROLE_CLIENT;
    return dw_word_is (word, "monitor") ? DW_ROLE_MONITOR : 0;
}

static bool s_is_name (const dw_word_t *word) {
    for (size_t i = 0; i < word->size; i++) {
        char c = word->text[i];
        bool fits = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                    c == '.' || c == '_' || c == '-' || c == '@' || c == '+';
        if (!fits)
            return false;
    }
    return word->size > 0 && word->size < NAME_BYTES;
}

/* The place for one more entry; NULL: no memory, or there are too many. */
static s_entry_t *s_push (s_reading_t *self, const dw_place_t *place) {
    dw_allowed_t *list = self->list;
    if (list->count == DW_ALLOWED_LINES_MAX) {
        s_refuse (self, place, "that is the 100,001st key: a list has at most 100,000");
        self->problems_count = PROBLEMS_MAX; /* no use in going on */
        return NULL;
    }
    if (list->count == list->size) {
        size_t size = list->size ? 2 * list->size : 64;
        s_entry_t *entries = realloc (list->entries, size * sizeof *entries);
        if (!entries) {
            self->err = dw_error_add (self->error, DW_ENOMEM, DW_NOWHERE, "out of memory");
            self->problems_count = PROBLEMS_MAX;
            return NULL;
        }
        list->entries = entries;
        list->size = size;
    }
    s_entry_t *entry = &list->entries[list->count++];
    memset (entry, 0, sizeof *entry);
    return entry;
}

/* What stands where a key should is not shown: it may be a secret one. */
static void s_read_line (s_reading_t *self, dw_lines_t *lines) {
    dw_word_t role = dw_lines_word (lines), key = dw_lines_word (lines);
    dw_word_t name = dw_lines_word (lines), more = dw_lines_word (lines);
    uint8_t bytes[DW_KEY_SIZE];
    unsigned before = self->problems_count;
    if (!s_role (&role))
        s_refuse (self, &role.place, "a line begins with worker, client or monitor");
    if (!dw_key_decode (bytes, key.text, key.size))
        s_refuse (self, &key.place,
                  key.size ? "that is no key, which has 40 characters of Z85"
                           : "\"ROLE KEY NAME\" is expected");
    else if (!s_is_name (&name))
        s_refuse (self, &name.place,
                  name.size ? "that is no name, which has up to 63 letters, digits and . _ - @ +"
                            : "a name is missing behind the key");
    else if (more.size && more.text[0] != '#')
        s_refuse (self, &more.place, "nothing but a comment (# ...) follows a name");
    if (self->problems_count > before)
        return;
    s_entry_t *entry = s_push (self, &role.place);
    if (!entry)
        return;
    memcpy (entry->key, bytes, sizeof bytes);
    memcpy (entry->name, name.text, name.size);
    entry->line = role.place.line;
    entry->column = role.place.column;
    entry->roles = s_role (&role);
}

/* ---- All of them ------------------------------------------------------------------------------ */

static int s_compare (const void *a_entry, const void *b_entry) {
    const s_entry_t *a = a_entry, *b = b_entry;
    int order = memcmp (a->key, b->key, sizeof a->key);
    if (order)
        return order;
    return a->line < b->line ? -1 : a->line > b->line;
}

/* What a later line says of a key that first has said something of. */
static void s_merge (s_reading_t *self, s_entry_t *first, const s_entry_t *later) {
    char text[256];
    dw_place_t place = {.file = self->file, .line = later->line, .column = later->column};
    if (strcmp (first->name, later->name) != 0)
        snprintf (text, sizeof text, "this key is named %s here and %s in line %u", later->name,
                  first->name, (unsigned) first->line);
    else if (first->roles & later->roles)
        snprintf (text, sizeof text, "%s has this role with this key already", later->name);
    else {
        first->roles |= later->roles;
        return;
    }
    if (self->problems_count < PROBLEMS_MAX)
        s_refuse (self, &place, text);
}

/* Makes one entry of all that have the same key. */
static void s_sort (s_reading_t *self) {
    dw_allowed_t *list = self->list;
    size_t used = 0;
    if (list->count == 0)
        return;
    qsort (list->entries, list->count, sizeof *list->entries, s_compare);
    for (size_t i = 1; i < list->count; i++) {
        s_entry_t *entry = &list->entries[i], *last = &list->entries[used];
        if (memcmp (entry->key, last->key, sizeof entry->key) == 0)
            s_merge (self, last, entry);
        else if (++used < i)
            list->entries[used] = *entry;
    }
    list->count = used + 1;
}

int dw_allowed_parse (dw_allowed_t **self_p, const char *text, size_t size, const char *file,
                      dw_error_t *error) {
    s_reading_t self = {.file = file, .error = error};
    size_t first = error ? dw_error_count (error) : 0;
    dw_place_t whole = {.file = file};
    if (size > DW_ALLOWED_BYTES_MAX)
        return dw_error_add (error, DW_EKEY, whole, "a list has at most 16 MiB");
    self.list = calloc (1, sizeof *self.list);
    if (!self.list)
        return dw_error_add (error, DW_ENOMEM, DW_NOWHERE, "out of memory");
    dw_lines_t lines = dw_lines (text, size, file);
    while (self.problems_count < PROBLEMS_MAX && dw_lines_next (&lines))
        s_read_line (&self, &lines);
    s_sort (&self);
    dw_error_sort (error, first);
    if (self.err)
        dw_allowed_destroy (&self.list);
    else
        *self_p = self.list;
    return self.err;
}

int dw_allowed_read (dw_allowed_t **self_p, const char *file, dw_error_t *error) {
    char *text = NULL;
    size_t size = 0;
    int err = dw_trusted_read (&text, &size, file, DW_TRUSTED_PUBLIC, DW_ALLOWED_BYTES_MAX, error);
    if (!err)
        err = dw_allowed_parse (self_p, text, size, file, error);
    dw_trusted_free (&text, size);
    return err;
}

void dw_allowed_destroy (dw_allowed_t **self_p) {
    if (!*self_p)
        return;
    free ((*self_p)->entries);
    free (*self_p);
    *self_p = NULL;
}

/* ---- Asked ------------------------------------------------------------------------------------ */

static int s_compare_key (const void *key, const void *entry) {
    return memcmp (key, ((const s_entry_t *) entry)->key, DW_KEY_SIZE);
}

unsigned dw_allowed_find (const dw_allowed_t *self, const uint8_t *key, const char **name_p) {
    const s_entry_t *entry = NULL;
    if (self->count) /* bsearch takes no array that is NULL */
        entry = bsearch (key, self->entries, self->count, sizeof *entry, s_compare_key);
    if (name_p)
        *name_p = entry ? entry->name : NULL;
    return entry ? entry->roles : 0;
}

size_t dw_allowed_count (const dw_allowed_t *self) {
    return self->count;
}
