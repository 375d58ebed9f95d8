/* monitor.h - what a socket's monitor is told. */

#ifndef TESTS_MONITOR_H
#define TESTS_MONITOR_H

#include <stdint.h>

#include "tests/simulated/network.h"

/* Tells whoever monitors the socket, if it is an event that it asked for. */
void monitor_tell (socket_t *socket, uint16_t event);

#endif
