/* scheduler.c - what runs next: events in, commands out.
 *
 * In reading order: the parts (workers, lanes), small helpers, how a node gets ready, how a run
 * ends, what an answer does, what time does, how ready tasks are given to workers, the step. */

#include "runtime/core/scheduler.h"

#include "runtime/core/run.h"
#include "runtime/core/timers.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

/* How much work, by measured time, travels at a time. A wake-up costs some 50 us on the machines
 * that this was measured on, so a message is worth as much; a worker gets its next message while it
 * is busy with half of one. The coordinator's own thread works in stretches that keep its sockets
 * waiting for no longer than a fifth of that. docs/DECISIONS.md has the measurements. */
#define MESSAGE_NS   50000u
#define STRETCH_NS   10000u
#define WAKE_NS      5000u   /* less work than this is not worth waking anybody */
#define BRIEF_NS_MAX 200000u /* two calls in a row that take longer end a processor's being brief */
#define HANDOVER_NS  400u    /* what it costs to have a task run by an actor */
#define LATE_NS      1000000 /* what waits behind a task for longer goes to somebody else */
#define GRACE_NS     100000000 /* default of dw_scheduler_options_t */
#define DEATHS_MAX   3         /* workers that one node may take down */
#define TASKS_MAX    65536u    /* upper bound of a worker's credit */

/* A task that a worker holds: steps nodes along a chain from node on. */
typedef struct s_task_t {
    uint32_t run; /* DW_NONE: nobody waits for its answer any more */
    uint32_t node;
    uint32_t steps;
    uint32_t estimate_ns;
} s_task_t;

typedef struct s_worker_t {
    bool present, local;
    bool suspect; /* its first task was given up, or is late: nothing new until it has answered */
    bool emptied; /* all behind its first task was given up, too */
    int64_t timer_ns; /* its timer in the heap that counts; INT64_MAX: none */
    uint32_t lane;
    uint32_t next_in_lane;
    uint32_t credit;
    s_task_t *tasks;      /* a ring, by ticket */
    uint32_t tasks_size;  /* a power of two */
    uint64_t first, next; /* tickets: unanswered are [first, next) */
    uint64_t estimate_ns; /* of all that it holds */
    uint64_t filled;      /* the step in which it was last given tasks */
    int64_t since_ns;     /* when the first unanswered task became that, or was given up */
} s_worker_t;

/* A run with ready nodes in a lane. The serial tells whether it is still that run. */
typedef struct s_entry_t {
    uint32_t run, serial;
} s_entry_t;

typedef struct s_lane_t {
    s_entry_t *entries; /* a ring of runs, first come first served */
    uint32_t entries_size, entries_head, entries_count;
    uint32_t ready_count; /* tasks, of all runs */
    uint32_t first_worker;
    uint32_t workers_count;
    uint64_t mean_ns; /* moving mean of a task's time; 0: none measured */
    bool is_pending;
} s_lane_t;

/* What is known of the nodes with one processor. */
typedef struct s_kind_t {
    uint64_t mean_ns; /* of one step; 0: none measured */
    uint64_t last_ns; /* measured last */
    bool is_slow;     /* not to be run by the coordinator's thread again */
} s_kind_t;

struct dw_scheduler_t {
    const dw_plan_t *plan;
    dw_scheduler_options_t options;
    dw_run_t *runs; /* as many places as were ever needed, doubled */
    uint32_t runs_size;
    dw_run_node_t *template;
    s_worker_t *workers;
    s_lane_t *lanes;
    s_kind_t *kinds;
    dw_timers_t timers;
    dw_bits_t pending;      /* lanes with ready tasks, by priority; ... */
    uint32_t *pending_ring; /* ... or in order of arrival (reactive); NULL: by priority */
    uint32_t pending_head, pending_count;
    void *pending_memory;
    bool has_retries;
    bool no_memory;        /* a queue could not grow */
    uint32_t local_worker; /* DW_NONE: none */
    uint32_t concurrency_max;
    uint32_t active_count; /* workers that hold tasks */
    uint32_t ready_count;
    uint32_t serial;
    int64_t now_ns;
    uint64_t steps_count;
    dw_commands_t *commands; /* of the step under way */
    dw_scheduler_counts_t counts;
};

/* ---- Parts ---------------------------------------------------------------------------------- */

/* Room for more commands; false: the step fails as a whole. */
static bool s_grow_commands (dw_scheduler_t *self) {
    dw_commands_t *commands = self->commands;
    size_t size = commands->size ? 2 * commands->size : 256;
    dw_command_t *items = realloc (commands->items, size * sizeof *items);
    if (!items) {
        self->no_memory = true;
        return false;
    }
    commands->items = items;
    commands->size = size;
    return true;
}

/* A new command, all zeros but its type; NULL: no memory. */
static inline dw_command_t *s_command (dw_scheduler_t *self, dw_command_type_t type) {
    dw_commands_t *commands = self->commands;
    if (commands->count == commands->size && !s_grow_commands (self))
        return NULL;
    dw_command_t *command = &commands->items[commands->count++];
    *command = (dw_command_t){.type = (uint8_t) type};
    return command;
}

static inline uint32_t s_unanswered (const s_worker_t *worker) {
    return (uint32_t) (worker->next - worker->first);
}

static inline s_task_t *s_task (const s_worker_t *worker, uint64_t ticket) {
    return &worker->tasks[ticket & (worker->tasks_size - 1)];
}

/* Makes room for one more task. */
static bool s_worker_grow (s_worker_t *worker) {
    uint32_t size = worker->tasks_size ? 2 * worker->tasks_size : 8;
    s_task_t *tasks = malloc (size * sizeof *tasks);
    if (!tasks)
        return false;
    for (uint64_t ticket = worker->first; ticket < worker->next; ticket++)
        tasks[ticket & (size - 1)] = *s_task (worker, ticket);
    free (worker->tasks);
    worker->tasks = tasks;
    worker->tasks_size = size;
    return true;
}

/* Whether an entry's run has not ended. */
static bool s_is_live (const dw_scheduler_t *self, s_entry_t entry) {
    const dw_run_t *run = &self->runs[entry.run];
    return run->life == DW_RUN_LIVE && run->serial == entry.serial;
}

/* Makes room in a full ring: drops the entries of runs that have ended; twice the size holds what
 * is left, so a ring is at most four times as large as the live runs ask for. */
