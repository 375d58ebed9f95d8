/* networks.c - faults of the network: the coordinator, its client and each worker are in a network
 * namespace of their own, with keys, and the lines between them are cut one way, the other way or
 * both, flap, lose packets or are slow. */

#include <stdio.h>

#include "tests/chaos/field.h"
#include "tests/chaos/nets.h"
#include "tests/chaos/secrets.h"

#define WORKERS      4u
#define HEARTBEAT_MS 100
#define SILENCE_MS   400

/* How lines are cut: for how long, and how much time there is between two cuts. */
typedef struct s_cutting_t {
    const char *name;
    unsigned ways;
    uint32_t cut_ms_least, cut_ms, pause_ms;
    uint32_t cuts_least; /* in a second */
} s_cutting_t;

static const s_cutting_t s_cuttings[] = {
    {"partition to", NETS_TO_HUB, 50, 3 * SILENCE_MS, 600, 1},
    {"partition from", NETS_FROM_HUB, 50, 3 * SILENCE_MS, 600, 1},
    {"partition both", NETS_BOTH, 50, 3 * SILENCE_MS, 600, 1},
    {"flapping", NETS_BOTH, 10, 60, 30, 4},
};

/* ---- Begun and ended -------------------------------------------------------------------------- */

static field_t *s_begin (chaos_t *chaos) {
    field_t *self = field_new (chaos);
    self->workers_count = WORKERS;
    self->has_networks = true;
    self->options.system.listen = "tcp://*:*";
    self->options.system.keys = chaos->folder;
    self->options.system.heartbeat_ms = HEARTBEAT_MS;
    self->options.system.silence_ms = SILENCE_MS;
    self->load.runs_max = UINT64_MAX;
    return self;
}

/* Nets for the workers and the client. */
static bool s_make_nets (chaos_t *chaos) {
    bool ok = secrets_make (chaos->folder) && nets_begin (WORKERS + 1);
    chaos_check (chaos, ok, "there are no network namespaces");
    return ok;
}

/* Whether there are nets; else it is said why there are none, or what else is missing (NULL:
 * nothing). */
static bool s_is_possible (chaos_t *chaos, const char *why_not) {
    const char *why = nets_why_not () ? nets_why_not () : why_not;
    if (why)
        chaos_skip (chaos, why);
    return !why && s_make_nets (chaos);
}

/* What was begun comes to its end, and all workers are there again. */
static void s_heal (field_t *self) {
    for (uint32_t net = 1; net <= WORKERS + 1; net++)
        nets_lose (net, NETS_BOTH, 0);
    int64_t begin_ms = now_ms ();
    self->load.runs_max = self->load.accepted - self->load.again;
    field_finish (self, 20000);
    if (field_await_workers (self, 10000) >= 0)
        printf ("  whole again after %lld ms\n", (long long) (now_ms () - begin_ms));
}

/* ---- Cut -------------------------------------------------------------------------------------- */

/* Cuts one line after another. */
static uint64_t s_cut_lines (field_t *self, const s_cutting_t *cutting) {
    random_t *random = &self->chaos->random;
    int64_t heal_ms[WORKERS] = {0}, next_ms = now_ms (),
            until_ms = next_ms + self->chaos->stretch_ms;
    uint64_t cuts = 0;
    for (; now_ms () < until_ms && !self->load.gone; sleep_ms (1)) {
        load_pump (&self->load);
        field_take_notices (self);
        for (uint32_t w = 0; w < WORKERS; w++)
            if (heal_ms[w] && now_ms () >= heal_ms[w]) {
                nets_lose (w + 1, cutting->ways, 0);
                heal_ms[w] = 0;
            }
        uint32_t w = random_below (random, WORKERS);
        if (now_ms () < next_ms || heal_ms[w])
            continue;
        nets_lose (w + 1, cutting->ways, 100);
        if (cutting->cut_ms > SILENCE_MS)
            field_miss (self, w);
        heal_ms[w] = now_ms () + cutting->cut_ms_least +
                     random_below (random, cutting->cut_ms - cutting->cut_ms_least);
        next_ms = now_ms () + random_below (random, cutting->pause_ms);
        cuts++;
    }
    return cuts;
}

