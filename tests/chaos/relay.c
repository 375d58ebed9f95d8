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

#include "tests/chaos/zmtp.h"
#include "tests/support/process.h"
#include "tests/support/random.h"

#define PAIRS_MAX    256
#define HELD_MAX     (256u << 10) /* bytes that one direction holds, twice: come in, and to go on */
#define TROUBLE_MS   15           /* between two troubles */
#define DELAY_MS_MAX 120

/* One direction of a connection. */
typedef struct s_way_t {
    int from, to;
    uint8_t *held, *out; /* come in, and to be sent at once */
    size_t held_size, out_size;
    int64_t open_at_ms; /* nothing goes on before; INT64_MAX: never again */
    bool is_raw;        /* nobody looks at what it carries */
    /* of the greeting, which comes in pieces: each side waits for the other's */
    size_t greeted_size;
    bool is_late; /* what is held begins with an answer that has been held back */
    bool is_ended;
} s_way_t;

typedef struct s_pair_t {
    bool is_there;
    s_way_t ways[2]; /* from the worker, and to it */
} s_pair_t;

typedef struct s_relay_t {
    relay_options_t options;
    relay_counts_t *counts;
    random_t random;
    int listener;
    s_pair_t pairs[PAIRS_MAX];
} s_relay_t;

/* ---- Connections ------------------------------------------------------------------------------ */

