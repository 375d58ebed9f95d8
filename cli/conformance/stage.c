/* stage.c */

#include "cli/conformance/stage.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "actors/clock.h"
#include "actors/endpoint.h"
#include "actors/option.h"
#include "cli/command.h"
#include "cli/conformance/case.h"

#define HANDSHAKE_MS   5000
#define LINGER_MS      100
#define REBIND_TRIES   200
#define REBIND_NS      INT64_C (10000000)
#define GRAPH          "conformance"
#define GREETING_BYTES (1u << 20) /* of HELLO, that are kept */
#define LOOK_NS        INT64_C (20000000)
#define LAST_WORDS_NS  INT64_C (500000000) /* for what was said by a process that has ended */

static const int s_signals[] = {SIGINT, SIGTERM, 0};

int64_t dw_stage_in (int64_t ms) {
    return dw_clock_ns () + ms * 1000000;
}

/* ---- Listening -------------------------------------------------------------------------------- */

static int s_guard (dw_stage_t *self, dw_error_t *error) {
    dw_zap_limits_t limits = {.message_bytes_max = DW_STAGE_BYTES_MAX,
                              .handshake_ms = HANDSHAKE_MS};
    int err = self->zap ? DW_OK : dw_keyring_open (&self->keyring, self->keys, error);
    if (!err && !self->zap)
        err = dw_zap_new (&self->zap, self->context, self->keyring.allowed, error);
    return err ? err : dw_zap_guard (self->zap, self->router, &self->keyring.keys, &limits, error);
}

static int s_listen (dw_stage_t *self, const char *endpoint, dw_error_t *error) {
    static const dw_socket_option_t options[] = {
        DW_SOCKET_OPTION (ZMQ_LINGER, LINGER_MS),
        DW_SOCKET_OPTION (ZMQ_SNDHWM, 0),
        DW_SOCKET_OPTION (ZMQ_HANDSHAKE_IVL, HANDSHAKE_MS),
        DW_SOCKET_OPTION (ZMQ_MAXMSGSIZE, DW_STAGE_BYTES_MAX),
    };
    char bound[DW_STAGE_ENDPOINT];
    self->router = zmq_socket (self->context, ZMQ_ROUTER);
    if (!self->router)
        return DW_ELIMIT;
    int err = dw_option_set_mandatory (self->router, error);
    if (!err) {
        err = dw_socket_options_set (self->router, options, sizeof options / sizeof *options,
                                     error);
    }
    if (!err && !dw_option_set_text (self->router, ZMQ_ZAP_DOMAIN, DW_ZAP_DOMAIN))
        err = DW_ELIMIT;
    if (!err && self->keys)
        err = s_guard (self, error);
    if (!err)
        err = dw_endpoint_bind (self->router, endpoint, bound, sizeof bound, error);
    if (!err)
        memcpy (self->endpoint, bound, sizeof bound);
    return err;
}

static void s_hang_up (dw_stage_t *self) {
    if (self->router)
        zmq_close (self->router);
    self->router = NULL;
    dw_message_clear (&self->in);
    dw_packet_clear (&self->out);
    self->ends_count = 0;
}

int dw_stage_open (dw_stage_t *self, const char *endpoint, const char *keys) {
    dw_error_t *error = dw_error_new ();
    self->keys = keys;
    self->signals.fd = -1;
    self->context = zmq_ctx_new ();
    int err = self->context ? s_listen (self, endpoint, error) : DW_ELIMIT;
    int status = err ? dw_command_fail (err, error, endpoint) : DW_EXIT_OK;
    if (err == DW_EINVAL)
        status = DW_EXIT_USAGE;
    dw_error_destroy (&error);
    return status ? status : dw_signals_catch (&self->signals, s_signals);
}

void dw_stage_close (dw_stage_t *self) {
    dw_subject_kill (&self->subject);
    dw_wall_clock_close (&self->wall_clock);
    s_hang_up (self);
    dw_zap_destroy (&self->zap);
    dw_keyring_close (&self->keyring);
    if (self->context)
        zmq_ctx_term (self->context);
    if (self->signals.fd >= 0)
        dw_signals_release (&self->signals);
    dw_message_free (&self->in);
    dw_packet_free (&self->out);
    dw_writer_free (&self->greeting);
}

