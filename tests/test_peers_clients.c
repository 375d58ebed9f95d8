/* test_peers_clients.c - a real coordinator among clients that lie, stammer and vanish: each is
 * refused what makes no sense, none takes what is another's; at every place. */

#include "tests/support/raw_peer.h"

#include <stdio.h>
#include <string.h>

#include "actors/system.h"
#include "tests/support/wire_records.h"

/* ---- From a client that lies ------------------------------------------------------------------ */

typedef struct s_lie_t {
    const char *what;
    dw_wire_submission_t record;
    uint32_t outputs[3];
} s_lie_t;

static void submissions_that_make_no_sense_are_refused_by_their_number (void **state) {
    system_fixture_t *f = *state;
    system_fixture_options (f)->max_payload_bytes = 1000;
    raw_peer_open_system (f);
    raw_peer_t raw = raw_peer_connect (f);
    uint32_t peer = raw_peer_join (&raw, f);
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
        raw_peer_send (&raw);
        raw_peer_expect_refused (&raw, 400, "makes no sense");
        assert_int_equal (dw_read_uint (&raw.reader), lies[i].record.run);
    }
    static const uint8_t huge[] = {0xdd, 0xff, 0xff, 0xff, 0xff};
    dw_write_uint (&raw.out.head, DW_WIRE_SUBMIT);
    dw_write_uint (&raw.out.head, peer);
    dw_write_uint (&raw.out.head, 21);
    dw_write_bin (&raw.out.head, "\xa0", 1);
    raw_peer_send_bytes (&raw, huge, sizeof huge);
    raw_peer_expect_refused (&raw, 400, "makes no sense");
    raw_peer_expect_served (f);
    raw_peer_disconnect (&raw);
    raw_peer_expect_served (f);
}

static void a_submission_that_is_refused_is_refused_alone (void **state) {
    system_fixture_t *f = *state;
    raw_peer_open_system (f);
    raw_peer_t raw = raw_peer_connect (f);
    uint32_t peer = raw_peer_join (&raw, f);
    static const uint32_t outputs[] = {0, UINT32_MAX, 1};
    dw_wire_submission_t record = {.payload = {.bytes = (const uint8_t *) "\xa3xyz", .size = 4}};
    dw_write_uint (&raw.out.head, DW_WIRE_SUBMIT);
    dw_write_uint (&raw.out.head, peer);
    for (record.run = 1; record.run <= 5; record.run++) {
        record.outputs_count = record.run % 2 ? 0
                                              : 3; /* the even ones want a node that there is not */
        wire_write_submission (&raw.out.head, &record, outputs);
    }
    raw_peer_send (&raw);
    unsigned ended = 0, refused = 0; /* a bit for each run */
    while ((ended | refused) != 0x3e) {
        uint32_t type = raw_peer_receive (&raw);
        if (type == DW_WIRE_REFUSED) {
            size_t size;
            assert_int_equal (dw_read_uint (&raw.reader), 400);
            assert_non_null (dw_read_str (&raw.reader, SIZE_MAX, &size));
            refused |= 1u << dw_read_uint (&raw.reader);
            continue;
        }
        assert_int_equal (type, DW_WIRE_RESULTS);
        for (dw_wire_result_t result; dw_wire_reader_has_more (&raw.reader);) {
            assert_true (dw_read_result (&raw.reader, &result));
            assert_in_range (result.run, 1, 5);
            ended |= 1u << result.run;
        }
    }
    assert_int_equal (ended, 0x2a);
    assert_int_equal (refused, 0x14);
    raw_peer_disconnect (&raw);
    raw_peer_expect_served (f);
}

