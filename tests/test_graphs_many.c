/* test_graphs_many.c - who asks where a graph is, and what may be answered. */

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support/net.h"
#include "tests/support/process.h"
#include "tests/support/random.h"
#include "tests/support/raw_peer.h"

/* ---- The coordinator -------------------------------------------------------------------------- */

static void s_ask (raw_peer_t *raw, const char *name, size_t size) {
    dw_write_uint (&raw->out.head, DW_WIRE_WHERE);
    dw_write_str (&raw->out.head, name, size);
    raw_peer_send (raw);
}

static void whoever_asks_is_told_before_it_says_who_it_is (void **state) {
    net_t *net = *state;
    net_open (net, &(dw_system_options_t){.name = "first"}, false);
    raw_peer_t raw = raw_peer_connect_to (net->endpoint, NULL, NULL);
    s_ask (&raw, "first", 5);
    assert_int_equal (raw_peer_receive (&raw), DW_WIRE_MOVED);
    assert_int_equal (dw_read_uint (&raw.reader), 0);
    assert_int_equal (dw_read_array (&raw.reader), 1);
    s_ask (&raw, "second", 6);
    assert_int_equal (raw_peer_receive (&raw), DW_WIRE_MOVED);
    assert_true (dw_read_nil (&raw.reader));
    raw_peer_disconnect (&raw);
}

static void what_asks_for_no_graph_is_refused (void **state) {
    net_t *net = *state;
    static char name[70000];
    net_open (net, &(dw_system_options_t){0}, false);
    raw_peer_t raw = raw_peer_connect_to (net->endpoint, NULL, NULL);
    memset (name, 'x', sizeof name);
    s_ask (&raw, name, 256);
    raw_peer_expect_refused (&raw, 400, "asks for no graph");
    s_ask (&raw, name, sizeof name);
    raw_peer_expect_refused (&raw, 400, "asks for no graph");
    dw_write_uint (&raw.out.head, DW_WIRE_WHERE);
    raw_peer_send (&raw);
    raw_peer_expect_refused (&raw, 400, "asks for no graph");
    dw_write_uint (&raw.out.head, DW_WIRE_REFER); /* which is the owner's to say */
    dw_write_array (&raw.out.head, 0);
    raw_peer_send (&raw);
    random_t random = random_from (3);
    for (int i = 0; i < 2000; i++)
        raw_peer_send_garbage (&raw, &random);
    raw_peer_disconnect (&raw);
    dw_client_t *client = net_client (net, NULL);
    gate_open (net->gate);
    net_run (net, client);
    dw_client_destroy (&client);
}

/* ---- Systems that refer to each other --------------------------------------------------------- */

static dw_system_t *s_open_other (net_t *net, const char *name, const char *listen) {
    dw_system_t *system = NULL;
    dw_system_options_t options = {.listen = listen, .name = name, .processors = net->processors};
    if (dw_system_open (&system, net->graph, &options, net->error))
        fail_msg ("%s", dw_error_text (net->error));
    return system;
}

static void a_client_and_an_agent_follow_where_they_are_sent (void **state) {
    net_t *net = *state;
    char **names = NULL;
    size_t count = 0;
    gate_open (net->gate);
    net_open (net, &(dw_system_options_t){.name = "first"}, false);
    dw_system_t *others[] = {s_open_other (net, "second", "tcp://127.0.0.1:*"),
                             s_open_other (net, "third", "tcp://127.0.0.1:*")};
    assert_int_equal (dw_system_refer (net->system, others, 2, net->error), DW_OK);
    dw_connect_options_t options = {.endpoint = net->endpoint};
    assert_int_equal (dw_graph_names (&options, &names, &count, net->error), DW_OK);
    assert_int_equal (count, 3);
    for (size_t i = 0; i < 3; i++) {
        dw_client_t *client = NULL;
        dw_agent_t *agent = NULL;
        options.graph = names[i];
        assert_int_equal (dw_client_connect (&client, &options, net->error), DW_OK);
        dw_agent_options_t agent_options = {
            .coordinator = options, .processors = net->processors, .slots = 1};
        assert_int_equal (dw_agent_open (&agent, &agent_options, net->error), DW_OK);
        dw_status_t *status = net_status (client);
        assert_string_equal (status->graph, names[i]);
        assert_int_equal (status->workers_count, 2); /* its own actors, and the agent */
        dw_status_destroy (&status);
        net_run (net, client);
        dw_client_destroy (&client);
        assert_int_equal (dw_agent_close (&agent, -1, net->error), DW_OK);
    }
    dw_graph_names_free (&names, count);
    assert_int_equal (dw_system_close (&others[0], -1, net->error), DW_OK);
    assert_int_equal (dw_system_close (&others[1], -1, net->error), DW_OK);
}

