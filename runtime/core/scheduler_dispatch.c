/* scheduler_dispatch.c - how ready tasks are given to workers. */

#include "runtime/core/scheduler_self.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#define WAKE_NS     5000u /* less work than this is not worth waking anybody */
#define HANDOVER_NS 400u  /* what it costs to have a task run by an actor */

/* Makes room for one more task. */
static bool s_worker_grow (dw_worker_state_t *worker) {
    uint32_t size = worker->tasks_size ? 2 * worker->tasks_size : 8;
    dw_held_task_t *tasks = malloc (size * sizeof *tasks);
    if (!tasks)
        return false;
    for (uint64_t ticket = worker->first; ticket < worker->next; ticket++)
        tasks[ticket & (size - 1)] = *dw_scheduler_task (worker, ticket);
    free (worker->tasks);
    worker->tasks = tasks;
    worker->tasks_size = size;
    return true;
}

static void s_send (dw_scheduler_t *self, uint32_t worker_index, uint32_t run_index, uint32_t node,
                    uint32_t steps, uint64_t estimate_ns) {
    dw_worker_state_t *worker = &self->workers[worker_index];
    dw_run_t *run = &self->runs[run_index];
    if (dw_scheduler_unanswered (worker) == worker->tasks_size && !s_worker_grow (worker)) {
        self->no_memory = true;
        return;
    }
    if (worker->first == worker->next) {
        worker->since_ns = self->now_ns;
        self->active_count++;
    }
    run->nodes[node].state = DW_STATE_SENT;
    run->nodes[node].attempts++;
    run->sent_count++;
    dw_command_t *command = dw_scheduler_command (self, DW_SEND_TASK);
    if (!command)
        return;
    command->worker = worker_index;
    command->ticket = worker->next;
    command->run = run_index;
    command->node = node;
    command->steps = steps;
    command->source = dw_run_source (run, node);
    command->attempt = run->nodes[node].attempts;
    dw_held_task_t *task = dw_scheduler_task (worker, worker->next++);
    task->run = run_index;
    task->node = node;
    task->steps = steps;
    task->done = 0;
    task->was_late = false;
    task->estimate_ns = (uint32_t) (estimate_ns < UINT32_MAX ? estimate_ns : UINT32_MAX);
    worker->estimate_ns += task->estimate_ns;
    self->counts.tasks_sent++;
    if (dw_scheduler_unanswered (worker) <= 2)
        dw_scheduler_watch (self, worker_index);
}

/* Gives a worker up to tasks_max ready tasks of its lane, up to budget_ns of work by measured time.
 * A task whose processor was never measured travels alone. */
static void s_fill (dw_scheduler_t *self, uint32_t worker_index, uint32_t tasks_max,
                    uint64_t budget_ns) {
    dw_worker_state_t *worker = &self->workers[worker_index];
    dw_lane_t *lane = &self->lanes[worker->lane];
    worker->filled = self->steps_count;
    if (self->plan->batch_size && tasks_max > self->plan->batch_size)
        tasks_max = self->plan->batch_size;
    while (tasks_max-- > 0 && lane->ready_count > 0 &&
           dw_scheduler_unanswered (worker) < worker->credit && !self->no_memory) {
        uint32_t run_index = dw_scheduler_lane_first (self, lane);
        dw_run_t *run = &self->runs[run_index];
        uint32_t node = dw_ready_first (&run->ready, worker->lane);
        uint32_t steps = dw_run_steps (run, node);
        uint64_t estimate_ns = dw_scheduler_kind (self, node)->mean_ns * steps;
        bool is_first = worker->first == worker->next;
        if (!is_first && (estimate_ns == 0 || worker->estimate_ns + estimate_ns > budget_ns))
            break;
        dw_scheduler_unready (self, lane, run, node);
        /* Nothing is put behind a task of unknown length: it counts as a whole message. */
        s_send (self, worker_index, run_index, node, steps,
                estimate_ns ? estimate_ns : DW_MESSAGE_NS);
        if (estimate_ns == 0)
            break;
    }
}

/* Whether the first ready task of a lane is left to the coordinator's thread: it will have run it in
 * the time that sending it takes. */
