/* zap.c - a ZAP handler with its list in memory, and what it is asked by. */

#include "actors/zap.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "actors/actor.h"
#include "actors/endpoint.h"
#include "actors/message.h"
#include "actors/option.h"
#include "runtime/core/error.h"

#define REQUESTS      "inproc://zeromq.zap.01"
#define ORDERS        "inproc://dagwood.zap.orders"
#define STACK_BYTES   (256u << 10)
#define REQUESTS_MAX  64 /* taken in before it looks for an order */
#define SHORT_MAX     255u
#define USER_PROPERTY "User-Id"
/* ZMQ_ZAP_ENFORCE_DOMAIN, which zmq.h names for those alone who ask for drafts; every ZeroMQ since
 * 4.3 takes it, and whether this one did is read back. */
#define ENFORCE_DOMAIN 93

typedef enum s_order_type_t { ORDER_COUNT, ORDER_REPLACE, ORDER_STOP } s_order_type_t;

/* What the owner sends; the answer to each is the counts. */
typedef struct s_order_t {
    s_order_type_t type;
    const dw_allowed_t *allowed; /* of ORDER_REPLACE */
} s_order_t;

struct dw_zap_t {
    dw_actor_t actor;
    void *orders; /* the owner's end */
    /* The handler's own, from its start on. */
    void *sockets[2]; /* a PAIR for orders, a ROUTER for requests */
    const dw_allowed_t *allowed;
    dw_message_t message;
    dw_zap_counts_t counts;
};

/* ---- Requests --------------------------------------------------------------------------------- */

/* The frames of a request behind the routing id (ZeroMQ's own of the session that asks). */
enum {
    FRAME_ID,
    FRAME_DELIMITER,
    FRAME_VERSION,
    FRAME_REQUEST,
    FRAME_DOMAIN,
    FRAME_ADDRESS,
    FRAME_ROUTING_ID,
    FRAME_MECHANISM,
    FRAME_KEY,
    FRAMES_COUNT
};

static bool s_frame_is (zmq_msg_t *frame, const char *text) {
    return zmq_msg_size (frame) == strlen (text) &&
           memcmp (zmq_msg_data (frame), text, strlen (text)) == 0;
}

/* Whether there is enough of a request to answer it. */
static bool s_is_request (dw_message_t *message) {
    zmq_msg_t *frames = message->frames;
    if (message->count <= FRAME_MECHANISM || zmq_msg_size (&frames[FRAME_DELIMITER]) != 0 ||
        !s_frame_is (&frames[FRAME_VERSION], "1.0"))
        return false;
    for (unsigned i = FRAME_REQUEST; i <= FRAME_MECHANISM; i++)
        if (zmq_msg_size (&frames[i]) > SHORT_MAX)
            return false;
    return true;
}

/* The key that a request shows and its CURVE handshake has proved, or NULL: then nobody is let
 * in. */
static const uint8_t *s_request_key (dw_message_t *message) {
    zmq_msg_t *frames = message->frames;
    if (message->count != FRAMES_COUNT || !s_frame_is (&frames[FRAME_DOMAIN], DW_ZAP_DOMAIN) ||
        !s_frame_is (&frames[FRAME_MECHANISM], "CURVE") ||
        zmq_msg_size (&frames[FRAME_KEY]) != DW_KEY_SIZE)
        return NULL;
    return zmq_msg_data (&frames[FRAME_KEY]);
}

/* Who asked may be gone: then ZeroMQ drops it. */
static void s_reply (dw_zap_t *self, const char *status, const char *text, const char *user) {
    zmq_msg_t *frames = self->message.frames;
    const char *const texts[] = {"1.0", NULL, status, text, user, ""};
    zmq_msg_send (&frames[FRAME_ID], self->sockets[1], ZMQ_SNDMORE | ZMQ_DONTWAIT);
    zmq_send (self->sockets[1], "", 0, ZMQ_SNDMORE | ZMQ_DONTWAIT);
    for (unsigned i = 0; i < sizeof texts / sizeof *texts; i++) {
        int flags = ZMQ_DONTWAIT | (i + 1 < sizeof texts / sizeof *texts ? ZMQ_SNDMORE : 0);
        if (texts[i])
            zmq_send (self->sockets[1], texts[i], strlen (texts[i]), flags);
        else
            zmq_msg_send (&frames[FRAME_REQUEST], self->sockets[1], flags);
    }
}

