/* test_net_hostile.c - a coordinator that listens, among peers that lie, stammer, shout and vanish:
 * it goes on serving an honest client and an honest worker. Without keys on the loopback interface,
 * and with keys that are listed. */

#include "tests/support/raw_peer.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "actors/patience.h"
#include "actors/peers.h"
#include "actors/traits.h"
#include "tests/support/net.h"
#include "tests/support/random.h"
#include "tests/support/wire_records.h"

#define SLOTS_MAX 16u

/* ---- Honest ones ------------------------------------------------------------------------------ */

typedef struct s_hostile_t {
    net_t *net;
    bool has_keys;
    dw_agent_t *agent;
    dw_client_t *client;
} s_hostile_t;

static int s_set_up (void **state, bool has_keys) {
    void *net = NULL;
    if (net_setup (&net))
        return -1;
    s_hostile_t *self = calloc (1, sizeof *self);
    assert_non_null (self);
    *self = (s_hostile_t){.net = net, .has_keys = has_keys};
    *state = self;
    if (has_keys)
        net_make_keys (net);
    gate_open (self->net->gate);
    net_open (net, &(dw_system_options_t){.no_actors = true, .slots_max = SLOTS_MAX}, has_keys);
    self->client = net_client (net, has_keys ? "client" : NULL);
    return 0;
}

static int s_set_up_plain (void **state) {
    return s_set_up (state, false);
}

static int s_set_up_keys (void **state) {
    return s_set_up (state, true);
}

static int s_tear_down (void **state) {
    s_hostile_t *self = *state;
    void *net = self->net;
    dw_client_destroy (&self->client);
    dw_agent_close (&self->agent, -1, NULL);
    free (self);
    return net_teardown (&net);
}

static void s_expect_served (s_hostile_t *self) {
    if (!self->agent)
        self->agent = net_agent (self->net, self->has_keys ? "worker" : NULL, 1, 0);
    for (int i = 0; i < 3; i++)
        net_run (self->net, self->client);
}

static raw_peer_t s_connect (s_hostile_t *self, const char *key) {
    net_t *net = self->net;
    return raw_peer_connect_to (net->endpoint, self->has_keys ? net_file (net, key) : NULL,
                                self->has_keys ? net_file (net, "coordinator.key.pub") : NULL);
}

static dw_wire_agent_t s_agent_record (const uint8_t *uuid, uint64_t incarnation, uint32_t slots) {
    return (dw_wire_agent_t){.uuid = uuid,
                             .incarnation = incarnation,
                             .slots = slots,
                             .pid = 4711,
                             .host = "evil",
                             .host_size = 4};
}

static const uint8_t s_uuid[DW_WIRE_UUID_SIZE] = "an evil process";

typedef struct s_welcome_t {
    uint32_t peer, count, numbers[SLOTS_MAX];
    uint8_t token[DW_WIRE_TOKEN_SIZE];
} s_welcome_t;

static s_welcome_t s_join_as_agent (raw_peer_t *raw, const dw_wire_agent_t *record) {
    dw_wire_welcome_t welcome;
    raw_peer_say_agent (raw, record);
    assert_int_equal (raw_peer_receive (raw), DW_WIRE_WELCOME);
    assert_true (dw_read_welcome (&raw->reader, &welcome));
    s_welcome_t self = {.peer = welcome.peer, .count = welcome.workers_count};
    assert_in_range (self.count, 1, SLOTS_MAX);
    for (uint32_t i = 0; i < self.count; i++)
        self.numbers[i] = dw_read_uint_max (&raw->reader, UINT32_MAX);
    dw_read_uint (&raw->reader); /* lanes, and what it says of its processors */
    dw_traits_t *traits = NULL;
    assert_int_equal (dw_traits_read (&traits, &raw->reader), DW_OK);
    dw_traits_destroy (&traits);
    assert_true (dw_wire_reader_is_over (&raw->reader));
    memcpy (self.token, welcome.token, sizeof self.token);
    return self;
}

static const uint8_t s_no_token[DW_WIRE_TOKEN_SIZE];

static uint32_t s_join_as_client (raw_peer_t *raw) {
    raw_peer_say_hello (raw, DW_WIRE_VERSION, DW_WIRE_CLIENT, s_no_token, 0);
    assert_int_equal (raw_peer_receive (raw), DW_WIRE_WELCOME);
    return dw_read_uint_max (&raw->reader, UINT32_MAX);
}

static uint32_t s_join_as_slot (raw_peer_t *raw, const s_welcome_t *welcome, uint32_t slot) {
    raw_peer_say_hello (raw, DW_WIRE_VERSION, DW_WIRE_WORKER, welcome->token,
                        welcome->numbers[slot]);
    assert_int_equal (raw_peer_receive (raw), DW_WIRE_WELCOME);
    return dw_read_uint_max (&raw->reader, UINT32_MAX);
}

/* What comes after all that was taken in behind it; nothing else has come before. */
static void s_expect_no_answer (raw_peer_t *raw) {
    raw_peer_say_hello (raw, 9, DW_WIRE_CLIENT, s_no_token, 0);
    raw_peer_expect_refused (raw, 400, "not 9");
}

static void s_say (raw_peer_t *raw, uint32_t type, uint32_t peer) {
    dw_write_uint (&raw->out.head, type);
    dw_write_uint (&raw->out.head, peer);
    raw_peer_send (raw);
}

static uint64_t s_ignored_count (s_hostile_t *self) {
    dw_status_t *status = net_status (self->client);
    uint64_t count = status->messages_ignored;
    dw_status_destroy (&status);
    return count;
}

/* ---- HELLO ------------------------------------------------------------------------------------ */

