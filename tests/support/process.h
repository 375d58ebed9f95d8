/* process.h - what the program that runs has, and its time. */

#ifndef TESTS_PROCESS_H
#define TESTS_PROCESS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/* Threads and descriptors of this program; the first waits until there are at most so many. */
bool threads_fall_to (unsigned count);
unsigned threads_count (void);
unsigned descriptors_count (void);
int64_t now_ms (void);
void sleep_ms (int64_t ms);

/* Starts this program once more, with these words behind its name, ended by NULL: for whoever has
 * to be a process of its own, since a process with threads may fork only to become another program.
 * *said_p gets what it writes to its standard output, which ends when it does, so that nobody waits
 * for what a dead one was to say. Its pid; -1: it is not started. */
pid_t process_again (int *said_p, const char *const *words);
/* Waits for its end and closes said. Its exit status, or minus the number of the signal that ended
 * it. */
int process_end (pid_t pid, int said);

#endif
