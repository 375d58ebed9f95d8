/* workers.h - worker processes of a bench, each of many slots, which have a connection each over
 * TCP on this machine. */

#ifndef DW_BENCH_WORKERS_H
#define DW_BENCH_WORKERS_H

#include "bench/lib/child.h"

#define DW_WORKERS_MAX 64u

typedef struct dw_workers_t {
    dw_child_t processes[DW_WORKERS_MAX];
    uint32_t processes_count;
    uint32_t slots_each;
} dw_workers_t;

/* Starts so many processes, at most DW_WORKERS_MAX, that wait to be told where their coordinator
 * is, and lets this process have as many descriptors as it may. To be called before there is any
 * thread. Errors: DW_ELIMIT. */
int dw_workers_start (dw_workers_t *self, uint32_t processes_count, uint32_t slots_each,
                      dw_error_t *error);
/* Tells them, and waits until each of their slots has a connection to this process. Errors:
 * DW_ETIMEDOUT. */
int dw_workers_join (dw_workers_t *self, const char *endpoint, dw_error_t *error);
/* Seconds of CPU time that they have used so far, in hundredths. */
double dw_workers_cpu_s (const dw_workers_t *self);
/* The same of this process, their coordinator's, and exactly. */
double dw_workers_own_cpu_s (void);
/* Waits for their end, which comes with that of their coordinator. Errors: DW_EPROCESSOR one did
 * not end with 0. */
int dw_workers_end (dw_workers_t *self, dw_error_t *error);

#endif
