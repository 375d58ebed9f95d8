/* test_client_again.c - a client elsewhere whose connection is cut, silent, or that is stopped
 * itself: it gets its results, each of them once. */

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/support/cable.h"
#include "tests/support/net.h"
#include "tests/support/process.h"
#include "tests/support/random.h"
#include "tests/support/raw_peer.h"

#define RUNS_MAX 4096

typedef struct fixture_t {
    net_t *net;
    cable_t *cable;
    uint8_t got[RUNS_MAX + 1]; /* how often each run's result came */
    unsigned got_count;
} fixture_t;

static int s_setup (void **state) {
    fixture_t *f = calloc (1, sizeof *f);
    *state = f;
    return f ? net_setup ((void **) &f->net) : -1;
}

static int s_teardown (void **state) {
    fixture_t *f = *state;
    cable_destroy (&f->cable);
    int err = net_teardown ((void **) &f->net);
    free (f);
    return err;
}

/* The fixture's graph without waiting in its gate, run by the system's own actors. */
static void s_open (fixture_t *f, const dw_system_options_t *options, bool is_gate_open) {
    if (is_gate_open)
        gate_open (f->net->gate);
    net_open (f->net, options, false);
    f->cable = cable_new (f->net->endpoint);
}

static dw_client_t *s_client (fixture_t *f, int reconnect_ms) {
    dw_client_t *client = NULL;
    dw_connect_options_t options = {
        .endpoint = cable_endpoint (f->cable), .timeout_ms = 1000, .reconnect_ms = reconnect_ms};
    if (dw_client_connect (&client, &options, f->net->error))
        fail_msg ("%s", dw_error_text (f->net->error));
    return client;
}

/* A run whose input says its number; every seventh of them is large. */
static void s_submit (fixture_t *f, dw_client_t *client) {
    char text[6000];
    uint64_t run = 0;
    static unsigned count;
    int size = snprintf (text, sizeof text, "%05u", count++ % 100000);
    if (count % 7 == 0)
        for (; size < (int) sizeof text; size++)
            text[size] = 'x';
    dw_submission_t submission = {
        .payload = text, .size = (size_t) size, .is_text = true, .wait_ms = 30000};
    if (dw_client_submit (client, &submission, &run, f->net->error))
        fail_msg ("%s", dw_error_text (f->net->error));
}

static void s_take (fixture_t *f, dw_client_t *client) {
    dw_result_t *result;
    while ((result = dw_client_next (client))) {
        uint64_t run = dw_result_run (result);
        size_t size;
        assert_in_range (run, 1, RUNS_MAX);
        assert_int_equal (dw_result_status (result), DW_RUN_OK);
        const char *text = dw_result_text (result, dw_result_find (result, "last"), &size);
        assert_non_null (text);
        assert_true (size == 5 || size == 6000);
        f->got_count++;
        assert_int_equal (++f->got[run], 1);
        dw_result_destroy (&result);
    }
}

/* The last character of a reversed text is the first of its number. */
static void s_expect_all (fixture_t *f, unsigned runs) {
    assert_int_equal (f->got_count, runs);
    for (unsigned run = 1; run <= runs; run++)
        assert_int_equal (f->got[run], 1);
}

static void s_wait_all (fixture_t *f, dw_client_t *client) {
    int err = dw_client_wait_all (client, 30000);
    if (err)
        fail_msg ("%s; %u runs are in flight", dw_err_text (err),
                  (unsigned) dw_client_in_flight (client));
    s_take (f, client);
}

/* ---- Cut -------------------------------------------------------------------------------------- */

static void a_client_that_is_cut_off_gets_its_result (void **state) {
    fixture_t *f = *state;
    s_open (f, &(dw_system_options_t){0}, false);
    dw_client_t *client = s_client (f, 10000);
    s_submit (f, client);
    assert_true (gate_wait_entered (f->net->gate, 1));
    cable_cut (f->cable);
    gate_open (f->net->gate);
    s_wait_all (f, client);
    s_expect_all (f, 1);
    assert_int_equal (cable_cuts (f->cable), 1);
    dw_client_destroy (&client);
}

