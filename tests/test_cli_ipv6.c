/* test_cli_ipv6.c - a coordinator at ::1, with a worker and who submits, as a user starts them. */

#include <netinet/in.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/support/command.h"

typedef struct fixture_t {
    command_t coordinator, worker;
} fixture_t;

static int s_set_up (void **state) {
    *state = calloc (1, sizeof (fixture_t));
    return *state ? 0 : -1;
}

static int s_tear_down (void **state) {
    fixture_t *f = *state;
    command_forget (&f->coordinator);
    command_forget (&f->worker);
    free (f);
    return 0;
}

static void s_skip_without_ipv6 (void) {
    struct sockaddr_in6 address = {.sin6_family = AF_INET6, .sin6_addr = in6addr_loopback};
    int fd = socket (AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
    int err = fd < 0 ? -1 : bind (fd, (struct sockaddr *) &address, sizeof address);
    if (fd >= 0)
        close (fd);
    if (err) {
        print_message ("skipped: this machine has no ::1\n");
        skip ();
    }
}

static void s_expect_end (command_t *c, int status) {
    command_end (c);
    command_expect (c, status);
    command_free (c);
}

static void a_run_goes_by_ipv6 (void **state) {
    static const char *const graphs[][3] = {{"examples/pool.yaml", "--slots", "2"},
                                            {"ab=examples/pool.yaml", "--isolation", "process"}};
    fixture_t *f = *state;
    char endpoint[COMMAND_ENDPOINT_SIZE];
    s_skip_without_ipv6 ();
    for (size_t i = 0; i < 2; i++) {
        START (&f->coordinator, "coordinator", graphs[i][0], "--listen", "tcp://[::1]:*");
        command_await_output (&f->coordinator, "\n");
        command_take_endpoint (&f->coordinator, endpoint);
        assert_memory_equal (endpoint, "tcp://[::1]:", 12);
        START (&f->worker, "worker", "--connect", endpoint, graphs[i][1], graphs[i][2]);
        command_await_error (&f->worker, "working for tcp://[::1]:");
        command_t c = {0};
        COMMAND (&c, "submit", "--connect", endpoint, "--input", "x");
        command_expect (&c, 0);
        command_free (&c);
        COMMAND (&c, "status", "--connect", endpoint);
        command_expect (&c, 0);
        command_free (&c);
        command_signal (&f->coordinator, SIGTERM);
        s_expect_end (&f->coordinator, 0);
        s_expect_end (&f->worker, 0);
    }
}

int main (void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown (a_run_goes_by_ipv6, s_set_up, s_tear_down),
    };
    return cmocka_run_group_tests (tests, command_folder_set_up, command_folder_tear_down);
}
