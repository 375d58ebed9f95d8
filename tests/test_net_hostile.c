/* test_net_hostile.c - a coordinator that listens, among peers that lie, stammer and shout: it goes on
 * serving an honest client and an honest worker. What slots do to it is in test_net_hostile_slots.c.
 * Without keys on the loopback interface, and with keys that are listed. */

#include "tests/support/hostile.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "actors/patience.h"
#include "actors/peers.h"
#include "tests/support/random.h"

/* ---- HELLO ------------------------------------------------------------------------------------ */

static void an_agent_that_asks_for_nonsense_is_refused (void **state) {
    hostile_t *self = *state;
    raw_peer_t raw = hostile_connect (self, "worker");
    char host[300];
    memset (host, 'h', sizeof host);
    dw_wire_agent_t record = hostile_agent_record (hostile_uuid, 1, 0);
    raw_peer_say_agent (&raw, &record);
    raw_peer_expect_refused (&raw, 400, "makes no sense");
    record.slots = UINT32_MAX;
    raw_peer_say_agent (&raw, &record);
    raw_peer_expect_refused (&raw, 503, "raise the coordinator's slots_max");
    record.slots = HOSTILE_SLOTS_MAX + 1;
    raw_peer_say_agent (&raw, &record);
    raw_peer_expect_refused (&raw, 503, "raise the coordinator's slots_max");
    record.slots = 1;
    record.host = host;
    record.host_size = 256;
    raw_peer_say_agent (&raw, &record);
    raw_peer_expect_refused (&raw, 400, "makes no sense");
    hostile_expect_served (self);
    record.host_size = 255;
    hostile_join_as_agent (&raw, &record);
    raw_peer_say_agent (&raw, &record);
    raw_peer_expect_refused (&raw, 400, "said HELLO already");
    hostile_expect_served (self);
    raw_peer_disconnect (&raw);
}

/* A HELLO that offers so many processors of such a name, and says so many tags of one byte each. */
static void s_say_offer (raw_peer_t *raw, uint32_t processors, size_t name_size, uint32_t tags) {
    static char name[300];
    dw_wire_hello_t hello = {
        .version = DW_WIRE_VERSION, .role = DW_WIRE_AGENT, .token = hostile_no_token};
    dw_wire_agent_t record = hostile_agent_record (hostile_uuid, 1, 1);
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
    hostile_t *self = *state;
    raw_peer_t raw = hostile_connect (self, "worker");
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
    hostile_expect_served (self);
    raw_peer_disconnect (&raw);
}

static void a_host_that_is_no_name_is_told_in_plain_characters (void **state) {
    hostile_t *self = *state;
    raw_peer_t raw = hostile_connect (self, "worker");
    dw_wire_agent_t record = hostile_agent_record (hostile_uuid, 1, 1);
    record.host = "a\nb\x1b[2J\0\xff";
    record.host_size = 9;
    hostile_join_as_agent (&raw, &record);
    net_expect_notice (self->net, "the worker at a?b?[2J?? (process 4711) was not heard of");
    raw_peer_disconnect (&raw);
    hostile_expect_served (self);
}

static void a_slot_is_its_agents_by_number_and_token_alone (void **state) {
    hostile_t *self = *state;
    raw_peer_t agent = hostile_connect (self, "worker"), slot = hostile_connect (self, "worker");
    dw_wire_agent_t record = hostile_agent_record (hostile_uuid, 1, 2);
    hostile_expect_served (self);
    hostile_welcome_t welcome = hostile_join_as_agent (&agent, &record);
    for (uint32_t number = 0; number < HOSTILE_SLOTS_MAX + 4; number++)
        if (number != welcome.numbers[0] && number != welcome.numbers[1]) {
            raw_peer_say_hello (&slot, DW_WIRE_VERSION, DW_WIRE_WORKER, welcome.token, number);
            raw_peer_expect_refused (&slot, 400, "no worker of this number");
        }
    static const uint32_t numbers[] = {1u << 16, INT32_MAX, UINT32_MAX};
    for (size_t i = 0; i < 3; i++) {
        raw_peer_say_hello (&slot, DW_WIRE_VERSION, DW_WIRE_WORKER, welcome.token, numbers[i]);
        raw_peer_expect_refused (&slot, 400, "no worker of this number");
    }
    raw_peer_say_hello (&slot, DW_WIRE_VERSION, DW_WIRE_WORKER, hostile_no_token,
                        welcome.numbers[0]);
    raw_peer_expect_refused (&slot, 400, "no worker of this number");
    for (unsigned bit = 0; bit < 8 * DW_WIRE_TOKEN_SIZE; bit++) {
        uint8_t token[DW_WIRE_TOKEN_SIZE];
        memcpy (token, welcome.token, sizeof token);
        token[bit / 8] ^= (uint8_t) (1u << bit % 8);
        raw_peer_say_hello (&slot, DW_WIRE_VERSION, DW_WIRE_WORKER, token, welcome.numbers[1]);
        raw_peer_expect_refused (&slot, 400, "no worker of this number");
    }
    hostile_join_as_slot (&slot, &welcome, 0);
    raw_peer_say_hello (&slot, DW_WIRE_VERSION, DW_WIRE_WORKER, welcome.token, welcome.numbers[1]);
    raw_peer_expect_refused (&slot, 400, "said HELLO already");
    raw_peer_disconnect (&slot);
    raw_peer_disconnect (&agent);
    hostile_expect_served (self);
}

