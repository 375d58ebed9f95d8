/* workers.c - faults of worker processes: killed, stopped, drained, stale, and behind a line that
 * misbehaves. */

#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "tests/chaos/field.h"
#include "tests/chaos/ghost.h"

#define FAULT_MS 20
#define RELAY    (FLEET_MAX - 1)

/* Puts a relay between the workers and the coordinator. */
static void s_start_relay (field_t *self, relay_options_t options) {
    static char listen[64]; /* for as long as the field */
    options.target_port = chaos_port (self->chaos);
    do
        options.port = chaos_port (self->chaos);
    while (options.port == options.target_port);
    options.seed = self->chaos->seed;
    snprintf (listen, sizeof listen, "tcp://127.0.0.1:%u", (unsigned) options.target_port);
    self->options.system.listen = listen;
    snprintf (self->job.endpoint, sizeof self->job.endpoint, "tcp://127.0.0.1:%u",
              (unsigned) options.port);
    fleet_start (RELAY, &(fleet_job_t){.role = FLEET_RELAY, .relay = options});
}

/* ---- Killed and stopped, and answers late and repeated ---------------------------------------- */

typedef struct s_faults_t {
    uint64_t kills, stops;
} s_faults_t;

static void s_kill (field_t *self, s_faults_t *faults, uint32_t w) {
    field_miss (self, w);
    fleet_signal (w, SIGKILL);
    self->workers[w] = (field_worker_t){.start_ms = now_ms () +
                                                    random_below (&self->chaos->random, 60)};
    faults->kills++;
}

static void s_fault (field_t *self, s_faults_t *faults) {
    random_t *random = &self->chaos->random;
    uint32_t w = random_below (random, self->workers_count);
    if (self->workers[w].start_ms)
        return;
    if (self->workers[w].continue_ms || random_one_in (random, 2)) {
        s_kill (self, faults, w);
        return;
    }
    fleet_signal (w, SIGSTOP);
    self->workers[w].continue_ms = now_ms () + 10 + random_below (random, 390);
    faults->stops++;
}

static void s_recover (field_t *self) {
    int64_t at_ms = now_ms ();
    for (uint32_t w = 0; w < self->workers_count; w++) {
        field_worker_t *worker = &self->workers[w];
        if (worker->continue_ms && at_ms >= worker->continue_ms) {
            fleet_signal (w, SIGCONT);
            worker->continue_ms = 0;
        }
        if (worker->start_ms && at_ms >= worker->start_ms)
            field_start_worker (self, w);
    }
}

static void s_kill_and_stop (field_t *self, s_faults_t *faults) {
    int64_t until_ms = now_ms () + self->chaos->timeout_ms, fault_ms = now_ms () + 100;
    while (!load_pump (&self->load) && !self->load.gone && now_ms () < until_ms) {
        if (now_ms () >= fault_ms) {
            s_fault (self, faults);
            fault_ms = now_ms () + FAULT_MS;
        }
        s_recover (self);
        field_take_notices (self);
        sleep_ms (1);
    }
}

/* What must have happened to answers; a repeated one is suppressed, unless its worker is gone by
 * then. */
static void s_account_answers (field_t *self, uint64_t runs) {
    uint64_t few = runs / 2, rare = (runs + 5) / 20;
    const relay_counts_t *counts = &fleet_counts ()->relay;
    dw_status_t *status = field_status (self);
    uint64_t suppressed = status ? status->answers_ignored + status->messages_ignored : 0;
    chaos_fault (self->chaos, "answers late", counts->late, few);
    chaos_fault (self->chaos, "late ones of the dead", counts->late_of_dead, rare);
    chaos_fault (self->chaos, "answers repeated", counts->repeated, few);
    chaos_fault (self->chaos, "duplicates suppressed", suppressed, counts->repeated / 2);
    chaos_fault (self->chaos, "tasks sent again", status ? status->lost : 0, rare);
    dw_status_destroy (&status);
}

