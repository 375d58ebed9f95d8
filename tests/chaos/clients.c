/* clients.c - faults of client processes: killed, stopped, and behind lines that are cut; workers
 * are killed beside them.
 *
 * Whoever was stopped or cut off comes back and gets all that it asked for, each once; what a
 * killed one detached the process that follows it takes up; what a killed one waited for is
 * cancelled, and nothing stays behind of it. */

#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "tests/chaos/customers.h"
#include "tests/chaos/field.h"
#include "tests/chaos/nets.h"
#include "tests/chaos/secrets.h"

#define WORKERS        3u
#define SLOTS          4u
#define HEARTBEAT_MS   100
#define SILENCE_MS     500
#define LOST_CLIENT_MS 4000 /* longer than anything that is done to somebody who is to come back */
#define FAULT_MS       40
#define STOP_MS        1200 /* at most: for longer than the silence, too */
#define RELAY          (FLEET_MAX - 1)
#define FIRST          CHAOS_WORKERS /* the place of the first customer in the fleet */
/* Each customer is in a net of its own; those before have the workers and the field's client. */
#define NET_OF(c) (WORKERS + 2u + (uint32_t) (c))
/* How long it may take to be noticed: a death, and a line that is cut for good, when TCP has tried
 * again for 6 s. */
#define KILL_MOST_MS 2000
#define CUT_MOST_MS  14000

typedef struct s_clients_t {
    field_t *field;
    bool has_networks;
    char endpoint[128]; /* where they connect: the relay, or the coordinator */
    struct {
        int64_t continue_ms; /* it is stopped until then; 0: it is not */
        int64_t start_ms;    /* dead */
        int64_t heal_ms;     /* cut off */
    } each[CUSTOMERS];
    int64_t worker_ms[WORKERS]; /* dead until then */
    uint64_t kills, stops, cuts, worker_kills;
} s_clients_t;

/* ---- Begun ------------------------------------------------------------------------------------ */

static void s_start (s_clients_t *self, uint32_t c) {
    fleet_job_t job = {.role = FLEET_CUSTOMER, .customer = c, .reconnect_ms = -1, .key = "client"};
    const char *keys = self->field->options.system.keys;
    snprintf (job.endpoint, sizeof job.endpoint, "%s", self->endpoint);
    snprintf (job.keys, sizeof job.keys, "%s", keys ? keys : "");
    if (self->has_networks) {
        snprintf (job.network, sizeof job.network, "%s", nets_file (NET_OF (c)));
        snprintf (job.endpoint, sizeof job.endpoint, "tcp://%s%s", nets_hub_address (NET_OF (c)),
                  strrchr (self->field->listening, ':'));
    }
    fleet_start (FIRST + c, &job);
    self->each[c].start_ms = self->each[c].continue_ms = 0;
}

static s_clients_t s_begin (chaos_t *chaos) {
    s_clients_t self = {.field = field_new (chaos)};
    field_t *field = self.field;
    customers_forget ();
    field->workers_count = WORKERS;
    field->job.slots = SLOTS;
    field->options.kind = LOAD_CUSTOMERS;
    field->options.system.heartbeat_ms = HEARTBEAT_MS;
    field->options.system.silence_ms = SILENCE_MS;
    field->options.system.lost_client_ms = LOST_CLIENT_MS;
    return self;
}

/* Between the clients and the coordinator. */
static void s_start_relay (s_clients_t *self) {
    static char listen[64]; /* for as long as the field */
    chaos_t *chaos = self->field->chaos;
    relay_options_t options = {
        .target_port = chaos_port (chaos), .seed = chaos->seed, .has_troubles = true};
    do
        options.port = chaos_port (chaos);
    while (options.port == options.target_port);
    snprintf (listen, sizeof listen, "tcp://127.0.0.1:%u", (unsigned) options.target_port);
    snprintf (self->endpoint, sizeof self->endpoint, "tcp://127.0.0.1:%u", (unsigned) options.port);
    self->field->options.system.listen = listen;
    fleet_start (RELAY, &(fleet_job_t){.role = FLEET_RELAY, .relay = options});
}

/* ---- Faults ----------------------------------------------------------------------------------- */

static void s_kill_worker (s_clients_t *self) {
    uint32_t w = random_below (&self->field->chaos->random, WORKERS);
    if (self->worker_ms[w])
        return;
    fleet_signal (w, SIGKILL);
    self->worker_ms[w] = now_ms () + random_below (&self->field->chaos->random, 300);
    self->worker_kills++;
}

