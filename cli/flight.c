/* flight.c */

#include "cli/flight.h"

#include <poll.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "cli/command.h"

#define BAR_WIDTH       30
#define BAR_INTERVAL_US 100000

uint64_t dw_flight_now_us (void) {
    struct timespec now;
    clock_gettime (CLOCK_MONOTONIC, &now);
    return (uint64_t) now.tv_sec * 1000000 + (uint64_t) now.tv_nsec / 1000;
}

const int dw_flight_signals[] = {SIGINT, SIGTERM, 0};

/* ---- The bar ------------------------------------------------------------------------------ */

typedef struct bar_t {
    bool shown;
    uint64_t started_us, next_us;
} bar_t;

static void s_bar_draw (bar_t *self, const dw_flight_t *flight, uint64_t now_us) {
    char bar[BAR_WIDTH + 1];
    int full = (int) (flight->ended * BAR_WIDTH / flight->runs);
    for (int i = 0; i < BAR_WIDTH; i++)
        bar[i] = i < full ? '=' : i == full ? '>' : ' ';
    bar[BAR_WIDTH] = '\0';
    double seconds = (double) (now_us - self->started_us) / 1e6;
    fprintf (stderr, "\r[%s] %3d%%  %llu of %llu runs  %.0f a second ", bar,
             (int) (flight->ended * 100 / flight->runs), (unsigned long long) flight->ended,
             (unsigned long long) flight->runs,
             seconds > 0 ? (double) flight->ended / seconds : 0.0);
    fflush (stderr);
    self->next_us = now_us + BAR_INTERVAL_US;
}

static void s_bar_update (bar_t *self, const dw_flight_t *flight) {
    uint64_t now_us = self->shown ? dw_flight_now_us () : 0;
    if (self->shown && now_us >= self->next_us)
        s_bar_draw (self, flight, now_us);
}

static void s_bar_end (bar_t *self, const dw_flight_t *flight) {
    if (self->shown) {
        s_bar_draw (self, flight, dw_flight_now_us ());
        fputc ('\n', stderr);
    }
}

/* ---- The runs ----------------------------------------------------------------------------- */

/* Submits until enough are in flight, or all are submitted. */
static int s_submit (dw_flight_t *self, dw_client_t *client, const dw_submission_t *submission,
                     dw_error_t *error) {
    int err = DW_OK;
    while (!err && !self->signal && !self->is_deserted && self->submitted < self->runs &&
           self->submitted - self->ended < self->in_flight_max) {
        uint64_t run;
        err = dw_client_submit (client, submission, &run, error);
        self->submitted += err ? 0 : 1;
    }
    return err;
}

/* Takes every result that is there; returns how many. */
static size_t s_take (dw_flight_t *self, dw_client_t *client) {
    size_t count = 0;
    dw_result_t *result;
    while ((result = dw_client_next (client))) {
        self->ended++;
        self->ended_as[dw_result_status (result)]++;
        if (!self->last || dw_result_run (result) > dw_result_run (self->last)) {
            dw_result_t *older = self->last;
            self->last = result;
            result = older;
        }
        dw_result_destroy (&result);
        count++;
    }
    return count;
}

static void s_cancel_all (dw_client_t *client) {
    (void) dw_client_cancel (client, DW_EVERY_RUN); /* There may be none: no matter. */
}

static void s_on_signal (dw_flight_t *self, dw_client_t *client, int number) {
    if (self->signal)
        _exit (DW_EXIT_SIGNAL + number);
    self->signal = number;
    s_cancel_all (client);
}

bool dw_flight_look_after_agent (dw_flight_t *self, dw_client_t *client) {
    if (!self->agent || self->is_deserted || dw_agent_wait (self->agent, 0) == DW_ETIMEDOUT)
        return false;
    self->is_deserted = true;
    s_cancel_all (client);
    return true;
}

int dw_flight_sleep (dw_client_t *client, const dw_signals_t *signals, int input_fd) {
    struct pollfd items[] = {
        {.fd = dw_client_fd (client), .events = POLLIN},
        {.fd = signals->fd, .events = POLLIN},
        {.fd = input_fd, .events = POLLIN},
    };
    poll (items, 3, DW_FLIGHT_LOOK_INTERVAL_MS);
    int err = dw_client_wait_all (client, 0);
    return err == DW_ETIMEDOUT ? DW_OK : err;
}

static bool s_is_over (const dw_flight_t *self) {
    return self->ended == self->submitted &&
           (self->submitted == self->runs || self->signal || self->is_deserted);
}

int dw_flight_run (dw_flight_t *self, dw_client_t *client, const dw_submission_t *submission,
                   const dw_signals_t *signals, bool bar_wanted, dw_error_t *error) {
    uint64_t started_us = dw_flight_now_us ();
    bar_t bar = {.shown = bar_wanted, .started_us = started_us};
    int err = s_submit (self, client, submission, error);
    while (!err && !s_is_over (self)) {
        for (int number; (number = dw_signals_next (signals));)
            s_on_signal (self, client, number);
        if (s_take (self, client) == 0) {
            err = dw_flight_sleep (client, signals, -1);
            (void) dw_flight_look_after_agent (self, client);
        }
        s_bar_update (&bar, self);
        err = err ? err : s_submit (self, client, submission, error);
    }
    self->duration_us = dw_flight_now_us () - started_us;
    s_bar_end (&bar, self);
    return err;
}
