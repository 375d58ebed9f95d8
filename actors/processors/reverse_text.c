/* reverse_text.c - the text backwards, code point by code point. */

#include "actors/processors/stock.h"
#include "actors/processors/text.h"

#include <string.h>

static int s_process (dw_call_t *call, void *instance) {
    (void) instance;
    dw_text_t text;
    int err = dw_text_payload (call, &text);
    if (err)
        return err;
    if (text.size == 0)
        return dw_call_set_text (call, "", 0) ? dw_text_fail_memory (call) : 0;
    char *out = dw_call_reserve_text (call, text.size);
    if (!out)
        return dw_text_fail_memory (call);
    while (text.size > 0) {
        if (text.bytes[0] < 0x80) { /* by far the most, and faster alone */
            text.size--;
            out[text.size] = (char) *text.bytes++;
            continue;
        }
        dw_text_t rest = text;
        dw_text_next (&rest);
        /* What follows the code point in the text has its place before it. */
        memcpy (out + rest.size, text.bytes, text.size - rest.size);
        text = rest;
    }
    return 0;
}

const dw_processor_t dw_stock_reverse_text = {
    .name = "reverse_text",
    .help = "the text backwards, by code points",
    .intent = DW_TRANSFORM,
    .brief = true,
    .payload_only = true,
    .process = s_process,
};
