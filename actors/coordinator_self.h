/* coordinator_self.h - the coordinator from the inside: its state, and what its files give each other.
 *
 *     coordinator.c           the loop, what comes in, closing, how it is made
 *     coordinator_sockets.c   its sockets and their doors: made, guarded, bound
 *     coordinator_runs.c      runs, as clients ask for them
 *     coordinator_clients.c   clients: welcomed, lost and back again
 *     coordinator_detached.c  runs that nobody waits for, kept for whoever knows their names
 *     coordinator_crew.c      the worker actors: welcomed, heard, replaced
 *     coordinator_entry.c     who may come in from elsewhere, by their keys
 *     coordinator_graphs.c    where other graphs of this process are
 *     coordinator_agents.c    worker processes elsewhere: welcomed, heard, lost, drained
 *     coordinator_solo.c      such of one slot, in one connection
 *     coordinator_lanes.c     which lanes somebody serves, and what becomes of the others
 *     coordinator_watch.c     what does not go on: runs that nobody serves, slots that are long at a task
 *     coordinator_losses.c    what the scheduler and people are told of workers that are gone
 *     coordinator_status.c    what it tells of what it is at
 *     coordinator_commands.c  what the scheduler commands
 *     coordinator_added.c     graphs that nodes add to their runs
 *     coordinator_kept.c      what slots elsewhere keep of what they were sent
 *     coordinator_work.c      brief tasks that its own thread runs
 *     coordinator_record.c    what it records of all that
 *
 * Only its own thread uses any of this, but for the making and the joining. */

#ifndef DW_COORDINATOR_SELF_H
#define DW_COORDINATOR_SELF_H

#include "actors/addition.h"
#include "actors/clock.h"
#include "actors/coordinator.h"
#include "actors/deaths.h"
#include "actors/door.h"
#include "actors/flights.h"
#include "actors/keyring.h"
#include "actors/lanes.h"
#include "actors/ledger.h"
#include "actors/patience.h"
#include "actors/peers.h"
#include "actors/record.h"
#include "actors/table.h"
#include "actors/zap.h"

#define SPIN_NS 200000 /* how long the coordinator and its workers look before they sleep */

/* A run that a client waits for; or a graph that was added to one, which nobody waits for by itself
 * (is_live is false then, and of what is about clients nothing is set). Its index is the
 * scheduler's. */
typedef struct dw_live_run_t {
    bool is_live;
    bool has_extras;
    bool is_kept; /* a slot elsewhere may keep something of it */
    bool is_stall_told;
    int64_t unserved_ns; /* since when nobody serves what is ready of it; 0: somebody does */
    uint32_t client;     /* its peer; DW_PEER_NONE: it is gone */
    uint32_t session;    /* of that client, which may be away; DW_NONE: it has none */
    /* among those that are; DW_NONE: it is not, and the other two are DW_NONE when it is */
    uint32_t detached;
    uint64_t client_run;
    uint64_t number; /* of all runs of this system */
    int64_t submitted_ns;
    uint32_t deadline_ms; /* 0: none */
    dw_table_t table;     /* by node, and behind them the run's input */
    uint32_t *outputs;    /* NULL: all */
    uint32_t outputs_count;
    /* What was added to it, and to that, so far. */
    uint32_t added_nodes, added_depth;
    dw_addition_t *addition; /* NULL: a run */
    bool has_begun;          /* the scheduler has taken it */
    uint64_t digest;         /* of its plan */
    uint64_t *told;          /* a bit for each worker that has been sent it; NULL: none has */
} dw_live_run_t;

/* A client elsewhere that is known again when its connection was cut: its runs go on meanwhile, and
 * what it was not known to have got is kept for it. */
typedef struct dw_session_t {
    uint8_t uuid[DW_WIRE_UUID_SIZE];
    uint8_t id[DW_WIRE_UUID_SIZE]; /* by which the client knows that this is still the same one */
    uint8_t key[DW_KEY_SIZE];
    uint64_t incarnation;
    uint32_t peer;     /* DW_PEER_NONE: it is away, */
    int64_t away_ns;   /* since then */
    uint64_t run_last; /* the highest number of a run of it */
    dw_flights_t live; /* the numbers of those that have not ended */
    dw_kept_t kept;
} dw_session_t;

