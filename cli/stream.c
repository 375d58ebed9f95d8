/* stream.c */

#include "cli/stream.h"

#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/command.h"
#include "cli/ndjson.h"
#include "cli/output.h"

#define HELD_SIZE_MAX \
    (64u << 20)               /* bytes of the records that are in flight or wait to be printed */
#define LINES_SIZE     65536u /* of output that is put together before it is written */
#define LINES_KEPT_MAX (1u << 20) /* more memory than that is not kept for the next lines */

/* A record on its way. A run's number is the record's, with the place's behind it: so a result
 * finds its place though others overtake it. */
typedef struct s_place_t {
    uint64_t record;
    size_t size;
    dw_result_t *result; /* that has come and waits for those before it */
    bool is_refused;     /* it never was a run */
} s_place_t;

#define PLACES         DW_STREAM_RUNS_MAX
#define PLACE_OF(run)  ((uint32_t) ((run) % PLACES))
#define RECORD_OF(run) ((run) / PLACES)

typedef struct s_stream_t {
    const dw_lines_options_t *options;
    dw_client_t *client;
    dw_records_t *records;
    const dw_signals_t *signals;
    dw_flight_t *flight;
    dw_error_t *error; /* of what cannot be submitted */
    dw_ndjson_t json;
    s_place_t places[PLACES];
    uint32_t free_places[PLACES],
        free_count;   /* for unordered; in order a record's place is its number's */
    uint64_t printed; /* records whose results are among the lines, or written */
    size_t held_size;
    size_t runs_max;
    bool is_input_over, waits_for_input, is_output_gone;
    /* of the command, when the input could not be read: what was read is finished */
    int input_status;
    int status; /* of the command, when it cannot go on */
} s_stream_t;

/* Records that were taken and whose results are not printed. */
static uint64_t s_held (const s_stream_t *self) {
    return self->records->count - self->printed;
}

static void s_fail (s_stream_t *self, int err, const dw_error_t *error) {
    self->status = dw_command_fail (err, error, "the stream cannot go on");
}

/* ---- Signals ------------------------------------------------------------------------------ */

static void s_look_for_signals (s_stream_t *self) {
    for (int number; (number = dw_signals_next (self->signals));) {
        if (self->flight->signal)
            _exit (DW_EXIT_SIGNAL + number);
        self->flight->signal = number;
        self->is_input_over = true;
        (void) dw_client_cancel (self->client, DW_EVERY_RUN); /* Perhaps there is none. */
    }
}

/* ---- Out ---------------------------------------------------------------------------------- */

/* Writes the lines out, however long that takes; signals are heard meanwhile. */
static void s_write (s_stream_t *self) {
    dw_writer_t *lines = &self->json.lines;
    size_t written = 0;
    while (written < lines->count && !self->is_output_gone) {
        ssize_t count = dw_output_write_some (lines->bytes + written, lines->count - written);
        if (count < 0) {
            self->is_output_gone = true;
            self->status = DW_EXIT_OUTPUT;
        } else if (count == 0) {
            struct pollfd items[] = {
                {.fd = STDOUT_FILENO, .events = POLLOUT},
                {.fd = self->signals->fd, .events = POLLIN},
            };
            poll (items, 2, -1);
            s_look_for_signals (self);
        } else {
            written += (size_t) count;
        }
    }
    dw_writer_clear (lines);
    if (lines->size > LINES_KEPT_MAX)
        dw_writer_free (lines);
}

static bool s_print_refused (s_stream_t *self, const s_place_t *place) {
    char message[128];
    snprintf (message, sizeof message,
              "record %" PRIu64 " has more bytes than max_payload_bytes (%" PRIu64 ") allows",
              place->record, self->records->size_max);
    self->flight->ended_as[DW_RUN_FAILED]++;
    return dw_ndjson_add_refused (&self->json, place->record, 413, message);
}