static int s_socket (struct sockaddr_in *address, uint16_t port) {
    int yes = 1, fd = socket (AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    setsockopt (fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    *address = (struct sockaddr_in){.sin_family = AF_INET,
                                    .sin_port = htons (port),
                                    .sin_addr.s_addr = htonl (INADDR_LOOPBACK)};
    return fd;
}

static s_way_t s_way (int from, int to, bool is_raw) {
    return (s_way_t){.from = from,
                     .to = to,
                     .held = malloc (HELD_MAX),
                     .out = malloc (2 * HELD_MAX),
                     .is_raw = is_raw};
}

static void s_accept (s_relay_t *self) {
    struct sockaddr_in address;
    int yes = 1, a = accept (self->listener, NULL, NULL), i = 0;
    int b = s_socket (&address, self->options.target_port);
    while (i < PAIRS_MAX && self->pairs[i].is_there)
        i++;
    if (a < 0 || i == PAIRS_MAX || connect (b, (struct sockaddr *) &address, sizeof address)) {
        if (a >= 0)
            close (a);
        close (b);
        return;
    }
    setsockopt (a, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
    setsockopt (b, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
    bool is_raw = self->options.late == 0 && self->options.repeated == 0;
    self->pairs[i] = (s_pair_t){.is_there = true,
                                .ways = {s_way (a, b, is_raw), s_way (b, a, true)}};
}

static void s_cut (s_pair_t *pair) {
    for (int w = 0; w < 2; w++) {
        close (pair->ways[w].from);
        free (pair->ways[w].held);
        free (pair->ways[w].out);
    }
    pair->is_there = false;
}

/* Picks one connection and does something to it. */
static void s_trouble (s_relay_t *self, int64_t at_ms) {
    uint32_t count = 0;
    for (int i = 0; i < PAIRS_MAX; i++)
        count += self->pairs[i].is_there;
    if (count == 0)
        return;
    uint32_t pick = random_below (&self->random, count), i = 0;
    while (!self->pairs[i].is_there || pick-- > 0)
        i++;
    s_way_t *way = &self->pairs[i].ways[random_below (&self->random, 2)];
    uint32_t what = random_below (&self->random, 16);
    self->counts->troubles++;
    if (what == 0)
        s_cut (&self->pairs[i]);
    else if (what == 1)
        way->open_at_ms = INT64_MAX; /* silent in one direction, for ever */
    else if (what == 2)
        shutdown (way->to, SHUT_WR);
    else if (way->open_at_ms != INT64_MAX)
        way->open_at_ms = at_ms + random_below (&self->random, DELAY_MS_MAX);
}

/* ---- Answers ---------------------------------------------------------------------------------- */

static void s_pass (s_way_t *way, size_t size, unsigned times) {
    for (; times > 0; times--) {
        memcpy (way->out + way->out_size, way->held, size);
        way->out_size += size;
    }
    way->held_size -= size;
    memmove (way->held, way->held + size, way->held_size);
}

/* Holds an answer back, and all behind it; false: it may go on. */
static bool s_hold_back (s_relay_t *self, s_way_t *way, int64_t at_ms) {
    const relay_options_t *options = &self->options;
    if (way->is_late || random_below (&self->random, 100) >= options->late)
        return false;
    way->is_late = true;
    way->open_at_ms = at_ms + options->late_least_ms +
                      random_below (&self->random, options->late_ms - options->late_least_ms + 1);
    self->counts->late++;
    return true;
}

/* Lets one whole thing go on. False: there is none, or not now. */
static bool s_pass_one (s_relay_t *self, s_way_t *way, int64_t at_ms) {
    size_t size = ZMTP_GREETING_SIZE - way->greeted_size;
    if (size > 0) {
        size = size < way->held_size ? size : way->held_size;
        way->greeted_size += size;
        s_pass (way, size, 1);
        return true;
    }
    size = zmtp_next (way->held, way->held_size);
    if (size == 0) {
        way->is_raw |= way->held_size == HELD_MAX; /* too large to be looked at */
        return false;
    }
    if (!zmtp_is_answers (way->held, size)) {
        s_pass (way, size, 1);
        return true;
    }
    if (s_hold_back (self, way, at_ms))
        return false;
    bool is_again = random_below (&self->random, 100) < self->options.repeated;
    self->counts->answers++;
    self->counts->repeated += is_again;
    self->counts->late_of_dead += way->is_late && way->is_ended;
    way->is_late = false;
    s_pass (way, size, is_again ? 2 : 1);
    return true;
}

static void s_pass_on (s_relay_t *self, s_way_t *way, int64_t at_ms) {
    while (at_ms >= way->open_at_ms && way->held_size > 0 && way->out_size == 0)
        if (way->is_raw)
            s_pass (way, way->held_size, 1);
        else if (!s_pass_one (self, way, at_ms) && !way->is_raw)
            return;
}

/* ---- Bytes ------------------------------------------------------------------------------------ */

static void s_receive (s_way_t *way) {
    ssize_t got = recv (way->from, way->held + way->held_size, HELD_MAX - way->held_size,
                        MSG_DONTWAIT);
    if (got > 0)
        way->held_size += (size_t) got;
    else if (got == 0 || (errno != EAGAIN && errno != EINTR))
        way->is_ended = true;
}

/* False: nobody takes it. */
static bool s_send (s_way_t *way) {
    ssize_t sent = send (way->to, way->out, way->out_size, MSG_DONTWAIT | MSG_NOSIGNAL);
    if (sent < 0)
        return errno == EAGAIN || errno == EINTR;
    way->out_size -= (size_t) sent;
    memmove (way->out, way->out + sent, way->out_size);
    return true;
}

/* False: it is over with the connection. What a worker that is gone had said is still sent on when
 * that is due. */
static bool s_forward (s_relay_t *self, s_pair_t *pair, const struct pollfd *fds, int64_t at_ms) {
    for (int w = 0; w < 2; w++) {
        s_way_t *way = &pair->ways[w];
        if (fds[w].revents && way->held_size < HELD_MAX)
            s_receive (way);
        s_pass_on (self, way, at_ms);
        if (way->out_size > 0 && !s_send (way)) {
            if (w == 0 || !pair->ways[0].is_late)
                return false;
            way->out_size = 0; /* to a worker that is gone */
        }
    }
    bool is_held = pair->ways[0].is_late && pair->ways[0].open_at_ms != INT64_MAX;
    return !pair->ways[1].is_ended && (!pair->ways[0].is_ended || is_held);
}

static void s_serve (s_relay_t *self) {
    struct pollfd fds[1 + 2 * PAIRS_MAX] = {{.fd = self->listener, .events = POLLIN}};
    for (int i = 0; i < PAIRS_MAX; i++)
        for (int w = 0; w < 2; w++) {
            const s_way_t *way = &self->pairs[i].ways[w];
            bool wants = self->pairs[i].is_there && way->held_size < HELD_MAX && !way->is_ended;
            fds[1 + 2 * i + w] = (struct pollfd){.fd = wants ? way->from : -1, .events = POLLIN};
        }
    poll (fds, 1 + 2 * PAIRS_MAX, 2);
    int64_t at_ms = now_ms ();
    for (int i = 0; i < PAIRS_MAX; i++)
        if (self->pairs[i].is_there && !s_forward (self, &self->pairs[i], &fds[1 + 2 * i], at_ms))
            s_cut (&self->pairs[i]);
    if (fds[0].revents)
        s_accept (self);
}

int relay_run (const relay_options_t *options, relay_counts_t *counts) {
    static s_relay_t self;
    struct sockaddr_in address;
    self.options = *options;
    self.counts = counts;
    self.random = random_from (options->seed);
    self.listener = s_socket (&address, options->port);
    if (bind (self.listener, (struct sockaddr *) &address, sizeof address) ||
        listen (self.listener, 64))
        return 1;
    for (int64_t next_ms = now_ms () + 500;;) {
        s_serve (&self);
        if (!options->has_troubles || now_ms () < next_ms)
            continue;
        s_trouble (&self, now_ms ());
        next_ms = now_ms () + TROUBLE_MS;
    }
}
