/* transcript.c - what happens in a simulated world. */

#include "tests/simulated/transcript.h"

#include <stdarg.h>

#include "runtime/wire.h"

static FILE *s_file;

void transcript_begin (FILE *file) {
    s_file = file;
}

bool transcript_is_on (void) {
    return s_file;
}

FILE *transcript_file (void) {
    return s_file;
}

void transcript_tell (const char *format, ...) {
    va_list arguments;
    if (!s_file)
        return;
    fprintf (s_file, "%12.3f  ", (double) fibers_now_ns () / 1000);
    va_start (arguments, format);
    vfprintf (s_file, format, arguments);
    va_end (arguments);
    fputc ('\n', s_file);
}

void transcript_tell_message (const pipe_t *from, const packet_t *packet) {
    const process_t *near = from->socket->process, *far = from->peer->socket->process;
    zmq_msg_t *head = &packet->frames[0];
    if (!s_file || from->socket->type == ZMQ_PAIR)
        return;
    const char *type = dw_wire_type_text (
        zmq_msg_size (head) ? *(const uint8_t *) zmq_msg_data (head) : DW_WIRE_TYPES);
    transcript_tell ("        %s -> %s, connection %u: %s, %zu bytes, %u frames (%016llx)",
                     near->name, far->name, (unsigned) from->connection, type ? type : "?",
                     zmq_msg_size (head), (unsigned) packet->count,
                     (unsigned long long) fibers_hash ());
}
