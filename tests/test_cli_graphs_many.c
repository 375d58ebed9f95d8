/* test_cli_graphs_many.c - several graphs in one coordinator process, as a user starts them. */

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/support/command.h"

#define LOOPBACK "tcp://127.0.0.1:*"
#define UPPER    "processors:\n  - {id: up, processor: change_text_case_upper}\n"
#define BACK     "processors:\n  - {id: back, processor: reverse_text}\n"
#define NAP      "processors:\n  - {id: nap, processor: sleep, options: {ms: 60000}}\n"

typedef struct fixture_t {
    command_t coordinator, worker;
    char endpoint[COMMAND_ENDPOINT_SIZE];
} fixture_t;

static int s_set_up (void **state) {
    *state = calloc (1, sizeof (fixture_t));
    return *state ? 0 : -1;
}

static int s_tear_down (void **state) {
    fixture_t *f = *state;
    command_forget (&f->worker);
    command_forget (&f->coordinator);
    free (f);
    return 0;
}

static void s_coordinate (fixture_t *f, const char *const *words, const char *last_line) {
    command_start (&f->coordinator, words);
    command_await_output (&f->coordinator, last_line);
    command_take_endpoint (&f->coordinator, f->endpoint);
}
#define COORDINATE(last_line, ...) \
    s_coordinate (f, (const char *const[]){"coordinator", __VA_ARGS__, NULL}, last_line)

static void s_work (fixture_t *f, const char *option, const char *value) {
    START (&f->worker, "worker", "--connect", f->endpoint, "--slots", "1", option, value);
    command_await_error (&f->worker, "working for ");
}

/* What a run prints must have this in it. */
static void s_expect_run (const fixture_t *f, const char *graph, const char *part) {
    command_t c = {0};
    if (graph)
        COMMAND (&c, "submit", "--connect", f->endpoint, "--input", "hello", "--graph", graph);
    else
        COMMAND (&c, "submit", "--connect", f->endpoint, "--input", "hello");
    command_expect (&c, 0);
    command_expect_output (&c, part);
    command_free (&c);
}

static size_t s_workers (const fixture_t *f, const char *graph) {
    command_t c = {0};
    COMMAND (&c, "status", "--connect", f->endpoint, "--graph", graph, "--format", "json");
    command_expect (&c, 0);
    json_t *json = command_json (&c);
    assert_string_equal (json_string_value (json_object_get (json, "graph")), graph);
    size_t count = json_array_size (json_object_get (json, "workers"));
    json_decref (json);
    command_free (&c);
    return count;
}

static void a_run_is_of_the_graph_that_it_names (void **state) {
    fixture_t *f = *state;
    COORDINATE ("graph again at ", command_file ("upper.yaml", UPPER),
                command_file ("back.yaml", BACK), "again=examples/pool.yaml", "--listen", LOOPBACK,
                "--actors-here");
    s_expect_run (f, NULL, "HELLO");
    s_expect_run (f, "upper", "HELLO");
    s_expect_run (f, "back", "olleh");
    s_expect_run (f, "again", "run 1: ok");
}

static void an_unknown_graph_is_status_76_with_the_nearest_and_all_of_them (void **state) {
    fixture_t *f = *state;
    command_t c = {0};
    COORDINATE ("graph back at ", command_file ("upper.yaml", UPPER),
                command_file ("back.yaml", BACK), "--listen", LOOPBACK, "--actors-here");
    COMMAND (&c, "submit", "--connect", f->endpoint, "--graph", "uper");
    command_expect (&c, 76);
    command_expect_error (&c, "did you mean \"upper\"");
    command_expect_error (&c, "it has upper, back");
    command_free (&c);
    COMMAND (&c, "worker", "--connect", f->endpoint, "--graph", "forward");
    command_expect (&c, 76);
    command_expect_error (&c, "there is no graph \"forward\"");
    command_free (&c);
}

static void two_graphs_of_one_name_are_a_usage_error_that_says_how_to_name_them (void **state) {
    (void) state;
    command_t c = {0};
    const char *file = command_file ("upper.yaml", UPPER);
    COMMAND (&c, "coordinator", file, file, "--listen", LOOPBACK);
    command_expect (&c, 64);
    command_expect_error (&c, "both named \"upper\"");
    command_expect_error (&c, "NAME=");
    assert_string_equal (c.out, "");
    command_free (&c);
}

static void a_wrong_graph_among_several_is_status_78_and_nothing_listens (void **state) {
    (void) state;
    command_t c = {0};
    COMMAND (&c, "coordinator", command_file ("upper.yaml", UPPER),
             command_file ("wrong.yaml", "processors: [1]\n"), "--listen", LOOPBACK);
    command_expect (&c, 78);
    assert_string_equal (c.out, "");
    command_free (&c);
}

