/* test_net_payloads.c - large payloads to worker processes: each once to a slot that reads it again
 * and again, whatever becomes of slots meanwhile; and none beyond max_payload_bytes. */

#include <arpa/inet.h>
#include <dirent.h>
#include <linux/tcp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "actors/clock.h"
#include "bench/lib/child.h"
#include "runtime/payload.h"
#include "runtime/wire.h"
#include "tests/support/net.h"
#include "tests/support/random.h"

#define MIB   (1u << 20)
#define SLACK (MIB / 4)

/* ---- Processors ------------------------------------------------------------------------------- */

static uint64_t s_hash (uint64_t hash, const void *bytes, size_t size) {
    for (size_t i = 0; i < size; i += 8) { /* a word at a time, the last one with zeros */
        uint64_t word = 0;
        memcpy (&word, (const uint8_t *) bytes + i, size - i < 8 ? size - i : 8);
        hash = (hash ^ word) * UINT64_C (0x9e3779b97f4a7c15);
        hash ^= hash >> 29;
    }
    return hash ^ size;
}

static uint64_t s_hash_call (dw_call_t *call) {
    size_t size;
    const void *payload = dw_call_payload (call, &size);
    uint64_t hash = s_hash (1 + (uint64_t) dw_settings_integer (dw_call_settings (call), "index"),
                            payload, size);
    for (size_t i = 0; i < dw_call_dependencies_count (call); i++) {
        payload = dw_call_dependency_payload (call, i, &size);
        hash = s_hash (hash, payload, size);
    }
    return hash;
}

/* Gives so many bytes, each of which depends on all that it reads. */
static int s_give (dw_call_t *call, uint64_t hash, size_t size) {
    uint8_t *bytes = dw_call_reserve_bytes (call, size);
    if (!bytes)
        return dw_call_fail (call, 500, "out of memory");
    for (size_t i = 0; i < size; i++)
        bytes[i] = (uint8_t) ((hash * (i + 1)) >> 32);
    return 0;
}

static int s_weigh (dw_call_t *call, void *instance) {
    (void) instance;
    return s_give (call, s_hash_call (call), 8);
}

/* Too large for the head of a message. */
static int s_fill (dw_call_t *call, void *instance) {
    (void) instance;
    return s_give (call, s_hash_call (call), DW_WIRE_INLINE_MAX + 1);
}

static int s_swell (dw_call_t *call, void *instance) {
    (void) instance;
    return s_give (call, s_hash_call (call), MIB);
}

/* Small enough for the head, for a slot, for a frame, and large: as it comes. */
static int s_blend (dw_call_t *call, void *instance) {
    static const size_t sizes[] = {10, 400, 600, 5000, 70000, 300000};
    uint64_t hash = s_hash_call (call);
    (void) instance;
    return s_give (call, hash, sizes[hash % (sizeof sizes / sizeof *sizes)]);
}

static void s_add_processors (dw_processors_t *processors) {
    static const dw_option_t options[] = {{"index", DW_INTEGER, "0", 0, 0, "the node"},
                                          {NULL, DW_TEXT, NULL, 0, 0, NULL}};
    static const dw_processor_t all[] = {
        {.name = "weigh", .help = "", .options = options, .process = s_weigh},
        {.name = "fill", .help = "", .options = options, .process = s_fill},
        {.name = "swell", .help = "", .options = options, .process = s_swell},
        {.name = "blend", .help = "", .options = options, .process = s_blend}};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        dw_processors_add (processors, &all[i]);
}

/* ---- Worker processes, made before there is any thread ---------------------------------------- */

#define CHILDREN 24

static dw_child_t s_children[CHILDREN];
static unsigned s_children_used;

