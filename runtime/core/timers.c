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

dw_timer_t dw_timers_take (dw_timers_t *self) {
    assert (self->count > 0);
    dw_timer_t first = self->items[0];
    dw_timer_t last = self->items[--self->count];
    size_t at = 0;
    for (;;) {
        size_t child = 2 * at + 1;
        if (child >= self->count)
            break;
        if (child + 1 < self->count && self->items[child + 1].at_ns < self->items[child].at_ns)
            child++;
        if (self->items[child].at_ns >= last.at_ns)
            break;
        self->items[at] = self->items[child];
        at = child;
    }
    if (self->count)
        self->items[at] = last;
    return first;
}
