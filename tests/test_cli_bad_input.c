/* test_cli_bad_input.c - whatever a user or a peer may get wrong between processes: the exit status
 * of CONTRACT, and a message that says what is wrong, where, why, and what to do. */

#include <czmq.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "actors/clock.h"
#include "runtime/wire.h"
#include "tests/support/deployment.h"

#define PARTS   5
#define SOON_MS 3000 /* whoever has a wrong key, or speaks another version, is told within this */

/* Fails unless it ended with status and said all parts. */
static void s_expect (command_t *c, int status, const char *const *parts) {
    command_expect (c, status);
    for (int i = 0; i < PARTS && parts[i]; i++)
        command_expect_error (c, parts[i]);
    assert_string_equal (c->out, "");
    command_free (c);
}
#define EXPECT(c, status, ...) s_expect (c, status, (const char *const[PARTS]){__VA_ARGS__})

/* ---- Where a coordinator listens -------------------------------------------------------------- */

static void a_port_in_use_is_named_with_what_to_do (void **state) {
    deployment_t *f = *state;
    COORDINATE ("examples/pool.yaml", "--listen", LOOPBACK);
    command_t c = {0};
    COMMAND (&c, "coordinator", "examples/pool.yaml", "--listen", f->endpoint);
    EXPECT (&c, 64, "cannot listen on ", f->endpoint, "Address already in use",
            "choose another endpoint, or end the program");
    COMMAND (&c, "run", "examples/pool.yaml", "--listen", f->endpoint, "--input", "x");
    EXPECT (&c, 64, "cannot listen on ", f->endpoint, "Address already in use");
}

static bool s_is_of_another_transport (const char *endpoint) {
    return strstr (endpoint, "://") && strncmp (endpoint, "tcp:", 4) != 0 &&
           strncmp (endpoint, "ipc:", 4) != 0;
}

static void what_is_no_endpoint_to_listen_on_is_named_with_what_is_one (void **state) {
    (void) state;
    static const char *const endpoints[] = {"nonsense",
                                            "tcp://127.0.0.1",
                                            "tcp://127.0.0.1:65536",
                                            "tcp://127.0.0.1:http",
                                            "tcp://127.0.0.1:1;0.0.0.0:2",
                                            "ipc://",
                                            "inproc://x",
                                            "udp://127.0.0.1:5000",
                                            "pgm://eth0;239.0.0.1:5000",
                                            "vmci://1:1",
                                            "ws://127.0.0.1:5000"};
    for (size_t i = 0; i < sizeof endpoints / sizeof *endpoints; i++) {
        command_t c = {0};
        COMMAND (&c, "coordinator", "examples/pool.yaml", "--listen", endpoints[i]);
        EXPECT (&c, 64, endpoints[i], "is no endpoint to listen on",
                "write ipc://FILE or tcp://127.0.0.1:PORT",
                s_is_of_another_transport (endpoints[i]) ? "(its transport is not allowed)" : NULL);
    }
}

static void beyond_this_machine_nobody_listens_without_keys (void **state) {
    (void) state;
    static const char *const endpoints[] = {"tcp://*:*", "tcp://0.0.0.0:0", "tcp://[::]:5000",
                                            "tcp://localhost:*", "tcp://192.0.2.1:5000"};
    for (size_t i = 0; i < sizeof endpoints / sizeof *endpoints; i++) {
        command_t c = {0};
        COMMAND (&c, "coordinator", "examples/pool.yaml", "--listen", endpoints[i]);
        EXPECT (&c, 77, "cannot listen on", endpoints[i], "which other machines may reach",
                "without keys write ipc://FILE or tcp://127.0.0.1:PORT");
    }
}

/* ---- Where others connect --------------------------------------------------------------------- */

static const char *const s_commands[] = {"worker", "submit", "status"};
#define FOR_EACH_COMMAND(command)                                                 \
    for (const char *const *at = s_commands, *command = *at; at < s_commands + 3; \
         at++, command = at < s_commands + 3 ? *at : NULL)

