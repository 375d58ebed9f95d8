/* priority.h - what comes first: a plan's critical path and the order within its lanes.
 *
 * Used while a plan is made, when its nodes, edges, flags and lanes are known. */

#ifndef DW_PRIORITY_H
#define DW_PRIORITY_H

#include "runtime/core/plan.h"

/* Fills position (in thread mode lane, which then is what position would be), by_position, lane_at,
 * urgency where nodes make demands, and critical_path with its count and length in us. costs_us are
 * the nodes' costs, which become the lengths of the longest paths from the nodes on, themselves
 * included. Linear, but for one sort when the priority is the critical path.
 * Errors: DW_ENOMEM. */
int dw_priority_set (dw_plan_t *plan, uint64_t *costs_us);

#endif
