/* test_net_keys.c - a listening system and whoever comes to it, with every kind of key. */

#include <arpa/inet.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "actors/clock.h"
#include "actors/link.h"
#include "tests/support/net.h"
#include "tests/support/raw_peer.h"

static const dw_system_options_t s_elsewhere = {.no_actors = true};

/* ---- Let in ----------------------------------------------------------------------------------- */

static void whose_keys_are_listed_work (void **state) {
    net_t *net = *state;
    net_make_keys (net);
    gate_open (net->gate);
    net_open (net, &s_elsewhere, true);
    dw_agent_t *agent = net_agent (net, "worker", 2, 0);
    dw_client_t *client = net_client (net, "client");
    for (int i = 0; i < 20; i++)
        net_run (net, client);
    dw_client_destroy (&client);
    assert_int_equal (dw_agent_close (&agent, -1, net->error), DW_OK);
}

static void a_monitor_asks_and_may_not_submit (void **state) {
    net_t *net = *state;
    net_make_keys (net);
    net_open (net, &s_elsewhere, true);
    dw_client_t *monitor = net_client (net, "monitor");
    dw_status_t *status = net_status (monitor);
    assert_string_equal (status->graph, "graph");
    assert_int_equal (status->nodes_count, 3);
    dw_status_destroy (&status);
    dw_result_t *result = NULL;
    assert_int_equal (dw_client_run_text (monitor, "x", &result, net->error), DW_EKEY);
    assert_non_null (strstr (dw_error_text (net->error), "a key is missing or refused"));
    status = net_status (monitor); /* it is still there */
    assert_int_equal (status->runs_in_flight, 0);
    dw_status_destroy (&status);
    dw_client_destroy (&monitor);
}

static void two_systems_of_one_process_have_keys_of_their_own (void **state) {
    net_t *net = *state, *other;
    void *other_state = NULL;
    assert_int_equal (net_setup (&other_state), 0);
    other = other_state;
    net_make_keys (net);
    net_make_keys (other);
    gate_open (net->gate);
    gate_open (other->gate);
    net_open (net, &s_elsewhere, true);
    net_open (other, &s_elsewhere, true);
    dw_agent_t *agents[] = {net_agent (net, "worker", 1, 0), net_agent (other, "worker", 1, 0)};
    dw_client_t *clients[] = {net_client (net, "client"), net_client (other, "client")};
    net_run (net, clients[0]);
    net_run (other, clients[1]);
    dw_connect_options_t crossed = net_connect (net, "client");
    crossed.endpoint = other->endpoint;
    net_expect_no_client (net, &crossed, DW_EKEY, "does not let this key in");
    crossed.server_key = net_file (other, "coordinator.key.pub");
    net_expect_no_client (net, &crossed, DW_EKEY, "list of allowed keys");
    for (int i = 0; i < 2; i++) {
        dw_client_destroy (&clients[i]);
        assert_int_equal (dw_agent_close (&agents[i], -1, net->error), DW_OK);
    }
    assert_int_equal (net_teardown (&other_state), 0);
}

static void a_system_with_keys_has_actors_of_its_own_too (void **state) {
    net_t *net = *state;
    net_make_keys (net);
    gate_open (net->gate);
    net_open (net, &(dw_system_options_t){.endpoint = NULL}, true);
    dw_client_t *client = net_client (net, "client"), *inside = NULL;
    net_run (net, client);
    assert_int_equal (dw_client_new (&inside, net->system, net->error), DW_OK);
    net_run (net, inside);
    dw_client_destroy (&inside);
    dw_client_destroy (&client);
}

/* ---- Kept out --------------------------------------------------------------------------------- */

static void whose_key_is_not_listed_is_told_what_to_do (void **state) {
    net_t *net = *state;
    net_make_keys (net);
    net_open (net, &s_elsewhere, true);
    dw_connect_options_t connect = net_connect (net, "stranger");
    net_expect_no_agent (net, &connect, DW_EKEY, "have the public key added");
    net_expect_no_client (net, &connect, DW_EKEY, "have the public key added");
}