static void a_run_is_not_made_twice_though_it_is_asked_for_twice (void **state) {
    fixture_t *f = *state;
    s_open (f, &(dw_system_options_t){0}, false);
    dw_client_t *client = s_client (f, 10000);
    for (int i = 0; i < 20; i++)
        s_submit (f, client);
    assert_true (gate_wait_entered (f->net->gate, 1));
    for (int i = 0; i < 3; i++) {
        cable_cut (f->cable);
        dw_status_destroy (&(dw_status_t *){net_status (client)}); /* it is there again */
    }
    gate_open (f->net->gate);
    s_wait_all (f, client);
    s_expect_all (f, 20);
    dw_status_t *status = net_status (client);
    assert_int_equal (status->runs_ok, 20);
    assert_int_equal (status->runs_cancelled, 0);
    assert_int_equal (status->steps_done, 60);
    dw_status_destroy (&status);
    dw_client_destroy (&client);
}

static void hundreds_of_runs_survive_cuts_at_random_moments (void **state) {
    fixture_t *f = *state;
    uint64_t seed = (uint64_t) now_ms ();
    random_t random = random_from (seed);
    print_message ("seed %llu\n", (unsigned long long) seed);
    s_open (f, &(dw_system_options_t){.runs_max = 500}, true);
    dw_client_t *client = s_client (f, 20000);
    for (unsigned i = 0; i < 4000; i++) {
        s_submit (f, client);
        if (random_one_in (&random, 3))
            s_take (f, client);
        if (random_one_in (&random, 80))
            cable_cut (f->cable);
        if (random_one_in (&random, 400)) {
            int err = dw_client_wait_all (client, 20);
            assert_true (err == DW_OK || err == DW_ETIMEDOUT);
        }
    }
    s_wait_all (f, client);
    s_expect_all (f, 4000);
    print_message ("%u connections were cut\n", cable_cuts (f->cable));
    assert_true (cable_cuts (f->cable) >= 10);
    dw_status_t *status = net_status (client);
    assert_int_equal (status->runs_in_flight, 0);
    assert_int_equal (status->runs_ok, 4000); /* none was made twice */
    dw_status_destroy (&status);
    dw_client_destroy (&client);
}

static void a_line_that_is_silent_is_left_for_another (void **state) {
    fixture_t *f = *state;
    s_open (f, &(dw_system_options_t){.heartbeat_ms = 50, .silence_ms = 300}, true);
    dw_client_t *client = s_client (f, 10000);
    s_submit (f, client);
    s_wait_all (f, client);
    cable_hold (f->cable);
    s_submit (f, client);
    assert_int_equal (dw_client_wait_all (client, 800), DW_ETIMEDOUT);
    cable_cut (f->cable); /* so that the old line never brings what it holds */
    cable_let_go (f->cable);
    s_wait_all (f, client);
    s_expect_all (f, 2);
    dw_client_destroy (&client);
}

static void a_run_that_is_cancelled_while_it_is_cut_off_is_cancelled (void **state) {
    fixture_t *f = *state;
    dw_result_t *result = NULL;
    s_open (f, &(dw_system_options_t){0}, false);
    dw_client_t *client = s_client (f, 10000);
    s_submit (f, client);
    assert_true (gate_wait_entered (f->net->gate, 1));
    cable_hold (f->cable);
    cable_cut (f->cable);
    assert_int_equal (dw_client_wait_all (client, 50), DW_ETIMEDOUT);
    assert_int_equal (dw_client_cancel (client, 1), DW_OK);
    cable_let_go (f->cable);
    assert_int_equal (dw_client_wait (client, 1, 10000, &result), DW_OK);
    assert_int_equal (dw_result_status (result), DW_RUN_CANCELLED);
    dw_result_destroy (&result);
    dw_client_destroy (&client);
}

/* ---- Lost ------------------------------------------------------------------------------------- */

static void who_does_not_want_to_reconnect_hears_of_the_cut_at_once (void **state) {
    fixture_t *f = *state;
    s_open (f, &(dw_system_options_t){0}, false);
    dw_client_t *client = s_client (f, 0);
    s_submit (f, client);
    assert_true (gate_wait_entered (f->net->gate, 1));
    int64_t begin_ms = now_ms ();
    cable_cut (f->cable);
    assert_int_equal (dw_client_wait_all (client, 10000), DW_ELOST);
    assert_in_range (now_ms () - begin_ms, 0, 1000);
    assert_int_equal (dw_client_wait_all (client, 10000), DW_ELOST);
    dw_client_destroy (&client);
}

