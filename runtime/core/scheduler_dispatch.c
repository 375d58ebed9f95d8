/* scheduler_dispatch.c - how ready tasks are given to workers. */

#include "runtime/core/scheduler_self.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#define STRETCH_NS     10000u  /* of the shell's own work, */
#define STRETCH_NS_MAX 50000u  /* while nobody waits for it */
#define CALM_NS_MIN    100000u /* of a nap of the shell */
#define CALM_NS_MAX    500000u
#define WAKE_NS        5000u /* less work than this is not worth waking anybody */
#define HANDOVER_NS    400u  /* what it costs to have a task run by an actor */
#define PIECES         8u    /* in so many messages a worker gets its share of what is ready */
#define PIECE_NS_MAX   1000000u
#define COMPANY_NS_MAX 300000u /* a longer task is not put behind another */
#define FEW            256u /* workers of a lane, all of which are looked at in each step; of more */
#define LOOKS          32u  /* so many for each step, but all of them together */
#define LOOK_NS_MAX    100000000

/* Makes room for one more task. */
static bool s_worker_grow (dw_worker_state_t *worker) {
    uint32_t size = 2u << worker->tasks_bits;
    dw_held_task_t *tasks = malloc (size * sizeof *tasks);
    if (!tasks)
        return false;
    for (uint64_t ticket = worker->first; ticket < dw_scheduler_next (worker); ticket++)
        tasks[ticket & (size - 1)] = *dw_scheduler_task (worker, ticket);
    if (worker->tasks != &worker->task)
        free (worker->tasks);
    worker->tasks = tasks;
    worker->tasks_bits++;
    return true;
}

static void s_send (dw_scheduler_t *self, uint32_t worker_index, uint32_t run_index, uint32_t node,
                    uint32_t steps, uint64_t estimate_ns, bool is_alone) {
    dw_worker_state_t *worker = &self->workers[worker_index];
    dw_run_t *run = &self->runs[run_index];
    if (worker->held == 1u << worker->tasks_bits && !s_worker_grow (worker)) {
        self->no_memory = true;
        return;
    }
    if (worker->held == 0) {
        worker->since_ns = self->now_ns;
        self->active_count++;
        dw_scheduler_mark_idle (self, worker_index, false);
    }
    run->nodes[node].state = DW_STATE_SENT;
    run->nodes[node].attempts++;
    run->sent_count++;
    dw_command_t *command = dw_scheduler_command (self, DW_SEND_TASK);
    if (!command)
        return;
    command->worker = worker_index;
    command->ticket = dw_scheduler_next (worker);
    command->run = run_index;
    command->node = node;
    command->steps = steps;
    command->source = dw_run_source (run, node);
    command->attempt = run->nodes[node].attempts;
    dw_held_task_t *task = dw_scheduler_task (worker, dw_scheduler_next (worker));
    worker->held++;
    task->run = run_index;
    task->node = node;
    task->shown = dw_run_shown (run, node);
    task->steps = steps;
    task->cut = task->done = 0;
    task->was_late = false;
    task->is_alone = is_alone;
    if (estimate_ns == 0)
        estimate_ns = DW_MESSAGE_NS;
    task->estimate_ns = (uint32_t) (estimate_ns < UINT32_MAX ? estimate_ns : UINT32_MAX);
    worker->estimate_ns += task->estimate_ns;
    self->counts.tasks_sent++;
    if (worker->held <= 2)
        dw_scheduler_watch (self, worker_index);
}

/* What a worker still has before it, in ns: by measured times, less what has passed since its last
 * answer. Not less than a quarter, so that one that does not answer is not sent more and more. */
static uint64_t s_remaining_ns (const dw_scheduler_t *self, const dw_worker_state_t *worker) {
    uint64_t passed_ns = (uint64_t) (self->now_ns - worker->since_ns),
             least_ns = worker->estimate_ns / 4;
    if (worker->suspect)
        return 0;
    return worker->estimate_ns > passed_ns + least_ns ? worker->estimate_ns - passed_ns : least_ns;
}

