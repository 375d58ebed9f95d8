/* test_processors.c - each stock processor, by golden cases. */

#include "actors/call.h"
#include "tests/support/call_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

/* A literal with its size, which may hold NUL bytes. */
#define TEXT(literal) literal, sizeof (literal) - 1

typedef struct golden_t {
    const char *input;
    size_t input_size;
    const char *output;
    size_t output_size;
} golden_t;

static void s_expect_text (call_fixture_t *call, const char *expected, size_t expected_size) {
    size_t size = 0;
    const char *text = call_fixture_text (call, &size);
    assert_non_null (text);
    if (size != expected_size || memcmp (text, expected, size) != 0) {
        fail_msg ("expected \"%.*s\", got \"%.*s\"", (int) expected_size, expected, (int) size,
                  text);
    }
}

static void s_expect_golden (const char *processor, const golden_t *cases, size_t cases_count) {
    call_fixture_t *call = call_fixture_new (processor);
    for (size_t i = 0; i < cases_count; i++) {
        call_fixture_give_text (call, cases[i].input, cases[i].input_size);
        assert_int_equal (call_fixture_run (call), 0);
        s_expect_text (call, cases[i].output, cases[i].output_size);
        assert_string_equal (call_fixture_metadata (call), "");
    }
    call_fixture_destroy (&call);
}

#define EXPECT_GOLDEN(processor, cases) \
    s_expect_golden (processor, cases, sizeof (cases) / sizeof (cases)[0])

/* ---- Letter case -------------------------------------------------------------------------- */

static void upper_maps_the_text_by_unicodes_full_mappings (void **state) {
    (void) state;
    static const golden_t cases[] = {
        {TEXT (""), TEXT ("")},
        {TEXT ("Hello, World! 123"), TEXT ("HELLO, WORLD! 123")},
        {TEXT (" \t\r\n"), TEXT (" \t\r\n")},
        {TEXT ("@AZ[`az{"), TEXT ("@AZ[`AZ{")},
        {TEXT ("straße"), TEXT ("STRASSE")},
        {TEXT ("ŉ"), TEXT ("ʼN")},
        {TEXT ("\u0390"), TEXT ("Ι\u0308\u0301")},
        {TEXT ("ﬁn"), TEXT ("FIN")},
        {TEXT ("ᾳ"), TEXT ("ΑΙ")},
        {TEXT ("ǆ ǅ"), TEXT ("Ǆ Ǆ")},
        {TEXT ("σς"), TEXT ("ΣΣ")},
        {TEXT ("iı"), TEXT ("II")},
        {TEXT ("ⅷⓐ"), TEXT ("ⅧⒶ")},
        {TEXT ("e\u0301"), TEXT ("E\u0301")},
        {TEXT ("𐐨"), TEXT ("𐐀")},
        {TEXT ("a\0b"), TEXT ("A\0B")},
    };
    EXPECT_GOLDEN ("change_text_case_upper", cases);
}

static void lower_maps_the_text_as_one (void **state) {
    (void) state;
    static const golden_t cases[] = {
        {TEXT (""), TEXT ("")},
        {TEXT ("Hello, World! 123"), TEXT ("hello, world! 123")},
        {TEXT ("@AZ[`az{"), TEXT ("@az[`az{")},
        {TEXT ("STRASSE ẞ"), TEXT ("strasse ß")},
        {TEXT ("İ"), TEXT ("i\u0307")},
        {TEXT ("Ⱥ"), TEXT ("ⱥ")},
        {TEXT ("Ⅷ Ⓐ"), TEXT ("ⅷ ⓐ")},
        {TEXT ("ǅ"), TEXT ("ǆ")},
        {TEXT ("A\0B"), TEXT ("a\0b")},
        {TEXT ("𐐀"), TEXT ("𐐨")},
    };
    EXPECT_GOLDEN ("change_text_case_lower", cases);
}

