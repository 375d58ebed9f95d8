/* coordinator_entry.c - cases of a coordinator under test: who is let in, and what is said by those
 * who may not say it. */

#include <string.h>

#include "cli/conformance/caller.h"

#define HELLO    "Messages, HELLO"
#define WELCOME  "Messages, WELCOME"
#define REFUSED  "Messages, REFUSED"
#define VERSIONS "Versions"
#define COUNTED  "What is counted and ignored"
#define PEERS    "Peers"

static const uint8_t s_uuid[DW_WIRE_UUID_SIZE] = "conformance uui";

#define LINE(self, line, stage, seen)                       \
    dw_caller_t *self = stage;                              \
    dw_line_t *line = dw_caller_line (self);                \
    if (!line) {                                            \
        return dw_case_fail (seen, "no socket for a line"); \
    }

#define CLIENT(self, line, stage, seen)                       \
    dw_caller_t *self = stage;                                \
    dw_line_t *line = dw_caller_client (self, NULL, 0, seen); \
    if (!line) {                                              \
        return DW_VERDICT_SKIPPED;                            \
    }

/* ---- Clients ---------------------------------------------------------------------------------- */

static dw_verdict_t s_client (void *stage, char *seen) {
    dw_caller_t *self = stage;
    return dw_caller_client (self, NULL, 0, seen)
               ? dw_case_pass (seen, "WELCOME to a graph of %u nodes", (unsigned) self->nodes_count)
               : DW_VERDICT_FAILED;
}

static dw_verdict_t s_session (void *stage, char *seen) {
    dw_caller_t *self = stage;
    return dw_caller_client (self, s_uuid, ++self->incarnation, seen)
               ? dw_case_pass (seen, "a session")
               : DW_VERDICT_FAILED;
}

static dw_verdict_t s_session_earlier (void *stage, char *seen) {
    dw_caller_t *self = stage;
    uint64_t incarnation = ++self->incarnation;
    if (!dw_caller_client (self, s_uuid, incarnation, seen))
        return DW_VERDICT_SKIPPED;
    dw_line_t *line = dw_caller_line (self);
    if (!line)
        return dw_case_skip (seen, "no socket for a line");
    dw_line_write_hello (line, DW_WIRE_VERSION, DW_WIRE_OLDEST, DW_WIRE_CLIENT, dw_line_no_token, 0,
                         0);
    dw_write_identity (&line->out.head,
                       &(dw_wire_identity_t){.uuid = s_uuid, .incarnation = incarnation});
    dw_line_send (line);
    return dw_line_is_refused (line, 503, 0, seen) ? DW_VERDICT_PASSED : DW_VERDICT_FAILED;
}

/* ---- HELLO ------------------------------------------------------------------------------------ */

static dw_verdict_t s_expect_welcome (dw_line_t *line, char *seen) {
    dw_line_send (line);
    if (!dw_line_receive (line, DW_CALLER_ANSWER))
        return dw_case_fail (seen, "no answer");
    char type[40];
    return line->type == DW_WIRE_WELCOME
               ? dw_case_pass (seen, "WELCOME")
               : dw_case_fail (seen, "%s", dw_case_type (line->type, type));
}

static dw_verdict_t s_expect_refused (dw_line_t *line, uint32_t code, char *seen) {
    dw_line_send (line);
    return dw_line_is_refused (line, code, 0, seen) ? DW_VERDICT_PASSED : DW_VERDICT_FAILED;
}

static dw_verdict_t s_range (void *stage, char *seen) {
    LINE (self, line, stage, seen);
    dw_line_write_hello (line, 9, 2, DW_WIRE_CLIENT, dw_line_no_token, 0, 0);
    return s_expect_welcome (line, seen);
}

/* The text names the versions of both. */
static dw_verdict_t s_newer (void *stage, char *seen) {
    LINE (self, line, stage, seen);
    dw_line_write_hello (line, 47, 46, DW_WIRE_CLIENT, dw_line_no_token, 0, 0);
    if (s_expect_refused (line, 400, seen) != DW_VERDICT_PASSED)
        return DW_VERDICT_FAILED;
    return strstr (seen, "46") && strstr (seen, "47") && strchr (seen, '3') ? DW_VERDICT_PASSED
                                                                            : DW_VERDICT_FAILED;
}