void chaos_kill (chaos_t *chaos) {
    field_t *self = field_new (chaos);
    s_faults_t faults = {0};
    s_start_relay (
        self, (relay_options_t){.late = 5, .repeated = 5, .late_least_ms = 10, .late_ms = 300});
    if (field_begin (self)) {
        s_kill_and_stop (self, &faults);
        field_account (self);
        chaos_fault (chaos, "kills", faults.kills, chaos->runs / 10);
        chaos_fault (chaos, "stops", faults.stops, chaos->runs / 10);
        s_account_answers (self, chaos->runs);
    }
    field_end (self);
}

/* ---- Drained ---------------------------------------------------------------------------------- */

/* Asks a worker to leave, and starts another when it has. */
static void s_drain (field_t *self) {
    uint32_t w = random_below (&self->chaos->random, self->workers_count);
    fleet_signal (w, SIGTERM);
    int status = fleet_wait (w, 5000);
    chaos_check (self->chaos, status == FLEET_ENDED_OK, "a drained worker ended with status %d",
                 status);
    field_start_worker (self, w);
}

void chaos_drain (chaos_t *chaos) {
    field_t *self = field_new (chaos);
    uint64_t drains = 0;
    if (field_begin (self)) {
        int64_t until_ms = now_ms () + chaos->timeout_ms;
        sleep_ms (300);
        while (!load_pump (&self->load) && !self->load.gone && now_ms () < until_ms &&
               !chaos->has_failed) {
            sleep_ms (random_below (&chaos->random, 40));
            s_drain (self);
            drains++;
        }
        field_account (self);
        chaos_fault (chaos, "drains", drains, chaos->runs / 10);
        dw_status_t *status = field_status (self);
        chaos_check (chaos, status && status->lost == 0, "drained workers lost tasks");
        chaos_check (chaos, self->load.quarantined == 0, "a node was quarantined");
        dw_status_destroy (&status);
    }
    field_end (self);
}

/* ---- Workers in another language -------------------------------------------------------------- */

/* Starting one takes 0.1 s of CPU, in Node.js 0.5 s. */
typedef struct s_language_t {
    const char *name;
    foreign_t language;
    uint32_t fault_ms, share; /* one in so many of the runs */
} s_language_t;

static const s_language_t s_languages[] = {
    {"foreign", FOREIGN_PYTHON, 150, 1},
    {"foreign node", FOREIGN_NODE, 400, 5},
    {"foreign ruby", FOREIGN_RUBY, 200, 3},
};

/* Whether it has said that it serves: an interpreter that only starts still dies of SIGTERM. */
static bool s_can_drain (const field_t *self, const field_worker_t *worker) {
    char path[64], said[256] = "";
    snprintf (path, sizeof path, "%s/said.%d", self->chaos->folder, worker->pid);
    FILE *file = worker->start_ms ? NULL : fopen (path, "r");
    if (!file)
        return false;
    said[fread (said, 1, sizeof said - 1, file)] = '\0';
    fclose (file);
    return strstr (said, "serves") != NULL;
}

static void s_drain_foreign (field_t *self, uint32_t w) {
    fleet_signal (w, SIGCONT);
    fleet_signal (w, SIGTERM);
    int status = fleet_wait (w, 5000);
    chaos_check (self->chaos, status == FLEET_ENDED_OK, "a drained worker ended with status %d",
                 status);
    self->workers[w] = (field_worker_t){.start_ms = now_ms ()};
}

/* Killed, stopped and drained, while answers are late and repeated. */
static uint64_t s_trouble_foreign (field_t *self, s_faults_t *faults, uint32_t each_ms) {
    int64_t until_ms = now_ms () + self->chaos->timeout_ms, fault_ms = now_ms () + 100;
    uint64_t drains = 0;
    for (unsigned i = 1; !load_pump (&self->load) && !self->load.gone && now_ms () < until_ms;) {
        uint32_t w = random_below (&self->chaos->random, self->workers_count);
        if (now_ms () >= fault_ms && i++ % 6 == 0 && s_can_drain (self, &self->workers[w])) {
            s_drain_foreign (self, w);
            drains++;
        } else if (now_ms () >= fault_ms)
            s_fault (self, faults);
        if (now_ms () >= fault_ms)
            fault_ms = now_ms () + each_ms;
        s_recover (self);
        field_take_notices (self);
        sleep_ms (1);
    }
    return drains;
}

