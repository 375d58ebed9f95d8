/* test_detached.c - runs that nobody waits for: named, kept, taken up again, dropped. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support/cable.h"
#include "tests/support/net.h"
#include "tests/support/process.h"
#include "tests/support/random.h"
#include "tests/support/raw_peer.h"

static const dw_submission_t s_hello = {
    .payload = "hello", .size = 5, .is_text = true, .wait_ms = 10000};

static void s_detach (net_t *net, dw_client_t *client, char name[DW_RUN_NAME_SIZE]) {
    if (dw_client_detach (client, &s_hello, 10000, name, net->error))
        fail_msg ("%s", dw_error_text (net->error));
}

static void s_detach_and_leave (net_t *net, char name[DW_RUN_NAME_SIZE]) {
    dw_client_t *client = net_client (net, NULL);
    s_detach (net, client, name);
    dw_client_destroy (&client);
}

static uint64_t s_take_up (net_t *net, dw_client_t *client, const char *name) {
    uint64_t run = 0;
    if (dw_client_take_up (client, name, 10000, &run, net->error))
        fail_msg ("%s", dw_error_text (net->error));
    return run;
}

static void s_expect_result (dw_client_t *client, uint64_t run, dw_run_status_t status) {
    dw_result_t *result = NULL;
    size_t size;
    assert_int_equal (dw_client_wait (client, run, 10000, &result), DW_OK);
    assert_int_equal (dw_result_run (result), run);
    assert_int_equal (dw_result_status (result), status);
    if (status == DW_RUN_OK) {
        const char *text = dw_result_text (result, dw_result_find (result, "last"), &size);
        assert_int_equal (size, 5);
        assert_memory_equal (text, "OLLEH", 5);
    }
    dw_result_destroy (&result);
}

static void s_expect_refused (net_t *net, const char *name, int err, const char *part) {
    dw_client_t *client = net_client (net, NULL);
    uint64_t run;
    assert_int_equal (dw_client_take_up (client, name, 10000, &run, net->error), err);
    assert_non_null (strstr (dw_error_text (net->error), part));
    assert_int_equal (dw_client_in_flight (client), 0);
    dw_client_destroy (&client);
    dw_error_destroy (&net->error);
    net->error = dw_error_new ();
}

/* ---- Named, kept, taken up -------------------------------------------------------------------- */

static void a_run_that_is_under_way_is_waited_for_by_its_name (void **state) {
    net_t *net = *state;
    char name[DW_RUN_NAME_SIZE];
    net_open (net, &(dw_system_options_t){0}, false);
    s_detach_and_leave (net, name);
    assert_true (gate_wait_entered (net->gate, 1));
    dw_client_t *first = net_client (net, NULL), *second = net_client (net, NULL);
    uint64_t run = s_take_up (net, first, name), also = s_take_up (net, second, name);
    dw_result_t *none = NULL;
    assert_int_equal (dw_client_wait (first, run, 30, &none), DW_ETIMEDOUT);
    gate_open (net->gate);
    s_expect_result (first, run, DW_RUN_OK);
    s_expect_result (second, also, DW_RUN_OK);
    dw_client_destroy (&first);
    dw_client_destroy (&second);
}

static void a_result_is_kept_and_given_as_often_as_it_is_asked_for (void **state) {
    net_t *net = *state;
    char names[5][DW_RUN_NAME_SIZE];
    gate_open (net->gate);
    net_open (net, &(dw_system_options_t){0}, false);
    for (int i = 0; i < 5; i++)
        s_detach_and_leave (net, names[i]);
    dw_client_t *client = net_client (net, NULL);
    for (int i = 0; i < 20; i++)
        s_expect_result (client, s_take_up (net, client, names[i % 5]), DW_RUN_OK);
    net_run (net, client); /* its own runs go on as always */
    dw_status_t *status = net_status (client);
    assert_int_equal (status->results_kept, 5);
    assert_int_equal (status->runs_ok, 6);
    dw_status_destroy (&status);
    dw_client_destroy (&client);
}

static void whoever_detaches_a_run_may_have_others_in_flight (void **state) {
    net_t *net = *state;
    char name[DW_RUN_NAME_SIZE];
    net_open (net, &(dw_system_options_t){0}, false);
    dw_client_t *client = net_client (net, NULL);
    uint64_t mine;
    assert_int_equal (dw_client_submit (client, &s_hello, &mine, net->error), DW_OK);
    s_detach (net, client, name);
    assert_int_equal (dw_client_in_flight (client), 1);
    gate_open (net->gate);
    s_expect_result (client, mine, DW_RUN_OK);
    s_expect_result (client, s_take_up (net, client, name), DW_RUN_OK);
    dw_client_destroy (&client);
}

