/* test_zap_handler.c - the actor that ZeroMQ asks at a handshake: its life, what it is asked, and
 * what that costs. */

#include "tests/support/zap_fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "actors/clock.h"

#define MANY_KEYS 50000u
#define CONNECTS  200
#define REQUESTS  "inproc://zeromq.zap.01"

/* ---- The handler ------------------------------------------------------------------------------ */

static void a_context_has_one_handler (void **state) {
    zap_fixture_t *f = *state;
    dw_zap_t *second = NULL;
    dw_error_t *error = dw_error_new ();
    assert_int_equal (dw_zap_new (&second, f->context, f->allowed, error), DW_EINVAL);
    assert_null (second);
    assert_non_null (strstr (dw_error_text (error), REQUESTS));
    dw_error_destroy (&error);
    dw_zap_destroy (&f->zap);
    assert_int_equal (dw_zap_new (&f->zap, f->context, f->allowed, NULL), DW_OK); /* free again */
    zap_listen (f);
    zap_expect_let_in (f, &f->listed);
}

static void a_handler_needs_three_sockets (void **state) {
    zap_fixture_t *f = *state;
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
    zap_fixture_t *f = *state;
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

/* The status of the answer, which has every part that RFC 27 asks for; 0: none within so many
 * ms. */
static int s_answer (void *dealer, const char *user, long wait_ms) {
    char parts[7][256] = {{0}};
    int more = 1;
    size_t size = sizeof more;
    if (!zap_wait (dealer, wait_ms))
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
    zap_fixture_t *f = *state;
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
    void *dealer = zap_open_dealer (f, f->context);
    assert_int_equal (zmq_connect (dealer, REQUESTS), 0);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        s_ask (dealer, parts, cases[i].count, cases[i].at, cases[i].other);
        long wait_ms = cases[i].status ? ZAP_WAIT_MS : 20;
        assert_int_equal (s_answer (dealer, user, wait_ms), cases[i].status);
        let_in += cases[i].status == 200;
        refused += cases[i].status == 400;
        malformed += cases[i].status == 0;
    }
    for (int i = 0; i < 70000; i++) /* more parts than are taken in */
        zmq_send (dealer, "", 0, i < 69999 ? ZMQ_SNDMORE : 0);
    assert_int_equal (s_answer (dealer, user, 20), 0);
    zap_close_dealer (f, dealer);
    zap_expect_counts (f, let_in, refused, malformed + 1);
    zap_listen (f);
    zap_expect_let_in (f, &f->listed);
}

static void who_asked_and_is_gone_does_not_disturb (void **state) {
    zap_fixture_t *f = *state;
    const s_part_t parts[] = {PART (""),        PART ("1.0"), PART ("request 7"), PART ("dagwood"),
                              PART ("1.2.3.4"), PART (""),    PART ("NULL")};
    for (int i = 0; i < 200; i++) {
        void *dealer = zap_open_dealer (f, f->context);
        assert_int_equal (zmq_connect (dealer, REQUESTS), 0);
        s_ask (dealer, parts, 7, PARTS, parts[0]);
        zap_close_dealer (f, dealer);
    }
    zap_listen (f);
    zap_expect_let_in (f, &f->listed);
}

/* ---- What it costs ---------------------------------------------------------------------------- */

/* Handshakes one after another, each until its message has arrived, in us: the median. */
static double s_measure (zap_fixture_t *f) {
    double each[CONNECTS] = {0}; /* sorted as they come */
    uint8_t key[DW_KEY_SIZE];
    for (int i = 0; i < CONNECTS; i++) {
        int64_t begin_ns = dw_clock_ns ();
        void *dealer = zap_connect (f, &f->listed, &f->server);
        assert_true (zap_receive (f, key));
        double us = (double) (dw_clock_ns () - begin_ns) / 1000;
        int at = i;
        for (; at > 0 && each[at - 1] > us; at--)
            each[at] = each[at - 1];
        each[at] = us;
        zap_close_dealer (f, dealer);
    }
    return each[CONNECTS / 2];
}

static void a_list_of_fifty_thousand_costs_a_connect_nothing (void **state) {
    zap_fixture_t *f = *state;
    zap_listen (f);
    double few_us = s_measure (f);
    dw_allowed_t *list = zap_list (&f->listed, "worker", MANY_KEYS - 1);
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
#define TEST(name) cmocka_unit_test_setup_teardown (name, zap_set_up, zap_tear_down)
    const struct CMUnitTest tests[] = {
        TEST (a_context_has_one_handler),
        TEST (a_handler_needs_three_sockets),
        TEST (a_handler_ends_with_its_context),
        TEST (requests_are_read_strictly),
        TEST (who_asked_and_is_gone_does_not_disturb),
        TEST (a_list_of_fifty_thousand_costs_a_connect_nothing),
    };
    return !!cmocka_run_group_tests_name ("zap_handler", tests, NULL, NULL);
}
