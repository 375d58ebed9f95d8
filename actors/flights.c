/* flights.c - the numbers of a client's runs in flight. */

#include "actors/flights.h"

#include <assert.h>
#include <stdlib.h>

/* Numbers that follow each other are spread (Knuth 6.4, Fibonacci hashing): side by side they would
 * be one long cluster, all of which taking one out would have to look at. */
static uint32_t s_home (const dw_flights_t *self, uint64_t run) {
    return (uint32_t) ((run * UINT64_C (0x9e3779b97f4a7c15)) >> 32) & (self->size - 1);
}

static uint32_t s_place (const dw_flights_t *self, uint64_t run) {
    uint32_t at = s_home (self, run);
    while (self->runs[at] && self->runs[at] != run)
        at = (at + 1) & (self->size - 1);
    return at;
}

bool dw_flights_reserve (dw_flights_t *self) {
    dw_flights_t grown = {.size = self->size ? 2 * self->size : 8, .has_values = self->has_values};
    if (self->size && 2 * (self->count + 1) <= self->size)
        return true;
    grown.runs = calloc (grown.size, sizeof *grown.runs);
    grown.values = self->has_values ? calloc (grown.size, sizeof *grown.values) : NULL;
    if (!grown.runs || (self->has_values && !grown.values)) {
        dw_flights_free (&grown);
        return false;
    }
    for (uint32_t i = 0; i < self->size; i++)
        if (self->runs[i]) {
            uint32_t place = s_place (&grown, self->runs[i]);
            grown.runs[place] = self->runs[i];
            if (grown.values)
                grown.values[place] = self->values[i];
        }
    grown.count = self->count;
    free (self->runs);
    free (self->values);
    *self = grown;
    return true;
}

void dw_flights_add (dw_flights_t *self, uint64_t run) {
    assert (run && 2 * (self->count + 1) <= self->size); /* an empty place ends every search */
    uint32_t place = s_place (self, run);
    self->runs[place] = run;
    if (self->values)
        self->values[place] = NULL;
    self->count++;
}

void **dw_flights_value (const dw_flights_t *self, uint64_t run) {
    assert (self->values && dw_flights_has (self, run)); /* the caller asked before */
    return &self->values[s_place (self, run)];
}

bool dw_flights_has (const dw_flights_t *self, uint64_t run) {
    return run && self->size && self->runs[s_place (self, run)] == run;
}

/* Moves up what stands behind the place (Knuth 6.4, algorithm R). */
void dw_flights_remove (dw_flights_t *self, uint64_t run) {
    if (!dw_flights_has (self, run))
        return;
    uint32_t hole = s_place (self, run);
    self->count--;
    for (uint32_t at = hole;;) {
        at = (at + 1) & (self->size - 1);
        if (!self->runs[at])
            break;
        uint32_t home = s_home (self, self->runs[at]);
        if (((at - home) & (self->size - 1)) >= ((at - hole) & (self->size - 1))) {
            self->runs[hole] = self->runs[at];
            if (self->values)
                self->values[hole] = self->values[at];
            hole = at;
        }
    }
    self->runs[hole] = 0;
}

void dw_flights_free (dw_flights_t *self) {
    free (self->runs);
    free (self->values);
    *self = (dw_flights_t){.has_values = self->has_values};
}
