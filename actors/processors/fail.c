/* fail.c - fails as it is told to, to try out failure policies and retries. */

#include "actors/processors/stock.h"
#include "actors/processors/text.h"

static int s_process (dw_call_t *call, void *instance) {
    (void) instance;
    const dw_settings_t *settings = dw_call_settings (call);
    if ((int64_t) dw_call_attempt (call) <= dw_settings_integer (settings, "times")) {
        return dw_call_fail (call, (int) dw_settings_integer (settings, "code"), "%s",
                             dw_settings_text (settings, "message"));
    }
    return dw_call_set_payload (call) ? dw_call_fail (call, 500, "no memory for the payload") : 0;
}

/* The default of times is beyond any number of attempts. */
static const dw_option_t s_options[] = {
    {.name = "code",
     .type = DW_INTEGER,
     .fallback = "500",
     .min = 1,
     .max = 999,
     .help = "the code of the failure"},
    {.name = "message",
     .type = DW_TEXT,
     .fallback = "failed as asked",
     .help = "the message of the failure"},
    {.name = "times",
     .type = DW_INTEGER,
     .fallback = "1000000000",
     .min = 0,
     .max = 1000000000,
     .help =
         "fail only the first so many attempts, then pass the payload on (default: fail always)"},
    {0},
};

const dw_processor_t dw_stock_fail = {
    .name = "fail",
    .help = "fails, or fails a few times and then passes its payload on",
    .intent = DW_TRANSFORM,
    .brief = true,
    .payload_only = true,
    .options = s_options,
    .start = dw_text_start,
    .process = s_process,
    .arg = (void *) s_options,
};
