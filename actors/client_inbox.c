/* client_inbox.c - what comes in to a client, and the waiting for it. */

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "actors/client_self.h"
#include "actors/clock.h"
#include "runtime/core/error.h"

/* ---- What comes in ---------------------------------------------------------------------------- */

void dw_client_land (dw_client_t *self, uint64_t run) {
    if (self->remote && dw_flights_has (&self->flights, run)) {
        dw_submitted_t *submitted = *dw_flights_value (&self->flights, run);
        dw_submitted_destroy (&submitted);
    }
    dw_flights_remove (&self->flights, run);
}

static void s_queue (dw_client_t *self, dw_result_t *result) {
    dw_client_land (self, dw_result_run (result));
    *self->last = result;
    self->last = dw_result_next (result);
}

static int s_on_results (dw_client_t *self, dw_message_t *message, dw_wire_reader_t *reader) {
    if (self->remote && dw_wire_reader_has_more (reader))
        dw_remote_count (self->remote, message, &self->packet, self->peer);
    dw_delivered_t *delivered = dw_delivered_new (message, self->is_trusted);
    int err = delivered ? DW_OK : DW_ENOMEM;
    while (!err && dw_wire_reader_has_more (reader)) {
        dw_result_t *result;
        err = dw_result_new (&result, reader, delivered, self->names);
        if (!err && dw_flights_has (&self->flights, dw_result_run (result)))
            s_queue (self, result);
        else if (!err)
            dw_result_destroy (&result);
    }
    dw_delivered_release (&delivered);
    return err;
}

/* What WELCOME says of heartbeats and the graph's name, and to a client elsewhere of its
 * session. */
static const uint8_t *s_read_rest (dw_client_t *self, dw_wire_reader_t *reader) {
    static const uint8_t none[DW_WIRE_UUID_SIZE];
    size_t size, session_size = DW_WIRE_UUID_SIZE;
    uint32_t heartbeat_ms = dw_read_uint_max (reader, UINT32_MAX);
    uint32_t silence_ms = dw_read_uint_max (reader, UINT32_MAX);
    const char *name = dw_read_str (reader, 255, &size);
    const uint8_t *session = none;
    if (self->remote)
        session = dw_read_bin (reader, DW_WIRE_UUID_SIZE, &session_size);
    if (reader->is_damaged || session_size != DW_WIRE_UUID_SIZE ||
        !dw_wire_is_pulse (heartbeat_ms, silence_ms))
        return NULL;
    if (self->remote) {
        self->remote->heartbeat_ns = (int64_t) heartbeat_ms * 1000000;
        self->remote->silence_ns = (int64_t) silence_ms * 1000000;
        snprintf (self->remote->name, sizeof self->remote->name, "%.*s", (int) size, name);
    }
    return session;
}

static int s_on_first_welcome (dw_client_t *self, const uint8_t *graph, size_t size,
                               const uint8_t *session) {
    self->flights.has_values = self->remote != NULL;
    if (!dw_flights_reserve (&self->flights))
        return DW_ENOMEM;
    int err = dw_roster_new (&self->names, graph, size);
    if (!err && self->remote) {
        memcpy (self->remote->session, session, sizeof self->remote->session);
        dw_remote_tie (self->remote);
    }
    return err;
}

static int s_compare (const void *a, const void *b) {
    uint64_t x = *(const uint64_t *) a, y = *(const uint64_t *) b;
    return (x > y) - (x < y);
}

/* Asks for a run that it has no result of. */
static void s_submit_again (dw_client_t *self, uint64_t run) {
    dw_submitted_t *submitted = *dw_flights_value (&self->flights, run);
    dw_submitted_write (submitted, &self->packet, self->peer, run);
    dw_packet_send (&self->packet, self->socket, NULL, 0);
    dw_submitted_cancel (submitted, &self->packet, self->socket, self->peer, run);
}

/* In the order in which they were submitted: the coordinator takes a lower number than one that it
 * has for an old one. */
