/* workers.c - worker processes of a bench. */

#include "bench/lib/workers.h"

#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "runtime/core/error.h"

#define JOIN_MS_MAX 60000

static int s_be_worker (FILE *in, void *arg) {
    char line[200];
    if (!fgets (line, sizeof line, in))
        return DW_OK;
    line[strcspn (line, "\n")] = '\0';
    dw_agent_t *agent = NULL;
    dw_error_t *error = dw_error_new ();
    dw_agent_options_t options = {.coordinator = {.endpoint = line}, .slots = *(uint32_t *) arg};
    int err = dw_agent_open (&agent, &options, error);
    if (!err)
        err = dw_agent_wait (agent, -1);
    fputs (dw_error_text (error), stderr);
    dw_agent_close (&agent, -1, NULL);
    dw_error_destroy (&error);
    return err;
}

static void s_raise_limits (void) {
    struct rlimit limit;
    if (getrlimit (RLIMIT_NOFILE, &limit))
        return;
    limit.rlim_cur = limit.rlim_max;
    setrlimit (RLIMIT_NOFILE, &limit);
}

int dw_workers_start (dw_workers_t *self, uint32_t processes_count, uint32_t slots_each,
                      dw_error_t *error) {
    int err = DW_OK;
    s_raise_limits ();
    *self = (dw_workers_t){.slots_each = slots_each};
    for (uint32_t i = 0; i < processes_count && i < DW_WORKERS_MAX && !err; i++) {
        err = dw_child_start (&self->processes[i], s_be_worker, &self->slots_each, error);
        self->processes_count += !err;
    }
    return err;
}

/* By their names, so that no descriptor of another thread's is touched. */
static unsigned s_connections (void) {
    unsigned count = 0;
    DIR *folder = opendir ("/proc/self/fd");
    const struct dirent *entry;
    while (folder && (entry = readdir (folder))) {
        char what[8];
        count += readlinkat (dirfd (folder), entry->d_name, what, sizeof what) == sizeof what &&
                 memcmp (what, "socket:[", sizeof what) == 0;
    }
    if (folder)
        closedir (folder);
    return count;
}

int dw_workers_join (dw_workers_t *self, const char *endpoint, dw_error_t *error) {
    for (uint32_t i = 0; i < self->processes_count; i++)
        dw_child_tell (&self->processes[i], endpoint);
    for (int ms = 0; ms < JOIN_MS_MAX; ms += 100) {
        if (s_connections () > self->processes_count * (self->slots_each + 1))
            return DW_OK;
        usleep (100000);
    }
    return dw_error_add (error, DW_ETIMEDOUT, DW_NOWHERE, "the slots did not come");
}

static double s_cpu_s (pid_t pid) {
    char name[64];
    unsigned long user = 0, system = 0;
    snprintf (name, sizeof name, "/proc/%d/stat", (int) pid);
    FILE *file = fopen (name, "r");
    int got = file ? fscanf (file,
                             "%*d (%*[^)]) %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu",
                             &user, &system)
                   : 0;
    if (file)
        fclose (file);
    return got == 2 ? (double) (user + system) / (double) sysconf (_SC_CLK_TCK) : 0;
}

double dw_workers_cpu_s (const dw_workers_t *self) {
    double seconds = 0;
    for (uint32_t i = 0; i < self->processes_count; i++)
        seconds += s_cpu_s (self->processes[i].pid);
    return seconds;
}

double dw_workers_own_cpu_s (void) {
    struct timespec now;
    clock_gettime (CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double) now.tv_sec + (double) now.tv_nsec / 1e9;
}

int dw_workers_end (dw_workers_t *self, dw_error_t *error) {
    int err = DW_OK;
    for (uint32_t i = 0; i < self->processes_count; i++) {
        int ended = dw_child_end (&self->processes[i], error);
        err = err ? err : ended;
    }
    return err;
}
