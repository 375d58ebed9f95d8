/* crowd.c - bare TCP connections that say nothing, or nothing that makes sense. */

#include "tests/chaos/crowd.h"

#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define CONNECT_MS 50

int crowd_connect (uint16_t port) {
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons (port),
                                  .sin_addr.s_addr = htonl (INADDR_LOOPBACK)};
    int fd = socket (AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return -1;
    struct pollfd wait = {.fd = fd, .events = POLLOUT};
    if (connect (fd, (struct sockaddr *) &address, sizeof address) == 0 ||
        (errno == EINPROGRESS && poll (&wait, 1, CONNECT_MS) == 1 && (wait.revents & POLLOUT) &&
         !(wait.revents & (POLLERR | POLLHUP))))
        return fd;
    crowd_close (fd);
    return -1;
}

bool crowd_is_over (int fd) {
    uint8_t bytes[4096];
    for (;;) {
        ssize_t got = recv (fd, bytes, sizeof bytes, MSG_DONTWAIT);
        if (got <= 0)
            return got == 0 || (errno != EAGAIN && errno != EINTR);
    }
}

void crowd_close (int fd) {
    const struct linger at_once = {.l_onoff = 1, .l_linger = 0};
    setsockopt (fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    close (fd);
}

size_t crowd_send (int fd, const uint8_t *bytes, size_t size) {
    ssize_t sent = send (fd, bytes, size, MSG_DONTWAIT | MSG_NOSIGNAL);
    return sent > 0 ? (size_t) sent : 0;
}

size_t crowd_greet (uint8_t *bytes, const char *mechanism) {
    memset (bytes, 0, 64);
    bytes[0] = 0xff;
    bytes[9] = 0x7f;
    bytes[10] = 3;
    bytes[11] = 1;
    memcpy (bytes + 12, mechanism, strlen (mechanism));
    return 64;
}

bool crowd_shake_hands (int fd) {
    static const char ready[] = "\x04\x1c\x05READY\x0bSocket-Type\x00\x00\x00\x06"
                                "DEALER";
    uint8_t bytes[CROWD_BYTES_MAX];
    struct pollfd wait = {.fd = fd, .events = POLLIN};
    size_t size = crowd_greet (bytes, "NULL"), heard = 0;
    memcpy (bytes + size, ready, sizeof ready - 1);
    size += sizeof ready - 1;
    if (crowd_send (fd, bytes, size) != size)
        return false;
    while (heard <= 64 && poll (&wait, 1, CONNECT_MS) == 1) { /* its greeting, then its READY */
        ssize_t got = recv (fd, bytes, sizeof bytes, MSG_DONTWAIT);
        if (got <= 0)
            return false;
        heard += (size_t) got;
    }
    return heard > 64;
}

size_t crowd_frame (uint8_t *bytes, unsigned flags, uint64_t size) {
    bytes[0] = (uint8_t) flags;
    for (int i = 8; i > 0; i--, size >>= 8)
        bytes[i] = (uint8_t) size;
    return 9;
}

static size_t s_random (uint8_t *bytes, random_t *random, uint32_t most) {
    size_t size = 1 + random_below (random, most);
    for (size_t i = 0; i < size; i++)
        bytes[i] = (uint8_t) random_next (random);
    return size;
}

/* What is said at once; some of it is sense. */
static size_t s_garbage (uint8_t *bytes, random_t *random) {
    static const char get[] = "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n";
    size_t size = 0;
    switch (random_below (random, 7)) {
        case 0: return 0;
        case 1: return s_random (bytes, random, 200);
        case 2: memcpy (bytes, get, sizeof get); return sizeof get - 1;
        case 3: return 1 + random_below (random, (uint32_t) crowd_greet (bytes, "NULL") - 1);
        case 4: size = crowd_greet (bytes, "NULL"); break;
        case 5: size = crowd_greet (bytes, "PLAIN"); break;
        default: /* a first handshake of CURVE whose keys and proof are random */
            size = crowd_greet (bytes, "CURVE");
            memcpy (bytes + size, "\x04\xc8\x05HELLO\x01\x00", 10);
            memset (bytes + size + 10, 0, 72);
            for (size_t i = 82; i < 202; i++)
                bytes[size + i] = (uint8_t) random_next (random);
            return size + 202;
    }
    return size + s_random (bytes + size, random, 200);
}

void crowd_talk_garbage (int fd, random_t *random) {
    uint8_t bytes[CROWD_BYTES_MAX] = {0, 100}; /* a frame */
    if (random_one_in (random, 8) && crowd_shake_hands (fd)) {
        for (size_t i = 2; i < 102; i++)
            bytes[i] = (uint8_t) random_next (random);
        crowd_send (fd, bytes, 102);
    } else
        crowd_send (fd, bytes, s_garbage (bytes, random));
}
