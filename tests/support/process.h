/* process.h - what the program that runs has, and its time. */

#ifndef TESTS_PROCESS_H
#define TESTS_PROCESS_H

#include <stdbool.h>
#include <stdint.h>

/* Threads and descriptors of this program; the first waits until there are at most so many. */
bool threads_fall_to (unsigned count);
unsigned threads_count (void);
unsigned descriptors_count (void);
int64_t now_ms (void);
void sleep_ms (int64_t ms);

#endif
