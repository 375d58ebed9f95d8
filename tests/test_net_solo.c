/* test_net_solo.c - worker processes of one slot in one connection, by bare sockets: what they are
 * told, what they may leave out, and what becomes of them when they lie, stop, drain, vanish or
 * come again. */

#include "tests/support/raw_peer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "actors/clock.h"
#include "runtime/briefing.h"
#include "runtime/payload.h"
#include "tests/support/net.h"

static const uint8_t s_nothing[DW_WIRE_TOKEN_SIZE];
static const uint8_t s_uuid[DW_WIRE_UUID_SIZE] = "a solo";

#define SILENCE_MS 10000u /* these workers do not beat, and a busy machine is no fault */

#define ALL "change_text_case_upper", "gate", "reverse_text"

typedef struct s_solo_t {
    net_t *net;
    bool has_keys;
    unsigned silence_ms;
    dw_client_t *client;
    raw_peer_t raw;
    uint32_t peer;
    /* The task taken last, which is a copy. */
    uint64_t ticket;
    uint32_t node, steps;
    char payload[64];
    size_t payload_size;
} s_solo_t;

static int s_set_up_with (void **state, bool has_keys) {
    void *net = NULL;
    if (net_setup (&net))
        return -1;
    s_solo_t *self = calloc (1, sizeof *self);
    assert_non_null (self);
    *self = (s_solo_t){.net = net, .has_keys = has_keys};
    *state = self;
    if (has_keys)
        net_make_keys (net);
    gate_open (self->net->gate);
    return 0;
}

static int s_set_up (void **state) {
    return s_set_up_with (state, false);
}

static int s_set_up_keys (void **state) {
    return s_set_up_with (state, true);
}

static int s_tear_down (void **state) {
    s_solo_t *self = *state;
    void *net = self->net;
    dw_client_destroy (&self->client);
    if (self->raw.socket)
        raw_peer_disconnect (&self->raw);
    free (self);
    return net_teardown (&net);
}

/* ---- Steps ------------------------------------------------------------------------------------ */

static raw_peer_t s_connect (s_solo_t *self, const char *key) {
    net_t *net = self->net;
    return raw_peer_connect_to (net->endpoint, self->has_keys ? net_file (net, key) : NULL,
                                self->has_keys ? net_file (net, "coordinator.key.pub") : NULL);
}

static void s_open_with (s_solo_t *self, unsigned silence_ms) {
    dw_system_options_t options = {.no_actors = true,
                                   .slots_max = 4,
                                   .heartbeat_ms = NET_HEARTBEAT_MS,
                                   .silence_ms = silence_ms};
    self->silence_ms = silence_ms;
    net_open (self->net, &options, self->has_keys);
    self->client = net_client (self->net, self->has_keys ? "client" : NULL);
    self->raw = s_connect (self, "worker");
}

static void s_open (s_solo_t *self) {
    s_open_with (self, SILENCE_MS);
}

typedef struct s_words_t {
    uint32_t slots, credit;
    uint64_t incarnation;
    const char *processors[4];
} s_words_t;

static void s_say_hello (raw_peer_t *raw, const s_words_t *words) {
    dw_writer_t *head = &raw->out.head;
    dw_wire_hello_t hello = {.version = DW_WIRE_VERSION,
                             .oldest = DW_WIRE_OLDEST,
                             .role = DW_WIRE_SOLO,
                             .token = s_nothing,
                             .credit = words->credit};
    dw_wire_agent_t agent = {.uuid = s_uuid,
                             .incarnation = words->incarnation,
                             .slots = words->slots,
                             .pid = 4711,
                             .host = "alone",
                             .host_size = 5};
    while (agent.processors_count < 4 && words->processors[agent.processors_count])
        agent.processors_count++;
    dw_write_hello (head, &hello);
    dw_write_agent (head, &agent);
    for (uint32_t i = 0; i < agent.processors_count; i++)
        dw_write_str (head, words->processors[i], strlen (words->processors[i]));
    dw_write_array (head, 0);
    raw_peer_send (raw);
}

