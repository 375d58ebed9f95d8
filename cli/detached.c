/* detached.c */

#include "cli/detached.h"

#include "cli/output.h"

#define ANSWER_MS 60000 /* for the coordinator's word, while it may be looked for */

int dw_detached_begin (dw_client_t *client, const dw_request_t *request, const dw_input_t *input,
                       const dw_signals_t *signals) {
    dw_submission_t submission = {
        .payload = input->text,
        .size = input->size,
        .is_text = true,
        .outputs = request->outputs,
        .outputs_count = request->outputs_count,
        .deadline_ms = request->deadline_ms,
    };
    char name[DW_RUN_NAME_SIZE];
    dw_error_t *error = dw_error_new ();
    int err = dw_client_detach (client, &submission, ANSWER_MS, name, error);
    int signal = err == DW_ECLOSED ? dw_signals_next (signals) : 0;
    int status = signal ? DW_EXIT_SIGNAL + signal
                 : err  ? dw_command_fail (err, error, "the run cannot be made")
                        : DW_EXIT_OK;
    dw_error_destroy (&error);
    if (status)
        return status;
    dw_output_print ("%s\n", name);
    return dw_output_close (DW_EXIT_OK);
}

static void s_end (dw_flight_t *flight, dw_result_t *result) {
    flight->submitted = flight->ended = 1;
    flight->ended_as[dw_result_status (result)] = 1;
    flight->duration_us = dw_result_duration_us (result);
    flight->last = result;
}

/* A run that has ended is not there, and has nothing to be cancelled. */
static int s_cancel (dw_client_t *client, uint64_t run, const char *node, dw_error_t *error) {
    if (node && dw_client_in_flight (client) > 0)
        return dw_client_cancel_node (client, run, node, error);
    if (!node)
        (void) dw_client_cancel (client, run);
    return DW_OK;
}

int dw_detached_wait (dw_client_t *client, const char *name, bool is_cancelled, const char *node,
                      const dw_signals_t *signals, dw_flight_t *flight) {
    uint64_t run = 0;
    dw_error_t *error = dw_error_new ();
    int err = dw_client_take_up (client, name, ANSWER_MS, &run, error);
    if (err == DW_ECLOSED && (flight->signal = dw_signals_next (signals)))
        err = DW_OK;
    if (!err && !flight->signal && is_cancelled)
        err = s_cancel (client, run, node, error);
    while (!err && !flight->signal && !flight->last) {
        dw_result_t *result = dw_client_next (client);
        if (result) {
            s_end (flight, result);
        } else {
            flight->signal = dw_signals_next (signals);
            err = flight->signal ? DW_OK : dw_flight_sleep (client, signals, -1);
        }
    }
    int status = err ? dw_command_fail (err, error, name) : DW_EXIT_OK;
    dw_error_destroy (&error);
    return err == DW_EINVAL ? DW_EXIT_USAGE : status;
}
