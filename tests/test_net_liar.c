/* test_net_liar.c - agents and clients that come to a coordinator that lies: they say so in time,
 * and go on living. */

#include "tests/support/raw_peer.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support/net.h"
#include "tests/support/random.h"

#define TIMEOUT_MS 1000 /* within which a busy machine connects */

/* ---- A liar ----------------------------------------------------------------------------------- */

typedef struct s_lie_t {
    uint8_t *frames[2];
    size_t sizes[2];
    size_t count; /* 0: silence */
} s_lie_t;

/* A thread that answers each message by what its sender said that it is, and goes on repeating it
 * when it floods. */
typedef struct s_liar_t {
    pthread_t thread;
    void *context, *router;
    char endpoint[64];
    atomic_bool is_over;
    bool floods;
    s_lie_t lies[DW_WIRE_AGENT + 1]; /* by role */
    s_lie_t more;                    /* behind each of them */
} s_liar_t;

static void s_tell (s_liar_t *self, const void *id, size_t id_size, const s_lie_t *lie) {
    if (lie->count == 0 || zmq_send (self->router, id, id_size, ZMQ_SNDMORE | ZMQ_DONTWAIT) < 0)
        return;
    for (size_t i = 0; i < lie->count; i++)
        zmq_send (self->router, lie->frames[i], lie->sizes[i],
                  ZMQ_DONTWAIT | (i + 1 < lie->count ? ZMQ_SNDMORE : 0));
}

static void *s_lie (void *args) {
    s_liar_t *self = args;
    uint8_t id[256], head[4096];
    int id_size = 0;
    while (!atomic_load (&self->is_over)) {
        zmq_pollitem_t item = {.socket = self->router, .events = ZMQ_POLLIN};
        if (zmq_poll (&item, 1, self->floods && id_size > 0 ? 0 : 10) > 0) {
            id_size = zmq_recv (self->router, id, sizeof id, 0);
            int size = zmq_recv (self->router, head, sizeof head, 0);
            dw_wire_reader_t reader = dw_wire_reader (head, (size_t) (size > 0 ? size : 0));
            dw_wire_hello_t hello;
            if (dw_read_uint (&reader) == DW_WIRE_HELLO && dw_read_hello (&reader, &hello)) {
                s_tell (self, id, (size_t) id_size, &self->lies[hello.role]);
                s_tell (self, id, (size_t) id_size, &self->more);
            }
        }
        for (int i = 0; self->floods && id_size > 0 && i < 100; i++)
            s_tell (self, id, (size_t) id_size, &self->more);
    }
    return NULL;
}

static void s_start (s_liar_t *self) {
    size_t size = sizeof self->endpoint;
    int linger_ms = 0, yes = 1;
    self->context = zmq_ctx_new ();
    self->router = zmq_socket (self->context, ZMQ_ROUTER);
    zmq_setsockopt (self->router, ZMQ_LINGER, &linger_ms, sizeof linger_ms);
    zmq_setsockopt (self->router, ZMQ_ROUTER_MANDATORY, &yes, sizeof yes);
    assert_int_equal (zmq_bind (self->router, "tcp://127.0.0.1:*"), 0);
    assert_int_equal (zmq_getsockopt (self->router, ZMQ_LAST_ENDPOINT, self->endpoint, &size), 0);
    assert_int_equal (pthread_create (&self->thread, NULL, s_lie, self), 0);
}

static void s_stop (s_liar_t *self) {
    atomic_store (&self->is_over, true);
    pthread_join (self->thread, NULL);
    zmq_close (self->router);
    zmq_ctx_term (self->context);
    atomic_store (&self->is_over, false);
}

/* ---- What a true coordinator says ------------------------------------------------------------- */

typedef struct s_truth_t {
    net_t *net;
    s_lie_t agent, client;
    s_liar_t liar;
} s_truth_t;

static s_lie_t s_copy (raw_peer_t *raw) {
    s_lie_t self = {.count = raw->in.count};
    assert_in_range (self.count, 1, 2);
    for (size_t i = 0; i < self.count; i++) {
        self.sizes[i] = zmq_msg_size (&raw->in.frames[i]);
        self.frames[i] = malloc (self.sizes[i] + 1);
        memcpy (self.frames[i], zmq_msg_data (&raw->in.frames[i]), self.sizes[i]);
    }
    return self;
}

static void s_free (s_lie_t *self) {
    for (size_t i = 0; i < self->count; i++)
        free (self->frames[i]);
    self->count = 0;
}

