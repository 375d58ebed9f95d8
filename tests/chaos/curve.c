/* curve.c - who is let in by which key: every kind of key of a client and of a worker at a
 * coordinator of its own process, keys that are taken off the list while they are in use, and
 * sockets of which something of the guard is missing.
 *
 * Runs of somebody honest go on all the while, and a row says of them what became of those that
 * were asked for in its time. */

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <zmq.h>

#include "actors/endpoint.h"
#include "actors/keyring.h"
#include "actors/zap.h"
#include "tests/chaos/field.h"
#include "tests/chaos/secrets.h"

#define WORKERS      2u
#define HEARTBEAT_MS 500
#define SILENCE_MS   2000
#define RUNS         4u   /* of whoever is let in */
#define TOLD_MOST_MS 3000 /* who is not let in hears of it */
#define OUT_MOST_MS  2000 /* and who is put out */
#define ENFORCE      93   /* ZMQ_ZAP_ENFORCE_DOMAIN */

typedef struct s_curve_t {
    field_t *field;
    uint64_t accepted, committed, wrong, ok; /* of the honest, at the beginning of a row */
    dw_processors_t *processors;
} s_curve_t;

/* ---- Rows ------------------------------------------------------------------------------------- */

static void s_go_on (s_curve_t *self, int ms) {
    for (int64_t until_ms = now_ms () + ms; now_ms () < until_ms; sleep_ms (1))
        load_pump (&self->field->load);
}

static uint64_t s_runs_ok (s_curve_t *self) {
    dw_status_t *status = field_status (self->field);
    uint64_t ok = status ? status->runs_ok : 0;
    dw_status_destroy (&status);
    return ok;
}

/* All that the honest asked for has ended. */
static void s_settle (s_curve_t *self) {
    load_t *load = &self->field->load;
    load->runs_max = load->accepted - load->again;
    chaos_check (self->field->chaos, load_finish (load, 20000), "runs of the honest do not end: %s",
                 dw_err_text (load->gone));
    load->runs_max = UINT64_MAX;
}

static void s_begin_row (s_curve_t *self, const char *name) {
    chaos_t *chaos = self->field->chaos;
    if (strcmp (chaos->row->name, "curve") != 0)
        chaos_row (chaos, name);
    snprintf (chaos->row->name, sizeof chaos->row->name, "%s", name);
    chaos->row->took_ms = now_ms ();
    chaos->row->memory[0] = chaos_memory (self->field->pid);
    chaos->row->descriptors[0] = chaos_descriptors (self->field->pid);
    self->accepted = self->field->load.accepted;
    self->committed = self->field->load.committed;
    self->wrong = self->field->load.wrong;
    self->ok = s_runs_ok (self);
    s_go_on (self, 20);
}

/* also: of the one that was tried, beside those of the honest. */
static void s_end_row (s_curve_t *self, const load_t *also) {
    chaos_t *chaos = self->field->chaos;
    const load_t *load = &self->field->load;
    row_t *row = chaos->row;
    s_settle (self);
    row->has_load = true;
    row->accepted = load->accepted - self->accepted + also->accepted;
    row->committed = load->committed - self->committed + also->committed;
    row->wrong = load->wrong - self->wrong + also->wrong;
    row->lost = row->accepted - row->committed;
    uint64_t ok = s_runs_ok (self) - self->ok;
    row->doubled = ok > row->committed ? ok - row->committed : 0;
    row->memory[1] = chaos_memory (self->field->pid);
    for (int i = 0; i < 100; i++) {
        row->descriptors[1] = chaos_descriptors (self->field->pid);
        if (row->descriptors[1] <= row->descriptors[0])
            break;
        s_go_on (self, 20);
    }
    s_settle (self);
    row->took_ms = now_ms () - row->took_ms;
    chaos_check (chaos, row->lost == 0 && row->doubled == 0 && row->wrong == 0,
                 "%s: results are lost, doubled or wrong", row->name);
    chaos_check (chaos, row->accepted > also->accepted, "%s: the honest asked for nothing",
                 row->name);
    chaos_check (chaos, row->descriptors[1] <= row->descriptors[0] + 2,
                 "%s: descriptors %u before, %u after", row->name, row->descriptors[0],
                 row->descriptors[1]);
    chaos_check (chaos, row->memory[1] < row->memory[0] + (16u << 10), "%s: memory grew",
                 row->name);
}

