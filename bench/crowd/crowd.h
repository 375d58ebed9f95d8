/* crowd.h - a coordinator and very many workers in one process and one thread: what stands in for
 * ZeroMQ, the threads and the clock, and what it asks of the world around.
 *
 *     world.c  -- dw_sockets_put -->  sockets.c  <-- zmq_msg_recv --  the coordinator
 *     workers  <-- dw_sockets_take -- hands over  -- zmq_send -----   as it is
 *
 * Messages are handed over as bytes, and nothing else of ZeroMQ is there: no I/O thread, no
 * connection, no kernel. The coordinator runs in the caller's thread. Where it finds that nothing
 * has come, or waits, the world around goes on. Its time is virtual: it goes on by what the
 * coordinator takes of the CPU, and by what it waits. */

#ifndef DW_CROWD_H
#define DW_CROWD_H

#include <zmq.h>

#include "actors/coordinator.h"
#include "bench/lib/slots.h"

/* ---- allocator.c ------------------------------------------------------------------------------ */

/* Bytes that this thread was given and has not given back, as large as the allocator made them. */
double dw_allocator_bytes (void);
/* The version of mimalloc, such as 209 for 2.0.9; 0: the allocator is the C library's. */
uint64_t dw_allocator_mimalloc (void);

/* ---- sockets.c -------------------------------------------------------------------------------- */

/* Where the coordinator's own client comes, and where workers do. */
typedef enum dw_way_t { DW_WAY_NEAR, DW_WAY_ELSEWHERE, DW_WAYS } dw_way_t;

/* A message that the coordinator has sent. */
typedef struct dw_sent_t {
    dw_way_t way;
    uint32_t peer;
    const uint8_t *head;
    size_t size;
    zmq_msg_t *frames;
    uint32_t frames_count;
} dw_sent_t;

/* A message for the coordinator, of whoever has this number. */
void dw_sockets_put (dw_way_t way, uint32_t peer, const void *bytes, size_t size);
/* The next that it has sent, to be read before anything else is called; false: there is none. */
bool dw_sockets_take (dw_sent_t *sent);
bool dw_sockets_have_come (void);
/* Runs the coordinator, which was made, until dw_world_wait returns false. */
void dw_sockets_run (void);
void dw_sockets_free (void);

/* ---- world.c: what the coordinator's calls come to ----------------------------------------------- */

/* What time it is to the coordinator. */
int64_t dw_world_now_ns (void);
/* It finds that nothing has come: lets happen what has happened by now. */
void dw_world_look (void);
/* It waits until something comes, at most until then. False: the world is over. */
bool dw_world_wait (int64_t deadline_ns);
/* It looks away for so long. */
void dw_world_nap (int64_t ns);

#endif
