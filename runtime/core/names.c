/* names.c - see names.h. */

#include "runtime/core/names.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#define NOTHING UINT32_MAX
#define EMPTY   UINT32_MAX /* a slot; its index would be DW_NAMES_MAX, which none is */

/* How many names may lie in so many slots: half of them are found with 1.5 probes on average. */
static uint32_t s_room (uint32_t slots_count) {
    return slots_count / 2;
}

static bool s_take_slots (dw_names_t *self, uint32_t count) {
    uint32_t *slots = malloc (count * sizeof (*slots));
    if (!slots)
        return false;
    memset (slots, 0xff, count * sizeof (*slots)); /* EMPTY */
    self->slots = slots;
    self->slots_count = (uint32_t) count;
    return true;
}

bool dw_names_init (dw_names_t *self, uint32_t count, const char *const *names, size_t stride) {
    assert (self);
    assert (stride > 0);
    if (count > DW_NAMES_MAX)
        return false;
    dw_names_t fresh = {.names = names, .stride = stride};
    if (!s_take_slots (&fresh, count * 2 + 16))
        return false;
    /* The seed is where the table happens to lie: nothing that is observed depends on it, and who
     * writes a graph file cannot know which names would collide. */
    fresh.seed = (uint64_t) (uintptr_t) fresh.slots;
    *self = fresh;
    return true;
}

void dw_names_free (dw_names_t *self) {
    assert (self);
    free (self->slots);
    *self = (dw_names_t){0};
}

/* ---- Hashes --------------------------------------------------------------------------------- */

/* Multiplies and folds, so that every bit of the word reaches the low half, by which slots are told
 * apart. The factor is an odd number without a pattern (2^64 by the golden ratio). */
static uint64_t s_mix (uint64_t hash, uint64_t word) {
    hash = (hash ^ word) * UINT64_C (0x9e3779b97f4a7c15);
    return hash ^ hash >> 32;
}

/* 8 bytes, the first one lowest. */
static inline uint64_t s_load (const char *bytes) {
    uint64_t word;
    memcpy (&word, bytes, sizeof (word));
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    word = __builtin_bswap64 (word);
#endif
    return word;
}

/* The same of less than 8 bytes, and zeros. */
static uint64_t s_load_part (const char *bytes, size_t size) {
    uint64_t word = 0;
    for (size_t at = 0; at < size; at++)
        word |= (uint64_t) (unsigned char) bytes[at] << 8 * at;
    return word;
}

/* All bits up to the first byte that is 0, or 0 where none is: subtracting 1 from every byte
 * reaches the highest bit of those that are 0 and, by borrowing, perhaps of later ones. */
static inline uint64_t s_mask (uint64_t word) {
    uint64_t zeros = (word - UINT64_C (0x0101010101010101)) & ~word & UINT64_C (0x8080808080808080);
    return zeros ? zeros ^ (zeros - 1) : 0;
}

/* Of a text that nothing is known to lie behind. */
static uint32_t s_hash (const dw_names_t *self, const char *text) {
    size_t size = strlen (text);
    uint64_t hash = self->seed;
    for (; size >= 8; size -= 8, text += 8)
        hash = s_mix (hash, s_load (text));
    return (uint32_t) s_mix (s_mix (hash, s_load_part (text, size)), self->seed);
}

/* The slot where the search for a hash begins: slots are dealt out in the order of hashes. */
static uint32_t s_home (const dw_names_t *self, uint32_t hash) {
    return (uint32_t) ((uint64_t) hash * self->slots_count >> 32);
}

uint32_t dw_names_hash (const dw_names_t *self, const char *name) {
    uint64_t hash = self->seed, word, mask;
    for (; !(mask = s_mask (word = s_load (name))); name += 8)
        hash = s_mix (hash, word);
    hash = s_mix (s_mix (hash, word & mask), self->seed);
    __builtin_prefetch (&self->slots[s_home (self, (uint32_t) hash)]);
    return (uint32_t) hash;
}

/* ---- Slots ---------------------------------------------------------------------------------- */

