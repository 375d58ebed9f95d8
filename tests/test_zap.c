/* test_zap.c - who completes a handshake with a guarded socket, and what ZeroMQ does without its guard.
 *
 * Real sockets over TCP on the loopback interface; a monitor of the server says how each handshake
 * ended, so that nothing is concluded from silence. */

#include "actors/zap.h"

#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "actors/clock.h"
#include "actors/endpoint.h"

#define WAIT_MS        5000
#define MANY_KEYS      50000u
#define CONNECTS       200
#define ENFORCE_DOMAIN 93 /* ZMQ_ZAP_ENFORCE_DOMAIN */
#define MONITOR        "inproc://monitor"
#define MONITORED      (ZMQ_EVENT_HANDSHAKE_SUCCEEDED | s_failures)
#define REQUESTS       "inproc://zeromq.zap.01"
#define EVENT_NOTHING  0

static const int s_failures = ZMQ_EVENT_HANDSHAKE_FAILED_NO_DETAIL |
                              ZMQ_EVENT_HANDSHAKE_FAILED_PROTOCOL | ZMQ_EVENT_HANDSHAKE_FAILED_AUTH;

/* A server with a handler, and a client's pair that is listed as a worker's. */
typedef struct fixture_t {
    void *context, *peers; /* the server's, and the clients' */
    dw_keys_t server, listed, unlisted;
    dw_allowed_t *allowed;
    dw_zap_t *zap;
    void *router, *monitor;
    unsigned open_count; /* sockets of a test's own */
    char endpoint[64];
} fixture_t;

/* ---- Fixture ---------------------------------------------------------------------------------- */

/* A list with this key in this role, and others behind it. */
static dw_allowed_t *s_list (const dw_keys_t *keys, const char *role, uint32_t others) {
    size_t room = ((size_t) others + 1) * 64;
    char *text = malloc (room), key[DW_KEY_TEXT_SIZE];
    dw_allowed_t *list = NULL;
    assert_non_null (text);
    dw_key_text (key, keys->public_key);
    size_t used = (size_t) snprintf (text, room, "%s %s x\n", role, key);
    for (uint32_t i = 0; i < others; i++) {
        uint8_t other[DW_KEY_SIZE] = {(uint8_t) i, (uint8_t) (i >> 8), (uint8_t) (i >> 16), 1};
        dw_key_text (key, other);
        used += (size_t) snprintf (text + used, room - used, "client %s x\n", key);
    }
    assert_int_equal (dw_allowed_parse (&list, text, used, NULL, NULL), DW_OK);
    free (text);
    return list;
}

static const dw_zap_limits_t s_limits = {.message_bytes_max = 1 << 20, .handshake_ms = 1000};

static int s_set_up (void **state) {
    fixture_t *f = calloc (1, sizeof *f);
    f->context = zmq_ctx_new ();
    f->peers = zmq_ctx_new ();
    assert_int_equal (dw_keys_generate (&f->server, NULL), DW_OK);
    assert_int_equal (dw_keys_generate (&f->listed, NULL), DW_OK);
    assert_int_equal (dw_keys_generate (&f->unlisted, NULL), DW_OK);
    f->allowed = s_list (&f->listed, "worker", 10);
    assert_int_equal (dw_zap_new (&f->zap, f->context, f->allowed, NULL), DW_OK);
    *state = f;
    return 0;
}

static void s_close (void *socket) {
    int linger_ms = 0;
    if (!socket)
        return;
    zmq_setsockopt (socket, ZMQ_LINGER, &linger_ms, sizeof linger_ms);
    zmq_close (socket);
}

static int s_tear_down (void **state) {
    fixture_t *f = *state;
    dw_zap_destroy (&f->zap);
    s_close (f->router);
    s_close (f->monitor);
    if (f->open_count == 0) { /* else a test has failed, and this would wait for ever */
        zmq_ctx_term (f->context);
        zmq_ctx_term (f->peers);
    }
    dw_allowed_destroy (&f->allowed);
    free (f);
    return 0;
}

/* A socket that the test has to close. */
static void *s_open_dealer (fixture_t *f, void *context) {
    void *dealer = zmq_socket (context, ZMQ_DEALER);
    assert_non_null (dealer);
    f->open_count++;
    return dealer;
}