typedef enum dw_detached_state_t {
    DW_DETACHED_FREE, /* nothing stands here */
    DW_DETACHED_LIVE,
    DW_DETACHED_ENDED,
    DW_DETACHED_DROPPED, /* its name alone is left, for those who ask */
} dw_detached_state_t;

/* A run whose client does not wait for it. Its name is that client's uuid and number for it. */
typedef struct dw_detached_t {
    uint8_t state; /* dw_detached_state_t */
    uint8_t uuid[DW_WIRE_UUID_SIZE];
    uint8_t key[DW_KEY_SIZE];
    uint64_t number;
    uint32_t run;     /* while it is live */
    int64_t ended_ns; /* when it was begun, or ended */
    /* when it has ended; its head is a byte and the record behind its run's number */
    dw_parcel_t *result;
} dw_detached_t;

/* A client that has taken up such a run again, which is live. */
typedef struct dw_claim_t {
    uint32_t detached, session;
    uint64_t client_run;
} dw_claim_t;

/* One of the scheduler's workers. There are very many of them, and few have trouble. */
typedef struct dw_crew_t {
    uint32_t peer;        /* DW_PEER_NONE: it has not said HELLO */
    uint32_t agent;       /* whose slot it is; DW_NONE: nobody's, or an actor of its own */
    uint32_t slot;        /* which of its agent's, from 1, */
    uint32_t next;        /* and the place of that one's next; DW_NONE: it is the last */
    uint64_t steps_count; /* that it has answered for as done */
    uint32_t replaced;    /* how often its agent was told to replace it */
    bool is_solo : 1;     /* a slot whose agent is itself */
    bool is_refusing : 1; /* nobody could be put in its place: what is sent to it fails */
    /* a slot that has said HELLO and whose process is not known to have ended */
    bool has_joined : 1;
    bool is_down : 1;    /* a slot whose agent says that there will be no other */
    bool waits : 1;      /* it holds something though it says that it idles */
    bool is_long : 1;    /* it was said to be long at what it holds */
    uint8_t waits_count; /* how often that it waits was the end of it */
    /* For both the first ticket that it holds, since when it waits and when that it is long is said
     * again, in ms: lower halves. */
    uint32_t waits_ticket, long_ticket;
    uint32_t waits_ms, long_ms;
} dw_crew_t;

/* A worker process. */
typedef struct dw_remote_agent_t {
    bool is_there;
    bool is_leaving; /* its slots were told to stop */
    bool is_solo;    /* its one slot has the same connection, and is the same peer */
    uint32_t peer;
    uint8_t uuid[DW_WIRE_UUID_SIZE];
    uint64_t incarnation;
    uint8_t key[DW_KEY_SIZE];          /* by which it and its slots were let in; zeros: none */
    uint8_t token[DW_WIRE_TOKEN_SIZE]; /* that its slots show */
    char *host;
    uint64_t pid;
    uint32_t slots;
    uint32_t first; /* the place of the first of them; the others follow it */
    uint64_t lanes; /* that its slots serve, a bit each */
    int64_t heard_ns;
} dw_remote_agent_t;

/* What does not go on, as a status tells it. */
#define DW_TROUBLES_MAX 32u
typedef struct dw_troubles_t {
    uint64_t runs_stalled; /* no worker serves what is ready of them, for as long as stalled_ms */
    uint64_t slots_down;   /* to stay */
    uint64_t slots_long;   /* at one task for as long as stalled_ms */
} dw_troubles_t;

