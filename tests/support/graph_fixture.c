/* graph_fixture.c - a graph, what is said of it, and its plan. */

#include "tests/support/graph_fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int graph_fixture_setup (void **state) {
    graph_fixture_t *self = calloc (1, sizeof *self);
    self->graph = dw_graph_new ();
    self->error = dw_error_new ();
    *state = self;
    return self->graph && self->error ? 0 : -1;
}

int graph_fixture_teardown (void **state) {
    graph_fixture_t *self = *state;
    dw_plan_destroy (&self->plan);
    dw_graph_destroy (&self->graph);
    dw_error_destroy (&self->error);
    free (self);
    return 0;
}

int graph_fixture_add (graph_fixture_t *self, const char *id, const char *processor,
                       const char *dependencies) {
    char names[256], *rest = names;
    int node = dw_graph_add (self->graph, id, processor);
    assert_true (node >= 0);
    assert_true (snprintf (names, sizeof names, "%s", dependencies) < (int) sizeof names);
    for (char *name; (name = strsep (&rest, " "));)
        if (*name)
            assert_int_equal (dw_graph_depend (self->graph, node, name), DW_OK);
    return node;
}

static bool s_trait (void *arg, const char *processor, dw_trait_t *trait_p) {
    (void) arg;
    *trait_p = (dw_trait_t){.intent = *processor == 'a' ? DW_ANALYZE : DW_TRANSFORM,
                            .brief = *processor != 's',
                            .payload_only = *processor == 't'};
    return strlen (processor) == 1 && strchr ("tas", *processor);
}

static const char *s_nearest (void *arg, const char *processor) {
    (void) arg;
    return *processor == 't' ? "t" : NULL;
}

const dw_plan_lookup_t graph_fixture_lookup = {
    .trait = s_trait, .nearest = s_nearest, .cpus_count = 6};