static void a_message_full_of_lies_is_not_answered_without_end (void **state) {
    system_fixture_t *f = *state;
    raw_peer_open_system (f);
    raw_peer_t raw = raw_peer_connect (f);
    uint32_t peer = raw_peer_join (&raw, f);
    static const uint32_t nobody = UINT32_MAX;
    dw_wire_submission_t lie = {.payload = {.bytes = (const uint8_t *) "\xa1x", .size = 2},
                                .outputs_count = 1};
    dw_write_uint (&raw.out.head, DW_WIRE_SUBMIT);
    dw_write_uint (&raw.out.head, peer);
    for (lie.run = 1; lie.run <= 1000; lie.run++)
        wire_write_submission (&raw.out.head, &lie, &nobody);
    raw_peer_send (&raw);
    dw_wire_submission_t truth = {.run = 2000, .payload = lie.payload};
    dw_write_uint (&raw.out.head, DW_WIRE_SUBMIT);
    dw_write_uint (&raw.out.head, peer);
    wire_write_submission (&raw.out.head, &truth, NULL);
    raw_peer_send (&raw);
    uint32_t refused = 0;
    while (raw_peer_receive (&raw) == DW_WIRE_REFUSED)
        refused++;
    assert_int_equal (refused, DW_WIRE_TOGETHER_MAX);
    raw_peer_disconnect (&raw);
    raw_peer_expect_served (f);
}

