/* test_processors_random.c - the stock processors of text, given random Unicode, against a
 * straightforward evaluation that goes code point by code point. */

#include "tests/support/call_fixture.h"
#include "tests/support/random.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unicase.h>
#include <unictype.h>
#include <unistr.h>

#include <cmocka.h>

#define POINTS_MAX 400
#define ROUNDS     3000

static uint64_t s_seed;

/* A text as code points; room for the longest mapping (three for one) of the longest text. */
typedef struct points_t {
    ucs4_t at[4 * POINTS_MAX];
    size_t count;
} points_t;

static void s_add (points_t *self, ucs4_t point) {
    assert_true (self->count < sizeof self->at / sizeof self->at[0]);
    self->at[self->count++] = point;
}

/* ---- Random text -------------------------------------------------------------------------- */

/* What has a rule of its own, more often than chance would have it. */
static const ucs4_t s_special[] = {
    0xdf,   0x130,  0x131,  0x149,   0x390,   0x3a3,  0x3a3,  0x3a3,  0x3c3,  0x3c2,   0x1c4,
    0x1c5,  0x1c6,  0x23a,  0x1e9e,  0x1f80,  0xfb01, 0xfb03, 0x300,  0x301,  0x307,   0x345,
    0x2b0,  0xaa,   0x85,   0xa0,    0x1680,  0x2003, 0x2028, 0x2029, 0x202f, 0x205f,  0x3000,
    0x200b, 0x180e, 0xfeff, 0x200d,  0xad,    0x1c,   0xbd,   0x2167, 0x2177, 0x24b6,  0x663,
    0xb2,   0x4e00, 0x93f,  0x10400, 0x1e900, 0x2019, '\'',   '.',    0,      0x10ffff};

static ucs4_t s_random_point (random_t *random) {
    static const char ascii[] = "aAbBdDfFhHiInNoOrRtTuUwWyY019 \t\n\r\v\f-,:_    ";
    ucs4_t point;
    switch (random_below (random, 4)) {
        case 0: return s_special[random_below (random, sizeof s_special / sizeof s_special[0])];
        case 1: return random_below (random, 0x600);
        case 2: do { point = random_below (random, random_one_in (random, 2) ? 0x20000 : 0x110000);
            } while (point >= 0xd800 && point < 0xe000);
            return point;
        default: return (ucs4_t) ascii[random_below (random, sizeof ascii - 1)];
    }
}

/* Of some texts every code point is ASCII. */
static void s_random_text (random_t *random, points_t *text) {
    static const uint32_t lengths[] = {3, 10, 60, POINTS_MAX};
    uint32_t count = random_below (random, lengths[random_below (random, 4)] + 1);
    bool is_ascii = random_one_in (random, 5);
    for (text->count = 0; text->count < count;) {
        ucs4_t point = s_random_point (random);
        s_add (text, is_ascii ? point & 0x7f : point);
    }
}

/* ---- The straightforward evaluation ------------------------------------------------------- */

static void s_map_alone (points_t *out, ucs4_t point,
                         uint32_t *(*mapping) (const uint32_t *, size_t, const char *, uninorm_t,
                                               uint32_t *, size_t *) ) {
    uint32_t mapped[8];
    size_t count = sizeof mapped / sizeof mapped[0];
    assert_ptr_equal (mapping (&point, 1, NULL, NULL, mapped, &count), mapped);
    for (size_t i = 0; i < count; i++)
        s_add (out, mapped[i]);
}

static void s_upper (const ucs4_t *text, size_t count, points_t *out) {
    for (size_t i = 0; i < count; i++)
        s_map_alone (out, text[i], u32_toupper);
}

/* Final_Sigma: a cased letter before, none behind, whatever case-ignorable lies between. */
static bool s_is_final (const ucs4_t *text, size_t count, size_t at) {
    size_t before = at;
    while (before > 0 && uc_is_property_case_ignorable (text[before - 1]))
        before--;
    size_t behind = at + 1;
    while (behind < count && uc_is_property_case_ignorable (text[behind]))
        behind++;
    return before > 0 && uc_is_property_cased (text[before - 1]) &&
           !(behind < count && uc_is_property_cased (text[behind]));
}

static void s_lower (const ucs4_t *text, size_t count, points_t *out) {
    for (size_t i = 0; i < count; i++)
        if (text[i] == 0x3a3)
            s_add (out, s_is_final (text, count, i) ? 0x3c2 : 0x3c3);
        else
            s_map_alone (out, text[i], u32_tolower);
}

