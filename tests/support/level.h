/* level.h - a level of the simulation: many worlds of one kind, of which the first that does not
 * hold is made smaller and shown.
 *
 * Worlds are played in a process of their own, which one that does not hold ends. What belongs to a
 * world is drawn from its seed, and parts of it can be switched off: that gives another world, but
 * the same one each time. What does not matter is switched off part by part, as long as the world
 * still does not hold. As what is left is drawn anew then, there are some ways in which it is, of
 * which one may be the way in which it does not hold. */

#ifndef TESTS_LEVEL_H
#define TESTS_LEVEL_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#define LEVEL_WAYS 16u

typedef struct level_t {
    const char *name;
    /* What can be switched off: as many bits, from 0 on, at most 60. What stands behind them is the
     * way in which it is drawn what happens to those who are there: 0 to LEVEL_WAYS - 1. */
    uint32_t off_count;
    void (*begin) (void); /* before the first world is played, where it is printed; or NULL */
    /* Plays a world; verdict_fail when it does not hold. transcript NULL: nothing is told. */
    void (*play) (uint64_t seed, uint64_t off, FILE *transcript);
    /* Prints what happened in all worlds. 0: all has happened that is to happen. */
    int (*print) (void);
} level_t;

typedef struct level_options_t {
    uint64_t from, to; /* seeds */
    uint64_t off;      /* what is switched off, a bit each */
    bool verbose;      /* the transcript of every world; else of the first that does not hold, */
    bool is_short;     /* or of none */
    bool all;          /* a line for each that does not hold; else it ends with the first */
} level_options_t;

/* Plays worlds and prints what they came to. 0: all hold, and all happened that is to happen. */
int level_run (const level_t *level, const level_options_t *options);
/* What can be switched off besides so that the world of a seed still does not hold. */
uint64_t level_shrink (const level_t *level, uint64_t seed, uint64_t off);

#endif
