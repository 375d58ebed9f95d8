/* test_payload.c - bounded reading of msgpack, checked against msgpack-c. */

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>
#include <msgpack.h>

#include "runtime/payload.h"
#include "tests/support/random.h"

/* -- Random values -------------------------------------------------------------------------- */

static size_t s_below (random_t *random, size_t limit) {
    return random_below (random, (uint32_t) limit);
}

/* Sizes around the borders of every header's form. */
static size_t s_size (random_t *random) {
    static const size_t sizes[] = {0, 1, 15, 16, 31, 32, 255, 256, 65535, 65536};
    return s_below (random, 50) ? s_below (random, 20) : sizes[s_below (random, 10)];
}

static void s_pack_bytes (msgpack_packer *packer, random_t *random) {
    static const char bytes[65536] = "content";
    size_t size = s_size (random);
    switch (s_below (random, 3)) {
        case 0:
            msgpack_pack_str (packer, size);
            msgpack_pack_str_body (packer, bytes, size);
            break;
        case 1:
            msgpack_pack_bin (packer, size);
            msgpack_pack_bin_body (packer, bytes, size);
            break;
        case 2:
            msgpack_pack_ext (packer, size, (int8_t) random_next (random));
            msgpack_pack_ext_body (packer, bytes, size);
            break;
    }
}

static void s_pack_scalar (msgpack_packer *packer, random_t *random) {
    uint64_t any = random_next (random) >> s_below (random, 64);
    switch (s_below (random, 8)) {
        case 0: msgpack_pack_nil (packer); break;
        case 1: msgpack_pack_true (packer); break;
        case 2: msgpack_pack_uint64 (packer, any); break;
        case 3: msgpack_pack_int64 (packer, -(int64_t) (any >> 1)); break;
        case 4: msgpack_pack_float (packer, (float) any); break;
        case 5: msgpack_pack_double (packer, (double) any); break;
        default: s_pack_bytes (packer, random);
    }
}

static void s_pack_value (msgpack_packer *packer, random_t *random, size_t depth_left) {
    size_t values = s_below (random, 5);
    switch (depth_left ? s_below (random, 4) : 3) {
        case 0: msgpack_pack_array (packer, values); break;
        case 1:
            msgpack_pack_map (packer, values);
            values *= 2;
            break;
        default: s_pack_scalar (packer, random); return;
    }
    for (size_t i = 0; i < values; i++)
        s_pack_value (packer, random, depth_left - 1);
}

static void s_mutate (msgpack_sbuffer *buffer, random_t *random) {
    for (size_t left = s_below (random, 4); left > 0 && buffer->size > 0; left--) {
        size_t at = s_below (random, buffer->size);
        switch (s_below (random, 4)) {
            case 0: buffer->data[at] = (char) random_next (random); break;
            case 1: buffer->data[at] = (char) (0xc0 + s_below (random, 0x20)); break;
            case 2: buffer->size = at; break;
            case 3: {
                char first = buffer->data[0]; /* Writing may move what the buffer holds. */
                msgpack_sbuffer_write (buffer, &first, 1);
                break;
            }
        }
    }
}

/* -- What msgpack-c says -------------------------------------------------------------------- */

static size_t s_depth (const msgpack_object *object) {
    size_t deepest = 0;
    if (object->type != MSGPACK_OBJECT_ARRAY && object->type != MSGPACK_OBJECT_MAP)
        return 0;
    if (object->type == MSGPACK_OBJECT_ARRAY)
        for (uint32_t i = 0; i < object->via.array.size; i++) {
            size_t depth = s_depth (&object->via.array.ptr[i]);
            deepest = depth > deepest ? depth : deepest;
        }
    else
        for (uint32_t i = 0; i < object->via.map.size * 2; i++) {
            const msgpack_object_kv *pair = &object->via.map.ptr[i / 2];
            size_t depth = s_depth (i % 2 ? &pair->val : &pair->key);
            deepest = depth > deepest ? depth : deepest;
        }
    return deepest + 1;
}

