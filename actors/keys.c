/* keys.c - a CURVE key pair: made, kept in a file, given to a socket. */

#include "actors/keys.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zmq.h>

#include "actors/option.h"
#include "actors/trusted.h"
#include "runtime/lines.h"

/* ---- Z85 -------------------------------------------------------------------------------------- */

void dw_key_text (char *text, const uint8_t *key) {
    zmq_z85_encode (text, key, DW_KEY_SIZE); /* cannot fail: 32 is a multiple of 4 */
}

bool dw_key_decode (uint8_t *key, const char *text, size_t size) {
    char ended[DW_KEY_TEXT_SIZE] = "";
    uint8_t decoded[DW_KEY_SIZE];
    static const uint8_t none[DW_KEY_SIZE]; /* what ZeroMQ takes for a key that was not set */
    if (size != DW_KEY_TEXT_SIZE - 1 || memchr (text, '\0', size))
        return false;
    memcpy (ended, text, size);
    bool is_key = zmq_z85_decode (decoded, ended) && memcmp (decoded, none, sizeof none) != 0;
    if (is_key)
        memcpy (key, decoded, sizeof decoded);
    explicit_bzero (ended, sizeof ended);
    explicit_bzero (decoded, sizeof decoded);
    return is_key;
}

/* ---- Made, and forgotten ---------------------------------------------------------------------- */

int dw_keys_generate (dw_keys_t *self, dw_error_t *error) {
    char public_text[DW_KEY_TEXT_SIZE], secret_text[DW_KEY_TEXT_SIZE];
    if (zmq_curve_keypair (public_text, secret_text))
        return dw_error_add (error, DW_EKEY, DW_NOWHERE,
                             "no key pair can be made: this ZeroMQ was built without CURVE");
    zmq_z85_decode (self->public_key, public_text);
    zmq_z85_decode (self->secret_key, secret_text);
    explicit_bzero (secret_text, sizeof secret_text);
    return DW_OK;
}

void dw_keys_wipe (dw_keys_t *self) {
    explicit_bzero (self, sizeof *self);
}

/* ---- Written ---------------------------------------------------------------------------------- */

static int s_write_public (const char *file, const char *public_text, dw_error_t *error) {
    char text[128];
    snprintf (text, sizeof text,
              "# A public key of dagwood. Anybody may read it.\n"
              "public = %s\n",
              public_text);
    return dw_trusted_write (file, 0644, text, error);
}

static int s_write_secret (const dw_keys_t *self, const char *file, const char *public_text,
                           dw_error_t *error) {
    char text[512], secret_text[DW_KEY_TEXT_SIZE];
    dw_key_text (secret_text, self->secret_key);
    snprintf (text, sizeof text,
              "# A key pair of dagwood. Whoever can read this file can act in its owner's name.\n"
              "public = %s\n"
              "secret = %s\n",
              public_text, secret_text);
    int err = dw_trusted_write (file, 0600, text, error);
    explicit_bzero (text, sizeof text);
    explicit_bzero (secret_text, sizeof secret_text);
    return err;
}

int dw_keys_write (const dw_keys_t *self, const char *file, dw_error_t *error) {
    char public_text[DW_KEY_TEXT_SIZE], *public_file = NULL;
    if (asprintf (&public_file, "%s" DW_KEYS_PUBLIC, file) < 0)
        return dw_error_add (error, DW_ENOMEM, DW_NOWHERE, "out of memory");
    dw_key_text (public_text, self->public_key);
    int err = s_write_secret (self, file, public_text, error);
    if (!err) {
        err = s_write_public (public_file, public_text, error);
        if (err)
            unlink (file); /* which this call has made */
    }
    free (public_file);
    return err;
}

/* ---- Read ------------------------------------------------------------------------------------- */

/* What was found of a file's lines. */
typedef struct s_found_t {
    bool has_public, has_secret;
    dw_place_t secret_place;
    dw_keys_t keys;
} s_found_t;

/* One line: a name, = and a key. Names are not shown, because a line may be a secret key alone. */
static int s_parse_line (s_found_t *found, dw_lines_t *lines, dw_error_t *error) {
    dw_word_t name = dw_lines_word (lines), equals = dw_lines_word (lines);
    dw_word_t text = dw_lines_word (lines), more = dw_lines_word (lines);
    bool is_public = dw_word_is (&name, "public");
    if (!is_public && !dw_word_is (&name, "secret"))
        return dw_error_add (
            error, DW_EKEY, name.place,
            "a line begins with public or secret (or is a comment that begins with "
            "#)");
    bool *has = is_public ? &found->has_public : &found->has_secret;
    const char *what = is_public ? "public" : "secret";
    if (!dw_word_is (&equals, "="))
        return dw_error_add (error, DW_EKEY, equals.place, "\"%s = KEY\" is expected", what);
    if (*has)
        return dw_error_add (error, DW_EKEY, name.place, "a second %s key", what);
    *has = true;
    if (!is_public)
        found->secret_place = text.place;
    if (!dw_key_decode (is_public ? found->keys.public_key : found->keys.secret_key, text.text,
                        text.size))
        return dw_error_add (error, DW_EKEY, text.place,
                             "that is no key, which has 40 characters of Z85");
    if (more.size)
        return dw_error_add (error, DW_EKEY, more.place, "nothing follows a key on its line");
    return DW_OK;
}

