/* test_net.c - a system that listens, with workers and clients that come to it as from
 * elsewhere. */

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <arpa/inet.h>
#include <poll.h>
#include <pthread.h>
#include <sys/socket.h>
#include <unistd.h>
#include <zmq.h>

#include <cmocka.h>

#include "tests/support/system_fixture.h"

static dw_graph_t *s_graph (void) {
    dw_graph_t *graph = dw_graph_new ();
    dw_graph_add (graph, "upper", "change_text_case_upper");
    dw_graph_depend (graph, dw_graph_add (graph, "reverse", "reverse_text"), "upper");
    int mark = dw_graph_add (graph, "mark", "prefix_suffix_adder");
    dw_graph_depend (graph, mark, "reverse");
    dw_graph_set_text (graph, mark, "prefix", "<");
    dw_graph_add (graph, "count", "token_counter");
    return graph;
}

typedef struct net_t {
    char endpoint[128];
    dw_graph_t *graph;
    dw_processors_t *processors; /* of the system and its agents */
    gate_t *gate;
    dw_error_t *error;
    dw_system_t *system;
} net_t;

static void s_open (net_t *net, const dw_system_options_t *asked) {
    dw_system_options_t options = *asked;
    options.listen = net->endpoint;
    options.processors = net->processors;
    if (!options.heartbeat_ms) {
        options.heartbeat_ms = 100;
        options.silence_ms = 400;
    }
    if (dw_system_open (&net->system, net->graph, &options, net->error))
        fail_msg ("%s", dw_error_text (net->error));
    snprintf (net->endpoint, sizeof net->endpoint, "%s", dw_system_listening (net->system));
}

static dw_agent_t *s_agent (net_t *net, uint32_t slots, int reconnect_ms) {
    dw_agent_t *agent = NULL;
    dw_agent_options_t options = {.coordinator = {.endpoint = net->endpoint},
                                  .processors = net->processors,
                                  .slots = slots,
                                  .reconnect_ms = reconnect_ms};
    if (dw_agent_open (&agent, &options, net->error))
        fail_msg ("%s", dw_error_text (net->error));
    return agent;
}

static dw_client_t *s_client (net_t *net) {
    dw_client_t *client = NULL;
    dw_connect_options_t options = {.endpoint = net->endpoint};
    if (dw_client_connect (&client, &options, net->error))
        fail_msg ("%s", dw_error_text (net->error));
    return client;
}

static void s_run (net_t *net, dw_client_t *client) {
    dw_result_t *result = NULL;
    size_t size;
    if (dw_client_run_text (client, "hello world", &result, net->error))
        fail_msg ("%s", dw_error_text (net->error));
    assert_int_equal (dw_result_status (result), DW_RUN_OK);
    const char *text = dw_result_text (result, dw_result_find (result, "mark"), &size);
    assert_int_equal (size, strlen ("<DLROW OLLEH]"));
    assert_memory_equal (text, "<DLROW OLLEH]", size);
    dw_result_destroy (&result);
}

static void workers_elsewhere_run_what_clients_elsewhere_submit (void **state) {
    net_t *net = *state;
    s_open (net, &(dw_system_options_t){.no_actors = true});
    dw_agent_t *agent = s_agent (net, 2, 0);
    dw_client_t *client = s_client (net);
    for (int i = 0; i < 100; i++)
        s_run (net, client);
    dw_client_destroy (&client);
    assert_int_equal (dw_agent_close (&agent, -1, net->error), DW_OK);
}

/* ---- What a coordinator tells ----------------------------------------------------------------- */

static dw_status_t *s_status (dw_client_t *client) {
    dw_status_t *status = NULL;
    assert_int_equal (dw_client_status (client, 5000, &status), DW_OK);
    return status;
}

