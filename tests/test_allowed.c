/* test_allowed.c - the allow-list, and the folder in which a coordinator keeps it with its keys. */

#include "actors/allowed.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "actors/keyring.h"
#include "tests/support/random.h"

#define A "Yne@$w-vo<fVvi]a<NY6T1ed:M$fCG*[IaLVOlwF"
#define B "rq:rM>}U?@Lns47E1%kR.o@n%FcmmsL/@{H8]yf7"
#define C "W0wd!>}U?@Lns47E1%kR.o@n%FcmmsL/@{H8]y##"

static int s_set_up (void **state) {
    *state = dw_error_new ();
    return *state ? 0 : -1;
}

static int s_tear_down (void **state) {
    dw_error_t *error = *state;
    dw_error_destroy (&error);
    return 0;
}

static dw_allowed_t *s_parse (dw_error_t *error, const char *text) {
    dw_allowed_t *list = NULL;
    if (dw_allowed_parse (&list, text, strlen (text), "f", error))
        fail_msg ("%s", dw_error_text (error));
    return list;
}

static unsigned s_find (const dw_allowed_t *list, const char *text, const char **name_p) {
    uint8_t key[DW_KEY_SIZE];
    assert_true (dw_key_decode (key, text, strlen (text)));
    return dw_allowed_find (list, key, name_p);
}

/* ---- What it says ----------------------------------------------------------------------------- */

static void a_key_has_the_roles_of_all_its_lines (void **state) {
    const char *name;
    dw_allowed_t *list = s_parse (*state, "worker " A " node-17\n"
                                          "monitor " B " bob@example.org\n"
                                          "client " B " bob@example.org\n");
    assert_int_equal (dw_allowed_count (list), 2);
    assert_int_equal (s_find (list, A, &name), DW_ROLE_WORKER);
    assert_string_equal (name, "node-17");
    assert_int_equal (s_find (list, B, &name), DW_ROLE_CLIENT | DW_ROLE_MONITOR);
    assert_string_equal (name, "bob@example.org");
    assert_int_equal (s_find (list, C, &name), 0);
    assert_null (name);
    assert_int_equal (s_find (list, C, NULL), 0);
    dw_allowed_destroy (&list);
    assert_null (list);
    dw_allowed_destroy (&list);
}

static void an_empty_list_lets_nobody_in (void **state) {
    static const char *const texts[] = {"", "\n\n", "# worker " A " x\n", "  \t\r\n#"};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        dw_allowed_t *list = s_parse (*state, texts[i]);
        assert_int_equal (dw_allowed_count (list), 0);
        assert_int_equal (s_find (list, A, NULL), 0);
        dw_allowed_destroy (&list);
    }
}

static void a_comment_is_a_line_of_its_own_or_follows_a_name (void **state) {
    const char *name;
    dw_allowed_t *list = s_parse (*state,
                                  "  # the corner\n\tworker\t" C "  x # \xc3\xa9 \x01 # y\r\n"
                                  "client " A " two-keys #old\nclient " B " two-keys #new");
    assert_int_equal (dw_allowed_count (list), 3);
    assert_int_equal (s_find (list, C, &name), DW_ROLE_WORKER);
    assert_string_equal (name, "x");
    assert_int_equal (s_find (list, B, &name), DW_ROLE_CLIENT);
    assert_string_equal (name, "two-keys");
    dw_allowed_destroy (&list);
}

/* ---- What is wrong ---------------------------------------------------------------------------- */

typedef struct s_case_t {
    const char *text, *said;
} s_case_t;

