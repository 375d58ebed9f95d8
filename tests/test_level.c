/* test_level.c - a world that does not hold is made smaller before it is shown. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "tests/support/level.h"
#include "tests/support/verdict.h"

/* A world of ten parts, of which each tells a line. */
#define PARTS 10u

static bool s_has (uint64_t off, uint32_t part) {
    return !(off >> part & 1);
}

static void s_tell_all (uint64_t off, FILE *transcript) {
    for (uint32_t part = 0; transcript && part < PARTS; part++)
        if (s_has (off, part))
            fprintf (transcript, "part %u\n", part);
}

static uint64_t s_shrink (void (*play) (uint64_t seed, uint64_t off, FILE *transcript)) {
    const level_t level = {.name = "test", .off_count = PARTS, .play = play};
    verdict_share ();
    return level_shrink (&level, 1, 0);
}

/* It takes two of its parts for it not to hold. */
static void s_play_two (uint64_t seed, uint64_t off, FILE *transcript) {
    (void) seed;
    s_tell_all (off, transcript);
    if (s_has (off, 3) && s_has (off, 7))
        verdict_fail ("both are there");
}

static void what_does_not_matter_is_switched_off_and_the_rest_stays (void **state) {
    (void) state;
    assert_int_equal (s_shrink (s_play_two), 0x3ff & ~(1 << 3 | 1 << 7));
}

static void s_play_crash (uint64_t seed, uint64_t off, FILE *transcript) {
    (void) seed;
    s_tell_all (off, transcript);
    if (s_has (off, 5))
        _Exit (3);
}

static void a_world_that_ends_its_process_is_made_smaller_too (void **state) {
    (void) state;
    assert_int_equal (s_shrink (s_play_crash), 0x3ff & ~(1 << 5));
}

/* Without a part what happens is drawn anew, and goes wrong in one way alone. */
static void s_play_luck (uint64_t seed, uint64_t off, FILE *transcript) {
    uint64_t parts = off & 0x3ff, way = off >> PARTS;
    (void) seed;
    s_tell_all (off, transcript);
    if (s_has (off, 2) && (parts == 0 || way == parts % LEVEL_WAYS))
        verdict_fail ("bad luck");
}

static void each_way_is_tried_in_which_less_may_not_hold (void **state) {
    uint64_t parts = 0x3ff & ~(1 << 2);
    (void) state;
    assert_int_equal (s_shrink (s_play_luck), parts | (parts % LEVEL_WAYS) << PARTS);
}

/* Less is there, and more happens before it shows. */
static void s_play_long (uint64_t seed, uint64_t off, FILE *transcript) {
    (void) seed;
    s_tell_all (off, transcript);
    for (int i = 0; transcript && i < 100 && !s_has (off, 0); i++)
        fprintf (transcript, "nothing yet\n");
    verdict_fail ("it never holds");
}

static void what_makes_the_transcript_longer_is_not_left_out (void **state) {
    (void) state;
    assert_int_equal (s_shrink (s_play_long), 0x3fe);
}

int main (void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test (what_does_not_matter_is_switched_off_and_the_rest_stays),
        cmocka_unit_test (a_world_that_ends_its_process_is_made_smaller_too),
        cmocka_unit_test (each_way_is_tried_in_which_less_may_not_hold),
        cmocka_unit_test (what_makes_the_transcript_longer_is_not_left_out),
    };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
