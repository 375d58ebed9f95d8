/* why.c - one run of a recording, explained: what is kept of it while it is replayed. */

#include "runtime/why.h"

#include <stdlib.h>
#include <string.h>

/* ---- Made ------------------------------------------------------------------------------------- */

int dw_why_begin (dw_why_t *self, const dw_replay_t *replay, uint64_t run) {
    const dw_plan_t *plan = dw_replay_plan (replay);
    *self = (dw_why_t){.plan = plan, .scheduler = dw_replay_scheduler (replay), .run = run};
    self->threads_max = plan->max_concurrency;
    if (plan->pool && !dw_replay_header (replay)->options.is_open &&
        plan->workers_count < self->threads_max)
        self->threads_max = plan->workers_count; /* as the scheduler does */
    self->nodes = calloc (plan->nodes_count + 1u, sizeof *self->nodes);
    self->level_last = calloc (plan->levels_count + 1u, sizeof *self->level_last);
    if (!self->nodes || !self->level_last) {
        dw_why_free (self);
        return DW_ENOMEM;
    }
    for (uint32_t node = 0; node < plan->nodes_count; node++)
        self->nodes[node] = (dw_why_node_t){.first = DW_NONE,
                                            .last = DW_NONE,
                                            .released_by = DW_NONE,
                                            .cut_with = DW_NONE,
                                            .cut_mark = DW_NONE,
                                            .final_ns = -1,
                                            .again_ns = -1};
    for (uint32_t level = 0; level < plan->levels_count; level++)
        self->level_last[level] = DW_NONE;
    return DW_OK;
}

void dw_why_free (dw_why_t *self) {
    free (self->nodes);
    free (self->attempts);
    free (self->causes);
    free (self->free_ns);
    for (uint32_t worker = 0; worker < self->places_size; worker++)
        free (self->places[worker]);
    free (self->places);
    free (self->level_last);
    free (self->touched);
    memset (self, 0, sizeof *self);
}

/* Room for one more item; on failure the whole is not to be believed. */
static bool s_grow (dw_why_t *self, void **items_p, uint32_t *size_p, uint32_t count,
                    size_t item_size) {
    if (count < *size_p)
        return true;
    uint32_t size = *size_p ? 2 * *size_p : 64;
    while (size <= count && size < UINT32_MAX / 2)
        size *= 2;
    void *items = realloc (*items_p, size * item_size);
    if (!items) {
        self->no_memory = true;
        return false;
    }
    *items_p = items;
    memset ((char *) items + *size_p * item_size, 0, (size - *size_p) * item_size);
    *size_p = size;
    return true;
}

static int64_t s_max (int64_t a, int64_t b) {
    return a > b ? a : b;
}

static int64_t s_min (int64_t a, int64_t b) {
    return a < b ? a : b;
}

/* A recording from elsewhere may say of own work that it took longer than there was time for. */
static int64_t s_now_ns (dw_why_t *self, const dw_moment_t *moment) {
    self->now_ns = s_max (self->now_ns, moment->time_ns);
    return self->now_ns;
}

/* ---- Nodes ------------------------------------------------------------------------------------ */

static uint32_t s_level (const dw_plan_t *plan, uint32_t node) {
    uint32_t low = 0, high = plan->levels_count;
    while (high - low > 1) {
        uint32_t middle = low + (high - low) / 2;
        if (plan->level_at[middle] <= node)
            low = middle;
        else
            high = middle;
    }
    return low;
}

/* One that did not run was waited for only as long as what it would have waited for itself. */
static void s_wait_for (const dw_why_t *self, dw_why_node_t *node, uint32_t other) {
    if (self->nodes[other].first == DW_NONE)
        other = self->nodes[other].released_by;
    if (other == DW_NONE || self->nodes[other].final_ns < node->ready_ns)
        return;
    node->ready_ns = self->nodes[other].final_ns;
    node->released_by = other;
}