static int s_submit_all_again (dw_client_t *self) {
    uint32_t count = 0;
    dw_packet_clear (&self->gathered); /* what waited there is in flight too */
    uint64_t *runs = calloc (self->flights.count + 1u, sizeof *runs);
    if (!runs)
        return DW_ENOMEM;
    for (uint32_t i = 0; i < self->flights.size; i++)
        if (self->flights.runs[i])
            runs[count++] = self->flights.runs[i];
    qsort (runs, count, sizeof *runs, s_compare);
    for (uint32_t i = 0; i < count; i++)
        s_submit_again (self, runs[i]);
    free (runs);
    return DW_OK;
}

void dw_client_ask_for_status (dw_client_t *self) {
    dw_write_uint (&self->packet.head, DW_WIRE_STATUS);
    dw_write_uint (&self->packet.head, self->peer);
    dw_packet_send (&self->packet, self->socket, NULL, 0);
}

/* The connection was made again: by a coordinator that knows the session, or everything is lost. */
static int s_on_welcome_again (dw_client_t *self, const uint8_t *session) {
    dw_remote_t *remote = self->remote;
    if (memcmp (session, remote->session, sizeof remote->session) != 0)
        return self->gone = DW_ELOST;
    dw_remote_tie (remote);
    if (remote->wants_status)
        dw_client_ask_for_status (self);
    return s_submit_all_again (self);
}

static int s_on_welcome (dw_client_t *self, dw_message_t *message, dw_wire_reader_t *reader) {
    size_t size;
    zmq_msg_t *frame;
    bool is_again = self->names != NULL;
    if (is_again && !(self->remote && self->remote->state == DW_REMOTE_GREETING))
        return DW_EPROTOCOL;
    uint32_t peer = dw_read_uint_max (reader, UINT32_MAX);
    uint32_t runs_max = dw_read_uint_max (reader, 1u << 24);
    uint64_t max_payload_bytes = dw_read_uint (reader);
    dw_ref_t ref = dw_read_ref (reader);
    const uint8_t *graph = dw_message_resolve (message, 0, &ref, reader, &size, &frame);
    if (!graph || reader->is_damaged || runs_max == 0)
        return DW_EPROTOCOL;
    const uint8_t *session = s_read_rest (self, reader);
    if (!session)
        return DW_EPROTOCOL;
    self->peer = peer;
    if (is_again)
        return s_on_welcome_again (self, session);
    self->runs_max = runs_max;
    self->max_payload_bytes = max_payload_bytes;
    return s_on_first_welcome (self, graph, size, session);
}

/* A connection that was to be made again is refused: for now, or for good. */
static int s_on_refused_again (dw_client_t *self, uint32_t code) {
    if (code == 503)
        dw_remote_retry (self->remote, dw_clock_ns ());
    else
        self->gone = code == 403 ? DW_EKEY : DW_EREFUSED;
    self->socket = self->remote->link.socket;
    return self->gone;
}

/* Tells people what the call cannot say: dw_client_next, or one that only waits. */
static void s_notice (const dw_client_t *self, const char *format, ...) DW_PRINTF (2, 3);
static void s_notice (const dw_client_t *self, const char *format, ...) {
    char line[256];
    va_list arguments;
    if (!self->notice)
        return;
    va_start (arguments, format);
    vsnprintf (line, sizeof line, format, arguments);
    va_end (arguments);
    dw_error_tame (line);
    self->notice (self->notice_arg, line);
}

