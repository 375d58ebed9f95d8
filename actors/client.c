/* client.c - submits runs and receives results behind one DEALER; one for each calling thread. */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "actors/client_self.h"
#include "actors/clock.h"
#include "actors/endpoint.h"
#include "actors/option.h"
#include "actors/system.h"
#include "runtime/core/error.h"

#define WELCOME_MS 10000

/* ---- Made ------------------------------------------------------------------------------------- */

static int s_say_hello (dw_client_t *self, const uint8_t *token) {
    dw_wire_hello_t hello = {.version = DW_WIRE_VERSION,
                             .oldest = DW_WIRE_OLDEST,
                             .role = DW_WIRE_CLIENT,
                             .token = token};
    dw_write_hello (&self->packet.head, &hello);
    return dw_packet_send (&self->packet, self->socket, NULL, 0);
}

static int s_await_welcome (dw_client_t *self, int64_t deadline_ns, dw_error_t *error) {
    dw_client_patience_t patience = {.deadline_ns = deadline_ns, .late_left = DW_CLIENT_LATE_MAX};
    int err = DW_OK;
    while (!err && !self->names)
        err = dw_client_await (self, &patience, error);
    return err;
}

static int s_connect (dw_client_t *self, dw_system_t *system, dw_error_t *error) {
    static const dw_socket_option_t settings[] = {
        DW_SOCKET_OPTION (ZMQ_LINGER, 100),
        DW_SOCKET_OPTION (ZMQ_SNDHWM, 0), /* runs_max is the limit */
        DW_SOCKET_OPTION (
            ZMQ_RCVHWM,
            /* within the process; else ZeroMQ's own: what more there is waits with its sender */
            0),
    };
    self->socket = zmq_socket (dw_system_context (system), ZMQ_DEALER);
    if (!self->socket)
        return dw_error_add (error, DW_ELIMIT, DW_NOWHERE,
                             "no socket for another client (%s): raise the limit of open files "
                             "(ulimit -n), or the system's clients_max",
                             zmq_strerror (errno));
    int err = dw_socket_options_set (self->socket, settings, self->is_trusted ? 3 : 2, error);
    if (!err)
        err = dw_endpoint_prepare (self->socket, dw_system_endpoint (system), error);
    if (err)
        return err;
    if (zmq_connect (self->socket, dw_system_endpoint (system)))
        return dw_error_add (error, DW_ECLOSED, DW_NOWHERE, "cannot connect to %s: %s",
                             dw_system_endpoint (system), zmq_strerror (errno));
    int64_t deadline_ns = dw_clock_ns () + WELCOME_MS * INT64_C (1000000);
    err = s_say_hello (self, dw_system_token (system));
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

static int s_greet (void *arg) {
    dw_client_t *self = arg;
    return dw_remote_say_hello (self->remote, &self->packet);
}

/* Waits for the first word of a coordinator elsewhere, and finds out why there is none. */
static int s_connect_to (dw_client_t *self, const dw_connect_options_t *options,
                         dw_error_t *error) {
    dw_remote_t *remote = self->remote;
    int err = dw_remote_open (remote, options, error);
    if (err)
        return err;
    int64_t deadline_ns = dw_clock_ns () + (int64_t) remote->timeout_ms * 1000000;
    err = dw_link_greet (&remote->link,
                         &(dw_link_greeting_t){.context = remote->context,
                                               .endpoint = remote->endpoint,
                                               .keys = &remote->keys,
                                               .deadline_ns = deadline_ns,
                                               .stop = &remote->stop,
                                               .say_hello = s_greet,
                                               .arg = self},
                         error);
    self->socket = remote->link.socket;
    if (err)
        return err;
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
    if (dw_client_is_tied (self))
        dw_client_ask_for_status (self);
    int err = DW_OK;
    dw_client_patience_t patience = dw_client_patience (self, timeout_ms);
    while (!err && !self->remote->status)
        err = dw_client_await (self, &patience, NULL);
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
    dw_packet_free (&self->gathered);
    dw_flights_free (&self->flights);
    free (self);
    *self_p = NULL;
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
    dw_client_patience_t patience = dw_client_patience (self, timeout_ms);
    int sent = dw_client_send_gathered (self);
    if (sent)
        return sent;
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
        int err = dw_client_await (self, &patience, NULL);
        if (err)
            return err;
    }
}

int dw_client_wait (dw_client_t *self, uint64_t run, int timeout_ms, dw_result_t **result_p) {
    return dw_client_wait_any (self, &run, 1, timeout_ms, result_p);
}

int dw_client_wait_all (dw_client_t *self, int timeout_ms) {
    dw_client_patience_t patience = dw_client_patience (self, timeout_ms);
    while (self->flights.count > 0 ||
           self->unsaid) { /* dw_client_next may have met what it cannot say */
        int err = dw_client_await (self, &patience, NULL);
        if (err)
            return err;
    }
    return DW_OK;
}

dw_result_t *dw_client_next (dw_client_t *self) {
    /* Behind a message that makes no sense, or in its better part, are results. */
    int err = dw_client_send_gathered (self);
    for (size_t left = (size_t) self->flights.count + DW_CLIENT_LATE_MAX;
         !self->first && left > 0 && err != DW_EAGAIN && !self->gone; left--)
        err = dw_client_take_in (self, NULL);
    int64_t until_ns = INT64_MAX;
    if (err == DW_EAGAIN) /* that it is lost the next call says that can */
        dw_client_look_after (self, dw_clock_ns (), &until_ns);
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

size_t dw_client_runs_max (const dw_client_t *self) {
    return self->runs_max;
}

uint64_t dw_client_max_payload_bytes (const dw_client_t *self) {
    return self->max_payload_bytes;
}

void dw_client_set_notice (dw_client_t *self, void (*notice) (void *arg, const char *line),
                           void *arg) {
    self->notice = notice;
    self->notice_arg = arg;
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