static void every_wrong_line_is_refused_with_its_place (void **state) {
    (void) state;
    static const char zeros[] = "worker 0000000000000000000000000000000000000000 x";
    static const s_case_t cases[] = {
        {"boss " A " x\n", "f:1:1: error: a line begins with worker, client or monitor\n"},
        {"Worker " A " x\n", "f:1:1: error: a line begins with worker, client or monitor\n"},
        {"worker\n", "f:1:7: error: \"ROLE KEY NAME\" is expected\n"},
        {"worker " A "\n", "f:1:48: error: a name is missing behind the key\n"},
        {"worker " A "x y\n", "f:1:8: error: that is no key, which has 40 characters of Z85\n"},
        {"worker  short y\n", "f:1:9: error: that is no key, which has 40 characters of Z85\n"},
        {zeros, "f:1:8: error: that is no key"},
        {"worker " A " x y\n", "f:1:51: error: nothing but a comment (# ...) follows a name\n"},
        {"worker " A " x/y\n", "f:1:49: error: that is no name, which has up to 63 letters"},
        {"worker " A " #x\n", "f:1:49: error: that is no name"},
        {"worker " A " \xc3\xa9\n", "f:1:49: error: that is no name"},
        {"worker " A " x\n\nworker " A " x\n",
         "f:3:1: error: x has this role with this key already\n"},
        {"worker " A " x\nclient " B " z\nclient " A " y\n",
         "f:3:1: error: this key is named y here and x in line 1\n"},
        {"boss short x/y\n", "f:1:1: error: a line begins with"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        dw_error_t *error = dw_error_new ();
        dw_allowed_t *list = NULL;
        size_t size = strlen (cases[i].text);
        assert_int_equal (dw_allowed_parse (&list, cases[i].text, size, "f", error), DW_EKEY);
        assert_null (list);
        if (!strstr (dw_error_text (error), cases[i].said))
            fail_msg ("%s said:\n%s", cases[i].text, dw_error_text (error));
        assert_null (strstr (dw_error_text (error), "short")); /* it could be a secret key */
        assert_int_equal (dw_allowed_parse (&list, cases[i].text, size, NULL, NULL), DW_EKEY);
        dw_error_destroy (&error);
    }
}

static void all_that_is_wrong_is_said_at_once_by_line (void **state) {
    dw_error_t *error = *state;
    dw_allowed_t *list = NULL;
    static const char text[] = "worker " B " b\nworker " B " b\nboss " A " x\nclient " B " c\n"
                               "client x\n";
    assert_int_equal (dw_allowed_parse (&list, text, strlen (text), "f", error), DW_EKEY);
    assert_int_equal (dw_error_count (error), 4);
    for (unsigned i = 0; i < 4; i++)
        assert_int_equal (dw_error_message (error, i)[2], '2' + (int) i);
}

static void a_hundred_problems_are_enough (void **state) {
    dw_error_t *error = *state;
    dw_allowed_t *list = NULL;
    static char text[100000];
    memset (text, 'x', sizeof text);
    for (size_t i = 1; i < sizeof text; i += 2)
        text[i] = '\n';
    assert_int_equal (dw_allowed_parse (&list, text, sizeof text, "f", error), DW_EKEY);
    assert_in_range (dw_error_count (error), 100, 101);
    memset (text, 0, sizeof text); /* one word of nothing */
    assert_int_equal (dw_allowed_parse (&list, text, sizeof text, "f", NULL), DW_EKEY);
}

/* ---- Large ones ------------------------------------------------------------------------------- */

/* count lines with keys that are functions of their number; the caller's. */
static char *s_large (uint32_t count, size_t *size_p) {
    size_t room = (size_t) count * 64 + 1;
    char *text = malloc (room), key_text[DW_KEY_TEXT_SIZE];
    size_t used = 0;
    assert_non_null (text);
    for (uint32_t i = 0; i < count; i++) {
        uint8_t key[DW_KEY_SIZE] = {(uint8_t) (i * 7), (uint8_t) (i >> 8), (uint8_t) (i >> 16), 1};
        key[31] = (uint8_t) i;
        dw_key_text (key_text, key);
        used += (size_t) snprintf (text + used, room - used, "worker %s n%u\n", key_text,
                                   (unsigned) i);
    }
    *size_p = used;
    return text;
}

static void a_hundred_thousand_keys_are_each_found (void **state) {
    dw_error_t *error = *state;
    dw_allowed_t *list = NULL;
    size_t size;
    char *text = s_large (DW_ALLOWED_LINES_MAX, &size);
    assert_int_equal (dw_allowed_parse (&list, text, size, "f", error), DW_OK);
    free (text);
    assert_int_equal (dw_allowed_count (list), DW_ALLOWED_LINES_MAX);
    for (uint32_t i = 0; i < DW_ALLOWED_LINES_MAX; i++) {
        uint8_t key[DW_KEY_SIZE] = {(uint8_t) (i * 7), (uint8_t) (i >> 8), (uint8_t) (i >> 16), 1};
        const char *name;
        char expected[16];
        key[31] = (uint8_t) i;
        assert_int_equal (dw_allowed_find (list, key, &name), DW_ROLE_WORKER);
        snprintf (expected, sizeof expected, "n%u", (unsigned) i);
        assert_string_equal (name, expected);
        key[30] = 1;
        assert_int_equal (dw_allowed_find (list, key, NULL), 0);
    }
    dw_allowed_destroy (&list);
}

static void one_key_more_is_too_many (void **state) {
    dw_error_t *error = *state;
    dw_allowed_t *list = NULL;
    size_t size;
    char *text = s_large (DW_ALLOWED_LINES_MAX + 5, &size);
    assert_int_equal (dw_allowed_parse (&list, text, size, "f", error), DW_EKEY);
    assert_string_equal (dw_error_text (error), "f:100001:1: error: that is the 100,001st key: a "
                                                "list has at most 100,000\n");
    free (text);
}

static void any_order_of_lines_says_the_same (void **state) {
    enum { KEYS = 50 };
    random_t random = random_from (random_seed ());
    for (int round = 0; round < 50; round++) {
        char lines[3 * KEYS][80], text[3 * KEYS * 80] = "", key_text[DW_KEY_TEXT_SIZE];
        static const char *const roles[] = {"worker", "client", "monitor"};
        uint8_t keys[KEYS][DW_KEY_SIZE];
        unsigned expected[KEYS] = {0}, count = 0, listed = 0;
        for (unsigned k = 0; k < KEYS; k++) {
            for (unsigned i = 0; i < DW_KEY_SIZE; i++) /* many that differ late */
                keys[k][i] = i == 20 ? (uint8_t) (k + 1) : (uint8_t) random_below (&random, 2);
            dw_key_text (key_text, keys[k]);
            expected[k] = random_below (&random, 8);
            listed += expected[k] != 0;
            for (unsigned r = 0; r < 3; r++)
                if (expected[k] & 1u << r)
                    snprintf (lines[count++], sizeof lines[0], "%s %s n%u\n", roles[r], key_text,
                              k);
        }
        size_t used = 0;
        for (unsigned left = count; left > 0; left--) {
            unsigned pick = random_below (&random, left);
            used += (size_t) snprintf (text + used, sizeof text - used, "%s", lines[pick]);
            memmove (lines[pick], lines[left - 1], sizeof lines[0]);
        }
        dw_allowed_t *list = s_parse (*state, text);
        assert_int_equal (dw_allowed_count (list), listed);
        for (unsigned k = 0; k < KEYS; k++)
            assert_int_equal (dw_allowed_find (list, keys[k], NULL), expected[k]);
        dw_allowed_destroy (&list);
    }
}

/* ---- The folder ------------------------------------------------------------------------------- */

static char s_folder[] = "/tmp/dagwood-test-XXXXXX";

static const char *s_in_folder (const char *name) {
    static char path[128];
    snprintf (path, sizeof path, "%s/%s", s_folder, name);
    return path;
}

static void s_write (const char *name, const char *text) {
    FILE *file = fopen (s_in_folder (name), "w");
    assert_non_null (file);
    assert_true (fputs (text, file) >= 0);
    assert_int_equal (fclose (file), 0);
    assert_int_equal (chmod (s_in_folder (name), 0644), 0);
}

static void s_expect_not_opened (dw_keyring_t *ring, const char *part) {
    dw_error_t *error = dw_error_new ();
    assert_int_equal (dw_keyring_open (ring, s_folder, error), DW_EKEY);
    if (!strstr (dw_error_text (error), part))
        fail_msg ("no \"%s\" in:\n%s", part, dw_error_text (error));
    assert_null (ring->allowed);
    dw_error_destroy (&error);
}

static void a_folder_has_the_keys_and_the_list_of_a_coordinator (void **state) {
    dw_keyring_t ring;
    dw_keys_t keys;
    dw_allowed_t *list = NULL;
    assert_non_null (mkdtemp (s_folder));
    s_expect_not_opened (&ring, "/coordinator.key: error: it cannot be read: No such file");
    s_expect_not_opened (&ring,
                         "/allowed: error: it cannot be read: No such file"); /* both at once */
    assert_int_equal (dw_keys_generate (&keys, *state), DW_OK);
    assert_int_equal (dw_keys_write (&keys, s_in_folder ("coordinator.key"), *state), DW_OK);
    s_write ("allowed", "worker " A " x\n");
    assert_int_equal (dw_keyring_open (&ring, s_folder, *state), DW_OK);
    assert_memory_equal (&ring.keys, &keys, sizeof keys);
    assert_int_equal (s_find (ring.allowed, A, NULL), DW_ROLE_WORKER);

    s_write ("allowed", "client " B " y\n"); /* read anew, the old one stays as it was */
    assert_int_equal (dw_keyring_reread (&list, s_folder, *state), DW_OK);
    assert_int_equal (s_find (list, A, NULL), 0);
    assert_int_equal (s_find (list, B, NULL), DW_ROLE_CLIENT);
    assert_int_equal (s_find (ring.allowed, A, NULL), DW_ROLE_WORKER);
    dw_allowed_destroy (&list);
    dw_keyring_close (&ring);
    static const dw_keyring_t none;
    assert_memory_equal (&ring, &none, sizeof ring);

    chmod (s_in_folder ("allowed"), 0664);
    s_expect_not_opened (&ring, "/allowed: error: others may write it (mode 0664)");
    chmod (s_in_folder ("allowed"), 0644);
    chmod (s_in_folder ("coordinator.key"), 0640);
    s_expect_not_opened (&ring, "/coordinator.key: error: others may read or write it (mode 0640)");
    chmod (s_in_folder ("coordinator.key"), 0600);
    assert_int_equal (chmod (s_folder, 0777), 0);
    s_expect_not_opened (&ring, "error: others may write it (mode 0777)");
    assert_int_equal (chmod (s_folder, 0700), 0);
    assert_int_equal (dw_keyring_open (&ring, s_folder, *state), DW_OK);
    dw_keyring_close (&ring);
    unlink (s_in_folder ("coordinator.key"));
    unlink (s_in_folder ("coordinator.key.pub"));
    unlink (s_in_folder ("allowed"));
    assert_int_equal (rmdir (s_folder), 0);
    s_expect_not_opened (&ring, "error: it cannot be read: No such file or directory");
}

int main (void) {
#define TEST(name) cmocka_unit_test_setup_teardown (name, s_set_up, s_tear_down)
    const struct CMUnitTest tests[] = {
        TEST (a_key_has_the_roles_of_all_its_lines),
        TEST (an_empty_list_lets_nobody_in),
        TEST (a_comment_is_a_line_of_its_own_or_follows_a_name),
        TEST (every_wrong_line_is_refused_with_its_place),
        TEST (all_that_is_wrong_is_said_at_once_by_line),
        TEST (a_hundred_problems_are_enough),
        TEST (a_hundred_thousand_keys_are_each_found),
        TEST (one_key_more_is_too_many),
        TEST (any_order_of_lines_says_the_same),
        TEST (a_folder_has_the_keys_and_the_list_of_a_coordinator),
    };
    return !!cmocka_run_group_tests_name ("allowed", tests, NULL, NULL);
}
