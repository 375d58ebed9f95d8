/* test_door.c - a coordinator that is knocked at by more than it has room for: it keeps its
 * descriptors, and the honest come in. */

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "actors/clock.h"
#include "tests/support/command.h"

#define FILES_MAX 256
#define STRANGERS 400
#define HONEST    5
#define SLOWNESS  (sizeof DAGWOOD_SANITIZE > 1 ? 5 : 1) /* with a sanitizer */
/* TCP repeats a knock that was dropped after 1 s: that, and some. */
#define HONEST_MS   (1500 * SLOWNESS)
#define ATTACK_S    2.0
#define CONNECTIONS "32" /* two clients, four slots, their agents and some more */

static void s_few_files (void) {
    struct rlimit limit = {.rlim_cur = FILES_MAX, .rlim_max = FILES_MAX};
    if (setrlimit (RLIMIT_NOFILE, &limit))
        abort ();
}

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
    command_forget (&f->coordinator);
    command_forget (&f->worker);
    free (f);
    return 0;
}

static void s_coordinate (fixture_t *f, const char *listen, const char *connections_max) {
    f->coordinator.prepare = s_few_files;
    command_start (&f->coordinator,
                   (const char *const[]){"coordinator", "examples/pool.yaml", "--listen", listen,
                                         "--slots-max", "4", "--clients-max", "4",
                                         "--connections-max", connections_max, NULL});
    command_await_output (&f->coordinator, "\n");
    command_take_endpoint (&f->coordinator, f->endpoint);
}

static void s_work (fixture_t *f) {
    command_start (&f->worker,
                   (const char *const[]){"worker", "--connect", f->endpoint, "--slots", "1", NULL});
    command_await_error (&f->worker, "working for ");
}

/* ---- What the coordinator's process takes ----------------------------------------------------- */

static int s_files_open (pid_t pid) {
    char path[64];
    int count = -2; /* . and .. */
    snprintf (path, sizeof path, "/proc/%d/fd", (int) pid);
    DIR *folder = opendir (path);
    assert_non_null (folder);
    while (readdir (folder))
        count++;
    closedir (folder);
    return count;
}

static double s_cpu_s (pid_t pid) {
    char path[64], text[1024];
    unsigned long user = 0, system = 0;
    snprintf (path, sizeof path, "/proc/%d/stat", (int) pid);
    FILE *file = fopen (path, "r");
    assert_non_null (file);
    size_t size = fread (text, 1, sizeof text - 1, file);
    fclose (file);
    text[size] = '\0';
    assert_int_equal (sscanf (strrchr (text, ')'),
                              ") %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu", &user,
                              &system),
                      2);
    return (double) (user + system) / (double) sysconf (_SC_CLK_TCK);
}

/* ---- Strangers -------------------------------------------------------------------------------- */

/* Connections that say only so much; who is hung up on comes again, or not. */
typedef struct strangers_t {
    pthread_t thread;
    int fds[STRANGERS];
    struct sockaddr_in address;
    const char *words;
    size_t words_size;
    bool has_spoken[STRANGERS];
    bool come_again;
    atomic_bool are_over;
    unsigned knocks;
} strangers_t;

static int s_knock (strangers_t *self) {
    int fd = socket (AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd >= 0)
        (void) connect (fd, (struct sockaddr *) &self->address, sizeof self->address);
    self->knocks++;
    return fd;
}

static void s_look_at (strangers_t *self, int *fd_p, bool *has_spoken_p) {
    char byte;
    if (self->words_size && !*has_spoken_p)
        *has_spoken_p = send (*fd_p, self->words, self->words_size, MSG_NOSIGNAL | MSG_DONTWAIT) >
                        0;
    ssize_t got = recv (*fd_p, &byte, 1, MSG_DONTWAIT);
    if (self->come_again && (got == 0 || (got < 0 && errno != EAGAIN))) {
        close (*fd_p);
        *fd_p = s_knock (self);
        *has_spoken_p = false;
    }
}

static void *s_besiege (void *args) {
    strangers_t *self = args;
    for (int i = 0; i < STRANGERS; i++)
        self->fds[i] = s_knock (self);
    while (!atomic_load (&self->are_over)) {
        for (int i = 0; i < STRANGERS; i++)
            s_look_at (self, &self->fds[i], &self->has_spoken[i]);
        usleep (2000);
    }
    for (int i = 0; i < STRANGERS; i++)
        close (self->fds[i]);
    return NULL;
}