/* The words of a text: each is [from, from + count) of its code points. */
typedef struct word_t {
    const ucs4_t *from;
    size_t count;
} word_t;

static size_t s_words (const points_t *text, word_t *words) {
    size_t count = 0;
    bool inside = false;
    for (size_t i = 0; i < text->count; i++) {
        bool space = uc_is_property (text->at[i], UC_PROPERTY_WHITE_SPACE);
        if (!space && !inside)
            words[count++] = (word_t){&text->at[i], 0};
        inside = !space;
        words[count > 0 ? count - 1 : 0].count += inside;
    }
    return count;
}

static bool s_is_small (const points_t *word) {
    static const char *const small[] = {"a",  "an", "the", "and", "or", "but",  "in",
                                        "on", "at", "to",  "for", "of", "with", "by"};
    for (size_t i = 0; i < 14; i++) {
        size_t same = 0;
        while (same < word->count && small[i][same] != 0 &&
               (ucs4_t) small[i][same] == word->at[same])
            same++;
        if (same == word->count && small[i][same] == 0)
            return true;
    }
    return false;
}

static void s_capitalise (const points_t *text, bool as_title, points_t *out) {
    static word_t words[POINTS_MAX];
    memset (words, 0, sizeof words);
    size_t count = s_words (text, words);
    for (size_t i = 0; i < count; i++) {
        points_t lower = {.count = 0};
        s_lower (words[i].from, words[i].count, &lower);
        if (i > 0)
            s_add (out, ' ');
        if (as_title && i > 0 && s_is_small (&lower)) {
            s_lower (words[i].from, words[i].count, out);
        } else {
            s_upper (words[i].from, 1, out);
            s_lower (words[i].from + 1, words[i].count - 1, out);
        }
    }
}

/* ---- Comparing ---------------------------------------------------------------------------- */

/* As UTF-8, ended by a NUL byte; the caller frees it. */
static char *s_encode (const ucs4_t *points, size_t count, size_t *size_p) {
    uint8_t *text = calloc (4, count + 1);
    assert_non_null (text);
    size_t size = 0;
    for (size_t i = 0; i < count; i++)
        size += (size_t) u8_uctomb (text + size, points[i], 4);
    *size_p = size;
    return (char *) text;
}

static void s_run (call_fixture_t *call, const points_t *text) {
    size_t size = 0;
    char *input = s_encode (text->at, text->count, &size);
    call_fixture_give_text (call, input, size);
    free (input);
    assert_int_equal (call_fixture_run (call), 0);
}

static void s_expect_points (call_fixture_t *call, const points_t *expected) {
    size_t expected_size = 0;
    char *expected_text = s_encode (expected->at, expected->count, &expected_size);
    size_t size = 0;
    const char *text = call_fixture_text (call, &size);
    assert_non_null (text);
    assert_int_equal (size, expected_size);
    assert_memory_equal (text, expected_text, size);
    free (expected_text);
}

typedef void evaluate_t (const points_t *text, points_t *out);

static void s_compare (const char *processor, evaluate_t *evaluate) {
    random_t random = random_from (s_seed);
    call_fixture_t *call = call_fixture_new (processor);
    for (int i = 0; i < ROUNDS; i++) {
        points_t text;
        points_t expected = {.count = 0};
        s_random_text (&random, &text);
        evaluate (&text, &expected);
        s_run (call, &text);
        s_expect_points (call, &expected);
    }
    call_fixture_destroy (&call);
}

static void s_evaluate_upper (const points_t *text, points_t *out) {
    s_upper (text->at, text->count, out);
}

static void s_evaluate_lower (const points_t *text, points_t *out) {
    s_lower (text->at, text->count, out);
}

static void s_evaluate_proper (const points_t *text, points_t *out) {
    s_capitalise (text, false, out);
}

static void s_evaluate_title (const points_t *text, points_t *out) {
    s_capitalise (text, true, out);
}

static void s_evaluate_reverse (const points_t *text, points_t *out) {
    for (size_t i = text->count; i > 0; i--)
        s_add (out, text->at[i - 1]);
}

static void upper_equals_the_evaluation (void **state) {
    (void) state;
    s_compare ("change_text_case_upper", s_evaluate_upper);
}

static void lower_equals_the_evaluation (void **state) {
    (void) state;
    s_compare ("change_text_case_lower", s_evaluate_lower);
}

static void proper_equals_the_evaluation (void **state) {
    (void) state;
    s_compare ("change_text_case_proper", s_evaluate_proper);
}

