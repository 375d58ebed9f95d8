/* test_plan_random.c - random graphs are planned as a planner does that computes everything in the
 * plainest way. */

#include "runtime/core/plan.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support/graph_fixture.h"
#include "tests/support/random.h"

#define NODES_MAX 24

/* The graph as declared, by index of declaration, with everything computed in the plainest way. */
typedef struct naive_t {
    int count;
    bool on[NODES_MAX][NODES_MAX];      /* row depends on column */
    bool reaches[NODES_MAX][NODES_MAX]; /* row descends from column */
    bool analyze[NODES_MAX], timed[NODES_MAX], once[NODES_MAX];
    int demands;           /* different ones that there may be, */
    int demand[NODES_MAX]; /* and which; 0: none, 1: remote */
    int input[NODES_MAX];  /* -1: the rule, -2: the run's */
    int64_t cost_us[NODES_MAX];
    uint32_t level[NODES_MAX];
    int order[NODES_MAX]; /* by rank: the node */
    int rank[NODES_MAX];
} naive_t;

static uint32_t s_naive_level (const naive_t *naive, int node) {
    uint32_t level = 0;
    for (int on = 0; on < naive->count; on++)
        if (naive->on[node][on] && s_naive_level (naive, on) + 1 > level)
            level = s_naive_level (naive, on) + 1;
    return level;
}

static uint64_t s_naive_remaining (const naive_t *naive, int node) {
    uint64_t longest = 0;
    for (int successor = 0; successor < naive->count; successor++)
        if (naive->on[successor][node] && s_naive_remaining (naive, successor) > longest)
            longest = s_naive_remaining (naive, successor);
    return longest + (uint64_t) naive->cost_us[node];
}

static void s_naive_order (naive_t *naive) {
    memcpy (naive->reaches, naive->on, sizeof (naive->on));
    for (int k = 0; k < naive->count; k++)
        for (int i = 0; i < naive->count; i++)
            for (int j = 0; j < naive->count; j++)
                naive->reaches[i][j] |= naive->reaches[i][k] && naive->reaches[k][j];
    for (int node = 0; node < naive->count; node++)
        naive->level[node] = s_naive_level (naive, node);
    for (int node = 0; node < naive->count; node++) {
        int rank = 0;
        for (int other = 0; other < naive->count; other++)
            rank += naive->level[other] < naive->level[node] ||
                    (other < node && naive->level[other] == naive->level[node]);
        naive->rank[node] = rank;
        naive->order[rank] = node;
    }
}

/* The greatest-ranked ancestor that is a transform, as docs/ARCHITECTURE.md says it; -2: the run's
 * input. */
static int s_naive_rule (const naive_t *naive, int node) {
    for (int rank = naive->count; rank-- > 0;)
        if (naive->reaches[node][naive->order[rank]] && !naive->analyze[naive->order[rank]])
            return naive->order[rank];
    return -2;
}

static int s_naive_source (const naive_t *naive, int node) {
    return naive->input[node] == -1 ? s_naive_rule (naive, node) : naive->input[node];
}

static void s_random_node (graph_fixture_t *f, naive_t *naive, int node) {
    int kind = rand () % 3;
    naive->analyze[node] = kind == 1;
    naive->cost_us[node] = 1;
    naive->input[node] = -1;
    const char *processor = (const char *[]){"t", "a", "s"}[kind];
    assert_int_equal (dw_graph_add (f->graph, (char[]){(char) ('a' + node), '\0'}, processor),
                      node);
    if (rand () % 4 == 0) {
        naive->cost_us[node] = rand () % 5;
        dw_graph_node_options (f->graph, node)->cost_us = naive->cost_us[node];
    }
    naive->demand[node] = naive->demands ? rand () % (naive->demands + 1) : 0;
    if (naive->demand[node] == 1)
        dw_graph_set_remote (f->graph, node);
    else if (naive->demand[node])
        dw_graph_require_tag (f->graph, node, "nr", naive->demand[node] == 2 ? "2" : "3");
    if (rand () % 6 == 0) {
        naive->timed[node] = true;
        dw_graph_node_options (f->graph, node)->timeout_us = 1 + rand () % 2;
    }
    if (rand () % 8 == 0)
        dw_graph_node_options (f->graph, node)->not_idempotent = naive->once[node] = true;
}

