/* test_client.c - submitting runs, waiting for them, and what their results say: at every place. */

#include "tests/support/system_fixture.h"

#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <msgpack.h>

#include "runtime/wire.h"

#define LARGE_BYTES (1u << 20)

/* ---- Results ---------------------------------------------------------------------------------- */

static void a_run_gives_every_node_its_output (void **state) {
    system_fixture_t *f = *state;
    system_fixture_add (f, "last", "reverse_text", "middle");
    system_fixture_add (f, "first", "change_text_case_upper", "");
    system_fixture_add (f, "middle", "prefix_suffix_adder", "first");
    system_fixture_open (f);
    dw_result_t *result = system_fixture_run_text (f, "text");
    assert_int_equal (dw_result_status (result), DW_RUN_OK);
    assert_int_equal (dw_result_nodes_count (result), 3);
    expect_text (result, "first", "TEXT");
    expect_text (result, "middle", "[TEXT]");
    expect_text (result, "last", "]TXET[");
    static const char *const by_rank[] = {"first", "middle", "last"};
    for (int node = 0; node < 3; node++) {
        assert_string_equal (dw_result_id (result, node), by_rank[node]);
        assert_int_equal (dw_result_node_status (result, node), DW_NODE_DONE);
        assert_int_equal (dw_result_attempts (result, node), 1);
        assert_int_equal (dw_result_error_code (result, node), 0);
        assert_null (dw_result_error_message (result, node));
        assert_int_equal (dw_result_because_of_count (result, node), 0);
        assert_int_equal (dw_result_metadata_count (result, node), 0);
    }
    assert_int_equal (dw_result_failures_count (result), 0);
    assert_int_equal (dw_result_outputs_count (result), 1);
    assert_int_equal (dw_result_output_at (result, 0), 2);
    dw_result_destroy (&result);
    assert_null (result);
}

static void what_a_result_has_not_is_none (void **state) {
    system_fixture_t *f = *state;
    system_fixture_add (f, "only", "identity", "");
    system_fixture_open (f);
    dw_result_t *result = system_fixture_run_text (f, "text");
    const char *key, *value;
    size_t size = 1;
    assert_int_equal (dw_result_find (result, "other"), -1);
    for (int node = -1; node < 3; node += 2) {
        assert_null (dw_result_id (result, node));
        assert_null (dw_result_payload (result, node, &size));
        assert_int_equal (size, 0);
        assert_null (dw_result_text (result, node, NULL));
        assert_int_equal (dw_result_attempts (result, node), 0);
        assert_int_equal (dw_result_metadata_at (result, node, 0, &key, &value), DW_ENOENT);
    }
    assert_int_equal (dw_result_failure_at (result, 0), DW_ENOENT);
    assert_int_equal (dw_result_output_at (result, 1), DW_ENOENT);
    assert_int_equal (dw_result_because_of_at (result, 0, 0), DW_ENOENT);
    dw_result_destroy (&result);
    dw_result_destroy (&result);
}

static void an_empty_graph_gives_an_empty_result (void **state) {
    system_fixture_t *f = *state;
    system_fixture_open (f);
    for (int i = 0; i < 100; i++) {
        dw_result_t *result = system_fixture_run_text (f, "text");
        assert_int_equal (dw_result_status (result), DW_RUN_OK);
        assert_int_equal (dw_result_nodes_count (result), 0);
        assert_int_equal (dw_result_outputs_count (result), 0);
        dw_result_destroy (&result);
    }
}

static void a_node_reads_its_dependencies_by_name (void **state) {
    system_fixture_t *f = *state;
    system_fixture_add (f, "upper", "change_text_case_upper", "");
    system_fixture_add (f, "reverse", "reverse_text", "");
    int both = system_fixture_add (f, "both", "concat", "reverse upper");
    assert_int_equal (dw_graph_set_text (f->graph, both, "separator", "-"), DW_OK);
    system_fixture_open (f);
    system_fixture_expect_run (f, "abc", "both", "cba-ABC");
    system_fixture_expect_run (f, "", "both", "-");
    system_fixture_expect_run (f, "\xc3\xa4", "both", "\xc3\xa4-\xc3\x84");
}

static void metadata_arrives_in_the_order_of_its_keys (void **state) {
    system_fixture_t *f = *state;
    static const char *const expected[][2] = {
        {"char_count", "8"}, {"line_count", "2"}, {"word_count", "4"}};
    system_fixture_add (f, "count", "token_counter", "");
    system_fixture_add (f, "text", "identity", "count");
    system_fixture_open (f);
    dw_result_t *result = system_fixture_run_text (f, "a bc\nd e");
    int node = dw_result_find (result, "count");
    const char *key, *value;
    assert_int_equal (dw_result_metadata_count (result, node), 3);
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal (dw_result_metadata_at (result, node, i, &key, &value), DW_OK);
        assert_string_equal (key, expected[i][0]);
        assert_string_equal (value, expected[i][1]);
    }
    expect_text (result, "count", "");
    expect_text (result, "text", "a bc\nd e"); /* an analyzer is nobody's payload */
    dw_result_destroy (&result);
}

