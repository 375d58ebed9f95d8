/* rendezvous.c */

#include "cli/rendezvous.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "actors/trusted.h"
#include "cli/command.h"
#include "cli/signals.h"
#include "runtime/core/error.h"

#define LOOK_INTERVAL_MS 50
#define SAID_AFTER_MS    2000 /* who is started together waits in silence */

/* ---- Written ------------------------------------------------------------------------------ */

static int s_fail (const char *file, int reason) {
    dw_command_say ("%s cannot be written: %s", file, strerror (reason));
    return DW_EXIT_OUTPUT;
}

/* Writes a new file, which mkostemp makes for its owner alone, and moves it to its place. */
static int s_write (int fd, const char *temporary, const char *file, const char *endpoint) {
    int size = dprintf (fd, "%s\n", endpoint);
    if (size != (int) strlen (endpoint) + 1)
        return size < 0 ? errno : ENOSPC;
    return rename (temporary, file) == 0 ? 0 : errno;
}

int dw_rendezvous_write (dw_rendezvous_t *self, const char *file, const char *endpoint) {
    char *temporary = NULL;
    if (asprintf (&temporary, "%s.XXXXXX", file) < 0)
        return dw_command_fail (DW_ENOMEM, NULL, file);
    int fd = mkostemp (temporary, O_CLOEXEC);
    int reason = fd < 0 ? errno : s_write (fd, temporary, file, endpoint);
    if (fd >= 0 && reason) {
        close (fd);
        unlink (temporary);
    }
    free (temporary);
    if (reason)
        return s_fail (file, reason);
    *self = (dw_rendezvous_t){.file = file, .fd = fd};
    return DW_EXIT_OK;
}

static bool s_is_own (const dw_rendezvous_t *self) {
    struct stat own, there;
    return fstat (self->fd, &own) == 0 && lstat (self->file, &there) == 0 &&
           own.st_dev == there.st_dev && own.st_ino == there.st_ino;
}

void dw_rendezvous_remove (dw_rendezvous_t *self) {
    if (!self->file)
        return;
    if (s_is_own (self))
        unlink (self->file);
    close (self->fd);
    *self = (dw_rendezvous_t){0};
}

/* ---- Read --------------------------------------------------------------------------------- */

/* Whether something is there within the time, or until there is something to read of stop_fd. */
static bool s_wait (const char *file, int timeout_ms, int stop_fd, bool *is_stopped_p) {
    struct pollfd stop = {.fd = stop_fd > 0 ? stop_fd : -1, .events = POLLIN};
    for (int waited_ms = 0; access (file, F_OK) != 0 && errno == ENOENT;
         waited_ms += LOOK_INTERVAL_MS) {
        if (waited_ms >= timeout_ms)
            return false;
        if (waited_ms == SAID_AFTER_MS)
            dw_command_say ("waiting for %s", file);
        *is_stopped_p = poll (&stop, 1, LOOK_INTERVAL_MS) > 0;
        if (*is_stopped_p)
            return false;
    }
    return true;
}

/* One line that begins like an endpoint, without a character that one cannot have. */
static bool s_take (char *endpoint, const char *text, size_t size) {
    size_t length = strcspn (text, "\n");
    bool begins = strncmp (text, "tcp://", 6) == 0 || strncmp (text, "ipc://", 6) == 0;
    if (!begins || length + 1 != size)
        return false;
    for (size_t i = 0; i < length; i++) {
        if (text[i] <= ' ' || text[i] > '~')
            return false;
        endpoint[i] = text[i];
    }
    endpoint[length] = '\0';
    return true;
}

int dw_rendezvous_look (char *endpoint, const char *file, dw_error_t *error) {
    char *text = NULL;
    size_t size = 0;
    int status = DW_EXIT_OK;
    if (dw_trusted_read (&text, &size, file, DW_TRUSTED_PUBLIC, DW_RENDEZVOUS_SIZE - 1, error)) {
        status = DW_EXIT_INPUT;
    } else if (!s_take (endpoint, text, size)) {
        dw_error_add (error, DW_EFILE, DW_NOWHERE,
                      "%s is no rendezvous file: it is not one line with an endpoint, "
                      "tcp://HOST:PORT or ipc://FILE",
                      file);
        status = DW_EXIT_DAMAGED;
    }
    dw_trusted_free (&text, size);
    return status;
}

int dw_rendezvous_read (char *endpoint, const char *file, int timeout_ms, int stop_fd) {
    bool is_stopped = false;
    if (!s_wait (file, timeout_ms, stop_fd, &is_stopped)) {
        if (is_stopped)
            return DW_EXIT_SIGNAL + dw_signals_next (&(dw_signals_t){.fd = stop_fd});
        dw_command_say ("%s did not come within %g s: is there a coordinator that has it as its "
                        "--rendezvous?",
                        file, timeout_ms / 1e3);
        return DW_EXIT_NO_COORDINATOR;
    }
    dw_error_t *error = dw_error_new ();
    int status = dw_rendezvous_look (endpoint, file, error);
    if (status)
        dw_command_show (error);
    dw_error_destroy (&error);
    return status;
}