static int s_be_worker (FILE *in, void *arg) {
    char line[200];
    (void) arg;
    if (!fgets (line, sizeof line, in))
        return DW_OK; /* it is not needed */
    line[strcspn (line, "\n")] = '\0';
    dw_processors_t *processors = dw_processors_new ();
    s_add_processors (processors);
    dw_agent_t *agent = NULL;
    dw_agent_options_t options = {
        .coordinator = {.endpoint = line}, .processors = processors, .slots = 2};
    int err = dw_agent_open (&agent, &options, NULL);
    return err ? err : dw_agent_wait (agent, -1);
}

/* One that can be killed. */
static const dw_child_t *s_child (const net_t *net) {
    assert_true (s_children_used < CHILDREN);
    const dw_child_t *child = &s_children[s_children_used++];
    dw_child_tell (child, net->endpoint);
    return child;
}

static void s_kill (const dw_child_t *child) {
    int status;
    assert_int_equal (kill (child->pid, SIGKILL), 0);
    waitpid (child->pid, &status, 0);
}

/* ---- Bytes on the wire ------------------------------------------------------------------------ */

/* Bytes that the coordinator's end of every connection has sent: both ends are in this process. */
static uint64_t s_sent_bytes (const net_t *net) {
    uint64_t sent = 0;
    uint16_t port = (uint16_t) strtoul (strrchr (net->endpoint, ':') + 1, NULL, 10);
    DIR *folder = opendir ("/proc/self/fd");
    assert_non_null (folder);
    for (const struct dirent *entry; (entry = readdir (folder));) {
        int fd = atoi (entry->d_name);
        struct sockaddr_in address;
        struct tcp_info info;
        socklen_t size = sizeof address, info_size = sizeof info;
        memset (&address, 0, sizeof address);
        memset (&info, 0, sizeof info);
        if (getsockname (fd, (struct sockaddr *) &address, &size) == 0 &&
            address.sin_family == AF_INET && ntohs (address.sin_port) == port &&
            getsockopt (fd, IPPROTO_TCP, TCP_INFO, &info, &info_size) == 0)
            sent += info.tcpi_bytes_sent - info.tcpi_bytes_retrans;
    }
    closedir (folder);
    return sent;
}

/* ---- The fixture ------------------------------------------------------------------------------ */

static void s_add (net_t *net, const char *processor, int index, const char *on) {
    char id[32];
    snprintf (id, sizeof id, "n%d", index);
    int node = dw_graph_add (net->graph, id, processor);
    dw_graph_set_integer (net->graph, node, "index", index);
    if (on)
        dw_graph_depend (net->graph, node, on);
}

static int s_setup (void **state) {
    if (net_setup (state))
        return -1;
    net_t *net = *state;
    s_add_processors (net->processors);
    dw_graph_destroy (&net->graph);
    net->graph = dw_graph_new ();
    return 0;
}

static dw_client_t *s_client (net_t *net) {
    dw_client_t *client = NULL;
    if (dw_client_new (&client, net->system, net->error))
        fail_msg ("%s", dw_error_text (net->error));
    return client;
}

static char *s_text (size_t size, char with) {
    char *text = malloc (size + 1);
    assert_non_null (text);
    memset (text, with, size);
    text[size] = '\0';
    return text;
}

/* One run, which is ok; the hash of all that it gave. */
static uint64_t s_run (net_t *net, dw_client_t *client, const char *text) {
    dw_result_t *result = NULL;
    uint64_t hash = 0;
    if (dw_client_run_text (client, text, &result, net->error))
        fail_msg ("%s", dw_error_text (net->error));
    assert_int_equal (dw_result_status (result), DW_RUN_OK);
    for (size_t node = 0; node < dw_result_nodes_count (result); node++) {
        size_t size;
        const void *bytes = dw_result_payload (result, (int) node, &size);
        hash = s_hash (hash, bytes, size);
    }
    dw_result_destroy (&result);
    return hash;
}