static void what_is_no_endpoint_to_connect_to_is_named_with_what_is_one (void **state) {
    (void) state;
    static const char *const endpoints[] = {
        "nonsense",          "tcp://127.0.0.1",   "tcp://127.0.0.1:0x",  "tcp://127.0.0.1:0",
        "tcp://127.0.0.1:*", "udp://127.0.0.1:1", "inproc://coordinator"};
    FOR_EACH_COMMAND (command)
    for (size_t i = 0; i < sizeof endpoints / sizeof *endpoints; i++) {
        command_t c = {0};
        COMMAND (&c, command, "--connect", endpoints[i]);
        EXPECT (&c, 64, endpoints[i], "is no endpoint to connect to",
                "tcp://HOST:PORT, or ipc://FILE",
                i == 0                                     ? "(it names no transport)"
                : s_is_of_another_transport (endpoints[i]) ? "(its transport is not allowed)"
                                                           : "(it is not written like one)");
    }
}

static void a_rendezvous_file_that_cannot_be_used_is_named_with_why (void **state) {
    (void) state;
    const char *damaged = command_file ("damaged-meet", "garbage\n");
    const char *open = command_file ("open-meet", "tcp://127.0.0.1:1\n");
    const char *stale = command_file ("stale-meet", "tcp://127.0.0.1:1\n");
    const char *foreign = command_file ("foreign-meet", "tcp://127.0.0.1:1\n");
    const char *link_file = command_path ("link-meet");
    assert_int_equal (chmod (open, 0666), 0);
    assert_int_equal (symlink (stale, link_file), 0);
    FOR_EACH_COMMAND (command) {
        command_t c = {0};
        COMMAND (&c, command, "--rendezvous", command_path ("missing-meet"), "--timeout", "0.2");
        EXPECT (&c, 69, "missing-meet did not come within 0.2 s", "is there a coordinator");
        COMMAND (&c, command, "--rendezvous", damaged);
        EXPECT (&c, 65, damaged, "is no rendezvous file", "tcp://HOST:PORT or ipc://FILE");
        COMMAND (&c, command, "--rendezvous", open);
        EXPECT (&c, 66, open, "others may write it");
        COMMAND (&c, command, "--rendezvous", link_file);
        EXPECT (&c, 66, link_file, "symbolic link");
        COMMAND (&c, command, "--rendezvous", stale, "--timeout", "0.3");
        EXPECT (&c, 69, "nobody answers at tcp://127.0.0.1:1", "is the coordinator running there?",
                stale, "a coordinator that was killed leaves its file behind");
        if (geteuid () == 0) {
            assert_int_equal (chown (foreign, 65534, 65534), 0);
            COMMAND (&c, command, "--rendezvous", foreign);
            EXPECT (&c, 66, foreign, "own");
        }
    }
    if (geteuid () != 0)
        print_message ("skipped: only root can give a file away\n");
}

/* ---- Keys ------------------------------------------------------------------------------------- */

typedef struct keys_t {
    const char *coordinator, *worker, *client, *stranger;
    char server[300], other_server[300], folder[256];
} keys_t;

static void s_make_keys (keys_t *self) {
    char worker[128], client[128], other[128], list[512];
    self->coordinator = deployment_keygen ("coordinator.key", "worker", other);
    self->worker = deployment_keygen ("worker.key", "worker", worker);
    self->client = deployment_keygen ("client.key", "client", client);
    self->stranger = deployment_keygen ("stranger.key", "client", other);
    snprintf (list, sizeof list, "%s%s", worker, client);
    (void) command_file ("allowed", list);
    snprintf (self->server, sizeof self->server, "%s.pub", self->coordinator);
    snprintf (self->other_server, sizeof self->other_server, "%s.pub", self->stranger);
    snprintf (self->folder, sizeof self->folder, "%.*s",
              (int) (strrchr (self->coordinator, '/') - self->coordinator), self->coordinator);
}

static void s_expect_soon (const char *const *words, int status, const char *const *parts) {
    command_t c = {0};
    int64_t begin_ns = dw_clock_ns ();
    command_run (&c, words);
    int64_t ms = (dw_clock_ns () - begin_ns) / 1000000;
    s_expect (&c, status, parts);
    if (ms > SOON_MS)
        fail_msg ("%s said so after %d ms", words[0], (int) ms);
    printf ("%s: %d ms, status %d\n", words[0], (int) ms, status);
}

