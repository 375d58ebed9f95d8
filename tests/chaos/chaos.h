/* chaos.h - the scenarios of the chaos test, and what they share. */

#ifndef TESTS_CHAOS_CHAOS_H
#define TESTS_CHAOS_CHAOS_H

#include "tests/chaos/fleet.h"
#include "tests/chaos/load.h"
#include "tests/support/process.h"
#include "tests/support/random.h"

#define CHAOS_HEARTBEAT_MS 50
#define CHAOS_SILENCE_MS   200
#define CHAOS_WORKERS      6u
#define CHAOS_SLOTS        2u

typedef struct chaos_t {
    uint64_t seed;
    random_t random;
    uint64_t runs;  /* for a scenario's load */
    int timeout_ms; /* for it to end */
    bool is_short;
    char folder[32]; /* of ipc endpoints */
    bool has_failed;
} chaos_t;

/* Says so when it is not as it must be. */
void chaos_check (chaos_t *self, bool holds, const char *format, ...) DW_PRINTF (3, 4);
/* A port of this machine that is free, below those that the system gives out. */
uint16_t chaos_port (chaos_t *self);
/* Resident memory of this process, in KiB. */
unsigned chaos_memory (void);

typedef void chaos_scenario_t (chaos_t *self);
chaos_scenario_t chaos_kill, chaos_idle, chaos_coordinator, chaos_drain, chaos_pause, chaos_late,
    chaos_shutdown;

#endif