/* A connection that is to be cut. */
typedef struct dw_leaving_t {
    dw_door_guest_t guest;
    uint32_t router;
    int64_t at_ns;
} dw_leaving_t;

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
    dw_packet_t away; /* the result of a run whose client is away */

    dw_live_run_t *runs;
    uint32_t *free_runs;
    uint32_t free_runs_count;
    uint32_t runs_max;  /* places that there may be, */
    uint32_t runs_size; /* that there are, */
    uint32_t runs_used; /* that were ever used */
    uint64_t runs_number;
    uint32_t added_max;   /* places besides, for what is added */
    uint32_t added_count; /* that are taken */
    uint64_t added_number;

    dw_crew_t *workers;     /* its own actors, its own thread, and slots elsewhere */
    dw_worker_t **actors;   /* by worker, of its own alone; NULL: nowhere */
    uint32_t workers_count; /* actors; the local worker's index in a pool */
    uint32_t places_count;
    uint32_t free_places_count; /* of those for slots elsewhere, */
    uint32_t free_place;        /* before which none is free */
    dw_stuck_t *stuck;
    uint32_t stuck_count;

    int64_t stirred_ns; /* when something happened last */
    dw_host_t *host;    /* of its own work; NULL: it has none */
    dw_own_work_t own;
    dw_record_file_t *record; /* NULL: nothing is recorded (any more) */

    uint32_t listen_router; /* among the sockets; DW_NONE: it does not listen */
    char listening[256];
    bool has_keys;
    dw_keyring_t keyring;
    dw_zap_t *zap;
    dw_door_t *doors[DW_ROUTERS_MAX]; /* by socket; NULL: nobody can knock there */
    dw_leaving_t *leaving;
    uint32_t leaving_count, leaving_size;
    dw_patience_t patience; /* with those elsewhere */
    int64_t door_told_ns;   /* when people were told that there was no room */
    dw_remote_agent_t *agents;
    uint32_t agents_count, agents_size;
    int64_t look_ns;       /* when to look for silent agents next */
    dw_ledger_t **ledgers; /* by worker; NULL: nothing was kept there */
    bool input_is_shared;  /* several nodes read the run's input */
    bool has_stale;        /* slots are to be told what to drop */
    dw_lanes_t *lanes;
    zmq_msg_t briefing;     /* what solos are told that serve the lanes */
    uint64_t briefed;       /* 0: there is none */
    bool has_other_agents;  /* than when the lanes were looked at last */
    uint64_t unserved;      /* lanes that nobody serves, */
    uint64_t unserved_said; /* of which this was said */
    bool is_stall_told;     /* a run is stalled, and people were told */

    dw_deaths_t deaths;
    dw_session_t **sessions; /* NULL where a place is free */
    uint32_t sessions_count, sessions_size;
    int64_t clients_look_ns; /* when they were looked after last */
    dw_detached_t *detached;
    uint32_t detached_count, detached_size;
    uint64_t detached_bytes; /* of the results */
    dw_claim_t *claims;
    uint32_t claims_count, claims_size;

    dw_writer_t elsewhere; /* names and places of other graphs of this process, as they came */
    uint32_t elsewhere_count;

    zmq_msg_t graph; /* what WELCOME tells clients */
    bool has_graph;
    uint32_t owner; /* its peer */
    bool is_closing;
    int64_t close_by_ns;
    bool is_over;
};

/* What is run in a place. */
static inline const dw_plan_t *dw_coordinator_plan (const dw_coordinator_t *self,
                                                    const dw_live_run_t *run) {
    return run->addition ? run->addition->added->plan : self->plan;
}

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

/* ---- Its sockets ----------------------------------------------------------------------------- */

/* Errors: as dw_coordinator_new. */
int dw_coordinator_listen (dw_coordinator_t *self, dw_error_t *error);
/* Whoever sent the message received last is a peer: it keeps its connection, however many come. */
void dw_coordinator_let_in (dw_coordinator_t *self, dw_peer_t *peer);
/* The connection of a peer that was told to go is cut a little later, so that it hears why. */
void dw_coordinator_see_off (dw_coordinator_t *self, const dw_peer_t *peer);
/* Whether nonsense of whoever sent the message received last is answered any more. */
bool dw_coordinator_has_patience (dw_coordinator_t *self, uint32_t router);
/* That was nonsense: who sends much of it is cut off. */
void dw_coordinator_on_nonsense (dw_coordinator_t *self, uint32_t router);
/* Tells people when as many are connected as may be, but not again and again. */
void dw_coordinator_look_at_door (dw_coordinator_t *self, int64_t now_ns);
/* Closes all of them. */
void dw_coordinator_hang_up (dw_coordinator_t *self);
/* Before anybody shuts the context down: what ZeroMQ wants to tell a door then is lost memory
 * (libzmq 4.3.4). */
