/* test_cli_placement.c - nodes that demand something of their workers, as a user says it and is
 * told of it. */

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/support/command.h"

#define LOOPBACK "tcp://127.0.0.1:*"

#define GRAPH                                                                           \
    "processors:\n"                                                                     \
    "  - {id: upper, processor: change_text_case_upper}\n"                              \
    "  - {id: middle, processor: identity, depends_on: [upper], workers: {gpu: yes}}\n" \
    "  - {id: last, processor: reverse_text, depends_on: [middle], type: remote}\n"

typedef struct fixture_t {
    command_t coordinator, workers[2], other;
    char endpoint[COMMAND_ENDPOINT_SIZE];
    const char *graph;
} fixture_t;

static int s_set_up (void **state) {
    fixture_t *f = calloc (1, sizeof *f);
    *state = f;
    if (!f)
        return -1;
    f->graph = command_file ("g.yaml", GRAPH);
    return 0;
}

static int s_tear_down (void **state) {
    fixture_t *f = *state;
    command_forget (&f->coordinator);
    command_forget (&f->workers[0]);
    command_forget (&f->workers[1]);
    command_forget (&f->other);
    free (f);
    return 0;
}

static void s_coordinate (fixture_t *f, const char *const *words) {
    command_start (&f->coordinator, words);
    command_await_output (&f->coordinator, "\n");
    command_take_endpoint (&f->coordinator, f->endpoint);
}
#define COORDINATE(no_workers)                                                            \
    s_coordinate (f, (const char *const[]){"coordinator", f->graph, "--listen", LOOPBACK, \
                                           "--no-workers", no_workers, NULL})

/* Starts a worker and waits until it has been welcomed. */
static void s_work (command_t *worker, const char *const *words) {
    command_start (worker, words);
    command_await_error (worker, "working for ");
}
#define WORK(at, ...)                                                                             \
    s_work (&f->workers[at], (const char *const[]){"worker", "--connect", f->endpoint, "--slots", \
                                                   "1", __VA_ARGS__, NULL})

/* ---- Without anybody else --------------------------------------------------------------------- */

static void such_a_graph_is_valid_and_is_planned_by_its_demands (void **state) {
    fixture_t *f = *state;
    command_t c = {0};
    COMMAND (&c, "validate", f->graph);
    command_expect (&c, 0);
    command_free (&c);
    COMMAND (&c, "plan", f->graph);
    command_expect (&c, 0);
    command_expect_output (&c, "lanes              3: one for each demand on workers\n");
    command_expect_output (&c, "lane 1            1 node, demand: gpu=yes\n");
    command_free (&c);
    COMMAND (&c, "graph", f->graph);
    command_expect (&c, 0);
    command_expect_output (&c, "identity\\ngpu=yes\"");
    command_expect_output (&c, "reverse_text\\nremote\"");
    command_free (&c);
    COMMAND (&c, "graph", f->graph, "--format", "mermaid");
    command_expect_output (&c, "identity<br/>gpu=yes\"");
    command_free (&c);
}

static void in_json_it_is_said_with_the_same_keys (void **state) {
    command_t c = {0};
    (void) state;
    const char *graph = command_file (
        "g.json",
        "{\"processors\": [{\"id\": \"a\", \"processor\": \"identity\", \"type\": \"remote\", "
        "\"workers\": {\"zone\": \"a\", \"gpu\": 1}}]}");
    COMMAND (&c, "plan", graph);
    command_expect (&c, 0);
    command_expect_output (&c, "demand: gpu=1, zone=a\n");
    command_free (&c);
}

static void run_alone_it_is_refused_with_what_to_do (void **state) {
    fixture_t *f = *state;
    command_t c = {0};
    COMMAND (&c, "run", f->graph, "--input", "hello");
    command_expect (&c, 78);
    command_expect_error (&c, "g.yaml:3:10: error: node \"middle\" can only be run by a worker "
                              "elsewhere (gpu=yes)");
    command_expect_error (&c, "dagwood run --listen ENDPOINT");
    command_free (&c);
}

static void mistakes_in_words_are_usage_errors (void **state) {
    static const struct {
        const char *words[6], *said;
    } cases[] = {
        {{"worker", "--connect", "ipc://x", "--tag", "gpu", NULL}, "\"gpu\" is no NAME=VALUE"},
        {{"worker", "--connect", "ipc://x", "--tag", "a b=c", NULL}, "the name of a tag has"},
        {{"worker", "--connect", "ipc://x", "--tag", "gpu=", NULL}, "1 to 255 bytes"},
        {{"coordinator", "g.yaml", "--no-workers", "fial", NULL}, "did you mean fail?"},
        {{"run", "g.yaml", "--no-workers", "fail", NULL}, "of no use without --listen"},
    };
    (void) state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        command_t c = {0};
        command_run (&c, cases[i].words);
        command_expect (&c, 64);
        command_expect_error (&c, cases[i].said);
        command_free (&c);
    }
}

