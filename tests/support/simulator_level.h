/* simulator_level.h - many worlds of the scheduler, and what they came to. */

#ifndef TESTS_SIMULATOR_LEVEL_H
#define TESTS_SIMULATOR_LEVEL_H

#include <stdbool.h>
#include <stdint.h>

/* Runs the worlds from one seed to another and prints what happened; of the first that does not hold the transcript, too, and
 * ends there. verbose: the transcript of every world; all: it goes on. 0: all of them hold, else 1. */
int simulator_level (uint64_t from, uint64_t to, bool verbose, bool all);

#endif
