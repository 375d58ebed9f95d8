/* signals.c */

#include "cli/signals.h"

#include <poll.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "cli/command.h"

int dw_signals_catch (dw_signals_t *self, const int *numbers) {
    sigset_t set;
    sigemptyset (&set);
    for (; *numbers; numbers++)
        sigaddset (&set, *numbers);
    self->fd = signalfd (-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
    if (self->fd < 0)
        return dw_command_fail (DW_ELIMIT, NULL, "signals cannot be received");
    sigprocmask (SIG_BLOCK, &set, &self->before);
    return DW_EXIT_OK;
}

void dw_signals_release (dw_signals_t *self) {
    close (self->fd);
    sigprocmask (SIG_SETMASK, &self->before, NULL);
}

int dw_signals_next (const dw_signals_t *self) {
    struct signalfd_siginfo info;
    return read (self->fd, &info, sizeof info) == (ssize_t) sizeof info ? (int) info.ssi_signo : 0;
}

int dw_signals_wait (const dw_signals_t *self) {
    struct pollfd item = {.fd = self->fd, .events = POLLIN};
    int number;
    while ((number = dw_signals_next (self)) == 0)
        (void) poll (&item, 1, -1);
    return number;
}
