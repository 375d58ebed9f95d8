/* test_addition.c - graphs that nodes add, as bytes: the same is made of them everywhere, and of
 * damaged ones nothing bad. */

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "actors/addition.h"
#include "runtime/pack.h"
#include "tests/support/random.h"

typedef struct s_fixture_t {
    dw_processors_t *processors;
    dw_program_t *program; /* of one node, which may add what there is */
    dw_writer_t bytes;
    dw_error_t *error;
} s_fixture_t;

static int s_set_up (void **state) {
    s_fixture_t *self = calloc (1, sizeof *self);
    dw_graph_t *graph = dw_graph_new ();
    assert_true (self && graph);
    self->processors = dw_processors_new ();
    self->error = dw_error_new ();
    int node = dw_graph_add (graph, "adder", "repeat_until");
    for (size_t i = 0; i < dw_processors_count (self->processors); i++)
        assert_int_equal (
            dw_graph_allow (graph, node, dw_processors_at (self->processors, i)->name), DW_OK);
    dw_graph_options (graph)->added_nodes_max = 40;
    assert_int_equal (dw_program_new (&self->program, graph, self->processors, self->error), DW_OK);
    dw_graph_destroy (&graph);
    *state = self;
    return 0;
}

static int s_tear_down (void **state) {
    s_fixture_t *self = *state;
    dw_program_destroy (&self->program);
    dw_processors_destroy (&self->processors);
    dw_writer_free (&self->bytes);
    dw_error_destroy (&self->error);
    free (self);
    return 0;
}

/* Whatever an added graph can say. */
static void s_pack (s_fixture_t *self) {
    dw_graph_t *graph = dw_graph_new ();
    int first = dw_graph_add (graph, "first", "prefix_suffix_adder");
    int gate = dw_graph_add (graph, "gate", "skip_unless");
    int again = dw_graph_add (graph, "again", "repeat_until");
    int last = dw_graph_add (graph, "last", "concat");
    dw_graph_set_text (graph, first, "prefix", "<");
    dw_graph_set_integer (graph, gate, "min_bytes", 3);
    dw_graph_depend (graph, gate, "first");
    dw_graph_depend (graph, again, "first");
    dw_graph_allow (graph, again, "repeat_until");
    dw_graph_allow (graph, again, "identity");
    dw_graph_depend (graph, last, "gate");
    dw_graph_depend (graph, last, "again");
    dw_graph_set_input (graph, last, "run");
    dw_graph_node_options (graph, last)->join = DW_JOIN_ANY_OK;
    dw_graph_node_options (graph, gate)->retry_attempts = 3;
    dw_graph_node_options (graph, again)->timeout_us = 1000;
    dw_writer_clear (&self->bytes);
    dw_pack_addition (graph, "last", &self->bytes);
    dw_graph_destroy (&graph);
}

static int s_new (s_fixture_t *self, dw_addition_t **addition_p, const uint8_t *bytes, size_t size,
                  uint32_t node) {
    uint8_t *exact = malloc (size ? size : 1); /* reading beyond its end is seen */
    memcpy (exact, bytes, size);
    dw_error_destroy (&self->error);
    self->error = dw_error_new ();
    int err = dw_addition_new (addition_p, exact, size, self->program, NULL, node, self->error);
    free (exact);
    return err;
}

static void whoever_reads_it_makes_the_same_of_it (void **state) {
    s_fixture_t *self = *state;
    dw_addition_t *here = NULL, *there = NULL;
    s_pack (self);
    assert_int_equal (s_new (self, &here, self->bytes.bytes, self->bytes.count, 0), DW_OK);
    assert_int_equal (s_new (self, &there, self->bytes.bytes, self->bytes.count, DW_NONE), DW_OK);
    assert_true (dw_plan_digest (here->added->plan) == dw_plan_digest (there->added->plan));
    assert_int_equal (here->added->plan->nodes_count, 4);
    assert_string_equal (here->added->plan->ids[here->added->output], "last");
    assert_int_equal (here->bytes_size, self->bytes.count);
    assert_memory_equal (here->bytes, self->bytes.bytes, self->bytes.count);
    for (uint32_t kind = 0; kind < here->added->plan->kinds_count; kind++)
        assert_string_equal (here->added->plan->kinds[kind],
                             self->program->plan->kinds[here->added->kinds[kind]]);
    dw_addition_destroy (&here);
    dw_addition_destroy (&there);
}

static void it_is_run_by_the_options_of_the_run_s_graph (void **state) {
    s_fixture_t *self = *state;
    dw_addition_t *addition = NULL;
    dw_graph_t *graph = dw_graph_new ();
    dw_graph_add (graph, "last", "identity");
    dw_graph_options (graph)->failure_strategy = DW_BEST_EFFORT;
    dw_graph_options (graph)->retry_attempts = 7;
    dw_graph_options (graph)->added_nodes_max = 16000000;
    dw_pack_addition (graph, "last", &self->bytes);
    dw_graph_destroy (&graph);
    assert_int_equal (s_new (self, &addition, self->bytes.bytes, self->bytes.count, 0), DW_OK);
    const dw_plan_t *plan = addition->added->plan;
    assert_int_equal (plan->failure_strategy, DW_FAIL_FAST);
    assert_int_equal (plan->policies[plan->policy[0]].retry_attempts, 0);
    assert_int_equal (plan->added_nodes_max, 40);
    dw_addition_destroy (&addition);
}

static void one_that_is_cut_anywhere_is_refused (void **state) {
    s_fixture_t *self = *state;
    dw_addition_t *addition = NULL;
    s_pack (self);
    for (size_t size = 0; size < self->bytes.count; size++) {
        assert_int_not_equal (s_new (self, &addition, self->bytes.bytes, size, 0), DW_OK);
        assert_null (addition);
        assert_true (dw_error_count (self->error) > 0);
    }
}

static void one_with_any_damage_is_refused_or_believed (void **state) {
    s_fixture_t *self = *state;
    random_t random = random_from (random_seed ());
    unsigned refused = 0, believed = 0;
    for (int i = 0; i < 20000; i++) {
        dw_addition_t *addition = NULL;
        s_pack (self);
        for (uint32_t changes = 1 + random_below (&random, 3); changes > 0; changes--)
            self->bytes.bytes[random_below (&random, (uint32_t) self->bytes.count)] = (uint8_t)
                random_next (&random);
        int err = s_new (self, &addition, self->bytes.bytes, self->bytes.count, 0);
        assert_true (err == DW_OK || err == DW_EPROTOCOL || err == DW_EGRAPH ||
                     err == DW_ETOOLARGE);
        assert_int_equal (err == DW_OK, addition != NULL);
        assert_true (err == DW_OK || dw_error_count (self->error) > 0);
        refused += err != DW_OK;
        believed += err == DW_OK;
        dw_addition_destroy (&addition);
    }
    assert_true (refused > 1000 && believed > 1000);
}

int main (void) {
#define TEST(name) cmocka_unit_test_setup_teardown (name, s_set_up, s_tear_down)
    const struct CMUnitTest tests[] = {
        TEST (whoever_reads_it_makes_the_same_of_it),
        TEST (it_is_run_by_the_options_of_the_run_s_graph),
        TEST (one_that_is_cut_anywhere_is_refused),
        TEST (one_with_any_damage_is_refused_or_believed),
    };
    return !!cmocka_run_group_tests (tests, NULL, NULL);
}