void dw_coordinator_take_doors_away (dw_coordinator_t *self);

/* ---- Runs and clients ------------------------------------------------------------------------ */

/* Frees a run's place and what it holds. */
void dw_coordinator_run_free (dw_coordinator_t *self, uint32_t index);
/* A place with empty slots for what nobody waits for by itself; DW_NONE: no memory, or no place. */
uint32_t dw_coordinator_place_new (dw_coordinator_t *self, uint32_t slots_count);
/* Puts bytes that came in a message into a slot: large ones by reference. */
bool dw_coordinator_slot_set (dw_slot_t *slot, const uint8_t *bytes, size_t size, zmq_msg_t *frame);
/* Tells whoever sent the message received last that it is refused, and counts it. */
void dw_coordinator_refuse (dw_coordinator_t *self, uint32_t router, uint16_t code,
                            const char *text);
/* The same of one run, by the client's number for it. */
void dw_coordinator_refuse_run (dw_coordinator_t *self, uint32_t router, uint16_t code,
                                const char *text, uint64_t run);
void dw_coordinator_on_submit (dw_coordinator_t *self, uint32_t router, uint32_t client,
                               dw_wire_reader_t *reader);
/* The scheduler hears that a run is cancelled. */
void dw_coordinator_abort_run (dw_coordinator_t *self, uint32_t index);
/* A node of it and all that depends on it; DW_NONE: the run. */
void dw_coordinator_abort_part (dw_coordinator_t *self, uint32_t index, uint32_t node);
void dw_coordinator_on_abort (dw_coordinator_t *self, uint32_t client, dw_wire_reader_t *reader);
/* Keeps packet for a client that is away. */
void dw_coordinator_keep (dw_coordinator_t *self, dw_session_t *session, dw_packet_t *packet);
/* What a run's result is put into, and what is to be called when it is; NULL: nobody waits for
 * it. */
dw_packet_t *dw_coordinator_result_begin (dw_coordinator_t *self, const dw_live_run_t *run);
void dw_coordinator_result_end (dw_coordinator_t *self, const dw_live_run_t *run);

/* Why a run of a client is not begun, with a code to refuse it by; NULL: it may be. */
const char *dw_coordinator_why_not (dw_coordinator_t *self, uint32_t client, uint64_t run,
                                    uint16_t *code);
/* Begins a run as the reader's submission asks for it. */
const char *dw_coordinator_begin_run (dw_coordinator_t *self, uint32_t client,
                                      dw_wire_reader_t *reader, uint16_t *code, uint32_t *index_p);

/* ---- Detached runs --------------------------------------------------------------------------- */

void dw_coordinator_on_detach (dw_coordinator_t *self, uint32_t router, uint32_t client,
                               dw_wire_reader_t *reader);
void dw_coordinator_on_claim (dw_coordinator_t *self, uint32_t router, uint32_t client,
                              dw_wire_reader_t *reader);
/* The result of a detached run is in away: it is kept, and given to those who have claimed it. */
void dw_coordinator_keep_detached (dw_coordinator_t *self, uint32_t detached);
void dw_coordinator_abort_claimed (dw_coordinator_t *self, uint32_t session, uint64_t client_run,
                                   uint32_t node);
/* A session is gone, and so are its claims. */
void dw_coordinator_forget_claims (dw_coordinator_t *self, uint32_t session);
/* Drops what was kept for its time. */
void dw_coordinator_look_after_detached (dw_coordinator_t *self, int64_t now_ns);
uint32_t dw_coordinator_detached_kept (const dw_coordinator_t *self);
void dw_coordinator_free_detached (dw_coordinator_t *self);

/* ---- Clients --------------------------------------------------------------------------------- */