/* As version 2 had it: without oldest. */
static dw_verdict_t s_version_2 (void *stage, char *seen) {
    LINE (self, line, stage, seen);
    dw_writer_t *head = &line->out.head;
    dw_write_uint (head, DW_WIRE_HELLO);
    dw_write_str (head, DW_WIRE_MAGIC, strlen (DW_WIRE_MAGIC));
    dw_write_uint (head, 2);
    dw_write_uint (head, DW_WIRE_CLIENT);
    dw_write_bin (head, dw_line_no_token, DW_WIRE_TOKEN_SIZE);
    dw_write_uint (head, 0);
    dw_write_uint (head, 0);
    return s_expect_refused (line, 400, seen);
}

static dw_verdict_t s_oldest_newer (void *stage, char *seen) {
    LINE (self, line, stage, seen);
    dw_line_write_hello (line, 3, 4, DW_WIRE_CLIENT, dw_line_no_token, 0, 0);
    return s_expect_refused (line, 400, seen);
}

static dw_verdict_t s_magic (void *stage, char *seen) {
    LINE (self, line, stage, seen);
    dw_writer_t *head = &line->out.head;
    dw_write_uint (head, DW_WIRE_HELLO);
    dw_write_str (head, "redwood", 7);
    dw_write_uint (head, 3);
    dw_write_uint (head, 3);
    return s_expect_refused (line, 400, seen);
}

static dw_verdict_t s_short_token (void *stage, char *seen) {
    LINE (self, line, stage, seen);
    dw_writer_t *head = &line->out.head;
    dw_write_uint (head, DW_WIRE_HELLO);
    dw_write_str (head, DW_WIRE_MAGIC, strlen (DW_WIRE_MAGIC));
    dw_write_uint (head, 3);
    dw_write_uint (head, 3);
    dw_write_uint (head, DW_WIRE_CLIENT);
    dw_write_bin (head, dw_line_no_token, DW_WIRE_TOKEN_SIZE - 1);
    dw_write_uint (head, 0);
    dw_write_uint (head, 0);
    return s_expect_refused (line, 400, seen);
}

static dw_verdict_t s_cut (void *stage, char *seen) {
    LINE (self, line, stage, seen);
    dw_line_write_hello (line, 3, 3, DW_WIRE_CLIENT, dw_line_no_token, 0, 0);
    line->out.head.count -= 10;
    return s_expect_refused (line, 400, seen);
}

static dw_verdict_t s_long (void *stage, char *seen) {
    LINE (self, line, stage, seen);
    dw_writer_t *head = &line->out.head;
    static const uint8_t bytes[] = {0xd9, 7,    'd', 'a',  'g', 'w', 'o', 'o', 'd',  0xcf,
                                    0,    0,    0,   0,    0,   0,   0,   3,   0xcd, 0,
                                    3,    0xcc, 2,   0xc6, 0,   0,   0,   16};
    dw_write_uint (head, DW_WIRE_HELLO);
    dw_packet_append (&line->out, bytes, sizeof bytes);
    dw_packet_append (&line->out, dw_line_no_token, DW_WIRE_TOKEN_SIZE);
    static const uint8_t zeros[] = {0xce, 0, 0, 0, 0, 0xcf, 0, 0, 0, 0, 0, 0, 0, 0};
    dw_packet_append (&line->out, zeros, sizeof zeros);
    return s_expect_welcome (line, seen);
}

static dw_verdict_t s_more (void *stage, char *seen) {
    LINE (self, line, stage, seen);
    dw_line_write_hello (line, 3, 3, DW_WIRE_CLIENT, dw_line_no_token, 0, 0);
    dw_write_identity (&line->out.head,
                       &(dw_wire_identity_t){.uuid = s_uuid, .incarnation = ++self->incarnation});
    dw_write_uint (&line->out.head, 4711);
    dw_write_str (&line->out.head, "more", 4);
    return s_expect_welcome (line, seen);
}

static dw_verdict_t s_twice (void *stage, char *seen) {
    CLIENT (self, line, stage, seen);
    dw_line_write_hello (line, 3, 3, DW_WIRE_CLIENT, dw_line_no_token, 0, 0);
    return s_expect_refused (line, 400, seen);
}