static bool s_lane_grow (const dw_scheduler_t *self, s_lane_t *lane) {
    uint32_t live_count = 0;
    for (uint32_t i = 0; i < lane->entries_count; i++)
        live_count += s_is_live (self, lane->entries[i]);
    uint32_t size = lane->entries_size ? lane->entries_size : 8;
    if (2 * live_count > size)
        size *= 2;
    s_entry_t *entries = malloc (size * sizeof *entries);
    if (!entries)
        return false;
    live_count = 0;
    for (uint32_t i = 0; i < lane->entries_count; i++) {
        s_entry_t entry = lane->entries[(lane->entries_head + i) & (lane->entries_size - 1)];
        if (s_is_live (self, entry))
            entries[live_count++] = entry;
    }
    free (lane->entries);
    lane->entries = entries;
    lane->entries_size = size;
    lane->entries_head = 0;
    lane->entries_count = live_count;
    return true;
}

static void s_lane_append (dw_scheduler_t *self, s_lane_t *lane, uint32_t run) {
    if (lane->entries_count == lane->entries_size && !s_lane_grow (self, lane)) {
        self->no_memory = true;
        return;
    }
    uint32_t at = (lane->entries_head + lane->entries_count++) & (lane->entries_size - 1);
    lane->entries[at] = (s_entry_t){.run = run, .serial = self->runs[run].serial};
}

static void s_lane_drop_first (s_lane_t *lane) {
    lane->entries_head = (lane->entries_head + 1) & (lane->entries_size - 1);
    lane->entries_count--;
}

/* The first run in a lane that has ready tasks; entries of runs that have ended are dropped. */
static uint32_t s_lane_first (dw_scheduler_t *self, s_lane_t *lane) {
    for (;;) {
        assert (lane->entries_count > 0); /* ready_count said that there is one */
        s_entry_t entry = lane->entries[lane->entries_head];
        if (s_is_live (self, entry))
            return entry.run;
        s_lane_drop_first (lane);
    }
}

static void s_pending_add (dw_scheduler_t *self, uint32_t lane) {
    if (self->lanes[lane].is_pending)
        return;
    self->lanes[lane].is_pending = true;
    if (!self->pending_ring) {
        dw_bits_add (&self->pending, lane);
        return;
    }
    uint32_t at = self->pending_head + self->pending_count++;
    self->pending_ring[at < self->plan->lanes_count ? at : at - self->plan->lanes_count] = lane;
}

/* ---- A node gets ready ---------------------------------------------------------------------- */

static inline s_kind_t *s_kind (const dw_scheduler_t *self, uint32_t node) {
    return &self->kinds[self->plan->kind[node]];
}

static void s_make_ready (dw_scheduler_t *self, uint32_t run_index, uint32_t node) {
    dw_run_t *run = &self->runs[run_index];
    uint32_t lane_index = self->plan->lane[node];
    s_lane_t *lane = &self->lanes[lane_index];
    run->nodes[node].state = DW_STATE_READY;
    if (dw_ready_count (&run->ready, lane_index) == 0)
        s_lane_append (self, lane, run_index);
    dw_ready_push (&run->ready, node);
    lane->ready_count++;
    self->ready_count++;
    s_pending_add (self, lane_index);
}

/* All dependencies of node are final. Under the level strategy it may have to wait all the same. */
static void s_dependencies_met (dw_scheduler_t *self, uint32_t run_index, uint32_t node) {
    dw_run_t *run = &self->runs[run_index];
    if (run->nodes[node].state != DW_STATE_WAITING)
        return;
    if (run->rule)
        dw_run_set_rule (run, node);
    if (self->plan->strategy == DW_LEVEL && node >= self->plan->level_at[run->level + 1])
        return;
    s_make_ready (self, run_index, node);
}

/* Level strategy: while the open level has no unfinished node, opens the next. */
static void s_open_levels (dw_scheduler_t *self, uint32_t run_index) {
    const dw_plan_t *plan = self->plan;
    dw_run_t *run = &self->runs[run_index];
    while (run->level_unfinished_count == 0 && run->level + 1 < plan->levels_count) {
        run->level++;
        uint32_t begin = plan->level_at[run->level], end = plan->level_at[run->level + 1];
        for (uint32_t node = begin; node < end; node++)
            run->level_unfinished_count += !dw_run_is_final (&run->nodes[node]);
        for (uint32_t node = begin; node < end; node++)
            s_dependencies_met (self, run_index, node);
    }
}

/* Drops an output that is there and that nobody will read any more. */
static void s_drop_if_unread (dw_scheduler_t *self, uint32_t run_index, uint32_t node) {
    const dw_run_t *run = &self->runs[run_index];
    if (run->readers[node] || (run->nodes[node].wanted & DW_REQUESTED) ||
        run->nodes[node].state != DW_STATE_DONE)
        return;
    dw_command_t *command = s_command (self, DW_DROP_OUTPUT);
    if (!command)
        return;
    command->run = run_index;
    command->node = node;
}

/* One reader less of an output. */
static void s_unread (dw_scheduler_t *self, uint32_t run_index, uint32_t node) {
    self->runs[run_index].readers[node]--;
    s_drop_if_unread (self, run_index, node);
}

/* node has become final: what counts unfinished nodes counts it out. */
static void s_count_out (dw_scheduler_t *self, uint32_t run_index, uint32_t node) {
    const dw_plan_t *plan = self->plan;
    dw_run_t *run = &self->runs[run_index];
    run->unfinished_count--;
    if (plan->strategy == DW_LEVEL && node < plan->level_at[run->level + 1])
        run->level_unfinished_count--;
    if (!run->readers)
        return;
    s_drop_if_unread (self, run_index, node); /* its readers may all have been skipped */
    for (uint32_t e = plan->dependencies_at[node]; e < plan->dependencies_at[node + 1]; e++)
        s_unread (self, run_index, plan->dependencies[e]);
    if (plan->source[node] != DW_RUN_INPUT)
        s_unread (self, run_index, plan->source[node]);
}

/* Tells the dependents of a node that it is final. */
static void s_release_dependents (dw_scheduler_t *self, uint32_t run_index, uint32_t node) {
    const dw_plan_t *plan = self->plan;
    dw_run_node_t *nodes = self->runs[run_index].nodes;
    for (uint32_t e = plan->successors_at[node]; e < plan->successors_at[node + 1]; e++)
        if (--nodes[plan->successors[e]].waits_for == 0)
            s_dependencies_met (self, run_index, plan->successors[e]);
}

/* ---- A run ends ----------------------------------------------------------------------------- */

/* Gives up a task that a worker holds: its answer will be ignored, the worker is told, and has a
 * time of grace to get past it. */
static void s_give_up (dw_scheduler_t *self, uint32_t worker_index, uint64_t ticket);

/* Gives up what workers hold of a run. */
static void s_recall_run (dw_scheduler_t *self, uint32_t run_index) {
    dw_run_t *run = &self->runs[run_index];
    for (uint32_t w = 0; w < self->options.workers_max && run->sent_count > 0; w++) {
        s_worker_t *worker = &self->workers[w];
        for (uint64_t t = worker->first; t < worker->next && run->sent_count > 0; t++)
            if (s_task (worker, t)->run == run_index)
                s_give_up (self, w, t);
    }
}

