/* test_placement.c - nodes that only some workers may run: over ipc and TCP, with workers that come
 * and go. */

#include "tests/support/net.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "runtime/core/error.h"

typedef struct fixture_t {
    net_t *net;
    dw_client_t *client;
    dw_agent_t *agents[4];
    dw_processors_t *offered[4]; /* NULL: all */
} fixture_t;

static int s_begin (void **state, const char *endpoint) {
    void *net = NULL;
    fixture_t *self = calloc (1, sizeof *self);
    *state = self;
    if (!self || net_setup (&net))
        return -1;
    self->net = net;
    dw_graph_destroy (&self->net->graph);
    self->net->graph = dw_graph_new ();
    if (strcmp (endpoint, "ipc") == 0)
        snprintf (self->net->endpoint, sizeof self->net->endpoint, "ipc://%s/hub",
                  self->net->folder);
    return 0;
}

static int s_begin_ipc (void **state) {
    return s_begin (state, "ipc");
}

static int s_begin_tcp (void **state) {
    return s_begin (state, "tcp");
}

static int s_end (void **state) {
    fixture_t *self = *state;
    void *net = self->net;
    dw_client_destroy (&self->client);
    for (size_t i = 0; i < sizeof self->agents / sizeof *self->agents; i++)
        dw_agent_close (&self->agents[i], -1, NULL);
    for (size_t i = 0; i < sizeof self->offered / sizeof *self->offered; i++)
        dw_processors_destroy (&self->offered[i]);
    free (self);
    return net_teardown (&net);
}

/* A node with this demand: "" none, "remote", or one tag. */
static void s_add (fixture_t *f, const char *id, const char *processor, const char *on,
                   const char *demand) {
    char tag[64];
    int node = dw_graph_add (f->net->graph, id, processor);
    if (*on)
        assert_int_equal (dw_graph_depend (f->net->graph, node, on), DW_OK);
    if (strcmp (demand, "remote") == 0)
        assert_int_equal (dw_graph_set_remote (f->net->graph, node), DW_OK);
    else if (*demand) {
        snprintf (tag, sizeof tag, "%s", demand);
        char *value = strchr (tag, '=');
        assert_non_null (value);
        *value++ = '\0';
        assert_int_equal (dw_graph_require_tag (f->net->graph, node, tag, value), DW_OK);
    }
}

/* A graph of three nodes that shouts backwards, each with a demand. */
static void s_build (fixture_t *f, const char *first, const char *second, const char *third) {
    s_add (f, "upper", "change_text_case_upper", "", first);
    s_add (f, "middle", "identity", "upper", second);
    s_add (f, "last", "reverse_text", "middle", third);
}

static void s_open (fixture_t *f, dw_system_options_t options) {
    net_open (f->net, &options, false);
    f->client = net_client (f->net, NULL);
}

/* processors: names with spaces between them; NULL: all. tags: the same of NAME=VALUE. */
static int s_try_agent (fixture_t *f, int at, const char *processors, const char *tags) {
    dw_processors_t *offered = f->offered[at] = processors ? dw_processors_new_empty () : NULL;
    char names[256], words[256];
    dw_worker_tag_t list[8];
    dw_agent_options_t options = {.coordinator.endpoint = f->net->endpoint, .slots = 1};
    snprintf (names, sizeof names, "%s", processors ? processors : "");
    for (char *name = strtok (names, " "); name; name = strtok (NULL, " "))
        assert_int_equal (
            dw_processors_add (offered, dw_processors_find (f->net->processors, name)), DW_OK);
    snprintf (words, sizeof words, "%s", tags);
    for (char *tag = strtok (words, " "); tag; tag = strtok (NULL, " ")) {
        char *value = strchr (tag, '=');
        assert_non_null (value);
        *value++ = '\0';
        list[options.tags_count++] = (dw_worker_tag_t){tag, value};
    }
    options.tags = list;
    options.processors = offered ? offered : f->net->processors;
    return dw_agent_open (&f->agents[at], &options, f->net->error);
}

static void s_agent (fixture_t *f, int at, const char *processors, const char *tags) {
    if (s_try_agent (f, at, processors, tags))
        fail_msg ("%s", dw_error_text (f->net->error));
}