static int s_set_up (void **state) {
    void *net = NULL;
    if (net_setup (&net))
        return -1;
    s_truth_t *self = calloc (1, sizeof *self);
    assert_non_null (self);
    self->net = net;
    gate_open (self->net->gate);
    net_open (self->net, &(dw_system_options_t){.no_actors = true}, false);
    raw_peer_t raw = raw_peer_connect_to (self->net->endpoint, NULL, NULL);
    dw_wire_agent_t record = {
        .uuid = (const uint8_t *) "0123456789abcdef", .slots = 2, .host = "h", .host_size = 1};
    raw_peer_say_agent (&raw, &record);
    assert_int_equal (raw_peer_receive (&raw), DW_WIRE_WELCOME);
    self->agent = s_copy (&raw);
    raw_peer_disconnect (&raw);
    raw = raw_peer_connect_to (self->net->endpoint, NULL, NULL);
    static const uint8_t no_token[DW_WIRE_TOKEN_SIZE];
    dw_wire_hello_t hello = {.version = DW_WIRE_VERSION, .role = DW_WIRE_CLIENT, .token = no_token};
    dw_write_hello (&raw.out.head, &hello);
    dw_write_identity (&raw.out.head, &(dw_wire_identity_t){.uuid = record.uuid, .incarnation = 1});
    raw_peer_send (&raw);
    assert_int_equal (raw_peer_receive (&raw), DW_WIRE_WELCOME);
    self->client = s_copy (&raw);
    raw_peer_disconnect (&raw);
    *state = self;
    return 0;
}

static int s_tear_down (void **state) {
    s_truth_t *self = *state;
    void *net = self->net;
    s_free (&self->agent);
    s_free (&self->client);
    free (self);
    return net_teardown (&net);
}

/* ---- Asking ----------------------------------------------------------------------------------- */

static int s_open_agent (s_truth_t *self, dw_agent_t **agent_p) {
    dw_agent_options_t options = {
        .coordinator = {.endpoint = self->liar.endpoint, .timeout_ms = TIMEOUT_MS},
        .processors = self->net->processors,
        .slots = 2};
    dw_error_destroy (&self->net->error);
    self->net->error = dw_error_new ();
    return dw_agent_open (agent_p, &options, self->net->error);
}

static int s_open_client (s_truth_t *self, dw_client_t **client_p) {
    dw_connect_options_t options = {.endpoint = self->liar.endpoint, .timeout_ms = TIMEOUT_MS};
    dw_error_destroy (&self->net->error);
    self->net->error = dw_error_new ();
    return dw_client_connect (client_p, &options, self->net->error);
}

/* An agent and a client that are told this are refused with this error and this part of a message,
 * in time. */
static void s_expect_agent (s_truth_t *self, s_lie_t lie, int err, const char *part) {
    dw_agent_t *agent = NULL;
    self->liar.lies[DW_WIRE_AGENT] = lie;
    s_start (&self->liar);
    int64_t begin_ms = now_ms ();
    int got = s_open_agent (self, &agent);
    assert_in_range (now_ms () - begin_ms, 0, TIMEOUT_MS + 4000);
    s_stop (&self->liar);
    if (got != err || !strstr (dw_error_text (self->net->error), part))
        fail_msg ("%s: %s", dw_err_text (got), dw_error_text (self->net->error));
}

static void s_expect_client (s_truth_t *self, s_lie_t lie, int err, const char *part) {
    dw_client_t *client = NULL;
    self->liar.lies[DW_WIRE_CLIENT] = lie;
    s_start (&self->liar);
    int64_t begin_ms = now_ms ();
    int got = s_open_client (self, &client);
    assert_in_range (now_ms () - begin_ms, 0, TIMEOUT_MS + 4000);
    s_stop (&self->liar);
    if (got != err || !strstr (dw_error_text (self->net->error), part))
        fail_msg ("%s: %s", dw_err_text (got), dw_error_text (self->net->error));
}