/* ZeroMQ lets go of the place where it listened a moment after it was told to. */
int dw_stage_cut (dw_stage_t *self) {
    char endpoint[DW_STAGE_ENDPOINT];
    memcpy (endpoint, self->endpoint, sizeof endpoint);
    s_hang_up (self);
    dw_error_t *error = NULL;
    int err = DW_EINVAL;
    for (int tries = 0; err && tries < REBIND_TRIES; tries++) {
        dw_error_destroy (&error);
        error = dw_error_new ();
        err = s_listen (self, endpoint, error);
        if (err) {
            s_hang_up (self);
            (void) usleep (REBIND_NS / 1000);
        }
    }
    int status = err ? dw_command_fail (err, error, endpoint) : DW_EXIT_OK;
    dw_error_destroy (&error);
    return status;
}

int dw_stage_renew (dw_stage_t *self) {
    if (self->subject.words)
        dw_subject_kill (&self->subject);
    self->status = dw_stage_cut (self);
    self->is_deaf = self->status != DW_EXIT_OK;
    if (!self->status && self->subject.words)
        self->status = dw_subject_start (&self->subject, self->endpoint);
    return self->status;
}

bool dw_stage_prepare (dw_stage_t *self, const char *peer, char *why) {
    if (self->is_idle || self->interrupted) {
        snprintf (why, DW_SEEN_BYTES, "there was no %s any more that said HELLO", peer);
        return false;
    }
    if (dw_stage_renew (self)) {
        snprintf (why, DW_SEEN_BYTES, "%s",
                  self->is_deaf ? "the endpoint could not be listened at again"
                                : "the command cannot be started");
        return false;
    }
    return true;
}

/* ---- A clock ---------------------------------------------------------------------------------- */

bool dw_stage_lend_clock (dw_stage_t *self, char *why) {
    if (!self->subject.words) {
        snprintf (why, DW_SEEN_BYTES,
                  "who was not started by this command has a clock that it cannot set");
    } else if (!self->wall_clock.library) {
        snprintf (why, DW_SEEN_BYTES, "libfaketime was not found, with which its clock is set");
    } else {
        dw_subject_kill (&self->subject);
        self->subject.wall_clock = &self->wall_clock;
    }
    return self->subject.wall_clock != NULL;
}

bool dw_stage_has_clock (const dw_stage_t *self, char *why) {
    bool has = dw_wall_clock_is_in (&self->wall_clock, self->subject.pid);
    if (!has)
        snprintf (why, DW_SEEN_BYTES, "libfaketime did not get into it: is it linked statically?");
    return has;
}

void dw_stage_blame_clock (char *why) {
    char reason[DW_SEEN_BYTES];
    memcpy (reason, why, sizeof reason);
    snprintf (why, DW_SEEN_BYTES, "with libfaketime: %.280s", reason);
}

void dw_stage_take_clock (dw_stage_t *self) {
    dw_subject_kill (&self->subject);
    self->subject.wall_clock = NULL;
}

/* ---- Taking in -------------------------------------------------------------------------------- */

static uint32_t s_find (const dw_stage_t *self, const void *id, size_t size) {
    uint32_t end = 0;
    while (end < self->ends_count &&
           (self->ends[end].id_size != size || memcmp (self->ends[end].id, id, size) != 0))
        end++;
    return end < self->ends_count ? end : DW_STAGE_NONE;
}

static uint32_t s_add (dw_stage_t *self, const void *id, size_t size) {
    if (self->ends_count == DW_STAGE_ENDS || size > sizeof self->ends[0].id)
        return DW_STAGE_NONE;
    dw_end_t *end = &self->ends[self->ends_count];
    *end = (dw_end_t){.id_size = size};
    memcpy (end->id, id, size);
    return self->ends_count++;
}

static void s_keep_greeting (dw_stage_t *self) {
    const zmq_msg_t *head = &self->in.frames[1];
    size_t size = zmq_msg_size (head);
    if (size > GREETING_BYTES)
        return;
    dw_writer_clear (&self->greeting);
    uint8_t *at = dw_writer_room (&self->greeting, size + 1);
    if (at) {
        memcpy (at, zmq_msg_data ((zmq_msg_t *) (uintptr_t) head), size);
        self->greeting.count = size;
    }
}

/* A copy of the reader is read: the case may read it, too. */
static void s_on_hello (dw_stage_t *self) {
    dw_end_t *end = &self->ends[self->from];
    dw_wire_reader_t reader = self->reader;
    end->has_greeted = true;
    end->is_hello = dw_read_hello (&reader, &end->hello);
    if (end->is_hello && end->hello.token)
        memcpy (end->token, end->hello.token, sizeof end->token);
    end->hello.token = NULL; /* it is the message's */
    if (end->hello.role != DW_WIRE_WORKER)
        s_keep_greeting (self);
}

