/* grown.h - the graphs that were added to runs, as a worker has them: each with the instances of
 * its nodes. */

#ifndef DW_GROWN_H
#define DW_GROWN_H

#include "actors/host.h"

typedef struct dw_grown_t {
    uint64_t run; /* the coordinator's number for it */
    dw_addition_t *addition;
    dw_hosted_t *hosted;
    struct dw_grown_t *next;
} dw_grown_t;

/* The graph of this number in a list, which comes to its front; NULL: there is none. */
dw_grown_t *dw_grown_find (dw_grown_t **list_p, uint64_t run);
/* Adds what bytes stand for; program is that of the worker. False: they make no sense, they make
 * another plan than that of this digest, or there is no memory. */
bool dw_grown_add (dw_grown_t **list_p, uint64_t run, uint64_t digest, const uint8_t *bytes,
                   size_t size, const dw_program_t *program);
/* Stops the instances of the first, and forgets it. */
void dw_grown_drop_first (dw_grown_t **list_p);

#endif