static void a_detached_run_is_cancelled_by_its_name (void **state) {
    net_t *net = *state;
    char name[DW_RUN_NAME_SIZE];
    net_open (net, &(dw_system_options_t){0}, false);
    s_detach_and_leave (net, name);
    assert_true (gate_wait_entered (net->gate, 1));
    dw_client_t *client = net_client (net, NULL);
    uint64_t run = s_take_up (net, client, name);
    assert_int_equal (dw_client_cancel (client, run), DW_OK);
    s_expect_result (client, run, DW_RUN_CANCELLED);
    s_expect_result (client, s_take_up (net, client, name), DW_RUN_CANCELLED);
    dw_client_destroy (&client);
}

static void who_leaves_while_it_waits_cancels_nothing (void **state) {
    net_t *net = *state;
    char name[DW_RUN_NAME_SIZE];
    net_open (net, &(dw_system_options_t){0}, false);
    s_detach_and_leave (net, name);
    assert_true (gate_wait_entered (net->gate, 1));
    dw_client_t *client = net_client (net, NULL);
    s_take_up (net, client, name);
    dw_client_destroy (&client);
    client = net_client (net, NULL);
    uint64_t run = s_take_up (net, client, name);
    gate_open (net->gate);
    s_expect_result (client, run, DW_RUN_OK);
    dw_client_destroy (&client);
}

static void who_waits_for_it_and_is_cut_off_gets_it_all_the_same (void **state) {
    net_t *net = *state;
    char name[DW_RUN_NAME_SIZE];
    net_open (net, &(dw_system_options_t){0}, false);
    cable_t *cable = cable_new (net->endpoint);
    dw_connect_options_t options = {.endpoint = cable_endpoint (cable), .reconnect_ms = 10000};
    dw_client_t *client = NULL;
    assert_int_equal (dw_client_connect (&client, &options, net->error), DW_OK);
    s_detach (net, client, name);
    assert_true (gate_wait_entered (net->gate, 1));
    cable_cut (cable);
    uint64_t run = s_take_up (net, client, name);
    cable_cut (cable);
    gate_open (net->gate);
    s_expect_result (client, run, DW_RUN_OK);
    dw_client_destroy (&client);
    cable_destroy (&cable);
}

/* ---- Unknown, dropped ------------------------------------------------------------------------- */

static void a_name_that_is_none_and_one_that_is_nobodys_are_told_apart (void **state) {
    net_t *net = *state;
    char name[DW_RUN_NAME_SIZE];
    gate_open (net->gate);
    net_open (net, &(dw_system_options_t){0}, false);
    s_detach_and_leave (net, name);
    static const char *const none[] = {"",
                                       "x",
                                       "-1",
                                       "0123456789abcdef0123456789abcdef",
                                       "0123456789abcdef0123456789abcdef-",
                                       "0123456789abcdef0123456789abcdef-01",
                                       "0123456789ABCDEF0123456789abcdef-1",
                                       "0123456789abcdef0123456789abcdef-1 ",
                                       "0123456789abcdef0123456789abcdef-99999999999999999999999"};
    for (size_t i = 0; i < sizeof none / sizeof *none; i++)
        s_expect_refused (net, none[i], DW_EINVAL, "is no name of a run");
    s_expect_refused (net, "0123456789abcdef0123456789abcdef-1", DW_EREFUSED,
                      "no run of this name");
    name[0] = name[0] == '0' ? '1' : '0';
    s_expect_refused (net, name, DW_EREFUSED, "no run of this name");
}

static void a_result_is_dropped_after_its_time (void **state) {
    net_t *net = *state;
    char name[DW_RUN_NAME_SIZE];
    gate_open (net->gate);
    net_open (net, &(dw_system_options_t){.keep_ms = 300}, false);
    s_detach_and_leave (net, name);
    dw_client_t *client = net_client (net, NULL);
    s_expect_result (client, s_take_up (net, client, name), DW_RUN_OK);
    dw_client_destroy (&client);
    sleep_ms (600);
    s_expect_refused (net, name, DW_EREFUSED, "was dropped");
}

static void the_oldest_result_makes_room (void **state) {
    net_t *net = *state;
    char names[10][DW_RUN_NAME_SIZE];
    gate_open (net->gate);
    net_open (net, &(dw_system_options_t){.keep_runs = 3}, false);
    dw_client_t *client = net_client (net, NULL);
    for (int i = 0; i < 10; i++) {
        s_detach (net, client, names[i]);
        s_expect_result (client, s_take_up (net, client, names[i]), DW_RUN_OK);
    }
    for (int i = 7; i < 10; i++)
        s_expect_result (client, s_take_up (net, client, names[i]), DW_RUN_OK);
    dw_client_destroy (&client);
    s_expect_refused (net, names[6], DW_EREFUSED, "was dropped");
    s_expect_refused (net, names[0], DW_EREFUSED, "no run of this name"); /* not even its name */
}

