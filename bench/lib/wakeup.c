/* wakeup.c - what a wake-up costs on this machine.
 *
 * Two threads and a word for each: a thread sleeps until its own word says so, takes it back, and
 * wakes the other. This is a measuring instrument, not a part of dagwood, whose threads share no
 * memory. */

#include "bench/lib/wakeup.h"

#include <linux/futex.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "actors/clock.h"
#include "runtime/core/error.h"

typedef struct s_table_t {
    uint32_t ping, pong; /* 1: it is the owner's turn */
    uint32_t round_trips;
} s_table_t;

static void s_wake (uint32_t *word) {
    __atomic_store_n (word, 1, __ATOMIC_RELEASE);
    syscall (SYS_futex, word, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
}

static void s_sleep (uint32_t *word) {
    while (!__atomic_exchange_n (word, 0, __ATOMIC_ACQUIRE))
        syscall (SYS_futex, word, FUTEX_WAIT_PRIVATE, 0, NULL, NULL, 0);
}

static void *s_answer (void *arg) {
    s_table_t *table = arg;
    for (uint32_t i = 0; i < table->round_trips; i++) {
        s_sleep (&table->pong);
        s_wake (&table->ping);
    }
    return NULL;
}

static int s_measure (double *ns_p, uint32_t round_trips, dw_error_t *error) {
    s_table_t table = {.round_trips = round_trips};
    pthread_t thread;
    if (pthread_create (&thread, NULL, s_answer, &table))
        return dw_error_add (error, DW_ELIMIT, DW_NOWHERE, "no thread can be started");
    int64_t begin_ns = dw_clock_ns ();
    for (uint32_t i = 0; i < round_trips; i++) {
        s_wake (&table.pong);
        s_sleep (&table.ping);
    }
    *ns_p = (double) (dw_clock_ns () - begin_ns) / round_trips;
    pthread_join (thread, NULL);
    return DW_OK;
}

int dw_wakeup_measure (dw_spread_t *ns_p, uint32_t round_trips, uint32_t repeat,
                       dw_error_t *error) {
    double *ns = calloc (repeat, sizeof *ns);
    int err = ns ? DW_OK : dw_error_add (error, DW_ENOMEM, DW_NOWHERE, "out of memory");
    for (uint32_t i = 0; ns && i < repeat && !err; i++)
        err = s_measure (&ns[i], round_trips, error);
    if (!err)
        *ns_p = dw_spread_of (ns, repeat);
    free (ns);
    return err;
}