static void s_random_edges (graph_fixture_t *f, naive_t *naive) {
    int order[NODES_MAX] = {0}, edges = rand () % (2 * naive->count);
    for (int node = 0; node < naive->count; node++) {
        int at = rand () % (node + 1);
        order[node] = order[at];
        order[at] = node;
    }
    for (int edge = 0; edge < edges; edge++) {
        int from = rand () % naive->count, to = rand () % naive->count;
        if (order[from] <= order[to])
            continue;
        naive->on[from][to] = true;
        dw_graph_depend (f->graph, from, (char[]){(char) ('a' + to), '\0'});
    }
}

static void s_random_inputs (graph_fixture_t *f, naive_t *naive) {
    for (int node = 0; node < naive->count; node++) {
        int input = rand () % naive->count;
        if (rand () % 4 || !naive->reaches[node][input])
            continue;
        naive->input[node] = rand () % 4 ? input : -2;
        char name[] = {(char) ('a' + input), '\0'};
        dw_graph_set_input (f->graph, node, naive->input[node] == -2 ? "run" : name);
    }
}

static naive_t s_random_graph (graph_fixture_t *f) {
    naive_t naive = {.count = 1 + rand () % NODES_MAX};
    dw_graph_options_t *options = dw_graph_options (f->graph);
    options->strategy = (dw_strategy_t) (rand () % 4);
    options->actors = (dw_actors_t) (rand () % 3);
    options->priority = (dw_priority_t) (rand () % 2);
    naive.demands = rand () % 3 ? 0 : 1 + rand () % 3;
    for (int node = 0; node < naive.count; node++)
        s_random_node (f, &naive, node);
    s_random_edges (f, &naive);
    s_naive_order (&naive);
    s_random_inputs (f, &naive);
    return naive;
}

static uint32_t s_by_rank (const naive_t *naive, int source) {
    return source == -2 ? DW_RUN_INPUT : (uint32_t) naive->rank[source];
}

static void s_check_node (const dw_plan_t *plan, const naive_t *naive, uint32_t node) {
    int declared = naive->order[node], source = s_naive_source (naive, declared);
    uint32_t readers = 0, dependents = 0, level = naive->level[declared];
    assert_int_equal (plan->declared[node], declared);
    assert_int_equal (plan->ids[node][0], 'a' + declared);
    assert_int_equal (dw_plan_find (plan, plan->ids[node]), node);
    assert_true (plan->level_at[level] <= node && node < plan->level_at[level + 1]);
    assert_int_equal (plan->rule[node], s_by_rank (naive, s_naive_rule (naive, declared)));
    assert_int_equal (plan->source[node], s_by_rank (naive, source));
    assert_int_equal (!!(plan->flags[node] & DW_NODE_INPUT), naive->input[declared] != -1);
    assert_int_equal (!!(plan->flags[node] & DW_NODE_ANALYZE), naive->analyze[declared]);
    assert_int_equal (!!(plan->flags[node] & DW_NODE_TIMED), naive->timed[declared]);
    assert_int_equal (!!(plan->flags[node] & DW_NODE_ONCE), naive->once[declared]);
    assert_int_equal (plan->policies[plan->policy[node]].timeout_us > 0, naive->timed[declared]);
    bool brief = plan->kinds[plan->kind[node]][0] != 's' && !naive->timed[declared];
    assert_int_equal (!!(plan->flags[node] & DW_NODE_BRIEF), brief);
    for (int other = 0; other < naive->count; other++) {
        dependents += naive->on[other][declared];
        readers += naive->on[other][declared] || s_naive_source (naive, other) == declared;
    }
    assert_int_equal (plan->readers_count[node], readers);
    assert_int_equal (plan->successors_at[node + 1] - plan->successors_at[node], dependents);
}

