/* caller.h - who calls on a coordinator under test: connections (lines) that say what a case likes,
 * as clients, agents and slots.
 *
 * What comes in is read by the readers of runtime/wire.h, and every wait has an end. */

#ifndef DW_CALLER_H
#define DW_CALLER_H

#include "actors/link.h"
#include "actors/message.h"
#include "cli/conformance/case.h"

#define DW_CALLER_LINES  12u
#define DW_CALLER_SLOTS  4u
#define DW_CALLER_TASKS  256u
#define DW_CALLER_ANSWER 4000 /* ms, for an answer to come */

typedef struct dw_line_t {
    dw_link_t link;
    dw_packet_t out; /* the next message, empty after it was sent */
    uint32_t peer;   /* what WELCOME said that it is */

    /* The message that came last. */
    dw_message_t in;
    dw_wire_reader_t reader; /* behind its type */
    uint32_t type;
    uint32_t codes[16]; /* of errors, in the result that was read last */
    uint32_t codes_count;
} dw_line_t;

/* An agent that was let in, and its slots. */
typedef struct dw_crowd_t {
    dw_line_t *agent;
    uint8_t uuid[DW_WIRE_UUID_SIZE];
    uint8_t token[DW_WIRE_TOKEN_SIZE];
    uint32_t heartbeat_ms, silence_ms;
    uint32_t numbers[DW_CALLER_SLOTS];
    dw_line_t *slots[DW_CALLER_SLOTS]; /* NULL: it has not come */
    uint32_t slots_count;
} dw_crowd_t;

/* A task that one of them was sent. */
typedef struct dw_asked_t {
    dw_line_t *slot;
    uint64_t ticket, run;
    uint32_t node, steps, attempt;
} dw_asked_t;

typedef struct dw_caller_t {
    void *context;
    dw_link_keys_t keys;
    const char *endpoint;  /* borrowed */
    const char *processor; /* that is offered besides the stock set; NULL: none. Borrowed */
    dw_processors_t *stock;
    dw_line_t lines[DW_CALLER_LINES];
    uint32_t lines_count;
    uint64_t incarnation; /* of the agent or client that came last */
    uint32_t nodes_count; /* of the graph, once a client was welcomed */
    uint64_t payload_max; /* bytes, as it was told then */

    dw_asked_t asked[DW_CALLER_TASKS]; /* since they were forgotten */
    uint32_t asked_count;
    uint32_t cancels, stops, bad_tasks; /* bad: that cannot be read */
} dw_caller_t;

/* Returns an exit status, and says what failed: that nobody answers there, too. */
int dw_caller_init (dw_caller_t *self, const dw_connect_options_t *connect, const char *processor);
void dw_caller_free (dw_caller_t *self);
/* Closes every line; those that were welcomed say BYE. */
void dw_caller_hang_up (dw_caller_t *self);

/* A new line; NULL: there are too many, or no socket. */
dw_line_t *dw_caller_line (dw_caller_t *self);
/* Closes one without a goodbye: as if it had gone down. */
void dw_line_cut (dw_line_t *self);
/* Sends out. */
void dw_line_send (dw_line_t *self);
void dw_line_send_bytes (dw_line_t *self, const void *bytes, size_t size);
/* Sends a type, and the peer's number. */
void dw_line_say (dw_line_t *self, dw_wire_type_t type);
/* Takes the next message in, if there is one. */
bool dw_line_take (dw_line_t *self);
/* The next message; false: none came within ms. */
bool dw_line_receive (dw_line_t *self, int ms);
/* What came instead of what was expected. */
void dw_line_say_what_came (dw_line_t *self, char *seen);
/* The next message of a type, those before it are passed over; false: none came within ms. */
bool dw_line_await (dw_line_t *self, uint32_t type, int ms);
/* Whether the next message is REFUSED with this code (0: any), for run (UINT64_MAX: any). seen says
 * what came instead. */
bool dw_line_is_refused (dw_line_t *self, uint32_t code, uint64_t run, char *seen);
/* Whether nothing has come of what was said before: the next answer is that to a HELLO of a version
 * that nobody speaks. seen says what came instead. */
bool dw_line_is_quiet (dw_line_t *self, char *seen);

/* HELLO, up to what roles have besides; and sent. */
void dw_line_write_hello (dw_line_t *self, uint32_t version, uint32_t oldest, uint32_t role,
                          const uint8_t *token, uint32_t number, uint32_t credit);
