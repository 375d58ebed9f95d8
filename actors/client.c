/* client.c - submits runs and receives results behind one DEALER; one for each calling thread. */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistr.h>

#include "actors/clock.h"
#include "actors/flights.h"
#include "actors/link.h"
#include "actors/message.h"
#include "actors/result.h"
#include "actors/status.h"
#include "actors/system.h"
#include "runtime/core/error.h"
#include "runtime/payload.h"

#define WELCOME_MS 10000
#define CONNECT_MS 3000
#define LATE_MAX   8u /* messages taken in when time is over, besides one for each run in flight */

/* What a client of a system in another process has besides. */
typedef struct dw_remote_t {
    void *context;
    dw_link_t link; /* its socket is the client's */
    int64_t heartbeat_ns, silence_ns;
    int64_t heard_ns; /* when something came last */
    int64_t
        asked_ns; /* when the coordinator was asked whether it is there; 0: it has said something since */
    char name[256];      /* of its graph */
    dw_status_t *status; /* that came, and nobody has taken */
} dw_remote_t;

struct dw_client_t {
    void *socket;
    uint32_t peer;
    dw_remote_t *remote; /* of a system in another process; NULL: it is in this one */
    uint32_t runs_max;
    uint64_t max_payload_bytes;
    dw_roster_t *names;
    uint64_t run;               /* the number given last */
    dw_flights_t flights;       /* runs in flight */
    dw_result_t *first, **last; /* results that nobody has taken */
    dw_packet_t packet;
    bool is_trusted; /* its coordinator is in this process */
    int gone;        /* the system is: DW_ECLOSED, or DW_ELOST; or its key was taken off: DW_EKEY */
    int refused;     /* what the coordinator refused, for the call that waits; 0: nothing */
};

/* ---- What comes in ---------------------------------------------------------------------------- */

static void s_queue (dw_client_t *self, dw_result_t *result) {
    dw_flights_remove (&self->flights, dw_result_run (result));
    *self->last = result;
    self->last = dw_result_next (result);
}

