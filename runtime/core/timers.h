/* timers.h - what is to be looked at when: a binary heap by time.
 *
 * A timer is never taken out early: whoever gets one that has lost its reason ignores it. */

#ifndef DW_TIMERS_H
#define DW_TIMERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct dw_timer_t {
    int64_t at_ns;
    uint32_t worker; /* UINT32_MAX: the end of a backoff, of node of run */
    uint32_t run;
    uint32_t serial; /* of the run, for one that has ended meanwhile */
    uint32_t node;
} dw_timer_t;

typedef struct dw_timers_t {
    dw_timer_t *items;
    size_t count, size;
} dw_timers_t;

/* False: no memory. Of two timers with one time either may come first, but always the same. */
bool dw_timers_add (dw_timers_t *self, dw_timer_t timer);
/* The earliest time; INT64_MAX when there is no timer. */
int64_t dw_timers_next_ns (const dw_timers_t *self);
/* Takes out the earliest timer, which must be there. */
dw_timer_t dw_timers_take (dw_timers_t *self);

#endif