static void s_be_foreign (chaos_t *chaos, const s_language_t *language) {
    field_t *self = field_new (chaos);
    s_faults_t faults = {0};
    const char *why = foreign_prepare (language->language, chaos->folder);
    if (why) {
        chaos_skip (chaos, why);
        return;
    }
    uint64_t runs = chaos->runs / language->share;
    self->load.runs_max = runs;
    self->job.role = FLEET_FOREIGN;
    self->job.language = language->language;
    /* What an interpreter takes to start on a busy machine, and to hand its lock over, is no
     * silence. */
    self->options.system.heartbeat_ms = 200;
    self->options.system.silence_ms = 800;
    s_start_relay (
        self, (relay_options_t){.late = 5, .repeated = 5, .late_least_ms = 10, .late_ms = 300});
    if (field_begin (self)) {
        uint64_t drains = s_trouble_foreign (self, &faults, language->fault_ms);
        field_account (self);
        chaos_fault (chaos, "kills", faults.kills, runs / 8);
        chaos_fault (chaos, "stops", faults.stops, runs / 8);
        chaos_fault (chaos, "drains", drains, runs / 15);
        s_account_answers (self, runs);
    }
    fleet_signal (RELAY, SIGKILL);
    field_end (self);
}

void chaos_foreign (chaos_t *chaos) {
    for (size_t i = 0; i < sizeof s_languages / sizeof *s_languages; i++) {
        if (i > 0)
            chaos_row (chaos, s_languages[i].name);
        int64_t begin_ms = now_ms ();
        s_be_foreign (chaos, &s_languages[i]);
        chaos->row->took_ms = now_ms () - begin_ms;
    }
}

/* ---- Killed while idle ------------------------------------------------------------------------ */

/* The next run's tasks are sent to eight slots of which none is there any more: no node has taken a
 * worker down. */
static uint64_t s_kill_idle (field_t *self, const fleet_job_t *job) {
    fleet_start (CHAOS_WORKERS, job);
    sleep_ms (100);
    fleet_signal (CHAOS_WORKERS, SIGKILL);
    sleep_ms (random_below (&self->chaos->random, 20));
    self->load.runs_max += 2;
    load_pump (&self->load);
    sleep_ms (20);
    field_start_worker (self, 0);
    chaos_check (self->chaos, load_finish (&self->load, 10000), "runs do not end");
    fleet_signal (0, SIGKILL);
    return 2;
}

void chaos_idle (chaos_t *chaos) {
    field_t *self = field_new (chaos);
    uint64_t kills = 0, times = chaos->is_short ? 3 : 30;
    self->load.runs_max = 0;
    if (field_begin (self)) {
        fleet_job_t job = self->job;
        job.slots = 8;
        for (uint32_t w = 0; w < self->workers_count; w++)
            fleet_signal (w, SIGKILL);
        sleep_ms (2 * CHAOS_SILENCE_MS);
        for (uint64_t i = 0; i < times && !chaos->has_failed; i++)
            kills += s_kill_idle (self, &job);
        field_account (self);
        chaos_fault (chaos, "kills", kills, 2 * times);
        chaos_check (chaos, self->load.quarantined == 0, "a node was quarantined");
    }
    field_end (self);
}

/* ---- Late ------------------------------------------------------------------------------------- */

void chaos_late (chaos_t *chaos) {
    field_t *self = field_new (chaos);
    self->load.runs_max *= 2; /* its faults take their time */
    s_start_relay (self, (relay_options_t){.has_troubles = true});
    if (field_begin (self)) {
        load_finish (&self->load, chaos->timeout_ms);
        field_account (self);
        dw_status_t *status = field_status (self);
        chaos_fault (chaos, "troubles of lines", fleet_counts ()->relay.troubles, chaos->runs);
        chaos_fault (chaos, "answers ignored",
                     status ? status->answers_ignored + status->messages_ignored : 0, 1);
        dw_status_destroy (&status);
    }
    fleet_signal (RELAY, SIGKILL);
    field_end (self);
}

