/* plot.c - a world as its seed draws it. */

#include "tests/simulated/plot.h"

#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>

#include "runtime/payload.h"

#define MS        INT64_C (1000000)
#define FAULTS_NS (600 * MS) /* they begin within that time */

bool plot_is_off (const plot_t *self, uint32_t what) {
    return self->off >> what & 1;
}

uint64_t plot_way (const plot_t *self) {
    return self->off >> PLOT_OFF_COUNT;
}

/* ---- Its graph -------------------------------------------------------------------------------- */

static void s_draw_options (plot_t *self, random_t *random) {
    dw_graph_options_t *options = &self->graph->options;
    options->strategy = (dw_strategy_t) random_below (random, 4);
    options->failure_strategy = (dw_failure_strategy_t) random_below (random, 3);
    options->actors = random_one_in (random, 3) ? DW_ACTORS_THREAD : DW_ACTORS_POOL;
    options->pool_size = 1 + random_below (random, 3);
    options->priority = random_one_in (random, 4) ? DW_CRITICAL_PATH : DW_RANK;
    options->max_concurrency = 1 + random_below (random, 6);
    options->batch_size = 1 + random_below (random, 8);
    options->retry_attempts = random_below (random, 4);
    options->backoff.initial_us = random_below (random, 3000);
    options->backoff.max_us = random_below (random, 9000);
    options->backoff.factor = 1 + random_below (random, 20) / 10.0;
    options->backoff.jitter = random_below (random, 11) / 10.0;
    self->hangs = random_one_in (random, 3);
    if (self->hangs)
        options->timeout_us = 60000 + random_below (random, 100000);
}

/* A node fails in the end, or it does not, whatever is lost on the way: so an attempt that is lost
 * must not be the one that would have been too many. */
static void s_draw_node (plot_t *self, uint32_t node, random_t *random) {
    random_node_t *it = &self->graph->nodes[node];
    bool can_be_elsewhere = self->listens && self->agents[0].is_there;
    if (it->failures > random_graph_retries (self->graph, node))
        it->failures = random_one_in (random, 2) ? RANDOM_FAILS_ALWAYS : 0;
    if (plot_is_off (self, PLOT_OFF_FAILURES))
        it->failures = 0;
    it->demand = 0;
    if (random_one_in (random, 6) && can_be_elsewhere)
        it->demand = 1 + random_below (random, 2);
    self->deaths[node] = random_one_in (random, 12) ? 1 + random_below (random, 3) : 0;
    if (plot_is_off (self, PLOT_OFF_CRASHES))
        self->deaths[node] = 0;
    self->is_rude[node] = random_one_in (random, 6);
    it->not_idempotent |= self->is_careful && random_one_in (random, 2);
}

/* What becomes of a graph that is added follows from its nodes alone, unless something is lost
 * three times, or takes too long, which watch.h tells of. */
static void s_tame (const plot_t *self, random_graph_t *graph) {
    for (uint32_t node = 0; node < graph->nodes_count; node++) {
        random_node_t *it = &graph->nodes[node];
        it->not_idempotent = false;
        if (it->failures > random_graph_retries (graph, node))
            it->failures = RANDOM_FAILS_ALWAYS;
        if (plot_is_off (self, PLOT_OFF_FAILURES))
            it->failures = 0;
        if (it->inner)
            s_tame (self, it->inner);
    }
}

/* Whether nodes become graphs. Drawn for itself, as cuts are. Workers in one connection do not know
 * how, so that the first one is none; and a queue has room for at least three messages: a graph,
 * one that was added to it, and a task of that come together, and each would come again when
 * another is lost. */
static void s_draw_growth (plot_t *self) {
    random_t random = random_from (self->seed ^ UINT64_C (0x67726f77));
    dw_graph_options_t *options = &self->graph->options;
    self->grows = random_one_in (&random, 8) && !plot_is_off (self, PLOT_OFF_GROWTH);
    if (!self->grows)
        return;
    options->added_nodes_max = random_one_in (&random, 4) ? random_below (&random, 60) : 10000;
    options->added_depth_max = random_one_in (&random, 4) ? random_below (&random, 3) : 64;
    random_graph_grow (self->graph, 2);
    for (uint32_t node = 0; node < self->graph->nodes_count; node++)
        if (self->graph->nodes[node].inner)
            s_tame (self, self->graph->nodes[node].inner);
    self->agents[0].is_solo = false;
    for (uint32_t i = 0; i < PLOT_AGENTS_MAX; i++)
        self->agents[i].room += self->agents[i].room > 0;
}

