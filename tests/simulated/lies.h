/* lies.h - a peer that lies: what it says is repeated, comes in another order, is cut short, is of
 * long ago, or names what there is not. */

#ifndef TESTS_LIES_H
#define TESTS_LIES_H

#include "tests/simulated/plot.h"

/* Looks at what a liar sends. True: the packet was taken, and something else may have been sent in
 * its place. */
bool lies_tell (pipe_t *pipe, packet_t *packet);
/* The same of what is sent to one: tasks come twice, not whole, or of nodes and runs that there are
 * not. */
bool lies_change (pipe_t *pipe, packet_t *packet);
void lies_begin (const plot_t *plot);
void lies_end (void);

#endif