/* The same run in this process alone. */
static uint64_t s_expected (net_t *net, const char *text) {
    dw_system_t *system = NULL;
    dw_client_t *client = NULL;
    dw_system_options_t options = {.processors = net->processors};
    if (dw_system_open (&system, net->graph, &options, net->error) ||
        dw_client_new (&client, system, net->error))
        fail_msg ("%s", dw_error_text (net->error));
    uint64_t hash = s_run (net, client, text);
    dw_client_destroy (&client);
    assert_int_equal (dw_system_close (&system, -1, net->error), DW_OK);
    return hash;
}

/* ---- Once -------------------------------------------------------------------------------------- */

#define SLOTS 3u

/* Runs with a text of so many bytes, after each of which the coordinator has sent at least payloads
 * MiB and at most as many to each slot. */
static void s_expect_once (net_t *net, size_t size, unsigned payloads) {
    net_open (net, &(dw_system_options_t){.no_actors = true}, false);
    dw_agent_t *agent = net_agent (net, NULL, SLOTS, 0);
    dw_client_t *client = s_client (net);
    for (int with = 'a'; with < 'e'; with++) {
        char *text = s_text (size, (char) with);
        uint64_t before = s_sent_bytes (net), hash = s_run (net, client, text),
                 sent = s_sent_bytes (net) - before;
        assert_true (hash == s_expected (net, text));
        if (sent < payloads * MIB || sent > SLOTS * payloads * MIB + SLACK)
            fail_msg ("%llu bytes were sent to %u slots", (unsigned long long) sent, SLOTS);
        free (text);
    }
    dw_client_destroy (&client);
    assert_int_equal (dw_agent_close (&agent, -1, net->error), DW_OK);
}

static void an_input_that_many_tasks_read_travels_once_to_each_slot (void **state) {
    net_t *net = *state;
    for (int i = 0; i < 100; i++)
        s_add (net, "weigh", i, NULL);
    s_expect_once (net, MIB, 1);
}

static void an_output_that_many_tasks_read_travels_once_to_each_slot (void **state) {
    net_t *net = *state;
    s_add (net, "swell", 0, NULL);
    for (int i = 1; i <= 100; i++)
        s_add (net, "weigh", i, "n0");
    s_expect_once (net, 100, 1);
}

static void two_dependencies_of_many_tasks_travel_once_to_each_slot (void **state) {
    net_t *net = *state;
    s_add (net, "swell", 0, NULL);
    s_add (net, "swell", 1, NULL);
    for (int i = 2; i <= 60; i++) {
        s_add (net, "weigh", i, "n0");
        dw_graph_depend (net->graph, i, "n1");
    }
    s_expect_once (net, 100, 2);
}

/* ---- Whatever becomes of slots ----------------------------------------------------------------- */

static void a_slot_that_takes_the_place_of_another_has_nothing (void **state) {
    net_t *net = *state;
    s_add (net, "swell", 0, NULL);
    dw_graph_depend (net->graph, dw_graph_add (net->graph, "gate", "gate"), "n0");
    for (int i = 2; i < 10; i++) {
        s_add (net, "weigh", i, "n0");
        dw_graph_depend (net->graph, i, "gate");
    }
    net_open (net, &(dw_system_options_t){.no_actors = true}, false);
    dw_agent_t *agent = net_agent (net, NULL, 1, 0);
    dw_client_t *client = s_client (net);
    dw_result_t *result = NULL;
    uint64_t run;
    dw_submission_t submission = {.payload = "x", .size = 1, .is_text = true};
    assert_int_equal (dw_client_submit (client, &submission, &run, net->error), DW_OK);
    assert_true (gate_wait_entered (net->gate, 1)); /* with what is kept for those after it */
    dw_agent_close (&agent, -1, NULL);
    gate_open (net->gate);
    agent = net_agent (net, NULL, 1, 0);
    assert_int_equal (dw_client_wait (client, run, 20000, &result), DW_OK);
    assert_int_equal (dw_result_status (result), DW_RUN_OK);
    dw_result_destroy (&result);
    dw_client_destroy (&client);
    dw_agent_close (&agent, -1, NULL);
}

#define NODES 40
#define RUNS  6
#define KILLS 3

