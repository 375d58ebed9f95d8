/* test_conditional.c - processors that end their branch, and nodes that join what is left: at every
 * place. */

#include "tests/support/system_fixture.h"

#include <stdio.h>
#include <string.h>

/* Ends its branch when its node is named in the payload; else passes the payload on. */
static int s_pick (dw_call_t *call, void *arg) {
    size_t size, length = strlen (dw_call_node (call));
    const char *text = dw_call_text (call, &size);
    (void) arg;
    for (size_t at = 0; text && at + length <= size; at++)
        if (memcmp (text + at, dw_call_node (call), length) == 0)
            return dw_call_skip (call);
    return dw_call_set_payload (call);
}

/* Its output is the ids of the dependencies that gave one. */
static int s_list (dw_call_t *call, void *arg) {
    char list[256] = "";
    size_t size = 0;
    (void) arg;
    for (size_t i = 0; i < dw_call_dependencies_count (call); i++)
        if (dw_call_dependency_text (call, i, NULL)) {
            size += (size_t) snprintf (list + size, sizeof list - size, "%s ",
                                       dw_call_dependency_id (call, i));
            if (size >= sizeof list)
                return dw_call_fail (call, 1, "the list is too long");
        } else if (dw_call_dependency_payload (call, i, NULL) ||
                   dw_call_dependency_metadata (call, i, "key", NULL))
            return dw_call_fail (call, 1, "half of a dependency is there");
    return dw_call_set_text (call, list, size);
}

/* Says something of everything, and then that it ends its branch. */
static int s_pick_late (dw_call_t *call, void *arg) {
    (void) arg;
    dw_call_set_metadata (call, "key", "value");
    dw_call_skip (call);
    if (dw_call_attempt (call) == 1)
        return dw_call_fail (call, 500, "not yet");
    return dw_call_set_text (call, "a text that is no short one, so that it lies elsewhere", 54);
}

static int s_break_word (dw_call_t *call, void *arg) {
    (void) arg;
    return dw_call_skip (call);
}

static void s_add_processors (system_fixture_t *f) {
    const dw_processor_t pick = {.name = "pick", .process = s_pick, .may_skip = true};
    const dw_processor_t brief = {
        .name = "pick_brief", .process = s_pick, .may_skip = true, .brief = true};
    const dw_processor_t late = {.name = "pick_late", .process = s_pick_late, .may_skip = true};
    assert_int_equal (dw_processors_add (f->processors, &pick), DW_OK);
    assert_int_equal (dw_processors_add (f->processors, &brief), DW_OK);
    assert_int_equal (dw_processors_add (f->processors, &late), DW_OK);
    system_fixture_add_function (f, "list", s_list, NULL);
    system_fixture_add_function (f, "break_word", s_break_word, NULL);
}

static void s_add_join (system_fixture_t *f, const char *id, const char *depends_on,
                        dw_join_t join) {
    int node = system_fixture_add (f, id, "list", depends_on);
    dw_graph_node_options (f->graph, node)->join = join;
}

static void s_expect_skipped (const dw_result_t *result, const char *id, const char *because_of) {
    expect_status (result, id, DW_NODE_SKIPPED);
    expect_because_of (result, id, because_of);
    int node = dw_result_find (result, id);
    assert_null (dw_result_payload (result, node, NULL));
    assert_int_equal (dw_result_metadata_count (result, node), 0);
    assert_int_equal (dw_result_error_code (result, node), 0);
}

static void a_branch_that_ends_is_skipped_and_the_run_is_ok (void **state) {
    system_fixture_t *f = *state;
    s_add_processors (f);
    system_fixture_add (f, "left", "pick", "");
    system_fixture_add (f, "right", "pick_brief", "");
    system_fixture_add (f, "below_left", "identity", "left");
    system_fixture_add (f, "far_below_left", "identity", "below_left");
    system_fixture_add (f, "below_right", "identity", "right");
    system_fixture_open (f);
    for (int round = 0; round < 3; round++) {
        dw_result_t *result = system_fixture_run_text (f, "not the left");
        assert_int_equal (dw_result_status (result), DW_RUN_OK);
        assert_int_equal (dw_result_failures_count (result), 0);
        s_expect_skipped (result, "left", "left");
        assert_int_equal (dw_result_attempts (result, dw_result_find (result, "left")), 1);
        s_expect_skipped (result, "below_left", "left");
        s_expect_skipped (result, "far_below_left", "left");
        assert_int_equal (dw_result_attempts (result, dw_result_find (result, "below_left")), 0);
        expect_text (result, "below_right", "not the left");
        dw_result_destroy (&result);
        result = system_fixture_run_text (f, "left and right");
        assert_int_equal (dw_result_status (result), DW_RUN_OK);
        s_expect_skipped (result, "below_left", "left");
        s_expect_skipped (result, "below_right", "right");
        dw_result_destroy (&result);
        system_fixture_expect_run (f, "neither", "far_below_left", "neither");
    }
}