static int s_set_metadata (dw_call_t *call, void *arg) {
    (void) arg;
    char key[32];
    for (int i = 99; i >= 0; i--) {
        snprintf (key, sizeof key, "key %02d", i);
        if (dw_call_set_metadata (call, key, "before") || dw_call_set_metadata (call, key, key + 4))
            return 500;
    }
    return dw_call_set_payload (call);
}

static int s_read_metadata (dw_call_t *call, void *arg) {
    (void) arg;
    size_t size;
    const char *value = dw_call_dependency_metadata (call, 0, "key 42", &size);
    if (!value || dw_call_dependency_metadata (call, 0, "key", NULL) ||
        dw_call_dependency_metadata (call, 1, "key 42", NULL))
        return dw_call_fail (call, 400, "not the metadata that was set");
    return dw_call_set_text (call, value, size);
}

static void a_node_reads_the_metadata_of_its_dependencies (void **state) {
    system_fixture_t *f = *state;
    system_fixture_add_function (f, "set", s_set_metadata, NULL);
    system_fixture_add_function (f, "read", s_read_metadata, NULL);
    system_fixture_add (f, "writer", "set", "");
    system_fixture_add (f, "reader", "read", "writer");
    system_fixture_open (f);
    dw_result_t *result = system_fixture_run_text (f, "text");
    expect_text (result, "reader", "42");
    const char *key, *value;
    assert_int_equal (dw_result_metadata_count (result, 0), 100);
    for (size_t i = 0; i < 100; i++) {
        assert_int_equal (dw_result_metadata_at (result, 0, i, &key, &value), DW_OK);
        assert_int_equal (atoi (key + 4), i);
        assert_string_equal (value, key + 4); /* the later one of two */
    }
    dw_result_destroy (&result);
}

/* ---- Payloads --------------------------------------------------------------------------------- */

static dw_result_t *s_run_payload (system_fixture_t *f, const dw_submission_t *submission) {
    uint64_t run;
    int err = dw_client_submit (f->client, submission, &run, f->error);
    if (err)
        fail_msg ("not submitted: %s", dw_error_text (f->error));
    return system_fixture_wait (f, run);
}

static void s_expect_payload (const dw_result_t *result, int node, const void *expected,
                              size_t expected_size) {
    size_t size;
    const void *payload = dw_result_payload (result, node, &size);
    assert_non_null (payload);
    assert_int_equal (size, expected_size);
    assert_memory_equal (payload, expected, size);
}

static void text_that_is_utf_8_travels_as_a_str_and_other_bytes_as_a_bin (void **state) {
    system_fixture_t *f = *state;
    system_fixture_add (f, "same", "identity", "");
    system_fixture_open (f);
    static const struct {
        const char *text, *value;
        size_t text_size, value_size;
    } forms[] = {{"", "\xa0", 0, 1},
                 {"a",
                  "\xa1"
                  "a",
                  1, 2},
                 {"a\0b",
                  "\xa3"
                  "a\0b",
                  3, 4},
                 {"\xc3\xa4", "\xa2\xc3\xa4", 2, 3},
                 {"\xc3", "\xc4\x01\xc3", 1, 3},
                 {"\xff\x00\xfe", "\xc4\x03\xff\x00\xfe", 3, 5}};
    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++) {
        dw_submission_t submission = {
            .payload = forms[i].text, .size = forms[i].text_size, .is_text = true, .wait_ms = -1};
        size_t size;
        dw_result_t *result = s_run_payload (f, &submission);
        s_expect_payload (result, 0, forms[i].value, forms[i].value_size);
        const char *text = dw_result_text (result, 0, &size);
        assert_int_equal (size, forms[i].text_size);
        assert_memory_equal (text, forms[i].text, size);
        dw_result_destroy (&result);
    }
}

/* Doubles every integer of an array. */
static int s_double_all (dw_call_t *call, void *arg) {
    (void) arg;
    const msgpack_object *value = dw_call_value (call);
    if (!value || value->type != MSGPACK_OBJECT_ARRAY || dw_call_text (call, NULL))
        return dw_call_fail (call, 400, "not an array");
    msgpack_sbuffer buffer;
    msgpack_packer packer;
    msgpack_sbuffer_init (&buffer);
    msgpack_packer_init (&packer, &buffer, msgpack_sbuffer_write);
    msgpack_pack_array (&packer, value->via.array.size);
    for (uint32_t i = 0; i < value->via.array.size; i++)
        msgpack_pack_int64 (&packer, 2 * value->via.array.ptr[i].via.i64);
    int err = dw_call_set_value (call, buffer.data, buffer.size);
    msgpack_sbuffer_destroy (&buffer);
    return err ? 500 : 0;
}

