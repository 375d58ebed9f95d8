/* exec.c - worker slots whose processors are programs. */

#include "cli/exec.h"

static int s_wait (void *worker, int timeout_ms) {
    return dw_exec_worker_wait (worker, timeout_ms);
}

static int s_fd (const void *worker) {
    return dw_exec_worker_fd (worker);
}

static void s_drain (void *worker) {
    dw_exec_worker_drain (worker);
}

static int s_close (void *worker, dw_error_t *error) {
    dw_exec_worker_t *self = worker;
    (void) error;
    dw_exec_worker_close (&self);
    return DW_OK;
}

/* A worker for each slot. */
static int s_open (dw_team_t *team, const void *options, const char *graph, dw_error_t *error) {
    const dw_exec_team_t *wanted = options;
    dw_exec_options_t each = wanted->each;
    each.coordinator.graph = graph ? graph : each.coordinator.graph;
    int err = DW_OK;
    for (each.part = 0; each.part < wanted->slots && !err; each.part++) {
        dw_exec_worker_t *worker;
        err = dw_exec_worker_open (&worker, &each, error);
        if (!err)
            dw_team_add (team, worker);
    }
    return err;
}

const dw_team_kind_t dw_exec_kind = {
    .open = s_open, .wait = s_wait, .fd = s_fd, .drain = s_drain, .close = s_close};
