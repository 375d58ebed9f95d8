/* fleet.h - the processes of a chaos test: workers, coordinators, relays and others, all started by
 * one that has no threads.
 *
 * A process with threads must not fork, and the test has threads as soon as it opens a system. So
 * before that it forks a keeper, which forks, signals and reaps the others when it is told to. They
 * end with the keeper, and the keeper, which takes the test's folder away, with the test, however
 * that ends. Only processes of its own are ever signalled. */

#ifndef TESTS_CHAOS_FLEET_H
#define TESTS_CHAOS_FLEET_H

#include <stdbool.h>
#include <stdint.h>

#include "tests/chaos/foreign.h"
#include "tests/chaos/listener.h"
#include "tests/chaos/load.h"
#include "tests/chaos/relay.h"

#define FLEET_MAX 192u

typedef enum fleet_role_t {
    FLEET_WORKER,
    FLEET_COORDINATOR,
    FLEET_CUSTOMER, /* a client (customers.h) */
    FLEET_RELAY,
    FLEET_LISTENER, /* listens at every endpoint that there is (listener.h) */
    FLEET_FOREIGN,  /* a worker of one slot in another language (foreign.h) */
    FLEET_SPINNER,  /* keeps a CPU busy */
} fleet_role_t;

typedef struct fleet_job_t {
    fleet_role_t role;
    char endpoint[128]; /* where it connects, or listens */
    char network[48];   /* the file of a network namespace that it is in; "": the test's */
    char keys[48];      /* the folder of keys; "": none */
    char key[16];       /* a worker's or a customer's key among them */
    uint32_t customer;  /* which one */
    foreign_t language; /* a foreign worker's */
    uint32_t slots;
    int reconnect_ms;
    uint32_t heartbeat_ms, silence_ms, slots_max, clients_max; /* a coordinator's */
    load_kind_t kind;                                          /* and its graph */
    uint32_t files_max; /* its limit of descriptors; 0: as it is */
    relay_options_t relay;
} fleet_job_t;

/* What the exit status of a worker or a customer says. */
#define FLEET_ENDED_OK   0
#define FLEET_ENDED_LOST 10
#define FLEET_ENDED_ELSE 11
#define FLEET_NOT_BEGUN  12

/* What processes of the fleet count, for the test to read: memory that they share. */
typedef struct fleet_counts_t {
    relay_counts_t relay;
    listener_case_t listened[LISTENER_CASES_MAX];
    _Atomic uint64_t spoiled; /* answers of stale workers */
    _Atomic int64_t
        stale_before_ms[FLEET_MAX]; /* what the worker in a place began before is stale */
} fleet_counts_t;

/* Before there is any thread; folder is the test's, borrowed. False: no process is to be had. */
bool fleet_begin (const char *folder);
/* What was counted; the test may set it to zeros while nobody counts. */
fleet_counts_t *fleet_counts (void);
/* Starts a process in a place that is free; its pid. A worker goes on trying to connect for 10
 * s. */
int fleet_start (uint32_t place, const fleet_job_t *job);
/* SIGTERM drains a worker. After SIGKILL the process is reaped and its place is free. */
void fleet_signal (uint32_t place, int signal);
/* Waits for it to end. Its exit status, 128 and more by a signal; -1: it has not. */
int fleet_wait (uint32_t place, int timeout_ms);
/* Ends and reaps all of them. */
void fleet_clear (void);
void fleet_end (void);

#endif
