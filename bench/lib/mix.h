/* mix.h - mixing payloads: what every task does, so that a result tells what was done.
 *
 * A task starts with its node's index, takes in each predecessor's payload bytes, and gives as many
 * bytes. The outputs of a graph then tell whether every task ran, and after all that it reads. Here
 * for speed, as in bits.h: two payloads of 16 bytes cost some nanoseconds. */

#ifndef DW_MIX_H
#define DW_MIX_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

static inline uint64_t dw_mix_start (uint64_t index) {
    return (index + 1) * UINT64_C (0x9e3779b97f4a7c15);
}

/* Takes in one word: for each value of the others another hash, as the factor is odd. */
static inline uint64_t dw_mix_word (uint64_t hash, uint64_t word) {
    return (hash ^ word) * UINT64_C (0xff51afd7ed558ccd);
}

/* Payloads of 16 bytes, which is what most benches measure with, take the way without a loop. */
static inline uint64_t dw_mix_in (uint64_t hash, const void *bytes, size_t size) {
    const uint8_t *at = (const uint8_t *) bytes;
    uint64_t word;
    if (size == 16) {
        uint64_t words[2];
        memcpy (words, at, sizeof words);
        return dw_mix_word (dw_mix_word (hash, words[0]), words[1]);
    }
    for (; size >= sizeof word; size -= sizeof word, at += sizeof word) {
        memcpy (&word, at, sizeof word);
        hash = dw_mix_word (hash, word);
    }
    word = 0;
    if (size)
        memcpy (&word, at, size);
    return size ? dw_mix_word (hash, word) : hash;
}

/* A word of the output; here the upper half of the hash reaches the lower one. */
static inline uint64_t dw_mix_end (uint64_t hash) {
    return (hash ^ (hash >> 32)) * UINT64_C (0xc4ceb9fe1a85ec53);
}

static inline void dw_mix_out (uint64_t hash, void *bytes, size_t size) {
    uint8_t *at = (uint8_t *) bytes;
    uint64_t word;
    if (size == 16) {
        uint64_t words[2] = {dw_mix_end (hash), dw_mix_end (hash + 1)};
        memcpy (at, words, sizeof words);
        return;
    }
    for (; size >= sizeof word; size -= sizeof word, at += sizeof word, hash++) {
        word = dw_mix_end (hash);
        memcpy (at, &word, sizeof word);
    }
    word = size ? dw_mix_end (hash) : 0;
    if (size)
        memcpy (at, &word, size);
}

/* A hash of two numbers, for what is drawn from a seed (the finaliser of splitmix64; Steele, Lea,
 * Flood 2014). */
static inline uint64_t dw_mix_two (uint64_t a, uint64_t b) {
    uint64_t x = a * UINT64_C (0x9e3779b97f4a7c15) + b;
    x = (x ^ (x >> 30)) * UINT64_C (0xbf58476d1ce4e5b9);
    x = (x ^ (x >> 27)) * UINT64_C (0x94d049bb133111eb);
    return x ^ (x >> 31);
}

#endif