static bool s_print_result (s_stream_t *self, const s_place_t *place) {
    self->flight->ended_as[dw_result_status (place->result)]++;
    return dw_ndjson_add (&self->json, place->record, place->result);
}

/* Prints what became of a record, and gives its place free. */
static void s_print (s_stream_t *self, s_place_t *place) {
    bool is_printed = place->is_refused ? s_print_refused (self, place)
                                        : s_print_result (self, place);
    dw_result_destroy (&place->result);
    self->held_size -= place->size;
    self->flight->ended++;
    self->printed++;
    *place = (s_place_t){0};
    if (self->options->is_unordered)
        self->free_places[self->free_count++] = (uint32_t) (place - self->places);
    if (!is_printed)
        s_fail (self, DW_ENOMEM, NULL);
    else if (self->json.lines.count >= LINES_SIZE)
        s_write (self);
}

/* Prints what the place's record has come to, when its turn has come. */
static void s_on_ended (s_stream_t *self, s_place_t *place) {
    if (self->options->is_unordered) {
        s_print (self, place);
        return;
    }
    for (;;) {
        s_place_t *first = &self->places[PLACE_OF (self->printed + 1)];
        if (self->status || !(first->result || first->is_refused))
            return;
        s_print (self, first);
    }
}

/* Takes every result that is there; returns how many. */
static size_t s_take (s_stream_t *self) {
    size_t count = 0;
    dw_result_t *result;
    while (!self->status && (result = dw_client_next (self->client))) {
        s_place_t *place = &self->places[PLACE_OF (dw_result_run (result))];
        place->result = result;
        s_on_ended (self, place);
        count++;
    }
    return count;
}

/* ---- In ----------------------------------------------------------------------------------- */

static bool s_has_room (const s_stream_t *self) {
    return s_held (self) < PLACES && self->held_size < HELD_SIZE_MAX &&
           dw_client_in_flight (self->client) < self->runs_max;
}

/* A place for the record taken last. */
static s_place_t *s_new_place (s_stream_t *self, size_t size) {
    uint64_t record = self->records->count;
    uint32_t index = self->options->is_unordered ? self->free_places[--self->free_count]
                                                 : PLACE_OF (record);
    s_place_t *place = &self->places[index];
    *place = (s_place_t){.record = record, .size = size};
    self->held_size += size;
    return place;
}

static void s_refuse (s_stream_t *self) {
    s_place_t *place = s_new_place (self, 0);
    place->is_refused = true;
    s_on_ended (self, place);
}

static void s_submit (s_stream_t *self, const char *text, size_t size) {
    s_place_t *place = s_new_place (self, size);
    dw_submission_t submission = {
        .payload = text,
        .size = size,
        .is_text = true,
        .outputs = self->options->outputs,
        .outputs_count = self->options->outputs_count,
        .deadline_ms = self->options->deadline_ms,
        .number = place->record * PLACES + (uint64_t) (place - self->places),
        .more = true,
    };
    int err = dw_client_submit (self->client, &submission, NULL, self->error);
    if (err == DW_ETOOLARGE) {           /* with its header */
        dw_error_destroy (&self->error); /* of what is told in the record's own line */
        self->error = dw_error_new ();
        place->is_refused = true;
        s_on_ended (self, place);
    } else if (err) {
        s_fail (self, err, self->error);
    }
}

/* Reads what there is; false: nothing now. */
static bool s_read (s_stream_t *self) {
    struct pollfd item = {.fd = self->records->fd, .events = POLLIN};
    if (poll (&item, 1, 0) == 0) {
        self->waits_for_input = true;
        return false;
    }
    self->input_status = dw_records_read (self->records);
    self->is_input_over = self->input_status;
    return !self->input_status;
}

