/* scheduler_lanes.c - who serves a lane, in the order in which they are asked, and which of them
 * hold nothing.
 *
 * A list with holes. A worker knows its place in each of its lists, so that one of very many comes,
 * goes, gets something to do and is through with it in constant time; now and then the holes are
 * closed. Those that hold nothing are a set of places, counted from the end of the list, where
 * asking begins. */

#include "runtime/core/scheduler_self.h"

#include <stdlib.h>

/* Where a worker keeps its place in a lane that it serves. */
static uint32_t *s_place (dw_worker_state_t *worker, uint32_t lane_index) {
    if (!worker->several)
        return &worker->place;
    uint32_t *place = worker->several->places;
    for (uint64_t lanes = worker->several->lanes & ((UINT64_C (1) << lane_index) - 1); lanes;
         lanes &= lanes - 1)
        place++;
    return place;
}

static void s_mark (dw_lane_t *lane, uint32_t place, bool is_idle) {
    if (is_idle)
        dw_bits_add (&lane->idle, lane->size - 1 - place);
    else
        dw_bits_remove (&lane->idle, lane->size - 1 - place);
}

/* Puts a worker into a place of a lane's list. */
static void s_put (dw_scheduler_t *self, dw_lane_t *lane, uint32_t place, uint32_t worker_index) {
    lane->workers[place] = worker_index;
    if (worker_index == DW_NONE) {
        s_mark (lane, place, false);
        return;
    }
    dw_worker_state_t *worker = &self->workers[worker_index];
    *s_place (worker, (uint32_t) (lane - self->lanes)) = place;
    s_mark (lane, place, worker->held == 0);
}

/* Closes the holes. */
static void s_pack (dw_scheduler_t *self, dw_lane_t *lane) {
    uint32_t end = 0;
    dw_bits_init (&lane->idle, lane->size, lane->idle_memory);
    for (uint32_t place = 0; place < lane->end; place++)
        if (lane->workers[place] != DW_NONE)
            s_put (self, lane, end++, lane->workers[place]);
    lane->end = end;
}

/* Makes room for one more: closes the holes where they are many; else in twice as many places, but of
 * all that may come hardly more. */
static bool s_grow (dw_scheduler_t *self, dw_lane_t *lane) {
    uint32_t size = lane->size ? 2 * lane->size : 1, all = self->options.workers_max;
    if (lane->size - lane->workers_count > lane->size / 8) {
        s_pack (self, lane);
        return true;
    }
    if (size > all)
        size = lane->size < all ? all : lane->size + lane->size / 8 + 1;
    uint32_t *workers = realloc (lane->workers, size * sizeof *workers);
    if (!workers)
        return false;
    lane->workers = workers;
    void *memory = malloc (dw_bits_size (size));
    if (!memory)
        return false;
    free (lane->idle_memory);
    lane->idle_memory = memory;
    lane->size = size;
    s_pack (self, lane);
    return true;
}

static uint32_t s_lanes_count (const dw_scheduler_t *self, uint32_t worker_index) {
    return dw_scheduler_lanes_count (dw_scheduler_several (&self->workers[worker_index]));
}

/* Behind all that serve as many lanes or more. */
static void s_join_lane (dw_scheduler_t *self, uint32_t worker_index, dw_lane_t *lane) {
    if (lane->end == lane->size && !s_grow (self, lane)) {
        self->no_memory = true;
        return;
    }
    uint32_t lanes_count = s_lanes_count (self, worker_index), at = lane->end++;
    for (; at > 0; at--) {
        uint32_t before = lane->workers[at - 1];
        if (before != DW_NONE && s_lanes_count (self, before) >= lanes_count)
            break;
        s_put (self, lane, at, before);
    }
    s_put (self, lane, at, worker_index);
    lane->workers_count++;
    if (lane->ready_count)
        dw_scheduler_pending_add (self, (uint32_t) (lane - self->lanes));
    if (lane->workers_count != 2)
        return;
    /* Now there is somebody whom the other's late tasks can go to. */
    for (uint32_t place = 0; place < lane->end; place++)
        if (lane->workers[place] != DW_NONE)
            dw_scheduler_watch (self, lane->workers[place]);
}

static void s_leave_lane (dw_scheduler_t *self, uint32_t worker_index, dw_lane_t *lane) {
    dw_worker_state_t *worker = &self->workers[worker_index];
    s_put (self, lane, *s_place (worker, (uint32_t) (lane - self->lanes)), DW_NONE);
    lane->workers_count--;
    if (lane->workers_count < lane->end / 2)
        s_pack (self, lane);
}

void dw_scheduler_join_lanes (dw_scheduler_t *self, uint32_t worker_index) {
    dw_worker_state_t *worker = &self->workers[worker_index];
    for (uint32_t lane = worker->lane; lane != DW_NONE;
         lane = dw_scheduler_lane_behind (worker, lane))
        s_join_lane (self, worker_index, &self->lanes[lane]);
}

void dw_scheduler_leave_lanes (dw_scheduler_t *self, uint32_t worker_index) {
    dw_worker_state_t *worker = &self->workers[worker_index];
    for (uint32_t lane = worker->lane; lane != DW_NONE;
         lane = dw_scheduler_lane_behind (worker, lane))
        s_leave_lane (self, worker_index, &self->lanes[lane]);
    free (worker->several);
    worker->several = NULL;
}

void dw_scheduler_mark_idle (dw_scheduler_t *self, uint32_t worker_index, bool is_idle) {
    dw_worker_state_t *worker = &self->workers[worker_index];
    for (uint32_t lane = worker->lane; lane != DW_NONE;
         lane = dw_scheduler_lane_behind (worker, lane))
        s_mark (&self->lanes[lane], *s_place (worker, lane), is_idle);
}