static void structured_values_travel_as_they_are (void **state) {
    system_fixture_t *f = *state;
    static const uint8_t small[] = {0x93, 1, 2, 0xff}, doubled[] = {0x93, 2, 4, 0xfe};
    system_fixture_add_function (f, "double_all", s_double_all, NULL);
    system_fixture_add (f, "a", "double_all", "");
    system_fixture_add (f, "same", "identity", "a");
    system_fixture_open (f);
    dw_submission_t submission = {.payload = small, .size = sizeof small, .wait_ms = -1};
    dw_result_t *result = s_run_payload (f, &submission);
    s_expect_payload (result, 0, doubled, sizeof doubled);
    s_expect_payload (result, 1, doubled, sizeof doubled);
    assert_null (dw_result_text (result, 0, NULL));
    dw_result_destroy (&result);
    /* One that is larger than what travels inside of a head. */
    static uint8_t large[20003] = {0xdc, 20000 >> 8, 20000 & 0xff};
    memset (large + 3, 5, 20000);
    submission.payload = large;
    submission.size = sizeof large;
    result = s_run_payload (f, &submission);
    memset (large + 3, 10, 20000);
    s_expect_payload (result, 1, large, sizeof large);
    dw_result_destroy (&result);
}

static void payloads_of_every_size_arrive_whole (void **state) {
    system_fixture_t *f = *state;
    static const size_t sizes[] = {18, 19, 20, 21, 510, 511, 512, 513, 4096, 70000, 3000000};
    char *text = malloc (sizes[10]);
    assert_non_null (text);
    for (size_t i = 0; i < sizes[10]; i++)
        text[i] = (char) ('a' + i * 7919 % 26);
    system_fixture_add (f, "a", "identity", "");
    system_fixture_add (f, "b", "reverse_text", "a");
    system_fixture_add (f, "c", "reverse_text", "b");
    system_fixture_open (f);
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        size_t size;
        dw_submission_t submission = {
            .payload = text, .size = sizes[i], .is_text = true, .wait_ms = -1};
        dw_result_t *result = s_run_payload (f, &submission);
        for (int node = 0; node < 3; node += 2) {
            const char *output = dw_result_text (result, node, &size);
            assert_int_equal (size, sizes[i]);
            assert_memory_equal (output, text, size);
        }
        assert_int_equal (dw_result_text (result, 1, &size)[0], text[sizes[i] - 1]);
        dw_result_destroy (&result);
    }
    free (text);
}

/* Notes where its payload lies, and passes it on. */
static int s_note_place (dw_call_t *call, void *arg) {
    const char **places = arg;
    size_t size;
    places[dw_call_node_number (call)] = dw_call_text (call, &size);
    return size == LARGE_BYTES && dw_call_set_payload (call) == DW_OK ? 0 : 500;
}

static void a_large_payload_is_passed_along_a_hundred_nodes_without_a_copy (void **state) {
    system_fixture_t *f = *state;
    const char *places[100] = {NULL};
    char id[16], before[16] = "";
    char *text = malloc (LARGE_BYTES);
    assert_non_null (text);
    memset (text, 'x', LARGE_BYTES);
    system_fixture_add_function (f, "note", s_note_place, places);
    for (int i = 0; i < 100; i++) {
        snprintf (id, sizeof id, "n%d", i);
        system_fixture_add (f, id, "note", before);
        memcpy (before, id, sizeof id);
    }
    system_fixture_open (f);
    dw_submission_t submission = {
        .payload = text, .size = LARGE_BYTES, .is_text = true, .wait_ms = -1};
    dw_result_t *result = s_run_payload (f, &submission);
    assert_int_equal (dw_result_status (result), DW_RUN_OK);
    size_t size;
    const char *output = dw_result_text (result, 99, &size);
    assert_int_equal (size, LARGE_BYTES);
    assert_memory_equal (output, text, LARGE_BYTES);
    for (int i = 0; i < 100; i++)
        assert_non_null (places[i]);
    if (!f->place->transport) /* to the client, too */
        for (int i = 0; i < 100; i++) {
            assert_ptr_equal (places[i], output);
            assert_ptr_equal (dw_result_text (result, i, NULL), output);
        }
    dw_result_destroy (&result);
    free (text);
}

static void an_input_as_large_as_allowed_runs_and_one_byte_more_is_refused (void **state) {
    system_fixture_t *f = *state;
    static const char text[200] = {'x'};
    uint8_t value[101] = {0xc4, 98};
    system_fixture_options (f)->max_payload_bytes = 100;
    system_fixture_add (f, "same", "identity", "");
    system_fixture_open (f);
    /* A str of 98 bytes takes 100 with its head. */
    for (size_t size = 96; size <= 103; size++) {
        uint64_t run;
        dw_submission_t submission = {.payload = text, .size = size, .is_text = true};
        int err = dw_client_submit (f->client, &submission, &run, f->error);
        assert_int_equal (err, size <= 98 ? DW_OK : DW_ETOOLARGE);
        if (err)
            continue;
        dw_result_t *result = system_fixture_wait (f, run);
        assert_int_equal (dw_result_status (result), DW_RUN_OK);
        dw_result_destroy (&result);
    }
    expect_message (f->error, "max_payload_bytes");
    dw_submission_t submission = {.payload = value, .size = 100};
    dw_result_t *result = s_run_payload (f, &submission);
    s_expect_payload (result, 0, value, 100);
    dw_result_destroy (&result);
    value[1] = 99;
    submission.size = 101;
    assert_int_equal (dw_client_submit (f->client, &submission, NULL, NULL), DW_ETOOLARGE);
    system_fixture_expect_run (f, "then", "same", "then");
}