static int s_parse (s_found_t *found, const char *text, size_t size, const char *file,
                    dw_error_t *error) {
    dw_lines_t lines = dw_lines (text, size, file);
    int err = DW_OK;
    if (size > DW_KEYS_BYTES_MAX)
        return dw_error_add (error, DW_EKEY, (dw_place_t){.file = file},
                             "it has more than %u bytes, the most that a key file may have",
                             DW_KEYS_BYTES_MAX);
    while (dw_lines_next (&lines)) {
        int one = s_parse_line (found, &lines, error);
        err = err ? err : one;
    }
    if (!err && !found->has_public)
        err = dw_error_add (error, DW_EKEY, (dw_place_t){.file = file},
                            "there is no public key in it");
    return err;
}

/* Whether the public key is the secret one's. */
static bool s_is_pair (const dw_keys_t *keys) {
    char secret_text[DW_KEY_TEXT_SIZE], public_text[DW_KEY_TEXT_SIZE] = "";
    char expected[DW_KEY_TEXT_SIZE];
    dw_key_text (secret_text, keys->secret_key);
    dw_key_text (expected, keys->public_key);
    bool is_pair = zmq_curve_public (public_text, secret_text) == 0 &&
                   strcmp (public_text, expected) == 0;
    explicit_bzero (secret_text, sizeof secret_text);
    return is_pair;
}

int dw_keys_parse (dw_keys_t *self, const char *text, size_t size, const char *file,
                   dw_error_t *error) {
    s_found_t found = {0};
    int err = s_parse (&found, text, size, file, error);
    if (!err && !found.has_secret)
        err = dw_error_add (
            error, DW_EKEY, (dw_place_t){.file = file},
            "there is no secret key in it: it is the pair's file that is wanted, not "
            "the one of the public key");
    if (!err && !s_is_pair (&found.keys))
        err = dw_error_add (error, DW_EKEY, found.secret_place,
                            "the secret key is not that of the public key");
    if (!err)
        *self = found.keys;
    dw_keys_wipe (&found.keys);
    return err;
}

int dw_keys_parse_public (uint8_t *key, const char *text, size_t size, const char *file,
                          dw_error_t *error) {
    s_found_t found = {0};
    int err = s_parse (&found, text, size, file, error);
    if (!err && found.has_secret)
        err = dw_error_add (error, DW_EKEY, found.secret_place,
                            "a secret key is in it, where the public one alone is wanted: whoever "
                            "could read this file has it; make a new pair");
    if (!err)
        memcpy (key, found.keys.public_key, DW_KEY_SIZE);
    dw_keys_wipe (&found.keys);
    return err;
}

int dw_keys_read (dw_keys_t *self, const char *file, dw_error_t *error) {
    char *text = NULL;
    size_t size = 0;
    int err = dw_trusted_read (&text, &size, file, DW_TRUSTED_SECRET, DW_KEYS_BYTES_MAX, error);
    if (!err)
        err = dw_keys_parse (self, text, size, file, error);
    dw_trusted_free (&text, size);
    return err;
}

int dw_keys_read_public (uint8_t *key, const char *file, dw_error_t *error) {
    char *text = NULL;
    size_t size = 0;
    int err = dw_trusted_read (&text, &size, file, DW_TRUSTED_PUBLIC, DW_KEYS_BYTES_MAX, error);
    if (!err)
        err = dw_keys_parse_public (key, text, size, file, error);
    dw_trusted_free (&text, size);
    return err;
}

/* ---- Used ------------------------------------------------------------------------------------- */

int dw_keys_use (const dw_keys_t *self, void *socket, const uint8_t *server_key,
                 dw_error_t *error) {
    if (dw_option_set_key (socket, ZMQ_CURVE_SERVERKEY, server_key) &&
        dw_option_set_key (socket, ZMQ_CURVE_PUBLICKEY, self->public_key) &&
        dw_option_set_key (socket, ZMQ_CURVE_SECRETKEY, self->secret_key) &&
        dw_option_is_int (socket, ZMQ_CURVE_SERVER, 0) &&
        dw_option_is_int (socket, ZMQ_MECHANISM, ZMQ_CURVE))
        return DW_OK;
    return dw_error_add (error, DW_EKEY, DW_NOWHERE,
                         "ZeroMQ does not take the key pair (%s): was it built with CURVE?",
                         zmq_strerror (errno));
}
