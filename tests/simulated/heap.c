/* heap.c - the memory of simulated processes. */

#include "tests/simulated/heap.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* Of 32 bytes, so that what is behind it is aligned as malloc aligns. */
struct heap_block_t {
    heap_block_t *next, **link; /* link: what points here */
    heap_t *owner;
    size_t size;
};

static heap_t s_own;
static heap_t *s_entered = &s_own;

heap_t *heap_enter (heap_t *self) {
    heap_t *before = s_entered;
    s_entered = self ? self : &s_own;
    return before;
}

/* The linker calls them so (-Wl,--wrap). */
void *__real_malloc (size_t size);
void *__real_realloc (void *memory, size_t size);
void __real_free (void *memory);
void *__wrap_malloc (size_t size);
void *__wrap_calloc (size_t count, size_t size);
void *__wrap_realloc (void *memory, size_t size);
void __wrap_free (void *memory);
char *__wrap_strdup (const char *text);
char *__wrap_strndup (const char *text, size_t size);
int __wrap_asprintf (char **text_p, const char *format, ...)
    __attribute__ ((format (printf, 2, 3)));

static void s_link (heap_block_t *block, heap_t *owner, size_t size) {
    *block = (heap_block_t){
        .next = owner->first, .link = &owner->first, .owner = owner, .size = size};
    if (block->next)
        block->next->link = &block->next;
    owner->first = block;
    owner->blocks++;
    owner->bytes += size;
    if (owner->bytes > owner->bytes_most)
        owner->bytes_most = owner->bytes;
}

static void s_unlink (heap_block_t *block) {
    *block->link = block->next;
    if (block->next)
        block->next->link = block->link;
    block->owner->blocks--;
    block->owner->bytes -= block->size;
}

void *__wrap_malloc (size_t size) {
    heap_block_t *block = __real_malloc (sizeof *block + size);
    if (!block)
        return NULL;
    s_link (block, s_entered, size);
    return block + 1;
}

void *__wrap_calloc (size_t count, size_t size) {
    size_t bytes;
    void *memory = __builtin_mul_overflow (count, size, &bytes) ? NULL : __wrap_malloc (bytes);
    return memory ? memset (memory, 0, bytes) : NULL;
}

void *__wrap_realloc (void *memory, size_t size) {
    heap_block_t *block = memory ? (heap_block_t *) memory - 1 : NULL;
    if (!block)
        return __wrap_malloc (size);
    heap_t *owner = block->owner;
    size_t before = block->size;
    s_unlink (block);
    heap_block_t *grown = __real_realloc (block, sizeof *block + size);
    s_link (grown ? grown : block, owner, grown ? size : before);
    return grown ? grown + 1 : NULL;
}

void __wrap_free (void *memory) {
    heap_block_t *block = memory ? (heap_block_t *) memory - 1 : NULL;
    if (!block)
        return;
    s_unlink (block);
    __real_free (block);
}

char *__wrap_strndup (const char *text, size_t size) {
    size_t length = strnlen (text, size);
    char *copy = __wrap_malloc (length + 1);
    if (!copy)
        return NULL;
    memcpy (copy, text, length);
    copy[length] = '\0';
    return copy;
}

char *__wrap_strdup (const char *text) {
    return __wrap_strndup (text, strlen (text));
}

int __wrap_asprintf (char **text_p, const char *format, ...) {
    char text[512];
    va_list arguments;
    va_start (arguments, format);
    int size = vsnprintf (text, sizeof text, format, arguments);
    va_end (arguments);
    assert (size >= 0 && (size_t) size < sizeof text);
    *text_p = __wrap_strdup (text);
    return *text_p ? size : -1;
}

void heap_clear (heap_t *self) {
    while (self->first)
        __wrap_free (self->first + 1);
}
