/* resident.c - how much memory this process has, and could have. */

#include "bench/lib/resident.h"

#include <fcntl.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* A line of a file of /proc such as "VmRSS:     1234 kB", in bytes. */
static uint64_t s_look_up (const char *name, const char *key) {
    char line[256];
    uint64_t kilobytes = 0;
    FILE *file = fopen (name, "re");
    while (file && kilobytes == 0 && fgets (line, sizeof line, file))
        if (strncmp (line, key, strlen (key)) == 0)
            kilobytes = strtoull (line + strlen (key), NULL, 10);
    if (file)
        fclose (file);
    return kilobytes * 1024;
}

uint64_t dw_resident_bytes (void) {
    malloc_trim (0);
    return s_look_up ("/proc/self/status", "VmRSS:");
}

uint64_t dw_resident_peak_bytes (void) {
    return s_look_up ("/proc/self/status", "VmHWM:");
}

void dw_resident_reset (void) {
    int fd = open ("/proc/self/clear_refs", O_WRONLY | O_CLOEXEC);
    if (fd < 0)
        return;
    if (write (fd, "5", 1) < 0) {
        /* Then the peak is of the whole life, as the header says. */
    }
    close (fd);
}

uint64_t dw_resident_available_bytes (void) {
    return s_look_up ("/proc/meminfo", "MemAvailable:");
}
