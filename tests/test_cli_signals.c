/* test_cli_signals.c - who has no coordinator yet, or none any more, obeys a signal as anybody else
 * does. */

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
#include "tests/support/process.h"

#define LOOPBACK  "tcp://127.0.0.1:*"
#define AT_ONCE   1500 /* ms: of the 20 s that it would wait */
#define WORDS_MAX 12

typedef struct fixture_t {
    command_t coordinator, other;
    char endpoint[COMMAND_ENDPOINT_SIZE];
    int dead_fd;
} fixture_t;

static int s_set_up (void **state) {
    fixture_t *f = *state = calloc (1, sizeof (fixture_t));
    if (f)
        f->dead_fd = -1;
    return f ? 0 : -1;
}

static int s_tear_down (void **state) {
    fixture_t *f = *state;
    command_forget (&f->coordinator);
    command_forget (&f->other);
    if (f->dead_fd >= 0)
        close (f->dead_fd);
    free (f);
    return 0;
}

/* A port that is taken; who listens takes connections and says nothing, else nobody is there. */
static void s_take_port (fixture_t *f, bool listens) {
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_addr.s_addr = htonl (INADDR_LOOPBACK)};
    socklen_t size = sizeof address;
    f->dead_fd = socket (AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal (bind (f->dead_fd, (struct sockaddr *) &address, size), 0);
    assert_int_equal (getsockname (f->dead_fd, (struct sockaddr *) &address, &size), 0);
    assert_int_equal (listens ? listen (f->dead_fd, 8) : 0, 0);
    snprintf (f->endpoint, sizeof f->endpoint, "tcp://127.0.0.1:%d", ntohs (address.sin_port));
}

/* Until it reads its signals instead of being ended by them. All of them are blocked for a moment,
 * too, while a thread is begun; that says nothing. */
static void s_await_signals_caught (pid_t pid) {
    for (int looks = 0; looks < 1000; looks++) {
        char path[64], text[4096];
        snprintf (path, sizeof path, "/proc/%d/status", (int) pid);
        FILE *file = fopen (path, "r");
        assert_non_null (file);
        text[fread (text, 1, sizeof text - 1, file)] = '\0';
        fclose (file);
        const char *blocked = strstr (text, "SigBlk:");
        assert_non_null (blocked);
        uint64_t mask = strtoull (blocked + 7, NULL, 16);
        if (mask >> (SIGTERM - 1) & 1u && !(mask >> (SIGUSR2 - 1) & 1u))
            return;
        sleep_ms (10);
    }
    fail_msg ("it does not read signals");
}

static void s_expect_end_at_once (command_t *c, int number, int status) {
    int64_t begin_ms = now_ms ();
    command_signal (c, number);
    command_end (c);
    int64_t ms = now_ms () - begin_ms;
    command_expect (c, status);
    if (ms > AT_ONCE)
        fail_msg ("it ended after %d ms", (int) ms);
    if (strstr (c->err, "nobody answers") || strstr (c->err, "error"))
        fail_msg ("it was told to end, and complains: %s", c->err);
    command_free (c);
}

typedef struct case_t {
    const char *words[WORDS_MAX]; /* where to connect is put behind the first */
    int term;                     /* its status when SIGTERM ends it */
} case_t;

static void s_start (fixture_t *f, const case_t *is) {
    const char *words[WORDS_MAX + 4] = {is->words[0], "--connect", f->endpoint, "--timeout", "20"};
    for (size_t i = 1; i < WORDS_MAX && is->words[i]; i++)
        words[i + 4] = is->words[i];
    command_start (&f->other, words);
}

static const case_t s_cases[] = {
    {{"worker", "--slots", "1"}, 0},
    {{"worker", "--slots", "1", "--graph", "pool"}, 0},
    {{"worker", "--slots", "1", "--isolation", "process"}, 0},
    {{"worker", "--slots", "1", "--exec", "a=cat"}, 0},
    {{"worker", "--slots", "1", "--exec", "a=cat", "--graph", "pool"}, 0},
    {{"submit", "--input", "x"}, 143},
    {{"submit", "--input", "x", "--graph", "pool"}, 143},
    {{"submit", "--input", "x", "--detach"}, 143},
    {{"submit", "--wait", "0123456789abcdef0123456789abcdef-1"}, 143},
};

