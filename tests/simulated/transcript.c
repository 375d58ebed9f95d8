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
    static const char *const names[] = {
        "HELLO",  "WELCOME", "REFUSED", "TASKS",  "ANSWERS", "CANCEL", "STOP",    "SUBMIT",
        "ABORT",  "RESULTS", "BYE",     "CLOSE",  "CLOSED",  "COUNT",  "COUNTS",  "BEAT",
        "DRAIN",  "REPLACE", "STATUS",  "RELOAD", "DROP",    "ENDED",  "STALLED", "TAKEN",
        "DETACH", "CLAIM",   "WHERE",   "MOVED",  "REFER"};
    const process_t *near = from->socket->process, *far = from->peer->socket->process;
    zmq_msg_t *head = &packet->frames[0];
    if (!s_file || from->socket->type == ZMQ_PAIR)
        return;
    uint8_t type = zmq_msg_size (head) ? *(const uint8_t *) zmq_msg_data (head) : DW_WIRE_TYPES;
    transcript_tell ("        %s -> %s, connection %u: %s, %zu bytes, %u frames (%016llx)",
                     near->name, far->name, (unsigned) from->connection,
                     type < sizeof names / sizeof *names ? names[type] : "?", zmq_msg_size (head),
                     (unsigned) packet->count, (unsigned long long) fibers_hash ());
}
