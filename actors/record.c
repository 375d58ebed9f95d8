/* record.c - the coordinator's recording: the file. */

#include "actors/record.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "actors/clock.h"
#include "runtime/core/error.h"

#define WRITE_NS    1000000
#define END_RESERVE 64u /* bytes for an END, whatever the maximum */

/* ---- Writing ---------------------------------------------------------------------------------- */

static void s_give_up (dw_record_file_t *self, const char *why) {
    if (!self->reason &&
        asprintf (&self->reason, "%s: %s%s", self->file, why,
                  self->is_begun ? "; what was recorded until now stays, and the runs go on" : "") <
            0)
        self->reason = NULL;
    self->recorder.is_over = true;
}

/* What was written in part is a torn tail. */
static void s_write (dw_record_file_t *self) {
    size_t at = 0;
    while (at < self->out.count) {
        ssize_t count = write (self->descriptor, self->out.bytes + at, self->out.count - at);
        if (count < 0 && errno == EINTR)
            continue;
        if (count <= 0) {
            char why[160], text[96];
            snprintf (why, sizeof why, "the recording cannot be written (%s)",
                      count ? strerror_r (errno, text, sizeof text) : "no room");
            s_give_up (self, why);
            break;
        }
        at += (size_t) count;
    }
    self->bytes_count += at;
    dw_writer_clear (&self->out);
}

static void s_flush (dw_record_file_t *self, int64_t now_ns) {
    dw_recorder_take (&self->recorder, &self->out);
    if (self->out.no_memory)
        s_give_up (self, "there is no memory to record with");
    s_write (self);
    self->written_ns = now_ns;
}

/* What waits would make it larger than it may become. */
static bool s_is_full (const dw_record_file_t *self) {
    size_t frames = dw_recorder_waiting (&self->recorder) / DW_FRAME_BYTES_MAX + 1;
    return self->bytes_count + dw_recorder_waiting (&self->recorder) + frames * DW_FRAME_HEAD_SIZE +
               END_RESERVE >
           self->bytes_max;
}

/* What waits is left out: a recording may end after any record. */
static void s_end_full (dw_record_file_t *self, int64_t now_ns) {
    char why[96];
    dw_writer_clear (&self->recorder.stream);
    dw_recorder_end (&self->recorder, DW_RECORD_FULL);
    s_flush (self, now_ns);
    snprintf (why, sizeof why,
              "the recording has %" PRIu64 " bytes, and may not become larger than %" PRIu64,
              self->bytes_count, self->bytes_max);
    s_give_up (self, why);
}

bool dw_record_look (dw_record_file_t *self, int64_t now_ns) {
    size_t waiting = dw_recorder_waiting (&self->recorder);
    if (waiting == 0 && !self->recorder.is_over)
        return true;
    if (waiting < DW_FRAME_BYTES_MAX && now_ns - self->written_ns < WRITE_NS &&
        !self->recorder.is_over)
        return true;
    if (s_is_full (self))
        s_end_full (self, now_ns);
    else
        s_flush (self, now_ns);
    if (self->recorder.is_over)
        s_give_up (self, "something came that a recording does not hold");
    return !self->recorder.is_over;
}

int64_t dw_record_deadline_ns (const dw_record_file_t *self) {
    return dw_recorder_waiting (&self->recorder) ? self->written_ns + WRITE_NS : INT64_MAX;
}

/* ---- Opened and closed ------------------------------------------------------------------------ */

static int s_cannot (const char *file, const char *why, dw_error_t *error) {
    return dw_error_add (error, DW_EFILE, (dw_place_t){.file = file},
                         "the recording cannot be written: %s", why);
}

/* A file that is there is overwritten when it is a recording, or empty: a word too many on a
 * command line shall not cost anybody a graph. */
static int s_open_file (dw_record_file_t *self, dw_error_t *error) {
    char text[128], magic[DW_RECORDING_MAGIC_SIZE];
    struct stat status;
    self->descriptor = open (self->file, O_RDWR | O_CREAT | O_CLOEXEC | O_NOCTTY | O_NONBLOCK,
                             S_IRUSR | S_IWUSR);
    if (self->descriptor < 0 || fstat (self->descriptor, &status))
        return s_cannot (self->file, strerror_r (errno, text, sizeof text), error);
    if (S_ISCHR (status.st_mode))
        return DW_OK;
    if (!S_ISREG (status.st_mode))
        return s_cannot (self->file, "it is no file", error);
    if (status.st_size > 0 &&
        (read (self->descriptor, magic, sizeof magic) != (ssize_t) sizeof magic ||
         memcmp (magic, DW_RECORDING_MAGIC, sizeof magic) != 0))
        return s_cannot (
            self->file,
            "there is a file of this name that is no recording, and it is left as it is", error);
    if (ftruncate (self->descriptor, 0) || lseek (self->descriptor, 0, SEEK_SET))
        return s_cannot (self->file, strerror_r (errno, text, sizeof text), error);
    return DW_OK;
}

static int s_begin (dw_record_file_t *self, const dw_recording_header_t *header,
                    dw_error_t *error) {
    uint64_t salt = 0;
    int64_t now_ns = dw_clock_ns ();
    struct timespec calendar;
    dw_recording_header_t dated = *header;
    clock_gettime (CLOCK_REALTIME, &calendar);
    dated.clock_ns = now_ns;
    dated.started_us = (int64_t) calendar.tv_sec * 1000000 + calendar.tv_nsec / 1000;
    if (getrandom (&salt, sizeof salt, 0) != (ssize_t) sizeof salt)
        return dw_error_add (error, DW_ELIMIT, DW_NOWHERE, "the system gives no random bytes");
    dw_recorder_begin (&self->recorder, &dated, salt, &self->out);
    if (self->out.count + END_RESERVE > self->bytes_max)
        return s_cannot (self->file, "its graph alone has more bytes than the recording may have",
                         error);
    s_flush (self, now_ns);
    self->is_begun = true;
    return self->reason ? dw_error_add (error, DW_EFILE, DW_NOWHERE, "%s", self->reason) : DW_OK;
}

int dw_record_open (dw_record_file_t **self_p, const char *file, uint64_t bytes_max,
                    const dw_recording_header_t *header, dw_error_t *error) {
    dw_record_file_t *self = calloc (1, sizeof *self);
    if (!self || !(self->file = strdup (file))) {
        free (self);
        return dw_error_add (error, DW_ENOMEM, DW_NOWHERE, "out of memory");
    }
    self->descriptor = -1;
    self->bytes_max = bytes_max ? bytes_max : DW_RECORD_BYTES_MAX;
    int err = s_open_file (self, error);
    if (!err)
        err = s_begin (self, header, error);
    if (err) {
        self->recorder.is_over = true; /* nothing more is written */
        dw_record_close (&self);
    } else
        *self_p = self;
    return err;
}

void dw_record_close (dw_record_file_t **self_p) {
    dw_record_file_t *self = *self_p;
    if (!self)
        return;
    if (!self->recorder.is_over && s_is_full (self))
        s_end_full (self, 0);
    else if (!self->recorder.is_over) {
        dw_recorder_end (&self->recorder, DW_RECORD_CLOSED);
        s_flush (self, 0);
    }
    if (self->descriptor >= 0)
        close (self->descriptor);
    dw_recorder_free (&self->recorder);
    dw_writer_free (&self->out);
    free (self->reason);
    free (self->file);
    free (self);
    *self_p = NULL;
}
