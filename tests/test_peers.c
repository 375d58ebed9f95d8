/* test_peers.c - a real coordinator among peers that lie, stammer and shout: whatever they send, it
 * goes on serving its client with right results; at every place. */

#include "tests/support/system_fixture.h"

#include <arpa/inet.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "actors/message.h"
#include "actors/system.h"
#include "tests/support/random.h"
#include "tests/support/wire_records.h"

#define REPLY_MS 10000

/* A bare socket that is connected to the coordinator, and says what a test likes. */
typedef struct s_raw_t {
    void *context; /* its own; NULL: the system's, for inproc */
    void *socket;
    dw_packet_t out;
    dw_message_t in;
    dw_wire_reader_t reader; /* of the message received last, behind its type */
} s_raw_t;

static s_raw_t s_connect (const system_fixture_t *f) {
    s_raw_t raw = {0};
    int linger_ms = 0, unlimited = 0;
    if (f->place->transport)
        raw.context = zmq_ctx_new ();
    raw.socket = zmq_socket (raw.context ? raw.context : dw_system_context (f->system), ZMQ_DEALER);
    assert_non_null (raw.socket);
    zmq_setsockopt (raw.socket, ZMQ_LINGER, &linger_ms, sizeof linger_ms);
    zmq_setsockopt (raw.socket, ZMQ_SNDHWM, &unlimited, sizeof unlimited);
    assert_int_equal (zmq_connect (raw.socket, dw_system_endpoint (f->system)), 0);
    return raw;
}

static void s_disconnect (s_raw_t *raw) {
    zmq_close (raw->socket);
    if (raw->context)
        zmq_ctx_term (raw->context);
    dw_packet_free (&raw->out);
    dw_message_free (&raw->in);
}

static void s_send (s_raw_t *raw) {
    assert_int_equal (dw_packet_send (&raw->out, raw->socket, NULL, 0), DW_OK);
}

static void s_send_bytes (s_raw_t *raw, const void *bytes, size_t size) {
    uint8_t *at = dw_writer_room (&raw->out.head, size);
    if (size)
        memcpy (at, bytes, size);
    raw->out.head.count += size;
    s_send (raw);
}

/* The next message, whose type is given. */
static uint32_t s_receive (s_raw_t *raw) {
    zmq_pollitem_t item = {.socket = raw->socket, .events = ZMQ_POLLIN};
    if (zmq_poll (&item, 1, REPLY_MS) != 1 || dw_message_receive (&raw->in, raw->socket))
        fail_msg ("the coordinator does not answer");
    raw->reader = dw_wire_reader (zmq_msg_data (&raw->in.frames[0]),
                                  zmq_msg_size (&raw->in.frames[0]));
    return dw_read_uint_max (&raw->reader, DW_WIRE_TYPES);
}

static void s_expect_refused (s_raw_t *raw, uint32_t code, const char *part) {
    char text[256];
    size_t size;
    assert_int_equal (s_receive (raw), DW_WIRE_REFUSED);
    assert_int_equal (dw_read_uint (&raw->reader), code);
    const char *said = dw_read_str (&raw->reader, sizeof text - 1, &size);
    assert_non_null (said);
    snprintf (text, sizeof text, "%.*s", (int) size, said);
    if (!strstr (text, part))
        fail_msg ("refused with \"%s\", not \"%s\"", text, part);
}

static void s_say_hello (s_raw_t *raw, uint32_t version, uint32_t role, const uint8_t *token,
                         uint32_t number) {
    dw_wire_hello_t hello = {
        .version = version, .role = role, .token = token, .number = number, .credit = 100};
    dw_write_hello (&raw->out.head, &hello);
    s_send (raw);
}

/* A client that is welcome; gives its peer number. */
static uint32_t s_join (s_raw_t *raw, const system_fixture_t *f) {
    s_say_hello (raw, DW_WIRE_VERSION, DW_WIRE_CLIENT, dw_system_token (f->system), 0);
    assert_int_equal (s_receive (raw), DW_WIRE_WELCOME);
    return dw_read_uint_max (&raw->reader, UINT32_MAX);
}