static void a_join_takes_what_is_left_and_reads_nothing_of_the_rest (void **state) {
    system_fixture_t *f = *state;
    s_add_processors (f);
    system_fixture_add (f, "a", "pick", "");
    system_fixture_add (f, "b", "pick_brief", "");
    system_fixture_add (f, "c", "identity", "");
    s_add_join (f, "join", "a b c", DW_JOIN_DEFAULT);
    s_add_join (f, "ab", "a b", DW_JOIN_DEFAULT);
    s_add_join (f, "all_done", "a b c", DW_JOIN_ALL_DONE);
    s_add_join (f, "all_ok", "a b c", DW_JOIN_ALL_OK);
    s_add_join (f, "any_ok", "a b", DW_JOIN_ANY_OK);
    s_add_join (f, "below", "ab all_ok", DW_JOIN_ALL_DONE);
    system_fixture_open (f);
    dw_result_t *result = system_fixture_run_text (f, "-");
    expect_text (result, "all_ok", "a b c ");
    dw_result_destroy (&result);
    result = system_fixture_run_text (f, "b");
    expect_text (result, "join", "a c ");
    expect_text (result, "ab", "a ");
    expect_text (result, "all_done", "a c ");
    s_expect_skipped (result, "all_ok", "b");
    expect_text (result, "any_ok", "a ");
    expect_text (result, "below", "ab ");
    dw_result_destroy (&result);
    result = system_fixture_run_text (f, "b a");
    expect_text (result, "join", "c ");
    s_expect_skipped (result, "ab", "a b");
    expect_text (result, "all_done", "c ");
    s_expect_skipped (result, "all_ok", "a b");
    s_expect_skipped (result, "any_ok", "a b");
    expect_text (result, "below", "");
    assert_int_equal (dw_result_status (result), DW_RUN_OK);
    dw_result_destroy (&result);
}

static void what_is_below_an_ended_branch_reads_what_came_before_it (void **state) {
    system_fixture_t *f = *state;
    s_add_processors (f);
    system_fixture_add (f, "first", "prefix_suffix_adder", "");
    system_fixture_add (f, "gate", "pick", "first");
    system_fixture_add (f, "mark", "change_text_case_upper", "gate");
    int last = system_fixture_add (f, "last", "identity", "mark");
    dw_graph_node_options (f->graph, last)->join = DW_JOIN_ALL_DONE;
    int said = system_fixture_add (f, "said", "identity", "last");
    assert_int_equal (dw_graph_set_input (f->graph, said, "gate"), DW_OK);
    system_fixture_open (f);
    dw_result_t *result = system_fixture_run_text (f, "x");
    expect_text (result, "last", "[X]");
    expect_text (result, "said", "[x]");
    dw_result_destroy (&result);
    result = system_fixture_run_text (f, "gate");
    s_expect_skipped (result, "mark", "gate");
    expect_text (result, "last", "[gate]");
    expect_text (result, "said", "[gate]");
    dw_result_destroy (&result);
}

static void of_a_failure_and_an_ended_branch_the_failure_counts (void **state) {
    system_fixture_t *f = *state;
    s_add_processors (f);
    system_fixture_options (f)->failure_strategy = DW_CONTINUE_ON_ERROR;
    system_fixture_add (f, "gate", "pick", "");
    system_fixture_add (f, "fail", "fail", "");
    system_fixture_add (f, "good", "identity", "");
    s_add_join (f, "default", "gate fail good", DW_JOIN_DEFAULT);
    s_add_join (f, "any_ok", "gate fail good", DW_JOIN_ANY_OK);
    s_add_join (f, "none_ok", "gate fail", DW_JOIN_ANY_OK);
    s_add_join (f, "all_ok", "gate fail good", DW_JOIN_ALL_OK);
    s_add_join (f, "all_done", "gate fail good default", DW_JOIN_ALL_DONE);
    system_fixture_open (f);
    dw_result_t *result = system_fixture_run_text (f, "gate");
    assert_int_equal (dw_result_status (result), DW_RUN_PARTIAL);
    s_expect_skipped (result, "default", "fail");
    expect_text (result, "any_ok", "good ");
    s_expect_skipped (result, "none_ok", "fail");
    s_expect_skipped (result, "all_ok", "fail");
    expect_text (result, "all_done", "good ");
    dw_result_destroy (&result);
}

static void best_effort_runs_what_depends_on_a_failure_but_not_on_ended_branches (void **state) {
    system_fixture_t *f = *state;
    s_add_processors (f);
    system_fixture_options (f)->failure_strategy = DW_BEST_EFFORT;
    system_fixture_add (f, "gate", "pick", "");
    system_fixture_add (f, "fail", "fail", "");
    s_add_join (f, "both", "gate fail", DW_JOIN_DEFAULT);
    s_add_join (f, "only_gate", "gate", DW_JOIN_DEFAULT);
    s_add_join (f, "all_ok", "fail", DW_JOIN_ALL_OK);
    s_add_join (f, "below", "all_ok only_gate", DW_JOIN_DEFAULT);
    system_fixture_open (f);
    dw_result_t *result = system_fixture_run_text (f, "gate");
    expect_text (result, "both", "");
    s_expect_skipped (result, "only_gate", "gate");
    s_expect_skipped (result, "all_ok", "fail");
    expect_text (result, "below", "");
    dw_result_destroy (&result);
}

