/* test_system.c - opening and closing systems: what they start, what they need, what they leave; at
 * every place. */

#include "tests/support/system_fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "actors/system.h"
#include "runtime/wire.h"

static bool s_is_pool (const system_fixture_t *f) {
    return f->place->actors == DW_ACTORS_POOL;
}

/* Opening fails so, says so, and leaves no thread. */
static void s_expect_not_opened (system_fixture_t *f, int err, const char *part) {
    dw_error_t *error = dw_error_new ();
    unsigned descriptors = descriptors_count ();
    if (dw_system_open (&f->system, f->graph, &f->options, error) == DW_OK)
        fail_msg ("it opens, though \"%s\" is wrong", part);
    assert_null (f->system);
    assert_int_equal (dw_error_code (error), err);
    expect_message (error, part);
    assert_true (threads_fall_to (f->tasks_count));
    assert_int_equal (descriptors_count (), descriptors);
    dw_error_destroy (&error);
}

/* ---- Opened and closed ------------------------------------------------------------------------ */

static void opening_and_closing_again_and_again_leaves_nothing_behind (void **state) {
    system_fixture_t *f = *state;
    system_fixture_add (f, "a", "change_text_case_upper", "");
    system_fixture_add (f, "b", "reverse_text", "a");
    system_fixture_add (f, "c", "sleep", "a");
    unsigned descriptors = descriptors_count ();
    for (int i = 0; i < (f->place->transport ? 50 : 200); i++) {
        system_fixture_open (f);
        if (i % 10 == 0)
            system_fixture_expect_run (f, "abc", "b", "CBA");
        system_fixture_close (f);
        assert_true (threads_fall_to (f->tasks_count));
        assert_int_equal (descriptors_count (), descriptors);
    }
}

static void closing_at_once_after_opening_stops_what_has_hardly_started (void **state) {
    system_fixture_t *f = *state;
    char id[16];
    for (int i = 0; i < 50; i++) {
        snprintf (id, sizeof id, "n%d", i);
        system_fixture_add (f, id, "identity", "");
    }
    for (int i = 0; i < 5; i++) {
        assert_int_equal (dw_system_open (&f->system, f->graph, &f->options, f->error), DW_OK);
        assert_int_equal (dw_system_close (&f->system, -1, f->error), DW_OK);
        assert_true (threads_fall_to (f->tasks_count));
    }
}

static void an_idle_system_closes_without_being_given_time (void **state) {
    system_fixture_t *f = *state;
    system_fixture_add (f, "a", "identity", "");
    system_fixture_add (f, "b", "sleep", "a");
    for (int i = 0; i < 20; i++) {
        system_fixture_open (f);
        system_fixture_expect_run (f, "text", "b", "text");
        if (system_fixture_try_close (f, 0))
            fail_msg ("nobody is stuck: %s", dw_error_text (f->error));
    }
}

static void a_system_needs_no_options (void **state) {
    system_fixture_t *f = *state;
    system_fixture_add (f, "a", "change_text_case_upper", "");
    assert_int_equal (dw_system_open (&f->system, f->graph, NULL, f->error), DW_OK);
    assert_int_equal (dw_client_new (&f->client, f->system, NULL), DW_OK);
    dw_graph_destroy (&f->graph); /* it is not kept */
    dw_result_t *result = NULL;
    assert_int_equal (dw_client_run_text (f->client, "abc", &result, f->error), DW_OK);
    expect_text (result, "a", "ABC");
    dw_result_destroy (&result);
}

static void what_cannot_be_opened_is_refused_with_every_reason (void **state) {
    system_fixture_t *f = *state;
    dw_client_t *client = NULL;
    system_fixture_add (f, "a", "no_such_processor", "");
    system_fixture_add (f, "b", "identity", "no_such_node");
    s_expect_not_opened (f, DW_EGRAPH, "no_such_processor");
    s_expect_not_opened (f, DW_EGRAPH, "no_such_node");
    assert_int_equal (dw_system_open (&f->system, NULL, NULL, f->error), DW_EINVAL);
    assert_int_equal (dw_system_open (NULL, f->graph, NULL, f->error), DW_EINVAL);
    assert_int_equal (dw_client_new (&client, NULL, f->error), DW_EINVAL);
    assert_int_equal (dw_system_close (&f->system, 0, NULL), DW_OK); /* there is none */
}

