/* field.c - where faults are made. */

#include "tests/chaos/field.h"

#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/chaos/nets.h"

#define COORDINATOR (FLEET_MAX - 2)

/* ---- What the coordinator tells --------------------------------------------------------------- */

static void s_on_notice (void *arg, const char *line) {
    char fixed[200] = "";
    const field_t *self = arg;
    if (getenv ("CHAOS_VERBOSE"))
        fprintf (stderr, "%s\n", line);
    snprintf (fixed, sizeof fixed, "%s", line);
    if (strstr (line, "was not heard of") && write (self->lines[1], fixed, sizeof fixed) < 0)
        return;
}

void field_take_notices (field_t *self) {
    char line[200];
    while (read (self->lines[0], line, sizeof line) == (ssize_t) sizeof line) {
        line[sizeof line - 1] = '\0';
        const char *process = strstr (line, "(process ");
        int pid = process ? atoi (process + strlen ("(process ")) : 0;
        self->lost_count++;
        for (uint32_t i = 0; i < self->missing_count; i++)
            if (self->missing[i].pid == pid && self->noticed_count < FIELD_TIMES_MAX) {
                self->noticed_ms[self->noticed_count++] = now_ms () - self->missing[i].at_ms;
                self->missing[i].pid = 0;
            }
    }
}

void field_miss (field_t *self, uint32_t w) {
    for (uint32_t i = 0; i < self->missing_count; i++)
        if (self->missing[i].pid == self->workers[w].pid)
            self->missing[i].pid = 0; /* it was heard again before it was taken for lost */
    if (self->missing_count < FIELD_TIMES_MAX)
        self->missing[self->missing_count++] = (field_missing_t){self->workers[w].pid, now_ms ()};
}

/* ---- Begun and ended -------------------------------------------------------------------------- */

field_t *field_new (chaos_t *chaos) {
    static field_t field;
    field = (field_t){
        .chaos = chaos,
        .workers_count = CHAOS_WORKERS,
        .lines = {-1, -1},
        .job = {.role = FLEET_WORKER, .slots = CHAOS_SLOTS, .reconnect_ms = -1, .key = "worker"},
        .options = {.system = {.listen = "tcp://127.0.0.1:*",
                               .no_actors = true,
                               .heartbeat_ms = CHAOS_HEARTBEAT_MS,
                               .silence_ms = CHAOS_SILENCE_MS}},
        .load = {.in_flight_max = 8, .runs_max = chaos->runs}};
    memset (fleet_counts (), 0, sizeof (fleet_counts_t));
    return &field;
}

void field_start_worker (field_t *self, uint32_t w) {
    fleet_job_t job = self->job;
    if (self->has_networks) {
        const char *port = strrchr (self->listening, ':');
        snprintf (job.network, sizeof job.network, "%s", nets_file (w + 1));
        snprintf (job.endpoint, sizeof job.endpoint, "tcp://%s%s", nets_hub_address (w + 1), port);
    }
    self->workers[w] = (field_worker_t){.pid = fleet_start (w, &job)};
}

dw_client_t *field_connect (const field_t *self, int timeout_ms) {
    char endpoint[128];
    const char *keys = self->options.system.keys;
    uint32_t net = self->workers_count + 1;
    if (!self->has_networks)
        return load_connect (self->listening, keys, timeout_ms);
    snprintf (endpoint, sizeof endpoint, "tcp://%s%s", nets_hub_address (net),
              strrchr (self->listening, ':'));
    nets_enter (net); /* ZeroMQ's own threads begin here, and stay */
    dw_client_t *client = load_connect (endpoint, keys, timeout_ms);
    nets_enter (NETS_HOME);
    return client;
}

static bool s_open_here (field_t *self) {
    if (pipe2 (self->lines, O_NONBLOCK | O_CLOEXEC))
        return false;
    self->options.system.notice = s_on_notice;
    self->options.system.notice_arg = self;
    if (self->has_networks)
        nets_enter (NETS_HUB);
    self->system = load_open (&self->options);
    if (self->has_networks)
        nets_enter (NETS_HOME);
    if (self->system)
        snprintf (self->listening, sizeof self->listening, "%s",
                  dw_system_listening (self->system));
    return self->system != NULL;
}