static void who_has_no_key_is_told_to_make_one (void **state) {
    net_t *net = *state;
    net_make_keys (net);
    net_open (net, &s_elsewhere, true);
    dw_connect_options_t connect = net_connect (net, NULL);
    net_expect_no_agent (net, &connect, DW_EKEY, "dagwood keygen");
    net_expect_no_client (net, &connect, DW_EKEY, "dagwood keygen");
}

/* Whoever stands still behind connecting may find his connection gone when he says HELLO. */
static int s_say_nothing (void *arg) {
    (void) arg;
    return DW_EAGAIN;
}

static void who_was_refused_before_it_said_hello_is_told_of_the_key (void **state) {
    net_t *net = *state;
    net_make_keys (net);
    net_open (net, &s_elsewhere, true);
    void *context = zmq_ctx_new ();
    dw_link_t link = {0};
    dw_link_keys_t none = {0};
    dw_link_stop_t stop = {0};
    dw_link_greeting_t greeting = {.context = context,
                                   .endpoint = net->endpoint,
                                   .keys = &none,
                                   .deadline_ns = dw_clock_ns () + INT64_C (20000000000),
                                   .stop = &stop,
                                   .say_hello = s_say_nothing};
    assert_int_equal (dw_link_greet (&link, &greeting, net->error), DW_EKEY);
    expect_message (net->error, "wants a key and none was given");
    dw_link_close (&link);
    zmq_ctx_term (context);
}

static void who_has_keys_is_not_served_by_a_coordinator_without (void **state) {
    net_t *net = *state;
    net_make_keys (net);
    net_open (net, &s_elsewhere, false);
    dw_connect_options_t connect = net_connect (net, "client");
    net_expect_no_client (net, &connect, DW_EKEY, "no keys at all");
    connect = net_connect (net, "worker");
    net_expect_no_agent (net, &connect, DW_EKEY, "no keys at all");
}

static void who_expects_another_coordinator_is_not_served (void **state) {
    net_t *net = *state;
    net_make_keys (net);
    net_open (net, &s_elsewhere, true);
    dw_connect_options_t connect = net_connect (net, "client");
    connect.server_key = net_file (net, "stranger.pub");
    net_expect_no_client (net, &connect, DW_EKEY, "server key");
    connect = net_connect (net, "worker");
    connect.server_key = net_file (net, "stranger.pub");
    net_expect_no_agent (net, &connect, DW_EKEY, "server key");
}

static void a_key_is_of_use_in_its_own_role_alone (void **state) {
    net_t *net = *state;
    net_make_keys (net);
    net_open (net, &s_elsewhere, true);
    dw_connect_options_t connect = net_connect (net, "worker");
    net_expect_no_client (net, &connect, DW_EKEY, "not listed in that role");
    connect = net_connect (net, "client");
    net_expect_no_agent (net, &connect, DW_EKEY, "not listed in that role");
    connect = net_connect (net, "monitor");
    net_expect_no_agent (net, &connect, DW_EKEY, "not listed in that role");
}

static void where_nobody_listens_is_not_a_matter_of_keys (void **state) {
    net_t *net = *state;
    net_make_keys (net);
    dw_connect_options_t connect = net_connect (net, "client");
    connect.endpoint = "tcp://127.0.0.1:1";
    connect.timeout_ms = 300;
    net_expect_no_client (net, &connect, DW_ENOBODY, "is the coordinator running there?");
    net_expect_no_agent (net, &connect, DW_ENOBODY, "is the coordinator running there?");
}

/* A port at which the first so many that come are hung up on in the middle of their greeting, and
 * then nobody listens. */
typedef struct s_dying_t {
    pthread_t thread;
    int fd;
    int count;
} s_dying_t;

