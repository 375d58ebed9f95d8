/* rig.c - a work on an open system of dagwood. */

#include "bench/lib/rig.h"

#include <stdlib.h>

#include "actors/clock.h"
#include "actors/processors.h"
#include "bench/lib/mix.h"
#include "bench/lib/mixer.h"
#include "runtime/core/error.h"

/* ---- Opened and closed -------------------------------------------------------------------- */

static void s_set_options (dw_graph_t *graph, const dw_rig_options_t *asked) {
    dw_graph_options_t *options = dw_graph_options (graph);
    options->actors = asked->actors;
    options->priority = asked->priority;
    options->max_concurrency = asked->threads;
    if (asked->actors == DW_ACTORS_POOL)
        options->pool_size = asked->threads;
}

static int s_plan (dw_rig_t *self, const dw_graph_t *graph, dw_error_t *error) {
    dw_plan_t *plan = NULL;
    int64_t begin_ns = dw_clock_ns ();
    int err = dw_processors_plan (self->processors, graph, &plan, error);
    self->plan_ns = (double) (dw_clock_ns () - begin_ns);
    dw_plan_destroy (&plan);
    return err;
}

static int s_open (dw_rig_t *self, const dw_rig_options_t *asked, dw_error_t *error) {
    int64_t begin_ns = dw_clock_ns ();
    dw_graph_t *graph = dw_mixer_graph (self->work);
    self->build_ns = (double) (dw_clock_ns () - begin_ns);
    self->processors = dw_processors_new ();
    if (!graph || !self->processors || dw_mixer_add (self->processors, self->work)) {
        dw_graph_destroy (&graph);
        return dw_error_add (error, DW_ENOMEM, DW_NOWHERE, "out of memory for the graph");
    }
    s_set_options (graph, asked);
    int err = s_plan (self, graph, error);
    dw_system_options_t options = {.processors = self->processors,
                                   .clients_max = 1,
                                   .record = asked->record,
                                   .record_bytes_max = INT64_MAX};
    begin_ns = dw_clock_ns ();
    if (!err)
        err = dw_system_open (&self->system, graph, &options, error);
    self->open_ns = (double) (dw_clock_ns () - begin_ns);
    dw_graph_destroy (&graph);
    return err ? err : dw_client_new (&self->client, self->system, error);
}

int dw_rig_open (dw_rig_t **self_p, const dw_work_t *work, const dw_rig_options_t *options,
                 dw_error_t *error) {
    dw_rig_t *self = calloc (1, sizeof *self);
    if (!self)
        return dw_error_add (error, DW_ENOMEM, DW_NOWHERE, "out of memory");
    self->work = work;
    int err = s_open (self, options, error);
    if (err)
        dw_rig_close (&self, error);
    else
        *self_p = self;
    return err;
}

int dw_rig_close (dw_rig_t **self_p, dw_error_t *error) {
    dw_rig_t *self = *self_p;
    if (!self)
        return DW_OK;
    dw_client_destroy (&self->client);
    int err = dw_system_close (&self->system, -1, error);
    dw_processors_destroy (&self->processors);
    free (self);
    *self_p = NULL;
    return err;
}

/* ---- Runs --------------------------------------------------------------------------------- */

uint64_t dw_rig_hash (const dw_result_t *result) {
    uint64_t hash = 0;
    for (size_t node = 0; node < dw_result_nodes_count (result); node++) {
        size_t size;
        const char *bytes = dw_result_text (result, (int) node, &size);
        hash = dw_mix_in (hash, bytes, size);
    }
    return hash;
}

int dw_rig_check (const dw_result_t *result, dw_error_t *error) {
    dw_run_status_t status = dw_result_status (result);
    if (status == DW_RUN_OK)
        return DW_OK;
    return dw_error_add (error, DW_EPROCESSOR, DW_NOWHERE, "a run of the bench was %s",
                         dw_run_status_text (status));
}

int dw_rig_run_text (dw_client_t *client, const char *text, uint64_t *hash_p, dw_error_t *error) {
    dw_result_t *result = NULL;
    int err = dw_client_run_text (client, text, &result, error);
    if (!err)
        err = dw_rig_check (result, error);
    if (!err)
        *hash_p = dw_rig_hash (result);
    dw_result_destroy (&result);
    return err;
}

int dw_rig_run_once (dw_system_t *system, const char *text, uint64_t *hash_p, dw_error_t *error) {
    dw_client_t *client = NULL;
    int err = dw_client_new (&client, system, error);
    if (!err)
        err = dw_rig_run_text (client, text, hash_p, error);
    dw_client_destroy (&client);
    return err;
}

int dw_rig_run (dw_rig_t *self, double *ns_p, uint64_t *hash_p, dw_error_t *error) {
    dw_result_t *result = NULL;
    int64_t begin_ns = dw_clock_ns ();
    int err = dw_client_run_text (self->client, "", &result, error);
    if (err)
        return err;
    *ns_p = (double) (dw_clock_ns () - begin_ns);
    *hash_p = dw_rig_hash (result);
    err = dw_rig_check (result, error);
    dw_result_destroy (&result);
    return err;
}