static void an_agent_that_asks_for_nonsense_is_refused (void **state) {
    s_hostile_t *self = *state;
    raw_peer_t raw = s_connect (self, "worker");
    char host[300];
    memset (host, 'h', sizeof host);
    dw_wire_agent_t record = s_agent_record (s_uuid, 1, 0);
    raw_peer_say_agent (&raw, &record);
    raw_peer_expect_refused (&raw, 400, "makes no sense");
    record.slots = UINT32_MAX;
    raw_peer_say_agent (&raw, &record);
    raw_peer_expect_refused (&raw, 503, "raise the coordinator's slots_max");
    record.slots = SLOTS_MAX + 1;
    raw_peer_say_agent (&raw, &record);
    raw_peer_expect_refused (&raw, 503, "raise the coordinator's slots_max");
    record.slots = 1;
    record.host = host;
    record.host_size = 256;
    raw_peer_say_agent (&raw, &record);
    raw_peer_expect_refused (&raw, 400, "makes no sense");
    s_expect_served (self);
    record.host_size = 255;
    s_join_as_agent (&raw, &record);
    raw_peer_say_agent (&raw, &record);
    raw_peer_expect_refused (&raw, 400, "said HELLO already");
    s_expect_served (self);
    raw_peer_disconnect (&raw);
}

/* A HELLO that offers so many processors of such a name, and says so many tags of one byte each. */
static void s_say_offer (raw_peer_t *raw, uint32_t processors, size_t name_size, uint32_t tags) {
    static char name[300];
    dw_wire_hello_t hello = {
        .version = DW_WIRE_VERSION, .role = DW_WIRE_AGENT, .token = s_no_token};
    dw_wire_agent_t record = s_agent_record (s_uuid, 1, 1);
    memset (name, 'n', sizeof name);
    record.processors_count = processors;
    dw_write_hello (&raw->out.head, &hello);
    dw_write_agent (&raw->out.head, &record);
    for (uint32_t i = 0; i < processors; i++)
        dw_write_str (&raw->out.head, name, name_size);
    dw_write_array (&raw->out.head, tags);
    for (uint32_t i = 0; i < 2 * tags; i++)
        dw_write_str (&raw->out.head, "t", 1);
    raw_peer_send (raw);
}

static void an_agent_that_offers_too_much_or_nothing_is_refused (void **state) {
    s_hostile_t *self = *state;
    raw_peer_t raw = s_connect (self, "worker");
    s_say_offer (&raw, DW_WIRE_OFFERED_MAX + 1, 1, 0);
    raw_peer_expect_refused (&raw, 400, "makes no sense");
    s_say_offer (&raw, 1, DW_WIRE_NAME_MAX + 1, 0);
    raw_peer_expect_refused (&raw, 400, "makes no sense");
    s_say_offer (&raw, 1, 1, DW_WIRE_TAGS_MAX + 1);
    raw_peer_expect_refused (&raw, 400, "makes no sense");
    s_say_offer (&raw, DW_WIRE_OFFERED_MAX, DW_WIRE_NAME_MAX, DW_WIRE_TAGS_MAX);
    raw_peer_expect_refused (&raw, 404, "could run none of the graph's nodes: it lacks");
    s_say_offer (&raw, 0, 0, 0);
    raw_peer_expect_refused (&raw, 404, "it lacks the processor \"change_text_case_upper\"");
    s_expect_served (self);
    raw_peer_disconnect (&raw);
}

static void a_host_that_is_no_name_is_told_in_plain_characters (void **state) {
    s_hostile_t *self = *state;
    raw_peer_t raw = s_connect (self, "worker");
    dw_wire_agent_t record = s_agent_record (s_uuid, 1, 1);
    record.host = "a\nb\x1b[2J\0\xff";
    record.host_size = 9;
    s_join_as_agent (&raw, &record);
    net_expect_notice (self->net, "the worker at a?b?[2J?? (process 4711) was not heard of");
    raw_peer_disconnect (&raw);
    s_expect_served (self);
}

static void a_slot_is_its_agents_by_number_and_token_alone (void **state) {
    s_hostile_t *self = *state;
    raw_peer_t agent = s_connect (self, "worker"), slot = s_connect (self, "worker");
    dw_wire_agent_t record = s_agent_record (s_uuid, 1, 2);
    s_expect_served (self);
    s_welcome_t welcome = s_join_as_agent (&agent, &record);
    for (uint32_t number = 0; number < SLOTS_MAX + 4; number++)
        if (number != welcome.numbers[0] && number != welcome.numbers[1]) {
            raw_peer_say_hello (&slot, DW_WIRE_VERSION, DW_WIRE_WORKER, welcome.token, number);
            raw_peer_expect_refused (&slot, 400, "no worker of this number");
        }
    static const uint32_t numbers[] = {1u << 16, INT32_MAX, UINT32_MAX};
    for (size_t i = 0; i < 3; i++) {
        raw_peer_say_hello (&slot, DW_WIRE_VERSION, DW_WIRE_WORKER, welcome.token, numbers[i]);
        raw_peer_expect_refused (&slot, 400, "no worker of this number");
    }
    raw_peer_say_hello (&slot, DW_WIRE_VERSION, DW_WIRE_WORKER, s_no_token, welcome.numbers[0]);
    raw_peer_expect_refused (&slot, 400, "no worker of this number");
    for (unsigned bit = 0; bit < 8 * DW_WIRE_TOKEN_SIZE; bit++) {
        uint8_t token[DW_WIRE_TOKEN_SIZE];
        memcpy (token, welcome.token, sizeof token);
        token[bit / 8] ^= (uint8_t) (1u << bit % 8);
        raw_peer_say_hello (&slot, DW_WIRE_VERSION, DW_WIRE_WORKER, token, welcome.numbers[1]);
        raw_peer_expect_refused (&slot, 400, "no worker of this number");
    }
    s_join_as_slot (&slot, &welcome, 0);
    raw_peer_say_hello (&slot, DW_WIRE_VERSION, DW_WIRE_WORKER, welcome.token, welcome.numbers[1]);
    raw_peer_expect_refused (&slot, 400, "said HELLO already");
    raw_peer_disconnect (&slot);
    raw_peer_disconnect (&agent);
    s_expect_served (self);
}

