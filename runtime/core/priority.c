/* priority.c - see priority.h. */

#include "runtime/core/priority.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

static uint64_t s_add_us (uint64_t a, uint64_t b) {
    return a > UINT64_MAX - b ? UINT64_MAX : a + b;
}

/* Turns costs into the lengths of the longest paths from the nodes on. Successors have greater
 * indices. */
static void s_sum_remaining (const dw_plan_t *plan, uint64_t *us) {
    for (uint32_t node = plan->nodes_count; node-- > 0;) {
        uint64_t longest_us = 0;
        for (uint32_t edge = plan->successors_at[node]; edge < plan->successors_at[node + 1];
             edge++)
            if (us[plan->successors[edge]] > longest_us)
                longest_us = us[plan->successors[edge]];
        us[node] = s_add_us (us[node], longest_us);
    }
}

/* Starts at the first source with the longest path, and goes on to the first such successor. */
static void s_set_critical_path (dw_plan_t *plan, const uint64_t *remaining_us) {
    uint32_t sources_count = plan->levels_count > 0 ? plan->level_at[1] : 0;
    uint32_t node = sources_count > 0 ? 0 : DW_NONE;
    for (uint32_t source = 1; source < sources_count; source++)
        if (remaining_us[source] > remaining_us[node])
            node = source;
    plan->critical_path_us = node == DW_NONE ? 0 : remaining_us[node];
    while (node != DW_NONE) {
        uint32_t longest = DW_NONE;
        for (uint32_t edge = plan->successors_at[node]; edge < plan->successors_at[node + 1];
             edge++) {
            uint32_t successor = plan->successors[edge];
            if (longest == DW_NONE || remaining_us[successor] > remaining_us[longest])
                longest = successor;
        }
        plan->critical_path[plan->critical_path_count++] = node;
        node = longest;
    }
}

/* Gives the level's nodes of this intent the next positions; returns which comes after them. */
static uint32_t s_order_level (dw_plan_t *plan, uint32_t level, unsigned intent,
                               uint32_t position) {
    for (uint32_t node = plan->level_at[level]; node < plan->level_at[level + 1]; node++)
        if ((plan->flags[node] & DW_NODE_ANALYZE) == intent)
            plan->by_position[position++] = node;
    return position;
}

/* By level, within each transforms before analyzers, else by index. */
static void s_order_by_rank (dw_plan_t *plan) {
    uint32_t position = 0;
    for (uint32_t level = 0; level < plan->levels_count; level++) {
        position = s_order_level (plan, level, 0, position);
        if (position < plan->level_at[level + 1])
            position = s_order_level (plan, level, DW_NODE_ANALYZE, position);
    }
}

typedef struct urgency_t {
    uint64_t remaining_us;
    uint32_t position; /* by rank */
    uint32_t node;
} urgency_t;

static int s_compare (const void *a, const void *b) {
    const urgency_t *left = a, *right = b;
    if (left->remaining_us != right->remaining_us)
        return left->remaining_us > right->remaining_us ? -1 : 1;
    return left->position < right->position ? -1 : left->position > right->position;
}

/* Longest remaining path first; what is equal stays in the order of rank. */
static int s_order_by_critical_path (dw_plan_t *plan, const uint64_t *remaining_us) {
    urgency_t *urgencies = malloc (plan->nodes_count * sizeof (*urgencies) + 1);
    if (!urgencies)
        return DW_ENOMEM;
    for (uint32_t position = 0; position < plan->nodes_count; position++) {
        uint32_t node = plan->by_position[position];
        urgencies[position] = (urgency_t){remaining_us[node], position, node};
    }
    qsort (urgencies, plan->nodes_count, sizeof (*urgencies), s_compare);
    for (uint32_t position = 0; position < plan->nodes_count; position++)
        plan->by_position[position] = urgencies[position].node;
    free (urgencies);
    return DW_OK;
}

/* Every node has a lane of its own: lanes are numbered in the order of priority. */
static void s_set_own_lanes (dw_plan_t *plan) {
    for (uint32_t position = 0; position < plan->nodes_count; position++) {
        plan->lane[plan->by_position[position]] = position;
        plan->lane_at[position + 1] = position + 1;
    }
}

static void s_set_one_lane (dw_plan_t *plan) {
    for (uint32_t position = 0; position < plan->nodes_count; position++)
        plan->position[plan->by_position[position]] = position;
    plan->lane_at[1] = plan->nodes_count;
}

/* A lane for each demand: the order of all nodes, taken apart (a counting sort by lane). */
static int s_set_lanes_by_demand (dw_plan_t *plan) {
    uint32_t *order = malloc (plan->nodes_count * sizeof (*order) + 1);
    if (!order)
        return DW_ENOMEM;
    memcpy (order, plan->by_position, plan->nodes_count * sizeof (*order));
    for (uint32_t at = 0; at < plan->nodes_count; at++) {
        plan->urgency[order[at]] = at;
        plan->position[order[at]] = plan->lane_at[plan->lane[order[at]] + 1]++;
    }
    for (uint32_t lane = 0; lane < plan->lanes_count; lane++)
        plan->lane_at[lane + 1] += plan->lane_at[lane];
    for (uint32_t node = 0; node < plan->nodes_count; node++)
        plan->by_position[plan->lane_at[plan->lane[node]] + plan->position[node]] = node;
    free (order);
    return DW_OK;
}

int dw_priority_set (dw_plan_t *plan, uint64_t *costs_us) {
    assert (plan && costs_us);
    s_sum_remaining (plan, costs_us);
    s_set_critical_path (plan, costs_us);
    s_order_by_rank (plan);
    if (plan->priority == DW_CRITICAL_PATH && s_order_by_critical_path (plan, costs_us))
        return DW_ENOMEM;
    if (plan->demands)
        return s_set_lanes_by_demand (plan);
    if (plan->pool)
        s_set_one_lane (plan);
    else
        s_set_own_lanes (plan);
    return DW_OK;
}
