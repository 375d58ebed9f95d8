/* ready.c - the ready nodes of one run, lane by lane. */

#include "runtime/core/ready.h"

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

void dw_ready_remove (dw_ready_t *self, uint32_t node) {
    const dw_plan_t *plan = self->plan;
    uint32_t lane = plan->lane[node], begin = plan->lane_at[lane], kept = 0;
    uint32_t length = plan->lane_at[lane + 1] - begin;
    if (!self->ring) {
        dw_bits_remove (&self->bits, begin + plan->position[node]);
        self->count[lane]--;
        return;
    }
    for (uint32_t i = 0; i < self->count[lane]; i++) {
        uint32_t other = self->ring[begin + (self->head[lane] + i) % length];
        if (other != node)
            self->ring[begin + (self->head[lane] + kept++) % length] = other;
    }
    assert (kept + 1 == self->count[lane]);
    self->count[lane] = kept;
}