static void s_begin (strangers_t *self, const char *endpoint) {
    self->address = (struct sockaddr_in){
        .sin_family = AF_INET,
        .sin_port = htons ((uint16_t) atoi (strrchr (endpoint, ':') + 1)),
        .sin_addr.s_addr = htonl (INADDR_LOOPBACK)};
    assert_int_equal (pthread_create (&self->thread, NULL, s_besiege, self), 0);
}

static void s_end (strangers_t *self) {
    atomic_store (&self->are_over, true);
    pthread_join (self->thread, NULL);
}

/* How long an honest client needs, ms. */
static int s_ask (const fixture_t *f) {
    command_t c = {0};
    int64_t begin_ns = dw_clock_ns ();
    COMMAND (&c, "status", "--connect", f->endpoint, "--timeout", "20");
    command_expect (&c, 0);
    command_free (&c);
    return (int) ((dw_clock_ns () - begin_ns) / 1000000);
}

static void s_withstand (fixture_t *f, strangers_t *strangers, const char *what) {
    pid_t pid = f->coordinator.pid;
    int quiet = s_files_open (pid), peak = 0, slowest_ms = 0;
    double cpu_s = s_cpu_s (pid);
    int64_t begin_ns = dw_clock_ns ();
    s_begin (strangers, f->endpoint);
    for (int asked = 0; asked < HONEST || (double) (dw_clock_ns () - begin_ns) / 1e9 < ATTACK_S;
         asked++) {
        usleep (20000);
        int files = s_files_open (pid), ms = s_ask (f);
        peak = files > peak ? files : peak;
        slowest_ms = ms > slowest_ms ? ms : slowest_ms;
    }
    double seconds = (double) (dw_clock_ns () - begin_ns) / 1e9;
    cpu_s = s_cpu_s (pid) - cpu_s;
    s_end (strangers);
    printf ("%s: %u knocks in %.1f s, at most %d of %d descriptors (%d before), %.2f s of CPU, the "
            "slowest honest client %d ms\n",
            what, strangers->knocks, seconds, peak, FILES_MAX, quiet, cpu_s, slowest_ms);
    assert_true (strangers->knocks >= STRANGERS);
    /* How far ZeroMQ gets ahead of the door when they come again at once is a matter of who has the
     * CPU. */
    assert_true (peak < FILES_MAX - 10 || strangers->come_again);
    /* Those who come again take what their knocking takes, and somebody's knock may be dropped
     * among theirs. */
    assert_in_range (slowest_ms, 0, strangers->come_again ? 5 * HONEST_MS : HONEST_MS);
    if (!strangers->come_again)
        assert_true (cpu_s < SLOWNESS * seconds / 4);
    for (int looks = 0; s_files_open (pid) > quiet + 2; looks++) { /* all of it is given back */
        assert_true (looks < 300);
        usleep (10000);
    }
}

/* ---- Tests ------------------------------------------------------------------------------------ */

static void strangers_who_say_nothing_keep_nobody_out (void **state) {
    fixture_t *f = *state;
    s_coordinate (f, "tcp://127.0.0.1:*", CONNECTIONS);
    s_withstand (f, &(strangers_t){.come_again = false}, "silent");
    s_withstand (f, &(strangers_t){.come_again = true}, "silent, again and again");
}

/* As a peer of ZeroMQ greets: signature, version 3.0, the mechanism NULL; then READY as a DEALER,
 * but for its end. */
static const char s_words[] = "\xff\0\0\0\0\0\0\0\1\x7f\3\0NULL\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"
                              "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"
                              "\4\x1c\5READY\x0bSocket-Type\0\0\0\6DEAL";
#define GREETING_BYTES 64

static void strangers_who_only_greet_keep_nobody_out (void **state) {
    fixture_t *f = *state;
    s_coordinate (f, "tcp://127.0.0.1:*", CONNECTIONS);
    s_withstand (f,
                 &(strangers_t){.come_again = true, .words = s_words, .words_size = GREETING_BYTES},
                 "a greeting, again and again");
    s_withstand (
        f, &(strangers_t){.come_again = true, .words = s_words, .words_size = sizeof s_words - 1},
        "most of a handshake, again and again");
}