static void s_finish (dw_scheduler_t *self, uint32_t run_index, dw_run_status_t status) {
    dw_run_t *run = &self->runs[run_index];
    assert (run->sent_count == 0);
    run->life = DW_RUN_ENDED;
    switch (status) {
        case DW_RUN_OK: self->counts.runs_ok++; break;
        case DW_RUN_PARTIAL: self->counts.runs_partial++; break;
        case DW_RUN_FAILED: self->counts.runs_failed++; break;
        case DW_RUN_CANCELLED: self->counts.runs_cancelled++; break;
    }
    dw_command_t *command = s_command (self, DW_FINISH_RUN);
    if (!command)
        return;
    command->run = run_index;
    command->status = (uint8_t) status;
}

/* Ends a run before its time: what a worker holds is cancelled, what waits becomes waiting_as. */
static void s_break_off (dw_scheduler_t *self, uint32_t run_index, dw_node_state_t waiting_as,
                         dw_run_status_t status) {
    dw_run_t *run = &self->runs[run_index];
    s_recall_run (self, run_index);
    for (uint32_t lane = 0; lane < self->plan->lanes_count; lane++) {
        self->lanes[lane].ready_count -= dw_ready_count (&run->ready, lane);
        self->ready_count -= dw_ready_count (&run->ready, lane);
    }
    for (uint32_t node = 0; node < self->plan->nodes_count; node++) {
        dw_run_node_t *state = &run->nodes[node];
        if (dw_run_is_final (state))
            continue;
        state->state = (uint8_t) (state->state == DW_STATE_SENT ? DW_STATE_CANCELLED : waiting_as);
        run->unfinished_count--;
    }
    assert (run->unfinished_count == 0);
    s_finish (self, run_index, status);
}

/* A run that has no unfinished node has come to its end. */
static void s_finish_if_over (dw_scheduler_t *self, uint32_t run_index) {
    dw_run_t *run = &self->runs[run_index];
    if (run->life != DW_RUN_LIVE || run->unfinished_count > 0)
        return;
    bool is_ok = run->not_done_count == 0;
    if (!is_ok && !run->keeps_all) { /* a node that nobody asked for may fail */
        is_ok = true;
        for (uint32_t node = 0; is_ok && node < self->plan->nodes_count; node++)
            is_ok = !(run->nodes[node].wanted & DW_REQUESTED) ||
                    run->nodes[node].state == DW_STATE_DONE;
    }
    s_finish (self, run_index, is_ok ? DW_RUN_OK : DW_RUN_PARTIAL);
}

typedef struct s_skip_t {
    dw_scheduler_t *self;
    uint32_t run;
} s_skip_t;

static void s_on_skipped (void *arg, uint32_t node) {
    const s_skip_t *skip = arg;
    s_count_out (skip->self, skip->run, node);
}

/* ---- What an attempt comes to --------------------------------------------------------------- */

/* steps nodes of a chain are done. Only the last one can have dependents outside of the chain. */
static void s_steps_done (dw_scheduler_t *self, uint32_t run_index, uint32_t node, uint32_t steps) {
    const dw_plan_t *plan = self->plan;
    dw_run_t *run = &self->runs[run_index];
    self->counts.steps_done += steps;
    run->not_done_count -= steps;
    for (;;) {
        if (run->nodes[node].state == DW_STATE_WAITING)
            run->nodes[node].attempts++; /* a later step of a chain */
        run->nodes[node].state = DW_STATE_DONE;
        s_count_out (self, run_index, node);
        if (--steps == 0)
            break;
        node = plan->chain_next[node];
        run->nodes[node].waits_for = 0;
        if (run->rule)
            dw_run_set_rule (run, node);
    }
    uint32_t next = plan->chain_next[node];
    if (next == DW_NONE)
        s_release_dependents (self, run_index, node);
    else { /* goes on in the same task, or its caller makes it ready */
        run->nodes[next].waits_for = 0;
        if (run->rule)
            dw_run_set_rule (run, next);
    }
    if (plan->strategy == DW_LEVEL)
        s_open_levels (self, run_index);
}

/* A hash of three numbers to 0..1 (the finaliser of splitmix64; Steele, Lea, Flood 2014). */
static double s_hash (uint64_t seed, uint64_t a, uint64_t b) {
    uint64_t x = seed ^ (a * UINT64_C (0x9e3779b97f4a7c15)) ^ (b * UINT64_C (0xd1b54a32d192ed03));
    x = (x ^ (x >> 30)) * UINT64_C (0xbf58476d1ce4e5b9);
    x = (x ^ (x >> 27)) * UINT64_C (0x94d049bb133111eb);
    x ^= x >> 31;
    return (double) (x >> 11) / 9007199254740992.0;
}

/* How long to wait before a retry: exponential backoff, each wait varied by the jitter. */
static int64_t s_backoff_ns (const dw_scheduler_t *self, const dw_run_t *run, uint32_t node) {
    const dw_backoff_t *backoff = &self->plan->policies[self->plan->policy[node]].backoff;
    double wait_us = (double) backoff->initial_us;
    for (unsigned i = 1; i < run->retries[node] && wait_us < (double) backoff->max_us; i++)
        wait_us *= backoff->factor;
    if (wait_us > (double) backoff->max_us)
        wait_us = (double) backoff->max_us;
    double unit = s_hash (self->options.seed, run->serial,
                          ((uint64_t) node << 16) | run->nodes[node].attempts);
    wait_us *= 1 + backoff->jitter * (2 * unit - 1);
    return (int64_t) (wait_us * 1000);
}

static void s_keep_error (dw_scheduler_t *self, uint32_t run, uint32_t node, uint16_t code,
                          uint32_t handle) {
    dw_command_t *command = s_command (self, DW_KEEP_ERROR);
    if (!command)
        return;
    command->run = run;
    command->node = node;
    command->code = code;
    command->handle = handle;
}

/* node has failed for good: the failure policy. */
static void s_node_failed (dw_scheduler_t *self, uint32_t run_index, uint32_t node) {
    dw_run_t *run = &self->runs[run_index];
    run->nodes[node].state = DW_STATE_FAILED;
    run->failed_count++;
    s_count_out (self, run_index, node);
    switch (self->plan->failure_strategy) {
        case DW_FAIL_FAST: s_break_off (self, run_index, DW_STATE_SKIPPED, DW_RUN_FAILED); return;
        case DW_CONTINUE_ON_ERROR: {
            s_skip_t skip = {.self = self, .run = run_index};
            dw_run_skip_dependents (run, node, s_on_skipped, &skip);
            break;
        }
        case DW_BEST_EFFORT: s_release_dependents (self, run_index, node); break;
    }
    if (self->plan->strategy == DW_LEVEL)
        s_open_levels (self, run_index);
    s_finish_if_over (self, run_index);
}

