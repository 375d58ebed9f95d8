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
