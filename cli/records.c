/* records.c */

#include "cli/records.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/command.h"

#define BLOCK_SIZE 131072u

int dw_records_open (dw_records_t *self, const char *file, char delimiter) {
    bool is_stdin = strcmp (file, "-") == 0;
    int fd = is_stdin ? STDIN_FILENO : open (file, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return dw_command_cannot_read (file, errno);
    *self = (dw_records_t){.name = is_stdin ? "standard input" : file,
                           .fd = fd,
                           .delimiter = delimiter,
                           .size_max = BLOCK_SIZE};
    return DW_EXIT_OK;
}

void dw_records_close (dw_records_t *self) {
    if (self->fd > STDIN_FILENO)
        close (self->fd);
    free (self->bytes);
    *self = (dw_records_t){0};
}

/* ---- Taking ------------------------------------------------------------------------------- */

/* Passes over what is left of a record that is too large; false: its end was not read yet. */
static bool s_pass_over (dw_records_t *self) {
    const char *from = self->bytes + self->begin;
    const char *end = memchr (from, self->delimiter, self->end - self->begin);
    self->begin = end ? (size_t) (end + 1 - self->bytes) : self->end;
    self->is_passing_over = !end;
    return end;
}

/* The record that begins what was read has size bytes, and one more that ends it unless it is the
 * last. */
static dw_records_next_t s_take (dw_records_t *self, size_t size, const char **text_p,
                                 size_t *size_p) {
    *text_p = self->bytes + self->begin;
    *size_p = size;
    self->begin += size;
    self->begin += self->begin < self->end;
    self->searched = 0;
    self->count++;
    return size > self->size_max ? DW_RECORDS_TOO_LARGE : DW_RECORDS_ONE;
}

dw_records_next_t dw_records_next (dw_records_t *self, const char **text_p, size_t *size_p) {
    if (self->is_passing_over && self->begin < self->end)
        s_pass_over (self);
    size_t size = self->end - self->begin;
    const char *from = size > 0 ? self->bytes + self->begin : NULL;
    const char *end = self->searched < size
                          ? memchr (from + self->searched, self->delimiter, size - self->searched)
                          : NULL;
    if (end)
        return s_take (self, (size_t) (end - from), text_p, size_p);
    self->searched = size;
    if (size > self->size_max) {
        self->is_passing_over = true;
        return s_take (self, size, text_p, size_p);
    }
    if (!self->is_ended)
        return DW_RECORDS_NOT_YET;
    return size > 0 ? s_take (self, size, text_p, size_p) : DW_RECORDS_END;
}

/* ---- Reading ------------------------------------------------------------------------------ */

/* Makes room behind what was read and not taken; false: no memory. */
static bool s_make_room (dw_records_t *self) {
    size_t kept = self->end - self->begin;
    if (kept == 0 && self->room > BLOCK_SIZE) { /* a large record is gone */
        free (self->bytes);
        self->bytes = NULL;
        self->room = 0;
    }
    if (self->begin > 0 && kept > 0)
        memmove (self->bytes, self->bytes + self->begin, kept);
    self->begin = 0;
    self->end = kept;
    if (kept < self->room)
        return true;
    uint64_t most = self->size_max < SIZE_MAX ? self->size_max + 1 : SIZE_MAX;
    size_t room = self->room > 0 ? 2 * self->room : BLOCK_SIZE;
    room = room > BLOCK_SIZE && room > most ? (size_t) most : room;
    char *bytes = realloc (self->bytes, room);
    if (!bytes)
        return false;
    self->bytes = bytes;
    self->room = room;
    return true;
}

int dw_records_read (dw_records_t *self) {
    if (!s_make_room (self))
        return dw_command_cannot_read (self->name, ENOMEM);
    ssize_t got = read (self->fd, self->bytes + self->end, self->room - self->end);
    if (got > 0)
        self->end += (size_t) got;
    else if (got == 0)
        self->is_ended = true;
    else if (errno != EINTR && errno != EAGAIN)
        return dw_command_cannot_read (self->name, errno);
    return DW_EXIT_OK;
}
