/* fleet.h - the processes of a chaos test: workers, coordinators, relays, all started by one that has no threads.
 *
 * A process with threads must not fork, and the test has threads as soon as it opens a system. So before that it forks a
 * keeper, which forks, signals and reaps the others when it is told to. They end with the keeper, and the keeper with
 * the test. Only processes of its own are ever signalled. */

#ifndef TESTS_CHAOS_FLEET_H
#define TESTS_CHAOS_FLEET_H

#include <stdbool.h>
#include <stdint.h>

#define FLEET_MAX 64u

typedef enum fleet_role_t { FLEET_WORKER, FLEET_COORDINATOR, FLEET_RELAY } fleet_role_t;

typedef struct fleet_job_t {
    fleet_role_t role;
    char endpoint[128]; /* where it connects, or listens */
    uint16_t port;      /* a relay's: where its other side connects */
    uint32_t slots;
    int reconnect_ms;
    uint32_t heartbeat_ms, silence_ms; /* a coordinator's */
    uint64_t seed;
} fleet_job_t;

/* What a worker's exit status says. */
#define FLEET_ENDED_OK   0
#define FLEET_ENDED_LOST 10
#define FLEET_ENDED_ELSE 11
#define FLEET_NOT_BEGUN  12

/* Before there is any thread. False: no process is to be had. */
bool fleet_begin (void);
/* Starts a process in a place that is free; its pid. A worker goes on trying to connect for 10 s. */
int fleet_start (uint32_t place, const fleet_job_t *job);
/* SIGTERM drains a worker. After SIGKILL the process is reaped and its place is free. */
void fleet_signal (uint32_t place, int signal);
/* Waits for it to end. Its exit status, 128 and more by a signal; -1: it has not. */
int fleet_wait (uint32_t place, int timeout_ms);
/* Ends and reaps all of them. */
void fleet_clear (void);
void fleet_end (void);

#endif
