/* zap_fixture.c - a server with a ZAP handler, and its clients. */

#include "tests/support/zap_fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "actors/endpoint.h"

#define MONITOR   "inproc://monitor"
#define MONITORED (ZMQ_EVENT_HANDSHAKE_SUCCEEDED | ZAP_FAILURES)

dw_allowed_t *zap_list (const dw_keys_t *keys, const char *role, uint32_t others) {
    size_t room = ((size_t) others + 1) * 64;
    char *text = malloc (room), key[DW_KEY_TEXT_SIZE];
    dw_allowed_t *list = NULL;
    assert_non_null (text);
    dw_key_text (key, keys->public_key);
    size_t used = (size_t) snprintf (text, room, "%s %s x\n", role, key);
    for (uint32_t i = 0; i < others; i++) {
        uint8_t other[DW_KEY_SIZE] = {(uint8_t) i, (uint8_t) (i >> 8), (uint8_t) (i >> 16), 1};
        dw_key_text (key, other);
        used += (size_t) snprintf (text + used, room - used, "client %s x\n", key);
    }
    assert_int_equal (dw_allowed_parse (&list, text, used, NULL, NULL), DW_OK);
    free (text);
    return list;
}

const dw_zap_limits_t zap_limits = {.message_bytes_max = 1 << 20, .handshake_ms = 1000};

int zap_set_up (void **state) {
    zap_fixture_t *f = calloc (1, sizeof *f);
    f->context = zmq_ctx_new ();
    f->peers = zmq_ctx_new ();
    assert_int_equal (dw_keys_generate (&f->server, NULL), DW_OK);
    assert_int_equal (dw_keys_generate (&f->listed, NULL), DW_OK);
    assert_int_equal (dw_keys_generate (&f->unlisted, NULL), DW_OK);
    f->allowed = zap_list (&f->listed, "worker", 10);
    assert_int_equal (dw_zap_new (&f->zap, f->context, f->allowed, NULL), DW_OK);
    *state = f;
    return 0;
}

void zap_close (void *socket) {
    int linger_ms = 0;
    if (!socket)
        return;
    zmq_setsockopt (socket, ZMQ_LINGER, &linger_ms, sizeof linger_ms);
    zmq_close (socket);
}

int zap_tear_down (void **state) {
    zap_fixture_t *f = *state;
    dw_zap_destroy (&f->zap);
    if (f->router) /* else ZeroMQ may tell a monitor that nobody reads any more, and wait for ever */
        zmq_socket_monitor (f->router, NULL, 0);
    zap_close (f->monitor);
    zap_close (f->router);
    if (f->open_count == 0) { /* else a test has failed, and this would wait for ever */
        zmq_ctx_term (f->context);
        zmq_ctx_term (f->peers);
    }
    dw_allowed_destroy (&f->allowed);
    free (f);
    return 0;
}

void *zap_open_dealer (zap_fixture_t *f, void *context) {
    void *dealer = zmq_socket (context, ZMQ_DEALER);
    assert_non_null (dealer);
    f->open_count++;
    return dealer;
}

void zap_close_dealer (zap_fixture_t *f, void *dealer) {
    zap_close (dealer);
    f->open_count--;
}

void zap_make_router (zap_fixture_t *f) {
    f->router = zmq_socket (f->context, ZMQ_ROUTER);
    assert_non_null (f->router);
    assert_int_equal (zmq_socket_monitor (f->router, MONITOR, MONITORED), 0);
    f->monitor = zmq_socket (f->context, ZMQ_PAIR);
    assert_int_equal (zmq_connect (f->monitor, MONITOR), 0);
}

void zap_bind (zap_fixture_t *f) {
    dw_error_t *error = dw_error_new ();
    if (dw_endpoint_bind (f->router, "tcp://127.0.0.1:*", f->endpoint, sizeof f->endpoint, error))
        fail_msg ("%s", dw_error_text (error));
    dw_error_destroy (&error);
}

void zap_listen (zap_fixture_t *f) {
    zap_make_router (f);
    assert_int_equal (dw_zap_guard (f->zap, f->router, &f->server, &zap_limits, NULL), DW_OK);
    zap_bind (f);
}

void *zap_connect (zap_fixture_t *f, const dw_keys_t *keys, const dw_keys_t *server) {
    void *dealer = zap_open_dealer (f, f->peers);
    if (keys)
        assert_int_equal (dw_keys_use (keys, dealer, server->public_key, NULL), DW_OK);
    assert_int_equal (zmq_connect (dealer, f->endpoint), 0);
    assert_int_equal (zmq_send (dealer, "hello", 5, 0), 5);
    return dealer;
}

bool zap_wait (void *socket, long ms) {
    zmq_pollitem_t item = {.socket = socket, .events = ZMQ_POLLIN};
    return zmq_poll (&item, 1, ms) > 0;
}

int zap_outcome (zap_fixture_t *f, uint32_t *value_p) {
    zmq_msg_t frame;
    uint16_t event;
    *value_p = 0;
    if (!zap_wait (f->monitor, ZAP_WAIT_MS))
        return ZAP_EVENT_NOTHING;
    zmq_msg_init (&frame);
    assert_true (zmq_msg_recv (&frame, f->monitor, 0) >= 6);
    memcpy (&event, zmq_msg_data (&frame), sizeof event);
    memcpy (value_p, (char *) zmq_msg_data (&frame) + sizeof event, sizeof *value_p);
    assert_true (zmq_msg_recv (&frame, f->monitor, 0) >= 0); /* the endpoint */
    zmq_msg_close (&frame);
    return event;
}

bool zap_receive (zap_fixture_t *f, uint8_t *key) {
    zmq_msg_t frame;
    zmq_msg_init (&frame);
    assert_true (zap_wait (f->router, ZAP_WAIT_MS));
    assert_true (zmq_msg_recv (&frame, f->router, 0) > 0); /* the routing id */
    assert_int_equal (zmq_msg_recv (&frame, f->router, 0), 5);
    assert_memory_equal (zmq_msg_data (&frame), "hello", 5);
    assert_false (zmq_msg_more (&frame));
    bool has_key = dw_zap_user (&frame, key);
    zmq_msg_close (&frame);
    return has_key;
}

void zap_expect_let_in (zap_fixture_t *f, const dw_keys_t *keys) {
    uint32_t value;
    uint8_t key[DW_KEY_SIZE];
    void *dealer = zap_connect (f, keys, &f->server);
    assert_int_equal (zap_outcome (f, &value), ZMQ_EVENT_HANDSHAKE_SUCCEEDED);
    assert_true (zap_receive (f, key));
    assert_memory_equal (key, keys->public_key, sizeof key);
    zap_close_dealer (f, dealer);
}

void zap_expect_kept_out (zap_fixture_t *f, const dw_keys_t *keys, const dw_keys_t *server,
                          int events, uint32_t value) {
    uint32_t said;
    void *dealer = zap_connect (f, keys, server);
    int event = zap_outcome (f, &said);
    assert_true (event & events);
    if (value)
        assert_int_equal (said, value);
    assert_false (zap_wait (f->router, 50));
    zap_close_dealer (f, dealer);
}

void zap_expect_counts (zap_fixture_t *f, uint64_t let_in, uint64_t refused, uint64_t malformed) {
    dw_zap_counts_t counts;
    assert_int_equal (dw_zap_counts (f->zap, &counts), DW_OK);
    assert_int_equal (counts.let_in, let_in);
    assert_int_equal (counts.refused, refused);
    assert_int_equal (counts.malformed, malformed);
}
