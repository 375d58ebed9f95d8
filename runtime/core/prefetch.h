/* prefetch.h - memory that is about to be used is fetched into the cache.
 *
 * Where each of very many things is in no cache, to wait for several of them together takes as long
 * as for one. What is fetched in vain does no harm. */

#ifndef DW_PREFETCH_H
#define DW_PREFETCH_H

#include <stddef.h>

#define DW_CACHE_LINE 64u

/* All of an object, which is to be written, too. */
static inline void dw_prefetch (const void *object, size_t size) {
    const char *bytes = object;
    for (size_t at = 0; at < size; at += DW_CACHE_LINE)
        __builtin_prefetch (bytes + at, 1);
    __builtin_prefetch (bytes + size - 1, 1);
}

#endif
