/* graph_fixture.h - a graph, what is said of it, and its plan. */

#ifndef TESTS_GRAPH_FIXTURE_H
#define TESTS_GRAPH_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "runtime/core/plan.h"

typedef struct graph_fixture_t {
    dw_graph_t *graph;
    dw_error_t *error;
    dw_plan_t *plan; /* NULL until the test makes one */
} graph_fixture_t;

/* For cmocka: a test's state is the fixture. */
int graph_fixture_setup (void **state);
int graph_fixture_teardown (void **state);

/* Adds a node that depends on those named, separated by spaces; returns it. */
int graph_fixture_add (graph_fixture_t *self, const char *id, const char *processor,
                       const char *dependencies);

/* Six CPUs and three processors. t: a brief transform that reads its payload only, the nearest to
 * whatever begins as it does; a: a brief analyzer; s: a slow transform. */
extern const dw_plan_lookup_t graph_fixture_lookup;

#endif