static uint64_t s_submit (fixture_t *f) {
    uint64_t run;
    dw_submission_t submission = {.payload = "hello", .size = 5, .is_text = true, .wait_ms = -1};
    if (dw_client_submit (f->client, &submission, &run, f->net->error))
        fail_msg ("%s", dw_error_text (f->net->error));
    return run;
}

static dw_result_t *s_wait (fixture_t *f, uint64_t run) {
    dw_result_t *result = NULL;
    assert_int_equal (dw_client_wait (f->client, run, 20000, &result), DW_OK);
    return result;
}

/* Steps that a process has done: the coordinator's own actors (host ""), or the first worker's with
 * this number of lanes. */
static uint64_t s_steps_done (fixture_t *f, uint64_t lanes, bool is_own) {
    uint64_t steps = UINT64_MAX;
    dw_status_t *status = net_status (f->client);
    for (size_t i = 0; i < status->workers_count; i++)
        if ((status->workers[i].host[0] == '\0') == is_own &&
            (is_own || status->workers[i].lanes == lanes))
            steps = status->workers[i].steps_done;
    dw_status_destroy (&status);
    return steps;
}

/* ---- Who runs what ---------------------------------------------------------------------------- */

static void a_remote_node_is_never_run_by_the_coordinators_own_actors (void **state) {
    fixture_t *f = *state;
    s_build (f, "", "remote", "");
    s_open (f, (dw_system_options_t){0});
    s_agent (f, 0, "identity", ""); /* it can do that one alone */
    for (int i = 0; i < 20; i++)
        net_run (f->net, f->client);
    assert_int_equal (s_steps_done (f, 0, true), 40);
    assert_int_equal (s_steps_done (f, 2, false), 20);
}

static void a_tagged_node_is_run_by_workers_with_its_tag (void **state) {
    fixture_t *f = *state;
    s_build (f, "", "gpu=yes", "");
    s_open (f, (dw_system_options_t){.no_actors = true});
    s_agent (f, 0, NULL, "gpu=no zone=a");
    s_agent (f, 1, "identity", "zone=a gpu=yes");
    for (int i = 0; i < 20; i++)
        net_run (f->net, f->client);
    assert_int_equal (s_steps_done (f, 1, false), 40);
    assert_int_equal (s_steps_done (f, 2, false), 20);
}

static void every_tag_that_is_asked_for_must_be_there (void **state) {
    fixture_t *f = *state;
    s_build (f, "gpu=yes", "gpu=yes", "gpu=yes");
    assert_int_equal (dw_graph_require_tag (f->net->graph, 0, "zone", "a"), DW_OK);
    s_open (f, (dw_system_options_t){.no_actors = true});
    s_agent (f, 0, NULL, "gpu=yes");
    uint64_t run = s_submit (f);
    net_expect_notice (f->net, "node \"upper\" (processor change_text_case_upper, demand: gpu=yes, "
                               "zone=a): runs that need it wait");
    s_agent (f, 1, NULL, "zone=a gpu=yes");
    dw_result_t *result = s_wait (f, run);
    assert_int_equal (dw_result_status (result), DW_RUN_OK);
    dw_result_destroy (&result);
    assert_int_equal (s_steps_done (f, 3, false) + s_steps_done (f, 2, false), 3);
}

static void a_worker_of_many_tags_serves_all_lanes (void **state) {
    fixture_t *f = *state;
    s_build (f, "nr=1", "nr=2", "remote");
    s_open (f, (dw_system_options_t){.no_actors = true});
    s_agent (f, 0, NULL, "nr=1 nr=2");
    for (int i = 0; i < 20; i++)
        net_run (f->net, f->client);
    assert_int_equal (s_steps_done (f, 7, false), 60);
}

static void a_worker_offers_some_processors_and_plans_the_graph_all_the_same (void **state) {
    fixture_t *f = *state;
    s_add (f, "count", "token_counter", "", "nr=1"); /* an analyzer: not what the next one reads */
    s_add (f, "upper", "change_text_case_upper", "count", "nr=2");
    s_add (f, "last", "reverse_text", "upper", "nr=3");
    s_open (f, (dw_system_options_t){.no_actors = true});
    s_agent (f, 0, "token_counter", "nr=1 nr=2 nr=3");
    s_agent (f, 1, "change_text_case_upper", "nr=1 nr=2 nr=3");
    s_agent (f, 2, "reverse_text", "nr=1 nr=2 nr=3");
    for (int i = 0; i < 20; i++)
        net_run (f->net, f->client);
    for (uint64_t lane = 0; lane < 3; lane++)
        assert_int_equal (s_steps_done (f, UINT64_C (1) << lane, false), 20);
}