/* Works out since when a node has been ready, or would have been. */
static void s_set_ready (dw_why_t *self, uint32_t index) {
    const dw_plan_t *plan = self->plan;
    dw_why_node_t *node = &self->nodes[index];
    node->ready_ns = self->submitted_ns;
    node->released_by = DW_NONE;
    for (uint32_t e = plan->dependencies_at[index]; e < plan->dependencies_at[index + 1]; e++)
        s_wait_for (self, node, plan->dependencies[e]);
    uint32_t level = s_level (plan, index);
    if (plan->strategy == DW_LEVEL && level > 0 && self->level_last[level - 1] != DW_NONE)
        s_wait_for (self, node, self->level_last[level - 1]);
}

static bool s_has_skipped (const dw_why_t *self, uint32_t index) {
    const dw_plan_t *plan = self->plan;
    for (uint32_t e = plan->dependencies_at[index]; e < plan->dependencies_at[index + 1]; e++)
        if (self->nodes[plan->dependencies[e]].first == DW_NONE)
            return true;
    return false;
}

/* Works out since when a node that is about to run has been ready, unless that is known; and
 * before, if it depends on what did not run, since when all of that would have been. */
static void s_release (dw_why_t *self, uint32_t index) {
    if (self->nodes[index].was_ready)
        return;
    self->nodes[index].was_ready = true;
    for (uint32_t other = 0; s_has_skipped (self, index) && other < index; other++)
        if (self->nodes[other].first == DW_NONE)
            s_set_ready (self, other);
    s_set_ready (self, index);
}

static void s_set_final (dw_why_t *self, uint32_t index, int64_t now_ns) {
    uint32_t level = s_level (self->plan, index), last = self->level_last[level];
    self->nodes[index].final_ns = now_ns;
    if (last == DW_NONE || self->nodes[last].final_ns <= now_ns)
        self->level_last[level] = index;
}

/* Looks at a node's state when the record is over. */
static void s_touch (dw_why_t *self, uint32_t node) {
    if (s_grow (self, (void **) &self->touched, &self->touched_size, self->touched_count,
                sizeof *self->touched))
        self->touched[self->touched_count++] = node;
}

/* ---- Attempts --------------------------------------------------------------------------------- */

/* A new attempt at node, from when it was ready on; NULL: no memory. */
static dw_attempt_t *s_begin (dw_why_t *self, uint32_t index, uint32_t head, uint32_t worker,
                              int64_t sent_ns) {
    dw_why_node_t *node = &self->nodes[index];
    if (!s_grow (self, (void **) &self->attempts, &self->attempts_size, self->attempts_count,
                 sizeof *self->attempts))
        return NULL;
    s_release (self, index);
    uint32_t at = self->attempts_count++;
    int64_t ready_ns = node->ready_ns;
    if (node->last != DW_NONE) { /* one that was put off is ready when its time has come */
        int64_t heard_ns = self->attempts[node->last].heard_ns;
        ready_ns = node->is_put_off ? sent_ns : node->again_ns >= 0 ? node->again_ns : heard_ns;
        ready_ns = s_max (ready_ns, heard_ns);
        self->attempts[node->last].next = at;
    } else
        node->first = at;
    node->last = at;
    node->is_put_off = false;
    node->again_ns = -1;
    self->attempts[at] = (dw_attempt_t){.node = index,
                                        .next = DW_NONE,
                                        .worker = worker,
                                        .head = head,
                                        .ready_ns = ready_ns,
                                        .sent_ns = s_max (sent_ns, ready_ns),
                                        .heard_ns = s_max (sent_ns, ready_ns)};
    return &self->attempts[at];
}

