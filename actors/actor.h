/* actor.h - a thread with one socket, that can fail to start and is joined.
 *
 * The socket is made by whoever makes the actor, before the thread exists, so that all that can be
 * refused is refused to the maker; the start of the thread hands it over. An actor stops when it is
 * told to over its socket, or when its context is shut down. */

#ifndef DW_ACTOR_H
#define DW_ACTOR_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

typedef struct dw_actor_t {
    pthread_t thread;
    bool is_running; /* started and not joined */
} dw_actor_t;

/* Starts a thread that runs body (args). name is for debuggers (15 bytes are shown); stack_bytes 0:
 * the system's default. All signals are blocked in it: they are the program's affair.
 * Errors: DW_ELIMIT the system gives no thread. */
int dw_actor_start (dw_actor_t *self, const char *name, size_t stack_bytes,
                    void *(*body) (void *args), void *args);
/* Waits until the thread has ended, at most until deadline_ns of dw_clock_ns (INT64_MAX: for ever).
 * False: it still runs. */
bool dw_actor_join (dw_actor_t *self, int64_t deadline_ns);
/* Leaves the thread to itself: nobody will join it. */
void dw_actor_leave (dw_actor_t *self);

/* Waits for a message on a socket by looking again and again until spin_until_ns, then asleep until
 * deadline_ns (INT64_MAX: for ever). Returns false when the context is shut down. */
bool dw_actor_wait (void *const *sockets, unsigned sockets_count, int64_t spin_until_ns,
                    int64_t deadline_ns);

#endif
