/* wire.h - the messages of docs/PROTOCOL.md: integers and byte strings in msgpack, bounded.
 *
 * A message is one head and any number of further frames. The head is a sequence of msgpack values
 * that starts with the message's type; records go on to the head's end. A payload (or any other
 * byte string) stands in the head as a bin when it is small, or as an integer k that means the
 * message's k-th frame (from 1).
 *
 * Writing appends to a buffer that is used again for the next message. Reading never trusts: a
 * reader that meets anything but what was asked for is damaged from then on and gives zeros, so a
 * caller reads a whole record and asks once. Both take a few nanoseconds a value, which is why they
 * are here and not msgpack-c's (docs/DECISIONS.md); the tests hold them against msgpack-c. */

#ifndef DW_WIRE_H
#define DW_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "runtime/core/graph.h"

#define DW_WIRE_VERSION      3u
#define DW_WIRE_OLDEST       3u /* the oldest version that is spoken here besides */
#define DW_WIRE_MAGIC        "dagwood"
#define DW_WIRE_TOKEN_SIZE   16u    /* bytes of the token that a system's own peers show */
#define DW_WIRE_INLINE_MAX   512u   /* bytes; more travels as a frame of its own */
#define DW_WIRE_TOGETHER_MAX 64u    /* submissions that an honest client sends in one message */
#define DW_WIRE_FRAMES_MAX   65536u /* frames of one message */
#define DW_WIRE_KEPT_MIN     4096u  /* bytes; a slot keeps what has more and is read again, */
#define DW_WIRE_PLACES       256u   /* in so many places, */
#define DW_WIRE_KEPT_MAX     ((size_t) 64 << 20) /* and bytes of them */

typedef enum dw_wire_type_t {
    DW_WIRE_HELLO =
        0, /* peer -> coordinator: magic, version, oldest, role, token, number, credit */
    /* to a worker: peer; to a client: peer, runs_max, max_payload_bytes, graph, heartbeat_ms,
     * silence_ms, name; to an agent: an agent's welcome; to a solo: a solo's */
    DW_WIRE_WELCOME,
    DW_WIRE_REFUSED, /* coordinator -> peer: code, text, the client's run or 0 */
    DW_WIRE_TASKS,   /* coordinator -> worker: first ticket, task records */
    DW_WIRE_ANSWERS, /* worker -> coordinator: peer, answer records */
    DW_WIRE_CANCEL,  /* coordinator -> worker: ticket, or ticket, steps */
    DW_WIRE_STOP,    /* coordinator -> worker: finish and leave */
    DW_WIRE_SUBMIT,  /* client -> coordinator: peer, submission records */
    DW_WIRE_ABORT,   /* client -> coordinator: peer, run, or peer, run, node */
    DW_WIRE_RESULTS, /* coordinator -> client: result records */
    DW_WIRE_BYE,     /* worker, client -> coordinator: peer */
    DW_WIRE_CLOSE,   /* owner -> coordinator: timeout in ms */
    DW_WIRE_CLOSED,  /* coordinator -> owner: a text for each actor that is still in a processor */
    DW_WIRE_COUNT,   /* owner -> coordinator: tell what you have counted */
    DW_WIRE_COUNTS,  /* coordinator -> owner: messages, steps by worker, its own thread's first */
    /* agent, client -> coordinator: peer, an agent's slot records; coordinator -> agent, client:
     * nothing */
    DW_WIRE_BEAT,
    DW_WIRE_DRAIN,   /* agent -> coordinator: peer; its slots are to take nothing new */
    DW_WIRE_REPLACE, /* coordinator -> agent: worker; its slot is stuck, another takes its place */
    DW_WIRE_STATUS,  /* client -> coordinator: peer; coordinator -> client: a status record */
    DW_WIRE_RELOAD,  /* owner -> coordinator: read the allow-list anew */
    DW_WIRE_DROP,    /* coordinator -> slot: places of what it need not keep any more */
    DW_WIRE_ENDED,   /* agent -> coordinator: peer, an ended record: a slot's process is gone */
    DW_WIRE_STALLED, /* coordinator -> client: run, node, ms: nobody serves it */
    DW_WIRE_TAKEN,   /* client -> coordinator: peer, messages with results taken in */
    /* client -> coordinator: peer, a submission record; coordinator -> client: run, which it has */
    DW_WIRE_DETACH,
    /* client -> coordinator: peer, run, uuid, number; coordinator -> client: run, which is under
     * way */
    DW_WIRE_CLAIM,
    DW_WIRE_WHERE, /* anybody -> coordinator: name of a graph */
    DW_WIRE_MOVED, /* coordinator -> whoever asked: place of that graph, names of all graphs */
    DW_WIRE_REFER, /* owner -> coordinator: names and places of graphs elsewhere in this process */
    /* coordinator -> worker: a graph that was added to a run, whose tasks will come; or that none
     * will */
    DW_WIRE_GRAPH,
    DW_WIRE_TYPES
} dw_wire_type_t;

