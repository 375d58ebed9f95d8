/* many_runs.c - 20,000 runs through one open system, in memory for 64 of them.
 *
 * runs_max bounds what is in flight, and taking every result that is there before the next run is
 * submitted bounds what waits in the client: submitting blocks when the limit is reached, so the
 * source goes as fast as the graph does. */

#include <dagwood.h>
#include <stdio.h>

#define RUNS      20000u
#define IN_FLIGHT 64u

typedef struct totals_t {
    unsigned long ended, ok, bytes;
    size_t in_flight_max;
} totals_t;

static dw_graph_t *s_graph (void) {
    dw_graph_t *graph = dw_graph_new ();
    dw_graph_add (graph, "upper", "change_text_case_upper");
    dw_graph_depend (graph, dw_graph_add (graph, "reverse", "reverse_text"), "upper");
    dw_graph_depend (graph, dw_graph_add (graph, "count", "token_counter"), "reverse");
    dw_graph_options (graph)->actors = DW_ACTORS_POOL;
    return graph;
}

static void s_count (totals_t *totals, dw_result_t *result) {
    size_t size = 0;
    dw_result_text (result, dw_result_find (result, "reverse"), &size);
    totals->ended++;
    totals->ok += dw_result_status (result) == DW_RUN_OK;
    totals->bytes += size;
    dw_result_destroy (&result);
}

static void s_take_results (totals_t *totals, dw_client_t *client) {
    dw_result_t *result;
    while ((result = dw_client_next (client)))
        s_count (totals, result);
}

/* Submits every run; only "reverse" is asked for, so "count" is not even run. */
static int s_feed (totals_t *totals, dw_client_t *client, dw_error_t *error) {
    static const char *const outputs[] = {"reverse"};
    char text[32];
    for (unsigned i = 0; i < RUNS; i++) {
        dw_submission_t submission = {.payload = text,
                                      .size = (size_t) snprintf (text, sizeof text, "run %u", i),
                                      .is_text = true,
                                      .outputs = outputs,
                                      .outputs_count = 1,
                                      .wait_ms = -1};
        s_take_results (totals, client);
        int err = dw_client_submit (client, &submission, NULL, error);
        if (err)
            return err;
        if (dw_client_in_flight (client) > totals->in_flight_max)
            totals->in_flight_max = dw_client_in_flight (client);
    }
    int err = dw_client_wait_all (client, -1);
    s_take_results (totals, client);
    return err;
}

int main (void) {
    totals_t totals = {0};
    dw_error_t *error = dw_error_new ();
    dw_graph_t *graph = s_graph ();
    dw_system_options_t options = {.runs_max = IN_FLIGHT};
    dw_system_t *system = NULL;
    dw_client_t *client = NULL;

    int err = dw_system_open (&system, graph, &options, error);
    if (!err)
        err = dw_client_new (&client, system, error);
    if (!err)
        err = s_feed (&totals, client, error);
    printf ("%lu runs ended, %lu of them ok, %lu bytes; at most %zu were in flight\n", totals.ended,
            totals.ok, totals.bytes, totals.in_flight_max);

    fputs (dw_error_text (error), stderr);
    dw_client_destroy (&client);
    dw_system_close (&system, -1, NULL);
    dw_graph_destroy (&graph);
    dw_error_destroy (&error);
    return err || totals.ok != RUNS;
}
