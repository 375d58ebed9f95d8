/* keyring.h - the folder of a coordinator's keys: its own pair, and the list of whom it lets in.
 *
 *     DIR/coordinator.key       its key pair, mode 0600       (keys.h; `dagwood keygen DIR/coordinator.key`)
 *     DIR/coordinator.key.pub   its public key, which workers and clients are given; not read here
 *     DIR/allowed               the allow-list                (allowed.h)
 *
 * The folder must be this user's or root's, and nobody else may write to it. */

#ifndef DW_KEYRING_H
#define DW_KEYRING_H

#include "actors/allowed.h"
#include "actors/keys.h"

typedef struct dw_keyring_t {
    dw_keys_t keys;
    dw_allowed_t *allowed;
} dw_keyring_t;

/* Reads both. Errors, with which self is empty: DW_EKEY everything that is wrong with either;
 * DW_ENOMEM. */
int dw_keyring_open (dw_keyring_t *self, const char *folder, dw_error_t *error);
/* Wipes the keys and frees the list; takes one that is all zeros. */
void dw_keyring_close (dw_keyring_t *self);
/* Reads the list alone, anew. Errors: as dw_allowed_read; then the old one is still the better
 * one. */
int dw_keyring_reread (dw_allowed_t **allowed_p, const char *folder, dw_error_t *error);

#endif