/* With how much work before it a worker is sent more, when its share of all that there is to do is
 * share_ns and a task takes estimate_ns; it may hold twice as much. Much work goes in large pieces,
 * which become smaller as it runs out (guided self-scheduling; Polychronopoulos, Kuck, IEEE TC
 * 36(12), 1987). A worker that has one longer task is sent another, so that it does not idle while
 * its answer and the next one travel; but the longest travel alone: what their way costs is little
 * beside them, and who is free next is known better then. Where the critical path decides, nothing
 * long is put behind anything: who waits there is overtaken by what matters less. */
static uint64_t s_low_ns (const dw_scheduler_t *self, uint64_t share_ns, uint64_t estimate_ns) {
    uint64_t low_ns = share_ns / PIECES;
    if (self->plan->priority == DW_CRITICAL_PATH)
        return DW_MESSAGE_NS / 2;
    if (low_ns > PIECE_NS_MAX)
        low_ns = PIECE_NS_MAX;
    if (low_ns < DW_MESSAGE_NS / 2)
        low_ns = DW_MESSAGE_NS / 2;
    uint64_t one_ns = estimate_ns + estimate_ns / 4; /* as times vary */
    return one_ns > low_ns && estimate_ns <= COMPANY_NS_MAX ? one_ns : low_ns;
}

/* Whether the coordinator's thread is to take the next ready task of a lane. */
static bool s_is_own_next (const dw_scheduler_t *self, uint32_t lane_index) {
    return dw_scheduler_has_own (self) && self->workers[self->local_worker].lane == lane_index;
}

/* Whether what is ready in a lane is left to the coordinator's thread, which is to take the next of
 * it: that will have run it in the time that sending it takes. */
static bool s_is_left_to_own (const dw_lane_t *lane) {
    return lane->mean_ns < HANDOVER_NS || lane->ready_count == 1 ||
           lane->ready_count * lane->mean_ns < STRETCH_NS + WAKE_NS;
}

/* Whether the first ready node of lane a goes before that of lane b: that of the older run, else
 * the more urgent. */
static bool s_goes_before (const dw_scheduler_t *self, uint32_t a, uint32_t b) {
    uint32_t run_a = dw_scheduler_lane_first (self, &self->lanes[a]);
    uint32_t run_b = dw_scheduler_lane_first (self, &self->lanes[b]);
    uint32_t root_a = self->runs[run_a].root, root_b = self->runs[run_b].root;
    if (root_a != root_b)
        return (int32_t) (self->runs[root_a].serial - self->runs[root_b].serial) < 0;
    return self->plan
               ->urgency[dw_run_shown (&self->runs[run_a], dw_scheduler_first_ready (self, a))] <
           self->plan
               ->urgency[dw_run_shown (&self->runs[run_b], dw_scheduler_first_ready (self, b))];
}

/* Of the lanes in a set that have ready tasks the one whose first goes before the others'; DW_NONE:
 * none has. */
static uint32_t s_most_urgent (const dw_scheduler_t *self, uint64_t lanes) {
    uint32_t best = DW_NONE;
    for (; lanes; lanes &= lanes - 1) {
        uint32_t lane = (uint32_t) __builtin_ctzll (lanes);
        if (self->lanes[lane].ready_count > 0 &&
            (best == DW_NONE || s_goes_before (self, lane, best)))
            best = lane;
    }
    return best;
}

/* The lane that a worker of several is to be given a task of next, or DW_NONE. */
static uint32_t s_next_lane (const dw_scheduler_t *self, const dw_worker_state_t *worker) {
    uint64_t lanes = dw_scheduler_several (worker);
    uint32_t own = self->local_worker == DW_NONE ? DW_NONE : self->workers[self->local_worker].lane;
    if (own != DW_NONE && s_is_own_next (self, own) && s_is_left_to_own (&self->lanes[own]))
        lanes &= ~(UINT64_C (1) << own);
    return s_most_urgent (self, lanes);
}

