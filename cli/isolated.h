/* isolated.h - a run's nodes in processes of their own: a system at a private endpoint, and in this
 * process the agent of its slots, each of which is a child. */

#ifndef DW_ISOLATED_H
#define DW_ISOLATED_H

#include "cli/serve.h"

typedef struct dw_isolated_t {
    char *folder;   /* of the endpoint, for this user alone; NULL: none */
    char *endpoint; /* in it */
    dw_agent_t *agent;
} dw_isolated_t;

/* Makes the endpoint, and sets in options what a system has to be opened with for slots so many.
 * Returns an exit status, and says what failed. */
int dw_isolated_prepare (dw_isolated_t *self, uint32_t slots, dw_system_options_t *options);
/* Starts the slots, when the system is open. Returns an exit status, and says what failed. */
int dw_isolated_open (dw_isolated_t *self, uint32_t slots);
/* Ends the slots, before the system is closed. */
void dw_isolated_end (dw_isolated_t *self);
/* Removes the folder, when it is. */
void dw_isolated_remove (dw_isolated_t *self);

#endif