static void s_close_dealer (fixture_t *f, void *dealer) {
    s_close (dealer);
    f->open_count--;
}

/* The server's socket, not yet guarded. */
static void s_make_router (fixture_t *f) {
    f->router = zmq_socket (f->context, ZMQ_ROUTER);
    assert_non_null (f->router);
    assert_int_equal (zmq_socket_monitor (f->router, MONITOR, MONITORED), 0);
    f->monitor = zmq_socket (f->context, ZMQ_PAIR);
    assert_int_equal (zmq_connect (f->monitor, MONITOR), 0);
}

static void s_bind (fixture_t *f) {
    dw_error_t *error = dw_error_new ();
    if (dw_endpoint_bind (f->router, "tcp://127.0.0.1:*", f->endpoint, sizeof f->endpoint, error))
        fail_msg ("%s", dw_error_text (error));
    dw_error_destroy (&error);
}

static void s_listen (fixture_t *f) {
    s_make_router (f);
    assert_int_equal (dw_zap_guard (f->zap, f->router, &f->server, &s_limits, NULL), DW_OK);
    s_bind (f);
}

/* A client that shows keys (NULL: none) to a server with this key. */
static void *s_connect (fixture_t *f, const dw_keys_t *keys, const dw_keys_t *server) {
    void *dealer = s_open_dealer (f, f->peers);
    if (keys)
        assert_int_equal (dw_keys_use (keys, dealer, server->public_key, NULL), DW_OK);
    assert_int_equal (zmq_connect (dealer, f->endpoint), 0);
    assert_int_equal (zmq_send (dealer, "hello", 5, 0), 5);
    return dealer;
}

static bool s_wait (void *socket, long ms) {
    zmq_pollitem_t item = {.socket = socket, .events = ZMQ_POLLIN};
    return zmq_poll (&item, 1, ms) > 0;
}

/* How the next handshake ended: an event of ZeroMQ, and its value in *value_p. */
static int s_outcome (fixture_t *f, uint32_t *value_p) {
    zmq_msg_t frame;
    uint16_t event;
    *value_p = 0;
    if (!s_wait (f->monitor, WAIT_MS))
        return EVENT_NOTHING;
    zmq_msg_init (&frame);
    assert_true (zmq_msg_recv (&frame, f->monitor, 0) >= 6);
    memcpy (&event, zmq_msg_data (&frame), sizeof event);
    memcpy (value_p, (char *) zmq_msg_data (&frame) + sizeof event, sizeof *value_p);
    assert_true (zmq_msg_recv (&frame, f->monitor, 0) >= 0); /* the endpoint */
    zmq_msg_close (&frame);
    return event;
}

/* The next message is a hello; its key, if it has one, in key. */
static bool s_receive (fixture_t *f, uint8_t *key) {
    zmq_msg_t frame;
    zmq_msg_init (&frame);
    assert_true (s_wait (f->router, WAIT_MS));
    assert_true (zmq_msg_recv (&frame, f->router, 0) > 0); /* the routing id */
    assert_int_equal (zmq_msg_recv (&frame, f->router, 0), 5);
    assert_memory_equal (zmq_msg_data (&frame), "hello", 5);
    assert_false (zmq_msg_more (&frame));
    bool has_key = dw_zap_user (&frame, key);
    zmq_msg_close (&frame);
    return has_key;
}

static void s_expect_let_in (fixture_t *f, const dw_keys_t *keys) {
    uint32_t value;
    uint8_t key[DW_KEY_SIZE];
    void *dealer = s_connect (f, keys, &f->server);
    assert_int_equal (s_outcome (f, &value), ZMQ_EVENT_HANDSHAKE_SUCCEEDED);
    assert_true (s_receive (f, key));
    assert_memory_equal (key, keys->public_key, sizeof key);
    s_close_dealer (f, dealer);
}

/* By one of these events of ZeroMQ and, unless it is 0, with this value. */
static void s_expect_kept_out (fixture_t *f, const dw_keys_t *keys, const dw_keys_t *server,
                               int events, uint32_t value) {
    uint32_t said;
    void *dealer = s_connect (f, keys, server);
    int event = s_outcome (f, &said);
    assert_true (event & events);
    if (value)
        assert_int_equal (said, value);
    assert_false (s_wait (f->router, 50));
    s_close_dealer (f, dealer);
}