static void lower_finds_the_final_sigma (void **state) {
    (void) state;
    static const golden_t cases[] = {
        {TEXT ("Σ"), TEXT ("σ")},
        {TEXT ("ΟΔΟΣ"), TEXT ("οδος")},
        {TEXT ("ΟΔΟΣ ΣΟΦΟΣ\nΣ"), TEXT ("οδος σοφος\nσ")},
        {TEXT ("ΣΣΣ"), TEXT ("σσς")},
        {TEXT ("AΣ"), TEXT ("aς")},
        {TEXT ("1Σ"), TEXT ("1σ")},
        {TEXT ("ΑΣ1"), TEXT ("ας1")},
        {TEXT ("ΑΣ."), TEXT ("ας.")},
        {TEXT ("ΑΣ.Α"), TEXT ("ασ.α")},
        {TEXT ("Α\u0301Σ\u0301"), TEXT ("α\u0301ς\u0301")},
        {TEXT ("ΑΣ\u0301Α"), TEXT ("ασ\u0301α")},
        {TEXT ("Α'Σ"), TEXT ("α'ς")},
        {TEXT ("ΑΣ'Α"), TEXT ("ασ'α")},
        {TEXT ("'Σ'"), TEXT ("'σ'")},
        {TEXT ("Α\u00adΣ"), TEXT ("α\u00adς")},
        {TEXT ("Α一Σ"), TEXT ("α一σ")},
        {TEXT ("Α\u02b0Σ\u02b0"), TEXT ("α\u02b0ς\u02b0")},
        {TEXT ("σς"), TEXT ("σς")},
    };
    EXPECT_GOLDEN ("change_text_case_lower", cases);
}

static void proper_capitalises_each_word_and_joins_them_with_one_space (void **state) {
    (void) state;
    static const golden_t cases[] = {
        {TEXT (""), TEXT ("")},
        {TEXT (" \t\n\u3000\u00a0 "), TEXT ("")},
        {TEXT ("hello"), TEXT ("Hello")},
        {TEXT ("  hELLO \t\r\n  wORLD  "), TEXT ("Hello World")},
        {TEXT ("a\302\205b\u00a0c\u1680d\u2028e\u202ff\u205fg\u3000h\vi\fj"),
         TEXT ("A B C D E F G H I J")},
        {TEXT ("a\u200bB\u180eC\ufeffD\u2060E\034F"), TEXT ("A\u200bb\u180ec\ufeffd\u2060e\034f")},
        {TEXT ("the LORD of THE rings"), TEXT ("The Lord Of The Rings")},
        {TEXT ("ßen ŉa ǆUR \u0390α ﬁN"), TEXT ("SSen ʼNa Ǆur Ι\u0308\u0301α FIn")},
        {TEXT ("İSTANBUL"), TEXT ("İstanbul")},
        {TEXT ("ISTANBUL Aİ"), TEXT ("Istanbul Ai\u0307")},
        {TEXT ("ΟΔΟΣ ΑΣ Σ ςα"), TEXT ("Οδος Ασ Σ Σα")},
        {TEXT ("o'NEIL-SMITH \"quoted\" 3D (x"), TEXT ("O'neil-smith \"quoted\" 3d (x")},
        {TEXT ("\u0301ABC"), TEXT ("\u0301abc")},
        {TEXT ("e\u0301A"), TEXT ("E\u0301a")},
        {TEXT ("ⅷ ½A 一B"), TEXT ("Ⅷ ½a 一b")},
        {TEXT ("a\0B c"), TEXT ("A\0b C")},
    };
    EXPECT_GOLDEN ("change_text_case_proper", cases);
}

