/* libc.c - what actors ask of the system besides sockets and threads: the time, random bytes, who
 * they are. The linker has their calls come here (-Wl,--wrap); outside of a world they go on to
 * where they were meant for. */

#include <dirent.h>
#include <errno.h>
#include <sched.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/types.h>
#include <time.h>
#include <unistd.h>

#include "tests/simulated/fibers.h"

#define DESCRIPTOR 1000000 /* of an eventfd: none that the system knows */
#define CPUS       3

int __real_clock_gettime (clockid_t clock, struct timespec *now);
int __real_nanosleep (const struct timespec *time, struct timespec *left);
ssize_t __real_getrandom (void *bytes, size_t size, unsigned flags);
pid_t __real_getpid (void);
int __real_gethostname (char *name, size_t size);
int __real_eventfd (unsigned value, int flags);
int __real_eventfd_write (int fd, eventfd_t value);
int __real_close (int fd);
DIR *__real_opendir (const char *name);
int __real_sched_getaffinity (pid_t process, size_t size, cpu_set_t *cpus);
int __real_getrlimit (int resource, struct rlimit *limit);

int __wrap_clock_gettime (clockid_t clock, struct timespec *now);
int __wrap_nanosleep (const struct timespec *time, struct timespec *left);
ssize_t __wrap_getrandom (void *bytes, size_t size, unsigned flags);
pid_t __wrap_getpid (void);
int __wrap_gethostname (char *name, size_t size);
int __wrap_eventfd (unsigned value, int flags);
int __wrap_eventfd_write (int fd, eventfd_t value);
int __wrap_close (int fd);
DIR *__wrap_opendir (const char *name);
int __wrap_sched_getaffinity (pid_t process, size_t size, cpu_set_t *cpus);
int __wrap_getrlimit (int resource, struct rlimit *limit);

static bool s_is_simulated (void) {
    return fibers_current () != NULL;
}

int __wrap_clock_gettime (clockid_t clock, struct timespec *now) {
    if (!s_is_simulated ())
        return __real_clock_gettime (clock, now);
    int64_t ns = fibers_look_at_clock () + INT64_C (1000000000); /* 0 is "never" to some */
    now->tv_sec = ns / 1000000000;
    now->tv_nsec = ns % 1000000000;
    return 0;
}

int __wrap_nanosleep (const struct timespec *time, struct timespec *left) {
    if (!s_is_simulated ())
        return __real_nanosleep (time, left);
    fibers_sleep ((int64_t) time->tv_sec * 1000000000 + time->tv_nsec);
    return 0;
}

ssize_t __wrap_getrandom (void *bytes, size_t size, unsigned flags) {
    if (!s_is_simulated ())
        return __real_getrandom (bytes, size, flags);
    for (size_t i = 0; i < size; i++)
        ((uint8_t *) bytes)[i] = (uint8_t) random_next (fibers_random ());
    return (ssize_t) size;
}

pid_t __wrap_getpid (void) {
    return s_is_simulated () ? (pid_t) fibers_process ()->number : __real_getpid ();
}

int __wrap_gethostname (char *name, size_t size) {
    if (!s_is_simulated ())
        return __real_gethostname (name, size);
    strncpy (name, fibers_process ()->name, size);
    return 0;
}

int __wrap_eventfd (unsigned value, int flags) {
    return s_is_simulated () ? DESCRIPTOR : __real_eventfd (value, flags);
}

int __wrap_eventfd_write (int fd, eventfd_t value) {
    return fd == DESCRIPTOR ? 0 : __real_eventfd_write (fd, value);
}

int __wrap_close (int fd) {
    return fd == DESCRIPTOR ? 0 : __real_close (fd);
}

/* How many files are open is asked for to be compared with a limit, and there is none. */
DIR *__wrap_opendir (const char *name) {
    return s_is_simulated () ? NULL : __real_opendir (name);
}

int __wrap_sched_getaffinity (pid_t process, size_t size, cpu_set_t *cpus) {
    if (!s_is_simulated ())
        return __real_sched_getaffinity (process, size, cpus);
    CPU_ZERO_S (size, cpus);
    for (int i = 0; i < CPUS; i++)
        CPU_SET_S ((size_t) i, size, cpus);
    return 0;
}

int __wrap_getrlimit (int resource, struct rlimit *limit) {
    if (!s_is_simulated ())
        return __real_getrlimit (resource, limit);
    *limit = (struct rlimit){RLIM_INFINITY, RLIM_INFINITY};
    return 0;
}
