/* serve.h - a system as commands open and close it: named after its graph's file, with what happens
 * said on standard error. */

#ifndef DW_SERVE_H
#define DW_SERVE_H

#include "cli/command.h"

/* What options are that several commands have which open a system. */
#define DW_SERVE_KEYS_HELP \
    "The folder of coordinator.key and allowed, without which none but this machine can be let in [no keys]"
#define DW_SERVE_RECORD_HELP \
    "Record all that decides what happens, for dagwood replay and dagwood why [nothing is recorded]"
#define DW_SERVE_RECORD_BYTES_HELP \
    "How large the recording may become; then it ends, and what runs goes on [256 MiB]"
/* The word of --record-bytes-max; and that of --no-workers, which may be "fail". */
uint64_t dw_serve_record_bytes (const struct argp_state *state, const char *word);
bool dw_serve_no_workers_fail (const struct argp_state *state, const char *word);

typedef struct dw_serve_t {
    dw_system_t *system;
    char *name; /* of the graph: its file's, without folders and suffix */
} dw_serve_t;

/* "graphs/hello.yaml" is "hello"; ".yaml" has no suffix. The caller's; NULL: no memory. */
char *dw_serve_name (const char *file);
/* Opens a system for the graph of file. options: all but its notice, which is set here, and its
 * name where that is the file's (NULL). Returns an exit status, and says what failed; self is then
 * empty. */
int dw_serve_open (dw_serve_t *self, const dw_graph_t *graph, const char *file,
                   dw_system_options_t options);
/* Closes it, if it was opened. status: what the command will end with, and ends with here when an
 * actor is stuck: the result was given, and that changes nothing about it. */
void dw_serve_close (dw_serve_t *self, int status);

#endif
