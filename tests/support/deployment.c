/* deployment.c */

#include "tests/support/deployment.h"

#include <stdlib.h>

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
