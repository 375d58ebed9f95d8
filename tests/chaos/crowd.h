/* crowd.h - bare TCP connections to a coordinator of this machine, of those who say nothing, or
 * nothing that makes sense. */

#ifndef TESTS_CHAOS_CROWD_H
#define TESTS_CHAOS_CROWD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tests/support/random.h"

#define CROWD_BYTES_MAX 512u

/* A connection, of which nothing is waited for; -1: none is to be had now. */
int crowd_connect (uint16_t port);
/* Whether the other side has hung up; what it said is dropped. */
bool crowd_is_over (int fd);
/* Ends it at once, so that the port can be used again. */
void crowd_close (int fd);
/* As much as goes without waiting; how much that was. */
size_t crowd_send (int fd, const uint8_t *bytes, size_t size);

/* The greeting of ZMTP 3.1 with a mechanism: so many bytes of it. */
size_t crowd_greet (uint8_t *bytes, const char *mechanism);
/* The handshake of a DEALER where no keys are asked for; false: the other side does not go
 * along. */
bool crowd_shake_hands (int fd);
/* The head of a frame; flags as in zmtp.c. */
size_t crowd_frame (uint8_t *bytes, unsigned flags, uint64_t size);
/* Says something that is not what it should be: no ZMTP, half of it, another mechanism, a handshake
 * or a message of random bytes. */
void crowd_talk_garbage (int fd, random_t *random);

#endif
