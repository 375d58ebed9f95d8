/* ready.c - the ready nodes of one run, lane by lane. */

#include "runtime/core/ready.h"

#include <assert.h>
#include <string.h>

size_t dw_ready_size (const dw_plan_t *plan, bool in_order_of_arrival) {
    size_t lanes = 2 * (size_t) plan->lanes_count * sizeof (uint32_t);
    return lanes + (in_order_of_arrival ? (size_t) plan->nodes_count * sizeof (uint32_t)
                                        : dw_bits_size (plan->nodes_count));
}

void dw_ready_init (dw_ready_t *self, const dw_plan_t *plan, bool in_order_of_arrival,
                    void *memory) {
    memset (self, 0, sizeof *self);
    self->plan = plan;
    if (in_order_of_arrival) {
        self->ring = memory;
        self->head = self->ring + plan->nodes_count;
    } else {
        dw_bits_init (&self->bits, plan->nodes_count, memory);
        self->head = (uint32_t *) memory + dw_bits_size (plan->nodes_count) / sizeof (uint32_t);
    }
    self->count = self->head + plan->lanes_count;
    memset (self->head, 0, 2 * (size_t) plan->lanes_count * sizeof (uint32_t));
}

void dw_ready_push (dw_ready_t *self, uint32_t node) {
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

uint32_t dw_ready_first (const dw_ready_t *self, uint32_t lane) {
    const dw_plan_t *plan = self->plan;
    uint32_t begin = plan->lane_at[lane];
    assert (self->count[lane] > 0);
    if (self->ring)
        return self->ring[begin + self->head[lane]];
    return plan->by_position[dw_bits_next (&self->bits, begin)];
}

uint32_t dw_ready_pop (dw_ready_t *self, uint32_t lane) {
    const dw_plan_t *plan = self->plan;
    uint32_t begin = plan->lane_at[lane];
    uint32_t node = dw_ready_first (self, lane);
    self->count[lane]--;
    if (!self->ring)
        dw_bits_remove (&self->bits, begin + plan->position[node]);
    else if (++self->head[lane] == plan->lane_at[lane + 1] - begin)
        self->head[lane] = 0;
    return node;
}
