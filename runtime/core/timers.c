/* timers.c - a binary heap by time. */

#include "runtime/core/timers.h"

#include <assert.h>
#include <stdlib.h>

bool dw_timers_add (dw_timers_t *self, dw_timer_t timer) {
    if (self->count == self->size) {
        size_t size = self->size ? 2 * self->size : 64;
        dw_timer_t *items = realloc (self->items, size * sizeof *items);
        if (!items)
            return false;
        self->items = items;
        self->size = size;
    }
    size_t at = self->count++;
    while (at > 0 && self->items[(at - 1) / 2].at_ns > timer.at_ns) {
        self->items[at] = self->items[(at - 1) / 2];
        at = (at - 1) / 2;
    }
    self->items[at] = timer;
    return true;
}

int64_t dw_timers_next_ns (const dw_timers_t *self) {
    return self->count ? self->items[0].at_ns : INT64_MAX;
}

/* Puts timer in the place at, or further down, below which are heaps. */
static void s_sink (dw_timers_t *self, size_t at, dw_timer_t timer) {
    for (;;) {
        size_t child = 2 * at + 1;
        if (child >= self->count)
            break;
        if (child + 1 < self->count && self->items[child + 1].at_ns < self->items[child].at_ns)
            child++;
        if (self->items[child].at_ns >= timer.at_ns)
            break;
        self->items[at] = self->items[child];
        at = child;
    }
    self->items[at] = timer;
}

dw_timer_t dw_timers_take (dw_timers_t *self) {
    assert (self->count > 0);
    dw_timer_t first = self->items[0];
    dw_timer_t last = self->items[--self->count];
    if (self->count)
        s_sink (self, 0, last);
    return first;
}

void dw_timers_drop (dw_timers_t *self, bool (*has_reason) (void *arg, const dw_timer_t *timer),
                     void *arg) {
    size_t kept = 0;
    if (self->count < self->drop_at)
        return;
    for (size_t i = 0; i < self->count; i++)
        if (has_reason (arg, &self->items[i]))
            self->items[kept++] = self->items[i];
    self->count = kept;
    for (size_t at = kept / 2; at-- > 0;)
        s_sink (self, at, self->items[at]);
    self->drop_at = 2 * kept + 64;
}
