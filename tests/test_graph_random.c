/* test_graph_random.c - random graphs resolve as the plainest reading of them says. */

#include "runtime/core/graph.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support/graph_fixture.h"
#include "tests/support/random.h"

#define NODES_MAX 24

typedef struct naive_t {
    int count;
    bool on[NODES_MAX][NODES_MAX];      /* row depends on column */
    bool reaches[NODES_MAX][NODES_MAX]; /* row descends from column */
} naive_t;

static void s_close (naive_t *naive) {
    memcpy (naive->reaches, naive->on, sizeof (naive->on));
    for (int k = 0; k < naive->count; k++)
        for (int i = 0; i < naive->count; i++)
            for (int j = 0; j < naive->count; j++)
                naive->reaches[i][j] |= naive->reaches[i][k] && naive->reaches[k][j];
}

static bool s_is_cyclic (const naive_t *naive) {
    for (int node = 0; node < naive->count; node++)
        if (naive->reaches[node][node])
            return true;
    return false;
}

static uint32_t s_level (const naive_t *naive, int node) {
    uint32_t level = 0;
    for (int on = 0; on < naive->count; on++)
        if (naive->on[node][on] && s_level (naive, on) + 1 > level)
            level = s_level (naive, on) + 1;
    return level;
}

/* Dependencies in a random order, some of them twice; in an acyclic graph along a random order. */
static naive_t s_random_graph (graph_fixture_t *f, bool acyclic) {
    naive_t naive = {.count = 1 + rand () % NODES_MAX};
    int order[NODES_MAX] = {0}, edges = rand () % (2 * naive.count);
    for (int node = 0; node < naive.count; node++) {
        int at = rand () % (node + 1);
        order[node] = order[at];
        order[at] = node;
    }
    for (int node = 0; node < naive.count; node++)
        assert_int_equal (dw_graph_add (f->graph, (char[]){(char) ('a' + node), '\0'}, "identity"),
                          node);
    for (int edge = 0; edge < edges; edge++) {
        int from = rand () % naive.count, to = rand () % naive.count;
        if (acyclic && order[from] == order[to])
            continue;
        if (acyclic && order[from] < order[to]) {
            int swap = from;
            from = to;
            to = swap;
        }
        naive.on[from][to] = true;
        dw_graph_depend (f->graph, from, (char[]){(char) ('a' + to), '\0'});
    }
    s_close (&naive);
    return naive;
}

static void s_check_resolved (const graph_fixture_t *f, const naive_t *naive,
                              const dw_resolved_t *resolved) {
    uint32_t levels_count = 0;
    for (int node = 0; node < naive->count; node++) {
        const dw_node_t *declared = &f->graph->nodes[node];
        uint32_t at = resolved->dependencies_at[node], level = s_level (naive, node);
        bool seen[NODES_MAX] = {false};
        for (uint32_t of = 0; of < declared->dependencies_count; of++) {
            int on = declared->dependencies[of].id[0] - 'a';
            if (!seen[on])
                assert_int_equal (resolved->dependencies[at++], on);
            seen[on] = true;
        }
        assert_int_equal (at, resolved->dependencies_at[node + 1]);
        assert_int_equal (resolved->level[node], level);
        levels_count = level + 1 > levels_count ? level + 1 : levels_count;
    }
    assert_int_equal (resolved->levels_count, levels_count);
}

/* Every message is a cycle of the graph that begins and ends with its first declared node. */
static void s_check_cycles (const dw_error_t *error, const naive_t *naive) {
    for (size_t index = 0; index < dw_error_count (error); index++) {
        const char *text = dw_error_message (error, index);
        if (strstr (text, " more) "))
            continue;
        assert_int_equal (strncmp (text, "error: cycle: ", 14), 0);
        int first = text[14] - 'a', node = first;
        for (text += 15; strncmp (text, " -> ", 4) == 0; text += 5) {
            int next = text[4] - 'a';
            assert_true (naive->on[next][node]);
            assert_true (next >= first);
            node = next;
        }
        assert_int_equal (node, first);
    }
}

static void random_graphs_resolve_as_a_naive_reading_says (void **state) {
    unsigned seed = (unsigned) random_seed ();
    int cyclic = 0, acyclic = 0;
    (void) state;
    srand (seed);
    for (int round = 0; round < 3000; round++) {
        void *own;
        dw_resolved_t resolved = {0};
        graph_fixture_setup (&own);
        graph_fixture_t *f = own;
        naive_t naive = s_random_graph (f, round % 2 == 0);
        int err = dw_graph_resolve (f->graph, &resolved, f->error);
        if (s_is_cyclic (&naive)) {
            cyclic++;
            assert_int_equal (err, DW_EGRAPH);
            assert_true (dw_error_count (f->error) > 0);
            s_check_cycles (f->error, &naive);
        } else {
            acyclic++;
            assert_int_equal (err, DW_OK);
            s_check_resolved (f, &naive, &resolved);
        }
        dw_resolved_free (&resolved);
        graph_fixture_teardown (&own);
    }
    assert_true (cyclic > 100 && acyclic > 1500);
}

static void random_inputs_are_right_just_where_they_are_ancestors (void **state) {
    unsigned seed = (unsigned) random_seed ();
    uint32_t right = 0, wrong = 0;
    (void) state;
    srand (seed);
    for (int round = 0; round < 3000; round++) {
        void *own;
        char expected[NODES_MAX * 128] = "";
        dw_resolved_t resolved = {0};
        uint32_t wrong_before = wrong;
        graph_fixture_setup (&own);
        graph_fixture_t *f = own;
        naive_t naive = s_random_graph (f, true);
        for (int node = 0; node < naive.count; node++) {
            int input = rand () % 4 ? rand () % naive.count : 0;
            if (rand () % 2)
                continue;
            dw_graph_set_input (f->graph, node, (char[]){(char) ('a' + input), '\0'});
            right += naive.reaches[node][input];
            wrong += !naive.reaches[node][input];
            if (!naive.reaches[node][input])
                snprintf (expected + strlen (expected), sizeof (expected) - strlen (expected),
                          "error: node \"%c\" has the input \"%c\", which is not among its "
                          "ancestors; depend on it, or name another\n",
                          'a' + node, 'a' + input);
        }
        int err = dw_graph_resolve (f->graph, &resolved, f->error);
        assert_string_equal (dw_error_text (f->error), expected);
        assert_int_equal (err, wrong > wrong_before ? DW_EGRAPH : DW_OK);
        for (int node = 0; node < naive.count && !err; node++)
            if (f->graph->nodes[node].input)
                assert_int_equal (resolved.input[node], f->graph->nodes[node].input[0] - 'a');
        dw_resolved_free (&resolved);
        graph_fixture_teardown (&own);
    }
    assert_true (right > 500 && wrong > 500);
}

int main (void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test (random_graphs_resolve_as_a_naive_reading_says),
        cmocka_unit_test (random_inputs_are_right_just_where_they_are_ancestors),
    };
    return !!cmocka_run_group_tests (tests, NULL, NULL);
}
