/* test_zap.c - who completes a handshake with a guarded socket, and what ZeroMQ does without its
 * guard. */

#include "tests/support/zap_fixture.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "actors/endpoint.h"

#define ENFORCE_DOMAIN 93 /* ZMQ_ZAP_ENFORCE_DOMAIN */

/* ---- Guarded ---------------------------------------------------------------------------------- */

static void a_listed_key_is_let_in_and_its_messages_name_it (void **state) {
    zap_fixture_t *f = *state;
    zap_listen (f);
    zap_expect_let_in (f, &f->listed);
    zap_expect_counts (f, 1, 0, 0);
}

static void an_unlisted_key_is_kept_out (void **state) {
    zap_fixture_t *f = *state;
    zap_listen (f);
    zap_expect_kept_out (f, &f->unlisted, &f->server, ZMQ_EVENT_HANDSHAKE_FAILED_AUTH, 400);
    zap_expect_counts (f, 0, 1, 0);
    zap_expect_let_in (f, &f->listed);
}

static void a_listed_key_of_which_one_has_no_secret_is_kept_out (void **state) {
    zap_fixture_t *f = *state;
    dw_keys_t thief = f->unlisted;
    zap_listen (f);
    memcpy (thief.public_key, f->listed.public_key, DW_KEY_SIZE);
    zap_expect_kept_out (f, &thief, &f->server, ZMQ_EVENT_HANDSHAKE_FAILED_PROTOCOL,
                         ZMQ_PROTOCOL_ERROR_ZMTP_CRYPTOGRAPHIC);
    zap_expect_counts (f, 0, 0, 0);
}

static void who_shows_no_key_is_kept_out (void **state) {
    zap_fixture_t *f = *state;
    zap_listen (f);
    zap_expect_kept_out (f, NULL, NULL, ZAP_FAILURES,
                         0); /* either side may be the first to hang up */
    zap_expect_counts (f, 0, 0, 0);
}

static void who_shows_a_password_is_kept_out (void **state) {
    zap_fixture_t *f = *state;
    uint32_t value;
    zap_listen (f);
    void *dealer = zap_open_dealer (f, f->peers);
    zmq_setsockopt (dealer, ZMQ_PLAIN_USERNAME, "x", 1);
    zmq_setsockopt (dealer, ZMQ_PLAIN_PASSWORD, "x", 1);
    assert_int_equal (zmq_connect (dealer, f->endpoint), 0);
    assert_true (zap_outcome (f, &value) & ZAP_FAILURES);
    zap_close_dealer (f, dealer);
}

static void who_expects_another_server_is_not_served (void **state) {
    zap_fixture_t *f = *state;
    zap_listen (f);
    zap_expect_kept_out (f, &f->listed, &f->unlisted, ZMQ_EVENT_HANDSHAKE_FAILED_PROTOCOL,
                         ZMQ_PROTOCOL_ERROR_ZMTP_CRYPTOGRAPHIC);
}

static void with_an_empty_list_nobody_is_let_in (void **state) {
    zap_fixture_t *f = *state;
    dw_allowed_t *list = NULL;
    zap_listen (f);
    assert_int_equal (dw_allowed_parse (&list, "", 0, NULL, NULL), DW_OK);
    assert_int_equal (dw_zap_replace (f->zap, list), DW_OK);
    zap_expect_kept_out (f, &f->listed, &f->server, ZMQ_EVENT_HANDSHAKE_FAILED_AUTH, 400);
    dw_zap_destroy (&f->zap);
    dw_allowed_destroy (&list);
}

static void a_role_is_told_from_the_key_of_a_message (void **state) {
    zap_fixture_t *f = *state;
    uint8_t key[DW_KEY_SIZE];
    zap_listen (f);
    void *dealer = zap_connect (f, &f->listed, &f->server);
    assert_true (zap_receive (f, key));
    unsigned roles = dw_allowed_find (f->allowed, key, NULL);
    assert_true (roles & DW_ROLE_WORKER);
    assert_false (roles & DW_ROLE_CLIENT); /* who says HELLO as a client is refused */
    zap_close_dealer (f, dealer);
}

static void every_frame_behind_the_routing_id_names_the_key (void **state) {
    zap_fixture_t *f = *state;
    uint8_t key[DW_KEY_SIZE];
    zmq_msg_t frame;
    zap_listen (f);
    void *dealer = zap_connect (f, &f->listed, &f->server);
    assert_true (zap_receive (f, key));
    zmq_send (dealer, "a", 1, ZMQ_SNDMORE);
    zmq_send (dealer, "", 0, ZMQ_SNDMORE);
    zmq_send (dealer, "c", 1, 0);
    zmq_msg_init (&frame);
    assert_true (zap_wait (f->router, ZAP_WAIT_MS)); /* who polls first finds it not on the id */
    assert_true (zmq_msg_recv (&frame, f->router, 0) > 0);
    for (int i = 0; i < 3; i++) {
        assert_true (zmq_msg_more (&frame));
        assert_true (zmq_msg_recv (&frame, f->router, 0) >= 0);
        memset (key, 0, sizeof key);
        assert_true (dw_zap_user (&frame, key));
        assert_memory_equal (key, f->listed.public_key, sizeof key);
    }
    zmq_msg_close (&frame);
    zap_close_dealer (f, dealer);
}

