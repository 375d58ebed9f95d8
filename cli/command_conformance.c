/* command_conformance.c - dagwood conformance: plays the other side of docs/PROTOCOL.md for a peer
 * under test. */

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/command.h"
#include "cli/conformance/caller.h"
#include "cli/conformance/crew.h"
#include "cli/conformance/guest.h"
#include "cli/conformance/play.h"

#define WAIT_MS   10000
#define CASES_MAX 64

typedef enum role_t { ROLE_WORKER, ROLE_CLIENT, ROLE_COORDINATOR } role_t;
static const char *const s_roles[] = {"worker", "client", "coordinator", NULL};
static const char *const s_formats[] = {"table", "tap", "junit", NULL};

typedef struct options_t {
    bool has_role;
    role_t role;
    const char *listen, *keys;
    dw_connect_options_t connect;
    const char *processor, *log, *faketime;
    const char *only[CASES_MAX + 1];
    size_t only_count;
    dw_report_format_t format;
    int wait_ms;
    char *words[DW_SUBJECT_WORDS_MAX + 1];
    size_t words_count;
} options_t;

enum {
    KEY_LISTEN = 256,
    KEY_CONNECT,
    KEY_KEYS,
    KEY_KEY,
    KEY_SERVER_KEY,
    KEY_PROCESSOR,
    KEY_CASE,
    KEY_FORMAT,
    KEY_WAIT,
    KEY_LOG,
    KEY_FAKETIME,
};

static const struct argp_option s_options[] = {
    {.name = "listen",
     .key = KEY_LISTEN,
     .arg = "ENDPOINT",
     .doc =
         "Where the worker or client under test is to connect: tcp://ADDRESS:PORT (* or 0 for any port) or "
         "ipc://FILE; what it got is said"},
    {.name = "connect",
     .key = KEY_CONNECT,
     .arg = "ENDPOINT",
     .doc = "Where the coordinator under test listens"},
    {.name = "keys",
     .key = KEY_KEYS,
     .arg = "DIR",
     .doc = "With --listen: the folder of coordinator.key and allowed [no keys]"},
    {.name = "key",
     .key = KEY_KEY,
     .arg = "FILE",
     .doc = "With --connect: the own key pair, listed as a worker's and as a client's [no keys]"},
    {.name = "server-key",
     .key = KEY_SERVER_KEY,
     .arg = "FILE",
     .doc = "The coordinator's public key, which goes with --key"},
    {.name = "processor",
     .key = KEY_PROCESSOR,
     .arg = "NAME",
     .doc =
         "Of a worker: the processor that its tasks are of [one of identity, reverse_text, "
         "change_text_case_upper and _lower, else the first that it offers]. Of a coordinator: offer it, "
         "besides the stock processors"},
    {.name = "case",
     .key = KEY_CASE,
     .arg = "NAME",
     .doc = "Play this case alone; may be repeated [all]"},
    {.name = "format",
     .key = KEY_FORMAT,
     .arg = "table|tap|junit",
     .doc = "How to tell what came of the cases [table]"},
    {.name = "wait",
     .key = KEY_WAIT,
     .arg = "SECONDS",
     .doc = "How long to wait for a worker or a client to come [10]"},
    {.name = "log",
     .key = KEY_LOG,
     .arg = "FILE",
     .doc = "Add what the command under test prints to this file [it is thrown away]"},
    {.name = "faketime",
     .key = KEY_FAKETIME,
     .arg = "FILE",
     .doc =
         "With a COMMAND: libfaketime, the library by which its clock is set [where distributions have it]"},
    {0},
};

/* ---- Its words -------------------------------------------------------------------------------- */

static void s_take_word (options_t *self, const struct argp_state *state, char *word) {
    if (!self->has_role) {
        self->has_role = true;
        self->role = (role_t) dw_command_choose (state, "what is under test", s_roles, word);
    } else if (self->words_count == DW_SUBJECT_WORDS_MAX) {
        argp_error (state, "a command has at most %d words", DW_SUBJECT_WORDS_MAX);
    } else {
        self->words[self->words_count++] = word;
    }
}