/* Waits, some seconds, until so many workers are there. */
static void s_expect_workers (dw_client_t *client, size_t count) {
    for (int i = 0; i < 500; i++) {
        dw_status_t *status = s_status (client);
        size_t there = status->workers_count;
        dw_status_destroy (&status);
        if (there == count)
            return;
        sleep_ms (10);
    }
    fail_msg ("there are not %zu workers", count);
}

static void status_tells_workers_and_runs (void **state) {
    net_t *net = *state;
    s_open (net, &(dw_system_options_t){.no_actors = true, .name = "shouting"});
    dw_agent_t *agent = s_agent (net, 3, 0);
    dw_client_t *client = s_client (net);
    for (int i = 0; i < 5; i++)
        s_run (net, client);
    dw_status_t *status = s_status (client);
    assert_string_equal (status->graph, "shouting");
    assert_int_equal (status->nodes_count, 4);
    assert_int_equal (status->clients_count, 1);
    assert_int_equal (status->runs_ok, 5);
    assert_int_equal (status->runs_in_flight, 0);
    assert_int_equal (status->steps_done, 20);
    assert_int_equal (status->workers_count, 1);
    assert_int_equal (status->workers[0].pid, getpid ());
    assert_int_equal (status->workers[0].slots, 3);
    assert_int_equal (status->workers[0].steps_done, 20);
    dw_status_destroy (&status);
    dw_client_destroy (&client);
    assert_int_equal (dw_agent_close (&agent, -1, net->error), DW_OK);
}

/* ---- Who is turned away ----------------------------------------------------------------------- */

static int s_try_client (net_t *net, const dw_connect_options_t *asked) {
    dw_client_t *client = NULL;
    dw_connect_options_t options = *asked;
    if (!options.endpoint)
        options.endpoint = net->endpoint;
    int err = dw_client_connect (&client, &options, net->error);
    dw_client_destroy (&client);
    return err;
}

static int s_try_agent (net_t *net, uint32_t slots, const dw_processors_t *processors) {
    dw_agent_t *agent = NULL;
    dw_agent_options_t options = {.coordinator = {.endpoint = net->endpoint, .timeout_ms = 2000},
                                  .slots = slots,
                                  .processors = processors};
    int err = dw_agent_open (&agent, &options, net->error);
    dw_agent_close (&agent, -1, NULL);
    return err;
}

static void a_client_that_asks_for_another_graph_is_refused (void **state) {
    net_t *net = *state;
    s_open (net, &(dw_system_options_t){.no_actors = true, .name = "shouting"});
    assert_int_equal (s_try_client (net, &(dw_connect_options_t){.graph = "whispering"}),
                      DW_EREFUSED);
    expect_message (net->error, "is \"shouting\", not \"whispering\"");
    assert_int_equal (s_try_client (net, &(dw_connect_options_t){.graph = "shouting"}), DW_OK);
}

static void where_nobody_is_nobody_is_found_in_time (void **state) {
    net_t *net = *state;
    dw_connect_options_t options = {.endpoint = "tcp://127.0.0.1:9", .timeout_ms = 300};
    int64_t begin_ms = now_ms ();
    assert_int_equal (s_try_client (net, &options), DW_ENOBODY);
    expect_message (net->error, "nobody answers at tcp://127.0.0.1:9");
    assert_in_range (now_ms () - begin_ms, 250, 2000);
    dw_agent_t *agent = NULL;
    assert_int_equal (dw_agent_open (&agent,
                                     &(dw_agent_options_t){.coordinator = options, .slots = 1},
                                     net->error),
                      DW_ENOBODY);
    assert_null (agent);
}