static void two_systems_at_once_do_not_know_each_other (void **state) {
    system_fixture_t *f = *state;
    dw_graph_t *graph = dw_graph_new ();
    dw_system_t *second = NULL;
    dw_client_t *client = NULL;
    system_fixture_add (f, "a", "change_text_case_upper", "");
    system_fixture_open (f);
    assert_true (dw_graph_add (graph, "a", "reverse_text") >= 0);
    dw_graph_options (graph)->actors = f->place->actors;
    dw_system_options_t options = f->options;
    options.endpoint = f->place->transport ? "tcp://127.0.0.1:*" : NULL;
    assert_int_equal (dw_system_open (&second, graph, &options, f->error), DW_OK);
    assert_int_equal (dw_client_new (&client, second, f->error), DW_OK);
    assert_memory_not_equal (dw_system_token (f->system), dw_system_token (second),
                             DW_WIRE_TOKEN_SIZE);
    for (int i = 0; i < 100; i++) {
        dw_result_t *result = NULL;
        uint64_t run = system_fixture_submit (f, "abc");
        assert_int_equal (dw_client_run_text (client, "abc", &result, f->error), DW_OK);
        expect_text (result, "a", "cba");
        dw_result_destroy (&result);
        result = system_fixture_wait (f, run);
        expect_text (result, "a", "ABC");
        dw_result_destroy (&result);
    }
    dw_client_destroy (&client);
    assert_int_equal (dw_system_close (&second, -1, f->error), DW_OK);
    dw_graph_destroy (&graph);
    system_fixture_expect_run (f, "abc", "a", "ABC");
}

/* ---- Instances -------------------------------------------------------------------------------- */

/* What all instances of a test's processor share. */
typedef struct s_starts_t {
    atomic_int started, stopped, wrong;
    int fail_at; /* the start that fails; 0: none */
} s_starts_t;

typedef struct s_instance_t {
    s_starts_t *starts;
    atomic_int inside;
    int node; /* the one that it was first used for; -1: not yet */
} s_instance_t;

static int s_start (void **instance_p, const dw_settings_t *settings, void *arg, char *why,
                    size_t why_size) {
    (void) settings;
    s_starts_t *starts = arg;
    if (atomic_load (&starts->started) + 1 == starts->fail_at) {
        snprintf (why, why_size, "start %d fails", starts->fail_at);
        return 1;
    }
    s_instance_t *instance = calloc (1, sizeof *instance);
    if (!instance)
        return 1;
    instance->starts = starts;
    instance->node = -1;
    *instance_p = instance;
    atomic_fetch_add (&starts->started, 1);
    return 0;
}

static int s_use (dw_call_t *call, void *arg) {
    s_instance_t *self = arg;
    int node = dw_call_node_number (call);
    bool is_wrong = atomic_fetch_add (&self->inside, 1) != 0;
    is_wrong |= self->node >= 0 && self->node != node;
    self->node = node;
    sleep_ms (node % 3 == 0);
    atomic_fetch_add (&self->starts->wrong, is_wrong);
    atomic_fetch_sub (&self->inside, 1);
    return dw_call_set_payload (call);
}

static void s_stop (void *arg) {
    s_instance_t *self = arg;
    atomic_fetch_add (&self->starts->stopped, 1);
    free (self);
}

static void s_add_instances (system_fixture_t *f, s_starts_t *starts, bool brief, int nodes) {
    char id[16];
    dw_processor_t processor = {.name = "instance",
                                .brief = brief,
                                .start = s_start,
                                .process = s_use,
                                .stop = s_stop,
                                .arg = starts};
    assert_int_equal (dw_processors_add (f->processors, &processor), DW_OK);
    for (int i = 0; i < nodes; i++) {
        snprintf (id, sizeof id, "n%d", i);
        system_fixture_add (f, id, "instance", i < nodes / 2 ? "" : "n0 n1");
    }
}

