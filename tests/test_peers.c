/* test_peers.c - a real coordinator among peers that lie, stammer and shout: whatever they send, it
 * goes on serving its client with right results; at every place. */

#include "tests/support/raw_peer.h"

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
#include "tests/support/wire_seeds.h"

/* ---- HELLO ------------------------------------------------------------------------------------ */

static void another_protocol_version_is_refused_with_both_versions (void **state) {
    system_fixture_t *f = *state;
    raw_peer_open_system (f);
    raw_peer_t raw = raw_peer_connect (f);
    raw_peer_say_hello (&raw, 4711, DW_WIRE_CLIENT, dw_system_token (f->system), 0);
    raw_peer_expect_refused (&raw, 400, "4711");
    raw_peer_say_hello (&raw, 0, DW_WIRE_WORKER, dw_system_token (f->system), 0);
    char both[64];
    snprintf (both, sizeof both, "version %u is spoken here, not 0", DW_WIRE_VERSION);
    raw_peer_expect_refused (&raw, 400, both);
    raw_peer_disconnect (&raw);
    raw_peer_expect_served (f);
}

static void an_older_peer_is_told_what_it_would_have_to_speak (void **state) {
    system_fixture_t *f = *state;
    raw_peer_open_system (f);
    raw_peer_t raw = raw_peer_connect (f);
    for (uint32_t role = DW_WIRE_WORKER; role <= DW_WIRE_AGENT; role++) {
        raw_peer_say_hello_of_version_2 (&raw, role, dw_system_token (f->system));
        raw_peer_expect_refused (&raw, 400, "protocol version 3 is spoken here, not 2");
    }
    raw_peer_disconnect (&raw);
    raw_peer_expect_served (f);
}

static void a_newer_peer_is_welcome_when_it_still_speaks_this_version (void **state) {
    system_fixture_t *f = *state;
    raw_peer_open_system (f);
    raw_peer_t raw = raw_peer_connect (f);
    raw_peer_say_hello_of_range (&raw, DW_WIRE_VERSION + 5, DW_WIRE_VERSION + 1,
                                 dw_system_token (f->system));
    raw_peer_expect_refused (&raw, 400, "protocol version 3 is spoken here, not 4 to 8");
    raw_peer_say_hello_of_range (&raw, DW_WIRE_VERSION, DW_WIRE_VERSION + 1,
                                 dw_system_token (f->system)); /* the wrong way round */
    raw_peer_expect_refused (&raw, 400, "that was no HELLO");
    raw_peer_say_hello_of_range (&raw, DW_WIRE_VERSION + 5, DW_WIRE_VERSION,
                                 dw_system_token (f->system));
    assert_int_equal (raw_peer_receive (&raw), DW_WIRE_WELCOME);
    raw_peer_disconnect (&raw);
    raw_peer_expect_served (f);
}

static void what_is_no_hello_of_ours_is_told_where_it_is (void **state) {
    system_fixture_t *f = *state;
    raw_peer_open_system (f);
    raw_peer_t raw = raw_peer_connect (f);
    static const char *const heads[] = {"\x00", "\x00\xa7magical\x01",
                                        "\x00\xa7"
                                        "dagwood",
                                        "\x00\xa7"
                                        "dagwood\xc0",
                                        "\x00\x01\x02\x03"};
    static const size_t sizes[] = {1, 10, 9, 10, 4};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        raw_peer_send_bytes (&raw, heads[i], sizes[i]);
        raw_peer_expect_refused (&raw, 400, "dagwood coordinator");
    }
    raw_peer_disconnect (&raw);
    raw_peer_expect_served (f);
}

static void a_wrong_token_is_refused_in_every_role (void **state) {
    system_fixture_t *f = *state;
    raw_peer_open_system (f);
    raw_peer_t raw = raw_peer_connect (f);
    uint8_t token[DW_WIRE_TOKEN_SIZE];
    for (unsigned bit = 0; bit < 8 * DW_WIRE_TOKEN_SIZE; bit++) {
        memcpy (token, dw_system_token (f->system), sizeof token);
        token[bit / 8] ^= (uint8_t) (1u << bit % 8);
        raw_peer_say_hello (&raw, DW_WIRE_VERSION, 1 + bit % DW_WIRE_OWNER, token, 0);
        raw_peer_expect_refused (&raw, 403, "token");
    }
    raw_peer_disconnect (&raw);
    raw_peer_expect_served (f);
}

