/* test_wire.c - the protocol's single values against msgpack-c. */

#include "runtime/wire.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <msgpack.h>

#include "tests/support/random.h"
#include "tests/support/wire_records.h"

static const uint64_t s_integers[] = {
    0,         1,         0x7f,    0x80,       0xff,
    0x100,     0xffff,    0x10000, UINT32_MAX, UINT64_C (0x100000000),
    INT64_MAX, UINT64_MAX};
static const size_t s_sizes[] = {0, 1, 31, 32, 255, 256, 65535, 65536, 100000};

#define COUNT(array) (sizeof (array) / sizeof *(array))

/* What is written by us and by msgpack-c, side by side. */
typedef struct both_t {
    dw_writer_t ours;
    msgpack_sbuffer theirs;
    msgpack_packer packer;
    random_t random;
} both_t;

static int s_setup (void **state) {
    static both_t both;
    memset (&both, 0, sizeof both);
    msgpack_sbuffer_init (&both.theirs);
    msgpack_packer_init (&both.packer, &both.theirs, msgpack_sbuffer_write);
    both.random = random_from (random_seed ());
    *state = &both;
    return 0;
}

static int s_teardown (void **state) {
    both_t *both = *state;
    dw_writer_free (&both->ours);
    msgpack_sbuffer_destroy (&both->theirs);
    return 0;
}

static void s_clear (both_t *both) {
    dw_writer_clear (&both->ours);
    msgpack_sbuffer_clear (&both->theirs);
}

static void s_expect_same (const both_t *both) {
    assert_false (both->ours.no_memory);
    assert_int_equal (both->ours.count, both->theirs.size);
    assert_memory_equal (both->ours.bytes, both->theirs.data, both->theirs.size);
}

static dw_wire_reader_t s_theirs (const both_t *both) {
    return dw_wire_reader (both->theirs.data, both->theirs.size);
}

static void every_integer_is_written_as_msgpack_c_writes_it_and_read_back (void **state) {
    both_t *both = *state;
    for (size_t i = 0; i < 20000; i++) {
        uint64_t value = i < COUNT (s_integers) ? s_integers[i] : random_integer (&both->random);
        s_clear (both);
        dw_write_uint (&both->ours, value);
        msgpack_pack_uint64 (&both->packer, value);
        s_expect_same (both);
        dw_wire_reader_t reader = s_theirs (both);
        assert_true (dw_read_uint (&reader) == value);
        assert_true (dw_wire_reader_is_over (&reader));
    }
}

static void integers_in_longer_forms_than_needed_are_read (void **state) {
    both_t *both = *state;
    for (size_t i = 0; i < 1000; i++) {
        uint8_t value = (uint8_t) random_next (&both->random);
        s_clear (both);
        msgpack_pack_fix_uint8 (&both->packer, value);
        msgpack_pack_fix_uint16 (&both->packer, value);
        msgpack_pack_fix_uint32 (&both->packer, value);
        msgpack_pack_fix_uint64 (&both->packer, value);
        dw_wire_reader_t reader = s_theirs (both);
        for (int form = 0; form < 4; form++)
            assert_int_equal (dw_read_uint (&reader), value);
        assert_true (dw_wire_reader_is_over (&reader));
    }
}

static void an_integer_above_what_is_allowed_is_damage (void **state) {
    both_t *both = *state;
    for (size_t i = 0; i < COUNT (s_integers); i++) {
        s_clear (both);
        dw_write_uint (&both->ours, s_integers[i]);
        for (size_t k = 0; k < COUNT (s_integers) && s_integers[k] <= UINT32_MAX; k++) {
            dw_wire_reader_t reader = dw_wire_reader (both->ours.bytes, both->ours.count);
            bool fits = s_integers[i] <= s_integers[k];
            assert_true (dw_read_uint_max (&reader, (uint32_t) s_integers[k]) ==
                         (fits ? s_integers[i] : 0));
            assert_int_equal (reader.is_damaged, !fits);
        }
    }
}

