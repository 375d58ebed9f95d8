/* chaos.h - the scenarios of the chaos test, and what they share. */

#ifndef TESTS_CHAOS_CHAOS_H
#define TESTS_CHAOS_CHAOS_H

#include "tests/chaos/fleet.h"
#include "tests/chaos/load.h"
#include "tests/chaos/row.h"
#include "tests/support/process.h"
#include "tests/support/random.h"

#define CHAOS_HEARTBEAT_MS 50
#define CHAOS_SILENCE_MS   200
#define CHAOS_WORKERS      6u
#define CHAOS_SLOTS        2u
#define CHAOS_ROWS_MAX     64u

typedef struct chaos_t {
    uint64_t seed;
    random_t random;
    uint64_t runs;  /* for a scenario's load */
    int timeout_ms; /* for it to end */
    int stretch_ms; /* how long a fault that goes on goes on */
    bool is_short;
    char folder[32]; /* of ipc endpoints and keys */
    bool has_failed; /* the scenario under way */
    bool is_skipped;
    row_t rows[CHAOS_ROWS_MAX];
    uint32_t rows_count;
    row_t *row; /* what is being filled in */
} chaos_t;

/* Says so when it is not as it must be. */
void chaos_check (chaos_t *self, bool holds, const char *format, ...) DW_PRINTF (3, 4);
/* A new line of the table, which the calls below fill in; a scenario has one of its own name. */
void chaos_row (chaos_t *self, const char *name);
/* Faults that really happened, of which there must be at least so many; printed too. */
void chaos_fault (chaos_t *self, const char *what, uint64_t count, uint64_t least);
/* What was to be seen, and what was: a check that they are the same. */
void chaos_expect (chaos_t *self, const char *expected, const char *seen);
/* Says why a scenario cannot be tried here. */
void chaos_skip (chaos_t *self, const char *why);
/* A port of this machine that is free, below those that the system gives out. */
uint16_t chaos_port (chaos_t *self);
/* Resident memory of a process, its address space, both in KiB, and its descriptors; pid 0: of this
 * one. */
unsigned chaos_memory (int pid);
unsigned chaos_virtual (int pid);
unsigned chaos_descriptors (int pid);

typedef void chaos_scenario_t (chaos_t *self);
chaos_scenario_t chaos_kill, chaos_idle, chaos_drain, chaos_foreign, chaos_late,
    chaos_stale;                                                         /* workers.c */
chaos_scenario_t chaos_coordinator, chaos_pause, chaos_shutdown;         /* coordinators.c */
chaos_scenario_t chaos_clients, chaos_apart;                             /* clients.c */
chaos_scenario_t chaos_partition, chaos_loss, chaos_slow, chaos_strange; /* networks.c */
chaos_scenario_t chaos_silent, chaos_garbage, chaos_bombs, chaos_endless,
    chaos_keys;                   /* strangers.c */
chaos_scenario_t chaos_curve;     /* curve.c */
chaos_scenario_t chaos_endpoints; /* endpoints.c */
chaos_scenario_t chaos_busy;

#endif