/* One attempt has failed: it is retried, or the node has failed. */
static void s_attempt_failed (dw_scheduler_t *self, uint32_t run_index, uint32_t node,
                              uint16_t code, uint32_t handle) {
    dw_run_t *run = &self->runs[run_index];
    self->counts.attempts_failed++;
    s_keep_error (self, run_index, node, code, handle);
    const dw_policy_t *policy = &self->plan->policies[self->plan->policy[node]];
    if (!run->retries || run->retries[node] >= policy->retry_attempts) {
        s_node_failed (self, run_index, node);
        return;
    }
    self->counts.retries++;
    run->retries[node]++;
    run->nodes[node].state = DW_STATE_BACKOFF;
    dw_timer_t timer = {.at_ns = self->now_ns + s_backoff_ns (self, run, node),
                        .worker = DW_NONE,
                        .run = run_index,
                        .serial = run->serial,
                        .node = node};
    self->no_memory |= !dw_timers_add (&self->timers, timer);
}

/* ---- What workers hold ---------------------------------------------------------------------- */

/* When the first task of a worker has to be looked at; INT64_MAX: never. */
static int64_t s_worker_deadline_ns (const dw_scheduler_t *self, const s_worker_t *worker) {
    if (!worker->present || worker->first == worker->next)
        return INT64_MAX;
    const s_task_t *task = s_task (worker, worker->first);
    int64_t after_ns = INT64_MAX;
    if (task->run == DW_NONE)
        after_ns = self->options.grace_ns;
    else if (self->plan->flags[task->node] & DW_NODE_TIMED)
        after_ns = self->plan->policies[self->plan->policy[task->node]].timeout_us * 1000;
    if (s_unanswered (worker) > 1 && !worker->emptied && !worker->local && after_ns > LATE_NS &&
        self->lanes[worker->lane].workers_count > 1)
        after_ns = LATE_NS;
    return after_ns == INT64_MAX ? INT64_MAX : worker->since_ns + after_ns;
}

/* Sees to it that a worker's deadline is in the heap. A timer that comes too early is put back, so
 * there is no timer a task however fast they go by; one that would come too late is replaced. */
static void s_watch (dw_scheduler_t *self, uint32_t worker_index) {
    s_worker_t *worker = &self->workers[worker_index];
    if (worker->local)
        return; /* nobody could look while it works, and it takes no timed node */
    int64_t deadline_ns = s_worker_deadline_ns (self, worker);
    if (deadline_ns >= worker->timer_ns)
        return;
    worker->timer_ns = deadline_ns;
    dw_timer_t timer = {.at_ns = deadline_ns, .worker = worker_index};
    self->no_memory |= !dw_timers_add (&self->timers, timer);
}

static void s_give_up (dw_scheduler_t *self, uint32_t worker_index, uint64_t ticket) {
    s_worker_t *worker = &self->workers[worker_index];
    s_task_t *task = s_task (worker, ticket);
    dw_run_t *run = &self->runs[task->run];
    /* Where the chain has got to is what runs; its state says so to whoever ends the run. */
    if (run->nodes[task->node].state == DW_STATE_WAITING)
        run->nodes[task->node].state = DW_STATE_SENT;
    run->sent_count--;
    task->run = DW_NONE;
    if (!worker->present)
        return; /* nobody is there to be told */
    dw_command_t *command = s_command (self, DW_CANCEL_TASK);
    if (!command)
        return;
    command->worker = worker_index;
    command->ticket = ticket;
    if (ticket == worker->first) {
        worker->suspect = true;
        worker->since_ns = self->now_ns;
        s_watch (self, worker_index);
    }
}

/* The node that a task was at goes back to the queue, as if it had never been sent. */
static void s_put_back (dw_scheduler_t *self, uint32_t run_index, uint32_t node) {
    dw_run_t *run = &self->runs[run_index];
    if (run->nodes[node].state == DW_STATE_SENT)
        run->nodes[node].attempts--;
    s_make_ready (self, run_index, node);
}

/* Takes back what a worker has not begun: all that is behind its first task. */
static void s_take_back (dw_scheduler_t *self, uint32_t worker_index) {
    s_worker_t *worker = &self->workers[worker_index];
    for (uint64_t ticket = worker->first + 1; ticket < worker->next; ticket++) {
        s_task_t task = *s_task (worker, ticket);
        if (task.run == DW_NONE)
            continue;
        s_give_up (self, worker_index, ticket);
        self->counts.returned++;
        s_put_back (self, task.run, task.node);
    }
    worker->suspect = worker->emptied = true;
}

/* Takes the first task of a worker out of its ring. */
static void s_pop_task (dw_scheduler_t *self, uint32_t worker_index) {
    s_worker_t *worker = &self->workers[worker_index];
    worker->estimate_ns -= s_task (worker, worker->first)->estimate_ns;
    worker->first++;
    worker->since_ns = self->now_ns;
    if (worker->first == worker->next) {
        worker->suspect = worker->emptied = false;
        worker->estimate_ns = 0;
        self->active_count--;
    } else
        s_watch (self, worker_index);
    if (self->lanes[worker->lane].ready_count)
        s_pending_add (self, worker->lane);
}

/* Empties a worker that is gone; what it held and somebody waits for is told to gone. */
static void s_forget_worker (dw_scheduler_t *self, uint32_t worker_index) {
    s_worker_t *worker = &self->workers[worker_index];
    if (worker->first != worker->next)
        self->active_count--;
    worker->first = worker->next;
    worker->estimate_ns = 0;
    worker->present = worker->suspect = worker->emptied = false;
    s_lane_t *lane = &self->lanes[worker->lane];
    uint32_t *link = &lane->first_worker;
    while (*link != worker_index)
        link = &self->workers[*link].next_in_lane;
    *link = worker->next_in_lane;
    lane->workers_count--;
    if (self->local_worker == worker_index)
        self->local_worker = DW_NONE;
}

/* ---- Events --------------------------------------------------------------------------------- */

/* Whether a run's ready nodes are taken in order of arrival. Hybrid decides by measured times: for
 * a lane of long tasks the order decides when the run ends, for a lane of short ones it only
 * scatters memory accesses. */
static bool s_is_in_order_of_arrival (const dw_scheduler_t *self) {
    switch (self->plan->strategy) {
        case DW_REACTIVE: return true;
        case DW_WORK_QUEUE:
        case DW_LEVEL: return false;
        case DW_HYBRID: break;
    }
    return self->plan->priority == DW_RANK && self->lanes[0].mean_ns < MESSAGE_NS;
}

/* Makes the place of a run exist. Most systems use few of the places that they may use. */
static bool s_grow_runs (dw_scheduler_t *self, uint32_t run) {
    uint32_t size = self->runs_size ? self->runs_size : 16;
    while (size <= run)
        size *= 2;
    dw_run_t *runs = realloc (self->runs, size * sizeof *runs);
    if (!runs)
        return false;
    memset (runs + self->runs_size, 0, (size - self->runs_size) * sizeof *runs);
    self->runs = runs;
    self->runs_size = size;
    return true;
}