static void s_check_edges (const dw_plan_t *plan, const naive_t *naive, uint32_t node) {
    uint32_t count = 0;
    for (uint32_t edge = plan->successors_at[node]; edge < plan->successors_at[node + 1]; edge++) {
        uint32_t successor = plan->successors[edge];
        assert_true (successor > node);
        assert_true (naive->on[naive->order[successor]][naive->order[node]]);
        assert_true (edge == plan->successors_at[node] || plan->successors[edge - 1] < successor);
    }
    for (int on = 0; on < naive->count; on++)
        count += naive->on[naive->order[node]][on];
    assert_int_equal (plan->dependencies_count[node], count);
    assert_int_equal (plan->dependencies_at[node + 1] - plan->dependencies_at[node], count);
    for (uint32_t edge = plan->dependencies_at[node]; edge < plan->dependencies_at[node + 1];
         edge++)
        assert_true (naive->on[naive->order[node]][naive->order[plan->dependencies[edge]]]);
}

/* The node that must run in a chain after this one by the definition in plan.h. */
static uint32_t s_naive_next (const dw_plan_t *plan, const naive_t *naive, uint32_t node) {
    int declared = naive->order[node], next = -1, predecessors = 0;
    for (int other = 0; other < naive->count; other++)
        if (naive->on[other][declared]) {
            if (next != -1)
                return DW_NONE;
            next = other;
        }
    if (next == -1 || plan->strategy == DW_LEVEL || !plan->pool)
        return DW_NONE;
    for (int other = 0; other < naive->count; other++)
        predecessors += naive->on[next][other];
    if (naive->demand[declared] != naive->demand[next])
        return DW_NONE;
    if (predecessors != 1 || naive->timed[declared] || naive->timed[next] ||
        naive->once[declared] || naive->once[next])
        return DW_NONE;
    uint32_t differs = plan->flags[node] ^ plan->flags[naive->rank[next]];
    if (differs & DW_NODE_BRIEF)
        return DW_NONE;
    int source = s_naive_source (naive, next);
    bool same = source == s_naive_source (naive, declared) && !(differs & DW_NODE_INPUT);
    return source == declared || same ? (uint32_t) naive->rank[next] : DW_NONE;
}

static void s_check_chains (const dw_plan_t *plan, const naive_t *naive) {
    uint32_t chains_count = 0;
    for (uint32_t node = 0; node < plan->nodes_count; node++) {
        uint32_t length = 1;
        bool begins = plan->chain_next[node] != DW_NONE;
        assert_int_equal (plan->chain_next[node], s_naive_next (plan, naive, node));
        for (uint32_t at = plan->chain_next[node]; at != DW_NONE; at = plan->chain_next[at])
            length++;
        assert_int_equal (plan->chain_length[node], length);
        for (uint32_t before = 0; before < node; before++)
            begins = begins && plan->chain_next[before] != node;
        chains_count += begins;
    }
    assert_int_equal (plan->chains_count, chains_count);
}

/* True when a comes before b in a lane. */
static bool s_is_before (const dw_plan_t *plan, const naive_t *naive, int a, int b) {
    uint64_t a_us = s_naive_remaining (naive, a), b_us = s_naive_remaining (naive, b);
    if (plan->priority == DW_CRITICAL_PATH && a_us != b_us)
        return a_us > b_us;
    if (naive->level[a] != naive->level[b])
        return naive->level[a] < naive->level[b];
    if (naive->analyze[a] != naive->analyze[b])
        return naive->analyze[b];
    return a < b;
}