static int s_on_refused (dw_client_t *self, dw_wire_reader_t *reader, dw_error_t *error) {
    size_t size;
    uint32_t code = dw_read_uint_max (reader, 999);
    const char *text = dw_read_str (reader, 4096, &size);
    uint64_t run = dw_read_uint (reader);
    if (self->names && self->remote && self->remote->state == DW_REMOTE_GREETING)
        return s_on_refused_again (self, code);
    if (self->remote && self->names && run && !dw_flights_has (&self->flights, run))
        return DW_OK; /* asked for again while its result was on its way */
    if (self->names && run)
        dw_client_land (self, run);
    bool is_first = !self->unsaid; /* of those that no call has said */
    self->unsaid = code == 403 && self->remote    ? DW_EKEY
                   : self->remote && !self->names ? DW_EREFUSED
                   : code == 404 || code == 410   ? DW_EREFUSED
                   : code == 503                  ? DW_EAGAIN
                                                  : DW_EPROTOCOL;
    if (self->unsaid == DW_EKEY && self->names && !run)
        self->gone = DW_EKEY; /* it was put out */
    if (self->names && !error && text && is_first)
        s_notice (self, "the coordinator refused: %.*s (%u)", (int) size, text, (unsigned) code);
    dw_error_add (error, self->unsaid, DW_NOWHERE, "the coordinator refused: %.*s (%u)",
                  text ? (int) size : 0, text ? text : "", (unsigned) code);
    return DW_OK;
}

/* The coordinator has a detached run, which is not waited for; or a run that was claimed is under
 * way. */
static int s_on_accepted (dw_client_t *self, uint32_t type, dw_wire_reader_t *reader) {
    uint64_t run = dw_read_uint (reader);
    dw_submitted_t *submitted = dw_flights_has (&self->flights, run)
                                    ? *dw_flights_value (&self->flights, run)
                                    : NULL;
    if (submitted && type == DW_WIRE_DETACH && submitted->kind == DW_SUBMITTED_DETACHED)
        dw_client_land (self, run);
    else if (submitted && type == DW_WIRE_CLAIM)
        submitted->is_accepted = true;
    return DW_OK;
}

static int s_on_stalled (dw_client_t *self, dw_wire_reader_t *reader) {
    uint64_t run = dw_read_uint (reader);
    uint32_t node = dw_read_uint_max (reader, UINT32_MAX);
    uint64_t ms = dw_read_uint (reader);
    if (reader->is_damaged || node >= self->names->count)
        return DW_EPROTOCOL;
    if (dw_flights_has (&self->flights, run))
        s_notice (self, "run %llu is stalled: no worker serves node \"%.100s\" for %llu s",
                  (unsigned long long) run, self->names->ids[node],
                  (unsigned long long) (ms / 1000));
    return DW_OK;
}

static int s_on_message (dw_client_t *self, dw_message_t *message, uint32_t type,
                         dw_wire_reader_t *reader, dw_error_t *error) {
    if (type == DW_WIRE_RESULTS && self->names)
        return s_on_results (self, message, reader);
    if (type == DW_WIRE_WELCOME)
        return s_on_welcome (self, message, reader);
    if (type == DW_WIRE_REFUSED)
        return s_on_refused (self, reader, error);
    if (type == DW_WIRE_STATUS && self->remote && self->names)
        return dw_status_new (&self->remote->status, reader);
    if ((type == DW_WIRE_DETACH || type == DW_WIRE_CLAIM) && self->remote && self->names)
        return s_on_accepted (self, type, reader);
    if (type == DW_WIRE_STALLED && self->names)
        return s_on_stalled (self, reader);
    if (type == DW_WIRE_BEAT && self->remote)
        return DW_OK;
    if (type == DW_WIRE_STOP && self->remote)
        return self->gone = DW_ECLOSED;
    return DW_EPROTOCOL;
}

/* Who said what: once for each time that a call says that there was such a thing. */
static void s_tell_nonsense (const dw_client_t *self, uint32_t type, size_t size,
                             dw_error_t *error) {
    char text[200];
    const char *name = dw_wire_type_text (type);
    snprintf (text, sizeof text, "%.100s sent a message that makes no sense: %s, %zu bytes",
              self->remote ? self->remote->endpoint : "the coordinator",
              name ? name : "of no type that there is", size);
    if (error)
        dw_error_add (error, DW_EPROTOCOL, DW_NOWHERE, "%s", text);
    else if (!self->unsaid)
        s_notice (self, "%s", text);
}

