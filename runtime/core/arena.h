/* arena.h - memory for many things of one lifetime, given back all at once.
 *
 * A graph's strings and lists and a plan's arrays live in one. Texts and things lie apart, so that
 * the thing taken last can grow where it lies while texts are copied. One thread at a time. */

#ifndef DW_ARENA_H
#define DW_ARENA_H

#include <stdbool.h>
#include <stddef.h>

typedef struct dw_arena_t dw_arena_t;

/* NULL: no memory. */
dw_arena_t *dw_arena_new (void);
void dw_arena_destroy (dw_arena_t **self_p);

/* count things of size bytes, zeroed and aligned for pointers and numbers; NULL: no memory. */
void *dw_arena_take (dw_arena_t *self, size_t count, size_t size);
/* The same, not zeroed where there is much of it: for who writes all of it anyway. */
void *dw_arena_take_unset (dw_arena_t *self, size_t count, size_t size);
/* Room for more bytes right behind the thing of size bytes; false, and nothing happens, unless it
 * was taken last and there is room. */
bool dw_arena_extend (dw_arena_t *self, const void *thing, size_t size, size_t more);
#define DW_ARENA_MARGIN 7 /* bytes behind every text that may be read: it can be read by words */
/* A copy of size bytes and a NUL byte, not aligned; NULL: no memory. */
char *dw_arena_copy (dw_arena_t *self, const char *bytes, size_t size);
/* What it holds of the system's memory, in bytes. */
size_t dw_arena_size (const dw_arena_t *self);

#endif