static void a_slot_that_comes_again_takes_the_place_of_the_former (void **state) {
    s_hostile_t *self = *state;
    raw_peer_t agent = s_connect (self, "worker");
    dw_wire_agent_t record = s_agent_record (s_uuid, 1, 1);
    s_welcome_t welcome = s_join_as_agent (&agent, &record);
    for (int i = 0; i < 20; i++) {
        raw_peer_t former = s_connect (self, "worker"), next = s_connect (self, "worker");
        uint32_t peer = s_join_as_slot (&former, &welcome, 0);
        s_join_as_slot (&next, &welcome, 0);
        assert_int_equal (raw_peer_receive (&former), DW_WIRE_STOP);
        uint64_t before = s_ignored_count (self);
        s_say (&former, DW_WIRE_BYE, peer);
        s_expect_no_answer (&former);
        assert_true (s_ignored_count (self) > before); /* its number may be the other's now */
        raw_peer_disconnect (&former);
        raw_peer_disconnect (&next);
    }
    s_say (&agent, DW_WIRE_BYE, welcome.peer);
    raw_peer_disconnect (&agent);
    s_expect_served (self);
}

static void a_slot_shows_the_key_of_its_agent (void **state) {
    s_hostile_t *self = *state;
    net_t *net = self->net;
    if (!self->has_keys)
        return;
    net_make_key (net, "second");
    net_allow_also (net, "worker", "second");
    dw_system_reload_keys (net->system);
    net_expect_notice (net, "was read");
    raw_peer_t agent = s_connect (self, "worker"), slot = s_connect (self, "second");
    dw_wire_agent_t record = s_agent_record (s_uuid, 1, 1);
    s_welcome_t welcome = s_join_as_agent (&agent, &record);
    raw_peer_say_hello (&slot, DW_WIRE_VERSION, DW_WIRE_WORKER, welcome.token, welcome.numbers[0]);
    raw_peer_expect_refused (&slot, 400, "no worker of this number");
    raw_peer_disconnect (&slot);
    raw_peer_disconnect (&agent);
    s_expect_served (self);
}

static void a_role_that_is_not_to_be_had_is_refused (void **state) {
    s_hostile_t *self = *state;
    raw_peer_t raw = s_connect (self, "worker");
    raw_peer_say_hello (&raw, DW_WIRE_VERSION, DW_WIRE_OWNER, s_no_token, 0);
    raw_peer_expect_refused (&raw, 403, "role");
    raw_peer_say_hello (&raw, DW_WIRE_VERSION, 0, s_no_token, 0);
    raw_peer_expect_refused (&raw, 403, "role");
    raw_peer_say_hello (&raw, DW_WIRE_VERSION, DW_WIRE_AGENT, s_no_token, 0); /* and no more */
    raw_peer_expect_refused (&raw, 400, "makes no sense");
    raw_peer_disconnect (&raw);
    s_expect_served (self);
}

/* ---- Fencing ---------------------------------------------------------------------------------- */

static void a_later_incarnation_fences_and_no_other_does (void **state) {
    s_hostile_t *self = *state;
    raw_peer_t first = s_connect (self, "worker"), second = s_connect (self, "worker");
    raw_peer_t slot = s_connect (self, "worker");
    dw_wire_agent_t record = s_agent_record (s_uuid, 5, 1);
    s_welcome_t old = s_join_as_agent (&first, &record);
    s_join_as_slot (&slot, &old, 0);
    for (record.incarnation = 0; record.incarnation <= 5; record.incarnation++) {
        raw_peer_say_agent (&second, &record);
        raw_peer_expect_refused (&second, 503, "a later incarnation");
    }
    s_say (&first, DW_WIRE_BEAT, old.peer);
    assert_int_equal (raw_peer_receive (&first), DW_WIRE_BEAT);
    s_welcome_t fresh = s_join_as_agent (&second, &record);
    assert_memory_not_equal (old.token, fresh.token, sizeof old.token);
    raw_peer_expect_refused (&first, 503, "a later incarnation"); /* and from then on nothing */
    uint64_t before = s_ignored_count (self);
    s_say (&first, DW_WIRE_BEAT, old.peer);
    s_say (&first, DW_WIRE_BYE, old.peer);
    s_say (&first, DW_WIRE_DRAIN, fresh.peer);
    s_expect_no_answer (&first);
    raw_peer_t late = s_connect (self, "worker");
    raw_peer_say_hello (&late, DW_WIRE_VERSION, DW_WIRE_WORKER, old.token, old.numbers[0]);
    raw_peer_expect_refused (&late, 400, "no worker of this number");
    assert_int_equal (s_ignored_count (self) - before, 3 + 1 + 1);
    s_say (&second, DW_WIRE_BEAT, fresh.peer);
    assert_int_equal (raw_peer_receive (&second), DW_WIRE_BEAT);
    raw_peer_disconnect (&late);
    raw_peer_disconnect (&slot);
    raw_peer_disconnect (&second);
    raw_peer_disconnect (&first);
    s_expect_served (self);
}

/* ---- Who may say what ------------------------------------------------------------------------- */

