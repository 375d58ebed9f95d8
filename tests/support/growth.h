/* growth.h - a world drawn from a seed whose runs grow: it drives a scheduler alone, with graphs
 * whose nodes become graphs.
 *
 * Smaller than a world of simulator.h, and of its own: what is in a place has a plan and an
 * evaluation of its own, and every command is held against that. Workers answer late, in parts, or
 * not at all, are lost and come again; runs are cancelled and out of time; graphs are added for
 * tasks that nobody waits for any more. */

#ifndef TESTS_GROWTH_H
#define TESTS_GROWTH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

typedef struct growth_counts_t {
    uint64_t worlds, begun, done, failed, skipped, cancelled, refused, unbegun, nested, strays;
} growth_counts_t;

/* Runs one world, without what is switched off (off.h), and adds to counts. Returns whether all
 * held; if not, wrong (size bytes) says what did not. transcript NULL: nothing is told. */
bool growth_run (uint64_t seed, uint64_t off, FILE *transcript, growth_counts_t *counts,
                 char *wrong, size_t wrong_size);

#endif
