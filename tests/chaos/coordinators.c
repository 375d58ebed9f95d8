/* coordinators.c - faults of the coordinator: killed, stopped, opened and closed. */

#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "tests/chaos/chaos.h"

#define COORDINATOR (FLEET_MAX - 2)
#define ACTORS_MAX  1000u
/* A client takes a coordinator for lost that is only slow for so long: a busy machine is no
 * fault. */
#define HEARTBEAT_MS 100
#define SILENCE_MS   600

static fleet_job_t s_coordinator_at (const char *endpoint) {
    fleet_job_t job = {
        .role = FLEET_COORDINATOR, .heartbeat_ms = HEARTBEAT_MS, .silence_ms = SILENCE_MS};
    snprintf (job.endpoint, sizeof job.endpoint, "%s", endpoint);
    return job;
}

/* Into the row, beside what is there: of each of these runs there was to be one right result. */
static void s_count (chaos_t *self, const load_t *load) {
    row_t *row = self->row;
    row->has_load = true;
    row->accepted += load->accepted;
    row->committed += load->committed;
    row->lost += load->accepted - load->committed - load->quarantined;
    row->wrong += load->wrong;
}

/* Of a process, 0 for this one. */
static void s_weigh (chaos_t *self, int when, int pid) {
    self->row->memory[when] = chaos_memory (pid);
    self->row->descriptors[when] = chaos_descriptors (pid);
}

/* The first of the workers do not look for another coordinator. */
static void s_start_workers (const char *endpoint, uint32_t count, uint32_t without) {
    for (uint32_t w = 0; w < count; w++) {
        fleet_job_t job = {
            .role = FLEET_WORKER, .slots = CHAOS_SLOTS, .reconnect_ms = w < without ? 0 : 20000};
        snprintf (job.endpoint, sizeof job.endpoint, "%s", endpoint);
        fleet_start (w, &job);
    }
}

static dw_client_t *s_connect (const char *endpoint) {
    dw_client_t *client = NULL;
    for (int i = 0; i < 20 && !client; i++)
        dw_client_connect (&client,
                           &(dw_connect_options_t){.endpoint = endpoint, .timeout_ms = 500}, NULL);
    return client;
}

/* Waits until so many workers are there. */
static bool s_has_workers (dw_client_t *client, size_t count, int timeout_ms) {
    int64_t until_ms = now_ms () + timeout_ms;
    size_t there = 0;
    while (there != count && now_ms () < until_ms) {
        dw_status_t *status = NULL;
        if (dw_client_status (client, 1000, &status) == DW_OK)
            there = status->workers_count;
        dw_status_destroy (&status);
        sleep_ms (10);
    }
    return there == count;
}

/* ---- Killed ----------------------------------------------------------------------------------- */

/* A client is told in time that the coordinator is lost. */
static void s_check_client_lost (chaos_t *self, load_t *load) {
    int64_t begin_ms = now_ms ();
    load->runs_max = UINT64_MAX;
    load_finish (load, 5000);
    self->row->cut_short += load->accepted - load->committed; /* it knows of each */
    int64_t took_ms = now_ms () - begin_ms;
    printf ("  the client heard of it after %" PRId64 " ms: %s\n", took_ms,
            dw_err_text (load->gone));
    chaos_check (self, load->gone == DW_ELOST, "the client was told \"%s\"",
                 dw_err_text (load->gone));
    chaos_check (self, took_ms <= SILENCE_MS + 1000, "the client was told too late");
    if (took_ms > self->row->noticed_most_ms)
        self->row->noticed_ms = self->row->noticed_most_ms = took_ms;
}

static void s_coordinator_dies (chaos_t *self, const char *endpoint) {
    fleet_job_t job = s_coordinator_at (endpoint);
    fleet_start (COORDINATOR, &job);
    s_start_workers (endpoint, 4, 1);
    load_t load = {.client = s_connect (endpoint), .in_flight_max = 4, .runs_max = 10};
    chaos_check (self, load.client && s_has_workers (load.client, 4, 5000), "no workers have come");
    chaos_check (self, load.client && load_finish (&load, 10000), "runs do not end");
    s_count (self, &load);
    if (!self->has_failed) {
        fleet_signal (COORDINATOR, SIGKILL);
        s_check_client_lost (self, &load);
    }
    dw_client_destroy (&load.client);
    int ended = fleet_wait (0, 5000);
    chaos_check (self, ended == FLEET_ENDED_LOST,
                 "the worker that does not look for another ended with %d", ended);
    int64_t begin_ms = now_ms ();
    fleet_start (COORDINATOR, &job);
    load = (load_t){.client = s_connect (endpoint), .in_flight_max = 4, .runs_max = 10};
    chaos_check (self, load.client && s_has_workers (load.client, 3, 10000),
                 "the others have not found the new coordinator");
    printf ("  a new one at %s has its workers after %" PRId64 " ms\n", endpoint,
            now_ms () - begin_ms);
    chaos_check (self, load.client && load_finish (&load, 10000) && load.wrong == 0,
                 "runs of the new one do not end right");
    s_count (self, &load);
    dw_client_destroy (&load.client);
    fleet_clear ();
}

