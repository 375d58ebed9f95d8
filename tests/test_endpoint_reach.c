/* test_endpoint_reach.c - who could reach an endpoint, and which sockets may listen there. */

#include "actors/endpoint.h"

#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <zmq.h>

#include <cmocka.h>

#include "actors/option.h"
#include "actors/zap.h"
#include "tests/support/endpoints.h"

/* A context with a handler, a plain socket and a guarded one. */
typedef struct fixture_t {
    void *context, *plain, *guarded;
    dw_keys_t keys;
    dw_allowed_t *allowed;
    dw_zap_t *zap;
} fixture_t;

static int s_set_up (void **state) {
    static const dw_zap_limits_t limits = {.message_bytes_max = 1 << 20, .handshake_ms = 1000};
    fixture_t *f = calloc (1, sizeof *f);
    f->context = zmq_ctx_new ();
    f->plain = zmq_socket (f->context, ZMQ_ROUTER);
    f->guarded = zmq_socket (f->context, ZMQ_ROUTER);
    assert_int_equal (dw_keys_generate (&f->keys, NULL), DW_OK);
    assert_int_equal (dw_allowed_parse (&f->allowed, "", 0, NULL, NULL), DW_OK);
    assert_int_equal (dw_zap_new (&f->zap, f->context, f->allowed, NULL), DW_OK);
    assert_int_equal (dw_zap_guard (f->zap, f->guarded, &f->keys, &limits, NULL), DW_OK);
    *state = f;
    return 0;
}

static int s_tear_down (void **state) {
    fixture_t *f = *state;
    dw_zap_destroy (&f->zap);
    zmq_close (f->plain);
    zmq_close (f->guarded);
    zmq_ctx_term (f->context);
    dw_allowed_destroy (&f->allowed);
    free (f);
    return 0;
}

static void an_endpoint_s_reach_is_told_by_its_text (void **state) {
    (void) state;
    for (size_t i = 0; i < endpoint_cases_count; i++)
        if (dw_endpoint_reach (endpoint_cases[i].endpoint) != endpoint_cases[i].reach)
            fail_msg ("%s is %d, not %d", endpoint_cases[i].endpoint,
                      (int) dw_endpoint_reach (endpoint_cases[i].endpoint),
                      (int) endpoint_cases[i].reach);
}

static void s_expect_check (void *socket, const char *endpoint, int expected) {
    dw_error_t *error = dw_error_new ();
    int err = dw_endpoint_check (endpoint, socket, error);
    if (err != expected)
        fail_msg ("%s gives %d, not %d: %s", endpoint, err, expected, dw_error_text (error));
    assert_int_equal (dw_error_code (error), expected);
    assert_int_equal (dw_error_count (error), expected != DW_OK);
    dw_error_destroy (&error);
}

static void beyond_the_machine_listens_only_who_is_guarded (void **state) {
    fixture_t *f = *state;
    for (size_t i = 0; i < endpoint_cases_count; i++) {
        const char *endpoint = endpoint_cases[i].endpoint;
        switch (endpoint_cases[i].reach) {
            case DW_REACH_NONE:
                s_expect_check (f->plain, endpoint, DW_EINVAL);
                s_expect_check (f->guarded, endpoint, DW_EINVAL);
                break;
            case DW_REACH_MACHINE:
                s_expect_check (f->plain, endpoint, DW_OK);
                s_expect_check (f->guarded, endpoint, DW_OK);
                break;
            case DW_REACH_BEYOND:
                s_expect_check (f->plain, endpoint, DW_EKEY);
                s_expect_check (f->guarded, endpoint, DW_OK);
                break;
        }
    }
}

static void what_is_refused_is_not_bound (void **state) {
    fixture_t *f = *state;
    char bound[256] = "";
    size_t size = sizeof bound;
    for (size_t i = 0; i < endpoint_cases_count; i++)
        if (endpoint_cases[i].reach != DW_REACH_MACHINE)
            assert_true (dw_endpoint_bind (f->plain, endpoint_cases[i].endpoint, bound,
                                           sizeof bound, NULL) != DW_OK);
    assert_int_equal (zmq_getsockopt (f->plain, ZMQ_LAST_ENDPOINT, bound, &size), 0);
    assert_string_equal (bound, ""); /* nothing ever was */
}