/* A socket of TCP that takes connections and says nothing. */
static void something_else_that_listens_is_no_coordinator (void **state) {
    net_t *net = *state;
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_addr.s_addr = htonl (INADDR_LOOPBACK)};
    socklen_t size = sizeof address;
    char endpoint[64];
    int fd = socket (AF_INET, SOCK_STREAM, 0);
    assert_int_equal (bind (fd, (struct sockaddr *) &address, sizeof address), 0);
    assert_int_equal (listen (fd, 8), 0);
    getsockname (fd, (struct sockaddr *) &address, &size);
    snprintf (endpoint, sizeof endpoint, "tcp://127.0.0.1:%u", (unsigned) ntohs (address.sin_port));
    dw_connect_options_t options = {.endpoint = endpoint, .timeout_ms = 300};
    assert_int_equal (s_try_client (net, &options), DW_ENOBODY);
    close (fd);
}

/* Says to whoever comes what it has said itself, until its context is shut down. */
static void *s_parrot (void *dealer) {
    char bytes[256];
    for (int size; (size = zmq_recv (dealer, bytes, sizeof bytes, 0)) >= 0;)
        zmq_send (dealer, bytes, (size_t) size, 0);
    zmq_close (dealer);
    return NULL;
}

static void another_program_of_zeromq_is_no_coordinator (void **state) {
    net_t *net = *state;
    char endpoint[64];
    size_t size = sizeof endpoint;
    int no_linger = 0;
    pthread_t thread;
    void *context = zmq_ctx_new (), *dealer = zmq_socket (context, ZMQ_DEALER);
    zmq_setsockopt (dealer, ZMQ_LINGER, &no_linger, sizeof no_linger);
    assert_int_equal (zmq_bind (dealer, "tcp://127.0.0.1:*"), 0);
    zmq_getsockopt (dealer, ZMQ_LAST_ENDPOINT, endpoint, &size);
    assert_int_equal (pthread_create (&thread, NULL, s_parrot, dealer), 0);
    dw_connect_options_t options = {.endpoint = endpoint, .timeout_ms = 2000};
    assert_int_equal (s_try_client (net, &options), DW_EREFUSED);
    expect_message (net->error, "is no coordinator of dagwood");
    zmq_ctx_shutdown (context);
    pthread_join (thread, NULL);
    zmq_ctx_term (context);
}

static int s_echo (dw_call_t *call, void *arg) {
    (void) arg;
    return dw_call_set_payload (call) ? dw_call_fail (call, 500, "no memory") : 0;
}

static void an_agent_that_lacks_a_processor_says_which (void **state) {
    net_t *net = *state;
    dw_processors_add_function (net->processors, "echo_of_ours", s_echo, NULL);
    dw_graph_add (net->graph, "echo", "echo_of_ours");
    s_open (net, &(dw_system_options_t){.no_actors = true});
    assert_int_equal (s_try_agent (net, 1, NULL), DW_EGRAPH);
    expect_message (net->error, "echo_of_ours");
    dw_client_t *client = s_client (net);
    s_expect_workers (client, 0);
    dw_client_destroy (&client);
}

static void an_agent_whose_processor_says_otherwise_of_itself_is_turned_away (void **state) {
    net_t *net = *state;
    dw_processors_t *theirs = dw_processors_new ();
    dw_processors_add_function (net->processors, "echo_of_ours", s_echo, NULL);
    dw_processors_add (theirs,
                       &(dw_processor_t){.name = "echo_of_ours", .process = s_echo, .brief = true});
    dw_graph_add (net->graph, "echo", "echo_of_ours");
    s_open (net, &(dw_system_options_t){.no_actors = true});
    assert_int_equal (s_try_agent (net, 1, theirs), DW_EGRAPH);
    expect_message (net->error, "not those of the coordinator");
    dw_processors_destroy (&theirs);
}

static void more_slots_than_there_are_places_are_refused (void **state) {
    net_t *net = *state;
    s_open (net, &(dw_system_options_t){.no_actors = true, .slots_max = 4});
    assert_int_equal (s_try_agent (net, 5, NULL), DW_EREFUSED);
    expect_message (net->error, "slots_max");
    dw_agent_t *agent = s_agent (net, 3, 0);
    assert_int_equal (s_try_agent (net, 2, NULL), DW_EREFUSED);
    assert_int_equal (dw_agent_close (&agent, -1, net->error), DW_OK);
    agent = s_agent (net, 4, 0); /* the places are free again */
    assert_int_equal (dw_agent_close (&agent, -1, net->error), DW_OK);
}

