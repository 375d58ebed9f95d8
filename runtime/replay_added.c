/* replay_added.c - graphs that were added to runs, replayed: their bytes are in the recording,
 * before the step that adds them. */

#include <stdlib.h>

#include "runtime/core/error.h"
#include "runtime/pack.h"
#include "runtime/replay_self.h"

static int s_no_memory (dw_error_t *error) {
    return dw_error_add (error, DW_ENOMEM, DW_NOWHERE, "out of memory");
}

/* What it is made of was taken by the coordinator, so it is right, or the recording is not. */
static int s_make (dw_replay_t *self, const dw_record_t *record, dw_added_t **added_p,
                   dw_error_t *error) {
    dw_plan_lookup_t lookup = dw_replay_lookup (self);
    dw_error_t *problems = dw_error_new ();
    dw_graph_t *graph = NULL;
    char *output = NULL;
    int err = dw_unpack_addition (&graph, &output, record->bytes, record->bytes_size, problems);
    if (!err)
        err = dw_added_new (added_p, graph, output, self->plan, NULL, DW_NONE, &lookup, problems);
    dw_graph_destroy (&graph);
    free (output);
    dw_error_destroy (&problems);
    if (err == DW_ENOMEM)
        return s_no_memory (error);
    return err ? dw_replay_differs (self, "a graph is added that cannot be", error) : DW_OK;
}

static bool s_grow (dw_replay_t *self) {
    if (self->to_come_count < self->to_come_size)
        return true;
    uint32_t size = self->to_come_size ? 2 * self->to_come_size : 16;
    dw_added_t **to_come = realloc (self->to_come, size * sizeof (dw_added_t *));
    if (!to_come)
        return false;
    self->to_come = to_come;
    self->to_come_size = size;
    return true;
}

int dw_replay_added (dw_replay_t *self, const dw_record_t *record, dw_error_t *error) {
    dw_added_t *added = NULL;
    if (!s_grow (self))
        return s_no_memory (error);
    int err = s_make (self, record, &added, error);
    if (err || !added)
        return err;
    self->to_come[self->to_come_count++] = added;
    self->added_nodes += added->plan->nodes_count;
    return self->added_nodes <= DW_REPLAY_STATES_MAX ? DW_OK : s_no_memory (error);
}

int dw_replay_take_added (dw_replay_t *self, dw_event_t *event, dw_error_t *error) {
    if (self->to_come_taken == self->to_come_count)
        return dw_replay_differs (self, "a task adds a graph that is not told of", error);
    int err = dw_replay_take_place (self, event->run, error);
    if (err)
        return err;
    event->added = self->added[event->run] = self->to_come[self->to_come_taken++];
    if (self->to_come_taken == self->to_come_count)
        self->to_come_taken = self->to_come_count = 0;
    return DW_OK;
}

void dw_replay_drop_added (dw_replay_t *self, uint32_t place) {
    if (!self->added[place])
        return;
    self->added_nodes -= self->added[place]->plan->nodes_count;
    dw_added_destroy (&self->added[place]);
    self->runs[place] = 0;
}

void dw_replay_free_added (dw_replay_t *self) {
    for (uint32_t place = 0; place < self->places_count; place++)
        dw_added_destroy (&self->added[place]);
    for (uint32_t i = self->to_come_taken; i < self->to_come_count; i++)
        dw_added_destroy (&self->to_come[i]);
    free (self->added);
    free (self->to_come);
}

dw_part_t dw_replay_part (const dw_replay_t *self, uint32_t place) {
    dw_part_t part = {.plan = self->plan, .node = DW_NONE};
    if (place >= self->places_count || !self->added[place])
        return part;
    part.plan = self->added[place]->plan;
    dw_scheduler_root (self->scheduler, place, &part.node);
    return part;
}
