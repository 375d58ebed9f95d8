/* load.h - what a chaos test has done: runs of a graph whose every byte is known from a run in one process.
 *
 * What a node gives is a hash of all that it reads, so a payload of another node, run or attempt would change everything
 * behind it. */

#ifndef TESTS_CHAOS_LOAD_H
#define TESTS_CHAOS_LOAD_H

#include <stdbool.h>
#include <stdint.h>

#include "dagwood.h"
#include "dagwood_processor.h"

#define LOAD_NODES  200u
#define LOAD_INPUTS 8u

dw_processors_t *load_processors (void);
/* A coordinator that has no actors. NULL, and why on stderr, when it cannot be opened. */
dw_system_t *load_open (const char *endpoint, uint32_t heartbeat_ms, uint32_t silence_ms,
                        void (*notice) (void *arg, const char *line), void *notice_arg);

typedef struct load_t {
    dw_client_t *client;
    uint32_t in_flight_max;
    uint64_t runs_max; /* to be submitted */
    uint64_t accepted, committed, wrong, quarantined;
    uint64_t again; /* runs to be submitted once more, because they were quarantined */
    int gone;       /* what the client said when it could not go on */
} load_t;

/* Runs every input in this process; what load_pump expects. False: that failed. */
bool load_expect (void);
void load_forget (void);
/* Submits and takes in what is there, without waiting. True: all runs have ended. */
bool load_pump (load_t *self);
/* Goes on until all runs have ended. False: not in time, or the coordinator is gone. */
bool load_finish (load_t *self, int timeout_ms);
dw_client_t *load_connect (const char *endpoint);

#endif