static void more_bytes_than_keep_bytes_are_not_kept (void **state) {
    net_t *net = *state;
    char names[4][DW_RUN_NAME_SIZE];
    static char text[3000];
    memset (text, 'x', sizeof text);
    gate_open (net->gate);
    net_open (net, &(dw_system_options_t){.keep_bytes = 20000}, false);
    dw_client_t *client = net_client (net, NULL);
    for (int i = 0; i < 4; i++) { /* each has three outputs of so many bytes */
        dw_submission_t submission = {.payload = text, .size = sizeof text, .is_text = true};
        assert_int_equal (dw_client_detach (client, &submission, 10000, names[i], net->error), 0);
        s_take_up (net, client, names[i]);
        assert_int_equal (dw_client_wait_all (client, 10000), DW_OK);
    }
    dw_status_t *status = net_status (client);
    assert_int_equal (status->results_kept, 2);
    dw_status_destroy (&status);
    dw_client_destroy (&client);
    s_expect_refused (net, names[1], DW_EREFUSED, "was dropped");
}

static const uint8_t s_no_token[DW_WIRE_TOKEN_SIZE];
#define UUID "0123456789abcdef"

/* A client as a test says that it is; its number in *peer_p. */
static raw_peer_t s_raw_client (net_t *net, uint32_t *peer_p) {
    raw_peer_t raw = raw_peer_connect_to (net->endpoint, NULL, NULL);
    dw_wire_hello_t hello = {
        .version = DW_WIRE_VERSION, .role = DW_WIRE_CLIENT, .token = s_no_token};
    dw_write_hello (&raw.out.head, &hello);
    dw_write_identity (&raw.out.head,
                       &(dw_wire_identity_t){.uuid = (const uint8_t *) UUID, .incarnation = 1});
    raw_peer_send (&raw);
    assert_int_equal (raw_peer_receive (&raw), DW_WIRE_WELCOME);
    *peer_p = dw_read_uint_max (&raw.reader, UINT32_MAX);
    return raw;
}

static void for_a_run_that_is_refused_no_result_is_dropped (void **state) {
    net_t *net = *state;
    char name[DW_RUN_NAME_SIZE];
    uint32_t peer;
    gate_open (net->gate);
    net_open (net, &(dw_system_options_t){.keep_runs = 1}, false);
    dw_client_t *client = net_client (net, NULL);
    s_detach (net, client, name);
    s_expect_result (client, s_take_up (net, client, name), DW_RUN_OK);
    raw_peer_t raw = s_raw_client (net, &peer);
    dw_write_uint (&raw.out.head, DW_WIRE_DETACH);
    dw_write_uint (&raw.out.head, peer);
    dw_write_uint (&raw.out.head, 1);
    dw_write_bin (&raw.out.head, "\xc1", 1); /* no value of msgpack */
    dw_write_uint (&raw.out.head, 0);
    dw_write_nil (&raw.out.head);
    raw_peer_send (&raw);
    assert_int_equal (raw_peer_receive (&raw), DW_WIRE_REFUSED);
    raw_peer_disconnect (&raw);
    s_expect_result (client, s_take_up (net, client, name), DW_RUN_OK);
    dw_client_destroy (&client);
}

static void when_all_places_are_under_way_no_more_are_begun (void **state) {
    net_t *net = *state;
    char name[DW_RUN_NAME_SIZE];
    net_open (net, &(dw_system_options_t){.keep_runs = 2}, false);
    dw_client_t *client = net_client (net, NULL);
    s_detach (net, client, name);
    s_detach (net, client, name);
    char third[DW_RUN_NAME_SIZE];
    assert_int_equal (dw_client_detach (client, &s_hello, 10000, third, net->error), DW_EAGAIN);
    assert_non_null (strstr (dw_error_text (net->error), "keep_runs"));
    gate_open (net->gate);
    s_expect_result (client, s_take_up (net, client, name), DW_RUN_OK);
    s_detach (net, client, third);
    dw_client_destroy (&client);
}

static void a_client_in_this_process_detaches_nothing (void **state) {
    net_t *net = *state;
    char name[DW_RUN_NAME_SIZE];
    dw_client_t *client = NULL;
    uint64_t run;
    net_open (net, &(dw_system_options_t){0}, false);
    assert_int_equal (dw_client_new (&client, net->system, net->error), DW_OK);
    assert_int_equal (dw_client_detach (client, &s_hello, 1000, name, NULL), DW_EINVAL);
    assert_int_equal (
        dw_client_take_up (client, "0123456789abcdef0123456789abcdef-1", 1000, &run, NULL),
        DW_EINVAL);
    dw_client_destroy (&client);
}

/* ---- Hostile ---------------------------------------------------------------------------------- */

