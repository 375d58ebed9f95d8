/* rig.h - a work on an open system of dagwood, to be run again and again. */

#ifndef DW_RIG_H
#define DW_RIG_H

#include "bench/lib/work.h"

typedef struct dw_rig_options_t {
    dw_actors_t actors;
    uint32_t threads; /* tasks at one time, and worker actors of a pool */
    dw_priority_t priority;
    const char *record; /* file to record to while it runs; NULL: none */
} dw_rig_options_t;

typedef struct dw_rig_t {
    const dw_work_t *work;
    dw_processors_t *processors;
    dw_system_t *system;
    dw_client_t *client;
    /* What it took to come here, in nanoseconds. */
    double build_ns; /* to describe the graph, node by node, edge by edge */
    double plan_ns;  /* to validate and compile it */
    double open_ns;  /* to do so again and start the actors */
} dw_rig_t;

/* Opens a system of the work, which is borrowed. Errors: as dw_system_open. */
int dw_rig_open (dw_rig_t **self_p, const dw_work_t *work, const dw_rig_options_t *options,
                 dw_error_t *error);
/* Errors: as dw_system_close. */
int dw_rig_close (dw_rig_t **self_p, dw_error_t *error);

/* One run alone, from submit to result, then the hash of its outputs by rank (not timed).
 * Errors: as dw_client_run_text; DW_EPROCESSOR the run was not ok, which is a defect. */
int dw_rig_run (dw_rig_t *self, double *ns_p, uint64_t *hash_p, dw_error_t *error);

/* One run of a text by a client, which is checked; the hash of its outputs. Errors: as
 * dw_rig_run. */
int dw_rig_run_text (dw_client_t *client, const char *text, uint64_t *hash_p, dw_error_t *error);
/* The same by a client that is made for it. */
int dw_rig_run_once (dw_system_t *system, const char *text, uint64_t *hash_p, dw_error_t *error);

/* The hash of all outputs of a result. */
uint64_t dw_rig_hash (const dw_result_t *result);
/* Says that a result is not ok, unless it is: DW_EPROCESSOR. */
int dw_rig_check (const dw_result_t *result, dw_error_t *error);

#endif