/* An agent's WELCOME of just these values. */
static s_lie_t s_welcome (s_truth_t *self, dw_writer_t *head, uint32_t heartbeat_ms,
                          uint32_t silence_ms, uint64_t digest, uint32_t count) {
    static const uint8_t token[DW_WIRE_TOKEN_SIZE];
    dw_writer_clear (head);
    dw_write_uint (head, DW_WIRE_WELCOME);
    dw_write_uint (head, 7);
    dw_write_uint (head, heartbeat_ms);
    dw_write_uint (head, silence_ms);
    dw_write_bin (head, token, sizeof token);
    dw_write_bin (head, token, sizeof token);
    dw_write_uint (head, digest);
    if (self->agent.count == 2) {
        dw_write_uint (head, 1);
    } else { /* it is small, and stands in the head */
        dw_wire_reader_t reader = dw_wire_reader (self->agent.frames[0] + 1,
                                                  self->agent.sizes[0] - 1);
        dw_wire_welcome_t welcome;
        assert_true (dw_read_welcome (&reader, &welcome));
        dw_write_bin (head, welcome.graph.bytes, welcome.graph.size);
    }
    dw_write_array (head, count);
    s_lie_t lie = self->agent;
    lie.frames[0] = head->bytes;
    lie.sizes[0] = head->count;
    return lie;
}

static void s_add_numbers (s_lie_t *lie, dw_writer_t *head, uint32_t first, uint32_t second) {
    dw_write_uint (head, first);
    dw_write_uint (head, second);
    dw_write_uint (head, 0);
    dw_write_array (head, 0);
    lie->frames[0] = head->bytes;
    lie->sizes[0] = head->count;
}

/* ---- Tests ------------------------------------------------------------------------------------ */

static void a_welcome_that_makes_no_sense_is_said (void **state) {
    static const uint32_t pulses[][2] = {{0, 1000}, {1000, 0}, {1000, 1999}, {UINT32_MAX, 3000}};
    s_truth_t *self = *state;
    dw_writer_t head = {0};
    s_lie_t lie;
    for (size_t i = 0; i < sizeof pulses / sizeof *pulses; i++) {
        lie = s_welcome (self, &head, pulses[i][0], pulses[i][1], 0, 2);
        s_add_numbers (&lie, &head, 1, 2);
        s_expect_agent (self, lie, DW_EREFUSED, "makes no sense");
    }
    static const uint32_t counts[] = {0, 1, 3, 65536, UINT32_MAX};
    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++) {
        lie = s_welcome (self, &head, 100, 1000, 0, counts[i]);
        s_add_numbers (&lie, &head, 1, 2);
        s_expect_agent (self, lie, DW_EREFUSED, "makes no sense");
    }
    lie = s_welcome (self, &head, 100, 1000, 0, 2); /* numbers that repeat, and none at all */
    s_expect_agent (self, lie, DW_EREFUSED, "makes no sense");
    s_add_numbers (&lie, &head, 5, 5);
    s_expect_agent (self, lie, DW_EREFUSED, "makes no sense");
    lie = s_welcome (self, &head, 100, 1000, 4711, 2);
    s_add_numbers (&lie, &head, 1, 2);
    s_expect_agent (self, lie, DW_EGRAPH, "are not those of the coordinator");
    dw_writer_free (&head);
}

static void whoever_is_no_coordinator_is_said_to_be_none (void **state) {
    s_truth_t *self = *state;
    uint8_t bytes[64] = {0xc1, 0xff};
    s_lie_t lies[] = {{.frames = {bytes}, .sizes = {0}, .count = 1},
                      {.frames = {bytes}, .sizes = {64}, .count = 1}};
    for (size_t i = 0; i < 2; i++) {
        s_expect_agent (self, lies[i], DW_EREFUSED, "is no coordinator of dagwood");
        s_expect_client (self, lies[i], DW_EREFUSED, "is no coordinator of dagwood");
    }
    s_lie_t silence = {.count = 0};
    s_expect_agent (self, silence, DW_ENOBODY, "does not answer");
    s_expect_client (self, silence, DW_ENOBODY, "does not answer");
}

static void s_note (void *arg, const char *line) {
    snprintf (arg, 256, "%s", line);
}

static void nonsense_from_a_coordinator_elsewhere_names_it (void **state) {
    s_truth_t *self = *state;
    char noticed[256] = "", expected[256];
    uint8_t bytes[] = {DW_WIRE_STALLED, 1};
    dw_client_t *client = NULL;
    self->liar.lies[DW_WIRE_CLIENT] = self->client;
    self->liar.more = (s_lie_t){.frames = {bytes}, .sizes = {2}, .count = 1};
    s_start (&self->liar);
    if (s_open_client (self, &client))
        fail_msg ("%s", dw_error_text (self->net->error));
    dw_client_set_notice (client, s_note, noticed);
    for (int looks = 0; !noticed[0] && looks < 1000; looks++) {
        assert_null (dw_client_next (client));
        sleep_ms (1);
    }
    snprintf (expected, sizeof expected, "%s sent a message that makes no sense: STALLED, 2 bytes",
              self->liar.endpoint);
    assert_string_equal (noticed, expected);
    assert_int_equal (dw_client_wait_all (client, 0), DW_EPROTOCOL);
    assert_int_equal (dw_client_wait_all (client, 0), DW_OK);
    dw_client_destroy (&client);
    s_stop (&self->liar);
}