static const char *const *s_at (const dw_names_t *self, uint32_t index) {
    return (const char *const *) ((const char *) self->names + index * self->stride);
}

/* The same as strcmp's 0, of texts that may be read by words. */
static bool s_same (const char *a, const char *b) {
    uint64_t word, mask;
    for (; !(mask = s_mask (word = s_load (a))); a += 8, b += 8)
        if (word != s_load (b))
            return false;
    return ((word ^ s_load (b)) & mask) == 0;
}

/* What a slot has of a hash: other bits than those that make its home. */
static uint32_t s_tag (uint32_t hash) {
    return hash << 24;
}

static uint32_t s_index (uint32_t slot) {
    return slot & DW_NAMES_MAX;
}

static uint32_t s_after (const dw_names_t *self, uint32_t at) {
    return at + 1 < self->slots_count ? at + 1 : 0;
}

/* Where the next slot with the tag is, from this one on, or an empty one. There always is one. */
static uint32_t s_next (const dw_names_t *self, uint32_t tag, uint32_t at) {
    while (self->slots[at] != EMPTY && (self->slots[at] & ~DW_NAMES_MAX) != tag)
        at = s_after (self, at);
    return at;
}

/* The slot of the name, or the empty one where it belongs. */
static uint32_t *s_search (const dw_names_t *self, const char *name, uint32_t hash) {
    uint32_t tag = s_tag (hash);
    uint32_t at = s_next (self, tag, s_home (self, hash));
    while (self->slots[at] != EMPTY && strcmp (*s_at (self, s_index (self->slots[at])), name) != 0)
        at = s_next (self, tag, s_after (self, at));
    return &self->slots[at];
}

static bool s_double (dw_names_t *self) {
    uint32_t *old = self->slots;
    uint32_t old_count = self->slots_count;
    if (old_count > DW_NAMES_MAX * 2u || !s_take_slots (self, old_count * 2))
        return false;
    for (uint32_t at = 0; at < old_count; at++)
        if (old[at] != EMPTY) {
            const char *name = *s_at (self, s_index (old[at]));
            *s_search (self, name, s_hash (self, name)) = old[at];
        }
    free (old);
    return true;
}

uint32_t dw_names_add_hashed (dw_names_t *self, const char *name, uint32_t hash, uint32_t index) {
    assert (self && self->slots);
    assert (name);
    if (index >= DW_NAMES_MAX || (self->count >= s_room (self->slots_count) && !s_double (self)))
        return NOTHING;
    uint32_t *slot = s_search (self, name, hash);
    if (*slot == EMPTY) {
        *slot = s_tag (hash) | index;
        self->count++;
    }
    return s_index (*slot);
}

uint32_t dw_names_guess (const dw_names_t *self, uint32_t hash) {
    uint32_t slot = self->slots[s_next (self, s_tag (hash), s_home (self, hash))];
    if (slot == EMPTY)
        return NOTHING;
    __builtin_prefetch (s_at (self, s_index (slot)));
    return s_index (slot);
}

void dw_names_peek (const dw_names_t *self, uint32_t guess) {
    if (guess != NOTHING)
        __builtin_prefetch (*s_at (self, guess));
}

uint32_t dw_names_find_guessed (const dw_names_t *self, const char *name, uint32_t hash,
                                uint32_t guess) {
    assert (self && self->slots);
    assert (name);
    if (guess == NOTHING || s_same (*s_at (self, guess), name))
        return guess;
    uint32_t slot = *s_search (self, name, hash);
    return slot == EMPTY ? NOTHING : s_index (slot);
}

uint32_t dw_names_add (dw_names_t *self, const char *name, uint32_t index) {
    return dw_names_add_hashed (self, name, s_hash (self, name), index);
}

uint32_t dw_names_find (const dw_names_t *self, const char *name) {
    assert (self && self->slots);
    assert (name);
    uint32_t slot = *s_search (self, name, s_hash (self, name));
    return slot == EMPTY ? NOTHING : s_index (slot);
}
