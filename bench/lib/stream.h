/* stream.h - what a hop costs: a stream of runs through a chain of actors.
 *
 * As many runs are in flight as are allowed. A hop is a task's way through one node: from the
 * coordinator to the actor, through its processor, and back. The hash is of every run's output,
 * whatever the order in which the runs ended. */

#ifndef DW_BENCH_STREAM_H
#define DW_BENCH_STREAM_H

#include "bench/lib/spread.h"
#include "dagwood.h"

#define DW_STREAM_PAYLOAD_BYTES_MAX 65536u

typedef struct dw_stream_options_t {
    uint32_t nodes;
    uint64_t runs; /* of one stream */
    uint64_t in_flight;
    uint32_t payload_bytes;
    uint32_t pool;        /* worker actors of a pool; 0: an actor for each node */
    uint32_t concurrency; /* actors that work at one time; 0: one for each CPU */
    uint32_t repeat;      /* streams that are measured, after one that is not */
} dw_stream_options_t;

typedef struct dw_stream_t {
    dw_spread_t ns_per_hop;
    dw_spread_t runs_per_second;
    double messages_per_hop, context_switches_per_hop;
    uint64_t hash; /* of all streams */
} dw_stream_t;

/* Errors: as dw_system_open; DW_EPROCESSOR a run was not ok, a defect. */
int dw_stream_measure (dw_stream_t *self, const dw_stream_options_t *options, dw_error_t *error);

#endif
