/* trusted.c - files that decide who is let in. */

#include "actors/trusted.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "runtime/core/error.h"

#define REASON_BYTES 128

/* ---- Read ------------------------------------------------------------------------------------- */

static int s_cannot_read (const char *file, int reason, dw_error_t *error) {
    char buffer[REASON_BYTES];
    if (reason == ELOOP)
        return dw_error_add (error, DW_EKEY, (dw_place_t){.file = file},
                             "it is a symbolic link, which is not followed: name the file itself");
    return dw_error_add (error, DW_EKEY, (dw_place_t){.file = file}, "it cannot be read: %s",
                         strerror_r (reason, buffer, sizeof buffer));
}

/* What is the owner's matter: the type has been looked at. */
static int s_check_owner (const struct stat *status, const char *name, mode_t refused,
                          dw_error_t *error) {
    dw_place_t place = {.file = name};
    unsigned mode = status->st_mode & 07777u;
    if (status->st_uid != geteuid () && status->st_uid != 0)
        return dw_error_add (error, DW_EKEY, place,
                             "it belongs to user %u, not to user %u, who runs this: chown it",
                             (unsigned) status->st_uid, (unsigned) geteuid ());
    if (mode & refused)
        return dw_error_add (error, DW_EKEY, place, "others may %s it (mode %04o): chmod %s it",
                             refused == DW_TRUSTED_SECRET ? "read or write" : "write", mode,
                             refused == DW_TRUSTED_SECRET ? "go=" : "go-w");
    return DW_OK;
}

static int s_check_file (int fd, const char *file, mode_t refused, size_t size_max, size_t *size_p,
                         dw_error_t *error) {
    struct stat status;
    if (fstat (fd, &status))
        return s_cannot_read (file, errno, error);
    if (!S_ISREG (status.st_mode))
        return dw_error_add (error, DW_EKEY, (dw_place_t){.file = file}, "it is no regular file");
    int err = s_check_owner (&status, file, refused, error);
    if (err)
        return err;
    if (status.st_size < 0 || (uint64_t) status.st_size > size_max)
        return dw_error_add (error, DW_EKEY, (dw_place_t){.file = file},
                             "it has more than %zu bytes, the most that it may have", size_max);
    *size_p = (size_t) status.st_size;
    return DW_OK;
}

/* As many bytes as the file had when it was looked at, or fewer if it has them no more. */
static int s_read (int fd, char *text, size_t *size_p) {
    size_t used = 0;
    while (used < *size_p) {
        ssize_t got = read (fd, text + used, *size_p - used);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return errno;
        if (got == 0)
            break;
        used += (size_t) got;
    }
    *size_p = used;
    text[used] = '\0';
    return 0;
}

static int s_read_file (int fd, char **text_p, size_t *size_p, const char *file, mode_t refused,
                        size_t size_max, dw_error_t *error) {
    size_t size = 0;
    int err = s_check_file (fd, file, refused, size_max, &size, error);
    if (err)
        return err;
    char *text = malloc (size + 1);
    if (!text)
        return dw_error_add (error, DW_ENOMEM, (dw_place_t){.file = file},
                             "out of memory while reading the file");
    int reason = s_read (fd, text, &size);
    if (reason) {
        dw_trusted_free (&text, size);
        return s_cannot_read (file, reason, error);
    }
    *text_p = text;
    *size_p = size;
    return DW_OK;
}

int dw_trusted_read (char **text_p, size_t *size_p, const char *file, mode_t refused,
                     size_t size_max, dw_error_t *error) {
    int fd = open (file, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (fd < 0)
        return s_cannot_read (file, errno, error);
    int err = s_read_file (fd, text_p, size_p, file, refused, size_max, error);
    close (fd);
    return err;
}

void dw_trusted_free (char **text_p, size_t size) {
    if (*text_p)
        explicit_bzero (*text_p, size);
    free (*text_p);
    *text_p = NULL;
}

int dw_trusted_folder (const char *folder, dw_error_t *error) {
    struct stat status;
    int fd = open (folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0 || fstat (fd, &status)) {
        int reason = errno;
        if (fd >= 0)
            close (fd);
        return s_cannot_read (folder, reason, error);
    }
    close (fd);
    return s_check_owner (&status, folder, DW_TRUSTED_PUBLIC, error);
}

/* ---- Written ---------------------------------------------------------------------------------- */

static int s_write_all (int fd, const char *text, size_t size) {
    while (size > 0) {
        ssize_t written = write (fd, text, size);
        if (written < 0 && errno == EINTR)
            continue;
        if (written < 0)
            return errno;
        text += written;
        size -= (size_t) written;
    }
    return fsync (fd) ? errno : 0;
}

static int s_cannot_write (const char *file, int reason, dw_error_t *error) {
    char buffer[REASON_BYTES];
    if (reason == EEXIST)
        return dw_error_add (error, DW_EFILE, (dw_place_t){.file = file},
                             "it is there already, and is not overwritten: choose another name, or "
                             "move it away");
    return dw_error_add (error, DW_EFILE, (dw_place_t){.file = file}, "it cannot be written: %s",
                         strerror_r (reason, buffer, sizeof buffer));
}

int dw_trusted_write (const char *file, mode_t mode, const char *text, dw_error_t *error) {
    /* O_EXCL follows no symbolic link either. Nobody else can open it before it has its mode. */
    int fd = open (file, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0)
        return s_cannot_write (file, errno, error);
    int reason = fchmod (fd, mode) ? errno : s_write_all (fd, text, strlen (text));
    if (close (fd) && !reason)
        reason = errno;
    if (!reason)
        return DW_OK;
    unlink (file);
    return s_cannot_write (file, reason, error);
}
