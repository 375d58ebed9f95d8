/* test_wire_seeds.c - the seeds of the wire's fuzz target: whole, cut and damaged, and as they lie
 * in its corpus.
 *
 *     test_wire_seeds                run the tests
 *     test_wire_seeds --seeds DIR    write the seeds, which a test compares */

#include "tests/support/wire_seeds.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/support/random.h"
#include "tests/support/wire_records.h"

/* ---- Damage ----------------------------------------------------------------------------------- */

/* Sees a seed as its kind of head. */
typedef void s_visit_t (wire_kind_t kind, const uint8_t *head, size_t size, random_t *random);

static void s_for_each_seed (s_visit_t *visit) {
    random_t random = random_from (random_seed ());
    dw_writer_t seed = {0};
    for (size_t i = 0; wire_seed (i, &seed); i++)
        visit ((wire_kind_t) seed.bytes[0], seed.bytes + 1, seed.count - 1, &random);
    dw_writer_free (&seed);
}

static void s_expect_whole (wire_kind_t kind, const uint8_t *head, size_t size, random_t *random) {
    (void) random;
    assert_true (wire_read (kind, head, size) > 0);
}

static void every_head_is_read_whole (void **state) {
    (void) state;
    s_for_each_seed (s_expect_whole);
}

/* A cut between two records leaves fewer of them; any other is damage. */
static void s_cut (wire_kind_t kind, const uint8_t *head, size_t size, random_t *random) {
    (void) random;
    int records = wire_read (kind, head, size), damaged = 0;
    for (size_t cut = 1; cut < size; cut++) {
        uint8_t *copy = wire_copy (head, cut);
        int read = wire_read (kind, copy, cut);
        assert_true (read < records || kind == WIRE_DELIVERY); /* its frame may be shorter */
        damaged += read < 0;
        free (copy);
    }
    assert_true (damaged >= (int) size - 1 - records || kind == WIRE_DELIVERY);
    assert_true (damaged > 0);
}

static void a_head_that_is_cut_anywhere_is_damaged_and_never_read_beyond (void **state) {
    (void) state;
    s_for_each_seed (s_cut);
}

static void s_set_every_byte (wire_kind_t kind, const uint8_t *head, size_t size,
                              random_t *random) {
    (void) random;
    int damaged = 0;
    for (size_t at = 0; at < size; at++)
        for (unsigned value = 0; value < 256; value++) {
            uint8_t *copy = wire_copy (head, size);
            copy[at] = (uint8_t) value;
            damaged += wire_read (kind, copy, size) < 0;
            free (copy);
        }
    assert_true (damaged > 0);
}

static void a_head_with_any_byte_set_to_anything_is_read_within_its_bytes (void **state) {
    (void) state;
    s_for_each_seed (s_set_every_byte);
}

static void s_mutate (wire_kind_t kind, const uint8_t *head, size_t size, random_t *random) {
    for (int i = 0; i < 20000; i++) {
        size_t kept = 1 + random_below (random, (uint32_t) size);
        uint8_t *copy = wire_copy (head, kept);
        for (uint32_t changes = 1 + random_below (random, 6); changes > 0; changes--)
            copy[random_below (random, (uint32_t) kept)] = (uint8_t) random_next (random);
        wire_read (kind, copy, kept);
        free (copy);
    }
}

static void random_damage_is_read_within_its_bytes (void **state) {
    (void) state;
    s_for_each_seed (s_mutate);
}

/* ---- Corpus ----------------------------------------------------------------------------------- */

static void s_seed_path (char *path, size_t size, const char *folder, const char *name) {
    snprintf (path, size, "%s/%s", folder, name);
}

static void the_seeds_of_the_fuzz_target_are_what_records_look_like (void **state) {
    (void) state;
    dw_writer_t seed = {0};
    const char *name;
    for (size_t i = 0; (name = wire_seed (i, &seed)); i++) {
        char path[1024];
        uint8_t bytes[4096];
        s_seed_path (path, sizeof path, DAGWOOD_SOURCE_DIR "/tests/fuzz/corpus/wire", name);
        FILE *file = fopen (path, "rb");
        if (!file)
            fail_msg ("%s is missing: write it with test_wire_seeds --seeds DIR", path);
        size_t size = fread (bytes, 1, sizeof bytes, file);
        fclose (file);
        assert_int_equal (size, seed.count);
        assert_memory_equal (bytes, seed.bytes, size);
    }
    dw_writer_free (&seed);
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
    const struct CMUnitTest tests[] = {
        cmocka_unit_test (every_head_is_read_whole),
        cmocka_unit_test (a_head_that_is_cut_anywhere_is_damaged_and_never_read_beyond),
        cmocka_unit_test (a_head_with_any_byte_set_to_anything_is_read_within_its_bytes),
        cmocka_unit_test (random_damage_is_read_within_its_bytes),
        cmocka_unit_test (the_seeds_of_the_fuzz_target_are_what_records_look_like),
    };
    if (argc == 3 && strcmp (argv[1], "--seeds") == 0)
        return s_write_seeds (argv[2]);
    return !!cmocka_run_group_tests_name ("the wire's seeds", tests, NULL, NULL);
}