/* As docs/PROTOCOL.md calls it; NULL: there is no such type. */
const char *dw_wire_type_text (uint32_t type);

typedef enum dw_wire_role_t {
    DW_WIRE_WORKER = 1,
    DW_WIRE_CLIENT,
    DW_WIRE_OWNER, /* whoever opened the system; inproc only */
    DW_WIRE_AGENT, /* a worker process, whose slots are workers */
    DW_WIRE_SOLO,  /* a worker process of one slot, in one connection, that compiles no graph */
} dw_wire_role_t;

/* How an answer record goes on after its ticket. */
typedef enum dw_wire_answer_t {
    DW_WIRE_MORE,     /* steps done, others follow */
    DW_WIRE_DONE,     /* steps done, the last ones */
    DW_WIRE_FAILED,   /* code, message */
    DW_WIRE_RETURNED, /* not begun, not going to be */
    DW_WIRE_SKIPPED,  /* the step after those done ended its branch, and so the task */
    DW_WIRE_ADDED,    /* it becomes a graph: its input, metadata, graph */
} dw_wire_answer_t;

/* Set in the number of what was added to a run: numbers of runs themselves are below. */
#define DW_WIRE_ADDED_RUN (UINT64_C (1) << 63)

/* ---- Writing ---------------------------------------------------------------------------------- */

typedef struct dw_writer_t {
    uint8_t *bytes;
    size_t count, size;
    bool no_memory; /* something was left out: do not send */
} dw_writer_t;

/* Room for more bytes behind count; sets no_memory and returns NULL when there is none. Small
 * things are written and read here, for speed: a task takes some ten of them each way. */
uint8_t *dw_writer_grow (dw_writer_t *self, size_t more);
static inline uint8_t *dw_writer_room (dw_writer_t *self, size_t more) {
    return self->size - self->count < more ? dw_writer_grow (self, more)
                                           : self->bytes + self->count;
}
/* Room for just so many bytes more, where they are known: what grows gets twice as much. */
void dw_writer_reserve (dw_writer_t *self, size_t more);
void dw_writer_free (dw_writer_t *self);
static inline void dw_writer_clear (dw_writer_t *self) {
    self->count = 0;
    self->no_memory = false;
}

/* Appends bytes as they are. */
void dw_write_raw (dw_writer_t *self, const void *bytes, size_t size);
void dw_write_long_uint (dw_writer_t *self, uint64_t value);
static inline void dw_write_byte (dw_writer_t *self, uint8_t byte) {
    uint8_t *at = dw_writer_room (self, 1);
    if (!at)
        return;
    *at = byte;
    self->count++;
}
static inline void dw_write_uint (dw_writer_t *self, uint64_t value) {
    if (value < 0x80)
        dw_write_byte (self, (uint8_t) value);
    else
        dw_write_long_uint (self, value);
}
static inline void dw_write_nil (dw_writer_t *self) {
    dw_write_byte (self, 0xc0);
}
void dw_write_array (dw_writer_t *self, uint32_t count);
void dw_write_bin (dw_writer_t *self, const void *bytes, size_t size);
void dw_write_str (dw_writer_t *self, const char *text, size_t size);

/* ---- Reading ---------------------------------------------------------------------------------- */

typedef struct dw_wire_reader_t {
    const uint8_t *at, *end;
    bool is_damaged;
} dw_wire_reader_t;