/* What has ended may be all that there will be of its node. */
static void s_end (dw_why_t *self, dw_attempt_t *attempt, dw_outcome_t outcome, uint16_t code,
                   int64_t begun_ns, int64_t ended_ns, int64_t heard_ns) {
    attempt->outcome = outcome;
    attempt->code = code;
    attempt->heard_ns = s_max (heard_ns, attempt->sent_ns);
    attempt->begun_ns = s_min (s_max (begun_ns, attempt->sent_ns), attempt->heard_ns);
    attempt->ended_ns = s_min (s_max (ended_ns, attempt->begun_ns), attempt->heard_ns);
    s_set_final (self, attempt->node, attempt->heard_ns);
}

/* The attempt at node that is under way; NULL: there is none. */
static dw_attempt_t *s_open (dw_why_t *self, uint32_t node) {
    uint32_t at = self->nodes[node].last;
    return at != DW_NONE && self->attempts[at].outcome == DW_OUTCOME_OPEN ? &self->attempts[at]
                                                                          : NULL;
}

/* The one under way, or, of a later step of a task, a new one that began when the step before
 * ended. */
static dw_attempt_t *s_attempt (dw_why_t *self, uint32_t node, uint32_t head, uint32_t worker,
                                int64_t sent_ns) {
    dw_attempt_t *attempt = s_open (self, node);
    return attempt ? attempt : s_begin (self, node, head, worker, sent_ns);
}

/* Whether a task is one of the run's own: what was added to it is told of by the node that it
 * is. */
static bool s_is_followed (const dw_why_t *self, const dw_sent_t *sent) {
    return sent->run == self->run && sent->run != 0 && sent->place == self->place;
}

/* ---- What workers answer ---------------------------------------------------------------------- */

static int64_t *s_free_ns (dw_why_t *self, uint32_t worker) {
    return s_grow (self, (void **) &self->free_ns, &self->free_size, worker, sizeof *self->free_ns)
               ? &self->free_ns[worker]
               : NULL;
}

/* An attempt that ran for duration_ns on a worker, after what that was at before. Of a run that is
 * not followed there is none, and the worker was busy all the same. */
static void s_ran (dw_why_t *self, dw_attempt_t *attempt, int64_t *free_ns, const dw_sent_t *sent,
                   uint64_t duration_ns, int64_t now_ns, dw_outcome_t outcome, uint16_t code,
                   bool is_last) {
    int64_t begun_ns = s_min (s_max (*free_ns, sent->sent_ns), now_ns);
    int64_t left_ns = now_ns - begun_ns;
    int64_t ended_ns = duration_ns < (uint64_t) left_ns ? begun_ns + (int64_t) duration_ns : now_ns;
    *free_ns = ended_ns;
    if (!attempt)
        return;
    s_end (self, attempt, outcome, code, begun_ns, ended_ns, is_last ? now_ns : ended_ns);
    *free_ns = attempt->ended_ns;
}

static void s_on_done (dw_why_t *self, const dw_event_t *event, const dw_sent_t *sent,
                       int64_t now_ns) {
    int64_t *free_ns = s_free_ns (self, event->worker);
    bool is_followed = s_is_followed (self, sent);
    uint32_t node = sent->node;
    if (!free_ns)
        return;
    for (uint32_t i = 0; i < event->steps && i < sent->steps + sent->cut; i++) {
        /* The next step of a task goes on without waiting for anybody to hear of this one. */
        bool is_last = i + 1 == event->steps && (event->last || event->steps == sent->steps);
        int64_t ready_ns = i ? *free_ns : sent->sent_ns;
        dw_attempt_t *attempt = is_followed
                                    ? s_attempt (self, node, sent->node, event->worker, ready_ns)
                                    : NULL;
        s_ran (self, attempt, free_ns, sent, event->duration_ns, now_ns, DW_OUTCOME_DONE, 0,
               is_last);
        node = is_followed ? self->plan->chain_next[node] : node;
    }
}