static void a_run_for_an_output_that_was_skipped_is_ok_unless_by_a_failure (void **state) {
    system_fixture_t *f = *state;
    const char *below_gate = "below_gate", *below_fail = "below_fail";
    s_add_processors (f);
    system_fixture_options (f)->failure_strategy = DW_CONTINUE_ON_ERROR;
    system_fixture_add (f, "gate", "pick", "");
    system_fixture_add (f, "fail", "fail", "gate");
    system_fixture_add (f, "below_gate", "identity", "gate");
    system_fixture_add (f, "below_fail", "identity", "fail");
    system_fixture_open (f);
    dw_result_t *result = system_fixture_run_outputs (f, "gate", &below_gate, 1);
    assert_int_equal (dw_result_status (result), DW_RUN_OK);
    s_expect_skipped (result, "below_gate", "gate");
    expect_status (result, "fail", DW_NODE_NOT_REQUESTED);
    dw_result_destroy (&result);
    result = system_fixture_run_outputs (f, "x", &below_fail, 1);
    assert_int_equal (dw_result_status (result), DW_RUN_PARTIAL);
    s_expect_skipped (result, "below_fail", "fail");
    dw_result_destroy (&result);
}

static void skipping_takes_back_what_was_set_and_is_no_failure (void **state) {
    system_fixture_t *f = *state;
    s_add_processors (f);
    int node = system_fixture_add (f, "late", "pick_late", "");
    dw_graph_node_options (f->graph, node)->retry_attempts = 1;
    dw_graph_node_options (f->graph, node)->has_backoff = true;
    dw_graph_node_options (f->graph, node)->backoff = (dw_backoff_t){.factor = 1};
    s_add_join (f, "join", "late", DW_JOIN_ALL_DONE);
    system_fixture_open (f);
    for (int round = 0; round < 3; round++) {
        dw_result_t *result = system_fixture_run_text (f, "text");
        assert_int_equal (dw_result_status (result), DW_RUN_OK);
        s_expect_skipped (result, "late", "late");
        assert_int_equal (dw_result_attempts (result, dw_result_find (result, "late")), 2);
        expect_text (result, "join", "");
        dw_result_destroy (&result);
    }
}

static void who_skips_without_having_promised_it_fails_and_is_told (void **state) {
    system_fixture_t *f = *state;
    s_add_processors (f);
    system_fixture_options (f)->failure_strategy = DW_CONTINUE_ON_ERROR;
    system_fixture_add (f, "liar", "break_word", "");
    system_fixture_add (f, "below", "identity", "liar");
    system_fixture_open (f);
    dw_result_t *result = system_fixture_run_text (f, "text");
    assert_int_equal (dw_result_status (result), DW_RUN_PARTIAL);
    expect_failure (result, "liar", 500, "does not promise may_skip");
    s_expect_skipped (result, "below", "liar");
    dw_result_destroy (&result);
}

static void many_branches_end_at_once_however_long_they_are (void **state) {
    system_fixture_t *f = *state;
    char id[16], before[16] = "gate";
    s_add_processors (f);
    if (f->place->actors == DW_ACTORS_THREAD)
        return; /* so many actors would take long */
    system_fixture_add (f, "gate", "pick", "");
    for (int i = 0; i < 5000; i++) {
        snprintf (id, sizeof id, "n%d", i);
        system_fixture_add (f, id, "identity", before);
        memcpy (before, id, sizeof before);
    }
    system_fixture_open (f);
    dw_result_t *result = system_fixture_run_text (f, "gate");
    assert_int_equal (dw_result_status (result), DW_RUN_OK);
    s_expect_skipped (result, "n4999", "gate");
    dw_result_destroy (&result);
    system_fixture_expect_run (f, "x", "n4999", "x");
}

int main (void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test (a_branch_that_ends_is_skipped_and_the_run_is_ok),
        cmocka_unit_test (a_join_takes_what_is_left_and_reads_nothing_of_the_rest),
        cmocka_unit_test (what_is_below_an_ended_branch_reads_what_came_before_it),
        cmocka_unit_test (of_a_failure_and_an_ended_branch_the_failure_counts),
        cmocka_unit_test (best_effort_runs_what_depends_on_a_failure_but_not_on_ended_branches),
        cmocka_unit_test (a_run_for_an_output_that_was_skipped_is_ok_unless_by_a_failure),
        cmocka_unit_test (skipping_takes_back_what_was_set_and_is_no_failure),
        cmocka_unit_test (who_skips_without_having_promised_it_fails_and_is_told),
        cmocka_unit_test (many_branches_end_at_once_however_long_they_are),
    };
    return system_fixture_run_everywhere ("conditional", tests);
}