/* Whether a task travels alone, and one step of it: its processor was never measured; or it may run
 * but once, and what lies before or behind another may have begun, though no answer says so yet; or
 * a worker went down with it, and the next one's end shall be put down to nothing else. */
static bool s_is_alone (const dw_run_t *run, uint32_t node, uint64_t estimate_ns) {
    return estimate_ns == 0 || (run->plan->flags[node] & DW_NODE_ONCE) ||
           dw_run_is_suspect (run, node);
}

/* Gives a worker ready tasks of a lane, or of whichever of its lanes is next, until it has its
 * share, at most what it may hold (s_low_ns); one in any case when it has none. */
static void s_fill (dw_scheduler_t *self, uint32_t worker_index, uint32_t lane_index,
                    uint64_t share_ns) {
    dw_worker_state_t *worker = &self->workers[worker_index];
    uint32_t tasks_max = self->plan->batch_size ? self->plan->batch_size : UINT32_MAX;
    uint64_t held_ns = s_remaining_ns (self, worker);
    worker->filled = (uint32_t) self->steps_count;
    while (tasks_max-- > 0 && worker->held < worker->credit && !self->no_memory) {
        if (worker->several && (lane_index = s_next_lane (self, worker)) == DW_NONE)
            break;
        dw_lane_t *lane = &self->lanes[lane_index];
        if (lane->ready_count == 0)
            break;
        uint32_t run_index = dw_scheduler_lane_first (self, lane);
        dw_run_t *run = &self->runs[run_index];
        uint32_t node = dw_run_ready_first (run, lane_index);
        uint32_t steps = dw_run_is_suspect (run, node) ? 1 : dw_run_steps (run, node);
        uint64_t estimate_ns = dw_scheduler_run_kind (self, run, node)->mean_ns * steps;
        bool is_first = worker->held == 0;
        bool is_alone = s_is_alone (run, node, estimate_ns);
        if (!is_first &&
            (is_alone || held_ns + estimate_ns > 2 * s_low_ns (self, share_ns, estimate_ns) ||
             held_ns + estimate_ns / 2 > share_ns))
            break;
        dw_scheduler_unready (self, lane, run, node);
        s_send (self, worker_index, run_index, node, steps, estimate_ns, is_alone);
        held_ns += estimate_ns;
        if (is_alone)
            break;
    }
}

/* Looks at what a lane's workers still have before them. Where they are very many what it was a
 * while ago is good enough: it is looked at again after so many steps that there are few looks for
 * each, or LOOK_NS_MAX. */
static void s_look_at_held (dw_scheduler_t *self, dw_lane_t *lane) {
    if (lane->workers_count > FEW && lane->looked &&
        (self->steps_count - lane->looked) * LOOKS < lane->workers_count &&
        self->now_ns - lane->looked_ns < LOOK_NS_MAX)
        return;
    lane->held_ns = lane->sharers = 0;
    lane->looked = self->steps_count;
    lane->looked_ns = self->now_ns;
    for (uint32_t i = lane->end; i-- > 0;) {
        if (lane->workers[i] == DW_NONE)
            continue;
        const dw_worker_state_t *worker = &self->workers[lane->workers[i]];
        lane->held_ns += s_remaining_ns (self, worker);
        lane->sharers += !worker->suspect;
    }
}

/* A worker's share of a lane's work, in ns: of what is ready and what its actors still have before
 * them. Suspects have no share. Worked out once in a step. */
static uint64_t s_share_ns (dw_scheduler_t *self, dw_lane_t *lane) {
    if (lane->shared == self->steps_count)
        return lane->share_ns;
    s_look_at_held (self, lane);
    uint64_t work_ns = lane->ready_count * lane->mean_ns + lane->held_ns;
    uint32_t sharers = lane->sharers;
    if (sharers > self->concurrency_max)
        sharers = self->concurrency_max;
    lane->share_ns = sharers > 1 ? work_ns / sharers
                                 : work_ns + DW_MESSAGE_NS; /* one has all of it */
    lane->shared = self->steps_count;
    return lane->share_ns;
}

/* A worker's share of the work of all its lanes; share_ns is that of the one lane that most of them
 * have. */