/* A byte string: in the head, in a frame, or none at all. */
typedef struct dw_ref_t {
    const uint8_t *bytes; /* in the head */
    size_t size;
    uint32_t frame; /* from 1; 0: not in a frame */
    uint32_t place; /* from 1: where a slot keeps it, from now on or already; 0: it does not */
} dw_ref_t;

static inline bool dw_ref_is_nil (const dw_ref_t *self) {
    return !self->bytes && !self->frame && !self->place;
}

static inline dw_wire_reader_t dw_wire_reader (const void *bytes, size_t size) {
    return (dw_wire_reader_t){.at = bytes, .end = (const uint8_t *) bytes + size};
}

/* Whether all was read, and none of it damaged. */
static inline bool dw_wire_reader_is_over (const dw_wire_reader_t *self) {
    return self->at == self->end && !self->is_damaged;
}
/* Whether another record follows. */
static inline bool dw_wire_reader_has_more (const dw_wire_reader_t *self) {
    return self->at != self->end;
}

/* What was read makes no sense to its reader: from now on it gives zeros. Gives NULL. */
static inline const void *dw_wire_damage (dw_wire_reader_t *self) {
    self->is_damaged = true;
    self->at = self->end;
    return NULL;
}

uint64_t dw_read_long_uint (dw_wire_reader_t *self);
static inline uint64_t dw_read_uint (dw_wire_reader_t *self) {
    return self->at != self->end && *self->at < 0x80 ? *self->at++ : dw_read_long_uint (self);
}
/* The same, damaged when the value is above max. */
uint32_t dw_read_uint_max (dw_wire_reader_t *self, uint32_t max);
/* An array's count; damaged when even one byte an element is more than what is left. */
uint32_t dw_read_array (dw_wire_reader_t *self);
/* True, and read, when a nil is next. */
static inline bool dw_read_nil (dw_wire_reader_t *self) {
    bool is_nil = self->at != self->end && *self->at == 0xc0;
    self->at += is_nil;
    return is_nil;
}
/* A bin or a str of at most max bytes. */
const uint8_t *dw_read_bin (dw_wire_reader_t *self, size_t max, size_t *size_p);
const char *dw_read_str (dw_wire_reader_t *self, size_t max, size_t *size_p);
/* A bin, a frame's number or nil. */
dw_ref_t dw_read_ref (dw_wire_reader_t *self);
/* One of these, or what a slot keeps: [frame, place] or [place]. */
dw_ref_t dw_read_kept_ref (dw_wire_reader_t *self);

/* ---- Records ---------------------------------------------------------------------------------- */

typedef struct dw_wire_hello_t {
    uint32_t version, oldest; /* the newest and the oldest version that the peer speaks */
    uint32_t role;
    const uint8_t *token; /* DW_WIRE_TOKEN_SIZE bytes */
    uint32_t number;      /* which worker it is */
    uint32_t credit;
} dw_wire_hello_t;

void dw_write_hello (dw_writer_t *self, const dw_wire_hello_t *hello);
/* False: damaged, or not ours. Of a peer that speaks no version that is spoken here the versions
 * are read and nothing else, for a refusal that names those of both. */
bool dw_read_hello (dw_wire_reader_t *self, dw_wire_hello_t *hello);
/* The highest version that is spoken here and by a peer; 0: none is. */
uint32_t dw_wire_common_version (const dw_wire_hello_t *hello);

/* What the HELLO of an agent has besides. */
#define DW_WIRE_UUID_SIZE 16u
typedef struct dw_wire_agent_t {
    const uint8_t *uuid;  /* DW_WIRE_UUID_SIZE random bytes: which process it is */
    uint64_t incarnation; /* grows each time that it connects */
    uint32_t slots;
    uint64_t pid;
    const char *host; /* not ended by NUL */
    size_t host_size;
    uint32_t processors_count; /* whose names follow in the reader, and then tags (dw_read_tags) */
} dw_wire_agent_t;