/* The system of every test, and the proof that it still serves. */
static void s_open (system_fixture_t *f) {
    system_fixture_add (f, "upper", "change_text_case_upper", "");
    system_fixture_add (f, "sleep", "sleep", "upper");
    system_fixture_add (f, "last", "reverse_text", "sleep");
    dw_graph_set_integer (f->graph, 1, "ms", 0);
    system_fixture_open (f);
}

static void s_expect_served (system_fixture_t *f) {
    dw_result_t *result = system_fixture_run_text (f, "abc");
    assert_int_equal (dw_result_status (result), DW_RUN_OK);
    expect_text (result, "upper", "ABC");
    expect_text (result, "last", "CBA");
    for (int node = 0; node < 3; node++)
        assert_int_equal (dw_result_attempts (result, node), 1);
    dw_result_destroy (&result);
    expect_no_notice (f);
}

/* ---- HELLO ------------------------------------------------------------------------------------ */

static void another_protocol_version_is_refused_with_both_versions (void **state) {
    system_fixture_t *f = *state;
    s_open (f);
    s_raw_t raw = s_connect (f);
    s_say_hello (&raw, 4711, DW_WIRE_CLIENT, dw_system_token (f->system), 0);
    s_expect_refused (&raw, 400, "4711");
    s_say_hello (&raw, 0, DW_WIRE_WORKER, dw_system_token (f->system), 0);
    char both[64];
    snprintf (both, sizeof both, "version %u is spoken here, not 0", DW_WIRE_VERSION);
    s_expect_refused (&raw, 400, both);
    s_disconnect (&raw);
    s_expect_served (f);
}

static void what_is_no_hello_of_ours_is_told_where_it_is (void **state) {
    system_fixture_t *f = *state;
    s_open (f);
    s_raw_t raw = s_connect (f);
    static const char *const heads[] = {"\x00", "\x00\xa7magical\x01",
                                        "\x00\xa7"
                                        "dagwood",
                                        "\x00\xa7"
                                        "dagwood\xc0",
                                        "\x00\x01\x02\x03"};
    static const size_t sizes[] = {1, 10, 9, 10, 4};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        s_send_bytes (&raw, heads[i], sizes[i]);
        s_expect_refused (&raw, 400, "dagwood coordinator");
    }
    s_disconnect (&raw);
    s_expect_served (f);
}

static void a_wrong_token_is_refused_in_every_role (void **state) {
    system_fixture_t *f = *state;
    s_open (f);
    s_raw_t raw = s_connect (f);
    uint8_t token[DW_WIRE_TOKEN_SIZE];
    for (unsigned bit = 0; bit < 8 * DW_WIRE_TOKEN_SIZE; bit++) {
        memcpy (token, dw_system_token (f->system), sizeof token);
        token[bit / 8] ^= (uint8_t) (1u << bit % 8);
        s_say_hello (&raw, DW_WIRE_VERSION, 1 + bit % DW_WIRE_OWNER, token, 0);
        s_expect_refused (&raw, 403, "token");
    }
    s_disconnect (&raw);
    s_expect_served (f);
}

static void a_role_or_a_number_that_is_not_to_be_had_is_refused (void **state) {
    system_fixture_t *f = *state;
    s_open (f);
    s_expect_served (f); /* so that all workers have joined */
    s_raw_t raw = s_connect (f);
    const uint8_t *token = dw_system_token (f->system);
    static const uint32_t numbers[] = {0, 1, 2, 3, 64, UINT32_MAX};
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        if (f->place->actors == DW_ACTORS_POOL && numbers[i] <= 1)
            continue; /* an actor that the run did not need may not have joined yet */
        s_say_hello (&raw, DW_WIRE_VERSION, DW_WIRE_WORKER, token, numbers[i]);
        s_expect_refused (&raw, 400, "no worker of this number");
    }
    s_say_hello (&raw, DW_WIRE_VERSION, DW_WIRE_OWNER, token, 0);
    s_expect_refused (&raw, 403, "role");
    s_say_hello (&raw, DW_WIRE_VERSION, 0, token, 0);
    s_expect_refused (&raw, 403, "role");
    s_disconnect (&raw);
    s_expect_served (f);
}

