/* simulator_level.h - worlds of the scheduler: each seed is one of simulator.h and one of growth.h,
 * whose runs grow. */

#ifndef TESTS_SIMULATOR_LEVEL_H
#define TESTS_SIMULATOR_LEVEL_H

#include "tests/support/level.h"

/* What can be switched off is in off.h. */
extern const level_t simulator_level;

#endif
