/* client.c - submits runs and receives results behind one DEALER; one for each calling thread. */

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistr.h>

#include "actors/clock.h"
#include "actors/flights.h"
#include "actors/remote.h"
#include "actors/result.h"
#include "actors/submitted.h"
#include "actors/system.h"
#include "runtime/core/error.h"
#include "runtime/payload.h"

#define WELCOME_MS 10000
#define LATE_MAX   8u /* messages taken in when time is over, besides one for each run in flight */

struct dw_client_t {
    void *socket; /* NULL: it is of a system elsewhere, and away */
    uint32_t peer;
    dw_remote_t *remote; /* of a system in another process; NULL: it is in this one */
    uint32_t runs_max;
    uint64_t max_payload_bytes;
    dw_roster_t *names;
    uint64_t run;         /* the number given last */
    dw_flights_t flights; /* runs in flight; of a system elsewhere each with what was asked for */
    dw_result_t *first, **last; /* results that nobody has taken */
    dw_packet_t packet;
    bool is_trusted; /* its coordinator is in this process */
    int gone;        /* the system is: DW_ECLOSED, or DW_ELOST; or its key was taken off: DW_EKEY */
    int refused;     /* what the coordinator refused, for the call that waits; 0: nothing */
};

/* Whether it can be sent anything: a system elsewhere may be away. */
static bool s_is_tied (const dw_client_t *self) {
    return !self->remote || self->remote->state == DW_REMOTE_TIED;
}

/* ---- What comes in ---------------------------------------------------------------------------- */

/* A run is not in flight any more. */
static void s_land (dw_client_t *self, uint64_t run) {
    if (self->remote && dw_flights_has (&self->flights, run)) {
        dw_submitted_t *submitted = *dw_flights_value (&self->flights, run);
        dw_submitted_destroy (&submitted);
    }
    dw_flights_remove (&self->flights, run);
}

static void s_queue (dw_client_t *self, dw_result_t *result) {
    s_land (self, dw_result_run (result));
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

/* What WELCOME says of heartbeats and the graph's name, and to a client elsewhere of its session. */
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
    if (!submitted->is_cancelled)
        return;
    dw_write_uint (&self->packet.head, DW_WIRE_ABORT);
    dw_write_uint (&self->packet.head, self->peer);
    dw_write_uint (&self->packet.head, run);
    dw_packet_send (&self->packet, self->socket, NULL, 0);
}

