/* load.c - dw_graph_load: a graph file read whole, from whatever can be opened and read to its end.
 *
 * A file is read before it is parsed, because JSON is checked as a whole first. Pipes and
 * /dev/stdin work like files; more than DW_CONFIG_BYTES_MAX bytes are never held. */

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "runtime/config.h"

#define PIECE_BYTES 65536u

typedef struct content_t {
    char *bytes;
    size_t size;
    size_t room;
} content_t;

static int s_cannot (const char *file, int number, dw_error_t *error) {
    char buffer[128];
    return dw_error_add (error, DW_EFILE, (dw_place_t){.file = file}, "the file cannot be read: %s",
                         strerror_r (number, buffer, sizeof (buffer)));
}

static int s_too_large (const char *file, dw_error_t *error) {
    return dw_error_add (error, DW_EGRAPH, (dw_place_t){.file = file},
                         "the file is larger than %u MiB, the most that a graph file may have",
                         DW_CONFIG_BYTES_MAX >> 20);
}

/* Makes room for a piece more. */
static bool s_grow (content_t *content) {
    if (content->room - content->size >= PIECE_BYTES)
        return true;
    size_t room = content->room * 2 + PIECE_BYTES;
    char *bytes = realloc (content->bytes, room);
    if (!bytes)
        return false;
    content->bytes = bytes;
    content->room = room;
    return true;
}

/* Reads to the end, or to the first piece with a NUL byte: no graph has one, and what follows it
 * need not be known to say so. */
static int s_read (content_t *content, int descriptor, const char *file, dw_error_t *error) {
    for (;;) {
        if (!s_grow (content))
            return dw_error_add (error, DW_ENOMEM, (dw_place_t){.file = file},
                                 "out of memory while reading the file");
        char *piece = content->bytes + content->size;
        ssize_t count = read (descriptor, piece, content->room - content->size);
        if (count < 0 && errno == EINTR)
            continue;
        if (count < 0)
            return s_cannot (file, errno, error);
        content->size += (size_t) count;
        if (content->size > DW_CONFIG_BYTES_MAX)
            return s_too_large (file, error);
        if (count == 0 || memchr (piece, '\0', (size_t) count))
            return DW_OK;
    }
}

static int s_read_file (content_t *content, const char *file, dw_error_t *error) {
    int descriptor = open (file, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    if (descriptor < 0)
        return s_cannot (file, errno, error);
    struct stat status;
    int err;
    if (fstat (descriptor, &status))
        err = s_cannot (file, errno, error);
    else if (S_ISDIR (status.st_mode))
        err = s_cannot (file, EISDIR, error);
    else if (S_ISREG (status.st_mode) && status.st_size > (off_t) DW_CONFIG_BYTES_MAX)
        err = s_too_large (file, error);
    else
        err = s_read (content, descriptor, file, error);
    close (descriptor);
    return err;
}

static bool s_is_json (const char *file) {
    size_t size = strlen (file);
    return size >= 5 && strcmp (file + size - 5, ".json") == 0;
}

int dw_graph_load (dw_graph_t **self_p, const char *file, dw_error_t *error) {
    return dw_config_load (self_p, file, NULL, error);
}

int dw_config_load (dw_graph_t **self_p, const char *file, const dw_config_check_t *check,
                    dw_error_t *error) {
    if (!self_p || !file)
        return dw_error_add (error, DW_EINVAL, DW_NOWHERE,
                             "dw_graph_load needs a file and a place "
                             "for the graph");
    content_t content = {0};
    int err = s_read_file (&content, file, error);
    if (!err)
        err = dw_config_parse_checked (self_p, content.bytes, content.size, file, s_is_json (file),
                                       check, error);
    free (content.bytes);
    return err;
}
