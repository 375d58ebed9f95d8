/* growth_order.c - in which order nodes have to be taken, where runs grow.
 *
 * A node's way is that of the graphs that it is in: a node of the run, which has become one of
 * them, a node of that, and so on to itself. Two nodes of a run are in the order of the first nodes
 * that are not the same on their ways. */

#include "tests/support/growth_self.h"

#include <assert.h>

#define WAY_MAX 65u /* as deep as a run may be added to */

typedef struct way_t {
    uint32_t places[WAY_MAX], nodes[WAY_MAX], count; /* from the innermost on */
} way_t;

static way_t s_way (const growth_t *self, uint32_t place, uint32_t node) {
    way_t way = {.places = {place}, .nodes = {node}, .count = 1};
    while (self->parts[place].added) {
        assert (way.count < WAY_MAX);
        node = self->parts[place].parent_node;
        place = self->parts[place].parent;
        way.places[way.count] = place;
        way.nodes[way.count++] = node;
    }
    return way;
}

static uint64_t s_cost_us (const random_graph_t *graph, uint32_t node) {
    uint64_t longest_us = 0;
    for (uint32_t other = 0; other < graph->nodes_count; other++)
        for (uint32_t d = 0; d < graph->nodes[other].dependencies_count; d++)
            if (graph->nodes[other].dependencies[d] == node) {
                uint64_t us = s_cost_us (graph, other);
                longest_us = us > longest_us ? us : longest_us;
            }
    int64_t own_us = graph->nodes[node].cost_us;
    return longest_us + (own_us == DW_UNSET ? 1 : (uint64_t) own_us);
}

/* Of two nodes of one graph. */
static bool s_is_more_urgent (const growth_t *self, const part_t *part, uint32_t a, uint32_t b) {
    bool by_cost = self->plan->priority == DW_CRITICAL_PATH;
    uint64_t cost_a = by_cost ? s_cost_us (part->graph, part->evaluator->by_rank[a]) : 0;
    uint64_t cost_b = by_cost ? s_cost_us (part->graph, part->evaluator->by_rank[b]) : 0;
    return cost_a != cost_b ? cost_a > cost_b : evaluator_goes_before (part->evaluator, a, b);
}

/* Whether a is to be taken before b; false also where that is not fixed. */
static bool s_goes_before (const growth_t *self, const way_t *a, const way_t *b) {
    uint32_t at_a = a->count - 1, at_b = b->count - 1;
    while (a->nodes[at_a] == b->nodes[at_b] && at_a > 0 && at_b > 0) {
        at_a--;
        at_b--;
    }
    if (a->nodes[at_a] == b->nodes[at_b])
        return false; /* the same */
    if (self->plan->strategy != DW_REACTIVE)
        return s_is_more_urgent (self, &self->parts[a->places[at_a]], a->nodes[at_a],
                                 b->nodes[at_b]);
    /* In order of arrival: what was added comes first, of that what was added first. */
    return at_a > 0 && (at_b == 0 || self->parts[a->places[at_a - 1]].number <
                                         self->parts[b->places[at_b - 1]].number);
}

/* Where the order is that of nodes alone; hybrid goes by measured times. */
static bool s_has_order (const growth_t *self) {
    return self->plan->strategy != DW_HYBRID || self->plan->priority == DW_CRITICAL_PATH;
}

/* Whether two ways are of one run and lane. */
static bool s_is_beside (const growth_t *self, const way_t *a, const way_t *b) {
    uint32_t run = a->places[a->count - 1], node_a = a->nodes[a->count - 1];
    return run == b->places[b->count - 1] &&
           self->plan->lane[node_a] == self->plan->lane[b->nodes[b->count - 1]];
}

static bool s_check (growth_t *self, const way_t *taken, const way_t *other) {
    if (!s_is_beside (self, taken, other) || !s_goes_before (self, other, taken))
        return true;
    return growth_is_wrong (self, "node %u of place %u is taken before node %u of place %u",
                            taken->nodes[0], taken->places[0], other->nodes[0], other->places[0]);
}

bool growth_check_order (growth_t *self, uint32_t place, uint32_t node) {
    way_t taken = s_way (self, place, node);
    for (uint32_t other = 0; s_has_order (self) && other < PLACES_MAX; other++) {
        const part_t *part = &self->parts[other];
        bool is_beside = part->has_begun && part->root == self->parts[place].root;
        for (uint32_t n = 0; is_beside && n < part->plan->nodes_count; n++) {
            if (dw_scheduler_node_state (self->scheduler, other, n) != DW_STATE_READY)
                continue;
            way_t ready = s_way (self, other, n);
            if (!s_check (self, &taken, &ready))
                return false;
        }
    }
    return true;
}

bool growth_check_step (growth_t *self, const dw_commands_t *commands) {
    for (size_t i = 0; i < commands->count; i++) {
        const dw_command_t *first = &commands->items[i];
        if (first->type != DW_SEND_TASK || !s_has_order (self))
            continue;
        if (!growth_check_order (self, first->run, first->node))
            return false;
        way_t taken = s_way (self, first->run, first->node);
        for (size_t j = i + 1; j < commands->count; j++) {
            if (commands->items[j].type != DW_SEND_TASK)
                continue;
            way_t later = s_way (self, commands->items[j].run, commands->items[j].node);
            if (!s_check (self, &taken, &later))
                return false;
        }
    }
    return true;
}
