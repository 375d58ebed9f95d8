/* stream.h - a run for each record of a file, and each result printed as a line of JSON.
 *
 *     records --submit--> up to 4,096 runs in flight --results--> in the order of the records --> output
 *
 * What is in memory is bounded: the records that were read and whose results were not printed yet are at most
 * so many, and have at most 64 MiB together (or are one). So a reader of the output that is slow slows all, and nothing
 * is read before there is room for it; what was read goes on its way at once, however slow whoever writes it is.
 *
 * The first SIGINT or SIGTERM ends the reading and cancels what is in flight, whose results are printed;
 * the second one ends the command at once. */

#ifndef DW_STREAM_H
#define DW_STREAM_H

#include "cli/flight.h"
#include "cli/records.h"

#define DW_STREAM_RUNS_MAX 4096u

typedef struct dw_lines_options_t {
    const char *const *outputs; /* ids of the nodes that are asked for; none: all */
    size_t outputs_count;
    uint32_t deadline_ms; /* of each run; 0: none */
    bool is_unordered;    /* results are printed as they come */
} dw_lines_options_t;

/* Makes the runs, prints their results and, on standard error, a summary. How they ended is in
 * flight, where a record that was refused counts as failed. Returns an exit status, which is not
 * that of the results. */
int dw_stream_run (const dw_lines_options_t *options, dw_client_t *client, dw_records_t *records,
                   const dw_signals_t *signals, dw_flight_t *flight);

#endif