/* The step after those done has failed, or ended its branch (outcome). */
static void s_on_ended (dw_why_t *self, const dw_event_t *event, const dw_sent_t *sent,
                        dw_outcome_t outcome, uint16_t code, int64_t now_ns) {
    int64_t *free_ns = s_free_ns (self, event->worker);
    bool is_followed = s_is_followed (self, sent);
    if (!free_ns)
        return;
    dw_attempt_t *attempt = is_followed ? s_attempt (self, sent->node, sent->node, event->worker,
                                                     s_max (*free_ns, sent->sent_ns))
                                        : NULL;
    s_ran (self, attempt, free_ns, sent, event->duration_ns, now_ns, outcome, code, true);
    if (attempt)
        s_touch (self, sent->node);
}

/* Ends an attempt that was under way and came to nothing. */
static void s_break (dw_why_t *self, uint32_t node, dw_outcome_t outcome, int64_t now_ns) {
    dw_attempt_t *attempt = s_open (self, node);
    if (!attempt)
        return;
    int64_t begun_ns = now_ns;
    if (outcome != DW_OUTCOME_BACK && attempt->worker < self->free_size) {
        begun_ns = s_max (self->free_ns[attempt->worker], attempt->sent_ns);
        self->free_ns[attempt->worker] = now_ns; /* what was behind it had not begun */
    }
    s_end (self, attempt, outcome, 0, begun_ns, now_ns, now_ns);
    s_touch (self, node);
}

static void s_on_joined (dw_why_t *self, const dw_event_t *event, int64_t now_ns) {
    if (self->has_ended)
        return;
    if (++self->present > self->present_max)
        self->present_max = self->present;
    int64_t *free_ns = s_free_ns (self, event->worker);
    if (free_ns)
        *free_ns = now_ns;
}

/* What a worker held that is gone had not begun, unless it is said to be lost (s_on_death). */
static void s_on_lost (dw_why_t *self, uint32_t worker, int64_t now_ns) {
    self->present -= self->present > 0;
    for (uint32_t i = 0; i < self->attempts_count; i++) {
        const dw_attempt_t *attempt = &self->attempts[i];
        if (attempt->outcome == DW_OUTCOME_OPEN && attempt->worker == worker && !attempt->is_own)
            s_break (self, attempt->node, DW_OUTCOME_BACK, now_ns);
    }
    if (worker < self->free_size)
        self->free_ns[worker] = now_ns;
}

static void s_on_submitted (dw_why_t *self, const dw_event_t *event, int64_t now_ns) {
    self->was_submitted = true;
    self->place = event->run;
    self->submitted_ns = now_ns;
}

/* A node is cancelled with all that depends on it, dependencies having smaller indices. Of those
 * that are final the state says so. */
static void s_on_cut_off (dw_why_t *self, uint32_t node) {
    const dw_plan_t *plan = self->plan;
    if (node >= plan->nodes_count || self->nodes[node].cut_with == node)
        return;
    for (uint32_t other = node; other < plan->nodes_count; other++) {
        bool is_below = other == node;
        for (uint32_t e = plan->dependencies_at[other];
             !is_below && e < plan->dependencies_at[other + 1]; e++)
            is_below = self->nodes[plan->dependencies[e]].cut_mark == node;
        if (!is_below)
            continue;
        self->nodes[other].cut_mark = node;
        if (self->nodes[other].cut_with == DW_NONE)
            self->nodes[other].cut_with = node;
    }
}

