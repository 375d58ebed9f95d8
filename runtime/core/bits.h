/* bits.h - a set of integers below a maximum that gives its smallest member at once.
 *
 * A bit a member with summaries above it, one bit for 64 below (a van Emde Boas tree cut to words
 * of 64): adding, taking out and finding the next member cost a few instructions whatever the
 * maximum, and an eighth of a byte a possible member. */

#ifndef DW_BITS_H
#define DW_BITS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define DW_BITS_LEVELS 6 /* 64^6: more than 32 bits can number */

typedef struct dw_bits_t {
    uint64_t *levels[DW_BITS_LEVELS]; /* levels[0]: a bit a member */
    uint32_t levels_count;
    uint32_t max;
} dw_bits_t;

/* How many bytes a set of integers below max lives in. */
size_t dw_bits_size (uint32_t max);
/* Empty; memory is dw_bits_size bytes, aligned for uint64_t, and outlives self. */
void dw_bits_init (dw_bits_t *self, uint32_t max, void *memory);
void dw_bits_add (dw_bits_t *self, uint32_t member);
void dw_bits_remove (dw_bits_t *self, uint32_t member);
/* The smallest member that is not below from; UINT32_MAX when there is none. */
uint32_t dw_bits_next (const dw_bits_t *self, uint32_t from);

#endif