static void s_answer_where (dw_stage_t *self) {
    dw_writer_t *head = &self->out.head;
    dw_packet_clear (&self->out);
    dw_write_uint (head, DW_WIRE_MOVED);
    dw_write_uint (head, 0);
    dw_write_array (head, 1);
    dw_write_str (head, GRAPH, strlen (GRAPH));
    zmq_msg_t *id = &self->in.frames[0];
    dw_packet_send (&self->out, self->router, zmq_msg_data (id), zmq_msg_size (id));
}

/* Looks at the message that came: false: it is not for the case. */
static bool s_look (dw_stage_t *self) {
    zmq_msg_t *id = &self->in.frames[0];
    if (self->in.count < 2)
        return false; /* a routing id alone: no peer can send that */
    zmq_msg_t *head = &self->in.frames[1];
    self->reader = dw_wire_reader (zmq_msg_data (head), zmq_msg_size (head));
    self->type = dw_read_uint_max (&self->reader, UINT32_MAX);
    if (self->reader.is_damaged)
        self->type = DW_WIRE_TYPES;
    if (self->type == DW_WIRE_WHERE) {
        s_answer_where (self);
        return false;
    }
    self->from = s_find (self, zmq_msg_data (id), zmq_msg_size (id));
    if (self->from == DW_STAGE_NONE)
        self->from = s_add (self, zmq_msg_data (id), zmq_msg_size (id));
    if (self->from == DW_STAGE_NONE)
        return false;
    dw_end_t *end = &self->ends[self->from];
    if (self->type == DW_WIRE_HELLO && !end->has_greeted)
        s_on_hello (self);
    else
        end->messages_count++;
    end->has_left |= self->type == DW_WIRE_BYE;
    return true;
}

bool dw_stage_receive (dw_stage_t *self, int64_t deadline_ns) {
    for (;;) {
        if (self->interrupted || (self->interrupted = dw_signals_next (&self->signals)) != 0)
            return false;
        int64_t left_ns = deadline_ns - dw_clock_ns ();
        int err = dw_message_receive (&self->in, self->router);
        if (!err && s_look (self))
            return true;
        if (left_ns <= 0)
            return false;
        if (err) {
            zmq_pollitem_t items[] = {{.socket = self->router, .events = ZMQ_POLLIN},
                                      {.fd = self->signals.fd, .events = ZMQ_POLLIN}};
            zmq_poll (items, 2, (long) ((left_ns + 999999) / 1000000));
        }
    }
}

bool dw_stage_await (dw_stage_t *self, int64_t deadline_ns) {
    int64_t now_ns;
    do {
        now_ns = dw_clock_ns ();
        if (self->subject.words && dw_subject_has_ended (&self->subject) &&
            deadline_ns > now_ns + LAST_WORDS_NS)
            deadline_ns = now_ns + LAST_WORDS_NS;
        int64_t look_ns = now_ns + LOOK_NS;
        if (dw_stage_receive (self, look_ns < deadline_ns ? look_ns : deadline_ns))
            return true;
    } while (now_ns < deadline_ns && !self->interrupted);
    return false;
}

/* ---- Saying ----------------------------------------------------------------------------------- */

int dw_stage_send (dw_stage_t *self, uint32_t end) {
    if (end >= self->ends_count) {
        dw_packet_clear (&self->out);
        return DW_ENOENT;
    }
    return dw_packet_send (&self->out, self->router, self->ends[end].id, self->ends[end].id_size);
}

int dw_stage_send_bytes (dw_stage_t *self, uint32_t end, const void *bytes, size_t size) {
    dw_packet_append (&self->out, bytes, size);
    return dw_stage_send (self, end);
}

int dw_stage_say (dw_stage_t *self, uint32_t end, dw_wire_type_t type) {
    dw_write_uint (&self->out.head, type);
    return dw_stage_send (self, end);
}

int dw_stage_refuse (dw_stage_t *self, uint32_t end, uint32_t code, uint64_t run) {
    static const char text[] = "this is a test of what comes of it";
    dw_write_uint (&self->out.head, DW_WIRE_REFUSED);
    dw_write_uint (&self->out.head, code);
    dw_write_str (&self->out.head, text, strlen (text));
    dw_write_uint (&self->out.head, run);
    return dw_stage_send (self, end);
}

bool dw_stage_is_gone (dw_stage_t *self, uint32_t end) {
    return end >= self->ends_count || self->ends[end].has_left ||
           dw_stage_say (self, end, DW_WIRE_BEAT) == DW_ENOENT;
}

void dw_stage_write_long (dw_writer_t *writer, uint64_t value) {
    dw_write_byte (writer, 0xcf);
    for (int shift = 56; shift >= 0; shift -= 8)
        dw_write_byte (writer, (uint8_t) (value >> shift));
}
