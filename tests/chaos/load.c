/* load.c - what a chaos test has done. */

#include "tests/chaos/load.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "tests/chaos/customers.h"
#include "tests/support/random.h"
#include "tests/support/random_graph.h"
#include "tests/support/process.h"

static dw_result_t *s_expected[2][LOAD_INPUTS]; /* of the graph, and of the heavy one, by input */
static dw_processors_t *s_processors;           /* of the systems of this process */

/* ---- The graphs ------------------------------------------------------------------------------- */

static const _Atomic int64_t *s_spoil_before_ms; /* a worker process's */
static _Atomic uint64_t *s_spoiled;

void load_spoil (const _Atomic int64_t *before_ms, _Atomic uint64_t *count) {
    s_spoil_before_ms = before_ms;
    s_spoiled = count;
}

/* A process that was replaced while it was stopped answers otherwise than whoever took its place,
 * so that an answer of its that counts all the same is seen. */
static void s_perhaps_spoil (int64_t begin_ms, uint8_t *output, size_t length) {
    if (!s_spoil_before_ms || begin_ms >= *s_spoil_before_ms || length == 0)
        return;
    output[0] ^= 0xff;
    ++*s_spoiled;
}

static uint64_t s_hash_call (dw_call_t *call) {
    size_t size;
    uint64_t hash = random_hash_start ((uint32_t) dw_call_node_number (call));
    const void *bytes = dw_call_payload (call, &size);
    hash = random_hash (hash, bytes, size);
    for (size_t i = 0; i < dw_call_dependencies_count (call); i++) {
        bytes = dw_call_dependency_payload (call, i, &size);
        hash = random_hash (hash, bytes, size);
        bytes = dw_call_dependency_metadata (call, i, "sum", &size);
        hash = random_hash (hash, bytes, size);
    }
    return hash;
}

static int s_give (dw_call_t *call, uint64_t hash, random_t *random, size_t length,
                   int64_t begin_ms) {
    char text[24];
    uint8_t *output = dw_call_reserve_bytes (call, length);
    if (!output)
        return dw_call_fail (call, 500, "out of memory");
    for (size_t i = 0; i < length; i++)
        output[i] = (uint8_t) random_below (random, 256);
    s_perhaps_spoil (begin_ms, output, length);
    snprintf (text, sizeof text, "%" PRIx64, hash);
    return dw_call_set_metadata (call, "sum", text);
}

static int s_mix (dw_call_t *call, void *arg) {
    (void) arg;
    int64_t begin_ms = now_ms ();
    uint64_t hash = s_hash_call (call);
    random_t random = random_from (hash);
    /* Long enough that faults hit tasks under way, and no work for a CPU. */
    for (uint32_t ms = random_one_in (&random, 2) ? random_below (&random, 6) : 0; ms > 0; ms--) {
        usleep (900);
        if (dw_call_cancelled (call))
            return dw_call_fail (call, 499, "cancelled");
    }
    size_t length = random_one_in (&random, 16) ? 1000 + random_below (&random, 8000)
                                                : random_below (&random, 200);
    return s_give (call, hash, &random, length, begin_ms);
}

static int s_heavy (dw_call_t *call, void *arg) {
    (void) arg;
    uint64_t hash = s_hash_call (call);
    random_t random = random_from (hash);
    return s_give (call, hash, &random, LOAD_HEAVY_BYTES, now_ms ());
}

dw_processors_t *load_processors (void) {
    dw_processors_t *processors = dw_processors_new ();
    dw_processors_add_function (processors, "mix", s_mix, NULL);
    dw_processors_add_function (processors, "heavy", s_heavy, NULL);
    customers_add_processors (processors);
    return processors;
}

static dw_graph_t *s_graph (void) {
    dw_graph_t *graph = dw_graph_new ();
    random_t random = random_from (7);
    for (uint32_t i = 0; i < LOAD_NODES; i++) {
        char id[16];
        snprintf (id, sizeof id, "n%u", (unsigned) i);
        int node = dw_graph_add (graph, id, "mix");
        for (uint32_t d = random_below (&random, 4); d > 0 && i > 0; d--) {
            uint32_t back = 1 + random_below (&random, i < 40 ? i : 40);
            snprintf (id, sizeof id, "n%u", (unsigned) (i - back));
            dw_graph_depend (graph, node, id);
        }
    }
    return graph;
}

