/* switches.h - how often the threads of this process were taken from a CPU. */

#ifndef DW_SWITCHES_H
#define DW_SWITCHES_H

#include <stdint.h>
#include <sys/resource.h>

/* Context switches so far of all threads, those that ended too: because they slept, and because
 * others were let in. */
static inline uint64_t dw_switches_count (void) {
    struct rusage usage = {0};
    getrusage (RUSAGE_SELF, &usage);
    return (uint64_t) usage.ru_nvcsw + (uint64_t) usage.ru_nivcsw;
}

#endif
