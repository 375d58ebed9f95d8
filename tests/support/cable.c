/* cable.c - a line that a test cuts, holds and lets go. */

#include "tests/support/cable.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define PAIRS_MAX  64
#define PIECE_SIZE 1500 /* small, so that a cut is in the middle of messages */

struct cable_t {
    pthread_t thread;
    int listener;
    uint16_t target_port;
    char endpoint[64];
    atomic_bool is_held, is_over;
    atomic_uint cuts_wanted, cuts_done, cut_count;
    int pairs[PAIRS_MAX][2]; /* the thread's; -1: none */
};

static struct sockaddr_in s_address (uint16_t port) {
    return (struct sockaddr_in){.sin_family = AF_INET,
                                .sin_port = htons (port),
                                .sin_addr.s_addr = htonl (INADDR_LOOPBACK)};
}

static void s_end (cable_t *self, int i) {
    /* Reset, not closed: what was sent and not yet read is lost, as with a line that is cut. */
    struct linger reset = {.l_onoff = 1};
    for (int k = 0; k < 2; k++) {
        setsockopt (self->pairs[i][k], SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
        close (self->pairs[i][k]);
        self->pairs[i][k] = -1;
    }
}

static void s_accept (cable_t *self) {
    int yes = 1, i = 0;
    struct sockaddr_in address = s_address (self->target_port);
    int a = accept (self->listener, NULL, NULL),
        b = socket (AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    while (i < PAIRS_MAX && self->pairs[i][0] >= 0)
        i++;
    if (a < 0 || i == PAIRS_MAX || connect (b, (struct sockaddr *) &address, sizeof address)) {
        if (a >= 0)
            close (a);
        close (b);
        return;
    }
    setsockopt (a, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
    setsockopt (b, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
    self->pairs[i][0] = a;
    self->pairs[i][1] = b;
}

/* Forwards a piece; false: the connection has ended. */
static bool s_forward (int from, int to) {
    char piece[PIECE_SIZE];
    ssize_t size = recv (from, piece, sizeof piece, MSG_DONTWAIT);
    if (size < 0)
        return errno == EAGAIN || errno == EINTR;
    for (ssize_t at = 0, sent; at < size; at += sent) {
        sent = send (to, piece + at, (size_t) (size - at), MSG_NOSIGNAL);
        if (sent < 0)
            return false;
    }
    return size > 0;
}

static void s_cut (cable_t *self) {
    unsigned wanted = atomic_load (&self->cuts_wanted);
    if (wanted == atomic_load (&self->cuts_done))
        return;
    for (int i = 0; i < PAIRS_MAX; i++)
        if (self->pairs[i][0] >= 0) {
            s_end (self, i);
            atomic_fetch_add (&self->cut_count, 1);
        }
    atomic_store (&self->cuts_done, wanted);
}

static void *s_run (void *args) {
    cable_t *self = args;
    while (!atomic_load (&self->is_over)) {
        struct pollfd fds[1 + 2 * PAIRS_MAX] = {{.fd = self->listener, .events = POLLIN}};
        for (int i = 0; i < 2 * PAIRS_MAX; i++)
            fds[1 + i] = (struct pollfd){.fd = self->pairs[i / 2][i % 2], .events = POLLIN};
        poll (fds, atomic_load (&self->is_held) ? 1 : 1 + 2 * PAIRS_MAX, 1);
        s_cut (self);
        for (int i = 0; i < PAIRS_MAX && !atomic_load (&self->is_held); i++) {
            const int *pair = self->pairs[i];
            if (pair[0] >= 0 && (!s_forward (pair[0], pair[1]) || !s_forward (pair[1], pair[0])))
                s_end (self, i);
        }
        if (fds[0].revents)
            s_accept (self);
    }
    for (int i = 0; i < PAIRS_MAX; i++)
        if (self->pairs[i][0] >= 0)
            s_end (self, i);
    return NULL;
}

cable_t *cable_new (const char *endpoint) {
    cable_t *self = calloc (1, sizeof *self);
    struct sockaddr_in address = s_address (0);
    socklen_t size = sizeof address;
    memset (self->pairs, 0xff, sizeof self->pairs);
    self->target_port = (uint16_t) strtoul (strrchr (endpoint, ':') + 1, NULL, 10);
    self->listener = socket (AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (bind (self->listener, (struct sockaddr *) &address, sizeof address) ||
        listen (self->listener, 64) ||
        getsockname (self->listener, (struct sockaddr *) &address, &size) ||
        pthread_create (&self->thread, NULL, s_run, self))
        abort ();
    snprintf (self->endpoint, sizeof self->endpoint, "tcp://127.0.0.1:%u",
              (unsigned) ntohs (address.sin_port));
    return self;
}

void cable_destroy (cable_t **self_p) {
    cable_t *self = *self_p;
    if (!self)
        return;
    atomic_store (&self->is_over, true);
    pthread_join (self->thread, NULL);
    close (self->listener);
    free (self);
    *self_p = NULL;
}

const char *cable_endpoint (const cable_t *self) {
    return self->endpoint;
}

void cable_cut (cable_t *self) {
    unsigned wanted = atomic_fetch_add (&self->cuts_wanted, 1) + 1;
    while (atomic_load (&self->cuts_done) != wanted)
        usleep (200);
}

void cable_hold (cable_t *self) {
    atomic_store (&self->is_held, true);
}

void cable_let_go (cable_t *self) {
    atomic_store (&self->is_held, false);
}

unsigned cable_cuts (const cable_t *self) {
    return atomic_load (&self->cut_count);
}