static const char *s_said (int err) {
    return err == DW_OK ? "let in" : err == DW_EKEY ? "refused" : dw_err_text (err);
}

/* ---- Kinds of keys ---------------------------------------------------------------------------- */

typedef struct s_case_t {
    const char *name, *key, *server_key, *expected; /* key NULL: none */
} s_case_t;

/* How the field's coordinator is connected to; the names of files are good until the next call. */
static dw_connect_options_t s_connect (const s_curve_t *self, const s_case_t *is) {
    static char key[96], server_key[96];
    const char *folder = self->field->chaos->folder;
    snprintf (key, sizeof key, "%s/%s", folder, is->key ? is->key : "");
    snprintf (server_key, sizeof server_key, "%s/%s", folder, is->server_key);
    return (dw_connect_options_t){.endpoint = self->field->listening,
                                  .key = is->key ? key : NULL,
                                  .server_key = is->key ? server_key : NULL};
}

/* How it ended, and when. */
static void s_see (s_curve_t *self, const s_case_t *is, int err, int64_t took_ms) {
    chaos_t *chaos = self->field->chaos;
    chaos_expect (chaos, is->expected, s_said (err));
    if (err)
        chaos->row->noticed_ms = chaos->row->noticed_most_ms = took_ms ? took_ms : 1;
    chaos_check (chaos, took_ms <= TOLD_MOST_MS, "%s: it was told too late", is->name);
}

static void s_try_client (s_curve_t *self, const s_case_t *is) {
    load_t load = {.in_flight_max = 2, .runs_max = RUNS};
    dw_connect_options_t options = s_connect (self, is);
    s_begin_row (self, is->name);
    int64_t begin_ms = now_ms ();
    int err = dw_client_connect (&load.client, &options, NULL);
    s_see (self, is, err, now_ms () - begin_ms);
    if (!err)
        chaos_check (self->field->chaos, load_finish (&load, 10000), "%s: its runs do not end",
                     is->name);
    dw_client_destroy (&load.client);
    s_end_row (self, &load);
}

static void s_try_worker (s_curve_t *self, const s_case_t *is) {
    dw_agent_t *agent = NULL;
    s_begin_row (self, is->name);
    dw_agent_options_t options = {
        .coordinator = s_connect (self, is), .processors = self->processors, .slots = 2};
    int64_t begin_ms = now_ms ();
    int err = dw_agent_open (&agent, &options, NULL);
    s_see (self, is, err, now_ms () - begin_ms);
    s_go_on (self, err ? 20 : 300);
    if (agent)
        dw_agent_drain (agent);
    while (agent && dw_agent_wait (agent, 1) == DW_ETIMEDOUT)
        load_pump (&self->field->load);
    if (agent)
        dw_agent_close (&agent, -1, NULL);
    s_end_row (self, &(load_t){0});
}

/* ---- Taken off the list ----------------------------------------------------------------------- */

static void s_put_out (s_curve_t *self, bool is_out, int64_t took_ms) {
    chaos_t *chaos = self->field->chaos;
    chaos_expect (chaos, "put out", is_out ? "put out" : "still in");
    chaos->row->noticed_ms = chaos->row->noticed_most_ms = took_ms ? took_ms : 1;
    chaos_check (chaos, took_ms <= OUT_MOST_MS, "%s: that took %lld ms", chaos->row->name,
                 (long long) took_ms);
}

static int64_t s_revoke (s_curve_t *self) {
    chaos_check (self->field->chaos, secrets_list (self->field->chaos->folder, false),
                 "the list cannot be written");
    field_reload_keys (self->field);
    return now_ms ();
}

static void s_list_again (s_curve_t *self) {
    chaos_check (self->field->chaos, secrets_list (self->field->chaos->folder, true),
                 "the list cannot be written");
    field_reload_keys (self->field);
}

