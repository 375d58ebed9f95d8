/* coordinator_solos.c - cases of a coordinator under test: workers in one connection. */

#include <string.h>
#include <sys/random.h>

#include "cli/conformance/caller.h"
#include "runtime/briefing.h"

#define HELLO    "Messages, HELLO"
#define WELCOME  "Messages, WELCOME"
#define PRESENCE "Who is there, A solo"
#define CREDIT   8u
#define RUN      5u

/* Says HELLO as a solo, which is of slots and credit as the case likes. NULL: seen says why not. */
static dw_line_t *s_say_hello (dw_caller_t *self, uint8_t uuid[DW_WIRE_UUID_SIZE], uint32_t slots,
                               uint32_t credit, char *seen) {
    dw_line_t *line = dw_caller_line (self);
    if (!line) {
        dw_case_fail (seen, "no socket for a solo");
        return NULL;
    }
    dw_line_write_hello (line, DW_WIRE_VERSION, DW_WIRE_OLDEST, DW_WIRE_SOLO, dw_line_no_token, 0,
                         credit);
    dw_caller_write_agent (self, line, uuid, ++self->incarnation, slots);
    dw_line_send (line);
    return line;
}

/* Reads its WELCOME; returns how many nodes it is told of, 0 when it makes no sense. */
static uint32_t s_read_welcome (dw_line_t *line, char *seen) {
    dw_wire_solo_t solo;
    dw_briefed_t briefed;
    zmq_msg_t *frame;
    size_t size;
    if (!dw_read_solo (&line->reader, &solo)) {
        dw_case_fail (seen, "a WELCOME that cannot be read");
        return 0;
    }
    line->peer = solo.peer;
    const uint8_t *bytes = dw_message_resolve (&line->in, 0, &solo.nodes, &line->reader, &size,
                                               &frame);
    dw_wire_reader_t reader = dw_wire_reader (bytes ? bytes : (const uint8_t *) "",
                                              bytes ? size : 0);
    uint32_t count = dw_read_briefing (&reader);
    for (uint32_t i = 0; i < count; i++)
        if (!dw_read_briefed (&reader, &briefed))
            count = 0;
    if (count == 0)
        dw_case_fail (seen, "nodes that cannot be read, or none");
    return count;
}

/* A solo that is welcome. NULL: seen says why not. */
static dw_line_t *s_come (dw_caller_t *self, uint8_t uuid[DW_WIRE_UUID_SIZE], uint32_t *nodes_p,
                          char *seen) {
    dw_line_t *line = s_say_hello (self, uuid, 1, CREDIT, seen);
    if (!line)
        return NULL;
    if (!dw_line_receive (line, DW_CALLER_ANSWER) || line->type != DW_WIRE_WELCOME) {
        char text[40];
        dw_case_fail (seen, "%s instead of WELCOME", dw_case_type (line->type, text));
        return NULL;
    }
    *nodes_p = s_read_welcome (line, seen);
    return *nodes_p ? line : NULL;
}

#define SOLO(self, line, uuid, stage, seen)                                                     \
    dw_caller_t *self = stage;                                                                  \
    uint32_t nodes;                                                                             \
    uint8_t uuid[DW_WIRE_UUID_SIZE];                                                            \
    dw_line_t *line = getrandom (uuid, sizeof uuid, 0) < 0 ? NULL                               \
                                                           : s_come (self, uuid, &nodes, seen); \
    if (!line)                                                                                  \
        return DW_VERDICT_SKIPPED;

static dw_verdict_t s_solo (void *stage, char *seen) {
    dw_caller_t *self = stage;
    uint32_t nodes;
    uint8_t uuid[DW_WIRE_UUID_SIZE] = {1};
    return s_come (self, uuid, &nodes, seen) ? dw_case_pass (seen, "%u nodes", (unsigned) nodes)
                                             : DW_VERDICT_FAILED;
}