static void s_expect_counts (fixture_t *f, uint64_t let_in, uint64_t refused, uint64_t malformed) {
    dw_zap_counts_t counts;
    assert_int_equal (dw_zap_counts (f->zap, &counts), DW_OK);
    assert_int_equal (counts.let_in, let_in);
    assert_int_equal (counts.refused, refused);
    assert_int_equal (counts.malformed, malformed);
}

/* ---- Guarded ---------------------------------------------------------------------------------- */

static void a_listed_key_is_let_in_and_its_messages_name_it (void **state) {
    fixture_t *f = *state;
    s_listen (f);
    s_expect_let_in (f, &f->listed);
    s_expect_counts (f, 1, 0, 0);
}

static void an_unlisted_key_is_kept_out (void **state) {
    fixture_t *f = *state;
    s_listen (f);
    s_expect_kept_out (f, &f->unlisted, &f->server, ZMQ_EVENT_HANDSHAKE_FAILED_AUTH, 400);
    s_expect_counts (f, 0, 1, 0);
    s_expect_let_in (f, &f->listed);
}

static void a_listed_key_of_which_one_has_no_secret_is_kept_out (void **state) {
    fixture_t *f = *state;
    dw_keys_t thief = f->unlisted;
    s_listen (f);
    memcpy (thief.public_key, f->listed.public_key, DW_KEY_SIZE);
    s_expect_kept_out (f, &thief, &f->server, ZMQ_EVENT_HANDSHAKE_FAILED_PROTOCOL,
                       ZMQ_PROTOCOL_ERROR_ZMTP_CRYPTOGRAPHIC);
    s_expect_counts (f, 0, 0, 0);
}

static void who_shows_no_key_is_kept_out (void **state) {
    fixture_t *f = *state;
    s_listen (f);
    s_expect_kept_out (f, NULL, NULL, s_failures, 0); /* either side may be the first to hang up */
    s_expect_counts (f, 0, 0, 0);
}

static void who_shows_a_password_is_kept_out (void **state) {
    fixture_t *f = *state;
    uint32_t value;
    s_listen (f);
    void *dealer = s_open_dealer (f, f->peers);
    zmq_setsockopt (dealer, ZMQ_PLAIN_USERNAME, "x", 1);
    zmq_setsockopt (dealer, ZMQ_PLAIN_PASSWORD, "x", 1);
    assert_int_equal (zmq_connect (dealer, f->endpoint), 0);
    assert_true (s_outcome (f, &value) & s_failures);
    s_close_dealer (f, dealer);
}

static void who_expects_another_server_is_not_served (void **state) {
    fixture_t *f = *state;
    s_listen (f);
    s_expect_kept_out (f, &f->listed, &f->unlisted, ZMQ_EVENT_HANDSHAKE_FAILED_PROTOCOL,
                       ZMQ_PROTOCOL_ERROR_ZMTP_CRYPTOGRAPHIC);
}

static void with_an_empty_list_nobody_is_let_in (void **state) {
    fixture_t *f = *state;
    dw_allowed_t *list = NULL;
    s_listen (f);
    assert_int_equal (dw_allowed_parse (&list, "", 0, NULL, NULL), DW_OK);
    assert_int_equal (dw_zap_replace (f->zap, list), DW_OK);
    s_expect_kept_out (f, &f->listed, &f->server, ZMQ_EVENT_HANDSHAKE_FAILED_AUTH, 400);
    dw_zap_destroy (&f->zap);
    dw_allowed_destroy (&list);
}

static void a_role_is_told_from_the_key_of_a_message (void **state) {
    fixture_t *f = *state;
    uint8_t key[DW_KEY_SIZE];
    s_listen (f);
    void *dealer = s_connect (f, &f->listed, &f->server);
    assert_true (s_receive (f, key));
    unsigned roles = dw_allowed_find (f->allowed, key, NULL);
    assert_true (roles & DW_ROLE_WORKER);
    assert_false (roles & DW_ROLE_CLIENT); /* who says HELLO as a client is refused */
    s_close_dealer (f, dealer);
}

