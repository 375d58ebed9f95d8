/* test_cli_net_words.c - the words of coordinator, worker, submit and status: mistakes, and what is
 * missing before anything is connected. */

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "tests/support/command.h"

typedef struct mistake_t {
    const char *words[8];
    const char *message;
} mistake_t;

static void s_expect_usage_errors (const mistake_t *mistakes, size_t count) {
    for (size_t i = 0; i < count; i++) {
        command_t c = {0};
        command_run (&c, mistakes[i].words);
        command_expect (&c, 64);
        command_expect_error (&c, mistakes[i].message);
        assert_string_equal (c.out, "");
        command_free (&c);
    }
}
#define EXPECT_USAGE_ERRORS(mistakes) \
    s_expect_usage_errors (mistakes, sizeof (mistakes) / sizeof *(mistakes))

static void a_coordinator_needs_a_graph_and_a_place_to_listen (void **state) {
    (void) state;
    static const mistake_t mistakes[] = {
        {{"coordinator", "examples/pool.yaml"}, "where shall it listen? --listen ENDPOINT"},
        {{"coordinator", "--listen", "ipc://x"}, "which graph file?"},
        {{"coordinator", "examples/pool.yaml", "--listen", "ipc://x", "--keep-runs", "0"},
         "--keep-runs must be a whole number from 1"},
        {{"coordinator", "examples/pool.yaml", "--listen"}, "'--listen' requires an argument"},
        {{"coordinator", "examples/pool.yaml", "--listen", "ipc://x", "--runs-max", "0"},
         "--runs-max must be a whole number from 1"},
        {{"coordinator", "examples/pool.yaml", "--listen", "ipc://x", "--clients-max", "many"},
         "--clients-max must be a whole number from 1"},
        {{"coordinator", "examples/pool.yaml", "--listen", "ipc://x", "--slots-max", "-1"},
         "--slots-max must be a whole number from 1"},
        {{"coordinator", "examples/pool.yaml", "--listen", "ipc://x", "--heartbeat-ms", "1.5"},
         "--heartbeat-ms must be a whole number from 1"},
        {{"coordinator", "examples/pool.yaml", "--listen", "ipc://x", "--silence-ms", "1s"},
         "--silence-ms must be a whole number from 1"},
    };
    EXPECT_USAGE_ERRORS (mistakes);
}

static void a_coordinator_of_a_wrong_graph_is_status_78 (void **state) {
    (void) state;
    const char *file = command_file ("wrong.yaml",
                                     "processors:\n  - {id: a, processor: idenity}\n");
    command_t c = {0};
    COMMAND (&c, "coordinator", file, "--listen", "tcp://127.0.0.1:*");
    command_expect (&c, 78);
    command_expect_error (&c, "did you mean \"identity\"?");
    assert_string_equal (c.out, "");
    command_free (&c);
    COMMAND (&c, "coordinator", "/no/such/graph.yaml", "--listen", "tcp://127.0.0.1:*");
    command_expect (&c, 66);
    command_free (&c);
}

static void keys_of_a_run_are_for_listening (void **state) {
    (void) state;
    static const mistake_t mistakes[] = {
        {{"run", "examples/pool.yaml", "--keys", "."}, "--keys is of no use without --listen"},
    };
    EXPECT_USAGE_ERRORS (mistakes);
}

static void everybody_needs_one_coordinator (void **state) {
    (void) state;
    static const char *const commands[] = {"worker", "submit", "status"};
    unsetenv ("DAGWOOD_CONNECT");
    for (size_t i = 0; i < sizeof commands / sizeof *commands; i++) {
        const mistake_t mistakes[] = {
            {{commands[i]}, "which coordinator? --connect ENDPOINT, --rendezvous FILE, or"},
            {{commands[i], "--connect", ""}, "which coordinator?"},
            {{commands[i], "--connect", "ipc://x", "--rendezvous", "y"},
             "one coordinator: --connect or --rendezvous, not both"},
            {{commands[i], "--connect", "ipc://x", "--key", "k"},
             "--key and --server-key go together"},
            {{commands[i], "--connect", "ipc://x", "--server-key", "k"},
             "--key and --server-key go together"},
            {{commands[i], "--connect", "ipc://x", "--timeout", "0"},
             "--timeout must be a number of seconds from 0.001"},
            {{commands[i], "--connect", "ipc://x", "--timeout", "nan"},
             "--timeout must be a number of seconds"},
            {{commands[i], "examples/pool.yaml", "--connect", "ipc://x"},
             "\"examples/pool.yaml\" is no option, and nothing else is taken here"},
        };
        EXPECT_USAGE_ERRORS (mistakes);
    }
}

