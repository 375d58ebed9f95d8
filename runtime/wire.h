/* wire.h - the messages of docs/PROTOCOL.md: integers and byte strings in msgpack, bounded.
 *
 * A message is one head and any number of further frames. The head is a sequence of msgpack values
 * that starts with the message's type; records go on to the head's end. A payload (or any other byte string) stands in the head as a
 * bin when it is small, or as an integer k that means the message's k-th frame (from 1).
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

#define DW_WIRE_VERSION    2u
#define DW_WIRE_MAGIC      "dagwood"
#define DW_WIRE_TOKEN_SIZE 16u    /* bytes of the token that a system's own peers show */
#define DW_WIRE_INLINE_MAX 512u   /* bytes; more travels as a frame of its own */
#define DW_WIRE_FRAMES_MAX 65536u /* frames of one message */

typedef enum dw_wire_type_t {
    DW_WIRE_HELLO = 0, /* peer -> coordinator: magic, version, role, token, number, credit */
    DW_WIRE_WELCOME, /* to a worker: peer; to a client: peer, runs_max, max_payload_bytes, graph, heartbeat_ms,
                        silence_ms, name; to an agent: an agent's welcome */
    DW_WIRE_REFUSED, /* coordinator -> peer: code, text, the client's run or 0 */
    DW_WIRE_TASKS,   /* coordinator -> worker: first ticket, task records */
    DW_WIRE_ANSWERS, /* worker -> coordinator: peer, answer records */
    DW_WIRE_CANCEL,  /* coordinator -> worker: ticket */
    DW_WIRE_STOP,    /* coordinator -> worker: finish and leave */
    DW_WIRE_SUBMIT,  /* client -> coordinator: peer, submission records */
    DW_WIRE_ABORT,   /* client -> coordinator: peer, run */
    DW_WIRE_RESULTS, /* coordinator -> client: result records */
    DW_WIRE_BYE,     /* worker, client -> coordinator: peer */
    DW_WIRE_CLOSE,   /* owner -> coordinator: timeout in ms */
    DW_WIRE_CLOSED,  /* coordinator -> owner: a text for each actor that is still in a processor */
    DW_WIRE_COUNT,   /* owner -> coordinator: tell what you have counted */
    DW_WIRE_COUNTS,  /* coordinator -> owner: messages, steps by worker, its own thread's first */
    DW_WIRE_BEAT,    /* agent, client -> coordinator: peer; coordinator -> agent, client: nothing */
    DW_WIRE_DRAIN,   /* agent -> coordinator: peer; its slots are to take nothing new */
    DW_WIRE_REPLACE, /* coordinator -> agent: worker; its slot is stuck, another takes its place */
    DW_WIRE_STATUS,  /* client -> coordinator: peer; coordinator -> client: a status record */
    DW_WIRE_RELOAD,  /* owner -> coordinator: read the allow-list anew */
    DW_WIRE_TYPES
} dw_wire_type_t;

typedef enum dw_wire_role_t {
    DW_WIRE_WORKER = 1,
    DW_WIRE_CLIENT,
    DW_WIRE_OWNER, /* whoever opened the system; inproc only */
    DW_WIRE_AGENT, /* a worker process, whose slots are workers */
} dw_wire_role_t;

/* How an answer record goes on after its ticket. */
typedef enum dw_wire_answer_t {
    DW_WIRE_MORE,     /* steps done, others follow */
    DW_WIRE_DONE,     /* steps done, the last ones */
    DW_WIRE_FAILED,   /* code, message */
    DW_WIRE_RETURNED, /* not begun, not going to be */
} dw_wire_answer_t;

/* ---- Writing ---------------------------------------------------------------------------------- */

typedef struct dw_writer_t {
    uint8_t *bytes;
    size_t count, size;
    bool no_memory; /* something was left out: do not send */
} dw_writer_t;

/* Room for more bytes behind count; sets no_memory and returns NULL when there is none. Small things
 * are written and read here, for speed: a task takes some ten of them each way. */
