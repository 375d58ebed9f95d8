/* exec.c - worker slots whose processors are programs. */

#include "cli/exec.h"

#include "cli/connection.h"
#include "cli/team.h"

static int s_wait (void *worker, int timeout_ms) {
    return dw_exec_worker_wait (worker, timeout_ms);
}

static int s_fd (const void *worker) {
    return dw_exec_worker_fd (worker);
}

static void s_drain (void *worker) {
    dw_exec_worker_drain (worker);
}

static const dw_team_kind_t s_kind = {.wait = s_wait, .fd = s_fd, .drain = s_drain};

static void s_close (dw_team_t *self) {
    for (size_t i = 0; i < self->count; i++) {
        dw_exec_worker_t *worker = self->workers[i];
        dw_exec_worker_close (&worker);
    }
    dw_team_free (self);
}

/* Of several graphs there may be some that it has nothing for: those are said, and passed over. */
static int s_open (dw_team_t *self, dw_exec_options_t options, uint32_t slots,
                   bool is_one_of_many) {
    for (options.part = 0; options.part < slots; options.part++) {
        dw_exec_worker_t *worker;
        dw_error_t *error = dw_error_new ();
        int err = dw_exec_worker_open (&worker, &options, error);
        int status = err ? dw_connection_fail (err, error, &options.coordinator) : DW_EXIT_OK;
        dw_error_destroy (&error);
        if (err) {
            return err == DW_EGRAPH && is_one_of_many ? DW_EXIT_OK : status;
        }
        dw_team_add (self, worker);
    }
    return DW_EXIT_OK;
}

int dw_exec_serve (const dw_exec_options_t *options, uint32_t slots, char *const *graphs,
                   size_t graphs_count, const dw_signals_t *signals) {
    dw_exec_options_t each = *options;
    dw_team_t team = {0};
    int status = dw_team_init (&team, &s_kind, slots * graphs_count);
    for (size_t i = 0; i < graphs_count && !status; i++) {
        if (graphs_count >
            1) { /* the only one may be another when the coordinator is started again */
            each.coordinator.graph = graphs[i];
        }
        status = s_open (&team, each, slots, graphs_count > 1);
    }
    if (!status && team.count == 0) {
        status = DW_EXIT_GRAPH;
    }
    if (!status) {
        dw_command_say ("working for %s", options->coordinator.endpoint);
        status = dw_team_work (&team, signals, options->coordinator.endpoint);
    }
    s_close (&team);
    return status;
}
