/* caller.c */

#include "cli/conformance/caller.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

#include "actors/clock.h"
#include "actors/offer.h"
#include "cli/command.h"

#define NO_VERSION 9u /* that nobody speaks */
#define CREDIT     64u
#define CONNECT_MS 3000

const uint8_t dw_line_no_token[DW_WIRE_TOKEN_SIZE];

/* ---- Lines ------------------------------------------------------------------------------------ */

dw_line_t *dw_caller_line (dw_caller_t *self) {
    if (self->lines_count == DW_CALLER_LINES)
        return NULL;
    dw_line_t *line = &self->lines[self->lines_count];
    *line = (dw_line_t){.peer = UINT32_MAX};
    if (dw_link_open (&line->link, self->context, self->endpoint, &self->keys, NULL))
        return NULL;
    self->lines_count++;
    return line;
}

void dw_line_cut (dw_line_t *self) {
    dw_link_close (&self->link);
    self->peer = UINT32_MAX;
}

void dw_line_send (dw_line_t *self) {
    if (self->link.socket)
        dw_packet_send (&self->out, self->link.socket, NULL, 0);
    else
        dw_packet_clear (&self->out);
}

void dw_line_send_bytes (dw_line_t *self, const void *bytes, size_t size) {
    dw_packet_append (&self->out, bytes, size);
    dw_line_send (self);
}

void dw_line_say (dw_line_t *self, dw_wire_type_t type) {
    dw_write_uint (&self->out.head, type);
    dw_write_uint (&self->out.head, self->peer);
    dw_line_send (self);
}

bool dw_line_take (dw_line_t *self) {
    if (!self->link.socket || dw_message_receive (&self->in, self->link.socket))
        return false;
    self->reader = dw_wire_reader (zmq_msg_data (&self->in.frames[0]),
                                   zmq_msg_size (&self->in.frames[0]));
    self->type = dw_read_uint_max (&self->reader, UINT32_MAX);
    if (self->reader.is_damaged)
        self->type = DW_WIRE_TYPES;
    return true;
}

bool dw_line_receive (dw_line_t *self, int ms) {
    return self->link.socket &&
           dw_link_wait (&self->link, dw_clock_ns () + (int64_t) ms * 1000000,
                         &(dw_link_stop_t){0}) == DW_OK &&
           dw_line_take (self);
}

bool dw_line_await (dw_line_t *self, uint32_t type, int ms) {
    int64_t deadline_ns = dw_clock_ns () + (int64_t) ms * 1000000;
    for (;;) {
        int64_t left_ns = deadline_ns - dw_clock_ns ();
        if (!dw_line_receive (self, left_ns > 0 ? (int) (left_ns / 1000000) : 0))
            return false;
        if (self->type == type)
            return true;
        if (left_ns <= 0)
            return false;
    }
}

/* Says what came last, REFUSED with its text. */
void dw_line_say_what_came (dw_line_t *self, char *seen) {
    char type[40];
    dw_wire_reader_t reader = self->reader;
    uint32_t code = self->type == DW_WIRE_REFUSED ? dw_read_uint_max (&reader, 999) : 0;
    size_t size = 0;
    const char *text = code ? dw_read_str (&reader, 4096, &size) : NULL;
    if (text) {
        dw_case_fail (seen, "REFUSED %u: %.*s", (unsigned) code, size < 150 ? (int) size : 150,
                      text);
    } else {
        dw_case_fail (seen, "%s", dw_case_type (self->type, type));
    }
}

bool dw_line_is_refused (dw_line_t *self, uint32_t code, uint64_t run, char *seen) {
    if (!dw_line_receive (self, DW_CALLER_ANSWER)) {
        dw_case_fail (seen, "no answer");
        return false;
    }
    dw_line_say_what_came (self, seen);
    if (self->type != DW_WIRE_REFUSED)
        return false;
    size_t size;
    uint32_t said = dw_read_uint_max (&self->reader, 999);
    bool has_text = dw_read_str (&self->reader, 4096, &size) != NULL;
    uint64_t of = dw_read_uint (&self->reader);
    return !self->reader.is_damaged && has_text && (code == 0 || said == code) &&
           (run == UINT64_MAX || of == run);
}