static void s_check (const options_t *self, const struct argp_state *state) {
    if (!self->has_role)
        argp_error (state, "what is under test: worker, client or coordinator?");
    bool is_called = self->role == ROLE_COORDINATOR;
    if (is_called && (!self->connect.endpoint || self->listen || self->keys)) {
        argp_error (state, "a coordinator is connected to: --connect ENDPOINT, and --key with "
                           "--server-key where it has keys");
    }
    if (!is_called && (!self->listen || self->connect.endpoint || self->connect.key)) {
        argp_error (state,
                    "a %s is waited for: --listen ENDPOINT, and --keys DIR for one with keys",
                    s_roles[self->role]);
    }
    if (!self->connect.key != !self->connect.server_key) {
        argp_error (state,
                    "--key and --server-key go together: the own pair, and the public key of "
                    "the coordinator");
    }
    if (is_called && (self->words_count > 0 || self->log))
        argp_error (state, "a coordinator is started by who tests it: there is no command to give");
    if (is_called && self->wait_ms)
        argp_error (state, "--wait is of no use for a coordinator, which is connected to");
    if (self->role == ROLE_CLIENT && self->processor)
        argp_error (state, "--processor is of no use for a client, which runs nothing");
    if (self->log && self->words_count == 0)
        argp_error (state, "--log is of no use without a command");
    if (self->faketime && self->words_count == 0)
        argp_error (state, "--faketime is of no use without a command, whose clock it sets");
}

static error_t s_parse (int key, char *arg, struct argp_state *state) {
    options_t *self = state->input;
    switch (key) {
        case KEY_LISTEN: self->listen = arg; return 0;
        case KEY_CONNECT: self->connect.endpoint = arg; return 0;
        case KEY_KEYS: self->keys = arg; return 0;
        case KEY_KEY: self->connect.key = arg; return 0;
        case KEY_SERVER_KEY: self->connect.server_key = arg; return 0;
        case KEY_PROCESSOR: self->processor = arg; return 0;
        case KEY_CASE:
            if (self->only_count == CASES_MAX)
                argp_error (state, "--case may be repeated %d times", CASES_MAX);
            self->only[self->only_count++] = arg;
            return 0;
        case KEY_FORMAT:
            self->format = (dw_report_format_t) dw_command_choose (state, "--format", s_formats,
                                                                   arg);
            return 0;
        case KEY_WAIT: self->wait_ms = dw_command_seconds (state, "--wait", arg, 1); return 0;
        case KEY_LOG: self->log = arg; return 0;
        case KEY_FAKETIME: self->faketime = arg; return 0;
        case ARGP_KEY_ARG: s_take_word (self, state, arg); return 0;
        case ARGP_KEY_END: s_check (self, state); return 0;
        default: return ARGP_ERR_UNKNOWN;
    }
}

static const struct argp s_argp = {
    .options = s_options,
    .parser = s_parse,
    .args_doc = "worker|client --listen ENDPOINT [-- COMMAND WORD...]\n"
                "coordinator --connect ENDPOINT",
    .doc =
        "Plays the other side of docs/PROTOCOL.md, well and badly, for a worker, a client or a coordinator under "
        "test, and says of each case what was expected, by which section, and what was seen."
        "\v"
        "With a COMMAND the worker or client is started by it, anew for every case that leaves it of no use for the "
        "next; a word that is {} stands for the endpoint, which is in its environment too, as DAGWOOD_CONNECT. Without "
        "one it is waited for, and has to come again where it ended: run it in a loop. A client under test "
        "submits one run, or more, and ends when it has the results.\n\n"
        "A coordinator under test should have no other workers; its runs are made with the processors of the "
        "stock set, or the one of --processor, which are not run, but answered for.\n\n"
        "Exit status: 0 no case failed, and one passed at least; 1 a case failed, or nobody came; 64 usage, or there is no such command; 66 the file of --faketime cannot be read; 69 no coordinator answers; " DW_HELP_71
        "74 the output or the log cannot be written; 76 the coordinator refused; 77 a key is missing or refused; 130 and 143 ended by SIGINT and SIGTERM.",
};

/* ---- A worker, a client ----------------------------------------------------------------------- */

