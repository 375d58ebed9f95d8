/* test_peers_probe.c - who is asked whether it is still there: a queue that is full for a while
 * loses nobody. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <zmq.h>

#include "actors/peers.h"

#define ENDPOINT "inproc://probe"

static void s_count_failed (void *arg, dw_peer_t *peer) {
    (void) peer;
    ++*(unsigned *) arg;
}

/* A socket whose queue has one place. */
static void *s_socket (void *context, int type) {
    static const int one = 1, no_linger = 0;
    void *socket = zmq_socket (context, type);
    assert_non_null (socket);
    assert_int_equal (zmq_setsockopt (socket, ZMQ_SNDHWM, &one, sizeof one), 0);
    assert_int_equal (zmq_setsockopt (socket, ZMQ_RCVHWM, &one, sizeof one), 0);
    assert_int_equal (zmq_setsockopt (socket, ZMQ_LINGER, &no_linger, sizeof no_linger), 0);
    if (type == ZMQ_ROUTER)
        assert_int_equal (zmq_setsockopt (socket, ZMQ_ROUTER_MANDATORY, &one, sizeof one), 0);
    return socket;
}

static unsigned s_receive_all (void *socket) {
    char bytes[16];
    unsigned count = 0;
    while (zmq_recv (socket, bytes, sizeof bytes, ZMQ_DONTWAIT) >= 0)
        count++;
    return count;
}

static void a_client_that_reads_late_is_not_lost_by_being_asked (void **state) {
    void *context = zmq_ctx_new (), *dealer = s_socket (context, ZMQ_DEALER);
    dw_peers_t peers = {0};
    dw_wire_reader_t reader;
    uint32_t router, type;
    unsigned failed = 0;
    int events; /* to ask for them has the socket hear that there is room again */
    size_t size = sizeof events;
    (void) state;
    peers.routers[peers.routers_count++] = s_socket (context, ZMQ_ROUTER);
    assert_int_equal (zmq_bind (peers.routers[0], ENDPOINT), 0);
    assert_int_equal (zmq_connect (dealer, ENDPOINT), 0);
    assert_int_equal (zmq_send (dealer, "\x01", 1, 0), 1);
    assert_int_equal (dw_peers_receive (&peers, &router, &reader, &type), DW_OK);
    dw_peer_t *peer = dw_peers_add (&peers, router, DW_WIRE_CLIENT);
    assert_non_null (peer);
    for (int i = 0; i < 10; i++)
        assert_true (dw_peers_probe (&peers, peer));
    assert_in_range (s_receive_all (dealer), 1, 9); /* its queue was full */
    assert_int_equal (zmq_getsockopt (peers.routers[0], ZMQ_EVENTS, &events, &size), 0);
    dw_write_uint (&dw_peers_packet (&peers, peer, DW_WIRE_RESULTS)->head, 1);
    dw_peers_flush (&peers, s_count_failed, &failed);
    assert_int_equal (failed, 0);
    assert_int_equal (s_receive_all (dealer), 1);
    for (int i = 0; i < 10; i++) { /* what it was to have is another matter */
        dw_write_uint (&dw_peers_packet (&peers, peer, DW_WIRE_RESULTS)->head, 1);
        dw_peers_flush (&peers, s_count_failed, &failed);
    }
    assert_true (failed > 0);
    zmq_close (dealer);
    dw_peers_free (&peers);
    zmq_ctx_term (context);
}

int main (void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test (a_client_that_reads_late_is_not_lost_by_being_asked),
    };
    return !!cmocka_run_group_tests (tests, NULL, NULL);
}
