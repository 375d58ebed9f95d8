/* detached.h - a run that a coordinator makes and keeps while nobody waits for it: begun, and taken
 * up again. */

#ifndef DW_DETACHED_H
#define DW_DETACHED_H

#include "cli/request.h"

/* Has the run made and prints its name. Returns the exit status of the command. signals: what the
 * client was made to stop for. */
int dw_detached_begin (dw_client_t *client, const dw_request_t *request, const dw_input_t *input,
                       const dw_signals_t *signals);
/* Takes up the run of this name, cancels it when is_cancelled (or of it only node, unless that is
 * NULL, and all that depends on it), and waits for its end, after which flight is as if it had made
 * the run; a signal ends the waiting and nothing else: then flight has it and no result. Returns an
 * exit status, which is not that of the result. */
int dw_detached_wait (dw_client_t *client, const char *name, bool is_cancelled, const char *node,
                      const dw_signals_t *signals, dw_flight_t *flight);

#endif
