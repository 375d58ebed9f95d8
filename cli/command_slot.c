/* command_slot.c - dagwood slot: one slot of a worker, in a process of its own. No user types it:
 * `dagwood worker --isolation process' and `dagwood run --isolation process' start it and say over
 * standard input what it is to do. */

#include <sys/prctl.h>
#include <unistd.h>

#include "cli/command.h"

int dw_command_slot (int argc, char **argv) {
    static const struct argp argp = {
        .doc = "Serves one slot for the command that has started it. Not to be typed.",
    };
    int status = DW_EXIT_OK;
    if (!dw_command_parse (&argp, argc, argv, NULL, &status))
        return status;
    (void) prctl (PR_SET_NAME, "dagwood-slot");
    dw_error_t *error = dw_error_new ();
    int err = dw_agent_serve_slot (NULL, error);
    status = err == DW_EINVAL ? DW_EXIT_USAGE : dw_command_exit (err);
    dw_command_closed (err, error, status); /* Ends here when its processor does not return. */
    dw_error_destroy (&error);
    return status;
}
