/* test_peers_gather.c - messages that are received together and given one after another. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "actors/peers.h"

typedef struct fixture_t {
    void *context, *dealer;
    dw_peers_t peers;
} fixture_t;

static int s_set_up (void **state) {
    static fixture_t fixture;
    fixture = (fixture_t){.context = zmq_ctx_new ()};
    *state = &fixture;
    fixture.dealer = zmq_socket (fixture.context, ZMQ_DEALER);
    fixture.peers.routers[0] = zmq_socket (fixture.context, ZMQ_ROUTER);
    fixture.peers.routers_count = 1;
    return zmq_bind (fixture.peers.routers[0], "inproc://gather") ||
           zmq_connect (fixture.dealer, "inproc://gather");
}

static int s_tear_down (void **state) {
    fixture_t *f = *state;
    dw_peers_free (&f->peers);
    zmq_close (f->dealer);
    return zmq_ctx_term (f->context);
}

/* A message of this type, with so many frames behind its head. */
static void s_send (fixture_t *f, uint8_t type, unsigned frames) {
    assert_int_equal (zmq_send (f->dealer, &type, 1, frames ? ZMQ_SNDMORE : 0), 1);
    for (unsigned i = 1; i <= frames; i++)
        assert_int_equal (zmq_send (f->dealer, "x", 1, i < frames ? ZMQ_SNDMORE : 0), 1);
}

static void s_expect_next (fixture_t *f, uint32_t expected) {
    uint32_t router, type;
    dw_wire_reader_t reader;
    assert_true (dw_peers_next (&f->peers, &router, &reader, &type));
    assert_int_equal (type, expected);
    assert_int_equal (router, 0);
}

static void all_are_given_in_the_order_in_which_they_came (void **state) {
    fixture_t *f = *state;
    uint32_t router, type;
    dw_wire_reader_t reader;
    uint8_t sent = 0, given = 0;
    for (uint32_t max = 1; max <= DW_ARRIVALS_MAX; max++) {
        for (int i = 0; i < 20; i++)
            s_send (f, sent++ % DW_WIRE_TYPES, 0);
        while (dw_peers_gather (&f->peers, max) == DW_OK) {
            assert_in_range (f->peers.arrivals_count, 1, max);
            for (uint32_t i = f->peers.arrivals_count; i > 0; i--)
                s_expect_next (f, given++ % DW_WIRE_TYPES);
            assert_false (dw_peers_next (&f->peers, &router, &reader, &type));
        }
        assert_int_equal (given, sent);
    }
}

static void the_room_that_a_message_of_many_frames_took_is_given_back (void **state) {
    fixture_t *f = *state;
    uint32_t router, type;
    dw_wire_reader_t reader;
    for (int round = 0; round < 3; round++) {
        for (uint32_t i = 0; i < DW_ARRIVALS_MAX; i++)
            s_send (f, DW_WIRE_BEAT, 3000);
        while (dw_peers_receive (&f->peers, &router, &reader, &type) == DW_OK)
            assert_int_equal (type, DW_WIRE_BEAT);
    }
    assert_false (dw_peers_next (&f->peers, &router, &reader, &type));
    assert_in_range (f->peers.message.size, 0, 1024);
    for (uint32_t i = 0; i < DW_ARRIVALS_MAX; i++)
        assert_in_range (f->peers.arrivals[i].message.size, 0, 1024);
}

int main (void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown (all_are_given_in_the_order_in_which_they_came, s_set_up,
                                         s_tear_down),
        cmocka_unit_test_setup_teardown (the_room_that_a_message_of_many_frames_took_is_given_back,
                                         s_set_up, s_tear_down),
    };
    return !!cmocka_run_group_tests_name ("messages received together", tests, NULL, NULL);
}
