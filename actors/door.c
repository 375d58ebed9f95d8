/* door.c - a listening socket's connections, counted by its monitor; at the cap somebody has to go,
 * or the door is shut. */

#include "actors/door.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/filter.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>
#include <zmq.h>

/* Debian's netinet/tcp.h has not all that the kernel tells. */
#include <linux/tcp.h>

#include "actors/actor.h"
#include "actors/endpoint.h"
#include "actors/option.h"
#include "runtime/core/error.h"

#define STACK_BYTES    (256u << 10)
#define IPC            "ipc://"
#define ENDPOINT_BYTES 256
#define EVENTS_MAX     1024                  /* taken in before somebody has to go */
#define TOLD_MAX       10                    /* the owner need not look */
#define LOOKS_MAX      8u                    /* at guests, to find who has to go */
#define AHEAD_MAX      (DW_DOOR_BACKLOG / 2) /* guests that were cut and are not gone */
#define DEAF_TIMES     5  /* each twice as long as the one before: 6 s and more */
#define GREETING_BYTES 64 /* of ZMTP 3: what whoever is no peer can say, too */
#define EVENTS         (ZMQ_EVENT_LISTENING | ZMQ_EVENT_ACCEPTED | ZMQ_EVENT_DISCONNECTED)

enum { ORDERS, EVENTS_OF_SOCKET, SOCKETS_COUNT };

/* Somebody who has come in. */
typedef struct s_guest_t {
    int fd;
    uint32_t inode; /* of the connection, for numbers are given to others */
    bool is_in;     /* it was welcomed */
    bool is_cut;    /* ZeroMQ will find that, and tell */
} s_guest_t;

/* What the owner says of one: it is in, or it has to go. */
typedef struct s_word_t {
    dw_door_guest_t guest;
    bool is_in;
} s_word_t;

struct dw_door_t {
    dw_actor_t actor;
    void *socket; /* that listens */
    void *orders; /* the owner's end */
    /* The actor's own, from its start on. */
    void *sockets[SOCKETS_COUNT];
    s_guest_t *guests; /* in the order in which they came */
    uint32_t count, size, cut_count;
    uint32_t connections_max;
    int fd;                                                 /* that listens; -1: it does not yet */
    int held_fd;                                            /* what is cut */
    uint16_t port;                                          /* of TCP */
    char path[sizeof ((struct sockaddr_un *) 0)->sun_path]; /* of ipc, as the kernel has it */
    char file[ENDPOINT_BYTES];                              /* of that; "": none */
    mode_t mode;                                            /* of that */
    bool is_shut;
};

/* ---- Who has to go ---------------------------------------------------------------------------- */

/* A port of TCP in host order; 0: it is no such socket. */
static uint16_t s_port_of (int fd) {
    struct sockaddr_storage address = {.ss_family = AF_UNSPEC};
    socklen_t size = sizeof address;
    if (getsockname (fd, (struct sockaddr *) &address, &size))
        return 0;
    if (address.ss_family == AF_INET)
        return ntohs (((struct sockaddr_in *) &address)->sin_port);
    return address.ss_family == AF_INET6 ? ntohs (((struct sockaddr_in6 *) &address)->sin6_port)
                                         : 0;
}

/* ZeroMQ may close a guest's descriptor while it is looked at here, and its number be somebody
 * else's: that is a race that nothing prevents, which is why every guest has an inode. */
static uint32_t s_inode_of (int fd) {
    struct statx status;
    return statx (fd, "", AT_EMPTY_PATH, STATX_INO, &status) == 0 ? (uint32_t) status.stx_ino : 0;
}

/* Makes held a descriptor of what fd is one of, whatever that is by now. Not by dup3 of the C
 * library, of which a thread sanitizer believes that nobody else may close fd. */
static bool s_hold (int fd, int held) {
    return syscall (SYS_dup3, fd, held, O_CLOEXEC) == held;
}

/* Whether it is a connection to the socket that listens. */
static bool s_is_guest (const dw_door_t *self, int fd) {
    struct sockaddr_un address = {.sun_path = ""};
    socklen_t size = sizeof address - 1;
    if (self->port)
        return s_port_of (fd) == self->port;
    return getsockname (fd, (struct sockaddr *) &address, &size) == 0 &&
           address.sun_family == AF_UNIX &&
           memcmp (address.sun_path, self->path, sizeof self->path) == 0;
}

/* How many bytes have come; of ipc nobody tells. */
static uint64_t s_bytes_said (const dw_door_t *self, int fd) {
    struct tcp_info info = {0};
    socklen_t size = sizeof info;
    return self->port && getsockopt (fd, IPPROTO_TCP, TCP_INFO, &info, &size) == 0
               ? info.tcpi_bytes_received
               : 0;
}