static dw_verdict_t s_owner (void *stage, char *seen) {
    LINE (self, line, stage, seen);
    dw_line_write_hello (line, 3, 3, DW_WIRE_OWNER, dw_line_no_token, 0, 0);
    return s_expect_refused (line, 403, seen);
}

static dw_verdict_t s_no_role (void *stage, char *seen) {
    LINE (self, line, stage, seen);
    dw_line_write_hello (line, 3, 3, 0, dw_line_no_token, 0, 0);
    return s_expect_refused (line, 403, seen);
}

static dw_verdict_t s_unknown_role (void *stage, char *seen) {
    LINE (self, line, stage, seen);
    dw_line_write_hello (line, 3, 3, 77, dw_line_no_token, 0, 0);
    return s_expect_refused (line, 0, seen);
}

static dw_verdict_t s_worker_alone (void *stage, char *seen) {
    LINE (self, line, stage, seen);
    dw_line_write_hello (line, 3, 3, DW_WIRE_WORKER, dw_line_no_token, 1, 8);
    return s_expect_refused (line, 400, seen);
}

/* ---- HELLO of agents -------------------------------------------------------------------------- */

static void s_write_agent_hello (dw_line_t *line) {
    dw_line_write_hello (line, 3, 3, DW_WIRE_AGENT, dw_line_no_token, 0, 0);
}

static dw_verdict_t s_agent_cut (void *stage, char *seen) {
    LINE (self, line, stage, seen);
    s_write_agent_hello (line);
    return s_expect_refused (line, 400, seen);
}

static dw_verdict_t s_agent_no_slots (void *stage, char *seen) {
    LINE (self, line, stage, seen);
    s_write_agent_hello (line);
    dw_caller_write_agent (self, line, s_uuid, ++self->incarnation, 0);
    return s_expect_refused (line, 400, seen);
}

static dw_verdict_t s_agent_many_slots (void *stage, char *seen) {
    LINE (self, line, stage, seen);
    s_write_agent_hello (line);
    dw_caller_write_agent (self, line, s_uuid, ++self->incarnation, UINT32_MAX);
    return s_expect_refused (line, 503, seen);
}

/* An agent that offers so many names of one letter, and says no tags; its host has so many
 * bytes. */
static void s_write_offer (dw_caller_t *self, dw_line_t *line, uint32_t names, size_t host) {
    static char letters[300];
    memset (letters, 'h', sizeof letters);
    s_write_agent_hello (line);
    dw_write_agent (&line->out.head, &(dw_wire_agent_t){.uuid = s_uuid,
                                                        .incarnation = ++self->incarnation,
                                                        .slots = 1,
                                                        .pid = 1,
                                                        .host = letters,
                                                        .host_size = host,
                                                        .processors_count = names});
    for (uint32_t i = 0; i < names; i++)
        dw_write_str (&line->out.head, "?", 1);
    dw_write_array (&line->out.head, 0);
}

static dw_verdict_t s_agent_offers_nothing (void *stage, char *seen) {
    LINE (self, line, stage, seen);
    s_write_offer (self, line, 0, 4);
    return s_expect_refused (line, 404, seen);
}

static dw_verdict_t s_agent_offers_too_much (void *stage, char *seen) {
    LINE (self, line, stage, seen);
    s_write_offer (self, line, DW_WIRE_OFFERED_MAX + 1, 4);
    return s_expect_refused (line, 400, seen);
}

static dw_verdict_t s_agent_host (void *stage, char *seen) {
    LINE (self, line, stage, seen);
    s_write_offer (self, line, 1, 256);
    return s_expect_refused (line, 400, seen);
}

/* ---- Asked ------------------------------------------------------------------------------------ */

static dw_verdict_t s_beat (void *stage, char *seen) {
    CLIENT (self, line, stage, seen);
    dw_line_say (line, DW_WIRE_BEAT);
    return dw_line_receive (line, DW_CALLER_ANSWER) && line->type == DW_WIRE_BEAT
               ? dw_case_pass (seen, "BEAT")
               : dw_case_fail (seen, "%s", line->in.count ? "something else" : "no answer");
}

