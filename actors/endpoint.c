/* endpoint.c - where a coordinator may listen. */

#include "actors/endpoint.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "runtime/core/error.h"

#define IPC "ipc://"

/* A port, or * for any: ZeroMQ takes any number and cuts it to 16 bits. */
static bool s_is_port (const char *text) {
    char *end;
    if (strcmp (text, "*") == 0)
        return true;
    unsigned long port = strtoul (text, &end, 10);
    return *text >= '0' && *text <= '9' && *end == '\0' && port > 0 && port <= UINT16_MAX;
}

static bool s_is_local (const char *endpoint) {
    static const char *const prefixes[] = {IPC, "tcp://127.", "tcp://localhost:", "tcp://[::1]:"};
    for (size_t i = 0; i < sizeof prefixes / sizeof *prefixes; i++)
        if (strncmp (endpoint, prefixes[i], strlen (prefixes[i])) == 0)
            return i == 0 || s_is_port (strrchr (endpoint, ':') + 1);
    return false;
}

/* Whether anybody would answer at this file. Only a refusal and a file that is not there say that
 * nobody would: who is busy, or lets nobody in, is somebody too. */
static bool s_is_answered (const struct sockaddr_un *address) {
    int fd = socket (AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return false; /* ZeroMQ will have no descriptor either, and say so */
    int err = connect (fd, (const struct sockaddr *) address, sizeof *address) ? errno : 0;
    close (fd);
    return err != ECONNREFUSED && err != ENOENT;
}

static int s_check_file (const char *endpoint, const char *file, dw_error_t *error) {
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    struct stat status;
    /* Of a name that is too long, or of nothing, ZeroMQ says so; it makes up a file for "*", and for
     * "@NAME" there is none that could be taken away. */
    if (*file == '\0' || *file == '@' || strcmp (file, "*") == 0 ||
        strlen (file) >= sizeof address.sun_path || lstat (file, &status))
        return DW_OK;
    if (!S_ISSOCK (status.st_mode))
        return dw_error_add (error, DW_EINVAL, DW_NOWHERE,
                             "cannot listen on %s: the file is there and is no socket; choose "
                             "another name, or move it away",
                             endpoint);
    memcpy (address.sun_path, file, strlen (file));
    if (!s_is_answered (&address))
        return DW_OK;
    return dw_error_add (error, DW_EINVAL, DW_NOWHERE,
                         "cannot listen on %s: another program listens there; choose another "
                         "endpoint, or end that program first",
                         endpoint);
}

int dw_endpoint_check (const char *endpoint, dw_error_t *error) {
    if (!s_is_local (endpoint))
        return dw_error_add (error, DW_EINVAL, DW_NOWHERE,
                             "\"%s\" is no endpoint on this machine: write ipc://FILE or "
                             "tcp://127.0.0.1:PORT (or :* for any port)",
                             endpoint);
    if (strncmp (endpoint, IPC, strlen (IPC)) == 0)
        return s_check_file (endpoint, endpoint + strlen (IPC), error);
    return DW_OK;
}