static void s_run_instances (system_fixture_t *f, bool brief) {
    s_starts_t starts = {.fail_at = 0};
    s_add_instances (f, &starts, brief, 8);
    system_fixture_open (f);
    int each = s_is_pool (f) ? 2 : 1; /* actors that host a node, and the coordinator's thread */
    assert_in_range (atomic_load (&starts.started), 8 * each, 8 * (each + s_is_pool (f)));
    for (int i = 0; i < 50; i++)
        system_fixture_submit (f, "text");
    assert_int_equal (dw_client_wait_all (f->client, 20000), DW_OK);
    for (dw_result_t *result; (result = dw_client_next (f->client));) {
        assert_int_equal (dw_result_status (result), DW_RUN_OK);
        dw_result_destroy (&result);
    }
    system_fixture_close (f);
    assert_int_equal (atomic_load (&starts.wrong), 0);
    assert_int_equal (atomic_load (&starts.stopped), atomic_load (&starts.started));
}

static void every_actor_has_an_instance_of_each_node_and_enters_it_once_at_a_time (void **state) {
    s_run_instances (*state, false);
}

static void the_same_holds_where_the_coordinator_runs_brief_processors (void **state) {
    s_run_instances (*state, true);
}

static void a_processor_that_cannot_start_is_named_and_everything_is_stopped (void **state) {
    system_fixture_t *f = *state;
    s_starts_t starts = {.fail_at = 0};
    char why[64];
    int err = DW_EPROCESSOR, fail_at = 0;
    s_add_instances (f, &starts, false, 5);
    while (err == DW_EPROCESSOR) {
        fail_at++;
        starts = (s_starts_t){.fail_at = fail_at};
        dw_error_t *error = dw_error_new ();
        err = dw_system_open (&f->system, f->graph, &f->options, error);
        if (err) {
            snprintf (why, sizeof why, "start %d fails", fail_at);
            expect_message (error, why);
            expect_message (error, "node \"n");
            assert_int_equal (dw_error_code (error), DW_EPROCESSOR);
            assert_null (f->system);
            assert_int_equal (atomic_load (&starts.started), fail_at - 1);
            assert_int_equal (atomic_load (&starts.stopped), fail_at - 1);
            assert_true (threads_fall_to (f->tasks_count));
        }
        dw_error_destroy (&error);
    }
    assert_int_equal (err, DW_OK); /* when no start was left to fail */
    assert_in_range (fail_at, 6, 16);
    system_fixture_close (f);
    assert_int_equal (atomic_load (&starts.stopped), atomic_load (&starts.started));
}

static int s_refuse_silently (void **instance_p, const dw_settings_t *settings, void *arg,
                              char *why, size_t why_size) {
    (void) instance_p;
    (void) settings;
    (void) arg;
    memset (why, 'w', why_size); /* not even ended */
    return -1;
}

static void a_reason_that_is_not_ended_is_cut (void **state) {
    system_fixture_t *f = *state;
    dw_processor_t processor = {.name = "refuse", .start = s_refuse_silently, .process = s_use};
    assert_int_equal (dw_processors_add (f->processors, &processor), DW_OK);
    system_fixture_add (f, "first", "identity", "");
    system_fixture_add (f, "second", "refuse", "first");
    s_expect_not_opened (f, DW_EPROCESSOR, "\"second\"");
    s_expect_not_opened (f, DW_EPROCESSOR, "refuse cannot start: www");
}

/* ---- How much at one time --------------------------------------------------------------------- */

typedef struct s_peak_t {
    atomic_int inside, peak;
} s_peak_t;

static int s_note_peak (dw_call_t *call, void *arg) {
    s_peak_t *self = arg;
    int inside = atomic_fetch_add (&self->inside, 1) + 1, peak = atomic_load (&self->peak);
    while (inside > peak && !atomic_compare_exchange_weak (&self->peak, &peak, inside))
        ;
    sleep_ms (2);
    atomic_fetch_sub (&self->inside, 1);
    return dw_call_set_payload (call);
}

static void s_expect_peak (system_fixture_t *f, int64_t max_concurrency, bool brief) {
    s_peak_t peak = {0};
    char id[16];
    dw_processor_t processor = {
        .name = "peak", .brief = brief, .process = s_note_peak, .arg = &peak};
    assert_int_equal (dw_processors_add (f->processors, &processor), DW_OK);
    system_fixture_options (f)->max_concurrency = max_concurrency;
    for (int i = 0; i < 8; i++) {
        snprintf (id, sizeof id, "n%d", i);
        system_fixture_add (f, id, "peak", "");
    }
    system_fixture_open (f);
    for (int i = 0; i < 6; i++)
        system_fixture_submit (f, "text");
    assert_int_equal (dw_client_wait_all (f->client, 20000), DW_OK);
    int reached = (int) max_concurrency < 8 ? (int) max_concurrency : 8;
    if (s_is_pool (f) && reached > 2)
        reached = 2;
    assert_int_equal (atomic_load (&peak.peak), reached);
}