static void every_frame_behind_the_routing_id_names_the_key (void **state) {
    fixture_t *f = *state;
    uint8_t key[DW_KEY_SIZE];
    zmq_msg_t frame;
    s_listen (f);
    void *dealer = s_connect (f, &f->listed, &f->server);
    assert_true (s_receive (f, key));
    zmq_send (dealer, "a", 1, ZMQ_SNDMORE);
    zmq_send (dealer, "", 0, ZMQ_SNDMORE);
    zmq_send (dealer, "c", 1, 0);
    zmq_msg_init (&frame);
    assert_true (s_wait (f->router, WAIT_MS)); /* who polls first finds it not on the id */
    assert_true (zmq_msg_recv (&frame, f->router, 0) > 0);
    for (int i = 0; i < 3; i++) {
        assert_true (zmq_msg_more (&frame));
        assert_true (zmq_msg_recv (&frame, f->router, 0) >= 0);
        memset (key, 0, sizeof key);
        assert_true (dw_zap_user (&frame, key));
        assert_memory_equal (key, f->listed.public_key, sizeof key);
    }
    zmq_msg_close (&frame);
    s_close_dealer (f, dealer);
}

/* ---- Another list ----------------------------------------------------------------------------- */

static void with_another_list_others_are_let_in (void **state) {
    fixture_t *f = *state;
    dw_allowed_t *list = s_list (&f->unlisted, "client", 0);
    s_listen (f);
    s_expect_let_in (f, &f->listed);
    assert_int_equal (dw_zap_replace (f->zap, list), DW_OK);
    dw_allowed_destroy (&f->allowed); /* nobody reads it any more */
    s_expect_kept_out (f, &f->listed, &f->server, ZMQ_EVENT_HANDSHAKE_FAILED_AUTH, 400);
    s_expect_let_in (f, &f->unlisted);
    f->allowed = list; /* borrowed until the tear-down has ended the handler */
}

static void a_connection_outlives_its_key_so_that_the_list_must_be_asked (void **state) {
    fixture_t *f = *state;
    uint8_t key[DW_KEY_SIZE];
    dw_allowed_t *list = s_list (&f->unlisted, "client", 0);
    s_listen (f);
    void *dealer = s_connect (f, &f->listed, &f->server);
    assert_true (s_receive (f, key));
    assert_int_equal (dw_zap_replace (f->zap, list), DW_OK);
    assert_int_equal (zmq_send (dealer, "hello", 5, 0), 5);
    assert_true (s_receive (f, key)); /* ZeroMQ still lets it through */
    assert_int_equal (dw_allowed_find (list, key, NULL), 0);
    s_close_dealer (f, dealer);
    dw_zap_destroy (&f->zap);
    dw_allowed_destroy (&list);
}

static void lists_can_be_replaced_while_many_connect (void **state) {
    fixture_t *f = *state;
    uint8_t key[DW_KEY_SIZE];
    void *dealers[50];
    s_listen (f);
    for (int i = 0; i < 50; i++) {
        dw_allowed_t *list = s_list (&f->listed, "worker", (uint32_t) i);
        dealers[i] = s_connect (f, &f->listed, &f->server);
        assert_int_equal (dw_zap_replace (f->zap, list), DW_OK);
        dw_allowed_destroy (&f->allowed);
        f->allowed = list;
    }
    for (int i = 0; i < 50; i++)
        assert_true (s_receive (f, key));
    for (int i = 0; i < 50; i++)
        s_close_dealer (f, dealers[i]);
    s_expect_counts (f, 50, 0, 0);
}

/* ---- Where ZeroMQ fails open ------------------------------------------------------------------ */

static void without_its_handler_nobody_is_let_in (void **state) {
    fixture_t *f = *state;
    s_listen (f);
    s_expect_let_in (f, &f->listed);
    dw_zap_destroy (&f->zap);
    s_expect_kept_out (f, &f->listed, &f->server, ZMQ_EVENT_HANDSHAKE_FAILED_NO_DETAIL, 0);
    s_expect_kept_out (f, &f->unlisted, &f->server, ZMQ_EVENT_HANDSHAKE_FAILED_NO_DETAIL, 0);
}

