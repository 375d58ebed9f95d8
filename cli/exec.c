/* exec.c - worker slots whose processors are programs. */

#include "cli/exec.h"

#include <poll.h>
#include <stdlib.h>

#include "cli/connection.h"

typedef struct team_t {
    dw_exec_worker_t **workers;
    size_t count;
    int *ended;           /* what each has ended with; DW_ETIMEDOUT: it works */
    struct pollfd *items; /* its end, of each that works, and behind them signals */
} team_t;

/* How many work; *first_p becomes the first error of the others, if any. */
static size_t s_look (team_t *self, int *first_p) {
    size_t working = 0;
    *first_p = DW_OK;
    for (size_t i = 0; i < self->count; i++) {
        if (self->ended[i] == DW_ETIMEDOUT) {
            self->ended[i] = dw_exec_worker_wait (self->workers[i], 0);
        }
        bool works = self->ended[i] == DW_ETIMEDOUT;
        self->items[i] = (struct pollfd){.fd = works ? dw_exec_worker_fd (self->workers[i]) : -1,
                                         .events = POLLIN};
        working += works ? 1 : 0;
        if (!works && !*first_p) {
            *first_p = self->ended[i];
        }
    }
    return working;
}

/* Returns the exit status. */
static int s_work (team_t *self, const dw_signals_t *signals, const char *endpoint) {
    bool draining = false;
    int first;
    while (s_look (self, &first) > 0) {
        self->items[self->count] = (struct pollfd){.fd = signals->fd, .events = POLLIN};
        int number = dw_signals_next (signals);
        if (number == SIGINT) {
            return DW_EXIT_SIGNAL + SIGINT;
        }
        if (number == SIGTERM && draining) {
            return DW_EXIT_OK;
        }
        if (number == SIGTERM) {
            dw_command_say ("SIGTERM: what is begun is finished; a second one gives it back");
            for (size_t i = 0; i < self->count; i++) {
                dw_exec_worker_drain (self->workers[i]);
            }
            draining = true;
        }
        if (number == 0) {
            (void) poll (self->items, self->count + 1, -1);
        }
    }
    return first ? dw_command_fail (first, NULL, endpoint) : DW_EXIT_OK;
}

static void s_close (team_t *self) {
    for (size_t i = 0; i < self->count; i++) {
        dw_exec_worker_close (&self->workers[i]);
    }
    free (self->workers);
    free (self->ended);
    free (self->items);
}

/* Of several graphs there may be some that it has nothing for: those are said, and passed over. */
static int s_open (team_t *self, dw_exec_options_t options, uint32_t slots, bool is_one_of_many) {
    for (options.part = 0; options.part < slots; options.part++) {
        dw_error_t *error = dw_error_new ();
        int err = dw_exec_worker_open (&self->workers[self->count], &options, error);
        int status = err ? dw_connection_fail (err, error, &options.coordinator) : DW_EXIT_OK;
        dw_error_destroy (&error);
        if (err) {
            return err == DW_EGRAPH && is_one_of_many ? DW_EXIT_OK : status;
        }
        self->ended[self->count++] = DW_ETIMEDOUT;
    }
    return DW_EXIT_OK;
}

int dw_exec_serve (const dw_exec_options_t *options, uint32_t slots, char *const *graphs,
                   size_t graphs_count, const dw_signals_t *signals) {
    dw_exec_options_t each = *options;
    size_t most = slots * graphs_count;
    team_t team = {.workers = calloc (most, sizeof (dw_exec_worker_t *)),
                   .ended = calloc (most, sizeof (int)),
                   .items = calloc (most + 1, sizeof (struct pollfd))};
    int status = DW_EXIT_OK;
    if (!team.workers || !team.ended || !team.items) {
        s_close (&team);
        return dw_command_fail (DW_ENOMEM, NULL, "the workers");
    }
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
        status = s_work (&team, signals, options->coordinator.endpoint);
    }
    s_close (&team);
    return status;
}