static void systems_that_cannot_be_told_apart_or_found_do_not_refer (void **state) {
    net_t *net = *state;
    char file[80];
    net_open (net, &(dw_system_options_t){.name = "first"}, false);
    snprintf (file, sizeof file, "ipc://%s/sock", net->folder);
    dw_system_t *same = s_open_other (net, "first", "tcp://127.0.0.1:*"),
                *ipc = s_open_other (net, "second", file);
    assert_int_equal (dw_system_refer (net->system, &same, 1, net->error), DW_EINVAL);
    assert_non_null (strstr (dw_error_text (net->error), "two graphs are named \"first\""));
    assert_int_equal (dw_system_refer (net->system, &ipc, 1, net->error), DW_EINVAL);
    assert_non_null (strstr (dw_error_text (net->error), "cannot be found"));
    dw_system_close (&same, -1, NULL);
    dw_system_close (&ipc, -1, NULL);
}

/* ---- A coordinator that lies ------------------------------------------------------------------ */

typedef struct liar_t {
    void *context, *dealer;
    pthread_t thread;
    char endpoint[64];
    dw_writer_t answer;
} liar_t;

/* Answers whatever comes until its context is shut down. */
static void *s_lie (void *args) {
    liar_t *self = args;
    char bytes[600];
    while (zmq_recv (self->dealer, bytes, sizeof bytes, 0) >= 0)
        zmq_send (self->dealer, self->answer.bytes, self->answer.count, 0);
    zmq_close (self->dealer);
    return NULL;
}

static void s_expect_not_followed (net_t *net, liar_t *self) {
    size_t size = sizeof self->endpoint;
    int no_linger = 0;
    dw_client_t *client = NULL;
    self->context = zmq_ctx_new ();
    self->dealer = zmq_socket (self->context, ZMQ_DEALER);
    zmq_setsockopt (self->dealer, ZMQ_LINGER, &no_linger, sizeof no_linger);
    assert_int_equal (zmq_bind (self->dealer, "tcp://127.0.0.1:*"), 0);
    zmq_getsockopt (self->dealer, ZMQ_LAST_ENDPOINT, self->endpoint, &size);
    assert_int_equal (pthread_create (&self->thread, NULL, s_lie, self), 0);
    dw_connect_options_t options = {.endpoint = self->endpoint, .graph = "any", .timeout_ms = 2000};
    int err = dw_client_connect (&client, &options, net->error);
    assert_int_equal (err, DW_EREFUSED);
    assert_null (client);
    zmq_ctx_shutdown (self->context);
    pthread_join (self->thread, NULL);
    zmq_ctx_term (self->context);
    dw_writer_free (&self->answer);
}

static void a_place_is_a_port_and_nothing_else (void **state) {
    net_t *net = *state;
    for (int lie = 0; lie < 6; lie++) {
        liar_t liar = {0};
        dw_writer_t *answer = &liar.answer;
        dw_write_uint (answer, DW_WIRE_MOVED);
        if (lie == 0)
            dw_write_uint (answer, 70000); /* no port */
        else if (lie == 1)
            dw_write_str (answer, "tcp://10.0.0.1:80", 17);
        else if (lie < 5)
            dw_write_uint (answer, 1);
        if (lie == 2)
            dw_write_array (answer, 0);
        else if (lie == 3) { /* more than there may be */
            dw_write_array (answer, 65);
            for (int i = 0; i < 65; i++)
                dw_write_str (answer, "x", 1);
        } else if (lie == 4) { /* fewer than it says */
            dw_write_array (answer, 2);
            dw_write_str (answer, "x", 1);
        } else if (lie < 2) {
            dw_write_array (answer, 1);
            dw_write_str (answer, "x", 1);
        }
        s_expect_not_followed (net, &liar);
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown (name, net_setup, net_teardown)

int main (void) {
    const struct CMUnitTest tests[] = {
        TEST (whoever_asks_is_told_before_it_says_who_it_is),
        TEST (what_asks_for_no_graph_is_refused),
        TEST (a_client_and_an_agent_follow_where_they_are_sent),
        TEST (systems_that_cannot_be_told_apart_or_found_do_not_refer),
        TEST (a_place_is_a_port_and_nothing_else),
    };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
