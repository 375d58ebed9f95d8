/* crew.h - the stage of a worker under test: a coordinator that lets its agent and its slots in,
 * has a small graph, and sends the tasks that a case asks for.
 *
 * A solo is an agent that is its own only slot: both are the same end.
 *
 * The graph is made of the processors that the worker offers: nodes `first` and `second`, a chain,
 * of the processor that was named, or of one whose outputs are known here; and `slow`, where it
 * offers sleep. What an honest coordinator answers by itself (BEAT, the HELLO of slots, BYE of
 * slots by REPLACE) is answered here too, unless a case says otherwise. */

#ifndef DW_CREW_H
#define DW_CREW_H

#include "actors/traits.h"
#include "cli/conformance/case.h"
#include "cli/conformance/stage.h"
#include "runtime/core/plan.h"

#define DW_CREW_SLOTS   64u
#define DW_CREW_ANSWERS 8192u
#define DW_CREW_SHOWN   64u        /* bytes of a payload that are kept */
#define DW_CREW_PAYLOAD (2u << 20) /* max_payload_bytes, as it is told */

/* What an answer said, of one ticket. */
typedef struct dw_told_t {
    uint32_t slot; /* that it came from */
    bool is_own;   /* it began with the number that WELCOME gave the slot */
    uint64_t ticket;
    uint32_t told, kind, steps, code; /* kind: dw_wire_answer_t */
    uint64_t duration_ns;
    bool is_sound; /* its payloads are one value each, its metadata maps of str to str */
    uint8_t payload[DW_CREW_SHOWN]; /* how the last payload begins */
    size_t payload_size;
} dw_told_t;

typedef struct dw_crew_slot_t {
    uint32_t end;    /* DW_STAGE_NONE: it is not here */
    uint32_t number; /* which WELCOME gave the agent for it */
    uint32_t peer;   /* which its own WELCOME gave it */
    uint32_t comings;
    uint64_t next_ticket; /* of what it will be sent */
} dw_crew_slot_t;

typedef struct dw_crew_t {
    dw_stage_t stage;
    const char *wanted; /* a processor's name; NULL: any. Borrowed */
    dw_processors_t *stock;
    char processor[DW_WIRE_NAME_MAX + 1]; /* that first and second are of */
    bool has_slow;
    dw_plan_t *plan;
    dw_traits_t *foreign;
    dw_writer_t packed, briefing; /* the graph for an agent, its nodes for a solo */
    uint32_t first, second, slow; /* nodes */

    /* What a session is told. */
    uint32_t heartbeat_ms, silence_ms;
    uint8_t token[DW_WIRE_TOKEN_SIZE];

    /* The session. */
    bool is_up;
    bool is_solo;
    uint32_t downs;     /* sessions in a row that did not come up */
    bool is_mute;       /* no BEAT is answered */
    bool replaces_none; /* no REPLACE follows BYE */
    uint32_t agent;     /* its end; DW_STAGE_NONE: none */
    uint32_t agent_peer;
    uint8_t uuid[DW_WIRE_UUID_SIZE];
    uint64_t incarnation;
    dw_crew_slot_t slots[DW_CREW_SLOTS];
    uint32_t slots_count;
    uint32_t again;          /* another end that said HELLO as an agent */
    uint32_t foreign_hellos; /* of slots that nobody expects */
    uint32_t beats, bad_beats, slot_beats, drains, byes, bad_byes;
    int64_t beat_ns, longest_ns; /* the last one of the agent, and the longest time between two */
    char nonsense[96];           /* what was said that cannot be read; "": nothing */
    dw_told_t *answers;
    uint32_t answers_count;
} dw_crew_t;

/* Takes stage over, which is open. Returns an exit status. */
int dw_crew_init (dw_crew_t *self, const char *wanted);
void dw_crew_free (dw_crew_t *self);

/* A worker that is welcomed with all of its slots; the one that is there, or a new one. False: why
 * says why not. */
bool dw_crew_up (dw_crew_t *self, char *why);
/* How a case of such a worker begins: a session, and nothing answered yet. */
#define UP(self, stage, seen)     \
    dw_crew_t *self = stage;      \
    if (!dw_crew_up (self, seen)) \
        return DW_VERDICT_SKIPPED;
/* An agent that has said HELLO and waits for the answer, of a new connection. False: why says why
 * not; one that asks for a number of slots that there are no places for is the agent all the
 * same. */
bool dw_crew_greeted (dw_crew_t *self, char *why);
/* What is done to this session leaves it of no use for another case. */
void dw_crew_spend (dw_crew_t *self);

/* What an agent's HELLO says. False: it cannot be read. */
bool dw_crew_read_agent (dw_crew_t *self, dw_wire_agent_t *agent, dw_wire_reader_t *reader);

/* The pieces of WELCOME to an agent, for cases that say it badly. */
typedef struct dw_crew_welcome_t {
    uint32_t heartbeat_ms, silence_ms;
    uint32_t numbers_count;
    const uint32_t *numbers; /* NULL: ascending */
    bool is_long;            /* every integer in its longest form */
    bool has_more;           /* values behind the last */
    size_t cut_bytes;        /* left out at the end */
} dw_crew_welcome_t;
bool dw_crew_prepare (dw_crew_t *self, char *why); /* chooses the processor, makes the graph */
/* Expects as many slots as it asked for; none is here, but a solo's. */
void dw_crew_begin_slots (dw_crew_t *self);
void dw_crew_welcome (dw_crew_t *self, const dw_crew_welcome_t *welcome);
/* The same, well, for the agent that has said HELLO, and waits until all of its slots are here.
 * False: why says why not. */
bool dw_crew_let_in (dw_crew_t *self, char *why);

/* A message TASKS: begun, a task of some steps with a text as its payload added, sent. */
void dw_crew_begin (dw_crew_t *self, uint32_t slot);
void dw_crew_add (dw_crew_t *self, uint32_t slot, uint32_t node, uint32_t steps, const char *text);
/* The same up to the payload, which the case writes, and the dependencies behind it. */
void dw_crew_add_head (dw_crew_t *self, uint32_t slot, uint32_t node, uint32_t steps);
bool dw_crew_send (dw_crew_t *self, uint32_t slot);
void dw_crew_write_text (dw_writer_t *head, const char *text);

/* Takes in until deadline; false: nothing came. */
bool dw_crew_take (dw_crew_t *self, int64_t deadline_ns);
/* Takes in for so long. */
void dw_crew_watch (dw_crew_t *self, int64_t ms);
/* Takes in until so many answers have come since they were forgotten. */
bool dw_crew_await (dw_crew_t *self, uint32_t count, int64_t ms);
void dw_crew_forget (dw_crew_t *self);
/* Takes in until a slot, the agent, everybody is gone. */
bool dw_crew_await_slot_gone (dw_crew_t *self, uint32_t slot, int64_t ms);
bool dw_crew_await_agent_gone (dw_crew_t *self, int64_t ms);

/* Whether an answer is the one that a task with this text has: done, with the output if that is
 * known. seen says what is wrong with it. */
bool dw_crew_is_right (const dw_crew_t *self, const dw_told_t *told, const char *text, char *seen);
/* Sends slot 0 a task and expects its answer: that it still serves. */
bool dw_crew_serves (dw_crew_t *self, char *seen);

#endif