static bool s_open_apart (field_t *self) {
    self->port = chaos_port (self->chaos);
    snprintf (self->listening, sizeof self->listening, "tcp://127.0.0.1:%u", (unsigned) self->port);
    fleet_job_t job = {.role = FLEET_COORDINATOR,
                       .heartbeat_ms = self->options.system.heartbeat_ms,
                       .silence_ms = self->options.system.silence_ms,
                       .slots_max = self->options.system.slots_max,
                       .clients_max = self->options.system.clients_max,
                       .files_max = self->files_max};
    memcpy (job.endpoint, self->listening, sizeof job.endpoint);
    if (self->options.system.keys)
        snprintf (job.keys, sizeof job.keys, "%s", self->options.system.keys);
    self->pid = fleet_start (COORDINATOR, &job);
    return self->pid > 0;
}

static bool s_open (field_t *self) {
    self->load.kind = self->options.kind;
    if (!(self->is_apart ? s_open_apart (self) : s_open_here (self)))
        return false;
    for (int64_t until_ms = now_ms () + 5000; !self->load.client && now_ms () < until_ms;)
        self->load.client = field_connect (self, 3000);
    return self->load.client != NULL;
}

void field_reload_keys (const field_t *self) {
    if (self->is_apart)
        fleet_signal (COORDINATOR, SIGHUP);
}

void field_weigh (field_t *self) {
    self->memory = chaos_memory (self->pid);
    self->descriptors = chaos_descriptors (self->pid);
}

bool field_begin (field_t *self) {
    chaos_t *chaos = self->chaos;
    if (!s_open (self)) {
        chaos_check (chaos, false, "it cannot begin");
        return false;
    }
    if (self->options.system.keys)
        snprintf (self->job.keys, sizeof self->job.keys, "%s", self->options.system.keys);
    if (!self->job.endpoint[0])
        memcpy (self->job.endpoint, self->listening, sizeof self->job.endpoint);
    for (uint32_t w = 0; w < self->workers_count; w++)
        field_start_worker (self, w);
    field_weigh (self);
    return true;
}

void field_end (field_t *self) {
    for (uint32_t w = 0; w < self->workers_count; w++)
        fleet_signal (w, SIGKILL);
    dw_client_destroy (&self->load.client);
    if (self->is_apart)
        fleet_signal (COORDINATOR, SIGKILL);
    if (self->system)
        chaos_check (self->chaos, dw_system_close (&self->system, -1, NULL) == DW_OK,
                     "the coordinator does not close");
    for (int i = 0; i < 2; i++)
        if (self->lines[i] >= 0)
            close (self->lines[i]);
}

void field_finish (field_t *self, int timeout_ms) {
    bool is_over = load_finish (&self->load, timeout_ms);
    chaos_check (self->chaos, is_over, "runs do not end: %s", dw_err_text (self->load.gone));
}

/* ---- What is asked of it ---------------------------------------------------------------------- */

dw_status_t *field_status (field_t *self) {
    dw_status_t *status = NULL;
    int err = dw_client_status (self->load.client, 5000, &status);
    chaos_check (self->chaos, err == DW_OK, "the status does not come: %s", dw_err_text (err));
    return status;
}

int64_t field_await_workers (field_t *self, int timeout_ms) {
    int64_t begin_ms = now_ms ();
    size_t there = 0;
    for (; now_ms () < begin_ms + timeout_ms; sleep_ms (10)) {
        dw_status_t *status = NULL;
        uint32_t slots = 0;
        if (dw_client_status (self->load.client, 1000, &status) == DW_OK) {
            there = status->workers_count;
            slots = status->lanes_count ? status->lanes[0].slots : 0;
        }
        dw_status_destroy (&status);
        if (there == self->workers_count && slots >= self->workers_count * self->job.slots)
            return now_ms () - begin_ms;
    }
    chaos_check (self->chaos, false, "of %u workers %zu are there", (unsigned) self->workers_count,
                 there);
    return -1;
}