static void a_submission_that_makes_no_sense_is_refused_and_changes_nothing (void **state) {
    system_fixture_t *f = *state;
    static const char *const unknown[] = {"same", "nobody"}, *const many[] = {"same", "same"};
    system_fixture_add (f, "same", "identity", "");
    system_fixture_add (f, "other", "identity", "");
    system_fixture_open (f);
    static const struct {
        const char *value;
        size_t size;
    } wrong[] = {{"", 0}, {"\xa2x", 2}, {"\xa1xy", 3}, {"\xc1", 1}, {"\xdd\xff\xff\xff\xff", 5}};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        dw_submission_t submission = {.payload = wrong[i].value, .size = wrong[i].size};
        assert_int_equal (dw_client_submit (f->client, &submission, NULL, f->error), DW_EPROTOCOL);
    }
    expect_message (f->error, "not exactly one msgpack value");
    dw_submission_t submission = {.payload = "\xa1x", .size = 2};
    submission.outputs = unknown;
    submission.outputs_count = 2;
    assert_int_equal (dw_client_submit (f->client, &submission, NULL, f->error), DW_ENOENT);
    expect_message (f->error, "\"nobody\"");
    submission.outputs_count = 3;
    assert_int_equal (dw_client_submit (f->client, &submission, NULL, f->error), DW_EINVAL);
    assert_int_equal (dw_client_in_flight (f->client), 0);
    assert_int_equal (system_fixture_submit (f, "text"), 1); /* no number was used up */
    assert_int_equal (dw_client_wait_all (f->client, 20000), DW_OK);
    submission.outputs = many;
    submission.outputs_count = 2;
    dw_result_t *result = s_run_payload (f, &submission);
    assert_int_equal (dw_result_status (result), DW_RUN_OK);
    expect_text (result, "same", "x");
    expect_status (result, "other", DW_NODE_NOT_REQUESTED);
    dw_result_destroy (&result);
}

/* ---- Requested outputs ------------------------------------------------------------------------ */

static int s_count_call (dw_call_t *call, void *arg) {
    atomic_uint *counts = arg;
    atomic_fetch_add (&counts[dw_call_node_number (call)], 1);
    return dw_call_set_payload (call);
}

static void just_the_ancestors_of_requested_outputs_run (void **state) {
    system_fixture_t *f = *state;
    atomic_uint counts[6] = {0};
    static const char *const wanted[] = {"c", "a"};
    system_fixture_add_function (f, "count", s_count_call, counts);
    system_fixture_add (f, "a", "count", "");
    system_fixture_add (f, "aside", "count", "");
    system_fixture_add (f, "b", "count", "a");
    system_fixture_add (f, "beside", "count", "a aside");
    system_fixture_add (f, "c", "count", "b");
    system_fixture_add (f, "after", "count", "c beside");
    system_fixture_open (f);
    dw_submission_t submission = {.payload = "text",
                                  .size = 4,
                                  .is_text = true,
                                  .outputs = wanted,
                                  .outputs_count = 2,
                                  .wait_ms = -1};
    dw_result_t *result = s_run_payload (f, &submission);
    assert_int_equal (dw_result_status (result), DW_RUN_OK);
    expect_text (result, "a", "text");
    expect_text (result, "c", "text");
    expect_status (result, "b", DW_NODE_DONE);
    assert_null (dw_result_payload (result, dw_result_find (result, "b"), NULL));
    static const char *const not_wanted[] = {"aside", "beside", "after"};
    for (size_t i = 0; i < 3; i++) {
        int node = dw_result_find (result, not_wanted[i]);
        expect_status (result, not_wanted[i], DW_NODE_NOT_REQUESTED);
        assert_null (dw_result_payload (result, node, NULL));
        assert_int_equal (dw_result_attempts (result, node), 0);
        assert_int_equal (atomic_load (&counts[node]), 0);
    }
    assert_int_equal (dw_result_outputs_count (result), 2);
    assert_string_equal (dw_result_id (result, dw_result_output_at (result, 0)), "c");
    assert_string_equal (dw_result_id (result, dw_result_output_at (result, 1)), "a");
    dw_result_destroy (&result);
    system_fixture_expect_run (f, "all", "after", "all");
}

/* ---- Waiting ---------------------------------------------------------------------------------- */

static void a_result_is_given_once (void **state) {
    system_fixture_t *f = *state;
    dw_result_t *result = NULL;
    system_fixture_add (f, "same", "identity", "");
    system_fixture_open (f);
    uint64_t run = system_fixture_submit (f, "text");
    assert_int_equal (run, 1);
    assert_int_equal (dw_client_wait (f->client, run + 1, 0, &result), DW_ENOENT);
    assert_int_equal (dw_client_wait (f->client, 0, 0, &result), DW_ENOENT);
    result = system_fixture_wait (f, run);
    dw_result_destroy (&result);
    assert_int_equal (dw_client_wait (f->client, run, -1, &result), DW_ENOENT);
    assert_int_equal (dw_client_wait_any (f->client, NULL, 0, -1, &result), DW_ENOENT);
    assert_int_equal (dw_client_wait_all (f->client, -1), DW_OK);
    assert_null (dw_client_next (f->client));
    assert_null (result);
}