static void a_coordinator_that_does_not_come_back_is_lost_in_the_time_that_was_given (
    void **state) {
    fixture_t *f = *state;
    s_open (f, &(dw_system_options_t){0}, false);
    dw_client_t *client = s_client (f, 600);
    s_submit (f, client);
    cable_hold (f->cable);
    cable_cut (f->cable);
    int64_t begin_ms = now_ms ();
    assert_int_equal (dw_client_wait_all (client, 10000), DW_ELOST);
    assert_in_range (now_ms () - begin_ms, 500, 3000);
    dw_client_destroy (&client);
}

static void another_coordinator_at_the_same_place_is_not_taken_for_it (void **state) {
    fixture_t *f = *state;
    s_open (f, &(dw_system_options_t){0}, false);
    dw_client_t *client = s_client (f, 10000);
    s_submit (f, client);
    assert_true (gate_wait_entered (f->net->gate, 1));
    cable_hold (f->cable);
    cable_cut (f->cable);
    gate_open (f->net->gate);
    assert_int_equal (dw_system_close (&f->net->system, -1, f->net->error), DW_OK);
    net_open (f->net, &(dw_system_options_t){0}, false); /* at the same port */
    cable_let_go (f->cable);
    assert_int_equal (dw_client_wait_all (client, 20000), DW_ELOST);
    dw_client_destroy (&client);
}

static void who_comes_back_too_late_has_lost_its_runs (void **state) {
    fixture_t *f = *state;
    s_open (f, &(dw_system_options_t){.lost_client_ms = 200}, false);
    dw_client_t *client = s_client (f, 10000);
    s_submit (f, client);
    assert_true (gate_wait_entered (f->net->gate, 1));
    cable_hold (f->cable);
    cable_cut (f->cable);
    assert_true (gate_wait_left (f->net->gate, 1)); /* it was cancelled */
    assert_int_equal (atomic_load (&f->net->gate->cancelled), 1);
    cable_let_go (f->cable);
    assert_int_equal (dw_client_wait_all (client, 20000), DW_ELOST);
    dw_client_destroy (&client);
}

/* What a caller that never waits may ask, again and again. */
static int s_ask_to_wait (dw_client_t *client) {
    dw_result_t *result = NULL;
    return dw_client_wait (client, 1, 0, &result);
}

static int s_ask_for_any (dw_client_t *client) {
    dw_result_t *result = NULL;
    return dw_client_wait_any (client, NULL, 0, 0, &result);
}

static int s_ask_for_all (dw_client_t *client) {
    return dw_client_wait_all (client, 0);
}

static int s_ask_for_status (dw_client_t *client) {
    dw_status_t *status = NULL;
    int err = dw_client_status (client, 0, &status);
    dw_status_destroy (&status);
    return err ? err : DW_ETIMEDOUT;
}

static int s_ask_to_submit (dw_client_t *client) {
    dw_submission_t submission = {.payload = "x", .size = 1, .is_text = true};
    int err = dw_client_submit (client, &submission, NULL, NULL);
    return err == DW_OK || err == DW_EAGAIN ? DW_ETIMEDOUT : err;
}

/* It looks each time; what it finds only the next call of another kind can say. */
static int s_ask_for_next (dw_client_t *client) {
    int64_t end_ms = now_ms () + 2000;
    while (now_ms () < end_ms) {
        assert_null (dw_client_next (client));
        sleep_ms (5);
    }
    return dw_client_wait_all (client, 0);
}

static void s_expect_that_whoever_never_waits_hears_of_it (fixture_t *f, bool is_silent) {
    static int (*const asks[]) (dw_client_t *) = {s_ask_to_wait,   s_ask_for_any,
                                                  s_ask_for_all,   s_ask_for_status,
                                                  s_ask_to_submit, s_ask_for_next};
    s_open (f, &(dw_system_options_t){.heartbeat_ms = 50, .silence_ms = 300}, false);
    for (size_t i = 0; i < sizeof asks / sizeof *asks; i++) {
        int err = DW_ETIMEDOUT;
        dw_client_t *client = s_client (f, 0);
        s_submit (f, client);
        cable_hold (f->cable);
        if (!is_silent)
            cable_cut (f->cable);
        int64_t end_ms = now_ms () + 5000;
        while (err == DW_ETIMEDOUT && now_ms () < end_ms) {
            err = asks[i](client);
            sleep_ms (5);
        }
        if (err != DW_ELOST)
            fail_msg ("call %u: %s", (unsigned) i, dw_err_text (err));
        dw_client_destroy (&client);
        cable_cut (f->cable);
        cable_let_go (f->cable);
    }
}

