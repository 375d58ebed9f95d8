/* flights.h - the numbers of a client's runs in flight: a set of numbers other than 0, each with a
 * value if wished.
 *
 * An open-addressing table. One thread. */

#ifndef DW_FLIGHTS_H
#define DW_FLIGHTS_H

#include <stdbool.h>
#include <stdint.h>

typedef struct dw_flights_t {
    uint64_t *runs; /* 0 where empty; NULL before anything was reserved */
    void **values;  /* of the same places; NULL: there are none */
    uint32_t size;  /* a power of two, at least twice count */
    uint32_t count;
    bool has_values; /* said before anything is reserved */
} dw_flights_t;

/* Makes room for one more run. False: no memory. */
bool dw_flights_reserve (dw_flights_t *self);
/* Adds a run that is not in it, for which there is room, with the value NULL. */
void dw_flights_add (dw_flights_t *self, uint64_t run);
bool dw_flights_has (const dw_flights_t *self, uint64_t run);
/* Where the value of a run that is in it stands; valid until the set changes. */
void **dw_flights_value (const dw_flights_t *self, uint64_t run);
/* Takes a run out, if it is in. */
void dw_flights_remove (dw_flights_t *self, uint64_t run);
void dw_flights_free (dw_flights_t *self);

#endif