static void s_on_run_submitted (dw_scheduler_t *self, const dw_event_t *event) {
    const dw_plan_t *plan = self->plan;
    assert (event->run < self->options.runs_max);
    if (event->run >= self->runs_size && !s_grow_runs (self, event->run)) {
        self->no_memory = true;
        return;
    }
    dw_run_t *run = &self->runs[event->run];
    assert (run->life == DW_RUN_FREE);
    self->counts.runs_submitted++;
    run->serial = ++self->serial;
    if (plan->nodes_count == 0) {
        run->plan = plan;
        run->unfinished_count = run->not_done_count = run->failed_count = run->sent_count = 0;
        run->life = DW_RUN_LIVE;
        s_finish (self, event->run, DW_RUN_OK);
        return;
    }
    if (dw_run_begin (run, plan, self->template, self->has_retries, s_is_in_order_of_arrival (self),
                      event->outputs, event->outputs_count)) {
        run->life = DW_RUN_LIVE;
        run->nodes = NULL; /* dw_scheduler_node_state says cancelled */
        run->plan = plan;
        run->sent_count = run->failed_count = 0;
        run->not_done_count = plan->nodes_count;
        s_finish (self, event->run, DW_RUN_FAILED);
        return;
    }
    uint32_t sources_end = plan->level_at[1];
    for (uint32_t node = 0; node < sources_end; node++) {
        run->level_unfinished_count += !dw_run_is_final (&run->nodes[node]);
        s_dependencies_met (self, event->run, node);
    }
    if (plan->strategy == DW_LEVEL)
        s_open_levels (self, event->run);
}

static void s_on_run_cancelled (dw_scheduler_t *self, const dw_event_t *event) {
    if (event->run < self->runs_size && self->runs[event->run].life == DW_RUN_LIVE)
        s_break_off (self, event->run, DW_STATE_CANCELLED, DW_RUN_CANCELLED);
}

static void s_on_worker_joined (dw_scheduler_t *self, const dw_event_t *event) {
    s_worker_t *worker = &self->workers[event->worker];
    s_lane_t *lane = &self->lanes[event->lane];
    assert (!worker->present && event->lane < self->plan->lanes_count);
    worker->present = true;
    worker->local = event->local;
    worker->suspect = false;
    worker->lane = event->lane;
    worker->credit = event->credit < 1 ? 1 : event->credit > TASKS_MAX ? TASKS_MAX : event->credit;
    worker->next_in_lane = lane->first_worker;
    lane->first_worker = event->worker;
    lane->workers_count++;
    if (event->local)
        self->local_worker = event->worker;
    if (lane->ready_count)
        s_pending_add (self, event->lane);
    for (uint32_t w = lane->first_worker; lane->workers_count == 2 && w != DW_NONE;
         w = self->workers[w].next_in_lane)
        s_watch (self, w); /* now there is somebody whom the other's late tasks can go to */
}

/* A death is counted against the node that the worker was on; what was behind it never began. */
static void s_on_worker_lost (dw_scheduler_t *self, const dw_event_t *event) {
    s_worker_t *worker = &self->workers[event->worker];
    if (!worker->present)
        return;
    s_task_t first = {.run = DW_NONE};
    worker->present = false;
    if (worker->first != worker->next) {
        s_take_back (self, event->worker);
        first = *s_task (worker, worker->first);
    }
    s_forget_worker (self, event->worker);
    if (first.run == DW_NONE)
        return;
    dw_run_t *run = &self->runs[first.run];
    run->sent_count--;
    self->counts.losses++;
    if (run->nodes[first.node].state == DW_STATE_WAITING)
        run->nodes[first.node].attempts++; /* a later step of a chain had begun */
    if (!run->deaths && !(run->deaths = calloc (self->plan->nodes_count, 1))) {
        self->no_memory = true;
        return;
    }
    if (++run->deaths[first.node] < DEATHS_MAX) {
        s_make_ready (self, first.run, first.node);
        return;
    }
    s_keep_error (self, first.run, first.node, 503, DW_NONE);
    s_node_failed (self, first.run, first.node);
}

/* The task that an answer is for: the first that its worker holds. NULL: a late, repeated or forged
 * answer, which is counted. */
static s_worker_t *s_answered (dw_scheduler_t *self, const dw_event_t *event) {
    s_worker_t *worker = &self->workers[event->worker];
    if (worker->present && worker->first != worker->next && event->ticket == worker->first)
        return worker;
    self->counts.answers_ignored++;
    return NULL;
}

/* Moves a mean an eighth of the way to a new value. What is far above it is mostly a thread that lost
 * its CPU for a while: it counts for four times the mean at most. */
static uint64_t s_moved (uint64_t mean_ns, uint64_t new_ns) {
    if (mean_ns == 0)
        return new_ns > 0 ? new_ns : 1;
    if (new_ns > 4 * mean_ns)
        new_ns = 4 * mean_ns;
    mean_ns = mean_ns - mean_ns / 8 + new_ns / 8;
    return mean_ns > 0 ? mean_ns : 1;
}

/* Learns from a measured time. Tasks that were timed together have one duration, which is one
 * measurement. */
static void s_learn (dw_scheduler_t *self, const s_worker_t *worker, uint32_t node, uint32_t steps,
                     uint64_t duration_ns) {
    s_kind_t *kind = s_kind (self, node);
    s_lane_t *lane = &self->lanes[worker->lane];
    if (duration_ns == kind->last_ns && kind->mean_ns > 0)
        return;
    bool was_slow = kind->last_ns > BRIEF_NS_MAX;
    kind->last_ns = duration_ns;
    kind->mean_ns = s_moved (kind->mean_ns, duration_ns);
    lane->mean_ns = s_moved (lane->mean_ns, duration_ns * steps);
    kind->is_slow |= worker->local && was_slow && duration_ns > BRIEF_NS_MAX;
}

