/* zap_fixture.h - a server with a ZAP handler, clients with every kind of key, and how each
 * handshake ended.
 *
 * Real sockets over TCP on the loopback interface; a monitor of the server says how each handshake
 * ended, so that nothing is concluded from silence. What does not go as it should fails the
 * test. */

#ifndef TESTS_ZAP_FIXTURE_H
#define TESTS_ZAP_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "actors/zap.h"

#define ZAP_WAIT_MS       5000
#define ZAP_EVENT_NOTHING 0
#define ZAP_FAILURES                                                              \
    (ZMQ_EVENT_HANDSHAKE_FAILED_NO_DETAIL | ZMQ_EVENT_HANDSHAKE_FAILED_PROTOCOL | \
     ZMQ_EVENT_HANDSHAKE_FAILED_AUTH)

/* A server with a handler, and a client's pair that is listed as a worker's. */
typedef struct zap_fixture_t {
    void *context, *peers; /* the server's, and the clients' */
    dw_keys_t server, listed, unlisted;
    dw_allowed_t *allowed;
    dw_zap_t *zap;
    void *router, *monitor;
    unsigned open_count; /* sockets of a test's own */
    char endpoint[64];
} zap_fixture_t;

/* A list with this key in this role, and others behind it. */
dw_allowed_t *zap_list (const dw_keys_t *keys, const char *role, uint32_t others);
extern const dw_zap_limits_t zap_limits;
int zap_set_up (void **state);
void zap_close (void *socket);
int zap_tear_down (void **state);
/* A socket that the test has to close. */
void *zap_open_dealer (zap_fixture_t *f, void *context);
void zap_close_dealer (zap_fixture_t *f, void *dealer);
/* The server's socket, not yet guarded. */
void zap_make_router (zap_fixture_t *f);
void zap_bind (zap_fixture_t *f);
void zap_listen (zap_fixture_t *f);
/* A client that shows keys (NULL: none) to a server with this key. */
void *zap_connect (zap_fixture_t *f, const dw_keys_t *keys, const dw_keys_t *server);
bool zap_wait (void *socket, long ms);
/* How the next handshake ended: an event of ZeroMQ, and its value in *value_p. */
int zap_outcome (zap_fixture_t *f, uint32_t *value_p);
/* The next message is a hello; its key, if it has one, in key. */
bool zap_receive (zap_fixture_t *f, uint8_t *key);
void zap_expect_let_in (zap_fixture_t *f, const dw_keys_t *keys);
/* By one of these events of ZeroMQ and, unless it is 0, with this value. */
void zap_expect_kept_out (zap_fixture_t *f, const dw_keys_t *keys, const dw_keys_t *server,
                          int events, uint32_t value);
void zap_expect_counts (zap_fixture_t *f, uint64_t let_in, uint64_t refused, uint64_t malformed);

#endif
