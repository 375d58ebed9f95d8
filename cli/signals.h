/* signals.h - signals that a command reads from a descriptor, so that no code runs in a handler. */

#ifndef DW_SIGNALS_H
#define DW_SIGNALS_H

#include <signal.h>

/* The mask before, and the descriptor that signals are read from. */
typedef struct dw_signals_t {
    sigset_t before;
    int fd;
} dw_signals_t;

/* Blocks the signals with these numbers, ended by 0, for this thread and all that it starts: to be
 * called before a system, a client or an agent is opened. Returns DW_EXIT_OK, or the exit status
 * when there is no descriptor, which was said. */
int dw_signals_catch (dw_signals_t *self, const int *numbers);
/* From now on they end the command again; the threads that were started stay without them. */
void dw_signals_release (dw_signals_t *self);

/* The number of the next one that came; 0 when none did. */
int dw_signals_next (const dw_signals_t *self);
/* The same, waiting until one comes. */
int dw_signals_wait (const dw_signals_t *self);

#endif