static void s_draw_graph (plot_t *self, random_t *random) {
    self->graph = random_graph_new (self->seed, PLOT_NODES_MAX);
    s_draw_options (self, random);
    s_draw_growth (self);
    self->is_careful = random_one_in (random, 4);
    for (uint32_t node = 0; node < self->graph->nodes_count; node++)
        s_draw_node (self, node, random);
    if (plot_is_off (self, PLOT_OFF_HANGS))
        self->hangs = false;
    self->evaluator = evaluator_new (self->graph);
}

/* ---- Who is there ----------------------------------------------------------------------------- */

static void s_draw_agents (plot_t *self, random_t *random) {
    uint32_t count = self->listens ? random_below (random, PLOT_AGENTS_MAX + 1) : 0;
    self->has_actors = !self->listens || count == 0 || random_one_in (random, 2);
    for (uint32_t i = 0; i < PLOT_AGENTS_MAX; i++)
        self->agents[i] = (plot_agent_t){
            .is_there = i < count && !(i > 0 && plot_is_off (self, PLOT_OFF_AGENT + i)),
            .has_tag = i == 0 || random_one_in (random, 2),
            .lies = random_one_in (random, 8) && !plot_is_off (self, PLOT_OFF_LIES),
            .is_solo = random_one_in (random, 5) && !plot_is_off (self, PLOT_OFF_SOLO),
            .slots = 1 + random_below (random, 3),
            .room = random_one_in (random, 5) ? 2 + random_below (random, 6) : 0,
            .comes_ns = random_one_in (random, 2) ? 0 : random_between (random, 0, 200 * MS)};
}

static void s_draw_run (plot_t *self, uint32_t client, uint32_t index, random_t *random) {
    plot_run_t *run = &self->clients[client].runs[index];
    size_t length = 4 + random_below (random, 40);
    run->is_off = plot_is_off (self, PLOT_OFF_RUN + index % PLOT_RUNS_FEW);
    run->input_size = dw_payload_bytes_head (run->input, length);
    run->input[run->input_size] = (uint8_t) client;
    run->input[run->input_size + 1] = (uint8_t) index;
    for (size_t i = 2; i < length; i++)
        run->input[run->input_size + i] = (uint8_t) random_below (random, 256);
    run->input_size += length;
    bool names_outputs = random_one_in (random, 3) && !plot_is_off (self, PLOT_OFF_OUTPUTS);
    for (uint32_t node = 0; node < self->graph->nodes_count; node++)
        if (random_one_in (random, 4) && names_outputs)
            run->outputs[run->outputs_count++] = node;
    run->deadline_ms = random_one_in (random, 8) ? 1 + random_below (random, 300) : 0;
    if (plot_is_off (self, PLOT_OFF_DEADLINES))
        run->deadline_ms = 0;
    run->gap_ns = random_one_in (random, 2) ? 0 : random_between (random, 0, 40 * MS);
    run->cancel_ns = random_one_in (random, 8) ? 1 + random_between (random, 0, 30 * MS) : 0;
    if (plot_is_off (self, PLOT_OFF_CANCELS))
        run->cancel_ns = 0;
    run->more = random_one_in (random, 3);
    run->is_detached = random_one_in (random, 10) && self->clients[client].is_elsewhere &&
                       !plot_is_off (self, PLOT_OFF_DETACHED);
}

static void s_draw_clients (plot_t *self, random_t *random) {
    uint32_t count = 1 + random_below (random, PLOT_CLIENTS_MAX);
    for (uint32_t i = 0; i < count; i++) {
        plot_client_t *client = &self->clients[i];
        client->is_there = !plot_is_off (self, PLOT_OFF_CLIENT + i);
        client->is_elsewhere = self->listens && !random_one_in (random, 3);
        client->comes_ns = random_one_in (random, 2) ? 0 : random_between (random, 0, 100 * MS);
        client->runs_count = 1 + random_below (random, random_one_in (random, 24) ? PLOT_RUNS_MAX
                                                                                  : PLOT_RUNS_FEW);
        for (uint32_t run = 0; run < client->runs_count; run++)
            s_draw_run (self, i, run, random);
    }
}