static void who_is_in_stays (void **state) {
    fixture_t *f = *state;
    strangers_t strangers = {.come_again = true};
    s_coordinate (f, "tcp://127.0.0.1:*", CONNECTIONS);
    s_work (f);
    s_begin (&strangers, f->endpoint);
    for (int i = 0; i < 20; i++) {
        command_t c = {0};
        COMMAND (&c, "submit", "--connect", f->endpoint, "--input", "x", "--timeout", "20");
        command_expect (&c, 0);
        command_free (&c);
    }
    s_end (&strangers);
    command_signal (&f->worker, SIGTERM);
    command_end (&f->worker);
    command_expect (&f->worker, 0);
    assert_null (strstr (f->worker.err, "lost"));
}

/* Two are in, a worker's agent and its slot, and that is all there may be. */
static void s_expect_full_then_room (fixture_t *f, const char *listen) {
    s_coordinate (f, listen, "2");
    s_work (f);
    command_t c = {0};
    COMMAND (&c, "status", "--connect", f->endpoint, "--timeout", "1");
    command_expect (&c, 69);
    command_expect_error (&c, "nobody answers at");
    command_free (&c);
    command_await_error (&f->coordinator,
                         "as there may be (2, connections_max): who is silent is cut off");
    command_signal (&f->worker, SIGTERM);
    command_end (&f->worker);
    command_expect (&f->worker, 0);
    command_free (&f->worker);
    assert_in_range (s_ask (f), 0, 5000);
}

static void when_all_who_may_are_in_who_comes_waits_until_one_leaves (void **state) {
    s_expect_full_then_room (*state, "tcp://127.0.0.1:*");
}

static void the_same_over_ipc (void **state) {
    if (geteuid () == 0) {
        print_message ("skipped: root may connect to a file of any mode\n");
        skip ();
    }
    char endpoint[300];
    snprintf (endpoint, sizeof endpoint, "ipc://%s", command_path ("full.sock"));
    s_expect_full_then_room (*state, endpoint);
}

static mode_t s_mode_of (const char *file) {
    struct stat status;
    assert_int_equal (stat (file, &status), 0);
    return status.st_mode & 07777;
}

static void the_file_of_an_endpoint_takes_nobody_while_it_is_full (void **state) {
    fixture_t *f = *state;
    char endpoint[300];
    const char *file = command_path ("door.sock");
    snprintf (endpoint, sizeof endpoint, "ipc://%s", file);
    s_coordinate (f, endpoint, "2");
    mode_t mode = s_mode_of (file);
    assert_true (mode & 0200);
    s_work (f);
    for (int looks = 0; s_mode_of (file) != 0; looks++) {
        assert_true (looks < 300);
        usleep (10000);
    }
    command_signal (&f->worker, SIGTERM);
    command_end (&f->worker);
    for (int looks = 0; s_mode_of (file) != mode; looks++) {
        assert_true (looks < 300);
        usleep (10000);
    }
}

static void more_connections_than_descriptors_are_status_71_with_what_to_do (void **state) {
    (void) state;
    command_t c = {.prepare = s_few_files};
    COMMAND (&c, "coordinator", "examples/pool.yaml", "--listen", "tcp://127.0.0.1:*",
             "--slots-max", "4", "--clients-max", "4", "--connections-max", "200");
    command_expect (&c, 71);
    command_expect_error (&c, "the limit (RLIMIT_NOFILE) is 256: raise it (ulimit -n ");
    command_expect_error (&c,
                          "or have fewer connections (connections_max, slots_max, clients_max)");
    command_free (&c);
}

int main (void) {
#define TEST(name) cmocka_unit_test_setup_teardown (name, s_set_up, s_tear_down)
    const struct CMUnitTest tests[] = {
        TEST (strangers_who_say_nothing_keep_nobody_out),
        TEST (strangers_who_only_greet_keep_nobody_out),
        TEST (who_is_in_stays),
        TEST (when_all_who_may_are_in_who_comes_waits_until_one_leaves),
        TEST (the_same_over_ipc),
        TEST (the_file_of_an_endpoint_takes_nobody_while_it_is_full),
        TEST (more_connections_than_descriptors_are_status_71_with_what_to_do),
    };
    return !!cmocka_run_group_tests_name ("door", tests, command_folder_set_up,
                                          command_folder_tear_down);
}