uint8_t *dw_writer_grow (dw_writer_t *self, size_t more);
static inline uint8_t *dw_writer_room (dw_writer_t *self, size_t more) {
    return self->size - self->count < more ? dw_writer_grow (self, more)
                                           : self->bytes + self->count;
}
void dw_writer_free (dw_writer_t *self);
static inline void dw_writer_clear (dw_writer_t *self) {
    self->count = 0;
    self->no_memory = false;
}

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
} dw_ref_t;

static inline bool dw_ref_is_nil (const dw_ref_t *self) {
    return !self->bytes && !self->frame;
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

/* ---- Records ---------------------------------------------------------------------------------- */

typedef struct dw_wire_hello_t {
    uint32_t version, role;
    const uint8_t *token; /* DW_WIRE_TOKEN_SIZE bytes */
    uint32_t number;      /* which worker it is */
    uint32_t credit;
} dw_wire_hello_t;

void dw_write_hello (dw_writer_t *self, const dw_wire_hello_t *hello);
/* False: damaged, or not ours. A version that is not ours is read up to the version, for a refusal
 * that names both. */
bool dw_read_hello (dw_wire_reader_t *self, dw_wire_hello_t *hello);

/* What the HELLO of an agent has besides. */
#define DW_WIRE_UUID_SIZE 16u
typedef struct dw_wire_agent_t {
    const uint8_t *uuid;  /* DW_WIRE_UUID_SIZE random bytes: which process it is */
    uint64_t incarnation; /* grows each time that it connects */
    uint32_t slots;
    uint64_t pid;
    const char *host; /* not ended by NUL */
    size_t host_size;
} dw_wire_agent_t;

void dw_write_agent (dw_writer_t *self, const dw_wire_agent_t *agent);
bool dw_read_agent (dw_wire_reader_t *self, dw_wire_agent_t *agent);

/* An agent's WELCOME: [peer, heartbeat_ms, silence_ms, system, token, digest, graph, workers]. system is the token
 * by which processors know the system, token what the agent's slots show in their HELLO, digest that of the plan
 * (runtime/core/plan.h), graph the graph (runtime/pack.h), workers the number of each of its slots, in
 * ascending order. */
typedef struct dw_wire_welcome_t {
    uint32_t peer, heartbeat_ms, silence_ms;
    const uint8_t *system, *token; /* DW_WIRE_TOKEN_SIZE bytes each */
    uint64_t digest;
    dw_ref_t graph;
    uint32_t workers_count; /* that follow in the reader */
} dw_wire_welcome_t;

bool dw_read_welcome (dw_wire_reader_t *self, dw_wire_welcome_t *welcome);
/* Whether these are times by which one can tell who is there: a heartbeat may be missed. */
static inline bool dw_wire_is_pulse (uint32_t heartbeat_ms, uint32_t silence_ms) {
    return heartbeat_ms > 0 && silence_ms / 2 >= heartbeat_ms;
}

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

/* An answer record: [ticket, step, answer, duration_ns, ...] with for MORE and DONE: steps, and a payload
 * and a metadata reference for each; for FAILED: code and message; for RETURNED: nothing. */
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

/* A submission record: [run, payload, deadline_ms, outputs]. run is the client's own number for it. */
typedef struct dw_wire_submission_t {
    uint64_t run;
    dw_ref_t payload;
    uint32_t deadline_ms;   /* from its arrival on; 0: none */
    uint32_t outputs_count; /* nodes that follow in the reader; 0: every node is wanted */
} dw_wire_submission_t;

bool dw_read_submission (dw_wire_reader_t *self, dw_wire_submission_t *record);

/* A result record: [run, status, duration_us, table, blob, extras, outputs]. table has a slot for
 * each node (actors/slot.h), blob the payloads that slots place in it. extras is nil or a sequence of
 * records [node, metadata, code, message, causes]: what some nodes have besides. outputs is nil (the
 * sinks) or the requested nodes. */
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
    uint32_t causes_count; /* nodes that follow in the reader */
} dw_wire_extra_t;

bool dw_read_extra (dw_wire_reader_t *self, dw_wire_extra_t *record);

#endif