static void s_kill (s_clients_t *self, uint32_t c) {
    fleet_signal (FIRST + c, SIGKILL);
    self->each[c].continue_ms = 0;
    self->each[c].start_ms = now_ms () + random_below (&self->field->chaos->random, 100);
    self->kills++;
}

static void s_stop (s_clients_t *self, uint32_t c) {
    fleet_signal (FIRST + c, SIGSTOP);
    self->each[c].continue_ms = now_ms () + 10 +
                                random_below (&self->field->chaos->random, STOP_MS);
    self->stops++;
}

static void s_cut (s_clients_t *self, uint32_t c) {
    random_t *random = &self->field->chaos->random;
    nets_lose (NET_OF (c), 1 + random_below (random, 3), 100); /* one way, the other, or both */
    self->each[c].heal_ms = now_ms () + 20 + random_below (random, STOP_MS);
    self->cuts++;
}

static void s_fault (s_clients_t *self) {
    random_t *random = &self->field->chaos->random;
    uint32_t c = random_below (random, CUSTOMERS), what = random_below (random, 6);
    if (self->each[c].start_ms)
        return;
    if (what == 0)
        s_kill_worker (self);
    else if (what < 3)
        s_kill (self, c);
    else if (self->has_networks && what < 5 && !self->each[c].heal_ms)
        s_cut (self, c);
    else if (!self->each[c].continue_ms)
        s_stop (self, c);
}

static void s_heal_line (s_clients_t *self, uint32_t c) {
    nets_lose (NET_OF (c), NETS_BOTH, 0);
    self->each[c].heal_ms = 0;
}

/* What is due; all of it where is_all. */
static void s_recover (s_clients_t *self, bool is_all) {
    int64_t at_ms = is_all ? INT64_MAX : now_ms ();
    for (uint32_t c = 0; c < CUSTOMERS; c++) {
        if (self->each[c].heal_ms && at_ms >= self->each[c].heal_ms)
            s_heal_line (self, c);
        if (self->each[c].continue_ms && at_ms >= self->each[c].continue_ms) {
            fleet_signal (FIRST + c, SIGCONT);
            self->each[c].continue_ms = 0;
        }
        if (self->each[c].start_ms && at_ms >= self->each[c].start_ms)
            s_start (self, c);
    }
    for (uint32_t w = 0; w < WORKERS; w++)
        if (self->worker_ms[w] && at_ms >= self->worker_ms[w]) {
            field_start_worker (self->field, w);
            self->worker_ms[w] = 0;
        }
}

/* How much of each kind has to happen, for the row to be worth anything. */
static uint64_t s_least (const s_clients_t *self) {
    return (uint64_t) self->field->chaos->stretch_ms / 500;
}

static bool s_was_enough (const s_clients_t *self) {
    uint64_t least = s_least (self);
    return self->kills >= least && self->stops >= least && self->worker_kills >= least / 2 &&
           (!self->has_networks || self->cuts >= least);
}

/* For its time, and longer on a machine that has given it too little of that. */
static void s_disturb (s_clients_t *self) {
    int64_t stretch_ms = self->field->chaos->stretch_ms, begin_ms = now_ms ();
    int64_t fault_ms = begin_ms + 300;
    for (; now_ms () < begin_ms + stretch_ms ||
           (!s_was_enough (self) && now_ms () < begin_ms + 10 * stretch_ms);
         sleep_ms (1)) {
        if (now_ms () >= fault_ms) {
            s_fault (self);
            fault_ms = now_ms () + FAULT_MS;
        }
        s_recover (self, false);
        field_take_notices (self->field);
    }
    s_recover (self, true);
}

/* ---- What came of it -------------------------------------------------------------------------- */

typedef struct s_sums_t {
    uint64_t asked, got, given_up, open, begun_again, taken_up, cancelled, quarantined, failed;
} s_sums_t;