/* Every type in the name of every peer, with nonsense behind it. */
static void s_say_everything (raw_peer_t *raw, random_t *random, uint32_t own) {
    for (uint32_t type = 0; type <= DW_WIRE_TYPES + 1; type++)
        for (uint32_t peer = 0; peer < 12; peer++) {
            if (peer == own)
                continue;
            dw_write_uint (&raw->out.head, type);
            dw_write_uint (&raw->out.head, peer);
            for (uint32_t i = random_below (random, 20); i > 0; i--)
                dw_write_byte (&raw->out.head, (uint8_t) random_next (random));
            raw_peer_send (raw);
        }
}

static void in_the_name_of_others_nobody_says_anything (void **state) {
    s_hostile_t *self = *state;
    random_t random = random_from (random_seed ());
    s_expect_served (self);
    raw_peer_t nobody = s_connect (self, "client"), client = s_connect (self, "client");
    raw_peer_t agent = s_connect (self, "worker"), slot = s_connect (self, "worker");
    dw_wire_agent_t record = s_agent_record (s_uuid, 1, 1);
    uint32_t client_peer = s_join_as_client (&client);
    s_welcome_t welcome = s_join_as_agent (&agent, &record);
    uint32_t slot_peer = s_join_as_slot (&slot, &welcome, 0);
    for (int i = 0; i < 20; i++) {
        s_say_everything (&nobody, &random, UINT32_MAX);
        s_say_everything (&client, &random, client_peer);
        s_say_everything (&agent, &random, welcome.peer);
        s_say_everything (&slot, &random, slot_peer);
    }
    raw_peer_disconnect (&slot);
    raw_peer_disconnect (&agent);
    raw_peer_disconnect (&client);
    raw_peer_disconnect (&nobody);
    s_expect_served (self);
    dw_status_t *status = net_status (self->client);
    assert_true (status->messages_ignored > 1000);
    dw_status_destroy (&status);
}

static void what_a_role_may_not_say_is_counted_and_not_answered (void **state) {
    static const uint32_t not_client[] = {DW_WIRE_ANSWERS, DW_WIRE_DRAIN, DW_WIRE_REPLACE,
                                          DW_WIRE_STOP,    DW_WIRE_CLOSE, DW_WIRE_COUNT,
                                          DW_WIRE_RELOAD,  DW_WIRE_TASKS};
    static const uint32_t not_agent[] = {DW_WIRE_ANSWERS, DW_WIRE_SUBMIT,  DW_WIRE_ABORT,
                                         DW_WIRE_STATUS,  DW_WIRE_REPLACE, DW_WIRE_STOP,
                                         DW_WIRE_CLOSE,   DW_WIRE_COUNT,   DW_WIRE_RELOAD};
    static const uint32_t not_slot[] = {DW_WIRE_REPLACE, DW_WIRE_DRAIN, DW_WIRE_STATUS,
                                        DW_WIRE_SUBMIT,  DW_WIRE_ABORT, DW_WIRE_RELOAD};
    s_hostile_t *self = *state;
    s_expect_served (self);
    raw_peer_t client = s_connect (self, "client");
    raw_peer_t agent = s_connect (self, "worker"), slot = s_connect (self, "worker");
    dw_wire_agent_t record = s_agent_record (s_uuid, 1, 1);
    uint32_t client_peer = s_join_as_client (&client);
    s_welcome_t welcome = s_join_as_agent (&agent, &record);
    uint32_t slot_peer = s_join_as_slot (&slot, &welcome, 0);
    uint64_t before = s_ignored_count (self);
    for (size_t i = 0; i < sizeof not_client / sizeof *not_client; i++)
        s_say (&client, not_client[i], client_peer);
    for (size_t i = 0; i < sizeof not_agent / sizeof *not_agent; i++)
        s_say (&agent, not_agent[i], welcome.peer);
    for (size_t i = 0; i < sizeof not_slot / sizeof *not_slot; i++)
        s_say (&slot, not_slot[i], slot_peer);
    s_expect_no_answer (&client);
    s_expect_no_answer (&agent);
    s_expect_no_answer (&slot);
    assert_int_equal (s_ignored_count (self) - before, 8 + 9 + 6 + 3);
    s_say (&slot, DW_WIRE_BEAT, slot_peer); /* what it may say is answered */
    assert_int_equal (raw_peer_receive (&slot), DW_WIRE_BEAT);
    raw_peer_disconnect (&slot);
    raw_peer_disconnect (&agent);
    raw_peer_disconnect (&client);
    s_expect_served (self);
}

static void garbage_is_passed_over (void **state) {
    s_hostile_t *self = *state;
    random_t random = random_from (random_seed ());
    raw_peer_t raw = s_connect (self, "worker");
    for (int i = 0; i < 5000; i++) {
        raw_peer_send_garbage (&raw, &random);
        if (i % 1000 == 0)
            s_expect_served (self);
    }
    raw_peer_disconnect (&raw);
    s_expect_served (self);
}

/* Refusals that have come, until nothing more does. */
static unsigned s_count_refusals (raw_peer_t *raw) {
    zmq_pollitem_t item = {.socket = raw->socket, .events = ZMQ_POLLIN};
    unsigned count = 0;
    while (zmq_poll (&item, 1, 300) == 1)
        count += raw_peer_receive (raw) == DW_WIRE_REFUSED;
    return count;
}