/* msgpack-c allocates what a header declares: it is not asked where that could be gigabytes. */
static bool s_declares_much (const uint8_t *bytes, size_t size) {
    for (size_t i = 0; i + 1 < size; i++)
        if ((bytes[i] == 0xdd || bytes[i] == 0xdf) &&
            (bytes[i + 1] > 0 || (i + 2 < size && bytes[i + 2] > 15)))
            return true;
    return false;
}

/* The size of the first value as msgpack-c reads it, 0 when it refuses it or it is too deep. */
static size_t s_unpacked_size (const uint8_t *bytes, size_t size) {
    msgpack_unpacked unpacked;
    msgpack_unpacked_init (&unpacked);
    size_t offset = 0;
    msgpack_unpack_return result = msgpack_unpack_next (&unpacked, (const char *) bytes, size,
                                                        &offset);
    bool good = (result == MSGPACK_UNPACK_SUCCESS || result == MSGPACK_UNPACK_EXTRA_BYTES) &&
                s_depth (&unpacked.data) <= DW_PAYLOAD_DEPTH_MAX;
    msgpack_unpacked_destroy (&unpacked);
    return good ? offset : 0;
}

/* -- One value ------------------------------------------------------------------------------ */

static void values_are_measured_as_msgpack_c_reads_them (void **state) {
    (void) state;
    uint64_t seed = random_seed ();
    size_t good = 0, bad = 0;
    for (uint64_t i = 0; i < 20000; i++) {
        random_t random = random_from (seed + i);
        msgpack_sbuffer buffer;
        msgpack_sbuffer_init (&buffer);
        msgpack_packer packer;
        msgpack_packer_init (&packer, &buffer, msgpack_sbuffer_write);
        s_pack_value (&packer, &random, i % 20);
        if (i % 3)
            s_mutate (&buffer, &random);

        /* A copy of just this size, so that a sanitizer sees every byte read beyond it. */
        uint8_t *bytes = malloc (buffer.size ? buffer.size : 1);
        assert_non_null (bytes);
        if (buffer.size)
            memcpy (bytes, buffer.data, buffer.size);
        size_t measured = dw_payload_measure (bytes, buffer.size);
        if (measured || !s_declares_much (bytes, buffer.size)) {
            assert_int_equal (measured, s_unpacked_size (bytes, buffer.size));
            int expected = measured && measured == buffer.size ? DW_OK : DW_EPROTOCOL;
            assert_int_equal (dw_payload_check (bytes, buffer.size), expected);
        }
        measured ? good++ : bad++;
        free (bytes);
        msgpack_sbuffer_destroy (&buffer);
    }
    assert_true (good > 1000 && bad > 1000);
}

static void every_first_byte_is_read_as_msgpack_c_reads_it (void **state) {
    (void) state;
    for (unsigned code = 0; code < 256; code++)
        for (size_t size = 0; size < 24; size++) {
            uint8_t bytes[24] = {(uint8_t) code, 0, 0, 0, 1};
            assert_int_equal (dw_payload_measure (bytes, size), s_unpacked_size (bytes, size));
        }
}

static void nothing_is_not_a_value (void **state) {
    (void) state;
    size_t size = 1;
    assert_int_equal (dw_payload_check (NULL, 0), DW_EPROTOCOL);
    assert_int_equal (dw_payload_check ("\x01", 0), DW_EPROTOCOL);
    assert_int_equal (dw_payload_measure (NULL, 0), 0);
    assert_null (dw_payload_text (NULL, 0, &size));
    assert_int_equal (size, 0);
    assert_false (dw_payload_is_text (NULL, 0));
}

static void what_follows_the_value_is_refused (void **state) {
    (void) state;
    assert_int_equal (dw_payload_check ("\x01\x01", 2), DW_EPROTOCOL);
    assert_int_equal (dw_payload_measure ("\x01\x01", 2), 1);
}

static void sixteen_arrays_within_each_other_are_read_and_seventeen_refused (void **state) {
    (void) state;
    uint8_t nested[18];
    memset (nested, 0x91, sizeof (nested));
    nested[16] = 0xc0;
    assert_int_equal (dw_payload_check (nested, 17), DW_OK);
    nested[16] = 0x91;
    nested[17] = 0xc0;
    assert_int_equal (dw_payload_check (nested, 18), DW_EPROTOCOL);
    nested[16] = 0x90; /* An empty array is an array. */
    assert_int_equal (dw_payload_check (nested, 17), DW_EPROTOCOL);
}