static void a_worker_works_for_every_graph_unless_it_names_one (void **state) {
    fixture_t *f = *state;
    COORDINATE ("graph back at ", command_file ("upper.yaml", UPPER),
                command_file ("back.yaml", BACK), "--listen", LOOPBACK);
    s_work (f, NULL, NULL);
    s_expect_run (f, "upper", "HELLO");
    s_expect_run (f, "back", "olleh");
    assert_int_equal (s_workers (f, "upper"), 1);
    assert_int_equal (s_workers (f, "back"), 1);
    command_signal (&f->worker, SIGTERM);
    command_end (&f->worker);
    command_expect (&f->worker, 0);
    command_free (&f->worker);
    f->worker = (command_t){0};
    s_work (f, "--graph", "back");
    s_expect_run (f, "back", "olleh");
    assert_int_equal (s_workers (f, "upper"), 0);
    assert_int_equal (s_workers (f, "back"), 1);
    command_signal (&f->coordinator, SIGTERM);
    command_end (&f->coordinator);
    command_expect (&f->coordinator, 0);
    command_end (&f->worker);
    command_expect (&f->worker, 0);
}

static void a_graph_whose_workers_are_busy_holds_up_no_other (void **state) {
    fixture_t *f = *state;
    command_t c = {0};
    COORDINATE ("graph upper at ", command_file ("nap.yaml", NAP),
                command_file ("upper.yaml", UPPER), "--listen", LOOPBACK);
    s_work (f, NULL, NULL);
    for (int i = 0; i < 5; i++) {
        COMMAND (&c, "submit", "--connect", f->endpoint, "--graph", "nap", "--detach");
        command_expect (&c, 0);
        command_free (&c);
    }
    s_expect_run (f, "upper", "HELLO");
}

static void status_tells_of_all_graphs_or_of_one (void **state) {
    fixture_t *f = *state;
    command_t c = {0};
    COORDINATE ("graph back at ", command_file ("upper.yaml", UPPER),
                command_file ("back.yaml", BACK), "--listen", LOOPBACK);
    COMMAND (&c, "status", "--connect", f->endpoint);
    command_expect (&c, 0);
    command_expect_output (&c, "graph upper: 1 node");
    command_expect_output (&c, "\n\ngraph back: 1 node");
    command_free (&c);
    COMMAND (&c, "status", "--connect", f->endpoint, "--format", "json");
    command_expect (&c, 0);
    json_t *json = command_json (&c);
    const json_t *graphs = json_object_get (json, "graphs");
    assert_int_equal (json_array_size (graphs), 2);
    assert_string_equal (json_string_value (json_object_get (json_array_get (graphs, 1), "graph")),
                         "back");
    json_decref (json);
    command_free (&c);
}

static void the_others_listen_at_the_ports_that_follow_or_beside_the_file (void **state) {
    fixture_t *f = *state;
    char endpoint[128], part[160];
    const char *upper = command_file ("upper.yaml", UPPER),
               *back = command_file ("back.yaml", BACK);
    snprintf (endpoint, sizeof endpoint, "tcp://127.0.0.1:%d", 20000 + (int) (getpid () % 12000));
    COORDINATE ("graph back at ", upper, back, "--listen", endpoint, "--actors-here");
    command_await_output (&f->coordinator, "graph back at tcp://127.0.0.1:");
    snprintf (part, sizeof part, "graph back at tcp://127.0.0.1:%d\n",
              20001 + (int) (getpid () % 12000));
    command_expect_output (&f->coordinator, part);
    s_expect_run (f, "back", "olleh");
    command_forget (&f->coordinator);
    f->coordinator = (command_t){0};
    snprintf (endpoint, sizeof endpoint, "ipc://%s", command_path ("many.sock"));
    snprintf (part, sizeof part, "graph back at %s.2\n", endpoint);
    command_path ("many.sock.2"); /* for the tear-down */
    COORDINATE (part, upper, back, "--listen", endpoint, "--actors-here");
    s_expect_run (f, "back", "olleh");
}

static void a_place_that_another_graph_cannot_have_is_told_with_how_it_came_about (void **state) {
    (void) state;
    command_t c = {0};
    const char *upper = command_file ("upper.yaml", UPPER),
               *back = command_file ("back.yaml", BACK);
    COMMAND (&c, "coordinator", upper, back, "--listen", "tcp://127.0.0.1:65535");
    command_expect (&c, 64);
    command_expect_error (&c, "--listen: 2 graphs listen at tcp://127.0.0.1:65535 and the ports "
                              "that follow it, of which there are too few");
    command_free (&c);
    COMMAND (&c, "coordinator", upper, back, "--listen", "ipc:///no/such/folder/at");
    command_expect (&c, 64);
    command_expect_error (&c, "graph back is to listen at ipc:///no/such/folder/at.2, the place 1 "
                              "after that of --listen");
    command_free (&c);
}