static void who_is_refused_again_and_again_is_answered_so_often_and_then_cut_off (void **state) {
    s_hostile_t *self = *state;
    raw_peer_t raw = s_connect (self, "client");
    char monitor[] = "inproc://cut";
    assert_int_equal (zmq_socket_monitor (raw.socket, monitor, ZMQ_EVENT_DISCONNECTED), 0);
    void *events = zmq_socket (raw.context, ZMQ_PAIR);
    assert_int_equal (zmq_connect (events, monitor), 0);
    zmq_pollitem_t item = {.socket = events, .events = ZMQ_POLLIN};
    s_expect_served (self);

    unsigned sent = DW_PATIENCE_BURST + DW_PATIENCE_EXCESS / 2;
    int64_t begin_ms = now_ms ();
    for (unsigned i = 0; i < sent; i++)
        raw_peer_say_hello (&raw, 9, DW_WIRE_CLIENT, s_no_token, 0);
    unsigned answered = s_count_refusals (&raw);
    unsigned more = (unsigned) (now_ms () - begin_ms) * DW_PATIENCE_RATE / 1000 + 1;
    assert_in_range (answered, DW_PATIENCE_BURST, DW_PATIENCE_BURST + more);
    assert_int_equal (zmq_poll (&item, 1, 0), 0);
    assert_in_range (s_ignored_count (self), sent, sent + 10);

    for (unsigned i = 0; i < DW_PATIENCE_EXCESS; i++)
        raw_peer_say_hello (&raw, 9, DW_WIRE_CLIENT, s_no_token, 0);
    assert_int_equal (zmq_poll (&item, 1, 5000), 1);
    printf ("%u of %u refused messages were answered, the connection cut after at most %u\n",
            answered, sent, DW_PATIENCE_BURST + DW_PATIENCE_EXCESS + 2 * more);
    s_expect_served (self); /* whose connections are their own */
    zmq_socket_monitor (raw.socket, NULL, 0);
    zmq_close (events);
    raw_peer_disconnect (&raw);
}

/* ---- Answers ---------------------------------------------------------------------------------- */

static void s_answer (raw_peer_t *slot, uint32_t peer, uint64_t ticket, const char *payload) {
    dw_ref_t refs[] = {{.bytes = (const uint8_t *) payload, .size = strlen (payload)},
                       {.frame = 0}};
    dw_wire_answer_record_t done = {
        .ticket = ticket, .answer = DW_WIRE_DONE, .duration_ns = 1, .steps = 1};
    dw_write_uint (&slot->out.head, DW_WIRE_ANSWERS);
    dw_write_uint (&slot->out.head, peer);
    wire_write_answer (&slot->out.head, &done, refs);
    raw_peer_send (slot);
}

/* A slot that has one task under way. */
typedef struct s_holder_t {
    raw_peer_t agent, slot;
    s_welcome_t welcome;
    uint32_t peer;
    uint64_t run, ticket;
} s_holder_t;

static s_holder_t s_hold (s_hostile_t *self, uint64_t incarnation) {
    s_holder_t holder = {.agent = s_connect (self, "worker"), .slot = s_connect (self, "worker")};
    dw_wire_agent_t record = s_agent_record (s_uuid, incarnation, 1);
    dw_submission_t submission = {.payload = "hello", .size = 5, .is_text = true};
    holder.welcome = s_join_as_agent (&holder.agent, &record);
    holder.peer = s_join_as_slot (&holder.slot, &holder.welcome, 0);
    assert_int_equal (dw_client_submit (self->client, &submission, &holder.run, NULL), DW_OK);
    assert_int_equal (raw_peer_receive (&holder.slot), DW_WIRE_TASKS);
    holder.ticket = dw_read_uint (&holder.slot.reader);
    return holder;
}

static void s_drop (s_holder_t *holder) {
    raw_peer_disconnect (&holder->slot);
    raw_peer_disconnect (&holder->agent);
}

/* It was put out: its agent is to make another, people know who it was, and what it goes on saying
 * is nobody's. */
static void s_expect_put_out (s_hostile_t *self, s_holder_t *holder, const char *what) {
    char notice[200];
    uint64_t ignored = s_ignored_count (self);
    snprintf (notice, sizeof notice, "of process 4711 at evil sent %s: it is put out", what);
    net_expect_notice (self->net, notice);
    assert_int_equal (raw_peer_receive (&holder->agent), DW_WIRE_REPLACE);
    assert_int_equal (dw_read_uint (&holder->agent.reader), holder->welcome.numbers[0]);
    s_answer (&holder->slot, holder->peer, holder->ticket, "\xa5WRONG");
    s_expect_no_answer (&holder->slot);
    assert_true (s_ignored_count (self) > ignored);
}

static void a_slot_that_answers_nonsense_is_put_out_by_name_and_its_task_goes_elsewhere (
    void **state) {
    s_hostile_t *self = *state;
    for (uint64_t lie = 1; lie <= 4; lie++) {
        s_holder_t holder = s_hold (self, lie);
        dw_result_t *result = NULL;
        size_t size;
        if (lie == 1)
            s_answer (&holder.slot, holder.peer, holder.ticket + 1,
                      "\xa6"
                      "forged");
        else if (lie == 2)
            s_answer (&holder.slot, holder.peer, holder.ticket, "\xc1");
        else
            s_say (&holder.slot, DW_WIRE_ANSWERS, holder.peer);
        if (lie > 2)
            s_expect_no_answer (&holder.slot); /* one without an answer is none that lies */
        if (lie > 2) {
            dw_write_uint (&holder.slot.out.head, DW_WIRE_ANSWERS);
            dw_write_uint (&holder.slot.out.head, holder.peer);
            dw_write_uint (&holder.slot.out.head, holder.ticket);
            raw_peer_send_bytes (&holder.slot, lie == 3 ? "" : "\x00\xc1", lie == 3 ? 0 : 2);
        }
        static const char *const said[] = {
            "an answer for a task that it was never sent", "an output that is no value of msgpack",
            "an answer that cannot be read", "an answer that cannot be read"};
        s_expect_put_out (self, &holder, said[lie - 1]);
        s_expect_served (self);
        assert_int_equal (dw_client_wait (self->client, holder.run, 10000, &result), DW_OK);
        assert_int_equal (dw_result_status (result), DW_RUN_OK);
        const char *text = dw_result_text (result, dw_result_find (result, "last"), &size);
        assert_int_equal (size, 5);
        assert_memory_equal (text, "OLLEH", 5);
        dw_result_destroy (&result);
        s_drop (&holder);
        assert_int_equal (dw_agent_close (&self->agent, -1, NULL), DW_OK);
    }
    s_expect_served (self);
}