/* What an agent offers: names of processors, and then its tags, each a name and a value. */
#define DW_WIRE_OFFERED_MAX 4096u /* processors */
#define DW_WIRE_NAME_MAX    255u  /* bytes of a processor's name, and of a tag's name or value */
#define DW_WIRE_TAGS_MAX    64u
/* What the HELLO of a client has besides that wants to be known again. */
typedef struct dw_wire_identity_t {
    const uint8_t *uuid;  /* DW_WIRE_UUID_SIZE random bytes, which it tells nobody else */
    uint64_t incarnation; /* grows each time that it connects */
} dw_wire_identity_t;

void dw_write_identity (dw_writer_t *self, const dw_wire_identity_t *identity);
bool dw_read_identity (dw_wire_reader_t *self, dw_wire_identity_t *identity);

void dw_write_agent (dw_writer_t *self, const dw_wire_agent_t *agent);
bool dw_read_agent (dw_wire_reader_t *self, dw_wire_agent_t *agent);

/* The next name: of a processor, or of a tag, or the value of one. NULL: damaged. */
const char *dw_read_name (dw_wire_reader_t *self, size_t *size_p);
/* How many tags follow, each two names. */
uint32_t dw_read_tags (dw_wire_reader_t *self);

/* An agent's WELCOME: [peer, heartbeat_ms, silence_ms, system, token, digest, graph, workers,
 * lanes, traits]. system is the token by which processors know the system, token what the agent's
 * slots show in their HELLO, digest that of the plan (runtime/core/plan.h), graph the graph
 * (runtime/pack.h), workers the number of each of its slots, in ascending order; lanes those that
 * it serves, a bit each, and 0 where nodes make no demands; traits what the coordinator knows of
 * each processor of the graph: [name, intent, brief, promises]. */
typedef struct dw_wire_welcome_t {
    uint32_t peer, heartbeat_ms, silence_ms;
    const uint8_t *system, *token; /* DW_WIRE_TOKEN_SIZE bytes each */
    uint64_t digest;
    dw_ref_t graph;
    uint32_t workers_count; /* that follow in the reader */
} dw_wire_welcome_t;

bool dw_read_welcome (dw_wire_reader_t *self, dw_wire_welcome_t *welcome);

/* The WELCOME of a solo: [peer, heartbeat_ms, silence_ms, max_payload_bytes, nodes]; nodes is a
 * briefing (runtime/briefing.h). */
typedef struct dw_wire_solo_t {
    uint32_t peer, heartbeat_ms, silence_ms;
    uint64_t max_payload_bytes;
    dw_ref_t nodes;
} dw_wire_solo_t;

/* False: damaged, or no pulse. */
bool dw_read_solo (dw_wire_reader_t *self, dw_wire_solo_t *solo);

typedef struct dw_wire_trait_t {
    const char *name; /* not ended by NUL */
    size_t name_size;
    dw_trait_t trait;
} dw_wire_trait_t;

void dw_write_trait (dw_writer_t *self, const dw_wire_trait_t *trait);
bool dw_read_trait (dw_wire_reader_t *self, dw_wire_trait_t *trait);
/* Of those the last two, brief and promises, a bit for each of the others: payload_only 1, may_skip
 * 2, may_add 4. */
void dw_write_promises (dw_writer_t *self, const dw_trait_t *trait);
void dw_read_promises (dw_wire_reader_t *self, dw_trait_t *trait);

/* Whether these are times by which one can tell who is there: a heartbeat may be missed. */
static inline bool dw_wire_is_pulse (uint32_t heartbeat_ms, uint32_t silence_ms) {
    return heartbeat_ms > 0 && silence_ms / 2 >= heartbeat_ms;
}

/* What a slot is at, as it said itself when its agent asked last. */
typedef enum dw_wire_at_t {
    DW_WIRE_AT_IDLE, /* it waits; ticket: the first that it has not been sent */
    DW_WIRE_AT_TASK, /* ticket: the task that it is at */
    /* it has not answered since the heartbeat before: its processor has the thread; ticket: as it
     * said last */
    DW_WIRE_AT_SILENT,
} dw_wire_at_t;

/* A slot record: [number, at, ticket]. */
typedef struct dw_wire_slot_t {
    uint32_t number;
    dw_wire_at_t at;
    uint64_t ticket;
} dw_wire_slot_t;

void dw_write_slot (dw_writer_t *self, const dw_wire_slot_t *slot);
bool dw_read_slot (dw_wire_reader_t *self, dw_wire_slot_t *slot);

