/* sleep.c - waits, then passes its payload on.
 *
 * It waits in steps, so that a cancelled one ends within 10 ms; nothing wakes it in between. */

#include "actors/clock.h"
#include "actors/processors/stock.h"

#include <errno.h>

#define STEP_NS 8000000

static void s_sleep_until (int64_t time_ns) {
    struct timespec until = {.tv_sec = (time_t) (time_ns / 1000000000),
                             .tv_nsec = (long) (time_ns % 1000000000)};
    while (clock_nanosleep (CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL) == EINTR) {
        continue;
    }
}

static int s_process (dw_call_t *call, void *instance) {
    (void) instance;
    int64_t now_ns = dw_clock_ns ();
    int64_t end_ns = now_ns + dw_settings_integer (dw_call_settings (call), "ms") * 1000000;
    while (now_ns < end_ns) {
        s_sleep_until (end_ns - now_ns > STEP_NS ? now_ns + STEP_NS : end_ns);
        if (dw_call_cancelled (call)) {
            return dw_call_fail (call, 499, "cancelled in its sleep");
        }
        now_ns = dw_clock_ns ();
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
