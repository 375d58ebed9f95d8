/* scheduler_cancel.c - how a part of a run is cancelled: a node, and all that depends on it.
 *
 * What is final stays as it is, what depends on it is cancelled all the same. A worker that is at
 * such a node is told to stop; one that has it before it in a chain goes on up to there. From then
 * on a cancelled node is not wanted any more (run.h), so nothing comes to it again: neither the
 * rest of a chain nor a retry. */

#include "runtime/core/scheduler_self.h"

static bool s_is_below (const dw_run_t *run, uint32_t node) {
    return run->nodes[node].wanted & DW_BELOW;
}

/* Marks node and all that depends on it. Dependencies have smaller indices, so one pass sees every
 * node behind what it depends on. */
static void s_mark (dw_run_t *run, uint32_t node) {
    const dw_plan_t *plan = run->plan;
    run->nodes[node].wanted |= DW_BELOW;
    for (uint32_t other = node + 1; other < plan->nodes_count; other++)
        for (uint32_t e = plan->dependencies_at[other]; e < plan->dependencies_at[other + 1]; e++)
            if (s_is_below (run, plan->dependencies[e])) {
                run->nodes[other].wanted |= DW_BELOW;
                break;
            }
}

/* Gives up what a task has of the marked nodes, which are its last. */
static void s_cut_task (dw_scheduler_t *self, uint32_t worker_index, uint64_t ticket) {
    dw_held_task_t *task = dw_scheduler_task (&self->workers[worker_index], ticket);
    const dw_run_t *run = &self->runs[task->run];
    uint32_t steps = 0;
    for (uint32_t node = task->node; steps < task->steps && !s_is_below (run, node); steps++)
        node = self->plan->chain_next[node];
    if (steps == task->steps)
        return;
    if (steps == 0) {
        dw_scheduler_give_up (self, worker_index, ticket);
        return;
    }
    task->cut += task->steps - steps;
    task->steps = steps;
    dw_command_t *command = dw_scheduler_command (self, DW_CANCEL_TASK);
    if (!command)
        return;
    command->worker = worker_index;
    command->ticket = ticket;
    command->steps = task->done + steps;
}

static void s_cut_tasks (dw_scheduler_t *self, uint32_t run_index) {
    for (uint32_t w = 0; w < self->options.workers_max; w++) {
        const dw_worker_state_t *worker = &self->workers[w];
        for (uint64_t ticket = worker->first; ticket < dw_scheduler_next (worker); ticket++)
            if (dw_scheduler_task (worker, ticket)->run == run_index)
                s_cut_task (self, w, ticket);
    }
}

/* What was added to the run by marked nodes ends, and all that is within it. */
static void s_drop_added (dw_scheduler_t *self, uint32_t run_index) {
    const dw_run_t *run = &self->runs[run_index];
    for (uint32_t place = 0; run->added_count > 0 && place < self->runs_size; place++) {
        const dw_run_t *added = &self->runs[place];
        if (added->life == DW_RUN_LIVE && added->added && added->root == run_index &&
            s_is_below (run, added->root_node))
            dw_scheduler_drop_added_at (self, place);
    }
}

/* Cancels the marked nodes that are not final, and takes the marks away. */
static void s_cancel_marked (dw_scheduler_t *self, uint32_t run_index) {
    dw_run_t *run = &self->runs[run_index];
    for (uint32_t node = 0; node < self->plan->nodes_count; node++) {
        dw_run_node_t *it = &run->nodes[node];
        if (!(it->wanted & DW_BELOW))
            continue;
        it->wanted &= (uint8_t) ~DW_BELOW;
        if (dw_run_is_final (it))
            continue;
        if (it->state == DW_STATE_READY)
            dw_scheduler_take_ready (self, run_index, node);
        it->state = DW_STATE_CANCELLED;
        it->wanted &= (uint8_t) ~DW_WANTED;
        run->keeps_all = run->is_plain = false;
        dw_scheduler_count_out (self, run_index, node);
    }
}

void dw_scheduler_on_node_cancelled (dw_scheduler_t *self, const dw_event_t *event) {
    if (event->run >= self->runs_size || self->runs[event->run].life != DW_RUN_LIVE ||
        self->runs[event->run].added || event->node >= self->plan->nodes_count)
        return;
    if (dw_run_was_cut_off (&self->runs[event->run], event->node))
        return; /* and so was all that depends on it */
    s_mark (&self->runs[event->run], event->node);
    s_cut_tasks (self, event->run);
    s_drop_added (self, event->run);
    s_cancel_marked (self, event->run);
    if (self->plan->strategy == DW_LEVEL)
        dw_scheduler_open_levels (self, event->run);
    dw_scheduler_finish_if_over (self, event->run);
}
