/* fibers.h - the threads of a simulated world: they take turns, and time passes only where the
 * world says so.
 *
 * A fiber runs until it waits. Then what is due next happens: a call (a message arrives, a fault),
 * or another fiber goes on. The clock stands while nobody looks at it, moves a little at each look,
 * and jumps to what is due when all wait. All that is drawn is drawn from one seed, so a world is
 * the same each time, byte for byte; fibers_hash says whether. */

#ifndef TESTS_FIBERS_H
#define TESTS_FIBERS_H

#include <stdbool.h>
#include <stdint.h>

#include "tests/simulated/heap.h"
#include "tests/support/random.h"

typedef struct fiber_t fiber_t;

/* A process: its fibers, and what it has taken. */
typedef struct process_t {
    char name[24];
    uint32_t number;
    heap_t heap;
    bool is_over;          /* it has ended, or was killed */
    bool is_stopped;       /* its fibers stand still */
    bool is_deaf, is_mute; /* nothing gets through to it, or from it: its messages wait */
    bool lies;             /* what it sends by connections is changed on the way, */
    bool loses;            /* and some of it is lost */
    /* messages for it that a queue with a limit takes; 0: as many as its limit says */
    uint32_t room;
    uint32_t additions; /* graphs that were added to runs, which it keeps */
    uint32_t fibers_count;
    void (*ended) (struct process_t *self); /* called when its last fiber has ended; or NULL */
} process_t;

/* A world begins at time 0, or ends. */
void fibers_begin (uint64_t seed);
void fibers_end (void);
bool fibers_are_on (void);
/* Runs until nothing is due any more, or not before until_ns. */
void fibers_run (int64_t until_ns);

int64_t fibers_now_ns (void);
/* A look at the clock by a fiber: time passes, and now and then others have their turn first. */
int64_t fibers_look_at_clock (void);
random_t *fibers_random (void);
/* Whether fibers are interrupted where they only look at the clock or use a socket. */
void fibers_set_preempted (bool is_preempted);
/* Mixes what happened into the world's hash. */
void fibers_note (const void *bytes, size_t size);
uint64_t fibers_hash (void);

/* Starts a fiber of a process; it begins a little later. */
fiber_t *fibers_start (process_t *process, const char *name, void *(*body) (void *args),
                       void *args);
/* NULL: the world itself. */
fiber_t *fibers_current (void);
process_t *fibers_process (void); /* of the current one */
/* Waits for its end; false: it still runs at deadline_ns. A fiber is joined, or left, once. */
bool fibers_join (fiber_t *fiber, int64_t deadline_ns);
void fibers_leave (fiber_t *fiber);
/* Waits until at_ns (INT64_MAX: for ever), or until it is woken. */
void fibers_wait_until (int64_t at_ns);
/* The same, whatever wakes it. */
void fibers_sleep (int64_t ns);
/* Time passes, and nobody else has a turn meanwhile. */
void fibers_pass (int64_t ns);
void fibers_wake (fiber_t *fiber);
/* Others may have their turn now. */
void fibers_may_pause (void);
/* Has call (arg) called by the world at that time. */
void fibers_at (int64_t at_ns, void (*call) (void *arg), void *arg);

/* All of its fibers go; when the current one is among them this does not return. Its memory is
 * freed. */
void process_kill (process_t *self);
void process_stop (process_t *self);
void process_continue (process_t *self);

#endif