static int s_on_results (dw_client_t *self, dw_message_t *message, dw_wire_reader_t *reader) {
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

/* What WELCOME says of heartbeats and the graph's name. */
static bool s_read_pulse (dw_client_t *self, dw_wire_reader_t *reader) {
    size_t size;
    uint32_t heartbeat_ms = dw_read_uint_max (reader, UINT32_MAX);
    uint32_t silence_ms = dw_read_uint_max (reader, UINT32_MAX);
    const char *name = dw_read_str (reader, 255, &size);
    if (self->remote && !reader->is_damaged) {
        self->remote->heartbeat_ns = (int64_t) heartbeat_ms * 1000000;
        self->remote->silence_ns = (int64_t) silence_ms * 1000000;
        snprintf (self->remote->name, sizeof self->remote->name, "%.*s", (int) size, name);
    }
    return !reader->is_damaged && dw_wire_is_pulse (heartbeat_ms, silence_ms);
}

static int s_on_welcome (dw_client_t *self, dw_message_t *message, dw_wire_reader_t *reader) {
    size_t size;
    zmq_msg_t *frame;
    if (self->names)
        return DW_EPROTOCOL;
    self->peer = dw_read_uint_max (reader, UINT32_MAX);
    self->runs_max = dw_read_uint_max (reader, 1u << 24);
    self->max_payload_bytes = dw_read_uint (reader);
    dw_ref_t ref = dw_read_ref (reader);
    const uint8_t *graph = dw_message_resolve (message, 0, &ref, reader, &size, &frame);
    if (!graph || reader->is_damaged || self->runs_max == 0)
        return DW_EPROTOCOL;
    if (!s_read_pulse (self, reader))
        return DW_EPROTOCOL;
    if (!dw_flights_reserve (&self->flights))
        return DW_ENOMEM;
    return dw_roster_new (&self->names, graph, size);
}

static int s_on_refused (dw_client_t *self, dw_wire_reader_t *reader, dw_error_t *error) {
    size_t size;
    uint32_t code = dw_read_uint_max (reader, 999);
    const char *text = dw_read_str (reader, 4096, &size);
    uint64_t run = dw_read_uint (reader);
    if (self->names && run)
        dw_flights_remove (&self->flights, run);
    self->refused = code == 403 && self->remote    ? DW_EKEY
                    : self->remote && !self->names ? DW_EREFUSED
                    : code == 503                  ? DW_EAGAIN
                                                   : DW_EPROTOCOL;
    if (self->refused == DW_EKEY && self->names && !run)
        self->gone = DW_EKEY; /* it was put out */
    return dw_error_add (error, self->refused, DW_NOWHERE, "the coordinator refused: %.*s (%u)",
                         text ? (int) size : 0, text ? text : "", (unsigned) code);
}

static void s_note_heard (dw_client_t *self) {
    if (!self->remote)
        return;
    self->remote->heard_ns = dw_clock_ns ();
    self->remote->asked_ns = 0;
}

/* Takes in one message, if one is there. Errors: DW_EAGAIN none; DW_ECLOSED; DW_ENOMEM and
 * DW_EPROTOCOL a message was lost. */
static int s_take_in (dw_client_t *self, dw_error_t *error) {
    dw_message_t message = {0};
    int err = self->gone ? self->gone : dw_message_receive (&message, self->socket);
    if (err == DW_ECLOSED)
        self->gone = DW_ECLOSED;
    if (!err) {
        s_note_heard (self);
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

/* Nothing has come: a coordinator elsewhere that has not been heard of for a heartbeat is asked whether it is there.
 * True: it has not answered for so long that it is lost. *until_ns becomes when to look again. */
static bool s_ask_if_there (dw_client_t *self, int64_t now_ns, int64_t *until_ns) {
    dw_remote_t *remote = self->remote;
    if (!self->names)
        return false; /* it has a deadline of its own for its WELCOME */
    if (remote->asked_ns == 0 && now_ns - remote->heard_ns >= remote->heartbeat_ns) {
        remote->asked_ns = now_ns;
        dw_write_uint (&self->packet.head, DW_WIRE_BEAT);
        dw_write_uint (&self->packet.head, self->peer);
        dw_packet_send (&self->packet, self->socket, NULL, 0);
    }
    int64_t next_ns = remote->asked_ns
                          ? remote->asked_ns + remote->silence_ns - remote->heartbeat_ns
                          : remote->heard_ns + remote->heartbeat_ns;
    if (next_ns < *until_ns)
        *until_ns = next_ns;
    return remote->asked_ns && now_ns >= next_ns;
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
        if (self->remote && s_ask_if_there (self, now_ns, &until_ns))
            return self->gone = DW_ELOST;
        if (now_ns >= deadline_ns)
            return DW_ETIMEDOUT;
        int64_t wait_ms = (until_ns - now_ns + 999999) / 1000000;
        zmq_pollitem_t item = {.socket = self->socket, .events = ZMQ_POLLIN};
        zmq_poll (&item, 1, until_ns == INT64_MAX ? -1 : (long) wait_ms);
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
                         const dw_link_keys_t *keys, dw_error_t *error) {
    static const uint8_t no_token[DW_WIRE_TOKEN_SIZE];
    dw_remote_t *remote = self->remote;
    int timeout_ms = options->timeout_ms > 0 ? options->timeout_ms : CONNECT_MS;
    int64_t deadline_ns = dw_clock_ns () + (int64_t) timeout_ms * 1000000;
    remote->context = zmq_ctx_new ();
    if (!remote->context)
        return dw_error_add (error, DW_ELIMIT, DW_NOWHERE, "no context of ZeroMQ: %s",
                             zmq_strerror (errno));
    int err = dw_link_open (&remote->link, remote->context, options->endpoint, keys, error);
    if (err)
        return err;
    self->socket = remote->link.socket;
    err = s_say_hello (self, no_token);
    if (!err && dw_link_wait (&remote->link, deadline_ns))
        return dw_link_blame (&remote->link, options->endpoint, keys->has_keys, error);
    dw_link_watch_no_more (&remote->link);
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
    dw_link_keys_t keys;
    int err = dw_link_keys_read (&keys, options, error);
    if (err)
        return err;
    dw_client_t *self = s_new ();
    if (self)
        self->remote = calloc (1, sizeof *self->remote);
    err = self && self->remote ? s_connect_to (self, options, &keys, error)
                               : dw_error_add (error, DW_ENOMEM, DW_NOWHERE, "out of memory");
    dw_link_keys_wipe (&keys);
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
    dw_write_uint (&self->packet.head, DW_WIRE_STATUS);
    dw_write_uint (&self->packet.head, self->peer);
    int err = dw_packet_send (&self->packet, self->socket, NULL, 0);
    s_patience_t patience = s_patience (self, timeout_ms);
    while (!err && !self->remote->status)
        err = s_wait (self, &patience, NULL);
    if (err)
        return err;
    *status_p = self->remote->status;
    self->remote->status = NULL;
    return DW_OK;
}

static void s_destroy_remote (dw_remote_t *self) {
    dw_link_close (&self->link);
    if (self->context)
        zmq_ctx_term (self->context);
    dw_status_destroy (&self->status);
    free (self);
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
    if (self->remote)
        s_destroy_remote (self->remote);
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

/* Appends the payload as a byte string: small ones inside of the head. */
static int s_write_payload (dw_client_t *self, const dw_submission_t *submission,
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
    zmq_msg_t message;
    if (zmq_msg_init_size (&message, head_size + size))
        return dw_error_add (error, DW_ENOMEM, DW_NOWHERE, "out of memory");
    memcpy (zmq_msg_data (&message), head, head_size);
    if (size)
        memcpy ((uint8_t *) zmq_msg_data (&message) + head_size, submission->payload, size);
    dw_packet_add (&self->packet, zmq_msg_data (&message), head_size + size, &message);
    zmq_msg_close (&message);
    return DW_OK;
}

static int s_write_outputs (dw_client_t *self, const dw_submission_t *submission,
                            dw_error_t *error) {
    dw_writer_t *head = &self->packet.head;
    if (submission->outputs_count == 0) {
        dw_write_nil (head);
        return DW_OK;
    }
    dw_write_array (head, (uint32_t) submission->outputs_count);
    for (size_t i = 0; i < submission->outputs_count; i++) {
        int node = dw_roster_find (self->names, submission->outputs[i]);
        if (node < 0)
            return dw_error_add (error, DW_ENOENT, DW_NOWHERE,
                                 "the graph has no node \"%s\" to be an output",
                                 submission->outputs[i]);
        dw_write_uint (head, (uint64_t) node);
    }
    return DW_OK;
}

/* What a coordinator elsewhere has said already: that it closes, perhaps. */
static int s_hear (dw_client_t *self) {
    int err = DW_OK;
    for (size_t left = (size_t) self->flights.count + LATE_MAX; !err && left > 0; left--)
        err = s_take_in (self, NULL);
    return self->gone;
}

int dw_client_submit (dw_client_t *self, const dw_submission_t *submission, uint64_t *run_p,
                      dw_error_t *error) {
    if (submission->outputs_count > self->names->count)
        return dw_error_add (error, DW_EINVAL, DW_NOWHERE,
                             "more outputs are named than the graph has nodes");
    int err = self->remote ? s_hear (self) : DW_OK;
    if (!err)
        err = s_wait_for_room (self, submission->wait_ms, error);
    if (err)
        return err;
    dw_write_uint (&self->packet.head, DW_WIRE_SUBMIT);
    dw_write_uint (&self->packet.head, self->peer);
    dw_write_uint (&self->packet.head, self->run + 1);
    err = s_write_payload (self, submission, error);
    dw_write_uint (&self->packet.head, submission->deadline_ms);
    if (!err)
        err = s_write_outputs (self, submission, error);
    if (err) {
        dw_packet_clear (&self->packet);
        return err;
    }
    err = dw_packet_send (&self->packet, self->socket, NULL, 0);
    if (err)
        return dw_error_add (error, err, DW_NOWHERE, "the run was not submitted: %s",
                             dw_err_text (err));
    self->run++;
    dw_flights_add (&self->flights, self->run);
    if (run_p)
        *run_p = self->run;
    return DW_OK;
}

int dw_client_cancel (dw_client_t *self, uint64_t run) {
    if (!dw_flights_has (&self->flights, run))
        return DW_ENOENT;
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
    if (err == DW_EAGAIN && self->remote && s_ask_if_there (self, dw_clock_ns (), &until_ns))
        self->gone = DW_ELOST; /* which the next call that can say so does */
    return s_take (self, NULL, 0);
}

int dw_client_fd (const dw_client_t *self) {
    int fd = -1;
    size_t size = sizeof fd;
    return zmq_getsockopt (self->socket, ZMQ_FD, &fd, &size) ? -1 : fd;
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
