/* test_keys.c - key pairs in files: made, written once, and read only where nobody else could
 * write. */

#include "actors/keys.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

/* A public key of ZeroMQ's manual. */
#define PUBLIC "Yne@$w-vo<fVvi]a<NY6T1ed:M$fCG*[IaLVOlwF"
#define NOBODY 65534

/* A folder of this test's own, with one file name in it and its .pub. */
typedef struct s_spot_t {
    char folder[32], file[64], public_file[64];
    dw_error_t *error;
    mode_t mask;
} s_spot_t;

static int s_set_up (void **state) {
    s_spot_t *spot = calloc (1, sizeof *spot);
    assert_non_null (spot);
    snprintf (spot->folder, sizeof spot->folder, "/tmp/dagwood-test-XXXXXX");
    assert_non_null (mkdtemp (spot->folder));
    snprintf (spot->file, sizeof spot->file, "%s/k", spot->folder);
    snprintf (spot->public_file, sizeof spot->public_file, "%s/k.pub", spot->folder);
    spot->error = dw_error_new ();
    spot->mask = umask (022);
    *state = spot;
    return 0;
}

static int s_tear_down (void **state) {
    s_spot_t *spot = *state;
    unlink (spot->file);
    unlink (spot->public_file);
    int err = rmdir (spot->folder);
    umask (spot->mask);
    dw_error_destroy (&spot->error);
    free (spot);
    return err;
}

static void s_fresh_error (s_spot_t *spot) {
    dw_error_destroy (&spot->error);
    spot->error = dw_error_new ();
}

/* The list says this somewhere, and nothing of a key. */
static void s_expect (const s_spot_t *spot, const char *part) {
    if (!strstr (dw_error_text (spot->error), part))
        fail_msg ("no \"%s\" in:\n%s", part, dw_error_text (spot->error));
}

static dw_keys_t s_write (s_spot_t *spot) {
    dw_keys_t keys;
    assert_int_equal (dw_keys_generate (&keys, spot->error), DW_OK);
    assert_int_equal (dw_keys_write (&keys, spot->file, spot->error), DW_OK);
    return keys;
}

static void s_expect_refused (s_spot_t *spot, const char *part) {
    dw_keys_t keys, before;
    memset (&keys, 7, sizeof keys);
    before = keys;
    s_fresh_error (spot);
    assert_int_equal (dw_keys_read (&keys, spot->file, spot->error), DW_EKEY);
    assert_memory_equal (&keys, &before, sizeof keys);
    s_expect (spot, part);
    s_expect (spot, spot->file);
}

static void s_expect_public_refused (s_spot_t *spot, const char *part) {
    uint8_t key[DW_KEY_SIZE];
    s_fresh_error (spot);
    assert_int_equal (dw_keys_read_public (key, spot->public_file, spot->error), DW_EKEY);
    s_expect (spot, part);
}

static unsigned s_mode (const char *file) {
    struct stat status;
    assert_int_equal (lstat (file, &status), 0);
    return (unsigned) status.st_mode & 07777u;
}

static size_t s_content (const char *file, char *text, size_t size) {
    FILE *stream = fopen (file, "r");
    assert_non_null (stream);
    size_t got = fread (text, 1, size - 1, stream);
    text[got] = '\0';
    fclose (stream);
    return got;
}

/* ---- Written and read ------------------------------------------------------------------------- */

static void a_pair_is_read_as_it_was_written (void **state) {
    s_spot_t *spot = *state;
    dw_keys_t keys = s_write (spot), read;
    uint8_t public_key[DW_KEY_SIZE];
    assert_int_equal (dw_keys_read (&read, spot->file, spot->error), DW_OK);
    assert_memory_equal (&read, &keys, sizeof keys);
    assert_int_equal (dw_keys_read_public (public_key, spot->public_file, spot->error), DW_OK);
    assert_memory_equal (public_key, keys.public_key, sizeof public_key);
    assert_int_equal (dw_error_count (spot->error), 0);
}

static void two_pairs_differ (void **state) {
    s_spot_t *spot = *state;
    dw_keys_t a, b;
    assert_int_equal (dw_keys_generate (&a, spot->error), DW_OK);
    assert_int_equal (dw_keys_generate (&b, spot->error), DW_OK);
    assert_memory_not_equal (a.public_key, b.public_key, sizeof a.public_key);
    assert_memory_not_equal (a.secret_key, b.secret_key, sizeof a.secret_key);
}

static void the_modes_do_not_depend_on_the_umask (void **state) {
    s_spot_t *spot = *state;
    static const mode_t masks[] = {0, 022, 077, 0777};
    for (size_t i = 0; i < sizeof masks / sizeof *masks; i++) {
        umask (masks[i]);
        s_write (spot);
        assert_int_equal (s_mode (spot->file), 0600);
        assert_int_equal (s_mode (spot->public_file), 0644);
        unlink (spot->file);
        unlink (spot->public_file);
    }
}

