/* zap.h - who completes a handshake with a guarded socket (ZeroMQ RFC 27, ZAP 1.0).
 *
 *     peer --CURVE--> guarded ROUTER --inproc://zeromq.zap.01--> handler: is the key listed?
 *                          ^                                        |
 *                          +------ 200 and User-Id, or 400 <--------+
 *
 * The handler is an actor with the allow-list in memory; ZeroMQ's I/O thread asks it once for each
 * handshake. It lets in who proves by CURVE to have a listed key, in the domain "dagwood", and
 * nobody else: not the mechanisms NULL and PLAIN, not another domain, not what is no request. There
 * is one in a context, and every socket of the context that has a domain depends on it.
 *
 * CURVE alone fails open in ZeroMQ 4.3: without a domain, or without a handler, every key is let
 * in. dw_zap_guard sets the domain and has it enforced, so that with the handler gone nobody is let
 * in.
 *
 * The handler knows nothing of roles beyond that there is one, and its answer holds for as long as
 * the connection does. Whoever reads a guarded socket asks dw_zap_user for a message's key, and the
 * list for the key's roles, whenever a list has replaced another. */

#ifndef DW_ZAP_H
#define DW_ZAP_H

#include <zmq.h>

#include "actors/allowed.h"
#include "actors/keys.h"

#define DW_ZAP_DOMAIN "dagwood"

typedef struct dw_zap_t dw_zap_t;

/* Starts the handler in a context, of whose sockets it takes three. allowed is borrowed until
 * another list has replaced it or self is destroyed. self is used by one thread at a time.
 * Errors: DW_ELIMIT no socket or thread; DW_EINVAL the context has a handler. */
int dw_zap_new (dw_zap_t **self_p, void *context, const dw_allowed_t *allowed, dw_error_t *error);
/* Stops the handler: from here on nobody is let in. The context may be shut down, but not
 * terminated. */
void dw_zap_destroy (dw_zap_t **self_p);

/* Has the handler use another list, borrowed as the first one. When it returns DW_OK nobody reads
 * the old one any more, and every handshake that begins from now on is judged by the new one.
 * Errors: DW_ECLOSED the context is shut down; both lists must stay until self is destroyed. */
int dw_zap_replace (dw_zap_t *self, const dw_allowed_t *allowed);

typedef struct dw_zap_counts_t {
    uint64_t let_in, refused; /* handshakes */
    uint64_t malformed;       /* what was no request, and those of no memory */
} dw_zap_counts_t;

/* What the handler has decided so far. Errors: DW_ECLOSED. */
int dw_zap_counts (dw_zap_t *self, dw_zap_counts_t *counts);

typedef struct dw_zap_limits_t {
    int64_t message_bytes_max; /* of a frame; also before a peer is known */
    int handshake_ms;          /* for a peer to complete its handshake */
} dw_zap_limits_t;

/* Makes socket a CURVE server with these keys whose peers this handler judges: to be called before
 * it is bound (dw_endpoint_bind). Everything is read back after it was set.
 * Errors: DW_EINVAL a limit that is none; DW_EKEY something is not as it was set: the socket is
 * then of no use, and not to be bound. */
int dw_zap_guard (const dw_zap_t *self, void *socket, const dw_keys_t *keys,
                  const dw_zap_limits_t *limits, dw_error_t *error);
/* Whether a socket is guarded, by what ZeroMQ says of it. */
bool dw_zap_is_guarded (void *socket);

/* The key of whoever sent a frame, which must be of a guarded socket: on any other one peers can
 * say of themselves what they like. In ZeroMQ 4.3.4 it is on the frames behind the routing id's.
 * false: the frame has none. */
bool dw_zap_user (zmq_msg_t *frame, uint8_t *key);

#endif