static int s_open (dw_stage_t *stage, options_t *options) {
    stage->wait_ms = options->wait_ms ? options->wait_ms : WAIT_MS;
    stage->subject = (dw_subject_t){.words = options->words_count ? options->words : NULL,
                                    .log_fd = -1};
    int status = dw_stage_open (stage, options->listen, options->keys);
    if (!status)
        status = dw_wall_clock_find (&stage->wall_clock, options->faketime);
    if (!status && options->log) {
        int fd = open (options->log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
        if (fd < 0) {
            dw_command_say ("%s cannot be written: %s", options->log, strerror (errno));
            return DW_EXIT_OUTPUT;
        }
        stage->subject.log_fd = fd;
    }
    if (!status)
        dw_command_say ("listening at %s", stage->endpoint);
    return status;
}

static int s_close (dw_stage_t *stage, int status) {
    int number = stage->interrupted;
    status = stage->status ? stage->status : status;
    dw_stage_close (stage);
    if (stage->subject.log_fd >= 0)
        close (stage->subject.log_fd);
    return number ? DW_EXIT_SIGNAL + number : status;
}

/* Whether there is a point in going on. */
static bool s_goes_on (const dw_stage_t *stage) {
    return !stage->interrupted && !stage->status;
}

/* A case that failed leaves nothing that the next one could build upon. */
static bool s_after_worker (void *stage, const dw_outcome_t *outcome) {
    dw_crew_t *self = stage;
    if (outcome->verdict == DW_VERDICT_FAILED) {
        dw_crew_spend (self);
        self->agent = DW_STAGE_NONE;
    }
    return s_goes_on (&self->stage);
}

static int s_test_worker (options_t *options) {
    static const dw_cases_t *const parts[] = {&dw_cases_worker_greeting, &dw_cases_worker_tasks,
                                              &dw_cases_worker_nonsense, &dw_cases_worker_leaving,
                                              &dw_cases_worker_clock,    NULL};
    dw_crew_t *self = calloc (1, sizeof *self);
    if (!self)
        return dw_command_fail (DW_ENOMEM, NULL, "conformance");
    int status = s_open (&self->stage, options);
    if (!status)
        status = dw_crew_init (self, options->processor);
    if (!status) {
        status = dw_play (&(dw_play_t){.format = options->format,
                                       .role = s_roles[ROLE_WORKER],
                                       .only = options->only,
                                       .parts = parts,
                                       .stage = self,
                                       .after = s_after_worker});
    }
    status = s_close (&self->stage, status);
    dw_crew_free (self);
    free (self);
    return status;
}

static bool s_after_client (void *stage, const dw_outcome_t *outcome) {
    dw_guest_t *self = stage;
    (void) outcome;
    return s_goes_on (&self->stage);
}

static int s_test_client (options_t *options) {
    static const dw_cases_t *const parts[] = {&dw_cases_client, &dw_cases_client_nonsense,
                                              &dw_cases_client_clock, NULL};
    dw_guest_t *self = calloc (1, sizeof *self);
    if (!self)
        return dw_command_fail (DW_ENOMEM, NULL, "conformance");
    self->end = self->again = DW_STAGE_NONE;
    int status = s_open (&self->stage, options);
    if (!status) {
        status = dw_play (&(dw_play_t){.format = options->format,
                                       .role = s_roles[ROLE_CLIENT],
                                       .only = options->only,
                                       .parts = parts,
                                       .stage = self,
                                       .after = s_after_client});
    }
    status = s_close (&self->stage, status);
    free (self);
    return status;
}

/* ---- A coordinator ---------------------------------------------------------------------------- */

static bool s_after_coordinator (void *stage, const dw_outcome_t *outcome) {
    (void) outcome;
    dw_caller_hang_up (stage);
    return true;
}

static int s_test_coordinator (options_t *options) {
    static const dw_cases_t *const parts[] = {
        &dw_cases_coordinator_entry, &dw_cases_coordinator_workers, &dw_cases_coordinator_solos,
        &dw_cases_coordinator_runs,  &dw_cases_coordinator_answers, NULL};
    dw_caller_t *self = calloc (1, sizeof *self);
    if (!self)
        return dw_command_fail (DW_ENOMEM, NULL, "conformance");
    int status = dw_caller_init (self, &options->connect, options->processor);
    if (!status) {
        status = dw_play (&(dw_play_t){.format = options->format,
                                       .role = s_roles[ROLE_COORDINATOR],
                                       .only = options->only,
                                       .parts = parts,
                                       .stage = self,
                                       .after = s_after_coordinator});
    }
    dw_caller_free (self);
    free (self);
    return status;
}

int dw_command_conformance (int argc, char **argv) {
    options_t options = {0};
    int status = DW_EXIT_OK;
    if (!dw_command_parse (&s_argp, argc, argv, &options, &status))
        return status;
    switch (options.role) {
        case ROLE_WORKER: return s_test_worker (&options);
        case ROLE_CLIENT: return s_test_client (&options);
        case ROLE_COORDINATOR: return s_test_coordinator (&options);
    }
    return DW_EXIT_DEFECT;
}
