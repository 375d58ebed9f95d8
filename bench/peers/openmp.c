/* openmp.c - OpenMP's tasks with depend clauses: one thread makes them, all run them.
 *
 * A task has as many dependencies as the shape says, which an iterator in the clause lists (OpenMP
 * 5.0, 2.17.11). OpenMP has no graph that outlives its tasks: every run makes them anew. */

#include "bench/peers/peer.h"

#include <stdio.h>
#include <stdlib.h>

/* The compiler lays a clause's list out on the stack of the thread that makes the task. */
#define DEPENDENCIES_MAX 250000u

const char *const dw_peer_name = "openmp";

struct dw_peer_t {
    const dw_work_t *work;
    uint8_t *payloads;
    int threads;
    char *ended; /* by node: only its address counts */
};

/* OpenMP says the date of its specification: 201511 is 4.5. */
const char *dw_peer_version (void) {
    static char text[64];
    snprintf (text, sizeof text, "%d (%s)", _OPENMP, __VERSION__);
    return text;
}

int dw_peer_open (dw_peer_t **self_p, const dw_work_t *work, uint8_t *payloads, uint32_t threads,
                  dw_error_t *error) {
    for (uint32_t node = 0; node < work->nodes_count; node++)
        if (dw_peer_dependencies_count (work, node) > DEPENDENCIES_MAX)
            return dw_peer_refuse (error,
                                   "a depend clause is laid out on the stack: node %u has more "
                                   "than %u dependencies; ask for fewer nodes",
                                   (unsigned) node, DEPENDENCIES_MAX);
    dw_peer_t *self = calloc (1, sizeof *self);
    if (!self)
        return dw_peer_no_memory (error);
    self->work = work;
    self->payloads = payloads;
    self->threads = (int) threads;
    self->ended = malloc (work->nodes_count + 1u);
    if (!self->ended) {
        dw_peer_close (&self);
        return dw_peer_no_memory (error);
    }
    *self_p = self;
    return DW_OK;
}

/* One thread alone runs each task as it makes it. If it put them off, gcc's runtime would walk
 * through all who wait for the same task whenever another one does: half a minute for a fan of
 * 100,000.
 *
 * The clause's list lies on the stack until the function returns, so a function makes one task. */
__attribute__ ((noinline)) static void s_make_task (dw_peer_t *self, uint32_t node) {
    const dw_work_t *work = self->work;
    uint8_t *payloads = self->payloads;
    /* clang-format off */
#pragma omp task if (self->threads > 1) firstprivate(work, node, payloads) \
    depend(out : self->ended[node]) \
    depend(iterator(unsigned i = work->dependencies_at[node] : work->dependencies_at[node + 1]), \
           in : self->ended[work->dependencies[i]])
    /* clang-format on */
    dw_work_task_at (work, node, payloads);
}

/* The end of the parallel region waits for all tasks. */
void dw_peer_run (dw_peer_t *self) {
#pragma omp parallel num_threads(self->threads)
#pragma omp master
    for (uint32_t node = 0; node < self->work->nodes_count; node++)
        s_make_task (self, node);
}

void dw_peer_close (dw_peer_t **self_p) {
    if (*self_p)
        free ((*self_p)->ended);
    free (*self_p);
    *self_p = NULL;
}