static void s_partition (field_t *self, const s_cutting_t *cutting) {
    chaos_t *chaos = self->chaos;
    int64_t begin_ms = now_ms ();
    uint64_t lost = nets_lost_count ();
    if (field_begin (self) && field_await_workers (self, 5000) >= 0) {
        uint64_t cuts = s_cut_lines (self, cutting);
        s_heal (self);
        field_account (self);
        uint64_t least = cutting->cuts_least * (uint64_t) chaos->stretch_ms / 1000;
        chaos_fault (chaos, "cuts", cuts, least);
        chaos_fault (chaos, "packets lost", nets_lost_count () - lost, 10 * least);
        chaos_fault (chaos, "runs", self->load.committed, 3);
    }
    field_end (self);
    chaos->row->took_ms = now_ms () - begin_ms;
}

/* Another client gets what it asks for; what the one before was at is made all the same, for
 * nobody. */
static void s_serve_another (field_t *self) {
    row_t *row = self->chaos->row;
    load_t load = {.client = field_connect (self, 5000), .in_flight_max = 4, .runs_max = 8};
    chaos_check (self->chaos, load.client && load_finish (&load, 10000),
                 "another client is not served");
    row->has_load = true;
    row->accepted = load.accepted;
    row->committed = load.committed;
    row->lost = load.accepted - load.committed - load.quarantined;
    row->wrong = load.wrong;
    chaos_check (self->chaos, row->lost == 0 && row->wrong == 0, "results are lost or wrong");
    dw_client_destroy (&load.client);
    field_account_growth (self);
}

/* The line of the client: it is told within the time of silence that it has lost its coordinator,
 * and another is served. */
static void s_partition_client (chaos_t *chaos) {
    field_t *self = s_begin (chaos);
    int64_t begin_ms = now_ms ();
    uint64_t lost = nets_lost_count ();
    if (field_begin (self) && field_await_workers (self, 5000) >= 0) {
        load_pump (&self->load);
        nets_lose (WORKERS + 1, NETS_BOTH, 100);
        int64_t cut_ms = now_ms ();
        load_finish (&self->load, 3 * SILENCE_MS);
        chaos->row->noticed_ms = chaos->row->noticed_most_ms = now_ms () - cut_ms;
        chaos_check (chaos, self->load.gone == DW_ELOST, "the client was told \"%s\"",
                     dw_err_text (self->load.gone));
        chaos_check (chaos, now_ms () - cut_ms <= SILENCE_MS + 1000,
                     "the client was told too late");
        nets_lose (WORKERS + 1, NETS_BOTH, 0);
        s_serve_another (self);
        chaos_fault (chaos, "packets lost", nets_lost_count () - lost, 1);
    }
    field_end (self);
    chaos->row->took_ms = now_ms () - begin_ms;
}

void chaos_partition (chaos_t *chaos) {
    if (s_is_possible (chaos, NULL)) {
        for (size_t i = 0; i < sizeof s_cuttings / sizeof *s_cuttings; i++) {
            if (i > 0)
                chaos_row (chaos, s_cuttings[i].name);
            snprintf (chaos->row->name, sizeof chaos->row->name, "%s", s_cuttings[i].name);
            s_partition (s_begin (chaos), &s_cuttings[i]);
        }
        chaos_row (chaos, "partition client");
        s_partition_client (chaos);
    }
    nets_end ();
}

/* ---- Lossy, and slow -------------------------------------------------------------------------- */