static void *s_die (void *args) {
    s_dying_t *self = args;
    char greeting[10];
    for (int i = 0; i < self->count; i++) {
        int fd = accept (self->fd, NULL, NULL);
        if (recv (fd, greeting, sizeof greeting, MSG_WAITALL) < 0)
            perror ("recv");
        close (fd);
    }
    close (self->fd);
    return NULL;
}

static s_dying_t s_listen_and_die (net_t *net, int count) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr = {htonl (INADDR_LOOPBACK)}};
    socklen_t size = sizeof address;
    s_dying_t self = {.fd = socket (AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), .count = count};
    assert_int_equal (bind (self.fd, (struct sockaddr *) &address, size), 0);
    assert_int_equal (listen (self.fd, 1), 0);
    assert_int_equal (getsockname (self.fd, (struct sockaddr *) &address, &size), 0);
    snprintf (net->endpoint, sizeof net->endpoint, "tcp://127.0.0.1:%u", ntohs (address.sin_port));
    return self;
}

static void a_coordinator_that_dies_in_a_handshake_is_gone_and_has_refused_nobody (void **state) {
    net_t *net = *state;
    net_make_keys (net);
    static const int errors[] = {DW_ENOBODY, DW_EKEY}; /* once, and again and again */
    static const char *const parts[] = {"nobody answers", "server key"};
    for (int i = 0; i < 2; i++) {
        s_dying_t dying = s_listen_and_die (net, 1 + 4 * i);
        assert_int_equal (pthread_create (&dying.thread, NULL, s_die, &dying), 0);
        dw_connect_options_t connect = net_connect (net, "client");
        net_expect_no_client (net, &connect, errors[i], parts[i]);
        pthread_join (dying.thread, NULL);
    }
}

static void what_is_no_endpoint_for_another_process_is_said_at_once (void **state) {
    static const char *const endpoints[] = {
        "",          "nonsense",        "inproc://x",        "udp://127.0.0.1:1",
        "tcp://",    "tcp://127.0.0.1", "tcp://127.0.0.1:x", "pgm://a:1",
        "vmci://1:1"};
    net_t *net = *state;
    for (size_t i = 0; i < sizeof endpoints / sizeof *endpoints; i++) {
        dw_connect_options_t connect = {.endpoint = endpoints[i], .timeout_ms = 100};
        net_expect_no_client (net, &connect, DW_EINVAL, "is no endpoint to connect to");
        net_expect_no_agent (net, &connect, DW_EINVAL, "is no endpoint to connect to");
    }
}

/* ---- Files ------------------------------------------------------------------------------------ */

static void key_files_that_others_may_read_are_not_used (void **state) {
    net_t *net = *state;
    net_make_keys (net);
    net_open (net, &s_elsewhere, true);
    dw_connect_options_t connect = net_connect (net, "client");
    assert_int_equal (chmod (connect.key, 0644), 0);
    net_expect_no_client (net, &connect, DW_EKEY, "chmod");
    net_expect_no_agent (net, &connect, DW_EKEY, "chmod");
    assert_int_equal (chmod (connect.key, 0600), 0);
    assert_int_equal (chmod (connect.server_key, 0666), 0);
    net_expect_no_client (net, &connect, DW_EKEY, "coordinator.key.pub");
    assert_int_equal (chmod (connect.server_key, 0644), 0);
    connect.server_key = NULL;
    net_expect_no_client (net, &connect, DW_EKEY, "keys come in twos");
    connect = net_connect (net, "nothing");
    net_expect_no_client (net, &connect, DW_EKEY, "nothing");
}

static void s_expect_not_opened (net_t *net, bool has_keys, int err, const char *part) {
    assert_int_equal (net_try_open (net, &s_elsewhere, has_keys), err);
    assert_null (net->system);
    if (!strstr (dw_error_text (net->error), part))
        fail_msg ("\"%s\" is not in: %s", part, dw_error_text (net->error));
    dw_error_destroy (&net->error);
    net->error = dw_error_new ();
}

