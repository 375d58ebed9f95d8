/* test_error.c - the list of what went wrong. */

#include "runtime/core/error.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/support/random.h"

static int s_new (void **state) {
    *state = dw_error_new ();
    return *state ? 0 : -1;
}

static int s_destroy (void **state) {
    dw_error_t *error = *state;
    dw_error_destroy (&error);
    return error ? -1 : 0;
}

static void the_version_is_that_of_the_header (void **state) {
    char version[32];
    (void) state;
    snprintf (version, sizeof (version), "%d.%d.%d", DW_VERSION_MAJOR, DW_VERSION_MINOR,
              DW_VERSION_PATCH);
    assert_string_equal (dw_version (), version);
}

static void every_code_has_its_text (void **state) {
    (void) state;
#define X(name, value, text) assert_string_equal (dw_err_text (name), text);
    DW_ERRORS (X)
#undef X
    assert_string_equal (dw_err_text (-4711), "an unknown error");
    assert_string_equal (dw_err_text (1), "an unknown error");
}

static void a_new_list_is_empty (void **state) {
    assert_int_equal (dw_error_code (*state), DW_OK);
    assert_int_equal (dw_error_count (*state), 0);
    assert_string_equal (dw_error_text (*state), "");
    assert_string_equal (dw_error_message (*state, 0), "");
}

static void a_message_begins_with_its_place (void **state) {
    dw_place_t in_file = {"g.yaml", 3, 5}, in_text = {NULL, 3, 5}, whole_file = {"g.yaml", 0, 0};
    assert_int_equal (dw_error_add (*state, DW_EGRAPH, in_file, "no %s", "good"), DW_EGRAPH);
    dw_error_add (*state, DW_EGRAPH, in_text, "no good");
    dw_error_add (*state, DW_EGRAPH, whole_file, "no good");
    dw_error_add (*state, DW_EGRAPH, DW_NOWHERE, "no good");
    dw_error_warn (*state, in_file, "dubious");
    assert_string_equal (dw_error_message (*state, 0), "g.yaml:3:5: error: no good");
    assert_string_equal (dw_error_message (*state, 1), "3:5: error: no good");
    assert_string_equal (dw_error_message (*state, 2), "g.yaml: error: no good");
    assert_string_equal (dw_error_message (*state, 3), "error: no good");
    assert_string_equal (dw_error_message (*state, 4), "g.yaml:3:5: warning: dubious");
}

static void the_text_has_a_line_for_each_message (void **state) {
    dw_error_add (*state, DW_EFILE, DW_NOWHERE, "one");
    assert_string_equal (dw_error_text (*state), "error: one\n");
    dw_error_warn (*state, DW_NOWHERE, "two");
    assert_string_equal (dw_error_text (*state), "error: one\nwarning: two\n");
    assert_int_equal (dw_error_count (*state), 2);
    assert_string_equal (dw_error_message (*state, 2), "");
}

static void the_first_error_gives_the_code_and_a_warning_gives_none (void **state) {
    dw_error_warn (*state, DW_NOWHERE, "dubious");
    assert_int_equal (dw_error_code (*state), DW_OK);
    assert_int_equal (dw_error_add (*state, DW_EFILE, DW_NOWHERE, "first"), DW_EFILE);
    assert_int_equal (dw_error_add (*state, DW_EGRAPH, DW_NOWHERE, "second"), DW_EGRAPH);
    assert_int_equal (dw_error_code (*state), DW_EFILE);
}

static void no_list_is_a_list_that_forgets (void **state) {
    dw_error_t *none = NULL;
    assert_int_equal (dw_error_add (NULL, DW_EFILE, DW_NOWHERE, "gone"), DW_EFILE);
    dw_error_warn (NULL, DW_NOWHERE, "gone");
    assert_int_equal (dw_error_code (NULL), DW_OK);
    assert_int_equal (dw_error_count (NULL), 0);
    assert_string_equal (dw_error_text (NULL), "");
    assert_string_equal (dw_error_message (NULL, 0), "");
    assert_int_equal (dw_error_count (*state), 0);
    dw_error_destroy (&none);
}

static void messages_are_sorted_by_line_then_column_from_where_one_says (void **state) {
    static const uint32_t places[][2] = {{9, 9},  {0, 0}, {3, 7}, {3, 2},
                                         {12, 1}, {3, 2}, {0, 0}, {1, 40}};
    static const int order[] = {0, 7, 3, 5, 2, 4, 1, 6}; /* the first is left where it is */
    char text[512] = "", expected[64];
    size_t used = 0;
    dw_error_sort (NULL, 0);
    dw_error_sort (*state, 0);
    for (int i = 0; i < 8; i++) {
        dw_place_t place = {"g.yaml", places[i][0], places[i][1]};
        if (i % 2)
            dw_error_add (*state, DW_EGRAPH, place, "number %d", i);
        else
            dw_error_warn (*state, place, "number %d", i);
    }
    dw_error_sort (*state, 8);
    dw_error_sort (*state, 7);
    assert_non_null (strstr (dw_error_message (*state, 7), "number 7"));
    dw_error_sort (*state, 1);
    for (size_t i = 0; i < 8; i++) {
        snprintf (expected, sizeof (expected), "number %d", order[i]);
        const char *message = dw_error_message (*state, i);
        assert_non_null (strstr (message, expected));
        used += (size_t) snprintf (text + used, sizeof (text) - used, "%s\n", message);
    }
    assert_string_equal (dw_error_text (*state), text);
    assert_int_equal (dw_error_code (*state), DW_EGRAPH);
    dw_error_add (*state, DW_EGRAPH, DW_NOWHERE, "number 8");
    assert_string_equal (dw_error_message (*state, 8), "error: number 8");
}

