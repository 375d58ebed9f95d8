/* skip_unless.c - passes its payload on when the text is as asked for, and else ends its branch. */

#include "actors/processors/stock.h"
#include "actors/processors/text.h"

#include <string.h>

/* Whether the option, when it says anything, is somewhere in the text; is_start, is_end: and
 * there. */
static bool s_holds (dw_call_t *call, const char *option, dw_text_t text, bool is_start,
                     bool is_end) {
    const char *wanted = dw_settings_text (dw_call_settings (call), option);
    size_t size = strlen (wanted);
    if (size == 0)
        return true;
    if (size > text.size || (is_start && is_end && size != text.size))
        return false;
    if (is_start)
        return memcmp (text.bytes, wanted, size) == 0;
    if (is_end)
        return memcmp (text.bytes + text.size - size, wanted, size) == 0;
    return memmem (text.bytes, text.size, wanted, size) != NULL;
}

static int s_process (dw_call_t *call, void *instance) {
    (void) instance;
    dw_text_t text;
    int err = dw_text_payload (call, &text);
    if (err)
        return err;
    bool holds = s_holds (call, "contains", text, false, false) &&
                 s_holds (call, "begins_with", text, true, false) &&
                 s_holds (call, "ends_with", text, false, true) &&
                 s_holds (call, "equals", text, true, true) &&
                 (int64_t) text.size >= dw_settings_integer (dw_call_settings (call), "min_bytes");
    if (holds == dw_settings_boolean (dw_call_settings (call), "not"))
        return dw_call_skip (call);
    return dw_call_set_payload (call) ? dw_text_fail_memory (call) : 0;
}

static const dw_option_t s_options[] = {
    {.name = "contains", .type = DW_TEXT, .fallback = "", .help = "what is somewhere in the text"},
    {.name = "begins_with", .type = DW_TEXT, .fallback = "", .help = "what the text begins with"},
    {.name = "ends_with", .type = DW_TEXT, .fallback = "", .help = "what the text ends with"},
    {.name = "equals",
     .type = DW_TEXT,
     .fallback = "",
     .help = "what the text is; empty: anything"},
    {.name = "min_bytes",
     .type = DW_INTEGER,
     .fallback = "0",
     .min = 0,
     .max = 4294967295.0,
     .help = "how many bytes the text has at least"},
    {.name = "not",
     .type = DW_BOOLEAN,
     .fallback = "false",
     .help = "passes on what is not so, and skips what is"},
    {0},
};

const dw_processor_t dw_stock_skip_unless = {
    .name = "skip_unless",
    .help = "its payload, when the text is all that its options say; else it ends its branch",
    .intent = DW_TRANSFORM,
    .brief = true,
    .payload_only = true,
    .options = s_options,
    .start = dw_text_start,
    .process = s_process,
    .arg = (void *) s_options,
    .may_skip = true,
};