/* ---- Another list ----------------------------------------------------------------------------- */

static void with_another_list_others_are_let_in (void **state) {
    zap_fixture_t *f = *state;
    dw_allowed_t *list = zap_list (&f->unlisted, "client", 0);
    zap_listen (f);
    zap_expect_let_in (f, &f->listed);
    assert_int_equal (dw_zap_replace (f->zap, list), DW_OK);
    dw_allowed_destroy (&f->allowed); /* nobody reads it any more */
    zap_expect_kept_out (f, &f->listed, &f->server, ZMQ_EVENT_HANDSHAKE_FAILED_AUTH, 400);
    zap_expect_let_in (f, &f->unlisted);
    f->allowed = list; /* borrowed until the tear-down has ended the handler */
}

static void a_connection_outlives_its_key_so_that_the_list_must_be_asked (void **state) {
    zap_fixture_t *f = *state;
    uint8_t key[DW_KEY_SIZE];
    dw_allowed_t *list = zap_list (&f->unlisted, "client", 0);
    zap_listen (f);
    void *dealer = zap_connect (f, &f->listed, &f->server);
    assert_true (zap_receive (f, key));
    assert_int_equal (dw_zap_replace (f->zap, list), DW_OK);
    assert_int_equal (zmq_send (dealer, "hello", 5, 0), 5);
    assert_true (zap_receive (f, key)); /* ZeroMQ still lets it through */
    assert_int_equal (dw_allowed_find (list, key, NULL), 0);
    zap_close_dealer (f, dealer);
    dw_zap_destroy (&f->zap);
    dw_allowed_destroy (&list);
}

static void lists_can_be_replaced_while_many_connect (void **state) {
    zap_fixture_t *f = *state;
    uint8_t key[DW_KEY_SIZE];
    void *dealers[50];
    zap_listen (f);
    for (int i = 0; i < 50; i++) {
        dw_allowed_t *list = zap_list (&f->listed, "worker", (uint32_t) i);
        dealers[i] = zap_connect (f, &f->listed, &f->server);
        assert_int_equal (dw_zap_replace (f->zap, list), DW_OK);
        dw_allowed_destroy (&f->allowed);
        f->allowed = list;
    }
    for (int i = 0; i < 50; i++)
        assert_true (zap_receive (f, key));
    for (int i = 0; i < 50; i++)
        zap_close_dealer (f, dealers[i]);
    zap_expect_counts (f, 50, 0, 0);
}

/* ---- Where ZeroMQ fails open ------------------------------------------------------------------ */

static void without_its_handler_nobody_is_let_in (void **state) {
    zap_fixture_t *f = *state;
    zap_listen (f);
    zap_expect_let_in (f, &f->listed);
    dw_zap_destroy (&f->zap);
    zap_expect_kept_out (f, &f->listed, &f->server, ZMQ_EVENT_HANDSHAKE_FAILED_NO_DETAIL, 0);
    zap_expect_kept_out (f, &f->unlisted, &f->server, ZMQ_EVENT_HANDSHAKE_FAILED_NO_DETAIL, 0);
}

/* Guarded, but for what the test then takes away again. */
static void s_make_guarded (zap_fixture_t *f) {
    zap_make_router (f);
    assert_int_equal (dw_zap_guard (f->zap, f->router, &f->server, &zap_limits, NULL), DW_OK);
    assert_true (dw_zap_is_guarded (f->router));
}

static void s_expect_fails_open (zap_fixture_t *f) {
    uint32_t value;
    char bound[64];
    assert_false (dw_zap_is_guarded (f->router));
    assert_int_equal (dw_endpoint_bind (f->router, "tcp://0.0.0.0:*", bound, sizeof bound, NULL),
                      DW_EKEY);
    zap_bind (f);
    void *dealer = zap_connect (f, &f->unlisted, &f->server);
    assert_int_equal (zap_outcome (f, &value), ZMQ_EVENT_HANDSHAKE_SUCCEEDED);
    zap_close_dealer (f, dealer);
}

