/* workers.c - faults of worker processes: killed, stopped, drained, and behind a line that misbehaves. */

#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/chaos/chaos.h"

#define FAULT_MS  20
#define TIMES_MAX 4096
#define RELAY     (FLEET_MAX - 1)

/* A worker process and what was done to it. */
typedef struct s_worker_t {
    int pid;
    int64_t continue_ms; /* it is stopped until then; 0: it is not */
    int64_t start_ms;    /* it is dead until then; 0: it is not */
} s_worker_t;

/* A worker that was killed, until it is noticed. */
typedef struct s_death_t {
    int pid;
    int64_t at_ms;
} s_death_t;

typedef struct s_field_t {
    chaos_t *chaos;
    fleet_job_t job;
    s_worker_t workers[CHAOS_WORKERS];
    uint64_t kills, stops, drains;
    int lines[2]; /* a pipe: what the coordinator told */
    s_death_t deaths[TIMES_MAX];
    uint32_t deaths_count;
    int64_t noticed_ms[TIMES_MAX];
    uint32_t noticed_count;
    dw_system_t *system;
    load_t load;
    unsigned memory, descriptors; /* of this process at the beginning */
} s_field_t;

/* ---- What the coordinator tells --------------------------------------------------------------- */

static void s_on_notice (void *arg, const char *line) {
    s_field_t *self = arg;
    if (getenv ("CHAOS_VERBOSE"))
        fprintf (stderr, "%s\n", line);
    if (strstr (line, "was not heard of") && write (self->lines[1], line, 200) < 0)
        return;
}

/* Looks up which deaths were noticed. */
static void s_take_notices (s_field_t *self) {
    char line[200];
    while (read (self->lines[0], line, sizeof line) == (ssize_t) sizeof line) {
        line[sizeof line - 1] = '\0';
        const char *process = strstr (line, "(process ");
        int pid = process ? atoi (process + strlen ("(process ")) : 0;
        for (uint32_t i = 0; i < self->deaths_count; i++)
            if (self->deaths[i].pid == pid && self->noticed_count < TIMES_MAX) {
                self->noticed_ms[self->noticed_count++] = now_ms () - self->deaths[i].at_ms;
                self->deaths[i].pid = 0;
            }
    }
}

static int s_compare (const void *a, const void *b) {
    int64_t x = *(const int64_t *) a, y = *(const int64_t *) b;
    return (x > y) - (x < y);
}

/* ---- Begun and ended -------------------------------------------------------------------------- */

static void s_start_worker (s_field_t *self, uint32_t w) {
    self->workers[w] = (s_worker_t){.pid = fleet_start (w, &self->job)};
}

/* Workers connect where the job says, which may be a relay. */
static bool s_begin (s_field_t *self, chaos_t *chaos, const char *listen) {
    self->chaos = chaos;
    if (pipe2 (self->lines, 04000 /* O_NONBLOCK */))
        return false;
    self->system = load_open (listen, CHAOS_HEARTBEAT_MS, CHAOS_SILENCE_MS, s_on_notice, self);
    if (!self->system)
        return false;
    self->load = (load_t){.client = load_connect (dw_system_listening (self->system)),
                          .in_flight_max = 8,
                          .runs_max = chaos->runs};
    if (!self->job.endpoint[0])
        snprintf (self->job.endpoint, sizeof self->job.endpoint, "%s",
                  dw_system_listening (self->system));
    self->job.slots = CHAOS_SLOTS;
    self->job.reconnect_ms = -1;
    for (uint32_t w = 0; w < CHAOS_WORKERS; w++)
        s_start_worker (self, w);
    return self->load.client != NULL;
}

static dw_status_t *s_status (s_field_t *self) {
    dw_status_t *status = NULL;
    int err = dw_client_status (self->load.client, 5000, &status);
    chaos_check (self->chaos, err == DW_OK, "the status does not come: %s", dw_err_text (err));
    return status;
}

static void s_print_load (s_field_t *self, const dw_status_t *status) {
    const load_t *load = &self->load;
    uint64_t lost = load->accepted - load->committed - load->quarantined;
    uint64_t ok = status ? status->runs_ok : 0;
    printf ("  runs of %u tasks: accepted %" PRIu64 ", committed %" PRIu64 ", lost %" PRIu64
            ", doubled %" PRIu64 ", wrong %" PRIu64 "; quarantined and asked again %" PRIu64 "\n",
            LOAD_NODES, load->accepted, load->committed, lost,
            ok > load->committed ? ok - load->committed : 0, load->wrong, load->quarantined);
    if (status)
        printf ("  tasks lost and sent again %" PRIu64 ", answers ignored %" PRIu64
                ", messages of nobody known %" PRIu64 "\n",
                status->lost, status->answers_ignored, status->messages_ignored);
    if (load->gone)
        printf ("  the client: %s\n", dw_err_text (load->gone));
    chaos_check (self->chaos, lost == 0, "runs were lost");
    chaos_check (self->chaos, load->wrong == 0, "results are wrong");
    chaos_check (self->chaos, ok == load->committed, "the coordinator counts %" PRIu64 " good runs",
                 ok);
    chaos_check (self->chaos, !status || load->quarantined || status->steps_done == ok * LOAD_NODES,
                 "steps were done twice");
    chaos_check (self->chaos, load->quarantined * 10 <= load->committed + 50,
                 "too many runs were quarantined");
}

