/* histogram.c - many numbers, counted in buckets of their own size. */

#include "bench/lib/histogram.h"

#define LINEAR      DW_HISTOGRAM_LINEAR
#define LINEAR_BITS 8u
#define HALF        (LINEAR / 2)

/* A number of LINEAR_BITS + n bits loses its last n: what is left is from HALF to LINEAR - 1. */
size_t dw_histogram_bucket (uint64_t value) {
    if (value < LINEAR)
        return (size_t) value;
    unsigned lost = 64 - LINEAR_BITS - (unsigned) __builtin_clzll (value);
    return LINEAR + (lost - 1) * HALF + (size_t) (value >> lost) - HALF;
}

uint64_t dw_histogram_bucket_end (size_t bucket) {
    if (bucket < LINEAR)
        return bucket;
    unsigned lost = (unsigned) ((bucket - LINEAR) / HALF) + 1;
    uint64_t kept = (bucket - LINEAR) % HALF + HALF;
    return (kept << lost) + ((UINT64_C (1) << lost) - 1);
}

void dw_histogram_add (dw_histogram_t *self, uint64_t value) {
    if (self->count == 0 || value < self->min)
        self->min = value;
    if (value > self->max)
        self->max = value;
    self->count++;
    self->counts[dw_histogram_bucket (value)]++;
}

void dw_histogram_merge (dw_histogram_t *self, const dw_histogram_t *other) {
    if (other->count == 0)
        return;
    if (self->count == 0 || other->min < self->min)
        self->min = other->min;
    if (other->max > self->max)
        self->max = other->max;
    self->count += other->count;
    for (size_t i = 0; i < DW_HISTOGRAM_BUCKETS; i++)
        self->counts[i] += other->counts[i];
}

uint64_t dw_histogram_percentile (const dw_histogram_t *self, double percent) {
    double exact = percent / 100 * (double) self->count;
    uint64_t wanted = (uint64_t) exact, seen = 0;
    if ((double) wanted < exact)
        wanted++;
    if (wanted == 0)
        wanted = 1;
    for (size_t i = 0; i < DW_HISTOGRAM_BUCKETS; i++) {
        seen += self->counts[i];
        if (seen >= wanted) {
            uint64_t end = dw_histogram_bucket_end (i);
            return end < self->max ? end : self->max;
        }
    }
    return self->max;
}