static void s_on_event (void *arg, const dw_moment_t *moment, const dw_event_t *event, uint64_t run,
                        const dw_sent_t *sent) {
    dw_why_t *self = arg;
    int64_t now_ns = s_now_ns (self, moment);
    bool is_ours = run == self->run && run != 0;
    switch ((dw_event_type_t) event->type) {
        case DW_EVENT_RUN_SUBMITTED:
            if (is_ours)
                s_on_submitted (self, event, now_ns);
            return;
        case DW_EVENT_RUN_CANCELLED: self->was_cancelled |= is_ours; return;
        case DW_EVENT_NODE_CANCELLED:
            if (is_ours && !self->has_ended)
                s_on_cut_off (self, event->node);
            return;
        case DW_EVENT_WORKER_JOINED: s_on_joined (self, event, now_ns); return;
        case DW_EVENT_WORKER_LOST: s_on_lost (self, event->worker, now_ns); return;
        case DW_EVENT_TASK_DONE:
            if (event->steps >= 1 && event->steps <= sent->steps + sent->cut)
                s_on_done (self, event, sent, now_ns);
            else if (sent->steps)
                s_on_ended (self, event, sent, DW_OUTCOME_FAILED, 502, now_ns);
            return;
        case DW_EVENT_TASK_FAILED:
            if (sent->steps)
                s_on_ended (self, event, sent, DW_OUTCOME_FAILED, event->code, now_ns);
            return;
        case DW_EVENT_TASK_ADDED:
            if (sent->steps)
                s_on_ended (self, event, sent, DW_OUTCOME_ADDED, 0, now_ns);
            return;
        case DW_EVENT_TASK_SKIPPED:
            if (sent->steps && s_is_followed (self, sent) &&
                (self->plan->flags[sent->node] & DW_NODE_MAY_SKIP))
                s_on_ended (self, event, sent, DW_OUTCOME_SKIPPED, 0, now_ns);
            else if (sent->steps)
                s_on_ended (self, event, sent, DW_OUTCOME_FAILED, 502, now_ns);
            return;
        case DW_EVENT_TASK_RETURNED:
            if (s_is_followed (self, sent))
                s_break (self, sent->node, DW_OUTCOME_BACK, now_ns);
            return;
        case DW_EVENT_LANES_UNSERVED:  /* what it comes to is said by the errors that follow, */
        case DW_EVENT_BACKLOG: return; /* or by what is not taken back */
    }
}

/* ---- What the scheduler decides --------------------------------------------------------------- */

static void s_on_sent (dw_why_t *self, const dw_command_t *command, int64_t now_ns) {
    s_begin (self, command->node, command->node, command->worker, now_ns);
}

/* Given up: its time was over when an error 408 follows, which ends the attempt as such
 * (s_on_error). A later step of a task that had begun has an attempt of its own. */
static void s_on_given_up (dw_why_t *self, const dw_sent_t *sent, uint32_t worker, int64_t now_ns) {
    if (!s_open (self, sent->node) &&
        !s_begin (self, sent->node, sent->node, worker, sent->sent_ns))
        return;
    s_break (self, sent->node,
             self->nodes[sent->node].is_out_of_time ? DW_OUTCOME_TIMED_OUT : DW_OUTCOME_CANCELLED,
             now_ns);
}

/* A node may not become a graph after all: then it has failed. */
static void s_on_refused (dw_why_t *self, const dw_command_t *command) {
    uint32_t last = self->nodes[command->node].last;
    if (last == DW_NONE || self->attempts[last].outcome != DW_OUTCOME_ADDED ||
        self->attempts[last].is_graph)
        return;
    self->attempts[last].outcome = DW_OUTCOME_FAILED;
    self->attempts[last].code = command->code;
}

static void s_on_error (dw_why_t *self, const dw_command_t *command) {
    uint32_t last = self->nodes[command->node].last;
    s_on_refused (self, command);
    self->nodes[command->node].is_out_of_time |= command->of_run;
    self->nodes[command->node].is_unserved |= command->is_unserved;
    if (command->code != 408 || command->handle != DW_NONE || last == DW_NONE)
        return;
    if (self->attempts[last].outcome == DW_OUTCOME_CANCELLED) {
        self->attempts[last].outcome = DW_OUTCOME_TIMED_OUT;
        self->attempts[last].code = 408;
    }
}

static void s_on_death (dw_why_t *self, uint32_t node) {
    uint32_t last = self->nodes[node].last;
    if (last != DW_NONE && self->attempts[last].outcome == DW_OUTCOME_BACK)
        self->attempts[last].outcome = DW_OUTCOME_LOST;
}

