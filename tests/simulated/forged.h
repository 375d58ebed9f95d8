/* forged.h - messages that are made of others, with a lie in them.
 *
 * A new packet each time; what it is made of stays as it is. NULL: it cannot be told of that
 * one. */

#ifndef TESTS_FORGED_H
#define TESTS_FORGED_H

#include "tests/simulated/network.h"

packet_t *forged_copy (const packet_t *packet);
/* A message of a head alone. */
packet_t *forged_head (const void *bytes, size_t size);
/* Its head, cut short, and no frames. */
packet_t *forged_cut (const packet_t *packet);
/* Another number stands at this place of its head, where all before are numbers; the type is at
 * 0. */
packet_t *forged_number (const packet_t *packet, uint32_t at, uint64_t number);
/* Answers of which the first, when it says that its task is done, is also for nodes behind the last
 * one: for the next, or for more than there are bytes. */
packet_t *forged_steps (const packet_t *packet, bool is_next);
/* Answers of which the first, when it says that a node becomes a graph, names an output that this
 * does not have. */
packet_t *forged_output (const packet_t *packet);
/* The number at this place; false: there is none. */
bool forged_read (const packet_t *packet, uint32_t at, uint64_t *number_p);

#endif
