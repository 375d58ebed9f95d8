/* fuzz_keys.c - any bytes as a key file, a public key and an allow-list: what is taken says what it
 * means. */

#include <stdlib.h>
#include <string.h>

#include "actors/allowed.h"
#include "actors/keys.h"

int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size);

static void s_expect (bool is_so) {
    if (!is_so)
        abort ();
}

/* Whatever is refused is refused with messages of one line each, which are printable. */
static void s_check_messages (int err, dw_error_t **error_p) {
    const dw_error_t *error = *error_p;
    s_expect (err == DW_OK || err == DW_EKEY);
    s_expect (dw_error_code (error) == err);
    s_expect ((dw_error_count (error) > 0) == (err != DW_OK));
    for (size_t i = 0; i < dw_error_count (error); i++)
        for (const char *c = dw_error_message (error, i); *c; c++)
            s_expect (*c >= ' ' && *c <= '~');
    dw_error_destroy (error_p);
}

/* A pair that was taken is written as the same one again; without messages all goes the same
 * way. */
static void s_parse_keys (const char *text, size_t size) {
    dw_error_t *error = dw_error_new ();
    dw_keys_t keys, again;
    uint8_t key[DW_KEY_SIZE];
    char secret[DW_KEY_TEXT_SIZE], written[256];
    int err = dw_keys_parse (&keys, text, size, "f", error);
    s_check_messages (err, &error);
    s_expect (dw_keys_parse (&again, text, size, NULL, NULL) == err);
    if (!err) {
        s_expect (memcmp (&keys, &again, sizeof keys) == 0);
        dw_key_text (secret, keys.secret_key);
        dw_key_text (written, keys.public_key);
        s_expect (memmem (text, size, secret, strlen (secret)) != NULL);
        s_expect (memmem (text, size, written, strlen (written)) != NULL);
        s_expect (dw_keys_parse_public (key, text, size, "f", NULL) ==
                  DW_EKEY); /* a secret is in it */
    }
    error = dw_error_new ();
    err = dw_keys_parse_public (key, text, size, "f", error);
    s_check_messages (err, &error);
}

/* Every key of a list that was taken stands in its text, and so does its name. */
static void s_parse_allowed (const char *text, size_t size) {
    dw_error_t *error = dw_error_new ();
    dw_allowed_t *list = NULL, *again = NULL;
    size_t found = 0;
    int err = dw_allowed_parse (&list, text, size, "f", error);
    s_check_messages (err, &error);
    s_expect ((list != NULL) == (err == DW_OK));
    s_expect (dw_allowed_parse (&again, text, size, NULL, NULL) == err);
    dw_allowed_destroy (&again);
    for (size_t at = 0; list && at + DW_KEY_TEXT_SIZE - 1 <= size; at++) {
        uint8_t key[DW_KEY_SIZE];
        const char *name;
        if (!dw_key_decode (key, text + at, DW_KEY_TEXT_SIZE - 1))
            continue;
        unsigned roles = dw_allowed_find (list, key, &name);
        s_expect ((roles != 0) == (name != NULL) && roles < 8);
        s_expect (!name || (strlen (name) > 0 && memmem (text, size, name, strlen (name))));
        found += roles != 0;
    }
    s_expect (!list || dw_allowed_count (list) <= found);
    dw_allowed_destroy (&list);
}

int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size) {
    s_parse_keys ((const char *) data, size);
    s_parse_allowed ((const char *) data, size);
    return 0;
}