static const uint8_t *s_expect_welcome (s_solo_t *self, raw_peer_t *raw, size_t *size_p) {
    dw_wire_solo_t welcome;
    zmq_msg_t *frame;
    assert_int_equal (raw_peer_receive (raw), DW_WIRE_WELCOME);
    assert_true (dw_read_solo (&raw->reader, &welcome));
    assert_true (dw_wire_reader_is_over (&raw->reader));
    assert_int_equal (welcome.heartbeat_ms, NET_HEARTBEAT_MS);
    assert_int_equal (welcome.silence_ms, self->silence_ms);
    assert_int_equal (welcome.max_payload_bytes, 16 << 20);
    self->peer = welcome.peer;
    return dw_message_resolve (&raw->in, 0, &welcome.nodes, &raw->reader, size_p, &frame);
}

static void s_join (s_solo_t *self, raw_peer_t *raw, uint64_t incarnation) {
    size_t size;
    s_words_t words = {1, 8, incarnation, {ALL}};
    s_say_hello (raw, &words);
    assert_non_null (s_expect_welcome (self, raw, &size));
}

static void s_say (s_solo_t *self, raw_peer_t *raw, uint32_t type) {
    dw_write_uint (&raw->out.head, type);
    dw_write_uint (&raw->out.head, self->peer);
    raw_peer_send (raw);
}

static uint64_t s_submit (s_solo_t *self) {
    uint64_t run = 0;
    dw_submission_t submission = {.payload = "hello", .size = 5, .is_text = true, .wait_ms = -1};
    assert_int_equal (dw_client_submit (self->client, &submission, &run, self->net->error), DW_OK);
    return run;
}

/* The next message has one task. */
static void s_take_task (s_solo_t *self, raw_peer_t *raw) {
    dw_wire_task_t task;
    size_t size = 0, text_size;
    zmq_msg_t *frame;
    assert_int_equal (raw_peer_receive (raw), DW_WIRE_TASKS);
    self->ticket = dw_read_uint (&raw->reader);
    assert_true (dw_read_task (&raw->reader, &task));
    self->node = task.node;
    self->steps = task.steps;
    const uint8_t *bytes = dw_message_resolve (&raw->in, 0, &task.payload, &raw->reader, &size,
                                               &frame);
    const char *text = dw_payload_text (bytes, size, &text_size);
    assert_non_null (text);
    assert_in_range (text_size, 0, sizeof self->payload);
    memcpy (self->payload, text, text_size);
    self->payload_size = text_size;
}

static void s_begin_answers (s_solo_t *self, raw_peer_t *raw) {
    dw_write_uint (&raw->out.head, DW_WIRE_ANSWERS);
    dw_write_uint (&raw->out.head, self->peer);
}

static void s_write_done (s_solo_t *self, raw_peer_t *raw, const char *text, bool is_last) {
    dw_writer_t payload = {0}, *head = &raw->out.head;
    dw_write_str (&payload, text, strlen (text));
    dw_write_uint (head, self->ticket);
    dw_write_uint (head, 0);
    dw_write_uint (head, is_last ? DW_WIRE_DONE : DW_WIRE_MORE);
    dw_write_uint (head, 1000);
    dw_write_uint (head, 1);
    dw_write_bin (head, payload.bytes, payload.count);
    dw_write_nil (head);
    dw_writer_free (&payload);
}

static void s_write_returned (s_solo_t *self, raw_peer_t *raw, uint32_t told) {
    dw_writer_t *head = &raw->out.head;
    dw_write_uint (head, self->ticket);
    dw_write_uint (head, told);
    dw_write_uint (head, DW_WIRE_RETURNED);
    dw_write_uint (head, 0);
}

/* Does one step of the task, and gives back the others. */
static void s_do_one_step (s_solo_t *self, raw_peer_t *raw, const char *text) {
    s_begin_answers (self, raw);
    s_write_done (self, raw, text, self->steps == 1);
    if (self->steps > 1)
        s_write_returned (self, raw, 1);
    raw_peer_send (raw);
}

static void s_serve (s_solo_t *self, raw_peer_t *raw) {
    static const char *const outputs[] = {"HELLO", "HELLO", "OLLEH"};
    for (unsigned node = 0; node < 3; node++) {
        s_take_task (self, raw);
        assert_int_equal (self->node, node);
        assert_memory_equal (self->payload, node == 0 ? "hello" : "HELLO", 5);
        s_do_one_step (self, raw, outputs[node]);
    }
}

