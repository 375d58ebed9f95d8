/* scheduler_added.c - graphs that nodes add to their runs.
 *
 * What was added is a run in a place of its own, with a plan of its own and a parent: the node that
 * it is. It is asked for its one output, so what that does not need is not run, and what it has
 * read is dropped, as in any run. It has no end of its own: when it comes to one, its node does,
 * and so on outwards. */

#include "runtime/core/scheduler_self.h"

#include <assert.h>

/* node of a run cannot become a graph: the attempt has failed. */
static void s_refuse (dw_scheduler_t *self, uint32_t run_index, uint32_t node, uint16_t code,
                      bool is_too_deep) {
    size_t error = self->commands->count; /* which is kept first */
    dw_scheduler_attempt_failed (self, run_index, node, code, DW_NONE);
    if (!self->no_memory)
        self->commands->items[error].is_too_deep = is_too_deep;
}

/* What the new run in place is, of which dw_run_begin knows nothing. */
static void s_begin (dw_scheduler_t *self, uint32_t place, uint32_t parent, uint32_t node,
                     const dw_added_t *added) {
    dw_run_t *run = &self->runs[place];
    const dw_run_t *outer = &self->runs[parent];
    run->serial = ++self->serial;
    run->is_plain = false;
    run->added = added;
    run->parent = parent;
    run->parent_node = node;
    run->root = outer->root;
    run->root_node = dw_run_shown (outer, node);
    run->lane = dw_run_lane (outer, node);
    run->depth = outer->depth + 1;
    run->budget = dw_added_share (outer->plan, outer->budget) - added->plan->nodes_count;
    self->runs[run->root].added_count++;
}

void dw_scheduler_node_added (dw_scheduler_t *self, uint32_t run_index, uint32_t node,
                              const dw_event_t *event) {
    const dw_added_t *added = event->added;
    const dw_run_t *outer = &self->runs[run_index];
    bool retries = false;
    if (outer->depth >= self->plan->added_depth_max) {
        s_refuse (self, run_index, node, 413, true);
        return;
    }
    if (added->plan->nodes_count > dw_added_share (outer->plan, outer->budget)) {
        s_refuse (self, run_index, node, 413, false);
        return;
    }
    for (uint32_t p = 0; p < added->plan->policies_count; p++)
        retries |= added->plan->policies[p].retry_attempts > 0;
    assert (event->run < self->options.runs_max);
    if (!dw_scheduler_grow_runs (self, event->run)) {
        self->no_memory = true;
        return;
    }
    dw_run_t *run = &self->runs[event->run];
    assert (run->life == DW_RUN_FREE);
    if (dw_run_begin (run, added->plan, NULL, retries, dw_scheduler_is_in_order (self),
                      &added->output, 1)) {
        s_refuse (self, run_index, node, 500, false);
        return;
    }
    s_begin (self, event->run, run_index, node, added);
    self->runs[run_index].nodes[node].state = DW_STATE_ADDED;
    dw_command_t *command = dw_scheduler_command (self, DW_BEGIN_ADDED);
    if (!command)
        return;
    command->run = run_index;
    command->node = node;
    command->place = event->run;
    command->handle = event->handle;
    command->attempt = self->runs[run_index].nodes[node].attempts;
    dw_scheduler_start_run (self, event->run);
}

/* Ends what is in a place; its node is the caller's. */
static void s_end (dw_scheduler_t *self, uint32_t place, uint32_t source, dw_node_status_t status) {
    dw_run_t *run = &self->runs[place];
    dw_scheduler_recall_run (self, place);
    run->life = DW_RUN_ENDED;
    self->runs[run->root].added_count--;
    dw_command_t *command = dw_scheduler_command (self, DW_END_ADDED);
    if (command) {
        command->run = run->parent;
        command->node = run->parent_node;
        command->place = place;
        command->source = source;
        command->status = (uint8_t) status;
        if (status != DW_NODE_CANCELLED) /* then what it was part of may have ended before */
            command->attempt = self->runs[run->parent].nodes[run->parent_node].attempts;
    }
    dw_run_forget (run);
}

void dw_scheduler_end_added (dw_scheduler_t *self, uint32_t place) {
    const dw_run_t *run = &self->runs[place];
    uint32_t parent = run->parent, node = run->parent_node, source = run->added->output;
    uint8_t state = run->nodes[source].state;
    if (state == DW_STATE_DONE) {
        s_end (self, place, source, DW_NODE_DONE);
        dw_scheduler_node_done (self, parent, node);
        return;
    }
    if (state == DW_STATE_LEFT_OUT) {
        s_end (self, place, source, DW_NODE_SKIPPED);
        dw_scheduler_node_left_out (self, parent, node);
        return;
    }
    source = 0;
    while (run->nodes[source].state !=
           DW_STATE_FAILED) /* else the output would be done or left out */
        source++;
    s_end (self, place, source, DW_NODE_FAILED);
    dw_scheduler_node_failed (self, parent, node);
}

void dw_scheduler_fail_outwards (dw_scheduler_t *self, uint32_t place, uint32_t node) {
    uint32_t parent = self->runs[place].parent, parent_node = self->runs[place].parent_node;
    s_end (self, place, node, DW_NODE_FAILED);
    dw_scheduler_node_failed (self, parent, parent_node);
}

void dw_scheduler_drop_added_at (dw_scheduler_t *self, uint32_t place) {
    s_end (self, place, DW_NONE, DW_NODE_CANCELLED);
}

void dw_scheduler_drop_added (dw_scheduler_t *self, uint32_t run_index) {
    for (uint32_t place = 0; place < self->runs_size && self->runs[run_index].added_count > 0;
         place++) {
        const dw_run_t *run = &self->runs[place];
        if (run->life == DW_RUN_LIVE && run->added && run->root == run_index)
            dw_scheduler_drop_added_at (self, place);
    }
}