/* ---- Stale ------------------------------------------------------------------------------------ */

/* Stops a worker until it is lost and its tasks have gone to others, and lets it go on: what it is
 * in the middle of it answers wrongly then (load_spoil), and nobody may believe it. */
static bool s_make_stale (field_t *self) {
    uint32_t w = random_below (&self->chaos->random, self->workers_count);
    uint64_t lost = self->lost_count;
    int64_t until_ms = now_ms () + field_notice_most_ms (self);
    field_miss (self, w);
    fleet_signal (w, SIGSTOP);
    for (; self->lost_count == lost && now_ms () < until_ms; sleep_ms (1)) {
        load_pump (&self->load);
        field_take_notices (self);
    }
    fleet_counts ()->stale_before_ms[w] = now_ms ();
    fleet_signal (w, SIGCONT);
    return self->lost_count > lost;
}

/* Of an incarnation that another has replaced no slot is welcome, and it is not welcome itself; nor
 * when its places have gone to another process, which needs all that there are. How often somebody
 * was rightly turned away. */
static uint64_t s_haunt (field_t *self, ghost_t *ghost, uint64_t *incarnation) {
    uint32_t w = random_below (&self->chaos->random, self->workers_count);
    uint64_t refused = 0, lost = self->lost_count;
    fleet_signal (w, SIGTERM);
    chaos_check (self->chaos, fleet_wait (w, 5000) == FLEET_ENDED_OK, "a worker does not drain");
    for (int i = 0; i < 2; i++)
        chaos_check (self->chaos, ghost_come (ghost, ++*incarnation), "a process is not welcome");
    refused += !ghost_come (ghost, *incarnation - 1);
    refused += !ghost_come (ghost, *incarnation);
    refused += !ghost_intrude (ghost, false);
    for (int64_t until_ms = now_ms () + field_notice_most_ms (self);
         self->lost_count == lost && now_ms () < until_ms; sleep_ms (1)) {
        load_pump (&self->load);
        field_take_notices (self);
    }
    field_start_worker (self, w);
    field_await_workers (self, 5000);
    refused += !ghost_intrude (ghost, true);
    return refused;
}

void chaos_stale (chaos_t *chaos) {
    field_t *self = field_new (chaos);
    ghost_t *ghost = NULL;
    uint64_t stale = 0, refused = 0, incarnation = 0, times = chaos->is_short ? 2 : 20;
    self->load.runs_max = UINT64_MAX;
    self->options.system.slots_max = self->workers_count * self->job.slots;
    self->options.system.heartbeat_ms = 100; /* a ghost beats once, and must be there for a while */
    self->options.system.silence_ms = 500;
    if (field_begin (self) && field_await_workers (self, 5000) >= 0) {
        ghost = ghost_new (self->job.endpoint, self->job.slots, chaos->seed);
        for (uint64_t i = 0; i < times && !chaos->has_failed; i++) {
            stale += s_make_stale (self);
            field_await_workers (self, 5000);
            refused += s_haunt (self, ghost, &incarnation);
        }
        for (int i = 0; i < 30 && fleet_counts ()->spoiled == 0 && !chaos->has_failed; i++) {
            s_make_stale (self); /* none of them was in the middle of a task */
            field_await_workers (self, 5000);
        }
        self->load.runs_max = self->load.accepted - self->load.again;
        chaos_check (chaos, load_finish (&self->load, 10000), "runs do not end");
        field_account (self);
        chaos_fault (chaos, "stale workers", stale, times);
        chaos_fault (chaos, "spoiled answers", fleet_counts ()->spoiled, (times + 19) / 20);
        chaos_fault (chaos, "ghosts refused", refused, 4 * times);
    }
    ghost_destroy (&ghost);
    field_end (self);
}