static dw_verdict_t s_expect_refused (dw_caller_t *self, uint32_t slots, uint32_t credit,
                                      char *seen) {
    uint8_t uuid[DW_WIRE_UUID_SIZE] = {2};
    dw_line_t *line = s_say_hello (self, uuid, slots, credit, seen);
    if (!line)
        return DW_VERDICT_SKIPPED;
    return dw_line_is_refused (line, 400, 0, seen) ? DW_VERDICT_PASSED : DW_VERDICT_FAILED;
}

static dw_verdict_t s_slots (void *stage, char *seen) {
    return s_expect_refused (stage, 2, CREDIT, seen);
}

static dw_verdict_t s_no_credit (void *stage, char *seen) {
    return s_expect_refused (stage, 1, 0, seen);
}

static dw_verdict_t s_beat (void *stage, char *seen) {
    SOLO (self, line, uuid, stage, seen);
    dw_line_say (line, DW_WIRE_BEAT);
    return dw_line_await (line, DW_WIRE_BEAT, DW_CALLER_ANSWER) ? dw_case_pass (seen, "BEAT")
                                                                : dw_case_fail (seen, "no BEAT");
}

static dw_verdict_t s_run (void *stage, char *seen) {
    SOLO (self, line, uuid, stage, seen);
    dw_crowd_t crowd = {.slots_count = 1, .slots = {line}};
    dw_line_t *client = dw_caller_client (self, NULL, 0, seen);
    if (!client)
        return DW_VERDICT_SKIPPED;
    uint32_t status;
    dw_caller_forget (self);
    dw_line_submit (client, RUN, "Hello", 0);
    if (!dw_caller_serve (self, &crowd, client, RUN, dw_line_answer, &status, seen))
        return DW_VERDICT_FAILED;
    return status == DW_RUN_OK ? dw_case_pass (seen, "ok")
                               : dw_case_fail (seen, "status %u", (unsigned) status);
}

static dw_verdict_t s_drain (void *stage, char *seen) {
    SOLO (self, line, uuid, stage, seen);
    dw_line_say (line, DW_WIRE_DRAIN);
    if (!dw_line_await (line, DW_WIRE_STOP, DW_CALLER_ANSWER))
        return dw_case_fail (seen, "no STOP");
    dw_line_say (line, DW_WIRE_BYE);
    dw_line_say (line, DW_WIRE_BEAT);
    bool is_quiet = dw_line_is_quiet (line, seen);
    line->peer = UINT32_MAX;
    return is_quiet ? dw_case_pass (seen, "STOP, and behind BYE it is nobody") : DW_VERDICT_FAILED;
}

static dw_verdict_t s_again (void *stage, char *seen) {
    SOLO (self, line, uuid, stage, seen);
    dw_line_t *later = s_come (self, uuid, &nodes, seen);
    if (!later || !dw_line_is_refused (line, 503, 0, seen))
        return DW_VERDICT_FAILED;
    dw_line_say (line, DW_WIRE_BEAT);
    bool is_quiet = dw_line_is_quiet (line, seen);
    line->peer = UINT32_MAX;
    return is_quiet ? dw_case_pass (seen, "REFUSED 503, and the earlier one is nobody")
                    : DW_VERDICT_FAILED;
}

static const dw_case_t s_cases[] = {
    {"solo", WELCOME, "A solo is told its number, a pulse, and the nodes that it serves.", s_solo},
    {"solo-slots", HELLO, "A solo of two slots is REFUSED 400.", s_slots},
    {"solo-credit", HELLO, "A solo that takes no tasks is REFUSED 400.", s_no_credit},
    {"solo-beat", PRESENCE, "BEAT of a solo is answered by BEAT.", s_beat},
    {"solo-run", "Messages, TASKS", "A run whose tasks a solo answers ends, and its result is ok.",
     s_run},
    {"solo-drain", "Who is there, To drain",
     "After DRAIN a solo is told STOP, and behind BYE it is nobody.", s_drain},
    {"solo-again", "Who is there, Fencing",
     "A later incarnation of a solo takes the place of an earlier, which is REFUSED 503.", s_again},
};

const dw_cases_t dw_cases_coordinator_solos = {s_cases, sizeof s_cases / sizeof *s_cases};
