/* prefix_suffix_adder.c - the text between two others. */

#include "actors/processors/stock.h"
#include "actors/processors/text.h"

#include <string.h>

static int s_process (dw_call_t *call, void *instance) {
    (void) instance;
    dw_text_t text;
    int err = dw_text_payload (call, &text);
    if (err)
        return err;
    const char *prefix = dw_settings_text (dw_call_settings (call), "prefix");
    const char *suffix = dw_settings_text (dw_call_settings (call), "suffix");
    size_t prefix_size = strlen (prefix);
    size_t suffix_size = strlen (suffix);
    size_t size = prefix_size + text.size + suffix_size;
    if (size == 0)
        return dw_call_set_text (call, "", 0) ? dw_text_fail_memory (call) : 0;
    char *out = dw_call_reserve_text (call, size);
    if (!out)
        return dw_text_fail_memory (call);
    memcpy (out, prefix, prefix_size);
    memcpy (out + prefix_size, text.bytes, text.size);
    memcpy (out + prefix_size + text.size, suffix, suffix_size);
    return 0;
}

static const dw_option_t s_options[] = {
    {.name = "prefix", .type = DW_TEXT, .fallback = "[", .help = "what comes before the text"},
    {.name = "suffix", .type = DW_TEXT, .fallback = "]", .help = "what comes after the text"},
    {0},
};

const dw_processor_t dw_stock_prefix_suffix_adder = {
    .name = "prefix_suffix_adder",
    .help = "the text between a prefix and a suffix",
    .intent = DW_TRANSFORM,
    .brief = true,
    .payload_only = true,
    .options = s_options,
    .start = dw_text_start,
    .process = s_process,
    .arg = (void *) s_options,
};