/* ---- From nobody ------------------------------------------------------------------------------ */

static void garbage_is_passed_over (void **state) {
    system_fixture_t *f = *state;
    s_open (f);
    random_t random = random_from (random_seed ());
    s_raw_t raw = s_connect (f);
    uint8_t bytes[600];
    for (int i = 0; i < 20000; i++) {
        size_t size = random_below (&random, random_one_in (&random, 8) ? sizeof bytes : 12);
        for (size_t k = 0; k < size; k++)
            bytes[k] = (uint8_t) random_next (&random);
        if (size && random_one_in (&random, 2))
            bytes[0] = (uint8_t) random_below (&random, DW_WIRE_TYPES + 1);
        s_send_bytes (&raw, bytes, size);
        if (i % 2000 == 0)
            s_expect_served (f);
    }
    s_expect_served (f);
    s_disconnect (&raw);
    s_expect_served (f);
}

static void damaged_messages_of_every_kind_are_passed_over (void **state) {
    system_fixture_t *f = *state;
    static const uint8_t types[] = {DW_WIRE_HELLO,  DW_WIRE_TASKS,   DW_WIRE_ANSWERS,
                                    DW_WIRE_SUBMIT, DW_WIRE_RESULTS, DW_WIRE_RESULTS};
    s_open (f);
    random_t random = random_from (random_seed ());
    s_raw_t raw = s_connect (f);
    dw_writer_t record = {0};
    for (int i = 0; i < 10000; i++) {
        uint32_t kind = random_below (&random, sizeof types);
        wire_seed (kind, &record);
        dw_writer_t *head = &raw.out.head;
        dw_write_uint (head, types[kind]);
        if (kind != WIRE_HELLO)
            dw_write_uint (head, random_below (&random, 8)); /* somebody's number */
        size_t from = head->count;
        size_t size = random_below (&random, (uint32_t) record.count);
        memcpy (dw_writer_room (head, size), record.bytes + 1, size);
        head->count += size;
        for (uint32_t changes = random_below (&random, 3); changes > 0 && size > 0; changes--)
            head->bytes[from + random_below (&random, (uint32_t) size)] = (uint8_t) random_next (
                &random);
        s_send (&raw);
    }
    s_expect_served (f);
    dw_writer_free (&record);
    s_disconnect (&raw);
}

/* Answers for every ticket, in the name of every peer, while the true one is under way. */
static void forged_answers_change_nothing (void **state) {
    system_fixture_t *f = *state;
    gate_t *gate = system_fixture_add_gate (f, "gate", gate_deaf);
    system_fixture_add (f, "gate", "gate", "");
    system_fixture_open (f);
    s_raw_t raw = s_connect (f);
    uint64_t run = system_fixture_submit (f, "true");
    assert_true (gate_wait_entered (gate, 1));
    dw_ref_t refs[] = {{.bytes = (const uint8_t *) "\xa6"
                                                   "forged",
                        .size = 7},
                       {.frame = 0}};
    for (uint32_t peer = 0; peer < 20; peer++)
        for (uint64_t ticket = 0; ticket < 50; ticket++) {
            dw_wire_answer_record_t done = {
                .ticket = ticket, .answer = DW_WIRE_DONE, .duration_ns = 1, .steps = 1};
            dw_wire_answer_record_t failed = {.ticket = ticket,
                                              .answer = DW_WIRE_FAILED,
                                              .code = 400,
                                              .message = "forged",
                                              .message_size = 6};
            dw_wire_answer_record_t returned = {.ticket = ticket, .answer = DW_WIRE_RETURNED};
            dw_write_uint (&raw.out.head, DW_WIRE_ANSWERS);
            dw_write_uint (&raw.out.head, peer);
            wire_write_answer (&raw.out.head, &done, refs);
            wire_write_answer (&raw.out.head, &failed, NULL);
            wire_write_answer (&raw.out.head, &returned, NULL);
            s_send (&raw);
        }
    for (uint32_t peer = 0; peer < 20; peer++)
        for (uint32_t type = DW_WIRE_SUBMIT; type <= DW_WIRE_BYE; type++) {
            dw_write_uint (&raw.out.head, type);
            dw_write_uint (&raw.out.head, peer);
            dw_write_uint (&raw.out.head, run); /* ABORT of it, for one */
            s_send (&raw);
        }
    /* What comes after all that was taken in behind it. */
    s_say_hello (&raw, 9, DW_WIRE_CLIENT, dw_system_token (f->system), 0);
    s_expect_refused (&raw, 400, "not 9");
    dw_result_t *result = NULL;
    assert_int_equal (dw_client_wait (f->client, run, 30, &result), DW_ETIMEDOUT);
    gate_open (gate);
    result = system_fixture_wait (f, run);
    assert_int_equal (dw_result_status (result), DW_RUN_OK);
    expect_text (result, "gate", "true");
    dw_result_destroy (&result);
    system_fixture_expect_run (f, "again", "gate", "again");
    s_disconnect (&raw);
}