/* With runs under way, which are cancelled and were never results of anybody's. */
static void s_revoke_client (s_curve_t *self) {
    const s_case_t again = {"", "leaving-client", "coordinator.key.pub", ""};
    load_t load = {.in_flight_max = 4, .runs_max = UINT64_MAX};
    dw_connect_options_t options = s_connect (self, &again);
    s_begin_row (self, "client, taken off");
    if (dw_client_connect (&load.client, &options, NULL) == DW_OK) {
        load_pump (&load);
        s_go_on (self, 50);
        int64_t begin_ms = s_revoke (self);
        load_finish (&load, 5000);
        s_put_out (self, load.gone == DW_EKEY, now_ms () - begin_ms);
        dw_client_destroy (&load.client);
        options = s_connect (self, &again);
        chaos_check (self->field->chaos,
                     dw_client_connect (&load.client, &options, NULL) == DW_EKEY,
                     "it comes in again");
    } else
        chaos_expect (self->field->chaos, "put out", "not let in at first");
    dw_client_destroy (&load.client);
    load.accepted = load.committed; /* what was under way nobody waits for */
    s_end_row (self, &load);
    s_list_again (self);
}

/* A process that has tasks: they go to others. */
static void s_revoke_worker (s_curve_t *self) {
    field_t *field = self->field;
    fleet_job_t job = field->job;
    s_begin_row (self, "worker, taken off");
    snprintf (job.key, sizeof job.key, "leaving-worker");
    fleet_start (CHAOS_WORKERS, &job);
    field->workers_count = WORKERS + 1;
    field_await_workers (field, 5000);
    field->workers_count = WORKERS;
    s_go_on (self, 200);
    int64_t begin_ms = s_revoke (self), until_ms = begin_ms + 5000;
    int ended = -1;
    while (ended < 0 && now_ms () < until_ms) {
        load_pump (&field->load);
        ended = fleet_wait (CHAOS_WORKERS, 1);
    }
    s_put_out (self, ended == FLEET_ENDED_ELSE, now_ms () - begin_ms);
    fleet_signal (CHAOS_WORKERS, SIGKILL);
    s_end_row (self, &(load_t){0});
    s_list_again (self);
}

/* ---- Something of the guard is missing -------------------------------------------------------- */

typedef struct s_guard_t {
    void *context, *router, *peers;
    dw_keyring_t keyring;
    dw_zap_t *zap;
    char bound[64];
} s_guard_t;

/* Whether a message of whoever has this key comes through. */
static bool s_hears (s_guard_t *guard, const char *endpoint, const char *folder, const char *key) {
    char bytes[256];
    bool is_heard = false;
    void *dealer = secrets_knock (guard->peers, endpoint, folder, key);
    zmq_pollitem_t item = {.socket = guard->router, .events = ZMQ_POLLIN};
    while (dealer && zmq_poll (&item, 1, is_heard ? 0 : 700) > 0) {
        zmq_recv (guard->router, bytes, sizeof bytes, 0);
        is_heard = true;
    }
    if (dealer)
        zmq_close (dealer);
    return is_heard;
}

