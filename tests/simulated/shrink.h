/* shrink.h - plays worlds in processes of their own, and makes one that does not hold smaller. */

#ifndef TESTS_SHRINK_H
#define TESTS_SHRINK_H

#include <stdbool.h>
#include <stdint.h>

/* Plays the worlds from one seed to another, with something switched off; verbose: with a transcript. False: one does not
 * hold, and verdict says which and why. */
bool shrink_play (uint64_t from, uint64_t to, uint64_t off, bool verbose);
/* What can be switched off besides so that the world still does not hold. */
uint64_t shrink (uint64_t seed, uint64_t off);

#endif
