/* names.h - a table from names to numbers.
 *
 * Open addressing with linear probing; a slot keeps its name's hash, so that a search compares
 * hardly any other name. Names are borrowed for the table's life. One thread at a time. */

#ifndef DW_NAMES_H
#define DW_NAMES_H

#include <stdbool.h>
#include <stdint.h>

typedef struct dw_name_t {
    const char *name; /* NULL: an empty slot */
    uint32_t hash;
    uint32_t value;
} dw_name_t;

typedef struct dw_names_t {
    dw_name_t *slots; /* a power of two of them */
    uint32_t slots_count;
    uint32_t count;
    uint64_t seed;
} dw_names_t;

/* An empty table with room for count names; false: no memory. */
bool dw_names_init (dw_names_t *self, uint32_t count);
/* Takes an initialized table or one of zeros. */
void dw_names_free (dw_names_t *self);

/* Adds name with value. Gives the value that name has now: the earlier one where there is one.
 * UINT32_MAX, which is no value: no memory. */
uint32_t dw_names_add (dw_names_t *self, const char *name, uint32_t value);
/* The value of name, or UINT32_MAX. */
uint32_t dw_names_find (const dw_names_t *self, const char *name);

/* For a caller with many names: hash some, peek for each, then add or find each. Hashing fetches
 * the slot into the cache and peeking what is compared, while the others are worked on. */
uint32_t dw_names_hash (const dw_names_t *self, const char *name);
void dw_names_peek (const dw_names_t *self, uint32_t hash);
uint32_t dw_names_add_hashed (dw_names_t *self, const char *name, uint32_t hash, uint32_t value);
uint32_t dw_names_find_hashed (const dw_names_t *self, const char *name, uint32_t hash);

#endif
