/* ghost.h - a worker process of which an earlier incarnation goes on talking: bare sockets that say
 * what the slots of one that was replaced would say, and answer nonsense for whatever they are
 * given. One thread. */

#ifndef TESTS_CHAOS_GHOST_H
#define TESTS_CHAOS_GHOST_H

#include <stdbool.h>
#include <stdint.h>

typedef struct ghost_t ghost_t;

/* A process with that many slots; endpoint is borrowed. */
ghost_t *ghost_new (const char *endpoint, uint32_t slots, uint64_t seed);
void ghost_destroy (ghost_t **self_p);
/* Comes by a new connection as an incarnation, and says nothing more by the former one. True: it is
 * welcome. */
bool ghost_come (ghost_t *self, uint64_t incarnation);
/* A slot of the incarnation before the last one that was welcome comes, or of the last one, and
 * answers nonsense for some time if it is welcome. False: it is not. */
bool ghost_intrude (ghost_t *self, bool is_of_last);

#endif