static void without_a_domain_zeromq_lets_every_key_in_so_that_is_not_guarded (void **state) {
    zap_fixture_t *f = *state;
    int yes = 1;
    zap_make_router (f); /* a domain cannot be taken away again */
    zmq_setsockopt (f->router, ZMQ_CURVE_SECRETKEY, f->server.secret_key, DW_KEY_SIZE);
    zmq_setsockopt (f->router, ZMQ_CURVE_SERVER, &yes, sizeof yes);
    zmq_setsockopt (f->router, ENFORCE_DOMAIN, &yes, sizeof yes);
    s_expect_fails_open (f);
    zap_expect_counts (f, 0, 0, 0); /* nobody was asked */
}

static void without_the_domain_enforced_a_missing_handler_lets_every_key_in (void **state) {
    zap_fixture_t *f = *state;
    int no = 0;
    s_make_guarded (f);
    assert_int_equal (zmq_setsockopt (f->router, ENFORCE_DOMAIN, &no, sizeof no), 0);
    dw_zap_destroy (&f->zap);
    s_expect_fails_open (f);
}

static void another_domain_is_kept_out (void **state) {
    zap_fixture_t *f = *state;
    s_make_guarded (f);
    assert_int_equal (zmq_setsockopt (f->router, ZMQ_ZAP_DOMAIN, "other", 5), 0);
    assert_false (dw_zap_is_guarded (f->router));
    zap_bind (f);
    zap_expect_kept_out (f, &f->listed, &f->server, ZMQ_EVENT_HANDSHAKE_FAILED_AUTH, 400);
}

/* ---- Without keys ----------------------------------------------------------------------------- */

/* A router as a coordinator has it today: on the loopback interface, with a domain alone. */
static void s_listen_without_keys (zap_fixture_t *f, int enforce) {
    zap_make_router (f);
    assert_int_equal (zmq_setsockopt (f->router, ZMQ_ZAP_DOMAIN, "dagwood", 7), 0);
    assert_int_equal (zmq_setsockopt (f->router, ENFORCE_DOMAIN, &enforce, sizeof enforce), 0);
    assert_false (dw_zap_is_guarded (f->router));
    zap_bind (f);
}

static void with_a_domain_alone_and_no_handler_who_shows_no_key_is_let_in (void **state) {
    zap_fixture_t *f = *state;
    uint32_t value;
    uint8_t key[DW_KEY_SIZE];
    dw_zap_destroy (&f->zap);
    s_listen_without_keys (f, 0);
    void *dealer = zap_connect (f, NULL, NULL);
    assert_int_equal (zap_outcome (f, &value), ZMQ_EVENT_HANDSHAKE_SUCCEEDED);
    assert_false (zap_receive (f, key));
    zap_close_dealer (f, dealer);
}

static void with_the_domain_enforced_and_no_handler_nobody_is_let_in (void **state) {
    zap_fixture_t *f = *state;
    dw_zap_destroy (&f->zap);
    s_listen_without_keys (f, 1);
    zap_expect_kept_out (f, NULL, NULL, ZMQ_EVENT_HANDSHAKE_FAILED_NO_DETAIL, 0);
}

/* So one context has either a handler and guarded sockets, or neither. */
static void a_handler_keeps_out_who_shows_no_key_at_every_socket_of_its_context (void **state) {
    zap_fixture_t *f = *state;
    uint32_t value;
    s_listen_without_keys (f, 0);
    void *dealer = zap_connect (f, NULL, NULL);
    /* The mechanism NULL has the server's READY wait for the handler, and its peer is told. */
    assert_int_equal (zap_outcome (f, &value), ZMQ_EVENT_HANDSHAKE_FAILED_AUTH);
    assert_false (zap_wait (f->router, 50));
    zap_expect_counts (f, 0, 1, 0);
    zap_close_dealer (f, dealer);
}

static void s_write_all (int fd, const void *bytes, size_t size) {
    assert_int_equal (write (fd, bytes, size), size);
}

/* A peer that speaks ZMTP 3.0 itself, and says in READY that it is somebody. */
static int s_forge (const zap_fixture_t *f, const char *user) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr = {htonl (INADDR_LOOPBACK)}};
    unsigned char greeting[64] = {0xff, [8] = 1, [9] = 0x7f, [10] = 3, [12] = 'N', 'U', 'L', 'L'};
    unsigned char ready[128] = "\4\0\5READY\13Socket-Type\0\0\0\6DEALER\7User-Id\0\0\0\50";
    size_t size = sizeof "\4\0\5READY\13Socket-Type\0\0\0\6DEALER\7User-Id\0\0\0\50" - 1;
    address.sin_port = htons ((uint16_t) atoi (strrchr (f->endpoint, ':') + 1));
    memcpy (ready + size, user, 40);
    size += 40;
    ready[1] = (unsigned char) (size - 2);
    int fd = socket (AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal (connect (fd, (struct sockaddr *) &address, sizeof address), 0);
    s_write_all (fd, greeting, sizeof greeting);
    s_write_all (fd, ready, size);
    unsigned char answer[66]; /* a greeting and the head of READY, for which one has to wait */
    assert_int_equal (recv (fd, answer, sizeof answer, MSG_WAITALL), sizeof answer);
    s_write_all (fd, "\0\5hello", 7);
    return fd;
}

