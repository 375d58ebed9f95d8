/* sleep.c - waits, then passes its payload on. */

#include "actors/clock.h"
#include "actors/processors/stock.h"

#include <poll.h>

/* Waits until the end, or until it may be that nobody waits for this. */
static void s_wait (dw_call_t *call, int64_t now_ns, int64_t end_ns) {
    struct pollfd item = {.fd = dw_call_fd (call), .events = POLLIN};
    struct timespec left = {.tv_sec = (time_t) ((end_ns - now_ns) / 1000000000),
                            .tv_nsec = (long) ((end_ns - now_ns) % 1000000000)};
    (void) ppoll (&item, 1, &left, NULL);
}

static int s_process (dw_call_t *call, void *instance) {
    (void) instance;
    int64_t now_ns = dw_clock_ns ();
    int64_t end_ns = now_ns + dw_settings_integer (dw_call_settings (call), "ms") * 1000000;
    for (; now_ns < end_ns; now_ns = dw_clock_ns ()) {
        if (dw_call_cancelled (call))
            return dw_call_fail (call, 499, "cancelled in its sleep");
        s_wait (call, now_ns, end_ns);
    }
    return dw_call_set_payload (call) ? dw_call_fail (call, 500, "no memory for the payload") : 0;
}

static const dw_option_t s_options[] = {
    {.name = "ms",
     .type = DW_INTEGER,
     .fallback = "10",
     .min = 0,
     .max = 86400000,
     .help = "how long, in milliseconds, up to a day"},
    {0},
};

const dw_processor_t dw_stock_sleep = {
    .name = "sleep",
    .help = "waits, then passes its payload on",
    .intent = DW_TRANSFORM,
    .payload_only = true,
    .options = s_options,
    .process = s_process,
};