static void a_flood_of_refusals_is_one (void **state) {
    s_truth_t *self = *state;
    static uint8_t no[] = "\x02\xcd\x01\x93\xa2no\x00"; /* 403 */
    static uint8_t busy[] = "\x02\xcd\x01\xf7\xa2no\x00";
    s_lie_t lies[] = {{.frames = {no}, .sizes = {sizeof no - 1}, .count = 1},
                      {.frames = {busy}, .sizes = {sizeof busy - 1}, .count = 1}};
    static const int errors[] = {DW_EKEY, DW_EREFUSED};
    self->liar.floods = true;
    for (size_t i = 0; i < 2; i++) {
        self->liar.more = lies[i];
        s_expect_agent (self, lies[i], errors[i], "refused: no");
        s_expect_client (self, lies[i], errors[i], "refused: no");
    }
}

static void whoever_only_beats_does_not_hold_up_for_longer_than_was_asked (void **state) {
    s_truth_t *self = *state;
    uint8_t beat[] = {DW_WIRE_BEAT};
    self->liar.more = (s_lie_t){.frames = {beat}, .sizes = {1}, .count = 1};
    self->liar.floods = true;
    s_expect_client (self, self->liar.more, DW_ETIMEDOUT, "no welcome");
    s_expect_agent (self, self->liar.more, DW_EREFUSED, "is no coordinator of dagwood");
}

/* It says that it is there so often that there is time for nothing else. */
static void an_agent_closes_while_it_is_flooded (void **state) {
    s_truth_t *self = *state;
    uint8_t beat[] = {DW_WIRE_BEAT}, replace[] = {DW_WIRE_REPLACE, 1};
    s_lie_t floods[] = {{.frames = {beat}, .sizes = {1}, .count = 1},
                        {.frames = {replace}, .sizes = {2}, .count = 1}};
    for (size_t i = 0; i < 2; i++) {
        dw_agent_t *agent = NULL;
        self->liar.lies[DW_WIRE_AGENT] = self->agent;
        self->liar.more = floods[i];
        self->liar.floods = true;
        s_start (&self->liar);
        if (s_open_agent (self, &agent))
            fail_msg ("%s", dw_error_text (self->net->error));
        assert_int_equal (dw_agent_wait (agent, 300), DW_ETIMEDOUT);
        int64_t begin_ms = now_ms ();
        assert_int_equal (dw_agent_close (&agent, -1, NULL), DW_OK);
        assert_in_range (now_ms () - begin_ms, 0, 3000);
        s_stop (&self->liar);
    }
}

/* A WELCOME with some bytes changed is refused, or believed; nothing else may come of it. */
static void s_change (random_t *random, const s_lie_t *truth, s_lie_t *lie) {
    for (size_t i = 0; i < truth->count; i++) {
        memcpy (lie->frames[i], truth->frames[i], truth->sizes[i]);
        lie->sizes[i] = truth->sizes[i];
    }
    size_t frame = random_below (random, (uint32_t) truth->count);
    if (random_one_in (random, 4))
        lie->sizes[frame] = random_below (random, (uint32_t) truth->sizes[frame]);
    for (uint32_t changes = 1 + random_below (random, 3); changes > 0; changes--)
        lie->frames[frame][random_below (random, (uint32_t) truth->sizes[frame])] = (uint8_t)
            random_next (random);
}

static void a_welcome_with_any_damage_is_refused_or_believed (void **state) {
    s_truth_t *self = *state;
    random_t random = random_from (random_seed ());
    int refused = 0;
    s_lie_t agent_lie = {.count = self->agent.count}, client_lie = {.count = self->client.count};
    for (size_t i = 0; i < 2; i++) {
        agent_lie.frames[i] = malloc (self->agent.sizes[i] + 1);
        client_lie.frames[i] = malloc (self->client.sizes[i] + 1);
    }
    for (int i = 0; i < 150; i++) {
        dw_agent_t *agent = NULL;
        dw_client_t *client = NULL;
        s_change (&random, &self->agent, &agent_lie);
        s_change (&random, &self->client, &client_lie);
        self->liar.lies[DW_WIRE_AGENT] = agent_lie;
        self->liar.lies[DW_WIRE_CLIENT] = client_lie;
        s_start (&self->liar);
        int err = s_open_agent (self, &agent);
        assert_true (!err || dw_error_count (self->net->error) > 0);
        refused += err != 0;
        dw_agent_close (&agent, -1, NULL);
        err = s_open_client (self, &client);
        assert_true (!err || dw_error_count (self->net->error) > 0);
        dw_client_destroy (&client);
        s_stop (&self->liar);
    }
    assert_true (refused > 20);
    for (size_t i = 0; i < 2; i++) {
        free (agent_lie.frames[i]);
        free (client_lie.frames[i]);
    }
}

