/* test_result.c - what a run's result says, and payloads of every form on their way: at every
 * place. */

#include "tests/support/system_fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <msgpack.h>
#include <unistr.h>

#include "runtime/payload.h"
#include "tests/support/random.h"

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

/* Of characters of one to four bytes and, in half of the texts, a byte that makes it none
 * somewhere. */
static void what_is_utf_8_is_found_out_wherever_it_is_not (void **state) {
    static const char *const characters[] = {
        "x", "y", " ", "\xc3\xa4", "\xe2\x82\xac", "\xf0\x9f\x98\x80"};
    static const char wrong[] = {'\x80', '\xc3', '\xe2', '\xf0', '\xff', '\xc0'};
    system_fixture_t *f = *state;
    random_t random = random_from (random_seed ());
    system_fixture_add (f, "same", "identity", "");
    system_fixture_open (f);
    for (int i = 0; i < 2000; i++) {
        char text[300];
        size_t size = 0, payload_size, most = random_below (&random, 280);
        uint32_t kinds = random_one_in (&random, 2) ? 6 : 3, rare = 1 + random_below (&random, 50);
        while (size < most) {
            uint32_t kind = random_below (&random, random_one_in (&random, rare) ? kinds : 3);
            memcpy (text + size, characters[kind], strlen (characters[kind]));
            size += strlen (characters[kind]);
        }
        if (size > 0 && random_one_in (&random, 2))
            text[random_below (&random, (uint32_t) size)] = wrong[random_below (&random, 6)];
        dw_submission_t submission = {
            .payload = text, .size = size, .is_text = true, .wait_ms = -1};
        dw_result_t *result = s_run_payload (f, &submission);
        const void *payload = dw_result_payload (result, 0, &payload_size);
        assert_int_equal (dw_payload_is_text (payload, payload_size),
                          size == 0 || !u8_check ((const uint8_t *) text, size));
        const char *got = dw_result_text (result, 0, &payload_size);
        assert_int_equal (payload_size, size);
        assert_memory_equal (got, text, size);
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
    dw_result_t *result = system_fixture_run_outputs (f, "text", wanted, 2);
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

int main (void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test (a_run_gives_every_node_its_output),
        cmocka_unit_test (what_a_result_has_not_is_none),
        cmocka_unit_test (an_empty_graph_gives_an_empty_result),
        cmocka_unit_test (a_node_reads_its_dependencies_by_name),
        cmocka_unit_test (metadata_arrives_in_the_order_of_its_keys),
        cmocka_unit_test (a_node_reads_the_metadata_of_its_dependencies),
        cmocka_unit_test (text_that_is_utf_8_travels_as_a_str_and_other_bytes_as_a_bin),
        cmocka_unit_test (what_is_utf_8_is_found_out_wherever_it_is_not),
        cmocka_unit_test (structured_values_travel_as_they_are),
        cmocka_unit_test (payloads_of_every_size_arrive_whole),
        cmocka_unit_test (a_large_payload_is_passed_along_a_hundred_nodes_without_a_copy),
        cmocka_unit_test (an_input_as_large_as_allowed_runs_and_one_byte_more_is_refused),
        cmocka_unit_test (a_submission_that_makes_no_sense_is_refused_and_changes_nothing),
        cmocka_unit_test (just_the_ancestors_of_requested_outputs_run),
    };
    return system_fixture_run_everywhere ("results and payloads", tests);
}