/* How the process of a slot has ended. */
typedef enum dw_wire_how_t {
    DW_WIRE_EXITED,    /* with a status */
    DW_WIRE_SIGNALLED, /* by a signal */
    DW_WIRE_UNKNOWN,   /* nobody can tell */
    DW_WIRE_DOWN,      /* as before, too often: there will be no other */
} dw_wire_how_t;

/* An ended record: [number, replaced, pid, how, value, tail]. */
#define DW_WIRE_TAIL_MAX 8192u
typedef struct dw_wire_ended_t {
    uint32_t number;
    /* how many REPLACE for this slot were obeyed before: tells a later process from this one */
    uint32_t replaced;
    uint64_t pid;
    dw_wire_how_t how;
    uint32_t value;      /* exit status, or signal */
    const uint8_t *tail; /* what it wrote last, at most DW_WIRE_TAIL_MAX bytes */
    size_t tail_size;
} dw_wire_ended_t;

void dw_write_ended (dw_writer_t *self, const dw_wire_ended_t *ended);
bool dw_read_ended (dw_wire_reader_t *self, dw_wire_ended_t *ended);

/* A task record: [run, node, steps, attempt, payload, dependencies]. dependencies is nil, or an
 * array of a payload and a metadata reference for each direct dependency. */
typedef struct dw_wire_task_t {
    uint64_t run;
    uint32_t node, steps, attempt;
    dw_ref_t payload;
    uint32_t dependencies_count; /* that follow in the reader; 0 when nil */
} dw_wire_task_t;

/* Reads all but the dependencies' references, of which the caller reads two for each. */
bool dw_read_task (dw_wire_reader_t *self, dw_wire_task_t *task);

/* An answer record: [ticket, step, answer, duration_ns, ...] with for MORE and DONE: steps, and a
 * payload and a metadata reference for each; for FAILED: code and message; for RETURNED and
 * SKIPPED: nothing; for ADDED a payload, a metadata and a graph reference, which follow in the
 * reader. */
typedef struct dw_wire_answer_record_t {
    uint64_t ticket;
    uint32_t step; /* how many steps of the task earlier answers told of */
    dw_wire_answer_t answer;
    uint64_t duration_ns;
    uint32_t steps; /* whose references follow in the reader */
    uint16_t code;
    const char *message; /* not ended by NUL */
    size_t message_size;
} dw_wire_answer_record_t;

bool dw_read_answer (dw_wire_reader_t *self, dw_wire_answer_record_t *record);

/* A submission record: [run, payload, deadline_ms, outputs]. run is the client's own number for
 * it. */
typedef struct dw_wire_submission_t {
    uint64_t run;
    dw_ref_t payload;
    uint32_t deadline_ms;   /* from its arrival on; 0: none */
    uint32_t outputs_count; /* nodes that follow in the reader; 0: every node is wanted */
} dw_wire_submission_t;

bool dw_read_submission (dw_wire_reader_t *self, dw_wire_submission_t *record);

/* A result record: [run, status, duration_us, table, blob, extras, outputs]. table has a slot for
 * each node (actors/slot.h), blob the payloads that slots place in it. extras is nil or a sequence
 * of records [node, metadata, code, message, added nodes, added depth, causes]: what some nodes
 * have besides. outputs is nil (the sinks) or the requested nodes. */
typedef struct dw_wire_result_t {
    uint64_t run, duration_us;
    uint32_t status; /* dw_run_status_t */
    dw_ref_t table, blob, extras;
    uint32_t outputs_count; /* nodes that follow in the reader */
    bool outputs_are_sinks;
} dw_wire_result_t;

bool dw_read_result (dw_wire_reader_t *self, dw_wire_result_t *record);

typedef struct dw_wire_extra_t {
    uint32_t node;
    const uint8_t *metadata; /* NULL: none */
    size_t metadata_size;
    uint16_t code;
    const char *message; /* NULL: none */
    size_t message_size;
    uint32_t added_nodes, added_depth;
    uint32_t causes_count; /* nodes that follow in the reader */
} dw_wire_extra_t;

bool dw_read_extra (dw_wire_reader_t *self, dw_wire_extra_t *record);

#endif
