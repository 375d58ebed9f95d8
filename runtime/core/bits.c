/* bits.c - a set of integers below a maximum that gives its smallest member at once. */

#include "runtime/core/bits.h"

#include <string.h>

size_t dw_bits_size (uint32_t max) {
    size_t size = 0;
    uint32_t bits = max;
    do {
        bits = dw_bits_words (bits);
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
        bits = dw_bits_words (bits);
        self->levels[self->levels_count++] = words;
        words += bits;
    } while (bits > 1);
}