static void s_on_task_done (dw_scheduler_t *self, const dw_event_t *event) {
    s_worker_t *worker = s_answered (self, event);
    if (!worker)
        return;
    s_task_t *task = s_task (worker, worker->first);
    if (task->run == DW_NONE) { /* nobody waits for it, but the worker is through with it */
        self->counts.answers_ignored++;
        if (event->last)
            s_pop_task (self, event->worker);
        return;
    }
    uint32_t run = task->run, node = task->node, steps = event->steps;
    if (steps < 1 || steps > task->steps) { /* an answer that makes no sense */
        self->runs[run].sent_count--;
        s_pop_task (self, event->worker);
        if (self->runs[run].nodes[node].state == DW_STATE_WAITING)
            self->runs[run].nodes[node].attempts++;
        s_attempt_failed (self, run, node, 502, DW_NONE);
        return;
    }
    s_learn (self, worker, node, steps, event->duration_ns);
    dw_command_t *command = s_command (self, DW_KEEP_OUTPUT);
    if (!command)
        return;
    command->run = run;
    command->node = node;
    command->steps = steps;
    command->attempt = self->runs[run].nodes[node].attempts;
    if (self->runs[run].nodes[node].state == DW_STATE_WAITING)
        command->attempt++; /* a later step of a chain, not counted yet */
    command->handle = event->handle;
    bool is_over = event->last || steps == task->steps;
    uint32_t next = node;
    for (uint32_t i = 0; i < steps; i++)
        next = self->plan->chain_next[next];
    if (is_over) {
        self->runs[run].sent_count--;
        s_pop_task (self, event->worker);
    } else {
        task->node = next;
        task->steps -= steps;
        worker->since_ns = self->now_ns;
    }
    s_steps_done (self, run, node, steps);
    if (is_over && next != DW_NONE && self->runs[run].nodes[next].wanted)
        s_make_ready (self, run, next); /* the rest of the chain: not sent, or given back */
    s_finish_if_over (self, run);
}

static void s_on_task_failed (dw_scheduler_t *self, const dw_event_t *event) {
    s_worker_t *worker = s_answered (self, event);
    if (!worker)
        return;
    s_task_t task = *s_task (worker, worker->first);
    s_pop_task (self, event->worker);
    if (task.run == DW_NONE) {
        self->counts.answers_ignored++;
        return;
    }
    dw_run_t *run = &self->runs[task.run];
    run->sent_count--;
    s_learn (self, worker, task.node, 1, event->duration_ns);
    if (run->nodes[task.node].state == DW_STATE_WAITING)
        run->nodes[task.node].attempts++; /* a later step of a chain */
    s_attempt_failed (self, task.run, task.node, event->code, event->handle);
}

static void s_on_task_returned (dw_scheduler_t *self, const dw_event_t *event) {
    s_worker_t *worker = s_answered (self, event);
    if (!worker)
        return;
    s_task_t task = *s_task (worker, worker->first);
    s_pop_task (self, event->worker);
    if (task.run == DW_NONE)
        return;
    self->runs[task.run].sent_count--;
    self->counts.returned++;
    s_put_back (self, task.run, task.node);
}

/* ---- Time ----------------------------------------------------------------------------------- */

/* A worker has not got past a task that was given up: it is stuck. */
static void s_replace_worker (dw_scheduler_t *self, uint32_t worker_index) {
    s_worker_t *worker = &self->workers[worker_index];
    uint32_t node = s_task (worker, worker->first)->node;
    self->counts.workers_replaced++;
    s_forget_worker (self, worker_index);
    dw_command_t *command = s_command (self, DW_REPLACE_WORKER);
    if (!command)
        return;
    command->worker = worker_index;
    command->node = node;
}

/* The first task of a worker takes its time. What the worker had not begun goes elsewhere at once;
 * when the time was all that the task had, the attempt has failed; when nobody waits for it any more,
 * the worker is stuck. */
static void s_on_worker_deadline (dw_scheduler_t *self, uint32_t worker_index) {
    s_worker_t *worker = &self->workers[worker_index];
    s_task_t task = *s_task (worker, worker->first);
    s_take_back (self, worker_index);
    if (s_worker_deadline_ns (self, worker) > self->now_ns)
        return;
    if (task.run == DW_NONE)
        s_replace_worker (self, worker_index);
    else {
        self->counts.timeouts++;
        s_give_up (self, worker_index, worker->first);
        s_attempt_failed (self, task.run, task.node, 408, DW_NONE);
    }
}

static void s_on_timer (dw_scheduler_t *self, const dw_timer_t *timer) {
    if (timer->worker == DW_NONE) {
        const dw_run_t *run = &self->runs[timer->run];
        if (run->life == DW_RUN_LIVE && run->serial == timer->serial)
            s_make_ready (self, timer->run, timer->node);
        return;
    }
    s_worker_t *worker = &self->workers[timer->worker];
    if (timer->at_ns != worker->timer_ns)
        return; /* an earlier one took its place */
    worker->timer_ns = INT64_MAX;
    if (s_worker_deadline_ns (self, worker) <= self->now_ns)
        s_on_worker_deadline (self, timer->worker);
    s_watch (self, timer->worker);
}

/* ---- Ready tasks are given to workers ------------------------------------------------------- */

