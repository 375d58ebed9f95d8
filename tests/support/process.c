/* process.c - what the program that runs has, and its time. */

#include "tests/support/process.h"

#include <assert.h>
#include <dirent.h>
#include <errno.h>
#include <time.h>

static unsigned s_entries_count (const char *folder) {
    unsigned count = 0;
    DIR *directory = opendir (folder);
    const struct dirent *entry;
    assert (directory);
    while ((entry = readdir (directory)))
        count += entry->d_name[0] != '.';
    closedir (directory);
    return count;
}

unsigned threads_count (void) {
    return s_entries_count ("/proc/self/task");
}

unsigned descriptors_count (void) {
    return s_entries_count ("/proc/self/fd") - 1; /* that of the folder itself */
}

int64_t now_ms (void) {
    struct timespec now;
    clock_gettime (CLOCK_MONOTONIC, &now);
    return (int64_t) now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

void sleep_ms (int64_t ms) {
    struct timespec time = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000};
    while (nanosleep (&time, &time) && errno == EINTR)
        ;
}

bool threads_fall_to (unsigned count) {
    for (int64_t end_ms = now_ms () + 20000; now_ms () < end_ms; sleep_ms (1))
        if (threads_count () <= count)
            return true;
    return false;
}