static void a_role_or_a_number_that_is_not_to_be_had_is_refused (void **state) {
    system_fixture_t *f = *state;
    raw_peer_open_system (f);
    raw_peer_expect_served (f); /* so that all workers have joined */
    raw_peer_t raw = raw_peer_connect (f);
    const uint8_t *token = dw_system_token (f->system);
    static const uint32_t numbers[] = {0, 1, 2, 3, 64, UINT32_MAX};
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        if (f->place->actors == DW_ACTORS_POOL && numbers[i] <= 1)
            continue; /* an actor that the run did not need may not have joined yet */
        raw_peer_say_hello (&raw, DW_WIRE_VERSION, DW_WIRE_WORKER, token, numbers[i]);
        raw_peer_expect_refused (&raw, 400, "no worker of this number");
    }
    raw_peer_say_hello (&raw, DW_WIRE_VERSION, DW_WIRE_OWNER, token, 0);
    raw_peer_expect_refused (&raw, 403, "role");
    raw_peer_say_hello (&raw, DW_WIRE_VERSION, 0, token, 0);
    raw_peer_expect_refused (&raw, 403, "role");
    raw_peer_disconnect (&raw);
    raw_peer_expect_served (f);
}

/* ---- From nobody ------------------------------------------------------------------------------ */

static void garbage_is_passed_over (void **state) {
    system_fixture_t *f = *state;
    raw_peer_open_system (f);
    random_t random = random_from (random_seed ());
    raw_peer_t raw = raw_peer_connect (f);
    for (int i = 0; i < 20000; i++) {
        raw_peer_send_garbage (&raw, &random);
        if (i % 2000 == 0)
            raw_peer_expect_served (f);
    }
    raw_peer_expect_served (f);
    raw_peer_disconnect (&raw);
    raw_peer_expect_served (f);
}

static void damaged_messages_of_every_kind_are_passed_over (void **state) {
    system_fixture_t *f = *state;
    static const uint8_t types[] = {DW_WIRE_HELLO,  DW_WIRE_TASKS,   DW_WIRE_ANSWERS,
                                    DW_WIRE_SUBMIT, DW_WIRE_RESULTS, DW_WIRE_RESULTS};
    raw_peer_open_system (f);
    random_t random = random_from (random_seed ());
    raw_peer_t raw = raw_peer_connect (f);
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
        raw_peer_send (&raw);
    }
    raw_peer_expect_served (f);
    dw_writer_free (&record);
    raw_peer_disconnect (&raw);
}

/* Answers for every ticket, in the name of every peer, while the true one is under way. */
static void forged_answers_change_nothing (void **state) {
    system_fixture_t *f = *state;
    gate_t *gate = system_fixture_add_gate (f, "gate", gate_deaf);
    system_fixture_add (f, "gate", "gate", "");
    system_fixture_open (f);
    raw_peer_t raw = raw_peer_connect (f);
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
            raw_peer_send (&raw);
        }
    for (uint32_t peer = 0; peer < 20; peer++)
        for (uint32_t type = DW_WIRE_SUBMIT; type <= DW_WIRE_BYE; type++) {
            dw_write_uint (&raw.out.head, type);
            dw_write_uint (&raw.out.head, peer);
            dw_write_uint (&raw.out.head, run); /* ABORT of it, for one */
            raw_peer_send (&raw);
        }
    /* What comes after all that was taken in behind it. */
    raw_peer_say_hello (&raw, 9, DW_WIRE_CLIENT, dw_system_token (f->system), 0);
    raw_peer_expect_refused (&raw, 400, "not 9");
    dw_result_t *result = NULL;
    assert_int_equal (dw_client_wait (f->client, run, 30, &result), DW_ETIMEDOUT);
    gate_open (gate);
    result = system_fixture_wait (f, run);
    assert_int_equal (dw_result_status (result), DW_RUN_OK);
    expect_text (result, "gate", "true");
    dw_result_destroy (&result);
    system_fixture_expect_run (f, "again", "gate", "again");
    raw_peer_disconnect (&raw);
}

static void only_the_owner_closes_and_counts (void **state) {
    system_fixture_t *f = *state;
    raw_peer_open_system (f);
    raw_peer_t raw = raw_peer_connect (f);
    uint32_t peer = raw_peer_join (&raw, f);
    for (uint32_t type = DW_WIRE_CLOSE; type <= DW_WIRE_TYPES; type++) {
        if (type == DW_WIRE_BEAT || type == DW_WIRE_STATUS) /* a client's, too */
            continue;
        dw_write_uint (&raw.out.head, type);
        dw_write_uint (&raw.out.head, 0);
        raw_peer_send (&raw);
        dw_write_uint (&raw.out.head, type);
        dw_write_uint (&raw.out.head, peer);
        dw_write_uint (&raw.out.head, 0);
        raw_peer_send (&raw);
    }
    raw_peer_say_hello (&raw, 9, DW_WIRE_CLIENT, dw_system_token (f->system), 0);
    raw_peer_expect_refused (&raw, 400, "not 9"); /* and nothing before it */
    raw_peer_expect_served (f);
    raw_peer_disconnect (&raw);
}

