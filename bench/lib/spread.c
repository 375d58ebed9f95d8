/* spread.c - a figure that was measured several times. */

#include "bench/lib/spread.h"

#include <assert.h>
#include <stdlib.h>

static int s_compare (const void *a, const void *b) {
    double x = *(const double *) a, y = *(const double *) b;
    return x < y ? -1 : x > y;
}

dw_spread_t dw_spread_of (double *values, size_t values_count) {
    assert (values_count > 0);
    qsort (values, values_count, sizeof *values, s_compare);
    double upper = values[values_count / 2];
    return (dw_spread_t){.median = values_count % 2 ? upper
                                                    : (values[values_count / 2 - 1] + upper) / 2,
                         .min = values[0],
                         .max = values[values_count - 1]};
}

dw_spread_t dw_spread_inverse (dw_spread_t self, double factor) {
    return (dw_spread_t){
        .median = factor / self.median, .min = factor / self.max, .max = factor / self.min};
}

dw_spread_t dw_spread_scale (dw_spread_t self, double factor) {
    return (dw_spread_t){
        .median = self.median * factor, .min = self.min * factor, .max = self.max * factor};
}