static void the_public_file_has_no_secret_in_it (void **state) {
    s_spot_t *spot = *state;
    dw_keys_t keys = s_write (spot);
    char text[DW_KEYS_BYTES_MAX], secret[DW_KEY_TEXT_SIZE];
    dw_key_text (secret, keys.secret_key);
    s_content (spot->public_file, text, sizeof text);
    assert_null (strstr (text, secret));
    assert_null (strstr (text, "secret"));
    s_content (spot->file, text, sizeof text);
    assert_non_null (strstr (text, secret));
}

static void a_wiped_pair_is_zeros (void **state) {
    (void) state;
    dw_keys_t keys;
    static const dw_keys_t none;
    assert_int_equal (dw_keys_generate (&keys, NULL), DW_OK);
    dw_keys_wipe (&keys);
    assert_memory_equal (&keys, &none, sizeof keys);
}

/* ---- Never overwritten ------------------------------------------------------------------------ */

static void neither_file_is_ever_overwritten (void **state) {
    s_spot_t *spot = *state;
    dw_keys_t keys = s_write (spot), other, read;
    assert_int_equal (dw_keys_generate (&other, spot->error), DW_OK);
    assert_int_equal (dw_keys_write (&other, spot->file, spot->error), DW_EFILE);
    s_expect (spot, "k: error: it is there already, and is not overwritten");
    unlink (spot->file); /* the public one alone is enough */
    s_fresh_error (spot);
    assert_int_equal (dw_keys_write (&other, spot->file, spot->error), DW_EFILE);
    s_expect (spot, "k.pub: error: it is there already");
    assert_int_equal (access (spot->file, F_OK), -1); /* no half pair */
    uint8_t public_key[DW_KEY_SIZE];
    assert_int_equal (dw_keys_read_public (public_key, spot->public_file, spot->error), DW_OK);
    assert_memory_equal (public_key, keys.public_key, sizeof public_key);
    assert_int_equal (dw_keys_read (&read, spot->file, NULL), DW_EKEY);
}

static void a_link_is_not_written_through (void **state) {
    s_spot_t *spot = *state;
    dw_keys_t keys;
    char target[96];
    snprintf (target, sizeof target, "%s/elsewhere", spot->folder);
    assert_int_equal (symlink (target, spot->file), 0);
    assert_int_equal (dw_keys_generate (&keys, spot->error), DW_OK);
    assert_int_equal (dw_keys_write (&keys, spot->file, spot->error), DW_EFILE);
    assert_int_equal (access (target, F_OK), -1);
}

static void a_folder_that_is_not_there_is_said (void **state) {
    s_spot_t *spot = *state;
    dw_keys_t keys;
    assert_int_equal (dw_keys_generate (&keys, spot->error), DW_OK);
    assert_int_equal (dw_keys_write (&keys, "/no/such/folder/k", spot->error), DW_EFILE);
    s_expect (spot, "/no/such/folder/k: error: it cannot be written: No such file or directory");
}

/* ---- Whose file it is ------------------------------------------------------------------------- */

static void a_secret_that_others_may_read_or_write_is_refused (void **state) {
    s_spot_t *spot = *state;
    s_write (spot);
    for (unsigned bit = 1; bit <= 040; bit <<= 1) {
        assert_int_equal (chmod (spot->file, 0600 | bit), 0);
        s_expect_refused (spot, "others may read or write it (mode 06");
        s_expect (spot, "chmod go= it");
    }
    assert_int_equal (chmod (spot->file, 0400), 0);
    dw_keys_t keys;
    assert_int_equal (dw_keys_read (&keys, spot->file, spot->error), DW_OK);
}

static void a_public_key_that_others_may_write_is_refused (void **state) {
    s_spot_t *spot = *state;
    uint8_t key[DW_KEY_SIZE];
    s_write (spot);
    assert_int_equal (chmod (spot->public_file, 0664), 0);
    s_expect_public_refused (spot, "others may write it (mode 0664): chmod go-w it");
    assert_int_equal (chmod (spot->public_file, 0646), 0);
    s_expect_public_refused (spot, "others may write it (mode 0646)");
    assert_int_equal (chmod (spot->public_file, 0444), 0);
    assert_int_equal (dw_keys_read_public (key, spot->public_file, spot->error), DW_OK);
}

static void a_file_of_somebody_else_is_refused (void **state) {
    s_spot_t *spot = *state;
    if (geteuid () != 0)
        skip ();
    s_write (spot);
    assert_int_equal (chown (spot->file, NOBODY, NOBODY), 0);
    assert_int_equal (chown (spot->public_file, NOBODY, NOBODY), 0);
    s_expect_refused (spot, "it belongs to user 65534, not to user 0");
    s_expect_public_refused (spot, "it belongs to user 65534");
}

