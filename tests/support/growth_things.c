/* growth_things.c - what happens in a world whose runs grow. */

#include <assert.h>
#include <string.h>

#include "tests/support/growth_self.h"

static dw_event_t *s_event (growth_t *self, dw_event_type_t type, uint32_t worker) {
    assert (self->events_count < EVENTS_MAX);
    dw_event_t *event = &self->events[self->events_count++];
    *event = (dw_event_t){.type = (uint8_t) type, .worker = worker};
    return event;
}

static void s_pop (member_t *worker) {
    memmove (worker->held, worker->held + 1, --worker->held_count * sizeof *worker->held);
}

static dw_event_t *s_answer (growth_t *self, dw_event_type_t type, uint32_t w) {
    member_t *worker = &self->workers[w];
    dw_event_t *event = s_event (self, type, w);
    event->ticket = worker->held[0].ticket;
    event->step = worker->held[0].told;
    event->duration_ns = 1 + random_below (&self->random,
                                           random_one_in (&self->random, 2) ? 500 : 50000);
    return event;
}

/* Makes a graph of what node of a place becomes; false: it may not. */
static bool s_propose (growth_t *self, uint32_t place, uint32_t node, dw_event_t *event) {
    const part_t *outer = &self->parts[place];
    const random_node_t *described = growth_described (outer, node);
    dw_plan_lookup_t lookup = {.trait = random_graph_trait, .cpus_count = 1};
    uint32_t free_place = growth_free_place (self);
    part_t *part = &self->parts[free_place];
    dw_graph_t *graph = random_graph_build (described->inner);
    assert (free_place < PLACES_MAX);
    int err = dw_added_new (&part->added, graph,
                            described->inner->nodes[described->inner_output].id, self->plan,
                            outer->added, node, &lookup, NULL);
    dw_graph_destroy (&graph);
    if (err) {
        assert (err == DW_ETOOLARGE);
        return false;
    }
    part->is_used = true;
    part->graph = described->inner;
    part->plan = part->added->plan;
    part->parent = place;
    part->parent_node = node;
    part->outputs[0] = described->inner_output;
    part->outputs_count = 1;
    event->type = DW_EVENT_TASK_ADDED;
    event->run = free_place;
    event->added = part->added;
    return true;
}

/* A task that nobody waits for any more: anything may come of it, a graph of another run, too. */
static void s_answer_late (growth_t *self, uint32_t w) {
    member_t *worker = &self->workers[w];
    uint32_t kind = random_below (&self->random, 3), place = 0;
    dw_event_t *event = s_answer (self, kind ? DW_EVENT_TASK_DONE : DW_EVENT_TASK_RETURNED, w);
    event->last = true;
    event->steps = worker->held[0].steps;
    while (kind == 2 && place < PLACES_MAX && !self->parts[place].has_begun)
        place++;
    for (uint32_t node = 0;
         kind == 2 && place < PLACES_MAX && node < self->parts[place].plan->nodes_count; node++)
        if (growth_described (&self->parts[place], node)->inner &&
            s_propose (self, place, node, event))
            break;
    s_pop (worker);
}

/* The step that is next fails, ends its branch, or becomes a graph. */
static void s_answer_odd (growth_t *self, uint32_t w, uint32_t node) {
    member_t *worker = &self->workers[w];
    uint32_t place = worker->held[0].place;
    part_t *part = &self->parts[place];
    const random_node_t *described = growth_described (part, node);
    dw_event_t *event = s_answer (self, DW_EVENT_TASK_SKIPPED, w);
    if (part->failures[node] < described->failures) {
        part->failures[node]++;
        event->type = DW_EVENT_TASK_FAILED;
        event->code = (uint16_t) described->code;
    } else if (described->inner && !s_propose (self, place, node, event)) {
        event->type = DW_EVENT_TASK_FAILED;
        event->code = 413;
    }
    s_pop (worker);
}

bool growth_is_odd (const part_t *part, uint32_t node) {
    const random_node_t *described = growth_described (part, node);
    return part->failures[node] < described->failures || described->skips || described->inner;
}

/* A worker answers for its first task, or for the first steps of it. */
static void s_work (growth_t *self, uint32_t w) {
    member_t *worker = &self->workers[w];
    held_t *held = &worker->held[0];
    if (held->is_dead) {
        s_answer_late (self, w);
        return;
    }
    part_t *part = &self->parts[held->place];
    uint32_t steps = 0, node = held->node;
    for (; steps < held->steps && !growth_is_odd (part, node); steps++)
        node = part->plan->chain_next[node];
    if (steps == 0) {
        if (random_one_in (&self->random, 12) && !off_is (self->off, OFF_RETURNS)) {
            s_answer (self, DW_EVENT_TASK_RETURNED, w);
            s_pop (worker);
        } else
            s_answer_odd (self, w, held->node);
        return;
    }
    if (random_one_in (&self->random, 3))
        steps = 1 + random_below (&self->random, steps);
    dw_event_t *event = s_answer (self, DW_EVENT_TASK_DONE, w);
    event->steps = steps;
    event->last = steps == held->steps;
    if (event->last) {
        s_pop (worker);
        return;
    }
    held->told += steps;
    held->steps -= steps;
    for (; steps > 0; steps--)
        held->node = part->plan->chain_next[held->node];
}