static void s_expect_result (s_solo_t *self, uint64_t run) {
    dw_result_t *result = NULL;
    size_t size;
    assert_int_equal (dw_client_wait (self->client, run, 20000, &result), DW_OK);
    assert_int_equal (dw_result_status (result), DW_RUN_OK);
    const char *text = dw_result_text (result, dw_result_find (result, "last"), &size);
    assert_int_equal (size, 5);
    assert_memory_equal (text, "OLLEH", 5);
    for (int node = 0; node < 3; node++)
        assert_int_equal (dw_result_attempts (result, node), 1);
    dw_result_destroy (&result);
}

static void s_wait_for_workers (s_solo_t *self, size_t count) {
    for (int i = 0; i < 1000; i++) {
        dw_status_t *status = net_status (self->client);
        bool ok = status->workers_count == count;
        dw_status_destroy (&status);
        if (ok)
            return;
        usleep (5000);
    }
    fail_msg ("there are not %zu workers", count);
}

static uint64_t s_ignored (s_solo_t *self) {
    dw_status_t *status = net_status (self->client);
    uint64_t count = status->messages_ignored;
    dw_status_destroy (&status);
    return count;
}

/* All that was taken in before was answered. (It is ignored itself.) */
static void s_expect_no_more (raw_peer_t *raw) {
    raw_peer_say_hello (raw, 9, DW_WIRE_CLIENT, s_nothing, 0);
    raw_peer_expect_refused (raw, 400, "not 9");
}

/* ---- It serves -------------------------------------------------------------------------------- */

static void a_solo_is_told_of_its_nodes_all_that_it_needs (void **state) {
    s_solo_t *self = *state;
    int node = dw_graph_add (self->net->graph, "mark", "prefix_suffix_adder");
    dw_graph_depend (self->net->graph, node, "last");
    dw_graph_set_text (self->net->graph, node, "prefix", "<<");
    s_open (self);
    s_words_t words = {1, 8, 1, {ALL, "prefix_suffix_adder"}};
    s_say_hello (&self->raw, &words);
    size_t size = 0;
    const uint8_t *nodes = s_expect_welcome (self, &self->raw, &size);
    dw_wire_reader_t reader = dw_wire_reader (nodes, size);
    static const char *const ids[] = {"upper", "gate", "last", "mark"};
    static const char *const processors[] = {ALL, "prefix_suffix_adder"};
    static const uint32_t reads[] = {0, 1, 0, 0}; /* the stock ones read their payload alone */
    assert_int_equal (dw_read_briefing (&reader), 4);
    for (uint32_t i = 0; i < 4; i++) {
        dw_briefed_t briefed;
        assert_true (dw_read_briefed (&reader, &briefed));
        assert_int_equal (briefed.node, i);
        assert_int_equal (briefed.id_size, strlen (ids[i]));
        assert_memory_equal (briefed.id, ids[i], briefed.id_size);
        assert_int_equal (briefed.processor_size, strlen (processors[i]));
        assert_memory_equal (briefed.processor, processors[i], briefed.processor_size);
        assert_int_equal (briefed.dependencies_count, reads[i]);
        assert_int_equal (briefed.options_size, i == 3 ? 11 : 1);
        assert_memory_equal (briefed.options, i == 3 ? "\x81\xa6prefix\xa2<<" : "\x80",
                             briefed.options_size);
    }
    assert_true (dw_wire_reader_is_over (&reader));
}

static void a_solo_takes_a_chain_step_by_step_and_gives_the_rest_back (void **state) {
    s_solo_t *self = *state;
    s_open (self);
    s_join (self, &self->raw, 1);
    for (int i = 0; i < 3; i++) {
        uint64_t run = s_submit (self);
        s_serve (self, &self->raw);
        s_expect_result (self, run);
    }
}

static void a_solo_and_an_agent_serve_one_graph (void **state) {
    s_solo_t *self = *state;
    s_open (self);
    dw_agent_t *agent = net_agent (self->net, self->has_keys ? "worker" : NULL, 1, 0);
    s_join (self, &self->raw, 1);
    s_wait_for_workers (self, 2);
    uint64_t runs[2] = {s_submit (self), s_submit (self)};
    s_say (self, &self->raw, DW_WIRE_BYE); /* whatever it has been sent it has not begun */
    for (int i = 0; i < 2; i++) {
        dw_result_t *result = NULL;
        assert_int_equal (dw_client_wait (self->client, runs[i], 20000, &result), DW_OK);
        assert_int_equal (dw_result_status (result), DW_RUN_OK);
        dw_result_destroy (&result);
    }
    s_wait_for_workers (self, 1);
    assert_int_equal (dw_agent_close (&agent, -1, self->net->error), DW_OK);
}