/* Guarded, but for what the test then takes away again. */
static void s_make_guarded (fixture_t *f) {
    s_make_router (f);
    assert_int_equal (dw_zap_guard (f->zap, f->router, &f->server, &s_limits, NULL), DW_OK);
    assert_true (dw_zap_is_guarded (f->router));
}

static void s_expect_fails_open (fixture_t *f) {
    uint32_t value;
    char bound[64];
    assert_false (dw_zap_is_guarded (f->router));
    assert_int_equal (dw_endpoint_bind (f->router, "tcp://0.0.0.0:*", bound, sizeof bound, NULL),
                      DW_EKEY);
    s_bind (f);
    void *dealer = s_connect (f, &f->unlisted, &f->server);
    assert_int_equal (s_outcome (f, &value), ZMQ_EVENT_HANDSHAKE_SUCCEEDED);
    s_close_dealer (f, dealer);
}

static void without_a_domain_zeromq_lets_every_key_in_so_that_is_not_guarded (void **state) {
    fixture_t *f = *state;
    int yes = 1;
    s_make_router (f); /* a domain cannot be taken away again */
    zmq_setsockopt (f->router, ZMQ_CURVE_SECRETKEY, f->server.secret_key, DW_KEY_SIZE);
    zmq_setsockopt (f->router, ZMQ_CURVE_SERVER, &yes, sizeof yes);
    zmq_setsockopt (f->router, ENFORCE_DOMAIN, &yes, sizeof yes);
    s_expect_fails_open (f);
    s_expect_counts (f, 0, 0, 0); /* nobody was asked */
}

static void without_the_domain_enforced_a_missing_handler_lets_every_key_in (void **state) {
    fixture_t *f = *state;
    int no = 0;
    s_make_guarded (f);
    assert_int_equal (zmq_setsockopt (f->router, ENFORCE_DOMAIN, &no, sizeof no), 0);
    dw_zap_destroy (&f->zap);
    s_expect_fails_open (f);
}

static void another_domain_is_kept_out (void **state) {
    fixture_t *f = *state;
    s_make_guarded (f);
    assert_int_equal (zmq_setsockopt (f->router, ZMQ_ZAP_DOMAIN, "other", 5), 0);
    assert_false (dw_zap_is_guarded (f->router));
    s_bind (f);
    s_expect_kept_out (f, &f->listed, &f->server, ZMQ_EVENT_HANDSHAKE_FAILED_AUTH, 400);
}

/* ---- Without keys ----------------------------------------------------------------------------- */

/* A router as a coordinator has it today: on the loopback interface, with a domain alone. */
static void s_listen_without_keys (fixture_t *f, int enforce) {
    s_make_router (f);
    assert_int_equal (zmq_setsockopt (f->router, ZMQ_ZAP_DOMAIN, "dagwood", 7), 0);
    assert_int_equal (zmq_setsockopt (f->router, ENFORCE_DOMAIN, &enforce, sizeof enforce), 0);
    assert_false (dw_zap_is_guarded (f->router));
    s_bind (f);
}

static void with_a_domain_alone_and_no_handler_who_shows_no_key_is_let_in (void **state) {
    fixture_t *f = *state;
    uint32_t value;
    uint8_t key[DW_KEY_SIZE];
    dw_zap_destroy (&f->zap);
    s_listen_without_keys (f, 0);
    void *dealer = s_connect (f, NULL, NULL);
    assert_int_equal (s_outcome (f, &value), ZMQ_EVENT_HANDSHAKE_SUCCEEDED);
    assert_false (s_receive (f, key));
    s_close_dealer (f, dealer);
}

static void with_the_domain_enforced_and_no_handler_nobody_is_let_in (void **state) {
    fixture_t *f = *state;
    dw_zap_destroy (&f->zap);
    s_listen_without_keys (f, 1);
    s_expect_kept_out (f, NULL, NULL, ZMQ_EVENT_HANDSHAKE_FAILED_NO_DETAIL, 0);
}