static void a_coordinator_whose_files_are_not_right_does_not_open (void **state) {
    net_t *net = *state;
    s_expect_not_opened (net, true, DW_EKEY, "coordinator.key");
    net_make_keys (net);
    assert_int_equal (chmod (net_file (net, "coordinator.key"), 0640), 0);
    s_expect_not_opened (net, true, DW_EKEY, "coordinator.key");
    assert_int_equal (chmod (net_file (net, "coordinator.key"), 0600), 0);
    assert_int_equal (chmod (net_file (net, "allowed"), 0622), 0);
    s_expect_not_opened (net, true, DW_EKEY, "allowed");
    assert_int_equal (unlink (net_file (net, "allowed")), 0);
    s_expect_not_opened (net, true, DW_EKEY, "allowed");
    net_allow (net, "wcm");
    assert_int_equal (chmod (net->folder, 0777), 0);
    s_expect_not_opened (net, true, DW_EKEY, net->folder);
    assert_int_equal (chmod (net->folder, 0700), 0);
    assert_int_equal (unlink (net_file (net, "coordinator.key")), 0);
    s_expect_not_opened (net, true, DW_EKEY, "coordinator.key");
}

static void beyond_this_machine_it_listens_with_keys_alone (void **state) {
    static const char *const endpoints[] = {"tcp://0.0.0.0:*", "tcp://*:*", "tcp://[::]:*",
                                            "tcp://localhost:*"};
    net_t *net = *state;
    net_make_keys (net);
    gate_open (net->gate);
    for (size_t i = 0; i < sizeof endpoints / sizeof *endpoints; i++) {
        snprintf (net->endpoint, sizeof net->endpoint, "%s", endpoints[i]);
        s_expect_not_opened (net, false, DW_EKEY, "without keys");
    }
    for (size_t i = 0; i < 2; i++) {
        snprintf (net->endpoint, sizeof net->endpoint, "%s", endpoints[i]);
        net_open (net, &(dw_system_options_t){.no_actors = false}, true);
        char near[128];
        snprintf (near, sizeof near, "tcp://127.0.0.1%s", strrchr (net->endpoint, ':'));
        snprintf (net->endpoint, sizeof net->endpoint, "%s", near);
        dw_client_t *client = net_client (net, "client");
        net_run (net, client);
        dw_client_destroy (&client);
        dw_connect_options_t connect = net_connect (net, "stranger");
        net_expect_no_client (net, &connect, DW_EKEY, "does not let this key in");
        assert_int_equal (dw_system_close (&net->system, -1, net->error), DW_OK);
    }
}

/* ---- Revoked ---------------------------------------------------------------------------------- */

