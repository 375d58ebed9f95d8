/* listener.c - a process that tries to listen at every endpoint of a list. */

#include "tests/chaos/listener.h"

#include <dirent.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "dagwood.h"
#include "tests/chaos/chaos.h"
#include "tests/support/endpoints.h"

#define LISTEN_STATE 0x0a /* TCP_LISTEN, in /proc/net/tcp */

/* ---- What the kernel says --------------------------------------------------------------------- */

static bool s_is_own (unsigned long inode) {
    char wanted[48], path[300], is[64];
    bool found = false;
    snprintf (wanted, sizeof wanted, "socket:[%lu]", inode);
    DIR *folder = opendir ("/proc/self/fd");
    for (const struct dirent *entry; folder && !found && (entry = readdir (folder));) {
        snprintf (path, sizeof path, "/proc/self/fd/%s", entry->d_name);
        ssize_t size = readlink (path, is, sizeof is - 1);
        found = size > 0 && (size_t) size == strlen (wanted) &&
                memcmp (is, wanted, (size_t) size) == 0;
    }
    if (folder)
        closedir (folder);
    return found;
}

/* As the kernel prints addresses, in the order of this machine's bytes. */
static bool s_is_loopback (const char *address) {
    size_t size = strlen (address);
    bool is_four = size == 8 || strncmp (address, "0000000000000000FFFF0000", 24) == 0;
    return is_four ? strcmp (address + size - 2, "7F") == 0
                   : strcmp (address, "00000000000000000000000001000000") == 0;
}

/* Whether this process has a socket that listens, and others could reach. */
static bool s_listens_beyond (void) {
    static const char *const files[] = {"/proc/self/net/tcp", "/proc/self/net/tcp6"};
    bool is_beyond = false;
    for (int i = 0; i < 2; i++) {
        char line[256], address[40];
        unsigned state;
        unsigned long inode;
        FILE *file = fopen (files[i], "r");
        while (file && fgets (line, sizeof line, file))
            if (sscanf (line, " %*d: %32[0-9A-F]:%*x %*32[0-9A-F]:%*x %x %*s %*s %*s %*d %*d %lu",
                        address, &state, &inode) == 3 &&
                state == LISTEN_STATE && !s_is_loopback (address) && s_is_own (inode))
                is_beyond = true;
        if (file)
            fclose (file);
    }
    return is_beyond;
}

/* ---- One endpoint ----------------------------------------------------------------------------- */

/* A run by way of the endpoint. */
static void s_serve (listener_case_t *self, const char *listening, const char *keys) {
    char key[96], server_key[96];
    dw_client_t *client = NULL;
    dw_result_t *result = NULL;
    size_t size;
    snprintf (key, sizeof key, "%s/client", keys);
    snprintf (server_key, sizeof server_key, "%s/coordinator.key.pub", keys);
    dw_connect_options_t options = {.endpoint = listening,
                                    .key = keys[0] ? key : NULL,
                                    .server_key = keys[0] ? server_key : NULL};
    self->is_tried = true;
    if (dw_client_connect (&client, &options, NULL) == DW_OK &&
        dw_client_run_text (client, "hello", &result, NULL) == DW_OK) {
        const char *text = dw_result_text (result, 0, &size);
        self->is_served = text && size == 5 && memcmp (text, "HELLO", 5) == 0;
    }
    dw_result_destroy (&result);
    dw_client_destroy (&client);
}

static listener_outcome_t s_outcome_of (int err, const dw_error_t *error) {
    if (err == DW_OK)
        return s_listens_beyond () ? LISTENER_BEYOND : LISTENER_MACHINE;
    if (err == DW_EKEY)
        return LISTENER_NO_KEY;
    return strstr (dw_error_text (error), "is no endpoint") ? LISTENER_NO_ENDPOINT
                                                            : LISTENER_NOT_HERE;
}

static void s_listen (listener_case_t *self, const dw_graph_t *graph, const char *endpoint,
                      const char *keys) {
    dw_system_t *system = NULL;
    dw_error_t *error = dw_error_new ();
    dw_system_options_t options = {.listen = endpoint, .keys = keys[0] ? keys : NULL};
    self->memory[0] = chaos_memory (0);
    self->descriptors[0] = chaos_descriptors (0);
    int64_t begin_ms = now_ms ();
    int err = dw_system_open (&system, graph, &options, error);
    self->took_ms = now_ms () - begin_ms;
    listener_outcome_t outcome = s_outcome_of (err, error);
    if (system && !strchr (dw_system_listening (system), '[')) /* IPv6 is not everywhere */
        s_serve (self, dw_system_listening (system), keys);
    if (system && dw_system_close (&system, -1, error))
        outcome = LISTENER_NOTHING;
    dw_error_destroy (&error);
    self->memory[1] = chaos_memory (0);
    self->descriptors[1] = chaos_descriptors (0);
    self->outcome = outcome;
}

int listener_run (const char *keys, listener_case_t *cases) {
    char home[] = "/tmp/dwchaos-listener-XXXXXX"; /* where relative names of files are */
    dw_graph_t *graph = dw_graph_new ();
    if (!mkdtemp (home) || chdir (home))
        return FLEET_NOT_BEGUN;
    dw_graph_add (graph, "upper", "change_text_case_upper");
    dw_graph_options (graph)->actors = DW_ACTORS_POOL;
    dw_graph_options (graph)->pool_size = 1;
    for (size_t i = 0; i < endpoint_cases_count && i < LISTENER_CASES_MAX; i++)
        s_listen (&cases[i], graph, endpoint_cases[i].endpoint, keys);
    dw_graph_destroy (&graph);
    return chdir ("/") == 0 && rmdir (home) == 0 ? FLEET_ENDED_OK : FLEET_ENDED_ELSE;
}
