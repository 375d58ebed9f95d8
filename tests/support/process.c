/* process.c - what the program that runs has, and its time. */

#include "tests/support/process.h"

#include <assert.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdint.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define WORDS_MAX 16

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

pid_t process_again (int *said_p, const char *const *words) {
    const char *arguments[WORDS_MAX] = {"again"};
    int ends[2];
    pid_t pid;
    posix_spawn_file_actions_t actions;
    for (size_t i = 0; words[i] && i + 2 < WORDS_MAX; i++)
        arguments[i + 1] = words[i];
    if (pipe2 (ends, O_CLOEXEC))
        return -1;
    posix_spawn_file_actions_init (&actions);
    posix_spawn_file_actions_adddup2 (&actions, ends[1], STDOUT_FILENO);
    int err = posix_spawn (&pid, "/proc/self/exe", &actions, NULL,
                           (char *const *) (uintptr_t) arguments, environ);
    posix_spawn_file_actions_destroy (&actions);
    close (ends[1]);
    if (err)
        close (ends[0]);
    *said_p = err ? -1 : ends[0];
    return err ? -1 : pid;
}

int process_end (pid_t pid, int said) {
    int status = 0;
    close (said);
    if (waitpid (pid, &status, 0) != pid)
        return -1;
    return WIFEXITED (status) ? WEXITSTATUS (status) : -WTERMSIG (status);
}