static void whoever_never_waits_hears_of_a_cut_from_any_call (void **state) {
    s_expect_that_whoever_never_waits_hears_of_it (*state, false);
}

static void whoever_never_waits_hears_of_a_silence_from_any_call (void **state) {
    s_expect_that_whoever_never_waits_hears_of_it (*state, true);
}

/* ---- Stopped ---------------------------------------------------------------------------------- */

/* What this program does when it is started again as a client: nothing of cmocka is in it. It says
 * when it is ready. */
static bool s_say_ready (void) {
    return write (STDOUT_FILENO, "r", 1) == 1;
}

/* Submits some runs and waits for them. */
static int s_be_a_client (const char *endpoint) {
    dw_client_t *client = NULL;
    dw_connect_options_t options = {.endpoint = endpoint, .reconnect_ms = 10000};
    if (dw_client_connect (&client, &options, NULL))
        return 1;
    dw_submission_t submission = {.payload = "hello", .size = 5, .is_text = true, .wait_ms = -1};
    for (int i = 0; i < 200; i++)
        if (dw_client_submit (client, &submission, NULL, NULL))
            return 2;
    if (!s_say_ready ())
        return 3;
    if (dw_client_wait_all (client, 30000))
        return 4;
    int count = 0;
    for (dw_result_t *result; (result = dw_client_next (client)); count++)
        dw_result_destroy (&result);
    dw_client_destroy (&client);
    return count == 200 ? 0 : 5;
}

/* Waits for one run and tells how that ended. */
static int s_wait_for_one (const char *endpoint) {
    dw_client_t *client = NULL;
    dw_connect_options_t options = {.endpoint = endpoint};
    dw_submission_t submission = {.payload = "hello", .size = 5, .is_text = true, .wait_ms = -1};
    if (dw_client_connect (&client, &options, NULL) ||
        dw_client_submit (client, &submission, NULL, NULL) || !s_say_ready ())
        return 1;
    int err = dw_client_wait_all (client, 30000);
    dw_client_destroy (&client);
    return err == DW_OK ? 0 : 2;
}

/* Starts it, and waits until it is ready. */
static pid_t s_start_again (const char *as, const char *endpoint, int *said_p) {
    char byte;
    pid_t pid = process_again (said_p, (const char *const[]){as, endpoint, NULL});
    assert_true (pid > 0);
    if (read (*said_p, &byte, 1) != 1)
        fail_msg ("it ended with %d before it was ready", process_end (pid, *said_p));
    return pid;
}

static void a_client_that_is_stopped_for_longer_than_the_silence_gets_its_results (void **state) {
    fixture_t *f = *state;
    int said;
    s_open (f, &(dw_system_options_t){.heartbeat_ms = 30, .silence_ms = 120}, false);
    pid_t child = s_start_again ("client", f->net->endpoint, &said);
    random_t random = random_from (1);
    for (int i = 0; i < 12; i++) { /* at any moment of its wait, also just after it has asked */
        sleep_ms (random_below (&random, 50));
        kill (child, SIGSTOP);
        if (i == 6)
            gate_open (f->net->gate);
        sleep_ms (200);
        kill (child, SIGCONT);
    }
    assert_int_equal (process_end (child, said), 0);
}

static void a_client_that_is_stopped_while_it_waits_for_a_heartbeat_asks_once_more (void **state) {
    fixture_t *f = *state;
    int said;
    s_open (f, &(dw_system_options_t){.heartbeat_ms = 100, .silence_ms = 700}, false);
    pid_t child = s_start_again ("waiter", cable_endpoint (f->cable), &said);
    assert_true (gate_wait_entered (f->net->gate, 1));
    cable_hold (f->cable); /* its question is not answered */
    sleep_ms (300);
    kill (child, SIGSTOP);
    sleep_ms (900);
    kill (child, SIGCONT); /* it has not listened, so it has heard no silence */
    sleep_ms (200);
    cable_let_go (f->cable);
    gate_let (f->net->gate, 1);
    assert_int_equal (process_end (child, said), 0);
}

/* ---- Hostile ---------------------------------------------------------------------------------- */

static const uint8_t s_no_token[DW_WIRE_TOKEN_SIZE];