static void who_lacks_a_processor_of_a_lane_serves_nothing_of_it (void **state) {
    fixture_t *f = *state;
    s_build (f, "nr=1", "nr=1", "nr=2");
    s_open (f, (dw_system_options_t){.no_actors = true});
    s_agent (f, 0, "identity reverse_text", "nr=1 nr=2");
    s_agent (f, 1, NULL, "nr=1");
    net_run (f->net, f->client);
    assert_int_equal (s_steps_done (f, 2, false), 1);
    assert_int_equal (s_steps_done (f, 1, false), 2);
}

/* ---- Who is turned away ----------------------------------------------------------------------- */

static void s_expect_error (fixture_t *f, int got, int err, const char *part) {
    if (got != err || !strstr (dw_error_text (f->net->error), part))
        fail_msg ("%s, not \"%s\": %s", dw_err_text (got), part, dw_error_text (f->net->error));
    dw_error_destroy (&f->net->error);
    f->net->error = dw_error_new ();
}

static void a_worker_that_could_run_nothing_is_told_what_it_lacks (void **state) {
    fixture_t *f = *state;
    s_build (f, "", "gpu=yes", "remote");
    s_open (f, (dw_system_options_t){.no_actors = true});
    s_expect_error (
        f, s_try_agent (f, 0, "identity", "gpu=no"), DW_EGRAPH,
        "could run none of the graph's nodes: it lacks for node \"upper\" the processor "
        "\"change_text_case_upper\"; for node \"middle\" the tag gpu=yes; for node "
        "\"last\" the processor \"reverse_text\"");
}

static void without_demands_a_worker_has_every_processor_or_is_refused (void **state) {
    fixture_t *f = *state;
    s_build (f, "", "", "");
    s_add (f, "count", "token_counter", "", "");
    s_add (f, "mark", "prefix_suffix_adder", "", "");
    s_open (f, (dw_system_options_t){.no_actors = true});
    s_expect_error (f, s_try_agent (f, 0, "identity", ""), DW_EGRAPH,
                    "it lacks the processor \"change_text_case_upper\", \"reverse_text\", "
                    "\"token_counter\" and 1 more");
}

static int s_other (dw_call_t *call, void *arg) {
    (void) arg;
    return dw_call_set_text (call, "other", 5);
}

static void a_processor_that_says_something_else_of_itself_is_an_error_in_any_lane (void **state) {
    fixture_t *f = *state;
    dw_processors_t *other = dw_processors_new_empty ();
    dw_processor_t brief = {
        .name = "gate", .intent = DW_TRANSFORM, .brief = true, .process = s_other};
    dw_agent_t *agent = NULL;
    s_add (f, "mine", "identity", "", "");
    s_add (f, "theirs", "gate", "mine", "gpu=yes");
    s_open (f, (dw_system_options_t){.no_actors = true});
    dw_processors_add (other, dw_processors_find (f->net->processors, "identity"));
    assert_int_equal (dw_processors_add (other, &brief), DW_OK);
    dw_agent_options_t options = {
        .coordinator.endpoint = f->net->endpoint, .processors = other, .slots = 1};
    s_expect_error (f, dw_agent_open (&agent, &options, f->net->error), DW_EGRAPH,
                    "says something else of itself");
    dw_processors_destroy (&other);
}

static void tags_that_cannot_be_are_refused_at_once (void **state) {
    fixture_t *f = *state;
    dw_worker_tag_t many[65], wrong[] = {{"a b", "yes"}}, none[] = {{"gpu", NULL}};
    dw_agent_t *agent = NULL;
    for (size_t i = 0; i < 65; i++)
        many[i] = (dw_worker_tag_t){"nr", "1"};
    dw_agent_options_t options = {
        .coordinator.endpoint = f->net->endpoint, .tags = many, .tags_count = 65};
    s_expect_error (f, dw_agent_open (&agent, &options, f->net->error), DW_EINVAL,
                    "at most 64 tags");
    options.tags = wrong;
    options.tags_count = 1;
    s_expect_error (f, dw_agent_open (&agent, &options, f->net->error), DW_EINVAL,
                    "the name of a tag has");
    options.tags = none;
    s_expect_error (f, dw_agent_open (&agent, &options, f->net->error), DW_EINVAL, "a value");
    assert_null (agent);
}