static void waiting_ends_when_its_time_has_passed (void **state) {
    system_fixture_t *f = *state;
    dw_result_t *result = NULL;
    gate_t *gate = system_fixture_add_gate (f, "gate", gate_deaf);
    system_fixture_add (f, "gate", "gate", "");
    system_fixture_open (f);
    uint64_t run = system_fixture_submit (f, "text");
    int64_t begin_ms = now_ms ();
    assert_int_equal (dw_client_wait (f->client, run, 30, &result), DW_ETIMEDOUT);
    assert_int_equal (dw_client_wait_any (f->client, &run, 1, 30, &result), DW_ETIMEDOUT);
    assert_int_equal (dw_client_wait_any (f->client, NULL, 0, 30, &result), DW_ETIMEDOUT);
    assert_int_equal (dw_client_wait_all (f->client, 30), DW_ETIMEDOUT);
    assert_in_range (now_ms () - begin_ms, 119, 2000);
    assert_int_equal (dw_client_wait (f->client, run, 0, &result), DW_ETIMEDOUT);
    assert_null (dw_client_next (f->client));
    assert_int_equal (dw_client_in_flight (f->client), 1);
    gate_let (gate, 1);
    result = system_fixture_wait (f, run);
    expect_text (result, "gate", "text");
    dw_result_destroy (&result);
    assert_int_equal (dw_client_in_flight (f->client), 0);
}

static void waiting_for_any_gives_one_that_was_named (void **state) {
    system_fixture_t *f = *state;
    system_fixture_add (f, "same", "identity", "");
    system_fixture_open (f);
    uint64_t runs[20];
    char text[24];
    for (int i = 0; i < 20; i++) {
        snprintf (text, sizeof text, "text %d", i);
        runs[i] = system_fixture_submit (f, text);
    }
    /* Backwards, two at a time, each once. */
    for (int left = 20; left > 0; left -= 2)
        for (int i = 0; i < 2; i++) {
            dw_result_t *result = NULL;
            assert_int_equal (dw_client_wait_any (f->client, &runs[left - 2], 2, 20000, &result),
                              DW_OK);
            uint64_t run = dw_result_run (result);
            assert_true (run == runs[left - 2] || run == runs[left - 1]);
            snprintf (text, sizeof text, "text %d", (int) run - 1);
            expect_text (result, "same", text);
            dw_result_destroy (&result);
        }
    dw_result_t *none = NULL;
    assert_int_equal (dw_client_wait_any (f->client, runs, 20, -1, &none), DW_ENOENT);
}

static void waiting_for_all_leaves_the_results_to_be_taken (void **state) {
    system_fixture_t *f = *state;
    system_fixture_add (f, "same", "identity", "");
    system_fixture_open (f);
    for (int i = 0; i < 100; i++)
        system_fixture_submit (f, "text");
    assert_int_equal (dw_client_wait_all (f->client, 20000), DW_OK);
    assert_int_equal (dw_client_in_flight (f->client), 0);
    int taken = 0;
    for (dw_result_t *result; (result = dw_client_next (f->client)); taken++)
        dw_result_destroy (&result);
    assert_int_equal (taken, 100);
}

static void results_outlive_their_client_and_their_system (void **state) {
    system_fixture_t *f = *state;
    system_fixture_add (f, "count", "token_counter", "");
    system_fixture_add (f, "same", "identity", "count");
    system_fixture_open (f);
    dw_result_t *small = system_fixture_run_text (f, "text");
    char *text = calloc (1, LARGE_BYTES + 1);
    assert_non_null (text);
    memset (text, 'y', LARGE_BYTES);
    dw_result_t *large = system_fixture_run_text (f, text);
    system_fixture_close (f);
    expect_text (small, "same", "text");
    expect_text (large, "same", text);
    assert_int_equal (dw_result_metadata_count (large, 0), 3);
    dw_result_destroy (&small);
    dw_result_destroy (&large);
    free (text);
}

static void a_client_outlives_its_system_and_says_that_it_is_closed (void **state) {
    system_fixture_t *f = *state;
    system_fixture_add (f, "same", "identity", "");
    system_fixture_open (f);
    dw_result_t *result = NULL;
    uint64_t done = system_fixture_submit (f, "text");
    assert_int_equal (dw_client_wait_all (f->client, 20000), DW_OK);
    int64_t begin_ms = now_ms ();
    assert_int_equal (dw_system_close (&f->system, -1, f->error), DW_OK);
    assert_in_range (now_ms () - begin_ms, 0, 2000); /* it does not wait for clients to go */
    dw_submission_t submission = {.payload = "\xa1x", .size = 2, .wait_ms = -1};
    assert_int_equal (dw_client_submit (f->client, &submission, NULL, f->error), DW_ECLOSED);
    assert_int_equal (dw_client_wait (f->client, done, 0, &result), DW_OK); /* it was there */
    expect_text (result, "same", "text");
    dw_result_destroy (&result);
    assert_null (dw_client_next (f->client));
    assert_int_equal (dw_client_cancel (f->client, done), DW_ENOENT);
    dw_client_destroy (&f->client);
}

