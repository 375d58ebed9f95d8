/* raw.h - ZeroMQ alone between this process and another one over TCP on this machine: what there is
 * to be had.
 *
 * A ROUTER here, a DEALER there that sends back whatever comes: the same sockets and as many hops
 * as a task of a worker process. */

#ifndef DW_RAW_H
#define DW_RAW_H

#include <stdbool.h>
#include <zmq.h>

#include "bench/lib/child.h"

typedef struct dw_raw_t {
    dw_child_t child;
    void *context, *router;
    zmq_msg_t id; /* the other's */
} dw_raw_t;

/* Starts the other process. To be called before there is any thread. Errors: DW_ELIMIT. */
int dw_raw_start (dw_raw_t *self, dw_error_t *error);
/* Has it connect, with CURVE or plain. Errors: as dw_endpoint_bind; DW_ELIMIT. */
int dw_raw_connect (dw_raw_t *self, bool with_keys, dw_error_t *error);
/* Sends count messages of size bytes there and back, window at one time. Nanoseconds. */
double dw_raw_trips (dw_raw_t *self, size_t size, unsigned count, unsigned window);
/* Errors: as dw_child_end. */
int dw_raw_end (dw_raw_t *self, dw_error_t *error);

#endif
