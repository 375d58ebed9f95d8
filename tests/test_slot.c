/* test_slot.c - what a slot owns: payloads of every size, with metadata and without. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "actors/slot.h"

static const size_t s_sizes[] = {
    0, 1, DW_SLOT_BYTES, DW_SLOT_BYTES + 1, DW_SLOT_OUTSIDE_MAX, DW_SLOT_OUTSIDE_MAX + 1, 5000};
#define SIZES (sizeof s_sizes / sizeof *s_sizes)

static void s_write (dw_slot_t *slot, size_t size) {
    uint8_t *at = dw_slot_reserve (slot, size);
    assert_non_null (at);
    memset (at, (int) size & 0xff, size);
}

static void s_expect (const dw_slot_t *slot, size_t expected) {
    size_t size;
    const uint8_t *payload = dw_slot_payload (slot, &size);
    assert_non_null (payload);
    assert_int_equal (size, expected);
    for (size_t i = 0; i < size; i++)
        assert_int_equal (payload[i], size & 0xff);
}

static void a_payload_lies_where_its_size_says (void **state) {
    static const dw_slot_t empty;
    (void) state;
    for (size_t i = 0; i < SIZES; i++) {
        dw_slot_t slot = {0};
        s_write (&slot, s_sizes[i]);
        s_expect (&slot, s_sizes[i]);
        assert_int_equal (dw_slot_owns (&slot), s_sizes[i] > DW_SLOT_BYTES);
        assert_int_equal (dw_slot_frame (&slot) != NULL, s_sizes[i] > DW_SLOT_OUTSIDE_MAX);
        dw_slot_clear (&slot);
        assert_memory_equal (&slot, &empty, sizeof slot);
    }
}

static void one_that_is_written_again_takes_the_place_of_the_former (void **state) {
    (void) state;
    dw_slot_t slot = {0};
    for (size_t i = 0; i < SIZES; i++)
        for (size_t k = 0; k < SIZES; k++) {
            s_write (&slot, s_sizes[i]);
            s_write (&slot, s_sizes[k]);
            s_expect (&slot, s_sizes[k]);
        }
    dw_slot_clear (&slot);
}

/* A slot travels whole. */
static void nothing_of_a_pointer_stays_behind_a_smaller_payload (void **state) {
    (void) state;
    dw_slot_t slot = {0};
    s_write (&slot, 100);
    s_write (&slot, 1);
    for (size_t i = 1; i < DW_SLOT_BYTES; i++)
        assert_int_equal (slot.bytes[i], 0);
    dw_slot_clear (&slot);
}

static void metadata_and_errors_leave_a_payload_as_it_is (void **state) {
    (void) state;
    for (size_t i = 0; i < SIZES; i++) {
        dw_slot_t slot = {0}, shared = {0};
        s_write (&slot, s_sizes[i]);
        assert_true (dw_slot_set_metadata (&slot, "\x80", 1));
        assert_true (dw_slot_set_error (&slot, 500, "why", 3));
        s_expect (&slot, s_sizes[i]);
        assert_true (dw_slot_share (&shared, dw_slot_frame (&slot)));
        dw_slot_drop_payload (&slot);
        assert_int_equal (dw_slot_extra (&slot)->metadata_size, 1);
        s_expect (&shared, s_sizes[i]);
        dw_slot_clear (&slot);
        dw_slot_clear (&shared);
    }
}

static void a_payload_is_dropped_with_what_it_was_in (void **state) {
    size_t size;
    (void) state;
    for (size_t i = 0; i < SIZES; i++) {
        dw_slot_t slot = {0};
        s_write (&slot, s_sizes[i]);
        dw_slot_drop_payload (&slot);
        assert_null (dw_slot_payload (&slot, &size));
        assert_int_equal (size, 0);
        dw_slot_clear (&slot);
    }
}

int main (void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test (a_payload_lies_where_its_size_says),
        cmocka_unit_test (one_that_is_written_again_takes_the_place_of_the_former),
        cmocka_unit_test (nothing_of_a_pointer_stays_behind_a_smaller_payload),
        cmocka_unit_test (metadata_and_errors_leave_a_payload_as_it_is),
        cmocka_unit_test (a_payload_is_dropped_with_what_it_was_in),
    };
    return !!cmocka_run_group_tests_name ("slot", tests, NULL, NULL);
}