static void what_went_before_a_lie_in_one_message_still_runs (void **state) {
    system_fixture_t *f = *state;
    raw_peer_open_system (f);
    raw_peer_t raw = raw_peer_connect (f);
    uint32_t peer = raw_peer_join (&raw, f);
    dw_wire_submission_t record = {.payload = {.bytes = (const uint8_t *) "\xa3xyz", .size = 4}};
    dw_write_uint (&raw.out.head, DW_WIRE_SUBMIT);
    dw_write_uint (&raw.out.head, peer);
    for (record.run = 1; record.run <= 3; record.run++)
        wire_write_submission (&raw.out.head, &record, NULL);
    dw_write_uint (&raw.out.head, 4);
    raw_peer_send_bytes (&raw, "\xc1", 1);
    bool has[4] = {false};
    uint32_t refused = 0;
    for (int left = 4; left > 0;) {
        uint32_t type = raw_peer_receive (&raw);
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
    raw_peer_disconnect (&raw);
    raw_peer_expect_served (f);
}

static void a_client_cannot_cancel_the_runs_of_another (void **state) {
    system_fixture_t *f = *state;
    gate_t *gate = system_fixture_add_gate (f, "gate", gate_polite);
    system_fixture_add (f, "gate", "gate", "");
    system_fixture_open (f);
    raw_peer_t raw = raw_peer_connect (f);
    uint32_t peer = raw_peer_join (&raw, f);
    uint64_t run = system_fixture_submit (f, "text");
    assert_true (gate_wait_entered (gate, 1));
    for (uint32_t as = 0; as < 10; as++)
        for (uint64_t number = 0; number < 10; number++) {
            dw_write_uint (&raw.out.head, DW_WIRE_ABORT);
            dw_write_uint (&raw.out.head, as == 0 ? peer : as);
            dw_write_uint (&raw.out.head, number);
            raw_peer_send (&raw);
        }
    raw_peer_say_hello (&raw, 9, DW_WIRE_CLIENT, dw_system_token (f->system), 0);
    raw_peer_expect_refused (&raw, 400, "not 9");
    gate_open (gate);
    dw_result_t *result = system_fixture_wait (f, run);
    assert_int_equal (dw_result_status (result), DW_RUN_OK);
    dw_result_destroy (&result);
    raw_peer_disconnect (&raw);
}

static void a_client_that_vanishes_leaves_nothing_running_in_its_name (void **state) {
    system_fixture_t *f = *state;
    raw_peer_open_system (f);
    for (int i = 0; i < 10; i++) {
        raw_peer_t raw = raw_peer_connect (f);
        uint32_t peer = raw_peer_join (&raw, f);
        dw_wire_submission_t record = {
            .payload = {.bytes = (const uint8_t *) "\xa3xyz", .size = 4}};
        dw_write_uint (&raw.out.head, DW_WIRE_SUBMIT);
        dw_write_uint (&raw.out.head, peer);
        for (record.run = 1; record.run <= 50; record.run++)
            wire_write_submission (&raw.out.head, &record, NULL);
        raw_peer_send (&raw);
        raw_peer_receive (&raw);    /* a first result, so that all have arrived */
        raw_peer_disconnect (&raw); /* without a goodbye */
    }
    raw_peer_expect_served (f);
}

/* ---- Places ----------------------------------------------------------------------------------- */

/* Says HELLO as a client; whether it is welcome. */
static bool s_is_welcome (raw_peer_t *raw, const system_fixture_t *f) {
    raw_peer_say_hello (raw, DW_WIRE_VERSION, DW_WIRE_CLIENT, dw_system_token (f->system), 0);
    return raw_peer_receive (raw) == DW_WIRE_WELCOME;
}

static void whoever_says_hello_again_and_again_has_one_place (void **state) {
    system_fixture_t *f = *state;
    f->options.clients_max = 3;
    raw_peer_open_system (f);
    raw_peer_t raw = raw_peer_connect (f);
    const uint8_t *token = dw_system_token (f->system);
    uint32_t peer = raw_peer_join (&raw, f);
    for (uint32_t i = 0; i < 50; i++) {
        uint32_t role = i % 2 ? DW_WIRE_CLIENT : DW_WIRE_WORKER;
        raw_peer_say_hello (&raw, DW_WIRE_VERSION, role, token, 0);
        raw_peer_expect_refused (&raw, 400, "has said HELLO already");
    }
    dw_client_t *third = system_fixture_client (f); /* the fixture's own is the second */
    dw_client_destroy (&third);
    /* It is still who it was. */
    dw_wire_submission_t record = {.run = 1,
                                   .payload = {.bytes = (const uint8_t *) "\xa3xyz", .size = 4}};
    dw_write_uint (&raw.out.head, DW_WIRE_SUBMIT);
    dw_write_uint (&raw.out.head, peer);
    wire_write_submission (&raw.out.head, &record, NULL);
    raw_peer_send (&raw);
    assert_int_equal (raw_peer_receive (&raw), DW_WIRE_RESULTS);
    raw_peer_disconnect (&raw);
    raw_peer_expect_served (f);
}

static void the_place_of_a_client_that_vanished_is_given_to_another (void **state) {
    system_fixture_t *f = *state;
    f->options.clients_max = 3;
    raw_peer_open_system (f);
    for (int i = 0; i < 20; i++) {
        raw_peer_t raw = raw_peer_connect (f);
        /* ZeroMQ may tell a little late that the one before is gone. */
        int64_t end_ms = now_ms () + 5000;
        while (!s_is_welcome (&raw, f) && now_ms () < end_ms)
            sleep_ms (50);
        assert_true (now_ms () < end_ms);
        raw_peer_disconnect (&raw); /* without a goodbye */
    }
    raw_peer_expect_served (f); /* whose place was not given away */
}

static void a_client_that_is_there_keeps_its_place_however_many_ask_for_it (void **state) {
    system_fixture_t *f = *state;
    f->options.clients_max = 2;
    raw_peer_open_system (f);
    dw_client_t *second = system_fixture_client (f);
    raw_peer_t raw = raw_peer_connect (f);
    for (int i = 0; i < 100; i++) {
        raw_peer_say_hello (&raw, DW_WIRE_VERSION, DW_WIRE_CLIENT, dw_system_token (f->system), 0);
        raw_peer_expect_refused (&raw, 503, "clients_max");
    }
    raw_peer_expect_served (f);
    dw_result_t *result = NULL;
    assert_null (dw_client_next (second)); /* what it was sent meanwhile is no result */
    assert_int_equal (dw_client_run_text (second, "abc", &result, f->error), DW_OK);
    expect_text (result, "last", "CBA");
    dw_result_destroy (&result);
    dw_client_destroy (&second);
    int64_t end_ms = now_ms () + 5000;
    while (!s_is_welcome (&raw, f) && now_ms () < end_ms) /* a goodbye frees a place */
        sleep_ms (10);
    assert_true (now_ms () < end_ms);
    raw_peer_disconnect (&raw);
}

int main (void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test (submissions_that_make_no_sense_are_refused_by_their_number),
        cmocka_unit_test (a_submission_that_is_refused_is_refused_alone),
        cmocka_unit_test (a_message_full_of_lies_is_not_answered_without_end),
        cmocka_unit_test (what_went_before_a_lie_in_one_message_still_runs),
        cmocka_unit_test (a_client_cannot_cancel_the_runs_of_another),
        cmocka_unit_test (a_client_that_vanishes_leaves_nothing_running_in_its_name),
        cmocka_unit_test (whoever_says_hello_again_and_again_has_one_place),
        cmocka_unit_test (the_place_of_a_client_that_vanished_is_given_to_another),
        cmocka_unit_test (a_client_that_is_there_keeps_its_place_however_many_ask_for_it),
    };
    return system_fixture_run ("clients that lie", tests);
}
