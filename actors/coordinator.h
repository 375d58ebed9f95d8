/* coordinator.h - the shell around the scheduler: owns payloads and sockets, decides nothing.
 *
 *     owner, clients --ROUTER--> events --> scheduler --> commands --ROUTER--> workers, clients
 *                                   ^                         |
 *                                   +---- its own host <------+   brief tasks, in short stretches
 *
 * An actor. It starts and replaces the worker actors, keeps the slots of every run, and in a pool
 * stands in for one of the workers while tasks are brief. This is the one place where a processor
 * that breaks its promise to be brief can hold up everybody. */

#ifndef DW_COORDINATOR_H
#define DW_COORDINATOR_H

#include "actors/program.h"
#include "actors/worker.h"

typedef struct dw_coordinator_t dw_coordinator_t;

typedef struct dw_coordinator_options_t {
    void *context; /* of ZeroMQ */
    const dw_program_t *program;
    /* where its own actors and clients find it besides inproc; NULL: inproc only */
    const char *endpoint;
    const char *listen;   /* where processes elsewhere do; NULL: none may come. With it: */
    const char *keys;     /* folder of its keys and its list; NULL: no keys */
    const char *name;     /* of its graph */
    zmq_msg_t *packed;    /* its graph (runtime/pack.h), for agents */
    uint64_t digest;      /* of its plan */
    bool no_actors;       /* every node is run elsewhere */
    bool no_workers_fail; /* what nobody who is there may run fails */
    uint32_t slots_max, heartbeat_ms, silence_ms, stalled_ms;
    uint32_t lease_ms;            /* 0: none */
    uint32_t lost_client_ms;      /* how long a client that cannot be reached is waited for */
    uint64_t keep_bytes;          /* of results, for each, and of detached runs in all */
    uint32_t keep_runs, keep_ms;  /* detached runs, and how long each is kept when it has ended */
    uint32_t connections_max;     /* at one time where it listens, */
    uint32_t own_connections_max; /* and at endpoint */
    uint32_t runs_max;            /* of a client */
    uint32_t clients_max;
    uint32_t cpus_count;
    const char *record;        /* file that it records to, with packed; NULL: none */
    uint64_t record_bytes_max; /* 0: the default */
    void (*notice) (void *arg, const char *line); /* or NULL */
    void *notice_arg;
} dw_coordinator_options_t;

/* Binds, starts every worker, then its own thread. Errors: as dw_worker_new; DW_EINVAL the endpoint
 * is none or not on this machine; DW_EFILE it cannot record; DW_ELIMIT. Nothing is left running. */
int dw_coordinator_new (dw_coordinator_t **self_p, const dw_coordinator_options_t *options,
                        dw_error_t *error);
/* Where the owner finds it, and where workers and clients do (with the port that it got). */
const char *dw_coordinator_inproc (const dw_coordinator_t *self);
const char *dw_coordinator_endpoint (const dw_coordinator_t *self);
/* Where processes elsewhere find it; "": nowhere. */
const char *dw_coordinator_listening (const dw_coordinator_t *self);
/* Waits for all its threads to end, its own first; false: one still runs at deadline_ns. To be
 * called when it has said CLOSED, or the context is shut down. */
bool dw_coordinator_join (dw_coordinator_t *self, int64_t deadline_ns);
/* Frees it; it must have been joined. */
void dw_coordinator_destroy (dw_coordinator_t **self_p);

#endif