static void closing_tells_a_client_that_waits (void **state) {
    system_fixture_t *f = *state;
    gate_t *gate = system_fixture_add_gate (f, "gate", gate_polite);
    system_fixture_add (f, "gate", "gate", "");
    system_fixture_open (f);
    uint64_t run = system_fixture_submit (f, "text");
    assert_true (gate_wait_entered (gate, 1));
    assert_int_equal (dw_system_close (&f->system, -1, f->error), DW_OK);
    assert_int_equal (atomic_load (&gate->cancelled), 1);
    /* Its run was cancelled; the result may have come before the end, or not. */
    dw_result_t *result = NULL;
    int err = dw_client_wait (f->client, run, -1, &result);
    assert_true (err == DW_ECLOSED ||
                 (err == DW_OK && dw_result_status (result) == DW_RUN_CANCELLED));
    dw_result_destroy (&result);
    dw_client_destroy (&f->client);
}

/* ---- Many runs -------------------------------------------------------------------------------- */

static void a_run_beyond_runs_max_is_refused_at_once_or_waits (void **state) {
    system_fixture_t *f = *state;
    f->options.runs_max = 3;
    gate_t *gate = system_fixture_add_gate (f, "gate", gate_deaf);
    system_fixture_add (f, "gate", "gate", "");
    system_fixture_open (f);
    dw_submission_t submission = {.payload = "\xa1x", .size = 2};
    for (int i = 0; i < 3; i++)
        assert_int_equal (dw_client_submit (f->client, &submission, NULL, f->error), DW_OK);
    assert_int_equal (dw_client_submit (f->client, &submission, NULL, f->error), DW_EAGAIN);
    expect_message (f->error, "runs_max");
    submission.wait_ms = 40;
    int64_t begin_ms = now_ms ();
    assert_int_equal (dw_client_submit (f->client, &submission, NULL, f->error), DW_EAGAIN);
    assert_in_range (now_ms () - begin_ms, 39, 2000);
    assert_int_equal (dw_client_in_flight (f->client), 3);
    gate_let (gate, 1);
    submission.wait_ms = -1;
    uint64_t run = 0;
    assert_int_equal (dw_client_submit (f->client, &submission, &run, f->error), DW_OK);
    assert_int_equal (run, 4);
    gate_open (gate);
    assert_int_equal (dw_client_wait_all (f->client, 20000), DW_OK);
    submission.wait_ms = 0;
    assert_int_equal (dw_client_submit (f->client, &submission, &run, f->error), DW_OK);
    dw_result_t *result = system_fixture_wait (f, run);
    expect_text (result, "gate", "x");
    dw_result_destroy (&result);
}

static void a_client_more_than_clients_max_is_refused (void **state) {
    system_fixture_t *f = *state;
    f->options.clients_max = 2;
    system_fixture_add (f, "same", "identity", "");
    system_fixture_open (f);
    dw_client_t *second = system_fixture_client (f), *third = NULL;
    assert_int_equal (dw_client_new (&third, f->system, f->error), DW_EAGAIN);
    expect_message (f->error, "clients_max");
    assert_null (third);
    dw_client_destroy (&second);
    /* Its place is free as soon as its goodbye has come. */
    int err = DW_EAGAIN;
    for (int64_t end_ms = now_ms () + 20000; err == DW_EAGAIN && now_ms () < end_ms;)
        err = dw_client_new (&third, f->system, NULL);
    assert_int_equal (err, DW_OK);
    dw_client_destroy (&third);
    system_fixture_expect_run (f, "text", "same", "text");
}

/* A client of its own, so many runs in flight at once, each with its own right answer. */
typedef struct s_caller_t {
    pthread_t thread;
    dw_system_t *system;
    int number, runs;
    const char *failed; /* what went wrong; NULL: nothing */
} s_caller_t;

static const char *s_check_answer (const dw_result_t *result, int number) {
    char expected[64];
    size_t size;
    snprintf (expected, sizeof expected, "<CALLER %d RUN %llu>", number,
              (unsigned long long) dw_result_run (result));
    const char *text = dw_result_text (result, dw_result_find (result, "last"), &size);
    if (dw_result_status (result) != DW_RUN_OK || !text)
        return "a run is not ok";
    return size == strlen (expected) && !memcmp (text, expected, size) ? NULL : "a wrong answer";
}

static void *s_call (void *args) {
    s_caller_t *self = args;
    dw_client_t *client = NULL;
    char text[64];
    if (dw_client_new (&client, self->system, NULL))
        self->failed = "no client";
    for (int i = 1; i <= self->runs && !self->failed; i++) {
        snprintf (text, sizeof text, "caller %d run %d", self->number, i);
        dw_submission_t submission = {
            .payload = text, .size = strlen (text), .is_text = true, .wait_ms = 0};
        uint64_t run;
        if (dw_client_submit (client, &submission, &run, NULL) || run != (uint64_t) i)
            self->failed = "not submitted";
    }
    if (!self->failed && dw_client_wait_all (client, 60000))
        self->failed = "not all runs ended";
    int taken = 0;
    for (dw_result_t *result; !self->failed && (result = dw_client_next (client)); taken++) {
        self->failed = s_check_answer (result, self->number);
        dw_result_destroy (&result);
    }
    if (!self->failed && taken != self->runs)
        self->failed = "not every run has a result";
    dw_client_destroy (&client);
    return NULL;
}

