/* gate.h - a processor that stays inside until the test lets it go: for all that has to be seen
 * while a task runs. A fixture makes it, and frees it when no thread is left that may be in it. */

#ifndef TESTS_GATE_H
#define TESTS_GATE_H

#include <stdatomic.h>

#include "dagwood_processor.h"

typedef struct gate_t {
    int fds[2];                /* a pipe: a byte lets one task go, its closed end all */
    atomic_uint entered, left; /* tasks */
    atomic_uint cancelled;     /* of those that left, the ones that saw it */
    atomic_uint attempts[8];   /* what was entered, by dw_call_attempt */
} gate_t;

gate_t *gate_new (void);
void gate_destroy (gate_t **self_p);
/* Lets count tasks go on; lets all that are and will be there go on. */
void gate_let (gate_t *self, unsigned count);
void gate_open (gate_t *self);
/* Waits, at most 20 s, until so many tasks have entered, or left. */
bool gate_wait_entered (gate_t *self, unsigned count);
bool gate_wait_left (gate_t *self, unsigned count);

/* Passes its payload on when it is let go; never asks whether it is cancelled. */
int gate_deaf (dw_call_t *call, void *gate);
/* The same, but leaves when it is cancelled. */
int gate_polite (dw_call_t *call, void *gate);
/* The same, but waits at its descriptor in place of asking again and again. */
int gate_attentive (dw_call_t *call, void *gate);

#endif