/* ---- What goes wrong -------------------------------------------------------------------------- */

/* Whether single nodes of runs are cancelled. Drawn for itself, so that without that a world is
 * what it was. */
static void s_draw_cuts (plot_t *self) {
    random_t random = random_from (self->seed ^ UINT64_C (0xc0de));
    bool has_cuts = random_one_in (&random, 3) && self->graph->nodes_count > 0 &&
                    !plot_is_off (self, PLOT_OFF_CANCELS);
    for (uint32_t i = 0; has_cuts && i < PLOT_CLIENTS_MAX; i++)
        for (uint32_t index = 0; index < self->clients[i].runs_count; index++) {
            plot_run_t *run = &self->clients[i].runs[index];
            run->cut_node = random_below (&random, self->graph->nodes_count);
            if (random_one_in (&random, 3))
                run->cut_ns = 1 + random_between (&random, 0, 20 * MS);
        }
}

/* Clients that name what there is not, and one that asks for nothing else. Drawn for itself, as
 * cuts are. */
static void s_draw_pretence (plot_t *self) {
    random_t random = random_from (self->seed ^ UINT64_C (0x6e6f6e65));
    self->has_pretender = random_one_in (&random, 4) && self->listens &&
                          !plot_is_off (self, PLOT_OFF_PRETENDER);
    for (uint32_t i = 0; i < PLOT_CLIENTS_MAX; i++)
        self->clients[i].lies = random_one_in (&random, 8) && !plot_is_off (self, PLOT_OFF_LIES);
}

/* Somebody who can be cut off, if there is one. */
static uint32_t s_draw_victim (const plot_t *self, bool is_client, random_t *random) {
    uint32_t most = is_client ? PLOT_CLIENTS_MAX : PLOT_AGENTS_MAX;
    uint32_t whom = random_below (random, most);
    for (uint32_t i = 0; i < most; i++, whom = (whom + 1) % most)
        if (is_client ? self->clients[whom].is_elsewhere : self->agents[whom].is_there)
            break;
    return whom;
}

static void s_draw_faults (plot_t *self, random_t *random) {
    static const fault_type_t of_clients[] = {FAULT_CUT,  FAULT_HALF_OPEN, FAULT_DEAF,
                                              FAULT_MUTE, FAULT_PARTITION, FAULT_STOP,
                                              FAULT_CUT,  FAULT_KILL};
    self->faults_count = self->listens && !random_one_in (random, 4)
                             ? random_below (random, PLOT_FAULTS_MAX + 1)
                             : 0;
    for (uint32_t i = 0; i < self->faults_count; i++) {
        fault_t *fault = &self->faults[i];
        fault->is_client = random_one_in (random, 3);
        fault->type =
            fault->is_client
                ? of_clients[random_below (random, sizeof of_clients / sizeof *of_clients)]
                : (fault_type_t) random_below (random, FAULT_TYPES);
        fault->whom = s_draw_victim (self, fault->is_client, random);
        fault->which = random_below (random, 32);
        fault->at_ns = random_between (random, 0,
                                       random_one_in (random, 3) ? FAULTS_NS : FAULTS_NS / 6);
        fault->for_ns = random_one_in (random, 3) ? random_between (random, 0, 900 * MS)
                                                  : random_between (random, 0, 60 * MS);
    }
}

/* Of all that goes wrong only that agents are drained stays. */
static void s_calm (plot_t *self) {
    self->is_calm = true;
    self->is_slow = false;
    self->network = (network_t){.delay_ns = MS / 5, .slow_ns = 4 * MS};
    self->lease_ms = 0;
    for (uint32_t i = 0; i < PLOT_AGENTS_MAX; i++) {
        self->agents[i].lies = false;
        self->agents[i].room = 0;
    }
    for (uint32_t node = 0; node < self->graph->nodes_count; node++) {
        self->graph->nodes[node].not_idempotent =
            true; /* nor is it taken back and sent elsewhere */
        self->deaths[node] = 0;
    }
    for (uint32_t i = 0; i < self->faults_count; i++) {
        self->faults[i].type = FAULT_DRAIN;
        self->faults[i].whom %= PLOT_AGENTS_MAX;
        self->faults[i].is_client = false;
    }
}

