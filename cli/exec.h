/* exec.h - worker slots whose processors are programs, as the command `worker' has them. */

#ifndef DW_CLI_EXEC_H
#define DW_CLI_EXEC_H

#include "actors/exec_worker.h"
#include "cli/signals.h"

#define DW_EXECS_MAX 64

/* Which processors are which programs. Words are borrowed. */
typedef struct dw_execs_t {
    const char *names[DW_EXECS_MAX], *commands[DW_EXECS_MAX];
    size_t count;
} dw_execs_t;

/* Works for each of the graphs with so many slots until all have ended, or a signal says so. Returns the exit status. What is wrong was
 * said. */
int dw_exec_serve (const dw_exec_options_t *options, uint32_t slots, char *const *graphs,
                   size_t graphs_count, const dw_signals_t *signals);

#endif
