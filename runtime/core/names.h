/* names.h - a table that tells which of the names in an array has which index.
 *
 * Open addressing with linear probing; a slot is a name's index and 8 bits of its hash, so that a
 * search compares hardly any other name and the slots of many names lie in little memory. The array
 * is the caller's: a name's address is found there by its index, stride bytes after the one before.
 * One thread at a time. */

#ifndef DW_NAMES_H
#define DW_NAMES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define DW_NAMES_MAX 0xffffffu /* indices are less */

typedef struct dw_names_t {
    const char *const *names; /* the first of the array; the caller may set where it has moved to */
    size_t stride;
    uint32_t *slots; /* an index, below 8 bits of the hash */
    uint32_t slots_count;
    uint32_t count;
    uint64_t seed;
} dw_names_t;

/* An empty table with room for count names of an array; false: no memory, or more than there can
 * be. */
bool dw_names_init (dw_names_t *self, uint32_t count, const char *const *names, size_t stride);
/* Takes an initialized table or one of zeros. */
void dw_names_free (dw_names_t *self);

/* Adds name, which lies at index in the array or will when the next call is made. Gives the index
 * that name has now: the earlier one where there is one. UINT32_MAX: no memory. */
uint32_t dw_names_add (dw_names_t *self, const char *name, uint32_t index);
/* The index of name, or UINT32_MAX. */
uint32_t dw_names_find (const dw_names_t *self, const char *name);

/* For a caller with many names: hash some, guess for each, peek for each, then find each. Every
 * sweep fetches into the cache what the next one looks at. Names are read by words: these and those
 * in the array are texts of an arena, with its margin behind them. */
uint32_t dw_names_hash (const dw_names_t *self, const char *name);
uint32_t dw_names_add_hashed (dw_names_t *self, const char *name, uint32_t hash, uint32_t index);
/* The index of the first name with what is kept of this hash, or UINT32_MAX. */
uint32_t dw_names_guess (const dw_names_t *self, uint32_t hash);
void dw_names_peek (const dw_names_t *self, uint32_t guess);
uint32_t dw_names_find_guessed (const dw_names_t *self, const char *name, uint32_t hash,
                                uint32_t guess);

#endif
