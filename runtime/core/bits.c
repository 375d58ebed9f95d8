/* bits.c - a set of integers below a maximum that gives its smallest member at once. */

#include "runtime/core/bits.h"

#include <assert.h>
#include <string.h>

static uint32_t s_words (uint32_t bits) {
    return bits / 64u + (bits % 64u != 0);
}

size_t dw_bits_size (uint32_t max) {
    size_t size = 0;
    uint32_t bits = max;
    do {
        bits = s_words (bits);
        size += bits * sizeof (uint64_t);
    } while (bits > 1);
    return size;
}

void dw_bits_init (dw_bits_t *self, uint32_t max, void *memory) {
    uint64_t *words = memory;
    uint32_t bits = max;
    memset (memory, 0, dw_bits_size (max));
    memset (self, 0, sizeof *self);
    self->max = max;
    do {
        bits = s_words (bits);
        self->levels[self->levels_count++] = words;
        words += bits;
    } while (bits > 1);
}

void dw_bits_add (dw_bits_t *self, uint32_t member) {
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

void dw_bits_remove (dw_bits_t *self, uint32_t member) {
    assert (member < self->max);
    for (uint32_t level = 0; level < self->levels_count; level++) {
        uint64_t *word = &self->levels[level][member / 64];
        *word &= ~(UINT64_C (1) << (member % 64));
        if (*word)
            return;
        member /= 64;
    }
}

/* Climbs until a word has a bit at or behind the wanted place, then goes down by first bits. */
uint32_t dw_bits_next (const dw_bits_t *self, uint32_t from) {
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
        bound = s_words (bound);
    }
    while (level-- > 0)
        from = from * 64 + (uint32_t) __builtin_ctzll (self->levels[level][from]);
    return from;
}
