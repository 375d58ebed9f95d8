/* relay.h - a forwarder of bytes between workers and a coordinator, which knows nothing of ZeroMQ: it delays, cuts,
 * half-closes and silences connections at random. */

#ifndef TESTS_CHAOS_RELAY_H
#define TESTS_CHAOS_RELAY_H

#include <stdint.h>

/* Listens at tcp://127.0.0.1:PORT (listen), forwards to target_port of this machine, until it is killed. */
int relay_run (const char *listen, uint16_t target_port, uint64_t seed);

#endif