static void a_slot_that_comes_again_takes_the_place_of_the_former (void **state) {
    hostile_t *self = *state;
    raw_peer_t agent = hostile_connect (self, "worker");
    dw_wire_agent_t record = hostile_agent_record (hostile_uuid, 1, 1);
    hostile_welcome_t welcome = hostile_join_as_agent (&agent, &record);
    for (int i = 0; i < 20; i++) {
        raw_peer_t former = hostile_connect (self, "worker"),
                   next = hostile_connect (self, "worker");
        uint32_t peer = hostile_join_as_slot (&former, &welcome, 0);
        hostile_join_as_slot (&next, &welcome, 0);
        assert_int_equal (raw_peer_receive (&former), DW_WIRE_STOP);
        uint64_t before = hostile_ignored_count (self);
        hostile_say (&former, DW_WIRE_BYE, peer);
        hostile_expect_no_answer (&former);
        assert_true (hostile_ignored_count (self) > before); /* its number may be the other's now */
        raw_peer_disconnect (&former);
        raw_peer_disconnect (&next);
    }
    hostile_say (&agent, DW_WIRE_BYE, welcome.peer);
    raw_peer_disconnect (&agent);
    hostile_expect_served (self);
}

static void a_slot_shows_the_key_of_its_agent (void **state) {
    hostile_t *self = *state;
    net_t *net = self->net;
    if (!self->has_keys)
        return;
    net_make_key (net, "second");
    net_allow_also (net, "worker", "second");
    dw_system_reload_keys (net->system);
    net_expect_notice (net, "was read");
    raw_peer_t agent = hostile_connect (self, "worker"), slot = hostile_connect (self, "second");
    dw_wire_agent_t record = hostile_agent_record (hostile_uuid, 1, 1);
    hostile_welcome_t welcome = hostile_join_as_agent (&agent, &record);
    raw_peer_say_hello (&slot, DW_WIRE_VERSION, DW_WIRE_WORKER, welcome.token, welcome.numbers[0]);
    raw_peer_expect_refused (&slot, 400, "no worker of this number");
    raw_peer_disconnect (&slot);
    raw_peer_disconnect (&agent);
    hostile_expect_served (self);
}

static void a_role_that_is_not_to_be_had_is_refused (void **state) {
    hostile_t *self = *state;
    raw_peer_t raw = hostile_connect (self, "worker");
    raw_peer_say_hello (&raw, DW_WIRE_VERSION, DW_WIRE_OWNER, hostile_no_token, 0);
    raw_peer_expect_refused (&raw, 403, "role");
    raw_peer_say_hello (&raw, DW_WIRE_VERSION, 0, hostile_no_token, 0);
    raw_peer_expect_refused (&raw, 403, "role");
    raw_peer_say_hello (&raw, DW_WIRE_VERSION, DW_WIRE_AGENT, hostile_no_token,
                        0); /* and no more */
    raw_peer_expect_refused (&raw, 400, "makes no sense");
    raw_peer_disconnect (&raw);
    hostile_expect_served (self);
}

/* ---- Fencing ---------------------------------------------------------------------------------- */

