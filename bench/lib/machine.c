/* machine.c - where and with what something was measured. */

#include "bench/lib/machine.h"

#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>
#include <zmq.h>

#include "dagwood.h"

#ifdef __clang__
#define COMPILER __VERSION__ /* says by itself that it is clang */
#else
#define COMPILER "gcc " __VERSION__
#endif

static void s_look_at_cpu (dw_machine_t *self) {
    char line[256];
    FILE *file = fopen ("/proc/cpuinfo", "re");
    snprintf (self->cpu, sizeof self->cpu, "unknown");
    while (file && fgets (line, sizeof line, file)) {
        const char *value = strncmp (line, "model name", 10) == 0 ? strchr (line, ':') : NULL;
        if (value) {
            snprintf (self->cpu, sizeof self->cpu, "%.*s", (int) strcspn (value + 2, "\n"),
                      value + 2);
            break;
        }
    }
    if (file)
        fclose (file);
}

void dw_machine_look (dw_machine_t *self) {
    cpu_set_t cpus;
    struct utsname name = {0};
    int major, minor, patch;
    s_look_at_cpu (self);
    self->cores = 1;
    if (sched_getaffinity (0, sizeof cpus, &cpus) == 0)
        self->cores = (uint32_t) CPU_COUNT (&cpus);
    uname (&name);
    snprintf (self->kernel, sizeof self->kernel, "%.40s %.80s %.40s", name.sysname, name.release,
              name.machine);
    zmq_version (&major, &minor, &patch);
    snprintf (self->libzmq, sizeof self->libzmq, "%d.%d.%d", major, minor, patch);
    self->dagwood = dw_version ();
    self->compiler = COMPILER;
}