static void title_leaves_small_words_in_lower_case_after_the_first_word (void **state) {
    (void) state;
    static const golden_t cases[] = {
        {TEXT (""), TEXT ("")},
        {TEXT ("\n"), TEXT ("")},
        {TEXT ("the LORD of THE rings"), TEXT ("The Lord of the Rings")},
        {TEXT ("  OF  mice AND men "), TEXT ("Of Mice and Men")},
        {TEXT ("X A AN THE AND OR BUT IN ON AT TO FOR OF WITH BY"),
         TEXT ("X a an the and or but in on at to for of with by")},
        {TEXT ("x from as is nor so up ins o b anD"), TEXT ("X From As Is Nor So Up Ins O B and")},
        {TEXT ("a a A"), TEXT ("A a a")},
        {TEXT ("end of, (the) the. the-end"), TEXT ("End Of, (the) The. The-end")},
        {TEXT ("x\u3000OF\302\205THE"), TEXT ("X of the")},
        {TEXT ("x İn ιn"), TEXT ("X İn Ιn")},
        {TEXT ("ßen to ΟΔΟΣ"), TEXT ("SSen to Οδος")},
        {TEXT ("x of\0 the"), TEXT ("X Of\0 the")},
    };
    EXPECT_GOLDEN ("change_text_case_title", cases);
}

/* ---- Other transforms --------------------------------------------------------------------- */

static void reverse_goes_by_code_point (void **state) {
    (void) state;
    static const golden_t cases[] = {
        {TEXT (""), TEXT ("")},
        {TEXT ("a"), TEXT ("a")},
        {TEXT ("abc\n"), TEXT ("\ncba")},
        {TEXT ("aé€😀z"), TEXT ("z😀€éa")},
        {TEXT ("e\u0301x"), TEXT ("x\u0301e")},
        {TEXT ("1\r\n2"), TEXT ("2\n\r1")},
        {TEXT ("a\0b"), TEXT ("b\0a")},
        {TEXT ("👨\u200d👩"), TEXT ("👩\u200d👨")},
    };
    EXPECT_GOLDEN ("reverse_text", cases);
}

static void prefix_and_suffix_are_brackets_unless_said_otherwise (void **state) {
    (void) state;
    static const golden_t cases[] = {
        {TEXT (""), TEXT ("[]")},
        {TEXT ("a é\n"), TEXT ("[a é\n]")},
    };
    EXPECT_GOLDEN ("prefix_suffix_adder", cases);
    call_fixture_t *call = call_fixture_new ("prefix_suffix_adder");
    call_fixture_set_text (call, "prefix", "«");
    call_fixture_set_text (call, "suffix", "");
    call_fixture_give_text (call, TEXT ("x"));
    assert_int_equal (call_fixture_run (call), 0);
    s_expect_text (call, TEXT ("«x"));
    call_fixture_set_text (call, "prefix", "");
    call_fixture_give_text (call, TEXT (""));
    assert_int_equal (call_fixture_run (call), 0);
    s_expect_text (call, TEXT (""));
    call_fixture_destroy (&call);
}

static void a_text_option_that_is_not_utf8_stops_the_start (void **state) {
    (void) state;
    static const char *const options[][2] = {
        {"prefix_suffix_adder", "suffix"}, {"concat", "separator"}, {"fail", "message"}};
    for (size_t i = 0; i < sizeof options / sizeof options[0]; i++) {
        char why[200] = "";
        call_fixture_t *call = call_fixture_new (options[i][0]);
        assert_int_equal (call_fixture_start (call, why, sizeof why), 0);
        call_fixture_set_text (call, options[i][1], "ab\xff");
        assert_int_not_equal (call_fixture_start (call, why, sizeof why), 0);
        char expected[200];
        snprintf (expected, sizeof expected, "its option %s is not UTF-8 at byte offset 2",
                  options[i][1]);
        assert_string_equal (why, expected);
        call_fixture_destroy (&call);
    }
}

static void identity_passes_any_value_on (void **state) {
    (void) state;
    static const char map[] = "\x81\xa1k\x93\x01\xc0\xcb\x40\x09\x21\xfb\x54\x44\x2d\x18";
    call_fixture_t *call = call_fixture_new ("identity");
    call_fixture_give_value (call, TEXT (map));
    assert_int_equal (call_fixture_run (call), 0);
    size_t size = 0;
    const void *value = call_fixture_value (call, &size);
    assert_int_equal (size, sizeof map - 1);
    assert_memory_equal (value, map, size);
    call_fixture_destroy (&call);
}

/* ---- concat ------------------------------------------------------------------------------- */

