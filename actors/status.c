/* status.c - what a coordinator tells of what it is at. */

#include "actors/status.h"

#include <stdlib.h>
#include <string.h>

#include "runtime/core/error.h"

#define TEXT_MAX     255u
#define LANES_MAX    64u
#define TROUBLES_MAX 64u
#define ROWS_MAX     64u /* of clients, of runs */

/* Everything in one piece of memory: the status, its workers, their texts. */
typedef struct s_status_t {
    dw_status_t status;
    char *texts;
    dw_status_lane_t lanes[LANES_MAX];
    const char *troubles[TROUBLES_MAX];
    dw_status_client_t clients[ROWS_MAX];
    dw_status_run_t runs[ROWS_MAX];
    dw_status_worker_t workers[];
} s_status_t;

/* Copies a text, which people are shown, and moves *at behind it. */
static const char *s_text (dw_wire_reader_t *reader, char **at) {
    size_t size = 0;
    const char *text = dw_read_str (reader, TEXT_MAX, &size), *copy = *at;
    if (text)
        memcpy (*at, text, size);
    (*at)[text ? size : 0] = '\0';
    dw_error_tame (*at);
    *at += (text ? size : 0) + 1;
    return copy;
}

static void s_read_worker (dw_wire_reader_t *reader, dw_status_worker_t *worker, char **at) {
    worker->host = s_text (reader, at);
    worker->pid = dw_read_uint (reader);
    worker->slots = dw_read_uint_max (reader, UINT32_MAX);
    worker->busy = dw_read_uint_max (reader, UINT32_MAX);
    worker->held = dw_read_uint (reader);
    worker->credit = dw_read_uint (reader);
    worker->steps_done = dw_read_uint (reader);
    worker->silent_ms = dw_read_uint (reader);
    worker->lanes = dw_read_uint (reader);
}

static void s_read_lanes (dw_wire_reader_t *reader, s_status_t *self, char **at) {
    uint32_t count = dw_read_array (reader);
    reader->is_damaged |= count > LANES_MAX;
    self->status.lanes = self->lanes;
    for (uint32_t i = 0; i < count && !reader->is_damaged; i++) {
        dw_status_lane_t *lane = &self->lanes[self->status.lanes_count++];
        lane->demand = s_text (reader, at);
        lane->nodes_count = dw_read_uint_max (reader, UINT32_MAX);
        lane->slots = dw_read_uint_max (reader, UINT32_MAX);
        lane->ready = dw_read_uint_max (reader, UINT32_MAX);
    }
}

static void s_read_numbers (dw_wire_reader_t *reader, dw_status_t *status) {
    uint64_t nodes_count = 0, clients_count = 0;
    uint64_t *const numbers[] = {&nodes_count,
                                 &clients_count,
                                 &status->runs_in_flight,
                                 &status->runs_ok,
                                 &status->runs_partial,
                                 &status->runs_failed,
                                 &status->runs_cancelled,
                                 &status->tasks_ready,
                                 &status->tasks_sent,
                                 &status->steps_done,
                                 &status->attempts_failed,
                                 &status->retries,
                                 &status->timeouts,
                                 &status->lost,
                                 &status->answers_ignored,
                                 &status->messages_ignored,
                                 &status->runs_stalled,
                                 &status->slots_down,
                                 &status->slots_long,
                                 &status->clients_away,
                                 &status->results_kept};
    uint32_t count = dw_read_array (reader), known = sizeof numbers / sizeof *numbers;
    for (uint32_t i = 0; i < count; i++) { /* a later version may tell more */
        uint64_t number = dw_read_uint (reader);
        if (i < known)
            *numbers[i] = number;
    }
    status->nodes_count = (uint32_t) nodes_count;
    status->clients_count = (uint32_t) clients_count;
}

static void s_read_troubles (dw_wire_reader_t *reader, s_status_t *self, char **at) {
    uint32_t count = dw_read_array (reader);
    if (count > TROUBLES_MAX) {
        dw_wire_damage (reader);
        return;
    }
    for (uint32_t i = 0; i < count; i++)
        self->troubles[i] = s_text (reader, at);
    self->status.troubles = self->troubles;
    self->status.troubles_count = count;
}

static void s_read_clients (dw_wire_reader_t *reader, s_status_t *self, char **at) {
    uint32_t count = dw_read_array (reader);
    reader->is_damaged |= count > ROWS_MAX;
    self->status.clients = self->clients;
    for (uint32_t i = 0; i < count && !reader->is_damaged; i++) {
        dw_status_client_t *client = &self->clients[self->status.clients_shown++];
        client->name = s_text (reader, at);
        client->runs_in_flight = dw_read_uint (reader);
        client->results_kept = dw_read_uint (reader);
        client->away_ms = dw_read_uint (reader);
    }
}

static void s_read_runs (dw_wire_reader_t *reader, s_status_t *self, char **at) {
    uint32_t count = dw_read_array (reader);
    reader->is_damaged |= count > ROWS_MAX;
    self->status.runs = self->runs;
    for (uint32_t i = 0; i < count && !reader->is_damaged; i++) {
        dw_status_run_t *run = &self->runs[self->status.runs_shown++];
        run->client = s_text (reader, at);
        run->number = dw_read_uint (reader);
        run->age_ms = dw_read_uint (reader);
        run->unfinished = dw_read_uint_max (reader, UINT32_MAX);
        run->sent = dw_read_uint_max (reader, UINT32_MAX);
        run->is_detached = dw_read_uint_max (reader, 1);
    }
}

int dw_status_new (dw_status_t **self_p, dw_wire_reader_t *reader) {
    /* A worker has nine values, so there are at most so many; a text is no longer than the
     * message. */
    size_t left = (size_t) (reader->end - reader->at), workers_max = left / 9;
    s_status_t *self = calloc (1, sizeof *self + workers_max * sizeof *self->workers);
    char *at = malloc (left + workers_max + LANES_MAX + TROUBLES_MAX + 2 * ROWS_MAX + 2);
    if (!self || !at) {
        free (self);
        free (at);
        return DW_ENOMEM;
    }
    self->texts = at;
    self->status.graph = s_text (reader, &at);
    s_read_numbers (reader, &self->status);
    s_read_lanes (reader, self, &at);
    s_read_troubles (reader, self, &at);
    s_read_clients (reader, self, &at);
    s_read_runs (reader, self, &at);
    self->status.workers = self->workers;
    while (dw_wire_reader_has_more (reader) && !reader->is_damaged &&
           self->status.workers_count < workers_max)
        s_read_worker (reader, &self->workers[self->status.workers_count++], &at);
    dw_status_t *status = &self->status;
    if (reader->is_damaged) {
        dw_status_destroy (&status);
        return DW_EPROTOCOL;
    }
    dw_status_destroy (self_p);
    *self_p = status;
    return DW_OK;
}

void dw_status_destroy (dw_status_t **self_p) {
    s_status_t *self = (s_status_t *) *self_p; /* the status is its first member */
    if (!self)
        return;
    free (self->texts);
    free (self);
    *self_p = NULL;
}
