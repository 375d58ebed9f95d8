/* team.h - workers of one kind that a command has, a part of them for each graph: waited for
 * together, and drained. */

#ifndef DW_CLI_TEAM_H
#define DW_CLI_TEAM_H

#include <poll.h>
#include <stdbool.h>
#include <stddef.h>

#include "cli/connection.h"
#include "cli/signals.h"

typedef struct dw_team_t dw_team_t;

/* Who opens workers of a kind for a graph (graph NULL: the only one, which may be another when the
 * coordinator is started again), and adds them; with what was given to dw_team_serve, and an error
 * for what fails. What a worker can: wait for its end (DW_ETIMEDOUT: it works on), tell its end by
 * a descriptor, drain, be closed (DW_ESTUCK: it runs on). */
typedef struct dw_team_kind_t {
    int (*open) (dw_team_t *self, const void *options, const char *graph, dw_error_t *error);
    int (*wait) (void *worker, int timeout_ms);
    int (*fd) (const void *worker);
    void (*drain) (void *worker);
    int (*close) (void *worker, dw_error_t *error);
} dw_team_kind_t;

struct dw_team_t {
    const dw_team_kind_t *kind;
    void **workers;
    size_t count;
    int *ended;           /* what each has ended with; DW_ETIMEDOUT: it works */
    struct pollfd *items; /* its end, of each that works, and behind them signals */
};

void dw_team_add (dw_team_t *self, void *worker);
/* Opens workers for each graph, so many at most, waits until all have ended, or a signal says to
 * end at once, and closes them; the first SIGTERM drains them. Of several graphs there may be some
 * that there is nothing for: those are said, and passed over. Returns the exit status; what failed
 * was said. */
int dw_team_serve (const dw_team_kind_t *kind, const void *options,
                   const dw_connect_options_t *coordinator, char *const *graphs,
                   size_t graphs_count, size_t workers_each, const dw_signals_t *signals);

#endif
