/* chaos.c - runs under faults: processes killed and stopped, connections cut and late, and what
 * must hold all the same.
 *
 *     chaos [--seed N] [--short | --seconds N] [--json] [SCENARIO...]
 *
 * At the end there is a table: of every scenario what was asked, what came of it, and the faults
 * that really happened, of which there must be a stated number. It exits with 1, and says the seed,
 * when a check does not hold. */

#include "tests/chaos/chaos.h"

#include <dirent.h>
#include <netinet/in.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

void chaos_check (chaos_t *self, bool holds, const char *format, ...) {
    va_list arguments;
    if (holds)
        return;
    self->has_failed = self->row->has_failed = true;
    printf ("  FAILED: ");
    va_start (arguments, format);
    vprintf (format, arguments);
    va_end (arguments);
    printf ("\n");
}

void chaos_row (chaos_t *self, const char *name) {
    if (self->rows_count < CHAOS_ROWS_MAX)
        self->row = &self->rows[self->rows_count++];
    *self->row = (row_t){.seed = self->seed};
    snprintf (self->row->name, sizeof self->row->name, "%s", name);
}

void chaos_fault (chaos_t *self, const char *what, uint64_t count, uint64_t least) {
    row_t *row = self->row;
    printf ("  %s: %llu\n", what, (unsigned long long) count);
    chaos_check (self, count >= least, "%s: %llu, which is too few; at least %llu", what,
                 (unsigned long long) count, (unsigned long long) least);
    if (row->faults_count == ROW_FAULTS_MAX)
        return;
    row_fault_t *fault = &row->faults[row->faults_count++];
    *fault = (row_fault_t){.count = count, .least = least};
    snprintf (fault->what, sizeof fault->what, "%s", what);
}

void chaos_expect (chaos_t *self, const char *expected, const char *seen) {
    snprintf (self->row->expected, sizeof self->row->expected, "%s", expected);
    snprintf (self->row->seen, sizeof self->row->seen, "%s", seen);
    chaos_check (self, strcmp (expected, seen) == 0, "%s: expected: %s, seen: %s", self->row->name,
                 expected, seen);
}

void chaos_skip (chaos_t *self, const char *why) {
    self->row->is_skipped = true;
    printf ("  SKIPPED: %s\n", why);
}

uint16_t chaos_port (chaos_t *self) {
    for (;;) {
        uint16_t port = (uint16_t) (20000 + random_below (&self->random, 10000));
        struct sockaddr_in address = {.sin_family = AF_INET,
                                      .sin_port = htons (port),
                                      .sin_addr.s_addr = htonl (INADDR_LOOPBACK)};
        int fd = socket (AF_INET, SOCK_STREAM, 0);
        bool is_free = bind (fd, (struct sockaddr *) &address, sizeof address) == 0;
        close (fd);
        if (is_free)
            return port;
    }
}

static FILE *s_open (const char *file, int pid) {
    char path[64];
    snprintf (path, sizeof path, "/proc/%d/%s", pid ? pid : (int) getpid (), file);
    return fopen (path, "r");
}

static unsigned s_pages_kib (int pid, bool is_resident) {
    unsigned size = 0, resident = 0;
    FILE *file = s_open ("statm", pid);
    if (file && fscanf (file, "%u %u", &size, &resident) != 2)
        size = resident = 0;
    if (file)
        fclose (file);
    return (is_resident ? resident : size) * (unsigned) (sysconf (_SC_PAGESIZE) / 1024);
}

unsigned chaos_memory (int pid) {
    return s_pages_kib (pid, true);
}

unsigned chaos_virtual (int pid) {
    return s_pages_kib (pid, false);
}

unsigned chaos_descriptors (int pid) {
    char path[64];
    unsigned count = 0;
    if (!pid)
        return descriptors_count ();
    snprintf (path, sizeof path, "/proc/%d/fd", pid);
    DIR *folder = opendir (path);
    const struct dirent *entry;
    while (folder && (entry = readdir (folder)))
        count += entry->d_name[0] != '.';
    if (folder)
        closedir (folder);
    return count;
}

/* ---- The scenarios, and who asks for them ----------------------------------------------------- */

static const struct {
    const char *name;
    chaos_scenario_t *scenario;
} s_scenarios[] = {
    {"kill", chaos_kill},
    {"idle", chaos_idle},
    {"coordinator", chaos_coordinator},
    {"drain", chaos_drain},
    {"pause", chaos_pause},
    {"late", chaos_late},
    {"clients", chaos_clients},
    {"apart", chaos_apart},
    {"stale", chaos_stale},
    {"shutdown", chaos_shutdown},
    {"busy", chaos_busy},
    {"keys", chaos_keys},
    {"curve", chaos_curve},
    {"endpoints", chaos_endpoints},
    {"silent", chaos_silent},
    {"garbage", chaos_garbage},
    {"bombs", chaos_bombs},
    {"endless", chaos_endless},
    {"partition", chaos_partition},
    {"loss", chaos_loss},
    {"slow", chaos_slow},
    {"foreign", chaos_foreign},
    {"strange", chaos_strange},
};

