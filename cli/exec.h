/* exec.h - worker slots whose processors are programs, as the command `worker' has them. */

#ifndef DW_CLI_EXEC_H
#define DW_CLI_EXEC_H

#include "actors/exec_worker.h"
#include "cli/team.h"

#define DW_EXECS_MAX 64

/* Which processors are which programs. Words are borrowed. */
typedef struct dw_execs_t {
    const char *names[DW_EXECS_MAX], *commands[DW_EXECS_MAX];
    size_t count;
} dw_execs_t;

/* What the slots of a team are opened with. */
typedef struct dw_exec_team_t {
    dw_exec_options_t each; /* but for its graph and part */
    uint32_t slots;         /* for each graph */
} dw_exec_team_t;

/* Its options are a dw_exec_team_t. */
extern const dw_team_kind_t dw_exec_kind;

#endif