static void only_the_owner_closes_and_counts (void **state) {
    system_fixture_t *f = *state;
    s_open (f);
    s_raw_t raw = s_connect (f);
    uint32_t peer = s_join (&raw, f);
    for (uint32_t type = DW_WIRE_CLOSE; type <= DW_WIRE_TYPES; type++) {
        dw_write_uint (&raw.out.head, type);
        dw_write_uint (&raw.out.head, 0);
        s_send (&raw);
        dw_write_uint (&raw.out.head, type);
        dw_write_uint (&raw.out.head, peer);
        dw_write_uint (&raw.out.head, 0);
        s_send (&raw);
    }
    s_say_hello (&raw, 9, DW_WIRE_CLIENT, dw_system_token (f->system), 0);
    s_expect_refused (&raw, 400, "not 9"); /* and nothing before it */
    s_expect_served (f);
    s_disconnect (&raw);
}

static void messages_of_any_number_of_frames_are_passed_over (void **state) {
    system_fixture_t *f = *state;
    static const unsigned counts[] = {
        1, 2, 100, DW_WIRE_FRAMES_MAX - 1, DW_WIRE_FRAMES_MAX, DW_WIRE_FRAMES_MAX + 1, 100000};
    s_open (f);
    s_raw_t raw = s_connect (f);
    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++) {
        for (unsigned k = 0; k < counts[i]; k++)
            assert_true (
                zmq_send (raw.socket, "\x07", k % 2, k + 1 < counts[i] ? ZMQ_SNDMORE : 0) >= 0);
        s_say_hello (&raw, 9, DW_WIRE_CLIENT, dw_system_token (f->system), 0);
        s_expect_refused (&raw, 400, "not 9"); /* a message of its own */
        s_expect_served (f);
    }
    s_disconnect (&raw);
}

static void a_peer_that_leaves_in_the_middle_of_a_message_is_forgotten (void **state) {
    system_fixture_t *f = *state;
    s_open (f);
    for (int i = 0; i < 20; i++) {
        s_raw_t raw = s_connect (f);
        assert_int_equal (zmq_send (raw.socket, "\x00", 1, ZMQ_SNDMORE), 1);
        assert_int_equal (zmq_send (raw.socket, "\x00", 1, ZMQ_SNDMORE), 1);
        s_disconnect (&raw);
    }
    s_expect_served (f);
}

/* A thread that shouts as loud as it can. */
typedef struct s_shout_t {
    pthread_t thread;
    s_raw_t raw;
    atomic_bool is_over;
    atomic_uint count;
} s_shout_t;

static void *s_shout (void *args) {
    s_shout_t *self = args;
    while (!atomic_load (&self->is_over)) {
        if (zmq_send (self->raw.socket, "\xc1", 1, 0) < 0)
            break;
        if (atomic_fetch_add (&self->count, 1) % 50000 == 49999)
            sleep_ms (20); /* memory is not what is tested here */
    }
    return NULL;
}