static void messages_of_any_number_of_frames_are_passed_over (void **state) {
    system_fixture_t *f = *state;
    static const unsigned counts[] = {
        1, 2, 100, DW_WIRE_FRAMES_MAX - 1, DW_WIRE_FRAMES_MAX, DW_WIRE_FRAMES_MAX + 1, 100000};
    raw_peer_open_system (f);
    raw_peer_t raw = raw_peer_connect (f);
    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++) {
        for (unsigned k = 0; k < counts[i]; k++)
            assert_true (
                zmq_send (raw.socket, "\x07", k % 2, k + 1 < counts[i] ? ZMQ_SNDMORE : 0) >= 0);
        raw_peer_say_hello (&raw, 9, DW_WIRE_CLIENT, dw_system_token (f->system), 0);
        raw_peer_expect_refused (&raw, 400, "not 9"); /* a message of its own */
        raw_peer_expect_served (f);
    }
    raw_peer_disconnect (&raw);
}

static void a_peer_that_leaves_in_the_middle_of_a_message_is_forgotten (void **state) {
    system_fixture_t *f = *state;
    raw_peer_open_system (f);
    for (int i = 0; i < 20; i++) {
        raw_peer_t raw = raw_peer_connect (f);
        assert_int_equal (zmq_send (raw.socket, "\x00", 1, ZMQ_SNDMORE), 1);
        assert_int_equal (zmq_send (raw.socket, "\x00", 1, ZMQ_SNDMORE), 1);
        raw_peer_disconnect (&raw);
    }
    raw_peer_expect_served (f);
}

/* ThreadSanitizer makes everything some twenty times slower, and a flood the more so: what is taken
 * in more slowly than it is shouted piles up. There it is a smaller flood. */
#define SHOUTS_MAX (sizeof DAGWOOD_SANITIZE > 1 ? 20000u : 400000u)

/* A thread that shouts as loud as it can, so many times at most. */
typedef struct s_shout_t {
    pthread_t thread;
    raw_peer_t raw;
    atomic_bool is_over;
    atomic_uint count;
} s_shout_t;

static void *s_shout (void *args) {
    s_shout_t *self = args;
    while (!atomic_load (&self->is_over) && atomic_load (&self->count) < SHOUTS_MAX) {
        if (zmq_send (self->raw.socket, "\xc1", 1, 0) < 0)
            break;
        if (atomic_fetch_add (&self->count, 1) % 50000 == 49999)
            sleep_ms (20); /* memory is not what is tested here */
    }
    return NULL;
}

static void whoever_shouts_nonsense_does_not_keep_others_from_being_served (void **state) {
    system_fixture_t *f = *state;
    raw_peer_open_system (f);
    s_shout_t shout = {.raw = raw_peer_connect (f)};
    assert_int_equal (pthread_create (&shout.thread, NULL, s_shout, &shout), 0);
    for (int64_t end_ms = now_ms () + 300;
         now_ms () < end_ms && atomic_load (&shout.count) < SHOUTS_MAX;)
        raw_peer_expect_served (f);
    atomic_store (&shout.is_over, true);
    pthread_join (shout.thread, NULL);
    assert_true (atomic_load (&shout.count) > 1000);
    raw_peer_disconnect (&shout.raw);
    raw_peer_expect_served (f);
}

static void a_frame_larger_than_any_payload_ends_its_connection_only (void **state) {
    system_fixture_t *f = *state;
    if (!f->place->transport)
        skip (); /* there is no limit within a process */
    system_fixture_options (f)->max_payload_bytes = 1000;
    raw_peer_open_system (f);
    raw_peer_t raw = raw_peer_connect (f);
    size_t size = 17u << 20;
    char *bytes = calloc (1, size);
    assert_non_null (bytes);
    for (int i = 0; i < 3; i++) {
        assert_int_equal (zmq_send (raw.socket, bytes, size, 0), size);
        raw_peer_expect_served (f);
    }
    free (bytes);
    raw_peer_disconnect (&raw);
    raw_peer_expect_served (f);
}

/* A connection to a port of this machine, without ZeroMQ. */
static int s_connect_plainly (const char *endpoint) {
    struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_port = htons ((uint16_t) atoi (strrchr (endpoint, ':') + 1))};
    inet_pton (AF_INET, "127.0.0.1", &address.sin_addr);
    int fd = socket (AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal (connect (fd, (struct sockaddr *) &address, sizeof address), 0);
    return fd;
}