static void s_check_positions (const dw_plan_t *plan, const naive_t *naive) {
    uint32_t last = 0;
    for (uint32_t lane = 0; lane < plan->lanes_count; lane++)
        for (uint32_t at = plan->lane_at[lane]; at < plan->lane_at[lane + 1]; at++, last++) {
            uint32_t node = plan->by_position[at];
            assert_int_equal (plan->lane[node], lane);
            assert_int_equal (plan->position[node], at - plan->lane_at[lane]);
            /* In thread mode the lanes themselves are in the order of priority. */
            if (at > (plan->pool ? plan->lane_at[lane] : 0))
                assert_true (s_is_before (plan, naive, naive->order[plan->by_position[at - 1]],
                                          naive->order[node]));
        }
    assert_int_equal (last, plan->nodes_count);
    for (uint32_t a = 0; plan->demands && a < plan->nodes_count; a++)
        for (uint32_t b = 0; b < plan->nodes_count; b++) {
            int left = naive->order[a], right = naive->order[b];
            assert_int_equal (plan->lane[a] == plan->lane[b],
                              naive->demand[left] == naive->demand[right]);
            assert_true (a == b || (plan->urgency[a] < plan->urgency[b]) ==
                                       s_is_before (plan, naive, left, right));
        }
}

static void s_check_critical_path (const dw_plan_t *plan, const naive_t *naive) {
    uint64_t longest_us = 0, path_us = 0;
    for (int node = 0; node < naive->count; node++)
        if (s_naive_remaining (naive, node) > longest_us)
            longest_us = s_naive_remaining (naive, node);
    assert_int_equal (plan->critical_path_us, longest_us);
    for (uint32_t at = 0; at < plan->critical_path_count; at++) {
        int node = naive->order[plan->critical_path[at]];
        path_us += (uint64_t) naive->cost_us[node];
        if (at > 0)
            assert_true (naive->on[node][naive->order[plan->critical_path[at - 1]]]);
    }
    assert_int_equal (path_us, longest_us);
    assert_int_equal (plan->dependencies_count[plan->critical_path[0]], 0);
}

static void s_check_sinks (const dw_plan_t *plan, const naive_t *naive) {
    uint32_t count = 0;
    for (int rank = 0; rank < naive->count; rank++) {
        bool sink = true;
        for (int other = 0; other < naive->count; other++)
            sink = sink && !naive->on[other][naive->order[rank]];
        if (sink)
            assert_int_equal (plan->sinks[count++], rank);
    }
    assert_int_equal (plan->sinks_count, count);
}

/* As s_warn_ambiguous sees it: what each direct dependency offers as a payload. */
static size_t s_naive_warnings (const naive_t *naive) {
    size_t count = 0;
    for (int node = 0; node < naive->count; node++) {
        int best = s_naive_rule (naive, node);
        bool ambiguous = false;
        for (int on = 0; on < naive->count && best != -2; on++) {
            int offer = naive->analyze[on] ? s_naive_rule (naive, on) : on;
            ambiguous |= naive->on[node][on] && offer != -2 && offer != best &&
                         naive->level[offer] == naive->level[best];
        }
        count += ambiguous && naive->input[node] == -1;
    }
    return count;
}

static void random_graphs_are_planned_as_a_naive_planner_does (void **state) {
    unsigned seed = (unsigned) random_seed ();
    uint32_t chains = 0, warnings = 0;
    (void) state;
    srand (seed);
    for (int round = 0; round < 3000; round++) {
        void *own;
        graph_fixture_setup (&own);
        graph_fixture_t *f = own;
        naive_t naive = s_random_graph (f);
        assert_int_equal (dw_plan_new (&f->plan, f->graph, &graph_fixture_lookup, f->error), DW_OK);
        const dw_plan_t *plan = f->plan;
        assert_int_equal (plan->nodes_count, naive.count);
        for (uint32_t node = 0; node < plan->nodes_count; node++) {
            s_check_node (plan, &naive, node);
            s_check_edges (plan, &naive, node);
        }
        s_check_chains (plan, &naive);
        s_check_positions (plan, &naive);
        s_check_critical_path (plan, &naive);
        s_check_sinks (plan, &naive);
        assert_int_equal (dw_error_count (f->error), s_naive_warnings (&naive));
        chains += plan->chains_count;
        warnings += (uint32_t) dw_error_count (f->error);
        graph_fixture_teardown (&own);
    }
    assert_true (chains > 100 && warnings > 100);
}

int main (void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test (random_graphs_are_planned_as_a_naive_planner_does),
    };
    return !!cmocka_run_group_tests (tests, NULL, NULL);
}
