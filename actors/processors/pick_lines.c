/* pick_lines.c - some lines of its payload. */

#include "actors/processors/stock.h"
#include "actors/processors/text.h"

#include <string.h>

/* Takes so many lines off the text, with what ends them. */
static dw_text_t s_take_lines (dw_text_t *text, int64_t count) {
    dw_text_t lines = {text->bytes, 0};
    for (; count > 0 && text->size > 0; count--) {
        const uint8_t *end = memchr (text->bytes, '\n', text->size);
        size_t size = end ? (size_t) (end - text->bytes) + 1 : text->size;
        text->bytes += size;
        text->size -= size;
        lines.size += size;
    }
    return lines;
}

static int s_process (dw_call_t *call, void *instance) {
    (void) instance;
    dw_text_t text;
    const dw_settings_t *settings = dw_call_settings (call);
    int err = dw_text_payload (call, &text);
    if (err)
        return err;
    s_take_lines (&text, dw_settings_integer (settings, "first") - 1);
    dw_text_t lines = s_take_lines (&text, dw_settings_integer (settings, "count"));
    if (lines.size > 0 && lines.bytes[lines.size - 1] == '\n')
        lines.size--;
    return dw_call_set_text (call, (const char *) lines.bytes, lines.size)
               ? dw_text_fail_memory (call)
               : 0;
}

static const dw_option_t s_options[] = {
    {.name = "first",
     .type = DW_INTEGER,
     .fallback = "1",
     .min = 1,
     .max = 4294967295.0,
     .help = "the first line, counted from 1"},
    {.name = "count",
     .type = DW_INTEGER,
     .fallback = "1",
     .min = 0,
     .max = 4294967295.0,
     .help = "how many lines"},
    {0},
};

const dw_processor_t dw_stock_pick_lines = {
    .name = "pick_lines",
    .help = "some lines of its payload, without the end of the last of them",
    .intent = DW_TRANSFORM,
    .brief = true,
    .payload_only = true,
    .options = s_options,
    .process = s_process,
};