static void its_heartbeats_are_answered (void **state) {
    s_solo_t *self = *state;
    s_open (self);
    s_join (self, &self->raw, 1);
    for (int i = 0; i < 5; i++) {
        s_say (self, &self->raw, DW_WIRE_BEAT);
        assert_int_equal (raw_peer_receive (&self->raw), DW_WIRE_BEAT);
    }
}

/* ---- It is refused ---------------------------------------------------------------------------- */

static void a_solo_that_asks_for_what_makes_no_sense_is_refused (void **state) {
    s_solo_t *self = *state;
    s_open (self);
    const struct {
        s_words_t words;
        uint32_t code;
        const char *part;
    } cases[] = {
        {{2, 8, 1, {ALL}}, 400, "makes no sense"},
        {{0, 8, 1, {ALL}}, 400, "makes no sense"},
        {{UINT32_MAX, 8, 1, {ALL}}, 400, "makes no sense"},
        {{1, 0, 1, {ALL}}, 400, "at least one task"},
        {{1, 8, 1, {"gate"}}, 404, "it lacks the processor \"change_text_case_upper\""},
        {{1, 8, 1, {NULL}}, 404, "it lacks"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        s_say_hello (&self->raw, &cases[i].words);
        raw_peer_expect_refused (&self->raw, cases[i].code, cases[i].part);
    }
    raw_peer_say_hello (&self->raw, DW_WIRE_VERSION, DW_WIRE_SOLO, s_nothing, 0); /* and no more */
    raw_peer_expect_refused (&self->raw, 400, "makes no sense");
    s_join (self, &self->raw, 1);
    s_say_hello (&self->raw, &cases[0].words);
    raw_peer_expect_refused (&self->raw, 400, "has said HELLO already");
}

static void of_one_process_only_the_latest_incarnation_is_there (void **state) {
    s_solo_t *self = *state;
    s_open (self);
    s_join (self, &self->raw, 2);
    raw_peer_t again = s_connect (self, "worker");
    s_words_t earlier = {1, 8, 1, {ALL}}, same = {1, 8, 2, {ALL}};
    s_say_hello (&again, &earlier);
    raw_peer_expect_refused (&again, 503, "a later incarnation");
    s_say_hello (&again, &same);
    raw_peer_expect_refused (&again, 503, "a later incarnation");
    uint64_t run = s_submit (self);
    s_take_task (self, &self->raw);
    uint32_t former = self->peer;
    uint64_t ignored = s_ignored (self);
    s_join (self, &again, 3);
    raw_peer_expect_refused (&self->raw, 503, "a later incarnation"); /* it hears that it is out */
    s_serve (self, &again);
    s_expect_result (self, run);
    self->peer = former; /* what it answers is nobody's */
    s_do_one_step (self, &self->raw, "WRONG");
    s_expect_no_more (&self->raw);
    assert_int_equal (s_ignored (self), ignored + 2);
    s_wait_for_workers (self, 1);
    raw_peer_disconnect (&again);
}

static void nobody_joins_as_a_slot_of_a_solo (void **state) {
    s_solo_t *self = *state;
    s_open (self);
    s_join (self, &self->raw, 1);
    raw_peer_t slot = s_connect (self, "worker");
    for (uint32_t number = 0; number < 6; number++) {
        raw_peer_say_hello (&slot, DW_WIRE_VERSION, DW_WIRE_WORKER, s_nothing, number);
        raw_peer_expect_refused (&slot, 400, "no worker of this number");
    }
    raw_peer_disconnect (&slot);
}

/* ---- It goes ---------------------------------------------------------------------------------- */

static void a_solo_that_drains_is_told_to_stop_once (void **state) {
    s_solo_t *self = *state;
    s_open (self);
    s_join (self, &self->raw, 1);
    uint64_t run = s_submit (self);
    s_take_task (self, &self->raw);
    for (int i = 0; i < 3; i++)
        s_say (self, &self->raw, DW_WIRE_DRAIN);
    assert_int_equal (raw_peer_receive (&self->raw), DW_WIRE_STOP);
    s_do_one_step (self, &self->raw, "HELLO"); /* what it was at counts */
    s_say (self, &self->raw, DW_WIRE_BYE);
    raw_peer_say_hello (&self->raw, 9, DW_WIRE_CLIENT, s_nothing, 0);
    uint32_t type = raw_peer_receive (&self->raw);
    if (type ==
        DW_WIRE_TASKS) /* the next one, when its answer was taken in before its BYE had come */
        type = raw_peer_receive (&self->raw);
    assert_int_equal (type, DW_WIRE_REFUSED);
    s_wait_for_workers (self, 0);
    raw_peer_t other = s_connect (self, "worker");
    s_join (self, &other, 2);
    s_take_task (self, &other);
    assert_int_equal (self->node, 1);
    s_do_one_step (self, &other, "HELLO");
    s_take_task (self, &other);
    s_do_one_step (self, &other, "OLLEH");
    s_expect_result (self, run);
    raw_peer_disconnect (&other);
}

static void a_solo_that_is_silent_is_lost_and_what_it_says_later_is_nobodys (void **state) {
    s_solo_t *self = *state;
    s_open_with (self, NET_SILENCE_MS);
    s_join (self, &self->raw, 1);
    uint64_t run = s_submit (self);
    s_take_task (self, &self->raw);
    net_expect_notice (self->net, "was not heard of for 2.");
    dw_agent_t *agent = net_agent (self->net, self->has_keys ? "worker" : NULL, 1, 0);
    dw_result_t *result = NULL;
    assert_int_equal (dw_client_wait (self->client, run, 20000, &result), DW_OK);
    assert_int_equal (dw_result_status (result), DW_RUN_OK);
    assert_int_equal (dw_result_attempts (result, 0), 2);
    dw_result_destroy (&result);
    uint64_t ignored = s_ignored (self);
    s_do_one_step (self, &self->raw, "WRONG");
    s_expect_no_more (&self->raw);
    assert_int_equal (s_ignored (self), ignored + 2);
    assert_int_equal (dw_agent_close (&agent, -1, self->net->error), DW_OK);
}

static void a_solo_whose_connection_is_cut_is_missed_when_it_is_sent_something (void **state) {
    s_solo_t *self = *state;
    s_open (self);
    raw_peer_t first = s_connect (self, "worker");
    s_join (self, &first, 1);
    raw_peer_disconnect (&first);
    usleep (50000);
    uint64_t run = s_submit (self);
    s_join (self, &self->raw, 2);
    s_serve (self, &self->raw);
    s_expect_result (self, run);
}

static void a_solo_that_is_stuck_is_told_that_it_is_forgotten_and_comes_again (void **state) {
    s_solo_t *self = *state;
    dw_graph_node_options (self->net->graph, 0)->timeout_us = 100000;
    dw_graph_node_options (self->net->graph, 0)->retry_attempts = 3;
    s_open (self);
    s_join (self, &self->raw, 1);
    uint64_t run = s_submit (self);
    s_take_task (self, &self->raw);
    uint64_t ticket = self->ticket;
    assert_int_equal (raw_peer_receive (&self->raw), DW_WIRE_CANCEL);
    assert_int_equal (dw_read_uint (&self->raw.reader), ticket);
    assert_int_equal (raw_peer_receive (&self->raw), DW_WIRE_REPLACE);
    net_expect_notice (self->net, " of process 4711 at alone is stuck in node \"");
    raw_peer_t again = s_connect (self, "worker");
    s_join (self, &again, 2);
    s_serve (self, &again);
    dw_result_t *result = NULL;
    assert_int_equal (dw_client_wait (self->client, run, 20000, &result), DW_OK);
    assert_int_equal (dw_result_status (result), DW_RUN_OK);
    assert_int_equal (dw_result_attempts (result, 0), 2);
    dw_result_destroy (&result);
    raw_peer_disconnect (&again);
}

static void a_solo_hears_that_the_coordinator_closes (void **state) {
    s_solo_t *self = *state;
    s_open (self);
    s_join (self, &self->raw, 1);
    dw_client_destroy (&self->client);
    assert_int_equal (dw_system_close (&self->net->system, -1, self->net->error), DW_OK);
    assert_int_equal (raw_peer_receive (&self->raw), DW_WIRE_STOP);
}

/* ---- It lies ---------------------------------------------------------------------------------- */

static void garbage_of_a_solo_harms_nobody (void **state) {
    s_solo_t *self = *state;
    s_open (self);
    s_join (self, &self->raw, 1);
    random_t random = random_from (random_seed ());
    for (int i = 0; i < 500; i++)
        raw_peer_send_garbage (&self->raw, &random);
    raw_peer_t again = s_connect (self, "worker");
    s_join (self, &again, 2);
    uint64_t run = s_submit (self);
    s_serve (self, &again);
    s_expect_result (self, run);
    raw_peer_disconnect (&again);
}

static void answers_that_a_solo_has_given_before_are_counted_and_ignored (void **state) {
    s_solo_t *self = *state;
    s_open (self);
    s_join (self, &self->raw, 1);
    uint64_t run = s_submit (self);
    s_take_task (self, &self->raw);
    s_do_one_step (self, &self->raw, "HELLO");
    for (int i = 0; i < 4; i++)
        s_do_one_step (self, &self->raw, "WRONG");
    s_take_task (self, &self->raw);
    s_do_one_step (self, &self->raw, "HELLO");
    s_take_task (self, &self->raw);
    s_do_one_step (self, &self->raw, "OLLEH");
    s_expect_result (self, run);
    dw_status_t *status = net_status (self->client);
    assert_in_range (status->answers_ignored, 4, 8);
    dw_status_destroy (&status);
}

/* What it was at goes to the next, which is the same process here. */
static void a_solo_that_answers_nonsense_is_told_so_and_put_out_by_name (void **state) {
    s_solo_t *self = *state;
    s_open (self);
    uint64_t run = s_submit (self);
    static const char *const sent[] = {"an answer for a task that it was never sent",
                                       "an answer that cannot be read"};
    for (uint64_t lie = 0; lie < 2; lie++) {
        raw_peer_t liar = s_connect (self, "worker");
        char notice[200];
        s_join (self, &liar, lie + 1);
        s_take_task (self, &liar);
        uint64_t ignored = s_ignored (self);
        s_begin_answers (self, &liar);
        self->ticket += 1 - lie;
        if (lie == 0)
            s_write_done (self, &liar, "WRONG", true);
        else
            dw_write_uint (&liar.out.head, self->ticket);
        raw_peer_send (&liar);
        raw_peer_expect_refused (&liar, 400, "what this worker answers makes no sense");
        snprintf (notice, sizeof notice, "of process 4711 at alone sent %s: it is put out",
                  sent[lie]);
        net_expect_notice (self->net, notice);
        assert_true (s_ignored (self) > ignored);
        s_wait_for_workers (self, 0);
        raw_peer_disconnect (&liar);
    }
    s_join (self, &self->raw, 3);
    s_serve (self, &self->raw);
    dw_result_t *result = NULL;
    assert_int_equal (dw_client_wait (self->client, run, 20000, &result), DW_OK);
    assert_int_equal (dw_result_status (result), DW_RUN_OK);
    assert_int_equal (dw_result_attempts (result, 0), 3);
    dw_result_destroy (&result);
}

static void an_output_of_more_than_max_payload_bytes_fails_by_the_name_of_its_worker (
    void **state) {
    s_solo_t *self = *state;
    s_open (self);
    s_join (self, &self->raw, 1);
    uint64_t run = s_submit (self);
    s_take_task (self, &self->raw);
    char *text = calloc (1, (16 << 20) + 1);
    assert_non_null (text);
    memset (text, 'x', 16 << 20);
    s_do_one_step (self, &self->raw, text);
    free (text);
    dw_result_t *result = NULL;
    assert_int_equal (dw_client_wait (self->client, run, 20000, &result), DW_OK);
    assert_int_equal (dw_result_status (result), DW_RUN_FAILED);
    assert_int_equal (dw_result_error_code (result, 0), 502);
    assert_non_null (strstr (dw_result_error_message (result, 0), "of process 4711 at alone"));
    dw_result_destroy (&result);
    s_wait_for_workers (self, 1);
}

/* What no honest worker says of a task that it was sent. */
static void s_answer_beyond (s_solo_t *self, raw_peer_t *raw, dw_wire_answer_t answer) {
    static const uint8_t graph[] = {0xa1, 'a', 0x90};
    dw_writer_t *head = &raw->out.head;
    uint32_t steps = self->steps + 1;
    s_begin_answers (self, raw);
    dw_write_uint (head, self->ticket);
    dw_write_uint (head, 0);
    dw_write_uint (head, answer);
    dw_write_uint (head, 1000);
    if (answer == DW_WIRE_DONE)
        dw_write_uint (head, steps);
    for (uint32_t i = 0; answer == DW_WIRE_DONE ? i < steps : i < (answer == DW_WIRE_ADDED); i++) {
        dw_write_bin (head, "\xa1x", 2);
        dw_write_nil (head);
    }
    if (answer == DW_WIRE_ADDED)
        dw_write_bin (head, graph, sizeof graph);
    raw_peer_send (raw);
}

static void an_answer_that_its_task_does_not_allow_fails_it_by_the_name_of_its_worker (
    void **state) {
    s_solo_t *self = *state;
    static const struct {
        dw_wire_answer_t answer;
        const char *message;
    } cases[] = {{DW_WIRE_DONE, "its answer is of no step, or of more than it was sent"},
                 {DW_WIRE_SKIPPED, "it ended a branch, which its processor does not promise"},
                 {DW_WIRE_ADDED, "it added a graph, which its node may not"}};
    s_open (self);
    s_join (self, &self->raw, 1);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char message[200];
        dw_result_t *result = NULL;
        uint64_t run = s_submit (self);
        s_take_task (self, &self->raw);
        s_answer_beyond (self, &self->raw, cases[i].answer);
        assert_int_equal (dw_client_wait (self->client, run, 20000, &result), DW_OK);
        assert_int_equal (dw_result_error_code (result, 0), 502);
        snprintf (message, sizeof message, " of process 4711 at alone: %s", cases[i].message);
        assert_non_null (strstr (dw_result_error_message (result, 0), message));
        dw_result_destroy (&result);
    }
    s_wait_for_workers (self, 1);
}