#define SCENARIOS (sizeof s_scenarios / sizeof *s_scenarios)

static int s_usage (void) {
    fprintf (stderr,
             "usage: chaos [--seed N] [--short | --seconds N] [--json] [SCENARIO...]\n       of");
    for (size_t i = 0; i < SCENARIOS; i++)
        fprintf (stderr, " %s", s_scenarios[i].name);
    fprintf (stderr, "\n");
    return 2;
}

/* Marks the scenarios that are asked for; none: all. False: there is no such. */
static bool s_ask (bool *asked, char *const *names, int count) {
    for (int i = 0; i < count; i++) {
        size_t s = 0;
        while (s < SCENARIOS && strcmp (names[i], s_scenarios[s].name) != 0)
            s++;
        if (s == SCENARIOS)
            return false;
        asked[s] = true;
    }
    for (size_t s = 0; count == 0 && s < SCENARIOS; s++)
        asked[s] = true;
    return true;
}

static bool s_run (chaos_t *self, size_t s) {
    int64_t begin_ms = now_ms ();
    uint32_t first = self->rows_count;
    self->has_failed = false;
    self->random = random_from (self->seed);
    printf ("%s (seed %llu)\n", s_scenarios[s].name, (unsigned long long) self->seed);
    fflush (stdout);
    chaos_row (self, s_scenarios[s].name);
    s_scenarios[s].scenario (self);
    fleet_clear ();
    for (uint32_t i = first; i < self->rows_count; i++)
        if (self->rows[i].took_ms == 0)
            self->rows[i].took_ms = now_ms () - begin_ms;
    printf ("  %s after %.1f s\n", self->has_failed ? "FAILED" : "all held",
            (double) (now_ms () - begin_ms) / 1e3);
    fflush (stdout);
    return !self->has_failed;
}

static void s_print_table (const chaos_t *self, bool is_json) {
    uint32_t skipped = 0, failed = 0;
    if (!is_json)
        row_print_head ();
    for (uint32_t i = 0; i < self->rows_count; i++) {
        const row_t *row = &self->rows[i];
        skipped += row->is_skipped;
        failed += row->has_failed;
        if (is_json)
            row_print_json (row);
        else
            row_print (row);
    }
    if (!is_json)
        printf ("seed %llu: %u held, %u failed, %u skipped\n", (unsigned long long) self->seed,
                (unsigned) (self->rows_count - failed - skipped), (unsigned) failed,
                (unsigned) skipped);
}

int main (int argc, char **argv) {
    static chaos_t self = {.seed = 1, .runs = 100, .timeout_ms = 60000, .stretch_ms = 6000};
    bool asked[SCENARIOS] = {false}, ok = true, is_json = false;
    int i = 1;
    for (; i < argc && argv[i][0] == '-'; i++)
        if (strcmp (argv[i], "--short") == 0) {
            self.is_short = true;
            self.runs = 15;
            self.timeout_ms = 15000;
            self.stretch_ms = 1500;
        } else if (strcmp (argv[i], "--json") == 0)
            is_json = true;
        else if (strcmp (argv[i], "--seed") == 0 && i + 1 < argc)
            self.seed = strtoull (argv[++i], NULL, 10);
        else if (strcmp (argv[i], "--seconds") == 0 && i + 1 < argc) { /* some 15 runs a second */
            self.stretch_ms = 1000 * atoi (argv[++i]);
            self.runs = (uint64_t) self.stretch_ms * 15 / 1000;
        } else
            return s_usage ();
    if (self.runs == 0 || !s_ask (asked, argv + i, argc - i))
        return s_usage ();
    if (self.runs > 100)
        self.timeout_ms = (int) self.runs * 600;
    snprintf (self.folder, sizeof self.folder, "/tmp/dwchaos-XXXXXX");
    if (!mkdtemp (self.folder) || !fleet_begin (self.folder) || !load_expect ()) {
        fprintf (stderr, "it cannot begin\n");
        return 1;
    }
    for (size_t s = 0; s < SCENARIOS; s++)
        if (asked[s])
            ok &= s_run (&self, s);
    fleet_end ();
    load_forget ();
    s_print_table (&self, is_json);
    if (!ok)
        printf ("chaos --seed %llu%s: a check did not hold\n", (unsigned long long) self.seed,
                self.is_short ? " --short" : "");
    return ok ? 0 : 1;
}
