/* spin.c - keeps a CPU busy for so long by the clock, then passes its payload on.
 *
 * It does not say that it is brief: how long it takes is up to the graph. */

#include "actors/clock.h"
#include "actors/processors/stock.h"

/* Between two looks for a cancellation, of which each costs about 0.1 us. */
#define LOOK_NS 50000

static int s_process (dw_call_t *call, void *instance) {
    (void) instance;
    int64_t now_ns = dw_clock_ns ();
    int64_t end_ns = now_ns + dw_settings_integer (dw_call_settings (call), "us") * 1000;
    int64_t look_ns = now_ns + LOOK_NS;
    while (now_ns < end_ns) {
        if (now_ns >= look_ns) {
            if (dw_call_cancelled (call))
                return dw_call_fail (call, 499, "cancelled while it was busy");
            look_ns = now_ns + LOOK_NS;
        }
        now_ns = dw_clock_ns ();
    }
    return dw_call_set_payload (call) ? dw_call_fail (call, 500, "no memory for the payload") : 0;
}

static const dw_option_t s_options[] = {
    {.name = "us",
     .type = DW_INTEGER,
     .fallback = "10",
     .min = 0,
     .max = 86400000000,
     .help = "how long, in microseconds, up to a day"},
    {0},
};

const dw_processor_t dw_stock_spin = {
    .name = "spin",
    .help = "keeps a CPU busy, then passes its payload on",
    .intent = DW_TRANSFORM,
    .payload_only = true,
    .options = s_options,
    .process = s_process,
};
