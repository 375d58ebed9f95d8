/* makespan.c - how long a graph takes on paper. */

#include "bench/lib/makespan.h"

#include <assert.h>
#include <stdlib.h>

/* By node: the longest path from it to an end, itself included. */
static uint64_t *s_urgencies (const dw_work_t *work, uint64_t *longest_ns_p) {
    uint64_t *urgencies = calloc ((size_t) work->nodes_count + 1, sizeof *urgencies);
    *longest_ns_p = 0;
    for (uint32_t node = work->nodes_count; urgencies && node-- > 0;) {
        uint64_t rest_ns = 0;
        for (uint32_t i = work->successors_at[node]; i < work->successors_at[node + 1]; i++)
            if (urgencies[work->successors[i]] > rest_ns)
                rest_ns = urgencies[work->successors[i]];
        urgencies[node] = rest_ns + dw_work_task_ns (work, node);
        if (urgencies[node] > *longest_ns_p)
            *longest_ns_p = urgencies[node];
    }
    return urgencies;
}

bool dw_makespan_critical_path (const dw_work_t *work, uint64_t *ns_p) {
    uint64_t *urgencies = s_urgencies (work, ns_p);
    bool ok = urgencies;
    free (urgencies);
    return ok;
}

/* ---- A heap of nodes: the one with the smallest key first, then the smallest node --------------- */

typedef struct s_heap_t {
    struct s_entry_t {
        uint64_t key;
        uint32_t node;
    } * entries;
    uint32_t count;
} s_heap_t;

static bool s_is_before (const struct s_entry_t *a, const struct s_entry_t *b) {
    return a->key != b->key ? a->key < b->key : a->node < b->node;
}

static void s_push (s_heap_t *self, uint64_t key, uint32_t node) {
    struct s_entry_t entry = {key, node};
    uint32_t at = self->count++;
    for (; at > 0 && s_is_before (&entry, &self->entries[(at - 1) / 2]); at = (at - 1) / 2)
        self->entries[at] = self->entries[(at - 1) / 2];
    self->entries[at] = entry;
}

static struct s_entry_t s_pop (s_heap_t *self) {
    assert (self->count > 0);
    struct s_entry_t first = self->entries[0], last = self->entries[--self->count];
    uint32_t at = 0;
    for (uint32_t child; (child = 2 * at + 1) < self->count; at = child) {
        if (child + 1 < self->count &&
            s_is_before (&self->entries[child + 1], &self->entries[child]))
            child++;
        if (!s_is_before (&self->entries[child], &last))
            break;
        self->entries[at] = self->entries[child];
    }
    self->entries[at] = last;
    return first;
}

/* ---- List scheduling ------------------------------------------------------------------------- */

typedef struct s_list_t {
    const dw_work_t *work;
    const uint64_t *urgencies;
    uint32_t *waits_for; /* by node: predecessors that have not ended */
    s_heap_t ready;      /* the most urgent first: the key is the urgency's complement */
    s_heap_t running;    /* the first to end first: the key is when */
} s_list_t;

static void s_end (s_list_t *self, uint32_t node) {
    const dw_work_t *work = self->work;
    for (uint32_t i = work->successors_at[node]; i < work->successors_at[node + 1]; i++) {
        uint32_t successor = work->successors[i];
        if (--self->waits_for[successor] == 0)
            s_push (&self->ready, UINT64_MAX - self->urgencies[successor], successor);
    }
}

/* All that end at one time end before the next task starts. */
static uint64_t s_schedule (s_list_t *self, uint32_t workers_count) {
    uint64_t now_ns = 0;
    while (self->ready.count || self->running.count) {
        while (self->ready.count && self->running.count < workers_count) {
            uint32_t node = s_pop (&self->ready).node;
            s_push (&self->running, now_ns + dw_work_task_ns (self->work, node), node);
        }
        now_ns = self->running.entries[0].key;
        while (self->running.count && self->running.entries[0].key == now_ns)
            s_end (self, s_pop (&self->running).node);
    }
    return now_ns;
}

bool dw_makespan_list (const dw_work_t *work, uint32_t workers_count, uint64_t *ns_p) {
    assert (workers_count > 0);
    size_t count = (size_t) work->nodes_count + 1;
    uint64_t longest_ns, *urgencies = s_urgencies (work, &longest_ns);
    s_list_t self = {.work = work, .urgencies = urgencies};
    self.waits_for = calloc (count, sizeof *self.waits_for);
    self.ready.entries = malloc (count * sizeof *self.ready.entries);
    self.running.entries = malloc (count * sizeof *self.running.entries);
    bool ok = urgencies && self.waits_for && self.ready.entries && self.running.entries;
    for (uint32_t node = 0; ok && node < work->nodes_count; node++) {
        self.waits_for[node] = work->dependencies_at[node + 1] - work->dependencies_at[node];
        if (self.waits_for[node] == 0)
            s_push (&self.ready, UINT64_MAX - urgencies[node], node);
    }
    if (ok)
        *ns_p = s_schedule (&self, workers_count);
    free (urgencies);
    free (self.waits_for);
    free (self.ready.entries);
    free (self.running.entries);
    return ok;
}
