/* endpoint.c - where a coordinator may listen, and the only functions that make a socket listen. */

#include "actors/endpoint.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>
#include <zmq.h>

#include "actors/option.h"
#include "actors/zap.h"
#include "runtime/core/error.h"

#define IPC        "ipc://"
#define TCP        "tcp://"
#define INPROC     "inproc://"
#define HOST_BYTES 256u

/* ---- Reach ------------------------------------------------------------------------------------ */

/* ZeroMQ takes any number and cuts it to 16 bits, or to its first digits. */
static bool s_is_port (const char *text) {
    if (strcmp (text, "*") == 0 || strcmp (text, "0") == 0)
        return true;
    size_t size = strspn (text, "0123456789");
    unsigned long port = size > 0 && size <= 5 && text[size] == '\0' ? strtoul (text, NULL, 10) : 0;
    return port > 0 && port <= UINT16_MAX;
}

/* What stands in brackets: an address of IPv6, which may have a zone behind it. */
static dw_reach_t s_reach_6 (char *text) {
    static const unsigned char mapped[12] = {[10] = 0xff, [11] = 0xff};
    struct in6_addr address;
    char *zone = strchr (text, '%');
    if (zone)
        *zone = '\0';
    if (inet_pton (AF_INET6, text, &address) != 1 || (zone && zone[1] == '\0'))
        return DW_REACH_NONE;
    bool is_loopback = memcmp (&address, &in6addr_loopback, sizeof address) == 0;
    bool is_mapped = memcmp (address.s6_addr, mapped, sizeof mapped) == 0; /* RFC 4291, 2.5.5.2 */
    if (!zone && (is_loopback || (is_mapped && address.s6_addr[12] == 127)))
        return DW_REACH_MACHINE;
    return DW_REACH_BEYOND;
}

/* Only four plain decimal numbers are an address here; whatever else ZeroMQ would take for one, or
 * for a name, is told from nothing. */
static dw_reach_t s_reach_4 (const char *text) {
    struct in_addr address;
    if (strcmp (text, "*") == 0)
        return DW_REACH_BEYOND;
    if (inet_pton (AF_INET, text, &address) == 1)
        return ntohl (address.s_addr) >> 24 == 127 ? DW_REACH_MACHINE : DW_REACH_BEYOND;
    size_t size = strspn (text,
                          "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._");
    return size > 0 && text[size] == '\0' ? DW_REACH_BEYOND : DW_REACH_NONE;
}

static dw_reach_t s_reach_tcp (const char *address) {
    char host[HOST_BYTES];
    const char *colon = strrchr (address, ':');
    size_t size = colon ? (size_t) (colon - address) : 0;
    if (size == 0 || size >= sizeof host || !s_is_port (colon + 1))
        return DW_REACH_NONE;
    memcpy (host, address, size);
    host[size] = '\0';
    if (host[0] != '[')
        return s_reach_4 (host);
    if (host[size - 1] != ']')
        return DW_REACH_NONE;
    host[size - 1] = '\0';
    return s_reach_6 (host + 1);
}

static bool s_begins (const char *text, const char *with) {
    return strncmp (text, with, strlen (with)) == 0;
}

dw_reach_t dw_endpoint_reach (const char *endpoint) {
    if (s_begins (endpoint, TCP))
        return s_reach_tcp (endpoint + strlen (TCP));
    return s_begins (endpoint, IPC) && endpoint[strlen (IPC)] ? DW_REACH_MACHINE : DW_REACH_NONE;
}

/* ---- Files ------------------------------------------------------------------------------------ */

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
    /* Of a name that is too long, or of nothing, ZeroMQ says so; it makes up a file for "*", and
     * for "@NAME" there is none that could be taken away. */
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

/* ---- Checked ---------------------------------------------------------------------------------- */

static int s_refuse_beyond (const char *endpoint, dw_error_t *error) {
    return dw_error_add (error, DW_EKEY, DW_NOWHERE,
                         "cannot listen on %s, which other machines may reach, without keys and a "
                         "list of those who are allowed; without keys write ipc://FILE or "
                         "tcp://127.0.0.1:PORT (or :* for any port)",
                         endpoint);
}

bool dw_endpoint_has_transport (const char *endpoint) {
    return strstr (endpoint, "://") != NULL;
}

/* Of what is written like an endpoint of ZeroMQ it is the transport that is none here. */
static const char *s_why_none (const char *endpoint) {
    bool is_ours = s_begins (endpoint, TCP) || s_begins (endpoint, IPC);
    return dw_endpoint_has_transport (endpoint) && !is_ours ? " (its transport is not allowed)"
                                                            : "";
}

int dw_endpoint_check (const char *endpoint, void *socket, dw_error_t *error) {
    switch (dw_endpoint_reach (endpoint)) {
        case DW_REACH_MACHINE: break;
        case DW_REACH_BEYOND:
            return dw_zap_is_guarded (socket) ? DW_OK : s_refuse_beyond (endpoint, error);
        case DW_REACH_NONE:
            return dw_error_add (error, DW_EINVAL, DW_NOWHERE,
                                 "\"%s\" is no endpoint to listen on%s: write ipc://FILE or "
                                 "tcp://127.0.0.1:PORT (or :* for any port)",
                                 endpoint, s_why_none (endpoint));
    }
    if (s_begins (endpoint, IPC))
        return s_check_file (endpoint, endpoint + strlen (IPC), error);
    return DW_OK;
}

/* ---- Bound ------------------------------------------------------------------------------------ */

int dw_endpoint_prepare (void *socket, const char *endpoint, dw_error_t *error) {
    /* Not for names and *: with it ZeroMQ would take them for addresses of IPv6, too. */
    static const dw_socket_option_t is_6[] = {DW_SOCKET_OPTION (ZMQ_IPV6, 1)};
    return s_begins (endpoint, TCP "[") ? dw_socket_options_set (socket, is_6, 1, error) : DW_OK;
}

/* The only call of zmq_bind for the actors' own sockets. */
static int s_bind (void *socket, const char *endpoint, dw_error_t *error) {
    if (zmq_bind (socket, endpoint) == 0)
        return DW_OK;
    return dw_error_add (error, DW_EINVAL, DW_NOWHERE, "cannot listen on %s: %s%s", endpoint,
                         zmq_strerror (errno),
                         errno == EADDRINUSE ? "; choose another endpoint, or end the program "
                                               "that listens there first"
                                             : "");
}

int dw_endpoint_bind (void *socket, const char *endpoint, char *bound, size_t size,
                      dw_error_t *error) {
    int err = dw_endpoint_check (endpoint, socket, error);
    if (!err)
        err = dw_endpoint_prepare (socket, endpoint, error);
    if (!err)
        err = s_bind (socket, endpoint, error);
    if (err)
        return err;
    if (zmq_getsockopt (socket, ZMQ_LAST_ENDPOINT, bound, &size)) {
        zmq_unbind (socket, endpoint);
        return dw_error_add (error, DW_EINVAL, DW_NOWHERE, "\"%s\" is too long", endpoint);
    }
    if (dw_endpoint_reach (bound) != DW_REACH_MACHINE && !dw_zap_is_guarded (socket)) {
        zmq_unbind (socket, bound);
        return s_refuse_beyond (bound, error);
    }
    return DW_OK;
}

int dw_endpoint_bind_inproc (void *socket, const char *endpoint, dw_error_t *error) {
    if (s_begins (endpoint, INPROC))
        return s_bind (socket, endpoint, error);
    return dw_error_add (error, DW_EINVAL, DW_NOWHERE, "\"%s\" is not within this process",
                         endpoint);
}