static bool s_waits_for_local (dw_scheduler_t *self, uint32_t lane_index) {
    return self->lanes[lane_index].mean_ns < HANDOVER_NS && self->local_worker != DW_NONE &&
           dw_scheduler_is_own (self, dw_scheduler_first_ready (self, lane_index));
}

/* Wakes a lane's sleeping actors for ready tasks. While the coordinator's thread is to take the next one,
 * one of those that may work at one time is that thread, and little work wakes nobody. */
static void s_wake_actors (dw_scheduler_t *self, uint32_t lane_index, uint32_t share) {
    dw_lane_t *lane = &self->lanes[lane_index];
    for (uint32_t w = lane->first_worker; w != DW_NONE && lane->ready_count > 0;
         w = self->workers[w].next_in_lane) {
        const dw_worker_state_t *worker = &self->workers[w];
        if (worker->local || worker->first != worker->next)
            continue;
        bool is_own_next = dw_scheduler_has_own (self) &&
                           self->workers[self->local_worker].lane == lane_index;
        if (self->active_count + is_own_next >= self->concurrency_max)
            return;
        if (is_own_next && (lane->mean_ns < HANDOVER_NS ||
                            lane->ready_count * lane->mean_ns < DW_STRETCH_NS + WAKE_NS))
            return;
        s_fill (self, w, share, DW_MESSAGE_NS);
    }
}

/* Gives actors that are through with half of their message the next one, unless that would be little
 * work for one that still has some: then more comes together. Not those that are late,
 * and nothing that the coordinator's thread would have run in the time that sending it takes. */
static void s_refill_actors (dw_scheduler_t *self, uint32_t lane_index, uint32_t share) {
    dw_lane_t *lane = &self->lanes[lane_index];
    if (lane->ready_count == 0 || s_waits_for_local (self, lane_index))
        return;
    for (uint32_t w = lane->first_worker; w != DW_NONE && lane->ready_count > 0;
         w = self->workers[w].next_in_lane) {
        const dw_worker_state_t *worker = &self->workers[w];
        bool is_late = lane->workers_count > 1 &&
                       self->now_ns - worker->since_ns >= worker->late_ns;
        if (worker->local || worker->first == worker->next || worker->suspect || is_late ||
            worker->filled == self->steps_count || 2 * worker->estimate_ns > DW_MESSAGE_NS)
            continue;
        if (worker->estimate_ns <= WAKE_NS || lane->ready_count * lane->mean_ns >= WAKE_NS)
            s_fill (self, w, share, DW_MESSAGE_NS);
    }
}

/* Those that would idle come first. */
static void s_dispatch_lane (dw_scheduler_t *self, uint32_t lane_index) {
    dw_lane_t *lane = &self->lanes[lane_index];
    uint32_t sharers = lane->workers_count < self->concurrency_max ? lane->workers_count
                                                                   : self->concurrency_max;
    uint32_t share = sharers > 1 ? (lane->ready_count + sharers - 1) / sharers : lane->ready_count;
    s_wake_actors (self, lane_index, share);
    s_refill_actors (self, lane_index, share);
    s_wake_actors (self, lane_index, share); /* when others have got what was to be own work */
}

void dw_scheduler_dispatch (dw_scheduler_t *self) {
    if (!self->pending_ring) {
        for (uint32_t lane = dw_bits_next (&self->pending, 0); lane != UINT32_MAX;
             lane = dw_bits_next (&self->pending, lane + 1)) {
            if (self->lanes[lane].ready_count)
                s_dispatch_lane (self, lane);
            if (self->lanes[lane].ready_count)
                continue;
            self->lanes[lane].is_pending = false;
            dw_bits_remove (&self->pending, lane);
        }
        return;
    }
    for (uint32_t i = self->pending_count; i > 0; i--) {
        uint32_t lane = self->pending_ring[self->pending_head];
        if (++self->pending_head == self->plan->lanes_count)
            self->pending_head = 0;
        self->pending_count--;
        self->lanes[lane].is_pending = false;
        if (self->lanes[lane].ready_count)
            s_dispatch_lane (self, lane);
        if (self->lanes[lane].ready_count)
            dw_scheduler_pending_add (self, lane);
    }
}