static void a_file_of_root_is_read_by_others (void **state) {
    s_spot_t *spot = *state;
    uint8_t key[DW_KEY_SIZE];
    if (geteuid () != 0)
        skip ();
    s_write (spot);
    assert_int_equal (chmod (spot->folder, 0755), 0);
    assert_int_equal (seteuid (NOBODY), 0);
    int err = dw_keys_read_public (key, spot->public_file, spot->error);
    dw_keys_t keys;
    int secret_err = dw_keys_read (&keys, spot->file, spot->error);
    assert_int_equal (seteuid (0), 0);
    assert_int_equal (err, DW_OK);
    assert_int_equal (secret_err, DW_EKEY);
    s_expect (spot, "k: error: it cannot be read: Permission denied");
}

static void only_a_regular_file_is_read_and_nothing_is_waited_for (void **state) {
    s_spot_t *spot = *state;
    char target[96];
    s_expect_refused (spot, "it cannot be read: No such file or directory");
    assert_int_equal (mkfifo (spot->file, 0600), 0); /* nobody writes to it */
    s_expect_refused (spot, "it is no regular file");
    unlink (spot->file);
    assert_int_equal (mkdir (spot->file, 0700), 0);
    s_expect_refused (spot, "it is no regular file");
    rmdir (spot->file);
    s_write (spot);
    snprintf (target, sizeof target, "%s/moved", spot->folder);
    assert_int_equal (rename (spot->file, target), 0);
    assert_int_equal (symlink (target, spot->file), 0);
    s_expect_refused (spot, "it is a symbolic link, which is not followed");
    unlink (target);
}

static void a_large_file_is_not_read (void **state) {
    s_spot_t *spot = *state;
    s_write (spot);
    assert_int_equal (truncate (spot->file, DW_KEYS_BYTES_MAX + 1), 0);
    s_expect_refused (spot, "it has more than 4096 bytes");
    assert_int_equal (truncate (spot->file, (off_t) 1 << 40), 0);
    s_expect_refused (spot, "it has more than 4096 bytes");
}

/* ---- What is in it ---------------------------------------------------------------------------- */

typedef struct s_case_t {
    const char *text, *said;
} s_case_t;