void dw_coordinator_welcome_client (dw_coordinator_t *self, uint32_t router, const uint8_t *key,
                                    dw_wire_reader_t *reader);
/* Its session; NULL: it has none. */
dw_session_t *dw_coordinator_session (const dw_coordinator_t *self, uint32_t client);
/* The peer that waits for a run; DW_PEER_NONE: nobody does, or it is away. */
uint32_t dw_coordinator_client_of (const dw_coordinator_t *self, const dw_live_run_t *run);
void dw_coordinator_on_taken (dw_coordinator_t *self, uint32_t client, dw_wire_reader_t *reader);
/* A client has left: nobody waits for its runs. */
void dw_coordinator_on_client_bye (dw_coordinator_t *self, uint32_t client);
/* A client cannot be reached: when it has a session it is away, else it has left. */
void dw_coordinator_on_client_lost (dw_coordinator_t *self, uint32_t client);
/* Finds those whose connections are gone, and forgets those that were away for too long. */
void dw_coordinator_look_after_clients (dw_coordinator_t *self, int64_t now_ns);
/* Nobody will ask for its runs any more; it is away. */
void dw_coordinator_forget_session (dw_coordinator_t *self, uint32_t index);
uint32_t dw_coordinator_clients_away (const dw_coordinator_t *self);
void dw_coordinator_free_sessions (dw_coordinator_t *self);

/* ---- Workers --------------------------------------------------------------------------------- */

void dw_coordinator_welcome_worker (dw_coordinator_t *self, uint32_t router, const uint8_t *key,
                                    const dw_wire_hello_t *hello);
/* A peer takes the place of a worker, and the scheduler hears of it. */
void dw_coordinator_seat_worker (dw_coordinator_t *self, dw_peer_t *peer, uint32_t number,
                                 uint32_t credit);
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
/* Who a worker is, for people: line has room for DW_NAME_LINE bytes. */
#define DW_NAME_LINE 128
void dw_coordinator_name (const dw_coordinator_t *self, uint32_t number, char *line);
/* The scheduler hears that a worker is gone: it went down, or had its task for too long, which is
 * put down to what it was at; or it did not go down, though nobody knows what it has begun; or it
 * is known to be at nothing. */
void dw_coordinator_tell_lost (dw_coordinator_t *self, uint32_t number);
void dw_coordinator_tell_overdue (dw_coordinator_t *self, uint32_t number);
/* The same of one elsewhere that sent what makes no sense, which people hear, too. */
void dw_coordinator_tell_senseless (dw_coordinator_t *self, uint32_t number, const char *what);
void dw_coordinator_tell_left (dw_coordinator_t *self, uint32_t number);
void dw_coordinator_tell_idle (dw_coordinator_t *self, uint32_t number);
void dw_coordinator_keep_death (dw_coordinator_t *self, const dw_command_t *command);
/* Whose failure it is that a task was lost with its workers; the text of its error is appended. */
void dw_coordinator_explain_loss (const dw_coordinator_t *self, const dw_live_run_t *run,
                                  uint32_t node, dw_writer_t *text);
/* A worker that was told to stop, or could not go on: then another takes its place. */
void dw_coordinator_on_worker_bye (dw_coordinator_t *self, dw_peer_t *peer);
/* Errors: as dw_worker_new. */
int dw_coordinator_start_worker (dw_coordinator_t *self, uint32_t number, dw_error_t *error);

/* ---- Elsewhere ------------------------------------------------------------------------------- */

/* Whether whoever sent the message received last, by the socket that listens, may have a role; its
 * key in key. */
bool dw_coordinator_may_enter (dw_coordinator_t *self, uint32_t role, uint8_t *key);
bool dw_coordinator_may_submit (const dw_coordinator_t *self, uint32_t client);
/* Whether its key is in the list at all, where there are keys. */
bool dw_coordinator_is_listed (dw_coordinator_t *self);
void dw_coordinator_on_where (dw_coordinator_t *self, uint32_t router, dw_wire_reader_t *reader);
void dw_coordinator_on_refer (dw_coordinator_t *self, uint32_t router, dw_wire_reader_t *reader);
/* Reads the allow-list anew; who is no longer on it is out. */
void dw_coordinator_reload (dw_coordinator_t *self);
/* Tells a peer that it is out, and why; it is still to be forgotten. */
void dw_coordinator_put_out (dw_coordinator_t *self, const dw_peer_t *peer, uint32_t code,
                             const char *text);
