/* clients.c - what a run costs a client elsewhere: by TCP, many in flight, and one at a time.
 *
 * A system of this process listens on the loopback interface and runs a node that gives its payload
 * back; a client comes to it as from elsewhere. The hash is of the last output's bytes and the
 * number of results. */

#include <stdlib.h>
#include <string.h>

#include "actors/clock.h"
#include "bench/lib/figures.h"
#include "runtime/core/error.h"

enum { RUNS, TRIPS, PAYLOAD, IN_FLIGHT, REPEAT };

static dw_parameter_t s_parameters[] = {
    {"runs", "Runs that are made, of one node each", 100000, 500, 1, 10000000, false},
    {"trips", "Of those that are waited for one by one", 2000, 50, 1, 1000000, false},
    {"payload", "Bytes of each input and output", 24, 24, 1, 1 << 20, false},
    {"in-flight", "Runs in flight", 512, 64, 1, 65536, false},
    {"repeat", "How often each figure is measured", 5, 2, 1, 1000, false},
    {NULL, NULL, 0, 0, 0, 0, false},
};

typedef struct s_work_t {
    dw_figures_t *figures;
    dw_client_t *client;
    dw_submission_t submission;
    uint64_t results;
    uint64_t hash; /* FNV-1a */
} s_work_t;

static void s_hash (uint64_t *hash, const char *bytes, size_t size) {
    for (size_t i = 0; i < size; i++)
        *hash = (*hash ^ (uint8_t) bytes[i]) * UINT64_C (0x100000001b3);
}

/* Takes every result that is there. */
static int s_take (s_work_t *self) {
    dw_result_t *result;
    while ((result = dw_client_next (self->client))) {
        size_t size;
        const char *text = dw_result_text (result, 0, &size);
        bool ok = text && size == self->submission.size;
        self->results++;
        self->hash = UINT64_C (0xcbf29ce484222325);
        if (ok)
            s_hash (&self->hash, text, size);
        dw_result_destroy (&result);
        if (!ok)
            return dw_error_add (self->figures->error, DW_EPROTOCOL, DW_NOWHERE,
                                 "an output is not its input");
    }
    return DW_OK;
}

static int s_fly (s_work_t *self, size_t runs) {
    int err = DW_OK;
    for (size_t i = 0; i < runs && !err; i++) {
        err = dw_client_submit (self->client, &self->submission, NULL, self->figures->error);
        if (!err && i % 64 == 63)
            err = s_take (self);
    }
    err = err ? err : dw_client_wait_all (self->client, 60000);
    return err ? err : s_take (self);
}

static int s_trip (s_work_t *self, size_t trips) {
    int err = DW_OK;
    for (size_t i = 0; i < trips && !err; i++) {
        err = dw_client_submit (self->client, &self->submission, NULL, self->figures->error);
        err = err ? err : dw_client_wait_all (self->client, 60000);
        err = err ? err : s_take (self);
    }
    return err;
}

static int s_measure (s_work_t *self, double *run_ns, double *trip_us) {
    size_t runs = s_parameters[RUNS].value, trips = s_parameters[TRIPS].value;
    int err = s_fly (self, s_parameters[IN_FLIGHT].value); /* warm */
    for (size_t i = 0; i < s_parameters[REPEAT].value && !err; i++) {
        int64_t begin_ns = dw_clock_ns ();
        err = s_fly (self, runs);
        run_ns[i] = (double) (dw_clock_ns () - begin_ns) / (double) runs;
        begin_ns = dw_clock_ns ();
        err = err ? err : s_trip (self, trips);
        trip_us[i] = (double) (dw_clock_ns () - begin_ns) / 1e3 / (double) trips;
    }
    return err;
}

int main (int argc, char **argv) {
    dw_figures_t figures = {.bench = "clients",
                            .help = "Measures what a run costs a client of a system elsewhere.",
                            .parameters = s_parameters};
    dw_figures_start (&figures, argc, argv);
    size_t repeat = s_parameters[REPEAT].value, size = s_parameters[PAYLOAD].value;
    char *text = malloc (size);
    double *times = calloc (2 * repeat, sizeof *times);
    dw_graph_t *graph = dw_graph_new ();
    dw_system_t *system = NULL;
    s_work_t work = {.figures = &figures};
    int err = text && times && graph ? DW_OK : DW_ENOMEM;
    if (!err) {
        memset (text, 'x', size);
        work.submission = (dw_submission_t){
            .payload = text, .size = size, .is_text = true, .wait_ms = -1};
        dw_graph_add (graph, "back", "identity");
        dw_system_options_t options = {.listen = "tcp://127.0.0.1:*",
                                       .runs_max = (uint32_t) s_parameters[IN_FLIGHT].value};
        err = dw_system_open (&system, graph, &options, figures.error);
    }
    if (!err) {
        dw_connect_options_t options = {.endpoint = dw_system_listening (system)};
        err = dw_client_connect (&work.client, &options, figures.error);
    }
    err = err ? err : s_measure (&work, times, times + repeat);
    if (!err) {
        dw_figures_spread (&figures, "ns_per_run", dw_spread_of (times, repeat));
        dw_figures_number (&figures, "round_trip_us", dw_spread_of (times + repeat, repeat).median);
    }
    dw_client_destroy (&work.client);
    dw_system_close (&system, -1, NULL);
    dw_graph_destroy (&graph);
    free (times);
    free (text);
    return dw_figures_end (&figures, work.hash ^ work.results, err);
}