static void one_task_at_a_time_is_one_task_at_a_time (void **state) {
    s_expect_peak (*state, 1, false);
}

static void two_tasks_at_a_time_are_two (void **state) {
    s_expect_peak (*state, 2, false);
}

static void five_tasks_at_a_time_are_five_where_there_are_so_many_actors (void **state) {
    s_expect_peak (*state, 5, false);
}

static void one_brief_task_at_a_time_is_one (void **state) {
    s_expect_peak (*state, 1, true);
}

static void a_thousand_nodes_run (void **state) {
    system_fixture_t *f = *state;
    char id[16];
    struct rlimit limit;
    assert_int_equal (getrlimit (RLIMIT_NOFILE, &limit), 0);
    limit.rlim_cur = limit.rlim_max;
    assert_int_equal (setrlimit (RLIMIT_NOFILE, &limit), 0);
    if (limit.rlim_max < 4096)
        skip (); /* three descriptors an actor */
    system_fixture_add (f, "start", "change_text_case_upper", "");
    for (int i = 1; i < 999; i++) {
        snprintf (id, sizeof id, "n%d", i);
        system_fixture_add (f, id, "reverse_text", "start");
    }
    int end = system_fixture_add (f, "end", "concat", "start");
    for (int i = 1; i < 999; i++) {
        snprintf (id, sizeof id, "n%d", i);
        assert_int_equal (dw_graph_depend (f->graph, end, id), DW_OK);
    }
    system_fixture_open (f);
    if (!s_is_pool (f))
        assert_true (threads_count () > 1000);
    char expected[3 * 999 + 1] = "AB";
    for (int i = 1; i < 999; i++)
        memcpy (expected + 2 * i, "BA", sizeof "BA");
    for (int i = 0; i < 3; i++)
        system_fixture_expect_run (f, "ab", "end", expected);
}

/* ---- Limits of the machine -------------------------------------------------------------------- */

/* In a child: opens under a limit of descriptors; when that is allowed, all clients are served. Its
 * exit status: 0 refused, 1 works, else what went wrong. */
static int s_open_with_descriptors (system_fixture_t *f, unsigned count, unsigned clients_max) {
    dw_error_t *error = dw_error_new ();
    dw_client_t *clients[8] = {NULL};
    dw_result_t *result = NULL;
    struct rlimit limit = {.rlim_cur = count, .rlim_max = count};
    if (setrlimit (RLIMIT_NOFILE, &limit))
        return 10;
    int err = dw_system_open (&f->system, f->graph, &f->options, error);
    if (err)
        return err == DW_ELIMIT && strstr (dw_error_text (error), "RLIMIT_NOFILE") ? 0 : 11;
    for (unsigned i = 0; i < clients_max; i++)
        if (dw_client_new (&clients[i], f->system, error))
            return 12;
    for (unsigned i = 0; i < clients_max; i++) {
        if (dw_client_run_text (clients[i], "text", &result, error))
            return 13;
        dw_result_destroy (&result);
        dw_client_destroy (&clients[i]);
    }
    return dw_system_close (&f->system, -1, error) ? 14 : 1;
}

static void with_any_limit_of_descriptors_it_works_or_says_that_there_are_too_few (void **state) {
    system_fixture_t *f = *state;
    char id[16];
    int refused = 0, worked = 0;
    f->options.clients_max = 4;
    for (int i = 0; i < 20; i++) {
        snprintf (id, sizeof id, "n%d", i);
        system_fixture_add (f, id, "identity", "");
    }
    for (unsigned count = descriptors_count () + 1; worked < 3 && count < 400; count += 7) {
        int status = 0;
        pid_t child = fork ();
        if (child == 0) {
            alarm (20); /* one that waits for ever is no answer */
            _exit (s_open_with_descriptors (f, count, 4));
        }
        assert_true (child > 0 && waitpid (child, &status, 0) == child);
        if (!WIFEXITED (status) || WEXITSTATUS (status) > 1)
            fail_msg ("with %u descriptors: %s %d", count,
                      WIFEXITED (status) ? "wrong step" : "ended by signal",
                      WIFEXITED (status) ? WEXITSTATUS (status) : WTERMSIG (status));
        refused += WEXITSTATUS (status) == 0;
        worked += WEXITSTATUS (status) == 1;
        assert_true (worked == 0 || WEXITSTATUS (status) == 1); /* more never harms */
    }
    assert_true (refused > 0);
    assert_int_equal (worked, 3);
}