static void s_draw_graph (net_t *net, random_t *random) {
    dw_graph_destroy (&net->graph);
    net->graph = dw_graph_new ();
    for (int i = 0; i < NODES; i++) {
        char on[32];
        s_add (net, random_one_in (random, 6) ? "swell" : "blend", i, NULL);
        for (int k = 0; k < 3 && i > 0 && !random_one_in (random, 4); k++) {
            /* A few of them are read by many. */
            uint32_t of = random_one_in (random, 2) ? random_below (random, (uint32_t) i)
                                                    : (uint32_t) i / 8 * 4;
            snprintf (on, sizeof on, "n%u", of < (uint32_t) i ? of : 0);
            dw_graph_depend (net->graph, i, on);
        }
    }
    dw_graph_options (net->graph)->strategy = (dw_strategy_t) random_below (random, 4);
    dw_graph_options (net->graph)->priority = random_one_in (random, 2) ? DW_RANK
                                                                        : DW_CRITICAL_PATH;
}

static void s_run_while_slots_come_and_go (net_t *net, random_t *random) {
    char *texts[RUNS];
    uint64_t runs[RUNS], expected[RUNS];
    s_draw_graph (net, random);
    for (int i = 0; i < RUNS; i++) {
        texts[i] = s_text (1 + random_below (random, 300000), (char) ('a' + i));
        expected[i] = s_expected (net, texts[i]);
    }
    snprintf (net->endpoint, sizeof net->endpoint, "tcp://127.0.0.1:*");
    net_open (net, &(dw_system_options_t){.no_actors = true}, false);
    const dw_child_t *child = s_child (net);
    dw_agent_t *stays = net_agent (net, NULL, 2, 0);
    dw_client_t *client = s_client (net);
    for (int i = 0; i < RUNS; i++) {
        dw_submission_t submission = {
            .payload = texts[i], .size = strlen (texts[i]), .is_text = true, .wait_ms = -1};
        assert_int_equal (dw_client_submit (client, &submission, &runs[i], net->error), DW_OK);
    }
    for (int i = 0; i < RUNS; i++) {
        dw_result_t *result = NULL;
        uint64_t hash = 0;
        assert_int_equal (dw_client_wait (client, runs[i], 30000, &result), DW_OK);
        assert_int_equal (dw_result_status (result), DW_RUN_OK);
        for (size_t node = 0; node < dw_result_nodes_count (result); node++) {
            size_t size;
            const void *bytes = dw_result_payload (result, (int) node, &size);
            hash = s_hash (hash, bytes, size);
        }
        if (hash != expected[i])
            fail_msg ("run %d gave something else than in one process", i);
        dw_result_destroy (&result);
        if (i < KILLS) { /* another takes its places, and has nothing yet */
            s_kill (child);
            child = s_child (net);
        }
        free (texts[i]);
    }
    dw_client_destroy (&client);
    s_kill (child);
    dw_agent_close (&stays, -1, NULL);
    assert_int_equal (dw_system_close (&net->system, -1, net->error), DW_OK);
}

static void runs_give_the_same_while_slots_are_killed_and_replaced (void **state) {
    random_t random = random_from (random_seed ());
    for (int i = 0; i < 6; i++)
        s_run_while_slots_come_and_go (*state, &random);
}

/* ---- No more ---------------------------------------------------------------------------------- */

/* More than there may be frames, each too large for the head; and behind them one that slots keep
 * for who reads it next. */
static void a_node_may_read_more_outputs_than_a_message_has_frames (void **state) {
    net_t *net = *state;
    char on[32];
    int count = DW_WIRE_FRAMES_MAX + 100;
    for (int i = 0; i < count; i++)
        s_add (net, "fill", i, NULL);
    s_add (net, "swell", count, NULL);
    s_add (net, "weigh", count + 1, NULL);
    for (int i = 0; i <= count; i++) {
        snprintf (on, sizeof on, "n%d", i);
        dw_graph_depend (net->graph, count + 1, on);
    }
    s_add (net, "weigh", count + 2, on);
    net_open (net, &(dw_system_options_t){.no_actors = true}, false);
    dw_agent_t *agent = net_agent (net, NULL, 1, 0);
    dw_client_t *client = net_client (net, NULL);
    assert_true (s_run (net, client, "x") == s_expected (net, "x"));
    dw_client_destroy (&client);
    assert_int_equal (dw_agent_close (&agent, -1, net->error), DW_OK);
}