static void a_process_may_have_two_agents (void **state) {
    net_t *net = *state;
    s_open (net, &(dw_system_options_t){.no_actors = true});
    dw_agent_t *first = s_agent (net, 1, 0), *second = s_agent (net, 2, 0);
    dw_client_t *client = s_client (net);
    s_expect_workers (client, 2);
    assert_int_equal (dw_agent_close (&first, -1, net->error), DW_OK);
    s_expect_workers (client, 1);
    s_run (net, client);
    dw_client_destroy (&client);
    assert_int_equal (dw_agent_close (&second, -1, net->error), DW_OK);
}

/* ---- Coming and going ------------------------------------------------------------------------- */

static uint64_t s_submit (dw_client_t *client) {
    uint64_t run = 0;
    assert_int_equal (
        dw_client_submit (client, &(dw_submission_t){.payload = "text", .size = 4, .is_text = true},
                          &run, NULL),
        DW_OK);
    return run;
}

static dw_result_t *s_wait (dw_client_t *client, uint64_t run) {
    dw_result_t *result = NULL;
    assert_int_equal (dw_client_wait (client, run, 20000, &result), DW_OK);
    return result;
}

/* A graph of one node that is a gate. */
static gate_t *s_gate (net_t *net, int (*process) (dw_call_t *call, void *gate)) {
    dw_graph_destroy (&net->graph);
    net->graph = dw_graph_new ();
    net->gate = gate_new ();
    dw_processors_add_function (net->processors, "gate", process, net->gate);
    dw_graph_add (net->graph, "node", "gate");
    return net->gate;
}

static void a_run_waits_while_there_is_no_worker (void **state) {
    net_t *net = *state;
    s_open (net, &(dw_system_options_t){.no_actors = true});
    dw_client_t *client = s_client (net);
    uint64_t run = s_submit (client);
    dw_result_t *result = NULL;
    assert_int_equal (dw_client_wait (client, run, 600, &result), DW_ETIMEDOUT);
    dw_agent_t *agent = s_agent (net, 1, 0);
    result = s_wait (client, run);
    assert_int_equal (dw_result_status (result), DW_RUN_OK);
    dw_result_destroy (&result);
    dw_client_destroy (&client);
    assert_int_equal (dw_agent_close (&agent, -1, net->error), DW_OK);
}

/* Even one whose processor would leave when it is cancelled. */
static void a_drained_agent_gives_back_what_takes_longer_than_its_grace (void **state) {
    net_t *net = *state;
    gate_t *gate = s_gate (net, gate_polite);
    s_open (net, &(dw_system_options_t){.no_actors = true});
    dw_agent_t *agent = NULL, *other;
    dw_agent_options_t options = {.coordinator = {.endpoint = net->endpoint},
                                  .processors = net->processors,
                                  .slots = 1,
                                  .grace_ms = 200};
    assert_int_equal (dw_agent_open (&agent, &options, net->error), DW_OK);
    dw_client_t *client = s_client (net);
    uint64_t run = s_submit (client);
    assert_true (gate_wait_entered (gate, 1));
    int64_t begin_ms = now_ms ();
    dw_agent_drain (agent);
    assert_int_equal (dw_agent_wait (agent, 5000), DW_OK);
    assert_in_range (now_ms () - begin_ms, 199, 4000);
    other = s_agent (net, 1, 0);
    assert_true (gate_wait_entered (gate, 2));
    gate_open (gate);
    dw_result_t *result = s_wait (client, run);
    assert_int_equal (dw_result_status (result), DW_RUN_OK);
    dw_result_destroy (&result);
    dw_status_t *status = s_status (client);
    assert_int_equal (status->lost, 0); /* it was given back */
    dw_status_destroy (&status);
    dw_client_destroy (&client);
    assert_int_equal (dw_agent_close (&agent, -1, net->error), DW_OK);
    assert_int_equal (dw_agent_close (&other, -1, net->error), DW_OK);
}