static void s_join (growth_t *self, uint32_t w) {
    dw_event_t *event = s_event (self, DW_EVENT_WORKER_JOINED, w);
    event->lane = self->plan->pool ? 0 : w;
    event->local = self->workers[w].is_local;
    event->credit = 1 + random_below (&self->random, 8);
    self->workers[w].is_up = true;
    self->workers[w].held_count = 0;
}

static void s_lose (growth_t *self, uint32_t w) {
    dw_event_t *event = s_event (self, DW_EVENT_WORKER_LOST, w);
    event->handle = DW_NONE;
    event->last = self->losses_left == 0 || random_one_in (&self->random, 2);
    self->losses_left -= !event->last;
    self->workers[w].is_up = false;
    self->workers[w].held_count = 0;
}

static void s_submit (growth_t *self) {
    uint32_t place = growth_free_place (self);
    if (place >= PLACES_MAX / 4)
        return;
    part_t *part = &self->parts[place];
    dw_event_t *event = s_event (self, DW_EVENT_RUN_SUBMITTED, 0);
    self->runs_left--;
    part->is_used = part->has_begun = true;
    part->graph = self->graph;
    part->plan = self->plan;
    part->root = place;
    part->budget = self->nodes_max;
    if (random_one_in (&self->random, 2) && !off_is (self->off, OFF_OUTPUTS))
        for (uint32_t i = 0; i < part->graph->nodes_count; i++)
            if (random_one_in (&self->random, 4))
                part->outputs[part->outputs_count++] = i;
    growth_evaluate (self, part);
    static uint32_t outputs[PLACES_MAX][NODES_MAX];
    for (uint32_t i = 0; i < part->outputs_count; i++)
        outputs[place][i] = part->evaluator->rank[part->outputs[i]];
    event->run = place;
    event->outputs = outputs[place];
    event->outputs_count = part->outputs_count;
    if (random_one_in (&self->random, 6) && !off_is (self->off, OFF_DEADLINES)) {
        part->is_late = true;
        event->deadline_ns = self->now_ns + random_between (&self->random, 1, 300000);
    }
}

static void s_cancel (growth_t *self) {
    uint32_t place = random_below (&self->random, PLACES_MAX / 4);
    part_t *part = &self->parts[place];
    if (!part->has_begun) /* of what was added it is ignored */
        return;
    if (random_one_in (&self->random, 2)) {
        dw_event_t *event = s_event (self, DW_EVENT_NODE_CANCELLED, 0);
        event->run = place;
        event->node = random_below (&self->random, self->plan->nodes_count);
        part->lacks_nodes |= !part->added;
        return;
    }
    part->was_cancelled |= !part->added;
    s_event (self, DW_EVENT_RUN_CANCELLED, 0)->run = place;
}

/* A run that there is not is cancelled, or a node that there is not; or a worker is lost that is
 * not there. All of it is ignored. */
static void s_stray (growth_t *self, uint32_t w) {
    random_t *random = &self->random;
    uint32_t place = random_below (random, PLACES_MAX);
    self->counts->strays++;
    if (!self->workers[w].is_up && random_one_in (random, 2)) {
        s_event (self, DW_EVENT_WORKER_LOST, w);
        return;
    }
    if (!self->parts[place].is_used && random_one_in (random, 2)) {
        s_event (self, DW_EVENT_RUN_CANCELLED, 0)->run = place;
        return;
    }
    dw_event_t *event = s_event (self, DW_EVENT_NODE_CANCELLED, 0);
    event->run = place;
    event->node = random_one_in (random, 2) ? self->plan->nodes_count
                                            : UINT32_MAX - random_below (random, 9);
}

/* Whether a worker never comes. */
static bool s_is_off (const growth_t *self, uint32_t w) {
    bool may_be_off = self->plan->pool && off_is (self->off, OFF_WORKERS);
    return may_be_off && w > 0 && w < WORKERS_MAX && !self->workers[w].is_local;
}

void growth_happen (growth_t *self) {
    random_t *random = &self->random;
    uint32_t w = random_below (random, self->workers_count);
    member_t *worker = &self->workers[w];
    bool may_be_lost = !worker->is_local && !off_is (self->off, OFF_KILLS);
    if (random_one_in (random, 200) && !off_is (self->off, OFF_STRAYS))
        s_stray (self, w);
    else if (!worker->is_up && !s_is_off (self, w))
        s_join (self, w);
    else if (worker->is_up && may_be_lost && random_one_in (random, 60))
        s_lose (self, w);
    else if (self->runs_left > 0 && random_one_in (random, 8))
        s_submit (self);
    else if (random_one_in (random, 200) && !off_is (self->off, OFF_CANCELS))
        s_cancel (self);
    else if (worker->held_count > 0)
        s_work (self, w);
}
