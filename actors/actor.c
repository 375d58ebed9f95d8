/* actor.c - a thread with one socket. */

#include "actors/actor.h"

#include <errno.h>
#include <signal.h>
#include <time.h>
#include <zmq.h>

#include "actors/clock.h"
#include "dagwood.h"

#define SOCKETS_MAX 4u
#define LOOK_NS     1000000

int dw_actor_start (dw_actor_t *self, const char *name, size_t stack_bytes,
                    void *(*body) (void *args), void *args) {
    pthread_attr_t attributes;
    sigset_t all, before;
    if (pthread_attr_init (&attributes))
        return DW_ELIMIT;
    if (stack_bytes)
        pthread_attr_setstacksize (&attributes, stack_bytes);
    sigfillset (&all);
    pthread_sigmask (SIG_SETMASK, &all, &before); /* the thread inherits it */
    int err = pthread_create (&self->thread, &attributes, body, args);
    pthread_sigmask (SIG_SETMASK, &before, NULL);
    pthread_attr_destroy (&attributes);
    if (err)
        return DW_ELIMIT;
    pthread_setname_np (self->thread, name);
    self->is_running = true;
    return DW_OK;
}

/* By the clock that never jumps: a wall clock that is set back by an hour would make a wait that
 * was to last a moment last an hour. gcc 12's ThreadSanitizer does not know that join, and takes
 * what comes after it for a race: there the thread is looked for again and again. */
static int s_join_until (pthread_t thread, int64_t deadline_ns) {
#if defined(__SANITIZE_THREAD__)
    int err;
    while ((err = pthread_tryjoin_np (thread, NULL)) == EBUSY && dw_clock_ns () < deadline_ns)
        nanosleep (&(struct timespec){.tv_nsec = LOOK_NS}, NULL);
    return err;
#else
    struct timespec until = {.tv_sec = deadline_ns / 1000000000,
                             .tv_nsec = deadline_ns % 1000000000};
    return pthread_clockjoin_np (thread, NULL, CLOCK_MONOTONIC, &until);
#endif
}

bool dw_actor_join (dw_actor_t *self, int64_t deadline_ns) {
    if (!self->is_running)
        return true;
    if (deadline_ns == INT64_MAX)
        pthread_join (self->thread, NULL);
    else if (s_join_until (self->thread, deadline_ns))
        return false;
    self->is_running = false;
    return true;
}

void dw_actor_leave (dw_actor_t *self) {
    if (self->is_running)
        pthread_detach (self->thread);
    self->is_running = false;
}

/* Leaves the core's other hardware thread some room. */
static void s_pause (void) {
#if defined(__x86_64__) || defined(__i386__)
    for (unsigned i = 0; i < 4; i++)
        __builtin_ia32_pause ();
#endif
}

/* Whether a message can be received; -1 when the context is shut down. */
static int s_has_message (void *const *sockets, unsigned sockets_count) {
    for (unsigned i = 0; i < sockets_count; i++) {
        int events = 0;
        size_t size = sizeof events;
        if (zmq_getsockopt (sockets[i], ZMQ_EVENTS, &events, &size) && errno == ETERM)
            return -1;
        if (events & ZMQ_POLLIN)
            return 1;
    }
    return 0;
}

bool dw_actor_wait (void *const *sockets, unsigned sockets_count, int64_t spin_until_ns,
                    int64_t deadline_ns) {
    int has = s_has_message (sockets, sockets_count);
    int64_t now_ns = dw_clock_ns ();
    while (has == 0 && now_ns < spin_until_ns && now_ns < deadline_ns) {
        s_pause ();
        has = s_has_message (sockets, sockets_count);
        now_ns = dw_clock_ns ();
    }
    if (has || now_ns >= deadline_ns)
        return has >= 0;
    zmq_pollitem_t items[SOCKETS_MAX];
    for (unsigned i = 0; i < sockets_count && i < SOCKETS_MAX; i++)
        items[i] = (zmq_pollitem_t){.socket = sockets[i], .events = ZMQ_POLLIN};
    /* Rounded up, so that it does not wake before its time again and again. */
    int64_t wait_ms = deadline_ns == INT64_MAX ? -1 : (deadline_ns - now_ns + 999999) / 1000000;
    if (wait_ms > 3600000)
        wait_ms = 3600000;
    if (zmq_poll (items, (int) sockets_count, (long) wait_ms) < 0)
        return errno != ETERM;
    return true;
}
