/* bits.h - a set of integers below a maximum that gives its smallest member at once.
 *
 * A bit a member with summaries above it, one bit for 64 below (a van Emde Boas tree cut to words
 * of 64): adding, taking out and finding the next member cost a few instructions whatever the
 * maximum, and an eighth of a byte a possible member. */

#ifndef DW_BITS_H
#define DW_BITS_H

#include <assert.h>
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

/* Here for speed: every task that gets ready goes through one of these. */

static inline uint32_t dw_bits_words (uint32_t bits) {
    return bits / 64u + (bits % 64u != 0);
}

static inline void dw_bits_add (dw_bits_t *self, uint32_t member) {
    assert (member < self->max);
    for (uint32_t level = 0; level < self->levels_count; level++) {
        uint64_t *word = &self->levels[level][member / 64];
        bool was_empty = *word == 0;
        *word |= UINT64_C (1) << (member % 64);
        if (!was_empty)
            return;
        member /= 64;
    }
}

static inline void dw_bits_remove (dw_bits_t *self, uint32_t member) {
    assert (member < self->max);
    for (uint32_t level = 0; level < self->levels_count; level++) {
        uint64_t *word = &self->levels[level][member / 64];
        *word &= ~(UINT64_C (1) << (member % 64));
        if (*word)
            return;
        member /= 64;
    }
}

/* The smallest member that is not below from; UINT32_MAX when there is none. Climbs until a word
 * has a bit at or behind the wanted place, then goes down by first bits. */
static inline uint32_t dw_bits_next (const dw_bits_t *self, uint32_t from) {
    uint32_t level = 0, bound = self->max;
    for (;; level++) {
        if (level == self->levels_count || from >= bound)
            return UINT32_MAX;
        uint64_t bits = self->levels[level][from / 64] >> (from % 64);
        if (bits) {
            from += (uint32_t) __builtin_ctzll (bits);
            break;
        }
        from = from / 64 + 1;
        bound = dw_bits_words (bound);
    }
    while (level-- > 0)
        from = from * 64 + (uint32_t) __builtin_ctzll (self->levels[level][from]);
    return from;
}

#endif
