/* allocator.c - mimalloc, where the bench is linked with it, else the C library's. */

#ifdef DAGWOOD_MIMALLOC

#include <mimalloc.h>

#include "bench/crowd/crowd.h"

static bool s_add_area (const mi_heap_t *heap, const mi_heap_area_t *area, void *block,
                        size_t block_size, void *arg) {
    double *bytes = arg;
    (void) heap;
    (void) block; /* NULL: only areas are visited, each of blocks of one size */
    (void) block_size;
    *bytes += (double) area->used * (double) area->block_size;
    return true;
}

double dw_allocator_bytes (void) {
    double bytes = 0;
    mi_heap_visit_blocks (mi_heap_get_default (), false, s_add_area, &bytes);
    return bytes;
}

uint64_t dw_allocator_mimalloc (void) {
    return (uint64_t) mi_version ();
}

#else

#include "bench/crowd/crowd.h"
#include "bench/lib/usage.h"

double dw_allocator_bytes (void) {
    return dw_usage_allocated_bytes ();
}

uint64_t dw_allocator_mimalloc (void) {
    return 0;
}

#endif
