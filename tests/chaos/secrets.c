/* secrets.c - the keys of a chaos test. */

#include "tests/chaos/secrets.h"

#include <stdio.h>
#include <unistd.h>

#include "actors/keys.h"

static bool s_make (const char *folder, const char *name, FILE *list) {
    char file[96], text[DW_KEY_TEXT_SIZE];
    dw_keys_t keys;
    dw_error_t *error = dw_error_new ();
    snprintf (file, sizeof file, "%s/%s", folder, name);
    bool ok = dw_keys_generate (&keys, error) == DW_OK &&
              dw_keys_write (&keys, file, error) == DW_OK;
    if (ok && list) {
        dw_key_text (text, keys.public_key);
        fprintf (list, "%s %s some-%s\n", name, text, name);
    }
    fputs (dw_error_text (error), stderr);
    dw_error_destroy (&error);
    dw_keys_wipe (&keys);
    return ok;
}

bool secrets_make (const char *folder) {
    char file[96];
    snprintf (file, sizeof file, "%s/allowed", folder);
    if (access (file, F_OK) == 0)
        return true;
    FILE *list = fopen (file, "w");
    if (!list)
        return false;
    bool ok = s_make (folder, "coordinator.key", NULL) && s_make (folder, "stranger", NULL) &&
              s_make (folder, "worker", list) && s_make (folder, "client", list);
    return fclose (list) == 0 && ok;
}
