/* recording.c - what the commands that read a recording share. */

#include "cli/recording.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/output.h"

/* ---- The file ----------------------------------------------------------------------------- */

static int s_cannot (const char *file, int number) {
    dw_command_say ("%s: the file cannot be read: %s", file, strerror (number));
    return DW_EXIT_INPUT;
}

/* Reads a regular file, of which no more is taken than it had when it was opened: it may be written
 * still. */
static int s_read (int descriptor, const char *file, uint8_t **bytes_p, size_t *size_p) {
    struct stat status;
    if (fstat (descriptor, &status))
        return s_cannot (file, errno);
    if (!S_ISREG (status.st_mode))
        return s_cannot (file, S_ISDIR (status.st_mode) ? EISDIR : EINVAL);
    size_t size = (size_t) status.st_size, at = 0;
    uint8_t *bytes = malloc (size + 1);
    if (!bytes)
        return dw_command_fail (DW_ENOMEM, NULL, file);
    while (at < size) {
        ssize_t count = read (descriptor, bytes + at, size - at);
        if (count < 0 && errno == EINTR)
            continue;
        if (count < 0) {
            free (bytes);
            return s_cannot (file, errno);
        }
        if (count == 0)
            break;
        at += (size_t) count;
    }
    *bytes_p = bytes;
    *size_p = at;
    return DW_EXIT_OK;
}

/* What is wrong with a recording has its own exit status. */
static int s_fail (int err, const dw_error_t *error, const char *file) {
    int status = dw_command_fail (err, error, file);
    return err == DW_EPROTOCOL ? DW_EXIT_DAMAGED : status;
}

static void s_tell_torn (const dw_recording_t *recording, const char *file) {
    uint64_t offset, size = dw_recording_torn (recording, &offset);
    if (size > 0) {
        dw_command_say ("%s: the last %" PRIu64 " bytes, from byte %" PRIu64
                        " on, are torn off from what they belonged to: what is before them is "
                        "replayed",
                        file, size, offset);
    } else if (!dw_recording_is_closed (recording)) {
        dw_command_say ("%s: the recording was not closed: its process was ended, or still writes",
                        file);
    }
}

int dw_recording_load (dw_open_recording_t *self, const char *file) {
    size_t size = 0;
    *self = (dw_open_recording_t){0};
    int descriptor = open (file, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    if (descriptor < 0)
        return s_cannot (file, errno);
    int status = s_read (descriptor, file, &self->bytes, &size);
    close (descriptor);
    if (status)
        return status;
    dw_error_t *error = dw_error_new ();
    int err = dw_recording_open (&self->recording, self->bytes, size, file, error);
    if (!err)
        err = dw_replay_new (&self->replay, self->recording, error);
    if (err) {
        status = s_fail (err, error, file);
    } else {
        self->plan = dw_replay_plan (self->replay);
        s_tell_torn (self->recording, file);
    }
    dw_error_destroy (&error);
    return status;
}

void dw_recording_unload (dw_open_recording_t *self) {
    dw_replay_destroy (&self->replay);
    dw_recording_close (&self->recording);
    free (self->bytes);
    self->bytes = NULL;
}

int dw_recording_replay (dw_open_recording_t *self, const dw_watch_t *watch, uint64_t until) {
    dw_error_t *error = dw_error_new ();
    int err = DW_OK;
    for (uint64_t i = 0; !err && (until == 0 || i < until) && !dw_output_failed (); i++)
        err = dw_replay_next (self->replay, watch, error);
    int status = DW_EXIT_OK;
    if (err == DW_EREFUSED) {
        dw_command_show (error);
        dw_command_say ("what was recorded by dagwood %s is not what dagwood %s does",
                        dw_recording_header (self->recording)->dagwood, dw_version ());
        status = DW_EXIT_NOT_OK;
    } else if (err && err != DW_ENOENT) {
        status = s_fail (err, error, "the recording");
    }
    dw_error_destroy (&error);
    return status;
}

/* ---- Names -------------------------------------------------------------------------------- */

uint32_t dw_recording_outer (const dw_open_recording_t *self, const char *id,
                             const char **inner_p) {
    for (uint32_t node = 0; node < self->plan->nodes_count; node++) {
        size_t size = strlen (self->plan->ids[node]);
        if (strncmp (id, self->plan->ids[node], size) == 0 && id[size] == '/' &&
            dw_plan_may_add (self->plan, node)) {
            *inner_p = id + size + 1;
            return node;
        }
    }
    return DW_NONE;
}

void dw_recording_print_id (const dw_plan_t *plan, uint32_t node) {
    dw_output_write_visible (plan->ids[node], strlen (plan->ids[node]));
}

const char *dw_recording_ns (char *text, double ns) {
    if (ns < 1e6)
        snprintf (text, 32, "%.1f us", ns / 1e3);
    else if (ns < 1e9)
        snprintf (text, 32, "%.2f ms", ns / 1e6);
    else
        snprintf (text, 32, "%.3f s", ns / 1e9);
    return text;
}