static void s_say_hello (raw_peer_t *raw, const char *uuid, uint64_t incarnation) {
    dw_wire_hello_t hello = {
        .version = DW_WIRE_VERSION, .role = DW_WIRE_CLIENT, .token = s_no_token};
    dw_write_hello (&raw->out.head, &hello);
    dw_write_identity (&raw->out.head, &(dw_wire_identity_t){.uuid = (const uint8_t *) uuid,
                                                             .incarnation = incarnation});
    raw_peer_send (raw);
}

/* The peer number that WELCOME gives. */
static uint32_t s_join (raw_peer_t *raw, const char *uuid, uint64_t incarnation) {
    s_say_hello (raw, uuid, incarnation);
    uint32_t type = raw_peer_receive (raw);
    while (type == DW_WIRE_RESULTS)
        type = raw_peer_receive (raw);
    assert_int_equal (type, DW_WIRE_WELCOME);
    return dw_read_uint_max (&raw->reader, UINT32_MAX);
}

static void s_submit_raw (raw_peer_t *raw, uint32_t peer, uint64_t run) {
    static const uint8_t hello[] = {0xa2, 'h', 'i'};
    dw_writer_t *head = &raw->out.head;
    dw_write_uint (head, DW_WIRE_SUBMIT);
    dw_write_uint (head, peer);
    dw_write_uint (head, run);
    dw_write_bin (head, hello, sizeof hello);
    dw_write_uint (head, 0);
    dw_write_nil (head);
    raw_peer_send (raw);
}

static void s_say (raw_peer_t *raw, uint32_t type, uint32_t peer, uint64_t number) {
    dw_write_uint (&raw->out.head, type);
    dw_write_uint (&raw->out.head, peer);
    dw_write_uint (&raw->out.head, number);
    raw_peer_send (raw);
}

#define UUID "0123456789abcdef"

static void an_earlier_connection_is_fenced_and_a_replayed_one_refused (void **state) {
    fixture_t *f = *state;
    s_open (f, &(dw_system_options_t){0}, true);
    raw_peer_t first = raw_peer_connect_to (f->net->endpoint, NULL, NULL);
    raw_peer_t second = raw_peer_connect_to (f->net->endpoint, NULL, NULL);
    raw_peer_t third = raw_peer_connect_to (f->net->endpoint, NULL, NULL);
    uint32_t old = s_join (&first, UUID, 1), peer = s_join (&second, UUID, 2);
    s_say_hello (&third, UUID, 2);
    raw_peer_expect_refused (&third, 503, "a later connection");
    s_submit_raw (&first, old, 1); /* nobody's */
    s_submit_raw (&second, peer, 7);
    assert_int_equal (raw_peer_receive (&second), DW_WIRE_RESULTS);
    assert_int_equal (dw_read_uint (&second.reader), 7);
    dw_client_t *client = net_client (f->net, NULL);
    dw_status_t *status = net_status (client);
    assert_int_equal (status->runs_ok, 1);
    dw_status_destroy (&status);
    dw_client_destroy (&client);
    raw_peer_disconnect (&first);
    raw_peer_disconnect (&second);
    raw_peer_disconnect (&third);
}

static void a_hello_without_sense_is_refused (void **state) {
    fixture_t *f = *state;
    s_open (f, &(dw_system_options_t){0}, true);
    raw_peer_t raw = raw_peer_connect_to (f->net->endpoint, NULL, NULL);
    s_say_hello (&raw, UUID, 0);
    raw_peer_expect_refused (&raw, 400, "makes no sense");
    dw_wire_hello_t hello = {
        .version = DW_WIRE_VERSION, .role = DW_WIRE_CLIENT, .token = s_no_token};
    dw_write_hello (&raw.out.head, &hello);
    dw_write_bin (&raw.out.head, "short", 5);
    dw_write_uint (&raw.out.head, 1);
    raw_peer_send (&raw);
    raw_peer_expect_refused (&raw, 400, "makes no sense");
    raw_peer_disconnect (&raw);
    dw_client_t *client = net_client (f->net, NULL);
    net_run (f->net, client);
    dw_client_destroy (&client);
}

