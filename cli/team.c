/* team.c - workers of one kind that a command has. */

#include "cli/team.h"

#include <stdlib.h>

#include "cli/command.h"

/* Has room for so many. */
static int s_init (dw_team_t *self, size_t most) {
    self->workers = calloc (most, sizeof *self->workers);
    self->ended = calloc (most, sizeof *self->ended);
    self->items = calloc (most + 1, sizeof *self->items);
    return self->workers && self->ended && self->items
               ? DW_EXIT_OK
               : dw_command_fail (DW_ENOMEM, NULL, "the workers");
}

void dw_team_add (dw_team_t *self, void *worker) {
    self->ended[self->count] = DW_ETIMEDOUT;
    self->workers[self->count++] = worker;
}

/* How many work; *first_p becomes the first error of the others, if any. */
static size_t s_look (dw_team_t *self, int *first_p) {
    size_t working = 0;
    *first_p = DW_OK;
    for (size_t i = 0; i < self->count; i++) {
        if (self->ended[i] == DW_ETIMEDOUT)
            self->ended[i] = self->kind->wait (self->workers[i], 0);
        bool works = self->ended[i] == DW_ETIMEDOUT;
        self->items[i] = (struct pollfd){.fd = works ? self->kind->fd (self->workers[i]) : -1,
                                         .events = POLLIN};
        working += works ? 1 : 0;
        if (!works && !*first_p)
            *first_p = self->ended[i];
    }
    return working;
}

/* Sleeps until all have ended, and returns the first error, if any; or a signal has come, which
 * *number_p is then (DW_ETIMEDOUT). */
static int s_sleep (dw_team_t *self, const dw_signals_t *signals, int *number_p) {
    int first;
    self->items[self->count] = (struct pollfd){.fd = signals->fd, .events = POLLIN};
    while (s_look (self, &first) > 0) {
        if ((*number_p = dw_signals_next (signals)) != 0)
            return DW_ETIMEDOUT;
        (void) poll (self->items, self->count + 1, -1);
    }
    return first;
}

static int s_work (dw_team_t *self, const dw_signals_t *signals, const char *endpoint) {
    bool draining = false;
    int number = 0, err;
    while ((err = s_sleep (self, signals, &number)) == DW_ETIMEDOUT) {
        if (number == SIGINT)
            return DW_EXIT_SIGNAL + SIGINT;
        if (number == SIGTERM && draining)
            return DW_EXIT_OK;
        if (number == SIGTERM) {
            dw_command_say ("SIGTERM: what is begun is finished; a second one gives it back");
            for (size_t i = 0; i < self->count; i++)
                self->kind->drain (self->workers[i]);
            draining = true;
        }
    }
    if (err == DW_EPROCESSOR)
        return dw_command_exit (err); /* It has said why: its slots are down, or do not start. */
    return err ? dw_command_fail (err, NULL, endpoint) : DW_EXIT_OK;
}

/* ---- From the beginning to the end ------------------------------------------------------------ */

static int s_open (dw_team_t *self, const void *options, const dw_connect_options_t *coordinator,
                   char *const *graphs, size_t graphs_count) {
    int status = DW_EXIT_OK;
    for (size_t i = 0; i < graphs_count && !status; i++) {
        const char *graph = graphs_count > 1 ? graphs[i] : NULL;
        size_t before = self->count;
        dw_error_t *error = dw_error_new ();
        int err = self->kind->open (self, options, graph, error);
        status = err ? dw_connection_fail (err, error, coordinator) : DW_EXIT_OK;
        dw_error_destroy (&error);
        if (err == DW_EGRAPH && graph)
            status = DW_EXIT_OK;
        else if (!err && graph && self->count > before)
            dw_command_say ("graph %s: its own slots", graph);
    }
    return !status && self->count == 0 ? DW_EXIT_GRAPH : status;
}

static void s_close (dw_team_t *self, int status) {
    dw_error_t *error = dw_error_new ();
    int stuck = DW_OK;
    for (size_t i = 0; i < self->count; i++) {
        int err = self->kind->close (self->workers[i], error);
        stuck = stuck ? stuck : err;
    }
    dw_command_closed (stuck, error, status);
    dw_error_destroy (&error);
    free (self->workers);
    free (self->ended);
    free (self->items);
}

int dw_team_serve (const dw_team_kind_t *kind, const void *options,
                   const dw_connect_options_t *coordinator, char *const *graphs,
                   size_t graphs_count, size_t workers_each, const dw_signals_t *signals) {
    dw_team_t self = {.kind = kind};
    int status = s_init (&self, workers_each * graphs_count);
    if (!status)
        status = s_open (&self, options, coordinator, graphs, graphs_count);
    if (!status) {
        dw_command_say ("working for %s", coordinator->endpoint);
        status = s_work (&self, signals, coordinator->endpoint);
    }
    s_close (&self, status);
    return status;
}