static void counts_beyond_the_bytes_are_refused (void **state) {
    (void) state;
    assert_int_equal (dw_payload_check ("\xdd\xff\xff\xff\xff", 5), DW_EPROTOCOL);
    assert_int_equal (dw_payload_check ("\xdf\xff\xff\xff\xff", 5), DW_EPROTOCOL);
    assert_int_equal (dw_payload_check ("\xdf\x80\x00\x00\x00\x01\x01", 7), DW_EPROTOCOL);
    assert_int_equal (dw_payload_check ("\xdb\xff\xff\xff\xff", 5), DW_EPROTOCOL);
    assert_int_equal (dw_payload_check ("\xc9\xff\xff\xff\xff\x01", 6), DW_EPROTOCOL);
    assert_int_equal (dw_payload_check ("\x81\x01", 2), DW_EPROTOCOL);
}

/* -- Text ----------------------------------------------------------------------------------- */

static void headers_are_written_in_their_shortest_form (void **state) {
    (void) state;
    static const size_t sizes[] = {0, 1, 31, 32, 255, 256, 65535, 65536, 1 << 24, UINT32_MAX};
    for (size_t i = 0; i < sizeof (sizes) / sizeof (sizes[0]); i++) {
        msgpack_sbuffer buffer;
        msgpack_sbuffer_init (&buffer);
        msgpack_packer packer;
        msgpack_packer_init (&packer, &buffer, msgpack_sbuffer_write);
        uint8_t head[DW_PAYLOAD_HEAD_MAX];
        msgpack_pack_str (&packer, sizes[i]);
        assert_int_equal (dw_payload_text_head (head, sizes[i]), buffer.size);
        assert_memory_equal (head, buffer.data, buffer.size);
        msgpack_sbuffer_clear (&buffer);
        msgpack_pack_bin (&packer, sizes[i]);
        assert_int_equal (dw_payload_bytes_head (head, sizes[i]), buffer.size);
        assert_memory_equal (head, buffer.data, buffer.size);
        msgpack_sbuffer_destroy (&buffer);
    }
}

static void text_is_borrowed_from_a_str_or_bin (void **state) {
    (void) state;
    static const size_t sizes[] = {0, 1, 31, 32, 255, 256, 65535, 65536};
    static uint8_t bytes[65536 + DW_PAYLOAD_HEAD_MAX];
    for (size_t i = 0; i < sizeof (sizes) / sizeof (sizes[0]); i++)
        for (int is_text = 0; is_text < 2; is_text++) {
            size_t head = is_text ? dw_payload_text_head (bytes, sizes[i])
                                  : dw_payload_bytes_head (bytes, sizes[i]);
            size_t size = 1;
            assert_ptr_equal (dw_payload_text (bytes, head + sizes[i], &size), bytes + head);
            assert_int_equal (size, sizes[i]);
            assert_int_equal (dw_payload_is_text (bytes, head), is_text);
            if (sizes[i]) {
                assert_null (dw_payload_text (bytes, head + sizes[i] - 1, &size));
                assert_int_equal (size, 0);
            }
        }
}

static void what_is_no_str_or_bin_has_no_text (void **state) {
    (void) state;
    static const char *const values[] = {"\x01", "\xc0",   "\xc1", "\x91\xa1x",
                                         "\x80", "\xd4xx", "\xd9", "\xda\x01"};
    for (size_t i = 0; i < sizeof (values) / sizeof (values[0]); i++) {
        size_t size = 1;
        assert_null (dw_payload_text (values[i], strlen (values[i]), &size));
        assert_int_equal (size, 0);
    }
}

/* -- Maps ----------------------------------------------------------------------------------- */

static const char s_map[] = "\x83\xa1"
                            "a\xa3one\xa0\xa0\xd9\x02"
                            "bb\xa3two";
#define MAP_SIZE (sizeof (s_map) - 1)