static void s_on_graph (dw_why_t *self, uint32_t node) {
    uint32_t last = self->nodes[node].last;
    if (last != DW_NONE)
        self->attempts[last].is_graph = true;
}

/* What a node added has ended. */
static void s_on_graph_ended (dw_why_t *self, const dw_command_t *command, int64_t now_ns) {
    uint32_t last = self->nodes[command->node].last;
    if (last == DW_NONE || self->attempts[last].outcome != DW_OUTCOME_ADDED)
        return;
    dw_attempt_t *attempt = &self->attempts[last];
    attempt->added_ns = s_max (now_ns, attempt->heard_ns) - attempt->heard_ns;
    attempt->heard_ns += attempt->added_ns;
    s_set_final (self, command->node, attempt->heard_ns);
}

static void s_add_causes (void *arg, uint32_t node, const uint32_t *causes, uint32_t count) {
    dw_why_t *self = arg;
    self->nodes[node].causes_at = self->causes_count;
    for (uint32_t i = 0; i < count; i++) {
        if (!s_grow (self, (void **) &self->causes, &self->causes_size, self->causes_count,
                     sizeof *self->causes))
            return;
        self->causes[self->causes_count++] = causes[i];
        self->nodes[node].causes_count++;
    }
}

/* The scheduler has the last word on a node. An answer that came in the same step as a
 * cancellation, behind it, was told before that was seen: what it was for ran in vain. */
static void s_set_state (dw_why_t *self, uint32_t index, uint32_t place) {
    dw_why_node_t *node = &self->nodes[index];
    node->state = dw_scheduler_node_state (self->scheduler, place, index);
    if (node->state != DW_STATE_DONE && node->last != DW_NONE &&
        self->attempts[node->last].outcome == DW_OUTCOME_DONE)
        self->attempts[node->last].outcome = DW_OUTCOME_CANCELLED;
}

static void s_on_finished (dw_why_t *self, const dw_command_t *command, int64_t now_ns) {
    self->has_ended = true;
    self->ended_ns = now_ns;
    self->status = (dw_run_status_t) command->status;
    for (uint32_t index = 0; index < self->plan->nodes_count; index++) {
        s_set_state (self, index, command->run);
        dw_attempt_t *attempt = s_open (self, index);
        if (attempt)
            s_break (self, index, DW_OUTCOME_CANCELLED, now_ns);
    }
    if (dw_scheduler_causes (self->scheduler, command->run, s_add_causes, self))
        self->no_memory = true;
}

static void s_on_command (void *arg, const dw_moment_t *moment, const dw_command_t *command,
                          uint64_t run, const dw_sent_t *sent) {
    dw_why_t *self = arg;
    int64_t now_ns = s_now_ns (self, moment);
    if (command->type == DW_REPLACE_WORKER)
        self->present -= self->present > 0;
    if (run != self->run || run == 0 || self->has_ended)
        return;
    if (command->type == DW_CANCEL_TASK ? sent->place != self->place : command->run != self->place)
        return; /* of what was added to it */
    switch ((dw_command_type_t) command->type) {
        case DW_SEND_TASK: s_on_sent (self, command, now_ns); return;
        case DW_CANCEL_TASK:
            if (command->steps == 0 &&
                sent->steps > 0) /* else what it is at is wanted, or was cut off */
                s_on_given_up (self, sent, command->worker, now_ns);
            return;
        case DW_KEEP_ERROR: s_on_error (self, command); return;
        case DW_FINISH_RUN: s_on_finished (self, command, now_ns); return;
        case DW_KEEP_DEATH: s_on_death (self, command->node); return;
        case DW_BEGIN_ADDED: s_on_graph (self, command->node); return;
        case DW_END_ADDED: s_on_graph_ended (self, command, now_ns); return;
        case DW_KEEP_OUTPUT:
        case DW_DROP_OUTPUT:
        case DW_REPLACE_WORKER: return;
    }
}

