/* usage.h - what a bench has used by itself: CPU time of the calling thread, memory of its process. */

#ifndef DW_BENCH_USAGE_H
#define DW_BENCH_USAGE_H

#include <stdint.h>

int64_t dw_usage_cpu_ns (void);
/* What two looks at it take by themselves: the least of many. */
int64_t dw_usage_looks_ns (void);
/* Bytes that malloc has given and not got back. */
double dw_usage_allocated_bytes (void);

#endif