static void a_message_is_one_line_with_control_characters_escaped (void **state) {
    dw_place_t place = {"a\nb.yaml", 1, 2};
    dw_error_add (*state, DW_EGRAPH, place, "id \"%s\"", "\t\r\n\x1b[31m\x7f\xc2\x9b");
    assert_string_equal (dw_error_message (*state, 0),
                         "a\\nb.yaml:1:2: error: id \"\\t\\r\\n\\x1b[31m\\x7f\\xc2\\x9b\"");
    dw_error_add (*state, DW_EGRAPH, DW_NOWHERE, "%s",
                  "Stra\xc3\x9f"
                  "e \xe2\x82\xac \xc2\xa0\xc2");
    assert_string_equal (dw_error_message (*state, 1), "error: Stra\xc3\x9f"
                                                       "e \xe2\x82\xac \xc2\xa0\xc2");
}

static void a_very_long_message_is_cut_between_code_points (void **state) {
    char text[6001];
    for (int shift = 0; shift < 3; shift++) {
        memset (text, 'x', sizeof (text));
        for (size_t at = (size_t) shift; at + 3 < sizeof (text); at += 3)
            memcpy (text + at, "\xe2\x82\xac", 3);
        text[sizeof (text) - 1] = '\0';
        dw_error_add (*state, DW_EGRAPH, DW_NOWHERE, "%s", text);
        const char *message = dw_error_message (*state, (size_t) shift);
        size_t length = strlen (message);
        assert_in_range (length, 4080, 4095);
        assert_string_equal (message + length - 3, "...");
        assert_int_equal ((length - 3 - strlen ("error: ") - (size_t) shift) % 3, 0);
    }
}

static void a_message_full_of_control_characters_is_kept (void **state) {
    char text[5001];
    memset (text, 1, sizeof (text) - 1);
    text[sizeof (text) - 1] = '\0';
    dw_error_add (*state, DW_EGRAPH, DW_NOWHERE, "%s", text);
    assert_in_range (strlen (dw_error_message (*state, 0)), 16000, 16400);
}

static void a_file_name_beyond_all_measure_is_left_out (void **state) {
    char file[5001];
    memset (file, 'f', sizeof (file) - 1);
    file[sizeof (file) - 1] = '\0';
    dw_error_add (*state, DW_EGRAPH, (dw_place_t){file, 1, 2}, "no good");
    assert_string_equal (dw_error_message (*state, 0), "error: no good");
}

static void many_messages_keep_their_order (void **state) {
    char message[64];
    for (int index = 0; index < 5000; index++)
        dw_error_add (*state, DW_EGRAPH, DW_NOWHERE, "number %d", index);
    assert_int_equal (dw_error_count (*state), 5000);
    for (int index = 0; index < 5000; index++) {
        snprintf (message, sizeof (message), "error: number %d", index);
        assert_string_equal (dw_error_message (*state, (size_t) index), message);
    }
    const char *end = dw_error_text (*state) + strlen (dw_error_text (*state));
    assert_string_equal (end - strlen ("error: number 4999\n"), "error: number 4999\n");
}

static void a_list_is_destroyed_once (void **state) {
    dw_error_t *other = dw_error_new ();
    (void) state;
    dw_error_add (other, DW_ELIMIT, DW_NOWHERE, "theirs");
    dw_error_destroy (&other);
    assert_null (other);
    dw_error_destroy (&other);
}

static void what_moves_a_cursor_is_escaped_or_tamed (void **state) {
    char text[] = "a\x1b[31mb\xc2\x9b"
                  "1mc\xc3\xa9\x7f\t";
    char escaped[sizeof text * DW_ESCAPED_MAX];
    (void) state;
    size_t length = dw_error_escape (escaped, text, strlen (text));
    assert_string_equal (escaped, "a\\x1b[31mb\\xc2\\x9b"
                                  "1mc\xc3\xa9\\x7f\\t");
    assert_int_equal (length, strlen (escaped));
    dw_error_tame (text);
    assert_string_equal (text, "a?[31mb?1mc\xc3\xa9??");
    assert_int_equal (dw_error_control ("\xc2\x9b"), 2);
    assert_int_equal (dw_error_control ("\xc2"), 0);
    assert_int_equal (dw_error_control (""), 0);
}

static const char *s_nearest (const char *word, const char *const *names) {
    const char *best = NULL;
    size_t distance = SIZE_MAX;
    for (; *names; names++)
        dw_error_nearest (word, *names, &best, &distance);
    return best;
}