static void a_name_is_of_no_use_to_another_key (void **state) {
    net_t *net = *state;
    char name[DW_RUN_NAME_SIZE];
    uint64_t run;
    gate_open (net->gate);
    net_make_keys (net);
    net_make_key (net, "other");
    net_allow_also (net, "client", "other");
    net_open (net, &(dw_system_options_t){0}, true);
    dw_client_t *client = net_client (net, "client"), *thief = net_client (net, "other"),
                *monitor = net_client (net, "monitor");
    s_detach (net, client, name);
    assert_int_equal (dw_client_take_up (thief, name, 10000, &run, net->error), DW_EKEY);
    assert_non_null (strstr (dw_error_text (net->error), "another key"));
    assert_int_equal (dw_client_take_up (monitor, name, 10000, &run, NULL), DW_EKEY);
    net_run (net, thief); /* which may go on with its own */
    s_expect_result (client, s_take_up (net, client, name), DW_RUN_OK);
    dw_client_destroy (&monitor);
    dw_client_destroy (&thief);
    dw_client_destroy (&client);
}

static void a_key_that_is_taken_off_the_list_takes_its_detached_runs_along (void **state) {
    net_t *net = *state;
    char name[DW_RUN_NAME_SIZE];
    net_make_keys (net);
    net_open (net, &(dw_system_options_t){0}, true);
    dw_client_t *client = net_client (net, "client");
    s_detach (net, client, name);
    dw_client_destroy (&client);
    assert_true (gate_wait_entered (net->gate, 1));
    net_allow (net, "wm");
    dw_system_reload_keys (net->system);
    assert_true (gate_wait_left (net->gate, 1));
    assert_int_equal (atomic_load (&net->gate->cancelled), 1);
}

static void nonsense_and_floods_of_claims_end_nothing (void **state) {
    net_t *net = *state;
    random_t random = random_from (7);
    gate_open (net->gate);
    net_open (net, &(dw_system_options_t){.keep_runs = 8, .runs_max = 16}, false);
    uint32_t peer;
    raw_peer_t raw = s_raw_client (net, &peer);
    for (int i = 0; i < 3000; i++) {
        dw_writer_t *head = &raw.out.head;
        uint32_t what = random_below (&random, 4);
        dw_write_uint (head, what == 0   ? DW_WIRE_DETACH
                             : what == 1 ? DW_WIRE_TAKEN
                                         : DW_WIRE_CLAIM);
        dw_write_uint (head, peer);
        dw_write_uint (head, random_below (&random, 40));
        if (what == 0) {
            dw_write_bin (head, "\xa2hi", 3);
            dw_write_uint (head, 0);
            dw_write_nil (head);
        } else if (what > 1)
            dw_write_bin (head, UUID, random_one_in (&random, 10) ? 3 : DW_WIRE_UUID_SIZE);
        if (random_one_in (&random, 2))
            dw_write_uint (head, random_below (&random, 40));
        if (random_one_in (&random, 10))
            head->count -= random_below (&random, (uint32_t) head->count);
        raw_peer_send (&raw);
        dw_message_t in = {0};
        while (dw_message_receive (&in, raw.socket) == DW_OK)
            continue;
        dw_message_free (&in);
    }
    dw_client_t *client = net_client (net, NULL);
    net_run (net, client);
    dw_status_t *status = net_status (client);
    assert_true (status->results_kept <= 8);
    dw_status_destroy (&status);
    dw_client_destroy (&client);
    raw_peer_disconnect (&raw);
}

#define TEST(name) cmocka_unit_test_setup_teardown (name, net_setup, net_teardown)

int main (void) {
    const struct CMUnitTest tests[] = {
        TEST (a_run_that_is_under_way_is_waited_for_by_its_name),
        TEST (a_result_is_kept_and_given_as_often_as_it_is_asked_for),
        TEST (whoever_detaches_a_run_may_have_others_in_flight),
        TEST (a_detached_run_is_cancelled_by_its_name),
        TEST (who_leaves_while_it_waits_cancels_nothing),
        TEST (who_waits_for_it_and_is_cut_off_gets_it_all_the_same),
        TEST (a_name_that_is_none_and_one_that_is_nobodys_are_told_apart),
        TEST (a_result_is_dropped_after_its_time),
        TEST (the_oldest_result_makes_room),
        TEST (more_bytes_than_keep_bytes_are_not_kept),
        TEST (for_a_run_that_is_refused_no_result_is_dropped),
        TEST (when_all_places_are_under_way_no_more_are_begun),
        TEST (a_client_in_this_process_detaches_nothing),
        TEST (a_name_is_of_no_use_to_another_key),
        TEST (a_key_that_is_taken_off_the_list_takes_its_detached_runs_along),
        TEST (nonsense_and_floods_of_claims_end_nothing),
    };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