static void a_drained_agent_finishes_what_it_is_at (void **state) {
    net_t *net = *state;
    gate_t *gate = s_gate (net, gate_polite);
    s_open (net, &(dw_system_options_t){.no_actors = true});
    dw_agent_t *agent = s_agent (net, 2, 0);
    dw_client_t *client = s_client (net);
    uint64_t run = s_submit (client);
    assert_true (gate_wait_entered (gate, 1));
    dw_agent_drain (agent);
    assert_int_equal (dw_agent_wait (agent, 300), DW_ETIMEDOUT);
    gate_let (gate, 1);
    assert_int_equal (dw_agent_wait (agent, 5000), DW_OK);
    dw_result_t *result = s_wait (client, run);
    assert_int_equal (dw_result_status (result), DW_RUN_OK);
    assert_int_equal (dw_result_attempts (result, 0), 1);
    dw_result_destroy (&result);
    dw_status_t *status = s_status (client);
    assert_int_equal (status->lost, 0);
    assert_in_range (status->messages_ignored, 0, 1); /* a heartbeat may have been on its way */
    assert_int_equal (status->workers_count, 0);
    dw_status_destroy (&status);
    dw_client_destroy (&client);
    assert_int_equal (dw_agent_close (&agent, -1, net->error), DW_OK);
}

/* Three deaths would quarantine the node; to be closed is none. */
static void an_agent_that_is_closed_gives_back_what_it_was_at (void **state) {
    net_t *net = *state;
    gate_t *gate = s_gate (net, gate_polite);
    s_open (net, &(dw_system_options_t){.no_actors = true});
    dw_client_t *client = s_client (net);
    uint64_t run = s_submit (client);
    for (unsigned i = 1; i <= 4; i++) {
        dw_agent_t *agent = s_agent (net, 1, 0);
        assert_true (gate_wait_entered (gate, i));
        assert_int_equal (dw_agent_close (&agent, -1, net->error), DW_OK);
    }
    dw_agent_t *agent = s_agent (net, 1, 0);
    assert_true (gate_wait_entered (gate, 5));
    gate_let (gate, 1);
    dw_result_t *result = s_wait (client, run);
    assert_int_equal (dw_result_status (result), DW_RUN_OK);
    dw_result_destroy (&result);
    dw_client_destroy (&client);
    assert_int_equal (dw_agent_close (&agent, -1, net->error), DW_OK);
}

static void a_closed_system_ends_its_agents (void **state) {
    net_t *net = *state;
    s_open (net, &(dw_system_options_t){.no_actors = true});
    dw_agent_t *agent = s_agent (net, 2, -1);
    assert_int_equal (dw_agent_wait (agent, 50), DW_ETIMEDOUT);
    assert_int_equal (dw_system_close (&net->system, -1, net->error), DW_OK);
    assert_int_equal (dw_agent_wait (agent, 5000), DW_OK);
    assert_int_equal (dw_agent_close (&agent, -1, net->error), DW_OK);
}

static void an_agent_that_has_ended_makes_its_descriptor_readable (void **state) {
    net_t *net = *state;
    s_open (net, &(dw_system_options_t){.no_actors = true});
    dw_agent_t *agent = s_agent (net, 2, 0);
    struct pollfd item = {.fd = dw_agent_fd (agent), .events = POLLIN};
    assert_int_equal (poll (&item, 1, 300), 0); /* heartbeats make nothing readable */
    dw_agent_drain (agent);
    assert_int_equal (poll (&item, 1, 10000), 1);
    assert_int_equal (dw_agent_wait (agent, -1), DW_OK);
    assert_int_equal (poll (&item, 1, 0), 1); /* it stays so */
    assert_int_equal (dw_agent_close (&agent, -1, net->error), DW_OK);
    agent = s_agent (net, 1, 0);
    item.fd = dw_agent_fd (agent);
    assert_int_equal (dw_system_close (&net->system, -1, net->error), DW_OK);
    assert_int_equal (poll (&item, 1, 10000), 1);
    assert_int_equal (dw_agent_close (&agent, -1, net->error), DW_OK);
}