/* As an honest one may say them: again, behind a cut, or too late. */
static void answers_that_were_given_before_are_counted_and_nobody_is_put_out_for_them (
    void **state) {
    s_hostile_t *self = *state;
    s_holder_t holder = s_hold (self, 1);
    for (int i = 0; i < 100; i++)
        s_answer (&holder.slot, holder.peer, holder.ticket, "\xa5HELLO");
    for (int node = 1; node < 3; node++) { /* its chain goes on with tasks of their own */
        assert_int_equal (raw_peer_receive (&holder.slot), DW_WIRE_TASKS);
        uint64_t last = dw_read_uint (&holder.slot.reader);
        for (uint64_t ticket = holder.ticket; ticket <= last; ticket++)
            s_answer (&holder.slot, holder.peer, ticket, "\xa5OLLEH");
    }
    dw_result_t *result = NULL;
    assert_int_equal (dw_client_wait (self->client, holder.run, 10000, &result), DW_OK);
    assert_int_equal (dw_result_status (result), DW_RUN_OK);
    dw_result_destroy (&result);
    dw_status_t *status = net_status (self->client);
    assert_true (status->answers_ignored >= 100);
    assert_int_equal (status->workers_count, 1);
    dw_status_destroy (&status);
    s_drop (&holder);
    net_expect_notice (self->net, "the worker at evil");
    s_expect_served (self);
}

/* An answer that brings a graph, of a node that may not become one, and again. */
static void s_answer_added (raw_peer_t *slot, uint32_t peer, uint64_t ticket) {
    static const char addition[] = "\xa1"
                                   "a"
                                   "\x90";
    const dw_ref_t refs[] = {{.bytes = (const uint8_t *) "\xa1x", .size = 2},
                             {.frame = 0},
                             {.bytes = (const uint8_t *) addition, .size = sizeof addition - 1}};
    dw_wire_answer_record_t added = {.ticket = ticket, .answer = DW_WIRE_ADDED, .duration_ns = 1};
    dw_write_uint (&slot->out.head, DW_WIRE_ANSWERS);
    dw_write_uint (&slot->out.head, peer);
    wire_write_answer (&slot->out.head, &added, refs);
    raw_peer_send (slot);
}

static void a_graph_that_is_not_to_be_added_is_counted_or_fails_its_task (void **state) {
    s_hostile_t *self = *state;
    raw_peer_t agent = s_connect (self, "worker"), slot = s_connect (self, "worker");
    dw_wire_agent_t record = s_agent_record (s_uuid, 1, 1);
    s_welcome_t welcome = s_join_as_agent (&agent, &record);
    uint32_t peer = s_join_as_slot (&slot, &welcome, 0);
    dw_submission_t submission = {.payload = "hello", .size = 5, .is_text = true};
    uint64_t run;
    assert_int_equal (dw_client_submit (self->client, &submission, &run, NULL), DW_OK);
    s_say (&agent, DW_WIRE_BEAT, welcome.peer);
    assert_int_equal (raw_peer_receive (&slot), DW_WIRE_TASKS);
    uint64_t ticket = dw_read_uint (&slot.reader);
    s_answer_added (&slot, peer, ticket);
    s_answer_added (&slot, peer, ticket);
    dw_result_t *result = NULL;
    assert_int_equal (dw_client_wait (self->client, run, 10000, &result), DW_OK);
    assert_int_equal (dw_result_error_code (result, dw_result_find (result, "upper")), 502);
    dw_result_destroy (&result);
    dw_status_t *status = net_status (self->client);
    assert_true (status->answers_ignored >= 1);
    dw_status_destroy (&status);
    raw_peer_disconnect (&slot);
    raw_peer_disconnect (&agent);
    net_expect_notice (self->net, "the worker at evil");
    s_expect_served (self);
}

/* A slot whose connection is gone is forgotten when it is sent something, or when another comes in
 * its place, again and again: what is kept of it does not grow. */
static void slots_that_vanish_with_their_tasks_leave_nothing_behind (void **state) {
    s_hostile_t *self = *state;
    raw_peer_t agent = s_connect (self, "worker");
    dw_wire_agent_t record = s_agent_record (s_uuid, 1, 1);
    s_welcome_t welcome = s_join_as_agent (&agent, &record);
    uint32_t first_peer = UINT32_MAX;
    for (int i = 0; i < 20; i++) {
        raw_peer_t slot = s_connect (self, "worker");
        uint32_t peer = s_join_as_slot (&slot, &welcome, 0);
        if (first_peer == UINT32_MAX)
            first_peer = peer;
        assert_true (peer <= first_peer + 1);
        raw_peer_disconnect (&slot);
        dw_submission_t submission = {.payload = "hello", .size = 5, .is_text = true};
        uint64_t run;
        usleep (30000); /* until the coordinator's ZeroMQ has seen it */
        assert_int_equal (dw_client_submit (self->client, &submission, &run, NULL), DW_OK);
        s_say (&agent, DW_WIRE_BEAT, welcome.peer);
        assert_int_equal (raw_peer_receive (&agent), DW_WIRE_BEAT);
        dw_client_cancel (self->client, run);
        dw_result_t *result = NULL;
        assert_int_equal (dw_client_wait (self->client, run, 10000, &result), DW_OK);
        dw_result_destroy (&result);
    }
    s_say (&agent, DW_WIRE_BYE, welcome.peer);
    raw_peer_disconnect (&agent);
    s_expect_served (self);
}