void chaos_coordinator (chaos_t *self) {
    char endpoint[128];
    uint64_t kills = 0;
    s_weigh (self, 0, 0); /* of the client's process, as the coordinator's ends */
    for (int i = 0; i < (self->is_short ? 1 : 5) && !self->has_failed; i++, kills += 2) {
        snprintf (endpoint, sizeof endpoint, "tcp://127.0.0.1:%u", (unsigned) chaos_port (self));
        s_coordinator_dies (self, endpoint);
        if (self->has_failed)
            break;
        snprintf (endpoint, sizeof endpoint, "ipc://%s/c", self->folder);
        s_coordinator_dies (self, endpoint);
        remove (endpoint + strlen ("ipc://"));
    }
    s_weigh (self, 1, 0);
    chaos_check (self, self->row->descriptors[1] <= self->row->descriptors[0],
                 "the clients' descriptors stay behind");
    chaos_check (self, self->row->lost == 0 && self->row->wrong == 0, "results are lost or wrong");
    chaos_fault (self, "kills of it", kills, self->is_short ? 2 : 10);
    chaos_fault (self, "runs that it took along", self->row->cut_short, self->is_short ? 2 : 10);
}

/* ---- Stopped ---------------------------------------------------------------------------------- */

static uint64_t s_runs_ok (dw_client_t *client) {
    dw_status_t *status = NULL;
    uint64_t ok = client && dw_client_status (client, 5000, &status) == DW_OK ? status->runs_ok : 0;
    dw_status_destroy (&status);
    return ok;
}

void chaos_pause (chaos_t *self) {
    char endpoint[128];
    snprintf (endpoint, sizeof endpoint, "tcp://127.0.0.1:%u", (unsigned) chaos_port (self));
    fleet_job_t job = s_coordinator_at (endpoint);
    int pid = fleet_start (COORDINATOR, &job);
    s_start_workers (endpoint, 4, 0);
    /* A client waits only silence_ms for an answer, so it comes anew after each pause. */
    uint64_t ok = 0, pauses = self->is_short ? 2 : 12;
    for (uint64_t i = 0; i < pauses && !self->has_failed; i++) {
        load_t load = {.client = s_connect (endpoint), .in_flight_max = 4, .runs_max = 20};
        chaos_check (self, load.client && s_has_workers (load.client, 4, 10000),
                     "the workers are not there");
        if (i == 0)
            s_weigh (self, 0, pid);
        int64_t pause_ms = now_ms () + random_below (&self->random, 100);
        while (load.client && now_ms () < pause_ms)
            load_pump (&load);
        fleet_signal (COORDINATOR, SIGSTOP);
        sleep_ms (2 * SILENCE_MS);
        fleet_signal (COORDINATOR, SIGCONT);
        bool is_over = load.client && load_finish (&load, 10000);
        chaos_check (self, is_over, "runs do not end: %s", dw_err_text (load.gone));
        chaos_check (self, load.wrong == 0, "results are wrong");
        s_count (self, &load);
        ok = s_runs_ok (load.client);
        dw_client_destroy (&load.client);
    }
    row_t *row = self->row;
    s_weigh (self, 1, pid);
    row->doubled = ok > row->committed ? ok - row->committed : 0;
    chaos_check (self, row->lost == 0 && ok == row->committed, "results are lost or doubled");
    chaos_check (self, row->descriptors[1] <= row->descriptors[0] + 2, "descriptors stay behind");
    chaos_check (self, row->memory[1] < row->memory[0] + (16u << 10), "its memory grew");
    chaos_fault (self, "pauses of it", pauses, pauses);
    fleet_clear ();
}

/* ---- Opened and closed ------------------------------------------------------------------------ */

/* 1 to 1,000, as often below 32 as above. */
static uint32_t s_some (random_t *random) {
    uint32_t bits = 1 + random_below (random, 10);
    uint32_t some = 1 + random_below (random, 1u << bits);
    return some < ACTORS_MAX ? some : ACTORS_MAX;
}

/* Runs that were under way when it closed end with it, and that is said: there is nobody who would
 * wait for them. */
