/* coordinator_self.h - the coordinator from the inside: its state, and what its files give each other.
 *
 *     coordinator.c           the loop, what comes in, closing, how it is made
 *     coordinator_runs.c      runs and the clients that wait for them
 *     coordinator_crew.c      the worker actors: welcomed, heard, replaced
 *     coordinator_entry.c     who may come in from elsewhere, by their keys
 *     coordinator_agents.c    worker processes elsewhere: welcomed, heard, lost, drained
 *     coordinator_status.c    what it tells of what it is at
 *     coordinator_commands.c  what the scheduler commands
 *     coordinator_work.c      brief tasks that its own thread runs
 *
 * Only its own thread uses any of this, but for the making and the joining. */

#ifndef DW_COORDINATOR_SELF_H
#define DW_COORDINATOR_SELF_H

#include "actors/clock.h"
#include "actors/coordinator.h"
#include "actors/keyring.h"
#include "actors/peers.h"
#include "actors/table.h"
#include "actors/zap.h"

#define SPIN_NS 200000 /* how long the coordinator and its workers look before they sleep */

/* A run that a client waits for. Its index is the scheduler's. */
typedef struct dw_live_run_t {
    bool is_live;
    bool has_extras;
    uint32_t client; /* its peer; DW_PEER_NONE: it is gone */
    uint64_t client_run;
    uint64_t number; /* of all runs of this system */
    int64_t submitted_ns;
    uint32_t deadline_ms; /* 0: none */
    dw_table_t table;     /* by node, and behind them the run's input */
    uint32_t *outputs;    /* NULL: all */
    uint32_t outputs_count;
} dw_live_run_t;

/* One of the scheduler's workers. */
typedef struct dw_crew_t {
    dw_worker_t *actor;   /* NULL: it is elsewhere, or nowhere */
    uint32_t peer;        /* DW_PEER_NONE: it has not said HELLO */
    uint32_t agent;       /* whose slot it is; DW_NONE: nobody's, or an actor of its own */
    uint64_t steps_count; /* that it has answered for as done */
    bool is_refusing;     /* nobody could be put in its place: what is sent to it fails */
} dw_crew_t;

/* A worker process. */
typedef struct dw_remote_agent_t {
    bool is_there;
    bool is_leaving; /* its slots were told to stop */
    uint32_t peer;
    uint8_t uuid[DW_WIRE_UUID_SIZE];
    uint64_t incarnation;
    uint8_t token[DW_WIRE_TOKEN_SIZE]; /* that its slots show */
    char host[256];
    uint64_t pid;
    uint32_t slots;
    int64_t heard_ns;
    uint32_t busy; /* of its slots, and what they have done: summed up when a status is asked for */
    uint64_t steps_count;
} dw_remote_agent_t;

/* An actor that did not come back from a processor. */
typedef struct dw_stuck_t {
    dw_worker_t *actor;
    uint32_t peer;
    uint32_t number;
    uint32_t node;
} dw_stuck_t;

/* The coordinator's own work. */
typedef struct dw_own_work_t {
    dw_lap_t lap;
    dw_slot_t *ran[DW_LAP_STEPS_MAX]; /* what its steps wrote */
    bool is_away;                     /* the time since it began is not to be counted */
    int64_t until_ns;                 /* when to look at the sockets again */
    dw_chain_t chain;                 /* under way */
} dw_own_work_t;

struct dw_coordinator_t {
    dw_coordinator_options_t options;
    const dw_plan_t *plan;
    dw_actor_t actor;
    char inproc[48];
    char endpoint[256];
    dw_peers_t peers;
    dw_scheduler_t *scheduler;
    dw_commands_t commands;
    dw_outcomes_t outcomes; /* events for the next step, and what came with them */
    dw_packet_t reply;

    dw_live_run_t *runs;
    uint32_t *free_runs;
    uint32_t free_runs_count;
    uint32_t runs_max;  /* places that there may be, */
    uint32_t runs_size; /* that there are, */
    uint32_t runs_used; /* that were ever used */
    uint64_t runs_number;

