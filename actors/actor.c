/* actor.c - a thread with one socket. */

#include "actors/actor.h"

#include <errno.h>
#include <signal.h>
#include <time.h>
#include <zmq.h>

#include "actors/clock.h"
#include "dagwood.h"

#define SOCKETS_MAX 4u

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

bool dw_actor_join (dw_actor_t *self, int64_t deadline_ns) {
    if (!self->is_running)
        return true;
    if (deadline_ns == INT64_MAX) {
        pthread_join (self->thread, NULL);
    } else {
        /* Of the two joins with a deadline ThreadSanitizer knows only the one by the wall clock; a
         * jump of that clock while it waits moves the deadline. */
        struct timespec until;
        clock_gettime (CLOCK_REALTIME, &until);
        int64_t left_ns = deadline_ns - dw_clock_ns () + until.tv_nsec;
        if (left_ns < 0)
            left_ns = 0;
        until.tv_sec += left_ns / 1000000000;
        until.tv_nsec = left_ns % 1000000000;
        if (pthread_timedjoin_np (self->thread, NULL, &until))
            return false;
    }
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
