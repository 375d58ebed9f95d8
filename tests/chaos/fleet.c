/* fleet.c - the processes of a chaos test. */

#include "tests/chaos/fleet.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "tests/chaos/customers.h"
#include "tests/chaos/load.h"
#include "tests/support/process.h"

typedef enum s_order_t { S_START, S_SIGNAL, S_WAIT, S_CLEAR } s_order_t;

typedef struct s_order_message_t {
    s_order_t order;
    uint32_t place;
    int argument;
    fleet_job_t job;
} s_order_message_t;

static int s_keeper = -1; /* the test's end */
static pid_t s_keeper_pid;
static const char *s_folder; /* the test's */
static fleet_counts_t *s_counts;
static volatile sig_atomic_t s_asked_to_drain; /* a worker process's */

/* ---- What they do ----------------------------------------------------------------------------- */

static void s_on_term (int signal) {
    (void) signal;
    s_asked_to_drain = 1;
}

/* How it connects; the names of files are good until the next call. */
static dw_connect_options_t s_connect (const fleet_job_t *job) {
    static char key[80], server_key[80];
    snprintf (key, sizeof key, "%s/%s", job->keys, job->key);
    snprintf (server_key, sizeof server_key, "%s/coordinator.key.pub", job->keys);
    bool has_keys = job->keys[0] != '\0';
    return (dw_connect_options_t){.endpoint = job->endpoint,
                                  .key = has_keys ? key : NULL,
                                  .server_key = has_keys ? server_key : NULL,
                                  .timeout_ms = 1000,
                                  .reconnect_ms = job->reconnect_ms};
}

static dw_agent_t *s_open_agent (const fleet_job_t *job, const dw_processors_t *processors) {
    dw_agent_t *agent = NULL;
    dw_agent_options_t options = {.coordinator = s_connect (job),
                                  .processors = processors,
                                  .slots = job->slots,
                                  .reconnect_ms = job->reconnect_ms};
    int64_t until_ms = now_ms () + 10000;
    while (!agent && now_ms () < until_ms && !s_asked_to_drain) {
        dw_error_t *error = dw_error_new ();
        if (dw_agent_open (&agent, &options, error) && getenv ("CHAOS_VERBOSE"))
            fprintf (stderr, "%s", dw_error_text (error));
        dw_error_destroy (&error);
        if (!agent)
            sleep_ms (20);
    }
    return agent;
}

static int s_be_worker (const fleet_job_t *job, uint32_t place) {
    struct sigaction action = {.sa_handler = s_on_term};
    sigaction (SIGTERM, &action, NULL);
    load_spoil (&s_counts->stale_before_ms[place], &s_counts->spoiled);
    dw_processors_t *processors = load_processors ();
    dw_agent_t *agent = s_open_agent (job, processors);
    if (!agent)
        return FLEET_NOT_BEGUN;
    int ended = DW_ETIMEDOUT;
    for (bool told = false; ended == DW_ETIMEDOUT; ended = dw_agent_wait (agent, 10))
        if (s_asked_to_drain && !told) {
            dw_agent_drain (agent);
            told = true;
        }
    dw_agent_close (&agent, 1000, NULL);
    dw_processors_destroy (&processors);
    return ended == DW_OK      ? FLEET_ENDED_OK
           : ended == DW_ELOST ? FLEET_ENDED_LOST
                               : FLEET_ENDED_ELSE;
}

static int s_be_customer (const fleet_job_t *job) {
    dw_connect_options_t options = s_connect (job);
    return customers_run (job->customer, &options);
}

static int s_be_coordinator (const fleet_job_t *job) {
    load_options_t options = {.kind = job->kind,
                              .system = {.listen = job->endpoint,
                                         .no_actors = true,
                                         .keys = job->keys[0] ? job->keys : NULL,
                                         .slots_max = job->slots_max,
                                         .clients_max = job->clients_max,
                                         .heartbeat_ms = job->heartbeat_ms,
                                         .silence_ms = job->silence_ms}};
    sigset_t reload;
    sigemptyset (&reload);
    sigaddset (&reload, SIGHUP);
    sigprocmask (SIG_BLOCK, &reload, NULL); /* before there are threads, which do as this one */
    dw_system_t *system = load_open (&options);
    if (!system)
        return FLEET_NOT_BEGUN;
    for (int number; sigwait (&reload, &number) == 0;)
        dw_system_reload_keys (system);
    return FLEET_ENDED_ELSE;
}