static void whoever_shouts_nonsense_does_not_keep_others_from_being_served (void **state) {
    if (strstr (DAGWOOD_SANITIZE, "thread"))
        skip (); /* a flood is a matter of time, and ThreadSanitizer stretches that twentyfold */
    system_fixture_t *f = *state;
    s_open (f);
    s_shout_t shout = {.raw = s_connect (f)};
    assert_int_equal (pthread_create (&shout.thread, NULL, s_shout, &shout), 0);
    for (int64_t end_ms = now_ms () + 300; now_ms () < end_ms;)
        s_expect_served (f);
    atomic_store (&shout.is_over, true);
    pthread_join (shout.thread, NULL);
    assert_true (atomic_load (&shout.count) > 1000);
    s_disconnect (&shout.raw);
    s_expect_served (f);
}

static void a_frame_larger_than_any_payload_ends_its_connection_only (void **state) {
    system_fixture_t *f = *state;
    if (!f->place->transport)
        skip (); /* there is no limit within a process */
    system_fixture_options (f)->max_payload_bytes = 1000;
    s_open (f);
    s_raw_t raw = s_connect (f);
    size_t size = 17u << 20;
    char *bytes = calloc (1, size);
    assert_non_null (bytes);
    for (int i = 0; i < 3; i++) {
        assert_int_equal (zmq_send (raw.socket, bytes, size, 0), size);
        s_expect_served (f);
    }
    free (bytes);
    s_disconnect (&raw);
    s_expect_served (f);
}

/* Connects count times to a port of this machine, and says bytes that are not ZeroMQ. */
static void s_say_nonsense (const char *endpoint, int count, random_t *random) {
    struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_port = htons ((uint16_t) atoi (strrchr (endpoint, ':') + 1))};
    inet_pton (AF_INET, "127.0.0.1", &address.sin_addr);
    for (int i = 0; i < count; i++) {
        uint8_t bytes[200];
        int fd = socket (AF_INET, SOCK_STREAM, 0);
        assert_int_equal (connect (fd, (struct sockaddr *) &address, sizeof address), 0);
        for (size_t k = 0; k < sizeof bytes; k++)
            bytes[k] = (uint8_t) random_next (random);
        if (i % 2) /* a greeting of ZMTP 3.0, then nonsense */
            memcpy (bytes, "\xff\0\0\0\0\0\0\0\0\x7f\x03\0NULL", 16);
        assert_true (send (fd, bytes, (size_t) i * 2 % sizeof bytes, MSG_NOSIGNAL) >= 0);
        close (fd);
    }
}

static void what_is_not_even_zeromq_is_hung_up_on (void **state) {
    system_fixture_t *f = *state;
    if (!f->place->transport || strcmp (f->place->transport, "tcp") != 0)
        skip ();
    random_t random = random_from (random_seed ());
    s_open (f);
    for (int i = 0; i < 5; i++) {
        s_say_nonsense (dw_system_endpoint (f->system), 100, &random);
        s_expect_served (f);
        s_say_nonsense (dw_system_endpoint (f->system), 100, &random);
        system_fixture_close (f); /* in the middle of their greetings */
        system_fixture_open (f);
    }
    s_expect_served (f);
}

static void a_system_closes_while_nonsense_is_shouted_at_it (void **state) {
    system_fixture_t *f = *state;
    s_open (f);
    s_expect_served (f);
    s_shout_t shouts[3];
    if (!f->place->transport)
        skip (); /* who shouts in the same process is told by its own socket */
    for (int i = 0; i < 3; i++) {
        shouts[i] = (s_shout_t){.raw = s_connect (f)};
        assert_int_equal (pthread_create (&shouts[i].thread, NULL, s_shout, &shouts[i]), 0);
    }
    for (int64_t end_ms = now_ms () + 50; now_ms () < end_ms;)
        s_expect_served (f);
    int64_t begin_ms = now_ms ();
    assert_int_equal (system_fixture_try_close (f, -1), DW_OK);
    assert_in_range (now_ms () - begin_ms, 0, 3000);
    for (int i = 0; i < 3; i++) {
        atomic_store (&shouts[i].is_over, true);
        pthread_join (shouts[i].thread, NULL);
        s_disconnect (&shouts[i].raw);
    }
}

/* ---- From a client that lies ------------------------------------------------------------------ */