/* So one context has either a handler and guarded sockets, or neither. */
static void a_handler_keeps_out_who_shows_no_key_at_every_socket_of_its_context (void **state) {
    fixture_t *f = *state;
    uint32_t value;
    s_listen_without_keys (f, 0);
    void *dealer = s_connect (f, NULL, NULL);
    /* The mechanism NULL has the server's READY wait for the handler, and its peer is told. */
    assert_int_equal (s_outcome (f, &value), ZMQ_EVENT_HANDSHAKE_FAILED_AUTH);
    assert_false (s_wait (f->router, 50));
    s_expect_counts (f, 0, 1, 0);
    s_close_dealer (f, dealer);
}

static void s_write_all (int fd, const void *bytes, size_t size) {
    assert_int_equal (write (fd, bytes, size), size);
}

/* A peer that speaks ZMTP 3.0 itself, and says in READY that it is somebody. */
static int s_forge (const fixture_t *f, const char *user) {
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
    fixture_t *f = *state;
    char user[DW_KEY_TEXT_SIZE];
    uint8_t key[DW_KEY_SIZE];
    dw_zap_destroy (&f->zap);
    s_listen_without_keys (f, 0);
    dw_key_text (user, f->listed.public_key);
    int fd = s_forge (f, user);
    assert_true (s_receive (f, key)); /* which is why only a guarded socket may be asked */
    assert_memory_equal (key, f->listed.public_key, sizeof key);
    close (fd);
}

/* ---- Limits ----------------------------------------------------------------------------------- */

static void a_guard_needs_limits (void **state) {
    fixture_t *f = *state;
    s_make_router (f);
    static const dw_zap_limits_t wrong[] = {{0, 1000}, {-1, 1000}, {1 << 20, 0}, {1 << 20, -1}};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        assert_int_equal (dw_zap_guard (f->zap, f->router, &f->server, &wrong[i], NULL), DW_EINVAL);
    assert_false (dw_zap_is_guarded (f->router));
}

static void what_a_guard_sets_can_be_read_back (void **state) {
    fixture_t *f = *state;
    int64_t bytes_max = 0;
    int ms = 0;
    size_t size = sizeof bytes_max;
    s_make_guarded (f);
    assert_int_equal (zmq_getsockopt (f->router, ZMQ_MAXMSGSIZE, &bytes_max, &size), 0);
    assert_int_equal (bytes_max, s_limits.message_bytes_max);
    size = sizeof ms;
    assert_int_equal (zmq_getsockopt (f->router, ZMQ_HANDSHAKE_IVL, &ms, &size), 0);
    assert_int_equal (ms, s_limits.handshake_ms);
}

static void a_guard_that_zeromq_does_not_take_is_an_error (void **state) {
    fixture_t *f = *state;
    dw_error_t *error = dw_error_new ();
    assert_int_equal (dw_zap_guard (f->zap, f->zap, &f->server, &s_limits, error), DW_EKEY);
    assert_non_null (strstr (dw_error_text (error), "does not take what guards a socket"));
    uint8_t key[DW_KEY_SIZE] = {1};
    assert_int_equal (dw_keys_use (&f->listed, f->zap, key, error), DW_EKEY); /* no socket */
    dw_error_destroy (&error);
}

/* ---- The handler ------------------------------------------------------------------------------ */

static void a_context_has_one_handler (void **state) {
    fixture_t *f = *state;
    dw_zap_t *second = NULL;
    dw_error_t *error = dw_error_new ();
    assert_int_equal (dw_zap_new (&second, f->context, f->allowed, error), DW_EINVAL);
    assert_null (second);
    assert_non_null (strstr (dw_error_text (error), REQUESTS));
    dw_error_destroy (&error);
    dw_zap_destroy (&f->zap);
    assert_int_equal (dw_zap_new (&f->zap, f->context, f->allowed, NULL), DW_OK); /* free again */
    s_listen (f);
    s_expect_let_in (f, &f->listed);
}

static void a_handler_needs_three_sockets (void **state) {
    fixture_t *f = *state;
    dw_error_t *error = dw_error_new ();
    for (int most = 1; most <= 3; most++) {
        dw_zap_t *zap = NULL;
        void *context = zmq_ctx_new ();
        zmq_ctx_set (context, ZMQ_MAX_SOCKETS, most);
        int err = dw_zap_new (&zap, context, f->allowed, error);
        assert_int_equal (err, most < 3 ? DW_ELIMIT : DW_OK);
        dw_zap_destroy (&zap);
        zmq_ctx_term (context);
    }
    dw_error_destroy (&error);
}

