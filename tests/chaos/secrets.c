/* secrets.c - the keys of a chaos test. */

#include "tests/chaos/secrets.h"

#include <stdio.h>
#include <unistd.h>
#include <zmq.h>

#include "actors/keys.h"

static bool s_make (const char *folder, const char *name) {
    char file[96];
    dw_keys_t keys;
    dw_error_t *error = dw_error_new ();
    snprintf (file, sizeof file, "%s/%s", folder, name);
    bool ok = dw_keys_generate (&keys, error) == DW_OK &&
              dw_keys_write (&keys, file, error) == DW_OK;
    fputs (dw_error_text (error), stderr);
    dw_error_destroy (&error);
    dw_keys_wipe (&keys);
    return ok;
}

static bool s_list (const char *folder, const char *name, const char *role, FILE *list) {
    char file[96], text[DW_KEY_TEXT_SIZE];
    uint8_t key[DW_KEY_SIZE];
    snprintf (file, sizeof file, "%s/%s.pub", folder, name);
    if (dw_keys_read_public (key, file, NULL))
        return false;
    dw_key_text (text, key);
    return fprintf (list, "%s %s some-%s\n", role, text, name) > 0;
}

bool secrets_list (const char *folder, bool has_leaving) {
    char file[96];
    snprintf (file, sizeof file, "%s/allowed", folder);
    FILE *list = fopen (file, "w");
    if (!list)
        return false;
    bool ok = s_list (folder, "worker", "worker", list) &&
              s_list (folder, "client", "client", list);
    if (has_leaving)
        ok = ok && s_list (folder, "leaving-worker", "worker", list) &&
             s_list (folder, "leaving-client", "client", list);
    return fclose (list) == 0 && ok;
}

bool secrets_make (const char *folder) {
    static const char *const names[] = {"coordinator.key", "stranger",       "worker",
                                        "client",          "leaving-worker", "leaving-client"};
    char file[96];
    snprintf (file, sizeof file, "%s/allowed", folder);
    if (access (file, F_OK) == 0)
        return true;
    bool ok = true;
    for (size_t i = 0; ok && i < sizeof names / sizeof *names; i++)
        ok = s_make (folder, names[i]);
    return ok && secrets_list (folder, true);
}

void *secrets_knock (void *context, const char *endpoint, const char *folder, const char *key) {
    static const char hello[] = "\x00\xa7"
                                "dagwood"
                                "\x00"; /* of a version that there is not: it is refused */
    char file[96], server_file[96];
    int linger_ms = 0;
    void *socket = zmq_socket (context, ZMQ_DEALER);
    zmq_setsockopt (socket, ZMQ_LINGER, &linger_ms, sizeof linger_ms);
    dw_keys_t keys;
    uint8_t server_key[DW_KEY_SIZE];
    snprintf (file, sizeof file, "%s/%s", folder, key ? key : "");
    snprintf (server_file, sizeof server_file, "%s/coordinator.key.pub", folder);
    if (key &&
        (dw_keys_read (&keys, file, NULL) || dw_keys_read_public (server_key, server_file, NULL) ||
         dw_keys_use (&keys, socket, server_key, NULL))) {
        zmq_close (socket);
        return NULL;
    }
    zmq_connect (socket, endpoint);
    zmq_send (socket, hello, sizeof hello - 1, ZMQ_DONTWAIT);
    return socket;
}