static uint64_t s_worker_share_ns (dw_scheduler_t *self, const dw_worker_state_t *worker,
                                   uint64_t share_ns) {
    if (!worker->several)
        return share_ns;
    share_ns = 0;
    for (uint32_t lane = worker->lane; lane != DW_NONE;
         lane = dw_scheduler_lane_behind (worker, lane))
        if (self->lanes[lane].ready_count > 0)
            share_ns += s_share_ns (self, &self->lanes[lane]);
    return share_ns;
}

/* Wakes a lane's sleeping actors for ready tasks. While the coordinator's thread is to take the
 * next one, one of those that may work at one time is that thread. */
static void s_wake_actors (dw_scheduler_t *self, uint32_t lane_index, uint64_t share_ns) {
    dw_lane_t *lane = &self->lanes[lane_index];
    uint32_t w, at = 0;
    while (lane->ready_count > 0 && (w = dw_scheduler_next_idle (lane, &at)) != DW_NONE) {
        const dw_worker_state_t *worker = &self->workers[w];
        if (worker->local)
            continue;
        bool is_own_next = s_is_own_next (self, lane_index);
        if (self->active_count + is_own_next >= self->concurrency_max ||
            (is_own_next && s_is_left_to_own (lane)))
            return;
        s_fill (self, w, lane_index, s_worker_share_ns (self, worker, share_ns));
    }
}

/* Whether a worker may be given more before it is through with what it has. */
static bool s_may_have_more (const dw_scheduler_t *self, const dw_worker_state_t *worker) {
    bool is_late = dw_scheduler_has_company (self, worker) &&
                   self->now_ns >= dw_scheduler_late_ns (self, worker);
    return !worker->local && worker->held > 0 && !worker->suspect && !is_late &&
           !dw_scheduler_task (worker, worker->first)->is_alone &&
           worker->filled != (uint32_t) self->steps_count;
}

/* Gives actors that are through with half of what they may hold the next message. Not those that
 * are late. Of very many only those that have just answered are looked at: the others have what
 * they had. */
static void s_refill_actors (dw_scheduler_t *self, uint32_t lane_index, uint64_t share_ns) {
    dw_lane_t *lane = &self->lanes[lane_index];
    bool are_many = lane->workers_count > FEW;
    const uint32_t *workers = are_many ? self->answered : lane->workers;
    for (uint32_t i = are_many ? self->answered_count : lane->end;
         i-- > 0 && lane->ready_count > 0;) {
        if (workers[i] == DW_NONE)
            continue;
        const dw_worker_state_t *worker = &self->workers[workers[i]];
        if (!s_may_have_more (self, worker) || !dw_scheduler_serves (worker, lane_index))
            continue;
        uint64_t own_share_ns = s_worker_share_ns (self, worker, share_ns);
        if (s_remaining_ns (self, worker) > s_low_ns (self, own_share_ns, lane->mean_ns))
            continue;
        if (s_is_own_next (self, lane_index) && s_is_left_to_own (lane))
            return;
        s_fill (self, workers[i], lane_index, own_share_ns);
    }
}

/* Those that would idle come first. */
static void s_dispatch_lane (dw_scheduler_t *self, uint32_t lane_index) {
    uint64_t share_ns = s_share_ns (self, &self->lanes[lane_index]);
    s_wake_actors (self, lane_index, share_ns);
    s_refill_actors (self, lane_index, share_ns);
    s_wake_actors (self, lane_index, share_ns); /* when others have got what was to be own work */
}

/* Whether somebody who serves a lane idles only because as many work already as may at one time. */
static bool s_is_held_back (const dw_scheduler_t *self, const dw_lane_t *lane) {
    if (lane->ready_count == 0 || self->active_count < self->concurrency_max)
        return false;
    return dw_bits_next (&lane->idle, 0) != UINT32_MAX;
}

/* Where nodes make demands lanes share workers, and places of concurrency: the lane whose first
 * task goes before the others' comes first, and while it is held back those behind it are given
 * nothing more. */