static void a_handler_ends_with_its_context (void **state) {
    fixture_t *f = *state;
    dw_zap_counts_t counts;
    assert_int_equal (zmq_ctx_shutdown (f->context), 0);
    assert_int_equal (dw_zap_replace (f->zap, f->allowed), DW_ECLOSED);
    assert_int_equal (dw_zap_counts (f->zap, &counts), DW_ECLOSED);
    dw_zap_destroy (&f->zap);
    assert_null (f->zap);
    dw_zap_destroy (&f->zap);
}

/* ---- Requests --------------------------------------------------------------------------------- */

typedef struct s_part_t {
    const void *bytes;
    size_t size;
} s_part_t;

#define PART(text) \
    { text, sizeof (text) - 1 }
#define PARTS 9

/* Sends the first so many parts of a request, with one of them replaced (at PARTS: none). */
static void s_ask (void *dealer, const s_part_t *parts, size_t count, size_t at, s_part_t other) {
    for (size_t i = 0; i < count; i++) {
        s_part_t part = i == at ? other : parts[i];
        assert_int_equal (zmq_send (dealer, part.bytes, part.size, i + 1 < count ? ZMQ_SNDMORE : 0),
                          part.size);
    }
}

/* The status of the answer, which has every part that RFC 27 asks for; 0: none within so many ms. */
static int s_answer (void *dealer, const char *user, long wait_ms) {
    char parts[7][256] = {{0}};
    int more = 1;
    size_t size = sizeof more;
    if (!s_wait (dealer, wait_ms))
        return 0;
    for (int i = 0; i < 7; i++) {
        assert_int_equal (more, 1);
        assert_true (zmq_recv (dealer, parts[i], sizeof parts[i] - 1, 0) >= 0);
        assert_int_equal (zmq_getsockopt (dealer, ZMQ_RCVMORE, &more, &size), 0);
    }
    assert_int_equal (more, 0);
    assert_string_equal (parts[0], "");
    assert_string_equal (parts[1], "1.0");
    assert_string_equal (parts[2], "request 7");
    assert_string_equal (parts[5], strcmp (parts[3], "200") == 0 ? user : "");
    assert_string_equal (parts[6], "");
    return atoi (parts[3]);
}

static void requests_are_read_strictly (void **state) {
    fixture_t *f = *state;
    static char large[70000];
    char user[DW_KEY_TEXT_SIZE];
    dw_key_text (user, f->listed.public_key);
    const s_part_t parts[PARTS] = {
        PART (""),        PART ("1.0"), PART ("request 7"), PART ("dagwood"),
        PART ("1.2.3.4"), PART (""),    PART ("CURVE"),     {f->listed.public_key, DW_KEY_SIZE},
        PART ("one more")};
    const struct {
        size_t count, at;
        s_part_t other;
        int status;
    } cases[] = {
        {8, PARTS, PART (""), 200},
        {8, 7, {f->unlisted.public_key, DW_KEY_SIZE}, 400},
        {8, 7, {f->listed.public_key, DW_KEY_SIZE - 1}, 400},
        {8, 7, PART (""), 400},
        {8, 7, {user, 40}, 400},
        {7, PARTS, PART (""), 400},
        {9, PARTS, PART (""), 400},
        {8, 6, PART ("NULL"), 400},
        {8, 6, PART ("PLAIN"), 400},
        {8, 6, PART ("curve"), 400},
        {8, 6, PART ("CURVE\0"), 400},
        {8, 6, PART (""), 400},
        {8, 3, PART (""), 400},
        {8, 3, PART ("Dagwood"), 400},
        {8, 3, PART ("dagwood2"), 400},
        {8, 1, PART ("1.1"), 0},
        {8, 1, PART (""), 0},
        {8, 0, PART ("x"), 0},
        {8, 2, {large, sizeof large}, 0},
        {8, 4, {large, sizeof large}, 0},
        {8, 6, {large, sizeof large}, 0},
        {8, 7, {large, sizeof large}, 400},
        {6, PARTS, PART (""), 0},
        {3, PARTS, PART (""), 0},
        {1, PARTS, PART (""), 0},
    };
    uint64_t let_in = 0, refused = 0, malformed = 0;
    void *dealer = s_open_dealer (f, f->context);
    assert_int_equal (zmq_connect (dealer, REQUESTS), 0);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        s_ask (dealer, parts, cases[i].count, cases[i].at, cases[i].other);
        long wait_ms = cases[i].status ? WAIT_MS : 20;
        assert_int_equal (s_answer (dealer, user, wait_ms), cases[i].status);
        let_in += cases[i].status == 200;
        refused += cases[i].status == 400;
        malformed += cases[i].status == 0;
    }
    for (int i = 0; i < 70000; i++) /* more parts than are taken in */
        zmq_send (dealer, "", 0, i < 69999 ? ZMQ_SNDMORE : 0);
    assert_int_equal (s_answer (dealer, user, 20), 0);
    s_close_dealer (f, dealer);
    s_expect_counts (f, let_in, refused, malformed + 1);
    s_listen (f);
    s_expect_let_in (f, &f->listed);
}