static void a_worker_that_is_taken_off_the_list_is_out_and_its_tasks_go_to_another (void **state) {
    net_t *net = *state;
    net_make_keys (net);
    net_make_key (net, "second");
    net_open (net, &s_elsewhere, true);
    dw_agent_t *agent = net_agent (net, "worker", 2, -1);
    dw_client_t *client = net_client (net, "client");
    dw_submission_t submission = {.payload = "hello", .size = 5, .is_text = true};
    uint64_t run;
    assert_int_equal (dw_client_submit (client, &submission, &run, net->error), DW_OK);
    assert_true (gate_wait_entered (net->gate, 1));

    /* Its key is replaced by another one of the same role. */
    assert_int_equal (rename (net_file (net, "worker.pub"), net_file (net, "old.pub")), 0);
    assert_int_equal (rename (net_file (net, "second.pub"), net_file (net, "worker.pub")), 0);
    net_allow (net, "wcm");
    dw_system_reload_keys (net->system);
    net_expect_notice (net, "was taken off the list: it is out");
    assert_int_equal (dw_agent_wait (agent, 5000), DW_EKEY);
    dw_status_t *status = net_status (client);
    assert_int_equal (status->workers_count, 0);
    assert_int_equal (status->runs_in_flight, 1);
    assert_int_equal (status->lost, 1);
    dw_status_destroy (&status);

    dw_connect_options_t connect = net_connect (net, "worker");
    net_expect_no_agent (net, &connect, DW_EKEY, "does not let this key in");
    dw_agent_t *second = net_agent (net, "second", 1, 0);
    assert_true (gate_wait_entered (net->gate, 2));
    gate_open (net->gate);
    dw_result_t *result = NULL;
    assert_int_equal (dw_client_wait (client, run, 10000, &result), DW_OK);
    assert_int_equal (dw_result_status (result), DW_RUN_OK);
    assert_int_equal (dw_result_attempts (result, dw_result_find (result, "gate")), 2);
    dw_result_destroy (&result);
    net_run (net, client);
    dw_client_destroy (&client);
    assert_int_equal (dw_agent_close (&agent, -1, net->error), DW_OK);
    assert_int_equal (dw_agent_close (&second, -1, net->error), DW_OK);
}

static void a_client_that_is_taken_off_the_list_is_out_and_its_runs_are_cancelled (void **state) {
    net_t *net = *state;
    net_make_keys (net);
    net_open (net, &s_elsewhere, true);
    dw_agent_t *agent = net_agent (net, "worker", 1, 0);
    dw_client_t *client = net_client (net, "client"), *monitor = net_client (net, "monitor");
    dw_submission_t submission = {.payload = "hello", .size = 5, .is_text = true};
    uint64_t run;
    assert_int_equal (dw_client_submit (client, &submission, &run, net->error), DW_OK);
    assert_true (gate_wait_entered (net->gate, 1));
    net_allow (net, "wm");
    dw_system_reload_keys (net->system);
    dw_result_t *result = NULL;
    assert_int_equal (dw_client_wait (client, run, 5000, &result), DW_EKEY);
    assert_int_equal (dw_client_wait (client, run, 5000, &result), DW_EKEY); /* for ever */
    assert_int_equal (dw_client_submit (client, &submission, &run, net->error), DW_EKEY);
    assert_true (gate_wait_left (net->gate, 1)); /* it was cancelled */
    dw_status_t *status = NULL;
    for (int i = 0; i < 100 && (!status || status->runs_cancelled == 0); i++) {
        dw_status_destroy (&status);
        usleep (20000);
        status = net_status (monitor);
    }
    assert_int_equal (status->runs_cancelled, 1);
    assert_int_equal (status->clients_count, 1);
    dw_status_destroy (&status);
    dw_connect_options_t connect = net_connect (net, "client");
    net_expect_no_client (net, &connect, DW_EKEY, "does not let this key in");
    dw_client_destroy (&client);
    dw_client_destroy (&monitor);
    assert_int_equal (dw_agent_close (&agent, -1, net->error), DW_OK);
}

/* A peer that hears that it is out, and stays and says nothing. */
static void who_is_out_and_does_not_go_is_cut_off (void **state) {
    static const uint8_t no_token[DW_WIRE_TOKEN_SIZE];
    net_t *net = *state;
    net_make_keys (net);
    net_open (net, &s_elsewhere, true);
    raw_peer_t raw = raw_peer_connect_to (net->endpoint, net_file (net, "client"),
                                          net_file (net, "coordinator.key.pub"));
    void *events = zmq_socket (raw.context, ZMQ_PAIR);
    assert_int_equal (zmq_socket_monitor (raw.socket, "inproc://events", ZMQ_EVENT_DISCONNECTED),
                      0);
    assert_int_equal (zmq_connect (events, "inproc://events"), 0);
    raw_peer_say_hello (&raw, DW_WIRE_VERSION, DW_WIRE_CLIENT, no_token, 0);
    assert_int_equal (raw_peer_receive (&raw), DW_WIRE_WELCOME);
    net_allow (net, "wm");
    dw_system_reload_keys (net->system);
    raw_peer_expect_refused (&raw, 403, "was taken off the list");
    zmq_pollitem_t item = {.socket = events, .events = ZMQ_POLLIN};
    assert_int_equal (zmq_poll (&item, 1, 5000), 1);
    zmq_socket_monitor (raw.socket, NULL, 0);
    zmq_close (events);
    raw_peer_disconnect (&raw);
}