/* A socket as a coordinator has it, with what is missing; and whether it is heard there by whom. */
static void s_miss (s_curve_t *self, const char *name, bool has_domain, bool is_enforced,
                    const char *expected) {
    static const dw_zap_limits_t limits = {.message_bytes_max = 1 << 20, .handshake_ms = 500};
    chaos_t *chaos = self->field->chaos;
    const char *folder = chaos->folder, *seen = "it cannot begin";
    s_guard_t guard = {.context = zmq_ctx_new (), .peers = zmq_ctx_new ()};
    char near[64];
    int yes = 1, none = 0, linger_ms = 0;
    s_begin_row (self, name);
    guard.router = zmq_socket (guard.context, ZMQ_ROUTER);
    zmq_setsockopt (guard.router, ZMQ_LINGER, &linger_ms, sizeof linger_ms);
    bool ok = dw_keyring_open (&guard.keyring, folder, NULL) == DW_OK &&
              dw_zap_new (&guard.zap, guard.context, guard.keyring.allowed, NULL) == DW_OK;
    if (ok && has_domain)
        ok = dw_zap_guard (guard.zap, guard.router, &guard.keyring.keys, &limits, NULL) == DW_OK;
    else if (ok) { /* what dw_zap_guard does, but for the domain */
        zmq_setsockopt (guard.router, ZMQ_CURVE_SECRETKEY, guard.keyring.keys.secret_key,
                        DW_KEY_SIZE);
        zmq_setsockopt (guard.router, ZMQ_CURVE_SERVER, &yes, sizeof yes);
        zmq_setsockopt (guard.router, ENFORCE, &yes, sizeof yes);
    }
    if (ok && !is_enforced)
        zmq_setsockopt (guard.router, ENFORCE, &none, sizeof none);
    bool is_bound = ok && dw_endpoint_bind (guard.router, "tcp://0.0.0.0:*", guard.bound,
                                            sizeof guard.bound, NULL) == DW_OK;
    if (is_bound) { /* its guard is whole: then its handler goes */
        snprintf (near, sizeof near, "tcp://127.0.0.1%s", strrchr (guard.bound, ':'));
        bool before = s_hears (&guard, near, folder, "client") &&
                      !s_hears (&guard, near, folder, "stranger");
        dw_zap_destroy (&guard.zap);
        bool after = s_hears (&guard, near, folder, "client") ||
                     s_hears (&guard, near, folder, "stranger") ||
                     s_hears (&guard, near, folder, NULL);
        seen = !before ? "no guard at first" : after ? "let in" : "refused";
    } else if (ok)
        seen = "not bound";
    chaos_expect (chaos, expected, seen);
    dw_zap_destroy (&guard.zap);
    zmq_close (guard.router);
    dw_keyring_close (&guard.keyring);
    zmq_ctx_term (guard.context);
    zmq_ctx_term (guard.peers);
    s_end_row (self, &(load_t){0});
}

/* ---- All of it -------------------------------------------------------------------------------- */

static const s_case_t s_clients[] = {
    {"client, listed", "client", "coordinator.key.pub", "let in"},
    {"client, unlisted", "stranger", "coordinator.key.pub", "refused"},
    {"client, no key", NULL, "", "refused"},
    {"client, wrong server", "client", "stranger.pub", "refused"},
    {"client, worker's key", "worker", "coordinator.key.pub", "refused"},
};
static const s_case_t s_workers[] = {
    {"worker, listed", "leaving-worker", "coordinator.key.pub", "let in"},
    {"worker, unlisted", "stranger", "coordinator.key.pub", "refused"},
    {"worker, no key", NULL, "", "refused"},
    {"worker, wrong server", "worker", "stranger.pub", "refused"},
    {"worker, client's key", "client", "coordinator.key.pub", "refused"},
};

void chaos_curve (chaos_t *chaos) {
    s_curve_t self = {.field = field_new (chaos), .processors = load_processors ()};
    field_t *field = self.field;
    chaos_check (chaos, secrets_make (chaos->folder) && secrets_list (chaos->folder, true),
                 "there are no keys");
    field->is_apart = true;
    field->workers_count = WORKERS;
    field->options.system.keys = chaos->folder;
    field->options.system.heartbeat_ms = HEARTBEAT_MS;
    field->options.system.silence_ms = SILENCE_MS;
    field->load.runs_max = UINT64_MAX;
    field->load.in_flight_max = 2;
    if (field_begin (field) && field_await_workers (field, 5000) >= 0) {
        s_go_on (&self, 300);
        s_settle (&self);
        for (size_t i = 0; i < sizeof s_clients / sizeof *s_clients; i++)
            s_try_client (&self, &s_clients[i]);
        for (size_t i = 0; i < sizeof s_workers / sizeof *s_workers; i++)
            s_try_worker (&self, &s_workers[i]);
        s_revoke_client (&self);
        s_revoke_worker (&self);
        s_miss (&self, "guard, handler dead", true, true, "refused");
        s_miss (&self, "guard, no domain", false, true, "not bound");
        s_miss (&self, "guard, not enforced", true, false, "not bound");
    }
    field_end (field);
    dw_processors_destroy (&self.processors);
}
