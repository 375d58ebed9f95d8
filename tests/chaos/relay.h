/* relay.h - a forwarder of bytes between workers and a coordinator: it delays, cuts, half-closes
 * and silences connections at random, of which it needs to know nothing; and it holds back or
 * repeats what workers answer, for which it knows where the frames of ZMTP begin (zmtp.h). */

#ifndef TESTS_CHAOS_RELAY_H
#define TESTS_CHAOS_RELAY_H

#include <stdbool.h>
#include <stdint.h>

typedef struct relay_options_t {
    uint16_t port, target_port; /* of this machine: where it listens, and where it forwards to */
    uint64_t seed;
    bool has_troubles; /* connections are held up, cut and silenced */
    uint8_t late,
        repeated;     /* so many of a hundred answers; messages that carry some, to be exact */
    uint32_t late_ms; /* up to so long after what a death takes to be noticed */
    uint32_t late_least_ms;
} relay_options_t;

typedef struct relay_counts_t {
    _Atomic uint64_t answers, late,
        repeated; /* messages that carried answers; of them those held back, and sent twice */
    _Atomic uint64_t
        late_of_dead; /* of those held back: whose worker was gone when they were sent on */
    _Atomic uint64_t troubles;
} relay_counts_t;

/* Until it is killed. */
int relay_run (const relay_options_t *options, relay_counts_t *counts);

#endif