static void a_nil_is_written_as_msgpack_c_writes_it_and_taken_only_where_one_is (void **state) {
    both_t *both = *state;
    dw_write_nil (&both->ours);
    dw_write_uint (&both->ours, 5);
    msgpack_pack_nil (&both->packer);
    msgpack_pack_uint64 (&both->packer, 5);
    s_expect_same (both);
    dw_wire_reader_t reader = s_theirs (both);
    assert_true (dw_read_nil (&reader));
    assert_false (dw_read_nil (&reader));
    assert_int_equal (dw_read_uint (&reader), 5);
    assert_false (dw_read_nil (&reader));
    assert_true (dw_wire_reader_is_over (&reader));
}

static void every_array_head_is_written_as_msgpack_c_writes_it_and_read_back (void **state) {
    both_t *both = *state;
    static const uint32_t counts[] = {0, 1, 15, 16, 255, 65535, 65536, 100000};
    for (size_t i = 0; i < COUNT (counts); i++) {
        s_clear (both);
        dw_write_array (&both->ours, counts[i]);
        msgpack_pack_array (&both->packer, counts[i]);
        s_expect_same (both);
        for (uint32_t k = 0; k < counts[i]; k++)
            msgpack_pack_nil (&both->packer);
        dw_wire_reader_t reader = s_theirs (both);
        assert_int_equal (dw_read_array (&reader), counts[i]);
        assert_int_equal (reader.end - reader.at, counts[i]);
    }
    dw_writer_clear (&both->ours);
    msgpack_sbuffer_clear (&both->theirs);
    dw_write_array (&both->ours, UINT32_MAX);
    msgpack_pack_array (&both->packer, UINT32_MAX);
    s_expect_same (both);
}

static void an_array_of_more_elements_than_bytes_are_left_is_damage (void **state) {
    both_t *both = *state;
    static const uint32_t counts[] = {1, 15, 16, 65535, 65536, UINT32_MAX};
    for (size_t i = 0; i < COUNT (counts); i++) {
        s_clear (both);
        dw_write_array (&both->ours, counts[i]);
        for (uint32_t k = 1; k < counts[i] && k < 70000; k++)
            dw_write_nil (&both->ours);
        dw_wire_reader_t reader = dw_wire_reader (both->ours.bytes, both->ours.count);
        assert_int_equal (dw_read_array (&reader), 0);
        assert_true (reader.is_damaged);
    }
}

static void every_byte_string_is_written_as_msgpack_c_writes_it_and_read_back (void **state) {
    both_t *both = *state;
    size_t size;
    char *bytes = malloc (100000);
    assert_non_null (bytes);
    for (size_t i = 0; i < 100000; i++)
        bytes[i] = (char) random_next (&both->random);
    for (size_t i = 0; i < COUNT (s_sizes); i++) {
        s_clear (both);
        dw_write_bin (&both->ours, bytes, s_sizes[i]);
        dw_write_str (&both->ours, bytes, s_sizes[i]);
        msgpack_pack_bin_with_body (&both->packer, bytes, s_sizes[i]);
        msgpack_pack_str_with_body (&both->packer, bytes, s_sizes[i]);
        s_expect_same (both);
        dw_wire_reader_t reader = s_theirs (both);
        const uint8_t *bin = dw_read_bin (&reader, s_sizes[i], &size);
        assert_int_equal (size, s_sizes[i]);
        assert_memory_equal (bin, bytes, size);
        const char *str = dw_read_str (&reader, s_sizes[i], &size);
        assert_int_equal (size, s_sizes[i]);
        assert_memory_equal (str, bytes, size);
        assert_true (dw_wire_reader_is_over (&reader));
    }
    free (bytes);
}

static void byte_strings_in_longer_forms_than_needed_are_read (void **state) {
    (void) state;
    static const uint8_t bytes[] = {0xd9, 1,    'a', 0xda, 0,   1,    'b', 0xdb, 0, 0, 0,  1,
                                    'c',  0xc5, 0,   1,    'd', 0xc6, 0,   0,    0, 1, 'e'};
    size_t size;
    dw_wire_reader_t reader = dw_wire_reader (bytes, sizeof bytes);
    for (int expected = 'a'; expected <= 'e'; expected++) {
        const void *content = expected <= 'c' ? (const void *) dw_read_str (&reader, 9, &size)
                                              : dw_read_bin (&reader, 9, &size);
        assert_non_null (content);
        assert_int_equal (*(const char *) content, expected);
        assert_int_equal (size, 1);
    }
    assert_true (dw_wire_reader_is_over (&reader));
}