/* Workers of one slot each say less. */
static void s_lose (field_t *self, uint64_t lost_least) {
    chaos_t *chaos = self->chaos;
    int64_t begin_ms = now_ms ();
    self->options.system.heartbeat_ms = 1000; /* as it is by default */
    self->options.system.silence_ms = 3000;
    if (field_begin (self) && field_await_workers (self, 5000) >= 0) {
        uint64_t before = nets_lost_count ();
        for (uint32_t net = 1; net <= WORKERS + 1; net++)
            nets_lose (net, NETS_BOTH, 10);
        load_finish (&self->load, 2 * chaos->stretch_ms);
        uint64_t lost = nets_lost_count () - before;
        s_heal (self);
        field_account (self);
        chaos_fault (chaos, "packets lost", lost, lost_least);
        chaos_fault (chaos, "runs", self->load.committed, 3);
    }
    field_end (self);
    chaos->row->took_ms = now_ms () - begin_ms;
}

static void s_slow_down (field_t *self) {
    chaos_t *chaos = self->chaos;
    int64_t begin_ms = now_ms ();
    self->options.kind = LOAD_HEAVY;
    self->options.system.heartbeat_ms = 1000;
    self->options.system.silence_ms = 4000; /* a result takes 2.1 s, and it was quiet before */
    self->load.runs_max = chaos->is_short ? 2 : (uint64_t) chaos->stretch_ms / 1000;
    self->load.in_flight_max =
        1; /* two results in one message take 4.2 s, which is longer than the silence */
    for (uint32_t net = 1; net <= WORKERS + 1; net++)
        nets_slow (net, 1000);
    if (field_begin (self) && field_await_workers (self, 5000) >= 0) {
        int64_t load_ms = now_ms ();
        field_finish (self,
                      (int) self->load.runs_max * 10000); /* 6 s, and those of a busy machine */
        int64_t took_ms = now_ms () - load_ms;
        field_account (self);
        uint64_t kib = self->load.committed * LOAD_HEAVY_NODES * LOAD_HEAVY_BYTES / 1024;
        printf ("  to the client alone %llu KiB in %lld ms\n", (unsigned long long) kib,
                (long long) took_ms);
        chaos_check (chaos, (uint64_t) took_ms > kib * 7, "the line was not slow"); /* 8 ms a KiB */
        chaos_fault (chaos, "packets that waited", nets_waited_count (), kib);
        chaos_check (chaos, self->lost_count == 0, "a worker was taken for lost");
    }
    field_end (self);
    chaos->row->took_ms = now_ms () - begin_ms;
}

void chaos_loss (chaos_t *chaos) {
    if (s_is_possible (chaos, NULL))
        s_lose (s_begin (chaos), (uint64_t) chaos->stretch_ms / 20);
    nets_end ();
}

void chaos_slow (chaos_t *chaos) {
    if (s_is_possible (chaos, NULL))
        s_slow_down (s_begin (chaos));
    nets_end ();
}

/* ---- The same with workers in another language ------------------------------------------------ */

static field_t *s_begin_foreign (chaos_t *chaos) {
    field_t *self = s_begin (chaos);
    self->job.role = FLEET_FOREIGN;
    self->job.language = FOREIGN_PYTHON;
    self->job.slots = 1;
    self->options.system.heartbeat_ms = 200; /* as in chaos_foreign */
    self->options.system.silence_ms = 800;
    return self;
}

void chaos_strange (chaos_t *chaos) {
    if (s_is_possible (chaos, foreign_prepare (FOREIGN_PYTHON, chaos->folder))) {
        snprintf (chaos->row->name, sizeof chaos->row->name, "foreign partition");
        s_partition (s_begin_foreign (chaos), &s_cuttings[2]);
        chaos_row (chaos, "foreign loss");
        s_lose (s_begin_foreign (chaos), (uint64_t) chaos->stretch_ms / 60);
        chaos_row (chaos, "foreign slow");
        s_slow_down (s_begin_foreign (chaos));
    }
    nets_end ();
}