static s_sums_t s_sum_up (row_t *row) {
    s_sums_t sums = {0};
    row->doubled = row->wrong = 0;
    for (uint32_t c = 0; c < CUSTOMERS; c++) {
        const customer_t *customer = &customers_all ()->each[c];
        for (uint32_t i = 0; i < customer->asked; i++) {
            const customers_run_t *run = &customer->runs[i];
            sums.asked += run->state != CUSTOMERS_NOTHING;
            sums.given_up += run->state == CUSTOMERS_GIVEN_UP;
            sums.open += run->state == CUSTOMERS_ASKED || run->state == CUSTOMERS_PROMISED;
            sums.begun_again += run->begun > 1 ? run->begun - 1u : 0;
        }
        sums.got += customer->got;
        sums.taken_up += customer->taken_up;
        sums.cancelled += customer->cancelled;
        sums.quarantined += customer->quarantined;
        sums.failed += customer->failed;
        row->doubled += customer->doubled;
        row->wrong += customer->wrong;
        row->lost += customer->refused;
    }
    row->doubled += sums.begun_again;
    return sums;
}

/* Each ends when it has all that it asked for, and what those before it detached. */
static void s_finish (s_clients_t *self) {
    chaos_t *chaos = self->field->chaos;
    customers_all ()->is_over = true;
    for (uint32_t c = 0; c < CUSTOMERS; c++) {
        int ended = fleet_wait (FIRST + c, 30000);
        chaos_check (chaos, ended == FLEET_ENDED_OK, "client %u ended with %d", (unsigned) c,
                     ended);
        fleet_signal (FIRST + c, SIGKILL);
    }
}

static s_sums_t s_account (s_clients_t *self) {
    chaos_t *chaos = self->field->chaos;
    row_t *row = chaos->row;
    s_sums_t sums = s_sum_up (row);
    dw_status_t *status = field_status (self->field);
    uint64_t made = status ? status->runs_ok + status->runs_partial + status->runs_failed +
                                 status->runs_cancelled + status->runs_in_flight
                           : 0;
    row->has_load = true;
    row->accepted = sums.asked - sums.given_up;
    row->committed = sums.got;
    row->lost += sums.open;
    printf ("  runs: asked for %" PRIu64 ", of those that were killed %" PRIu64 ", results %" PRIu64
            ", lost %" PRIu64 ", doubled %" PRIu64 ", wrong %" PRIu64 ", quarantined %" PRIu64
            "; the coordinator made %" PRIu64 "\n",
            sums.asked, sums.given_up, sums.got, row->lost, row->doubled, row->wrong,
            sums.quarantined, made);
    chaos_check (chaos, row->lost == 0, "results were lost");
    chaos_check (chaos, row->doubled == 0, "of runs that were made twice there are %" PRIu64,
                 sums.begun_again);
    chaos_check (chaos, row->wrong == 0, "results are wrong");
    chaos_check (chaos, row->accepted == row->committed, "results are missing");
    chaos_check (chaos, made <= sums.asked, "the coordinator made more runs than were asked for");
    chaos_check (chaos, sums.failed == 0, "%" PRIu64 " clients were given up", sums.failed);
    chaos_check (chaos, sums.quarantined * 10 <= sums.got + 50, "too many runs were quarantined");
    dw_status_destroy (&status);
    return sums;
}

/* ---- Gone for good ---------------------------------------------------------------------------- */

/* Each has asked for a run that does not end by itself, which has begun. */
static void s_come_for_the_last_time (s_clients_t *self) {
    customers_all ()->is_farewell = true;
    if (!self->has_networks)
        snprintf (self->endpoint, sizeof self->endpoint, "%s", self->field->listening);
    for (uint32_t c = 0; c < CUSTOMERS; c++) {
        const customer_t *customer = &customers_all ()->each[c];
        uint32_t before = customer->asked;
        int64_t until_ms = now_ms () + 10000;
        s_start (self, c);
        while ((customer->asked == before || customer->runs[customer->asked - 1].begun == 0) &&
               now_ms () < until_ms)
            sleep_ms (5);
        chaos_check (self->field->chaos, now_ms () < until_ms,
                     "the run of client %u does not begin", (unsigned) c);
    }
}

/* What is left of them, besides the one that asks. */
static bool s_look (s_clients_t *self, uint32_t *clients_p, uint64_t *away_p, uint64_t *runs_p) {
    dw_status_t *status = field_status (self->field);
    bool ok = status != NULL;
    *clients_p = ok ? status->clients_count - 1 : 0;
    *away_p = ok ? status->clients_away : 0;
    *runs_p = ok ? status->runs_in_flight : 0;
    dw_status_destroy (&status);
    return ok;
}

/* All of them go at once, and never come back: that is noticed, and then their runs are
 * cancelled. */