static void a_byte_string_longer_than_allowed_is_damage (void **state) {
    both_t *both = *state;
    size_t size;
    for (size_t i = 1; i < COUNT (s_sizes); i++) {
        char *bytes = calloc (1, s_sizes[i]);
        s_clear (both);
        dw_write_bin (&both->ours, bytes, s_sizes[i]);
        dw_wire_reader_t reader = dw_wire_reader (both->ours.bytes, both->ours.count);
        assert_null (dw_read_bin (&reader, s_sizes[i] - 1, &size));
        assert_int_equal (size, 0);
        assert_true (reader.is_damaged);
        s_clear (both);
        dw_write_str (&both->ours, bytes, s_sizes[i]);
        reader = dw_wire_reader (both->ours.bytes, both->ours.count);
        assert_null (dw_read_str (&reader, s_sizes[i] - 1, &size));
        assert_int_equal (size, 0);
        assert_true (reader.is_damaged);
        free (bytes);
    }
}

static void a_reference_is_nil_or_bytes_or_the_number_of_a_frame (void **state) {
    both_t *both = *state;
    dw_write_nil (&both->ours);
    dw_write_bin (&both->ours, "xyz", 3);
    dw_write_uint (&both->ours, 1);
    dw_write_uint (&both->ours, DW_WIRE_FRAMES_MAX);
    dw_wire_reader_t reader = dw_wire_reader (both->ours.bytes, both->ours.count);
    dw_ref_t ref = dw_read_ref (&reader);
    assert_true (dw_ref_is_nil (&ref));
    ref = dw_read_ref (&reader);
    assert_int_equal (ref.size, 3);
    assert_memory_equal (ref.bytes, "xyz", 3);
    ref = dw_read_ref (&reader);
    assert_int_equal (ref.frame, 1);
    ref = dw_read_ref (&reader);
    assert_int_equal (ref.frame, DW_WIRE_FRAMES_MAX);
    assert_true (dw_wire_reader_is_over (&reader));
    static const uint64_t wrong[] = {0, DW_WIRE_FRAMES_MAX + 1, UINT64_MAX};
    for (size_t i = 0; i < COUNT (wrong); i++) {
        s_clear (both);
        dw_write_uint (&both->ours, wrong[i]);
        reader = dw_wire_reader (both->ours.bytes, both->ours.count);
        ref = dw_read_ref (&reader);
        assert_true (reader.is_damaged && dw_ref_is_nil (&ref));
    }
}

/* Everything that msgpack has and the protocol has not. */
static void s_pack_foreign (msgpack_packer *packer, int which) {
    switch (which) {
        case 0: msgpack_pack_true (packer); return;
        case 1: msgpack_pack_false (packer); return;
        case 2: msgpack_pack_int64 (packer, -1); return;
        case 3: msgpack_pack_int64 (packer, -33); return;
        case 4: msgpack_pack_int64 (packer, INT64_MIN); return;
        case 5: msgpack_pack_fix_int8 (packer, 5); return;
        case 6: msgpack_pack_fix_int64 (packer, 5); return;
        case 7: msgpack_pack_float (packer, 1); return;
        case 8: msgpack_pack_double (packer, 1); return;
        case 9: msgpack_pack_map (packer, 0); return;
        case 10: msgpack_pack_map (packer, 70000); return;
        case 11: msgpack_pack_ext_with_body (packer, "x", 1, 1); return;
        case 12: msgpack_pack_ext_with_body (packer, "xyz", 3, 1); return;
        default: fail ();
    }
}

