/* latency.c - how long one run alone takes through a chain of actors.
 *
 * An output is three words: a hash, when its node began, and when it ended. Times travel as data,
 * so that no two threads share anything. */

#include "bench/lib/latency.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "actors/clock.h"
#include "bench/lib/mix.h"
#include "bench/lib/mixer.h"
#include "bench/lib/rig.h"
#include "bench/lib/wakeup.h"
#include "runtime/core/error.h"

#define ROUND_TRIPS 200u

static const double s_percents[DW_LATENCY_PERCENTS] = {50, 90, 99, 99.9, 100};

typedef struct s_stamp_t {
    uint64_t hash;
    int64_t begin_ns, end_ns;
} s_stamp_t;

typedef struct s_chain_t {
    const dw_latency_options_t *options;
    dw_system_t *system;
    dw_client_t *client;
    dw_latency_t *latency;
    dw_histogram_t hops, runs; /* of this repetition */
    dw_error_t *error;
} s_chain_t;

static int s_process (dw_call_t *call, void *arg) {
    s_stamp_t stamp = {.begin_ns = dw_clock_ns ()};
    size_t size;
    const char *bytes = dw_call_text (call, &size);
    uint64_t before = 0;
    (void) arg;
    if (bytes && size >= sizeof before) /* a source reads the run's empty input */
        memcpy (&before, bytes, sizeof before);
    stamp.hash = dw_mix_word (dw_mix_start ((uint64_t) dw_call_node_number (call)), before);
    stamp.end_ns = dw_clock_ns ();
    return dw_call_set_bytes (call, &stamp, sizeof stamp);
}

/* ---- A run -------------------------------------------------------------------------------- */

static int s_read (s_chain_t *self, const dw_result_t *result) {
    int64_t ended_ns = 0;
    uint32_t nodes = (uint32_t) dw_result_nodes_count (result);
    for (uint32_t node = 0; node < nodes; node++) {
        s_stamp_t stamp;
        size_t size;
        const char *bytes = dw_result_text (result, (int) node, &size);
        if (!bytes || size != sizeof stamp)
            return dw_error_add (self->error, DW_EPROCESSOR, DW_NOWHERE,
                                 "a node of the bench has no output");
        memcpy (&stamp, bytes, sizeof stamp);
        if (node > 0)
            dw_histogram_add (&self->hops, (uint64_t) (stamp.begin_ns - ended_ns));
        ended_ns = stamp.end_ns;
        self->latency->hash = dw_mix_word (self->latency->hash, stamp.hash);
    }
    return DW_OK;
}

static void s_pause (uint32_t us) {
    struct timespec time = {.tv_sec = us / 1000000, .tv_nsec = us % 1000000 * 1000L};
    if (us)
        nanosleep (&time, NULL); /* A pause that a signal cuts short is short. */
}

static int s_run (s_chain_t *self) {
    dw_result_t *result = NULL;
    s_pause (self->options->pause_us);
    int64_t begin_ns = dw_clock_ns ();
    int err = dw_client_run_text (self->client, "", &result, self->error);
    int64_t took_ns = dw_clock_ns () - begin_ns;
    if (err)
        return err;
    dw_histogram_add (&self->runs, (uint64_t) took_ns);
    err = dw_rig_check (result, self->error);
    if (!err)
        err = s_read (self, result);
    dw_result_destroy (&result);
    return err;
}

/* ---- Repetitions -------------------------------------------------------------------------- */

static int s_repeat (s_chain_t *self) {
    int err = DW_OK;
    memset (&self->hops, 0, sizeof self->hops);
    memset (&self->runs, 0, sizeof self->runs);
    for (uint32_t i = 0; i < self->options->runs && !err; i++)
        err = s_run (self);
    return err;
}

/* percentiles: by percentile, then by repetition; hops first. */
static void s_tell (dw_latency_t *self, double *percentiles, const dw_latency_options_t *options) {
    uint32_t repeat = options->repeat;
    for (uint32_t i = 0; i < DW_LATENCY_PERCENTS; i++) {
        self->hop_ns[i] = dw_spread_of (percentiles + i * repeat, repeat);
        self->run_ns[i] = dw_spread_of (percentiles + (DW_LATENCY_PERCENTS + i) * repeat, repeat);
    }
    self->run_ns_per_hop = dw_spread_scale (self->run_ns[0], 1.0 / (options->nodes + 1));
}

static int s_measure (s_chain_t *self) {
    uint32_t repeat = self->options->repeat;
    double *all = calloc (2 * DW_LATENCY_PERCENTS * (size_t) repeat, sizeof *all);
    int err = all ? s_repeat (self) : DW_ENOMEM;
    for (uint32_t i = 0; i < repeat && !err; i++) {
        err = s_repeat (self);
        for (uint32_t k = 0; k < DW_LATENCY_PERCENTS; k++) {
            uint64_t hop_ns = dw_histogram_percentile (&self->hops, s_percents[k]);
            uint64_t run_ns = dw_histogram_percentile (&self->runs, s_percents[k]);
            all[k * repeat + i] = (double) hop_ns;
            all[(DW_LATENCY_PERCENTS + k) * repeat + i] = (double) run_ns;
        }
        dw_histogram_merge (&self->latency->hops, &self->hops);
        dw_histogram_merge (&self->latency->runs, &self->runs);
    }
    if (!err)
        s_tell (self->latency, all, self->options);
    free (all);
    return err ? err
               : dw_wakeup_measure (&self->latency->wakeup_ns, ROUND_TRIPS, repeat, self->error);
}

static int s_open (s_chain_t *self, const dw_processors_t *processors) {
    dw_work_t *work = NULL;
    dw_work_options_t chain = {.shape = DW_SHAPE_CHAIN, .nodes_count = self->options->nodes};
    int err = dw_work_new (&work, &chain, self->error);
    if (err)
        return err;
    dw_system_options_t options = {.processors = processors, .clients_max = 1};
    dw_graph_t *graph = dw_mixer_graph (work);
    if (graph) {
        dw_graph_options (graph)->actors = DW_ACTORS_THREAD;
        err = dw_system_open (&self->system, graph, &options, self->error);
    } else
        err = DW_ENOMEM;
    dw_graph_destroy (&graph);
    dw_work_destroy (&work);
    return err ? err : dw_client_new (&self->client, self->system, self->error);
}

int dw_latency_measure (dw_latency_t *self, const dw_latency_options_t *options,
                        dw_error_t *error) {
    dw_processor_t processor = {
        .name = "mix", .brief = true, .payload_only = true, .process = s_process};
    dw_processors_t *processors = dw_processors_new ();
    s_chain_t *chain = calloc (1, sizeof *chain);
    int err = processors && chain ? dw_processors_add (processors, &processor) : DW_ENOMEM;
    if (chain)
        *chain = (s_chain_t){.options = options, .latency = self, .error = error};
    *self = (dw_latency_t){0};
    if (!err)
        err = s_open (chain, processors);
    if (!err)
        err = s_measure (chain);
    if (chain) {
        dw_client_destroy (&chain->client);
        dw_system_close (&chain->system, -1, error);
    }
    dw_processors_destroy (&processors);
    free (chain);
    return err;
}