static void a_stuck_slot_is_replaced (void **state) {
    net_t *net = *state;
    gate_t *gate = s_gate (net, gate_deaf);
    dw_graph_options (net->graph)->timeout_us = 30000;
    s_open (net, &(dw_system_options_t){.no_actors = true});
    dw_agent_t *agent = s_agent (net, 1, 0);
    dw_client_t *client = s_client (net);
    for (unsigned i = 1; i <= 3; i++) {
        dw_result_t *result = s_wait (client, s_submit (client));
        assert_int_equal (dw_result_error_code (result, 0), 408);
        dw_result_destroy (&result);
        assert_true (gate_wait_entered (gate, i));
    }
    gate_open (gate);
    for (dw_run_status_t status = DW_RUN_FAILED;
         status != DW_RUN_OK;) { /* when the slot is there */
        dw_result_t *result = s_wait (client, s_submit (client));
        status = dw_result_status (result);
        dw_result_destroy (&result);
    }
    dw_client_destroy (&client);
    assert_int_equal (dw_agent_close (&agent, -1, net->error), DW_OK);
}

static void the_runs_of_a_client_that_goes_are_cancelled (void **state) {
    net_t *net = *state;
    gate_t *gate = s_gate (net, gate_polite);
    s_open (net, &(dw_system_options_t){.no_actors = true});
    dw_agent_t *agent = s_agent (net, 1, 0);
    dw_client_t *client = s_client (net), *other = s_client (net);
    s_submit (client);
    assert_true (gate_wait_entered (gate, 1));
    dw_client_destroy (&client);
    assert_true (gate_wait_left (gate, 1));
    assert_int_equal (gate->cancelled, 1);
    dw_status_t *status = s_status (other);
    assert_int_equal (status->runs_cancelled, 1);
    assert_int_equal (status->clients_count, 1);
    dw_status_destroy (&status);
    dw_client_destroy (&other);
    assert_int_equal (dw_agent_close (&agent, -1, net->error), DW_OK);
}

static int s_start_slowly (void **instance_p, const dw_settings_t *settings, void *arg, char *why,
                           size_t why_size) {
    (void) settings, (void) why, (void) why_size;
    *instance_p = arg;
    sleep_ms (900); /* much longer than the silence of a process that is lost */
    return 0;
}

static void an_agent_whose_processors_start_slowly_is_not_lost (void **state) {
    net_t *net = *state;
    dw_processors_t *theirs = dw_processors_new ();
    dw_processors_add_function (net->processors, "slow", s_echo, NULL);
    dw_processors_add (
        theirs, &(dw_processor_t){.name = "slow", .start = s_start_slowly, .process = s_echo});
    dw_graph_destroy (&net->graph);
    net->graph = dw_graph_new ();
    dw_graph_add (net->graph, "node", "slow");
    s_open (net, &(dw_system_options_t){.no_actors = true});
    dw_agent_t *agent = NULL;
    dw_agent_options_t options = {
        .coordinator = {.endpoint = net->endpoint}, .slots = 1, .processors = theirs};
    assert_int_equal (dw_agent_open (&agent, &options, net->error), DW_OK);
    dw_client_t *client = s_client (net);
    dw_result_t *result = s_wait (client, s_submit (client));
    assert_int_equal (dw_result_status (result), DW_RUN_OK);
    dw_result_destroy (&result);
    assert_int_equal (dw_agent_wait (agent, 0), DW_ETIMEDOUT);
    dw_client_destroy (&client);
    assert_int_equal (dw_agent_close (&agent, -1, net->error), DW_OK);
    dw_processors_destroy (&theirs);
}