static void where_nobody_can_come_such_a_graph_is_refused_when_it_is_opened (void **state) {
    fixture_t *f = *state;
    dw_system_options_t options = {.processors = f->net->processors};
    s_build (f, "", "gpu=yes", "");
    assert_int_equal (dw_graph_validate (f->net->graph, f->net->processors, f->net->error), DW_OK);
    s_expect_error (
        f, dw_system_open (&f->net->system, f->net->graph, &options, f->net->error), DW_EGRAPH,
        "node \"middle\" can only be run by a worker elsewhere (gpu=yes), and nobody can "
        "come: let the system listen");
    options.no_workers_fail = true;
    s_expect_error (f, dw_system_open (&f->net->system, f->net->graph, &options, f->net->error),
                    DW_EINVAL, "no_workers_fail");
}

/* ---- When nobody is there --------------------------------------------------------------------- */

static void runs_wait_until_somebody_comes_and_that_is_said (void **state) {
    fixture_t *f = *state;
    s_build (f, "", "", "");
    s_open (f, (dw_system_options_t){.no_actors = true});
    uint64_t run = s_submit (f);
    dw_result_t *result = NULL;
    net_expect_notice (f->net, "no worker is there: runs wait");
    assert_int_equal (dw_client_wait (f->client, run, 100, &result), DW_ETIMEDOUT);
    s_agent (f, 0, NULL, "");
    result = s_wait (f, run);
    assert_int_equal (dw_result_status (result), DW_RUN_OK);
    dw_result_destroy (&result);
}

static void when_the_last_worker_of_a_lane_goes_that_is_said (void **state) {
    fixture_t *f = *state;
    s_build (f, "", "gpu=yes", "gpu=yes");
    s_open (f, (dw_system_options_t){0});
    s_agent (f, 0, NULL, "gpu=yes");
    s_agent (f, 1, NULL, "gpu=yes");
    net_run (f->net, f->client);
    assert_int_equal (dw_agent_close (&f->agents[0], -1, f->net->error), DW_OK);
    net_run (f->net, f->client);
    dw_agent_drain (f->agents[1]);
    assert_int_equal (dw_agent_wait (f->agents[1], 10000), DW_OK);
    uint64_t run = s_submit (f); /* one that is gone as soon as it leaves is missed only then */
    net_expect_notice (f->net,
                       "no worker is there for node \"middle\" (processor identity, demand: "
                       "gpu=yes) and others: runs that need them wait");
    s_agent (f, 2, NULL, "gpu=yes");
    dw_result_t *result = s_wait (f, run);
    assert_int_equal (dw_result_status (result), DW_RUN_OK);
    dw_result_destroy (&result);
}

static void s_expect_unserved (const dw_result_t *result, const char *id) {
    int node = dw_result_find (result, id);
    assert_int_equal (dw_result_node_status (result, node), DW_NODE_FAILED);
    assert_int_equal (dw_result_error_code (result, node), 503);
    assert_string_equal (dw_result_error_message (result, node),
                         "no worker is there that may run it");
    assert_int_equal (dw_result_attempts (result, node), 0);
}

static void where_it_was_chosen_such_a_run_fails_at_once (void **state) {
    fixture_t *f = *state;
    s_build (f, "", "gpu=yes", "");
    s_open (f, (dw_system_options_t){.no_workers_fail = true});
    dw_result_t *result = s_wait (f, s_submit (f));
    assert_int_equal (dw_result_status (result), DW_RUN_FAILED);
    s_expect_unserved (result, "middle");
    dw_result_destroy (&result);
    s_agent (f, 0, NULL, "gpu=yes");
    net_run (f->net, f->client);
    assert_int_equal (dw_agent_close (&f->agents[0], -1, f->net->error), DW_OK);
    net_expect_notice (f->net, "gpu=yes): runs that need it fail");
    result = s_wait (f, s_submit (f));
    assert_int_equal (dw_result_status (result), DW_RUN_FAILED);
    dw_result_destroy (&result);
}