static void runs_of_old_are_refused_and_those_under_way_passed_over (void **state) {
    fixture_t *f = *state;
    s_open (f, &(dw_system_options_t){.runs_max = 4}, false);
    raw_peer_t raw = raw_peer_connect_to (f->net->endpoint, NULL, NULL);
    uint32_t peer = s_join (&raw, UUID, 1);
    s_submit_raw (&raw, peer, 0);
    raw_peer_expect_refused (&raw, 410, "refused before");
    s_submit_raw (&raw, peer, 5);
    assert_true (gate_wait_entered (f->net->gate, 1));
    for (int i = 0; i < 1000; i++)
        s_submit_raw (&raw, peer, 5);
    s_submit_raw (&raw, peer, 4);
    raw_peer_expect_refused (&raw, 410, "refused before");
    for (uint64_t run = 6; run <= 8; run++)
        s_submit_raw (&raw, peer, run);
    s_submit_raw (&raw, peer, 9); /* more than its runs_max */
    raw_peer_expect_refused (&raw, 503, "runs_max");
    gate_open (f->net->gate);
    for (int got = 0; got < 4;) {
        assert_int_equal (raw_peer_receive (&raw), DW_WIRE_RESULTS);
        for (int i = 1; i < (int) raw.in.count + 1 && dw_wire_reader_has_more (&raw.reader); i++) {
            dw_wire_result_t record;
            assert_true (dw_read_result (&raw.reader, &record));
            assert_in_range (record.run, 5, 8);
            for (uint32_t k = 0; k < record.outputs_count; k++)
                dw_read_uint (&raw.reader);
            got++;
            i = 0;
        }
    }
    raw_peer_disconnect (&raw);
}

static void who_never_says_what_it_has_is_kept_a_bounded_number (void **state) {
    fixture_t *f = *state;
    s_open (f, &(dw_system_options_t){.runs_max = 8, .keep_bytes = 20000}, true);
    raw_peer_t raw = raw_peer_connect_to (f->net->endpoint, NULL, NULL),
               again = raw_peer_connect_to (f->net->endpoint, NULL, NULL);
    uint32_t peer = s_join (&raw, UUID, 1);
    for (uint64_t run = 1; run <= 2000; run++) {
        s_submit_raw (&raw, peer, run);
        assert_int_equal (raw_peer_receive (&raw), DW_WIRE_RESULTS);
        if (run % 100 == 0) /* nonsense: it cannot have taken in so many */
            s_say (&raw, DW_WIRE_TAKEN, peer, 0);
    }
    s_say_hello (&again, UUID, 2);
    unsigned results = 0;
    size_t bytes = 0;
    while (raw_peer_receive (&again) == DW_WIRE_RESULTS) {
        results++;
        for (uint32_t i = 0; i < again.in.count; i++)
            bytes += zmq_msg_size (&again.in.frames[i]);
    }
    assert_in_range (results, 10, 1032);
    assert_in_range (bytes, 1000, 20000);
    peer = dw_read_uint_max (&again.reader, UINT32_MAX);
    s_say (&again, DW_WIRE_TAKEN, peer, UINT64_MAX); /* takes it at its word */
    raw_peer_disconnect (&raw);
    raw = raw_peer_connect_to (f->net->endpoint, NULL, NULL);
    s_say_hello (&raw, UUID, 3);
    assert_int_equal (raw_peer_receive (&raw), DW_WIRE_WELCOME);
    raw_peer_disconnect (&raw);
    raw_peer_disconnect (&again);
}

static void of_clients_that_are_away_there_is_a_bounded_number (void **state) {
    fixture_t *f = *state;
    s_open (f, &(dw_system_options_t){.clients_max = 2}, false);
    for (int i = 0; i < 7; i++) { /* each leaves a run behind, and no good-bye */
        char uuid[17];
        snprintf (uuid, sizeof uuid, "uuid-%011d", i);
        for (;;) {
            raw_peer_t raw = raw_peer_connect_to (f->net->endpoint, NULL, NULL);
            s_say_hello (&raw, uuid, (uint64_t) now_ms ());
            bool is_in = raw_peer_receive (&raw) == DW_WIRE_WELCOME;
            if (is_in)
                s_submit_raw (&raw, dw_read_uint_max (&raw.reader, UINT32_MAX), 1);
            raw_peer_disconnect (&raw);
            if (is_in)
                break;
            sleep_ms (100);
        }
    }
    gate_open (f->net->gate);
    dw_client_t *client = NULL;
    dw_connect_options_t options = net_connect (f->net, NULL);
    for (int i = 0; i < 100 && !client; i++)
        if (dw_client_connect (&client, &options, NULL))
            sleep_ms (100);
    assert_non_null (client);
    dw_status_t *status = net_status (client);
    assert_true (status->runs_cancelled >= 3); /* of those who were forgotten */
    dw_status_destroy (&status);
    dw_client_destroy (&client);
}

