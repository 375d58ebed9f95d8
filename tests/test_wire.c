/* test_wire.c - the protocol's values against msgpack-c, and its records against damage.
 *
 *     test_wire                run the tests
 *     test_wire --seeds DIR    write the fuzz target's seeds, which a test compares */

#include "runtime/wire.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <msgpack.h>

#include "runtime/payload.h"
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

static uint64_t s_any_integer (random_t *random) {
    return random_next (random) >> random_below (random, 64);
}

/* A copy of just this size, so that a read beyond its end is seen by a sanitizer. */
static uint8_t *s_exact (const void *bytes, size_t size) {
    uint8_t *copy = malloc (size ? size : 1);
    assert_non_null (copy);
    memcpy (copy, bytes, size);
    return copy;
}

/* ---- Values ----------------------------------------------------------------------------------- */

static void every_integer_is_written_as_msgpack_c_writes_it_and_read_back (void **state) {
    both_t *both = *state;
    for (size_t i = 0; i < 20000; i++) {
        uint64_t value = i < COUNT (s_integers) ? s_integers[i] : s_any_integer (&both->random);
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
        uint8_t *copy = s_exact (bytes, size);
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

/* ---- Records ---------------------------------------------------------------------------------- */

static dw_ref_t s_any_ref (random_t *random) {
    static const uint8_t bytes[300] = {1, 2, 3};
    dw_ref_t ref = {0};
    switch (random_below (random, 3)) {
        case 0: ref.frame = 1 + random_below (random, DW_WIRE_FRAMES_MAX); break;
        case 1:
            ref.bytes = bytes;
            ref.size = random_below (random, sizeof bytes);
            break;
        default: break;
    }
    return ref;
}

static void s_expect_ref (dw_wire_reader_t *reader, const dw_ref_t *expected) {
    dw_ref_t ref = dw_read_ref (reader);
    assert_int_equal (ref.frame, expected->frame);
    assert_int_equal (ref.size, expected->size);
    assert_int_equal (dw_ref_is_nil (&ref), dw_ref_is_nil (expected));
    if (expected->bytes)
        assert_memory_equal (ref.bytes, expected->bytes, ref.size);
}

static void s_expect_equal_ref (const dw_ref_t *ref, const dw_ref_t *expected) {
    assert_int_equal (ref->frame, expected->frame);
    assert_int_equal (ref->size, expected->size);
    if (expected->bytes)
        assert_memory_equal (ref->bytes, expected->bytes, ref->size);
}

static void a_hello_is_read_as_it_was_written (void **state) {
    both_t *both = *state;
    uint8_t token[DW_WIRE_TOKEN_SIZE];
    for (int i = 0; i < 1000; i++) {
        for (size_t k = 0; k < sizeof token; k++)
            token[k] = (uint8_t) random_next (&both->random);
        dw_wire_hello_t read, hello = {.version = DW_WIRE_VERSION,
                                       .role = 1 + random_below (&both->random, DW_WIRE_OWNER),
                                       .token = token,
                                       .number = (uint32_t) s_any_integer (&both->random),
                                       .credit = (uint32_t) s_any_integer (&both->random)};
        dw_writer_clear (&both->ours);
        dw_write_hello (&both->ours, &hello);
        dw_wire_reader_t reader = dw_wire_reader (both->ours.bytes, both->ours.count);
        assert_int_equal (dw_read_uint (&reader), DW_WIRE_HELLO);
        assert_true (dw_read_hello (&reader, &read));
        assert_true (dw_wire_reader_is_over (&reader));
        assert_int_equal (read.version, hello.version);
        assert_int_equal (read.role, hello.role);
        assert_memory_equal (read.token, token, sizeof token);
        assert_int_equal (read.number, hello.number);
        assert_int_equal (read.credit, hello.credit);
    }
}

static void a_hello_of_another_version_is_read_up_to_its_version (void **state) {
    both_t *both = *state;
    static const uint32_t versions[] = {0, 2, 1000, UINT32_MAX};
    for (size_t i = 0; i < COUNT (versions); i++) {
        dw_wire_hello_t hello;
        dw_writer_clear (&both->ours);
        dw_write_str (&both->ours, DW_WIRE_MAGIC, strlen (DW_WIRE_MAGIC));
        dw_write_uint (&both->ours, versions[i]);
        dw_write_str (&both->ours, "whatever comes then", 19);
        dw_wire_reader_t reader = dw_wire_reader (both->ours.bytes, both->ours.count);
        assert_true (dw_read_hello (&reader, &hello));
        assert_int_equal (hello.version, versions[i]);
        assert_null (hello.token);
    }
}

static void a_hello_with_another_magic_word_is_not_ours (void **state) {
    both_t *both = *state;
    static const char *const words[] = {"", "dagwooD", "dagwoo", "dagwoods",
                                        "a long word, this is"};
    for (size_t i = 0; i < COUNT (words); i++) {
        dw_wire_hello_t hello;
        dw_writer_clear (&both->ours);
        dw_write_str (&both->ours, words[i], strlen (words[i]));
        dw_write_uint (&both->ours, DW_WIRE_VERSION);
        dw_wire_reader_t reader = dw_wire_reader (both->ours.bytes, both->ours.count);
        assert_false (dw_read_hello (&reader, &hello));
        assert_int_equal (hello.version, 0);
    }
}

static void a_hello_with_a_token_of_another_size_is_refused (void **state) {
    both_t *both = *state;
    for (size_t size = 0; size < 2 * DW_WIRE_TOKEN_SIZE; size++) {
        dw_wire_hello_t hello;
        uint8_t token[2 * DW_WIRE_TOKEN_SIZE] = {0};
        dw_writer_clear (&both->ours);
        dw_write_str (&both->ours, DW_WIRE_MAGIC, strlen (DW_WIRE_MAGIC));
        dw_write_uint (&both->ours, DW_WIRE_VERSION);
        dw_write_uint (&both->ours, DW_WIRE_CLIENT);
        dw_write_bin (&both->ours, token, size);
        dw_write_uint (&both->ours, 0);
        dw_write_uint (&both->ours, 0);
        dw_wire_reader_t reader = dw_wire_reader (both->ours.bytes, both->ours.count);
        assert_int_equal (dw_read_hello (&reader, &hello), size == DW_WIRE_TOKEN_SIZE);
    }
}

static void a_task_is_read_as_it_was_written (void **state) {
    both_t *both = *state;
    for (int i = 0; i < 1000; i++) {
        dw_ref_t refs[20];
        dw_wire_task_t read, task = {.run = s_any_integer (&both->random),
                                     .node = (uint32_t) s_any_integer (&both->random),
                                     .steps = (uint32_t) s_any_integer (&both->random),
                                     .attempt = random_below (&both->random, UINT16_MAX),
                                     .payload = s_any_ref (&both->random),
                                     .dependencies_count = random_below (&both->random, 10)};
        for (size_t k = 0; k < COUNT (refs); k++)
            refs[k] = s_any_ref (&both->random);
        dw_writer_clear (&both->ours);
        wire_write_task (&both->ours, &task, refs);
        dw_wire_reader_t reader = dw_wire_reader (both->ours.bytes, both->ours.count);
        assert_true (dw_read_task (&reader, &read));
        assert_true (read.run == task.run);
        assert_int_equal (read.node, task.node);
        assert_int_equal (read.steps, task.steps);
        assert_int_equal (read.attempt, task.attempt);
        s_expect_equal_ref (&read.payload, &task.payload);
        assert_int_equal (read.dependencies_count, task.dependencies_count);
        for (uint32_t k = 0; k < 2 * task.dependencies_count; k++)
            s_expect_ref (&reader, &refs[k]);
        assert_true (dw_wire_reader_is_over (&reader));
    }
}

static void an_answer_is_read_as_it_was_written (void **state) {
    both_t *both = *state;
    static const char message[8193] = "why";
    for (int i = 0; i < 1000; i++) {
        dw_ref_t refs[20];
        dw_wire_answer_record_t read, answer = {.ticket = s_any_integer (&both->random),
                                                .step = (uint32_t) s_any_integer (&both->random),
                                                .answer = random_below (&both->random, 4),
                                                .duration_ns = s_any_integer (&both->random)};
        for (size_t k = 0; k < COUNT (refs); k++)
            refs[k] = s_any_ref (&both->random);
        if (answer.answer <= DW_WIRE_DONE)
            answer.steps = random_below (&both->random, 10);
        if (answer.answer == DW_WIRE_FAILED) {
            answer.code = (uint16_t) random_below (&both->random, 1000);
            answer.message = message;
            answer.message_size = random_below (&both->random, sizeof message);
        }
        dw_writer_clear (&both->ours);
        wire_write_answer (&both->ours, &answer, refs);
        dw_wire_reader_t reader = dw_wire_reader (both->ours.bytes, both->ours.count);
        assert_true (dw_read_answer (&reader, &read));
        assert_true (read.ticket == answer.ticket && read.duration_ns == answer.duration_ns);
        assert_int_equal (read.step, answer.step);
        assert_int_equal (read.answer, answer.answer);
        assert_int_equal (read.steps, answer.steps);
        assert_int_equal (read.code, answer.code);
        assert_int_equal (read.message_size, answer.message_size);
        if (answer.message)
            assert_memory_equal (read.message, message, read.message_size);
        for (uint32_t k = 0; k < 2 * answer.steps; k++)
            s_expect_ref (&reader, &refs[k]);
        assert_true (dw_wire_reader_is_over (&reader));
    }
}

static void an_answer_that_makes_no_sense_is_refused (void **state) {
    both_t *both = *state;
    dw_wire_answer_record_t read, answer = {.ticket = 1, .answer = DW_WIRE_FAILED, .code = 1000};
    static char message[8193];
    answer.message = message;
    wire_write_answer (&both->ours, &answer, NULL);
    dw_wire_reader_t reader = dw_wire_reader (both->ours.bytes, both->ours.count);
    assert_false (dw_read_answer (&reader, &read)); /* no such code */
    answer.code = 500;
    answer.message_size = sizeof message;
    dw_writer_clear (&both->ours);
    wire_write_answer (&both->ours, &answer, NULL);
    reader = dw_wire_reader (both->ours.bytes, both->ours.count);
    assert_false (dw_read_answer (&reader, &read)); /* too long a message */
    dw_writer_clear (&both->ours);
    for (int i = 0; i < 4; i++)
        dw_write_uint (&both->ours, DW_WIRE_RETURNED + 1);
    reader = dw_wire_reader (both->ours.bytes, both->ours.count);
    assert_false (dw_read_answer (&reader, &read)); /* no such answer */
    dw_writer_clear (&both->ours);
    dw_write_uint (&both->ours, 1);
    dw_write_uint (&both->ours, UINT64_C (1) << 32);
    dw_write_uint (&both->ours, DW_WIRE_RETURNED);
    dw_write_uint (&both->ours, 1);
    reader = dw_wire_reader (both->ours.bytes, both->ours.count);
    assert_false (dw_read_answer (&reader, &read)); /* more steps told of than a task can have */
    static const uint32_t steps[] = {3, 1000, UINT32_MAX};
    for (size_t i = 0; i < COUNT (steps); i++) {
        dw_writer_clear (&both->ours);
        dw_write_uint (&both->ours, 1);
        dw_write_uint (&both->ours, 0);
        dw_write_uint (&both->ours, DW_WIRE_DONE);
        dw_write_uint (&both->ours, 1);
        dw_write_uint (&both->ours, steps[i]);
        for (int k = 0; k < 5; k++)
            dw_write_nil (&both->ours);
        reader = dw_wire_reader (both->ours.bytes, both->ours.count);
        assert_false (dw_read_answer (&reader, &read)); /* more steps than references can follow */
    }
}

static void a_submission_is_read_as_it_was_written (void **state) {
    both_t *both = *state;
    for (int i = 0; i < 1000; i++) {
        uint32_t outputs[10];
        dw_wire_submission_t read, submission = {.run = s_any_integer (&both->random),
                                                 .payload = s_any_ref (&both->random),
                                                 .outputs_count = random_below (&both->random, 10)};
        for (size_t k = 0; k < COUNT (outputs); k++)
            outputs[k] = (uint32_t) s_any_integer (&both->random);
        dw_writer_clear (&both->ours);
        wire_write_submission (&both->ours, &submission, outputs);
        dw_wire_reader_t reader = dw_wire_reader (both->ours.bytes, both->ours.count);
        assert_true (dw_read_submission (&reader, &read));
        assert_true (read.run == submission.run);
        s_expect_equal_ref (&read.payload, &submission.payload);
        assert_int_equal (read.outputs_count, submission.outputs_count);
        for (uint32_t k = 0; k < submission.outputs_count; k++)
            assert_int_equal (dw_read_uint (&reader), outputs[k]);
        assert_true (dw_wire_reader_is_over (&reader));
    }
}

static void a_result_is_read_as_it_was_written (void **state) {
    both_t *both = *state;
    for (int i = 0; i < 1000; i++) {
        uint32_t outputs[10];
        dw_wire_result_t read, result = {.run = s_any_integer (&both->random),
                                         .duration_us = s_any_integer (&both->random),
                                         .status = random_below (&both->random, 4),
                                         .table = s_any_ref (&both->random),
                                         .blob = s_any_ref (&both->random),
                                         .extras = s_any_ref (&both->random),
                                         .outputs_are_sinks = random_one_in (&both->random, 2)};
        if (!result.outputs_are_sinks)
            result.outputs_count = random_below (&both->random, 10);
        for (size_t k = 0; k < COUNT (outputs); k++)
            outputs[k] = (uint32_t) s_any_integer (&both->random);
        dw_writer_clear (&both->ours);
        wire_write_result (&both->ours, &result, outputs);
        dw_wire_reader_t reader = dw_wire_reader (both->ours.bytes, both->ours.count);
        assert_true (dw_read_result (&reader, &read));
        assert_true (read.run == result.run && read.duration_us == result.duration_us);
        assert_int_equal (read.status, result.status);
        s_expect_equal_ref (&read.table, &result.table);
        s_expect_equal_ref (&read.blob, &result.blob);
        s_expect_equal_ref (&read.extras, &result.extras);
        assert_int_equal (read.outputs_are_sinks, result.outputs_are_sinks);
        assert_int_equal (read.outputs_count, result.outputs_count);
        for (uint32_t k = 0; k < result.outputs_count; k++)
            assert_int_equal (dw_read_uint (&reader), outputs[k]);
        assert_true (dw_wire_reader_is_over (&reader));
    }
}

static void an_extra_is_read_as_it_was_written (void **state) {
    both_t *both = *state;
    static const char text[300] = "metadata or message";
    for (int i = 0; i < 1000; i++) {
        uint32_t causes[10];
        dw_wire_extra_t read, extra = {.node = (uint32_t) s_any_integer (&both->random),
                                       .code = (uint16_t) random_below (&both->random, 1000),
                                       .causes_count = random_below (&both->random, 10)};
        if (random_one_in (&both->random, 2)) {
            extra.metadata = (const uint8_t *) text;
            extra.metadata_size = random_below (&both->random, sizeof text);
        }
        if (random_one_in (&both->random, 2)) {
            extra.message = text;
            extra.message_size = random_below (&both->random, sizeof text);
        }
        for (size_t k = 0; k < COUNT (causes); k++)
            causes[k] = (uint32_t) s_any_integer (&both->random);
        dw_writer_clear (&both->ours);
        wire_write_extra (&both->ours, &extra, causes);
        dw_wire_reader_t reader = dw_wire_reader (both->ours.bytes, both->ours.count);
        assert_true (dw_read_extra (&reader, &read));
        assert_int_equal (read.node, extra.node);
        assert_int_equal (read.code, extra.code);
        assert_int_equal (!read.metadata, !extra.metadata);
        assert_int_equal (read.metadata_size, extra.metadata_size);
        assert_int_equal (!read.message, !extra.message);
        assert_int_equal (read.message_size, extra.message_size);
        assert_int_equal (read.causes_count, extra.causes_count);
        for (uint32_t k = 0; k < extra.causes_count; k++)
            assert_int_equal (dw_read_uint (&reader), causes[k]);
        assert_true (dw_wire_reader_is_over (&reader));
    }
}

/* ---- Damage ----------------------------------------------------------------------------------- */

/* Calls visit with every kind of head. */
static void s_for_each_seed (both_t *both, void (*visit) (both_t *both, wire_kind_t kind,
                                                          const uint8_t *head, size_t size)) {
    for (size_t i = 0; wire_seed (i, &both->ours); i++)
        visit (both, (wire_kind_t) both->ours.bytes[0], both->ours.bytes + 1, both->ours.count - 1);
}

static void s_expect_whole (both_t *both, wire_kind_t kind, const uint8_t *head, size_t size) {
    (void) both;
    assert_true (wire_read (kind, head, size) > 0);
}

static void every_head_is_read_whole (void **state) {
    s_for_each_seed (*state, s_expect_whole);
}

/* A cut between two records leaves fewer of them; any other is damage. */
static void s_cut (both_t *both, wire_kind_t kind, const uint8_t *head, size_t size) {
    (void) both;
    int records = wire_read (kind, head, size), damaged = 0;
    for (size_t cut = 1; cut < size; cut++) {
        uint8_t *copy = s_exact (head, cut);
        int read = wire_read (kind, copy, cut);
        assert_true (read < records || kind == WIRE_DELIVERY); /* its frame may be shorter */
        damaged += read < 0;
        free (copy);
    }
    assert_true (damaged >= (int) size - 1 - records || kind == WIRE_DELIVERY);
    assert_true (damaged > 0);
}

static void a_head_that_is_cut_anywhere_is_damaged_and_never_read_beyond (void **state) {
    s_for_each_seed (*state, s_cut);
}

static void s_set_every_byte (both_t *both, wire_kind_t kind, const uint8_t *head, size_t size) {
    (void) both;
    int damaged = 0;
    for (size_t at = 0; at < size; at++)
        for (unsigned value = 0; value < 256; value++) {
            uint8_t *copy = s_exact (head, size);
            copy[at] = (uint8_t) value;
            damaged += wire_read (kind, copy, size) < 0;
            free (copy);
        }
    assert_true (damaged > 0);
}

static void a_head_with_any_byte_set_to_anything_is_read_within_its_bytes (void **state) {
    s_for_each_seed (*state, s_set_every_byte);
}

static void s_mutate (both_t *both, wire_kind_t kind, const uint8_t *head, size_t size) {
    random_t *random = &both->random;
    for (int i = 0; i < 20000; i++) {
        size_t kept = 1 + random_below (random, (uint32_t) size);
        uint8_t *copy = s_exact (head, kept);
        for (uint32_t changes = 1 + random_below (random, 6); changes > 0; changes--)
            copy[random_below (random, (uint32_t) kept)] = (uint8_t) random_next (random);
        wire_read (kind, copy, kept);
        free (copy);
    }
}

static void random_damage_is_read_within_its_bytes (void **state) {
    s_for_each_seed (*state, s_mutate);
}

/* ---- Seeds ------------------------------------------------------------------------------------ */

static void s_seed_path (char *path, size_t size, const char *folder, const char *name) {
    snprintf (path, size, "%s/%s", folder, name);
}

static void the_seeds_of_the_fuzz_target_are_what_records_look_like (void **state) {
    both_t *both = *state;
    const char *name;
    for (size_t i = 0; (name = wire_seed (i, &both->ours)); i++) {
        char path[1024];
        uint8_t bytes[4096];
        s_seed_path (path, sizeof path, DAGWOOD_SOURCE_DIR "/tests/fuzz/corpus/wire", name);
        FILE *file = fopen (path, "rb");
        if (!file)
            fail_msg ("%s is missing: write it with test_wire --seeds DIR", path);
        size_t size = fread (bytes, 1, sizeof bytes, file);
        fclose (file);
        assert_int_equal (size, both->ours.count);
        assert_memory_equal (bytes, both->ours.bytes, size);
    }
}

static int s_write_seeds (const char *folder) {
    dw_writer_t input = {0};
    const char *name;
    int failed = 0;
    for (size_t i = 0; (name = wire_seed (i, &input)); i++) {
        char path[1024];
        s_seed_path (path, sizeof path, folder, name);
        FILE *file = fopen (path, "wb");
        failed |= !file || fwrite (input.bytes, 1, input.count, file) != input.count;
        failed |= file && fclose (file);
    }
    dw_writer_free (&input);
    return failed;
}

int main (int argc, char **argv) {
#define TEST(name) cmocka_unit_test_setup_teardown (name, s_setup, s_teardown)
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
        TEST (a_hello_is_read_as_it_was_written),
        TEST (a_hello_of_another_version_is_read_up_to_its_version),
        TEST (a_hello_with_another_magic_word_is_not_ours),
        TEST (a_hello_with_a_token_of_another_size_is_refused),
        TEST (a_task_is_read_as_it_was_written),
        TEST (an_answer_is_read_as_it_was_written),
        TEST (an_answer_that_makes_no_sense_is_refused),
        TEST (a_submission_is_read_as_it_was_written),
        TEST (a_result_is_read_as_it_was_written),
        TEST (an_extra_is_read_as_it_was_written),
        TEST (every_head_is_read_whole),
        TEST (a_head_that_is_cut_anywhere_is_damaged_and_never_read_beyond),
        TEST (a_head_with_any_byte_set_to_anything_is_read_within_its_bytes),
        TEST (random_damage_is_read_within_its_bytes),
        TEST (the_seeds_of_the_fuzz_target_are_what_records_look_like),
    };
    if (argc == 3 && strcmp (argv[1], "--seeds") == 0)
        return s_write_seeds (argv[2]);
    return !!cmocka_run_group_tests_name ("the wire", tests, NULL, NULL);
}