/* ZeroMQ may have closed the connection meanwhile, and its number may be that of anything else: so
 * it is held by a descriptor of one's own, and must be a guest. That is there from the start, for
 * there may be no others left; it holds the last one that was cut until the next. */
static void s_cut (dw_door_t *self, s_guest_t *guest) {
    if (s_hold (guest->fd, self->held_fd) && s_inode_of (self->held_fd) == guest->inode &&
        s_is_guest (self, self->held_fd))
        shutdown (self->held_fd, SHUT_RDWR);
    guest->is_cut = true; /* or gone already: ZeroMQ has told, or will */
    self->cut_count++;
}

/* How much more than silence: the less, the sooner one has to go. */
static unsigned s_rank (const dw_door_t *self, const s_guest_t *guest) {
    uint64_t bytes = s_bytes_said (self, guest->fd);
    return bytes == 0 ? 0 : bytes <= GREETING_BYTES ? 1 : 2;
}

/* Cuts one of those who came first and are not in: the first of those who have said least. Who came
 * last has had no time to say anything. False: there is none. */
static bool s_cut_one (dw_door_t *self) {
    s_guest_t *chosen = NULL;
    unsigned least = UINT_MAX, looks = 0;
    for (uint32_t i = 0; i + 1 < self->count && looks < LOOKS_MAX && least > 0; i++) {
        s_guest_t *guest = &self->guests[i];
        if (guest->is_in || guest->is_cut)
            continue;
        unsigned rank = s_rank (self, guest);
        if (rank < least) {
            least = rank;
            chosen = guest;
        }
        looks++;
    }
    if (chosen)
        s_cut (self, chosen);
    return chosen;
}

/* ---- Shut and open ---------------------------------------------------------------------------- */

static void s_set_mode (const dw_door_t *self, mode_t mode) {
    (void) fchmodat (AT_FDCWD, self->file, mode, AT_SYMLINK_NOFOLLOW); /* else it stays as it was */
}

static void s_shut (dw_door_t *self) {
    struct sock_filter nothing = BPF_STMT (BPF_RET | BPF_K, 0);
    struct sock_fprog program = {.len = 1, .filter = &nothing};
    self->is_shut = true;
    if (self->mode)
        s_set_mode (self, 0);
    else if (self->port)
        setsockopt (self->fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof program);
}

static void s_open (dw_door_t *self) {
    int none = 0;
    self->is_shut = false;
    if (self->mode)
        s_set_mode (self, self->mode);
    else if (self->port)
        setsockopt (self->fd, SOL_SOCKET, SO_DETACH_FILTER, &none, sizeof none);
}

static bool s_is_full (const dw_door_t *self) {
    return self->count - self->cut_count >= self->connections_max;
}

/* They come faster than those who were cut are gone. */
static bool s_is_overrun (const dw_door_t *self) {
    return self->count >= self->connections_max + AHEAD_MAX;
}

/* Makes room for the next one to come. Each one that is cut takes its time, in which others come:
 * so the door is shut first when they are too many, and opened last. */
static void s_settle (dw_door_t *self) {
    bool is_full = s_is_full (self);
    if (s_is_overrun (self) && !self->is_shut)
        s_shut (self);
    while (s_is_full (self) && s_cut_one (self))
        continue;
    bool has_room = !s_is_full (self) &&
                    !s_is_overrun (self); /* else nobody is left who could go */
    if (!has_room && !self->is_shut)
        s_shut (self);
    else if (has_room && self->is_shut)
        s_open (self);
    if (is_full)
        zmq_send (self->sockets[ORDERS], "", 0, ZMQ_DONTWAIT); /* the owner may look, or not */
}

/* ---- What ZeroMQ tells ------------------------------------------------------------------------ */

static void s_on_listening (dw_door_t *self, int fd, const char *endpoint) {
    struct stat status;
    struct sockaddr_un address = {.sun_path = ""};
    socklen_t size = sizeof address;
    self->fd = fd;
    self->port = s_port_of (fd);
    if (!self->port && getsockname (fd, (struct sockaddr *) &address, &size) == 0)
        memcpy (self->path, address.sun_path, sizeof self->path);
    if (self->port || strncmp (endpoint, IPC, strlen (IPC)) != 0)
        return;
    snprintf (self->file, sizeof self->file, "%s", endpoint + strlen (IPC));
    if (lstat (self->file, &status) == 0 && S_ISSOCK (status.st_mode)) /* else one of Linux's own */
        self->mode = status.st_mode & 07777;
}