static void a_value_of_another_kind_is_damage_to_every_reader (void **state) {
    both_t *both = *state;
    size_t size;
    for (int which = 0; which <= 12; which++) {
        msgpack_sbuffer_clear (&both->theirs);
        s_pack_foreign (&both->packer, which);
        dw_wire_reader_t reader = s_theirs (both);
        assert_int_equal (dw_read_uint (&reader), 0);
        assert_true (reader.is_damaged);
        reader = s_theirs (both);
        assert_int_equal (dw_read_array (&reader), 0);
        assert_true (reader.is_damaged);
        reader = s_theirs (both);
        assert_null (dw_read_bin (&reader, SIZE_MAX, &size));
        assert_true (reader.is_damaged);
        reader = s_theirs (both);
        assert_null (dw_read_str (&reader, SIZE_MAX, &size));
        assert_true (reader.is_damaged);
        reader = s_theirs (both);
        dw_ref_t ref = dw_read_ref (&reader);
        assert_true (reader.is_damaged && dw_ref_is_nil (&ref));
        reader = s_theirs (both);
        assert_false (dw_read_nil (&reader));
    }
}

static void any_sequence_of_values_is_read_as_msgpack_c_reads_it (void **state) {
    both_t *both = *state;
    uint8_t bytes[64];
    int read = 0;
    for (int i = 0; i < 200000; i++) {
        size_t size = 1 + random_below (&both->random, sizeof bytes - 1);
        for (size_t k = 0; k < size; k++)
            bytes[k] = (uint8_t) random_next (&both->random);
        /* Sizes that fit are rare among random bytes. */
        if (random_one_in (&both->random, 2))
            for (size_t k = 1; k < size; k += 1 + random_below (&both->random, 4))
                bytes[k] = (uint8_t) random_below (&both->random, 6);
        uint8_t *copy = wire_copy (bytes, size);
        read += wire_read (WIRE_VALUES, copy, size) > 0;
        free (copy);
    }
    assert_true (read > 100);
}

static void a_writer_is_used_again_and_keeps_its_memory (void **state) {
    both_t *both = *state;
    for (int i = 0; i < 1000; i++)
        dw_write_uint (&both->ours, UINT64_MAX);
    size_t size = both->ours.size;
    assert_int_equal (both->ours.count, 9000);
    both->ours.no_memory = true;
    dw_writer_clear (&both->ours);
    assert_int_equal (both->ours.count, 0);
    assert_int_equal (both->ours.size, size);
    assert_false (both->ours.no_memory);
}

static void a_writer_without_memory_says_so_and_keeps_what_it_has (void **state) {
    both_t *both = *state;
    dw_write_uint (&both->ours, 7);
    assert_null (dw_writer_room (&both->ours, SIZE_MAX));
    assert_true (both->ours.no_memory);
    assert_int_equal (both->ours.count, 1);
    assert_non_null (both->ours.bytes);
    assert_int_equal (both->ours.bytes ? both->ours.bytes[0] : 0, 7);
}

#define TEST(name) cmocka_unit_test_setup_teardown (name, s_setup, s_teardown)

int main (void) {
    const struct CMUnitTest tests[] = {
        TEST (every_integer_is_written_as_msgpack_c_writes_it_and_read_back),
        TEST (integers_in_longer_forms_than_needed_are_read),
        TEST (an_integer_above_what_is_allowed_is_damage),
        TEST (a_nil_is_written_as_msgpack_c_writes_it_and_taken_only_where_one_is),
        TEST (every_array_head_is_written_as_msgpack_c_writes_it_and_read_back),
        TEST (an_array_of_more_elements_than_bytes_are_left_is_damage),
        TEST (every_byte_string_is_written_as_msgpack_c_writes_it_and_read_back),
        TEST (byte_strings_in_longer_forms_than_needed_are_read),
        TEST (a_byte_string_longer_than_allowed_is_damage),
        TEST (a_reference_is_nil_or_bytes_or_the_number_of_a_frame),
        TEST (a_value_of_another_kind_is_damage_to_every_reader),
        TEST (any_sequence_of_values_is_read_as_msgpack_c_reads_it),
        TEST (a_writer_is_used_again_and_keeps_its_memory),
        TEST (a_writer_without_memory_says_so_and_keeps_what_it_has),
    };
    return !!cmocka_run_group_tests_name ("the wire's values", tests, NULL, NULL);
}
