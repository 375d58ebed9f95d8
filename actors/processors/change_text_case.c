/* change_text_case.c - four processors of letter case: upper, lower, proper and title.
 *
 * upper and lower map the text as one, so that a final sigma is found. proper and title go word by
 * word and join the words with one space. */

#include "actors/processors/stock.h"
#include "actors/processors/text.h"

#include <string.h>

typedef int s_change_t (dw_text_buffer_t *out, dw_text_t text);

/* The first code point in upper case and the rest, as a text of its own, in lower case. */
static int s_append_capitalised (dw_text_buffer_t *out, dw_text_t word) {
    dw_text_t rest = word;
    dw_text_next (&rest);
    dw_text_t first = {word.bytes, word.size - rest.size};
    int err = dw_text_append_upper (out, first);
    return err ? err : dw_text_append_lower (out, rest);
}

static int s_append_proper (dw_text_buffer_t *out, dw_text_t text) {
    int err = 0;
    dw_text_t word;
    while (!err && dw_text_next_word (&text, &word)) {
        err = s_append_capitalised (out, word);
        if (!err && text.size > 0)
            err = dw_text_append (out, " ", 1);
    }
    return err;
}

/* Words that a title leaves in lower case. */
static bool s_is_small (const uint8_t *word, size_t size) {
    static const char *const small[] = {"a",  "an", "the", "and", "or", "but",  "in",
                                        "on", "at", "to",  "for", "of", "with", "by"};
    for (size_t i = 0; i < sizeof small / sizeof small[0]; i++)
        if (strlen (small[i]) == size && memcmp (small[i], word, size) == 0)
            return true;
    return false;
}

/* Tries the word in lower case first: that is what tells whether it stays so. */
static int s_append_in_title (dw_text_buffer_t *out, dw_text_t word) {
    size_t at = out->size;
    int err = dw_text_append_lower (out, word);
    if (err || s_is_small (out->bytes + at, out->size - at))
        return err;
    out->size = at;
    return s_append_capitalised (out, word);
}

static int s_append_title (dw_text_buffer_t *out, dw_text_t text) {
    int err = 0;
    dw_text_t word;
    for (bool first = true; !err && dw_text_next_word (&text, &word); first = false) {
        err = first ? s_append_capitalised (out, word) : s_append_in_title (out, word);
        if (!err && text.size > 0)
            err = dw_text_append (out, " ", 1);
    }
    return err;
}

static int s_change (dw_call_t *call, s_change_t *change) {
    dw_text_t text;
    int err = dw_text_payload (call, &text);
    if (err)
        return err;
    dw_text_buffer_t out = {0};
    err = change (&out, text) ? dw_text_fail_memory (call) : dw_text_set_output (call, &out);
    dw_text_release (&out);
    return err;
}

static int s_upper (dw_call_t *call, void *instance) {
    (void) instance;
    return s_change (call, dw_text_append_upper);
}

static int s_lower (dw_call_t *call, void *instance) {
    (void) instance;
    return s_change (call, dw_text_append_lower);
}

static int s_proper (dw_call_t *call, void *instance) {
    (void) instance;
    return s_change (call, s_append_proper);
}

static int s_title (dw_call_t *call, void *instance) {
    (void) instance;
    return s_change (call, s_append_title);
}

const dw_processor_t dw_stock_change_text_case_upper = {
    .name = "change_text_case_upper",
    .help = "the text in upper case",
    .intent = DW_TRANSFORM,
    .brief = true,
    .payload_only = true,
    .process = s_upper,
};

const dw_processor_t dw_stock_change_text_case_lower = {
    .name = "change_text_case_lower",
    .help = "the text in lower case",
    .intent = DW_TRANSFORM,
    .brief = true,
    .payload_only = true,
    .process = s_lower,
};

const dw_processor_t dw_stock_change_text_case_proper = {
    .name = "change_text_case_proper",
    .help = "each word capitalised, the words joined with one space",
    .intent = DW_TRANSFORM,
    .brief = true,
    .payload_only = true,
    .process = s_proper,
};

const dw_processor_t dw_stock_change_text_case_title = {
    .name = "change_text_case_title",
    .help = "as proper, but a an the and or but in on at to for of with by stay in lower case "
            "after the first word",
    .intent = DW_TRANSFORM,
    .brief = true,
    .payload_only = true,
    .process = s_title,
};
