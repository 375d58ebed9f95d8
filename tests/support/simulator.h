/* simulator.h - a world drawn from a seed that drives a scheduler alone, on a virtual clock.
 *
 * A world has a random graph and plan, several runs in flight, and workers that obey the commands
 * in their own time: they answer one by one or many at once, for parts of a chain, give tasks back,
 * fail, answer nonsense, hang, go down and come again. Answers are late, lost, repeated and forged;
 * runs are cancelled, and runs, nodes and workers named that there are not; in some worlds the
 * shell's thread works itself, between two steps. What becomes of every node is written in the
 * world's script, so that the end can be held against the evaluator; checker.h holds every step
 * against the model. */

#ifndef TESTS_SIMULATOR_H
#define TESTS_SIMULATOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "runtime/core/scheduler.h"
#include "tests/support/random_graph.h"

typedef struct simulator_counts_t {
    uint64_t worlds, steps, events, commands;
    uint64_t runs, sent, failed, timeouts, deadlines, losses, returned, ignored, replaced,
        cancelled, own, left_out, strays;
} simulator_counts_t;

/* Runs one world, without what is switched off (off.h), and adds to counts. transcript NULL:
 * nothing is told. Returns whether all held; if not, wrong (size bytes) says what did not. */
bool simulator_run (uint64_t seed, uint64_t off, FILE *transcript, simulator_counts_t *counts,
                    char *wrong, size_t wrong_size);

/* Somebody who hears of every call of the scheduler, right after it. */
typedef struct simulator_tap_t {
    void *arg;
    void (*begin) (void *arg, const random_graph_t *graph, const dw_plan_t *plan,
                   const dw_scheduler_options_t *options);
    void (*step) (void *arg, int64_t now_ns, const dw_event_t *events, size_t events_count,
                  const dw_commands_t *commands);
    void (*work_begin) (void *arg, int64_t now_ns);
    void (*own) (void *arg, const dw_own_task_t *task);
    void (*timed) (void *arg, uint32_t steps, uint64_t ns);
    void (*work_end) (void *arg, bool is_by_time, const dw_commands_t *commands);
} simulator_tap_t;

/* The same of a whole world, tapped. */
bool simulator_run_tapped (uint64_t seed, simulator_counts_t *counts, const simulator_tap_t *tap,
                           char *wrong, size_t wrong_size);

#endif