/* Whether they are there, or away, within a second. */
static bool s_comes_to (dw_client_t *client, uint32_t clients, uint64_t away) {
    bool is_so = false;
    for (int64_t until_ms = now_ms () + 1000; !is_so && now_ms () < until_ms; sleep_ms (5)) {
        dw_status_t *status = net_status (client);
        is_so = status->clients_count == clients && status->clients_away == away;
        dw_status_destroy (&status);
    }
    return is_so;
}

static void who_goes_without_a_word_is_missed_at_once (void **state) {
    fixture_t *f = *state;
    s_open (f, &(dw_system_options_t){.heartbeat_ms = 100, .lost_client_ms = 2000}, false);
    dw_client_t *client = net_client (f->net, NULL);
    raw_peer_t idle = raw_peer_connect_to (f->net->endpoint, NULL, NULL),
               busy = raw_peer_connect_to (f->net->endpoint, NULL, NULL);
    s_join (&idle, UUID, 1);
    s_submit_raw (&busy, s_join (&busy, "another uuid....", 1), 1);
    assert_true (gate_wait_entered (f->net->gate, 1));
    assert_true (s_comes_to (client, 3, 0));
    raw_peer_disconnect (&idle);
    assert_true (s_comes_to (client, 2, 1));
    raw_peer_disconnect (&busy);
    assert_true (s_comes_to (client, 1, 2));
    gate_open (f->net->gate);
    dw_client_destroy (&client);
}

static void another_key_is_not_the_same_client (void **state) {
    fixture_t *f = *state;
    net_make_keys (f->net);
    net_make_key (f->net, "other");
    net_allow_also (f->net, "client", "other");
    net_open (f->net, &(dw_system_options_t){0}, true);
    const char *server = net_file (f->net, "coordinator.key.pub");
    raw_peer_t first = raw_peer_connect_to (f->net->endpoint, net_file (f->net, "client"), server);
    raw_peer_t thief = raw_peer_connect_to (f->net->endpoint, net_file (f->net, "other"), server);
    uint32_t peer = s_join (&first, UUID, 1);
    s_say_hello (&thief, UUID, 2);
    raw_peer_expect_refused (&thief, 403, "another key");
    gate_open (f->net->gate);
    s_submit_raw (&first, peer, 1);
    assert_int_equal (raw_peer_receive (&first), DW_WIRE_RESULTS);
    raw_peer_disconnect (&first);
    raw_peer_disconnect (&thief);
}

#define TEST(name) cmocka_unit_test_setup_teardown (name, s_setup, s_teardown)

int main (int argc, char **argv) {
    if (argc == 3)
        return strcmp (argv[1], "client") == 0 ? s_be_a_client (argv[2]) : s_wait_for_one (argv[2]);
    const struct CMUnitTest tests[] = {
        TEST (a_client_that_is_cut_off_gets_its_result),
        TEST (a_run_is_not_made_twice_though_it_is_asked_for_twice),
        TEST (hundreds_of_runs_survive_cuts_at_random_moments),
        TEST (a_line_that_is_silent_is_left_for_another),
        TEST (a_run_that_is_cancelled_while_it_is_cut_off_is_cancelled),
        TEST (who_does_not_want_to_reconnect_hears_of_the_cut_at_once),
        TEST (a_coordinator_that_does_not_come_back_is_lost_in_the_time_that_was_given),
        TEST (another_coordinator_at_the_same_place_is_not_taken_for_it),
        TEST (who_comes_back_too_late_has_lost_its_runs),
        TEST (whoever_never_waits_hears_of_a_cut_from_any_call),
        TEST (whoever_never_waits_hears_of_a_silence_from_any_call),
        TEST (a_client_that_is_stopped_for_longer_than_the_silence_gets_its_results),
        TEST (a_client_that_is_stopped_while_it_waits_for_a_heartbeat_asks_once_more),
        TEST (an_earlier_connection_is_fenced_and_a_replayed_one_refused),
        TEST (a_hello_without_sense_is_refused),
        TEST (runs_of_old_are_refused_and_those_under_way_passed_over),
        TEST (who_never_says_what_it_has_is_kept_a_bounded_number),
        TEST (of_clients_that_are_away_there_is_a_bounded_number),
        TEST (who_goes_without_a_word_is_missed_at_once),
        TEST (another_key_is_not_the_same_client),
    };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
