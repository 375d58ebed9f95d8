/* test_message.c - a message on its way out: what its records share travels in one frame. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "actors/message.h"

#define SIZE 1000u

/* Adds what lies in message, and gives the frame that the head now names; 0: it is in the head. */
static uint32_t s_add (dw_packet_t *packet, zmq_msg_t *message) {
    size_t before = packet->head.count;
    dw_packet_add (packet, zmq_msg_data (message), zmq_msg_size (message), message);
    assert_false (packet->head.no_memory);
    dw_wire_reader_t reader = dw_wire_reader (packet->head.bytes + before,
                                              packet->head.count - before);
    dw_ref_t ref = dw_read_ref (&reader);
    assert_true (dw_wire_reader_is_over (&reader));
    return ref.frame;
}

static zmq_msg_t s_message (size_t size, int with) {
    zmq_msg_t message;
    zmq_msg_init_size (&message, size);
    memset (zmq_msg_data (&message), with, size);
    return message;
}

static void what_records_share_is_one_frame (void **state) {
    dw_packet_t packet = {0};
    zmq_msg_t one = s_message (SIZE, 1), other = s_message (SIZE, 1), alias;
    zmq_msg_init (&alias);
    zmq_msg_copy (&alias, &one);
    (void) state;
    for (int i = 0; i < 100; i++) {
        assert_int_equal (s_add (&packet, &one), 1);
        assert_int_equal (s_add (&packet, &other), 2); /* the same bytes, but nobody knows that */
        assert_int_equal (s_add (&packet, &alias), 1);
    }
    assert_int_equal (packet.count, 2);
    assert_int_equal (packet.bytes, 2 * SIZE);
    dw_packet_free (&packet);
    zmq_msg_close (&one);
    zmq_msg_close (&other);
    zmq_msg_close (&alias);
}

static void what_is_small_is_in_the_head_and_what_is_new_a_new_frame (void **state) {
    dw_packet_t packet = {0};
    (void) state;
    for (uint32_t i = 1; i <= 50; i++) {
        zmq_msg_t small = s_message (DW_WIRE_INLINE_MAX, 1), large = s_message (SIZE, 2);
        assert_int_equal (s_add (&packet, &small), 0);
        assert_int_equal (s_add (&packet, &large), i);
        zmq_msg_close (&small);
        zmq_msg_close (&large); /* its memory is the frame's now, and no other's */
    }
    assert_int_equal (packet.bytes, 50 * SIZE);
    dw_packet_clear (&packet);
    assert_int_equal (packet.bytes, 0);
    dw_packet_free (&packet);
}

/* A reader takes DW_WIRE_FRAMES_MAX, with the head and the routing id. */
static void what_is_more_than_a_reader_takes_is_in_the_head (void **state) {
    dw_packet_t packet = {0};
    (void) state;
    for (uint32_t i = 1; i <= DW_WIRE_FRAMES_MAX + 100; i++) {
        zmq_msg_t message = s_message (DW_WIRE_INLINE_MAX + 1, 1);
        assert_int_equal (s_add (&packet, &message), i <= DW_WIRE_FRAMES_MAX - 2 ? i : 0);
        zmq_msg_close (&message);
    }
    assert_int_equal (packet.count, DW_WIRE_FRAMES_MAX - 2);
    dw_packet_free (&packet);
}

int main (void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test (what_records_share_is_one_frame),
        cmocka_unit_test (what_is_small_is_in_the_head_and_what_is_new_a_new_frame),
        cmocka_unit_test (what_is_more_than_a_reader_takes_is_in_the_head),
    };
    return !!cmocka_run_group_tests (tests, NULL, NULL);
}
