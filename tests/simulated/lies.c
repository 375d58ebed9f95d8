/* lies.c - a peer that lies. */

#include "tests/simulated/lies.h"

#include <stdlib.h>
#include <string.h>

#include "runtime/wire.h"
#include "tests/simulated/message.h"
#include "tests/simulated/transcript.h"
#include "tests/simulated/verdict.h"

#define REMEMBERED 8u
#define LIES_NS    INT64_C (3000000000)
#define FAR        5000u /* above the credit of any worker */

/* Answers that were sent before, as bytes of their heads. */
static struct {
    struct {
        uint64_t connection;
        uint8_t *bytes;
        size_t size;
    } old[REMEMBERED];
    uint32_t count;
    struct { /* held back, to be sent behind the next one */
        pipe_t *pipe;
        packet_t *packet;
    } late;
} s;

void lies_begin (void) {
    memset (&s, 0, sizeof s);
}

void lies_end (void) {
    for (uint32_t i = 0; i < REMEMBERED; i++)
        free (s.old[i].bytes);
    if (s.late.packet)
        packet_free (s.late.packet);
    memset (&s, 0, sizeof s);
}

static void s_remember (const pipe_t *pipe, const packet_t *packet) {
    heap_t *before = heap_enter (NULL);
    size_t size = zmq_msg_size (&packet->frames[0]), at = s.count++ % REMEMBERED;
    free (s.old[at].bytes);
    s.old[at].bytes = malloc (size + 1);
    s.old[at].size = size;
    s.old[at].connection = pipe->connection;
    if (s.old[at].bytes)
        memcpy (s.old[at].bytes, zmq_msg_data (&packet->frames[0]), size);
    heap_enter (before);
}

static packet_t *s_packet_of (const uint8_t *bytes, size_t size) {
    packet_t *packet = packet_new ();
    zmq_msg_init_size (packet_push (packet), size);
    memcpy (zmq_msg_data (&packet->frames[0]), bytes, size);
    return packet;
}

static packet_t *s_copy (const packet_t *packet) {
    packet_t *copy = packet_new ();
    for (uint32_t i = 0; i < packet->count; i++) {
        zmq_msg_t *frame = packet_push (copy);
        zmq_msg_init_size (frame, zmq_msg_size (&packet->frames[i]));
        memcpy (zmq_msg_data (frame), zmq_msg_data (&packet->frames[i]),
                zmq_msg_size (&packet->frames[i]));
        message_of (frame)->has_more = i + 1 < packet->count;
    }
    return copy;
}

/* The same for a task that it never had. (What it says of one that it has must be believed.) */
static packet_t *s_forge (const packet_t *packet) {
    zmq_msg_t *head = (zmq_msg_t *) (uintptr_t) &packet->frames[0];
    dw_wire_reader_t reader = dw_wire_reader (zmq_msg_data (head), zmq_msg_size (head));
    dw_writer_t writer = {0};
    dw_write_uint (&writer, dw_read_uint (&reader));
    dw_write_uint (&writer, dw_read_uint (&reader));
    uint64_t ticket = dw_read_uint (&reader);
    dw_write_uint (&writer, ticket + FAR + random_below (fibers_random (), FAR));
    size_t rest = (size_t) (reader.end - reader.at), head_size = writer.count;
    uint8_t *bytes = malloc (head_size + rest + 1);
    packet_t *forged = NULL;
    if (bytes && !reader.is_damaged && !writer.no_memory) {
        memcpy (bytes, writer.bytes, head_size);
        memcpy (bytes + head_size, reader.at, rest);
        forged = s_packet_of (bytes, head_size + rest);
    }
    free (bytes);
    dw_writer_free (&writer);
    return forged;
}

static void s_send (pipe_t *pipe, packet_t *packet) {
    process_t *process = pipe->socket->process;
    if (!packet)
        return;
    process->lies = false;
    network_send (pipe, packet);
    process->lies = true;
}

static void s_send_late (void) {
    pipe_t *pipe = s.late.pipe;
    packet_t *packet = s.late.packet;
    s.late.packet = NULL;
    if (pipe->socket->is_closed)
        packet_free (packet);
    else
        s_send (pipe, packet);
}

static bool s_is (const packet_t *packet, dw_wire_type_t type) {
    zmq_msg_t *head = (zmq_msg_t *) (uintptr_t) &packet->frames[0];
    return zmq_msg_size (head) > 0 && *(const uint8_t *) zmq_msg_data (head) == type;
}

/* Nobody lies for ever: each lie takes its time to be found out, and runs are to end. */
static bool s_is_over (void) {
    return fibers_now_ns () > LIES_NS;
}

bool lies_change (pipe_t *pipe, packet_t *packet) {
    random_t *random = fibers_random ();
    process_t *process = pipe->peer->socket->process;
    if (!s_is (packet, DW_WIRE_TASKS) || s_is_over () || !random_one_in (random, 12))
        return false;
    verdict->lies++;
    bool is_twice = random_one_in (random, 2) || !process->loses;
    transcript_tell ("%s is lied to: %s", process->name, is_twice ? "twice" : "cut short");
    process->lies = false;
    if (is_twice)
        network_send (pipe, s_copy (packet));
    else
        network_send (
            pipe,
            s_packet_of (zmq_msg_data (&packet->frames[0]),
                         random_below (random, (uint32_t) zmq_msg_size (&packet->frames[0]))));
    process->lies = true;
    if (!is_twice)
        packet_free (packet);
    return !is_twice;
}

bool lies_tell (pipe_t *pipe, packet_t *packet) {
    random_t *random = fibers_random ();
    const zmq_msg_t *head = &packet->frames[0];
    bool loses = pipe->socket->process->loses;
    if (!s_is (packet, DW_WIRE_ANSWERS) || (s_is_over () && !(s.late.packet && loses)))
        return false;
    s_remember (pipe, packet);
    if (!s_is_over () && !random_one_in (random, 4))
        return false;
    verdict->lies++;
    uint32_t lie = s_is_over () ? 4 : random_below (random, loses ? 5 : 3),
             old = random_below (random, REMEMBERED);
    transcript_tell ("%s lies: %u", pipe->socket->process->name, (unsigned) lie);
    switch (lie) {
        case 0: /* twice */ s_send (pipe, s_copy (packet)); return false;
        case 1: /* of long ago; not of another slot of the same process, which might be true */
            if (s.old[old].bytes && s.old[old].connection == pipe->connection)
                s_send (pipe, s_packet_of (s.old[old].bytes, s.old[old].size));
            return false;
        case 2: s_send (pipe, s_forge (packet)); return false;
        case 3: /* cut short */
            s_send (pipe, s_packet_of (zmq_msg_data (&packet->frames[0]),
                                       random_below (random, (uint32_t) zmq_msg_size (head))));
            packet_free (packet);
            return true;
        default: break;
    }
    /* In another order: the one before it is sent behind it. */
    if (s.late.packet) {
        s_send (pipe, packet);
        s_send_late ();
        return true;
    }
    s.late.pipe = pipe;
    heap_t *before = heap_enter (NULL); /* its process may end before it is sent */
    s.late.packet = s_copy (packet);
    heap_enter (before);
    packet_free (packet);
    return true;
}