static void s_tell_who_connects (fixture_t *f) {
    for (size_t i = 0; i < sizeof s_cases / sizeof *s_cases; i++) {
        for (int number = SIGINT; number; number = number == SIGINT ? SIGTERM : 0) {
            s_start (f, &s_cases[i]);
            s_await_signals_caught (f->other.pid);
            sleep_ms (50);
            s_expect_end_at_once (&f->other, number, number == SIGINT ? 130 : s_cases[i].term);
        }
    }
}

static void who_finds_nobody_ends_when_told (void **state) {
    fixture_t *f = *state;
    s_take_port (f, false);
    s_tell_who_connects (f);
}

static void who_is_not_answered_ends_when_told (void **state) {
    fixture_t *f = *state;
    s_take_port (f, true);
    s_tell_who_connects (f);
}

static void a_worker_that_waits_for_a_rendezvous_file_ends_when_told (void **state) {
    fixture_t *f = *state;
    for (int number = SIGINT; number; number = number == SIGINT ? SIGTERM : 0) {
        START (&f->other, "worker", "--rendezvous", command_path ("never"), "--timeout", "20");
        s_await_signals_caught (f->other.pid);
        s_expect_end_at_once (&f->other, number, number == SIGINT ? 130 : 0);
    }
}

static void a_submission_that_waits_for_a_rendezvous_file_ends_when_told (void **state) {
    fixture_t *f = *state;
    static const char *const hows[] = {"--detach", "--format=json", NULL};
    for (size_t i = 0; hows[i]; i++) {
        for (int number = SIGINT; number; number = number == SIGINT ? SIGTERM : 0) {
            START (&f->other, "submit", "--rendezvous", command_path ("never"), "--timeout", "20",
                   "--input", "x", hows[i]);
            s_await_signals_caught (f->other.pid);
            s_expect_end_at_once (&f->other, number, 128 + number);
        }
    }
}

/* ---- Lost ------------------------------------------------------------------------------------- */

static void s_tell_who_has_lost (fixture_t *f, const case_t *is, const char *graph, int number,
                                 int status) {
    START (&f->coordinator, "coordinator", graph, "--listen", LOOPBACK, "--heartbeat-ms", "50",
           "--silence-ms", "400");
    command_await_output (&f->coordinator, "\n");
    command_take_endpoint (&f->coordinator, f->endpoint);
    s_start (f, is);
    command_await_error (&f->other, "working for ");
    command_signal (&f->coordinator, SIGKILL);
    command_end (&f->coordinator);
    command_free (&f->coordinator);
    command_await_error (&f->other, "the coordinator was lost");
    sleep_ms (300);
    s_expect_end_at_once (&f->other, number, status);
}

static void a_worker_that_looks_for_its_coordinator_ends_when_told (void **state) {
    fixture_t *f = *state;
    const char *programs = command_file ("a.yaml",
                                         "processors:\n  - {id: a, processor: a, type: remote}\n");
    for (size_t i = 0; i < 4; i++) {
        if (i == 1)
            continue; /* by name or not is the same to one that has been there */
        const char *graph = i == 3 ? programs : "examples/pool.yaml";
        s_tell_who_has_lost (f, &s_cases[i], graph, SIGTERM, 0);
        s_tell_who_has_lost (f, &s_cases[i], graph, SIGINT, 130);
    }
}

int main (void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown (who_finds_nobody_ends_when_told, s_set_up, s_tear_down),
        cmocka_unit_test_setup_teardown (who_is_not_answered_ends_when_told, s_set_up, s_tear_down),
        cmocka_unit_test_setup_teardown (a_worker_that_waits_for_a_rendezvous_file_ends_when_told,
                                         s_set_up, s_tear_down),
        cmocka_unit_test_setup_teardown (
            a_submission_that_waits_for_a_rendezvous_file_ends_when_told, s_set_up, s_tear_down),
        cmocka_unit_test_setup_teardown (a_worker_that_looks_for_its_coordinator_ends_when_told,
                                         s_set_up, s_tear_down),
    };
    return cmocka_run_group_tests (tests, command_folder_set_up, command_folder_tear_down);
}