static void concat_joins_its_dependencies_in_their_order (void **state) {
    (void) state;
    call_fixture_t *call = call_fixture_new ("concat");
    call_fixture_give_text (call, TEXT ("not this"));
    assert_int_equal (call_fixture_run (call), 0);
    s_expect_text (call, TEXT (""));
    call_fixture_depend_text (call, "z", TEXT ("é1"));
    call_fixture_depend_text (call, "b", TEXT (""));
    call_fixture_depend_text (call, "a", TEXT ("2"));
    assert_int_equal (call_fixture_run (call), 0);
    s_expect_text (call, TEXT ("é12"));
    call_fixture_set_text (call, "separator", ", ");
    assert_int_equal (call_fixture_run (call), 0);
    s_expect_text (call, TEXT ("é1, , 2"));
    call_fixture_destroy (&call);
}

static void concat_passes_over_dependencies_without_an_output (void **state) {
    (void) state;
    call_fixture_t *call = call_fixture_new ("concat");
    call_fixture_set_text (call, "separator", "-");
    call_fixture_depend_nothing (call, "first");
    assert_int_equal (call_fixture_run (call), 0);
    s_expect_text (call, TEXT (""));
    call_fixture_depend_text (call, "a", TEXT ("1"));
    call_fixture_depend_nothing (call, "b");
    call_fixture_depend_text (call, "c", TEXT ("3"));
    call_fixture_depend_nothing (call, "last");
    assert_int_equal (call_fixture_run (call), 0);
    s_expect_text (call, TEXT ("1-3"));
    call_fixture_destroy (&call);
}

static void concat_names_the_dependency_that_gave_no_text (void **state) {
    (void) state;
    call_fixture_t *call = call_fixture_new ("concat");
    call_fixture_depend_text (call, "good", TEXT ("1"));
    call_fixture_depend_value (call, "odd one", TEXT ("\x07"));
    assert_int_equal (call_fixture_run (call), 400);
    assert_string_equal (call_fixture_message (call), "the output of odd one is not text but an "
                                                      "integer; give a str or a bin in UTF-8");
    call_fixture_destroy (&call);
    call = call_fixture_new ("concat");
    call_fixture_depend_value (call, "raw", TEXT ("\xc4\x03x\x80y"));
    assert_int_equal (call_fixture_run (call), 400);
    assert_string_equal (call_fixture_message (call),
                         "the output of raw is not UTF-8: the byte 0x80 at offset 1 begins no "
                         "character; convert it to UTF-8");
    call_fixture_destroy (&call);
}

/* ---- Analyzers ---------------------------------------------------------------------------- */

static void s_expect_metadata (const char *processor, const char *input, size_t size,
                               const char *expected) {
    call_fixture_t *call = call_fixture_new (processor);
    call_fixture_give_text (call, input, size);
    assert_int_equal (call_fixture_run (call), 0);
    s_expect_text (call, TEXT (""));
    assert_string_equal (call_fixture_metadata (call), expected);
    call_fixture_destroy (&call);
}

