/* verdict.h - what becomes of worlds: told by the process that runs them, seen by the one that
 * started it.
 *
 * A world that does not hold ends its process at once, wherever that is: in the middle of an actor,
 * or by an assertion of the product. What was wrong, and with which seed, stands in memory that the
 * parent shares. */

#ifndef TESTS_VERDICT_H
#define TESTS_VERDICT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "dagwood.h"

/* What happened, of all worlds of the system: a fault that never happens tests nothing. */
#define VERDICT_COUNTS(X) \
    X (worlds)            \
    X (events)            \
    X (messages)          \
    X (steps)             \
    X (runs)              \
    X (results)           \
    X (cuts)              \
    X (half_open)         \
    X (partitions)        \
    X (solos)             \
    X (stops)             \
    X (kills)             \
    X (crashes)           \
    X (drains)            \
    X (lies)              \
    X (unknown_nodes)     \
    X (unknown_runs)      \
    X (unknown_tickets)   \
    X (unknown_slots)     \
    X (full)              \
    X (lost_messages)     \
    X (hangs)             \
    X (skips)             \
    X (grown)             \
    X (grown_failed)      \
    X (tainted)           \
    X (cancelled)         \
    X (nodes_cancelled)   \
    X (deadlines)         \
    X (detached)          \
    X (clients_killed)    \
    X (timeouts)          \
    X (losses)            \
    X (ignored)           \
    X (replaced)

typedef struct verdict_t {
    uint64_t seed;   /* of the world under way */
    char wrong[512]; /* "": nothing is known to be wrong */
#define X(name) uint64_t name;
    VERDICT_COUNTS (X)
#undef X
} verdict_t;

extern verdict_t *verdict;
/* Nothing is known from now on, and it is shared with children made later. */
void verdict_share (void);
/* Zeros, shared with them, too; never freed. */
void *verdict_memory (size_t size);
/* Says what is wrong and ends the process. */
void verdict_fail (const char *format, ...) __attribute__ ((noreturn)) DW_PRINTF (1, 2);

#endif