/* What slots are sent is not checked again, but read by readers that have bounds: they leave, or
 * run what makes sense. */
static void slots_that_are_sent_nonsense_live_on_or_leave (void **state) {
    s_truth_t *self = *state;
    random_t random = random_from (random_seed ());
    for (int i = 0; i < 60; i++) {
        uint8_t head[256], frame[] = {0xa2, 'm', 'e'};
        uint8_t drop[] = {DW_WIRE_DROP, 0, 0, (uint8_t) random_next (&random), 1};
        uint8_t graph[] = {DW_WIRE_GRAPH,
                           (uint8_t) random_below (&random, 3),
                           1,
                           0xc4,
                           4,
                           0xa1,
                           (uint8_t) random_next (&random),
                           (uint8_t) random_next (&random),
                           (uint8_t) random_next (&random)};
        dw_agent_t *agent = NULL;
        size_t size = 0;
        head[size++] = DW_WIRE_TASKS;
        head[size++] = 0;
        for (int task = 0; task < 8; task++) {
            uint8_t record[] = {1, (uint8_t) random_below (&random, 4), 1, 1};
            memcpy (head + size, record, sizeof record);
            size += sizeof record;
            if (random_one_in (&random,
                               2)) { /* what is kept, or not, in a place that there is, or not */
                bool is_brought = random_one_in (&random, 2);
                head[size++] = is_brought ? 0x92 : 0x91;
                if (is_brought)
                    head[size++] = (uint8_t) random_below (&random, 3);
                head[size++] = (uint8_t) random_below (&random, 3);
            } else {
                head[size++] = 0xc4;
                head[size++] = 3;
                for (int k = 0; k < 3; k++)
                    head[size++] = (uint8_t) random_next (&random);
            }
            uint8_t given = (uint8_t) random_below (&random, 3);
            head[size++] = given ? (uint8_t) (0x90 | given) : 0xc0;
            for (int k = 0; k < 2 * given; k++) {
                head[size++] = 0xc4;
                head[size++] = 2;
                head[size++] = random_one_in (&random, 2) ? 0xdf : (uint8_t) random_next (&random);
                head[size++] = (uint8_t) random_next (&random);
            }
        }
        self->liar.lies[DW_WIRE_AGENT] = self->agent;
        self->liar.lies[DW_WIRE_WORKER] = (s_lie_t){
            .frames = {head, frame}, .sizes = {size, sizeof frame}, .count = 2};
        self->liar.more = (s_lie_t){.frames = {drop}, .sizes = {sizeof drop}, .count = 1};
        if (random_one_in (&random, 2))
            self->liar.more = (s_lie_t){.frames = {graph}, .sizes = {sizeof graph}, .count = 1};
        s_start (&self->liar);
        if (s_open_agent (self, &agent))
            fail_msg ("%s", dw_error_text (self->net->error));
        sleep_ms (10);
        assert_int_equal (dw_agent_close (&agent, -1, NULL), DW_OK);
        s_stop (&self->liar);
    }
}

int main (void) {
#define TEST(name) cmocka_unit_test_setup_teardown (name, s_set_up, s_tear_down)
    const struct CMUnitTest tests[] = {
        TEST (a_welcome_that_makes_no_sense_is_said),
        TEST (whoever_is_no_coordinator_is_said_to_be_none),
        TEST (nonsense_from_a_coordinator_elsewhere_names_it),
        TEST (a_flood_of_refusals_is_one),
        TEST (whoever_only_beats_does_not_hold_up_for_longer_than_was_asked),
        TEST (an_agent_closes_while_it_is_flooded),
        TEST (a_welcome_with_any_damage_is_refused_or_believed),
        TEST (slots_that_are_sent_nonsense_live_on_or_leave),
    };
    return !!cmocka_run_group_tests_name ("net_liar", tests, NULL, NULL);
}