bool dw_line_is_quiet (dw_line_t *self, char *seen) {
    dw_line_write_hello (self, NO_VERSION, NO_VERSION, DW_WIRE_CLIENT, dw_line_no_token, 0, 0);
    dw_line_send (self);
    if (!dw_line_receive (self, DW_CALLER_ANSWER)) {
        dw_case_fail (seen, "after it the connection is of no use: no HELLO is answered");
        return false;
    }
    dw_wire_reader_t reader = self->reader;
    if (self->type == DW_WIRE_REFUSED && dw_read_uint (&reader) == 400) {
        size_t size;
        const char *text = dw_read_str (&reader, 4096, &size);
        if (text && memmem (text, size, "9", 1))
            return true;
    }
    dw_line_say_what_came (self, seen);
    return false;
}

/* ---- Init ------------------------------------------------------------------------------------- */

int dw_caller_init (dw_caller_t *self, const dw_connect_options_t *connect, const char *processor) {
    char seen[DW_SEEN_BYTES];
    dw_error_t *error = dw_error_new ();
    self->endpoint = connect->endpoint;
    self->processor = processor;
    self->stock = dw_processors_new ();
    self->context = zmq_ctx_new ();
    struct timespec now;
    clock_gettime (CLOCK_REALTIME, &now);
    self->incarnation = (uint64_t) now.tv_sec;
    int err = self->stock && self->context ? dw_link_keys_read (&self->keys, connect, error)
                                           : DW_ENOMEM;
    dw_line_t probe = {.peer = UINT32_MAX};
    if (!err)
        err = dw_link_open (&probe.link, self->context, self->endpoint, &self->keys, error);
    if (!err && !dw_line_is_quiet (&probe, seen) && !probe.in.count)
        err = dw_link_blame (&probe.link, self->endpoint, self->keys.has_keys, error);
    dw_link_close (&probe.link);
    dw_packet_free (&probe.out);
    dw_message_free (&probe.in);
    int status = err ? dw_command_fail (err, error, self->endpoint) : DW_EXIT_OK;
    dw_error_destroy (&error);
    return err == DW_EINVAL ? DW_EXIT_USAGE : status;
}

void dw_caller_hang_up (dw_caller_t *self) {
    for (uint32_t i = 0; i < self->lines_count; i++) {
        dw_line_t *line = &self->lines[i];
        if (line->link.socket && line->peer != UINT32_MAX)
            dw_line_say (line, DW_WIRE_BYE);
        dw_link_close (&line->link);
        dw_packet_free (&line->out);
        dw_message_free (&line->in);
    }
    self->lines_count = 0;
    dw_caller_forget (self);
}

void dw_caller_free (dw_caller_t *self) {
    dw_caller_hang_up (self);
    if (self->context)
        zmq_ctx_term (self->context);
    dw_link_keys_wipe (&self->keys);
    dw_processors_destroy (&self->stock);
}

/* ---- HELLO ------------------------------------------------------------------------------------ */

void dw_line_write_hello (dw_line_t *self, uint32_t version, uint32_t oldest, uint32_t role,
                          const uint8_t *token, uint32_t number, uint32_t credit) {
    dw_wire_hello_t hello = {.version = version,
                             .oldest = oldest,
                             .role = role,
                             .token = token,
                             .number = number,
                             .credit = credit};
    dw_write_hello (&self->out.head, &hello);
}

void dw_line_say_hello (dw_line_t *self, uint32_t role) {
    dw_line_write_hello (self, DW_WIRE_VERSION, DW_WIRE_OLDEST, role, dw_line_no_token, 0,
                         role == DW_WIRE_WORKER ? CREDIT : 0);
    dw_line_send (self);
}