void dw_coordinator_welcome_agent (dw_coordinator_t *self, uint32_t router, const uint8_t *key,
                                   dw_wire_reader_t *reader);
/* Reads what a worker process says of itself and gives it places, and a peer of this role; DW_NONE:
 * it was refused. */
uint32_t dw_coordinator_admit_agent (dw_coordinator_t *self, uint32_t router, const uint8_t *key,
                                     dw_wire_reader_t *reader, dw_wire_role_t role);
void dw_coordinator_welcome_solo (dw_coordinator_t *self, uint32_t router, const uint8_t *key,
                                  const dw_wire_hello_t *hello, dw_wire_reader_t *reader);
/* The worker process that a peer speaks for, as an agent or as a solo; DW_NONE: none. */
uint32_t dw_coordinator_agent_of (const dw_coordinator_t *self, const dw_peer_t *peer);
/* Tells a solo that it is forgotten, and forgets it: it may come again. */
void dw_coordinator_dismiss_solo (dw_coordinator_t *self, uint32_t index);
/* Whether a worker is to come that says such a HELLO. */
bool dw_coordinator_expects (const dw_coordinator_t *self, uint32_t router, const uint8_t *key,
                             const dw_wire_hello_t *hello);
/* A slot shows by its token that it comes by a new connection: what was sent by the former is
 * lost. */
void dw_coordinator_fence_slot (dw_coordinator_t *self, uint32_t router, const uint8_t *key,
                                const dw_wire_hello_t *hello);
/* An agent and its slots are gone: they went down, or it has said so, or is there again. */
void dw_coordinator_lose_agent (dw_coordinator_t *self, uint32_t index);
void dw_coordinator_release_agent (dw_coordinator_t *self, uint32_t index);
void dw_coordinator_on_drain (dw_coordinator_t *self, uint32_t index);
/* The process of a slot has ended. */
void dw_coordinator_on_ended (dw_coordinator_t *self, uint32_t index, dw_wire_reader_t *reader);
/* All that an agent had to say was said: it may end. */
void dw_coordinator_on_agent_bye (dw_coordinator_t *self, uint32_t index);
void dw_coordinator_on_slot_bye (dw_coordinator_t *self, dw_peer_t *peer);
/* A slot cannot be reached: its connection was cut. Its agent sees that, too, and makes another. */
void dw_coordinator_cut_slot (dw_coordinator_t *self, dw_peer_t *peer);
/* A slot is stuck: its agent starts another. */
void dw_coordinator_replace_slot (dw_coordinator_t *self, uint32_t worker);
void dw_coordinator_on_beat (dw_coordinator_t *self, dw_peer_t *peer, dw_wire_reader_t *reader);
void dw_coordinator_look_for_silent (dw_coordinator_t *self, int64_t now_ns);
/* Where it listens: looks which lanes somebody serves, at the beginning, and when agents have come
 * or gone. */
void dw_coordinator_begin_lanes (dw_coordinator_t *self);
void dw_coordinator_look_at_lanes (dw_coordinator_t *self);
/* Says of those that nobody serves what that means, once; a run that needs them was submitted. */
void dw_coordinator_say_unserved (dw_coordinator_t *self);
void dw_coordinator_on_status (dw_coordinator_t *self, uint32_t router);
/* What an agent says that one of its slots is at. */
void dw_coordinator_on_slot (dw_coordinator_t *self, uint32_t index, const dw_wire_slot_t *slot);
/* Looks for what does not go on, and says so. */
void dw_coordinator_look_for_standstill (dw_coordinator_t *self, int64_t now_ns);
/* Appends a text for each thing that does not go on, at most DW_TROUBLES_MAX; returns how many. */
uint32_t dw_coordinator_write_troubles (const dw_coordinator_t *self, int64_t now_ns,
                                        dw_writer_t *texts, dw_troubles_t *troubles);

