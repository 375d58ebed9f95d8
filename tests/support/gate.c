/* gate.c - a processor that stays inside until the test lets it go. */

#include "tests/support/gate.h"

#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <unistd.h>

#include "tests/support/system_fixture.h"

#define WAIT_MS 20000

gate_t *gate_new (void) {
    gate_t *self = calloc (1, sizeof *self);
    if (!self || pipe2 (self->fds, O_CLOEXEC))
        abort ();
    return self;
}

void gate_destroy (gate_t **self_p) {
    gate_t *self = *self_p;
    if (!self)
        return;
    gate_open (self);
    if (!gate_wait_left (self, atomic_load (&self->entered)))
        abort (); /* a thread would use what is freed here */
    close (self->fds[0]);
    free (self);
    *self_p = NULL;
}

void gate_let (gate_t *self, unsigned count) {
    for (unsigned i = 0; i < count; i++)
        if (write (self->fds[1], "", 1) != 1)
            abort ();
}

void gate_open (gate_t *self) {
    if (self->fds[1] >= 0)
        close (self->fds[1]);
    self->fds[1] = -1;
}

static bool s_wait (atomic_uint *counter, unsigned count) {
    for (int64_t end_ms = now_ms () + WAIT_MS; now_ms () < end_ms; sleep_ms (1))
        if (atomic_load (counter) >= count)
            return true;
    return false;
}

bool gate_wait_entered (gate_t *self, unsigned count) {
    return s_wait (&self->entered, count);
}

bool gate_wait_left (gate_t *self, unsigned count) {
    return s_wait (&self->left, count);
}

static void s_enter (gate_t *self, const dw_call_t *call) {
    unsigned attempt = dw_call_attempt (call);
    if (attempt < sizeof self->attempts / sizeof *self->attempts)
        atomic_fetch_add (&self->attempts[attempt], 1);
    atomic_fetch_add (&self->entered, 1);
}

static int s_leave (gate_t *self, dw_call_t *call) {
    int err = dw_call_set_payload (call);
    atomic_fetch_add (&self->left, 1);
    return err ? dw_call_fail (call, 500, "no memory") : 0;
}

/* A byte, or the end of the pipe. */
static void s_pass (gate_t *self) {
    char byte;
    if (read (self->fds[0], &byte, 1) < 0)
        abort ();
}

int gate_deaf (dw_call_t *call, void *gate) {
    s_enter (gate, call);
    s_pass (gate);
    return s_leave (gate, call);
}

/* Asks at least every interval_ms, and when fd is readable. */
static int s_heed (gate_t *self, dw_call_t *call, int fd, int interval_ms) {
    struct pollfd items[2] = {{.fd = self->fds[0], .events = POLLIN}, {.fd = fd, .events = POLLIN}};
    s_enter (self, call);
    while (!dw_call_cancelled (call))
        if (poll (items, 2, interval_ms) > 0 && items[0].revents) {
            s_pass (self); /* with several inside one may wait here for another byte */
            return s_leave (self, call);
        }
    atomic_fetch_add (&self->cancelled, 1);
    atomic_fetch_add (&self->left, 1);
    return dw_call_fail (call, 499, "left when it was cancelled");
}

int gate_polite (dw_call_t *call, void *gate) {
    return s_heed (gate, call, -1, 1);
}

int gate_attentive (dw_call_t *call, void *gate) {
    return s_heed (gate, call, dw_call_fd (call), WAIT_MS);
}