void dw_line_say_hello (dw_line_t *self, uint32_t role);

/* A client that was welcomed, of a session (uuid) or of none (NULL); NULL: seen says why not. */
dw_line_t *dw_caller_client (dw_caller_t *self, const uint8_t *uuid, uint64_t incarnation,
                             char *seen);
/* HELLO of an agent, behind that of every peer: what it offers is the stock set. */
void dw_caller_write_agent (dw_caller_t *self, dw_line_t *line, const uint8_t *uuid,
                            uint64_t incarnation, uint32_t slots);
/* An agent that was welcomed; false: seen says why not. */
bool dw_caller_agent (dw_caller_t *self, dw_crowd_t *crowd, uint32_t slots, char *seen);
/* And its slots, which were welcomed. */
bool dw_caller_crowd (dw_caller_t *self, dw_crowd_t *crowd, uint32_t slots, char *seen);
bool dw_caller_slot (dw_caller_t *self, dw_crowd_t *crowd, uint32_t slot, char *seen);
/* Reads an agent's WELCOME. */
bool dw_line_read_agent_welcome (dw_line_t *self, dw_crowd_t *crowd, char *seen);

/* Submits a run with the text, of the client's own number. */
void dw_line_submit (dw_line_t *self, uint64_t run, const char *text, uint32_t deadline_ms);
/* SUBMIT up to what it says of outputs. */
void dw_line_begin_submit (dw_line_t *self, uint64_t run, const uint8_t *payload, size_t size,
                           uint32_t deadline_ms);
/* Takes in what slots are sent, and keeps the agent alive, until they have been sent so many tasks
 * (0: none is waited for) since they were forgotten, or ms are over. True: something has come for
 * the client first; client may be NULL. */
bool dw_caller_work (dw_caller_t *self, dw_crowd_t *crowd, dw_line_t *client, uint32_t tasks,
                     int ms);
void dw_caller_forget (dw_caller_t *self);
/* Answers a task: done, all its steps, each with a text. */
void dw_line_answer (dw_line_t *self, const dw_asked_t *asked);
/* The same, up to what follows the duration. */
void dw_line_begin_answer (dw_line_t *self, uint64_t ticket, uint32_t told, uint32_t kind);
/* Has every task answered until the client has the result of run. False: it did not come; seen says
 * so. */
typedef void dw_answer_t (dw_line_t *slot, const dw_asked_t *asked);
bool dw_caller_serve (dw_caller_t *self, dw_crowd_t *crowd, dw_line_t *client, uint64_t run,
                      dw_answer_t *answer, uint32_t *status_p, char *seen);
/* Reads a RESULTS message for the result of run, and the codes of its errors. False: it is not
 * there. */
bool dw_line_read_result (dw_line_t *self, uint64_t run, uint32_t *status_p);
bool dw_line_has_code (const dw_line_t *self, uint32_t code);

#define DW_CALLER_RUN     5u /* the client's number of its run in most cases */
#define DW_CALLER_TASK_MS 4000
/* Submits DW_CALLER_RUN, and waits for the first of its tasks; false: there is none, seen says
 * why. */
bool dw_caller_begin (dw_caller_t *self, dw_crowd_t *crowd, dw_line_t *client, char *seen);
/* Has the run answered for to its end: it is ok. */
dw_verdict_t dw_caller_expect_ok (dw_caller_t *self, dw_crowd_t *crowd, dw_line_t *client,
                                  uint64_t run, char *seen);

/* Begins a case: declares itself, a crowd of so many slots and a client, */
#define DW_CALLER_OPEN(self, crowd, client, count, stage, seen) \
    dw_caller_t *self = stage;                                  \
    dw_crowd_t crowd;                                           \
    if (!dw_caller_crowd (self, &(crowd), count, seen))         \
        return DW_VERDICT_SKIPPED;                              \
    dw_line_t *client = dw_caller_client (self, NULL, 0, seen); \
    if (!client)                                                \
        return DW_VERDICT_SKIPPED;
/* and a run that is begun. */
#define DW_CALLER_BEGIN(self, crowd, client, count, stage, seen) \
    DW_CALLER_OPEN (self, crowd, client, count, stage, seen)     \
    if (!dw_caller_begin (self, &(crowd), client, seen))         \
        return DW_VERDICT_SKIPPED;

extern const uint8_t dw_line_no_token[DW_WIRE_TOKEN_SIZE];

#endif