static void token_counter_counts_code_points_words_and_lines (void **state) {
    (void) state;
    static const struct {
        const char *text;
        size_t size;
        const char *counts;
    } cases[] = {
        {TEXT (""), "char_count=0\nline_count=1\nword_count=0\n"},
        {TEXT ("\n"), "char_count=1\nline_count=1\nword_count=0\n"},
        {TEXT ("\n\n"), "char_count=2\nline_count=2\nword_count=0\n"},
        {TEXT (" \t\u3000\302\205"), "char_count=4\nline_count=1\nword_count=0\n"},
        {TEXT ("a"), "char_count=1\nline_count=1\nword_count=1\n"},
        {TEXT ("a\n"), "char_count=2\nline_count=1\nword_count=1\n"},
        {TEXT ("a\nb"), "char_count=3\nline_count=2\nword_count=2\n"},
        {TEXT ("a\r\nb\r\n"), "char_count=6\nline_count=2\nword_count=2\n"},
        {TEXT ("a\rb\u2028c\302\205d"), "char_count=7\nline_count=1\nword_count=4\n"},
        {TEXT ("e\u0301é 😀 -- ½"), "char_count=10\nline_count=1\nword_count=4\n"},
        {TEXT ("a\u00a0b\u3000c\u200bd"), "char_count=7\nline_count=1\nword_count=3\n"},
        {TEXT ("a\0 b"), "char_count=4\nline_count=1\nword_count=2\n"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        s_expect_metadata ("token_counter", cases[i].text, cases[i].size, cases[i].counts);
}

static void word_frequency_counts_by_alphabetic_and_numeric_code_points_in_lower_case (
    void **state) {
    (void) state;
    static const struct {
        const char *text;
        size_t size;
        const char *counts;
    } cases[] = {
        {TEXT (""), "total_unique_words=0\n"},
        {TEXT (" \n -- ... '' \u0301 \u200b \0"), "total_unique_words=0\n"},
        {TEXT ("The the, (THE) t-h-e!"), "total_unique_words=1\nword_freq_the=4\n"},
        {TEXT ("b a b c a b"),
         "total_unique_words=3\nword_freq_a=2\nword_freq_b=3\nword_freq_c=1\n"},
        {TEXT ("don't dont 42 4,2"), "total_unique_words=2\nword_freq_42=2\nword_freq_dont=2\n"},
        {TEXT ("½ Ⅷ ⅷ ٣ ² Ⓐ 一"),
         "total_unique_words=6\nword_freq_²=1\nword_freq_½=1\nword_freq_٣=1\nword_freq_ⅷ=2\n"
         "word_freq_ⓐ=1\nword_freq_一=1\n"},
        {TEXT ("Straße STRASSE"),
         "total_unique_words=2\nword_freq_strasse=1\nword_freq_straße=1\n"},
        {TEXT ("İ"), "total_unique_words=1\nword_freq_i\u0307=1\n"},
        {TEXT ("e\u0301a ea é"), "total_unique_words=2\nword_freq_ea=2\nword_freq_é=1\n"},
        {TEXT ("ΟΔΟΣ, Οδος ΟΔΟΣ!Α Σ!"),
         "total_unique_words=3\nword_freq_οδος=2\nword_freq_οδοσα=1\nword_freq_σ=1\n"},
        {TEXT ("1-Α-Σ- Α-1-Σ"), "total_unique_words=2\nword_freq_1ας=1\nword_freq_α1σ=1\n"},
        {TEXT ("हिन्दी"), "total_unique_words=1\nword_freq_हिनदी=1\n"},
        {TEXT ("a\u3000A\302\205a\u00a0a"), "total_unique_words=1\nword_freq_a=4\n"},
        {TEXT ("total_unique_words"), "total_unique_words=1\nword_freq_totaluniquewords=1\n"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        s_expect_metadata ("word_frequency_analyzer", cases[i].text, cases[i].size,
                           cases[i].counts);
    }
}

/* ---- What is not text --------------------------------------------------------------------- */

static const char *const s_of_text[] = {
    "change_text_case_upper", "change_text_case_lower", "change_text_case_proper",
    "change_text_case_title", "reverse_text",           "prefix_suffix_adder",
    "token_counter",          "word_frequency_analyzer"};
#define OF_TEXT_COUNT (sizeof s_of_text / sizeof s_of_text[0])

static void a_payload_that_is_not_text_fails_with_400_and_says_what_it_is (void **state) {
    (void) state;
    static const struct {
        const char *value;
        size_t size;
        const char *kind;
    } cases[] = {
        {TEXT ("\x07"), "an integer"},
        {TEXT ("\xff"), "an integer"},
        {TEXT ("\xcd\x01\x00"), "an integer"},
        {TEXT ("\xd0\x80"), "an integer"},
        {TEXT ("\x81\xa1x\x01"), "a map"},
        {TEXT ("\xde\x00\x00"), "a map"},
        {TEXT ("\x91\xa1x"), "an array"},
        {TEXT ("\xdc\x00\x00"), "an array"},
        {TEXT ("\xc0"), "nil"},
        {TEXT ("\xc3"), "a boolean"},
        {TEXT ("\xca\x00\x00\x00\x00"), "a floating-point number"},
        {TEXT ("\xd4\x01x"), "an extension type"},
        {TEXT ("\xc7\x01\x05x"), "an extension type"},
    };
    for (size_t i = 0; i < OF_TEXT_COUNT; i++) {
        call_fixture_t *call = call_fixture_new (s_of_text[i]);
        for (size_t j = 0; j < sizeof cases / sizeof cases[0]; j++) {
            char expected[200];
            snprintf (expected, sizeof expected,
                      "the payload is not text but %s; give a str or a bin in UTF-8",
                      cases[j].kind);
            call_fixture_give_value (call, cases[j].value, cases[j].size);
            assert_int_equal (call_fixture_run (call), 400);
            assert_string_equal (call_fixture_message (call), expected);
        }
        call_fixture_destroy (&call);
    }
}

static void a_payload_that_is_not_utf8_fails_with_400_and_names_the_byte (void **state) {
    (void) state;
    static const struct {
        const char *text;
        size_t size;
        unsigned byte, offset;
    } cases[] = {
        {TEXT ("\xff"), 0xff, 0},
        {TEXT ("abc\x80xyz"), 0x80, 3},
        {TEXT ("é\xe2\x82"), 0xe2, 2},           /* cut short */
        {TEXT ("a\xc0\x80"), 0xc0, 1},           /* longer than needed */
        {TEXT ("ab\xed\xa0\x80"), 0xed, 2},      /* a surrogate */
        {TEXT ("abc\xf4\x90\x80\x80"), 0xf4, 3}, /* above U+10FFFF */
        {TEXT ("\0\0\0\0\xf8\x88\x80\x80\x80"), 0xf8, 4},
    };
    for (size_t i = 0; i < OF_TEXT_COUNT; i++) {
        call_fixture_t *call = call_fixture_new (s_of_text[i]);
        for (size_t j = 0; j < sizeof cases / sizeof cases[0]; j++) {
            char expected[200];
            snprintf (expected, sizeof expected,
                      "the payload is not UTF-8: the byte 0x%02X at offset %u begins no character; "
                      "convert it to UTF-8",
                      cases[j].byte, cases[j].offset);
            call_fixture_give_text (call, cases[j].text, cases[j].size);
            assert_int_equal (call_fixture_run (call), 400);
            assert_string_equal (call_fixture_message (call), expected);
        }
        call_fixture_destroy (&call);
    }
}

static void a_bin_of_utf8_is_text (void **state) {
    (void) state;
    for (size_t i = 0; i < OF_TEXT_COUNT; i++) {
        call_fixture_t *call = call_fixture_new (s_of_text[i]);
        call_fixture_give_value (call, TEXT ("\xc4\x02\xc3\xa9"));
        assert_int_equal (call_fixture_run (call), 0);
        assert_non_null (call_fixture_text (call, &(size_t){0}));
        call_fixture_destroy (&call);
    }
}

/* ---- Those that try out the rest ---------------------------------------------------------- */

static void fail_fails_with_its_code_and_its_message_verbatim (void **state) {
    (void) state;
    call_fixture_t *call = call_fixture_new ("fail");
    call_fixture_attempt (call, 1001);
    assert_int_equal (call_fixture_run (call), 500);
    assert_string_equal (call_fixture_message (call), "failed as asked");
    call_fixture_set_integer (call, "code", 7);
    call_fixture_set_text (call, "message", "100%s %n\n\"é\"");
    assert_int_equal (call_fixture_run (call), 7);
    assert_string_equal (call_fixture_message (call), "100%s %n\n\"é\"");
    assert_null (call_fixture_value (call, &(size_t){0}));
    call_fixture_destroy (&call);
}

static void fail_passes_its_payload_on_after_the_attempts_that_were_to_fail (void **state) {
    (void) state;
    call_fixture_t *call = call_fixture_new ("fail");
    call_fixture_set_integer (call, "times", 2);
    call_fixture_give_value (call, TEXT ("\x92\x01\x02"));
    for (unsigned attempt = 1; attempt <= 4; attempt++) {
        call_fixture_attempt (call, attempt);
        assert_int_equal (call_fixture_run (call), attempt <= 2 ? 500 : 0);
    }
    size_t size = 0;
    const void *value = call_fixture_value (call, &size);
    assert_int_equal (size, 3);
    assert_memory_equal (value, "\x92\x01\x02", 3);
    call_fixture_set_integer (call, "times", 0);
    call_fixture_attempt (call, 1);
    assert_int_equal (call_fixture_run (call), 0);
    call_fixture_destroy (&call);
}

static int64_t s_now_us (void) {
    struct timespec now;
    clock_gettime (CLOCK_MONOTONIC, &now);
    return (int64_t) now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

/* ---- Branches ----------------------------------------------------------------------------- */

static void s_pick (const char *text, int64_t first, int64_t count, const char *expected) {
    call_fixture_t *call = call_fixture_new ("pick_lines");
    call_fixture_set_integer (call, "first", first);
    call_fixture_set_integer (call, "count", count);
    call_fixture_give_text (call, text, strlen (text));
    assert_int_equal (call_fixture_run (call), 0);
    s_expect_text (call, expected, strlen (expected));
    call_fixture_destroy (&call);
}

static void pick_lines_gives_lines_without_the_end_of_the_last (void **state) {
    (void) state;
    s_pick ("one\ntwo\nthree", 1, 1, "one");
    s_pick ("one\ntwo\nthree", 2, 2, "two\nthree");
    s_pick ("one\ntwo\nthree\n", 3, 9, "three");
    s_pick ("one\ntwo\nthree", 4, 1, "");
    s_pick ("one\n\ntwo", 2, 1, "");
    s_pick ("one\n\ntwo", 2, 2, "\ntwo");
    s_pick ("one", 1, 0, "");
    s_pick ("", 1, 1, "");
    s_pick ("\n", 1, 1, "");
    s_pick ("one", 4294967295, 4294967295, "");
}

/* Whether skip_unless passes on text with this option set, and untouched. */
static bool s_passes (const char *option, const char *value, const char *text) {
    call_fixture_t *call = call_fixture_new ("skip_unless");
    call_fixture_set_text (call, option, value);
    call_fixture_give_text (call, text, strlen (text));
    int code = call_fixture_run (call);
    if (code == 0)
        s_expect_text (call, text, strlen (text));
    else
        assert_int_equal (code, DW_CALL_SKIPPED);
    call_fixture_destroy (&call);
    return code == 0;
}

static void skip_unless_passes_on_the_text_that_its_options_ask_for (void **state) {
    (void) state;
    assert_true (s_passes ("contains", "", ""));
    assert_true (s_passes ("contains", "b", "abc"));
    assert_false (s_passes ("contains", "bc", "ab c"));
    assert_false (s_passes ("contains", "abcd", "abc"));
    assert_true (s_passes ("begins_with", "ab", "abc"));
    assert_false (s_passes ("begins_with", "b", "abc"));
    assert_true (s_passes ("ends_with", "bc", "abc"));
    assert_false (s_passes ("ends_with", "b", "abc"));
    assert_true (s_passes ("equals", "abc", "abc"));
    assert_false (s_passes ("equals", "ab", "abc"));
    assert_false (s_passes ("equals", "abcd", "abc"));
}

static void skip_unless_asks_for_all_of_it_or_with_not_for_what_is_not_so (void **state) {
    (void) state;
    call_fixture_t *call = call_fixture_new ("skip_unless");
    call_fixture_set_text (call, "begins_with", "a");
    call_fixture_set_integer (call, "min_bytes", 3);
    call_fixture_give_text (call, TEXT ("abc"));
    assert_int_equal (call_fixture_run (call), 0);
    call_fixture_give_text (call, TEXT ("ab"));
    assert_int_equal (call_fixture_run (call), DW_CALL_SKIPPED);
    call_fixture_give_text (call, TEXT ("bbb"));
    assert_int_equal (call_fixture_run (call), DW_CALL_SKIPPED);
    call_fixture_destroy (&call);
    call = call_fixture_new ("skip_unless");
    call_fixture_set_boolean (call, "not", true);
    call_fixture_set_text (call, "contains", "x");
    call_fixture_give_text (call, TEXT ("abc"));
    assert_int_equal (call_fixture_run (call), 0);
    call_fixture_give_text (call, TEXT ("axc"));
    assert_int_equal (call_fixture_run (call), DW_CALL_SKIPPED);
    call_fixture_destroy (&call);
}

static void s_expect_to_take (const char *processor, const char *option, int64_t value,
                              int64_t least_us) {
    call_fixture_t *call = call_fixture_new (processor);
    call_fixture_set_integer (call, option, value);
    call_fixture_give_text (call, TEXT ("on"));
    int64_t start_us = s_now_us ();
    assert_int_equal (call_fixture_run (call), 0);
    assert_true (s_now_us () - start_us >= least_us);
    s_expect_text (call, TEXT ("on"));
    call_fixture_destroy (&call);
}

static void sleep_and_spin_take_their_time_and_pass_their_payload_on (void **state) {
    (void) state;
    s_expect_to_take ("sleep", "ms", 0, 0);
    s_expect_to_take ("sleep", "ms", 25, 25000);
    s_expect_to_take ("spin", "us", 0, 0);
    s_expect_to_take ("spin", "us", 3000, 3000);
}

static void sleep_and_spin_stop_when_they_are_cancelled (void **state) {
    (void) state;
    static const char *const cases[][2] = {{"sleep", "ms"}, {"spin", "us"}};
    for (size_t i = 0; i < 2; i++) {
        call_fixture_t *call = call_fixture_new (cases[i][0]);
        call_fixture_set_integer (call, cases[i][1], 60000000);
        call_fixture_cancel (call);
        int64_t start_us = s_now_us ();
        assert_int_equal (call_fixture_run (call), 499);
        assert_true (s_now_us () - start_us < 10000000); /* of a minute or more, on any machine */
        call_fixture_destroy (&call);
    }
}

int main (void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test (upper_maps_the_text_by_unicodes_full_mappings),
        cmocka_unit_test (lower_maps_the_text_as_one),
        cmocka_unit_test (lower_finds_the_final_sigma),
        cmocka_unit_test (proper_capitalises_each_word_and_joins_them_with_one_space),
        cmocka_unit_test (title_leaves_small_words_in_lower_case_after_the_first_word),
        cmocka_unit_test (reverse_goes_by_code_point),
        cmocka_unit_test (prefix_and_suffix_are_brackets_unless_said_otherwise),
        cmocka_unit_test (a_text_option_that_is_not_utf8_stops_the_start),
        cmocka_unit_test (identity_passes_any_value_on),
        cmocka_unit_test (concat_joins_its_dependencies_in_their_order),
        cmocka_unit_test (concat_passes_over_dependencies_without_an_output),
        cmocka_unit_test (concat_names_the_dependency_that_gave_no_text),
        cmocka_unit_test (token_counter_counts_code_points_words_and_lines),
        cmocka_unit_test (
            word_frequency_counts_by_alphabetic_and_numeric_code_points_in_lower_case),
        cmocka_unit_test (a_payload_that_is_not_text_fails_with_400_and_says_what_it_is),
        cmocka_unit_test (a_payload_that_is_not_utf8_fails_with_400_and_names_the_byte),
        cmocka_unit_test (a_bin_of_utf8_is_text),
        cmocka_unit_test (fail_fails_with_its_code_and_its_message_verbatim),
        cmocka_unit_test (fail_passes_its_payload_on_after_the_attempts_that_were_to_fail),
        cmocka_unit_test (pick_lines_gives_lines_without_the_end_of_the_last),
        cmocka_unit_test (skip_unless_passes_on_the_text_that_its_options_ask_for),
        cmocka_unit_test (skip_unless_asks_for_all_of_it_or_with_not_for_what_is_not_so),
        cmocka_unit_test (sleep_and_spin_take_their_time_and_pass_their_payload_on),
        cmocka_unit_test (sleep_and_spin_stop_when_they_are_cancelled),
    };
    return !!cmocka_run_group_tests (tests, NULL, NULL);
}