typedef struct s_lie_t {
    const char *what;
    dw_wire_submission_t record;
    uint32_t outputs[3];
} s_lie_t;

static void submissions_that_make_no_sense_are_refused_by_their_number (void **state) {
    system_fixture_t *f = *state;
    system_fixture_options (f)->max_payload_bytes = 1000;
    s_open (f);
    s_raw_t raw = s_connect (f);
    uint32_t peer = s_join (&raw, f);
    static const uint8_t bytes[1100] = {0xc5, 1097 >> 8, 1097 & 0xff};
    s_lie_t lies[] = {
        {"a frame that is not there", {.run = 11, .payload = {.frame = 1}}, {0}},
        {"a frame far away", {.run = 12, .payload = {.frame = DW_WIRE_FRAMES_MAX}}, {0}},
        {"no payload", {.run = 13}, {0}},
        {"a payload that is too large",
         {.run = 14, .payload = {.bytes = bytes, .size = 1100}},
         {0}},
        {"a node that there is not",
         {.run = 15, .payload = {.bytes = (const uint8_t *) "\xa0", .size = 1}, .outputs_count = 2},
         {0, 3}},
        {"a node far away",
         {.run = 16, .payload = {.bytes = (const uint8_t *) "\xa0", .size = 1}, .outputs_count = 1},
         {UINT32_MAX}},
        {"no msgpack", {.run = 17, .payload = {.bytes = (const uint8_t *) "\xc1", .size = 1}}, {0}},
        {"half a value",
         {.run = 18, .payload = {.bytes = (const uint8_t *) "\x91", .size = 1}},
         {0}},
        {"two values", {.run = 19, .payload = {.bytes = (const uint8_t *) "\1\1", .size = 2}}, {0}},
        {"an empty one", {.run = 20, .payload = {.bytes = (const uint8_t *) "", .size = 0}}, {0}},
    };
    /* Within a process payloads are not looked at again. */
    size_t count = f->place->transport ? 10 : 6;
    for (size_t i = 0; i < count; i++) {
        dw_write_uint (&raw.out.head, DW_WIRE_SUBMIT);
        dw_write_uint (&raw.out.head, peer);
        wire_write_submission (&raw.out.head, &lies[i].record, lies[i].outputs);
        s_send (&raw);
        s_expect_refused (&raw, 400, "makes no sense");
        assert_int_equal (dw_read_uint (&raw.reader), lies[i].record.run);
    }
    static const uint8_t huge[] = {0xdd, 0xff, 0xff, 0xff, 0xff};
    dw_write_uint (&raw.out.head, DW_WIRE_SUBMIT);
    dw_write_uint (&raw.out.head, peer);
    dw_write_uint (&raw.out.head, 21);
    dw_write_bin (&raw.out.head, "\xa0", 1);
    s_send_bytes (&raw, huge, sizeof huge);
    s_expect_refused (&raw, 400, "makes no sense");
    s_expect_served (f);
    s_disconnect (&raw);
    s_expect_served (f);
}

static void what_went_before_a_lie_in_one_message_still_runs (void **state) {
    system_fixture_t *f = *state;
    s_open (f);
    s_raw_t raw = s_connect (f);
    uint32_t peer = s_join (&raw, f);
    dw_wire_submission_t record = {.payload = {.bytes = (const uint8_t *) "\xa3xyz", .size = 4}};
    dw_write_uint (&raw.out.head, DW_WIRE_SUBMIT);
    dw_write_uint (&raw.out.head, peer);
    for (record.run = 1; record.run <= 3; record.run++)
        wire_write_submission (&raw.out.head, &record, NULL);
    dw_write_uint (&raw.out.head, 4);
    s_send_bytes (&raw, "\xc1", 1);
    bool has[4] = {false};
    uint32_t refused = 0;
    for (int left = 4; left > 0;) {
        uint32_t type = s_receive (&raw);
        dw_wire_result_t result;
        if (type == DW_WIRE_REFUSED) {
            refused++;
            left--;
            continue;
        }
        assert_int_equal (type, DW_WIRE_RESULTS);
        while (dw_wire_reader_has_more (&raw.reader)) {
            assert_true (dw_read_result (&raw.reader, &result));
            assert_in_range (result.run, 1, 3);
            assert_int_equal (result.status, DW_RUN_OK);
            assert_false (has[result.run]);
            has[result.run] = true;
            left--;
        }
    }
    assert_int_equal (refused, 1);
    s_disconnect (&raw);
    s_expect_served (f);
}