/* ---- Places ----------------------------------------------------------------------------------- */

static void s_wait_for_workers (s_hostile_t *self, size_t count) {
    for (int i = 0; i < 500; i++) {
        dw_status_t *status = net_status (self->client);
        bool ok = status->workers_count == count;
        dw_status_destroy (&status);
        if (ok)
            return;
        usleep (10000);
    }
    fail_msg ("there are not %zu workers", count);
}

static void places_of_agents_that_vanish_come_back (void **state) {
    s_hostile_t *self = *state;
    s_expect_served (self);
    for (unsigned i = 0; i < 60; i++) {
        uint8_t uuid[DW_WIRE_UUID_SIZE] = {(uint8_t) i, 1};
        raw_peer_t raw = s_connect (self, "worker");
        dw_wire_agent_t record = s_agent_record (uuid, 1, 4);
        raw_peer_say_agent (&raw, &record);
        uint32_t type = raw_peer_receive (&raw); /* welcome, until there are no places left */
        assert_true (type == DW_WIRE_WELCOME || type == DW_WIRE_REFUSED);
        raw_peer_disconnect (&raw);
        if (i % 10 == 0)
            s_expect_served (self);
    }
    s_wait_for_workers (self, 1);
    raw_peer_t raw = s_connect (self, "worker");
    dw_wire_agent_t record = s_agent_record (s_uuid, 1, SLOTS_MAX - 1);
    s_join_as_agent (&raw, &record);
    raw_peer_disconnect (&raw);
    s_expect_served (self);
}

/* Nobody takes them away: slots_max is the bound, and that the key can be. */
static void an_agent_that_never_starts_its_slots_keeps_their_places_while_it_beats (void **state) {
    s_hostile_t *self = *state;
    s_expect_served (self);
    raw_peer_t raw = s_connect (self, "worker"), other = s_connect (self, "worker");
    dw_wire_agent_t record = s_agent_record (s_uuid, 1, SLOTS_MAX - 1);
    s_welcome_t welcome = s_join_as_agent (&raw, &record);
    static const uint8_t uuid[DW_WIRE_UUID_SIZE] = "honest";
    record = s_agent_record (uuid, 1, 1);
    for (int i = 0; i < 30; i++) {
        s_say (&raw, DW_WIRE_BEAT, welcome.peer);
        assert_int_equal (raw_peer_receive (&raw), DW_WIRE_BEAT);
        raw_peer_say_agent (&other, &record);
        raw_peer_expect_refused (&other, 503, "slots_max");
        s_expect_served (self);
        usleep (NET_HEARTBEAT_MS * 1000);
    }
    s_wait_for_workers (self, 1); /* it has fallen silent */
    s_join_as_agent (&other, &record);
    raw_peer_disconnect (&other);
    raw_peer_disconnect (&raw);
    s_expect_served (self);
}

/* ---- Draining --------------------------------------------------------------------------------- */

static void an_agent_may_drain_again_and_again (void **state) {
    s_hostile_t *self = *state;
    raw_peer_t agent = s_connect (self, "worker"), slot = s_connect (self, "worker");
    raw_peer_t late = s_connect (self, "worker");
    dw_wire_agent_t record = s_agent_record (s_uuid, 1, 2);
    s_welcome_t welcome = s_join_as_agent (&agent, &record);
    uint32_t peer = s_join_as_slot (&slot, &welcome, 0);
    for (int i = 0; i < 1000; i++)
        s_say (&agent, DW_WIRE_DRAIN, welcome.peer);
    assert_int_equal (raw_peer_receive (&slot), DW_WIRE_STOP);
    s_expect_no_answer (&slot); /* it is told once */
    raw_peer_say_hello (&late, DW_WIRE_VERSION, DW_WIRE_WORKER, welcome.token, welcome.numbers[1]);
    raw_peer_expect_refused (&late, 400, "no worker of this number");
    s_say (&slot, DW_WIRE_BYE, peer);
    assert_int_equal (raw_peer_receive (&agent), DW_WIRE_STOP);
    s_wait_for_workers (self, 0);
    raw_peer_disconnect (&late);
    raw_peer_disconnect (&slot);
    raw_peer_disconnect (&agent);
    s_expect_served (self);
}

static void a_worker_that_leaves_as_soon_as_it_came_has_left (void **state) {
    s_hostile_t *self = *state;
    for (int i = 0; i < 20; i++) {
        dw_agent_t *agent = net_agent (self->net, self->has_keys ? "worker" : NULL, 4, -1);
        dw_agent_drain (agent);
        assert_int_equal (dw_agent_wait (agent, 5000), DW_OK);
        assert_int_equal (dw_agent_close (&agent, -1, NULL), DW_OK);
    }
    s_expect_served (self);
}

/* ---- Floods ----------------------------------------------------------------------------------- */

typedef struct s_flood_t {
    pthread_t thread;
    raw_peer_t raw;
    char head[16];
    size_t size;
    atomic_bool is_over;
    atomic_uint count;
} s_flood_t;

#define FLOOD_MAX (sizeof DAGWOOD_SANITIZE > 1 ? 20000u : 400000u)

static void *s_flood (void *args) {
    s_flood_t *self = args;
    while (!atomic_load (&self->is_over) && atomic_load (&self->count) < FLOOD_MAX)
        if (zmq_send (self->raw.socket, self->head, self->size, ZMQ_DONTWAIT) < 0)
            usleep (1000);
        else
            atomic_fetch_add (&self->count, 1);
    return NULL;
}

