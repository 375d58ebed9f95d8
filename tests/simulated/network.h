/* network.h - what sockets are connected by: within a process at once, between processes by a
 * network with faults.
 *
 * A pipe is one end of a connection. What one end sends arrives at the other in the order in which
 * it was sent, as with TCP, whatever happens between different connections; a connection that is
 * cut loses what was on its way. Nothing that stands here is freed before the world ends, so
 * whoever knows a pipe may look at it. */

#ifndef TESTS_NETWORK_H
#define TESTS_NETWORK_H

#include <zmq.h>

#include "tests/simulated/fibers.h"

typedef struct packet_t {
    struct packet_t *next;
    int64_t at_ns; /* when it arrives, at the earliest */
    bool is_end;   /* the connection's: nothing comes behind it */
    uint32_t count, size;
    zmq_msg_t *frames;
} packet_t;

typedef struct packets_t {
    packet_t *first, **last;
    uint32_t count;
} packets_t;

typedef struct context_t {
    process_t *process;
    bool is_shut, is_over;
    uint32_t open; /* sockets */
    fiber_t *waiter;
    int sockets_max, io_threads;
    struct context_t *next;
} context_t;

typedef struct pipe_t pipe_t;

#define OPTIONS_MAX 128

typedef struct socket_t {
    uint32_t magic;
    int type;
    context_t *context;
    process_t *process;
    bool is_closed;
    fiber_t *waiter;
    pipe_t *pipes, *turn; /* turn: whose message is taken next */
    char bound[256], to[256];
    int64_t options[OPTIONS_MAX];
    char domain[64];
    packet_t *in, *out; /* being received, and being put together */
    uint32_t in_at;
    pipe_t *in_from, *out_to;
    struct socket_t *monitor;
    int monitor_events;
    uint32_t ids_count;
    struct socket_t *next; /* of all */
} socket_t;

struct pipe_t {
    socket_t *socket;
    pipe_t *next;        /* of the socket */
    pipe_t *peer;        /* NULL: there is no connection now */
    uint64_t connection; /* the number of the one that there was last */
    bool is_network;
    bool is_gone;          /* its socket cannot send by it any more */
    packets_t inbox, sent; /* what has arrived; what is on its way, or waits for a connection */
    int64_t arrives_ns;    /* what is sent next does not arrive before that */
    int64_t unheard_ns;    /* since when what was sent by it is lost; 0: nothing is */
    uint8_t id[5];         /* by which a ROUTER knows it */
};

/* How the network of this world is. */
typedef struct network_t {
    int64_t delay_ns; /* most messages take up to that long, */
    int64_t slow_ns;  /* and now and then one up to that */
    /* of so many messages one is the last that its connection carries; 0: none, */
    uint32_t cut_one_in;
    uint32_t cuts_max; /* as often as that */
} network_t;

void network_begin (const network_t *network);
/* Frees everything. */
void network_end (void);

context_t *network_context_new (void);
socket_t *network_socket_new (context_t *context, int type);
pipe_t *network_pipe_new (socket_t *socket, bool is_network);
/* Connects two ends within a process. */
void network_join (pipe_t *a, pipe_t *b);
/* Tries to reach what socket->to names, now and again. */
void network_connect (socket_t *socket);
/* Calls visit for each open socket of a context. */
void network_each (const context_t *context, void (*visit) (socket_t *socket));
socket_t *network_find (const char *endpoint, const context_t *context);
/* The packet is given away. */
void network_send (pipe_t *pipe, packet_t *packet);
/* The socket will not be used any more: what is to be sent is, where it may linger. */
void network_close (socket_t *socket);

packet_t *packet_new (void);
/* The place for one more frame, not initialised. */
zmq_msg_t *packet_push (packet_t *self);
/* Closes its frames too. */
void packet_free (packet_t *self);
packet_t *packets_pop (packets_t *self);

/* ---- Faults ----------------------------------------------------------------------------------- */

/* Cuts the connection of this number; one that is gone is passed over. */
void network_cut (uint64_t connection);
/* What TCP knows of it at the end of whoever listens: it is closed, or nothing is acknowledged for
 * long. */
bool network_is_cut_off (uint64_t connection);
/* Cuts one of the connections of a process, as which says; false: it has none. is_half_open: its
 * ends see that at different times. */
bool network_cut_some (process_t *process, uint32_t which, bool is_half_open);
/* Its flags have changed: what waited comes through. */
void network_look_at (process_t *process);
/* It is killed: its sockets are gone without a word. Before its memory is. */
void network_process_gone (process_t *process);
/* How many sockets and contexts of a process are still open. */
uint32_t network_open_count (const process_t *process);

#endif