static void s_on_request (dw_zap_t *self) {
    char user[DW_KEY_TEXT_SIZE];
    if (!s_is_request (&self->message)) {
        self->counts.malformed++; /* the handshake runs out of time */
        return;
    }
    const uint8_t *key = s_request_key (&self->message);
    if (!key || !dw_allowed_find (self->allowed, key, NULL)) {
        self->counts.refused++;
        s_reply (self, "400", "not let in", "");
        return;
    }
    self->counts.let_in++;
    dw_key_text (user, key);
    s_reply (self, "200", "OK", user);
}

/* Takes in the requests that are there, but not without end; false: the context is shut down. */
static bool s_take_requests (dw_zap_t *self) {
    for (int i = 0; i < REQUESTS_MAX; i++) {
        int err = dw_message_receive (&self->message, self->sockets[1]);
        if (err == DW_EAGAIN)
            return true;
        if (err == DW_ECLOSED)
            return false;
        if (err)
            self->counts.malformed++;
        else
            s_on_request (self);
    }
    return true;
}

/* ---- The actor -------------------------------------------------------------------------------- */

/* Carries out an order if there is one; false: the handler is to end. */
static bool s_take_order (dw_zap_t *self) {
    s_order_t order;
    int size;
    do
        size = zmq_recv (self->sockets[0], &order, sizeof order, ZMQ_DONTWAIT);
    while (size < 0 && errno == EINTR);
    if (size < 0)
        return errno == EAGAIN;
    assert (size == (int) sizeof order); /* the owner alone has the other end */
    switch (order.type) {
        case ORDER_COUNT: break;
        case ORDER_REPLACE: self->allowed = order.allowed; break;
        case ORDER_STOP: return false;
    }
    zmq_send (self->sockets[0], &self->counts, sizeof self->counts, ZMQ_DONTWAIT);
    return true;
}

static void *s_zap_actor (void *args) {
    dw_zap_t *self = args;
    while (dw_actor_wait (self->sockets, 2, 0, INT64_MAX) && s_take_order (self) &&
           s_take_requests (self))
        continue;
    dw_message_free (&self->message);
    /* From here on ZeroMQ finds nobody to ask. Closing alone is noticed later, by another
     * thread. */
    zmq_unbind (self->sockets[1], REQUESTS);
    zmq_unbind (self->sockets[0], ORDERS);
    zmq_close (self->sockets[1]);
    zmq_close (self->sockets[0]);
    return NULL;
}

/* ---- Its owner -------------------------------------------------------------------------------- */

static int s_open_socket (void **socket_p, void *context, int type, dw_error_t *error) {
    *socket_p = zmq_socket (context, type);
    if (*socket_p && dw_option_set_int (*socket_p, ZMQ_LINGER, 0))
        return DW_OK;
    return dw_error_add (error, DW_ELIMIT, DW_NOWHERE,
                         "no socket to check keys (%s): raise the limit of open files (ulimit -n)",
                         zmq_strerror (errno));
}

static int s_open (dw_zap_t *self, void *context, dw_error_t *error) {
    int err = s_open_socket (&self->sockets[1], context, ZMQ_ROUTER, error);
    if (!err)
        err = s_open_socket (&self->sockets[0], context, ZMQ_PAIR, error);
    if (!err)
        err = s_open_socket (&self->orders, context, ZMQ_PAIR, error);
    if (!err)
        err = dw_endpoint_bind_inproc (self->sockets[1], REQUESTS, error);
    if (!err)
        err = dw_endpoint_bind_inproc (self->sockets[0], ORDERS, error);
    if (!err && zmq_connect (self->orders, ORDERS))
        err = dw_error_add (error, DW_ELIMIT, DW_NOWHERE, "no socket to check keys: %s",
                            zmq_strerror (errno));
    if (!err && dw_actor_start (&self->actor, "dw-zap", STACK_BYTES, s_zap_actor, self))
        err = dw_error_add (error, DW_ELIMIT, DW_NOWHERE,
                            "no thread to check keys: raise the limit of threads (RLIMIT_NPROC, "
                            "ulimit -u) or of memory");
    return err;
}