/* Submits records until there is no room for more or nothing is there; returns how many. */
static size_t s_feed (s_stream_t *self) {
    size_t count = 0;
    self->waits_for_input = false;
    while (!self->status && !self->is_input_over && s_has_room (self)) {
        const char *text = NULL;
        size_t size = 0;
        switch (dw_records_next (self->records, &text, &size)) {
            case DW_RECORDS_ONE:
                s_submit (self, text, size);
                count++;
                break;
            case DW_RECORDS_TOO_LARGE:
                s_refuse (self);
                count++;
                break;
            case DW_RECORDS_NOT_YET:
                if (!s_read (self))
                    return count;
                break;
            case DW_RECORDS_END: self->is_input_over = true; break;
        }
    }
    return count;
}

/* ---- All of it ---------------------------------------------------------------------------- */

/* Nothing is to be done: writes out what there is, and waits for a result, for input or for a
 * signal. */
static void s_sleep (s_stream_t *self) {
    s_write (self);
    if (self->status)
        return;
    int err = dw_flight_sleep (self->client, self->signals,
                               self->waits_for_input ? self->records->fd : -1);
    if (err)
        s_fail (self, err, NULL);
    else if (dw_flight_look_after_agent (self->flight, self->client))
        self->is_input_over = true;
}

/* Whether all that there is was printed, and no more follows. */
static bool s_is_over (const s_stream_t *self) {
    return self->status || (self->is_input_over && s_held (self) == 0);
}

/* Nothing was to be done: either something will come, or nobody has the records that were
 * submitted, for which the coordinator had no place. */
static void s_rest (s_stream_t *self) {
    if (s_held (self) > 0 && dw_client_in_flight (self->client) == 0) {
        int err = dw_client_wait_all (self->client, 0); /* what was refused it says */
        s_fail (self, err ? err : DW_EAGAIN, NULL);
    } else {
        s_sleep (self);
    }
}

static void s_work (s_stream_t *self) {
    while (!s_is_over (self)) {
        s_look_for_signals (self);
        size_t moved = s_take (self);
        moved += s_feed (self);
        if (moved == 0 && !s_is_over (self))
            s_rest (self);
    }
    s_write (self);
}

static void s_sum_up (const dw_flight_t *flight, uint64_t records) {
    double seconds = (double) flight->duration_us / 1e6;
    char lost[64] = "";
    if (records > flight->ended)
        snprintf (lost, sizeof lost, ", %" PRIu64 " without a result", records - flight->ended);
    dw_command_say ("%" PRIu64 " records in %.3f s (%.0f a second): %" PRIu64 " ok, %" PRIu64
                    " partial, %" PRIu64 " failed, %" PRIu64 " cancelled%s",
                    records, seconds, seconds > 0 ? (double) flight->ended / seconds : 0.0,
                    flight->ended_as[DW_RUN_OK], flight->ended_as[DW_RUN_PARTIAL],
                    flight->ended_as[DW_RUN_FAILED], flight->ended_as[DW_RUN_CANCELLED], lost);
}

static void s_release (s_stream_t *self) {
    for (uint32_t i = 0; i < PLACES; i++)
        dw_result_destroy (&self->places[i].result);
    dw_ndjson_free (&self->json);
    dw_error_destroy (&self->error);
    free (self);
}

int dw_stream_run (const dw_lines_options_t *options, dw_client_t *client, dw_records_t *records,
                   const dw_signals_t *signals, dw_flight_t *flight) {
    uint64_t started_us = dw_flight_now_us ();
    s_stream_t *self = calloc (1, sizeof *self);
    if (!self)
        return dw_command_fail (DW_ENOMEM, NULL, "the stream cannot begin");
    self->options = options;
    self->client = client;
    self->records = records;
    self->signals = signals;
    self->flight = flight;
    self->error = dw_error_new ();
    self->runs_max = dw_client_runs_max (client);
    records->size_max = dw_client_max_payload_bytes (client);
    while (self->free_count < PLACES) {
        self->free_places[self->free_count] = self->free_count;
        self->free_count++;
    }
    s_work (self);
    flight->duration_us = dw_flight_now_us () - started_us;
    s_sum_up (flight, records->count);
    int status = self->status ? self->status : self->input_status;
    s_release (self);
    return status;
}
