/* scheduler_entries.c - which runs have something ready in a lane, and in which order that is taken.
 *
 * Runs come one after another, as they got something ready there. What was added to a run is beside it, and all that is
 * part of one run is in the order of its first ready nodes. A node that was added counts at the place of the node that
 * became its graph, among what is ready beside that; within its graph at its own, and so on inwards:
 *
 *     run         a  b  c  d          b is a graph, and so is y; taken in this order, if all the others are ready:
 *                    |
 *     its graph      x  y  z          a  x  p  q  z  c  d
 *                       |
 *     within            p  q
 *
 * So the first entry says in constant time what is next. Where ready nodes are taken in order of arrival, a node that
 * became a graph had arrived before all that is still ready beside it, and so comes its graph; of two the elder. */

#include "runtime/core/scheduler_self.h"

#include <assert.h>
#include <stdlib.h>

static dw_lane_entry_t *s_entry (const dw_lane_t *lane, uint32_t place) {
    return &lane->entries[(lane->entries_head + place) & (lane->entries_size - 1)];
}

/* Makes room in a full ring: drops the entries of runs that have ended; twice the size holds what
 * is left, so a ring is at most four times as large as the live runs ask for. */
static bool s_grow (const dw_scheduler_t *self, dw_lane_t *lane) {
    uint32_t live_count = 0;
    for (uint32_t i = 0; i < lane->entries_count; i++)
        live_count += dw_scheduler_is_live (self, lane->entries[i]);
    uint32_t size = lane->entries_size ? lane->entries_size : 8;
    if (2 * live_count > size)
        size *= 2;
    dw_lane_entry_t *entries = malloc (size * sizeof *entries);
    if (!entries)
        return false;
    live_count = 0;
    for (uint32_t i = 0; i < lane->entries_count; i++) {
        dw_lane_entry_t entry = *s_entry (lane, i);
        if (dw_scheduler_is_live (self, entry))
            entries[live_count++] = entry;
    }
    free (lane->entries);
    lane->entries = entries;
    lane->entries_size = size;
    lane->entries_head = 0;
    lane->entries_count = live_count;
    return true;
}

/* ---- The order within a run ------------------------------------------------------------------- */

/* The place, in the order of what part of a run is, of what it has ready first, or of the node that
 * became within. */
static uint32_t s_position (const dw_run_t *part, const dw_run_t *within, uint32_t lane_index) {
    return part->plan
        ->position[within ? within->parent_node : dw_run_ready_first (part, lane_index)];
}

/* Whether what a has ready comes before what b has, two parts of one run: looks at what both are
 * part of. */
static bool s_goes_before (const dw_scheduler_t *self, const dw_lane_t *lane, uint32_t a,
                           uint32_t b) {
    const dw_run_t *within_a = NULL, *within_b = NULL; /* NULL: it is that itself */
    while (a != b)
        if (self->runs[a].depth >= self->runs[b].depth) {
            within_a = &self->runs[a];
            a = within_a->parent;
        } else {
            within_b = &self->runs[b];
            b = within_b->parent;
        }
    const dw_run_t *part = &self->runs[a];
    uint32_t lane_index = (uint32_t) (lane - self->lanes);
    if (!part->ready.ring)
        return s_position (part, within_a, lane_index) < s_position (part, within_b, lane_index);
    return !within_b || (within_a && (int32_t) (within_a->serial - within_b->serial) < 0);
}

static bool s_is_beside (const dw_scheduler_t *self, dw_lane_entry_t entry, uint32_t run) {
    return dw_scheduler_is_live (self, entry) && self->runs[entry.run].root == self->runs[run].root;
}

/* An entry of a run that has ended is in nobody's way. */
static bool s_is_over (const dw_scheduler_t *self, dw_lane_entry_t entry) {
    return !self->options.added_first && !dw_scheduler_is_live (self, entry);
}

/* ---- Entries ---------------------------------------------------------------------------------- */

static bool s_is_elder (const dw_scheduler_t *self, uint32_t a, uint32_t b) {
    uint32_t serial_a = self->runs[self->runs[a].root].serial;
    uint32_t serial_b = self->runs[self->runs[b].root].serial;
    return (int32_t) (serial_a - serial_b) < 0;
}

/* Behind the last of what is part of the same run and comes before it, or before the first. Where
 * nothing of that run is there: behind all, but what was added comes before runs that are
 * younger. */
static uint32_t s_find_place (const dw_scheduler_t *self, const dw_lane_t *lane, uint32_t run) {
    bool has_grown = self->runs[self->runs[run].root].added_count > 0;
    uint32_t place = DW_NONE, at = lane->entries_count;
    while (has_grown && !self->options.added_first && at-- > 0) {
        dw_lane_entry_t before = *s_entry (lane, at);
        if (!s_is_beside (self, before, run))
            continue;
        if (s_goes_before (self, lane, before.run, run))
            return at + 1;
        place = at;
    }
    if (place != DW_NONE)
        return place;
    place = lane->entries_count;
    for (; self->runs[run].added && place > 0; place--) {
        dw_lane_entry_t before = *s_entry (lane, place - 1);
        if (!s_is_over (self, before) && s_is_elder (self, before.run, run))
            break;
    }
    return place;
}

void dw_scheduler_enter_lane (dw_scheduler_t *self, dw_lane_t *lane, uint32_t run_index) {
    if (lane->entries_count == lane->entries_size && !s_grow (self, lane)) {
        self->no_memory = true;
        return;
    }
    uint32_t place = s_find_place (self, lane, run_index);
    for (uint32_t at = lane->entries_count++; at > place; at--)
        *s_entry (lane, at) = *s_entry (lane, at - 1);
    *s_entry (lane, place) = (dw_lane_entry_t){.run = run_index,
                                               .serial = self->runs[run_index].serial};
}

static bool s_is_entry (const dw_scheduler_t *self, dw_lane_entry_t entry, uint32_t run) {
    return entry.run == run && entry.serial == self->runs[run].serial;
}

void dw_scheduler_leave_lane (dw_scheduler_t *self, dw_lane_t *lane, uint32_t run_index) {
    uint32_t kept = 0;
    for (uint32_t at = 0; at < lane->entries_count; at++)
        if (!s_is_entry (self, *s_entry (lane, at), run_index))
            *s_entry (lane, kept++) = *s_entry (lane, at);
    lane->entries_count = kept;
}

void dw_scheduler_settle_in_lane (dw_scheduler_t *self, dw_lane_t *lane, uint32_t run_index) {
    uint32_t at = 0, end = self->options.added_first ? 0 : lane->entries_count;
    while (at < end && !s_is_entry (self, *s_entry (lane, at), run_index))
        at++;
    if (at == end)
        return; /* or there was no memory for it */
    dw_lane_entry_t entry = *s_entry (lane, at);
    for (; at > 0; at--) {
        dw_lane_entry_t before = *s_entry (lane, at - 1);
        if (!s_is_over (self, before) && (!s_is_beside (self, before, run_index) ||
                                          s_goes_before (self, lane, before.run, run_index)))
            break;
        *s_entry (lane, at) = before;
    }
    for (; at + 1 < end; at++) {
        dw_lane_entry_t behind = *s_entry (lane, at + 1);
        if (!s_is_over (self, behind) && (!s_is_beside (self, behind, run_index) ||
                                          s_goes_before (self, lane, run_index, behind.run)))
            break;
        *s_entry (lane, at) = behind;
    }
    *s_entry (lane, at) = entry;
}