    dw_crew_t *workers;     /* its own actors, its own thread, and slots elsewhere */
    uint32_t workers_count; /* actors; the local worker's index in a pool */
    uint32_t places_count;
    dw_stuck_t *stuck;
    uint32_t stuck_count;

    int64_t stirred_ns; /* when something happened last */
    dw_host_t *host;    /* of its own work; NULL: it has none */
    dw_own_work_t own;

    uint32_t listen_router; /* among the sockets; DW_NONE: it does not listen */
    char listening[256];
    bool has_keys;
    dw_keyring_t keyring;
    dw_zap_t *zap;
    dw_remote_agent_t *agents;
    uint32_t agents_count, agents_size;
    int64_t look_ns; /* when to look for silent agents next */

    zmq_msg_t graph; /* what WELCOME tells clients */
    bool has_graph;
    uint32_t owner; /* its peer */
    bool is_closing;
    int64_t close_by_ns;
    bool is_over;
};

/* The node that a worker hosts; DW_NONE: all. */
static inline uint32_t dw_coordinator_hosted_node (const dw_coordinator_t *self, uint32_t worker) {
    return self->plan->pool ? DW_NONE : self->plan->by_position[worker];
}

/* ---- For all --------------------------------------------------------------------------------- */

void dw_coordinator_notice (dw_coordinator_t *self, const char *format, ...) DW_PRINTF (2, 3);
/* A new event, all zeros, for the next step. NULL: no memory. */
dw_event_t *dw_coordinator_event (dw_coordinator_t *self, dw_event_type_t type);
/* A new empty slot for what came with the event made last. */
dw_slot_t *dw_coordinator_slot (dw_coordinator_t *self);

/* ---- Runs and clients ------------------------------------------------------------------------ */

/* Frees a run's place and what it holds. */
void dw_coordinator_run_free (dw_coordinator_t *self, uint32_t index);
/* Puts bytes that came in a message into a slot: large ones by reference. */
bool dw_coordinator_slot_set (dw_slot_t *slot, const uint8_t *bytes, size_t size, zmq_msg_t *frame);
/* Tells whoever sent the message received last that it is refused, and counts it. */
void dw_coordinator_refuse (dw_coordinator_t *self, uint32_t router, uint16_t code,
                            const char *text);
void dw_coordinator_welcome_client (dw_coordinator_t *self, uint32_t router, const uint8_t *key);
void dw_coordinator_on_submit (dw_coordinator_t *self, uint32_t router, uint32_t client,
                               dw_wire_reader_t *reader);
/* The scheduler hears that a run is cancelled. */
void dw_coordinator_abort_run (dw_coordinator_t *self, uint32_t index);
void dw_coordinator_on_abort (dw_coordinator_t *self, uint32_t client, dw_wire_reader_t *reader);
/* A client has left: nobody waits for its runs. */
void dw_coordinator_on_client_gone (dw_coordinator_t *self, uint32_t client);

/* ---- Workers --------------------------------------------------------------------------------- */

void dw_coordinator_welcome_worker (dw_coordinator_t *self, uint32_t router, const uint8_t *key,
                                    const dw_wire_hello_t *hello);
/* Makes the event made last a failure with a message. */
void dw_coordinator_fail_event (dw_coordinator_t *self, dw_event_t *event, uint16_t code,
                                const char *message, size_t size);
void dw_coordinator_on_answers (dw_coordinator_t *self, const dw_peer_t *peer,
                                dw_wire_reader_t *reader);
void dw_coordinator_stop_worker (dw_coordinator_t *self, uint32_t peer_index);
/* Puts an actor aside that nobody can make return; its place is empty. */
void dw_coordinator_leave_behind (dw_coordinator_t *self, uint32_t number, uint32_t node);
/* Starts an actor in an empty place. When there can be none, and nobody else could run its tasks,
 * what is sent there fails, so that no run waits for ever. */
