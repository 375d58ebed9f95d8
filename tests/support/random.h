/* random.h - numbers drawn from a seed: the same on every machine, for ever.
 *
 * The generator is SplitMix64 (Steele, Lea and Flood 2014). */

#ifndef TESTS_RANDOM_H
#define TESTS_RANDOM_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

typedef struct random_t {
    uint64_t state;
} random_t;

static inline uint64_t random_next (random_t *self) {
    uint64_t z = self->state += UINT64_C (0x9e3779b97f4a7c15);
    z = (z ^ (z >> 30)) * UINT64_C (0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C (0x94d049bb133111eb);
    return z ^ (z >> 31);
}

/* Seeds that follow each other give worlds that have nothing in common. */
static inline random_t random_from (uint64_t seed) {
    random_t self = {seed};
    self.state = random_next (&self);
    return self;
}

/* The seed of a random test, printed: the same at every call of the gate, so that what fails can be
 * seen again; the environment's DAGWOOD_SEED looks elsewhere. */
static inline uint64_t random_seed (void) {
    const char *text = getenv ("DAGWOOD_SEED");
    uint64_t seed = text ? strtoull (text, NULL, 10) : 1;
    printf ("seed %llu\n", (unsigned long long) seed);
    return seed;
}

/* 0 to below - 1; below is at least 1. */
static inline uint32_t random_below (random_t *self, uint32_t below) {
    return (uint32_t) ((random_next (self) >> 32) * below >> 32);
}

/* Of 1 to 64 bits, so that small ones are not rare. */
static inline uint64_t random_integer (random_t *self) {
    uint64_t integer = random_next (self);
    return integer >> random_below (self, 64);
}

/* from to to, both included. */
static inline int64_t random_between (random_t *self, int64_t from, int64_t to) {
    return from + (int64_t) (random_next (self) % (uint64_t) (to - from + 1));
}

/* True once in so many. */
static inline bool random_one_in (random_t *self, uint32_t many) {
    return random_below (self, many) == 0;
}

#endif