/* ---- With workers ----------------------------------------------------------------------------- */

static void workers_run_what_they_may_and_runs_wait_for_them (void **state) {
    fixture_t *f = *state;
    COORDINATE ("wait");
    START (&f->other, "submit", "--connect", f->endpoint, "--input", "hello", "--output", "last");
    command_await_error (&f->coordinator,
                         "no worker is there for node \"middle\" (processor identity, demand: "
                         "gpu=yes): runs that need it wait");
    WORK (0, "--processors", "change_text_case_upper,reverse_text");
    WORK (1, "--tag", "zone=a", "--tag", "gpu=yes", "--processors", "identity");
    command_end (&f->other);
    command_expect (&f->other, 0);
    command_expect_output (&f->other, "OLLEH");
    command_t c = {0};
    COMMAND (&c, "status", "--connect", f->endpoint);
    command_expect (&c, 0);
    command_expect_output (&c, "LANE    NODES  SLOTS     READY  DEMAND\n"
                               "   0        1      1         0  none\n"
                               "   1        1      1         0  gpu=yes\n"
                               "   2        1      1         0  remote\n");
    command_expect_output (&c, "ms  0,2\n");
    command_free (&c);
    COMMAND (&c, "status", "--connect", f->endpoint, "--format", "json");
    json_t *json = command_json (&c), *lanes = json_object_get (json, "lanes");
    assert_int_equal (json_array_size (lanes), 3);
    assert_string_equal (json_string_value (json_object_get (json_array_get (lanes, 1), "demand")),
                         "gpu=yes");
    json_decref (json);
    command_free (&c);
}

static void with_no_workers_fail_a_run_ends_at_once (void **state) {
    fixture_t *f = *state;
    command_t c = {0};
    COORDINATE ("fail");
    COMMAND (&c, "submit", "--connect", f->endpoint, "--input", "hello", "--format", "json");
    command_expect (&c, 1);
    command_expect_output (&c, "\"status\": \"failed\"");
    command_expect_output (&c,
                           "{\"code\": 503, \"message\": \"no worker is there that may run it\"}");
    command_free (&c);
    command_await_error (&f->coordinator, "runs that need it fail");
    WORK (0, "--tag", "gpu=yes");
    COMMAND (&c, "submit", "--connect", f->endpoint, "--input", "hello");
    command_expect (&c, 0);
    command_free (&c);
}

static void a_run_that_listens_leaves_to_others_what_it_may_not_run (void **state) {
    fixture_t *f = *state;
    START (&f->other, "run", f->graph, "--input", "hello", "--listen", LOOPBACK, "--output",
           "last");
    command_await_error (&f->other, "runs that need it wait");
    const char *at = strstr (f->other.err, "listening at ");
    assert_non_null (at);
    assert_int_equal (sscanf (at, "listening at %255s", f->endpoint), 1);
    WORK (0, "--tag", "gpu=yes", "--processors", "identity,reverse_text");
    command_end (&f->other);
    command_expect (&f->other, 0);
    command_expect_output (&f->other, "OLLEH");
}

static void a_worker_that_meets_no_demand_is_status_78 (void **state) {
    fixture_t *f = *state;
    command_t c = {0};
    COORDINATE ("wait");
    COMMAND (&c, "worker", "--connect", f->endpoint, "--processors", "identity");
    command_expect (&c, 78);
    command_expect_error (&c, "it lacks for node \"upper\" the processor "
                              "\"change_text_case_upper\"; for node \"middle\" the tag gpu=yes");
    command_free (&c);
}

#define TEST(name) cmocka_unit_test_setup_teardown (name, s_set_up, s_tear_down)

int main (void) {
    const struct CMUnitTest tests[] = {
        TEST (such_a_graph_is_valid_and_is_planned_by_its_demands),
        TEST (in_json_it_is_said_with_the_same_keys),
        TEST (run_alone_it_is_refused_with_what_to_do),
        TEST (mistakes_in_words_are_usage_errors),
        TEST (workers_run_what_they_may_and_runs_wait_for_them),
        TEST (with_no_workers_fail_a_run_ends_at_once),
        TEST (a_run_that_listens_leaves_to_others_what_it_may_not_run),
        TEST (a_worker_that_meets_no_demand_is_status_78),
    };
    return !!cmocka_run_group_tests_name ("placement", tests, command_folder_set_up,
                                          command_folder_tear_down);
}