/* One, two that depend on it, and one that depends on these. */
static dw_graph_t *s_heavy_graph (void) {
    static const char *const ids[LOAD_HEAVY_NODES] = {"first", "left", "right", "last"};
    dw_graph_t *graph = dw_graph_new ();
    for (int i = 0; i < (int) LOAD_HEAVY_NODES; i++) {
        dw_graph_add (graph, ids[i], "heavy");
        if (i == 1 || i == 2)
            dw_graph_depend (graph, i, ids[0]);
        for (int d = 1; i == 3 && d < 3; d++)
            dw_graph_depend (graph, i, ids[d]);
    }
    dw_graph_set_input (graph, 3, ids[1]);
    return graph;
}

static dw_graph_t *s_graph_of (load_kind_t kind) {
    switch (kind) {
        case LOAD_MANY: return s_graph ();
        case LOAD_HEAVY: return s_heavy_graph ();
        case LOAD_CUSTOMERS: return customers_graph ();
    }
    return NULL;
}

dw_system_t *load_open (const load_options_t *asked) {
    dw_system_t *system = NULL;
    dw_graph_t *graph = s_graph_of (asked->kind);
    dw_error_t *error = dw_error_new ();
    if (!s_processors)
        s_processors = load_processors ();
    dw_system_options_t options = asked->system;
    options.processors = s_processors;
    options.slots_max = options.slots_max ? options.slots_max : 128;
    dw_graph_options (graph)->max_payload_bytes = 1 << 20;
    dw_graph_options (graph)->actors = asked->actors ? DW_ACTORS_POOL : DW_ACTORS_AUTO;
    if (options.listen &&
        !asked->actors) /* one place too many that is never free again is missed */
        dw_graph_options (graph)->max_concurrency = LOAD_AT_ONCE;
    if (asked->actors)
        dw_graph_options (graph)->pool_size = asked->actors;
    if (dw_system_open (&system, graph, &options, error))
        fprintf (stderr, "%s", dw_error_text (error));
    dw_error_destroy (&error);
    dw_graph_destroy (&graph);
    return system;
}

uint32_t load_nodes (const load_t *self) {
    return self->kind == LOAD_HEAVY ? LOAD_HEAVY_NODES : LOAD_NODES;
}

/* ---- Results ---------------------------------------------------------------------------------- */

static int s_submit (dw_client_t *client, uint64_t input) {
    char text[32];
    snprintf (text, sizeof text, "input %u", (unsigned) (input % LOAD_INPUTS));
    return dw_client_submit (
        client, &(dw_submission_t){.payload = text, .size = strlen (text), .is_text = true}, NULL,
        NULL);
}

/* The client's runs are numbered from 1 in the order of submission. */
static uint64_t s_input_of (const dw_result_t *result) {
    return (dw_result_run (result) - 1) % LOAD_INPUTS;
}

static bool s_expect (dw_result_t **expected, load_kind_t kind) {
    dw_system_t *system = load_open (&(load_options_t){.kind = kind});
    dw_client_t *client = NULL;
    bool ok = system && dw_client_new (&client, system, NULL) == DW_OK;
    for (uint64_t i = 0; ok && i < LOAD_INPUTS; i++)
        ok = s_submit (client, i) == DW_OK &&
             dw_client_wait (client, i + 1, 10000, &expected[i]) == DW_OK &&
             dw_result_status (expected[i]) == DW_RUN_OK;
    dw_client_destroy (&client);
    dw_system_close (&system, -1, NULL);
    return ok;
}

bool load_expect (void) {
    return s_expect (s_expected[LOAD_MANY], LOAD_MANY) &&
           s_expect (s_expected[LOAD_HEAVY], LOAD_HEAVY);
}

void load_forget (void) {
    for (uint32_t i = 0; i < 2 * LOAD_INPUTS; i++)
        dw_result_destroy (&s_expected[i / LOAD_INPUTS][i % LOAD_INPUTS]);
    dw_processors_destroy (&s_processors);
}