static void where_nothing_is_guarded_a_peer_says_of_itself_what_it_likes (void **state) {
    zap_fixture_t *f = *state;
    char user[DW_KEY_TEXT_SIZE];
    uint8_t key[DW_KEY_SIZE];
    dw_zap_destroy (&f->zap);
    s_listen_without_keys (f, 0);
    dw_key_text (user, f->listed.public_key);
    int fd = s_forge (f, user);
    assert_true (zap_receive (f, key)); /* which is why only a guarded socket may be asked */
    assert_memory_equal (key, f->listed.public_key, sizeof key);
    close (fd);
}

/* ---- Limits ----------------------------------------------------------------------------------- */

static void a_guard_needs_limits (void **state) {
    zap_fixture_t *f = *state;
    zap_make_router (f);
    static const dw_zap_limits_t wrong[] = {{0, 1000}, {-1, 1000}, {1 << 20, 0}, {1 << 20, -1}};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        assert_int_equal (dw_zap_guard (f->zap, f->router, &f->server, &wrong[i], NULL), DW_EINVAL);
    assert_false (dw_zap_is_guarded (f->router));
}

static void what_a_guard_sets_can_be_read_back (void **state) {
    zap_fixture_t *f = *state;
    int64_t bytes_max = 0;
    int ms = 0;
    size_t size = sizeof bytes_max;
    s_make_guarded (f);
    assert_int_equal (zmq_getsockopt (f->router, ZMQ_MAXMSGSIZE, &bytes_max, &size), 0);
    assert_int_equal (bytes_max, zap_limits.message_bytes_max);
    size = sizeof ms;
    assert_int_equal (zmq_getsockopt (f->router, ZMQ_HANDSHAKE_IVL, &ms, &size), 0);
    assert_int_equal (ms, zap_limits.handshake_ms);
}

static void a_guard_that_zeromq_does_not_take_is_an_error (void **state) {
    zap_fixture_t *f = *state;
    dw_error_t *error = dw_error_new ();
    assert_int_equal (dw_zap_guard (f->zap, f->zap, &f->server, &zap_limits, error), DW_EKEY);
    assert_non_null (strstr (dw_error_text (error), "does not take what guards a socket"));
    uint8_t key[DW_KEY_SIZE] = {1};
    assert_int_equal (dw_keys_use (&f->listed, f->zap, key, error), DW_EKEY); /* no socket */
    dw_error_destroy (&error);
}

int main (void) {
#define TEST(name) cmocka_unit_test_setup_teardown (name, zap_set_up, zap_tear_down)
    const struct CMUnitTest tests[] = {
        TEST (a_listed_key_is_let_in_and_its_messages_name_it),
        TEST (an_unlisted_key_is_kept_out),
        TEST (a_listed_key_of_which_one_has_no_secret_is_kept_out),
        TEST (who_shows_no_key_is_kept_out),
        TEST (who_shows_a_password_is_kept_out),
        TEST (who_expects_another_server_is_not_served),
        TEST (with_an_empty_list_nobody_is_let_in),
        TEST (a_role_is_told_from_the_key_of_a_message),
        TEST (every_frame_behind_the_routing_id_names_the_key),
        TEST (with_another_list_others_are_let_in),
        TEST (a_connection_outlives_its_key_so_that_the_list_must_be_asked),
        TEST (lists_can_be_replaced_while_many_connect),
        TEST (without_its_handler_nobody_is_let_in),
        TEST (without_a_domain_zeromq_lets_every_key_in_so_that_is_not_guarded),
        TEST (without_the_domain_enforced_a_missing_handler_lets_every_key_in),
        TEST (another_domain_is_kept_out),
        TEST (with_a_domain_alone_and_no_handler_who_shows_no_key_is_let_in),
        TEST (with_the_domain_enforced_and_no_handler_nobody_is_let_in),
        TEST (a_handler_keeps_out_who_shows_no_key_at_every_socket_of_its_context),
        TEST (where_nothing_is_guarded_a_peer_says_of_itself_what_it_likes),
        TEST (a_guard_needs_limits),
        TEST (what_a_guard_sets_can_be_read_back),
        TEST (a_guard_that_zeromq_does_not_take_is_an_error),
    };
    return !!cmocka_run_group_tests_name ("zap", tests, NULL, NULL);
}
