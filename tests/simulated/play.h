/* play.h - a simulated world from its beginning to its end: a coordinator's process, agents' and
 * clients', each with the very actors that the product has, on simulated threads, sockets and time.
 *
 * Not simulated are keys (ZAP, CURVE), doors, child processes and recordings. */

#ifndef TESTS_PLAY_H
#define TESTS_PLAY_H

#include "tests/simulated/plot.h"

/* Plays it; what does not hold ends the process (verdict.h). Returns the hash of all that
 * happened. */
uint64_t play (const plot_t *plot, FILE *transcript);

#endif
