/* ready.h - the ready nodes of one run, lane by lane, in priority order or in order of arrival.
 *
 * A node is in it at most once. */

#ifndef DW_READY_H
#define DW_READY_H

#include <assert.h>

#include "runtime/core/bits.h"
#include "runtime/core/plan.h"

typedef struct dw_ready_t {
    const dw_plan_t *plan;
    dw_bits_t bits; /* priority order: the positions, lane after lane */
    uint32_t *ring; /* order of arrival: nodes, a ring in each lane's range; NULL: priority order */
    uint32_t *head; /* by lane, of the ring */
    uint32_t *count; /* by lane */
} dw_ready_t;

/* How many bytes dw_ready_init wants, for a run that keeps all it has in one piece. */
size_t dw_ready_size (const dw_plan_t *plan, bool in_order_of_arrival);
/* Empty; memory is dw_ready_size bytes, aligned for uint64_t, and outlives self. */
void dw_ready_init (dw_ready_t *self, const dw_plan_t *plan, bool in_order_of_arrival,
                    void *memory);
/* How many nodes are ready in the lane. */
static inline uint32_t dw_ready_count (const dw_ready_t *self, uint32_t lane) {
    return self->count[lane];
}

/* Here for speed, as in bits.h. */

static inline void dw_ready_push (dw_ready_t *self, uint32_t node) {
    const dw_plan_t *plan = self->plan;
    uint32_t lane = plan->lane[node];
    uint32_t begin = plan->lane_at[lane], length = plan->lane_at[lane + 1] - begin;
    assert (self->count[lane] < length);
    if (self->ring) {
        uint32_t place = self->head[lane] + self->count[lane];
        self->ring[begin + (place < length ? place : place - length)] = node;
    } else
        dw_bits_add (&self->bits, begin + plan->position[node]);
    self->count[lane]++;
}

/* The next node of the lane, which must have one. */
static inline uint32_t dw_ready_first (const dw_ready_t *self, uint32_t lane) {
    const dw_plan_t *plan = self->plan;
    uint32_t begin = plan->lane_at[lane];
    assert (self->count[lane] > 0);
    if (self->ring)
        return self->ring[begin + self->head[lane]];
    return plan->by_position[dw_bits_next (&self->bits, begin)];
}

/* A node that comes some places after the first, for whoever wants to fetch ahead what belongs to
 * it; DW_NONE: that is not to be told in no time. */
static inline uint32_t dw_ready_ahead (const dw_ready_t *self, uint32_t lane, uint32_t places) {
    uint32_t place = self->head[lane] + places;
    uint32_t begin = self->plan->lane_at[lane], length = self->plan->lane_at[lane + 1] - begin;
    if (!self->ring || places >= self->count[lane])
        return DW_NONE;
    return self->ring[begin + (place < length ? place : place - length)];
}

/* Takes node out, which dw_ready_first has just given. */
static inline void dw_ready_take (dw_ready_t *self, uint32_t lane, uint32_t node) {
    const dw_plan_t *plan = self->plan;
    uint32_t begin = plan->lane_at[lane];
    self->count[lane]--;
    if (!self->ring)
        dw_bits_remove (&self->bits, begin + plan->position[node]);
    else if (++self->head[lane] == plan->lane_at[lane + 1] - begin)
        self->head[lane] = 0;
}

/* Takes out any node that is in it. In order of arrival that takes O(what is ready in its lane). */
void dw_ready_remove (dw_ready_t *self, uint32_t node);

#endif