static void who_asked_and_is_gone_does_not_disturb (void **state) {
    fixture_t *f = *state;
    const s_part_t parts[] = {PART (""),        PART ("1.0"), PART ("request 7"), PART ("dagwood"),
                              PART ("1.2.3.4"), PART (""),    PART ("NULL")};
    for (int i = 0; i < 200; i++) {
        void *dealer = s_open_dealer (f, f->context);
        assert_int_equal (zmq_connect (dealer, REQUESTS), 0);
        s_ask (dealer, parts, 7, PARTS, parts[0]);
        s_close_dealer (f, dealer);
    }
    s_listen (f);
    s_expect_let_in (f, &f->listed);
}

/* ---- What it costs ---------------------------------------------------------------------------- */

/* Handshakes one after another, each until its message has arrived, in us: the median. */
static double s_measure (fixture_t *f) {
    double each[CONNECTS] = {0}; /* sorted as they come */
    uint8_t key[DW_KEY_SIZE];
    for (int i = 0; i < CONNECTS; i++) {
        int64_t begin_ns = dw_clock_ns ();
        void *dealer = s_connect (f, &f->listed, &f->server);
        assert_true (s_receive (f, key));
        double us = (double) (dw_clock_ns () - begin_ns) / 1000;
        int at = i;
        for (; at > 0 && each[at - 1] > us; at--)
            each[at] = each[at - 1];
        each[at] = us;
        s_close_dealer (f, dealer);
    }
    return each[CONNECTS / 2];
}

static void a_list_of_fifty_thousand_costs_a_connect_nothing (void **state) {
    fixture_t *f = *state;
    s_listen (f);
    double few_us = s_measure (f);
    dw_allowed_t *list = s_list (&f->listed, "worker", MANY_KEYS - 1);
    assert_int_equal (dw_allowed_count (list), MANY_KEYS);
    int64_t begin_ns = dw_clock_ns ();
    assert_int_equal (dw_zap_replace (f->zap, list), DW_OK);
    double replace_us = (double) (dw_clock_ns () - begin_ns) / 1000;
    dw_allowed_destroy (&f->allowed);
    f->allowed = list;
    double many_us = s_measure (f);
    printf ("a connect: %.0f us with 11 keys, %.0f us with %u; to replace the list: %.0f us\n",
            few_us, many_us, MANY_KEYS, replace_us);
    assert_true (many_us < 4 * few_us + 20000); /* a machine that is busy is no fault */
}

int main (void) {
#define TEST(name) cmocka_unit_test_setup_teardown (name, s_set_up, s_tear_down)
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
        TEST (a_context_has_one_handler),
        TEST (a_handler_needs_three_sockets),
        TEST (a_handler_ends_with_its_context),
        TEST (requests_are_read_strictly),
        TEST (who_asked_and_is_gone_does_not_disturb),
        TEST (a_list_of_fifty_thousand_costs_a_connect_nothing),
    };
    return !!cmocka_run_group_tests_name ("zap", tests, NULL, NULL);
}
