/* chaos.c - runs under faults: processes killed and stopped, connections cut and late, and what must hold all the same.
 *
 *     chaos [--seed N] [--seconds N | --short] [SCENARIO...]
 *
 * Every scenario prints a table of what was asked, what came of it, and the faults that really happened. It exits with 1,
 * and says the seed, when a check does not hold. */

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
    self->has_failed = true;
    printf ("  FAILED: ");
    va_start (arguments, format);
    vprintf (format, arguments);
    va_end (arguments);
    printf ("\n");
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

unsigned chaos_memory (void) {
    unsigned size = 0, resident = 0;
    FILE *file = fopen ("/proc/self/statm", "r");
    if (file && fscanf (file, "%u %u", &size, &resident) != 2)
        resident = 0;
    if (file)
        fclose (file);
    return resident * (unsigned) (sysconf (_SC_PAGESIZE) / 1024);
}

static const struct {
    const char *name;
    chaos_scenario_t *scenario;
} s_scenarios[] = {
    {"kill", chaos_kill},         {"idle", chaos_idle},   {"coordinator", chaos_coordinator},
    {"drain", chaos_drain},       {"pause", chaos_pause}, {"late", chaos_late},
    {"shutdown", chaos_shutdown},
};

#define SCENARIOS (sizeof s_scenarios / sizeof *s_scenarios)

static int s_usage (void) {
    fprintf (stderr, "usage: chaos [--seed N] [--seconds N | --short] [SCENARIO...]\n       of");
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
    self->has_failed = false;
    self->random = random_from (self->seed);
    printf ("%s (seed %llu)\n", s_scenarios[s].name, (unsigned long long) self->seed);
    fflush (stdout);
    s_scenarios[s].scenario (self);
    fleet_clear ();
    printf ("  %s after %.1f s\n", self->has_failed ? "FAILED" : "all held",
            (double) (now_ms () - begin_ms) / 1e3);
    fflush (stdout);
    return !self->has_failed;
}

int main (int argc, char **argv) {
    chaos_t self = {.seed = 1, .runs = 100, .timeout_ms = 60000};
    bool asked[SCENARIOS] = {false}, ok = true;
    int i = 1;
    for (; i < argc && argv[i][0] == '-'; i++)
        if (strcmp (argv[i], "--short") == 0) {
            self.is_short = true;
            self.runs = 25;
            self.timeout_ms = 20000;
        } else if (strcmp (argv[i], "--seed") == 0 && i + 1 < argc)
            self.seed = strtoull (argv[++i], NULL, 10);
        else if (strcmp (argv[i], "--seconds") == 0 && i + 1 < argc) /* some 15 runs a second */
            self.runs = 15 * strtoull (argv[++i], NULL, 10);
        else
            return s_usage ();
    if (self.runs == 0 || !s_ask (asked, argv + i, argc - i))
        return s_usage ();
    if (self.runs > 100)
        self.timeout_ms = (int) self.runs * 600;
    snprintf (self.folder, sizeof self.folder, "/tmp/dwchaos-XXXXXX");
    if (!mkdtemp (self.folder) || !fleet_begin () || !load_expect ()) {
        fprintf (stderr, "it cannot begin\n");
        return 1;
    }
    for (size_t s = 0; s < SCENARIOS; s++)
        ok &= !asked[s] || s_run (&self, s);
    fleet_end ();
    load_forget ();
    rmdir (self.folder);
    if (!ok)
        printf ("chaos --seed %llu%s: a check did not hold\n", (unsigned long long) self.seed,
                self.is_short ? " --short" : "");
    return ok ? 0 : 1;
}