static void s_count_closed (chaos_t *self, const load_t *load) {
    load_t ended = *load;
    ended.accepted = load->committed + load->quarantined;
    self->row->cut_short += load->accepted - ended.accepted;
    s_count (self, &ended);
}

/* False: the agent was not told that its coordinator has closed. */
static bool s_open_and_close (chaos_t *self, const char *listen) {
    random_t *random = &self->random;
    dw_agent_t *agent = NULL;
    dw_processors_t *processors = load_processors ();
    uint32_t actors = s_some (random), slots = s_some (random);
    load_kind_t kind = random_one_in (random, 2) ? LOAD_HEAVY
                                                 : LOAD_MANY; /* few are done in time */
    load_options_t asked = {.kind = kind,
                            .actors = actors,
                            .system = {.listen = listen,
                                       .slots_max = ACTORS_MAX,
                                       .heartbeat_ms = CHAOS_HEARTBEAT_MS,
                                       .silence_ms = CHAOS_SILENCE_MS}};
    dw_system_t *system = load_open (&asked);
    if (!system) {
        chaos_check (self, false, "a system does not open");
        return true;
    }
    dw_agent_options_t options = {.coordinator = {.endpoint = dw_system_listening (system)},
                                  .processors = processors,
                                  .slots = slots,
                                  .reconnect_ms = random_one_in (random, 2) ? -1 : 0};
    int err = dw_agent_open (&agent, &options, NULL);
    chaos_check (self, err == DW_OK, "an agent does not open: %s", dw_err_text (err));
    load_t load = {.client = load_connect (dw_system_listening (system), NULL, 0),
                   .kind = kind,
                   .in_flight_max = 4,
                   .runs_max = UINT64_MAX};
    int64_t until_ms = now_ms () + random_below (random, 30);
    while (load.client && now_ms () < until_ms)
        load_pump (&load);
    bool is_agent_first = random_one_in (random, 3);
    if (is_agent_first)
        err = dw_agent_close (&agent, 2000, NULL);
    chaos_check (self, err == DW_OK, "an agent does not close");
    if (random_one_in (random, 2))
        dw_client_destroy (&load.client);
    err = dw_system_close (&system, 2000, NULL);
    chaos_check (self, err == DW_OK, "a system does not close: %s", dw_err_text (err));
    s_count_closed (self, &load);
    bool is_told = !agent || dw_agent_wait (agent, 3000 + 10 * (int) slots) == DW_OK;
    chaos_check (self, dw_agent_close (&agent, 2000, NULL) == DW_OK, "an agent does not close");
    dw_client_destroy (&load.client);
    dw_processors_destroy (&processors);
    return is_told;
}

void chaos_shutdown (chaos_t *self) {
    unsigned threads = threads_count (), descriptors = descriptors_count ();
    unsigned memory = chaos_memory (0);
    int64_t most_ms = 0;
    int untold =
        0; /* the last message has 100 ms to be sent in, which a busy machine may not have */
    int times = self->is_short ? 20 : 200;
    char ipc[64];
    snprintf (ipc, sizeof ipc, "ipc://%s/s", self->folder);
    for (int i = 0; i < times && !self->has_failed; i++) {
        int64_t begin_ms = now_ms ();
        untold += !s_open_and_close (self, i % 4 == 0 ? ipc : "tcp://127.0.0.1:*");
        if (now_ms () - begin_ms > most_ms)
            most_ms = now_ms () - begin_ms;
    }
    remove (ipc + strlen ("ipc://"));
    chaos_check (self, threads_fall_to (threads), "threads: %u, before %u", threads_count (),
                 threads);
    chaos_check (self, descriptors_count () <= descriptors, "descriptors: %u, before %u",
                 descriptors_count (), descriptors);
    chaos_check (self, untold <= 1 + times / 50, "%d agents were not told that it closed", untold);
    chaos_check (self, most_ms < 30000, "one took %" PRId64 " ms", most_ms);
    printf ("  at most %" PRId64 " ms; threads %u -> %u, descriptors %u -> %u\n", most_ms, threads,
            threads_count (), descriptors, descriptors_count ());
    self->row->descriptors[0] = descriptors;
    self->row->descriptors[1] = descriptors_count ();
    self->row->memory[0] = memory;
    self->row->memory[1] = chaos_memory (0);
    chaos_check (self, self->row->wrong == 0, "results are wrong");
    chaos_fault (self, "closed at any moment", (uint64_t) times, (uint64_t) times);
    chaos_fault (self, "runs under way then", self->row->cut_short, (uint64_t) times / 4);
}