static void thousands_of_runs_of_four_clients_in_flight_each_get_their_answer (void **state) {
    system_fixture_t *f = *state;
    s_caller_t callers[4];
    f->options.runs_max = 1250;
    system_fixture_add (f, "upper", "change_text_case_upper", "");
    int last = system_fixture_add (f, "last", "prefix_suffix_adder", "upper");
    dw_graph_set_text (f->graph, last, "prefix", "<");
    dw_graph_set_text (f->graph, last, "suffix", ">");
    system_fixture_open (f);
    for (int i = 0; i < 4; i++) {
        callers[i] = (s_caller_t){.system = f->system, .number = i, .runs = 1250};
        assert_int_equal (pthread_create (&callers[i].thread, NULL, s_call, &callers[i]), 0);
    }
    for (int i = 0; i < 4; i++)
        pthread_join (callers[i].thread, NULL);
    for (int i = 0; i < 4; i++)
        if (callers[i].failed)
            fail_msg ("caller %d: %s", i, callers[i].failed);
}

static void whoever_polls_the_descriptor_misses_no_result (void **state) {
    system_fixture_t *f = *state;
    system_fixture_add (f, "same", "identity", "");
    system_fixture_open (f);
    struct pollfd item = {.fd = dw_client_fd (f->client), .events = POLLIN};
    assert_true (item.fd >= 0);
    int submitted = 0, ended = 0;
    while (ended < 3000) {
        /* A few at a time, then as many as there are, then none: every way to be asleep. */
        for (int i = 0; submitted < 3000 && submitted - ended < 1 + ended % 7; i++, submitted++)
            system_fixture_submit (f, "text");
        dw_result_t *result;
        while ((result = dw_client_next (f->client))) {
            assert_int_equal (dw_result_status (result), DW_RUN_OK);
            dw_result_destroy (&result);
            ended++;
        }
        if (ended < submitted && poll (&item, 1, 20000) != 1)
            fail_msg ("asleep with %d of %d runs ended", ended, submitted);
    }
    assert_int_equal (dw_client_in_flight (f->client), 0);
}

/* ---- Cancelling ------------------------------------------------------------------------------- */

static void a_run_is_cancelled_before_it_starts (void **state) {
    system_fixture_t *f = *state;
    system_fixture_options (f)->max_concurrency = 1;
    gate_t *gate = system_fixture_add_gate (f, "gate", gate_deaf);
    system_fixture_add (f, "gate", "gate", "");
    system_fixture_add (f, "after", "identity", "gate");
    system_fixture_open (f);
    uint64_t first = system_fixture_submit (f, "first");
    assert_true (gate_wait_entered (gate, 1));
    uint64_t second = system_fixture_submit (f, "second");
    assert_int_equal (dw_client_cancel (f->client, second), DW_OK);
    dw_result_t *result = system_fixture_wait (f, second);
    assert_int_equal (dw_result_status (result), DW_RUN_CANCELLED);
    expect_status (result, "gate", DW_NODE_CANCELLED);
    expect_status (result, "after", DW_NODE_CANCELLED);
    assert_int_equal (dw_result_failures_count (result), 0);
    dw_result_destroy (&result);
    assert_int_equal (atomic_load (&gate->entered), 1);
    gate_open (gate);
    result = system_fixture_wait (f, first);
    assert_int_equal (dw_result_status (result), DW_RUN_OK);
    expect_text (result, "after", "first");
    dw_result_destroy (&result);
    system_fixture_expect_run (f, "third", "after", "third");
}

static void a_processor_that_asks_stops_soon_after_its_run_is_cancelled (void **state) {
    system_fixture_t *f = *state;
    gate_t *gate = system_fixture_add_gate (f, "gate", gate_polite);
    system_fixture_add (f, "before", "identity", "");
    system_fixture_add (f, "gate", "gate", "before");
    system_fixture_add (f, "after", "identity", "gate");
    system_fixture_open (f);
    for (unsigned i = 1; i <= 20; i++) {
        uint64_t run = system_fixture_submit (f, "text");
        assert_true (gate_wait_entered (gate, i));
        int64_t begin_ms = now_ms ();
        assert_int_equal (dw_client_cancel (f->client, run), DW_OK);
        dw_result_t *result = system_fixture_wait (f, run);
        assert_int_equal (dw_result_status (result), DW_RUN_CANCELLED);
        expect_status (result, "before", DW_NODE_DONE);
        expect_text (result, "before", "text");
        expect_status (result, "gate", DW_NODE_CANCELLED);
        expect_status (result, "after", DW_NODE_CANCELLED);
        dw_result_destroy (&result);
        assert_true (gate_wait_left (gate, i));
        assert_in_range (now_ms () - begin_ms, 0, 1000);
        assert_int_equal (atomic_load (&gate->cancelled), i);
    }
    gate_open (gate);
    system_fixture_expect_run (f, "then", "after", "then");
    expect_no_notice (f);
}

