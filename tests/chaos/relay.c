/* relay.c - a forwarder of bytes that misbehaves. */

#include "tests/chaos/relay.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/chaos/load.h"
#include "tests/support/random.h"
#include "tests/support/process.h"

#define PAIRS_MAX    256
#define HELD_MAX     (256 << 10) /* bytes that one direction holds */
#define TROUBLE_MS   15          /* between two troubles */
#define DELAY_MS_MAX 120

/* One direction of a connection. */
typedef struct s_way_t {
    int from, to;
    uint8_t *held;
    size_t held_size;
    int64_t open_at_ms; /* nothing goes on before; INT64_MAX: never again */
} s_way_t;

typedef struct s_pair_t {
    bool is_there;
    s_way_t ways[2];
} s_pair_t;

static int s_socket (struct sockaddr_in *address, uint16_t port) {
    int yes = 1, fd = socket (AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    setsockopt (fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    *address = (struct sockaddr_in){.sin_family = AF_INET,
                                    .sin_port = htons (port),
                                    .sin_addr.s_addr = htonl (INADDR_LOOPBACK)};
    return fd;
}

static void s_accept (s_pair_t *pairs, int listener, uint16_t target_port) {
    struct sockaddr_in address;
    int yes = 1, a = accept (listener, NULL, NULL), b = s_socket (&address, target_port), i = 0;
    while (i < PAIRS_MAX && pairs[i].is_there)
        i++;
    if (a < 0 || i == PAIRS_MAX || connect (b, (struct sockaddr *) &address, sizeof address)) {
        if (a >= 0)
            close (a);
        close (b);
        return;
    }
    setsockopt (a, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
    setsockopt (b, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
    pairs[i] = (s_pair_t){.is_there = true,
                          .ways = {{.from = a, .to = b, .held = malloc (HELD_MAX)},
                                   {.from = b, .to = a, .held = malloc (HELD_MAX)}}};
}

static void s_cut (s_pair_t *pair) {
    close (pair->ways[0].from);
    close (pair->ways[1].from);
    free (pair->ways[0].held);
    free (pair->ways[1].held);
    pair->is_there = false;
}

/* Picks one connection and does something to it. */
static void s_trouble (s_pair_t *pairs, random_t *random, int64_t at_ms) {
    uint32_t count = 0;
    for (int i = 0; i < PAIRS_MAX; i++)
        count += pairs[i].is_there;
    if (count == 0)
        return;
    uint32_t pick = random_below (random, count), i = 0;
    while (!pairs[i].is_there || pick-- > 0)
        i++;
    s_way_t *way = &pairs[i].ways[random_below (random, 2)];
    uint32_t what = random_below (random, 16);
    if (what == 0)
        s_cut (&pairs[i]);
    else if (what == 1)
        way->open_at_ms = INT64_MAX; /* silent in one direction, for ever */
    else if (what == 2)
        shutdown (way->to, SHUT_WR);
    else if (way->open_at_ms != INT64_MAX)
        way->open_at_ms = at_ms + random_below (random, DELAY_MS_MAX);
}

/* False: the connection has ended. */
static bool s_forward (s_way_t *way, bool is_readable, int64_t at_ms) {
    if (is_readable && way->held_size < HELD_MAX) {
        ssize_t got = recv (way->from, way->held + way->held_size, HELD_MAX - way->held_size,
                            MSG_DONTWAIT);
        if (got == 0 || (got < 0 && errno != EAGAIN && errno != EINTR))
            return false;
        way->held_size += got > 0 ? (size_t) got : 0;
    }
    if (way->held_size == 0 || at_ms < way->open_at_ms)
        return true;
    ssize_t sent = send (way->to, way->held, way->held_size, MSG_DONTWAIT | MSG_NOSIGNAL);
    if (sent < 0)
        return errno == EAGAIN || errno == EINTR;
    memmove (way->held, way->held + sent, way->held_size - (size_t) sent);
    way->held_size -= (size_t) sent;
    return true;
}

static void s_serve (s_pair_t *pairs, int listener, uint16_t target_port) {
    struct pollfd fds[1 + 2 * PAIRS_MAX] = {{.fd = listener, .events = POLLIN}};
    for (int i = 0; i < PAIRS_MAX; i++)
        for (int w = 0; w < 2; w++) {
            const s_way_t *way = &pairs[i].ways[w];
            bool wants = pairs[i].is_there && way->held_size < HELD_MAX;
            fds[1 + 2 * i + w] = (struct pollfd){.fd = wants ? way->from : -1, .events = POLLIN};
        }
    poll (fds, 1 + 2 * PAIRS_MAX, 2);
    int64_t at_ms = now_ms ();
    for (int i = 0; i < PAIRS_MAX; i++) {
        if (!pairs[i].is_there)
            continue;
        if (!s_forward (&pairs[i].ways[0], fds[1 + 2 * i].revents != 0, at_ms) ||
            !s_forward (&pairs[i].ways[1], fds[2 + 2 * i].revents != 0, at_ms))
            s_cut (&pairs[i]);
    }
    if (fds[0].revents)
        s_accept (pairs, listener, target_port);
}

int relay_run (const char *listen_at, uint16_t target_port, uint64_t seed) {
    static s_pair_t pairs[PAIRS_MAX];
    struct sockaddr_in address;
    random_t random = random_from (seed);
    const char *colon = strrchr (listen_at, ':');
    int listener = s_socket (&address, (uint16_t) strtoul (colon + 1, NULL, 10));
    if (bind (listener, (struct sockaddr *) &address, sizeof address) || listen (listener, 64))
        return 1;
    for (int64_t next_ms = now_ms () + 500;;) {
        s_serve (pairs, listener, target_port);
        if (now_ms () < next_ms)
            continue;
        s_trouble (pairs, &random, now_ms ());
        next_ms = now_ms () + TROUBLE_MS;
    }
}