void dw_coordinator_start_again (dw_coordinator_t *self, uint32_t number);
/* The scheduler hears that a worker is gone: it went down, which is put down to what it was at; or it left, or never got
 * what it was sent. */
void dw_coordinator_tell_lost (dw_coordinator_t *self, uint32_t number);
void dw_coordinator_tell_left (dw_coordinator_t *self, uint32_t number);
/* A worker that was told to stop, or could not go on: then another takes its place. */
void dw_coordinator_on_worker_bye (dw_coordinator_t *self, dw_peer_t *peer);
/* Errors: as dw_worker_new. */
int dw_coordinator_start_worker (dw_coordinator_t *self, uint32_t number, dw_error_t *error);

/* ---- Elsewhere ------------------------------------------------------------------------------- */

/* Whether whoever sent the message received last, by the socket that listens, may have a role; its key in key. */
bool dw_coordinator_may_enter (dw_coordinator_t *self, uint32_t role, uint8_t *key);
bool dw_coordinator_may_submit (const dw_coordinator_t *self, uint32_t client);
/* Reads the allow-list anew; who is no longer on it is out. */
void dw_coordinator_reload (dw_coordinator_t *self);
void dw_coordinator_welcome_agent (dw_coordinator_t *self, uint32_t router, const uint8_t *key,
                                   dw_wire_reader_t *reader);
/* Whether a worker is to come that says such a HELLO. */
bool dw_coordinator_expects (const dw_coordinator_t *self, uint32_t router, const uint8_t *key,
                             const dw_wire_hello_t *hello);
/* A slot shows by its token that it comes by a new connection: what was sent by the former is lost. */
void dw_coordinator_fence_slot (dw_coordinator_t *self, uint32_t router, const uint8_t *key,
                                const dw_wire_hello_t *hello);
/* An agent and its slots are gone: they went down, or it has said so, or is there again. */
void dw_coordinator_lose_agent (dw_coordinator_t *self, uint32_t index);
void dw_coordinator_release_agent (dw_coordinator_t *self, uint32_t index);
void dw_coordinator_on_drain (dw_coordinator_t *self, uint32_t index);
/* All that an agent had to say was said: it may end. */
void dw_coordinator_on_agent_bye (dw_coordinator_t *self, uint32_t index);
void dw_coordinator_on_slot_bye (dw_coordinator_t *self, dw_peer_t *peer);
/* A slot cannot be reached: its connection was cut. Its agent sees that, too, and makes another. */
void dw_coordinator_cut_slot (dw_coordinator_t *self, dw_peer_t *peer);
/* A slot is stuck: its agent starts another. */
void dw_coordinator_replace_slot (dw_coordinator_t *self, uint32_t worker);
void dw_coordinator_on_beat (dw_coordinator_t *self, dw_peer_t *peer);
void dw_coordinator_look_for_silent (dw_coordinator_t *self, int64_t now_ns);
void dw_coordinator_on_status (dw_coordinator_t *self, uint32_t router);

/* ---- Commands -------------------------------------------------------------------------------- */

/* Where the payload lies that a task reads. */
const dw_slot_t *dw_coordinator_source_slot (const dw_coordinator_t *self, dw_live_run_t *run,
                                             uint32_t source);
/* Gives the scheduler what has happened, and does what it says. Carrying out may make events, which
 * are for the next step: they move to the front. */
void dw_coordinator_step (dw_coordinator_t *self, int64_t now_ns);

/* ---- Its own work ---------------------------------------------------------------------------- */

/* The scheduler hears that this thread is a worker, too, when it is one. */
void dw_coordinator_join_as_worker (dw_coordinator_t *self);
bool dw_coordinator_has_own_work (const dw_coordinator_t *self);
/* Works for a stretch. */
void dw_coordinator_work (dw_coordinator_t *self);

#endif