static void a_client_cannot_cancel_the_runs_of_another (void **state) {
    system_fixture_t *f = *state;
    gate_t *gate = system_fixture_add_gate (f, "gate", gate_polite);
    system_fixture_add (f, "gate", "gate", "");
    system_fixture_open (f);
    s_raw_t raw = s_connect (f);
    uint32_t peer = s_join (&raw, f);
    uint64_t run = system_fixture_submit (f, "text");
    assert_true (gate_wait_entered (gate, 1));
    for (uint32_t as = 0; as < 10; as++)
        for (uint64_t number = 0; number < 10; number++) {
            dw_write_uint (&raw.out.head, DW_WIRE_ABORT);
            dw_write_uint (&raw.out.head, as == 0 ? peer : as);
            dw_write_uint (&raw.out.head, number);
            s_send (&raw);
        }
    s_say_hello (&raw, 9, DW_WIRE_CLIENT, dw_system_token (f->system), 0);
    s_expect_refused (&raw, 400, "not 9");
    gate_open (gate);
    dw_result_t *result = system_fixture_wait (f, run);
    assert_int_equal (dw_result_status (result), DW_RUN_OK);
    dw_result_destroy (&result);
    s_disconnect (&raw);
}

static void a_client_that_vanishes_leaves_nothing_running_in_its_name (void **state) {
    system_fixture_t *f = *state;
    s_open (f);
    for (int i = 0; i < 10; i++) {
        s_raw_t raw = s_connect (f);
        uint32_t peer = s_join (&raw, f);
        dw_wire_submission_t record = {
            .payload = {.bytes = (const uint8_t *) "\xa3xyz", .size = 4}};
        dw_write_uint (&raw.out.head, DW_WIRE_SUBMIT);
        dw_write_uint (&raw.out.head, peer);
        for (record.run = 1; record.run <= 50; record.run++)
            wire_write_submission (&raw.out.head, &record, NULL);
        s_send (&raw);
        s_receive (&raw);    /* a first result, so that all have arrived */
        s_disconnect (&raw); /* without a goodbye */
    }
    s_expect_served (f);
}

int main (void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test (another_protocol_version_is_refused_with_both_versions),
        cmocka_unit_test (what_is_no_hello_of_ours_is_told_where_it_is),
        cmocka_unit_test (a_wrong_token_is_refused_in_every_role),
        cmocka_unit_test (a_role_or_a_number_that_is_not_to_be_had_is_refused),
        cmocka_unit_test (garbage_is_passed_over),
        cmocka_unit_test (damaged_messages_of_every_kind_are_passed_over),
        cmocka_unit_test (forged_answers_change_nothing),
        cmocka_unit_test (only_the_owner_closes_and_counts),
        cmocka_unit_test (messages_of_any_number_of_frames_are_passed_over),
        cmocka_unit_test (a_peer_that_leaves_in_the_middle_of_a_message_is_forgotten),
        cmocka_unit_test (whoever_shouts_nonsense_does_not_keep_others_from_being_served),
        cmocka_unit_test (a_frame_larger_than_any_payload_ends_its_connection_only),
        cmocka_unit_test (what_is_not_even_zeromq_is_hung_up_on),
        cmocka_unit_test (a_system_closes_while_nonsense_is_shouted_at_it),
        cmocka_unit_test (submissions_that_make_no_sense_are_refused_by_their_number),
        cmocka_unit_test (what_went_before_a_lie_in_one_message_still_runs),
        cmocka_unit_test (a_client_cannot_cancel_the_runs_of_another),
        cmocka_unit_test (a_client_that_vanishes_leaves_nothing_running_in_its_name),
    };
    return system_fixture_run ("hostile peers", tests);
}
