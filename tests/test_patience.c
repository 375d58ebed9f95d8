/* test_patience.c - a bucket of tokens for each connection that sends nonsense. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "actors/patience.h"

#define SECOND INT64_C (1000000000)
#define PLACES 100u

static int s_set_up (void **state) {
    static dw_patience_t patience;
    *state = &patience;
    dw_patience_init (&patience, PLACES);
    return 0;
}

static int s_tear_down (void **state) {
    dw_patience_free (*state);
    return 0;
}

static const uint8_t s_alice[5] = {0, 1, 2, 3, 4}, s_bob[5] = {0, 1, 2, 3, 5};

static void s_spend (dw_patience_t *self, const uint8_t *id, unsigned count, int64_t now_ns) {
    for (unsigned i = 0; i < count; i++)
        assert_true (dw_patience_spend (self, id, 5, now_ns));
}

static void a_burst_is_answered_and_what_is_beyond_is_not (void **state) {
    dw_patience_t *self = *state;
    for (unsigned i = 0; i < DW_PATIENCE_BURST; i++) {
        assert_true (dw_patience_is_left (self, s_alice, 5, SECOND));
        s_spend (self, s_alice, 1, SECOND);
    }
    assert_false (dw_patience_is_left (self, s_alice, 5, SECOND));
    assert_true (dw_patience_is_left (self, s_bob, 5, SECOND)); /* who has another connection */
}

static void tokens_come_back_with_time_and_never_more_than_a_bucket_holds (void **state) {
    dw_patience_t *self = *state;
    s_spend (self, s_alice, DW_PATIENCE_BURST, SECOND);
    for (int64_t now_ns = SECOND; now_ns < SECOND + SECOND / DW_PATIENCE_RATE; now_ns += 1000000)
        assert_false (dw_patience_is_left (self, s_alice, 5, now_ns)); /* looking costs nothing */
    s_spend (self, s_alice, DW_PATIENCE_RATE, 2 * SECOND);
    assert_false (dw_patience_is_left (self, s_alice, 5, 2 * SECOND));
    s_spend (self, s_alice, DW_PATIENCE_BURST, 1000 * SECOND);
    assert_false (dw_patience_is_left (self, s_alice, 5, 1000 * SECOND));
}

static void who_goes_on_is_over_and_who_pauses_is_not (void **state) {
    dw_patience_t *self = *state;
    s_spend (self, s_alice, DW_PATIENCE_BURST + DW_PATIENCE_EXCESS - 1, SECOND);
    assert_false (dw_patience_spend (self, s_alice, 5, SECOND));
    s_spend (self, s_bob, DW_PATIENCE_BURST + DW_PATIENCE_EXCESS - 1, SECOND);
    s_spend (self, s_bob, 1, 100 * SECOND); /* its bucket has filled again */
    s_spend (self, s_bob, DW_PATIENCE_BURST - 1 + DW_PATIENCE_EXCESS - 1, 100 * SECOND);
    assert_false (dw_patience_spend (self, s_bob, 5, 100 * SECOND));
}

/* As many as may be connected at one time, with numbers in a row, keep each other from nothing. */
static void as_many_as_may_come_have_a_bucket_each (void **state) {
    dw_patience_t *self = *state;
    for (unsigned round = 0; round < DW_PATIENCE_BURST; round++)
        for (uint8_t i = 0; i < PLACES; i++)
            s_spend (self, (uint8_t[5]){0, 9, 9, 9, i}, 1, SECOND + round);
    for (uint8_t i = 0; i < PLACES; i++)
        assert_false (dw_patience_is_left (self, (uint8_t[5]){0, 9, 9, 9, i}, 5, SECOND + 64));
}

static void ids_of_any_size_are_taken (void **state) {
    dw_patience_t *self = *state;
    uint8_t id[255];
    memset (id, 7, sizeof id);
    for (size_t size = 0; size <= sizeof id; size++)
        assert_true (dw_patience_spend (self, id, size, SECOND));
}

int main (void) {
#define TEST(name) cmocka_unit_test_setup_teardown (name, s_set_up, s_tear_down)
    const struct CMUnitTest tests[] = {
        TEST (a_burst_is_answered_and_what_is_beyond_is_not),
        TEST (tokens_come_back_with_time_and_never_more_than_a_bucket_holds),
        TEST (who_goes_on_is_over_and_who_pauses_is_not),
        TEST (as_many_as_may_come_have_a_bucket_each),
        TEST (ids_of_any_size_are_taken),
    };
    return !!cmocka_run_group_tests_name ("patience", tests, NULL, NULL);
}