static void a_later_incarnation_fences_and_no_other_does (void **state) {
    hostile_t *self = *state;
    raw_peer_t first = hostile_connect (self, "worker"), second = hostile_connect (self, "worker");
    raw_peer_t slot = hostile_connect (self, "worker");
    dw_wire_agent_t record = hostile_agent_record (hostile_uuid, 5, 1);
    hostile_welcome_t old = hostile_join_as_agent (&first, &record);
    hostile_join_as_slot (&slot, &old, 0);
    for (record.incarnation = 0; record.incarnation <= 5; record.incarnation++) {
        raw_peer_say_agent (&second, &record);
        raw_peer_expect_refused (&second, 503, "a later incarnation");
    }
    hostile_say (&first, DW_WIRE_BEAT, old.peer);
    assert_int_equal (raw_peer_receive (&first), DW_WIRE_BEAT);
    hostile_welcome_t fresh = hostile_join_as_agent (&second, &record);
    assert_memory_not_equal (old.token, fresh.token, sizeof old.token);
    raw_peer_expect_refused (&first, 503, "a later incarnation"); /* and from then on nothing */
    uint64_t before = hostile_ignored_count (self);
    hostile_say (&first, DW_WIRE_BEAT, old.peer);
    hostile_say (&first, DW_WIRE_BYE, old.peer);
    hostile_say (&first, DW_WIRE_DRAIN, fresh.peer);
    hostile_expect_no_answer (&first);
    raw_peer_t late = hostile_connect (self, "worker");
    raw_peer_say_hello (&late, DW_WIRE_VERSION, DW_WIRE_WORKER, old.token, old.numbers[0]);
    raw_peer_expect_refused (&late, 400, "no worker of this number");
    assert_int_equal (hostile_ignored_count (self) - before, 3 + 1 + 1);
    hostile_say (&second, DW_WIRE_BEAT, fresh.peer);
    assert_int_equal (raw_peer_receive (&second), DW_WIRE_BEAT);
    raw_peer_disconnect (&late);
    raw_peer_disconnect (&slot);
    raw_peer_disconnect (&second);
    raw_peer_disconnect (&first);
    hostile_expect_served (self);
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
    hostile_t *self = *state;
    random_t random = random_from (random_seed ());
    hostile_expect_served (self);
    raw_peer_t nobody = hostile_connect (self, "client"), client = hostile_connect (self, "client");
    raw_peer_t agent = hostile_connect (self, "worker"), slot = hostile_connect (self, "worker");
    dw_wire_agent_t record = hostile_agent_record (hostile_uuid, 1, 1);
    uint32_t client_peer = hostile_join_as_client (&client);
    hostile_welcome_t welcome = hostile_join_as_agent (&agent, &record);
    uint32_t slot_peer = hostile_join_as_slot (&slot, &welcome, 0);
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
    hostile_expect_served (self);
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
    hostile_t *self = *state;
    hostile_expect_served (self);
    raw_peer_t client = hostile_connect (self, "client");
    raw_peer_t agent = hostile_connect (self, "worker"), slot = hostile_connect (self, "worker");
    dw_wire_agent_t record = hostile_agent_record (hostile_uuid, 1, 1);
    uint32_t client_peer = hostile_join_as_client (&client);
    hostile_welcome_t welcome = hostile_join_as_agent (&agent, &record);
    uint32_t slot_peer = hostile_join_as_slot (&slot, &welcome, 0);
    uint64_t before = hostile_ignored_count (self);
    for (size_t i = 0; i < sizeof not_client / sizeof *not_client; i++)
        hostile_say (&client, not_client[i], client_peer);
    for (size_t i = 0; i < sizeof not_agent / sizeof *not_agent; i++)
        hostile_say (&agent, not_agent[i], welcome.peer);
    for (size_t i = 0; i < sizeof not_slot / sizeof *not_slot; i++)
        hostile_say (&slot, not_slot[i], slot_peer);
    hostile_expect_no_answer (&client);
    hostile_expect_no_answer (&agent);
    hostile_expect_no_answer (&slot);
    assert_int_equal (hostile_ignored_count (self) - before, 8 + 9 + 6 + 3);
    hostile_say (&slot, DW_WIRE_BEAT, slot_peer); /* what it may say is answered */
    assert_int_equal (raw_peer_receive (&slot), DW_WIRE_BEAT);
    raw_peer_disconnect (&slot);
    raw_peer_disconnect (&agent);
    raw_peer_disconnect (&client);
    hostile_expect_served (self);
}

