/* heap.h - the memory of simulated processes: counted, and taken back as a whole when one is
 * killed.
 *
 * The program is linked so that malloc and its like, as the actors call them, come here. What is
 * taken belongs to whoever was entered last, and is found again there when it was not freed. */

#ifndef TESTS_HEAP_H
#define TESTS_HEAP_H

#include <stddef.h>
#include <stdint.h>

typedef struct heap_block_t heap_block_t;

typedef struct heap_t {
    heap_block_t *first;
    uint64_t blocks, bytes, bytes_most;
} heap_t;

/* Whose memory is taken from now on; NULL: the simulator's own. Returns whose it was before. */
heap_t *heap_enter (heap_t *self);
/* Frees all that was taken. */
void heap_clear (heap_t *self);

#endif
