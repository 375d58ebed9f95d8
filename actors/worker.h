/* worker.h - an actor that runs processors behind one DEALER; it does not know where it is.
 *
 *             HELLO, ANSWERS, BEAT, BYE ->
 *     worker                               coordinator
 *             <- WELCOME, TASKS, GRAPH, CANCEL, DROP, BEAT, STOP
 *
 * It runs the tasks of a message in their order and answers in that order; it answers for what is
 * done before it starts the next one when its last answer is old. While a processor runs, the
 * worker's socket is looked at only when the processor asks whether it is cancelled. */

#ifndef DW_WORKER_H
#define DW_WORKER_H

#include "actors/actor.h"
#include "actors/host.h"
#include "actors/link.h"

/* Of every worker, wherever it is. */
#define DW_WORKER_CREDIT      4096u      /* tasks it takes at one time */
#define DW_WORKER_STACK_BYTES (1u << 20) /* of its thread */
#define DW_WORKERS_STUCK_MAX  64u        /* that may be left behind in a processor */

typedef struct dw_worker_t dw_worker_t;

typedef struct dw_worker_options_t {
    void *context;        /* of ZeroMQ */
    const char *endpoint; /* where the coordinator is; anything that zmq_connect takes */
    const dw_program_t *program;
    const uint8_t *token;       /* that its HELLO shows; NULL: the program's */
    const dw_link_keys_t *keys; /* of a connection to another process; NULL: none */
    uint32_t number;            /* which worker of its system it is */
    uint32_t node;              /* the one it hosts; DW_NONE: every node */
    uint32_t credit;            /* tasks it takes at one time */
    int64_t spin_ns;            /* how long it looks for work before it sleeps */
    size_t stack_bytes;         /* of its thread; 0: the system's default */
    /* Of a connection that may be cut: how often each end says that it is there, and after how long
     * a silent one has cut it. The worker then ends. 0: it cannot be cut. */
    uint32_t heartbeat_ms, silence_ms;
    /* inproc, read only by dw_worker_new: where whoever looks after it asks what it is at: each
     * message from there is answered by a dw_wire_slot_t as soon as it looks up from its work;
     * NULL: nobody asks */
    const char *tether;
    void (*ended) (void *arg); /* called by its thread as the last thing that it does; or NULL */
    void *ended_arg;
} dw_worker_options_t;

/* Starts the instances, makes the socket, starts the thread. options are copied, what they point to
 * is borrowed for the worker's life.
 * Errors: DW_EPROCESSOR the node and why; DW_ELIMIT which limit and the remedy; DW_ENOMEM. */
int dw_worker_new (dw_worker_t **self_p, const dw_worker_options_t *options, dw_error_t *error);
/* Waits for its thread to end; false when it still runs at deadline_ns of dw_clock_ns. */
bool dw_worker_join (dw_worker_t *self, int64_t deadline_ns);
/* Whether it has ended because its connection was cut, or its context was shut down; it must have
 * been joined. */
bool dw_worker_was_cut (const dw_worker_t *self);
/* Stops the instances and frees it; it must have been joined. */
void dw_worker_destroy (dw_worker_t **self_p);

#endif