static void wrong_words_of_a_worker_are_refused_with_what_is_right (void **state) {
    (void) state;
    static const mistake_t mistakes[] = {
        {{"worker", "--connect", "ipc://x", "--slots", "0"},
         "--slots must be a whole number from 1 to 1024, not \"0\""},
        {{"worker", "--connect", "ipc://x", "--slots", "two"}, "not \"two\""},
        {{"worker", "--connect", "ipc://x", "--reconnect", "-1"},
         "--reconnect must be a number of seconds from 0"},
        {{"worker", "--connect", "ipc://x", "--reconnect", "1m"}, "not \"1m\""},
        {{"worker", "--connect", "ipc://x", "--processors", "identity,reverse_txt"},
         "there is no processor \"reverse_txt\"; did you mean reverse_text?"},
        {{"worker", "--connect", "ipc://x", "--processors", "nonsense"},
         "there is no processor \"nonsense\"; `dagwood processors' lists all"},
        {{"worker", "--connect", "ipc://x", "--processors", ""}, "there is no processor \"\""},
        {{"worker", "--connect", "ipc://x", "--processors", "identity,"},
         "there is no processor \"\""},
    };
    EXPECT_USAGE_ERRORS (mistakes);
}

static void wrong_words_of_submit_and_status_are_refused (void **state) {
    (void) state;
    static const mistake_t mistakes[] = {
        {{"submit", "--connect", "ipc://x", "--input", "a", "-"}, "a run has one input"},
        {{"submit", "--connect", "ipc://x", "--format", "jsno"}, "did you mean json?"},
        {{"status", "--connect", "ipc://x", "--format", "txt"}, "did you mean text?"},
        {{"submit", "--connect", "ipc://x", "--detach", "--wait", "a-1"}, "one of them"},
        {{"submit", "--connect", "ipc://x", "--repeat", "2"}, "--repeat"},
    };
    EXPECT_USAGE_ERRORS (mistakes);
}

static void what_is_of_no_use_is_refused (void **state) {
    (void) state;
    static const mistake_t mistakes[] = {
        {{"run", "examples/pool.yaml", "--stalled-seconds", "5"},
         "--stalled-seconds is of no use without --listen or --isolation"},
        {{"run", "examples/pool.yaml", "--lines", "-", "--progress", "always"},
         "--progress is of no use with --lines"},
        {{"run", "examples/pool.yaml", "--lines", "-", "--format", "text"},
         "--format text is of no use with --lines, which prints JSON"},
        {{"submit", "--connect", "ipc://x", "--wait", "a-1", "--deadline", "5"},
         "--wait and --cancel are of a run that has its input, outputs and deadline"},
        {{"worker", "--connect", "ipc://x", "--incarnation", "4"},
         "--incarnation is of no use without --name or --slurm"},
        {{"conformance", "client", "--listen", "ipc://x", "--processor", "identity"},
         "--processor is of no use for a client"},
        {{"conformance", "coordinator", "--connect", "ipc://x", "--wait", "1"},
         "--wait is of no use for a coordinator"},
        {{"conformance", "worker", "--listen", "ipc://x", "--log", "y"},
         "--log is of no use without a command"},
    };
    EXPECT_USAGE_ERRORS (mistakes);
}

