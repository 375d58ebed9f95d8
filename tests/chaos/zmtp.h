/* zmtp.h - where the messages of a stream of ZMTP 3 begin and end (ZeroMQ RFC 37), and whether one
 * carries answers of a worker (docs/PROTOCOL.md): all that can be seen of a connection without
 * CURVE. */

#ifndef TESTS_CHAOS_ZMTP_H
#define TESTS_CHAOS_ZMTP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ZMTP_GREETING_SIZE 64u

/* The bytes of the next whole thing behind the greeting: a command, or a message with all its
 * frames. 0: it is not whole yet. */
size_t zmtp_next (const uint8_t *bytes, size_t size);
/* Whether a thing is a message whose first frame begins with the type of ANSWERS. */
bool zmtp_is_answers (const uint8_t *bytes, size_t size);

#endif