/* Told before the worker joins, each time that one does. */
static void s_on_place (void *arg, const dw_moment_t *moment, uint32_t worker, const char *text,
                        size_t size) {
    dw_why_t *self = arg;
    (void) moment;
    if (self->has_ended ||
        !s_grow (self, (void **) &self->places, &self->places_size, worker, sizeof *self->places))
        return;
    free (self->places[worker]);
    self->places[worker] = strndup (text, size);
    self->no_memory |= !self->places[worker]; /* none would be a worker that is here */
}

/* ---- Own work --------------------------------------------------------------------------------- */

/* Its steps ran one after another, each as long as the others. */
static void s_on_own (void *arg, const dw_moment_t *moment, const dw_own_task_t *task, uint64_t run,
                      int64_t end_ns) {
    dw_why_t *self = arg;
    uint32_t node = task->node, ran = task->done + (task->code > 0 || task->is_skipped);
    int64_t begun_ns = s_now_ns (self, moment);
    self->now_ns = end_ns = s_max (end_ns, begun_ns);
    int64_t all_ns = end_ns - begun_ns;
    if (run != self->run || run == 0)
        return;
    for (uint32_t i = 0; i < ran; i++) {
        int64_t from_ns = begun_ns + (int64_t) ((double) all_ns * i / ran);
        int64_t to_ns = i + 1 == ran ? end_ns
                                     : begun_ns + (int64_t) ((double) all_ns * (i + 1) / ran);
        bool has_failed = i == task->done && !task->is_skipped;
        bool has_skipped = i == task->done && task->is_skipped;
        dw_attempt_t *attempt = s_begin (self, node, task->node, DW_NONE, from_ns);
        if (!attempt)
            return;
        attempt->is_own = true;
        s_end (self, attempt,
               has_failed    ? DW_OUTCOME_FAILED
               : has_skipped ? DW_OUTCOME_SKIPPED
                             : DW_OUTCOME_DONE,
               task->code * has_failed, from_ns, to_ns, to_ns);
        if (has_failed)
            s_touch (self, node);
        node = self->plan->chain_next[node];
    }
}

/* A node that failed may be put off; it is ready again when its time has come, which may be long
 * before a worker is free. */
static void s_on_over (void *arg, const dw_moment_t *moment, const dw_record_t *record) {
    dw_why_t *self = arg;
    uint32_t kept = 0;
    (void) record;
    for (uint32_t i = 0; i < self->touched_count && !self->has_ended; i++) {
        uint32_t index = self->touched[i];
        dw_why_node_t *node = &self->nodes[index];
        dw_node_state_t state = dw_scheduler_node_state (self->scheduler, self->place, index);
        if (state == DW_STATE_BACKOFF)
            self->touched[kept++] = index;
        else if (state == DW_STATE_READY && node->is_put_off)
            node->again_ns = s_now_ns (self, moment);
        node->is_put_off = state == DW_STATE_BACKOFF;
    }
    self->touched_count = kept;
    self->has_begun = self->was_submitted;
}

void dw_why_end (dw_why_t *self, int64_t now_ns) {
    if (self->has_ended || !self->was_submitted)
        return;
    now_ns = self->ended_ns = s_max (self->now_ns, now_ns);
    /* What a record tells of that cannot have happened has not come to the scheduler: every node
     * waits. */
    for (uint32_t index = 0; self->has_begun && index < self->plan->nodes_count; index++)
        s_set_state (self, index, self->place);
    for (uint32_t i = 0; i < self->attempts_count; i++) /* as they were sent */
        if (self->attempts[i].outcome == DW_OUTCOME_OPEN)
            s_break (self, self->attempts[i].node, DW_OUTCOME_OPEN, now_ns);
}

dw_watch_t dw_why_watch (dw_why_t *self) {
    return (dw_watch_t){.event = s_on_event,
                        .command = s_on_command,
                        .own = s_on_own,
                        .place = s_on_place,
                        .over = s_on_over,
                        .arg = self};
}