static void s_send (dw_scheduler_t *self, uint32_t worker_index, uint32_t run_index, uint32_t node,
                    uint32_t steps, uint64_t estimate_ns) {
    s_worker_t *worker = &self->workers[worker_index];
    dw_run_t *run = &self->runs[run_index];
    if (s_unanswered (worker) == worker->tasks_size && !s_worker_grow (worker)) {
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
    dw_command_t *command = s_command (self, DW_SEND_TASK);
    if (!command)
        return;
    command->worker = worker_index;
    command->ticket = worker->next;
    command->run = run_index;
    command->node = node;
    command->steps = steps;
    command->source = dw_run_source (run, node);
    command->attempt = run->nodes[node].attempts;
    s_task_t *task = s_task (worker, worker->next++);
    task->run = run_index;
    task->node = node;
    task->steps = steps;
    task->estimate_ns = (uint32_t) (estimate_ns < UINT32_MAX ? estimate_ns : UINT32_MAX);
    worker->estimate_ns += task->estimate_ns;
    self->counts.tasks_sent++;
    if (s_unanswered (worker) <= 2)
        s_watch (self, worker_index);
}

static bool s_is_local_work (const dw_scheduler_t *self, uint32_t node) {
    return (self->plan->flags[node] & DW_NODE_BRIEF) && !s_kind (self, node)->is_slow;
}

/* How many of steps nodes along a chain the coordinator's thread may run in one stretch: those that
 * it may run at all, up to a stretch of work by measured time; an unmeasured one alone. */
static uint32_t s_local_steps (const dw_scheduler_t *self, uint32_t node, uint32_t steps) {
    uint64_t work_ns = 0;
    uint32_t count = 0;
    while (count < steps && s_is_local_work (self, node)) {
        uint64_t mean_ns = s_kind (self, node)->mean_ns;
        if (count > 0 && (mean_ns == 0 || work_ns + mean_ns > STRETCH_NS))
            break;
        count++;
        if (mean_ns == 0)
            break;
        work_ns += mean_ns;
        node = self->plan->chain_next[node];
    }
    return count;
}

/* Gives a worker up to tasks_max ready tasks of its lane, up to budget_ns of work by measured time.
 * A task whose processor was never measured travels alone. */
static void s_fill (dw_scheduler_t *self, uint32_t worker_index, uint32_t tasks_max,
                    uint64_t budget_ns) {
    s_worker_t *worker = &self->workers[worker_index];
    s_lane_t *lane = &self->lanes[worker->lane];
    worker->filled = self->steps_count;
    if (self->plan->batch_size && tasks_max > self->plan->batch_size)
        tasks_max = self->plan->batch_size;
    while (tasks_max-- > 0 && lane->ready_count > 0 && s_unanswered (worker) < worker->credit &&
           !self->no_memory) {
        uint32_t run_index = s_lane_first (self, lane);
        dw_run_t *run = &self->runs[run_index];
        uint32_t node = dw_ready_first (&run->ready, worker->lane);
        uint32_t steps = dw_run_steps (run, node);
        if (worker->local && (steps = s_local_steps (self, node, steps)) == 0)
            break;
        uint64_t estimate_ns = s_kind (self, node)->mean_ns * steps;
        bool is_first = worker->first == worker->next;
        if (!is_first && (estimate_ns == 0 || worker->estimate_ns + estimate_ns > budget_ns))
            break;
        dw_ready_take (&run->ready, worker->lane, node);
        if (dw_ready_count (&run->ready, worker->lane) == 0)
            s_lane_drop_first (lane);
        lane->ready_count--;
        self->ready_count--;
        /* Nothing is put behind a task of unknown length: it counts as a whole message. */
        s_send (self, worker_index, run_index, node, steps, estimate_ns ? estimate_ns : MESSAGE_NS);
        if (estimate_ns == 0)
            break;
    }
}

/* The node that is next in a lane that has ready ones. */
static uint32_t s_first_ready (dw_scheduler_t *self, uint32_t lane_index) {
    const dw_run_t *run = &self->runs[s_lane_first (self, &self->lanes[lane_index])];
    return dw_ready_first (&run->ready, lane_index);
}

/* Whether the coordinator's thread will run the first ready task of a lane itself. */
static bool s_is_local_next (dw_scheduler_t *self, uint32_t lane_index) {
    if (self->local_worker == DW_NONE)
        return false;
    const s_worker_t *local = &self->workers[self->local_worker];
    if (local->lane != lane_index || local->first != local->next)
        return false;
    return s_is_local_work (self, s_first_ready (self, lane_index));
}

/* Whether the first ready task of a lane is left to the coordinator's thread even while that is busy:
 * it will have run it in the time that sending it takes. */
static bool s_waits_for_local (dw_scheduler_t *self, uint32_t lane_index) {
    return self->local_worker != DW_NONE && self->lanes[lane_index].mean_ns < HANDOVER_NS &&
           self->workers[self->local_worker].lane == lane_index &&
           s_is_local_work (self, s_first_ready (self, lane_index));
}

/* Wakes a lane's sleeping actors for ready tasks. When the coordinator's thread is to run the next
 * one itself, one of those that may work at one time is that thread, and little work wakes nobody:
 * returns whether an actor was left asleep for one of these reasons. */
static bool s_wake_actors (dw_scheduler_t *self, uint32_t lane_index, uint32_t share,
                           bool is_local_next) {
    s_lane_t *lane = &self->lanes[lane_index];
    bool is_spared = false;
    for (uint32_t w = lane->first_worker; w != DW_NONE && lane->ready_count > 0;
         w = self->workers[w].next_in_lane) {
        const s_worker_t *worker = &self->workers[w];
        if (worker->local || worker->first != worker->next ||
            self->active_count >= self->concurrency_max)
            continue;
        if (s_waits_for_local (self, lane_index) ||
            (is_local_next && (self->active_count + 1 >= self->concurrency_max ||
                               lane->ready_count * lane->mean_ns < STRETCH_NS + WAKE_NS)))
            is_spared = true;
        else
            s_fill (self, w, share, MESSAGE_NS);
    }
    return is_spared;
}

/* Gives the coordinator's thread, when it holds nothing, a stretch of what it may run. */
static void s_fill_local (dw_scheduler_t *self, uint32_t lane_index, uint32_t share) {
    if (self->lanes[lane_index].ready_count > 0 && self->active_count < self->concurrency_max &&
        s_is_local_next (self, lane_index))
        s_fill (self, self->local_worker, share, STRETCH_NS);
}

/* Gives actors that are through with half of their message the next one; not those that are late,
 * and nothing that the coordinator's thread would have run in the time that sending it takes. */
static void s_refill_actors (dw_scheduler_t *self, uint32_t lane_index, uint32_t share) {
    s_lane_t *lane = &self->lanes[lane_index];
    if (lane->ready_count == 0 || s_waits_for_local (self, lane_index))
        return;
    for (uint32_t w = lane->first_worker; w != DW_NONE && lane->ready_count > 0;
         w = self->workers[w].next_in_lane) {
        const s_worker_t *worker = &self->workers[w];
        bool is_late = lane->workers_count > 1 && self->now_ns - worker->since_ns >= LATE_NS;
        if (!worker->local && worker->first != worker->next && !worker->suspect && !is_late &&
            worker->filled != self->steps_count && 2 * worker->estimate_ns <= MESSAGE_NS)
            s_fill (self, w, share, MESSAGE_NS);
    }
}

/* Those that would idle come first. */
static void s_dispatch_lane (dw_scheduler_t *self, uint32_t lane_index) {
    s_lane_t *lane = &self->lanes[lane_index];
    uint32_t sharers = lane->workers_count < self->concurrency_max ? lane->workers_count
                                                                   : self->concurrency_max;
    uint32_t share = sharers > 1 ? (lane->ready_count + sharers - 1) / sharers : lane->ready_count;
    bool is_spared = s_wake_actors (self, lane_index, share, s_is_local_next (self, lane_index));
    s_fill_local (self, lane_index, self->active_count ? share : lane->ready_count);
    if (is_spared && lane->ready_count > 0 &&
        !s_is_local_work (self, s_first_ready (self, lane_index))) {
        s_wake_actors (self, lane_index, share, false);
        s_fill_local (self, lane_index, share);
    }
    s_refill_actors (self, lane_index, share);
    s_fill_local (self, lane_index, share); /* if only now it is its turn */
}

static void s_dispatch (dw_scheduler_t *self) {
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
            s_pending_add (self, lane);
    }
}

/* ---- The step ------------------------------------------------------------------------------- */

static void s_on_event (dw_scheduler_t *self, const dw_event_t *event) {
    switch ((dw_event_type_t) event->type) {
        case DW_EVENT_RUN_SUBMITTED: s_on_run_submitted (self, event); break;
        case DW_EVENT_RUN_CANCELLED: s_on_run_cancelled (self, event); break;
        case DW_EVENT_WORKER_JOINED: s_on_worker_joined (self, event); break;
        case DW_EVENT_WORKER_LOST: s_on_worker_lost (self, event); break;
        case DW_EVENT_TASK_DONE: s_on_task_done (self, event); break;
        case DW_EVENT_TASK_FAILED: s_on_task_failed (self, event); break;
        case DW_EVENT_TASK_RETURNED: s_on_task_returned (self, event); break;
    }
}

