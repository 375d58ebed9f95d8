/* word_frequency_analyzer.c - counts how often each word occurs.
 *
 * A word's key is its alphabetic and numeric code points (property Alphabetic, general category N)
 * in lower case as one text; a word without any has no key and is not counted. Keys are kept in a
 * balanced tree: they come out in order, and no choice of words makes it slow. */

#include "actors/processors/stock.h"
#include "actors/processors/text.h"

#include <search.h>
#include <stdlib.h>
#include <string.h>
#include <unictype.h>

#define WORDS_BETWEEN_LOOKS 8192 /* for a cancellation: a few milliseconds */
#define PREFIX              "word_freq_"

typedef struct s_entry_t {
    uint64_t count;
    const char *key; /* with the prefix; behind the entry itself once it is in the tree */
} s_entry_t;

typedef struct s_tally_t {
    void *tree;
    uint64_t entries_count;
    dw_text_buffer_t letters; /* of the word at hand */
    dw_text_buffer_t key;
} s_tally_t;

typedef struct s_report_t {
    dw_call_t *call;
    int err;
} s_report_t;

static int s_compare (const void *left, const void *right) {
    return strcmp (((const s_entry_t *) left)->key, ((const s_entry_t *) right)->key);
}

static bool s_is_letter (ucs4_t point) {
    if (point < 0x80)
        return (point >= '0' && point <= '9') || ((point | 0x20) >= 'a' && (point | 0x20) <= 'z');
    return uc_is_property_alphabetic (point) ||
           uc_is_general_category_withtable (point, UC_CATEGORY_MASK_N);
}

/* Keeps what a key is made of. */
static int s_filter (dw_text_buffer_t *letters, dw_text_t word) {
    letters->size = 0;
    int err = 0;
    while (!err && word.size > 0) {
        const uint8_t *from = word.bytes;
        if (s_is_letter (dw_text_next (&word)))
            err = dw_text_append (letters, from, (size_t) (word.bytes - from));
    }
    return err;
}

static s_entry_t *s_entry_new (const dw_text_buffer_t *key) {
    s_entry_t *self = malloc (sizeof *self + key->size);
    if (self) {
        memcpy (self + 1, key->bytes, key->size);
        *self = (s_entry_t){0, (const char *) (self + 1)};
    }
    return self;
}

/* Counts one occurrence of the key; a probe on the stack stands in the tree until it is known to be
 * a new one. */
static int s_count_key (s_tally_t *self) {
    s_entry_t probe = {0, (const char *) self->key.bytes};
    s_entry_t **place = tsearch (&probe, &self->tree, s_compare);
    if (!place)
        return DW_ENOMEM;
    if (*place == &probe) {
        s_entry_t *entry = s_entry_new (&self->key);
        if (!entry) {
            tdelete (&probe, &self->tree, s_compare);
            return DW_ENOMEM;
        }
        *place = entry;
        self->entries_count++;
    }
    (*place)->count++;
    return 0;
}

static int s_count_word (s_tally_t *self, dw_text_t word) {
    int err = s_filter (&self->letters, word);
    if (err || self->letters.size == 0)
        return err;
    dw_text_t letters = {self->letters.bytes, self->letters.size};
    self->key.size = 0;
    if (dw_text_append (&self->key, PREFIX, strlen (PREFIX)) ||
        dw_text_append_lower (&self->key, letters) || dw_text_append (&self->key, "", 1))
        return DW_ENOMEM;
    return s_count_key (self);
}

static void s_report (const void *node, VISIT visit, void *arg) {
    const s_entry_t *entry = *(s_entry_t *const *) node;
    s_report_t *report = arg;
    if ((visit == postorder || visit == leaf) && !report->err)
        report->err = dw_text_set_count (report->call, entry->key, entry->count);
}

static int s_count_words (dw_call_t *call, s_tally_t *tally, dw_text_t text) {
    dw_text_t word;
    for (uint64_t words = 1; dw_text_next_word (&text, &word); words++) {
        if (s_count_word (tally, word))
            return dw_text_fail_memory (call);
        if (words % WORDS_BETWEEN_LOOKS == 0 && dw_call_cancelled (call))
            return dw_call_fail (call, 499, "cancelled while it counted");
    }
    return 0;
}

static int s_process (dw_call_t *call, void *instance) {
    (void) instance;
    dw_text_t text;
    int err = dw_text_payload (call, &text);
    if (err)
        return err;
    s_tally_t tally = {0};
    err = s_count_words (call, &tally, text);
    if (!err) {
        s_report_t report = {.call = call};
        report.err = dw_text_set_count (call, "total_unique_words", tally.entries_count);
        twalk_r (tally.tree, s_report, &report);
        if (report.err || dw_call_set_text (call, "", 0))
            err = dw_text_fail_memory (call);
    }
    tdestroy (tally.tree, free);
    dw_text_release (&tally.letters);
    dw_text_release (&tally.key);
    return err;
}

const dw_processor_t dw_stock_word_frequency_analyzer = {
    .name = "word_frequency_analyzer",
    .help = "counts how often each word occurs; metadata word_freq_WORD, total_unique_words",
    .intent = DW_ANALYZE,
    .brief = true,
    .payload_only = true,
    .process = s_process,
};
