/* coordinator_lanes.c - which lanes somebody serves, and what is said and done when nobody does. */

#include "actors/coordinator_self.h"

static uint64_t s_all (const dw_plan_t *plan) {
    return plan->nodes_count ? UINT64_MAX >> (64 - plan->lanes_count) : 0;
}

/* Whether an agent has a slot that may run something: a process that went down too often is not
 * started again. */
static bool s_is_up (const dw_coordinator_t *self, uint32_t index) {
    uint32_t w = self->agents[index].first;
    while (w != DW_NONE && self->workers[w].is_down)
        w = self->workers[w].next;
    return w != DW_NONE;
}

/* What the processes that are there serve; a slot that is on its way counts. */
static uint64_t s_served (const dw_coordinator_t *self) {
    uint64_t served = self->workers_count > 0; /* its own actors serve what anybody may */
    for (uint32_t i = 0; i < self->agents_count; i++)
        if (self->agents[i].is_there && !self->agents[i].is_leaving && s_is_up (self, i))
            served |= self->agents[i].lanes;
    return served;
}

static void s_say (dw_coordinator_t *self, uint32_t lane) {
    const dw_plan_t *plan = self->plan;
    const char *what = self->options.no_workers_fail ? "fail" : "wait";
    char shown[DW_DEMAND_SHOWN];
    uint32_t node = plan->by_position[plan->lane_at[lane]];
    if (!plan->demands)
        dw_coordinator_notice (self, "no worker is there: runs %s", what);
    else
        dw_coordinator_notice (
            self,
            "no worker is there for node \"%.100s\" (processor %.60s, demand: %s)%s: runs "
            "that need %s %s",
            plan->ids[node], plan->kinds[plan->kind[node]], dw_plan_show_demand (plan, lane, shown),
            plan->lane_at[lane + 1] - plan->lane_at[lane] > 1 ? " and others" : "",
            plan->lane_at[lane + 1] - plan->lane_at[lane] > 1 ? "them" : "it", what);
}

void dw_coordinator_say_unserved (dw_coordinator_t *self) {
    uint64_t lanes = self->unserved & ~self->unserved_said;
    self->unserved_said |= lanes;
    for (; lanes && !self->is_closing; lanes &= lanes - 1)
        s_say (self, (uint32_t) __builtin_ctzll (lanes));
}

/* Whether anybody would care: runs are in flight, or a worker takes its time to leave. A program
 * that ends its own worker when all is done hears nothing of it. */
static bool s_matters (const dw_coordinator_t *self) {
    bool matters = self->runs_used > self->free_runs_count;
    for (uint32_t i = 0; i < self->agents_count && !matters; i++)
        matters = self->agents[i].is_there && self->agents[i].is_leaving;
    return matters;
}

void dw_coordinator_look_at_lanes (dw_coordinator_t *self) {
    uint64_t unserved = s_all (self->plan) & ~s_served (self);
    uint64_t left = unserved & ~self->unserved; /* that were served until now */
    bool is_other = unserved != self->unserved;
    self->has_other_agents = false;
    if (!is_other || self->is_closing)
        return;
    self->unserved = unserved;
    self->unserved_said &= unserved;
    if (!s_matters (self))
        left = 0; /* it is said when a run comes that needs them */
    for (uint64_t lanes = left; lanes; lanes &= lanes - 1)
        s_say (self, (uint32_t) __builtin_ctzll (lanes));
    self->unserved_said |= left;
    dw_event_t *event = self->options.no_workers_fail
                            ? dw_coordinator_event (self, DW_EVENT_LANES_UNSERVED)
                            : NULL;
    if (event)
        event->lanes = unserved;
}

void dw_coordinator_begin_lanes (dw_coordinator_t *self) {
    self->unserved = s_all (self->plan) & ~s_served (self);
    dw_event_t *event = self->options.no_workers_fail
                            ? dw_coordinator_event (self, DW_EVENT_LANES_UNSERVED)
                            : NULL;
    if (event)
        event->lanes = self->unserved;
}