static bool s_is_same_node (const dw_result_t *is, const dw_result_t *should, int node) {
    size_t size, wanted_size;
    const char *key, *value, *wanted_key, *wanted_value;
    const void *bytes = dw_result_payload (is, node, &size);
    const void *wanted = dw_result_payload (should, node, &wanted_size);
    return dw_result_node_status (is, node) == DW_NODE_DONE && bytes && size == wanted_size &&
           memcmp (bytes, wanted, size) == 0 &&
           dw_result_metadata_at (is, node, 0, &key, &value) == DW_OK &&
           dw_result_metadata_at (should, node, 0, &wanted_key, &wanted_value) == DW_OK &&
           strcmp (value, wanted_value) == 0;
}

/* A node that three workers went down with, by accident. */
static bool s_is_quarantined (const dw_result_t *result) {
    return dw_result_status (result) == DW_RUN_FAILED && dw_result_failures_count (result) > 0 &&
           dw_result_error_code (result, dw_result_failure_at (result, 0)) == 503;
}

static void s_take (load_t *self, dw_result_t *result) {
    int64_t at_ms = now_ms ();
    if (self->taken_ms && at_ms - self->taken_ms > self->gap_most_ms)
        self->gap_most_ms = at_ms - self->taken_ms;
    self->taken_ms = at_ms;
    const dw_result_t *expected = s_expected[self->kind][s_input_of (result)];
    bool same = dw_result_status (result) == DW_RUN_OK &&
                dw_result_nodes_count (result) == dw_result_nodes_count (expected);
    for (int i = 0; same && i < (int) load_nodes (self); i++)
        same = s_is_same_node (result, expected, i);
    if (s_is_quarantined (result)) {
        self->quarantined++;
        self->again++;
        return;
    }
    self->committed++;
    self->wrong += !same;
    if (same)
        return;
    fprintf (stderr, "run %" PRIu64 " is %s", dw_result_run (result),
             dw_run_status_text (dw_result_status (result)));
    for (size_t i = 0; i < dw_result_failures_count (result); i++)
        fprintf (stderr, ", %s: %s", dw_result_id (result, dw_result_failure_at (result, i)),
                 dw_result_error_message (result, dw_result_failure_at (result, i)));
    fprintf (stderr, "\n");
}

bool load_pump (load_t *self) {
    dw_result_t *result;
    while (!self->gone && dw_client_in_flight (self->client) < self->in_flight_max &&
           self->accepted < self->runs_max + self->again) {
        self->gone = s_submit (self->client, self->accepted);
        self->accepted += !self->gone;
    }
    while ((result = dw_client_next (self->client))) {
        s_take (self, result);
        dw_result_destroy (&result);
    }
    return self->committed >= self->runs_max;
}

bool load_finish (load_t *self, int timeout_ms) {
    int64_t until_ms = now_ms () + timeout_ms;
    while (!load_pump (self)) {
        dw_result_t *result = NULL;
        if (self->gone || now_ms () >= until_ms)
            return false;
        int err = dw_client_wait_any (self->client, NULL, 0, 20, &result);
        if (err == DW_OK) {
            s_take (self, result);
            dw_result_destroy (&result);
        } else if (err != DW_ETIMEDOUT && err != DW_ENOENT)
            self->gone = err;
    }
    return true;
}

dw_client_t *load_connect (const char *endpoint, const char *keys, int timeout_ms) {
    dw_client_t *client = NULL;
    char key[80], server_key[80];
    snprintf (key, sizeof key, "%s/client", keys ? keys : "");
    snprintf (server_key, sizeof server_key, "%s/coordinator.key.pub", keys ? keys : "");
    dw_connect_options_t options = {.endpoint = endpoint,
                                    .timeout_ms = timeout_ms,
                                    .key = keys ? key : NULL,
                                    .server_key = keys ? server_key : NULL};
    dw_error_t *error = dw_error_new ();
    if (dw_client_connect (&client, &options, error) && getenv ("CHAOS_VERBOSE"))
        fprintf (stderr, "%s", dw_error_text (error));
    dw_error_destroy (&error);
    return client;
}