static void wrong_keys_are_told_in_time_with_what_to_do (void **state) {
    deployment_t *f = *state;
    keys_t keys;
    s_make_keys (&keys);
    COORDINATE ("examples/pool.yaml", "--listen", LOOPBACK, "--keys", keys.folder);
    FOR_EACH_COMMAND (command) {
        const char *own = strcmp (command, "worker") == 0 ? keys.worker : keys.client;
        const char *other = strcmp (command, "worker") == 0 ? keys.client : keys.worker;
        s_expect_soon ((const char *const[]){command, "--connect", f->endpoint, "--key",
                                             keys.stranger, "--server-key", keys.server, NULL},
                       77,
                       (const char *const[PARTS]){f->endpoint, "does not let this key in",
                                                  "have the public key added to the coordinator's "
                                                  "list of allowed keys"});
        s_expect_soon ((const char *const[]){command, "--connect", f->endpoint, NULL}, 77,
                       (const char *const[PARTS]){f->endpoint, "wants a key and none was given",
                                                  "dagwood keygen"});
        s_expect_soon ((const char *const[]){command, "--connect", f->endpoint, "--key", own,
                                             "--server-key", keys.other_server, NULL},
                       77,
                       (const char *const[PARTS]){
                           f->endpoint, "check that the server key is that of the coordinator"});
        s_expect_soon ((const char *const[]){command, "--connect", f->endpoint, "--key", other,
                                             "--server-key", keys.server, NULL},
                       77,
                       (const char *const[PARTS]){"the coordinator refused",
                                                  "this key is not listed in that role"});
    }
}

static void a_monitor_that_submits_is_told_that_it_may_not (void **state) {
    deployment_t *f = *state;
    keys_t keys;
    char line[128];
    s_make_keys (&keys);
    const char *monitor = deployment_keygen ("monitor.key", "monitor", line);
    (void) command_file ("allowed", line);
    COORDINATE ("examples/pool.yaml", "--listen", LOOPBACK, "--keys", keys.folder);
    command_t c = {0};
    COMMAND (&c, "submit", "--connect", f->endpoint, "--key", monitor, "--server-key", keys.server);
    EXPECT (&c, 77, "the coordinator refused: the key is a monitor's, which may not submit",
            "the run has no result: a key is missing or refused");
}

static void key_files_that_cannot_be_used_are_named_with_why (void **state) {
    deployment_t *f = *state;
    keys_t keys;
    s_make_keys (&keys);
    command_t c = {0};
    assert_int_equal (chmod (keys.client, 0644), 0);
    FOR_EACH_COMMAND (command) {
        COMMAND (&c, command, "--connect", "tcp://127.0.0.1:1", "--key", keys.client,
                 "--server-key", keys.server);
        EXPECT (&c, 77, keys.client, "chmod");
        COMMAND (&c, command, "--connect", "tcp://127.0.0.1:1", "--key", "/no/such/key",
                 "--server-key", keys.server);
        EXPECT (&c, 77, "/no/such/key");
    }
    assert_int_equal (chmod (keys.client, 0600), 0);
    assert_int_equal (chmod (keys.coordinator, 0640), 0);
    COMMAND (&c, "coordinator", "examples/pool.yaml", "--listen", LOOPBACK, "--keys", keys.folder);
    EXPECT (&c, 77, keys.coordinator, "chmod");
    assert_int_equal (chmod (keys.coordinator, 0600), 0);
    (void) command_file ("allowed", "worker nonsense a\n");
    COMMAND (&c, "coordinator", "examples/pool.yaml", "--listen", LOOPBACK, "--keys", keys.folder);
    EXPECT (&c, 77, "allowed:1:");
    (void) f;
}

/* ---- Older and newer peers -------------------------------------------------------------------- */

/* A coordinator of other versions: whatever it is told first it refuses with its text. */
typedef struct other_t {
    pthread_t thread;
    void *router;
    char endpoint[64];
    const char *text;
    atomic_bool is_over;
} other_t;