static void s_on_accepted (dw_door_t *self, int fd) {
    if (self->count == self->size) {
        uint32_t size = self->size ? 2 * self->size : 64;
        s_guest_t *guests = realloc (self->guests, size * sizeof *guests);
        if (!guests)
            return; /* it is not counted, which is no worse than no door */
        self->guests = guests;
        self->size = size;
    }
    self->guests[self->count++] = (s_guest_t){.fd = fd, .inode = s_inode_of (fd)};
}

static void s_on_disconnected (dw_door_t *self, int fd) {
    for (uint32_t i = 0; i < self->count; i++)
        if (self->guests[i].fd == fd) {
            self->cut_count -= self->guests[i].is_cut;
            self->count--;
            memmove (self->guests + i, self->guests + i + 1,
                     (self->count - i) * sizeof *self->guests);
            return;
        }
}

/* An event is a frame with its number and value, and one with the endpoint. False: none is there,
 * or the context is shut down. */
static bool s_take_event (dw_door_t *self) {
    uint8_t bytes[6];
    char endpoint[ENDPOINT_BYTES];
    uint16_t event;
    uint32_t value;
    void *socket = self->sockets[EVENTS_OF_SOCKET];
    int size = zmq_recv (socket, bytes, sizeof bytes, ZMQ_DONTWAIT);
    if (size < 0)
        return errno == EINTR;
    int endpoint_size = zmq_recv (socket, endpoint, sizeof endpoint - 1, ZMQ_DONTWAIT);
    if (size != (int) sizeof bytes || endpoint_size < 0 || endpoint_size >= (int) sizeof endpoint)
        return true;
    endpoint[endpoint_size] = '\0';
    memcpy (&event, bytes, sizeof event);
    memcpy (&value, bytes + sizeof event, sizeof value);
    if (event == ZMQ_EVENT_LISTENING)
        s_on_listening (self, (int) value, endpoint);
    else if (event == ZMQ_EVENT_ACCEPTED)
        s_on_accepted (self, (int) value);
    else if (event == ZMQ_EVENT_DISCONNECTED)
        s_on_disconnected (self, (int) value);
    return true;
}

/* All of it before it is judged who has to go: a number may be somebody else's since. */
static void s_take_events (dw_door_t *self) {
    for (int i = 0; i < EVENTS_MAX && s_take_event (self); i++)
        continue;
    s_settle (self);
}

/* Takes what its owner says of a guest; nothing: to end. What ZeroMQ told before that is taken
 * first. False: it is to end. */
static bool s_take_word (dw_door_t *self) {
    s_word_t word;
    int size = zmq_recv (self->sockets[ORDERS], &word, sizeof word, ZMQ_DONTWAIT);
    if (size < 0)
        return errno == EAGAIN || errno == EINTR;
    while (s_take_event (self))
        continue;
    for (uint32_t i = 0; size == (int) sizeof word && i < self->count; i++) {
        s_guest_t *guest = &self->guests[i];
        bool is_meant = guest->fd == word.guest.fd && guest->inode == word.guest.inode;
        if (is_meant && word.is_in)
            guest->is_in = true;
        else if (is_meant && !guest->is_cut)
            s_cut (self, guest);
    }
    return size == (int) sizeof word;
}

/* Sleeps until somebody has something to tell; it ends with the context, too. */
static void *s_door_actor (void *args) {
    dw_door_t *self = args;
    while (dw_actor_wait (self->sockets, SOCKETS_COUNT, 0, INT64_MAX) && s_take_word (self))
        s_take_events (self);
    if (self->is_shut)
        s_open (self);
    return NULL;
}

/* ---- Its owner -------------------------------------------------------------------------------- */

static int s_refuse (dw_error_t *error) {
    return dw_error_add (error, DW_ELIMIT, DW_NOWHERE,
                         "no socket to count connections (%s): raise the limit of open files "
                         "(ulimit -n)",
                         zmq_strerror (errno));
}

/* waiting_max: messages that wait to be received, on top of as many that wait to be sent; 0: any
 * number. */
static int s_connect (void **socket_p, void *context, const char *name, int waiting_max,
                      dw_error_t *error) {
    const dw_socket_option_t options[] = {DW_SOCKET_OPTION (ZMQ_LINGER, 0),
                                          DW_SOCKET_OPTION (ZMQ_RCVHWM, waiting_max)};
    *socket_p = zmq_socket (context, ZMQ_PAIR);
    if (!*socket_p)
        return s_refuse (error);
    int err = dw_socket_options_set (*socket_p, options, 2, error);
    return err || zmq_connect (*socket_p, name) == 0 ? err : s_refuse (error);
}