static void title_equals_the_evaluation (void **state) {
    (void) state;
    s_compare ("change_text_case_title", s_evaluate_title);
}

static void reverse_equals_the_evaluation (void **state) {
    (void) state;
    s_compare ("reverse_text", s_evaluate_reverse);
}

/* ---- Analyzers ---------------------------------------------------------------------------- */

static void s_count_tokens (const points_t *text, char *out, size_t size) {
    static word_t words[POINTS_MAX];
    memset (words, 0, sizeof words);
    size_t lines = 0;
    for (size_t i = 0; i < text->count; i++)
        lines += text->at[i] == '\n' || i + 1 == text->count;
    snprintf (out, size, "char_count=%zu\nline_count=%zu\nword_count=%zu\n", text->count,
              lines > 0 ? lines : 1, s_words (text, words));
}

static void token_counter_equals_the_evaluation (void **state) {
    (void) state;
    random_t random = random_from (s_seed);
    call_fixture_t *call = call_fixture_new ("token_counter");
    for (int i = 0; i < ROUNDS; i++) {
        points_t text;
        char expected[100];
        s_random_text (&random, &text);
        s_count_tokens (&text, expected, sizeof expected);
        s_run (call, &text);
        assert_string_equal (call_fixture_metadata (call), expected);
    }
    call_fixture_destroy (&call);
}

/* The word's key in UTF-8, or NULL when it has none; the caller frees it. */
static char *s_key (const word_t *word) {
    points_t letters = {.count = 0};
    points_t key = {.count = 0};
    size_t size;
    for (size_t i = 0; i < word->count; i++)
        if (uc_is_property (word->from[i], UC_PROPERTY_ALPHABETIC) ||
            uc_is_general_category (word->from[i], UC_CATEGORY_N))
            s_add (&letters, word->from[i]);
    s_lower (letters.at, letters.count, &key);
    return key.count > 0 ? s_encode (key.at, key.count, &size) : NULL;
}

static int s_compare_keys (const void *left, const void *right) {
    return strcmp (*(char *const *) left, *(char *const *) right);
}

/* The keys of all words, sorted; returns how many. */
static size_t s_keys (const points_t *text, char **keys) {
    static word_t words[POINTS_MAX];
    memset (words, 0, sizeof words);
    size_t words_count = s_words (text, words);
    size_t count = 0;
    for (size_t i = 0; i < words_count; i++) {
        keys[count] = s_key (&words[i]);
        count += keys[count] != NULL;
    }
    qsort (keys, count, sizeof *keys, s_compare_keys);
    return count;
}

static void s_count_words (const points_t *text, FILE *out) {
    char *keys[POINTS_MAX + 1];
    size_t count = s_keys (text, keys);
    size_t unique = 0;
    for (size_t i = 0; i < count; i++)
        unique += i == 0 || strcmp (keys[i - 1], keys[i]) != 0;
    fprintf (out, "total_unique_words=%zu\n", unique);
    for (size_t i = 0, from = 0; i < count; i++) {
        if (i + 1 == count || strcmp (keys[i], keys[i + 1]) != 0) {
            fprintf (out, "word_freq_%s=%zu\n", keys[i], i + 1 - from);
            from = i + 1;
        }
    }
    for (size_t i = 0; i < count; i++)
        free (keys[i]);
}

static void word_frequency_equals_the_evaluation (void **state) {
    (void) state;
    random_t random = random_from (s_seed);
    call_fixture_t *call = call_fixture_new ("word_frequency_analyzer");
    for (int i = 0; i < ROUNDS; i++) {
        points_t text;
        char *expected = NULL;
        size_t size = 0;
        FILE *out = open_memstream (&expected, &size);
        assert_non_null (out);
        s_random_text (&random, &text);
        s_count_words (&text, out);
        fclose (out);
        s_run (call, &text);
        assert_string_equal (call_fixture_metadata (call), expected);
        free (expected);
    }
    call_fixture_destroy (&call);
}

int main (void) {
    s_seed = random_seed ();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test (upper_equals_the_evaluation),
        cmocka_unit_test (lower_equals_the_evaluation),
        cmocka_unit_test (proper_equals_the_evaluation),
        cmocka_unit_test (title_equals_the_evaluation),
        cmocka_unit_test (reverse_equals_the_evaluation),
        cmocka_unit_test (token_counter_equals_the_evaluation),
        cmocka_unit_test (word_frequency_equals_the_evaluation),
    };
    return !!cmocka_run_group_tests (tests, NULL, NULL);
}