/* In the order in which they were submitted: the coordinator takes a lower number than one that it has for an old one. */
static int s_submit_all_again (dw_client_t *self) {
    uint32_t count = 0;
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

static void s_ask_for_status (dw_client_t *self) {
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
        s_ask_for_status (self);
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
        s_land (self, run);
    self->refused = code == 403 && self->remote    ? DW_EKEY
                    : self->remote && !self->names ? DW_EREFUSED
                    : code == 404 || code == 410   ? DW_EREFUSED
                    : code == 503                  ? DW_EAGAIN
                                                   : DW_EPROTOCOL;
    if (self->refused == DW_EKEY && self->names && !run)
        self->gone = DW_EKEY; /* it was put out */
    return dw_error_add (error, self->refused, DW_NOWHERE, "the coordinator refused: %.*s (%u)",
                         text ? (int) size : 0, text ? text : "", (unsigned) code);
}

/* The coordinator has a detached run, which is not waited for; or a run that was claimed is under way. */
static int s_on_accepted (dw_client_t *self, uint32_t type, dw_wire_reader_t *reader) {
    uint64_t run = dw_read_uint (reader);
    dw_submitted_t *submitted = dw_flights_has (&self->flights, run)
                                    ? *dw_flights_value (&self->flights, run)
                                    : NULL;
    if (submitted && type == DW_WIRE_DETACH && submitted->kind == DW_SUBMITTED_DETACHED)
        s_land (self, run);
    else if (submitted && type == DW_WIRE_CLAIM)
        submitted->is_accepted = true;
    return DW_OK;
}

/* Takes in one message, if one is there. Errors: DW_EAGAIN none; DW_ECLOSED; DW_ENOMEM and
 * DW_EPROTOCOL a message was lost. */
static int s_take_in (dw_client_t *self, dw_error_t *error) {
    dw_message_t message = {0};
    int err = self->gone     ? self->gone
              : self->socket ? dw_message_receive (&message, self->socket)
                             : DW_EAGAIN;
    if (err == DW_ECLOSED)
        self->gone = DW_ECLOSED;
    if (!err) {
        if (self->remote)
            dw_remote_note_heard (self->remote);
        dw_wire_reader_t reader = dw_wire_reader (zmq_msg_data (&message.frames[0]),
                                                  zmq_msg_size (&message.frames[0]));
        uint32_t type = dw_read_uint_max (&reader, DW_WIRE_TYPES);
        if (type == DW_WIRE_RESULTS && self->names && !reader.is_damaged)
            err = s_on_results (self, &message, &reader);
        else if (type == DW_WIRE_WELCOME && !reader.is_damaged)
            err = s_on_welcome (self, &message, &reader);
        else if (type == DW_WIRE_REFUSED)
            err = s_on_refused (self, &reader, error);
        else if (type == DW_WIRE_STATUS && self->remote && self->names && !reader.is_damaged)
            err = dw_status_new (&self->remote->status, &reader);
        else if ((type == DW_WIRE_DETACH || type == DW_WIRE_CLAIM) && self->remote && self->names)
            err = s_on_accepted (self, type, &reader);
        else if (type == DW_WIRE_BEAT && self->remote)
            err = DW_OK;
        else if (type == DW_WIRE_STOP && self->remote)
            err = self->gone = DW_ECLOSED;
        else
            err = DW_EPROTOCOL;
    }
    dw_message_free (&message);
    return err;
}

/* How long a call waits. When its time is over what is there is still taken in, but not what a
 * coordinator goes on sending that ends no run. */
typedef struct s_patience_t {
    int64_t deadline_ns; /* INT64_MAX: for ever */
    size_t late_left;
} s_patience_t;

static s_patience_t s_patience (const dw_client_t *self, int timeout_ms) {
    return (s_patience_t){
        .deadline_ns = timeout_ms < 0 ? INT64_MAX : dw_clock_ns () + (int64_t) timeout_ms * 1000000,
        .late_left = (size_t) self->flights.count + LATE_MAX};
}

static bool s_is_over (s_patience_t *patience) {
    return patience->deadline_ns != INT64_MAX && dw_clock_ns () >= patience->deadline_ns &&
           patience->late_left-- == 0;
}

/* Nothing has come: looks whether a coordinator elsewhere is there, and connects anew when it is not. *until_ns becomes
 * when to look again. */
static int s_look_after (dw_client_t *self, int64_t now_ns, int64_t *until_ns) {
    if (!self->remote)
        return DW_OK;
    int err = dw_remote_look (self->remote, &self->packet, self->peer, now_ns, until_ns);
    self->socket = self->remote->link.socket;
    if (err)
        self->gone = err;
    return err;
}

static void s_sleep (dw_client_t *self, int64_t now_ns, int64_t until_ns) {
    if (self->remote) {
        dw_remote_wait (self->remote, now_ns, until_ns);
        return;
    }
    int64_t wait_ms = (until_ns - now_ns + 999999) / 1000000;
    zmq_pollitem_t item = {.socket = self->socket, .events = ZMQ_POLLIN};
    zmq_poll (&item, 1, until_ns == INT64_MAX ? -1 : (long) wait_ms);
}

/* Takes in at least one message, or waits for one until its time is over, then DW_ETIMEDOUT. */
static int s_wait (dw_client_t *self, s_patience_t *patience, dw_error_t *error) {
    int64_t deadline_ns = patience->deadline_ns;
    if (s_is_over (patience))
        return DW_ETIMEDOUT;
    for (;;) {
        int err = s_take_in (self, error);
        if (self->refused) {
            err = self->refused;
            self->refused = 0;
            return err;
        }
        if (err != DW_EAGAIN)
            return err;
        int64_t now_ns = dw_clock_ns (), until_ns = deadline_ns;
        err = s_look_after (self, now_ns, &until_ns);
        if (err)
            return err;
        if (now_ns >= deadline_ns)
            return DW_ETIMEDOUT;
        s_sleep (self, now_ns, until_ns);
    }
}

/* ---- Made ------------------------------------------------------------------------------------- */

static int s_say_hello (dw_client_t *self, const uint8_t *token) {
    dw_wire_hello_t hello = {.version = DW_WIRE_VERSION, .role = DW_WIRE_CLIENT, .token = token};
    dw_write_hello (&self->packet.head, &hello);
    return dw_packet_send (&self->packet, self->socket, NULL, 0);
}

static int s_await_welcome (dw_client_t *self, int64_t deadline_ns, dw_error_t *error) {
    s_patience_t patience = {.deadline_ns = deadline_ns, .late_left = LATE_MAX};
    int err = DW_OK;
    while (!err && !self->names)
        err = s_wait (self, &patience, error);
    return err;
}

static int s_connect (dw_client_t *self, dw_system_t *system, dw_error_t *error) {
    int linger_ms = 100, unlimited = 0;
    self->socket = zmq_socket (dw_system_context (system), ZMQ_DEALER);
    if (!self->socket)
        return dw_error_add (error, DW_ELIMIT, DW_NOWHERE,
                             "no socket for another client (%s): raise the limit of open files "
                             "(ulimit -n), or the system's clients_max",
                             zmq_strerror (errno));
    zmq_setsockopt (self->socket, ZMQ_LINGER, &linger_ms, sizeof linger_ms);
    zmq_setsockopt (self->socket, ZMQ_SNDHWM, &unlimited,
                    sizeof unlimited); /* runs_max is the limit */
    if (self->is_trusted) /* else ZeroMQ's own limit: what more there is waits with its sender */
        zmq_setsockopt (self->socket, ZMQ_RCVHWM, &unlimited, sizeof unlimited);
    if (zmq_connect (self->socket, dw_system_endpoint (system)))
        return dw_error_add (error, DW_ECLOSED, DW_NOWHERE, "cannot connect to %s: %s",
                             dw_system_endpoint (system), zmq_strerror (errno));
    int64_t deadline_ns = dw_clock_ns () + WELCOME_MS * INT64_C (1000000);
    int err = s_say_hello (self, dw_system_token (system));
    if (!err)
        err = s_await_welcome (self, deadline_ns, error);
    if (err && err != DW_EAGAIN && err != DW_EPROTOCOL) /* a refusal has said why */
        dw_error_add (error, err, DW_NOWHERE, "no welcome from the coordinator: %s",
                      dw_err_text (err));
    return err;
}

static dw_client_t *s_new (void) {
    dw_client_t *self = calloc (1, sizeof *self);
    if (!self)
        return NULL;
    self->last = &self->first;
    self->peer = UINT32_MAX;
    return self;
}

int dw_client_new (dw_client_t **self_p, dw_system_t *system, dw_error_t *error) {
    if (!self_p || !system)
        return dw_error_add (error, DW_EINVAL, DW_NOWHERE, "a client needs a system");
    dw_client_t *self = s_new ();
    if (!self)
        return dw_error_add (error, DW_ENOMEM, DW_NOWHERE, "out of memory");
    self->is_trusted = strncmp (dw_system_endpoint (system), "inproc:", strlen ("inproc:")) == 0;
    int err = s_connect (self, system, error);
    if (err)
        dw_client_destroy (&self);
    else
        *self_p = self;
    return err;
}

/* Waits for the first word of a coordinator elsewhere, and finds out why there is none. */
static int s_connect_to (dw_client_t *self, const dw_connect_options_t *options,
                         dw_error_t *error) {
    dw_remote_t *remote = self->remote;
    int err = dw_remote_open (remote, options, error);
    if (err)
        return err;
    int64_t deadline_ns = dw_clock_ns () + (int64_t) remote->timeout_ms * 1000000;
    self->socket = remote->link.socket;
    err = dw_remote_say_hello (remote, &self->packet);
    if (!err && dw_link_wait (&remote->link, deadline_ns))
        return dw_link_blame (&remote->link, options->endpoint, remote->keys.has_keys, error);
    if (!err)
        err = s_await_welcome (self, deadline_ns, error);
    if (err == DW_EPROTOCOL)
        err = dw_error_add (error, DW_EREFUSED, DW_NOWHERE, "%s is no coordinator of dagwood",
                            options->endpoint);
    else if (err && err != DW_EREFUSED && err != DW_EKEY && err != DW_EAGAIN)
        dw_error_add (error, err, DW_NOWHERE, "no welcome from %s: %s", options->endpoint,
                      dw_err_text (err));
    if (!err && options->graph && strcmp (options->graph, remote->name) != 0)
        err = dw_error_add (error, DW_EREFUSED, DW_NOWHERE, "the graph at %s is \"%s\", not \"%s\"",
                            options->endpoint, remote->name, options->graph);
    return err;
}

int dw_client_connect (dw_client_t **self_p, const dw_connect_options_t *options,
                       dw_error_t *error) {
    if (!self_p || !options || !options->endpoint)
        return dw_error_add (error, DW_EINVAL, DW_NOWHERE,
                             "a client needs a coordinator's endpoint");
    dw_client_t *self = s_new ();
    if (self)
        self->remote = calloc (1, sizeof *self->remote);
    int err = self && self->remote ? s_connect_to (self, options, error)
                                   : dw_error_add (error, DW_ENOMEM, DW_NOWHERE, "out of memory");
    if (err)
        dw_client_destroy (&self);
    else
        *self_p = self;
    return err;
}

int dw_client_status (dw_client_t *self, int timeout_ms, dw_status_t **status_p) {
    if (!self->remote)
        return DW_EINVAL;
    dw_status_destroy (&self->remote->status); /* of a call that did not wait for it */
    self->remote->wants_status = true;
    if (s_is_tied (self))
        s_ask_for_status (self);
    int err = DW_OK;
    s_patience_t patience = s_patience (self, timeout_ms);
    while (!err && !self->remote->status)
        err = s_wait (self, &patience, NULL);
    self->remote->wants_status = false;
    if (err)
        return err;
    *status_p = self->remote->status;
    self->remote->status = NULL;
    return DW_OK;
}

void dw_client_destroy (dw_client_t **self_p) {
    dw_client_t *self = *self_p;
    if (!self)
        return;
    if (self->socket) {
        dw_write_uint (&self->packet.head, DW_WIRE_BYE);
        dw_write_uint (&self->packet.head, self->peer);
        dw_packet_send (&self->packet, self->socket, NULL, 0);
        if (!self->remote)
            zmq_close (self->socket);
    }
    for (uint32_t i = 0; self->flights.values && i < self->flights.size; i++) {
        dw_submitted_t *submitted = self->flights.values[i];
        if (self->flights.runs[i])
            dw_submitted_destroy (&submitted);
    }
    dw_remote_destroy (&self->remote);
    while (self->first) {
        dw_result_t *result = self->first;
        self->first = *dw_result_next (result);
        dw_result_destroy (&result);
    }
    dw_roster_release (&self->names);
    dw_packet_free (&self->packet);
    dw_flights_free (&self->flights);
    free (self);
    *self_p = NULL;
}

/* ---- Submitting ------------------------------------------------------------------------------- */

/* Waits until there is room for one more run. */
static int s_wait_for_room (dw_client_t *self, int wait_ms, dw_error_t *error) {
    s_patience_t patience = s_patience (self, wait_ms);
    int err = DW_OK;
    while (!err && self->flights.count >= self->runs_max)
        err = s_wait (self, &patience, error);
    if (!err && !dw_flights_reserve (&self->flights))
        err = DW_ENOMEM;
    if (err == DW_ETIMEDOUT)
        return dw_error_add (error, DW_EAGAIN, DW_NOWHERE,
                             "%u runs are in flight, as many as runs_max allows",
                             (unsigned) self->flights.count);
    if (err)
        dw_error_add (error, err, DW_NOWHERE, "the run was not submitted: %s", dw_err_text (err));
    return err;
}

/* Makes the payload: the caller's message. */
static int s_make_payload (dw_client_t *self, const dw_submission_t *submission, zmq_msg_t *message,
                           dw_error_t *error) {
    uint8_t head[DW_PAYLOAD_HEAD_MAX];
    size_t head_size = 0, size = submission->size;
    if (submission->is_text && size <= self->max_payload_bytes)
        head_size = size && u8_check (submission->payload, size)
                        ? dw_payload_bytes_head (head, size)
                        : dw_payload_text_head (head, size);
    if (size + head_size > self->max_payload_bytes)
        return dw_error_add (
            error, DW_ETOOLARGE, DW_NOWHERE,
            "the input has %zu bytes, which is more than max_payload_bytes (%llu): "
            "raise it in the graph's executor_options",
            size + head_size, (unsigned long long) self->max_payload_bytes);
    if (!submission->is_text && dw_payload_check (submission->payload, size))
        return dw_error_add (error, DW_EPROTOCOL, DW_NOWHERE,
                             "the payload is not exactly one msgpack value");
    if (zmq_msg_init_size (message, head_size + size)) {
        zmq_msg_init (message);
        return dw_error_add (error, DW_ENOMEM, DW_NOWHERE, "out of memory");
    }
    memcpy (zmq_msg_data (message), head, head_size);
    if (size)
        memcpy ((uint8_t *) zmq_msg_data (message) + head_size, submission->payload, size);
    return DW_OK;
}

static int s_find_outputs (dw_client_t *self, const dw_submission_t *submission,
                           dw_submitted_t *submitted, dw_error_t *error) {
    if (submission->outputs_count == 0)
        return DW_OK;
    submitted->outputs = calloc (submission->outputs_count, sizeof *submitted->outputs);
    if (!submitted->outputs)
        return dw_error_add (error, DW_ENOMEM, DW_NOWHERE, "out of memory");
    submitted->outputs_count = (uint32_t) submission->outputs_count;
    for (size_t i = 0; i < submission->outputs_count; i++) {
        int node = dw_roster_find (self->names, submission->outputs[i]);
        if (node < 0)
            return dw_error_add (error, DW_ENOENT, DW_NOWHERE,
                                 "the graph has no node \"%s\" to be an output",
                                 submission->outputs[i]);
        submitted->outputs[i] = (uint32_t) node;
    }
    return DW_OK;
}

/* What a coordinator elsewhere has said already: that it closes, perhaps. */
static int s_hear (dw_client_t *self) {
    int err = DW_OK;
    int64_t until_ns = INT64_MAX;
    for (size_t left = (size_t) self->flights.count + LATE_MAX; !err && left > 0; left--)
        err = s_take_in (self, NULL);
    if (err == DW_EAGAIN)
        s_look_after (self, dw_clock_ns (), &until_ns);
    return self->gone;
}

/* Sends a run that is there, to a coordinator that is; else it is sent when that is there again. */
static int s_send_run (dw_client_t *self, dw_submitted_t *submitted) {
    dw_submitted_t *kept = NULL;
    if (self->remote && !(kept = dw_submitted_keep (submitted)))
        return DW_ENOMEM;
    int err = DW_OK;
    if (s_is_tied (self)) {
        dw_submitted_write (kept ? kept : submitted, &self->packet, self->peer, self->run + 1);
        err = dw_packet_send (&self->packet, self->socket, NULL, 0);
    }
    if (err) {
        dw_submitted_destroy (&kept);
        return err;
    }
    dw_flights_add (&self->flights, ++self->run);
    if (kept)
        *dw_flights_value (&self->flights, self->run) = kept;
    return DW_OK;
}

/* Makes what is asked for and sends it; its number becomes that of the run given last. */
static int s_submit (dw_client_t *self, const dw_submission_t *submission, dw_submitted_kind_t kind,
                     dw_error_t *error) {
    if (submission->outputs_count > self->names->count)
        return dw_error_add (error, DW_EINVAL, DW_NOWHERE,
                             "more outputs are named than the graph has nodes");
    int err = self->remote ? s_hear (self) : DW_OK;
    if (!err)
        err = s_wait_for_room (self, submission->wait_ms, error);
    if (err)
        return err;
    dw_submitted_t submitted = {.kind = kind};
    zmq_msg_init (&submitted.payload);
    err = s_make_payload (self, submission, &submitted.payload, error);
    if (!err)
        err = s_find_outputs (self, submission, &submitted, error);
    if (!err) {
        err = s_send_run (self, &submitted);
        if (err)
            dw_error_add (error, err, DW_NOWHERE, "the run was not submitted: %s",
                          dw_err_text (err));
    }
    dw_submitted_clear (&submitted);
    return err;
}

int dw_client_submit (dw_client_t *self, const dw_submission_t *submission, uint64_t *run_p,
                      dw_error_t *error) {
    int err = s_submit (self, submission, DW_SUBMITTED_RUN, error);
    if (!err && run_p)
        *run_p = self->run;
    return err;
}

/* ---- Detached --------------------------------------------------------------------------------- */

/* Whether the coordinator has said what it had to say to what was asked for as this run. */
static bool s_is_answered (const dw_client_t *self, uint64_t run) {
    if (!dw_flights_has (&self->flights, run))
        return true;
    const dw_submitted_t *submitted = *dw_flights_value (&self->flights, run);
    return submitted->is_accepted;
}

static int s_await_answer (dw_client_t *self, uint64_t run, int timeout_ms, dw_error_t *error) {
    s_patience_t patience = s_patience (self, timeout_ms);
    int err = DW_OK;
    while (!err && !s_is_answered (self, run))
        err = s_wait (self, &patience, error);
    if (err)
        s_land (self, run); /* nobody waits for it */
    if (err && dw_error_code (error) == DW_OK)
        dw_error_add (error, err, DW_NOWHERE, "no word of the run: %s", dw_err_text (err));
    return err;
}

static void s_write_name (const uint8_t *uuid, uint64_t number, char name[DW_RUN_NAME_SIZE]) {
    for (unsigned i = 0; i < DW_WIRE_UUID_SIZE; i++)
        snprintf (name + 2 * i, 3, "%02x", (unsigned) uuid[i]);
    snprintf (name + 2 * DW_WIRE_UUID_SIZE, DW_RUN_NAME_SIZE - 2 * DW_WIRE_UUID_SIZE, "-%" PRIu64,
              number);
}

/* -1: it is none. */
static int s_digit (char c) {
    return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* A name as it was written, and nothing else. */
static bool s_read_name (const char *name, uint8_t *uuid, uint64_t *number) {
    char again[DW_RUN_NAME_SIZE];
    for (unsigned i = 0; i < 2 * DW_WIRE_UUID_SIZE; i++) {
        int digit = s_digit (name[i]);
        if (digit < 0)
            return false;
        uuid[i / 2] = (uint8_t) (i % 2 ? uuid[i / 2] | digit : digit << 4);
    }
    if (name[2 * DW_WIRE_UUID_SIZE] != '-')
        return false;
    *number = strtoull (name + 2 * DW_WIRE_UUID_SIZE + 1, NULL, 10);
    s_write_name (uuid, *number, again);
    return strcmp (name, again) == 0;
}

static int s_check_elsewhere (const dw_client_t *self, dw_error_t *error) {
    return self->remote ? DW_OK
                        : dw_error_add (error, DW_EINVAL, DW_NOWHERE,
                                        "runs are detached of systems in other processes alone");
}

int dw_client_detach (dw_client_t *self, const dw_submission_t *submission, int timeout_ms,
                      char name[DW_RUN_NAME_SIZE], dw_error_t *error) {
    int err = s_check_elsewhere (self, error);
    if (!err)
        err = s_submit (self, submission, DW_SUBMITTED_DETACHED, error);
    uint64_t run = self->run;
    if (!err)
        err = s_await_answer (self, run, timeout_ms, error);
    if (!err)
        s_write_name (self->remote->uuid, run, name);
    return err;
}

int dw_client_take_up (dw_client_t *self, const char *name, int timeout_ms, uint64_t *run_p,
                       dw_error_t *error) {
    dw_submitted_t submitted = {.kind = DW_SUBMITTED_CLAIM};
    zmq_msg_init (&submitted.payload);
    int err = s_check_elsewhere (self, error);
    if (!err && !s_read_name (name, submitted.uuid, &submitted.number))
        err = dw_error_add (error, DW_EINVAL, DW_NOWHERE, "\"%s\" is no name of a run", name);
    if (!err)
        err = s_hear (self);
    if (!err)
        err = s_wait_for_room (self, timeout_ms, error);
    if (!err)
        err = s_send_run (self, &submitted);
    dw_submitted_clear (&submitted);
    if (err)
        return err;
    uint64_t run = self->run;
    err = s_await_answer (self, run, timeout_ms, error);
    if (!err)
        *run_p = run;
    return err;
}

int dw_client_cancel (dw_client_t *self, uint64_t run) {
    if (!dw_flights_has (&self->flights, run))
        return DW_ENOENT;
    if (self->remote)
        ((dw_submitted_t *) *dw_flights_value (&self->flights, run))->is_cancelled = true;
    if (!s_is_tied (self))
        return DW_OK; /* it is told when it is there again */
    dw_write_uint (&self->packet.head, DW_WIRE_ABORT);
    dw_write_uint (&self->packet.head, self->peer);
    dw_write_uint (&self->packet.head, run);
    return dw_packet_send (&self->packet, self->socket, NULL, 0);
}

/* ---- Waiting ---------------------------------------------------------------------------------- */

/* Takes the first result that is of one of the runs out of the queue; runs_count 0: any. */
static dw_result_t *s_take (dw_client_t *self, const uint64_t *runs, size_t runs_count) {
    for (dw_result_t **link = &self->first; *link; link = dw_result_next (*link)) {
        bool is_wanted = runs_count == 0;
        for (size_t i = 0; i < runs_count && !is_wanted; i++)
            is_wanted = dw_result_run (*link) == runs[i];
        if (!is_wanted)
            continue;
        dw_result_t *result = *link;
        *link = *dw_result_next (result);
        if (!*link)
            self->last = link;
        *dw_result_next (result) = NULL;
        return result;
    }
    return NULL;
}

static bool s_any_in_flight (const dw_client_t *self, const uint64_t *runs, size_t runs_count) {
    if (runs_count == 0)
        return self->flights.count > 0;
    for (size_t i = 0; i < runs_count; i++)
        if (dw_flights_has (&self->flights, runs[i]))
            return true;
    return false;
}

int dw_client_wait_any (dw_client_t *self, const uint64_t *runs, size_t runs_count, int timeout_ms,
                        dw_result_t **result_p) {
    s_patience_t patience = s_patience (self, timeout_ms);
    if (!runs)
        runs_count = 0;
    for (;;) {
        dw_result_t *result = s_take (self, runs, runs_count);
        if (result) {
            *result_p = result;
            return DW_OK;
        }
        if (!s_any_in_flight (self, runs, runs_count))
            return DW_ENOENT;
        int err = s_wait (self, &patience, NULL);
        if (err)
            return err;
    }
}

int dw_client_wait (dw_client_t *self, uint64_t run, int timeout_ms, dw_result_t **result_p) {
    return dw_client_wait_any (self, &run, 1, timeout_ms, result_p);
}

int dw_client_wait_all (dw_client_t *self, int timeout_ms) {
    s_patience_t patience = s_patience (self, timeout_ms);
    while (self->flights.count > 0) {
        int err = s_wait (self, &patience, NULL);
        if (err)
            return err;
    }
    return DW_OK;
}

dw_result_t *dw_client_next (dw_client_t *self) {
    /* A message that makes no sense is passed over: behind it, or in its better part, are results. */
    int err = DW_OK;
    for (size_t left = (size_t) self->flights.count + LATE_MAX;
         !self->first && left > 0 && err != DW_EAGAIN && !self->gone; left--)
        err = s_take_in (self, NULL);
    int64_t until_ns = INT64_MAX;
    if (err == DW_EAGAIN) /* that it is lost the next call says that can */
        s_look_after (self, dw_clock_ns (), &until_ns);
    return s_take (self, NULL, 0);
}

int dw_client_fd (const dw_client_t *self) {
    int fd = -1;
    size_t size = sizeof fd;
    return !self->socket || zmq_getsockopt (self->socket, ZMQ_FD, &fd, &size) ? -1 : fd;
}

size_t dw_client_in_flight (const dw_client_t *self) {
    return self->flights.count;
}

int dw_client_run_text (dw_client_t *self, const char *text, dw_result_t **result_p,
                        dw_error_t *error) {
    uint64_t run = 0;
    dw_submission_t submission = {
        .payload = text, .size = strlen (text), .is_text = true, .wait_ms = -1};
    int err = dw_client_submit (self, &submission, &run, error);
    if (err)
        return err;
    err = dw_client_wait (self, run, -1, result_p);
    return err ? dw_error_add (error, err, DW_NOWHERE, "no result: %s", dw_err_text (err)) : err;
}