/* ---- Commands -------------------------------------------------------------------------------- */

/* Where the payload lies that a task reads. */
const dw_slot_t *dw_coordinator_source_slot (const dw_coordinator_t *self, dw_live_run_t *run,
                                             uint32_t source);
/* Whether what is put together for a peer is to be sent before more is added: a message is there
 * when all of it is, so what has large payloads before it would wait for them to travel, and the
 * one end for the other. */
bool dw_coordinator_is_full (const dw_coordinator_t *self, const dw_peer_t *peer);
/* Gives the scheduler what has happened, and does what it says. Carrying out may make events, which
 * are for the next step: they move to the front. */
void dw_coordinator_step (dw_coordinator_t *self, int64_t now_ns);

/* ---- What nodes add -------------------------------------------------------------------------- */

/* A task of event, which is an answer, is to become the graph in bytes: gives it a place. Where it
 * cannot, the event becomes a failure. */
void dw_coordinator_take_graph (dw_coordinator_t *self, dw_event_t *event, const uint8_t *bytes,
                                size_t size);
void dw_coordinator_begin_added (dw_coordinator_t *self, const dw_command_t *command);
void dw_coordinator_end_added (dw_coordinator_t *self, const dw_command_t *command);
/* Of the events of a step those whose graphs did not begin: their places are free. */
void dw_coordinator_drop_unbegun (dw_coordinator_t *self, const dw_event_t *events, size_t count);
/* A worker is about to be sent a task of it: it has to have the graph. */
void dw_coordinator_tell_graph (dw_coordinator_t *self, uint32_t worker, dw_live_run_t *run);
/* A worker comes: it has none. */
void dw_coordinator_forget_told (dw_coordinator_t *self, uint32_t worker);

/* ---- What slots elsewhere keep ---------------------------------------------------------------- */

/* Gives what a task reads, and others will, places on the shelf of the slot that it is for; before
 * it is written. */
void dw_coordinator_shelve (dw_coordinator_t *self, const dw_command_t *command, dw_peer_t *peer);
/* Writes the payload that a node, or the run's input, gives: itself, or its place. */
void dw_coordinator_write_payload (dw_coordinator_t *self, dw_packet_t *packet, uint32_t worker,
                                   dw_live_run_t *run, uint32_t source);
/* A node's output is not read any more; DW_NONE: the run is over. */
void dw_coordinator_forget_kept (dw_coordinator_t *self, const dw_live_run_t *run, uint32_t source);
/* Tells slots what to drop. */
void dw_coordinator_tell_stale (dw_coordinator_t *self);
/* A slot comes: it keeps nothing. */
void dw_coordinator_empty_shelf (dw_coordinator_t *self, uint32_t worker);
void dw_coordinator_free_ledgers (dw_coordinator_t *self);

/* ---- What it records -------------------------------------------------------------------------- */

/* Errors: as dw_record_open. */
int dw_coordinator_record_open (dw_coordinator_t *self, const dw_scheduler_options_t *options,
                                dw_error_t *error);
/* Has written what is to be written by now; when the recording is over it says why. */
void dw_coordinator_record_look (dw_coordinator_t *self, int64_t now_ns);
/* Where the slots of an agent are, for whoever asks the recording. */
void dw_coordinator_record_place (dw_coordinator_t *self, uint32_t worker,
                                  const dw_remote_agent_t *agent);
/* What happens from now on is not recorded. */
void dw_coordinator_record_close (dw_coordinator_t *self);

/* ---- Its own work ---------------------------------------------------------------------------- */

/* The scheduler hears that this thread is a worker, too, when it is one. */
void dw_coordinator_join_as_worker (dw_coordinator_t *self);
bool dw_coordinator_has_own_work (const dw_coordinator_t *self);
/* Works for a stretch. */
void dw_coordinator_work (dw_coordinator_t *self);

#endif
