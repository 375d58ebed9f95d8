/* pretender.h - a client that asks for what there is not: runs of nodes, nodes and runs to be
 * cancelled, names of runs.
 *
 * Written from docs/PROTOCOL.md, as solo.h is. It is refused as that says, or gets no answer where
 * that says so. */

#ifndef TESTS_PRETENDER_H
#define TESTS_PRETENDER_H

#include <stdbool.h>
#include <stdint.h>

typedef struct pretender_t {
    const char *endpoint;
    uint32_t nodes_count;
    const bool *is_closing; /* the coordinator is, and need not answer */
} pretender_t;

/* The body of its fiber. */
void pretender_main (const pretender_t *options);

#endif