/* ---- Keys ------------------------------------------------------------------------------------- */

static void a_solo_needs_the_key_of_a_worker (void **state) {
    s_solo_t *self = *state;
    s_open (self);
    static const char *const keys[] = {"client", "monitor"};
    for (size_t i = 0; i < 2; i++) {
        raw_peer_t raw = s_connect (self, keys[i]);
        s_words_t words = {1, 8, 1, {ALL}};
        s_say_hello (&raw, &words);
        raw_peer_expect_refused (&raw, 403, "not listed in that role");
        raw_peer_disconnect (&raw);
    }
    s_join (self, &self->raw, 1);
    net_allow (self->net, "c");
    dw_system_reload_keys (self->net->system);
    raw_peer_expect_refused (&self->raw, 403, "taken off the list");
    s_wait_for_workers (self, 0);
}

int main (void) {
#define TEST(name)  cmocka_unit_test_setup_teardown (name, s_set_up, s_tear_down)
#define KEYED(name) cmocka_unit_test_setup_teardown (name, s_set_up_keys, s_tear_down)
    const struct CMUnitTest tests[] = {
        TEST (a_solo_is_told_of_its_nodes_all_that_it_needs),
        TEST (a_solo_takes_a_chain_step_by_step_and_gives_the_rest_back),
        TEST (a_solo_and_an_agent_serve_one_graph),
        TEST (its_heartbeats_are_answered),
        TEST (a_solo_that_asks_for_what_makes_no_sense_is_refused),
        TEST (of_one_process_only_the_latest_incarnation_is_there),
        TEST (nobody_joins_as_a_slot_of_a_solo),
        TEST (a_solo_that_drains_is_told_to_stop_once),
        TEST (a_solo_that_is_silent_is_lost_and_what_it_says_later_is_nobodys),
        TEST (a_solo_whose_connection_is_cut_is_missed_when_it_is_sent_something),
        TEST (a_solo_that_is_stuck_is_told_that_it_is_forgotten_and_comes_again),
        TEST (a_solo_hears_that_the_coordinator_closes),
        TEST (garbage_of_a_solo_harms_nobody),
        TEST (answers_that_a_solo_has_given_before_are_counted_and_ignored),
        TEST (a_solo_that_answers_nonsense_is_told_so_and_put_out_by_name),
        TEST (an_output_of_more_than_max_payload_bytes_fails_by_the_name_of_its_worker),
        TEST (an_answer_that_its_task_does_not_allow_fails_it_by_the_name_of_its_worker),
        KEYED (a_solo_takes_a_chain_step_by_step_and_gives_the_rest_back),
        KEYED (a_solo_needs_the_key_of_a_worker),
    };
    return !!cmocka_run_group_tests_name ("net_solo", tests, NULL, NULL);
}