static void s_vanish (s_clients_t *self, int64_t most_ms) {
    field_t *field = self->field;
    uint32_t clients, before = CUSTOMERS;
    uint64_t away, runs;
    int64_t begin_ms = now_ms ();
    for (uint32_t c = 0; c < CUSTOMERS; c++)
        if (self->has_networks)
            nets_lose (NET_OF (c), NETS_BOTH, 100);
        else
            fleet_signal (FIRST + c, SIGKILL);
    bool ok;
    do {
        sleep_ms (10);
        ok = s_look (self, &clients, &away, &runs);
        for (; ok && before > clients; before--)
            field->noticed_ms[field->noticed_count++] = now_ms () - begin_ms;
    } while (ok && (clients > 0 || away > 0 || runs > 0) &&
             now_ms () < begin_ms + most_ms + LOST_CLIENT_MS + 3000);
    printf ("  of those who never come back nothing is left after %" PRId64 " ms\n",
            now_ms () - begin_ms);
    chaos_check (field->chaos, ok && clients == 0 && away == 0 && runs == 0,
                 "of those who are gone are left: %u clients, %" PRIu64 " away, %" PRIu64 " runs",
                 (unsigned) clients, away, runs);
    for (uint32_t c = 0; c < CUSTOMERS; c++) {
        fleet_signal (FIRST + c, SIGKILL);
        if (self->has_networks)
            s_heal_line (self, c);
    }
}

static void s_account_for_the_dead (s_clients_t *self, const s_sums_t *sums, int64_t most_ms) {
    chaos_t *chaos = self->field->chaos;
    uint64_t least = s_least (self);
    dw_status_t *status = field_status (self->field);
    field_account_noticed (self->field, most_ms);
    for (int64_t until_ms = now_ms () + 5000;
         now_ms () < until_ms && chaos_descriptors (0) > self->field->descriptors;)
        sleep_ms (20);
    field_account_growth (self->field);
    chaos_check (chaos, chaos->row->descriptors[1] <= self->field->descriptors + 4,
                 "connections stay behind");
    chaos_fault (chaos, "kills", self->kills, least);
    chaos_fault (chaos, "stops", self->stops, least);
    if (self->has_networks)
        chaos_fault (chaos, "cuts", self->cuts, least);
    else
        chaos_fault (chaos, "troubles of lines", fleet_counts ()->relay.troubles, 10 * least);
    chaos_fault (chaos, "kills of workers", self->worker_kills, least / 2);
    chaos_fault (chaos, "taken up by the next", sums->taken_up, least / 2);
    chaos_fault (chaos, "runs of the dead", sums->given_up + CUSTOMERS, CUSTOMERS + least);
    chaos_fault (chaos, "cancelled for them", status ? status->runs_cancelled - sums->cancelled : 0,
                 CUSTOMERS);
    dw_status_destroy (&status);
}

static void s_run (s_clients_t *self, int64_t most_ms) {
    field_t *field = self->field;
    if (field_begin (field) && field_await_workers (field, 5000) >= 0) {
        field_weigh (field);
        for (uint32_t c = 0; c < CUSTOMERS; c++)
            s_start (self, c);
        s_disturb (self);
        s_finish (self);
        s_sums_t sums = s_account (self);
        if (!field->chaos->has_failed) {
            field_await_workers (field, 5000);
            s_come_for_the_last_time (self);
            s_vanish (self, most_ms);
            s_account_for_the_dead (self, &sums, most_ms);
        }
    }
    for (uint32_t c = 0; c < CUSTOMERS; c++)
        fleet_signal (FIRST + c, SIGKILL);
    field_end (field);
}

void chaos_clients (chaos_t *chaos) {
    s_clients_t self = s_begin (chaos);
    s_start_relay (&self);
    s_run (&self, KILL_MOST_MS);
    fleet_signal (RELAY, SIGKILL);
}

/* The same in networks of their own, with keys, where lines are cut and not connections. */
void chaos_apart (chaos_t *chaos) {
    const char *why = nets_why_not ();
    if (why) {
        chaos_skip (chaos, why);
        return;
    }
    bool ok = secrets_make (chaos->folder) && nets_begin (WORKERS + 1 + CUSTOMERS);
    chaos_check (chaos, ok, "there are no network namespaces");
    if (ok) {
        s_clients_t self = s_begin (chaos);
        self.has_networks = self.field->has_networks = true;
        self.field->options.system.listen = "tcp://*:*";
        self.field->options.system.keys = chaos->folder;
        s_run (&self, CUT_MOST_MS);
    }
    nets_end ();
}
