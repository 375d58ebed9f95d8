/* keyring.c - the folder of a coordinator's keys. */

#include "actors/keyring.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "actors/trusted.h"
#include "runtime/core/error.h"

#define KEYS_FILE    "coordinator.key"
#define ALLOWED_FILE "allowed"

/* folder/name, the caller's; NULL: no memory. */
static char *s_path (const char *folder, const char *name) {
    char *path = NULL;
    return asprintf (&path, "%s/%s", folder, name) < 0 ? NULL : path;
}

static int s_read_keys (dw_keys_t *keys, const char *folder, dw_error_t *error) {
    char *path = s_path (folder, KEYS_FILE);
    int err = path ? dw_keys_read (keys, path, error)
                   : dw_error_add (error, DW_ENOMEM, DW_NOWHERE, "out of memory");
    free (path);
    return err;
}

int dw_keyring_reread (dw_allowed_t **allowed_p, const char *folder, dw_error_t *error) {
    int err = dw_trusted_folder (folder, error);
    if (err)
        return err;
    char *path = s_path (folder, ALLOWED_FILE);
    err = path ? dw_allowed_read (allowed_p, path, error)
               : dw_error_add (error, DW_ENOMEM, DW_NOWHERE, "out of memory");
    free (path);
    return err;
}

int dw_keyring_open (dw_keyring_t *self, const char *folder, dw_error_t *error) {
    memset (self, 0, sizeof *self);
    int err = dw_trusted_folder (folder, error);
    if (err)
        return err;
    err = s_read_keys (&self->keys, folder, error);
    int list_err = dw_keyring_reread (&self->allowed, folder, error);
    err = err ? err : list_err;
    if (err)
        dw_keyring_close (self);
    return err;
}

void dw_keyring_close (dw_keyring_t *self) {
    dw_keys_wipe (&self->keys);
    dw_allowed_destroy (&self->allowed);
}
