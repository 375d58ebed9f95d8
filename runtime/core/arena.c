/* arena.c - see arena.h. */

#include "runtime/core/arena.h"

#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define CHUNK_FIRST 2048u           /* a small graph stays small */
#define CHUNK_MAX   (1024u * 1024u) /* chunks double up to this */
#define ALIGNMENT   8u

typedef struct chunk_t {
    struct chunk_t *next;
    size_t used, size; /* of bytes */
    char bytes[];      /* given out once, and zero unless it was taken unset */
} chunk_t;

_Static_assert(offsetof (chunk_t, bytes) % ALIGNMENT == 0, "things start aligned");
_Static_assert(_Alignof(void *) <= ALIGNMENT && _Alignof(double) <= ALIGNMENT &&
                   _Alignof(int64_t) <= ALIGNMENT,
               "aligned for pointers and numbers");

/* The first chunk of a list is the one being filled. */
struct dw_arena_t {
    chunk_t *things;
    chunk_t *texts;
    size_t size;
};

dw_arena_t *dw_arena_new (void) {
    return calloc (1, sizeof (dw_arena_t));
}

static void s_free (chunk_t *chunk) {
    while (chunk) {
        chunk_t *next = chunk->next;
        free (chunk);
        chunk = next;
    }
}

void dw_arena_destroy (dw_arena_t **self_p) {
    assert (self_p);
    dw_arena_t *self = *self_p;
    if (!self)
        return;
    s_free (self->things);
    s_free (self->texts);
    free (self);
    *self_p = NULL;
}

/* Adds a fresh chunk, where there is a first one behind it, whose rest then stays in use. */
static void s_add_behind (dw_arena_t *self, chunk_t **list_p, chunk_t *chunk, size_t size) {
    chunk_t **next_p = *list_p ? &(*list_p)->next : list_p;
    *chunk = (chunk_t){.next = *next_p, .size = size};
    *next_p = chunk;
    self->size += sizeof (*chunk) + size;
}

/* Adds a chunk with room for size bytes. A thing that is large beside the next chunk gets one of
 * its own, behind the first. */
static chunk_t *s_grow (dw_arena_t *self, chunk_t **list_p, size_t size) {
    chunk_t *first = *list_p;
    size_t room = first ? first->size * 2 : CHUNK_FIRST;
    if (room > CHUNK_MAX)
        room = CHUNK_MAX;
    bool alone = size > room / 4;
    if (alone)
        room = size;
    if (room > SIZE_MAX - sizeof (chunk_t) - DW_ARENA_MARGIN)
        return NULL;
    chunk_t *chunk = calloc (1, sizeof (chunk_t) + room + DW_ARENA_MARGIN);
    if (!chunk)
        return NULL;
    if (alone) {
        s_add_behind (self, list_p, chunk, room);
    } else {
        *chunk = (chunk_t){.next = first, .size = room};
        self->size += sizeof (*chunk) + room;
        *list_p = chunk;
    }
    return chunk;
}

static void *s_take (dw_arena_t *self, chunk_t **list_p, size_t size) {
    chunk_t *chunk = *list_p;
    if (!chunk || chunk->size - chunk->used < size)
        chunk = s_grow (self, list_p, size);
    if (!chunk)
        return NULL;
    void *bytes = chunk->bytes + chunk->used;
    chunk->used += size;
    return bytes;
}

static size_t s_aligned (size_t size) {
    return (size + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
}

void *dw_arena_take (dw_arena_t *self, size_t count, size_t size) {
    assert (self);
    assert (size > 0);
    if (count > (SIZE_MAX - ALIGNMENT) / size)
        return NULL;
    return s_take (self, &self->things, s_aligned (count * size));
}

void *dw_arena_take_unset (dw_arena_t *self, size_t count, size_t size) {
    assert (self);
    assert (size > 0);
    if (count <= CHUNK_MAX / 4 / size)
        return dw_arena_take (self, count, size);
    if (count > (SIZE_MAX - sizeof (chunk_t) - ALIGNMENT) / size)
        return NULL;
    size_t room = s_aligned (count * size);
    chunk_t *chunk = malloc (sizeof (*chunk) + room);
    if (!chunk)
        return NULL;
    s_add_behind (self, &self->things, chunk, room);
    chunk->used = room;
    return chunk->bytes;
}

bool dw_arena_extend (dw_arena_t *self, const void *thing, size_t size, size_t more) {
    assert (self);
    chunk_t *chunk = self->things;
    size = s_aligned (size);
    if (!chunk || !thing || chunk->used < size || more > CHUNK_MAX)
        return false;
    if (chunk->bytes + chunk->used - size != thing)
        return false;
    if (chunk->size - chunk->used < s_aligned (more))
        return false;
    chunk->used += s_aligned (more);
    return true;
}

char *dw_arena_copy (dw_arena_t *self, const char *bytes, size_t size) {
    assert (self);
    assert (bytes || size == 0);
    if (size == SIZE_MAX)
        return NULL;
    char *copy = s_take (self, &self->texts, size + 1);
    if (copy && size > 0)
        memcpy (copy, bytes, size);
    return copy;
}

size_t dw_arena_size (const dw_arena_t *self) {
    assert (self);
    return sizeof (*self) + self->size;
}
