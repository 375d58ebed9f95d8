/* team.h - workers of one kind that a command has, a part of them for each graph: waited for together, and drained. */

#ifndef DW_CLI_TEAM_H
#define DW_CLI_TEAM_H

#include <poll.h>
#include <stdbool.h>
#include <stddef.h>

#include "cli/signals.h"

/* What a worker of a kind can: wait for its end (DW_ETIMEDOUT: it works on), tell its end by a descriptor, drain. */
typedef struct dw_team_kind_t {
    int (*wait) (void *worker, int timeout_ms);
    int (*fd) (const void *worker);
    void (*drain) (void *worker);
} dw_team_kind_t;

typedef struct dw_team_t {
    const dw_team_kind_t *kind;
    void **workers; /* who makes the team adds them, and closes them */
    size_t count;
    int *ended;           /* what each has ended with; DW_ETIMEDOUT: it works */
    struct pollfd *items; /* its end, of each that works, and behind them signals */
} dw_team_t;

/* Has room for so many. Returns the exit status: when there is no memory that was said. */
int dw_team_init (dw_team_t *self, const dw_team_kind_t *kind, size_t most);
/* Takes one that is all zeros. */
void dw_team_free (dw_team_t *self);
void dw_team_add (dw_team_t *self, void *worker);
/* Waits until all have ended, or a signal says to end at once; the first SIGTERM drains them. Returns the exit status; the first error
 * of a worker's end was said. */
int dw_team_work (dw_team_t *self, const dw_signals_t *signals, const char *endpoint);

#endif
