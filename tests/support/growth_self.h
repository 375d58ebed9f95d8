/* growth_self.h - worlds whose runs grow, from the inside.
 *
 *     growth.c        draws them, and holds every command against what has to come of it
 *     growth_things.c what happens in them
 *     growth_order.c  in which order nodes have to be taken */

#ifndef TESTS_GROWTH_SELF_H
#define TESTS_GROWTH_SELF_H

#include "runtime/core/scheduler.h"
#include "tests/support/evaluator.h"
#include "tests/support/growth.h"
#include "tests/support/off.h"

#define NODES_MAX   12u
#define RUNS_MAX    4u
#define PLACES_MAX  256u
#define WORKERS_MAX (NODES_MAX + 1)
#define HELD_MAX    64u
#define EVENTS_MAX  16u

/* What is in a place: a run, or a graph that was added to one. */
typedef struct part_t {
    bool is_used, has_begun, was_cancelled, is_late, was_cut;
    bool lacks_nodes; /* some were cancelled while the rest went on */
    const random_graph_t *graph;
    evaluator_t *evaluator;
    evaluation_t *evaluation;
    const dw_plan_t *plan;
    dw_added_t *added;            /* NULL: a run */
    uint32_t parent, parent_node; /* and the node of its plan */
    uint32_t root, depth, budget;
    uint32_t number;      /* as graphs began */
    uint32_t children;    /* that have not ended */
    uint32_t added_nodes; /* of a run */
    uint32_t outputs[NODES_MAX], outputs_count;
    bool fails[NODES_MAX], skips[NODES_MAX];
    bool is_kept[NODES_MAX], is_dropped[NODES_MAX], has_error[NODES_MAX];
    uint32_t failures[NODES_MAX]; /* attempts that failed */
} part_t;

typedef struct held_t {
    uint64_t ticket;
    uint32_t place, node, steps, told;
    bool is_dead; /* nobody waits for it */
} held_t;

typedef struct member_t {
    bool is_up, is_local;
    held_t held[HELD_MAX];
    uint32_t held_count;
} member_t;

typedef struct growth_t {
    random_t random;
    uint64_t off; /* what is switched off (off.h) */
    random_graph_t *graph;
    dw_plan_t *plan;
    dw_scheduler_t *scheduler;
    dw_commands_t commands;
    part_t parts[PLACES_MAX];
    member_t workers[WORKERS_MAX];
    uint32_t workers_count, runs_left, losses_left;
    uint32_t nodes_max, depth_max, begun_count;
    dw_event_t events[EVENTS_MAX];
    uint32_t events_count;
    int64_t now_ns;
    FILE *transcript;
    growth_counts_t *counts;
    char wrong[200];
} growth_t;

/* Notes that something is wrong and returns false. */
bool growth_is_wrong (growth_t *self, const char *format, ...) DW_PRINTF (2, 3);

/* PLACES_MAX: there is none. */
uint32_t growth_free_place (const growth_t *self);
/* What a part is to come to. */
void growth_evaluate (growth_t *self, part_t *part);
const random_node_t *growth_described (const part_t *part, uint32_t node);
/* Whether the next attempt at a node fails, ends its branch, or becomes a graph. */
bool growth_is_odd (const part_t *part, uint32_t node);
/* One thing happens: the scheduler will be told of it in the next step. */
void growth_happen (growth_t *self);

/* Whether node of a place was taken before all that is ready beside it and comes after it. */
bool growth_check_order (growth_t *self, uint32_t place, uint32_t node);
/* The same of all that a step has sent, which comes after one another, too. */
bool growth_check_step (growth_t *self, const dw_commands_t *commands);

#endif