static void the_nearest_name_is_the_one_with_the_fewest_errors (void **state) {
    const char *const names[] = {"reverse_text", "upper", "lower", "supper", "uper2", NULL};
    (void) state;
    assert_string_equal (s_nearest ("uper", names), "upper");
    assert_string_equal (s_nearest ("uppre", names), "upper");
    assert_string_equal (s_nearest ("lowr", names), "lower");
    assert_string_equal (s_nearest ("revers_txet", names), "reverse_text");
    assert_string_equal (s_nearest ("supper", names), "supper");
}

static void a_name_is_not_near_with_more_than_a_third_wrong (void **state) {
    const char *const six[] = {"abcdef", NULL}, *const two[] = {"ab", NULL}, *const none[] = {NULL};
    (void) state;
    assert_string_equal (s_nearest ("abcdxy", six), "abcdef");
    assert_null (s_nearest ("abcxyz", six));
    assert_null (s_nearest ("ax", two));
    assert_null (s_nearest ("", two));
    assert_null (s_nearest ("any", none));
}

static void names_of_more_than_64_bytes_are_not_looked_at (void **state) {
    char name[66], word[66];
    const char *names[] = {name, NULL};
    (void) state;
    memset (name, 'n', sizeof (name));
    memset (word, 'n', sizeof (word));
    name[64] = word[64] = '\0';
    word[0] = 'm';
    assert_ptr_equal (s_nearest (word, names), name);
    name[64] = 'n';
    name[65] = '\0';
    assert_null (s_nearest (word, names));
}

/* The textbook's definition, for words of up to 15. */
static size_t s_distance (const char *a, const char *b) {
    size_t d[16][16], a_size = strlen (a), b_size = strlen (b);
    for (size_t i = 0; i <= a_size; i++)
        for (size_t j = 0; j <= b_size; j++) {
            d[i][j] = i + j;
            if (i == 0 || j == 0)
                continue;
            size_t best = d[i - 1][j - 1] + (a[i - 1] != b[j - 1]);
            best = d[i - 1][j] + 1 < best ? d[i - 1][j] + 1 : best;
            best = d[i][j - 1] + 1 < best ? d[i][j - 1] + 1 : best;
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                best = d[i - 2][j - 2] + 1 < best ? d[i - 2][j - 2] + 1 : best;
            d[i][j] = best;
        }
    return d[a_size][b_size];
}

static void s_random_word (char *word) {
    int size = rand () % 16;
    for (int at = 0; at < size; at++)
        word[at] = (char) ('a' + rand () % 3);
    word[size] = '\0';
}

static void the_nearest_name_is_that_of_the_textbook (void **state) {
    unsigned seed = (unsigned) random_seed ();
    int near_count = 0;
    (void) state;
    srand (seed);
    for (int round = 0; round < 2000; round++) {
        char word[16], names[8][16];
        const char *best = NULL, *expected = NULL;
        size_t distance = SIZE_MAX, least = SIZE_MAX;
        s_random_word (word);
        for (int name = 0; name < 8; name++) {
            s_random_word (names[name]);
            dw_error_nearest (word, names[name], &best, &distance);
            size_t length = strlen (word) > strlen (names[name]) ? strlen (word)
                                                                 : strlen (names[name]);
            size_t errors = s_distance (word, names[name]);
            if (errors * 3 <= length && errors < least) {
                least = errors;
                expected = names[name];
            }
        }
        assert_ptr_equal (best, expected);
        assert_int_equal (distance, least);
        near_count += best != NULL;
    }
    assert_in_range (near_count, 100, 1999);
}

#define TEST(name) cmocka_unit_test_setup_teardown (name, s_new, s_destroy)

int main (void) {
    const struct CMUnitTest tests[] = {
        TEST (the_version_is_that_of_the_header),
        TEST (every_code_has_its_text),
        TEST (a_new_list_is_empty),
        TEST (a_message_begins_with_its_place),
        TEST (the_text_has_a_line_for_each_message),
        TEST (the_first_error_gives_the_code_and_a_warning_gives_none),
        TEST (no_list_is_a_list_that_forgets),
        TEST (messages_are_sorted_by_line_then_column_from_where_one_says),
        TEST (a_message_is_one_line_with_control_characters_escaped),
        TEST (a_very_long_message_is_cut_between_code_points),
        TEST (a_message_full_of_control_characters_is_kept),
        TEST (a_file_name_beyond_all_measure_is_left_out),
        TEST (many_messages_keep_their_order),
        TEST (a_list_is_destroyed_once),
        TEST (what_moves_a_cursor_is_escaped_or_tamed),
        TEST (the_nearest_name_is_the_one_with_the_fewest_errors),
        TEST (a_name_is_not_near_with_more_than_a_third_wrong),
        TEST (names_of_more_than_64_bytes_are_not_looked_at),
        TEST (the_nearest_name_is_that_of_the_textbook),
    };
    return !!cmocka_run_group_tests (tests, NULL, NULL);
}
