/* keys.h - a CURVE key pair: made, kept in a file, given to a socket.
 *
 * Who somebody is, is whose secret key they have. It lives in a file that only its owner may read,
 * and is never in a command's words, an environment or a graph file. The file, and FILE.pub beside
 * it, are lines of words (runtime/lines.h), each key in the 40 characters of Z85 (ZeroMQ RFC 32):
 *
 *     # a comment                                  FILE, mode 0600: both lines, in any order
 *     public = rq:rM>}U?@Lns47E1%kR.o@n%FcmmsL/@{H8]yf7
 *     secret = JTKVSB%%)wK0E.X)V>+}o?pNmC{O&4W4b!Ni{Lh6
 *
 *     public = rq:rM>}U?@Lns47E1%kR.o@n%FcmmsL/@{H8]yf7     FILE.pub, mode 0644: this one alone
 *
 * No message of these functions has a key in it, since what stands where a public key should may be
 * a secret one. Any thread; all is in the caller's memory. */

#ifndef DW_KEYS_H
#define DW_KEYS_H

#include <stddef.h>

#include "dagwood.h"

#define DW_KEY_SIZE       32u
#define DW_KEY_TEXT_SIZE  41u   /* Z85, with its NUL */
#define DW_KEYS_BYTES_MAX 4096u /* of a file */
#define DW_KEYS_PUBLIC    ".pub"

typedef struct dw_keys_t {
    uint8_t public_key[DW_KEY_SIZE];
    uint8_t secret_key[DW_KEY_SIZE];
} dw_keys_t;

/* A new pair, of the system's random numbers. Errors: DW_EKEY this ZeroMQ has no CURVE. */
int dw_keys_generate (dw_keys_t *self, dw_error_t *error);
/* Overwrites it; whoever holds a pair does so when it is no longer used. */
void dw_keys_wipe (dw_keys_t *self);

/* Writes FILE and FILE.pub, neither of which may be there. When it fails neither is left behind.
 * Errors: DW_EFILE one is there or cannot be written. */
int dw_keys_write (const dw_keys_t *self, const char *file, dw_error_t *error);
/* Reads a pair from FILE: only a regular file of this user or root, that nobody else may read or
 * write.
 * Errors, with which self is untouched: DW_EKEY what is wrong, all that was found, each with its
 * line; DW_ENOMEM. */
int dw_keys_read (dw_keys_t *self, const char *file, dw_error_t *error);
/* Reads one public key from FILE.pub, that nobody else may write. Errors: as dw_keys_read. */
int dw_keys_read_public (uint8_t *key, const char *file, dw_error_t *error);
/* The same from a text; file, or NULL, is for messages. */
int dw_keys_parse (dw_keys_t *self, const char *text, size_t size, const char *file,
                   dw_error_t *error);
int dw_keys_parse_public (uint8_t *key, const char *text, size_t size, const char *file,
                          dw_error_t *error);

/* Z85 and back. text has size characters and need not be ended by NUL; false: that is no key. */
void dw_key_text (char *text, const uint8_t *key);
bool dw_key_decode (uint8_t *key, const char *text, size_t size);

/* Makes socket the client of a server with this key: before it connects. All that is set is read
 * back.
 * Errors: DW_EKEY ZeroMQ did not take it; the socket is then of no use. */
int dw_keys_use (const dw_keys_t *self, void *socket, const uint8_t *server_key, dw_error_t *error);

#endif