static void under_continue_on_error_the_rest_of_it_runs (void **state) {
    fixture_t *f = *state;
    s_build (f, "", "gpu=yes", "");
    s_add (f, "apart", "reverse_text", "upper", "");
    dw_graph_options (f->net->graph)->failure_strategy = DW_CONTINUE_ON_ERROR;
    s_open (f, (dw_system_options_t){.no_workers_fail = true});
    dw_result_t *result = s_wait (f, s_submit (f));
    assert_int_equal (dw_result_status (result), DW_RUN_PARTIAL);
    s_expect_unserved (result, "middle");
    assert_int_equal (dw_result_node_status (result, dw_result_find (result, "last")),
                      DW_NODE_SKIPPED);
    assert_int_equal (dw_result_node_status (result, dw_result_find (result, "apart")),
                      DW_NODE_DONE);
    dw_result_destroy (&result);
}

static void a_lost_workers_task_fails_where_nobody_else_could_run_it (void **state) {
    fixture_t *f = *state;
    s_add (f, "upper", "change_text_case_upper", "", "");
    s_add (f, "middle", "gate", "upper", "gpu=yes");
    s_add (f, "last", "reverse_text", "middle", "");
    s_open (f, (dw_system_options_t){.no_workers_fail = true});
    s_agent (f, 0, NULL, "gpu=yes");
    uint64_t run = s_submit (f);
    assert_true (gate_wait_entered (f->net->gate, 1));
    assert_int_equal (dw_agent_close (&f->agents[0], -1, f->net->error), DW_OK);
    dw_result_t *result = s_wait (f, run);
    assert_int_equal (dw_result_status (result), DW_RUN_FAILED);
    assert_int_equal (dw_result_error_code (result, dw_result_find (result, "middle")), 503);
    dw_result_destroy (&result);
    gate_open (f->net->gate);
}

/* ---- What is told ----------------------------------------------------------------------------- */

static void status_tells_the_lanes_and_who_serves_them (void **state) {
    fixture_t *f = *state;
    s_build (f, "", "gpu=yes", "gpu=yes");
    s_add (f, "far", "identity", "", "remote");
    s_open (f, (dw_system_options_t){.no_actors = true});
    s_agent (f, 0, NULL, "");
    dw_status_t *status = net_status (f->client);
    assert_int_equal (status->lanes_count, 3);
    static const char *const demands[] = {"none", "gpu=yes", "remote"};
    static const uint32_t nodes[] = {1, 2, 1};
    for (size_t lane = 0; lane < 3; lane++) {
        assert_string_equal (status->lanes[lane].demand, demands[lane]);
        assert_int_equal (status->lanes[lane].nodes_count, nodes[lane]);
    }
    assert_int_equal (status->lanes[1].slots, 0);
    assert_int_equal (status->workers_count, 1);
    assert_int_equal (status->workers[0].lanes, 5);
    dw_status_destroy (&status);
}

#define OVER(test)                                         \
    {#test " over ipc", test, s_begin_ipc, s_end, NULL}, { \
#test " over tcp", test, s_begin_tcp, s_end, NULL  \
    }

int main (void) {
    const struct CMUnitTest tests[] = {
        OVER (a_remote_node_is_never_run_by_the_coordinators_own_actors),
        OVER (a_tagged_node_is_run_by_workers_with_its_tag),
        OVER (every_tag_that_is_asked_for_must_be_there),
        OVER (a_worker_of_many_tags_serves_all_lanes),
        OVER (a_worker_offers_some_processors_and_plans_the_graph_all_the_same),
        OVER (who_lacks_a_processor_of_a_lane_serves_nothing_of_it),
        OVER (a_worker_that_could_run_nothing_is_told_what_it_lacks),
        OVER (without_demands_a_worker_has_every_processor_or_is_refused),
        OVER (a_processor_that_says_something_else_of_itself_is_an_error_in_any_lane),
        OVER (tags_that_cannot_be_are_refused_at_once),
        OVER (where_nobody_can_come_such_a_graph_is_refused_when_it_is_opened),
        OVER (runs_wait_until_somebody_comes_and_that_is_said),
        OVER (when_the_last_worker_of_a_lane_goes_that_is_said),
        OVER (where_it_was_chosen_such_a_run_fails_at_once),
        OVER (under_continue_on_error_the_rest_of_it_runs),
        OVER (a_lost_workers_task_fails_where_nobody_else_could_run_it),
        OVER (status_tells_the_lanes_and_who_serves_them),
    };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