static void who_listens_is_told_where (void **state) {
    fixture_t *f = *state;
    char bound[64] = "";
    assert_int_equal (dw_endpoint_bind (f->plain, "tcp://127.0.0.1:*", bound, sizeof bound, NULL),
                      DW_OK);
    assert_memory_equal (bound, "tcp://127.0.0.1:", 16);
    assert_true (atoi (bound + 16) > 0);
    assert_int_equal (dw_endpoint_bind (f->guarded, "tcp://*:*", bound, sizeof bound, NULL), DW_OK);
    assert_memory_equal (bound, "tcp://0.0.0.0:", 14);
    assert_int_equal (dw_endpoint_bind (f->guarded, "tcp://lo:*", bound, sizeof bound, NULL),
                      DW_OK);
    assert_memory_equal (bound, "tcp://127.0.0.1:", 16);
}

static void an_address_in_brackets_is_of_ipv6 (void **state) {
    fixture_t *f = *state;
    char bound[64] = "";
    struct sockaddr_in6 address = {.sin6_family = AF_INET6, .sin6_addr = in6addr_loopback};
    int fd = socket (AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
    bool has_6 = fd >= 0 && bind (fd, (struct sockaddr *) &address, sizeof address) == 0;
    if (fd >= 0)
        close (fd);
    if (!has_6) {
        print_message ("skipped: this machine has no ::1\n");
        skip ();
    }
    assert_int_equal (dw_endpoint_bind (f->plain, "tcp://[::1]:*", bound, sizeof bound, NULL),
                      DW_OK);
    assert_memory_equal (bound, "tcp://[::1]:", 12);
    assert_int_equal (dw_endpoint_bind (f->guarded, "tcp://127.0.0.1:*", bound, sizeof bound, NULL),
                      DW_OK);
    assert_true (dw_option_is_int (f->guarded, ZMQ_IPV6, 0));
    assert_int_equal (dw_endpoint_bind (f->guarded, "tcp://[::]:*", bound, sizeof bound, NULL),
                      DW_OK);
    assert_memory_equal (bound, "tcp://[::]:", 11);
}

static void where_there_is_no_room_for_the_answer_nothing_listens (void **state) {
    fixture_t *f = *state;
    char bound[8], again[64];
    dw_error_t *error = dw_error_new ();
    assert_int_equal (
        dw_endpoint_bind (f->plain, "tcp://127.0.0.1:17011", bound, sizeof bound, error),
        DW_EINVAL);
    assert_non_null (strstr (dw_error_text (error), "\"tcp://127.0.0.1:17011\" is too long"));
    dw_error_destroy (&error);
    zmq_close (f->plain); /* unbinding is not at once */
    f->plain = zmq_socket (f->context, ZMQ_ROUTER);
    int err = DW_EINVAL;
    for (int i = 0; i < 200 && err; i++) {
        err = dw_endpoint_bind (f->plain, "tcp://127.0.0.1:17011", again, sizeof again, NULL);
        if (err)
            zmq_poll (NULL, 0, 10);
    }
    assert_int_equal (err, DW_OK);
}

static void within_the_process_is_a_function_of_its_own (void **state) {
    fixture_t *f = *state;
    assert_int_equal (dw_endpoint_bind_inproc (f->plain, "inproc://x", NULL), DW_OK);
    assert_int_equal (dw_endpoint_bind_inproc (f->guarded, "inproc://x", NULL), DW_EINVAL);
    assert_int_equal (dw_endpoint_bind_inproc (f->plain, "tcp://*:*", NULL), DW_EINVAL);
    assert_int_equal (dw_endpoint_bind_inproc (f->plain, "", NULL), DW_EINVAL);
}

int main (void) {
#define TEST(name) cmocka_unit_test_setup_teardown (name, s_set_up, s_tear_down)
    const struct CMUnitTest tests[] = {
        TEST (an_endpoint_s_reach_is_told_by_its_text),
        TEST (beyond_the_machine_listens_only_who_is_guarded),
        TEST (what_is_refused_is_not_bound),
        TEST (who_listens_is_told_where),
        TEST (an_address_in_brackets_is_of_ipv6),
        TEST (where_there_is_no_room_for_the_answer_nothing_listens),
        TEST (within_the_process_is_a_function_of_its_own),
    };
    return !!cmocka_run_group_tests_name ("reach", tests, NULL, NULL);
}