static void a_file_without_a_name_is_a_usage_error (void **state) {
    (void) state;
    static const mistake_t mistakes[] = {
        {{"run", ""}, "which graph file? Its name is empty"},
        {{"coordinator", "a=", "--listen", "ipc://x"}, "which graph file? Its name is empty"},
        {{"keygen", ""}, "which file? Its name is empty"},
    };
    EXPECT_USAGE_ERRORS (mistakes);
}

static void an_input_that_cannot_be_read_is_status_66_before_anything_is_sent (void **state) {
    (void) state;
    command_t c = {0};
    COMMAND (&c, "submit", "--connect", "ipc://x", "--input-file", "/no/such/input");
    command_expect (&c, 66);
    command_expect_error (&c, "/no/such/input cannot be read");
    command_free (&c);
}

/* ---- The rendezvous file ------------------------------------------------------------------ */

static void a_rendezvous_file_that_does_not_come_is_status_69 (void **state) {
    (void) state;
    static const char *const commands[] = {"worker", "submit", "status"};
    const char *file = command_path ("never");
    for (size_t i = 0; i < sizeof commands / sizeof *commands; i++) {
        command_t c = {0};
        COMMAND (&c, commands[i], "--rendezvous", file, "--timeout", "0.1");
        command_expect (&c, 69);
        command_expect_error (&c,
                              "never did not come within 0.1 s: is there a coordinator that has "
                              "it as its --rendezvous?");
        assert_string_equal (c.out, "");
        command_free (&c);
    }
}

static void a_rendezvous_file_without_an_endpoint_is_status_65 (void **state) {
    (void) state;
    static const char *const texts[] = {"",
                                        "\n",
                                        "tcp://127.0.0.1:1",
                                        "tcp://127.0.0.1:1\n\n",
                                        "tcp://127.0.0.1:1\nx\n",
                                        "no endpoint\n",
                                        "garbage\n",
                                        "tcp:/127.0.0.1:1\n",
                                        "tcp\n",
                                        "inproc://coordinator\n",
                                        "udp://127.0.0.1:1\n",
                                        "\x1b[2J\n"};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        const char *file = command_file ("damaged", texts[i]);
        command_t c = {0};
        COMMAND (&c, "status", "--rendezvous", file);
        command_expect (&c, 65);
        command_expect_error (&c, "/damaged is no rendezvous file: it is not one line with an "
                                  "endpoint, tcp://HOST:PORT or ipc://FILE");
        command_free (&c);
    }
}

static void a_rendezvous_file_that_others_can_write_is_status_66 (void **state) {
    (void) state;
    const char *file = command_file ("open", "tcp://127.0.0.1:1\n");
    assert_int_equal (chmod (file, 0622), 0);
    command_t c = {0};
    COMMAND (&c, "status", "--rendezvous", file);
    command_expect (&c, 66);
    command_expect_error (&c, "others may write it");
    command_free (&c);
}

int main (void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test (a_coordinator_needs_a_graph_and_a_place_to_listen),
        cmocka_unit_test (a_coordinator_of_a_wrong_graph_is_status_78),
        cmocka_unit_test (keys_of_a_run_are_for_listening),
        cmocka_unit_test (everybody_needs_one_coordinator),
        cmocka_unit_test (wrong_words_of_a_worker_are_refused_with_what_is_right),
        cmocka_unit_test (wrong_words_of_submit_and_status_are_refused),
        cmocka_unit_test (what_is_of_no_use_is_refused),
        cmocka_unit_test (a_file_without_a_name_is_a_usage_error),
        cmocka_unit_test (an_input_that_cannot_be_read_is_status_66_before_anything_is_sent),
        cmocka_unit_test (a_rendezvous_file_that_does_not_come_is_status_69),
        cmocka_unit_test (a_rendezvous_file_without_an_endpoint_is_status_65),
        cmocka_unit_test (a_rendezvous_file_that_others_can_write_is_status_66),
    };
    return !!cmocka_run_group_tests_name ("words of several processes", tests,
                                          command_folder_set_up, command_folder_tear_down);
}