int dw_scheduler_step (dw_scheduler_t *self, int64_t now_ns, const dw_event_t *events,
                       size_t events_count, dw_commands_t *commands) {
    assert (now_ns >= self->now_ns);
    self->now_ns = now_ns;
    self->steps_count++;
    self->commands = commands;
    for (size_t i = 0; i < events_count && !self->no_memory; i++)
        s_on_event (self, &events[i]);
    while (!self->no_memory && dw_timers_next_ns (&self->timers) <= now_ns) {
        dw_timer_t timer = dw_timers_take (&self->timers);
        s_on_timer (self, &timer);
    }
    if (!self->no_memory && self->ready_count > 0)
        s_dispatch (self);
    self->commands = NULL;
    return self->no_memory ? DW_ENOMEM : DW_OK;
}

int64_t dw_scheduler_deadline_ns (const dw_scheduler_t *self) {
    return dw_timers_next_ns (&self->timers);
}

/* ---- Made and asked ------------------------------------------------------------------------- */

static void s_make_template (dw_scheduler_t *self) {
    const dw_plan_t *plan = self->plan;
    for (uint32_t node = 0; node < plan->nodes_count; node++)
        self->template[node] = (dw_run_node_t){
            .waits_for = plan->dependencies_count[node],
            .state = DW_STATE_WAITING,
            .wanted = DW_WANTED | DW_REQUESTED,
        };
    for (uint32_t p = 0; p < plan->policies_count; p++)
        self->has_retries |= plan->policies[p].retry_attempts > 0;
}

static bool s_allocate (dw_scheduler_t *self) {
    const dw_plan_t *plan = self->plan;
    size_t lanes_size = plan->lanes_count * sizeof *self->lanes;
    self->workers = calloc (self->options.workers_max + 1u, sizeof *self->workers);
    self->template = calloc (plan->nodes_count + 1u, sizeof *self->template);
    self->lanes = calloc (1, lanes_size + sizeof *self->lanes);
    self->kinds = calloc (plan->kinds_count + 1u, sizeof *self->kinds);
    bool in_order = plan->strategy == DW_REACTIVE;
    self->pending_memory = calloc (
        1,
        (in_order ? plan->lanes_count * sizeof (uint32_t) : dw_bits_size (plan->lanes_count)) + 8);
    if (!self->workers || !self->template || !self->lanes || !self->kinds || !self->pending_memory)
        return false;
    if (in_order)
        self->pending_ring = self->pending_memory;
    else
        dw_bits_init (&self->pending, plan->lanes_count, self->pending_memory);
    return true;
}

int dw_scheduler_new (dw_scheduler_t **self_p, const dw_plan_t *plan,
                      const dw_scheduler_options_t *options) {
    dw_scheduler_t *self = calloc (1, sizeof *self);
    if (!self)
        return DW_ENOMEM;
    self->plan = plan;
    self->options = *options;
    self->local_worker = DW_NONE;
    if (self->options.grace_ns == 0)
        self->options.grace_ns = GRACE_NS;
    if (!s_allocate (self)) {
        dw_scheduler_destroy (&self);
        return DW_ENOMEM;
    }
    self->concurrency_max = plan->max_concurrency;
    if (plan->pool && plan->workers_count < self->concurrency_max)
        self->concurrency_max = plan->workers_count;
    for (uint32_t lane = 0; lane < plan->lanes_count; lane++)
        self->lanes[lane].first_worker = DW_NONE;
    for (uint32_t w = 0; w < options->workers_max; w++)
        self->workers[w].timer_ns = INT64_MAX;
    s_make_template (self);
    *self_p = self;
    return DW_OK;
}

void dw_scheduler_destroy (dw_scheduler_t **self_p) {
    dw_scheduler_t *self = *self_p;
    if (!self)
        return;
    for (uint32_t run = 0; run < self->runs_size; run++)
        dw_run_destroy (&self->runs[run]);
    for (uint32_t w = 0; self->workers && w < self->options.workers_max; w++)
        free (self->workers[w].tasks);
    for (uint32_t lane = 0; self->lanes && lane < self->plan->lanes_count; lane++)
        free (self->lanes[lane].entries);
    free (self->runs);
    free (self->workers);
    free (self->template);
    free (self->lanes);
    free (self->kinds);
    free (self->timers.items);
    free (self->pending_memory);
    free (self);
    *self_p = NULL;
}

dw_node_state_t dw_scheduler_node_state (const dw_scheduler_t *self, uint32_t run, uint32_t node) {
    const dw_run_t *state = &self->runs[run];
    return state->nodes ? (dw_node_state_t) state->nodes[node].state : DW_STATE_CANCELLED;
}

unsigned dw_scheduler_node_attempts (const dw_scheduler_t *self, uint32_t run, uint32_t node) {
    return self->runs[run].nodes ? self->runs[run].nodes[node].attempts : 0;
}

bool dw_scheduler_node_requested (const dw_scheduler_t *self, uint32_t run, uint32_t node) {
    const dw_run_t *state = &self->runs[run];
    return !state->nodes || (state->nodes[node].wanted & DW_REQUESTED);
}

uint32_t dw_scheduler_not_done_count (const dw_scheduler_t *self, uint32_t run) {
    const dw_run_t *state = &self->runs[run];
    return state->keeps_all ? state->not_done_count : self->plan->nodes_count;
}

int dw_scheduler_causes (const dw_scheduler_t *self, uint32_t run,
                         void (*tell) (void *arg, uint32_t node, const uint32_t *causes,
                                       uint32_t causes_count),
                         void *arg) {
    return dw_run_causes (&self->runs[run], tell, arg);
}

void dw_scheduler_forget (dw_scheduler_t *self, uint32_t run) {
    assert (self->runs[run].life == DW_RUN_ENDED);
    dw_run_forget (&self->runs[run]);
}

dw_scheduler_counts_t dw_scheduler_counts (const dw_scheduler_t *self) {
    return self->counts;
}

uint32_t dw_scheduler_unanswered_count (const dw_scheduler_t *self, uint32_t worker) {
    return s_unanswered (&self->workers[worker]);
}

uint32_t dw_scheduler_ready_count (const dw_scheduler_t *self) {
    return self->ready_count;
}

uint32_t dw_scheduler_worker_node (const dw_scheduler_t *self, uint32_t worker, uint32_t *run_p) {
    const s_worker_t *held = &self->workers[worker];
    if (held->first == held->next)
        return DW_NONE;
    *run_p = s_task (held, held->first)->run;
    return s_task (held, held->first)->node;
}
