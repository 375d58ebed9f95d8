/* why_parts.c - what a run's time went into, once it has ended. */

#include <stdlib.h>

#include "runtime/why.h"

void dw_why_own_parts (const dw_why_t *self, uint32_t index, int64_t *parts) {
    const dw_why_node_t *node = &self->nodes[index];
    int64_t at_ns = node->ready_ns;
    bool has_failed = false;
    for (uint32_t i = node->first; i != DW_NONE; i = self->attempts[i].next) {
        const dw_attempt_t *attempt = &self->attempts[i];
        parts[has_failed ? DW_WHY_RETRY : DW_WHY_WORKER] += attempt->ready_ns - at_ns;
        parts[DW_WHY_WORKER] += attempt->begun_ns - attempt->ready_ns;
        parts[DW_WHY_RUNNING] += attempt->ended_ns - attempt->begun_ns;
        parts[DW_WHY_MESSAGES] += attempt->heard_ns - attempt->ended_ns - attempt->added_ns;
        parts[DW_WHY_ADDED] += attempt->added_ns;
        at_ns = attempt->heard_ns;
        has_failed = attempt->outcome == DW_OUTCOME_FAILED ||
                     attempt->outcome == DW_OUTCOME_TIMED_OUT;
    }
}

void dw_why_parts (const dw_why_t *self, uint32_t index, int64_t *parts) {
    const dw_why_node_t *node = &self->nodes[index];
    if (node->first == DW_NONE)
        return;
    parts[DW_WHY_DEPENDENCIES] += node->ready_ns - self->submitted_ns;
    dw_why_own_parts (self, index, parts);
}

uint32_t dw_why_last (const dw_why_t *self) {
    uint32_t last = DW_NONE;
    for (uint32_t index = 0; index < self->plan->nodes_count; index++) {
        const dw_why_node_t *node = &self->nodes[index];
        if (node->first != DW_NONE &&
            (last == DW_NONE || node->final_ns >= self->nodes[last].final_ns))
            last = index;
    }
    return last;
}

void dw_why_path_parts (const dw_why_t *self, int64_t *parts) {
    uint32_t last = dw_why_last (self);
    parts[DW_WHY_END] += self->ended_ns -
                         (last == DW_NONE ? self->submitted_ns : self->nodes[last].final_ns);
    for (; last != DW_NONE; last = self->nodes[last].released_by)
        dw_why_own_parts (self, last, parts);
}

bool dw_why_is_critical (const dw_why_t *self, uint32_t node) {
    uint32_t at = dw_why_last (self);
    while (at != DW_NONE && at != node)
        at = self->nodes[at].released_by;
    return at != DW_NONE;
}

/* How long a node ran that was done, or ended its branch: the attempt that counted. (What it added
 * could be run in another order, so it is not counted.) */
static int64_t s_running_ns (const dw_why_t *self, uint32_t index) {
    uint32_t last = self->nodes[index].last;
    if (last == DW_NONE || (self->attempts[last].outcome != DW_OUTCOME_DONE &&
                            self->attempts[last].outcome != DW_OUTCOME_SKIPPED &&
                            self->attempts[last].outcome != DW_OUTCOME_ADDED))
        return 0;
    return self->attempts[last].ended_ns - self->attempts[last].begun_ns;
}

int dw_why_best (const dw_why_t *self, dw_why_best_t *best) {
    const dw_plan_t *plan = self->plan;
    int64_t *path_ns = calloc (plan->nodes_count + 1u, sizeof *path_ns);
    if (!path_ns)
        return DW_ENOMEM;
    *best = (dw_why_best_t){.threads = self->present_max < self->threads_max ? self->present_max
                                                                             : self->threads_max};
    if (best->threads == 0)
        best->threads = 1;
    for (uint32_t node = 0; node < plan->nodes_count; node++) {
        int64_t before_ns = 0, running_ns = s_running_ns (self, node);
        for (uint32_t e = plan->dependencies_at[node]; e < plan->dependencies_at[node + 1]; e++)
            if (path_ns[plan->dependencies[e]] > before_ns)
                before_ns = path_ns[plan->dependencies[e]];
        path_ns[node] = before_ns + running_ns;
        best->work_ns += running_ns;
        if (path_ns[node] > best->path_ns)
            best->path_ns = path_ns[node];
    }
    best->bound_ns = best->work_ns / best->threads;
    if (best->path_ns > best->bound_ns)
        best->bound_ns = best->path_ns;
    free (path_ns);
    return DW_OK;
}