/* ---- A promise that is broken ----------------------------------------------------------------- */

static void a_brief_processor_that_never_returns_does_not_hang_the_closing (void **state) {
    system_fixture_t *f = *state;
    if (!s_is_pool (f))
        skip (); /* no thread but its own runs it, as any other */
    gate_t *gate = system_fixture_add_gate (f, "unused", gate_deaf);
    dw_processor_t processor = {
        .name = "brief_gate", .brief = true, .process = gate_deaf, .arg = gate};
    assert_int_equal (dw_processors_add (f->processors, &processor), DW_OK);
    system_fixture_add (f, "gate", "brief_gate", "");
    system_fixture_open (f);
    system_fixture_submit (f, "text");
    assert_true (gate_wait_entered (gate, 1));
    int64_t begin_ms = now_ms ();
    assert_int_equal (system_fixture_try_close (f, 10), DW_ESTUCK);
    assert_in_range (now_ms () - begin_ms, 0, 4000);
    expect_message (f->error, "left behind");
}

static void a_brief_processor_that_is_slow_is_run_by_the_actors_from_then_on (void **state) {
    system_fixture_t *f = *state;
    s_peak_t peak = {0};
    dw_processor_t processor = {
        .name = "slow", .brief = true, .process = s_note_peak, .arg = &peak};
    assert_int_equal (dw_processors_add (f->processors, &processor), DW_OK);
    system_fixture_add (f, "slow", "slow", "");
    system_fixture_open (f);
    for (int i = 0; i < 10; i++)
        system_fixture_expect_run (f, "text", "slow", "text");
    uint64_t messages, steps[8];
    uint32_t count = dw_system_counts (f->system, &messages, steps, 8);
    assert_int_equal (count, s_is_pool (f) ? 3 : 2);
    uint64_t sum = 0;
    for (uint32_t i = 0; i < count; i++)
        sum += steps[i];
    assert_int_equal (sum, 10);
    assert_in_range (steps[0], 0, s_is_pool (f) ? 2 : 0); /* the coordinator's own */
}

int main (void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test (opening_and_closing_again_and_again_leaves_nothing_behind),
        cmocka_unit_test (closing_at_once_after_opening_stops_what_has_hardly_started),
        cmocka_unit_test (an_idle_system_closes_without_being_given_time),
        cmocka_unit_test (a_system_needs_no_options),
        cmocka_unit_test (what_cannot_be_opened_is_refused_with_every_reason),
        cmocka_unit_test (two_systems_at_once_do_not_know_each_other),
        cmocka_unit_test (every_actor_has_an_instance_of_each_node_and_enters_it_once_at_a_time),
        cmocka_unit_test (the_same_holds_where_the_coordinator_runs_brief_processors),
        cmocka_unit_test (a_processor_that_cannot_start_is_named_and_everything_is_stopped),
        cmocka_unit_test (a_reason_that_is_not_ended_is_cut),
        cmocka_unit_test (one_task_at_a_time_is_one_task_at_a_time),
        cmocka_unit_test (two_tasks_at_a_time_are_two),
        cmocka_unit_test (five_tasks_at_a_time_are_five_where_there_are_so_many_actors),
        cmocka_unit_test (one_brief_task_at_a_time_is_one),
        cmocka_unit_test (a_thousand_nodes_run),
        cmocka_unit_test (with_any_limit_of_descriptors_it_works_or_says_that_there_are_too_few),
        cmocka_unit_test (a_brief_processor_that_never_returns_does_not_hang_the_closing),
        cmocka_unit_test (a_brief_processor_that_is_slow_is_run_by_the_actors_from_then_on),
    };
    return system_fixture_run ("systems", tests);
}
