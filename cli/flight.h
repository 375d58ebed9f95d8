/* flight.h - the runs of one command: submitted, waited for, counted, and stopped by a signal.
 *
 * The first SIGINT or SIGTERM cancels them, and what they got done is their result; the second one
 * ends the command at once. Signals are read from a descriptor beside the client's. */

#ifndef DW_FLIGHT_H
#define DW_FLIGHT_H

#include "cli/signals.h"
#include "dagwood.h"

typedef struct dw_flight_t {
    uint64_t runs; /* to be made, */
    /* so many at one time: runs_max of the system; the rest is 0 at first */
    uint64_t in_flight_max;
    uint64_t submitted, ended;
    uint64_t ended_as[DW_RUN_CANCELLED + 1]; /* by dw_run_status_t */
    uint64_t duration_us;                    /* of all of them together */
    int signal;                              /* the one that stopped it, or 0 */
    /* who alone runs the nodes; when it has ended so do the runs; NULL: others do */
    dw_agent_t *agent;
    bool is_deserted;  /* it has */
    dw_result_t *last; /* of the run that was submitted last; the caller's */
} dw_flight_t;

/* Whoever runs the nodes may end: then nobody ever will, and what is in flight is cancelled (true,
 * once). */
bool dw_flight_look_after_agent (dw_flight_t *self, dw_client_t *client);

/* A coordinator elsewhere that is lost makes nothing readable. */
#define DW_FLIGHT_LOOK_INTERVAL_MS 100

/* Sleeps until a result, a signal or input may be there (input_fd -1: none is wanted), or it is
 * time to look; then asks the client whether all is well, which dw_client_next cannot say. Errors:
 * those of dw_client_wait_all. */
int dw_flight_sleep (dw_client_t *client, const dw_signals_t *signals, int input_fd);

/* The signals that stop it, for dw_signals_catch. */
extern const int dw_flight_signals[];

/* A clock that never goes back, for how long runs take. */
uint64_t dw_flight_now_us (void);

/* Makes the runs. bar: shows how far it is on standard error.
 * Errors: those of dw_client_submit and dw_client_wait; the runs that were in flight are cancelled
 * with the client. */
int dw_flight_run (dw_flight_t *self, dw_client_t *client, const dw_submission_t *submission,
                   const dw_signals_t *signals, bool bar, dw_error_t *error);

#endif