/* What cannot be taken for what it should be is lost. */
static void s_take (dw_client_t *self, dw_message_t *message, dw_error_t *error) {
    size_t size = zmq_msg_size (&message->frames[0]);
    dw_wire_reader_t reader = dw_wire_reader (zmq_msg_data (&message->frames[0]), size);
    uint32_t type = dw_read_uint_max (&reader, DW_WIRE_TYPES);
    if (reader.is_damaged)
        type = DW_WIRE_TYPES;
    if (self->remote)
        dw_remote_note_heard (self->remote);
    int err = s_on_message (self, message, type, &reader, error);
    if (err == DW_EPROTOCOL && self->names) /* else whoever connects says who it is */
        s_tell_nonsense (self, type, size, error);
    if (err && !self->gone)
        self->unsaid = err;
}

int dw_client_take_in (dw_client_t *self, dw_error_t *error) {
    dw_message_t message = {0};
    int err = self->gone     ? self->gone
              : self->socket ? dw_message_receive (&message, self->socket)
                             : DW_EAGAIN;
    if (err == DW_ECLOSED)
        self->gone = DW_ECLOSED;
    if (!err)
        s_take (self, &message, error);
    else if (err == DW_ENOMEM)
        self->unsaid = DW_ENOMEM;
    dw_message_free (&message);
    return err == DW_EAGAIN ? DW_EAGAIN : self->gone;
}

dw_client_patience_t dw_client_patience (const dw_client_t *self, int timeout_ms) {
    return (dw_client_patience_t){
        .deadline_ns = timeout_ms < 0 ? INT64_MAX : dw_clock_ns () + (int64_t) timeout_ms * 1000000,
        .late_left = (size_t) self->flights.count + DW_CLIENT_LATE_MAX};
}

static bool s_is_over (dw_client_patience_t *patience) {
    return patience->deadline_ns != INT64_MAX && dw_clock_ns () >= patience->deadline_ns &&
           patience->late_left-- == 0;
}

int dw_client_look_after (dw_client_t *self, int64_t now_ns, int64_t *until_ns) {
    if (!self->remote)
        return DW_OK;
    int err = dw_remote_look (self->remote, &self->packet, self->peer, now_ns, until_ns);
    self->socket = self->remote->link.socket;
    if (err)
        self->gone = err;
    return err;
}

/* False: it was told to stop. */
static bool s_sleep (dw_client_t *self, int64_t now_ns, int64_t until_ns) {
    if (self->remote)
        return dw_remote_wait (self->remote, now_ns, until_ns);
    int64_t wait_ms = (until_ns - now_ns + 999999) / 1000000;
    zmq_pollitem_t item = {.socket = self->socket, .events = ZMQ_POLLIN};
    zmq_poll (&item, 1, until_ns == INT64_MAX ? -1 : (long) wait_ms);
    return true;
}

int dw_client_await (dw_client_t *self, dw_client_patience_t *patience, dw_error_t *error) {
    int64_t deadline_ns = patience->deadline_ns;
    int sent = dw_client_send_gathered (self);
    if (sent)
        return sent;
    if (s_is_over (patience))
        return DW_ETIMEDOUT;
    for (;;) {
        int err = dw_client_take_in (self, error);
        if (self->unsaid) {
            err = self->unsaid;
            self->unsaid = DW_OK;
            return err;
        }
        if (err != DW_EAGAIN)
            return err;
        int64_t now_ns = dw_clock_ns (), until_ns = deadline_ns;
        err = dw_client_look_after (self, now_ns, &until_ns);
        if (err)
            return err;
        if (now_ns >= deadline_ns)
            return DW_ETIMEDOUT;
        if (!s_sleep (self, now_ns, until_ns))
            return DW_ECLOSED;
    }
}