static size_t s_resident_kb (void) {
    unsigned long pages = 0, all;
    FILE *file = fopen ("/proc/self/statm", "r");
    if (!file || fscanf (file, "%lu %lu", &all, &pages) != 2)
        fail_msg ("no /proc/self/statm");
    fclose (file);
    return pages * (unsigned long) sysconf (_SC_PAGESIZE) / 1024;
}

/* Three peers that ask as fast as they can and never read an answer. */
static void answers_that_nobody_reads_do_not_pile_up (void **state) {
    s_hostile_t *self = *state;
    static const uint32_t types[] = {DW_WIRE_STATUS, DW_WIRE_BEAT, DW_WIRE_HELLO};
    s_flood_t floods[3];
    s_expect_served (self);
    for (int i = 0; i < 3; i++) {
        int waiting_max = 1000; /* what piles up here is not what is measured */
        floods[i] = (s_flood_t){.raw = s_connect (self, "client")};
        zmq_setsockopt (floods[i].raw.socket, ZMQ_SNDHWM, &waiting_max, sizeof waiting_max);
        uint32_t peer = s_join_as_client (&floods[i].raw);
        floods[i].head[0] = (char) types[i];
        floods[i].head[1] = (char) peer;
        floods[i].size = 2;
    }
    size_t before_kb = s_resident_kb ();
    for (int i = 0; i < 3; i++)
        assert_int_equal (pthread_create (&floods[i].thread, NULL, s_flood, &floods[i]), 0);
    int64_t end_ms = now_ms () + 3000;
    unsigned runs = 0;
    for (; now_ms () < end_ms; runs++)
        net_run (self->net, self->client);
    size_t grown_kb = s_resident_kb () - before_kb;
    unsigned count = 0;
    for (int i = 0; i < 3; i++) {
        atomic_store (&floods[i].is_over, true);
        pthread_join (floods[i].thread, NULL);
        count += atomic_load (&floods[i].count);
        raw_peer_disconnect (&floods[i].raw);
    }
    printf ("%u questions, %u runs served meanwhile, %zu KiB more\n", count, runs, grown_kb);
    assert_true (count > 10000);
    assert_true (runs > 5);
    assert_true (grown_kb < 64 * 1024 || sizeof DAGWOOD_SANITIZE > 1);
    s_expect_served (self);
}

/* Whoever keeps one socket busy does not keep the others from being heard. */
static void sockets_are_read_in_turns (void **state) {
    (void) state;
    static const char *const names[] = {"inproc://first", "inproc://second"};
    dw_peers_t peers = {.routers_count = 2};
    void *context = zmq_ctx_new (), *dealers[2];
    for (int i = 0; i < 2; i++) {
        peers.routers[i] = zmq_socket (context, ZMQ_ROUTER);
        dealers[i] = zmq_socket (context, ZMQ_DEALER);
        assert_int_equal (zmq_bind (peers.routers[i], names[i]), 0);
        assert_int_equal (zmq_connect (dealers[i], names[i]), 0);
        for (int k = 0; k < 10; k++)
            assert_int_equal (zmq_send (dealers[i], "\x0f", 1, 0), 1);
    }
    uint32_t router, type;
    dw_wire_reader_t reader;
    for (uint32_t i = 0; i < 20; i++) {
        assert_int_equal (dw_peers_receive (&peers, &router, &reader, &type), DW_OK);
        assert_int_equal (router, i % 2);
        assert_int_equal (type, DW_WIRE_BEAT);
    }
    assert_int_equal (dw_peers_receive (&peers, &router, &reader, &type), DW_EAGAIN);
    dw_peers_free (&peers);
    for (int i = 0; i < 2; i++)
        zmq_close (dealers[i]);
    zmq_ctx_term (context);
}

int main (void) {
#define TEST(name)                                                       \
    cmocka_unit_test_setup_teardown (name, s_set_up_plain, s_tear_down), \
        cmocka_unit_test_setup_teardown (name, s_set_up_keys, s_tear_down)
    const struct CMUnitTest tests[] = {
        TEST (an_agent_that_asks_for_nonsense_is_refused),
        TEST (an_agent_that_offers_too_much_or_nothing_is_refused),
        TEST (a_host_that_is_no_name_is_told_in_plain_characters),
        TEST (a_slot_is_its_agents_by_number_and_token_alone),
        TEST (a_slot_that_comes_again_takes_the_place_of_the_former),
        TEST (a_slot_shows_the_key_of_its_agent),
        TEST (a_role_that_is_not_to_be_had_is_refused),
        TEST (a_later_incarnation_fences_and_no_other_does),
        TEST (in_the_name_of_others_nobody_says_anything),
        TEST (what_a_role_may_not_say_is_counted_and_not_answered),
        TEST (garbage_is_passed_over),
        TEST (who_is_refused_again_and_again_is_answered_so_often_and_then_cut_off),
        TEST (a_slot_that_answers_nonsense_is_put_out_by_name_and_its_task_goes_elsewhere),
        TEST (answers_that_were_given_before_are_counted_and_nobody_is_put_out_for_them),
        TEST (a_graph_that_is_not_to_be_added_is_counted_or_fails_its_task),
        TEST (slots_that_vanish_with_their_tasks_leave_nothing_behind),
        TEST (places_of_agents_that_vanish_come_back),
        TEST (an_agent_that_never_starts_its_slots_keeps_their_places_while_it_beats),
        TEST (an_agent_may_drain_again_and_again),
        TEST (a_worker_that_leaves_as_soon_as_it_came_has_left),
        TEST (answers_that_nobody_reads_do_not_pile_up),
        cmocka_unit_test (sockets_are_read_in_turns),
    };
    return !!cmocka_run_group_tests_name ("net_hostile", tests, NULL, NULL);
}