static void s_dispatch_by_urgency (dw_scheduler_t *self) {
    assert (self->plan->lanes_count > 0);
    uint64_t left = UINT64_MAX >> (64 - self->plan->lanes_count);
    for (uint32_t lane; (lane = s_most_urgent (self, left)) != DW_NONE;) {
        left &= ~(UINT64_C (1) << lane);
        s_dispatch_lane (self, lane);
        if (s_is_held_back (self, &self->lanes[lane]))
            return;
    }
    /* Who serves several lanes may have got what was left to the coordinator's thread: the rest
     * there is for others. */
    if (self->local_worker != DW_NONE) {
        uint32_t own = self->workers[self->local_worker].lane;
        s_wake_actors (self, own, s_share_ns (self, &self->lanes[own]));
    }
}

/* What is ready in lanes that nobody serves fails, which may make more ready. */
static void s_fail_unserved (dw_scheduler_t *self) {
    for (bool any = true; any && !self->no_memory;) {
        any = false;
        for (uint32_t lane_index = 0; lane_index < self->plan->lanes_count; lane_index++) {
            dw_lane_t *lane = &self->lanes[lane_index];
            while (dw_scheduler_is_unserved (self, lane_index) && lane->ready_count > 0 &&
                   !self->no_memory) {
                uint32_t run = dw_scheduler_lane_first (self, lane);
                uint32_t node = dw_scheduler_first_ready (self, lane_index);
                dw_scheduler_unready (self, lane, &self->runs[run], node);
                dw_scheduler_node_unserved (self, run, node);
                any = true;
            }
        }
    }
}

void dw_scheduler_dispatch (dw_scheduler_t *self) {
    if (self->unserved)
        s_fail_unserved (self);
    if (self->plan->demands) {
        s_dispatch_by_urgency (self);
        return;
    }
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

/* ---- For how long the shell may leave it at that ---------------------------------------------- */

/* How much work the one of a pool's actors still has that has least; 0: one idles that could be
 * given work, or will when it is through with the one task that it has. Of very many one always is,
 * and they are not looked at. */
static uint64_t s_least_ns (const dw_scheduler_t *self) {
    uint64_t least_ns = UINT64_MAX;
    if (self->active_count + dw_scheduler_has_own (self) < self->concurrency_max ||
        self->lanes[0].workers_count > FEW)
        return 0;
    for (uint32_t i = self->lanes[0].end; i-- > 0 && least_ns > 0;) {
        if (self->lanes[0].workers[i] == DW_NONE)
            continue;
        const dw_worker_state_t *worker = &self->workers[self->lanes[0].workers[i]];
        if (worker->local || worker->held == 0)
            continue;
        uint64_t remaining_ns = worker->held < 2 ? 0 : s_remaining_ns (self, worker);
        if (remaining_ns < least_ns)
            least_ns = remaining_ns;
    }
    return least_ns;
}

int64_t dw_scheduler_calm_ns (const dw_scheduler_t *self) {
    if (!self->plan->pool || self->plan->demands || self->ready_count == 0 ||
        dw_scheduler_has_own (self))
        return 0;
    uint64_t calm_ns = s_least_ns (self) / 3; /* as times vary */
    if (calm_ns > CALM_NS_MAX)
        calm_ns = CALM_NS_MAX;
    return calm_ns < CALM_NS_MIN ? 0 : (int64_t) calm_ns;
}

int64_t dw_scheduler_stretch_ns (const dw_scheduler_t *self) {
    uint64_t mean_ns = self->lanes[0].mean_ns;
    if (self->plan->demands) /* others may wait for it whatever lane 0 is at */
        return STRETCH_NS;
    uint64_t stretch_ns = mean_ns > 0 && mean_ns < HANDOVER_NS ? STRETCH_NS_MAX
                                                               : s_least_ns (self) / 3;
    return stretch_ns < STRETCH_NS       ? STRETCH_NS
           : stretch_ns > STRETCH_NS_MAX ? STRETCH_NS_MAX
                                         : (int64_t) stretch_ns;
}
