/* system_level.h - worlds of the whole system: coordinator, agents, workers and clients as they
 * are, on simulated threads, sockets and time. */

#ifndef TESTS_SYSTEM_LEVEL_H
#define TESTS_SYSTEM_LEVEL_H

#include "tests/support/level.h"

/* What can be switched off is in plot.h. */
extern const level_t system_level;

#endif