static dw_verdict_t s_status (void *stage, char *seen) {
    CLIENT (self, line, stage, seen);
    dw_line_say (line, DW_WIRE_STATUS);
    if (!dw_line_await (line, DW_WIRE_STATUS, DW_CALLER_ANSWER))
        return dw_case_fail (seen, "no STATUS");
    size_t size;
    bool has_name = dw_read_str (&line->reader, 255, &size) != NULL;
    uint32_t count = dw_read_array (&line->reader);
    uint64_t nodes = dw_read_uint (&line->reader);
    if (!has_name || line->reader.is_damaged || count < 21)
        return dw_case_fail (seen, "a STATUS with %u numbers, of at least 21", (unsigned) count);
    return nodes == self->nodes_count
               ? dw_case_pass (seen, "%u numbers", (unsigned) count)
               : dw_case_fail (seen, "%llu nodes, and WELCOME named %u", (unsigned long long) nodes,
                               (unsigned) self->nodes_count);
}

static void s_ask_where (dw_line_t *line, const char *name) {
    dw_write_uint (&line->out.head, DW_WIRE_WHERE);
    dw_write_str (&line->out.head, name, strlen (name));
    dw_line_send (line);
}

static dw_verdict_t s_where (void *stage, char *seen) {
    LINE (self, line, stage, seen);
    s_ask_where (line, "");
    if (!dw_line_await (line, DW_WIRE_MOVED, DW_CALLER_ANSWER))
        return dw_case_fail (seen, "no MOVED");
    uint64_t place = dw_read_uint (&line->reader);
    uint32_t count = dw_read_array (&line->reader);
    return place == 0 && !line->reader.is_damaged && count >= 1 && count <= 64
               ? dw_case_pass (seen, "here, of %u graphs", (unsigned) count)
               : dw_case_fail (seen, "place %llu, %u graphs", (unsigned long long) place,
                               (unsigned) count);
}

static dw_verdict_t s_where_unknown (void *stage, char *seen) {
    LINE (self, line, stage, seen);
    s_ask_where (line, "there is no graph of this name");
    if (!dw_line_await (line, DW_WIRE_MOVED, DW_CALLER_ANSWER))
        return dw_case_fail (seen, "no MOVED");
    return dw_read_nil (&line->reader) ? dw_case_pass (seen, "nil")
                                       : dw_case_fail (seen, "a place");
}

/* ---- What may not be said --------------------------------------------------------------------- */

/* Nothing came of it, and a client is served as before. */
static dw_verdict_t s_expect_ignored (dw_line_t *line, char *seen) {
    if (!dw_line_is_quiet (line, seen))
        return DW_VERDICT_FAILED;
    dw_line_say (line, DW_WIRE_BEAT);
    return dw_line_receive (line, DW_CALLER_ANSWER) && line->type == DW_WIRE_BEAT
               ? dw_case_pass (seen, "no answer, and BEAT is answered")
               : dw_case_fail (seen, "after it BEAT is not answered");
}

static dw_verdict_t s_unknown_type (void *stage, char *seen) {
    CLIENT (self, line, stage, seen);
    static const uint8_t types[] = {DW_WIRE_TYPES, 99, 127};
    for (size_t i = 0; i < sizeof types; i++)
        dw_line_say (line, types[i]);
    return s_expect_ignored (line, seen);
}

static dw_verdict_t s_empty_head (void *stage, char *seen) {
    CLIENT (self, line, stage, seen);
    dw_line_send_bytes (line, "", 0);
    return s_expect_ignored (line, seen);
}

static dw_verdict_t s_no_type (void *stage, char *seen) {
    CLIENT (self, line, stage, seen);
    static const uint8_t heads[][3] = {{0xc1, 0, 0}, {0xa2, 'n', 'o'}, {0xff, 1, 2}, {0x91, 0, 0}};
    for (size_t i = 0; i < sizeof heads / sizeof *heads; i++)
        dw_line_send_bytes (line, heads[i], sizeof heads[i]);
    return s_expect_ignored (line, seen);
}

