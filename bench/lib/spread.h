/* spread.h - a figure that was measured several times: its median, and how far it is spread. */

#ifndef DW_SPREAD_H
#define DW_SPREAD_H

#include <stddef.h>

typedef struct dw_spread_t {
    double median, min, max;
} dw_spread_t;

/* Sorts values, of which there is at least one. */
dw_spread_t dw_spread_of (double *values, size_t values_count);
/* The spread of 1 / value times factor: what a time is as a rate. */
dw_spread_t dw_spread_inverse (dw_spread_t self, double factor);
/* Each value times factor, which is not negative. */
dw_spread_t dw_spread_scale (dw_spread_t self, double factor);

#endif