static void s_write_plainly (int fd, const void *bytes, size_t size) {
    for (const char *at = bytes; size > 0;) {
        ssize_t written = send (fd, at, size, MSG_NOSIGNAL);
        if (written <= 0)
            fail_msg ("the coordinator has hung up");
        at += written;
        size -= (size_t) written;
    }
}

/* ZeroMQ's own sender keeps a message until all of it is there, so this one speaks ZMTP itself.
 * What it has sent lies in ZeroMQ at the other end, where nobody can see it before its end. */
static void a_message_without_an_end_holds_nobody_up (void **state) {
    static const char hello[] =
        "\xff\0\0\0\0\0\0\0\0\x7f\x03\0NULL"; /* padded to 64 bytes, then: */
    static const char ready[] = "\x04\x1c\x05READY\x0bSocket-Type\0\0\0\x06"
                                "DEALER";
    system_fixture_t *f = *state;
    if (!f->place->transport || strcmp (f->place->transport, "tcp") != 0)
        skip ();
    char greeting[64] = "", frames[3000];
    memcpy (greeting, hello, sizeof hello - 1);
    for (size_t i = 0; i < sizeof frames; i += 3)
        memcpy (frames + i, "\x01\x01x", 3); /* more to come, one byte */
    raw_peer_open_system (f);
    int fds[2];
    for (int i = 0; i < 2; i++) {
        fds[i] = s_connect_plainly (dw_system_endpoint (f->system));
        s_write_plainly (fds[i], greeting, sizeof greeting);
        s_write_plainly (fds[i], ready, sizeof ready - 1);
        /* Who speaks on before the other end is ready is hung up on. */
        uint8_t answer[64 + 2 + 255];
        assert_int_equal (recv (fds[i], answer, 66, MSG_WAITALL), 66);
        assert_int_equal (recv (fds[i], answer, answer[65], MSG_WAITALL), answer[65]);
    }
    for (int i = 0; i < 200; i++) {
        s_write_plainly (fds[i % 2], frames, sizeof frames);
        if (i % 20 == 0)
            raw_peer_expect_served (f);
    }
    close (fds[0]);
    raw_peer_expect_served (f);
    system_fixture_close (f); /* while the other one still talks */
    close (fds[1]);
}

/* Connects count times to a port of this machine, and says bytes that are not ZeroMQ. */
static void s_say_nonsense (const char *endpoint, int count, random_t *random) {
    for (int i = 0; i < count; i++) {
        uint8_t bytes[200];
        int fd = s_connect_plainly (endpoint);
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
    raw_peer_open_system (f);
    for (int i = 0; i < 5; i++) {
        s_say_nonsense (dw_system_endpoint (f->system), 100, &random);
        raw_peer_expect_served (f);
        s_say_nonsense (dw_system_endpoint (f->system), 100, &random);
        system_fixture_close (f); /* in the middle of their greetings */
        system_fixture_open (f);
    }
    raw_peer_expect_served (f);
}

static void a_system_closes_while_nonsense_is_shouted_at_it (void **state) {
    system_fixture_t *f = *state;
    raw_peer_open_system (f);
    raw_peer_expect_served (f);
    s_shout_t shouts[3];
    if (!f->place->transport)
        skip (); /* who shouts in the same process is told by its own socket */
    for (int i = 0; i < 3; i++) {
        shouts[i] = (s_shout_t){.raw = raw_peer_connect (f)};
        assert_int_equal (pthread_create (&shouts[i].thread, NULL, s_shout, &shouts[i]), 0);
    }
    for (int64_t end_ms = now_ms () + 50; now_ms () < end_ms;)
        raw_peer_expect_served (f);
    int64_t begin_ms = now_ms ();
    assert_int_equal (system_fixture_try_close (f, -1), DW_OK);
    assert_in_range (now_ms () - begin_ms, 0, 3000);
    for (int i = 0; i < 3; i++) {
        atomic_store (&shouts[i].is_over, true);
        pthread_join (shouts[i].thread, NULL);
        raw_peer_disconnect (&shouts[i].raw);
    }
}

int main (void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test (another_protocol_version_is_refused_with_both_versions),
        cmocka_unit_test (an_older_peer_is_told_what_it_would_have_to_speak),
        cmocka_unit_test (a_newer_peer_is_welcome_when_it_still_speaks_this_version),
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
        cmocka_unit_test (a_message_without_an_end_holds_nobody_up),
        cmocka_unit_test (what_is_not_even_zeromq_is_hung_up_on),
        cmocka_unit_test (a_system_closes_while_nonsense_is_shouted_at_it),
    };
    return system_fixture_run ("hostile peers", tests);
}