static dw_verdict_t s_foreign_number (void *stage, char *seen) {
    CLIENT (self, line, stage, seen);
    dw_line_t *other = dw_caller_client (self, NULL, 0, seen);
    if (!other)
        return DW_VERDICT_SKIPPED;
    uint32_t own = line->peer;
    line->peer = other->peer;
    dw_line_say (line, DW_WIRE_BEAT);
    dw_line_say (line, DW_WIRE_STATUS);
    dw_line_say (line, DW_WIRE_BYE);
    line->peer = own;
    if (s_expect_ignored (line, seen) != DW_VERDICT_PASSED)
        return DW_VERDICT_FAILED;
    return s_expect_ignored (other, seen);
}

static dw_verdict_t s_nobody (void *stage, char *seen) {
    LINE (self, line, stage, seen);
    line->peer = 3;
    dw_line_say (line, DW_WIRE_BEAT);
    dw_line_say (line, DW_WIRE_STATUS);
    bool is_quiet = dw_line_is_quiet (line, seen);
    line->peer = UINT32_MAX;
    return is_quiet ? dw_case_pass (seen, "no answer") : DW_VERDICT_FAILED;
}

static dw_verdict_t s_workers_words (void *stage, char *seen) {
    CLIENT (self, line, stage, seen);
    static const dw_wire_type_t types[] = {DW_WIRE_ANSWERS, DW_WIRE_DRAIN, DW_WIRE_ENDED};
    for (size_t i = 0; i < sizeof types / sizeof *types; i++)
        dw_line_say (line, types[i]);
    return s_expect_ignored (line, seen);
}

static dw_verdict_t s_owners_words (void *stage, char *seen) {
    CLIENT (self, line, stage, seen);
    static const dw_wire_type_t types[] = {DW_WIRE_CLOSE, DW_WIRE_COUNT, DW_WIRE_RELOAD,
                                           DW_WIRE_REFER};
    for (size_t i = 0; i < sizeof types / sizeof *types; i++)
        dw_line_say (line, types[i]);
    return s_expect_ignored (line, seen);
}

static dw_verdict_t s_own_words (void *stage, char *seen) {
    CLIENT (self, line, stage, seen);
    static const dw_wire_type_t types[] = {
        DW_WIRE_WELCOME, DW_WIRE_REFUSED, DW_WIRE_TASKS,  DW_WIRE_CANCEL,  DW_WIRE_STOP,
        DW_WIRE_RESULTS, DW_WIRE_CLOSED,  DW_WIRE_COUNTS, DW_WIRE_REPLACE, DW_WIRE_DROP,
        DW_WIRE_STALLED, DW_WIRE_MOVED,   DW_WIRE_GRAPH};
    for (size_t i = 0; i < sizeof types / sizeof *types; i++)
        dw_line_say (line, types[i]);
    return s_expect_ignored (line, seen);
}

static dw_verdict_t s_many_frames (void *stage, char *seen) {
    CLIENT (self, line, stage, seen);
    dw_write_uint (&line->out.head, 99);
    for (int i = 0; i < 20000; i++) {
        zmq_msg_t frame;
        zmq_msg_init (&frame);
        dw_packet_lend (&line->out, &frame);
        zmq_msg_close (&frame);
    }
    dw_line_send (line);
    return s_expect_ignored (line, seen);
}

static dw_verdict_t s_silent (void *stage, char *seen) {
    dw_caller_t *self = stage;
    for (int i = 0; i < 5; i++)
        if (!dw_caller_line (self))
            return dw_case_skip (seen, "no socket for a line");
    return dw_caller_client (self, NULL, 0, seen) ? dw_case_pass (seen, "WELCOME beside 5 of them")
                                                  : DW_VERDICT_FAILED;
}

static dw_verdict_t s_bye (void *stage, char *seen) {
    CLIENT (self, line, stage, seen);
    dw_line_say (line, DW_WIRE_BYE);
    dw_line_say (line, DW_WIRE_BEAT);
    bool is_quiet = dw_line_is_quiet (line, seen);
    line->peer = UINT32_MAX;
    return is_quiet ? dw_case_pass (seen, "no answer") : DW_VERDICT_FAILED;
}

