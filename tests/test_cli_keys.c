/* test_cli_keys.c - dagwood keygen: two files, made once, and what to do next. */

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

#include "actors/allowed.h"
#include "actors/keys.h"
#include "tests/support/command.h"

static char s_folder[] = "/tmp/dagwood-test-XXXXXX";

static int s_set_up (void **state) {
    (void) state;
    return mkdtemp (s_folder) ? 0 : -1;
}

static int s_tear_down (void **state) {
    (void) state;
    return rmdir (s_folder);
}

/* The path of a file in the folder; of the last eight that were asked for. */
static const char *s_path (const char *name) {
    static char paths[8][96];
    static unsigned next;
    char *path = paths[next++ % 8];
    snprintf (path, sizeof paths[0], "%s/%s", s_folder, name);
    return path;
}

static void s_remove (const char *name) {
    unlink (s_path (name));
}

static unsigned s_mode (const char *path) {
    struct stat status;
    assert_int_equal (stat (path, &status), 0);
    return (unsigned) status.st_mode & 07777u;
}

static void keygen_makes_a_pair_that_is_read_again (void **state) {
    (void) state;
    dw_keys_t keys;
    uint8_t public_key[DW_KEY_SIZE];
    command_t c = {0};
    COMMAND (&c, "keygen", s_path ("k"));
    command_expect (&c, 0);
    assert_string_equal (c.err, "");
    assert_int_equal (s_mode (s_path ("k")), 0600);
    assert_int_equal (s_mode (s_path ("k.pub")), 0644);
    assert_int_equal (dw_keys_read (&keys, s_path ("k"), NULL), DW_OK);
    assert_int_equal (dw_keys_read_public (public_key, s_path ("k.pub"), NULL), DW_OK);
    assert_memory_equal (keys.public_key, public_key, sizeof public_key);
    command_free (&c);
    s_remove ("k");
    s_remove ("k.pub");
}

static void it_says_the_line_for_the_allow_list_and_no_secret (void **state) {
    (void) state;
    dw_keys_t keys;
    dw_allowed_t *list = NULL;
    char secret[DW_KEY_TEXT_SIZE];
    command_t c = {0};
    COMMAND (&c, "keygen", s_path ("k"));
    assert_int_equal (dw_keys_read (&keys, s_path ("k"), NULL), DW_OK);
    dw_key_text (secret, keys.secret_key);
    assert_null (strstr (c.out, secret));
    const char *line = strstr (c.out, "    worker "); /* as it stands there it can be taken */
    assert_non_null (line);
    size_t size = strcspn (line, "\n");
    assert_int_equal (dw_allowed_parse (&list, line, size, NULL, NULL), DW_OK);
    assert_int_equal (dw_allowed_find (list, keys.public_key, NULL), DW_ROLE_WORKER);
    dw_allowed_destroy (&list);
    command_free (&c);
    s_remove ("k");
    s_remove ("k.pub");
}

static void a_pair_that_is_there_is_status_74_and_stays (void **state) {
    (void) state;
    dw_keys_t before, after;
    command_t c = {0};
    COMMAND (&c, "keygen", s_path ("k"));
    command_free (&c);
    assert_int_equal (dw_keys_read (&before, s_path ("k"), NULL), DW_OK);
    COMMAND (&c, "keygen", s_path ("k"));
    command_expect (&c, 74);
    command_expect_error (&c, "/k: error: it is there already, and is not overwritten");
    assert_string_equal (c.out, "");
    assert_int_equal (dw_keys_read (&after, s_path ("k"), NULL), DW_OK);
    assert_memory_equal (&before, &after, sizeof after);
    command_free (&c);
    s_remove ("k");
    COMMAND (&c, "keygen", s_path ("k")); /* the public file alone is enough */
    command_expect (&c, 74);
    command_expect_error (&c, "/k.pub: error: it is there already");
    assert_int_equal (access (s_path ("k"), F_OK), -1);
    command_free (&c);
    s_remove ("k.pub");
}

static void a_folder_that_takes_no_file_is_status_74 (void **state) {
    (void) state;
    command_t c = {0};
    COMMAND (&c, "keygen", "/no/such/folder/k");
    command_expect (&c, 74);
    command_expect_error (&c, "/no/such/folder/k: error: it cannot be written: No such file");
    command_free (&c);
}

static void s_output_full (void) {
    dup2 (open ("/dev/full", O_WRONLY), STDOUT_FILENO);
}

static void an_output_that_takes_nothing_is_status_74_and_the_pair_stays (void **state) {
    (void) state;
    dw_keys_t keys;
    command_t c = {.prepare = s_output_full};
    COMMAND (&c, "keygen", s_path ("k"));
    command_expect (&c, 74);
    command_expect_error (&c, "standard output cannot be written");
    assert_int_equal (dw_keys_read (&keys, s_path ("k"), NULL), DW_OK);
    command_free (&c);
    s_remove ("k");
    s_remove ("k.pub");
}

static void its_words_are_one_file (void **state) {
    (void) state;
    command_t c = {0};
    COMMAND (&c, "keygen");
    command_expect (&c, 64);
    command_expect_error (&c, "which file?");
    command_free (&c);
    COMMAND (&c, "keygen", s_path ("a"), s_path ("b"));
    command_expect (&c, 64);
    command_expect_error (&c, "one key pair at a time");
    assert_int_equal (access (s_path ("a"), F_OK), -1);
    command_free (&c);
}

int main (void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test (keygen_makes_a_pair_that_is_read_again),
        cmocka_unit_test (it_says_the_line_for_the_allow_list_and_no_secret),
        cmocka_unit_test (a_pair_that_is_there_is_status_74_and_stays),
        cmocka_unit_test (a_folder_that_takes_no_file_is_status_74),
        cmocka_unit_test (an_output_that_takes_nothing_is_status_74_and_the_pair_stays),
        cmocka_unit_test (its_words_are_one_file),
    };
    return !!cmocka_run_group_tests_name ("keygen", tests, s_set_up, s_tear_down);
}
