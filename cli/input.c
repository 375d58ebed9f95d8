/* input.c */

#include "cli/input.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/command.h"

#define FIRST_SIZE 65536
#define REMEDY     "; executor_options in the graph can raise it"

static int s_refuse_size (const char *name, uint64_t size, uint64_t size_max) {
    dw_command_say ("%s has %" PRIu64 " bytes, more than max_payload_bytes (%" PRIu64
                    ") allows" REMEDY,
                    name, size, size_max);
    return DW_EXIT_INPUT;
}

/* Its size is not known: no more was read. */
static int s_refuse_stream (const char *name, uint64_t size_max) {
    dw_command_say ("%s has more bytes than max_payload_bytes (%" PRIu64 ") allows" REMEDY, name,
                    size_max);
    return DW_EXIT_INPUT;
}

int dw_input_take (dw_input_t *self, const char *text, uint64_t size_max) {
    size_t size = strlen (text);
    if (size > size_max)
        return s_refuse_size ("--input", size, size_max);
    *self = (dw_input_t){.text = text, .size = size};
    return DW_EXIT_OK;
}

/* Fills the room with what fd gives; false and errno when it cannot be read. */
static bool s_fill (int fd, char *memory, size_t room, size_t *used_p, bool *ended_p) {
    while (*used_p < room) {
        ssize_t got = read (fd, memory + *used_p, room - *used_p);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return false;
        if (got == 0) {
            *ended_p = true;
            return true;
        }
        *used_p += (size_t) got;
    }
    return true;
}

/* Reads fd to its end, or to one byte more than size_max. expected: how much room to begin with. */
static int s_read (dw_input_t *self, int fd, const char *name, size_t expected, uint64_t size_max) {
    size_t room_max = size_max < SIZE_MAX ? (size_t) size_max + 1 : SIZE_MAX;
    size_t room = 0;
    size_t used = 0;
    char *memory = NULL;
    bool ended = false;
    while (!ended && used < room_max) {
        size_t wanted = room == 0 ? expected : 2 * room;
        room = wanted < room_max ? wanted : room_max;
        char *larger = realloc (memory, room);
        if (!larger) {
            free (memory);
            return dw_command_cannot_read (name, ENOMEM);
        }
        memory = larger;
        if (!s_fill (fd, memory, room, &used, &ended)) {
            int reason = errno;
            free (memory);
            return dw_command_cannot_read (name, reason);
        }
    }
    if (used > size_max) {
        free (memory);
        return s_refuse_stream (name, size_max);
    }
    *self = (dw_input_t){.text = memory, .size = used, .memory = memory};
    return DW_EXIT_OK;
}

int dw_input_read_file (dw_input_t *self, const char *file, uint64_t size_max) {
    int fd = open (file, O_RDONLY | O_CLOEXEC);
    struct stat about;
    if (fd < 0 || fstat (fd, &about) < 0) {
        int reason = errno;
        if (fd >= 0)
            close (fd);
        return dw_command_cannot_read (file, reason);
    }
    uint64_t size = S_ISREG (about.st_mode) ? (uint64_t) about.st_size : 0;
    int status;
    if (size > size_max)
        status = s_refuse_size (file, size, size_max);
    else /* One byte more finds the end at the first try. */
        status = s_read (self, fd, file, size > 0 ? (size_t) size + 1 : FIRST_SIZE, size_max);
    close (fd);
    return status;
}

int dw_input_read_stdin (dw_input_t *self, uint64_t size_max) {
    return s_read (self, STDIN_FILENO, "standard input", FIRST_SIZE, size_max);
}

void dw_input_free (dw_input_t *self) {
    free (self->memory);
    dw_records_close (&self->records);
    *self = (dw_input_t){0};
}