static void every_wrong_pair_is_refused_with_its_place (void **state) {
    s_spot_t *spot = *state;
    dw_keys_t pair, other, keys;
    char text[512], public_text[DW_KEY_TEXT_SIZE], secret[DW_KEY_TEXT_SIZE];
    char stranger[DW_KEY_TEXT_SIZE];
    assert_int_equal (dw_keys_generate (&pair, NULL), DW_OK);
    assert_int_equal (dw_keys_generate (&other, NULL), DW_OK);
    dw_key_text (public_text, pair.public_key);
    dw_key_text (secret, pair.secret_key);
    dw_key_text (stranger, other.secret_key);
    static const s_case_t cases[] = {
        /* 1 public, 2 secret, 3 secret key of another pair */
        {"", "f: error: there is no public key in it"},
        {"# nothing\n\n", "f: error: there is no public key in it"},
        {"public = %1$s\n", "f: error: there is no secret key in it"},
        {"secret = %2$s\n", "f: error: there is no public key in it"},
        {"public = %1$s\nsecret = %3$s\n",
         "f:2:10: error: the secret key is not that of the public key"},
        {"public = %2$s\nsecret = %2$s\n", "f:2:10: error: the secret key is not that of"},
        {"public = %1$s\nsecret = %2$s\nsecret = %2$s\n", "f:3:1: error: a second secret key"},
        {"public = %1$s\npublic = %1$s\nsecret = %2$s\n", "f:2:1: error: a second public key"},
        {"public = %1$s x\nsecret = %2$s\n", "f:1:51: error: nothing follows a key on its line"},
        {"public %1$s\nsecret = %2$s\n", "f:1:8: error: \"public = KEY\" is expected"},
        {"public =\nsecret = %2$s\n", "f:1:9: error: that is no key"},
        {"public\n", "f:1:7: error: \"public = KEY\" is expected"},
        {"public = %1$sx\nsecret = %2$s\n", "f:1:10: error: that is no key"},
        {"public = short\nsecret = %2$s\n", "f:1:10: error: that is no key"},
        {"Public = %1$s\nsecret = %2$s\n", "f:1:1: error: a line begins with public or secret"},
        {"%2$s\n", "f:1:1: error: a line begins with public or secret"},
        {"public = \"%1$s\"\nsecret = %2$s\n", "f:1:10: error: that is no key"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        size_t used = (size_t) snprintf (text, sizeof text, cases[i].text, public_text, secret,
                                         stranger);
        s_fresh_error (spot);
        assert_int_equal (dw_keys_parse (&keys, text, used, "f", spot->error), DW_EKEY);
        s_expect (spot, cases[i].said);
        assert_null (strstr (dw_error_text (spot->error), secret)); /* never shown */
        assert_int_equal (dw_keys_parse (&keys, text, used, "f", NULL), DW_EKEY);
    }
}

static void all_that_is_wrong_is_said_at_once (void **state) {
    s_spot_t *spot = *state;
    static const char text[] = "puplic = x\nsecret = y\nsecret = z\n";
    dw_keys_t keys;
    assert_int_equal (dw_keys_parse (&keys, text, strlen (text), "f", spot->error), DW_EKEY);
    assert_int_equal (dw_error_count (spot->error), 3);
}

static void blanks_comments_and_order_are_free (void **state) {
    s_spot_t *spot = *state;
    dw_keys_t pair, keys;
    char text[512], public_text[DW_KEY_TEXT_SIZE], secret[DW_KEY_TEXT_SIZE];
    assert_int_equal (dw_keys_generate (&pair, NULL), DW_OK);
    dw_key_text (public_text, pair.public_key);
    dw_key_text (secret, pair.secret_key);
    int size = snprintf (text, sizeof text, "\r\n  # x\n\tsecret\t=  %s \r\n\n public = %s", secret,
                         public_text);
    assert_int_equal (dw_keys_parse (&keys, text, (size_t) size, NULL, spot->error), DW_OK);
    assert_memory_equal (&keys, &pair, sizeof keys);
}

static void a_secret_in_a_public_file_is_refused (void **state) {
    s_spot_t *spot = *state;
    uint8_t key[DW_KEY_SIZE];
    char text[DW_KEYS_BYTES_MAX];
    s_write (spot);
    size_t size = s_content (spot->file, text, sizeof text);
    assert_int_equal (dw_keys_parse_public (key, text, size, "f", spot->error), DW_EKEY);
    s_expect (spot, "f:3:10: error: a secret key is in it, where the public one alone is wanted");
}

/* ---- Z85 -------------------------------------------------------------------------------------- */

static void only_forty_characters_of_z85_are_a_key (void **state) {
    (void) state;
    uint8_t key[DW_KEY_SIZE];
    char text[DW_KEY_TEXT_SIZE];
    assert_true (dw_key_decode (key, PUBLIC, 40));
    dw_key_text (text, key);
    assert_string_equal (text, PUBLIC);
    assert_false (dw_key_decode (key, PUBLIC, 39));
    assert_false (dw_key_decode (key, PUBLIC "x", 41));
    assert_false (dw_key_decode (key, "", 0));
    for (int c = 0; c < 256; c++) {
        memcpy (text, PUBLIC, sizeof text);
        text[7] = (char) c;
        bool is_digit = c &&
                        strchr ("0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                ".-:+=^!/*?&<>()[]{}@%$#",
                                c);
        assert_int_equal (dw_key_decode (key, text, 40), is_digit);
    }
    memset (text, '#', 40); /* beyond 32 bits in every group */
    assert_false (dw_key_decode (key, text, 40));
    memset (text, '0', 40); /* ZeroMQ's sign for none */
    assert_false (dw_key_decode (key, text, 40));
}

int main (void) {
#define TEST(name) cmocka_unit_test_setup_teardown (name, s_set_up, s_tear_down)
    const struct CMUnitTest tests[] = {
        TEST (a_pair_is_read_as_it_was_written),
        TEST (two_pairs_differ),
        TEST (the_modes_do_not_depend_on_the_umask),
        TEST (the_public_file_has_no_secret_in_it),
        TEST (a_wiped_pair_is_zeros),
        TEST (neither_file_is_ever_overwritten),
        TEST (a_link_is_not_written_through),
        TEST (a_folder_that_is_not_there_is_said),
        TEST (a_secret_that_others_may_read_or_write_is_refused),
        TEST (a_public_key_that_others_may_write_is_refused),
        TEST (a_file_of_somebody_else_is_refused),
        TEST (a_file_of_root_is_read_by_others),
        TEST (only_a_regular_file_is_read_and_nothing_is_waited_for),
        TEST (a_large_file_is_not_read),
        TEST (every_wrong_pair_is_refused_with_its_place),
        TEST (all_that_is_wrong_is_said_at_once),
        TEST (blanks_comments_and_order_are_free),
        TEST (a_secret_in_a_public_file_is_refused),
        TEST (only_forty_characters_of_z85_are_a_key),
    };
    return !!cmocka_run_group_tests_name ("keys", tests, NULL, NULL);
}
