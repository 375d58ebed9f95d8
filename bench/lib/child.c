/* child.c - another process of a bench. */

#include "bench/lib/child.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "runtime/core/error.h"

static void s_be_child (int pipe, int (*body) (FILE *in, void *arg), void *arg) {
    prctl (PR_SET_PDEATHSIG, SIGKILL);
    FILE *in = fdopen (pipe, "r");
    _exit (in && body (in, arg) == DW_OK ? 0 : 1);
}

int dw_child_start (dw_child_t *self, int (*body) (FILE *in, void *arg), void *arg,
                    dw_error_t *error) {
    int ends[2];
    if (pipe2 (ends, O_CLOEXEC))
        return dw_error_add (error, DW_ELIMIT, DW_NOWHERE, "no pipe: %s", strerror (errno));
    self->pid = fork ();
    if (self->pid == 0) {
        close (ends[1]);
        s_be_child (ends[0], body, arg);
    }
    close (ends[0]);
    self->pipe = ends[1];
    return self->pid > 0
               ? DW_OK
               : dw_error_add (error, DW_ELIMIT, DW_NOWHERE, "no process: %s", strerror (errno));
}

void dw_child_tell (const dw_child_t *self, const char *line) {
    dprintf (self->pipe, "%s\n", line);
}

int dw_child_end (dw_child_t *self, dw_error_t *error) {
    int status = 0;
    if (self->pid <= 0)
        return DW_OK;
    close (self->pipe);
    waitpid (self->pid, &status, 0);
    return status == 0 ? DW_OK
                       : dw_error_add (error, DW_EPROCESSOR, DW_NOWHERE,
                                       "another process of the bench failed");
}
