/* zmtp.c - where the messages of a stream of ZMTP 3 begin and end. */

#include "tests/chaos/zmtp.h"

#include "runtime/wire.h"

#define MORE    1u /* of a frame's first byte */
#define LONG    2u
#define COMMAND 4u

/* The bytes of one frame with its head; 0: it is not whole. */
static size_t s_frame (const uint8_t *bytes, size_t size, size_t *head_p) {
    size_t head = size > 0 && (bytes[0] & LONG) ? 9 : 2;
    uint64_t body = 0;
    if (size < head)
        return 0;
    for (size_t i = 1; i < head; i++)
        body = body << 8 | bytes[i];
    *head_p = head;
    return body <= size - head ? head + (size_t) body : 0;
}

size_t zmtp_next (const uint8_t *bytes, size_t size) {
    for (size_t at = 0, head;;) {
        size_t frame = s_frame (bytes + at, size - at, &head);
        if (frame == 0)
            return 0;
        bool is_last = !(bytes[at] & MORE);
        at += frame;
        if (is_last)
            return at;
    }
}

bool zmtp_is_answers (const uint8_t *bytes, size_t size) {
    size_t head = 0, frame = s_frame (bytes, size, &head);
    return frame > head && !(bytes[0] & COMMAND) && bytes[head] == DW_WIRE_ANSWERS;
}