static void a_map_gives_its_pairs_in_order (void **state) {
    (void) state;
    dw_payload_map_t map;
    dw_payload_pair_t pair;
    assert_int_equal (dw_payload_map_check (s_map, MAP_SIZE), DW_OK);
    assert_int_equal (dw_payload_map_start (&map, s_map, MAP_SIZE), 3);
    assert_true (dw_payload_map_next (&map, &pair));
    assert_int_equal (pair.key_size, 1);
    assert_memory_equal (pair.value, "one", pair.value_size);
    assert_true (dw_payload_map_next (&map, &pair));
    assert_int_equal (pair.key_size + pair.value_size, 0);
    assert_true (dw_payload_map_next (&map, &pair));
    assert_memory_equal (pair.key, "bb", pair.key_size);
    assert_int_equal (pair.value_size, 3);
    assert_false (dw_payload_map_next (&map, &pair));
    assert_false (dw_payload_map_next (&map, &pair));
}

static void a_key_is_found_by_its_whole_name (void **state) {
    (void) state;
    size_t size = 9;
    const char *value = dw_payload_map_find (s_map, MAP_SIZE, "bb", 2, &size);
    assert_non_null (value);
    assert_int_equal (size, 3);
    assert_memory_equal (value, "two", 3);
    assert_non_null (dw_payload_map_find (s_map, MAP_SIZE, "", 0, &size));
    assert_int_equal (size, 0);
    assert_null (dw_payload_map_find (s_map, MAP_SIZE, "b", 1, &size));
    assert_null (dw_payload_map_find ("\x93", 1, "b", 1, &size));
}

static void a_damaged_map_is_refused_and_ends_early (void **state) {
    (void) state;
    assert_int_equal (dw_payload_map_check ("\x80", 1), DW_OK);
    assert_int_equal (dw_payload_map_check ("\x80\x80", 2), DW_EPROTOCOL);
    assert_int_equal (dw_payload_map_check ("\xa0", 1), DW_EPROTOCOL);
    assert_int_equal (dw_payload_map_check (NULL, 0), DW_EPROTOCOL);
    assert_int_equal (dw_payload_map_check ("\x81\xa0\x01", 3), DW_EPROTOCOL);
    assert_int_equal (dw_payload_map_check ("\x81\x01\xa0", 3), DW_EPROTOCOL);
    assert_int_equal (dw_payload_map_check ("\x81\xa0\xc4\x00", 4), DW_EPROTOCOL);
    assert_int_equal (dw_payload_map_check ("\xdf\xff\xff\xff\xff\xa0\xa0", 7), DW_EPROTOCOL);
    for (size_t size = 0; size < MAP_SIZE; size++) {
        char *cut = malloc (size ? size : 1);
        assert_non_null (cut);
        memcpy (cut, s_map, size);
        assert_int_equal (dw_payload_map_check (cut, size), DW_EPROTOCOL);
        size_t value_size = 1;
        assert_null (dw_payload_map_find (cut, size, "absent", 6, &value_size));
        assert_int_equal (value_size, 0);
        free (cut);
    }
}

int main (void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test (values_are_measured_as_msgpack_c_reads_them),
        cmocka_unit_test (every_first_byte_is_read_as_msgpack_c_reads_it),
        cmocka_unit_test (nothing_is_not_a_value),
        cmocka_unit_test (what_follows_the_value_is_refused),
        cmocka_unit_test (sixteen_arrays_within_each_other_are_read_and_seventeen_refused),
        cmocka_unit_test (counts_beyond_the_bytes_are_refused),
        cmocka_unit_test (headers_are_written_in_their_shortest_form),
        cmocka_unit_test (text_is_borrowed_from_a_str_or_bin),
        cmocka_unit_test (what_is_no_str_or_bin_has_no_text),
        cmocka_unit_test (a_map_gives_its_pairs_in_order),
        cmocka_unit_test (a_key_is_found_by_its_whole_name),
        cmocka_unit_test (a_damaged_map_is_refused_and_ends_early),
    };
    return !!cmocka_run_group_tests (tests, NULL, NULL);
}