int64_t field_notice_most_ms (const field_t *self) {
    return 2 * (int64_t) self->options.system.silence_ms + 1000;
}

/* ---- What came of it -------------------------------------------------------------------------- */

static int s_compare (const void *a, const void *b) {
    int64_t x = *(const int64_t *) a, y = *(const int64_t *) b;
    return (x > y) - (x < y);
}

void field_account_noticed (field_t *self, int64_t most_ms) {
    row_t *row = self->chaos->row;
    qsort (self->noticed_ms, self->noticed_count, sizeof *self->noticed_ms, s_compare);
    if (self->noticed_count == 0)
        return;
    row->noticed_ms = self->noticed_ms[self->noticed_count / 2];
    row->noticed_most_ms = self->noticed_ms[self->noticed_count - 1];
    printf ("  losses noticed %u, after %" PRId64 " ms (median), %" PRId64 " ms (most)\n",
            (unsigned) self->noticed_count, row->noticed_ms, row->noticed_most_ms);
    chaos_check (self->chaos, row->noticed_most_ms <= most_ms, "a loss was noticed too late");
}

void field_account_growth (field_t *self) {
    row_t *row = self->chaos->row;
    row->memory[0] = self->memory;
    row->memory[1] = chaos_memory (self->pid);
    row->descriptors[0] = self->descriptors;
    row->descriptors[1] = chaos_descriptors (self->pid);
    printf ("  coordinator: memory %u -> %u KiB, descriptors %u -> %u\n", row->memory[0],
            row->memory[1], row->descriptors[0], row->descriptors[1]);
    chaos_check (self->chaos, row->memory[1] < row->memory[0] + (32u << 10),
                 "its memory grew by 32 MiB");
    chaos_check (self->chaos,
                 row->descriptors[1] < row->descriptors[0] + 8u * CHAOS_WORKERS * CHAOS_SLOTS,
                 "its descriptors grew");
}

void field_account (field_t *self) {
    const load_t *load = &self->load;
    row_t *row = self->chaos->row;
    dw_status_t *status = field_status (self);
    uint64_t ok = status ? status->runs_ok : 0;
    row->has_load = true;
    row->accepted = load->accepted;
    row->committed = load->committed;
    row->lost = load->accepted - load->committed - load->quarantined;
    row->doubled = ok > load->committed ? ok - load->committed : 0;
    row->wrong = load->wrong;
    printf ("  runs of %u tasks: accepted %" PRIu64 ", committed %" PRIu64 ", lost %" PRIu64
            ", doubled %" PRIu64 ", wrong %" PRIu64 "; quarantined and asked again %" PRIu64 "\n",
            (unsigned) load_nodes (load), row->accepted, row->committed, row->lost, row->doubled,
            row->wrong, load->quarantined);
    if (status)
        printf ("  tasks lost and sent again %" PRIu64 ", answers ignored %" PRIu64
                ", messages of nobody known %" PRIu64 "\n",
                status->lost, status->answers_ignored, status->messages_ignored);
    if (load->gone)
        printf ("  the client: %s\n", dw_err_text (load->gone));
    chaos_check (self->chaos, row->lost == 0, "runs were lost");
    chaos_check (self->chaos, row->wrong == 0, "results are wrong");
    chaos_check (self->chaos, ok == load->committed, "the coordinator counts %" PRIu64 " good runs",
                 ok);
    chaos_check (self->chaos,
                 !status || load->quarantined || status->steps_done == ok * load_nodes (load),
                 "steps were done twice");
    chaos_check (self->chaos, load->quarantined * 10 <= load->committed + 50,
                 "too many runs were quarantined");
    field_take_notices (self);
    field_account_noticed (self, field_notice_most_ms (self));
    field_account_growth (self);
    dw_status_destroy (&status);
}