static void garbage_is_passed_over (void **state) {
    hostile_t *self = *state;
    random_t random = random_from (random_seed ());
    raw_peer_t raw = hostile_connect (self, "worker");
    for (int i = 0; i < 5000; i++) {
        raw_peer_send_garbage (&raw, &random);
        if (i % 1000 == 0)
            hostile_expect_served (self);
    }
    raw_peer_disconnect (&raw);
    hostile_expect_served (self);
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
    hostile_t *self = *state;
    raw_peer_t raw = hostile_connect (self, "client");
    char monitor[] = "inproc://cut";
    assert_int_equal (zmq_socket_monitor (raw.socket, monitor, ZMQ_EVENT_DISCONNECTED), 0);
    void *events = zmq_socket (raw.context, ZMQ_PAIR);
    assert_int_equal (zmq_connect (events, monitor), 0);
    zmq_pollitem_t item = {.socket = events, .events = ZMQ_POLLIN};
    hostile_expect_served (self);

    unsigned sent = DW_PATIENCE_BURST + DW_PATIENCE_EXCESS / 2;
    int64_t begin_ms = now_ms ();
    for (unsigned i = 0; i < sent; i++)
        raw_peer_say_hello (&raw, 9, DW_WIRE_CLIENT, hostile_no_token, 0);
    unsigned answered = s_count_refusals (&raw);
    unsigned more = (unsigned) (now_ms () - begin_ms) * DW_PATIENCE_RATE / 1000 + 1;
    assert_in_range (answered, DW_PATIENCE_BURST, DW_PATIENCE_BURST + more);
    assert_int_equal (zmq_poll (&item, 1, 0), 0);
    assert_in_range (hostile_ignored_count (self), sent, sent + 10);

    for (unsigned i = 0; i < DW_PATIENCE_EXCESS; i++)
        raw_peer_say_hello (&raw, 9, DW_WIRE_CLIENT, hostile_no_token, 0);
    assert_int_equal (zmq_poll (&item, 1, 5000), 1);
    printf ("%u of %u refused messages were answered, the connection cut after at most %u\n",
            answered, sent, DW_PATIENCE_BURST + DW_PATIENCE_EXCESS + 2 * more);
    hostile_expect_served (self); /* whose connections are their own */
    zmq_socket_monitor (raw.socket, NULL, 0);
    zmq_close (events);
    raw_peer_disconnect (&raw);
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
    hostile_t *self = *state;
    static const uint32_t types[] = {DW_WIRE_STATUS, DW_WIRE_BEAT, DW_WIRE_HELLO};
    s_flood_t floods[3];
    hostile_expect_served (self);
    for (int i = 0; i < 3; i++) {
        int waiting_max = 1000; /* what piles up here is not what is measured */
        floods[i] = (s_flood_t){.raw = hostile_connect (self, "client")};
        zmq_setsockopt (floods[i].raw.socket, ZMQ_SNDHWM, &waiting_max, sizeof waiting_max);
        uint32_t peer = hostile_join_as_client (&floods[i].raw);
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
    hostile_expect_served (self);
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
    const struct CMUnitTest tests[] = {
        HOSTILE_TEST (an_agent_that_asks_for_nonsense_is_refused),
        HOSTILE_TEST (an_agent_that_offers_too_much_or_nothing_is_refused),
        HOSTILE_TEST (a_host_that_is_no_name_is_told_in_plain_characters),
        HOSTILE_TEST (a_slot_is_its_agents_by_number_and_token_alone),
        HOSTILE_TEST (a_slot_that_comes_again_takes_the_place_of_the_former),
        HOSTILE_TEST (a_slot_shows_the_key_of_its_agent),
        HOSTILE_TEST (a_role_that_is_not_to_be_had_is_refused),
        HOSTILE_TEST (a_later_incarnation_fences_and_no_other_does),
        HOSTILE_TEST (in_the_name_of_others_nobody_says_anything),
        HOSTILE_TEST (what_a_role_may_not_say_is_counted_and_not_answered),
        HOSTILE_TEST (garbage_is_passed_over),
        HOSTILE_TEST (who_is_refused_again_and_again_is_answered_so_often_and_then_cut_off),
        HOSTILE_TEST (answers_that_nobody_reads_do_not_pile_up),
        cmocka_unit_test (sockets_are_read_in_turns),
    };
    return !!cmocka_run_group_tests_name ("net_hostile", tests, NULL, NULL);
}
