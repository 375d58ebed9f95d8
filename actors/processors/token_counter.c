/* token_counter.c - counts code points, words and lines. */

#include "actors/processors/stock.h"
#include "actors/processors/text.h"

#include <unistr.h>

#define WORDS_BETWEEN_LOOKS 65536 /* for a cancellation: about a millisecond */

/* Lines are ended by \n, which the last one may lack; there is at least one. */
static uint64_t s_count_lines (dw_text_t text) {
    uint64_t ends = 0;
    for (size_t i = 0; i < text.size; i++)
        ends += text.bytes[i] == '\n';
    bool ended = text.size > 0 && text.bytes[text.size - 1] == '\n';
    return ended ? ends : ends + 1;
}

static int s_process (dw_call_t *call, void *instance) {
    (void) instance;
    dw_text_t text;
    int err = dw_text_payload (call, &text);
    if (err)
        return err;
    uint64_t words = 0;
    dw_text_t rest = text;
    dw_text_t word;
    while (dw_text_next_word (&rest, &word))
        if (++words % WORDS_BETWEEN_LOOKS == 0 && dw_call_cancelled (call))
            return dw_call_fail (call, 499, "cancelled while it counted");
    if (dw_call_set_text (call, "", 0) ||
        dw_text_set_count (call, "char_count", u8_mbsnlen (text.bytes, text.size)) ||
        dw_text_set_count (call, "line_count", s_count_lines (text)) ||
        dw_text_set_count (call, "word_count", words))
        return dw_text_fail_memory (call);
    return 0;
}

const dw_processor_t dw_stock_token_counter = {
    .name = "token_counter",
    .help = "counts the text's code points, words and lines; metadata char_count, word_count, "
            "line_count",
    .intent = DW_ANALYZE,
    .brief = true,
    .payload_only = true,
    .process = s_process,
};
