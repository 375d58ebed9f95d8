/* worker_self.h - a worker from the inside: its state, and what its files give each other.
 *
 *     worker.c         its connection, what comes by it, and its thread; made, joined, destroyed
 *     worker_tasks.c   its tasks: read, run, given back, answered for, and what is kept for them
 *
 * Only its own thread uses any of this, but for the making and the joining. */

#ifndef DW_WORKER_SELF_H
#define DW_WORKER_SELF_H

#include "actors/grown.h"
#include "actors/message.h"
#include "actors/shelf.h"
#include "actors/worker.h"

/* A message that came while another was being worked on. */
typedef struct dw_worker_waiting_t {
    dw_message_t message;
    struct dw_worker_waiting_t *next;
} dw_worker_waiting_t;

/* Nobody waits for what is behind so many steps of a task. */
typedef struct dw_worker_cancelled_t {
    uint64_t ticket;
    uint32_t steps;
} dw_worker_cancelled_t;

struct dw_worker_t {
    dw_worker_options_t options;
    dw_actor_t actor;
    dw_host_t *host;
    void *socket; /* made by dw_worker_new, then the thread's, */
    void *tether; /* and so is this; NULL: nobody asks */

    /* The thread's own: of its connection, */
    uint32_t peer; /* what WELCOME said that it is */
    bool stopping; /* told to: it ends after the task that it is at; */
    bool is_gone;  /* or nobody can hear it any more: it ends at once */
    dw_message_t message;
    dw_worker_waiting_t *waiting, **waiting_end;
    dw_packet_t packet;
    int64_t said_ns;  /* when it looked last whether somebody asks what it is at */
    int64_t heard_ns; /* when the coordinator elsewhere was heard of last, */
    int64_t asked_ns; /* and asked whether it is there; 0: it need not be */

    /* and of its tasks. */
    uint64_t ticket;                  /* of the one under way */
    uint64_t unsent_ticket;           /* the first that it has not been sent */
    dw_worker_cancelled_t *cancelled; /* not yet come to, or under way */
    uint32_t cancelled_count, cancelled_size;
    int64_t answered_ns, looked_ns;
    dw_outcomes_t outcomes;
    size_t weighed, weight; /* slots of outcomes, and their payloads' bytes */
    dw_shelf_t shelf;
    dw_given_t *given; /* of the task under way */
    uint32_t given_size;
    dw_grown_t *grown; /* graphs that were added to runs, of which tasks may come */
};

/* ---- worker.c --------------------------------------------------------------------------------- */

/* Nobody can hear it any more. */
void dw_worker_give_up (dw_worker_t *self);
/* Looks up from its tasks: takes in what has come, and says now and then what it is at. */
void dw_worker_look_up (dw_worker_t *self);

/* ---- worker_tasks.c --------------------------------------------------------------------------- */

/* Runs the tasks of the message, which the reader is at, and answers for them; until it is told to
 * stop. */
void dw_worker_on_tasks (dw_worker_t *self, dw_wire_reader_t *reader);
void dw_worker_on_cancel (dw_worker_t *self, dw_wire_reader_t *reader);
/* Whether nobody waits any more for the step that is under way, or comes next. */
bool dw_worker_is_step_cancelled (const dw_worker_t *self);
/* Payloads that it need not keep any more. */
void dw_worker_on_drop (dw_worker_t *self, dw_wire_reader_t *reader);
/* A graph of the message whose tasks will come, or will not any more. */
void dw_worker_on_graph (dw_worker_t *self, dw_wire_reader_t *reader);
/* Frees what the tasks have held, but for graphs that were added. */
void dw_worker_free_tasks (dw_worker_t *self);

#endif