plot_t *plot_new (uint64_t seed, uint64_t off) {
    random_t random = random_from (seed ^ UINT64_C (0x51a6e));
    plot_t *self = calloc (1, sizeof *self);
    assert (self);
    self->seed = seed;
    self->off = off;
    self->listens = !random_one_in (&random, 5);
    self->is_slow = random_one_in (&random, 4) && !plot_is_off (self, PLOT_OFF_SLOW);
    self->network = (network_t){.delay_ns = self->is_slow ? 3 * MS : MS / 5,
                                .slow_ns = self->is_slow ? 60 * MS : 4 * MS};
    self->runs_max = 1 + random_below (&random, 8);
    self->heartbeat_ms = 40 + random_below (&random, 60);
    self->silence_ms = (3 + random_below (&random, 3)) * self->heartbeat_ms;
    self->stalled_ms = 150 + random_below (&random, 300);
    self->lease_ms = random_one_in (&random, 6) ? 400 + random_below (&random, 400) : 0;
    s_draw_agents (self, &random);
    s_draw_graph (self, &random);
    s_draw_clients (self, &random);
    s_draw_cuts (self);
    s_draw_pretence (self);
    s_draw_faults (self, &random);
    if (self->listens && random_one_in (&random, 6) && !plot_is_off (self, PLOT_OFF_CUTS)) {
        self->network.cut_one_in = 20 + random_below (&random, 200);
        self->network.cuts_max = 1 + random_below (&random, 20);
    }
    if (self->listens && random_one_in (&random, 8))
        s_calm (self);
    self->has_stranger = self->listens && random_one_in (&random, 4) &&
                         !plot_is_off (self, PLOT_OFF_STRANGER);
    return self;
}

void plot_destroy (plot_t **self_p) {
    plot_t *self = *self_p;
    if (!self)
        return;
    evaluator_destroy (&self->evaluator);
    random_graph_destroy (&self->graph);
    free (self);
    *self_p = NULL;
}

/* ---- Told ------------------------------------------------------------------------------------- */

void plot_print (const plot_t *self, FILE *file) {
    static const char *const names[] = {"cut",       "half-open cut", "deaf",   "mute",
                                        "partition", "stop",          "killed", "drained"};
    random_graph_print (self->graph, file);
    fprintf (
        file, "# %s, %s, heartbeat %u ms, silence %u ms, lease %u ms, %u runs of a client%s%s%s\n",
        self->listens ? "listens" : "does not listen",
        self->has_actors ? "has actors" : "has no actors", self->heartbeat_ms, self->silence_ms,
        self->lease_ms, self->runs_max, self->has_stranger ? ", a stranger" : "",
        self->has_pretender ? ", a pretender" : "", self->hangs ? ", hangs" : "");
    if (self->grows)
        fprintf (file, "# %u nodes become graphs\n", random_graph_growing_count (self->graph));
    for (uint32_t i = 0; i < PLOT_AGENTS_MAX; i++)
        if (self->agents[i].is_there)
            fprintf (file, "# %s %u: %u slots, room for %u%s%s, comes at %.3f ms\n",
                     self->agents[i].is_solo ? "solo" : "agent", i, self->agents[i].slots,
                     self->agents[i].room, self->agents[i].has_tag ? ", lane=2" : "",
                     self->agents[i].lies ? ", lies" : "", (double) self->agents[i].comes_ns / 1e6);
    for (uint32_t i = 0; i < PLOT_CLIENTS_MAX; i++)
        if (self->clients[i].is_there)
            fprintf (file, "# client %u%s%s: %u runs\n", i,
                     self->clients[i].is_elsewhere ? ", elsewhere" : "",
                     self->clients[i].lies ? ", lies" : "", self->clients[i].runs_count);
    for (uint32_t i = 0; i < self->faults_count; i++)
        if (!plot_is_off (self, PLOT_OFF_FAULT + i))
            fprintf (file, "# at %.3f ms, for %.3f ms: %s %u %s\n",
                     (double) self->faults[i].at_ns / 1e6, (double) self->faults[i].for_ns / 1e6,
                     self->faults[i].is_client ? "client" : "agent", self->faults[i].whom,
                     names[self->faults[i].type]);
    for (uint32_t node = 0; node < self->graph->nodes_count; node++)
        if (self->deaths[node] > 0)
            fprintf (file, "# node %u takes %u agents down\n", node, self->deaths[node]);
}