static int s_make (dw_door_t *self, void *context, dw_error_t *error) {
    static const dw_socket_option_t options[] = {DW_SOCKET_OPTION (ZMQ_LINGER, 0)};
    char orders[64], events[64];
    snprintf (orders, sizeof orders, "inproc://door-orders-%p", self->socket);
    snprintf (events, sizeof events, "inproc://door-events-%p", self->socket);
    self->sockets[ORDERS] = zmq_socket (context, ZMQ_PAIR);
    if (!self->sockets[ORDERS])
        return s_refuse (error);
    int err = dw_socket_options_set (self->sockets[ORDERS], options, 1, error);
    if (!err)
        err = dw_endpoint_bind_inproc (self->sockets[ORDERS], orders, error);
    if (!err)
        err = s_connect (&self->orders, context, orders, TOLD_MAX, error);
    if (!err && zmq_socket_monitor (self->socket, events, EVENTS))
        err = s_refuse (error);
    if (!err) /* else ZeroMQ would wait for its reader, with all connections, while the owner waits for it */
        err = s_connect (&self->sockets[EVENTS_OF_SOCKET], context, events, 0, error);
    if (!err && dw_actor_start (&self->actor, "dw-door", STACK_BYTES, s_door_actor, self))
        err = dw_error_add (error, DW_ELIMIT, DW_NOWHERE,
                            "no thread to count connections: raise the limit of threads "
                            "(RLIMIT_NPROC, ulimit -u) or of memory");
    return err;
}

int dw_door_new (dw_door_t **self_p, void *context, void *socket, uint32_t connections_max,
                 dw_error_t *error) {
    static const dw_socket_option_t options[] = {DW_SOCKET_OPTION (ZMQ_BACKLOG, DW_DOOR_BACKLOG)};
    dw_door_t *self = calloc (1, sizeof *self);
    if (!self)
        return dw_error_add (error, DW_ENOMEM, DW_NOWHERE, "out of memory");
    *self = (dw_door_t){.socket = socket, .connections_max = connections_max, .fd = -1};
    self->held_fd = eventfd (0, EFD_CLOEXEC);
    int err = self->held_fd < 0 ? s_refuse (error)
                                : dw_socket_options_set (socket, options, 1, error);
    if (!err)
        err = s_make (self, context, error);
    if (err)
        dw_door_destroy (&self);
    else
        *self_p = self;
    return err;
}

dw_door_guest_t dw_door_guest (zmq_msg_t *frame) {
    int fd = zmq_msg_get (frame, ZMQ_SRCFD);
    return (dw_door_guest_t){.fd = fd, .inode = fd < 0 ? 0 : s_inode_of (fd)};
}

bool dw_door_is_cut_off (dw_door_guest_t guest) {
    struct tcp_info info = {0};
    socklen_t size = sizeof info;
    if (guest.fd < 0)
        return false;
    if (guest.inode == 0 || s_inode_of (guest.fd) != guest.inode)
        return true; /* ZeroMQ has closed it */
    return getsockopt (guest.fd, IPPROTO_TCP, TCP_INFO, &info, &size) == 0 &&
           info.tcpi_retransmits >= DEAF_TIMES;
}

static void s_say (dw_door_t *self, dw_door_guest_t guest, bool is_in) {
    s_word_t word = {.guest = guest, .is_in = is_in};
    if (guest.fd >= 0)
        zmq_send (self->orders, &word, sizeof word, ZMQ_DONTWAIT);
}

void dw_door_let_in (dw_door_t *self, dw_door_guest_t guest) {
    s_say (self, guest, true);
}

void dw_door_cut (dw_door_t *self, dw_door_guest_t guest) {
    s_say (self, guest, false);
}

uint32_t dw_door_full_count (dw_door_t *self) {
    char byte;
    uint32_t count = 0;
    while (zmq_recv (self->orders, &byte, sizeof byte, ZMQ_DONTWAIT) >= 0)
        count++;
    return count;
}

void dw_door_destroy (dw_door_t **self_p) {
    dw_door_t *self = *self_p;
    if (!self)
        return;
    if (self->actor.is_running) { /* in a context that is shut down it ends by itself */
        while (zmq_send (self->orders, "", 0, 0) < 0 && errno == EINTR)
            continue;
        dw_actor_join (&self->actor, INT64_MAX);
    }
    zmq_socket_monitor (self->socket, NULL, 0);
    for (int i = 0; i < SOCKETS_COUNT; i++)
        if (self->sockets[i])
            zmq_close (self->sockets[i]);
    if (self->orders)
        zmq_close (self->orders);
    if (self->held_fd >= 0)
        close (self->held_fd);
    free (self->guests);
    free (self);
    *self_p = NULL;
}
