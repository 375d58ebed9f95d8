/* wakeup.h - what a wake-up costs on this machine: the floor below every message to a thread that
 * sleeps. */

#ifndef DW_WAKEUP_H
#define DW_WAKEUP_H

#include "bench/lib/spread.h"
#include "dagwood.h"

/* The round trip between two threads that each sleep in the kernel (futex(2)) until the other wakes
 * them, in nanoseconds: the mean of round_trips of them, repeat times. Where the two run is left to
 * the kernel, as it is for actors. Errors: DW_ELIMIT no thread; DW_ENOMEM. */
int dw_wakeup_measure (dw_spread_t *ns_p, uint32_t round_trips, uint32_t repeat, dw_error_t *error);

#endif