/* A client's WELCOME; the number of nodes is kept. */
static bool s_read_client_welcome (dw_caller_t *self, dw_line_t *line, bool has_session) {
    dw_wire_reader_t *reader = &line->reader;
    size_t size;
    zmq_msg_t *frame;
    line->peer = dw_read_uint_max (reader, UINT32_MAX);
    uint64_t runs_max = dw_read_uint (reader);
    self->payload_max = dw_read_uint (reader);
    dw_ref_t ref = dw_read_ref (reader);
    const uint8_t *ids = dw_message_resolve (&line->in, 0, &ref, reader, &size, &frame);
    if (!ids || runs_max == 0)
        return false;
    dw_wire_reader_t names = dw_wire_reader (ids, size);
    self->nodes_count = dw_read_array (&names);
    for (uint32_t i = 0; i < self->nodes_count && !names.is_damaged; i++)
        (void) dw_read_str (&names, UINT32_MAX, &size);
    uint32_t sinks = dw_read_array (&names);
    for (uint32_t i = 0; i < sinks && !names.is_damaged; i++)
        if (dw_read_uint (&names) >= self->nodes_count)
            return false;
    uint32_t heartbeat_ms = dw_read_uint_max (reader, UINT32_MAX);
    uint32_t silence_ms = dw_read_uint_max (reader, UINT32_MAX);
    (void) dw_read_str (reader, 255, &size);
    bool is_session = true;
    if (has_session)
        is_session = dw_read_bin (reader, DW_WIRE_UUID_SIZE, &size) && size == DW_WIRE_UUID_SIZE;
    return !reader->is_damaged && !names.is_damaged && is_session &&
           dw_wire_is_pulse (heartbeat_ms, silence_ms);
}

dw_line_t *dw_caller_client (dw_caller_t *self, const uint8_t *uuid, uint64_t incarnation,
                             char *seen) {
    dw_line_t *line = dw_caller_line (self);
    if (!line) {
        dw_case_fail (seen, "no socket for a client");
        return NULL;
    }
    dw_line_write_hello (line, DW_WIRE_VERSION, DW_WIRE_OLDEST, DW_WIRE_CLIENT, dw_line_no_token, 0,
                         0);
    if (uuid) {
        dw_write_identity (&line->out.head,
                           &(dw_wire_identity_t){.uuid = uuid, .incarnation = incarnation});
    }
    dw_line_send (line);
    if (!dw_line_receive (line, DW_CALLER_ANSWER)) {
        dw_case_fail (seen, "the HELLO of a client was not answered");
        return NULL;
    }
    if (line->type != DW_WIRE_WELCOME) {
        dw_line_say_what_came (line, seen);
        return NULL;
    }
    if (!s_read_client_welcome (self, line, uuid != NULL)) {
        dw_case_fail (seen, "a WELCOME that makes no sense");
        line->peer = UINT32_MAX;
        return NULL;
    }
    return line;
}

void dw_caller_write_agent (dw_caller_t *self, dw_line_t *line, const uint8_t *uuid,
                            uint64_t incarnation, uint32_t slots) {
    static const char host[] = "conformance";
    dw_writer_t *head = &line->out.head;
    dw_offer_t offer = {.processors = self->stock};
    uint32_t stock = dw_offer_processors_count (&offer);
    dw_wire_agent_t agent = {.uuid = uuid,
                             .incarnation = incarnation,
                             .slots = slots,
                             .pid = (uint64_t) getpid (),
                             .host = host,
                             .host_size = strlen (host),
                             .processors_count = stock + (self->processor ? 1 : 0)};
    dw_write_agent (head, &agent);
    if (self->processor)
        dw_write_str (head, self->processor, strlen (self->processor));
    dw_offer_write (&offer, head);
}

