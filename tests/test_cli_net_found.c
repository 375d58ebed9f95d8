/* test_cli_net_found.c - how workers and clients come to their coordinator: an endpoint, the environment,
 * a rendezvous file, keys; and what is said where it is not there, or another one. */

#include <netinet/in.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/support/deployment.h"

/* A port of this machine at which nobody listens, for as long as the socket is open. */
static int s_dead_port (char endpoint[64]) {
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_addr.s_addr = htonl (INADDR_LOOPBACK)};
    socklen_t size = sizeof address;
    int fd = socket (AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true (fd >= 0);
    assert_int_equal (bind (fd, (struct sockaddr *) &address, size), 0);
    assert_int_equal (getsockname (fd, (struct sockaddr *) &address, &size), 0);
    snprintf (endpoint, 64, "tcp://127.0.0.1:%u", ntohs (address.sin_port));
    return fd;
}

/* ---- Nobody there, and the wrong one ------------------------------------------------------ */

static void nobody_at_the_endpoint_is_status_69 (void **state) {
    (void) state;
    static const char *const commands[] = {"worker", "submit", "status"};
    char endpoint[64];
    int fd = s_dead_port (endpoint);
    for (size_t i = 0; i < sizeof commands / sizeof *commands; i++) {
        command_t c = {0};
        COMMAND (&c, commands[i], "--connect", endpoint, "--timeout", "0.3");
        command_expect (&c, 69);
        command_expect_error (&c, endpoint);
        assert_string_equal (c.out, "");
        command_free (&c);
    }
    close (fd);
}

static void a_graph_of_another_name_is_status_76 (void **state) {
    deployment_t *f = *state;
    COORDINATE ("examples/pool.yaml", "--listen", LOOPBACK);
    command_t c = {0};
    COMMAND (&c, "submit", "--connect", f->endpoint, "--graph", "levels");
    command_expect (&c, 76);
    command_expect_error (&c, "levels");
    command_free (&c);
}

static void the_environment_says_where_and_options_win (void **state) {
    deployment_t *f = *state;
    COORDINATE ("examples/pool.yaml", "--listen", LOOPBACK);
    setenv ("DAGWOOD_CONNECT", f->endpoint, 1);
    command_t c = {0};
    COMMAND (&c, "status");
    command_expect (&c, 0);
    command_free (&c);
    COMMAND (&c, "status", "--connect", "nonsense");
    command_expect (&c, 64);
    command_free (&c);
    unsetenv ("DAGWOOD_CONNECT");
}

/* ---- The rendezvous file ------------------------------------------------------------------ */

static void a_rendezvous_file_is_waited_for_and_goes_with_its_coordinator (void **state) {
    deployment_t *f = *state;
    const char *file = command_path ("meet");
    START (&f->workers[0], "worker", "--rendezvous", file, "--slots", "1");
    command_await_error (&f->workers[0], "waiting for "); /* after two seconds */
    COORDINATE ("examples/pool.yaml", "--listen", LOOPBACK, "--rendezvous", file);
    struct stat about;
    assert_int_equal (stat (file, &about), 0);
    assert_int_equal (about.st_mode & 07777u, 0600);
    command_await_error (&f->workers[0], "working for ");
    command_t c = {0};
    COMMAND (&c, "submit", "--rendezvous", file, "--input", "x");
    command_expect (&c, 0);
    command_free (&c);
    command_signal (&f->coordinator, SIGTERM);
    deployment_expect_end (&f->coordinator, 0);
    deployment_expect_end (&f->workers[0], 0);
    assert_int_equal (access (file, F_OK), -1);
}

static void a_rendezvous_file_of_another_coordinator_stays (void **state) {
    deployment_t *f = *state;
    const char *file = command_path ("meet");
    COORDINATE ("examples/pool.yaml", "--listen", LOOPBACK, "--rendezvous", file);
    START (&f->other, "coordinator", "examples/levels.yaml", "--listen", LOOPBACK, "--rendezvous",
           file);
    command_await_output (&f->other, "\n");
    command_signal (&f->coordinator, SIGTERM);
    deployment_expect_end (&f->coordinator, 0);
    command_t c = {0};
    COMMAND (&c, "status", "--rendezvous", file);
    command_expect (&c, 0);
    command_expect_output (&c, "graph levels: ");
    command_free (&c);
}

static void a_rendezvous_file_that_cannot_be_written_is_status_74 (void **state) {
    (void) state;
    command_t c = {0};
    COMMAND (&c, "coordinator", "examples/pool.yaml", "--listen", LOOPBACK, "--rendezvous",
             "/no/such/folder/meet");
    command_expect (&c, 74);
    command_expect_error (&c, "/no/such/folder/meet cannot be written");
    assert_string_equal (c.out, "");
    command_free (&c);
}

