/* result.h - what a client got of a run: read in place, from the message that it came in. */

#ifndef DW_RESULT_H
#define DW_RESULT_H

#include "actors/message.h"
#include "dagwood.h"
#include "runtime/core/names.h"

/* What WELCOME told of the graph: shared by a client and its results, all of one thread. */
typedef struct dw_roster_t {
    uint32_t references;
    uint32_t count;
    char **ids; /* ended by NUL */
    dw_names_t nodes;
    uint32_t *sinks;
    uint32_t sinks_count;
} dw_roster_t;

/* Errors: DW_EPROTOCOL graph makes no sense; DW_ENOMEM. */
int dw_roster_new (dw_roster_t **self_p, const void *graph, size_t size);
/* The node with this id; -1: none. */
int dw_roster_find (const dw_roster_t *self, const char *id);
/* Gives up one reference. */
void dw_roster_release (dw_roster_t **self_p);

/* A message with results, shared by them. */
typedef struct dw_delivered_t {
    uint32_t references;
    bool is_trusted;   /* it was written in this process: slots are not looked at until asked for */
    size_t bytes_left; /* that no result has read yet: each byte belongs to one */
    dw_message_t message;
} dw_delivered_t;

/* Takes message over, when there is memory; NULL: none. */
dw_delivered_t *dw_delivered_new (dw_message_t *message, bool is_trusted);
/* Gives up one reference. */
void dw_delivered_release (dw_delivered_t **self_p);

/* Reads the next result record of a RESULTS message; both are shared.
 * Errors: DW_EPROTOCOL it makes no sense; DW_ENOMEM. */
int dw_result_new (dw_result_t **self_p, dw_wire_reader_t *reader, dw_delivered_t *delivered,
                   dw_roster_t *names);

/* A client's list of results. */
dw_result_t **dw_result_next (dw_result_t *self);

#endif
