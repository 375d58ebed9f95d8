/* solo.h - a worker process of one slot that compiles no graph, as somebody writes one from
 * docs/PROTOCOL.md alone. */

#ifndef TESTS_SOLO_H
#define TESTS_SOLO_H

#include "tests/simulated/plot.h"

typedef struct solo_t {
    const plot_t *plot;
    const char *endpoint;
    bool has_tag;           /* lane=2 */
    bool lies;              /* so it may be refused for what it never said */
    const bool *is_drained; /* it is to leave */
    const bool *is_over;    /* the coordinator has closed: it is to end, whatever it is at */
} solo_t;

/* Serves in the current process until it has left. */
void solo_main (const solo_t *options);

#endif
