/* histogram.h - many numbers, counted in buckets of their own size: for percentiles.
 *
 * Log-linear, as HdrHistogram's README describes it (Gil Tene; github.com/HdrHistogram): numbers
 * below 256 have a bucket each; from there on every power of two is cut into 128 equal buckets, so
 * a number is known to better than 1 in 128, two significant digits, from 0 to 2^64 - 1 and in 60
 * KiB. Our own because Debian 12 has packages of it for Java and Go, none for C. Plain data. */

#ifndef DW_HISTOGRAM_H
#define DW_HISTOGRAM_H

#include <stddef.h>
#include <stdint.h>

#define DW_HISTOGRAM_LINEAR  256u
#define DW_HISTOGRAM_BUCKETS (DW_HISTOGRAM_LINEAR + 56u * (DW_HISTOGRAM_LINEAR / 2))

typedef struct dw_histogram_t { /* all 0: empty */
    uint64_t counts[DW_HISTOGRAM_BUCKETS];
    uint64_t count, min, max;
} dw_histogram_t;

void dw_histogram_add (dw_histogram_t *self, uint64_t value);
void dw_histogram_merge (dw_histogram_t *self, const dw_histogram_t *other);

/* The smallest number that at least so many percent (0 to 100) of all are not above, to the upper
 * end of its bucket and never above the maximum; 0 when it is empty. */
uint64_t dw_histogram_percentile (const dw_histogram_t *self, double percent);

/* Which bucket a number is in, and the largest number of a bucket. */
size_t dw_histogram_bucket (uint64_t value);
uint64_t dw_histogram_bucket_end (size_t bucket);

#endif