int dw_zap_new (dw_zap_t **self_p, void *context, const dw_allowed_t *allowed, dw_error_t *error) {
    assert (allowed);
    dw_zap_t *self = calloc (1, sizeof *self);
    if (!self)
        return dw_error_add (error, DW_ENOMEM, DW_NOWHERE, "out of memory");
    self->allowed = allowed;
    int err = s_open (self, context, error);
    if (err) {
        for (int i = 0; i < 2; i++)
            if (self->sockets[i])
                zmq_close (self->sockets[i]);
        dw_zap_destroy (&self);
    } else
        *self_p = self;
    return err;
}

/* Waits for the answer, which the handler gives within the time of a batch of requests. */
static int s_order (dw_zap_t *self, const s_order_t *order, dw_zap_counts_t *counts) {
    int size;
    do
        size = zmq_send (self->orders, order, sizeof *order, 0);
    while (size < 0 && errno == EINTR);
    if (size < 0)
        return DW_ECLOSED;
    do
        size = zmq_recv (self->orders, counts, sizeof *counts, 0);
    while (size < 0 && errno == EINTR);
    return size < 0 ? DW_ECLOSED : DW_OK;
}

int dw_zap_replace (dw_zap_t *self, const dw_allowed_t *allowed) {
    assert (allowed);
    dw_zap_counts_t counts;
    return s_order (self, &(s_order_t){.type = ORDER_REPLACE, .allowed = allowed}, &counts);
}

int dw_zap_counts (dw_zap_t *self, dw_zap_counts_t *counts) {
    return s_order (self, &(s_order_t){.type = ORDER_COUNT}, counts);
}

void dw_zap_destroy (dw_zap_t **self_p) {
    dw_zap_t *self = *self_p;
    if (!self)
        return;
    s_order_t order = {.type = ORDER_STOP};
    if (self->actor.is_running) { /* in a context that is shut down it ends by itself */
        while (zmq_send (self->orders, &order, sizeof order, 0) < 0 && errno == EINTR)
            continue;
        dw_actor_join (&self->actor, INT64_MAX);
    }
    if (self->orders)
        zmq_close (self->orders);
    free (self);
    *self_p = NULL;
}

/* ---- Guarded sockets -------------------------------------------------------------------------- */

/* What keeps a socket from being bound without keys: all of it, or none of it counts. */
bool dw_zap_is_guarded (void *socket) {
    return dw_option_is_int (socket, ZMQ_MECHANISM, ZMQ_CURVE) &&
           dw_option_is_int (socket, ZMQ_CURVE_SERVER, 1) &&
           dw_option_is_text (socket, ZMQ_ZAP_DOMAIN, DW_ZAP_DOMAIN) &&
           dw_option_is_int (socket, ENFORCE_DOMAIN, 1);
}

static bool s_set (void *socket, const dw_keys_t *keys, const dw_zap_limits_t *limits) {
    return dw_option_set_key (socket, ZMQ_CURVE_PUBLICKEY, keys->public_key) &&
           dw_option_set_key (socket, ZMQ_CURVE_SECRETKEY, keys->secret_key) &&
           dw_option_set_int (socket, ZMQ_CURVE_SERVER, 1) &&
           dw_option_set_text (socket, ZMQ_ZAP_DOMAIN, DW_ZAP_DOMAIN) &&
           dw_option_set_int (socket, ENFORCE_DOMAIN, 1) &&
           dw_option_set_int64 (socket, ZMQ_MAXMSGSIZE, limits->message_bytes_max) &&
           dw_option_set_int (socket, ZMQ_HANDSHAKE_IVL, limits->handshake_ms);
}

int dw_zap_guard (const dw_zap_t *self, void *socket, const dw_keys_t *keys,
                  const dw_zap_limits_t *limits, dw_error_t *error) {
    assert (self->actor.is_running); /* a domain that is enforced needs who enforces it */
    if (limits->message_bytes_max <= 0 || limits->handshake_ms <= 0)
        return dw_error_add (error, DW_EINVAL, DW_NOWHERE,
                             "a socket beyond this machine needs a largest message and a time for "
                             "handshakes");
    if (s_set (socket, keys, limits) && dw_zap_is_guarded (socket))
        return DW_OK;
    return dw_error_add (error, DW_EKEY, DW_NOWHERE,
                         "ZeroMQ does not take what guards a socket (%s): was it built with CURVE?",
                         zmq_strerror (errno));
}

bool dw_zap_user (zmq_msg_t *frame, uint8_t *key) {
    const char *user = zmq_msg_gets (frame, USER_PROPERTY);
    return user && dw_key_decode (key, user, strnlen (user, DW_KEY_TEXT_SIZE));
}