static void a_broken_list_leaves_the_old_one_in_force (void **state) {
    net_t *net = *state;
    net_make_keys (net);
    gate_open (net->gate);
    net_open (net, &s_elsewhere, true);
    dw_agent_t *agent = net_agent (net, "worker", 1, 0);
    dw_client_t *client = net_client (net, "client");
    FILE *list = fopen (net_file (net, "allowed"), "w");
    fprintf (list, "worker nonsense a\nclient nonsense b\n");
    fclose (list);
    dw_system_reload_keys (net->system);
    net_expect_notice (net, "the allow-list stays as it was");
    net_run (net, client);
    dw_client_t *late = net_client (net, "client");
    net_run (net, late);
    dw_client_destroy (&late);
    dw_connect_options_t connect = net_connect (net, "stranger");
    net_expect_no_client (net, &connect, DW_EKEY, "does not let this key in");
    net_allow (net, "wc");
    dw_system_reload_keys (net->system);
    net_expect_notice (net, "the allow-list was read: 2 entries");
    net_run (net, client);
    connect = net_connect (net, "monitor");
    net_expect_no_client (net, &connect, DW_EKEY, "does not let this key in");
    dw_client_destroy (&client);
    assert_int_equal (dw_agent_close (&agent, -1, net->error), DW_OK);
}

static void without_keys_there_is_no_list_to_be_read (void **state) {
    net_t *net = *state;
    net_open (net, &s_elsewhere, false);
    dw_system_reload_keys (net->system);
    net_expect_notice (net, "the system has no keys");
}

int main (void) {
#define TEST(name) cmocka_unit_test_setup_teardown (name, net_setup, net_teardown)
    const struct CMUnitTest tests[] = {
        TEST (whose_keys_are_listed_work),
        TEST (a_monitor_asks_and_may_not_submit),
        TEST (two_systems_of_one_process_have_keys_of_their_own),
        TEST (a_system_with_keys_has_actors_of_its_own_too),
        TEST (whose_key_is_not_listed_is_told_what_to_do),
        TEST (who_has_no_key_is_told_to_make_one),
        TEST (who_was_refused_before_it_said_hello_is_told_of_the_key),
        TEST (who_has_keys_is_not_served_by_a_coordinator_without),
        TEST (who_expects_another_coordinator_is_not_served),
        TEST (a_key_is_of_use_in_its_own_role_alone),
        TEST (where_nobody_listens_is_not_a_matter_of_keys),
        TEST (a_coordinator_that_dies_in_a_handshake_is_gone_and_has_refused_nobody),
        TEST (what_is_no_endpoint_for_another_process_is_said_at_once),
        TEST (key_files_that_others_may_read_are_not_used),
        TEST (a_coordinator_whose_files_are_not_right_does_not_open),
        TEST (beyond_this_machine_it_listens_with_keys_alone),
        TEST (a_worker_that_is_taken_off_the_list_is_out_and_its_tasks_go_to_another),
        TEST (a_client_that_is_taken_off_the_list_is_out_and_its_runs_are_cancelled),
        TEST (who_is_out_and_does_not_go_is_cut_off),
        TEST (a_broken_list_leaves_the_old_one_in_force),
        TEST (without_keys_there_is_no_list_to_be_read),
    };
    return !!cmocka_run_group_tests_name ("net_keys", tests, NULL, NULL);
}