static void *s_refuse_all (void *args) {
    other_t *self = args;
    uint8_t id[256], head[4096];
    dw_writer_t refused = {0};
    dw_write_uint (&refused, DW_WIRE_REFUSED);
    dw_write_uint (&refused, 400);
    dw_write_str (&refused, self->text, strlen (self->text));
    dw_write_uint (&refused, 0);
    while (!atomic_load (&self->is_over)) {
        zmq_pollitem_t item = {.socket = self->router, .events = ZMQ_POLLIN};
        if (zmq_poll (&item, 1, 10) <= 0)
            continue;
        int id_size = zmq_recv (self->router, id, sizeof id, 0);
        (void) zmq_recv (self->router, head, sizeof head, 0);
        zmq_send (self->router, id, (size_t) id_size, ZMQ_SNDMORE);
        zmq_send (self->router, refused.bytes, refused.count, 0);
    }
    dw_writer_free (&refused);
    return NULL;
}

static void s_expect_told_both_versions (const char *text) {
    void *context = zmq_ctx_new ();
    other_t other = {.router = zmq_socket (context, ZMQ_ROUTER), .text = text};
    size_t size = sizeof other.endpoint;
    int linger_ms = 0;
    zmq_setsockopt (other.router, ZMQ_LINGER, &linger_ms, sizeof linger_ms);
    assert_int_equal (zmq_bind (other.router, LOOPBACK), 0);
    assert_int_equal (zmq_getsockopt (other.router, ZMQ_LAST_ENDPOINT, other.endpoint, &size), 0);
    assert_int_equal (pthread_create (&other.thread, NULL, s_refuse_all, &other), 0);
    FOR_EACH_COMMAND (command)
    s_expect_soon ((const char *const[]){command, "--connect", other.endpoint, NULL}, 76,
                   (const char *const[PARTS]){"the coordinator refused", text});
    atomic_store (&other.is_over, true);
    pthread_join (other.thread, NULL);
    zmq_close (other.router);
    zmq_ctx_term (context);
}

static void an_older_and_a_newer_coordinator_are_told_with_both_versions (void **state) {
    (void) state;
    s_expect_told_both_versions ("protocol version 2 is spoken here, not 3");
    s_expect_told_both_versions ("protocol version 4 to 6 is spoken here, not 3");
}

/* ---- Workers and graphs that do not fit ------------------------------------------------------- */

static void a_worker_without_processors_is_told_what_there_is (void **state) {
    (void) state;
    static const char *const lists[] = {"", ",", "identity,"};
    for (size_t i = 0; i < sizeof lists / sizeof *lists; i++) {
        command_t c = {0};
        COMMAND (&c, "worker", "--connect", "tcp://127.0.0.1:1", "--processors", lists[i]);
        EXPECT (&c, 64, "there is no processor \"\"", "`dagwood processors' lists all");
    }
}

static void a_worker_that_lacks_a_processor_of_the_graph_is_told_which (void **state) {
    deployment_t *f = *state;
    COORDINATE ("examples/text_pipeline.yaml", "--listen", LOOPBACK);
    command_t c = {0};
    COMMAND (&c, "worker", "--connect", f->endpoint, "--processors", "identity,reverse_text");
    EXPECT (&c, 78, "change_text_case_upper");
}

int main (void) {
#define TEST(name) cmocka_unit_test_setup_teardown (name, deployment_set_up, deployment_tear_down)
    const struct CMUnitTest tests[] = {
        TEST (a_port_in_use_is_named_with_what_to_do),
        TEST (what_is_no_endpoint_to_listen_on_is_named_with_what_is_one),
        TEST (beyond_this_machine_nobody_listens_without_keys),
        TEST (what_is_no_endpoint_to_connect_to_is_named_with_what_is_one),
        TEST (a_rendezvous_file_that_cannot_be_used_is_named_with_why),
        TEST (wrong_keys_are_told_in_time_with_what_to_do),
        TEST (a_monitor_that_submits_is_told_that_it_may_not),
        TEST (key_files_that_cannot_be_used_are_named_with_why),
        TEST (an_older_and_a_newer_coordinator_are_told_with_both_versions),
        TEST (a_worker_without_processors_is_told_what_there_is),
        TEST (a_worker_that_lacks_a_processor_of_the_graph_is_told_which),
    };
    return !!cmocka_run_group_tests_name ("bad input between processes", tests,
                                          command_folder_set_up, command_folder_tear_down);
}
