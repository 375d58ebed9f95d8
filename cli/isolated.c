/* isolated.c */

#include "cli/isolated.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PREFIX "ipc://"
#define NAME   "/run"

int dw_isolated_prepare (dw_isolated_t *self, uint32_t slots, dw_system_options_t *options) {
    int status = dw_command_make_folder (&self->folder, "the endpoint of the slots");
    if (status)
        return status;
    if (asprintf (&self->endpoint, PREFIX "%s" NAME, self->folder) < 0) {
        self->endpoint = NULL;
        return dw_command_fail (DW_ENOMEM, NULL, "isolation");
    }
    options->listen = self->endpoint;
    options->no_actors = true;
    options->slots_max = slots;
    return DW_EXIT_OK;
}

int dw_isolated_open (dw_isolated_t *self, uint32_t slots) {
    dw_agent_options_t options = {
        .coordinator = {.endpoint = self->endpoint},
        .slots = slots,
        .notice = dw_command_notice,
        .slot_command = dw_command_slot_words,
    };
    dw_error_t *error = dw_error_new ();
    int err = dw_agent_open (&self->agent, &options, error);
    int status = err ? dw_command_fail (err, error, "the slots cannot be started") : DW_EXIT_OK;
    dw_error_destroy (&error);
    return status;
}

void dw_isolated_end (dw_isolated_t *self) {
    (void) dw_agent_close (&self->agent, 0, NULL); /* Processes are ended in any case. */
}

void dw_isolated_remove (dw_isolated_t *self) {
    if (self->endpoint)
        (void) unlink (self->endpoint + strlen (PREFIX)); /* ZeroMQ has done so, mostly. */
    if (self->folder)
        (void) rmdir (self->folder);
    free (self->endpoint);
    free (self->folder);
    *self = (dw_isolated_t){0};
}