/* What it says is in the file said.PID of the folder. */
static int s_be_foreign (const fleet_job_t *job) {
    char path[64];
    dw_connect_options_t options = s_connect (job);
    snprintf (path, sizeof path, "%s/said.%d", s_folder, (int) getpid ());
    int fd = open (path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    if (fd >= 0)
        dup2 (fd, STDERR_FILENO);
    foreign_become (job->language, s_folder, options.endpoint, options.key, options.server_key);
    return FLEET_NOT_BEGUN;
}

static bool s_enter (const char *network) {
    int fd = open (network, O_RDONLY | O_CLOEXEC);
    bool ok = fd >= 0 && setns (fd, CLONE_NEWNET) == 0;
    if (fd >= 0)
        close (fd);
    return ok;
}

static int s_be (const fleet_job_t *job, uint32_t place) {
    const struct rlimit files = {job->files_max, job->files_max};
    if ((job->network[0] && !s_enter (job->network)) ||
        (job->files_max && setrlimit (RLIMIT_NOFILE, &files)))
        return FLEET_NOT_BEGUN;
    switch (job->role) {
        case FLEET_WORKER: return s_be_worker (job, place);
        case FLEET_FOREIGN: return s_be_foreign (job);
        case FLEET_COORDINATOR: return s_be_coordinator (job);
        case FLEET_CUSTOMER: return s_be_customer (job);
        case FLEET_LISTENER: return listener_run (job->keys, s_counts->listened);
        case FLEET_RELAY: return relay_run (&job->relay, &s_counts->relay);
        case FLEET_SPINNER:
            for (volatile uint64_t turns = 0;;)
                turns = turns + 1;
    }
    return FLEET_NOT_BEGUN;
}

/* ---- Their keeper ----------------------------------------------------------------------------- */

static int s_start (pid_t *pid_p, const fleet_job_t *job, uint32_t place, int orders) {
    pid_t keeper = getpid (), pid = fork ();
    if (pid == 0) {
        prctl (PR_SET_PDEATHSIG, SIGKILL);
        if (getppid () != keeper)
            _exit (FLEET_NOT_BEGUN);
        close (orders);
        signal (SIGINT, SIG_DFL);
        signal (SIGTERM, SIG_DFL);
        int status = s_be (job, place);
        fflush (NULL);
        _exit (status);
    }
    *pid_p = pid;
    return pid;
}

/* -1: it has not ended in time. */
static int s_wait (pid_t *pid_p, int timeout_ms) {
    int status;
    int64_t until_ms = now_ms () + timeout_ms;
    if (*pid_p <= 0)
        return -1;
    while (waitpid (*pid_p, &status, WNOHANG) == 0) {
        if (now_ms () >= until_ms)
            return -1;
        sleep_ms (2);
    }
    *pid_p = 0;
    return WIFEXITED (status) ? WEXITSTATUS (status) : 128 + WTERMSIG (status);
}

static int s_signal (pid_t *pid_p, int signal) {
    if (*pid_p <= 0)
        return 0;
    kill (*pid_p, signal);
    return signal == SIGKILL ? s_wait (pid_p, 5000) : 0;
}

static void s_keep (int orders) {
    pid_t pids[FLEET_MAX] = {0};
    s_order_message_t message;
    while (recv (orders, &message, sizeof message, 0) == (ssize_t) sizeof message) {
        int answer = 0;
        pid_t *pid_p = &pids[message.place];
        switch (message.order) {
            case S_START: answer = s_start (pid_p, &message.job, message.place, orders); break;
            case S_SIGNAL: answer = s_signal (pid_p, message.argument); break;
            case S_WAIT: answer = s_wait (pid_p, message.argument); break;
            case S_CLEAR:
                for (uint32_t i = 0; i < FLEET_MAX; i++)
                    s_signal (&pids[i], SIGKILL);
                break;
        }
        if (send (orders, &answer, sizeof answer, 0) < 0)
            break;
    }
    for (uint32_t i = 0; i < FLEET_MAX; i++)
        s_signal (&pids[i], SIGKILL);
}

/* Keys, and the files of endpoints. */
static void s_remove (const char *folder) {
    char command[80];
    snprintf (command, sizeof command, "rm -rf '%s'", folder);
    if (system (command))
        fprintf (stderr, "%s failed\n", command);
}

bool fleet_begin (const char *folder) {
    int ends[2];
    s_folder = folder;
    s_counts = mmap (NULL, sizeof *s_counts, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1,
                     0);
    if (s_counts == MAP_FAILED || !customers_begin () ||
        socketpair (AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends))
        return false;
    s_keeper_pid = fork ();
    if (s_keeper_pid == 0) {
        signal (SIGINT, SIG_IGN); /* it ends when the test has */
        signal (SIGTERM, SIG_IGN);
        close (ends[0]);
        s_keep (ends[1]);
        s_remove (folder);
        _exit (0);
    }
    close (ends[1]);
    s_keeper = ends[0];
    return s_keeper_pid > 0;
}

fleet_counts_t *fleet_counts (void) {
    return s_counts;
}

static int s_order (s_order_t order, uint32_t place, int argument, const fleet_job_t *job) {
    s_order_message_t message = {.order = order, .place = place, .argument = argument};
    int answer = -1;
    assert (place < FLEET_MAX);
    if (job)
        message.job = *job;
    if (send (s_keeper, &message, sizeof message, 0) < 0 ||
        recv (s_keeper, &answer, sizeof answer, 0) != (ssize_t) sizeof answer) {
        fprintf (stderr, "the keeper of the processes has gone\n");
        exit (1);
    }
    return answer;
}

int fleet_start (uint32_t place, const fleet_job_t *job) {
    return s_order (S_START, place, 0, job);
}

void fleet_signal (uint32_t place, int signal) {
    s_order (S_SIGNAL, place, signal, NULL);
}

int fleet_wait (uint32_t place, int timeout_ms) {
    return s_order (S_WAIT, place, timeout_ms, NULL);
}

void fleet_clear (void) {
    s_order (S_CLEAR, 0, 0, NULL);
}

void fleet_end (void) {
    close (s_keeper);
    waitpid (s_keeper_pid, NULL, 0);
}
