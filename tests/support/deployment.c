/* deployment.c - processes of the command that belong together: started, found, ended. */

#include "tests/support/deployment.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

int deployment_set_up (void **state) {
    *state = calloc (1, sizeof (deployment_t));
    return *state ? 0 : -1;
}

int deployment_tear_down (void **state) {
    deployment_t *self = *state;
    command_forget (&self->coordinator);
    command_forget (&self->workers[0]);
    command_forget (&self->workers[1]);
    command_forget (&self->other);
    free (self);
    return 0;
}

void deployment_coordinate (deployment_t *self, const char *const *words) {
    command_start (&self->coordinator, words);
    command_await_output (&self->coordinator, "\n");
    command_take_endpoint (&self->coordinator, self->endpoint);
}

void deployment_expect_end (command_t *command, int status) {
    command_end (command);
    command_expect (command, status);
    command_free (command);
}

const char *deployment_keygen (const char *name, const char *role, char line[128]) {
    char public_name[64], key[64];
    const char *file = command_path (name);
    snprintf (public_name, sizeof public_name, "%s.pub", name);
    unlink (command_path (public_name)); /* of a test before */
    unlink (file);
    command_t c = {0};
    COMMAND (&c, "keygen", file);
    command_expect (&c, 0);
    assert_int_equal (sscanf (strstr (c.out, "    worker "), " worker %63s", key), 1);
    snprintf (line, 128, "%s %s %s\n", role, key, role);
    command_free (&c);
    return file;
}