/* ---- No larger --------------------------------------------------------------------------------- */

static void an_input_beyond_16_mib_is_refused_before_it_is_sent (void **state) {
    net_t *net = *state;
    s_add (net, "weigh", 0, NULL);
    net_open (net, &(dw_system_options_t){0}, false);
    dw_client_t *clients[] = {net_client (net, NULL), s_client (net)};
    char *text = s_text (16 * MIB, 'x'); /* and its head */
    for (int i = 0; i < 2; i++) {
        dw_result_t *result = NULL;
        uint64_t before = s_sent_bytes (net);
        assert_int_equal (dw_client_run_text (clients[i], text, &result, net->error), DW_ETOOLARGE);
        assert_non_null (strstr (dw_error_text (net->error), "16777221"));
        assert_non_null (strstr (dw_error_text (net->error), "max_payload_bytes (16777216)"));
        assert_non_null (strstr (dw_error_text (net->error), "executor_options"));
        assert_true (s_sent_bytes (net) - before < SLACK);
        text[16 * MIB - 5] = '\0';
        s_run (net, clients[i], text); /* as much as there may be */
        text[16 * MIB - 5] = 'x';
    }
    dw_client_destroy (&clients[0]); /* a connection that ends is not counted any more */
    dw_client_destroy (&clients[1]);
    free (text);
}

static void an_output_beyond_the_limit_names_node_and_size (void **state) {
    net_t *net = *state;
    s_add (net, "swell", 0, NULL);
    dw_graph_options (net->graph)->max_payload_bytes = MIB;
    net_open (net, &(dw_system_options_t){.no_actors = true}, false);
    dw_agent_t *agent = net_agent (net, NULL, 1, 0);
    dw_client_t *client = net_client (net, NULL);
    dw_result_t *result = NULL;
    assert_int_equal (dw_client_run_text (client, "x", &result, net->error), DW_OK);
    assert_int_equal (dw_result_status (result), DW_RUN_FAILED);
    assert_int_equal (dw_result_error_code (result, 0), 413);
    const char *message = dw_result_error_message (result, 0);
    assert_non_null (strstr (message, "\"n0\""));
    assert_non_null (strstr (message, "1048581 bytes"));
    assert_non_null (strstr (message, "max_payload_bytes (1048576)"));
    assert_non_null (strstr (message, "executor_options"));
    dw_result_destroy (&result);
    dw_client_destroy (&client);
    dw_agent_close (&agent, -1, NULL);
}

int main (void) {
#define TEST(function) cmocka_unit_test_setup_teardown (function, s_setup, net_teardown)
    const struct CMUnitTest tests[] = {
        TEST (an_input_that_many_tasks_read_travels_once_to_each_slot),
        TEST (an_output_that_many_tasks_read_travels_once_to_each_slot),
        TEST (two_dependencies_of_many_tasks_travel_once_to_each_slot),
        TEST (a_slot_that_takes_the_place_of_another_has_nothing),
        TEST (runs_give_the_same_while_slots_are_killed_and_replaced),
        TEST (a_node_may_read_more_outputs_than_a_message_has_frames),
        TEST (an_input_beyond_16_mib_is_refused_before_it_is_sent),
        TEST (an_output_beyond_the_limit_names_node_and_size),
    };
    for (int i = 0; i < CHILDREN; i++)
        if (dw_child_start (&s_children[i], s_be_worker, NULL, NULL))
            return 1;
    return !!cmocka_run_group_tests_name ("net_payloads", tests, NULL, NULL);
}
