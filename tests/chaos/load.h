/* load.h - what a chaos test has done: runs of a graph whose every byte is known from a run in one
 * process.
 *
 * What a node gives is a hash of all that it reads, so a payload of another node, run or attempt
 * would change everything behind it. */

#ifndef TESTS_CHAOS_LOAD_H
#define TESTS_CHAOS_LOAD_H

#include <stdbool.h>
#include <stdint.h>

#include "dagwood.h"
#include "dagwood_processor.h"

#define LOAD_NODES       200u
#define LOAD_HEAVY_NODES 4u
#define LOAD_HEAVY_BYTES (64u << 10) /* of each payload of the other graph */
#define LOAD_INPUTS      8u
#define LOAD_AT_ONCE     12 /* slots elsewhere that may have tasks, of both graphs */

dw_processors_t *load_processors (void);
/* In a worker process: what its processors began before *before_ms (now_ms) comes out spoiled,
 * which is counted. Both are in memory that processes share. */
void load_spoil (const _Atomic int64_t *before_ms, _Atomic uint64_t *count);

typedef enum load_kind_t {
    LOAD_MANY,     /* nodes, with small payloads */
    LOAD_HEAVY,    /* few nodes with large payloads */
    LOAD_CUSTOMERS /* not of a load_t: runs of client processes (customers.h) */
} load_kind_t;

typedef struct load_options_t {
    dw_system_options_t system; /* its processors are filled in, and slots_max when it is 0 */
    uint32_t actors;            /* of a system that has some; 0: as many as CPUs */
    load_kind_t kind;
} load_options_t;

/* NULL, and why on stderr, when it cannot be opened. */
dw_system_t *load_open (const load_options_t *asked);

typedef struct load_t {
    dw_client_t *client;
    load_kind_t kind;
    uint32_t in_flight_max;
    uint64_t runs_max; /* to be submitted */
    uint64_t accepted, committed, wrong, quarantined;
    uint64_t again; /* runs to be submitted once more, because they were quarantined */
    int64_t taken_ms, gap_most_ms; /* when the last result came, and the longest time between two */
    int gone;                      /* what the client said when it could not go on */
} load_t;

/* Runs every input in this process; what load_pump expects. False: that failed. */
bool load_expect (void);
void load_forget (void);
/* Submits and takes in what is there, without waiting. True: all runs have ended. */
bool load_pump (load_t *self);
/* Goes on until all runs have ended. False: not in time, or the coordinator is gone. */
bool load_finish (load_t *self, int timeout_ms);
/* keys: the folder that has this client's key "client"; NULL: none. */
dw_client_t *load_connect (const char *endpoint, const char *keys, int timeout_ms);
/* How many nodes its graph has. */
uint32_t load_nodes (const load_t *self);

#endif
