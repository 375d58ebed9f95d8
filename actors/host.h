/* host.h - runs processors: the instances of an actor's nodes, and one task after another on them.
 *
 * The same host runs in a worker actor and in the coordinator's thread; it knows neither. What its
 * tasks come to is appended to outcomes, in the scheduler's own terms. */

#ifndef DW_HOST_H
#define DW_HOST_H

#include "actors/addition.h"
#include "actors/call.h"
#include "actors/program.h"
#include "actors/table.h"
#include "runtime/core/scheduler.h"

/* What answers came to: events for the scheduler, whose handle is the first of their slots. */
typedef struct dw_outcomes_t {
    dw_event_t *events;
    size_t events_count, events_size;
    dw_slot_t *slots;
    size_t slots_count, slots_size;
} dw_outcomes_t;

/* Room for two more events and slots more slots. False: no memory. Slots may move. */
bool dw_outcomes_reserve (dw_outcomes_t *self, size_t slots);
/* Empties it; what slots still own is freed. */
void dw_outcomes_clear (dw_outcomes_t *self);
void dw_outcomes_free (dw_outcomes_t *self);

/* The instances of what was added to a run, each started when it is first needed. */
typedef struct dw_hosted_t dw_hosted_t;

/* program outlives it. Errors: DW_ENOMEM. */
int dw_hosted_new (dw_hosted_t **self_p, const dw_program_t *program);
void dw_hosted_destroy (dw_hosted_t **self_p);

/* A task: steps nodes along a chain. What it points to outlives its last step. */
typedef struct dw_task_t {
    uint64_t ticket, run;
    uint32_t node, steps, attempt;
    bool is_timed;
    dw_hosted_t *hosted; /* NULL: a task of the host's own nodes */
    dw_view_t payload;
    zmq_msg_t *payload_frame;
    const dw_given_t *given;
    uint32_t given_count;
} dw_task_t;

typedef struct dw_host_t dw_host_t;

/* Starts the instances of one node, or of all that are run here (node DW_NONE).
 * Errors: DW_EPROCESSOR the node and why; DW_ENOMEM. What was started is stopped again. */
int dw_host_new (dw_host_t **self_p, const dw_program_t *program, uint32_t node, dw_error_t *error);
/* Stops the instances. */
void dw_host_destroy (dw_host_t **self_p);
/* Whom the host's calls ask whether they are cancelled, and the descriptor that is readable when it
 * is worth while. */
void dw_host_set_cancelled (dw_host_t *self, bool (*is_cancelled) (void *arg), void *arg, int fd);

/* Nodes of a chain that are run at once, outside of any task: each reads its payload and its
 * dependencies' outputs in slots, by node, and writes there. */
typedef struct dw_chain_t {
    uint64_t run;      /* its number */
    dw_table_t *table; /* its slots */
    uint32_t input;    /* which of them is the run's input */
    /* The next step, whose run dw_host_run_chain moves on. */
    uint32_t node, source;
    unsigned attempt;
    /* What that came to. */
    uint32_t done;   /* steps */
    uint32_t last;   /* the node that was run last */
    bool has_extras; /* some slot owns something; never set to false */
} dw_chain_t;

/* Runs at most steps, up to the first that fails, whose code it returns, or that ends its branch
 * (DW_CALL_SKIPPED); else 0. ran, with room for steps, gets the slots that were written, the failed
 * one's last. */
int dw_host_run_chain (dw_host_t *self, dw_chain_t *chain, uint32_t steps, dw_slot_t **ran);

/* Begins a task; the one before must be over. worker is for the events. */
void dw_host_begin (dw_host_t *self, uint32_t worker, const dw_task_t *task);
/* Whether a task is under way. */
bool dw_host_is_busy (const dw_host_t *self);
/* Runs steps of the task under way until it is over or until_ns has come, and appends one event
 * that tells of them; or two, where a later step fails. False: no memory, nothing was run. */
bool dw_host_run (dw_host_t *self, dw_outcomes_t *outcomes, int64_t until_ns);
/* How many steps of the task begun last events have told of, */
uint32_t dw_host_steps_told (const dw_host_t *self);
/* and how many were run: that is which step is under way, from 0. */
uint32_t dw_host_steps_ran (const dw_host_t *self);
/* Gives the task under way up, without an event. */
void dw_host_abandon (dw_host_t *self);
/* When the host last looked at the clock: tasks much shorter than a microsecond are timed in
 * groups. dw_host_settle looks at it now and gives every event appended since its duration; to be
 * called before outcomes are read, cleared or freed. */
int64_t dw_host_now_ns (const dw_host_t *self);
int64_t dw_host_settle (dw_host_t *self, dw_outcomes_t *outcomes);
/* The host was not working until now: what follows is timed from here. */
void dw_host_wake (dw_host_t *self, int64_t now_ns);

#endif
