/* timers.h - what is to be looked at when: a binary heap by time.
 *
 * A timer is not taken out when it loses its reason: whoever gets it ignores it, and now and then
 * all such are dropped together. */

#ifndef DW_TIMERS_H
#define DW_TIMERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct dw_timer_t {
    int64_t at_ns;
    uint32_t worker; /* UINT32_MAX: none's, but the end of a backoff, of node of run, */
    uint32_t run;
    uint32_t serial; /* of the run, for one that has ended meanwhile */
    uint32_t node;   /* or, when this is UINT32_MAX, the deadline of run */
} dw_timer_t;

typedef struct dw_timers_t {
    dw_timer_t *items;
    size_t count, size;
    size_t drop_at; /* how many there are when the next look for timers without a reason is due */
} dw_timers_t;

/* False: no memory. Of two timers with one time either may come first, but always the same. */
bool dw_timers_add (dw_timers_t *self, dw_timer_t timer);
/* When there are twice as many as were left by the last look, and 64 more: drops those that have
 * lost their reason. So there are never many more than have one, for constant time a timer. */
void dw_timers_drop (dw_timers_t *self, bool (*has_reason) (void *arg, const dw_timer_t *timer),
                     void *arg);
/* The earliest time; INT64_MAX when there is no timer. */
int64_t dw_timers_next_ns (const dw_timers_t *self);
/* Takes out the earliest timer, which must be there. */
dw_timer_t dw_timers_take (dw_timers_t *self);

#endif
