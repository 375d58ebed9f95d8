/* raw.c - ZeroMQ alone between two processes. */

#include "bench/lib/raw.h"

#include <stdlib.h>
#include <string.h>

#include "actors/clock.h"
#include "actors/endpoint.h"
#include "runtime/core/error.h"

#define KEY_TEXT 41 /* a key in Z85, and NUL */

/* Gives back what comes, until there comes an empty message. */
static void s_echo (const char *endpoint, const char *server_key) {
    void *context = zmq_ctx_new (), *dealer = zmq_socket (context, ZMQ_DEALER);
    char public_key[KEY_TEXT], secret_key[KEY_TEXT];
    zmq_msg_t message;
    zmq_msg_init (&message);
    if (*server_key && zmq_curve_keypair (public_key, secret_key) == 0) {
        zmq_setsockopt (dealer, ZMQ_CURVE_SERVERKEY, server_key, KEY_TEXT);
        zmq_setsockopt (dealer, ZMQ_CURVE_PUBLICKEY, public_key, KEY_TEXT);
        zmq_setsockopt (dealer, ZMQ_CURVE_SECRETKEY, secret_key, KEY_TEXT);
    }
    zmq_connect (dealer, endpoint);
    zmq_send (dealer, "", 0, 0);
    while (zmq_msg_recv (&message, dealer, 0) > 0)
        zmq_msg_send (&message, dealer, 0);
    zmq_msg_close (&message);
    zmq_close (dealer);
    zmq_ctx_term (context);
}

/* A line has an endpoint and, behind a space, the server's key if there is one. */
static int s_be_echo (FILE *in, void *arg) {
    char line[300];
    (void) arg;
    while (fgets (line, sizeof line, in)) {
        line[strcspn (line, "\n")] = '\0';
        char *server_key = strchr (line, ' ');
        if (server_key)
            *server_key++ = '\0';
        s_echo (line, server_key ? server_key : "");
    }
    return DW_OK;
}

int dw_raw_start (dw_raw_t *self, dw_error_t *error) {
    memset (self, 0, sizeof *self);
    zmq_msg_init (&self->id);
    return dw_child_start (&self->child, s_be_echo, NULL, error);
}

int dw_raw_connect (dw_raw_t *self, bool with_keys, dw_error_t *error) {
    char endpoint[128] = "", line[300], public_key[KEY_TEXT] = "", secret_key[KEY_TEXT];
    int yes = 1;
    self->context = zmq_ctx_new ();
    self->router = self->context ? zmq_socket (self->context, ZMQ_ROUTER) : NULL;
    if (!self->router || (with_keys && zmq_curve_keypair (public_key, secret_key)))
        return dw_error_add (error, DW_ELIMIT, DW_NOWHERE, "no socket: %s", zmq_strerror (errno));
    if (with_keys) {
        zmq_setsockopt (self->router, ZMQ_CURVE_SERVER, &yes, sizeof yes);
        zmq_setsockopt (self->router, ZMQ_CURVE_SECRETKEY, secret_key, KEY_TEXT);
    }
    int err = dw_endpoint_bind (self->router, "tcp://127.0.0.1:*", endpoint, sizeof endpoint,
                                error);
    if (err)
        return err;
    snprintf (line, sizeof line, "%s %s", endpoint, public_key);
    dw_child_tell (&self->child, line);
    zmq_msg_t empty;
    zmq_msg_init (&empty);
    zmq_msg_recv (&self->id, self->router, 0);
    zmq_msg_recv (&empty, self->router, 0);
    zmq_msg_close (&empty);
    return DW_OK;
}

double dw_raw_trips (dw_raw_t *self, size_t size, unsigned count, unsigned window) {
    char *bytes = calloc (1, size);
    zmq_msg_t message, from;
    zmq_msg_init (&message);
    zmq_msg_init (&from);
    int64_t begin_ns = dw_clock_ns ();
    for (unsigned sent = 0, got = 0; bytes && got < count; got++) {
        for (; sent < count && sent - got < window; sent++) {
            zmq_send (self->router, zmq_msg_data (&self->id), zmq_msg_size (&self->id),
                      ZMQ_SNDMORE);
            zmq_send (self->router, bytes, size, 0);
        }
        if (zmq_msg_recv (&from, self->router, 0) < 0 ||
            zmq_msg_recv (&message, self->router, 0) < 0)
            break;
    }
    double took_ns = (double) (dw_clock_ns () - begin_ns);
    zmq_msg_close (&from);
    zmq_msg_close (&message);
    free (bytes);
    return took_ns;
}

int dw_raw_end (dw_raw_t *self, dw_error_t *error) {
    if (self->router && zmq_msg_size (&self->id) > 0) {
        zmq_send (self->router, zmq_msg_data (&self->id), zmq_msg_size (&self->id), ZMQ_SNDMORE);
        zmq_send (self->router, "", 0, 0);
    }
    zmq_msg_close (&self->id);
    if (self->router)
        zmq_close (self->router);
    if (self->context)
        zmq_ctx_term (self->context);
    return dw_child_end (&self->child, error);
}