bool dw_line_read_agent_welcome (dw_line_t *self, dw_crowd_t *crowd, char *seen) {
    dw_wire_welcome_t welcome;
    size_t size;
    zmq_msg_t *frame;
    if (!dw_read_welcome (&self->reader, &welcome)) {
        dw_case_fail (seen, "a WELCOME that cannot be read");
        return false;
    }
    if (!dw_message_resolve (&self->in, 0, &welcome.graph, &self->reader, &size, &frame) ||
        welcome.workers_count != crowd->slots_count) {
        dw_case_fail (seen, "a WELCOME without a graph, or with %u numbers",
                      (unsigned) welcome.workers_count);
        return false;
    }
    for (uint32_t i = 0; i < crowd->slots_count; i++) {
        crowd->numbers[i] = dw_read_uint_max (&self->reader, UINT32_MAX);
        if (i > 0 && crowd->numbers[i] <= crowd->numbers[i - 1]) {
            dw_case_fail (seen, "numbers that do not ascend");
            return false;
        }
    }
    (void) dw_read_uint (&self->reader);
    uint32_t traits = dw_read_array (&self->reader);
    dw_wire_trait_t trait;
    for (uint32_t i = 0; i < traits && dw_read_trait (&self->reader, &trait); i++) {
    }
    if (self->reader.is_damaged) {
        dw_case_fail (seen, "lanes or traits that cannot be read");
        return false;
    }
    self->peer = welcome.peer;
    crowd->heartbeat_ms = welcome.heartbeat_ms;
    crowd->silence_ms = welcome.silence_ms;
    memcpy (crowd->token, welcome.token, sizeof crowd->token);
    return true;
}

bool dw_caller_agent (dw_caller_t *self, dw_crowd_t *crowd, uint32_t slots, char *seen) {
    *crowd = (dw_crowd_t){.slots_count = slots, .agent = dw_caller_line (self)};
    if (!crowd->agent || getrandom (crowd->uuid, sizeof crowd->uuid, 0) < 0) {
        dw_case_fail (seen, "no socket for an agent");
        return false;
    }
    dw_line_write_hello (crowd->agent, DW_WIRE_VERSION, DW_WIRE_OLDEST, DW_WIRE_AGENT,
                         dw_line_no_token, 0, 0);
    dw_caller_write_agent (self, crowd->agent, crowd->uuid, ++self->incarnation, slots);
    dw_line_send (crowd->agent);
    if (!dw_line_receive (crowd->agent, DW_CALLER_ANSWER)) {
        dw_case_fail (seen, "the HELLO of an agent was not answered");
        return false;
    }
    if (crowd->agent->type != DW_WIRE_WELCOME) {
        dw_line_say_what_came (crowd->agent, seen);
        return false;
    }
    return dw_line_read_agent_welcome (crowd->agent, crowd, seen);
}

bool dw_caller_slot (dw_caller_t *self, dw_crowd_t *crowd, uint32_t slot, char *seen) {
    dw_line_t *line = dw_caller_line (self);
    if (!line) {
        dw_case_fail (seen, "no socket for a slot");
        return false;
    }
    dw_line_write_hello (line, DW_WIRE_VERSION, DW_WIRE_OLDEST, DW_WIRE_WORKER, crowd->token,
                         crowd->numbers[slot], CREDIT);
    dw_line_send (line);
    if (!dw_line_receive (line, DW_CALLER_ANSWER)) {
        dw_case_fail (seen, "the HELLO of a slot was not answered");
        return false;
    }
    if (line->type != DW_WIRE_WELCOME) {
        dw_line_say_what_came (line, seen);
        return false;
    }
    line->peer = dw_read_uint_max (&line->reader, UINT32_MAX);
    crowd->slots[slot] = line;
    return !line->reader.is_damaged;
}

bool dw_caller_crowd (dw_caller_t *self, dw_crowd_t *crowd, uint32_t slots, char *seen) {
    if (!dw_caller_agent (self, crowd, slots, seen))
        return false;
    for (uint32_t i = 0; i < slots; i++)
        if (!dw_caller_slot (self, crowd, i, seen))
            return false;
    return true;
}
