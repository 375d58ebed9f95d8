/* listener.h - a process that tries to listen at every endpoint of a list, one after another, and
 * looks into the kernel what it listens at then. */

#ifndef TESTS_CHAOS_LISTENER_H
#define TESTS_CHAOS_LISTENER_H

#include <stdbool.h>
#include <stdint.h>

#define LISTENER_CASES_MAX 128u

typedef enum listener_outcome_t {
    LISTENER_NOTHING, /* it has not come to it */
    LISTENER_MACHINE, /* it listens, for this machine alone */
    LISTENER_BEYOND,  /* it listens, and others could come */
    LISTENER_NO_KEY,  /* it may not, without keys that are in order */
    LISTENER_NO_ENDPOINT,
    LISTENER_NOT_HERE, /* it may, but this machine has no such place */
} listener_outcome_t;

typedef struct listener_case_t {
    listener_outcome_t outcome;
    int64_t took_ms;
    bool is_tried, is_served; /* a run was asked for where it listens, and was right */
    unsigned memory[2], descriptors[2];
} listener_case_t;

/* keys: its folder, "": none. An exit status of the fleet. */
int listener_run (const char *keys, listener_case_t *cases);

#endif