/* The longest is the longest that there may be. */
static void slots_connect_however_long_the_silence_is (void **state) {
    net_t *net = *state;
    static const uint32_t silences_ms[] = {119999, 130000, 3600000};
    for (size_t i = 0; i < sizeof silences_ms / sizeof *silences_ms; i++) {
        snprintf (net->endpoint, sizeof net->endpoint, "tcp://127.0.0.1:*");
        s_open (net, &(dw_system_options_t){
                         .no_actors = true, .heartbeat_ms = 1000, .silence_ms = silences_ms[i]});
        dw_agent_t *agent = s_agent (net, 2, 0);
        dw_client_t *client = s_client (net);
        dw_result_t *result = s_wait (client, s_submit (client));
        assert_int_equal (dw_result_status (result), DW_RUN_OK);
        dw_result_destroy (&result);
        dw_client_destroy (&client);
        assert_int_equal (dw_agent_close (&agent, -1, net->error), DW_OK);
        assert_int_equal (dw_system_close (&net->system, -1, net->error), DW_OK);
    }
}

/* ---- All of them ------------------------------------------------------------------------------ */

static int setup_tcp (void **state) {
    net_t *net = calloc (1, sizeof *net);
    snprintf (net->endpoint, sizeof net->endpoint, "tcp://127.0.0.1:*");
    net->graph = s_graph ();
    net->error = dw_error_new ();
    net->processors = dw_processors_new ();
    *state = net;
    return 0;
}

static int teardown (void **state) {
    net_t *net = *state;
    int err = dw_system_close (&net->system, -1, net->error);
    if (err)
        fprintf (stderr, "%s", dw_error_text (net->error));
    gate_destroy (&net->gate);
    dw_graph_destroy (&net->graph);
    dw_processors_destroy (&net->processors);
    dw_error_destroy (&net->error);
    free (net);
    return err;
}

#define OVER_TCP(test) cmocka_unit_test_setup_teardown (test, setup_tcp, teardown)

int main (void) {
    const struct CMUnitTest tests[] = {
        OVER_TCP (workers_elsewhere_run_what_clients_elsewhere_submit),
        OVER_TCP (status_tells_workers_and_runs),
        OVER_TCP (a_client_that_asks_for_another_graph_is_refused),
        OVER_TCP (where_nobody_is_nobody_is_found_in_time),
        OVER_TCP (something_else_that_listens_is_no_coordinator),
        OVER_TCP (another_program_of_zeromq_is_no_coordinator),
        OVER_TCP (an_agent_that_lacks_a_processor_says_which),
        OVER_TCP (an_agent_whose_processor_says_otherwise_of_itself_is_turned_away),
        OVER_TCP (more_slots_than_there_are_places_are_refused),
        OVER_TCP (a_process_may_have_two_agents),
        OVER_TCP (a_run_waits_while_there_is_no_worker),
        OVER_TCP (a_drained_agent_finishes_what_it_is_at),
        OVER_TCP (a_drained_agent_gives_back_what_takes_longer_than_its_grace),
        OVER_TCP (an_agent_that_is_closed_gives_back_what_it_was_at),
        OVER_TCP (a_closed_system_ends_its_agents),
        OVER_TCP (an_agent_that_has_ended_makes_its_descriptor_readable),
        OVER_TCP (a_stuck_slot_is_replaced),
        OVER_TCP (the_runs_of_a_client_that_goes_are_cancelled),
        OVER_TCP (an_agent_whose_processors_start_slowly_is_not_lost),
        OVER_TCP (slots_connect_however_long_the_silence_is),
    };
    return !!cmocka_run_group_tests (tests, NULL, NULL);
}
