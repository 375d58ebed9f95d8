/* demands.h - what nodes demand of whoever runs them, each different demand once: the lanes of such
 * a plan.
 *
 * Found one after another by looking through all: there are few. One thread at a time. */

#ifndef DW_DEMANDS_H
#define DW_DEMANDS_H

#include "runtime/core/arena.h"
#include "runtime/core/plan.h"

typedef struct dw_demands_t {
    const dw_demand_t *items[DW_DEMANDS_MAX]; /* NULL: none is made */
    uint32_t count;
} dw_demands_t;

/* The index of a demand (NULL: none is made), which is added when it is new; DW_NONE: there are too
 * many. */
uint32_t dw_demands_find (dw_demands_t *self, const dw_demand_t *demand);
/* Copies all, in their order, into an arena; NULL: no memory. */
dw_demand_t *dw_demands_copy (const dw_demands_t *self, dw_arena_t *arena);

#endif
