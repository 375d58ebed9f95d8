/* lanes.h - which lanes of a plan a worker process serves, by the processors and tags that it
 * offers.
 *
 * It serves a lane whose demands it meets and whose processors it all has. Immutable once made; it
 * decides about what comes from a network, in time linear in that and in the plan's lanes. */

#ifndef DW_LANES_H
#define DW_LANES_H

#include "runtime/core/plan.h"
#include "runtime/wire.h"

typedef struct dw_lanes_t dw_lanes_t;

/* plan is borrowed. Errors: DW_ENOMEM. */
int dw_lanes_new (dw_lanes_t **self_p, const dw_plan_t *plan);
void dw_lanes_destroy (dw_lanes_t **self_p);

/* Reads what an agent offers, which follows its record, and gives the lanes that it serves, a bit
 * each. One that compiles no graphs serves none where a node may add some. When these are none, why
 * says of the first lanes what it lacks.
 * Errors: DW_EPROTOCOL it makes no sense; DW_ENOMEM. */
#define DW_LANES_WHY 480 /* bytes */
int dw_lanes_match (const dw_lanes_t *self, const dw_wire_agent_t *agent, dw_wire_reader_t *reader,
                    bool compiles, uint64_t *lanes_p, char why[DW_LANES_WHY]);

#endif