static void keys_are_those_of_all_graphs_and_read_anew_for_all (void **state) {
    fixture_t *f = *state;
    command_t c = {0};
    char text[256], folder[128], key[80], line[160];
    const char *server = command_path ("keys/coordinator.key");
    snprintf (folder, sizeof folder, "%s", command_path ("keys"));
    snprintf (text, sizeof text, "mkdir -m 700 %s", folder);
    assert_int_equal (system (text), 0);
    COMMAND (&c, "keygen", server);
    command_expect (&c, 0);
    command_free (&c);
    COMMAND (&c, "keygen", command_path ("client.key"));
    command_expect (&c, 0);
    const char *said = strstr (c.out, "worker ");
    assert_non_null (said);
    assert_int_equal (sscanf (said, "worker %79s", key), 1);
    command_free (&c);
    snprintf (line, sizeof line, "client %s alice\n", key);
    FILE *list = fopen (command_path ("keys/allowed"), "w");
    assert_non_null (list);
    fputs (line, list);
    fclose (list);
    COORDINATE ("graph back at ", command_file ("upper.yaml", UPPER),
                command_file ("back.yaml", BACK), "--listen", LOOPBACK, "--keys", folder,
                "--actors-here");
    snprintf (text, sizeof text, "%s.pub", server);
    COMMAND (&c, "submit", "--connect", f->endpoint, "--graph", "back", "--input", "hello", "--key",
             command_path ("client.key"), "--server-key", text);
    command_expect (&c, 0);
    command_expect_output (&c, "olleh");
    command_free (&c);
    list = fopen (command_path ("keys/allowed"), "w");
    fputs ("# nobody\n", list);
    fclose (list);
    command_signal (&f->coordinator, SIGHUP);
    for (int i = 0; i < 2; i++) { /* both of them, whichever is asked first */
        const char *graphs[] = {"upper", "back"};
        for (int looks = 0; looks < 50; looks++) {
            COMMAND (&c, "submit", "--connect", f->endpoint, "--graph", graphs[i], "--key",
                     command_path ("client.key"), "--server-key", text, "--timeout", "1");
            int status = c.status;
            command_free (&c);
            if (status == 77)
                break;
            assert_int_not_equal (looks, 49);
            usleep (20000);
        }
    }
    command_signal (&f->coordinator, SIGTERM);
    command_end (&f->coordinator);
    command_expect (&f->coordinator, 0);
    const char *first = strstr (f->coordinator.err, "the allow-list was read: 0 entries");
    assert_non_null (first);
    assert_non_null (strstr (first + 1, "the allow-list was read: 0 entries"));
    snprintf (text, sizeof text, "rm -rf %s", folder);
    assert_int_equal (system (text), 0);
    command_path ("client.key.pub"); /* for the tear-down */
}

static void no_name_of_a_graph_reaches_the_terminal_as_it_is (void **state) {
    fixture_t *f = *state;
    command_t c = {0};
    const char *one = command_file ("one\033[31m.yaml", "processors: []\n");
    const char *other = command_file ("other\x7f.yaml", "processors: []\n");
    COORDINATE ("graph other", one, other, "--listen", "tcp://127.0.0.1:*");
    command_expect_output (&f->coordinator, "graph one\\x1b[31m at tcp://");
    command_expect_tame (&f->coordinator);
    COMMAND (&c, "status", "--connect", f->endpoint, "--graph", "one\033[31m");
    command_expect (&c, 0);
    command_expect_tame (&c);
    command_expect_output (&c, "graph one?[31m: 0 nodes");
    command_free (&c);
}

#define TEST(name) cmocka_unit_test_setup_teardown (name, s_set_up, s_tear_down)

int main (void) {
    const struct CMUnitTest tests[] = {
        TEST (a_run_is_of_the_graph_that_it_names),
        TEST (an_unknown_graph_is_status_76_with_the_nearest_and_all_of_them),
        TEST (two_graphs_of_one_name_are_a_usage_error_that_says_how_to_name_them),
        TEST (a_wrong_graph_among_several_is_status_78_and_nothing_listens),
        TEST (a_worker_works_for_every_graph_unless_it_names_one),
        TEST (a_graph_whose_workers_are_busy_holds_up_no_other),
        TEST (status_tells_of_all_graphs_or_of_one),
        TEST (the_others_listen_at_the_ports_that_follow_or_beside_the_file),
        TEST (a_place_that_another_graph_cannot_have_is_told_with_how_it_came_about),
        TEST (keys_are_those_of_all_graphs_and_read_anew_for_all),
        TEST (no_name_of_a_graph_reaches_the_terminal_as_it_is),
    };
    return cmocka_run_group_tests (tests, command_folder_set_up, command_folder_tear_down);
}