static void a_worker_finds_a_coordinator_that_was_started_again_elsewhere (void **state) {
    static const char *const workers[][4] = {{"--slots", "1"}, {"--slots", "1", "--exec", "a=cat"}};
    deployment_t *f = *state;
    const char *file = command_path ("moved");
    const char *graph = command_file ("a.yaml",
                                      "processors:\n  - {id: a, processor: a, type: remote}\n");
    for (size_t i = 0; i < 2; i++) {
        const char *which = i ? graph : "examples/pool.yaml";
        COORDINATE (which, "--listen", LOOPBACK, "--rendezvous", file, "--silence-ms", "600",
                    "--heartbeat-ms", "100");
        START (&f->workers[0], "worker", "--rendezvous", file, workers[i][0], workers[i][1],
               workers[i][2], workers[i][3]);
        command_await_error (&f->workers[0], "working for ");
        command_signal (&f->coordinator, SIGKILL);
        deployment_expect_end (&f->coordinator, -SIGKILL);
        char before[COMMAND_ENDPOINT_SIZE];
        snprintf (before, sizeof before, "%s", f->endpoint);
        COORDINATE (which, "--listen", LOOPBACK, "--rendezvous", file);
        assert_string_not_equal (f->endpoint, before);
        command_await_error (&f->workers[0], "the coordinator is there again");
        command_t c = {0};
        COMMAND (&c, "submit", "--rendezvous", file, "--input", "x");
        command_expect (&c, 0);
        command_free (&c);
        command_signal (&f->coordinator, SIGTERM);
        deployment_expect_end (&f->coordinator, 0);
        deployment_expect_end (&f->workers[0], 0);
    }
}

/* ---- Keys --------------------------------------------------------------------------------- */

static void with_keys_only_those_on_the_list_are_let_in (void **state) {
    deployment_t *f = *state;
    char worker_line[128], client_line[128], other_line[128], list[512], server[256], folder[256];
    const char *coordinator = deployment_keygen ("coordinator.key", "monitor", other_line);
    const char *worker = deployment_keygen ("worker.key", "worker", worker_line);
    const char *client = deployment_keygen ("client.key", "client", client_line);
    const char *stranger = deployment_keygen ("stranger.key", "client", other_line);
    snprintf (list, sizeof list, "%s%s", worker_line, client_line);
    (void) command_file ("allowed", list);
    snprintf (server, sizeof server, "%s.pub", coordinator);
    snprintf (folder, sizeof folder, "%.*s", (int) (strrchr (coordinator, '/') - coordinator),
              coordinator);
    COORDINATE ("examples/pool.yaml", "--listen", LOOPBACK, "--keys", folder);
    START (&f->workers[0], "worker", "--connect", f->endpoint, "--key", worker, "--server-key",
           server);
    command_await_error (&f->workers[0], "working for ");
    command_t c = {0};
    COMMAND (&c, "submit", "--connect", f->endpoint, "--key", client, "--server-key", server,
             "--input", "x");
    command_expect (&c, 0);
    command_free (&c);
    COMMAND (&c, "submit", "--connect", f->endpoint, "--key", stranger, "--server-key", server,
             "--input", "x");
    command_expect (&c, 77);
    command_free (&c);
    COMMAND (&c, "submit", "--connect", f->endpoint, "--key", "/no/such/key", "--server-key",
             server);
    command_expect (&c, 77);
    command_free (&c);
    COMMAND (&c, "submit", "--connect", f->endpoint, "--timeout", "1");
    assert_true (c.status == 69 || c.status == 77); /* it says nothing that is understood */
    command_free (&c);
    (void) command_file ("allowed", client_line);
    command_signal (&f->coordinator, SIGHUP);
    command_await_error (&f->coordinator, "was taken off the list");
    deployment_expect_end (&f->workers[0], 77);
    COMMAND (&c, "status", "--connect", f->endpoint, "--key", client, "--server-key", server);
    command_expect (&c, 0);
    command_free (&c);
    command_signal (&f->coordinator, SIGTERM);
    deployment_expect_end (&f->coordinator, 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown (name, deployment_set_up, deployment_tear_down)

int main (void) {
    const struct CMUnitTest tests[] = {
        TEST (nobody_at_the_endpoint_is_status_69),
        TEST (a_graph_of_another_name_is_status_76),
        TEST (the_environment_says_where_and_options_win),
        TEST (a_rendezvous_file_is_waited_for_and_goes_with_its_coordinator),
        TEST (a_rendezvous_file_of_another_coordinator_stays),
        TEST (a_rendezvous_file_that_cannot_be_written_is_status_74),
        TEST (a_worker_finds_a_coordinator_that_was_started_again_elsewhere),
        TEST (with_keys_only_those_on_the_list_are_let_in),
    };
    return !!cmocka_run_group_tests_name ("a coordinator found", tests, command_folder_set_up,
                                          command_folder_tear_down);
}
