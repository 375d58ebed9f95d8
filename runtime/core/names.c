/* names.c - see names.h. */

#include "runtime/core/names.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

/* How many names may lie in so many slots: four fifths are found with 3 probes on average. */
static uint32_t s_room (uint32_t slots_count) {
    return slots_count / 5 * 4;
}

bool dw_names_init (dw_names_t *self, uint32_t count) {
    assert (self);
    uint32_t slots_count = 16;
    while (s_room (slots_count) < count && slots_count < UINT32_MAX / 2)
        slots_count *= 2;
    dw_name_t *slots = calloc (slots_count, sizeof (*slots));
    if (!slots)
        return false;
    /* The seed is where the table happens to lie: nothing that is observed depends on it, and who
     * writes a graph file cannot know which names would collide. */
    *self = (dw_names_t){
        .slots = slots, .slots_count = slots_count, .seed = (uint64_t) (uintptr_t) slots};
    return true;
}

void dw_names_free (dw_names_t *self) {
    assert (self);
    free (self->slots);
    *self = (dw_names_t){0};
}

/* Multiplies and folds, so that every bit of the word reaches the low half, where slots are told
 * apart. The factor is an odd number without a pattern (2^64 by the golden ratio). */
static uint64_t s_mix (uint64_t hash, uint64_t word) {
    hash = (hash ^ word) * UINT64_C (0x9e3779b97f4a7c15);
    return hash ^ hash >> 32;
}

static inline uint64_t s_load (const char *bytes, size_t size) {
    uint64_t word = 0;
    memcpy (&word, bytes, size);
    return word;
}

/* Up to 8 bytes as one word, those in the middle perhaps twice: loads of fixed sizes. */
static uint64_t s_load_tail (const char *bytes, size_t size) {
    if (size >= 4)
        return s_load (bytes, 4) << 32 | s_load (bytes + size - 4, 4);
    if (size >= 2)
        return s_load (bytes, 2) << 16 | s_load (bytes + size - 2, 2);
    return size > 0 ? s_load (bytes, 1) : 0;
}

uint32_t dw_names_hash (const dw_names_t *self, const char *name) {
    size_t size = strlen (name);
    uint64_t hash = self->seed ^ size;
    for (; size > 8; size -= 8, name += 8)
        hash = s_mix (hash, s_load (name, 8));
    hash = s_mix (s_mix (hash, s_load_tail (name, size)), self->seed);
    __builtin_prefetch (&self->slots[(uint32_t) hash & (self->slots_count - 1)]);
    return (uint32_t) hash;
}

/* The slot of the name, or the empty one where it belongs. There always is an empty one. */
static dw_name_t *s_slot (const dw_names_t *self, const char *name, uint32_t hash) {
    uint32_t mask = self->slots_count - 1;
    for (uint32_t index = hash & mask;; index = (index + 1) & mask) {
        dw_name_t *slot = &self->slots[index];
        if (!slot->name || (slot->hash == hash && strcmp (slot->name, name) == 0))
            return slot;
    }
}

static bool s_double (dw_names_t *self) {
    uint32_t old_count = self->slots_count;
    dw_name_t *old = self->slots;
    if (old_count > UINT32_MAX / 2)
        return false;
    dw_name_t *slots = calloc (old_count * 2u, sizeof (*slots));
    if (!slots)
        return false;
    self->slots = slots;
    self->slots_count = old_count * 2;
    for (uint32_t index = 0; index < old_count; index++)
        if (old[index].name)
            *s_slot (self, old[index].name, old[index].hash) = old[index];
    free (old);
    return true;
}

uint32_t dw_names_add_hashed (dw_names_t *self, const char *name, uint32_t hash, uint32_t value) {
    assert (self && self->slots);
    assert (name);
    assert (value != UINT32_MAX);
    if (self->count >= s_room (self->slots_count) && !s_double (self))
        return UINT32_MAX;
    dw_name_t *slot = s_slot (self, name, hash);
    if (!slot->name) {
        *slot = (dw_name_t){.name = name, .hash = hash, .value = value};
        self->count++;
    }
    return slot->value;
}

void dw_names_peek (const dw_names_t *self, uint32_t hash) {
    __builtin_prefetch (self->slots[hash & (self->slots_count - 1)].name);
}

uint32_t dw_names_find_hashed (const dw_names_t *self, const char *name, uint32_t hash) {
    assert (self && self->slots);
    assert (name);
    const dw_name_t *slot = s_slot (self, name, hash);
    return slot->name ? slot->value : UINT32_MAX;
}

uint32_t dw_names_add (dw_names_t *self, const char *name, uint32_t value) {
    return dw_names_add_hashed (self, name, dw_names_hash (self, name), value);
}

uint32_t dw_names_find (const dw_names_t *self, const char *name) {
    return dw_names_find_hashed (self, name, dw_names_hash (self, name));
}
