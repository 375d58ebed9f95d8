/* forged.c - messages that are made of others, with a lie in them. */

#include "tests/simulated/forged.h"

#include <string.h>

#include "runtime/wire.h"
#include "tests/simulated/message.h"

/* Where the numbers of an answer stand in ANSWERS, if it is the first. */
#define AT_ANSWER 4u
#define AT_STEPS  6u

static zmq_msg_t *s_head (const packet_t *packet) {
    return (zmq_msg_t *) (uintptr_t) &packet->frames[0];
}

static void s_append (dw_writer_t *writer, const uint8_t *from, const uint8_t *to) {
    for (; from < to; from++)
        dw_write_byte (writer, *from);
}

packet_t *forged_head (const void *bytes, size_t size) {
    packet_t *packet = packet_new ();
    zmq_msg_init_size (packet_push (packet), size);
    memcpy (zmq_msg_data (&packet->frames[0]), bytes, size);
    return packet;
}

packet_t *forged_cut (const packet_t *packet) {
    zmq_msg_t *head = s_head (packet);
    return forged_head (zmq_msg_data (head),
                        random_below (fibers_random (), (uint32_t) zmq_msg_size (head)));
}

/* The frames of a packet behind this head, which is emptied. NULL: it could not be written. */
static packet_t *s_behind (dw_writer_t *head, const packet_t *packet) {
    packet_t *made = head->no_memory ? NULL : forged_head (head->bytes, head->count);
    for (uint32_t i = 1; made && i < packet->count; i++) {
        zmq_msg_t *frame = packet_push (made);
        zmq_msg_init_size (frame, zmq_msg_size (&packet->frames[i]));
        memcpy (zmq_msg_data (frame), zmq_msg_data (&packet->frames[i]),
                zmq_msg_size (&packet->frames[i]));
    }
    for (uint32_t i = 0; made && i < made->count; i++)
        message_of (&made->frames[i])->has_more = i + 1 < made->count;
    dw_writer_free (head);
    return made;
}

packet_t *forged_copy (const packet_t *packet) {
    dw_writer_t head = {0};
    const uint8_t *bytes = zmq_msg_data (s_head (packet));
    s_append (&head, bytes, bytes + zmq_msg_size (s_head (packet)));
    return s_behind (&head, packet);
}

/* A reader of its head, behind the numbers before this place. */
static dw_wire_reader_t s_reader (const packet_t *packet, uint32_t at) {
    dw_wire_reader_t reader = dw_wire_reader (zmq_msg_data (s_head (packet)),
                                              zmq_msg_size (s_head (packet)));
    for (uint32_t i = 0; i < at; i++)
        dw_read_uint (&reader);
    return reader;
}

bool forged_read (const packet_t *packet, uint32_t at, uint64_t *number_p) {
    dw_wire_reader_t reader = s_reader (packet, at);
    *number_p = dw_read_uint (&reader);
    return !reader.is_damaged;
}

packet_t *forged_number (const packet_t *packet, uint32_t at, uint64_t number) {
    dw_wire_reader_t reader = s_reader (packet, at);
    dw_writer_t head = {0};
    s_append (&head, zmq_msg_data (s_head (packet)), reader.at);
    dw_read_uint (&reader);
    if (reader.is_damaged) {
        dw_writer_free (&head);
        return NULL;
    }
    dw_write_uint (&head, number);
    s_append (&head, reader.at, reader.end);
    return s_behind (&head, packet);
}

packet_t *forged_output (const packet_t *packet) {
    uint64_t answer;
    if (!forged_read (packet, AT_ANSWER, &answer) || answer != DW_WIRE_ADDED)
        return NULL;
    packet_t *copy = forged_copy (packet);
    dw_wire_reader_t reader = s_reader (copy, AT_STEPS);
    dw_read_ref (&reader); /* its input */
    dw_read_ref (&reader);
    dw_ref_t graph = dw_read_ref (&reader);
    uint8_t *bytes = graph.frame && graph.frame < copy->count
                         ? zmq_msg_data (&copy->frames[graph.frame])
                         : (uint8_t *) (uintptr_t) graph.bytes;
    if (bytes) /* which begin with the name, a short text */
        bytes[1] = '?';
    return copy;
}

packet_t *forged_steps (const packet_t *packet, bool is_next) {
    uint64_t answer, steps;
    if (!forged_read (packet, AT_ANSWER, &answer) || answer != DW_WIRE_DONE ||
        !forged_read (packet, AT_STEPS, &steps))
        return NULL;
    dw_wire_reader_t reader = s_reader (packet, AT_STEPS);
    dw_writer_t head = {0};
    s_append (&head, zmq_msg_data (s_head (packet)), reader.at);
    dw_write_uint (&head, is_next ? steps + 1 : UINT32_MAX);
    dw_read_uint (&reader);
    const uint8_t *first = reader.at;
    for (uint64_t i = 0; i < steps; i++) {
        dw_read_ref (&reader);
        dw_read_ref (&reader);
    }
    s_append (&head, first, reader.at);
    dw_write_bin (&head, "\xc0", 1);
    dw_write_nil (&head);
    s_append (&head, reader.at, reader.end);
    return s_behind (&head, packet);
}