static void a_run_that_has_ended_cannot_be_cancelled (void **state) {
    system_fixture_t *f = *state;
    system_fixture_add (f, "same", "identity", "");
    system_fixture_open (f);
    uint64_t run = system_fixture_submit (f, "text");
    assert_int_equal (dw_client_wait_all (f->client, 20000), DW_OK);
    assert_int_equal (dw_client_cancel (f->client, run), DW_ENOENT);
    assert_int_equal (dw_client_cancel (f->client, run + 1), DW_ENOENT);
    assert_int_equal (dw_client_cancel (f->client, 0), DW_ENOENT);
    dw_result_t *result = system_fixture_wait (f, run);
    assert_int_equal (dw_result_status (result), DW_RUN_OK);
    dw_result_destroy (&result);
    assert_int_equal (dw_client_cancel (f->client, run), DW_ENOENT);
}

static void runs_cancelled_at_any_moment_end_once_and_the_others_are_right (void **state) {
    system_fixture_t *f = *state;
    system_fixture_add (f, "upper", "change_text_case_upper", "");
    system_fixture_add (f, "last", "reverse_text", "upper");
    system_fixture_open (f);
    int ended = 0, cancelled = 0;
    for (int round = 0; round < 20; round++) {
        uint64_t runs[40];
        for (int i = 0; i < 40; i++) {
            runs[i] = system_fixture_submit (f, "abc");
            if (i % 3 == 1)
                dw_client_cancel (f->client, runs[i - round % (i + 1)]);
        }
        assert_int_equal (dw_client_wait_all (f->client, 20000), DW_OK);
        for (dw_result_t *result; (result = dw_client_next (f->client)); ended++) {
            if (dw_result_status (result) == DW_RUN_CANCELLED)
                cancelled++;
            else
                expect_text (result, "last", "CBA");
            dw_result_destroy (&result);
        }
    }
    assert_int_equal (ended, 800);
    assert_in_range (cancelled, 0, 280);
}

static void destroying_a_client_cancels_its_runs (void **state) {
    system_fixture_t *f = *state;
    gate_t *gate = system_fixture_add_gate (f, "gate", gate_polite);
    system_fixture_add (f, "gate", "gate", "");
    system_fixture_open (f);
    dw_client_t *other = system_fixture_client (f);
    dw_submission_t submission = {.payload = "\xa1x", .size = 2};
    assert_int_equal (dw_client_submit (other, &submission, NULL, NULL), DW_OK);
    assert_true (gate_wait_entered (gate, 1));
    dw_client_destroy (&other);
    assert_true (gate_wait_left (gate, 1));
    assert_int_equal (atomic_load (&gate->cancelled), 1);
    gate_open (gate);
    system_fixture_expect_run (f, "text", "gate", "text");
}

int main (void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test (a_run_gives_every_node_its_output),
        cmocka_unit_test (what_a_result_has_not_is_none),
        cmocka_unit_test (an_empty_graph_gives_an_empty_result),
        cmocka_unit_test (a_node_reads_its_dependencies_by_name),
        cmocka_unit_test (metadata_arrives_in_the_order_of_its_keys),
        cmocka_unit_test (a_node_reads_the_metadata_of_its_dependencies),
        cmocka_unit_test (text_that_is_utf_8_travels_as_a_str_and_other_bytes_as_a_bin),
        cmocka_unit_test (structured_values_travel_as_they_are),
        cmocka_unit_test (payloads_of_every_size_arrive_whole),
        cmocka_unit_test (a_large_payload_is_passed_along_a_hundred_nodes_without_a_copy),
        cmocka_unit_test (an_input_as_large_as_allowed_runs_and_one_byte_more_is_refused),
        cmocka_unit_test (a_submission_that_makes_no_sense_is_refused_and_changes_nothing),
        cmocka_unit_test (just_the_ancestors_of_requested_outputs_run),
        cmocka_unit_test (a_result_is_given_once),
        cmocka_unit_test (waiting_ends_when_its_time_has_passed),
        cmocka_unit_test (waiting_for_any_gives_one_that_was_named),
        cmocka_unit_test (waiting_for_all_leaves_the_results_to_be_taken),
        cmocka_unit_test (results_outlive_their_client_and_their_system),
        cmocka_unit_test (a_client_outlives_its_system_and_says_that_it_is_closed),
        cmocka_unit_test (closing_tells_a_client_that_waits),
        cmocka_unit_test (a_run_beyond_runs_max_is_refused_at_once_or_waits),
        cmocka_unit_test (a_client_more_than_clients_max_is_refused),
        cmocka_unit_test (thousands_of_runs_of_four_clients_in_flight_each_get_their_answer),
        cmocka_unit_test (whoever_polls_the_descriptor_misses_no_result),
        cmocka_unit_test (a_run_is_cancelled_before_it_starts),
        cmocka_unit_test (a_processor_that_asks_stops_soon_after_its_run_is_cancelled),
        cmocka_unit_test (a_run_that_has_ended_cannot_be_cancelled),
        cmocka_unit_test (runs_cancelled_at_any_moment_end_once_and_the_others_are_right),
        cmocka_unit_test (destroying_a_client_cancels_its_runs),
    };
    return system_fixture_run ("clients and results", tests);
}
