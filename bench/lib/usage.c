/* usage.c */

#include "bench/lib/usage.h"

#include <malloc.h>
#include <time.h>

int64_t dw_usage_cpu_ns (void) {
    struct timespec now;
    clock_gettime (CLOCK_THREAD_CPUTIME_ID, &now);
    return (int64_t) now.tv_sec * 1000000000 + now.tv_nsec;
}

int64_t dw_usage_looks_ns (void) {
    int64_t least_ns = INT64_MAX;
    for (unsigned i = 0; i < 1000; i++) {
        int64_t begin_ns = dw_usage_cpu_ns (), ns = dw_usage_cpu_ns () - begin_ns;
        if (ns < least_ns)
            least_ns = ns;
    }
    return least_ns;
}

double dw_usage_allocated_bytes (void) {
    struct mallinfo2 info = mallinfo2 ();
    return (double) info.uordblks + (double) info.hblkhd;
}
