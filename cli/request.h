/* request.h - what run and submit share: a run's input, the nodes wanted of it, how its result is
 * printed. */

#ifndef DW_REQUEST_H
#define DW_REQUEST_H

#include "cli/command.h"
#include "cli/flight.h"
#include "cli/input.h"

/* What was said in the options --input, --input-file, --lines, --output, --deadline and --format,
 * and by the word -. */
typedef struct dw_request_t {
    const char *input, *input_file, *lines; /* at most one of these and input_stdin is said */
    bool input_stdin;
    bool is_null,
        is_unordered; /* of lines: what ends a record, and in which order results are printed */
    const char **outputs;
    size_t outputs_count;
    uint32_t deadline_ms; /* 0: none */
    dw_format_t format;
    bool has_format; /* it was said */
    bool counted;    /* several runs are made, and how all of them ended is printed too */
} dw_request_t;

/* Parses these options as a child of a command's parser, whose input for it is the request. */
extern const struct argp dw_request_argp;

/* An empty request for a command of argc words. Returns an exit status. */
int dw_request_begin (dw_request_t *self, int argc);
void dw_request_end (dw_request_t *self);

/* Reads the input, or opens the file of a stream. Returns an exit status. */
int dw_request_read (const dw_request_t *self, uint64_t size_max, dw_input_t *input);
/* How many runs are in flight together at most. */
uint32_t dw_request_runs_max (const dw_request_t *self, uint32_t otherwise);
/* Makes flight's runs through client, and says what fails; a stream's results are printed
 * meanwhile. bar: as dw_flight_run. Returns an exit status, which is not that of the result. */
int dw_request_fly (const dw_request_t *self, dw_client_t *client, dw_input_t *input,
                    const dw_signals_t *signals, bool bar, dw_flight_t *flight);
/* Prints the last result, but for a stream, and writes it out. Returns the exit status of the
 * command. */
int dw_request_report (const dw_request_t *self, const dw_flight_t *flight);

#endif