static void s_print_noticed (s_field_t *self) {
    qsort (self->noticed_ms, self->noticed_count, sizeof *self->noticed_ms, s_compare);
    if (self->noticed_count == 0)
        return;
    int64_t most = self->noticed_ms[self->noticed_count - 1];
    printf ("  deaths noticed by silence %u, after %" PRId64 " ms (median), %" PRId64
            " ms (most)\n",
            (unsigned) self->noticed_count, self->noticed_ms[self->noticed_count / 2], most);
    chaos_check (self->chaos, most <= 2 * CHAOS_SILENCE_MS + 1000, "a death was noticed too late");
}

static void s_end (s_field_t *self) {
    for (uint32_t w = 0; w < CHAOS_WORKERS; w++)
        fleet_signal (w, SIGKILL);
    dw_client_destroy (&self->load.client);
    if (self->system)
        chaos_check (self->chaos, dw_system_close (&self->system, -1, NULL) == DW_OK,
                     "the coordinator does not close");
    close (self->lines[0]);
    close (self->lines[1]);
}

/* ---- Killed and stopped ----------------------------------------------------------------------- */

static void s_kill (s_field_t *self, uint32_t w) {
    s_worker_t *worker = &self->workers[w];
    if (self->deaths_count < TIMES_MAX)
        self->deaths[self->deaths_count++] = (s_death_t){worker->pid, now_ms ()};
    fleet_signal (w, SIGKILL);
    *worker = (s_worker_t){.start_ms = now_ms () + random_below (&self->chaos->random, 60)};
    self->kills++;
}

static void s_fault (s_field_t *self) {
    random_t *random = &self->chaos->random;
    uint32_t w = random_below (random, CHAOS_WORKERS);
    if (self->workers[w].start_ms)
        return;
    if (self->workers[w].continue_ms || random_one_in (random, 2)) {
        s_kill (self, w);
        return;
    }
    fleet_signal (w, SIGSTOP);
    self->workers[w].continue_ms = now_ms () + 10 + random_below (random, 390);
    self->stops++;
}

static void s_recover (s_field_t *self) {
    int64_t at_ms = now_ms ();
    for (uint32_t w = 0; w < CHAOS_WORKERS; w++) {
        s_worker_t *worker = &self->workers[w];
        if (worker->continue_ms && at_ms >= worker->continue_ms) {
            fleet_signal (w, SIGCONT);
            worker->continue_ms = 0;
        }
        if (worker->start_ms && at_ms >= worker->start_ms)
            s_start_worker (self, w);
    }
}

static void s_check_growth (s_field_t *self, unsigned memory, unsigned descriptors) {
    printf ("  coordinator: memory %u -> %u KiB, descriptors %u -> %u\n", memory, chaos_memory (),
            descriptors, descriptors_count ());
    chaos_check (self->chaos, chaos_memory () < memory + (32u << 10), "its memory grew by 32 MiB");
    chaos_check (self->chaos, descriptors_count () < descriptors + 8u * CHAOS_WORKERS * CHAOS_SLOTS,
                 "its descriptors grew");
}

void chaos_kill (chaos_t *chaos) {
    static s_field_t field;
    s_field_t *self = &field;
    *self = (s_field_t){0};
    if (s_begin (self, chaos, "tcp://127.0.0.1:*")) {
        unsigned memory = chaos_memory (), descriptors = descriptors_count ();
        int64_t until_ms = now_ms () + chaos->timeout_ms, fault_ms = now_ms () + 100;
        while (!load_pump (&self->load) && !self->load.gone && now_ms () < until_ms) {
            if (now_ms () >= fault_ms) {
                s_fault (self);
                fault_ms = now_ms () + FAULT_MS;
            }
            s_recover (self);
            s_take_notices (self);
            sleep_ms (1);
        }
        dw_status_t *status = s_status (self);
        s_print_load (self, status);
        printf ("  kills %" PRIu64 ", stops %" PRIu64 "\n", self->kills, self->stops);
        s_print_noticed (self);
        s_check_growth (self, memory, descriptors);
        uint64_t few = chaos->runs / 10;
        chaos_check (chaos, self->kills >= few && self->stops >= few, "too few faults");
        chaos_check (chaos, status && status->lost >= few, "too few tasks were sent again");
        chaos_check (chaos, status && status->answers_ignored + status->messages_ignored >= 1,
                     "nothing late came");
        dw_status_destroy (&status);
    } else
        chaos_check (chaos, false, "it cannot begin");
    s_end (self);
}