static const dw_case_t s_cases[] = {
    {"client", WELCOME,
     "A client is told its number, limits, ids and sinks, a pulse that makes sense, and a name.",
     s_client},
    {"session", WELCOME, "A client that says who it is has a session of 16 bytes.", s_session},
    {"session-earlier", "Who is there, A client that comes again",
     "Of one uuid an incarnation that is no later is REFUSED 503.", s_session_earlier},
    {"hello-range", VERSIONS, "Of versions 2 to 9 the third is chosen: WELCOME.", s_range},
    {"hello-newer", VERSIONS,
     "Versions 46 to 47 are REFUSED 400, by a text with those of both sides.", s_newer},
    {"hello-version-2", VERSIONS, "Version 2, which said no oldest, is REFUSED 400.", s_version_2},
    {"hello-oldest-newer", VERSIONS, "An oldest that is newer than the newest is REFUSED 400.",
     s_oldest_newer},
    {"hello-magic", HELLO, "Another word than dagwood is REFUSED 400.", s_magic},
    {"hello-short-token", HELLO, "A token of 15 bytes is REFUSED 400.", s_short_token},
    {"hello-cut", HELLO, "A HELLO that is cut is REFUSED 400.", s_cut},
    {"hello-long", "Encoding", "Integers and lengths are read in every form.", s_long},
    {"hello-more", COUNTED, "Values behind the last that HELLO has are ignored.", s_more},
    {"hello-twice", REFUSED, "A second HELLO of a connection is REFUSED 400.", s_twice},
    {"role-owner", PEERS, "Where it listens the role of owner is REFUSED 403.", s_owner},
    {"role-none", PEERS, "Role 0 is REFUSED 403.", s_no_role},
    {"role-unknown", PEERS, "Role 77 is REFUSED.", s_unknown_role},
    {"worker-alone", REFUSED, "A worker whom no agent's WELCOME has named is REFUSED 400.",
     s_worker_alone},
    {"agent-cut", HELLO, "An agent that says nothing of itself is REFUSED 400.", s_agent_cut},
    {"agent-no-slots", HELLO, "An agent without slots is REFUSED 400.", s_agent_no_slots},
    {"agent-many-slots", "Limits", "An agent with more slots than there are places is REFUSED 503.",
     s_agent_many_slots},
    {"agent-offers-nothing", HELLO, "An agent that serves no lane is REFUSED 404.",
     s_agent_offers_nothing},
    {"agent-offers-too-much", "Limits", "An agent that offers 4,097 names is REFUSED 400.",
     s_agent_offers_too_much},
    {"agent-host", "Limits", "A host of 256 bytes is REFUSED 400.", s_agent_host},
    {"beat", "Messages, BEAT", "BEAT of a client is answered by BEAT.", s_beat},
    {"status", "Messages, STATUS", "STATUS is answered, with at least 21 numbers.", s_status},
    {"where", "Messages, WHERE", "Before HELLO it says where the first graph is: here.", s_where},
    {"where-unknown", "Messages, WHERE", "Of a graph that it has not the place is nil.",
     s_where_unknown},
    {"unknown-type", COUNTED, "A message of a type that is unknown is not answered.",
     s_unknown_type},
    {"empty-head", COUNTED, "A message without a head is not answered.", s_empty_head},
    {"no-type", COUNTED, "A message whose type is no integer is not answered.", s_no_type},
    {"foreign-number", PEERS,
     "A number that came by another connection than its HELLO is nobody's.", s_foreign_number},
    {"nobody", COUNTED, "Who has said no HELLO is nobody.", s_nobody},
    {"workers-words", PEERS, "What workers and agents say is not answered to a client.",
     s_workers_words},
    {"owners-words", PEERS, "What the owner says nothing comes of where it listens.",
     s_owners_words},
    {"own-words", PEERS, "What a coordinator says is not answered to a client.", s_own_words},
    {"many-frames", COUNTED, "20,000 frames that nothing refers to are ignored.", s_many_frames},
    {"silent", "Limits", "Connections that say nothing hold nobody up.", s_silent},
    {"bye", "Messages, BYE", "Who has said BYE is nobody.", s_bye},
};

const dw_cases_t dw_cases_coordinator_entry = {s_cases, sizeof s_cases / sizeof *s_cases};