/* ---- Drained ---------------------------------------------------------------------------------- */

/* Asks a worker to leave, and starts another when it has. */
static void s_drain (s_field_t *self) {
    uint32_t w = random_below (&self->chaos->random, CHAOS_WORKERS);
    fleet_signal (w, SIGTERM);
    int status = fleet_wait (w, 5000);
    chaos_check (self->chaos, status == FLEET_ENDED_OK, "a drained worker ended with status %d",
                 status);
    self->drains++;
    s_start_worker (self, w);
}

void chaos_drain (chaos_t *chaos) {
    static s_field_t field;
    s_field_t *self = &field;
    *self = (s_field_t){0};
    if (s_begin (self, chaos, "tcp://127.0.0.1:*")) {
        int64_t until_ms = now_ms () + chaos->timeout_ms;
        sleep_ms (300);
        while (!load_pump (&self->load) && !self->load.gone && now_ms () < until_ms &&
               !chaos->has_failed) {
            sleep_ms (random_below (&chaos->random, 40));
            s_drain (self);
        }
        dw_status_t *status = s_status (self);
        s_print_load (self, status);
        printf ("  drains %" PRIu64 "\n", self->drains);
        chaos_check (chaos, self->drains >= chaos->runs / 10, "too few drains");
        chaos_check (chaos, status && status->lost == 0, "drained workers lost tasks");
        chaos_check (chaos, self->load.quarantined == 0, "a node was quarantined");
        dw_status_destroy (&status);
    } else
        chaos_check (chaos, false, "it cannot begin");
    s_end (self);
}

/* ---- Killed while idle ------------------------------------------------------------------------ */

/* The next run's tasks are sent to eight slots of which none is there any more: no node has taken a worker down. */
void chaos_idle (chaos_t *chaos) {
    static s_field_t field;
    s_field_t *self = &field;
    *self = (s_field_t){0};
    fleet_job_t job = {.role = FLEET_WORKER, .slots = 8};
    if (s_begin (self, chaos, "tcp://127.0.0.1:*")) {
        memcpy (job.endpoint, self->job.endpoint, sizeof job.endpoint);
        self->load.runs_max = 0;
        for (uint32_t w = 0; w < CHAOS_WORKERS; w++)
            fleet_signal (w, SIGKILL);
        sleep_ms (2 * CHAOS_SILENCE_MS);
        for (uint32_t i = 0; i < (chaos->is_short ? 5 : 30) && !chaos->has_failed; i++) {
            fleet_start (CHAOS_WORKERS, &job);
            sleep_ms (100);
            fleet_signal (CHAOS_WORKERS, SIGKILL);
            sleep_ms (random_below (&chaos->random, 20));
            self->kills++;
            self->load.runs_max += 2;
            load_pump (&self->load);
            sleep_ms (20);
            s_start_worker (self, 0);
            chaos_check (chaos, load_finish (&self->load, 10000), "runs do not end");
            fleet_signal (0, SIGKILL);
            self->kills++;
        }
        dw_status_t *status = s_status (self);
        s_print_load (self, status);
        printf ("  kills %" PRIu64 "\n", self->kills);
        chaos_check (chaos, self->load.quarantined == 0, "a node was quarantined");
        dw_status_destroy (&status);
    } else
        chaos_check (chaos, false, "it cannot begin");
    s_end (self);
}

/* ---- Late ------------------------------------------------------------------------------------- */

void chaos_late (chaos_t *chaos) {
    static s_field_t field;
    s_field_t *self = &field;
    char listen[64];
    *self = (s_field_t){0};
    uint16_t port = chaos_port (chaos), relay_port = chaos_port (chaos);
    snprintf (listen, sizeof listen, "tcp://127.0.0.1:%u", (unsigned) port);
    snprintf (self->job.endpoint, sizeof self->job.endpoint, "tcp://127.0.0.1:%u",
              (unsigned) relay_port);
    fleet_job_t relay = self->job;
    relay.role = FLEET_RELAY;
    relay.port = port;
    relay.seed = chaos->seed;
    fleet_start (RELAY, &relay);
    if (s_begin (self, chaos, listen)) {
        unsigned memory = chaos_memory (), descriptors = descriptors_count ();
        self->load.runs_max *= 2; /* its faults take their time */
        load_finish (&self->load, chaos->timeout_ms);
        dw_status_t *status = s_status (self);
        s_print_load (self, status);
        s_check_growth (self, memory, descriptors);
        chaos_check (chaos, status && status->answers_ignored + status->messages_ignored >= 1,
                     "nothing late came");
        dw_status_destroy (&status);
    } else
        chaos_check (chaos, false, "it cannot begin");
    fleet_signal (RELAY, SIGKILL);
    s_end (self);
}
